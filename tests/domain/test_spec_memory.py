"""What a job remembers of its spec."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from ftctl.domain.digest import canonical_json
from ftctl.domain.spec_memory import PARTIAL, SPEC_LENGTH, packed_spec, short_spec

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


def test_a_metadata_value_has_at_most_512_characters() -> None:
    """The service's limit: a longer one is refused, and with it the job."""
    empty = len(canonical_json({"a": ["y" * 40] * 11, "b": ""}))
    whole = {"a": ["y" * 40] * 11, "b": "x" * (512 - empty)}
    longer = {**whole, "b": f"{whole['b']}x"}

    assert len(packed_spec(whole, frozenset()) or "") == 512
    assert packed_spec(longer, frozenset()) is None
