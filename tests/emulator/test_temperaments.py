"""Temperaments: a service that behaves in its own way, at every request."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from emulator.lab import JOBS, KEY, Lab, chats, form
from ftctl.emulator import (
    TEMPERAMENTS,
    BadTemperament,
    EmulatorTransport,
    Request,
    Settings,
    open_emulator,
    read_temperament,
    serve,
)
from ftctl.emulator.temperaments.tempered import WAYS

FAULTS = "/_ftctl/faults"
MARK = {"ftctl_project": "demo"}
FILTER = f"{JOBS}?metadata[ftctl_project]=demo"
PAGE = ("sec-fetch-site", "same-origin")


def lab_of(folder: Path, *temperaments: str, **changes: Any) -> Lab:
    return Lab(folder, temperaments=temperaments, **changes)


def ids(lab: Lab, target: str) -> list[str]:
    return [one["id"] for one in lab.get(target)["data"]]


def truth(lab: Lab, target: str) -> Any:
    """What there is, as the emulator's own page sees it."""
    return json.loads(lab.send("GET", target, b"", PAGE).body)


def upload(lab: Lab, name: str) -> Any:
    header, body = form(("purpose", None, b"fine-tune"), ("file", name, chats(12)))
    return json.loads(lab.send("POST", "/v1/files", body, header).body)


# The slugs.


def test_every_temperament_that_is_told_of_has_a_way() -> None:
    assert list(WAYS) == list(TEMPERAMENTS)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("lagging-list=30", "lagging-list=30"),
        ("lagging-list=0.4", "lagging-list=0.4"),
        ("lagging-list", "lagging-list=3"),
        (" filter-ignored ", "filter-ignored"),
        ("names-shortened=12", "names-shortened=12"),
    ],
)
def test_a_slug_is_read_with_its_value(text: str, shown: str) -> None:
    assert str(read_temperament(text)) == shown


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("laging-list=3", "there is no temperament 'laging-list'", "did you mean 'lagging-list'?"),
        ("", "there is no temperament ''", f"there are {', '.join(TEMPERAMENTS)}"),
        ("filter-ignored=3", "'filter-ignored' takes no value", "write 'filter-ignored' alone"),
        *(
            (
                f"model-late={value}",
                f"'{value}' is no value for 'model-late'",
                "write seconds above 0, up to 2,592,000, as in 'model-late=60'",
            )
            for value in ("", "soon", "-1", "0", "nan", "inf", "1e9")
        ),
        (
            "names-shortened=1.5",
            "'1.5' is no value for 'names-shortened'",
            "write a whole number of characters above 0, up to 1,000, as in 'names-shortened=40'",
        ),
    ],
)
def test_what_is_no_temperament_is_told_with_what_is(text: str, message: str, hint: str) -> None:
    with pytest.raises(BadTemperament) as caught:
        read_temperament(text)

    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_settings_take_temperaments_only() -> None:
    with pytest.raises(ValueError, match="did you mean 'odd-jobs'"):
        Settings(temperaments=("odd-job",))


# Lists.


def test_a_lagging_list_shows_what_is_new_only_after_so_long(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "lagging-list=30")
    job = lab.create()

    seen = []
    for _ in range(2):
        seen.append((ids(lab, JOBS), len(ids(lab, "/v1/files"))))
        lab.now += 30

    assert seen == [([], 0), ([job["id"]], 1)]


def test_a_lagging_list_of_files_that_shows_none_names_none(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "lagging-list=30")
    lab.upload()

    listed = lab.get("/v1/files")

    assert (listed["first_id"], listed["last_id"]) == ("", "")


def test_what_a_lagging_list_hides_is_there_by_its_id(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "lagging-list=30")
    job = lab.create()

    assert lab.job(job["id"])["id"] == job["id"]
    assert lab.get(f"/v1/files/{job['training_file']}")["id"] == job["training_file"]


def test_a_lag_shorter_than_a_second_is_kept(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "lagging-list=0.4")
    lab.create()
    lab.now += 0.39
    before = ids(lab, JOBS)
    lab.now += 0.02

    assert (before, len(ids(lab, JOBS))) == ([], 1)


