"""What people see at GitHub over weeks: comments before and after a merge, labels, the issue."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import FINETUNE, KEY, chat_rows
from forges.github import GitHub
from forges.standby import Standby
from test_ci_templates import PROJECT, WARM, pytestmark
from test_ci_templates import _github as service_and_repository

from .conftest import Story

__all__ = ["pytestmark"]

ANY_PRICE = PROJECT.replace("max_cost_per_job: 5, ", "")
COOL_ROWS = chat_rows(20, "maybe")
COOL = FINETUNE.replace("tone", "cool").replace("train.jsonl", "cool.jsonl")


@pytest.fixture
def github(tmp_path: Path, standby: Standby) -> Iterator[GitHub]:
    """A team's repository with one fine-tune on main that nobody has trained yet."""
    with service_and_repository(tmp_path, standby.program) as github:
        yield github


def _proposal(github: GitHub, files: Mapping[str, str], branch: str = "change") -> int:
    github.commit(branch, files)
    return github.open_pull(branch)


def _comment(github: GitHub, number: int, kind: str = "comment") -> str:
    """The one comment of ours of a kind."""
    mark = f"<!-- ftctl {kind}: default . -->"
    (found,) = [body for body in github.comments(number) if body.startswith(mark)]
    return found


def _labels(github: GitHub, number: int) -> set[str]:
    (pull,) = [one for one in github.state["pulls"] if one["number"] == number]
    return {one["name"] for one in pull["labels"]}


def _open_issues(github: GitHub) -> list[Any]:
    return [one for one in github.state["issues"] if one["state"] == "open"]


def _ask(github: GitHub, method: str, path: str) -> Any:
    """Somebody asks the service, past ftctl."""
    headers = {"Authorization": f"Bearer {KEY}"}
    asked = urllib.request.Request(
        f"{github.variables['OPENAI_BASE_URL']}{path}", method=method, headers=headers
    )
    with urllib.request.urlopen(asked) as answer:
        return json.loads(answer.read())


def test_drift_that_somebody_causes_and_cures(github: GitHub, story: Story) -> None:
    story.says("What `main` asks for was never applied. The morning's run finds that.")
    first = github.morning()
    (issue,) = _open_issues(github)
    story.shows(f"Issue #{issue['number']}", issue["body"])

    story.says("Ann applies it by hand, with the digest that she has read there.")
    github.push_main("workflow_dispatch", approve=first.outputs["digest"])

    story.says("The next morning all is well: the issue is closed, and says so.")
    well = github.morning()
    (told,) = github.comments(issue["number"])
    story.shows("The last comment on the issue", told)

    story.says("A week later somebody deletes a model at the service. A new issue names it.")
    for model in _ask(github, "GET", "/models")["data"]:
        if model["id"].startswith("ft:"):
            _ask(github, "DELETE", f"/models/{model['id']}")
    github.morning()
    (second,) = _open_issues(github)
    story.shows(f"Issue #{second['number']}", second["body"])

    assert (
        "The service is not as the branch main says: <code>tone</code> (create)." in issue["body"]
    )
    assert f"with <code>approve</code> = <code>{first.outputs['digest']}</code>." in issue["body"]
    assert well.errors == []
    assert well.outputs["changes"] == "false"
    assert told.startswith("The service is as the manifests say again ([the run](")
    assert second["number"] != issue["number"]
    assert "<code>tone</code> (attention)" in second["body"]
    assert "No apply mends what needs attention: a person decides it" in second["body"]


def test_drift_while_the_service_is_out(github: GitHub, story: Story) -> None:
    story.says("One morning the service answers nobody. The run fails, and no issue is opened.")
    address = github.variables["OPENAI_BASE_URL"]
    github.variables["OPENAI_BASE_URL"] = "http://127.0.0.1:9/v1"
    out = github.morning()
    story.shows("The run's error", "\n".join(out.errors))
    none_yet = _open_issues(github)

    story.says("The next morning it is back, and the service differs: there is an issue.")
    github.variables["OPENAI_BASE_URL"] = address
    github.morning()
    (before,) = _open_issues(github)

    story.says("Then the service is out again. The issue stays open, letter for letter.")
    github.variables["OPENAI_BASE_URL"] = "http://127.0.0.1:9/v1"
    github.morning()
    (after,) = _open_issues(github)

    assert out.failed
    assert "whether the service differs is not known, and no issue was touched" in out.errors[0]
    assert none_yet == []
    assert after == before
    assert github.comments(before["number"]) == []


def test_drift_while_an_apply_waits_for_its_reviewers(github: GitHub, story: Story) -> None:
    story.says("A change was merged. Its apply waits for the reviewers of `production`.")
    github.push_main(held=True)

    story.says("The morning's run finds that the service differs, and that an apply is under way.")
    waiting = github.morning()
    story.shows("The end of the run's summary", waiting.summary.strip().splitlines()[-1])
    while_it_waits = _open_issues(github)

    story.says("It still waits four days later. Now it is drift.")
    state = github.state
    state["runs"][0]["created_at"] = _days_ago(4)
    github.state = state
    github.morning()
    (issue,) = _open_issues(github)

    assert waiting.errors == []
    assert while_it_waits == []
    assert "of main was under way (waiting)" in waiting.summary
    assert "the issue about drift is left as it is" in waiting.summary
    assert "<code>tone</code> (create)" in issue["body"]


