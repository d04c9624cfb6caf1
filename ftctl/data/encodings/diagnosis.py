"""A file that is not UTF-8, or not what it is said to be, goes in; what it is, with a cure, out."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from typing import BinaryIO

from ftctl.data.encodings.bad_lines import HighLines, Sampled, high_lines
from ftctl.data.encodings.names import UTF_8, keeps_ascii
from ftctl.data.encodings.plausibility import plausibility
from ftctl.data.encodings.readings import Reading, readings
from ftctl.data.encodings.transcoded import EncodingFault, Transcoded
from ftctl.errors import FILE, ROWS, Finding
from ftctl.text.escape.single_line import short
from ftctl.text.format import plural

_SHOWN = 40  # characters of a decoded line
_BEFORE = 20
_NONSENSE = 0.3  # a text that is less plausible was read wrongly
_SENSE = 0.8
_PLAIN = 0.9  # so plausible is what is read rightly
_HALF = 0.65  # so plausible is no text that was read rightly, nor wholly nonsense
_ENOUGH = 24  # bytes beyond ASCII
_DIFFERENT = 10  # characters beyond ASCII: fewer show little, however often they stand there
_LINES_BY_CHANCE = 0.2  # of all: so many, if short, may be UTF-8 by chance
_SHORT = 3  # characters of such a line
_CJK = ("cp949", "euc", "johab", "cp932", "shift_jis", "gb", "hz", "big5", "cp950")
_CONVERT = f"ftctl dataset convert {FILE} {ROWS} --encoding"
_MOST_OTHERS = 0.1
_FEW = 4  # different characters that may be UTF-8 by chance
_LATIN_WORD = re.compile("[A-Za-z]+[^\x00-\x7f]+[A-Za-z]+")
_WORDS = 6  # different ones that hold a sign that is none of theirs
_CONTROLS = re.compile("[\x80-\x9f]")  # no text has them
_FRAME = re.compile("([─═█░])\\1\\1")  # as no letter stands three times in a row
_IN_WORD = re.compile("[A-Za-z][^\x00-\x7f]|[^\x00-\x7f][A-Za-z]")


def not_utf8(stream: BinaryIO, *, samples: bool, mixed: bool = True) -> Finding | None:
    """What the file is instead; None where all its lines are UTF-8.

    `samples` shows a piece of a line: on a terminal, and not where it is kept or published.
    Without `mixed`, None also where some of its lines are UTF-8.
    """
    lines = high_lines(stream)
    if not lines.bad.number:
        return None
    found = readings(lines.bad.content)
    if _is_mixed(lines, found[0].encoding if found else None):
        if not mixed:
            return None
        return _mixed(lines, found, samples=samples)._replace(column=lines.column)
    return _whole(lines, found, samples=samples)._replace(column=lines.column)


def _whole(lines: HighLines, found: Sequence[Reading], *, samples: bool) -> Finding:
    """All that is not ASCII is in one other encoding."""
    line = lines.bad.first[0]
    count = plural(lines.bad.number, "line")
    if not found:
        message = f"the file is not UTF-8: {count} read like text in no encoding known here"
        hint = f"save it as UTF-8 where it comes from, or name its encoding: {_CONVERT} NAME"
        return Finding("not-utf-8", message, hint, line)
    if len(found) == 1:
        encoding = found[0].encoding
        said = _such_as(lines.bad, found)[0] if samples else ""
        message = f"the file is not UTF-8: {count} read as {_named(found[0])}{said and f', {said}'}"
        rows = f"{_CONVERT} {encoding}"
        hint = f"write 'encoding: {encoding}' into its Dataset, or rows in UTF-8: {rows}"
        return Finding("not-utf-8", message, hint, line)
    message = f"the file is not UTF-8: {count} may be {_either(lines.bad, found, samples=samples)}"
    hint = f"name the one that reads right in its Dataset ('encoding: …'), or here: {_CONVERT} NAME"
    return Finding("not-utf-8", message, hint, line)


def _mixed(lines: HighLines, found: Sequence[Reading], *, samples: bool) -> Finding:
    """Some lines are UTF-8 and others are not: no one encoding is that of the file."""
    line = lines.bad.first[0]
    one = lines.bad.number == 1
    these = f"line {line:,} is" if one else f"lines {_numbers(lines.bad)} are"
    others = f"{lines.good.number:,} others are" if lines.good.number > 1 else "1 other is"
    message = f"{these} not UTF-8, as {others}"
    if _is_cut(lines.bad):
        message += ": a character is cut in two there"
        hint = "write the row again from its source, and cut texts by characters, not by bytes"
        return Finding("not-utf-8", message, hint, line)
    if not found:
        return Finding("not-utf-8", message, "write them again from their source as UTF-8", line)
    message += f": may be {_either(lines.bad, found, samples=samples)}"
    if len(found) == 1:
        said = _such_as(lines.bad, found)[0] if samples else ""
        message = message.partition(": may be")[0]
        message += f": read as {_named(found[0])}{said and f', {said}'}"
    hint = (
        "files in two encodings were joined: make each UTF-8 before you join them,"
        " with ftctl dataset convert and its --encoding"
    )
    return Finding("not-utf-8", message, hint, line)


def _numbers(bad: Sampled) -> str:
    if bad.last - bad.first[0] + 1 == bad.number > 2:
        return f"{bad.first[0]:,} to {bad.last:,}"
    shown = [f"{number:,}" for number in bad.first]
    more = bad.number - len(shown)
    if more:
        return f"{', '.join(shown)} and {more:,} more"
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def _is_mixed(lines: HighLines, encoding: str | None) -> bool:
    """Whether the lines that are valid UTF-8 are meant as that: a few bytes may be so by chance.

    `encoding` is what the other lines are in, as far as that is known.
    """
    if not lines.good.number:
        return False
    content = lines.good.content
    text = content.decode("utf-8", "ignore")
    if sum(1 for sign in text if sign > "\x7f") > 20 * lines.good.number or encoding is None:
        return True
    try:
        other = content.decode(encoding)
    except UnicodeDecodeError:
        return True
    if _are_by_chance(lines, text, encoding):
        return False
    return plausibility(text) > plausibility(other) - _MOST_OTHERS


def _are_by_chance(lines: HighLines, text: str, encoding: str) -> bool:
    """Few lines of a character or two each, none of them within a Latin word.

    Two bytes of a character of CJK may be one of UTF-8, never three of them.
    """
    high = [sign for sign in text if sign > "\x7f"]
    few = lines.good.number <= max(1, _LINES_BY_CHANCE * lines.bad.number)
    short_ones = len(high) <= _SHORT * lines.good.number and max(high) < "\u0800"
    return encoding.startswith(_CJK) and few and short_ones and not _IN_WORD.search(text)


def _is_cut(bad: Sampled) -> bool:
    """Whether the lines are UTF-8 but for a character that was cut."""
    for _, line in bad:
        text = line.decode("utf-8", "replace")
        broken = text.count("\ufffd")
        whole = sum(1 for sign in text if sign > "\x7f") - broken
        if broken > 3 or whole < 3 * broken:
            return False
    return True


def doubts_of(stream: BinaryIO, encoding: str, said: str, *, samples: bool) -> Finding | None:
    """Why the file is hardly in the encoding that `said` names, or None.

    Where all of it decodes, it is an error on strong evidence alone, else a warning: who named
    it may know better.
    """
    if not keeps_ascii(encoding):
        return _undecodable(stream, encoding)
    marked = stream.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8
    stream.seek(0)
    lines = high_lines(stream)
    if not lines.bad.number:
        if encoding in UTF_8:
            return None
        return _utf8(encoding, said, 1) if marked else _is_utf8_already(lines, encoding, said)
    stream.seek(0)
    fault = _undecodable(stream, encoding)
    found = readings(lines.bad.content)
    if fault is None:
        if _is_mixed(lines, encoding):
            return _partly_utf8(lines, encoding)
        fault = _nonsense(lines, encoding, found, said, samples=samples)
        return fault and fault._replace(line=lines.bad.first[0])
    if _is_mixed(lines, found[0].encoding if found else None):
        return _mixed(lines, found, samples=samples)._replace(code="wrong-encoding")
    return _with_readings(fault, lines, found, said, encoding, samples=samples)


def is_utf8(stream: BinaryIO) -> bool:
    """Whether the whole file may be UTF-8, and not what is written in bytes of ASCII besides."""
    head = stream.read(4096)
    stream.seek(0)
    return not (b"\0" in head or b"\x1b" in head or high_lines(stream).bad.number)


def _is_utf8_already(lines: HighLines, encoding: str, said: str) -> Finding | None:
    """A text of several characters is not UTF-8 by chance."""
    if not lines.good.number:
        return None
    content = lines.good.content
    text = content.decode("utf-8", "ignore")
    try:
        other = plausibility(content.decode(encoding))
        if sum(1 for sign in text if sign > "\x7f") < _FEW:
            return None
    except UnicodeDecodeError:
        other = -1.0
    if plausibility(text) + _MOST_OTHERS < other:
        return None
    found = _utf8(encoding, said, lines.good.first[0])
    few = len({sign for sign in text if sign > "\x7f"}) < _FEW
    may_be_chance = few and other >= 0 and encoding.startswith(_CJK)
    return found._replace(severity="warning") if may_be_chance else found


def _utf8(encoding: str, said: str, line: int) -> Finding:
    message = f"the file is UTF-8, though {said} says {encoding}"
    return Finding("wrong-encoding", message, f"leave {said} out", line)


def _undecodable(stream: BinaryIO, encoding: str) -> Finding | None:
    reader = Transcoded(stream, encoding)
    buffer = bytearray(1024 * 1024)
    try:
        while reader.readinto(buffer):
            pass
    except EncodingFault as fault:
        return fault.finding
    return None


def _partly_utf8(lines: HighLines, encoding: str) -> Finding:
    """All is in the encoding that was named, but some lines read rather as UTF-8."""
    one = lines.good.number == 1
    these = f"line {lines.good.first[0]:,} reads" if one else f"lines {_numbers(lines.good)} read"
    message = f"{these} rather like UTF-8 than like {encoding}"
    hint = "if files in two encodings were joined, make each UTF-8 before you join them"
    line = lines.good.first[0]
    return Finding("wrong-encoding", message, hint, line, severity="warning")


def _nonsense(
    lines: HighLines, encoding: str, found: Sequence[Reading], said: str, *, samples: bool
) -> Finding | None:
    """Another encoding makes sense of what this one makes none of, or hardly any."""
    raw = lines.bad.content
    text = raw.decode(encoding, "replace")
    if not found or found[0].plausible < _SENSE:
        return None
    if any(one.encoding == encoding or raw.decode(one.encoding) == text for one in found):
        return None
    plausible = plausibility(text)
    if plausible > _HALF:
        return None
    sure = _is_sure(raw, found)
    if plausible > _NONSENSE and not sure:
        return None
    cjk = encoding.startswith(_CJK) or found[0].encoding.startswith(_CJK)
    few = _speaks_little(text)
    # In two bytes each, much else passes for characters that people write.
    strong = not few and (plausible <= _NONSENSE or cjk) and not _FRAME.search(text)
    if plausible > _NONSENSE and few and not cjk:
        return None
    pieces: list[str] = []
    if samples:
        wrong = Reading(encoding, "", 0.0, 0.0, 0.0)
        pieces = _pieces(lines.bad, (wrong, found[0]))
    if not strong:
        message = f"the text may rather be {_named(found[0])} than {encoding}"
        if pieces:
            message += f": '{pieces[1]}', and not '{pieces[0]}'"
        hint = f"look at what is made of it; if it is wrong: {_other(found, said)}"
        return Finding("wrong-encoding", message, hint, severity="warning")
    message = f"read as {encoding} the text is no words; it is as {_named(found[0])}"
    if pieces:
        message = f"read as {encoding} the text is no words: '{pieces[0]}'"
        message += f", and as {found[0].encoding} '{pieces[1]}'"
    return Finding("wrong-encoding", message, _other(found, said))


def _speaks_little(text: str) -> bool:
    """Whether a few characters, however often they stand there, are all that can be judged."""
    different = len({sign for sign in text if sign > "\x7f"})
    words = len(set(_LATIN_WORD.findall(text)))
    controls = len(_CONTROLS.findall(text))
    return different < _DIFFERENT and words < _WORDS and controls < _FEW


def _is_sure(raw: bytes, found: Sequence[Reading]) -> bool:
    """Whether one reading alone is certain."""
    high = sum(1 for byte in raw[:4096] if byte > 0x7F)
    sure = len(found) == 1 and found[0].plausible > _PLAIN and found[0].words_believed == 1
    return sure and high >= _ENOUGH


def _with_readings(
    fault: Finding,
    lines: HighLines,
    found: Sequence[Reading],
    said: str,
    encoding: str,
    *,
    samples: bool,
) -> Finding:
    if fault.hint is not None:  # it breaks off
        return fault
    others = [one for one in found if one.encoding != encoding]
    if not others:
        hint = "name another, or save the file as UTF-8 where it comes from"
        return fault._replace(hint=hint)
    said_so = _either(lines.bad, others, samples=samples)
    return fault._replace(
        message=f"{fault.message}; it may be {said_so}", hint=_other(others, said)
    )


def _other(found: Sequence[Reading], said: str) -> str:
    if len(found) > 1:
        return f"give {said} the name of the one that reads right"
    flag = said.startswith("--")
    return f"write {said} {found[0].encoding}" if flag else f"write 'encoding: {found[0].encoding}'"


def _named(reading: Reading) -> str:
    return f"{reading.encoding} ({reading.script})"


def _either(bad: Sampled, found: Sequence[Reading], *, samples: bool) -> str:
    pieces = _pieces(bad, found) if samples else [""] * len(found)
    each = [
        f"{_named(one)}: '{piece}'" if piece else _named(one)
        for one, piece in zip(found, pieces, strict=True)
    ]
    return f"{', '.join(each[:-1])} or {each[-1]}" if len(each) > 1 else each[0]


def _such_as(bad: Sampled, found: Sequence[Reading]) -> list[str]:
    return [f"such as '{piece}'" for piece in _pieces(bad, found)]


def _pieces(bad: Sampled, found: Sequence[Reading]) -> list[str]:
    """A piece of one line in each reading: of the first line that they read differently."""
    best: list[str] = []
    for _, line in bad:
        texts = [line.decode(one.encoding, "replace") for one in found]
        differ = len(set(texts))
        if not best or differ > len(set(best)):
            best = [_piece(text) for text in texts]
        if differ == len(found):
            break
    return best


def _piece(line: str) -> str:
    """The words around the first character that is not ASCII, within quotes."""
    line = line.strip().removeprefix("\ufeff")
    place = next((index for index, sign in enumerate(line) if sign > "\x7f"), 0)
    start = max(line.rfind('"', 0, place) + 1, place - _BEFORE, 0)
    if start == place - _BEFORE and " " in line[start:place]:
        start = line.index(" ", start) + 1
    end = line.find('"', place)
    return short(line[start : end if end > 0 else len(line)].strip(), _SHOWN).replace("'", "’")
