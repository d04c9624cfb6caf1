"""What a wait begins: what the approved plan shows, once, and nothing besides."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from ftctl.domain.desired import ServiceInfo
from ftctl.domain.plan import (
    Action,
    CancelJob,
    Change,
    DeleteModel,
    FileRef,
    Plan,
    Report,
    StartJob,
    Step,
    Upload,
)
from ftctl.engine.execute import _Wait

START = StartJob("child", "v1:a", {}, "gpt", FileRef("rows", "rows.jsonl", "0" * 64, "f-1"), None)
OTHER = Change("another", Action.NO_OP, "as it is", follows="ftjob-another")
CHILD = Change("child", Action.DEFER, "waits", follows="ftjob-approved")


def wait(notes: list[str], *changes: Change) -> _Wait:
    """A wait for a report of these changes, before which there was one job."""
    plan = Plan("demo", ServiceInfo("openai", "https://api.example/v1"), changes)
    executor: Any = SimpleNamespace(
        provider=None, note=notes.append, terms=SimpleNamespace(is_alike=None)
    )
    return _Wait(executor, Report(plan=plan, known_jobs=frozenset({"ftjob-before"})), None)


def begun(changes: tuple[Change, ...], follows: str | None, *steps: Step) -> Change:
    start = replace(START, follows=follows)
    change = Change("child", Action.CREATE, "its turn", steps=(start, *steps))
    return wait([], *changes)._approved_steps(change)


@pytest.mark.parametrize("follows", [None, "ftjob-approved", "ftjob-before"])
def test_what_nobody_has_bought_since_is_bought(follows: str | None) -> None:
    change = begun((OTHER, CHILD), follows)

    assert (change.action, len(change.steps)) == (Action.CREATE, 1)


@pytest.mark.parametrize("follows", ["ftjob-since", "ftjob-another"])
def test_what_somebody_has_bought_since_is_not_bought_again(follows: str) -> None:
    change = begun((OTHER, CHILD), follows)

    assert (change.action, change.steps) == (Action.ATTENTION, ())


def test_what_waits_its_turn_follows_what_its_purchase_did() -> None:
    approved = begun((OTHER, CHILD), "ftjob-approved")
    queued = Change("child", Action.CREATE, "", steps=approved.steps)

    assert begun((OTHER, queued), "ftjob-approved").action is Action.CREATE
    assert begun((OTHER, queued), "ftjob-since").action is Action.ATTENTION


def test_steps_beside_a_purchase_are_those_that_were_shown() -> None:
    shown, unshown, model = (
        CancelJob("ftjob-1", "old"),
        CancelJob("ftjob-2", "old"),
        DeleteModel("m"),
    )
    notes: list[str] = []
    waiting = wait(notes, OTHER, Change("child", Action.REPLACE, "", steps=(shown,)))

    change = waiting._approved_steps(
        Change("child", Action.REPLACE, "", steps=(START, shown, unshown, model))
    )

    assert change.steps == (START, shown)
    assert len(notes) == 1
    assert "ftjob-2 (old) is left as it is" in notes[0]


def test_an_upload_goes_before_its_purchase_and_what_buys_nothing_is_no_purchase() -> None:
    upload, shown = Upload("rows", "rows.jsonl", "0" * 64, 10, "rows.jsonl"), CancelJob("f", "old")
    waiting = wait([], OTHER, Change("child", Action.CANCEL, "", steps=(shown,)))
    late = replace(START, follows="ftjob-since")

    bought = waiting._approved_steps(Change("child", Action.CREATE, "", steps=(upload, late)))
    calm = waiting._approved_steps(Change("child", Action.CANCEL, "", steps=(shown,)))

    assert (bought.action, bought.steps) == (Action.ATTENTION, ())
    assert (calm.action, calm.steps) == (Action.CANCEL, (shown,))
