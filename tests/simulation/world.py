"""A project, an embedded API and a clock; what exists there, what was bought, and settling down."""

from __future__ import annotations

import hashlib
import json
import random
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from conftest import HandClock, chat_rows

from ftctl.cli.console import Console
from ftctl.cli.main import run
from ftctl.cli.settings import Settings
from ftctl.emulator import EmulatorTransport, Request, open_emulator
from ftctl.emulator import Settings as Service
from ftctl.emulator.temperaments.file_ways import STRANGERS_SUFFIX
from ftctl.providers import retry
from ftctl.providers.openai import bounds, lists
from simulation.scripts import APPLY, Files, Script
from simulation.wires import Endless, Inner

DEADLINES = (bounds, lists, retry)
MOST_APPLIES = 4  # until everything must have settled
_DIGEST = re.compile(r"\.(v\d+-[0-9a-f]{64})\.")  # in the name of a file
Wire = Callable[[Inner], Inner]
_PLAN = ("plan", "--detailed-exitcode")
_BY_HAND = (("authorization", "Bearer by-hand"), ("content-type", "application/json"))


class Strides(HandClock):
    """Time that passes in strides of a second at least: a wait looks a few times, not forty."""

    stride: float = 1.3
    most: int | None = None  # pauses of one run; None: as many as it likes
    slept: int = 0

    def sleep(self, seconds: float) -> None:
        self.slept += 1
        if self.most is not None and self.slept > self.most:
            raise Endless
        super().sleep(max(seconds, self.stride))


@dataclass
class Listening(Console):
    """A console that keeps what it is told."""

    lines: list[str] = field(default_factory=list)

    def result(self, text: str) -> None:
        self.lines.append(text)

    def note(self, text: str) -> None:
        self.lines.append(text)


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@dataclass(frozen=True)
class Print:
    """What there is, without ids and times: jobs that live, models, files, and all of strangers."""

    live: tuple[tuple[str, str], ...]  # (digest, status)
    models: tuple[str, ...]  # digests of the jobs they came from; checkpoints with their step
    files: tuple[str, ...]  # hashes of their content
    strangers: str
    # Checkpoints of jobs that were cancelled while they trained: see test_faults.py.
    orphans: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Bill:
    """What was bought, by digest."""

    trained: Counter[str]  # jobs that ever ran
    stopped: Counter[str]  # jobs that were cancelled before they ran
    uploads: int  # files that were ever sent, deleted ones too

    @property
    def made(self) -> Counter[str]:
        return self.trained + self.stopped


