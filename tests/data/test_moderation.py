"""`ftctl dataset check --moderation`, against an HTTP server that moderates and is not ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from conftest import KEY, HandClock, Shell, cache_of, chat_rows, small_project
from loopback import Loopback

from ftctl.domain.quality_settings import PROJECT_DEFAULTS, QualitySettings

BAD = "zebra-crossing"
CHECK = ("dataset", "check", "train.jsonl")
ASK = (*CHECK, "--moderation")

Answer = tuple[int, Any]


class Moderator(Loopback):
    """Flags what holds `BAD`. `instead` (number of the request, its body) may answer otherwise."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.keys: list[str | None] = []
        self.instead: Callable[[int, dict[str, Any]], Answer | None] = lambda _number, _body: None

    @property
    def url(self) -> str:
        return f"{self.address}/v1"

    @property
    def texts(self) -> list[str]:
        """Everything that was sent, in order."""
        return [text for body in self.bodies for text in body["input"]]


class _Handler(BaseHTTPRequestHandler):
    server: Moderator

    def do_POST(self) -> None:
        told = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        told.bodies.append(body)
        told.paths.append(self.path)
        told.keys.append(self.headers["Authorization"])
        status, document = told.instead(len(told.bodies), body) or (200, verdicts(body))
        text = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def verdicts(body: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The answer in the service's form; flagged for violence, or for other names."""
    hits = names or ("violence", "harassment/threatening")
    return {
        "id": "modr-1",
        "model": "omni-moderation-2024-09-26",
        "results": [
            {
                "flagged": BAD in text,
                "categories": {"hate": False} | dict.fromkeys(hits, BAD in text),
                "category_scores": {"hate": 0.0} | dict.fromkeys(hits, 0.9),
            }
            for text in body["input"]
        ],
    }


def row(question: str, answer: str = "yes") -> str:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": messages}) + "\n"


@pytest.fixture
def service() -> Iterator[Moderator]:
    with Moderator() as server:
        yield server


@pytest.fixture
def data(shell: Shell, service: Moderator) -> Shell:
    """A file of 80 rows, the 70th of which is bad, and a service that says so."""
    write(shell, chat_rows(69) + row(f"A {BAD}?") + chat_rows(80)[len(chat_rows(70)) :])
    shell.environ.update(OPENAI_BASE_URL=service.url, OPENAI_API_KEY=KEY)
    return shell


def write(shell: Shell, rows: str, name: str = "train.jsonl") -> None:
    (shell.folder / name).write_text(rows, "utf-8")


def flagged(shell: Shell, *arguments: str) -> list[tuple[str, int, str]]:
    found = shell(*ASK, "--format", "json", *arguments).json
    return [
        (one["path"], one["line"], one["message"])
        for one in found["problems"]
        if one["code"] == "flagged-row"
    ]


def kept(shell: Shell) -> int:
    """How many verdicts the cache holds."""
    _, _, body = (cache_of(shell.folder) / "moderation").read_text().partition("\n")
    return sum(len(json.loads(line.partition("\t")[2])) for line in body.splitlines())


def test_the_rows_that_would_sink_a_job_are_named(data: Shell, service: Moderator) -> None:
    result = data(*ASK, "--no-one-answer", "--no-near-duplicates")

    assert result.status == 1
    assert result.out == (
        "train.jsonl:70: error[flagged-row]: moderation flags the row for"
        " harassment/threatening, violence\n"
        "    hint: take it out or write it anew: one such row can have the file refused\n"
    )
    assert result.err == (
        f"Sending the rows' texts to {service.url} for moderation.\n1 problem found.\n"
    )


def test_every_text_is_sent_once_in_few_requests(data: Shell, service: Moderator) -> None:
    data(*ASK)

    assert [len(body["input"]) for body in service.bodies] == [32, 32, 16]
    assert len(set(service.texts)) == 80
    assert service.texts[0] == "Question 0?\nyes"
    assert {body["model"] for body in service.bodies} == {"omni-moderation-latest"}
    assert set(service.paths) == {"/v1/moderations"}
    assert set(service.keys) == {f"Bearer {KEY}"}


def test_nothing_is_sent_unless_it_is_asked_for(data: Shell, service: Moderator) -> None:
    data.ok(*CHECK)

    assert service.bodies == []
    assert not (data.folder / ".ftctl").exists()


def test_a_second_run_asks_nothing_and_says_the_same(data: Shell, service: Moderator) -> None:
    first = data(*ASK)
    service.bodies.clear()

    second = data(*ASK)

    assert service.bodies == []
    assert (second.status, second.out) == (first.status, first.out)
    assert "Sending" not in second.err


def test_only_a_row_that_changed_is_sent(data: Shell, service: Moderator) -> None:
    data(*ASK)
    service.bodies.clear()
    path = data.folder / "train.jsonl"
    path.write_text(path.read_text().replace("Question 3?", "Question three?"))

    data(*ASK)

    assert service.texts == ["Question three?\nyes"]


def test_another_file_does_not_make_the_first_forgotten(data: Shell, service: Moderator) -> None:
    data(*ASK)
    write(data, chat_rows(12, "no"), "other.jsonl")
    data.ok("dataset", "check", "other.jsonl", "--moderation")
    service.bodies.clear()

    data(*ASK)

    assert service.bodies == []


def test_another_service_is_asked_for_its_own_judgement(data: Shell, service: Moderator) -> None:
    data(*ASK)
    with Moderator() as other:
        data.environ["OPENAI_BASE_URL"] = other.url
        data(*ASK)

        assert other.texts == service.texts


def test_a_fault_in_the_middle_keeps_what_is_known(data: Shell, service: Moderator) -> None:
    service.instead = lambda number, _body: (
        (500, {"error": {"message": BAD}}) if number > 1 else None
    )

    failed = data(*ASK)

    assert (failed.status, failed.out) == (1, "")
    assert "HTTP 500" in failed.err
    assert "run the same command again: what was answered is kept" in failed.err
    assert kept(data) == 32
    service.bodies.clear()
    service.instead = lambda _number, _body: None
    assert [line for _, line, _ in flagged(data)] == [70]
    assert len(service.texts) == 48


def test_a_fault_loses_nothing_of_the_runs_before(data: Shell, service: Moderator) -> None:
    data(*ASK)
    path = data.folder / "train.jsonl"
    path.write_text(chat_rows(40, "no") + path.read_text())
    asked = len(service.bodies)
    service.instead = lambda number, _body: (500, {}) if number > asked + 1 else None

    data(*ASK)

    assert kept(data) == 80 + 32


def test_a_fault_that_passes_is_waited_for(data: Shell, service: Moderator) -> None:
    service.instead = lambda number, _body: (429, {"error": {}}) if number in (1, 3) else None

    assert [line for _, line, _ in flagged(data)] == [70]
    assert len(service.bodies) == 3 + 2


def test_ctrl_c_keeps_what_is_known(data: Shell, service: Moderator) -> None:
    class Impatient(HandClock):
        def sleep(self, seconds: float) -> None:
            raise KeyboardInterrupt

    service.instead = lambda number, _body: (503, {}) if number == 2 else None
    data.clock = Impatient()

    assert data(*ASK).status == 130
    assert kept(data) == 32


def test_what_was_answered_is_written_down_on_the_way(data: Shell, service: Moderator) -> None:
    write(data, chat_rows(32 * 52))
    seen: list[int] = []

    def look(number: int, _body: object) -> None:
        seen.append(kept(data) if (cache_of(data.folder) / "moderation").exists() else 0)

    service.instead = look
    data.ok(*ASK, "--no-near-duplicates")

    assert seen == [0] * 50 + [50 * 32] * 2


def test_neither_the_key_nor_a_text_shows_up(data: Shell, service: Moderator) -> None:
    def quote(number: int, body: dict[str, Any]) -> Answer | None:
        said = {"error": {"message": f"bad key {KEY}: {body['input']}", "code": "invalid"}}
        return (400, said) if number == 2 else None

    service.instead = quote
    printed = [data(*ASK, "-v", "--format", form) for form in ("text", "json", "github")]

    assert [one.status for one in printed] == [1, 1, 1]
    assert [bool(one.out) for one in printed] == [False, True, True]
    assert "> POST /v1/moderations" in printed[0].err
    assert "HTTP 400, invalid" in printed[0].err
    for one in printed:
        for secret in (KEY, BAD, "Question"):
            assert secret not in one.out + one.err
    for path in cache_of(data.folder).rglob("*"):
        if path.is_file():
            assert not any(secret in path.read_text() for secret in (KEY, BAD, "Question"))


def test_a_category_that_quotes_is_not_printed(data: Shell, service: Moderator) -> None:
    service.instead = lambda _number, body: (200, verdicts(body, f"\x1b[31mA {BAD}?"))

    assert flagged(data) == [
        ("train.jsonl", 70, "moderation flags the row for a reason without a name")
    ]


def test_a_key_that_is_not_accepted_is_told_with_its_variable(
    data: Shell, service: Moderator
) -> None:
    said = {"error": {"message": f"Incorrect API key provided: {KEY}.", "code": "invalid_api_key"}}
    service.instead = lambda _number, _body: (401, said)

    result = data(*ASK)

    assert "hint: the key is not accepted; check OPENAI_API_KEY" in result.err
    assert KEY not in result.err
    assert len(service.bodies) == 1


def test_a_service_without_moderation_is_told_as_such(data: Shell, service: Moderator) -> None:
    service.instead = lambda _number, _body: (404, {"error": {"message": "no such path"}})

    assert "this service has no moderation" in data(*ASK).err


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>",
        [],
        {},
        {"results": None},
        {"results": []},
        {"results": [None] * 32},
        {"results": [{"flagged": "false", "categories": {}}] * 32},
        {"results": [{"flagged": True, "categories": None}] * 32},
    ],
)
def test_an_answer_that_is_none_is_no_verdict(
    data: Shell, service: Moderator, answer: object
) -> None:
    service.instead = lambda _number, _body: (200, answer)

    result = data(*ASK)

    assert "the answer cannot be read" in result.err
    assert "is OPENAI_BASE_URL the address" in result.err
    assert not (cache_of(data.folder) / "moderation").exists()


