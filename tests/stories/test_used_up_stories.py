"""Stories of approvals: one that is used up, and one that was overtaken."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from conftest import FINETUNE, HandClock, Shell
from plain_server import World

from .conftest import Story

PAUSES_BEFORE = 2  # of the first wait, until the second merge is applied


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ann", "-c", "user.email=ann@acme.example"]
    done = subprocess.run(
        ["git", *identity, "-c", "commit.gpgsign=false", "-c", "protocol.file.allow=always",
         *arguments],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def merged(shell: Shell, epochs: int) -> str:
    text = f"{FINETUNE}hyperparameters: {{n_epochs: {epochs}}}\n"
    (shell.folder / "finetunes" / "tone.yaml").write_text(text, "utf-8")
    if not (shell.folder / ".git").exists():
        git(shell.folder, "init", "-q", "-b", "main")
    git(shell.folder, "add", "--", "ftctl.yaml", "finetunes", "data")
    git(shell.folder, "commit", "-q", "-m", f"{epochs} epochs")
    return git(shell.folder, "rev-parse", "HEAD")


def cloned(shell: Shell, folder: Path) -> Shell:
    """A runner's checkout: the commit alone, and nothing that an earlier run has kept."""
    git(shell.folder, "clone", "-q", "--depth", "1", shell.folder.as_uri(), str(folder))
    return replace(shell, folder=folder)


@dataclass
class Clock(HandClock):
    """One with which something happens while somebody waits."""

    what: Callable[[], None] = lambda: None
    time: float = 1_790_000_000.0
    pauses: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.pauses.append(seconds)
        if len(self.pauses) == PAUSES_BEFORE:
            self.what()


def test_an_approval_is_used_up(
    remote: Shell, world: World, story: Story, tmp_path_factory: pytest.TempPathFactory
) -> None:
    merged(remote, 1)
    remote.ok("plan", "--out", "plan.json")
    plan = str(remote.folder / "plan.json")
    runner = cloned(remote, tmp_path_factory.mktemp("runner") / "first")
    world.finishes = False
    story.says("Ann's merge is applied by the plan that its pull request showed.")
    first = runner.ok("apply", plan)
    story.shows("The log", first.out)

    world.jobs[0] |= {"status": "failed", "error": {"code": "server", "message": "GPU lost"}}
    story.says("The job fails at the service. Ann runs the job of the pipeline again, twice.")
    runner = cloned(remote, tmp_path_factory.mktemp("runner") / "second")
    for _time in range(2):
        again = runner("apply", plan, "--wait", "--timeout", "1h")
        assert again.status == 1
        assert "error: tone: ftjob-1 failed: GPU lost; --retry-failed buys it again" in again.err
    story.shows("The log of the second, which ends with 1", again.out + again.err)

    story.says("She plans a retry, reads it, and it is applied. It fails as well; run again…")
    remote.ok("plan", "--retry-failed", "--out", "plan.json")
    runner.ok("apply", plan)
    world.jobs[1] |= {"status": "failed", "error": {"code": "server", "message": "GPU lost"}}
    last = runner("apply", plan, "--wait", "--timeout", "1h")
    story.shows("…it buys nothing, and is no success either", last.out + last.err)

    assert last.status == 1
    assert "ftjob-2 failed: GPU lost; --retry-failed buys it again" in last.err
    assert len(world.jobs) == 2


def test_a_merge_is_overtaken_while_it_waits(
    remote: Shell, world: World, story: Story, tmp_path_factory: pytest.TempPathFactory
) -> None:
    world.finishes = False
    merged(remote, 1)
    remote.ok("plan", "--out", "plan.json")
    plan = str(remote.folder / "plan.json")
    first = cloned(remote, tmp_path_factory.mktemp("runner") / "first")
    second = merged(remote, 2)
    told: list[str] = []

    def overtake() -> None:
        runner = cloned(remote, tmp_path_factory.mktemp("runner") / "second")
        told.append(runner.ok("apply", "--auto-approve").out)

    story.says("Ann's merge is applied, and a job of its own waits for the model.")
    waited = replace(first, clock=Clock(what=overtake))("apply", plan, "--wait", "--timeout", "1h")
    story.says("While it waits, Ben's merge asks for two epochs instead.")
    story.shows("The log of Ben's apply", told[0])
    story.shows("The log of Ann's wait, which ends with 0", waited.out + waited.err)
    again = first("apply", plan, "--wait", "--timeout", "1h")
    story.says("A week later somebody runs Ann's job again.")
    story.shows("The log, which ends with 0", again.out + again.err)

    words = f"ftjob-1 was superseded by ftjob-2 (of commit {second[:7]})"
    assert (waited.status, again.status) == (0, 0)
    assert words in waited.out
    assert words in again.out
    assert [job["status"] for job in world.jobs] == ["cancelled", "queued"]
