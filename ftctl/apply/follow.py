"""Jobs in, their progress out, look by look, until each is over or time is up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ftctl.apply.sight import Sight
from ftctl.clock import Clock
from ftctl.domain.observed import TERMINAL, Event, Job, Progress
from ftctl.errors import ProviderError, WaitTimeout
from ftctl.providers.protocol import Reader
from ftctl.text.escape.single_line import one_line
from ftctl.text.format import duration

_TOLERATED_SECONDS = 60.0  # without a good look before a wait gives up
_EVENTS_LOOKED_AT = 50
_FIRST_PAUSE_SECONDS = 0.5
_SILENCE_SECONDS = 1800.0  # without news of any job before that is said; then twice as long
# That a model's name is waited for once its job has succeeded, and a job that cannot be read.
_NAMELESS_SECONDS = 600.0
_ODD_SECONDS = 86_400.0  # that a job is waited for in a status which nobody here knows
_LONGEST_PAUSE_SECONDS = 300.0  # between two looks at jobs whose statuses are all of that kind
_NAMELESS = "succeeded, and the service has not told its model's name"
# Words for a job that goes on; of any other word nobody knows whether it will ever end.
_GOES_ON = frozenset({"validating_files", "queued", "running", "paused", "pending", "created"})

# (job, all that are listed) → the one that is followed from now on
Settle = Callable[[Job, Mapping[str, Job]], Job]


def follow(
    provider: Reader,
    project: str,
    jobs: Mapping[str, str],
    clock: Clock,
    *,
    every_seconds: float,
    timeout_seconds: float | None = None,
    settle: Settle = lambda job, _listed: job,
    note: Callable[[str], None] = lambda _text: None,
) -> Iterator[tuple[Progress, ...]]:
    """The progress of jobs (name → id) at each look; the last one has them all over.

    The first looks come quickly, later ones every `every_seconds`: some jobs are over at once.
    `settle` hears of each look, and may have another job followed. `note` is told what people who
    wait should know. Raises `WaitTimeout` when time is up and `ProviderError` when looking fails
    for good.
    """
    watch = _Watch(provider, Sight(provider, project, clock, note), dict(jobs), settle, note)
    started = clock.now()
    last_good_look = watch.last_news = started
    usual_pause = min(every_seconds, _FIRST_PAUSE_SECONDS)
    progress: tuple[Progress, ...] = ()
    while True:
        try:
            progress = watch.look(clock.now())
            last_good_look = clock.now()
        except ProviderError:
            if clock.now() - last_good_look >= _TOLERATED_SECONDS:
                raise
        else:
            yield progress
            if all(state.over for state in progress):
                return
        pause = max(usual_pause, watch.odd_pause(clock.now()))
        usual_pause = min(every_seconds, usual_pause * 1.5)
        if timeout_seconds is not None:
            pause = min(pause, timeout_seconds - (clock.now() - started))
        if timeout_seconds is not None and pause <= 0:
            if progress and all(state.over or _is_nameless(state.job) for state in progress):
                yield watch.nameless(progress, timeout_seconds)
                return
            raise WaitTimeout(
                f"time is up, and not over yet: {_not_over(watch.jobs, progress)}",
                "the jobs run on and are billed; 'ftctl wait' waits again,"
                " 'ftctl status' shows them",
            )
        clock.sleep(pause)


def _not_over(jobs: Mapping[str, str], progress: tuple[Progress, ...]) -> str:
    seen = {state.name: state for state in progress}
    words = []
    for name, job in jobs.items():
        state = seen.get(name)
        if state is None or not state.over:
            odd = state is not None and _is_odd(state.job)
            status = f", status '{one_line(state.job.status)}'" if state and odd else ""
            words.append(f"{name} ({job}{status})")
    return ", ".join(words)


def _is_nameless(job: Job) -> bool:
    """Whether a job is done but for its model's name."""
    return job.status == "succeeded" and job.model is None


def _is_odd(job: Job) -> bool:
    return job.status not in _GOES_ON and job.status not in TERMINAL


