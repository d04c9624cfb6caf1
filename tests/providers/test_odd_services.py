"""The whole way through ftctl, with services that people have reported on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import FINETUNE, Shell
from plain_server import Answer, World, times


def ends_as(world: World, **facts: Any) -> None:
    """Jobs end as soon as they are looked at, in the service's own words."""
    world.finishes = False

    def end(method: str, path: str) -> Answer | None:
        for job in world.jobs if (method, path) == ("GET", "/fine_tuning/jobs") else ():
            job.update(facts)
        return None

    world.before = end


@pytest.mark.parametrize("word", ["completed", "SUCCEEDED", "JOB_STATE_SUCCEEDED", "Glowing"])
def test_a_job_that_succeeded_in_other_words_has_its_model(
    remote: Shell, world: World, word: str
) -> None:
    world.models.append("ft:1")
    ends_as(world, status=word, fine_tuned_model="ft:1", finished_at="2026-11-21T10:00:00Z")

    result = remote.ok("apply", "--auto-approve", "--wait")

    assert "tone: succeeded as ft:1" in result.out
    assert remote.ok("output", "tone").out == "ft:1\n"
    assert "no-op, up to date as ft:1" in remote.ok("apply", "--auto-approve").out
    assert len(world.jobs) == 1


@pytest.mark.parametrize(
    ("word", "error"),
    [
        ("error", "the data is odd"),
        ("Glowing", ["the data is odd"]),
        ("user_error", {"error": {"detail": [{"msg": "the data is odd"}]}}),
    ],
)
def test_a_job_that_failed_in_other_words_says_why(
    remote: Shell, world: World, word: str, error: Any
) -> None:
    ends_as(world, status=word, error=error, finished_at=1_790_000_100)

    result = remote("apply", "--auto-approve", "--wait")

    assert result.status == 1
    assert "ftjob-1 failed: the data is odd; --retry-failed buys it again" in remote.ok("plan").out
    assert remote("apply", "--auto-approve").status == 1
    assert len(world.jobs) == 1


def test_a_job_of_ours_that_cannot_be_read_is_told_and_not_bought_again(
    remote: Shell, world: World
) -> None:
    ends_as(world, created_at="soon")
    remote.ok("apply", "--auto-approve")

    result = remote.ok("plan")

    assert (
        "Warning: job ftjob-1 cannot be read (its created_at is no time): it is ours, and the same"
        " is not bought again." in result.out
    )
    assert "! tone: attention, ftjob-1 cannot be read: its created_at is no time;" in result.out
    remote.ok("apply", "--auto-approve")
    assert len(world.jobs) == 1


def test_odd_jobs_of_strangers_stop_nothing(remote: Shell, world: World) -> None:
    world.jobs += [{"id": "ftjob-odd", "status": 7}, {"status": "queued!", "created_at": []}]

    result = remote.ok("plan")

    assert "Warning: job ftjob-odd cannot be read (its status is no text): it is left out." in (
        result.out
    )
    assert "Warning: a job without an id: it is left out." in result.out
    assert "+ tone: create, not found" in result.out


@pytest.mark.parametrize("status", [400, 404, 409])
def test_a_create_waits_until_its_file_is_ready(remote: Shell, world: World, status: int) -> None:
    message = "File 'file-1' is still being processed and is not ready. Try again later."
    world.before = times(3, (status, {"error": {"message": message}}))

    remote.ok("apply", "--auto-approve", "--wait")

    assert len(world.jobs) == 1
    assert world.requests.count("POST /fine_tuning/jobs") == 4


@pytest.mark.parametrize("status", [400, 403, 429])
def test_a_change_waits_its_turn_where_no_more_jobs_are_taken(
    remote: Shell, world: World, status: int
) -> None:
    message = "You already have 2 active fine-tuning jobs, which is the maximum"
    world.before = times(99, (status, {"error": {"message": message}}))

    result = remote("apply", "--auto-approve")

    assert f"waits its turn: {message}" in result.out + result.err
    assert world.requests.count("POST /fine_tuning/jobs") == 1
    assert world.jobs == []


def test_why_a_file_was_refused_is_told_where_it_is_sent_again(remote: Shell, world: World) -> None:
    ends_as(world, status="failed", error="the file is odd", finished_at=1_790_000_100)
    remote.ok("apply", "--auto-approve")
    world.files[0].update(status="error", status_details="row 7 has no messages")

    result = remote.ok("plan", "--retry-failed")

    assert "(file-1) is of no use: row 7 has no messages." in result.out
    assert "upload  data/" in result.out


