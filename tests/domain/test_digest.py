"""The digest decides what is bought: what leaves it alone, and what must change it.

Each of these runs through real files and an open session, as `plan` does.
"""

from __future__ import annotations

import hashlib
import json
import random
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import chat_rows, preference_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from ftctl.domain.digest import (
    Run,
    canonical_json,
    file_name,
    job_hash,
    read_file_name,
    read_run,
    spec_digest,
)
from ftctl.engine.workspace import Workspace
from ftctl.manifest.schema import load_schema

ROWS = {
    "supervised": chat_rows(12),
    "dpo": preference_rows(12),
    "reinforcement": "".join(
        json.dumps({"messages": [{"role": "user", "content": f"{n} + 1?"}], "answer": n + 1}) + "\n"
        for n in range(12)
    ),
}
GRADER: dict[str, Any] = {
    "type": "string_check",
    "name": "exact",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "operation": "eq",
}
SCORE: dict[str, Any] = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4.1-2025-04-14",
    "input": [{"role": "user", "content": "Score: {{sample.output_text}}"}],
}


def finetune(method: str = "supervised", **fields: Any) -> dict[str, Any]:
    value: dict[str, Any] = {
        "apiVersion": "ftctl/v1",
        "kind": "FineTune",
        "name": "tone",
        "base_model": "gpt-4.1-mini-2025-04-14",
        "training": {"source": "../data/train.jsonl"},
    }
    if method != "supervised":
        value["method"] = method
    if method == "reinforcement":
        value |= {"grader": GRADER, "validation": {"source": "../data/train.jsonl"}}
    return {**value, **fields}


def files_of(
    manifest: Mapping[str, Any] | str, *more: Mapping[str, Any], rows: str | None = None
) -> dict[str, str]:
    """A project with these documents, the first one a FineTune (or the text of one)."""
    method = "supervised" if isinstance(manifest, str) else manifest.get("method", "supervised")
    text = manifest if isinstance(manifest, str) else yaml.safe_dump(manifest, sort_keys=False)
    documents = [text, *(yaml.safe_dump(dict(one)) for one in more)]
    return {
        "ftctl.yaml": "project: demo\n",
        "finetunes/tone.yaml": "---\n".join(documents),
        "data/train.jsonl": ROWS[method] if rows is None else rows,
    }


