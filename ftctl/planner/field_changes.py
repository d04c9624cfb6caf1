"""Two specs in, the fields that differ out, in words for people; nothing decides by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftctl.domain.digest import canonical_json
from ftctl.domain.plan import FieldChange

# A job remembers its spec in one metadata value of at most this many characters.
SPEC_LENGTH = 512
# Stands in a spec that was too long to be remembered with its cosmetic fields.
PARTIAL = "…"
_LONG = 40  # characters of a value that a short spec repeats; longer text is named by its hash


def short_spec(spec: Mapping[str, Any], metadata_key: str = "metadata") -> dict[str, Any]:
    """A spec cut down for remembering: hashes and long texts shortened, the user's pairs left out.

    The pairs stand on the job already.
    """
    return {key: _short(value) for key, value in spec.items() if key != metadata_key}


def packed_spec(spec: Mapping[str, Any], droppable: frozenset[str]) -> str | None:
    """The short spec as text; without its cosmetic fields, or None, where it would be too long."""
    short = short_spec(spec)
    material = {key: value for key, value in short.items() if key not in droppable}
    for part in (short, {**material, PARTIAL: True}):
        packed = canonical_json(part)
        if len(packed) <= SPEC_LENGTH:
            return packed
    return None


def _short(value: Any) -> Any:
    match value:
        case str() if len(value) > _LONG:
            import hashlib  # noqa: PLC0415 - only long texts need it

            is_hash = len(value.removeprefix("v1:")) == 64
            digest = value if is_hash else hashlib.sha256(value.encode()).hexdigest()
            return f"{digest.removeprefix('v1:')[:12]}…"
        case Mapping():
            return {key: _short(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_short(inner) for inner in value]
    return value


def field_changes(
    before: Mapping[str, Any], after: Mapping[str, Any], cosmetic: frozenset[str]
) -> tuple[FieldChange, ...]:
    """Every field that differs, by its path (`hyperparameters.n_epochs`)."""
    if before == after:
        return ()
    from deepdiff import DeepDiff  # noqa: PLC0415 - 150 ms that an equal pair need not pay

    found = DeepDiff(
        before,
        after,
        view="tree",
        ignore_order=False,
        ignore_numeric_type_changes=True,
        ignore_private_variables=False,
        threshold_to_diff_deeper=0,  # else mappings with little in common are one difference
    )
    paths = {tuple(node.path(output_format="list")) for group in found.values() for node in group}
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
