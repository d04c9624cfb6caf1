"""Rows as other tools write them go through a conversion; nothing that they say is lost unsaid."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ftctl.data.convert import Convert, Manner, StepOutcome, convert_file

Row = dict[str, Any]
File = Callable[[str, str | bytes], Path]

AUTO = Convert()
MANIFEST = Manner()
COMMAND = Manner(("ftctl", "dataset", "convert", "a.jsonl", "out.jsonl"))
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(60)).decode()
URL = "https://example.com/a.png"


@pytest.fixture
def file(tmp_path: Path) -> File:
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def run(
    path: Path, convert: Convert = AUTO, manner: Manner = COMMAND
) -> tuple[StepOutcome, list[Row]]:
    """A conversion's result and the rows that it gave."""
    stream = io.BytesIO()
    result = convert_file(path, path.name, stream, convert, check=True, manner=manner)
    return result, [json.loads(line) for line in stream.getvalue().splitlines()]


def lines(*rows: Row) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def told(result: StepOutcome) -> list[tuple[str, str, str | None]]:
    return [(f"{one.severity}[{one.code}]", one.message, one.hint) for one in result.problems]


def user(content: Any) -> Row:
    return {"role": "user", "content": content}


def said(content: Any) -> Row:
    return {"role": "assistant", "content": content}


def system(content: Any) -> Row:
    return {"role": "system", "content": content}


def image(url: str = URL) -> Row:
    return {"type": "image_url", "image_url": {"url": url}}


def text(what: str) -> Row:
    return {"type": "text", "text": what}


def call(name: str, arguments: str, identity: str = "call_1") -> Row:
    return {
        "id": identity,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def result_of(content: str, identity: str = "call_1") -> Row:
    return {"role": "tool", "content": content, "tool_call_id": identity}


def pair(*messages: Row, better: str = "yes", worse: str = "no") -> Row:
    return {
        "input": {"messages": list(messages)},
        "preferred_output": [said(better)],
        "non_preferred_output": [said(worse)],
    }


HUMAN, GPT = {"from": "human", "value": "A?"}, {"from": "gpt", "value": "yes"}
NO = {"from": "gpt", "value": "no"}
TALK = [user("A?"), said("yes")]
CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER: Row = {"name": "weather", "description": "Tells it.", "parameters": CITY}
TOOL = {"type": "function", "function": WEATHER}


# Pairs of answers.


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"conversations": [HUMAN], "chosen": GPT, "rejected": NO}, pair(user("A?"))),
        ({"conversations": [HUMAN], "chosen": [GPT], "rejected": [NO]}, pair(user("A?"))),
        ({"conversations": [HUMAN], "chosen": "yes", "rejected": "no"}, pair(user("A?"))),
        ({"prompt": "A?", "chosen": ["yes"], "rejected": ["no"]}, pair(user("A?"))),
        (
            {"conversations": [HUMAN, NO, HUMAN], "chosen": GPT, "rejected": NO, "system": "S"},
            pair(system("S"), user("A?"), said("no"), user("A?")),
        ),
        (
            {"conversations": [HUMAN], "chosen": [NO, HUMAN, GPT], "rejected": [NO, HUMAN, NO]},
            pair(user("A?"), said("no"), user("A?")),
        ),
        ({"messages": [user("A?")], "chosen": said("yes"), "rejected": said("no")},
         pair(user("A?"))),
        ({"messages": TALK, "prompt": "A?", "chosen": TALK, "rejected": [user("A?"), said("no")]},
         pair(user("A?"))),
        ({"messages": TALK, "chosen": TALK, "rejected": [user("A?"), said("no")]},
         pair(user("A?"))),
        ({"instruction": "A?", "chosen": "yes", "rejected": "no"}, pair(user("A?"))),
        ({"instruction": "Add.", "input": "2", "chosen": "yes", "rejected": "no"},
         pair(user("Add.\n\n2"))),
        ({"instruction": "A?", "input": "", "output": ["yes", "no"]}, pair(user("A?"))),
        ({"system": "S", "question": "A?", "chosen": "yes", "rejected": "no"},
         pair(system("S"), user("A?"))),
        ({"prompt": "A?", "chosen_response": "yes", "rejected_response": "no"}, pair(user("A?"))),
        ({"chosen": "\n\nHuman: B?\n\nAssistant: b\n\nHuman: A?\n\nAssistant: yes",
          "rejected": "\n\nHuman: B?\n\nAssistant: b\n\nHuman: A?\n\nAssistant: no"},
         pair(user("B?"), said("b"), user("A?"))),
        ({"chosen_messages": TALK, "rejected_messages": [user("A?"), said("no")]},
         pair(user("A?"))),
        ({"prompt": [user("A?")], "chosen": [said("yes")], "rejected": [said("no")]},
         pair(user("A?"))),
        ({"messages": [user("A?")], "preferred_output": [said("yes")],
          "non_preferred_output": [said("no")]}, pair(user("A?"))),
        ({"prompt": "A?", "preferred_output": "yes", "non_preferred_output": "no"},
         pair(user("A?"))),
    ],
)  # fmt: skip
def test_two_answers_become_a_preference(file: File, row: Row, expected: Row) -> None:
    result, rows = run(file("a.jsonl", lines(row)))

    assert (rows, result.problems) == ([expected], ())


@pytest.mark.parametrize("origin", ["sharegpt", "pairs", "auto"])
def test_pairs_of_a_named_shape_are_pairs_too(file: File, origin: str) -> None:
    row = {"conversations": [HUMAN], "chosen": GPT, "rejected": NO}

    _, rows = run(file("a.jsonl", lines(row)), Convert(origin))

    assert rows == [pair(user("A?"))]


