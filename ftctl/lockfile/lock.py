"""What `ftctl.lock` tells: releases and promotions by environment and fine-tune. Frozen values.

`more` has the keys that a newer minor version wrote: they are kept as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ftctl.domain.desired import Origin, Spec, nothing

DEFAULT_ENVIRONMENT = "default"  # the section of a run without --env


@dataclass(frozen=True, slots=True)
class DataFile:
    """A data file as it was trained on."""

    path: str  # relative to the project's folder; of rows that steps have made, their source
    sha256: str
    rows: int
    more: Spec = field(default_factory=nothing)
    dataset: str | None = None  # whose steps have made it
    origin: Origin | None = None  # what they have made it of


@dataclass(frozen=True, slots=True)
class Pointer:
    """A model that was promoted, when, and at which git commit."""

    job: str
    model: str
    at: str  # ISO 8601, UTC
    checkpoint: int | None = None  # the step; None: the job's final model
    digest: str | None = None
    by_commit: str | None = None
    more: Spec = field(default_factory=nothing)

    def leads_to(self, other: Pointer) -> bool:
        """Whether both lead to the same model of the same job."""
        return (self.job, self.model) == (other.job, other.model)


@dataclass(frozen=True, slots=True)
class Release:
    """The job that stands for a fine-tune, and how its model came about."""

    digest: str
    job: str
    model: str
    created_at: int  # Unix seconds, the service's clock
    ftctl_version: str  # that recorded it first
    method: str
    base_model: str | None = None  # as the service resolved it
    training: DataFile | None = None
    validation: DataFile | None = None
    hyperparameters: Spec = field(default_factory=nothing)  # as the service resolved them
    asked: Spec = field(default_factory=nothing)  # numbers, where the service trained otherwise
    seed: int | None = None
    suffix: str | None = None
    metadata: Spec = field(default_factory=nothing)  # the user's own pairs
    spec: Spec | None = None  # what was asked for, short, as the job's tag has it
    checkpoints: Mapping[int, str] | None = None  # step -> model; None: not known
    trained_tokens: int | None = None
    finished_at: int | None = None  # Unix seconds, the service's clock
    commit: str | None = None  # of the manifests that it was bought by
    service: Spec = field(default_factory=nothing)  # type and base_url
    adopted: bool = False  # the job carries no tag of ours
    owner: str | None = None  # the project that bought it, where that is another


@dataclass(frozen=True, slots=True)
class Entry:
    """What is on record about one fine-tune."""

    release: Release | None = None  # None: promoted before anything was recorded
    promoted: Mapping[str, Pointer] = field(default_factory=nothing)  # by alias
    history: Mapping[str, tuple[Pointer, ...]] = field(default_factory=nothing)  # newest last
    more: Spec = field(default_factory=nothing)
    retired: tuple[Pointer, ...] = ()  # models that ftctl deleted as it was asked to, newest last
    beside: tuple[Release, ...] = ()  # jobs that another branch bought for it, newest last

    @property
    def releases(self) -> tuple[Release, ...]:
        """Every job that is on record as bought for it; what stands comes first."""
        return (*(() if self.release is None else (self.release,)), *self.beside)


@dataclass(frozen=True, slots=True)
class Section:
    """The fine-tunes of one environment, by name."""

    finetunes: Mapping[str, Entry] = field(default_factory=nothing)
    more: Spec = field(default_factory=nothing)


@dataclass(frozen=True, slots=True)
class Lock:
    """The whole record. One without environments is what a project without a file has."""

    environments: Mapping[str, Section] = field(default_factory=nothing)
    minor: int = 0  # of the version that wrote it: 1.minor
    more: Spec = field(default_factory=nothing)

    def entries(self, environment: str) -> Mapping[str, Entry]:
        """What is on record in an environment, by fine-tune."""
        return self.environments.get(environment, Section()).finetunes

    def entry(self, environment: str, name: str) -> Entry:
        """What is on record about a fine-tune; an empty entry where nothing is."""
        return self.entries(environment).get(name, Entry())

    @property
    def names_origins(self) -> bool:
        """Whether it says of some rows what steps have made them of."""
        return any(
            data is not None and data.origin is not None
            for section in self.environments.values()
            for entry in section.finetunes.values()
            for release in entry.releases
            for data in (release.training, release.validation)
        )

    def with_entries(self, environment: str, entries: Mapping[str, Entry]) -> Lock:
        """The same with other fine-tunes in one environment; one without any has no section."""
        before = self.environments.get(environment, Section())
        sections = {**self.environments, environment: replace(before, finetunes=entries)}
        if not entries and not before.more:
            del sections[environment]
        return replace(self, environments=sections)
