"""A file's fingerprints go in; what is doubtful about the rows together, and in each, comes out."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from ftctl.data.quality.fingerprint_table import FingerprintColumns, FingerprintTable
from ftctl.data.quality.fingerprints import KEYS, Detail, Flag
from ftctl.data.quality.key_groups import equal_rows, middle, most_common
from ftctl.data.quality.languages import KIN, LANGUAGES
from ftctl.data.quality.quality_codes import CHECKS
from ftctl.data.quality.similar import Alike, alike
from ftctl.domain.quality_settings import QualitySettings
from ftctl.errors import Finding
from ftctl.text.format import percent_alike, percent_of

MANY_ANSWERS = 20
"""With more different answers than this, a prompt is an instruction to write, not a question."""

FEWEST_ROWS = 20  # with fewer, shares and medians say little
_FEWEST_REFUSALS = 3
_TEMPLATE_ROWS = 20  # so many rows that are alike are made from a template
_TEMPLATE_SHARE = 0.05
_DOMINANT = 0.8  # of the rows whose language is told
_DEVIATIONS = 6 * 1.4826  # median absolute deviations; 1.4826 of them are one standard deviation
_SHOWN_LINES = 5
_TOLD_ONE_BY_ONE = 3  # rows that were spoilt in one way


def check_table(table: FingerprintTable, settings: QualitySettings) -> list[Finding]:
    """The findings of every check that is not ignored, by line; the whole file's first."""
    if not len(table):
        return []
    columns = table.columns()
    found = [
        *_duplicates(columns, settings),
        *_same_prompts(table, columns, settings),
        *_near_duplicates(columns, settings),
        *_refusals(columns, settings),
        *_one_answer(table, columns, settings),
        *_lengths(columns, settings),
        *_languages(columns, settings),
        *_empty_rows(columns, settings),
        *_mojibake(table, columns, settings),
        *_held(table, columns, settings, "secrets"),
        *_held(table, columns, settings, "personal_data"),
    ]
    return in_force(found, settings)


def in_force(found: list[Finding], settings: QualitySettings) -> list[Finding]:
    """Those whose check is not ignored, in order, each as severe as its check says."""
    kept = []
    for finding in found:
        level = getattr(settings, CHECKS[finding.code])
        if level != "ignore":
            kept.append(finding._replace(severity=level))
    return sorted(kept, key=lambda one: (one.line or 0, one.code, one.message))


def _duplicates(columns: FingerprintColumns, settings: QualitySettings) -> Iterator[Finding]:
    if settings.duplicates == "ignore":
        return
    groups = list(equal_rows(columns.rows))
    if _share(_repeated(groups), columns) <= settings.duplicate_share:
        return
    for first, *others in groups:
        for place in others:
            yield Finding(
                "duplicate-row",
                f"the row is that of line {columns.lines[first]:,} once more",
                "take it out: it is paid for and learnt once more in every epoch",
                columns.lines[place],
            )


def repeated_rows(table: FingerprintTable) -> int:
    """How many rows stand in the file once more than the first time."""
    return _repeated(list(equal_rows(table.columns().rows)))


def _repeated(groups: Iterable[Sequence[int]]) -> int:
    return sum(len(group) - 1 for group in groups)


def _same_prompts(
    table: FingerprintTable, columns: FingerprintColumns, settings: QualitySettings
) -> Iterator[Finding]:
    """Rows whose prompts differ in nothing that matters: told twice, or told differently."""
    if settings.near_duplicates == settings.contradictions == "ignore":
        return
    for group in equal_rows(columns.prompts):
        if columns.flags[group[0]] & (Flag.NO_PROMPT | Flag.NO_ANSWER) and (
            table.form != "reinforcement"
        ):
            continue
        yield from _told_twice(columns, group)
        if table.form == "preference":
            yield from _turned_round(columns, group)
        elif table.form != "reinforcement":
            yield from _told_differently(columns, group, settings)


def _told_twice(columns: FingerprintColumns, group: list[int]) -> Iterator[Finding]:
    first_of: dict[int, int] = {}
    for place in group:
        first = first_of.setdefault(columns.answers[place], place)
        if columns.rows[first] != columns.rows[place] and not columns.flags[place] & Flag.NO_ANSWER:
            yield Finding(
                "near-duplicate-row",
                f"the row differs from that of line {columns.lines[first]:,} only in case,"
                " spaces or punctuation",
                "keep one of them",
                columns.lines[place],
            )


