"""What the version of 2026-11-29 left behind still stands: nothing is bought, nothing changes."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from conftest import KEY, Result, Shell, let_run

from upgrade.replay import PORT, Replay, ReplayServer, ReplayTransport

THEN = Path(__file__).parent / "2026-11-29"
PASTS = sorted(path.parent for path in THEN.glob("*/*/frozen.json"))
MISSING = {
    "all-there": frozenset[str](),
    "no-lock": frozenset({"lock"}),
    "no-state": frozenset({"state"}),
    "a-fresh-checkout": frozenset({"lock", "state"}),
}
DAY = 86_400
# The fine-tune that is changed, where there are several: one that nothing is trained from.
LAST = {"continued": "release-notes", "hosted": "notes", "lived": "branch"}


@dataclass
class Past:
    """A frozen project and the service as it stood then; the test's own ftctl in it."""

    shell: Shell
    source: Path
    frozen: dict[str, Any]
    replay: Replay = field(default_factory=lambda: Replay({}))

    def ftctl(self, *arguments: str) -> Result:
        return self.shell(*self.frozen["options"], *arguments)

    def plan(self, *options: str) -> tuple[int, dict[str, Any]]:
        """The exit status of a plan, and its document."""
        result = self.ftctl("plan", "--detailed-exitcode", "--format", "json", *options)
        assert result.status in (0, 2), result
        return result.status, result.json

    @property
    def name(self) -> str:
        return self.source.parent.name

    @property
    def last(self) -> str:
        """The fine-tune that is changed."""
        return LAST.get(self.name) or next(iter(self.frozen["finetunes"]))

    def change_epochs(self) -> None:
        """Ask for one epoch more of it."""
        for path in (self.shell.folder / "finetunes").glob("*.yaml"):
            text = path.read_text("utf-8")
            if f"name: {self.last}\n" in text:
                more = re.sub(r"(n_epochs: )(\d)", lambda found: found[1] + str(int(found[2]) + 1),
                              text)  # fmt: skip
                assert more != text
                path.write_text(more, "utf-8")


Relive = Callable[..., Past]


@pytest.fixture
def relive(shell: Shell) -> Iterator[Relive]:
    """Lay a frozen project into the test's folder, but for what is to be missing."""
    with ExitStack() as stack:

        def lay(
            source: Path, missing: frozenset[str] = frozenset(), *, empty: bool = False
        ) -> Past:
            past = Past(shell, source, json.loads((source / "frozen.json").read_text("utf-8")))
            _lay(past, missing)
            replay = Replay(json.loads((source / "answers.json").read_text("utf-8")))
            past.replay = replay.emptied() if empty else replay
            if past.name == "hosted":
                stack.enter_context(_served(past.replay))
                shell.environ["OPENAI_API_KEY"] = KEY
            else:
                shell.wire = lambda _inner: ReplayTransport(past.replay)
            return past

        yield lay


def _lay(past: Past, missing: frozenset[str]) -> None:
    folder, source = past.shell.folder, past.source
    past.shell.clock.time = past.frozen["clock"] + DAY
    shutil.copytree(source.parent / "project", folder, dirs_exist_ok=True)
    shutil.copytree(source / "project", folder, dirs_exist_ok=True)
    shutil.copy(source / "plan.json", folder)
    let_run(folder, ("python3", "policy/owner.py"))
    if "lock" not in missing:
        shutil.copy(source / "ftctl.lock", folder)
    if "state" not in missing:
        shutil.copytree(source.parent / "metadata" / "state", folder / ".ftctl")
        plans = folder / ".ftctl" / "plans"
        plans.mkdir()
        kept = past.frozen["plan_digest"].removeprefix("sha256:")
        shutil.copy(source / "plan.json", plans / f"{kept}.json")


def _served(replay: Replay) -> ReplayServer:
    """A server at the address that stands in the lock, once no other test has it."""
    until = time.monotonic() + 60
    while True:
        try:
            return ReplayServer(replay, PORT)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def _each(values: list[Path]) -> pytest.MarkDecorator:
    ids = [f"{path.parent.name}-{path.name}" for path in values]
    return pytest.mark.parametrize("source", values, ids=ids)


def _is_as_it_was(past: Past, status: int, plan: dict[str, Any]) -> None:
    """The plan is empty, and stands on the same jobs and models for the same digests."""
    keys = ("digest", "job", "model")
    found = {one["name"]: {key: one[key] for key in keys} for one in plan["changes"]}
    assert found == past.frozen["finetunes"]
    assert [one for one in plan["changes"] if one["steps"] or one["fields"]] == []
    assert {action for action, count in plan["summary"].items() if count} == {"no-op"}
    assert (plan["warnings"], status) == ([], 0)
    assert past.replay.writes == []


