"""A diff in; a document for other programs out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftctl.data.diff.diff_words import shown_value
from ftctl.domain.row_diff import Changed, Compared, Difference, Pair, Shown, Side


def diff_document(compared: Compared) -> Mapping[str, Any]:
    """What `ftctl dataset diff --format json` prints: every line, and a few rows in detail."""
    diff = compared.diff
    document: dict[str, Any] = {
        "format_version": "1.0",
        "before": _side(compared.before, diff.rows_before),
        "after": _side(compared.after, diff.rows_after),
        "equal": diff.empty,
        "rows": {
            "unchanged": diff.unchanged,
            "added": len(diff.added),
            "removed": len(diff.removed),
            "changed": len(diff.changed),
        },
        "added": diff.added,
        "removed": diff.removed,
        "changed": [_changed(one) for one in diff.changed],
        "near_equal_compared": diff.compared,
        "tokens": {
            "encoding": compared.encoding,
            "added": diff.tokens_added,
            "removed": diff.tokens_removed,
            "difference": diff.tokens_added - diff.tokens_removed,
        },
        "details": [_pair(pair, show_text=compared.show_text) for pair in compared.pairs],
    }
    if compared.show_text:
        document["removed_rows"] = [_shown(one) for one in compared.removed]
        document["added_rows"] = [_shown(one) for one in compared.added]
    return document


def _side(side: Side, rows: int) -> Mapping[str, Any]:
    return {"path": side.name, "rows": rows, "unreadable_rows": side.unreadable}


def _changed(one: Changed) -> Mapping[str, Any]:
    alike = None if one.similarity is None else round(one.similarity, 4)
    return {"before": one.before, "after": one.after, "kind": one.kind, "likeness": alike}


def _pair(pair: Pair, *, show_text: bool) -> Mapping[str, Any]:
    places = [_place(one) if show_text else one.place for one in pair.places]
    return {"before": pair.changed.before, "after": pair.changed.after, "places": places}


def _place(one: Difference) -> Mapping[str, Any]:
    """A value that is not there has no key, since null is a value."""
    shown = {"place": one.place, "before": one.before, "after": one.after}
    return {key: shown_value(value) for key, value in shown.items() if value is not ...}


def _shown(one: Shown) -> Mapping[str, Any]:
    return {"line": one.line, "row": shown_value(one.row)}
