"""`ftctl doctor`: what stands in the way, with any server behind the address, and never a key."""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from conftest import FINETUNE, KEY, Result, Shell, cache_of, small_project
from loopback import Loopback
from plain_server import World

from ftctl.catalog import load_catalog
from ftctl.doctor import habits, ok, service
from ftctl.domain.observed import AccountId
from ftctl.providers.openai import provider as provider_module
from ftctl.providers.protocol import Answer

Write = Callable[[Mapping[str, str]], Path]
Said = tuple[int, bytes, Mapping[str, str]]

BASE = "gpt-4.1-mini-2025-04-14"
NOW = 1_790_000_000.0  # the tests' clock


def in_json(status: int, value: Any, **headers: str) -> Said:
    return status, json.dumps(value).encode(), {"content-type": "application/json", **headers}


def listed(*entries: Any, **headers: str) -> Said:
    return in_json(200, {"object": "list", "data": list(entries), "has_more": False}, **headers)


def refused(status: int, code: str, message: str = f"no, {KEY}") -> Said:
    return in_json(status, {"error": {"message": message, "code": code}})


@dataclass
class Odd:
    """What the server says: to a request by its method and path, else to every other."""

    otherwise: Said = field(default_factory=lambda: refused(404, "not_found"))
    answers: dict[str, Said] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    seconds: float = 0.0  # before each answer


class OddServer(Loopback):
    """Says what it is told to say."""

    def __init__(self, odd: Odd) -> None:
        super().__init__(_Handler)
        self.odd = odd


class _Handler(BaseHTTPRequestHandler):
    server: OddServer

    def _answer(self) -> None:
        odd = self.server.odd
        path = self.path.partition("?")[0].removeprefix("/v1")
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        odd.requests.append(f"{self.command} {path}")
        time.sleep(odd.seconds)
        status, content, headers = odd.answers.get(f"{self.command} {path}", odd.otherwise)
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}", "Connection: close"]
        lines += [f"{key}: {value}" for key, value in headers.items()]
        try:
            self.wfile.write("\r\n".join([*lines, "", ""]).encode() + content)
        except OSError:
            return  # nobody waits any more
        self.close_connection = True

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the standard library's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def healthy() -> Odd:
    """A service on which all is well."""
    there = format_datetime(datetime.fromtimestamp(NOW, tz=UTC), usegmt=True)
    models = [{"id": BASE}, {"id": f"ft:{BASE}:acme::a1"}]
    jobs = [{"id": "ftjob-1", "status": "running"}, {"id": "ftjob-2", "status": "COMPLETED"}]
    slots = {"object": "list", "data": [{"model": BASE, "max_running_jobs": 3, "name": "x\ny"}]}
    return Odd(
        answers={
            "GET /models": listed(*models, date=there),
            "GET /files": listed(),
            "GET /fine_tuning/jobs": listed(*jobs),
            "GET /fine_tuning/model_limits": in_json(200, slots),
            "POST /fine_tuning/jobs": refused(400, "invalid_training_file"),
        }
    )


@pytest.fixture
def odd() -> Odd:
    return healthy()


@pytest.fixture
def examined(odd: Odd, shell: Shell, write_project: Write) -> Iterator[Shell]:
    """ftctl in a small project whose service is the odd server."""
    write_project(small_project(**{"ftctl.yaml": "project: demo\nprovider: {type: openai}\n"}))
    with OddServer(odd) as server:
        shell.environ.update(OPENAI_BASE_URL=f"{server.address}/v1", OPENAI_API_KEY=KEY)
        yield shell


def line(result: Result, subject: str) -> str:
    """The one line about that."""
    (found,) = [one for one in result.out.splitlines() if one[6:].startswith(f"{subject}: ")]
    return found


def without_trace(result: Result) -> Result:
    """The result of a command that told what it found, and no key."""
    assert result.status in (0, 1), result
    assert "Traceback" not in result.err
    assert KEY not in result.out + result.err
    return result