def digest_of(files: Mapping[str, str]) -> str:
    """The digest of the only fine-tune in a project of these files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        desired = Workspace.open(folder, environ={}).session().desired
    (found,) = desired.finetunes
    return found.digest


def digest(manifest: Mapping[str, Any] | str, *more: Mapping[str, Any]) -> str:
    return digest_of(files_of(manifest, *more))


def test_a_digest_is_a_version_and_a_hash_and_stays_what_it_was() -> None:
    sha256 = hashlib.sha256(ROWS["supervised"].encode()).hexdigest()
    material = f'{{"base_model":"gpt-4.1-mini-2025-04-14","seed":7,"training":"{sha256}"}}'

    found = digest(finetune(seed=7))

    assert found == f"v1:{hashlib.sha256(material.encode()).hexdigest()}"


# What trains the same model.

HYPERPARAMETERS: dict[str, Any] = {
    "supervised": {"n_epochs": 3, "batch_size": 4, "learning_rate_multiplier": 0.5},
    "dpo": {"n_epochs": 3, "batch_size": 4, "learning_rate_multiplier": 0.5, "beta": 0.2},
    "reinforcement": {
        "n_epochs": 3,
        "batch_size": 4,
        "learning_rate_multiplier": 0.5,
        "compute_multiplier": 2,
        "eval_interval": 5,
        "eval_samples": 2,
        "reasoning_effort": "low",
    },
}
METHODS = sorted(HYPERPARAMETERS)
FULL = finetune(
    seed=7,
    hyperparameters=HYPERPARAMETERS["supervised"],
    extra={"trainingType": "Standard", "lora": {"r": 8, "alpha": [1, 2]}},
)


def shuffled(value: Any, order: random.Random) -> Any:
    match value:
        case dict():
            keys = order.sample(sorted(value), len(value))
            return {key: shuffled(value[key], order) for key in keys}
        case list():
            return [shuffled(entry, order) for entry in value]
    return value


@given(st.randoms(use_true_random=False), st.sampled_from(METHODS))
@settings(max_examples=15, deadline=None)
def test_the_order_of_keys_does_not_count(order: random.Random, method: str) -> None:
    full = finetune(method, seed=7, hyperparameters=HYPERPARAMETERS[method], extra=FULL["extra"])

    assert digest(shuffled(full, order)) == digest(full)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(yaml.safe_dump(FULL, default_flow_style=True), id="flow style"),
        pytest.param(yaml.safe_dump(FULL).replace("tone", "'tone'"), id="quotes"),
        pytest.param(json.dumps(FULL, indent=2), id="json"),
        pytest.param("# by hand\n" + yaml.safe_dump(FULL).replace("\n", " # yes\n"), id="comments"),
        pytest.param(yaml.safe_dump(FULL).replace("\n", "\r\n"), id="crlf"),
        pytest.param("\ufeff" + yaml.safe_dump(FULL), id="byte order mark"),
        pytest.param(yaml.safe_dump(FULL).replace("seed: 7", "seed: 0x7"), id="hexadecimal"),
        pytest.param(yaml.safe_dump(FULL).replace(": 0.5", ": 0.50"), id="trailing zero"),
        pytest.param(yaml.safe_dump(FULL).replace("r: 8", "r: &r 8"), id="anchor"),
    ],
)
def test_spelling_does_not_count(text: str) -> None:
    assert digest(text) == digest(FULL)


def defaults_of(method: str) -> dict[str, Any]:
    """Each hyperparameter of a method with its default, out of the schema."""
    defs = load_schema("finetune")["$defs"]
    names = defs[f"{method}-hyperparameters"]["properties"]
    return {name: defs[name]["default"] for name in names}


SPELT_OUT = [
    (method, name, value) for method in METHODS for name, value in defaults_of(method).items()
]


@pytest.mark.parametrize(("method", "name", "value"), SPELT_OUT)
def test_a_default_of_a_hyperparameter_may_be_spelt_out(method: str, name: str, value: Any) -> None:
    assert digest(finetune(method, hyperparameters={name: value})) == digest(finetune(method))


@given(st.sets(st.sampled_from(SPELT_OUT)), st.sampled_from(METHODS))
@settings(max_examples=15, deadline=None)
def test_any_number_of_defaults_may_be_spelt_out(
    chosen: set[tuple[str, str, Any]], method: str
) -> None:
    spelt = {name: value for of, name, value in chosen if of == method}
    some = {key: value for key, value in HYPERPARAMETERS[method].items() if key not in spelt}

    found = digest(finetune(method, hyperparameters={**spelt, **some}))

    assert found == digest(finetune(method, hyperparameters=some))


@pytest.mark.parametrize(
    ("spelt", "short"),
    [
        (finetune(hyperparameters={}), finetune()),
        (finetune(method="supervised"), finetune()),
        (finetune(keep=2), finetune()),
        (finetune("reinforcement", grader={**SCORE, "range": [0, 1]}),
         finetune("reinforcement", grader=SCORE)),
        (finetune("reinforcement", grader={**SCORE, "range": [0.0, 1.0]}),
         finetune("reinforcement", grader=SCORE)),
    ],
    ids=["hyperparameters", "method", "keep", "range", "range as floats"],
)  # fmt: skip
def test_a_default_may_be_spelt_out(spelt: dict[str, Any], short: dict[str, Any]) -> None:
    assert digest(spelt) == digest(short)


def test_a_field_of_the_service_is_sent_even_where_it_looks_like_a_default() -> None:
    assert digest(finetune(extra={"batch_size": "auto"})) != digest(finetune(extra={"batch": 1}))
    assert digest(finetune(extra={"batch_size": "auto"})) != digest(finetune())


def test_a_whole_number_is_the_same_with_a_point() -> None:
    whole = {"n_epochs": 3, "batch_size": 4, "learning_rate_multiplier": 2}
    pointed = {name: float(value) for name, value in whole.items()}

    assert digest(finetune(hyperparameters=pointed)) == digest(finetune(hyperparameters=whole))
    assert digest(finetune(extra={"lora": [8.0]})) == digest(finetune(extra={"lora": [8]}))


def test_a_setting_may_come_from_the_defaults_of_the_project() -> None:
    bare = finetune()
    del bare["base_model"]
    project = {
        "project": "demo",
        "defaults": {
            "base_model": "gpt-4.1-mini-2025-04-14",
            "hyperparameters": HYPERPARAMETERS["supervised"],
        },
    }

    found = digest_of({**files_of(bare), "ftctl.yaml": yaml.safe_dump(project)})

    assert found == digest(finetune(hyperparameters=HYPERPARAMETERS["supervised"]))


def test_the_name_of_a_data_file_does_not_count() -> None:
    files = files_of(finetune(training={"source": "../elsewhere/rows.jsonl"}))
    files["elsewhere/rows.jsonl"] = files.pop("data/train.jsonl")

    assert digest_of(files) == digest(finetune())


def test_the_name_of_a_manifest_file_does_not_count() -> None:
    files = files_of(finetune())
    files["finetunes/a/b.yml"] = files.pop("finetunes/tone.yaml").replace("../", "../../")

    assert digest_of(files) == digest(finetune())


def test_the_name_of_the_project_does_not_count() -> None:
    files = {**files_of(finetune()), "ftctl.yaml": "project: other\n"}

    assert digest_of(files) == digest(finetune())


@pytest.mark.parametrize("name", ["chats", "other"])
def test_a_dataset_may_stand_inline_or_have_any_name(name: str) -> None:
    dataset = {
        "apiVersion": "ftctl/v1",
        "kind": "Dataset",
        "name": name,
        "description": "Rows.",
        "source": "../data/train.jsonl",
    }

    assert digest(finetune(training=name), dataset) == digest(finetune())


def test_a_pin_does_not_count() -> None:
    sha256 = hashlib.sha256(ROWS["supervised"].encode()).hexdigest()
    pinned = {"source": "../data/train.jsonl", "sha256": sha256}

    assert digest(finetune(training=pinned)) == digest(finetune())


COSMETIC: dict[str, Any] = {
    "name": "other",
    "description": "A sentence.",
    "suffix": "tone-2",
    "integrations": {"wandb": {"project": "tone"}},
    "metadata": {"owner": "cx"},
    "keep": 7,
    "adopt": "ftjob-123",
    "validation": {"source": "../data/train.jsonl"},
}


def test_the_cosmetic_fields_here_are_all_that_there_are() -> None:
    rules = load_schema("finetune")["properties"]

    marked = {name for name, rule in rules.items() if rule.get("x-cosmetic")}

    assert set(COSMETIC) == marked - {"apiVersion", "kind"}


@given(st.sets(st.sampled_from(sorted(COSMETIC)), min_size=1))
@settings(max_examples=15, deadline=None)
def test_a_cosmetic_field_does_not_count(names: set[str]) -> None:
    changed = {name: COSMETIC[name] for name in names}

    assert digest(finetune(**changed)) == digest(finetune())


def test_the_rows_that_a_model_is_measured_on_do_not_count() -> None:
    held_out = finetune("reinforcement", validation={"source": "../data/held-out.jsonl"})
    files = files_of(held_out)
    files["data/held-out.jsonl"] = ROWS["reinforcement"].replace("?", "!")

    assert digest_of(files) == digest(finetune("reinforcement"))


# What trains another model.


@given(st.integers(0, len(ROWS["supervised"]) - 1))
@settings(max_examples=15, deadline=None)
def test_one_byte_of_training_data_counts(number: int) -> None:
    rows = ROWS["supervised"]
    ends = [index for index, character in enumerate(rows) if character == "?"]
    at = ends[number % len(ends)]

    found = digest_of(files_of(finetune(), rows=f"{rows[:at]}!{rows[at + 1 :]}"))

    assert found != digest(finetune())


@pytest.mark.parametrize("rows", [
    ROWS["supervised"].replace("\n", "\r\n"),
    ROWS["supervised"].removesuffix("\n"),
    ROWS["supervised"].replace(": ", ":"),
    "".join(reversed(ROWS["supervised"].splitlines(keepends=True))),
    chat_rows(13),
], ids=["crlf", "last line end", "spaces", "order", "a row more"])  # fmt: skip
def test_the_bytes_of_training_data_count_and_not_their_meaning(rows: str) -> None:
    assert digest_of(files_of(finetune(), rows=rows)) != digest(finetune())


OTHER: dict[str, Any] = {
    "n_epochs": 4,
    "batch_size": 8,
    "learning_rate_multiplier": 0.25,
    "beta": 0.3,
    "compute_multiplier": 1.5,
    "eval_interval": 6,
    "eval_samples": 3,
    "reasoning_effort": "high",
}


@pytest.mark.parametrize(("method", "name", "default"), SPELT_OUT)
def test_every_hyperparameter_counts(method: str, name: str, default: Any) -> None:
    full = HYPERPARAMETERS[method]
    settings_ = [full, {**full, name: OTHER[name]}, {**full, name: default}]

    found = [digest(finetune(method, hyperparameters=one)) for one in settings_]

    assert len(set(found)) == 3


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (finetune(), finetune(base_model="gpt-4.1-2025-04-14")),
        (finetune(), finetune(seed=0)),
        (finetune(seed=0), finetune(seed=1)),
        (finetune(), finetune(extra={"trainingType": "Standard"})),
        (finetune(extra={"a": 1}), finetune(extra={"a": 2})),
        (finetune(extra={"a": 1}), finetune(extra={"a": "1"})),
        (finetune(extra={"a": 1}), finetune(extra={"a": True})),
        (finetune(extra={"a": [1, 2]}), finetune(extra={"a": [2, 1]})),
        (finetune(extra={"a": None}), finetune(extra={"a": {}})),
        (finetune("reinforcement"),
         finetune("reinforcement", grader={**GRADER, "operation": "ilike"})),
        (finetune("reinforcement"), finetune("reinforcement", grader={**GRADER, "name": "same"})),
        (finetune("reinforcement"), finetune("reinforcement", grader=SCORE)),
        (finetune("reinforcement", grader=SCORE),
         finetune("reinforcement", grader={**SCORE, "range": [0, 2]})),
    ],
)  # fmt: skip
def test_a_material_field_counts(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert digest(one) != digest(other)


def test_the_method_counts_even_with_equal_data() -> None:
    material = {"base_model": "m", "training": "0" * 64}

    found = {spec_digest({**material, **more}) for more in ({}, {"method": "dpo"})}

    assert len(found) == 2


# The canonical text and the names of files.

SPECS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@given(st.dictionaries(st.text(max_size=5), SPECS, max_size=5))
def test_canonical_json_reads_back_as_what_it_was(value: dict[str, Any]) -> None:
    text = canonical_json(value)

    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_json_has_no_word_for_has_no_canonical_text(number: float) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        canonical_json({"a": number})


NAMES = st.from_regex(r"[a-z0-9][a-z0-9-]{0,39}", fullmatch=True)
HASHES = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)


RUNS = st.builds(
    Run,
    st.none() | st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True),
    st.none() | st.text().map(job_hash),
    st.booleans(),
).map(lambda run: run if run.follows else run._replace(replaces=False))


@given(NAMES, NAMES, HASHES, st.none() | HASHES.map("v1:{}".format), RUNS)
def test_the_name_of_an_upload_tells_whose_it_is(
    project: str, name: str, sha256: str, job: str | None, run: Run
) -> None:
    found = read_file_name(file_name(project, name, sha256, job, str(run)))

    assert found == (project, name, sha256, job, str(run) if job else "")
    assert read_run(found.run) == (run if job else Run())


@given(st.text(max_size=100) | st.from_regex(r"ftctl\.[a-z.]+\.[0-9a-f]{60,66}\.jsonl?"))
def test_the_name_of_any_other_file_tells_nothing(name: str) -> None:
    found = read_file_name(name)

    assert found is None or name == file_name(*found)