def test_a_pair_gives_its_better_answer_where_chat_is_asked_for(file: File) -> None:
    row = {"conversations": [HUMAN], "chosen": GPT, "rejected": NO}

    result, rows = run(file("a.jsonl", lines(row)), Convert(to="chat"))

    assert rows == [{"messages": TALK}]
    assert "of each pair the better answer; the worse one is left out" in result.notes


def test_dropping_both_answers_leaves_the_conversation(file: File) -> None:
    row = {"conversations": [HUMAN, GPT], "chosen": GPT, "rejected": NO}

    result, rows = run(file("a.jsonl", lines(row)), Convert(drop=("chosen", "rejected")))

    assert rows == [{"messages": TALK}]
    assert result.notes[-1] == "left out: 'chosen', 'rejected'"


@pytest.mark.parametrize("manner", [COMMAND, MANIFEST])
@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"conversations": [HUMAN]}, "no-learnt-turn: messages has no assistant message"),
        ({"messages": [*TALK], "chosen": "x", "rejected": "no"},
         "cannot-convert: messages ends with an answer of its own, beside the two"),
        ({"messages": [user("B?")], "prompt": "A?", "chosen": "x", "rejected": "no"},
         "cannot-convert: the row has 'prompt' and 'messages' that say different things"),
        ({"instruction": "A?", "output": ["yes", "no", "perhaps"]},
         "wrong-type: output[0] is a string, not an object"),
    ],
)  # fmt: skip
def test_what_is_neither_a_pair_nor_an_answer_is_an_error(
    file: File, row: Row, problem: str, manner: Manner
) -> None:
    result, rows = run(file("a.jsonl", lines(row)), manner=manner)

    assert rows == []
    assert [f"{one.code}: {one.message}" for one in result.problems] == [problem]


# Labels.


def labelled(**label: Any) -> Row:
    return {"messages": TALK, **label}


@pytest.mark.parametrize("manner", [COMMAND, MANIFEST])
@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [("label", True, False), ("kto_tag", True, False), ("label", "true", "false"), ("label", 1, 0)],
)
@pytest.mark.parametrize(
    "shape",
    [
        {"messages": TALK},
        {"conversations": [HUMAN, GPT]},
        {"prompt": "A?", "completion": "yes"},
        {"instruction": "A?", "output": "yes"},
        {"question": "A?", "answer": "yes"},
    ],
)
def test_labels_that_judge_are_refused_with_a_cure(  # noqa: PLR0917 - each is a dimension
    file: File, shape: Row, key: str, good: Any, bad: Any, manner: Manner
) -> None:
    if bad == 0 and "question" in shape and bad is not False:
        return  # these are classes
    rows = [{**shape, key: value} for value in (good, bad, bad)]
    as_json = json.dumps(good)

    result, made = run(file("a.jsonl", lines(*rows)), manner=manner)

    assert made == []
    assert told(result) == [
        (
            "error[unread-key]",
            (
                f"'{key}' says which answers are good, and the bad ones would be learnt with them"
                " (2 of 3 rows)"
            ),
            (
                f"keep the good ones: jq -c 'select(.{key} == {as_json}) | del(.{key})' a.jsonl >"
                " a-new.jsonl"
            ),
        )
    ]


def test_a_label_that_is_dropped_warns_of_the_bad_answers(file: File) -> None:
    path = file("a.jsonl", lines(labelled(label=True), labelled(label=False)))

    result, rows = run(path, Convert(drop=("label",)))

    assert rows == [{"messages": TALK}] * 2
    assert told(result)[0][:2] == (
        "warning[unread-key]",
        "'label' is left out, so 1 of 2 answers are learnt that it says are bad",
    )


def test_a_template_beside_a_label_that_judges_warns_of_the_bad_answers(file: File) -> None:
    path = file("a.csv", "ask,reply,label\nA?,yes,true\nA?,no,false\n")
    template = (("user", "{ask}"), ("assistant", "{reply}"))
    classes = (("user", "{ask}"), ("assistant", "{label}"))

    result, rows = run(path, Convert(template=template))
    sorted_, _ = run(path, Convert(template=classes))

    assert len(rows) == 2
    assert [one.code for one in result.problems] == ["unread-key"]
    assert result.problems[0].severity == "warning"
    assert sorted_.problems == ()


def test_a_label_that_only_sorts_is_a_key_like_others(file: File) -> None:
    path = file("a.jsonl", lines(labelled(label="billing"), labelled(label="refund")))

    strict, _ = run(path)
    lenient, rows = run(path, manner=MANIFEST)

    assert rows == [{"messages": TALK}] * 2
    assert (told(strict)[0][0], told(lenient)[0][0]) == ("error[unread-key]", "warning[unread-key]")


def test_numbers_beside_a_question_and_its_answer_are_classes(file: File) -> None:
    path = file("a.csv", "Q,A,label\nA?,yes,0\nA?,yes,1\n")
    numbers = file(
        "a.jsonl", lines(*({"question": "A?", "answer": "yes", "label": n} for n in (0, 1)))
    )

    _, rows = run(path, manner=MANIFEST)
    _, others = run(numbers, manner=MANIFEST)

    assert rows == others == [{"messages": TALK}] * 2


def test_text_and_label_are_a_question_and_its_answer(file: File) -> None:
    _, rows = run(file("a.jsonl", lines({"text": "A?", "label": True})))

    assert rows == [{"messages": [user("A?"), said("true")]}]


# What is left out.


def test_a_command_leaves_nothing_out_that_is_not_dropped(file: File) -> None:
    path = file("a.jsonl", lines({"messages": TALK, "id": 7}, {"messages": TALK, "source": "web"}))

    result, rows = run(path)

    assert rows == []
    assert told(result) == [
        (
            "error[unread-key]",
            "nothing is made of 'id', 'source': chat rows have no place for them",
            "leave them out: ftctl dataset convert a.jsonl out.jsonl --drop id --drop source",
        )
    ]


