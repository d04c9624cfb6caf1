"""Where a key may go: what a manifest, ftctl.yaml, a service or a change says gets none of it.

A recorder stands for every machine but this one: that it has heard nothing is the proof.
"""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from conftest import FINETUNE, KEY, Result, Shell, let_run, small_project
from loopback import Elsewhere
from plain_server import PlainServer, World

from ftctl.domain.service_address import read_service_address
from ftctl.engine.consents import AddressUse, remember, remembered
from ftctl.errors import FtctlError, InvalidProject, ProviderError
from ftctl.user_folders import state_folder

from .recorder import Recorder, recording

Write = Callable[[Mapping[str, str]], Path]
ELSEWHERE = "https://gateway.acme.example/v1"
OTHER_KEY = "plain-words-that-let-in-0123456789"


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    with recording(monkeypatch) as running:
        yield running


@pytest.fixture
def project(shell: Shell, write_project: Write) -> Callable[..., Shell]:
    """ftctl in a small project with these lines of ftctl.yaml, and with keys."""

    def write(settings: str, finetune: str = FINETUNE, **environ: str) -> Shell:
        write_project(small_project(finetune, **{"ftctl.yaml": f"project: demo\n{settings}"}))
        shell.environ |= {"OPENAI_API_KEY": KEY, **environ}
        return shell

    return write


def provider(**lines: str) -> str:
    return "provider:\n" + "".join(f"  {name}: {value}\n" for name, value in lines.items())


def heard_nothing(result: Result, recorder: Recorder, *secrets: str) -> None:
    """Nothing was sent, and no key is in what was said."""
    assert result.status in (1, 64), result
    assert recorder.silent, (recorder.names, recorder.data)
    text = result.out + result.err
    assert not [secret for secret in (KEY, *secrets) if secret in text]


# Addresses that are none, or are read in plain sight.

ODD = {
    "http, a name": "http://gateway.acme.example/v1",
    "http, a name within": "http://gateway/v1",
    "http, a name that begins like ours": "http://localhost.evil.example/v1",
    "http, a name that ends like ours": "http://evil.localhost/v1",
    "http, a number within a name": "http://127.0.0.1.nip.io/v1",
    "http, a private address": "http://10.0.0.7:8000/v1",
    "http, a cloud's own address": "http://169.254.169.254/v1",
    "http, any address": "http://0.0.0.0:8000/v1",
    "http, IPv6 any": "http://[::]:8000/v1",
    "http, IPv6 that maps this machine": "http://[::ffff:127.0.0.1]:8000/v1",
    "http, IPv6 link-local": "http://[fe80::1]/v1",
    "http, IPv6 with a zone": "http://[fe80::1%25eth0]/v1",
    "http, an IPv6 address nearly ours": "http://[::2]/v1",
    "http, a punycode look-alike": "http://xn--lcalhost-5fg.example/v1",
    "http, a port": "http://gateway.acme.example:443/v1",
    "a number": "http://2130706433:8000/v1",
    "a hexadecimal number": "http://0x7f000001:8000/v1",
    "an octal number": "http://017700000001:8000/v1",
    "octal parts": "http://0177.0.0.1:8000/v1",
    "hexadecimal parts": "http://0x7f.0.0.1:8000/v1",
    "two parts": "http://127.1:8000/v1",
    "three parts": "http://127.0.1:8000/v1",
    "a part too many": "http://127.0.0.0.1:8000/v1",
    "a part too large": "http://127.0.0.256:8000/v1",
    "an https number": "https://2130706433/v1",
    "a dot at the end": "http://localhost.:8000/v1",
    "two dots at the end": "https://gateway.acme.example../v1",
    "a dot at the end of https": "https://api.openai.com./v1",
    "an empty label": "https://gateway..acme.example/v1",
    "a percent in the host": "http://127.0.0.1%2eevil.example/v1",
    "a percent for a slash": "https://api.openai.com%2f@evil.example/v1",
    "a percent for an at": "https://api.openai.com%40evil.example/v1",
    "userinfo": "https://api.openai.com@evil.example/v1",
    "userinfo with a password": "https://api.openai.com:443@evil.example/v1",
    "userinfo, http": "http://localhost@evil.example/v1",
    "an at in the path": "https://evil.example/@api.openai.com/v1",
    "a backslash for a slash": "https://api.openai.com\\.evil.example/v1",
    "a backslash before an at": "https://evil.example\\@api.openai.com/v1",
    "a backslash in the path": "https://gateway.acme.example/v1\\..\\evil",
    "a percent for a backslash": "https://gateway.acme.example/v1%5c..%5cevil",
    "a part behind #": "https://evil.example#@api.openai.com/v1",
    "steps out": "https://gateway.acme.example/v1/../evil",
    "steps out, by percent": "https://gateway.acme.example/v1/%2e%2E/evil",
    "a step in place": "https://gateway.acme.example/./evil",
    "a port that is none": "https://gateway.acme.example:99999/v1",
    "a port of zero": "https://gateway.acme.example:0/v1",
    "a port of words": "https://gateway.acme.example:https/v1",
    "no port after the colon and an at": "https://localhost:@evil.example/v1",
    "brackets around a name": "https://[evil.example]/v1",
    "brackets around IPv4": "http://[127.0.0.1]:8000/v1",
    "half a bracket": "http://[::1/v1",
    "no host": "https:///evil.example/v1",
    "no slashes": "https:evil.example/v1",
    "another scheme": "ftp://gateway.acme.example/v1",
    "a websocket": "wss://gateway.acme.example/v1",
    "a file": "file:///etc/passwd",
    "capitals of a scheme": "HTTP://gateway.acme.example/v1",
    "no scheme": "//gateway.acme.example/v1",
    "a hyphen first": "https://-gateway.acme.example/v1",
    "a name too long": f"https://{'a' * 64}.example/v1",
    "names too long": f"https://{'a.' * 130}example/v1",
    "a comma": "https://api.openai.com,evil.example/v1",
    "a semicolon in the host": "https://api.openai.com;.evil.example/v1",
    "a dollar in the host": "https://$(whoami).evil.example/v1",
}  # fmt: skip
# What a file may not even hold, but a variable can.
UNPRINTABLE = {
    "a tab": "http://127.0.0.1\t.evil.example/v1",
    "a line end": "http://127.0.0.1\n.evil.example/v1",
    "a carriage return": "https://api.openai.com\r.evil.example/v1",
    "a blank": "https://api.openai.com .evil.example/v1",
    "a Cyrillic letter": "https://api.open\u0430i.com/v1",
    "a full-width dot": "https://evil\uff0eexample/v1",
    "an ideographic dot": "http://127\u30020\u30020\u30021:8000/v1",
    "a circled digit": "http://\u2460\u2461\u2466.0.0.1:8000/v1",
    "a soft hyphen": "http://local\u00adhost:8000/v1",
    "an invisible joiner": "https://api.openai\u200d.com/v1",
    "a Kelvin sign": "https://api.nebius.\u212aom/v1",
}  # fmt: skip


@pytest.mark.parametrize("what", ODD)
def test_an_odd_address_in_ftctl_yaml_gets_no_key(
    project: Callable[..., Shell], recorder: Recorder, what: str
) -> None:
    shell = project(provider(type="compatible", base_url=json.dumps(ODD[what])))

    result = shell("plan", "--allow-address", ELSEWHERE)

    heard_nothing(result, recorder)
    assert "ftctl.yaml:4:13: error[" in result.err


@pytest.mark.parametrize("what", [*ODD, *UNPRINTABLE])
def test_an_odd_address_of_the_environment_gets_no_key(
    project: Callable[..., Shell], recorder: Recorder, what: str
) -> None:
    address = {**ODD, **UNPRINTABLE}[what]
    shell = project(provider(type="openai"), OPENAI_BASE_URL=address)

    result = shell("plan")

    heard_nothing(result, recorder)


@pytest.mark.parametrize("what", ["http, a name", "a number", "userinfo", "http, IPv6 any"])
@pytest.mark.parametrize("type_", ["azure", "nebius", "bedrock"])
def test_an_odd_address_gets_no_key_of_any_service(
    project: Callable[..., Shell], recorder: Recorder, what: str, type_: str
) -> None:
    variable = "AZURE_OPENAI_ENDPOINT" if type_ == "azure" else "GATEWAY_URL"
    lines = {} if type_ == "azure" else {"base_url_env": variable}
    keys = dict.fromkeys(("AZURE_OPENAI_API_KEY", "NEBIUS_API_KEY"), OTHER_KEY)
    keys["AWS_BEARER_TOKEN_BEDROCK"] = OTHER_KEY
    shell = project(provider(type=type_, **lines), **keys, **{variable: ODD[what]})

    result = shell("plan")

    heard_nothing(result, recorder, OTHER_KEY)
    assert "ftctl.yaml:" in result.err


