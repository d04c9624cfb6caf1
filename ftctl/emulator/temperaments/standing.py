"""A store in; the temperaments and the account that hold in it out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ftctl.emulator.http.wire import Pairs, bad_request
from ftctl.emulator.ids import fresh
from ftctl.emulator.settings import Settings
from ftctl.emulator.storage.database import Session, Store
from ftctl.emulator.temperament import BadTemperament, Temperament, read_temperament
from ftctl.emulator.temperaments.tempered import HEADER

MOST_TEMPERAMENTS = 100


@dataclass(frozen=True, slots=True)
class Standing:
    """How the service behaves, and whose it is."""

    temperaments: tuple[Temperament, ...]
    headers: Pairs  # of every answer


class Standings:
    """The settings' own temperaments and those in the store."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._own = tuple(map(read_temperament, settings.temperaments))
        self._version: int | None = None
        self._present = Standing((), ())

    def present(self) -> Standing:
        """What holds now."""
        with self._store.transaction("DEFERRED") as connection:
            session = Session(connection, 0.0)
            version = int(connection.execute("PRAGMA data_version").fetchone()[0])
            if version == self._version:
                return self._present
            account = _account(session)
            kept = tuple(map(read_temperament, kept_temperaments(session)))
        self._present = self._standing(account or self._new_account(), (*self._own, *kept))
        self._version = version
        return self._present

    def forget(self) -> None:
        """This process has changed what is kept: SQLite tells only of what others changed."""
        self._version = None

    def _standing(self, account: str, temperaments: tuple[Temperament, ...]) -> Standing:
        # One of each kind: what was said last about it holds.
        held = tuple({one.slug: one for one in temperaments}.values())
        headers = (
            ("openai-organization", self._settings.organization),
            ("openai-project", f"proj_{account}"),
        )
        named = ((HEADER, ", ".join(map(str, held))),) if held else ()
        return Standing(held, (*headers, *named))

    def _new_account(self) -> str:
        """A name for this store, unless another process has just given it one."""
        with self._store.transaction("IMMEDIATE") as connection:
            session = Session(connection, 0.0)
            session.run(
                "INSERT OR IGNORE INTO account (only, id) VALUES (1, ?)",
                fresh("", self._settings.id_seed, 0),
            )
            account = _account(session)
        assert account is not None
        return account


def read_temperaments(value: object) -> list[str]:
    """The slugs of a document's `temperaments`, each checked."""
    if not isinstance(value, list) or len(value) > MOST_TEMPERAMENTS:
        message = f"temperaments must be a list of at most {MOST_TEMPERAMENTS} slugs."
        raise bad_request(message, "temperaments")
    for place, text in enumerate(value):
        where = f"temperaments[{place}]"
        if not isinstance(text, str):
            raise bad_request(f"{where} must be a slug, as in 'lagging-list=30'.", where)
        try:
            read_temperament(text)
        except BadTemperament as fault:
            raise bad_request(f"{where}: {fault}", where) from None
    return value


def keep_temperaments(session: Session, slugs: Iterable[str]) -> None:
    """Add checked temperaments behind those that are there."""
    for slug in slugs:
        session.run("INSERT INTO temperaments (slug) VALUES (?)", slug)


def kept_temperaments(session: Session) -> list[str]:
    """As they were written, the oldest first."""
    return [row["slug"] for row in session.all("SELECT slug FROM temperaments ORDER BY seq")]


def forget_temperaments(session: Session) -> None:
    """None is left."""
    session.run("DELETE FROM temperaments")


def _account(session: Session) -> str | None:
    row = session.first("SELECT id FROM account")
    return None if row is None else str(row["id"])
