"""A number goes in without its separators; whether its check digits are right comes out.

Where an issuer gives no check digit, what is looked at instead stands in the function's words.
Letters are capitals. Held against python-stdnum in the tests.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import date
from functools import cache

# What follows the two check digits: n digits, a letters, c either (SWIFT's registry of IBAN,
# release 101, 2025).
_IBAN_FORMS = (
    "AD 8n12c, AE 19n, AL 8n16c, AT 16n, AZ 4a20c, BA 16n, BE 12n, BG 4a6n8c, BH 4a14c, BI 23n, "
    "BR 23n1a1c, BY 4c4n16c, CH 5n12c, CR 18n, CY 8n16c, CZ 20n, DE 18n, DJ 23n, DK 14n, "
    "DO 4c20n, EE 16n, EG 25n, ES 20n, FI 14n, FK 2a12n, FO 14n, FR 10n11c2n, GB 4a14n, GE 2a16n, "
    "GI 4a15c, GL 14n, GR 7n16c, GT 24c, HN 4a20n, HR 17n, HU 24n, IE 4a14n, IL 19n, IQ 4a15n, "
    "IS 22n, IT 1a10n12c, JO 4a4n18c, KW 4a22c, KZ 3n13c, LB 4n20c, LC 4a24c, LI 5n12c, LT 16n, "
    "LU 3n13c, LV 4a13c, LY 21n, MC 10n11c2n, MD 20c, ME 18n, MK 3n10c2n, MN 16n, MR 23n, "
    "MT 4a5n18c, MU 4a19n3a, NI 4a20n, NL 4a10n, NO 11n, OM 3n16c, PK 4a16c, PL 24n, PS 4a21c, "
    "PT 21n, QA 4a21c, RO 4a16c, RS 18n, RU 14n15c, SA 2n18c, SC 4a20n3a, SD 14n, SE 20n, SI 15n, "
    "SK 20n, SM 1a10n12c, SO 19n, ST 21n, SV 4a20n, TL 19n, TN 20n, TR 6n16c, UA 6n19c, VA 18n, "
    "VG 4a16n, XK 16n, YE 4a4n18c"
)
_IBAN_RUN = re.compile(r"(\d+)([nac])")
_IBAN_SIGNS = {"n": "[0-9]", "a": "[A-Z]", "c": "[A-Z0-9]"}
IBAN_FORMS = dict(form.split() for form in _IBAN_FORMS.split(", "))
# The length of an IBAN by country.
IBAN_LENGTHS = {
    country: 4 + sum(int(count) for count, _ in _IBAN_RUN.findall(form))
    for country, form in IBAN_FORMS.items()
}

_KOREAN_CENTURY = {"1": 1900, "2": 1900, "3": 2000, "4": 2000, "5": 1900, "6": 1900}
_KOREAN_CENTURY |= {"7": 2000, "8": 2000}
_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"
_HETU = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# What a sign of a codice fiscale counts at an odd place; digits count as A to J do.
_ITALIAN_ODD = (
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23
)  # fmt: skip
_CURP = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ"
_CURP_STATE_NAMES = (
    "AS BC BS CC CH CL CM CS DF DG GR GT HG JC MC MN MS NE NL NT OC PL QR QT SL SP SR TC TL TS VZ "
    "YN ZS"
)
_CURP_STATES = frozenset(_CURP_STATE_NAMES.split())
_ROMANIAN_COUNTIES = frozenset((*range(1, 49), 51, 52, 70, *range(80, 84)))
_TAIWANESE = "ABCDEFGHJKLMNPQRSTUVXYWZIO"  # A counts 10, B 11, and so on
_VERHOEFF_TURN = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


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
    """An account number of its country's length and form, 1 modulo 97 (ISO 13616)."""
    if IBAN_LENGTHS.get(compact[:2]) != len(compact):
        return False
    if not _iban_pattern(compact[:2]).fullmatch(compact[2:]):
        return False
    return int("".join(str(int(sign, 36)) for sign in compact[4:] + compact[:4])) % 97 == 1


@cache
def _iban_pattern(country: str) -> re.Pattern[str]:
    runs = (
        f"{_IBAN_SIGNS[kind]}{{{size}}}" for size, kind in _IBAN_RUN.findall(IBAN_FORMS[country])
    )
    return re.compile("[0-9]{2}" + "".join(runs))


def is_us_social_security(digits: str) -> bool:
    """Nine digits that could have been given out; there is no check digit.

    Not given out are those of advertisements that became famous.
    """
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    if area in ("000", "666") or area >= "900" or group == "00" or serial == "0000":
        return False
    return digits not in ("078051120", "219099999", "123456789", "457555462")