def test_a_manifest_is_warned_and_keeps_its_rows(file: File) -> None:
    path = file("a.jsonl", lines({"messages": TALK, "id": 7, "my key": 1}))

    result, rows = run(path, manner=MANIFEST)

    assert rows == [{"messages": TALK}]
    assert told(result) == [
        (
            "warning[unread-key]",
            "nothing is made of 'id', 'my key': chat rows have no place for them",
            "leave them out: drop: [id, \"my key\"] below 'convert'",
        )
    ]


@pytest.mark.parametrize("key", ["videos", "weight", "chosen", "loss_mask"])
def test_a_key_that_changes_what_is_learnt_is_an_error_in_a_manifest_too(
    file: File, key: str
) -> None:
    path = file("a.jsonl", lines({"messages": TALK, key: [0.5]}))

    result, rows = run(path, manner=MANIFEST)

    assert rows == []
    assert told(result)[0][0] == "error[unread-key]"


@pytest.mark.parametrize("value", [None, "", " ", [], {}])
def test_a_key_that_says_nothing_is_no_loss(file: File, value: object) -> None:
    result, rows = run(file("a.jsonl", lines({"messages": TALK, "videos": value})))

    assert (rows, result.problems) == ([{"messages": TALK}], ())


def test_a_key_of_messages_is_dropped_by_its_name(file: File) -> None:
    turns = [{**HUMAN, "lang": "en"}, {**GPT, "lang": "en"}]
    path = file("a.jsonl", lines({"conversations": turns}))

    strict, nothing = run(path)
    result, rows = run(path, Convert(drop=("lang",)))

    assert nothing == []
    assert told(strict)[0][1] == "nothing is made of 'lang': chat rows have no place for it"
    assert (rows, result.problems) == ([{"messages": TALK}], ())


def test_thoughts_are_dropped_by_their_kind(file: File) -> None:
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "x"}
    path = file("a.jsonl", lines({"messages": [user("A?"), said([thought, text("yes")])]}))

    strict, nothing = run(path)
    result, rows = run(path, Convert(drop=("thinking",)))

    assert nothing == []
    assert told(strict)[0][1] == "nothing is made of 'thinking': chat rows have no place for it"
    assert (rows, result.problems) == ([{"messages": TALK}], ())


def test_a_context_is_used_or_left_out_by_name(file: File) -> None:
    path = file("a.csv", "context,question,answer\nHere.,A?,yes\n")

    result, _ = run(path)

    assert told(result)[0][2] == (
        "use it: ftctl dataset convert a.jsonl out.jsonl --template 'user={context} {question}'"
        " --template 'assistant={answer}'; or leave it out: ftctl dataset convert a.jsonl"
        " out.jsonl --drop context"
    )


# Dialects.


@pytest.mark.parametrize(
    ("row", "messages"),
    [
        ({"system": "S", "messages": TALK}, [system("S"), *TALK]),
        ({"system": "S", "messages": [system("S"), *TALK]}, [system("S"), *TALK]),
        ({"system": [{"type": "text", "text": "S", "cache_control": {"type": "ephemeral"}}],
          "messages": TALK}, [system("S"), *TALK]),
        ({"system": [{"text": "S"}], "messages": [{"role": "user", "content": [{"text": "A?"}]},
                                                  {"role": "assistant",
                                                   "content": [{"text": "yes"}]}]},
         [system("S"), *TALK]),
        ({"system": "S", "prompt": "A?", "completion": "yes"}, [system("S"), *TALK]),
        ({"systemInstruction": {"role": "system", "parts": [{"text": "S"}]},
          "contents": [{"role": "user", "parts": [{"text": "A?"}]},
                       {"role": "model", "parts": [{"text": "yes"}]}]}, [system("S"), *TALK]),
        ({"messages": [HUMAN, GPT]}, TALK),
        ({"messages": [["user", "A?"], ["assistant", "yes"]]}, TALK),
        ({"messages": [{"role": "User", "content": "A?"}, {"role": "Chatbot", "content": "yes"}]},
         TALK),
        ({"conversation": [{"role": "user", "content": "A?"}, said("yes")]}, TALK),
        ({"conversation": [{"human": "A?", "assistant": "yes"}]}, TALK),
        ({"conversation": [{"system": "S", "input": "A?", "output": "yes"}]},
         [system("S"), *TALK]),
        ({"dialog": [{"speaker": "human", "text": "A?"}, {"speaker": "bot", "text": "yes"}]}, TALK),
        ({"turns": [HUMAN, GPT]}, TALK),
        ({"input": [user("A?")], "output": "yes"}, TALK),
        ({"input": json.dumps([user("A?")]), "output": "yes"}, TALK),
        ({"input": [user([{"type": "input_text", "text": "A?"}])],
          "output": [{"type": "message", "role": "assistant", "status": None,
                      "content": [{"type": "output_text", "text": "yes"}]}]}, None),
        ({"instructions": "S", "input": [user("A?")], "output": "yes", "tools": "[]"},
         [system("S"), *TALK]),
        ({"question": "A?", "answer": [said("yes")]}, TALK),
        ({"instruction": "A?", "context": "B.", "response": "yes"},
         [user("A?\n\nB."), said("yes")]),
        ({"query": "A?", "response": "yes", "history": [["B?", "b"]], "system": "S"},
         [system("S"), user("B?"), said("b"), *TALK]),
        ({"messages": [user("A?"), {"role": "assistant", "content": [
            {"type": "text", "text": "yes"}]}]}, [user("A?"), said([text("yes")])]),
        ({"conversations": [HUMAN, {**GPT, "weight": 0}, HUMAN, {**GPT, "weight": 1}]},
         [user("A?"), {**said("yes"), "weight": 0}, *TALK]),
        ({"messages": [{**user([{"type": "text", "value": "A?"}]), "loss_weight": 0.0},
                       {**said([{"type": "text", "value": "yes"}]), "loss_weight": 1.0}]}, TALK),
        ({"conversations": [{**HUMAN, "train": False}, {**GPT, "train": True}]}, TALK),
    ],
)  # fmt: skip
def test_other_dialects_are_read_as_they_were_meant(
    file: File, row: Row, messages: list[Row] | None
) -> None:
    result, rows = run(file("a.jsonl", lines(row)), manner=MANIFEST)

    assert rows == [{"messages": messages or TALK}], result.problems


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"system": "S", "messages": [system("T"), *TALK]},
         "the row has a system message in 'system' and another one in its messages"),
        ({"messages": ["A?", "yes"]}, "messages[0] is a string, not an object"),
        ({"conversations": [HUMAN, {"from": "gpt", "value": 5}]},
         "conversations[1].value is a number, not a string"),
        ({"messages": [{"role": "user", "content": "A?"}, {"role": "asistant", "content": "x"}]},
         "messages[1].role is 'asistant', which is no speaker known here"),
        ({"conversations": [HUMAN, {"from": "observation", "value": "4"}, GPT]},
         "conversations[1].value is a tool's result, and no call of it waits for one"),
        ({"conversations": [HUMAN, {"from": "function_call", "value": "weather()"}]},
         "conversations[1].value is a string, not the JSON of a call with name and arguments"),
        ({"contents": [{"role": "user", "parts": [{"executableCode": {}}]}]},
         "contents[0].parts[0] is a part of no kind known here"),
        ({"input": TALK, "output": "no"},
         "'input' ends with an answer of its own, beside 'output'"),
        ({"question": "A?", "answer": ["yes"]},
         "the value of 'answer' is a list, not a text"),
        ({"question": "A?", "answer": {"yes": 1}},
         "the value of 'answer' is an object, not a text"),
    ],
)  # fmt: skip
def test_what_has_no_meaning_here_is_an_error(file: File, row: Row, problem: str) -> None:
    result, rows = run(file("a.jsonl", lines(row)), manner=MANIFEST)

    assert (rows, [one.message for one in result.problems]) == ([], [problem])


