"""A row's text and value go in; the keys that one of its objects has twice come out."""

from __future__ import annotations

import json
import re
from typing import Any

_KEY_END = re.compile(r'(?<!\\)"[ \t\r\n]*:')


def repeated_keys(text: str, value: Any) -> list[str]:
    """Each such key once, in order.

    `object_pairs_hook` makes parsing several times slower, so the keys in the text are counted
    first, and only a count that differs from the value's costs a second parse.
    """
    if not _may_repeat(text, value):
        return []
    found: dict[str, None] = {}

    def note(pairs: list[tuple[str, Any]]) -> None:
        if len({key for key, _ in pairs}) < len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    found[key] = None
                seen.add(key)

    json.JSONDecoder(object_pairs_hook=note).decode(text)
    return list(found)


def _may_repeat(text: str, value: Any) -> bool:
    r"""False only when no key can be repeated.

    Without `\\"` in the text, a quote that no backslash precedes opens or closes a string, and one
    that a colon follows closes a key (or opens a text that starts with a colon: counting that too
    costs a parse, not a mistake).
    """
    if '\\\\"' in text:
        return True
    if " :" in text or "\t:" in text or "\r:" in text:
        written = sum(1 for _ in _KEY_END.finditer(text))
    else:
        written = text.count('":') - text.count('\\":')
    return written != _count(value)


def _count(value: Any) -> int:
    total = 0
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if type(item) is dict:
            total += len(item)
            waiting.extend(item.values())
        elif type(item) is list:
            waiting.extend(item)
    return total
