"""Random projects and histories to plan on, and a tiny simulation of a service."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from hypothesis import settings
from hypothesis import strategies as st

from ftctl.domain.desired import Dataset, Desired, FineTune, Parent, ServiceInfo
from ftctl.domain.digest import file_name, read_file_name, spec_digest
from ftctl.domain.observed import File, Job, JobError, Observed
from ftctl.domain.plan import (
    CancelJob,
    DeleteFile,
    DeleteModel,
    ParentModel,
    Plan,
    StartJob,
    Upload,
)
from ftctl.errors import Span
from ftctl.planner import PlanOptions, make_plan

SERVICE = ServiceInfo("openai", "https://api.example/v1")
COSMETIC = frozenset({"suffix", "metadata", "integrations", "validation"})
BASE = "gpt-4.1-mini-2025-04-14"
NOW = 1_000  # when the simulation starts; histories are older

often = settings(max_examples=100, deadline=None, derandomize=True, database=None)


def dataset(name: str) -> Dataset:
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    return Dataset(name, f"data/{name}.jsonl", sha256, 10, 100, "chat")


def finetune(
    name: str,
    n_epochs: int = 3,
    *,
    training: str = "rows",
    parent: FineTune | None = None,
    suffix: str | None = None,
    adopt: str | None = None,
    keep: int = 2,
) -> FineTune:
    """A fine-tune as `resolve` makes it."""
    data = dataset(training)
    base = {"digest": parent.digest} if parent else BASE
    material = {
        "base_model": base,
        "hyperparameters": {"n_epochs": n_epochs},
        "training": data.sha256,
    }
    return FineTune(
        name=name,
        span=Span("finetunes/it.yaml", 1, 1),
        training=data,
        validation=None,
        spec={**material, "suffix": suffix} if suffix else material,
        digest=spec_digest(material),
        base_model=Parent(parent.name, "last") if parent else BASE,
        adopt=adopt,
        keep=keep,
    )


def succeeded(job: str, of: FineTune, created_at: int = 0) -> Job:
    return Job(job, "succeeded", created_at, of.name, of.digest, model=f"ft:{BASE}:acme::{job}")


# Random projects and histories. Names, digests and times are few, so that they meet.

NAMES = ("alpha", "beta", "gamma")
STATUSES = ("succeeded", "succeeded", "running", "queued", "paused", "failed", "cancelled", "moon")
IDS = tuple(f"ftjob-{number}" for number in range(6))


@st.composite
def desireds(draw: st.DrawFn) -> Desired:
    made: list[FineTune] = []
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        parents = [None, None, *made]
        made.append(
            finetune(
                name,
                draw(st.integers(1, 2)),
                training=draw(st.sampled_from(["rows", "rows", "lines"])),
                parent=draw(st.sampled_from(parents)),
                suffix=draw(st.sampled_from([None, "warm"])),
                adopt=draw(st.sampled_from([None, None, None, *IDS[:2], "ftjob-elsewhere"])),
                keep=draw(st.integers(1, 2)),
            )
        )
    return Desired("demo", tuple(made))


@dataclass(frozen=True)
class Scene:
    """A project, what exists, and what is asked of the plan."""

    desired: Desired
    observed: Observed
    options: PlanOptions

    def plan(self) -> Plan:
        return make_plan(self.desired, self.observed, SERVICE, self.options)


@st.composite
def scenes(draw: st.DrawFn, *, models_listed: bool = False) -> Scene:
    desired = draw(desireds())
    tag_in_file_name = draw(st.booleans())
    known = [*desired.finetunes, finetune("gone", 9), finetune("alpha", 8, training="lines")]
    jobs, files = [], []
    for job_id in draw(st.lists(st.sampled_from(IDS), unique=True)):
        of = draw(st.sampled_from(known))
        status = draw(st.sampled_from(STATUSES))
        named = status == "succeeded" and draw(st.integers(0, 5)) > 0
        data = dataset(of.training.name)
        filename = file_name(
            "demo", data.name, data.sha256, of.digest if tag_in_file_name else None
        )
        files.append(
            File(
                f"file-{job_id}",
                filename,
                draw(st.sampled_from([data.bytes, data.bytes, data.bytes - 1])),
                draw(st.integers(0, 3)),
                data.sha256,
                of.digest if tag_in_file_name else None,
                usable=draw(st.integers(0, 5)) > 0,
            )
        )
        jobs.append(
            Job(
                id=job_id,
                status=status,
                created_at=draw(st.integers(0, 3)),
                finetune=None if tag_in_file_name else draw(st.sampled_from([of.name, *NAMES])),
                digest=of.digest if tag_in_file_name or draw(st.integers(0, 7)) else None,
                spec=of.spec if not tag_in_file_name and draw(st.booleans()) else None,
                replaces=None
                if tag_in_file_name
                else draw(st.sampled_from([None, None, None, *IDS])),
                model=f"ft:{BASE}:acme::{job_id}" if named else None,
                error=JobError("bad", "The file is bad.") if status == "failed" else None,
                training_file=f"file-{job_id}",
            )
        )
    files += [
        File(f"file-{name}", file_name("demo", name, dataset(name).sha256), 100, 0,
             dataset(name).sha256)
        for name in draw(st.lists(st.sampled_from(["rows", "lines", "rest"]), unique=True))
    ]  # fmt: skip
    all_models = [job.model for job in jobs if job.model]
    all_models += [f"{model}:ckpt-step-5" for model in all_models]
    models = frozenset(draw(st.lists(st.sampled_from(all_models)))) if all_models else frozenset()
    adopts = {one.adopt for one in desired.finetunes}
    adopted = [job for job in jobs if job.id in adopts]
    if "ftjob-elsewhere" in adopts and draw(st.booleans()):
        adopted.append(Job("ftjob-elsewhere", "succeeded", 0, model=f"ft:{BASE}:acme::elsewhere"))
        models |= {f"ft:{BASE}:acme::elsewhere"}
    names = [one.name for one in desired.finetunes]
    some = st.frozensets(st.sampled_from(names)) if names else st.just(frozenset[str]())
    listed = models_listed or draw(st.integers(0, 4)) > 0
    options = PlanOptions(
        prune=draw(st.booleans()),
        retry_failed=draw(st.booleans()),
        select=draw(st.one_of(st.none(), st.none(), some)),
        replace=dict.fromkeys(draw(some)) if draw(st.integers(0, 3)) == 0 else {},
        cosmetic=COSMETIC,
        tag_in_file_name=tag_in_file_name,
    )
    observed = Observed(tuple(jobs), tuple(files), models if listed else None, tuple(adopted))
    return Scene(desired, observed, options)


def starts(plan: Plan) -> list[StartJob]:
    return [step for change in plan.changes for step in change.steps if isinstance(step, StartJob)]


def simulate(plan: Plan, observed: Observed, now: int, *, tagged_by_file: bool = False) -> Observed:
    """What exists once a plan is carried out at a service where every new job succeeds at once."""
    jobs = {job.id: job for job in observed.jobs}
    files = {file.id: file for file in observed.files}
    models = set(observed.models or ())
    by_name = {}
    steps = [step for change in plan.changes for step in change.steps]
    for number, step in enumerate(steps):
        match step:
            case Upload():
                new = f"file-{now}-{number}"
                name = read_file_name(step.filename)
                assert name is not None
                files[new] = File(new, step.filename, step.bytes, now, name.sha256, name.digest)
                by_name[step.filename] = new
            case StartJob():
                new = f"ftjob-{now}-{number}"
                training = step.training.id or by_name[step.training.filename]
                assert files[training].usable
                assert files[training].sha256 == step.training.sha256
                if isinstance(step.base_model, ParentModel):
                    assert observed.has_model(step.base_model.model)
                own = {} if tagged_by_file else {"finetune": step.finetune, "spec": step.spec}
                jobs[new] = Job(
                    new, "succeeded", now, digest=step.digest, model=f"ft:{BASE}:acme::{new}",
                    replaces=None if tagged_by_file else step.replaces,
                    training_file=training, **own,
                )  # fmt: skip
                models.add(f"ft:{BASE}:acme::{new}")
            case CancelJob():
                jobs[step.job] = replace(jobs[step.job], status="cancelled")
    for step in steps:
        match step:
            case DeleteModel():
                models.remove(step.model)
            case DeleteFile():
                del files[step.id]
    if tagged_by_file:  # a job is known by its file alone
        jobs = {name: job for name, job in jobs.items() if job.training_file in files}
    return Observed(
        tuple(jobs.values()),
        tuple(files.values()),
        frozenset(models) if observed.models is not None else None,
        tuple(jobs.get(job.id, job) for job in observed.adopted),
    )


def finish(observed: Observed) -> Observed:
    """The same a while later: what was in progress has succeeded."""

    def over(job: Job) -> Job:
        model = f"ft:{BASE}:acme::{job.id}"
        return replace(job, status="succeeded", model=model) if job.in_progress else job

    models = observed.models
    if models is not None:
        models |= {f"ft:{BASE}:acme::{job.id}" for job in observed.jobs if job.in_progress}
    return replace(
        observed,
        jobs=tuple(map(over, observed.jobs)),
        adopted=tuple(map(over, observed.adopted)),
        models=models,
    )
