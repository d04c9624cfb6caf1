"""A row goes in; how many keys it has comes out, when it is certain that no check finds a fault.

Nearly all rows of nearly all files are a few turns of text. Knowing those at a glance costs a tenth
of the careful checks, which see every other row. A test holds the two together: what is ordinary
here has no finding there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ftctl.dataset.fast import measure
from ftctl.model import Format

_FIRST = ("system", "developer")
_MOST_REMEMBERED = 1_000  # lists of tools; most files have one

Key = Callable[[Any], bytes]


class Ordinary:
    """Knows ordinary rows, and the lists of tools that were found to be without fault.

    `key` gives a value's JSON. Where there is none, rows with tools are not ordinary.
    """

    def __init__(self, key: Key | None = None) -> None:
        self._key = key
        self._tools: dict[bytes, tuple[int, object]] = {}  # keys in the list, and the list
        self._remembered: set[int] = set()  # the lists by identity

    def keys(self, row: dict[str, Any], form: Format | None) -> int:
        """The number of keys in all objects of an ordinary row; 0 for every other row.

        A list of tools is replaced by the equal one that was met first: what counts or hashes it
        then knows it by its identity.
        """
        if form == "chat":
            if len(row) == 1:
                return _chat_keys(row.get("messages"))
            return self._with_tools(row)
        if form == "completion":
            return _completion_keys(row)
        return 0

    def measure(self, row: dict[str, Any]) -> int | None:
        """As `measure`, with what is known of the tools."""
        known = self._known_tools(row)
        if not known:
            return measure(row)
        rest = measure([value for key, value in row.items() if key != "tools"])
        return None if rest is None else rest + len(row) + known

    def learn(self, row: dict[str, Any]) -> None:
        """Remember the row's tools. The careful checks have found no fault in the row."""
        tools = row.get("tools")
        if self._key is None or tools is None or id(tools) in self._remembered:
            return
        keys = measure(tools)
        if keys is not None and len(self._tools) < _MOST_REMEMBERED:
            self._tools[self._key(tools)] = (keys, tools)
            self._remembered.add(id(tools))

    def _with_tools(self, row: dict[str, Any]) -> int:
        flag = row.get("parallel_tool_calls")
        if len(row) != 2 and (len(row) != 3 or type(flag) is not bool):
            return 0
        turns = _chat_keys(row.get("messages"))
        known = self._known_tools(row) if turns else 0
        return turns + known + len(row) - 1 if known else 0

    def _known_tools(self, row: dict[str, Any]) -> int:
        """The keys of the row's tools, when those were met before; 0 otherwise."""
        tools = row.get("tools")
        if self._key is None or tools is None or not self._tools:
            return 0
        try:
            known = self._tools.get(self._key(tools))
        except TypeError:  # too deep to be written, or with numbers of more than 64 bits
            return 0
        if known is None:
            return 0
        row["tools"] = known[1]
        return known[0]


def _chat_keys(messages: Any) -> int:
    """An optional instruction, then questions and answers in turn; each a role and a text."""
    if type(messages) is not list:
        return 0
    wanted = "user"
    for message in messages:
        if type(message) is not dict or len(message) != 2:
            return 0
        content = message.get("content")
        if type(content) is not str or not content or content.isspace():
            return 0
        role = message.get("role")
        if role == wanted:
            wanted = "assistant" if wanted == "user" else "user"
        elif message is not messages[0] or role not in _FIRST:
            return 0
    # It ends with an answer: at least one question stands before it.
    return 1 + 2 * len(messages) if wanted == "user" and len(messages) > 1 else 0


def _completion_keys(row: dict[str, Any]) -> int:
    if len(row) != 2:
        return 0
    for key in ("prompt", "completion"):
        text = row.get(key)
        if type(text) is not str or not text or text.isspace():
            return 0
    return 2