def test_on_the_embedded_api_all_is_well(shell: Shell, write_project: Write) -> None:
    write_project(small_project())

    result = without_trace(shell("doctor", "--probe"))

    assert result.status == 0, result
    assert "fail" not in {one[:4] for one in result.out.splitlines()}
    assert line(result, "key") == "ok    key: the embedded API needs none"
    assert line(result, "project") == "ok    project: 1 fine-tune, all valid"
    assert line(result, "address").startswith("ok    address: emulator://.ftctl answers HTTP 200")
    assert line(result, "may train").startswith("ok    may train: ")
    assert line(result, "may delete").startswith("ok    may delete: ")
    assert line(result, "slots").startswith("ok    slots: not told by this service (HTTP 404")
    assert line(result, "ftctl.lock") == "ok    ftctl.lock: there is none yet; apply writes it"


def test_the_place_of_the_cache_is_told(shell: Shell, write_project: Write, user: Path) -> None:
    cache = cache_of(write_project(small_project()))

    good = line(shell("doctor"), "cache")
    (user / "cache").chmod(0o777)
    wide = line(shell("doctor"), "cache")

    assert good == f"ok    cache: {cache}; it may be deleted at any time"
    assert wide == (
        f"warn  cache: nothing is kept between runs: others can write to {user / 'cache'}; delete"
        " it, or name a folder within it  -> name a folder of your own outside of the checkout:"
        " export FTCTL_CACHE_DIR=…"
    )


def test_a_healthy_service_is_told_line_by_line(examined: Shell, odd: Odd) -> None:
    result = without_trace(examined("doctor", "--probe"))

    assert result.status == 0, result
    url = examined.environ["OPENAI_BASE_URL"]
    assert line(result, "key") == "ok    key: OPENAI_API_KEY is set"
    assert line(result, "sent as") == "ok    sent as: the key's own organization and project"
    assert line(result, "address").startswith(f"ok    address: {url} answers HTTP 200 in ")
    assert line(result, "access") == "ok    access: the key is accepted"
    assert line(result, "models") == "ok    models: 2 listed, 1 fine-tuned"
    assert line(result, "base models") == f"ok    base models: {BASE} listed"
    assert line(result, "training").startswith("ok    training: openai takes jobs until 2027-01-06")
    assert line(result, "shutdown").startswith(f"ok    shutdown: {BASE} has 115 days left")
    assert line(result, "files") == "ok    files: they can be listed"
    assert line(result, "running") == "ok    running: 1 of the 2 jobs in progress"
    assert line(result, "slots") == f"ok    slots: {BASE} (max_running_jobs 3)"
    assert line(result, "clock") == "ok    clock: within 60 s of the service's"
    assert line(result, "wandb") == "ok    wandb: no manifest reports to Weights & Biases"
    assert line(result, "may train").startswith("ok    may train: the service only misses the file")
    assert [request for request in odd.requests if not request.startswith("GET ")] == [
        "POST /fine_tuning/jobs",
        f"POST /fine_tuning/jobs/{habits.NO_JOB}/cancel",
        f"DELETE /models/{service.NO_MODEL}",
    ]


def test_nothing_is_written_to_a_service_without_probe(examined: Shell, odd: Odd) -> None:
    without_trace(examined("doctor"))

    assert {request.partition(" ")[0] for request in odd.requests} == {"GET"}


def test_what_a_probe_asks_is_said_before(examined: Shell) -> None:
    result = without_trace(examined("doctor", "--probe"))

    assert f"asks to create a job with the training file {service.NO_FILE}" in result.err
    assert f"asks to cancel the job {habits.NO_JOB}" in result.err
    assert f"asks to delete the model {service.NO_MODEL}" in result.err


def test_a_probe_that_is_taken_for_an_order_is_stopped(remote: Shell, world: World) -> None:
    gone = (404, {"error": {"message": "no such model"}})
    world.before = lambda method, _path: gone if method == "DELETE" else None

    result = without_trace(remote("doctor", "--probe"))

    assert line(result, "may train").startswith(
        "warn  may train: it took a job whose file does not exist  -> see the service's list"
    )
    assert [job["status"] for job in world.jobs] == ["cancelled"]


