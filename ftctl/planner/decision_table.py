"""The planner's table: what is done about one fine-tune, by the first row that holds.

A job counts as the *same* when it has the desired digest, whatever it is called and however old.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from ftctl.domain.desired import FineTune
from ftctl.domain.observed import Job
from ftctl.domain.plan import Action
from ftctl.planner.evidence import Doubt
from ftctl.planner.retention import stoppable
from ftctl.text.identifiers import is_identifier


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a row of the table asks about one fine-tune. Jobs are newest first."""

    finetune: FineTune
    live: Job | None  # the newest same job that succeeded and whose model exists
    running: tuple[Job, ...]  # same, in progress, and not superseded by a replacement
    surplus: tuple[Job, ...]  # same and in progress, but bought once too often
    reused: Job | None  # another project's, of the same digest, whose model exists
    lost: Job | None  # the newest same job that succeeded, where no model of any is visible
    retired: bool  # whether that model was deleted by ftctl itself, as it was asked to
    newest: Job | None  # the newest same job, however it stands
    odd: Job | None  # a job of ours that cannot be read, and may be the same
    doubt: Doubt | None  # what speaks against buying it, beside our own jobs
    note: str  # what is said of a purchase all the same, for the end of its reason
    ended: Job | None  # the newest same job that is over, if it failed or was cancelled
    outdated: tuple[Job, ...]  # of this name, with another digest that nobody wants
    overtaken: Job | None  # by which a newer checkout has gone past `ended`, which was cancelled
    newer: tuple[Job, ...]  # of this name, in progress, bought by a newer checkout
    unreadable: Job | None  # of this name, with a digest of a version that is not known here
    unmarked: tuple[Job, ...]  # of this name, but without a digest: not bought by us
    earlier: Job | None  # of the same training, with the rows that an earlier ftctl has made
    twin: str | None  # another fine-tune of the manifests that asks for the same training
    adopted: Job | None
    adopted_otherwise: tuple[str, ...]  # what that job has, and what the manifest says instead
    replace: bool
    replace_done: bool  # whether what --replace asks for was bought already
    replace_job: str | None  # the job that it names
    retry_failed: bool
    old_parent: str | None  # the parent's model that `live` continues from, where that is another's

    @property
    def superseded(self) -> tuple[Job, ...]:
        """Jobs in progress that nobody waits for any more."""
        return tuple(job for job in self.outdated if stoppable(job))

    @property
    def same(self) -> Job | None:
        """The job of the same training that tells most about it."""
        return self.live or next(iter(self.running[-1:]), None) or self.ended

    @property
    def doubtful(self) -> bool:
        """Whether a witness speaks against buying it, and no flag was given that answers."""
        return self.doubt is not None and not (self.doubt.retry and self.retry_failed)


class Decision(NamedTuple):
    """What a row of the table says: `start` buys a run, `stop` cancels jobs."""

    action: Action
    reason: str
    stop: tuple[tuple[Job, str], ...] = ()
    start: bool = False
    stands: Job | None = None  # the job that stands for the fine-tune


class Row(NamedTuple):
    """One row of the planner's table."""

    given: str
    holds: Callable[[Facts], bool]
    decide: Callable[[Facts], Decision]


def _adopted(facts: Facts) -> Decision:
    job = facts.adopted
    adopt = facts.finetune.adopt
    if job is None:
        return Decision(Action.ATTENTION, f"adopts {adopt}, which this account does not show")
    if facts.adopted_otherwise:
        reason = (
            f"adopts {adopt}, which has {', '.join(facts.adopted_otherwise)};"
            " write what it has, or leave 'adopt' out to train what is asked"
        )
        return Decision(Action.ATTENTION, reason, stands=job)
    return Decision(Action.NO_OP, f"adopted {adopt} ({job.model or job.status})", stands=job)


def _twin(facts: Facts) -> Decision:
    reason = f"the same training as {facts.twin}: one job serves both"
    stands = facts.live if facts.replace else facts.same  # a replaced run is cancelled there
    if stop := _superseded(facts):
        return Decision(Action.CANCEL, f"{reason}; {_old(facts)}", stop, stands=stands)
    return Decision(Action.NO_OP, reason, stands=stands)


