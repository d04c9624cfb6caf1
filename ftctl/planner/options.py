"""What the command line, the settings and the record tell a planner beside what exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ftctl.domain.desired import Spec, nothing
from ftctl.domain.plan import NO_OPTIONS
from ftctl.domain.witness import Witness
from ftctl.planner.retention import Protected
from ftctl.planner.scope import EVERYWHERE, Scope


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the command line or the project's settings change about a plan."""

    prune: bool = False
    retry_failed: bool = False
    retry_only: frozenset[str] | None = None  # of several approved plans: whom that counts for
    select: frozenset[str] | None = None  # names; None: all
    # Those trained again on request, each with the job to be replaced where one was named.
    replace: Mapping[str, str | None] = field(default_factory=nothing)
    cosmetic: frozenset[str] = frozenset()
    tag_in_file_name: bool = False  # uploads carry the job's digest: the service keeps no metadata
    protected: Protected = field(default_factory=nothing)  # empty with --force-destroy
    witnesses: tuple[Witness, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=nothing)  # of base models: to snapshots
    scope: Scope = EVERYWHERE
    commit: str | None = None  # of the manifests
    reuse: bool = True  # whether models of other projects, where they are told of, may be used
    document: Spec = field(default_factory=lambda: NO_OPTIONS)  # as it stands in the plan's

    def retries(self, name: str) -> bool:
        """Whether failed and cancelled jobs of a fine-tune are bought again."""
        return self.retry_failed and (self.retry_only is None or name in self.retry_only)
