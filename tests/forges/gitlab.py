"""A project at GitLab: repository, API on a socket of its own, and a runner for a whole pipeline.

The runner carries out the template as it stands: inputs, rules, needs, artifacts, variables that
are scoped to environments. Only ftctl's installation is replaced, by a program that is ready.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

from forges.expressions import evaluate
from forges.programs import FTCTL, ROOT, put_programs

TEMPLATE = ROOT / "examples" / "ci" / "gitlab" / "ftctl.gitlab-ci.yml"
TOKEN = "glpat-of-our-bot"
BOT = 7
PROJECT = 1
CONFIG = "include: {local: ftctl.gitlab-ci.yml}\n"

_INSTALLER = """\
import pathlib, sys
into = pathlib.Path(sys.argv[sys.argv.index("--into") + 1])
(into / "bin").mkdir(parents=True)
(into / "bin" / "ftctl").write_text({ftctl!r})
(into / "bin" / "ftctl").chmod(0o755)
"""


def template(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The template with these inputs, as GitLab fills them in."""
    head, _, body = TEMPLATE.read_text("utf-8").partition("\n---\n")
    given = yaml.safe_load(head)["spec"]["inputs"]
    assert set(inputs) <= set(given), inputs
    for name, rules in given.items():
        value = inputs.get(name, rules.get("default"))
        assert value is not None, f"{name} must be given"
        if rules.get("type") == "array":
            assert isinstance(value, list), f"{name}: {value}"
            value = json.dumps(value)
        assert re.search(rules.get("regex", ""), value), f"{name}: {value}"
        body = body.replace(f"$[[ inputs.{name} ]]", value)
    assert "$[[" not in body
    jobs: dict[str, Any] = yaml.safe_load(body)
    return jobs


@dataclass
class JobRun:
    """One job that ran."""

    name: str
    id: int
    status: int
    log: str
    environ: Mapping[str, str]


@dataclass
class Pipeline:
    """One pipeline, and how far it has come."""

    record: dict[str, Any]
    known: dict[str, str]
    jobs: dict[str, Any]
    rules: dict[str, dict[str, str]]
    waiting: list[str]
    done: dict[str, JobRun] = field(default_factory=dict)

    @property
    def rules_hold(self) -> list[str]:
        """The jobs that are part of it."""
        return [name for name, rule in self.rules.items() if rule.get("when") != "never"]


