"""An approval is used up: once carried out, it buys nothing again, whatever came of its jobs."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from conftest import FINETUNE, HandClock, Shell, small_project
from plain_server import World

from ftctl.emulator import Request, open_emulator
from ftctl.engine.planning import PlanRequest
from ftctl.engine.workspace import Workspace

CHILD = FINETUNE.replace("name: tone", "name: child").replace(
    "base_model: gpt-4.1-mini-2025-04-14", "base_model: {finetune: tone}"
)


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, "-c", "protocol.file.allow=always", *arguments],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def merge(shell: Shell, epochs: int, more: str = "", **manifests: str) -> str:
    """A commit after which the fine-tune trains so many epochs."""
    texts = {"tone": f"{FINETUNE}hyperparameters: {{n_epochs: {epochs}}}\n{more}", **manifests}
    for name, text in texts.items():
        (shell.folder / "finetunes" / f"{name}.yaml").write_text(text, "utf-8")
    if not (shell.folder / ".git").exists():
        git(shell.folder, "init", "-q", "-b", "main")
    git(shell.folder, "add", "--", "ftctl.yaml", "finetunes", "data")
    git(shell.folder, "commit", "-q", "-m", "merge")
    return git(shell.folder, "rev-parse", "HEAD")


def checkout(shell: Shell, commit: str, folder: Path, how: str) -> Shell:
    """The same account, seen from a commit: in the same folder, or as a runner clones it."""
    if how == "same":
        git(shell.folder, "checkout", "-q", commit)
        return shell
    git(shell.folder, "branch", "-f", "there", commit)
    depth = ["--depth", "1"] if how == "shallow" else []
    uri = shell.folder.as_uri()
    git(shell.folder, "clone", "-q", *depth, "-b", "there", uri, str(folder))
    return replace(shell, folder=folder)


def hidden(shell: Shell, world: World) -> None:
    shell.ok("wait")
    world.models.clear()


def failed(_shell: Shell, world: World) -> None:
    world.jobs[0]["status"] = "failed"


def cancelled(_shell: Shell, world: World) -> None:
    world.jobs[0]["status"] = "cancelled"


def retired(shell: Shell, world: World) -> None:
    world.finishes = True
    shell.ok("wait")
    merge(shell, 2, "keep: 1\n")
    shell.ok("apply", "--auto-approve", "--wait")
    shell.ok("apply", "--auto-approve")
    assert len(world.models) == 1


def replaced(shell: Shell, _world: World) -> None:
    merge(shell, 2)
    shell.ok("apply", "--auto-approve")


def replaced_and_trained(shell: Shell, world: World) -> None:
    replaced(shell, world)
    world.finishes = True
    shell.ok("wait")


GONE = "ftjob-1 made ft:gpt-4.1-mini-2025-04-14:plain::1, which this key cannot see"
SUPERSEDED = "\ntone: ftjob-1 was superseded by ftjob-2 (of commit "


@pytest.mark.parametrize("how", ["same", "shallow", "whole"])
@pytest.mark.parametrize(
    "case",
    [
        (hidden, 0, GONE, ("attention", "attention")),
        (
            failed,
            1,
            "error: tone: ftjob-1 failed; --retry-failed buys it again",
            ("failed", "failed"),
        ),
        (
            cancelled,
            1,
            "error: tone: ftjob-1 was cancelled; --retry-failed buys it again",
            ("failed", "failed"),
        ),
        (retired, 0, "plain::1", ("nothing-to-do", "retired")),
        (replaced, 0, SUPERSEDED, ("nothing-to-do", "superseded")),
        (replaced_and_trained, 0, SUPERSEDED, ("nothing-to-do", "superseded")),
    ],
)
def test_a_plan_that_was_carried_out_buys_nothing_again(
    remote: Shell,
    world: World,
    tmp_path_factory: pytest.TempPathFactory,
    case: tuple[Callable[[Shell, World], None], int, str, tuple[str, str]],
    how: str,
) -> None:
    becomes, status, words, outcome = case
    first = merge(remote, 1)
    remote.ok("plan", "--out", "plan.json")
    digest = remote.ok("plan", "--format", "json").json["digest"]
    world.finishes = becomes is hidden
    remote.ok("apply", "plan.json")
    becomes(remote, world)
    before = [dict(job) for job in world.jobs]
    plan = str(remote.folder / "plan.json")

    there = checkout(remote, first, tmp_path_factory.mktemp("runner") / "clone", how)
    report = str(remote.folder / "report.json")
    ends = [
        there("apply", plan, "--report", report),
        there("apply", plan, "--wait", "--timeout", "1h"),
    ]
    told = json.loads(Path(report).read_text("utf-8"))
    by_digest = there("apply", "--approve", digest, "--wait")

    assert [dict(job) for job in world.jobs] == before
    for end in ends:
        assert end.status == status
        assert words in end.out + end.err
        assert "Of the approved plan, nothing is left to do for: tone." in end.out
        assert "All there" not in end.out
    assert told["exit_status"] == status
    if becomes is retired and how != "same":  # without the record it may as well be hidden
        outcome = ("attention", "attention")
    assert (told["outcome"], told["finetunes"][0]["outcome"]) == outcome
    assert by_digest.status == (status if how == "same" else 5)


def test_a_digest_that_nobody_knows_and_nothing_to_do(remote: Shell, world: World) -> None:
    remote.ok("apply", "--auto-approve", "--wait")

    end = remote("apply", "--approve", "sha256:" + "0" * 64)

    assert end.status == 5
    assert "nothing is to be done now, and what this digest stood for is not known" in end.err
    assert "approve that digest" not in end.err
    assert len(world.jobs) == 1


@dataclass
class Meanwhile(HandClock):
    """A clock with which something happens while somebody waits."""

    what: Callable[[], None] = lambda: None
    after: int = 2
    time: float = 1_790_000_000.0
    happened: list[bool] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.happened.append(True)
        if len(self.happened) == self.after:
            self.what()


def applied_later(shell: Shell) -> None:
    """The next merge is applied, in a checkout of its own, while the first still waits."""
    with Workspace.open(shell.folder, clock=HandClock(), environ=shell.environ) as workspace:
        workspace.apply(workspace.plan())


@pytest.mark.parametrize("how", ["shallow", "whole"])
def test_a_wait_ends_when_the_next_merge_goes_past_it(
    remote: Shell, world: World, tmp_path_factory: pytest.TempPathFactory, how: str
) -> None:
    world.finishes = False
    first = merge(remote, 1, child=CHILD)
    remote.ok("plan", "--out", "plan.json")
    plan = str(remote.folder / "plan.json")
    there = checkout(remote, first, tmp_path_factory.mktemp("runner") / "clone", how)
    second = merge(remote, 2)
    clock = Meanwhile(what=lambda: applied_later(remote))

    ended = replace(there, clock=clock)("apply", plan, "--wait", "--timeout", "1h")
    again = there("apply", plan, "--wait", "--timeout", "1h")

    assert [job["status"] for job in world.jobs] == ["cancelled", "queued"]
    assert not [one for one in world.requests if one.endswith("ftjob-2/cancel")]
    for end in (ended, again):
        assert end.status == 0, end
        assert f"tone: ftjob-1 was superseded by ftjob-2 (of commit {second[:7]})" in end.out
        assert "child: not begun, since tone was superseded. Nothing more is bought" in end.out
        assert "All there" not in end.out
        assert "not begun: its parent has no model" not in end.err


def test_what_somebody_cancelled_by_hand_is_still_a_failure_of_the_wait(
    remote: Shell, world: World
) -> None:
    world.finishes = False
    merge(remote, 1)
    remote.ok("plan", "--out", "plan.json")
    clock = Meanwhile(what=lambda: cancelled(remote, world))

    end = replace(remote, clock=clock)("apply", "plan.json", "--wait", "--timeout", "1h")

    assert end.status == 1
    assert len(world.jobs) == 1


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_later_job_that_came_to_nothing_supersedes_nothing(
    remote: Shell, world: World, status: str
) -> None:
    world.finishes = False
    first = merge(remote, 1)
    remote.ok("plan", "--out", "plan.json")
    remote.ok("apply", "plan.json")
    replaced(remote, world)
    world.jobs[1]["status"] = status
    git(remote.folder, "checkout", "-q", first)

    end = remote("apply", "plan.json", "--wait")

    assert end.status == 1
    assert "error: tone: ftjob-1 was cancelled; --retry-failed buys it again" in end.err


@pytest.mark.parametrize("how", ["shallow", "whole"])
def test_a_child_that_the_next_merge_has_bought_otherwise_is_not_bought(
    remote: Shell, world: World, tmp_path_factory: pytest.TempPathFactory, how: str
) -> None:
    """Both merges wait for the same parent; the later one's child is there first."""
    world.finishes = False
    first = merge(remote, 1, child=CHILD)
    remote.ok("plan", "--out", "plan.json")
    plan = str(remote.folder / "plan.json")
    there = checkout(remote, first, tmp_path_factory.mktemp("runner") / "clone", how)
    merge(remote, 1, child=f"{CHILD}hyperparameters: {{n_epochs: 9}}\n")

    def later() -> None:
        world.finishes = True
        applied_later(remote)

    clock = Meanwhile(what=later)
    end = replace(there, clock=clock)("apply", plan, "--wait", "--timeout", "1h")

    assert len(world.jobs) == 2
    if how == "whole":
        assert end.status == 0, end
        words = "child: superseded by ftjob-2, which a newer commit has bought since"
        assert words in end.out
    else:
        assert end.status == 4, end
        assert "child: not begun, since ftjob-2 was bought for another spec of it" in end.err


