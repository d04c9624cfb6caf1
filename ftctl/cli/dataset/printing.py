"""A document goes in; the JSON that these commands print comes out, the same for the same input."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def json_text(document: Mapping[str, Any]) -> str:
    """Sorted keys; half of a surrogate pair is escaped, since no output could take it."""
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()
