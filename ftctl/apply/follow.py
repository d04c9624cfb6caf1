"""Jobs in, their progress out, look by look, until each is over or time is up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ftctl.clock import Clock
from ftctl.domain.observed import Event, Job, Progress
from ftctl.errors import ProviderError, WaitTimeout
from ftctl.providers.protocol import Reader

_TOLERATED_SECONDS = 60.0  # without a good look before a wait gives up
_EVENTS_LOOKED_AT = 50
_FIRST_PAUSE_SECONDS = 0.5


def follow(
    provider: Reader,
    project: str,
    jobs: Mapping[str, str],
    clock: Clock,
    *,
    every_seconds: float,
    timeout_seconds: float | None = None,
) -> Iterator[tuple[Progress, ...]]:
    """The progress of jobs (name → id) at each look; the last one has them all over.

    The first looks come quickly, later ones every `every_seconds`: some jobs are over at once.
    Raises `WaitTimeout` when time is up and `ProviderError` when looking fails for good.
    """
    started = clock.now()
    last_good_look = started
    usual_pause = min(every_seconds, _FIRST_PAUSE_SECONDS)
    progress: tuple[Progress, ...] = ()
    while True:
        try:
            listed = {job.id: job for job in provider.jobs(project)}
            _all_listed(jobs, listed)
            now = clock.now()
            progress = tuple(
                progress_of(name, listed[job], _events(provider, listed[job]), now)
                for name, job in jobs.items()
            )
            last_good_look = now
        except ProviderError:
            if clock.now() - last_good_look >= _TOLERATED_SECONDS:
                raise
        else:
            yield progress
            if not any(state.job.in_progress for state in progress):
                return
        pause = usual_pause
        usual_pause = min(every_seconds, usual_pause * 1.5)
        if timeout_seconds is not None:
            pause = min(pause, timeout_seconds - (clock.now() - started))
        if timeout_seconds is not None and pause <= 0:
            over = {state.name for state in progress if not state.job.in_progress}
            waiting = ", ".join(f"{name} ({job})" for name, job in jobs.items() if name not in over)
            raise WaitTimeout(
                f"time is up, and not over yet: {waiting}",
                "the jobs run on and are billed; 'ftctl wait' waits again,"
                " 'ftctl status' shows them",
            )
        clock.sleep(pause)


def _all_listed(jobs: Mapping[str, str], listed: Mapping[str, Job]) -> None:
    """Lists may lag behind a create; a job that stays away is a fault of the service."""
    missing = [job for job in jobs.values() if job not in listed]
    if missing:
        raise ProviderError("list jobs", f"the service does not list {', '.join(missing)}")


def _events(provider: Reader, job: Job) -> tuple[Event, ...]:
    return provider.events(job.id, _EVENTS_LOOKED_AT) if job.status == "running" else ()


def progress_of(name: str, job: Job, events: tuple[Event, ...], now: float) -> Progress:
    """What the newest of a job's events say. `now` is in Unix seconds."""
    steps = [event for event in events if isinstance(event.metrics.get("step"), int)]
    if not steps:
        return Progress(name, job)
    last = steps[-1]
    total = last.metrics.get("total_steps")
    return Progress(
        name=name,
        job=job,
        step=last.metrics["step"],
        total_steps=total if isinstance(total, int) else None,
        train_loss=_newest(steps, "train_loss"),
        valid_loss=_first_told(_newest(steps, "full_valid_loss"), _newest(steps, "valid_loss")),
        seconds_left=_seconds_left(steps, now),
    )


def _first_told(*losses: float | None) -> float | None:
    return next((loss for loss in losses if loss is not None), None)


def _newest(events: list[Event], key: str) -> float | None:
    values = (event.metrics.get(key) for event in reversed(events))
    return next((float(value) for value in values if isinstance(value, int | float)), None)


def _seconds_left(steps: list[Event], now: float) -> float | None:
    """At the pace of the steps that were seen; None while there is no pace to tell."""
    first, last = steps[0], steps[-1]
    total = last.metrics.get("total_steps")
    walked = last.metrics["step"] - first.metrics["step"]
    if not isinstance(total, int) or walked <= 0:
        return None
    pace = (last.created_at - first.created_at) / walked
    left = pace * (total - last.metrics["step"]) - (now - last.created_at)
    return max(left, 0.0) if pace > 0 else None
