"""The release record: what it tells, how it is written, and what it must survive."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from records import (
    DAMAGED,
    GOOD,
    LATER,
    LATEST,
    OLDER,
    OTHER,
    POINTER,
    SCHEMA,
    TONE,
    done,
    observed_of,
    promoted,
    recorded,
)
from scenes import BASE, SERVICE, finetune, succeeded

from ftctl.domain.desired import Desired
from ftctl.domain.observed import File, Job, Observed
from ftctl.domain.plan import Action, DeleteFile, DeleteModel
from ftctl.errors import FtctlError
from ftctl.lockfile import (
    DEFAULT_ENVIRONMENT,
    DataFile,
    Entry,
    Lock,
    Pointer,
    Release,
    Section,
    is_alias,
    lock_document,
    lock_text,
    observed_from,
    promote,
    protected,
    read_lock,
    read_lock_file,
    rollback,
    unknown_checkpoints,
    update_lock_file,
    with_retired,
    without_models,
    witnesses_of,
)
from ftctl.planner import PlanOptions, make_plan
from ftctl.planner.retention import make_destroy_plan

# What is recorded.


def test_a_release_tells_what_was_asked_for_where_something_else_was_trained() -> None:
    job = done("ftjob-1", TONE, hyperparameters={"n_epochs": 8, "batch_size": 1}, seed=42)
    one = replace(TONE, spec={**TONE.spec, "seed": 7})

    release = recorded(observed_of(job), one).entry(DEFAULT_ENVIRONMENT, "tone").release

    assert release is not None
    assert (release.asked, release.hyperparameters["n_epochs"]) == ({"n_epochs": 3, "seed": 7}, 8)


def test_what_was_asked_of_an_adopted_job_is_not_known() -> None:
    job = replace(done("ftjob-1", TONE, hyperparameters={"n_epochs": 8}), digest=None)
    observed = replace(observed_of(job), jobs=(), adopted=(job,))

    entry = recorded(observed, replace(TONE, adopt="ftjob-1")).entry(DEFAULT_ENVIRONMENT, "tone")

    assert entry.release is not None
    assert entry.release.asked == {}


def test_a_release_tells_how_its_model_came_about() -> None:
    job = done(
        "ftjob-1",
        TONE,
        base_model=BASE,
        hyperparameters={"n_epochs": 3, "batch_size": 1},
        seed=42,
        spec={"hyperparameters": {"n_epochs": 3}},
        metadata={"owner": "cx"},
        trained_tokens=900,
        finished_at=99,
        commit="0" * 40,
    )
    tone = replace(TONE, spec={**TONE.spec, "suffix": "calm"}, validation=OTHER.training)

    lock = recorded(
        observed_of(job), tone, checkpoints={"ftjob-1": {9: f"{job.model}:ckpt-step-9"}}
    )

    file = {"path": "data/rows.jsonl", "rows": 10, "sha256": TONE.training.sha256}
    assert lock_document(lock) == {
        "lock_version": "1.0",
        "environments": {
            "default": {
                "finetunes": {
                    "tone": {
                        "base_model": BASE,
                        "checkpoints": {"9": f"{job.model}:ckpt-step-9"},
                        "commit": "0" * 40,
                        "created_at": 7,
                        "data": {"training": file, "validation": file},
                        "digest": TONE.digest,
                        "finished_at": 99,
                        "ftctl_version": "1.2.3",
                        "hyperparameters": {"n_epochs": 3, "batch_size": 1},
                        "job": "ftjob-1",
                        "metadata": {"owner": "cx"},
                        "method": "supervised",
                        "model": f"ft:{BASE}:acme::ftjob-1",
                        "seed": 42,
                        "service": {"type": "openai", "base_url": "https://api.example/v1"},
                        "spec": {"hyperparameters": {"n_epochs": 3}},
                        "suffix": "calm",
                        "trained_tokens": 900,
                    }
                }
            }
        },
    }


def test_recording_the_same_again_changes_nothing() -> None:
    observed = observed_of(done("ftjob-1", TONE))
    lock = recorded(observed, TONE, commit="first", version="1.0.0")

    again = recorded(observed, TONE, lock=lock, commit="second", version="2.0.0")

    assert lock_text(again) == lock_text(lock)
    assert lock.entry("default", "tone").release is not None


def test_a_job_that_is_not_over_is_no_release() -> None:
    running = Job("ftjob-1", "running", 7, "tone", TONE.digest)

    assert recorded(observed_of(running), TONE) == Lock()


def test_a_model_that_is_not_visible_stays_on_record() -> None:
    job = done("ftjob-1", TONE)
    lock = recorded(observed_of(job), TONE)

    hidden = Observed((job,), (), frozenset())

    assert recorded(hidden, TONE, lock=lock) == lock


def test_a_model_of_an_earlier_spec_that_was_deleted_is_no_release() -> None:
    old = done("ftjob-1", OLDER)
    lock = recorded(observed_of(old), OLDER)
    running = Job("ftjob-2", "running", 8, "tone", TONE.digest)

    assert recorded(Observed((running, old), (), frozenset()), TONE, lock=lock) == Lock()


def test_a_model_that_we_deleted_is_retired_and_a_witness() -> None:
    lock = with_retired(Lock(), "default", {"tone": [POINTER]})

    again = with_retired(lock, "default", {"tone": [POINTER]})

    assert again == lock
    assert read_lock(lock_document(lock)) == lock
    (witness,) = witnesses_of(lock)
    assert (witness.job, witness.digest, witness.retired) == (POINTER.job, POINTER.digest, True)


def test_a_job_that_was_adopted_is_no_witness_of_a_purchase() -> None:
    job = done("ftjob-1", TONE)
    lock = recorded(observed_of(job), TONE)
    release = lock.entry("default", "tone").release
    assert release is not None

    adopted = Entry(replace(release, adopted=True))

    assert witnesses_of(lock) != ()
    assert witnesses_of(Lock({"default": Section({"tone": adopted})})) == ()


def test_what_is_retired_is_on_record_by_names_that_a_record_may_have() -> None:
    lock = with_retired(Lock(), "default", {"(unnamed)": [POINTER], "a_b": [POINTER]})

    assert lock.entries("default") == {}
    after = with_retired(lock, "default", {"tone": [POINTER]})
    assert read_lock(lock_document(after)) == after
    assert (lock.minor, after.minor) == (0, 1)


def test_what_was_retired_outlives_the_promotion_of_what_was_deleted() -> None:
    lock = with_retired(promoted(Lock(), POINTER), "default", {"tone": [POINTER]})

    assert without_models(lock, "default", {POINTER.model}).entries("default") == {
        "tone": Entry(retired=(POINTER,))
    }


def test_what_stands_in_another_environment_is_protected() -> None:
    lock = recorded(observed_of(done("ftjob-1", TONE)), TONE)
    model = lock.entry("default", "tone").release.model

    assert protected(lock, "default") == {}
    assert protected(lock, "prod") == {
        model: "in use by the environment default",
        "ftjob-1": "in use by the environment default",
    }


def test_while_a_new_spec_trains_the_model_before_stays_on_record() -> None:
    old = done("ftjob-1", OLDER)
    lock = recorded(observed_of(old), OLDER)
    running = Job("ftjob-2", "running", 8, "tone", TONE.digest)

    meanwhile = recorded(observed_of(running, old), TONE, lock=lock)
    after = recorded(observed_of(done("ftjob-2", TONE), old), TONE, lock=meanwhile)

    assert meanwhile == lock
    release = after.entry("default", "tone").release
    assert release is not None
    assert (release.job, release.digest) == ("ftjob-2", TONE.digest)


def test_what_left_the_manifests_leaves_the_record_unless_it_is_promoted() -> None:
    observed = observed_of(done("ftjob-1", TONE), done("ftjob-2", OTHER))
    both = recorded(observed, OTHER, TONE)

    assert set(recorded(observed, OTHER, lock=both).entries("default")) == {"other"}
    kept = recorded(observed, OTHER, lock=promoted(both, POINTER))
    assert kept.entry("default", "tone") == promoted(both, POINTER).entry("default", "tone")


def test_a_promotion_outlives_a_new_release() -> None:
    old = done("ftjob-1", OLDER)
    lock = promoted(recorded(observed_of(old), OLDER), POINTER, LATER)

    after = recorded(observed_of(done("ftjob-9", TONE), old), TONE, lock=lock)

    entry = after.entry("default", "tone")
    assert entry.promoted == {"prod": LATER}
    assert entry.history == {"prod": (POINTER,)}
    assert entry.release is not None
    assert entry.release.job == "ftjob-9"


def test_a_new_job_is_recorded_by_the_version_and_commit_that_bought_it() -> None:
    lock = recorded(observed_of(done("ftjob-1", OLDER)), OLDER, version="1.0.0", commit="old")

    after = recorded(
        observed_of(done("ftjob-9", TONE)), TONE, lock=lock, version="2.0.0", commit="new"
    )

    release = after.entry("default", "tone").release
    assert release is not None
    assert (release.job, release.ftctl_version, release.commit) == ("ftjob-9", "2.0.0", "new")


def test_what_is_promoted_and_has_no_release_stays_as_it_is() -> None:
    running = Job("ftjob-9", "running", 9, "tone", TONE.digest)
    lock = promoted(Lock(), POINTER)

    assert recorded(observed_of(running), TONE, lock=lock) == lock


def test_environments_are_apart() -> None:
    dev = recorded(observed_of(done("ftjob-1", TONE)), TONE, environment="dev")

    both = recorded(observed_of(done("ftjob-2", OTHER)), OTHER, environment="prod", lock=dev)

    assert set(both.environments) == {"dev", "prod"}
    assert set(both.entries("dev")) == {"tone"}
    assert set(both.entries("prod")) == {"other"}
    assert both.entries("default") == {}


def test_a_file_that_moved_has_its_new_path_and_a_new_validation_file_is_not_claimed() -> None:
    observed = observed_of(done("ftjob-1", TONE))
    lock = recorded(observed, TONE)
    moved = replace(TONE.training, path="elsewhere/rows.jsonl")

    after = recorded(
        observed, replace(TONE, training=moved, validation=OTHER.training), lock=lock
    ).entry("default", "tone")

    assert after.release is not None
    assert after.release.training == DataFile("elsewhere/rows.jsonl", TONE.training.sha256, 10)
    assert after.release.validation is None


def test_the_commit_is_that_of_the_jobs_mark_else_the_one_it_was_first_recorded_at() -> None:
    marked = recorded(observed_of(done("ftjob-1", TONE, commit="marked")), TONE, commit="here")
    unmarked = recorded(observed_of(done("ftjob-1", TONE)), TONE, commit="here")
    adopts = finetune("tone", adopt="ftjob-7")
    stranger = Job("ftjob-7", "succeeded", 3, model="ft:base:acme::seven")
    adopted = recorded(observed_of(adopted=(stranger,)), adopts, commit="here")

    found = [lock.entry("default", "tone").release for lock in (marked, unmarked, adopted)]
    assert [one.commit for one in found if one] == ["marked", "here", None]


def test_checkpoints_are_asked_for_once() -> None:
    observed = observed_of(done("ftjob-1", TONE), done("ftjob-2", OTHER))
    desired = Desired("demo", (OTHER, TONE))
    plan = make_plan(desired, observed, SERVICE, PlanOptions())

    first = unknown_checkpoints(Lock(), "default", desired, observed, plan)
    lock = recorded(observed, OTHER, TONE, checkpoints={"ftjob-1": {}})

    promoted_alone = promoted(Lock(), POINTER)

    assert first == ("ftjob-2", "ftjob-1")
    assert unknown_checkpoints(promoted_alone, "default", desired, observed, plan) == first
    assert unknown_checkpoints(lock, "default", desired, observed, plan) == ("ftjob-2",)


# Without a network.


def test_a_plan_against_the_record_is_the_plan_against_the_service() -> None:
    spec = {
        "hyperparameters": {"n_epochs": 3},
        "training": TONE.training.sha256,
        "base_model": BASE,
    }
    adopts = finetune("adopts", 8, adopt="ftjob-7")
    stranger = Job("ftjob-7", "succeeded", 3, model="ft:base:acme::seven")
    elsewhere = done("ftjob-8", finetune("shared", 9), project="another")
    observed = observed_of(
        done("ftjob-2", OTHER), done("ftjob-1", TONE, spec=spec),
        adopted=(stranger,), others=(elsewhere,),
    )  # fmt: skip
    finetunes = (adopts, OTHER, finetune("shared", 9), TONE)
    lock = recorded(observed, *finetunes)
    offline = observed_from(lock, "default", others=True)

    changed = (adopts, OTHER, finetune("shared", 9), finetune("tone", 6), finetune("new", 1))
    for wanted in (finetunes, finetunes[:2], changed):
        desired = Desired("demo", wanted)
        ours = make_plan(desired, offline, SERVICE, PlanOptions())
        assert [(c.name, c.action, c.reason, c.job) for c in ours.changes] == [
            (c.name, c.action, c.reason, c.job)
            for c in make_plan(desired, observed, SERVICE, PlanOptions()).changes
        ]
    assert observed_from(lock, "default").others == ()
    assert observed_from(lock, "elsewhere") == Observed()


def test_a_promoted_model_is_known_without_a_network() -> None:
    lock = promoted(recorded(observed_of(done("ftjob-9", TONE)), TONE), LATER)

    offline = observed_from(lock, "default")

    assert [job.id for job in offline.jobs] == ["ftjob-9", "ftjob-2"]
    assert offline.models == {f"ft:{BASE}:acme::ftjob-9", LATER.model}


# Promotion and the way back.


def test_promoting_keeps_what_was_before_and_rolling_back_restores_it() -> None:
    once = promoted(Lock(), POINTER)
    thrice = promoted(once, LATER, LATEST)

    assert thrice.entry("default", "tone").promoted == {"prod": LATEST}
    assert thrice.entry("default", "tone").history == {"prod": (POINTER, LATER)}
    back = rollback(thrice, "default", "tone", "prod")
    assert back == promoted(once, LATER)
    assert lock_text(rollback(back, "default", "tone", "prod")) == lock_text(once)
    assert rollback(once, "default", "tone", "prod") is once


def test_promoting_what_is_promoted_changes_nothing() -> None:
    lock = promoted(Lock(), POINTER)

    assert promoted(lock, replace(POINTER, at="2030-01-01T00:00:00Z", by_commit="other")) is lock


def test_aliases_move_apart() -> None:
    lock = promoted(promoted(Lock(), POINTER, LATER), LATEST, alias="canary")

    assert lock.entry("default", "tone").promoted == {"prod": LATER, "canary": LATEST}
    back = rollback(lock, "default", "tone", "prod")
    assert back.entry("default", "tone").promoted == {"prod": POINTER, "canary": LATEST}


def test_a_model_that_was_deleted_is_promoted_no_more() -> None:
    lock = promoted(promoted(Lock(), POINTER), LATER, alias="canary")

    after = without_models(lock, "default", {POINTER.model, "ft:another"})

    assert after.entry("default", "tone").promoted == {"canary": LATER}
    assert without_models(lock, "default", {"ft:another"}) == lock


def test_with_its_last_promotion_an_entry_goes_unless_it_tells_something_else() -> None:
    models = {POINTER.model}
    alone = promoted(Lock(), POINTER)
    released = promoted(recorded(observed_of(done("ftjob-1", TONE)), TONE), POINTER)
    later = Lock().with_entries("default", {"tone": Entry(None, {"prod": POINTER}, {}, {"x": 1})})

    assert without_models(alone, "default", models).entries("default") == {}
    assert without_models(released, "default", models).entry("default", "tone").release
    assert without_models(later, "default", models).entry("default", "tone").more == {"x": 1}


def test_twenty_earlier_models_are_remembered() -> None:
    pointers = [replace(POINTER, job=f"ftjob-{n}", model=f"ft:{n}") for n in range(30)]

    entry = promoted(Lock(), *pointers).entry("default", "tone")

    assert entry.history["prod"] == tuple(pointers[9:29])


@pytest.mark.parametrize("text", ["", "Prod", "-prod", "a b", "prod\n", "a" * 64, "p/q", "..", "_"])
def test_what_is_no_alias(text: str) -> None:
    assert not is_alias(text)
    assert all(is_alias(one) for one in ("prod", "eu-2", "a" * 63))


def test_what_is_promoted_in_any_environment_is_protected_by_model_and_by_job() -> None:
    lock = promoted(promoted(Lock(), POINTER), POINTER, name="other", alias="canary")
    lock = promote(lock, "dev", "tone", "prod", LATER)

    assert protected(lock, "default") == {
        "ftjob-1": "promoted as canary and prod",
        "ft:base:acme::one": "promoted as canary and prod",
        "ftjob-2": "promoted as prod",
        "ft:base:acme::two": "promoted as prod",
    }


# The file.

PROMOTED = "promoted as prod"
NAMES = st.from_regex(r"[a-z0-9][a-z0-9-]{0,9}", fullmatch=True)
IDS = st.from_regex(r"ft:[A-Za-z0-9./_-]{1,12}", fullmatch=True)
TEXTS = st.text(min_size=1, max_size=12)
NUMBERS = st.integers(0, 2**40)
MORE = st.dictionaries(st.sampled_from(["x-new", "later"]), st.lists(NUMBERS | TEXTS), max_size=1)
FILES = st.builds(DataFile, TEXTS, st.sampled_from(["a" * 64, "0" * 64]), NUMBERS, MORE)
MAYBE = st.none() | TEXTS
PAIRS = st.dictionaries(TEXTS, TEXTS, max_size=2)
MOMENTS = st.just("2026-11-22T00:00:00Z")
POINTERS = st.builds(Pointer, IDS, IDS, MOMENTS, st.none() | NUMBERS, MAYBE, MAYBE, MORE)
RELEASES = st.builds(
    Release,
    digest=TEXTS, job=IDS, model=IDS, created_at=NUMBERS, ftctl_version=TEXTS, method=TEXTS,
    base_model=MAYBE, training=st.none() | FILES, validation=st.none() | FILES,
    hyperparameters=PAIRS, asked=PAIRS, seed=st.none() | NUMBERS, suffix=MAYBE, metadata=PAIRS,
    spec=st.none() | PAIRS, checkpoints=st.none() | st.dictionaries(st.integers(0, 99), IDS),
    trained_tokens=st.none() | NUMBERS, finished_at=st.none() | NUMBERS, commit=MAYBE,
    service=PAIRS, adopted=st.booleans(), owner=MAYBE,
)  # fmt: skip
EARLIER = st.dictionaries(NAMES, st.lists(POINTERS, min_size=1, max_size=3).map(tuple), max_size=2)
ENTRIES = st.builds(
    Entry, RELEASES, st.dictionaries(NAMES, POINTERS, max_size=2), EARLIER, MORE,
    st.lists(POINTERS, max_size=1).map(tuple), st.lists(RELEASES, max_size=2).map(tuple),
)  # fmt: skip
SECTIONS = st.builds(Section, st.dictionaries(NAMES, ENTRIES, max_size=2), MORE)
LOCKS = st.builds(Lock, st.dictionaries(NAMES, SECTIONS, max_size=2), st.integers(0, 9), MORE)

often = settings(max_examples=30, deadline=None, derandomize=True, database=None)


@given(LOCKS)
@often
def test_a_record_reads_as_it_was_written_with_the_keys_of_later_versions(lock: Lock) -> None:
    text = lock_text(lock)

    assert read_lock(json.loads(text)) == lock
    assert lock_text(read_lock(json.loads(text))) == text
    assert text.isascii()


@given(LOCKS)
@often
def test_a_record_fits_its_schema(lock: Lock) -> None:
    Draft202012Validator(SCHEMA).validate(lock_document(lock))


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_file_is_sorted_json_that_ends_with_a_newline(tmp_path: Path) -> None:
    update_lock_file(tmp_path, lambda lock: promoted(lock, POINTER))

    text = (tmp_path / "ftctl.lock").read_text("ascii")
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"
    assert list(tmp_path.iterdir()) == [tmp_path / "ftctl.lock"]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((tmp_path / "ftctl.lock").stat().st_mode) == 0o666 & ~umask


def test_no_file_is_an_empty_record_and_an_empty_record_makes_no_file(tmp_path: Path) -> None:
    assert update_lock_file(tmp_path, lambda lock: lock) == Lock()
    assert list(tmp_path.iterdir()) == []


def test_what_changes_nothing_does_not_touch_the_file(tmp_path: Path) -> None:
    update_lock_file(tmp_path, lambda lock: promoted(lock, POINTER))
    before = (tmp_path / "ftctl.lock").stat()

    update_lock_file(tmp_path, lambda lock: promoted(lock, POINTER))

    after = (tmp_path / "ftctl.lock").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize(("text", "said"), DAMAGED.items(), ids=range(len(DAMAGED)))
def test_a_damaged_file_is_a_clear_error_and_is_not_written_over(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "ftctl.lock").write_text(text, "utf-8")

    with pytest.raises(FtctlError) as caught:
        update_lock_file(tmp_path, lambda lock: promoted(lock, LATER))

    assert caught.value.message.startswith(f"{tmp_path}/ftctl.lock is damaged: ")
    assert caught.value.message.endswith(said)
    assert str(caught.value.hint).startswith("take it back from git")
    assert (tmp_path / "ftctl.lock").read_text("utf-8") == text


def test_bytes_that_are_no_text_are_damage(tmp_path: Path) -> None:
    (tmp_path / "ftctl.lock").write_bytes(b'{"lock_version": "\xff"}')

    with pytest.raises(FtctlError, match="is damaged: it is not UTF-8"):
        read_lock_file(tmp_path)


@pytest.mark.parametrize("style", ["merge", "diff3"])
def test_the_marks_of_a_merge_conflict_are_recognized(tmp_path: Path, style: str) -> None:
    _git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    _git(tmp_path, "config", "merge.conflictStyle", style)
    for branch, pointer in (("main", POINTER), ("left", LATER), ("right", LATEST)):
        if branch != "main":
            _git(tmp_path, "checkout", "--quiet", "-b", branch, "main")
        update_lock_file(tmp_path, lambda lock, to=pointer: promoted(lock, to))  # type: ignore[misc]
        _git(tmp_path, "add", "ftctl.lock")
        _git(tmp_path, "commit", "--quiet", "-m", branch)
    merged = _git(tmp_path, "merge", "--quiet", "left", check=False)

    with pytest.raises(FtctlError) as caught:
        read_lock_file(tmp_path)

    assert merged != 0
    lines = (tmp_path / "ftctl.lock").read_text("utf-8").splitlines()
    line = 1 + next(at for at, line in enumerate(lines) if line.startswith("<<<<<<< "))
    assert caught.value.message == (
        f"{tmp_path}/ftctl.lock:{line}: the marks of a merge conflict are still in the file"
    )
    assert "ftctl lock merge base.lock ftctl.lock theirs.lock" in str(caught.value.hint)


def _git(folder: Path, *words: str, check: bool = True) -> int:
    who = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    return subprocess.run(
        ["git", "-C", str(folder), *who, *words], check=check, capture_output=True
    ).returncode


def test_a_later_major_version_is_not_guessed_at(tmp_path: Path) -> None:
    (tmp_path / "ftctl.lock").write_text('{"lock_version": "2.0"}', "utf-8")

    with pytest.raises(FtctlError) as caught:
        read_lock_file(tmp_path)

    assert "was written by a later ftctl: its lock_version is 2.0" in caught.value.message
    assert caught.value.hint == "upgrade ftctl"


def test_keys_of_a_later_minor_version_are_kept(tmp_path: Path) -> None:
    document = json.loads(GOOD)
    document["lock_version"] = "1.7"
    document["more"] = {"a": [1]}
    tone = document["environments"]["default"]["finetunes"]["tone"]
    tone["evaluation"] = {"score": 0.5}
    tone["promoted"]["prod"]["by"] = "somebody"
    tone["data"]["training"]["tokens"] = 12
    (tmp_path / "ftctl.lock").write_text(json.dumps(document), "utf-8")

    update_lock_file(tmp_path, lambda lock: promoted(lock, LATER))

    after = json.loads((tmp_path / "ftctl.lock").read_text("utf-8"))
    expected = json.loads(json.dumps(document))
    expected["environments"]["default"]["finetunes"]["tone"] |= {
        "history": {"prod": [tone["promoted"]["prod"]]},
        "promoted": {
            "prod": {
                "job": LATER.job, "model": LATER.model, "at": LATER.at, "digest": LATER.digest,
                "by_commit": "abc",
            }
        },
    }  # fmt: skip
    assert after == expected


def test_nothing_but_a_plain_file_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ftctl.lock")

    with pytest.raises(FtctlError, match="is not a regular file"):
        read_lock_file(tmp_path)


def test_a_link_out_of_the_project_is_neither_quoted_nor_written_through(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the key is abracadabra", "utf-8")
    project = tmp_path / "project"
    project.mkdir()
    (project / "ftctl.lock").symlink_to(secret)

    with pytest.raises(FtctlError) as caught:
        update_lock_file(project, lambda lock: promoted(lock, POINTER))

    assert "abracadabra" not in str(caught.value)
    secret.write_text('{"lock_version": "1.0"}', "utf-8")
    update_lock_file(project, lambda lock: promoted(lock, POINTER))
    assert secret.read_text("utf-8") == '{"lock_version": "1.0"}'
    assert not (project / "ftctl.lock").is_symlink()


def test_a_file_without_end_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "ftctl.lock").open("wb") as file:
        file.truncate(65 * 2**20)

    with pytest.raises(FtctlError, match="68,157,440 bytes"):
        read_lock_file(tmp_path)


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    odd = replace(POINTER, model="a model with blanks")

    with pytest.raises(FtctlError, match=r"ftctl.lock would not be readable"):
        update_lock_file(tmp_path, lambda lock: promoted(lock, odd))

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(FtctlError, match=r"ftctl.lock cannot be written: No such file"):
        update_lock_file(tmp_path / "nowhere", lambda lock: promoted(lock, POINTER))


# Two at once, and one that is killed.


def _write_many(folder: Path, name: str) -> None:
    for number in range(25):
        pointer = replace(POINTER, job=f"ftjob-{number}", model=f"ft:{name}:{number}")
        update_lock_file(folder, lambda lock, to=pointer: promoted(lock, to, name=name))  # type: ignore[misc]


def test_two_processes_that_write_at_once_lose_nothing_of_each_other(tmp_path: Path) -> None:
    names = ["one", "other", "third"]
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(tmp_path, name)) for name in names]

    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)

    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    lock = read_lock_file(tmp_path)
    for name in names:
        entry = lock.entry("default", name)
        assert entry.promoted["prod"].model == f"ft:{name}:24"
        assert [one.job for one in entry.history["prod"]] == [f"ftjob-{n}" for n in range(4, 24)]
    assert list(tmp_path.iterdir()) == [tmp_path / "ftctl.lock"]


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from records import LATER, promoted
from ftctl.lockfile import update_lock_file
def killed(_file): os.kill(os.getpid(), signal.SIGKILL)
os.fsync = killed  # written, and not yet put in place
update_lock_file(Path(sys.argv[1]), lambda lock: promoted(lock, LATER))
"""


