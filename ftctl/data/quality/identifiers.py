"""Which numbers are a person's: their forms, their check digits, and the words that name them."""

from __future__ import annotations

import re
from collections.abc import Callable
from string import ascii_letters, digits
from typing import NamedTuple

from ftctl.data.quality import checkdigits as are

_BEFORE, _AFTER = r"(?<![\w.\-])", r"(?![\w]|[.\-]\d)"

# A text's shape: every letter an A, every digit a 0, every sign beyond ASCII a question mark.
_SHAPES = bytes(
    ord("A") if chr(sign) in ascii_letters else ord("0") if chr(sign) in digits
    else sign if sign < 128 else ord("?")
    for sign in range(256)
)  # fmt: skip


class Form(NamedTuple):
    """A number that is told by its form, or by that and a word in front of it."""

    what: str  # in words, with its article
    shapes: tuple[bytes, ...]  # one of them stands in the shape of the text
    pattern: re.Pattern[str]  # the number is its first group
    right: Callable[[str], bool]  # of the number without its separators, in capitals
    word: re.Pattern[str] | None = None  # in lower case


def shape_of(raw: bytes) -> bytes:
    """The shape of a text in ASCII or UTF-8."""
    return raw.translate(_SHAPES)


def _form(
    what: str, shapes: str, pattern: str, right: Callable[[str], bool], word: str = ""
) -> Form:
    found = re.compile(f"{_BEFORE}({pattern}){_AFTER}", re.ASCII | re.IGNORECASE)
    known = tuple(shape.encode() for shape in shapes.split("|"))
    return Form(what, known, found, right, re.compile(word) if word else None)


# Told by their form. All have a run of eight digits, as people part them.
DIGITS = (
    _form(
        "a card number",
        f"{'0' * 14}|0000 0000 0000|0000-0000-0000|0000 000000 0000|0000-000000-0000",
        r"\d{14,19}|\d{4}([ -])\d{4}\2\d{4}\2\d{4}(?:\2\d{3})?|\d{4}([ -])\d{6}\3\d{4,5}",
        are.is_card,
    ),
    _form("a US social security number", "000-00-0000", r"\d{3}-\d\d-\d{4}",
          are.is_us_social_security),
    _form("a Korean resident number", "000000-0000000", r"\d{6}-[1-8]\d{6}",
          are.is_korean_resident),
    _form("a Brazilian CPF", "000.000.000-00", r"\d{3}\.\d{3}\.\d{3}-\d\d",
          are.is_brazilian_taxpayer),
    _form("a Chinese resident number", "0" * 17, r"\d{17}[\dX]", are.is_chinese),
    _form("a French social security number", "0 00 00 00 000 000 00",
          r"[12] \d\d \d\d \d\d \d{3} \d{3} \d\d", are.is_french_insured),
    _form("a Swiss social security number", "000.0000.0000.00", r"756\.\d{4}\.\d{4}\.\d\d",
          are.is_swiss),
    _form("a Belgian national number", "00.00.00-000.00", r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d",
          are.is_belgian),
    _form("a Russian SNILS", "000-000-000 00", r"\d{3}-\d{3}-\d{3} \d\d",
          are.is_russian_insured),
    _form("a Thai identity number", "0-0000-00000-00-0", r"\d-\d{4}-\d{5}-\d\d-\d", are.is_thai),
)  # fmt: skip