def test_every_example_was_frozen_under_both_marks() -> None:
    marks: dict[str, set[str]] = {}
    for past in PASTS:
        marks.setdefault(past.parent.name, set()).add(past.name)

    assert len(marks) == 11
    assert set(map(frozenset, marks.values())) == {frozenset({"metadata", "file-name"})}


@pytest.mark.parametrize("missing", MISSING.values(), ids=MISSING)
@_each(PASTS)
def test_a_plan_on_what_was_left_behind_is_empty(
    source: Path, missing: frozenset[str], relive: Relive
) -> None:
    past = relive(source, missing)

    status, plan = past.plan()

    _is_as_it_was(past, status, plan)
    assert past.replay.reads != []


@_each(PASTS)
def test_years_later_the_plan_is_still_empty(source: Path, relive: Relive) -> None:
    past = relive(source)
    past.shell.clock.time += 1000 * DAY

    _is_as_it_was(past, *past.plan())


@_each(PASTS)
def test_the_old_lock_alone_makes_an_empty_plan_offline(source: Path, relive: Relive) -> None:
    past = relive(source)

    status, plan = past.plan("--offline")

    _is_as_it_was(past, status, plan)
    assert past.replay.reads == []


@pytest.mark.parametrize("missing", MISSING.values(), ids=MISSING)
@_each(PASTS)
def test_an_apply_writes_nothing_and_names_the_same_models(
    source: Path, missing: frozenset[str], relive: Relive
) -> None:
    past = relive(source, missing)

    result = past.ftctl("apply", "--auto-approve", "--wait")

    assert result.status == 0, result
    assert past.replay.writes == []
    models = past.ftctl("output", "--format", "json").json
    told = {name: one["model"] for name, one in models.items()}
    assert told == {name: one["model"] for name, one in past.frozen["finetunes"].items()}
    _is_as_it_was(past, *past.plan("--offline"))


@pytest.mark.parametrize("missing", MISSING.values(), ids=MISSING)
@_each(PASTS)
def test_the_plan_of_then_is_refused_with_a_cure(
    source: Path, missing: frozenset[str], relive: Relive
) -> None:
    past = relive(source, missing)

    result = past.ftctl("apply", "plan.json")

    assert result.status == 1, result
    assert "was written by an earlier ftctl" in result.err
    assert "plan --out FILE'" in result.err
    assert past.replay.writes == []


@_each(PASTS)
def test_the_digest_that_was_approved_then_approves_nothing(source: Path, relive: Relive) -> None:
    past = relive(source)

    result = past.ftctl("apply", "--approve", past.frozen["plan_digest"])

    assert result.status == 5, result
    assert past.replay.writes == []


# A mark that is changed on a project that has trained already.

PLACES = {"metadata": "file-name", "file-name": "metadata"}


def _change_mark(past: Past) -> None:
    """From now on the other place holds it: ftctl.yaml is the one of the other folder."""
    other = past.source.with_name(PLACES[past.source.name])
    text = (other / "project" / "ftctl.yaml").read_text("utf-8")
    assert text != (past.shell.folder / "ftctl.yaml").read_text("utf-8")
    (past.shell.folder / "ftctl.yaml").write_text(text, "utf-8")


@pytest.mark.parametrize("missing", [MISSING["all-there"], MISSING["a-fresh-checkout"]])
@_each(PASTS)
def test_a_changed_mark_buys_stops_and_deletes_nothing(
    source: Path, missing: frozenset[str], relive: Relive
) -> None:
    past = relive(source, missing)
    _change_mark(past)

    status, plan = past.plan("--prune")
    result = past.ftctl("apply", "--auto-approve", "--wait", "--prune")

    _is_as_it_was(past, status, plan)
    assert result.status == 0, result
    assert past.replay.writes == []


@_each([past for past in PASTS if past.parent.name in ("small", "hosted")])
def test_under_a_changed_mark_a_changed_spec_is_still_a_replacement(
    source: Path, relive: Relive
) -> None:
    past = relive(source)
    _change_mark(past)
    past.change_epochs()

    _, plan = past.plan()

    changed = [one for one in plan["changes"] if one["action"] != "no-op"]
    assert [(one["name"], one["action"]) for one in changed] == [(past.last, "replace")]


# That the tests above can fail.


@_each(PASTS)
def test_one_epoch_more_replaces_that_one_and_says_so(source: Path, relive: Relive) -> None:
    past = relive(source)
    past.change_epochs()

    status, plan = past.plan()

    assert status == 2
    changed = [one for one in plan["changes"] if one["action"] != "no-op"]
    assert [(one["name"], one["action"]) for one in changed] == [(past.last, "replace")]
    named = [one["field"] for one in changed[0]["fields"]]
    if named or source.name == "metadata":  # a file's name had no room for the spec
        assert named == ["hyperparameters.n_epochs"]