def _replace_done(facts: Facts) -> Decision:
    job = facts.newest
    assert job is not None
    name = facts.finetune.name
    if facts.replace_job is not None and job.replaces != facts.replace_job:
        reason = (
            f"{job.id} is the newest of it, and not {facts.replace_job}:"
            f" --replace {name}={job.id} replaces that"
        )
        return Decision(_without_a_model(facts, job), reason, stands=facts.live or job)
    how = f" and {_how(job)}" if _in_vain(job) else ""
    reason = (
        f"{job.id} was bought by --replace already{how}; --replace {name}={job.id} buys another"
    )
    return Decision(_without_a_model(facts, job), reason, stands=facts.live or job)


def _replace(facts: Facts) -> Decision:
    running = (*facts.running, *facts.surplus)
    stop = tuple((job, "replaced on request") for job in running if stoppable(job))
    stop += _superseded(facts)
    return Decision(Action.REPLACE, "asked for with --replace", stop, start=True)


def _back(facts: Facts) -> Decision:
    assert facts.live is not None
    reason = f"back to {facts.live.model}"
    stop = (*_superseded(facts), *_surplus(facts))
    return Decision(Action.CANCEL, reason, stop, stands=facts.live)


def _up_to_date(facts: Facts) -> Decision:
    assert facts.live is not None
    reason = f"up to date as {facts.live.model}"
    if facts.live.finetune not in (None, facts.finetune.name):
        reason += f" (trained as {facts.live.finetune})"
    if facts.running:
        reason += f"; {facts.running[-1].id} trains its replacement"
    elif facts.ended is not None and facts.ended.replaces is not None:
        reason += f"; its replacement {how_it_ended(facts.ended)}"
    return Decision(Action.NO_OP, reason, stands=facts.live)


def _duplicate(facts: Facts) -> Decision:
    kept = facts.running[-1] if facts.running else facts.live
    first = facts.surplus[-1]
    assert kept is not None
    reason = f"{first.id} duplicates {kept.id}"
    return Decision(
        Action.CANCEL, reason, (*_surplus(facts), *_superseded(facts)), stands=facts.live or kept
    )


def _running(facts: Facts) -> Decision:
    job = facts.running[-1]
    match job.status:
        case "succeeded":
            reason = f"{job.id} succeeded; the service has not told its model's name yet"
        case "paused":
            reason = f"paused as {job.id}; 'ftctl resume {facts.finetune.name}' lets it go on"
        case status:
            reason = f"running as {job.id} ({status})"
    if stop := _superseded(facts):
        return Decision(Action.CANCEL, f"{reason}; {_old(facts)}", stop, stands=job)
    return Decision(Action.NO_OP, reason, stands=job)


def _odd(facts: Facts) -> Decision:
    job = facts.odd
    assert job is not None
    why = f": {job.error.message}" if job.error else ""
    reason = f"{job.id} cannot be read{why}; {_replacing(facts)} buys it all the same"
    return Decision(Action.ATTENTION, reason, stands=job)


def _reused(facts: Facts) -> Decision:
    job = facts.reused
    assert job is not None
    reason = f"up to date as {job.model} (trained by project {job.project})"
    if stop := _superseded(facts):
        return Decision(Action.CANCEL, f"{reason}; {_old(facts)}", stop, stands=job)
    return Decision(Action.NO_OP, reason, stands=job)


def _retired(facts: Facts) -> Decision:
    assert facts.lost is not None
    reason = f"{facts.lost.model} was retired; {_replacing(facts)} trains it again"
    return Decision(Action.NO_OP, reason, stands=facts.lost)


def _model_not_visible(facts: Facts) -> Decision:
    job = facts.lost
    assert job is not None
    reason = (
        f"{job.id} made {job.model}, which this key cannot see: deleted, or hidden;"
        f" {_replacing(facts)} buys it again"
    )
    return Decision(Action.ATTENTION, reason, stands=job)


