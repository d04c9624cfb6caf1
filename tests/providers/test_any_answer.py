"""Whatever JSON a service answers, it is read, or it is a fault that can be told: no traceback."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from conftest import KEY, HandClock
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ftctl.apply.follow import progress_of
from ftctl.catalog.services import SERVICES
from ftctl.domain.observed import Event, Job, best_checkpoint
from ftctl.domain.plan import FileRef, StartJob
from ftctl.domain.snapshot import observed_document
from ftctl.errors import ProviderError
from ftctl.importer import read_account_job
from ftctl.providers import Client, Connection, connect
from ftctl.providers.openai.lists import readable
from ftctl.providers.openai.translate import (
    read_checkpoint,
    read_event,
    read_job,
    read_job_of_ours,
    read_job_of_project,
    read_uploaded,
)
from ftctl.providers.openai.values import reason

# Records have many fields: making them up takes longer than reading them. The first loads the SDK.
BROAD = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**400, -(10**400), 2**63, -1, 0]),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["\ud800", "nan", "1e400", "2026-11-21T10:00:00Z", "running", "COMPLETED"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)
OURS = {"ftctl_project": "demo", "ftctl_finetune": "tone", "ftctl_digest": f"v1:{'d' * 64}"}


def record(*keys: str, **usual: Any) -> st.SearchStrategy[Any]:
    """What is nearly a record of the service's: each of its values is usual, odd or missing."""
    known = {key: st.just(value) | VALUES for key, value in usual.items()}
    odd = {key: VALUES for key in keys if key not in usual}
    return st.fixed_dictionaries({}, optional={**known, **odd})


JOBS = record(
    "error", "fine_tuned_model", "training_file", "validation_file", "result_files", "method",
    "hyperparameters", "trained_tokens", "finished_at", "seed", "organization_id", "integrations",
    id="ftjob-1", status="running", created_at=7, model="gpt", metadata=OURS,
)  # fmt: skip
FILES = record(
    "status", "status_details", "bytes", "created_at", id="file-1",
    filename=f"ftctl~demo~rows~{'a' * 64}.jsonl",
)  # fmt: skip
EVENTS = record("data", "message", "level", id="e-1", created_at=7, data={"step": 1})
CHECKPOINTS = record(
    "metrics", id="c-1", fine_tuned_model_checkpoint="ft:1", step_number=1,
    metrics={"full_valid_loss": 0.5},
)  # fmt: skip
MODELS = record("shutdown_date", id="gpt")
READERS: list[tuple[Callable[[Any], Any], st.SearchStrategy[Any]]] = [
    (read_job, JOBS), (read_job_of_ours, JOBS), (read_job_of_project, JOBS),
    (read_uploaded, FILES), (read_event, EVENTS), (read_checkpoint, CHECKPOINTS),
]  # fmt: skip


