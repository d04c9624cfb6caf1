"""A project, what exists and options in; what the planner's table asks about a fine-tune out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ftctl.domain.desired import Desired, FineTune, ServiceInfo
from ftctl.domain.digest import is_readable
from ftctl.domain.observed import Job, Observed
from ftctl.planner.decision_table import Facts
from ftctl.planner.evidence import Evidence, differences, doubt, evidence_of, notes
from ftctl.planner.options import PlanOptions
from ftctl.planner.overtaken import overtaken_jobs
from ftctl.planner.retention import stoppable


class FactFinder:
    """The facts of each fine-tune, from one snapshot."""

    def __init__(
        self,
        desired: Desired,
        observed: Observed,
        service: ServiceInfo,
        options: PlanOptions,
        chosen: Iterable[FineTune],
    ) -> None:
        self.desired = desired
        self.observed = observed
        self.service = service
        self.options = options
        self.wanted = frozenset(finetune.digest for finetune in desired.finetunes)
        self.adopted = frozenset(f.adopt for f in desired.finetunes if f.adopt)
        self.twins: dict[str, list[str]] = {}  # digest -> names, of those that would buy
        for finetune in chosen:
            if finetune.adopt is None:
                self.twins.setdefault(finetune.digest, []).append(finetune.name)
        self.by_digest = grouped(observed.jobs, lambda job: job.digest)
        # With the rows of earlier versions, until those of now are trained on.
        self.standing = frozenset(
            one.earlier
            for one in desired.finetunes
            if one.earlier is not None and self.live(one) is None
        )
        self.by_digest_elsewhere = grouped(observed.others, lambda job: job.digest)
        self.by_name = grouped(observed.jobs, lambda job: job.finetune)
        self.overtaken = overtaken_jobs(desired, observed.jobs, options.scope)
        self.odd = tuple(job for job in observed.jobs if job.is_unreadable)

    def facts(self, finetune: FineTune) -> Facts:
        """What the table asks about a fine-tune."""
        retries = self.options.retries(finetune.name)
        same = self.by_digest.get(finetune.digest, ())
        named = self.by_name.get(finetune.name, ())
        live = self.live(finetune)
        active = [job for job in same if job.in_progress and not job.is_unreadable]
        running, surplus = _sorted_out(active, same, live)
        over = [job for job in same if not job.in_progress]
        ended = over[0] if over and over[0].status != "succeeded" else None
        lost = None if live else _lost(over, ended, retry_failed=retries)
        twins = self.twins.get(finetune.digest, [finetune.name])
        evidence = self._evidence(finetune)
        adopted = next((job for job in self.observed.adopted if job.id == finetune.adopt), None)
        overtaken = self._overtaken(finetune)
        replaced = next((name for name in twins if name in self.options.replace), None)
        return Facts(
            finetune=finetune,
            live=live,
            reused=self.reused(finetune),
            running=running,
            surplus=tuple(
                job for job in surplus if stoppable(job) and job.id not in self.adopted
            ),
            lost=lost,
            retired=lost is not None and self._is_retired(lost),
            newest=same[0] if same else None,
            odd=self._odd(finetune),
            doubt=doubt(evidence),
            note=notes(evidence),
            ended=ended,
            outdated=tuple(
                job for job in named if job.digest is not None and is_readable(job.digest)
                and job.digest not in self._kept_for(finetune, replaced)
                and job.id not in self.adopted
                and self.options.scope.governs(job)
            ),
            overtaken=overtaken,
            newer=tuple(
                job for job in named
                if job.in_progress and job.digest not in finetune.digests
                and job is not overtaken
                and self.options.scope.is_newer(job)
            ),
            unreadable=next(
                (job for job in named if job.digest is not None and not is_readable(job.digest)),
                None,
            ),
            unmarked=tuple(job for job in named if job.digest is None),
            earlier=self._earlier(finetune),
            twin=twins[0] if twins[0] != finetune.name else None,
            adopted=adopted,
            adopted_otherwise=self._adopted_otherwise(finetune, adopted),
            replace=replaced is not None,
            replace_done=replaced is not None and self._replace_done(finetune, replaced),
            replace_job=self.options.replace[replaced] if replaced is not None else None,
            retry_failed=retries,
            old_parent=self._old_parent(finetune, live),
        )  # fmt: skip

    def _kept_for(self, finetune: FineTune, replaced: str | None) -> frozenset[str]:
        """The digests whose jobs nothing stops for this fine-tune, but what it is told to."""
        own = {finetune.earlier} if replaced is not None else set()
        return self.wanted | (self.standing - own)

    def beside(self, finetune: FineTune) -> tuple[Job, ...]:
        """The jobs for other specs of a fine-tune that run or came to a model, by age."""
        return tuple(
            job
            for job in sorted(self.by_name.get(finetune.name, ()), key=lambda job: job.age_order)
            if job.digest is not None
            and job.digest not in self.wanted
            and job.status not in ("failed", "cancelled")
            and self.options.scope.shares_environment(job)
        )

    def _overtaken(self, finetune: FineTune) -> Job | None:
        """The newest job by which a newer checkout has gone past a cancelled one."""
        found = self.overtaken.get(finetune.name)
        if found is None:
            return None
        scope, commit = self.options.scope, self.options.commit
        return next((one for one in found.by if scope.overtakes(one, found.job, commit)), None)

    def _evidence(self, finetune: FineTune) -> Evidence:
        base_model = finetune.base_model if isinstance(finetune.base_model, str) else None
        return evidence_of(
            finetune,
            base_model,
            self.observed,
            witnesses=self.options.witnesses,
            elsewhere=() if self.options.reuse else self._elsewhere(finetune),
            service=self.service,
            environment=self.options.scope.environment,
            aliases=self.options.aliases,
            adopted=self.adopted,
            rivals=self.desired.finetunes,
        )

    def _elsewhere(self, finetune: FineTune) -> tuple[Job, ...]:
        """Another project's jobs of the same; with rows of an earlier ftctl, what is on record."""
        recorded = {witness.job for witness in self.options.witnesses}
        earlier = self.by_digest_elsewhere.get(finetune.earlier or "", ())
        same = self.by_digest_elsewhere.get(finetune.digest, ())
        return (*same, *(job for job in earlier if job.id in recorded))

    def _adopted_otherwise(self, finetune: FineTune, adopted: Job | None) -> tuple[str, ...]:
        if adopted is None:
            return ()
        base_model = finetune.base_model if isinstance(finetune.base_model, str) else None
        return differences(finetune, base_model, adopted, self.service, self.options.aliases)

    def _odd(self, finetune: FineTune) -> Job | None:
        """A job of ours that cannot be read, and may be of this training as far as it tells."""
        for job in self.odd:
            if job.digest == finetune.digest:
                return job
            if job.digest is None and job.finetune in (None, finetune.name):
                return job
        return None

    def _earlier(self, finetune: FineTune) -> Job | None:
        """The job of the same training but for its rows: an earlier ftctl has made them.

        One whose model exists tells most, then one that runs.
        """
        if finetune.earlier is None or finetune.adopt is not None:
            return None
        jobs = self.by_digest.get(finetune.earlier, ())
        if self.options.reuse:
            jobs = (*jobs, *self.by_digest_elsewhere.get(finetune.earlier, ()))
        running = next((job for job in jobs if job.in_progress), None)
        return self._usable(jobs) or running or next(iter(jobs), None)

    def _is_retired(self, job: Job) -> bool:
        return any(
            witness.retired and witness.job == job.id and witness.digest == job.digest
            for witness in self.options.witnesses
        )

    def _replace_done(self, finetune: FineTune, name: str) -> bool:
        """Whether the newest job is what --replace asks for: whoever runs it again buys nothing.

        Without a git commit, as outside git and on a job that a file's name marks, nobody can tell
        one request from the next: then it counts as done. One that continues from what its parent
        was before is not what is asked for now.
        """
        same = self.by_digest.get(finetune.digest, ())
        if not same:
            return False
        if (job := self.options.replace[name]) is not None:
            return same[0].id != job
        if self._old_parent(finetune, same[0]) is not None:
            return False
        commits = {same[0].commit, self.options.commit}
        return same[0].replaces is not None and (None in commits or len(commits) == 1)

    def is_being_replaced(self, finetune: FineTune) -> bool:
        """Whether this plan, or a job that runs, trains it again on request."""
        if finetune.adopt is not None:
            return False
        twins = self.twins.get(finetune.digest, [finetune.name])
        asked = next((name for name in twins if name in self.options.replace), None)
        if asked is not None and not self._replace_done(finetune, asked):
            return True
        same = self.by_digest.get(finetune.digest, ())
        return any(job.in_progress and job.replaces is not None for job in same)

    def _old_parent(self, finetune: FineTune, live: Job | None) -> str | None:
        """What a job continues from, where its parent has another model now."""
        parent = self.desired.named(finetune.parent.finetune) if finetune.parent else None
        if live is None or live.base_model is None or parent is None:
            return None
        now = self.live(parent)
        earlier = [job for job in self.by_digest.get(parent.digest, ()) if job.model]
        for job in earlier:
            of_it = live.base_model == job.model or live.base_model.startswith(f"{job.model}:")
            if now is not None and of_it and job.age_order < now.age_order:
                return job.model
        return None

    def live(self, finetune: FineTune) -> Job | None:
        """The newest job of a fine-tune that succeeded and whose model exists."""
        if finetune.adopt is not None:
            candidates = tuple(j for j in self.observed.adopted if j.id == finetune.adopt)
        else:
            candidates = self.by_digest.get(finetune.digest, ())
        return self._usable(candidates)

    def reused(self, finetune: FineTune) -> Job | None:
        """The job of another project that bought the same, where those may be reused."""
        if not self.options.reuse:
            return None
        return self._usable(self.by_digest_elsewhere.get(finetune.digest, ()))

    def _usable(self, jobs: Iterable[Job]) -> Job | None:
        """The first job with a model that exists."""
        for job in jobs:
            if self.observed.models is None and self._is_retired(job):
                continue  # where nothing lists models, ours is the only word on it
            if job.status == "succeeded" and job.model and self.observed.has_model(job.model):
                return job
        return None