def test_a_writer_that_is_killed_leaves_the_old_file_and_its_draft_is_cleared(
    tmp_path: Path,
) -> None:
    update_lock_file(tmp_path, lambda lock: promoted(lock, POINTER))
    before = (tmp_path / "ftctl.lock").read_bytes()

    tests = str(Path(__file__).parents[1])
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), tests], check=False)

    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "ftctl.lock").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2
    update_lock_file(tmp_path, lambda lock: promoted(lock, LATER))
    assert read_lock_file(tmp_path).entry("default", "tone").promoted == {"prod": LATER}
    assert list(tmp_path.iterdir()) == [tmp_path / "ftctl.lock"]


def test_a_change_that_fails_leaves_the_file_free_for_the_next(tmp_path: Path) -> None:
    def fail(_lock: Lock) -> Lock:
        raise FtctlError("no")

    with pytest.raises(FtctlError, match="no"):
        update_lock_file(tmp_path, fail)

    assert update_lock_file(tmp_path, lambda lock: promoted(lock, POINTER)) == promoted(
        Lock(), POINTER
    )


# What a promotion keeps from being deleted.


def test_a_promoted_model_outlives_retention_and_says_why() -> None:
    jobs = [
        succeeded(f"ftjob-{number}", of, number)
        for number, of in enumerate((finetune("tone", 1), OLDER, TONE), 1)
    ]
    desired = Desired("demo", (replace(TONE, keep=1),))
    models = [job.model or "" for job in jobs]
    observed = replace(observed_of(*jobs), models=frozenset({*models, f"{models[0]}:ckpt-step-9"}))

    bare = make_plan(desired, observed, SERVICE, PlanOptions())
    by_model = make_plan(desired, observed, SERVICE, PlanOptions(protected={models[0]: PROMOTED}))
    by_job = make_plan(desired, observed, SERVICE, PlanOptions(protected={"ftjob-1": PROMOTED}))

    deleted = [getattr(step, "model", None) for step in bare.changes[0].steps]
    assert deleted == [models[1], f"{models[0]}:ckpt-step-9", models[0]]
    assert by_job == by_model
    assert [getattr(step, "model", None) for step in by_job.changes[0].steps] == [models[1]]
    assert by_job.changes[0].reason == (
        f"up to date as {models[2]}; keeps this model alone; keeps {models[0]} (promoted as prod)"
    )


