"""A repository at GitHub with branches, pull requests and comments, and a runner for workflows.

The runner carries out a workflow file as it stands: conditions, `env`, `with`, composite actions,
outputs, the permissions of the token, secrets. Only the actions of others are replaced by what they
do for us.
"""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import json
import os
import re
import subprocess
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from forges.expressions import condition, filled_in, value_of
from forges.gh import now
from forges.programs import FTCTL, ROOT, put_programs

NAME = "acme/support"
HERE = {"id": 1, "full_name": NAME}
ELSEWHERE = {"id": 666, "full_name": "stranger/support"}
WORKFLOWS = ".github/workflows"
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
    tolerated: bool = False  # `continue-on-error`


@dataclass
class JobRun:
    """A job that ran: its steps, what stands in its summary, and the outputs of the action.

    `check` is its name as a check run, `declared` what its own `outputs` came to.
    """

    steps: list[StepRun] = field(default_factory=list)
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    check: str = ""
    declared: dict[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return any(step.status and not step.tolerated for step in self.steps)

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
    standby: str = ""  # the program of one that runs the scripts, where ftctl is a test's own
    jobs: int = 0
    before: str = "0" * 40  # what main was before it was last pushed to
    environments: dict[str, dict[str, str]] = field(default_factory=dict)  # their own secrets
    # the subject of a job that may prove which one it is -> what of the environment it does so with
    prove: Callable[[str], dict[str, str]] | None = None
    last: dict[str, JobRun] = field(default_factory=dict)  # the jobs of the last attempt
    repository_variables: dict[str, str] = field(default_factory=dict)
    queued: list[tuple[int, list[str]]] = field(default_factory=list)  # a pull's commits
    cancelled: set[str] = field(default_factory=set)  # jobs that somebody cancels before they begin

    def __post_init__(self) -> None:
        self.programs = put_programs(self.folder / "programs", self.ftctl, self.standby)
        self.state_file = self.folder / "state.json"
        self.state = {
            "name": NAME, "last_id": 100, "comments": [], "issues": [], "pulls": [], "events": [],
            "workflows": [], "runs": [], "jobs": [], "artifacts": [], "check_runs": [],
            "requests": [], "labels": [],
        }  # fmt: skip
        self._asked: dict[int, Any] = {}
        self._ended: dict[int, dict[str, Any]] = {}
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

    def set_up(self) -> None:
        """Commit the templates to main, where GitHub looks for them."""
        self.commit(
            "main",
            {f"{WORKFLOWS}/{path.name}": path.read_text("utf-8") for path in TEMPLATES.iterdir()},
        )

    def commit(self, branch: str, files: Mapping[str, str], *, removed: Sequence[str] = ()) -> str:
        """Commit onto a branch, which begins at main where it is new, and push; the commit."""
        known = self.git("branch", "--list", branch) != ""
        self.git("checkout", "--quiet", *([branch] if known else ["-B", branch]))
        if branch == "main" and known:
            self.before = self.git("rev-parse", "HEAD")
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

    def open_pull(self, branch: str, base: str = "main") -> int:
        """Ask for a branch to be merged; the pull request's number."""
        state = self.state
        state["last_id"] += 1
        number: int = state["last_id"]
        state["pulls"].append(
            {
                "number": number, "state": "open", "user": {"login": "a-person"}, "body": "",
                "labels": [],
                "created_at": now(), "closed_at": None, "merged_at": None, "merge_commit_sha": None,
                "head": {"ref": branch, "sha": self.git("rev-parse", branch), "repo": HERE},
                "base": {"ref": base, "sha": self.git("rev-parse", base), "repo": HERE},
            }
        )  # fmt: skip
        self.state = state
        return number

    def check_pull(
        self, number: int, *, fork: bool = False, actor: str = "a-person",
        event: str = "pull_request", workflow: str = "plan", with_key: bool | None = None,
        action: str = "synchronize", label: str = "",
    ) -> dict[str, JobRun]:  # fmt: skip
        """What happens when the pull request is opened, pushed to, or labelled by a person."""
        state = self.state
        pull = next(one for one in state["pulls"] if one["number"] == number)
        pull["head"]["sha"] = self.git("rev-parse", pull["head"]["ref"])
        pull["head"]["repo"] = ELSEWHERE if fork else HERE
        if actor == "dependabot[bot]":
            pull["user"] = {"login": actor}
        self.state = state
        base = pull["base"]["ref"]
        self.git("checkout", "--quiet", "--detach", base)
        self.git("merge", "--quiet", "--no-ff", "--no-edit", pull["head"]["ref"])
        merged = self.git("rev-parse", "HEAD")
        self.git("push", "--quiet", "--force", "origin", f"HEAD:refs/pull/{number}/merge")
        self.git("checkout", "--quiet", "main")
        keys = ("number", "head", "base", "user", "labels")
        payload: dict[str, Any] = {
            "action": action, "pull_request": {key: pull.get(key) for key in keys},
            **({"label": {"name": label}} if label else {}),
        }  # fmt: skip
        types = self._trigger(merged, workflow, event).get("types")
        if action not in (types or ["opened", "synchronize", "reopened"]):
            return {}
        trusted = not fork and actor != "dependabot[bot]"
        return self.run(
            workflow, event, payload, sha=merged, ref=f"refs/pull/{number}/merge",
            actor=actor, trusted=trusted if with_key is None else with_key,
        )  # fmt: skip

    def label(self, number: int, name: str, **how: Any) -> dict[str, JobRun]:
        """A person labels it. (What the workflows' own token labels, starts nothing.)"""
        state = self.state
        pull = next(one for one in state["pulls"] if one["number"] == number)
        pull["labels"] = [*pull.get("labels", []), {"name": name}]
        self.state = state
        return self.check_pull(number, action="labeled", label=name, **how)

    def _trigger(self, commit: str, workflow: str, event: str) -> dict[str, Any]:
        """What a workflow says below `on` of an event: nothing, where it names it alone."""
        try:
            text = self.git("show", f"{commit}:{_path_of(workflow)}")
        except AssertionError:  # of a file that is not there, or no file: the run will say so
            return {}
        # YAML 1.1 reads the key `on` as true.
        events = (yaml.safe_load(text) or {}).get(True)
        return (events.get(event) if isinstance(events, dict) else None) or {}

    def merge(self, number: int, how: str = "merge") -> str:
        """Merge it in one of GitHub's three ways; the commit on main."""
        self.git("checkout", "--quiet", "main")
        self.before = self.git("rev-parse", "HEAD")
        landed = self._take(number, how)
        self.git("push", "--quiet", "origin", "main")
        self._merged(number, landed)
        return landed[-1]

    def queue(self, number: int, how: str = "merge") -> dict[str, JobRun]:
        """Put it into the merge queue, last; the jobs that its group is checked by."""
        tip = self.queued[-1][1][-1] if self.queued else self.git("rev-parse", "main")
        self.git("checkout", "--quiet", "--detach", tip)
        landed = self._take(number, how)
        ref = f"refs/heads/gh-readonly-queue/main/pr-{number}-{tip}"
        self.git("push", "--quiet", "origin", f"HEAD:{ref}")
        self.git("checkout", "--quiet", "main")
        self.queued.append((number, landed))
        group = {
            "head_sha": landed[-1], "head_ref": ref,
            "base_sha": tip, "base_ref": "refs/heads/main",
        }  # fmt: skip
        payload = {"action": "checks_requested", "merge_group": group}
        return self.run("plan", "merge_group", payload, sha=landed[-1], ref=ref)

    def merge_queued(self) -> str:
        """Let main go forward to the end of the queue, in one push; the commit."""
        self.before = self.git("rev-parse", "main")
        self.git("checkout", "--quiet", "main")
        self.git("merge", "--quiet", "--ff-only", self.queued[-1][1][-1])
        self.git("push", "--quiet", "origin", "main")
        for number, landed in self.queued:
            self._merged(number, landed)
        self.queued = []
        return self.git("rev-parse", "main")

    def _take(self, number: int, how: str) -> list[str]:
        """Bring a pull request's commits to where we stand; those that are new there."""
        pull = next(one for one in self.state["pulls"] if one["number"] == number)
        branch = pull["head"]["ref"]
        here = self.git("rev-parse", "HEAD")
        if how == "merge":
            self.git("merge", "--quiet", "--no-ff", "--no-edit", branch)
        elif how == "squash":
            self.git("merge", "--quiet", "--squash", branch)
            self.git("commit", "--quiet", "--message", "squashed")
        else:
            # New commits also where the branch is up to date: GitHub never takes the branch's own.
            self.git("cherry-pick", "--no-ff", f"{self.git('merge-base', here, branch)}..{branch}")
            self.git("commit", "--quiet", "--amend", "--message", "rebased")
        return self.git("rev-list", "--reverse", "--first-parent", f"{here}..HEAD").split()

    def _merged(self, number: int, landed: list[str]) -> None:
        state = self.state
        pull = next(one for one in state["pulls"] if one["number"] == number)
        pull.update(
            merged_at=now(), closed_at=now(), state="closed",
            merge_commit_sha=landed[-1], landed=landed,
        )  # fmt: skip
        pull["head"]["sha"] = pull["head"]["sha"] or self.git("rev-parse", pull["head"]["ref"])
        self.state = state

    def push_main(
        self, event: str = "push", *, held: bool = False, until: str = "", **inputs: str
    ) -> JobRun:
        """What happens on main after a push, or by hand: what has the key, as one job.

        Each job is in `last`, also those that speak on the pull request.

        `held` lets it wait for the reviewers of its environment; `run_again` is their yes. `until`
        leaves the jobs after that one to `go_on`.
        """
        sha = self.git("rev-parse", "main")
        payload = {"before": self.before, "after": sha} if event == "push" else {}
        inputs = {name.replace("_", "-"): value for name, value in inputs.items()}
        jobs = self.run(
            "apply", event, payload, sha=sha, ref="refs/heads/main", inputs=inputs, held=held,
            until=until,
        )  # fmt: skip
        speaking = ("announce", "result")
        return joined({name: job for name, job in jobs.items() if not name.startswith(speaking)})

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
        held: bool = False, until: str = "",
    ) -> dict[str, JobRun]:  # fmt: skip
        """Carry out a workflow as it is at the commit; the jobs that ran."""
        state = self.state
        path = _path_of(name)
        known = [one for one in state["workflows"] if one["path"] == path]
        workflow = known[0] if known else {"id": 7_000 + len(state["workflows"]), "path": path}
        if not known:
            state["workflows"].append({**workflow, "name": name, "state": "active"})
        state["last_id"] += 1
        pull = payload.get("pull_request")
        run = {
            "id": state["last_id"], "run_number": state["last_id"], "run_attempt": 0,
            "event": event, "path": path, "workflow_id": workflow["id"],
            "head_sha": pull["head"]["sha"] if pull else sha,
            "head_branch": pull["head"]["ref"] if pull else ref.removeprefix("refs/heads/"),
            "head_repository": pull["head"]["repo"] if pull else HERE, "repository": HERE,
            "status": "waiting" if held else "queued", "conclusion": None, "pull_requests": [],
            "created_at": now(), "actor": {"login": actor},
        }  # fmt: skip
        state["runs"].append(run)
        self.state = state
        self._asked[run["id"]] = (payload, sha, ref, actor, trusted, inputs or {})
        self._latest = run["id"]
        return {} if held else self.run_again(until=until)

    def run_again(
        self, number: int = 0, *, failed_only: bool = False, until: str = ""
    ) -> dict[str, JobRun]:
        """The next attempt of a run, the last one if none is named: all jobs, or what failed.

        With `until` the jobs after that one are left to `go_on`, as if they took long.
        """
        number = number or self._latest
        self._change_run(number, lambda run: {
            "run_attempt": run["run_attempt"] + 1, "status": "in_progress", "conclusion": None,
            "run_started_at": now(),
        })  # fmt: skip
        before = self._ended.get(number, {}) if failed_only else {}
        return self._carry_out(number, before, until)

    def go_on(self, number: int) -> dict[str, JobRun]:
        """The jobs of an attempt that have not ended yet."""
        return self._carry_out(number, {**self._ended[number], "": {}}, "")

    def _carry_out(self, number: int, before: Mapping[str, Any], until: str) -> dict[str, JobRun]:
        payload, sha, ref, actor, trusted, inputs = self._asked[number]
        run = self._change_run(number, lambda _: {"status": "in_progress"})
        workflow = yaml.safe_load(self.git("show", f"{sha}:{run['path']}"))
        self.jobs += 1
        place = self.folder / f"run-{self.jobs}"
        place.mkdir()
        (place / "event.json").write_text(json.dumps(payload), "utf-8")
        github = {
            "event_name": run["event"], "repository": NAME, "sha": sha, "ref": ref, "actor": actor,
            "event": payload, "ref_name": ref.removeprefix("refs/heads/"),
            "base_ref": payload["pull_request"]["base"]["ref"] if "pull_request" in payload else "",
            "run_id": str(number), "run_attempt": str(run["run_attempt"]),
            "workflow_ref": f"{NAME}/{run['path']}@{ref}", "workflow": workflow.get("name", ""),
        }  # fmt: skip
        if run["event"] == "workflow_dispatch":
            asked = self._trigger(sha, run["path"], "workflow_dispatch").get("inputs", {})
            assert set(inputs) <= set(asked), inputs
            inputs = {**{name: one.get("default", "") for name, one in asked.items()}, **inputs}
        ended: dict[str, dict[str, Any]] = {}
        done: dict[str, JobRun] = {}
        for key, job in _in_order(workflow["jobs"]):
            needs = {name: ended.get(name, {"result": ""}) for name in _listed(job.get("needs"))}
            kept = before.get(key, {})
            stays = all(one.get("kept") for one in needs.values()) and "" not in before
            if kept and ("" in before or (stays and kept["result"] == "success")):
                ended[key] = {**kept, "kept": True}
                continue
            if until in ended:
                continue
            results = {one["result"] for one in needs.values()}
            known = {
                "github": github, "inputs": inputs, "needs": needs, "matrix": {},
                "vars": self.repository_variables,
                "failed": "failure" in results, "skipped": bool(results & {"skipped", "cancelled"}),
            }  # fmt: skip
            if not condition(job.get("if"), known):
                self._end_job(run, job.get("name", key), "skipped")
                ended[key] = {"result": "skipped", "outputs": {}}
                continue
            if key in self.cancelled:
                self._end_job(run, job.get("name", key), "cancelled")
                ended[key] = {"result": "cancelled", "outputs": {}}
                continue
            known.update(failed=False, skipped=False)
            runs = {}
            # What went well is not run again, of a matrix neither.
            well = kept.get("well", {}) if stays else {}
            for matrix in _matrices(job.get("strategy"), known):
                words = ", ".join(str(value) for value in matrix.values())
                name = f"{key} ({words})" if matrix else key
                settings = {
                    "name": name, "permissions": workflow["permissions"], **job,
                    "env": {**workflow.get("env", {}), **job.get("env", {})},
                }  # fmt: skip
                folder = place / re.sub(r"[^A-Za-z0-9_-]", "_", name)
                secrets = {**known, "matrix": matrix, "secrets": self.secrets if trusted else {}}
                runs[name] = well.get(name) or self._job(settings, run, secrets, folder)
                if name not in well:
                    done[name] = runs[name]
            ended[key] = {
                "result": "failure" if any(one.failed for one in runs.values()) else "success",
                "outputs": {k: v for one in runs.values() for k, v in one.declared.items()},
                "well": {name: one for name, one in runs.items() if not one.failed},
            }
        self._ended[number] = ended
        self.last = done
        if len(ended) < len(workflow["jobs"]):
            return done
        self._end_run(number, {one["result"] for one in ended.values()})
        return done

    def _end_run(self, number: int, results: set[str]) -> None:
        worst_first = ("failure", "cancelled", "success", "skipped")
        conclusion = next(one for one in worst_first if one in results)
        self._change_run(number, lambda _: {"status": "completed", "conclusion": conclusion})

    def _job(self, job: Mapping[str, Any], run: Any, known: dict[str, Any], folder: Path) -> JobRun:
        environment = value_of(job.get("environment", ""), known)
        if isinstance(environment, Mapping):
            environment = value_of(environment["name"], known)
        trusted = bool(known["secrets"])
        own = self.environments.get(environment, {}) if trusted else {}
        known = {
            **known,
            "github": {**known["github"], "token": _token(job["permissions"], trusted=trusted)},
            "runner": {"os": "Linux", "arch": "X64", "temp": str(folder / "temp")},
            "secrets": {**known["secrets"], **own},
        }
        known["env"] = {name: filled_in(str(text), known) for name, text in job["env"].items()}
        if self.prove is not None and trusted and job["permissions"].get("id-token") == "write":
            known["env"].update(self.prove(_subject(known["github"], environment)))
        runner = _Runner(self, folder, known, folder.parent / "event.json")
        runner.job.check = filled_in(str(job["name"]), known)
        runner.carry_out(job)
        self._end_job(run, runner.job.check, "failure" if runner.job.failed else "success")
        return runner.job

    def _change_run(self, number: int, change: Callable[[Any], dict[str, Any]]) -> Any:
        state = self.state
        run = next(one for one in state["runs"] if one["id"] == number)
        run.update(change(run), updated_at=now())
        self.state = state
        return run

    def _end_job(self, run: Any, name: str, conclusion: str) -> None:
        state = self.state
        state["last_id"] += 1
        state["jobs"].append(
            {
                "id": state["last_id"], "run_id": run["id"], "run_attempt": run["run_attempt"],
                "name": name, "status": "completed", "conclusion": conclusion,
                "started_at": run["run_started_at"], "completed_at": now(),
            }
        )  # fmt: skip
        # Each job is a check run of the one app, whatever workflow it is of.
        state["check_runs"].append(
            {
                "id": state["last_id"], "name": name, "head_sha": run["head_sha"],
                "status": "completed", "conclusion": conclusion,
                "app": {"id": 15368, "slug": "github-actions"},
            }
        )  # fmt: skip
        self.state = state


