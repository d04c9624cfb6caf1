"""Faults as data: what a rule strikes, what it does, and what is refused as a rule."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.lab import JOBS, Lab
from ftctl.emulator import EmulatorTransport, Request, Response, serve
from ftctl.emulator.faults.job_faults import fault_of_job
from ftctl.emulator.http.wire import ApiError
from ftctl.emulator.jobs.job_request import read_job_request
from ftctl.emulator.storage.database import Session, open_store

FAULTS = "/_ftctl/faults"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path / "state", training=False)
    with lab.emulator:
        yield lab


def put(lab: Lab, *rules: Any) -> None:
    status, answer = lab.call("PUT", FAULTS, {"faults": list(rules)})
    assert status == 200, answer


def outcomes(lab: Lab, count: int, target: str = "/v1/models") -> list[int]:
    return [lab.send("GET", target).status for _ in range(count)]


def fault_for(lab: Lab, **fields: Any) -> Any:
    """What would stand on a job of these fields, each call being one more create."""
    wanted = read_job_request({"model": "gpt-4.1-mini", "training_file": "file-1", **fields})
    store = open_store(lab.folder / "emulator.sqlite3")
    try:
        with store.transaction("IMMEDIATE") as connection:
            return fault_of_job(Session(connection, lab.now), wanted)
    finally:
        store.close()


@pytest.mark.parametrize(
    ("turns", "struck"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"call": 2}, [2]),
        ({"call": [2, 5]}, [2, 5]),
        ({"every": 3}, [3, 6]),
        ({"times": 2}, [1, 2]),
        ({"every": 2, "times": 2}, [2, 4]),
        ({"call": [1, 3, 5], "times": 2}, [1, 3]),
    ],
)
def test_a_rule_strikes_the_calls_that_it_names(
    lab: Lab, turns: dict[str, Any], struck: list[int]
) -> None:
    put(lab, {"request": {"path": "/v1/models", **turns}, "answer": {"status": 500}})

    answered = outcomes(lab, 6)

    assert [number for number, status in enumerate(answered, 1) if status == 500] == struck
    assert lab.get(FAULTS)["faults"][0]["met"] == 6


@pytest.mark.parametrize(
    ("request_rule", "method", "target", "struck"),
    [
        ({}, "GET", "/v1/models", True),
        ({"method": "POST"}, "GET", "/v1/models", False),
        ({"method": ["get", "post"]}, "GET", "/v1/models", True),
        ({"path": "/v1/models"}, "GET", "/v1/models/gpt-4o", False),
        ({"path": "/v1/models/{model}"}, "GET", "/v1/models/gpt-4o", True),
        ({"path": "/v1/models/{model}"}, "GET", "/v1/models/a/b", False),
        ({"path": "/v1/models*"}, "GET", "/v1/models/a/b", True),
        ({"path": "/v1/*/jobs/{id}/*s"}, "GET", "/v1/fine_tuning/jobs/ftjob-1/events", True),
        ({"path": "/v1/*/jobs/{id}/*s"}, "GET", "/v1/fine_tuning/jobs/ftjob-1", False),
        ({"path": "*els"}, "GET", "/v1/models?limit=1", True),
        ({"path": "/v1/embeddings"}, "POST", "/v1/embeddings", True),
    ],
)
def test_a_rule_is_for_methods_and_paths(
    lab: Lab, request_rule: dict[str, Any], method: str, target: str, *, struck: bool
) -> None:
    put(lab, {"request": request_rule, "answer": {"status": 529}})

    assert (lab.send(method, target).status == 529) is struck


def test_a_path_made_to_match_slowly_is_answered_at_once(lab: Lab) -> None:
    put(lab, {"request": {"path": "/v1/" + "*a" * 8 + "c"}, "answer": {"status": 500}})
    path = "/v1/" + "a" * 4_000 + "b"

    started = time.perf_counter()
    status = lab.send("GET", path).status

    assert status == 404
    assert time.perf_counter() - started < 2


def test_an_answer_is_told_in_full(lab: Lab) -> None:
    rule = {
        "request": {},
        "answer": {
            "status": 429,
            "code": "slow_down",
            "type": "requests",
            "message": "Not so fast.",
            "param": "model",
            "retry_after": 1.5,
            "headers": {"X-Should-Retry": "false"},
        },
    }
    put(lab, rule)

    response = lab.send("GET", "/v1/models")

    assert json.loads(response.body) == {
        "error": {
            "message": "Not so fast.",
            "type": "requests",
            "param": "model",
            "code": "slow_down",
        }
    }
    assert response.headers[:-3] == (  # the account and the request's id follow
        ("content-type", "application/json"),
        ("x-should-retry", "false"),
        ("retry-after", "2"),
        ("retry-after-ms", "1500"),
        ("x-ftctl-fault", "1"),
    )


def test_an_answer_need_not_be_in_the_envelope(lab: Lab) -> None:
    put(lab, {"request": {}, "answer": {"status": 200, "body": {"detail": ["no", None]}}})

    assert lab.call("GET", "/v1/models") == (200, {"detail": ["no", None]})


def test_a_refused_create_makes_no_job_and_a_lost_answer_makes_one(lab: Lab) -> None:
    file = lab.upload()
    wanted = json.dumps({"model": "gpt-4o", "training_file": file}).encode()
    create = {"method": "POST", "path": JOBS}
    put(
        lab,
        {"request": {**create, "call": 1}, "answer": {"status": 500}},
        {"request": {**create, "call": 2}, "cut": "before"},
        {"request": {**create, "call": 3}, "cut": "after"},
        {"request": {**create, "call": 4}, "malformed": True},
        {"request": {**create, "call": 5}, "malformed": "html"},
        {"request": {**create, "call": 6}, "malformed": "truncated"},
    )

    jobs, answers = [], list[Response]()
    for _ in range(6):
        answers.append(lab.send("POST", JOBS, wanted))
        jobs.append(len(lab.get(JOBS)["data"]))

    assert jobs == [0, 0, 1, 2, 3, 4]
    assert [answer.cut for answer in answers] == [False, True, True, False, False, False]
    assert [answer.status for answer in answers[3:]] == [200, 502, 200]
    assert dict(answers[4].headers)["content-type"] == "text/html"
    for answer in answers[3:]:
        assert answer.body
        with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
            json.loads(answer.body)


def test_latency_comes_with_any_other_fault_or_alone(lab: Lab) -> None:
    put(
        lab,
        {"request": {"call": 1}, "latency_seconds": 0.5},
        {"request": {"call": 2}, "latency_seconds": 2, "answer": {"status": 503}},
    )

    first, second, third = (lab.send("GET", "/v1/models") for _ in range(3))

    assert (first.status, first.delay_seconds) == (200, 0.5)
    assert (second.status, second.delay_seconds) == (503, 2)
    assert (third.status, third.delay_seconds) == (200, 0)


def test_the_first_rule_wins_and_every_rule_counts(lab: Lab) -> None:
    put(
        lab,
        {"request": {"path": "/v1/models", "call": 2}, "answer": {"status": 501}},
        {"request": {}, "answer": {"status": 502}},
    )

    assert outcomes(lab, 3) == [502, 501, 502]
    assert [rule["met"] for rule in lab.get(FAULTS)["faults"]] == [3, 3]


def test_who_is_not_let_in_meets_no_fault(lab: Lab) -> None:
    put(lab, {"request": {}, "answer": {"status": 500}})

    answered = lab.emulator.handle(Request.to("GET", "/v1/models"))

    assert answered.status == 401
    assert lab.get(FAULTS)["faults"][0]["met"] == 0


def test_the_page_looks_on_without_using_faults_up(lab: Lab) -> None:
    put(lab, {"request": {"times": 1}, "answer": {"status": 500}})

    looked = lab.send("GET", "/v1/models", b"", ("sec-fetch-site", "same-origin"))

    assert looked.status == 200
    assert outcomes(lab, 2) == [500, 200]


def test_faults_are_shared_by_processes_and_outlive_them(lab: Lab) -> None:
    assert outcomes(lab, 1) == [200]
    other = Lab(lab.folder)
    with other.emulator:
        put(other, {"request": {"call": [2, 3]}, "answer": {"status": 500}})
        struck = [lab.send("GET", "/v1/models").status, other.send("GET", "/v1/models").status]
    again = Lab(lab.folder)
    with again.emulator:
        struck += outcomes(again, 2)
        assert again.call("DELETE", FAULTS) == (200, {"faults": [], "temperaments": []})

    assert struck == [200, 500, 500, 200]
    assert lab.get(FAULTS) == {"faults": [], "temperaments": []}


def test_the_document_that_is_shown_can_be_put_back(lab: Lab) -> None:
    put(lab, {"request": {"call": 3}, "answer": {"status": 500}})
    outcomes(lab, 2)

    shown = lab.get(FAULTS)
    assert lab.call("PUT", FAULTS, shown) == (200, shown)

    assert outcomes(lab, 2) == [500, 200]


def test_added_faults_stand_behind_the_others(lab: Lab) -> None:
    put(lab, {"request": {"call": 1}, "answer": {"status": 500}})

    status, shown = lab.call("POST", FAULTS, {"faults": [{"request": {}, "latency_seconds": 1}]})

    assert (status, len(shown["faults"])) == (200, 2)
    assert lab.send("GET", "/v1/models").status == 500
    assert lab.send("GET", "/v1/models").delay_seconds == 1


def test_the_sdk_meets_faults_as_it_would_elsewhere(lab: Lab) -> None:
    put(
        lab,
        {"request": {"call": 1}, "answer": {"status": 429, "retry_after": 7}},
        {"request": {"call": 2}, "cut": "after"},
        {"request": {"call": 3}, "malformed": "truncated"},
        {"request": {"call": 4}, "latency_seconds": 3},
    )
    slept: list[float] = []
    http = httpx2.Client(transport=EmulatorTransport(lab.emulator, sleep=slept.append))
    with openai.OpenAI(
        api_key="any", base_url="http://emulator/v1", max_retries=0, http_client=http
    ) as client:
        with pytest.raises(openai.RateLimitError) as limited:
            client.models.list()
        with pytest.raises(openai.APIConnectionError):
            client.models.list()
        with pytest.raises((openai.APIResponseValidationError, ValueError)):
            client.models.list()
        assert client.models.list().data

    assert limited.value.response.headers["retry-after"] == "7"
    assert slept == [3]


def test_faults_come_over_the_socket(lab: Lab) -> None:
    put(
        lab,
        {"request": {"call": 1}, "cut": "before"},
        {"request": {"call": 2}, "latency_seconds": 0.2, "answer": {"status": 599}},
    )
    with (
        serve(lab.emulator).start() as server,
        httpx2.Client(headers={"authorization": "Bearer any"}) as http,
    ):
        with pytest.raises(httpx2.RemoteProtocolError):
            http.get(f"{server.url}/models")
        started = time.perf_counter()
        unusual = http.get(f"{server.url}/models")
        waited = time.perf_counter() - started
        usual = http.get(f"{server.url}/models")

    assert (unusual.status_code, usual.status_code) == (599, 200)
    assert waited >= 0.2


def test_a_server_that_is_closed_waits_for_no_latency(lab: Lab) -> None:
    put(lab, {"request": {}, "latency_seconds": 60})
    server = serve(lab.emulator).start()
    host, port = server.url.removeprefix("http://").removesuffix("/v1").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as waiting:
        waiting.sendall(b"GET /v1/models HTTP/1.1\r\nAuthorization: Bearer any\r\n\r\n")
        while not lab.get(FAULTS)["faults"][0]["met"]:
            time.sleep(0.01)
        started = time.perf_counter()
        server.close()

        assert time.perf_counter() - started < 10
        assert waiting.recv(12) == b"HTTP/1.1 200"


JOB_FAULTS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"fails": "validation"},
        {"at": "validation", "code": "invalid_training_file", "param": "training_file"},
    ),
    (
        {"fails": "unsafe_file", "message": "Held back."},
        {"at": "validation", "code": "unsafe_file", "message": "Held back."},
    ),
    ({"fails": "step", "step": 5, "code": "x"}, {"at": "step", "step": 5, "code": "x"}),
    ({"fails": "screening"}, {"at": "screening", "code": "unsafe_model", "param": None}),
    ({"stays": "queued"}, {"at": "queue", "code": None, "message": None, "step": None}),
]


@pytest.mark.parametrize(("does", "expected"), JOB_FAULTS)
def test_a_job_is_told_where_it_will_fail(
    lab: Lab, does: dict[str, Any], expected: dict[str, Any]
) -> None:
    put(lab, {"job": {}, **does})

    found = fault_for(lab)

    assert set(found) == {"at", "code", "message", "param", "step"}
    assert {name: found[name] for name in expected} == expected


def test_a_job_is_chosen_by_what_it_was_created_with(lab: Lab) -> None:
    file = lab.upload()
    asked = {"suffix": "tone", "metadata": {"team": "a", "run": "7"}, "training_file": file}
    chosen = [
        ({}, True),
        ({"suffix": "tone"}, True),
        ({"suffix": "t*e"}, True),
        ({"suffix": "tone2"}, False),
        ({"model": "gpt-4.1*"}, True),
        ({"model": "gpt-4.1"}, False),
        ({"metadata": {"team": "a"}}, True),
        ({"metadata": {"team": "b"}}, False),
        ({"metadata": {"owner": "a"}}, False),
        ({"training_file": "data*"}, True),
        ({"training_file": file}, True),
        ({"training_file": "other*"}, False),
        ({"suffix": "tone", "metadata": {"team": "b"}}, False),
    ]

    found = []
    for job, _ in chosen:
        put(lab, {"job": job, "fails": "screening"})
        found.append((job, fault_for(lab, **asked) is not None))

    assert found == chosen


def test_jobs_are_counted_by_those_that_a_rule_concerns(lab: Lab) -> None:
    put(
        lab,
        {"job": {"suffix": "a", "number": 2}, "fails": "screening"},
        {"job": {"every": 3}, "stays": "queued"},
    )

    found = [fault_for(lab, suffix=suffix) for suffix in ("a", "b", "a", "a", "b", "b")]

    places = [fault and fault["at"] for fault in found]
    assert places == [None, None, "screening", None, None, "queue"]


def test_without_access_no_job_is_made(lab: Lab) -> None:
    put(lab, {"job": {"suffix": "x"}, "fails": "access"})

    with pytest.raises(ApiError) as refused:
        fault_for(lab, suffix="x")

    assert (refused.value.status, refused.value.code) == (403, "training_not_available")
    assert fault_for(lab, suffix="y") is None


WRONG: list[tuple[Any, str | None]] = [
    ({}, "faults"),
    ([], None),
    ({"faults": {}}, "faults"),
    ({"faults": [], "more": 1}, "more"),
    ({"faults": [1]}, "faults[0]"),
    ({"faults": [{}]}, "faults[0]"),
    ({"faults": [{"request": {}, "job": {}}]}, "faults[0]"),
    ({"faults": [{"request": {}}]}, "faults[0]"),
    ({"faults": [{"request": [], "cut": "after"}]}, "faults[0].request"),
    ({"faults": [{"request": {"call": 0}, "cut": "after"}]}, "faults[0].request.call"),
    ({"faults": [{"request": {"call": True}, "cut": "after"}]}, "faults[0].request.call"),
    ({"faults": [{"request": {"call": []}, "cut": "after"}]}, "faults[0].request.call"),
    ({"faults": [{"request": {"call": [1, "2"]}, "cut": "after"}]}, "faults[0].request.call"),
    ({"faults": [{"request": {"call": 1, "every": 2}, "cut": "after"}]}, "faults[0].request.every"),
    ({"faults": [{"request": {"every": 1.5}, "cut": "after"}]}, "faults[0].request.every"),
    ({"faults": [{"request": {"times": 10**30}, "cut": "after"}]}, "faults[0].request.times"),
    ({"faults": [{"request": {"method": "BREW"}, "cut": "after"}]}, "faults[0].request.method"),
    ({"faults": [{"request": {"method": []}, "cut": "after"}]}, "faults[0].request.method"),
    ({"faults": [{"request": {"path": ""}, "cut": "after"}]}, "faults[0].request.path"),
    ({"faults": [{"request": {"path": "*a" * 9}, "cut": "after"}]}, "faults[0].request.path"),
    ({"faults": [{"request": {"verb": 1}, "cut": "after"}]}, "faults[0].request.verb"),
    ({"faults": [{"request": {}, "cut": "during"}]}, "faults[0].cut"),
    ({"faults": [{"request": {}, "cut": "after", "malformed": True}]}, "faults[0].malformed"),
    ({"faults": [{"request": {}, "malformed": 1}]}, "faults[0].malformed"),
    ({"faults": [{"request": {}, "malformed": False}]}, "faults[0].malformed"),
    ({"faults": [{"request": {}, "latency_seconds": -1}]}, "faults[0].latency_seconds"),
    ({"faults": [{"request": {}, "latency_seconds": 10**400}]}, "faults[0].latency_seconds"),
    ({"faults": [{"request": {}, "latency_seconds": None}]}, "faults[0].latency_seconds"),
    ({"faults": [{"request": {}, "cut": "after", "met": -1}]}, "faults[0].met"),
    ({"faults": [{"request": {}, "answer": {}}]}, "faults[0].answer.status"),
    ({"faults": [{"request": {}, "answer": {"status": 600}}]}, "faults[0].answer.status"),
    ({"faults": [{"request": {}, "answer": {"status": 204}}]}, "faults[0].answer.status"),
    ({"faults": [{"request": {}, "answer": {"status": 200}}]}, "faults[0].answer.body"),
    (
        {"faults": [{"request": {}, "answer": {"status": 500, "headers": {"a b": ""}}}]},
        "faults[0].answer.headers.a b",
    ),
    (
        {"faults": [{"request": {}, "answer": {"status": 500, "headers": {"a": "b\r\nc: d"}}}]},
        "faults[0].answer.headers.a",
    ),
    (
        {"faults": [{"request": {}, "answer": {"status": 500, "headers": {"Connection": "x"}}}]},
        "faults[0].answer.headers.Connection",
    ),
    ({"faults": [{"job": {}}]}, "faults[0]"),
    ({"faults": [{"job": {}, "fails": "late"}]}, "faults[0].fails"),
    ({"faults": [{"job": {}, "stays": "running"}]}, "faults[0].stays"),
    ({"faults": [{"job": {}, "fails": "step"}]}, "faults[0].step"),
    ({"faults": [{"job": {}, "fails": "step", "step": 0}]}, "faults[0].step"),
    ({"faults": [{"job": {}, "fails": "screening", "step": 1}]}, "faults[0].step"),
    ({"faults": [{"job": {"number": 1}, "fails": "access"}]}, "faults[0].job.number"),
    ({"faults": [{"job": {"metadata": {"a": 1}}, "fails": "access"}]}, "faults[0].job.metadata"),
    ({"faults": [{"job": {"suffix": 1}, "fails": "access"}]}, "faults[0].job.suffix"),
]


@pytest.mark.parametrize(("document", "param"), WRONG)
def test_a_wrong_document_is_refused_at_its_field(
    lab: Lab, document: Any, param: str | None
) -> None:
    put(lab, {"request": {"path": "/v1/files"}, "cut": "after"})
    before = lab.get(FAULTS)

    refused = lab.refused("PUT", FAULTS, document)

    assert (refused["status"], refused["param"]) == (400, param)
    assert lab.get(FAULTS) == before


def test_a_body_that_is_nested_too_deeply_is_refused(lab: Lab) -> None:
    deep: Any = 1
    for _ in range(51):
        deep = [deep]

    refused = lab.refused(
        "PUT", FAULTS, {"faults": [{"request": {}, "answer": {"status": 500, "body": deep}}]}
    )

    assert refused["param"] == "faults[0].answer.body"


_NAMES = (
    "faults request job answer cut malformed latency_seconds method path call every times status"
    " code type message param retry_after headers body fails stays step suffix model metadata"
    " training_file number met before after html truncated queued validation access GET /v1/* *"
)
_WORDS = st.sampled_from(_NAMES.split())
_PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(0, 600), st.floats(), _WORDS, st.text()
)
_VALUES = st.recursive(
    _PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(_WORDS, st.text()), inner)
    ),
    max_leaves=12,
)
_RULES = st.one_of(
    st.fixed_dictionaries(
        {"request": st.one_of(_VALUES, st.just({}))},
        optional={
            "answer": st.one_of(_VALUES, st.fixed_dictionaries({"status": st.integers(199, 600)})),
            "cut": _VALUES,
            "malformed": _VALUES,
            "latency_seconds": st.one_of(_VALUES, st.floats(0, 1)),
        },
    ),
    st.fixed_dictionaries({"job": st.one_of(_VALUES, st.just({}))}, optional={"fails": _VALUES}),
    _VALUES,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(document=st.one_of(st.fixed_dictionaries({"faults": st.lists(_RULES, max_size=3)}), _VALUES))
def test_whatever_is_sent_as_faults_is_taken_or_refused_with_a_place(
    lab: Lab, document: Any
) -> None:
    response = lab.send("PUT", FAULTS, json.dumps(document).encode("utf-8", "surrogatepass"))

    assert response.status in (200, 400)
    if response.status == 200:
        shown = lab.get(FAULTS)
        assert lab.call("PUT", FAULTS, shown) == (200, shown)
        struck = lab.send("GET", "/v1/models")
        asked_for = dict(struck.headers).get("x-ftctl-fault")
        assert struck.status < 500 or asked_for is not None
    else:
        assert json.loads(response.body)["error"]["message"]


def test_without_faults_a_request_reads_no_rules(lab: Lab) -> None:
    outcomes(lab, 1)
    statements: list[str] = []
    lab.emulator._store._connection.set_trace_callback(statements.append)

    outcomes(lab, 1)

    assert not [statement for statement in statements if "faults" in statement]
