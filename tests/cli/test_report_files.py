"""`--report FILE`: what an apply or a wait came to stands in it, however that ended."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import FINETUNE, KEY, HandClock, Shell, small_project
from jsonschema import Draft202012Validator
from plain_server import CREATE, DAILY, World

from ftctl.cli.main import run
from ftctl.cli.settings import Settings
from ftctl.domain.run_result import Ending, Standing
from ftctl.manifest.schema import load_schema

Write = Callable[[Mapping[str, str]], Path]
OPENAI = "project: demo\nprovider: {type: openai}\n"


# What docs/commands.md says; 64 where nobody could be asked, 70 for a bug of ours.
STATUSES = {
    "applied": {0}, "started": {0}, "nothing-to-do": {0}, "attention": {0, 1}, "incomplete": {4},
    "failed": {1, 64, 70}, "refused": {3}, "stale": {5}, "timed-out": {6}, "interrupted": {130},
    "unreachable": {1}, "invalid": {1},
}  # fmt: skip


@cache
def validator() -> Draft202012Validator:
    return Draft202012Validator(load_schema("report"))


@pytest.fixture
def small(shell: Shell, write_project: Write) -> Shell:
    write_project(small_project())
    return shell


def reported(shell: Shell, *arguments: str) -> tuple[int, Any, str]:
    """The exit status of a command, and its report as data and for people."""
    for name in ("r.json", "r.md"):
        (shell.folder / name).unlink(missing_ok=True)
    ended = shell(*arguments, "--report", "r.json", "--report", "r.md")
    document = json.loads((shell.folder / "r.json").read_text("utf-8"))
    validator().validate(document)
    assert document["exit_status"] == ended.status
    assert ended.status in STATUSES[document["outcome"]]
    return ended.status, document, (shell.folder / "r.md").read_text("utf-8")


def outcomes(document: Any) -> tuple[str, dict[str, str]]:
    """How the run ended, and how each of its fine-tunes."""
    return document["outcome"], {one["name"]: one["outcome"] for one in document["finetunes"]}


def test_the_schema_has_every_word_for_an_outcome() -> None:
    properties = load_schema("report")["properties"]
    rows = properties["finetunes"]["items"]["properties"]

    assert properties["outcome"]["enum"] == [one.value for one in Ending]
    assert rows["outcome"]["enum"] == [one.value for one in Standing]


def test_an_apply_that_waits_tells_the_model_what_it_cost_and_how_it_learnt(small: Shell) -> None:
    status, document, comment = reported(small, "apply", "--auto-approve", "--wait")

    (tone,) = document["finetunes"]
    assert (status, outcomes(document)) == (0, ("applied", {"tone": "trained"}))
    assert tone["model"] == small.ok("output", "tone").out.strip()
    assert tone["job"].startswith("ftjob-")
    assert len(tone["training_losses"]) > 3
    assert tone["training_loss"] == tone["training_losses"][-1]
    assert tone["seconds"] > 0
    assert tone["checkpoints"]
    assert all(at["model"].startswith(tone["model"]) for at in tone["checkpoints"])
    assert document["digest"].startswith("sha256:")
    assert comment.startswith("### ftctl: applied, 1 model, free of charge\n")
    assert "| `tone` | trained | free | " in comment
    assert f" | `{tone['model']}` |\n" in comment


def test_an_apply_that_does_not_wait_says_that_this_will_change(small: Shell) -> None:
    _status, document, comment = reported(small, "apply", "--auto-approve")

    assert outcomes(document) == ("started", {"tone": "running"})
    assert comment.startswith("### ftctl: started, 1 job running, free of charge\n")
    assert "This changes once the job of the pipeline that waits for them is over." in comment


def test_an_approved_plan_that_is_done_already_still_tells_its_models(small: Shell) -> None:
    small.ok("plan", "--out", "plan.json")
    small.ok("apply", "plan.json")
    small.ok("wait")

    status, document, comment = reported(small, "apply", "plan.json", "--wait")

    (tone,) = document["finetunes"]
    assert (status, outcomes(document)) == (0, ("applied", {"tone": "trained"}))
    assert tone["model"] in comment
    assert tone["training_loss"] is not None
    assert document["digest"] == json.loads((small.folder / "plan.json").read_text())["digest"]


def test_what_was_not_to_be_done_is_told_as_nothing_with_what_stands(small: Shell) -> None:
    small.ok("apply", "--auto-approve", "--wait")

    status, document, comment = reported(small, "apply")

    assert (status, outcomes(document)) == (0, ("nothing-to-do", {"tone": "there"}))
    assert comment.startswith("### ftctl: nothing to do, 1 model\n")
    assert document["finetunes"][0]["model"] in comment


def test_what_only_tidies_up_has_no_price_of_what_was_trained_before(
    remote: Shell, world: World
) -> None:
    manifest = remote.folder / "finetunes" / "tone.yaml"
    world.tells = lambda _body: {"trained_tokens": 800_000}
    for seed in (1, 2):
        manifest.write_text(f"{FINETUNE}seed: {seed}\nkeep: 1\n", "utf-8")
        remote.ok("apply", "--auto-approve", "--wait")
    remote.ok("plan", "--out", "plan.json")

    first = reported(remote, "apply", "plan.json")
    again = reported(remote, "apply", "plan.json")

    for status, document, comment in (first, again):
        assert (status, document["outcome"]) == (0, "applied")
        assert document["cost"]["estimate_high"] == 0
        assert comment.startswith("### ftctl: applied, 1 model\n")
    assert any("deleted model" in one for one in first[1]["finetunes"][0]["done"])


def test_a_stale_approval_says_what_moved_and_which_digest_is_of_now(small: Shell) -> None:
    small.ok("plan", "--out", "plan.json")
    manifest = small.folder / "finetunes" / "tone.yaml"
    manifest.write_text(f"{FINETUNE}seed: 8\n", "utf-8")
    now = small.ok("plan", "--format", "json").json["digest"]

    status, document, comment = reported(small, "apply", "plan.json")

    assert (status, outcomes(document)) == (5, ("stale", {"tone": "not-done"}))
    assert document["moved"][0].startswith("tone: approved was the training ")
    assert any(now in one["text"] for one in document["todo"])
    assert comment.startswith("### ftctl: stale, nothing was done\n")
    assert "- tone: approved was the training " in comment
    assert f"by hand with approve = `{now}`, or `ftctl apply --approve {now}`" in comment


def test_a_digest_that_is_no_longer_the_plans_is_stale_too(small: Shell) -> None:
    status, document, _comment = reported(small, "apply", "--approve", "sha256:" + "0" * 64)

    assert (status, document["outcome"]) == (5, "stale")
    assert any(document["digest"] in one["text"] for one in document["todo"])


def test_a_refused_plan_says_which_rule_and_what_would_allow_it(
    shell: Shell, write_project: Write
) -> None:
    rules = "project: demo\npolicy: {max_jobs_created: 0}\n"
    write_project(small_project(**{"ftctl.yaml": rules}))

    status, document, comment = reported(shell, "apply", "--auto-approve")

    assert (status, outcomes(document)) == (3, ("refused", {"tone": "not-done"}))
    assert document["verdicts"][0]["rule"] == "max_jobs_created"
    assert comment.startswith("### ftctl: refused by the policy, nothing was done\n")
    assert "- `max_jobs_created`: " in comment
    assert "--allow max_jobs_created" in comment


def test_a_job_that_failed_says_so_in_this_run_and_in_the_next(remote: Shell, world: World) -> None:
    world.finishes = False
    remote.ok("plan", "--out", "plan.json")
    remote.ok("apply", "plan.json")
    error = {"code": "invalid_file", "message": "the file is <b>odd</b>", "param": None}

    def fail(_method: str, _path: str) -> None:
        world.jobs[0].update(status="failed", error=error, fine_tuned_model=None)

    world.before = fail
    status, document, comment = reported(remote, "apply", "plan.json", "--wait")
    again = reported(remote, "apply")

    assert (status, outcomes(document)) == (1, ("failed", {"tone": "failed"}))
    assert (again[0], outcomes(again[1])) == (1, ("attention", {"tone": "failed"}))
    for told, text in ((document, comment), again[1:]):
        assert told["finetunes"][0]["reason"]
        assert "<b>" not in text
        assert "`ftctl apply --retry-failed --select tone`" in text
        assert "run the job that applies by hand with retry-failed" in text


def test_a_wait_tells_what_it_followed(remote: Shell, world: World) -> None:
    world.tells = lambda _body: {"trained_tokens": 800_000}
    world.finishes = False
    remote.ok("apply", "--auto-approve")

    def finish(_method: str, path: str) -> None:
        if path.endswith("events"):  # it runs while it is looked at first
            world.jobs[0].update(status="succeeded", fine_tuned_model="ft:gpt-x:acme::m1")

    world.before = finish
    world.jobs[0]["status"] = "running"

    status, document, comment = reported(remote, "wait")

    (tone,) = document["finetunes"]
    assert (status, outcomes(document)) == (0, ("applied", {"tone": "trained"}))
    assert document["command"] == "wait"
    assert tone["cost"]["so_far"] == 4.0
    assert document["cost"]["so_far"] == 4.0
    assert comment.startswith("### ftctl: applied, 1 model, \\$4.00\n")

    _status, again, _comment = reported(remote, "wait", "tone")
    assert (outcomes(again), again["cost"]["so_far"]) == (("applied", {"tone": "trained"}), 4.0)


def test_a_wait_tells_what_failed_before(remote: Shell, world: World) -> None:
    world.finishes = False
    remote.ok("apply", "--auto-approve")
    world.jobs[0].update(status="failed", fine_tuned_model=None)

    for names in ((), ("tone",)):
        status, document, comment = reported(remote, "wait", *names)

        ending = "failed" if names else "attention"
        assert (status, outcomes(document)) == (1, (ending, {"tone": "failed"}))
        assert "`ftctl apply --retry-failed --select tone`" in comment


def test_a_wait_that_takes_too_long_says_what_runs_on(remote: Shell, world: World) -> None:
    world.finishes = False

    status, document, comment = reported(
        remote, "apply", "--auto-approve", "--wait", "--timeout", "60s"
    )

    assert (status, outcomes(document)) == (6, ("timed-out", {"tone": "running"}))
    assert document["finetunes"][0]["job"] == "ftjob-1"
    assert comment.startswith("### ftctl: waited too long, 1 job running, estimated ")
    wait_on = "Run the job again to wait on: nothing is bought twice. Or `ftctl wait tone`"
    assert wait_on in comment

    status, document, comment = reported(remote, "wait", "--timeout", "60s")

    assert (status, outcomes(document)) == (6, ("timed-out", {"tone": "running"}))
    assert document["finetunes"][0]["cost"]["estimate_high"] > 0
    assert wait_on in comment


class ImpatientClock(HandClock):
    """Somebody presses Ctrl-C at the first wait."""

    def sleep(self, seconds: float) -> None:
        raise KeyboardInterrupt


def test_an_interrupt_says_what_runs_on_and_asks_nobody(remote: Shell, world: World) -> None:
    world.finishes = False
    hasty = replace(remote, clock=ImpatientClock())

    status, document, comment = reported(hasty, "apply", "--auto-approve", "--wait")

    assert (status, outcomes(document)) == (130, ("interrupted", {"tone": "running"}))
    assert "Run the job again to go on" in comment
    assert world.requests[-1] == "GET /fine_tuning/jobs"


NOT_KNOWN = "whether there is a job of it is not known; the next plan finds it"
LOOK_AGAIN = (
    "Run the job again: what exists is found, and nothing is bought twice. Or `ftctl apply`"
)


def stop_in(world: World, number: int = 1, *, times: int = 2) -> None:
    """Press Ctrl-C so many times while the answer to a purchase is awaited: its job is made."""
    begun: list[str] = []

    def press(method: str, path: str) -> None:
        if (method, path) != CREATE:
            return
        begun.append(path)
        for _ in range(times if len(begun) == number else 0):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.3)

    world.after = press


def test_a_purchase_whose_answer_was_not_awaited_is_not_told_as_not_done(
    remote: Shell, world: World
) -> None:
    world.finishes = False
    stop_in(world)

    status, document, comment = reported(remote, "apply", "--auto-approve", "--parallelism", "1")

    (tone,) = document["finetunes"]
    assert (status, outcomes(document)) == (130, ("interrupted", {"tone": "not-known"}))
    assert tone["reason"] == f"it was being asked for when this stopped; {NOT_KNOWN}"
    assert tone["cost"]["estimate_high"] == document["cost"]["estimate_high"] > 0
    assert comment.startswith("### ftctl: interrupted, 1 purchase without an answer, estimated ")
    assert "not done" not in comment
    assert f"- {LOOK_AGAIN}" in comment
    assert "To go on" not in comment
    assert len(world.jobs) == 1

    _status, again, _comment = reported(remote, "apply", "--auto-approve")
    assert outcomes(again) == ("started", {"tone": "running"})
    assert len(world.jobs) == 1


def test_an_answer_that_came_while_a_run_was_left_is_told(remote: Shell, world: World) -> None:
    world.finishes = False
    stop_in(world)

    status, document, comment = reported(remote, "apply", "--auto-approve")

    assert (status, outcomes(document)) == (130, ("interrupted", {"tone": "running"}))
    assert document["finetunes"][0]["job"] == "ftjob-1"
    assert comment.startswith("### ftctl: interrupted, 1 job running, estimated ")


def test_what_begins_during_a_wait_may_be_bought_when_that_is_left(
    remote: Shell, world: World
) -> None:
    child = FINETUNE.replace("name: tone", "name: child").replace(
        "base_model: gpt-4.1-mini-2025-04-14", "base_model: {finetune: tone}"
    )
    (remote.folder / "finetunes" / "child.yaml").write_text(child, "utf-8")
    stop_in(world, number=2, times=1)

    status, document, _comment = reported(
        remote, "apply", "--auto-approve", "--wait", "--parallelism", "1"
    )

    assert len(world.jobs) == 2
    assert (status, outcomes(document)) == (
        130, ("interrupted", {"tone": "trained", "child": "not-known"}),
    )  # fmt: skip
    assert document["message"] == (
        "stopped; whether there is a job of child is not known: no answer came"
    )


def test_what_was_bought_while_a_wait_was_left_runs_on(remote: Shell, world: World) -> None:
    child = FINETUNE.replace("name: tone", "name: child").replace(
        "base_model: gpt-4.1-mini-2025-04-14", "base_model: {finetune: tone}"
    )
    (remote.folder / "finetunes" / "child.yaml").write_text(child, "utf-8")
    stop_in(world, number=2, times=1)

    status, document, _comment = reported(remote, "apply", "--auto-approve", "--wait")

    assert (status, outcomes(document)) == (
        130, ("interrupted", {"tone": "trained", "child": "running"}),
    )  # fmt: skip
    assert document["message"] == "stopped; these run on at the service: child (ftjob-2)"


def test_one_interrupt_and_a_lost_answer_do_not_say_that_no_job_runs(
    remote: Shell, world: World
) -> None:
    stop_in(world, times=1)
    press, away = world.after, away_once_bought(world)
    world.after = lambda method, path: (
        press(method, path) or ("cut" if (method, path) == CREATE else None)
    )
    world.before = away

    ended = remote("apply", "--auto-approve", "--report", "r.json")

    document = json.loads((remote.folder / "r.json").read_text("utf-8"))
    assert outcomes(document) == ("interrupted", {"tone": "not-known"})
    assert "stopped; whether there is a job of tone is not known: no answer came" in ended.err


def away_once_bought(world: World) -> Callable[[str, str], Any]:
    later = (503, {"error": {"message": "later"}})
    return lambda method, _path: later if world.jobs and method == "GET" else None


def test_a_lost_answer_that_cannot_be_looked_for_is_not_told_as_not_done(
    remote: Shell, world: World
) -> None:
    world.after = lambda method, path: "cut" if (method, path) == CREATE else None
    world.before = away_once_bought(world)

    status, document, comment = reported(remote, "apply", "--auto-approve")

    assert len(world.jobs) == 1
    assert (status, outcomes(document)) == (4, ("incomplete", {"tone": "not-known"}))
    assert document["finetunes"][0]["reason"].endswith(f"; {NOT_KNOWN}")
    assert "not done" not in comment
    assert f"- {LOOK_AGAIN}" in comment


def test_a_lost_answer_before_a_limit_is_no_turn_to_come(remote: Shell, world: World) -> None:
    answers: list[Any] = ["cut", DAILY]
    world.after = lambda method, path: answers.pop(0) if (method, path) == CREATE else None
    hidden: list[Any] = [(200, {"object": "list", "data": [], "has_more": False})]
    world.before = lambda method, path: (
        hidden[0] if world.jobs and (method, path) == ("GET", "/fine_tuning/jobs") else None
    )

    status, document, comment = reported(remote, "apply", "--auto-approve")

    assert (status, outcomes(document)) == (0, ("started", {"tone": "not-known"}))
    assert "12 jobs a day; " in document["finetunes"][0]["reason"]
    assert f"- {LOOK_AGAIN}" in comment


def test_what_an_earlier_run_was_stopped_in_is_told_where_nobody_could_look(
    remote: Shell, world: World
) -> None:
    world.finishes = False
    stop_in(world)
    assert remote("apply", "--auto-approve", "--parallelism", "1").status == 130
    world.before = away_once_bought(world)

    status, document, comment = reported(remote, "apply", "--auto-approve")

    assert (status, outcomes(document)) == (1, ("unreachable", {"tone": "not-known"}))
    assert "nothing was done" not in comment
    assert f"- {LOOK_AGAIN}" in comment

    (remote.folder / "finetunes" / "tone.yaml").write_text(f"{FINETUNE}seed: 8\n", "utf-8")
    assert reported(remote, "apply")[1]["finetunes"] == []  # nobody asks for it any more


@pytest.mark.parametrize(
    ("break_it", "ended"),
    [
        (lambda world: stop_in(world, times=1), (130, ("interrupted", {"tone": "running"}))),
        (
            lambda world: setattr(
                world, "before",
                lambda _, path: (400, {"error": {"message": "no"}}) if "cancel" in path else None,
            ),
            (4, ("incomplete", {"tone": "attention"})),
        ),
    ],
)  # fmt: skip
def test_what_was_bought_in_place_of_another_is_not_told_as_not_done(
    remote: Shell, world: World, break_it: Callable[[World], None], ended: Any
) -> None:
    world.finishes = False
    remote.ok("apply", "--auto-approve")
    (remote.folder / "finetunes" / "tone.yaml").write_text(f"{FINETUNE}seed: 8\n", "utf-8")
    break_it(world)

    status, document, comment = reported(remote, "apply", "--auto-approve")

    assert [job["status"] for job in world.jobs] == ["queued", "queued"]
    assert (status, outcomes(document)) == ended
    assert document["finetunes"][0]["job"] == "ftjob-2"
    assert document["finetunes"][0]["reason"]
    assert "not done" not in comment


def test_a_service_that_is_away_is_told_as_that(remote: Shell, world: World) -> None:
    world.before = lambda _method, _path: (503, {"error": {"message": "later"}})

    status, document, comment = reported(remote, "apply", "--auto-approve")

    assert (status, outcomes(document)) == (1, ("unreachable", {}))
    assert document["project"] == "demo"
    assert comment.startswith("### ftctl: the service cannot be reached, nothing was done\n")
    assert "Run the job again once the service answers" in comment


def test_an_outage_during_a_wait_leaves_what_was_bought(remote: Shell, world: World) -> None:
    world.finishes = False

    def away(method: str, _path: str) -> Any:
        return (503, {"error": {"message": "later"}}) if world.jobs and method == "GET" else None

    remote.ok("apply", "--auto-approve")
    world.before = lambda method, path: away(method, path) if "events" in path else None
    world.jobs[0]["status"] = "running"

    status, document, comment = reported(remote, "apply", "--wait")

    assert (status, outcomes(document)) == (1, ("unreachable", {"tone": "running"}))
    assert document["finetunes"][0]["job"] == "ftjob-1"
    assert "ftjob-1" in comment


def test_what_could_not_be_started_is_told_with_the_reason(remote: Shell, world: World) -> None:
    def refuse(method: str, path: str) -> Any:
        error = {"error": {"message": "no such model", "code": "model_not_available"}}
        return (400, error) if (method, path) == ("POST", "/fine_tuning/jobs") else None

    world.before = refuse

    status, document, comment = reported(remote, "apply", "--auto-approve")

    assert (status, outcomes(document)) == (4, ("incomplete", {"tone": "not-done"}))
    assert "no such model" in document["finetunes"][0]["reason"]
    assert comment.startswith("### ftctl: applied in part, 1 not done\n")
    assert "- `tone` not done: " in comment
    assert "Run the job again to go on, once the reason is mended: what is done" in comment


def test_a_child_is_still_to_come_without_a_wait_and_there_after_it(
    shell: Shell, write_project: Write
) -> None:
    child = FINETUNE.replace("name: tone", "name: child").replace(
        "base_model: gpt-4.1-mini-2025-04-14", "base_model: {finetune: tone}"
    )
    write_project(small_project(**{"finetunes/child.yaml": child}))

    _status, first, comment = reported(shell, "apply", "--auto-approve")
    status, second, _ = reported(shell, "apply", "--auto-approve", "--wait")

    assert outcomes(first) == ("started", {"child": "waiting", "tone": "running"})
    assert "1 job running, 1 still to come" in comment
    assert (status, outcomes(second)) == (0, ("applied", {"child": "trained", "tone": "trained"}))


def test_manifests_with_errors_are_told_with_their_places(small: Shell) -> None:
    manifest = small.folder / "finetunes" / "tone.yaml"
    manifest.write_text(f"{FINETUNE}n_epochz: 3\n", "utf-8")

    status, document, comment = reported(small, "apply", "--auto-approve")

    assert (status, outcomes(document)) == (1, ("invalid", {}))
    assert document["problems"][0].startswith("finetunes/tone.yaml:6:1: error[unknown-key]")
    assert "error\\[unknown-key\\]" in comment
    assert "`ftctl validate`" in comment


def test_a_command_that_ends_before_it_begins_has_its_report(small: Shell) -> None:
    status, document, comment = reported(small, "apply", "nowhere.json")

    assert (status, outcomes(document)) == (1, ("failed", {}))
    assert "nowhere.json cannot be read" in document["message"]
    assert comment.startswith("### ftctl: failed, nothing was done\n")


@pytest.mark.parametrize("name", ["r.txt", "r", ".md"])
def test_a_form_that_is_not_known_is_wrong_usage(small: Shell, name: str) -> None:
    refused = small("apply", "--auto-approve", "--report", name)

    assert refused.status == 64
    assert "end its name with .md or .json" in refused.err
    assert not (small.folder / ".ftctl").exists()


def test_a_service_that_tells_no_events_now_is_asked_about_one_job(
    remote: Shell, world: World
) -> None:
    warm = FINETUNE.replace("name: tone", "name: warm") + "seed: 9\n"
    (remote.folder / "finetunes" / "warm.yaml").write_text(warm, "utf-8")

    def away(_method: str, path: str) -> Any:
        return (503, {"error": {"message": "later"}}) if path.endswith("events") else None

    world.before = away

    status, document, _comment = reported(remote, "apply", "--auto-approve", "--wait")

    assert (status, outcomes(document)) == (
        0, ("applied", {"tone": "trained", "warm": "trained"}),
    )  # fmt: skip
    assert len({path for path in world.requests if path.endswith("events")}) == 1


def test_of_many_jobs_the_first_are_asked_for_their_losses(
    remote: Shell, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ftctl.engine.run_results._MOST_ASKED", 1)
    warm = FINETUNE.replace("name: tone", "name: warm") + "seed: 9\n"
    (remote.folder / "finetunes" / "warm.yaml").write_text(warm, "utf-8")

    reported(remote, "apply", "--auto-approve", "--wait")

    assert sum(path.endswith("events") for path in world.requests) == 1


def test_a_report_is_not_written_over_the_plan(small: Shell) -> None:
    small.ok("plan", "--out", "plan.json")

    refused = small("apply", "plan.json", "--report", "plan.json")

    assert (refused.status, "--report plan.json is the plan" in refused.err) == (64, True)
    small.ok("apply", "plan.json")


def test_a_report_that_cannot_be_written_changes_nothing_else(small: Shell) -> None:
    ended = small("apply", "--auto-approve", "--report", "no/such/folder.md")

    assert ended.status == 0
    assert "warning: " in ended.err


def test_a_purchase_that_nobody_approved_is_told_as_nothing_done(small: Shell) -> None:
    status, document, comment = reported(small, "apply")

    assert (status, outcomes(document)) == (64, ("failed", {"tone": "not-done"}))
    assert comment.startswith("### ftctl: failed, nothing was done\n")
    assert "There is no terminal to ask for approval" in comment


def test_a_job_that_fails_in_the_run_that_bought_it_is_a_failure(
    remote: Shell, world: World
) -> None:
    error = {"code": "invalid_file", "message": f"odd: {KEY}", "param": None}

    def fail(_method: str, path: str) -> None:
        if world.jobs and path == "/fine_tuning/jobs":
            world.jobs[0].update(status="failed", error=error, fine_tuned_model=None)

    world.finishes = False
    world.before = fail

    status, document, comment = reported(remote, "apply", "--auto-approve", "--wait")

    assert (status, outcomes(document)) == (1, ("failed", {"tone": "failed"}))
    assert "odd: " in document["finetunes"][0]["reason"]
    assert KEY not in comment + json.dumps(document)


def test_a_model_that_went_is_attention_and_no_failure(remote: Shell, world: World) -> None:
    remote.ok("plan", "--out", "plan.json")
    remote.ok("apply", "plan.json", "--wait")
    world.models.clear()

    status, document, comment = reported(remote, "apply", "plan.json")

    assert (status, outcomes(document)) == (0, ("attention", {"tone": "attention"}))
    assert "- `tone` attention: " in comment
    assert "`ftctl apply --replace tone`" in comment


@pytest.mark.parametrize("part", ["result", "markdown"])
def test_a_bug_in_a_report_changes_nothing_else(
    small: Shell, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("out of order")

    if part == "result":
        monkeypatch.setattr("ftctl.engine.run_results.run_result", broken)
    else:
        monkeypatch.setattr("ftctl.reports.result_markdown.result_markdown", broken)

    ended = small("apply", "--auto-approve", "--wait", "--report", "r.md", "--report", "r.json")

    assert ended.status == 0
    assert "the report is short, for a bug in ftctl: RuntimeError: out of order" in ended.err
    assert json.loads((small.folder / "r.json").read_text("utf-8"))["outcome"] == (
        "started" if part == "result" else "applied"
    )


def test_a_report_that_could_not_look_does_not_say_that_nothing_was_done(
    remote: Shell, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr("ftctl.engine.workspace.Workspace.result", broken)
    stop_in(world)

    status, _document, comment = reported(remote, "apply", "--auto-approve")

    assert (status, len(world.jobs)) == (130, 1)
    assert comment.startswith("### ftctl: interrupted, what was done is not known\n")
    assert "`ftctl status`" in comment
    assert "nothing was done" not in comment


def test_a_bug_is_told_in_the_report_too(write_project: Write) -> None:
    class BrokenClock(HandClock):
        def sleep(self, seconds: float) -> None:
            raise RuntimeError("out of order")

    folder = write_project(small_project())
    settings = Settings(clock=BrokenClock(), environ={}, folder=folder)

    status = run(["apply", "--auto-approve", "--wait", "--report", "r.json"], settings)

    document = json.loads((folder / "r.json").read_text("utf-8"))
    assert (status, document["exit_status"]) == (70, 70)
    assert outcomes(document) == ("failed", {"tone": "running"})
    assert document["message"].startswith("a bug in ftctl: RuntimeError")


def test_the_service_is_asked_for_no_more_than_the_losses_and_checkpoints_of_the_run(
    remote: Shell, world: World
) -> None:
    remote.ok("apply", "--auto-approve", "--wait")
    world.requests.clear()
    remote.ok("apply")
    usual = list(world.requests)
    world.requests.clear()

    reported(remote, "apply")

    assert world.requests == usual
