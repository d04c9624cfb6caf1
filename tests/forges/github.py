"""A repository at GitHub with branches, pull requests and comments, and a runner for workflows.

The runner carries out a workflow file as it stands: conditions, `env`, `with`, composite actions,
outputs, the permissions of the token, secrets. Only the actions of others are replaced by what they
do for us.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from forges.expressions import condition, filled_in
from forges.programs import FTCTL, ROOT, put_programs

NAME = "acme/support"
TEMPLATES = ROOT / "examples" / "ci" / "github"
_OURS = "OWNER/ftctl@PIN_ftctl"
_COMMAND = re.compile(r"^::([\w-]+)(?: [^:]*)?::(.*)$")


@dataclass
class StepRun:
    """One `run:` and how it ended."""

    name: str
    status: int
    log: str
    environ: Mapping[str, str]


@dataclass
class JobRun:
    """A job that ran: its steps, what stands in its summary, and the outputs of the action."""

    steps: list[StepRun] = field(default_factory=list)
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return any(step.status for step in self.steps)

    @property
    def log(self) -> str:
        return "".join(step.log for step in self.steps)

    @property
    def commands(self) -> list[tuple[str, str]]:
        """The workflow commands that the runner took from the log, with their text."""
        found, stopped = [], None
        for line in self.log.splitlines():
            if stopped is not None:
                stopped = None if line == f"::{stopped}::" else stopped
            elif command := _COMMAND.match(line):
                name, text = command.groups()
                if name == "stop-commands":
                    stopped = text
                else:
                    found.append((name, text))
        return found

    @property
    def errors(self) -> list[str]:
        return [text for name, text in self.commands if name == "error"]


@dataclass
class GitHub:
    """The repository, in a folder of the test's own."""

    folder: Path
    secrets: dict[str, str]
    variables: dict[str, str]  # of every job's environment
    ftctl: str = FTCTL  # the program that is installed
    runs: int = 0

    def __post_init__(self) -> None:
        self.programs = put_programs(self.folder / "programs", self.ftctl)
        self.state_file = self.folder / "state.json"
        self.state = {
            "name": NAME, "last_id": 100, "comments": [], "issues": [], "pulls": [],
            "artifacts": [], "requests": [],
        }  # fmt: skip
        self.git("init", "--quiet", "--bare", "--initial-branch", "main", "origin.git", at="")
        self.git("clone", "--quiet", "origin.git", "clone", at="")

    @property
    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self.state_file.read_text("utf-8"))
        return state

    @state.setter
    def state(self, state: Mapping[str, Any]) -> None:
        self.state_file.write_text(json.dumps(state), "utf-8")

    def git(self, *arguments: str, at: str = "clone") -> str:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
        done = subprocess.run(
            ["git", *identity, "-c", "advice.detachedHead=false", *arguments],
            cwd=self.folder / at, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done
        return done.stdout.strip()

    def commit(self, branch: str, files: Mapping[str, str], *, removed: Sequence[str] = ()) -> str:
        """Commit onto a branch, which begins at main where it is new, and push; the commit."""
        known = self.git("branch", "--list", branch) != ""
        self.git("checkout", "--quiet", *([branch] if known else ["-B", branch]))
        for name, text in files.items():
            path = self.folder / "clone" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        for name in removed:
            (self.folder / "clone" / name).unlink()
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--message", "change")
        self.git("push", "--quiet", "origin", branch)
        commit = self.git("rev-parse", "HEAD")
        self.git("checkout", "--quiet", "main")
        return commit

    def open_pull(self, branch: str) -> int:
        """Ask for a branch to be merged; the pull request's number."""
        state = self.state
        state["last_id"] += 1
        number: int = state["last_id"]
        state["pulls"].append(
            {
                "number": number, "merged_at": None, "merge_commit_sha": None,
                "head": {"ref": branch, "sha": ""}, "base": {"ref": "main"}, "body": "",
            }
        )  # fmt: skip
        self.state = state
        return number

    def check_pull(
        self, number: int, *, fork: bool = False, actor: str = "a-person",
        event: str = "pull_request", workflow: str = "plan",
    ) -> dict[str, JobRun]:  # fmt: skip
        """What happens when the pull request is opened or pushed to."""
        state = self.state
        pull = next(one for one in state["pulls"] if one["number"] == number)
        pull["head"]["sha"] = self.git("rev-parse", pull["head"]["ref"])
        self.state = state
        self.git("checkout", "--quiet", "--detach", "main")
        self.git("merge", "--quiet", "--no-ff", "--no-edit", pull["head"]["ref"])
        merged = self.git("rev-parse", "HEAD")
        self.git("push", "--quiet", "--force", "origin", f"HEAD:refs/pull/{number}/merge")
        self.git("checkout", "--quiet", "main")
        head = {**pull["head"], "repo": {"full_name": "stranger/support" if fork else NAME}}
        payload = {"pull_request": {"number": number, "head": head, "base": {"ref": "main"}}}
        return self.run(
            workflow, event, payload, sha=merged, ref=f"refs/pull/{number}/merge",
            actor=actor, trusted=not fork and actor != "dependabot[bot]",
        )  # fmt: skip

    def merge(self, number: int) -> str:
        """Merge it; the commit on main."""
        state = self.state
        pull = next(one for one in state["pulls"] if one["number"] == number)
        self.git("checkout", "--quiet", "main")
        self.git("merge", "--quiet", "--no-ff", "--no-edit", pull["head"]["ref"])
        self.git("push", "--quiet", "origin", "main")
        commit = self.git("rev-parse", "HEAD")
        pull.update(merged_at="2026-11-22T06:00:00Z", merge_commit_sha=commit)
        pull["head"]["sha"] = pull["head"]["sha"] or self.git("rev-parse", pull["head"]["ref"])
        self.state = state
        return commit

    def push_main(self, event: str = "push", **inputs: str) -> JobRun:
        """What happens on main after a push, or by hand."""
        sha = self.git("rev-parse", "main")
        return self.run("apply", event, {}, sha=sha, ref="refs/heads/main", inputs=inputs)["apply"]

    def morning(self) -> JobRun:
        """What happens on the schedule."""
        sha = self.git("rev-parse", "main")
        return self.run("drift", "schedule", {}, sha=sha, ref="refs/heads/main")["drift"]

    def comments(self, number: int) -> list[str]:
        """The bodies of the comments on a pull request."""
        return [one["body"] for one in self.state["comments"] if one["issue"] == number]

    def run(
        self, name: str, event: str, payload: Mapping[str, Any], *, sha: str, ref: str,
        actor: str = "a-person", trusted: bool = True, inputs: Mapping[str, str] | None = None,
    ) -> dict[str, JobRun]:  # fmt: skip
        """Carry out a workflow; the jobs that ran."""
        text = (TEMPLATES / f"{name}.yml").read_text("utf-8")
        workflow = yaml.safe_load(text)
        self.runs += 1
        place = self.folder / f"run-{self.runs}"
        place.mkdir()
        (place / "event.json").write_text(json.dumps(payload), "utf-8")
        github = {
            "event_name": event, "repository": NAME, "sha": sha, "ref": ref, "actor": actor,
            "event": payload, "ref_name": ref.removeprefix("refs/heads/"),
        }  # fmt: skip
        done = {}
        for key, job in workflow["jobs"].items():
            known = {
                "github": github, "inputs": inputs or {}, "failed": False,
                "secrets": self.secrets if trusted else {},
            }  # fmt: skip
            if not condition(job.get("if"), known):
                continue
            rights = job.get("permissions", workflow["permissions"])
            known["github"] = {**github, "token": _token(rights, trusted=trusted)}
            runner = _Runner(self, place / key, known, place / "event.json")
            runner.carry_out(job)
            done[key] = runner.job
        return done


def _token(rights: Mapping[str, str], *, trusted: bool) -> str:
    """A token that says what it may do: writing implies reading, and a fork's only reads."""
    words = []
    for what, right in rights.items():
        words.append(f"{what}:read")
        if right == "write" and trusted:
            words.append(f"{what}:write")
    return " ".join(words)


@dataclass
class _Runner:
    """One job on a fresh machine."""

    github: GitHub
    place: Path
    known: dict[str, Any]
    event_file: Path
    job: JobRun = field(default_factory=JobRun)
    path: list[str] = field(default_factory=list)

    def carry_out(self, job: Mapping[str, Any]) -> None:
        for folder in ("work", "temp", "home"):
            (self.place / folder).mkdir(parents=True)
        self.known["steps"] = {}
        for step in job["steps"]:
            if condition(step.get("if"), self.known):
                self._step(step, self.known)

    def _step(self, step: Mapping[str, Any], known: dict[str, Any], action: str = "") -> None:
        uses, given = step.get("uses", ""), step.get("with", {})
        words = {name: filled_in(str(value), known) for name, value in given.items()}
        if "run" in step:
            self._shell(step, known, action)
        elif uses == _OURS:
            self._action(words)
        elif uses.startswith("actions/checkout@"):
            self._checkout(words)
        elif uses.startswith("actions/upload-artifact@"):
            self._upload(words)
        else:
            assert uses.startswith("actions/setup-python@"), uses

    def _action(self, given: Mapping[str, str]) -> None:
        document = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
        assert set(given) <= set(document["inputs"]), given
        values = {
            name: given.get(name, filled_in(str(one.get("default", "")), self.known))
            for name, one in document["inputs"].items()
        }
        # A composite action sees no secrets but what it is given.
        known = {"github": self.known["github"], "inputs": values, "steps": {}, "failed": False}
        for step in document["runs"]["steps"]:
            if condition(step.get("if"), known):
                self._step(step, known, str(ROOT))
        self.known["failed"] = self.known["failed"] or known["failed"]
        self.job.outputs = {
            name: filled_in(one["value"], known) for name, one in document["outputs"].items()
        }

    def _shell(self, step: Mapping[str, Any], known: dict[str, Any], action: str) -> None:
        files = {}
        for name in ("OUTPUT", "STEP_SUMMARY", "PATH", "ENV"):
            files[name] = self.place / "temp" / f"{name.lower()}-{len(self.job.steps)}"
            files[name].touch()
        own = {name: filled_in(str(value), known) for name, value in step.get("env", {}).items()}
        github = known["github"]
        environ = {
            "PATH": os.pathsep.join(
                (*self.path, str(self.github.programs), os.environ["PATH"])
            ),
            "HOME": str(self.place / "home"),
            "RUNNER_TEMP": str(self.place / "temp"),
            "FORGE_STATE": str(self.github.state_file),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": action,
            "GITHUB_ACTOR": github["actor"],
            "GITHUB_BASE_REF": "main" if "pull_request" in github["event"] else "",
            "GITHUB_EVENT_NAME": github["event_name"],
            "GITHUB_EVENT_PATH": str(self.event_file),
            "GITHUB_REF_NAME": github["ref_name"],
            "GITHUB_REPOSITORY": github["repository"],
            "GITHUB_RUN_ID": str(self.github.runs),
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_SHA": github["sha"],
            **{f"GITHUB_{name}": str(path) for name, path in files.items()},
            **self.github.variables,
            **own,
        }  # fmt: skip
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.place / "work", env=environ, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        log = done.stdout.decode("utf-8")
        self.job.steps.append(StepRun(step.get("name", ""), done.returncode, log, environ))
        self.job.summary += files["STEP_SUMMARY"].read_text("utf-8")
        self.path[:0] = files["PATH"].read_text("utf-8").splitlines()
        known["failed"] = known["failed"] or done.returncode != 0
        if "id" in step:
            known["steps"][step["id"]] = {"outputs": _outputs(files["OUTPUT"].read_text("utf-8"))}

    def _checkout(self, given: Mapping[str, str]) -> None:
        github = self.known["github"]
        at = str((self.place / "work").relative_to(self.github.folder))
        self.github.git(
            "clone", "--quiet", "--no-checkout", str(self.github.folder / "origin.git"), ".", at=at
        )
        self.github.git("fetch", "--quiet", "origin", github["ref"], at=at)
        self.github.git("checkout", "--quiet", "--detach", github["sha"], at=at)
        if given.get("fetch-depth") != "0":
            self.github.git("remote", "remove", "origin", at=at)

    def _upload(self, given: Mapping[str, str]) -> None:
        path = self.place / "work" / given["path"]
        state = self.github.state
        state["last_id"] += 1
        pull = self.known["github"]["event"].get("pull_request", {})
        state["artifacts"].append(
            {
                "id": state["last_id"], "name": given["name"], "expired": False,
                "file": path.name, "content": path.read_text("utf-8"),
                "workflow_run": {
                    "head_sha": pull["head"]["sha"] if pull else self.known["github"]["sha"],
                    "repository_id": 1, "head_repository_id": 1,
                },
            }
        )  # fmt: skip
        self.github.state = state


def _outputs(text: str) -> dict[str, str]:
    """What a step wrote to $GITHUB_OUTPUT, read as the runner does."""
    outputs, lines = {}, iter(text.splitlines())
    for line in lines:
        name, _, edge = line.partition("<<")
        assert edge, f"not the form with a delimiter: {line}"
        value = []
        for inner in lines:
            if inner == edge:
                break
            value.append(inner)
        outputs[name] = "\n".join(value)
    return outputs