def test_lists_become_json_only_by_a_template(file: File) -> None:
    path = file("a.jsonl", lines({"question": "A?", "answer": {"yes": 1}}))
    template = (("user", "{question}"), ("assistant", "{answer}"))

    without, _ = run(path)
    result, rows = run(path, Convert(template=template))

    assert told(without)[0][2] == (
        "write a text; if it is to be JSON, say so: ftctl dataset convert a.jsonl out.jsonl"
        " --template 'user={question}' --template 'assistant={answer}'"
    )
    assert rows == [{"messages": [user("A?"), said('{"yes":1}')]}]
    assert result.notes[-1] == "written as JSON: 'answer'"


def test_no_template_writes_messages_as_text(file: File) -> None:
    template = (("user", "{input}"), ("assistant", "{output}"))

    result, rows = run(
        file("a.jsonl", lines({"input": [user("A?")], "output": "yes"})), Convert(template=template)
    )

    assert rows == []
    assert told(result)[0][1] == (
        "the value of 'input' is a list of messages, which no text of a template can be"
    )


def test_messages_in_a_cell_are_read(file: File) -> None:
    cell = json.dumps([HUMAN, GPT]).replace('"', '""')
    python = str([user("A?"), said("yes")])

    _, rows = run(file("a.csv", f'conversations\n"{cell}"\n'))
    _, others = run(file("b.csv", f'messages\n"{python}"\n'))

    assert rows == others == [{"messages": TALK}]


# Tools.


def test_sharegpts_calls_become_tool_calls(file: File) -> None:
    row = {
        "conversations": [
            HUMAN,
            {"from": "gpt", "value": "Let me look."},
            {"from": "function_call", "value": '{"name": "weather", "arguments": {"city": "Ulm"}}'},
            {"from": "observation", "value": "rain"},
            GPT,
        ],
        "tools": json.dumps([WEATHER]),
    }

    result, rows = run(file("a.jsonl", lines(row)))

    assert result.problems == ()
    assert rows == [
        {
            "messages": [
                user("A?"),
                {**said("Let me look."), "tool_calls": [call("weather", '{"city":"Ulm"}')]},
                result_of("rain"),
                said("yes"),
            ],
            "tools": [TOOL],
        }
    ]


