"""A training that is bought now or later in; all that it asks for, in words, out.

What somebody approves stands here whole: each leaf of the spec, by name and value, and what `extra`
makes of the request. A long text is told by its size and hash, with its lines beside that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ftctl.catalog.request import Asked, asked_of, job_request, row_of
from ftctl.domain.desired import Dataset, ServiceInfo, Spec
from ftctl.domain.plan import FileRef, Later, ParentModel, StartJob
from ftctl.errors import redact
from ftctl.text.format import plural
from ftctl.text.literal import Way, is_long, leaves, literal, text_identity, text_lines, way_words

_KEEP = 2  # models, where a manifest says nothing
_IN_HEAD = frozenset({"base_model", "method", "hyperparameters", "seed", "suffix"})
_DATA = ("training", "validation")
_WIDTH = 100  # characters of a row: what is further to the right is easily missed


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a training asks for: its name, its values, and the lines of a long text."""

    label: str
    items: tuple[str, ...]
    lines: tuple[str, ...] = ()


def training_words(training: StartJob | Later, service: ServiceInfo) -> str:
    """What it starts from and how it is trained, in one line: what is sent, with `extra` in it."""
    spec = training.spec
    asked = asked_of(spec, row_of(service.type))
    parts = [_base_words(training), literal(asked.method)]
    parts += [_item((key,), value) for key, value in asked.hyperparameters.items()]
    parts += [_item((key,), spec[key]) for key in ("seed", "suffix") if key in spec]
    return ", ".join(parts)


def training_facts(training: StartJob | Later, service: ServiceInfo) -> tuple[Fact, ...]:
    """All else that it asks for, in the order in which it is read."""
    return tuple(_facts(training, service))


def data_words(data: FileRef | Dataset) -> str:
    """`data/train.jsonl, 480 rows, sha256:…`, and `qa-train (data/qa.csv, 29 of 40 rows), …`."""
    name = data.dataset if isinstance(data, FileRef) else data.name
    if data.origin is not None:
        origin = replace(data.origin, path=literal(data.origin.path))
        return f"{origin.face(name)}, sha256:{data.sha256}"
    rows = data.rows if isinstance(data, FileRef) else data.examples
    parts = [literal(data.path or name)]
    parts += [plural(rows, "row")] if rows is not None else []
    return ", ".join([*parts, f"sha256:{data.sha256}"])


def rows_of(fact: Fact, most: int | None = None) -> tuple[list[str], int]:
    """The lines of a long text in rows, numbered and wrapped; and how many characters are left out.

    No row begins as a command to a runner does, and none ends where nobody looks.
    """
    rows: list[str] = []
    left_out = 0
    for number, line in enumerate(fact.lines, 1):
        starts = range(0, len(line), _WIDTH) or (0,)
        for start in starts:
            part = line[start : start + _WIDTH]
            if most is not None and len(rows) >= most:
                left_out += len(part)
                continue
            rows.append(f"{'' if start else number:>4} | {part}".rstrip())
    return rows, left_out


def _facts(training: StartJob | Later, service: ServiceInfo) -> Iterator[Fact]:
    spec = training.spec
    yield Fact("training", (data_words(training.training),))
    if training.validation is not None:
        yield Fact("validation", (data_words(training.validation),))
    if isinstance(spec.get("base_model"), Mapping):
        yield Fact("continues", (_parent_identity(training),))
    row = row_of(service.type)
    asked = asked_of(spec, row)
    if unread := tuple(_unread(spec, asked, row.rate_field)):
        yield Fact("not read", unread)
    replaced = job_request({key: spec[key] for key in spec if key != "extra"}, row)
    for key, value in spec.items():
        if key not in _IN_HEAD and key not in _DATA:
            yield from _field(key, value, replaced if key == "extra" else {})
    if training.keep != _KEEP:
        yield Fact("keep", (str(training.keep),))


def _base_words(training: StartJob | Later) -> str:
    if isinstance(training, Later):
        base, checkpoint = training.parent.finetune, training.parent.checkpoint
    elif isinstance(training.base_model, ParentModel):
        base, checkpoint = training.base_model.model, training.base_model.checkpoint
    else:
        return literal(training.base_model)
    return literal(base) if checkpoint == "last" else f"{literal(base)} at {checkpoint}"


def _parent_identity(training: StartJob | Later) -> str:
    """Whose model it continues from, and by which digest that was trained."""
    named = [str(training.spec["base_model"].get("digest"))]
    if isinstance(training, StartJob) and isinstance(training.base_model, ParentModel):
        base = training.base_model
        named = [literal(base.finetune), literal(base.job), *named] if base.finetune else named
    return ", ".join(named)


def _unread(spec: Spec, asked: Asked, rate_field: str) -> Iterator[str]:
    """The spec's hyperparameters that the request has not where the service looks for them."""
    for name, value in spec.get("hyperparameters", {}).items():
        field = rate_field if name == "learning_rate_multiplier" else name
        if field not in asked.hyperparameters:
            yield _item((name,), value)


def _field(key: str, value: Any, replaced: Mapping[str, Any]) -> Iterator[Fact]:
    """A field of the spec. `replaced` is what is sent without it, if anything."""
    found = list(leaves(value))
    short = [(way, leaf) for way, leaf in found if not is_long(leaf)]
    if short or not found:
        items = (
            _item(way, leaf) + _instead(way, replaced) if way else literal(leaf)
            for way, leaf in short
        )
        yield Fact(literal(key), tuple(items))
    for way, leaf in found:
        if is_long(leaf):
            text = redact(leaf)
            identity = text_identity(leaf) + _instead(way, replaced)
            yield Fact(way_words((key, *way)), (identity,), tuple(text_lines(text)))


def _item(way: Way, value: Any) -> str:
    value = redact(value) if isinstance(value, str) else value
    return f"{way_words(way)} {literal(value)}"


def _instead(way: Way, replaced: Mapping[str, Any]) -> str:
    """What a value takes the place of in the request: ` instead of 3`."""
    there: Any = replaced
    for depth, step in enumerate(way):
        if not isinstance(there, Mapping) or step not in there:
            return ""
        there = there[step]
        if not isinstance(there, Mapping):
            whole = depth == len(way) - 1
            return (
                f" instead of {literal(there)}" if whole else f" instead of all of {literal(there)}"
            )
    fields = sum(1 for _leaf in leaves(there))
    return f" instead of {plural(fields, 'field')}" if isinstance(there, Mapping) else ""
