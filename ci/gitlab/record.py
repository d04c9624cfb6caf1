"""The release record, as the forge keeps it in; the record of a checkout that knows all of it, out.

Jobs with the token fetch what applies of before kept; a job with the key merges that into its own
checkout. With each goes the record of the commit that it grew from: only what the apply changed is
merged, so what somebody took out of git since does not come back. Only what a job of the applied
branch kept, and says of itself, is fetched.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from forge import Api, Missing, Unanswered, at, in_path, number, parsed, text
from job import (
    APPLIED,
    APPROVED,
    WAITED,
    Job,
    die,
    forge,
    fresh,
    git_file,
    left,
    plain_file,
    program,
    say,
    warn,
)
from notes import outcome

MOST_LOCK = 16 * 1024 * 1024  # bytes
MOST_PIPELINES = 20  # that are looked through for records, the newest first
MOST_LOCKS = 5  # that are merged: applies that overlap know nothing of each other
TRIES = 5  # to write the record where others write too
_TARGET = ("PROJECT_ID", "TARGET_BRANCH_NAME")
LOCKS = "locks"  # the folder in which they are handed on


def fetch(job: Job, api: Api, folder: Path) -> int:
    """Put the records that the newest applies kept into a folder; how many there are."""
    place = folder / LOCKS
    place.mkdir()
    found = list(islice(_kept(job, api), MOST_LOCKS))
    for index, (number_of_job, data, commit) in enumerate(reversed(found)):
        file = place / f"{index}-{number_of_job}.lock"
        file.write_bytes(data)
        file.with_suffix(".base").write_bytes(_there(api, str(job.lock), commit).content)
    return len(found)


def _kept(job: Job, api: Api) -> Iterator[tuple[int, bytes, str]]:
    """Job, record and commit of each apply that kept one, the newest first."""
    pipelines = api.pages(f"pipelines?ref={in_path(job.branch)}&order_by=id&sort=desc")
    for pipeline in islice(pipelines, MOST_PIPELINES):
        of_branch = at(pipeline, "ref") == job.branch and at(pipeline, "source") in {"push", "web"}
        if of_branch:
            for one, data in _of_pipeline(job, api, number(pipeline, "id")):
                yield one, data, text(pipeline, "sha")


def _of_pipeline(job: Job, api: Api, pipeline: int) -> Iterator[tuple[int, bytes]]:
    """What the last job of a pipeline that kept a record kept."""
    folders = {f"{job.name}:apply": APPLIED, f"{job.name}:wait": WAITED}
    jobs = [
        (number(one, "id"), folders[str(at(one, "name"))])
        for one in api.pages(f"pipelines/{pipeline}/jobs?include_retried=true")
        if at(one, "name") in folders
    ]
    for one, folder in sorted(jobs, reverse=True):
        path = f"jobs/{one}/artifacts/{folder}"
        try:
            said = parsed(api.download(f"{path}/applied.json", 64 * 1024), "applied.json")
            data = api.download(f"{path}/ftctl.lock", MOST_LOCK)
        except Missing:
            continue
        wanted = {"place": job.place, "pipeline": str(pipeline), "job": str(one)}
        if isinstance(said, dict) and all(said.get(key) == wanted[key] for key in wanted):
            yield one, data
            return


def fetch_public(job: Job) -> None:
    """Merge what the project that a fork goes to shows everybody of its record into the checkout.

    The plan that is made with it is offline and approves nothing, so nothing of it is verified.
    """
    project, branch = (job.ci.get(f"CI_MERGE_REQUEST_{one}", "") for one in _TARGET)
    if not project.isdecimal() or not branch:
        return
    api = Api(job.ci["CI_API_V4_URL"], int(project), "", job.ci.get("CI_SERVER_TLS_CA_FILE", ""))
    path = f"jobs/artifacts/{in_path(branch)}/raw/{WAITED}/ftctl.lock"
    file = Path(job.ci["FTCTL_WORK"], "public.lock")
    try:
        file.write_bytes(api.download(f"{path}?job={in_path(f'{job.name}:wait')}", MOST_LOCK))
    except (Missing, Unanswered):
        warn(
            f"the newest apply of {branch} shows no record: the plan knows ftctl.lock of git alone"
        )
    else:
        base = Path(job.ci["FTCTL_WORK"], "base.lock")
        base.write_text(git_file(job.ci["CI_MERGE_REQUEST_DIFF_BASE_SHA"], job.lock), "utf-8")
        if not merge(job, base, job.lock, file):
            warn(f"the record of the newest apply of {branch} could not be read")


def bring(job: Job, folder: Path, *, needed: bool) -> None:
    """Merge the records that lie in a folder into the checkout's. Where `needed`, or nothing."""
    place = folder / LOCKS
    for file in sorted(place.glob("*.lock")) if not place.is_symlink() else []:
        base = file.with_suffix(".base")
        if not (plain_file(file) and plain_file(base) and merge(job, base, job.lock, file)):
            why = f"the record of job {file.stem.partition('-')[2]} could not be read"
            if needed:
                die(f"{why}. Delete that job's artifacts, and run this job again")
            warn(why)


