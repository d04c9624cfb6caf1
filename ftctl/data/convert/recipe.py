"""A Dataset's steps go in as its manifest has them; frozen values with one spelling come out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal, get_args

from ftctl.data.encodings.names import UTF_8, UnknownEncoding, text_encoding

Container = Literal["csv", "tsv", "xlsx", "parquet", "json", "jsonl"]
Shape = Literal["chat", "completion", "preference", "sharegpt", "alpaca", "pairs", "table"]
Form = Literal["chat", "completion", "preference", "sharegpt", "alpaca", "pairs"]
Part = Literal["train", "validation", "test"]
Amount = int | float  # rows from 1, or a share of them above 0 and below 1

CONTAINERS: tuple[Container, ...] = get_args(Container)
SHAPES: tuple[Shape, ...] = get_args(Shape)
FORMS: tuple[Form, ...] = get_args(Form)
PARTS: tuple[Part, ...] = get_args(Part)

# Raise it with every change that makes the same source and steps give other bytes: what earlier
# versions kept is then made anew.
VERSION = 2


@dataclass(frozen=True, slots=True)
class Convert:
    """Rows of another shape to rows of the service's."""

    origin: str = "auto"  # a container, a shape, or auto: what is not named is detected
    to: Form | None = None  # None: what the shape is nearest to
    template: tuple[tuple[str, str], ...] = ()  # (role, text with {column}), in the file's order
    delimiter: str | None = None  # between the cells of a CSV file; None: detected
    sheet: str | None = None  # of an XLSX file; None: the first
    drop: tuple[str, ...] = ()  # keys of rows, or of their messages, that are left out
    as_they_are: bool = False  # the rows are changed in nothing, but stand on a line each


@dataclass(frozen=True, slots=True)
class Sample:
    """Fewer rows, in their order."""

    rows: Amount
    seed: int = 0
    by_answer: bool = False  # each answer keeps its share


@dataclass(frozen=True, slots=True)
class Split:
    """Rows dealt out to parts, of which one may be meant."""

    validation: Amount
    test: Amount | None = None
    seed: int = 0
    by_answer: bool = False
    part: Part | None = None  # None: all of them, as files

    @property
    def parts(self) -> tuple[Part, ...]:
        return PARTS if self.test is not None else PARTS[:2]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a file is read, and what is done to it, in this order: convert, sample, split."""

    convert: Convert | None = None
    sample: Sample | None = None
    split: Split | None = None
    encoding: str | None = None  # of the source's text; None: UTF-8, or what shows itself

    @property
    def empty(self) -> bool:
        return self == Recipe()

    @property
    def steps(self) -> tuple[Mapping[str, Any], ...]:
        """Each step with what its manifest sets, in the order in which they are done."""
        done = (("convert", self.convert), ("sample", self.sample), ("split", self.split))
        steps = tuple({"step": name, **_told(step)} for name, step in done if step is not None)
        read = ({"step": "read", "encoding": self.encoding},) if self.encoding is not None else ()
        return (*read, *steps)

    def canonical(self) -> str:
        """Equal for recipes that do the same to a file, whichever part of it is meant."""
        known: dict[str, object] = {
            "convert": _convert(self.convert),
            "sample": None,
            "split": None,
        }
        if self.sample is not None:
            known["sample"] = [self.sample.rows, self.sample.seed, self.sample.by_answer]
        if self.split is not None:
            split = self.split
            known["split"] = [split.validation, split.test, split.seed, split.by_answer]
        if self.encoding is not None:
            known["encoding"] = self.encoding
        return json.dumps(known, ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def _told(step: Convert | Sample | Split) -> dict[str, Any]:
    """What a step has beside its defaults, under the manifest's names."""
    told: dict[str, Any] = {}
    for one in fields(step):
        value = getattr(step, one.name)
        if one.default is MISSING or value != one.default:
            told[_NAMES.get(one.name, one.name)] = value
    if "by" in told:
        told["by"] = "answer"
    if "template" in told:
        told["template"] = dict(told["template"])
    return told


# Of fields that are called otherwise than in a manifest.
_NAMES: Mapping[str, str] = {"origin": "from", "by_answer": "by"}


def recipe_of(manifest: Mapping[str, Any]) -> Recipe:
    """The steps of a Dataset whose manifest fits its schema."""
    convert, sample, split = (manifest.get(key) for key in ("convert", "sample", "split"))
    return Recipe(
        None if convert is None else _read_convert(convert, manifest.get("format")),
        None
        if sample is None
        else Sample(_amount(sample["rows"]), int(sample.get("seed", 0)), "by" in sample),
        None
        if split is None
        else Split(
            _amount(split["validation"]),
            _amount(split["test"]) if "test" in split else None,
            int(split.get("seed", 0)),
            "by" in split,
            split["part"],
        ),
        _encoding(manifest.get("encoding")),
    )


def _encoding(name: str | None) -> str | None:
    """Python's name of it; None where a file without one is read in the same way.

    And None for a name of no encoding, which is told of where the manifests are read.
    """
    if name is None:
        return None
    try:
        known = text_encoding(name)
    except UnknownEncoding:
        return None
    return None if known in UTF_8 else known


def _read_convert(value: Mapping[str, Any], form: Any) -> Convert:
    return Convert(
        value.get("from", "auto"),
        form,
        tuple(value.get("template", {}).items()),
        value.get("delimiter"),
        value.get("sheet"),
        tuple(value.get("drop", ())),
    )


def _amount(value: Amount) -> Amount:
    return int(value) if value >= 1 else float(value)


def _convert(step: Convert | None) -> object:
    if step is None:
        return None
    template = sorted(list(pair) for pair in step.template)
    known: list[object] = [step.origin, step.to, template, step.delimiter, step.sheet]
    return [*known, {"drop": sorted(set(step.drop))}] if step.drop else known
