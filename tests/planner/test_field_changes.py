"""What differs between two specs, and how a spec is remembered."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from ftctl.domain.plan import FieldChange
from ftctl.planner.field_changes import PARTIAL, SPEC_LENGTH, field_changes, packed_spec, short_spec

often = settings(max_examples=150, deadline=None, derandomize=True, database=None)

values = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.floats(-9, 9) | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
specs = st.dictionaries(st.sampled_from(["a", "b", "suffix", "metadata", "__c"]), values)


@given(specs, st.frozensets(st.sampled_from(["b", "suffix"])))
@often
def test_a_packed_spec_fits_into_one_metadata_value(spec: dict, droppable: frozenset) -> None:
    packed = packed_spec(spec, droppable)

    assert packed is None or len(packed) <= SPEC_LENGTH


@given(specs, st.frozensets(st.sampled_from(["b", "suffix"])))
@often
def test_a_packed_spec_reads_back_as_the_short_spec_or_says_that_it_is_not_whole(
    spec: dict, droppable: frozenset
) -> None:
    packed = packed_spec(spec, droppable)

    short = json.loads(json.dumps(short_spec(spec)))
    material = {key: value for key, value in short.items() if key not in droppable}
    assert packed is None or json.loads(packed) in (short, {**material, PARTIAL: True})


def test_cosmetic_fields_are_dropped_first() -> None:
    spec = {"seed": 1, "suffix": "s", "tags": [f"tag {number:02}" for number in range(80)]}

    packed = packed_spec(spec, frozenset({"tags", "suffix"}))

    assert packed == '{"seed":1,"…":true}'


def test_a_spec_that_is_too_long_even_so_is_not_remembered() -> None:
    spec = {"grader": [f"word {number:02}" for number in range(80)]}

    assert packed_spec(spec, frozenset({"suffix"})) is None


def test_hashes_and_long_texts_are_shortened_and_the_users_pairs_left_out() -> None:
    sha256 = "0123456789abcdef" * 4
    spec = {
        "training": sha256,
        "base_model": {"digest": f"v1:{sha256}"},
        "grader": {"source": "x" * 41, "name": "y" * 40},
        "metadata": {"owner": "cx"},
    }

    assert short_spec(spec) == {
        "training": "0123456789ab…",
        "base_model": {"digest": "0123456789ab…"},
        "grader": {"source": "3164596df4fd…", "name": "y" * 40},
    }


def test_long_texts_that_differ_are_still_told_apart() -> None:
    one, other = short_spec({"prompt": "x" * 99 + "1"}), short_spec({"prompt": "x" * 99 + "2"})

    assert one != other


def test_fields_are_named_by_their_path_the_material_ones_first() -> None:
    before = {
        "base_model": "m", "hyperparameters": {"n_epochs": 3}, "suffix": "a", "tags": ["x", "y"],
    }  # fmt: skip
    after = {
        "base_model": {"digest": "d"}, "hyperparameters": {"n_epochs": 4, "batch_size": 2},
        "seed": 7, "tags": ["x", "z"],
    }  # fmt: skip

    assert field_changes(before, after, frozenset({"suffix", "tags"})) == (
        FieldChange("base_model", "m", '{"digest":"d"}', cosmetic=False),
        FieldChange("hyperparameters.batch_size", None, "2", cosmetic=False),
        FieldChange("hyperparameters.n_epochs", "3", "4", cosmetic=False),
        FieldChange("seed", None, "7", cosmetic=False),
        FieldChange("suffix", "a", None, cosmetic=True),
        FieldChange("tags[1]", "y", "z", cosmetic=True),
    )


def test_equal_numbers_of_other_types_are_no_change() -> None:
    assert field_changes({"a": 1.0, "b": 2}, {"a": 1, "b": 3}, frozenset()) == (
        FieldChange("b", "2", "3", cosmetic=False),
    )


@given(specs)
@often
def test_a_spec_does_not_differ_from_itself(spec: dict) -> None:
    assert field_changes(spec, json.loads(json.dumps(spec)), frozenset()) == ()


@given(specs, specs)
@often
def test_specs_that_differ_have_a_field_that_says_so(before: dict, after: dict) -> None:
    changes = field_changes(before, after, frozenset({"suffix"}))

    assert bool(changes) is (before != after)
    assert {change.field for change in changes if change.cosmetic} == {
        change.field for change in changes if change.field.startswith("suffix")
    }
