"""One job of the GitLab template in; what it says in the log, on a merge request or an issue, out.

    python3 -I ci/gitlab plan|plan-fork|note|approved|apply|drift|issue

A job that plans or applies has the service's key and never FTCTL_GITLAB_TOKEN; one that reads and
writes at GitLab has the token and starts no program. What goes from one to the other lies in files.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from approval import FOLDER, Merge, Refused, find_approval
from forge import Api, Missing, Unanswered, at

APPROVED = Path("ftctl-approved")
DRIFT = Path("ftctl-drift")
PLAN = Path(FOLDER)
JUNIT = Path("ftctl-junit.xml")
MOST_NOTE = 900_000  # letters; GitLab takes a million
MOST_WORDS = 20_000  # bytes of a log in a note

# Tokens of the runner and ours. ftctl and the programs of a policy have no use for them.
TOKENS = frozenset(
    {
        "CI_BUILD_TOKEN", "CI_DEPENDENCY_PROXY_PASSWORD", "CI_DEPLOY_PASSWORD", "CI_JOB_JWT",
        "CI_JOB_JWT_V1", "CI_JOB_JWT_V2", "CI_JOB_TOKEN", "CI_REGISTRY_PASSWORD",
        "CI_REPOSITORY_URL", "FTCTL_GITLAB_TOKEN",
    }
)  # fmt: skip
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Job:
    """What the template says of this project, and what the runner says of this job."""

    directory: str
    environment: str
    name: str
    timeout: str
    approve: str
    addresses: tuple[str, ...]
    ci: Mapping[str, str]

    @property
    def place(self) -> str:
        """Environment and folder in names; different ones have different names."""
        return f"{self._environment}@{_spelled(os.path.normpath(self.directory))}"

    def mark(self, kind: str) -> str:
        """By this line a note or an issue of ours is found again."""
        folder = _spelled(os.path.normpath(self.directory), "A-Z/")
        return f"<!-- ftctl {kind}: {self._environment} {folder} -->"

    @property
    def _environment(self) -> str:
        # An environment that is named default is another one than none.
        named = "_64efault" if self.environment == "default" else _spelled(self.environment)
        return named or "default"


@dataclass(frozen=True)
class Planned:
    """What a plan came to. `digest` is empty where there is no plan."""

    status: int
    words: str  # Markdown
    file: Path
    digest: str
    pending: int  # changes that would be carried out
    attention: int  # what only a person can decide on


def main() -> int:
    """Run one job; its exit status."""
    commands = {
        "plan": plan, "plan-fork": plan_fork, "note": note, "approved": approved, "apply": apply,
        "drift": drift, "issue": issue,
    }  # fmt: skip
    parser = argparse.ArgumentParser(prog="gitlab")
    parser.add_argument("command", choices=commands)
    parser.add_argument("--directory", default=".")
    parser.add_argument("--environment", default="")
    parser.add_argument("--name", default="ftctl")
    parser.add_argument("--timeout", default="5h")
    parser.add_argument("--approve", default="")
    parser.add_argument("--allow-addresses", default="")
    options = parser.parse_args()
    job = Job(
        options.directory, options.environment, options.name, options.timeout, options.approve,
        tuple(options.allow_addresses.split()), os.environ,
    )  # fmt: skip
    try:
        return commands[options.command](job)
    except Missing as missing:
        die(f"GitLab has nothing at {missing}")
    except Unanswered as unanswered:
        die(str(unanswered))


# Jobs with the key.


def plan(job: Job) -> int:
    """Validate and plan what a merge request asks for, as ftctl.yaml of its target allows it."""
    refuse_token(job)
    head = job.ci.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or job.ci["CI_COMMIT_SHA"]
    options = ["--base", target(job)]
    fresh(PLAN)
    problems = validate(job, options)
    digest = ""
    if problems is not None:
        status, words = problems
    else:
        planned = make_plan(job, options)
        status, words = planned.status, planned.words
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
    }
    (PLAN / "reviewed.json").write_text(json.dumps(reviewed, indent=2) + "\n", "utf-8")
    ids = f"{digest} {reviewed['pipeline']} {reviewed['job']}" if digest else "none"
    first = f"{job.mark('comment')}\n<!-- ftctl reviewed: {head} {ids} -->\n\n"
    (PLAN / "note.md").write_text(first + spoken(words), "utf-8")
    return 0 if status == 2 else status


def plan_fork(job: Job) -> int:
    """The same without key and note: against ftctl.lock."""
    refuse_token(job)
    options = ["--base", job.ci["CI_MERGE_REQUEST_DIFF_BASE_SHA"]]
    problems = validate(job, options)
    if problems is not None:
        return problems[0]
    status = make_plan(job, [*options, "--offline"]).status
    return 0 if status == 2 else status


def apply(job: Job) -> int:
    """Carry out what was approved, and nothing else."""
    refuse_token(job)
    approval = taken(job)
    planned = make_plan(job, ["--base", job.ci["CI_COMMIT_SHA"]])
    if planned.status not in {0, 2}:
        die("there is no plan to apply: the log says why", planned.status)
    options: list[str] = []
    if planned.pending:
        digest, file = approval.get("digest"), APPROVED / "plan.json"
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            die(
                f"nobody approved this plan: {approval.get('why', 'no digest was found')}. Read it"
                " above; to apply it, run a pipeline on this branch by hand with"
                f" FTCTL_APPROVE={planned.digest}"
            )
        # With the plan itself, apply goes on where one stopped.
        options = [str(file)] if plain_file(file) else ["--approve", digest]
    waiting = ["--wait", "--timeout", job.timeout]
    base = ["--base", job.ci["CI_COMMIT_SHA"]]
    status = tool(job, ["apply", *base, *waiting, *options]).returncode
    lock = Path(job.directory, "ftctl.lock")
    if plain_file(lock) and job.directory != ".":
        shutil.copyfile(lock, "ftctl.lock")
    words = {
        1: "a job failed at the service, or could not be asked for: the log says which, and what"
        " would buy it again",
        4: "some of the plan was carried out, not all. Run this job again: what is done is skipped",
        5: "the approved plan is stale and nothing was done. To apply the plan above, run a"
        f" pipeline on this branch by hand with FTCTL_APPROVE={planned.digest}",
        6: "the jobs run on, and are billed. Run this job again to wait on: nothing is started"
        " twice",
    }
    if status:
        die(words.get(status, "apply failed: the log says why"), status)
    return 0


def drift(job: Job) -> int:
    """Ask whether the service is still as the manifests say."""
    refuse_token(job)
    planned = make_plan(job, ["--base", job.ci["CI_COMMIT_SHA"]])
    decide = ""
    if planned.attention:
        decide = "No apply mends what needs attention: a person decides it, as the plan says.\n\n"
    address = job.ci["CI_JOB_URL"]
    text = f"{decide}{planned.words}\n[The job]({address}) has the log.\n"
    fresh(DRIFT)
    (DRIFT / "issue.md").write_text(f"{job.mark('drift')}\n\n{spoken(text)}", "utf-8")
    said = {"status": planned.status, "pipeline": job.ci["CI_PIPELINE_ID"]}
    (DRIFT / "drift.json").write_text(json.dumps(said), "utf-8")
    return 0 if planned.status == 2 else planned.status


# Jobs with the token.


def note(job: Job) -> int:
    """Put what was planned on the merge request: the note of before is changed, none is added."""
    left(job, PLAN / "reviewed.json", f"{job.name}:plan")
    body = text_of(PLAN / "note.md")
    api = forge(job)
    notes = f"merge_requests/{int(job.ci['CI_MERGE_REQUEST_IID'])}/notes"
    bot, mark = api.user(), job.mark("comment")
    ours = [
        at(one, "id")
        for one in api.pages(f"{notes}?sort=asc")
        if at(one, "author", "id") == bot and mark in str(at(one, "body") or "")
    ]
    if not ours:
        api.send("POST", notes, {"body": body})
        return 0
    api.send("PUT", f"{notes}/{ours[0]}", {"body": body})
    for other in ours[1:]:
        api.send("DELETE", f"{notes}/{other}")
    return 0


def approved(job: Job) -> int:
    """Find what the merge approved, for the job that applies."""
    fresh(APPROVED)
    found: dict[str, Any] = {"pipeline": job.ci["CI_PIPELINE_ID"]}
    if job.approve:
        if not re.fullmatch(r"(sha256:)?[0-9a-f]{64}", job.approve):
            die("FTCTL_APPROVE takes a digest such as sha256:…")
        found["digest"] = f"sha256:{job.approve.removeprefix('sha256:')}"
    elif job.ci["CI_PIPELINE_SOURCE"] != "push":
        found["why"] = "no digest was given"
    else:
        merge = Merge(
            sha=job.ci["CI_COMMIT_SHA"],
            branch=job.ci["CI_COMMIT_BRANCH"],
            job=f"{job.name}:plan",
            place=job.place,
            mark=job.mark("comment"),
            config=job.ci.get("CI_CONFIG_PATH") or ".gitlab-ci.yml",
        )
        try:
            approval = find_approval(merge, forge(job))
        except Refused as refused:
            found["why"] = str(refused)
        else:
            found["digest"] = approval.digest
            (APPROVED / "plan.json").write_bytes(approval.plan)
            say(f"Merge request !{approval.iid} approved {approval.digest}.")
    if "why" in found:
        say(f"Nothing was approved: {found['why']}.")
    (APPROVED / "approved.json").write_text(json.dumps(found), "utf-8")
    return 0


def issue(job: Job) -> int:
    """Keep one issue while the service is not as the branch says."""
    status = left(job, DRIFT / "drift.json", f"{job.name}:drift")["status"]
    description = text_of(DRIFT / "issue.md")
    api = forge(job)
    mark = job.mark("drift")
    open_ones = [
        at(one, "iid")
        for one in api.pages(f"issues?state=opened&labels=ftctl-drift&author_id={api.user()}")
        if str(at(one, "description") or "").split("\n")[0] == mark
    ]
    if status == 0:
        for iid in open_ones:
            api.send("PUT", f"issues/{iid}", {"state_event": "close"})
        return 0
    place = job.environment or "default"
    said = {
        "title": f"ftctl: the service differs from the manifests ({place})",
        "labels": "ftctl-drift",
        "description": description,
    }
    if open_ones:
        api.send("PUT", f"issues/{min(open_ones)}", said)
    else:
        api.send("POST", "issues", said)
    return 0


# What they are made of.


def tool(job: Job, arguments: Sequence[str], **files: Any) -> subprocess.CompletedProcess[bytes]:
    """ftctl, in the project's folder and its environment, without the tokens of the forge."""
    shared = ["-C", job.directory, "--no-color"]
    if job.environment:
        shared += ["--env", job.environment]
    for address in job.addresses:
        shared += ["--allow-address", address]
    program = str(Path(job.ci["FTCTL_WORK"], "ftctl", "bin", "ftctl"))
    environ = {name: value for name, value in job.ci.items() if name not in TOKENS}
    sys.stdout.flush()
    return subprocess.run(  # noqa: S603 # our own program, by its whole path
        [program, *shared, *arguments], env=environ, stdin=subprocess.DEVNULL, check=False, **files
    )


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
        return Planned(status, words, file, "", 0, 0)
    written = json.loads(file.read_text("utf-8"))
    digest, summary = written["digest"], written["summary"]
    if not _DIGEST.fullmatch(digest):
        die("the plan has no digest")
    pending = sum(summary[name] for name in ("create", "replace", "cancel", "delete", "defer"))
    return Planned(status, words, file, digest, pending, summary.get("attention", 0))


