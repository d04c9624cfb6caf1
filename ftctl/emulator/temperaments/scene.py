"""What a temperament works with: its value, the moment, and the store to look at."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ftctl.emulator.http.wire import Request, Response
from ftctl.emulator.storage.database import Session

Proceed = Callable[[Request], Response]
"""Lets the service, with what other ways it has, answer a request."""


@dataclass(frozen=True, slots=True)
class Scene:
    """`reading` opens a transaction that shows what is written, at the service's moment."""

    value: float
    reading: Callable[[], AbstractContextManager[Session]]


Way = Callable[[Request, Proceed, Scene], Response]
"""A request -> its answer, by what it lets the service do; may raise what the API refuses with."""


def made_at(session: Session, table: str, name: object) -> float | None:
    """When the row of that id was made, in Unix seconds with fractions; None if there is none."""
    sql = f"SELECT created_at FROM {table} WHERE id = ?"  # noqa: S608 - our own tables
    row = session.first(sql, name) if isinstance(name, str) else None
    return None if row is None else float(row["created_at"])
