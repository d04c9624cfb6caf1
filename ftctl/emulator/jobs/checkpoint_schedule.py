"""Which steps of a job leave a mark: an event, a checkpoint, or both."""

from __future__ import annotations

import math

from ftctl.emulator.storage.job_record import Job

MOST_METRICS = 50
"""A job reports at most this often; after every step when there are few."""


def next_marked_step(job: Job) -> int:
    """The next step after the job's own that leaves a mark; the steps between leave nothing."""
    intervals = (_metrics_interval(job), _checkpoint_interval(job))
    following = [(job.step // interval + 1) * interval for interval in intervals]
    last = _failing_step(job)
    return min(*following, job.total_steps if last is None else last)


def last_marked_step_by(job: Job, step: int) -> int:
    """The last marked step up to that step; the job's own step if there is none."""
    reached = job.step
    for interval in (_metrics_interval(job), _checkpoint_interval(job)):
        reached = max(reached, step // interval * interval)
    last = _failing_step(job)
    if last is not None and last <= step:
        return last
    return job.total_steps if step >= job.total_steps else reached


def reports_metrics(job: Job, step: int) -> bool:
    """Whether the step's figures become an event."""
    return step % _metrics_interval(job) == 0 or step == job.total_steps


def saves_checkpoint(job: Job, step: int) -> bool:
    """Whether the step leaves a checkpoint: the end of an epoch, or an evaluation."""
    return step % _checkpoint_interval(job) == 0 or step == job.total_steps


def fails_at(job: Job, step: int) -> bool:
    """Whether the job was told to fail there."""
    return _failing_step(job) == step


def _metrics_interval(job: Job) -> int:
    return math.ceil(job.total_steps / MOST_METRICS)


def _checkpoint_interval(job: Job) -> int:
    if job.method_type == "reinforcement":
        return int(job.hyperparameters["eval_interval"])
    return job.steps_per_epoch


def _failing_step(job: Job) -> int | None:
    if job.fault is None or job.fault["at"] != "step":
        return None
    return min(int(job.fault["step"]), job.total_steps)
