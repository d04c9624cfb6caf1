"""The release record of applies that nobody committed: found by plans, and brought home."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, chat_rows
from forges.github import WORKFLOWS, GitHub
from forges.standby import Standby
from test_ci_templates import WARM, pytestmark
from test_ci_templates import _github as service_and_repository

from .conftest import Story

__all__ = ["pytestmark"]


@pytest.fixture
def github(tmp_path: Path, standby: Standby) -> Iterator[GitHub]:
    """A repository with one fine-tune on main that is not trained yet, and a service."""
    with service_and_repository(tmp_path, standby.program) as github:
        yield github


def merged(github: GitHub, branch: str, files: dict[str, str]) -> int:
    """A pull request, planned and merged; its number."""
    github.commit(branch, files)
    number = github.open_pull(branch)
    plan = github.check_pull(number)["plan"]
    assert plan.errors == []
    github.merge(number)
    return number


def lock_on(github: GitHub, branch: str = "main", path: str = "ftctl.lock") -> dict[str, Any]:
    """The fine-tunes on record at the forge's branch, by environment."""
    try:
        text = github.git("show", f"{branch}:{path}", at="origin.git")
    except AssertionError:
        return {}
    sections = json.loads(text)["environments"]
    return {name: sorted(section["finetunes"]) for name, section in sections.items()}


def tell(github: GitHub, how: str) -> None:
    """Have the apply workflow bring the record home in this way."""
    github.repository_variables = {"FTCTL_RECORD": how}


def synced(github: GitHub) -> None:
    """The clone has what the forge's main is."""
    github.git("pull", "--quiet", "--ff-only", "origin", "main")


def test_a_forks_offline_plan_knows_what_nobody_committed(github: GitHub, story: Story) -> None:
    story.says("Ann adds `warm`. That is merged and applied. Nobody commits the lock.")
    merged(github, "warm", {"finetunes/warm.yaml": WARM})
    applied = github.push_main()
    assert applied.errors == []
    assert lock_on(github) == {}
    assert [one["name"] for one in github.state["artifacts"] if "lock" in one["name"]] == [
        "ftctl-lock-default@."
    ]

    story.says("A stranger's fork changes the README. Its plan has no key.")
    github.commit("words", {"README.md": "Hello\n"})
    job = github.check_pull(github.open_pull("words"), fork=True)["plan-fork"]

    story.shows("The fork's plan", job.summary)
    assert job.errors == []
    assert job.outputs["changes"] == "false"
    run = next(one for one in github.state["artifacts"] if "lock" in one["name"])["run"]
    assert f"What run {run} recorded is known here." in job.log
    (fetching,) = [step for step in job.steps if step.name == "Fetch the release record"]
    assert "sk-" not in json.dumps(dict(fetching.environ))


