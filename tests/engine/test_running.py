"""The jobs that run, and those alone: what counts as ours, what is asked, what it has cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import FINETUNE, HandClock, small_project
from fakes import FakeProvider, refused

from ftctl.domain.observed import UNTOLD, Event, Job
from ftctl.domain.plan import Ended, StartJob
from ftctl.engine.context import RunContext
from ftctl.engine.events import Noted
from ftctl.engine.execute import Executor
from ftctl.engine.intents import Intents
from ftctl.engine.planning import PlanRequest, make_plan_for
from ftctl.engine.running import (
    Running,
    cancel_jobs,
    pause_jobs,
    resume_jobs,
    running_jobs,
    wait_for_jobs,
)
from ftctl.engine.session import Session, open_session
from ftctl.errors import Interrupted, ProviderError, UsageError, WaitTimeout
from ftctl.planner import PlanOptions

Write = Callable[[Mapping[str, str]], Path]

BILLED = "project: demo\nprovider: {type: openai}\n"
CHILD = FINETUNE.replace("name: tone", "name: warm").replace(
    "gpt-4.1-mini-2025-04-14", "{finetune: tone}"
)


@pytest.fixture
def heard() -> list[str]:
    return []


@pytest.fixture
def session(write_project: Write, clock: HandClock, heard: list[str]) -> Session:
    root = write_project(small_project(**{"ftctl.yaml": BILLED, "finetunes/warm.yaml": CHILD}))

    def listen(event: object) -> None:
        if isinstance(event, Noted):
            heard.append(event.text)

    return open_session(RunContext(root, clock=clock, environ={}, listener=listen))


@pytest.fixture
def provider(clock: HandClock) -> FakeProvider:
    return FakeProvider(clock)


def job(session: Session, name: str = "tone", **facts: object) -> Job:
    """A job of a fine-tune's spec that trains."""
    finetune = session.desired.named(name)
    assert finetune is not None
    made = Job(
        "ftjob-1", "running", 1_790_000_000, finetune=name, digest=finetune.digest,
        base_model="gpt-4.1-mini-2025-04-14",
    )  # fmt: skip
    return replace(made, **facts)  # type: ignore[arg-type]


def ids(running: Running) -> list[str]:
    return [one.job.id for one in running.jobs]


def test_what_runs_under_a_name_counts_whatever_its_spec(
    session: Session, provider: FakeProvider
) -> None:
    provider.has(
        job(session),
        job(session, id="ftjob-2", digest="v1:earlier"),
        job(session, id="ftjob-3", finetune="left", digest="v1:left"),
        job(session, id="ftjob-4", digest="v1:older", status="succeeded", model="ft:4"),
    )

    tone = running_jobs(session, provider, ["tone"], "cancel")
    everything = running_jobs(session, provider, (), "wait")

    assert [(one.job.id, one.current) for one in tone.jobs] == [
        ("ftjob-1", True),
        ("ftjob-2", False),
    ]
    assert ids(everything) == ["ftjob-3", "ftjob-1", "ftjob-2"]
    assert everything.idle == {"warm": "waits for tone: ftjob-1 trains it"}
    assert provider.bought == 0


def test_a_job_that_is_not_ours_does_not_count(session: Session, provider: FakeProvider) -> None:
    provider.has(
        job(session, project="another"),
        job(session, id="ftjob-2", digest=None),  # of this name, but not bought by us
    )

    assert ids(running_jobs(session, provider, ["tone"], "cancel")) == []


def test_a_renamed_fine_tune_finds_its_job_and_not_that_of_its_twin(
    session: Session, provider: FakeProvider
) -> None:
    provider.has(job(session, finetune="old-name"))
    assert ids(running_jobs(session, provider, ["tone"], "cancel")) == ["ftjob-1"]

    provider.has(job(session, finetune="warm"))
    assert ids(running_jobs(session, provider, ["tone"], "cancel")) == []


def test_a_name_that_fits_nothing_is_refused_before_anything_is_touched(
    session: Session, provider: FakeProvider
) -> None:
    with pytest.raises(UsageError, match="cancel: there is no fine-tune 'tome'") as fault:
        running_jobs(session, provider, ["tome"], "cancel")

    assert fault.value.hint == "did you mean 'tone'?"


