"""What a plain scalar stands for, and that no reader of YAML or JSON would disagree."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from ftctl.manifest.scalars import Scalar, Trap, plainly, read_scalar

# Text that comes near to what YAML's readers treat in different ways.
NUMBER_LIKE = st.text("+-.0123456789eE_:xXobaAfFinN~", max_size=12)
LONG = st.builds(
    lambda sign, part, times: sign + part * times,
    st.sampled_from(["", "-", ".", "0x"]),
    st.text("0123456789_:.e+", max_size=3),
    st.integers(90, 5000),
)  # fmt: skip
WORD_LIKE = st.sampled_from(
    ["y", "n", "yes", "NO", "oFF", "on", "true", "tRUE", "Null", "nan", ".nan", "-.Inf", "=", "<<"]
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("0x1F", 31),
        ("1.8", 1.8),
        ("3.", 3.0),
        (".5", 0.5),
        ("-0.5", -0.5),
        ("1.5e+3", 1500.0),
        ("gpt-4.1-mini-2025-04-14", "gpt-4.1-mini-2025-04-14"),
        ("2026-11-21", "2026-11-21"),
        ("1.2.3", "1.2.3"),
        ("0:30", "0:30"),
        ("tRUE", "tRUE"),
        ("y", "y"),
        ("-", "-"),
        ("../data/train.jsonl", "../data/train.jsonl"),
    ],
)
def test_text_has_the_value_that_every_reader_gives_it(text: str, value: Scalar) -> None:
    found = read_scalar(text)

    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("text", "code", "meant", "hint"),
    [
        ("no", "yaml-boolean", False, 'write false, or "no" in quotes if the word is meant'),
        ("On", "yaml-boolean", True, 'write true, or "On" in quotes if the word is meant'),
        ("1e-4", "yaml-exponent", 1e-4, 'write 0.0001, or "1e-4" in quotes if text is meant'),
        ("-2E5", "yaml-exponent", -2e5, 'write -200000, or "-2E5" in quotes if text is meant'),
        ("1e-20", "yaml-exponent", 1e-20, 'write 1.0e-20, or "1e-20" in quotes if text is meant'),
        ("012", "yaml-octal", 12, 'write 12, or "012" in quotes if text is meant'),
        ("-08", "yaml-octal", -8, 'write -8, or "-08" in quotes if text is meant'),
        ("0" * 64, "yaml-octal", "0" * 64, "put it in quotes if text is meant"),
        ("3:30", "yaml-sexagesimal", "3:30",
         'write "3:30" in quotes, or 210 if that number is meant'),
        ("-1:30.5", "yaml-sexagesimal", "-1:30.5",
         'write "-1:30.5" in quotes, or -90.5 if that number is meant'),
        ("1_000", "yaml-number", "1_000", 'write 1000, or "1_000" in quotes if text is meant'),
        ("1_0.5", "yaml-number", "1_0.5", 'write 10.5, or "1_0.5" in quotes if text is meant'),
        ("0o17", "yaml-number", "0o17", 'write 15, or "0o17" in quotes if text is meant'),
        ("-0x1F", "yaml-number", "-0x1F", 'write -31, or "-0x1F" in quotes if text is meant'),
        ("0b_", "yaml-number", "0b_",
         'write it in plain digits, or "0b_" in quotes if text is meant'),
        ("+.5", "yaml-number", "+.5", 'write 0.5, or "+.5" in quotes if text is meant'),
        (".inf", "yaml-not-finite", 0, 'write a number, or ".inf" in quotes if text is meant'),
        ("1e999", "yaml-not-finite", 0, 'write a number, or "1e999" in quotes if text is meant'),
        ("9" * 500, "yaml-number", "9" * 500, "put it in quotes, if text is meant"),
    ],
)  # fmt: skip
def test_text_that_readers_take_differently_is_a_trap_with_its_cure(
    text: str, code: str, meant: Scalar, hint: str
) -> None:
    found = read_scalar(text)

    assert isinstance(found, Trap)
    assert (found.code, found.meant, found.hint) == (code, meant, hint)


@pytest.mark.parametrize(("text", "value"), [("1e-4", 1e-4), ("2E5", 2e5), ("-1.5e3", -1500.0)])
def test_an_exponent_is_a_number_in_a_json_file(text: str, value: float) -> None:
    assert read_scalar(text, json=True) == value


@given(st.text(max_size=40) | NUMBER_LIKE | LONG, st.booleans())
def test_any_text_has_a_value_or_is_a_trap(text: str, in_json: bool) -> None:
    found = read_scalar(text, json=in_json)

    assert isinstance(found, Scalar | Trap)


def _as_pyyaml_reads(text: str) -> Any:
    """PyYAML's value of a plain scalar; dates, which are text here, as their text."""
    loader = yaml.SafeLoader("")
    try:
        node = yaml.ScalarNode(loader.resolve(yaml.ScalarNode, text, (True, False)), text)
        special = node.tag.endswith((":merge", ":value", ":yaml"))  # `<<`, `=`, and `&` or `*`
        value = text if special else loader.construct_object(node)
    finally:
        loader.dispose()
    return text if isinstance(value, dt.date) else value


@given(NUMBER_LIKE | WORD_LIKE | st.text(max_size=12))
@example("0o17")
@example("-.5")
@example("1_0.5e+3")
@example("0b_")
@example("2026-11-21")
def test_what_is_no_trap_is_what_yaml_1_1_reads(text: str) -> None:
    found = read_scalar(text)

    if not isinstance(found, Trap):
        theirs = _as_pyyaml_reads(text)
        assert (type(found), found) == (type(theirs), theirs)


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none())
def test_what_json_writes_reads_back_as_json_reads_it(value: Scalar) -> None:
    text = json.dumps(value)

    found = read_scalar(text, json=True)

    assert (type(found), found) == (type(value), value)


@given(
    st.from_regex(
        r"-?(?:0|[1-9][0-9]{0,5})(?:\.[0-9]{1,5})?(?:[eE][-+]?[0-9]{1,2})?", fullmatch=True
    )
)
def test_a_number_in_yaml_is_the_number_in_json_or_a_trap(text: str) -> None:
    found = read_scalar(text)

    assert json.loads(text) == (found.meant if isinstance(found, Trap) else found)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_number_in_a_hint_is_no_trap_itself(number: float) -> None:
    text = plainly(number)

    found = read_scalar(text)

    assert found == number
