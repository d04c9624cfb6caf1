"""Merges that hold, at GitHub: what becomes of what was approved, however the day goes."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import FINETUNE, KEY, chat_rows
from forges.github import GitHub
from forges.standby import Standby
from test_ci_templates import PROJECT, pytestmark
from test_ci_templates import _github as service_and_repository

from .conftest import Story

__all__ = ["pytestmark"]

WARM = "finetunes/warm.yaml"
NAMED = re.compile(r"\b(cool|dry|warm)\b")
BY_HAND = re.compile(r"by hand with approve = (sha256:[0-9a-f]{64})(?: (and retry-failed))?$")


@pytest.fixture
def github(tmp_path: Path, standby: Standby) -> Iterator[GitHub]:
    """A team's repository without a fine-tune, and a service at which a job ends at once."""
    with service_and_repository(tmp_path, standby.program) as github:
        github.commit("main", {}, removed=("finetunes/tone.yaml",))
        yield github


def _finetune(name: str, *more: str) -> dict[str, str]:
    """A fine-tune and its rows, as files."""
    text = FINETUNE.replace("tone", name).replace("train.jsonl", f"{name}.jsonl")
    return {
        f"finetunes/{name}.yaml": text + "".join(more),
        f"data/{name}.jsonl": chat_rows(20, f"surely {name}"),
    }


def _propose(github: GitHub, branch: str, files: dict[str, str]) -> int:
    """A pull request, with the plan on it."""
    github.commit(branch, files)
    number = github.open_pull(branch)
    assert github.check_pull(number)["plan"].errors == []
    return number


def _ask(github: GitHub, method: str, path: str, body: Any = None) -> Any:
    """Ask the service past ftctl, or tell it how to behave."""
    address = github.variables["OPENAI_BASE_URL"].removesuffix("/v1")
    asked = urllib.request.Request(
        f"{address}{path}",
        method=method,
        headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
        data=None if body is None else json.dumps(body).encode(),
    )
    with urllib.request.urlopen(asked) as answer:
        return json.loads(answer.read() or b"null")


def _jobs(github: GitHub) -> list[str]:
    """The fine-tunes whose jobs the service has, oldest first."""
    jobs = _ask(github, "GET", "/v1/fine_tuning/jobs?limit=100")["data"]
    return [NAMED.search(str(job))[1] for job in reversed(jobs)]  # type: ignore[index]


def _let(github: GitHub, *faults: Any) -> None:
    """Let the service go wrong from now on, or behave again."""
    _ask(github, "PUT", "/_ftctl/faults", {"faults": list(faults)})


def _errors(told: Story, what: str, errors: list[str]) -> None:
    told.shows(what, "\n".join(errors) or "(none)")


def test_a_failed_job_is_no_green_run_and_is_bought_again_once(
    github: GitHub, story: Story
) -> None:
    number = _propose(github, "warm", _finetune("warm"))
    _let(github, {"job": {"number": 1}, "fails": "step", "step": 2})
    github.merge(number)
    story.says(f"Ann merges #{number}. The job is started, and fails at the service.")
    first = github.push_main()
    _errors(story, "The errors of the run", first.errors)

    story.says("She runs the failed jobs again, and then all of them. Both stay red.")
    failed_again = github.run_again(failed_only=True)
    all_again = github.run_again()
    _errors(story, "The errors of the last run", all_again["apply"].errors)

    story.says("Bob merges something that has nothing to do with it. It is red as well.")
    unrelated = _propose(github, "words", {"README.md": "words\n"})
    github.merge(unrelated)
    beside = github.push_main()

    story.says("The data was in order: Ann asks for another try, by hand, and reads the plan.")
    _let(github)
    asked = github.push_main("workflow_dispatch", retry_failed="true")
    digest, with_retry = BY_HAND.search(asked.errors[0]).groups()  # type: ignore[union-attr]
    _errors(story, "What the run says", asked.errors)

    story.says("She runs it once more, with the digest that she has read.")
    before = _jobs(github)
    bought = github.push_main("workflow_dispatch", approve=digest, retry_failed="true")
    story.shows("The end of the log", bought.log[-300:])

    story.says("Running that again buys nothing.")
    again = github.run_again()
    replayed = github.push_main("workflow_dispatch", approve=digest, retry_failed="true")

    assert "apply" not in failed_again
    assert (first.failed, failed_again["wait"].failed, all_again["apply"].failed) == (True,) * 3
    assert beside.failed
    assert with_retry == "and retry-failed"
    assert "by hand with retry-failed" in first.errors[-1]
    assert before == ["warm"]
    assert bought.errors == []
    assert "warm: started ftjob-" in bought.log
    assert _jobs(github) == ["warm", "warm"]
    assert not any(job.errors for job in again.values())
    assert "started" not in replayed.log


