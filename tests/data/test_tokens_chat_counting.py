"""What a training row and a request are billed: the whole of every count, part by part."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, get_args

import pytest
from conftest import rounds
from hypothesis import given, settings
from hypothesis import strategies as st

from ftctl.data.tokens import (
    EXAMPLE_PRIMING_TOKENS,
    Counter,
    Form,
    Parts,
    RowTokens,
    TokenBatch,
    completion_tokens,
    count_row,
    open_counter,
    prompt_tokens,
)
from ftctl.data.tokens.image_tokens import (
    HEADER_BYTES,
    LOW_DETAIL,
    UNKNOWN_SIZE,
    ImageTokens,
    image_size,
    image_tokens,
    size_in_url,
    tiles,
)

# Two messages, each of three tokens of framing, one of its role, and those of its content.
SYSTEM = {"role": "system", "content": "Be brief."}  # 3 + 1 + 3
USER = {"role": "user", "content": "What is the capital of France?"}  # 3 + 1 + 7
REPLY = {"role": "assistant", "content": "Paris."}  # 3 + 1 + 2
TOOLS = [{"type": "function", "function": {"name": "look_up", "parameters": {"größe": None}}}]


@pytest.fixture(scope="module")
def counter() -> Counter:
    return open_counter("o200k_base")


def only_text(tokens: int, assistant: int) -> RowTokens:
    """A chat without tools and images."""
    most = tokens + EXAMPLE_PRIMING_TOKENS
    return RowTokens(tokens, tokens, most, Parts(tokens, 0, 0), assistant)


@pytest.mark.parametrize(
    ("messages", "tokens", "assistant"),
    [
        ([SYSTEM, USER, REPLY], 24, 2),
        ([USER, REPLY, USER, REPLY], 34, 4),
        ([USER, REPLY, USER, {**REPLY, "weight": 0}], 34, 2),
        ([USER, {**REPLY, "weight": 1}], 17, 2),
        ([{**USER, "name": "Ann"}, REPLY], 19, 2),
        ([{"role": "user", "content": [{"type": "text", "text": USER["content"]}]}, REPLY], 17, 2),
        ([USER, {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}], 17, 2),
        ([USER, {"role": "assistant", "content": None, "refusal": "No."}], 17, 2),
        ([USER, {"role": "assistant", "content": ""}], 15, 0),
        ([], 0, 0),
    ],
    ids=[
        "three messages",
        "every reply is learned",
        "but one of weight 0, billed all the same",
        "weight 1 is the rule",
        "a name costs one more",
        "content in parts",
        "a refusal in parts",
        "a refusal of its own",
        "an empty reply",
        "none",
    ],
)
def test_a_chat_counts_its_texts_and_three_tokens_a_message(
    messages: list[Any], tokens: int, assistant: int, counter: Counter
) -> None:
    assert count_row({"messages": messages}, "chat", counter) == only_text(tokens, assistant)


def test_calls_count_by_name_and_arguments(counter: Counter) -> None:
    function = {"name": "look_up", "arguments": '{"city":"Paris"}'}
    expected = counter.text("look_up") + counter.text('{"city":"Paris"}')
    newer = {"role": "assistant", "tool_calls": [{"id": "c1", "function": function}] * 2}
    older = {"role": "assistant", "content": None, "function_call": function}

    counts = [count_row({"messages": [USER, reply]}, "chat", counter) for reply in (newer, older)]

    assert counts == [
        only_text(11 + 4 + 2 * expected, 2 * expected),
        only_text(11 + 4 + expected, expected),
    ]


def test_tools_make_a_range_apart_from_the_messages(counter: Counter) -> None:
    row = {"messages": [USER, REPLY], "tools": TOOLS, "parallel_tool_calls": False}
    compact = '[{"type":"function","function":{"name":"look_up","parameters":{"größe":null}}}]'
    written, formula = counter.text(compact), 7 + counter.text("look_up:") + 12

    assert formula > written  # as for few tools
    assert count_row(row, "chat", counter) == RowTokens(
        17 + formula, 17 + written, 20 + formula, Parts(17, formula, 0), 2
    )
    older = {"messages": [USER, REPLY], "functions": TOOLS}
    assert count_row(older, "chat", counter) == count_row(row, "chat", counter)


def test_a_completion_counts_both_texts_and_no_framing(counter: Counter) -> None:
    row = {"prompt": "What is the capital of France?", "completion": " Paris."}

    assert count_row(row, "completion", counter) == RowTokens(9, 9, 9, Parts(9, 0, 0), 2)


def test_a_preference_counts_its_input_once_and_both_outputs(counter: Counter) -> None:
    no = {"role": "assistant", "content": "No."}
    row = {
        "input": {"messages": [USER, REPLY, USER]},
        "preferred_output": [REPLY],
        "non_preferred_output": [no],
    }

    assert count_row(row, "preference", counter) == only_text(11 + 6 + 11 + 6 + 6, 2 + 2)


def test_a_prompt_to_reinforce_counts_alone(counter: Counter) -> None:
    row = {"messages": [SYSTEM, USER, REPLY, USER], "answer": "Paris, and a long reason for it"}

    assert count_row(row, "reinforcement", counter) == only_text(35, 0)


def test_the_same_row_counts_by_the_vocabulary_that_is_asked_for() -> None:
    row = {"messages": [{"role": "user", "content": "안녕하세요 세계"}]}

    counts = [count_row(row, "chat", open_counter(name)).training for name in
              ("o200k_base", "cl100k_base")]  # fmt: skip

    assert counts == [4 + 3, 4 + 9]


def test_an_image_widens_the_range_where_its_size_is_not_known(counter: Counter) -> None:
    far = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    low = {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}}
    near = {"type": "image_url", "image_url": {"url": data_url(PNG), "detail": "high"}}
    text = {"type": "text", "text": USER["content"]}
    row = {"messages": [{"role": "user", "content": [text, far, low, near]}, REPLY]}

    assert count_row(row, "chat", counter) == RowTokens(
        training=17 + 1105 + 85 + 255,
        low=17 + 255 + 85 + 255,
        high=17 + 1445 + 85 + 255 + 3,
        parts=Parts(17, 0, 1105 + 85 + 255),
        assistant=2,
    )


def test_a_request_counts_what_opens_the_reply(counter: Counter) -> None:

    assert prompt_tokens([SYSTEM, USER], None, counter) == 18 + 3
    assert (
        prompt_tokens([SYSTEM, USER], TOOLS, counter) == 18 + 3 + 7 + counter.text("look_up:") + 12
    )
    assert completion_tokens("Paris.", counter) == 2


@pytest.mark.parametrize(("detail", "reported"), [("low", 97), ("high", 267)])
def test_a_request_with_a_small_image_counts_what_the_api_reported(
    detail: str, reported: int, counter: Counter
) -> None:
    # Read off the API for gpt-4o and gpt-4.1, an image of 128 x 64 with a text of five tokens:
    # community.openai.com/t/1262691.
    image = {"url": data_url(png(128, 64)), "detail": detail}
    content = [
        {"type": "text", "text": "one two three four five"},
        {"type": "image_url", "image_url": image},
    ]

    assert counter.text("one two three four five") == 5
    assert prompt_tokens([{"role": "user", "content": content}], None, counter) == reported


def png(width: int, height: int) -> bytes:
    """The start of a PNG file of that size."""
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"
    return b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR" + header


def jpeg(width: int, height: int, before: bytes = b"", start: int = 0xC0) -> bytes:
    """The start of a JPEG file of that size, with other segments before the start of frame."""
    size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return b"\xff\xd8" + before + b"\xff" + bytes([start]) + b"\0\x11\x08" + size + b"\x03"


def segment(kind: int, length: int) -> bytes:
    return b"\xff" + bytes([kind]) + (length + 2).to_bytes(2, "big") + b"\xff\xc0" * (length // 2)


def data_url(image: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{b64encode(image).decode()}"


PNG = png(300, 200)
# The starts of files of 300 x 200 that Pillow 12 wrote: lossy, lossless, with alpha and EXIF.
WEBP = b64decode("UklGRqYAAABXRUJQVlA4IJoAAABwEACdASosAcgAPm02mUmk")
WEBP_LOSSLESS = b64decode("UklGRiIAAABXRUJQVlA4TBYAAAAvK8ExAAcQ")
WEBP_EXTENDED = b64decode("UklGRt4AAABXRUJQVlA4WAoAAAAYAAAAKwEAxwAA")


@pytest.mark.parametrize(
    "image",
    [
        PNG,
        jpeg(300, 200),
        jpeg(300, 200, segment(0xE1, 60_000) * 3, start=0xC2),
        jpeg(300, 200, segment(0xC4, 28) + b"\xff\xff"),
        WEBP,
        WEBP_LOSSLESS,
        WEBP_EXTENDED,
    ],
    ids=["png", "jpeg", "progressive", "tables first", "webp", "lossless", "extended"],
)
def test_the_size_is_read_from_an_images_first_bytes(image: bytes) -> None:
    assert image_size(image) == (300, 200)
    assert size_in_url(data_url(image, "any")) == (300, 200)
    assert size_in_url(data_url(image + b"the rest" * 99_999)) == (300, 200)


@pytest.mark.parametrize(
    "image",
    [
        b"",
        b"GIF89a\x2c\x01\xc8\0",
        PNG[:20],
        png(0, 5),
        jpeg(300, 200)[:8],
        jpeg(300, 200, b"\0"),
        jpeg(300, 200, segment(0xE1, 60_000) * 5),
        b"\xff\xd8" + b"\xff" * HEADER_BYTES,
        b"\xff\xd8" + b"\xff\xe0\0\0" * 9,
        WEBP[:24],
        WEBP_LOSSLESS[:22],
        WEBP_EXTENDED[:27],
        b"RIFF\0\0\0\0WEBPVP8?" + bytes(20),
    ],
)
def test_an_image_that_does_not_tell_its_size_is_unknown(image: bytes) -> None:
    assert image_tokens({"url": data_url(image)}) == UNKNOWN_SIZE


@pytest.mark.parametrize(
    "image",
    [
        None,
        [],
        "https://example.org/a.png",
        {"url": None},
        {"url": "https://example.org/a.png", "detail": "auto"},
        {"url": "data:image/png;base64,"},
        {"url": "data:image/png;base64,%%%"},
        {"url": "data:image/png;base64,abcde"},
        {"url": "data:image/png;base64,é\ud800"},
        {"url": "data:text/plain;base64,aGk="},
        {"detail": ["low"]},
    ],
)
def test_what_is_no_image_that_we_can_read_is_unknown(image: object) -> None:
    assert image_tokens(image) == UNKNOWN_SIZE


def test_low_detail_costs_the_same_at_any_size() -> None:
    image = {"url": data_url(png(4096, 8192)), "detail": "low"}

    assert image_tokens(image) == LOW_DETAIL == ImageTokens(85, 85, 85)


@pytest.mark.parametrize(
    ("width", "height", "tokens"),
    [
        (1024, 1024, 765),  # the guide's examples
        (2048, 4096, 1105),
        (4096, 2048, 1105),
        (128, 64, 255),
        (512, 512, 255),
        (513, 512, 425),
        (1000, 2000, 1105),
        (768, 2048, 1445),
        (1, 100_000, 765),
        (2**32 - 1, 1, 765),
        (2**32 - 1, 2**32 - 1, 765),
    ],
)
def test_full_detail_costs_by_tiles_of_the_shrunken_image(
    width: int, height: int, tokens: int
) -> None:
    expected = ImageTokens(tokens, tokens, tokens)

    assert image_tokens({"url": data_url(png(width, height))}) == expected


@given(st.integers(1, 2**32), st.integers(1, 2**32))
def test_no_shape_leaves_the_range_of_an_unknown_image(width: int, height: int) -> None:
    tokens = 85 + 170 * tiles(width, height)

    assert UNKNOWN_SIZE.low <= tokens <= UNKNOWN_SIZE.high
    assert tiles(width, height) == tiles(height, width)


KEYS = st.sampled_from(
    ["role", "content", "name", "weight", "tool_calls", "function_call", "function", "arguments",
     "type", "text", "image_url", "url", "detail", "refusal", "messages", "tools", "functions",
     "input", "preferred_output", "non_preferred_output", "prompt", "completion"]
)  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["assistant", "text", "image_url", "refusal", "data:image/png;base64,iVBO"])
    | st.text(max_size=20)
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


@given(row=st.dictionaries(KEYS, ANYTHING, max_size=6))
@settings(deadline=None, max_examples=rounds(500))
def test_no_row_whatever_is_in_it_stops_the_count(row: Mapping[str, Any]) -> None:
    counter = open_counter("o200k_base")

    for form in get_args(Form):
        tokens = count_row(row, form, counter)
        assert 0 <= tokens.low <= tokens.training <= tokens.high
        assert tokens.training == sum(
            (tokens.parts.messages, tokens.parts.tools, tokens.parts.images)
        )
        assert 0 <= tokens.assistant <= tokens.parts.messages
    assert prompt_tokens(row.get("messages"), row.get("tools"), counter) >= 3


@given(rows=st.lists(st.dictionaries(KEYS, ANYTHING, max_size=6), max_size=4))
@settings(deadline=None, max_examples=rounds(300))
def test_rows_that_are_counted_together_count_as_they_do_alone(
    rows: list[Mapping[str, Any]],
) -> None:
    counter = open_counter("o200k_base")
    chat = {"messages": [SYSTEM, {**USER, "name": "Ann"}, {**REPLY, "weight": 0}, REPLY]}

    for form in get_args(Form):
        together = TokenBatch(form, counter)
        for row in [*rows, chat, *rows]:
            together.add(row)

        assert together.tokens() == [count_row(row, form, counter) for row in [*rows, chat, *rows]]


def test_tools_nested_too_deeply_for_json_count_nothing(counter: Counter) -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]

    assert count_row({"messages": [USER, REPLY], "tools": deep}, "chat", counter) == only_text(
        17, 2
    )