def test_events_without_ids_are_all_told_and_each_once(remote: Shell, world: World) -> None:
    events = [{"created_at": 2, "message": "two"}, {"created_at": 1, "message": "one", "id": "a b"}]
    remote.ok("apply", "--auto-approve")

    def tell(method: str, path: str) -> Answer | None:
        asked = (method, path) == ("GET", "/fine_tuning/jobs/ftjob-1/events")
        return (200, {"data": [*events, events[0]], "has_more": False}) if asked else None

    world.before = tell

    told = remote.ok("events", "tone").out

    assert told == "1970-01-01 00:00:01Z  info   one\n1970-01-01 00:00:02Z  info   two\n"


def test_a_variable_of_a_shell_begins_with_no_digit(
    remote: Shell, world: World, write_project: Callable[[Mapping[str, str]], Path]
) -> None:
    write_project({"finetunes/tone.yaml": FINETUNE.replace("tone", "3d-tone")})
    remote.ok("apply", "--auto-approve", "--wait")

    dotenv = remote.ok("output", "--format", "dotenv").out
    github = remote.ok("output", "--format", "github").out

    assert dotenv == f"_3D_TONE_MODEL={world.models[0]}\n"
    assert github == f"3d_tone={world.models[0]}\n"


@pytest.mark.parametrize("name", ["a\x9bb", "a b", "$(x)", "\u00e9"])
def test_an_account_of_no_name_is_none_that_is_told(remote: Shell, world: World, name: str) -> None:
    world.headers_told = b"".join(
        head + name.encode("latin-1") + b"\r\n"
        for head in (b"openai-organization: org-", b"openai-project: ")
    )

    assert " for " not in remote.ok("plan").out.splitlines()[0]


def cut(job: dict[str, Any]) -> None:
    job["metadata"] = {key: value[:20] for key, value in job["metadata"].items()}


def mark(job: dict[str, Any], **pairs: Any) -> None:
    job["metadata"] |= {f"ftctl_{key}": value for key, value in pairs.items()}


# What becomes of a job's record after it was bought: a gateway changed, an account moved.
LATER: dict[str, Callable[[dict[str, Any]], Any]] = {
    "marks are cut": cut,
    "a digest that is a number": lambda job: mark(job, digest=5),
    "a digest that is a word": lambda job: mark(job, digest="abc"),
    "a digest that was cut": lambda job: mark(job, digest=job["metadata"]["ftctl_digest"][:64]),
    "a project that is none": lambda job: mark(job, project="Bad Name!"),
    "neither mark nor state": lambda job: job.update(status=None, metadata=None),
    "no state": lambda job: job.update(status=None),
    "an id that is none": lambda job: job.update(id="job $(x)"),
    "no id": lambda job: job.update(id=None),
}


@pytest.mark.parametrize("keeps_lock", [True, False], ids=["lock", "no lock"])
@pytest.mark.parametrize("what", LATER)
def test_a_job_whose_record_becomes_odd_is_bought_no_second_time(
    remote: Shell, world: World, what: str, *, keeps_lock: bool
) -> None:
    remote.ok("apply", "--auto-approve", "--wait")
    LATER[what](world.jobs[0])
    if not keeps_lock:
        (remote.folder / "ftctl.lock").unlink()
    world.requests.clear()

    applied = remote("apply", "--auto-approve")
    plan = remote("plan", "--detailed-exitcode")

    assert "! tone: attention, " in applied.out
    assert plan.status == 2
    assert len(world.jobs) == 1
    assert not [one for one in world.requests if one.startswith(("POST", "DELETE"))]


@pytest.mark.parametrize("what", LATER)
def test_what_replaces_a_job_whose_record_is_odd_is_bought_once(
    remote: Shell, world: World, what: str
) -> None:
    remote.ok("apply", "--auto-approve", "--wait")
    LATER[what](world.jobs[0])

    bought = remote("apply", "--auto-approve", "--replace", "tone", "--wait")
    again = remote("apply", "--auto-approve")

    assert "tone: succeeded as ft:" in bought.out
    assert len(world.jobs) == 2
    assert "(a job without" not in str(world.jobs[-1]["metadata"])
    assert "started" not in again.out


SOLD: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "a mark": lambda body: {"metadata": body["metadata"] | {"ftctl_replaces": "(a job)"}},
    "a mark without a whole digest": lambda body: {
        "metadata": body["metadata"] | {"ftctl_digest": "v1:0123"}
    },
    "an id": lambda _body: {"id": "job $(x)"},
    "a model": lambda _body: {"fine_tuned_model": {"name": "ft:1"}},
}


@pytest.mark.parametrize("what", SOLD)
def test_a_purchase_whose_answer_cannot_be_read_is_not_asked_for_again(
    remote: Shell, world: World, what: str
) -> None:
    world.tells, world.finishes = SOLD[what], False

    for _ in range(2):
        remote("apply", "--auto-approve")

    assert world.requests.count("POST /fine_tuning/jobs") == 1
    assert "tone: attention, " in remote("plan").out