def test_a_failure_beside_a_model_and_a_look_at_what_another_try_costs(
    github: GitHub, story: Story
) -> None:
    """The comment keeps what the merge came to while somebody reads a plan by hand."""
    _let(github, {"job": {"number": 2}, "fails": "validation"})
    number = _propose(github, "both", {**_finetune("cool"), **_finetune("warm")})
    github.merge(number)
    story.says(f"Ann merges #{number}. Of its two jobs one fails before anybody waits.")
    github.push_main()
    merged = _result(github, number)
    story.shows(f"The second comment on #{number}", merged)

    story.says("She runs the workflow by hand with retry-failed, to see what that would buy.")
    looked = github.push_main("workflow_dispatch", retry_failed="true")

    assert re.search(r"### ftctl: .*1 model, 1 job without a model", merged)
    assert re.search(r"\| `cool` \| trained \|.*ft:", merged)
    assert BY_HAND.search(looked.errors[0])
    assert _result(github, number) == merged
    assert _jobs(github) in (["cool", "warm"], ["warm", "cool"])


def _result(github: GitHub, number: int) -> str:
    """What our comment on what a merge came to says now."""
    return next(text for text in github.comments(number) if "<!-- ftctl result:" in text)


def test_three_merges_while_one_waits(github: GitHub, story: Story) -> None:
    _ask(github, "PUT", "/_ftctl/clock", {"kind": "hand"})
    runs = []
    numbers = [_propose(github, name, _finetune(name)) for name in ("cool", "dry", "warm")]
    story.says("Three pull requests are open. Each was planned before any other was merged.")
    for number in numbers:
        github.merge(number)
        applied = github.push_main(until="apply")
        runs.append(github.state["runs"][-1]["id"])
        story.says(f"#{number} is merged. Its apply starts the job and is over; its wait goes on.")
        assert applied.errors == []
    bought = _jobs(github)

    story.says("The jobs are over, and so is each wait, in no order that matters.")
    _ask(github, "POST", "/_ftctl/clock/advance", {"seconds": 86_400})
    waits = [github.go_on(run)["wait"] for run in reversed(runs)]
    story.shows("The log of the first's wait", waits[-1].log[-400:])

    assert bought == ["cool", "dry", "warm"]
    assert [wait.errors for wait in waits] == [[], [], []]
    assert _jobs(github) == bought
    assert [one["conclusion"] for one in github.state["runs"][-3:]] == ["success"] * 3


def test_a_merge_before_mine_changed_what_i_approved(github: GitHub, story: Story) -> None:
    mine = _propose(github, "mine", {WARM: _finetune("warm")[WARM]})
    rows = {"data/warm.jsonl": chat_rows(30, "never")}
    his = _propose(github, "his", {**_finetune("cool"), **rows})
    story.says(f"Ann's #{mine} trains on rows that Bob's #{his} changes. His is merged first.")
    github.merge(his)
    before = github.push_main()
    story.says("Then hers is.")
    github.merge(mine)

    stale = github.push_main()
    story.shows("The summary of the apply", stale.summary)
    _errors(story, "Its errors", stale.errors)

    assert before.errors == []
    assert stale.outputs["exitcode"] == "5"
    assert "wait" not in github.last
    assert "warm: " in stale.log
    assert _jobs(github) == ["cool"]


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
def test_a_merge_queue_with_two_in_one_push(github: GitHub, story: Story, how: str) -> None:
    first = _propose(github, "cool", _finetune("cool"))
    second = _propose(github, "dry", _finetune("dry"))
    github.commit("dry", {"README.md": "a second commit\n"})
    github.check_pull(second)
    story.says(f"#{first} and #{second} are put into the queue, whose method is {how}.")
    checks = [github.queue(number, how) for number in (first, second)]
    story.shows("The plan of the second's group", checks[1]["plan"].summary)

    story.says("Both groups pass, and main goes forward by both in one push.")
    github.merge_queued()
    applied = github.push_main()
    story.shows("What was approved", "\n".join(re.findall(r"Pull request #.*", applied.log)))

    assert [jobs["ftctl"].check for jobs in checks] == ["ftctl", "ftctl"]
    assert [job.errors for jobs in checks for job in jobs.values()] == [[]] * 4
    assert applied.errors == []
    assert github.last["apply"].outputs["pull-requests"] == f"{first}\n{second}"
    assert sorted(_jobs(github)) == ["cool", "dry"]


def test_a_group_that_a_policy_refuses_leaves_the_queue(github: GitHub, story: Story) -> None:
    number = _propose(github, "warm", _finetune("warm"))
    story.says(f"#{number} was planned. Then main takes less money for a job.")
    github.commit(
        "main", {"ftctl.yaml": PROJECT.replace("cost_per_job: 5", "cost_per_job: 0.0001")}
    )

    jobs = github.queue(number)
    _errors(story, "The errors of its group", jobs["plan"].errors)

    assert jobs["ftctl"].failed
    assert "max_cost_per_job" in jobs["plan"].log
    assert "the summary of this run and the log say which" in jobs["plan"].errors[-1]


