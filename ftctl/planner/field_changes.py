"""Two specs in, the fields that differ out, in words for people; nothing decides by them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ftctl.domain.plan import FieldChange
from ftctl.text.literal import literal, way_words

_HASH = re.compile("[0-9a-f]{12}…")  # what a job remembers of a long text


def field_changes(
    before: Mapping[str, Any], after: Mapping[str, Any], cosmetic: frozenset[str]
) -> tuple[FieldChange, ...]:
    """Every field that differs, by its path (`hyperparameters.n_epochs`)."""
    if before == after:
        return ()
    from deepdiff import DeepDiff  # noqa: PLC0415 - 150 ms that an equal pair need not pay

    differences = DeepDiff(
        before,
        after,
        view="tree",
        ignore_order=False,
        ignore_numeric_type_changes=True,
        ignore_private_variables=False,
        threshold_to_diff_deeper=0,  # else mappings with little in common are one difference
    )
    paths = {
        tuple(node.path(output_format="list")) for group in differences.values() for node in group
    }
    changes = [
        FieldChange(
            field=way_words(path),
            before=_value(before, path),
            after=_value(after, path),
            cosmetic=path[0] in cosmetic,
        )
        for path in paths
    ]
    return tuple(sorted(changes, key=lambda change: (change.cosmetic, change.field)))


def _value(spec: Mapping[str, Any], path: tuple[Any, ...]) -> str | None:
    value: Any = spec
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    is_hash = isinstance(value, str) and _HASH.fullmatch(value) is not None
    return str(value) if is_hash else literal(value)
