"""Names are changed or exchanged: what is promoted goes with the training."""

from __future__ import annotations

from dataclasses import replace

import pytest
from records import POINTER, TONE, done, observed_of, recorded
from scenes import finetune

from ftctl.domain.desired import Desired, FineTune
from ftctl.domain.observed import Job
from ftctl.lockfile import Entry, Lock, Pointer, promote, renamed, with_retired

ONE, TWO, THREE = finetune("one", 1), finetune("two", 2), finetune("three", 3)


def now(lock: Lock, *finetunes: FineTune, jobs: tuple[Job, ...] = ()) -> Lock:
    return renamed(lock, "default", Desired("demo", finetunes), jobs)


def called(of: FineTune, name: str) -> FineTune:
    return replace(of, name=name)


def model_of(of: FineTune) -> Pointer:
    return replace(POINTER, job=f"ftjob-{of.name}", model=f"ft:{of.name}", digest=of.digest)


def lock_of(*finetunes: FineTune, promoted: tuple[FineTune, ...] = ()) -> Lock:
    """A record of fine-tunes with their models, of which some are promoted."""
    lock = recorded(observed_of(*(done(f"ftjob-{one.name}", one) for one in finetunes)), *finetunes)
    for one in promoted:
        lock = promote(lock, "default", one.name, "prod", model_of(one))
    return lock


def promotions(lock: Lock) -> dict[str, str]:
    """Which fine-tune's model is prod under which name."""
    entries = lock.entries("default")
    return {
        name: entry.promoted["prod"].model.removeprefix("ft:")
        for name, entry in entries.items()
        if "prod" in entry.promoted
    }


def test_a_name_that_is_changed_takes_its_whole_entry_along() -> None:
    lock = with_retired(lock_of(ONE, promoted=(ONE,)), "default", {"one": [POINTER]})

    after = now(lock, called(ONE, "voice"))

    assert dict(after.entries("default")) == {"voice": lock.entry("default", "one")}


def test_names_that_stay_change_nothing() -> None:
    lock = lock_of(ONE, TWO, promoted=(ONE, TWO))

    assert now(lock, ONE, TWO) is lock
    assert now(lock, ONE) is lock
    assert now(lock) is lock


def test_names_that_are_exchanged_exchange_their_entries() -> None:
    lock = lock_of(ONE, TWO, promoted=(ONE,))

    after = now(lock, called(TWO, "one"), called(ONE, "two"))

    assert after.entry("default", "two") == lock.entry("default", "one")
    assert after.entry("default", "one") == lock.entry("default", "two")


def test_names_may_go_round_or_move_up() -> None:
    lock = lock_of(ONE, TWO, THREE, promoted=(ONE, TWO, THREE))

    turned = now(lock, called(TWO, "one"), called(THREE, "two"), called(ONE, "three"))
    moved_up = now(lock, called(ONE, "two"), called(TWO, "three"), called(THREE, "four"))

    assert promotions(turned) == {"one": "two", "two": "three", "three": "one"}
    assert promotions(moved_up) == {"two": "one", "three": "two", "four": "three"}


def test_a_name_that_asks_for_something_new_keeps_what_is_promoted_under_it() -> None:
    lock = lock_of(ONE, promoted=(ONE,))

    after = now(lock, called(THREE, "one"), called(ONE, "voice"))

    assert after is lock


def test_what_is_promoted_under_a_name_is_never_put_aside_by_another_entry() -> None:
    lock = lock_of(ONE, TWO, promoted=(ONE, TWO))

    after = now(lock, called(ONE, "two"))  # one left the manifests, two took over its spec

    assert after is lock


def test_a_name_without_promotions_takes_those_of_the_training_that_it_took_over() -> None:
    lock = lock_of(ONE, TWO, promoted=(ONE,))

    after = now(lock, called(ONE, "two"))

    assert set(after.entries("default")) == {"two"}
    assert promotions(after) == {"two": "one"}
    release = after.entry("default", "two").release
    assert release is not None
    assert release.digest == ONE.digest


def test_a_promotion_that_was_left_behind_by_an_earlier_version_comes_along() -> None:
    left = lock_of(ONE, promoted=(ONE,))
    voice = called(ONE, "voice")
    lock = recorded(observed_of(done("ftjob-one", ONE)), ONE, voice, lock=left)

    after = now(lock, voice)

    assert set(after.entries("default")) == {"voice"}
    assert promotions(after) == {"voice": "one"}


def test_what_is_promoted_tells_the_training_where_there_is_no_release() -> None:
    lock = promote(Lock(), "default", "tone", "canary", replace(POINTER, digest="v1:other"))
    lock = promote(lock, "default", "tone", "prod", POINTER)

    assert set(now(lock, called(TONE, "voice")).entries("default")) == {"voice"}


