"""Jobs that run, and what came of stopping or halting them, in; lines and an exit status out."""

from __future__ import annotations

from collections.abc import Iterable

from ftctl.cli.exit_codes import DONE, FAILED, PARTIAL
from ftctl.cli.settings import Settings
from ftctl.engine.running import Running, RunningJob, Steered
from ftctl.engine.session import Session
from ftctl.errors import fault_text
from ftctl.reports.phrases import service_line
from ftctl.reports.text import progress_text
from ftctl.text.escape.single_line import one_line


def show_running(settings: Settings, session: Session, running: Running) -> None:
    """Whose jobs run, how far they are, and what they have cost so far."""
    settings.console.result(service_line(session.desired.project, session.info))
    settings.console.result("")
    for one in running.jobs:
        of = "" if one.current else "  (of an earlier spec, or asked for by nobody any more)"
        settings.console.result(f"{progress_text(one.progress)}{of}")
        settings.console.result(f"    job     {one_line(one.job.id)}")
        settings.console.result(f"    so far  {one_line(one.cost)}")
    for name, why in running.idle.items():
        settings.console.note(one_line(f"{name}: no job of it is seen to run: {why}"))
    for why in running.elsewhere.values():
        settings.console.note(f"note: {one_line(why)}")


def names_of(jobs: Iterable[RunningJob]) -> list[str]:
    """The fine-tunes whose jobs these are, each once."""
    return sorted({one.name for one in jobs})


def show_steered(settings: Settings, results: Iterable[Steered], wanted: str, done: str) -> int:
    """What came of each job; `wanted` is the status that was asked for, `done` the word for it.

    The exit status: one failure among others is a part that is not done.
    """
    results = tuple(results)
    for one in results:
        if one.error is not None:
            settings.console.note(f"error: {one_line(one.before.name)}: {fault_text(one.error)}")
        else:
            settings.console.result(one_line(_words(one, wanted, done)))
    failed = sum(one.error is not None for one in results)
    if not failed:
        return DONE
    return FAILED if failed == len(results) else PARTIAL


def _words(one: Steered, wanted: str, done: str) -> str:
    assert one.after is not None
    name, job, status = one.before.name, one.before.job, one.after.status
    if one.after is job:
        return f"{name}: {job.id} is {status} already: nothing to do"
    if not one.after.in_progress and status != wanted:
        return f"{name}: {job.id} was over before that ({status})"
    now = "" if status == wanted else f" ({status})"
    return f"{name}: {done} {job.id}{now}; its cost so far: {one.cost}"
