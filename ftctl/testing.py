"""A test that asks for `ftctl_emulator` -> an embedded fine-tuning API of its own.

Every test run on a machine with ftctl loads this module: it imports nothing but pytest until a
test asks for the fixture, and adds no options.
"""

# ruff: noqa: PLC0415 - what is heavy is imported by the tests that use it
from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    import openai

    from ftctl.emulator import Emulator, Server, Settings

MARKER = "ftctl_emulator"
START = 1_800_000_000.0
"""The moment at which every test's clock starts, in Unix seconds: 15 January 2027, 08:00 UTC."""

KEY = "embedded"
_PACE = ("pace", "speed", "reads")
_ID_SEED = 7


class EmulatorLab:
    """One test's embedded API: nothing is shared with other tests, and only the test moves time."""

    def __init__(self, folder: Path, options: Mapping[str, Any]) -> None:
        from ftctl.emulator import open_emulator

        settings = _settings(options)
        self._now = float(options.get("now", START))
        self._key = settings.api_key or KEY
        self._open = ExitStack()
        self.emulator: Emulator = self._open.enter_context(
            open_emulator(folder, lambda: self._now, settings)
        )
        try:
            self._set_pace(options)
        except BaseException:
            self.close()
            raise

    @cached_property
    def client(self) -> openai.OpenAI:
        """The SDK's client, in process; a fault's latency passes by the test's own clock."""
        import httpx2
        import openai

        from ftctl.emulator import EmulatorTransport

        http = httpx2.Client(transport=EmulatorTransport(self.emulator, sleep=self.advance))
        client = openai.OpenAI(api_key=self._key, base_url="http://localhost/v1", http_client=http)
        return self._open.enter_context(client)

    @cached_property
    def server(self) -> Server:
        """The API behind a free port of this machine, from the first use to the test's end."""
        from ftctl.emulator import serve

        return self._open.enter_context(serve(self.emulator).start())

    @property
    def base_url(self) -> str:
        """For clients over the socket, `/v1` included."""
        return self.server.url

    @property
    def environ(self) -> dict[str, str]:
        """The variables by which the SDK, and most programs that use it, find the API."""
        return {"OPENAI_BASE_URL": self.base_url, "OPENAI_API_KEY": self._key}

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Point this process, and those that it starts, at the API until the test ends."""
        for name, value in self.environ.items():
            monkeypatch.setenv(name, value)

    @property
    def now(self) -> float:
        """The API's moment in Unix seconds."""
        clock = self.admin("GET", "clock")
        return float(clock["now"]) if clock["kind"] == "hand" else self._now

    def advance(self, seconds: float) -> None:
        """Let so much time pass for the API, at whatever pace."""
        if seconds < 0:
            raise ValueError("time passes forward only")
        if self.pace["kind"] == "hand":
            self.admin("POST", "clock/advance", {"seconds": seconds})
        self._now += seconds

    @property
    def pace(self) -> dict[str, Any]:
        """How time passes for jobs: kind, speed, reads."""
        clock: dict[str, Any] = self.admin("GET", "clock")
        return clock

    @pace.setter
    def pace(self, pace: str | Mapping[str, Any]) -> None:
        wanted = {"kind": pace} if isinstance(pace, str) else dict(pace)
        self.admin("PUT", "clock", wanted)

    def faults(self, *rules: Mapping[str, Any]) -> None:
        """What goes wrong from now on, and nothing else; no rules: all goes well again."""
        self.admin("PUT", "faults", {"faults": [dict(rule) for rule in rules]})

    def temperaments(self, *slugs: str) -> None:
        """How the API behaves from now on, as in `"lagging-list=30"`; none: honestly again.

        Those of the mark, `temperaments=(...)`, hold besides.
        """
        self.admin("PUT", "faults", {"temperaments": list(slugs)})

    @property
    def journal(self) -> list[dict[str, Any]]:
        """The requests so far, oldest first."""
        entries: list[dict[str, Any]] = self.admin("GET", "journal")["data"]
        return entries

    def admin(self, method: str, name: str, body: Any = None) -> Any:
        """Call `/_ftctl/NAME`; ValueError has the API's words when it refuses."""
        from ftctl.emulator import Request

        headers = (("authorization", f"Bearer {self._key}"),)
        content = b"" if body is None else json.dumps(body).encode()
        response = self.emulator.handle(Request.to(method, f"/_ftctl/{name}", headers, content))
        value = json.loads(response.body)
        if response.status >= 400:
            raise ValueError(value["error"]["message"])
        return value

    def close(self) -> None:
        """End the client, the server and the emulator, in this order."""
        self._open.close()

    def _set_pace(self, options: Mapping[str, Any]) -> None:
        kind = options.get("pace", "immediate")
        beside = {name: options[name] for name in ("speed", "reads") if name in options}
        start = {"now": self._now} if kind == "hand" else {}
        self.pace = {"kind": kind, **beside, **start}


@pytest.fixture
def ftctl_emulator(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmulatorLab]:
    """An embedded fine-tuning API, empty, with reproducible ids and times.

    `@pytest.mark.ftctl_emulator(pace="reads", training=False)` changes it for a test, a class or
    a module; the nearest mark wins, name by name.
    """
    options = _options(request)
    # Not in the test's own tmp_path: a test may look at what lies there.
    lab = EmulatorLab(tmp_path_factory.mktemp("ftctl-emulator"), options)
    yield lab
    lab.close()


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(pace='immediate', speed=1, reads=1, now={START:.0f}, id_seed={_ID_SEED}, "
        "**settings): the embedded fine-tuning API that the fixture of this name gives.",
    )


def _options(request: pytest.FixtureRequest) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for mark in reversed(list(request.node.iter_markers(MARKER))):
        if mark.args:
            raise pytest.UsageError(f"@pytest.mark.{MARKER} takes names only, as in pace='reads'")
        options |= mark.kwargs
    return options


def _settings(options: Mapping[str, Any]) -> Settings:
    from ftctl.emulator import Settings

    known = {field.name for field in fields(Settings)}
    for name in options:
        if name not in known and name not in (*_PACE, "now"):
            choices = ", ".join(sorted({*known, *_PACE, "now"}))
            raise pytest.UsageError(f"@pytest.mark.{MARKER} has no '{name}', but: {choices}")
    chosen = {name: value for name, value in options.items() if name in known}
    return Settings(**{"id_seed": _ID_SEED, **chosen})
