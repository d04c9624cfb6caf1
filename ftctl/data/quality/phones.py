"""A run of digits goes in, with the text about it; the phone numbers in it come out.

Which numbers exist is told by the data of the library phonenumbers. What is no one's, such as the
numbers kept free for stories and free calls, is let by.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber


class Phone(NamedTuple):
    """A number as it stands in the text, where, and with its country's code."""

    start: int
    end: int
    digits: str  # as it stands there, without separators
    international: str  # +821023456789


_INTERNATIONAL = re.compile(
    r"(?<![\w+])\+(?:[1-9]\d{0,2})\)?(?:[ .\-/]?\(?\d{1,12}\)?){1,6}(?!\w)", re.ASCII
)
# Numbers that are kept free for stories, by their countries: NANP's 555-01xx; Ofcom's drama
# numbers; Bundesnetzagentur, Amtsblatt 7/2021; Arcep 2018-0881; ACMA's fictitious numbers.
_STORY = re.compile(
    r"\+(?:1\d{3}555(?:01\d\d|1212)"
    r"|44(?:7700900\d{3}|1632960\d{3}|20794[6]0\d{3}|(?:11[3-8]|1[2-6]1)4960\d{3}|1914980\d{3}"
    r"|2896496\d{3}|2920180\d{3}|8081570\d{3}|9098790\d{3}|3069990\d{3})"
    r"|49(?:3023125\d{3}|6990009\d{3}|4066969\d{3}|2214710\d{3}|8999998\d{3}|17139200\d\d"
    r"|176040690\d\d|152(?:28817386|28895456|54599371)|172(?:9925904|9968532|9973185|9973186"
    r"|9980752)|174(?:9091317|9464308))"
    r"|33(?:19900|26191|35301|46571|53649|63998)\d{4}"
    r"|61(?:[2378](?:5550|7010)\d{4}|491570\d{3}))"
)
# Korea's and Japan's mobile numbers are told by their form alone.
_MOBILE = re.compile(r"(?<![\w.+/-])(?:(010)|0[789]0)-\d{4}-\d{4}(?![\w]|[./-]\d)", re.ASCII)
MOBILE_SHAPE = b"000-0000-0000"
# Behind such a word a number is looked for in the countries where it is said.
_WORDS = {
    r"전화|휴대폰|핸드폰|연락처": "KR",
    r"電話|携帯": "JP TW",
    r"电话|手机": "CN",
    r"t[ée]l[ée]phone|\bt[ée]l\b|\bportable\b": "FR BE CH",
    r"tel[ée]fono|\bm[óo]vil\b|\bcelular\b": "ES MX AR CO CL PE",
    r"\btelefono|cellulare": "IT",
    r"telefone|telem[óo]vel|\bcelular\b": "BR PT",
    r"telefoon|mobiel": "NL BE",
    r"\btelefon|\bhandy\b|\bmobil(?:nummer)?\b|rufnummer": "DE AT CH PL SE TR CZ DK NO HU",
    r"телефон|\bтел\b": "RU UA",
    r"\b(?:tele)?phone\b|\bmobile\b|\bcell\b|\btel\b|whatsapp|\bcall me\b": "US GB IN AU",
}
# One of these stands in each of the words; literals are searched for at once.
_STEMS = (
    "전화 휴대 핸드 연락 電話 携帯 电话 手机 tel tél portable móvil movil celular handy mobi "
    "rufnummer тел phone cell whatsapp call"
)
_ANY_WORD = re.compile("|".join(_STEMS.split()))
_OTHER_NUMBERS = re.compile(
    r"isbn|issn|\bean\b|\bsku\b|order|invoice|ticket|serial|tracking|bestell|rechnung|artikel"
    r"|commande|facture|pedido|factura|주문|송장|注文|订单|\bid\b|version"
)
_DATE = re.compile(
    r"(?:0?[1-9]|[12]\d|3[01])([./-])(?:0?[1-9]|[12]\d|3[01])\1(?:19|20)?\d\d(?![./-]?\d)"
    r"|(?:19|20)\d\d[./-]\d\d?[./-]\d"
)
_THOUSANDS = re.compile(r"\d{1,3}(?:[ .]\d{3})+")
_BOOK = re.compile(r"(?:97[89][ -]?)?\d{1,5}[ -]\d{1,7}[ -]\d{1,6}[ -]\d")
# Letters beyond ASCII may follow at once: 010-2345-6789입니다.
_GLUED_BEFORE = re.compile(r"(?:[\w.]|[#*×÷^$€£¥₩+=-]\s?)\Z", re.ASCII)
_GLUED_BEFORE_EVEN_THEN = re.compile(r"(?:\w|\d[.,]|[+*/-])\Z", re.ASCII)
_GLUED_AFTER = re.compile(r"\s?[=*×÷^%€$£¥₩]|\w|[.,:/-]\d", re.ASCII)
# Where a number may begin, by what is dialled before those of the country.
_STARTS = r"(?<![\w./-])(?<!\d:)"
_CANDIDATES = {
    "0": re.compile(
        _STARTS + r"(?=\(?(?:\d[ ./()-]{0,3}){9,15})"
        r"(?:\(?0\d{1,4}\)?[ ./-]{1,3}\(?\d|00?[1-9]\d{7,12}(?!\d)|00[1-9])",
        re.ASCII,
    ),
    "1": re.compile(_STARTS + r"\(?[2-9]\d\d\)?[ .-]{1,2}[2-9]\d\d[ .-]\d{4}", re.ASCII),
    "": re.compile(
        _STARTS + r"(?=\(?(?:\d[ ()-]{0,2}){8,11})\(?(?!19\d\d|20\d\d)[02-9]\d{1,3}\)?[ -]\d",
        re.ASCII,
    ),
}
_AROUND = 3  # characters about a run that tell whether it is part of something else


