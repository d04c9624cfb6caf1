"""Rows, a method and what is known of a base model in; what of them does not fit the others, out.

An error is what the service is known to refuse, by `refuses` of catalog.json; the rest are doubts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from ftctl.catalog.base_model import BaseModelFacts
from ftctl.catalog.catalog import Catalog
from ftctl.domain.desired import Dataset, Format, Method
from ftctl.errors import Severity
from ftctl.text.format import joined, listed
from ftctl.text.suggest import nearest

_LIKE = "openai"  # whose facts count where a service has none of its own, and passes on or imitates
_LIKE_OTHERS = ("emulator", "compatible")
_MOST_NAMED = 5
_WORDS: dict[Format, str] = {
    "chat": "chat",
    "completion": "prompt/completion",
    "preference": "preference",
    "reinforcement": "reinforcement",
}


def has_own_facts(service: str) -> bool:
    """Whether what is known of a service's base models is its own, and not another's."""
    return service not in _LIKE_OTHERS


@dataclass(frozen=True, slots=True)
class Misfit:
    """One thing that does not fit, without a place.

    `to` is the format that rows must be converted to, where that mends it.
    """

    code: str
    message: str
    hint: str | None = None
    severity: Severity = "warning"
    to: Format | None = None


@dataclass(frozen=True)
class Training:
    """A base model that is trained by a method at a service, on a day."""

    catalog: Catalog
    service: str  # its type
    model: str
    method: Method
    today: date

    @cached_property
    def snapshot(self) -> str:
        """The base model's own name."""
        return self.catalog.snapshot(self.model)

    @cached_property
    def facts(self) -> BaseModelFacts:
        """What is known of it there, or where the service's facts are another's, of it there."""
        own = self.catalog.facts(self.service, self.model)
        if has_own_facts(self.service):
            return own
        like = self.catalog.facts(_LIKE, self.model)
        return replace(
            like,
            methods=like.methods if own.methods is None else own.methods,
            formats=like.formats if own.formats is None else own.formats,
            images=like.images if own.images is None else own.images,
            tools=like.tools if own.tools is None else own.tools,
            shutdown=own.shutdown or like.shutdown,
        )

    @cached_property
    def known(self) -> bool:
        """Whether it stands among the base models that are known."""
        return any(self.catalog.knows(one, self.model) for one in (self.service, self.whose))

    @property
    def whose(self) -> str:
        """The service whose facts count."""
        return self.service if has_own_facts(self.service) else _LIKE

    @property
    def where(self) -> str:
        """The same for people."""
        return "the embedded API" if self.service == "emulator" else self.whose

    def severity_of(self, kind: str) -> Severity:
        """Whether what goes against a kind of fact is known to be refused there."""
        return "error" if kind in self.catalog.service(self.service).refuses else "warning"

    def others(self, format_: Format | None = None, *, images: bool = False) -> tuple[str, ...]:
        """The base models that are left there for the method, of those that take such rows.

        Those that stay longest come first.
        """
        left = [
            facts
            for facts in self.catalog.service(self.whose).models.values()
            if (facts.methods is None or self.method in facts.methods)
            and (facts.shutdown is None or facts.shutdown >= self.today)
            and (format_ is None or facts.formats is None or format_ in facts.formats)
            and (not images or facts.images)
        ]
        left.sort(key=lambda facts: facts.name)
        left.sort(key=lambda facts: facts.shutdown or date.max, reverse=True)
        return tuple(facts.name for facts in left)


def likely_service(catalog: Catalog, model: str) -> str | None:
    """The service that a base model is most likely meant for, by its name; None for another's."""
    others = (one for one in catalog.services if catalog.knows(one, model))
    if catalog.knows(_LIKE, model):
        return _LIKE
    return next(others, None if "/" in catalog.snapshot(model) else _LIKE)


def method_of(rows: Dataset) -> Method:
    """The method that rows of a format are for."""
    methods: dict[Format, Method] = {"preference": "dpo", "reinforcement": "reinforcement"}
    return methods.get(rows.format, "supervised")


def model_misfits(training: Training) -> Iterator[Misfit]:
    """What is odd about a base model at a service, whatever the rows are."""
    if not training.known:
        yield from _unknown(training)
        return
    facts, name, where = training.facts, training.snapshot, training.where
    methods = facts.methods
    if methods is not None and not methods:
        message = f"{training.whose} is not known to train {name}"
        yield Misfit("not-trained", message, _left(training))
    elif methods is not None and training.method not in methods:
        yield Misfit(
            "not-trained",
            f"{where} trains {name} by method {joined(sorted(methods))}, not {training.method}",
            f"write 'method: {min(methods)}', or train another base model",
            training.severity_of("methods"),
        )
    if facts.shutdown is not None and facts.shutdown < training.today:
        still = "; the embedded API trains it still" if training.service == "emulator" else ""
        message = f"{training.whose} shut {name} down on {facts.shutdown}{still}"
        yield Misfit("retired-base-model", message, _left(training))


