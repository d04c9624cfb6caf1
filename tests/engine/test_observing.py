"""What is asked before money is spent: witnesses by their ids, purchases that were broken off."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import HandClock, small_project
from fakes import FakeProvider, refused

from ftctl.domain.digest import file_name
from ftctl.domain.observed import UNTOLD, File, Job, Observed
from ftctl.domain.plan import Action, Plan, StartJob
from ftctl.engine.context import RunContext
from ftctl.engine.events import Noted
from ftctl.engine.intents import INTENTS_FOLDER, Intents, read_intents
from ftctl.engine.observing import LOOKS_FOR_SECONDS, observe
from ftctl.engine.planning import PlanRequest, make_plan_for, options_for
from ftctl.engine.session import Session, open_session
from ftctl.errors import ProviderError, UsageError

Write = Callable[[Mapping[str, str]], Path]
URL = "https://api.openai.com/v1"


@pytest.fixture
def heard() -> list[str]:
    return []


@pytest.fixture
def session(write_project: Write, clock: HandClock, heard: list[str]) -> Session:
    project = "project: demo\nprovider: {type: openai}\n"
    root = write_project(small_project(**{"ftctl.yaml": project}))

    def listen(event: object) -> None:
        if isinstance(event, Noted):
            heard.append(event.text)

    return open_session(RunContext(root, clock=clock, environ={}, listener=listen))


@pytest.fixture
def provider(clock: HandClock) -> FakeProvider:
    return FakeProvider(clock)


def recorded(session: Session, **release: Any) -> None:
    """A record of the fine-tune's digest, made here."""
    (tone,) = session.desired.finetunes
    entry = {
        "digest": tone.digest, "job": "ftjob-1", "model": "ft:1", "created_at": 1_789_000_000,
        "ftctl_version": "0.1.0", "method": "supervised",
        "service": {"type": "openai", "base_url": URL}, **release,
    }  # fmt: skip
    lock = {"environments": {"default": {"finetunes": {"tone": entry}}}, "lock_version": "1.0"}
    (session.root / "ftctl.lock").write_text(json.dumps(lock), "utf-8")


def planned(session: Session, provider: FakeProvider) -> tuple[Plan, Observed]:
    options = options_for(session, PlanRequest())
    observed = observe(session, provider, options, patient=True)
    return make_plan_for(session, observed, PlanRequest()), observed


def action(session: Session, provider: FakeProvider) -> Action:
    plan, _observed = planned(session, provider)
    return plan.changes[0].action


def broken_off(session: Session, clock: HandClock, at: float | None = None) -> StartJob:
    """A run that was killed between its request and the answer."""
    now = clock.now()
    (step,) = make_plan_for(session, Observed(), PlanRequest()).steps(StartJob)
    assert isinstance(step, StartJob)
    clock.time = now if at is None else at
    Intents(session.root, "demo", session.info, UNTOLD, None, clock).asked(step)
    clock.time = now
    return step


@pytest.mark.parametrize("status", [400, 403, 404, 405, 422, 501])
def test_however_a_service_says_that_it_knows_no_such_job_nothing_is_bought(
    session: Session, provider: FakeProvider, status: int
) -> None:
    recorded(session)
    provider.from_then_on("job", refused(status))

    assert action(session, provider) is Action.ATTENTION
    assert provider.called("job") == ["job ftjob-1"]


def test_a_fault_of_the_question_names_the_record(session: Session, provider: FakeProvider) -> None:
    recorded(session)
    provider.from_then_on("job", refused(500))

    with pytest.raises(ProviderError) as fault:
        planned(session, provider)

    assert "asked was for ftjob-1, which ftctl.lock or" in fault.value.message


@pytest.mark.parametrize("url", [f"{URL}/", "HTTPS://api.OpenAI.com/v1"])
def test_a_record_of_another_spelling_of_the_address_is_asked_for(
    session: Session, provider: FakeProvider, url: str
) -> None:
    recorded(session, service={"type": "openai", "base_url": url})

    assert action(session, provider) is Action.ATTENTION


def test_a_record_of_another_address_is_not_asked_for(
    session: Session, provider: FakeProvider
) -> None:
    recorded(session, service={"type": "openai", "base_url": "https://elsewhere.example/v1"})

    assert action(session, provider) is Action.CREATE
    assert provider.called("job") == []


def test_a_job_that_lists_do_not_show_yet_is_the_one_on_record(
    session: Session, provider: FakeProvider
) -> None:
    (tone,) = session.desired.finetunes
    recorded(session)
    late = Job("ftjob-1", "running", 1_789_000_000, "tone", tone.digest, project="demo")
    provider.has(late)
    provider.shown_at["ftjob-1"] = provider.clock.now() + 1000

    plan, observed = planned(session, provider)

    assert plan.changes[0].action is Action.NO_OP
    assert [job.id for job in observed.jobs] == ["ftjob-1"]


@pytest.mark.parametrize("status", ["running", "succeeded"])
def test_a_record_makes_no_strangers_job_ours(
    session: Session, provider: FakeProvider, status: str
) -> None:
    """A pull request may write what it likes into the record."""
    recorded(session)
    stranger = Job("ftjob-1", status, 5, base_model="gpt-x", model="ft:1", training_file="file-9")
    provider.has(stranger)
    provider.shown_at["ftjob-1"] = provider.clock.now() + 1000

    plan, observed = planned(session, provider)

    assert (observed.jobs, [job.id for job in observed.strangers]) == ((), ["ftjob-1"])
    assert [(change.action, change.steps) for change in plan.changes] == [(Action.ATTENTION, ())]