def _told_differently(
    columns: FingerprintColumns, group: list[int], settings: QualitySettings
) -> Iterator[Finding]:
    answers = Counter(columns.answers[place] for place in group)
    if not settings.answers_per_prompt < len(answers) <= MANY_ANSWERS:
        return
    reported = {columns.answers[group[0]]}
    for place in group[1:]:
        if columns.answers[place] not in reported:
            reported.add(columns.answers[place])
            yield Finding(
                "contradictory-rows",
                f"the prompt is that of line {columns.lines[group[0]]:,},"
                " but the answer is another",
                "keep the answer that is right; where several are, raise 'answers_per_prompt'",
                columns.lines[place],
            )


def _turned_round(columns: FingerprintColumns, group: list[int]) -> Iterator[Finding]:
    """Of two pairs of outputs, one prefers what the other does not: their keys sum to nothing."""
    first_of: dict[int, int] = {}
    for place in group:
        opposite = first_of.get(-columns.answers[place] % KEYS)
        if opposite is not None and columns.answers[place]:
            yield Finding(
                "contradictory-rows",
                f"line {columns.lines[opposite]:,} has the same prompt and outputs, but prefers the"
                " other",
                "keep the one that is right",
                columns.lines[place],
            )
        first_of.setdefault(columns.answers[place], place)


def _near_duplicates(columns: FingerprintColumns, settings: QualitySettings) -> Iterator[Finding]:
    if settings.near_duplicates == "ignore" or not columns.signatures:
        return
    signatures = [columns.signature(place) for place in range(len(columns.lines))]
    pairs = [
        pair
        for pair in alike(signatures, settings.similarity)
        if columns.prompts[pair.later] != columns.prompts[pair.earlier]
    ]
    for cluster in clusters(pairs):
        if len(cluster) > max(_TEMPLATE_ROWS, _TEMPLATE_SHARE * len(columns.lines)):
            yield _template(columns, cluster)
            continue
        for pair in cluster:
            yield Finding(
                "near-duplicate-row",
                f"{percent_alike(pair.similarity)} of the prompt's phrases are"
                f" those of line {columns.lines[pair.earlier]:,}",
                "if it adds nothing, take it out; what is too alike is told by 'similarity'",
                columns.lines[pair.later],
            )


def _template(columns: FingerprintColumns, cluster: list[Alike]) -> Finding:
    first = min(pair.earlier for pair in cluster)
    lines = sorted(columns.lines[pair.later] for pair in cluster)
    return Finding(
        "near-duplicate-row",
        f"{len(cluster):,} rows differ from that of line {columns.lines[first]:,} in a few words"
        f" only, such as {_listed(lines)}",
        "if a template makes them alike, move it to the system message; else keep fewer of them",
    )


def clusters(pairs: list[Alike]) -> list[list[Alike]]:
    """The pairs that hang together, each cluster by its later rows."""
    root: dict[int, int] = {}

    def find(place: int) -> int:
        while root.setdefault(place, place) != place:
            root[place] = root[root[place]]
            place = root[place]
        return place

    for pair in pairs:
        one, other = find(pair.later), find(pair.earlier)
        root[max(one, other)] = min(one, other)
    found: dict[int, list[Alike]] = {}
    for pair in pairs:
        found.setdefault(find(pair.later), []).append(pair)
    return list(found.values())


def _refusals(columns: FingerprintColumns, settings: QualitySettings) -> Iterator[Finding]:
    refusing = [place for place, flags in enumerate(columns.flags) if flags & Flag.REFUSAL]
    if len(refusing) < _FEWEST_REFUSALS or _share(len(refusing), columns) <= settings.refusal_share:
        return
    lines = [columns.lines[place] for place in refusing]
    yield Finding(
        "many-refusals",
        f"{percent_of(len(lines), len(columns.lines))} of the answers refuse ({len(lines):,} of"
        f" {len(columns.lines):,}), such as {_listed(lines)}",
        "the model learns to refuse: keep those that it should; raise 'refusal_share' if all are",
    )


