"""Our tag on jobs, and what is read from metadata that anybody may have written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ftctl.domain.spec_memory import packed_spec
from ftctl.providers.ownership import (
    OURS,
    PROJECT,
    RUN,
    SPEC,
    OwnershipTag,
    project_of,
    read_tag,
    tags_for,
)

often = settings(max_examples=200, deadline=None, derandomize=True, database=None)

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(sorted(OURS)), inner)
    ),
)


@given(junk)
@example({SPEC: "[" * 100_000})
@example({SPEC: "1" * 10_000})
@example({SPEC: '"\\ud800"'})
@example({1: 2, None: None})
@often
def test_no_metadata_is_too_odd_to_be_read(metadata: Any) -> None:
    tag = read_tag(metadata)

    assert isinstance(tag, OwnershipTag)
    assert not tag.own.keys() & OURS
    assert tag.spec is None or isinstance(tag.spec, dict)


@pytest.mark.parametrize("text", ["", "null", "[1]", '"text"', "{", "{'a': 1}", "1e999"])
def test_a_spec_that_is_no_mapping_is_no_spec(text: str) -> None:
    assert read_tag({SPEC: text}).spec is None


@given(
    st.text(min_size=1), *[st.none() | st.text(min_size=1)] * 3,
    st.dictionaries(st.text(max_size=20), st.integers() | st.text(max_size=20), max_size=5),
    st.dictionaries(st.text().filter(lambda key: key not in OURS), st.text()),
)  # fmt: skip
@often
def test_a_mark_reads_back_as_it_was_made(  # noqa: PLR0917 - hypothesis fills them in
    name: str,
    replaces: str | None,
    follows: str | None,
    environment: str | None,
    spec: dict[str, Any],
    own: dict[str, str],
) -> None:
    packed = packed_spec(spec, frozenset())

    tags = tags_for(
        "demo", name, "v1:0", spec=packed, commit="c0ffee", replaces=replaces, follows=follows,
        environment=environment,
    )  # fmt: skip

    remembered = json.loads(packed) if packed else None
    assert read_tag({**own, **tags}) == OwnershipTag(
        "demo", name, "v1:0", replaces, follows or replaces, environment, remembered, own
    )


def test_what_is_not_known_takes_no_pair() -> None:
    assert tags_for("demo", "tone", "v1:0") == {
        "ftctl_project": "demo",
        "ftctl_finetune": "tone",
        "ftctl_digest": "v1:0",
    }


def test_our_pairs_leave_room_for_ten_of_the_users() -> None:
    known = {"spec": "{}", "commit": "c0ffee", "replaces": "ftjob-1"}
    earlier = tags_for("demo", "tone", "v1:0", **known, follows="ftjob-1")
    now = tags_for("demo", "tone", "v1:0", **known, follows="ftjob-2", environment="prod")

    assert set(earlier) | set(now) == OURS
    assert set(earlier) == OURS - {RUN}  # as an earlier version reads it
    assert max(len(earlier), len(now)) + 10 <= 16


@pytest.mark.parametrize(
    ("metadata", "owner"),
    [
        ({PROJECT: "demo", "owner": "cx"}, "demo"), ({PROJECT: 7}, "7"), ({PROJECT: ""}, ""),
        ({PROJECT: None}, None), ({"owner": "cx"}, None), (None, None), ("demo", None),
    ],
)  # fmt: skip
def test_whose_a_job_is_stands_in_its_metadata_alone(metadata: Any, owner: str | None) -> None:
    assert project_of(metadata) == owner
