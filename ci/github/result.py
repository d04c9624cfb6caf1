"""What a merge's apply came to in; one comment on each merged pull request out.

The comment with the plan stays as it was approved. The result has one of its own for each place,
which says what was done, or why nothing was, and what to do. Pull requests whose plans are older
than what was applied are labelled.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote

import comments
import labels
from forge import Api, Missing, Unanswered, at, number
from job import Job, as_code, verbatim

MOST_COMMENT = 65_000  # characters; GitHub takes 65,536
MOST_COMMITS = 250  # of one push, as ci/approved.py looks at
MOST_PULLS = 50  # open ones that are looked at
_MOST_ARCHIVE = 4 * 1024 * 1024  # bytes
_MOST_FILE = 1024 * 1024
_FILES = {"result.json", "report.md", "applied.txt"}
NOTHING = "nothing to do"
_RAN = {"success", "failure", "cancelled"}  # of a job that ran, as `needs` says it
# By ftctl's status, where it was asked to apply.
_HEADLINES = {
    1: "failed",
    3: "not applied: a policy refuses it",
    4: "applied in part",
    5: "not applied: outdated",
    6: "started, and still training",
}
_BROKEN = (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError, RuntimeError)
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class Report:
    """What one job left: `status` is ftctl's, `why` a sentence where it asked for nothing."""

    attempt: int  # of the run
    status: int
    asked: bool
    changes: bool
    waited: bool
    started: str
    ended: str
    why: str
    words: str  # Markdown


@dataclass(frozen=True)
class Verdict:
    """A headline, what to do, and what the jobs say themselves.

    Where one of them is believed (`told`), its own headline stands in the place of ours.
    """

    headline: str
    advice: str = ""
    told: Report | None = None
    besides: Report | None = None  # what another job, or this one in an earlier attempt, said


def announce(api: Api, job: Job) -> int:
    """Say that the merge is on its way: applying may wait for its turn, or for somebody."""
    if job.by_hand:
        return 0
    verdict = Verdict(
        "merged, and not applied yet",
        "The apply begins when it is its turn, and when those have approved it whom its environment"
        f" asks. [The run]({job.run_url}) says which.",
    )
    try:
        _say(api, job, merged_pulls(api, job), verdict, planned_only=True)
    except (Missing, Unanswered) as fault:
        job.warn(f"the merged pull request was not told that it is applied now: {fault}")
    return 0


def tell(api: Api, job: Job) -> int:
    """Say what the jobs `apply` and `wait` of this run came to."""
    applied, waited = _reports(api, job)
    verdict = judge(
        job.environ.get("INPUT_APPLY_RESULT", ""), job.environ.get("INPUT_WAIT_RESULT", ""),
        applied, waited, job.attempt,
    )  # fmt: skip
    quiet = verdict.headline == NOTHING
    tried = any(one.asked and one.changes for one in (applied, waited) if one)
    # A run by hand that only shows a plan takes nothing of what the merge came to.
    pulls = merged_pulls(api, job) if tried or not job.by_hand else []
    _say(api, job, pulls, verdict, planned_only=quiet)
    _outdate(api, job, [one for one in (applied, waited) if one])
    return 0


def judge(
    apply_job: str, wait_job: str, applied: Report | None, waited: Report | None, attempt: int
) -> Verdict:  # fmt: skip
    """How jobs ended, by what GitHub says of them and they of themselves.

    A report of an attempt before is believed where the job ended well, and so was not run again.
    Of one job of a matrix GitHub says nothing: then the reports alone speak.
    """
    if not apply_job:
        apply_job, wait_job = _ended(applied), _ended(waited)
    waiting = wait_job in _RAN  # it came later
    ended, report = (wait_job, waited) if waiting else (apply_job, applied or waited)
    bought = any(one.changes for one in (applied, waited) if one)
    well = ended == "success" and report is not None and report.status == 0
    if report is None or (report.attempt != attempt and not well):
        return replace(_without_report(ended, waiting=waiting), besides=report or applied)
    if report.status != 0:
        headline = _HEADLINES.get(report.status, "not applied") if report.asked else "not applied"
        advice = as_code(report.why, 1_000) if report.why else "The log of the run says why."
    else:
        headline = NOTHING if not bought else "applied" if report.waited else "started"
        advice = "" if well else _LATER_STEP
    return Verdict(headline, advice, report)