def _of_run(**change: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda run, _artifact: run.update(change)


def _of_artifact(**change: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    def meddle(_run: dict[str, Any], artifact: dict[str, Any]) -> None:
        artifact["workflow_run"].update(change)

    return meddle


def _expired(_run: dict[str, Any], artifact: dict[str, Any]) -> None:
    artifact["expired"] = True


def _large(_run: dict[str, Any], artifact: dict[str, Any]) -> None:
    artifact["size_in_bytes"] = 2**30


def _replaced(_run: dict[str, Any], artifact: dict[str, Any]) -> None:
    artifact["digest"] = f"sha256:{'0' * 64}"


def _no_lock(_run: dict[str, Any], artifact: dict[str, Any]) -> None:
    _keep_instead(artifact, {"ftctl.lock": '{"lock_version": "1.0", "environments": []}'})


def _more_files(_run: dict[str, Any], artifact: dict[str, Any]) -> None:
    _keep_instead(artifact, {"ftctl.lock": "{}", "../../x": ""})


def _bomb(_run: dict[str, Any], artifact: dict[str, Any]) -> None:
    _keep_instead(artifact, {"ftctl.lock": " " * 2**22})


# What an artifact of that name may be, and what is said of it; nothing where nobody asks about it.
OTHERS = {
    "for a pull request": (_of_run(event="pull_request"), "it is for 'pull_request', which"),
    "of another workflow": (_of_run(path=f"{WORKFLOWS}/o.yml"), f"it is of '{WORKFLOWS}/o.yml'"),
    "of another id": (_of_run(workflow_id=9), f"it is of '{WORKFLOWS}/ftctl-apply.yml'"),
    "of a branch's run": (_of_run(head_branch="b"), "the head_branch of that run is 'b'"),
    "of a fork's run": (
        _of_run(head_repository={"id": 666}), "the head_repository id of that run is '666'"
    ),
    "of a fork": (_of_artifact(head_repository_id=666), None),
    "of a branch": (_of_artifact(head_branch="feature"), None),
    "of another commit": (_of_artifact(head_sha="0" * 40), "the head_sha of that run is"),
    "expired": (_expired, None),
    "too large": (_large, "what a run kept is larger than a record"),
    "replaced": (_replaced, "what a run kept is not what it uploaded"),
    "no record": (_no_lock, "the records can not be merged: error: nothing is merged: THEIRS"),
    "with other files": (_more_files, "what a run kept holds other files than a record"),
    "a bomb": (_bomb, "what a run kept holds other files than a record"),
}  # fmt: skip


def test_what_is_none_of_our_records_is_not_taken(github: GitHub) -> None:
    merged(github, "warm", {"finetunes/warm.yaml": WARM})
    github.push_main()
    before = github.state_file.read_text("utf-8")
    assert "is known here" in step_log(github, "fetch")

    for name, (meddle, why) in OTHERS.items():
        state = json.loads(before)
        artifact = next(one for one in state["artifacts"] if "lock" in one["name"])
        run = next(one for one in state["runs"] if one["id"] == artifact["run"])
        meddle(run, artifact)
        github.state = state

        log = step_log(github, "fetch")

        assert "known here" not in log, name
        assert (f"was left: {why}" in log) if why else ("was left" not in log), (name, log)


def test_a_commit_that_is_not_on_the_branch_is_no_apply_of_it(github: GitHub) -> None:
    """A tag may be called main, and its workflow may be anybody's."""
    merged(github, "warm", {"finetunes/warm.yaml": WARM})
    github.push_main()
    aside = github.commit("aside", {"x": "y"})
    state = github.state
    artifact = next(one for one in state["artifacts"] if "lock" in one["name"])
    artifact["workflow_run"]["head_sha"] = aside
    next(one for one in state["runs"] if one["id"] == artifact["run"])["head_sha"] = aside
    github.state = state

    assert f"commit {aside} is not on 'main'" in step_log(github, "fetch")
    without = step_of(github, "fetch", github.state["runs"][-1]["id"], GH_TOKEN="")
    log, _ = without.communicate()
    assert without.returncode == 0
    assert "::warning title=ftctl::what earlier applies recorded was not fetched: " in log


def test_two_records_that_do_not_know_each_other_are_both_fetched(github: GitHub) -> None:
    merged(github, "warm", {"finetunes/warm.yaml": WARM})
    github.push_main()
    first = github.state["runs"][-1]["id"]
    cool = WARM.replace("warm", "cool")
    merged(github, "cool", {"finetunes/cool.yaml": cool, "data/cool.jsonl": chat_rows(14, "no")})
    github.push_main()
    second = github.state["runs"][-1]["id"]
    assert f"run {first}" not in step_log(github, "fetch")  # the second knows it
    _forget(github, second, "warm")

    log = step_log(github, "fetch")

    assert f"What run {first} recorded is known here." in log
    assert f"What run {second} recorded is known here." in log


def test_where_the_record_can_not_be_fetched_the_plan_says_so_and_is_made(github: GitHub) -> None:
    path = f"{WORKFLOWS}/ftctl-plan.yml"
    text = (github.folder / "clone" / path).read_text("utf-8")
    github.commit("main", {path: text.replace("actions: read", "checks: read")})
    github.commit("warm", {"finetunes/warm.yaml": WARM})

    job = github.check_pull(github.open_pull("warm"))["plan"]

    assert job.errors == []
    warnings = [text for name, text in job.commands if name == "warning"]
    assert any(
        one.startswith("what earlier applies recorded was not fetched: GitHub did not answer")
        for one in warnings
    )
    assert job.outputs["changes"] == "true"


def test_the_lock_comes_home_by_a_pull_request(github: GitHub, story: Story) -> None:
    tell(github, "pull-request")
    story.says("Ann's pull request adds `warm`. It is merged and applied.")
    merged(github, "warm", {"finetunes/warm.yaml": WARM})
    assert github.push_main().errors == []
    story.shows("The job `record`", github.last["record"].log)

    branch = "ftctl/lock"
    (pull,) = [one for one in github.state["pulls"] if one["head"]["ref"] == branch]
    story.says(f"Pull request #{pull['number']} is there: {pull['title']}.")
    assert lock_on(github, branch) == {"default": ["tone", "warm"]}
    changed = github.git("diff", "--name-only", f"main...{branch}", at="origin.git")
    assert changed == "ftctl.lock"
    assert github.git("log", "-1", "--format=%an %s", branch, at="origin.git") == (
        "github-actions[bot] Record what was applied (default@.)"
    )

    story.says("Somebody pushes to that branch: a promotion, and a file.")
    github.git("fetch", "--quiet", "origin", branch)
    github.git("branch", "--quiet", "--force", branch, "FETCH_HEAD")
    forged = json.loads(github.git("show", f"{branch}:ftctl.lock"))
    pointer = {"job": "ftjob-x", "model": "ft:evil", "at": "2026-11-30T00:00:00Z"}
    forged["environments"]["default"]["finetunes"]["tone"]["promoted"] = {"prod": pointer}
    github.commit(branch, {"ftctl.lock": json.dumps(forged), "evil.sh": "x"})

    story.says("Before anybody looks at it, `cool` is merged: the same pull request has both.")
    cool = WARM.replace("warm", "cool")
    merged(github, "cool", {"finetunes/cool.yaml": cool, "data/cool.jsonl": chat_rows(14, "no")})
    assert github.push_main().errors == []
    pulls = [one for one in github.state["pulls"] if one["head"]["ref"] == branch]
    assert len(pulls) == 1
    assert lock_on(github, branch) == {"default": ["cool", "tone", "warm"]}
    assert "ft:evil" not in github.git("show", f"{branch}:ftctl.lock", at="origin.git")
    changed = github.git("diff", "--name-only", f"main...{branch}", at="origin.git")
    assert changed == "ftctl.lock"

    story.says("Ann merges it. A run that changes nothing opens no other.")
    github.git("fetch", "--quiet", "origin", branch)
    github.git("branch", "--quiet", "--force", branch, "FETCH_HEAD")
    github.merge(pull["number"])
    assert lock_on(github) == {"default": ["cool", "tone", "warm"]}
    assert github.push_main("workflow_dispatch").errors == []
    assert "knows all of it already" in github.last["record"].log
    assert len([one for one in github.state["pulls"] if one["state"] == "open"]) == 0


def test_the_lock_comes_home_by_a_push(github: GitHub, story: Story) -> None:
    tell(github, "push")
    story.says("Ann's pull request adds `warm`. It is merged and applied.")
    merged(github, "warm", {"finetunes/warm.yaml": WARM})
    before = github.git("rev-parse", "main", at="origin.git")

    assert github.push_main().errors == []

    story.shows("The job `record`", github.last["record"].log)
    assert lock_on(github) == {"default": ["tone", "warm"]}
    assert github.git("diff", "--name-only", before, "main", at="origin.git") == "ftctl.lock"
    assert github.git("log", "-1", "--format=%s", "main", at="origin.git") == (
        "Record what was applied (default@.) [skip ci]"
    )
    story.says("Run again, it has nothing to do.")
    github.run_again()
    assert github.git("rev-parse", "main^", at="origin.git") == before


def test_an_older_commits_apply_takes_nothing_of_a_newer_one_out(
    github: GitHub, story: Story
) -> None:
    tell(github, "pull-request")
    story.says("`warm` is merged and applied, then `cool`. Nobody merges the record yet.")
    merged(github, "warm", {"finetunes/warm.yaml": WARM})
    github.push_main()
    first = github.state["runs"][-1]["id"]
    cool = WARM.replace("warm", "cool")
    merged(github, "cool", {"finetunes/cool.yaml": cool, "data/cool.jsonl": chat_rows(14, "no")})
    github.push_main()
    (known,) = [one["id"] for one in _kept(github) if one["run"] != first]

    story.says("Somebody runs all jobs of the first merge again: its manifests have no `cool`.")
    jobs = github.run_again(first)

    assert all(job.errors == [] for job in jobs.values())
    newest = max(_kept(github), key=lambda one: one["id"])
    assert newest["run"] == first
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(newest["content"]))) as archive:
        lock = json.loads(archive.read("ftctl.lock"))
        said = json.loads(archive.read("record.json"))
    assert known in said["known"]
    names = sorted(lock["environments"]["default"]["finetunes"])
    story.says(f"What it keeps knows the second's, and has all of them: {', '.join(names)}.")
    assert names == ["cool", "tone", "warm"]
    assert lock_on(github, "ftctl/lock") == {"default": ["cool", "tone", "warm"]}