def is_region(code: str) -> bool:
    """Whether the numbers of the country with this code of ISO 3166 are known."""
    from phonenumbers import SUPPORTED_REGIONS  # noqa: PLC0415

    return code in SUPPORTED_REGIONS


class Patience:
    """How often a text may still be looked at closely: a row made to be slow is not worth it."""

    def __init__(self, looks: int = 1000) -> None:
        self.looks = looks


def phones_in(
    text: str, span: tuple[int, int], near: str, regions: Collection[str], patience: Patience
) -> Iterator[Phone]:
    """Those in that span of the text, where a run of digits is; `near` stands before it.

    A national number counts in one of the `regions`, behind a word for a telephone in those where
    the word is said, or in the form of a Korean or Japanese mobile number.
    """
    start, end = span
    if "+" in text[max(0, start - 3) : end]:
        yield from _international(text, max(0, start - 3), end)
    told = _regions_told(near)
    mobile = _MOBILE.search(text, start, end + 1)
    obvious = () if mobile is None else ("KR",) if mobile[1] else ("JP",)
    wanted = dict.fromkeys((*regions, *obvious, *told))
    if not wanted or (near and _OTHER_NUMBERS.search(near)):
        return
    run = _Run(text, start, end, patience)
    found = [one for region in wanted for one in _national(run, region, by_word=bool(told))]
    nobodys = [one for one in found if _STORY.fullmatch(one.international)]
    for one in found:
        if not any(one.start < other.end and other.start < one.end for other in nobodys):
            yield one


class _Run(NamedTuple):
    """A run of digits in its text."""

    text: str
    start: int
    end: int
    patience: Patience


def _regions_told(near: str) -> tuple[str, ...]:
    """The countries in which a word of these means a telephone."""
    if not near or not _ANY_WORD.search(near):
        return ()
    named = (said for word, said in _WORDS.items() if re.search(word, near))
    return tuple(dict.fromkeys(region for said in named for region in said.split()))


def _international(text: str, start: int, end: int) -> Iterator[Phone]:
    from phonenumbers import NumberParseException, is_valid_number, parse  # noqa: PLC0415

    for match in _INTERNATIONAL.finditer(text, start, end):
        shown = match[0]
        digits = re.sub(r"\D", "", shown)
        if not 8 <= len(digits) <= 15 or not _is_varied(digits) or _is_decimal(shown):
            continue
        if len(shown) == len(digits) + 1 and (len(digits) < 10 or _is_term(text, match.start())):
            continue
        try:
            number = parse(f"+{digits}")
        except NumberParseException:
            continue
        if not is_valid_number(number) or _STORY.fullmatch(_as_international(number)):
            continue
        if _is_written_so(number, shown) and _is_someones(number):
            yield Phone(match.start(), match.end(), digits, _as_international(number))


def _is_decimal(shown: str) -> bool:
    """Whether it reads as a number with a sign: +1.234567890123, +49.5 …"""
    dots = shown.count(".")
    return dots == 1 or (dots > 0 and any(sign in shown for sign in " -/"))