def _days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_run_that_breaks_leaves_no_plan_that_looks_current(github: GitHub, story: Story) -> None:
    number = _proposal(github, {"finetunes/warm.yaml": WARM})
    github.check_pull(number)
    old = github.git("rev-parse", "change")
    story.says(f"Ann opens #{number}. The comment has the plan of her commit.")
    story.shows(f"The comment on #{number}", _comment(github, number))

    story.says("She pushes again. The run is cancelled before it has planned anything.")
    new = github.commit("change", {"data/warm.jsonl": chat_rows(24, "surely")})
    broken = _broken(github, number)
    story.shows(f"The comment on #{number}", _comment(github, number))

    story.says("Somebody merges it all the same. Nothing is bought.")
    comment = _comment(github, number)
    github.merge(number)
    merged = github.push_main()
    story.shows("The apply's error", "\n".join(merged.errors))

    assert broken
    assert f"commit {new[:12]} is being planned" in comment
    assert f"plans commit {new}." in comment
    assert f"What stood here was of commit {old}; a merge does not carry it out." in comment
    assert "started ftjob-" not in merged.log
    assert "merged without a plan that may be applied" in merged.errors[0]


def _broken(github: GitHub, number: int) -> bool:
    """A run that dies while it installs ftctl."""
    program = github.programs / "python3"
    text = program.read_text("utf-8")
    program.write_text(text.replace('echo "ftctl and 0 packages"', "false"), "utf-8")
    try:
        return github.check_pull(number)["plan"].failed
    finally:
        program.write_text(text, "utf-8")


def test_a_plan_has_labels_that_follow_it(github: GitHub, story: Story) -> None:
    number = _proposal(github, {"finetunes/warm.yaml": WARM})
    github.check_pull(number)
    first = _labels(github, number)
    story.says(f"#{number} adds a fine-tune. Its labels: {', '.join(sorted(first))}.")

    state = github.state
    state["pulls"][0]["labels"] += [{"name": "bug"}, {"name": "ftctl-attention:stage@."}]
    github.state = state
    github.commit("change", {"data/warm.jsonl": chat_rows(4_000, "surely" * 9)})
    github.check_pull(number)
    second = _labels(github, number)
    story.says(f"With much more data a policy refuses it: {', '.join(sorted(second))}.")

    assert first == {"ftctl-cost-below-1"}
    assert second == {"ftctl-cost-below-100", "ftctl-refused", "bug", "ftctl-attention:stage@."}
    (made,) = [one for one in github.state["labels"] if one["name"] == "ftctl-refused"]
    assert made["description"] == "A policy of the base branch refuses the plan"
    assert re.fullmatch(r"[0-9a-f]{6}", made["color"])


def test_an_older_run_that_is_run_again_leaves_the_newer_comment(github: GitHub) -> None:
    number = _proposal(github, {"finetunes/warm.yaml": WARM})
    github.check_pull(number)
    old = github.state["runs"][-1]["id"]
    github.commit("change", {"data/warm.jsonl": chat_rows(24, "surely")})
    github.check_pull(number)
    newer = _comment(github, number)

    again = github.run_again(old)["plan"]

    assert _comment(github, number) == newer
    assert any("is newer, and what it says" in text for name, text in again.commands)


def test_a_merge_says_on_its_pull_request_what_became_of_it(github: GitHub, story: Story) -> None:
    number = _proposal(github, {"finetunes/warm.yaml": WARM})
    github.check_pull(number)
    plan = _comment(github, number)
    story.says(f"Ann adds a fine-tune in #{number}, and Bob approves and merges it.")
    github.merge(number)

    waiting = github.push_main(held=True)
    story.says("The apply waits for the reviewers of `production`, then they say yes.")
    runs = github.run_again()
    story.shows(f"The second comment on #{number}", _comment(github, number, "result"))

    result = _comment(github, number, "result")
    assert waiting.steps == []
    assert "### ftctl: merged, and not applied yet" in runs["announce"].summary
    assert [job.errors for job in runs.values()] == [[]] * 4
    assert list(runs) == ["announce", "apply", "wait", "result"]
    assert result.startswith("<!-- ftctl result: default . -->\n<!-- ftctl run: ")
    assert "### ftctl: applied, 2 models" in result
    assert "`warm`" in result
    assert (
        f"[The run](https://github.example/acme/support/actions/runs/{_last_run(github)})" in result
    )
    assert _comment(github, number) == plan
    assert len(github.comments(number)) == 2
    assert all(KEY not in str(runs[name].steps) for name in ("announce", "result"))


def _last_run(github: GitHub) -> int:
    number: int = github.state["runs"][-1]["id"]
    return number