def test_a_failure_beside_an_older_job_that_nobody_approved_to_stop_is_not_green(
    remote: Shell, world: World
) -> None:
    world.finishes = False
    merge(remote, 1)
    remote.ok("plan", "--out", "plan.json")
    merge(remote, 2)
    remote.ok("apply", "--auto-approve")
    git(remote.folder, "checkout", "-q", "HEAD~1", "--", "finetunes")
    git(remote.folder, "commit", "-q", "-m", "back")
    file = remote.folder / "plan.json"
    document = json.loads(file.read_text("utf-8"))
    del document["changes"][0]["beside"]  # as an earlier version wrote it
    file.write_text(json.dumps(document), "utf-8")
    remote.ok("apply", "plan.json")
    world.jobs[1]["status"] = "failed"

    end = remote("apply", "plan.json", "--wait")

    assert [job["status"] for job in world.jobs] == ["queued", "failed"]
    assert end.status == 1
    assert "error: tone: ftjob-2 failed" in end.err
    assert "Left alone, for nobody approved it: tone." in end.out


def test_models_beyond_keep_that_nobody_approved_to_delete_hide_no_model(
    shell: Shell, write_project: Callable[[dict[str, str]], Path]
) -> None:
    write_project(small_project(FINETUNE + "keep: 1\n"))
    shell.ok("apply", "--auto-approve", "--wait")
    manifest = shell.folder / "finetunes" / "tone.yaml"
    manifest.write_text(manifest.read_text("utf-8") + "seed: 7\n", "utf-8")
    shell.ok("plan", "--out", "plan.json")
    shell.ok("apply", "plan.json", "--wait")

    again = shell.ok("apply", "plan.json", "--wait")

    assert "= tone: no-op, up to date as ft:" in again.out
    assert "Left alone, for nobody approved it: tone" in again.out
    assert "All there" in again.out
    assert shell("plan", "--detailed-exitcode").status == 2


