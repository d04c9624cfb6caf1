"""The emulator against the public specification and the SDK's types.

A journey over every operation, and whatever any test of this run said to it and heard from it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, preference_rows
from fidelity import (
    EXPECTED_FAILURES,
    KNOWN_CONTRADICTIONS,
    MISSING,
    SPEC,
    Judge,
    Recorder,
    load_specification,
    sdk_violations,
)

from emulator.lab import JOBS, KEY, Lab, chats, form
from ftctl.emulator import Request, Response
from ftctl.emulator.api.routes import ROUTES
from ftctl.emulator.http.wire import answer

pytestmark = pytest.mark.skipif(not SPEC.exists(), reason=MISSING)


# The judge itself.


def told(
    target: str, answer: Any, *, method: str = "GET", status: int = 200, **more: Any
) -> list[str]:
    """What the judge says about an exchange: `asked` is the request's body, `kind` its answer's."""
    recorder = Recorder(load_specification())
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    asked = more.get("asked", b"")
    sent = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
    headers = (("content-type", more["sends"]),) if "sends" in more else ()
    response = Response(status, (("content-type", more.get("kind", "application/json")),), body)
    recorder.see(Request.to(method, f"/v1{target}", headers, sent), response)
    found = Judge(recorder.specification).violations(recorder.exchanges())
    return [f"{one.side}: {one.fault}" for one in (*found, *sdk_violations(recorder.exchanges()))]


MODEL = {"id": "m", "object": "model", "created": 1, "owned_by": "me", "shutdown_date": None}
ERROR = {"message": "No.", "type": "invalid_request_error", "param": None, "code": None}
UPLOAD = {"filename": "a", "purpose": "vision", "bytes": 1, "mime_type": "image/png"}


def test_the_judge_has_nothing_against_what_fits() -> None:
    assert told("/models/m", MODEL) == []
    assert told("/models/m", {"error": ERROR}, status=404) == []
    assert told("/nowhere", {"error": ERROR}, status=404) == []
    assert told("/models", {"object": "list", "data": [MODEL, MODEL]}) == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({**MODEL, "created": "1"}, "answer 200: body.created: '1' is not of type 'integer'"),
        ({**MODEL, "id": None}, "answer 200: body.id: None is not of type 'string'"),
        ({**MODEL, "object": "thing"}, "answer 200: body.object: 'thing' is not one of ['model']"),
        (b"<html>", "answer 200: body cannot be read: '<html>'"),
    ],
)
def test_the_judge_sees_an_answer_that_does_not_fit(answer: Any, said: str) -> None:
    assert said in told("/models/m", answer)
    assert len(told("/models/m", answer)) == 2  # the SDK does not take it either


def test_the_judge_sees_a_wrong_member_among_right_ones() -> None:
    members = [MODEL, {**MODEL, "created": 1.5}, MODEL]

    said = told("/models", {"object": "list", "data": members})

    assert said[0] == "answer 200: body.data[0].created: 1.5 is not of type 'integer'"


def test_the_judge_sees_statuses_and_types_that_are_not_declared() -> None:
    page = {"kind": "text/html"}
    envelope = {"error": ERROR}

    assert told("/models", {}, status=204)[0].endswith("the status is not in the specification")
    assert told("/models", b"<p>", status=404, **page) == [
        "answer 404: the content type 'text/html' is not in the specification"
    ]
    assert told("/models", envelope, status=500) == [f"answer 500: the emulator failed: {envelope}"]
    assert told("/nowhere", {"error": "No."}, status=404) == [
        "answer 404: body.error: 'No.' is not of type 'object'"
    ]


def test_the_judge_sees_what_should_not_have_been_granted() -> None:
    pages = {"object": "list", "data": [], "first_id": "", "last_id": "", "has_more": False}
    upload = {"id": "u", "object": "upload", "created_at": 1, "expires_at": 2, "status": "pending",
              **{name: UPLOAD[name] for name in ("filename", "purpose", "bytes")}}  # fmt: skip
    form = b'--e\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfun\r\n--e--\r\n'

    def granted(body: Any, **more: Any) -> list[str]:
        return told("/uploads", upload, method="POST", asked=body, **more)

    assert granted(UPLOAD) == []
    assert granted({**UPLOAD, "bytes": "1"}) == [
        "request: body.bytes: '1' is not of type 'integer'"
    ]
    assert granted(b"") == ["request: body: None is not of type 'object'"]
    assert "('x' was unexpected)" in granted({**UPLOAD, "x": 1})[0]
    assert "text/plain is not in" in granted(UPLOAD, sends="text/plain")[0]
    assert told("/files?limit=many", pages) == [
        "request: query.limit: 'many' is not of type 'integer'"
    ]
    assert told("/files?order=up&color=red", pages) == [
        "request: query.order: 'up' is not one of ['asc', 'desc']"
    ]
    assert (
        told("/nowhere", {})[0]
        == "request: granted, though the specification has no such operation"
    )
    assert told("/files", {}, method="POST", asked=form, sends="multipart/form-data; boundary=e")[
        0
    ].startswith("request: body")


def test_the_judge_looks_into_every_chunk_of_a_stream() -> None:
    chunk = {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [],
    }
    lines = [json.dumps(chunk), json.dumps({**chunk, "model": 7}), "[DONE]"]
    body = "".join(f"data: {line}\n\n" for line in lines).encode()
    request = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}

    said = told("/chat/completions", body, method="POST", asked=request, kind="text/event-stream")

    assert said[0] == "answer 200: body.model: 7 is not of type 'string'"
    assert len(said) == 2


def test_one_exchange_of_a_kind_is_kept() -> None:
    recorder = Recorder(load_specification())
    for number in range(1000):
        model = {**MODEL, "id": f"ft:{number:04}", "created": 1_800_000_000 + number}
        response = answer(model)
        recorder.see(Request.to("GET", f"/v1/models/ft:{number:04}"), response)

    assert recorder.seen == 1000
    assert len(recorder.kept) == 2  # what was asked, and what was answered


def test_a_stream_is_seen_when_it_was_read_or_left() -> None:
    recorder = Recorder(load_specification())
    request = Request.to("POST", "/v1/chat/completions", (), b'{"stream": true}')
    headers = (("content-type", "text/event-stream"),)
    stream = iter([b"data: {}\n\n", b"data: [DONE]\n\n"])

    heard = recorder.see(request, Response(200, headers, b"", stream=stream))
    before = recorder.seen
    assert heard.stream is not None
    whole = b"".join(heard.stream)

    assert whole == b"data: {}\n\ndata: [DONE]\n\n"
    assert (before, recorder.seen) == (0, 1)
    assert any(one.body == {} for one in recorder.exchanges())


@pytest.mark.parametrize(
    "response",
    [
        Response(503, (("x-ftctl-fault", "1"),), b"<html>"),
        Response(503, (), b"", cut=True),
    ],
)
def test_what_a_fault_asked_for_is_not_judged(response: Response) -> None:
    recorder = Recorder(load_specification())

    assert recorder.see(Request.to("GET", "/v1/models"), response) is response
    assert recorder.exchanges() == ()


# The journey.


class HeardLab(Lab):
    """A lab that keeps what was said to it and heard from it."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        super().__init__(folder, **changes)
        self.recorder = Recorder(load_specification())

    def send(
        self, method: str, target: str, body: bytes = b"", *headers: tuple[str, str]
    ) -> Response:
        request = Request.to(method, target, (KEY, *headers), body)
        response = self.recorder.see(request, self.emulator.handle(request))
        if response.stream is not None:
            response = replace(response, body=b"".join(response.stream), stream=None)
        return response

    def ok(self, method: str, target: str, value: Any = None) -> Any:
        """The answer to a request that must be granted."""
        status, answer = self.call(method, target, value)
        assert status == 200, answer
        return answer

    def no(self, *targets: str, value: Any = None) -> None:
        """Requests, such as `GET /v1/files/none`, that must be refused."""
        for target in targets:
            method, _, path = target.partition(" ")
            self.refused(method, path, value)

    def post_form(self, target: str, *fields: tuple[str, str | None, bytes]) -> Any:
        """The answer to a form that must be granted."""
        header, body = form(*fields)
        response = self.send("POST", target, body, header)
        assert response.status == 200, response.body
        return json.loads(response.body)


