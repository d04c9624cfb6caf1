"""The runner's environment and the template's inputs in; which job this is, and small tools, out.

Whatever a job finds in a file was left by another one, or lies in a checkout that others wrote:
`left` and `text_of` take it only where it is what it says.
"""

from __future__ import annotations

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

from forge import Api

# Folders that a job leaves to others of its pipeline.
BEGUN = Path("ftctl-begun")
APPROVED = Path("ftctl-approved")
APPLIED = Path("ftctl-applied")
WAITED = Path("ftctl-waited")
DRIFT = Path("ftctl-drift")

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
_VARIABLE = re.compile(r"(FTCTL_[A-Z_]+=[A-Za-z0-9:]+)")


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
    production: str = "production"
    record: str = "artifact"  # where the release record is brought: push, merge-request, artifact
    retry_failed: str = ""

    @property
    def place(self) -> str:
        """Environment and folder in names; different ones have different names."""
        return f"{self._environment}@{spelled(os.path.normpath(self.directory))}"

    def mark(self, kind: str) -> str:
        """By this line a note or an issue of ours is found again."""
        folder = spelled(os.path.normpath(self.directory), "A-Z/")
        return f"<!-- ftctl {kind}: {self._environment} {folder} -->"

    @property
    def lock(self) -> Path:
        """The release record in the checkout."""
        return Path(self.directory, "ftctl.lock")

    @property
    def branch(self) -> str:
        """The branch that is applied."""
        return self.ci.get("CI_DEFAULT_BRANCH") or self.ci["CI_COMMIT_BRANCH"]

    @property
    def pipeline(self) -> str:
        """A link to this job's pipeline, as Markdown."""
        number = self.ci["CI_PIPELINE_ID"]
        address = self.ci.get("CI_PIPELINE_URL", "")
        return f"[pipeline {number}]({address})" if address else f"pipeline {number}"

    @property
    def _environment(self) -> str:
        # An environment that is named default is another one than none.
        named = "_64efault" if self.environment == "default" else spelled(self.environment)
        return named or "default"


def tool(job: Job, arguments: Sequence[str], **files: Any) -> subprocess.CompletedProcess[bytes]:
    """ftctl, in the project's folder and its environment, without the tokens of the forge."""
    shared = ["-C", job.directory, "--no-color"]
    if job.environment:
        shared += ["--env", job.environment]
    for address in job.addresses:
        shared += ["--allow-address", address]
    return program(job, [*shared, *arguments], **files)


def program(job: Job, arguments: Sequence[str], **files: Any) -> subprocess.CompletedProcess[bytes]:
    """ftctl with these words and no others."""
    file = str(Path(job.ci["FTCTL_WORK"], "ftctl", "bin", "ftctl"))
    environ = {name: value for name, value in job.ci.items() if name not in TOKENS}
    sys.stdout.flush()
    return subprocess.run(  # noqa: S603 # our own program, by its whole path
        [file, *arguments], env=environ, stdin=subprocess.DEVNULL, check=False, **files
    )


def git(*arguments: str) -> str:
    """What git says; in the job's checkout, with the runner's own rights.

    Not with what a job proves with which one it is: that is for ftctl.
    """
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith("FTCTL_ID_TOKEN")
    }
    done = subprocess.run(  # noqa: S603 # no word is an option
        ["git", *arguments],  # noqa: S607 # the image brings it
        stdout=subprocess.PIPE, text=True, check=False, env=environ,
    )  # fmt: skip
    if done.returncode:
        die(f"git {arguments[0]} failed: its words stand above")
    return done.stdout.strip()


def git_file(commit: str, file: Path) -> str:
    """A file of a commit of the checkout; empty where it has none."""
    done = subprocess.run(  # noqa: S603 # a commit and a path, behind the end of options
        ["git", "show", "--end-of-options", f"{commit}:./{file}"],  # noqa: S607
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False,
    )  # fmt: skip
    return "" if done.returncode else done.stdout


def target(job: Job) -> str:
    """The commit of the branch that a merge request goes to, fetched."""
    branch = job.ci["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"]
    ref = "refs/remotes/ftctl/base"
    git("fetch", "--quiet", "--no-tags", "origin", f"+refs/heads/{branch}:{ref}")
    return git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")


def forge(job: Job) -> Api:
    """GitLab, with the token of our own user."""
    token = job.ci.get("FTCTL_GITLAB_TOKEN", "")
    scope = job.ci.get("CI_ENVIRONMENT_NAME", f"{job.name}/notes")
    if not token:
        die(
            "this job has no FTCTL_GITLAB_TOKEN: store it for the environment scope"
            f" '{scope}' (Settings, CI/CD, Variables)"
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
            f" scope '{job.name}/notes' (Settings, CI/CD, Variables)"
        )


def no_folder(job: Job) -> str:
    """What is wrong with the input 'directory'; empty where nothing is."""
    if Path(job.directory, "ftctl.yaml").is_file():
        return ""
    lacks = "has no ftctl.yaml" if Path(job.directory).is_dir() else "is not in this checkout"
    return f"the folder '{job.directory}' {lacks}: the input 'directory' names the one that has it"


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


def refuse_tracked(folder: Path, what: str) -> None:
    """A file of the repository where a job leaves something is none of that job's."""
    if git("ls-files", "--", str(folder)):
        die(f"the repository has a file below {folder}, where {what} is put: move it")


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


def in_line(text: str) -> str:
    """A sentence as Markdown in which nothing of it is markup; variables with a value are code."""
    return "".join(
        f"`{part}`"
        if _VARIABLE.fullmatch(part)
        else "".join(
            one if one.isalnum() or one in " .,:;'()/" else f"&#{ord(one)};" for one in part
        )
        for part in _VARIABLE.split(text)
    )


def spoken(words: str) -> str:
    """Markdown for a note or an issue: none of its lines is a quick action such as /merge."""
    calm = re.sub(r"(?m)^([^\S\n]*)/", r"\1\\/", words)
    return calm if len(calm) <= MOST_NOTE else f"{calm[:MOST_NOTE]}\n\n…\n"


def spelled(text: str, more: str = "") -> str:
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


def warn(text: str) -> None:
    """Write to the job's log what somebody should know and nothing stops for."""
    say(f"ftctl: note: {text}")


def die(text: str, status: int = 1) -> NoReturn:
    """End with what is wrong."""
    sys.stdout.flush()
    sys.stderr.write(f"ftctl: {text}\n")
    sys.exit(status)
