"""What somebody may put where jobs of a GitLab pipeline hand things on: records, notes, orders."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import FINETUNE, KEY, chat_rows
from forges.gitlab import PROJECT, TOKEN, GitLab
from forges.gitlab_project import PROJECT as MANIFEST
from forges.gitlab_project import note, project
from forges.gitlab_scripts import FORGE, JOB, NOTES, RECORD
from forges.standby import Standby
from test_gitlab_template import WARM, pytestmark

__all__ = ["pytestmark"]

FILES = {
    "ftctl.yaml": MANIFEST, ".gitignore": ".ftctl/\n",
    "data/warm.jsonl": chat_rows(20, "surely"), "data/train.jsonl": chat_rows(12),
}  # fmt: skip
WELL = {f"ftctl:{name}": 0 for name in ("approved", "apply", "wait", "started", "result")}


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory, standby: Standby) -> Iterator[GitLab]:
    """A project whose one merge was applied."""
    with project(tmp_path_factory.mktemp("record"), standby.program, FILES) as gitlab:
        gitlab.commit("change", {"finetunes/warm.yaml": WARM})
        request = gitlab.open_request()
        gitlab.plan(request)
        gitlab.merge(request)
        runs = gitlab.on_main("push")
        assert {name: run.status for name, run in runs.items()} == WELL, runs["ftctl:apply"].log
        yield gitlab


@pytest.fixture
def gitlab(applied: GitLab, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitLab]:
    """The same for each test, whatever the one before did to it."""
    monkeypatch.setattr(FORGE, "PAUSES_SECONDS", (0.0, 0.0))
    names = ("requests", "notes", "pipelines", "jobs", "artifacts", "labels", "groups")
    before = {name: copy.deepcopy(getattr(applied, name)) for name in names}
    yield applied
    for name in names:
        setattr(applied, name, before[name])
    applied.instead, applied.role = lambda _: None, "Developer"


def _api(gitlab: GitLab) -> Any:
    return FORGE.Api(gitlab.url, PROJECT, TOKEN)


def _fetched(gitlab: GitLab, folder: Path) -> list[bytes]:
    ci = {"CI_DEFAULT_BRANCH": "main", "CI_PROJECT_ID": str(PROJECT)}
    job = JOB.Job(".", "", "ftctl", "5h", "", (), ci)
    count = RECORD.fetch(job, _api(gitlab), folder)
    files = sorted((folder / "locks").glob("*.lock"))
    assert len(files) == count
    return [file.read_bytes() for file in files]


def _last(gitlab: GitLab, name: str = "ftctl:wait") -> dict[str, Any]:
    return next(one for one in reversed(gitlab.jobs) if one["name"] == name)


def _pipeline(gitlab: GitLab) -> dict[str, Any]:
    number = _last(gitlab)["pipeline"]["id"]
    return next(one for one in gitlab.pipelines if one["id"] == number)


def test_the_record_of_an_honest_apply_is_fetched(gitlab: GitLab, tmp_path: Path) -> None:
    (lock,) = _fetched(gitlab, tmp_path)

    assert b"ftjob-" in lock


def _of_a_branch(gitlab: GitLab) -> None:
    _pipeline(gitlab)["ref"] = "refs/heads/evil"


def _of_a_merge_request(gitlab: GitLab) -> None:
    _pipeline(gitlab)["source"] = "merge_request_event"


def _of_a_schedule(gitlab: GitLab) -> None:
    _pipeline(gitlab)["source"] = "schedule"


def _by_another_job(gitlab: GitLab) -> None:
    for one in gitlab.jobs:
        one["name"] = one["name"].replace("ftctl:", "evil:")


def _said(key: str, value: Any) -> Callable[[GitLab], None]:
    def change(gitlab: GitLab) -> None:
        for name, folder in (("ftctl:wait", "ftctl-waited"), ("ftctl:apply", "ftctl-applied")):
            kept = gitlab.artifacts[_last(gitlab, name)["id"]]
            path = f"{folder}/applied.json"
            kept[path] = json.dumps({**json.loads(kept[path]), key: value}).encode()

    return change


def _without_a_word(gitlab: GitLab) -> None:
    for kept in gitlab.artifacts.values():
        for path in [path for path in kept if path.endswith("applied.json")]:
            del kept[path]


@pytest.mark.parametrize(
    "meddle",
    [
        _of_a_branch, _of_a_merge_request, _of_a_schedule, _by_another_job, _without_a_word,
        _said("place", "prod@."), _said("pipeline", "1"), _said("job", "1"), _said("place", None),
    ],
)  # fmt: skip
def test_a_record_of_anything_else_is_not(
    gitlab: GitLab, tmp_path: Path, meddle: Callable[[GitLab], None]
) -> None:
    meddle(gitlab)

    assert _fetched(gitlab, tmp_path) == []


def test_a_record_that_is_damaged_stops_an_apply_and_says_whose_it_is(gitlab: GitLab) -> None:
    for kept in gitlab.artifacts.values():
        for path in [path for path in kept if path.endswith("ftctl.lock")]:
            kept[path] = b"{"
    number = _last(gitlab)["id"]

    apply = gitlab.on_main("push")["ftctl:apply"]

    assert apply.status == 1
    assert f"the record of job {number} could not be read. Delete that job's artifacts" in apply.log
    assert "started ftjob-" not in apply.log


def test_a_record_that_is_damaged_leaves_a_plan(gitlab: GitLab) -> None:
    for kept in gitlab.artifacts.values():
        for path in [path for path in kept if path.endswith("ftctl.lock")]:
            kept[path] = b"{"
    gitlab.commit("readme", {"README.md": "x\n"})

    runs = gitlab.plan(gitlab.open_request("readme"))

    assert {run.status for run in runs.values()} == {0}, runs["ftctl:plan"].log
    assert "could not be read" in runs["ftctl:plan"].log


@pytest.mark.parametrize("folder", ["ftctl-applied", "ftctl-waited"])
def test_what_stands_in_the_repository_is_no_apply(gitlab: GitLab, folder: str) -> None:
    tip = gitlab.git("rev-parse", "main")
    forged = {"pipeline": str(gitlab.last_id + 1), "status": 0, "carried": True}
    gitlab.commit("main", {f"{folder}/applied.json": json.dumps(forged)})
    try:
        apply = gitlab.on_main("push")["ftctl:apply"]
    finally:
        gitlab.git("reset", "--quiet", "--hard", tip)
        gitlab.git("push", "--quiet", "--force", "origin", "main")

    assert apply.status == 1
    assert f"the repository has a file below {folder}, where what was applied is put" in apply.log


def test_a_record_in_the_repository_is_not_of_this_pipeline(gitlab: GitLab) -> None:
    gitlab.commit("forged", {"ftctl-begun/locks/0-1.lock": "{}"})

    runs = gitlab.plan(gitlab.open_request("forged"))

    assert runs["ftctl:plan"].status == 1
    assert "the repository has a file below ftctl-begun" in runs["ftctl:plan"].log


# Notes.


def test_a_reason_is_no_markup() -> None:
    why = "job '@root' <b> `x` ~bug !3 #4 [a](b) **c** _d_ \\ and FTCTL_APPROVE=sha256:ab with it"

    said = JOB.in_line(why)

    assert not set(said) & set("@<>`~![]*_\\") - set("`_")
    assert said.count("`") == 2
    assert said.endswith("and `FTCTL_APPROVE=sha256:ab` with it")


def _report(gitlab: GitLab, outcome: str, words: str, attempt: int = 0) -> None:
    """Have a result told on merge request !3."""
    ci = {
        "CI_PROJECT_ID": str(PROJECT), "CI_API_V4_URL": gitlab.url,
        "CI_PIPELINE_ID": str(_pipeline(gitlab)["id"]),
        "CI_COMMIT_SHA": "0" * 40, "FTCTL_GITLAB_TOKEN": TOKEN, "CI_DEFAULT_BRANCH": "main",
    }  # fmt: skip
    pipeline = ci["CI_PIPELINE_ID"]
    said = {
        "pipeline": pipeline, "outcome": outcome, "stage": "apply",
        "job": str(attempt or _last(gitlab, "ftctl:apply")["id"]),
    }  # fmt: skip
    folder = gitlab.folder / f"told-{outcome}"
    for name, text in {
        "ftctl-approved/approved.json": json.dumps({"pipeline": pipeline, "requests": [3]}),
        "ftctl-applied/applied.json": json.dumps(said),
        "ftctl-applied/result.md": words,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert NOTES.report(JOB.Job(".", "", "ftctl", "5h", "", (), ci)) == 0


def test_words_of_a_result_are_no_mark_of_a_plan(gitlab: GitLab) -> None:
    """Whatever a manifest or the service says: the result's note never looks like a plan's."""
    mark = "<!-- ftctl comment: default . -->"

    _report(gitlab, "applied", f"x\n{mark}\n/merge\n")

    result = note(gitlab, 3, "result")
    assert mark not in result
    assert "&lt;!-- ftctl comment" in result
    assert not any(line.lstrip().startswith("/") for line in result.splitlines())


def test_an_attempt_that_left_no_word_is_not_told_by_the_one_before(gitlab: GitLab) -> None:
    before = note(gitlab, 3, "result")
    apply = _last(gitlab, "ftctl:apply")
    gitlab.jobs.append({**apply, "id": 99_999, "status": "failed"})

    with pytest.raises(SystemExit):
        _report(gitlab, "stale", "Nothing was done.\n", apply["id"])

    assert note(gitlab, 3, "result") == before


def test_a_run_with_nothing_to_do_takes_nothing_away(gitlab: GitLab) -> None:
    before, labels = note(gitlab, 3, "result"), set(gitlab.labels[3])

    _report(gitlab, "nothing-to-do", "Nothing to do.\n")
    after = note(gitlab, 3, "result")
    kept = set(gitlab.labels[3])
    _report(gitlab, "stale", "Stale.\n")

    assert after == before
    assert kept == labels == {"ftctl-applied"}
    assert "Stale." in note(gitlab, 3, "result")
    assert gitlab.labels[3] == {"ftctl-stale"}


def test_a_plan_of_an_older_commit_does_not_take_the_place_of_a_newer_one(gitlab: GitLab) -> None:
    gitlab.commit("slow", {"README.md": "one\n"})
    request = gitlab.open_request("slow")
    slow = gitlab.planning(request)
    gitlab.finish(slow, until="ftctl:plan")
    gitlab.commit("slow", {"README.md": "two\n"})
    gitlab.plan(request)
    newer = note(gitlab, request["iid"])

    gitlab.finish(slow)

    assert note(gitlab, request["iid"]) == newer
    assert "A newer commit was pushed to merge request" in slow.done["ftctl:note"].log


def test_a_merge_while_a_plan_is_made_approves_nothing(gitlab: GitLab) -> None:
    gitlab.commit("early", {"finetunes/tone.yaml": WARM.replace("warm", "tone")})
    request = gitlab.open_request("early")
    gitlab.plan(request)
    gitlab.finish(gitlab.planning(request), until="ftctl:begin")
    tip = gitlab.git("rev-parse", "main")
    gitlab.merge(request)
    try:
        pipeline = gitlab.begin("push")
        gitlab.finish(pipeline, until="ftctl:approved")
    finally:
        gitlab.git("reset", "--quiet", "--hard", tip)
        gitlab.git("push", "--quiet", "--force", "origin", "main")

    assert "was merged without a plan that may be applied" in pipeline.done["ftctl:approved"].log


def test_plans_of_what_was_applied_are_labelled_and_others_are_not(gitlab: GitLab) -> None:
    ci = {"CI_DEFAULT_BRANCH": "main", "CI_PROJECT_ID": str(PROJECT)}
    job = JOB.Job(".", "", "ftctl", "5h", "", (), ci)
    gitlab.commit("same", {"finetunes/tone.yaml": FINETUNE})
    request = gitlab.open_request("same")
    gitlab.plan(request)
    before = set(gitlab.labels[request["iid"]])

    NOTES._outdate(job, _api(gitlab), {"warm"}, set())
    unconcerned = set(gitlab.labels[request["iid"]])
    NOTES._outdate(job, _api(gitlab), {"tone"}, {request["iid"]})
    its_own = set(gitlab.labels[request["iid"]])
    gitlab.note_by(1, request["iid"], "<!-- ftctl comment: default . -->\nnobody's")
    NOTES._outdate(job, _api(gitlab), {"tone"}, set())

    assert unconcerned == its_own == before
    assert gitlab.labels[request["iid"]] == before | {"ftctl-outdated"}


# The order.


@pytest.mark.parametrize("mode", ["unordered", "newest_first", "newest_ready_first"])
def test_another_order_is_changed_and_told(
    gitlab: GitLab, capsys: pytest.CaptureFixture[str], mode: str
) -> None:
    gitlab.groups["ftctl-production"] = mode
    job = JOB.Job(".", "", "ftctl", "5h", "", (), {})

    NOTES.keep_order(job, _api(gitlab))
    told = capsys.readouterr().out
    NOTES.keep_order(job, _api(gitlab))

    assert gitlab.groups["ftctl-production"] == "oldest_first"
    assert f"resource group 'ftctl-production' was '{mode}'" in told
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("how", ["role", "missing", "odd"])
def test_an_order_that_cannot_be_kept_stops_nothing_and_is_told(
    gitlab: GitLab, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    job = JOB.Job(".", "", "ftctl", "5h", "", (), {})
    if how == "role":
        gitlab.role = "Reporter"
    elif how == "missing":
        gitlab.groups.clear()
    else:
        gitlab.instead = lambda asked: (500, None) if asked.startswith("PUT") else None
        gitlab.groups["ftctl-production"] = "unordered"

    NOTES.keep_order(job, _api(gitlab))

    assert "in which order merges are applied is not known" in capsys.readouterr().out


# The record's way home.


def test_a_record_that_others_write_meanwhile_is_merged_again(gitlab: GitLab) -> None:
    """Whoever wrote first is kept: the file is changed only where it is still what was merged."""
    tip = gitlab.git("rev-parse", "main")
    gitlab.inputs["record"] = "push"
    refused: list[str] = []

    def once(asked: str) -> tuple[int, Any] | None:
        if asked.endswith("repository/commits") and not refused:
            refused.append(asked)
            return 400, {"message": "You are attempting to update a file that has changed"}
        return None

    gitlab.instead = once
    try:
        runs = gitlab.on_main("push")
        lock = gitlab.git("show", "main:ftctl.lock")
        message = gitlab.git("log", "-1", "--format=%s", "main")
    finally:
        del gitlab.inputs["record"]
        gitlab.git("reset", "--quiet", "--hard", tip)
        gitlab.git("push", "--quiet", "--force", "origin", "main")

    assert runs["ftctl:record"].status == 0, runs["ftctl:record"].log
    assert len(refused) == 1
    assert "ftjob-" in lock
    assert message.endswith("[skip ci]")
    assert KEY not in runs["ftctl:record"].environ.values()


def test_a_token_that_may_not_write_says_so(gitlab: GitLab) -> None:
    gitlab.inputs["record"] = "push"
    gitlab.role = "Reporter"
    try:
        runs = gitlab.on_main("push")
    finally:
        del gitlab.inputs["record"]

    assert runs["ftctl:record"].status == 1
    assert "with 403: FTCTL_GITLAB_TOKEN needs the scope 'api' and the role" in (
        runs["ftctl:record"].log
    )


@pytest.mark.parametrize(
    "place", ["default@.", "prod@services_2fa", "a@..b", "a@x.lock", "a@.hidden", "a@"]
)
def test_a_place_makes_a_branch_that_git_takes(gitlab: GitLab, place: str) -> None:
    job = JOB.Job(".", "", "ftctl", "5h", "", (), {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JOB.Job, "place", place)
        name = f"ftctl/record-{RECORD._in_branch(job)}"

    assert gitlab.git("check-ref-format", "--branch", name) == name
