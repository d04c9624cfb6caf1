"""Bytes that are not UTF-8 go in; the encodings that they may be in, the best first, come out."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ftctl.data.encodings.plausibility import plausibility

# Of several in which the bytes read the same, the first is told. The share is how often people
# have such files still: what DOS and old Macs wrote is rarer than what Windows writes.
ENCODINGS: dict[str, tuple[str, float]] = {
    "cp949": ("Korean", 1.0), "cp932": ("Japanese", 1.0), "euc_jp": ("Japanese", 0.95),
    "gb18030": ("Chinese", 1.0), "cp950": ("Chinese", 1.0), "big5hkscs": ("Chinese", 0.95),
    "cp1252": ("Western European", 1.0), "cp1250": ("Central European", 0.97),
    "cp1251": ("Cyrillic", 1.0), "cp1253": ("Greek", 1.0), "cp1254": ("Turkish", 0.97),
    "cp1255": ("Hebrew", 1.0), "cp1256": ("Arabic", 1.0), "cp1257": ("Baltic", 0.95),
    "cp1258": ("Vietnamese", 0.93), "cp874": ("Thai", 1.0),
    "iso8859_2": ("Central European", 0.95), "koi8_r": ("Cyrillic", 0.97),
    "koi8_u": ("Cyrillic", 0.96), "iso8859_15": ("Western European", 0.95),
    "mac_roman": ("Western European", 0.95), "cp850": ("Western European", 0.93),
    "cp852": ("Central European", 0.9), "cp437": ("Western European", 0.88),
    "cp866": ("Cyrillic", 0.93), "iso8859_5": ("Cyrillic", 0.92), "mac_cyrillic": ("Cyrillic", 0.9),
    "iso8859_6": ("Arabic", 0.93), "iso8859_7": ("Greek", 0.95), "iso8859_8": ("Hebrew", 0.93),
    "iso8859_9": ("Turkish", 0.93), "iso8859_13": ("Baltic", 0.9), "johab": ("Korean", 0.9),
    "mac_latin2": ("Central European", 0.85), "cp857": ("Turkish", 0.85), "cp737": ("Greek", 0.85),
    "cp862": ("Hebrew", 0.8), "cp864": ("Arabic", 0.7), "cp775": ("Baltic", 0.8),
    "iso8859_16": ("Romanian", 0.85), "iso8859_4": ("Baltic", 0.8), "iso8859_10": ("Nordic", 0.7),
    "iso8859_3": ("Maltese", 0.7), "mac_greek": ("Greek", 0.8), "mac_turkish": ("Turkish", 0.8),
    "kz1048": ("Kazakh", 0.85),
}  # fmt: skip

_HIGH_WORD = rb"[\x80-\xff][\x30-\x7e\x80-\xff]*"
_RUN = re.compile(rb"(?<![A-Za-z])[A-Za-z]*%b(?: [\x30-\x7e]*%b)*" % (_HIGH_WORD, _HIGH_WORD))
_MORE = 0.06  # who makes more sense is told, whatever the detector believes
_SURE = 0.12  # by so much the best must be better than what reads otherwise
_RARE = 0.85  # hardly anybody has such files: not worth a doubt of what many have
_FEWEST = 0.5  # what is less plausible is no text in this encoding


@dataclass(frozen=True, slots=True)
class Reading:
    """What some bytes say in one encoding."""

    encoding: str
    script: str
    plausible: float
    words_believed: float  # by the detector, from the words that are not ASCII alone
    lines_believed: float  # from whole lines, where English and syntax may outweigh them

    @property
    def score(self) -> float:
        return self.plausible + 0.25 * self.words_believed + 0.15 * self.lines_believed

    def is_beaten_by(self, best: Reading) -> bool:
        """Whether it need not be told beside the best: judge and detector must say so."""
        if self.score > best.score - _SURE or self.plausible > best.plausible + _MORE:
            return False
        return self.plausible < best.plausible - _SURE / 2 or (
            best.words_believed - self.words_believed > 0.5
            and best.lines_believed - self.lines_believed > 0.2
        )


def readings(lines: bytes) -> tuple[Reading, ...]:
    """Those that may be meant: one alone where it is certain, none where all are nonsense."""
    focus = b"\n".join(match[0] for match in _RUN.finditer(lines))
    in_words, in_lines = _believed(focus), _believed(lines)
    known: dict[str, Reading] = {}
    for encoding, (script, usual) in ENCODINGS.items():
        try:
            text = focus.decode(encoding)
            lines.decode(encoding)
        except UnicodeDecodeError:
            continue
        if text not in known:
            known[text] = Reading(
                encoding,
                script,
                plausibility(text) * (1 + usual) / 2,
                in_words.get(encoding, 0.0),
                in_lines.get(encoding, 0.0),
            )
    ranked = sorted(known.values(), key=lambda one: -one.score)
    ranked = [one for one in ranked if one.plausible >= _FEWEST]
    if ranked and ENCODINGS[ranked[0].encoding][1] > _RARE:
        ranked = [one for one in ranked if ENCODINGS[one.encoding][1] > _RARE]
    return tuple(one for one in ranked if one is ranked[0] or not one.is_beaten_by(ranked[0]))[:3]


def _believed(focus: bytes) -> dict[str, float]:
    """How far the detector believes in each, beside the one that it believes in most."""
    import chardet  # noqa: PLC0415 - only for files that are not UTF-8

    found = chardet.detect_all(focus, ignore_threshold=True, compat_names=False)
    most = max((one["confidence"] for one in found), default=0.0) or 1.0
    believed: dict[str, float] = {}
    for one in found:
        name = _OURS.get(one["encoding"] or "", (one["encoding"] or "").replace("-", "_"))
        believed[name] = max(believed.get(name, 0.0), one["confidence"] / most)
    return believed


# What the detector calls by the name of a part of it.
_OURS = {
    "gbk": "gb18030", "gb2312": "gb18030", "shift_jis": "cp932", "shift_jis_2004": "cp932",
    "euc_kr": "cp949", "big5": "cp950", "iso8859-1": "cp1252", "euc_jis_2004": "euc_jp",
    "tis-620": "cp874", "cp858": "cp850",
}  # fmt: skip