# Told by their form, which has letters.
LETTERED = (
    _form("an Italian codice fiscale", "AAAAAA00A00A000A",
          r"[A-Z]{6}\d\d[ABCDEHLMPRST]\d\d[A-Z]\d{3}[A-Z]", are.is_italian_tax),
    _form("a Mexican CURP", "AAAA000000AAAAAA",
          r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z\d]\d", are.is_mexican),
    _form("a Finnish personal identity code", "000000A000|000000-000A",
          r"\d{6}(?:[A-FU-Y]\d{3}[A-Z\d]|-\d{3}[A-Z])", are.is_finnish),
    _form("a Hong Kong identity card number", "A000000(0)|A000000(A)",
          r"[A-Z]{1,2}\d{6}\([\dA]\)", are.is_hong_kong),
    _form("a UK national insurance number", "AA 00 00 00 A", r"[A-Z]{2} \d\d \d\d \d\d [A-D]",
          are.is_national_insurance),
    # Behind a word that names them.
    _form("a UK national insurance number", "AA000000A", r"[A-Z]{2}\d{6}[A-D]",
          are.is_national_insurance, r"national insurance|\bnino\b|\bni (?:no|number)"),
    _form("a Spanish DNI or NIE", "A0000000A|A-0000000-A|00000000A|00000000-A|A0000000-A",
          r"(?:\d{8}|[XYZ]-?\d{7})-?[A-Z]", are.is_spanish,
          r"\b(?:dni|nif|nie)\b|documento nacional|documento de identidad"),
    _form("an Indian PAN", "AAAAA0000A", r"[A-Z]{5}\d{4}[A-Z]", are.is_indian_tax,
          r"\bpan\b|permanent account|पैन"),
    _form("an Irish PPS number", "0000000A", r"\d{7}[A-W][A-IW]?", are.is_irish,
          r"\bppsn?\b|personal public service"),
    _form("a Singaporean NRIC", "A0000000A", r"[STFGM]\d{7}[A-Z]", are.is_singaporean,
          r"\b(?:nric|fin|ic)\b|identity card"),
    _form("a Taiwanese identity number", "A000000000", r"[A-Z]\d{9}", are.is_taiwanese,
          r"身[分份][證证]|統一編號|identity|\bnational id\b"),
)  # fmt: skip

