"""`Desired` and `Observed` in, a `Plan` out: facts for the table, steps for what it decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ftctl.domain.desired import Dataset, Desired, FineTune, ServiceInfo, Spec, nothing
from ftctl.domain.digest import Run, file_name, is_readable, job_hash
from ftctl.domain.observed import File, Job, Observed
from ftctl.domain.plan import (
    NO_OPTIONS,
    Action,
    CancelJob,
    Change,
    FieldChange,
    FileRef,
    ParentModel,
    Plan,
    StartJob,
    Step,
    Upload,
)
from ftctl.domain.spec_memory import PARTIAL, short_spec
from ftctl.domain.witness import Witness
from ftctl.planner.decision_table import TABLE, Decision, Facts, how_it_ended
from ftctl.planner.evidence import Evidence, differences, doubt, evidence_of, notes
from ftctl.planner.field_changes import field_changes
from ftctl.planner.lineage import lineage
from ftctl.planner.plan_warnings import account_warnings, plan_warnings
from ftctl.planner.retention import Protected, plan_files, plan_orphans, plan_retention, stoppable
from ftctl.planner.scope import EVERYWHERE, Scope


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the command line or the project's settings change about a plan."""

    prune: bool = False
    retry_failed: bool = False
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


def make_plan(
    desired: Desired, observed: Observed, service: ServiceInfo, options: PlanOptions
) -> Plan:
    """What to do so that what exists is what is asked for. The same input gives the same plan."""
    planning = _Planning(desired, observed, service, options)
    changes = [planning.decide(finetune) for finetune in planning.chosen]
    if options.select is None:
        settled = bool(changes) and all(
            change.model is not None and change.action is not Action.ATTENTION for change in changes
        )
        changes += plan_orphans(
            desired,
            observed,
            prune=options.prune,
            settled=settled,
            protected=options.protected,
            scope=options.scope,
        )
        changes += plan_files(
            desired,
            observed,
            changes,
            prune=options.prune,
            settled=settled,
            retired={one.job for one in options.witnesses if one.retired and one.job},
        )
    changes = [
        replace(
            change,
            steps=planning.uploads_once(change.steps),
            reason=change.reason + options.scope.touched_aside(change.steps, observed.jobs),
        )
        for change in changes
    ]
    foremost = account_warnings(
        changes, observed, service, options.witnesses, options.scope.environment
    )
    return Plan(
        desired.project,
        service,
        tuple(changes),
        (*foremost, *plan_warnings(observed)),
        observed.account,
        options.document,
        foremost,
    )


def models_not_visible(desired: Desired, observed: Observed) -> tuple[str, ...]:
    """The models whose absence from the list keeps fine-tunes from being up to date."""
    planning = _Planning(desired, observed, ServiceInfo("", ""), PlanOptions())
    lost = (planning.facts(finetune).lost for finetune in desired.finetunes)
    return tuple(job.model for job in lost if job is not None and job.model)


