"""A source and its steps in; whether earlier versions of ftctl have made other rows of it out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from io import BufferedReader
from pathlib import Path
from typing import Any

from ftctl.data.convert.conversions import find_conversion
from ftctl.data.convert.earlier import Change, could_be_asked, earlier_change, keys_ignored
from ftctl.data.convert.fault import ConversionFault, RowFault
from ftctl.data.convert.make import Piece, make
from ftctl.data.convert.manner import Manner
from ftctl.data.convert.recipe import Convert, Part, Recipe
from ftctl.data.convert.records import Records
from ftctl.data.convert.source_rows import Made, Rows, finished_line
from ftctl.data.convert.unread import LABELS, MEANT
from ftctl.data.formats.shape import quoted_key
from ftctl.errors import Finding

Row = dict[str, Any]

_MANIFEST = Manner()
_MOST_KEYS = 20  # that a cure may name
_LONGEST_CURE = 200  # characters: keys are whatever somebody's data has


class Watch:
    """Compares each row that is made with what earlier versions made of it, up to a difference."""

    def __init__(self, recipe: Recipe) -> None:
        self.why = ""  # how the first row differs that does
        self.keys: tuple[str, ...] = ()  # of that row: those that matter, and did not
        self._convert = recipe.convert
        self._change: Change | None = None
        # A template says itself what becomes of a row, and always has.
        self._over = not was_possible(recipe) or bool(recipe.convert and recipe.convert.template)

    def look_at(self, records: Records, number: int, given: Row, made: Row) -> None:
        """One row as it was read, and as it is made."""
        if self._over or self._convert is None:
            return
        try:
            self._change = self._change or earlier_change(self._convert, records, given)
            before = self._change(number, given)
        except ConversionFault:  # they made nothing of such a source
            self.why, self._over = "", True
            return
        if before != made:
            self._over = True
            self.why = f"in row {number:,}, {_how(before, made)}"
            self.keys = _that_matter(self._convert, records, number, given, made)


class EarlierRows(Rows):
    """The rows as earlier versions have made them. `keys` are those that they ignored."""

    keys: dict[str, None]

    def _converted(self, stream: BufferedReader, convert: Convert) -> Iterator[Made]:
        records = self._records(stream, convert)
        self.keys = {}
        change: Change | None = None
        rows = 0
        for record in records.rows:
            if record.value == {} and records.columns is not None:
                continue
            rows += 1
            if isinstance(record.value, Finding):
                self._tell(record)
                continue
            try:
                change = change or earlier_change(convert, records, record.value)
                row = change(record.number, record.value)
                yield Made(record.number, row, finished_line(row))
            except RowFault as fault:
                self.findings.add(fault.finding, record.number)
            if len(self.keys) < _MOST_KEYS:
                self.keys |= dict.fromkeys(keys_ignored(convert, record.value))
        self._expect(rows)


def was_possible(recipe: Recipe) -> bool:
    """Whether earlier versions could be asked for the same."""
    convert = recipe.convert
    return convert is not None and recipe.encoding is None and could_be_asked(convert)


@dataclass(frozen=True, slots=True)
class MadeBefore:
    """What earlier versions have made: of each part its hash and rows."""

    parts: Mapping[Part | None, str]
    taken: Mapping[Part | None, int]
    rows: int  # of the source
    drop: tuple[str, ...]  # the keys without which the same comes of it today

    @property
    def keeps(self) -> str:
        """What a manifest must say for that; "" where there is nothing to say."""
        words = _MANIFEST.dropping(self.drop) if self.drop else ""
        return words if len(words) <= _LONGEST_CURE else ""


def rows_before(
    path: Path,
    shown: str,
    recipe: Recipe,
    folder: Path,
    *,
    keys: tuple[str, ...] | None = None,
    keep: Callable[[Piece], None] = lambda _piece: None,
) -> MadeBefore | None:
    """What earlier versions made; None where they refused the source.

    `keys` are those to be dropped as a cure; None: those that mean something by their names, or
    all that were ignored. `keep` is called with each part.
    """
    assert recipe.convert is not None
    reading = EarlierRows(path, shown, recipe.convert)
    try:
        with make(path, shown, recipe, folder, reading=reading) as pieces:
            if not pieces.parts:
                return None
            made = {part: piece.draft.sha256 for part, piece in pieces.parts.items()}
            taken = {part: piece.draft.rows for part, piece in pieces.parts.items()}
            for piece in pieces.parts.values():
                keep(piece)
    except ConversionFault:
        return None
    ignored = tuple(reading.keys)
    meant = tuple(key for key in ignored if key in MEANT or key in LABELS)
    tried = dict.fromkeys((meant, ignored) if keys is None else (keys,))
    drop = next(
        (
            some
            for some in tried
            if some and _gives(path, shown, recipe, folder, drop=some, wanted=made)
        ),
        (),
    )
    return MadeBefore(made, taken, pieces.rows, drop)


def _gives(
    path: Path,
    shown: str,
    recipe: Recipe,
    folder: Path,
    *,
    drop: tuple[str, ...],
    wanted: Mapping[Part | None, str],
) -> bool:
    """Whether the same comes of it today once these keys are dropped."""
    assert recipe.convert is not None
    dropping = replace(recipe, convert=replace(recipe.convert, drop=drop))
    try:
        with make(path, shown, dropping, folder) as pieces:
            return wanted == {part: piece.draft.sha256 for part, piece in pieces.parts.items()}
    except ConversionFault:
        return False


def _that_matter(
    convert: Convert, records: Records, number: int, given: Row, made: Row
) -> tuple[str, ...]:
    """The keys that were ignored, and without which another row comes of it today, or none."""
    found = []
    for key in keys_ignored(convert, given)[:_MOST_KEYS]:
        without = replace(convert, drop=(key,))
        try:
            kept = find_conversion(without, records, given, _MANIFEST)
            matters = kept.change(number, given) != made
        except ConversionFault:
            matters = True
        if matters:
            found.append(key)
    return tuple(found)


def _how(before: Row, made: Row) -> str:
    """How two rows differ, in a few words without any text of theirs."""
    if "preferred_output" in made and "preferred_output" not in before:
        return "one of two answers was left out"
    if more := [key for key in made if key not in before]:
        return f"{_named(more)} {'was' if len(more) == 1 else 'were'} left out"
    for key, value in made.items():
        if before[key] == value:
            continue
        if not isinstance(value, list) or not isinstance(before[key], list):
            return f"{quoted_key(key)} was another"
        if len(value) > len(before[key]) and value[:1] != before[key][:1]:
            return f"a message at the beginning of {quoted_key(key)} was left out"
        for index, (was, now) in enumerate(zip(before[key], value, strict=False)):
            if was != now and isinstance(was, dict) and isinstance(now, dict):
                inner = [one for one in now if one not in was or was[one] != now[one]]
                return (
                    f"{key}[{index}] had another {_named(inner)}"
                    if inner
                    else f"{quoted_key(key)} differs"
                )
        return f"{quoted_key(key)} has {len(value):,} messages, and had {len(before[key]):,}"
    return f"{_named([key for key in before if key not in made])} is left out"


def _named(keys: list[str]) -> str:
    return " and ".join(quoted_key(key) for key in keys[:3])