def test_a_cancel_touches_the_jobs_that_were_shown_and_nothing_else(
    session: Session, provider: FakeProvider
) -> None:
    provider.has(
        job(session), job(session, id="ftjob-2", status="succeeded", model="ft:2"),
        job(session, id="ftjob-3", finetune="warm", digest="v1:warm"),
    )  # fmt: skip
    running = running_jobs(session, provider, ["tone"], "cancel")
    provider.calls.clear()

    results = cancel_jobs(session, provider, running.jobs)

    assert [one.after and one.after.status for one in results] == ["cancelled"]
    assert provider.called("cancel_job") == ["cancel_job ftjob-1"]
    assert {call.partition(" ")[0] for call in provider.calls} == {"cancel_job", "events"}
    assert provider.models == {"ft:2"}


def test_one_refusal_does_not_keep_the_others_from_being_stopped(
    session: Session, provider: FakeProvider
) -> None:
    provider.has(job(session), job(session, id="ftjob-2", digest="v1:earlier"))
    running = running_jobs(session, provider, ["tone"], "cancel")
    provider.at_next("cancel_job", refused(403))

    first, second = cancel_jobs(session, provider, running.jobs)

    assert isinstance(first.error, ProviderError)
    assert second.after is not None
    assert second.after.status == "cancelled"


def test_a_job_that_only_waits_for_its_models_name_is_not_stopped(
    session: Session, provider: FakeProvider
) -> None:
    provider.has(job(session, status="succeeded"))
    running = running_jobs(session, provider, ["tone"], "cancel")

    (result,) = cancel_jobs(session, provider, running.jobs)

    assert result.after is running.jobs[0].job
    assert provider.called("cancel_job") == []


def test_a_pause_and_a_resume_ask_only_where_there_is_something_to_do(
    session: Session, provider: FakeProvider
) -> None:
    provider.has(job(session))

    def steer(act: Callable[..., tuple[object, ...]]) -> None:
        act(session, provider, running_jobs(session, provider, ["tone"], "pause").jobs)

    for act in (resume_jobs, pause_jobs, pause_jobs, resume_jobs):
        steer(act)

    asked = [call for call in provider.calls if "pause" in call or "resume" in call]
    assert asked == ["pause_job ftjob-1", "resume_job ftjob-1"]


@pytest.mark.parametrize("status", [400, 404, 405, 501])
def test_a_service_without_a_pause_is_told_in_a_sentence(
    session: Session, provider: FakeProvider, status: int
) -> None:
    provider.has(job(session)).at_next("pause_job", refused(status))
    running = running_jobs(session, provider, ["tone"], "pause")

    (result,) = pause_jobs(session, provider, running.jobs)

    assert result.error is not None
    assert result.error.message == "the service does not pause ftjob-1: no"
    assert "'ftctl cancel NAME'" in (result.error.hint or "")


def test_a_refused_key_is_not_taken_for_a_service_without_a_pause(
    session: Session, provider: FakeProvider
) -> None:
    provider.has(job(session)).at_next("pause_job", refused(401))
    running = running_jobs(session, provider, ["tone"], "pause")

    (result,) = pause_jobs(session, provider, running.jobs)

    assert result.error is not None
    assert result.error.message == "no"


def step(number: int, total: int) -> Event:
    metrics = {"step": number, "total_steps": total}
    return Event(f"e{number}", 1_790_000_000 + number, "info", f"Step {number}", metrics)


def test_the_cost_counts_what_was_trained_while_somebody_read(
    session: Session, provider: FakeProvider
) -> None:
    provider.has(job(session))
    provider.log["ftjob-1"] = (step(1, 4),)
    running = running_jobs(session, provider, ["tone"], "cancel")
    provider.log["ftjob-1"] = (step(1, 4), step(3, 4))

    (result,) = cancel_jobs(session, provider, running.jobs)

    assert "(step 1 of 4; at most " in running.jobs[0].cost
    assert "(step 3 of 4; at most " in result.cost


