"""A document goes in; the JSON that these commands print comes out, the same for the same input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftctl.text.escape import json_document


def json_text(document: Mapping[str, Any]) -> str:
    """Sorted keys; half of a surrogate pair is escaped, since no output could take it."""
    return json_document(document)
