"""A pass finds the same, however it goes through the file; fast ways agree with the careful one."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from itertools import chain
from pathlib import Path
from typing import Any

import orjson
import pytest
from conftest import rounds
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ftctl.cli.scan_progress import ScanProgress
from ftctl.data.formats import MIN_EXAMPLES
from ftctl.data.formats.findings import FindingLog
from ftctl.data.formats.formats import RowChecker
from ftctl.data.formats.lines import Line, LineReader
from ftctl.data.formats.row_checks import Demands
from ftctl.data.formats.row_text import read_row
from ftctl.data.scanning import (
    Counting,
    RowFile,
    ScanRequest,
    ScanResult,
    Workers,
    read_dataset,
    scan_file,
)
from ftctl.data.scanning.chunk_checker import CheckedChunk, ChunkChecker, exact_counter
from ftctl.data.scanning.chunks import Chunk, ChunkReader
from ftctl.data.scanning.fast_path import KnownGoodRows
from ftctl.data.scanning.file_scan import SMALL_BYTES, _Disagreement, _Pass
from ftctl.data.scanning.json_equivalence import UNSURE, may_repeat, measure
from ftctl.data.scanning.key_counts import key_counts
from ftctl.data.scanning.orjson_parser import orjson_parser
from ftctl.data.scanning.scan_request import LEAST_EXAMPLES, decoded, encoded
from ftctl.data.tokens import count_row, open_counter
from ftctl.errors import FtctlError

ENCODING = "o200k_base"
COUNTED = ScanRequest("supervised", countings=(Counting(ENCODING),))


# Reading: what the fast parser takes is what the careful reader reads.

SIGNS = [*'ab"\\:{}[],/ \t\r\n\x00\x7fé한😀\u2028\ufeff', '":', '\\"', " :"]
TEXTS = st.lists(st.sampled_from(SIGNS), max_size=12).map("".join)
NUMBERS = st.sampled_from(
    ["0", "-0", "1", "1.0", "-1.5e3", "1e999", "-1e400", "1E308", "9" * 18, "9" * 19, "9" * 20,
     "18446744073709551615", "18446744073709551616", "-9223372036854775808",
     "-9223372036854775809", "123456789012345678901234567890", "9" * 400, "9300000000000000000.0",
     "NaN", "Infinity", "-Infinity", "01", "1.", ".5", "5e-324", "1e-400", "+1"]
)  # fmt: skip
SPACES = st.sampled_from(["", "", "", " ", "  ", "\t", "\r"])


@st.composite
def quoted(draw: st.DrawFn) -> str:
    text = draw(TEXTS)
    escapes = draw(st.sampled_from(["", "", "", "\\ud83d", "\\ud83d\\ude00", "\\udc00", "\\u0061"]))
    return json.dumps(text, ensure_ascii=draw(st.booleans()))[:-1] + escapes + '"'


@st.composite
def json_text(draw: st.DrawFn, depth: int = 3) -> str:
    """JSON as somebody may have written it: repeated keys, odd numbers, white space anywhere."""
    kind = draw(st.integers(0, 5 if depth else 3))
    if kind <= 1:
        return draw(quoted())
    if kind == 2:
        return draw(NUMBERS)
    if kind == 3:
        return draw(st.sampled_from(["true", "false", "null"]))
    space = draw(SPACES)
    inner = json_text(depth=depth - 1)
    if kind == 4:
        return f"[{space}{','.join(draw(st.lists(inner, max_size=3)))}{space}]"
    keys = st.one_of(st.sampled_from(['"a"', '"role"', '"\\u0061"', '"content"']), quoted())
    pairs = draw(st.lists(st.tuples(keys, inner), max_size=4))
    return "{" + space + ",".join(f"{key}{space}:{space}{one}" for key, one in pairs) + "}"


@st.composite
def raw_lines(draw: st.DrawFn) -> bytes:
    raw = draw(json_text()).encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 3)) == 0 and raw:
        at = draw(st.integers(0, len(raw) - 1))
        raw = (
            raw[:at]
            + draw(st.sampled_from([b"", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b'"']))
            + raw[at + 1 :]
        )
    return raw.replace(b"\n", b" ")


@given(raw_lines())
@example(b'{"a":' + b"[" * 99 + b"]" * 99 + b"}")
@example(b'{"a":' + b"[" * 1000 + b"]" * 1000 + b"}")
@example(b'{"a\\\\":1,"a\\\\":2}')
@example(b'{"a" :1,"a":2}')
@example(b'{"a":"\\\\","a":":"}')
@settings(max_examples=rounds(1500), deadline=None)
def test_what_is_read_fast_is_what_is_read_carefully(raw: bytes) -> None:
    try:
        row = orjson.loads(raw)
    except ValueError:
        return
    keys = measure(row)
    if keys is None or type(row) is not dict:
        return

    careful, findings = read_row(Line(1, raw + b"\n", ended=True))

    assert repr(careful) == repr(row)
    if not may_repeat(raw, keys):
        assert findings == ()


MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "developer", "user", "assistant", "tool", "usr", None])},
    optional={
        "content": st.one_of(
            st.sampled_from(["hi", "", " ", 'he said "x":', "\n", None, 3, []]), st.text(max_size=3)
        ),
        "name": st.sampled_from(["bob", "b b"]),
        "weight": st.sampled_from([0, 1, True]),
    },
)
TURN = st.sampled_from(["question", "what?", "\u00a0x"]).map(
    lambda text: [{"role": "user", "content": text}, {"role": "assistant", "content": text}]
)
ARGUMENTS = st.sampled_from(
    [
        "{}",
        '{"q": "x"}',
        '{"q": 1}',
        '{"q": "x", "q": "y"}',
        '{"q": "\\\\ud800"}',
        "[]",
        "{",
        '"{}"',
        "",
    ]
)
CALLS = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["a", "b", ""]),
        "type": st.sampled_from(["function"] * 5 + ["tool"]),
        "function": st.fixed_dictionaries(
            {"name": st.sampled_from(["look"] * 5 + ["find", 1]), "arguments": ARGUMENTS},
            optional={"more": st.just(1)} | {"strict": st.none()},
        )
        | st.builds(lambda text: {"name": "look", "arguments": text}, ARGUMENTS),
    }
) | st.sampled_from(
    [
        {"id": name, "type": "function", "function": {"name": "look", "arguments": '{"q": "x"}'}}
        for name in ("a", "b")
    ]
)
CALLING = st.fixed_dictionaries(
    {"role": st.just("assistant"), "tool_calls": st.lists(CALLS, max_size=2)},
    optional={"content": st.sampled_from([None, "", "text", 3])},
)
REPLIES = st.fixed_dictionaries(
    {
        "role": st.just("tool"),
        "tool_call_id": st.sampled_from(["a", "b", None]),
        "content": st.sampled_from(["12", "", None]),
    }
)
CALLED = st.builds(
    lambda calling, replies, last: [
        {"role": "user", "content": "q"},
        calling,
        *replies,
        {"role": last, "content": "done"},
    ],
    CALLING,
    st.lists(REPLIES, max_size=2),
    st.sampled_from(["assistant"] * 5 + ["user"]),
)
CHATS = st.one_of(
    st.lists(MESSAGES, max_size=4),
    st.lists(MESSAGES | CALLING | REPLIES, max_size=6),
    st.lists(CALLED, min_size=1, max_size=2).map(lambda turns: [*chain(*turns)]),
    st.lists(TURN, min_size=1, max_size=3).map(lambda turns: [*chain(*turns)]),
    st.lists(TURN, min_size=1, max_size=2).map(
        lambda turns: [{"role": "system", "content": "be kind"}, *chain(*turns)]
    ),
)
FUNCTION = {
    "type": "function",
    "function": {
        "name": "look",
        "parameters": {"type": "object", "properties": {"q": {"type": "string"}}},
    },
}
TOOLS = st.sampled_from(
    [
        [FUNCTION],
        [FUNCTION, FUNCTION],
        [],
        None,
        [{"type": "function"}],
        [{"function": {"name": 1}}],
    ]
)
ROWS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries(
        {"messages": CHATS},
        optional={
            "tools": TOOLS,
            "parallel_tool_calls": st.sampled_from([True, False, None, 1]),
            "metadata": st.just({}),
        },
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "prompt": st.sampled_from(["p", "", " ", None]),
            "completion": st.sampled_from(["c", "", " ", None]),
            "other": st.just(1),
        },
    ),
)


@given(st.lists(ROWS, min_size=1, max_size=4))
@settings(max_examples=rounds(1500), deadline=None)
def test_a_row_known_to_be_good_has_no_fault(rows: list[dict[str, Any]]) -> None:
    for form in ("chat", "completion"):
        known_good = KnownGoodRows(orjson.dumps)
        for row in rows:
            checker = RowChecker("supervised", 1, Demands())
            checker.format = form
            faults = list(checker.check(row))
            if not faults:
                known_good.learn(row)
            copied = json.loads(json.dumps(row))

            keys = known_good.keys(copied, form)

            if keys:
                assert (faults, keys, copied) == ([], measure(row), row)


def test_plain_chats_and_known_tools_are_known_to_be_good() -> None:
    known_good = KnownGoodRows(orjson.dumps)
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    with_tools = {"messages": turns, "tools": [FUNCTION], "parallel_tool_calls": False}

    before = known_good.keys(with_tools, "chat")
    known_good.learn(with_tools)

    assert (before, known_good.keys(with_tools, "chat")) == (0, measure(with_tools))
    assert known_good.keys({"messages": turns}, "chat") == 5
    assert known_good.keys({"prompt": "p", "completion": "c"}, "completion") == 2


def test_calls_of_known_tools_that_are_answered_are_known_to_be_good() -> None:
    known_good = KnownGoodRows(orjson.dumps)
    calls = [
        {"id": name, "type": "function", "function": {"name": "look", "arguments": '{"q": "x"}'}}
        for name in ("a", "b")
    ]
    replies = [{"role": "tool", "tool_call_id": name, "content": "r"} for name in ("b", "a")]
    question, answer = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}
    calling = {"role": "assistant", "content": None, "tool_calls": calls}
    row = {"messages": [question, calling, *replies, answer], "tools": [FUNCTION]}
    known_good.learn(row)

    def keys(*messages: dict[str, Any], **more: bool) -> int:
        return known_good.keys({**row, **more, "messages": [*messages]}, "chat")

    assert keys(question, calling, *replies, answer) == measure(row)
    assert keys(question, calling, *replies, answer, question, calling, *replies, answer) > 0
    assert keys(question, calling, *replies, answer, parallel_tool_calls=False) == 0
    assert keys(question, calling, replies[0], answer) == 0
    assert keys(question, calling, *replies) == 0


@given(st.lists(raw_lines(), max_size=4))
@example([b'{"a" :1,"a":2}', b'{"a\\\\":1}', b'{"a":"\\"\\":"}', b"", b'":"', b'{"a"\r:1}'])
@settings(max_examples=rounds(500), deadline=None)
def test_the_keys_of_all_lines_of_a_chunk_are_those_of_each(lines: list[bytes]) -> None:
    content = b"\n".join(lines)

    found = key_counts(content)

    assert len(found) == len(content.split(b"\n"))
    for line, written in zip(content.split(b"\n"), found, strict=True):
        assert written == UNSURE or not may_repeat(line, written)
    assert key_counts(FIRST + b'{"a" :1}\n' + FIRST) == [5, UNSURE, 5, 0]


FIRST = b'{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}\n'


WITH_TOOLS = FIRST.rstrip()[:-1] + (
    b', "tools": [{"type": "function", "function": {%s"name": "look"}}]}'
)
LINES = st.one_of(
    raw_lines(),
    ROWS.map(lambda row: json.dumps(row).encode()),
    st.sampled_from([b"", b"  ", b"\r", b"{", b"[1]"]),
)


@given(st.lists(LINES, max_size=6))
@settings(max_examples=rounds(400), deadline=None)
@example([WITH_TOOLS % b"", WITH_TOOLS % (b'"deep":' + b"[" * 300 + b"]" * 300 + b",")])
@example([WITH_TOOLS % b"", WITH_TOOLS % b'"big": 123456789012345678901234567890,'])
@example([WITH_TOOLS % b"", WITH_TOOLS % b"", WITH_TOOLS % b'"name": "twice",'])
def test_a_chunk_has_the_same_problems_read_fast_or_carefully(lines: list[bytes]) -> None:
    chunk = Chunk(1, FIRST + b"\n".join(lines), ended=False)

    fast, careful = (
        _facts(ChunkChecker(COUNTED, RowChecker("supervised"), exact_counter, parser).check(chunk))
        for parser in (orjson_parser(), None)
    )

    assert fast == careful


def _facts(found: CheckedChunk) -> Any:
    totals = [tally.totals() for tally in found.tallies]
    return (
        found.rows,
        found.first,
        found.blank_after,
        found.findings.kept,
        found.findings.omitted,
        totals,
    )


# Lines and chunks.


@given(
    st.lists(st.sampled_from([b"ab", b"\n", b"\r", b" ", b"c" * 7, b"d" * 30]), max_size=40),
    st.integers(1, 20),
    st.integers(0, 40),
)
@settings(max_examples=rounds(600), deadline=None)
def test_chunks_hold_the_lines_of_the_file(parts: list[bytes], size: int, more: int) -> None:
    content, limit = b"".join(parts), size + more  # a chunk is shorter than the longest line
    chunks = ChunkReader(_stream(content), size, limit)
    lines = LineReader(_stream(content), limit)

    found = [line for chunk in chunks for line in _lines_of(chunk)]

    assert found == [line._replace(blank_before=0) for line in lines]
    assert (chunks.sha256, chunks.bytes) == (lines.sha256, lines.bytes)


def _stream(content: bytes) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(content))  # type: ignore[arg-type]


def _lines_of(chunk: Chunk) -> Iterator[Line]:
    if chunk.content is None:
        yield Line(chunk.first, None, chunk.ended)
        return
    for index, content in enumerate(_split(chunk.content)):
        if not content.isspace():
            yield Line(chunk.first + index, content, content.endswith(b"\n"))


def _split(content: bytes) -> list[bytes]:
    pieces = [piece + b"\n" for piece in content.split(b"\n")]
    last = pieces.pop()[:-1]
    return [*pieces, last] if last else pieces


# One process or many.


@pytest.fixture(scope="module")
def messy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """5 MB with every kind of trouble: blank lines, long rows, broken rows, a broken end."""
    rng = random.Random(3)
    path = tmp_path_factory.mktemp("messy") / "train.jsonl"
    with path.open("wb") as file:
        file.write(b"\xef\xbb\xbf")
        while file.tell() < 5_000_000:
            file.write(_messy_line(rng))
        file.write(b'{"messages": [{"role": "user"')
    return path


def _messy_line(rng: random.Random) -> bytes:
    text = " ".join(
        rng.choices(["alpha", "beta", "감마", "delta", '":', "\\"], k=rng.randint(3, 90))
    )
    messages = [{"role": "user", "content": text}, {"role": "assistant", "content": text[:40]}]
    row: dict[str, Any] = {"messages": messages}
    kind = rng.random()
    if kind < 0.01:
        return b"\n \n"
    if kind < 0.012:
        messages[0]["content"] = text * 4000  # longer than a chunk
    elif kind < 0.02:
        messages[1]["role"] = "asistant"
    elif kind < 0.03:
        row["tools"] = [FUNCTION]
    elif kind < 0.04:
        row["temperature"] = 1
    line = json.dumps(row, ensure_ascii=kind < 0.5).encode() + b"\n"
    if 0.05 < kind < 0.053:
        return line[:30] + b"\xff" + line[30:]
    return line.replace(b'"role"', b'"role": "user", "role"', 1) if 0.06 < kind < 0.063 else line


@pytest.mark.parametrize("count", [2, 3])
def test_many_processes_find_what_one_finds(messy: Path, count: int) -> None:
    assert messy.stat().st_size > SMALL_BYTES
    request = ScanRequest("supervised", countings=(Counting(ENCODING, 5_000),))
    alone = scan_file("a", messy, "train.jsonl", request)

    with Workers(count, least_bytes=0) as workers:
        together = scan_file("a", messy, "train.jsonl", request, workers)

    assert together == alone
    assert {"row-truncated", "blank-line", "truncated-line", "repeated-key", "not-utf-8"} <= {
        problem.code for problem in alone.diagnostics
    }


def test_a_file_without_any_format_is_told_the_same(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text('{"a": "b"}\n' * 60_000, "utf-8")

    with Workers(2, least_bytes=0) as workers:
        together = scan_file("a", path, "train.jsonl", ScanRequest(), workers)

    assert together == scan_file("a", path, "train.jsonl", ScanRequest())
    assert [problem.code for problem in together.diagnostics] == ["unknown-format"]


def test_every_problem_is_told_when_asked_for(messy: Path) -> None:
    capped = scan_file("a", messy, "x", ScanRequest("supervised"))

    full = scan_file("a", messy, "x", ScanRequest("supervised", most=None))

    keys = [one for one in full.diagnostics if one.code == "unknown-key"]
    told = [one for one in capped.diagnostics if one.code == "unknown-key"]
    assert len(keys) > 21 == len(told)
    assert told[-1].message == f"… and {len(keys) - 20:,} more of this kind"
    assert told[-1].span == keys[20].span


def test_a_part_joined_to_another_counts_as_the_whole() -> None:
    whole, first, second = FindingLog(3), FindingLog(3), FindingLog(3)
    from ftctl.errors import Finding

    for line in range(1, 12):
        found = Finding("not-json" if line % 3 else "repeated-key", "m")
        whole.add(found, line)
        (first if line < 5 else second).add(found, line)
    first.join(second)

    assert first.diagnostics("x", set()) == whole.diagnostics("x", set())


# What may happen to processes.

_PROGRAM = """\
import sys
from pathlib import Path
from ftctl.data.scanning import ScanRequest, Workers, scan_file
def told(done, size):
    print(*(one.pid for one in workers._started), flush=True)