@pytest.mark.parametrize(
    ("turns", "messages"),
    [
        (
            [{"from": "function_call", "value": json.dumps(
                [{"name": "weather", "arguments": {}}, {"name": "weather", "arguments": {}}])},
             {"from": "observation", "value": "1"}, {"from": "observation", "value": "2"}, GPT],
            [{"role": "assistant",
              "tool_calls": [call("weather", "{}"), call("weather", "{}", "call_2")]},
             result_of("1"), result_of("2", "call_2"), said("yes")],
        ),
        (
            [{"from": "gpt", "value": 'So.\n<tool_call>\n{"name": "weather", "arguments": {}}\n'
                                      "</tool_call>"},
             {"from": "tool", "value": "<tool_response>\n1\n</tool_response>"}, GPT],
            [{**said("So."), "tool_calls": [call("weather", "{}")]}, result_of("1"), said("yes")],
        ),
        (
            [{"role": "assistant", "content": None,
              "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Ulm"}}}]},
             {"role": "tool", "name": "weather", "content": "1"}, said("yes")],
            [{**said(None), "tool_calls": [call("weather", '{"city":"Ulm"}')]},
             result_of("1"), said("yes")],
        ),
        (
            [{"role": "assistant", "content": [
                text("So."), {"type": "tool_use", "id": "t1", "name": "weather", "input": {}}]},
             {"role": "user", "content": [
                 {"type": "tool_result", "tool_use_id": "t1", "content": [text("1")]}]},
             said("yes")],
            [{**said("So."), "tool_calls": [call("weather", "{}", "t1")]}, result_of("1", "t1"),
             said("yes")],
        ),
        (
            [{"role": "model", "parts": [{"functionCall": {"name": "weather", "args": {}}}]},
             {"role": "function", "parts": [
                 {"functionResponse": {"name": "weather", "response": {"rain": True}}}]},
             {"role": "model", "parts": [{"text": "yes"}]}],
            [{"role": "assistant", "tool_calls": [call("weather", "{}")]},
             result_of('{"rain":true}'), said("yes")],
        ),
        (
            [said([{"type": "tool_call", "value": '{"name": "weather", "arguments": {}}'}]),
             {"role": "tool", "content": [{"type": "text", "value": "1"}]}, said("yes")],
            [{"role": "assistant", "tool_calls": [call("weather", "{}")]}, result_of("1"),
             said("yes")],
        ),
        (
            [{"type": "function_call", "call_id": "c9", "name": "weather", "arguments": "{}"},
             {"type": "function_call_output", "call_id": "c9", "output": "1"}, said("yes")],
            [{"role": "assistant", "tool_calls": [call("weather", "{}", "c9")]},
             result_of("1", "c9"), said("yes")],
        ),
    ],
)  # fmt: skip
def test_calls_of_other_dialects_become_tool_calls(
    file: File, turns: list[Row], messages: list[Row]
) -> None:
    row = {"messages": [user("A?"), *turns], "tools": [TOOL]}

    result, rows = run(file("a.jsonl", lines(row)))

    assert rows == [{"messages": [user("A?"), *messages], "tools": [TOOL]}], result.problems


@pytest.mark.parametrize(
    "tools",
    [
        [WEATHER],
        json.dumps(WEATHER),
        [{"type": "function", **WEATHER}],
        [{"name": "weather", "description": "Tells it.", "input_schema": WEATHER["parameters"]}],
        [{"functionDeclarations": [
            {**WEATHER, "parameters": {"type": "OBJECT",
                                       "properties": {"city": {"type": "STRING"}}}}]}],
    ],
)  # fmt: skip
def test_tools_of_other_dialects_become_functions(file: File, tools: object) -> None:
    result, rows = run(file("a.jsonl", lines({"messages": TALK, "tools": tools})))

    assert rows == [{"messages": TALK, "tools": [TOOL]}], result.problems


def test_answers_that_are_calls_become_calls(file: File) -> None:
    answers = json.dumps([{"name": "weather", "arguments": {"city": "Ulm"}}])
    row = {"query": "A?", "answers": answers, "tools": json.dumps([WEATHER])}

    _, rows = run(file("a.jsonl", lines(row)))

    assert rows[0]["messages"][1] == {
        "role": "assistant",
        "tool_calls": [call("weather", '{"city":"Ulm"}')],
    }


# Images.


@pytest.mark.parametrize(
    ("row", "content"),
    [
        ({"conversations": [{"from": "human", "value": "<image>\nWhat?"}, GPT], "images": [URL]},
         [image(), text("What?")]),
        ({"messages": [user("Is <image> like <image>?"), said("yes")],
          "images": [URL, f"data:image/png;base64,{PNG}"]},
         [text("Is "), image(), text(" like "), image(f"data:image/png;base64,{PNG}"), text("?")]),
        ({"question": "What?", "answer": "yes", "image": URL}, [image(), text("What?")]),
        ({"question": "What?", "answer": "yes", "image": PNG},
         [image(f"data:image/png;base64,{PNG}"), text("What?")]),
        ({"messages": [user([{"type": "image"}, text("What?")]), said("yes")], "images": [URL]},
         [image(), text("What?")]),
        ({"messages": [user([{"type": "image", "image": URL}, text("What?")]), said("yes")]},
         [image(), text("What?")]),
        ({"messages": [user([{"type": "image_url", "image_url": URL}]), said("yes")]}, [image()]),
        ({"messages": [user([{"type": "image", "source": {
            "type": "base64", "media_type": "image/png", "data": PNG}}]), said("yes")]},
         [image(f"data:image/png;base64,{PNG}")]),
        ({"contents": [{"role": "user", "parts": [
            {"inlineData": {"mimeType": "image/png", "data": PNG}}, {"text": "What?"}]},
            {"role": "model", "parts": [{"text": "yes"}]}]},
         [image(f"data:image/png;base64,{PNG}"), text("What?")]),
        ({"messages": [user([{"type": "input_image", "image_url": URL, "detail": "low"}]),
                       said("yes")]},
         [{"type": "image_url", "image_url": {"url": URL, "detail": "low"}}]),
    ],
)  # fmt: skip
def test_images_become_parts_where_they_stand(file: File, row: Row, content: list[Row]) -> None:
    result, rows = run(file("a.jsonl", lines(row)))

    assert rows == [{"messages": [user(content), said("yes")]}], result.problems


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"messages": TALK, "images": ["img/1.png"]}, "bad-image-address"),
        ({"messages": [user("<image> <image>"), said("yes")], "images": [URL]}, "cannot-convert"),
        ({"messages": [user([{"type": "image"}]), said("yes")]}, "cannot-convert"),
        ({"question": "A?", "answer": "yes", "image": "a.png"}, "bad-image-address"),
    ],
)
def test_an_image_that_cannot_be_shown_is_an_error(file: File, row: Row, code: str) -> None:
    result, rows = run(file("a.jsonl", lines(row)), manner=MANIFEST)

    assert (rows, [one.code for one in result.problems]) == ([], [code])


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ({"text": "What?", "image": URL}, [text("What?"), image()]),
        ({"image": URL, "text": "What?", "detail": "low"},
         [{"type": "image_url", "image_url": {"url": URL, "detail": "low"}}, text("What?")]),
        ({"text": "What?", "inlineData": {"mimeType": "image/png", "data": PNG}},
         [text("What?"), image(f"data:image/png;base64,{PNG}")]),
        ({"text": "", "image": URL}, [image()]),
        ({"text": "What?", "image": None}, "What?"),
        ({"type": "image", "image": {"bytes": PNG, "path": "a.png"}},
         [image(f"data:image/png;base64,{PNG}")]),
    ],
)  # fmt: skip
def test_a_part_that_says_two_things_becomes_two(file: File, part: Row, content: Any) -> None:
    path = file("a.jsonl", lines({"messages": [user([part]), said("yes")]}))

    result, rows = run(path)

    assert rows == [{"messages": [user(content), said("yes")]}], result.problems