def test_a_merge_that_came_too_late_says_so_and_what_to_do(github: GitHub, story: Story) -> None:
    number = _proposal(github, {"finetunes/warm.yaml": WARM})
    github.check_pull(number)
    story.says(f"After the plan of #{number} was made, somebody pushes other data to `main`.")
    github.commit("main", {"data/warm.jsonl": chat_rows(30, "never")})
    github.merge(number)
    stale = github.push_main()
    outdated = _comment(github, number, "result")
    story.shows(f"The second comment on #{number}", outdated)
    digest = re.search(r"approve = (sha256:[0-9a-f]{64})", stale.errors[0])
    assert digest

    story.says(
        "Ann has read the plan in the summary. She runs the workflow by hand, with its digest."
    )
    github.push_main("workflow_dispatch", approve=digest[1])
    by_hand = _comment(github, number, "result")
    story.shows("The same comment", by_hand)

    assert "### ftctl: stale" in outdated
    assert "what would run now is not what was reviewed" in outdated
    assert "run this workflow by hand with approve = sha256:" in outdated
    assert "### ftctl: applied, 2 models" in by_hand
    assert len(github.comments(number)) == 2


def test_a_job_that_fails_at_the_service_is_told_on_the_pull_request(
    github: GitHub, story: Story
) -> None:
    lost = WARM.replace("gpt-4.1-mini-2025-04-14", "gpt-nowhere")
    number = _proposal(github, {"finetunes/warm.yaml": lost, "ftctl.yaml": ANY_PRICE})
    github.commit("main", {"ftctl.yaml": ANY_PRICE})
    github.check_pull(number)
    github.merge(number)
    story.says(f"#{number} is merged. One of its two jobs cannot be started.")

    github.push_main()
    result = _comment(github, number, "result")
    story.shows(f"The second comment on #{number}", result)

    assert "### ftctl: applied in part" in result
    assert "`warm`" in result
    assert "Run this job again: what is done is skipped" in result


def test_an_apply_that_is_cancelled_says_so(github: GitHub, story: Story) -> None:
    number = _proposal(github, {"finetunes/warm.yaml": WARM})
    github.check_pull(number)
    github.merge(number)
    story.says(f"#{number} is merged. The apply job is cancelled before it has begun.")

    github.cancelled = {"apply"}
    jobs = github.push_main()
    result = _comment(github, number, "result")
    story.shows(f"The second comment on #{number}", result)

    assert jobs.steps == []
    assert "### ftctl: cancelled" in result
    assert 'press "Re-run failed jobs" in the run' in result


def test_a_queues_group_is_told_on_each_pull_request(github: GitHub, story: Story) -> None:
    numbers = [
        _proposal(github, {"finetunes/warm.yaml": WARM}, "warm"),
        _proposal(github, {"finetunes/cool.yaml": COOL, "data/cool.jsonl": COOL_ROWS}, "cool"),
    ]
    for number in numbers:
        github.check_pull(number)
    for number in numbers:
        github.queue(number)
    github.merge_queued()
    story.says("Two pull requests leave the merge queue in one push.")
    github.push_main()
    results = [_comment(github, number, "result") for number in numbers]
    story.shows("The second comment on both", results[0])

    assert results[0] == results[1]
    assert "### ftctl: applied, 3 models" in results[0]


def test_a_plan_that_another_apply_outdated_is_labelled_until_it_is_made_again(
    github: GitHub, story: Story
) -> None:
    ann = _proposal(github, {"finetunes/warm.yaml": WARM}, "warm")
    bob = _proposal(github, {"finetunes/cool.yaml": COOL, "data/cool.jsonl": COOL_ROWS}, "cool")
    github.check_pull(ann)
    github.check_pull(bob)
    planned = _comment(github, bob)
    github.merge(ann)
    github.push_main()
    outdated = _labels(github, bob)
    story.says(f"#{ann} is merged and applied. #{bob} was planned before: {_said(outdated)}.")

    story.says(f"Bob adds the label `ftctl-plan` to #{bob}: it is planned again, without a push.")
    runs = github.label(bob, "ftctl-plan")
    again = _labels(github, bob)
    story.says(f"Its labels now: {_said(again)}.")
    story.shows(f"The comment on #{bob}", _comment(github, bob))

    github.merge(bob)
    github.push_main()
    result = _comment(github, bob, "result")

    assert outdated == {"ftctl-cost-below-1", "ftctl-outdated"}
    assert again == {"ftctl-cost-below-1"}
    assert runs["plan"].errors == []
    assert _comment(github, bob) != planned
    assert "### ftctl: applied" in result
    assert "ftctl-outdated" not in _labels(github, ann)  # merged: nobody plans it again


def _said(labels: set[str]) -> str:
    return ", ".join(f"`{label}`" for label in sorted(labels))


def test_a_push_without_a_pull_request_is_told_in_the_summary_alone(github: GitHub) -> None:
    github.commit("main", {"finetunes/warm.yaml": WARM})

    github.push_main()

    assert github.state["comments"] == []
    assert "### ftctl: not applied" in github.last["result"].summary
    assert "was merged by no pull request" in github.last["result"].summary
