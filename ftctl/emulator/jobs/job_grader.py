"""The grader of a reinforcement job, as a function that its training can call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ftctl.emulator.http.wire import Json
from ftctl.emulator.settings import Settings
from ftctl.emulator.storage.database import Session
from ftctl.emulator.storage.job_record import Job

Grade = Callable[[dict[str, Any], str], float]


def grade_of(session: Session, job: Job, settings: Settings) -> Grade | None:
    """From a row and an answer to a number from 0 to 1; None for methods without a grader."""
    if job.method_type != "reinforcement":
        return None
    from ftctl.emulator.graders import PythonGradersOff, find_ask, make_grade

    grader = job.method["reinforcement"]["grader"]
    try:
        return make_grade(grader, settings, find_ask(session, grader))
    except PythonGradersOff:
        # They were on when the job began: its samples count as not gradable from here on.
        return _not_allowed


def _not_allowed(_item: Json, _text: str) -> float:
    from ftctl.emulator.graders import PythonGradersOff

    raise PythonGradersOff


def ungradable(job: Job, settings: Settings) -> Json | None:
    """The error of a job whose grader may not run here, or None."""
    if job.method_type != "reinforcement" or not settings.training:
        return None
    from ftctl.emulator.graders import PythonGradersOff, check_allowed

    try:
        check_allowed(job.method["reinforcement"]["grader"], python=settings.python_graders)
    except PythonGradersOff as fault:
        return {"code": fault.code, "message": str(fault), "param": "method.reinforcement.grader"}
    return None