def test_a_filter_may_find_nothing_be_ignored_or_be_refused(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    ours = lab.create(metadata=MARK)["id"]
    other = lab.create()["id"]

    found = {}
    for slug in ("filter-finds-nothing", "filter-ignored", "filter-refused"):
        lab.call("PUT", FAULTS, {"temperaments": [slug]})
        assert ids(lab, JOBS) == [other, ours]
        found[slug] = lab.call("GET", FILTER)

    assert found["filter-finds-nothing"] == (
        200,
        {"object": "list", "data": [], "has_more": False},
    )
    assert [job["id"] for job in found["filter-ignored"][1]["data"]] == [other, ours]
    status, answer = found["filter-refused"]
    assert (status, answer["error"]["param"]) == (400, "metadata")


def test_odd_jobs_stand_before_the_others_on_the_first_page_alone(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "odd-jobs")
    second, first = (lab.create(metadata=MARK)["id"] for _ in range(2))

    listed = lab.get(f"{FILTER}&limit=1")["data"]
    rest = lab.get(f"{FILTER}&limit=1&after={first}")["data"]

    *odd, last = listed
    assert last["id"] == first
    assert [job["id"] for job in rest] == [second]
    assert None in odd
    assert any("status" not in job for job in odd if job)
    assert any("id" not in job for job in odd if job)
    assert any(isinstance(job.get("created_at"), str) for job in odd if job)


@pytest.mark.parametrize("path", [JOBS, "/v1/files"])
def test_a_list_without_end_always_has_older_records(tmp_path: Path, path: str) -> None:
    lab = lab_of(tmp_path, "list-without-end")
    lab.create()

    entries, query = [], ""
    for _ in range(5):
        page = lab.get(f"{path}?limit=50{query}")
        entries += page["data"]
        query = f"&after={entries[-1]['id']}"

    assert page["has_more"] is True
    assert len({one["id"] for one in entries}) == len(entries) == 251
    times = [one["created_at"] for one in entries]
    assert times == sorted(times, reverse=True)


# Jobs.


def test_dropped_metadata_is_shown_nowhere_and_found_by_no_filter(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "metadata-dropped")
    job = lab.create(metadata=MARK)

    shown = [job, lab.job(job["id"]), *lab.get(JOBS)["data"]]

    assert [one["metadata"] for one in shown] == [None] * 3
    assert ids(lab, FILTER) == []
    assert truth(lab, JOBS)["data"][0]["metadata"] == MARK


def test_metadata_may_be_refused(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "metadata-refused")
    wanted = {"model": "gpt-4.1-mini", "training_file": lab.upload()}

    error = lab.refused("POST", JOBS, {**wanted, "metadata": MARK})

    assert (error["status"], error["param"]) == (400, "metadata")
    assert lab.get(JOBS)["data"] == []
    assert lab.call("POST", JOBS, wanted)[0] == 200


def test_statuses_are_respelled_on_their_whole_way(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "statuses-respelled")
    first = lab.create()["id"]

    seen = []
    for _ in range(15):
        seen.append(lab.job(first)["status"])
        lab.now += 1
    second = lab.create()["id"]
    _, stopped = lab.call("POST", f"{JOBS}/{second}/cancel")

    assert list(dict.fromkeys(seen)) == ["pending", "RUNNING", "completed"]
    assert stopped["status"] == "canceled"
    assert [job["status"] for job in lab.get(JOBS)["data"]] == ["canceled", "completed"]


def test_an_unknown_status_has_no_end_and_no_model(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "unknown-status")
    job = lab.create()["id"]
    lab.now += 60

    shown = lab.job(job)

    assert (shown["status"], shown["finished_at"], shown["fine_tuned_model"]) == (
        "in_review", None, None,
    )  # fmt: skip
    assert truth(lab, f"{JOBS}/{job}")["status"] == "succeeded"


def test_a_job_may_succeed_and_name_no_model(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "no-model-name")
    job = lab.create()["id"]
    lab.now += 60

    shown = lab.job(job)

    assert (shown["status"], shown["fine_tuned_model"]) == ("succeeded", None)
    assert any(name.startswith("ft:") for name in ids(lab, "/v1/models"))


def test_a_cancel_may_be_refused(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "cancel-refused")
    job = lab.create()["id"]

    error = lab.refused("POST", f"{JOBS}/{job}/cancel")

    assert (error["status"], error["code"]) == (403, "missing_scope")
    assert lab.job(job)["status"] == "validating_files"


@pytest.mark.parametrize("form_of", ["method", "beside"])
def test_hyperparameters_that_were_asked_for_are_changed(tmp_path: Path, form_of: str) -> None:
    lab = lab_of(tmp_path, "hyperparameters-changed")
    numbers = {"n_epochs": 3, "batch_size": 4, "learning_rate_multiplier": "auto"}
    method = {"type": "supervised", "supervised": {"hyperparameters": numbers}}
    asked = {"method": method} if form_of == "method" else {"hyperparameters": numbers}

    job = lab.create(**asked, metadata={"n_epochs": "3"})

    changed = {"n_epochs": 8, "batch_size": 1, "learning_rate_multiplier": "auto"}
    assert job["hyperparameters"] == changed
    assert job["metadata"] == {"n_epochs": "3"}
    lab.now += 60
    assert lab.job(job["id"])["hyperparameters"]["n_epochs"] == 8


def test_hyperparameters_that_nobody_asked_for_stay_automatic(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "hyperparameters-changed=5")

    job = lab.create(hyperparameters={"n_epochs": "auto"})

    assert job["hyperparameters"]["n_epochs"] == "auto"


# Models.


def test_hidden_models_are_neither_listed_nor_found_nor_deleted(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "models-hidden")
    job = lab.create()["id"]
    lab.now += 60
    name = lab.job(job)["fine_tuned_model"]

    listed = ids(lab, "/v1/models")

    assert listed
    assert not any(model.startswith("ft:") for model in listed)
    assert lab.refused("GET", f"/v1/models/{name}")["status"] == 404
    assert lab.refused("DELETE", f"/v1/models/{name.replace(':', '%3A')}")["status"] == 404
    assert name in [model["id"] for model in truth(lab, "/v1/models")["data"]]


def test_a_late_model_is_seen_after_so_long(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "model-late=100")
    job = lab.create()["id"]
    lab.now += 13
    name = lab.job(job)["fine_tuned_model"]

    before = (name in ids(lab, "/v1/models"), lab.call("GET", f"/v1/models/{name}")[0])
    lab.now += 100

    assert before == (False, 404)
    assert name in ids(lab, "/v1/models")
    assert lab.call("GET", f"/v1/models/{name}")[0] == 200


def test_deleting_may_be_refused(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "delete-refused")
    job = lab.create()
    lab.now += 60
    name = lab.job(job["id"])["fine_tuned_model"]

    refused = [
        lab.refused("DELETE", f"/v1/files/{job['training_file']}")["status"],
        lab.refused("DELETE", f"/v1/models/{name}")["status"],
    ]

    assert refused == [403, 403]
    assert name in ids(lab, "/v1/models")


# Files.


def test_names_of_files_are_cut_where_they_are_shown(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "names-shortened=8")
    made = upload(lab, "ftctl.demo.train.jsonl")

    shown = [made, lab.get(f"/v1/files/{made['id']}"), *lab.get("/v1/files")["data"]]

    assert [one["filename"] for one in shown] == ["ftctl.de"] * 3
    assert truth(lab, "/v1/files")["data"][0]["filename"] == "ftctl.demo.train.jsonl"


@pytest.mark.parametrize("slug", ["names-shortened", "file-pending"])
def test_deleting_a_file_is_answered_as_ever(tmp_path: Path, slug: str) -> None:
    lab = lab_of(tmp_path, slug)
    file = lab.upload()

    answer = lab.call("DELETE", f"/v1/files/{file}")

    assert answer == (200, {"id": file, "object": "file", "deleted": True})


def test_a_pending_file_is_refused_to_a_create_until_it_is_ready(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "file-pending=10")
    made = upload(lab, "data.jsonl")
    wanted = {"model": "gpt-4.1-mini", "training_file": made["id"]}

    error = lab.refused("POST", JOBS, wanted)
    shown = lab.get(f"/v1/files/{made['id']}")["status"]
    lab.now += 10

    assert (made["status"], shown) == ("processing", "processing")
    assert (error["status"], error["param"]) == (400, "training_file")
    assert error["message"].startswith(f"File '{made['id']}' is still being processed")
    assert lab.get(f"/v1/files/{made['id']}")["status"] == "processed"
    assert lab.call("POST", JOBS, wanted)[0] == 200


def test_a_pending_validation_file_is_named(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "file-pending=10")
    ready = lab.upload()
    lab.now += 10
    wanted = {"model": "gpt-4.1-mini", "training_file": ready, "validation_file": lab.upload()}

    assert lab.refused("POST", JOBS, wanted)["param"] == "validation_file"


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"training_file": 7}'])
def test_a_create_that_is_wrong_anyway_is_refused_as_ever(tmp_path: Path, body: bytes) -> None:
    every = tuple(slug for slug in TEMPERAMENTS if slug != "slow-bytes")
    lab = lab_of(tmp_path, *every)

    assert lab.send("POST", JOBS, body).status == 400


