"""What read_dataset says about whole files and about each line as text."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ftctl.data.formats import CODES, EVIDENCE, WARNINGS
from ftctl.data.formats.keys import repeated_keys
from ftctl.data.formats.lines import Line, LineReader
from ftctl.data.formats.reserved_tokens import REFUSED_CODE
from ftctl.data.scanning import MAX_FILE_BYTES, read_dataset
from ftctl.domain.desired import Dataset
from ftctl.errors import Diagnostic, Span

REAL = Path(__file__).parents[3] / "shared" / "data" / "emotion"

CHAT = b'{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}'
SECRET = "zebra-crossing"


def file_of(tmp_path: Path, *lines: bytes, end: bytes = b"\n") -> Path:
    path = tmp_path / "train.jsonl"
    path.write_bytes(b"\n".join(lines) + end)
    return path


def found(path: Path, method=None) -> list[tuple[str, int | None, str]]:
    _, problems = read_dataset("train", path, "train.jsonl", method)
    return [(problem.code, problem.span.line, problem.message) for problem in problems]


def codes(path: Path, method=None) -> list[str]:
    return [code for code, _, _ in found(path, method)]


@pytest.mark.parametrize(("file", "rows"), [("train.jsonl", 480), ("validation.jsonl", 120)])
def test_real_data_reads_clean(file, rows):
    path = REAL / file
    if not path.is_file():
        pytest.skip(f"the shared data is not here: {path}")

    dataset, problems = read_dataset("emotion", path, f"data/{file}", "supervised")

    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    assert problems == ()
    assert dataset == Dataset("emotion", f"data/{file}", sha256, rows, len(content), "chat")


def test_a_problem_carries_place_cause_and_cure(tmp_path):
    path = file_of(tmp_path, CHAT, CHAT.replace(b'"a"}', b'"a", "wieght": 1}'), *[CHAT] * 8)

    dataset, problems = read_dataset("train", path, "data/train.jsonl", "supervised")

    assert dataset is None
    assert problems == (
        Diagnostic(
            "unknown-key",
            "unknown key 'wieght' in messages[1]",
            Span("data/train.jsonl", 2),
            "did you mean 'weight'?",
        ),
    )


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"", "empty-file", None),
        (b"\n \r\n\n", "empty-file", None),
        (b"\xef\xbb\xbf", "empty-file", None),
        (gzip.compress(CHAT, mtime=0), "compressed-file", None),
        (b"PK\x03\x04...", "compressed-file", None),
        ((CHAT.decode() + "\n").encode("utf-16"), "wrong-encoding", None),
        ((CHAT.decode() + "\n").encode("utf-16-le"), "wrong-encoding", None),
        ((CHAT.decode() + "\n").encode("utf-32-be"), "wrong-encoding", None),
        (b"\x7fELF\0\0\0\n", "binary-file", None),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "pointer-file", None),
        (b"outs:\n- md5: 0\n  path: train.jsonl\n", "pointer-file", None),
        (b"[\n" + CHAT + b"\n]\n", "json-not-lines", 1),
        (json.dumps([json.loads(CHAT)] * 3).encode(), "json-not-lines", 1),
        (json.dumps(json.loads(CHAT), indent=2).encode(), "json-not-lines", 1),
    ],
)
def test_a_file_that_is_not_rows_is_told_once(tmp_path, content, code, line):
    path = tmp_path / "train.jsonl"
    path.write_bytes(content)

    dataset, problems = read_dataset("train", path, "train.jsonl")

    told = [problem for problem in problems if problem.severity == "error"]
    assert dataset is None
    assert [(problem.code, problem.span.line) for problem in told] == [(code, line)]
    assert told[0].hint


def test_a_missing_file_is_told_with_its_path(tmp_path):
    dataset, problems = read_dataset("train", tmp_path / "no.jsonl", "data/no.jsonl")

    assert dataset is None
    assert "\n".join(str(problem) for problem in problems) == (
        "data/no.jsonl: error[missing-file]: there is no file at this path\n"
        "    hint: check the path; it is relative to its manifest"
    )


def test_a_missing_file_that_dvc_keeps_says_dvc_pull(tmp_path):
    (tmp_path / "train.jsonl.dvc").write_text("outs:\n- md5: 0\n")

    _, problems = read_dataset("train", tmp_path / "train.jsonl", "train.jsonl")

    assert problems[0].hint == "DVC keeps it: dvc pull train.jsonl.dvc"


def test_what_is_not_a_regular_file_is_refused_without_reading(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    assert found(tmp_path) == [("not-a-regular-file", None, "the path is a directory, not a file")]
    assert found(tmp_path / "pipe")[0][2] == "the path is a pipe, not a file"
    assert found(Path("/dev/null"))[0][2] == "the path is a device, not a file"


def test_a_file_that_fails_while_it_is_read_is_a_problem():
    path = Path("/proc/self/mem")  # a regular file whose first byte cannot be read
    if not path.is_file():
        pytest.skip("no /proc here")

    assert codes(path) == ["unreadable-file"]


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, "loop", ""])
def test_a_path_that_cannot_be_opened_is_a_problem(tmp_path, name):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")

    dataset, problems = read_dataset("train", tmp_path / name, "train.jsonl")

    assert dataset is None
    assert len(problems) == 1


def test_a_file_over_the_limit_is_not_read(tmp_path):
    path = tmp_path / "train.jsonl"
    with path.open("wb") as stream:
        stream.truncate(MAX_FILE_BYTES + 1)  # sparse: takes no room

    assert found(path) == [
        (
            "file-too-large",
            None,
            "the file has 536,870,913 bytes; the service takes at most 536,870,912 (512 MB)",
        )
    ]


def test_a_byte_order_mark_is_a_warning_and_part_of_the_content(tmp_path):
    path = file_of(tmp_path, b"\xef\xbb\xbf" + CHAT, *[CHAT] * 9)

    dataset, problems = read_dataset("train", path, "train.jsonl")

    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    assert [(p.code, p.severity) for p in problems] == [("byte-order-mark", "warning")]
    assert dataset == Dataset("train", "train.jsonl", sha256, 10, len(content), "chat")


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n", b"\r\n \r\n"])
def test_line_ends_and_a_blank_end_do_not_matter(tmp_path, end):
    path = file_of(tmp_path, *[CHAT + b"\r"] * 9, CHAT, end=end)

    dataset, problems = read_dataset("train", path, "train.jsonl")

    assert problems == ()
    assert dataset is not None
    assert dataset.examples == 10


def test_a_run_of_blank_lines_is_told_at_its_first(tmp_path):
    path = file_of(tmp_path, CHAT, b"", b" ", *[CHAT] * 8, b"", CHAT)

    assert found(path) == [
        ("blank-line", 2, "2 blank lines before a row"),
        ("blank-line", 12, "a blank line before a row"),
    ]


LINES = {
    "utf-8": (b'{"prompt": "\xc3\xa9\xe9"}', "not-utf-8", 14),
    "surrogate bytes": (b'{"prompt": "\xed\xa0\x80"}', "not-utf-8", 13),
    "nul": (b'{"prompt": "\0"}', "nul-byte", None),
    "mark": (b"\xef\xbb\xbf" + CHAT, "stray-byte-order-mark", None),
    "two rows": (CHAT + CHAT, "not-json", len(CHAT) + 1),
    "comma": (CHAT + b",", "not-json", len(CHAT) + 1),
    "python": (b"{'messages': []}", "not-json", 2),
    "control character": (b'{"prompt": "a\x01"}', "not-json", 14),
    "nan": (b'{"messages": NaN}', "nan-or-infinity", None),
    "infinity": (b'{"messages": -Infinity}', "nan-or-infinity", None),
    "float": (b'{"messages": 1e999}', "number-out-of-range", None),
    "whole": (b'{"messages": ' + b"9" * 5000 + b"}", "number-out-of-range", None),
    "deep": (b'{"messages": ' + b"[" * 200_000, "nesting-too-deep", None),
    "list": (b"[1, 2]", "row-not-object", None),
    "null": (b"null", "row-not-object", None),
    "escape": (CHAT.replace(b'"q"', b'"\\ud83d"'), "lone-surrogate", None),
    "escaped order": (CHAT.replace(b'"q"', b'"\\ude00\\ud83d"'), "lone-surrogate", None),
    "hidden escape": (CHAT.replace(b'"q"', b'"\\\\ud83d\\ude00"'), "lone-surrogate", None),
}


@pytest.mark.parametrize(("line", "code", "column"), LINES.values(), ids=LINES)
def test_a_line_that_is_no_row_is_told_with_its_number(tmp_path, line, code, column):
    path = file_of(tmp_path, CHAT, line, *[CHAT] * 8)

    _, problems = read_dataset("train", path, "train.jsonl")

    assert [(p.code, p.span) for p in problems] == [(code, Span("train.jsonl", 2, column))]
    assert problems[0].hint


@pytest.mark.parametrize("text", [b'"\\ud83d\\ude00"', b'"\\\\ud83d"', b'"\\ud55c"'])
def test_whole_surrogate_pairs_are_fine(tmp_path, text):
    assert codes(file_of(tmp_path, *[CHAT.replace(b'"q"', text)] * 10)) == []


@pytest.mark.parametrize(
    "row",
    [
        CHAT[:-1] + b', "messages": []}',
        CHAT[:-1] + b', "messages" : []}',
        CHAT[:-1] + b',"messages"\t:[]}',
        CHAT.replace(b'"content": "a"', b'"content": "\\":", "content":"a"'),
        CHAT.replace(b'"content": "a"', b'"content": "a\\\\", "content":"a"'),
        CHAT.replace(b'"content": "a"', b'"content": ": a", "content": "\\": \\":"'),
        CHAT.replace(b'"content": "a"', b'"content": "x", "\\u0063ontent": "a"'),
    ],
)
def test_a_repeated_key_is_found_however_it_is_written(tmp_path, row):
    assert "repeated-key" in codes(file_of(tmp_path, row, *[CHAT] * 9))


@pytest.mark.parametrize(
    "text", [b"key: value", b": a", b'\\": b', b"a\\\\", b'{\\"a\\" : 1}', b"a :", b'\\\\\\":']
)
def test_a_text_that_looks_like_keys_repeats_none(tmp_path, text):
    row = CHAT.replace(b'"q"', b'"' + text + b'"')

    assert codes(file_of(tmp_path, *[row] * 10)) == []


keys = st.text(alphabet='ab\\": \t', max_size=3)
values = st.recursive(
    st.text(alphabet='ab\\": {},', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(keys, inner), max_size=3),
)


def written(value: object, colon: str) -> str:
    """JSON text in which a list of pairs is an object, its keys as often as given."""
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, list) and value and all(isinstance(item, tuple) for item in value):
        inner = (f"{json.dumps(key)}{colon}{written(item, colon)}" for key, item in value)
        return "{" + ",".join(inner) + "}"
    return "[" + ",".join(written(item, colon) for item in value) + "]"  # type: ignore[union-attr]


@given(value=values, colon=st.sampled_from([":", ": ", " :", "\t: "]))
def test_counting_keys_agrees_with_parsing_pair_by_pair(value, colon):
    text = written(value, colon)
    repeated = set()

    def note(pairs):
        names = [key for key, _ in pairs]
        repeated.update(name for name in names if names.count(name) > 1)
        return dict(pairs)

    json.loads(text, object_pairs_hook=note)

    assert set(repeated_keys(text, json.loads(text))) == repeated


@pytest.mark.parametrize("cut", range(1, len(CHAT), 7))
def test_a_last_line_that_breaks_off_is_told_so(tmp_path, cut):
    path = file_of(tmp_path, *[CHAT] * 10, CHAT[:cut], end=b"")

    message = f"the last line breaks off after {len(CHAT[:cut].rstrip())} characters"
    assert found(path) == [("truncated-line", 11, message)]


def test_a_line_over_the_limit_is_skipped_and_the_next_one_read():
    reader = LineReader(io.BufferedReader(io.BytesIO(b"12345678\n1234567\n\nx")), limit=7)  # type: ignore[arg-type]

    lines = list(reader)

    assert lines == [
        Line(1, None, True, 0),
        Line(2, b"1234567\n", True, 0),
        Line(4, b"x", False, 1),
    ]
    assert reader.bytes == 19


def test_many_of_one_kind_are_cut_short_and_counted(tmp_path):
    path = file_of(tmp_path, *[CHAT] * 3, *[b"oops"] * 332)

    _, problems = read_dataset("train", path, "train.jsonl")

    assert [problem.span.line for problem in problems] == [*range(4, 25)]
    assert problems[-1] == Diagnostic(
        "not-json", "… and 312 more of this kind", Span("train.jsonl", 24)
    )


def test_different_kinds_are_all_told_at_once(tmp_path):
    path = file_of(tmp_path, CHAT, b"oops", b"", b'{"messages": []}', b"[]")

    assert found(path) == [
        ("too-few-examples", None, "the file has 4 rows; a job needs at least 10"),
        ("not-json", 2, "the line is not JSON: expecting value"),
        ("blank-line", 3, "a blank line before a row"),
        ("empty-value", 4, "messages is empty"),
        ("row-not-object", 5, "the row is a list, not an object"),
    ]


# Told by each finding: a key twice in a row is an error, in a call's arguments a warning.
EITHER = {"repeated-key", "lone-surrogate"}


def assert_sound(path: Path, method) -> None:
    dataset, problems = read_dataset("train", path, "train.jsonl", method)
    assert {problem.code for problem in problems} <= CODES.keys()
    assert (dataset is None) == any(problem.severity == "error" for problem in problems)
    assert all(
        (problem.severity == "warning") == (problem.code in WARNINGS)
        for problem in problems
        if problem.code not in EITHER
    )
    "".join(str(problem) for problem in problems).encode()


methods = st.sampled_from([None, "supervised", "dpo", "reinforcement"])
quietly = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@quietly
@given(content=st.binary(max_size=300), method=methods)
def test_no_bytes_raise(tmp_path, content, method):
    path = tmp_path / "any.jsonl"
    path.write_bytes(content)

    assert_sound(path, method)


WORDS = [
    *("messages", "input", "preferred_output", "non_preferred_output", "prompt", "completion"),
    *(
        "role",
        "content",
        "name",
        "weight",
        "tool_calls",
        "function_call",
        "tool_call_id",
        "refusal",
    ),
    *("id", "type", "function", "arguments", "tools", "functions", "parallel_tool_calls"),
    *("system", "user", "assistant", "tool", "text", "image_url", "url", "detail", "parameters"),
    *("{}", '"{}"', "\ud800", "", "x" * 50),
]
words = st.sampled_from(WORDS)
leaves = st.none() | st.booleans() | st.sampled_from([0, 1, 2, -1, 0.5]) | words
trees = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=5),
    max_leaves=30,
)
things = st.fixed_dictionaries({}, optional=dict.fromkeys(WORDS[6:21], trees))
messages = st.lists(
    st.builds(
        lambda role, rest: {**rest, "role": role},
        st.sampled_from(["system", "user", "assistant", "tool", "function"]) | trees,
        things,
    ),
    max_size=4,
)
rows = trees | st.fixed_dictionaries(
    {},
    optional={
        "messages": messages,
        "tools": trees,
        "functions": trees,
        "input": st.fixed_dictionaries({}, optional={"messages": messages, "tools": trees}),
        "preferred_output": messages,
        "non_preferred_output": messages,
        "completion": trees,
    },
)


@quietly
@given(content=st.lists(rows, max_size=4), method=methods)
def test_no_rows_raise(tmp_path, content, method):
    path = tmp_path / "any.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in content))

    assert_sound(path, method)


@pytest.mark.parametrize(
    "row",
    [
        f'{{"messages": "{SECRET}"}}',
        f'{{"messages": ["{SECRET}", {{"role": "my {SECRET}", "content": "a"}}]}}',
        f'{{"messages": [{{"role": "user", "content": ["{SECRET}", {{"type": "a {SECRET}"}}]}}]}}',
        f'{{"prompt": ["{SECRET}"], "completion": ""}}',
        f'{{"prompt": "{SECRET}", "completion": "{SECRET}',
        f'{{"prompt": "{SECRET}" "{SECRET}"}}',
        f'{{"prompt": "{SECRET}\\ud800", "completion": "\\x {SECRET}"}}',
        f'{{"prompt": "{SECRET}\\ud800", "completion": "a"}}',
        f'"{SECRET}"',
        SECRET,
    ],
)
def test_training_text_is_never_quoted(tmp_path, row):
    path = file_of(tmp_path, *[row.encode()] * 10)

    _, problems = read_dataset("train", path, "train.jsonl")

    assert problems
    assert SECRET not in "".join(str(problem) for problem in problems)


def test_a_strange_key_is_cut_and_safe_to_print(tmp_path):
    row = json.dumps({"\x1b[31m" + "k" * 99: 1, "prompt": "a", "completion": "b"}).encode()

    problems = found(file_of(tmp_path, *[row] * 10))

    assert problems[0] == ("unknown-key", 1, "unknown key '\\x1b[31m" + "k" * 35 + "…'")


def test_every_code_has_one_sentence():
    assert all(code == code.lower() and " " not in code for code in CODES)
    assert all(meaning.endswith(".") and ". " not in meaning for meaning in CODES.values())
    assert CODES.keys() > WARNINGS


def test_every_error_is_known_to_be_refused_or_cannot_be_read():
    assert CODES.keys() == EVIDENCE.keys()
    for code, evidence in EVIDENCE.items():
        if code not in WARNINGS:
            assert evidence.known in {"refused", "documented", "unreadable"}, code
        assert (evidence.source is None) == (evidence.known == "unreadable"), code
        assert evidence.source is None or re.search(r"\b20\d\d\b", evidence.source), code


def test_what_is_refused_in_words_that_were_seen_is_an_error():
    refused = {code for code, evidence in EVIDENCE.items() if evidence.known == "refused"}

    assert refused & WARNINGS == {REFUSED_CODE}  # made an error where the service is known
