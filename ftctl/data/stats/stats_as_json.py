"""Statistics in; a document for other programs out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from ftctl.data.stats.answers import AnswerShares
from ftctl.data.stats.summary import Price, Statistics, Tokens, Training


def statistics_document(found: Statistics, priced: Iterable[Price] = ()) -> Mapping[str, Any]:
    """What `ftctl dataset stats --format json` prints."""
    return {
        "format_version": "1.0",
        "path": found.path,
        "sha256": found.sha256,
        "bytes": found.bytes,
        "rows": found.rows,
        "unreadable_rows": found.unreadable,
        "formats": found.formats,
        "model": found.base.model,
        "encoding": found.base.encoding,
        "exact": found.exact,
        "context": found.base.context,
        "tokens": _tokens(found.tokens),
        "training": _training(found.training),
        "prices": [
            {"model": one.model, "currency": "USD", "low": str(one.low), "high": str(one.high)}
            for one in priced
        ],
        "messages": asdict(found.messages),
        "roles": found.roles,
        "languages": found.languages,
        "tools": {"rows": found.tool_rows, "declared": found.declared, "calls": found.calls},
        "images": {"rows": found.image_rows, "images": found.images},
        "answers": _answers(found.answers),
    }


def _tokens(tokens: Tokens) -> Mapping[str, Any]:
    return {
        "rows": tokens.rows,
        "billed": tokens.billed,
        "low": tokens.low,
        "high": tokens.high,
        "assistant": tokens.learnt,
        "cut_rows": tokens.cut_rows,
        "per_row": asdict(tokens.lengths),
        "histogram": [asdict(one) for one in tokens.bins],
    }


def _training(training: Training | None) -> Mapping[str, Any] | None:
    return None if training is None else asdict(training)


def _answers(answers: AnswerShares) -> Mapping[str, Any]:
    return {
        "rows": answers.rows,
        "different": answers.different,
        "complete": answers.complete,
        "repeated": [{**asdict(one), "share": round(one.share, 4)} for one in answers.repeated],
    }
