"""To another shape and back gives the same rows, whatever texts they hold."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ftctl.data.convert import Convert, Form, convert_file

Row = dict[str, Any]

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
FILLED = TEXT.filter(lambda text: bool(text.strip()))
TURNS = st.lists(st.tuples(FILLED, FILLED), min_size=1, max_size=3)
CALL = st.builds(
    lambda name, arguments: {"id": "c", "type": "function",
                             "function": {"name": name, "arguments": json.dumps(arguments)}},
    FILLED, st.dictionaries(TEXT, TEXT, max_size=2),
)  # fmt: skip


def message(role: str, content: str) -> Row:
    return {"role": role, "content": content}


def talk(turns: list[tuple[str, str]], system: str | None = None) -> list[Row]:
    first = [message("system", system)] if system is not None else []
    return [*first, *(message(role, text) for turn in turns
                      for role, text in zip(("user", "assistant"), turn, strict=True))]  # fmt: skip


def converted(content: str, name: str, convert: Convert) -> str:
    """What a file of this content becomes; it must become something."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content.encode())
        stream = io.BytesIO()
        result = convert_file(path, name, stream, convert)
        assert result.ok, result.problems
        return stream.getvalue().decode()


def there_and_back(rows: list[Row], to: Form, back: Form) -> list[Row]:
    content = "".join(json.dumps(row) + "\n" for row in rows)
    other = converted(content, "a.jsonl", Convert(to=to))
    again = converted(other, "b.jsonl", Convert(to=back))
    return [json.loads(line) for line in again.split("\n")[:-1]]


ROUNDS = settings(max_examples=60, deadline=None)


@ROUNDS
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4))
def test_prompt_and_completion_through_chat(pairs: list[tuple[str, str]]) -> None:
    rows = [{"prompt": question, "completion": answer} for question, answer in pairs]

    assert there_and_back(rows, "chat", "completion") == rows


@ROUNDS
@given(st.lists(st.tuples(TURNS, st.none() | FILLED), min_size=1, max_size=3))
def test_chat_through_sharegpt(talks: list[tuple[list[tuple[str, str]], str | None]]) -> None:
    rows = [{"messages": talk(turns, system)} for turns, system in talks]

    assert there_and_back(rows, "sharegpt", "chat") == rows


@ROUNDS
@given(st.lists(st.tuples(TURNS, st.none() | FILLED), min_size=1, max_size=3))
def test_chat_through_alpaca(talks: list[tuple[list[tuple[str, str]], str | None]]) -> None:
    rows = [{"messages": talk(turns, system)} for turns, system in talks]

    assert there_and_back(rows, "alpaca", "chat") == rows


@ROUNDS
@given(st.lists(st.tuples(TURNS, FILLED, FILLED, st.none() | CALL), min_size=1, max_size=3))
def test_preference_rows_through_those_of_trl(cases: list[Any]) -> None:
    rows = []
    for turns, chosen, rejected, call in cases:
        given_: Row = {"messages": talk(turns)[:-1]}
        better = message("assistant", chosen)
        if call is not None:
            given_["tools"] = [{"type": "function", "function": {"name": "f"}}]
            better = {"role": "assistant", "content": None, "tool_calls": [call]}
        worse = [message("assistant", rejected)]
        rows.append({"input": given_, "preferred_output": [better], "non_preferred_output": worse})

    assert there_and_back(rows, "pairs", "preference") == rows


@ROUNDS
@given(
    st.lists(st.tuples(FILLED, FILLED), min_size=1, max_size=5),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_a_table_says_what_its_cells_say(
    pairs: list[tuple[str, str]], delimiter: str, end: str, quoting: int
) -> None:
    text = io.StringIO(newline="")
    # The writer leaves a lone CR bare where lines end in LF, though readers end a line there.
    if quoting == csv.QUOTE_MINIMAL:
        pairs = [(one.replace("\r", "r"), two.replace("\r", "r")) for one, two in pairs]
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows([("question", "answer"), *pairs])

    out = converted(text.getvalue(), "a.csv", Convert(delimiter=delimiter))

    found = [json.loads(line)["messages"] for line in out.split("\n")[:-1]]
    assert found == [talk([pair]) for pair in pairs]


@ROUNDS
@given(st.lists(st.tuples(FILLED, FILLED), min_size=1, max_size=5), st.sampled_from([None, 1]))
def test_a_json_list_says_what_its_rows_say(
    pairs: list[tuple[str, str]], indent: int | None
) -> None:
    rows = [{"question": question, "answer": answer} for question, answer in pairs]

    out = converted(json.dumps(rows, indent=indent, ensure_ascii=False), "a.json", Convert())

    assert [json.loads(line)["messages"] for line in out.split("\n")[:-1]] == [
        talk([pair]) for pair in pairs
    ]


@ROUNDS
@given(st.lists(st.tuples(TURNS, st.none() | CALL), min_size=1, max_size=3))
def test_a_conversion_of_what_is_converted_changes_no_byte(cases: list[Any]) -> None:
    rows = []
    for turns, call in cases:
        messages = talk(turns)
        if call is not None:
            messages[-1] = {"tool_calls": [call], "role": "assistant"}
        rows.append({"tools": [{"type": "function", "function": {"name": "f"}}],
                     "messages": messages})  # fmt: skip
    content = "".join(json.dumps(row) + "\n" for row in rows)

    once = converted(content, "a.jsonl", Convert())

    assert converted(once, "b.jsonl", Convert()) == once
    assert [json.loads(line) for line in once.split("\n")[:-1]] == rows
