"""A project at GitLab with a real service behind it, for tests that tell a story."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conftest import KEY

from forges.gitlab import BOT, TOKEN, GitLab, JobRun
from ftctl.emulator import Request, open_emulator, serve
from ftctl.emulator import Settings as Options

PROJECT = """\
project: demo
provider: {type: compatible}
prune: true
policy: {max_cost_per_job: 5, max_share_deleted: 1}
catalog:
  compatible:
    gpt-4.1-mini-2025-04-14: {usd_per_million_tokens: 5, as_of: 2026-11}
"""


@contextmanager
def project(
    folder: Path, program: str, files: Mapping[str, str], names: tuple[str, ...] = ("ftctl",)
) -> Iterator[GitLab]:
    """A project with these files on main, and variables for jobs that begin with these names."""
    options = Options(training=False, api_key=KEY)
    with open_emulator(folder / "service", settings=options) as emulator:
        pace = json.dumps({"kind": "immediate"}).encode()
        key = [("authorization", f"Bearer {KEY}")]
        emulator.handle(Request.to("PUT", "/_ftctl/clock", key, pace))
        with serve(emulator).start() as server:
            scoped = {"production": {"OPENAI_API_KEY": KEY}}
            for name in names:
                scoped |= {
                    f"{name}/plan": {"OPENAI_API_KEY": KEY},
                    f"{name}/wait": {"OPENAI_API_KEY": KEY},
                    f"{name}-production": {"OPENAI_API_KEY": KEY},
                    f"{name}/notes": {"FTCTL_GITLAB_TOKEN": TOKEN},
                    f"{name}/record": {"FTCTL_GITLAB_TOKEN": TOKEN},
                }
            forge = GitLab(folder / "gitlab", {"OPENAI_BASE_URL": server.url}, scoped, program)
            with forge:
                forge.set_up(files)
                yield forge


def note(gitlab: GitLab, iid: int, kind: str = "comment", place: str = "default .") -> str:
    """The one note of ours of a kind on a merge request; empty where there is none."""
    mark = f"<!-- ftctl {kind}: {place} -->"
    found = [
        str(one["body"])
        for one in gitlab.notes
        if one["iid"] == iid and one["author"]["id"] == BOT and one["body"].startswith(mark)
    ]
    assert len(found) <= 1, found
    return found[0] if found else ""


def ended(runs: Mapping[str, JobRun]) -> dict[str, int]:
    """The status of each job."""
    return {name: run.status for name, run in runs.items()}


def ask(gitlab: GitLab, method: str, path: str, body: Any = None) -> Any:
    """Somebody asks the service, past ftctl."""
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    address = gitlab.variables["OPENAI_BASE_URL"]
    if path.startswith("/_ftctl"):
        address = address.removesuffix("/v1")
    asked = urllib.request.Request(
        f"{address}{path}", method=method, headers=headers,
        data=None if body is None else json.dumps(body).encode(),
    )  # fmt: skip
    with urllib.request.urlopen(asked) as answer:
        return json.loads(answer.read())
