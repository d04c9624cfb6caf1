"""The project's examples in; what this version leaves behind of each, under both marks, out.

    PYTHONPATH=tests python -m upgrade.freeze tests/upgrade/DATE

makes a folder that is then never made again: see its README. It works through the command line and
the wire alone.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
from conftest import KEY, ROOT, HandClock, chat_rows
from plain_server import PlainServer, World

from ftctl.cli.main import run
from ftctl.cli.settings import Settings
from upgrade.replay import PORT

NOON = 1_795_953_600.0  # 2026-11-29T12:00Z
MARKS = ("metadata", "file-name")
MODEL = "gpt-4.1-mini-2025-04-14"
Send = Callable[[str, str, Any], Any]  # method, path with query, JSON or (rows,) → the answer


@dataclass
class Place:
    """A copy of a project, and ftctl in it."""

    folder: Path
    clock: HandClock
    server: str | None = None  # the address of a hosted service; None: the embedded API
    options: tuple[str, ...] = ()
    environ: dict[str, str] = field(default_factory=lambda: {"OPENAI_API_KEY": KEY})

    def ftctl(self, *arguments: str, wire: Callable[[Any], Any] | None = None) -> str:
        settings = Settings(clock=self.clock, environ=self.environ, folder=self.folder, wire=wire)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            status = run((*self.options, *arguments), settings)
        assert status == 0, (arguments, out.getvalue())
        return out.getvalue()

    def speak(self, ask: Callable[[Send], Any]) -> Any:
        """What `ask` finds out by speaking to the service itself, behind ftctl's back."""
        if self.server is not None:
            return ask(partial(_send_to_server, self.server))
        found: list[Any] = []

        class Between(httpx2.BaseTransport):
            def __init__(self, inner: httpx2.BaseTransport) -> None:
                self.inner = inner

            def handle_request(self, request: httpx2.Request) -> httpx2.Response:
                if not found:
                    found.append(ask(partial(_send_to_transport, self.inner)))
                return self.inner.handle_request(request)

        self.ftctl("plan", wire=Between)
        return found[0]


def _send_to_server(server: str, method: str, path: str, body: Any = None) -> Any:
    assert (method, body) == ("GET", None)
    try:
        with urllib.request.urlopen(server + path) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as fault:
        if fault.code == 404:
            return None
        raise


def _send_to_transport(
    transport: httpx2.BaseTransport, method: str, path: str, body: Any = None
) -> Any:
    if isinstance(body, tuple):
        more: Any = {"files": {"file": ("rows.jsonl", body[0])}, "data": {"purpose": "fine-tune"}}
    else:
        more = {} if body is None else {"json": body}
    headers = {"authorization": "Bearer by-hand"}
    url = f"http://embedded.invalid/v1{path}"
    answer = transport.handle_request(httpx2.Request(method, url, headers=headers, **more))
    assert answer.status_code == 200, answer.read()
    return json.loads(answer.read())


def answers(project: str, send: Send) -> dict[str, Any]:
    """What the service answers to all that a plan, a wait and a record ask."""
    mine = f"metadata%5Bftctl_project%5D={project}"
    asked = ["/files?limit=10000", "/models", f"/fine_tuning/jobs?limit=100&{mine}"]
    found = {path: send("GET", path, None) for path in (*asked, "/fine_tuning/jobs?limit=100")}
    for job in found["/fine_tuning/jobs?limit=100"]["data"]:
        path = f"/fine_tuning/jobs/{job['id']}"
        assert send("GET", path, None) == job
        more = (f"{path}/events?limit=2", f"{path}/checkpoints?limit=100")
        found |= {one: known for one in more if (known := send("GET", one, None)) is not None}
    return found


def keep(place: Place, project: str, target: Path) -> None:
    """Write down what stands now: at the service, in the lock, in `.ftctl`, in the next plan."""
    known = place.speak(partial(answers, project))
    (target / "answers.json").write_text(_by_entry(known), "utf-8")
    plan = json.loads(place.ftctl("plan", "--format", "json"))
    jobs = known["/fine_tuning/jobs?limit=100"]["data"]
    frozen = {
        "clock": place.clock.now(),
        "options": place.options,
        "finetunes": {
            one["name"]: {key: one[key] for key in ("digest", "job", "model")}
            for one in plan["changes"]
        },
        "plan_digest": json.loads((place.folder / "plan.json").read_text("utf-8"))["digest"],
        "empty_plan_digest": plan["digest"],
        "uploads": sorted(file["filename"] for file in known["/files?limit=10000"]["data"]),
        "marks": {job["id"]: job["metadata"] for job in jobs},
    }
    _write(target / "frozen.json", frozen)
    shutil.copy(place.folder / "ftctl.lock", target)
    shutil.move(place.folder / "plan.json", target)
    if target.name == MARKS[0]:  # what it holds does not depend on the mark
        ignore = shutil.ignore_patterns("emulator.sqlite3*", "plans", ".gitignore")
        shutil.copytree(place.folder / ".ftctl", target / "state", ignore=ignore)


