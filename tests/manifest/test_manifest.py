"""Documents out of YAML: values, the places that they keep, and every refusal."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ftctl.errors import Diagnostic, Span
from ftctl.manifest import CUT_SHORT, DEEPEST, Document, find_manifests, read_documents
from ftctl.manifest.scalars import Trap, read_scalar
from ftctl.text.invisible import first_hidden

UNSEEN = {"control-character", "invisible-character"}  # each is told, before anything is parsed


def read(tmp_path: Path, text: str | bytes, name: str = "m.yaml") -> tuple[Any, ...]:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_documents(path, name)


def only(tmp_path: Path, text: str | bytes, name: str = "m.yaml") -> Document:
    (document,), problems = read(tmp_path, text, name)
    assert problems == ()
    return document


def problems_of(tmp_path: Path, text: str | bytes, name: str = "m.yaml") -> list[str]:
    _, problems = read(tmp_path, text, name)
    return [f"{problem.span.line}:{problem.span.column} {problem.code}" for problem in problems]


def test_each_key_and_value_knows_where_it_stands(tmp_path: Path) -> None:
    text = "name: tone\nhyperparameters:\n  n_epochs: 3\ntags: [ci, {a: b}]\n"

    document = only(tmp_path, text)

    def at(line: int, column: int) -> Span:
        return Span("m.yaml", line, column)

    assert document.value == {
        "name": "tone",
        "hyperparameters": {"n_epochs": 3},
        "tags": ["ci", {"a": "b"}],
    }
    assert document.places == {
        (): at(1, 1),
        ("name",): at(1, 7),
        ("hyperparameters",): at(3, 3),
        ("hyperparameters", "n_epochs"): at(3, 13),
        ("tags",): at(4, 7),
        ("tags", 0): at(4, 8),
        ("tags", 1): at(4, 12),
        ("tags", 1, "a"): at(4, 16),
    }
    assert document.keys == {
        ("name",): at(1, 1),
        ("hyperparameters",): at(2, 1),
        ("hyperparameters", "n_epochs"): at(3, 3),
        ("tags",): at(4, 1),
        ("tags", 1, "a"): at(4, 13),
    }


def test_what_has_no_place_of_its_own_has_that_of_what_holds_it(tmp_path: Path) -> None:
    document = only(tmp_path, "a:\n  b: 1\n")

    assert document.place(("a", "missing", 3)) == Span("m.yaml", 2, 3)
    assert document.key_place(("missing",)) == Span("m.yaml", 1, 1)


def test_what_came_through_an_alias_has_the_place_of_the_alias(tmp_path: Path) -> None:
    document = only(tmp_path, "base: &base {n_epochs: 3}\nother: *base\n")

    assert document.value == {"base": {"n_epochs": 3}, "other": {"n_epochs": 3}}
    assert document.place(("other", "n_epochs")) == Span("m.yaml", 2, 8)


@pytest.mark.parametrize(
    ("merge", "merged"),
    [
        ("<<: *a", {"x": 1, "y": 9}),
        ("<<: [*a, *b]", {"x": 1, "z": 3, "y": 9}),
        ("<<: [*b, *a]", {"x": 2, "z": 3, "y": 9}),
        ("<<: *a\n  <<: *b", {"x": 1, "z": 3, "y": 9}),
    ],
)
def test_a_merge_key_adds_what_is_not_there_yet(
    tmp_path: Path, merge: str, merged: dict[str, int]
) -> None:
    text = f"a: &a {{x: 1, y: 1}}\nb: &b {{x: 2, z: 3}}\nc:\n  {merge}\n  y: 9\n"

    document = only(tmp_path, text)

    assert document.value["c"] == merged


def test_a_merged_mapping_of_its_own_brings_its_places(tmp_path: Path) -> None:
    document = only(tmp_path, "a:\n  <<: {x: 1}\n  y: 2\n")

    assert document.value == {"a": {"x": 1, "y": 2}}
    assert document.place(("a", "x")).line == 2


def test_a_file_may_hold_several_documents(tmp_path: Path) -> None:
    documents, problems = read(tmp_path, "---\nname: a\n---\n# nothing\n---\nname: b\n...\n")

    assert problems == ()
    assert [document.value for document in documents] == [{"name": "a"}, {"name": "b"}]
    assert [document.place().line for document in documents] == [2, 6]


def test_an_anchor_ends_with_its_document(tmp_path: Path) -> None:
    assert problems_of(tmp_path, "a: &a 1\n---\nb: *a\n") == ["3:4 yaml-alias"]


@pytest.mark.parametrize("text", ["", "\n", "# a comment\n", "---\n", "---\n...\n", "~\n"])
def test_a_file_without_content_holds_no_document(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == ((), ())


def test_json_is_read_as_json(tmp_path: Path) -> None:
    value = {"rate": 1e-4, "big": 2e5, "text": 'a\u00fc"\\\n', "list": [1, None, True, {}], "e": ""}

    document = only(tmp_path, json.dumps(value), "m.json")

    assert document.value == value


@pytest.mark.parametrize(
    ("escaped", "value"),
    [(r"\ud83d\uDE00", "😀"), (r"\\ud83d\\ude00", r"\ud83d\ude00"), (r"\/", "/"), (r"\u00e9", "é")],
)
def test_json_escapes_are_read_as_json_reads_them(tmp_path: Path, escaped: str, value: str) -> None:
    assert only(tmp_path, f'{{"a": "{escaped}"}}', "m.json").value == {"a": value}


def test_an_exponent_is_a_trap_in_yaml_only(tmp_path: Path) -> None:
    text = '{"rate": 1e-4}'

    assert problems_of(tmp_path, text) == ["1:10 yaml-exponent"]
    assert problems_of(tmp_path, text, "m.json") == []


def test_a_trap_is_remembered_so_that_nothing_else_complains(tmp_path: Path) -> None:
    (document,), problems = read(tmp_path, "a: no\nb: !x [1]\nc: *y\non: 1\n")

    assert [problem.code for problem in problems] == [
        "yaml-boolean",
        "yaml-tag",
        "yaml-alias",
        "yaml-boolean",
    ]
    assert document.trapped == {("a",), ("b",), ("c",), ("on",)}


@pytest.mark.parametrize("text", ["a: 'no'\nb: \"1e-4\"\n", "a: |-\n  no\nb: !!str 1e-4\n"])
def test_text_in_quotes_is_text(tmp_path: Path, text: str) -> None:
    assert only(tmp_path, text).value == {"a": "no", "b": "1e-4"}


def test_line_ends_of_other_systems_are_line_ends(tmp_path: Path) -> None:
    text = "a: 1\nb:\n  c: 2\n"

    document = only(tmp_path, text.replace("\n", "\r\n"))

    assert document == only(tmp_path, text)


def test_a_byte_order_mark_moves_no_column(tmp_path: Path) -> None:
    document = only(tmp_path, b"\xef\xbb\xbfa: 1\n")

    assert document.value == {"a": 1}
    assert document.key_place(("a",)) == Span("m.yaml", 1, 1)


def test_columns_count_characters_and_not_bytes(tmp_path: Path) -> None:
    document = only(tmp_path, "ü: {größe: 1, 名: 2}\n")

    assert document.key_place(("ü", "名")) == Span("m.yaml", 1, 15)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: 1\na: 2\n", "2:1 repeated-key"),
        ("a: {b: 1, b: 2}\n", "1:11 repeated-key"),
        ("1: a\n", "1:1 yaml-key"),
        ("? [a]\n: b\n", "1:3 yaml-key"),
        ("a: !env HOME\n", "1:4 yaml-tag"),
        ("a: !!python/name:os.system ''\n", "1:4 yaml-tag"),
        ("a: !!int '3'\n", "1:4 yaml-tag"),
        ("a: *b\n", "1:4 yaml-alias"),
        ("a: &a [*a]\n", "1:8 yaml-alias"),
        ("a:\n\tb: 1\n", "2:1 yaml-tab"),
        ("a: [1\n", "2:1 yaml-syntax"),
        ('a: "b\n', "1:4 yaml-syntax"),
        ("a: b: c\n", "1:5 yaml-syntax"),
        ("a: x\x00y\n", "1:5 control-character"),
        ("# \u2029\n", "1:3 control-character"),
        ("# a\n\x07", "2:1 control-character"),
        ('a: "\\ud83d"\n', "1:7 yaml-syntax"),
        (b"a: 1\nb: \xc3\xbc\xff\n", "2:5 not-utf-8"),
        ("[" * (DEEPEST + 1), f"1:{DEEPEST + 1} yaml-too-large"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(
    tmp_path: Path, text: str | bytes, found: str
) -> None:
    assert problems_of(tmp_path, text) == [found]


@pytest.mark.parametrize("loader", ["libyaml", "python"])
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: " + "[" * 5_000, "1:67 yaml-too-large"),
        ("a: " + "{" * 5_000, "1:67 yaml-too-large"),
        ("a: " + "[{" * 5_000, "1:67 yaml-too-large"),
        ("a: " + "[" * 999, "1:67 yaml-too-large"),
        ("a: " + "[" * 1_000 + "]" * 1_000, "1:67 yaml-too-large"),
        ("\u00e9: no\n---\nb: " + "[" * 5_000, "3:67 yaml-too-large"),
        ("a: 1\n" + "[" * 5_000, "2:1026 yaml-syntax"),
        ("- " * 5_000, "1:129 yaml-too-large"),
        ("? " * 5_000, "1:129 yaml-too-large"),
        ('{"a":' * 5_000, "1:321 yaml-too-large"),
    ],
)
def test_depth_is_refused_in_one_place_by_every_parser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loader: str, text: str, found: str
) -> None:
    if loader == "python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)

    problems = problems_of(tmp_path, text)

    assert problems[-1] == found
    assert len(problems) == len(set(problems))  # nothing is read and reported twice


def test_the_first_of_two_equal_keys_counts_and_the_second_is_told_of_it(tmp_path: Path) -> None:
    (document,), problems = read(tmp_path, "a: 1\nb: 2\na: 3\n")

    assert document.value == {"a": 1, "b": 2}
    assert problems == (
        Diagnostic(
            "repeated-key",
            "the key 'a' stands twice in one mapping",
            Span("m.yaml", 3, 1),
            "it already stands in line 1; keep one",
        ),
    )


def test_documents_before_a_fault_are_kept(tmp_path: Path) -> None:
    documents, problems = read(tmp_path, "a: 1\n---\nb: [\n")

    assert [document.value for document in documents] == [{"a": 1}]
    assert [problem.code for problem in problems] == ["yaml-syntax"]


def test_a_document_that_text_runs_on_behind_is_not_kept(tmp_path: Path) -> None:
    documents, problems = read(tmp_path, "{a: 1}\nb: 2\n")

    assert documents == ()
    assert [problem.message for problem in problems] == ["the document ends before this"]


def test_aliases_that_multiply_are_stopped_before_they_fill_the_memory(tmp_path: Path) -> None:
    names = "abcdefghij"
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]" for before, name in pairwise(names)
    ]

    codes = problems_of(tmp_path, "\n".join(lines))

    assert codes == ["5:44 yaml-too-large"]


def test_merged_aliases_that_multiply_are_stopped_too(tmp_path: Path) -> None:
    lines = ["a0: &a0 {k: [" + "x," * 1000 + "]}"]
    lines += [f"a{n}: &a{n} {{k: [*a{n - 1}, *a{n - 1}], <<: *a{n - 1}}}" for n in range(1, 30)]

    codes = problems_of(tmp_path, "\n".join(lines))

    assert [code.split()[1] for code in codes] == ["yaml-too-large"]


@pytest.mark.parametrize(("make", "message"), [
    (lambda path: path.mkdir(), "the file is not a regular file"),
    (lambda _path: None, "the file does not exist"),
])  # fmt: skip
def test_what_is_no_file_is_told(tmp_path: Path, make: Any, message: str) -> None:
    path = tmp_path / "m.yaml"
    make(path)

    documents, problems = read_documents(path, "m.yaml")

    assert documents == ()
    assert problems == (Diagnostic("unreadable-file", message, Span("m.yaml")),)


def test_manifests_are_found_at_any_depth_by_path_and_hidden_ones_are_not(tmp_path: Path) -> None:
    names = ["b.yaml", "a/z.yml", "a/b/c.json", ".x.yaml", ".git/d.yaml", "a/.e/f.yaml", "g.txt"]
    for name in [*names, "b.yaml~", "dir.yaml/h.yaml"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    found = find_manifests(tmp_path).files

    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        "a/b/c.json",
        "a/z.yml",
        "b.yaml",
        "dir.yaml/h.yaml",
    ]


YAML_LIKE = st.lists(
    st.sampled_from(
        ["a", "b: ", "- ", "\n", "\n  ", "\n    ", "{", "}", "[", "]", ", ", ": ", "? ", "*x",
         "&x ", "<<: ", "!t ", "!!int ", "'", '"', "|\n", ">-\n", "# c", "---\n", "...\n",
         "%YAML 1.2\n",
         "\t", "no", "1e4", "012", "\x85", "\u2028", "\ufeff", "é", "\r\n", "\r", "@", "\\", "~"]
    ),
    max_size=25,
).map("".join)  # fmt: skip


def _exists(span: Span, text: str) -> bool:
    """Whether the text has such a line and column; an end of a line counts as a column."""
    if span.line is None:
        return span.column is None
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return (
        1 <= span.line <= len(lines)
        and span.column is not None
        and 1 <= span.column <= len(lines[span.line - 1]) + 1
    )


@given(YAML_LIKE | st.text(max_size=60))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example("a\x85b: [")
@example("a: '\u2028' \n b: [")
def test_any_text_gives_documents_and_problems_whose_places_exist(
    tmp_path: Path, text: str
) -> None:
    raw = text.encode("utf-8", "surrogatepass")

    documents, problems = read(tmp_path, raw)

    text = text.removeprefix("\ufeff")
    for document in documents:
        spans = [*document.places.values(), *document.keys.values()]
        assert [span for span in spans if not _exists(span, text)] == []
        assert document.places[()] in spans
    assert [problem for problem in problems if not _exists(problem.span, text)] == []


@given(st.binary(max_size=80))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(b"\xff\xfea\x00")
@example(b"a: \xed\xa0\x80")
def test_any_bytes_give_documents_or_problems(tmp_path: Path, raw: bytes) -> None:
    documents, problems = read(tmp_path, raw)

    assert all(isinstance(document, Document) for document in documents)
    assert sum(problem.code in CUT_SHORT - UNSEEN for problem in problems) <= 1


JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(max_size=6).filter(lambda key: key != "<<"), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def test_text_with_a_nul_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text('source: "a\\0b"\n', "utf-8")

    documents, problems = read_documents(path, "m.yaml")

    assert [document.value for document in documents] == [{"source": "ab"}]
    assert [(one.code, one.span) for one in problems] == [
        ("control-character", Span("m.yaml", 1, 11))
    ]


def _seen(value: Any) -> Any:
    """The value without what nobody sees, and without keys that pass for others."""
    match value:
        case dict():
            return {key.encode("ascii", "ignore").decode(): _seen(one) for key, one in value.items()
                    if first_hidden(key) is None}  # fmt: skip
        case list():
            return [_seen(one) for one in value]
        case str():
            return "" if first_hidden(value) is not None else value
    return value


@given(JSON_LIKE.filter(lambda value: value is not None).map(_seen))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_json_file_has_the_values_that_json_gives_it(tmp_path: Path, value: Any) -> None:
    document = only(tmp_path, json.dumps(value), "m.json")

    assert json.dumps(document.value) == json.dumps(value)


@given(st.text("abc019.e-+_:", min_size=1, max_size=8).filter(lambda text: text[-1] != ":"))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_plain_value_in_a_file_is_what_its_text_stands_for(tmp_path: Path, text: str) -> None:
    expected = read_scalar(text)

    documents, problems = read(tmp_path, f"key: {text}\n")

    if isinstance(expected, Trap):
        assert [problem.code for problem in problems] == [expected.code]
        assert [document.value for document in documents] == [{"key": expected.meant}]
    elif problems == ():
        assert [document.value for document in documents] == [{"key": expected}]
    else:  # such as a lone dash, which begins a list
        assert [problem.code for problem in problems] == ["yaml-syntax"]
