"""What read_dataset says about rows of each format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ftctl.data.formats import MAX_REINFORCEMENT_EXAMPLES
from ftctl.data.formats.formats import MAX_IMAGE_EXAMPLES, RowChecker
from ftctl.data.formats.row_checks import Demands
from ftctl.data.scanning import read_dataset

USER = {"role": "user", "content": "q"}
ANSWER = {"role": "assistant", "content": "a"}
CHAT = {"messages": [USER, ANSWER]}
COMPLETION = {"prompt": "q", "completion": "a"}
PREFERENCE = {
    "input": {"messages": [USER]},
    "preferred_output": [ANSWER],
    "non_preferred_output": [{"role": "assistant", "content": "b"}],
}
REINFORCEMENT = {"messages": [USER], "reference": {"any": 1}}

TOOL = {"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}
LEGACY = {"name": "find", "parameters": {"type": "object"}}


def call(name: Any = "find", arguments: Any = "{}", key: Any = "c1") -> dict[str, Any]:
    return {"id": key, "type": "function", "function": {"name": name, "arguments": arguments}}


def calling(*calls: Any, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "tool_calls": list(calls), **more}


def reply(key: Any = "c1") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": key, "content": "r"}


def chat(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"messages": list(messages), **more}


def said(content: Any) -> dict[str, Any]:
    return chat({"role": "user", "content": content}, ANSWER)


def answered(content: Any, **more: Any) -> dict[str, Any]:
    return chat(USER, {"role": "assistant", "content": content, **more})


def read(tmp_path: Path, rows: list[Any], method: Any = None) -> Any:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_dataset("rows", path, "rows.jsonl", method)


def found(tmp_path: Path, row: Any, good: Any, method: Any = None) -> list[tuple[str, str]]:
    """What is said of the row, as the second of a file of good ones."""
    _, problems = read(tmp_path, [good, row, *[good] * 8], method)
    assert all(problem.span.line == 2 for problem in problems)
    return [(problem.code, problem.message) for problem in problems]


@pytest.mark.parametrize(
    ("row", "method", "format"),
    [
        (CHAT, "supervised", "chat"),
        (CHAT, None, "chat"),
        (COMPLETION, "supervised", "completion"),
        (COMPLETION, None, "completion"),
        (PREFERENCE, "dpo", "preference"),
        (PREFERENCE, None, "preference"),
        (REINFORCEMENT, "reinforcement", "reinforcement"),
        (REINFORCEMENT, None, "reinforcement"),
        (chat(USER, ANSWER, USER), "reinforcement", "reinforcement"),
        (chat(USER, input="x", prompt="y"), "reinforcement", "reinforcement"),
    ],
)
def test_a_good_file_becomes_a_dataset_of_its_format(tmp_path, row, method, format):  # noqa: A002
    dataset, problems = read(tmp_path, [row] * 10, method)

    assert problems == ()
    assert (dataset.format, dataset.examples) == (format, 10)


GOOD_CHATS = {
    "system": chat({"role": "system", "content": "s", "name": "n"}, USER, ANSWER),
    "developer": chat({"role": "developer", "content": [{"type": "text", "text": "s"}]}, ANSWER),
    "image": said([{"type": "image_url", "image_url": {"url": "https://x/y", "detail": "low"}}]),
    "refusal": answered([{"type": "refusal", "refusal": "no"}], refusal=None),
    "weights": chat(USER, {**ANSWER, "weight": 0}, USER, {**ANSWER, "weight": 1}),
    "call at the end": chat(USER, calling(call()), tools=[TOOL], parallel_tool_calls=False),
    "call and answer": chat(USER, calling(call(), content=None), reply(), ANSWER),
    "two calls": chat(USER, calling(call(), call(key="c2")), reply("c2"), reply(), ANSWER),
    "an id used again": chat(USER, calling(call()), reply(), calling(call()), reply(), ANSWER),
    "legacy": chat(
        USER,
        {
            "role": "assistant",
            "content": None,
            "function_call": {"name": "find", "arguments": "{}"},
        },
        {"role": "function", "name": "find", "content": "r"},
        ANSWER,
        functions=[LEGACY],
    ),
}


@pytest.mark.parametrize("row", GOOD_CHATS.values(), ids=GOOD_CHATS)
def test_a_good_chat_row_is_not_complained_about(tmp_path, row):
    assert found(tmp_path, row, CHAT, "supervised") == []


AT = "messages[1].tool_calls[0]"
ARGUMENTS = f"{AT}.function.arguments"
BAD_CHATS = [
    (chat(*CHAT["messages"], tols=[]), "unknown-key", "unknown key 'tols'"),
    ({"mesages": []}, "unknown-key", "unknown key 'mesages'"),
    ({"mesages": []}, "missing-key", "the row has no key 'messages'"),
    ({"messages": {}}, "wrong-type", "messages is an object, not a list of messages"),
    ({"messages": []}, "empty-value", "messages is empty"),
    (
        chat("hi", ANSWER),
        "wrong-type",
        "messages[0] is a string, not an object with role and content",
    ),
    (chat({"content": "a"}, ANSWER), "missing-key", "messages[0] has no key 'role'"),
    (chat({"role": [], "content": "a"}), "wrong-type", "messages[0].role is a list, not a string"),
    (chat({"role": "bot", "content": "a"}), "unknown-role", "messages[0].role is 'bot'"),
    (
        chat({"role": "some long text", "content": "a"}),
        "unknown-role",
        "messages[0].role is a string of 14 characters",
    ),
    (chat({"role": "user"}, ANSWER), "missing-key", "messages[0] has no key 'content'"),
    (said(None), "wrong-type", "messages[0].content is null, not a string or a list of parts"),
    (answered(None), "wrong-type", "messages[1].content is null, not a string or a list of parts"),
    (said(7), "wrong-type", "messages[0].content is a number, not a string or a list of parts"),
    (said([]), "empty-value", "messages[0].content is empty"),
    (said(["a"]), "wrong-type", "messages[0].content[0] is a string, not an object with a type"),
    (said([{"text": "a"}]), "missing-key", "messages[0].content[0] has no key 'type'"),
    (said([{"type": "txt"}]), "unknown-part", "messages[0].content[0].type is 'txt'"),
    (said([{"type": "text"}]), "missing-key", "messages[0].content[0] has no key 'text'"),
    (
        said([{"type": "image_url", "image_url": "https://x"}]),
        "wrong-type",
        "messages[0].content[0].image_url is a string, not an object with a url",
    ),
    (
        said([{"type": "image_url", "image_url": {"url": "https://x", "detail": "best"}}]),
        "wrong-value",
        "messages[0].content[0].image_url.detail is not one of those allowed",
    ),
    (
        answered([{"type": "image_url", "image_url": {"url": "https://x"}}]),
        "part-not-allowed",
        "messages[1].content[0] is of type image_url; assistant messages do not take it",
    ),
    (
        said([{"type": "refusal", "refusal": "no"}]),
        "part-not-allowed",
        "messages[0].content[0] is of type refusal; user messages do not take it",
    ),
    (chat({**USER, "nam": "x"}, ANSWER), "unknown-key", "unknown key 'nam' in messages[0]"),
    (
        chat({**USER, "weight": 1}, ANSWER),
        "misplaced-key",
        "messages[0] has the key 'weight' but the role user",
    ),
    (chat({**USER, "name": 1}, ANSWER), "wrong-type", "messages[0].name is a number, not a string"),
    (answered("a", weight=2), "wrong-value", "messages[1].weight is neither 0 nor 1"),
    (answered("a", weight=True), "wrong-type", "messages[1].weight is a boolean, not 0 or 1"),
    (
        answered("a", weight=0),
        "no-learnt-turn",
        "every assistant message has weight 0, so none is learnt",
    ),
    (chat(USER), "no-learnt-turn", "messages has no assistant message"),
    (
        chat(USER, ANSWER, USER),
        "last-not-assistant",
        "messages ends with the role user, not assistant",
    ),
    (
        chat(USER, ANSWER, parallel_tool_calls=1),
        "wrong-type",
        "parallel_tool_calls is a number, not a boolean",
    ),
    (chat(USER, ANSWER, tools=None), "ignored-key", "tools is null"),
    (chat(USER, ANSWER, tools=[LEGACY]), "missing-key", "tools[0] has no key 'type'"),
    (chat(USER, ANSWER, tools=[LEGACY]), "missing-key", "tools[0] has no key 'function'"),
    (
        chat(USER, ANSWER, tools=[{**TOOL, "type": "retrieval"}]),
        "wrong-value",
        "tools[0].type is 'retrieval', not 'function'",
    ),
    (
        chat(USER, ANSWER, tools=[TOOL, TOOL]),
        "repeated-function",
        "tools[1] declares the function of tools[0] again",
    ),
    (
        chat(USER, ANSWER, functions=[{"name": "find", "parameters": []}]),
        "wrong-type",
        "functions[0].parameters is a list, not an object: a JSON Schema",
    ),
    (chat(USER, calling()), "empty-value", "messages[1].tool_calls is empty"),
    (
        chat(USER, {**ANSWER, "tool_calls": {}}),
        "wrong-type",
        "messages[1].tool_calls is an object, not a list of calls",
    ),
    (chat(USER, calling(call(key=""))), "empty-value", f"{AT}.id is empty"),
    (
        chat(USER, calling(call(arguments={}))),
        "wrong-type",
        f"{ARGUMENTS} is an object, not a string",
    ),
    (
        chat(USER, calling(call(arguments="{'a': 1}"))),
        "arguments-not-json",
        f"{ARGUMENTS} is not JSON",
    ),
    (
        chat(USER, calling(call(arguments='{"a": NaN}'))),
        "arguments-not-json",
        f"{ARGUMENTS} is not JSON",
    ),
    (
        chat(USER, calling(call(arguments="[]"))),
        "arguments-not-json",
        f"{ARGUMENTS} is the text of a list, not of an object",
    ),
    (
        chat(USER, calling(call(arguments='"{}"'))),
        "arguments-encoded-twice",
        f"{ARGUMENTS} is JSON text inside JSON text",
    ),
    (
        chat(USER, calling(call("other")), tools=[TOOL]),
        "undeclared-function",
        f"{AT}.function.name is none of the 1 that the row's tools declare",
    ),
    (
        chat(USER, calling(call(), call())),
        "repeated-call",
        f"messages[1].tool_calls[1].id is also the id of {AT}",
    ),
    (
        chat(USER, reply(), ANSWER),
        "unknown-call",
        "messages[1].tool_call_id answers no call that waits for an answer",
    ),
    (
        chat(USER, calling(call()), reply(), reply(), ANSWER),
        "unknown-call",
        "messages[3].tool_call_id answers no call that waits for an answer",
    ),
    (
        chat(USER, calling(call(), call(key="c2")), reply("c2"), ANSWER),
        "unanswered-call",
        f"{AT} is not answered before messages[3]",
    ),
    (
        chat(USER, calling(call()), {"role": "tool", "content": "r"}),
        "missing-key",
        "messages[2] has no key 'tool_call_id'",
    ),
    (
        chat(USER, {**ANSWER, "function_call": []}),
        "wrong-type",
        "messages[1].function_call is a list, not an object with name and arguments",
    ),
    (
        chat(USER, {"role": "function", "content": "r"}, ANSWER),
        "missing-key",
        "messages[1] has no key 'name'",
    ),
]


@pytest.mark.parametrize(("row", "code", "message"), BAD_CHATS, ids=[m for _, _, m in BAD_CHATS])
def test_a_bad_chat_row_is_told_with_the_place_in_it(tmp_path, row, code, message):
    assert (code, message) in found(tmp_path, row, CHAT, "supervised")


def test_unknown_roles_hide_no_verdict_on_the_order(tmp_path):
    row = chat(USER, {"role": "Assistant", "content": "a"})

    _, problems = read(tmp_path, [CHAT, row, *[CHAT] * 8], "supervised")

    assert [(p.code, p.hint) for p in problems] == [("unknown-role", "did you mean 'assistant'?")]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"prompt": "q"}, [("missing-key", "the row has no key 'completion'")]),
        ({"prompt": 1, "completion": "a"}, [("wrong-type", "prompt is a number, not a string")]),
        ({"prompt": "", "completion": ""}, []),
        ({**COMPLETION, "id": 1}, [("unknown-key", "unknown key 'id'")]),
    ],
)
def test_a_bad_completion_row_is_told(tmp_path, row, expected):
    assert found(tmp_path, row, COMPLETION, "supervised") == expected


IMAGE = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x"}}]}


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"input": "q"}, "wrong-type", "input is a string, not an object with messages"),
        ({"input": {}}, "missing-key", "input has no key 'messages'"),
        ({"input": {"messages": []}}, "empty-value", "input.messages is empty"),
        (
            {"input": {"messages": [USER], "tool": []}},
            "unknown-key",
            "unknown key 'tool' in input",
        ),
        (
            {"input": {"messages": [USER, ANSWER]}},
            "input-ends-with-assistant",
            "input.messages ends with an assistant message, so nothing is left to answer",
        ),
        (
            {"input": {"messages": [IMAGE]}},
            "part-not-allowed",
            "input.messages[0].content[0] is of type image_url; preference rows are text only",
        ),
        ({"preferred_output": []}, "not-one-output", "preferred_output has 0 messages, not one"),
        (
            {"preferred_output": [ANSWER, ANSWER]},
            "not-one-output",
            "preferred_output has 2 messages, not one",
        ),
        (
            {"preferred_output": [USER]},
            "not-one-output",
            "preferred_output[0] has the role user, not assistant",
        ),
        (
            {"preferred_output": "a"},
            "wrong-type",
            "preferred_output is a string, not a list of one assistant message",
        ),
        (
            {
                "preferred_output": [calling(call("other"))],
                "input": {"messages": [USER], "tools": [TOOL]},
            },
            "undeclared-function",
            (
                "preferred_output[0].tool_calls[0].function.name is none of the 1 that the row's "
                "tools declare"
            ),
        ),
        (
            {"non_preferred_output": [ANSWER]},
            "identical-outputs",
            "preferred_output and non_preferred_output are the same",
        ),
        ({"label": 1}, "unknown-key", "unknown key 'label'"),
    ],
)
def test_a_bad_preference_row_is_told(tmp_path, change, code, message):
    assert found(tmp_path, {**PREFERENCE, **change}, PREFERENCE, "dpo") == [(code, message)]


def test_warnings_alone_still_give_a_dataset(tmp_path):
    same = {**PREFERENCE, "non_preferred_output": [ANSWER]}

    dataset, problems = read(tmp_path, [same] * 10, "dpo")

    assert {(p.code, p.severity) for p in problems} == {("identical-outputs", "warning")}
    assert dataset.examples == 10


def test_a_reinforcement_row_must_leave_the_answer_to_the_model(tmp_path):
    row = chat(USER, ANSWER, reference=1)

    assert found(tmp_path, row, REINFORCEMENT, "reinforcement") == [
        ("last-not-user", "messages ends with the role assistant, not user")
    ]


def test_reinforcement_has_a_most(tmp_path):
    checker = RowChecker("reinforcement")
    assert list(checker.check(REINFORCEMENT)) == []

    assert list(checker.check_count(MAX_REINFORCEMENT_EXAMPLES)) == []
    assert [f.message for f in checker.check_count(MAX_REINFORCEMENT_EXAMPLES + 1)] == [
        "the file has 50,001 rows; method reinforcement takes at most 50,000"
    ]


@pytest.mark.parametrize(
    ("row", "method", "message"),
    [
        (
            PREFERENCE,
            "supervised",
            "this is a preference row; method supervised needs chat or prompt/completion rows",
        ),
        (
            REINFORCEMENT,
            "supervised",
            "this is a reinforcement row; method supervised needs chat or prompt/completion rows",
        ),
        (CHAT, "dpo", "this is a chat row; method dpo needs preference rows"),
        (
            CHAT,
            "reinforcement",
            "this is a chat row; method reinforcement needs reinforcement rows",
        ),
        (COMPLETION, "dpo", "this is a prompt/completion row; method dpo needs preference rows"),
    ],
)
def test_rows_for_another_method_are_told_once(tmp_path, row, method, message):
    dataset, problems = read(tmp_path, [row] * 5000, method)

    assert dataset is None
    assert [(p.code, p.span.line, p.message) for p in problems] == [("wrong-format", 1, message)]


@pytest.mark.parametrize(
    ("good", "other", "message"),
    [
        (CHAT, COMPLETION, "a prompt/completion row in a file of chat rows"),
        (CHAT, PREFERENCE, "a preference row in a file of chat rows"),
        (COMPLETION, CHAT, "a chat row in a file of prompt/completion rows"),
        (PREFERENCE, COMPLETION, "a prompt/completion row in a file of preference rows"),
    ],
)
def test_a_row_of_another_format_is_told_by_its_line(tmp_path, good, other, message):
    assert found(tmp_path, other, good) == [("mixed-formats", message)]


@pytest.mark.parametrize("method", [None, "supervised", "dpo", "reinforcement"])
@pytest.mark.parametrize(
    "row", [{}, {"instruction": "i", "input": "", "output": "o"}, {"conversations": []}]
)
def test_rows_of_no_known_format_are_told_once(tmp_path, row, method):
    dataset, problems = read(tmp_path, [row] * 50, method)

    assert dataset is None
    assert [(p.code, p.span.line) for p in problems] == [("unknown-format", 1)]


def test_a_misspelt_first_row_still_settles_the_format(tmp_path):
    _, problems = read(tmp_path, [{"mesages": CHAT["messages"]}, *[CHAT] * 9])

    assert [(p.code, p.span.line, p.hint) for p in problems] == [
        ("missing-key", 1, "add 'messages'"),
        ("unknown-key", 1, "did you mean 'messages'?"),
    ]


def test_a_chat_file_whose_first_row_has_no_answer_is_checked_as_chat(tmp_path):
    _, problems = read(tmp_path, [chat(USER), *[CHAT] * 9], "supervised")

    assert [(p.code, p.span.line) for p in problems] == [("no-learnt-turn", 1)]


CLARIFIED = {**chat(USER, ANSWER, USER), "locker": "3"}


def test_conversations_that_end_with_a_question_are_to_be_reinforced_if_a_grader_can_read_them(
    tmp_path,
):
    dataset, problems = read(tmp_path, [CLARIFIED] * 10)

    assert problems == ()
    assert dataset.format == "reinforcement"
    assert read(tmp_path, [CLARIFIED] * 10, "reinforcement")[1] == ()


def test_with_a_method_that_trains_on_chats_they_are_chats(tmp_path):
    _, problems = read(tmp_path, [CLARIFIED, *[CHAT] * 9], "supervised")

    assert [(p.code, p.span.line) for p in problems] == [
        ("last-not-assistant", 1),
        ("unknown-key", 1),
    ]


def test_without_keys_for_a_grader_they_are_chats_that_lack_an_answer(tmp_path):
    _, problems = read(tmp_path, [chat(USER, ANSWER, USER)] * 10)

    assert {p.code for p in problems} == {"last-not-assistant"}


def test_where_the_guess_may_be_wrong_the_cure_says_how_to_tell(tmp_path):
    answered = {**chat(USER, ANSWER), "locker": "3"}

    _, problems = read(tmp_path, [CLARIFIED, *[answered] * 9])

    assert {p.code for p in problems} == {"last-not-user"}
    assert problems[0].hint.endswith("; for chat rows: --method supervised")


def test_preference_rows_are_named_as_what_they_are_where_messages_stand_beside_the_outputs(
    tmp_path,
):
    row = {key: value for key, value in PREFERENCE.items() if key != "input"}
    row["messages"] = PREFERENCE["input"]["messages"]
    message = "'messages' belongs into 'input' of a preference row, not beside its outputs"

    for method in (None, "dpo"):
        _, problems = read(tmp_path, [row] * 10, method)
        assert {(p.code, p.message) for p in problems} == {("missing-key", message)}
    _, problems = read(tmp_path, [row] * 10, "supervised")
    assert [(p.code, p.message[:24]) for p in problems] == [
        ("wrong-format", "this is a preference row"),
    ]


def test_a_grader_may_read_outputs(tmp_path):
    row = {**chat(USER), "preferred_output": "a"}

    assert read(tmp_path, [row] * 10, "reinforcement")[1] == ()


# Rows as they are found in the wild: what the SDK's model_dump() and tables with nulls write.

DUMPED = {
    "content": "a",
    "refusal": None,
    "role": "assistant",
    "audio": None,
    "function_call": None,
    "tool_calls": None,
}


@pytest.mark.parametrize(
    ("row", "warned"),
    [
        (chat(USER, DUMPED), []),
        (chat(USER, {**DUMPED, "weight": 1.0}), []),
        (chat(USER, {**DUMPED, "content": ""}), []),
        (chat(USER, {**DUMPED, "content": None, "tool_calls": [call()]}), []),
        (chat(USER, calling(call()), {**reply(), "name": "find"}, ANSWER), []),
        (chat(USER, {**DUMPED, "annotations": []}), ["messages[1].annotations is empty"]),
        (chat(USER, {**DUMPED, "annotations": None}), ["messages[1].annotations is null"]),
        (chat(USER, {**DUMPED, "reasoning content": None}),
         ["messages[1]['reasoning content'] is null"]),
        (chat({**USER, "name": None, "tool_calls": None}, ANSWER),
         ["messages[0].name is null", "messages[0].tool_calls is null"]),
        (chat(USER, ANSWER, tools=None, parallel_tool_calls=None),
         ["tools is null", "parallel_tool_calls is null"]),
        (said([{"type": "text", "text": "q", "image_url": None}]),
         ["messages[0].content[0].image_url is no key that is known there"]),
        (chat(USER, calling({**call(), "index": 0})),
         ["messages[1].tool_calls[0].index is no key that is known there"]),
        (chat(USER, ANSWER, tools=[{"type": "function", "function":
                                    {**LEGACY, "strict": None, "description": None}}]),
         ["tools[0].function.description is null"]),
    ],
)  # fmt: skip
def test_what_says_nothing_is_no_error(tmp_path, row, warned):
    _, problems = read(tmp_path, [row] * 10, "supervised")

    assert all((p.code, p.severity) == ("ignored-key", "warning") for p in problems)
    assert [p.message for p in problems if p.span.line == 1] == sorted(warned)


PNG = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg=="


@pytest.mark.parametrize(
    "url",
    [
        *(PNG, PNG.upper().replace("IVBORW0KGGOAAAANSUHEUG==", "iVBORw0KGgoAAAANSUhEUg==")),
        *("data:image/jpg;base64,/9j/4A==", "data:image/webp;base64,UklGRgAAAABXRUJQ"),
        *("https://a.b/c.png?x=1#y", "HTTP://a.b", "https://\u00e9.b:8080/\u00e9"),
    ],
)
def test_an_image_is_taken_from_the_web_or_from_the_row(tmp_path, url):
    row = said([{"type": "image_url", "image_url": {"url": url}}])

    assert found(tmp_path, row, CHAT, "supervised") == []


def test_how_many_images_a_row_may_have_depends_on_the_service():
    row = said([{"type": "image_url", "image_url": {"url": "https://x.y"}}] * 11)

    assert [f.message for f in RowChecker("supervised").check(row)] == [
        "the row has 11 images; at most 10 are taken"
    ]
    assert list(RowChecker("supervised", demands=Demands(images=64)).check(row)) == []


def test_rows_with_images_have_a_most():
    checker = RowChecker("supervised")
    for row in (CHAT, said([{"type": "image_url", "image_url": {"url": "https://x.y"}}] * 2)):
        assert list(checker.check(row)) == []

    assert checker.image_rows == 1
    checker.image_rows = MAX_IMAGE_EXAMPLES
    assert list(checker.check_count(80_000)) == []
    checker.image_rows += 1
    assert [f.message for f in checker.check_count(80_000)] == [
        "the file has 50,001 rows with images; at most 50,000 are taken"
    ]


def test_validation_in_reinforcement_has_a_most_of_its_own():
    checker = RowChecker("reinforcement", demands=Demands(validation=True))
    assert list(checker.check(REINFORCEMENT)) == []

    assert list(checker.check_count(1_000)) == []
    assert [f.message for f in checker.check_count(1_001)] == [
        "the file has 1,001 rows; method reinforcement takes at most 1,000 for validation"
    ]


def test_equal_tools_are_judged_alike_however_often_they_are_met(tmp_path):
    odd = {"type": "function", "function": {"name": "find", "parameters": {"type": "list"}}}
    rows = [chat(USER, calling(call()), tools=[odd]), chat(USER, ANSWER, tools=[TOOL])] * 5

    _, problems = read(tmp_path, rows, "supervised")

    # One fault for the parameters' own type, though the name of the type is unknown as well.
    assert [(p.code, p.span.line) for p in problems] == [
        ("doubtful-schema", line) for line in (1, 3, 5, 7, 9)
    ]
