"""Random lives of a project: edits, applies that break, hands that meddle, and time."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from conftest import chat_rows
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ftctl.emulator import Settings, ids, open_emulator
from simulation.proof import broken_run
from simulation.scripts import APPLY, DESTROY, finetune, project
from simulation.tally import TALLY
from simulation.wires import FAULTS
from simulation.world import World, at_once, take_time

_NAMES = ("tone", "voice", "calm")
_NO_MORE = ("failed:", "was cancelled")  # what a plan says of jobs that only --retry-failed buys


class Journey(RuleBasedStateMachine):
    """One project's life. After every settling: one live job per digest, strangers as they were."""

    def __init__(self) -> None:
        super().__init__()
        at_once(1)
        take_time(Settings())
        self.folder = Path(tempfile.mkdtemp())
        self.world = World(self.folder / "project")
        self.world.folder.mkdir()
        self.world.add_strangers()
        self.specs: dict[str, dict[str, Any]] = {"tone": {"epochs": 1, "more": {}}}
        self.rows = 12
        self.prune = False
        self.again = 0  # purchases that somebody's hand made necessary, by deleting a model
        self.before = self.world.fingerprint().strangers
        self._write()

    def teardown(self) -> None:
        self._settle()
        shutil.rmtree(self.folder)

    def _write(self) -> None:
        self.world.write({f"finetunes/{name}.yaml": None for name in _NAMES})
        texts = [
            finetune(name, epochs=spec["epochs"], more=spec["more"])
            for name, spec in self.specs.items()
        ]
        self.world.write({**project(*texts), "data/train.jsonl": chat_rows(self.rows)})

    @property
    def _apply(self) -> tuple[str, ...]:
        return (*APPLY, *(["--prune"] if self.prune else []))

    @rule(name=st.sampled_from(_NAMES), epochs=st.integers(1, 3))
    def edit_epochs(self, name: str, epochs: int) -> None:
        if name in self.specs:
            self.specs[name]["epochs"] = epochs
            self._write()

    @rule(name=st.sampled_from(_NAMES), suffix=st.sampled_from(["a", "b"]))
    def edit_suffix(self, name: str, suffix: str) -> None:
        if name in self.specs:
            self.specs[name]["more"] = {"suffix": suffix}
            self._write()

    @rule(rows=st.sampled_from([12, 13]))
    def edit_rows(self, rows: int) -> None:
        self.rows = rows
        self._write()

    @rule(old=st.sampled_from(_NAMES), new=st.sampled_from(_NAMES))
    def rename(self, old: str, new: str) -> None:
        if old in self.specs and new not in self.specs:
            self.specs[new] = self.specs.pop(old)
            self._write()

    @rule(name=st.sampled_from(_NAMES), epochs=st.integers(1, 3))
    def add(self, name: str, epochs: int) -> None:
        self.specs.setdefault(name, {"epochs": epochs, "more": {}})
        self._write()

    @precondition(lambda self: len(self.specs) > 1)
    @rule(name=st.sampled_from(_NAMES))
    def remove(self, name: str) -> None:
        if name in self.specs:
            del self.specs[name]
            self._write()

    @rule(on=st.booleans())
    def switch_prune(self, on: bool) -> None:
        self.prune = on

    @rule()
    def apply(self) -> None:
        self.world.run(*self._apply)

    @rule(number=st.integers(0, 12), fault=st.sampled_from(sorted(FAULTS)), wait=st.booleans())
    def apply_that_breaks(self, number: int, fault: str, wait: bool) -> None:
        command = (*self._apply, "--wait") if wait else self._apply
        broken_run(self.world, command, {number: fault})

    @rule(number=st.integers(0, 8), fault=st.sampled_from(sorted(FAULTS)))
    def destroy_that_breaks(self, number: int, fault: str) -> None:
        broken_run(self.world, DESTROY, {number: fault})

    @rule(which=st.integers(0, 5))
    def delete_a_model_by_hand(self, which: int) -> None:
        models = sorted(
            job["fine_tuned_model"] for job in self.world.ours() if job["fine_tuned_model"]
        )
        known = {one["id"] for one in self.world.ask("GET", "/models")["data"]}
        if there := [model for model in models if model in known]:
            self.world.ask("DELETE", f"/models/{there[which % len(there)]}")

    @rule(which=st.integers(0, 5))
    def delete_a_file_by_hand(self, which: int) -> None:
        files = [f for f in self.world.ask("GET", "/files")["data"] if "demo" in f["filename"]]
        if files:
            self.world.ask("DELETE", f"/files/{files[which % len(files)]['id']}")

    @rule(which=st.integers(0, 5))
    def cancel_a_job_by_hand(self, which: int) -> None:
        active = ("validating_files", "queued", "running", "paused")
        jobs = [job for job in self.world.ours() if job["status"] in active]
        if jobs:
            self.world.ask("POST", f"/fine_tuning/jobs/{jobs[which % len(jobs)]['id']}/cancel")

    @rule(seconds=st.sampled_from([1, 3, 60, 100_000]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.time += seconds

    @rule()
    def settle(self) -> None:
        self._settle()

    def _settle(self) -> None:
        world = self.world
        command = (*self._apply, "--wait")
        for _number in range(5):
            ended = world.run(*command)
            plan = world.run("plan", "--detailed-exitcode", *(["--prune"] if self.prune else []))
            if plan.status == 0 or _waits_for_a_word(plan.text):
                break
            # What is gone is bought again by whoever asks for it by name, and by nobody else.
            gone = re.findall(
                r"^! ([\w-]+): attention, (?:(ftjob-\w+) made)?.*--replace", plan.text, re.MULTILINE
            )
            # The job is named too: one that was bought by --replace may have lost its model again.
            named = [
                word
                for name, job in gone
                for word in ("--replace", f"{name}={job}" if job else name)
            ]
            command = (*self._apply, "--wait", *named)
        assert plan.status == 0 or _waits_for_a_word(plan.text), (
            f"not converged: {ended.text}\n{plan.text}"
        )
        made = json.loads(world.run("plan", "--format", "json").lines[-1])
        for change in made["changes"]:
            stands = change.get("model") or change.get("job")
            told = any(words in change["reason"] for words in ("up to date", "the same", *_NO_MORE))
            assert told or stands or "not in the manifests" in change["reason"], change
        found = world.fingerprint()
        digests = [digest for digest, _status in found.live]
        # A model that was deleted by hand, or destroyed, is bought again: but only one lives.
        assert len(digests) == len(set(digests)), found
        files = [file for file in found.files if found.files.count(file) > 1]
        assert not files or not all(c.get("model") for c in made["changes"]), found.files

    @invariant()
    def strangers_are_untouched(self) -> None:
        assert self.world.fingerprint().strangers == self.before
        TALLY.counts["steps of random journeys"] += 1


def _waits_for_a_word(text: str) -> bool:
    """Whether all that a plan has is what somebody cancelled, which only --retry-failed buys."""
    told = re.findall(r"^([^ =]) [\w-]+: .*$", text, re.MULTILINE)
    lines = re.findall(
        r"^! [\w-]+: attention, .*; --retry-failed buys it again", text, re.MULTILINE
    )
    return 0 < len(told) == len(lines) and "\n    cancel" not in text


def test_a_random_life_keeps_one_live_job_of_each_digest(everything: bool) -> None:
    before = ids.os, open_emulator.__defaults__
    try:
        run_state_machine_as_test(
            Journey,
            settings=settings(
                max_examples=150 if everything else 15,
                stateful_step_count=30 if everything else 20,
                derandomize=True,
                database=None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        ids.os, open_emulator.__defaults__ = before
