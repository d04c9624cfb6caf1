"""Tables and rows of other shapes go through a conversion; what comes out, and what is told."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ftctl.data.convert import Convert, StepOutcome, convert_file
from ftctl.errors import FtctlError

Row = dict[str, Any]

AUTO = Convert()
QA = (("user", "{question}"), ("assistant", "{answer}"))


def run(path: Path, convert: Convert = AUTO, **options: bool) -> tuple[StepOutcome, list[Row]]:
    """A conversion's result and the rows that it gave."""
    stream = io.BytesIO()
    result = convert_file(path, path.name, stream, convert, **options)
    return result, [json.loads(line) for line in stream.getvalue().splitlines()]


def told(path: Path, convert: Convert = AUTO, **options: bool) -> list[str]:
    """The problems of a conversion that must write nothing, as `place: code: sentence`."""
    result, rows = run(path, convert, **options)
    assert rows == []
    assert not result.ok
    assert all(one.hint or one.message.startswith("… and") for one in result.problems)
    return [f"{one.span}: {one.code}: {one.message}" for one in result.problems]


def qa(*pairs: tuple[str, str]) -> list[Row]:
    return [
        {"messages": [{"role": "user", "content": question},
                      {"role": "assistant", "content": answer}]}
        for question, answer in pairs
    ]  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


File = Callable[[str, str | bytes], Path]


# Tables.


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.csv", "question,answer\nA?,yes\nB?,no\n"),
        ("no-end.csv", "question,answer\nA?,yes\nB?,no"),
        ("crlf.csv", "question,answer\r\nA?,yes\r\nB?,no\r\n"),
        ("old-mac.csv", "question,answer\rA?,yes\rB?,no\r"),
        ("semicolons.csv", "question;answer\nA?;yes\nB?;no\n"),
        ("bars.csv", "question|answer\nA?|yes\nB?|no\n"),
        ("tabs.csv", "question\tanswer\nA?\tyes\nB?\tno\n"),
        ("tabs.tsv", "question\tanswer\nA?\tyes\nB?\tno\n"),
        ("excel.csv", "sep=;\r\nquestion;answer\r\nA?;yes\r\nB?;no\r\n"),
        ("quoted.csv", '"question","answer"\n"A?","yes"\n"B?","no"\n'),
        ("spaced.csv", 'question, answer\n"A?", "yes"\n"B?", "no"\n'),
        ("bom.csv", b"\xef\xbb\xbfquestion,answer\nA?,yes\nB?,no\n"),
        ("utf-16.csv", "question,answer\nA?,yes\nB?,no\n".encode("utf-16")),
        ("utf-16-le.csv", "question,answer\nA?,yes\nB?,no\n".encode("utf-16-le")),
        ("utf-16-be.csv", "question,answer\nA?,yes\nB?,no\n".encode("utf-16-be")),
        ("blank.csv", "\nquestion,answer\n\nA?,yes\n,\n  ,\nB?,no\n\n"),
        ("other-order.csv", "id,Answer,x,Question\n1,yes,,A?\n2,no,,B?\n"),
        ("unnamed.csv", ",question,answer\n0,A?,yes\n1,B?,no\n"),
        ("name-without-end", "question,answer\nA?,yes\nB?,no\n"),
        ("list.json", '[{"question": "A?", "answer": "yes"},\n{"question": "B?","answer":"no"}]'),
        ("lines.jsonl", '{"question":"A?","answer":"yes"}\n\n{"answer":"no","question":"B?"}\n'),
        ("list.jsonl", '[{"question":"A?","answer":"yes"},{"answer":"no","question":"B?"}]\n'),
    ],
)
def test_a_table_of_questions_and_answers_needs_no_settings(
    file: File, name: str, content: str | bytes
) -> None:
    result, rows = run(file(name, content))

    assert rows == qa(("A?", "yes"), ("B?", "no")), result
    assert [one.code for one in result.problems] == (["unread-key"] if "id" in str(content) else [])


def test_cells_keep_quotes_line_ends_and_every_language(file: File) -> None:
    text = 'question,answer\r\n"He said ""hi"",\r\nand then?","Größe, 안녕 😀\n"\r\n'

    result, rows = run(file("a.csv", text))

    assert rows == qa(('He said "hi",\r\nand then?', "Größe, 안녕 😀\n"))
    assert "Größe, 안녕 😀" in _bytes(file("a.csv", text)).decode()
    assert result.notes == (
        "read as CSV with commas between cells",
        "user from 'question'",
        "assistant from 'answer'",
    )


def _bytes(path: Path) -> bytes:
    stream = io.BytesIO()
    convert_file(path, path.name, stream, Convert())
    return stream.getvalue()


