"""The emulator as a whole: what every answer has in common, its models, its state on disk."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.lab import JOBS, Lab
from ftctl.emulator import EmulatorError, Request, Settings, open_emulator


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path / "state")
    with lab.emulator:
        yield lab


def test_every_answer_has_its_own_request_id(lab: Lab) -> None:
    targets = ["/v1/models", "/v1/nowhere", "/elsewhere", "/v1/files/file-none"]

    answers = [lab.send("GET", target) for target in targets]

    ids = {dict(answer.headers)["x-request-id"] for answer in answers}
    assert len(ids) == len(targets)
    assert [answer.status for answer in answers] == [200, 404, 404, 404]
    assert all(dict(a.headers)["content-type"] == "application/json" for a in answers)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer  ", "Basic abc", "sk-abc"])
def test_without_a_bearer_key_nothing_is_answered(lab: Lab, header: str) -> None:
    headers = (("Authorization", header),) if header else ()

    response = lab.emulator.handle(Request.to("GET", "/v1/models", headers))

    assert response.status == 401
    assert json.loads(response.body)["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/v1"),
        ("GET", "/v1/"),
        ("GET", "/v2/models"),
        ("GET", "/v1/files/"),
        ("GET", "/v1/fine_tuning/jobs/a/b/c"),
        ("POST", "/v1/embeddingses"),
    ],
)
def test_an_unknown_path_is_a_404_in_the_envelope(lab: Lab, method: str, target: str) -> None:
    response = lab.send(method, target)

    error = json.loads(response.body)["error"]
    assert response.status == 404
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == "unknown_url"
    assert "x-ftctl-emulator" not in dict(response.headers)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/v1/embeddings"),
        ("POST", "/v1/responses"),
        ("GET", "/v1/responses/resp_1/input_items"),
        ("GET", "/v1/batches?limit=2"),
        ("GET", "/v1/fine_tuning/model_limits"),
    ],
)
def test_what_the_public_api_has_beyond_the_emulator_says_so(
    lab: Lab, method: str, target: str
) -> None:
    response = lab.send(method, target)

    assert response.status == 404
    assert ("x-ftctl-emulator", "not-implemented") in response.headers


def test_a_wrong_method_is_a_405_that_names_the_right_ones(lab: Lab) -> None:
    response = lab.send("PUT", "/v1/files")

    assert response.status == 405
    assert ("allow", "POST, GET") in response.headers
    assert json.loads(response.body)["error"]["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b'{"model": NaN}',
        b'{"seed": 1e999}',
        b'{"model": "\\ud800"}',
        b'{"model": "a", "training_file": "b", "seed": ' + b"9" * 5000 + b"}",
        b"[" * 200_000,
    ],
)
def test_a_body_that_is_no_json_object_is_a_400(lab: Lab, body: bytes) -> None:
    response = lab.send("POST", JOBS, body)

    error = json.loads(response.body)["error"]
    assert response.status == 400
    assert (error["type"], error["param"]) == ("invalid_request_error", None)


def test_a_json_body_beyond_all_measure_is_a_413(lab: Lab) -> None:
    response = lab.send("POST", JOBS, b" " * (8 * 1024 * 1024 + 1))

    assert response.status == 413


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = ["model", "training_file", "validation_file", "method", "suffix", "seed", "metadata"]
_FIELDS += ["integrations", "hyperparameters"]
_METHOD = st.fixed_dictionaries(
    {"type": st.sampled_from(["supervised", "dpo", "reinforcement"])},
    optional={
        name: st.fixed_dictionaries({}, optional={"hyperparameters": _JSON, "grader": _JSON})
        for name in ("supervised", "dpo", "reinforcement")
    },
)


@pytest.fixture(scope="module")
def shared_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("shared"))
    with lab.emulator:
        yield lab


@settings(max_examples=150, deadline=None)
@given(
    changes=st.dictionaries(st.sampled_from(_FIELDS), _JSON, max_size=4),
    method=st.none() | _METHOD,
)
def test_no_create_request_whatever_makes_the_service_fail(
    shared_lab: Lab, changes: dict[str, Any], method: Any
) -> None:
    body = {"model": "gpt-4o", "training_file": "file-none", **changes}
    if method is not None:
        body["method"] = method

    response = shared_lab.send("POST", JOBS, json.dumps(body).encode())

    error = json.loads(response.body)["error"]
    assert response.status == 400
    assert set(error) == {"message", "type", "param", "code"}


@settings(max_examples=100, deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "DELETE", "BREW"]),
    target=st.lists(st.sampled_from(["/v1", "/models", "/files", "%", "?", "&a=", "\x00", "é"]))
    | st.text().map(list),
    name=st.text(),
)
def test_no_target_and_no_header_whatever_makes_the_service_fail(
    shared_lab: Lab, method: str, target: list[str], name: str
) -> None:
    response = shared_lab.send(method, "/v1/models/" + "".join(target), name.encode(), (name, name))

    assert response.status < 500


def test_models_tell_who_owns_them_and_when_they_shut_down(lab: Lab) -> None:
    models = {model["id"]: model for model in lab.get("/v1/models")["data"]}

    assert models["gpt-4.1-mini-2025-04-14"] == {
        "id": "gpt-4.1-mini-2025-04-14",
        "object": "model",
        "created": 1_744_588_800,
        "owned_by": "ftctl-emulator",
        "shutdown_date": "2027-01-14",
    }
    assert models["gpt-4o"] == lab.get("/v1/models/gpt-4o")
    assert all(model["owned_by"] == "ftctl-emulator" for model in models.values())


def test_a_tuned_model_is_found_under_its_encoded_name_and_can_be_deleted(lab: Lab) -> None:
    job = lab.create(suffix="a/b")
    lab.now += 100
    name = lab.job(job["id"])["fine_tuned_model"]
    encoded = name.replace(":", "%3A").replace("/", "%2F")

    found = lab.get(f"/v1/models/{encoded}")
    plain = lab.get(f"/v1/models/{name}")
    deleted = lab.call("DELETE", f"/v1/models/{encoded}")

    assert found == plain
    assert (found["id"], found["shutdown_date"]) == (name, "2027-01-14")
    assert deleted == (200, {"id": name, "object": "model", "deleted": True})
    assert lab.refused("GET", f"/v1/models/{name}")["code"] == "model_not_found"
    assert lab.refused("DELETE", f"/v1/models/{name}")["status"] == 404
    assert lab.job(job["id"])["fine_tuned_model"] == name


def test_a_base_model_cannot_be_deleted(lab: Lab) -> None:
    error = lab.refused("DELETE", "/v1/models/gpt-4o")

    assert (error["status"], error["param"]) == (403, "model")


def test_a_job_lives_on_when_the_state_is_opened_again(tmp_path: Path) -> None:
    first = Lab(tmp_path)
    with first.emulator:
        job = first.create(suffix="kept")
    second = Lab(tmp_path)
    second.now = first.now + 100

    with second.emulator:
        found = second.job(job["id"])

    assert found["status"] == "succeeded"
    assert found["finished_at"] == job["created_at"] + 12


def test_two_emulators_on_one_folder_are_one_service(lab: Lab) -> None:
    other = Lab(lab.folder)
    with other.emulator:
        job = other.create(training_file=lab.upload())
        paused_at = other.now = lab.now = lab.now + 5
        lab.call("POST", f"{JOBS}/{job['id']}/pause")

        seen = other.job(job["id"])

    assert seen["status"] == "paused"
    assert f"{paused_at:.2f}" == "1800000005.25"


def test_writes_of_two_emulators_at_once_wait_for_each_other(lab: Lab) -> None:
    file = lab.upload()
    made: list[str] = []

    def create(own: Lab) -> None:
        made.extend(own.create(training_file=file)["id"] for _ in range(40))

    others = [Lab(lab.folder) for _ in range(3)]
    threads = [threading.Thread(target=create, args=[own]) for own in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for own in others:
        own.emulator.close()

    assert len(set(made)) == 120
    assert {job["id"] for job in lab.get(f"{JOBS}?limit=100")["data"]} < set(made)


_CHILD = """
import json, os, signal, sqlite3, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from emulator.lab import Lab
"""


def child(code: str, folder: Path) -> subprocess.Popen[str]:
    """Another process that runs the code, with `Lab` at hand and the folder as `folder`."""
    start = _CHILD.format(tests=str(ROOT / "tests")) + f"folder = Path({str(folder)!r})\n"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", start + code], stdout=subprocess.PIPE, text=True, env=environment
    )


def test_a_kill_keeps_what_was_answered_and_nothing_of_what_was_not(tmp_path: Path) -> None:
    code = (
        "lab = Lab(folder)\n"
        "print(lab.create(suffix='answered')['id'], flush=True)\n"
        "db = sqlite3.connect(folder / 'emulator.sqlite3', isolation_level=None)\n"
        "db.execute('BEGIN IMMEDIATE')\n"
        "db.execute('UPDATE jobs SET suffix = ?', ['torn'])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    with child(code, tmp_path) as process:
        printed, _ = process.communicate(timeout=60)
    lab = Lab(tmp_path)

    with lab.emulator:
        jobs = lab.get(JOBS)["data"]

    assert process.returncode == -signal.SIGKILL
    assert [job["id"] for job in jobs] == [printed.strip()]
    assert jobs[0]["user_provided_suffix"] == "answered"


def test_processes_that_start_together_share_one_new_folder(tmp_path: Path) -> None:
    code = (
        "lab = Lab(folder)\n"
        "print(json.dumps([lab.create()['id'] for _ in range(10)]))\n"
        "lab.emulator.close()\n"
    )

    processes = [child(code, tmp_path) for _ in range(3)]
    made = [job for p in processes for job in json.loads(p.communicate(timeout=60)[0])]

    lab = Lab(tmp_path)
    with lab.emulator:
        listed = [job["id"] for job in lab.get(f"{JOBS}?limit=100")["data"]]
    assert len(listed) == 30
    assert sorted(made) == sorted(listed)


def test_a_database_of_a_newer_version_is_refused_by_name(tmp_path: Path) -> None:
    Lab(tmp_path).emulator.close()
    database = sqlite3.connect(tmp_path / "emulator.sqlite3")
    database.execute("PRAGMA user_version = 99")
    database.close()

    with pytest.raises(EmulatorError, match="newer version \\(schema 99"):
        open_emulator(tmp_path)


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "emulator.sqlite3")
    database.execute("CREATE TABLE theirs (x)")
    database.close()
    before = (tmp_path / "emulator.sqlite3").read_bytes()

    with pytest.raises(EmulatorError, match="another program"):
        open_emulator(tmp_path)

    assert (tmp_path / "emulator.sqlite3").read_bytes() == before


def test_a_damaged_database_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "emulator.sqlite3").write_bytes(b"this is no database" * 100)

    with pytest.raises(EmulatorError, match=r"emulator\.sqlite3: cannot be used"):
        open_emulator(tmp_path)


def test_a_folder_that_is_a_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")

    with pytest.raises(EmulatorError, match="state: cannot be used as the emulator's folder"):
        open_emulator(tmp_path / "state")


def test_a_closed_emulator_still_answers_in_the_envelope(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.emulator.close()

    error = lab.refused("GET", JOBS)

    assert (error["status"], error["type"]) == (503, "server_error")


def test_the_same_seed_and_the_same_calls_give_the_same_answers(tmp_path: Path) -> None:
    one, other = Lab(tmp_path / "one"), Lab(tmp_path / "other")
    with one.emulator, other.emulator:
        answers = []
        for lab, looks in ((one, 1), (other, 40)):
            job = lab.create(suffix="same")
            for _ in range(looks):
                lab.now += 40 / looks
                lab.job(job["id"])
            events = lab.get(f"{JOBS}/{job['id']}/events?limit=1000")
            checkpoints = lab.get(f"{JOBS}/{job['id']}/checkpoints")
            answers.append((lab.job(job["id"]), events, checkpoints, lab.get("/v1/models")))

    assert answers[0] == answers[1]


def test_without_a_seed_ids_are_never_the_same(tmp_path: Path) -> None:
    one, other = Lab(tmp_path / "one", id_seed=None), Lab(tmp_path / "other", id_seed=None)
    with one.emulator, other.emulator:
        assert one.upload() != other.upload()
        assert one.create()["seed"] != other.create()["seed"]


def test_durations_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be negative"):
        Settings(running_seconds=-1)


def test_the_package_itself_imports_nothing_heavy() -> None:
    code = (
        "import sys, ftctl.emulator\n"
        "print(sorted({'httpx2', 'sqlite3', 'json', 'typing', 'http'} & set(sys.modules)))"
    )

    printed = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        check=True,
        text=True,
        cwd=ROOT,
    ).stdout

    assert printed == "[]\n"


def test_only_the_transport_imports_the_http_client() -> None:
    code = (
        "import sys\n"
        "from ftctl.emulator import open_emulator, serve\n"
        "print('httpx2' in sys.modules, 'openai' in sys.modules)"
    )

    printed = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        text=True,
        cwd=ROOT,
    ).stdout

    assert printed == "False False\n"
