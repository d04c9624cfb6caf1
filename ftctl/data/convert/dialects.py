"""Turns as any known dialect writes them go in; messages as the service takes them come out.

What is written as the service has it stays as it is, key by key. A turn that says something which
no message can say ends the row's conversion, or is noted as unread.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ftctl.data.convert.conversation import Message, cannot, jsonish, said
from ftctl.data.convert.fault import RowFault
from ftctl.data.convert.images import image_part
from ftctl.data.convert.reading import Reading, says_something
from ftctl.data.formats.message import ROLES
from ftctl.data.formats.shape import described, missing_key, nearest, quoted_word, wrong_type
from ftctl.errors import Finding

SPEAKERS: Mapping[str, str] = {
    "system": "system",
    "developer": "developer",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "chatbot": "assistant",
    "ai": "assistant",
    "function_call": "call",
    "function-call": "call",
    "tool_call": "call",
    "observation": "result",
    "tool": "result",
    "tool_response": "result",
    "function_response": "result",
    "function-response": "result",
    "function": "result",
}
_TALKERS = frozenset(
    speaker for speaker, role in SPEAKERS.items() if role not in ("call", "result")
)
_FROM = ("role", "from", "author", "speaker")
_SAID = ("content", "value", "parts", "text", "message")
# A message's keys as the service has them; what else says something is noted as unread.
_OURS = frozenset({"role", "content", "name", "weight", "tool_calls", "function_call",
                   "tool_call_id", "refusal", "audio"})  # fmt: skip
# Turns that hold a question and its answer at once.
_ASKS = frozenset({"human", "user", "input", "question", "prompt", "query", "instruction"})
_ANSWERS = frozenset({"assistant", "gpt", "bot", "output", "answer", "response", "completion"})
# Whether a turn is learnt, as other trainers say it.
_LEARNT = ("train", "loss", "trainable", "loss_weight")
_OFF = (0, "false", "False")  # 0 equals False and 0.0
_ON = (1, "true", "True")
# What the Responses API writes around a message.
_ENVELOPE = frozenset({"type", "id", "status", "phase"})
_THOUGHTS = frozenset({"thinking", "redacted_thinking", "reasoning", "reasoning_text", "thought"})
_AS_THEY_ARE = frozenset({"text", "refusal", "input_audio", "file"})


def read_messages(value: Any, place: str, reading: Reading) -> list[Message]:
    """The messages of a list of turns, or of the text of one; `RowFault` for what is none."""
    turns = jsonish(value) if isinstance(value, str) else value
    reading.look_for_repeats(value, turns, place)
    if not isinstance(turns, list):
        turn = "from" if place == "conversations" else "role"
        what = "a list of turns" if turn == "from" else "a list of messages"
        raise RowFault(wrong_type(place, value, what))
    talk = _Talk(reading)
    for index, turn in enumerate(turns):
        talk.add(turn, f"{place}[{index}]")
    talk.look_for_tags()
    return talk.messages


def looks_like_messages(value: Any) -> bool:
    """Whether the value is a list of turns that name their speakers, or the text of one."""
    if isinstance(value, str):
        text = value.strip()
        if not text.startswith(("[{", "[ {", "[\n")):
            return False
        value = jsonish(text)
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(turn, dict)
            and any(isinstance(turn.get(key), str) for key in _FROM)
            and any(key in turn for key in (*_SAID, "tool_calls"))
            for turn in value
        )
    )


class _Talk:
    """The messages so far, and the calls that wait for their result."""

    def __init__(self, reading: Reading) -> None:
        self.messages: list[Message] = []
        self._reading = reading
        self._waiting: list[tuple[str, str]] = []  # id and name
        self._made = 0  # ids
        self._open = False  # whether calls may join the last message
        # Where ShareGPT's rows declare tools, texts with calls between tags are calls.
        self._tags = "conversations" in reading.row and says_something(reading.row.get("tools"))

    def add(self, turn: Any, place: str) -> None:
        """Add what the turn says."""
        if type(turn) is dict and self._reading.dropped:
            self._reading.met.update(key for key in turn if key in self._reading.dropped)
            turn = {key: turn[key] for key in turn if key not in self._reading.dropped}
        if type(turn) is dict and turn.get("type") == "message":
            turn = {key: turn[key] for key in turn if key not in _ENVELOPE}
        if _is_plain(turn):
            self.messages.append(turn)
            self._open = False
            return
        if type(turn) is dict and len(turn) == 2:
            speaker, text = turn.get("from"), turn.get("value")
            if type(text) is str and type(speaker) is str and speaker in _TALKERS:
                self.messages.append({"role": SPEAKERS[speaker], "content": text})
                self._open = SPEAKERS[speaker] == "assistant"
                if self._tags and self._open:
                    self._call_in_tags()
                return
        match turn:
            case {"role": str(role)} if role in ROLES and "parts" not in turn:
                self._add_ours(turn, role, place)
            case dict():
                self._add_other(turn, place)
            case [str(speaker), text] if speaker.strip().casefold() in SPEAKERS:
                self._add_other({"from": speaker, "value": text}, place)
            case _:
                text = f"{place} is {described(turn)}, not an object"
                raise RowFault(Finding("wrong-type", text, "write a message with role and content"))

    def look_for_tags(self) -> None:
        """Note whether calls between tags have stayed texts: no result follows them."""
        for message in self.messages:
            text = message.get("content")
            if message["role"] == "assistant" and isinstance(text, str) and "<tool_call>" in text:
                tagged, _ = _tagged(text, "tool_call")
                self._reading.tags_kept |= any(calls_of(found) is not None for found in tagged)

    # Messages with a role that the service knows.

    def _add_ours(self, turn: Message, role: str, place: str) -> None:
        message = {key: turn[key] for key in turn if self._stays(key, turn[key])}
        content, calls, results = self._content(turn.get("content"), f"{place}.content")
        if content is not turn.get("content"):
            message["content"] = content
        self._weigh(message, turn, role)
        if isinstance(turn.get("tool_calls"), list):
            message["tool_calls"] = [
                self._call(call, f"{place}.tool_calls[{index}]")
                for index, call in enumerate(turn["tool_calls"])
            ]
        if role == "tool" and message.get("tool_call_id") is None:
            known = self._waiting_id(message.pop("name", None), place)
            message = {"role": "tool", "tool_call_id": known, **message}
        elif role == "tool":
            self._waiting = [one for one in self._waiting if one[0] != message["tool_call_id"]]
        for identity, text in results:
            self._add_result(text, identity, None, place)
        if calls:
            message["tool_calls"] = [*(message.get("tool_calls") or []), *calls]
            if content is None:
                del message["content"]
        if not (results and content is None):
            self.messages.append(message)
        self._open = False

    def _stays(self, key: str, value: Any) -> bool:
        """Whether a key has a place in a message; one that says nothing stays where it is."""
        if key in _OURS or (key not in _LEARNT and not says_something(value)):
            return True
        if key not in _LEARNT:
            self._reading.leave(key, value)
        return False

    def _weigh(self, message: Message, turn: Message, role: str) -> None:
        """Whether an answer is learnt. That a question is not goes without saying."""
        for key in (*_LEARNT, "weight"):
            value = turn.get(key)
            if value is None or (key == "weight" and key in message and role == "assistant"):
                continue
            message.pop(key, None)
            if value in _OFF and role == "assistant":
                message["weight"] = 0
            elif value not in _OFF and not (value in _ON and role == "assistant"):
                self._reading.leave(key, value)

    # Turns of other dialects.

    def _add_other(self, turn: Message, place: str) -> None:
        key = next((key for key in _FROM if key in turn), None)
        if key is None:
            self._add_without_speaker(turn, place)
            return
        speaker = turn[key]
        if not isinstance(speaker, str):
            raise RowFault(wrong_type(f"{place}.{key}", speaker, "a string"))
        role = SPEAKERS.get(speaker.strip().casefold())
        if role is None:
            raise RowFault(_no_speaker(speaker, f"{place}.{key}"))
        said_key = next((one for one in _SAID if one in turn), None)
        if said_key is None and "tool_calls" not in turn:
            raise RowFault(missing_key("value" if key == "from" else "content", place))
        value = turn[said_key] if said_key else None
        used = {key, said_key, *_LEARNT, "weight"}
        if role in ("call", "result"):
            used |= {"name", "tool_call_id"}
            identity, name = turn.get("tool_call_id"), turn.get("name")
        else:
            used |= {"tool_calls", "name"}
        for other in turn:
            if other not in used:
                self._reading.leave(other, turn[other])
        at = f"{place}.{said_key}"
        if role == "call":
            if name not in map(_name_of, calls_of(value) or ()):
                self._reading.leave("name", name, place)
            self._reading.leave("tool_call_id", identity, place)
            self._add_calls(value, at)
        elif role == "result":
            self._add_results(value, at, identity, name)
        else:
            self._add_said(turn, role, value, at, place)

    def _add_results(self, value: Any, place: str, identity: Any, name: Any) -> None:
        """One result, or Gemini's parts with several."""
        if isinstance(value, list) and any(map(_is_response, value)):
            content, calls, results = self._content(value, place)
            if content is not None or calls:
                raise cannot(f"{place} holds a tool's result and something else beside it",
                             "give each its own turn")  # fmt: skip
            for known, text in results:
                self._add_result(text, known, None, place)
        else:
            self._add_result(self._result_text(value, place), identity, name, place)

    def _add_said(self, turn: Message, role: str, value: Any, at: str, place: str) -> None:
        if not isinstance(value, str | list | dict) and not turn.get("tool_calls"):
            raise RowFault(wrong_type(at, value, "a string"))
        content, calls, results = self._content(value, at)
        for identity, text in results:
            self._add_result(text, identity, None, place)
        message: Message = {"role": role}
        if isinstance(turn.get("name"), str) and turn["name"].strip():
            message["name"] = turn["name"]
        if content is not None:
            message["content"] = content
        made = turn.get("tool_calls") or []
        if not isinstance(made, list):
            raise RowFault(wrong_type(f"{place}.tool_calls", made, "a list of calls"))
        calls += [
            self._call(call, f"{place}.tool_calls[{index}]") for index, call in enumerate(made)
        ]
        if calls:
            message["tool_calls"] = calls
        self._weigh(message, turn, role)
        if content is not None or calls:
            self.messages.append(message)
            self._open = role == "assistant" and not calls

    def _add_without_speaker(self, turn: Message, place: str) -> None:
        """Items of the Responses API, and a question with its answer in one turn."""
        match turn:
            case {"type": "function_call", "name": str(name), "arguments": arguments}:
                call = {"id": turn.get("call_id") or turn.get("id"),
                        "function": {"name": name, "arguments": arguments}}  # fmt: skip
                self._reading.leave_rest(turn, ("call_id", "name", "arguments"), place)
                self._join_calls([self._call(call, place)])
            case {"type": "function_call_output", "call_id": str(identity), "output": output}:
                self._reading.leave_rest(turn, ("call_id", "output"), place)
                text = self._result_text(output, f"{place}.output")
                self._add_result(text, identity, None, place)
            case {"type": str(kind)} if kind in _THOUGHTS:
                self._reading.leave(kind, turn)
            case _:
                self._add_exchange(turn, place)

    def _add_exchange(self, turn: Message, place: str) -> None:
        texts = {key: value for key, value in turn.items() if isinstance(value, str)}
        asks = [key for key in texts if key in _ASKS]
        answers = [key for key in texts if key in _ANSWERS]
        if len(asks) != 1 or len(answers) != 1:
            raise RowFault(missing_key("from" if "conversations" in place else "role", place))
        if texts.get("system", "").strip():
            self.messages.append(said("system", texts["system"]))
        self.messages.append(said("user", texts[asks[0]]))
        self.messages.append(said("assistant", texts[answers[0]]))
        for key, value in turn.items():
            if key not in (asks[0], answers[0], "system"):
                self._reading.leave(key, value)
        self._open = False

    # Content.

    def _content(
        self, value: Any, place: str
    ) -> tuple[Any, list[Message], list[tuple[str | None, Any]]]:
        """The content, the same object where nothing is changed; calls and results beside it."""
        if value is None or isinstance(value, str):
            return value, [], []
        if isinstance(value, dict):
            if isinstance(value.get("parts"), list):
                self._reading.leave_rest(value, ("parts", "role", "content_type"), place)
                value = value["parts"]
            else:
                value = [value]
        if not isinstance(value, list):
            return value, [], []
        parts: list[Any] = []
        calls: list[Message] = []
        results: list[tuple[str | None, Any]] = []
        changed = False
        for index, part in enumerate(value):
            at = f"{place}[{index}]"
            made = self._part(part, at)
            for one in made.pieces if isinstance(made, _Several) else (made,):
                if isinstance(one, _Calls):
                    calls += [self._call(call, at) for call in one.values]
                elif isinstance(one, _Result):
                    results.append((one.identity or self._name_id(one.name, at), one.value))
                elif one is not None:
                    parts.append(one)
            changed = changed or made is not part
        if not changed:
            return value, [], []
        return _of_parts(parts), calls, results

    def _part(self, part: Any, place: str) -> Any:
        """The part as the service has it; the same object where it is one, None where none is."""
        if isinstance(part, str):
            return {"type": "text", "text": part}
        if not isinstance(part, dict):
            return part
        kind = part.get("type")
        if "value" in part and kind in ("text", "image_url") and kind not in part:
            self._reading.leave_rest(part, ("value",), place)
            part = {"type": kind, kind: part["value"]}
        if kind is None:
            return self._part_by_its_key(part, place)
        if isinstance(kind, str) and kind in _THOUGHTS:
            self._reading.leave(kind, part)
            return None
        rest = self._reading.leave_rest
        match part:
            case {"type": "input_text" | "output_text", "text": str(text)}:
                rest(part, ("text",), place)
                return {"type": "text", "text": text}
            case {"type": "tool_call", "value": value} if (calls := calls_of(value)) is not None:
                rest(part, ("value",), place)
                self._look_for_repeats(value, place)
                return _Calls(calls)
            case {"type": "image_url" | "input_image", "image_url": str(url)}:
                detail = part.get("detail")
                rest(part, ("image_url", "detail"), place)
                shown = detail if isinstance(detail, str) else None
                return image_part(url, place, self._reading, shown)
            case {"type": "image"}:
                return _image(part, place, self._reading)
            case {"type": "tool_use", "name": str(name)}:
                rest(part, ("name", "input"), place)
                return _Calls([_called(part.get("id"), name, part.get("input", {}))])
            case {"type": "tool_result", "tool_use_id": str(identity)}:
                rest(part, ("tool_use_id", "content"), place)
                return _Result(identity, None, self._result_text(part.get("content"), place))
        return part

    def _part_by_its_key(self, part: Message, place: str) -> Any:
        """As Gemini and Bedrock have parts: without a type."""
        if part.get("thought") is True:
            self._reading.leave("thought", part)
            return None
        found = {key: self._piece(key, value, part, place) for key, value in part.items()}
        pieces = {key: made for key, made in found.items() if made is not None}
        if not pieces:
            raise cannot(
                f"{place} is a part of no kind known here", "write a text, or an image's address"
            )
        self._reading.leave_rest(part, (*pieces, "detail"), place)
        if len(pieces) > 1 and not part.get("text"):
            pieces.pop("text", None)
        made = list(pieces.values())
        return made[0] if len(made) == 1 else _Several(made)

    def _piece(self, key: str, value: Any, part: Message, place: str) -> Any:
        """What one key of such a part says; None where it is none that says what the part is."""
        rest = self._reading.leave_rest
        match key, value:
            case "text", str():
                return {"type": "text", "text": value}
            case "functionCall" | "function_call", {"name": str(name)}:
                rest(value, ("name", "args"), place)
                return _Calls([_called(value.get("id"), name, value.get("args", {}))])
            case "functionResponse" | "function_response", {"name": str(name)}:
                rest(value, ("name", "response"), place)
                text = self._result_text(value.get("response"), place)
                return _Result(value.get("id"), name, text)
            case "toolUse", {"name": str(name), "toolUseId": str(identity)}:
                rest(value, ("name", "toolUseId", "input"), place)
                return _Calls([_called(identity, name, value.get("input", {}))])
            case "toolResult", {"toolUseId": str(identity)}:
                rest(value, ("toolUseId", "content"), place)
                return _Result(identity, None, self._result_text(value.get("content"), place))
        if key in _IMAGE_KEYS and says_something(value):
            detail = part.get("detail")
            shown = detail if isinstance(detail, str) else None
            return image_part({key: value}, place, self._reading, shown)
        return None

    def _result_text(self, value: Any, place: str) -> Any:
        """What a tool gave back, as text: a value of JSON is written as such."""
        match value:
            case None:
                return ""
            case str():
                return value
            case [*parts] if parts and all(map(_is_text_part, parts)):
                for index, part in enumerate(parts):
                    self._reading.leave_rest(part, ("text",), f"{place}[{index}]")
                texts = [part["text"] for part in parts]
                several = [{"type": "text", "text": one} for one in texts]
                return texts[0] if len(texts) == 1 else several
            case [{"json": inner}] if len(value[0]) == 1:
                return _json(inner, place)
            case [*parts] if any(
                isinstance(part, dict) and part.get("type") == "image" for part in parts
            ):
                raise cannot(
                    f"{place} holds an image, which no tool's result can be", "take it out"
                )
            case _:
                return _json(value, place)

    # Calls and their results.

    def _add_calls(self, value: Any, place: str) -> None:
        calls = calls_of(value)
        if calls is None:
            raise RowFault(wrong_type(place, value, "the JSON of a call with name and arguments"))
        self._look_for_repeats(value, place)
        self._join_calls([self._call(call, place) for call in calls])

    def _look_for_repeats(self, value: Any, place: str) -> None:
        if isinstance(value, str):
            self._reading.look_for_repeats(value, jsonish(value), place)

    def _join_calls(self, calls: list[Message]) -> None:
        """Calls belong to the text that the assistant says before them, and to each other."""
        last = self.messages[-1] if self.messages else None
        if (
            last is not None
            and last["role"] == "assistant"
            and (self._open or (last.get("tool_calls") and self._waiting))
        ):
            self.messages[-1] = {**last, "tool_calls": [*last.get("tool_calls", []), *calls]}
        else:
            self.messages.append({"role": "assistant", "tool_calls": calls})
        self._open = False

    def _call(self, call: Any, place: str) -> Any:
        """The call as the service has it: with an id, its arguments as text."""
        if not isinstance(call, dict):
            return call
        function = call.get("function", call)
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            return call
        given = "arguments" if "arguments" in function else "parameters"
        arguments = function.get(given)
        identity = call.get("id")
        if isinstance(identity, str) and isinstance(arguments, str) and "function" in call:
            made = call
            if "type" not in call:
                made = {"id": identity, "type": "function", "function": function}
                self._reading.leave_rest(call, ("function",), place)
        else:
            inner = f"{place}.function" if "function" in call else place
            self._reading.leave_rest(function, ("name", given), inner)
            if "function" in call:
                self._reading.leave_rest(call, ("function",), place)
            if not isinstance(identity, str) or not identity:
                self._made += 1
                identity = f"call_{self._made}"
            text = arguments if isinstance(arguments, str) else _json(arguments or {}, place)
            made = {"id": identity, "type": "function",
                    "function": {"name": function["name"], "arguments": text}}  # fmt: skip
        self._waiting.append((identity, function["name"]))
        return made

    def _add_result(self, text: Any, identity: Any, name: Any, place: str) -> None:
        if not isinstance(identity, str):
            if not self._waiting:
                self._call_in_tags()
            texts = _tagged(text, "tool_response")[0] if isinstance(text, str) else []
            for one in texts:
                self._tell_result(one, self._waiting_id(None, place))
            if texts:
                return
        known = identity if isinstance(identity, str) else self._waiting_id(name, place)
        self._waiting = [one for one in self._waiting if one[0] != known]
        self._tell_result(text, known)

    def _tell_result(self, text: Any, identity: str) -> None:
        self.messages.append({"role": "tool", "tool_call_id": identity, "content": text})
        self._open = False

    def _waiting_id(self, name: Any, place: str) -> str:
        """The call that a result without an id answers: the first that waits, of that name."""
        for at, (identity, called) in enumerate(self._waiting):
            if not isinstance(name, str) or name == called or not name:
                del self._waiting[at]
                return identity
        raise cannot(f"{place} is a tool's result, and no call of it waits for one",
               "put the call before it, or take the result out")  # fmt: skip

    def _name_id(self, name: str | None, place: str) -> str | None:
        return self._waiting_id(name, place) if name is not None else None

    def _call_in_tags(self) -> None:
        """Calls as Hermes models write them: JSON between tags in the assistant's text."""
        last = self.messages[-1] if self.messages else {}
        text = last.get("content")
        if last.get("role") != "assistant" or not isinstance(text, str):
            return
        tagged, rest = _tagged(text, "tool_call") if "<tool_call>" in text else ([], text)
        calls = [calls_of(found) for found in tagged]
        if not calls or None in calls:
            return
        self._reading.tags_read = True
        for found in tagged:
            self._look_for_repeats(found, "a call")
        made = [self._call(call, "a call") for several in calls for call in several or ()]
        self._open = False
        self.messages[-1] = {"role": "assistant", **({"content": rest} if rest else {}),
                             "tool_calls": made}  # fmt: skip