def test_a_part_that_says_something_and_calls_does_both(file: File) -> None:
    part = {"text": "Let me see.", "functionCall": {"name": "weather", "args": {}}}
    row = {"contents": [{"role": "user", "parts": [{"text": "A?"}]},
                        {"role": "model", "parts": [part]}], "tools": [TOOL]}  # fmt: skip

    _, rows = run(file("a.jsonl", lines(row)))

    answer = {"role": "assistant", "content": "Let me see.", "tool_calls": [call("weather", "{}")]}
    assert rows == [{"messages": [user("A?"), answer], "tools": [TOOL]}]


def test_a_result_with_something_beside_it_is_an_error(file: File) -> None:
    made = [{"functionCall": {"name": "weather", "args": {}}}]
    got = [{"functionResponse": {"name": "weather", "response": {}}}, {"text": "Hm."}]
    row = {"contents": [{"role": "user", "parts": [{"text": "A?"}]},
                        {"role": "model", "parts": made}, {"role": "function", "parts": got},
                        {"role": "model", "parts": [{"text": "yes"}]}]}  # fmt: skip

    result, rows = run(file("a.jsonl", lines(row)))

    assert rows == []
    assert [one.message for one in result.problems] == [
        "contents[2].parts holds a tool's result and something else beside it"
    ]


CALLED = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "weather",
                                            "input": {}}]}  # fmt: skip


@pytest.mark.parametrize("manner", [COMMAND, MANIFEST])
@pytest.mark.parametrize(
    ("turns", "key", "place"),
    [
        ([user([{"type": "input_text", "text": "A?", "extra": 1}])], "extra", "[0].content[0]"),
        ([user([{"type": "image_url", "image_url": URL, "caption": "x"}])], "caption",
         "[0].content[0]"),
        ([user([{"type": "image", "image": URL, "caption": "x"}])], "caption", "[0].content[0]"),
        ([user([{"text": "A?", "video": URL[:-3]}])], "video", "[0].content[0]"),
        ([user("A?"), {"role": "assistant", "tool_calls": [
            {"name": "weather", "arguments": {}, "note": "x"}]}, result_of("1")], "note",
         "[1].tool_calls[0]"),
        ([user("A?"), {"role": "assistant", "tool_calls": [
            {"function": {"name": "weather", "arguments": {}, "note": "x"}}]}, result_of("1")],
         "note", "[1].tool_calls[0].function"),
        ([user("A?"), {"from": "function_call", "value": json.dumps(
            {"name": "weather", "arguments": {}, "thought": "x"})}, result_of("1")], "thought",
         "[1].value"),
        ([user("A?"), {"role": "assistant", "content": [{**CALLED["content"][0], "note": "x"}]},
          result_of("1", "t")], "note", "[1].content[0]"),
        ([user("A?"), CALLED, user([{"type": "tool_result", "tool_use_id": "t", "content": "r",
                                     "is_error": True}])], "is_error", "[2].content[0]"),
        ([user([{"type": "output_text", "text": "A?", "annotations": [{"url": URL}]}])],
         "annotations", "[0].content[0]"),
    ],
)  # fmt: skip
def test_what_else_a_part_or_call_says_is_left_out_only_by_name(
    file: File, turns: list[Row], key: str, place: str, manner: Manner
) -> None:
    path = file("a.jsonl", lines({"messages": [*turns, said("yes")], "tools": [TOOL]}))
    message = f"nothing is made of '{key}' in messages{place}: chat rows have no place for it"
    is_error = manner is COMMAND or key == "video"

    result, rows = run(path, manner=manner)
    dropped, made = run(path, Convert(drop=(key,)), manner=manner)

    assert [(one.code, one.severity, one.message) for one in result.problems] == [
        ("unread-key", "error" if is_error else "warning", message)
    ]
    assert (len(rows), len(made), dropped.problems) == (int(not is_error), 1, ())
    assert dropped.notes[-1] == f"left out: '{key}'"


def test_what_says_nothing_that_could_be_learnt_is_no_problem(file: File) -> None:
    got = {"type": "tool_result", "tool_use_id": "t", "content": "r", "is_error": False}
    asked = [{"type": "input_text", "text": "A?", "annotations": [], "id": "p1", "index": 0,
              "cache_control": {"type": "ephemeral"}, "logprobs": [0.5]}]  # fmt: skip
    row = {"messages": [user(asked), CALLED, user([got]), said("yes")], "tools": [TOOL]}

    result, rows = run(file("a.jsonl", lines(row)))

    assert (len(rows), result.problems) == (1, ())


def test_a_key_twice_in_a_text_of_json_is_told(file: File) -> None:
    messages = (
        '[{"role":"user","content":"B?","content":"A?"},{"role":"assistant","content":"yes"}]'
    )
    path = file("a.jsonl", lines({"messages": messages}))

    strict, none = run(path)
    lenient, rows = run(path, manner=MANIFEST)

    assert (none, rows) == ([], [{"messages": TALK}])
    message = "in the text of messages, key 'content' stands more than once in one object"
    hint = "keep one: readers disagree on which of them counts"
    assert told(strict) == [("error[repeated-key]", message, hint)]
    assert told(lenient) == [("warning[repeated-key]", message, hint)]


