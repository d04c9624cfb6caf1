"""The fingerprints of a training and a validation file go in; what both have comes out."""

from __future__ import annotations

from collections.abc import Iterator

from ftctl.data.quality.checks import FEWEST_ROWS, MANY_ANSWERS, in_force
from ftctl.data.quality.fingerprint_table import FingerprintColumns, FingerprintTable
from ftctl.data.quality.fingerprints import Flag
from ftctl.data.quality.similar import alike
from ftctl.domain.quality_settings import QualitySettings
from ftctl.errors import Finding
from ftctl.text.format import percent_alike, percent_of

_TEMPLATE_SHARE = 0.5
_CURE = "take it out of one of the files: what was learnt by heart measures nothing"


def leaks(
    training: FingerprintTable, validation: FingerprintTable, settings: QualitySettings
) -> list[Finding]:
    """Each validation row that training has seen, with the strongest reason; lines are its own."""
    if settings.leakage == "ignore" or not len(training) or not len(validation):
        return []
    seen, held_out = training.columns(), validation.columns()
    same = _same_rows(seen, held_out)
    prompts = _same_prompts(seen, held_out)
    found: dict[int, Finding] = {}
    for place, line in enumerate(held_out.lines):
        if (first := same.get(held_out.rows[place])) is not None:
            message = f"the row is also line {first:,} of the training file"
            found[place] = Finding("leaked-row", message, _CURE, line)
        elif (first := prompts.get(held_out.prompts[place])) is not None:
            message = f"the prompt is also that of line {first:,} of the training file"
            found[place] = Finding("leaked-row", message, _CURE, line)
    near = _near(seen, held_out, set(found), settings)
    every = [*found.values(), *near]
    if len(every) <= settings.leakage_share * len(validation):
        return []
    return in_force(every, settings)


def leaked_rows(training: FingerprintTable, validation: FingerprintTable) -> int:
    """How many validation rows, or their prompts, stand in the training file."""
    seen, held_out = training.columns(), validation.columns()
    same, prompts = _same_rows(seen, held_out), _same_prompts(seen, held_out)
    pairs = zip(held_out.rows, held_out.prompts, strict=True)
    return sum(row in same or prompt in prompts for row, prompt in pairs)


def _same_rows(seen: FingerprintColumns, held_out: FingerprintColumns) -> dict[int, int]:
    """Of each row that both files have, the first line in training."""
    looked_for = set(held_out.rows)
    found: dict[int, int] = {}
    for key, line in zip(seen.rows, seen.lines, strict=True):
        if key in looked_for:
            found.setdefault(key, line)
    return found


def _same_prompts(seen: FingerprintColumns, held_out: FingerprintColumns) -> dict[int, int]:
    """Of each prompt that both files have, the first line in training.

    An instruction that is answered in many ways stands in both on purpose.
    """
    looked_for = set(held_out.prompts)
    answers: dict[int, set[int]] = {}
    found: dict[int, int] = {}
    for place, key in enumerate(seen.prompts):
        if key in looked_for and not seen.flags[place] & Flag.NO_PROMPT:
            found.setdefault(key, seen.lines[place])
            different = answers.setdefault(key, set())
            if len(different) <= MANY_ANSWERS:
                different.add(seen.answers[place])
    return {key: line for key, line in found.items() if len(answers[key]) <= MANY_ANSWERS}


def _near(
    seen: FingerprintColumns,
    held_out: FingerprintColumns,
    reported: set[int],
    settings: QualitySettings,
) -> Iterator[Finding]:
    if settings.near_duplicates == "ignore" or not (seen.signatures and held_out.signatures):
        return
    first, rows = len(seen.lines), len(held_out.lines)
    signatures = [seen.signature(place) for place in range(first)]
    signatures += [held_out.signature(place) for place in range(rows)]
    sides = [0] * first + [1] * rows
    pairs = [pair for pair in alike(signatures, settings.similarity, sides)
             if pair.later - first not in reported]  # fmt: skip
    prompts = held_out.prompts
    pairs = [pair for pair in pairs if prompts[pair.later - first] != seen.prompts[pair.earlier]]
    if rows >= FEWEST_ROWS and len(pairs) > _TEMPLATE_SHARE * rows:
        yield Finding(
            "nearly-leaked-row",
            f"{percent_of(len(pairs), rows)} of the prompts differ from one of the training file's"
            " in a few words only",
            "if a template makes them alike, move it to the system message",
        )
        return
    for pair in pairs:
        yield Finding(
            "nearly-leaked-row",
            f"{percent_alike(pair.similarity)} of the prompt's phrases are"
            f" those of line {seen.lines[pair.earlier]:,} of the training file",
            "take it out of one of the files if it asks the same; see 'similarity'",
            held_out.lines[pair.later - first],
        )
