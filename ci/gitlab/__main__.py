"""One job of the GitLab template in; what it says in the log, on a merge request or an issue, out.

    python3 -I ci/gitlab begin|plan|plan-fork|note|approved|apply|wait|report|record|drift|issue

A job that plans or applies has the service's key and never FTCTL_GITLAB_TOKEN; one that reads and
writes at GitLab has the token and no key. What goes from one to the other lies in files.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import notes
import record
from approval import FOLDER, Refused, find_approvals, merged_request
from forge import Missing, Unanswered
from job import (
    APPLIED,
    APPROVED,
    BEGUN,
    DRIFT,
    WAITED,
    Job,
    die,
    forge,
    fresh,
    in_line,
    left,
    no_folder,
    plain_file,
    refuse_token,
    refuse_tracked,
    say,
    spoken,
    target,
    tool,
    verbatim,
)

PLAN = Path(FOLDER)
JUNIT = Path("ftctl-junit.xml")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PENDING = ("create", "replace", "cancel", "delete", "defer")


@dataclass(frozen=True)
class Planned:
    """What a plan came to. `digest` is empty where there is no plan."""

    status: int
    words: str  # Markdown
    file: Path
    digest: str = ""
    pending: int = 0  # changes that would be carried out
    idle: int = 0  # of them, those that only tidy up, or wait for a job that runs
    attention: int = 0  # what only a person can decide on


def main() -> int:
    """Run one job; its exit status."""
    commands = {
        "begin": begin, "plan": plan, "plan-fork": plan_fork, "note": notes.note,
        "approved": approved, "apply": apply, "wait": wait, "report": notes.report,
        "record": record.record, "drift": drift, "issue": notes.issue,
    }  # fmt: skip
    parser = argparse.ArgumentParser(prog="gitlab")
    parser.add_argument("command", choices=commands)
    parser.add_argument("--directory", default=".")
    parser.add_argument("--environment", default="")
    parser.add_argument("--name", default="ftctl")
    parser.add_argument("--production", default="production")
    parser.add_argument("--timeout", default="5h")
    parser.add_argument("--approve", default="")
    parser.add_argument("--retry-failed", default="")
    parser.add_argument("--record", default="artifact")
    parser.add_argument("--allow-addresses", default="")
    options = parser.parse_args()
    job = Job(
        options.directory, options.environment, options.name, options.timeout, options.approve,
        tuple(options.allow_addresses.split()), os.environ, options.production, options.record,
        options.retry_failed,
    )  # fmt: skip
    try:
        return commands[options.command](job)
    except Missing as missing:
        die(f"GitLab has nothing at {missing}, or FTCTL_GITLAB_TOKEN may not see it")
    except Unanswered as unanswered:
        die(str(unanswered))


# Jobs with the key.


def plan(job: Job) -> int:
    """Validate and plan what a merge request asks for, as ftctl.yaml of its target allows it."""
    refuse_token(job)
    refuse_tracked(BEGUN, "the record of applies of before")
    begun = left(job, BEGUN / "begun.json", f"{job.name}:begin")
    head = notes.head_of(job)
    fresh(PLAN)
    options = ["--base", target(job), "--commit", head, "--approved-by", "merge"]
    problem = no_folder(job)
    problems = (1, verbatim("ftctl: nothing to plan", problem)) if problem else None
    if problem:
        say(f"ftctl: {problem}")
    else:
        problems = validate(job, options[:2])
    digest, summary = "", None
    if problems is not None:
        status, words = problems
    else:
        if begun.get("locks"):
            record.bring(job, BEGUN, needed=False)
        planned = make_plan(job, options)
        status, words = planned.status, planned.words
        if planned.file.is_file():
            written = json.loads(planned.file.read_text("utf-8"))
            summary = {key: written.get(key) for key in ("summary", "cost")}
        if status in {0, 2}:
            digest = planned.digest
            shutil.copyfile(planned.file, PLAN / "plan.json")
    reviewed = {
        "format": 1,
        "head": head,
        "digest": digest or "none",
        "place": job.place,
        "project": job.ci["CI_PROJECT_ID"],
        "event": job.ci["CI_PIPELINE_SOURCE"],
        "base": job.ci["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"],
        "number": job.ci["CI_MERGE_REQUEST_IID"],
        "pipeline": job.ci["CI_PIPELINE_ID"],
        "job": job.ci["CI_JOB_ID"],
        "status": status,
        "summary": summary,
    }
    (PLAN / "reviewed.json").write_text(json.dumps(reviewed, indent=2) + "\n", "utf-8")
    ids = f"{digest} {reviewed['pipeline']} {reviewed['job']}" if digest else "none"
    first = f"{job.mark('comment')}\n<!-- ftctl reviewed: {head} {ids} -->\n\n"
    (PLAN / "note.md").write_text(first + spoken(words), "utf-8")
    return 0 if status == 2 else status


def plan_fork(job: Job) -> int:
    """The same without key and note: against ftctl.lock."""
    refuse_token(job)
    if problem := no_folder(job):
        die(problem)
    options = ["--base", job.ci["CI_MERGE_REQUEST_DIFF_BASE_SHA"]]
    problems = validate(job, options)
    if problems is not None:
        return problems[0]
    record.fetch_public(job)
    status = make_plan(job, [*options, "--offline"]).status
    return 0 if status == 2 else status


def apply(job: Job) -> int:
    """Carry out what was approved, and nothing else. What was started is waited for elsewhere."""
    approval = taken(job)
    fresh(APPLIED)
    if problem := no_folder(job):
        die(problem)
    record.bring(job, APPROVED, needed=True)
    base = ["--base", job.ci["CI_COMMIT_SHA"]]
    again = ["--retry-failed"] if job.retry_failed == "true" and by_hand(job) else []
    planned = make_plan(job, [*base, *again])
    if planned.status not in {0, 2}:
        why = "there is no plan to apply: the log says why"
        return end(job, APPLIED, "apply", planned.status, why, words=planned.words)
    options: list[str] = []
    if planned.pending:
        options = approved_plans(approval)
        digest = approval.get("digest")
        if not options and isinstance(digest, str) and _DIGEST.fullmatch(digest):
            options = ["--approve", digest]
            if planned.digest == digest:  # what waits needs the plan itself
                shutil.copyfile(planned.file, APPLIED / "plan.json")
                options = [str((APPLIED / "plan.json").absolute())]
        if not options:
            why = (
                f"nobody approved this plan: {approval.get('why', 'no digest was found')}. Read it"
                f" above; to apply it, {by_hand_words(job, planned.digest)}"
            )
            return end(job, APPLIED, "apply", 1, why, words=planned.words)
    status = carried_out(job, APPLIED, ["apply", *base, *options])
    words = {
        1: "a job failed at the service, or could not be asked for: the log says which, and what"
        " would buy it again",
        4: "some of the plan was carried out, not all. Run this job again: what is done is skipped",
        5: "the approved plan is stale and nothing was done. To apply the plan above, "
        + by_hand_words(job, planned.digest),
    }
    why = words.get(status, "apply failed: the log says why")
    if others := approval.get("problems"):
        why += f". Of this push was not approved: {'; '.join(map(str, others))}"
    return end(job, APPLIED, "apply", status, why)


def wait(job: Job) -> int:
    """Wait for what was started; what waits for a model of it begins, as it was approved."""
    approval = taken(job)
    applied = left(job, APPLIED / "applied.json", f"{job.name}:apply")
    fresh(WAITED)
    status = applied.get("status")
    if applied.get("carried") is not True or status not in {0, 1, 4}:
        die(f"'{job.name}:apply' started nothing, so nothing is waited for: its log says why")
    if plain_file(APPLIED / "ftctl.lock"):
        if job.lock.is_symlink():
            job.lock.unlink()
        shutil.copyfile(APPLIED / "ftctl.lock", job.lock)
    base = ["--base", job.ci["CI_COMMIT_SHA"]]
    waiting = ["--wait", "--timeout", job.timeout]
    plans = approved_plans(approval)
    digest = approval.get("digest")
    if not plans and digest and digest_of(APPLIED / "plan.json") == digest:
        plans = [str((APPLIED / "plan.json").absolute())]
    half = applied.get("half") is True
    if half:
        say("The apply stopped half-way. What runs is waited for; its rest begins in its own turn.")
        status = 5
    elif plans or not make_plan(job, base).pending:
        status = carried_out(job, WAITED, ["apply", *base, *waiting, *plans])
    if status == 5 or not (WAITED / "result.md").is_file():
        if not half:  # the world moved on since
            say("Something else is asked for by now. What runs is waited for; nothing is begun.")
        status = carried_out(job, WAITED, ["wait", "--timeout", job.timeout])
    if half and status == 0:
        status = 4
    others = (
        "some jobs came to a model, others did not: the log says which, and what buys them again"
    )
    if half:
        others = f"some of the plan was not begun. Run '{job.name}:apply' again, and then this job"
    words = {
        1: "a job failed at the service: the log says which, and what would buy it again",
        4: others,
        6: "the jobs run on, and are billed. Run this job again to wait on: nothing is started"
        " twice",
    }
    return end(job, WAITED, "wait", status, words.get(status, "waiting failed: the log says why"))


def drift(job: Job) -> int:
    """Ask whether the service is still as the manifests say."""
    refuse_token(job)
    if problem := no_folder(job):
        die(problem)
    planned = make_plan(job, ["--base", job.ci["CI_COMMIT_SHA"]])
    # What the next apply tidies up by itself is no difference that a person must look at, nor is
    # what only waits for a job that runs.
    differs = planned.pending > planned.idle or planned.attention > 0
    status = (2 if differs else 0) if planned.status in {0, 2} else planned.status
    decide = ""
    if planned.attention:
        decide = "No apply mends what needs attention: a person decides it, as the plan says.\n\n"
    address = job.ci["CI_JOB_URL"]
    text = f"{decide}{planned.words}\n[The job]({address}) has the log.\n"
    fresh(DRIFT)
    (DRIFT / "issue.md").write_text(f"{job.mark('drift')}\n\n{spoken(text)}", "utf-8")
    said = {"status": status, "pipeline": job.ci["CI_PIPELINE_ID"]}
    (DRIFT / "drift.json").write_text(json.dumps(said), "utf-8")
    return 0 if status == 2 else status


# Jobs with the token; the others are in notes and record.


def begin(job: Job) -> int:
    """Fetch what applies of before know, and say on the merge request that a plan is made."""
    api = forge(job)
    fresh(BEGUN)
    begun = {"pipeline": job.ci["CI_PIPELINE_ID"], "locks": record.fetch(job, api, BEGUN)}
    # In a train nobody would read another plan before it merges: what was shown stays.
    if job.ci.get("CI_MERGE_REQUEST_EVENT_TYPE") != "merge_train":
        notes.announce(job, api)
    (BEGUN / "begun.json").write_text(json.dumps(begun), "utf-8")
    return 0


def approved(job: Job) -> int:
    """Find what the merges of a push approved, for the job that applies."""
    fresh(APPROVED)
    found: dict[str, Any] = {"pipeline": job.ci["CI_PIPELINE_ID"], "requests": []}
    if job.approve:
        if not re.fullmatch(r"(sha256:)?[0-9a-f]{64}", job.approve):
            die("FTCTL_APPROVE takes a digest such as sha256:…")
        found["digest"] = f"sha256:{job.approve.removeprefix('sha256:')}"
    api = forge(job)
    notes.keep_order(job, api)
    record.fetch(job, api, APPROVED)
    merge = notes.merge_of(job)
    if by_hand(job):
        if not job.approve:
            found["why"] = "no digest was given"
        with contextlib.suppress(Refused):  # whose note tells how it ended; approves nothing
            found["requests"] = [merged_request(api, merge)["iid"]] if job.approve else []
    else:
        try:
            push = find_approvals(merge, job.ci.get("CI_COMMIT_BEFORE_SHA", ""), api)
        except Refused as refused:
            found["why"] = str(refused)
        else:
            found["requests"] = list(push.requests)
            found["problems"] = list(push.problems)
            for index, one in enumerate(push.approvals):
                (APPROVED / f"plan-{index}.json").write_bytes(one.plan)
                say(f"Merge request !{one.iid} approved {one.digest}.")
            found["plans"] = len(push.approvals)
            if not push.approvals:
                found["why"] = push.problems[-1]
            for problem in push.problems if push.approvals else ():
                say(f"One merge of this push approved nothing: {problem}.")
    if "why" in found:
        say(f"Nothing was approved: {found['why']}.")
    (APPROVED / "approved.json").write_text(json.dumps(found), "utf-8")
    return 0


# What they are made of.


def by_hand(job: Job) -> bool:
    """Whether a person started this pipeline, and no merge did."""
    return job.ci["CI_PIPELINE_SOURCE"] != "push" or bool(job.approve)


def by_hand_words(job: Job, digest: str) -> str:
    """How a person approves this plan."""
    retry = " and FTCTL_RETRY_FAILED=true" if job.retry_failed == "true" and by_hand(job) else ""
    return f"run a pipeline on this branch by hand with FTCTL_APPROVE={digest}{retry}"


def taken(job: Job) -> dict[str, Any]:
    """What the jobs before found. A file of that name in the repository is none of theirs."""
    refuse_token(job)
    for folder in (APPROVED, APPLIED, WAITED):
        refuse_tracked(folder, "the approval" if folder == APPROVED else "what was applied")
    return left(job, APPROVED / "approved.json", f"{job.name}:approved")


def approved_plans(approval: dict[str, Any]) -> list[str]:
    """The plans that merges approved, the oldest first."""
    files = [APPROVED / f"plan-{index}.json" for index in range(int(approval.get("plans") or 0))]
    for file in files:
        if not plain_file(file):
            die(f"{file} is no file")
    return [str(file.absolute()) for file in files]


def digest_of(file: Path) -> Any:
    """What a plan that a job left says of itself; ftctl works it out again."""
    return json.loads(file.read_text("utf-8")).get("digest") if plain_file(file) else None


def carried_out(job: Job, folder: Path, words: Sequence[str]) -> int:
    """Run it, with what it did as a page for people and as one for programs; its status."""
    reports = [folder.absolute() / name for name in ("result.md", "report.json")]
    for file in reports:
        file.unlink(missing_ok=True)
    options = [word for file in reports for word in ("--report", str(file))]
    return tool(job, [*words, *options]).returncode


def end(job: Job, folder: Path, stage: str, status: int, why: str, *, words: str = "") -> int:
    """Leave for the next jobs how it ended, and end so."""
    page, file = folder / "result.md", folder / "report.json"
    report = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    said = {
        "pipeline": job.ci["CI_PIPELINE_ID"], "job": job.ci["CI_JOB_ID"], "place": job.place,
        "stage": stage, "status": status,
        "outcome": "incomplete" if status == 4 else report.get("outcome", "refused"),
        "half": (status != 0 and not report.get("finetunes"))
        or any(one["outcome"] in {"not-done", "not-known"} for one in report.get("finetunes", [])),
        "done": [one["name"] for one in report.get("finetunes", []) if one["done"]],
        "carried": bool(report),
    }  # fmt: skip
    text = page.read_text("utf-8") if page.is_file() else words
    if status:
        text += f"\nAt GitLab: {in_line(why)}.\n"
    page.write_text(spoken(text), "utf-8")
    (folder / "applied.json").write_text(json.dumps(said), "utf-8")
    record.keep(job, folder)
    if status:
        die(why, status)
    return 0


def validate(job: Job, options: Sequence[str]) -> tuple[int, str] | None:
    """None where manifests and data are valid; else the status and the words for people."""
    JUNIT.unlink(missing_ok=True)
    with JUNIT.open("xb") as report:
        status = tool(job, ["validate", "--format", "junit", *options], stdout=report).returncode
    if status == 0:
        return None
    done = tool(
        job, ["validate", *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )  # fmt: skip
    text = done.stdout.decode("utf-8", "replace")
    say(text)
    why = "are not valid" if status == 1 else "could not be checked"
    return status, verbatim(f"ftctl: the manifests or data {why}", text)


def make_plan(job: Job, options: Sequence[str]) -> Planned:
    """Plan, and show it in the log."""
    work = Path(job.ci["FTCTL_WORK"])
    file = work / "plan.json"
    file.unlink(missing_ok=True)
    wanted = ["plan", "--detailed-exitcode", "--out", str(file), "--format", "markdown"]
    with (work / "plan.md").open("w+b") as out, (work / "log.txt").open("w+b") as log:
        status = tool(job, [*wanted, *options], stdout=out, stderr=log).returncode
        texts = []
        for stream in (log, out):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", "replace"))
    say("\n".join(texts))
    words = texts[1] or verbatim("ftctl: no plan could be made", texts[0])
    if not file.is_file():
        return Planned(status, words, file)
    written = json.loads(file.read_text("utf-8"))
    digest, summary = written["digest"], written["summary"]
    if not _DIGEST.fullmatch(digest):
        die("the plan has no digest")
    pending = sum(summary[name] for name in _PENDING)
    idle = summary["housekeeping"] + summary["waiting"]
    return Planned(status, words, file, digest, pending, idle, summary["attention"])


if __name__ == "__main__":
    sys.exit(main())
