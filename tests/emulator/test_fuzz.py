"""Requests that fit the specification, or come near it, to every operation of the emulator.

Whatever is sent, the answer is a refusal in the envelope or one that the specification has, and the
emulator goes on working. The long form runs with `--simulate-all`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from fidelity import MISSING, SPEC, Judge, Operation, Recorder, load_specification, sdk_violations
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from emulator.lab import JOBS, KEY, Lab, chats, form
from ftctl.emulator import Request, Response

pytestmark = pytest.mark.skipif(not SPEC.exists(), reason=MISSING)

Draw = Callable[[st.SearchStrategy[Any]], Any]


# Values that fit a rule of the specification, and values that fit none.

# Stand for something that is there when the request is sent: `FuzzedLab.live`.
FILE, JOB, MODEL, UPLOAD, PART, COMPLETION, PERMISSION = (
    f"<{name}>" for name in ("file", "job", "model", "upload", "part", "completion", "permission")
)
_BASES = st.sampled_from(["gpt-4.1-mini", "gpt-4o-2024-08-06", "o4-mini", "babbage-002", MODEL])
_LIKELY: Mapping[str, st.SearchStrategy[Any]] = {
    "model": _BASES,
    "training_file": st.just(FILE),
    "validation_file": st.sampled_from([FILE, None]),
    "part_ids": st.lists(st.just(PART), max_size=2),
    "after": st.sampled_from([FILE, JOB, COMPLETION, PERMISSION]),
    "filename": st.sampled_from(["a.jsonl", "b.png", "c"]),
    "mime_type": st.sampled_from(["text/jsonl", "image/png", "text/plain"]),
    "bytes": st.integers(1, 2000),
    "n": st.integers(1, 3),
    "max_completion_tokens": st.integers(1, 8),
    "input": st.sampled_from(["{{item.a}}", "{{sample.output_text}}", "{{", "x"]),
    "calculate_output": st.sampled_from(["1", "a", "1 / 0", "2 ^ (", "exp(1e9)"]),
    "source": st.sampled_from(["def grade(sample, item):\n    return 1", "raise", "import os"]),
}
_ALWAYS = {"max_completion_tokens"}  # or an answer may take seconds


def _nested(depth: int) -> Any:
    value: Any = "deep"
    for _ in range(depth):
        value = [value]
    return value


_TEXTS = st.text(max_size=12) | st.sampled_from(["", "\x00", "\ud800", "%", "é", "😀", "x" * 3000])
_NUMBERS = st.sampled_from([0, -1, 1, 2**31, 2**63, -(2**63) - 1, 10**40, 0.5, 1e308, -1e-320])
_LEAVES = st.none() | st.booleans() | _NUMBERS | st.integers() | _TEXTS
_DEEP = st.sampled_from([1, 90, 110, 400]).map(_nested)
ODD: st.SearchStrategy[Any] = _DEEP | st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)


def fitting(rule: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values of a schema of the specification; rules about several fields at once are not met."""
    return _fitting(json.dumps(rule, sort_keys=True))


@cache
def _fitting(text: str) -> st.SearchStrategy[Any]:
    rule = load_specification().resolve(json.loads(text))
    options = [*rule.get("oneOf", ()), *rule.get("anyOf", ())]
    match rule:
        case {"enum": list(choices)}:
            return st.sampled_from(choices)
        case {"allOf": list(parts)}:
            return st.tuples(*map(fitting, parts)).map(_merged)
        case {"type": list(types)}:
            return st.one_of([fitting({**rule, "type": one}) for one in types])
        case {"type": "object", "properties": _} if not options:
            return _objects(rule)
    if options:
        return st.deferred(lambda: st.one_of([fitting(one) for one in options]))
    return _plain(rule)


