"""Two specs in, the fields that differ out, in words for people; nothing decides by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftctl.domain.digest import canonical_json
from ftctl.domain.plan import FieldChange


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
            field=_dotted(path),
            before=_value(before, path),
            after=_value(after, path),
            cosmetic=path[0] in cosmetic,
        )
        for path in paths
    ]
    return tuple(sorted(changes, key=lambda change: (change.cosmetic, change.field)))


def _dotted(path: tuple[Any, ...]) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def _value(spec: Mapping[str, Any], path: tuple[Any, ...]) -> str | None:
    value: Any = spec
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value if isinstance(value, str) else canonical_json(value)
