"""What a policy is asked: a plan, what it is made from, and what is known of prices and days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from ftctl.catalog import base_of
from ftctl.domain.config import DEFAULT_DAYS, PolicySettings
from ftctl.domain.desired import Desired, FineTune, ServiceInfo, nothing
from ftctl.domain.digest import read_file_name
from ftctl.domain.observed import Job, Observed
from ftctl.domain.plan import Action, Change, DeleteModel, Plan, StartJob


@dataclass(frozen=True, slots=True)
class Bought:
    """A fine-tune that the plan trains, now or once its parent has a model."""

    change: Change
    finetune: FineTune
    base_model: str  # of a chain: that of its root


@dataclass(frozen=True, slots=True)
class InService:
    """A fine-tune whose model goes on to be used after the plan."""

    name: str
    model: str
    base_model: str
    adopted: bool  # trained elsewhere: its end is told, and stops nobody


@dataclass(frozen=True, slots=True)
class Price:
    """What a training run is billed. `high` is in US dollars; None where nobody can tell."""

    name: str
    base_model: str
    high: Decimal | None
    usd_per_hour: Decimal | None


@dataclass(frozen=True)
class PolicyInput:
    """A plan whose changes have their `cost`, and all that the policy's word on it depends on."""

    plan: Plan
    desired: Desired
    observed: Observed
    settings: PolicySettings
    service: ServiceInfo
    today: date
    shutdowns: Mapping[str, date] = field(default_factory=nothing)  # base or tuned model -> day
    moving: frozenset[str] = frozenset()  # base models that are aliases and no snapshots
    month: date | None = None  # a day of it, by the service's clock; None: that of today
    spent: Decimal = Decimal(0)  # US dollars of our own jobs in that calendar month
    spent_unknown: int = 0  # our jobs of that month whose cost is not known
    remembered: frozenset[str] = frozenset()  # digests of what succeeded here, by the record
    leaks: Mapping[str, tuple[int, int]] = field(default_factory=nothing)
    # fine-tune -> validation rows that stand in its training file, validation rows
    duplicates: Mapping[str, tuple[int, int]] = field(default_factory=nothing)
    # path of a data file -> rows that repeat another, rows
    allow: frozenset[str] = frozenset()  # rules that are let pass
    destroy: bool = False  # whether `ftctl destroy` asks
    waits: bool = False  # whether this apply waits, and so starts what is deferred too

    def setting(self, rule: str) -> Any:
        """What the policy says for a rule; None where it says nothing."""
        own = getattr(self.settings, rule)
        if own is None and self.service.billed:  # a model that trains at home outlives its service
            return DEFAULT_DAYS.get(rule)
        return own

    @cached_property
    def bought(self) -> tuple[Bought, ...]:
        """Every fine-tune that is trained, now or later, in the plan's order."""
        return tuple(self._bought(change) for change in self.plan.changes if _trains(change))

    def _bought(self, change: Change) -> Bought:
        finetune = self.desired.named(change.name)
        assert finetune is not None  # what is bought is asked for
        return Bought(change, finetune, self._root(finetune))

    def _root(self, finetune: FineTune) -> str:
        """The base model at the root of a chain; for an adopted job the one that it has."""
        while (base := self._adopted_bases.get(finetune.adopt or "")) is None:
            if isinstance(finetune.base_model, str):
                return finetune.base_model
            parent = self.desired.named(finetune.base_model.finetune)
            assert parent is not None  # resolved before anything is planned
            finetune = parent
        return base

    @cached_property
    def _adopted_bases(self) -> Mapping[str, str | None]:
        return {job.id: job.base_model for job in self.observed.adopted}

    @cached_property
    def in_service(self) -> tuple[InService, ...]:
        """Every fine-tune that keeps the model that it has."""
        kept = []
        for change in self.plan.changes:
            finetune = self.desired.named(change.name)
            if finetune is None or _trains(change) or change.model is None:
                continue
            kept.append(
                InService(
                    change.name, change.model, self._root(finetune), finetune.adopt is not None
                )
            )
        return tuple(kept)

    @cached_property
    def deleted(self) -> tuple[str, ...]:
        """The models that the plan deletes."""
        steps = (step for change in self.plan.changes for step in change.steps)
        return tuple(step.model for step in steps if isinstance(step, DeleteModel))

    @cached_property
    def prices(self) -> tuple[Price, ...]:
        """What is billed for each run; runs that cost nothing here are left out."""
        return tuple(
            Price(
                run.finetune.name,
                run.base_model,
                run.change.cost.high if run.change.cost else None,
                run.change.cost.usd_per_hour if run.change.cost else None,
            )
            for run in self.bought
            if (run.change.cost.billed if run.change.cost else self.service.billed)
        )

    def shutdown_of(self, *names: str) -> date | None:
        """The day on which a model stops: by the first of its names for which one is known."""
        for name in names:
            for model in (name, base_of(name)):
                if (day := self.shutdowns.get(model)) is not None:
                    return day
        return None

    @cached_property
    def live(self) -> Mapping[str, frozenset[str]]:
        """The models that exist, by the fine-tune that they were trained as."""
        by_name: dict[str, set[str]] = {}
        for job in (*self.observed.jobs, *self.observed.adopted):
            if job.status == "succeeded" and job.model and self.observed.has_model(job.model):
                by_name.setdefault(self._name_of(job), set()).add(job.model)
        return {name: frozenset(models) for name, models in by_name.items()}

    @cached_property
    def bought_again(self) -> tuple[str, ...]:
        """The fine-tunes that are trained although this very training has succeeded before."""
        digests = {job.digest for job in self._succeeded} | self.remembered
        return tuple(run.finetune.name for run in self.bought if run.finetune.digest in digests)

    @cached_property
    def trained_before(self) -> frozenset[str]:
        """The fine-tunes asked for that have succeeded before, as they are or as they were."""
        digests = {job.digest for job in self._succeeded} | self.remembered
        names = {self._name_of(job) for job in self._succeeded}
        return frozenset(
            one.name
            for one in self.desired.finetunes
            if one.adopt is None and (one.digest in digests or one.name in names)
        )

    @cached_property
    def _succeeded(self) -> tuple[Job, ...]:
        return tuple(job for job in self.observed.jobs if job.status == "succeeded")

    def _name_of(self, job: Job) -> str:
        """What a job was trained as; where the service keeps no metadata, its file tells."""
        if job.finetune is not None:
            return job.finetune
        adopting = self._adopting.get(job.id)
        filename = read_file_name(self._file_names.get(job.training_file or "", ""))
        named = filename.name if filename is not None and filename.digest else None
        return adopting or named or job.digest or job.id

    @cached_property
    def _adopting(self) -> Mapping[str, str]:
        return {
            finetune.adopt: finetune.name for finetune in self.desired.finetunes if finetune.adopt
        }

    @cached_property
    def _file_names(self) -> Mapping[str, str]:
        return {file.id: file.name for file in self.observed.files}


def _trains(change: Change) -> bool:
    return change.action is Action.DEFER or any(isinstance(s, StartJob) for s in change.steps)