@pytest.mark.parametrize("what", ["http, a name", "a hexadecimal number", "userinfo"])
def test_moderation_sends_no_key_to_an_odd_address(
    project: Callable[..., Shell], recorder: Recorder, what: str
) -> None:
    shell = project("", OPENAI_BASE_URL=ODD[what])

    result = shell("dataset", "check", "data/train.jsonl", "--moderation")

    heard_nothing(result, recorder)


HERE = ["http://127.0.0.1:PORT/v1", "http://localhost:PORT/v1", "http://LOCALHOST:PORT/v1/"]


@pytest.mark.parametrize("address", HERE)
@pytest.mark.parametrize("by", ["base_url", "OPENAI_BASE_URL", "GATEWAY_URL"])
def test_this_machine_is_asked_without_a_question(
    project: Callable[..., Shell], world: World, recorder: Recorder, address: str, by: str
) -> None:
    with PlainServer(world) as server:
        url = address.replace("PORT", server.url.rpartition(":")[2].partition("/")[0])
        lines = {"base_url": url} if by == "base_url" else {}
        lines |= {"base_url_env": by} if by == "GATEWAY_URL" else {}
        shell = project(provider(type="compatible", **lines), **{by: url, "CI": "true"})
        shell.ok("plan")

    assert {one["authorization"] for one in world.headers} == {f"Bearer {KEY}"}
    assert recorder.silent


@pytest.mark.parametrize(
    "address", ["http://127.9.8.7:1/v1", "http://[::1]:1/v1", "http://[0:0:0:0:0:0:0:1]:1/v1"]
)
def test_all_of_this_machine_is_this_machine(address: str) -> None:
    assert read_service_address(address).is_loopback