class _Planning:
    """One planning run: the facts of every fine-tune, and what earlier changes already upload."""

    def __init__(
        self, desired: Desired, observed: Observed, service: ServiceInfo, options: PlanOptions
    ) -> None:
        self.desired = desired
        self.observed = observed
        self.service = service
        self.options = options
        self.chosen = tuple(
            finetune
            for finetune in desired.finetunes
            if options.select is None or finetune.name in options.select
        )
        self.wanted = frozenset(finetune.digest for finetune in desired.finetunes)
        self.adopted = frozenset(f.adopt for f in desired.finetunes if f.adopt)
        self.twins: dict[str, list[str]] = {}  # digest -> names, of those that would buy
        for finetune in self.chosen:
            if finetune.adopt is None:
                self.twins.setdefault(finetune.digest, []).append(finetune.name)
        self.uploading: set[str] = set()  # file names
        self.filenames: dict[tuple[str, str | None], str] = {}
        self.by_digest = _grouped(observed.jobs, lambda job: job.digest)
        self.by_digest_elsewhere = _grouped(observed.others, lambda job: job.digest)
        self.by_name = _grouped(observed.jobs, lambda job: job.finetune)
        heirs = lineage(desired, observed.jobs)
        self.by_heir = _grouped(observed.jobs, lambda job: heirs.get(job.id))
        self.keeps: dict[str, list[int]] = {}  # digest -> how many models those who ask for it keep
        for finetune in desired.finetunes:
            self.keeps.setdefault(finetune.digest, []).append(finetune.keep)
        self.files: dict[tuple[str | None, str | None, int, str], File] = {}
        for file in sorted(observed.files, key=lambda file: (file.created_at, file.id)):
            if file.usable:  # the oldest whole copy of a content serves for good
                self.files.setdefault((file.sha256, file.digest, file.bytes, file.run), file)

    def decide(self, finetune: FineTune) -> Change:
        """The change for one fine-tune, by the first row of the table that holds."""
        facts = self.facts(finetune)
        decision = next(row.decide(facts) for row in TABLE if row.holds(facts))
        base_model: str | ParentModel | None = None
        if decision.start:
            base_model = self._base_model(finetune)
            if base_model is None:
                return self._deferred(finetune, decision)
        fields = self._fields(finetune, facts, decision)
        steps: list[Step] = []
        if base_model is not None:
            steps = self._start(finetune, base_model, facts, decision)
        steps += [CancelJob(job.id, why) for job, why in decision.stop]
        change = Change(
            name=finetune.name,
            action=decision.action,
            reason=_explained(decision, fields) + self.options.scope.left_alone(facts.newer),
            steps=tuple(steps),
            fields=fields,
            digest=finetune.digest,
            job=decision.stands.id if decision.stands else None,
            model=decision.stands.model if decision.stands else None,
        )
        if decision.action is Action.NO_OP and facts.live and facts.twin is None:
            own = self.by_heir.get(finetune.name, ())
            return plan_retention(
                replace(change, reason=change.reason + self._newer_models(own)),
                finetune,
                facts.live,
                [
                    job
                    for job in (*own, *self.by_digest.get(finetune.digest, ()))
                    if self.options.scope.governs(job)
                ],
                self.observed,
                keep=max(self.keeps[finetune.digest]),
                wanted=self.wanted,
                adopted=self.adopted,
                protected=self.options.protected,
            )
        return change

    def _newer_models(self, jobs: Iterable[Job]) -> str:
        """The end of a reason: models that are kept because a newer checkout has bought them."""
        scope = self.options.scope
        return scope.left_alone(
            job
            for job in jobs
            if scope.is_newer(job) and job.model is not None and self.observed.has_model(job.model)
        )

    def facts(self, finetune: FineTune) -> Facts:
        """What the table asks about a fine-tune."""
        same = self.by_digest.get(finetune.digest, ())
        named = self.by_name.get(finetune.name, ())
        live = self._live(finetune)
        running, surplus = _sorted_out([job for job in same if job.in_progress], same, live)
        over = [job for job in same if not job.in_progress]
        ended = over[0] if over and over[0].status != "succeeded" else None
        lost = None if live else _lost(over, ended, retry_failed=self.options.retry_failed)
        twins = self.twins.get(finetune.digest, [finetune.name])
        evidence = self._evidence(finetune)
        adopted = next((job for job in self.observed.adopted if job.id == finetune.adopt), None)
        replaced = next((name for name in twins if name in self.options.replace), None)
        return Facts(
            finetune=finetune,
            live=live,
            reused=self._reused(finetune),
            running=running,
            surplus=tuple(
                job for job in surplus if stoppable(job) and job.id not in self.adopted
            ),
            lost=lost,
            retired=lost is not None and self._is_retired(lost),
            newest=same[0] if same else None,
            doubt=doubt(evidence),
            note=notes(evidence),
            ended=ended,
            outdated=tuple(
                job for job in named if job.digest is not None and is_readable(job.digest)
                and job.digest not in self.wanted and job.id not in self.adopted
                and self.options.scope.governs(job)
            ),
            newer=tuple(
                job for job in named
                if job.in_progress and job.digest != finetune.digest
                and self.options.scope.is_newer(job)
            ),
            unreadable=next(
                (job for job in named if job.digest is not None and not is_readable(job.digest)),
                None,
            ),
            unmarked=tuple(job for job in named if job.digest is None),
            twin=twins[0] if twins[0] != finetune.name else None,
            adopted=adopted,
            adopted_otherwise=self._adopted_otherwise(finetune, adopted),
            replace=replaced is not None,
            replace_done=replaced is not None and self._replace_done(finetune, replaced),
            replace_job=self.options.replace[replaced] if replaced is not None else None,
            retry_failed=self.options.retry_failed,
            old_parent=self._old_parent(finetune, live),
        )  # fmt: skip

    def _evidence(self, finetune: FineTune) -> Evidence:
        base_model = finetune.base_model if isinstance(finetune.base_model, str) else None
        return evidence_of(
            finetune,
            base_model,
            self.observed,
            witnesses=self.options.witnesses,
            elsewhere=()
            if self.options.reuse
            else self.by_digest_elsewhere.get(finetune.digest, ()),
            service=self.service,
            environment=self.options.scope.environment,
            aliases=self.options.aliases,
            adopted=self.adopted,
            rivals=self.desired.finetunes,
        )

    def _adopted_otherwise(self, finetune: FineTune, adopted: Job | None) -> tuple[str, ...]:
        if adopted is None:
            return ()
        base_model = finetune.base_model if isinstance(finetune.base_model, str) else None
        return differences(finetune, base_model, adopted, self.service, self.options.aliases)

    def _is_retired(self, job: Job) -> bool:
        return any(
            witness.retired and witness.job == job.id and witness.digest == job.digest
            for witness in self.options.witnesses
        )

    def _replace_done(self, finetune: FineTune, name: str) -> bool:
        """Whether the newest job is what --replace asks for: whoever runs it again buys nothing.

        Without a git commit, as outside git and on a job that a file's name marks, nobody can tell
        one request from the next: then it counts as done. One
        that continues from what its parent was before is not what is asked for now.
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

    def _is_being_replaced(self, finetune: FineTune) -> bool:
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
        now = self._live(parent)
        earlier = [job for job in self.by_digest.get(parent.digest, ()) if job.model]
        for job in earlier:
            of_it = live.base_model == job.model or live.base_model.startswith(f"{job.model}:")
            if now is not None and of_it and job.age_order < now.age_order:
                return job.model
        return None

    def _live(self, finetune: FineTune) -> Job | None:
        if finetune.adopt is not None:
            candidates = tuple(j for j in self.observed.adopted if j.id == finetune.adopt)
        else:
            candidates = self.by_digest.get(finetune.digest, ())
        return self._usable(candidates)

    def _reused(self, finetune: FineTune) -> Job | None:
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

    def _base_model(self, finetune: FineTune) -> str | ParentModel | None:
        """What to train from; None while the parent has no model, or is about to have another."""
        if finetune.parent is None:
            assert isinstance(finetune.base_model, str)
            return finetune.base_model
        parent = self.desired.named(finetune.parent.finetune)
        if parent is not None and self._is_being_replaced(parent):
            return None
        job = (self._live(parent) or self._reused(parent)) if parent else None
        if job is None or job.model is None:
            return None
        return ParentModel(job.id, job.model, finetune.parent.checkpoint)

    def _deferred(self, finetune: FineTune, decision: Decision) -> Change:
        assert finetune.parent is not None
        parent = finetune.parent.finetune
        facts = self.facts(finetune)
        return Change(
            name=finetune.name,
            action=Action.DEFER,
            reason=f"waits for {parent}{self._why_wait(parent)}",
            digest=finetune.digest,
            follows=facts.newest.id if facts.newest is not None else None,
            fields=self._fields(finetune, facts, decision),
        )

    def _why_wait(self, parent: str) -> str:
        """What keeps the parent from having a model, where this plan does nothing about it."""
        finetune = next(f for f in self.desired.finetunes if f.name == parent)
        if finetune.adopt is not None:
            return f", which adopts {finetune.adopt}: it has no model"
        facts = self.facts(finetune)
        if facts.running:
            return f": {facts.running[-1].id} trains it"
        if finetune not in self.chosen:
            return ", which is not selected"
        if facts.ended is not None and not (facts.retry_failed or facts.replace):
            return f", but {how_it_ended(facts.ended)}"
        return ""

    def _fields(
        self, finetune: FineTune, facts: Facts, decision: Decision
    ) -> tuple[FieldChange, ...]:
        """How the manifest differs from the job that it is compared with, where the job tells."""
        compared = decision.stands or facts.live
        if decision.action is Action.REPLACE:
            compared = facts.same
        if compared is None and decision.action in (Action.REPLACE, Action.DEFER):
            compared = facts.outdated[0] if facts.outdated else None
        if compared is None or compared.spec is None:
            return ()
        if finetune.adopt is not None or facts.twin is not None:
            return ()  # another's job, with another's cosmetic fields
        before = dict(compared.spec)
        after = short_spec(finetune.spec)
        # A long spec was remembered without its cosmetic fields: nothing is known about those.
        if before.pop(PARTIAL, False):
            after = {k: v for k, v in after.items() if k not in self.options.cosmetic}
        before["metadata"] = dict(compared.metadata)
        after["metadata"] = dict(finetune.spec.get("metadata", {}))
        changes = field_changes(before, after, self.options.cosmetic)
        if compared.digest == finetune.digest:
            return tuple(change for change in changes if change.cosmetic)
        return changes

    def _start(
        self,
        finetune: FineTune,
        base_model: str | ParentModel,
        facts: Facts,
        decision: Decision,
    ) -> list[Step]:
        steps: list[Step] = []
        refs = {}
        replaces, follows = _replaced(facts, decision), facts.newest.id if facts.newest else None
        if follows is None and facts.doubt is not None and facts.doubt.job is not None:
            follows = facts.doubt.job.id
        follows = follows or replaces
        run = self._run(replaces, follows)
        for role, dataset in (("training", finetune.training), ("validation", finetune.validation)):
            if dataset is not None:
                upload, refs[role] = self._file(finetune, dataset, run)
                steps += [upload] if upload else []
        start = StartJob(
            finetune=finetune.name,
            digest=finetune.digest,
            spec=finetune.spec,
            base_model=base_model,
            training=refs["training"],
            validation=refs.get("validation"),
            replaces=replaces,
            follows=follows,
        )
        return [*steps, start]

    def _run(self, replaces: str | None, follows: str | None) -> str:
        """What the name of a file says of the purchase, where that is the mark."""
        if not self.options.tag_in_file_name:
            return ""
        job = replaces or follows
        run = Run(self.options.scope.mark, job_hash(job) if job else None, replaces is not None)
        return str(run)

    def _file(
        self, finetune: FineTune, dataset: Dataset, run: str
    ) -> tuple[Upload | None, FileRef]:
        tag, name = None, dataset.name
        if self.options.tag_in_file_name:
            tag, name = finetune.digest, finetune.name
        there = self.files.get((dataset.sha256, tag, dataset.bytes, run))
        if there is not None:
            return None, FileRef(dataset.name, there.name, dataset.sha256, there.id)
        # Equal content is uploaded once, under the name of the dataset that comes first.
        filename = self.filenames.setdefault(
            (dataset.sha256, tag),
            file_name(self.desired.project, name, dataset.sha256, tag, run),
        )
        upload = Upload(dataset.name, dataset.path, dataset.sha256, dataset.bytes, filename)
        return upload, FileRef(dataset.name, filename, dataset.sha256)

    def uploads_once(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """The steps without uploads of content that an earlier step of this plan uploads."""
        kept = []
        for step in steps:
            if isinstance(step, Upload):
                if step.filename in self.uploading:
                    continue
                self.uploading.add(step.filename)
            kept.append(step)
        return tuple(kept)


def _grouped(jobs: Iterable[Job], key: Callable[[Job], str | None]) -> dict[str, tuple[Job, ...]]:
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


def _replaced(facts: Facts, decision: Decision) -> str | None:
    """What a run stands in for on request: the newest of the same, or what it is known by."""
    if decision.action is not Action.REPLACE or not facts.replace:
        return None
    candidates = [*facts.running, facts.live, facts.newest, facts.doubt and facts.doubt.job]
    job = next((job for job in candidates if job is not None), None)
    return job.id if job is not None else "unseen"


def _explained(decision: Decision, fields: tuple[FieldChange, ...]) -> str:
    """The reason, naming what changed where that is why."""
    if decision.action is not Action.REPLACE or decision.reason != "changed":
        return decision.reason
    material = [
        f"{change.field} {change.before or 'unset'} → {change.after or 'unset'}"
        for change in fields
        if not change.cosmetic
    ]
    return ", ".join(material) or "the spec changed; what it was is not on record"