def is_korean_resident(digits: str) -> bool:
    """Thirteen digits: a birthday, a century, and a check digit.

    Of persons born since October 2020 the last digits are chance, so the birthday is all there is.
    5 to 8 are foreign residents, whose check digit was at first reckoned otherwise.
    """
    if not has_korean_birthday(digits):
        return False
    if digits[6] in "3478" and digits[:4] >= "2010":
        return True
    rest = _weighted(digits[:12], (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11
    return int(digits[12]) in ((11 - rest) % 10, (13 - rest) % 10 if digits[6] in "5678" else -1)


def has_korean_birthday(digits: str) -> bool:
    """Whether thirteen digits begin with a birthday and a century.

    It is all that holds of a number that was changed since October 2020.
    """
    century = _KOREAN_CENTURY.get(digits[6])
    return century is not None and _is_day(century + int(digits[:2]), digits[2:4], digits[4:6])


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


def is_spanish(compact: str) -> bool:
    """A DNI, or a foreigner's NIE: eight digits, of which X, Y or Z may be the first; a letter."""
    number = compact[:8].translate({ord("X"): "0", ord("Y"): "1", ord("Z"): "2"})
    return _DNI[int(number) % 23] == compact[8] and len(set(number)) > 1


def is_italian_tax(compact: str) -> bool:
    """Sixteen signs of a codice fiscale: a name's letters, a birthday, a place, a check letter."""
    digits = compact.translate({ord(sign): str(n) for n, sign in enumerate("LMNPQRSTUV")})
    day = int(digits[9:11])
    month = f"{'ABCDEHLMPRST'.find(compact[8]) + 1:02}"
    if not _is_day_of_some_century(digits[6:8], month, f"{day - 40 if day > 40 else day:02}"):
        return False
    values = [int(sign) if sign.isdecimal() else _LETTERS.index(sign) for sign in compact[:15]]
    total = sum(_ITALIAN_ODD[value] for value in values[::2]) + sum(values[1::2])
    return _LETTERS[total % 26] == compact[15]


def is_french_insured(compact: str) -> bool:
    """Fifteen signs of a NIR: sex, year, month, place, and 97 less the rest modulo 97."""
    number = compact.replace("2A", "19", 1) if compact[5:7] == "2A" else compact
    number = number.replace("2B", "18", 1) if compact[5:7] == "2B" else number
    month = int(number[3:5])
    if number[0] not in "12" or not (1 <= month <= 12 or 20 <= month <= 42 or month >= 50):
        return False
    return int(number[13:]) == 97 - int(number[:13]) % 97


def is_polish(digits: str) -> bool:
    """Eleven digits of a PESEL, whose month tells the century too."""
    month = int(digits[2:4])
    century = {0: 1900, 1: 2000, 2: 2100, 3: 2200, 4: 1800}[month // 20]
    if not _is_day(century + int(digits[:2]), f"{month % 20:02}", digits[4:6]):
        return False
    return _weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def is_aadhaar(digits: str) -> bool:
    """Twelve digits, the last by Verhoeff."""
    if digits[0] in "01" or digits == digits[::-1]:
        return False
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = _dihedral(check, int(_VERHOEFF_TURN[place % 8][int(digit)]))
    return check == 0


def _dihedral(one: int, other: int) -> int:
    """The product of two of the symmetries of a pentagon; from 5 on they turn it over."""
    if one < 5:
        return (one + other) % 5 if other < 5 else 5 + (one + other) % 5
    return 5 + (one - other) % 5 if other < 5 else (one - other) % 5


def is_indian_tax(compact: str) -> bool:
    """A person's PAN: the fourth letter is P. There is no check digit that is made known."""
    return compact[3] == "P" and compact[5:9] != "0000"


def is_nhs(digits: str) -> bool:
    """Ten digits that pass an eleven test."""
    return len(set(digits)) > 1 and _weighted(digits, range(10, 0, -1)) % 11 == 0


def is_national_insurance(compact: str) -> bool:
    """Two letters that HMRC gives out, six digits, a letter; there is no check digit."""
    if compact[:2] in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ"):
        return False
    return compact[0] not in "DFIQUV" and compact[1] not in "DFIOQUV" and compact[8] in "ABCD"


def is_swedish(digits: str) -> bool:
    """Ten digits, or twelve with the century: a birthday (60 more in a coordination number)."""
    short = digits[-10:]
    day = int(short[4:6])
    shown = f"{day - 60 if day > 60 else day:02}"
    return _is_day_of_some_century(short[:2], short[2:4], shown) and is_luhn(short)


def is_chinese(compact: str) -> bool:
    """Eighteen signs: a place, a birthday, and ISO 7064's MOD 11-2."""
    if not "11" <= compact[:2] <= "82" or not "1850" <= compact[6:10] <= "2100":
        return False
    if not _is_day(int(compact[6:10]), compact[10:12], compact[12:14]):
        return False
    total = sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(compact[:17]))
    return "10X98765432"[total % 11] == compact[17]


def is_japanese(digits: str) -> bool:
    """Twelve digits of an individual's number (My Number)."""
    if len(set(digits)) == 1:
        return False
    rest = _weighted(digits[:11], (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return int(digits[11]) == (0 if rest <= 1 else 11 - rest)


def is_taiwanese(compact: str) -> bool:
    """A letter for the place, 1 or 2 (8 or 9 for foreigners), and seven digits with a check."""
    place = _TAIWANESE.index(compact[0]) + 10
    rest = _weighted(f"{place % 10}{compact[1:]}", (9, 8, 7, 6, 5, 4, 3, 2, 1, 1))
    return compact[1] in "1289" and (place // 10 + rest) % 10 == 0


def is_turkish(digits: str) -> bool:
    """Eleven digits, two of them check digits."""
    first = (10 - _weighted(digits[:9], (3, 1, 3, 1, 3, 1, 3, 1, 3))) % 10
    second = (first + sum(map(int, digits[:9]))) % 10
    return digits[0] != "0" and digits[9:] == f"{first}{second}"


def is_australian_tax(digits: str) -> bool:
    """Nine digits that pass an eleven test."""
    return len(set(digits)) > 1 and _weighted(digits, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def is_canadian_insured(digits: str) -> bool:
    """Nine digits by Luhn; 8 is given to nobody, and 0 is for stories."""
    return digits[0] not in "08" and len(set(digits)) > 1 and is_luhn(digits)


def is_mexican(compact: str) -> bool:
    """Eighteen signs of a CURP: a name's letters, a birthday, sex, state, a check digit."""
    century = 1900 if compact[16].isdecimal() else 2000
    if not _is_day(century + int(compact[4:6]), compact[6:8], compact[8:10]):
        return False
    if compact[10] not in "HMX" or compact[11:13] not in _CURP_STATES:
        return False
    total = sum(_CURP.index(sign) * (18 - place) for place, sign in enumerate(compact[:17]))
    return int(compact[17]) == (10 - total % 10) % 10


def is_finnish(compact: str) -> bool:
    """A birthday, a sign for the century, three digits, and the rest modulo 31."""
    if compact[6] not in "-+YXWVUABCDEF" or compact[7:10] < "002":
        return False
    century = 1800 if compact[6] == "+" else 2000 if compact[6] in "ABCDEF" else 1900
    if not _is_day(century + int(compact[4:6]), compact[2:4], compact[:2]):
        return False
    return _HETU[int(compact[:6] + compact[7:10]) % 31] == compact[10]


def is_belgian(digits: str) -> bool:
    """Eleven digits: a birthday, a serial number, and 97 less the rest modulo 97."""
    if int(digits[2:4]) > 12 or int(digits[4:6]) > 31:
        return False
    check = int(digits[9:])
    return any(97 - int(century + digits[:9]) % 97 == check for century in ("", "2"))


def is_swiss(digits: str) -> bool:
    """Thirteen digits from 756 on, with the check digit of an EAN."""
    total = _weighted(digits, (1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1))
    return digits.startswith("756") and total % 10 == 0


def is_norwegian(digits: str) -> bool:
    """Eleven digits: a birthday (40 more in a D number) and two check digits."""
    day = int(digits[:2])
    shown = f"{day - 40 if day > 40 else day:02}"
    if not _is_day_of_some_century(digits[4:6], digits[2:4], shown):
        return False
    first = _weighted(digits[:10], (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11
    return first == 0 and _weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def is_danish(digits: str) -> bool:
    """Ten digits that begin with a birthday; since 2007 there is no check digit."""
    return _is_day_of_some_century(digits[4:6], digits[2:4], digits[:2])


def is_romanian(digits: str) -> bool:
    """Thirteen digits of a CNP: sex and century, a birthday, a county, a check digit."""
    if digits[0] == "0" or not _is_day_of_some_century(digits[1:3], digits[3:5], digits[5:7]):
        return False
    if int(digits[7:9]) not in _ROMANIAN_COUNTIES:
        return False
    rest = _weighted(digits[:12], (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return int(digits[12]) == (1 if rest == 10 else rest)


def is_czech(digits: str) -> bool:
    """Ten digits of a birth number, of Slovakia too: 50 more for a woman's month, 11 divides it."""
    month = int(digits[2:4]) % 50 % 20
    if not _is_day_of_some_century(digits[:2], f"{month:02}", digits[4:6]):
        return False
    return int(digits[:9]) % 11 % 10 == int(digits[9])


def is_bulgarian(digits: str) -> bool:
    """Ten digits of an EGN, whose month tells the century too."""
    month = int(digits[2:4])
    month -= 40 if month > 40 else 20 if month > 20 else 0
    if not _is_day_of_some_century(digits[:2], f"{month:02}", digits[4:6]):
        return False
    return _weighted(digits[:9], (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10 == int(digits[9])


def is_greek(digits: str) -> bool:
    """Eleven digits of an AMKA: a birthday, and Luhn."""
    return _is_day_of_some_century(digits[4:6], digits[2:4], digits[:2]) and is_luhn(digits)


def is_irish(compact: str) -> bool:
    """Seven digits and a letter by 23; a second letter may follow."""
    total = _weighted(compact[:7], range(8, 1, -1))
    if len(compact) == 9 and compact[8] in "ABH":
        total += 9 * (_LETTERS.index(compact[8]) + 1)
    return "WABCDEFGHIJKLMNOPQRSTUV"[total % 23] == compact[7]


def is_portuguese(digits: str) -> bool:
    """Nine digits of a person's NIF: 1 to 3, or 45; an eleven test."""
    if digits[0] not in "123" and digits[:2] != "45":
        return False
    check = 11 - _weighted(digits[:8], range(9, 1, -1)) % 11
    return int(digits[8]) == (0 if check >= 10 else check)


def is_south_african(digits: str) -> bool:
    """Thirteen digits: a birthday, a serial number, 0 or 1 for the citizenship, Luhn."""
    if not _is_day_of_some_century(digits[:2], digits[2:4], digits[4:6]):
        return False
    return digits[10] in "01" and is_luhn(digits)


def is_thai(digits: str) -> bool:
    """Thirteen digits that pass an eleven test; they start with 1 to 8."""
    total = _weighted(digits[:12], range(13, 1, -1))
    return digits[0] not in "09" and int(digits[12]) == (11 - total % 11) % 10


def is_russian_insured(digits: str) -> bool:
    """Eleven digits of a SNILS, the last two being the rest modulo 101."""
    rest = _weighted(digits[:9], range(9, 0, -1)) % 101 % 100
    return len(set(digits[:9])) > 1 and int(digits[9:]) == rest


def is_israeli(digits: str) -> bool:
    """Nine digits by Luhn."""
    return len(set(digits)) > 1 and is_luhn(digits)


def is_singaporean(compact: str) -> bool:
    """A letter for who it is and the century, seven digits, a check letter."""
    total = _weighted(compact[1:8], (2, 7, 6, 5, 4, 3, 2))
    total += {"T": 4, "G": 4, "M": 3}.get(compact[0], 0)
    if compact[0] == "M":
        return "XWUTRQPNJLK"[10 - total % 11] == compact[8]
    return ("JZIHGFEDCBA" if compact[0] in "ST" else "XWUTRQPNMLK")[total % 11] == compact[8]


def is_hong_kong(compact: str) -> bool:
    """One or two letters, six digits, and the check digit in brackets, A being ten."""
    values = [int(sign, 36) if sign.isdecimal() else _LETTERS.index(sign) + 10 for sign in compact]
    padded = [36] * (9 - len(values)) + values
    return sum(value * (9 - place) for place, value in enumerate(padded)) % 11 == 0


def is_malaysian(digits: str) -> bool:
    """Twelve digits that begin with a birthday; there is no check digit that is made known."""
    return _is_day_of_some_century(digits[:2], digits[2:4], digits[4:6]) and digits[6:8] != "00"


def _weighted(digits: str, weights: Iterable[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))


def _is_day(year: int, month: str, day: str) -> bool:
    try:
        date(year, int(month), int(day))
    except ValueError:
        return False
    return True


def _is_day_of_some_century(year: str, month: str, day: str) -> bool:
    """Whether the day is one where the year's century is not told."""
    return any(_is_day(century + int(year), month, day) for century in (1900, 2000))