def test_a_purchase_that_was_broken_off_is_found_before_another_is_made(
    session: Session, provider: FakeProvider, clock: HandClock, heard: list[str]
) -> None:
    (tone,) = session.desired.finetunes
    broken_off(session, clock)
    provider.has(Job("ftjob-1", "running", int(clock.now()), "tone", tone.digest))
    provider.lag_seconds, provider.shown_at["ftjob-1"] = 60.0, clock.now()

    assert action(session, provider) is Action.NO_OP
    assert sum("looking for what it bought" in text for text in heard) == 1
    assert f"once {INTENTS_FOLDER} is deleted" in heard[-1]


@pytest.mark.parametrize("drift", [-3600.0, -120.0, 0.0, 3600.0, 1e9])
def test_how_long_is_looked_for_it_is_no_matter_of_the_clock(
    session: Session, provider: FakeProvider, clock: HandClock, drift: float
) -> None:
    broken_off(session, clock, clock.now() + drift)
    began = clock.now()

    assert action(session, provider) is Action.CREATE
    assert clock.now() - began == pytest.approx(LOOKS_FOR_SECONDS)
    assert read_intents(session.root, "demo", session.info) == ()
    assert action(session, provider) is Action.CREATE
    assert clock.now() - began == pytest.approx(LOOKS_FOR_SECONDS)  # it is looked for once


def test_without_intents_nobody_waits(
    session: Session, provider: FakeProvider, clock: HandClock
) -> None:
    began = clock.now()

    assert action(session, provider) is Action.CREATE
    assert clock.now() == began


def test_an_intent_of_another_spelling_of_the_address_is_the_same(
    session: Session, clock: HandClock
) -> None:
    step = broken_off(session, clock)
    other = replace(session.info, base_url=f"{session.info.base_url}/")

    (witness,) = read_intents(session.root, "demo", other)
    Intents(session.root, "demo", other, UNTOLD, None, clock).answered(step, None)

    assert witness.digest == step.digest
    assert read_intents(session.root, "demo", session.info) == ()


def test_replace_without_the_job_that_it_announces_is_refused(session: Session) -> None:
    with pytest.raises(UsageError, match="no job is named after '='"):
        options_for(session, PlanRequest(replace=("tone=",)))


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_purchase_that_was_found_is_not_looked_for_again(
    session: Session, provider: FakeProvider, clock: HandClock, status: str
) -> None:
    (tone,) = session.desired.finetunes
    broken_off(session, clock)
    provider.has(Job("ftjob-1", status, int(clock.now()), "tone", tone.digest))
    began = clock.now()
    again = options_for(session, PlanRequest(retry_failed=True))

    observed = observe(session, provider, again, patient=True)

    assert clock.now() == began
    assert [job.id for job in observed.jobs] == ["ftjob-1"]
    assert read_intents(session.root, "demo", session.info) == ()


def test_a_retry_that_was_broken_off_is_not_answered_by_the_job_that_it_follows(
    session: Session, provider: FakeProvider, clock: HandClock
) -> None:
    (tone,) = session.desired.finetunes
    failed = Job("ftjob-1", "failed", 5, "tone", tone.digest)
    provider.has(failed)
    request = PlanRequest(retry_failed=True)
    plan = make_plan_for(session, Observed((failed,)), request)
    (step,) = plan.steps(StartJob)
    assert isinstance(step, StartJob)
    Intents(session.root, "demo", session.info, UNTOLD, None, clock).asked(step)
    began = clock.now()

    observe(session, provider, options_for(session, request), patient=True)

    assert clock.now() - began == pytest.approx(LOOKS_FOR_SECONDS)


SHARED = """\
project: demo
provider: {type: openai}
environments:
  dev: {prune: true}
  prod: {prune: false}
  own: {provider: {type: emulator}}
"""


@pytest.mark.parametrize(
    ("sections", "environment", "kept"),
    [((), "dev", True), (("prod",), "dev", False), ((), "own", False), (("dev",), "prod", False)],
)
def test_while_the_record_does_not_tell_what_others_use_no_model_is_deleted(
    write_project: Write, clock: HandClock, sections: tuple[str, ...], environment: str, *,
    kept: bool,
) -> None:  # fmt: skip
    root = write_project(small_project(**{"ftctl.yaml": SHARED}))
    lock = {"environments": {name: {"finetunes": {}} for name in sections}, "lock_version": "1.0"}
    (root / "ftctl.lock").write_text(json.dumps(lock), "utf-8")
    session = open_session(RunContext(root, environment, clock=clock, environ={}))

    options = options_for(session, PlanRequest())

    assert (options.protected.get("ft:any") is not None) is kept
    assert options_for(session, PlanRequest(force_destroy=True)).protected == {}
    if kept:
        assert options.protected["ft:any"] == "ftctl.lock does not tell what prod uses"


@pytest.mark.parametrize(
    ("project", "tagged", "action"),
    [
        ("demo", True, Action.NO_OP),
        ("demo", False, Action.ATTENTION),
        ("other", True, Action.ATTENTION),
    ],
)
def test_a_job_that_lists_do_not_show_is_known_by_its_file_too(
    session: Session, provider: FakeProvider, project: str, *, tagged: bool, action: Action
) -> None:
    """Where the name of a file is the mark, a job on record is ours only by that name."""
    (tone,) = session.desired.finetunes
    assert tone.training is not None
    recorded(session)
    name = file_name(project, "tone", tone.training.sha256, tone.digest if tagged else None)
    provider.files["file-1"] = File("file-1", name, 10, 1)
    late = Job("ftjob-1", "running", 5, training_file="file-1")
    provider.has(late)
    provider.shown_at["ftjob-1"] = provider.clock.now() + 1000

    plan, observed = planned(session, provider)

    assert plan.changes[0].action is action
    assert [job.by_file for job in observed.jobs] == ([True] if action is Action.NO_OP else [])