def test_a_forks_invalid_request_does_not_pass(github: GitHub, story: Story) -> None:
    github.commit("theirs", {"finetunes/warm.yaml": FINETUNE + "sed: 7\n"})
    number = github.open_pull("theirs")
    story.says(f"A stranger opens #{number} from a fork. Its manifest has a mistake.")

    invalid = github.check_pull(number, fork=True)
    _errors(story, "The errors of plan-fork", invalid["plan-fork"].errors)
    story.says("GitHub skips the job with the key, and counts that as passed. The check fails.")

    story.says("The stranger mends it.")
    github.commit("theirs", _finetune("warm"))
    valid = github.check_pull(number, fork=True)

    named = {"plan": "skipped", "plan-fork": "failure", "ftctl": "failure"}
    checks = {one["name"]: one["conclusion"] for one in github.state["check_runs"][:3]}
    assert checks == named
    assert invalid["ftctl"].failed
    assert not valid["ftctl"].failed
    assert github.comments(number) == []


def test_run_this_job_again_after_a_half_done_apply(github: GitHub, story: Story) -> None:
    number = _propose(github, "both", {**_finetune("cool"), **_finetune("warm")})
    _let(
        github,
        {
            "request": {"method": "POST", "path": "/v1/fine_tuning/jobs", "call": 2},
            "answer": {"status": 403, "code": "training_not_available", "message": "Not today."},
        },
    )
    github.merge(number)
    story.says(f"#{number} asks for two jobs. The service takes one of them.")
    half = github.push_main()
    _errors(story, "The errors of the run", half.errors)
    between = _jobs(github)

    story.says("The service takes jobs again, and Ann runs the job again.")
    _let(github)
    again = github.run_again(failed_only=True)

    assert half.outputs["exitcode"] == "4"
    assert "Run this job again: what is done is skipped" in half.errors[0]
    assert len(between) == 1
    assert again["apply"].errors == []
    assert sorted(_jobs(github)) == ["cool", "warm"]


def test_approved_by_hand_half_done_and_run_again(github: GitHub, story: Story) -> None:
    github.commit("main", {**_finetune("cool"), **_finetune("warm")})
    story.says("Two fine-tunes came to main without a pull request. Nobody approved that.")
    refused = github.push_main()
    _errors(story, "The errors of the apply", refused.errors)
    digest = BY_HAND.search(refused.errors[0])[1]  # type: ignore[index]

    story.says("Ann reads the plan in the summary and runs it by hand. Half of it is done.")
    _let(
        github,
        {
            "request": {"method": "POST", "path": "/v1/fine_tuning/jobs", "call": 2},
            "answer": {"status": 403, "code": "training_not_available", "message": "Not today."},
        },
    )
    half = github.push_main("workflow_dispatch", approve=digest)
    _let(github)
    between = _jobs(github)

    story.says("She runs the job again: the plan that she has read goes on.")
    again = github.run_again()

    assert (half.outputs["exitcode"], len(between)) == ("4", 1)
    assert not any(job.errors for job in again.values())
    assert sorted(_jobs(github)) == ["cool", "warm"]


def test_a_label_plans_again_and_another_one_changes_nothing(github: GitHub, story: Story) -> None:
    number = _propose(github, "warm", _finetune("warm"))
    story.says(f"#{number} is planned, and somebody hangs the label 'bug' on it.")
    other = github.label(number, "bug")
    (comment,) = github.comments(number)

    story.says("Main has moved since. Ann asks for another plan with the label 'ftctl-plan'.")
    planned = github.label(number, "ftctl-plan")
    (newer,) = github.comments(number)
    github.label(number, "documentation")

    github.merge(number)
    applied = github.push_main()

    assert {key: job.check for key, job in other.items()} == {"ftctl": "ftctl (another label)"}
    assert not other["ftctl"].failed
    assert list(planned) == ["plan", "ftctl"]
    assert newer != comment
    assert applied.errors == []
    assert _jobs(github) == ["warm"]


def test_a_plan_that_failed_after_the_one_that_was_read_stops_the_merge(
    github: GitHub, story: Story
) -> None:
    number = _propose(github, "warm", _finetune("warm"))
    story.says("It is planned again, and this time the service does not take the key.")
    comments = github.state["comments"]
    github.secrets["OPENAI_API_KEY"] = "sk-wrong-0123456789"
    failed = github.label(number, "ftctl-plan")
    github.secrets["OPENAI_API_KEY"] = KEY
    story.says("Somebody puts the old comment back, and merges.")
    state = github.state
    state["comments"] = comments
    github.state = state
    github.merge(number)

    merged = github.push_main()
    _errors(story, "The errors of the apply", merged.errors)

    assert failed["ftctl"].failed
    assert "planned the same commit after run" in merged.errors[0]
    assert _jobs(github) == []
