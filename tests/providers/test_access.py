"""The ways in to a service: headers, parameters, addresses and keys that expire, over real HTTP."""

from __future__ import annotations

import logging
import os
import re
import stat
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from conftest import KEY, HandClock, Result, Shell, let_run, small_project
from loopback import Elsewhere, Reply
from plain_server import Answer, PlainServer, World

SECRET = "a+b/c=Zx9 q".replace(" ", "")  # is written otherwise in an address
REFUSED: Answer = (401, {"error": {"message": "the token has expired", "code": "expired"}})


@pytest.fixture
def server(world: World) -> Iterator[PlainServer]:
    with PlainServer(world) as running:
        yield running


@pytest.fixture
def gateway(
    shell: Shell, server: PlainServer, write_project: Callable[[Mapping[str, str]], Path]
) -> Callable[[str], Shell]:
    """ftctl in a small project with these lines below `provider`."""

    def write(lines: str, type_: str = "compatible") -> Shell:
        address = "" if "base_url" in lines else f"  base_url: {server.url}\n"
        text = f"project: demo\nprovider:\n  type: {type_}\n{address}{lines}"
        write_project(small_project(**{"ftctl.yaml": text}))
        shell.environ.setdefault("OPENAI_API_KEY", KEY)
        for command in re.findall(r"^  api_key_command: \[(.*)\]$", lines, re.MULTILINE):
            let_run(shell.folder, [word.strip(" '") for word in command.split(",")])
        return shell

    return write


def everything_written(folder: Path) -> str:
    """Every file below a folder, as text."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return "\n".join(path.read_bytes().decode("utf-8", "replace") for path in files)


def told(*results: Result) -> str:
    return "".join(one.out + one.err for one in results)


# Headers and parameters.

GATEWAY = """\
  headers:
    x-portkey-provider: openai
    x-portkey-api-key: {env: PORTKEY_API_KEY}
