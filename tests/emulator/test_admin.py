"""What lies beside the API: health, state, curves, journal, time, snapshots; and who may ask."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.lab import JOBS, KEY, Lab
from ftctl.emulator import Request, Response
from ftctl.emulator.admin.admin_routes import ADMIN_ROUTES
from ftctl.emulator.storage.tables import SCHEMA_VERSION

NOTHING = {"files": 0, "jobs": 0, "models": 0, "events": 0, "faults": 0}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path / "state", training=False)
    with lab.emulator:
        yield lab


def ask(lab: Lab, method: str, target: str, *headers: tuple[str, str]) -> Response:
    """A request without a key."""
    return lab.emulator.handle(Request.to(method, target, headers))


def code_of(response: Response) -> str | None:
    code: str | None = json.loads(response.body)["error"]["code"]
    return code


def test_health_tells_what_is_there(lab: Lab) -> None:
    lab.create()

    health = lab.get("/_ftctl/health")

    assert health.pop("uptime_seconds") >= 0
    assert health == {
        "status": "ok",
        "version": "0.1.0",
        "schema": SCHEMA_VERSION,
        "clock": {"kind": "real", "speed": 1.0, "reads": 1, "now": lab.now},
        "training": False,
        "counts": {"files": 1, "jobs": 1, "models": 0, "events": 2, "faults": 0},
    }


def test_the_state_is_that_of_the_present_moment(lab: Lab) -> None:
    first = lab.create(suffix="tone", training_file=lab.upload())
    lab.now += 60
    second = lab.create(training_file=first["training_file"])

    state = lab.get("/_ftctl/state")

    assert state["counts"]["jobs"] == 2
    assert [job["id"] for job in state["jobs"]] == [second["id"], first["id"]]
    assert state["jobs"][1] == {
        "id": first["id"],
        "status": "succeeded",
        "step": state["jobs"][1]["total_steps"],
        "total_steps": 12 * lab.job(first["id"])["hyperparameters"]["n_epochs"],
        "model": "gpt-4.1-mini-2025-04-14",
        "suffix": "tone",
        "created_at": first["created_at"],
        "finished_at": lab.job(first["id"])["finished_at"],
        "fine_tuned_model": lab.job(first["id"])["fine_tuned_model"],
        "error": None,
        "fault": None,
    }
    assert first["training_file"] in [file["id"] for file in state["files"]]
    assert {model["job"] for model in state["models"]} == {first["id"]}
    assert len(lab.get("/_ftctl/state?limit=1")["jobs"]) == 1


def test_a_curve_goes_on_after_the_step_that_is_known(lab: Lab) -> None:
    job = lab.create()
    lab.now += 60
    lab.job(job["id"])
    with closing(sqlite3.connect(lab.folder / "emulator.sqlite3")) as connection:
        connection.execute("DELETE FROM steps")
        rows = [(1, step, json.dumps({"train_loss": 1 / step})) for step in (1, 2, 3)]
        connection.executemany("INSERT INTO steps (job, step, metrics) VALUES (?, ?, ?)", rows)
        connection.commit()

    curve = lab.get(f"/_ftctl/jobs/{job['id']}/curve?after=1")

    total = lab.get("/_ftctl/state")["jobs"][0]["total_steps"]
    assert curve == {
        "object": "list",
        "data": [
            {"step": 2, "metrics": {"train_loss": 0.5}},
            {"step": 3, "metrics": {"train_loss": 1 / 3}},
        ],
        "job": job["id"],
        "status": "succeeded",
        "step": total,
        "total_steps": total,
        "has_more": False,
    }
    assert lab.refused("GET", "/_ftctl/jobs/ftjob-none/curve")["code"] == "fine_tune_not_found"
    assert lab.refused("GET", f"/_ftctl/jobs/{job['id']}/curve?after=x")["param"] == "after"


def test_a_reset_begins_again_with_the_same_ids(lab: Lab) -> None:
    before = lab.create()
    lab.now += 60
    lab.job(before["id"])
    lab.call("PUT", "/_ftctl/faults", {"faults": [{"request": {}, "latency_seconds": 0}]})
    lab.call("PUT", "/_ftctl/clock", {"kind": "immediate"})

    assert lab.call("POST", "/_ftctl/reset") == (200, {"reset": True, "kept": []})

    state = lab.get("/_ftctl/state")
    assert state == {"now": lab.now, "counts": NOTHING, "jobs": [], "files": [], "models": []}
    assert lab.get("/_ftctl/clock")["kind"] == "real"
    assert lab.get("/_ftctl/journal")["data"] == []
    assert lab.create()["id"] == before["id"]


def test_a_reset_can_keep_faults_and_time(lab: Lab) -> None:
    lab.call("PUT", "/_ftctl/clock", {"kind": "immediate"})
    fault = {"request": {"call": 2}, "answer": {"status": 500}}
    lab.call("PUT", "/_ftctl/faults", {"faults": [fault]})
    lab.get("/v1/models")

    lab.call("POST", "/_ftctl/reset", {"keep": ["faults", "clock"]})

    assert lab.get("/_ftctl/clock")["kind"] == "immediate"
    assert lab.get("/_ftctl/faults") == {"faults": [{**fault, "met": 0}], "temperaments": []}
    assert [lab.send("GET", "/v1/models").status for _ in range(2)] == [200, 500]
    assert lab.refused("POST", "/_ftctl/reset", {"keep": ["jobs"]})["param"] == "keep"


def test_the_journal_has_what_was_asked_and_what_came_of_it(lab: Lab) -> None:
    file = lab.upload()
    wanted = {"model": "gpt-4o", "training_file": file}
    fault = {"request": {"path": JOBS}, "cut": "after"}
    lab.call("PUT", "/_ftctl/faults", {"faults": [fault]})
    lab.send("POST", JOBS, json.dumps(wanted).encode())
    lab.send("GET", "/v1/files?limit=2&purpose=fine-tune%20")
    lab.send("GET", "/nowhere")

    entries = lab.get("/_ftctl/journal")["data"]

    shown = [(e["number"], e["method"], e["path"], e["status"], e["fault"]) for e in entries]
    assert shown == [
        (1, "POST", "/v1/files", 200, None),
        (2, "POST", JOBS, None, "hangs up after the work"),
        (3, "GET", "/v1/files?limit=2&purpose=fine-tune+", 200, None),
        (4, "GET", "/nowhere", 404, None),
    ]
    assert [entry["body"] for entry in entries] == [None, wanted, None, None]
    assert all(entry["request_id"].startswith("req_") for entry in entries)
    assert all(entry["milliseconds"] > 0 and entry["at"] == lab.now for entry in entries)


def test_the_journal_never_has_a_key(lab: Lab) -> None:
    secret = ("authorization", "Bearer sk-very-secret")
    lab.emulator.handle(Request.to("GET", "/v1/models", [secret, ("api-key", "sk-other-secret")]))

    assert "secret" not in json.dumps(lab.get("/_ftctl/journal"))


def test_the_journal_is_a_ring_that_can_be_followed_and_cleared(lab: Lab) -> None:
    for _ in range(1_005):
        lab.send("GET", "/v1/files/none")
    large = b'{"model":"' + b"x" * 20_000 + b'"}'
    lab.send("POST", JOBS, large)

    entries = lab.get("/_ftctl/journal")["data"]
    later = lab.get("/_ftctl/journal?after=1004&limit=5")["data"]
    newest = lab.get("/_ftctl/journal?limit=1")["data"]
    cleared = lab.call("DELETE", "/_ftctl/journal")

    assert [entry["number"] for entry in entries] == list(range(7, 1_007))
    assert [entry["number"] for entry in later] == [1_005, 1_006]
    assert [(entry["number"], entry["body"]) for entry in newest] == [(1_006, None)]
    assert cleared == (200, {"object": "list", "data": []})
    assert lab.get("/_ftctl/journal")["data"] == []


def test_what_the_page_asks_is_not_in_the_journal(lab: Lab) -> None:
    lab.send("GET", "/v1/models", b"", ("sec-fetch-site", "same-origin"))
    lab.get("/_ftctl/state")

    assert lab.get("/_ftctl/journal")["data"] == []


def test_time_by_hand_passes_only_when_it_is_moved(lab: Lab) -> None:
    job = lab.create()
    status, clock = lab.call("PUT", "/_ftctl/clock", {"kind": "hand"})
    began = lab.now
    lab.now += 1_000

    waiting = lab.job(job["id"])["status"]
    moved = lab.call("POST", "/_ftctl/clock/advance", {"seconds": 1.5})
    queued = lab.job(job["id"])["status"]
    lab.call("POST", "/_ftctl/clock/advance", {"seconds": 100})

    assert (status, clock) == (200, {"kind": "hand", "speed": 1.0, "reads": 1, "now": began})
    assert moved == (200, {**clock, "now": began + 1.5})
    assert (waiting, queued) == ("validating_files", "queued")
    assert lab.job(job["id"])["status"] == "succeeded"


def test_time_that_is_not_by_hand_cannot_be_moved(lab: Lab) -> None:
    refused = lab.refused("POST", "/_ftctl/clock/advance", {"seconds": 1})

    assert (refused["status"], refused["code"]) == (400, "clock_not_by_hand")


def test_time_does_not_go_back_before_what_happened(lab: Lab) -> None:
    lab.upload()

    assert lab.refused("PUT", "/_ftctl/clock", {"kind": "hand", "now": 5})["param"] == "now"
    lab.call("POST", "/_ftctl/reset")
    assert lab.call("PUT", "/_ftctl/clock", {"kind": "hand", "now": 5})[1]["now"] == 5


def test_the_clock_that_is_shown_can_be_put_back(lab: Lab) -> None:
    for pace in ({"kind": "real", "speed": 20}, {"kind": "reads", "reads": 3}, {"kind": "hand"}):
        shown = lab.call("PUT", "/_ftctl/clock", pace)[1]

        assert lab.call("PUT", "/_ftctl/clock", shown) == (200, shown)


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("clock", {"kind": "slow"}, "kind"),
        ("clock", {"kind": None}, "kind"),
        ("clock", {"speed": 0}, "speed"),
        ("clock", {"speed": True}, "speed"),
        ("clock", {"speed": 10**400}, "speed"),
        ("clock", {"reads": 1.5}, "reads"),
        ("clock", {"kind": "hand", "now": -1}, "now"),
        ("clock", {"kind": "hand", "now": 1e300}, "now"),
        ("clock", {"pace": 1}, "pace"),
        ("clock/advance", {}, "seconds"),
        ("clock/advance", {"seconds": 0}, "seconds"),
        ("clock/advance", {"seconds": "5"}, "seconds"),
        ("clock/advance", {"seconds": 10**400}, "seconds"),
        ("clock/advance", {"seconds": 9e10, "hours": 1}, "hours"),
    ],
)
def test_a_wrong_time_is_refused_at_its_field(lab: Lab, path: str, body: Any, param: str) -> None:
    lab.call("PUT", "/_ftctl/clock", {"kind": "hand"})
    before = lab.get("/_ftctl/clock")

    method = "POST" if path.endswith("advance") else "PUT"
    refused = lab.refused(method, f"/_ftctl/{path}", body)

    assert (refused["status"], refused["param"]) == (400, param)
    assert lab.get("/_ftctl/clock") == before


def test_time_can_be_moved_to_its_end_and_no_further(lab: Lab) -> None:
    lab.call("PUT", "/_ftctl/clock", {"kind": "hand", "now": 253_402_300_790})

    assert lab.refused("POST", "/_ftctl/clock/advance", {"seconds": 10})["param"] == "seconds"
    assert lab.call("POST", "/_ftctl/clock/advance", {"seconds": 9})[0] == 200


def snapshot(lab: Lab) -> bytes:
    response = lab.send("GET", "/_ftctl/snapshot")
    assert response.status == 200
    assert response.stream is not None
    return b"".join(response.stream)


def test_a_snapshot_brings_everything_back(lab: Lab) -> None:
    lab.call("PUT", "/_ftctl/clock", {"kind": "hand"})
    fault = {"request": {"path": "/v1/none"}, "cut": "after"}
    lab.call("PUT", "/_ftctl/faults", {"faults": [fault]})
    job = lab.create(metadata={"team": "a"})
    lab.call("POST", "/_ftctl/clock/advance", {"seconds": 100})
    done, state = lab.job(job["id"]), lab.get("/_ftctl/state")
    other = Lab(lab.folder)
    with other.emulator:
        assert other.job(job["id"])["status"] == "succeeded"
        taken = snapshot(lab)
        lab.call("POST", "/_ftctl/reset")
        lab.create(suffix="new")

        status, answer = put_snapshot(lab, taken)

        assert (status, answer["restored"], answer["counts"]["jobs"]) == (200, True, 1)
        for one in (lab, other):
            assert one.job(job["id"]) == done
            assert one.get("/_ftctl/state") == state
            assert one.get("/_ftctl/faults") == {
                "faults": [{**fault, "met": 0}],
                "temperaments": [],
            }
        assert one.get(f"{JOBS}?metadata[team]=a")["data"] == [done]
    assert lab.create()["id"] != job["id"]


def put_snapshot(lab: Lab, body: bytes) -> tuple[int, Any]:
    response = lab.send("PUT", "/_ftctl/snapshot", body)
    return response.status, json.loads(response.body)


def changed(taken: bytes, folder: Path, change: Callable[[sqlite3.Connection], object]) -> bytes:
    """The snapshot after somebody has been at it."""
    path = folder / "changed.sqlite3"
    path.write_bytes(taken)
    with closing(sqlite3.connect(path)) as connection:
        change(connection)
        connection.commit()
    return path.read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        "PRAGMA application_id = 7",
        "PRAGMA user_version = 1000",
        "DROP TABLE models",
        "ALTER TABLE jobs DROP COLUMN seed",
        "UPDATE jobs SET training_file = X'00', id = (SELECT NULL)",
    ],
)
def test_a_file_that_is_no_snapshot_changes_nothing(lab: Lab, tmp_path: Path, change: str) -> None:
    lab.create()
    taken = snapshot(lab)

    def carry_out(connection: sqlite3.Connection) -> None:
        if "NULL" in change:
            connection.execute("PRAGMA writable_schema = ON")
            connection.execute(
                "UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', '') WHERE name = 'jobs'"
            )
            connection.commit()
            connection.execute("PRAGMA writable_schema = RESET")
        connection.execute(change)

    body = changed(taken, tmp_path, carry_out)
    before = lab.get("/_ftctl/state")

    status, answer = put_snapshot(lab, body)

    assert status == 400, answer
    assert lab.get("/_ftctl/state") == before


def test_bytes_that_are_no_database_change_nothing(lab: Lab) -> None:
    lab.create()
    taken = snapshot(lab)
    before = lab.get("/_ftctl/state")

    for body in (b"", b"{}", taken[:50], taken[: len(taken) // 2], taken[:100] + b"\xff" * 40_000):
        status, answer = put_snapshot(lab, body)

        assert (status, set(answer["error"])) == (400, {"message", "type", "param", "code"})
    assert lab.get("/_ftctl/state") == before


def test_a_snapshot_carries_no_foreign_tables_or_triggers_in(lab: Lab, tmp_path: Path) -> None:
    taken = snapshot(lab)

    def spoil(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE more (a)")
        connection.execute("CREATE TRIGGER t AFTER INSERT ON files BEGIN DELETE FROM files; END")

    status, _ = put_snapshot(lab, changed(taken, tmp_path, spoil))

    assert status == 200
    file = lab.upload()
    assert lab.get(f"/v1/files/{file}")["id"] == file
    with closing(sqlite3.connect(lab.folder / "emulator.sqlite3")) as connection:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}
    assert not names & {"more", "t"}


@pytest.mark.parametrize("target", ["/", "/_ftctl"])
def test_the_root_leads_to_the_page(lab: Lab, target: str) -> None:
    response = ask(lab, "GET", target)

    assert (response.status, dict(response.headers)["location"]) == (302, "/_ftctl/")


def test_the_page_runs_nothing_from_elsewhere_and_in_no_frame(lab: Lab) -> None:
    page = ask(lab, "GET", "/_ftctl/")

    headers = dict(page.headers)
    assert page.status == 200
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["content-security-policy"] == (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/_ftctl/nothing", 404),
        ("GET", "/_ftctl/../app.py", 404),
        ("GET", "/_ftctl/__init__.py", 404),
        ("GET", "/_ftctlx", 404),
        ("POST", "/", 404),
        ("POST", "/_ftctl/", 405),
        ("PATCH", "/_ftctl/clock", 405),
        ("GET", "/_ftctl/reset", 405),
        ("GET", "/_ftctl/jobs/a/b/curve", 404),
    ],
)
def test_what_is_not_there_is_refused_in_the_envelope(
    lab: Lab, method: str, target: str, status: int
) -> None:
    response = lab.send(method, target)

    assert response.status == status
    assert set(json.loads(response.body)["error"]) == {"message", "type", "param", "code"}
    assert any(name == "x-request-id" for name, _ in response.headers)


@pytest.mark.parametrize(
    "headers",
    [
        [("sec-fetch-site", "cross-site")],
        [("sec-fetch-site", "same-site")],
        [("origin", "https://evil.example"), ("host", "localhost:8700")],
        [("origin", "http://localhost:3000"), ("host", "localhost:8700")],
        [("origin", "null"), ("host", "localhost:8700")],
        [("origin", "http://localhost:8700")],
    ],
)
def test_pages_of_other_origins_get_nothing(lab: Lab, headers: list[tuple[str, str]]) -> None:
    for method, path, _ in ADMIN_ROUTES:
        response = ask(lab, method, f"/_ftctl/{path}", *headers)

        assert (response.status, code_of(response)) == (403, "cross_site_request")


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("sec-fetch-site", "none")],
        [("sec-fetch-site", "same-origin")],
        [("origin", "http://localhost:8700"), ("host", "localhost:8700")],
        [("origin", "http://[::1]:8700"), ("host", "[::1]:8700")],
    ],
)
def test_the_page_and_programs_may_ask(lab: Lab, headers: list[tuple[str, str]]) -> None:
    assert ask(lab, "POST", "/_ftctl/reset", *headers).status == 200


def test_no_answer_invites_other_origins(lab: Lab) -> None:
    for target in ("/", "/_ftctl/", "/_ftctl/state", "/v1/models"):
        for method in ("GET", "OPTIONS"):
            response = lab.send(method, target, b"", ("origin", "https://evil.example"))

            assert not [name for name, _ in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize("key", ["", "other", "own-ke", "own-keyy", "ówn-key", "\udcff"])
def test_with_a_key_of_its_own_every_door_wants_it(tmp_path: Path, key: str) -> None:
    lab = Lab(tmp_path, api_key="own-key")
    headers = (("authorization", f"Bearer {key}"),) if key else ()
    own = ("authorization", "Bearer own-key")
    with lab.emulator:
        for method, target in (
            *((method, f"/_ftctl/{path}") for method, path, _ in ADMIN_ROUTES),
            ("GET", "/_ftctl/nothing"),
            ("GET", "/v1/models"),
        ):
            response = ask(lab, method, target, *headers)
            assert (response.status, code_of(response)) == (401, "invalid_api_key"), target
        assert ask(lab, "GET", "/v1/models", own).status == 200
        assert ask(lab, "GET", "/_ftctl/state", own).status == 200
        assert ask(lab, "GET", "/_ftctl/").status == 200


def test_without_one_only_the_api_wants_some_key(lab: Lab) -> None:
    assert ask(lab, "GET", "/_ftctl/state").status == 200
    assert ask(lab, "GET", "/v1/models").status == 401


_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(
                st.sampled_from(["keep", "kind", "speed", "reads", "now", "seconds", "faults"]),
                st.text(),
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)
_BODIES = st.one_of(
    _JSON.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")),
    st.binary(max_size=200),
    st.just(b"[" * 100_000),
    st.just(b'{"seconds":' + b"9" * 5_000 + b"}"),
)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    route=st.sampled_from([(method, path) for method, path, _ in ADMIN_ROUTES]),
    query=st.text(max_size=20),
    body=_BODIES,
)
def test_whatever_is_sent_beside_the_api_is_no_bug(
    lab: Lab, route: tuple[str, str], query: str, body: bytes
) -> None:
    method, path = route
    target = f"/_ftctl/{path}?after={query}&limit={query}"

    response = lab.emulator.handle(Request.to(method, target, (KEY,), body))
    if response.stream is not None:
        b"".join(response.stream)

    assert response.status in (200, 400, 404), response.body
    if response.status != 200:
        assert json.loads(response.body)["error"]["message"]
    assert lab.call("PUT", "/_ftctl/clock", {"kind": "real"})[0] == 200
