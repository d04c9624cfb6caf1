"""A row goes in; how many keys it has comes out, when it is certain that no check finds a fault.

Nearly all rows of nearly all files are a few turns of text, some with calls of known tools. Knowing
those at a glance costs a tenth of the careful checks, which see every other row. A test holds the
two together: what is known to be good here has no finding there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ftctl.data.formats.calls import check_arguments
from ftctl.data.formats.tools import Declarations, declared_by
from ftctl.data.scanning.json_equivalence import measure
from ftctl.domain.desired import Format

_SAID = (str, type(None))
_FIRST = ("system", "developer")
_MOST_REMEMBERED = 1_000  # lists of tools; most files have one

Key = Callable[[Any], bytes]


class _Known(NamedTuple):
    """A list of tools without fault."""

    keys: int  # in all its objects
    tools: object
    declared: Declarations


class KnownGoodRows:
    """Knows good rows at a glance, and the lists of tools that were found to be without fault.

    `key` gives a value's JSON. Where there is none, rows with tools are not known.
    """

    def __init__(self, key: Key | None = None) -> None:
        self._key = key
        self._tools: dict[bytes, _Known] = {}
        self._remembered: set[int] = set()  # the lists by identity

    def keys(self, row: dict[str, Any], form: Format | None) -> int:
        """The number of keys in all objects of a row known to be good; 0 for every other row.

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
        if known is None:
            return measure(row)
        rest = measure([value for key, value in row.items() if key != "tools"])
        return None if rest is None else rest + len(row) + known.keys

    def learn(self, row: dict[str, Any]) -> None:
        """Remember the row's tools. The careful checks have found no fault in the row."""
        tools = row.get("tools")
        if self._key is None or tools is None or id(tools) in self._remembered:
            return
        keys, declared = measure(tools), declared_by(tools)
        if keys is not None and declared is not None and len(self._tools) < _MOST_REMEMBERED:
            self._tools[self._key(tools)] = _Known(keys, tools, declared)
            self._remembered.add(id(tools))

    def _with_tools(self, row: dict[str, Any]) -> int:
        flag = row.get("parallel_tool_calls")
        if len(row) != 2 and (len(row) != 3 or type(flag) is not bool):
            return 0
        known = self._known_tools(row)
        if known is None:
            return 0
        messages = row.get("messages")
        try:
            keys = _chat_keys(messages) or _called_keys(messages, known, flag)
        except RecursionError:  # arguments that are nested too deep
            return 0
        return keys + known.keys + len(row) - 1 if keys else 0

    def _known_tools(self, row: dict[str, Any]) -> _Known | None:
        """The row's tools, when those were met before."""
        tools = row.get("tools")
        if self._key is None or tools is None or not self._tools:
            return None
        try:
            known = self._tools.get(self._key(tools))
        except TypeError:  # too deep to be written, or with numbers of more than 64 bits
            return None
        if known is not None:
            row["tools"] = known.tools
        return known


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


def _called_keys(messages: Any, known: _Known, flag: object) -> int:
    """As `_chat_keys`; before it answers, the assistant may call tools, each of which replies."""
    if type(messages) is not list:
        return 0
    keys, wanted = 1, "user"
    waiting: set[str] = set()  # the ids of the calls that have no reply
    for message in messages:
        if type(message) is not dict:
            return 0
        keys += len(message)
        role = message.get("role")
        if waiting:
            if not _is_reply(message, waiting):
                return 0
        elif wanted == "assistant" and "tool_calls" in message:
            inside = _calls_keys(message, known.declared, waiting)
            if not inside or (flag is False and len(waiting) > 1):
                return 0
            keys += inside
        elif not _is_text(message):
            return 0
        elif role == wanted:
            wanted = "assistant" if wanted == "user" else "user"
        elif message is not messages[0] or role not in _FIRST:
            return 0
    return keys if wanted == "user" and len(messages) > 1 else 0


def _is_text(message: dict[str, Any]) -> bool:
    content = message.get("content")
    return len(message) == 2 and type(content) is str and content != "" and not content.isspace()


def _is_reply(message: dict[str, Any], waiting: set[str]) -> bool:
    """Whether a call waits for the message; from now on, that one does not."""
    called = message.get("tool_call_id")
    if message.get("role") != "tool" or type(called) is not str or called not in waiting:
        return False
    waiting.remove(called)
    return len(message) == 3 and type(message.get("content")) is str


def _calls_keys(message: dict[str, Any], declared: Declarations, waiting: set[str]) -> int:
    """The keys in an assistant's calls, whose ids join those that wait; 0 if they may be faulty."""
    calls, content = message["tool_calls"], message.get("content")
    if message.get("role") != "assistant" or type(calls) is not list:
        return 0
    if len(message) != 2 + ("content" in message) or type(content) not in _SAID:
        return 0
    for call in calls:
        if type(call) is not dict or len(call) != 3 or call.get("type") != "function":
            return 0
        identity = call.get("id")
        if type(identity) is not str or not identity or identity in waiting:
            return 0
        waiting.add(identity)
        if not _is_good_call(call.get("function"), declared):
            return 0
    return 5 * len(calls)  # three, and two in the function


def _is_good_call(function: Any, declared: Declarations) -> bool:
    if type(function) is not dict or len(function) != 2:
        return False
    name, arguments = function.get("name"), function.get("arguments")
    if type(name) is not str or type(arguments) is not str or name not in declared:
        return False
    return next(check_arguments(arguments, "", declared[name]), None) is None


def _completion_keys(row: dict[str, Any]) -> int:
    if len(row) != 2:
        return 0
    for key in ("prompt", "completion"):
        text = row.get(key)
        if type(text) is not str or not text or text.isspace():
            return 0
    return 2