def test_an_older_child_that_was_there_before_supersedes_nothing(
    remote: Shell, world: World
) -> None:
    merge(remote, 1, child=CHILD)
    remote.ok("apply", "--auto-approve", "--wait")
    merge(remote, 2)
    world.finishes = False
    remote.ok("apply", "--auto-approve")
    remote.ok("plan", "--out", "plan.json")

    def finish() -> None:
        world.finishes = True

    clock = Meanwhile(what=finish)
    end = replace(remote, clock=clock)("apply", "plan.json", "--wait", "--timeout", "1h")

    assert end.status == 0, end
    assert "All there" in end.out
    assert len(world.jobs) == 4


@pytest.mark.parametrize("wait", [(), ("--wait", "--timeout", "1h")], ids=["once", "waiting"])
@pytest.mark.parametrize("becomes", ["failed", "cancelled"])
def test_a_saved_plan_tries_again_once(
    remote: Shell, world: World, becomes: str, wait: tuple[str, ...]
) -> None:
    world.finishes = False
    remote.ok("apply", "--auto-approve")
    world.jobs[0]["status"] = "failed"
    remote.ok("plan", "--retry-failed", "--out", "plan.json")
    remote.ok("apply", "plan.json")
    world.jobs[1]["status"] = becomes

    again = remote("apply", "plan.json", *wait)
    fresh = remote("plan", "--retry-failed")

    assert len(world.jobs) == 2
    assert again.status == 1
    verb = "failed" if becomes == "failed" else "was cancelled"
    assert f"error: tone: ftjob-2 {verb}; --retry-failed buys it again" in again.err
    assert f"tries again: ftjob-2 {verb}" in fresh.out


