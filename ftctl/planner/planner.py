"""`Desired` and `Observed` in, a `Plan` out: facts for the table, steps for what it decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ftctl.catalog.request import job_request, row_of
from ftctl.domain.desired import Dataset, Desired, FineTune, ServiceInfo
from ftctl.domain.digest import Run, file_name, job_hash
from ftctl.domain.observed import UNSEEN, File, Job, Observed
from ftctl.domain.plan import (
    Action,
    CancelJob,
    Change,
    FieldChange,
    FileRef,
    Later,
    ParentModel,
    Plan,
    StartJob,
    Step,
    Upload,
)
from ftctl.domain.spec_memory import PARTIAL, short_spec
from ftctl.planner.decision_table import TABLE, Decision, Facts, how_it_ended
from ftctl.planner.evidence import without_strangers
from ftctl.planner.facts import FactFinder, grouped
from ftctl.planner.field_changes import field_changes
from ftctl.planner.lineage import lineage
from ftctl.planner.options import PlanOptions
from ftctl.planner.plan_warnings import account_warnings, plan_warnings
from ftctl.planner.retention import plan_files, plan_orphans, plan_retention
from ftctl.text.identifiers import is_identifier


def make_plan(
    desired: Desired, observed: Observed, service: ServiceInfo, options: PlanOptions
) -> Plan:
    """What to do so that what exists is what is asked for. The same input gives the same plan."""
    named = {witness.job for witness in options.witnesses}
    observed = without_strangers(desired, observed, named, service, options.aliases)
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
            standing=planning.finder.standing,
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
    lost = (planning.finder.facts(finetune).lost for finetune in desired.finetunes)
    return tuple(job.model for job in lost if job is not None and job.model)


class _Planning:
    """One planning run: a change for every fine-tune, and what earlier changes already upload."""

    def __init__(
        self, desired: Desired, observed: Observed, service: ServiceInfo, options: PlanOptions
    ) -> None:
        self.desired = desired
        self.observed = observed
        self.options = options
        self.row = row_of(service.type)
        self.chosen = tuple(
            finetune
            for finetune in desired.finetunes
            if options.select is None or finetune.name in options.select
        )
        self.finder = FactFinder(desired, observed, service, options, self.chosen)
        self.uploading: set[str] = set()  # file names
        self.waiting: set[str] = set()  # fine-tunes whose turn comes by jobs that run already
        self.filenames: dict[tuple[str, str | None], str] = {}
        heirs = lineage(desired, observed.jobs)
        self.by_heir = grouped(observed.jobs, lambda job: heirs.get(job.id))
        self.keeps: dict[str, list[int]] = {}  # digest -> how many models those who ask for it keep
        for finetune in desired.finetunes:
            self.keeps.setdefault(finetune.digest, []).append(finetune.keep)
        self.files: dict[tuple[str | None, str | None, int, str], File] = {}
        for file in sorted(observed.files, key=lambda file: (file.created_at, file.id)):
            if file.usable:  # the oldest whole copy of a content serves for good
                self.files.setdefault((file.sha256, file.digest, file.bytes, file.run), file)

    def decide(self, finetune: FineTune) -> Change:
        """The change for one fine-tune, by the first row of the table that holds."""
        facts = self.finder.facts(finetune)
        decision = next(row.decide(facts) for row in TABLE if row.holds(facts))
        base_model: str | ParentModel | None = None
        if decision.start:
            base_model = self._base_model(finetune)
            if base_model is None:
                return self._deferred(finetune, decision)
        fields = self._fields(finetune, facts, decision)
        steps: list[Step] = []
        if base_model is not None:
            steps = self._start(finetune, base_model, facts)
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
            in_vain=decision.stands is not None
            and decision.stands.status in ("failed", "cancelled"),
            retired=facts.retired and decision.stands is facts.lost,
            superseded=decision.stands is not None
            and decision.stands is facts.ended
            and facts.overtaken is not None,
        )
        if decision.action is Action.NO_OP and facts.live and facts.twin is None:
            own = self.by_heir.get(finetune.name, ())
            return plan_retention(
                replace(change, reason=change.reason + self._newer_models(own)),
                finetune,
                facts.live,
                [
                    job
                    for job in (*own, *self.finder.by_digest.get(finetune.digest, ()))
                    if self.options.scope.governs(job)
                ],
                self.observed,
                keep=max(self.keeps[finetune.digest]),
                wanted=self.finder.wanted | self.finder.standing,
                adopted=self.finder.adopted,
                protected=self.options.protected,
            )
        return self._beside(finetune, change) if decision.start else change

    def _beside(self, finetune: FineTune, change: Change) -> Change:
        """A purchase with the jobs for other specs that it is made beside."""
        jobs, scope = self.finder.beside(finetune), self.options.scope
        placed = {job.id for job in jobs if scope.is_newer(job) or scope.is_older(job)}
        return replace(
            change,
            beside=tuple(job.id for job in jobs),
            ahead=tuple(job.id for job in jobs if scope.is_newer(job)),
            unplaced=tuple(job.id for job in jobs if job.id not in placed),
        )

    def _newer_models(self, jobs: Iterable[Job]) -> str:
        """The end of a reason: models that are kept because a newer checkout has bought them."""
        scope = self.options.scope
        return scope.left_alone(
            job
            for job in jobs
            if scope.is_newer(job) and job.model is not None and self.observed.has_model(job.model)
        )

    def _base_model(self, finetune: FineTune) -> str | ParentModel | None:
        """What to train from; None while the parent has no model, or is about to have another."""
        if finetune.parent is None:
            assert isinstance(finetune.base_model, str)
            return finetune.base_model
        parent = self.desired.named(finetune.parent.finetune)
        if parent is not None and self.finder.is_being_replaced(parent):
            return None
        job = (self.finder.live(parent) or self.finder.reused(parent)) if parent else None
        if job is None or job.model is None:
            return None
        return ParentModel(job.id, job.model, finetune.parent.checkpoint, finetune.parent.finetune)

    def _deferred(self, finetune: FineTune, decision: Decision) -> Change:
        assert finetune.parent is not None
        parent = finetune.parent.finetune
        facts = self.finder.facts(finetune)
        assert finetune.training is not None  # what is bought has rows
        if self._is_on_its_way(parent):
            self.waiting.add(finetune.name)
        later = Later(
            finetune.parent,
            finetune.spec,
            job_request(finetune.spec, self.row),
            finetune.training,
            finetune.validation,
            finetune.keep,
        )
        deferred = Change(
            name=finetune.name,
            action=Action.DEFER,
            reason=f"waits for {parent}{self._why_wait(parent)}",
            digest=finetune.digest,
            follows=_mark_of(facts.newest) if facts.newest is not None else None,
            later=later,
            fields=self._fields(finetune, facts, decision),
            waiting=finetune.name in self.waiting,
        )
        return self._beside(finetune, deferred)

    def _is_on_its_way(self, parent: str) -> bool:
        """Whether jobs that run bring a fine-tune's model, its own or those that it waits for."""
        finetune = self.desired.named(parent)
        if finetune is None or parent in self.waiting:
            return finetune is not None
        running = self.finder.facts(finetune).running
        return bool(running) and running[-1].status != "paused"

    def _why_wait(self, parent: str) -> str:
        """What keeps the parent from having a model, where this plan does nothing about it."""
        finetune = next(f for f in self.desired.finetunes if f.name == parent)
        if finetune.adopt is not None:
            return f", which adopts {finetune.adopt}: it has no model"
        facts = self.finder.facts(finetune)
        if facts.running:
            return f": {facts.running[-1].id} trains it"
        if finetune not in self.chosen:
            return ", which is not selected"
        if facts.earlier is not None and not (facts.replace or facts.same):
            return f": {facts.earlier.id} trained it on rows of an earlier ftctl"
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
    ) -> list[Step]:
        steps: list[Step] = []
        refs = {}
        replaces, follows = _replaced(facts), _mark_of(facts.newest) if facts.newest else None
        if follows is None and facts.doubt is not None and facts.doubt.job is not None:
            follows = _mark_of(facts.doubt.job)
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
            request=job_request(finetune.spec, self.row),
            keep=finetune.keep,
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
        rows = (dataset.path, dataset.examples, dataset.origin)
        if there is not None:
            return None, FileRef(dataset.name, there.name, dataset.sha256, there.id, *rows)
        # Equal content is uploaded once, under the name of the dataset that comes first.
        filename = self.filenames.setdefault(
            (dataset.sha256, tag),
            file_name(self.desired.project, name, dataset.sha256, tag, run),
        )
        upload = Upload(
            dataset.name, dataset.path, dataset.sha256, dataset.bytes, filename, dataset.origin
        )
        return upload, FileRef(dataset.name, filename, dataset.sha256, None, *rows)

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


def _replaced(facts: Facts) -> str | None:
    """What a run stands in for on request: the newest of the same, or what it is known by."""
    if not facts.replace:
        return None
    candidates = [*facts.running, facts.live, facts.newest, facts.doubt and facts.doubt.job]
    candidates.append(facts.earlier)
    job = next((job for job in candidates if job is not None), None)
    return _mark_of(job) if job is not None else UNSEEN


def _mark_of(job: Job) -> str:
    """A job's id as a mark can hold it: where it is none, all that can be said is that it is."""
    return job.id if is_identifier(job.id) else UNSEEN


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
