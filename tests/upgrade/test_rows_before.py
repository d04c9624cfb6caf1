"""What the steps of a Dataset made on 2026-11-30 they still make, byte for byte."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest

from ftctl.data.convert import materialise, recipe_of
from ftctl.data.convert.changed_rows import rows_before, was_possible
from ftctl.domain.desired import DataSource
from ftctl.errors import Span
from upgrade.freeze_rows import made

THEN = Path(__file__).parent / "2026-11-30" / "rows"
SOURCES = THEN / "sources"
CASES: dict[str, list[dict[str, Any]]] = {}
for _line in (THEN / "cases.jsonl").read_text("utf-8").splitlines():
    _case = json.loads(_line)
    CASES.setdefault(_case["source"], []).append(_case)
# What was not made as it was meant, so that today's code may do otherwise or refuse.
UNMEANT = re.compile(
    r".*-with-(system|label|tag|images?|videos|audios|weights?|tools|functions|calls|answers"
    r"|answer-texts|outputs?)|sharegpt-(preference|turns-weigh).*|chat-and-.*|cells-(list|one-text|history|system"
    r"|object|turns|images|squad).*|(list|texts|parts)[.]parquet|rows-labelled.*"
    r"|chat-(keys|dialect-parts|tool-use|gemini-parts|roles).*|preference-input-more.*"
)
MEANT = [source for source in CASES if not UNMEANT.match(source)]
_NEEDS = {".parquet": "pyarrow", ".xlsx": "openpyxl"}


def _lacks(source: str) -> bool:
    return importlib.util.find_spec(_NEEDS.get(Path(source).suffix, "json")) is None


def _hashes(source: str, steps: dict[str, Any]) -> dict[str, str] | None:
    parts = made(SOURCES / source, steps)
    if parts is None:
        return None
    return {part: hashlib.sha256(content).hexdigest() for part, content in parts.items()}


def test_every_made_text_has_its_hash() -> None:
    texts = [json.loads(line) for line in (THEN / "made.jsonl").read_text("utf-8").splitlines()]

    assert {one["sha256"] for one in texts} == {
        sha256 for cases in CASES.values() for case in cases for sha256 in case["parts"].values()
    }
    assert [hashlib.sha256(one["text"].encode()).hexdigest() for one in texts] == [
        one["sha256"] for one in texts
    ]


@pytest.mark.parametrize("source", MEANT)
def test_a_source_gives_the_bytes_that_it_gave(source: str) -> None:
    if _lacks(source):
        pytest.skip("the extra that reads it is not installed")

    cases = CASES[source]

    found = {case["name"]: _hashes(source, case["steps"]) for case in cases}
    assert found == {case["name"]: case["parts"] for case in cases}


@pytest.mark.parametrize("source", CASES)
def test_what_earlier_versions_made_of_a_source_is_known_for_ever(
    source: str, tmp_path: Path
) -> None:
    if _lacks(source):
        pytest.skip("the extra that reads it is not installed")
    path = SOURCES / source

    found = {}
    for case in CASES[source]:
        recipe = recipe_of(case["steps"])
        if was_possible(recipe):
            then = rows_before(path, source, recipe, tmp_path, keys=())
            parts = None if then is None else then.parts
            found[case["name"]] = parts and {part or "all": one for part, one in parts.items()}

    wanted = {case["name"]: case["parts"] for case in CASES[source] if "convert" in case["steps"]}
    assert found == wanted


@pytest.mark.parametrize("source", [source for source in CASES if UNMEANT.match(source)])
def test_where_a_source_gives_other_bytes_the_bytes_of_then_are_known(
    source: str, tmp_path: Path
) -> None:
    if _lacks(source):
        pytest.skip("the extra that reads it is not installed")
    named = DataSource("rows", SOURCES / source, source, Span("a.yaml", 1))

    for case in CASES[source]:
        if ": to " in case["name"]:
            continue  # of another form, out of the same rows
        recipe = recipe_of(case["steps"])
        part = "all" if recipe.split is None else recipe.split.part
        now = materialise(named, recipe, tmp_path, {})
        then = now.sha256 if now.before is None else now.before.sha256
        assert then == case["parts"][part], case["name"]