def test_events_that_cannot_be_read_keep_nobody_from_stopping_a_job(
    session: Session, provider: FakeProvider
) -> None:
    provider.has(job(session)).from_then_on("events", refused(404))
    running = running_jobs(session, provider, ["tone"], "cancel")

    (result,) = cancel_jobs(session, provider, running.jobs)

    assert result.error is None
    assert "the service tells no steps of it" in result.cost


# Environments.


@pytest.fixture
def prod(write_project: Write, clock: HandClock) -> Session:
    """A project with two environments in one account, in one of them."""
    settings = f"{BILLED}environments: {{dev: {{}}, prod: {{}}}}\n"
    root = write_project(small_project(**{"ftctl.yaml": settings}))
    return open_session(RunContext(root, environment="prod", clock=clock, environ={}))


def test_the_job_of_another_environment_is_left_alone_and_where_it_is_said(
    prod: Session, provider: FakeProvider
) -> None:
    provider.has(
        job(prod, environment="prod"), job(prod, id="ftjob-2", environment="dev"),
        job(prod, id="ftjob-3", digest="v1:earlier"),
        job(prod, id="ftjob-4", finetune="cold", digest="v1:cold", environment="dev"),
    )  # fmt: skip

    running = running_jobs(prod, provider, ["tone"], "cancel")

    assert ids(running) == ["ftjob-1"]
    assert running.elsewhere == {
        "ftjob-2": "ftjob-2 was bought by another environment and is left alone:"
        " 'ftctl --env dev cancel tone'",
        "ftjob-3": "ftjob-3 does not say which environment bought it: it is left alone",
    }


def test_a_wait_follows_the_job_that_environments_share(
    prod: Session, provider: FakeProvider
) -> None:
    provider.has(
        job(prod, environment="dev"), job(prod, id="ftjob-2", digest="v1:1", environment="dev")
    )
    provider.at_next("jobs", lambda: provider.becomes("ftjob-1", status="succeeded", model="ft:1"))

    report = wait_for_jobs(executor(prod, provider), (), None)

    assert report.ended == (Ended("tone", "ftjob-1", "ft:1"),)


def test_who_names_a_fine_tune_may_stop_what_a_newer_checkout_bought(
    session: Session, provider: FakeProvider
) -> None:
    provider.has(job(session, commit="f" * 40))

    assert ids(running_jobs(session, provider, ["tone"], "cancel")) == ["ftjob-1"]


def test_what_a_killed_run_was_buying_is_looked_for(
    session: Session, provider: FakeProvider, clock: HandClock
) -> None:
    """Lists lag, and who says that nothing runs has not looked long enough."""
    killed = job(session)
    review = make_plan_for(session, provider.observe("demo"), PlanRequest())
    (step,) = review.steps(StartJob)
    assert isinstance(step, StartJob)
    Intents(session.root, "demo", session.info, UNTOLD, None, clock).asked(step)
    provider.has(killed)
    provider.lag_seconds = 20.0
    provider.shown_at[killed.id] = clock.now()

    running = running_jobs(session, provider, ["tone"], "cancel")

    assert ids(running) == ["ftjob-1"]


# Waiting.


def executor(session: Session, provider: FakeProvider) -> Executor:
    return Executor(session, provider, PlanOptions())


def test_a_wait_follows_what_runs_and_begins_nothing(
    session: Session, provider: FakeProvider
) -> None:
    provider.has(job(session))
    provider.at_next("jobs", lambda: provider.becomes("ftjob-1", status="succeeded", model="ft:1"))

    report = wait_for_jobs(executor(session, provider), (), None)

    assert report.ended == (Ended("tone", "ftjob-1", "ft:1"),)
    assert provider.bought == 0  # its child could begin now


def test_a_wait_for_names_tells_of_those_that_do_not_run(
    session: Session, provider: FakeProvider, heard: list[str]
) -> None:
    provider.has(job(session, status="failed"))

    report = wait_for_jobs(executor(session, provider), ("tone", "warm"), None)

    assert report.ended == (Ended("tone", "ftjob-1", None),)
    assert report.not_begun == ("warm",)
    assert [line.partition(":")[0] for line in heard] == ["tone", "warm"]