def test_a_promoted_model_that_left_the_manifests_outlives_prune_with_its_file() -> None:
    gone = replace(done("ftjob-1", TONE), training_file="file-1")
    other = replace(done("ftjob-2", OTHER), training_file="file-2")
    files = tuple(
        File(f"file-{n}", f"ftctl.demo.rows.{str(n) * 64}.jsonl", 10, 1, sha256=str(n) * 64)
        for n in (1, 2)
    )
    observed = replace(observed_of(gone, other), files=files)
    desired = Desired("demo", (OTHER,))

    def leftovers(protected: dict[str, str], *, prune: bool) -> list[tuple[str, Action, str]]:
        options = PlanOptions(prune=prune, protected=protected)
        plan = make_plan(desired, observed, SERVICE, options)
        deleted = {one.id for one in plan.steps(DeleteFile) if isinstance(one, DeleteFile)}
        assert ("file-1" in deleted) is (prune and not protected)
        assert bool(plan.steps(DeleteModel)) is (prune and not protected)
        return [(c.name, c.action, c.reason) for c in plan.changes if c.name == "tone"]

    kept = ("tone", Action.NO_OP, f"not in the manifests; keeps {gone.model} (promoted as prod)")
    assert leftovers({"ftjob-1": "promoted as prod"}, prune=True) == [kept]
    assert leftovers({"ftjob-1": "promoted as prod"}, prune=False) == [kept]
    assert leftovers({}, prune=True) == [("tone", Action.DELETE, "not in the manifests")]