@dataclass
class World:
    """One project at one service. Every run in it has the same clock."""

    folder: Path
    clock: HandClock = field(default_factory=Strides)
    strangers: frozenset[str] = frozenset()  # ids of the jobs that are not ours
    service: Path | None = None  # the folder of the store, where that is another checkout's

    @property
    def store(self) -> Path:
        """The folder in which the service keeps its state."""
        return self.service or self.folder / ".ftctl"

    def checkout(self, folder: Path, clock: HandClock | None = None) -> World:
        """The same project at the same service, with nothing local but what git would bring."""
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns(".ftctl"))
        return World(folder, clock or self.clock, self.strangers, self.store)

    def copy(self, folder: Path) -> World:
        """The same world once more, at the same moment."""
        shutil.copytree(self.folder, folder)
        return World(folder, type(self.clock)(self.clock.now()), self.strangers)

    def write(self, files: Files) -> None:
        for name, text in files.items():
            path = self.folder / name
            if text is None:
                path.unlink(missing_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8")

    def temper(self, *temperaments: str) -> None:
        """From now on the service behaves like that; `ask` goes on telling what is true."""
        with open_emulator(self.store, clock=self.clock.now) as emulator:
            body = json.dumps({"temperaments": temperaments}).encode()
            answer = emulator.handle(Request.to("PUT", "/_ftctl/faults", _BY_HAND, body))
        assert answer.status == 200, answer.body

    def run(self, *arguments: str, wire: Wire | None = None) -> Ended:
        """One command in a process of its own, as far as a process can be had for nothing."""
        console = Listening()
        keep_time(self.clock)
        with self._reached(wire) as wired:
            settings = Settings(
                clock=self.clock, environ={}, folder=self.folder, wire=wired, console=console
            )
            status = run(arguments, settings)
        return Ended(status, tuple(console.lines))

    @contextmanager
    def _reached(self, wire: Wire | None) -> Iterator[Wire | None]:
        """The wire to the service, if that is not the checkout's own."""
        if self.service is None:
            yield wire
            return
        with open_emulator(self.service, clock=self.clock.now) as emulator:
            there = EmulatorTransport(emulator, sleep=self.clock.sleep)
            yield lambda _own: there if wire is None else wire(there)

    def settle(self, *command: str) -> int:
        """The command again and again until there is nothing left to do; how often it took."""
        ended = Ended(-1, ())
        for number in range(1, MOST_APPLIES + 1):
            ended = self.run(*command)
            if self.is_settled(command):
                assert ended.status == 0, ended.text
                return number
        raise AssertionError(f"not converged after {MOST_APPLIES} × {command}:\n{ended.text}")

    def come_to_rest(self, *command: str) -> int:
        """Settle, let every job end, and settle again; how many applies the longer of both took."""
        first = self.settle(*command)
        self.clock.time += 120
        return max(first, self.settle(*command))

    def is_settled(self, command: tuple[str, ...]) -> bool:
        """Whether the same command would find nothing to do."""
        if command[0] == "destroy":
            found = self.run("destroy", "--approve", "none")
            return found.status == 0
        options = [word for word in command if word in ("--prune", "--retry-failed")]
        return self.run(*_PLAN, *options).status == 0

    # The service, asked behind ftctl's back.

    def ask(self, method: str, path: str, body: object = None) -> Any:
        with open_emulator(self.store, clock=self.clock.now) as emulator:
            content = b"" if body is None else json.dumps(body).encode()
            # As the emulator's own page asks: it is told the truth, whatever the temperament.
            headers = (*_BY_HAND, ("sec-fetch-site", "same-origin"))
            answer = emulator.handle(Request.to(method, f"/v1{path}", headers, content))
        if path.endswith("/content"):
            return answer.body
        value = json.loads(answer.body)
        assert answer.status == 200, value
        return value

    def jobs(self) -> list[Any]:
        """Every job at the service, newest first."""
        return list(self.ask("GET", "/fine_tuning/jobs?limit=100")["data"])

    def ours(self) -> list[Any]:
        """The project's jobs, newest first; of each, its digest under that key."""
        names = {one["id"]: one["filename"] for one in self.ask("GET", "/files")["data"]}
        found = []
        for job in self.jobs():
            if not self.is_of_strangers(job):
                # Where the file's name is the mark, a job whose file has gone is forgotten.
                named = _DIGEST.search(names.get(job["training_file"], ""))
                digest = (job["metadata"] or {}).get("ftctl_digest") or (named and named[1])
                found.append({**job, "digest": digest or "forgotten"})
        return found

    def is_of_strangers(self, job: Mapping[str, Any]) -> bool:
        """Whether it was there before, or is one that a temperament started on our file."""
        return job["id"] in self.strangers or job["user_provided_suffix"] == STRANGERS_SUFFIX

    def add_strangers(self) -> None:
        """What is not ours: another project's file, job and model, and some without any mark."""
        self.write({".ftctl/.gitignore": "*\n"})
        for project, marks in (("other", _marks("other")), (None, None)):
            name = f"ftctl.{project}.train.{'0' * 64}.jsonl" if project else "train.jsonl"
            file = self._upload(name, chat_rows(11, project or "nobody"))
            body = {"model": "gpt-4.1-mini-2025-04-14", "training_file": file}
            self.ask(
                "POST", "/fine_tuning/jobs", {**body, **({"metadata": marks} if marks else {})}
            )
        self.clock.time += 600
        self.strangers = frozenset(job["id"] for job in self.jobs())

    def _upload(self, name: str, text: str) -> str:
        form = (
            '--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
            f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
            f"{text}\r\n--b--\r\n"
        )
        with open_emulator(self.store, clock=self.clock.now) as emulator:
            headers = [
                ("authorization", "Bearer by-hand"),
                ("content-type", "multipart/form-data; boundary=b"),
            ]
            answer = emulator.handle(Request.to("POST", "/v1/files", headers, form.encode()))
        made: str = json.loads(answer.body)["id"]
        return made

    def fingerprint(self) -> Print:
        """What there is."""
        ours = self.ours()
        models = {one["id"] for one in self.ask("GET", "/models")["data"]}
        digests = {
            job["fine_tuned_model"]: job["digest"] for job in ours if job["fine_tuned_model"]
        }
        live = [
            (job["digest"], "succeeded" if job["status"] == "succeeded" else "in progress")
            for job in ours
            if job["status"] not in ("failed", "cancelled", "succeeded")
            or job["fine_tuned_model"] in models
        ]
        files, strange_files = [], []
        for file in self.ask("GET", "/files")["data"]:
            if file["filename"].startswith("ftctl.demo."):
                files.append(hashlib.sha256(self.content(file["id"])).hexdigest()[:12])
            else:
                strange_files.append(file)
        known = [name for name in models if name.startswith("ft:")]
        strange = {job["fine_tuned_model"] for job in self.jobs() if self.is_of_strangers(job)}
        theirs = {job["fine_tuned_model"] for job in self.jobs() if job["id"] in self.strangers}
        mine = [
            digests[stem] + name.removeprefix(stem)
            for name in known
            if (stem := name.partition(":ckpt")[0]) in digests
        ]
        strangers = {
            "jobs": [job for job in self.jobs() if job["id"] in self.strangers],
            "models": sorted(name for name in known if name.partition(":ckpt")[0] in theirs),
            "files": strange_files,
        }
        return Print(
            tuple(sorted(live)),
            tuple(sorted(mine)),
            tuple(sorted(files)),
            json.dumps(strangers, sort_keys=True),
            tuple(name for name in known if name.partition(":ckpt")[0] not in {*digests, *strange}),
        )

    def content(self, file: str) -> bytes:
        found: bytes = self.ask("GET", f"/files/{file}/content")
        return found

    def bill(self) -> Bill:
        """What was bought so far."""
        trained: Counter[str] = Counter()
        stopped: Counter[str] = Counter()
        for job in self.ours():
            (trained if self.has_run(job) else stopped)[job["digest"]] += 1
        with closing(sqlite3.connect(self.store / "emulator.sqlite3")) as database:
            (uploads,) = database.execute("SELECT count(*) FROM files").fetchone()
        return Bill(trained, stopped, uploads)

    def has_run(self, job: Mapping[str, Any]) -> bool:
        if job["status"] in ("running", "paused", "succeeded"):
            return True
        events = self.ask("GET", f"/fine_tuning/jobs/{job['id']}/events?limit=1000")["data"]
        return any("Fine-tuning job started" in event["message"] for event in events)


def _marks(project: str) -> dict[str, str]:
    return {"ftctl_project": project, "ftctl_finetune": "tone", "ftctl_digest": "v1:" + "0" * 64}


def at_once(seed: int) -> None:
    """Make what is random follow the seed: pauses and the ids at the service."""
    from ftctl.emulator import ids

    chance = random.Random(seed)
    random.seed(seed)
    ids.os = SimpleNamespace(urandom=chance.randbytes)  # type: ignore[assignment]


def keep_time(clock: HandClock) -> None:
    """Make deadlines follow a clock that is moved by hand, until told otherwise.

    They count by the machine's own, which never jumps, and which no simulation waits for.
    """
    for module in DEADLINES:
        module.time = SimpleNamespace(monotonic=clock.now)  # type: ignore[attr-defined]


def take_time(service: Service) -> None:
    """Make the embedded API take that long for things, until told otherwise.

    Nothing is trained: thousands of worlds are played, and what a model learns is not at stake.
    """
    untrained = replace(service, training=False)
    open_emulator.__defaults__ = (*(open_emulator.__defaults__ or ())[:-1], untrained)


def prepare(script: Script, folder: Path) -> World:
    """The world as it is before the script's command."""
    world = World(folder)
    folder.mkdir(parents=True, exist_ok=True)
    world.add_strangers()
    for files, command in script.before:
        world.write(files)
        if command == ("cancel by hand",):
            for job in world.ours():
                world.ask("POST", f"/fine_tuning/jobs/{job['id']}/cancel")
            continue
        ended = world.run(*command)
        assert ended.status == 0, ended.text
    world.write(script.files)
    return world


__all__ = ["APPLY", "Bill", "Ended", "Print", "World", "at_once", "prepare"]