def _doubtful(facts: Facts) -> Decision:
    assert facts.doubt is not None
    reason = f"{facts.doubt.reason}; {_replacing(facts)} buys it all the same"
    return Decision(Action.ATTENTION, reason, stands=facts.doubt.job)


def _replacing(facts: Facts) -> str:
    """The option that buys it again: one that was bought by --replace is replaced by its id."""
    name, job = facts.finetune.name, facts.newest
    if job is None or job.replaces is None or not is_identifier(job.id):
        return f"--replace {name}"
    return f"--replace {name}={job.id}"


def _old_parent(facts: Facts) -> Decision:
    assert facts.live is not None
    reason = (
        f"{facts.live.model} continues from {facts.old_parent}, and its parent was trained again;"
        f" --replace {facts.finetune.name} follows it"
    )
    return Decision(Action.ATTENTION, reason, stands=facts.live)


def _retry(facts: Facts) -> Decision:
    assert facts.ended is not None
    reason = f"tries again: {how_it_ended(facts.ended)}"
    return Decision(Action.CREATE, reason, _superseded(facts), start=True)


def _ended(facts: Facts) -> Decision:
    assert facts.ended is not None
    if (by := facts.overtaken) is not None:
        reason = (
            f"{facts.ended.id} was superseded by {by.id} (of commit {(by.commit or '')[:7]});"
            " --retry-failed buys it all the same"
        )
        return Decision(Action.ATTENTION, reason, stands=facts.ended)
    reason = f"{how_it_ended(facts.ended)}; --retry-failed buys it again"
    if stop := _superseded(facts):
        return Decision(Action.CANCEL, f"{reason}; {_old(facts)}", stop, stands=facts.ended)
    return Decision(Action.ATTENTION, reason, stands=facts.ended)


def _in_vain(job: Job) -> bool:
    """Whether a job is over and no model comes of it."""
    return job.status in ("failed", "cancelled")


def _without_a_model(facts: Facts, job: Job) -> Action:
    """What nothing is done about: *attention* where only a failed job stands for it."""
    return Action.ATTENTION if facts.live is None and _in_vain(job) else Action.NO_OP


def how_it_ended(job: Job) -> str:
    """`ftjob-1 failed: the service's words`."""
    return f"{job.id} {_how(job)}"


def _how(job: Job) -> str:
    words = f": {job.error.message.rstrip('. ')}" if job.error else ""
    return f"{'was cancelled' if job.status == 'cancelled' else 'failed'}{words}"


def _old(facts: Facts) -> str:
    ids = [job.id for job in facts.superseded]
    return f"{' and '.join(ids)} {'trains an older spec' if len(ids) == 1 else 'train older specs'}"


def _changed(facts: Facts) -> Decision:
    return Decision(Action.REPLACE, "changed", _superseded(facts), start=True)


def _unreadable(facts: Facts) -> Decision:
    job = facts.unreadable
    assert job is not None
    assert job.digest is not None
    version = job.digest.partition(":")[0]
    reason = f"{job.id} was bought by a newer ftctl (digest {version}); upgrade to compare with it"
    return Decision(Action.NO_OP, reason, stands=job)


def _absent(facts: Facts) -> Decision:
    reason = f"not found{facts.note}"
    if facts.unmarked:
        reason += f" ({facts.unmarked[0].id} has this name, but no digest to know it by)"
    return Decision(Action.CREATE, reason, start=True)


def _other_rows(facts: Facts) -> Decision:
    """Only our own conversion has changed: that buys nothing by itself."""
    job = facts.earlier
    assert job is not None
    told = _of_rows(facts.finetune)
    if _in_vain(job) and facts.retry_failed:
        return Decision(Action.CREATE, f"tries again: {how_it_ended(job)}", start=True)
    if _in_vain(job):
        reason = f"{how_it_ended(job)}, and ftctl makes other rows now ({told}); --retry-failed"
        return Decision(Action.ATTENTION, f"{reason} trains on those", stands=job)
    reason = (
        f"{_trained(job)} rows that an earlier ftctl made ({told});"
        f" {_keeping(facts.finetune, job)} keeps it, {_replacing(facts)} trains on those of now"
    )
    return Decision(Action.ATTENTION, reason, stands=job)