@pytest.mark.parametrize("key", [None, "", "  "])
def test_without_a_key_nothing_is_read_or_sent(
    data: Shell, service: Moderator, key: str | None
) -> None:
    data.environ.pop("OPENAI_API_KEY")
    data.environ |= {} if key is None else {"OPENAI_API_KEY": key}

    result = data(*ASK)

    assert (result.status, result.out) == (1, "")
    assert result.err == (
        "error: the environment variable OPENAI_API_KEY is not set; it holds the key for the"
        " service that moderates\n"
        "    hint: export OPENAI_API_KEY=…, or leave out --moderation\n"
    )
    assert service.bodies == []


def test_a_key_or_an_address_that_is_none_is_not_printed(data: Shell) -> None:
    data.environ["OPENAI_API_KEY"] = "sk-tést-0123456789"
    key = data(*ASK).err
    data.environ |= {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "https://me:hidden@example.com"}
    address = data(*ASK).err

    assert "characters that no key has" in key
    assert "tést" not in key
    assert "OPENAI_BASE_URL has an '@', before which names and passwords stand" in address
    assert "hidden" not in address
    assert "hidden" not in address


def test_half_a_character_is_sent_as_a_question_mark(data: Shell, service: Moderator) -> None:
    write(data, chat_rows(12) + row(f"\ud83d {BAD}"))

    assert flagged(data)[0][1] == 13
    assert service.texts[12] == f"? {BAD}\nyes"