@pytest.mark.parametrize(
    "calling",
    [
        {"from": "function_call", "value": '{"name":"weather","arguments":{"a":1,"a":2}}'},
        {"from": "gpt",
         "value": '<tool_call>{"name":"weather","arguments":{"a":1,"a":2}}</tool_call>'},
    ],
)  # fmt: skip
def test_a_key_twice_in_a_calls_arguments_is_told(file: File, calling: Row) -> None:
    turns = [HUMAN, calling, {"from": "observation", "value": "1"}, GPT]

    result, _ = run(file("a.jsonl", lines({"conversations": turns})))

    assert [one.code for one in result.problems] == ["repeated-key"]


def test_a_key_to_be_dropped_that_no_row_has_is_told(file: File) -> None:
    path = file("a.jsonl", lines({"messages": TALK, "id": 1}))
    drop = ("id", "idd")

    result, _ = run(path, Convert(drop=drop))
    as_it_is, _ = run(path, Convert(as_they_are=True, drop=drop))

    assert result.notes[-2:] == as_it_is.notes[-2:]
    assert result.notes[-2:] == ("left out: 'id'", "to be left out, but in no row: 'idd'")


def test_an_image_of_an_answer_does_not_move_to_the_question(file: File) -> None:
    row = {"messages": [user("Draw."), said("<image>")], "images": [URL]}

    result, rows = run(file("a.jsonl", lines(row)))

    assert rows == []
    assert told(result)[0][1] == (
        "messages[1], an answer, has the place for an image of 'images', and only a question can"
        " have one"
    )
    assert run(file("a.jsonl", lines(row)), Convert(drop=("images",)))[0].ok


def test_calls_between_tags_in_two_forms_are_told(file: File) -> None:
    calling = {"from": "gpt", "value": '<tool_call>{"name":"f","arguments":{}}</tool_call>'}
    answered = {"conversations": [HUMAN, calling, {"from": "tool", "value": "1"}, GPT]}
    open_ = {"conversations": [HUMAN, calling]}

    mixed, rows = run(file("a.jsonl", lines(answered, answered, open_)))
    one, _ = run(file("one.jsonl", lines(answered)))
    other, _ = run(file("other.jsonl", lines(open_)))

    assert len(rows) == 3
    assert told(mixed) == [
        (
            "warning[cannot-convert]",
            (
                "calls between <tool_call> tags became calls in 2 of 3 rows, and stayed text in 1,"
                " where no result follows: both forms are learnt"
            ),
            "give each such row 'tools', or the turn with the call's result",
        )
    ]
    assert "both forms" not in str([*told(one), *told(other)])


def test_rows_can_stay_as_they_are(file: File) -> None:
    rows = [
        {"messages": [user("A?")], "reference": {"b": "é", "a": [1]}, "id": number}
        for number in (1, 2)
    ]
    path = file("a.json", json.dumps(rows))

    refused, _ = run(path)
    result, made = run(path, Convert(as_they_are=True))
    _, fewer = run(path, Convert(as_they_are=True, drop=("id",)))

    assert told(refused)[0] == (
        "error[no-learnt-turn]",
        "messages has no assistant message",
        (
            "end the conversation with the answer to learn; questions for a grader:"
            " ftctl dataset convert a.jsonl out.jsonl --to rows"
        ),
    )
    assert made == rows
    assert result.ok
    assert fewer == [{key: row[key] for key in row if key != "id"} for row in rows]


# Columns and headers.


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("질문", "답변"), ("질문", "대답"), ("Q", "A"), ("Q:", "A："),
        ("質問", "回答"), ("质问", "回答"),
        ("问题", "答案"), ("問題", "答案"), ("指令", "输出"), ("Pregunta", "Respuesta"),
        ("Frage", "Antwort"), ("Pergunta", "Resposta"), ("Question", "Réponse"),
        ("Domanda", "Risposta"), ("Вопрос", "Ответ"), ("Soru", "Cevap"), ("Câu hỏi", "Trả lời"),
        ("سؤال", "جواب"), ("प्रश्न", "उत्तर"), ("User", "Assistant"), ("Instruction", "Response"),
        ("QUESTION ", " answer:"), ("ｑｕｅｓｔｉｏｎ", "ａｎｓｗｅｒ"),
        ("\ufeffprompt", "Completion"),
        ("User Message", "assistant_message"), ("질문(고객)", "답변(상담원)"),
        ("고객 질문", "챗봇 답변"), ("예상질문", "모범답변"), ("Customer question", "Ideal answer"),
    ],
)  # fmt: skip
def test_columns_are_known_in_many_languages(file: File, question: str, answer: str) -> None:
    path = file("a.csv", f"{question},{answer}\nA?,yes\n")

    result, rows = run(path)

    assert (rows, result.problems) == ([{"messages": TALK}], ())


@pytest.mark.parametrize("columns", ["a,b", "question,query,note", "title,body", "context,text"])
def test_columns_that_could_mean_several_things_are_asked_for(file: File, columns: str) -> None:
    path = file("a.csv", f"{columns}\n" + ",".join(["x"] * len(columns.split(","))) + "\n")

    result, rows = run(path)

    assert rows == []
    assert [one.code for one in result.problems] == ["unknown-format"]


@pytest.mark.parametrize(
    ("name", "content", "cure"),
    [
        ("a.json", json.dumps(TALK), "jq -c '{messages: .}' a.json > a-new.jsonl"),
        ("a.jsonl", lines(*TALK), "jq -cs '{messages: .}' a.jsonl > a-new.jsonl"),
        ("b.jsonl", lines(HUMAN, GPT), "jq -cs '{messages: .}' b.jsonl > b-new.jsonl"),
    ],
)
def test_a_file_that_is_one_conversation_is_called_one(
    file: File, name: str, content: str, cure: str
) -> None:
    result, _ = run(file(name, content))

    assert told(result) == [
        (
            "error[unknown-format]",
            "each row is a message, so the file is one conversation",
            f"put it into one row: {cure}",
        )
    ]


