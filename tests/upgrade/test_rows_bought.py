"""Who trained on rows that the conversion of 2026-11-30 got wrong buys nothing by upgrading."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftctl.engine.workspace import Workspace
from upgrade.replay import Replay
from upgrade.test_upgrade import MISSING, Past, Relive, relive

__all__ = ["relive"]  # the fixture

BOUGHT = Path(__file__).parent / "2026-11-30" / "bought"
MARKS = (BOUGHT / "metadata", BOUGHT / "file-name")
STATE = frozenset({"state"})  # nothing of it was kept
AS_MEANT = {"left-out", "sampled", "table"}
OTHERWISE = {"list-cell", "list-cell-sampled", "system", "tools"}
REFUSED = {"answers", "images", "label", "parted", "questions", "weights"}

both = pytest.mark.parametrize("source", MARKS, ids=[path.name for path in MARKS])


def _without(past: Past, *names: str) -> None:
    for name in names:
        (past.shell.folder / "finetunes" / f"{name}.yaml").unlink()


def _edit(past: Past, name: str, before: str, after: str) -> None:
    path = past.shell.folder / "finetunes" / f"{name}.yaml"
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")


def _actions(past: Past, *options: str) -> dict[str, str]:
    return {one["name"]: one["action"] for one in past.plan(*options)[1]["changes"]}


def _reason(past: Past, name: str) -> str:
    changes = past.plan()[1]["changes"]
    return next(str(one["reason"]) for one in changes if one["name"] == name)


@pytest.mark.parametrize("missing", [MISSING["no-state"], MISSING["a-fresh-checkout"]])
@both
def test_what_was_bought_before_is_attention_and_no_purchase(
    source: Path, missing: frozenset[str], relive: Relive
) -> None:
    past = relive(source, missing)

    status, plan = past.plan()
    applied = past.ftctl("apply", "--auto-approve", "--wait")

    found = {one["name"]: one["action"] for one in plan["changes"]}
    decided = dict.fromkeys(OTHERWISE | REFUSED, "attention")
    assert found == dict.fromkeys(AS_MEANT, "no-op") | decided
    jobs = {one["name"]: (one["job"], one["model"]) for one in plan["changes"]}
    then = past.frozen["finetunes"]
    assert jobs == {name: (one["job"], one["model"]) for name, one in then.items()}
    assert [one for one in plan["changes"] if one["steps"]] == []
    assert status == 2
    assert applied.status == 0, applied
    assert past.replay.writes == []


@both
def test_models_that_were_trained_before_go_on_to_serve(source: Path, relive: Relive) -> None:
    past = relive(source, STATE)

    models = past.ftctl("output", "--format", "json").json

    told = {name: one["model"] for name, one in models.items()}
    assert told == {name: one["model"] for name, one in past.frozen["finetunes"].items()}


@both
def test_nothing_of_such_jobs_is_cleaned_up(source: Path, relive: Relive) -> None:
    past = relive(source, STATE)

    changes = past.plan("--prune")[1]["changes"]

    assert [one for one in changes if one["steps"]] == []


def test_the_record_stays_what_the_jobs_were_bought_with(relive: Relive) -> None:
    past = relive(MARKS[0], STATE)
    path = past.shell.folder / "ftctl.lock"
    before = json.loads(path.read_text("utf-8"))["environments"]["default"]["finetunes"]

    assert past.ftctl("apply", "--auto-approve").status == 0

    after = json.loads(path.read_text("utf-8"))["environments"]["default"]["finetunes"]
    keys = ("digest", "job", "model")
    assert [(name, *(one[key] for key in keys)) for name, one in after.items()] == [
        (name, *(one[key] for key in keys)) for name, one in before.items()
    ]
    for name in OTHERWISE | REFUSED:
        assert (
            after[name]["data"]["training"]["sha256"]
            == (before[name]["data"]["training"]["sha256"])
        )


def test_the_reason_names_the_data_what_differs_and_how_to_go_on(relive: Relive) -> None:
    past = relive(MARKS[0], STATE)
    model = past.frozen["finetunes"]["system"]["model"]

    assert _reason(past, "system") == (
        f"{model} was trained on rows that an earlier ftctl made"
        " (system-rows (data/chat-with-system.jsonl, 12 rows): in row 1, a message at the"
        " beginning of 'messages' was left out); drop: [system] below 'convert' keeps it,"
        " --replace system trains on those of now"
    )
    model = past.frozen["finetunes"]["label"]["model"]
    assert _reason(past, "label") == (
        f"{model} was trained on rows that ftctl makes no more (label-rows"
        " (data/chat-with-label.jsonl, 12 rows): 'label' says which answers are good, and the bad"
        " ones would be learnt with them (12 of 12 rows)); drop: [label] below 'convert' keeps it"
    )


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("system", "convert: {}", "convert: {drop: [system]}"),
        ("tools", "convert: {}", "convert: {drop: [tools]}"),
        ("label", "convert: {}", "convert: {drop: [label]}"),
        ("images", "convert: {}", "convert: {drop: [images]}"),
        ("parted", "convert: {}", "convert: {drop: [label]}"),
        ("weights", "convert: {}", "convert: {drop: [weight, loss, train, images]}"),
        ("list-cell", "hyperparameters", "adopt: JOB\nhyperparameters"),
        ("questions", "hyperparameters", "adopt: JOB\nhyperparameters"),
    ],
)
def test_the_cure_of_a_reason_keeps_the_job_without_a_doubt(
    name: str, before: str, after: str, relive: Relive
) -> None:
    past = relive(MARKS[0], STATE)
    job = past.frozen["finetunes"][name]["job"]
    cure = after.removeprefix("convert: {").partition("\n")[0].rstrip("}").replace("JOB", job)
    assert cure in _reason(past, name)

    _edit(past, name, before, after.replace("JOB", job))

    changes = past.plan()[1]["changes"]
    (change,) = [one for one in changes if one["name"] == name]
    assert (change["action"], change["job"]) == ("no-op", job)


def test_replace_trains_on_the_rows_of_now(relive: Relive) -> None:
    past = relive(MARKS[0], STATE)
    job = past.frozen["finetunes"]["list-cell"]["job"]

    changes = past.plan("--replace", "list-cell")[1]["changes"]

    (change,) = [one for one in changes if one["name"] == "list-cell"]
    assert (change["action"], change["reason"]) == ("replace", "asked for with --replace")
    (start,) = [step for step in change["steps"] if step["step"] == "start-job"]
    assert (start["replaces"], start["digest"]) == (job, change["digest"])
    assert start["digest"] != past.frozen["finetunes"]["list-cell"]["digest"]


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_replace_buys_nothing_of_rows_that_are_refused(name: str, relive: Relive) -> None:
    past = relive(MARKS[0], STATE)

    result = past.ftctl("plan", "--replace", name)

    assert result.status == 1, result
    assert f"(fine-tune {name})" in result.err
    assert past.replay.writes == []


def test_rows_that_are_refused_are_errors_to_validate_until_the_record_has_their_model(
    relive: Relive,
) -> None:
    past = relive(MARKS[0], STATE)
    known = past.ftctl("validate")
    (past.shell.folder / "ftctl.lock").unlink()
    unknown = past.ftctl("validate")

    assert known.status == 0, known
    assert "warning[unread-key]: 'label' says which answers are good" in known.out
    assert unknown.status == 1
    assert "error[unread-key]: 'label' says which answers are good" in unknown.out + unknown.err


def test_an_account_without_such_jobs_is_sold_no_rows_that_are_refused(relive: Relive) -> None:
    past = relive(MARKS[0], frozenset({"lock", "state"}), empty=True)

    result = past.ftctl("plan")

    assert result.status == 1
    assert "error[unread-key]: 'label' says which answers are good" in result.err


def test_an_account_without_such_jobs_is_sold_the_rows_of_now(relive: Relive) -> None:
    past = relive(MARKS[0], frozenset({"lock", "state"}), empty=True)
    _without(past, *REFUSED)

    assert set(_actions(past).values()) == {"create"}


@pytest.mark.parametrize("name", ["system", "list-cell"])
def test_what_else_is_changed_is_bought_as_ever(name: str, relive: Relive) -> None:
    past = relive(MARKS[0], STATE)
    _edit(past, name, "n_epochs: 1", "n_epochs: 2")

    assert _actions(past)[name] == "replace"


def test_another_source_is_bought_as_ever(relive: Relive) -> None:
    past = relive(MARKS[0], STATE)
    path = past.shell.folder / "data" / "chat-with-system.jsonl"
    path.write_text(path.read_text("utf-8").replace("Locker", "Drawer"), "utf-8")

    assert _actions(past)["system"] == "replace"


def test_a_new_child_waits_until_somebody_has_decided(relive: Relive) -> None:
    past = relive(MARKS[0], STATE)
    (past.shell.folder / "finetunes" / "child.yaml").write_text(
        "apiVersion: ftctl/v1\nkind: FineTune\nname: child\nbase_model: {finetune: system}\n"
        "training: table-rows\n",
        "utf-8",
    )
    job = past.frozen["finetunes"]["system"]["job"]

    assert _actions(past)["child"] == "defer"
    assert _reason(past, "child") == (
        f"waits for system: {job} trained it on rows of an earlier ftctl"
    )


def test_a_child_of_such_a_parent_that_was_bought_before_is_attention_too(relive: Relive) -> None:
    past = relive(MARKS[0], STATE)
    _edit(past, "table", "base_model: gpt-4.1-mini-2025-04-14", "base_model: {finetune: system}")
    digest, earlier = _digests(past, "table")
    answers = (past.source / "answers.json").read_text("utf-8")
    then = past.frozen["finetunes"]["table"]["digest"]
    past.replay = Replay(json.loads(answers.replace(then, earlier)))

    changes = past.plan()[1]["changes"]

    (change,) = [one for one in changes if one["name"] == "table"]
    assert (change["action"], change["digest"]) == ("attention", digest)
    assert "(those of system changed)" in change["reason"]


def _digests(past: Past, name: str) -> tuple[str, str]:
    workspace = Workspace.open(past.shell.folder, clock=past.shell.clock, environ={})
    finetune = workspace.session().desired.named(name)
    assert finetune is not None
    assert finetune.earlier is not None
    return finetune.digest, finetune.earlier
