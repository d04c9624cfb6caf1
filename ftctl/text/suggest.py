"""A word that is not known and those that are in; the one that was most likely meant out."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST = 80  # characters; what is longer is no near miss of anything
ALIKE = 0.6  # from here on two words are near; difflib's own measure and default
SURE = 0.8  # where words of one's own are allowed too: only a slip of the finger is a misspelling


def nearest(word: str, known: Iterable[str], alike: float = ALIKE) -> str | None:
    """The known word that this one is nearest to, if it is near to any."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for a fault

    matches = get_close_matches(word[:_LONGEST], list(known), 1, alike)
    return matches[0] if matches else None


def did_you_mean(word: str, known: Iterable[str], alike: float = ALIKE) -> str | None:
    """The hint that names it."""
    near = nearest(word, known, alike)
    return f"did you mean '{near}'?" if near is not None else None