def _plain(rule: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    low, high = rule.get("minimum", rule.get("exclusiveMinimum")), rule.get("maximum")
    match rule.get("type"):
        case "string":
            return st.text(min_size=rule.get("minLength", 0), max_size=rule.get("maxLength", 20))
        case "integer":
            return st.integers(low, high)
        case "number":
            return st.floats(low, high, allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case "array":
            most = min(rule.get("maxItems", 3), 3)
            inner = fitting(rule.get("items", {}))
            return st.lists(inner, min_size=rule.get("minItems", 0), max_size=most)
        case "object":
            return st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3)
    return _LEAVES


def _objects(rule: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """With the required fields, and a few of the others: all at once would never be granted."""
    needed = [name for name in rule["properties"] if name in rule.get("required", ())]
    others = [name for name in rule["properties"] if name not in needed]
    always = needed + [name for name in others if name in _ALWAYS]

    @st.composite
    def objects(draw: Draw) -> dict[str, Any]:
        chosen = draw(st.lists(st.sampled_from(others), max_size=3, unique=True)) if others else []
        names = dict.fromkeys([*always, *chosen])
        parts = {name: _likely(name, rule["properties"][name]) for name in names}
        return {name: draw(part) for name, part in parts.items()}

    return objects()


def _likely(name: str, rule: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    return _LIKELY[name] if name in _LIKELY else fitting(rule)


def _merged(parts: tuple[Any, ...]) -> Any:
    objects = [part for part in parts if isinstance(part, dict)]
    return {name: value for part in objects for name, value in part.items()} or parts[0]


@st.composite
def spoiled(draw: Draw, value: Any) -> Any:
    """The value with one place in it replaced, removed or added."""
    if isinstance(value, dict) and value and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(value)))
        return {**value, name: draw(spoiled(value[name]))}
    if isinstance(value, list) and value and draw(st.booleans()):
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], draw(spoiled(value[place])), *value[place + 1 :]]
    if isinstance(value, dict) and value and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(value)))
        rest = {key: inner for key, inner in value.items() if key != name}
        return rest if draw(st.booleans()) else {**value, draw(_TEXTS): draw(ODD)}
    return draw(ODD)


# Whole requests.


@dataclass(frozen=True)
class Wanted:
    """A request in which what is there is only named, as `<file>`; `passed` seconds go before."""

    method: str
    target: str
    body: bytes
    content_type: str
    passed: int


_PATH_PARAMETERS = {
    "fine_tuning_job_id": JOB,
    "file_id": FILE,
    "upload_id": UPLOAD,
    "model": MODEL,
    "fine_tuned_model_checkpoint": MODEL,
    "completion_id": COMPLETION,
    "permission_id": PERMISSION,
}
_SEGMENTS = st.sampled_from(["none", "%", "%00", "%ff%fe", "..", "a%2Fb", "é", "x" * 9000, "%2e"])


@st.composite
def requests(draw: Draw) -> Wanted:
    """To any operation, from wholly right to wholly wrong."""
    operation = draw(st.sampled_from(load_specification().operations))
    method, path = operation.name.split(" ")
    content_type, body = draw(_bodies(operation))
    odd_method = draw(st.integers(0, 40)) == 0
    return Wanted(
        draw(st.sampled_from(["PUT", "HEAD", "BREW", "OPTIONS"])) if odd_method else method,
        f"/v1{draw(_paths(path))}{draw(_queries(operation))}",
        body,
        content_type,
        draw(st.sampled_from([0, 0, 0, 1, 1, 3, 4000])),
    )


@st.composite
def _paths(draw: Draw, path: str) -> str:
    for name, here in _PATH_PARAMETERS.items():
        value = draw(_SEGMENTS) if draw(st.integers(0, 7)) == 0 else here
        path = path.replace(f"{{{name}}}", value)
    return path


@st.composite
def _queries(draw: Draw, operation: Operation) -> str:
    if not operation.parameters or draw(st.booleans()):
        return draw(st.sampled_from(["", "", "", "?", "?=", "?a&&b=%zz", "?x[y=1"]))  # type: ignore[no-any-return]
    pairs: list[tuple[str, str]] = []
    for name in draw(st.lists(st.sampled_from(sorted(operation.parameters)), max_size=3)):
        rule = load_specification().resolve(operation.parameters[name])
        value = draw(_likely(name, rule) if draw(st.booleans()) else _LEAVES)
        if isinstance(value, dict):
            pairs += [(f"{name}[{key}]", text) for key, text in value.items()]
        else:
            pairs.append((name, value if isinstance(value, str) else json.dumps(value)))
    return "?" + urlencode(pairs, errors="replace", safe="<>")