def test_of_two_jobs_the_one_that_stands_is_waited_for(
    session: Session, provider: FakeProvider
) -> None:
    provider.has(
        job(session, id="ftjob-2"), job(session), job(session, id="ftjob-0", digest="v1:0")
    )
    provider.at_next("jobs", lambda: provider.becomes("ftjob-1", status="succeeded", model="ft:1"))

    report = wait_for_jobs(executor(session, provider), ("tone",), None)

    assert report.ended == (Ended("tone", "ftjob-1", "ft:1"),)


def test_a_superseded_job_is_waited_for_where_nothing_else_runs(
    session: Session, provider: FakeProvider
) -> None:
    provider.has(job(session, digest="v1:earlier"))
    provider.at_next("jobs", lambda: provider.becomes("ftjob-1", status="succeeded", model="ft:1"))

    report = wait_for_jobs(executor(session, provider), ("tone",), None)

    assert report.ended == (Ended("tone", "ftjob-1", "ft:1"),)


def test_a_paused_job_is_waited_for_and_how_it_goes_on_is_said(
    session: Session, provider: FakeProvider, heard: list[str]
) -> None:
    provider.has(job(session, status="paused"))

    with pytest.raises(WaitTimeout):
        wait_for_jobs(executor(session, provider), ("tone",), 10.0)

    assert heard == ["tone: ftjob-1 is paused; 'ftctl resume tone' lets it go on"]


def test_whatever_ends_a_wait_says_how_to_go_on(session: Session, provider: FakeProvider) -> None:
    provider.has(job(session))
    expired = ProviderError("list jobs", "no", status=401, hint="the key is not accepted")
    go_on = "'ftctl wait tone' waits for them again, 'ftctl cancel tone' cancels them"

    with pytest.raises(WaitTimeout) as late:
        wait_for_jobs(executor(session, provider), ("tone",), 10.0)
    provider.from_then_on("jobs", expired)
    with pytest.raises(ProviderError) as refusal:
        wait_for_jobs(executor(session, provider), ("tone",), None)

    assert go_on in (late.value.hint or "")
    assert (refusal.value.hint or "").startswith("the key is not accepted; the jobs run on")
    assert go_on in (refusal.value.hint or "")


def test_an_interrupted_wait_names_the_environment_that_it_was_in(
    session: Session, provider: FakeProvider
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    provider.has(job(session)).at_next("jobs", interrupt)
    context = replace(session.context, environment="prod")

    with pytest.raises(Interrupted) as stop:
        wait_for_jobs(executor(replace(session, context=context), provider), ("tone",), None)

    assert "'ftctl --env prod wait tone'" in (stop.value.hint or "")
    assert "destroy" not in (stop.value.hint or "")


def test_a_strangers_job_on_a_file_that_is_our_mark_is_left_alone(
    session: Session, provider: FakeProvider
) -> None:
    marked = {"by_file": True, "training_file": "file-1"}
    ours = job(session, hyperparameters={"n_epochs": 3}, **marked)
    stranger = replace(ours, id="ftjob-9", base_model="gpt-4o-2024-08-06")
    provider.has(ours, stranger)

    running = running_jobs(session, provider, ["tone"], "cancel")

    assert ids(running) == []
    assert set(running.elsewhere) == {"ftjob-1", "ftjob-9"}
    assert "cancel it by hand if it is yours" in running.elsewhere["ftjob-9"]


def test_of_jobs_on_one_file_the_one_on_record_is_ours(
    session: Session, provider: FakeProvider, clock: HandClock
) -> None:
    marked = {"by_file": True, "training_file": "file-1"}
    ours = job(session, hyperparameters={"n_epochs": 3}, **marked)
    stranger = replace(ours, id="ftjob-9", base_model="gpt-4o-2024-08-06")
    (step,) = make_plan_for(session, provider.observe("demo"), PlanRequest()).steps(StartJob)
    assert isinstance(step, StartJob)
    Intents(session.root, "demo", session.info, UNTOLD, None, clock).asked(step)
    Intents(session.root, "demo", session.info, UNTOLD, None, clock).answered(step, "ftjob-1")
    provider.has(ours, stranger)
    provider.shown_at["ftjob-1"] = provider.shown_at["ftjob-9"] = clock.now()

    running = running_jobs(session, provider, ["tone"], "cancel")

    assert ids(running) == ["ftjob-1"]
    assert set(running.elsewhere) == {"ftjob-9"}