def _one_answer(
    table: FingerprintTable, columns: FingerprintColumns, settings: QualitySettings
) -> Iterator[Finding]:
    rows = len(columns.lines)
    if settings.one_answer == "ignore" or rows < FEWEST_ROWS or table.form == "preference":
        return
    common = most_common(columns.answers)
    limit = (
        settings.one_label_share if _labels(common.different, rows) else settings.one_answer_share
    )
    if common.rows <= limit * rows:
        return
    first = columns.answers.index(common.key)
    if columns.flags[first] & (Flag.NO_ANSWER | Flag.EMPTY):
        return  # there is none, or it is told of in each row
    yield Finding(
        "one-answer",
        f"{percent_of(common.rows, rows)} of the rows have the same answer ({common.rows:,} of"
        f" {rows:,}), first in line {columns.lines[first]:,}",
        "the model may learn to say nothing else: balance the answers",
    )


def _labels(different: int, rows: int) -> bool:
    """Whether so many different answers are labels that rows are sorted by."""
    return rows >= FEWEST_ROWS and different <= rows / 10


def _lengths(columns: FingerprintColumns, settings: QualitySettings) -> Iterator[Finding]:
    if settings.lengths == "ignore" or len(columns.lines) < FEWEST_ROWS:
        return
    usual = max(middle(columns.lengths), 1)
    distances = array("d", (abs(math.log(max(length, 1) / usual)) for length in columns.lengths))
    bound = max(math.log(settings.length_factor), _DEVIATIONS * middle(distances))
    for place, distance in enumerate(distances):
        length = columns.lengths[place]
        if distance > bound and length:
            more = length > usual
            times = f"{length / usual if more else usual / length:,.0f} times"
            cure = "split or shorten it" if more else "make sure that nothing was lost"
            yield Finding(
                "unusual-length",
                f"the row has {length:,} characters, the median is {usual:,.0f}:"
                f" {times} as {'long' if more else 'short'}",
                f"{cure}, or take it out",
                columns.lines[place],
            )


def _languages(columns: FingerprintColumns, settings: QualitySettings) -> Iterator[Finding]:
    if settings.languages == "ignore":
        return
    reported: set[int] = set()
    for noun, column, certainly in (
        ("answer", columns.said_in, Flag.SAID_CERTAINLY),
        ("question", columns.asked_in, Flag.ASKED_CERTAINLY),
    ):
        certain = [flags & certainly for flags in columns.flags]
        for place, text in _strayed(noun, column, certain, columns, settings.language_share):
            if place not in reported:
                reported.add(place)
                hint = "if the model is not meant to use it, take the row out or translate it"
                yield Finding("mixed-languages", text, hint, columns.lines[place])


def _strayed(
    noun: str,
    column: Sequence[int],
    certain: Sequence[int],
    columns: FingerprintColumns,
    share: float,
) -> Iterator[tuple[int, str]]:
    """The rows certainly in a language that few are in, where nearly all are in one.

    How many are in each is told by the rows that were looked at closely: in the others some
    languages are not seen.
    """
    looked_at = zip(column, columns.flags, strict=True)
    counts = Counter(number for number, flags in looked_at if number and flags & Flag.CLOSELY)
    known = counts.total()
    if known < FEWEST_ROWS:
        return
    main = max(counts.items(), key=lambda one: (one[1], -one[0]))[0]
    most = _in_kin(counts, main)
    if most < _DOMINANT * known:
        return
    names, codes = list(LANGUAGES.values()), list(LANGUAGES)
    alike = KIN[codes[main - 1]]
    for place, number in enumerate(column):
        if not certain[place] or codes[number - 1] in alike:
            continue
        if _in_kin(counts, number) < share * known:
            here, nearly_all = names[number - 1], names[main - 1]
            share_of_all = percent_of(most, known)
            yield (
                place,
                f"the {noun} is in {here}; {share_of_all} of the {noun}s are in {nearly_all}",
            )


def _in_kin(counts: Mapping[int, int], number: int) -> int:
    """How many are in the language or one so near to it that a text may be in both."""
    codes = list(LANGUAGES)
    alike = KIN[codes[number - 1]]
    return sum(count for one, count in counts.items() if codes[one - 1] in alike)