def grouped(jobs: Iterable[Job], key: Callable[[Job], str | None]) -> dict[str, tuple[Job, ...]]:
    """Jobs by digest or name, newest first."""
    groups: dict[str, list[Job]] = {}
    for job in sorted(jobs, key=lambda job: job.age_order, reverse=True):
        if (value := key(job)) is not None:
            groups.setdefault(value, []).append(job)
    return {value: tuple(group) for value, group in groups.items()}


def _sorted_out(
    active: list[Job], same: tuple[Job, ...], live: Job | None
) -> tuple[tuple[Job, ...], tuple[Job, ...]]:
    """Of the same jobs in progress, the one to keep and those bought once too often.

    The oldest is kept, unless a replacement was bought for it on request; beside a model that
    exists only such a replacement is kept.
    """
    # A replacement that came to nothing replaces nothing.
    replaced = {job.replaces for job in same if job.status not in ("failed", "cancelled")}
    keepable = [job for job in active if job.id not in replaced]
    if live is not None:
        keepable = [job for job in keepable if job.replaces is not None]
    elif not keepable:
        keepable = active
    kept = tuple(keepable[-1:])
    return kept, tuple(job for job in active if job not in kept)


def _lost(over: Sequence[Job], ended: Job | None, *, retry_failed: bool) -> Job | None:
    """The newest job whose model is not visible.

    A newer one that failed hides it only where it was bought in its place, and is to be bought
    again: then somebody has decided already.
    """
    lost = next((job for job in over if job.status == "succeeded"), None)
    decided = retry_failed and ended is not None and ended.replaces is not None
    return None if decided else lost
