"""What tests share: a clock to move by hand, projects in temporary folders, ftctl as a function."""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import re
import shutil
import socket
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fidelity import Hearing
from forges.standby import Standby
from hypothesis import settings
from plain_server import PlainServer, World
from simulation.tally import Figures

from ftctl.cli.main import run
from ftctl.cli.settings import Settings
from ftctl.engine.consents import CommandUse, remember
from ftctl.user_folders import cache_folder

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data"  # real data, beside every checkout of the authors


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--simulate-all", action="store_true", help="the long form of the simulation")
    parser.addoption("--attack-all", action="store_true", help="every input of tests/attacks")
    parser.addoption("--stories", action="store_true", help="every story of tests/stories")


def rounds(whole: int) -> int:
    """How many examples a property is tried with: all with `--simulate-all`, else a third."""
    return whole if _form["whole"] else whole // 3


_form = {"whole": False}  # set before any module of tests is loaded

KEY = "sk-test-0123456789abcdef"


class HandClock:
    """Time that only passes when somebody sleeps."""

    def __init__(self, start: float = 1_790_000_000.0) -> None:
        self.time = start

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@dataclass(frozen=True)
class Result:
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Shell:
    """Runs ftctl in a folder, with an environment of its own and a clock that never waits."""

    folder: Path
    clock: HandClock
    environ: dict[str, str]
    capsys: pytest.CaptureFixture[str]
    wire: Callable[[Any], Any] | None = None  # a transport around the embedded API's

    def __call__(self, *arguments: str) -> Result:
        self.capsys.readouterr()
        settings = Settings(
            clock=self.clock, environ=self.environ, folder=self.folder, wire=self.wire
        )
        status = run(arguments, settings)
        captured = self.capsys.readouterr()
        return Result(status, captured.out, captured.err)

    def ok(self, *arguments: str) -> Result:
        result = self(*arguments)
        assert result.status == 0, result
        return result

    def requests(self, *arguments: str) -> list[str]:
        """What a command asked of the service: method and path, one line each."""
        result = self(*arguments, "-v")
        return [line[2:] for line in result.err.splitlines() if line.startswith("> ")]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def write_project(tmp_path: Path) -> Callable[[Mapping[str, str]], Path]:
    """Write files (path → text) below a folder of the test's own."""

    def write(files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return tmp_path

    return write


@pytest.fixture
def shell(tmp_path: Path, clock: HandClock, capsys: pytest.CaptureFixture[str]) -> Shell:
    """ftctl in the test's own folder, without a key."""
    return Shell(tmp_path, clock, {}, capsys)


@pytest.fixture
def example(shell: Shell) -> Callable[[str], Shell]:
    """ftctl in a copy of one of the examples."""

    def copy(name: str) -> Shell:
        ignore = shutil.ignore_patterns(".ftctl")
        shutil.copytree(ROOT / "examples" / name, shell.folder, ignore=ignore, dirs_exist_ok=True)
        return shell

    return copy


def let_run(folder: Path, *commands: Sequence[str]) -> None:
    """As if the test's user had let these run in that project before."""
    use = CommandUse(tuple(map(tuple, commands)), "")
    assert remember(use, folder, "2026-11-30") is not None


@cache  # modules make the same ones by the hundred
def chat_rows(count: int, answer: str = "yes") -> str:
    """That many small, different chats as JSONL."""
    rows = (
        {"messages": [{"role": "user", "content": f"Question {number}?"},
                      {"role": "assistant", "content": answer}]}
        for number in range(count)
    )  # fmt: skip
    return "".join(json.dumps(row) + "\n" for row in rows)


def preference_rows(count: int) -> str:
    """That many small preference pairs as JSONL."""
    rows = (
        {"input": {"messages": [{"role": "user", "content": f"Question {number}?"}]},
         "preferred_output": [{"role": "assistant", "content": "Yes."}],
         "non_preferred_output": [{"role": "assistant", "content": "No idea."}]}
        for number in range(count)
    )  # fmt: skip
    return "".join(json.dumps(row) + "\n" for row in rows)


def script_at(path: str) -> ModuleType:
    """A program of the repository that is no module of a package, to call its functions."""
    name = f"script_{Path(path).stem}"
    spec = importlib.util.spec_from_file_location(name, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


FINETUNE = """\
apiVersion: ftctl/v1
kind: FineTune
name: tone
base_model: gpt-4.1-mini-2025-04-14
training: {source: ../data/train.jsonl}
"""


def small_project(finetune: str = FINETUNE, **files: str) -> dict[str, str]:
    """The files of a project with one fine-tune; more files by their path."""
    return {
        "ftctl.yaml": "project: demo\n",
        "finetunes/tone.yaml": finetune,
        "data/train.jsonl": chat_rows(12),
        **files,
    }


@pytest.fixture
def world() -> World:
    """The state of a server that is not ours."""
    return World()


@pytest.fixture
def remote(
    world: World, shell: Shell, write_project: Callable[[Mapping[str, str]], Path]
) -> Iterator[Shell]:
    """ftctl in a small project whose service is the plain server."""
    write_project(small_project(**{"ftctl.yaml": "project: demo\nprovider: {type: openai}\n"}))
    with PlainServer(world) as server:
        shell.environ.update(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        yield shell


_IDS = re.compile(
    r"\b(ftjob-|file-|req_|ftevent-)[A-Za-z0-9]{6,}|(ft:[\w.\-]+:[\w\-]*:[\w\-]*:)[A-Za-z0-9]{6,}"
)


def without_ids(text: str) -> str:
    """The text with every id numbered in the order of its appearance, and without digests."""
    known: dict[str, str] = {}

    def numbered(found: re.Match[str]) -> str:
        prefix = found[1] or found[2]
        number = 1 + sum(1 for name in known.values() if name.startswith(prefix))
        return known.setdefault(found[0], f"{prefix}{number}")

    return re.sub(r"sha256:[0-9a-f]{64}", "sha256:…", _IDS.sub(numbered, text))


def without_losses(text: str) -> str:
    """The text with every loss left out: it differs with the seed and from machine to machine."""
    return re.sub(r"\bloss([ =])\d+\.\d+", r"loss\1…", text)


@pytest.fixture(scope="session")
def users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A place for each test's user, outside of the test's own folder; nothing is made yet."""
    home = tmp_path_factory.mktemp("users")
    return (home / str(number) for number in count())


@pytest.fixture(autouse=True)
def user(users: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the user's cache and state are in this test, and in the processes that it starts."""
    place = next(users)
    monkeypatch.setenv("FTCTL_CACHE_DIR", str(place / "cache"))
    monkeypatch.setenv("FTCTL_STATE_DIR", str(place / "state"))
    return place


@pytest.fixture(scope="session")
def standby() -> Iterator[Standby]:
    """An ftctl that is loaded once, for all that runners start."""
    with Standby() as standby:
        yield standby


def cache_of(project: Path) -> Path:
    """Where the test's user keeps what is known of the project in that folder."""
    folder = cache_folder(project)
    assert folder is not None
    return folder


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any connection that would leave this machine fails the test that makes it."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        loopback = host in ("", "::1", "localhost") or host.startswith("127.")
        assert loopback, f"a test connects to {address}"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


def pytest_collection() -> None:
    gc.disable()  # what is collected stays: a million objects that nobody need look at


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_configure(config: pytest.Config) -> None:
    # Several workers compute on small arrays, and their threads would wait for each other. numpy
    # reads this once, as it is loaded: by what checks data, in most tests, and not by the emulator.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Each client reads the certificates of all authorities, though none of them is asked here.
    ssl.create_default_context = cache(ssl.create_default_context)
    _form["whole"] = bool(config.getoption("--simulate-all"))
    # A machine that is busy is no fault of what is tried.
    settings.register_profile("ftctl", deadline=None)
    settings.load_profile("ftctl")
    # What the whole run says to the emulator is judged at its end; what it broke is counted.
    config.pluginmanager.register(Hearing(config))
    config.pluginmanager.register(Figures())
