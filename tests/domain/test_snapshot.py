"""A recorded snapshot reads back as it was."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import Scene, scenes

from ftctl.domain.observed import File, Job, JobError, Observed
from ftctl.domain.snapshot import observed_document, read_observed

often = settings(max_examples=150, deadline=None, derandomize=True, database=None)

words = st.text(max_size=8)
maybe = st.none() | words
pairs = st.dictionaries(words, words, max_size=2)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
)
jobs = st.builds(
    Job,
    id=words, status=words, created_at=st.integers(), finetune=maybe, digest=maybe,
    spec=st.none() | st.dictionaries(words, plain, max_size=2), replaces=maybe, model=maybe,
    base_model=maybe, error=st.none() | st.builds(JobError, words, words, maybe),
    training_file=maybe, validation_file=maybe,
    result_files=st.lists(words, max_size=2).map(tuple), metadata=pairs,
    trained_tokens=st.none() | st.integers(), finished_at=st.none() | st.integers(),
)  # fmt: skip
files = st.builds(
    File,
    id=words, name=words, bytes=st.integers(), created_at=st.integers(), sha256=maybe,
    digest=maybe, usable=st.booleans(),
)  # fmt: skip


def many(things: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(things, max_size=3).map(tuple)


snapshots = st.builds(
    Observed, many(jobs), many(files), st.none() | st.frozensets(words), many(jobs)
)


@given(snapshots)
@often
def test_a_snapshot_survives_being_written_and_read(observed: Observed) -> None:
    text = json.dumps(observed_document(observed))

    assert read_observed(json.loads(text)) == observed


@given(scenes())
@often
def test_a_recorded_snapshot_gives_the_same_plan(scene: Scene) -> None:
    text = json.dumps(observed_document(scene.observed))

    again = Scene(scene.desired, read_observed(json.loads(text)), scene.options)

    assert again.plan() == scene.plan()


def test_what_says_nothing_is_left_out() -> None:
    job = Job(
        "ftjob-1", "failed", 5, error=JobError("bad", "The file is bad."), metadata={"a": "b"}
    )
    file = File("file-1", "rows.jsonl", 10, 4, usable=False)

    assert observed_document(Observed((job,), (file,), None)) == {
        "jobs": [
            {
                "id": "ftjob-1",
                "status": "failed",
                "created_at": 5,
                "error": {"code": "bad", "message": "The file is bad."},
                "metadata": {"a": "b"},
            }
        ],
        "files": [
            {"id": "file-1", "name": "rows.jsonl", "bytes": 10, "created_at": 4, "usable": False}
        ],
        "models": None,
        "adopted": [],
    }


def test_an_empty_document_is_a_service_with_nothing_in_it() -> None:
    assert read_observed({}) == Observed()