def test_the_output_has_one_spelling(file: File) -> None:
    path = file(
        "a.jsonl",
        '{ "tools": [{"function": {"parameters": {"b": 1, "a": 2}, "name": "f"},'
        ' "type": "function"}], "messages": [{"content": "\\u00e9?", "role": "user"},'
        ' {"weight": 1, "content": "y", "role": "assistant"}]}\r\n',
    )

    assert _bytes(path).decode() == (
        '{"messages":[{"role":"user","content":"é?"},'
        '{"role":"assistant","content":"y","weight":1}],'
        '"tools":[{"type":"function","function":{"name":"f","parameters":{"b":1,"a":2}}}]}\n'
    )


def test_a_template_says_what_becomes_of_a_row(file: File) -> None:
    path = file("a.csv", "Topic,my question,answer\nwater,When?,Now.\n,Where?,Here.\n")
    template = (
        ("system", "{Topic}"),
        ("user", "{{{ my question }}} {my question}"),
        ("assistant", "{answer}"),
    )

    result, rows = run(path, Convert(template=template))

    assert [row["messages"] for row in rows] == [
        [
            {"role": "system", "content": "water"},
            {"role": "user", "content": "{When?} When?"},
            {"role": "assistant", "content": "Now."},
        ],
        [
            {"role": "user", "content": "{Where?} Where?"},
            {"role": "assistant", "content": "Here."},
        ],
    ]
    assert result.form == "chat"


@pytest.mark.parametrize(
    ("template", "row"),
    [
        (
            (("prompt", "{q}"), ("completion", "{a}")),
            {"prompt": "A?", "completion": "yes"},
        ),
        (
            (("user", "{q}"), ("chosen", "{a}"), ("rejected", "{b}")),
            {
                "input": {"messages": [{"role": "user", "content": "A?"}]},
                "preferred_output": [{"role": "assistant", "content": "yes"}],
                "non_preferred_output": [{"role": "assistant", "content": "no"}],
            },
        ),
    ],
)
def test_a_templates_roles_decide_the_form(
    file: File, template: tuple[tuple[str, str], ...], row: Row
) -> None:
    to = "completion" if template[0][0] == "prompt" else None

    _, rows = run(file("a.csv", "q,a,b\nA?,yes,no\n"), Convert(template=template, to=to))  # type: ignore[arg-type]

    assert rows == [row]


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ((("user", "{questin}"), ("assistant", "{answer}")),
         "template.user: unknown-column: there is no column 'questin'"),
        ((("user", "{question"), ("assistant", "{answer}")),
         "template.user: bad-template: the template has a lone '{' at character 1"),
        ((("user", "a }"), ("assistant", "{answer}")),
         "template.user: bad-template: the template has a lone '}' at character 3"),
        ((("user", "{}"), ("assistant", "{answer}")),
         "template.user: bad-template: the template has an empty placeholder at character 1"),
        ((("user", "{question}"),),
         "template: bad-template: a template for chat rows lacks assistant"),
        ((("user", "{question}"), ("assistant", "x"), ("chosen", "y")),
         "template.chosen: bad-template: a template for chat rows cannot have chosen"),
    ],
)  # fmt: skip
def test_a_template_that_does_not_fit_is_named(
    file: File, template: tuple[tuple[str, str], ...], problem: str
) -> None:
    path = file("a.csv", "question,answer\nA?,yes\n")

    assert told(path, Convert(template=template)) == [problem]


