"""How to ask for a page in; every entry of a list, as far as it can be read, out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from ftctl.errors import ProviderError
from ftctl.providers.openai.values import OddValue, Raw, known_id, moment

MOST_PAGES = 1_000
LONGEST_LIST = 256 * 1024 * 1024  # bytes, of all its pages
_TOLD = 10  # records that were left out, one by one

Query = dict[str, Any]
T = TypeVar("T")

ACCOUNT_JOBS = 1000  # so many of an account's jobs are looked at before a purchase,
ACCOUNT_SECONDS = 90 * 24 * 3600  # and so far back, where nothing tells how far is needed


class Page(NamedTuple):
    """A part of a list, and how many bytes it came in."""

    entries: tuple[Raw, ...]
    has_more: bool
    size: int


class Readable(NamedTuple, Generic[T]):
    """What could be read of a list, and a sentence for each record that could not."""

    read: tuple[T, ...]
    odd: tuple[str, ...]


def read_page(answer: Any) -> Page:
    """A page of a list. TypeError, KeyError or AttributeError where the answer is none."""
    document = answer.json()
    data = document["data"] or []  # without any, it is no list: not an empty one
    entries = tuple(entry for entry in data if isinstance(entry, dict))
    if not isinstance(data, list) or (data and not entries):
        raise TypeError("no list of things")
    return Page(entries, bool(document.get("has_more")), len(answer.content))


def read_pages(
    operation: str,
    ask: Callable[[Query], Page],
    query: Query,
    *,
    within_seconds: float,
    whole: bool,
    enough: Callable[[dict[str, Raw]], bool],
) -> list[Raw]:
    """Every entry of a list, page by page, until there are enough of them.

    It ends where a page brings nothing new: some servers ignore the cursor, and would be read for
    ever. So would those that always have more: `ProviderError`; also where it cannot be read on,
    if a part of it is worth nothing (`whole`): what is missing may be ours.
    """
    entries: dict[str, Raw] = {}
    ends_at, size = time.monotonic() + within_seconds, 0
    for _ in range(MOST_PAGES):
        page = ask(query)
        fresh = {key: raw for raw in page.entries if (key := _key(raw)) not in entries}
        entries |= fresh
        last = next(filter(None, map(known_id, reversed(page.entries))), None)
        if not fresh or not page.has_more or enough(entries):
            return list(entries.values())
        if last is None and not whole:
            return list(entries.values())
        if last is None:
            raise ProviderError(
                operation,
                "the list goes on after a page on which nothing has an id",
                hint="ask whoever runs the service: entries need ids, or 'has_more' to be false",
            )
        query, size = {**query, "after": last}, size + page.size
        if size > LONGEST_LIST or time.monotonic() > ends_at:
            break
    raise ProviderError(
        operation,
        f"the list does not end: there are more than {len(entries):,} entries",
        hint="ask whoever runs the service: 'has_more' has to be false on the last page",
    )


def _key(raw: Raw) -> str:
    """By what an entry is known for the same where a page brings it again."""
    return known_id(raw) or repr(raw)


def reaches(entries: dict[str, Raw], since: int | None) -> bool:
    """Whether a list that is newest first has come to what was made before that moment.

    Without one, before 90 days of the newest of them: the service's clock counts, not ours.
    """
    if not entries:
        return False
    try:
        newest = moment(entries[next(iter(entries))], "created_at")
        oldest = moment(entries[next(reversed(entries))], "created_at")
    except OddValue:
        return False
    if newest is None or oldest is None:
        return False
    return oldest < (newest - ACCOUNT_SECONDS if since is None else since)


def readable(kind: str, entries: Iterable[Raw], read: Callable[[Raw], T]) -> Readable[T]:
    """Each entry as one of our nouns. An odd one is left out, and told: it stops nothing."""
    found: list[T] = []
    odd: list[str] = []
    for raw in entries:
        try:
            found.append(read(raw))
        except OddValue as fault:
            name = known_id(raw)
            odd.append(f"{kind} {name} cannot be read ({fault})" if name else f"a {kind} {fault}")
    return Readable(tuple(found), tuple(odd))


def told(odd: Sequence[str], what_is_done: str) -> tuple[str, ...]:
    """A sentence for each record that is odd; a few for thousands."""
    once = tuple(dict.fromkeys(odd))
    more = len(once) - _TOLD
    few = once if more <= 0 else (*once[:_TOLD], f"{more:,} more like these")
    return tuple(f"{words}: {what_is_done}" for words in few)