def joined(jobs: Mapping[str, JobRun]) -> JobRun:
    """Several jobs as one: their steps in order, and the outputs that any of them has."""
    whole = JobRun()
    for job in jobs.values():
        whole.steps += job.steps
        whole.summary += job.summary
        whole.outputs = {**job.outputs, **{k: v for k, v in whole.outputs.items() if v}}
    return whole


def _path_of(workflow: str) -> str:
    """The file of a workflow that is named by what it does, by its file, or by its path."""
    if "/" in workflow:
        return workflow
    return f"{WORKFLOWS}/{workflow if '.' in workflow else f'ftctl-{workflow}.yml'}"


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


def _in_order(jobs: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Each job after those that it needs, else as they stand."""
    left, order = dict(jobs), dict[str, Any]()
    while left:
        key = next(key for key, job in left.items() if set(_listed(job.get("needs"))) <= set(order))
        order[key] = left.pop(key)
    return list(order.items())


def _matrices(strategy: Any, known: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The combinations of a matrix; one that is empty where there is none."""
    matrix = value_of((strategy or {}).get("matrix"), known)
    if not matrix:
        return [{}]
    axes = {key: value_of(value, known) for key, value in matrix.items()}
    include, exclude = axes.pop("include", []), axes.pop("exclude", [])
    found = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    found = [one for one in found if one and not any(out.items() <= one.items() for out in exclude)]
    for more in include:
        fits = [one for one in found if all(one[key] == more[key] for key in axes if key in more)]
        if fits and any(key in more for key in axes):
            for one in fits:
                one.update(more)
        else:
            found.append(dict(more))
    return found


def _subject(github: Mapping[str, Any], environment: str) -> str:
    """Whom a token names, as docs.github.com has it for repositories without ids in it."""
    if environment:
        return f"repo:{NAME}:environment:{environment}"
    if github["event_name"] == "pull_request":
        return f"repo:{NAME}:pull_request"
    return f"repo:{NAME}:ref:{github['ref']}"


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
        self.job.declared = {
            name: filled_in(str(value), self.known)
            for name, value in job.get("outputs", {}).items()
        }

    def _step(self, step: Mapping[str, Any], known: dict[str, Any], action: str = "") -> None:
        uses, given = step.get("uses", ""), step.get("with", {})
        words = {
            name: filled_in(str(value).lower() if isinstance(value, bool) else str(value), known)
            for name, value in given.items()
        }
        if "run" in step:
            self._shell(step, known, action)
        elif uses == _OURS:
            self._action(words, step.get("id", ""))
        elif uses.startswith("actions/checkout@"):
            self._checkout(words)
        elif uses.startswith("actions/upload-artifact@"):
            self._upload(words)
        elif uses.startswith("actions/download-artifact@"):
            self._fetch(words)
        else:
            assert uses.startswith(("actions/setup-python@", "actions/cache@")), uses

    def _action(self, given: Mapping[str, str], name: str = "") -> None:
        document = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
        assert set(given) <= set(document["inputs"]), given
        values = {
            name: given.get(name, filled_in(str(one.get("default", "")), self.known))
            for name, one in document["inputs"].items()
        }
        # A composite action sees no secrets but what it is given.
        known = {
            "github": self.known["github"], "inputs": values, "steps": {}, "failed": False,
            "runner": self.known["runner"], "env": self.known["env"],
        }  # fmt: skip
        for step in document["runs"]["steps"]:
            if condition(step.get("if"), known):
                self._step(step, known, str(ROOT))
        self.known["failed"] = self.known["failed"] or known["failed"]
        self.job.outputs = {
            name: filled_in(one["value"], known) for name, one in document["outputs"].items()
        }
        if name:
            outcome = "failure" if known["failed"] else "success"
            self.known["steps"][name] = {
                "outputs": self.job.outputs, "outcome": outcome, "conclusion": outcome,
            }  # fmt: skip

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
            "GITHUB_BASE_REF": github["base_ref"],
            "GITHUB_EVENT_NAME": github["event_name"],
            "GITHUB_EVENT_PATH": str(self.event_file),
            "GITHUB_REF": github["ref"],
            "GITHUB_REF_NAME": github["ref_name"],
            "GITHUB_REPOSITORY": github["repository"],
            "GITHUB_RUN_ATTEMPT": github["run_attempt"],
            "GITHUB_RUN_ID": github["run_id"],
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_SHA": github["sha"],
            "GITHUB_WORKFLOW_REF": github["workflow_ref"],
            "GITHUB_WORKSPACE": str(self.place / "work"),
            **{f"GITHUB_{name}": str(path) for name, path in files.items()},
            **self.github.variables,
            **known["env"],
            **own,
        }  # fmt: skip
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.place / "work", env=environ, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        log = done.stdout.decode("utf-8")
        tolerated = bool(value_of(step.get("continue-on-error", False), known))
        ran = StepRun(step.get("name", ""), done.returncode, log, environ, tolerated)
        self.job.steps.append(ran)
        self.job.summary += files["STEP_SUMMARY"].read_text("utf-8")
        self.path[:0] = files["PATH"].read_text("utf-8").splitlines()
        known["failed"] = known["failed"] or (done.returncode != 0 and not tolerated)
        if "id" in step:
            known["steps"][step["id"]] = {
                "outputs": _outputs(files["OUTPUT"].read_text("utf-8")),
                "outcome": "failure" if done.returncode else "success",
                "conclusion": "failure" if done.returncode and not tolerated else "success",
            }

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

    def _fetch(self, given: Mapping[str, str]) -> None:
        """Unpack an artifact of this run."""
        number = int(self.known["github"]["run_id"])
        (found,) = [
            one
            for one in self.github.state["artifacts"]
            if (one["run"], one["name"]) == (number, given["name"])
        ]
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(found["content"]))) as archive:
            archive.extractall(self.place / "work" / given.get("path", "."))

    def _upload(self, given: Mapping[str, str]) -> None:
        """Keep files as upload-artifact does: a name is free once in an attempt of a run."""
        path = self.place / "work" / given["path"]
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(file, file.name)
        state = self.github.state
        number = int(self.known["github"]["run_id"])
        run = next(one for one in state["runs"] if one["id"] == number)
        same = [
            one
            for one in state["artifacts"]
            if (one["run"], one["name"]) == (number, given["name"])
        ]
        assert not same or given.get("overwrite") == "true", f"409 Conflict: {given['name']}"
        assert not re.search(r'["\:<>|*?\r\n\\/]', given["name"]), given["name"]
        state["artifacts"] = [one for one in state["artifacts"] if one not in same]
        state["last_id"] += 1
        state["artifacts"].append(
            {
                "id": state["last_id"], "run": number, "name": given["name"], "expired": False,
                "size_in_bytes": len(packed.getvalue()), "created_at": now(),
                "digest": f"sha256:{hashlib.sha256(packed.getvalue()).hexdigest()}",
                "content": base64.b64encode(packed.getvalue()).decode(),
                "workflow_run": {
                    "id": number, "repository_id": run["repository"]["id"],
                    "head_repository_id": run["head_repository"]["id"],
                    "head_branch": run["head_branch"], "head_sha": run["head_sha"],
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