@dataclass(slots=True)
class _Watch:
    """What a wait has seen so far."""

    provider: Reader
    sight: Sight
    jobs: dict[str, str]  # name → the job that is followed
    settle: Settle
    note: Callable[[str], None]
    last_news: float = 0.0
    silence: float = _SILENCE_SECONDS
    before: object = None  # what the last look has shown
    same: dict[str, tuple[str, float]] = field(default_factory=dict)  # job → status, since when
    odd: frozenset[str] = frozenset()  # jobs not over whose status nobody here knows
    usual: bool = True  # whether any other is not over

    def look(self, now: float) -> tuple[Progress, ...]:
        """One look at everything that is followed. Raises `ProviderError`."""
        listed = self.sight.once(set(self.jobs.values())).jobs
        progress = []
        for name, job in [*self.jobs.items()]:
            found = self.settle(listed.get(job) or self._by_id(job), listed)
            self.jobs[name] = found.id
            state = progress_of(name, found, _events(self.provider, found), now)
            progress.append(self._given_up(state, now))
        self._tell(progress, now)
        return tuple(progress)

    def _by_id(self, job: str) -> Job:
        """A job that lists do not show: they may lag behind, and some lose what is old."""
        try:
            return self.provider.job(job)
        except ProviderError as fault:
            if fault.status != 404:
                raise
            raise ProviderError(
                "list jobs",
                f"the service does not list {job}, and does not know it by its id",
                status=404,
            ) from None

    def _given_up(self, state: Progress, now: float) -> Progress:
        """The progress; over where a job has stood for long at what it may never leave."""
        job = state.job
        status, since = self.same.get(job.id, ("", now))
        if status != job.status:
            since = now
        self.same[job.id] = (job.status, since)
        nameless = _is_nameless(job)
        longest = _ODD_SECONDS if _is_odd(job) else None
        if nameless or job.is_unreadable:
            longest = _NAMELESS_SECONDS
        if longest is None or now - since < longest:
            return state
        what = f"is '{one_line(job.status)}', which ftctl does not know, without any change"
        if job.is_unreadable:
            what = f"cannot be read ({job.error.message if job.error else 'nobody knows why'})"
        return self._over(state, _NAMELESS if nameless else what, longest)

    def nameless(self, progress: tuple[Progress, ...], seconds: float) -> tuple[Progress, ...]:
        """The progress at the end of the time, where nothing but names is waited for."""
        return tuple(
            self._over(state, _NAMELESS, seconds) if _is_nameless(state.job) else state
            for state in progress
        )

    def _over(self, state: Progress, what: str, seconds: float) -> Progress:
        self.note(
            f"{state.name}: {state.job.id} {what} for {duration(seconds)}: it is not waited for any"
            " longer; 'ftctl status' shows when that changes"
        )
        return replace(state, given_up=True)

    def odd_pause(self, now: float) -> float:
        """How long the next look can wait, where all that is waited for is in an odd status."""
        if not self.odd or self.usual:
            return 0.0
        return min(_LONGEST_PAUSE_SECONDS, (now - self.last_news) / 10)

    def _tell(self, progress: list[Progress], now: float) -> None:
        """Say what is odd, and that there is no news where there is none for long."""
        running = [state for state in progress if not state.over]
        odd = [state for state in running if _is_odd(state.job)]
        for state in odd:
            if state.job.id not in self.odd:
                what = f"has the status '{one_line(state.job.status)}', which ftctl does not know"
                if state.job.is_unreadable:
                    what = "cannot be read"
                self.note(
                    f"{state.name}: {state.job.id} {what}: it is waited for until that changes,"
                    " or --timeout"
                )
        self.odd = frozenset(state.job.id for state in odd)
        self.usual = len(running) > len(odd)
        shown = [(state.job.id, state.job.status, state.step) for state in progress]
        if shown != self.before:
            self.before, self.last_news, self.silence = shown, now, _SILENCE_SECONDS
        elif now - self.last_news >= self.silence:
            waiting = ", ".join(
                f"{state.name} ({state.job.id}, {one_line(state.job.status)})" for state in running
            )
            self.note(f"no news of {waiting} for {duration(now - self.last_news)}; waiting on")
            self.silence *= 2


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