def _tagged(text: str, tag: str) -> tuple[list[str], str]:
    """What stands between the tags, each time, and the text around them."""
    first, *pieces = text.split(f"<{tag}>")
    inside, around = [], [first]
    for piece in pieces:
        content, closed, rest = piece.partition(f"</{tag}>")
        if not closed:
            return [], text
        inside.append(content.strip())
        around.append(rest)
    return inside, "".join(around).strip()


_IMAGE_KEYS = frozenset({"image", "inlineData", "inline_data", "fileData", "file_data"})
_NO_IMAGE = frozenset({"type", "detail", "cache_control", "index"})


class _Calls:
    """A part that is a call, or several."""

    def __init__(self, values: list[Message]) -> None:
        self.values = values


class _Several:
    """A part that says several things."""

    def __init__(self, pieces: list[Any]) -> None:
        self.pieces = pieces


class _Result:
    """A part that is a tool's result."""

    def __init__(self, identity: Any, name: str | None, value: Any) -> None:
        self.identity = identity if isinstance(identity, str) else None
        self.name = name
        self.value = value


def _is_plain(turn: Any) -> bool:
    """Whether the turn is whole with a role of the service's and a text: most are."""
    return (
        type(turn) is dict
        and len(turn) == 2
        and type(turn.get("content")) is str
        and turn.get("role") in ("system", "user", "assistant")
    )