def test_destroy_leaves_a_promoted_model_and_its_files() -> None:
    kept = replace(done("ftjob-1", TONE), training_file="file-1", result_files=("file-3",))
    other = replace(done("ftjob-2", TONE), training_file="file-2")
    files = tuple(File(f"file-{n}", "rows.jsonl", 10, 1) for n in (1, 2, 3))
    observed = replace(observed_of(kept, other), files=files)

    plan = make_destroy_plan("demo", observed, SERVICE, None, protected={"ftjob-1": PROMOTED})
    forced = make_destroy_plan("demo", observed, SERVICE, None)

    assert [(c.name, c.action, c.reason, c.steps) for c in plan.changes] == [
        (
            "tone",
            Action.DELETE,
            f"destroy; keeps {kept.model} (promoted as prod); --force-destroy takes it too",
            (DeleteModel(f"{other.model}"),),
        ),
        ("files", Action.DELETE, "destroy", (DeleteFile("file-2", "rows.jsonl"),)),
    ]
    assert len(forced.steps(DeleteModel)) == 2
    assert len(forced.steps(DeleteFile)) == 3


def test_destroying_only_what_is_promoted_says_that_it_stays() -> None:
    job = done("ftjob-1", TONE)

    plan = make_destroy_plan(
        "demo", observed_of(job), SERVICE, None, protected={"ftjob-1": PROMOTED}
    )

    assert plan.empty
    assert [(c.action, c.reason) for c in plan.changes] == [
        (
            Action.NO_OP,
            f"destroy; keeps {job.model} (promoted as prod); --force-destroy takes it too",
        )
    ]
