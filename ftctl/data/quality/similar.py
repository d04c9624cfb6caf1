"""Texts go in as 64-byte signatures; which of them share most of their phrases comes out.

MinHash over three-word phrases: the share of equal bytes in two signatures estimates the texts'
Jaccard similarity, to within about 0.05. Only texts that agree in a whole band of four bytes are
compared at all (A. Broder, 1997; P. Indyk and R. Motwani, 1998; one byte of each minimum is kept,
P. Li and A. C. König, 2010).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.uint32]

SIGNATURE_BYTES = 64
_BAND_BYTES = 4
_CHANCE = 1 / 256  # that bytes of different minima are equal
_FEWEST_PHRASES = 6  # with fewer, one other word makes another text
_CHARACTERS = 5  # a phrase, where no spaces part words
_BLOCK = 2048  # phrases at a time: 64 permutations of them stay in the processor's cache


class Alike(NamedTuple):
    """Two places in a list of signatures, and their texts' estimated similarity."""

    later: int
    earlier: int
    similarity: float


def signature_of(words: Sequence[bytes]) -> bytes:
    """The signature of a text's folded words; zeros alone where they are too few to compare."""
    from ftctl.numeric import np  # noqa: PLC0415 - slow to load, and not settings for every file

    phrases = _phrases(words)
    if phrases is None:
        return bytes(SIGNATURE_BYTES)
    factors, shifts = _permutations()
    least = np.full(SIGNATURE_BYTES, 0xFFFFFFFF, np.uint32)
    for start in range(0, len(phrases), _BLOCK):
        block = phrases[start : start + _BLOCK]
        np.minimum(least, (factors * block + shifts).min(axis=1), out=least)
    return least.astype(np.uint8).tobytes()


def alike(
    signatures: Sequence[bytes], similarity: float, marker: Sequence[int] | None = None
) -> list[Alike]:
    """Each text that is alike to an earlier one, with the one that it is most alike to.

    `marker` parts the texts in two: then only those of 1 are compared, and only with those of 0.
    """
    from ftctl.numeric import np  # noqa: PLC0415

    if len(signatures) < 2:
        return []
    all_ = np.frombuffer(b"".join(signatures), np.uint8).reshape(-1, SIGNATURE_BYTES)
    places = np.flatnonzero(all_.any(axis=1))
    side = np.zeros(len(all_), np.uint8) if marker is None else np.array(marker, np.uint8)
    found: dict[int, Alike] = {}
    bands = np.ascontiguousarray(all_).view("<u4")
    for band in range(bands.shape[1]):
        keys = bands[places, band]
        order = places[np.lexsort((places, side[places], keys))]
        for earlier in _neighbours(bands[order, band], order, side):
            later = order
            usable = (earlier >= 0) & (earlier != later)
            if marker is not None:
                usable &= (side[later] == 1) & (side[np.maximum(earlier, 0)] == 0)
            _keep(found, all_, later[usable], earlier[usable], similarity)
    return [found[place] for place in sorted(found)]


def _neighbours(
    keys: NDArray[np.uint32], order: NDArray[np.intp], side: NDArray[np.uint8]
) -> list[NDArray[np.intp]]:
    """For each text the first of those with its key, and the one before it; -1 for none.

    All pairs would be too many where a template makes thousands alike. Of two sides, the one
    before is the last of side 0.
    """
    from ftctl.numeric import np  # noqa: PLC0415

    if not len(order):
        return []
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    group = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(keys)]))
    first = order[starts][group]
    before = np.r_[np.intp(-1), order[:-1]]
    before[starts] = -1
    if side.any():
        zeros = np.add.reduceat((side[order] == 0).astype(np.intp), starts)
        last = order[np.maximum(starts + zeros - 1, 0)]
        before = np.where(zeros > 0, last, -1)[group]
    return [first, before]


def _keep(
    found: dict[int, Alike],
    signatures: NDArray[np.uint8],
    later: NDArray[np.intp],
    earlier: NDArray[np.intp],
    similarity: float,
) -> None:
    """Remember the pairs that are alike enough, each later text with its best partner."""
    for start in range(0, len(later), 65_536):
        one, other = later[start : start + 65_536], earlier[start : start + 65_536]
        equal = (signatures[one] == signatures[other]).mean(axis=1)
        shares = ((equal - _CHANCE) / (1 - _CHANCE)).round(4)
        for index in (shares >= similarity).nonzero()[0].tolist():
            pair = Alike(int(one[index]), int(other[index]), float(shares[index]))
            known = found.get(pair.later)
            if known is None or (-pair.similarity, pair.earlier) < (
                -known.similarity,
                known.earlier,
            ):
                found[pair.later] = pair


def _phrases(words: Sequence[bytes]) -> Numbers | None:
    """A well-mixed number for each phrase."""
    from ftctl.numeric import np  # noqa: PLC0415

    text = b"".join(words)
    if len(text) > 15 * len(words) and not text.isascii():  # a script that parts no words
        signs = text.decode("utf-8", "replace")
        tiles = zip(*(islice(signs, start, None) for start in range(_CHARACTERS)), strict=False)
        hashes = [crc32("".join(tile).encode()) for tile in tiles]
        if len(hashes) < 2 * _FEWEST_PHRASES:
            return None
        return _mixed(np.array(hashes, np.uint32))
    if len(words) < _FEWEST_PHRASES + 2:
        return None
    one = _mixed(np.fromiter(map(crc32, words), np.uint32, len(words)))
    return _mixed(one[:-2] * np.uint32(0x9E3779B1) + one[1:-1] * np.uint32(0x85EBCA77) + one[2:])


def _mixed(numbers: Numbers) -> Numbers:
    """Each bit of the result depends on each of the number (MurmurHash3's last step)."""
    from ftctl.numeric import np  # noqa: PLC0415

    numbers = (numbers ^ (numbers >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    numbers = (numbers ^ (numbers >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    mixed: Numbers = numbers ^ (numbers >> np.uint32(16))
    return mixed


@cache
def _permutations() -> tuple[Numbers, Numbers]:
    """Odd factors and shifts, as columns; always the same, since signatures are kept."""
    from ftctl.numeric import np  # noqa: PLC0415

    seeds = np.arange(1, 2 * SIGNATURE_BYTES + 1, dtype=np.uint32) * np.uint32(0x9E3779B1)
    numbers = _mixed(seeds).reshape(2, SIGNATURE_BYTES, 1)
    return numbers[0] | np.uint32(1), numbers[1]