_TYPES = st.sampled_from(["", "application/json", "text/plain", "multipart/form-data", "é;;=\x00"])
_BYTES = st.binary(max_size=40) | st.sampled_from(
    [b"[" * 200_000, b"", b"{", b"[]", b"\xff\xfe{", b"null", b"1"]
)


@st.composite
def _bodies(draw: Draw, operation: Operation) -> tuple[str, bytes]:
    if not operation.bodies or draw(st.integers(0, 20)) == 0:
        return draw(_TYPES), draw(_BYTES)
    kind, rule = next(iter(operation.bodies.items()))
    if kind == "multipart/form-data":
        return draw(_forms(load_specification().resolve(rule)))  # type: ignore[no-any-return]
    value = draw(fitting(rule))
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        value = draw(spoiled(value))
    encoding = draw(st.sampled_from(["utf-8"] * 8 + ["utf-16", "utf-8-sig"]))
    odd_type = draw(st.integers(0, 20)) == 0
    return draw(_TYPES) if odd_type else kind, json.dumps(value).encode(encoding)


@st.composite
def _forms(draw: Draw, rule: Mapping[str, Any]) -> tuple[str, bytes]:
    binary = [name for name, part in rule["properties"].items() if part.get("format") == "binary"]
    content = draw(st.sampled_from([chats(12), chats(1), b"", b"\xff\x00", b"--edg"]))
    fields: list[tuple[str, str | None, bytes]] = [
        (name, draw(st.sampled_from(["a.jsonl", "b", "é\"'", None])), content) for name in binary
    ]
    purposes = rule["properties"].get("purpose", {}).get("enum", [])
    texts = st.sampled_from([*purposes, "3600", "created_at", "\x00", "9" * 400])
    names = st.sampled_from(["expires_after[anchor]", "expires_after[seconds]", "purpose", "odd"])
    more = draw(st.lists(st.tuples(names, texts), max_size=3)) if draw(st.booleans()) else []
    if purposes:
        more.insert(0, ("purpose", draw(st.sampled_from(purposes))))
    fields += [(name, None, text.encode()) for name, text in more]
    (_, content_type), body = form(*fields)
    cut = draw(st.integers(0, 12))
    return content_type, body[: -cut * 3] if cut and draw(st.booleans()) else body


# What must hold.