def _refused_rows(facts: Facts) -> Decision:
    """The rows of an earlier ftctl stand, and there is nothing to train on in their place."""
    job, finetune = facts.live or facts.running[-1], facts.finetune
    reason = (
        f"{_trained(job)} rows that ftctl makes no more ({_of_rows(finetune)});"
        f" {_keeping(finetune, job)} keeps it"
    )
    return Decision(Action.ATTENTION, reason, stands=job)


def _trained(job: Job) -> str:
    if job.in_progress:
        return f"{job.id} ({job.status}) trains on"
    return f"{job.model or job.id} was trained on"


def _of_rows(finetune: FineTune) -> str:
    """Which rows an earlier ftctl made otherwise, and how: its own, or those of its parents."""
    if finetune.training is not None and finetune.training.before is not None:
        return f"{finetune.training.path}: {finetune.training.before.why}"
    return f"those of {finetune.parent.finetune} changed" if finetune.parent else "another version"


def _keeping(finetune: FineTune, job: Job) -> str:
    """What to write so that a job stands without a doubt."""
    before = finetune.changed_rows
    return before.keeps if before is not None and before.keeps else f"'adopt: {job.id}'"


def _superseded(facts: Facts) -> tuple[tuple[Job, str], ...]:
    return tuple((job, "superseded") for job in facts.superseded)


def _surplus(facts: Facts) -> tuple[tuple[Job, str], ...]:
    return tuple((job, "duplicate") for job in facts.surplus)


TABLE: tuple[Row, ...] = (
    Row("the manifest adopts a job", lambda facts: facts.finetune.adopt is not None, _adopted),
    Row("another fine-tune asks for the same", lambda facts: facts.twin is not None, _twin),
    Row(
        "--replace names it, and it was bought so already",
        lambda facts: facts.replace and facts.replace_done,
        _replace_done,
    ),
    Row(
        "--replace names it, and there is one, or may be",
        lambda facts: (
            facts.replace
            and (
                facts.same
                or facts.lost
                or facts.doubt
                or facts.newest
                or facts.odd
                or facts.earlier
            )
            is not None
        ),
        _replace,
    ),
    Row(
        "same succeeded or in progress, on rows that ftctl makes no more",
        lambda facts: facts.finetune.refused_rows and bool(facts.live or facts.running),
        _refused_rows,
    ),
    Row(
        "same succeeded and its model exists, another digest in progress",
        lambda facts: facts.live is not None and bool(facts.superseded),
        _back,
    ),
    Row("more than one of the same in progress", lambda facts: bool(facts.surplus), _duplicate),
    Row(
        "same succeeded and its model exists, its parent was trained again",
        lambda facts: facts.live is not None and facts.old_parent is not None,
        _old_parent,
    ),
    Row("same succeeded and its model exists", lambda facts: facts.live is not None, _up_to_date),
    Row("same in progress, paused or unknown", lambda facts: bool(facts.running), _running),
    Row("a job of ours that cannot be read", lambda facts: facts.odd is not None, _odd),
    Row("another project has the same", lambda facts: facts.reused is not None, _reused),
    Row(
        "same succeeded, its model was retired by us",
        lambda facts: facts.lost is not None and facts.retired,
        _retired,
    ),
    Row(
        "same succeeded, its model not visible to this key",
        lambda facts: facts.lost is not None,
        _model_not_visible,
    ),
    Row("a witness says that it was bought", lambda facts: facts.doubtful, _doubtful),
    Row(
        "same failed or cancelled, --retry-failed",
        lambda facts: facts.ended is not None and facts.retry_failed,
        _retry,
    ),
    Row("same failed or cancelled", lambda facts: facts.ended is not None, _ended),
    Row(
        "only the same on rows that an earlier ftctl made of the same source",
        lambda facts: facts.earlier is not None,
        _other_rows,
    ),
    Row(
        "a digest of a version that is not known here",
        lambda facts: facts.unreadable is not None,
        _unreadable,
    ),
    Row("only other digests", lambda facts: bool(facts.outdated), _changed),
    Row("no job of ours with this name", lambda _facts: True, _absent),
)