def keep_store(place: Place, target: Path) -> None:
    """The emulator's whole store as SQL, but for the weights, which are numbers without text."""
    store = sqlite3.connect(place.folder / ".ftctl" / "emulator.sqlite3")
    weights = store.execute("SELECT seq, content FROM weights").fetchall()
    store.execute("UPDATE weights SET content = X''")
    pragmas = [f"PRAGMA {name} = {store.execute(f'PRAGMA {name}').fetchone()[0]};"
               for name in ("application_id", "user_version")]  # fmt: skip
    (target / "store").mkdir()
    text = "\n".join([*store.iterdump(), *pragmas])
    (target / "store" / "emulator.sql").write_text(text + "\n", "utf-8")
    for seq, content in weights:
        (target / "store" / f"weights-{seq}.bin").write_bytes(content)


def _by_entry(known: dict[str, Any]) -> str:
    """The answers as JSON with a line for each entry of a list."""
    lists = []
    for path, answer in known.items():
        entries = ",\n  ".join(json.dumps(entry, ensure_ascii=False) for entry in answer["data"])
        rest = json.dumps({key: value for key, value in answer.items() if key != "data"})
        lists.append(f' {json.dumps(path)}: {{"data": [\n  {entries}\n ], {rest[1:]}')
    return "{\n" + ",\n".join(lists) + "\n}\n"


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _lay(files: dict[str, str], folder: Path) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")


def marked(ftctl_yaml: str, mark: str) -> str:
    """The project file with the embedded API under that mark."""
    if mark == "metadata":
        return ftctl_yaml
    lines = ftctl_yaml.splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if line.startswith("project:"))
    return "".join([*lines[: at + 1], "provider: {type: emulator, mark: file-name}\n",
                    *lines[at + 1 :]])  # fmt: skip


def freeze_example(source: Path, name: str, target: Path, temporary: Path) -> None:
    """One of the examples: planned, applied, waited for."""
    ignore = shutil.ignore_patterns(".ftctl", "ftctl.lock", "README.md", "__pycache__")
    kept = target / name / "project"
    for part in ("finetunes", "data", "policy"):
        if (source / part).is_dir():
            shutil.copytree(source / part, kept / part, ignore=ignore)
    text = (source / "ftctl.yaml").read_text("utf-8")
    project = text.partition("project: ")[2].split()[0]
    for mark in MARKS:
        place = Place(temporary / mark / name, HandClock(NOON))
        shutil.copytree(kept, place.folder)
        overlay = {"ftctl.yaml": marked(text, mark)}
        _lay(overlay, place.folder)
        _lay(overlay, target / name / mark / "project")
        _buy_and_keep(place, project, target / name / mark)


def _buy_and_keep(place: Place, project: str, target: Path, *more: tuple[str, ...]) -> None:
    time.sleep(2.1)  # the cache keeps nothing of files that were written just now
    place.ftctl("plan", "--out", str(place.folder / "plan.json"))
    place.ftctl("apply", "--auto-approve", "--wait")
    for arguments in more:
        place.ftctl(*arguments)
    keep(place, project, target)


def finetune(name: str, *lines: str, base: str = MODEL, data: str | None = "rows") -> str:
    """A manifest; `base` may be a parent in braces."""
    training = [f"training: {{source: ../data/{data}.jsonl}}"] if data else []
    head = ["apiVersion: ftctl/v1", "kind: FineTune", f"name: {name}", f"base_model: {base}"]
    return "\n".join([*head, *training, *lines]) + "\n"


ONCE = "hyperparameters: {n_epochs: 1}"
TWICE = "hyperparameters: {n_epochs: 2}"
DATA = {"data/rows.jsonl": chat_rows(10), "data/more.jsonl": chat_rows(11, "no")}