_AGAIN = 'press "Re-run failed jobs" in the run: what is done is skipped'
_LATER_STEP = (
    "After that the job was stopped, or a later step of it broke: the log of the run says which. To"
    f" go on, {_AGAIN}."
)


def _ended(report: Report | None) -> str:
    return "" if report is None else "failure" if report.status else "success"


def _without_report(ended: str, *, waiting: bool) -> Verdict:
    """Of a job that left no word in this attempt: no more is said than is known."""
    billed = (
        "A job that was started and is not over runs on at the service, and is billed; whether one"
        " does is not known here, `ftctl status` knows."
    )
    match ended, waiting:
        case "success", True:
            return Verdict("applied")
        case "success", False:
            return Verdict("over", "It ended well. The log of the run says what was done.")
        case "cancelled", True:
            return Verdict(
                "started; nobody waits any more",
                f"Waiting was cancelled, or took too long. {billed} To wait on, {_AGAIN}.",
            )
        case "failure", True:
            return Verdict(
                "started; waiting broke, or a job failed",
                f"{billed} The log of the run says what broke. To wait on, {_AGAIN}.",
            )
        case "cancelled", _:
            return Verdict(
                "cancelled",
                f"The apply was cancelled, or took too long. {billed} To go on, {_AGAIN}.",
            )
        case "failure", _:
            return Verdict(
                "not applied, or not all of it",
                "The apply was rejected, or broke: the run says which. Whether it had started"
                f" anything is not known here; `ftctl status` knows. To go on, {_AGAIN}.",
            )
    return Verdict("not applied", "The apply did not run, or left no word: the run says why.")


def _say(
    api: Api, job: Job, pulls: list[int], verdict: Verdict, *, planned_only: bool
) -> None:  # fmt: skip
    """Say it on each; `planned_only`: on those alone that have a plan of this place.

    Somebody who merges another kind of change has no use for the news that nothing is to be done.
    """
    mark = job.mark("result")
    text = "\n".join(
        [
            mark,
            f"<!-- ftctl run: {job.run} {job.attempt} -->",
            _body(job, verdict, MOST_COMMENT),
            "",
        ]
    )
    job.summarize(text)
    for pull in pulls:
        if planned_only and not comments.find(api, job, pull, job.mark("comment")):
            continue
        comments.put(api, job, pull, mark, lambda _: text)


def _body(job: Job, verdict: Verdict, most: int) -> str:
    told = verdict.told.words if verdict.told else ""
    besides = verdict.besides.words if verdict.besides else ""
    headline = [] if told.startswith("### ftctl: ") else [f"### ftctl: {verdict.headline}"]
    commit = job.environ["GITHUB_SHA"]
    foot = f"[The run]({job.run_url}) of commit {commit} has the log."
    left_out = "What was done is too long for a comment: the summary of the run's jobs has it."
    for more in ([told, _folded(besides)], [told], [left_out]):
        parts = [*headline, more[0], verdict.advice, *more[1:], foot]
        text = "\n\n".join(part.strip() for part in parts if part)
        if len(text) <= most:
            return text
    raise AssertionError


def _folded(words: str) -> str:
    if not words:
        return ""
    return f"<details><summary>What was known before</summary>\n\n{words.strip()}\n\n</details>"


# The pull requests of a push.


def merged_pulls(api: Api, job: Job) -> list[int]:
    """The numbers of the pull requests that a push merged, one or a queue's group."""
    sha, ref = job.environ["GITHUB_SHA"], job.environ["GITHUB_REF"]
    branch = ref.removeprefix("refs/heads/")
    if branch == ref:
        return []
    found = []
    for commit in _commits(api, job, sha):
        for pull in api.pages(f"commits/{commit}/pulls"):
            if (
                at(pull, "merged_at") is not None
                and at(pull, "merge_commit_sha") == commit
                and at(pull, "base", "ref") == branch
                and at(pull, "base", "repo", "full_name") == job.repository
                and number(pull, "number") not in found
            ):
                found.append(number(pull, "number"))
    return found