@pytest.mark.parametrize(
    ("request_line", "said", "told"),
    [
        ("GET /models", refused(401, "invalid_api_key"), ("access",
         "fail  access: the key is not accepted (HTTP 401, invalid_api_key)  -> check the")),
        ("GET /models", refused(403, "no_access"), ("access", "warn  access: the key may not")),
        ("GET /models", refused(404, "x"), ("access", "warn  access: models are not listed here")),
        ("GET /models", refused(429, "rate_limit_exceeded"), ("access",
         "warn  access: too many requests")),
        ("GET /models", refused(429, "insufficient_quota"), ("access",
         "fail  access: the quota is used up")),
        ("GET /models", refused(500, "server_error"), ("access",
         "fail  access: the service is in trouble (HTTP 500, server_error)")),
        ("GET /models", in_json(200, {"data": 5}), ("access", "fail  access: what it calls")),
        ("GET /models", in_json(200, []), ("access", "fail  access: what it calls")),
        ("GET /models", (200, b"<html>welcome</html>", {}), ("address",
         "fail  address: http://127.0.0.1")),
        ("GET /models", (502, b"<html>bad gateway</html>", {}), ("address",
         "fail  address: http://127.0.0.1")),
        ("GET /models", (200, b"[" * 100_000, {}), ("address", "fail  address: http://127.0.0.1")),
        ("GET /models", (200, b"", {}), ("address", "fail  address: http://127.0.0.1")),
        ("GET /models", listed({"id": 3}, {"id": BASE, "shutdown_date": "2026-09-30"}), ("shutdown",
         f"warn  shutdown: {BASE} has 9 days left, until 2026-09-30 (told by the service)")),
        ("GET /models", listed({"id": BASE, "shutdown_date": "2026-01-01"}), ("shutdown",
         f"fail  shutdown: {BASE} was shut down on 2026-01-01")),
        ("GET /models", listed({"id": "gpt-x", "shutdown_date": 5}), ("base models",
         f"warn  base models: not listed: {BASE}")),
        ("GET /models", listed(date="Sun, 06 Nov 1994 08:49:37 GMT"), ("clock",
         "warn  clock: 1,005,888,223 s ahead of the service's  -> set this machine's clock")),
        ("GET /models", listed(date="yesterday"), ("clock",
         "ok    clock: the service does not tell the time")),
        ("GET /files", refused(403, "missing_scope"), ("files",
         "fail  files: they cannot be listed (HTTP 403, missing_scope)  -> give the key")),
        ("GET /fine_tuning/jobs", refused(404, "x"), ("jobs", "fail  jobs: they cannot be listed")),
        ("GET /fine_tuning/jobs", (200, b"null", {}), ("jobs", "fail  jobs: they cannot be")),
        ("GET /fine_tuning/model_limits", (200, b"\x00\xff", {}), ("slots",
         "ok    slots: not told by this service (HTTP 200)")),
        ("GET /fine_tuning/model_limits", in_json(200, {"max_jobs": 3, "\x1b[31m": 4}), ("slots",
         "ok    slots: (max_jobs 3)")),
        ("POST /fine_tuning/jobs", refused(403, "training_not_available"), ("may train",
         "fail  may train: this organization can no longer train here")),
        ("POST /fine_tuning/jobs", refused(403, "missing_scope"), ("may train",
         "fail  may train: the key may not create jobs")),
        ("POST /fine_tuning/jobs", refused(500, "\x1b]0;evil\x07"), ("may train",
         "warn  may train: nothing can be told from the answer (HTTP 500)")),
        (f"DELETE /models/{service.NO_MODEL}", refused(403, "insufficient_permissions"),
         ("may delete", "warn  may delete: the key may not delete models")),
        (f"DELETE /models/{service.NO_MODEL}", in_json(200, {"deleted": True}), ("may delete",
         "warn  may delete: nothing can be told from the answer (HTTP 200)")),
    ],
)  # fmt: skip
def test_an_odd_answer_is_a_finding(
    examined: Shell, odd: Odd, request_line: str, said: Said, told: tuple[str, str]
) -> None:
    subject, start = told
    odd.answers[request_line] = said

    result = without_trace(examined("doctor", "--probe", "-v"))

    assert line(result, subject).startswith(start)
    assert (result.status == 1) is any(one[:4] == "fail" for one in result.out.splitlines())
    assert "\x1b" not in result.out + result.err