class FuzzedLab(Lab):
    """A lab that always has one of each thing, and keeps what it said."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.recorder = Recorder(load_specification())
        self.ids: dict[str, str] = {}
        self.made_at: dict[str, float] = {}

    def live(self, name: str) -> str:
        """The id of a thing that is there: the last one, or a new one where it has gone."""
        if not self._is_there(name):
            self.ids[name], self.made_at[name] = self._make(name), self.now
            if name == UPLOAD:
                self.ids.pop(PART, None)
        return self.ids[name]

    def _is_there(self, name: str) -> bool:
        if name not in self.ids:
            return False
        if name in _DOORS:
            return self.call("GET", _DOORS[name] + quote(self.ids[name], safe=":"))[0] == 200
        return name == PART or self.now < self.made_at[name] + _OLD_SECONDS

    def _make(self, name: str) -> str:
        if name == FILE:
            return self.upload()
        if name == MODEL:
            job = self.create()["id"]
            self.now += 100
            return str(self.job(job)["fine_tuned_model"])
        target, wanted = {
            JOB: (JOBS, {"model": "gpt-4o", "training_file": self.live(FILE)}),
            UPLOAD: ("/v1/uploads", _UPLOAD),
            COMPLETION: ("/v1/chat/completions", _COMPLETION),
        }.get(name, ("", {}))
        if name == PART:
            header, body = form(("data", "blob", chats(12)))
            made = self.send("POST", f"/v1/uploads/{self.live(UPLOAD)}/parts", body, header)
            return str(json.loads(made.body).get("id"))
        if name == PERMISSION:
            target = f"/v1/fine_tuning/checkpoints/{self.live(MODEL)}/permissions"
            granted = self.call("POST", target, {"project_ids": ["proj_1"]})[1]
            return str(granted["data"][0]["id"])
        return str(self.call("POST", target, wanted)[1]["id"])

    def filled(self, text: str) -> str:
        """The text with the ids of what is there in the place of their names."""
        for name in (FILE, JOB, MODEL, UPLOAD, PART, COMPLETION, PERMISSION):
            if name in text:
                text = text.replace(name, self.live(name))
        return text

    def answer(self, wanted: Wanted) -> tuple[Response, bytes]:
        """What the emulator says; a stream is read to its end."""
        self.now += wanted.passed
        target = self.filled(wanted.target)
        body = wanted.body
        if b"<" in body:
            body = self.filled(body.decode("latin-1")).encode("latin-1")
        headers = (KEY, ("content-type", wanted.content_type))
        request = Request.to(wanted.method, target, headers, body)
        response = self.recorder.see(request, self.emulator.handle(request))
        pieces = response.stream
        return response, response.body if pieces is None else b"".join(pieces)


_DOORS = {FILE: "/v1/files/", MODEL: "/v1/models/", COMPLETION: "/v1/chat/completions/"}
_OLD_SECONDS = 15  # after which a job or an upload is likely to have ended
_UPLOAD = {"filename": "a.jsonl", "purpose": "fine-tune", "mime_type": "text/jsonl"}
_UPLOAD["bytes"] = len(chats(12))  # type: ignore[assignment]
_COMPLETION = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}], "store": True}
_COMPLETION["max_completion_tokens"] = 2


def check(lab: FuzzedLab, wanted: Wanted) -> None:
    """The request is granted or refused as the API does either."""
    note(str(wanted)[:2000])

    response, body = lab.answer(wanted)

    note(f"{response.status} {body[:500]!r}")
    kind = dict(response.headers)["content-type"].partition(";")[0]
    assert 200 <= response.status < 500
    assert kind in {"application/json", "text/event-stream", "application/octet-stream"}
    if response.status >= 400:
        error = json.loads(body)["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert isinstance(error["message"], str)
        assert error["message"]
    elif kind == "application/json":
        assert isinstance(json.loads(body), dict)
    elif kind == "text/event-stream":
        assert body.endswith(b"data: [DONE]\n\n")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FuzzedLab]:
    lab = FuzzedLab(tmp_path_factory.mktemp("fuzz"))
    with lab.emulator:
        yield lab


_ALL_CHECKS = list(HealthCheck)


@settings(max_examples=1000, deadline=None, derandomize=True, suppress_health_check=_ALL_CHECKS)
@given(wanted=requests())
def test_no_request_makes_the_emulator_fail(lab: FuzzedLab, wanted: Wanted) -> None:
    check(lab, wanted)


@settings(max_examples=20_000, deadline=None, suppress_health_check=_ALL_CHECKS)
@given(wanted=requests())
def _many(lab: FuzzedLab, wanted: Wanted) -> None:
    check(lab, wanted)


def test_no_request_of_very_many_makes_the_emulator_fail(
    lab: FuzzedLab, request: pytest.FixtureRequest
) -> None:
    if not request.config.getoption("--simulate-all"):
        pytest.skip("only with --simulate-all")

    _many(lab)


def test_what_was_granted_on_the_way_fits_the_specification(lab: FuzzedLab) -> None:
    judge = Judge(lab.recorder.specification)
    kept = lab.recorder.exchanges()

    assert list(map(str, judge.violations(kept))) == []
    assert list(map(str, sdk_violations(kept))) == []


def test_most_operations_were_granted_on_the_way(lab: FuzzedLab) -> None:
    granted = {name for name, status in lab.recorder.met if status == 200}

    assert len(granted) >= 25


def test_the_emulator_still_works_after_all_that(lab: FuzzedLab) -> None:
    job = lab.create(suffix="after")
    lab.now += 100

    ended = lab.job(job["id"])

    assert ended["status"] == "succeeded"
    assert ended["fine_tuned_model"] in {one["id"] for one in lab.get("/v1/models")["data"]}
    with lab.emulator._store.transaction("DEFERRED") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
