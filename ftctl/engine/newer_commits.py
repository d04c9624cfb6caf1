"""What is asked for and what exists in; a plan that leaves alone what a newer checkout bought, out.

A checkout that is behind, with `--prune` or with an earlier spec, would stop and delete what the
newer one has bought since. Jobs tell by which commit they were bought, and git which is newer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from ftctl.domain.observed import Observed
from ftctl.domain.plan import Plan
from ftctl.engine.git import Place, repository_around
from ftctl.engine.session import Session
from ftctl.errors import FtctlError
from ftctl.planner import PlanOptions, make_plan
from ftctl.planner.overtaken import overtaken_jobs
from ftctl.planner.scope import touched

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def make_plan_by_commits(session: Session, observed: Observed, options: PlanOptions) -> Plan:
    """The plan.

    git is asked only where it would stop, delete or replace anything of another commit, or where
    another may have gone past a job that was cancelled.
    """
    commit_of = {job.id: job.commit for job in observed.jobs}
    scope, known = options.scope, {options.commit, None}
    overtaken = overtaken_jobs(session.desired, observed.jobs, scope)
    while True:
        planned = replace(options, scope=scope)
        plan = make_plan(session.desired, observed, session.info, planned)
        steps = [step for change in plan.changes for step in change.steps]
        jobs = {job.commit for job in touched(steps, observed.jobs)}
        jobs |= {job.commit for one in overtaken.values() for job in one.by}
        jobs |= {commit_of.get(job) for change in plan.changes for job in change.beside}
        commits = jobs - known
        if options.commit is None or not commits:
            return plan
        newer, aside, behind = _placed(session, commits)
        # What is left alone now may bring others within reach: they are looked at in turn.
        scope = replace(
            scope,
            newer=scope.newer | newer,
            aside=scope.aside | aside,
            behind=scope.behind | behind,
        )
        known |= commits


def _placed(
    session: Session, commits: Iterable[str | None]
) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """The commits newer than this checkout, those of which git cannot tell, and those behind it.

    A clone that is not shallow has every commit behind its own: one that it does not know is
    newer. A shallow one, as pipelines have, does not know the merge before either. A commit on
    another branch tells nothing: a squashed merge leaves its own behind.
    """
    places: dict[str, Place] = {}
    shallow = False
    try:
        repository = repository_around(session.root)
        for commit in sorted(one for one in commits if one is not None and _COMMIT.fullmatch(one)):
            places[commit] = repository.place(commit)
        if "unknown" in places.values():
            shallow = repository.is_shallow
    except FtctlError:
        return frozenset(), frozenset(), frozenset()
    newer = {"ahead"} if shallow else {"ahead", "unknown"}
    return (
        frozenset(commit for commit, place in places.items() if place in newer),
        frozenset(commit for commit, place in places.items() if place not in (*newer, "behind")),
        frozenset(commit for commit, place in places.items() if place == "behind"),
    )