def _commits(api: Api, job: Job, sha: str) -> list[str]:
    """What a push added to the branch in its own line; only the last where that is not known."""
    before = str(at(job.event, "before") or "")
    if not _COMMIT.fullmatch(before) or not before.strip("0"):
        return [sha]
    commits = [sha]
    while len(commits) < MOST_COMMITS:
        parents = at(api.get(f"git/commits/{commits[-1]}"), "parents")
        parent = at(parents[0], "sha") if isinstance(parents, list) and parents else None
        if parent == before or not isinstance(parent, str) or not _COMMIT.fullmatch(parent):
            return commits
        commits.append(parent)
    return [sha]  # another history than a few merges: a branch that was pushed by force


# What the jobs left.


def _reports(api: Api, job: Job) -> tuple[Report | None, Report | None]:
    applied, waited = (
        _report(api, job, f"ftctl-result-{kind}-{job.place}") for kind in ("apply", "wait")
    )
    return applied, waited


def _report(api: Api, job: Job, name: str) -> Report | None:
    path = f"actions/runs/{job.run}/artifacts?name={quote(name, safe='')}"
    found = [one for one in api.pages(path, "artifacts") if at(one, "name") == name]
    if not found:
        return None
    newest = max(found, key=lambda one: number(one, "id"))
    try:
        data = api.download(f"actions/artifacts/{number(newest, 'id')}/zip", _MOST_ARCHIVE)
        files = dict(_unpacked(data))
        said = json.loads(files["result.json"])
        words = files.get("report.md", "").strip()
        if not words and files.get("applied.txt", "").strip():
            words = verbatim(files["applied.txt"])
        return Report(
            int(said["attempt"]), int(said["status"]), bool(said["asked"]),
            bool(said["changes"]), bool(said["waited"]), str(said["started"]),
            str(said["ended"]), str(said["why"]), words,
        )  # fmt: skip
    except (Missing, *_BROKEN, KeyError, TypeError) as fault:
        job.warn(f"what a job of this run did could not be read ({type(fault).__name__})")
        return None


def _unpacked(data: bytes) -> Iterator[tuple[str, str]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist()[: len(_FILES)]:
            if info.filename in _FILES and info.file_size <= _MOST_FILE:
                with archive.open(info) as packed:
                    yield info.filename, packed.read(_MOST_FILE).decode("utf-8", "replace")


# Plans that are older than what was applied.


def _outdate(api: Api, job: Job, reports: list[Report]) -> None:
    """Label open pull requests of this branch whose plan here saw the service of before."""
    done = [one for one in reports if one.asked and one.changes and one.status in {0, 1, 4, 6}]
    if not done or job.environ.get("INPUT_LABELS", "true") != "true":
        return
    branch = job.environ["GITHUB_REF"].removeprefix("refs/heads/")
    path = f"pulls?state=open&base={quote(branch, safe='')}&sort=updated&direction=desc"
    try:
        for pull in api.page(path)[:MOST_PULLS]:
            for comment in comments.find(api, job, number(pull, "number"), job.mark("comment"))[:1]:
                planned = _planned(str(at(comment, "body")))
                if planned and any(planned <= one.ended for one in done):
                    labels.add(api, job, number(pull, "number"), labels.OUTDATED)
    except (Missing, Unanswered) as fault:
        job.warn(f"pull requests whose plans are outdated now could not be labelled: {fault}")


_PLANNED = re.compile(r"<!-- ftctl plann(?:ed at|ing since): ([0-9TZ:-]{20}) -->")


def _planned(body: str) -> str:
    """When the plan in a comment was begun; nothing where it holds none that a merge would take."""
    lines = [line.rstrip("\r") for line in body.split("\n")]
    found = _PLANNED.fullmatch(lines[2]) if len(lines) > 2 else None
    written = comments.written_by(body)
    if found is None or written is None:
        return ""
    planning = "planning" in found[0]
    if written["digest"] == "none" and not planning:
        return ""
    try:
        datetime.fromisoformat(found[1])
    except ValueError:
        return ""
    return found[1]