def test_a_key_that_is_not_accepted_is_not_tried_again(examined: Shell, odd: Odd) -> None:
    odd.otherwise = refused(401, "invalid_api_key")
    odd.answers = {}

    result = without_trace(examined("doctor", "--probe"))

    assert result.status == 1
    assert odd.requests == ["GET /models"]


def test_a_server_that_never_answers_is_left_after_a_while(
    examined: Shell, odd: Odd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_module, "_PROBE_TIMEOUT_SECONDS", 0.2)
    odd.seconds = 1.0

    result = without_trace(examined("doctor"))

    assert "no answer in time  -> try again" in line(result, "address")
    assert len(odd.requests) == 1


@pytest.mark.parametrize(
    ("url", "start"),
    [
        ("https://ftctl-doctor.invalid/v1",
         "fail  address: https://ftctl-doctor.invalid/v1: its name is not known"),
        ("https://127.0.0.1:PORT/v1",
         "fail  address: https://127.0.0.1:PORT/v1: no safe line comes about  -> check 'https'"),
        ("http://127.0.0.1:FREE/v1", "fail  address: "),
    ],
)  # fmt: skip
def test_an_address_that_leads_nowhere_is_told(examined: Shell, url: str, start: str) -> None:
    port = examined.environ["OPENAI_BASE_URL"].rpartition(":")[2].removesuffix("/v1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        at = url.replace("PORT", port).replace("FREE", str(free.getsockname()[1]))
        examined.environ["OPENAI_BASE_URL"] = at

        result = without_trace(examined("doctor", "-v"))

    assert result.status == 1
    assert line(result, "address").startswith(start.replace("PORT", port))


@pytest.mark.parametrize(
    ("key", "start"),
    [
        ("", "fail  key: the environment variable OPENAI_API_KEY is not set  -> export"),
        ("sk-" + "ü" * 20, "fail  key: OPENAI_API_KEY has characters that no key has"),
        (f" {KEY}\n", "warn  key: OPENAI_API_KEY begins or ends with blanks"),
        ("sk-admin-0123456789abcdef", "warn  key: OPENAI_API_KEY holds an admin key"),
        ("0123456789abcdef0123456789abcdef", "warn  key: OPENAI_API_KEY does not look like a key"),
    ],
)
def test_a_key_is_looked_at_and_never_shown(examined: Shell, key: str, start: str) -> None:
    examined.environ["OPENAI_API_KEY"] = key

    result = without_trace(examined("doctor", "-v"))

    assert line(result, "key").startswith(start)
    assert not key.strip() or key.strip() not in result.out + result.err


def test_a_key_in_the_settings_is_told_without_showing_it(examined: Shell) -> None:
    text = f"project: demo\nprovider: {{type: openai}}\n# {KEY}\n"
    (examined.folder / "ftctl.yaml").write_text(text, "utf-8")

    result = without_trace(examined("doctor"))

    assert line(result, "project").startswith("fail  project: ")
    assert "holds what looks like an OpenAI key, in a file that git keeps" in line(
        result, "project"
    )
    assert KEY not in result.out + result.err


def test_a_project_with_problems_is_told_and_the_rest_is_looked_at(examined: Shell) -> None:
    path = examined.folder / "finetunes/tone.yaml"
    path.write_text(FINETUNE.replace("training", "trainning"), "utf-8")

    result = without_trace(examined("doctor"))

    assert line(result, "project").startswith("fail  project: ")
    assert line(result, "project").endswith("  -> ftctl validate lists them")
    assert line(result, "key").startswith("ok")
    assert line(result, "service").startswith("warn  service: it was not asked")


def test_without_a_project_the_machine_is_looked_at(shell: Shell) -> None:
    result = without_trace(shell("doctor"))

    assert result.status == 1
    assert line(result, "python").startswith("ok")
    assert line(result, "project").startswith("fail  project: 1 problem, first ftctl.yaml: there")


def test_a_folder_that_is_not_there_is_told(shell: Shell) -> None:
    result = without_trace(shell("doctor", "-C", "nowhere"))

    assert "there is no folder" in line(result, "project")


def test_the_same_is_found_in_json(examined: Shell) -> None:
    result = without_trace(examined("doctor", "--format", "json"))

    found = result.json
    assert found["ok"] is True
    assert {"cure": None, "level": "ok", "subject": "access", "what": "the key is accepted"} in (
        found["findings"]
    )
    assert result.err == ""


def test_whom_we_ask_as_is_told(examined: Shell) -> None:
    examined.environ.update(OPENAI_ORG_ID="org-1", OPENAI_PROJECT_ID="proj_1")

    result = without_trace(examined("doctor"))

    assert line(result, "sent as") == "ok    sent as: organization org-1 and project proj_1"


def test_manifests_that_report_to_wandb_are_named(examined: Shell) -> None:
    path = examined.folder / "finetunes/tone.yaml"
    path.write_text(FINETUNE + "integrations: {wandb: {project: p}}\n", "utf-8")

    result = without_trace(examined("doctor"))

    assert line(result, "wandb").startswith("warn  wandb: tone report to Weights & Biases  -> see")


def test_a_damaged_release_record_is_told(examined: Shell) -> None:
    (examined.folder / "ftctl.lock").write_text("{", "utf-8")

    result = without_trace(examined("doctor"))

    assert line(result, "ftctl.lock").startswith("fail  ftctl.lock: ")


def test_git_that_is_not_there_is_told(examined: Shell) -> None:
    examined.environ["PATH"] = str(examined.folder)

    result = without_trace(examined("doctor"))

    assert line(result, "git").startswith("warn  git: there is no git here")


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")
def test_a_project_in_no_repository_is_told(examined: Shell) -> None:
    program = shutil.which("git")
    assert program is not None
    examined.environ["PATH"] = str(Path(program).parent)

    result = without_trace(examined("doctor"))

    assert "the project is in no repository" in line(result, "git")


@pytest.mark.parametrize(
    ("today", "level"), [(date(2026, 5, 1), "ok"), (date(2026, 12, 1), "warn"),
                         (date(2027, 1, 7), "fail")],
)  # fmt: skip
def test_the_last_day_of_training_is_counted_down(today: date, level: str) -> None:
    found = service.look_at_dates(load_catalog(), "openai", [], (), today)

    assert [one.level for one in found] == [level]


def test_a_date_without_a_zone_is_taken_for_utc() -> None:
    there = f"{datetime.fromtimestamp(NOW + 30, tz=UTC):%a, %d %b %Y %H:%M:%S}"

    found = service.look_at_clock(Answer(200, 0.1, {}, date=there), NOW)

    assert found == [ok("clock", "within 60 s of the service's")]


def test_a_record_of_another_account_at_this_address_is_told(remote: Shell, world: World) -> None:
    world.organization, world.project = "org-a", "proj_a"
    remote.ok("apply", "--auto-approve", "--wait")
    fine = remote("doctor")
    world.jobs.clear()
    world.project = "proj_b"

    other = remote("doctor")

    assert line(fine, "account") == "ok    account: organization org-a and project proj_a"
    assert line(other, "account") == (
        "warn  account: project proj_b, and ftctl.lock records jobs of another account at this"
        " address  -> see that the key is right: plan buys nothing on record"
    )


def test_the_name_of_an_account_that_is_none_is_not_shown() -> None:
    odd = Answer(200, 0.1, {"data": []}, account=AccountId("org-a\x1b[2J", "proj\n_a"))

    found = service.look_at_account(odd, AccountId(), AccountId())

    assert found == ok("account", "the service does not tell whom the key acts for")
