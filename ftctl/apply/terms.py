"""What was asked of a service and a job that it tells of in; what the job trains otherwise out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ftctl.catalog import Catalog
from ftctl.catalog.answer import another_model, differences, same_model
from ftctl.catalog.services import Service
from ftctl.domain.observed import Job
from ftctl.domain.plan import StartJob
from ftctl.pricing.answers import costs_more


class Departure(NamedTuple):
    """How a job departs from what was asked for, and whether it is cancelled for that."""

    words: str
    cancels: bool
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a job is held to. `exact`: any difference is one too many."""

    service: Service
    catalog: Catalog
    exact: bool = False

    def departure(self, step: StartJob, base_model: str, job: Job) -> Departure | None:
        """What a job trains otherwise than a step asked for; None where it tells of nothing.

        `base_model` is what was sent. What the service does not repeat is no difference.
        """
        another = another_model(base_model, job.base_model, self.catalog)
        sent = base_model if another else None
        found = differences(step.spec, job, self.service, self.catalog, sent)
        if not found:
            return None
        words = "; ".join(one.words for one in found)
        if another:
            cure = "check 'base_model' against what the service trains"
        elif costs_more(step.spec, job, self.service, self.catalog):
            cure = "ask for what it trains in the manifest, or talk to the service"
        elif self.exact:
            cure = "leave 'exact_hyperparameters' out of 'policy' to keep such jobs"
        else:
            return Departure(words, cancels=False)
        return Departure(words, cancels=True, cure=cure)

    def is_alike(self, own: Job, other: Job) -> bool:
        """Whether a job can have been made by the same create as one of ours, as far as both tell.

        Metadata carries the digest of what was asked for. Where the name of a file does, whoever
        trains on that file bears it.
        """
        return not other.by_file or (self._same_ends(own, other) and _same_numbers(own, other))

    def is_the_same(self, one: Job, other: Job) -> bool:
        """Whether two jobs on one file can be told apart by nothing that both tell."""
        return self._same_ends(one, other) and all(
            one.hyperparameters[name] == other.hyperparameters[name]
            for name in one.hyperparameters.keys() & other.hyperparameters.keys()
        )

    def is_ours(self, job: Job, jobs: Iterable[Job], recorded: Collection[str]) -> bool:
        """Whether a job of the project's tag can be taken for ours, to stop or to clear away.

        Creates for a file with a mark are all alike. Where the jobs on it are not, ours are those
        on record, unless these are not alike either: a record is easily edited.
        """
        if not job.by_file:
            return True
        others = [other for other in jobs if other.training_file == job.training_file]
        named = [other for other in others if other.id in recorded]
        candidates = named if job in named else others
        return all(self.is_the_same(job, other) for other in candidates)

    def _same_ends(self, one: Job, other: Job) -> bool:
        models = (one.base_model, other.base_model)
        if all(models) and not same_model(
            one.base_model or "", other.base_model or "", self.catalog
        ):
            return False
        return (one.validation_file is None) == (other.validation_file is None)


def _same_numbers(own: Job, other: Job) -> bool:
    """Whether no hyperparameter tells two jobs apart. One that goes on knows more than one before.

    What is `auto` in the one and a number in the other was asked for otherwise, unless the second
    has been looked at by the service meanwhile.
    """
    shared = own.hyperparameters.keys() & other.hyperparameters.keys()
    pairs = [(own.hyperparameters[name], other.hyperparameters[name]) for name in shared]
    if own.status != other.status:
        pairs = [pair for pair in pairs if not any(isinstance(value, str) for value in pair)]
    return all(mine == theirs for mine, theirs in pairs)
