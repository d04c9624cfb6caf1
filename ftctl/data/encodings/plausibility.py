"""A text that bytes were read as goes in; how much of it people could have written comes out.

Nothing here knows a language well. Words whose letters no one language has together, signs in the
middle of words, capitals behind small letters and characters that hardly anybody uses are what
bytes look like that were read in an encoding which is not theirs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache

# The letters beyond ASCII that a language's own words have.
_ALPHABETS: Mapping[str, str] = {
    "French": "àâæçéèêëîïôœùûüÿ", "German": "äöüßé", "Spanish": "áéíñóúü", "Italian": "àèéìíîòóù",
    "Portuguese": "àáâãçéêíóôõúü", "Catalan": "àçèéíïòóúü", "Dutch": "áéëèïíöóüúêàâç",
    "Swedish": "åäöéàü", "Danish, Norwegian": "æøåéòôóèêâü", "Finnish": "äöåšž",
    "Icelandic": "áéíóúýþæöð", "Irish": "áéíóú", "Polish": "ąćęłńóśźż",
    "Czech": "áčďéěíňóřšťúůýž", "Slovak": "áäčďéíĺľňóôŕšťúýž", "Hungarian": "áéíóöőúüű",
    "Romanian": "ăâîșțşţ", "Croatian, Slovene": "čćđšž", "Albanian": "çëéâ",
    "Turkish": "çğıöşüâîû", "Azerbaijani": "çəğıöşü", "Estonian": "äõöüšž",
    "Latvian": "āčēģīķļņšūžō", "Lithuanian": "ąčęėįšųūž", "Maltese": "ċġħżàèìòù",
    "Esperanto": "ĉĝĥĵŝŭ", "Welsh": "âêîôûŵŷáéíóúẃýäëïöüẅÿ", "Faroese": "áðíóúýæø",
    "Vietnamese": "àáâãèéêìíòóôõùúýăđĩũơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
    "Yoruba, Igbo, Hausa": "àáèéìíòóùúẹọṣńǹḿịụṅɓɗƙƴ", "Pinyin": "āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜü",
}  # fmt: skip
# Of Cyrillic and Arabic script: what one language has, so that letters of none are seen.
_CYRILLIC = frozenset("абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґўјљњћђџѓќѕѐѝқғңәөұүһҳҷӣӯҮҢ")
_COMMON_CYRILLIC = frozenset("оеаинтсрвлкмдпу")
_COMMON_GREEK = frozenset("αοιετσνηυρπκμλςίόάέήύώ")
_COMMON_HANGUL = frozenset("이다는에을를의가은하고지로기사서도한해습니요있었어나만으게시자수면세")
_COMMON_HAN = frozenset(
    "的一是不了在有我他这這为為之来來以个個中上们們到说說国國和地也要时時就出会會可你对對用"
    "年生能而子那得于於着著下自发發后後作里裡用道行所然家种種事成方多经經么麼去法学學如都同现現"
    "当當没沒动動面起看定天分还還进進好小部其些主样樣理心本前开開但因只从從想实實日者意无無力"
    "它与與长長把机機十民第公此已工使情明性知全三又关關点點正业業外将將两兩高间間由问問很最重请請"
)
_APOSTROPHES = frozenset("’‘ʼ´`·‑–—ªº°")
_SYMBOLS = frozenset(("Sc", "Sm", "So", "Sk", "No", "Po"))
_AFTER_WORDS = frozenset("¡¿…™®©°²³¹§†‡•·")
_JAMO = frozenset("ㅋㅎㅠㅜㅇ")  # what messages are full of
_STRAY = frozenset("ªº")  # letters to Unicode, signs to people


class _Script:
    """Numbers, since characters are looked up by the million."""

    OTHER, LATIN, CYRILLIC, GREEK, HEBREW, ARABIC, THAI, HANGUL, KANA, HAN, HALF, INDIC = range(12)


_RANGES: tuple[tuple[int, int, int], ...] = (
    (0xC0, 0x24F, _Script.LATIN), (0x250, 0x2AF, _Script.LATIN), (0x1E00, 0x1EFF, _Script.LATIN),
    (0x370, 0x3FF, _Script.GREEK), (0x1F00, 0x1FFF, _Script.GREEK),
    (0x400, 0x52F, _Script.CYRILLIC), (0x590, 0x5FF, _Script.HEBREW),
    (0x600, 0x6FF, _Script.ARABIC), (0x750, 0x77F, _Script.ARABIC),
    (0x900, 0xDFF, _Script.INDIC), (0xE00, 0xE7F, _Script.THAI),
    (0x1100, 0x11FF, _Script.HANGUL), (0x3130, 0x318F, _Script.HANGUL),
    (0xAC00, 0xD7A3, _Script.HANGUL),
    (0x3041, 0x30FF, _Script.KANA), (0x31F0, 0x31FF, _Script.KANA),
    (0x3400, 0x4DBF, _Script.HAN), (0x4E00, 0x9FFF, _Script.HAN), (0xF900, 0xFAFF, _Script.HAN),
    (0xFF66, 0xFF9F, _Script.HALF),
)  # fmt: skip

_WORD = re.compile(r"[^\s!-&(-,./:-@\[-`{-~]*[^\x00-\x7f][^\s!-&(-,./:-@\[-`{-~]*")
_CONTROLS = re.compile("[\x80-\x9f\ufffd]")
_QUOTED = re.compile(r"(?:^|[\s(\"])(?:“[^“”\n]+[”“]|‘[^‘’\n]+’|„[^„“”\n]+[“”]|«[^«»\n]+»)(?!\w)")
_MOST_CHARACTERS = 30_000  # of all words that are judged
_LONGEST = 64  # of a word: text of CJK has no spaces
_CJK = frozenset((_Script.HANGUL, _Script.KANA, _Script.HAN, _Script.HALF))
_CASED = frozenset((_Script.LATIN, _Script.CYRILLIC, _Script.GREEK))


def plausibility(text: str) -> float:
    """0 for what nobody writes, 1 for what reads like words of one language; ASCII says nothing."""
    if _CONTROLS.search(text):
        return 0.0
    words = [cut for one in _WORD.findall(text) if not (cut := one[-_LONGEST:]).isascii()]
    if not words:
        return 1.0
    words = words[:: 1 + sum(map(len, words)) // _MOST_CHARACTERS]
    weights = [_judged(word) for word in words]
    total = sum(weight for weight, _ in weights)
    if not total:
        return 0.5  # signs alone
    good = sum(weight * share for weight, share in weights)
    quoted = 0.15 if len(_QUOTED.findall(text)) >= 2 else 0.0
    return (good / total) * _alphabet_share(words) * _usage(words) + quoted


@lru_cache(maxsize=20_000)
def _judged(word: str) -> tuple[float, float]:
    """How much the word has to say, and how much of it is in order."""
    scripts = [script_of(sign) for sign in word]
    if not any(scripts) and not any(sign.isalpha() for sign in word):
        return _signs(word)
    weight = sum(1 for sign in word if sign > "\x7f")
    faults = sum(_odd(sign) for sign in word if sign > "\x7f")
    faults += _inner_signs(word, scripts)
    faults += _wrong_case(word)
    faults += _mixture(word, scripts)
    return weight, max(0.0, 1 - faults / weight)


def _signs(word: str) -> tuple[float, float]:
    """Quotes, dashes and pictures stand alone anywhere; signs that come in heaps do not."""
    odd = sum(1 for sign in word if _odd(sign) >= 1)
    if odd:
        return odd, 0.0
    heap = sum(1 for sign in word if "\xa0" < sign < "\xc0" or sign in "×÷")
    return (heap, 0.2) if heap >= 3 and len(set(word)) > 1 else (0.25, 1.0)


def _odd(sign: str) -> float:
    """How little a character is one that people write: 1 for none at all."""
    if sign == "\ufffd" or "\x80" <= sign <= "\x9f":
        return 3.0
    code = ord(sign)
    if 0xAC00 <= code <= 0xD7A3:
        return 0.0 if sign in _usual_hangul() else 0.6
    if 0x4E00 <= code <= 0x9FFF:
        return 0.0 if sign in _usual_han() else 0.3
    category = _category(sign)
    if category in ("Cn", "Co", "Cc"):
        return 3.0
    if sign in _JAMO:
        return 0.0
    if 0x3400 <= code <= 0x4DBF or 0xF900 <= code <= 0xFAFF or 0x3130 <= code <= 0x318F:
        return 0.5
    if 0x2500 <= code <= 0x259F:  # what DOS drew frames with
        return 1.0
    return 0.0


def _inner_signs(word: str, scripts: Sequence[int]) -> float:
    """Signs with a letter on both sides, as in 'Ã©t'; apostrophes and dashes belong there."""
    faults = 0.0
    cjk = any(script in _CJK for script in scripts)
    for place, sign in enumerate(word):
        if sign <= "\x7f" or (scripts[place] and sign not in _STRAY) or _is_mark(sign):
            continue
        before = place > 0 and (scripts[place - 1] or word[place - 1].isalpha())
        after = place + 1 < len(word) and (scripts[place + 1] or word[place + 1].isalpha())
        beside = bool(before) + bool(after)
        wide = "\u3000" <= sign <= "\u303f" or "\uff00" <= sign <= "\uffef"
        if (sign in _APOSTROPHES and place) or wide or cjk or sign == "\xad":
            continue
        if beside == 2:
            faults += 3.0 if "\xa0" <= sign <= "\xff" else 2.0
        elif beside and _is_odd_beside_letters(sign):
            faults += 2.0
        elif place == 0 and sign in "’‘" and scripts[1:2] == [_Script.GREEK]:
            faults += 0.5
    return faults


def _is_odd_beside_letters(sign: str) -> bool:
    """Signs, and punctuation of Latin text; other scripts have their own behind words."""
    category = _category(sign)
    if sign in _AFTER_WORDS or (category == "Po" and sign > "\xff"):
        return False
    return category in _SYMBOLS


def _wrong_case(word: str) -> float:
    faults = 0.0
    for place in range(1, len(word)):
        one, other = word[place - 1], word[place]
        if (one > "\x7f" or other > "\x7f") and one.islower() and other.isupper():
            faults += 3.0
    return faults


def _mixture(word: str, scripts: Sequence[int]) -> float:
    """Letters of two scripts side by side."""
    faults = 0.0
    for place in range(1, len(word)):
        one, other = scripts[place - 1], scripts[place]
        one = one or (_Script.LATIN if word[place - 1].isalpha() else 0)
        other = other or (_Script.LATIN if word[place].isalpha() else 0)
        if not one or not other or one == other:
            continue
        pair = {one, other}
        if pair <= {_Script.KANA, _Script.HAN} or pair == {_Script.KANA, _Script.HALF}:
            continue
        if _Script.LATIN in pair and pair & _CJK and _Script.HALF not in pair:
            inside = word[place - 1] if one == _Script.LATIN else word[place]
            if inside <= "\x7f":
                continue
        if pair == {_Script.HANGUL, _Script.HAN}:
            faults += 0.7
        else:
            faults += 1.0
    if _Script.HALF in scripts and len(set(scripts)) == 1:
        faults += 0.02 * len(word)
    return faults


def _alphabet_share(words: Iterable[str]) -> float:
    """How many of the Latin words one language could have."""
    sets = []
    for word in words:
        small = frozenset(
            sign for sign in word.lower() if sign > "\x7f" and script_of(sign) == _Script.LATIN
        )
        if small:
            sets.append(small)
    if not sets:
        return 1.0
    best = max(sum(1 for one in sets if one <= alphabet) for alphabet in _alphabets())
    return 0.15 + 0.85 * best / len(sets)


def _usage(words: Iterable[str]) -> float:
    """Whether the commonest characters of a script are the commonest here."""
    text = "".join(words).lower()
    factor = 1.0
    for common, script, least in (
        (_COMMON_CYRILLIC, _Script.CYRILLIC, 0.45),
        (_COMMON_GREEK, _Script.GREEK, 0.5),
        (_COMMON_HANGUL, _Script.HANGUL, 0.12),
        (_COMMON_HAN, _Script.HAN, 0.1),
    ):
        signs = [sign for sign in text if script_of(sign) == script and sign not in _JAMO]
        if len(signs) >= 8:
            if script == _Script.HAN and any(script_of(sign) == _Script.KANA for sign in text):
                continue
            share = sum(1 for sign in signs if sign in common) / len(signs)
            if share < least:
                factor *= 0.5 + 0.5 * share / least
    return factor


@cache
def _alphabets() -> tuple[frozenset[str], ...]:
    return tuple(frozenset(letters) for letters in _ALPHABETS.values())


@cache
def _usual_hangul() -> frozenset[str]:
    """The 2,350 syllables of KS X 1001: nearly all that is written."""
    return frozenset(_two_bytes("euc_kr", range(0xB0, 0xC9)))


@cache
def _usual_han() -> frozenset[str]:
    """The first levels of the standards of China, Taiwan and Japan: some 8,000 characters."""
    return frozenset(
        _two_bytes("gb2312", range(0xB0, 0xD8))
        + _two_bytes("euc_jp", range(0xB0, 0xD0))
        + _two_bytes("big5", range(0xA4, 0xC7), range(0x40, 0xFF))
    )


@cache
def unusual_signs() -> str:
    """Syllables and characters of CJK that hardly any text has two of side by side."""
    hangul, han = _usual_hangul(), _usual_han()
    return "".join(
        [chr(code) for code in range(0xAC00, 0xD7A4) if chr(code) not in hangul]
        + [chr(code) for code in range(0x4E00, 0xA000) if chr(code) not in han]
    )


def _two_bytes(encoding: str, firsts: range, seconds: range = range(0xA1, 0xFF)) -> str:
    return "".join(
        bytes((first, second)).decode(encoding, "ignore") for first in firsts for second in seconds
    )


@lru_cache(maxsize=4096)
def _category(sign: str) -> str:
    return unicodedata.category(sign)


def _is_mark(sign: str) -> bool:
    return _category(sign)[0] == "M"


def script_of(sign: str) -> int:
    """The script of a letter beyond ASCII; 0 for ASCII, for signs and for what is not listed."""
    if sign <= "\x7f" or sign in "×÷":
        return 0
    return _script_of(sign)


@lru_cache(maxsize=30_000)
def _script_of(sign: str) -> int:
    code = ord(sign)
    for first, last, script in _RANGES:
        if first <= code <= last:
            return script if _category(sign)[0] in "LM" or script == _Script.HALF else 0
    return 0
