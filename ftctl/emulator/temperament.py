"""A slug in, as in `lagging-list=30`; a temperament out, or what was meant instead."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

MOST_SECONDS = 30 * 86_400.0
MOST_NUMBER = 1_000.0
_LONGEST = 80  # characters of a slug that is quoted back


@dataclass(frozen=True, slots=True)
class Kind:
    """What a temperament does, in one line; its value where none is given, and in which unit."""

    does: str
    usual: float | None = None  # None: it takes no value
    unit: str = "seconds"

    @property
    def most(self) -> float:
        """The largest value that makes sense."""
        return MOST_SECONDS if self.unit == "seconds" else MOST_NUMBER


# In the order in which an answer passes through them, the last of the service's own doors first:
# what hides comes before what adds, and what refuses a filter before what answers it.
TEMPERAMENTS: Mapping[str, Kind] = {
    "slow-bytes": Kind("each byte of an answer comes so many seconds after the one before", 1.0),
    "list-without-end": Kind("lists of jobs and files always have a further page"),
    "odd-jobs": Kind("lists of jobs begin with records without status or id, or with other times"),
    "statuses-respelled": Kind("jobs are `completed`, `canceled`, `error`, `pending`, `RUNNING`"),
    "unknown-status": Kind("jobs are `in_review` for ever: no end, no model"),
    "no-model-name": Kind("a job that succeeded names no `fine_tuned_model`"),
    "filter-refused": Kind("a list of jobs with a filter by metadata is answered with 400"),
    "filter-ignored": Kind("a filter by metadata is passed over: every job is listed"),
    "filter-finds-nothing": Kind("a filter by metadata finds no job"),
    "metadata-refused": Kind("a create with metadata is answered with 400"),
    "metadata-dropped": Kind("no job shows its metadata, and no filter finds it"),
    "names-shortened": Kind("names of files are cut", 40, "characters"),
    "models-hidden": Kind("fine-tuned models are neither in the list nor found by name"),
    "model-late": Kind("a model is seen only so long after it was made", 60.0),
    "delete-refused": Kind("files and models cannot be deleted: 403"),
    "cancel-refused": Kind("jobs cannot be cancelled: 403"),
    "lagging-list": Kind("new jobs and files are listed after so long; by id at once", 3.0),
    "file-pending": Kind("a new file is `processing` so long; until then a create is refused", 5.0),
    "hyperparameters-changed": Kind(
        "numbers that were asked for become this many epochs, and a batch size of 1", 8, "epochs"
    ),
    "strangers-job": Kind("somebody else starts a job on each file that is uploaded"),
}


class BadTemperament(ValueError):
    """What was given is no temperament; `hint` is what to give instead."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message}; {hint}")
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Temperament:
    """One way of a service; `value` in the unit of its kind, 0 where it takes none."""

    slug: str
    value: float = 0.0

    def __str__(self) -> str:
        return self.slug if TEMPERAMENTS[self.slug].usual is None else f"{self.slug}={self.value:g}"


def read_temperament(text: str) -> Temperament:
    """`lagging-list`, `lagging-list=30`: BadTemperament says what is wrong with anything else."""
    slug, given, number = text.strip().partition("=")
    kind = TEMPERAMENTS.get(slug)
    if kind is None:
        raise BadTemperament(f"there is no temperament '{slug[:_LONGEST]}'", _meant(slug))
    if not given:
        return Temperament(slug, kind.usual or 0.0)
    if kind.usual is None:
        raise BadTemperament(f"'{slug}' takes no value", f"write '{slug}' alone")
    value = _number(number)
    whole = kind.unit == "seconds" or value == int(value)
    if not 0 < value <= kind.most or not whole:
        what = "seconds" if kind.unit == "seconds" else f"a whole number of {kind.unit}"
        message = f"'{number[:_LONGEST]}' is no value for '{slug}'"
        hint = f"write {what} above 0, up to {kind.most:,.0f}, as in '{slug}={kind.usual:g}'"
        raise BadTemperament(message, hint)
    return Temperament(slug, value)


def _number(text: str) -> float:
    """0, which no temperament takes, for what is no number."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) else 0.0


def _meant(slug: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(slug[:_LONGEST], list(TEMPERAMENTS), 1)
    return f"did you mean '{near[0]}'?" if near else f"there are {', '.join(TEMPERAMENTS)}"