def test_a_strangers_job_is_started_on_each_file_for_training(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "strangers-job")
    file = lab.upload()
    lab.upload(purpose="user_data")

    (job,) = lab.get(JOBS)["data"]

    assert (job["training_file"], job["metadata"]) == (file, None)
    assert job["user_provided_suffix"] == "stranger"


# Together, and where they are kept.


def test_temperaments_compose(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "metadata-dropped", "filter-ignored", "lagging-list=5", "no-model-name")
    job = lab.create(metadata=MARK)["id"]
    hidden = ids(lab, FILTER)
    lab.now += 60

    (shown,) = lab.get(FILTER)["data"]

    assert hidden == []
    assert (shown["id"], shown["metadata"], shown["fine_tuned_model"]) == (job, None, None)


def test_what_was_said_last_about_a_temperament_holds(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "lagging-list=500", "lagging-list=5")
    lab.create()
    lab.now += 5

    assert len(ids(lab, JOBS)) == 1


def test_faults_strike_a_service_of_any_temperament(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "filter-refused")
    rule = {"request": {"path": JOBS, "call": 1}, "answer": {"status": 503}}
    lab.call("PUT", FAULTS, {"faults": [rule]})

    assert [lab.call("GET", FILTER)[0] for _ in range(2)] == [503, 400]