def test_this_machine_is_asked_without_a_proxy(
    project: Callable[..., Shell], world: World, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://proxy.acme.example:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    with PlainServer(world) as server:
        project(provider(type="compatible", base_url=server.url)).ok("plan")

    assert world.requests
    assert recorder.silent


# An address and a variable that have not been used together.

STRANGE = {
    "an address of its own": {"type": "compatible", "base_url": ELSEWHERE},
    "a known type": {"type": "openai", "base_url": ELSEWHERE},
    "a resource of anybody": {"type": "azure", "base_url": "https://evil.openai.azure.com/openai/v1"},
    "a host that begins like the service's": {
        "type": "openai", "base_url": "https://api.openai.com.evil.example/v1"},
    "a host that ends like the service's": {
        "type": "openai", "base_url": "https://evil-api.openai.com.example/v1"},
    "a host that ends in its letters": {
        "type": "openai", "base_url": "https://evilapi.openai.com/v1"},
    "another port of the service": {"type": "openai", "base_url": "https://api.openai.com:8443/v1"},
    "a punycode look-alike": {"type": "openai", "base_url": "https://api.xn--openi-8ve.com/v1"},
    "a variable's address": {"type": "compatible", "base_url_env": "CI_COMMIT_TITLE"},
    "another variable at the service": {"type": "openai", "api_key_env": "PARTNER_KEY"},
    "another service's key": {"type": "openai", "api_key_env": "NEBIUS_API_KEY"},
    "a header's variable": {"type": "openai", "headers": "{x-a: {env: PARTNER_KEY}}"},
    "a parameter's variable": {"type": "openai", "query": "{a: {env: PARTNER_KEY}}"},
    "a program": {"type": "openai", "api_key_command": "[touch, ran]"},
    "a program for an address": {
        "type": "compatible", "base_url": ELSEWHERE, "api_key_command": "[touch, ran]"},
}  # fmt: skip


@pytest.mark.parametrize("what", STRANGE)
@pytest.mark.parametrize("command", ["plan", "apply --auto-approve"])
def test_what_was_not_used_together_is_told_where_nobody_can_be_asked(
    project: Callable[..., Shell], recorder: Recorder, what: str, command: str
) -> None:
    keys = dict.fromkeys(("PARTNER_KEY", "NEBIUS_API_KEY", "AZURE_OPENAI_API_KEY"), OTHER_KEY)
    keys |= {"AWS_BEARER_TOKEN_BEDROCK": OTHER_KEY, "CI_COMMIT_TITLE": "https://evil.example/v1"}
    shell = project(provider(**STRANGE[what]), **keys)

    result = shell(*command.split())

    heard_nothing(result, recorder, OTHER_KEY)
    assert not (shell.folder / "ran").exists()
    if "api_key_command" in STRANGE[what]:
        assert "error[new-command]: ftctl.yaml has a program run" in result.err
        return
    assert "error[new-address]" in result.err
    address = STRANGE[what].get("base_url") or keys.get(STRANGE[what].get("base_url_env", ""))
    assert f"add --allow-address {address or 'https://api.openai.com/v1'}, or" in result.err


ASKING = [
    "plan", "apply --auto-approve", "destroy --auto-approve", "status", "events tone", "wait",
    "cancel tone", "pause tone", "resume tone", "import --all", "doctor", "doctor --probe",
    "plan --record seen.json", "plan --format json",
]  # fmt: skip


@pytest.mark.parametrize("command", ASKING)
def test_every_command_that_asks_the_service_asks_where_first(
    project: Callable[..., Shell], recorder: Recorder, command: str
) -> None:
    shell = project(provider(type="compatible", base_url=ELSEWHERE))

    result = shell(*command.split())

    heard_nothing(result, recorder)
    assert f"OPENAI_API_KEY would go to {ELSEWHERE}" in result.err + result.out


@pytest.mark.parametrize("command", ["validate", "plan --offline"])
def test_what_sends_nothing_asks_nothing(
    project: Callable[..., Shell], recorder: Recorder, command: str
) -> None:
    project(provider(type="compatible", base_url=ELSEWHERE)).ok(*command.split())

    assert recorder.silent


NOT_ALLOWED = {
    "another host": "https://gateway.acme.example.evil.example/v1",
    "a host above": "https://acme.example/v1",
    "a host below": "https://a.gateway.acme.example/v1",
    "another port": "https://gateway.acme.example:8443/v1",
    "another path": "https://gateway.acme.example/v2",
    "a path that begins alike": "https://gateway.acme.example/v",
    "a path below": "https://gateway.acme.example/v1/tenant",
    "this machine": "http://127.0.0.1/v1",
}


@pytest.mark.parametrize("what", NOT_ALLOWED)
def test_allowing_another_address_allows_no_more_than_that(
    project: Callable[..., Shell], recorder: Recorder, what: str
) -> None:
    shell = project(provider(type="compatible", base_url=ELSEWHERE))

    result = shell("plan", "--allow-address", NOT_ALLOWED[what])

    heard_nothing(result, recorder)
    assert "error[new-address]" in result.err


@pytest.mark.parametrize(
    "url", ["", "gateway", "https://me@host", "https://h/../x", "*", "https://*"]
)
def test_what_is_no_address_cannot_be_allowed(
    project: Callable[..., Shell], recorder: Recorder, url: str
) -> None:
    shell = project(provider(type="compatible", base_url=ELSEWHERE))

    result = shell("plan", "--allow-address", url)

    assert (result.status, recorder.silent) == (64, True)
    assert "an address that keys may go to " in result.err


@pytest.mark.parametrize(
    "words",
    [
        f"plan --allow-address {ELSEWHERE}",
        f"plan --allow-address {ELSEWHERE}/",
        f"--allow-address {ELSEWHERE} plan",
        "plan --allow-address https://gateway.acme.example",
        "plan --allow-address https://GATEWAY.acme.example:443/v1",
        f"plan --allow-address https://other.example/v1 --allow-address {ELSEWHERE}",
        f"apply --auto-approve --allow-address {ELSEWHERE}",
        f"status --allow-address {ELSEWHERE}",
        f"doctor --allow-address {ELSEWHERE}",
    ],
)
def test_an_address_on_the_command_line_is_asked(
    project: Callable[..., Shell], recorder: Recorder, words: str
) -> None:
    shell = project(provider(type="compatible", base_url=ELSEWHERE), CI="true")

    result = shell(*words.split())

    assert "new-address" not in result.err + result.out
    assert {*recorder.names} == {"gateway.acme.example"}
    assert KEY.encode() not in recorder.data  # it goes over a safe line


PRINTS_A_KEY = [sys.executable, "-c", "print('k' * 30)"]
FREE = {
    "OpenAI with its key": (provider(type="openai"), "api.openai.com"),
    "OpenAI's address written out": (
        provider(type="openai", base_url="https://api.openai.com/v1/"), "api.openai.com"),
    "OpenAI in another region": (
        provider(type="openai", base_url="https://eu.api.openai.com/v1"), "eu.api.openai.com"),
    "OpenAI with its key written out": (
        provider(type="openai", api_key_env="OPENAI_API_KEY"), "api.openai.com"),
    "OpenAI with text in a header": (
        provider(type="openai", headers="{x-team: blue}"), "api.openai.com"),
    "Nebius with its key": (provider(type="nebius"), "api.tokenfactory.nebius.com"),
    "a gateway of the environment": (provider(type="compatible"), "env.acme.example"),
    "a gateway of the environment, written out": (
        provider(type="compatible", base_url="https://env.acme.example/v1"), "env.acme.example"),
    "Azure's endpoint of the environment": (provider(type="azure"), "res.openai.azure.com"),
    "Azure's endpoint with a program": (
        provider(type="azure", api_key_command=json.dumps(PRINTS_A_KEY)),
        "res.openai.azure.com"),
}  # fmt: skip


@pytest.mark.parametrize("what", FREE)
def test_what_is_known_to_belong_together_is_asked_at_once(
    project: Callable[..., Shell], recorder: Recorder, what: str
) -> None:
    settings, host = FREE[what]
    environ = {"AZURE_OPENAI_ENDPOINT": "https://res.openai.azure.com/", "CI": "true"}
    environ |= dict.fromkeys(("AZURE_OPENAI_API_KEY", "NEBIUS_API_KEY"), OTHER_KEY)
    if "gateway of" in what:
        environ["OPENAI_BASE_URL"] = "https://env.acme.example/v1"
    shell = project(settings, **environ)
    let_run(shell.folder, PRINTS_A_KEY)

    result = shell("plan")

    assert "error[" not in result.err
    assert {*recorder.names} == {host}


@pytest.mark.parametrize(
    "more",
    [
        {"headers": "{x-portkey-custom-host: 'https://evil.example/v1'}"},
        {"query": "{target: evil.example}"},
        {"headers": "{x-portkey-custom-host: 'https://evil.example/v1'}", "type": "compatible"},
    ],
    ids=["a header", "a parameter", "a header, compatible"],
)
def test_text_that_could_tell_a_gateway_of_the_environment_where_to_send_on_is_asked_about(
    project: Callable[..., Shell], recorder: Recorder, more: dict[str, str]
) -> None:
    gateway = "https://env.acme.example/v1"
    shell = project(provider(**({"type": "openai"} | more)), OPENAI_BASE_URL=gateway, CI="true")

    heard_nothing(shell("plan"), recorder)
    assert "error[new-address]" in shell("plan").err
    assert "error[" not in shell("plan", "--allow-address", gateway).err
    assert {*recorder.names} == {"env.acme.example"}


def test_what_was_allowed_is_kept_where_a_home_is_a_repository(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home, project = tmp_path / "home", tmp_path / "home" / "code" / "support"
    project.mkdir(parents=True)
    git(home, "init", "--quiet")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("FTCTL_STATE_DIR", str(home / ".local" / "state" / "ftctl"))
    use = AddressUse(read_service_address(ELSEWHERE), ("GW_KEY",))

    before = remembered(use, project)
    place = remember(use, project, "2026-11-30")

    assert (before, place is not None, remembered(use, project)) == (False, True, True)


# A person at a terminal.


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let a person at a terminal type this."""

    def type_(text: str) -> None:
        keyboard = io.StringIO(text)
        monkeypatch.setattr(keyboard, "isatty", lambda: True)
        monkeypatch.setattr(sys, "stdin", keyboard)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    return type_


def allowed_files() -> list[Path]:
    state = state_folder()
    assert state is not None
    return sorted((state / "addresses").glob("*")) if state.is_dir() else []


@pytest.mark.parametrize(
    "answer", ["no\n", "\n", "y\n", "Yes\n", "YES\n", "yes please\n", "ja\n", ""]
)
def test_any_other_answer_than_yes_sends_nothing_and_is_not_kept(
    project: Callable[..., Shell], recorder: Recorder, typed: Callable[[str], None], answer: str
) -> None:
    shell = project(provider(type="compatible", base_url=ELSEWHERE, headers="{x-team: blue}"))
    typed(answer)

    result = shell("plan")

    assert result.status in (1, 130)
    assert recorder.silent
    assert allowed_files() == []
    for shown in (ELSEWHERE, "OPENAI_API_KEY", "x-team: blue"):
        assert shown in result.err
    assert KEY not in result.err


def test_yes_lets_it_go_there_and_is_asked_once(
    project: Callable[..., Shell], recorder: Recorder, typed: Callable[[str], None]
) -> None:
    shell = project(provider(type="compatible", base_url=ELSEWHERE))
    typed("yes\n")
    first = shell("plan")
    typed("")

    again = [shell("plan"), shell("status"), shell("plan", "--allow-address", ELSEWHERE)]

    assert first.err.count("you have not sent it before") == 1
    assert {*recorder.names} == {"gateway.acme.example"}
    assert not [one for one in again if "you have not sent" in one.err]
    (kept,) = allowed_files()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert json.loads(kept.read_text("utf-8")) == {
        "address": ELSEWHERE, "along": [], "allowed_on": "2026-09-21", "variable": "OPENAI_API_KEY",
    }  # fmt: skip


@pytest.mark.parametrize(
    "changed",
    [
        {"base_url": "https://gateway.acme.example/v2"},
        {"base_url": "https://gateway.acme.example/v1/evil"},
        {"base_url": "https://gateway.acme.example:444/v1"},
        {"api_key_env": "PARTNER_KEY"},
        {"headers": "{x-portkey-custom-host: 'https://evil.example'}"},
        {"query": "{target: evil.example}"},
        {"base_url": f"{ELSEWHERE}?target=evil.example"},
        {"headers": "{x-a: {env: PARTNER_KEY}}"},
        {"api_key_command": "[touch, ran]"},
    ],
    ids=str,
)
def test_a_yes_is_for_what_was_shown_and_for_nothing_else(
    project: Callable[..., Shell],
    recorder: Recorder,
    typed: Callable[[str], None],
    changed: dict[str, str],
) -> None:
    lines = {"type": "compatible", "base_url": ELSEWHERE}
    typed("yes\n")
    project(provider(**lines), PARTNER_KEY=OTHER_KEY)("plan")
    recorder.names.clear()
    recorder.connections = 0
    shell = project(provider(**{**lines, **changed}), PARTNER_KEY=OTHER_KEY)
    typed("no\n")

    result = shell("plan")

    program = "api_key_command" in changed
    assert ("have not let run here" if program else "have not sent it before") in result.err
    heard_nothing(result, recorder, OTHER_KEY)
    assert not (shell.folder / "ran").exists()


@pytest.mark.parametrize("hidden", ["CI", "stdin", "stderr"])
def test_a_pipeline_is_not_asked_even_with_a_terminal(
    project: Callable[..., Shell],
    recorder: Recorder,
    typed: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    hidden: str,
) -> None:
    environ = {"CI": "true"} if hidden == "CI" else {}
    shell = project(provider(type="compatible", base_url=ELSEWHERE), **environ)
    typed("yes\n")
    if hidden != "CI":
        monkeypatch.setattr(getattr(sys, hidden), "isatty", lambda: False)

    result = shell("plan")

    heard_nothing(result, recorder)
    assert "error[new-address]" in result.err


def test_terminal_commands_in_an_address_are_not_carried_out(
    project: Callable[..., Shell], recorder: Recorder, typed: Callable[[str], None]
) -> None:
    headers = '{x-a: "::add-mask::x"}'
    shell = project(provider(type="compatible", base_url=ELSEWHERE + "/$(id)", headers=headers))

    result = shell("plan")

    assert f"--allow-address '{ELSEWHERE}/$(id)'" in result.err
    heard_nothing(result, recorder)


# What is remembered is the user's own.

USE = AddressUse(read_service_address(ELSEWHERE), ("OPENAI_API_KEY",))


def _kept(project: Path) -> Path:
    assert remember(USE, project, "2026-11-30") is not None
    (path,) = allowed_files()
    return path


def _linked(path: Path) -> None:
    real = path.with_name("real")
    path.rename(real)
    path.symlink_to(real)


def _folder_linked(path: Path) -> None:
    real = path.parent.with_name("real")
    path.parent.rename(real)
    path.parent.symlink_to(real)


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


FORGED: Mapping[str, Callable[[Path], object]] = {
    "others may write to it": lambda path: path.chmod(0o622),
    "others may write to its folder": lambda path: path.parent.chmod(0o777),
    "it is somebody else's": lambda path: os.chown(path, 12345, -1),
    "it is a link": _linked,
    "its folder is a link": _folder_linked,
    "it is a pipe": _fifo,
    "it is empty": lambda path: path.write_text(""),
    "it is cut off": lambda path: path.write_text(path.read_text()[:-20]),
    "it is a list": lambda path: path.write_text("[]"),
    "it is deep": lambda path: path.write_text("[" * 100_000),
    "it is of another address": lambda path: path.write_text(
        path.read_text().replace("gateway.acme", "other.acme")
    ),
    "it is of another variable": lambda path: path.write_text(
        path.read_text().replace("OPENAI_API_KEY", "PARTNER_KEY")
    ),
    "it says more than was allowed": lambda path: path.write_text(
        path.read_text().replace('"along": []', '"along": ["x-a: b"]')
    ),
    "it has another name": lambda path: path.rename(path.with_name("gateway.acme.example.json")),
}


@pytest.mark.parametrize("what", FORGED)
def test_what_the_user_did_not_keep_is_not_remembered(
    project: Callable[..., Shell], recorder: Recorder, what: str
) -> None:
    shell = project(provider(type="compatible", base_url=ELSEWHERE))
    if what == "it is somebody else's" and os.geteuid() != 0:
        pytest.skip("only root gives files away")
    FORGED[what](_kept(shell.folder))

    heard_nothing(shell("plan"), recorder)


def test_what_was_kept_is_remembered(project: Callable[..., Shell], recorder: Recorder) -> None:
    shell = project(provider(type="compatible", base_url=ELSEWHERE))
    _kept(shell.folder)

    assert "new-address" not in shell("plan").err
    assert recorder.names


@pytest.mark.parametrize("place", [".", ".ftctl", "state", "..", "link"])
def test_a_checkout_brings_no_memory_along(
    project: Callable[..., Shell],
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    place: str,
) -> None:
    shell = project(provider(type="compatible", base_url=ELSEWHERE))
    (shell.folder / ".git").mkdir()
    inner = shell.folder / "inner"
    shell.folder.joinpath("state").mkdir()
    inner.mkdir()
    _kept(tmp_path_factory.mktemp("another"))
    state = state_folder()
    assert state is not None
    target = inner.parent if place == ".." else shell.folder / place
    if place == "link":
        target = tmp_path_factory.mktemp("outside") / "link"
        target.symlink_to(shell.folder / "state")
        there = shell.folder / "state" / "addresses"
    else:
        there = target / "addresses"
    there.parent.mkdir(exist_ok=True)
    (state / "addresses").rename(there)
    monkeypatch.setenv("FTCTL_STATE_DIR", str(target))

    heard_nothing(shell("plan"), recorder)


def test_a_memory_that_cannot_be_kept_stops_nothing_and_asks_again(
    project: Callable[..., Shell],
    recorder: Recorder,
    typed: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shell = project(provider(type="compatible", base_url=ELSEWHERE))
    monkeypatch.setenv("FTCTL_STATE_DIR", str(shell.folder))
    typed("yes\n")
    first = shell("plan")
    typed("yes\n")

    again = shell("plan")

    assert "you have not sent it before" in first.err
    assert "you have not sent it before" in again.err
    assert recorder.names
    assert not (shell.folder / "addresses").exists()


def test_many_who_remember_at_once_lose_nothing(tmp_path: Path) -> None:
    uses = [AddressUse(USE.address, (f"KEY_{number}",)) for number in range(24)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda use: remember(use, tmp_path, "2026-11-30"), uses * 4))

    assert all(remembered(use, tmp_path) for use in uses)
    assert len(allowed_files()) == len(uses)


def test_two_processes_remember_side_by_side(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from ftctl.engine.consents import *\n"
        "from ftctl.domain.service_address import read_service_address\n"
        "for number in range(20):\n"
        f"    use = AddressUse(read_service_address('{ELSEWHERE}'), (f'KEY_{{number}}',))\n"
        "    assert remember(use, Path(sys.argv[1]), '2026-11-30')\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) for _ in range(2)]
    assert [one.wait(60) for one in running] == [0, 0]

    uses = [AddressUse(USE.address, (f"KEY_{number}",)) for number in range(20)]
    assert all(remembered(use, tmp_path) for use in uses)


# Variables of others.

OTHERS = [
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK", "GITHUB_TOKEN",
    "GH_TOKEN", "GITHUB_ENV", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_RUNTIME_TOKEN",
    "CI_JOB_TOKEN", "CI_JOB_JWT_V2", "CI_REPOSITORY_URL", "CI_REGISTRY_PASSWORD",
    "GITLAB_TOKEN", "BITBUCKET_STEP_OIDC_TOKEN", "CIRCLE_OIDC_TOKEN_V2", "SYSTEM_ACCESSTOKEN",
    "HF_TOKEN", "WANDB_API_KEY", "NPM_TOKEN", "NODE_AUTH_TOKEN", "TWINE_PASSWORD",
    "UV_PUBLISH_TOKEN", "CARGO_REGISTRY_TOKEN", "SSH_AUTH_SOCK", "SSH_PRIVATE_KEY", "GPG_KEY",
    "HOME", "PATH", "NETRC", "HTTPS_PROXY", "DATABASE_URL", "PGPASSWORD", "VAULT_TOKEN",
    "KUBECONFIG", "TF_TOKEN_APP_TERRAFORM_IO", "AZURE_CLIENT_SECRET", "ARM_CLIENT_SECRET",
    "GOOGLE_APPLICATION_CREDENTIALS", "SLACK_BOT_TOKEN", "DOCKER_AUTH_CONFIG", "FTCTL_STATE_DIR",
]  # fmt: skip
PLACES = {
    "a key": "api_key_env: NAME",
    "a header": "headers: {x-a: {env: NAME}}",
    "a parameter": "query: {a: {env: NAME}}",
}


@pytest.mark.parametrize(
    ("variable", "place"),
    [(name, place) for name in OTHERS for place in (PLACES if name in OTHERS[:4] else ["a key"])],
)
def test_a_variable_of_others_is_not_sent(
    project: Callable[..., Shell], recorder: Recorder, variable: str, place: str
) -> None:
    name, _, value = PLACES[place].replace("NAME", variable).partition(": ")
    shell = project(provider(type="openai", **{name: value}), **{variable: OTHER_KEY})

    result = shell("plan", "--allow-address", "https://api.openai.com")

    heard_nothing(result, recorder, OTHER_KEY)
    assert f"error[others-variable]: the variable {variable} belongs to " in result.err


@pytest.mark.parametrize(
    "variable", [name for name in OTHERS if name not in ("HF_TOKEN", "WANDB_API_KEY")]
)
def test_a_manifest_has_no_variable_of_others_sent(
    project: Callable[..., Shell], recorder: Recorder, variable: str
) -> None:
    finetune = f"{FINETUNE}extra: {{hub: {{note: {{env: {variable}}}}}}}\n"
    shell = project(provider(type="openai"), finetune, **{variable: OTHER_KEY})

    result = shell("apply", "--auto-approve", "--allow-address", "https://api.openai.com")

    heard_nothing(result, recorder, OTHER_KEY)
    assert (
        f"finetunes/tone.yaml:6:21: error[others-variable]: the variable {variable}" in result.err
    )


@pytest.mark.parametrize(
    "variable",
    ["PARTNER_KEY", "OPENAI_KEY_TEAM_A", "AZURE_OPENAI_API_KEY", "NEBIUS_API_KEY", "CI_GATEWAY_KEY",
     "ANTHROPIC_API_KEY", "MISTRAL_API_KEY", "LITELLM_MASTER_KEY", "PORTKEY_API_KEY", "GATEWAY",
     "TOGETHER_API_KEY", "PATHWAY_KEY", "HOMER_KEY", "GHOST_KEY", "DATABRICKS_TOKEN", "SSHOP_KEY",
     "USER", "HOSTNAME"],
)  # fmt: skip
def test_a_variable_that_is_nobodys_may_be_sent(
    project: Callable[..., Shell], world: World, variable: str
) -> None:
    with PlainServer(world) as server:
        lines = {"base_url": server.url, "api_key_env": variable}
        project(provider(type="compatible", **lines), **{variable: OTHER_KEY}).ok("plan")

    assert {one["authorization"] for one in world.headers} == {f"Bearer {OTHER_KEY}"}


@pytest.mark.parametrize("allowed", [True, False])
def test_bedrock_has_its_own_key(
    project: Callable[..., Shell], recorder: Recorder, *, allowed: bool
) -> None:
    address = "https://bedrock-mantle.us-west-2.api.aws/v1"
    finetune = FINETUNE + (
        "method: reinforcement\nvalidation: {source: ../data/train.jsonl}\n"
        "grader: {type: string_check, name: a, operation: eq, input: a, reference: b}\n"
    )
    lines = {"type": "bedrock", "base_url": address}
    shell = project(provider(**lines), finetune, AWS_BEARER_TOKEN_BEDROCK=OTHER_KEY)
    rows = ({"messages": [{"role": "user", "content": f"Question {n}?"}]} for n in range(12))
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (shell.folder / "data" / "train.jsonl").write_text(text, "utf-8")

    result = shell("plan", *(["--allow-address", address] if allowed else []))

    assert "others-variable" not in result.err
    assert ("new-address" in result.err, bool(recorder.names)) == (not allowed, allowed)


def test_a_list_of_variables_holds_none_of_others(
    project: Callable[..., Shell], recorder: Recorder
) -> None:
    shell = project(provider(type="openai", variables="[HF_TOKEN, AWS_SESSION_TOKEN, MY_TOKEN]"))

    result = shell("validate")

    assert result.out.count("error[others-variable]") == 1
    assert "AWS_SESSION_TOKEN belongs to AWS" in result.out


# A manifest's own variables.


@pytest.mark.parametrize("variable", ["MY_TOKEN", "HF_TOKEN", "WANDB_API_KEY"])
def test_a_manifests_variable_goes_where_the_environment_says(
    project: Callable[..., Shell], world: World, variable: str
) -> None:
    finetune = f"{FINETUNE}extra: {{hub: {{note: {{env: {variable}}}}}}}\n"
    with PlainServer(world) as server:
        environ = {variable: OTHER_KEY, "OPENAI_BASE_URL": server.url}
        project(provider(type="openai"), finetune, **environ).ok("apply", "--auto-approve")

    assert [body["hub"] for body in world.bodies] == [{"note": OTHER_KEY}]


@pytest.mark.parametrize("command", ["apply --auto-approve", "apply --auto-approve --wait"])
def test_a_manifests_variable_is_asked_about_before_anything_is_bought(
    project: Callable[..., Shell], world: World, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    from ftctl.domain.service_address import ServiceAddress

    finetune = f"{FINETUNE}extra: {{hub: {{note: {{env: MY_TOKEN}}}}}}\n"
    with PlainServer(world) as server:
        shell = project(
            provider(type="compatible", base_url=server.url), finetune, MY_TOKEN=OTHER_KEY
        )
        _is_elsewhere(monkeypatch, ServiceAddress)
        monkeypatch.setattr("ftctl.engine.way_in.WayIn._credentials", lambda _self: ())
        result = shell(*command.split())

    assert result.status == 1
    assert "error[new-address]: MY_TOKEN would go to" in result.err
    assert [one for one in world.requests if one.startswith("POST")] == []
    assert OTHER_KEY not in result.err


def _is_elsewhere(monkeypatch: pytest.MonkeyPatch, kind: type) -> None:
    """Let the server on this machine pass for one elsewhere."""
    from ftctl.engine.way_in import WayIn

    found = WayIn._in_doubt

    def in_doubt(self: WayIn, variables: tuple[str, ...]) -> AddressUse | None:
        monkeypatch.setattr(kind, "is_loopback", property(lambda _self: False))
        try:
            return found(self, variables)
        finally:
            monkeypatch.setattr(kind, "is_loopback", property(lambda _self: True))

    monkeypatch.setattr(WayIn, "_in_doubt", in_doubt)


# A service that sends on.

LOCATIONS = {
    "another host": "https://evil.example/v1/files",
    "another host, without a scheme": "//evil.example/v1/files",
    "another port": "http://127.0.0.1:1/v1/files",
    "the same over https": "https://127.0.0.1:PORT/v1/files",
    "another name of this machine": "http://localhost:PORT/v1/files",
    "another number of this machine": "http://127.0.0.2:PORT/v1/files",
    "this machine as one number": "http://2130706433:PORT/v1/files",
    "this machine in IPv6": "http://[::1]:PORT/v1/files",
    "this machine within IPv6": "http://[::ffff:127.0.0.1]:PORT/v1/files",
    "a dot at the end": "http://127.0.0.1.:PORT/v1/files",
    "userinfo": "http://127.0.0.1:PORT@evil.example/v1/files",
    "a backslash": "http:\\\\evil.example/v1/files",
    "two slashes and a backslash": "/\\evil.example/v1/files",
    "three slashes": "///evil.example/v1/files",
    "a cloud's own address": "http://169.254.169.254/latest/meta-data/",
    "another scheme": "ftp://127.0.0.1:PORT/v1/files",
    "a file": "file:///etc/passwd",
    "a script": "javascript:alert(1)",
    "data": "data:application/json,{}",
    "a tab in it": "http://evil.example\t/v1/files",
    "no address": "http://[",
    "a port of words": "http://127.0.0.1:evil/v1/files",
    "a look-alike": "http://127\u30020.0.1:PORT/v1/files",
    "a key in it": f"https://evil.example/v1/{KEY}?key={KEY}",
}  # fmt: skip


@pytest.mark.parametrize("what", LOCATIONS)
def test_a_service_does_not_send_a_key_on(
    project: Callable[..., Shell], recorder: Recorder, what: str
) -> None:
    heard: list[str] = []

    def service(line: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        heard.append(f"{headers['host']} {line}")
        port = headers["host"].rpartition(":")[2]
        location = LOCATIONS[what].replace("PORT", port)
        return 307, {"Location": location.encode().decode("latin-1")}, b""

    with Elsewhere(service) as here:
        lines = {"base_url": f"{here.address}/v1", "headers": "{x-a: {env: PARTNER_KEY}}"}
        lines |= {"query": "{code: {env: PARTNER_KEY}}"}
        shell = project(provider(type="compatible", **lines), PARTNER_KEY=OTHER_KEY)
        result = shell("plan", "-v")

    heard_nothing(result, recorder, OTHER_KEY)
    own = here.address.removeprefix("http://")
    assert {line.partition(" ")[0] for line in heard} == {own}
    assert "the service sends a GET on to " in result.err or "cannot be reached" in result.err


@pytest.mark.parametrize(
    "location", ["/v2/files", "files/", "?page=2", "http://OWN/v2/files", "//OWN/v2/files"]
)
def test_a_service_may_send_a_read_on_within_itself(
    project: Callable[..., Shell], recorder: Recorder, location: str
) -> None:
    heard: list[str] = []

    def service(line: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        heard.append(headers["authorization"])
        if len(heard) == 1:
            return 302, {"Location": location.replace("OWN", headers["host"])}, b""
        return 200, {}, b'{"data": []}'

    with Elsewhere(service) as here:
        project(provider(type="compatible", base_url=f"{here.address}/v1")).ok("plan")

    assert {*heard} == {f"Bearer {KEY}"}
    assert recorder.silent


# A change whose base says nothing of the project.


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def change(project: Callable[..., Shell]) -> Callable[..., Shell]:
    """A change that brings a project, which the branch 'main' does not have yet."""

    def write(settings: str, finetune: str = FINETUNE, **environ: str) -> Shell:
        shell = project(settings, finetune, **environ)
        git(shell.folder, "init", "--quiet", "-b", "main")
        git(shell.folder, "commit", "--quiet", "--allow-empty", "-m", "nothing")
        git(shell.folder, "checkout", "--quiet", "-b", "fork")
        return shell

    return write


OWN = {
    "an address": {"base_url": ELSEWHERE},
    "a variable's address": {"base_url_env": "CI_COMMIT_TITLE"},
    "OpenAI's own variable for an address": {"base_url_env": "OPENAI_BASE_URL"},
    "a key": {"api_key_env": "PARTNER_KEY"},
    "a program": {"api_key_command": "[touch, ran]"},
    "text in a header": {"headers": "{x-portkey-custom-host: 'https://evil.example'}"},
    "a header's variable": {"headers": "{x-a: {env: PARTNER_KEY}}"},
    "text in a parameter": {"query": "{target: evil.example}"},
    "a parameter's variable": {"query": "{a: {env: PARTNER_KEY}}"},
    "an organization": {"organization": "org-evil"},
    "a project": {"project": "proj_evil"},
    "whom to expect": {"expect": "{organization: org-evil}"},
    "a list of variables": {"variables": "[PARTNER_KEY]"},
}
TYPES = ["openai", "azure", "nebius", "compatible"]


@pytest.mark.parametrize("what", OWN)
@pytest.mark.parametrize("where", ["at the top", "in an environment"])
def test_a_change_says_nothing_of_the_way_in(
    change: Callable[..., Shell], recorder: Recorder, what: str, where: str
) -> None:
    text, options = provider(type="openai", **OWN[what]), ["--base", "main"]
    if where == "in an environment":
        inner = text.replace("provider:", "    provider:").replace("\n  ", "\n      ")
        text = f"environments:\n  prod:\n{inner}"
        options += ["--env", "prod"]
    environ = {"PARTNER_KEY": OTHER_KEY, "CI_COMMIT_TITLE": ELSEWHERE, "FTCTL_ENV": "prod"}
    environ["OPENAI_BASE_URL"] = "https://api.openai.com/v1" if "OpenAI's" in what else ""
    shell = change(text, **environ)

    result = shell("plan", *options)
    bought = shell("apply", "--auto-approve", *options)
    offline = shell("plan", "--offline", *options)

    heard_nothing(result, recorder, OTHER_KEY)
    heard_nothing(bought, recorder, OTHER_KEY)
    assert offline.status == 0, offline
    name = next(iter(OWN[what]))
    assert f"error[not-reviewed]: '{name}' is this change's own" in result.err
    assert not (shell.folder / "ran").exists()


@pytest.mark.parametrize("type_", ["azure", "nebius", "compatible", "bedrock"])
def test_a_change_names_no_address_for_any_service(
    change: Callable[..., Shell], recorder: Recorder, type_: str
) -> None:
    names = ("AZURE_OPENAI_API_KEY", "NEBIUS_API_KEY", "AWS_BEARER_TOKEN_BEDROCK")
    lines = {"type": type_, "base_url": ELSEWHERE}
    shell = change(provider(**lines), **dict.fromkeys(names, OTHER_KEY))

    heard_nothing(shell("plan", "--base", "main"), recorder, OTHER_KEY)


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("more", [{}, {"timeout": "30"}, {"mark": "metadata"}], ids=str)
def test_a_change_may_choose_a_known_service_with_what_is_its_own(
    change: Callable[..., Shell], recorder: Recorder, type_: str, more: dict[str, str]
) -> None:
    environ = dict.fromkeys(("AZURE_OPENAI_API_KEY", "NEBIUS_API_KEY"), OTHER_KEY)
    environ["AZURE_OPENAI_ENDPOINT"] = "https://res.openai.azure.com/"
    if type_ == "compatible":
        environ["OPENAI_BASE_URL"] = "https://env.acme.example/v1"
    shell = change(provider(type=type_, **more), CI="true", **environ)

    result = shell("plan", "--base", "main")

    hosts = ["api.openai.com", "res.openai.azure.com", "api.tokenfactory.nebius.com"]
    assert "error[" not in result.err
    assert {*recorder.names} == {[*hosts, "env.acme.example"][TYPES.index(type_)]}


@pytest.mark.parametrize(
    ("allowed", "asked"),
    [(ELSEWHERE, True), (f"{ELSEWHERE}/", True), ("https://gateway.acme.example", False),
     ("https://other.example/v1", False)],
)  # fmt: skip
def test_a_changes_address_counts_where_the_command_line_has_the_very_same(
    change: Callable[..., Shell], recorder: Recorder, allowed: str, *, asked: bool
) -> None:
    shell = change(provider(type="compatible", base_url=ELSEWHERE))

    result = shell("plan", "--base", "main", "--allow-address", allowed)

    assert ("not-reviewed" in result.err, bool(recorder.names)) == (not asked, asked)


CLOSED = {
    "an address to fetch from": ("sources: {addresses: ['https://evil.example/']}\n", "sources"),
    "a folder outside": ("sources: {outside: [..]}\n", "sources"),
    "prices": ("catalog: {openai: {gpt-4.1-mini-2025-04-14: {usd_per_million_tokens: 0}}}\n",
               "catalog"),
    "what is cleaned up": ("prune: true\n", "prune"),
}  # fmt: skip


@pytest.mark.parametrize("what", CLOSED)
def test_what_nobody_has_reviewed_opens_nothing(
    change: Callable[..., Shell], recorder: Recorder, what: str
) -> None:
    settings, key = CLOSED[what]
    source = {"an address to fetch from": "https://evil.example/rows.jsonl",
              "a folder outside": "../../rows.jsonl"}.get(what)  # fmt: skip
    finetune = FINETUNE.replace("../data/train.jsonl", source) if source else FINETUNE
    shell = change(settings, finetune)

    result = shell("plan", "--base", "main", "--offline")

    assert f"counts, but for {key}: reviewed first" in result.err
    assert recorder.silent
    assert (result.status == 1) == bool(source)
    told = {"an address to fetch from": "error[address-not-listed]",
            "a folder outside": "error[source-outside]"}  # fmt: skip
    assert told.get(what, "") in result.err


def test_a_policy_that_nobody_has_reviewed_is_no_looser_than_none() -> None:
    from ftctl.domain.config import PolicySettings

    loose = PolicySettings.from_config({
        "max_share_deleted": 1, "max_share_bought_again": 1, "warn_days_to_shutdown": 0,
        "min_days_to_shutdown": 0, "max_jobs_created": 3,
    })  # fmt: skip
    strict = PolicySettings.from_config({
        "max_share_deleted": 0.1, "max_share_bought_again": 0, "warn_days_to_shutdown": 180,
        "min_days_to_shutdown": 30,
    })  # fmt: skip

    assert loose.no_looser() == PolicySettings(max_jobs_created=3)
    assert strict.no_looser() == strict


@pytest.mark.parametrize("kind", ["tag", "branch"])
def test_a_base_whose_name_has_two_meanings_is_none(
    change: Callable[..., Shell], recorder: Recorder, kind: str
) -> None:
    shell = change(provider(type="compatible", base_url=ELSEWHERE))
    git(shell.folder, "update-ref", "refs/remotes/origin/main", "main")
    git(shell.folder, "add", "-A")
    git(shell.folder, "commit", "--quiet", "-m", "theirs")
    git(shell.folder, *(["tag", "-am", "theirs"] if kind == "tag" else ["branch"]), "origin/main")

    result = shell("plan", "--base", "origin/main")
    whole = shell("plan", "--base", "refs/remotes/origin/main")

    heard_nothing(result, recorder)
    assert "'origin/main' stands for several commits here: refs/" in result.err
    assert "error[not-reviewed]" in whole.err


@pytest.mark.parametrize("name", ["v1", "HEAD", "main", "origin/main", "origin", "fork~0"])
def test_a_base_whose_names_agree_is_one(
    change: Callable[..., Shell], recorder: Recorder, name: str
) -> None:
    shell = change(provider(type="compatible", base_url=ELSEWHERE))
    git(shell.folder, "add", "-A")
    git(shell.folder, "commit", "--quiet", "-m", "reviewed")
    git(shell.folder, "branch", "--force", "main")
    git(shell.folder, "tag", "-am", "one", "v1")
    git(shell.folder, "tag", "origin/main")
    git(shell.folder, "update-ref", "refs/remotes/origin/main", "main")
    git(shell.folder, "update-ref", "refs/remotes/origin/HEAD", "main")

    result = shell("plan", "--base", name)

    assert "error[" not in result.err
    assert {*recorder.names} == {"gateway.acme.example"}  # what was reviewed is asked


def test_a_submodule_has_no_base(
    change: Callable[..., Shell], recorder: Recorder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    theirs = change(provider(type="compatible", base_url=ELSEWHERE))
    git(theirs.folder, "add", "-A")
    git(theirs.folder, "commit", "--quiet", "-m", "theirs")
    around = tmp_path_factory.mktemp("around")
    git(around, "init", "--quiet", "-b", "main")
    git(around, "-c", "protocol.file.allow=always", "submodule", "add", str(theirs.folder), "sub")
    shell = Shell(around / "sub", theirs.clock, theirs.environ, theirs.capsys)

    result = shell("plan", "--base", "HEAD")

    heard_nothing(result, recorder)
    assert f"is a submodule of {around}" in result.err


# Keys that are written down.

RANDOM = "Q7vN2xLr9TbK4mWd8ZsY1cHf6GpJ3eRu5AoX"
OPENAI = f"sk-proj-{RANDOM}"
FORMS = {
    "an OpenAI key": OPENAI,
    "an Anthropic key": f"sk-ant-api03-{RANDOM}",
    "an AWS access key": "AKIAQ7VN2XLR5TBK4MWD",
    "a GitHub token": f"ghp_{RANDOM}",
    "a GitHub token, fine-grained": f"github_pat_{RANDOM[:22]}_{RANDOM}{RANDOM[:23]}",
    "a GitLab token": f"glpat-{RANDOM[:20]}",
    "a Hugging Face token": "hf_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGh",
    "an npm token": f"npm_{RANDOM}",
    "a Slack token": f"xoxb-{RANDOM}",
    "a signed token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJlLW9mLTE",
    "a password in an address": f"https://me:{RANDOM}@host.example/x",
    "base64": base64.b64encode(OPENAI.encode()).decode(),
    "base64 for addresses": base64.urlsafe_b64encode(f"?>?>:{OPENAI}".encode()).decode(),
    "base64 of a header": base64.b64encode(f"me:{OPENAI}".encode()).decode(),
    "percent": "".join(f"%{ord(sign):02x}" for sign in OPENAI),
    "percent in part": OPENAI.replace("-", "%2D"),
    "hexadecimal": OPENAI.encode().hex(),
    "HTML": "".join(f"&#{ord(sign)};" for sign in OPENAI),
    "JSON": "".join(f"\\u{ord(sign):04x}" for sign in OPENAI),
}
FIELDS = {
    "extra": "extra: {{hub: {{token: '{0}'}}}}",
    "extra, in a list": "extra: {{list: [1, {{a: '{0}'}}]}}",
    "extra, in a longer text": "extra: {{command: 'curl -H {0} https://host.example'}}",
    "metadata": "metadata: {{note: '{0}'}}",
    "a key of metadata": "metadata: {{'{0}': note}}",
    "a key of extra": "extra: {{hub: {{'{0}': note}}}}",
    "the suffix": "suffix: '{0}'",
    "the description": "description: 'trained with {0} of the team'",
    "the base model": "base_model: '{0}'",
    "the name": "name: '{0}'",
    "W&B's project": "integrations: {{wandb: {{project: '{0}'}}}}",
    "W&B's tags": "integrations: {{wandb: {{project: p, tags: [a, '{0}']}}}}",
    "a key that is none of ours": "'{0}': 3",
    "a comment": "seed: 1  # {0}",
    "a line of comment": "# use {0} for this",
    "a comment with a hash": "# a # b: {0}",
    "an anchor": "metadata: &{0} {{note: x}}",
    "a tag": "metadata: !{0} {{note: x}}",
    "a value over lines": "description: >\n  trained with\n  {0}\n  of the team",
    "a value as it is": "description: |\n  {0}\n  of the team",
}  # fmt: skip


def _hidden(form: str, text: str) -> list[str]:
    """What of a key must not be said."""
    parts = {text, OPENAI, RANDOM[:12], text[8:24]}
    return sorted(parts) if form != "a password in an address" else [RANDOM]


def _is_told(result: Result, place: str, form: str, text: str) -> None:
    assert result.status == 1, result
    assert f"{place}" in result.out
    assert "error[written-key]" in result.out
    said = result.out + result.err
    assert not [part for part in _hidden(form, text) if part in said]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("field", ["extra", "metadata", "the description", "a comment"])
def test_a_key_in_a_manifest_is_found(
    shell: Shell, write_project: Write, form: str, field: str
) -> None:
    line = FIELDS[field].format(FORMS[form].replace("'", "''"))
    write_project(small_project(f"{FINETUNE}{line}\n"))

    _is_told(shell("validate"), "finetunes/tone.yaml:6", form, FORMS[form])


@pytest.mark.parametrize("field", FIELDS)
def test_a_key_is_found_wherever_it_stands(shell: Shell, write_project: Write, field: str) -> None:
    finetune = FINETUNE
    line = FIELDS[field].format(OPENAI)
    if field in ("the base model", "the name"):
        key = line.partition(":")[0]
        finetune = "".join(
            row for row in FINETUNE.splitlines(keepends=True) if not row.startswith(f"{key}:")
        )
    write_project(small_project(f"{finetune}{line}\n"))

    _is_told(shell("validate"), "finetunes/tone.yaml:", field, OPENAI)


SETTINGS = {
    "a header": "provider: {{type: openai, headers: {{x-note: '{0}'}}}}",
    "a header's name": "provider: {{type: openai, headers: {{'{0}': x}}}}",
    "a parameter": "provider: {{type: openai, query: {{note: '{0}'}}}}",
    "an organization": "provider: {{type: openai, organization: '{0}'}}",
    "a program": "provider: {{type: openai, api_key_command: [echo, '{0}']}}",
    "a program of the policy": "policy: {{commands: [[check, --key, '{0}']]}}",
    "a variable's name": "provider: {{type: openai, api_key_env: '{0}'}}",
    "an address": "provider: {{type: compatible, base_url: 'https://host.example/{0}/v1'}}",
    "an address's parameter": "provider: {{type: compatible, base_url: 'https://h.example/v1?a={0}'}}",
    "an environment that is not chosen": (
        "environments: {{prod: {{provider: {{type: openai, organization: '{0}'}}}}}}"
    ),
    "an environment's name": "environments: {{'{0}': {{}}}}",
    "defaults": "defaults: {{metadata: {{note: '{0}'}}}}",
    "an address to fetch from": "sources: {{addresses: ['https://host.example/{0}/']}}",
    "a comment": "# {0}",
    "a comment beside": "prune: false # {0}",
    "a key that is none of ours": "'{0}': 1",
}  # fmt: skip


@pytest.mark.parametrize("where", SETTINGS)
def test_a_key_in_ftctl_yaml_is_found(shell: Shell, write_project: Write, where: str) -> None:
    text = f"project: demo\n{SETTINGS[where].format(OPENAI)}\n"
    write_project(small_project(**{"ftctl.yaml": text}))

    result = shell("validate")

    assert result.status == 1, result
    assert "ftctl.yaml:2" in result.out
    assert not [part for part in _hidden("", OPENAI) if part in result.out + result.err]


@pytest.mark.parametrize("kind", ["json", "dataset", "second document"])
def test_a_key_is_found_in_every_kind_of_manifest(
    shell: Shell, write_project: Write, kind: str
) -> None:
    document = {
        "apiVersion": "ftctl/v1", "kind": "FineTune", "name": "more", "description": OPENAI,
        "base_model": "gpt-4.1-mini-2025-04-14", "training": {"source": "../data/train.jsonl"},
    }  # fmt: skip
    rows = {"apiVersion": "ftctl/v1", "kind": "Dataset", "name": "rows", "description": OPENAI}
    second = f"{FINETUNE}---\n{FINETUNE.replace('tone', 'more')}suffix: {OPENAI}\n"
    more = {
        "json": ("finetunes/more.json", json.dumps(document)),
        "dataset": (
            "finetunes/more.yaml", json.dumps({**rows, "source": "../data/train.jsonl"}),
        ),
        "second document": ("finetunes/tone.yaml", second),
    }  # fmt: skip
    name, text = more[kind]
    write_project(small_project(**{name: text}))

    _is_told(shell("validate"), name, kind, OPENAI)


@pytest.mark.parametrize("form", ["as it is", "base64", "percent", "hexadecimal"])
@pytest.mark.parametrize("place", ["the description", "metadata", "extra", "ftctl.yaml"])
def test_the_environments_own_key_is_found_whatever_it_looks_like(
    shell: Shell, write_project: Write, form: str, place: str
) -> None:
    key = "plain/words that let in 0f9e8d7c"
    forms = {
        "as it is": key,
        "base64": base64.b64encode(key.encode()).decode(),
        "percent": quote(key, ""),
        "hexadecimal": key.encode().hex(),
    }
    settings = provider(type="openai", api_key_env="PARTNER_KEY")
    line = "" if place == "ftctl.yaml" else FIELDS[place].format(forms[form])
    settings += (
        f"defaults: {{metadata: {{note: '{forms[form]}'}}}}\n" if place == "ftctl.yaml" else ""
    )
    write_project(
        small_project(f"{FINETUNE}{line}\n", **{"ftctl.yaml": f"project: demo\n{settings}"})
    )
    shell.environ["PARTNER_KEY"] = key

    result = shell("validate")

    assert result.status == 1, result
    told = "holds a key of this machine's environment, in a file that git keeps"
    assert result.out.count(told) == 1
    assert not [text for text in forms.values() if text in result.out + result.err]


def test_no_value_of_a_diagnostic_has_the_key(write_project: Write) -> None:
    import ftctl

    lines = [FIELDS[name].format(OPENAI) for name in ("a key that is none of ours", "W&B's tags")]
    text = "\n".join(
        [FINETUNE.replace("tone", OPENAI), *lines, f"suffix: '{FORMS['a GitHub token']}'"]
    )
    root = write_project(small_project(f"{text}\n"))

    validation = ftctl.Workspace.open(root, environ={}).validate()

    assert len([one for one in validation.problems if one.code == "written-key"]) == 4
    assert not [one for one in validation.problems if RANDOM[:12] in repr(one)]


def test_a_key_is_found_again_in_the_next_run(shell: Shell, write_project: Write) -> None:
    line = FIELDS["a comment"].format(OPENAI)
    write_project(small_project(f"{FINETUNE}{line}\n"))

    first, again = shell("validate"), shell("validate")
    write_project({"finetunes/tone.yaml": FINETUNE})

    assert first.out == again.out
    assert "error[written-key]: a comment holds what looks like an OpenAI key" in again.out
    shell.ok("validate")


HONEST = [
    "description: 'keys stand in the vault as sk-… and are never written here'",
    "description: 'see https://host.example/a:b/c?token=yes and me@host.example'",
    "description: 'sk-learn-models-for-text, hf_datasets, ghp_ and AKIA as words'",
    "description: 'bearer of good news, basic training, password: none'",
    "metadata: {commit: 0f9e8d7c6b5a49382716abcdef0f9e8d7c6b5a49, env: prod}",
    "metadata: {digest: 'sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'}",
    "metadata: {id: 550e8400-e29b-41d4-a716-446655440000}",
    "metadata: {id: 01J9Z3NDEKTSV4RRFFQ69G5FAV, ticket: ACME-12345}",
    "metadata: {note: 'the key is in OPENAI_API_KEY'}",
    "extra: {hub: {token: {env: MY_HUB_TOKEN}}}",
    "extra: {image: 'registry.example.com/a/b@sha256:0123456789abcdef0123456789abcdef'}",
    "extra: {note: aGVsbG8gd29ybGQsIHRoaXMgaXMgbm8ga2V5IGF0IGFsbA==}",
    "extra: {query: 'a%20b%2Fc%3Fd', html: '&lt;b&gt;', escaped: 'a\\\\u0041'}",
    "integrations: {wandb: {project: tone, entity: acme, tags: [a, b-c]}}",
    "# a comment about sk-… keys, ghp_ tokens and {env: NAME}",
    "seed: 1  # of https://host.example/issues/12#note-3",
    "suffix: acme-tone-2026-11",
]  # fmt: skip


@pytest.mark.parametrize("line", HONEST)
def test_what_is_no_key_is_let_by(shell: Shell, write_project: Write, line: str) -> None:
    write_project(small_project(f"{FINETUNE}{line}\n"))
    shell.environ |= {"OPENAI_API_KEY": KEY, "MY_HUB_TOKEN": OTHER_KEY}

    shell.ok("validate")


# Programs of a checkout.

RUNS = {
    "policy.commands": "policy: {commands: [[touch, ran]]}\n",
    "policy.commands, a second": (
        f"policy: {{commands: [{json.dumps(PRINTS_A_KEY)}, [touch, ran]]}}\n"
    ),
    "policy.commands of an environment": (
        "environments: {prod: {policy: {commands: [[touch, ran]]}}}\n"
    ),
    "api_key_command": provider(type="openai", api_key_command="[touch, ran]"),
    "api_key_command at this machine": provider(
        type="compatible", base_url="http://127.0.0.1:9/v1", api_key_command="[touch, ran]"
    ),
    "api_key_command at the environment's address": provider(
        type="compatible", api_key_command="[touch, ran]"
    ),
}  # fmt: skip
PLANNING = ["plan", "plan --offline", "apply --auto-approve", "plan --allow commands", "destroy"]


@pytest.mark.parametrize("what", RUNS)
@pytest.mark.parametrize("command", PLANNING)
def test_no_program_of_a_checkout_runs_unasked(
    project: Callable[..., Shell], recorder: Recorder, what: str, command: str
) -> None:
    shell = project(RUNS[what], PATH=os.environ["PATH"], OPENAI_BASE_URL=ELSEWHERE)
    let_run(shell.folder, PRINTS_A_KEY)
    options = ["--env", "prod"] if "environment" in RUNS[what] else []
    options += ["--allow-address", "https://api.openai.com"]

    result = shell(*command.split(), *options)

    asks_nobody = command == "plan --offline" and "api_key" in what
    assert not (shell.folder / "ran").exists()
    assert recorder.silent
    if asks_nobody:
        assert result.status == 0, result
        return
    assert result.status == 1, result
    assert "error[new-command]" in result.err
    assert "add --allow-command 'touch ran', or" in result.err


@pytest.mark.parametrize(
    "words",
    ["touch", "touch ran now", "touch 'ran '", "TOUCH ran", "sh -c 'touch ran'", "touch ran; true",
     "/usr/bin/touch ran", "*", "'touch ran'"],
)  # fmt: skip
def test_allowing_another_program_allows_no_other(
    project: Callable[..., Shell], words: str
) -> None:
    shell = project("policy: {commands: [[touch, ran]]}\n", PATH=os.environ["PATH"])

    result = shell("plan", "--allow-command", words)

    assert "error[new-command]" in result.err
    assert not (shell.folder / "ran").exists()


@pytest.mark.parametrize("words", ["", "   ", "'touch"])
def test_what_is_no_program_cannot_be_allowed(project: Callable[..., Shell], words: str) -> None:
    result = project("")("plan", "--allow-command", words)

    assert result.status == 64
    assert "a command that may be run " in result.err


@pytest.mark.parametrize(
    "options",
    [
        ["--allow-command", "touch ran"],
        ["--allow-command", "touch 'ran'"],
        ["--allow-command", "true", "--allow-command", "touch ran"],
    ],
    ids=str,
)
def test_a_program_on_the_command_line_runs(
    project: Callable[..., Shell], options: list[str]
) -> None:
    shell = project("policy: {commands: [[touch, ran]]}\n", PATH=os.environ["PATH"], CI="true")

    shell.ok("plan", *options)

    assert (shell.folder / "ran").exists()


@pytest.mark.parametrize("answer", ["no\n", "\n", "y\n", ""])
def test_a_program_that_is_not_let_run_does_not(
    project: Callable[..., Shell], typed: Callable[[str], None], answer: str
) -> None:
    shell = project("policy: {commands: [[touch, ran]]}\n", PATH=os.environ["PATH"])
    typed(answer)

    result = shell("plan")

    assert result.status in (1, 130)
    assert "    touch ran\n" in result.err
    assert not (shell.folder / "ran").exists()


def test_a_program_is_asked_about_once_in_each_project(
    project: Callable[..., Shell],
    typed: Callable[[str], None],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    settings = "policy: {commands: [[touch, ran], [touch, ran]]}\n"
    shell = project(settings, PATH=os.environ["PATH"])
    typed("yes\n")
    first = shell.ok("plan")
    typed("")
    again = shell.ok("plan")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(shell.folder, elsewhere, dirs_exist_ok=True)

    other = Shell(elsewhere, shell.clock, shell.environ, shell.capsys)("plan")

    assert first.err.count("    touch ran\n") == 1
    assert "let run" not in again.err
    assert other.status == 130  # nobody has typed anything
    state = state_folder()
    assert state is not None
    (kept,) = (state / "commands").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text("utf-8")) == {
        "allowed_on": "2026-09-21", "command": ["touch", "ran"], "project": str(shell.folder),
    }  # fmt: skip


def test_what_is_printed_of_a_program_is_one_line(
    project: Callable[..., Shell], typed: Callable[[str], None]
) -> None:
    words = json.dumps(["echo", "a\u001b[2Kb\nAnswer: yes"])
    shell = project(f"policy: {{commands: [{words}]}}\n", PATH=os.environ["PATH"])
    typed("no\n")

    result = shell("plan")

    assert "\x1b" not in result.err
    assert "\nAnswer: yes" not in result.err


def test_a_reviewed_program_runs_and_a_changes_own_does_not(
    change: Callable[..., Shell],
) -> None:
    shell = change("")
    place = shell.folder / "ran"
    place.mkdir()
    shell.environ["PATH"] = os.environ["PATH"]
    settings = "project: demo\npolicy: {{commands: [[touch, '{0}/{1}']]}}\n"
    (shell.folder / "ftctl.yaml").write_text(settings.format(place, "reviewed"), "utf-8")
    git(shell.folder, "add", "-A")
    git(shell.folder, "commit", "--quiet", "-m", "reviewed")
    git(shell.folder, "branch", "--force", "main")
    (shell.folder / "ftctl.yaml").write_text(settings.format(place, "own"), "utf-8")

    shell.ok("plan", "--base", "main")

    assert [path.name for path in place.iterdir()] == ["reviewed"]


def test_the_library_asks_whoever_it_is_given(project: Callable[..., Shell]) -> None:
    import ftctl
    from ftctl.engine.consents import CommandUse

    shell = project("policy: {commands: [[touch, ran]]}\n")
    environ = {"PATH": os.environ["PATH"]}
    asked: list[object] = []

    def says(use: object) -> bool:
        asked.append(use)
        return len(asked) > 1

    nobody = ftctl.Workspace.open(shell.folder, environ=environ)
    with pytest.raises(ftctl.FtctlError):
        nobody.plan()
    somebody = ftctl.Workspace.open(shell.folder, environ=environ, ask_command=says)
    with pytest.raises(ftctl.FtctlError, match="nothing was run"):
        somebody.plan()
    assert not (shell.folder / "ran").exists()

    somebody.plan()
    nobody.plan()  # it is remembered

    assert asked == [CommandUse((("touch", "ran"),), "to judge the plan")] * 2
    assert (shell.folder / "ran").exists()


def test_the_library_lets_keys_go_where_it_is_told(
    project: Callable[..., Shell], recorder: Recorder
) -> None:
    import ftctl

    shell = project(provider(type="compatible", base_url=ELSEWHERE))
    environ = {"OPENAI_API_KEY": KEY}

    def opened(**more: Any) -> ftctl.Workspace:
        return ftctl.Workspace.open(shell.folder, environ=environ, clock=shell.clock, **more)

    with pytest.raises(InvalidProject) as told:
        opened().plan()
    with pytest.raises(FtctlError, match="nothing was sent to https://gateway"):
        opened(ask_address=lambda _use: False).plan()
    assert [one.code for one in told.value.diagnostics] == ["new-address"]
    assert recorder.silent

    with pytest.raises(ProviderError):
        opened(allow_addresses=[ELSEWHERE]).plan()
    assert recorder.names
    assert allowed_files() == []