try:
    with Workers(2, least_bytes=0) as workers:
        scan_file("a", Path(sys.argv[1]), "x", ScanRequest("supervised"), workers, told)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.exit(130)
"""


@pytest.fixture(scope="module")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("long") / "train.jsonl"
    path.write_bytes(FIRST * 1_500_000)  # some seconds of work
    return path


def test_a_killed_worker_is_told_and_nothing_hangs(long_file: Path) -> None:
    def kill(_done: int, _size: int) -> None:
        for worker in workers._started:
            worker.kill()  # unlike os.kill, nothing to a process that has been killed before

    with (
        Workers(2, least_bytes=0) as workers,
        pytest.raises(FtctlError, match="a process that checks data was killed by signal 9"),
    ):
        scan_file("a", long_file, "x", ScanRequest("supervised"), workers, kill)

    assert workers._started == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_their_parent(number: signal.Signals, long_file: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(long_file)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert parent.stdout is not None
    pids = [int(word) for word in parent.stdout.readline().split()]

    # Ctrl-C goes to everyone in the terminal; kill -9 to one.
    (os.killpg if number == signal.SIGINT else os.kill)(parent.pid, number)
    out, err = parent.communicate(timeout=20)

    assert parent.returncode == (130 if number == signal.SIGINT else -9)
    assert "Traceback" not in err
    assert ("interrupted" in out) == (number == signal.SIGINT)
    _wait_until_gone(pids)


def _wait_until_gone(pids: list[int]) -> None:
    assert len(pids) == 2
    for _ in range(200):
        if not any(_runs(pid) for pid in pids):
            return
        time.sleep(0.05)
    pytest.fail(f"of the processes {pids}, some still run")


def _runs(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    return False


# Tokens.


def _chats(tmp_path: Path, *answers: str) -> Path:
    path = tmp_path / "train.jsonl"
    rows = ({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": one}]}
            for one in answers)  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_totals_are_those_of_every_row(tmp_path: Path) -> None:
    rng = random.Random(1)
    answers = [
        " ".join(rng.choices(["one", "two", "drei"], k=rng.randint(1, 60))) for _ in range(40)
    ]
    path = _chats(tmp_path, *answers)
    counter = open_counter(ENCODING)
    each = [count_row(row, "chat", counter) for _, row in RowFile(path, "x").rows()]

    found = scan_file("a", path, "x", COUNTED)

    totals = found.tokens
    lengths = sorted(one.training for one in each)
    assert totals is not None
    assert (totals.training, totals.low, totals.high, totals.assistant, totals.cut_rows) == (
        sum(lengths), sum(one.low for one in each), sum(one.high for one in each),
        sum(one.assistant for one in each), 0,
    )  # fmt: skip
    assert (totals.rows, totals.longest) == (40, lengths[-1])
    assert [totals.percentile(share) for share in (0.5, 0.95, 1)] == [
        lengths[19],
        lengths[37],
        lengths[39],
    ]
    assert found.dataset is not None
    assert found.dataset.tokens_of(ENCODING, 65_536) == totals.tokens


def test_a_row_over_the_limit_is_told_and_counts_as_the_limit(tmp_path: Path) -> None:
    path = _chats(tmp_path, *["yes"] * 10, "word " * 100)
    request = ScanRequest("supervised", countings=(Counting(ENCODING, 50),))

    found = scan_file("a", path, "train.jsonl", request)

    assert found.tokens is not None
    assert (found.tokens.cut_rows, found.tokens.training) == (1, 10 * 10 + 50)
    assert "\n".join(map(str, found.diagnostics)) == (
        "train.jsonl:11: warning[row-truncated]: the row has 110 tokens; training cuts it after 50,"
        " so 60 are lost, from messages[1] on\n"
        "    hint: shorten it or split it: what is cut is not learnt"
    )


@pytest.mark.parametrize("limit", [20, 50, 200])
def test_without_totals_the_same_rows_are_too_long(tmp_path: Path, limit: int) -> None:
    rng = random.Random(2)
    path = _chats(tmp_path, *("word " * rng.randint(1, 300) for _ in range(40)))
    with_totals, without = (
        scan_file(
            "a",
            path,
            "x",
            ScanRequest("supervised", countings=(Counting(ENCODING, limit),), totals=totals),
        )
        for totals in (True, False)
    )

    assert without.diagnostics == with_totals.diagnostics != ()
    assert without.totals == ()


def test_rows_that_cannot_be_too_long_need_no_vocabulary(tmp_path: Path) -> None:
    path = _chats(tmp_path, *["yes"] * 12)
    program = (
        "import sys; from pathlib import Path; from ftctl.data.scanning import *;"
        f"request = ScanRequest('supervised', countings=(Counting('{ENCODING}'),), totals=False);"
        "assert scan_file('a', Path(sys.argv[1]), 'x', request).dataset;"
        "heavy = ('tiktoken', 'numpy', 'orjson', 'pickle');"
        "sys.exit(sum(name in sys.modules for name in heavy))"
    )

    assert subprocess.run([sys.executable, "-c", program, path], check=False).returncode == 0


def test_a_scan_comes_back_from_json(tmp_path: Path) -> None:
    path = _chats(tmp_path, *["yes"] * 12, "word " * 100)
    found = scan_file(
        "a", path, "x", ScanRequest("supervised", countings=(Counting(ENCODING, 50),))
    )

    kept = json.loads(json.dumps(encoded(found)))

    assert decoded(kept, "a", "x") == found
    assert isinstance(found, ScanResult)


# The faster tokenizer.


def test_the_faster_tokenizer_is_exact_where_it_is_used(tmp_path: Path) -> None:
    pytest.importorskip("gigatoken")
    from ftctl.data.scanning import gigatoken_counter as gigatoken

    for encoding, expected in gigatoken._EXPECTED.items():
        ranks = str(gigatoken.write_ranks(encoding, tmp_path))
        counter, quick = (
            open_counter(encoding),
            gigatoken.open_gigatoken(encoding, ranks),
        )
        encode = gigatoken._load(encoding, ranks)
        assert quick is not None
        assert encode is not None
        assert gigatoken._fingerprint(counter.encode) == expected
        rng = random.Random(5)
        letters = [chr(point) for start, end in gigatoken.SCRIPTS for point in range(start, end)]
        for start in range(0, len(letters), 40):
            text = "".join(
                f"a{one}B{one}{one} {one}1 {one}\n{one}'s" for one in letters[start : start + 40]
            )
            assert len(encode(text)) == len(counter.encode(text)), hex(ord(letters[start]))
        for _ in range(3000):
            text = "".join(rng.choices(letters[:300] + rng.choices(letters, k=20), k=40))
            assert quick.text(text) == counter.text(text), text


def test_a_tokenizer_with_other_tokens_is_not_trusted(tmp_path: Path) -> None:
    pytest.importorskip("gigatoken")
    from ftctl.data.scanning import gigatoken_counter as gigatoken

    other = str(gigatoken.write_ranks("cl100k_base", tmp_path))
    broken = tmp_path / "broken"
    broken.write_bytes(b"no ranks")

    assert gigatoken.open_gigatoken("o200k_base", other) is None
    assert gigatoken.open_gigatoken("o200k_base", str(broken)) is None


def test_a_wrong_count_of_a_worker_is_noticed() -> None:
    run = _Pass(COUNTED, None, None)
    run._checker.format = "chat"
    chunk = Chunk(7, b"\n" + FIRST, ended=True)
    right = count_row(json.loads(FIRST), "chat", open_counter(ENCODING)).training

    run._verify(chunk, CheckedChunk(FindingLog(20), (), sample=(8, (right,))))

    with pytest.raises(_Disagreement, match=f"finds {right + 1} tokens in row 8, tiktoken {right}"):
        run._verify(chunk, CheckedChunk(FindingLog(20), (), sample=(8, (right + 1,))))


def test_both_tokenizers_give_the_same_scan(messy: Path) -> None:
    pytest.importorskip("gigatoken")
    with Workers(2, least_bytes=0, faster_bytes=0) as workers:
        fast = scan_file("a", messy, "x", COUNTED, workers)

    assert fast == scan_file("a", messy, "x", COUNTED)


# Rows one by one.


def test_rows_come_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\n\n{"a": 2}')

    assert list(RowFile(path, "x").rows()) == [(1, {"a": 1}), (3, {"a": 2})]


def test_the_least_number_of_rows_is_said_in_two_places() -> None:
    assert LEAST_EXAMPLES == MIN_EXAMPLES
    assert read_dataset("a", Path("no"), "no")[0] is None


# Progress.


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _run_of(out: io.StringIO, environ: dict[str, str]) -> str:
    times = iter([0.0, 0.5, 1.5, 1.55, 4.0])
    progress = ScanProgress(environ, out, lambda: next(times))
    told = progress.of("train.jsonl")
    for done in (10, 30, 31, 80):
        told(done * 1_000_000, 100_000_000)
    progress.done()
    return out.getvalue()


def test_progress_is_told_from_one_second_on() -> None:
    assert _run_of(_Terminal(), {}).split("\r\x1b[K") == [
        "",
        "Checking train.jsonl: 30 %, 20 MB/s, 4 s left",
        "Checking train.jsonl: 80 %, 20 MB/s, 1 s left",
        "",
    ]


@pytest.mark.parametrize("environ", [{"CI": "true"}, {"TERM": "dumb"}])
def test_progress_is_for_terminals(environ: dict[str, str]) -> None:
    assert _run_of(_Terminal(), environ) == ""
    assert _run_of(io.StringIO(), {}) == ""


@pytest.mark.parametrize(("where", "count"), [(0, 0), (2_999, 2)])
def test_a_dataset_knows_whether_any_row_has_tools_or_images(
    tmp_path: Path, where: int, count: int
) -> None:
    answer = {"role": "assistant", "content": "x" * 800}
    plain = {"messages": [{"role": "user", "content": "Why?"}, answer]}
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    image = {"type": "image_url", "image_url": {"url": "https://images.example.com/1.png"}}
    seen = {"messages": [{"role": "user", "content": [image]}, answer]}
    texts = [json.dumps(plain)] * 3_000
    source = tmp_path / "rows.jsonl"
    request = ScanRequest(totals=False)

    def scanned(row: dict[str, Any]) -> tuple[int, bool]:
        source.write_text("\n".join([*texts[:where], json.dumps(row), *texts[where + 1 :], ""]))
        with Workers(count, least_bytes=0) if count else nullcontext() as workers:
            scan = scan_file("rows", source, "rows.jsonl", request, workers)
        kept = decoded(encoded(scan), "rows", "rows.jsonl").dataset
        assert scan.dataset is not None
        assert kept == scan.dataset
        return scan.dataset.image_rows, scan.dataset.has_tools

    assert scanned(plain) == (0, False)
    assert scanned({**plain, "tools": [tool]}) == (0, True)

    assert scanned(seen) == (1, False)