def test_a_replacement_that_is_hidden_is_bought_again_by_the_words_that_are_shown(
    remote: Shell, world: World
) -> None:
    merge(remote, 1)
    remote.ok("apply", "--auto-approve", "--wait")
    remote.ok("apply", "--replace", "tone", "--auto-approve", "--wait")
    world.models.clear()

    told = remote.ok("plan").out
    remote.ok("apply", "--replace", "tone", "--auto-approve")
    assert len(world.jobs) == 2
    remote.ok("apply", "--replace", "tone=ftjob-2", "--auto-approve")

    assert "; --replace tone=ftjob-2 buys it again" in told
    assert len(world.jobs) == 3


def test_a_saved_replacement_that_failed_is_told_from_a_later_checkout(
    remote: Shell, world: World
) -> None:
    merge(remote, 1)
    remote.ok("apply", "--auto-approve", "--wait")
    world.models.clear()
    remote.ok("plan", "--replace", "tone", "--select", "tone", "--out", "plan.json")
    world.finishes = False
    remote.ok("apply", "plan.json")
    world.jobs[1]["status"] = "failed"
    merge(remote, 1, "# a comment\n")

    again = remote("apply", "plan.json")

    assert len(world.jobs) == 2
    assert "ftjob-1 made ft:" in again.out
    assert "1 needing attention: tone." in again.out


def test_a_review_that_is_applied_twice_tells_of_a_second_failure(
    remote: Shell, world: World
) -> None:
    world.finishes = False
    remote.ok("apply", "--auto-approve")
    world.jobs[0]["status"] = "failed"
    workspace = Workspace.open(remote.folder, clock=remote.clock, environ=remote.environ)
    review = workspace.plan(PlanRequest(retry_failed=True))

    first = workspace.apply(review)
    world.jobs[1]["status"] = "failed"
    second = workspace.apply(review)

    assert len(world.jobs) == 2
    assert (first.failed, second.failed) == ((), ("tone",))


def ask(shell: Shell, method: str, path: str, document: object = None) -> Any:
    """Ask the embedded API itself."""
    body = b"" if document is None else json.dumps(document).encode()
    headers = (("authorization", "Bearer x"), ("content-type", "application/json"))
    with open_emulator(shell.folder / ".ftctl", clock=shell.clock.now) as emulator:
        return json.loads(emulator.handle(Request.to(method, path, headers, body)).body)


