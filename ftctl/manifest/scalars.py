"""The text of a plain YAML scalar in, the value it stands for out; traps of YAML 1.1 are named.

PyYAML reads YAML 1.1, editors and most other tools 1.2. Where the two disagree about a plain
scalar, a file of learning rates must not depend on who reads it: such text is a `Trap`. Dates are
the exception: they are text here, as in YAML 1.2 and in JSON, and no field takes a date.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Trap:
    """Text that YAML versions read in different ways, with the value that was most likely meant."""

    code: str
    message: str
    hint: str
    meant: Scalar


_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    word: value
    for value, words in ((True, "true True TRUE"), (False, "false False FALSE"))
    for word in words.split()
}
_YES_NO = {
    word: value
    for value, words in ((True, "yes Yes YES on On ON"), (False, "no No NO off Off OFF"))
    for word in words.split()
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"(?:[-+]?[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?")
_SIGNED_FRACTION = re.compile(r"[-+]\.[0-9]+(?:[eE][-+][0-9]+)?")  # text to PyYAML
_EXPONENT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_OTHER_BASE = re.compile(r"[-+]?0(?:o[0-7]+|b[01_]+|x[0-9a-fA-F_]+)")
_UNDERSCORES = re.compile(
    r"(?=.*_)[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?"
)
_SEXAGESIMAL = re.compile(
    r"[-+]?(?:[1-9][0-9_]*(?::[0-5]?[0-9])+|[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*)"
)
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

_NUMBERS = (_INTEGER, _FLOAT, _EXPONENT, _LEADING_ZERO, _OTHER_BASE, _UNDERSCORES, _SEXAGESIMAL)

_LONGEST_NUMBER = 400  # digits; Python refuses to convert much longer ones
_LONGEST_MEANT = 20  # digits; more of them are a hash or an id


def read_scalar(text: str, *, json: bool = False) -> Scalar | Trap:
    """The value of a plain scalar. In a JSON file `1e-4` is a number and no trap."""
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text in _YES_NO:
        return _yes_no(text)
    if text[0] in "+-.0123456789":
        return _number(text, json=json)
    return text


def _yes_no(text: str) -> Trap:
    meant = _YES_NO[text]
    word = "true" if meant else "false"
    return Trap(
        "yaml-boolean",
        f"'{text}' is {word} in YAML 1.1 and text in YAML 1.2",
        f'write {word}, or "{text}" in quotes if the word is meant',
        meant,
    )


def _number(text: str, *, json: bool) -> Scalar | Trap:
    if len(text) <= _LONGEST_NUMBER:
        if _INTEGER.fullmatch(text):
            return int(text)
        if _HEXADECIMAL.fullmatch(text):
            return int(text, 16)
        if _FLOAT.fullmatch(text) or (json and _EXPONENT.fullmatch(text)):
            number = float(text)
            return number if math.isfinite(number) else _not_finite(text)
        return _trapped_number(text)
    if any(pattern.fullmatch(text) for pattern in _NUMBERS):
        return Trap(
            "yaml-number", "this number is too long", "put it in quotes, if text is meant", text
        )
    return text


def _trapped_number(text: str) -> str | Trap:
    if _EXPONENT.fullmatch(text):
        return _exponent(text)
    if _LEADING_ZERO.fullmatch(text):
        return _leading_zero(text)
    if _SEXAGESIMAL.fullmatch(text):
        return _sexagesimal(text)
    if any(form.fullmatch(text) for form in (_OTHER_BASE, _UNDERSCORES, _SIGNED_FRACTION)):
        return _notation(text)
    if _NOT_FINITE.fullmatch(text):
        return _not_finite(text)
    return text


def _exponent(text: str) -> Trap:
    number = float(text)
    if not math.isfinite(number):
        return _not_finite(text)
    return Trap(
        "yaml-exponent",
        f"'{text}' is text in YAML 1.1 and a number in YAML 1.2",
        f'write {plainly(number)}, or "{text}" in quotes if text is meant',
        number,
    )


def plainly(number: float) -> str:
    """The number without an exponent where that stays readable, else in the form that all read."""
    plain = f"{number:.12f}".rstrip("0")
    if float(plain) == number and len(plain) <= 16:
        return plain.removesuffix(".")
    mantissa, mark, exponent = repr(number).partition("e")
    return f"{mantissa}{'' if '.' in mantissa else '.0'}{mark}{exponent}"


def _leading_zero(text: str) -> Trap:
    digits = text.lstrip("+-")
    meant = int(text)
    sign = "-" if text[0] == "-" else ""
    as_read = f"{sign}{int(digits, 8)} (octal)" if set(digits) <= set("01234567") else "text"
    if len(digits) > _LONGEST_MEANT:
        message, hint = f"'{text[:12]}…' reads as a number", "put it in quotes if text is meant"
        return Trap("yaml-octal", message, hint, text)
    return Trap(
        "yaml-octal",
        f"'{text}' is {as_read} in YAML 1.1 and {meant} in YAML 1.2",
        f'write {meant}, or "{text}" in quotes if text is meant',
        meant,
    )


def _sexagesimal(text: str) -> Trap:
    total = 0.0
    for part in text.lstrip("+-").replace("_", "").split(":"):
        total = total * 60 + float(part if part.strip(".") else 0)
    total = -total if text[0] == "-" else total
    return Trap(
        "yaml-sexagesimal",
        f"'{text}' is {total:g} (base 60) in YAML 1.1 and text in YAML 1.2",
        f'write "{text}" in quotes, or {total:g} if that number is meant',
        text,
    )


def _notation(text: str) -> Trap:
    number = _value_of(text)
    digits = "it in plain digits" if number is None else f"{number}"
    return Trap(
        "yaml-number",
        f"'{text}' is a number in one version of YAML and text in another",
        f'write {digits}, or "{text}" in quotes if text is meant',
        text,
    )


def _value_of(text: str) -> int | str | None:
    """The number in an odd notation, as plain digits; None where that is no help."""
    plain = text.replace("_", "")
    try:
        return int(plain, 0)
    except ValueError:
        pass
    try:
        number = float(plain)
    except ValueError:
        return None
    return plainly(number) if math.isfinite(number) else None


def _not_finite(text: str) -> Trap:
    return Trap(
        "yaml-not-finite",
        f"'{text}' is not a finite number",
        f'write a number, or "{text}" in quotes if text is meant',
        0,
    )