def tour_files(lab: HeardLab) -> None:
    life = {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    file = lab.upload(chats(12), **life)
    for purpose in ("assistants", "batch", "vision", "user_data", "evals"):
        lab.upload(b"content", purpose)
    for query in ("", "?limit=1&order=asc", f"?after={file}&purpose=vision", "?purpose=none"):
        lab.ok("GET", f"/v1/files{query}")
    lab.ok("GET", f"/v1/files/{file}")
    assert lab.send("GET", f"/v1/files/{file}/content").body == chats(12)
    lab.ok("DELETE", f"/v1/files/{file}")
    gone = f"/v1/files/{file}"
    lab.no("POST /v1/files", "GET /v1/files?limit=0", "GET /v1/files?order=up")
    lab.no(f"GET {gone}", f"GET {gone}/content", f"DELETE {gone}")


def tour_uploads(lab: HeardLab) -> None:
    wanted = {"purpose": "fine-tune", "mime_type": "text/jsonl", "bytes": len(chats(12))}
    wanted |= {"filename": "a.jsonl", "expires_after": {"anchor": "created_at", "seconds": 3600}}
    first, second = (lab.ok("POST", "/v1/uploads", wanted)["id"] for _ in range(2))
    half = len(chats(12)) // 2
    parts = [
        lab.post_form(f"/v1/uploads/{first}/parts", ("data", "blob", content))["id"]
        for content in (chats(12)[:half], chats(12)[half:])
    ]
    done = lab.ok("POST", f"/v1/uploads/{first}/complete", {"part_ids": parts})
    assert lab.send("GET", f"/v1/files/{done['file']['id']}/content").body == chats(12)
    lab.ok("POST", f"/v1/uploads/{second}/cancel")
    lab.no("POST /v1/uploads", value={**wanted, "color": "red"})
    lab.no("POST /v1/uploads", value={**wanted, "bytes": "many"})
    for upload in ("none", first, second):
        lab.no(f"POST /v1/uploads/{upload}/cancel")
        lab.no(f"POST /v1/uploads/{upload}/complete", value={"part_ids": []})
        header, body = form(("data", "blob", b"more"))
        assert lab.send("POST", f"/v1/uploads/{upload}/parts", body, header).status >= 400


CHECK = {"type": "string_check", "name": "same", "operation": "eq", "input": "{{item.answer}}"}
CHECK["reference"] = "{{sample.output_text}}"
LIKE = {**CHECK, "type": "text_similarity", "name": "like", "evaluation_metric": "rouge_l"}
del LIKE["operation"]
PYTHON = {"type": "python", "name": "p", "source": "def grade(sample, item):\n    return 1.0\n"}
SCORE = {"type": "score_model", "name": "s", "model": "gpt-4o",
         "input": [{"role": "user", "content": "Rate {{sample.output_text}}"}]}  # fmt: skip
MULTI = {"type": "multi", "name": "m", "graders": {"same": CHECK, "like": LIKE}}
MULTI["calculate_output"] = "0.5 * same + 0.5 * like"
SINGLE = {**MULTI, "graders": CHECK, "calculate_output": "same"}  # as the specification has it


def tour_jobs(lab: HeardLab) -> None:
    file = lab.upload(task_rows())
    row = {"training_file": file, "validation_file": file, "model": "o4-mini"}
    jobs = [
        lab.create(suffix="a", metadata={"k": "v"}, seed=3),
        lab.create(hyperparameters={"n_epochs": 2, "batch_size": "auto"}),
        lab.create(
            training_file=lab.upload(preference_rows(12).encode()),
            method={"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.5}}},
        ),
        *(
            lab.create(method={"type": "reinforcement", "reinforcement": {"grader": one}}, **row)
            for one in (CHECK, LIKE, SCORE, MULTI, SINGLE)
        ),
        lab.create(training_file=lab.upload(chats(3)), validation_file=file),
        lab.create(integrations=[{"type": "wandb", "wandb": {"project": "p", "tags": ["t"]}}]),
    ]
    for _ in range(14):
        lab.now += 1
        for query in ("?limit=3", "?metadata[k]=v", "?metadata=null", f"?after={jobs[1]['id']}"):
            lab.ok("GET", JOBS + query)
        for job in jobs:
            for rest in ("", "/events?limit=4", "/checkpoints?limit=1"):
                lab.ok("GET", f"{JOBS}/{job['id']}{rest}")
    for rest in ("events", "checkpoints"):
        newest = lab.ok("GET", f"{JOBS}/{jobs[0]['id']}/{rest}")["data"][0]["id"]
        lab.ok("GET", f"{JOBS}/{jobs[0]['id']}/{rest}?after={newest}")
    running = lab.create()["id"]
    lab.now += 3
    for verb in ("pause", "resume", "cancel"):
        lab.ok("POST", f"{JOBS}/{running}/{verb}")
        lab.ok("GET", f"{JOBS}/{running}")
    for job in (running, "none"):
        lab.no(*(f"POST {JOBS}/{job}/{verb}" for verb in ("pause", "resume", "cancel")))
    lab.no(f"GET {JOBS}/none", f"GET {JOBS}/none/events", f"GET {JOBS}/none/checkpoints")
    lab.no(f"GET {JOBS}?limit=x", f"POST {JOBS}")
    lab.no(f"POST {JOBS}", value={"model": "gpt-4o", "training_file": "none"})
    assert {lab.job(job["id"])["status"] for job in jobs} == {"succeeded", "failed"}


def tour_models(lab: HeardLab) -> None:
    job = lab.create(suffix="shared")
    lab.now += 100
    model = lab.job(job["id"])["fine_tuned_model"]
    door = f"/v1/fine_tuning/checkpoints/{model}/permissions"
    made = lab.ok("POST", door, {"project_ids": ["proj_a", "proj_b"]})["data"]
    for query in ("", "?limit=1", "?order=ascending", f"?after={made[0]['id']}&project_id=proj_a"):
        lab.ok("GET", door + query)
    lab.ok("DELETE", f"{door}/{made[0]['id']}")
    lab.no(f"DELETE {door}/{made[0]['id']}", f"GET {door}?order=up", f"POST {door}")
    lab.no("GET /v1/fine_tuning/checkpoints/gpt-4o/permissions")
    for name in (model, "gpt-4o"):
        lab.ok("GET", f"/v1/models/{name}")
    lab.ok("GET", "/v1/models")
    lab.ok("DELETE", f"/v1/models/{model}")
    lab.no(f"DELETE /v1/models/{model}", "DELETE /v1/models/gpt-4o", "GET /v1/models/none")
    unsigned = Request.to("GET", "/v1/models")  # without a key: all that this one can refuse
    assert lab.recorder.see(unsigned, lab.emulator.handle(unsigned)).status == 401


def tour_graders(lab: HeardLab) -> None:
    door = "/v1/fine_tuning/alpha/graders"
    sample = {"item": {"answer": "yes"}, "model_sample": "yes"}
    for grader in (CHECK, LIKE, PYTHON, SCORE, MULTI, {**MULTI, "calculate_output": "1 / 0"}):
        lab.ok("POST", f"{door}/validate", {"grader": grader})
        lab.ok("POST", f"{door}/run", {"grader": grader, **sample})
    odd: list[Any] = [None, {}, {**CHECK, "operation": "near"}, {**MULTI, "graders": {}}]
    for grader in odd:
        lab.no(f"POST {door}/validate", value={"grader": grader})
        lab.no(f"POST {door}/run", value={"grader": grader, **sample})
    lab.no(f"POST {door}/run", value={"grader": CHECK})


def tour_chat(lab: HeardLab) -> None:
    door = "/v1/chat/completions"
    asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}], "seed": 1}
    asked |= {"max_completion_tokens": 4}
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    more: list[dict[str, Any]] = [
        {"logprobs": True, "top_logprobs": 2, "n": 2},
        {"tools": [tool], "tool_choice": "auto", "parallel_tool_calls": False},
        {"response_format": {"type": "text"}, "temperature": 0, "stop": ["."], "user": "u"},
    ]
    for one in more:
        lab.ok("POST", door, {**asked, **one})
        pieces = json.dumps({**asked, **one, "stream": True}).encode()
        assert lab.send("POST", door, pieces).body.endswith(b"data: [DONE]\n\n")
    kept = [lab.ok("POST", door, {**asked, "store": True, "metadata": {"k": "v"}})["id"]]
    kept += [lab.ok("POST", door, {**asked, "store": True, **one})["id"] for one in more]
    for query in ("", "?limit=1&order=desc", f"?after={kept[0]}", "?metadata[k]=v&model=gpt-4o"):
        lab.ok("GET", door + query)
    kept_door = f"{door}/{kept[0]}"
    lab.ok("GET", kept_door)
    lab.ok("POST", kept_door, {"metadata": {"k": "w"}})
    lab.ok("GET", f"{kept_door}/messages?limit=1&order=desc")
    lab.ok("DELETE", kept_door)
    lab.no(
        f"GET {kept_door}",
        f"GET {kept_door}/messages",
        f"DELETE {kept_door}",
        f"GET {door}?limit=0",
    )
    lab.no(f"POST {kept_door}", value={"metadata": {}})
    lab.no(f"POST {door}", value={**asked, "n": 0})
    lab.no(f"POST {door}", value={**asked, "model": "none"})


