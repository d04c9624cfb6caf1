"""One cell's value goes in, whatever its file calls it; the text that it stands for comes out."""

from __future__ import annotations

import json
import math
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from ftctl.data.convert.fault import RowFault
from ftctl.errors import Finding


def cell_text(value: Any, place: str) -> str:
    """Nothing and NaN are the empty text; dates are written by ISO 8601; lists are JSON."""
    match value:
        case None:
            return ""
        case str():
            text = value
        case bool():
            text = "true" if value else "false"
        case float() if math.isnan(value):
            text = ""
        case Decimal() if value.is_nan():
            text = ""
        case int() | float() | Decimal():
            text = str(value)
        case datetime() if value.time() == time() and value.tzinfo is None:
            text = value.date().isoformat()  # a spreadsheet's dates are midnights
        case datetime() | date() | time():
            text = value.isoformat()
        case list() | dict():
            text = _json(value, place)
        case _:
            raise RowFault(_unfit(place))
    if "\0" in text:
        raise RowFault(Finding("nul-byte", f"{place} has a NUL character", "take it out"))
    return text


def _json(value: Any, place: str) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError):
        raise RowFault(_unfit(place)) from None


def _unfit(place: str) -> Finding:
    return Finding("bad-cell", f"{place} holds no text, number or date", "name another column")