def merge(job: Job, base: Path, ours: Path, theirs: Path) -> bool:
    """Put into `ours` what either side changed; whether that could be done."""
    words = ["lock", "merge", *(str(Path.cwd() / file) for file in (base, ours, theirs))]
    return program(job, words).returncode == 0


def keep(job: Job, folder: Path) -> None:
    """Leave the checkout's record for others."""
    if plain_file(job.lock):
        shutil.copyfile(job.lock, folder / "ftctl.lock")


# The job that brings it home.


def record(job: Job) -> int:
    """Bring the record of this apply to the branch: by a push, or by a merge request."""
    left(job, APPROVED / "approved.json", f"{job.name}:approved")
    folder, _ = outcome(job)
    file = folder / "ftctl.lock"
    if not plain_file(file):
        say("The apply left no record: there is nothing to bring home.")
        return 0
    api = forge(job)
    if not any(_written(job, api, file) for _ in range(TRIES)):
        die(
            "the record could not be written: somebody else wrote each time. Run this job again;"
            " until then it lies among the artifacts of the apply"
        )
    return 0


def _written(job: Job, api: Api, file: Path) -> bool:
    """Whether it is home; not where somebody else wrote in between."""
    path = str(Path(job.directory, "ftctl.lock"))
    branch = job.branch if job.record == "push" else f"ftctl/record-{_in_branch(job)}"
    work = Path(job.ci["FTCTL_WORK"], "record")
    fresh(work)
    there = _there(api, path, job.branch)
    (work / "ours.lock").write_bytes(there.content)
    base = _there(api, path, job.ci["CI_COMMIT_SHA"])
    (work / "base.lock").write_bytes(base.content)
    (work / "theirs.lock").write_bytes(file.read_bytes())
    sides = [("base.lock", "theirs.lock")]
    opened = None
    if job.record != "push":
        opened = _opened(job, api, branch)
        if opened is not None:  # what waits there already
            refs = f"refs[]={in_path(branch)}&refs[]={in_path(job.branch)}"
            start = text(api.get(f"repository/merge_base?{refs}"), "id")
            (work / "waiting.lock").write_bytes(_there(api, path, branch).content)
            (work / "start.lock").write_bytes(_there(api, path, start).content)
            sides.append(("start.lock", "waiting.lock"))
    for grown_from, side in sides:
        if not merge(job, work / grown_from, work / "ours.lock", work / side):
            die("the records could not be merged: the words above say why")
    merged = (work / "ours.lock").read_bytes()
    if merged == there.content:
        say(f"The record of {job.branch} knows all of this apply.")
        return True
    return _commit(job, api, branch, path, merged, there, opened)


def _commit(  # noqa: PLR0917 # what is written, where, and what must still be so
    job: Job, api: Api, branch: str, path: str, merged: bytes, there: _File, opened: Any
) -> bool:
    action: dict[str, Any] = {
        "action": "update" if there.commit else "create", "file_path": path,
        "content": base64.b64encode(merged).decode(), "encoding": "base64",
    }  # fmt: skip
    if there.commit:
        action["last_commit_id"] = there.commit
    body: dict[str, Any] = {
        "branch": branch,
        "commit_message": f"ftctl.lock: what is there after {job.ci['CI_COMMIT_SHA'][:12]}",
        "actions": [action],
    }
    if job.record == "push":
        body["commit_message"] += " [skip ci]"
    else:  # the branch is made anew from the newest commit, and holds this one change
        body |= {"start_branch": job.branch, "force": True}
    try:
        api.send("POST", "repository/commits", body)
    except Unanswered as fault:
        if fault.status in {400, 409}:  # another commit changed the file, or made the branch
            say(f"{fault}: once more")
            return False
        raise
    if job.record != "push" and opened is None:
        request = api.send("POST", "merge_requests", {
            "source_branch": branch, "target_branch": job.branch, "remove_source_branch": True,
            "title": f"ftctl.lock: what is there now ({job.environment or 'default'})",
            "description": "The release record after an apply. Merging it buys nothing.",
        })  # fmt: skip
        say(f"Merge request !{at(request, 'iid')} has the record.")
    return True


class _File:
    """A file of the repository at a commit; empty, and without a commit, where there is none."""

    def __init__(self, content: bytes, commit: str) -> None:
        self.content, self.commit = content, commit


def _there(api: Api, path: str, ref: str) -> _File:
    try:
        found = api.get(f"repository/files/{in_path(path)}?ref={in_path(ref)}")
    except Missing:
        return _File(b"", "")
    return _File(base64.b64decode(text(found, "content")), text(found, "last_commit_id"))


def _opened(job: Job, api: Api, branch: str) -> Any:
    query = f"state=opened&source_branch={in_path(branch)}&target_branch={in_path(job.branch)}"
    return next(
        (
            one
            for one in api.pages(f"merge_requests?{query}")
            if at(one, "source_project_id") == api.project
            and at(one, "source_branch") == branch
            and at(one, "target_branch") == job.branch
        ),
        None,
    )


def _in_branch(job: Job) -> str:
    """A place in the name of a branch, where a dot may stand neither twice nor last."""
    return job.place.replace(".", "_2e")
