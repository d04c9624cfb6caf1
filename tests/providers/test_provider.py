"""The provider alone, over a transport that plays answers: what it asks and what it tells."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from conftest import KEY, HandClock

from ftctl.catalog.services import SERVICES, Service
from ftctl.domain.digest import file_name
from ftctl.domain.observed import CheckpointModel, Event, File, Job
from ftctl.domain.plan import FileRef, StartJob, Upload
from ftctl.errors import ProviderError
from ftctl.providers import MODERATION_MODEL, Client, Connection, connect
from ftctl.providers.openai import lists
from ftctl.providers.openai import provider as module

OPENAI = SERVICES["openai"]
BY_FILE_NAME = OPENAI.with_ownership_store("file-name")
SHA256 = "a" * 64
DIGEST = f"v1:{'d' * 64}"
JOBS, FILES, MODELS = "GET /fine_tuning/jobs", "GET /files", "GET /models"
CREATE = "POST /fine_tuning/jobs"


@dataclass
class Wire:
    """Answers of each route in turn; the last one goes on for good."""

    routes: dict[str, list[Any]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    queries: list[dict[str, list[str]]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)

    def answers(self, route: str, *answers: Any) -> Wire:
        self.routes[route] = list(answers)
        return self

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        route = f"{request.method} {request.url.path.removeprefix('/v1')}"
        self.requests.append(route)
        self.queries.append(parse_qs(request.url.query.decode()))
        content = request.read()
        self.bodies.append(json.loads(content) if content.startswith(b"{") else content)
        left = self.routes.get(route, [(404, {"error": {"message": "no such thing"}})])
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, bytes):
            return httpx2.Response(200, content=answer)
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        return httpx2.Response(status, json=body)


@pytest.fixture
def wire() -> Wire:
    return Wire().answers(FILES, listed()).answers(JOBS, listed()).answers(MODELS, listed())


Opened = Any  # a function of a service row


@pytest.fixture
def provider(wire: Wire, clock: HandClock) -> Iterator[Opened]:
    opened: list[Client] = []

    def open_(service: Service = OPENAI) -> Client:
        connection = Connection("https://api.example/v1", KEY)
        opened.append(
            connect(connection, service, transport=httpx2.MockTransport(wire), clock=clock)
        )
        return opened[-1]

    yield open_
    for client in opened:
        client.close()


def listed(*entries: Any, has_more: bool = False) -> dict[str, Any]:
    return {"object": "list", "data": list(entries), "has_more": has_more}


def raw_job(number: int, project: str | None = "demo", **more: Any) -> dict[str, Any]:
    tags = {"ftctl_project": project, "ftctl_finetune": "tone", "ftctl_digest": DIGEST}
    return {
        "id": f"ftjob-{number}", "status": "running", "created_at": number, "model": "gpt",
        "metadata": tags if project else None, **more,
    }  # fmt: skip


def raw_file(number: int, name: str, **more: Any) -> dict[str, Any]:
    return {"id": f"file-{number}", "filename": name, "bytes": 10, "created_at": number, **more}


OURS = file_name("demo", "rows", SHA256)
TAGGED = file_name("demo", "tone", SHA256, DIGEST)


# Whose a job is.


def test_the_filter_of_the_service_is_used_and_not_believed(wire: Wire, provider: Opened) -> None:
    wire.answers(JOBS, listed(raw_job(1), raw_job(3), raw_job(2, "theirs"), raw_job(4, None)))

    jobs = provider().jobs("demo")

    assert [job.id for job in jobs] == ["ftjob-3", "ftjob-1"]
    assert wire.queries == [{"limit": ["100"], "metadata[ftctl_project]": ["demo"]}]
    assert wire.requests == [JOBS]


def test_the_whole_list_is_read_without_the_filter(wire: Wire, provider: Opened) -> None:
    wire.answers(JOBS, listed(raw_job(1)))

    assert [job.id for job in provider().jobs("demo", whole=True)] == ["ftjob-1"]
    assert wire.queries == [{"limit": ["100"]}]


def test_where_tags_are_in_file_names_no_filter_is_sent(wire: Wire, provider: Opened) -> None:
    nameless = {"id": "file-0"}
    wire.answers(
        FILES, listed(nameless, raw_file(1, TAGGED), raw_file(2, OURS), raw_file(3, "x.jsonl"))
    )
    wire.answers(
        JOBS,
        listed(
            raw_job(1, None, training_file="file-1"), raw_job(2, None, training_file="file-2"),
            raw_job(3, None, training_file="file-3"), raw_job(4, None),
            raw_job(5, "theirs", training_file="file-1"),
        ),
    )  # fmt: skip

    (job,) = provider(BY_FILE_NAME).jobs("demo")

    assert (job.id, job.finetune, job.digest) == ("ftjob-1", "tone", DIGEST)
    assert wire.queries[-1] == {"limit": ["100"]}


def test_a_name_in_a_file_serves_in_every_snapshot(wire: Wire, provider: Opened) -> None:
    """Jobs that were bought under one setting are known under the other."""
    wire.answers(FILES, listed(raw_file(1, TAGGED)))
    wire.answers(JOBS, listed(raw_job(1, None, training_file="file-1")))

    observed = provider().observe("demo")

    assert [job.digest for job in observed.jobs] == [DIGEST]


def test_adopted_jobs_and_those_of_others_need_the_whole_list(wire: Wire, provider: Opened) -> None:
    wire.answers(JOBS, listed(raw_job(1), raw_job(2, "theirs"), raw_job(3, None)))
    client = provider()

    alone = client.observe("demo")
    adopting = client.observe("demo", frozenset({"ftjob-3"}))
    account = client.observe("demo", others=True)

    assert [job.id for job in alone.jobs] == ["ftjob-1"]
    assert (alone.adopted, alone.others) == ((), ())
    assert [job.id for job in adopting.adopted] == ["ftjob-3"]
    assert adopting.others == ()
    assert [(job.id, job.project) for job in account.others] == [("ftjob-2", "theirs")]
    filters = ["metadata[ftctl_project]" in query for query in wire.queries[1::3]]
    assert filters == [True, False, False]


def test_files_are_ours_by_name_or_as_results_of_our_jobs(wire: Wire, provider: Opened) -> None:
    wire.answers(
        FILES, listed(raw_file(1, OURS), raw_file(2, "steps.csv"), raw_file(3, "theirs.csv"))
    )
    wire.answers(
        JOBS,
        listed(raw_job(1, result_files=["file-2"]), raw_job(2, "theirs", result_files=["file-3"])),
    )

    observed = provider().observe("demo")

    assert [file.id for file in observed.files] == ["file-1", "file-2"]
    assert [file.sha256 for file in observed.files] == [SHA256, None]
    assert wire.queries[0] == {"limit": ["10000"]}  # the most that one page gives


# Lists.


def test_a_list_is_read_page_by_page_to_its_end(wire: Wire, provider: Opened) -> None:
    wire.answers(
        JOBS,
        listed(raw_job(3), raw_job(2), has_more=True),
        listed(raw_job(2), raw_job(1), has_more=False),
    )

    jobs = provider().jobs("demo")

    assert [job.id for job in jobs] == ["ftjob-3", "ftjob-2", "ftjob-1"]
    assert [query.get("after") for query in wire.queries] == [None, ["ftjob-2"]]


def test_a_server_that_ignores_the_cursor_is_not_read_for_ever(
    wire: Wire, provider: Opened
) -> None:
    wire.answers(JOBS, listed(raw_job(1), has_more=True))

    assert len(provider().jobs("demo")) == 1
    assert len(wire.requests) == 2


def test_a_read_that_fails_leaves_nothing_in_doubt(wire: Wire, provider: Opened) -> None:
    wire.answers(JOBS, (503, {}))

    with pytest.raises(ProviderError) as fault:
        provider().jobs("demo")

    assert (fault.value.ambiguous, fault.value.retryable) == (False, True)


@pytest.mark.parametrize(
    "answer",
    [[], "text", 7, None, {}, {"data": 3}, {"data": "text"}, {"data": [3]}, {"data": {"id": 3}}],
)
def test_what_is_no_list_of_things_is_a_fault(wire: Wire, provider: Opened, answer: Any) -> None:
    wire.answers(JOBS, answer)

    with pytest.raises(ProviderError, match="the answer cannot be read"):
        provider().jobs("demo")


def test_a_list_of_nothing_may_be_null(wire: Wire, provider: Opened) -> None:
    wire.answers(JOBS, {"data": None})

    assert provider().jobs("demo") == ()


def test_a_list_that_always_has_more_is_an_error_and_no_plan(
    wire: Wire, provider: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "MOST_PAGES", 7)

    def more(request: httpx2.Request) -> httpx2.Response:
        wire(request)
        return httpx2.Response(200, json=listed(raw_job(len(wire.requests)), has_more=True))

    client = connect(
        Connection("https://api.example/v1", KEY), OPENAI,
        transport=httpx2.MockTransport(more), clock=HandClock(),
    )  # fmt: skip

    with pytest.raises(ProviderError, match="does not end: there are more than 7 entries"):
        client.jobs("demo")

    assert len(wire.requests) == 7
    client.close()


@pytest.mark.parametrize(("name", "most"), [("LONGEST_LIST", 100), ("_LIST_TIMEOUTS", -1)])
def test_a_list_is_bounded_by_its_size_and_by_the_time_it_takes(
    wire: Wire, provider: Opened, monkeypatch: pytest.MonkeyPatch, name: str, most: int
) -> None:
    monkeypatch.setattr(lists if name.startswith("L") else module, name, most)
    wire.answers(JOBS, listed(raw_job(2), has_more=True), listed(raw_job(1)))

    with pytest.raises(ProviderError, match="does not end"):
        provider().jobs("demo")

    assert len(wire.requests) == 1


def test_a_read_with_all_its_repeats_has_an_end(
    wire: Wire, provider: Opened, clock: HandClock
) -> None:
    """The pauses that a service asks for are part of the minute that a read may take."""
    began = clock.now()

    def busy(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(503, headers={"retry-after": "25"}, json={})

    client = connect(
        Connection("https://api.example/v1", KEY), OPENAI,
        transport=httpx2.MockTransport(busy), clock=clock,
    )  # fmt: skip

    with pytest.raises(ProviderError):
        client.jobs("demo")

    assert clock.now() - began == 50
    client.close()


# The filter of the list of jobs.


REFUSED = (400, {"error": {"message": "Unknown query parameter: metadata"}})


@pytest.mark.parametrize("status", [400, 404, 405, 422, 501])
def test_a_filter_that_is_refused_is_done_without_from_then_on(
    wire: Wire, provider: Opened, status: int
) -> None:
    wire.answers(JOBS, (status, REFUSED[1]), listed(raw_job(1), raw_job(2, "theirs")))
    client = provider()

    first, second = client.jobs("demo"), client.observe("demo").jobs

    assert [job.id for job in first] == [job.id for job in second] == ["ftjob-1"]
    assert ["metadata[ftctl_project]" in query for query in wire.queries if "limit" in query] == [
        True, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_may_not_list_jobs_is_told_at_once(
    wire: Wire, provider: Opened, status: int
) -> None:
    wire.answers(JOBS, (status, {"error": {"message": "no"}}))

    with pytest.raises(ProviderError, match="no"):
        provider().jobs("demo")

    assert wire.requests == [JOBS]


def test_a_list_that_is_refused_without_the_filter_too_is_a_fault(
    wire: Wire, provider: Opened
) -> None:
    wire.answers(JOBS, REFUSED, (400, {"error": {"message": "limit is at most 50"}}), REFUSED)
    client = provider()

    with pytest.raises(ProviderError, match="limit is at most 50"):
        client.jobs("demo")
    with pytest.raises(ProviderError):
        client.jobs("demo")

    # What was refused both times says nothing of the filter: it is tried again.
    assert "metadata[ftctl_project]" in wire.queries[2]


# Odd records.


NO_STATUS = {"id": "ftjob-8", "created_at": 8, "metadata": None}
ODD = [
    NO_STATUS, {"status": "running"}, {"id": None}, {"id": "ftjob-7", "status": 7},
    {"id": "ftjob-6", "status": "queued", "created_at": "soon"},
    {"id": "ftjob-5", "status": "queued", "fine_tuned_model": 3}, 3, None, [],
]  # fmt: skip


def test_odd_records_of_others_are_left_out_and_told(wire: Wire, provider: Opened) -> None:
    wire.answers(JOBS, listed(*ODD, raw_job(1)))
    wire.answers(FILES, listed({"filename": OURS}, {"id": 7.5}, raw_file(1, OURS)))
    wire.answers(MODELS, listed({"object": "model"}, {"id": "gpt"}))
    client = provider()

    observed = client.observe("demo")

    assert [job.id for job in observed.jobs] == ["ftjob-1"]
    assert [file.id for file in observed.files] == ["file-1"]
    assert observed.models == frozenset({"gpt"})
    assert observed.unreadable == (
        "job ftjob-8 cannot be read (without a status): it is left out",
        "a job without an id: it is left out",
        "job ftjob-7 cannot be read (its status is no text): it is left out",
        "job ftjob-6 cannot be read (its created_at is no time): it is left out",
        "job ftjob-5 cannot be read (its fine_tuned_model is no text): it is left out",
        "a file without an id: it is left out",
    )
    assert [job.id for job in client.jobs("demo")] == ["ftjob-1"]
    assert client.find_upload(OURS, 10) == "file-1"
    assert client.file_names() == {"file-1": OURS}
    account = client.account_jobs(lambda raw: (raw["id"].partition(",")[0], raw["status"]))
    nameless = "(a job without an id"
    ids = ("ftjob-8", nameless, nameless, "ftjob-7", "ftjob-6", "ftjob-5")
    assert account == (
        *((one, "unreadable") for one in ids),
        ("ftjob-1", "running"),
    )


def test_the_whole_account_with_odd_records_is_read_as_well(wire: Wire, provider: Opened) -> None:
    wire.answers(FILES, listed(raw_file(1, OURS)))
    wire.answers(JOBS, listed(*ODD, raw_job(2, None, training_file="file-1"), raw_job(1)))
    client = provider()
    seen = client.observe("demo")

    observed = client.observe_account(seen, "demo", None)

    assert [job.id for job in observed.strangers] == ["ftjob-2"]
    assert observed.unreadable == seen.unreadable  # each is told once


def test_a_thousand_odd_records_are_told_in_a_few_lines(wire: Wire, provider: Opened) -> None:
    wire.answers(JOBS, listed(*({**NO_STATUS, "id": f"ftjob-{one}"} for one in range(1000))))

    unreadable = provider().observe("demo").unreadable

    assert len(unreadable) == 11
    assert unreadable[-1] == "990 more like these: it is left out"


@pytest.mark.parametrize(
    "odd",
    [{"status": None}, {"created_at": "soon"}, {"fine_tuned_model": 3}, {"id": {"$oid": "1"}}],
)
def test_a_job_of_ours_that_cannot_be_read_stays_and_is_told(
    wire: Wire, provider: Opened, odd: dict[str, Any]
) -> None:
    """Left out, it would be bought once more."""
    wire.answers(JOBS, listed({**raw_job(1), **odd}))

    observed = provider().observe("demo")

    (job,) = observed.jobs
    assert (job.status, job.digest, job.in_progress) == ("unreadable", DIGEST, True)
    assert len(observed.unreadable) == 1
    assert ": it is ours, and the same is not bought again" in observed.unreadable[0]


def test_a_job_of_ours_is_known_by_its_file_even_if_that_is_odd(
    wire: Wire, provider: Opened
) -> None:
    wire.answers(FILES, listed({**raw_file(1, TAGGED), "created_at": "soon"}))
    wire.answers(JOBS, listed({**raw_job(1, None, training_file="file-1"), "created_at": "soon"}))

    observed = provider(BY_FILE_NAME).observe("demo")

    assert [(job.status, job.digest) for job in observed.jobs] == [("unreadable", DIGEST)]
    assert observed.files == ()


def test_an_adopted_job_that_cannot_be_read_stays_too(wire: Wire, provider: Opened) -> None:
    wire.answers(JOBS, listed(NO_STATUS))

    observed = provider().observe("demo", frozenset({"ftjob-8"}))

    assert [(job.id, job.status) for job in observed.adopted] == [("ftjob-8", "unreadable")]
    (told,) = observed.unreadable
    assert told == (
        "job ftjob-8 cannot be read (without a status): it is ours, and the same is not bought"
        " again"
    )


def test_one_job_that_cannot_be_read_is_told_with_what_is_odd(wire: Wire, provider: Opened) -> None:
    wire.answers("GET /fine_tuning/jobs/ftjob-8", NO_STATUS)
    client = provider()

    with pytest.raises(ProviderError, match="cannot be read \\(without a status\\)"):
        client.job("ftjob-8")
    assert client.account_job("ftjob-8", lambda raw: raw["status"]) == "unreadable"


def test_a_page_whose_last_entry_is_odd_leads_on_all_the_same(wire: Wire, provider: Opened) -> None:
    wire.answers(
        JOBS, listed(raw_job(3), {"status": "odd"}, has_more=True), listed(raw_job(2)),
    )  # fmt: skip

    assert [job.id for job in provider().jobs("demo")] == ["ftjob-3", "ftjob-2"]
    assert wire.queries[1]["after"] == ["ftjob-3"]


def test_a_list_that_cannot_be_read_on_is_none_of_which_anything_is_missing(
    wire: Wire, provider: Opened
) -> None:
    """What comes after a page without ids may be ours, and would be bought again."""
    wire.answers(JOBS, listed({"status": "odd"}, has_more=True))
    wire.answers(f"{JOBS}/ftjob-1/events", listed({"message": "one"}, has_more=True))
    client = provider()

    with pytest.raises(ProviderError, match="goes on after a page on which nothing has an id"):
        client.jobs("demo")

    assert wire.requests == [JOBS]
    assert [event.message for event in client.events("ftjob-1")] == ["one"]


def test_odd_events_are_left_out_and_odd_checkpoints_are_not(wire: Wire, provider: Opened) -> None:
    path = "GET /fine_tuning/jobs/ftjob-1"
    wire.answers(f"{path}/events", listed({"id": "e", "created_at": "soon"}, {"id": "f"}))
    wire.answers(f"{path}/checkpoints", listed({"id": "c", "step_number": "two"}))
    client = provider()

    assert [event.id for event in client.events("ftjob-1")] == ["f"]
    wire.answers(f"{path}/events", listed({"message": "two"}, {"message": "one"}))
    assert [event.message for event in client.events("ftjob-1")] == ["one", "two"]
    with pytest.raises(ProviderError, match="a checkpoint without a model or a step"):
        client.checkpoints("ftjob-1")


def test_jobs_of_the_account_are_told_in_our_words(wire: Wire, provider: Opened) -> None:
    odd = {"id": 17, "status": "COMPLETED", "created_at": "2026-11-21T10:00:00Z", "own": 1}
    wire.answers(JOBS, listed(odd))
    wire.answers("GET /fine_tuning/jobs/17", odd)
    client = provider()
    read = {"id": "17", "status": "succeeded", "created_at": 1795255200, "own": 1}

    assert client.account_jobs(dict) == (read,)
    assert client.account_job("17", dict) == read


def test_a_read_is_repeated_with_backoff(wire: Wire, provider: Opened, clock: HandClock) -> None:
    busy = (503, {"error": {"message": "busy"}})
    began = clock.now()
    wire.answers(JOBS, *[busy] * 5, listed(raw_job(1)))

    assert len(provider().jobs("demo")) == 1
    assert (len(wire.requests), clock.now() - began > 11) == (6, True)


# Models.


@pytest.mark.parametrize("status", [403, 404, 405, 501])
def test_a_service_that_lists_no_models_says_nothing_of_them(
    wire: Wire, provider: Opened, status: int
) -> None:
    wire.answers(MODELS, (status, {"error": {"message": "no"}}))

    assert provider().observe("demo").models is None


def test_another_fault_of_the_list_of_models_is_told(wire: Wire, provider: Opened) -> None:
    wire.answers(MODELS, (401, {"error": {"message": "no"}}))

    with pytest.raises(ProviderError):
        provider().observe("demo")


DONE = raw_job(1, status="succeeded", fine_tuned_model="ft:1")


def test_a_list_without_any_fine_tuned_model_proves_nothing(wire: Wire, provider: Opened) -> None:
    wire.answers(JOBS, listed(DONE)).answers(MODELS, listed({"id": "gpt"}))
    wire.answers("GET /models/ft:1", {"id": "ft:1"})

    assert provider().observe("demo").models is None


def test_a_model_that_is_neither_listed_nor_seen_by_its_name_is_gone(
    wire: Wire, provider: Opened
) -> None:
    wire.answers(JOBS, listed(DONE)).answers(MODELS, listed({"id": "gpt"}))

    assert provider().observe("demo").models == frozenset({"gpt"})
    assert wire.requests[-1] == "GET /models/ft:1"


def test_a_list_that_has_one_of_our_models_is_believed(wire: Wire, provider: Opened) -> None:
    other = raw_job(2, status="succeeded", fine_tuned_model="ft:2")
    wire.answers(JOBS, listed(DONE, other))
    wire.answers(MODELS, listed({"id": "ft:2", "shutdown_date": "2027-01-14"}, {"id": "gpt"}))

    observed = provider().observe("demo")

    assert observed.models == frozenset({"ft:2", "gpt"})
    assert observed.shutdowns == {"ft:2": date(2027, 1, 14)}
    assert not any("/models/" in request for request in wire.requests)


@pytest.mark.parametrize("running", [{"fine_tuned_model": "ft:1"}, {"status": "succeeded"}])
def test_only_models_that_should_be_there_are_looked_for(
    wire: Wire, provider: Opened, running: dict[str, str]
) -> None:
    wire.answers(JOBS, listed(raw_job(1, **running)))

    assert provider().observe("demo").models == frozenset()
    assert wire.requests == [FILES, JOBS, MODELS]


def test_whether_a_model_is_visible_is_asked_by_its_name(wire: Wire, provider: Opened) -> None:
    wire.answers("GET /models/ft:1", {"id": "ft:1"})
    wire.answers("GET /models/ft:3", (403, {"error": {"message": "no"}}))
    client = provider()

    assert client.model_visible("ft:1")
    assert not client.model_visible("ft:2")
    with pytest.raises(ProviderError):
        client.model_visible("ft:3")


# One job.


def test_a_job_is_read_by_its_id(wire: Wire, provider: Opened) -> None:
    wire.answers("GET /fine_tuning/jobs/ftjob-1", raw_job(1))
    client = provider()

    assert client.job("ftjob-1").digest == DIGEST
    with pytest.raises(ProviderError) as fault:
        client.job("ftjob-2")
    assert fault.value.status == 404


def test_the_newest_events_come_last(wire: Wire, provider: Opened) -> None:
    raw = [{"id": f"e-{number}", "created_at": number, "message": "m"} for number in (3, 2, 1)]
    path = "GET /fine_tuning/jobs/ftjob-1/events"
    wire.answers(path, listed(*raw[:2], has_more=True), listed(*raw[2:]))
    client = provider()

    whole = client.events("ftjob-1")
    wire.answers(path, listed(*raw[:2], has_more=True))
    newest = client.events("ftjob-1", 2)

    assert whole == tuple(Event(f"e-{number}", number, "info", "m") for number in (1, 2, 3))
    assert newest == whole[1:]
    assert [query.get("limit") for query in wire.queries] == [["100"], ["100"], ["2"]]


def test_checkpoints_have_their_loss_where_it_was_measured(wire: Wire, provider: Opened) -> None:
    wire.answers(
        "GET /fine_tuning/jobs/ftjob-1/checkpoints",
        listed(
            {"id": "c-2", "fine_tuned_model_checkpoint": "ft:2", "step_number": 2,
             "metrics": {"full_valid_loss": 0.5}},
            {"id": "c-1", "fine_tuned_model_checkpoint": "ft:1", "step_number": 1},
        ),
    )  # fmt: skip

    assert provider().checkpoints("ftjob-1") == (
        CheckpointModel("ft:2", 2, 0.5),
        CheckpointModel("ft:1", 1, None),
    )
    assert wire.queries == [{"limit": ["100"]}]


# Uploads.


UPLOAD = Upload("rows", "rows.jsonl", SHA256, 10, OURS)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"0123456789")
    return path


def test_a_file_is_sent_once_under_its_name(wire: Wire, provider: Opened, rows: Path) -> None:
    wire.answers("POST /files", raw_file(1, OURS))

    assert provider().upload(UPLOAD, rows) == File("file-1", OURS, 10, 1, SHA256)
    assert OURS.encode() in wire.bodies[0]
    assert b"0123456789" in wire.bodies[0]
    assert b"fine-tune" in wire.bodies[0]


@pytest.mark.parametrize(
    ("answer", "ambiguous"),
    [
        (httpx2.ReadError("cut"), True), ((500, {}), True), ((200, {"object": "file"}), True),
        ((413, {}), False), (httpx2.ConnectError("refused"), False),
    ],
)  # fmt: skip
def test_an_upload_is_asked_once_and_may_be_in_doubt(
    wire: Wire, provider: Opened, rows: Path, answer: Any, ambiguous: bool
) -> None:
    wire.answers("POST /files", answer)

    with pytest.raises(ProviderError) as fault:
        provider().upload(UPLOAD, rows)

    assert fault.value.ambiguous is ambiguous
    assert wire.requests == ["POST /files"]


def test_a_file_is_asked_for_by_its_id(wire: Wire, provider: Opened) -> None:
    wire.answers("GET /files/file-1", raw_file(1, OURS))

    assert provider().file("file-1").name == OURS


def test_of_copies_of_an_upload_the_oldest_whole_one_is_taken(wire: Wire, provider: Opened) -> None:
    cut = {**raw_file(1, OURS), "bytes": 9}
    wire.answers(FILES, listed(raw_file(4, OURS), cut, raw_file(2, OURS), raw_file(0, "x.jsonl")))
    client = provider()

    assert client.find_upload(OURS, 10) == "file-2"
    assert client.find_upload(OURS, 11) is None


def test_a_file_is_looked_up_by_its_id(wire: Wire, provider: Opened) -> None:
    wire.answers(
        "GET /files/file-1",
        raw_file(1, OURS, status="pending"),
        raw_file(1, OURS, status="error", status_details="row 7 is odd"),
    )
    client = provider()

    waits, refused = client.file("file-1"), client.file("file-1")

    assert (waits.processing, waits.refusal, waits.usable) == (True, None, True)
    assert (refused.processing, refused.refusal) == (False, "row 7 is odd")
    with pytest.raises(ProviderError) as fault:
        client.file("file-2")
    assert fault.value.status == 404


# Creates.


START = StartJob("tone", DIGEST, {"seed": 7}, "gpt", FileRef("rows", OURS, SHA256, "file-1"), None)
TAGS = {"ftctl_project": "demo", "ftctl_finetune": "tone", "ftctl_digest": DIGEST}


def start(client: Client, step: StartJob = START, validation: str | None = None) -> Job:
    return client.start_job(
        step, base_model="gpt", training_file="file-1", validation_file=validation, tags=TAGS
    )


def test_a_create_carries_our_tags_beside_the_users(wire: Wire, provider: Opened) -> None:
    wire.answers(CREATE, raw_job(1))
    step = replace(START, spec={"seed": 7, "metadata": {"owner": "cx"}})

    job = start(provider(), step, "file-2")

    assert (job.id, job.digest, job.finetune) == ("ftjob-1", DIGEST, "tone")
    assert wire.bodies == [
        {
            "model": "gpt",
            "training_file": "file-1",
            "validation_file": "file-2",
            "seed": 7,
            "method": {"type": "supervised"},
            "metadata": {"owner": "cx", **TAGS},
        }
    ]


def test_where_tags_are_in_file_names_a_create_carries_none(wire: Wire, provider: Opened) -> None:
    wire.answers(CREATE, raw_job(1, None))

    assert start(provider(BY_FILE_NAME)).digest is None  # the file's name has it
    assert wire.bodies[0].keys() == {"model", "training_file", "seed", "method"}
    assert wire.requests == [CREATE]


@pytest.mark.parametrize(("project", "digest"), [("demo", DIGEST), (None, None)])
def test_a_new_job_is_told_as_the_answer_tells_it(
    wire: Wire, provider: Opened, project: str | None, digest: str | None
) -> None:
    """Whether a job whose tags are not repeated has them is for whoever buys to find out."""
    wire.answers(CREATE, raw_job(1, project))

    job = start(provider())

    assert (job.id, job.digest) == ("ftjob-1", digest)
    assert wire.requests == [CREATE]


@pytest.mark.parametrize(
    ("answer", "ambiguous"),
    [
        (httpx2.ReadError("cut"), True), ((500, {}), True), ((409, {}), True),
        ((200, {"object": "job"}), True),
        ((400, {}), False), ((429, {}), False), (httpx2.ConnectError("refused"), False),
    ],
)  # fmt: skip
def test_a_create_is_asked_once_and_may_be_in_doubt(
    wire: Wire, provider: Opened, answer: Any, ambiguous: bool
) -> None:
    wire.answers(CREATE, answer)

    with pytest.raises(ProviderError) as fault:
        start(provider())

    assert fault.value.ambiguous is ambiguous
    assert wire.requests == [CREATE]


@pytest.mark.parametrize("status", [400, 403, 409, 422, 429])
def test_a_limit_on_jobs_is_a_refusal_that_passes_and_bought_nothing(
    wire: Wire, provider: Opened, status: int
) -> None:
    wire.answers(CREATE, (status, {"error": {"message": "You have 3 active jobs, the maximum"}}))

    with pytest.raises(ProviderError) as fault:
        start(provider())

    assert (fault.value.job_limit, fault.value.ambiguous) == (True, False)


@pytest.mark.parametrize("status", [400, 404, 409])
def test_a_file_that_is_still_looked_at_makes_a_create_wait_and_bought_nothing(
    wire: Wire, provider: Opened, status: int
) -> None:
    message = "File 'file-1' is still being processed and is not ready"
    wire.answers(CREATE, (status, {"error": {"message": message}}))
    wire.answers("DELETE /files/file-1", (status, {"error": {"message": message}}))
    client = provider()

    with pytest.raises(ProviderError) as fault:
        start(client)

    pending = (fault.value.file_pending, fault.value.retryable, fault.value.ambiguous)
    assert pending == (True, True, False)
    # Of other requests it means nothing of the kind.
    with contextlib.suppress(ProviderError):
        client.delete_file("file-1")
    assert wire.requests.count("DELETE /files/file-1") == (6 if status == 409 else 1)


# Cancels and deletes.


CANCEL, LOOK = "POST /fine_tuning/jobs/ftjob-1/cancel", "GET /fine_tuning/jobs/ftjob-1"


def test_a_cancel_is_repeated_until_it_is_answered(wire: Wire, provider: Opened) -> None:
    wire.answers(CANCEL, (503, {}), httpx2.ReadError("cut"), raw_job(1, status="cancelled"))

    assert provider().cancel_job("ftjob-1").status == "cancelled"
    assert wire.requests == [CANCEL] * 3


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled"])
def test_a_job_that_is_over_already_is_returned_as_it_is(
    wire: Wire, provider: Opened, status: str
) -> None:
    wire.answers(CANCEL, (400, {"error": {"message": "it is over"}}))
    wire.answers(LOOK, raw_job(1, status=status, fine_tuned_model="ft:1"))

    assert provider().cancel_job("ftjob-1").status == status


def test_a_job_that_runs_on_although_it_was_to_be_cancelled_is_a_fault(
    wire: Wire, provider: Opened
) -> None:
    wire.answers(CANCEL, (400, {"error": {"message": "not now"}})).answers(LOOK, raw_job(1))

    with pytest.raises(ProviderError, match="not now"):
        provider().cancel_job("ftjob-1")


STEER = "POST /fine_tuning/jobs/ftjob-1/{}"


@pytest.mark.parametrize(("verb", "status"), [("pause", "paused"), ("resume", "queued")])
def test_a_pause_and_a_resume_are_repeated_until_they_are_answered(
    wire: Wire, provider: Opened, verb: str, status: str
) -> None:
    ask = STEER.format(verb)
    wire.answers(ask, (503, {}), httpx2.ReadError("cut"), raw_job(1, status=status))

    assert getattr(provider(), f"{verb}_job")("ftjob-1").status == status
    assert wire.requests == [ask] * 3


@pytest.mark.parametrize(
    ("verb", "status"), [("pause", "paused"), ("resume", "running"), ("resume", "queued")]
)
def test_a_job_that_is_paused_or_goes_on_already_is_returned_as_it_is(
    wire: Wire, provider: Opened, verb: str, status: str
) -> None:
    """The answer to an earlier request may have been lost: the second is then refused."""
    wire.answers(STEER.format(verb), (400, {"error": {"message": "not now"}}))
    wire.answers(LOOK, raw_job(1, status=status))

    assert getattr(provider(), f"{verb}_job")("ftjob-1").status == status


@pytest.mark.parametrize(
    ("verb", "status"),
    [("pause", "running"), ("pause", "succeeded"), ("resume", "paused"), ("resume", "failed")],
)
@pytest.mark.parametrize("refusal", [400, 404, 405])
def test_a_pause_or_resume_that_did_not_come_about_is_a_fault(
    wire: Wire, provider: Opened, verb: str, status: str, refusal: int
) -> None:
    wire.answers(STEER.format(verb), (refusal, {"error": {"message": "not here"}}))
    wire.answers(LOOK, raw_job(1, status=status))

    with pytest.raises(ProviderError, match="not here") as fault:
        getattr(provider(), f"{verb}_job")("ftjob-1")

    assert fault.value.status == refusal


@pytest.mark.parametrize("what", ["model", "file"])
def test_deleting_what_is_gone_is_no_error_and_what_stays_is_one(
    wire: Wire, provider: Opened, what: str
) -> None:
    wire.answers(f"DELETE /{what}s/used", (400, {"error": {"message": "in use"}}))
    wire.answers(f"DELETE /{what}s/there", (503, {}), {"id": "there", "deleted": True})
    delete = getattr(provider(), f"delete_{what}")

    delete("there")
    delete("gone")
    with pytest.raises(ProviderError, match="in use"):
        delete("used")

    assert wire.requests.count(f"DELETE /{what}s/there") == 2


# The account, the probe and the moderator.


def test_every_job_of_the_account_is_read_as_it_stands(wire: Wire, provider: Opened) -> None:
    wire.answers(JOBS, listed(raw_job(2, "theirs"), raw_job(1, None)))
    wire.answers(LOOK, (503, {}), raw_job(1, "theirs"))
    client = provider()

    assert client.account_jobs(lambda raw: raw["id"]) == ("ftjob-2", "ftjob-1")
    assert wire.queries == [{"limit": ["100"]}]
    assert client.account_job("ftjob-1", lambda raw: raw["metadata"]["ftctl_project"]) == "theirs"


def test_files_are_named_by_their_ids(wire: Wire, provider: Opened) -> None:
    wire.answers(FILES, listed(raw_file(1, "a.jsonl"), {"id": "file-2"}))

    assert provider().file_names() == {"file-1": "a.jsonl", "file-2": ""}


def test_a_download_is_asked_once(wire: Wire, provider: Opened) -> None:
    wire.answers("GET /files/file-1/content", b"rows").answers(
        "GET /files/file-2/content", (503, {})
    )
    client = provider()

    assert b"".join(client.download("file-1")) == b"rows"
    with pytest.raises(ProviderError):
        list(client.download("file-2"))
    assert wire.requests.count("GET /files/file-2/content") == 1


def test_a_probe_tells_whatever_is_answered(wire: Wire, provider: Opened) -> None:
    refusal = {"error": {"message": f"no, {KEY}", "code": "bad"}}
    wire.answers(CREATE, (400, refusal)).answers("DELETE /models/x", (200, {"deleted": False}))
    wire.answers("GET /files", httpx2.ReadError("cut")).answers(MODELS, b"<html>")
    client = provider()

    refused = client.ask("POST", "/fine_tuning/jobs", {"model": "gpt"})
    assert (refused.status, refused.code, refused.message) == (400, "bad", "no, [redacted]")
    assert (refused.ok, refused.entries) == (False, None)
    assert wire.bodies == [{"model": "gpt"}]
    assert client.ask("DELETE", "/models/x").ok
    cut = client.ask("GET", "/files")
    assert cut.status is None
    assert "cut" in (cut.message or "")
    html = client.ask("GET", "/models")
    assert (html.status, html.body, html.ok) == (200, None, False)
    assert len(wire.requests) == 4


def test_the_entries_of_an_answer_are_those_of_a_list(wire: Wire, provider: Opened) -> None:
    wire.answers(MODELS, listed({"id": "gpt"}, 7), {"data": 7}, [], (500, listed({"id": "x"})))
    client = provider()

    assert [client.ask("GET", "/models").entries for _ in range(4)] == [
        ({"id": "gpt"},), None, None, None,
    ]  # fmt: skip


def test_texts_are_moderated_one_verdict_each(wire: Wire, provider: Opened) -> None:
    verdicts = [
        {"flagged": True, "categories": {"violence": True, "hate": True, "self-harm": False}},
        {"flagged": False, "categories": {"violence": True}},
    ]
    wire.answers("POST /moderations", (503, {}), {"results": verdicts})

    assert provider().moderate(["a", "\ud83d"]) == (("hate", "violence"), ())
    assert wire.bodies[-1] == {"model": MODERATION_MODEL, "input": ["a", "?"]}


@pytest.mark.parametrize(
    "answer",
    [
        {"results": []}, {"results": {}}, {"results": {"a": 1}}, {"results": None},
        {}, {"results": [{"flagged": 1, "categories": {}}]},
        (400, {"error": {"message": "'secret' is odd"}}),
    ],
)  # fmt: skip
def test_a_moderation_that_cannot_be_read_quotes_no_text(
    wire: Wire, provider: Opened, answer: Any
) -> None:
    wire.answers("POST /moderations", answer)

    with pytest.raises(ProviderError) as fault:
        provider().moderate(["secret"])

    assert "secret" not in str(fault.value)


def test_an_address_that_is_none_is_told_without_its_password(clock: HandClock) -> None:
    with pytest.raises(ProviderError, match="the service's address has an '@'") as fault:
        connect(Connection("http://user:hidden@host:port", KEY), OPENAI, clock=clock)

    assert "hidden" not in str(fault.value)


def test_requests_are_logged_and_carry_who_we_are(wire: Wire, clock: HandClock) -> None:
    lines: list[str] = []
    headers: list[httpx2.Headers] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        headers.append(request.headers)
        return wire(request)

    client = connect(
        Connection("https://api.example/v1", KEY, "org-1", "proj-1"), OPENAI,
        transport=httpx2.MockTransport(answer), log=lines.append, clock=clock,
    )  # fmt: skip
    client.jobs("demo", whole=True)
    client.close()

    assert lines == ["GET /v1/fine_tuning/jobs?limit=100"]
    assert headers[0]["authorization"] == f"Bearer {KEY}"
    assert headers[0]["openai-organization"] == "org-1"
    assert headers[0]["openai-project"] == "proj-1"


def test_a_client_that_was_closed_asks_nothing_more(
    wire: Wire, provider: Opened, rows: Path
) -> None:
    client = provider()
    client.close()

    with pytest.raises((RuntimeError, ProviderError)):
        client.jobs("demo")
    with pytest.raises((RuntimeError, ProviderError)):
        client.upload(UPLOAD, rows)

    assert wire.requests == []


def test_a_service_that_has_moved_is_not_followed(wire: Wire, clock: HandClock) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.host == "old.example":
            moved = f"https://api.example{request.url.path}?token=hidden"
            return httpx2.Response(307, headers={"location": moved})
        return wire(request)

    client = connect(
        Connection("https://old.example/v1", KEY), OPENAI,
        transport=httpx2.MockTransport(answer), clock=clock,
    )  # fmt: skip

    with pytest.raises(ProviderError) as caught:
        client.jobs("demo")

    assert caught.value.message == (
        "the service sends a GET on to https://api.example/v1/fine_tuning/jobs, which is not"
        " followed"
    )
    assert caught.value.hint == "set 'base_url' to where it leads, if that is right"
    assert wire.requests == []
    client.close()