def test_rows_inside_an_object_are_named(file: File) -> None:
    path = file(
        "a.jsonl", json.dumps({"version": 1, "data": [{"prompt": "A?", "completion": "y"}]})
    )

    result, _ = run(path)

    assert told(result)[0][2] == "rows may stand in 'data': jq -c '.data[]' a.jsonl > a-new.jsonl"


def test_the_cure_has_the_files_own_columns(file: File) -> None:
    path = file("a.csv", "번호,내용,판정\n1,A?,yes\n")

    strict, _ = run(path)
    lenient, _ = run(path, manner=MANIFEST)
    _, rows = run(path, Convert(template=(("user", "{내용}"), ("assistant", "{판정}"))))

    assert rows == [{"messages": TALK}]
    assert told(strict)[0][2] == (
        "say what becomes of them: ftctl dataset convert a.jsonl out.jsonl"
        " --template 'user={내용}' --template 'assistant={판정}'"
    )
    assert told(lenient)[0][2] == (
        'say what becomes of them: template: {user: "{내용}", assistant: "{판정}"}'
        " below 'convert'"
    )


@pytest.mark.parametrize(
    "content",
    [
        "FAQ 2026,\nquestion,answer\nA?,yes\n",
        "FAQ 2026\nquestion,answer\nA?,yes\n",
        "FAQ 2026\nquestion;answer\nA?;yes\n",
        "FAQ 2026,,\n\nUpdated in May,,\nquestion,answer,\nA?,yes,\n",
        "FAQ 2026\n질문\t답변\nA?\tyes\n",
        "FAQ 2026,,\nDate,2026-01-01,\nquestion,answer,note\nA?,yes,\n",
    ],
)
def test_a_title_above_the_columns_names_is_passed_over_and_told(file: File, content: str) -> None:
    result, rows = run(file("a.csv", content))

    assert rows == [{"messages": TALK}]
    assert result.notes[0].endswith(", below a title in line 1")


def test_rows_as_wide_as_the_known_names_are_no_title(file: File) -> None:
    result, rows = run(file("a.csv", "Name,Value\nfirst,one\nQ,A\nx,y\n"))

    assert (rows, [one.code for one in result.problems]) == ([], ["unknown-format"])


def test_a_delimiter_at_the_end_of_each_row_is_no_cell(file: File) -> None:
    _, rows = run(file("a.csv", "question,answer\nA?,yes,\nA?,yes,,\n"))

    assert rows == [{"messages": TALK}] * 2


def test_calls_between_tags_are_calls_wherever_tools_are_declared(file: File) -> None:
    tagged = '<tool_call>\n{"name": "weather", "arguments": {}}\n</tool_call>'
    turns = [HUMAN, {"from": "gpt", "value": tagged},
             {"from": "tool", "value": "<tool_response>1</tool_response>"},
             {"from": "gpt", "value": tagged}]  # fmt: skip
    row = {"conversations": turns, "tools": json.dumps([WEATHER])}

    _, rows = run(file("a.jsonl", lines(row, {**row, "conversations": turns[:2]})))

    assert [row["messages"] for row in rows] == [
        [user("A?"), {"role": "assistant", "tool_calls": [call("weather", "{}")]}, result_of("1"),
         {"role": "assistant", "tool_calls": [call("weather", "{}", "call_2")]}],
        [user("A?"), {"role": "assistant", "tool_calls": [call("weather", "{}")]}],
    ]  # fmt: skip


def test_a_title_above_columns_of_a_template_is_passed_over(file: File) -> None:
    template = (("user", "{colour}"), ("assistant", "{size}"))

    _, rows = run(file("a.csv", "Stock\ncolour;size\nA?;yes\n"), Convert(template=template))

    assert rows == [{"messages": TALK}]


def test_a_title_above_names_that_nobody_knows_is_named(file: File) -> None:
    result, _ = run(file("a.csv", "Stock,\ncolour,size\nA?,yes\n"))

    assert told(result)[0][:2] == (
        "error[bad-table]",
        "line 1 has a single cell and line 2 several: is it a title above the columns' names?",
    )


def test_a_sheets_title_is_passed_over(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["FAQ 2026", None], ["질문", "답변"], ["A?", "yes"]):
        book.active.append(row)
    book.active.merge_cells("A1:B1")
    book.save(tmp_path / "a.xlsx")

    result, rows = run(tmp_path / "a.xlsx")

    assert rows == [{"messages": TALK}]
    assert result.notes[0] == "read as XLSX, sheet 'Sheet', below a title in row 1"


@pytest.mark.parametrize(
    "content",
    [
        'question,answer\n"A?" ,"yes" \n"B?","no"\n',
        'question;answer\n"A?"\t;"yes"\n"B?";"no"  \n',
        '"question" ,"answer"\n"A?","yes"\n"B?","no"\n',
        'question, answer\n"A?" , "yes" \n"B?" , "no"\n',
    ],
)
def test_blanks_after_a_closing_quote_are_no_part_of_the_cell(file: File, content: str) -> None:
    result, rows = run(file("a.csv", content))

    assert rows == [{"messages": TALK}, {"messages": [user("B?"), said("no")]}], result.problems


def test_a_row_with_such_a_blank_may_go_on_and_lines_are_counted_on(file: File) -> None:
    path = file("a.csv", 'question,answer\n"A?" ,"yes\nand ""no"""\t\nB?,\n')

    result, _ = run(path)

    assert [str(one.span) for one in result.problems] == ["a.csv:4"]