def test_a_job_tells_the_training_that_is_not_on_record_yet() -> None:
    lock = lock_of(ONE, promoted=(ONE,))
    running = Job("ftjob-9", "running", 9, "one", TWO.digest)

    assert promotions(now(lock, called(TWO, "voice"))) == {"one": "one"}
    assert promotions(now(lock, called(TWO, "voice"), jobs=(running,))) == {"voice": "one"}
    # A name that is on record has its own past.
    both = lock_of(ONE, TWO, promoted=(ONE,))
    assert now(both, TWO, jobs=(running,)) is both


def test_of_two_entries_for_one_place_the_promoted_one_comes() -> None:
    twin = called(ONE, "aaa")
    lock = lock_of(ONE, promoted=(ONE,))
    both = recorded(observed_of(done("ftjob-one", ONE)), twin, ONE, lock=lock)

    after = now(both, called(ONE, "voice"))

    assert promotions(after) == {"voice": "one"}
    assert set(after.entries("default")) == {"aaa", "voice"}


def test_of_two_that_ask_for_the_same_one_takes_the_entry() -> None:
    lock = lock_of(ONE, promoted=(ONE,))

    after = now(lock, called(ONE, "aaa"), called(ONE, "bbb"))

    assert promotions(after) == {"aaa": "one"}


def test_an_entry_that_tells_no_training_stays() -> None:
    lock = promote(Lock(), "default", "tone", "prod", replace(POINTER, digest=None))

    assert now(lock, called(TONE, "voice")) is lock


def test_what_is_retired_under_both_names_is_kept_once() -> None:
    lock = with_retired(lock_of(ONE, TWO, promoted=(ONE,)), "default", {"one": [POINTER]})
    other = replace(POINTER, job="ftjob-77")
    lock = with_retired(lock, "default", {"two": [POINTER, other]})

    after = now(lock, called(ONE, "two"))

    assert after.entry("default", "two").retired == (POINTER, other)


@pytest.mark.parametrize("environment", ["default", "dev"])
def test_other_environments_keep_their_names(environment: str) -> None:
    lock = lock_of(ONE, promoted=(ONE,))
    lock = promote(lock, "dev", "one", "prod", model_of(ONE))

    after = renamed(lock, environment, Desired("demo", (called(ONE, "voice"),)))

    other = "dev" if environment == "default" else "default"
    assert set(after.entries(environment)) == {"voice"}
    assert after.entries(other) == lock.entries(other)


def test_recording_moves_the_entry_and_says_what_stands() -> None:
    lock = lock_of(ONE, promoted=(ONE,))
    job = done("ftjob-one", ONE)

    after = recorded(observed_of(job), called(ONE, "voice"), lock=lock)

    assert dict(after.entries("default")) == {"voice": lock.entry("default", "one")}
    assert after.entry("default", "one") == Entry()


def test_what_is_only_hidden_stays_on_record_under_its_new_name() -> None:
    lock = lock_of(ONE)
    hidden = replace(observed_of(done("ftjob-one", ONE)), models=frozenset())

    after = recorded(hidden, called(ONE, "voice"), lock=lock)

    assert dict(after.entries("default")) == {"voice": lock.entry("default", "one")}


def test_what_was_retired_is_remembered_after_its_name_left_the_manifests() -> None:
    lock = with_retired(lock_of(ONE), "default", {"one": [POINTER]})

    after = recorded(observed_of(done("ftjob-one", ONE)), TWO, lock=lock)

    assert dict(after.entries("default")) == {"one": Entry(retired=(POINTER,))}


def test_prod_tells_the_training_before_other_aliases() -> None:
    lock = promote(Lock(), "default", "tone", "canary", model_of(ONE))
    lock = promote(lock, "default", "tone", "prod", model_of(TWO))
    lock = promote(lock, "default", "tone", "zeta", model_of(ONE))

    after = now(lock, called(ONE, "aaa"), called(TWO, "zzz"))

    assert set(after.entries("default")) == {"zzz"}


def test_an_entry_goes_to_the_one_that_has_none_yet() -> None:
    aaa = called(ONE, "aaa")
    both = recorded(observed_of(done("ftjob-one", ONE)), aaa, ONE, lock=lock_of(ONE))
    lock = promote(both, "default", "one", "prod", model_of(ONE))

    after = now(lock, aaa, called(ONE, "bbb"))

    assert promotions(after) == {"bbb": "one"}


def test_a_name_that_must_stay_keeps_no_other_from_its_place() -> None:
    left = called(ONE, "zzz")
    lock = lock_of(ONE, left, promoted=(ONE, left))

    after = now(lock, called(THREE, "one"), called(ONE, "voice"))

    assert promotions(after) == {"one": "one", "voice": "zzz"}


def test_of_a_place_that_has_its_own_release_that_stays() -> None:
    voice = called(ONE, "voice")
    lock = recorded(observed_of(done("ftjob-new", ONE)), voice, lock=lock_of(ONE, promoted=(ONE,)))

    release = now(lock, voice).entry("default", "voice").release

    assert release is not None
    assert release.job == "ftjob-new"