def task_rows() -> bytes:
    """Twelve prompts with a wanted answer."""
    row = {"messages": [{"role": "user", "content": "Is it so?"}], "answer": "yes"}
    return (json.dumps(row) + "\n").encode() * 12


TOURS = (tour_files, tour_uploads, tour_jobs, tour_models, tour_graders, tour_chat)


@pytest.fixture(scope="module")
def toured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HeardLab]:
    """A lab in which every tour was made."""
    lab = HeardLab(tmp_path_factory.mktemp("tour"), python_graders=True)
    with lab.emulator:
        for tour in TOURS:
            tour(lab)
        yield lab


def test_the_journey_fits_the_specification_and_the_sdk(toured: HeardLab) -> None:
    judge = Judge(toured.recorder.specification)
    kept = toured.recorder.exchanges()

    assert list(map(str, judge.violations(kept))) == []
    assert list(map(str, sdk_violations(kept))) == []
    assert set(judge.used) == {known.name for known in KNOWN_CONTRADICTIONS}


def test_the_journey_meets_every_operation_granted_and_refused(toured: HeardLab) -> None:
    met = toured.recorder.met
    names = {one.name for one in toured.recorder.specification.operations}

    granted = {name for name, status in met if status == 200}
    refused = {name for name, status in met if 400 <= status < 500}

    assert len(names) == 31
    assert granted == names
    assert refused == names


