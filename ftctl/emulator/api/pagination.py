"""Cursor pages: which rows a list request asks for, and whether more follow."""

from __future__ import annotations

from ftctl.emulator.http.wire import ApiError, Request, bad_request
from ftctl.emulator.storage.database import Session


def read_limit(request: Request, default: int, most: int, *, strict: bool = False) -> int:
    """The page's size. Over `most` it is cut to `most`, or refused if strict; below 1 refused."""
    text = request.parameter("limit")
    if text is None:
        return default
    # Nine digits hold every sensible size and keep int() from counting an endless numeral.
    if not (text.isascii() and text.isdigit() and len(text) <= 9) or int(text) < 1:
        raise bad_request(f"'{text}' is not a page size: give a whole number from 1.", "limit")
    if strict and int(text) > most:
        raise bad_request(f"{text} is above the largest page, {most}.", "limit")
    return min(int(text), most)


def read_order(request: Request) -> str:
    """`ASC` or `DESC`, newest first if not given."""
    text = request.parameter("order")
    if text is None:
        return "DESC"
    if text not in {"asc", "desc"}:
        raise bad_request(f"'{text}' is not an order: give 'asc' or 'desc'.", "order")
    return text.upper()


def read_cursor(request: Request, session: Session, table: str) -> int | None:
    """The sequence number of the row named by `after`; a 404 when there never was one."""
    after = request.parameter("after")
    if not after:
        return None
    row = session.first(f"SELECT seq FROM {table} WHERE id = ?", after)  # noqa: S608 - our names
    if row is None:
        raise ApiError(404, f"The cursor '{after}' names nothing.", param="after")
    return int(row["seq"])
