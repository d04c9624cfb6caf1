"""Release records to test with: good ones, and every way in which one may be damaged."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from conftest import ROOT
from scenes import SERVICE, finetune, succeeded

from ftctl.domain.desired import Desired, FineTune
from ftctl.domain.observed import Job, Observed
from ftctl.lockfile import (
    Lock,
    Pointer,
    lock_text,
    promote,
    updated,
)
from ftctl.planner import PlanOptions, make_plan

TONE = finetune("tone")
OLDER = finetune("tone", 2)
OTHER = finetune("other", 5)
POINTER = Pointer("ftjob-1", "ft:base:acme::one", "2026-11-22T00:00:00Z", None, TONE.digest, "abc")
LATER = replace(POINTER, job="ftjob-2", model="ft:base:acme::two", at="2026-11-23T00:00:00Z")
LATEST = replace(POINTER, job="ftjob-3", model="ft:base:acme::three", at="2026-11-24T00:00:00Z")


def observed_of(*jobs: Job, **more: Any) -> Observed:
    """A service with these jobs and their models."""
    every = (*jobs, *more.get("adopted", ()), *more.get("others", ()))
    return Observed(jobs, (), frozenset(job.model for job in every if job.model), **more)


def recorded(
    observed: Observed,
    *finetunes: FineTune,
    lock: Lock | None = None,
    environment: str = "default",
    commit: str | None = None,
    version: str = "1.2.3",
    checkpoints: dict[str, dict[int, str]] | None = None,
) -> Lock:
    """The record after an apply that left the service so."""
    desired = Desired("demo", finetunes)
    return updated(
        lock or Lock(),
        environment,
        desired,
        observed,
        make_plan(desired, observed, SERVICE, PlanOptions()),
        version=version,
        commit=commit,
        checkpoints=checkpoints or {},
    )


def promoted(lock: Lock, *pointers: Pointer, name: str = "tone", alias: str = "prod") -> Lock:
    for pointer in pointers:
        lock = promote(lock, "default", name, alias, pointer)
    return lock


def done(job: str, of: FineTune, **more: Any) -> Job:
    return replace(succeeded(job, of, 7), **more)


SCHEMA = json.loads((ROOT / "schemas" / "lock.json").read_text("utf-8"))

GOOD = lock_text(promoted(recorded(observed_of(done("ftjob-1", TONE)), TONE), POINTER))


def _swapped(*way: str, to: object) -> str:
    """The good document with another value at one place."""
    document = json.loads(GOOD)
    inner = document
    for key in way[:-1]:
        inner = inner[key]
    inner[way[-1]] = to
    return json.dumps(document)


IN_TONE = ("environments", "default", "finetunes", "tone")
AT = "environments.default.finetunes.tone"

DAMAGED = {
    "": "line 1, column 1 is not JSON",
    GOOD[: len(GOOD) // 2]: "is not JSON",
    "[]": "the document is no mapping",
    "null": "the document is no mapping",
    "{}": "lock_version is missing",
    '{"lock_version": 1}': "lock_version is no text",
    '{"lock_version": "one"}': "lock_version is no version such as 1.0",
    '{"lock_version": "1.0", "lock_version": "1.1"}': "a key stands twice in the same mapping",
    '{"lock_version": "1.0", "x": NaN}': "it has a number that JSON does not know",
    '{"lock_version": "1.0", "environments": []}': "environments is no mapping",
    "[" * 100_000: "it is nested too deeply",
    '{"lock_version": "1.0", "x": ' + "9" * 5_000 + "}": "it has a number of more than 400 digits",
    _swapped(*IN_TONE, to=7): f"{AT} is no mapping",
    _swapped(*IN_TONE, "model", to=None): f"{AT}.model is missing",
    _swapped(*IN_TONE, "model", to=7): f"{AT}.model is no text",
    _swapped(*IN_TONE, "model", to="ft:x\nPATH=/tmp"): f"{AT}.model is no name of a job or model",
    _swapped(*IN_TONE, "model", to="$(id)"): f"{AT}.model is no name of a job or model",
    _swapped(*IN_TONE, "job", to="\x1b[2J"): f"{AT}.job is no name of a job or model",
    _swapped(*IN_TONE, "created_at", to="now"): f"{AT}.created_at is no whole number",
    _swapped(*IN_TONE, "seed", to=True): f"{AT}.seed is no whole number",
    _swapped(*IN_TONE, "seed", to=2**70): f"{AT}.seed is no whole number",
    _swapped(*IN_TONE, "checkpoints", to={"x": "ft:1"}): f"a key of {AT}.checkpoints is no step",
    _swapped(*IN_TONE, "data", "training", to=[]): f"{AT}.data.training is no mapping",
    _swapped(*IN_TONE, "promoted", "a b", to={}): f"a key of {AT}.promoted is no name",
    _swapped(*IN_TONE, "promoted", "prod", to={}): f"{AT}.promoted.prod.job is missing",
    _swapped(*IN_TONE, "history", to={"prod": {}}): f"{AT}.history.prod is no list",
    _swapped(*IN_TONE, "history", to={"prod": [7]}): f"{AT}.history.prod[0] is no mapping",
    _swapped("environments", "../../etc", to={}): "a key of environments is no name",
}  # fmt: skip
