"""What a plan of the branch found in; the one issue about drift of this place out.

An issue says that the service is not as the branch says: it is opened or changed while that is so
and nobody is at it, and closed when it is so no more. A run that could not look says nothing.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from forge import Api, Missing, Unanswered, at, number
from job import Job, as_code

# GitHub's words for runs that are not over (docs.github.com/rest/actions/workflow-runs, read on
# 2026-11-30). The filter has not always held (its users report), so each answer is looked at.
_MOST_NAMED = 10
_PATIENCE = timedelta(days=3)  # with an apply that waits for its turn or for its reviewers
_UNDER_WAY = ("in_progress", "queued", "requested", "waiting", "pending")


def keep_issue(api: Api, job: Job) -> int:
    """Open, change, leave or close the issue, as the file `drift` of the step before says."""
    found = job.words("drift").strip()
    if found not in {"differs", "well"}:
        return 0  # the step before says why it does not know
    default = at(job.event, "repository", "default_branch")
    branch = job.environ["GITHUB_REF_NAME"]
    if isinstance(default, str) and default != branch:
        job.warn(f"the issue is about {_plain(default)}: this run of {_plain(branch)} leaves it")
        return 0
    issue = _open_issue(api, job)
    if found == "well":
        _close(api, job, issue)
        return 0
    if (apply := _apply_under_way(api, job, branch)) is not None:
        status = str(at(apply, "status")).replace("_", " ")
        url = f"{job.run_url.rpartition('/')[0]}/{number(apply, 'id')}"
        job.summarize(
            f"\n[An apply]({url}) of {_plain(branch)} was under way ({_plain(status)}), so this may"
            " be what it is about to do: the issue about drift is left as it is."
        )
        return 0
    title = f"ftctl: the service differs from the manifests ({job.environ['FTCTL_TITLE']})"
    body = _words(job, branch)
    job.summarize(body)
    sent = {"title": title, "body": body}
    if issue is None:
        api.send("POST", "issues", sent)
    else:
        api.send("PATCH", f"issues/{issue}", sent)
    return 0


def _words(job: Job, branch: str) -> str:
    plan = json.loads(job.words("plan.json"))
    lines = [
        job.mark("drift"),
        f"The service is not as the branch {_plain(branch)} says: {_named(_differing(plan))}.",
        "This issue is closed by itself when it is again.",
    ]
    if at(plan, "summary", "attention"):
        lines.append("No apply mends what needs attention: a person decides it, as the plan says.")
    if job.environ.get("DRIFT_STATUS") == "3":
        lines.append("A policy of this branch refuses the plan that would mend it.")
    elif any(at(change, "action") != "attention" for change in _differing(plan)):
        digest = as_code(at(plan, "digest"))
        lines.append(
            "To carry out what the plan below shows, run the workflow that applies by hand, with"
            f" <code>approve</code> = {digest}."
        )
    lines += [job.words("plan.md"), f"[The run]({job.run_url}) has the log."]
    return "\n\n".join(line.strip() for line in lines)


def _differing(plan: Any) -> list[Any]:
    """The changes that are drift: not what only tidies up, or waits for a job that runs."""
    return [
        change
        for change in at(plan, "changes") or []
        if at(change, "action") != "no-op"
        and not at(change, "housekeeping")
        and not at(change, "waiting")
    ]


def _named(changes: list[Any]) -> str:
    """The first of them, each with what the plan does about it."""
    told = [
        f"{as_code(at(change, 'name'))} ({_plain(str(at(change, 'action')))})"
        for change in changes[:_MOST_NAMED]
    ]
    more = len(changes) - _MOST_NAMED
    return ", ".join(told) + (f" and {more:,} more" if more > 0 else "")


def _open_issue(api: Api, job: Job) -> int | None:
    # Of its author's alone: a repository may have more open ones than are listed. That a bot is
    # named there by its login is no word of GitHub's documentation, but what many programs send
    # (read on 2026-11-30). Were it wrong, the next drift would open a second issue.
    numbers = [
        number(one, "number")
        for one in api.pages(f"issues?state=open&creator={quote(job.bot, safe='')}")
        if at(one, "user", "login") == job.bot
        and at(one, "pull_request") is None
        and str(at(one, "body") or "").split("\n")[0].rstrip("\r") == job.mark("drift")
    ]
    return min(numbers, default=None)


def _close(api: Api, job: Job, issue: int | None) -> None:
    if issue is None:
        return
    words = f"The service is as the manifests say again ([the run]({job.run_url}))."
    api.send("POST", f"issues/{issue}/comments", {"body": words})
    api.send("PATCH", f"issues/{issue}", {"state": "closed", "state_reason": "completed"})


def _apply_under_way(api: Api, job: Job, branch: str) -> Any:
    """A run of an apply workflow that was not over when this run's plan began, or None."""
    began = datetime.fromisoformat(job.environ["FTCTL_STARTED"] or "1970-01-01T00:00:00Z")
    for path in job.environ["INPUT_APPLY_WORKFLOW"].split():
        name = quote(PurePosixPath(path).name, safe="")
        try:
            for run in _runs(api, name):
                if at(run, "head_branch") == branch and _was_on(run, began):
                    return run
        except Missing:
            job.warn(
                f"this repository has no workflow {_plain(path)}: 'apply-workflow' names the one"
                " that applies, so that what it is about to do is not taken for drift"
            )
        except Unanswered as unanswered:
            hint = ": the job needs 'actions: read'" if unanswered.status == 403 else ""
            raise Unanswered(f"{unanswered}{hint}", unanswered.status) from None
    return None


def _runs(api: Api, workflow: str) -> list[Any]:
    path = f"actions/workflows/{number(api.get(f'actions/workflows/{workflow}'), 'id')}/runs"
    runs = api.page(path, "workflow_runs")
    for status in _UNDER_WAY:
        runs += api.page(f"{path}?status={status}", "workflow_runs")
    return runs


def _was_on(run: Any, began: datetime) -> bool:
    """Whether it was not over. One that nobody lets begin for days is not about to do anything."""
    status = at(run, "status")
    try:
        if status == "completed":
            return datetime.fromisoformat(str(at(run, "updated_at"))) > began
        since = datetime.fromisoformat(str(at(run, "created_at")))
    except (TypeError, ValueError):
        return bool(status != "completed")
    if status == "in_progress":
        return True
    return since > began - _PATIENCE


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9 ._/-]", "?", text)
