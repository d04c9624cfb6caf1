"""What stays a fine-tune's own: what was retired, renamed or promoted, and what output gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import FINETUNE, HandClock, Shell, small_project
from fakes import FakeProvider
from jsonschema import Draft202012Validator
from records import SCHEMA
from scenes import SERVICE, finetune, succeeded

import ftctl
from ftctl.domain.observed import Observed
from ftctl.domain.plan import Action, Change, DeleteModel, Outcome, Plan, Report
from ftctl.emulator import Request, open_emulator
from ftctl.engine.record import remember_retired
from ftctl.engine.session import open_session
from ftctl.errors import FtctlError
from ftctl.lockfile import Entry, read_lock_file

Write = Callable[[Mapping[str, str]], Path]

KEEPS_ONE = FINETUNE + "keep: 1\n"
SECOND = FINETUNE.replace("name: tone", "name: other").replace("train.jsonl", "more.jsonl")
RIDDLES = small_project()["data/train.jsonl"].replace("Question", "Riddle")


def spec(text: str, epochs: int) -> str:
    return f"{text}hyperparameters: {{n_epochs: {epochs}}}\n"


def train(shell: Shell, *more: str) -> None:
    """Apply until nothing is left to do."""
    shell.ok("apply", "--auto-approve", "--wait", *more)
    shell.ok("apply", "--auto-approve", *more)
    shell.clock.sleep(60)


def entry_of(shell: Shell, name: str = "tone") -> Entry:
    """What is on record of a fine-tune, in a record that fits its schema."""
    document = json.loads((shell.folder / "ftctl.lock").read_text("ascii"))
    Draft202012Validator(SCHEMA).validate(document)
    return read_lock_file(shell.folder).entry("default", name)


def ask(folder: Path, method: str, path: str) -> Any:
    """Ask the embedded API itself."""
    with open_emulator(folder / ".ftctl", clock=HandClock().now) as emulator:
        answer = emulator.handle(Request.to(method, path, (("authorization", "Bearer x"),)))
        return json.loads(answer.body)


def jobs_of(shell: Shell) -> list[Any]:
    found: list[Any] = ask(shell.folder, "GET", "/v1/fine_tuning/jobs")["data"]
    return found


def rename(shell: Shell, old: str, new: str) -> None:
    folder = shell.folder / "finetunes"
    text = (folder / f"{old}.yaml").read_text("utf-8").replace(f"name: {old}\n", f"name: {new}\n")
    (folder / f"{old}.yaml").unlink()
    (folder / f"{new}.yaml").write_text(text, "utf-8")


# What was retired.


@pytest.fixture
def retired(shell: Shell, write_project: Write) -> Shell:
    """A fine-tune that keeps one model, of whose three specs the first is asked for again."""
    for epochs in (1, 2, 3):
        write_project(small_project(spec(KEEPS_ONE, epochs)))
        train(shell)
    write_project({"finetunes/tone.yaml": spec(KEEPS_ONE, 1)})
    return shell


def test_going_back_to_a_spec_whose_model_was_retired_buys_nothing_and_says_so(
    retired: Shell,
) -> None:
    first = jobs_of(retired)[2]

    plan = retired.ok("plan", "--detailed-exitcode")
    retired.ok("apply", "--auto-approve", "--wait")

    words = f"{first['fine_tuned_model']} was retired; --replace tone trains it again"
    assert f"= tone: no-op, {words}\n" in plan.out
    assert len(jobs_of(retired)) == 3
    assert [one.job for one in entry_of(retired).retired] == [
        job["id"] for job in reversed(jobs_of(retired)[1:])
    ]
    assert retired.ok("plan", "--offline").out.count("was retired; --replace tone") == 1


def test_what_was_retired_is_trained_again_on_request(retired: Shell) -> None:
    retired.ok("apply", "--auto-approve", "--wait", "--replace", "tone")

    assert len(jobs_of(retired)) == 4
    assert retired.ok("output", "tone").out == f"{jobs_of(retired)[0]['fine_tuned_model']}\n"


def test_meanwhile_applications_go_on_with_the_model_that_is_there(retired: Shell) -> None:
    there = jobs_of(retired)[0]["fine_tuned_model"]

    found = retired.ok("output", "tone")

    assert found.out == f"{there}\n"
    assert "this is the model of another spec" in found.err
    assert "was retired; --replace tone trains it again" in found.err


def test_without_its_record_a_retired_model_is_only_not_seen(retired: Shell) -> None:
    (retired.folder / "ftctl.lock").unlink()

    plan = retired("plan", "--detailed-exitcode")
    retired.ok("apply", "--auto-approve", "--wait")

    assert plan.status == 2
    assert "! tone: attention" in plan.out
    assert len(jobs_of(retired)) == 3


def test_what_was_destroyed_is_not_bought_again_by_itself(
    shell: Shell, write_project: Write
) -> None:
    write_project(small_project())
    train(shell)

    shell.ok("destroy", "--auto-approve")
    again = shell.ok("apply", "--auto-approve", "--wait")

    (job,) = jobs_of(shell)
    assert f"{job['fine_tuned_model']} was retired; --replace tone trains it again" in again.out
    entry = entry_of(shell)
    assert (entry.release, [one.job for one in entry.retired]) == (None, [job["id"]])
    assert shell("output", "tone").err.count("was retired; --replace tone") == 1


def test_what_was_pruned_is_remembered_until_it_is_asked_for_again(
    shell: Shell, write_project: Write
) -> None:
    write_project(small_project(**{"finetunes/other.yaml": SECOND, "data/more.jsonl": RIDDLES}))
    train(shell)
    (shell.folder / "finetunes" / "tone.yaml").unlink()

    train(shell, "--prune")
    write_project({"finetunes/tone.yaml": FINETUNE})
    again = shell.ok("plan", "--detailed-exitcode")

    assert "was retired; --replace tone trains it again" in again.out


def _report(outcome: Outcome, *jobs: str) -> Report:
    steps = tuple(DeleteModel(f"ft:gpt-4.1-mini-2025-04-14:acme::{job}") for job in jobs)
    change = Change(outcome.name, Action.DELETE, "keeps this model alone", steps)
    return Report((outcome,), Plan("demo", SERVICE, (change,)))


@pytest.mark.parametrize(
    ("outcome", "recorded"),
    [
        (Outcome("tone", Action.DELETE, done=("deleted", "deleted")), ["ftjob-1", "ftjob-2"]),
        (Outcome("tone", Action.DELETE, error=FtctlError("refused")), ["ftjob-1"]),
        (Outcome("tone", Action.DELETE, skipped="interrupted"), ["ftjob-1"]),
        (Outcome("other", Action.DELETE), []),
    ],
)
def test_of_a_change_that_did_not_come_to_its_end_what_is_gone_was_retired(
    shell: Shell, write_project: Write, outcome: Outcome, recorded: list[str]
) -> None:
    write_project(small_project())
    tone = finetune("tone")
    jobs = tuple(succeeded(f"ftjob-{number}", tone, number) for number in (1, 2))
    there = FakeProvider().has(*jobs)
    there.models = frozenset({f"{jobs[1].model}"})
    session = open_session(ftctl.Workspace.open(shell.folder, environ={}).context)

    named = Outcome("tone", Action.DELETE, outcome.done, None, outcome.error, outcome.skipped)
    report = _report(named, "ftjob-1", "ftjob-2")
    if outcome.name != "tone":
        report = Report((outcome,), report.plan)
    remember_retired(session, there, Observed(jobs), report)

    found = read_lock_file(shell.folder).entry("default", "tone").retired
    assert [(one.job, one.model, one.digest) for one in found] == [
        (job.id, job.model, tone.digest) for job in jobs if job.id in recorded
    ]


# What has another name now.


@pytest.fixture
def two(shell: Shell, write_project: Write) -> Shell:
    """Two fine-tunes with two models each; of tone the first one is promoted."""
    files = {"finetunes/other.yaml": spec(SECOND, 1), "data/more.jsonl": RIDDLES}
    write_project(small_project(spec(FINETUNE, 1), **files))
    train(shell)
    shell.ok("promote", "tone")
    write_project({"finetunes/tone.yaml": spec(FINETUNE, 2)})
    write_project({"finetunes/other.yaml": spec(SECOND, 2)})
    train(shell)
    return shell


def test_a_renamed_fine_tune_serves_what_is_promoted_before_and_after_an_apply(two: Shell) -> None:
    prod = entry_of(two).promoted["prod"].model
    before = entry_of(two)
    rename(two, "tone", "voice")

    assert two.ok("output", "voice").out == f"{prod}\n"
    two.ok("apply", "--auto-approve", "--prune")

    assert entry_of(two, "voice") == before
    assert entry_of(two) == Entry()
    assert two.ok("output", "voice").out == f"{prod}\n"
    assert two.ok("output", "voice", "--offline").out == f"{prod}\n"
    assert ftctl.model("voice", project=two.folder) == prod


def test_a_renamed_fine_tune_is_promoted_and_rolled_back_as_before(two: Shell) -> None:
    prod = entry_of(two).promoted["prod"].model
    newest = two.ok("output", "tone", "--format", "json").json["tone"]["job"]
    rename(two, "tone", "voice")

    moved = two.ok("promote", "voice")
    back = two.ok("rollback", "voice")

    assert prod in moved.out + moved.err
    assert prod in back.out + back.err
    assert entry_of(two, "voice").promoted["prod"].model == prod
    assert newest == entry_of(two, "voice").promoted["prod"].job


def test_names_that_are_exchanged_keep_what_each_has(two: Shell, write_project: Write) -> None:
    prod = entry_of(two).promoted["prod"].model
    models = {name: entry_of(two, name).release for name in ("tone", "other")}
    jobs = len(jobs_of(two))
    tone, other = spec(FINETUNE, 2), spec(SECOND, 2)
    write_project(
        {
            "finetunes/tone.yaml": tone.replace("name: tone", "name: other") + "keep: 5\n",
            "finetunes/other.yaml": other.replace("name: other", "name: tone") + "keep: 1\n",
        }
    )

    plan = two.ok("plan")
    assert two.ok("output", "other").out == f"{prod}\n"
    two.ok("apply", "--auto-approve", "--wait")

    first_of_other = jobs_of(two)[2]["fine_tuned_model"], jobs_of(two)[3]["fine_tuned_model"]
    (deleted,) = {model for model in first_of_other if f"delete  model {model}\n" in plan.out}
    assert deleted != prod
    assert len(jobs_of(two)) == jobs
    assert entry_of(two, "other").promoted["prod"].model == prod
    assert entry_of(two, "tone").promoted == {}
    assert {name: entry_of(two, name).release for name in ("other", "tone")} == {
        "other": models["tone"], "tone": models["other"]
    }  # fmt: skip


def test_while_what_has_a_name_now_trains_anew_the_models_of_its_past_serve(
    two: Shell, write_project: Write
) -> None:
    before = entry_of(two, "other").release
    assert before is not None
    exchanged = spec(SECOND, 2).replace("name: other", "name: tone")
    write_project(
        {
            "finetunes/tone.yaml": spec(FINETUNE, 2).replace("name: tone", "name: other"),
            "finetunes/other.yaml": exchanged,
        }
    )
    two.ok("apply", "--auto-approve")
    write_project({"finetunes/other.yaml": exchanged.replace("n_epochs: 2", "n_epochs: 4")})

    found = two.ok("output", "tone")

    assert found.out == f"{before.model}\n"
    assert "this is the model of another spec" in found.err


# What is promoted and gone.


def test_a_promoted_model_that_was_retired_by_force_is_followed_by_none(
    two: Shell, write_project: Write
) -> None:
    prod = entry_of(two).promoted["prod"].model
    write_project({"finetunes/tone.yaml": spec(FINETUNE, 2) + "keep: 1\n"})
    two.ok("apply", "--auto-approve", "--force-destroy")

    found = [two("output", "tone"), two("output", "tone", "--offline")]

    said = f"tone is promoted as prod, but {prod} was retired: promote another"
    assert [(one.status, one.out, said in one.err) for one in found] == [(1, "", True)] * 2
    for offline in ([], ["--offline"]):
        told = two("output", "--format", "json", *offline)
        document = told.json["tone"]
        assert (told.status, document["model"], document["why"]) == (1, None, said)
        lines = two("output", "--format", "dotenv", *offline)
        assert (lines.status, lines.out.count("TONE_MODEL")) == (1, 0)
    with pytest.raises(LookupError, match="that model was deleted, or is none"):
        ftctl.model("tone", project=two.folder)
    assert "tone" not in ftctl.models(project=two.folder)


def test_a_promoted_model_that_is_not_seen_is_followed_by_none(two: Shell) -> None:
    prod = entry_of(two).promoted["prod"].model
    ask(two.folder, "DELETE", f"/v1/models/{prod}")

    found = two("output", "tone")
    document = two("output", "--format", "json").json["tone"]
    two.ok("apply", "--auto-approve")

    said = f"tone is promoted as prod, but {prod} is not visible to this key"
    assert (found.status, found.out) == (1, "")
    assert said in found.err
    assert (document["model"], document["current"]) == (None, False)
    assert document["why"].startswith(said)
    assert entry_of(two).promoted["prod"].model == prod


def test_a_model_that_is_not_seen_is_no_output(shell: Shell, write_project: Write) -> None:
    write_project(small_project())
    train(shell)
    model = jobs_of(shell)[0]["fine_tuned_model"]
    ask(shell.folder, "DELETE", f"/v1/models/{model}")

    found = shell("output", "tone")
    document = shell("output", "--format", "json").json["tone"]

    assert (found.status, found.out) == (1, "")
    assert "which this key cannot see: deleted, or hidden; --replace tone" in found.err
    assert (document["model"], document["current"]) == (None, False)
    # The record cannot know: what is only hidden must not be lost.
    shell.ok("apply", "--auto-approve")
    assert ftctl.model("tone", project=shell.folder) == model


# What needs attention.


@pytest.fixture
def doubtful(shell: Shell, write_project: Write) -> Shell:
    """A fine-tune whose model was deleted by hand."""
    write_project(small_project())
    train(shell)
    ask(shell.folder, "DELETE", f"/v1/models/{jobs_of(shell)[0]['fine_tuned_model']}")
    return shell


def test_attention_is_drift_and_no_apply_fails_for_it(doubtful: Shell) -> None:
    assert doubtful("plan", "--detailed-exitcode").status == 2
    assert doubtful("plan").status == 0
    doubtful.ok("plan", "--out", "plan.json")

    last = "1 needing attention: tone. Nothing was bought for it"
    for words in (
        ["apply", "--auto-approve"],
        ["apply", "--auto-approve", "--wait"],
        ["apply", "plan.json"],
        ["apply", "plan.json", "--wait"],
    ):
        assert doubtful.ok(*words).out.splitlines()[-1].startswith(last), words
    assert len(jobs_of(doubtful)) == 1


def test_status_says_why_and_what_it_would_cost(doubtful: Shell) -> None:
    text = doubtful.ok("status").out
    row = doubtful.ok("status", "--format", "json").json["tone"]

    assert "needs attention: ftjob-" in text
    assert "--replace tone buys it again; buying it: free (elsewhere" in text
    assert (row["action"], row["would_cost"]) == ("attention", "free (elsewhere < $0.01)")
    assert row["reason"].endswith("--replace tone buys it again")


def test_what_needs_no_attention_would_cost_nothing(shell: Shell, write_project: Write) -> None:
    write_project(small_project())
    train(shell)

    assert shell.ok("status", "--format", "json").json["tone"]["would_cost"] is None
    assert "attention" not in shell.ok("status").out
