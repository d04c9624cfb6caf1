"""What a team at GitLab sees over weeks: three merges, trains, forks, two projects, the record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import FINETUNE, chat_rows
from forges.gitlab import TEMPLATE, GitLab
from forges.gitlab_project import PROJECT, ask, ended, note, project
from forges.standby import Standby
from test_gitlab_template import pytestmark

from .conftest import Story

__all__ = ["pytestmark"]

WELL = {f"ftctl:{name}": 0 for name in ("approved", "apply", "wait", "started", "result")}
FILES = {"ftctl.yaml": PROJECT, ".gitignore": ".ftctl/\n"} | {
    f"data/{name}.jsonl": chat_rows(12, name) for name in ("cool", "tone", "warm")
}


def _finetune(name: str) -> str:
    return FINETUNE.replace("tone", name).replace("train.jsonl", f"{name}.jsonl")


@pytest.fixture
def gitlab(tmp_path: Path, standby: Standby) -> Iterator[GitLab]:
    """A project without a fine-tune."""
    with project(tmp_path, standby.program, FILES) as gitlab:
        yield gitlab


def _proposed(gitlab: GitLab, name: str, files: dict[str, str] | None = None) -> dict[str, Any]:
    """A merge request that adds a fine-tune, and is planned."""
    gitlab.commit(name, files or {f"finetunes/{name}.yaml": _finetune(name)})
    request = gitlab.open_request(name)
    gitlab.plan(request)
    return request


def _jobs(gitlab: GitLab) -> list[Any]:
    found: list[Any] = ask(gitlab, "GET", "/fine_tuning/jobs?limit=100")["data"]
    return found


def _labels(gitlab: GitLab, request: dict[str, Any]) -> set[str]:
    return set(gitlab.labels.get(request["iid"], ()))


def test_gitlab_merge_request_from_plan_to_model(gitlab: GitLab, story: Story) -> None:
    story.says("Ann pushes a branch with a new fine-tune and opens a merge request.")
    request = _proposed(gitlab, "tone")
    iid = request["iid"]
    first = note(gitlab, iid)
    story.shows(f"The note on !{iid}", first)
    story.shows("Its labels", "\n".join(sorted(_labels(gitlab, request))))

    story.says("She pushes once more. While the new plan is being made the note says so.")
    pushed = gitlab.commit("tone", {"README.md": "A tone of our own.\n"})
    pipeline = gitlab.planning(request)
    gitlab.finish(pipeline, until="ftctl:begin")
    meanwhile = note(gitlab, iid)
    story.shows("The note meanwhile", meanwhile)
    gitlab.finish(pipeline)
    second = note(gitlab, iid)

    story.says("Ben approves, and merges. Three minutes later the jobs are started.")
    gitlab.merge(request)
    merged = gitlab.begin("push")
    gitlab.finish(merged, until="ftctl:started")
    story.shows("The result's note, after the start", note(gitlab, iid, "result"))
    runs = gitlab.finish(merged)
    result = note(gitlab, iid, "result")
    story.shows("The result's note, when it is over", result)

    story.says("The next morning's schedule finds nothing to say.")
    morning = gitlab.on_main("schedule")

    gitlab.on_main("web")
    assert note(gitlab, iid, "result") == result  # a run with nothing to do takes nothing away

    assert f"Plan of commit `{pushed[:12]}`" in second
    assert "Merging applies exactly this plan, and nothing else." in first
    assert "ftctl-cost-below-1" in _labels(gitlab, request) or "ftctl-applied" in _labels(
        gitlab, request
    )
    assert f"commit {pushed[:12]} is being planned" in meanwhile
    assert f"What stood here was of commit {first.split('reviewed: ')[1][:12]}." in meanwhile
    assert note(gitlab, iid) == second
    assert ended(runs) == WELL, runs["ftctl:apply"].log + runs["ftctl:wait"].log
    assert "tone" in result
    assert "ft:gpt-4.1-mini" in result
    assert _labels(gitlab, request) == {"ftctl-applied"}
    assert ended(morning) == {"ftctl:drift": 0, "ftctl:issue": 0}
    assert gitlab.issues == []


def test_gitlab_three_merges_in_a_row(gitlab: GitLab, story: Story) -> None:
    story.says("Three merge requests are planned and approved, each alone.")
    requests = [_proposed(gitlab, name) for name in ("cool", "tone", "warm")]

    story.says("They are merged within a minute: three pipelines wait for one resource group.")
    pipelines = []
    for request in requests:
        gitlab.merge(request)
        pipelines.append(gitlab.begin("push"))
    for pipeline in reversed(pipelines):
        gitlab.finish(pipeline, until="ftctl:approved")
    story.shows("The log of ftctl:approved", pipelines[-1].done["ftctl:approved"].log)
    mode = gitlab.groups["ftctl-production"]
    turns = gitlab.take_turns(pipelines, "ftctl:apply")
    story.says(f"The group is `{mode}`, so they take turns in the order of their pipelines.")
    runs = [gitlab.finish(pipeline) for pipeline in pipelines]
    for request in requests:
        story.shows(f"The result on !{request['iid']}", note(gitlab, request["iid"], "result"))

    assert mode == "oldest_first"
    assert turns == sorted(turns)
    assert [ended(one) for one in runs] == [WELL] * 3, [one["ftctl:apply"].log for one in runs]
    for name, one in zip(("cool", "tone", "warm"), runs, strict=True):
        assert one["ftctl:apply"].log.count(": started ftjob-") == 1
        assert f"{name}: started ftjob-" in one["ftctl:apply"].log
    assert len(_jobs(gitlab)) == 3


def test_gitlab_three_merges_where_nobody_keeps_the_order(gitlab: GitLab, story: Story) -> None:
    story.says("The token has the role Reporter: it may not set the order, and the log says so.")
    gitlab.role = "Reporter"
    requests = [_proposed(gitlab, name) for name in ("cool", "warm")]
    pipelines = []
    for request in requests:
        gitlab.merge(request)
        pipelines.append(gitlab.begin("push"))
        gitlab.finish(pipelines[-1], until="ftctl:approved")
    story.shows("The log of ftctl:approved", pipelines[0].done["ftctl:approved"].log)

    story.says("GitLab lets the newer one go first. It buys nothing, and names what moved.")
    gitlab.take_turns(pipelines, "ftctl:apply")
    older, newer = (dict(gitlab.finish(pipeline)) for pipeline in pipelines)
    story.shows("The log of the newer apply", newer["ftctl:apply"].log)

    story.says("The older one is applied. Then somebody retries the newer one, which now goes on.")
    again = gitlab.retry(pipelines[1], "ftctl:apply")
    story.shows("The log of the retry", again.log)

    assert "process_mode=oldest_first" in pipelines[0].done["ftctl:approved"].log
    assert "resource_groups/ftctl-production" in pipelines[0].done["ftctl:approved"].log
    assert newer["ftctl:apply"].status == 5
    assert "cool" in newer["ftctl:apply"].log
    assert "started ftjob-" not in newer["ftctl:apply"].log
    assert ended(older) == WELL
    assert again.status == 0
    assert "warm: started ftjob-" in again.log
    assert len(_jobs(gitlab)) == 2
    assert _labels(gitlab, requests[0]) == set()


def test_gitlab_a_push_with_two_merges(gitlab: GitLab, story: Story) -> None:
    story.says("Two merges reach the default branch in one push. Each was planned alone.")
    requests = [_proposed(gitlab, name) for name in ("cool", "warm")]
    before = gitlab.git("rev-parse", "main")
    for request in requests:
        gitlab.merge(request)

    runs = gitlab.on_main("push", CI_COMMIT_BEFORE_SHA=before)

    story.shows("The log of ftctl:approved", runs["ftctl:approved"].log)
    assert ended(runs) == WELL, runs["ftctl:apply"].log
    assert runs["ftctl:approved"].log.count(" approved sha256:") == 2
    assert runs["ftctl:apply"].log.count(": started ftjob-") == 2
    for request in requests:
        assert "ft:gpt-4.1-mini" in note(gitlab, request["iid"], "result")


def test_gitlab_a_train_of_two(gitlab: GitLab, story: Story) -> None:
    story.says("Two merge requests are planned, read, and added to a merge train.")
    requests = [_proposed(gitlab, name) for name in ("cool", "warm")]
    shown = [note(gitlab, request["iid"]) for request in requests]

    story.says("The train plans each on top of the one before. The notes stay as they were read.")
    trains = [gitlab.plan(request, kind="train") for request in requests]
    runs = []
    for request in requests:
        gitlab.merge(request)
        runs.append(gitlab.on_main("push"))

    assert [ended(train) for train in trains] == [{"ftctl:begin": 0, "ftctl:plan": 0}] * 2
    assert [note(gitlab, request["iid"]) for request in requests] == shown
    assert [ended(one) for one in runs] == [WELL] * 2, runs[1]["ftctl:apply"].log
    assert len(_jobs(gitlab)) == 2


def test_gitlab_a_plan_that_moved(gitlab: GitLab, story: Story) -> None:
    story.says("A plan is read. Before its merge somebody changes the data that it trains on.")
    request = _proposed(gitlab, "tone")
    gitlab.commit("main", {"data/tone.jsonl": chat_rows(30, "never")})
    gitlab.merge(request)
    stale = gitlab.on_main("push")
    told = note(gitlab, request["iid"], "result")
    story.shows(f"The result on !{request['iid']}", told)
    digest = told.split("FTCTL_APPROVE=")[1].split("`")[0]

    story.says("Somebody reads the plan in the log, and runs a pipeline by hand with its digest.")
    by_hand = gitlab.on_main("web", FTCTL_APPROVE=digest)
    story.shows("The result afterwards", note(gitlab, request["iid"], "result"))

    assert stale["ftctl:apply"].status == 5
    assert stale["ftctl:wait"].status == 1
    assert "started nothing, so nothing is waited for" in stale["ftctl:wait"].log
    assert "tone" in told
    assert ended(by_hand) == WELL, by_hand["ftctl:wait"].log
    assert "ft:gpt-4.1-mini" in note(gitlab, request["iid"], "result")
    assert _labels(gitlab, request) == {"ftctl-applied"}


def test_gitlab_a_job_that_fails_and_is_bought_once_more(gitlab: GitLab, story: Story) -> None:
    story.says("The service fails the job of a merge.")
    ask(
        gitlab,
        "PUT",
        "/_ftctl/faults",
        {"faults": [{"job": {"number": 1}, "fails": "step", "step": 5}]},
    )
    request = _proposed(gitlab, "tone")
    gitlab.merge(request)
    failed = gitlab.on_main("push")
    story.shows(f"The result on !{request['iid']}", note(gitlab, request["iid"], "result"))

    story.says("Retries buy nothing. A pipeline by hand with FTCTL_RETRY_FAILED tells a digest.")
    once_more = gitlab.on_main("push")
    asked = gitlab.on_main("web", FTCTL_RETRY_FAILED="true")["ftctl:apply"]
    digest = asked.log.split("FTCTL_APPROVE=")[1].split()[0]
    before = len(_jobs(gitlab))
    story.shows("The end of its log", asked.log.strip().splitlines()[-1])

    story.says("With that digest it is bought: once, however often the pipeline is run again.")
    by_hand = {"FTCTL_RETRY_FAILED": "true", "FTCTL_APPROVE": digest}
    bought = gitlab.on_main("web", **by_hand)
    gitlab.on_main("web", **by_hand)

    assert failed["ftctl:wait"].status == 1, failed["ftctl:wait"].log
    assert once_more["ftctl:apply"].status == 1
    assert asked.status == 1
    assert "and FTCTL_RETRY_FAILED=true" in asked.log
    assert before == 1
    assert ended(bought) == WELL, bought["ftctl:apply"].log
    assert len(_jobs(gitlab)) == 2


def test_gitlab_a_fork_with_a_mistake(gitlab: GitLab, story: Story) -> None:
    story.says("A stranger opens a merge request from a fork. Its manifest has a mistake.")
    gitlab.commit("tone", {"finetunes/tone.yaml": _finetune("tone") + "sed: 7\n"})
    request = gitlab.open_request("tone")
    request["source_project_id"] = 2
    wrong = gitlab.plan(request)
    story.shows("The log of its one job, which fails", wrong["ftctl:plan:fork"].log)

    story.says("It is mended. The plan stands in the log, made without a key.")
    gitlab.commit("tone", {"finetunes/tone.yaml": _finetune("tone")})
    right = gitlab.plan(request)

    story.says("A maintainer pushes the commits to a branch of the project: that has a plan.")
    assert "shows no record" in right["ftctl:plan:fork"].log
    own = gitlab.open_request("tone")
    gitlab.plan(own)
    gitlab.merge(own)
    request["state"] = "closed"
    runs = gitlab.on_main("push")

    assert ended(wrong) == {"ftctl:plan:fork": 1}
    assert "unknown key 'sed'" in wrong["ftctl:plan:fork"].log
    assert ended(right) == {"ftctl:plan:fork": 0}
    assert note(gitlab, request["iid"]) == ""
    assert ended(runs) == WELL, runs["ftctl:apply"].log

    story.says("Where artifacts are public, the next fork's plan knows what that apply did.")
    gitlab.public = True
    gitlab.commit("other", {"finetunes/warm.yaml": _finetune("warm")})
    other = gitlab.open_request("other")
    other["source_project_id"] = 2
    known = gitlab.plan(other)["ftctl:plan:fork"]
    story.shows("The log of its plan", known.log)
    assert known.status == 0
    assert "shows no record" not in known.log
    assert "1 to train" in known.log


def test_gitlab_an_apply_that_stops_half_way_goes_on(gitlab: GitLab, story: Story) -> None:
    story.says("A merge asks for two models. The service refuses the second one for a while.")
    both = {f"finetunes/{name}.yaml": _finetune(name) for name in ("cool", "warm")}
    request = _proposed(gitlab, "both", both)
    fault = {
        "request": {"method": "POST", "path": "/v1/fine_tuning/jobs", "call": 2},
        "answer": {"status": 403, "code": "nope", "message": "Not now."},
    }
    ask(gitlab, "PUT", "/_ftctl/faults", {"faults": [fault]})
    gitlab.merge(request)
    pipeline = gitlab.begin("push")
    half = dict(gitlab.finish(pipeline))
    story.shows(f"The result on !{request['iid']}", note(gitlab, request["iid"], "result"))
    labelled = _labels(gitlab, request)

    story.says("Somebody chooses Retry: what is done is skipped, the other one is started.")
    again = gitlab.retry(pipeline, "ftctl:apply")
    waited = gitlab.retry(pipeline, "ftctl:wait")
    told = gitlab.retry(pipeline, "ftctl:result")

    assert half["ftctl:apply"].status == 4, half["ftctl:apply"].log
    assert half["ftctl:wait"].status == 4, half["ftctl:wait"].log
    assert "started ftjob-" not in half["ftctl:wait"].log
    assert labelled == {"ftctl-failed"}
    assert again.status == 0, again.log
    assert again.log.count(": started ftjob-") == 1
    assert waited.status == 0
    assert told.status == 0
    assert _labels(gitlab, request) == {"ftctl-applied"}
    assert len(_jobs(gitlab)) == 2


def test_gitlab_drift_that_is_cured(gitlab: GitLab, story: Story) -> None:
    story.says("A merge waits for the approval of its environment. That is no drift.")
    request = _proposed(gitlab, "tone")
    gitlab.merge(request)
    pipeline = gitlab.begin("push")
    gitlab.finish(pipeline, until="ftctl:approved")
    held = {"id": 9_999, "name": "ftctl:apply", "status": "manual", "pipeline": pipeline.record}
    gitlab.jobs.append(held | {"created_at": datetime.now(UTC).isoformat()})
    waiting = gitlab.on_main("schedule")
    story.shows("The log of ftctl:issue", waiting["ftctl:issue"].log)
    none_yet = list(gitlab.issues)

    story.says("Nobody approves it for four days. Now the service differs: an issue.")
    (apply,) = [one for one in gitlab.jobs if one["id"] == 9_999]
    apply["created_at"] = (datetime.now(UTC) - timedelta(days=4)).isoformat()
    gitlab.on_main("schedule")
    (issue,) = gitlab.issues
    story.shows("The issue", issue["description"])
    opened = issue["state"]

    story.says("It is applied. The next morning the issue is closed.")
    gitlab.finish(pipeline)
    gitlab.on_main("schedule")

    assert "An apply is not over yet (job 9999 is 'manual')" in waiting["ftctl:issue"].log
    assert none_yet == []
    assert opened == "opened"
    assert issue["state"] == "closed"


EXAMPLES = TEMPLATE.parent


def test_gitlab_two_environments(tmp_path: Path, standby: Standby, story: Story) -> None:
    files = FILES | {"ftctl.yaml": f"{PROJECT}environments: {{dev: {{}}, prod: {{}}}}\n"}
    with project(tmp_path, standby.program, files, ("dev", "prod")) as gitlab:
        gitlab.scoped["development"] = gitlab.scoped["production"]
        gitlab.include(EXAMPLES / "environments.gitlab-ci.yml")
        story.says("The template is included twice: for dev and for prod.")
        request = _proposed(gitlab, "tone")
        notes = [note(gitlab, request["iid"], "comment", f"{name} .") for name in ("dev", "prod")]
        gitlab.merge(request)
        pipeline = gitlab.begin("push")

        story.says("After the merge prod waits for who may deploy. dev does not wait for it.")
        pipeline.waiting = [name for name in pipeline.waiting if not name.startswith("prod:")]
        held = [name for name in pipeline.jobs if name.startswith("prod:")]
        dev = dict(gitlab.finish(pipeline))
        after_dev = len(_jobs(gitlab))
        pipeline.waiting = [name for name in held if name in pipeline.rules_hold]
        runs = gitlab.finish(pipeline)
        for name in ("dev", "prod"):
            told = note(gitlab, request["iid"], "result", f"{name} .")
            story.shows(f"The result of {name} on !{request['iid']}", told)

        assert all("Merging applies exactly this plan" in one for one in notes)
        assert set(ended(dev).values()) == {0}, dev["dev:apply"].log
        assert set(ended(runs).values()) == {0}, runs["prod:apply"].log
        assert "prod:apply" in runs
        assert after_dev == 1
        assert _labels(gitlab, request) == {"ftctl-applied:dev@.", "ftctl-applied:prod@."}


def test_gitlab_two_projects_of_one_repository(
    tmp_path: Path, standby: Standby, story: Story
) -> None:
    files = {
        f"services/{name}/{path}": text.replace("project: demo", f"project: {name}")
        for name in ("support", "search")
        for path, text in FILES.items()
    }
    with project(tmp_path, standby.program, files, ("support", "search")) as gitlab:
        gitlab.include(EXAMPLES / "projects.gitlab-ci.yml")
        story.says("Two projects lie in one repository. A change touches one of them.")
        tone = {"services/support/finetunes/tone.yaml": _finetune("tone")}
        gitlab.commit("tone", tone)
        request = gitlab.open_request("tone")
        planned = gitlab.plan(request)
        gitlab.merge(request)
        runs = gitlab.on_main("push")

        story.says("Another change touches both.")
        both = {
            f"services/{name}/finetunes/warm.yaml": _finetune("warm")
            for name in ("support", "search")
        }
        gitlab.commit("warm", both)
        second = gitlab.open_request("warm")
        gitlab.plan(second)
        gitlab.merge(second)
        again = gitlab.on_main("push")
        for name in ("support", "search"):
            told = note(gitlab, second["iid"], "result", f"default services/{name}")
            story.shows(f"The result of {name} on !{second['iid']}", told)

        assert set(planned) == {"support:begin", "support:plan", "support:note"}
        assert {name.partition(":")[0] for name in runs} == {"support"}
        assert set(ended(runs).values()) == {0}, runs["support:apply"].log
        assert set(ended(again).values()) == {0}, again["search:apply"].log
        assert {name.partition(":")[0] for name in again} == {"support", "search"}
        assert again["search:apply"].log.count(": started ftjob-") == 1


@pytest.mark.parametrize("how", ["merge-request", "push"])
def test_gitlab_the_record_comes_home(gitlab: GitLab, story: Story, how: str) -> None:
    gitlab.inputs["record"] = how
    story.says(f"The input `record` is `{how}`. Two merges come close together.")
    pipelines = []
    for request in [_proposed(gitlab, name) for name in ("cool", "warm")]:
        gitlab.merge(request)
        pipelines.append(gitlab.begin("push"))
    for job in ("approved", "apply", "wait", "result", "record"):
        for pipeline in pipelines:
            if job in {"approved", "apply"} or pipeline.waiting:
                gitlab.finish(pipeline, until=f"ftctl:{job}")
    runs = [pipeline.done for pipeline in pipelines]
    story.shows("The log of the second ftctl:record", runs[1]["ftctl:record"].log)
    if how == "merge-request":
        (request,) = [one for one in gitlab.requests if one["state"] == "opened"]
        story.says(f"Merge request !{request['iid']} has the record. Somebody merges it.")
        gitlab.git(
            "branch", "--force", request["source_branch"], f"origin/{request['source_branch']}"
        )
        planned = gitlab.plan(request)
        gitlab.merge(request)
        merged = gitlab.on_main("push")
        assert set(ended(planned).values()) == {0}
        assert set(ended(merged).values()) == {0}, merged["ftctl:apply"].log
    lock = json.loads(gitlab.git("show", "main:ftctl.lock"))
    story.shows("ftctl.lock on main", json.dumps(lock, indent=2)[:1500])

    assert [set(ended(one).values()) for one in runs] == [{0}] * 2, runs[1]["ftctl:record"].log
    text = json.dumps(lock)
    assert all(job["id"] in text for job in _jobs(gitlab))
    assert len(_jobs(gitlab)) == 2


def test_gitlab_a_record_that_is_only_an_artifact_is_known(gitlab: GitLab, story: Story) -> None:
    story.says("A merge was applied, and nobody committed its ftctl.lock.")
    request = _proposed(gitlab, "tone")
    gitlab.merge(request)
    gitlab.on_main("push")

    story.says("The next plan has it all the same, from the artifact of that apply.")
    other = _proposed(gitlab, "warm")
    begun = [run for run in gitlab.artifacts.values() if "ftctl-begun/begun.json" in run][-1]
    locks = [path for path in begun if path.endswith(".lock")]

    assert len(locks) == 1
    assert b"ftjob-" in begun[locks[0]]
    assert "warm" in note(gitlab, other["iid"])


@pytest.mark.parametrize("how", ["push", "merge-request", "artifact"])
def test_gitlab_a_promotion_that_was_taken_back_stays_so(
    gitlab: GitLab, story: Story, how: str
) -> None:
    gitlab.inputs["record"] = how
    story.says("A model is promoted by a commit, and that commit is reverted.")
    gitlab.merge(_proposed(gitlab, "tone"))
    first = gitlab.on_main("push")
    kept = gitlab.artifacts[first["ftctl:wait"].id]["ftctl-waited/ftctl.lock"].decode()
    gitlab.commit("main", {"ftctl.lock": kept})
    lock = json.loads(kept)
    (section,) = lock["environments"].values()
    entry = section["finetunes"]["tone"]
    at = "2026-11-29T06:39:42Z"
    entry["promoted"] = {"prod": {"at": at, "job": entry["job"], "model": entry["model"]}}
    gitlab.commit("main", {"ftctl.lock": json.dumps(lock, indent=2, sort_keys=True) + "\n"})
    promoted = gitlab.on_main("push")
    before = gitlab.artifacts[promoted["ftctl:wait"].id]["ftctl-waited/ftctl.lock"]
    gitlab.commit("main", {"ftctl.lock": kept})

    story.says("The next applies bring the record home without it.")
    after = gitlab.on_main("push")
    again = gitlab.on_main("push")

    assert b"promoted" in before
    for runs in (after, again):
        assert set(ended(runs).values()) == {0}, runs["ftctl:apply"].log
        lock = gitlab.artifacts[runs["ftctl:wait"].id]["ftctl-waited/ftctl.lock"].decode()
        assert "promoted" not in lock
    assert "promoted" not in gitlab.git("show", "main:ftctl.lock")
    for request in gitlab.requests:
        if request["source_branch"].startswith("ftctl/record"):
            assert "promoted" not in gitlab.git("show", f"{request['source_branch']}:ftctl.lock")