@pytest.mark.parametrize("recorded", [True, False], ids=["same", "fresh"])
@pytest.mark.parametrize(
    "temperament",
    ["models-hidden", "filter-finds-nothing", "filter-refused", "metadata-dropped",
     "lagging-list=30", "unknown-status", "no-model-name"],
)  # fmt: skip
def test_whatever_the_service_shows_of_it_an_approval_buys_nothing_again(
    shell: Shell,
    write_project: Callable[[dict[str, str]], Path],
    temperament: str,
    *,
    recorded: bool,
) -> None:
    write_project(small_project())
    shell.ok("plan", "--out", "plan.json")
    digest = shell.ok("plan", "--format", "json").json["digest"]
    shell.ok("apply", "plan.json", "--wait")
    if not recorded:
        (shell.folder / "ftctl.lock").unlink()
        shutil.rmtree(shell.folder / ".ftctl" / "intents", ignore_errors=True)
        shell.clock.sleep(60)  # a list that lags is all that a fresh checkout has
    ask(shell, "PUT", "/_ftctl/faults", {"temperaments": [temperament]})

    ends = [
        shell("apply", "plan.json"),
        shell("apply", "plan.json", "--wait", "--timeout", "2m"),
        shell("apply", "--approve", digest),
    ]

    ask(shell, "DELETE", "/_ftctl/faults")
    assert len(ask(shell, "GET", "/v1/fine_tuning/jobs")["data"]) == 1
    for end in ends:
        assert "Traceback" not in end.err
        assert end.out + end.err
        assert "started ftjob" not in end.out


