"""Rows go in; those that the service's moderation flags come out, each row asked about once.

A flagged row can sink a job after it is paid for. Texts leave the machine for this, so it is only
done where it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from hashlib import blake2b
from typing import Any

from ftctl.data.quality.parts import places_of
from ftctl.domain.desired import Format
from ftctl.domain.quality_settings import QualitySettings
from ftctl.errors import Finding

Categories = tuple[str, ...]
"""What a text is flagged for, in the service's words; none when it is not flagged."""

Ask = Callable[[Sequence[str]], Sequence[Categories]]
"""Some texts -> what each is flagged for."""

Known = MutableMapping[str, Categories]
"""Answers of earlier runs, by `text_key`."""

LONGEST_CHARACTERS = 20_000  # a longer text is asked about in pieces
_TEXTS = 32  # in a request
_CHARACTERS = 100_000  # in a request


def moderate(
    rows: Iterable[tuple[int, Mapping[str, Any]]],
    form: Format,
    ask: Ask,
    known: Known,
    settings: QualitySettings,
) -> Iterator[Finding]:
    """The flagged rows, by line. What `ask` answers is put into `known` request by request.

    What `ask` raises is let through: what is known by then stays known.
    """
    if settings.moderation == "ignore":
        return
    waiting: dict[int, list[str]] = {}
    for line, row in rows:
        waiting[line] = _pieces(row, form)
        if _size(waiting) >= _CHARACTERS or len(waiting) >= _TEXTS:
            yield from _check_batch(waiting, ask, known, settings)
            waiting = {}
    yield from _check_batch(waiting, ask, known, settings)


def text_key(text: str) -> str:
    """What an answer about a text is kept under."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _size(waiting: Mapping[int, Sequence[str]]) -> int:
    return sum(len(piece) for pieces in waiting.values() for piece in pieces)


def _pieces(row: Mapping[str, Any], form: Format) -> list[str]:
    """The row's texts in one, in pieces that a request takes."""
    text = "\n".join(text for _, text, _ in places_of(row, form) if text.strip())
    pieces = (
        text[start : start + LONGEST_CHARACTERS]
        for start in range(0, len(text), LONGEST_CHARACTERS)
    )
    return [piece for piece in pieces if piece.strip()]


def _check_batch(
    waiting: Mapping[int, Sequence[str]], ask: Ask, known: Known, settings: QualitySettings
) -> Iterator[Finding]:
    pieces = {text_key(piece): piece for all_ in waiting.values() for piece in all_}
    unknown = [key for key in pieces if key not in known]
    for batch in _requests(unknown, pieces):
        answers = ask([pieces[key] for key in batch])
        known.update(zip(batch, map(tuple, answers), strict=True))
    for line, all_ in waiting.items():
        flagged = sorted({word for piece in all_ for word in known[text_key(piece)]})
        if flagged:
            yield Finding(
                "flagged-row",
                f"moderation flags the row for {', '.join(flagged)}",
                "take it out or write it anew: one such row can have the file refused",
                line,
                severity="error" if settings.moderation == "error" else "warning",
            )


def _requests(keys: Sequence[str], pieces: Mapping[str, str]) -> Iterator[list[str]]:
    """The keys in groups whose texts one request takes."""
    batch: list[str] = []
    size = 0
    for key in keys:
        if batch and (len(batch) == _TEXTS or size + len(pieces[key]) > _CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append(key)
        size += len(pieces[key])
    if batch:
        yield batch
