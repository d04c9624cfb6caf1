"""What differs between two specs."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from ftctl.domain.plan import FieldChange
from ftctl.planner.field_changes import field_changes

often = settings(max_examples=150, deadline=None, derandomize=True, database=None)

values = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.floats(-9, 9) | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
specs = st.dictionaries(st.sampled_from(["a", "b", "suffix", "metadata", "__c"]), values)


def test_fields_are_named_by_their_path_the_material_ones_first() -> None:
    before = {
        "base_model": "m", "hyperparameters": {"n_epochs": 3}, "suffix": "a", "tags": ["x", "y"],
    }  # fmt: skip
    after = {
        "base_model": {"digest": "d"}, "hyperparameters": {"n_epochs": 4, "batch_size": 2},
        "seed": 7, "tags": ["x", "z"],
    }  # fmt: skip

    assert field_changes(before, after, frozenset({"suffix", "tags"})) == (
        FieldChange("base_model", "m", '{"digest": "d"}', cosmetic=False),
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