def target(job: Job) -> str:
    """The commit of the branch that a merge request goes to, fetched."""
    branch = job.ci["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"]
    ref = "refs/remotes/ftctl/base"
    git("fetch", "--quiet", "--no-tags", "origin", f"+refs/heads/{branch}:{ref}")
    return git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")


def git(*arguments: str) -> str:
    """What git says; in the job's checkout, with the runner's own rights."""
    done = subprocess.run(  # noqa: S603 # no word is an option
        ["git", *arguments],  # noqa: S607 # the image brings it
        stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        die(f"git {arguments[0]} failed: its words stand above")
    return done.stdout.strip()


def taken(job: Job) -> dict[str, Any]:
    """What the job before found. A file of that name in the repository is none of its."""
    if git("ls-files", "--", str(APPROVED)):
        die(f"the repository has a file below {APPROVED}, where the approval is put: move it")
    return left(job, APPROVED / "approved.json", f"{job.name}:approved")


def forge(job: Job) -> Api:
    """GitLab, with the token of our own user."""
    token = job.ci.get("FTCTL_GITLAB_TOKEN", "")
    if not token:
        die(
            "this job has no FTCTL_GITLAB_TOKEN: store it for the environment scope"
            f" '{job.ci.get('CI_ENVIRONMENT_NAME', 'ftctl/notes')}' (Settings, CI/CD, Variables)"
        )
    if not re.fullmatch(r"[!-~]+", token):
        die("FTCTL_GITLAB_TOKEN holds a space, a line break or another odd character")
    certificates = job.ci.get("CI_SERVER_TLS_CA_FILE", "")
    return Api(job.ci["CI_API_V4_URL"], int(job.ci["CI_PROJECT_ID"]), token, certificates)


def refuse_token(job: Job) -> None:
    """Token and key never lie in one process."""
    if "FTCTL_GITLAB_TOKEN" in job.ci:
        die(
            "FTCTL_GITLAB_TOKEN reaches a job that has the key: give the variable the environment"
            " scope 'ftctl/notes' (Settings, CI/CD, Variables)"
        )


def fresh(folder: Path) -> None:
    """An empty folder, whatever the checkout has there."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()


def left(job: Job, file: Path, by: str) -> dict[str, Any]:
    """What another job of this pipeline left; a runner may keep what one of another did."""
    found = json.loads(file.read_text("utf-8")) if plain_file(file) else None
    if not isinstance(found, dict) or found.get("pipeline") != job.ci["CI_PIPELINE_ID"]:
        die(f"'{by}' left nothing in this pipeline: its log says why")
    return found


def text_of(file: Path) -> str:
    """A text that a job left; a link may lead anywhere on this machine."""
    if not plain_file(file):
        die(f"{file} is no file")
    return file.read_text("utf-8")


def plain_file(path: Path) -> bool:
    """Whether it is a file, and no link on the way to it."""
    return path.is_file() and path.resolve() == Path.cwd().resolve() / path


def verbatim(heading: str, text: str) -> str:
    """A text as Markdown in which nothing of it is markup."""
    short = text.encode()[:MOST_WORDS].decode("utf-8", "ignore")
    plain = "".join(letter for letter in short if letter in "\t\n" or ord(letter) > 31)
    for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("@", "&#64;")):
        plain = plain.replace(sign, name)
    return f"### {heading}\n\n<pre>\n{plain}\n</pre>\n"


def spoken(words: str) -> str:
    """Markdown for a note or an issue: none of its lines is a quick action such as /merge."""
    calm = re.sub(r"(?m)^([^\S\n]*)/", r"\1\\/", words)
    return calm if len(calm) <= MOST_NOTE else f"{calm[:MOST_NOTE]}\n\n…\n"


def _spelled(text: str, more: str = "") -> str:
    """Letters that mean nothing anywhere stay; each byte of another one is a number."""
    return "".join(
        letter
        if re.fullmatch(f"[a-z0-9.{more}-]", letter)
        else "".join(f"_{byte:02x}" for byte in letter.encode())
        for letter in text
    )


def say(text: str) -> None:
    """Write to the job's log."""
    sys.stdout.write(f"{text.rstrip()}\n")


def die(text: str, status: int = 1) -> NoReturn:
    """End with what is wrong."""
    sys.stdout.flush()
    sys.stderr.write(f"ftctl: {text}\n")
    sys.exit(status)


if __name__ == "__main__":
    sys.exit(main())
