"""A text goes in; addresses and numbers of persons come out, by kind, with their middle left out.

Numbers count only where their form is telling and their check digits are right; those whose form is
any number's need a word in front that says what they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from string import digits
from typing import NamedTuple

from ftctl.data.quality.checkdigits import (
    IBAN_LENGTHS,
    is_brazilian_taxpayer,
    is_card,
    is_dutch_citizen,
    is_german_tax,
    is_iban,
    is_korean_resident,
    is_us_social_security,
)
from ftctl.data.quality.secret_search import Found

_EIGHT = b"0" * 8  # the fewest digits of any number that is looked for
_NUMBERS = bytes.maketrans(digits.encode(), b"0" * 10)
_SEPARATORS = b" -.()/"

# Addresses of these domains are nobody's (RFC 2606, RFC 6761).
_NOBODYS_DOMAINS = ("example.com", "example.org", "example.net", "example.edu")
_NOBODYS_ENDS = ("example", "test", "invalid", "localhost", "local")
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
_PHONE = r"(?<![\w+(])\+(?:[1-9]\d{0,2})(?:[ .\-/]?\(?\d{1,12}\)?){1,6}(?!\w)"
# Numbers kept free for stories: NANP 555-01xx; Ofcom's drama numbers.
_STORY = re.compile(r"1\d{3}55501\d\d|447700900\d{3}|4420794?60\d{3}|441632960\d{3}")

_NORTH_AMERICAN = re.compile(r"1[2-9]\d{2}[2-9]\d{6}")


class _Number(NamedTuple):
    what: str
    pattern: str  # the number is the last group
    right: Callable[[str], bool]


_BEFORE, _AFTER = r"(?<![\w.\-])", r"(?![\w]|[.\-]\d)"
_NEAR = r"\b[^\d\n]{0,24}"
_FORMS = (
    _Number(
        "a card number",
        rf"{_BEFORE}(\d{{14,19}}|\d{{4}}([ -])\d{{4}}\2\d{{4}}\2\d{{4}}(?:\2\d{{3}})?"
        rf"|\d{{4}}([ -])\d{{6}}\3\d{{4,5}}){_AFTER}",
        is_card,
    ),
    _Number("a US social security number", rf"{_BEFORE}(\d{{3}}-\d\d-\d{{4}}){_AFTER}",
            is_us_social_security),
    _Number("a Korean resident number", rf"{_BEFORE}(\d{{6}}-[1-8]\d{{6}}){_AFTER}",
            is_korean_resident),
    _Number("a Brazilian CPF", rf"{_BEFORE}(\d{{3}}\.\d{{3}}\.\d{{3}}-\d\d){_AFTER}",
            is_brazilian_taxpayer),
)  # fmt: skip
_NAMED = (
    _Number("a Brazilian CPF", rf"(?i)\bcpf{_NEAR}(\d{{11}}){_AFTER}", is_brazilian_taxpayer),
    _Number(
        "a US social security number",
        rf"(?i)\b(?:ssn|social security(?: number)?){_NEAR}(\d{{9}}|\d{{3}} \d\d \d{{4}}){_AFTER}",
        is_us_social_security,
    ),
    _Number(
        "a Korean resident number",
        rf"(?i)(?:주민(?:등록)?번호|\brrn\b)[^\d\n]{{0,24}}(\d{{13}}){_AFTER}",
        is_korean_resident,
    ),
    _Number(
        "a German tax number",
        rf"(?i)\b(?:steuer-?id|idnr|steuer-?identifikationsnummer|tax id)\b[^\d\n]{{0,24}}"
        rf"(\d{{11}}|\d\d \d{{3}} \d{{3}} \d{{3}}){_AFTER}",
        is_german_tax,
    ),
    _Number(
        "a Dutch citizen number",
        rf"(?i)\b(?:bsn|burgerservicenummer|sofinummer){_NEAR}"
        rf"(\d{{9}}|\d{{4}}\.\d\d\.\d{{3}}){_AFTER}",
        is_dutch_citizen,
    ),
)  # fmt: skip
_WORDS = (
    "cpf", "ssn", "social security", "주민", "rrn", "steuer", "idnr", "tax id", "bsn", "burger",
    "sofi",
)  # fmt: skip
# A run of digits as people part them. Patterns that start with a look behind are slow to search
# for: this one is fast, and only around what it finds is looked closer.
_RUN = r"\d[\d .()/-]{6,60}\d"
_IBAN = r"(?<![\w])([A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?)(?![a-z0-9])"


def may_hold_personal(raw: bytes) -> bool:
    """Whether the text, as UTF-8, is worth a closer look: False is certain."""
    return b"@" in raw or _EIGHT in raw.translate(_NUMBERS, _SEPARATORS)


def personal_in(text: str, allowed: Collection[str]) -> Iterator[Found]:
    """Each address or number; those in `allowed`, and addresses at a domain in it, are let by."""
    if "@" in text:
        yield from _addresses(text, allowed)
    runs = list(_compiled(_RUN).finditer(text))
    if not runs:
        return
    lower = text.lower()
    forms = (*_FORMS, *(_NAMED if any(word in lower for word in _WORDS) else ()))
    found: dict[tuple[int, int], Found] = {}
    for run in runs:
        start, end = run.span()
        for place, one in _around(text, start, end + 2, forms, allowed):
            found.setdefault(place, one)
    yield from (found[place] for place in sorted(found))


def _around(
    text: str, start: int, end: int, forms: Iterable[_Number], allowed: Collection[str]
) -> Iterator[tuple[tuple[int, int], Found]]:
    """What is found about one run of digits, with its place."""
    if "+" in text[max(0, start - 2) : end]:
        yield from _phones(text, max(0, start - 2), end, allowed)
    yield from _ibans(text, max(0, start - 12), end + 40, allowed)
    for number in forms:
        before = max(0, start - 48) if number in _NAMED else start
        for match in _compiled(number.pattern).finditer(text, before, end):
            compact = re.sub(r"\D", "", match[1])
            if number.right(compact) and not {compact, match[1]} & set(allowed):
                yield match.span(1), Found(number.what, _shown(compact))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


def _addresses(text: str, allowed: Collection[str]) -> Iterator[Found]:
    for match in _compiled(_DOMAIN).finditer(text):
        local = _LOCAL.search(text[max(0, match.start() - 64) : match.start()])
        domain = match[1].lower()
        if local is None or not _is_persons(local[0].lower(), domain):
            continue
        if not _at_allowed(domain, allowed) and f"{local[0]}@{match[1]}" not in allowed:
            yield Found("an e-mail address", f"{local[0][0]}…@{match[1]}")


def _is_persons(local: str, domain: str) -> bool:
    end = domain.rpartition(".")[2]
    if end in _NOBODYS_ENDS or _at_allowed(domain, _NOBODYS_DOMAINS) or local in _OFFICES:
        return False
    return len(end) == 2 or end in _ENDS


def _at_allowed(domain: str, allowed: Collection[str]) -> bool:
    return any(domain == one.lower() or domain.endswith("." + one.lower()) for one in allowed)


def _phones(
    text: str, start: int, end: int, allowed: Collection[str]
) -> Iterator[tuple[tuple[int, int], Found]]:
    for match in _compiled(_PHONE).finditer(text, start, end):
        compact = re.sub(r"\D", "", match[0])
        # Without a separator a short one is any number with its sign: +20000000.
        short = len(compact) < (8 if len(match[0]) > len(compact) + 1 else 10)
        if short or len(compact) > 15 or not (_varied(compact) and _is_given_out(compact)):
            continue
        if not {match[0], "+" + compact} & set(allowed):
            yield match.span(), Found("a phone number", f"+{_shown(compact)}")


def _is_given_out(compact: str) -> bool:
    """Whether a country's plan has the number; only that of North America is looked at."""
    if compact[0] == "1" and not _NORTH_AMERICAN.fullmatch(compact):
        return False
    return _STORY.fullmatch(compact) is None


def _varied(compact: str) -> bool:
    """Whether it is more than a run such as 1234567890 or 5555555555."""
    return len(set(compact)) > 3 and "1234567" not in compact and "0000" not in compact


def _ibans(
    text: str, start: int, end: int, allowed: Collection[str]
) -> Iterator[tuple[tuple[int, int], Found]]:
    for match in _compiled(_IBAN).finditer(text, start, end):
        # In the form with spaces, words in capitals may follow the number.
        compact = match[1].replace(" ", "")[: IBAN_LENGTHS.get(match[1][:2], 0)]
        if is_iban(compact) and not {compact, match[1]} & set(allowed):
            yield match.span(), Found("an account number (IBAN)", _shown(compact))


def _shown(compact: str) -> str:
    """The ends of a number; of a short one fewer digits, so that it cannot be told."""
    ends = 4 if len(compact) >= 14 else 2
    return f"{compact[:ends]}…{compact[-ends:]}"
