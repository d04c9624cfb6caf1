"""Check digits, held against those of python-stdnum."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from importlib import import_module

import pytest
import stdnum.iban
import stdnum.luhn

from ftctl.data.quality import checkdigits
from ftctl.data.quality.checkdigits import IBAN_FORMS, IBAN_LENGTHS, is_iban, is_korean_resident

_D, _U = string.digits, string.ascii_uppercase

# Of each of our checks: python-stdnum's module, and the signs that may stand at each place.
SAME: dict[str, tuple[str, list[str]]] = {
    "is_us_social_security": ("us.ssn", [_D] * 9),
    "is_german_tax": ("de.idnr", [_D] * 11),
    "is_dutch_citizen": ("nl.bsn", [_D] * 9),
    "is_brazilian_taxpayer": ("br.cpf", [_D] * 11),
    "is_polish": ("pl.pesel", [_D, _D, "01239", _D, "012", *[_D] * 6]),
    "is_aadhaar": ("in_.aadhaar", [_D] * 12),
    "is_nhs": ("gb.nhs", [_D] * 10),
    "is_japanese": ("jp.in_", [_D] * 12),
    "is_turkish": ("tr.tckimlik", [_D] * 11),
    "is_australian_tax": ("au.tfn", [_D] * 9),
    "is_canadian_insured": ("ca.sin", [_D] * 9),
    "is_swiss": ("ch.ssn", ["7", "5", "6", *[_D] * 10]),
    "is_norwegian": ("no.fodselsnummer", ["0123", _D, "01", _D, _D, _D, "01234", *[_D] * 4]),
    "is_romanian": ("ro.cnp", ["1256", _D, _D, "01", _D, "012", _D, "01234", *[_D] * 5]),
    "is_bulgarian": ("bg.egn", [_D, _D, "012345", _D, "012", *[_D] * 5]),
    "is_greek": ("gr.amka", ["012", _D, "01", _D, *[_D] * 7]),
    "is_south_african": ("za.idnr", [_D, _D, "01", _D, "012", *[_D] * 5, "01", "8", _D]),
    "is_thai": ("th.pin", [_D] * 13),
    "is_portuguese": ("pt.nif", ["123", *[_D] * 8]),
    "is_israeli": ("il.idnr", [_D] * 9),
    "is_swedish": ("se.personnummer", [_D, _D, "01", _D, "012", *[_D] * 5]),
    "is_italian_tax": (
        "it.codicefiscale",
        [*[_U] * 6, _D, _D, "ABCDEHLMPRST", "0123456", _D, _U, _D, _D, _D, _U],
    ),
    "is_french_insured": ("fr.nir", ["12", _D, _D, "0", "123456789", *[_D] * 10]),
    "is_mexican": (
        "mx.curp",
        [*["BXZ"] * 4, _D, _D, "01", _D, "012", _D, "HM", "D", "FG", *[_U] * 3, _D, _D],
    ),
    "is_finnish": ("fi.hetu", ["012", _D, "01", _D, _D, _D, "-A", "012345678", _D, _D, _D + _U]),
    "is_irish": ("ie.pps", [*[_D] * 7, "ABCDEFGHIJKLMNOPQRSTUVW", "AB"]),
    "is_belgian": ("be.nn", ["01", _D, "01", _D, "012", *[_D] * 6]),
    "is_chinese": (
        "cn.ric", ["1", "1", "0", "1", "0", "1", "1", "9", "5678", _D, "01", _D, "012", _D,
                   *[_D] * 3, _D + "X"],
    ),
}  # fmt: skip


def _tries(places: list[str], seed: str, count: int) -> list[str]:
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        number = [chance.choice(signs) for signs in places]
        # Every value of one place, so that right check digits come up.
        place = chance.choice([-1, -2, len(places) // 2])
        for sign in places[place]:
            number[place] = sign
            made.append("".join(number))
    return made


@pytest.mark.parametrize("name", SAME)
def test_a_number_is_right_where_python_stdnum_says_so(name: str) -> None:
    module, places = SAME[name]
    ours: Callable[[str], bool] = getattr(checkdigits, name)
    theirs: Callable[[str], bool] = import_module(f"stdnum.{module}").is_valid
    numbers = _tries(places, name, 600)

    assert sum(map(ours, numbers)) > 10
    assert [one for one in numbers if ours(one) != theirs(one)] == []


@pytest.mark.parametrize(("name", "module"), [("is_czech", "cz.rc"), ("is_danish", "dk.cpr")])
def test_birth_numbers_of_this_century_are_right_where_python_stdnum_says_so(
    name: str, module: str
) -> None:
    theirs: Callable[[str], bool] = import_module(f"stdnum.{module}").is_valid
    ours: Callable[[str], bool] = getattr(checkdigits, name)
    places = ["012", _D, "01", _D, "67", *[_D] * 5]
    if name == "is_czech":
        places = ["678", _D, "0156", _D, "012", *[_D] * 5]
    numbers = _tries(places, name, 600)

    assert sum(map(ours, numbers)) > 10
    assert [one for one in numbers if ours(one) != theirs(one)] == []


def _random_iban(country: str, chance: random.Random) -> str:
    signs = {"n": _D, "a": _U, "c": _D + _U}
    body = "".join(
        chance.choice(signs[kind])
        for count, kind in checkdigits._IBAN_RUN.findall(IBAN_FORMS[country])
        for _ in range(int(count))
    )
    return country + stdnum.iban.calc_check_digits(f"{country}00{body}") + body


@pytest.mark.parametrize("country", IBAN_FORMS)
def test_an_iban_of_every_country_is_right_where_python_stdnum_says_so(country: str) -> None:
    chance = random.Random(country)

    for _ in range(20):
        right = _random_iban(country, chance)
        place = chance.randrange(2, len(right))
        wrong = right[:place] + chance.choice(_D + _U) + right[place + 1 :]
        assert is_iban(right)
        for number in (right, wrong, right + "0", right[:-1]):
            assert is_iban(number) == stdnum.iban.is_valid(number, check_country=False), number


def test_every_country_that_python_stdnum_knows_has_a_length() -> None:
    countries = [one + two for one in _U for two in _U]

    assert {code for code in countries if stdnum.iban._ibandb.info(code)[0][1]} == set(IBAN_LENGTHS)
    assert {code: IBAN_LENGTHS[code] for code in ("CR", "FK", "HN", "MN", "YE")} == {
        "CR": 22, "FK": 18, "HN": 28, "MN": 20, "YE": 30,
    }  # fmt: skip


def test_a_card_is_right_where_luhn_and_its_first_digits_are() -> None:
    right = "4539578763621486"

    assert stdnum.luhn.is_valid(right)
    assert checkdigits.is_card(right)
    assert not checkdigits.is_card(right[:-1] + "7")
    assert not checkdigits.is_card("0" * 16)
    assert not checkdigits.is_card("9999999999999995")  # Luhn holds; no scheme gives out 9999


def test_a_korean_of_old_is_right_where_python_stdnum_says_so() -> None:
    from stdnum.kr import rrn

    places = ["6789", _D, "01", _D, "012", _D, "12", *"0123", _D, _D]
    numbers = _tries([*places[:7], "012", *[_D] * 5], "kr", 600)

    assert sum(map(is_korean_resident, numbers)) > 10
    for one in numbers:
        if int(one[7:9]) <= 96:
            assert is_korean_resident(one) == rrn.is_valid(one), one


def test_a_korean_born_since_october_2020_has_no_check_digit() -> None:
    born_before, born_since = "200930-312345", "201001-312345"

    def right(start: str) -> int:
        return sum(is_korean_resident(start.replace("-", "") + sign) for sign in _D)

    assert (right(born_before), right(born_since)) == (1, 10)


def test_a_foreign_resident_of_korea_has_a_check_digit_of_either_kind() -> None:
    start = "850101512345"

    assert sum(is_korean_resident(start + sign) for sign in _D) == 2


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("is_spanish", "12345678Z"), ("is_spanish", "X1234567L"),
        ("is_national_insurance", "AB123456C"),
        ("is_taiwanese", "A123456789"),
        ("is_russian_insured", "11223344595"),
        ("is_singaporean", "S1234567D"), ("is_singaporean", "G1234567X"),
        ("is_hong_kong", "A1234563"), ("is_hong_kong", "AB9876543"),
        ("is_indian_tax", "ABCPE1234F"),
        ("is_malaysian", "770305021234"),
    ],
)  # fmt: skip
def test_numbers_that_their_issuers_show_are_right(name: str, right: str) -> None:
    assert getattr(checkdigits, name)(right)


def test_a_wrong_letter_or_digit_is_seen() -> None:
    wrong = {
        "is_spanish": ["12345678A", "X1234567Z"],
        "is_national_insurance": ["GB123456C", "QQ123456C"],
        "is_taiwanese": ["A123456788"], "is_russian_insured": ["11223344596"],
        "is_singaporean": ["S1234567E"], "is_hong_kong": ["A1234564"],
        "is_indian_tax": ["ABCCE1234F"],
    }  # fmt: skip

    for name, numbers in wrong.items():
        for number in numbers:
            assert not getattr(checkdigits, name)(number), (name, number)