def test_the_emulator_has_the_operations_of_the_specification_and_no_others() -> None:
    def shape(path: str) -> str:
        return re.sub(r"\{[^}]*\}", "{}", path)

    ours = {f"{method} {shape(path.removeprefix('/v1'))}" for method, path, _ in ROUTES}

    assert ours == {shape(one.name) for one in load_specification().operations}


# The run: what any test said and heard, in one process or in several.

HEARING = """\
import json
import pytest
from fidelity import Hearing
from ftctl.emulator import Emulator, Request, Response

def answer(self, request):
    return Response(200, (("content-type", "application/json"),), request.body)

def pytest_configure(config):
    Emulator.handle = answer
    config.pluginmanager.register(Hearing(config))

@pytest.fixture
def says():
    def says(**model):
        model = {**%r, **model}
        Emulator.handle(None, Request.to("GET", "/v1/models/m", (), json.dumps(model).encode()))
    return says
"""
FITS = "def test_fits(says):\n    says()\n"
UNFIT = "def test_unfit(says):\n    says(created='1')\n"


def run_of(folder: Path, *options: str, **files: str) -> tuple[int, str]:
    """How a run of the tests in these files ends, every one of which passes."""
    (folder / "conftest.py").write_text(HEARING % MODEL, "utf-8")
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(text, "utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "xdist", *options, folder.name]
    # Where CI is set, pytest's summary says every failure a second time, in full.
    alone = {
        "PYTHONPATH": str(ROOT / "tests"),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "CI": "",
        "BUILD_NUMBER": "",
    }
    done = subprocess.run(
        command, cwd=folder.parent, capture_output=True, text=True, check=False,
        env={**os.environ, **alone},
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run_fails_for_what_one_of_its_tests_heard(tmp_path: Path, workers: str) -> None:
    status, out = run_of(tmp_path, "-n", workers, a=FITS, b=UNFIT, c=FITS)

    assert status == 1
    assert out.count("1 failed, 3 passed") == 1
    assert "answer 200: body.created: '1' is not of type 'integer' [" in out
    assert "test_b.py::test_unfit]" in out
    assert "exchanges: 3, kinds: 3\noperations: 1 of 31\nviolations: 2\n" in out


def test_a_whole_run_fails_for_excuses_that_nothing_needs(tmp_path: Path) -> None:
    folder = tmp_path / "tests"
    folder.mkdir()

    status, out = run_of(folder, "-n", "0", a=FITS)

    assert (status, out.count("1 failed, 1 passed")) == (1, 1)
    idle = re.findall("(?m)^(.+): not met any more, so its excuse can be deleted$", out)
    assert set(idle) == {known.name for known in KNOWN_CONTRADICTIONS} | set(EXPECTED_FAILURES)


def test_a_failure_counts_for_each_test_that_met_it(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other, both = (Recorder(load_specification()) for _ in range(3))
    for recorder, test in ((one, "test_a"), (other, "test_b"), (other, "test_b")):
        monkeypatch.setenv("PYTEST_CURRENT_TEST", f"{test} (call)")
        recorder.see(Request.to("GET", "/v1/models"), answer({"error": ERROR}, 500))

    for recorder in (one, other):
        both.take(recorder.handed_over())

    assert (both.seen, both.met["GET /models", 500]) == (3, 3)
    assert [exchange.test for exchange in both.exchanges()] == ["test_a", "test_b"]
    assert [exchange.operation.name for exchange in both.exchanges()] == ["GET /models"] * 2