def freeze_small(target: Path, temporary: Path) -> None:
    """The smallest project there is, and its whole store."""
    manifests = {"finetunes/tone.yaml": finetune("tone", ONCE)}
    _lay({**DATA, **manifests}, target / "small" / "project")
    for mark in MARKS:
        place = Place(temporary / mark / "small", HandClock(NOON))
        overlay = {"ftctl.yaml": marked("project: small\n", mark)}
        _lay({**DATA, **manifests, **overlay}, place.folder)
        _lay(overlay, target / "small" / mark / "project")
        _buy_and_keep(place, "small", target / "small" / mark)
        if mark == "metadata":
            keep_store(place, target / "small" / mark)


def _elsewhere(send: Send) -> list[str]:
    """Two jobs that somebody started without ftctl, and their ids."""
    file = send("POST", "/files", (DATA["data/rows.jsonl"].encode(),))["id"]
    body = {"model": MODEL, "training_file": file, "metadata": {"team": "search"}}
    method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 1}}}
    return [
        send("POST", "/fine_tuning/jobs", {**body, "method": method, "seed": seed})["id"]
        for seed in (1, 2)
    ]


def freeze_lived(target: Path, temporary: Path) -> None:
    """A project with a past: adopted jobs, children and grandchildren, a spec that was changed."""
    _lay(DATA, target / "lived" / "project")
    for mark in MARKS:
        place = Place(temporary / mark / "lived", HandClock(NOON))
        _lay({"ftctl.yaml": marked("project: lived\n", mark), **DATA}, place.folder)
        _lay({"finetunes/none.yaml": ""}, place.folder)
        first, second = place.speak(
            lambda send: _elsewhere(lambda *ask: send(*ask, *[None] * (3 - len(ask))))
        )
        place.clock.time += 120
        (place.folder / "finetunes" / "none.yaml").unlink()
        overlay = {
            "ftctl.yaml": marked("project: lived\n", mark),
            "finetunes/bought.yaml": finetune("bought", f"adopt: {first}", data=None),
            "finetunes/known.yaml": finetune("known", ONCE, "seed: 2", f"adopt: {second}"),
            "finetunes/child.yaml": finetune("child", TWICE, base="{finetune: bought}"),
            "finetunes/branch.yaml": finetune(
                "branch", ONCE, "metadata: {owner: words}",
                base="{finetune: child, checkpoint: 10}", data="more",
            ),
            "finetunes/tone.yaml": finetune("tone", TWICE, "suffix: tone", data="more"),
        }  # fmt: skip
        before = {"finetunes/tone.yaml": finetune("tone", ONCE, "suffix: tone", data="more")}
        _lay({**overlay, **before}, place.folder)
        place.ftctl("apply", "--auto-approve", "--wait")
        place.clock.time += 3600
        _lay(overlay, place.folder)
        _lay(overlay, target / "lived" / mark / "project")
        _buy_and_keep(place, "lived", target / "lived" / mark)


def freeze_hosted(target: Path, temporary: Path) -> None:
    """A service at an address: an environment's section of the lock, and a promoted model."""
    manifests = {
        "finetunes/tone.yaml": finetune("tone", ONCE, "seed: 3", "metadata: {owner: words}"),
        "finetunes/notes.yaml": finetune("notes", TWICE, base="{finetune: tone}", data="more"),
    }
    _lay({**DATA, **manifests}, target / "hosted" / "project")
    for mark in MARKS:
        world = World(keeps_metadata=mark == "metadata")
        with PlainServer(world, PORT) as server:
            place = Place(
                temporary / mark / "hosted", HandClock(NOON), server.url, ("--env", "live")
            )
            provider = f"{{type: compatible, base_url: '{server.url}', mark: {mark}}}"
            text = f"project: hosted\nenvironments:\n  live:\n    provider: {provider}\n"
            _lay({**DATA, **manifests, "ftctl.yaml": text}, place.folder)
            _lay({"ftctl.yaml": text}, target / "hosted" / mark / "project")
            _buy_and_keep(place, "hosted", target / "hosted" / mark, ("promote", "notes"))


def main(target: Path) -> None:
    """Freeze everything below a folder that is not there yet."""
    assert not target.exists(), f"{target} is never made again"
    temporary = Path(tempfile.mkdtemp(prefix="freeze-"))
    for source in sorted((ROOT / "examples").iterdir()):
        if (source / "ftctl.yaml").is_file():
            freeze_example(source, source.name, target, temporary)
    freeze_example(ROOT, "ftctl", target, temporary)
    freeze_small(target, temporary)
    freeze_lived(target, temporary)
    freeze_hosted(target, temporary)
    commit = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=ROOT, text=True).strip()
    print(f"frozen at {commit}", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
