"""A number goes in as its digits; whether its check digits are right comes out."""

from __future__ import annotations

from collections import Counter
from datetime import date

# The length of an IBAN by country (SWIFT's registry, release 99).
IBAN_LENGTHS = {
    **dict.fromkeys(["NO"], 15), **dict.fromkeys(["BE"], 16),
    **dict.fromkeys(["DK", "FI", "FO", "GL", "NL", "SD"], 18), **dict.fromkeys(["MK", "SI"], 19),
    **dict.fromkeys(["AT", "BA", "EE", "KZ", "LT", "LU", "XK"], 20),
    **dict.fromkeys(["CH", "CR", "HR", "LI", "LV"], 21),
    **dict.fromkeys(["BG", "BH", "DE", "GB", "GE", "IE", "ME", "RS", "VA"], 22),
    **dict.fromkeys(["AE", "GI", "IL", "IQ", "OM", "SO", "TL"], 23),
    **dict.fromkeys(["AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"], 24),
    **dict.fromkeys(["LY", "PT", "ST"], 25), **dict.fromkeys(["IS", "TR"], 26),
    **dict.fromkeys(["BI", "DJ", "FR", "GR", "IT", "MC", "MR", "SM"], 27),
    **dict.fromkeys(["AL", "AZ", "BY", "CY", "DO", "GT", "HU", "LB", "NI", "PL", "SV"], 28),
    **dict.fromkeys(["BR", "EG", "PS", "QA", "UA"], 29), **dict.fromkeys(["JO", "KW", "MU"], 30),
    **dict.fromkeys(["MT", "SC"], 31), **dict.fromkeys(["LC"], 32), **dict.fromkeys(["RU"], 33),
}  # fmt: skip

_KOREAN_CENTURY = {"1": 1900, "2": 1900, "3": 2000, "4": 2000, "5": 1900, "6": 1900}
_KOREAN_CENTURY |= {"7": 2000, "8": 2000}


def is_card(digits: str) -> bool:
    """A number that a card scheme gives out, with Luhn's check digit right (ISO/IEC 7812)."""
    return _has_issuer(digits) and is_luhn(digits) and len(set(digits)) > 1


def is_luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[::-2])) + sum(doubled)) % 10 == 0


def _has_issuer(digits: str) -> bool:
    size, two, three, four = len(digits), digits[:2], digits[:3], digits[:4]
    if size == 14:
        return two in ("36", "38") or "300" <= three <= "305"
    if size == 15:
        return two in ("34", "37")
    if size == 16 and ("51" <= two <= "55" or "2221" <= four <= "2720" or "3528" <= four <= "3589"):
        return True
    if size == 16 and (four == "6011" or two == "65" or "644" <= three <= "649"):
        return True
    return (size in (16, 19) and digits[0] == "4") or (16 <= size <= 19 and two == "62")


def is_iban(compact: str) -> bool:
    """An account number of the right length for its country, 1 modulo 97 (ISO 13616)."""
    if IBAN_LENGTHS.get(compact[:2]) != len(compact):
        return False
    return int("".join(str(int(sign, 36)) for sign in compact[4:] + compact[:4])) % 97 == 1


def is_us_social_security(digits: str) -> bool:
    """Nine digits that could have been given out; there is no check digit.

    Not given out are those of advertisements that became famous.
    """
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    if area in ("000", "666") or area >= "900" or group == "00" or serial == "0000":
        return False
    return digits not in ("078051120", "219099999", "123456789")


def is_korean_resident(digits: str) -> bool:
    """Thirteen digits: a birthday, a century, and the check digit of those given out until 2020-10.

    Later ones end in chance digits; nine in ten of them are not recognised.
    """
    century = _KOREAN_CENTURY.get(digits[6])
    if century is None or not _is_day(century + int(digits[:2]), digits[2:4], digits[4:6]):
        return False
    total = _weighted(digits[:12], (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5))
    home = (11 - total % 11) % 10
    foreign = (13 - total % 11) % 10
    return int(digits[12]) == (foreign if digits[6] in "5678" else home)


def is_german_tax(digits: str) -> bool:
    """Eleven digits: one of the first ten stands two or three times, and ISO 7064's MOD 11,10."""
    repeated = [count for count in Counter(digits[:10]).values() if count > 1]
    if digits[0] == "0" or len(repeated) != 1 or repeated[0] > 3:
        return False
    product = 10
    for digit in digits[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def is_dutch_citizen(digits: str) -> bool:
    """Nine digits that pass the eleven test of a burgerservicenummer."""
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return len(set(digits)) > 1 and _weighted(digits, weights) % 11 == 0


def is_brazilian_taxpayer(digits: str) -> bool:
    """Eleven digits of a CPF, the last two being check digits."""
    if len(set(digits)) == 1:
        return False
    first = _weighted(digits[:9], range(10, 1, -1)) * 10 % 11 % 10
    second = _weighted(digits[:10], range(11, 1, -1)) * 10 % 11 % 10
    return digits[9:] == f"{first}{second}"


def _weighted(digits: str, weights: tuple[int, ...] | range) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))


def _is_day(year: int, month: str, day: str) -> bool:
    try:
        date(year, int(month), int(day))
    except ValueError:
        return False
    return True
