"""The settings of ftctl.yaml, each a typed value once its schema has checked it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from ftctl.domain.desired import Format, nothing
from ftctl.domain.observed import UNTOLD, AccountId
from ftctl.domain.quality_settings import PROJECT_DEFAULTS, QualitySettings
from ftctl.domain.variables import Variable


def exact(number: float) -> Decimal:
    """A number as it was written: 0.4 is meant, not the binary fraction next to it."""
    return Decimal(number) if isinstance(number, int) else Decimal(repr(number))


def _whole(number: float) -> int:
    return int(exact(number))  # a schema's integer may be written 3.0


def _strings(values: list[str]) -> tuple[str, ...]:
    return tuple(values)


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """The limits below `policy`. Where one is None there is no such rule.

    Days have none of their own either: see `DEFAULT_DAYS`.
    """

    max_jobs_created: int | None = None
    max_models_deleted: int | None = None
    max_share_deleted: Decimal = Decimal("0.3")
    max_share_bought_again: Decimal = Decimal("0.3")
    max_cost_per_job: Decimal | None = None  # US dollars, as are those below
    max_cost_per_apply: Decimal | None = None
    max_cost_per_month: Decimal | None = None
    base_models: tuple[str, ...] | None = None  # patterns
    services: tuple[str, ...] | None = None
    pinned_snapshots: bool = False
    require_validation: bool = False
    warn_days_to_shutdown: int | None = None
    min_days_to_shutdown: int | None = None
    max_leakage_share: Decimal | None = None
    max_duplicate_share: Decimal | None = None
    commands: tuple[tuple[str, ...], ...] = ()
    exact_hyperparameters: bool = False  # whether a job that trains otherwise is cancelled

    @classmethod
    def from_config(cls, policy: Mapping[str, Any]) -> PolicySettings:
        """Of a mapping that fits `policy` in schemas/project.json."""
        typed: Mapping[str, Callable[[Any], Any]] = {
            "max_jobs_created": _whole,
            "max_models_deleted": _whole,
            "max_share_deleted": exact,
            "max_share_bought_again": exact,
            "max_cost_per_job": exact,
            "max_cost_per_apply": exact,
            "max_cost_per_month": exact,
            "base_models": _strings,
            "services": _strings,
            "warn_days_to_shutdown": _whole,
            "min_days_to_shutdown": _whole,
            "max_leakage_share": exact,
            "max_duplicate_share": exact,
            "commands": lambda commands: tuple(map(_strings, commands)),
        }
        return cls(**{
            key: typed[key](value) if key in typed else value for key, value in policy.items()
        })  # fmt: skip

    def no_looser(self) -> PolicySettings:
        """The same, but where it allows more than no policy at all would."""
        unset = PolicySettings()
        return replace(
            self,
            max_share_deleted=min(self.max_share_deleted, unset.max_share_deleted),
            max_share_bought_again=min(self.max_share_bought_again, unset.max_share_bought_again),
            warn_days_to_shutdown=_no_fewer("warn_days_to_shutdown", self.warn_days_to_shutdown),
            min_days_to_shutdown=_no_fewer("min_days_to_shutdown", self.min_days_to_shutdown),
        )


def _no_fewer(name: str, days: int | None) -> int | None:
    return days if days is not None and days >= DEFAULT_DAYS[name] else None


DEFAULT_DAYS: Mapping[str, int] = {"warn_days_to_shutdown": 90, "min_days_to_shutdown": 30}
"""What counts where ftctl.yaml is silent, at a service that bills; at others nothing does."""


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """From where data may come besides the repository."""

    outside: tuple[str, ...] = ()  # folders, relative to ftctl.yaml
    addresses: tuple[str, ...] = ()  # beginnings of addresses that --base lets be fetched

    @classmethod
    def from_config(cls, sources: Mapping[str, Any]) -> SourceSettings:
        """Of a mapping that fits `sources` in schemas/project.json."""
        return cls(**{key: _strings(value) for key, value in sources.items()})


# A header or parameter: its name, and its value as it is sent or the variable that holds it.
Setting = tuple[str, str | Variable]


def _settings(values: Mapping[str, Any]) -> tuple[Setting, ...]:
    return tuple(
        (name, value if isinstance(value, str) else Variable(value["env"]))
        for name, value in values.items()
    )


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """The service that trains, and the way in to it. It holds names of variables and no key."""

    type: str = "emulator"
    base_url: str | None = None
    base_url_env: str | None = None
    api_key_env: str | None = None
    api_key_command: tuple[str, ...] = ()  # a program and its arguments, for keys that expire
    headers: tuple[Setting, ...] = ()
    query: tuple[Setting, ...] = ()
    variables: tuple[str, ...] = ()  # that `extra` may name where --base lets little be named
    organization: str | None = None
    project: str | None = None
    expect: AccountId = UNTOLD  # whom the key must act for; None: whoever
    mark: Literal["metadata", "file-name"] | None = None
    timeout: Decimal = Decimal(60)  # seconds that one request may take

    @classmethod
    def from_config(cls, provider: Mapping[str, Any]) -> ProviderSettings:
        """Of a mapping that fits `provider` in schemas/project.json."""
        typed: Mapping[str, Callable[[Any], Any]] = {
            "api_key_command": _strings,
            "headers": _settings,
            "query": _settings,
            "variables": _strings,
            "expect": lambda account: AccountId(**account),
            "timeout": exact,
        }
        return cls(**{
            key: typed[key](value) if key in typed else value for key, value in provider.items()
        })  # fmt: skip


@dataclass(frozen=True, slots=True)
class BaseModelOverride:
    """What a project says itself of a base model at a service. None: it says nothing."""

    usd_per_million_tokens: Decimal | None = None
    usd_per_hour: Decimal | None = None
    as_of: str | None = None  # of the prices: YYYY-MM or YYYY-MM-DD
    bills_validation: bool | None = None
    training_context: int | None = None
    encoding: str | None = None
    methods: frozenset[str] | None = None
    formats: frozenset[Format] | None = None  # of supervised rows
    images: bool | None = None
    tools: bool | None = None
    shutdown: str | None = None  # in the form of a day, though there may be no such day

    @classmethod
    def from_config(cls, facts: Mapping[str, Any]) -> BaseModelOverride:
        """Of a mapping that fits `base-model` in schemas/project.json."""
        typed: Mapping[str, Callable[[Any], Any]] = {
            "usd_per_million_tokens": exact,
            "usd_per_hour": exact,
            "training_context": _whole,
            "methods": frozenset,
            "formats": frozenset,
        }
        return cls(**{
            key: typed[key](value) if key in typed else value for key, value in facts.items()
        })  # fmt: skip


Overrides = Mapping[str, Mapping[str, BaseModelOverride]]  # by service and model


def catalog_overrides(catalog: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Overrides:
    """Of a mapping that fits `catalog` in schemas/project.json."""
    return {
        service: {model: BaseModelOverride.from_config(facts) for model, facts in models.items()}
        for service, models in catalog.items()
    }


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of ftctl.yaml with one environment laid over them."""

    project: str
    manifests: str = "finetunes"
    provider: ProviderSettings = ProviderSettings()
    prune: bool = False
    policy: PolicySettings = PolicySettings()
    catalog: Overrides = field(default_factory=nothing)
    sources: SourceSettings = SourceSettings()
    reuse: Literal["project", "account"] = "project"
    quality: QualitySettings = PROJECT_DEFAULTS
