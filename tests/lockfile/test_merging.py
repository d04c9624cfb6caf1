"""Two records that grew from one: what the merged one knows, and what it may not lose."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Shell
from hypothesis import given
from jsonschema import Draft202012Validator
from records import SCHEMA, TONE, done, observed_of, recorded
from scenes import SERVICE
from test_lockfile import LOCKS, often

from ftctl.domain.desired import Desired
from ftctl.lockfile import (
    DEFAULT_ENVIRONMENT,
    Entry,
    Lock,
    Pointer,
    Release,
    Section,
    lock_document,
    lock_text,
    merged,
    observed_from,
    promote,
    read_lock,
    rollback,
    updated,
    with_retired,
    witnesses_of,
)
from ftctl.planner import PlanOptions, make_plan

EMPTY = Lock()


def release(job: str, **facts: Any) -> Release:
    """A job that stands; facts beside it as they are given."""
    usual = {"digest": f"v1:{job}", "model": f"ft:{job}", "created_at": 100, "method": "supervised"}
    return Release(job=job, ftctl_version="0.1.0", **{**usual, **facts})


def lock(entries: dict[str, Entry] | None = None, **releases: Release) -> Lock:
    """A record of these entries, or of these releases by name."""
    return EMPTY.with_entries(
        DEFAULT_ENVIRONMENT,
        {**(entries or {}), **{name: Entry(one) for name, one in releases.items()}},
    )


def entry(found: Lock, name: str = "tone") -> Entry:
    return found.entry(DEFAULT_ENVIRONMENT, name)


def pointer(job: str, day: int) -> Pointer:
    return Pointer(job, f"ft:{job}", f"2026-11-{day:02}T00:00:00Z", digest=f"v1:{job}")


def known_jobs(found: Lock) -> set[str]:
    return {str(witness.job) for witness in witnesses_of(found)}


def test_what_one_side_changed_is_as_that_side_has_it() -> None:
    base = lock(tone=release("a"), warm=release("w"), gone=release("g"))
    ours = lock(tone=release("b"), warm=release("w"), gone=release("g"), new=release("n"))
    theirs = lock(tone=release("a"), warm=release("v"), other=release("o"))

    found = merged(base, ours, theirs)

    assert found.decided == ()
    assert found.lock == lock(
        tone=release("b"), warm=release("v"), new=release("n"), other=release("o")
    )


def test_environments_and_aliases_are_merged_apart() -> None:
    base = lock(tone=release("a"))
    ours = promote(base, DEFAULT_ENVIRONMENT, "tone", "prod", pointer("a", 1))
    theirs = promote(base, DEFAULT_ENVIRONMENT, "tone", "canary", pointer("a", 2))
    theirs = theirs.with_entries("stage", {"tone": Entry(release("s"))})

    found = merged(base, ours, theirs)

    assert found.decided == ()
    assert entry(found.lock).promoted == {"prod": pointer("a", 1), "canary": pointer("a", 2)}
    assert found.lock.entry("stage", "tone").release == release("s")


def test_of_two_jobs_that_were_bought_for_one_name_both_stay_known() -> None:
    ours, theirs = release("early", created_at=5), release("late", created_at=6)

    found = merged(EMPTY, lock(tone=ours), lock(tone=theirs))

    assert entry(found.lock).release == theirs
    assert entry(found.lock).beside == (ours,)
    assert known_jobs(found.lock) == {"early", "late"}
    assert found.decided == (
        "default/tone: each side has a job of its own: late stands, early is known beside it",
    )
    assert found.lock.minor == 2
    observed = observed_from(found.lock, DEFAULT_ENVIRONMENT)
    assert {job.id for job in observed.jobs} == {"early", "late"}
    assert observed.models == frozenset({"ft:early", "ft:late"})


def test_of_two_jobs_the_one_of_the_later_commit_stands_where_git_knows() -> None:
    ours = release("a", commit="1" * 40, created_at=9)
    theirs = release("b", commit="2" * 40, created_at=1)
    order = ("1" * 40, "2" * 40)

    later = merged(EMPTY, lock(tone=ours), lock(tone=theirs), lambda *two: two == order)
    earlier = merged(EMPTY, lock(tone=ours), lock(tone=theirs), lambda *two: two == order[::-1])

    assert entry(later.lock).release == theirs
    assert entry(earlier.lock).release == ours


def test_an_apply_that_sees_a_job_beside_takes_it_out_and_one_that_does_not_keeps_it() -> None:
    job = done("ftjob-1", TONE)
    before = recorded(observed_of(job), TONE)
    seen, unseen = release("ftjob-2"), release("ftjob-3")
    with_both = before.with_entries(
        DEFAULT_ENVIRONMENT, {"tone": replace(entry(before), beside=(seen, unseen))}
    )
    observed = observed_of(job, done("ftjob-2", replace(TONE, digest="v1:x")))
    desired = Desired("demo", (TONE,))

    plan = make_plan(desired, observed, SERVICE, PlanOptions())
    after = updated(
        with_both, DEFAULT_ENVIRONMENT, desired, observed, plan,
        version="0.1.0", commit=None, checkpoints={},
    )  # fmt: skip

    assert entry(after).beside == (unseen,)
    assert entry(after).release == entry(before).release
    newer = observed_of(done("ftjob-9", TONE, created_at=900), job)
    plan = make_plan(desired, newer, SERVICE, PlanOptions())
    bought = updated(
        after, DEFAULT_ENVIRONMENT, desired, newer, plan,
        version="0.1.0", commit=None, checkpoints={},
    )  # fmt: skip
    assert (entry(bought).release or release("?")).job == "ftjob-9"
    assert entry(bought).beside == ()


def test_an_alias_that_moved_on_both_sides_is_the_later_one_and_the_other_is_before_it() -> None:
    base = promote(lock(tone=release("a")), DEFAULT_ENVIRONMENT, "tone", "prod", pointer("a", 1))
    ours = promote(base, DEFAULT_ENVIRONMENT, "tone", "prod", pointer("b", 3))
    theirs = promote(base, DEFAULT_ENVIRONMENT, "tone", "prod", pointer("c", 2))

    found = merged(base, ours, theirs)

    assert entry(found.lock).promoted["prod"] == pointer("b", 3)
    back = rollback(found.lock, DEFAULT_ENVIRONMENT, "tone", "prod")
    assert entry(back).promoted["prod"] == pointer("c", 2)
    again = rollback(back, DEFAULT_ENVIRONMENT, "tone", "prod")
    assert entry(again).promoted["prod"] == pointer("a", 1)
    (told,) = found.decided
    assert told.endswith(
        ": prod moved on each side: ft:b, promoted later, stays; ft:c is what it was before"
    )


def test_what_only_one_side_promoted_meanwhile_can_be_gone_back_to() -> None:
    base = promote(lock(tone=release("a")), DEFAULT_ENVIRONMENT, "tone", "prod", pointer("a", 1))
    ours = promote(base, DEFAULT_ENVIRONMENT, "tone", "prod", pointer("b", 2))
    ours = promote(ours, DEFAULT_ENVIRONMENT, "tone", "prod", pointer("d", 4))
    theirs = promote(base, DEFAULT_ENVIRONMENT, "tone", "prod", pointer("c", 3))

    found = entry(merged(base, ours, theirs).lock)

    assert found.promoted["prod"] == pointer("d", 4)
    assert [one.job for one in found.history["prod"]] == ["a", "b", "c"]


def test_what_one_side_still_knows_of_a_job_is_known() -> None:
    sides = (release("a", seed=1), release("a", seed=2), release("a"))

    found = merged(*(lock(tone=one) for one in sides))

    assert entry(found.lock).release == release("a", seed=2)


def test_a_promotion_and_a_new_job_do_not_meet() -> None:
    base = lock(tone=release("a"))
    ours = promote(base, DEFAULT_ENVIRONMENT, "tone", "prod", pointer("a", 1))

    found = merged(base, ours, lock(tone=release("b")))

    assert found.decided == ()
    assert entry(found.lock).release == release("b")
    assert entry(found.lock).promoted == {"prod": pointer("a", 1)}


def test_a_rollback_of_one_side_is_one() -> None:
    base = promote(lock(tone=release("b")), DEFAULT_ENVIRONMENT, "tone", "prod", pointer("a", 1))
    base = promote(base, DEFAULT_ENVIRONMENT, "tone", "prod", pointer("b", 2))
    ours = rollback(base, DEFAULT_ENVIRONMENT, "tone", "prod")

    found = merged(base, ours, lock({"tone": replace(entry(base), release=release("c"))}))

    assert entry(found.lock).promoted == {"prod": pointer("a", 1)}
    assert entry(found.lock).history == {}


def test_all_that_was_retired_stays_so_and_no_removal_undoes_a_change() -> None:
    base = with_retired(
        lock(tone=release("a"), warm=release("w")), DEFAULT_ENVIRONMENT,
        {"tone": [pointer("x", 1)]},
    )  # fmt: skip
    ours = with_retired(base, DEFAULT_ENVIRONMENT, {"tone": [pointer("y", 2)]})
    theirs = base.with_entries(DEFAULT_ENVIRONMENT, {"tone": Entry(release("b"))})
    ours = ours.with_entries(
        DEFAULT_ENVIRONMENT, {"tone": entry(ours), "warm": Entry(release("v"))}
    )

    found = merged(base, ours, theirs)

    assert [one.job for one in entry(found.lock).retired] == ["x", "y"]
    assert entry(found.lock, "warm").release == release("v")
    assert found.decided == ("default/warm: removed on one side, changed on the other: it stays",)


def test_two_sides_that_know_the_same_job_know_it_together() -> None:
    ours = release("a", checkpoints={1: "ft:a:1"}, seed=7)
    theirs = release("a", trained_tokens=9)

    found = merged(lock(tone=release("a")), lock(tone=ours), lock(tone=theirs))

    both = release("a", checkpoints={1: "ft:a:1"}, seed=7, trained_tokens=9)
    assert (entry(found.lock).release, found.decided) == (both, ())


def test_keys_of_a_later_version_are_kept_of_both() -> None:
    base = Lock({}, 3, {"shape": {"a": 1}})
    ours = Lock({"s": Section({}, {"x": [1, 2]})}, 4, {"shape": {"a": 1, "b": 2}, "one": 1})
    theirs = Lock({"s": Section({}, {"x": [3]})}, 3, {"shape": {"a": 1, "c": 3}, "one": 2})

    found = merged(base, ours, theirs)

    assert found.lock == Lock(
        {"s": Section({}, {"x": [3, 1, 2]})}, 4, {"shape": {"a": 1, "b": 2, "c": 3}, "one": 2}
    )
    assert found.decided == (
        "the record: a key of a later version differs: one side's value stays",
    )


@given(LOCKS, LOCKS, LOCKS)
@often
def test_whichever_side_is_ours_it_is_the_same_record_and_a_whole_one(
    base: Lock, ours: Lock, theirs: Lock
) -> None:
    found = merged(base, ours, theirs).lock

    assert lock_text(found) == lock_text(merged(base, theirs, ours).lock)
    assert read_lock(json.loads(lock_text(found))) == found
    Draft202012Validator(SCHEMA).validate(lock_document(found))


@given(LOCKS, LOCKS)
@often
def test_two_that_grew_from_nothing_lose_no_job(ours: Lock, theirs: Lock) -> None:
    assert known_jobs(merged(EMPTY, ours, theirs).lock) == known_jobs(ours) | known_jobs(theirs)


@given(LOCKS, LOCKS)
@often
def test_a_side_that_changed_nothing_counts_for_nothing(base: Lock, other: Lock) -> None:
    found = merged(base, base, other)

    assert (found.lock.environments, found.lock.more) == (other.environments, other.more)
    assert found.decided == ()


# The command.


def test_the_command_writes_ours_and_says_what_it_decided(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "base").write_bytes(b"")
    (tmp_path / "ours").write_text(lock_text(lock(tone=release("a"), x=release("x"))))
    (tmp_path / "theirs").write_text(lock_text(lock(tone=release("b"), y=release("y"))))

    done = shell.ok("lock", "merge", "base", "ours", "theirs")

    assert done.err.splitlines() == [
        "ftctl.lock: default/tone: each side has a job of its own: b stands, a is known beside it"
    ]
    found = read_lock(json.loads((tmp_path / "ours").read_text()))
    assert {*found.entries(DEFAULT_ENVIRONMENT)} == {"tone", "x", "y"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base", "ours", "theirs"]


def test_without_base_or_ours_theirs_is_what_there_is(shell: Shell, tmp_path: Path) -> None:
    text = lock_text(lock(tone=release("a")))
    (tmp_path / "theirs").write_text(text)

    shell.ok("lock", "merge", "none", "ours", "theirs")

    assert (tmp_path / "ours").read_text() == text


@pytest.mark.parametrize("damaged", ["BASE", "OURS", "THEIRS"])
def test_a_damaged_side_is_named_and_ours_stays(shell: Shell, tmp_path: Path, damaged: str) -> None:
    texts = {side: lock_text(lock({side.lower(): Entry(release("a"))})) for side in
             ("BASE", "OURS", "THEIRS")}  # fmt: skip
    texts[damaged] = texts[damaged].replace('"a"', "[]", 1)
    for side, text in texts.items():
        (tmp_path / side).write_text(text)

    failed = shell("lock", "merge", "BASE", "OURS", "THEIRS")

    assert failed.status == 1
    place = f"environments.default.finetunes.{damaged.lower()}.job is no text"
    assert (
        f"error: nothing is merged: {damaged}, {tmp_path / damaged} is damaged: {place}"
        in failed.err
    )
    assert "git log --oneline -- ftctl.lock" in failed.err
    assert (tmp_path / "OURS").read_text() == texts["OURS"]


def test_theirs_must_be_there_and_a_later_version_is_not_guessed_at(
    shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "ours").write_text('{"lock_version": "2.0"}')

    missing = shell("lock", "merge", "base", "ours", "theirs")
    (tmp_path / "theirs").write_text(lock_text(lock(tone=release("a"))))
    later = shell("lock", "merge", "base", "ours", "theirs")

    assert (missing.status, later.status) == (1, 1)
    assert f"THEIRS, {tmp_path / 'theirs'}, is not there" in missing.err
    assert "hint: upgrade ftctl" in later.err


def test_what_is_nested_too_deeply_is_no_bug(shell: Shell, tmp_path: Path) -> None:
    for side, end in (("ours", "1"), ("theirs", "2")):
        deep = '{"a":' * 900 + end + "}" * 900
        text = f'{{"lock_version": "1.9", "environments": {{}}, "deep": {deep}}}'
        (tmp_path / side).write_text(text)

    failed = shell("lock", "merge", "none", "ours", "theirs")

    assert failed.status == 1
    assert "nested too deeply" in failed.err
    assert "bug" not in failed.err
    assert (tmp_path / "ours").read_text().endswith(f"{'1' + '}' * 901}")


# In git, as docs/releases.md says.


@pytest.fixture
def clone(tmp_path: Path, shell: Shell) -> Path:
    """A repository with a record on main, and one more job on each of two branches."""
    del shell
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    texts = {
        "main": lock(tone=release("a")),
        "one": lock(tone=release("b", created_at=200), left=release("l")),
        "two": lock(tone=release("c", created_at=300), right=release("r")),
    }
    for branch, found in texts.items():
        if branch != "main":
            git(tmp_path, "checkout", "--quiet", "-b", branch, "main")
        (tmp_path / "ftctl.lock").write_text(lock_text(found))
        git(tmp_path, "add", "ftctl.lock")
        git(tmp_path, "commit", "--quiet", "--message", branch)
    git(tmp_path, "checkout", "--quiet", "one")
    return tmp_path


def git(folder: Path, *words: str, status: int = 0) -> str:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
    run = subprocess.run(
        ["git", *identity, *words],
        cwd=folder, capture_output=True, text=True, check=False, env=environ,
    )  # fmt: skip
    assert run.returncode == status, run
    return run.stdout + run.stderr


def shell_lines(heading: str, number: int) -> str:
    """A block of commands of the page, with ftctl as it is here."""
    from forges.programs import ROOT

    text = (ROOT / "docs" / "releases.md").read_text("utf-8")
    part = text.split(f"## {heading}\n")[1].split("\n## ")[0]
    return part.split("```sh\n")[number + 1].split("```")[0]


def run_lines(folder: Path, lines: str) -> None:

    from forges.programs import ROOT

    program = folder.parent / "bin" / "ftctl"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m ftctl "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    os.environ["PATH"] = path
    subprocess.run(["bash", "-euc", lines], cwd=folder, check=True)


def both_branches(folder: Path) -> None:
    found = read_lock(json.loads((folder / "ftctl.lock").read_text()))
    assert {*found.entries(DEFAULT_ENVIRONMENT)} == {"tone", "left", "right"}
    assert known_jobs(found) == {"b", "c", "l", "r"}


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not here")
def test_git_merges_with_the_driver_of_the_page(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.environ["PATH"])
    run_lines(clone, shell_lines("When two branches record", 0))
    git(clone, "add", ".gitattributes")
    git(clone, "commit", "--quiet", "--message", "attributes")

    said = git(clone, "merge", "--quiet", "--no-edit", "two")

    both_branches(clone)
    assert "c stands, b is known beside it" in said
    assert git(clone, "status", "--porcelain") == ""


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not here")
def test_a_conflict_that_git_left_is_resolved_as_the_page_says(
    clone: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.environ["PATH"])
    git(clone, "merge", "--quiet", "--no-edit", "two", status=1)

    run_lines(clone, shell_lines("When two branches record", 1))

    both_branches(clone)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not here")
def test_the_cure_of_a_conflict_can_be_pasted(
    clone: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.environ["PATH"])
    git(clone, "merge", "--quiet", "--no-edit", "two", status=1)
    told = shell("output", "--offline")
    (hint,) = [line for line in told.err.splitlines() if "hint: " in line]

    run_lines(clone, hint.partition("hint: ")[2])

    both_branches(clone)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not here")
def test_git_says_which_job_was_asked_for_later(clone: Path, shell: Shell) -> None:
    older, newer = (git(clone, "rev-parse", name).strip() for name in ("main", "one"))
    (clone / "a").write_text(lock_text(lock(tone=release("n", commit=newer, created_at=1))))
    (clone / "b").write_text(lock_text(lock(tone=release("o", commit=older, created_at=2))))

    shell.ok("lock", "merge", "none", "a", "b")

    found = read_lock(json.loads((clone / "a").read_text()))
    assert (entry(found).release or release("?")).job == "n"