def _is_term(text: str, start: int) -> bool:
    """Whether something stands before the sign that is added to: f(+4930123456), x = +49301…"""
    return re.search(r"[(\[=,:*/^]\s?\Z", text[max(0, start - 2) : start]) is not None and (
        re.search(r"(?i)tel|phone|mobil|cell|전화|電話|电话", text[max(0, start - 24) : start])
        is None
    )


def _is_written_so(number: PhoneNumber, shown: str) -> bool:
    """North Americans part their numbers in one way; elsewhere people do as they like."""
    groups = re.findall(r"\d+", shown)
    if number.country_code != 1 or len(groups) == 1:
        return True
    national = "".join(groups)[1:]
    parted = {len("".join(groups[:n])) - 1 for n in range(1, len(groups))}
    return len(national) == 10 and parted <= {0, 3, 6}


def _national(run: _Run, region: str, *, by_word: bool) -> Iterator[Phone]:
    # A closer look takes a tenth of a millisecond.
    if not by_word and not _CANDIDATES[_trunk(region)].search(run.text, run.start, run.end):
        return
    if run.patience.looks <= 0:
        return
    run.patience.looks -= 1
    from phonenumbers import Leniency, PhoneNumberMatcher  # noqa: PLC0415

    first = max(0, run.start - _AROUND)
    part = run.text[first : run.end + _AROUND]
    glued = _GLUED_BEFORE_EVEN_THEN if by_word else _GLUED_BEFORE
    leniency = Leniency.STRICT_GROUPING if _trunk(region) == "1" else Leniency.VALID
    for match in PhoneNumberMatcher(part, region, leniency, max_tries=20):
        shown, number = match.raw_string, match.number
        digits = re.sub(r"\D", "", shown)
        if shown.startswith("+") or not _is_varied(digits) or _is_something_else(shown):
            continue
        before, after = part[: match.start], part[match.end :]
        if _GLUED_AFTER.match(after) or glued.search(before):
            continue
        if re.search(r"\d,\Z", before) and not set("-(") & set(shown):
            continue  # the decimals of a number
        if (by_word or _is_telling(shown, number, region)) and _is_someones(number):
            place = first + match.start
            yield Phone(place, first + match.end, digits, _as_international(number))


def _is_telling(shown: str, number: PhoneNumber, region: str) -> bool:
    """Whether a number without a word in front is one by the way it is written."""
    from phonenumbers import (  # noqa: PLC0415
        PhoneNumberType,
        length_of_national_destination_code,
        number_type,
    )

    mobile = number_type(number) == PhoneNumberType.MOBILE
    if _trunk(region) != "0":
        return not shown.isdecimal() and _THOUSANDS.fullmatch(shown) is None
    if shown.isdecimal():
        return shown[0] == "0" and mobile
    if re.match(r"00[1-9]", shown):
        return True
    code = re.match(r"\(?0(\d{1,4})\)?\D", shown)
    if code is None:
        return False
    return mobile or len(code[1]) == length_of_national_destination_code(number)


@cache
def _trunk(region: str) -> str:
    """What is dialled before a number within the country."""
    from phonenumbers import ndd_prefix_for_region  # noqa: PLC0415

    prefix = ndd_prefix_for_region(region, strip_non_digits=True)
    return prefix if prefix in ("0", "1") else ""


def _is_something_else(shown: str) -> bool:
    if _DATE.match(shown) or ("." in shown and shown.count(".") == 1):
        return True
    groups = [int(group) for group in re.findall(r"\d+", shown)]
    counted = len(groups) > 3 and len({two - one for one, two in pairwise(groups)}) == 1
    return counted or (_BOOK.fullmatch(shown) is not None and _is_book(re.sub(r"\D", "", shown)))


def _is_book(digits: str) -> bool:
    """Whether the last digit of an ISBN of ten digits is right."""
    return (
        len(digits) == 10
        and sum((10 - place) * int(digit) for place, digit in enumerate(digits)) % 11 == 0
    )


def _is_someones(number: PhoneNumber) -> bool:
    """Whether a person may have it: companies have those that others pay for, or pay more for."""
    from phonenumbers import PhoneNumberType, number_type  # noqa: PLC0415

    return number_type(number) not in (
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.UAN,
    )


def _as_international(number: PhoneNumber) -> str:
    zeros = "0" * (number.number_of_leading_zeros or 1) if number.italian_leading_zero else ""
    return f"+{number.country_code}{zeros}{number.national_number}"


def _is_varied(digits: str) -> bool:
    """Whether it is more than a run such as 1234567890 or 5555555555."""
    return len(set(digits)) > 3 and "1234567" not in digits and "0000" not in digits
