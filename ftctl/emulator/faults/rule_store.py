"""Faults in the store: kept as they were written, each with how many it has met."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from ftctl.emulator.faults.rule_parser import read_rule
from ftctl.emulator.faults.rules import Rule
from ftctl.emulator.http.wire import Json, to_json
from ftctl.emulator.storage.database import Session


@dataclass(frozen=True, slots=True)
class Kept:
    """A rule in the store."""

    number: int  # from 1, in the order of the document
    written: Json
    rule: Rule


def keep_faults(session: Session, rules: Iterable[Json]) -> None:
    """Add checked rules behind those that are there."""
    for rule in rules:
        written = {name: value for name, value in rule.items() if name != "met"}
        sql = "INSERT INTO faults (rule, met) VALUES (?, ?)"
        session.run(sql, to_json(written), rule.get("met", 0))


def all_faults(session: Session) -> list[Kept]:
    """Every rule, the oldest first."""
    rows = session.all("SELECT seq, rule FROM faults ORDER BY seq")
    return [_kept(row["seq"], json.loads(row["rule"])) for row in rows]


def forget_faults(session: Session) -> None:
    """None is left, and the next has the number 1."""
    session.run("DELETE FROM faults")
    session.run("DELETE FROM sqlite_sequence WHERE name = 'faults'")


def meet(session: Session, number: int) -> int | None:
    """Count one more that the rule concerns; which one it is, or None if the rule has gone."""
    session.run("UPDATE faults SET met = met + 1 WHERE seq = ?", number)
    row = session.first("SELECT met FROM faults WHERE seq = ?", number)
    return None if row is None else int(row["met"])


def shown_faults(session: Session) -> list[Json]:
    """The rules as they were written, each with how many it has met."""
    rows = session.all("SELECT rule, met FROM faults ORDER BY seq")
    return [{**json.loads(row["rule"]), "met": row["met"]} for row in rows]


def _kept(number: int, written: Json) -> Kept:
    return Kept(number, written, read_rule(written, f"faults[{number - 1}]"))
