"""A create request -> the fault that will stand on its job, or the refusal to make one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ftctl.emulator.faults.rule_store import all_faults, meet
from ftctl.emulator.faults.rules import Failure, JobRule, fits
from ftctl.emulator.http.wire import ApiError, Json
from ftctl.emulator.jobs.job_request import JobRequest
from ftctl.emulator.storage.database import Session
from ftctl.emulator.storage.files import find_file


@dataclass(frozen=True, slots=True)
class Course:
    """Where a job goes wrong, and the error that it then has, unless the rule words it."""

    at: Literal["validation", "queue", "step", "screening"]
    code: str | None = None
    message: str | None = None
    param: str | None = None


# The codes of files are the service's (api-facts A3.10); for the two failures after the training's
# start it documents none, so these are ours.
COURSES: Mapping[Failure | Literal["queued"], Course] = {
    "validation": Course(
        "validation",
        "invalid_training_file",
        "The training file cannot be used: a fault was asked for.",
        "training_file",
    ),
    "unsafe_file": Course(
        "validation",
        "unsafe_file",
        "The training file holds content that the usage policies do not allow:"
        " a fault was asked for.",
        "training_file",
    ),
    "queued": Course("queue"),
    "step": Course("step", "server_error", "The training broke off: a fault was asked for."),
    "screening": Course(
        "screening",
        "unsafe_model",
        "The model did not pass the safety evaluation after its training: a fault was asked for.",
    ),
}

NO_ACCESS = (
    "This organization has no access to fine-tuning and cannot create training jobs:"
    " a fault was asked for."
)


def fault_of_job(session: Session, request: JobRequest) -> Json | None:
    """`{"at", "code", "message", "param", "step"}`, or None for a job that nothing befalls.

    `at` is validation, queue (it stays there), step, or screening. Call it once for each job that
    is about to be made: every rule that concerns the job counts it. ApiError 403 where access is
    what fails.
    """
    struck: JobRule | None = None
    for kept in all_faults(session):
        rule = kept.rule
        if not isinstance(rule, JobRule) or not _concerns(rule, session, request):
            continue
        number = meet(session, kept.number)
        if struck is None and number is not None and rule.turns.strikes(number):
            struck = rule
    return None if struck is None else _course(struck)


def _concerns(rule: JobRule, session: Session, request: JobRequest) -> bool:
    if rule.suffix is not None and not fits(rule.suffix, request.suffix or ""):
        return False
    if rule.model is not None and not fits(rule.model, request.model):
        return False
    metadata = request.metadata or {}
    if any(metadata.get(key) != value for key, value in rule.metadata.items()):
        return False
    if rule.training_file is None or fits(rule.training_file, request.training_file):
        return True
    file = find_file(session, request.training_file)
    return file is not None and fits(rule.training_file, file["filename"])


def _course(rule: JobRule) -> Json:
    if rule.fails == "access":
        raise ApiError(
            403,
            rule.message or NO_ACCESS,
            param=rule.param,
            code=rule.code or "training_not_available",
        )
    course = COURSES[rule.fails]
    return {
        "at": course.at,
        "code": rule.code or course.code,
        "message": rule.message or course.message,
        "param": rule.param or course.param,
        "step": rule.step,
    }