def test_a_misspelt_column_has_a_suggestion(file: File) -> None:
    path = file("a.csv", "question,answer\nA?,yes\n")

    result, _ = run(path, Convert(template=(("user", "{questin}"), ("assistant", "{answer}"))))

    assert result.problems[0].hint == "did you mean {question}?"


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        ("question,answer\nA?,yes\nB?\n",
         ["a.csv:3: ragged-row: the row has 1 cell; the header has 2"]),
        ('question,answer\n"A\nB\nC?",yes\nD, E?,no\n',
         ["a.csv:5: ragged-row: the row has 3 cells; the header has 2"]),
        ("question,answer\nA?,yes\nB?,\n,no\n",
         ["a.csv:3: bad-cell: the cell in column 'answer' is empty, and assistant needs a text",
          "a.csv:4: bad-cell: the cell in column 'question' is empty, and user needs a text"]),
        ('question,answer\nA?,yes\n"B?,no\n',
         ["a.csv:3: bad-table: a quoted cell that starts in this row is never closed"]),
        ('question,answer\nA?,yes\n"B" more,no\n',
         ["a.csv:3: bad-table: a quoted cell in this row goes on after its closing quote"]),
        ("question,question\nA?,yes\n",
         ["a.csv:1: bad-table: two columns are named 'question'"]),
        ("question;x,answer\nA?;x,yes\n",
         ["a.csv:1: bad-table: the cells may be separated by commas and semicolons: both fit"]),
        ("question,answer\nA\0?,yes\n",
         ["a.csv: binary-file: the file is not text"]),
        ("question,answer\n" + "A?,yes\n" * 900 + "B\0?,no\n",
         ["a.csv:902: nul-byte: the cell in column 'question' has a NUL character"]),
        (b"question,answer\nA?,yes\ncaf\xe9?,no\n",
         [("a.csv:3:4: not-utf-8: the file is not UTF-8: 1 line read as cp1252"
           " (Western European), such as 'café?,no'")]),
        ("question,answer\nA?,yes\n".encode("utf-32"),
         ["a.csv: wrong-encoding: the file is in UTF-32"]),
        (b"\xff\xfeq\0,\0a\0\n\0\x00\xd8A\0", [("a.csv: wrong-encoding: the file is not valid"
                                              " UTF-16, though it starts like it")]),
        ("", ["a.csv: empty-file: the file holds no rows"]),
        ("question,answer\n", ["a.csv: empty-file: the file holds no rows"]),
        (",,\n1,2,3\n", ["a.csv: empty-file: the file holds no rows"]),
        ("colour,size\nred,3\n",
         ["a.csv: unknown-format: the rows have 'colour', 'size'; that is no shape known here"]),
        (b"\x1f\x8b\x08\0", ["a.csv: compressed-file: the file is gzip data"]),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
         ["a.csv: pointer-file: the file is a git-lfs pointer, not the data"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_table_is_told_by_row(
    file: File, content: str | bytes, problems: list[str]
) -> None:
    assert told(file("a.csv", content)) == problems


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    assert told(tmp_path / "a.csv") == ["a.csv: missing-file: there is no file at this path"]


def test_every_problem_is_told_at_once_up_to_a_cap(file: File) -> None:
    path = file("a.csv", "question,answer\n" + "A?,\n" * 30)

    problems = told(path)

    assert len(problems) == 21
    assert problems[-1] == "a.csv:22: bad-cell: … and 10 more of this kind"


def test_a_given_delimiter_settles_the_doubt(file: File) -> None:
    path = file("a.csv", "question;x,answer\nA?;x,yes\n")
    template = (("user", "{question;x}"), ("assistant", "{answer}"))

    _, rows = run(path, Convert(template=template, delimiter=","))

    assert rows == qa(("A?;x", "yes"))


# Spreadsheets and Parquet.


@pytest.fixture
def book(tmp_path: Path) -> Path:
    openpyxl = pytest.importorskip("openpyxl")
    made = openpyxl.Workbook()
    page = made.active
    page.title = "FAQ"
    page.append(["question", "answer", "n"])
    page.append(["A?", "yes", 1])
    page.append([None, None, None])
    page.append(["B?", datetime(2026, 1, 5), 2])  # noqa: DTZ001
    page.append([3, 1.5, None])
    other = made.create_sheet("Other")
    other.append(["question", "answer"])
    other.append(["C?", True])
    path = tmp_path / "a.xlsx"
    made.save(path)
    return path


def test_a_sheets_values_become_text(book: Path) -> None:
    result, rows = run(book)

    assert rows == qa(("A?", "yes"), ("B?", "2026-01-05"), ("3", "1.5"))
    assert result.notes[0] == "read as XLSX, sheet 'FAQ' of 2"
    assert result.notes[-1] == "1 blank rows left out"


def test_another_sheet_can_be_named(book: Path) -> None:
    assert run(book, Convert(sheet="Other"))[1] == qa(("C?", "true"))
    assert told(book, Convert(sheet="Othr")) == ["a.xlsx: bad-table: there is no sheet 'Othr'"]


def test_a_sheets_problems_name_the_cell(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    made = openpyxl.Workbook()
    for row in (["question", "answer"], ["A?", None], ["B?", "#REF!"], ["C?", "x", None, "y"]):
        made.active.append(row)
    made.active["B3"].data_type = "e"
    path = tmp_path / "a.xlsx"
    made.save(path)

    assert told(path) == [
        "a.xlsx:2: bad-cell: cell B2 ('answer') is empty, and assistant needs a text",
        "a.xlsx:3: bad-cell: cell B3 holds an error instead of a value",
        "a.xlsx:4: ragged-row: cell C4 or one right of it has no column's name",
    ]


@pytest.mark.parametrize("cut", [10, 2000, 4000])
def test_a_damaged_spreadsheet_is_a_problem_and_no_traceback(book: Path, cut: int) -> None:
    book.write_bytes(book.read_bytes()[:cut])

    assert [one.partition(" (")[0] for one in told(book)] == [
        "a.xlsx: bad-table: the file cannot be read as XLSX"
    ]


def test_parquet_rows_of_texts_and_of_messages(tmp_path: Path) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    talk = [
        {"role": "user", "content": "A?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "4", "tool_call_id": "c1"},
        {"role": "assistant", "content": "four"},
    ]
    tool = [{"type": "function", "function": {"name": "f"}}]
    path = tmp_path / "a.parquet"
    parquet.write_table(
        arrow.table({"messages": [talk] * 300, "tools": [json.dumps(tool)] * 300, "id": [1] * 300}),
        path,
    )
    texts = tmp_path / "b.parquet"
    parquet.write_table(arrow.table({"question": ["A?", None], "answer": ["yes", "no"]}), texts)

    result, rows = run(path, check=True)

    assert rows == [{"messages": talk, "tools": tool}] * 300
    assert result.notes == ("read as Parquet", "chat rows, written as chat", "left out: 'id'")
    assert told(texts) == [
        "b.parquet:2: bad-cell: the cell in column 'question' is empty, and user needs a text"
    ]


def test_a_damaged_parquet_file_is_a_problem_and_no_traceback(file: File) -> None:
    pytest.importorskip("pyarrow")

    assert [one.partition(" (")[0] for one in told(file("a.parquet", b"PAR1 and no more"))] == [
        "a.parquet: bad-table: the file cannot be read as Parquet"
    ]


def test_a_package_that_is_missing_is_named(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)

    with pytest.raises(FtctlError) as caught:
        run(book)

    assert caught.value.hint == "pip install openpyxl"


# Shapes.


@pytest.mark.parametrize(
    ("row", "to", "expected"),
    [
        ({"prompt": "A?", "completion": "yes"}, None, qa(("A?", "yes"))[0]),
        (qa(("A?", "yes"))[0], "completion", {"prompt": "A?", "completion": "yes"}),
        (
            {"prompt": [{"role": "user", "content": "A?"}],
             "completion": [{"role": "assistant", "content": "yes"}]},
            None, qa(("A?", "yes"))[0],
        ),
        (
            {"system": "Be kind.",
             "conversations": [{"from": "human", "value": "A?"}, {"from": "gpt", "value": "yes"}]},
            None,
            {"messages": [{"role": "system", "content": "Be kind."},
                          *qa(("A?", "yes"))[0]["messages"]]},
        ),
        (
            {"instruction": "Add.", "input": "2 and 3", "output": "5",
             "history": [["Hi", "Hello"]]},
            None,
            {"messages": [*qa(("Hi", "Hello"))[0]["messages"],
                          *qa(("Add.\n\n2 and 3", "5"))[0]["messages"]]},
        ),
        (
            {"prompt": "A?", "chosen": "yes", "rejected": "no"}, None,
            {"input": {"messages": [{"role": "user", "content": "A?"}]},
             "preferred_output": [{"role": "assistant", "content": "yes"}],
             "non_preferred_output": [{"role": "assistant", "content": "no"}]},
        ),
        (
            {"chosen": qa(("A?", "yes"))[0]["messages"],
             "rejected": qa(("A?", "no"))[0]["messages"], "score": 0.9},
            None,
            {"input": {"messages": [{"role": "user", "content": "A?"}]},
             "preferred_output": [{"role": "assistant", "content": "yes"}],
             "non_preferred_output": [{"role": "assistant", "content": "no"}]},
        ),
        (
            {"prompt": "A?", "chosen": qa(("A?", "yes"))[0]["messages"],
             "rejected": qa(("A?", "no"))[0]["messages"]},
            "chat", qa(("A?", "yes"))[0],
        ),
    ],
)  # fmt: skip
def test_a_shape_is_recognised_and_written_in_the_wanted_form(
    file: File, row: Row, to: Any, expected: Row
) -> None:
    result, rows = run(file("a.jsonl", json.dumps(row) + "\n"), Convert(to=to), check=True)

    assert rows == [expected], result


@pytest.mark.parametrize(
    ("row", "convert", "problem"),
    [
        ({"conversations": [{"from": "humen", "value": "A?"}]}, Convert(),
         "unknown-role: conversations[0].from is 'humen', which is no speaker known here"),
        ({"conversations": "A?"}, Convert(),
         "wrong-type: conversations is a string, not a list of turns"),
        ({"instruction": "A?", "output": 5}, Convert(),
         "wrong-type: output is a number, not a string"),
        ({"prompt": "A?", "chosen": "yes", "rejected": ["no", "x"]}, Convert(),
         "wrong-type: rejected[0] is a string, not an object"),
        ({"chosen": "yes", "rejected": "no"}, Convert(),
         "cannot-convert: chosen and rejected begin with no message in common"),
        ({"messages": [{"role": "user", "content": "A?"}]}, Convert(to="completion"),
         ("cannot-convert: the messages are user; prompt and completion say one question, one"
         " answer")),
        ({**qa(("A?", "yes"))[0], "tools": [{"type": "function"}]}, Convert(to="sharegpt"),
         "cannot-convert: the row has 'tools', which the wanted form cannot say"),
        (qa(("A?", "yes"))[0], Convert(to="preference"),
         "cannot-convert: the row has one answer; a preference needs two"),
        ({**qa(("A?", "yes"))[0], "tool": []}, Convert(), "unknown-key: unknown key 'tool'"),
        ({"question": "A?", "answr": "yes"}, Convert(template=QA),
         "unknown-column: there is no column 'answr'"),
        ({"messages": [{"content": "A?"}]}, Convert(),
         "missing-key: messages[0] has no key 'role'"),
        ({"rows": [1]}, Convert(),
         "unknown-format: the rows have 'rows'; that is no shape known here"),
    ],
)  # fmt: skip
def test_a_row_without_a_counterpart_is_refused(
    file: File, row: Row, convert: Convert, problem: str
) -> None:
    (found,) = told(file("a.jsonl", "\n" + json.dumps(row) + "\n"), convert)

    assert found.partition(": ")[2] == problem.replace("'answr'", "'answer'")
    assert found.partition(": ")[0] in ("a.jsonl:2", "a.jsonl", "template.assistant")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[{"a": 1},\n{"a": NaN}]', "a.json:2: nan-or-infinity: a number is NaN"),
        ('[{"a": 1},\n{"a": 1, "a": 2}\n]', ("a.json:2: repeated-key: key 'a' stands more than once"
                                            " in one object")),
        ('[{"a": 1},\n\n7]', "a.json:3: row-not-object: the row is a number, not an object"),
        ('[{"a": 1},\n{"a": "x}', "a.json:2: not-json: the file is not JSON: the list breaks off"),
        ('[,{"a": 1}]', "a.json:1: not-json: the file is not JSON: nothing stands beside a comma"),
        ('[{"a": 1}] x', ("a.json:1: not-json: the file is not JSON: something follows the list's"
                         " end")),
        ('{"a": 1}', "a.json:1: not-json: the file is not JSON: a list was expected"),
        ("[]", "a.json: empty-file: the file holds no rows"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_json_list_is_told_by_line(
    file: File, text: str, problem: str
) -> None:
    template = (("user", "{a}"), ("assistant", "{a}"))

    assert told(file("a.json", text), Convert("json", template=template)) == [problem]


def test_a_long_list_is_cut_into_rows_wherever_a_chunk_ends(file: File) -> None:
    count = 4000
    pairs = [
        (f'{number} "[{{,}}]\\\\ é?' * 40, "}]," * (number % 7) + "x") for number in range(count)
    ]
    rows = [{"question": question, "answer": answer} for question, answer in pairs]

    _, found = run(file("a.json", json.dumps(rows, indent=1, ensure_ascii=False)))

    assert found == qa(*pairs)


# What is written.


def test_check_reads_the_rows_back_and_names_the_sources_row(file: File) -> None:
    talk = {"conversations": [{"from": "human", "value": "A?"}, {"from": "gpt", "value": "yes"}]}
    open_ended = {"conversations": talk["conversations"][:1]}
    text = "\n\n".join(json.dumps(row) for row in (talk, talk, open_ended))

    assert told(file("a.jsonl", text), check=True) == [
        "a.jsonl:5: no-learnt-turn: messages has no assistant message"
    ]


def test_a_target_is_whole_or_untouched(file: File, tmp_path: Path) -> None:
    good, bad = file("a.csv", "question,answer\nA?,yes\n"), file("b.csv", "question,answer\nA?,\n")
    target = tmp_path / "out.jsonl"

    first = convert_file(good, "a.csv", target, Convert())
    second = convert_file(bad, "b.csv", target, Convert(), replace=True)

    assert (first.ok, second.ok) == (True, False)
    assert [json.loads(line) for line in target.read_bytes().splitlines()] == qa(("A?", "yes"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv", "out.jsonl"]
    with pytest.raises(FtctlError, match="is there already"):
        convert_file(good, "a.csv", target, Convert())