@pytest.mark.parametrize(("read", "records"), READERS)
@BROAD
@given(data=st.data())
def test_a_record_is_read_or_told(
    read: Callable[[Any], Any], records: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    raw = data.draw(records)

    found = readable("record", [raw], read)  # anything but an `OddValue` comes through it

    assert len(found.read) + len(found.odd) == 1
    assert all(words.startswith(("record", "a record")) for words in found.odd)


@BROAD
@given(JOBS)
@example({"metadata": OURS})
@example({**{key: [] for key in ("id", "status", "created_at", "error")}, "metadata": OURS})
def test_a_job_of_ours_is_never_left_out(raw: Any) -> None:
    job = read_job_of_ours(raw)

    assert job.id
    if raw.get("metadata") == OURS:
        assert (job.finetune, job.digest) == ("tone", OURS["ftctl_digest"])


@given(VALUES)
def test_a_reason_is_text_of_bounded_length_or_none(raw: Any) -> None:
    told = reason(raw)

    if told is not None:
        assert 0 < len(told.message) <= 2000
        assert 0 < len(told.code) <= 100
        assert told.param is None or 0 < len(told.param) <= 100


@BROAD
@given(st.lists(EVENTS, max_size=4), st.lists(CHECKPOINTS, max_size=4))
def test_what_is_reckoned_with_events_and_checkpoints_survives_their_numbers(
    events: list[Any], checkpoints: list[Any]
) -> None:
    read: tuple[Event, ...] = readable("event", events, read_event).read

    progress = progress_of("tone", Job("ftjob-1", "running", 7), read, 1_790_000_000.0)
    best_checkpoint(readable("checkpoint", checkpoints, read_checkpoint).read)

    assert progress.name == "tone"


START = StartJob("tone", OURS["ftctl_digest"], {}, "gpt", FileRef("r", "r", "a", "file-1"), None)
ASKED: dict[str, Callable[[Client], Any]] = {
    "observe": lambda client: client.observe("demo", frozenset({"ftjob-2"}), others=True),
    "observe_account": lambda client: client.observe_account(client.observe("demo"), "demo", 5),
    "jobs": lambda client: client.jobs("demo"),
    "job": lambda client: client.job("ftjob-1"),
    "file": lambda client: client.file("file-1"),
    "events": lambda client: (client.events("ftjob-1"), client.events("ftjob-1", 2)),
    "checkpoints": lambda client: client.checkpoints("ftjob-1"),
    "model_visible": lambda client: client.model_visible("ft:1"),
    "find_upload": lambda client: client.find_upload("rows", 10),
    "file_names": lambda client: client.file_names(),
    "account_jobs": lambda client: client.account_jobs(read_account_job),
    "account_job": lambda client: client.account_job("ftjob-1", read_account_job),
    "moderate": lambda client: client.moderate(["text"]),
    "cancel_job": lambda client: client.cancel_job("ftjob-1"),
    "delete_model": lambda client: client.delete_model("ft:1"),
    "delete_file": lambda client: client.delete_file("file-1"),
    "start_job": lambda client: client.start_job(
        START, base_model="gpt", training_file="file-1", validation_file=None, tags=OURS
    ),
}
PAGES = st.fixed_dictionaries(
    {"data": st.lists(JOBS | FILES | EVENTS | CHECKPOINTS | MODELS, max_size=4)},
    optional={"has_more": VALUES},
)
BODIES = PAGES | VALUES | JOBS | FILES | st.fixed_dictionaries({"error": VALUES})


@pytest.mark.parametrize("what", ASKED)
@settings(BROAD, max_examples=25)
@given(body=BODIES, status=st.sampled_from([200, 200, 200, 400, 404, 429]))
def test_any_answer_is_read_or_told(what: str, body: Any, status: int) -> None:
    content = json.dumps(body).encode()
    transport = httpx2.MockTransport(lambda _request: httpx2.Response(status, content=content))
    client = connect(
        Connection("https://api.example/v1", KEY), SERVICES["openai"],
        transport=transport, clock=HandClock(),
    )  # fmt: skip

    with contextlib.closing(client), contextlib.suppress(ProviderError):
        answer = ASKED[what](client)
        if what.startswith("observe"):
            json.dumps(observed_document(answer))


@pytest.mark.parametrize("what", ASKED)
@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"\xff\xfe", b"<html>", b"[" * 100_000, b'{"data":' * 500 + b"1" + b"}" * 500,
        b'{"id":' + b"9" * 5000 + b"}", b"NaN", b"Infinity", b'{"data": [NaN]}', b"null",
    ],
    ids=range(11),
)  # fmt: skip
def test_what_is_no_json_at_all_is_told(what: str, content: bytes) -> None:
    transport = httpx2.MockTransport(lambda _request: httpx2.Response(200, content=content))
    client = connect(
        Connection("https://api.example/v1", KEY), SERVICES["openai"],
        transport=transport, clock=HandClock(),
    )  # fmt: skip

    with contextlib.closing(client), contextlib.suppress(ProviderError):
        ASKED[what](client)


@pytest.mark.parametrize("depth", [60, 300, 900])
@pytest.mark.parametrize("key", ["error", "method", "integrations", "metadata", "model", "seed"])
def test_a_record_that_is_nested_without_end_is_read_or_left_out(key: str, depth: int) -> None:
    deep = '{"error":' * depth + '["x"]' + "}" * depth
    body = f'{{"data": [{{"id": "ftjob-1", "status": "running", "{key}": {deep}}}]}}'.encode()
    transport = httpx2.MockTransport(lambda _request: httpx2.Response(200, content=body))
    client = connect(
        Connection("https://api.example/v1", KEY), SERVICES["openai"],
        transport=transport, clock=HandClock(),
    )  # fmt: skip

    assert client.observe("demo").jobs == ()
    assert len(client.account_jobs(read_account_job)) == 1
    client.close()