def _is_response(part: Any) -> bool:
    return isinstance(part, dict) and ("functionResponse" in part or "function_response" in part)


def _called(identity: Any, name: str, arguments: Any) -> Message:
    return {"id": identity, "function": {"name": name, "arguments": arguments}}


def _image(part: Message, place: str, reading: Reading) -> Any:
    """The image, or a place for one of the row's images."""
    if set(part) <= _NO_IMAGE:
        return dict(IMAGE_PLACE)
    return image_part(part, place, reading)


IMAGE_PLACE: Message = {"type": "image"}


def _of_parts(parts: list[Any]) -> Any:
    """A single text as a string, no parts as None."""
    match parts:
        case []:
            return None
        case [{"type": "text", "text": str(text)}] if len(parts[0]) == 2:
            return text
        case _:
            return parts


def calls_of(value: Any) -> list[Message] | None:
    """The calls of a JSON text, or of its value: one object, or a list; None for what is none."""
    if isinstance(value, str):
        value = jsonish(value)
    calls = value if isinstance(value, list) else [value]
    return calls if calls and all(map(_is_call, calls)) else None


def _name_of(call: Message) -> Any:
    return call.get("function", call).get("name")


def _is_call(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    function = value.get("function", value)
    return (
        isinstance(function, dict)
        and isinstance(function.get("name"), str)
        and isinstance(function.get("arguments", function.get("parameters")), dict | str)
    )


def _is_text_part(part: Any) -> bool:
    return (
        isinstance(part, dict)
        and isinstance(part.get("text"), str)
        and part.get("type", "text") in ("text", "input_text", "output_text")
    )


def _json(value: Any, place: str) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        raise cannot(f"{place} holds what JSON cannot say", "write it as a text") from None


def _no_speaker(speaker: str, place: str) -> Finding:
    known = tuple(SPEAKERS)
    hint = nearest(speaker[:40], known) or f"known here: {', '.join(known)}"
    message = f"{place} is {quoted_word(speaker)}, which is no speaker known here"
    return Finding("unknown-role", message, hint)
