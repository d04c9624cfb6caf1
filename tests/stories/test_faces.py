"""What people see at GitHub over weeks: comments before and after a merge, labels, the issue."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import FINETUNE, KEY, chat_rows
from forges.github import GitHub
from forges.standby import Standby
from test_ci_templates import WARM, pytestmark
from test_ci_templates import _github as service_and_repository

from .conftest import Story

__all__ = ["pytestmark"]

COOL = FINETUNE.replace("tone", "cool").replace("train.jsonl", "cool.jsonl")


@pytest.fixture(scope="module")
def standby() -> Iterator[Standby]:
    """An ftctl that is loaded once for all jobs."""
    with Standby() as standby:
        yield standby


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

    story.says("The apply is over, and nobody approved its plan. Now it is drift.")
    state = github.state
    state["runs"][0].update(
        status="completed", conclusion="failure", updated_at="2026-01-01T00:00:00Z"
    )
    github.state = state
    github.morning()
    (issue,) = _open_issues(github)

    assert waiting.errors == []
    assert while_it_waits == []
    assert "of main was under way (waiting)" in waiting.summary
    assert "the issue about drift is left as it is" in waiting.summary
    assert "<code>tone</code> (create)" in issue["body"]


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
    program.write_text(text.replace('print("ftctl and 0 packages")', "sys.exit(1)"), "utf-8")
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