def _empty_rows(columns: FingerprintColumns, settings: QualitySettings) -> Iterator[Finding]:
    if settings.empty_rows == "ignore":
        return
    rows, flags = len(columns.lines), columns.flags
    reasons = {
        Flag.EMPTY: ("the answer is empty", "write the answer, or take the row out"),
        Flag.UNWRITTEN: ("the answer is a placeholder", "write the answer, or take the row out"),
        Flag.MISSING: ("the answer is a word for a missing value", "write it, or take the row out"),
        Flag.ECHO: ("the answer is the question once more", "write the answer that is meant"),
    }
    if sum(1 for one in flags if one & Flag.MISSING) > 1 and _labels(
        most_common(columns.answers).different, rows
    ):
        del reasons[Flag.MISSING]  # 'none' is one of the labels
    found = [
        (place, *reason)
        for place, one in enumerate(flags)
        for flag, reason in reasons.items()
        if one & flag
    ]
    if len(found) > settings.empty_share * rows:
        for place, message, hint in found:
            yield Finding("teaches-nothing", message, hint, columns.lines[place])


def _mojibake(
    table: FingerprintTable, columns: FingerprintColumns, settings: QualitySettings
) -> Iterator[Finding]:
    """A whole file is mostly spoilt by one step: then it is told of once."""
    if settings.mojibake == "ignore":
        return
    for flag, standing in ((Flag.MOJIBAKE, False), (Flag.STANDING_MOJIBAKE, True)):
        lines = [columns.lines[place] for place, one in enumerate(columns.flags) if one & flag]
        causes: dict[str, list[Detail]] = {}
        for detail in table.details(flag):
            causes.setdefault(detail.message.partition(" ")[2], []).append(detail)
        for cause, details in causes.items():
            # Of a large file only the first rows' details are kept.
            these = lines if len(causes) == 1 else sorted({detail.line for detail in details})
            if len(these) > _TOLD_ONE_BY_ONE and (standing or len(these) > len(details) / 2):
                message = f"{len(these):,} rows hold text that {cause}, such as {_listed(these)}"
                yield Finding("mojibake", message, _unspoilt(cause), these[0])
            else:
                for detail in details:
                    yield Finding("mojibake", detail.message, _unspoilt(cause), detail.line)


def _unspoilt(cause: str) -> str:
    was = cause.removeprefix("reads like ").partition(" ")[0]
    again = "make the file once more of the one that it came from"
    if not cause.startswith("reads like "):
        return f"{again}: what was lost is not in this one"
    if was == "UTF-8":
        return f"{again}, which is UTF-8: nothing need convert it"
    return f"{again}, with --encoding {was} or 'encoding: {was}'"


_Held = Literal["secrets", "personal_data"]
_HELD: dict[_Held, tuple[int, str]] = {
    "secrets": (Flag.SECRET, "the row holds a key or token"),
    "personal_data": (Flag.PERSONAL, "the row holds personal data"),
}


def _held(
    table: FingerprintTable, columns: FingerprintColumns, settings: QualitySettings, kind: _Held
) -> Iterator[Finding]:
    if getattr(settings, kind) == "ignore":
        return
    flag, short = _HELD[kind]
    make = _secret if kind == "secrets" else _personal
    details = table.details(flag)
    for detail in details:
        yield make(detail.message, detail.line)
    detailed = {detail.line for detail in details}
    for place, flags in enumerate(columns.flags):
        if flags & flag and columns.lines[place] not in detailed:
            yield make(short, columns.lines[place])
    # What stands in every row is told of once.
    standing = flag << 2
    rows = sum(1 for flags in columns.flags if flags & standing)
    reported: set[str] = set()
    for detail in table.details(standing):
        if detail.message not in reported:
            reported.add(detail.message)
            more = f", as {rows - 1:,} other rows may" if rows > 1 else ""
            yield make(detail.message + more, detail.line)


def _secret(message: str, line: int) -> Finding:
    hint = "revoke it, since it is in a file that gets around; then take it out of the row"
    return Finding("secret", message, hint, line)


def _personal(message: str, line: int) -> Finding:
    hint = "replace it by a made-up one such as name@example.com, or list it under 'allow'"
    return Finding("personal-data", message, hint, line)


def _share(part: int, columns: FingerprintColumns) -> float:
    return part / len(columns.lines)


def _listed(lines: list[int]) -> str:
    shown = ", ".join(f"{line:,}" for line in lines[:_SHOWN_LINES])
    return f"line{'s' if len(lines) > 1 else ''} {shown}"
