"""The engine as a library: what the command line does, as values and without a word."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from conftest import FINETUNE, ROOT, HandClock, Shell, small_project
from plain_server import DAILY, PlainServer, World, times

import ftctl
from ftctl.domain.observed import Observed
from ftctl.domain.plan import Action, Report
from ftctl.domain.plan_document import approval_of, plan_document, plan_json
from ftctl.domain.review import NO_OPTIONS
from ftctl.engine import events
from ftctl.engine.events import Event
from ftctl.errors import InvalidProject, Refused, Stale, UsageError, WaitTimeout

Write = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def root(write_project: Write) -> Path:
    """A small project at the embedded API."""
    return write_project(small_project())


@pytest.fixture
def workspace(root: Path, clock: HandClock) -> ftctl.Workspace:
    return ftctl.Workspace.open(root, clock=clock, environ={})


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_a_dozen_lines_buy_a_model_and_print_nothing_of_their_own(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "classifier"
    ignore = shutil.ignore_patterns(".ftctl", "ftctl.lock")
    shutil.copytree(ROOT / "examples" / "classifier", root, ignore=ignore)

    with ftctl.Workspace.open(root) as workspace:
        review = workspace.plan()
        report = workspace.wait(workspace.apply(review))

    model = ftctl.model("triage", project=root)
    assert dict(report.models) == {"triage": model}
    assert [change.action for change in review.plan.changes] == [Action.CREATE]
    assert capfd.readouterr() == ("", "")


def test_a_plan_has_the_bytes_that_the_command_prints(
    workspace: ftctl.Workspace, shell: Shell
) -> None:
    printed = shell.ok("plan", "--format", "json").out

    assert plan_json(plan_document(workspace.plan())) == printed
    # Options are a part of the document, and so of what is approved.
    chosen = shell.ok("plan", "--format", "json", "--select", "tone", "--prune").out
    request = ftctl.PlanRequest(select=("tone",), prune=True)
    assert plan_json(plan_document(workspace.plan(request))) == chosen


def test_what_is_public_is_what_dir_shows() -> None:
    assert dir(ftctl) == sorted(ftctl.__all__)
    assert all(hasattr(ftctl, name) for name in ftctl.__all__)
    assert not {"cli", "engine", "planner"} & set(dir(ftctl))


def test_a_project_with_faults_tells_them_all(root: Path, workspace: ftctl.Workspace) -> None:
    edit(root / "finetunes" / "tone.yaml", "base_model:", "n_epochz: 3\nbase_model:")
    (root / "finetunes" / "warm.yaml").write_text(
        FINETUNE.replace("name: tone", "name: warm").replace(
            "gpt-4.1-mini-2025-04-14", "{finetune: tune}"
        ),
        "utf-8",
    )

    validation = workspace.validate()

    assert not validation.ok
    assert validation.desired is None
    assert [problem.code for problem in validation.problems] == ["unknown-key", "unknown-name"]
    with pytest.raises(InvalidProject) as caught:
        workspace.plan()
    assert caught.value.diagnostics == validation.problems


def test_each_call_reads_anew_and_a_run_reads_once(root: Path, workspace: ftctl.Workspace) -> None:
    manifest = root / "finetunes" / "tone.yaml"
    first = workspace.plan()
    edit(manifest, "name: tone\n", "name: tone\nseed: 1\n")
    second = workspace.plan()
    with workspace:
        third = workspace.plan()
        edit(manifest, "seed: 1", "seed: 2")
        fourth = workspace.plan()

    assert first.digest != second.digest
    assert third.digest == fourth.digest == second.digest


def test_what_was_approved_does_not_run_once_the_manifests_ask_for_something_else(
    root: Path, workspace: ftctl.Workspace
) -> None:
    review = workspace.plan()
    edit(root / "finetunes" / "tone.yaml", "name: tone\n", "name: tone\nseed: 1\n")

    with pytest.raises(Stale, match="approved was the training v1:"):
        workspace.apply(review)

    assert [change.action for change in workspace.plan().plan.changes] == [Action.CREATE]


def test_an_approval_buys_once(workspace: ftctl.Workspace) -> None:
    approval = approval_of(workspace.plan().plan)

    first = workspace.apply(approval)
    second = workspace.apply(approval)

    assert [outcome.job is not None for outcome in first.outcomes] == [True]
    assert second.outcomes == ()
    assert second.ok


def test_a_review_that_is_applied_twice_buys_once(workspace: ftctl.Workspace) -> None:
    review = workspace.plan()
    heard: list[Event] = []
    listening = ftctl.Workspace.open(workspace.context.root, events=heard.append, environ={})

    workspace.apply(review)
    again = listening.apply(review)

    assert again.outcomes == ()
    assert events.Reconciled(("tone",), ()) in heard
    assert not [event for event in heard if isinstance(event, events.StepDone)]


def test_what_a_policy_refuses_is_shown_and_does_not_run(
    root: Path, workspace: ftctl.Workspace
) -> None:
    (root / "ftctl.yaml").write_text("project: demo\npolicy: {max_jobs_created: 0}\n", "utf-8")

    review = workspace.plan()

    assert [violation.rule for violation in review.policy.refused] == ["max_jobs_created"]
    with pytest.raises(Refused):
        workspace.apply(review)
    allowed = ftctl.PlanRequest(allow=frozenset({"max_jobs_created"}))
    assert workspace.apply(workspace.plan(allowed)).ok


def test_a_wait_starts_no_more_children_than_the_policy_allows(
    root: Path, workspace: ftctl.Workspace
) -> None:
    child = FINETUNE.replace("name: tone", "name: warm")
    child = child.replace("gpt-4.1-mini-2025-04-14", "{finetune: tone}")
    (root / "finetunes" / "warm.yaml").write_text(child, "utf-8")
    (root / "ftctl.yaml").write_text("project: demo\npolicy: {max_jobs_created: 1}\n", "utf-8")

    report = workspace.apply(workspace.plan())

    with pytest.raises(Refused, match="starts 2 training jobs"):
        workspace.wait(report)
    assert workspace.plan(waits=True).policy.refused == ()  # the parent runs: one more is allowed
    (root / "ftctl.yaml").write_text("project: demo\npolicy: {max_jobs_created: 2}\n", "utf-8")
    assert sorted(workspace.wait(report).models) == ["tone", "warm"]


def test_a_review_is_for_one_environment(root: Path, workspace: ftctl.Workspace) -> None:
    environments = "environments: {dev: {prune: false}, prod: {prune: false}}\n"
    (root / "ftctl.yaml").write_text(f"project: demo\n{environments}", "utf-8")
    dev, prod = (
        ftctl.Workspace.open(root, environment=name, environ={}) for name in ("dev", "prod")
    )
    review = dev.plan()

    for other in (prod, workspace):
        with pytest.raises(Stale, match="the plan was made for dev"):
            other.apply(review)
    assert dev.apply(review).ok


def test_a_rule_that_there_is_not_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="there is no rule 'max_jobs'"):
        ftctl.PlanRequest(allow=frozenset({"max_jobs"}))


def test_an_offline_plan_is_looked_at_and_not_applied(workspace: ftctl.Workspace) -> None:
    review = workspace.plan(offline=True)

    assert review.offline
    with pytest.raises(UsageError, match="offline"):
        workspace.apply(review)


def test_progress_is_events(root: Path, clock: HandClock) -> None:
    heard: list[Event] = []
    workspace = ftctl.Workspace.open(root, clock=clock, events=heard.append, environ={})

    with workspace:
        report = workspace.apply(workspace.plan())
        workspace.wait(report)

    kinds = list(dict.fromkeys(type(event).__name__ for event in heard))
    assert [kind for kind in kinds if kind != "Requested"] == [
        "Scanning", "Scanned", "Reconciled", "Applying", "Uploaded", "Started", "Applied",
        "Progressed",
    ]  # fmt: skip
    assert events.Scanning("data/train.jsonl", 0, 0) in heard
    requests = [event.line for event in heard if isinstance(event, events.Requested)]
    assert "GET /v1/models" in requests
    assert "POST /v1/fine_tuning/jobs" in requests


def test_a_wait_that_runs_out_of_time_has_recorded_what_there_is(
    root: Path, workspace: ftctl.Workspace
) -> None:
    report = workspace.apply(workspace.plan(), record=False)

    with pytest.raises(WaitTimeout, match="tone"):
        workspace.wait(report, timeout_seconds=0)

    finished = workspace.wait(report)
    assert list(finished.models) == ["tone"]
    assert ftctl.models(project=root) == dict(finished.models)


def test_record_false_leaves_the_record_alone(root: Path, workspace: ftctl.Workspace) -> None:
    report = workspace.apply(workspace.plan(), record=False)
    workspace.wait(report, record=False)

    assert not (root / "ftctl.lock").exists()
    workspace.record()
    assert (root / "ftctl.lock").exists()


def test_destroying_needs_a_review_of_the_same_run(workspace: ftctl.Workspace) -> None:
    workspace.wait(workspace.apply(workspace.plan()))
    review = workspace.plan_destruction()

    with workspace, pytest.raises(UsageError, match="same run"):
        workspace.destroy(review)
    with workspace:
        report = workspace.destroy(workspace.plan_destruction())

    assert report.ok
    assert report.plan is not None
    assert workspace.plan().plan.empty  # it is bought again with --replace alone
    again = workspace.plan(ftctl.PlanRequest(replace=("tone",))).plan
    assert again.count()[Action.REPLACE] == 1


def test_a_run_uses_one_connection_and_asks_for_three_lists_a_plan(
    root: Path, world: World
) -> None:
    (root / "ftctl.yaml").write_text("project: demo\nprovider: {type: compatible}\n", "utf-8")
    heard: list[Event] = []
    with PlainServer(world) as server:
        environ = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "sk-test-0123456789"}
        with ftctl.Workspace.open(root, environ=environ, events=heard.append) as workspace:
            workspace.wait(workspace.apply(workspace.plan()))
            bought = len(heard)
            workspace.plan()
            workspace.plan()

    later = [event.line for event in heard[bought:] if isinstance(event, events.Requested)]
    assert len(later) == 6
    assert len(set(later)) == 3


def test_a_plan_that_buys_reads_the_whole_list_of_jobs_as_well(root: Path, world: World) -> None:
    (root / "ftctl.yaml").write_text("project: demo\nprovider: {type: compatible}\n", "utf-8")
    heard: list[Event] = []
    with PlainServer(world) as server:
        environ = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "sk-test-0123456789"}
        with ftctl.Workspace.open(root, environ=environ, events=heard.append) as workspace:
            workspace.plan()

    requests = [event.line for event in heard if isinstance(event, events.Requested)]
    assert len(requests) == 4
    assert requests[-1].endswith("/fine_tuning/jobs?limit=100")


def test_the_options_of_nothing_are_those_of_an_empty_request() -> None:
    assert ftctl.PlanRequest().document == dict(NO_OPTIONS)


# What a caller may do who is no command line.


@pytest.fixture
def server(world: World) -> Iterator[PlainServer]:
    """A service that is not ours, over loopback."""
    with PlainServer(world) as server:
        yield server


@pytest.fixture
def distant(root: Path, server: PlainServer, clock: HandClock) -> ftctl.Workspace:
    """The small project at that service."""
    (root / "ftctl.yaml").write_text("project: demo\nprovider: {type: compatible}\n", "utf-8")
    environ = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "sk-test-0123456789"}
    return ftctl.Workspace.open(root, clock=clock, environ=environ)


@pytest.mark.parametrize("option", ["create", "replace", "retry_failed"])
def test_waiting_twice_for_one_report_buys_once(
    option: str, distant: ftctl.Workspace, world: World
) -> None:
    request = ftctl.PlanRequest()
    if option != "create":
        world.finishes = option == "replace"
        distant.apply(distant.plan())
        if option == "retry_failed":
            world.jobs[0]["status"] = "failed"
            world.finishes = True
            request = ftctl.PlanRequest(retry_failed=True)
        else:
            request = ftctl.PlanRequest(replace=("tone",))
    world.before = times(1, DAILY)
    report = distant.apply(distant.plan(request))
    assert [outcome.waits is not None for outcome in report.outcomes] == [True]
    made = len(world.jobs)

    first = distant.wait(report)
    second = distant.wait(report)

    assert len(world.jobs) == made + 1
    assert list(first.models) == list(second.models) == ["tone"]


def test_a_wait_starts_nothing_that_was_not_approved(
    root: Path, distant: ftctl.Workspace, world: World
) -> None:
    world.before = times(1, DAILY)
    report = distant.apply(distant.plan())
    edit(root / "finetunes" / "tone.yaml", "name: tone\n", "name: tone\nseed: 1\n")

    with pytest.raises(Stale, match="others for tone"):
        distant.wait(report)

    assert world.jobs == []


def test_a_review_is_trusted_once(workspace: ftctl.Workspace) -> None:
    with workspace:
        review = workspace.plan()
        first = workspace.apply(review, look_again=False)
        second = workspace.apply(review, look_again=False)

    assert first.outcomes[0].job is not None
    assert second.outcomes == ()


def test_a_plan_on_a_snapshot_cannot_be_applied(workspace: ftctl.Workspace) -> None:
    with workspace:
        review = workspace.plan(observed=Observed())
        assert review.offline
        with pytest.raises(UsageError, match="offline"):
            workspace.apply(review, look_again=False)


def test_the_policy_is_asked_again_before_an_old_review_runs(
    root: Path, workspace: ftctl.Workspace
) -> None:
    review = workspace.plan()
    (root / "ftctl.yaml").write_text("project: demo\npolicy: {max_jobs_created: 0}\n", "utf-8")

    with pytest.raises(Refused, match="max_jobs_created allows 0"):
        workspace.apply(review)

    assert workspace.plan().plan.count()[Action.CREATE] == 1


def test_what_is_allowed_is_allowed_until_the_end(root: Path, workspace: ftctl.Workspace) -> None:
    child = FINETUNE.replace("name: tone", "name: warm")
    child = child.replace("gpt-4.1-mini-2025-04-14", "{finetune: tone}")
    (root / "finetunes" / "warm.yaml").write_text(child, "utf-8")
    (root / "ftctl.yaml").write_text("project: demo\npolicy: {max_jobs_created: 1}\n", "utf-8")
    request = ftctl.PlanRequest(allow=frozenset({"max_jobs_created"}))

    report = workspace.wait(workspace.apply(workspace.plan(request)))

    assert sorted(report.models) == ["tone", "warm"]


def test_a_child_whose_parent_ended_before_the_wait_is_started(
    root: Path, workspace: ftctl.Workspace
) -> None:
    child = FINETUNE.replace("name: tone", "name: warm")
    child = child.replace("gpt-4.1-mini-2025-04-14", "{finetune: tone}")
    (root / "finetunes" / "warm.yaml").write_text(child, "utf-8")
    report = workspace.apply(workspace.plan())
    only = workspace.plan(ftctl.PlanRequest(select=("tone",)))
    workspace.wait(workspace.apply(only))

    finished = workspace.wait(report)
    again = workspace.wait(report)

    assert finished.not_begun == ()
    assert "warm" in finished.models
    assert "warm" in again.models


def test_a_run_in_a_run_is_refused_and_the_outer_one_goes_on(workspace: ftctl.Workspace) -> None:
    with workspace:
        before = workspace.session()
        with pytest.raises(UsageError, match="in a run already"), workspace:
            pass
        assert workspace.session() is before


def test_a_plan_to_leave_nothing_is_not_applied_nor_another_destroyed(
    workspace: ftctl.Workspace,
) -> None:
    with workspace:
        workspace.wait(workspace.apply(workspace.plan()))
        with pytest.raises(UsageError, match="leave nothing"):
            workspace.apply(workspace.plan_destruction(), look_again=False)
        with pytest.raises(UsageError, match="same run"):
            workspace.destroy(workspace.plan(ftctl.PlanRequest(replace=("tone",))))
        assert workspace.plan().plan.empty


def test_the_environment_is_the_workspaces(root: Path, workspace: ftctl.Workspace) -> None:
    for plan in (workspace.plan, workspace.plan_destruction):
        with pytest.raises(UsageError):
            plan(ftctl.PlanRequest(environment="prod"))
    with pytest.raises(UsageError):
        workspace.plan_destruction(ftctl.PlanRequest(prune=True))


def test_a_report_of_another_project_is_not_waited_for(
    root: Path, workspace: ftctl.Workspace
) -> None:
    report = workspace.apply(workspace.plan())
    edit(root / "ftctl.yaml", "project: demo", "project: other")

    with pytest.raises(Stale, match="the report is of the project demo"):
        workspace.wait(report)
    with pytest.raises(UsageError, match="nothing to wait for"):
        workspace.wait(Report())


def test_a_review_of_what_left_the_manifests_is_stale(
    root: Path, workspace: ftctl.Workspace
) -> None:
    review = workspace.plan(ftctl.PlanRequest(select=("tone",)))
    edit(root / "finetunes" / "tone.yaml", "name: tone", "name: calm")

    with pytest.raises(Stale, match="no manifest asks for tone any more"):
        workspace.apply(review)


def test_an_unchanged_project_is_recorded_from_what_was_planned_on(
    distant: ftctl.Workspace, world: World
) -> None:
    distant.wait(distant.apply(distant.plan()))
    (distant.context.root / "ftctl.lock").unlink()
    world.requests.clear()

    with distant:
        distant.apply(distant.plan(), look_again=False)

    assert len([line for line in world.requests if "checkpoints" not in line]) == 3
    assert (distant.context.root / "ftctl.lock").exists()