@dataclass
class GitLab:
    """The project. `scoped` are variables that a job gets for its environment alone."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    scoped: dict[str, dict[str, str]] = field(default_factory=dict)
    ftctl: str = FTCTL
    inputs: dict[str, Any] = field(default_factory=dict)
    included: list[dict[str, Any]] = field(default_factory=list)  # inputs of each, where several
    requests: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    pipelines: list[dict[str, Any]] = field(default_factory=list)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    artifacts: dict[int, dict[str, bytes]] = field(default_factory=dict)  # job → path → content
    asked: list[str] = field(default_factory=list)
    # What GitLab answers instead, where it is said.
    instead: Callable[[str], tuple[int, Any] | None] = lambda _: None
    answers: dict[str, Any] = field(default_factory=dict)
    last_id: int = 100
    groups: dict[str, str] = field(default_factory=dict)  # resource group → process mode
    labels: dict[int, set[str]] = field(default_factory=dict)  # merge request → labels
    role: str = "Developer"  # of TOKEN
    public: bool = False  # whether everybody may read artifacts
    # What a project's own file says of the template's jobs, and what GitLab signs for `id_tokens`.
    over: Mapping[str, Any] = field(default_factory=dict)
    sign: Callable[[Mapping[str, Any]], str] | None = None

    def __enter__(self) -> Self:
        forge = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(None)

            def do_POST(self) -> None:
                self._answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

            def do_PUT(self) -> None:
                self.do_POST()

            def do_DELETE(self) -> None:
                self._answer(None)

            def _answer(self, sent: Any) -> None:
                allowed = self.headers["authorization"] == f"Bearer {TOKEN}"
                allowed |= forge.public and "/jobs/artifacts/" in self.path
                forge.asked.append(f"{self.command} {self.path}")
                status, answer = 401, None
                if allowed:
                    odd = forge.instead(f"{self.command} {self.path}")
                    answer = forge.answer(self.command, self.path, sent) if odd is None else odd[1]
                    status = (404 if answer is None else 200) if odd is None else odd[0]
                    if isinstance(answer, tuple):
                        status, answer = answer
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Nothing: a test looks at the answers."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def set_up(self, files: Mapping[str, str]) -> None:
        """An empty project with these files on main, and the scripts of ftctl in a repository."""
        self.folder.mkdir(parents=True)
        self.programs = put_programs(self.folder / "programs", self.ftctl)
        self.git("init", "--quiet", "--bare", "--initial-branch", "main", "origin.git", at="")
        self.git("clone", "--quiet", "origin.git", "clone", at="")
        scripts = self.folder / "scripts"
        shutil.copytree(
            ROOT / "ci" / "gitlab", scripts / "ci" / "gitlab",
            ignore=shutil.ignore_patterns("__pycache__"),
        )  # fmt: skip
        (scripts / "ci" / "install.py").write_text(_INSTALLER.format(ftctl=self.ftctl), "utf-8")
        self.git("init", "--quiet", at="scripts")
        self.git("add", "--all", at="scripts")
        self.git("commit", "--quiet", "--message", "ftctl", at="scripts")
        self.inputs = {
            "source": f"file://{scripts}",
            "commit": self.git("rev-parse", "HEAD", at="scripts"),
        }
        self.commit("main", {".gitlab-ci.yml": CONFIG, TEMPLATE.name: "{}\n", **files})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/api/v4"

    # The repository.

    def git(self, *arguments: str, at: str = "clone") -> str:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
        done = subprocess.run(
            ["git", *identity, "-c", "advice.detachedHead=false", *arguments],
            cwd=self.folder / at, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done
        return done.stdout.decode().strip()

    def commit(self, branch: str, files: Mapping[str, str], *, start: str = "main") -> str:
        """Commit onto a branch, which begins at `start` where it is new, and push; the commit."""
        known = self.git("branch", "--list", branch) != ""
        self.git("checkout", "--quiet", *([branch] if known else ["-B", branch]))
        if not known and branch != "main":
            self.git("reset", "--quiet", "--hard", start)
        for name, text in files.items():
            path = self.folder / "clone" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--message", "change")
        self.git("push", "--quiet", "origin", branch)
        commit = self.git("rev-parse", "HEAD")
        if branch != "main":
            self.git("checkout", "--quiet", "main")
        return commit

    def open_request(self, branch: str = "change", target: str = "main") -> dict[str, Any]:
        self.requests.append(
            {
                "iid": len(self.requests) + 3, "state": "opened", "target_branch": target,
                "source_branch": branch, "project_id": PROJECT, "source_project_id": PROJECT,
                "target_project_id": PROJECT, "merge_commit_sha": None, "squash_commit_sha": None,
                "sha": self.git("rev-parse", branch),
            }
        )  # fmt: skip
        return self.requests[-1]

    def merge(self, request: dict[str, Any], how: str = "merge") -> str:
        """Merge it in one of GitLab's ways; the commit on its target."""
        target, branch = request["target_branch"], request["source_branch"]
        head, base = self.git("rev-parse", branch), self.git("merge-base", target, branch)
        self.git("checkout", "--quiet", target)
        if how == "merge":
            self.git("merge", "--quiet", "--no-ff", "--no-edit", branch)
        elif how == "squash":
            self.git("merge", "--quiet", "--squash", branch)
            self.git("commit", "--quiet", "--message", "squashed")
        else:
            self.git("merge", "--quiet", "--ff-only", branch)
        self.git("push", "--quiet", "origin", target)
        commit = self.git("rev-parse", "HEAD")
        self.git("checkout", "--quiet", "main")
        key = {"merge": "merge_commit_sha", "squash": "squash_commit_sha"}.get(how)
        if key:
            request[key] = commit
        request.update(
            state="merged", sha=head, diff_refs={"base_sha": base, "head_sha": head}
        )  # fmt: skip
        return commit

    # The API.

    def answer(self, method: str, path: str, sent: Any) -> Any:
        """The answer as bytes or JSON; None where there is nothing."""
        address = urlsplit(path.removeprefix("/api/v4/"))
        if self.role != "Developer" and re.search(
            r"resource_groups/|^PUT \S*merge_requests/\d+$|POST \S*(commits|merge_requests)$",
            f"{method} {address.path}",
        ):
            return 403, {"message": "403 Forbidden"}
        query = parse_qs(address.query)
        route = f"{method} {address.path.removeprefix(f'projects/{PROJECT}/')}"
        found = self._answer(route, query, sent)
        if not isinstance(found, list):
            return found
        page, many = int(query.get("page", ["1"])[0]), int(query.get("per_page", ["20"])[0])
        return found[many * (page - 1) : many * page]

    def _answer(self, route: str, query: Mapping[str, list[str]], sent: Any) -> Any:
        self.query = query
        if route == "GET user":
            return {"id": BOT}
        if route.startswith("GET repository/"):
            return self._about_commits(route.removeprefix("GET repository/"), query)
        for pattern, answer in self._routes().items():
            if found := re.fullmatch(pattern, route):
                return answer(sent, *(int(one) if one.isdigit() else one for one in found.groups()))
        raise AssertionError(f"no answer to {route}")

    def _routes(self) -> dict[str, Callable[..., Any]]:
        """Method and path → what is sent and the parts of the path in, the answer out."""
        change, bot = self._change, {"author": {"id": BOT}}

        def delete_note(_: Any, note: int) -> bytes:
            self.notes = [one for one in self.notes if one["id"] != note]
            return b""

        def change_issue(sent: Any, iid: int) -> Any:
            closed = sent.pop("state_event", "") == "close"
            return change(self.issues, "iid", iid, {"state": "closed"} if closed else sent)

        def first(things: list[dict[str, Any]], key: str, value: int) -> Any:
            return next((one for one in things if one[key] == value), None)

        return {
            r"GET resource_groups/(.+)": lambda _, key: self._group(str(key), None),
            r"PUT resource_groups/(.+)": lambda sent, key: self._group(str(key), sent),
            r"PUT merge_requests/(\d+)": self._label,
            r"GET merge_requests": lambda _: [
                one
                for one in reversed(self.requests)
                if one["state"] == self.query["state"][0]
                and one["target_branch"] == self.query["target_branch"][0]
                and self.query.get("source_branch", [one["source_branch"]])
                == [one["source_branch"]]
            ],
            r"POST merge_requests": lambda sent: self.open_request(
                sent["source_branch"], sent["target_branch"]
            ),
            r"POST repository/commits": self._written,
            r"GET pipelines": lambda _: [
                one for one in reversed(self.pipelines) if [one["ref"]] == self.query["ref"]
            ],
            r"GET merge_requests/(\d+)": lambda _, iid: first(self.requests, "iid", iid),
            r"GET merge_requests/(\d+)/notes": lambda _, iid: [
                one for one in self.notes if one["iid"] == iid
            ],
            r"POST merge_requests/(\d+)/notes": lambda sent, iid: self._add(
                self.notes, {**sent, "iid": iid, **bot}
            ),
            r"PUT merge_requests/\d+/notes/(\d+)": lambda sent, note: change(
                self.notes, "id", note, sent
            ),
            r"DELETE merge_requests/\d+/notes/(\d+)": delete_note,
            r"GET merge_requests/(\d+)/pipelines": lambda _, iid: [
                one for one in self.pipelines if f"/{iid}/" in one["ref"]
            ],
            r"GET pipelines/(\d+)": lambda _, number: first(self.pipelines, "id", number),
            r"GET pipelines/(\d+)/jobs": lambda _, number: [
                one for one in self.jobs if one["pipeline"]["id"] == number
            ],
            r"GET jobs/artifacts/main/raw/(.+)": self._newest_artifact,
            r"GET jobs/(\d+)": lambda _, number: first(self.jobs, "id", number),
            r"GET jobs/(\d+)/artifacts/(.+)": lambda _, number, path: self.artifacts.get(
                number, {}
            ).get(path),
            r"GET issues": lambda _: [one for one in self.issues if one["state"] == "opened"],
            r"POST issues": lambda sent: self._add(self.issues, {**sent, "state": "opened"}),
            r"PUT issues/(\d+)": change_issue,
        }

    def _newest_artifact(self, _: Any, path: str) -> Any:
        (name,) = self.query["job"]
        jobs = [
            one["id"] for one in self.jobs if one["name"] == name and one["status"] == "success"
        ]
        return self.artifacts[jobs[-1]].get(path) if jobs else None

    def _group(self, key: str, sent: Any) -> Any:
        name = unquote(key)
        if name not in self.groups:
            return None
        self.groups[name] = sent["process_mode"] if sent else self.groups[name]
        return {"key": name, "process_mode": self.groups[name]}

    def _label(self, sent: Any, iid: int) -> Any:
        there = self.labels.setdefault(iid, set())
        there |= set(filter(None, sent.get("add_labels", "").split(",")))
        there -= set(sent.get("remove_labels", "").split(","))
        return {"iid": iid, "labels": sorted(there)}

    def _written(self, sent: Any) -> Any:
        """A commit of one file; refused where somebody else changed the file meanwhile."""
        (action,) = sent["actions"]
        branch, start = sent["branch"], sent.get("start_branch") or sent["branch"]
        work = f"commit-{self.last_id}"
        self.last_id += 1
        self.git("clone", "--quiet", "--branch", start, "origin.git", work, at="")
        path = self.folder / work / action["file_path"]
        last = self._last_commit(start, action["file_path"])
        if (action["action"] == "create") == path.exists():
            return 400, {"message": "A file with this name already exists"}
        if action.get("last_commit_id", last) != last:
            return 400, {"message": "You are attempting to update a file that has changed"}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b64decode(action["content"]))
        self.git("add", "--all", "--force", at=work)
        self.git("commit", "--quiet", "--message", sent["commit_message"], at=work)
        force = ["--force"] if sent.get("force") else []
        self.git("push", "--quiet", *force, "origin", f"HEAD:refs/heads/{branch}", at=work)
        self.git("fetch", "--quiet", "origin")
        if branch == "main":
            self.git("merge", "--quiet", "--ff-only", "origin/main")
        else:
            self.git("branch", "--force", branch, f"origin/{branch}")
        return {"id": self.git("rev-parse", "HEAD", at=work)}

    def _last_commit(self, ref: str, path: str) -> str:
        return self.git("log", "-1", "--format=%H", ref, "--", path, at="origin.git")

    def _about_commits(self, route: str, query: Mapping[str, list[str]]) -> Any:
        if found := re.fullmatch(r"commits/(\w+)/merge_requests", route):
            shas = ("merge_commit_sha", "squash_commit_sha", "sha")
            return [one for one in self.requests if found[1] in {one.get(key) for key in shas}]
        if route.startswith("files/") and not re.fullmatch(r"[0-9a-f]{40}", query["ref"][0]):
            return self._repository(route, query)  # of a branch, which moves
        asked = route + json.dumps(query, sort_keys=True)
        if asked not in self.answers:  # All are about commits, which never change.
            self.answers[asked] = self._repository(route, query)
        return self.answers[asked]

    def _repository(self, route: str, query: Mapping[str, list[str]]) -> Any:
        at = "origin.git"
        if route == "commits":
            assert query["first_parent"] == ["true"]
            known = self.git("rev-list", "--first-parent", query["ref_name"][0], at=at).split()
            return [{"id": one} for one in known]
        if found := re.fullmatch(r"commits/(\w+)", route):
            return {"parent_ids": self.git("rev-parse", f"{found[1]}^@", at=at).split()}
        if found := re.fullmatch(r"files/([^/]+)", route):
            name = f"{query['ref'][0]}:{unquote(found[1])}"
            done = subprocess.run(
                ["git", "show", name], cwd=self.folder / at, capture_output=True, check=False
            )
            if done.returncode or self.git("cat-file", "-t", name, at=at) != "blob":
                return None
            blob = self.git("rev-parse", name, at=at)
            return {
                "blob_id": blob,
                "content": b64encode(done.stdout).decode(),
                "last_commit_id": self._last_commit(query["ref"][0], unquote(found[1])),
            }
        if route == "tree":
            wanted = [query["ref"][0], *query.get("path", [])]
            names = self.git("ls-tree", "-r", "--name-only", *wanted, at=at).split("\n")
            return [{"type": "blob", "path": name} for name in names if name]
        if route == "merge_base":
            return {"id": self.git("merge-base", *query["refs[]"], at=at)}
        raise AssertionError(f"no answer to {route}")

    def _add(self, things: list[dict[str, Any]], thing: dict[str, Any]) -> dict[str, Any]:
        self.last_id += 1
        things.append({"iid": self.last_id, "id": self.last_id, **thing})
        return things[-1]

    @staticmethod
    def _change(things: list[dict[str, Any]], key: str, value: int, sent: Any) -> dict[str, Any]:
        thing = next(one for one in things if one[key] == value)
        thing.update(sent)
        return thing

    def note_by(self, author: int, iid: int, body: str) -> dict[str, Any]:
        """A note of somebody."""
        return self._add(self.notes, {"body": body, "iid": iid, "author": {"id": author}})

    # The runner.

    @property
    def template(self) -> dict[str, Any]:
        """All that the pipeline's file includes."""
        common = {key: self.inputs[key] for key in ("source", "commit")}
        jobs: dict[str, Any] = {}
        for inputs in self.included or [self.inputs]:
            more = template({**inputs, **common})
            assert jobs.keys().isdisjoint(more)
            jobs |= more
        return jobs

    def include(self, example: Path) -> None:
        """Take the inputs of a pipeline's file that includes the template."""
        self.included = [one["inputs"] for one in yaml.safe_load(example.read_text())["include"]]

    def _changed(self, record: Mapping[str, Any], known: Mapping[str, str]) -> list[str] | None:
        """The files that a merge request or a push changes; None where no rule asks for them."""
        before = known.get("CI_MERGE_REQUEST_DIFF_BASE_SHA") or known.get("CI_COMMIT_BEFORE_SHA")
        if record["source"] not in {"push", "merge_request_event"} or not (before or "").strip("0"):
            return None
        return self.git("diff", "--name-only", before, record["sha"], at="origin.git").split("\n")

    def plan(self, request: dict[str, Any], *, kind: str = "head") -> dict[str, JobRun]:
        """What happens when a merge request is opened or pushed to."""
        return self.finish(self.planning(request, kind=kind))

    def planning(self, request: dict[str, Any], *, kind: str = "head") -> Pipeline:
        """The pipeline of a merge request that was opened or pushed to."""
        head = request["sha"] = self.git("rev-parse", request["source_branch"])
        commit = head
        if kind != "head":
            self.git("checkout", "--quiet", "--detach", request["target_branch"])
            self.git("merge", "--quiet", "--no-ff", "--no-edit", head)
            commit = self.git("rev-parse", "HEAD")
            self.git("checkout", "--quiet", "main")
        place = f"refs/merge-requests/{request['iid']}/{kind}"
        self.git("push", "--quiet", "--force", "origin", f"{commit}:{place}")
        base = self.git("merge-base", request["target_branch"], head)
        return self.made(
            "merge_request_event", commit, place,
            CI_MERGE_REQUEST_IID=str(request["iid"]),
            CI_MERGE_REQUEST_PROJECT_ID=str(PROJECT),
            CI_MERGE_REQUEST_SOURCE_PROJECT_ID=str(request["source_project_id"]),
            CI_MERGE_REQUEST_TARGET_BRANCH_NAME=request["target_branch"],
            CI_MERGE_REQUEST_DIFF_BASE_SHA=base,
            CI_DEFAULT_BRANCH="main",
            CI_MERGE_REQUEST_EVENT_TYPE={"head": "detached", "merge": "merged_result"}.get(
                kind, "merge_train"
            ),
            **({} if kind == "head" else {"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": head}),
        )  # fmt: skip

    def on_main(self, source: str, **variables: str) -> dict[str, JobRun]:
        """What happens on the default branch."""
        return self.finish(self.begin(source, **variables))

    def begin(self, source: str, commit: str = "", **variables: str) -> Pipeline:
        """A pipeline of the default branch that GitLab has made, and no runner has taken up."""
        commit = commit or self.git("rev-parse", "main")
        known = {"CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main"}
        if source == "push":
            parents = self.git("rev-parse", f"{commit}^@").split()
            known["CI_COMMIT_BEFORE_SHA"] = parents[0] if parents else "0" * 40
        return self.made(source, commit, "main", **(known | variables))

    def run(self, source: str, commit: str, ref: str, **variables: str) -> dict[str, JobRun]:
        """One pipeline: each job by name, in the order in which they ran."""
        return self.finish(self.made(source, commit, ref, **variables))

    def made(self, source: str, commit: str, ref: str, **variables: str) -> Pipeline:
        """A pipeline whose jobs wait for a runner."""
        self.last_id += 1
        record = {
            "id": self.last_id, "project_id": PROJECT, "source": source, "ref": ref, "sha": commit,
        }  # fmt: skip
        self.pipelines.append(record)
        jobs = {name: job for name, job in self.template.items() if name[0] != "."}
        for job in jobs.values():
            if "resource_group" in job:
                self.groups.setdefault(job["resource_group"], "unordered")
        known = {"CI_PIPELINE_SOURCE": source, "CI_COMMIT_SHA": commit, **variables}
        changed = self._changed(record, known)
        rules = {
            name: next(
                (
                    one
                    for one in job["rules"]
                    if _holds(one["if"], known) and _touched(one, changed)
                ),
                {"when": "never"},
            )
            for name, job in jobs.items()
        }
        waiting = [name for name in jobs if rules[name].get("when") != "never"]
        return Pipeline(record, known, jobs, rules, waiting)

    def finish(self, pipeline: Pipeline, until: str = "") -> dict[str, JobRun]:
        """Run what waits, up to and with one job."""
        while pipeline.waiting:
            jobs, done = pipeline.jobs, pipeline.done
            name = next(
                one
                for one in pipeline.waiting
                if set(jobs[one]["needs"]).isdisjoint(pipeline.waiting)
            )
            pipeline.waiting.remove(name)
            needed = [done[one] for one in jobs[name]["needs"] if one in done]
            missing = len(needed) < len(set(jobs[name]["needs"]) & set(pipeline.rules_hold))
            failed = missing or any(one.status for one in needed)
            if not failed or pipeline.rules[name].get("when") == "always":
                done[name] = self.run_job(name, pipeline.record, needed, pipeline.known)
            if name == until:
                break
        return pipeline.done

    def retry(self, pipeline: Pipeline, name: str) -> JobRun:
        """One job of a pipeline once more, with what those that it needs left last."""
        needed = [
            pipeline.done[one] for one in pipeline.jobs[name]["needs"] if one in pipeline.done
        ]
        pipeline.done[name] = self.run_job(name, pipeline.record, needed, pipeline.known)
        return pipeline.done[name]

    def take_turns(self, pipelines: Sequence[Pipeline], job: str) -> list[int]:
        """Jobs of one resource group that all wait for it, as GitLab lets them take turns; the
        ids of the pipelines in the order in which they had it.
        """
        (key,) = {one.jobs[job]["resource_group"] for one in pipelines}
        newest_first = self.groups[key] != "oldest_first"  # unordered is any order: the worst one
        turns = sorted(pipelines, key=lambda one: int(one.record["id"]), reverse=newest_first)
        for one in turns:
            self.finish(one, until=job)
        return [int(one.record["id"]) for one in turns]

    def run_job(
        self, name: str, pipeline: Mapping[str, Any], needed: Sequence[JobRun],
        known: Mapping[str, str],
    ) -> JobRun:  # fmt: skip
        """Run a job in a checkout of its own."""
        jobs = self.template
        job = {**jobs[name], **self.over.get(name, {})}
        extends = job["extends"] if isinstance(job["extends"], list) else [job["extends"]]
        variables = {**jobs[extends[0]]["variables"], **job.get("variables", {})}
        self.last_id += 1
        number = self.last_id
        work = self.folder / f"job-{number}"
        if variables.get("GIT_STRATEGY") == "none":
            work.mkdir()
        else:
            self.git("clone", "--quiet", "--no-checkout", "origin.git", work.name, at="")
            self.git("fetch", "--quiet", "origin", pipeline["ref"], at=work.name)
            self.git("checkout", "--quiet", "--detach", pipeline["sha"], at=work.name)
        for one in needed:
            for path, content in self.artifacts.get(one.id, {}).items():
                (work / path).parent.mkdir(parents=True, exist_ok=True)
                (work / path).write_bytes(content)
        environment = job.get("environment", {}).get("name", "")
        environ = {
            "PATH": os.pathsep.join((str(self.programs), os.environ["PATH"])),
            "HOME": str(self.folder / f"home-{number}"),
            "TMPDIR": str(self.folder),
            "CI": "true",
            "CI_API_V4_URL": self.url,
            "CI_JOB_ID": str(number),
            "CI_JOB_NAME": name,
            "CI_JOB_TOKEN": "glcbt-of-the-job",
            "CI_JOB_URL": "https://gitlab.example/job",
            "CI_PIPELINE_ID": str(pipeline["id"]),
            "CI_PROJECT_DIR": str(work),
            "CI_PROJECT_ID": str(PROJECT),
            "CI_REPOSITORY_URL": "https://gitlab-ci-token:glcbt-of-the-job@gitlab.example/a/b.git",
            **({"CI_ENVIRONMENT_NAME": environment} if environment else {}),
            "FTCTL_CACHE_DIR": str(self.folder / f"cache-{number}"),
            "FTCTL_STATE_DIR": str(self.folder / f"state-{number}"),
            **variables, **self.variables, **self.scoped.get(environment, {}), **known,
        }  # fmt: skip
        for variable, wanted in job.get("id_tokens", {}).items():
            assert self.sign is not None
            environ[variable] = self.sign(
                {
                    "iss": "https://gitlab.example", "aud": wanted["aud"],
                    "environment": environment,
                    "sub": f"project_path:acme/support:ref_type:branch:ref:{pipeline['ref']}",
                }
            )  # fmt: skip
        script = "\n".join((*jobs[extends[0]]["before_script"], *job["script"]))
        done = subprocess.run(
            ["bash", "-e", "-c", script], cwd=work, env=environ, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        run = JobRun(name, number, done.returncode, done.stdout.decode(), environ)
        self._keep(run, job, work)
        self.jobs.append(
            {
                "id": number, "name": name, "status": "failed" if run.status else "success",
                "pipeline": {key: pipeline[key] for key in ("id", "project_id", "ref", "sha")},
            }
        )  # fmt: skip
        return run

    def _keep(self, run: JobRun, job: Mapping[str, Any], work: Path) -> None:
        wanted = job.get("artifacts", {})
        if run.status == 0 or wanted.get("when") == "always":
            kept = {}
            for path in map(work.joinpath, wanted.get("paths", [])):
                for file in [path] if path.is_file() else sorted(path.rglob("*")):
                    if file.is_file():
                        kept[str(file.relative_to(work))] = file.read_bytes()
            self.artifacts[run.id] = kept


def _holds(rule: str, values: Mapping[str, str]) -> bool:
    expression = re.sub(r"\$(\w+)", r"values.\1", rule).replace('"', "'")
    return bool(evaluate(expression, {"values": values}))


def _touched(rule: Mapping[str, Any], changed: Sequence[str] | None) -> bool:
    """Whether a rule's `changes` name one of these files: `**` spans folders, `*` does not."""
    if changed is None or "changes" not in rule:
        return True
    patterns = [
        re.escape(one).replace(r"\*\*/", "(?:.*/)?").replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
        for one in rule["changes"]["paths"]
    ]
    return any(re.fullmatch(pattern, name) for pattern in patterns for name in changed)