def test_the_rows_that_can_be_read_are_moderated_beside_those_that_cannot(
    data: Shell, service: Moderator
) -> None:
    write(data, chat_rows(12) + "nonsense\n\n" + row(f"A {BAD}?"))

    found = data(*ASK, "--format", "json").json

    assert {"flagged-row": 1, "not-json": 1}.items() <= found["counts"].items()
    assert [one[1] for one in flagged(data)] == [15]


def test_validation_rows_are_moderated_too(data: Shell) -> None:
    write(data, row(f"Another {BAD}?"), "held.jsonl")

    assert [one[:2] for one in flagged(data, "--validation", "held.jsonl")] == [
        ("held.jsonl", 1),
        ("train.jsonl", 70),
    ]


def test_a_file_with_a_flagged_row_is_not_ok(data: Shell) -> None:
    found = data(*ASK, "--format", "json").json

    assert [(one["ok"], one["rows"]) for one in found["files"]] == [(False, 80)]


def test_as_many_flagged_rows_are_told_as_are_asked_for(data: Shell) -> None:
    write(data, "".join(row(f"{number} {BAD}") for number in range(30)))

    told = data(*ASK, "--max-per-code", "3").out

    assert told.count("error[flagged-row]: moderation flags") == 3
    assert "error[flagged-row]: … and 27 more of this kind" in told
    assert len(flagged(data)) == 30


def test_a_project_cannot_ask_for_it_on_every_run(
    shell: Shell, write_project: Callable[[Mapping[str, str]], Path]
) -> None:
    settings = {"ftctl.yaml": "project: demo\nquality: {moderation: error}\n"}
    write_project(small_project(**settings))

    result = shell("validate")

    assert result.status == 1
    assert result.out.startswith("ftctl.yaml:2:11: error[unknown-key]: unknown key 'moderation'")
    assert QualitySettings.from_config({"moderation": "error"}) == PROJECT_DEFAULTS
