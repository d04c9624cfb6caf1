"""A project at GitLab: its API on a socket of its own, and a runner for one job of a template."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import yaml

from forges.expressions import evaluate
from forges.programs import ROOT

TEMPLATE: dict[str, Any] = yaml.safe_load(
    (ROOT / "examples" / "ci" / "gitlab" / "ftctl.gitlab-ci.yml").read_text("utf-8")
)
TOKEN = "glpat-of-our-bot"
BOT = 7


@dataclass
class GitLab:
    """What the API keeps. Everything lies in project 1."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    artifacts: dict[int, str] = field(default_factory=dict)  # job → ftctl-plan.json
    last_id: int = 100

    def __enter__(self) -> Self:
        forge = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(None)

            def do_POST(self) -> None:
                self._answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

            def do_PUT(self) -> None:
                self.do_POST()

            def _answer(self, sent: Any) -> None:
                allowed = self.headers["authorization"] == f"Bearer {TOKEN}"
                answer = forge.answer(self.command, self.path, sent) if allowed else None
                body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
                self.send_response(200 if answer is not None else 404 if allowed else 401)
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

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/api/v4"

    def answer(self, method: str, path: str, sent: Any) -> Any:
        """The answer as text or JSON; None where there is nothing."""
        address = urlsplit(path.removeprefix("/api/v4/"))
        page = int(parse_qs(address.query).get("page", ["1"])[0])
        route = f"{method} {address.path.removeprefix('projects/1/')}"
        if route == "GET user":
            return {"id": BOT}
        if found := re.fullmatch(r"(GET|POST) merge_requests/(\d+)/notes", route):
            if sent is None:
                return [one for one in self.notes if one["iid"] == int(found[2])][
                    100 * page - 100 : 100 * page
                ]
            return self._add(self.notes, {**sent, "iid": int(found[2]), "author": {"id": BOT}})
        if found := re.fullmatch(r"PUT merge_requests/\d+/notes/(\d+)", route):
            return self._change(self.notes, "id", int(found[1]), sent)
        if found := re.fullmatch(r"GET repository/commits/(\w+)/merge_requests", route):
            return [one for one in self.requests if one["merge_commit_sha"] == found[1]]
        if found := re.fullmatch(r"GET jobs/(\d+)/artifacts/ftctl-plan.json", route):
            return self.artifacts.get(int(found[1]))
        if route == "GET issues":
            return [one for one in self.issues if one["state"] == "opened"]
        if route == "POST issues":
            return self._add(self.issues, {**sent, "state": "opened"})
        if found := re.fullmatch(r"PUT issues/(\d+)", route):
            words = {"state": "closed"} if sent.pop("state_event", "") == "close" else sent
            return self._change(self.issues, "iid", int(found[1]), words)
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

    def note_by_somebody(self, iid: int, body: str) -> None:
        """A note of a person."""
        self._add(self.notes, {"body": body, "iid": iid, "author": {"id": 1}})

    def run(
        self, name: str, work: Path, programs: Path, variables: Mapping[str, str],
        scoped: Mapping[str, Mapping[str, str]],
    ) -> tuple[int, str] | None:  # fmt: skip
        """Run a job in a checkout: status and log; None if its rules keep it from running.

        `scoped` are the variables that a job is given for its environment alone.
        """
        job = TEMPLATE[name]
        values = {**TEMPLATE["variables"], **variables}
        if not any(_holds(rule["if"], values) for rule in job["rules"]):
            return None
        self.last_id += 1
        environment = job.get("environment", {}).get("name", "")
        environ = {
            "PATH": os.pathsep.join((str(programs), os.environ["PATH"])),
            "HOME": str(work.with_name(f"{work.name}-home")),
            "CI": "true",
            "CI_API_V4_URL": self.url,
            "CI_JOB_ID": str(self.last_id),
            "CI_JOB_URL": "https://gitlab.example/job",
            "CI_PROJECT_ID": "1",
            **values,
            **scoped.get(environment, {}),
        }
        script = "\n".join((*TEMPLATE[job["extends"]]["before_script"], *job["script"]))
        done = subprocess.run(
            ["bash", "-c", script], cwd=work, env=environ, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        plan = work / "ftctl-plan.json"
        if plan.is_file() and "ftctl-plan.json" in job.get("artifacts", {}).get("paths", []):
            self.artifacts[self.last_id] = plan.read_text("utf-8")
        return done.returncode, done.stdout


def _holds(rule: str, values: Mapping[str, str]) -> bool:
    expression = re.sub(r"\$(\w+)", r"values.\1", rule).replace('"', "'")
    return bool(evaluate(expression, {"values": values}))
