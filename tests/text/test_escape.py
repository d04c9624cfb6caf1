"""Text of others, in each form that it is put into."""

from __future__ import annotations

import json

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from ftctl.text.escape import (
    backslashed,
    dotenv_line,
    harmless_lines,
    json_document,
    json_in_log,
    one_line,
)
from ftctl.text.identifiers import IDENTIFIER, OWN_NAME, is_identifier, is_own_name
from ftctl.text.invisible import first_hidden


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\tb\n c\r\n", "a b c"),
        ("\x1b[31mred\x7f", "[31mred"),
        ("::error::x", ": :error::x"),
        (" \n::error::x", ": :error::x"),
        ("a ::error::x", "a ::error::x"),
        ("ft:a:org::1", "ft:a:org::1"),
        ("##[group]x", "# #[group]x"),
        ("x ##vso[task.x]y", "x # #vso[task.x]y"),
        ("## heading", "## heading"),
        ("é\u202ex", "é<U+202E>x"),
        ("a\u200bb", "a<U+200B>b"),
        ("a\u200b\u200c\u200db\u2060c", "a<U+200B and 2 more>b<U+2060>c"),
        ("\u200b" * 2_000, "<U+200B and 1,999 more>"),
        ("\0\u200b\x85\u00ad", "<U+200B and 1 more>"),
        ("é\x85\x9b\u2028\ud800\ufdd0b", "é b"),
        ("o" + "\u0301" * 4, "o" + "\u0301" * 4),
        ("o" + "\u0301" * 5 + "p" + "\u0489" * 9, "o" + "\u0301" * 4 + "p" + "\u0489" * 4),
        ("한국어\u3164 이벤트", "한국어<U+3164> 이벤트"),
        ("\U0001f468\u200d\U0001f469 ❤\ufe0f", "\U0001f468\u200d\U0001f469 ❤\ufe0f"),
        ("", ""),
    ],
)
def test_a_text_is_on_one_line_that_steers_nothing(text: str, line: str) -> None:
    assert one_line(text) == line


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a\n\tb\n", "a\n\tb\n"),
        ("a\n  ::error::x\n::x", "a\n  : :error::x\n: :x"),
        ("a\x1b[2J\r\nb", "a [2J \nb"),
        ("ft:a:org::1\n##[group]", "ft:a:org::1\n# #[group]"),
        ("é  b\u202e\n", "é  b<U+202E>\n"),
        ("\x7f", " "),
        ("\x08", " "),
        ("é\rFORGED", "é FORGED"),
    ],
)
def test_lines_of_ours_stay_and_those_of_others_have_no_power(text: str, lines: str) -> None:
    assert harmless_lines(text) == lines


@given(st.text())
def test_lines_hide_nothing_whatever_they_say(text: str) -> None:
    lines = harmless_lines(text)

    assert first_hidden(lines) is None
    assert "\r" not in lines
    assert harmless_lines(lines) == lines


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain é 한", "plain é 한"),
        ("a\nb\tc\r\x7f\\", "a\\nb\\tc\\r\\x7f\\"),
        ("\u202e\U000e0041\u00a0\u3164\ud800", "\\u202e\\U000e0041\\xa0\\u3164\\ud800"),
    ],
)
def test_what_is_not_seen_is_an_escape(text: str, escaped: str) -> None:
    assert backslashed(text) == escaped


@given(st.dictionaries(st.text(), st.text()))
def test_json_in_a_log_is_the_same_and_hides_nothing(document: dict[str, str]) -> None:
    text = json_document(document)

    assert json.loads(text) == document
    assert first_hidden(text) is None
    assert text.encode()


def test_json_in_a_log_holds_no_command() -> None:
    document = {"a": "##[group]x", "b": "<!-- x -->", "c": "\x7f\u200d"}

    text = json_in_log(json.dumps(document, ensure_ascii=False))

    assert text == ('{"a": "\\u0023#[group]x", "b": "\\u003c!-- x -->", "c": "\\u007f\\u200d"}')


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("ft:gpt-4.1:org::id", "M=ft:gpt-4.1:org::id"),
        ("@cf/meta/llama@1=2,3+4", "M=@cf/meta/llama@1=2,3+4"),
        ("accounts/a#deployments/b", "M='accounts/a#deployments/b'"),
        ("#", None),
        ("", None),
        ("a b", None),
        ("a\nb", None),
        ("a$b", None),
        ("a'b#", None),
        ("é", None),
    ],
)
def test_a_line_of_a_dotenv_file_is_read_alike_by_all(value: str, line: str | None) -> None:
    if line is not None:
        assert dotenv_line("M", value) == line
        return
    with pytest.raises(ValueError, match="no value that every reader"):
        dotenv_line("M", value)


@pytest.mark.parametrize("name", ["tone", "a", "0-1_b", "x" * 63])
def test_names_of_ours_are_such(name: str) -> None:
    assert is_own_name(name)


@pytest.mark.parametrize("name", ["", "-a", "_a", "Tone", "a b", "a\n", "x" * 64, "é", "a.b"])
def test_other_names_are_none_of_ours(name: str) -> None:
    assert not is_own_name(name)


@pytest.mark.parametrize("name", ["a..b", "...", "a/..b", "a../b", "/a", "./a", "_a", "@a", "a#"])
def test_dots_alone_lead_nowhere(name: str) -> None:
    assert is_identifier(name)


@pytest.mark.parametrize("name", ["..", ".", "../a", "a/..", "a/../b", "/..", "", "x" * 513, ":a"])
def test_what_climbs_is_no_name(name: str) -> None:
    assert not is_identifier(name)


def test_the_schema_of_the_record_has_the_same_rule() -> None:
    schema = json.loads((ROOT / "schemas" / "lock.json").read_text("utf-8"))
    names = schema["properties"]["environments"]["propertyNames"]["pattern"]

    assert schema["$defs"]["identifier"]["pattern"] == f"^{IDENTIFIER}$(?!\\n)"
    assert names == f"^{OWN_NAME}$"