"""


def test_headers_of_settings_and_variables_go_with_every_request(
    gateway: Callable[[str], Shell], world: World
) -> None:
    shell = gateway(GATEWAY)
    shell.environ["PORTKEY_API_KEY"] = SECRET

    shell.ok("apply", "--auto-approve", "--wait")

    assert {one.get("x-portkey-provider") for one in world.headers} == {"openai"}
    assert {one.get("x-portkey-api-key") for one in world.headers} == {SECRET}
    assert {one["authorization"] for one in world.headers} == {f"Bearer {KEY}"}


def test_a_variables_value_is_in_no_output_and_no_file(
    gateway: Callable[[str], Shell], world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shell = gateway(GATEWAY + "  query: {tenant: acme, code: {env: CODE}}\n")
    shell.environ |= {"PORTKEY_API_KEY": SECRET, "CODE": "Pq/7+tail"}

    results = [
        shell.ok("plan", "-v", "--out", "plan.json"),
        shell.ok("apply", "-v", "--auto-approve", "--wait"),
        shell("doctor", "-v"),
        shell.ok("status", "--format", "json"),
    ]

    text = told(*results) + everything_written(shell.folder) + caplog.text
    assert not [word for word in (SECRET, "Pq/7+tail", "Pq%2F7", "a%2Bb%2Fc", KEY) if word in text]
    assert all("tenant=acme" in one and "code=Pq%2F7%2Btail" in one for one in world.targets)
    assert "> GET /v1/models?tenant=acme&code=[redacted]" in results[0].err


def test_a_service_that_quotes_a_header_does_not_have_it_printed(
    gateway: Callable[[str], Shell], world: World
) -> None:
    shell = gateway(GATEWAY)
    shell.environ["PORTKEY_API_KEY"] = SECRET
    world.before = lambda _method, _path: (400, {"error": {"message": f"bad key {SECRET}"}})

    result = shell("plan")

    assert (result.status, SECRET in told(result)) == (1, False)
    assert "bad key [redacted]" in result.err


@pytest.mark.parametrize("value", ["", "two\nlines", "ünïcode"])
def test_a_variable_that_cannot_be_sent_is_told_with_its_place(
    gateway: Callable[[str], Shell], world: World, value: str
) -> None:
    shell = gateway(GATEWAY)
    shell.environ["PORTKEY_API_KEY"] = value

    result = shell("plan")

    assert result.status == 1
    assert "ftctl.yaml:7:24: error[missing-variable]: the environment variable PORTKEY_API_KEY" in (
        result.err
    )
    assert world.requests == []
    assert shell("validate").status == 0  # it sends nothing


def test_an_addresss_own_query_is_kept_on_each_request(
    gateway: Callable[[str], Shell], server: PlainServer, world: World
) -> None:
    shell = gateway(f"  base_url: {server.url}?api-version=2026-10-01\n")

    result = shell.ok("apply", "--auto-approve", "--wait")

    assert "succeeded" in result.out
    assert all("api-version=2026-10-01" in one for one in world.targets)
    assert any("limit=100" in one or "limit=10000" in one for one in world.targets)
    document = shell.ok("plan", "--format", "json").json
    assert document["service"]["base_url"] == server.url


def test_the_address_may_stand_in_a_variable_of_ones_own(
    gateway: Callable[[str], Shell], server: PlainServer, world: World
) -> None:
    shell = gateway("  base_url_env: LITELLM_URL\n")

    without = shell("validate")
    shell.environ["LITELLM_URL"] = server.url
    shell.ok("plan")

    assert without.out.startswith(
        "ftctl.yaml:4:17: error[missing-variable]: the environment variable LITELLM_URL is not set;"
        " it holds the service's address\n    hint: export LITELLM_URL=https://…/v1\n"
    )
    assert world.requests


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/", "/openai/v1/models"),
        ("", "/openai/v1/models"),
        ("/openai/v1/", "/openai/v1/models"),
        ("/openai/", "/openai/v1/models"),
        ("/api/projects/p", "/api/projects/p/openai/v1/models"),
    ],
)
def test_azures_own_variable_gives_the_address(
    shell: Shell, write_project: Callable[[Mapping[str, str]], Path], path: str, asked: str
) -> None:
    seen: list[str] = []
    write_project(small_project(**{"ftctl.yaml": "project: demo\nprovider: {type: azure}\n"}))

    with Elsewhere(_noting(seen)) as there:
        shell.environ |= {
            "AZURE_OPENAI_ENDPOINT": f"{there.address}{path}",
            "AZURE_OPENAI_API_KEY": KEY,
        }
        shell.ok("plan")

    assert f"GET {asked}" in seen


# Redirects.


def _noting(lines: list[str]) -> Reply:
    """An empty list for everybody, whose requests are noted."""

    def reply(line: str, _headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        lines.append(line)
        return 200, {}, b'{"data": []}'

    return reply


def test_a_read_is_not_sent_on_off_the_service(gateway: Callable[[str], Shell]) -> None:
    heard: list[str] = []

    with Elsewhere(_noting(heard)) as there:

        def honest(line: str, _: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
            return 307, {"Location": f"{there.address}{line.split()[1]}"}, b""

        with Elsewhere(honest) as here:
            shell = gateway(
                GATEWAY + f"  base_url: {here.address}/v1\n  query: {{code: {{env: CODE}}}}\n"
            )
            shell.environ |= {"PORTKEY_API_KEY": SECRET, "CODE": "Pq7tail-0123"}
            result = shell("plan", "-v")

    assert (result.status, heard) == (1, [])
    assert (
        f"the service sends a GET on to {there.address}/v1/files, which is not followed (HTTP 307)"
        "\n    hint: set 'base_url' to where it leads, if that is right\n"
    ) in result.err
    assert not [word for word in (SECRET, KEY, "Pq7tail-0123") if word in told(result)]


def test_a_read_is_sent_on_within_the_service(gateway: Callable[[str], Shell]) -> None:
    heard: list[str] = []

    def service(line: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        path = line.split()[1]
        if not path.startswith("/new/"):
            return 308, {"Location": f"/new{path}"}, b""
        heard.append(f"{path} {headers['x-portkey-api-key']}")
        return 200, {}, b'{"data": []}'

    with Elsewhere(service) as here:
        shell = gateway(GATEWAY + f"  base_url: {here.address}/v1\n  query: {{tenant: acme}}\n")
        shell.environ["PORTKEY_API_KEY"] = SECRET
        shell.ok("plan")

    assert f"/new/v1/models?tenant=acme {SECRET}" in heard


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("path", ["/v1/files/", "ELSEWHERE/v1/files", "//", "http://[", ""])
def test_a_write_is_not_sent_on_anywhere(
    gateway: Callable[[str], Shell], status: int, path: str
) -> None:
    heard: list[str] = []
    posted: list[str] = []

    with Elsewhere(_noting(heard)) as evil:
        location = path.replace("ELSEWHERE", evil.address)

        def honest(line: str, _: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
            if line.startswith("POST"):
                posted.append(line)
                return status, {"Location": location}, b""
            return 200, {}, b'{"data": []}'

        with Elsewhere(honest) as here:
            shell = gateway(f"  base_url: {here.address}/v1\n")
            result = shell("apply", "--auto-approve")

    assert (result.status, heard, {*posted}) == (1, [], {"POST /v1/files"})
    assert "the service sends a POST on to " in result.err
    assert f", which is not followed (HTTP {status})" in result.err


@pytest.mark.parametrize(
    ("status", "ambiguous"), [(301, True), (302, True), (303, True), (307, False), (308, False)]
)
def test_a_write_that_may_have_been_done_before_it_was_sent_on_is_in_doubt(
    status: int, *, ambiguous: bool
) -> None:
    from ftctl.catalog.services import SERVICES
    from ftctl.errors import ProviderError
    from ftctl.providers import Connection, connect

    def service(_line: str, _: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        return status, {"Location": "/v1/elsewhere"}, b""

    with Elsewhere(service) as here:
        connection = Connection(f"{here.address}/v1", KEY)
        client = connect(connection, SERVICES["compatible"], clock=HandClock())
        with pytest.raises(ProviderError) as caught:
            client.delete_file("file-1")
        client.close()

    assert (caught.value.ambiguous, caught.value.status) == (ambiguous, status)


def test_a_log_of_requests_has_no_secret() -> None:
    from ftctl.catalog.services import SERVICES
    from ftctl.providers import Connection, connect

    lines: list[str] = []
    query = (("tenant", "acme"), ("code", "Pq/7+tail"))
    secrets = ("Pq/7+tail", "Pq%2F7%2Btail")
    with Elsewhere(_noting([])) as there:
        connection = Connection(f"{there.address}/v1", KEY, query=query, secrets=secrets)
        client = connect(connection, SERVICES["compatible"], clock=HandClock(), log=lines.append)
        client.ask("GET", "/models")
        client.close()

    assert lines == ["GET /v1/models?tenant=acme&code=[redacted]"]
    assert not [word for word in (KEY, *secrets) if word in repr(connection)]


# Keys that expire.


def token_program(folder: Path, body: str) -> Path:
    """A program that counts its runs in a file beside it."""
    path = folder / "token-program"
    path.write_text(
        f"#!{sys.executable}\n"
        "import os, sys, pathlib, time\n"
        "runs = pathlib.Path(__file__).with_name('runs')\n"
        "count = int(runs.read_text()) + 1 if runs.exists() else 1\n"
        "runs.write_text(str(count))\n" + body,
        "utf-8",
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def expiring(world: World, valid: Callable[[], str]) -> None:
    """Take the key alone that is valid at the time."""

    def before(_method: str, _path: str) -> Answer | None:
        return None if world.headers[-1]["authorization"] == f"Bearer {valid()}" else REFUSED

    world.before = before


def test_a_program_gives_the_key_and_gives_another_when_it_is_refused(
    gateway: Callable[[str], Shell], world: World, tmp_path: Path
) -> None:
    program = token_program(tmp_path, "print(f'entra-token-{count}-tail')\n")
    shell = gateway(f"  api_key_command: ['{program}']\n")
    del shell.environ["OPENAI_API_KEY"]
    runs = program.with_name("runs")
    # Each key is good for eight requests, so that it expires before, while and after buying.
    expiring(world, lambda: f"entra-token-{1 + sum(1 for _ in world.requests) // 8}-tail")

    result = shell.ok("apply", "--auto-approve", "--wait", "-v")

    assert "tone: succeeded" in result.out
    assert len(world.jobs) == 1
    assert int(runs.read_text("utf-8")) > 1
    assert "entra-token" not in told(result) + everything_written(shell.folder / ".ftctl")


def test_a_key_that_stays_refused_is_asked_for_once_more_and_no_oftener(
    gateway: Callable[[str], Shell], world: World, tmp_path: Path
) -> None:
    program = token_program(tmp_path, "print(f'entra-token-{count}-tail')\n")
    shell = gateway(f"  api_key_command: ['{program}']\n")
    world.before = lambda _method, _path: REFUSED

    result = shell("plan")

    assert result.status == 1
    assert "the token has expired (HTTP 401, expired)" in result.err
    assert program.with_name("runs").read_text("utf-8") == "2"


def test_several_requests_that_are_refused_at_once_have_one_key_made(
    gateway: Callable[[str], Shell], world: World, tmp_path: Path
) -> None:
    from ftctl.identity.short_key import ShortKey
    from ftctl.providers.openai.access import Access
    from ftctl.providers.openai.connection import Connection

    made: list[str] = []

    def renew() -> ShortKey:
        made.append("key")
        return ShortKey(f"renewed-{len(made)}")

    access = Access(Connection("http://host/v1", "first", renew=renew), None)
    threads = [threading.Thread(target=access._renewed, args=("first",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (made, access.secrets) == (["key"], ["renewed-1", "first"])


@pytest.mark.parametrize(
    "printed",
    [
        '{"accessToken": "entra-token-tail", "expiresOn": "2026-11-30 12:00:00"}',
        '{"access_token": "entra-token-tail"}',
        '  {"token": "entra-token-tail"}',
        "entra-token-tail",
    ],
)
def test_a_program_prints_a_line_or_json(
    gateway: Callable[[str], Shell], world: World, tmp_path: Path, printed: str
) -> None:
    program = token_program(tmp_path, f"print({printed!r})\n")
    shell = gateway(f"  api_key_command: ['{program}']\n")

    shell.ok("plan")

    assert {one["authorization"] for one in world.headers} == {"Bearer entra-token-tail"}


@pytest.mark.parametrize(
    ("body", "told_so"),
    [
        ("print('secret-1234'); sys.exit('no login, secret-1234, eyJhbGciOiJIUzI1NiJ9.eyJh.x')",
         "gave no key: it ended with status 1: no login, [redacted], [redacted]\n"),
        ("print('two words')", "printed no key\n"),
        ("print('')", "printed no key\n"),
        ("print('{\"error\": \"secret-1234\"}')", "printed no key\n"),
        ("print('{\"a\": ')", "printed no key\n"),
        ("print('x' * 200_000)", "printed no key\n"),
        ("print('line-one-of-2\\nline-two-of-2')", "printed no key\n"),
        ("os.kill(os.getpid(), 9)", "gave no key: signal 9 ended it\n"),
    ],
)  # fmt: skip
def test_a_program_without_a_key_is_told_without_what_it_printed(
    gateway: Callable[[str], Shell], world: World, tmp_path: Path, body: str, told_so: str
) -> None:
    program = token_program(tmp_path, body + "\n")
    shell = gateway(f"  api_key_command: ['{program}']\n")

    result = shell("plan")

    assert result.status == 1
    assert f"error: '{program}', which api_key_command names, {told_so}" in result.err
    assert "secret-1234" not in told(result)
    assert world.requests == []


def test_a_program_finds_nothing_on_its_standard_input(tmp_path: Path) -> None:
    from contextlib import nullcontext

    from ftctl.engine.token_command import key_from

    program = token_program(tmp_path, "print('found-' + repr(sys.stdin.read()))\n")
    reads, writes = os.pipe()
    os.write(writes, b"typed by hand")
    os.close(writes)
    kept = os.dup(0)
    os.dup2(reads, 0)
    try:
        key = key_from([str(program)], {}, lambda: nullcontext(tmp_path))
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(reads)

    assert key.text == "found-''"


def test_whoever_prints_is_told_of_a_key_that_a_program_gave(
    gateway: Callable[[str], Shell], tmp_path: Path
) -> None:
    from ftctl.engine.context import RunContext
    from ftctl.engine.session import open_session

    program = token_program(tmp_path, "print(f'entra-token-{count}')\n")
    shell = gateway(f"  api_key_command: ['{program}']\n")
    hidden: list[str] = []
    context = RunContext(shell.folder, clock=shell.clock, environ={}, hide=hidden.append)

    connection = open_session(context).way_in.connection()
    assert connection.renew is not None
    connection.renew()

    assert hidden == ["entra-token-1", "entra-token-2"]


def test_a_program_that_is_not_there_is_told(gateway: Callable[[str], Shell], world: World) -> None:
    shell = gateway("  api_key_command: [no-such-program-here, token]\n")

    result = shell("plan")

    assert result.status == 1
    assert "'no-such-program-here token', which api_key_command names, gave no key" in result.err
    assert "it cannot be run: No such file or directory" in result.err
    assert "fail  key: 'no-such-program-here token'" in shell("doctor").out


def test_a_program_has_a_minute_at_most(tmp_path: Path) -> None:
    from contextlib import nullcontext

    from ftctl.engine.token_command import key_from
    from ftctl.errors import FtctlError

    program = token_program(tmp_path, "time.sleep(60)\n")

    with pytest.raises(FtctlError, match=r"it took longer than 0\.3 s"):
        key_from([str(program)], {}, lambda: nullcontext(tmp_path), timeout_seconds=0.3)


def test_a_renewal_that_fails_is_told_and_no_fault_of_the_network(
    gateway: Callable[[str], Shell], world: World, tmp_path: Path
) -> None:
    body = "print('entra-token-tail') if count == 1 else sys.exit('please log in')\n"
    program = token_program(tmp_path, body)
    shell = gateway(f"  api_key_command: ['{program}']\n")
    world.before = lambda _method, _path: REFUSED

    result = shell("plan")

    assert result.status == 1
    assert "which api_key_command names, gave no key: it ended with status 1: please log in" in (
        result.err
    )
    assert "please log in (HTTP 401)\n" in result.err
    assert len(world.requests) == 1
    assert "cannot be reached" not in result.err


# Settings that cannot be.

CANNOT_BE = {
    "a key in a header": (
        "  headers: {x-note: sk-proj-AbCdEf0123456789AbCdEf}\n",
        ("ftctl.yaml:5:21: error[written-key]: 'provider.headers.x-note' holds what looks like an"
         " OpenAI key, in a file that git keeps\n    hint: put it into an environment variable, and"
         " write x-note: {env: X_NOTE}"),
    ),
    "a header that is a key by its name": (
        "  headers: {x-portkey-api-key: abc}\n",
        "error[written-key]: 'x-portkey-api-key' holds a secret by its name",
    ),
    "a parameter that is a key by its name": (
        "  query: {subscription-key: abc}\n",
        "error[written-key]: 'subscription-key' holds a secret by its name",
    ),
    "a key where a variable's name should be": (
        "  headers: {x-key: {env: sk-proj-AbCdEf0123456789AbCdEf}}\n",
        ("error[wrong-value]: 'env' is not a variable's name; expected a name such as"
         " PORTKEY_API_KEY\n    hint: put the key into an environment variable"),
    ),
    "a header of ours": (
        "  headers: {Authorization: {env: X}}\n",
        ("error[misplaced-key]: the header 'Authorization' is set by ftctl\n    hint: name the"
         " key's"
         " variable with 'api_key_env'"),
    ),
    "one header twice": (
        "  headers: {x-a: b, X-A: c}\n",
        "error[misplaced-key]: 'X-A' is there already",
    ),
    "a header with a line end": (
        '  headers: {x-a: "b\\n"}\n',
        "error[wrong-value]: 'x-a' is ",
    ),
    "a header with a blank before it": (
        '  headers: {x-a: " b"}\n',
        "error[wrong-value]: 'x-a' is ' b'; expected text or {env: NAME}",
    ),
    "a header's name with a blank": (
        "  headers: {x a: b}\n",
        "error[bad-key]: 'x a' cannot be a key here",
    ),
    "a number in a header": (
        "  headers: {x-a: 3}\n",
        ("error[wrong-value]: 'x-a' is 3; expected text or {env: NAME}\n    hint: write \"3\" in"
         " quotes"),
    ),
    "two addresses": (
        "  base_url: https://host/v1\n  base_url_env: LITELLM_URL\n",
        "error[misplaced-key]: 'base_url_env' and 'base_url' say the same thing twice",
    ),
    "two ways to a key": (
        "  api_key_env: A_KEY\n  api_key_command: [az]\n",
        "error[misplaced-key]: 'api_key_command' and 'api_key_env' say the same thing twice",
    ),
    "a key in the address": (
        "  base_url: https://host/v1?api-key=abc123\n",
        ("error[secret-in-address]: the service's address holds a secret: 'api-key'\n    hint: take"
         " it out, and write below provider: query: {api-key: {env: API_KEY}}"),
    ),
    "a parameter twice": (
        "  base_url: https://host/v1?api-version=1\n  query: {api-version: '2'}\n",
        "error[misplaced-key]: 'api-version' stands in the address and below 'query'",
    ),
    "an address with a part behind '#'": (
        "  base_url: https://host/v1#part\n",
        "error[wrong-value]: the service's address has a '#'",
    ),
    "a command as text": (
        "  api_key_command: az account get-access-token\n",
        "error[wrong-value]: 'api_key_command' is 'az account get-access-token'; expected a list",
    ),
    "no time at all": ("  timeout: 0\n", "error[wrong-value]: 'timeout' is 0; expected"),
}  # fmt: skip


@pytest.mark.parametrize("what", CANNOT_BE)
def test_a_setting_that_cannot_be_is_told_with_its_cure(
    gateway: Callable[[str], Shell], what: str
) -> None:
    lines, said = CANNOT_BE[what]
    shell = gateway(lines)

    result = shell("validate")

    assert result.status == 1
    assert said in result.err + result.out
    assert "AbCdEf0123456789" not in told(result)
    assert "abc123" not in told(result)


@pytest.mark.parametrize(
    "lines",
    ["headers: {x-a: b}", "query: {a: b}", "api_key_env: A", "base_url: http://h/v1",
     "api_key_command: [az]", "base_url_env: A", "expect: {project: p}"],
)  # fmt: skip
def test_the_embedded_api_has_no_way_in(
    shell: Shell, write_project: Callable[[Mapping[str, str]], Path], lines: str
) -> None:
    text = f"project: demo\nprovider:\n  type: emulator\n  {lines}\n"
    write_project(small_project(**{"ftctl.yaml": text}))

    result = shell("validate")

    assert result.status == 1
    assert "error[misplaced-key]: the embedded API runs inside ftctl and " in result.out
    assert f"remove '{lines.partition(':')[0]}'" in result.out


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Thu, 01 Jan 1970 00:00:09 GMT", 9),
        ("Thu, 01 Jan 1970 01:00:09 +0100", 9),
        ("yesterday", None),
        ("Thu, 99 Jan 1970 00:00:09 GMT", None),
        ("Thu, 01 Jan 99999 00:00:09 GMT", None),
        ("", None),
        (None, None),
    ],
)
def test_the_time_of_an_answer_is_read_or_is_none(text: str | None, moment: int | None) -> None:
    from ftctl.providers.openai.access import read_http_date

    assert read_http_date(text) == moment


# The doctor.


def test_the_doctor_asks_the_program_for_the_key(
    gateway: Callable[[str], Shell], world: World, tmp_path: Path
) -> None:
    program = token_program(tmp_path, "print('entra-token-tail')\n")
    shell = gateway(f"  api_key_command: ['{program}', token]\n")

    result = shell.ok("doctor")

    assert f"ok    key: '{program} token' prints it\n" in result.out
    assert "ok    access: the key is accepted\n" in result.out
    assert {one["authorization"] for one in world.headers} == {"Bearer entra-token-tail"}


def test_the_doctor_says_which_variable_of_a_header_is_missing(
    gateway: Callable[[str], Shell], world: World
) -> None:
    result = gateway(GATEWAY)("doctor")

    assert result.status == 1
    assert (
        "fail  service: ftctl.yaml:7:24: the environment variable PORTKEY_API_KEY is not set;"
        " 'x-portkey-api-key' needs it  -> export PORTKEY_API_KEY=…\n"
    ) in result.out
    assert world.requests == []