def test_the_command_that_waits_ends_in_the_same_way(
    remote: Shell, world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    world.finishes = False
    first = merge(remote, 1)
    remote.ok("apply", "--auto-approve")
    there = checkout(remote, first, tmp_path_factory.mktemp("runner") / "clone", "shallow")
    merge(remote, 2)
    clock = Meanwhile(what=lambda: applied_later(remote))

    end = replace(there, clock=clock)("wait", "tone", "--timeout", "1h")

    assert end.status == 0, end
    assert "tone: ftjob-1 was superseded by ftjob-2 (of commit " in end.out
    assert "It is not waited for any more." in end.out
    assert "All there" not in end.out


@pytest.mark.parametrize(
    ("how", "waits"), [("same", "not"), ("whole", "before"), ("shallow", "not"), ("whole", "not")]
)
def test_a_wait_that_runs_again_buys_no_child_that_was_bought_otherwise(
    remote: Shell, world: World, tmp_path_factory: pytest.TempPathFactory, how: str, waits: str
) -> None:
    """What the job that applied has seen, no later process knows: the plan says what it knew."""
    world.finishes = False
    first = merge(remote, 1, child=CHILD)
    remote.ok("plan", "--out", "plan.json")
    plan = str(remote.folder / "plan.json")
    there = remote
    if how != "same":
        there = checkout(remote, first, tmp_path_factory.mktemp("runner") / "clone", how)
    there.ok("apply", plan)
    merge(remote, 1, child=f"{CHILD}hyperparameters: {{n_epochs: 9}}\n")

    def later() -> None:
        world.finishes = True
        applied_later(remote)

    if waits == "before":
        replace(there, clock=Meanwhile(what=later)).ok("apply", plan, "--wait", "--timeout", "1h")
    else:
        later()
    if how == "same":
        git(remote.folder, "checkout", "-q", first)
    report = str(remote.folder / "report.json")
    end = there("apply", plan, "--wait", "--timeout", "1h", "--report", report)

    assert len(world.jobs) == 2
    if how == "shallow":
        assert end.status == 5
        assert "child: there is ftjob-2, which another commit has bought" in end.err
        assert "git cannot say here which is newer" in end.err
        return
    assert end.status == 0, end
    words = "child: superseded by ftjob-2, which a newer commit has bought since that plan was made"
    assert words in end.out
    assert "Nothing more is bought for it." in end.out
    told = json.loads(Path(report).read_text("utf-8"))
    assert {one["name"]: one["outcome"] for one in told["finetunes"]}["child"] == "superseded"


def test_a_purchase_that_was_not_made_is_stale_once_another_spec_was_bought(
    remote: Shell, world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first = merge(remote, 1)
    remote.ok("plan", "--out", "plan.json")
    plan = str(remote.folder / "plan.json")
    there = checkout(remote, first, tmp_path_factory.mktemp("runner") / "clone", "shallow")
    merge(remote, 2)
    remote.ok("apply", "--auto-approve", "--wait")

    end = there("apply", plan, "--wait")

    assert end.status == 5
    words = "tone: there is ftjob-1, which another commit has bought for another spec since"
    assert words in end.err
    assert len(world.jobs) == 1
    there.ok("plan", "--out", "back.json")
    there.ok("apply", "back.json", "--wait")
    assert len(world.jobs) == 2  # whoever wants to go back, sees what there is


def test_of_several_plans_the_one_that_counts_says_what_it_knew(
    remote: Shell, world: World
) -> None:
    merge(remote, 1)
    remote.ok("apply", "--auto-approve", "--wait")
    merge(remote, 2)
    remote.ok("plan", "--out", "first.json")
    remote.ok("plan", "--out", "second.json")

    remote.ok("apply", "first.json", "second.json", "--wait")

    assert len(world.jobs) == 2


@pytest.mark.parametrize("how", ["shallow", "whole"])
@pytest.mark.parametrize("late", [False, True])
def test_the_newer_merge_is_not_let_go_for_a_job_of_the_older(
    remote: Shell, world: World, tmp_path_factory: pytest.TempPathFactory, how: str, *, late: bool
) -> None:
    """Both wait for the same parent, and the older one's child is bought first."""
    world.finishes = False
    first = merge(remote, 1, child=CHILD)
    remote.ok("plan", "--out", "plan1.json")
    older = checkout(remote, first, tmp_path_factory.mktemp("runner") / "one", how)
    older.ok("apply", str(remote.folder / "plan1.json"))
    second = merge(remote, 1, child=f"{CHILD}hyperparameters: {{n_epochs: 9}}\n")
    remote.ok("plan", "--out", "plan2.json")
    newer = checkout(remote, second, tmp_path_factory.mktemp("runner") / "two", how)
    newer.ok("apply", str(remote.folder / "plan2.json"))

    def earlier() -> None:
        world.finishes = True
        with Workspace.open(older.folder, clock=HandClock(), environ=older.environ) as workspace:
            workspace.apply(workspace.plan())

    wait = ("apply", str(remote.folder / "plan2.json"), "--wait", "--timeout", "1h")
    if late:
        earlier()
        end = newer(*wait)
    else:
        end = replace(newer, clock=Meanwhile(what=earlier))(*wait)

    jobs = len(world.jobs)
    if how == "whole":
        assert end.status == 0, end
        assert jobs == 3
    else:
        assert end.status == (5 if late else 4)
        assert jobs == 2
        assert "its whole history is needed" in end.err


@pytest.mark.parametrize("became", ["failed", "cancelled"])
def test_what_another_commit_bought_and_lost_makes_nothing_stale(
    remote: Shell, world: World, tmp_path_factory: pytest.TempPathFactory, became: str
) -> None:
    world.finishes = False
    first = merge(remote, 1)
    remote.ok("plan", "--out", "plan.json")
    there = checkout(remote, first, tmp_path_factory.mktemp("runner") / "clone", "whole")
    merge(remote, 2)
    remote.ok("apply", "--auto-approve")
    world.jobs[0]["status"] = became

    there.ok("apply", str(remote.folder / "plan.json"))

    assert len(world.jobs) == 2
