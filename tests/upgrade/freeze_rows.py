"""Sources of every kind in; what the steps of a Dataset make of them today, byte for byte, out.

    PYTHONPATH=CHECKOUT:tests python -m upgrade.freeze_rows tests/upgrade/DATE/rows

makes a folder that is then never made again: see its README. CHECKOUT has the ftctl that is asked.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sys
import tempfile
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from ftctl.data.convert import FORMS, recipe_of
from ftctl.data.convert.fault import TemplateFault
from ftctl.data.convert.make import make

Row = dict[str, Any]
Case = tuple[str, str, Row]  # its name, the source, the steps as a manifest has them

_TEXTS = ("Where is umbrella {}?", "Größe von {}?", "안녕 {}, 어디?", "傘 {} はどこ？",
          'He said "{}",\nthen?', "Is {} — 😀 — here; or | not?", "\tWith blanks {} ",
          "What of {}'s?")  # fmt: skip
_ANSWERS = ("Locker {}.", "no", "yes", "서랍 {}.", "Line one\nline {}", "no", "yes, {} it is", "no")


def _question(number: int) -> str:
    return _TEXTS[number % len(_TEXTS)].format(number)


def _answer(number: int) -> str:
    return _ANSWERS[number % len(_ANSWERS)].format(number)


def _said(role: str, content: object) -> Row:
    return {"role": role, "content": content}


def _turn(speaker: str, value: str) -> Row:
    return {"from": speaker, "value": value}


def _table(count: int = 13) -> list[list[Any]]:
    rows = [[str(one), _question(one), _answer(one), f"t{one % 3}"] for one in range(count)]
    return [["id", "question", "answer", "topic"], *rows]


def _delimited(rows: list[list[Any]], delimiter: str, line_end: str = "\n") -> str:
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, lineterminator=line_end).writerows(rows)
    return stream.getvalue()


def _lines(rows: list[Any], line_end: str = "\n") -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + line_end for row in rows)


def _dicts(rows: list[list[Any]]) -> list[Row]:
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


PARAMETERS = {"type": "object", "properties": {"b": {}, "a": {}}}
TOOL = {"type": "function", "function": {"name": "find", "parameters": PARAMETERS}}
CALL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": "{}"}}
N = 12


def _talk(number: int) -> list[Row]:
    return [_said("user", _question(number)), _said("assistant", _answer(number))]


def _shapes() -> dict[str, list[Row]]:
    """Rows of each shape, as people have them."""
    each = range(N)
    called = [_said("system", "Be kind."), _said("user", "A?"),
              {"role": "assistant", "content": None, "tool_calls": [CALL]},
              {"role": "tool", "content": "4", "tool_call_id": "c1"},
              _said("assistant", "four")]  # fmt: skip
    weighted = [{"content": "B?", "role": "user"},
                {"weight": 0, "content": "no", "role": "assistant"}, _said("user", "And?"),
                {"weight": 1, "role": "assistant", "content": "yes"}]  # fmt: skip
    parts = [_said("user", [{"text": "Which?", "type": "text"},
                            {"type": "image_url", "image_url": {"url": "https://a.example/1.png"}}]),
             _said("assistant", "That.")]  # fmt: skip
    return {
        "chat": [{"messages": _talk(n)} for n in each],
        "chat-system": [{"messages": [_said("system", "Short."), *_talk(n)]} for n in each],
        "chat-tools": [{"tools": [TOOL], "parallel_tool_calls": False, "messages": called}] * 2,
        "chat-weights": [{"messages": weighted}] * 2,
        "chat-parts": [{"messages": parts}] * 2,
        "chat-many": [{"messages": [*_talk(n), *_talk(n + 1)]} for n in each],
        "chat-text": [{"messages": json.dumps(_talk(n)), "tools": "[]"} for n in each],
        "completion": [{"prompt": _question(n), "completion": _answer(n)} for n in each],
        "completion-lists": [{"prompt": _talk(n)[:1], "completion": _talk(n)[1:], "tools": [TOOL]}
                             for n in each],
        "preference": [{"input": {"messages": _talk(n)[:1], "tools": [TOOL]},
                        "preferred_output": [_said("assistant", _answer(n))],
                        "non_preferred_output": [_said("assistant", "No idea.")]} for n in each],
        "sharegpt": [{"conversations": [_turn("human", _question(n)), _turn("gpt", _answer(n))]}
                     for n in each],
        "sharegpt-system": [{"system": "Short." if n % 2 else "", "conversations": [
            _turn("system", "Kind."), _turn("user", _question(n)), _turn("bot", "Go on."),
            _turn("human", "Well?"), _turn("model", _answer(n))]} for n in each],
        "alpaca": [{"instruction": _question(n), "input": "", "output": _answer(n)} for n in each],
        "alpaca-input": [{"instruction": "Say it.", "input": _question(n) if n % 2 else None,
                          "output": _answer(n), "system": "Short.", "history": [["A?", "yes"]]}
                         for n in each],
        "pairs": [{"prompt": _question(n), "chosen": _answer(n), "rejected": "No idea."}
                  for n in each],
        "pairs-lists": [{"chosen": _talk(n), "rejected": [_talk(n)[0], _said("assistant", "Hm.")]}
                        for n in each],
        "pairs-prompted": [{"prompt": _talk(n)[:1], "chosen": _talk(n)[1:], "tools": [TOOL],
                            "rejected": [_said("assistant", "Hm.")]} for n in each],
    }  # fmt: skip


def _more() -> dict[str, list[Row]]:
    """Rows that say more than their shape is read for."""
    shapes = _shapes()
    beside: dict[str, Row] = {
        "id": {"id": "x1", "source": "web", "metadata": {"lang": "de"}},
        "system": {"system": "Answer in rhymes."},
        "label": {"label": False},
        "tag": {"kto_tag": True},
        "score": {"score": 0.5, "score_chosen": 4, "margin": 1.5},
        "images": {"images": ["a.png"]},
        "image": {"image": "a.png"},
        "videos": {"videos": ["a.mp4"]},
        "audios": {"audios": ["a.wav"]},
        "weight": {"weight": 0},
        "weights": {"weights": [0, 1]},
        "tools": {"tools": [TOOL]},
        "functions": {"functions": [TOOL["function"]]},
        "calls": {"parallel_tool_calls": False},
        "answers": {"chosen": _said("assistant", "Yes."), "rejected": _said("assistant", "No.")},
        "answer-texts": {"chosen": "Yes.", "rejected": "No."},
        "output": {"output": "Another answer."},
        "outputs": {"preferred_output": [_said("assistant", "Yes.")],
                    "non_preferred_output": [_said("assistant", "No.")]},
        "prompt": {"prompt": "Something else?", "completion": "Something."},
        "category": {"category": "open_qa", "context": "A long paragraph."},
    }  # fmt: skip
    bases = ("chat", "completion", "preference", "sharegpt", "alpaca", "pairs")
    found = {
        f"{shape}-with-{name}": [row | keys for row in shapes[shape]]
        for shape in bases
        for name, keys in beside.items()
    }
    each = range(N)
    human = [[_turn("human", _question(n))] for n in each]
    earlier = [[_turn("human", "Hi."), _turn("gpt", "Yes?")] for _ in each]
    return found | {
        "sharegpt-preference": [{"conversations": human[n], "chosen": _turn("gpt", _answer(n)),
                                 "rejected": _turn("gpt", "Hm.")} for n in each],
        "sharegpt-preference-late": [
            {"conversations": [*earlier[n], *human[n]], "chosen": _turn("gpt", _answer(n)),
             "rejected": _turn("gpt", "Hm.")} for n in each],
        "sharegpt-preference-lists": [
            {"conversations": human[n], "chosen": [_turn("gpt", _answer(n))],
             "rejected": [_turn("gpt", "Hm.")]} for n in each],
        "sharegpt-turns-weigh": [{"conversations": [
            {**human[n][0], "weight": 0}, {**_turn("gpt", _answer(n)), "weight": 1, "loss": True,
                                           "train": False, "images": ["a.png"]}]} for n in each],
        "sharegpt-two-systems": [{"system": "Short.", "conversations": [
            _turn("system", "Long."), *human[n], _turn("gpt", _answer(n))]} for n in each],
        "sharegpt-placeholder": [{"conversations": [_turn("human", "<image>\nWhat?"),
                                                    _turn("gpt", _answer(n))]} for n in each],
        "chat-and-conversations": [{"messages": _talk(n), "conversations": human[n]} for n in each],
        "chat-and-preference": [{"messages": _talk(n), "chosen": _talk(n), "rejected": _talk(n)}
                                for n in each],
        "chat-keys": [{"messages": [{**_said("user", _question(n)), "id": 1, "name": "ann"},
                                    {**_said("assistant", _answer(n)), "train": False,
                                     "loss": 0, "mask": True, "thinking": "Hm."}]} for n in each],
        "chat-dialect-parts": [{"messages": [
            _said("user", [{"type": "input_text", "text": "A?"}, {"type": "image"},
                           {"type": "image", "image": "a.png"}, {"text": "bare"}, "bare",
                           {"type": "input_image", "image_url": "https://a.example/1.png"}]),
            _said("assistant", [{"type": "output_text", "text": _answer(n)}])]} for n in each],
        "chat-tool-use": [{"messages": [
            _said("user", "A?"), _said("assistant", [{"type": "tool_use", "id": "c", "name": "find",
                                                      "input": {}}]),
            _said("user", [{"type": "tool_result", "tool_use_id": "c", "content": "4"}]),
            _said("assistant", [{"type": "text", "text": _answer(n)}])]} for n in each],
        "chat-gemini-parts": [{"messages": [
            {"role": "user", "parts": [{"text": _question(n)}]},
            {"role": "model", "parts": [{"text": _answer(n)}]}]} for n in each],
        "chat-null-parts": [{"messages": [
            _said("user", [{"type": "text", "text": _question(n), "image_url": None}]),
            {**_said("assistant", _answer(n)), "tool_calls": None, "name": None}]} for n in each],
        "chat-roles": [{"messages": [_said("human", _question(n)), _said("gpt", _answer(n))]}
                       for n in each],
        "chat-null-tools": [{"messages": _talk(n), "tools": None, "functions": [],
                             "parallel_tool_calls": None} for n in each],
        "preference-input-more": [{"input": {"messages": _talk(n)[:1], "system": "Short.",
                                             "metadata": {"a": 1}, "parallel_tool_calls": True},
                                   "preferred_output": _talk(n)[1:],
                                   "non_preferred_output": [_said("assistant", "Hm.")]}
                                  for n in each],
        "pairs-systems": [{"prompt": _question(n),
                           "chosen": [_said("system", "Short."), _said("user", _question(n)),
                                      _said("assistant", _answer(n))],
                           "rejected": [_said("system", "Short."), _said("user", _question(n)),
                                        _said("assistant", "Hm.")]} for n in each],
        "pairs-other-prompt": [{"prompt": "Quite another?", "chosen": _talk(n)[1:],
                                "rejected": [_said("assistant", "Hm.")]} for n in each],
        "alpaca-empty-input": [{"instruction": _question(n), "input": " ", "output": _answer(n),
                                "history": [], "text": "### Instruction"} for n in each],
        "cells-list": [{"input": _talk(n)[:1], "output": _answer(n)} for n in each],
        "cells-list-both": [{"question": _talk(n)[:1], "answer": _talk(n)[1:]} for n in each],
        "cells-list-of-texts": [{"question": [_question(n), "And?"], "answer": ["yes", "no"]}
                                for n in each],
        "cells-one-text": [{"question": _question(n), "answer": [_answer(n)]} for n in each],
        "cells-object": [{"question": {"text": _question(n)}, "answer": {"b": 1, "a": [None, "é"]}}
                         for n in each],
        "cells-turns": [{"input": [_turn("human", _question(n))], "output": _answer(n)}
                        for n in each],
        "cells-numbers": [{"question": n, "answer": value} for n, value in enumerate(
            (1, 1.5, True, False, 1e21, 12345678901234567890, -0.0, "x", 1e-7, "1", 2.0))],
        "cells-null": [{"topic": None if n % 2 else "t", "question": _question(n), "answer": "y"}
                       for n in each],
        "cells-label": [{"text": _question(n), "label": n % 2} for n in each],
        "cells-squad": [{"id": str(n), "title": "T", "context": "Long.", "question": _question(n),
                         "answers": {"text": [_answer(n)], "answer_start": [0]}} for n in each],
        "cells-images": [{"question": _question(n), "answer": _answer(n), "image": "a.png",
                          "images": ["a.png"]} for n in each],
        "cells-system": [{"system": "Short.", "question": _question(n), "answer": _answer(n)}
                         for n in each],
        "cells-history": [{"query": _question(n), "response": _answer(n),
                           "history": [["A?", "B."]]} for n in each],
        "cells-preference": [{"question": _question(n), "answer": _answer(n), "rejected": "Hm."}
                             for n in each],
        "cells-many-names": [{"Question": _question(n), "Answer": _answer(n), "Q": "q", "A": "a",
                              "prompt": "p", "response": "r", "input": "i", "output": "o"}
                             for n in each],
    }  # fmt: skip


PAIRS = (("question", "answer"), ("question", "response"), ("query", "response"),
         ("query", "answer"), ("prompt", "response"), ("input", "output"), ("user", "assistant"),
         ("text", "label"), ("Question", "ANSWER"))  # fmt: skip


def sources(folder: Path) -> None:
    """Every source, into the folder."""
    texts: dict[str, str | bytes] = {}
    table = _table()
    plain = {
        "table.csv": _delimited(table, ","),
        "table.tsv": _delimited(table, "\t"),
        "table.json": json.dumps(_dicts(table), ensure_ascii=False, indent=1),
        "table.jsonl": _lines(_dicts(table)),
    }
    for name, text in plain.items():
        stem, _, end = name.partition(".")
        for codec in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
            texts[f"{stem}-{codec}.{end}"] = text.encode(codec)
    for name, delimiter in (("semicolons", ";"), ("bars", "|"), ("tabs", "\t"), ("tildes", "~")):
        texts[f"{name}.csv"] = _delimited(table, delimiter)
    texts |= {
        "crlf.csv": _delimited(table, ",", "\r\n"),
        "old-mac.csv": _delimited([row for row in table if "\n" not in "".join(row)], ",", "\r"),
        "excel.csv": "sep=;\r\n" + _delimited(table, ";", "\r\n"),
        "spaced.csv": 'question, answer\n"A, or B?", "yes"\nC?, "no"\n',
        "blank.csv": "\nquestion,answer\n\nA?,yes\n,\n  ,\nB?,no\n\n",
        "unnamed.csv": ",question,answer\n0,A?,yes\n1,B?,no\n",
        "ascii-utf-16-le.csv": "question,answer\nA?,yes\nB?,no\n".encode("utf-16-le"),
        "ascii-utf-16-be.csv": "question,answer\nA?,yes\nB?,no\n".encode("utf-16-be"),
        "one-column.csv": "question\nA?\nB?\n",
        "without-end": _delimited(table, ","),
        "lines-without-end": _lines(_dicts(table)),
        "list-without-end": json.dumps(_dicts(table)),
        "table.tab": _delimited(table, "\t"),
        "table.ndjson": _lines(_dicts(table)),
        "list.jsonl": json.dumps(_dicts(table)),
        "nested.json": json.dumps({"data": _dicts(table)}),
        "empty-cells.csv": "question,answer,topic\nA?,yes,\nB?,no,t\n",
        "braces.csv": "my question,answer\n{A}?,yes\n{{B}}?,no\n",
        "messages.csv": _delimited(
            [["messages", "id"], *([json.dumps(_talk(n)), str(n)] for n in range(N))], ","
        ),
        "alpaca.csv": _delimited(
            [
                ["instruction", "input", "output"],
                *([_question(n), "", _answer(n)] for n in range(N)),
            ],
            ",",
        ),
        "rows-crlf.jsonl": _lines(_shapes()["chat"], "\r\n"),
        "rows-blank.jsonl": "\n" + _lines(_shapes()["chat"], "\n\n  \n"),
        "rows-spaced.jsonl": "".join(
            f"  {json.dumps(row, separators=(' ,  ', ' : '))}\t\n" for row in _shapes()["chat"]
        ),
        "rows-no-end.jsonl": _lines(_shapes()["chat"]).rstrip("\n"),
        "rows-bom.jsonl": "\ufeff" + _lines(_shapes()["chat"]),
        "rows-alike.jsonl": _lines(
            [{"messages": [_said("user", f"Question {n // 3}?"), _said("assistant", f"{n % 4}")]}
             for n in range(60)]
        ),
        "rows-many.jsonl": _lines(
            [{"messages": [_said("user", f"Where is {n} of {n * 7}?"),
                           _said("assistant", _answer(n % 5))]} for n in range(80)]
        ),
        "rows-labelled.jsonl": _lines(
            [{"messages": _talk(n), "label": n % 3 > 0} for n in range(32)]
        ),
        "rows-other.jsonl": _lines([{"any": n, "é": [1, {"b": 2, "a": 1}]} for n in range(20)]),
    }  # fmt: skip
    for question, answer in PAIRS:
        rows = [["n", question, answer], *([n, f"Q{n}?", f"a{n}"] for n in range(4))]
        texts[f"names-{question}-{answer}.csv"] = _delimited(rows, ",")
    for name, shape in {**_shapes(), **_more()}.items():
        texts[f"{name}.jsonl"] = _lines(shape)
    for name in ("chat", "sharegpt", "alpaca-input", "pairs"):
        texts[f"{name}.json"] = json.dumps(_shapes()[name], ensure_ascii=False)
    for name, content in texts.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    _books(folder)
    _parquet(folder)


def _books(folder: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    page = book.active
    page.title = "FAQ"
    for row in _table():
        page.append(row)
    other = book.create_sheet("Types")
    other.append(["question", "answer", "n"])
    for value in (1, 1.5, True, False, datetime(2026, 1, 5), datetime(2026, 1, 5, 13, 30),  # noqa: DTZ001
                  date(2026, 2, 1), time(8, 15), 12345678901, 0.1, "x"):  # fmt: skip
        other.append([value, value, None])
    other.append([None, None, None])
    book.save(folder / "table.xlsx")


def _parquet(folder: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    def write(name: str, columns: dict[str, Any]) -> None:
        parquet.write_table(pa.table(columns), folder / name)

    rows = _dicts(_table())
    write("table.parquet", {key: [row[key] for row in rows] for key in rows[0]})
    shapes = _shapes()
    talks = [row["messages"] for row in shapes["chat"]]
    write("chat.parquet", {"messages": talks, "id": list(range(N))})
    write("chat-tools.parquet", {"messages": [row["messages"] for row in shapes["chat-tools"]],
                                 "tools": [json.dumps([TOOL])] * 2})  # fmt: skip
    write("alpaca.parquet", {key: [row.get(key) for row in shapes["alpaca-input"]]
                             for key in ("instruction", "input", "output")})  # fmt: skip
    write("sharegpt.parquet", {"conversations": [row["conversations"]
                                                 for row in shapes["sharegpt"]]})  # fmt: skip
    write("sharegpt-preference.parquet", {
        key: [row[key] for row in _more()["sharegpt-preference-late"]]
        for key in ("conversations", "chosen", "rejected")})  # fmt: skip
    write("list.parquet", {"question": [talk[:1] for talk in talks],
                           "answer": [_answer(n) for n in range(N)]})  # fmt: skip
    write("texts.parquet", {"question": [[_question(n)] for n in range(N)],
                            "answer": [_answer(n) for n in range(N)]})  # fmt: skip
    image = {"type": "image", "text": None}
    parts = [[_said("user", [{"type": "text", "text": _question(n)}, image]),
              _said("assistant", [{"type": "text", "text": _answer(n)}])]
             for n in range(N)]  # fmt: skip
    write("parts.parquet", {"messages": parts, "images": [["a.png"]] * N})
    values: list[tuple[str, Any, list[Any]]] = [
        ("int", pa.int64(), [1, -2]), ("float", pa.float64(), [1.5, 2.0]),
        ("float32", pa.float32(), [0.1, 3.0]), ("bool", pa.bool_(), [True, False]),
        ("decimal", pa.decimal128(10, 2), [Decimal("1.50"), Decimal("-3.00")]),
        ("date", pa.date32(), [date(2026, 1, 5), date(1999, 12, 31)]),
        ("stamp", pa.timestamp("us"), [datetime(2026, 1, 5), datetime(2026, 1, 5, 9, 30)]),  # noqa: DTZ001
        ("zoned", pa.timestamp("us", tz="UTC"), [datetime(2026, 1, 5), datetime(2026, 1, 5, 9)]),  # noqa: DTZ001
        ("time", pa.time64("us"), [time(8, 15), time(23, 59, 59)]),
        ("null", pa.string(), [None, "there"]), ("nan", pa.float64(), [float("nan"), 1.0]),
        ("list", pa.list_(pa.string()), [["a", "b"], []]),
        ("struct", pa.struct([("b", pa.int64()), ("a", pa.string())]), [{"b": 1, "a": "x"}, None]),
        ("category", pa.dictionary(pa.int8(), pa.string()), ["x", "y"]),
    ]  # fmt: skip
    cells = {name: pa.array(given, kind) for name, kind, given in values}
    write("types.parquet", {"question": ["A?", "B?"], **cells})


def cases(folder: Path) -> Iterator[Case]:
    """Every source with every step that is tried on it; many end in an error and are left out."""
    qa: Row = {"user": "{question}", "assistant": "{answer}"}
    full = {"system": "Topic: {topic}", **qa}
    for path in sorted(folder.iterdir()):
        name = path.name
        yield f"{name}: auto", name, {"convert": {}}
        for form in FORMS:
            yield f"{name}: to {form}", name, {"format": form, "convert": {}}
    for end in ("csv", "tsv", "json", "jsonl"):
        for codec in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
            name = f"table-{codec}.{end}"
            yield f"{name}: named", name, {"convert": {"from": end}}
            yield f"{name}: template", name, {"convert": {"from": end, "template": full}}
    for name in ("table.xlsx", "table.parquet"):
        end = name.partition(".")[2]
        yield f"{name}: named", name, {"convert": {"from": end}}
        yield f"{name}: template", name, {"convert": {"template": full}}
    yield "table.xlsx: sheet", "table.xlsx", {"convert": {"sheet": "Types"}}
    for name, delimiter in (("semicolons", ";"), ("bars", "|"), ("tabs", "\t"), ("tildes", "~")):
        steps = {"convert": {"from": "csv", "delimiter": delimiter}}
        yield f"{name}.csv: delimiter", f"{name}.csv", steps
    yield from _templates(full)
    for shape in ("chat", "completion", "preference", "sharegpt", "alpaca", "pairs"):
        for name in (f"{shape}.jsonl", f"{shape}-with-id.jsonl"):
            yield f"{name}: named", name, {"convert": {"from": shape}}
    yield "alpaca-answers: named", "alpaca-with-answers.jsonl", {"convert": {"from": "alpaca"}}
    yield "chat as table", "table-utf-8.jsonl", {"convert": {"from": "table"}}
    yield from _divisions(qa)


def _templates(full: Row) -> Iterator[Case]:
    table = "table-utf-8.csv"
    preference = {"user": "{question}", "chosen": "{answer}", "rejected": "Not {topic}."}
    completion = {"prompt": "{question} ->", "completion": " {answer}"}
    for label, template in (("chat", full), ("preference", preference), ("completion", completion)):
        for form in (None, *FORMS):
            steps = {"convert": {"template": template}} | ({} if form is None else {"format": form})
            yield f"template {label} to {form}", table, steps
    same = {"user": "{my question} {{x}}", "assistant": "{answer}"}
    yield "braces: template", "braces.csv", {"convert": {"template": same}}
    types = ("int", "float", "float32", "bool", "decimal", "date", "stamp", "zoned", "time", "null",
             "nan", "list", "struct", "category")  # fmt: skip
    for name in types:
        template = {"user": "{question}", "assistant": f"<{{{name}}}>"}
        steps = {"convert": {"template": template}}
        yield f"types.parquet: {name}", "types.parquet", steps
    for name in ("cells-list", "cells-turns"):
        template = {"user": "Say: {input}", "assistant": "{output}"}
        yield f"{name}: template", f"{name}.jsonl", {"convert": {"template": template}}
        template = {"user": "{input}", "assistant": "{output}"}
        yield f"{name}: own template", f"{name}.jsonl", {"convert": {"template": template}}
    for name in ("cells-null", "cells-system"):
        key = name.partition("-")[2].replace("null", "topic")
        template = {"system": f"{{{key}}}", "user": "{question}", "assistant": "{answer}"}
        yield f"{name}: template", f"{name}.jsonl", {"convert": {"template": template}}
    answers = {"user": "{context}\n\n{question}", "assistant": "{answers}"}
    yield "squad: template", "cells-squad.jsonl", {"convert": {"template": answers}}


def _divisions(qa: Row) -> Iterator[Case]:
    amounts: list[Row] = [
        {"sample": {"rows": 5}},
        {"sample": {"rows": 5, "seed": 7}},
        {"sample": {"rows": 0.25, "seed": 3}},
        {"sample": {"rows": 9, "by": "answer"}},
        {"sample": {"rows": 0.5, "by": "answer", "seed": 11}},
        {"split": {"validation": 3, "part": "train"}},
        {"split": {"validation": 0.2, "part": "train"}},
        {"split": {"validation": 0.2, "seed": 7, "part": "train"}},
        {"split": {"validation": 0.2, "test": 2, "seed": 1, "part": "train"}},
        {"split": {"validation": 4, "test": 0.1, "by": "answer", "part": "train"}},
        {"split": {"validation": 0.25, "by": "answer", "seed": 5, "part": "train"}},
        {"sample": {"rows": 10, "seed": 2}, "split": {"validation": 2, "seed": 4, "part": "train"}},
        {"sample": {"rows": 12, "by": "answer"},
         "split": {"validation": 0.2, "test": 0.2, "by": "answer", "part": "train"}},
    ]  # fmt: skip
    names = ("chat.jsonl", "rows-crlf.jsonl", "rows-blank.jsonl", "rows-spaced.jsonl",
             "rows-no-end.jsonl", "rows-bom.jsonl", "rows-alike.jsonl", "rows-many.jsonl",
                  "rows-other.jsonl", "preference.jsonl", "completion.jsonl", "pairs.jsonl",
             "table-utf-8.jsonl", "chat-tools.jsonl")  # fmt: skip
    for name in names:
        for step in amounts:
            yield f"{name}: {json.dumps(step)}", name, step
    converted: list[tuple[str, Row]] = [
        ("table-utf-8.csv", {"template": qa}),
        ("table-utf-16.csv", {}),
        ("table.xlsx", {}),
        ("table.parquet", {}),
        ("sharegpt.jsonl", {}),
        ("alpaca-input.jsonl", {}),
        ("pairs-lists.jsonl", {}),
        # Rows that were not made as they were meant.
        ("sharegpt-preference-late.jsonl", {}),
        ("rows-labelled.jsonl", {}),
        ("chat-with-system.jsonl", {}),
        ("cells-list.jsonl", {}),
    ]
    for name, convert in converted:
        for step in amounts:
            yield f"{name}: converted, {json.dumps(step)}", name, {"convert": convert, **step}


def made(source: Path, steps: Row) -> dict[str, bytes] | None:
    """What comes of a source, by part; None where an error stands against it."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with make(source, source.name, recipe_of(steps), Path(folder)) as pieces:
                return {
                    part or "all": piece.draft.path.read_bytes()
                    for part, piece in pieces.parts.items()
                } or None
        except TemplateFault:
            return None


def main(target: Path) -> None:
    """Freeze everything below a folder that is not there yet."""
    assert not target.exists(), f"{target} is never made again"
    origin = target / "sources"
    origin.mkdir(parents=True)
    sources(origin)
    found: list[str] = []
    used: set[str] = set()
    known: dict[str, str] = {}
    for name, source, steps in cases(origin):
        parts = made(origin / source, steps)
        if parts is None:
            continue
        used.add(source)
        told = {}
        for part, content in parts.items():
            sha256 = hashlib.sha256(content).hexdigest()
            known[sha256] = content.decode()
            told[part] = sha256
        case = {"name": name, "source": source, "steps": steps, "parts": told}
        found.append(json.dumps(case, ensure_ascii=False))
    for path in origin.iterdir():
        if path.name not in used:
            path.unlink()
    (target / "cases.jsonl").write_text("\n".join(found) + "\n", "utf-8")
    texts = [{"sha256": sha256, "text": text} for sha256, text in sorted(known.items())]
    (target / "made.jsonl").write_text(_lines(texts), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
