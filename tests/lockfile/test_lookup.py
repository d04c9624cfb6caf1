"""What programs that serve ask for: the model by a fine-tune's name, from `ftctl.lock` alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import ROOT
from records import DAMAGED, LATER, LATEST, OTHER, POINTER, TONE, done, observed_of, recorded

from ftctl.lockfile import Lock, promote, update_lock_file
from ftctl.lockfile.lookup import NoRelease, UnknownAlias, UnknownFineTune, model, models


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FTCTL_PROJECT", raising=False)
    monkeypatch.delenv("FTCTL_ENV", raising=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two fine-tunes on record, of which one is promoted as prod and as canary."""
    folder = tmp_path / "project"
    (folder / "app" / "deep").mkdir(parents=True)
    jobs = (done("ftjob-8", OTHER), done("ftjob-9", TONE))
    lock = recorded(observed_of(*jobs), OTHER, TONE)
    lock = promote(lock, "default", "tone", "prod", POINTER)
    lock = promote(lock, "default", "tone", "canary", LATER)
    update_lock_file(folder, lambda _: lock)
    return folder


def newest(job: str) -> str:
    return f"{done(job, TONE).model}"


def test_the_promoted_model_goes_before_the_newest(project: Path) -> None:
    assert model("tone", project=project) == POINTER.model
    assert model("tone", "prod", project=str(project)) == POINTER.model
    assert model("tone", "canary", project=project) == LATER.model
    assert model("other", project=project) == newest("ftjob-8")
    assert models(project=project) == {"other": newest("ftjob-8"), "tone": POINTER.model}
    assert models("canary", project=project) == {"tone": LATER.model}


def test_the_project_is_found_upward_or_by_the_environment(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "app" / "deep")
    assert model("tone") == POINTER.model

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FTCTL_PROJECT", str(project))
    assert model("tone") == POINTER.model


def test_an_environment_is_chosen_as_for_the_command_line(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    update_lock_file(project, lambda lock: promote(lock, "eu", "tone", "prod", LATEST))
    update_lock_file(tmp_path, lambda lock: promote(lock, "eu", "tone", "prod", LATEST))

    assert model("tone", project=project) == POINTER.model
    assert model("tone", project=project, environment="eu") == LATEST.model
    assert model("tone", project=tmp_path) == LATEST.model
    monkeypatch.setenv("FTCTL_ENV", "eu")
    assert model("tone", project=project) == LATEST.model
    with pytest.raises(UnknownFineTune) as caught:
        model("tone", project=project, environment="us")
    assert str(caught.value) == f"{project}/ftctl.lock has no environment 'us', only: default, eu"


def test_no_record_says_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(NoRelease) as upward:
        model("tone")
    with pytest.raises(NoRelease) as given:
        models(project=tmp_path)

    assert str(upward.value) == (
        f"there is no ftctl.lock in {tmp_path} or above it: set FTCTL_PROJECT"
    )
    assert str(given.value) == f"{tmp_path}/ftctl.lock cannot be read: No such file or directory"


def test_a_name_that_is_not_there_is_told_with_those_that_are(project: Path) -> None:
    with pytest.raises(UnknownFineTune) as near:
        model("tome", project=project)
    with pytest.raises(UnknownFineTune) as far:
        model("elephant", project=project)

    path = project / "ftctl.lock"
    assert str(near.value) == f"{path} has no fine-tune 'tome': did you mean 'tone'?"
    assert str(far.value) == f"{path} has no fine-tune 'elephant'; it has: other, tone"


def test_an_alias_that_is_not_there_is_told_with_those_that_are(project: Path) -> None:
    only = promote(Lock(), "default", "tone", "canary", LATER)
    update_lock_file(project / "app", lambda _: only)

    with pytest.raises(UnknownAlias) as asked_for:
        model("tone", "staging", project=project)
    with pytest.raises(UnknownAlias) as none:
        model("other", "prod", project=project)
    with pytest.raises(UnknownAlias) as not_recorded:
        model("tone", project=project / "app")

    path = project / "ftctl.lock"
    assert str(asked_for.value) == (
        f"'tone' is not promoted as 'staging' in {path}, only as: canary, prod"
    )
    assert str(none.value) == f"'other' is not promoted as 'prod' in {path}, nor as anything else"
    assert "'tone' is not promoted as 'prod'" in str(not_recorded.value)


def test_every_fault_is_a_lookup_error() -> None:
    assert all(issubclass(one, LookupError) for one in (NoRelease, UnknownAlias, UnknownFineTune))


@pytest.mark.parametrize("text", [*DAMAGED, '{"lock_version": "2.0"}'])
def test_whatever_stands_in_the_file_the_answer_is_a_model_or_a_clear_error(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "ftctl.lock").write_text(text, "utf-8")

    said = [_said(lambda: model("tone", project=tmp_path)), _said(lambda: models(project=tmp_path))]

    for one in said:
        assert one in (POINTER.model, newest("ftjob-1"), "tone") or "ftctl.lock" in one


def _said(ask: Callable[[], str | dict[str, str]]) -> str:
    """The model or the names that are given, else the clear error."""
    try:
        found = ask()
    except LookupError as fault:
        return str(fault)
    return found if isinstance(found, str) else ", ".join(found) or "ftctl.lock names none"


def test_a_model_that_a_shell_would_act_on_is_not_handed_out(project: Path) -> None:
    path = project / "ftctl.lock"
    for odd in ("$(id)", "ft:x PATH=/tmp", "ft:`id`"):
        path.write_text(path.read_text("utf-8").replace(POINTER.model, odd), "utf-8")
        with pytest.raises(UnknownAlias):
            model("tone", "prod", project=project)
        path.write_text(path.read_text("utf-8").replace(odd, POINTER.model), "utf-8")


# Python has these in itself and reads no file for them, but for `warnings`.
FROZEN = {"__future__", "importlib", "warnings"}

ALONE = """
import json, sys, time
before = set(sys.modules)
started = time.process_time()
from ftctl.lockfile.lookup import model
found = model("tone", project=sys.argv[1])
seconds = time.process_time() - started
print(json.dumps([found, seconds, sorted(set(sys.modules) - before)]))
"""


def test_it_loads_json_and_nothing_else_and_takes_no_time(project: Path) -> None:
    seconds = []
    for _ in range(5):
        told = subprocess.run(
            [sys.executable, "-c", ALONE, str(project)],
            check=True, capture_output=True, text=True, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        found, taken, loaded = json.loads(told.stdout)
        seconds.append(taken)
        assert found == POINTER.model
        ours = {name for name in loaded if name.partition(".")[0] == "ftctl"}
        rule = {"ftctl.text", "ftctl.text.identifiers"}  # of what a model may be called
        assert ours == {"ftctl", "ftctl.lazy", "ftctl.lockfile", "ftctl.lockfile.lookup", *rule}
        assert {name.partition(".")[0] for name in loaded} - FROZEN == {"ftctl"}
    assert min(seconds) < 0.005


def test_a_thousand_fine_tunes_are_read_at_once(tmp_path: Path) -> None:
    lock = Lock()
    entries = {
        f"tone-{number}": replace(
            recorded(observed_of(done("ftjob-1", TONE)), TONE).entry("default", "tone"),
            promoted={"prod": POINTER},
        )
        for number in range(1000)
    }
    update_lock_file(tmp_path, lambda _: lock.with_entries("default", entries))

    assert models(project=tmp_path) == dict.fromkeys(sorted(entries), POINTER.model)