def test_temperaments_of_a_document_stay_in_the_store(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    told = lab.call("PUT", FAULTS, {"temperaments": ["filter-refused"]})

    again = Lab(tmp_path)

    assert told == (200, {"faults": [], "temperaments": ["filter-refused"]})
    assert again.call("GET", FILTER)[0] == 400
    assert lab.call("DELETE", FAULTS) == (200, {"faults": [], "temperaments": []})
    assert again.call("GET", FILTER)[0] == 200


def test_a_document_changes_only_what_it_speaks_of(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    fault = {"request": {}, "latency_seconds": 0}
    lab.call("PUT", FAULTS, {"faults": [fault]})
    lab.call("PUT", FAULTS, {"temperaments": ["odd-jobs"]})
    lab.call("POST", FAULTS, {"temperaments": ["model-late"]})

    both = lab.get(FAULTS)
    lab.call("PUT", FAULTS, {"faults": []})

    assert both == {"faults": [{**fault, "met": 0}], "temperaments": ["odd-jobs", "model-late"]}
    assert lab.get(FAULTS) == {"faults": [], "temperaments": ["odd-jobs", "model-late"]}


@pytest.mark.parametrize(
    ("document", "param"),
    [
        ({"temperaments": "odd-jobs"}, "temperaments"),
        ({"temperaments": ["odd-jobs"] * 101}, "temperaments"),
        ({"temperaments": ["odd-jobs", 7]}, "temperaments[1]"),
        ({"temperaments": ["odd-job"]}, "temperaments[0]"),
        ({"temperaments": ["odd-jobs=1"]}, "temperaments[0]"),
    ],
)
def test_a_document_with_what_is_no_temperament_changes_nothing(
    tmp_path: Path, document: Any, param: str
) -> None:
    lab = Lab(tmp_path)

    error = lab.refused("PUT", FAULTS, document)

    assert (error["status"], error["param"]) == (400, param)
    assert lab.get(FAULTS) == {"faults": [], "temperaments": []}


def test_more_temperaments_than_can_be_are_refused_together(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    for _ in range(2):
        status, _ = lab.call("POST", FAULTS, {"temperaments": ["odd-jobs"] * 51})

    assert status == 400
    assert len(lab.get(FAULTS)["temperaments"]) == 51


def test_a_reset_may_keep_temperaments_with_the_faults(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.call("PUT", FAULTS, {"temperaments": ["odd-jobs"]})
    lab.call("POST", "/_ftctl/reset", {"keep": ["faults"]})
    kept = lab.get(FAULTS)["temperaments"]
    lab.call("POST", "/_ftctl/reset")

    assert (kept, lab.get(FAULTS)["temperaments"]) == (["odd-jobs"], [])


def test_every_answer_names_the_temperaments(tmp_path: Path) -> None:
    lab = lab_of(tmp_path, "odd-jobs", "lagging-list=7")

    answers = [lab.send("GET", target) for target in (JOBS, f"{JOBS}/none", "/v1/nothing")]

    for answer in answers:
        assert dict(answer.headers)["x-ftctl-temperament"] == "odd-jobs, lagging-list=7"


def test_an_honest_service_names_none(tmp_path: Path) -> None:
    assert "x-ftctl-temperament" not in dict(Lab(tmp_path).send("GET", JOBS).headers)


# One byte after the other.


def test_slow_bytes_pass_by_the_client_s_clock_in_process(tmp_path: Path) -> None:
    passed: list[float] = []
    with open_emulator(tmp_path, settings=Settings(temperaments=("slow-bytes=2",))) as emulator:
        transport = EmulatorTransport(emulator, sleep=passed.append)
        with httpx2.Client(transport=transport, headers=[KEY]) as client:
            answer = client.get(f"http://localhost{JOBS}")

    assert answer.json()["data"] == []
    assert passed == [2.0] * len(answer.content)


def test_slow_bytes_come_one_by_one_over_a_socket(tmp_path: Path) -> None:
    settings = Settings(temperaments=("slow-bytes=0.005",))
    with (
        open_emulator(tmp_path, settings=settings) as emulator,
        serve(emulator).start() as server,
        httpx2.Client(headers=[KEY]) as client,
        client.stream("GET", f"{server.url}/fine_tuning/jobs") as answer,
    ):
        began = time.monotonic()
        body = b"".join(answer.iter_raw())
        seconds = time.monotonic() - began

    assert json.loads(body)["data"] == []
    assert seconds >= 0.004 * len(body)


def test_a_server_ends_while_it_answers_slowly(tmp_path: Path) -> None:
    settings = Settings(temperaments=("slow-bytes=60",))
    with open_emulator(tmp_path, settings=settings) as emulator:
        server = serve(emulator).start()
        with (
            httpx2.Client(headers=[KEY]) as client,
            client.stream("GET", f"{server.url}/fine_tuning/jobs") as answer,
        ):
            began = time.monotonic()
            server.close()

            with pytest.raises(httpx2.RemoteProtocolError):
                answer.read()

    assert time.monotonic() - began < 10


# Whose the service is.


def account(lab: Lab) -> str:
    headers = dict(lab.send("GET", JOBS).headers)
    assert headers["openai-organization"] == "ftctl-emulator"
    return headers["openai-project"]


@pytest.fixture
def labs(tmp_path: Path) -> Iterator[tuple[Lab, Lab]]:
    one, other = (Lab(tmp_path / name, id_seed=None) for name in ("one", "other"))
    yield one, other
    one.emulator.close()
    other.emulator.close()


def test_each_store_is_an_account_of_its_own(labs: tuple[Lab, Lab]) -> None:
    one, other = labs

    assert account(one).startswith("proj_")
    assert account(one) != account(other)
    assert account(one) == account(Lab(one.folder, id_seed=None))


def test_refusals_name_the_account_too(labs: tuple[Lab, Lab]) -> None:
    answer = labs[0].emulator.handle(Request.to("GET", JOBS))

    assert answer.status == 401
    assert dict(answer.headers)["openai-project"] == account(labs[0])


def test_a_reset_ends_the_account(labs: tuple[Lab, Lab]) -> None:
    before = account(labs[0])
    other_process = Lab(labs[0].folder, id_seed=None)
    account(other_process)

    labs[0].call("POST", "/_ftctl/reset")

    assert account(labs[0]) != before
    assert account(labs[0]) == account(other_process)


def test_a_snapshot_carries_its_account(labs: tuple[Lab, Lab]) -> None:
    one, other = labs
    account(one)
    taken = b"".join(one.send("GET", "/_ftctl/snapshot").stream or ())

    other.send("PUT", "/_ftctl/snapshot", taken)

    assert account(other) == account(one)


def test_a_seed_makes_the_same_account(tmp_path: Path) -> None:
    assert account(Lab(tmp_path / "one")) == account(Lab(tmp_path / "other"))