# Whose form is any number's: behind a word that names them.
NAMED = (
    _form("a Brazilian CPF", "", r"\d{11}", are.is_brazilian_taxpayer, r"\bcpf\b"),
    _form("a US social security number", "", r"\d{9}|\d{3} \d\d \d{4}",
          are.is_us_social_security, r"\bssn\b|social security"),
    _form("a Korean resident number", "", r"\d{6}-?[1-8]\d{6}", are.has_korean_birthday,
          r"주민\s?(?:등록)?\s?번호|외국인\s?등록\s?번호|\brrn\b"),
    _form("a German tax number", "", r"\d{11}|\d\d \d{3} \d{3} \d{3}", are.is_german_tax,
          r"\b(?:steuer[- ]?id|idnr|steuer[- ]?identifikationsnummer|tax id)\b"),
    _form("a Dutch citizen number", "", r"\d{9}|\d{4}\.\d\d\.\d{3}", are.is_dutch_citizen,
          r"\bbsn\b|burgerservicenummer|sofinummer"),
    _form("a French social security number", "", r"[12]\d{14}", are.is_french_insured,
          r"s[ée]curit[ée] sociale|\bnir\b|num[ée]ro de s[ée]cu"),
    _form("a Polish PESEL", "", r"\d{11}", are.is_polish, r"\bpesel"),
    _form("an Indian Aadhaar number", "", r"\d{12}|\d{4}([ -])\d{4}\2\d{4}", are.is_aadhaar,
          r"\ba+dhaa?r|\buidai?\b|आधार"),
    _form("a UK NHS number", "", r"\d{10}|\d{3}([ -])\d{3}\2\d{4}", are.is_nhs, r"\bnhs\b"),
    _form("a Swedish personnummer", "", r"(?:\d\d)?\d{6}[-+]?\d{4}", are.is_swedish,
          r"person(?:al )?num(?:mer|ber)|\bpersonnr\b|samordningsnummer"),
    _form("a Japanese individual number", "", r"\d{12}|\d{4}([ -])\d{4}\2\d{4}", are.is_japanese,
          r"マイナンバー|個人番号|\bmy ?number\b"),
    _form("a Turkish identity number", "", r"\d{11}", are.is_turkish,
          r"kimlik|\btckn\b|\bt\.?c\.? ?no\b"),
    _form("an Australian tax file number", "", r"\d{9}|\d{3} \d{3} \d{3}", are.is_australian_tax,
          r"\btfn\b|tax file number"),
    _form("a Canadian social insurance number", "", r"\d{9}|\d{3}([ -])\d{3}\2\d{3}",
          are.is_canadian_insured, r"social insurance|assurance sociale|\bsin (?:no|number|#|is)"),
    _form("a Norwegian national identity number", "", r"\d{6} ?\d{5}", are.is_norwegian,
          r"f[øo]dselsn(?:umme)?r|personn(?:umme)?r|d-nummer"),
    _form("a Danish CPR number", "", r"\d{6}-?\d{4}", are.is_danish, r"\bcpr\b"),
    _form("a Belgian national number", "", r"\d{11}", are.is_belgian,
          r"rijksregister|registre national|national register"),
    _form("a Swiss social security number", "", r"756\d{10}", are.is_swiss, r"\bahv|\bavs\b"),
    _form("a Romanian CNP", "", r"\d{13}", are.is_romanian, r"\bcnp\b|cod numeric personal"),
    _form("a Czech or Slovak birth number", "", r"\d{6}/?\d{4}", are.is_czech,
          r"rodn[éeý]\w* [čc][íi]sl|\brč\b"),
    _form("a Bulgarian EGN", "", r"\d{10}", are.is_bulgarian, r"\begn\b|\bегн\b"),
    _form("a Greek AMKA", "", r"\d{11}", are.is_greek, r"\bamka\b|αμκα"),
    _form("a Portuguese NIF", "", r"\d{9}|\d{3} \d{3} \d{3}", are.is_portuguese,
          r"\bnif\b|contribuinte"),
    _form("a South African identity number", "", r"\d{13}|\d{6} \d{4} \d{3}",
          are.is_south_african, r"\b(?:south african )?id (?:no|number)\b|\brsa id\b"),
    _form("a Thai identity number", "", r"\d{13}", are.is_thai, r"ประชาชน|thai id"),
    _form("a Russian SNILS", "", r"\d{11}", are.is_russian_insured, r"\bснилс|\bsnils\b"),
    _form("an Israeli identity number", "", r"\d{9}", are.is_israeli,
          r"תעודת זהות|teudat zehut|israeli id"),
    _form("a Malaysian identity card number", "", r"\d{6}-?\d\d-?\d{4}", are.is_malaysian,
          r"\b(?:mykad|nric|no\. kp|kad pengenalan)\b"),
    _form("a Finnish personal identity code", "", r"\d{6}-\d{4}", are.is_finnish,
          r"henkil[öo]tunnus|\bhetu\b"),
)  # fmt: skip

# One of these stands in each word that names a number. Literals are searched for at once; the
# words' own patterns take ten times as long.
_STEMS = (
    "cpf ssn social 주민 외국인 rrn steuer idnr tax bsn burgerserv sofi nir sécu secu pesel "
    "aadh adha uida आधार nhs person samordn マイナンバー 個人番号 number kimlik tckn t.c tc "
    "tfn insurance assurance sin fødselsn fodselsn d-nummer cpr rijksreg national ahv avs cnp "
    "numeric rodn rč egn егн amka αμκα nif contribuinte id ประชาชน снилс snils תעודת zehut "
    "mykad nric kp kad henkil hetu"
)
# Each shape with its form, for a quick look.
SHAPES_OF_DIGITS = tuple((shape, form) for form in DIGITS for shape in form.shapes)
ANY_NAME = re.compile("|".join(map(re.escape, _STEMS.split())))
_LETTERED_SHAPES = tuple(dict.fromkeys(shape for form in LETTERED for shape in form.shapes))


def may_hold_lettered(shape: bytes) -> bool:
    """Whether a text of that shape may hold a number with letters: False is certain."""
    # One of these stands in the shape of each, and in few texts.
    if not (b"A00" in shape or b"00A" in shape or b" 00 00 00 " in shape or b"A-0000000" in shape):
        return False
    return any(one in shape for one in _LETTERED_SHAPES)