@_each([past for past in PASTS if past.parent.name != "lived"])  # what it adopts would be missing
def test_an_account_without_them_is_sold_all_of_them(source: Path, relive: Relive) -> None:
    past = relive(source, frozenset({"lock", "state"}), empty=True)

    status, plan = past.plan()
    ended = past.ftctl("apply", "--auto-approve")

    assert status == 2
    assert {one["action"] for one in plan["changes"]} <= {"create", "defer"}
    assert ended.status != 0
    assert past.replay.writes != []


# The embedded API's own store.

STORE = THEN / "small" / "metadata" / "store"


class Listening(httpx2.BaseTransport):
    """Lets everything through, and asks for everything first."""

    def __init__(self, inner: httpx2.BaseTransport, asked: list[str]) -> None:
        self._inner = inner
        self._asked = asked
        self.heard: dict[str, Any] = {}

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        for path in self._asked:
            if path not in self.heard:
                self.heard[path] = self.ask("GET", path)
        return self._inner.handle_request(request)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        url = f"http://embedded.invalid/v1{path}"
        headers = {"authorization": "Bearer key"}
        request = httpx2.Request(method, url, headers=headers, json=body)
        return json.loads(self._inner.handle_request(request).read())


@pytest.fixture
def stored(relive: Relive) -> Past:
    """The smallest project with the store that it had."""
    past = relive(STORE.parent)
    store = sqlite3.connect(past.shell.folder / ".ftctl" / "emulator.sqlite3")
    store.executescript((STORE / "emulator.sql").read_text("utf-8"))
    for path in STORE.glob("weights-*.bin"):
        seq = int(path.stem.partition("-")[2])
        store.execute("UPDATE weights SET content = ? WHERE seq = ?", (path.read_bytes(), seq))
    store.commit()
    store.close()
    past.shell.wire = None
    return past


def test_an_old_store_lists_what_it_listed(stored: Past) -> None:
    answers = json.loads((stored.source / "answers.json").read_text("utf-8"))
    ears: list[Listening] = []
    stored.shell.wire = lambda inner: ears.append(Listening(inner, list(answers))) or ears[-1]

    status, plan = stored.plan()

    _is_as_it_was(stored, status, plan)
    for path, answer in answers.items():
        found = {entry["id"]: entry for entry in ears[0].heard[path]["data"]}
        for entry in answer["data"]:
            assert found[entry["id"]].items() >= entry.items(), path


def test_an_old_store_trains_on_and_its_model_still_answers(stored: Past) -> None:
    model = stored.frozen["finetunes"]["tone"]["model"]
    stored.change_epochs()

    assert stored.ftctl("apply", "--auto-approve", "--wait").status == 0

    ears: list[Listening] = []
    stored.shell.wire = lambda inner: ears.append(Listening(inner, [])) or ears[-1]
    new = stored.ftctl("output", "--format", "json").json["tone"]["model"]
    assert new != model
    said: list[Any] = []

    def between(inner: httpx2.BaseTransport) -> httpx2.BaseTransport:
        body = {"model": model, "messages": [{"role": "user", "content": "Question 3?"}]}
        said.append(Listening(inner, []).ask("POST", "/chat/completions", body))
        return inner

    stored.shell.wire = between
    assert stored.plan()[0] == 0
    assert said[0]["choices"][0]["message"]["content"] == "yes"


# What the digests of version 1 are.

VECTORS: list[dict[str, Any]] = json.loads(
    (THEN / "digests" / "digests.json").read_text("utf-8")
)  # fmt: skip


def test_every_frozen_spec_has_the_digest_that_it_had(shell: Shell) -> None:
    shutil.copytree(THEN / "digests" / "data", shell.folder / "data")
    (shell.folder / "ftctl.yaml").write_text("project: digests\n", "utf-8")
    (shell.folder / "finetunes").mkdir()
    head = {"apiVersion": "ftctl/v1", "kind": "FineTune"}
    for one in VECTORS:
        manifest = json.dumps({**head, "name": one["name"], **one["spec"]})
        (shell.folder / "finetunes" / f"{one['name']}.json").write_text(manifest, "utf-8")

    changes = shell.ok("plan", "--offline", "--format", "json").json["changes"]

    found = {change["name"]: change["digest"] for change in changes}
    assert found == {one["name"]: one["digest"] for one in VECTORS}
    assert len(set(found.values())) == 29
