"""A text goes in; addresses and numbers of persons come out, by kind, with their middle left out.

Numbers count only where their form is telling and their check digits are right; those whose form is
any number's need a word in front that says what they are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from string import digits

from ftctl.data.quality.checkdigits import IBAN_LENGTHS, is_iban
from ftctl.data.quality.identifiers import (
    ANY_NAME,
    LETTERED,
    NAMED,
    SHAPES_OF_DIGITS,
    Form,
    may_hold_lettered,
    shape_of,
)
from ftctl.data.quality.phones import MOBILE_SHAPE, Patience, Phone, phones_in
from ftctl.data.quality.secret_search import Found

_EIGHT = b"0" * 8  # the fewest digits of any number that is looked for
_NUMBERS = bytes.maketrans(digits.encode(), b"0" * 10)
_SEPARATORS = b" -.()/"

# Addresses of these domains are nobody's (RFC 2606, RFC 6761).
_NOBODYS_DOMAINS = ("example.com", "example.org", "example.net", "example.edu")
_NOBODYS_ENDS = ("example", "test", "invalid", "localhost", "local")
# Nor are those that people write into examples.
_MADE_UP = re.compile(
    r"(?:^|\.)(?:exemple|beispiel|ejemplo|esempio|exemplo|(?:your|my|some|any)?-?(?:domain|company))"
    r"\.[a-z]+$"
)
# A mailing list's are many persons'; what stands before an address of a machine is a password.
_LIST = re.compile(r"-(?:users|dev|devel|list|announce|sig|bounces)$")
_LOGIN = re.compile(r"://[^\s/@]*$")
# Addresses of an office are no person's.
_OFFICE_NAMES = (
    "abuse accounts admin billing bookings careers contact customerservice enquiries feedback git "
    "hello help helpdesk hostmaster hr info inquiries jobs legal mail marketing media news "
    "newsletter no-reply noreply office orders postmaster press privacy reservations returns root "
    "sales security service shop support team webmaster"
)
_OFFICES = frozenset(_OFFICE_NAMES.split())
# Of the names at the end of a domain: the countries' have two letters; these are common besides.
_END_NAMES = (
    "com org net edu gov mil int info biz name pro app dev cloud online site shop store tech xyz "
    "email club live page blog wiki life world today agency digital studio design media news work "
    "global group company solutions services systems network center health care"
)
_ENDS = frozenset(_END_NAMES.split())
_DOMAIN = r"@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,5}[A-Za-z]{2,24})(?![\w-])"
_LOCAL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._%+-]{0,62}[A-Za-z0-9_+-])?\Z")
# A run of digits as people part them. Patterns that start with a look behind are slow to search
# for: this one is fast, and only around what it finds is looked closer.
_RUN = r"\d[\d .()/-]{6,60}\d"
_IBAN = r"(?<![\w])([A-Za-z]{2}\d\d(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,4})?)"
_NEAR = 40  # characters in front of a number in which a word may name it

_Placed = tuple[int, int, Found]


def may_hold_personal(raw: bytes) -> bool:
    """Whether the text, as UTF-8, is worth a closer look: False is certain."""
    if b"@" in raw:
        return True
    numbers = raw.translate(_NUMBERS, _SEPARATORS)
    if _EIGHT in numbers:
        return True
    return b"000" in numbers and may_hold_lettered(shape_of(raw))


def personal_in(
    text: str, allowed: Collection[str], regions: Collection[str] = ()
) -> Iterator[Found]:
    """Each address or number; those in `allowed`, and addresses at a domain in it, are let by.

    National phone numbers are looked for in the `regions`, codes of ISO 3166.
    """
    if "@" in text:
        yield from _addresses(text, allowed)
    shape = shape_of(text.encode("ascii", "replace"))
    found: list[_Placed] = []
    if b"AA00" in shape:
        found += _ibans(text, shape, allowed)
    forms = dict.fromkeys([form for one, form in SHAPES_OF_DIGITS if one in shape])
    without_words = bool(regions) or b"+" in shape or MOBILE_SHAPE in shape
    patience = Patience()
    for run in _compiled(_RUN).finditer(text):
        start, end = run.span()
        for form in forms:
            found += _matches(form, text, start, end + 1, allowed)
        near = _in_front(text, shape, start)
        if near and ANY_NAME.search(near):
            found += _named(text, start, end, near, allowed)
        if near or without_words:
            phones = phones_in(text, run.span(), near, regions, patience)
            found += _placed(phones, text, allowed)
    if may_hold_lettered(shape):
        found += _lettered(text, shape, allowed)
    yield from _without_overlaps(found)


def _without_overlaps(found: Iterable[_Placed]) -> Iterator[Found]:
    """By place; of two that are about the same digits, the one that was found first."""
    taken: set[int] = set()
    kept: list[_Placed] = []
    for one in found:
        places = range(one[0], one[1])
        if taken.isdisjoint(places):
            taken.update(places)
            kept.append(one)
    yield from (one for _, _, one in sorted(kept, key=lambda placed: placed[:2]))


def _named(
    text: str, start: int, end: int, near: str, allowed: Collection[str]
) -> Iterator[_Placed]:
    for form in NAMED:
        if form.word is not None and form.word.search(near):
            yield from _matches(form, text, start, end + 1, allowed)


def _placed(phones: Iterable[Phone], text: str, allowed: Collection[str]) -> Iterator[_Placed]:
    for phone in phones:
        shown = text[phone.start : phone.end]
        if not {shown, phone.digits, phone.international} & set(allowed):
            sign = "+" if shown.startswith("+") else ""
            yield phone.start, phone.end, Found("a phone number", sign + _shown(phone.digits))


def _in_front(text: str, shape: bytes, start: int) -> str:
    """What stands before a number, from the last number or the line's start on, in lower case.

    Nothing, where it has no letters.
    """
    first = max(0, start - _NEAR)
    first = max(first, shape.rfind(b"0", first, start) + 1, shape.rfind(b"\n", first, start) + 1)
    if shape.find(b"A", first, start) < 0 and shape.find(b"?", first, start) < 0:
        return ""
    return text[first:start].lower().replace("_", " ")


def _lettered(text: str, shape: bytes, allowed: Collection[str]) -> Iterator[_Placed]:
    for form in LETTERED:
        if any(one in shape for one in form.shapes):
            yield from (
                one
                for one in _matches(form, text, 0, len(text), allowed)
                if form.word is None or form.word.search(_in_front(text, shape, one[0]))
            )


def _matches(
    form: Form, text: str, start: int, end: int, allowed: Collection[str]
) -> Iterator[_Placed]:
    for match in form.pattern.finditer(text, start, end):
        compact = re.sub(r"[^A-Za-z0-9]", "", match[1])
        if form.what == "a Finnish personal identity code":
            compact = match[1]  # its separator tells the century
        if form.right(compact.upper()) and not {compact, match[1]} & set(allowed):
            yield match.start(1), match.end(1), Found(form.what, _shown(compact))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


def _addresses(text: str, allowed: Collection[str]) -> Iterator[Found]:
    for match in _compiled(_DOMAIN).finditer(text):
        local = _LOCAL.search(text[max(0, match.start() - 64) : match.start()])
        domain = match[1].lower()
        if local is None or not _is_persons(local[0].lower(), domain):
            continue
        if _LOGIN.search(text[max(0, match.start() - 128) : match.start()]):
            continue
        if not _at_allowed(domain, allowed) and f"{local[0]}@{match[1]}" not in allowed:
            yield Found("an e-mail address", f"{local[0][0]}…@{match[1]}")


def _is_persons(local: str, domain: str) -> bool:
    end = domain.rpartition(".")[2]
    if end in _NOBODYS_ENDS or _at_allowed(domain, _NOBODYS_DOMAINS) or local in _OFFICES:
        return False
    if _MADE_UP.search(domain) or domain.startswith("lists.") or _LIST.search(local):
        return False
    return len(end) == 2 or end in _ENDS


def _at_allowed(domain: str, allowed: Collection[str]) -> bool:
    return any(domain == one.lower() or domain.endswith("." + one.lower()) for one in allowed)


def _ibans(text: str, shape: bytes, allowed: Collection[str]) -> Iterator[_Placed]:
    start = shape.find(b"AA00")
    while start >= 0:
        match = _compiled(_IBAN).match(text, start)
        start = shape.find(b"AA00", start + 1)
        if match is None:
            continue
        # In the form with spaces, words may follow the number.
        size = IBAN_LENGTHS.get(match[1][:2].upper(), 0)
        signs = [place for place, sign in enumerate(match[1]) if sign not in " -"][:size]
        if len(signs) < size or not size:
            continue
        last = match.start() + signs[-1] + 1
        compact = "".join(match[1][place] for place in signs)
        after = text[last : last + 1]
        if (after.isascii() and after.isalnum()) or not is_iban(compact.upper()):
            continue
        if not {compact, text[match.start() : last]} & set(allowed):
            yield match.start(), last, Found("an account number (IBAN)", _shown(compact))


def _shown(compact: str) -> str:
    """The ends of a number; of a short one fewer digits, so that it cannot be told."""
    ends = 4 if len(compact) >= 14 else 2
    return f"{compact[:ends]}…{compact[-ends:]}"
