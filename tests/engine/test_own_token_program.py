"""`api_key_command: [ftctl, token, …]`: the one program that has the forge's word for a job."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from conftest import ROOT, Result, Shell, let_run, small_project
from forges.exchanges import Exchanges
from plain_server import Answer, PlainServer, World

SUBJECT = "repo:acme/models:environment:production"
OWN = ("ftctl", "token", "openai", "--identity-provider", "idp_1", "--service-account", "svc_1")
PEEK = """\
#!{python} -IS
import json, os, pathlib
pathlib.Path(__file__).with_name("{name}.seen").write_text(json.dumps(dict(os.environ)))
{then}
"""


@pytest.fixture
def server(world: World) -> Iterator[PlainServer]:
    with PlainServer(world) as running:
        yield running


@pytest.fixture
def exchanges() -> Iterator[Exchanges]:
    with Exchanges(SUBJECT) as running:
        yield running


@pytest.fixture
def job(
    shell: Shell,
    server: PlainServer,
    exchanges: Exchanges,
    write_project: Callable[[Mapping[str, str]], Path],
) -> Callable[..., Shell]:
    """ftctl in a job of GitHub with `id-token: write`, in a small project."""

    def begin(command: tuple[str, ...] | None = None, policy: str = "", **files: str) -> Shell:
        command = command or (*OWN, "--exchange-url", exchanges.url)
        text = (
            "project: demo\nprovider:\n  type: compatible\n"
            f"  base_url: {server.url}\n  api_key_command: {json.dumps([*command])}\n{policy}"
        )
        write_project(small_project(**{"ftctl.yaml": text, **files}))
        let_run(shell.folder, command)
        shell.environ.update(exchanges.variables)
        return shell

    return begin


def peeking(folder: Path, name: str, then: str = "") -> Path:
    """A program that writes down the environment that it is given."""
    path = folder / name
    path.write_text(PEEK.format(python=sys.executable, name=name, then=then), "utf-8")
    path.chmod(0o755)
    return path


def seen(folder: Path, name: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((folder / f"{name}.seen").read_text("utf-8"))
    return found


def said(*results: Result) -> str:
    return "".join(one.out + one.err for one in results)


def written(folder: Path) -> str:
    files = (path for path in folder.rglob("*") if path.is_file())
    return "\n".join(path.read_bytes().decode("utf-8", "replace") for path in files)


def test_the_key_of_the_exchange_buys_and_stands_nowhere(
    job: Callable[..., Shell], world: World, exchanges: Exchanges, tmp_path: Path
) -> None:
    shell = job()

    results = [shell.ok("plan", "-v"), shell.ok("apply", "--auto-approve", "--wait", "-v")]

    assert len(world.jobs) == 1
    assert {one["authorization"] for one in world.headers} == {
        f"Bearer {key}" for key in exchanges.keys
    }
    everything = said(*results) + written(shell.folder) + written(tmp_path)
    asking = shell.environ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
    for secret in (*exchanges.keys, asking, *(one.token for one in exchanges.asked)):
        assert secret not in everything
        assert secret[-16:] not in everything


def test_another_program_is_not_given_what_the_forge_says(
    job: Callable[..., Shell], tmp_path: Path, exchanges: Exchanges
) -> None:
    program = peeking(tmp_path, "giver", "print('other-key-K7vQx9Zr2Lm4Tn8Wp')")
    shell = job((str(program), "token", "openai"))
    shell.environ.update(FTCTL_ID_TOKEN="a.b.c", FTCTL_ID_TOKEN_LIVE="a.b.c", LOGIN="its own")

    shell.ok("plan")

    given = seen(tmp_path, "giver")
    assert given.pop("LC_CTYPE", "C.UTF-8")
    assert given == {"LOGIN": "its own"}


def test_a_program_that_is_called_ftctl_on_the_path_is_not_run(
    job: Callable[..., Shell], tmp_path: Path, exchanges: Exchanges
) -> None:
    (tmp_path / "bin").mkdir()
    peeking(tmp_path / "bin", "ftctl", "print('foreign-key-K7vQx9Zr2Lm4')")
    shell = job(**{"ftctl/__init__.py": "raise SystemExit('foreign')\n", "ftctl/__main__.py": ""})
    shell.environ["PATH"] = str(tmp_path / "bin")
    shell.environ["PYTHONPATH"] = str(shell.folder)

    shell.ok("plan")

    assert not (tmp_path / "bin" / "ftctl.seen").exists()
    assert len(exchanges.keys) == 1


def test_a_policy_program_is_not_given_what_the_forge_says(
    job: Callable[..., Shell], tmp_path: Path
) -> None:
    program = peeking(tmp_path, "judge")
    shell = job(policy=f"policy: {{commands: [[{program}]]}}\n")
    let_run(shell.folder, [str(program)])
    shell.environ.update(FTCTL_ID_TOKEN_OTHER="a.b.c")

    shell.ok("plan")

    given = seen(tmp_path, "judge")
    assert not [name for name in given if "TOKEN" in name]


def test_git_is_not_given_what_the_forge_says(
    job: Callable[..., Shell], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    program = peeking(tmp_path / "bin", "git", "raise SystemExit(1)")
    shell = job()
    (shell.folder / ".git").mkdir()
    # git is asked with the environment of the process.
    for name, value in {**shell.environ, "FTCTL_ID_TOKEN": "a.b.c"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", str(program.parent))

    shell("plan")
    by_plan = seen(tmp_path / "bin", "git")
    (tmp_path / "bin" / "git.seen").unlink()
    shell.environ["PATH"] = str(program.parent)
    shell("doctor")
    by_doctor = seen(tmp_path / "bin", "git")

    for given in (by_plan, by_doctor):
        assert given["PATH"] == str(program.parent)
        assert not [name for name in given if "ID_TOKEN" in name]


def test_whatever_is_started_has_an_environment_that_somebody_chose() -> None:
    """A new program would be given everything, if nobody thought of it."""
    loose = []
    for path in sorted((ROOT / "ftctl").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = isinstance(node, ast.Call) and ast.unparse(node.func)
            if called in {"subprocess.run", "subprocess.Popen", "os.system", "os.popen"}:
                assert isinstance(node, ast.Call)
                if "env" not in {one.arg for one in node.keywords}:
                    loose.append(f"{path.relative_to(ROOT)}:{node.lineno}")

    assert loose == []


def test_our_program_is_asked_about_as_any_other(
    job: Callable[..., Shell], exchanges: Exchanges
) -> None:
    shell = job()
    text = (shell.folder / "ftctl.yaml").read_text("utf-8")
    (shell.folder / "ftctl.yaml").write_text(text.replace("svc_1", "svc_of_a_stranger"), "utf-8")

    result = shell("plan")

    assert result.status == 1
    assert (
        "error[new-command]: ftctl.yaml has a program run that you have not let run" in result.err
    )
    assert exchanges.asked == []


def test_a_change_has_no_key_made_for_an_account_of_its_own(
    job: Callable[..., Shell], exchanges: Exchanges, world: World
) -> None:
    def git(*words: str) -> None:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
        subprocess.run(
            ["git", *identity, *words], cwd=shell.folder, check=True, capture_output=True
        )

    shell = job()
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-q", "-m", "base")
    text = (shell.folder / "ftctl.yaml").read_text("utf-8")
    (shell.folder / "ftctl.yaml").write_text(text.replace("svc_1", "svc_of_a_stranger"), "utf-8")

    shell.ok("plan", "--base", "main")

    assert {one.given["service_account_id"] for one in exchanges.asked} == {"svc_1"}


def test_what_an_exchange_refuses_is_told_once_with_what_to_look_at(
    job: Callable[..., Shell], exchanges: Exchanges, world: World
) -> None:
    shell = job()
    shell.environ.update(exchanges.prove("repo:acme/models:pull_request"))

    result = shell("plan")

    assert result.status == 1
    assert "OpenAI's token exchange gave no key: HTTP 400: " in result.err
    assert "hint: docs/ci-keys.md says what the service must trust" in result.err
    assert world.requests == []


# Keys that expire.


def test_a_key_is_asked_for_anew_before_it_expires_and_once(world: World) -> None:
    import threading

    from ftctl.errors import FtctlError
    from ftctl.identity.short_key import ShortKey
    from ftctl.providers.openai.access import Access
    from ftctl.providers.openai.connection import Connection

    now, made = [0.0], []

    def renew() -> ShortKey:
        made.append(now[0])
        if len(made) == 3:
            raise FtctlError("the exchange is away")
        return ShortKey(f"key-{len(made)}", 3600.0)

    connection = Connection("http://host/v1", "key-0", renew=renew, expires_in=3600.0)
    access = Access(connection, None, lambda: now[0])
    sent = []
    for moment in (0.0, 3299.0, 3300.0, 3301.0, 6599.0, 6601.0, 6602.0, 9901.0, 9902.0, 9903.0):
        now[0] = moment
        threads = [threading.Thread(target=access._fresh) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sent.append(access._fresh())

    assert made == [3300.0, 6601.0, 9901.0]
    assert sent == ["key-0"] * 2 + ["key-1"] * 3 + ["key-2"] * 5
    assert access._renewed("key-2") == "key-4"  # the service has refused it by now


@pytest.mark.parametrize(
    ("good_for", "asked_at"), [(3600.0, 3300.0), (60.0, 30.0), (1.0, 0.5), (None, None)]
)
def test_a_key_that_lives_shortly_is_used_for_half_of_its_life(
    good_for: float | None, asked_at: float | None
) -> None:
    from ftctl.identity.short_key import ShortKey
    from ftctl.providers.openai.access import Access
    from ftctl.providers.openai.connection import Connection

    def renew() -> ShortKey:
        return ShortKey("another")

    connection = Connection("http://host/v1", "first", renew=renew, expires_in=good_for)

    assert Access(connection, None, lambda: 0.0)._old_at == asked_at


def test_a_long_wait_goes_on_with_new_keys(
    job: Callable[..., Shell], world: World, exchanges: Exchanges
) -> None:
    exchanges.good_for = None  # as where the service is the first to say that a key is over
    shell = job()

    def before(_method: str, _path: str) -> Answer | None:
        if len(world.requests) % 6 == 0:  # over, from now on
            over.update(exchanges.keys)
        key = world.headers[-1]["authorization"].removeprefix("Bearer ")
        return (401, {"error": {"message": "expired"}}) if key in over else None

    over: set[str] = set()
    world.before = before

    result = shell.ok("apply", "--auto-approve", "--wait")

    assert "tone: succeeded" in result.out
    assert len(world.jobs) == 1
    assert len(exchanges.keys) > 2


# What such a key cannot do.


@pytest.mark.parametrize("status", [401, 403])
def test_a_model_that_such_a_key_cannot_delete_stays_with_the_cure_and_nothing_is_bought(
    job: Callable[..., Shell], world: World, exchanges: Exchanges, status: int
) -> None:
    shell = job()
    shell.ok("apply", "--auto-approve", "--wait")
    tried: list[str] = []

    def before(method: str, path: str) -> Answer | None:
        if method == "DELETE" and "/models/" in path:
            tried.append(path)
            return status, {"error": {"message": "this token may not do that"}}
        return None

    world.before = before

    result = shell("destroy", "--auto-approve")
    again = shell("plan")

    assert result.status == 4, said(result)
    assert f"(HTTP {status})" in said(result)
    assert "OpenAI deletes no model with a key of 'ftctl token openai': apply once with" in said(
        result
    )
    assert tried
    assert len(world.jobs) == 1
    assert again.status == 0
    assert "not begun" not in said(result)
