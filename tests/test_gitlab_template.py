"""The GitLab template: what it may do, and what a pipeline of it does, on the embedded API."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import FINETUNE, KEY, chat_rows
from forges import gitlab_ci_local
from forges.gitlab import BOT, TEMPLATE, TOKEN, GitLab, JobRun, template
from forges.gitlab_project import PROJECT, note, project
from forges.standby import Standby

_MISSING = [name for name in ("bash", "git") if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(bool(_MISSING), reason=f"{', '.join(_MISSING)} is not here")

GIVEN = {"source": "https://github.com/OWNER/ftctl", "commit": "0" * 40}
JOBS = {name: job for name, job in template(GIVEN).items() if name[0] != "."}
WARM = FINETUNE.replace("tone", "warm").replace("train.jsonl", "warm.jsonl")


# What it may do.


def test_the_template_keeps_its_published_schema(tmp_path: Path) -> None:
    whole = [*yaml.safe_load_all(TEMPLATE.read_text("utf-8"))]
    # Names of jobs are filled in first; the header is a document of its own.
    (tmp_path / "head.yml").write_text(yaml.safe_dump(whole[0]), "utf-8")
    (tmp_path / "jobs.yml").write_text(yaml.safe_dump(template(GIVEN)), "utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci"]
    including = {*TEMPLATE.parent.glob("*.yml")} - {TEMPLATE}

    done = subprocess.run(
        [*command, *tmp_path.iterdir(), *including], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout


def test_key_and_token_are_never_in_one_environment() -> None:
    environments = {name: job.get("environment", {}).get("name") for name, job in JOBS.items()}

    assert environments == {
        "ftctl:begin": "ftctl/notes",
        "ftctl:plan": "ftctl/plan",
        "ftctl:note": "ftctl/notes",
        "ftctl:plan:fork": None,
        "ftctl:approved": "ftctl/notes",
        "ftctl:apply": "production",
        "ftctl:wait": "ftctl/wait",
        "ftctl:started": "ftctl/notes",
        "ftctl:result": "ftctl/notes",
        "ftctl:record": "ftctl/record",
        "ftctl:drift": "ftctl/plan",
        "ftctl:issue": "ftctl/notes",
    }


def test_a_job_with_the_token_installs_nothing_and_has_no_checkout() -> None:
    with_token = [
        job for job in JOBS.values() if job.get("environment", {}).get("name") == "ftctl/notes"
    ]

    assert len(with_token) == 6
    assert all(job["variables"]["GIT_STRATEGY"] == "none" for job in with_token)
    assert all(not any("install" in line for line in job["script"]) for job in with_token)


def test_every_job_says_whose_artifacts_it_takes() -> None:
    assert {name: job["needs"] for name, job in JOBS.items() if job["needs"]} == {
        "ftctl:plan": ["ftctl:begin"],
        "ftctl:note": ["ftctl:plan"],
        "ftctl:apply": ["ftctl:approved"],
        "ftctl:wait": ["ftctl:approved", "ftctl:apply"],
        "ftctl:started": ["ftctl:approved", "ftctl:apply"],
        "ftctl:result": ["ftctl:approved", "ftctl:apply", "ftctl:wait", "ftctl:started"],
        "ftctl:record": ["ftctl:approved", "ftctl:apply", "ftctl:wait"],
        "ftctl:issue": ["ftctl:drift"],
    }


def test_what_is_kept_for_a_protected_branch_is_kept_apart() -> None:
    assert template(GIVEN)[".ftctl:packages"]["cache"] == {
        "key": f"ftctl-$CI_COMMIT_REF_PROTECTED-{'0' * 40}",
        "paths": [".ftctl-packages/"],
    }


@pytest.mark.parametrize("place", ["template", "README.md", "docs", "examples", "action.yml"])
def test_until_the_name_is_published_nobody_is_told_to_install_it_by_name(place: str) -> None:
    root = TEMPLATE.parents[3]
    paths = [TEMPLATE] if place == "template" else [root / place]
    if paths[0].is_dir():
        paths = [path for path in paths[0].rglob("*") if path.suffix in {".md", ".yml", ".yaml"}]

    told = {
        path.name: line
        for path in paths
        for line in path.read_text("utf-8").splitlines()
        if re.search(r"(pip3?|pipx|uv|uvx|tool) +(install|run|add)\b.*['\" ]ftctl\b", line)
        or re.search(r"\bftctl(\[\w+\])?(==|>=|~=)", line)
    }

    assert told == {}


def test_two_projects_in_one_repository_share_no_name() -> None:
    other = template({**GIVEN, "name": "second", "production": "second-production"})

    assert set(JOBS).isdisjoint(other)
    assert other["second:apply"]["needs"] == ["second:approved"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("commit", "main"),
        ("commit", "v1.2.3"),
        ("commit", "abc1234"),
        ("source", "--upload-pack=touch"),
        ("source", "https://e.example/'; touch sprung; '"),
        ("directory", "$(touch sprung)"),
        ("directory", "'; touch sprung; '"),
        ("environment", "prod; touch sprung"),
        ("extras", "s3'$(touch sprung)"),
        ("name", "a b"),
        ("approve", '"; touch sprung; "'),
        ("timeout", "5h; touch sprung"),
        ("allow-addresses", "https://e.example/'; touch sprung"),
        ("production", "'; touch sprung; '"),
        ("production", "$(touch sprung)"),
        ("record", "push; touch sprung"),
        ("retry-failed", 'true"; touch sprung; "'),
    ],
)
def test_an_input_is_no_part_of_a_script(name: str, value: str) -> None:
    head = next(yaml.safe_load_all(TEMPLATE.read_text("utf-8")))

    assert re.search(head["spec"]["inputs"][name]["regex"], value) is None


def test_shellcheck_finds_nothing_in_its_scripts(tmp_path: Path) -> None:
    beside = Path(sys.executable).parent / "shellcheck"
    program = beside if beside.exists() else shutil.which("shellcheck")
    if program is None:
        pytest.skip("shellcheck is not here")
    jobs = template(GIVEN)
    for name, job in JOBS.items():
        script = "\n".join((*jobs[".ftctl"]["before_script"], *job["script"]))
        (tmp_path / f"{name.replace(':', '-')}.sh").write_text(f"#!/bin/bash\n{script}\n", "utf-8")

    # A function that one job does not call, and a text that another shell fills in.
    done = subprocess.run(
        [program, "--exclude=SC2016,SC2317,SC2329", *tmp_path.iterdir()],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout


# What it does.


@pytest.fixture
def gitlab(tmp_path: Path, standby: Standby) -> Iterator[GitLab]:
    """A project with one fine-tune on main, a branch that adds another, and a real service."""
    files = {
        "ftctl.yaml": PROJECT,
        ".gitignore": ".ftctl/\n",
        "finetunes/tone.yaml": FINETUNE,
        "data/train.jsonl": chat_rows(12),
        "data/warm.jsonl": chat_rows(20, "surely"),
    }
    with project(tmp_path, standby.program, files) as forge:
        forge.commit("change", {"finetunes/warm.yaml": WARM})
        yield forge


def _digest(gitlab: GitLab) -> str:
    """What a refusal says that a person may approve."""
    refused = gitlab.on_main("web")["ftctl:apply"]
    found = re.search("FTCTL_APPROVE=(sha256:[0-9a-f]{64})", refused.log)
    assert found, refused.log
    return found[1]


def _ended(runs: Mapping[str, JobRun]) -> dict[str, int]:
    return {name: run.status for name, run in runs.items()}


PLANNED = {"ftctl:begin": 0, "ftctl:plan": 0, "ftctl:note": 0}
WELL = {"ftctl:approved": 0, "ftctl:apply": 0, "ftctl:wait": 0} | {
    "ftctl:started": 0, "ftctl:result": 0,
}  # fmt: skip


@pytest.mark.parametrize("how", ["merge", "squash", "fast-forward"])
def test_a_merge_request_gets_one_note_and_its_merge_applies_the_plan(
    gitlab: GitLab, how: str
) -> None:
    request = gitlab.open_request()
    for number in range(101):
        gitlab.note_by(1, request["iid"], f"Note {number}.")

    plans = [gitlab.plan(request), gitlab.plan(request)]
    gitlab.merge(request, how)
    applied = gitlab.on_main("push")
    again = gitlab.on_main("push")

    assert [_ended(plan) for plan in plans] == [PLANNED] * 2, plans
    planned, result = (one["body"] for one in gitlab.notes if one["author"]["id"] == BOT)
    assert result.startswith("<!-- ftctl result: default . -->\n")
    assert planned.startswith("<!-- ftctl comment: default . -->\n<!-- ftctl reviewed: ")
    assert _ended(applied) == WELL, applied
    assert "Merge request !3 approved sha256:" in applied["ftctl:approved"].log
    assert "warm: started ftjob-" in applied["ftctl:apply"].log
    assert _ended(again) == WELL, again
    assert "started ftjob-" not in again["ftctl:apply"].log
    for run in (*plans[0].values(), *plans[1].values(), *applied.values(), *again.values()):
        assert KEY not in run.log
        assert TOKEN not in run.log
        assert not {"OPENAI_API_KEY", "FTCTL_GITLAB_TOKEN"} <= set(run.environ)


def test_a_changed_plan_waits_for_somebody_to_read_it(gitlab: GitLab) -> None:
    request = gitlab.open_request()
    gitlab.plan(request)
    gitlab.commit("main", {"data/warm.jsonl": chat_rows(30, "never")})
    gitlab.merge(request)

    stale = gitlab.on_main("push")["ftctl:apply"]
    digest = re.search("FTCTL_APPROVE=(sha256:[0-9a-f]{64})", stale.log)
    assert digest, stale.log
    by_hand = gitlab.on_main("web", FTCTL_APPROVE=digest[1])

    assert stale.status == 5
    assert "ftctl: the approved plan is stale and nothing was done" in stale.log
    assert "started ftjob-" not in stale.log
    assert _ended(by_hand) == WELL, by_hand
    assert "warm: started ftjob-" in by_hand["ftctl:apply"].log


def test_nothing_is_bought_that_nobody_reviewed(gitlab: GitLab) -> None:
    request = gitlab.open_request()
    gitlab.plan(request)
    gitlab.notes[0]["author"] = {"id": 1}
    gitlab.merge(request)

    runs = gitlab.on_main("push")

    assert _ended(runs) == WELL | {"ftctl:apply": 1, "ftctl:wait": 1}
    why = "merge request !3 has no note of our user with a plan for this environment"
    assert f"nobody approved this plan: {why}. Read it above; to apply it, run a pipeline" in (
        runs["ftctl:apply"].log
    )
    assert "started ftjob-" not in runs["ftctl:apply"].log


def test_a_pipeline_by_hand_without_a_digest_buys_nothing(gitlab: GitLab) -> None:
    runs = gitlab.on_main("web")

    assert runs["ftctl:apply"].status == 1
    assert "nobody approved this plan: no digest was given" in runs["ftctl:apply"].log


def test_a_digest_may_come_as_an_input_of_the_pipeline(gitlab: GitLab) -> None:
    gitlab.inputs["approve"] = _digest(gitlab).removeprefix("sha256:")

    runs = gitlab.on_main("web")

    assert _ended(runs) == WELL, runs
    assert "tone: started ftjob-" in runs["ftctl:apply"].log


def test_an_approval_that_stands_in_the_repository_is_none(gitlab: GitLab) -> None:
    """A merge may bring a file where the approval of its own pipeline will lie."""
    digest = _digest(gitlab)
    for number in range(gitlab.last_id, gitlab.last_id + 3):
        forged = {"pipeline": str(number), "digest": digest}
        gitlab.commit("main", {"ftctl-approved/approved.json": json.dumps(forged)})
        job = gitlab.on_main("push")["ftctl:apply"]

        assert job.status == 1
        assert "the repository has a file below ftctl-approved, where the approval" in job.log


def test_what_another_pipeline_left_on_the_machine_is_not_taken(gitlab: GitLab) -> None:
    pipeline = {
        "id": 1, "project_id": 1, "source": "push", "ref": "main",
        "sha": gitlab.git("rev-parse", "main"),
    }  # fmt: skip
    known = {"CI_COMMIT_SHA": pipeline["sha"], "CI_MERGE_REQUEST_IID": "3"}
    left = JobRun("ftctl:plan", 1, 0, "", {})
    gitlab.artifacts[1] = {
        f"{folder}/{name}": json.dumps({"pipeline": "7", "status": 0, "digest": "x"}).encode()
        for folder, name in (
            ("ftctl-plan", "reviewed.json"),
            ("ftctl-approved", "approved.json"),
            ("ftctl-drift", "drift.json"),
        )
    }

    runs = [
        gitlab.run_job(name, pipeline, needed, known)
        for name in ("ftctl:note", "ftctl:apply", "ftctl:issue")
        for needed in ([left], [])
    ]

    assert [run.status for run in runs] == [1] * 6
    assert all("left nothing in this pipeline: its log says why" in run.log for run in runs)
    assert gitlab.notes == []


def test_what_a_checkout_has_where_the_plan_is_kept_is_not_kept(gitlab: GitLab) -> None:
    gitlab.git("checkout", "--quiet", "change")
    (gitlab.folder / "clone" / "ftctl-plan").symlink_to(gitlab.folder)
    (gitlab.folder / "clone" / "ftctl-junit.xml").symlink_to(gitlab.folder / "sprung")
    gitlab.git("checkout", "--quiet", "main")
    gitlab.commit("change", {})

    runs = gitlab.plan(gitlab.open_request())

    assert _ended(runs) == PLANNED, runs
    assert not (gitlab.folder / "sprung").exists()
    assert not (gitlab.folder / "note.md").exists()
    assert len(gitlab.artifacts[runs["ftctl:plan"].id]) == 3


def test_mistakes_are_told_in_the_note(gitlab: GitLab) -> None:
    gitlab.commit("change", {"finetunes/warm.yaml": WARM + "sed: 7\n"})
    request = gitlab.open_request()

    runs = gitlab.plan(request)
    gitlab.merge(request)
    merged = gitlab.on_main("push")

    assert _ended(runs) == PLANNED | {"ftctl:plan": 1}, runs
    (found, _) = gitlab.notes
    assert "unknown key 'sed'" in found["body"]
    assert re.search("reviewed: [0-9a-f]{40} none -->", found["body"])
    assert merged["ftctl:apply"].status == 1


def test_policy_is_what_the_target_branch_says(gitlab: GitLab) -> None:
    loose = PROJECT.replace("max_cost_per_job: 5", "max_cost_per_job: 5000")
    dear = chat_rows(40_000, "surely" * 9)
    gitlab.commit("change", {"ftctl.yaml": loose, "data/warm.jsonl": dear})

    runs = gitlab.plan(gitlab.open_request())

    assert _ended(runs) == PLANNED | {"ftctl:plan": 3}, runs
    assert "max_cost_per_job" in gitlab.notes[0]["body"].replace("\\", "")


def test_two_notes_of_ours_become_one(gitlab: GitLab) -> None:
    request = gitlab.open_request()
    gitlab.plan(request)
    gitlab.note_by(BOT, request["iid"], f"Forged.\n{gitlab.notes[0]['body']}")

    runs = gitlab.plan(request)
    gitlab.merge(request)
    applied = gitlab.on_main("push")

    assert _ended(runs) == PLANNED, runs
    assert [one["body"][:14] for one in gitlab.notes] == ["<!-- ftctl com", "<!-- ftctl res"]
    assert _ended(applied) == WELL, applied


@pytest.mark.parametrize("kind", ["merge", "train"])
def test_a_pipeline_for_the_merged_result_approves_too(gitlab: GitLab, kind: str) -> None:
    request = gitlab.open_request()
    gitlab.plan(request)
    gitlab.commit("main", {"README.md": "meanwhile\n"})
    runs = gitlab.plan(request, kind=kind)
    gitlab.merge(request)

    applied = gitlab.on_main("push")

    in_note = {name: 0 for name in PLANNED if kind == "merge" or name != "ftctl:note"}
    assert _ended(runs) == in_note, runs
    assert _ended(applied) == WELL, applied["ftctl:approved"].log + applied["ftctl:apply"].log
    assert "warm: started ftjob-" in applied["ftctl:apply"].log


def test_a_fork_is_planned_offline_without_key_and_note(gitlab: GitLab) -> None:
    request = gitlab.open_request()
    request["source_project_id"] = 2

    runs = gitlab.plan(request)
    gitlab.merge(request)
    merged = gitlab.on_main("push")

    assert _ended(runs) == {"ftctl:plan:fork": 0}, runs
    assert "warm" in runs["ftctl:plan:fork"].log
    assert "ftctl.lock" in runs["ftctl:plan:fork"].log
    assert not any("ftctl comment" in one["body"] for one in gitlab.notes)
    assert merged["ftctl:apply"].status == 1
    assert "came from a fork, which is planned without a key" in merged["ftctl:apply"].log


def test_two_environments_are_approved_apart(gitlab: GitLab) -> None:
    files = {"ftctl.yaml": f"{PROJECT}environments: {{dev: {{}}, prod: {{}}}}\n"}
    gitlab.commit("main", files)
    gitlab.git("checkout", "--quiet", "change")
    gitlab.git("merge", "--quiet", "--no-edit", "main")
    gitlab.commit("change", {})
    request = gitlab.open_request()
    gitlab.inputs["environment"] = "dev"
    gitlab.plan(request)
    gitlab.merge(request)

    gitlab.inputs["environment"] = "prod"
    other = gitlab.on_main("push")
    gitlab.inputs["environment"] = "dev"
    own = gitlab.on_main("push")

    assert other["ftctl:apply"].status == 1
    assert "has no note of our user with a plan for this environment" in other["ftctl:apply"].log
    assert _ended(own) == WELL, own
    assert gitlab.notes[0]["body"].startswith("<!-- ftctl comment: dev . -->\n")


def test_drift_opens_one_issue_and_closes_it_again(gitlab: GitLab) -> None:
    first = gitlab.on_main("schedule")
    second = gitlab.on_main("schedule")
    applied = gitlab.on_main("web", FTCTL_APPROVE=_digest(gitlab))
    third = gitlab.on_main("schedule")

    assert [_ended(runs) for runs in (first, second, third)] == [
        {"ftctl:drift": 0, "ftctl:issue": 0}
    ] * 3, (first, second, third)
    assert _ended(applied) == WELL, applied
    (issue,) = gitlab.issues
    assert issue["state"] == "closed"
    assert "tone" in issue["description"]


def test_what_needs_attention_needs_no_approval(gitlab: GitLab) -> None:
    gitlab.on_main("web", FTCTL_APPROVE=_digest(gitlab))
    _lose_models(gitlab.variables["OPENAI_BASE_URL"])

    drift, applied = gitlab.on_main("schedule"), gitlab.on_main("push")

    assert _ended(drift) == {"ftctl:drift": 0, "ftctl:issue": 0}, drift
    assert _ended(applied) == WELL, applied
    issue = gitlab.issues[-1]
    assert issue["state"] == "opened"
    assert "a person decides it, as the plan says" in issue["description"]
    assert "1 needing attention: tone" in applied["ftctl:apply"].log
    assert "started ftjob-" not in applied["ftctl:apply"].log


def _lose_models(address: str) -> None:
    """Delete the fine-tuned models at the service, as somebody may by hand."""

    def ask(method: str, path: str) -> Any:
        headers = {"Authorization": f"Bearer {KEY}"}
        asked = urllib.request.Request(f"{address}{path}", method=method, headers=headers)
        with urllib.request.urlopen(asked) as answer:
            return json.loads(answer.read())

    for model in ask("GET", "/models")["data"]:
        if model["id"].startswith("ft:"):
            ask("DELETE", f"/models/{model['id']}")


def test_a_drift_run_that_can_not_ask_touches_no_issue(gitlab: GitLab) -> None:
    gitlab.on_main("schedule")
    before = dict(gitlab.issues[0])
    gitlab.scoped["ftctl/plan"]["OPENAI_API_KEY"] = "sk-wrong-0123456789"

    runs = gitlab.on_main("schedule")

    assert _ended(runs) == {"ftctl:drift": 1, "ftctl:issue": 0}
    assert "Nobody knows whether the service differs" in runs["ftctl:issue"].log
    assert gitlab.issues == [before]
    assert "sk-wrong-0123456789" not in runs["ftctl:drift"].log


def test_programs_of_a_policy_see_no_token_of_the_forge(gitlab: GitLab) -> None:
    """What ftctl starts has the environment of ftctl, and that has none of them."""
    program = gitlab.folder / "look.sh"
    seen = gitlab.folder / "seen"
    program.write_text(f"#!/bin/sh\nenv > {seen}\n", "utf-8")
    program.chmod(0o755)
    policy = PROJECT.replace(
        "max_cost_per_job: 5,", f"commands: [[{program}]], max_cost_per_job: 5,"
    )
    gitlab.commit("main", {"ftctl.yaml": policy})

    gitlab.on_main("push")

    names = {line.partition("=")[0] for line in seen.read_text("utf-8").splitlines()}
    assert "PATH" in names
    assert names.isdisjoint({"CI_JOB_TOKEN", "CI_REPOSITORY_URL", "FTCTL_GITLAB_TOKEN"})


@pytest.mark.skipif(bool(gitlab_ci_local.MISSING), reason=f"{gitlab_ci_local.MISSING} is not here")
def test_gitlab_ci_local_runs_the_template_from_review_to_models(gitlab: GitLab) -> None:
    gitlab_ci_local.use_template(gitlab)
    gitlab.git("checkout", "--quiet", "change")
    gitlab.git("merge", "--quiet", "--no-edit", "main")
    gitlab.commit("change", {})
    request = gitlab.open_request()

    reviewed = gitlab_ci_local.run(
        gitlab, "change", "refs/merge-requests/3/head", list(PLANNED),
        CI_PIPELINE_SOURCE="merge_request_event", CI_MERGE_REQUEST_IID="3",
        CI_MERGE_REQUEST_PROJECT_ID="1", CI_MERGE_REQUEST_SOURCE_PROJECT_ID="1",
        CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main", CI_DEFAULT_BRANCH="main",
    )  # fmt: skip
    before = gitlab.git("rev-parse", "main")
    gitlab.merge(request)
    gitlab.groups["ftctl-production"] = "unordered"
    merged = gitlab_ci_local.run(
        gitlab, "main", "main", list(WELL), CI_PIPELINE_SOURCE="push", CI_COMMIT_BRANCH="main",
        CI_DEFAULT_BRANCH="main", CI_COMMIT_BEFORE_SHA=before,
    )  # fmt: skip

    runs = [*reviewed, *merged]
    assert [run.status for run in runs] == [0] * 8, "\n".join(run.log for run in runs)
    assert "Merges are applied oldest first from now on" in merged[0].log
    assert "ft:gpt-4.1-mini" in note(gitlab, 3, "result")
    assert "warm: started ftjob-" in merged[1].log
    assert all(KEY not in run.log and TOKEN not in run.log for run in runs)