def _kept(github: GitHub) -> list[dict[str, Any]]:
    """The records that runs kept."""
    return [one for one in github.state["artifacts"] if one["name"] == "ftctl-lock-default@."]


def _forget(github: GitHub, run: int, name: str) -> None:
    """Take a fine-tune out of what a run kept, and that it knew any other."""
    state = github.state
    artifact = next(
        one for one in state["artifacts"] if one["run"] == run and "lock" in one["name"]
    )
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(artifact["content"]))) as archive:
        lock = json.loads(archive.read("ftctl.lock"))
    del lock["environments"]["default"]["finetunes"][name]
    _keep_instead(artifact, {"ftctl.lock": json.dumps(lock)})
    github.state = state


def _keep_instead(artifact: dict[str, Any], files: dict[str, str]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    artifact["content"] = base64.b64encode(packed.getvalue()).decode()
    artifact["digest"] = f"sha256:{hashlib.sha256(packed.getvalue()).hexdigest()}"


def step_log(github: GitHub, name: str) -> str:
    """What a step of a job on main says, by itself."""
    log, _ = step_of(github, name, github.state["runs"][-1]["id"]).communicate()
    return log


def step_of(github: GitHub, name: str, run: int, **variables: str) -> subprocess.Popen[str]:
    """A step of the action on main, under way: beside others, perhaps."""
    github.jobs += 1
    place = github.folder / f"step-{github.jobs}"
    github.git("clone", "--quiet", "origin.git", place.name, at="")
    program = place / "temp" / "ftctl" / "bin" / "ftctl"
    program.parent.mkdir(parents=True)
    program.write_text(github.ftctl, "utf-8")
    program.chmod(0o755)
    head = next(one for one in github.state["runs"] if one["id"] == run)["head_sha"]
    return subprocess.Popen(
        ["bash", ROOT / "ci" / f"{name}.sh"],
        cwd=place, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={
            "PATH": f"{github.programs}:{os.environ['PATH']}", "RUNNER_TEMP": f"{place}/temp",
            "FORGE_STATE": str(github.state_file), "HOME": str(place),
            "GH_TOKEN": "contents:read contents:write actions:read pull-requests:read"
            " pull-requests:write",
            "GITHUB_OUTPUT": f"{place}/out", "GITHUB_STEP_SUMMARY": f"{place}/summary",
            "GITHUB_EVENT_NAME": "push", "GITHUB_REPOSITORY": "acme/support",
            "GITHUB_RUN_ID": str(run), "GITHUB_RUN_ATTEMPT": "1", "GITHUB_SHA": head,
            "GITHUB_REF": "refs/heads/main",
            "GITHUB_WORKSPACE": str(place),
            "INPUT_APPLY_WORKFLOW": f"{WORKFLOWS}/ftctl-apply.yml", **variables,
        },
    )  # fmt: skip


@pytest.mark.parametrize(("how", "branch"), [("push", "main"), ("pull-request", "ftctl/lock")])
def test_two_that_bring_the_lock_home_at_once_lose_nothing(
    github: GitHub, story: Story, how: str, branch: str
) -> None:
    story.says("Two applies, of two merges, end at the same moment. Each brings its lock home.")
    tell(github, "artifact")
    merged(github, "warm", {"finetunes/warm.yaml": WARM})
    github.push_main()
    first = github.state["runs"][-1]["id"]
    cool = WARM.replace("warm", "cool")
    merged(github, "cool", {"finetunes/cool.yaml": cool, "data/cool.jsonl": chat_rows(14, "no")})
    github.push_main()
    second = github.state["runs"][-1]["id"]
    # As if it had begun before the first had kept anything.
    _forget(github, second, "warm")

    both = [step_of(github, "record", run, INPUT_RECORD=how) for run in (first, second)]
    for job in both:
        log, _ = job.communicate()
        story.shows("One of them", log)
        assert job.returncode == 0, log
    assert lock_on(github, branch) == {"default": ["cool", "tone", "warm"]}

    pulls = [one for one in github.state["pulls"] if one["head"]["ref"] == branch]
    assert len(pulls) == (how == "pull-request")

    tip = github.git("rev-parse", "main", at="origin.git")
    other = step_of(github, "record", first, INPUT_RECORD="push", GITHUB_REF="refs/heads/x")
    log, _ = other.communicate()
    assert "what 'refs/heads/x' applied is no record of 'main'" in log
    assert github.git("rev-parse", "main", at="origin.git") == tip


def test_where_actions_may_open_no_pull_request_the_cure_is_named(github: GitHub) -> None:
    tell(github, "pull-request")
    state = github.state
    state["no_pulls_of_actions"] = True
    github.state = state
    merged(github, "warm", {"finetunes/warm.yaml": WARM})

    github.push_main()

    (error,) = github.last["record"].errors
    assert "Allow GitHub Actions to create and approve pull requests" in error
    assert "It is kept as the artifact ftctl-lock-default@." in error