def row_misfits(training: Training, rows: Dataset) -> Iterator[Misfit]:
    """What of a file's rows a base model is not trained on, as far as that is known."""
    facts, name, where = training.facts, training.snapshot, training.where
    if facts.methods == frozenset():  # it is not trained at all, which is told
        return
    if training.method == "supervised" and facts.formats and rows.format not in facts.formats:
        takes = " or ".join(_WORDS[one] for one in sorted(facts.formats))
        to = min(facts.formats)
        yield Misfit(
            "wrong-format",
            f"these are {_WORDS[rows.format]} rows; {where} trains {name} on {takes} rows",
            # What is not one question and one answer cannot be written as prompt and completion.
            _trains(training.others("chat"), "chat rows") if rows.format == "chat" else None,
            training.severity_of("formats"),
            to,
        )
        return
    if rows.image_rows and not facts.images and _judged(training):
        said = f"{training.whose} is not known to train {name} on images"
        hint = _trains(training.others(images=True), "images") or "take the images out"
        yield Misfit("images-not-trained", f"the rows have images; {said}", hint)
    if rows.has_tools and not facts.tools and _judged(training):
        said = f"{training.whose} is not known to train {name} on tools"
        yield Misfit("tools-not-trained", f"the rows have tools; {said}", "try it with few rows")


def pair_misfits(training: Dataset, validation: Dataset) -> Iterator[Misfit]:
    """How the rows that are measured on are of another kind than those that are trained on."""
    code = "unlike-validation"
    if training.format != validation.format:
        yield Misfit(
            code,
            f"these are {_WORDS[validation.format]} rows; those of training are"
            f" {_WORDS[training.format]} rows",
            to=training.format if training.format in ("chat", "completion") else None,
        )
        return
    for what, here, there in (
        ("images", validation.image_rows > 0, training.image_rows > 0),
        ("tools", validation.has_tools, training.has_tools),
    ):
        if here != there:
            mine, other = ("have", "have none") if here else ("have no", "have some")
            message = f"the validation rows {mine} {what}; those of training {other}"
            yield Misfit(code, message, "measure on rows like those that are learnt")


def _judged(training: Training) -> bool:
    """Whether anything is known of what the service trains this base model on."""
    return training.known or training.service not in (*_LIKE_OTHERS, _LIKE)


def _unknown(training: Training) -> Iterator[Misfit]:
    catalog, name = training.catalog, training.model
    elsewhere = sorted(
        service for service in catalog.services if catalog.knows(service, training.model)
    )
    if training.service == "compatible":
        return
    if not (catalog.service(training.whose).trains_no_others or elsewhere):
        return
    known = "trains no base model" if training.service == "emulator" else "is not known to train"
    message = f"{training.where} {known} '{name}'"
    if elsewhere:
        verb = "trains" if len(elsewhere) == 1 else "train"
        hint = f"{joined(elsewhere)} {verb} it: choose the service with 'provider' in ftctl.yaml"
        yield Misfit("unknown-base-model", message, hint)
        return
    yield Misfit("unknown-base-model", message, _meant(training) or _left(training))


def _meant(training: Training) -> str | None:
    """The nearest name, and how long that is good for."""
    catalog, whose = training.catalog, training.whose
    models = catalog.service(whose).models
    trained = [name for name, facts in models.items() if facts.methods != frozenset()]
    names = [*trained, *(alias for alias, name in catalog.aliases.items() if name in trained)]
    near = nearest(catalog.snapshot(training.model).lower(), names)
    if near is None:
        return None
    name = catalog.snapshot(near)
    day = catalog.shutdown(whose, name)
    until = ""
    if day is not None:
        verb = "shuts it down" if day >= training.today else "shut it down"
        until = f" {whose} {verb} on {day}{_last_orders(training, ' and')}"
    return f"did you mean '{name}'?{until}"


def _left(training: Training) -> str | None:
    """What can still be trained there, and for how long."""
    names = training.others()
    if not names:
        return f"{training.whose} has no base model left for method {training.method}"
    return f"train {listed(names, _MOST_NAMED)}{_last_orders(training, ';')}"


def _last_orders(training: Training, sign: str) -> str:
    day = training.catalog.no_new_jobs_after(training.whose)
    if day is None:
        return ""
    if sign == ";":
        sign = f"; {training.whose}"
    verb = "takes" if day >= training.today else "has taken"
    return f"{sign} {verb} no new jobs after {day}"


def _trains(names: tuple[str, ...], what: str) -> str | None:
    if not names:
        return None
    verb = "is" if len(names) == 1 else "are"
    return f"{listed(names, _MOST_NAMED)} {verb} trained on {what}"
