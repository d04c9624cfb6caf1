"""The rows of one file go in, in order; the file's format and what is wrong with each come out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from shlex import quote
from types import MappingProxyType
from typing import Any

from ftctl.data.formats.message import role_of
from ftctl.data.formats.other_shapes import CONVERSATIONS, Pair, known_pair, shape_of
from ftctl.data.formats.row_checks import (
    CHAT_KEYS,
    Checked,
    Demands,
    check_chat,
    check_completion,
    check_preference,
    check_reinforcement,
)
from ftctl.data.formats.shape import quoted_key
from ftctl.domain.desired import Format, Method
from ftctl.errors import FILE, ROWS, Finding
from ftctl.text.format import plural
from ftctl.text.suggest import SURE, nearest

# "At least 10 examples", for every method (fine-tuning guides, 2026-07).
MIN_EXAMPLES = 10
# The reinforcement guide, 2026-07; the other methods name no limit.
MAX_REINFORCEMENT_EXAMPLES = 50_000
MAX_REINFORCEMENT_VALIDATION = 1_000
# "A maximum of 50,000 examples that contain images (not including text examples)" (vision guide,
# 2026-07).
MAX_IMAGE_EXAMPLES = 50_000

Check = Callable[[dict[str, Any], Demands], Checked]
_NO_DEMANDS = Demands()

CHECKS: Mapping[Format, Check] = MappingProxyType(
    {
        "chat": check_chat,
        "completion": check_completion,
        "preference": check_preference,
        "reinforcement": check_reinforcement,
    }
)
METHOD_FORMATS: Mapping[Method, tuple[Format, ...]] = MappingProxyType(
    {
        "supervised": ("chat", "completion"),
        "dpo": ("preference",),
        "reinforcement": ("reinforcement",),
    }
)
_NAMES: Mapping[Format, str] = MappingProxyType(
    {
        "chat": "chat",
        "completion": "prompt/completion",
        "preference": "preference",
        "reinforcement": "reinforcement",
    }
)
_SHAPES: Mapping[Format, str] = MappingProxyType(
    {
        "chat": '{"messages": [… an assistant message]}',
        "completion": '{"prompt": "…", "completion": "…"}',
        "preference": '{"input": {…}, "preferred_output": […], "non_preferred_output": […]}',
        "reinforcement": '{"messages": [… a user message], grader fields}',
    }
)
# Chat and reinforcement rows are told apart by their last message, which may be a mistake in one.
_WITH_MESSAGES = ("chat", "reinforcement")


class RowChecker:
    """Checks the rows of one file by the format that its first row settles.

    Checkers of parts of a file add up: `image_rows` is the only other thing that they count, and
    `has_tools` the only other thing that they remember.
    """

    def __init__(
        self,
        method: Method | None,
        least: int = MIN_EXAMPLES,
        demands: Demands = _NO_DEMANDS,
    ) -> None:
        self.method = method
        self.least = least
        self.demands = demands
        self.format: Format | None = None
        self.image_rows = 0  # rows with at least one image
        self.has_tools = False  # whether any row declares tools
        self._refused = False  # told once for the file, not for each of its rows
        self._puzzled = False
        self._guessed = False  # that rows are to be reinforced, where they could be chats

    def check(self, row: dict[str, Any]) -> Iterator[Finding]:
        if self._refused:
            return
        if self.format in _WITH_MESSAGES and "messages" in row:
            yield from self._check_row(self.format, row)
            return
        guess = format_of(row, self.method)
        if self.format is None:
            yield from self._settle(row, guess)
        if self.format is None:
            return
        if guess is None or _alike(guess, self.format):
            yield from self._check_row(self.format, row)
        else:
            names = f"a {_NAMES[guess]} row in a file of {_NAMES[self.format]} rows"
            yield Finding("mixed-formats", names, f"write it as {_SHAPES[self.format]}")

    def _check_row(self, form: Format, row: dict[str, Any]) -> Iterator[Finding]:
        findings = CHECKS[form](row, self.demands)
        images = yield from (_named_for_chats(findings) if self._guessed else findings)
        self.image_rows += images > 0
        self.has_tools = self.has_tools or declares_tools(row)

    def check_count(self, rows: int) -> Iterator[Finding]:
        if rows < self.least:
            message = f"the file has {plural(rows, 'row')}; a job needs at least {self.least}"
            yield Finding("too-few-examples", message, "add rows")
        yield from self._check_most(rows)

    def _check_most(self, rows: int) -> Iterator[Finding]:
        hint = "keep the rows that teach the most"
        validation = self.demands.validation
        most = MAX_REINFORCEMENT_VALIDATION if validation else MAX_REINFORCEMENT_EXAMPLES
        if self.format == "reinforcement" and rows > most:
            takes = f"method reinforcement takes at most {most:,}"
            takes += " for validation" if validation else ""
            yield Finding("too-many-examples", f"the file has {plural(rows, 'row')}; {takes}", hint)
        if self.image_rows > MAX_IMAGE_EXAMPLES:
            message = f"the file has {plural(self.image_rows, 'row')} with images"
            message += f"; at most {MAX_IMAGE_EXAMPLES:,} are taken"
            yield Finding("too-many-examples", message, hint)

    def _settle(self, row: dict[str, Any], guess: Format | None) -> Iterator[Finding]:
        wanted = METHOD_FORMATS[self.method] if self.method else tuple(CHECKS)
        if guess is None:
            if not self._puzzled:
                self._puzzled = True
                yield _unknown(row, wanted)
        elif guess in wanted:
            self.format = guess
            unsaid = guess == "reinforcement" and self.method is None
            self._guessed = unsaid and "assistant" in _roles(row)
        elif guess in _WITH_MESSAGES and not _meant(row, guess):
            self.format = next((name for name in wanted if name in _WITH_MESSAGES), None)
        if guess is not None and self.format is None:
            self._refused = True
            takes = " or ".join(_NAMES[name] for name in wanted)
            message = f"this is a {_NAMES[guess]} row; method {self.method} needs {takes} rows"
            yield Finding("wrong-format", message, f"write {_shapes(wanted)}, or change the method")


def format_of(row: dict[str, Any], method: Method | None = None) -> Format | None:
    """The format that the row's keys speak of, misspelt ones included.

    A method, where it is known, decides what could be either: a grader may read any key, and a chat
    may by mistake end with a question.
    """
    if method != "reinforcement" and ("preferred_output" in row or "non_preferred_output" in row):
        return "preference"
    if "messages" in row:
        roles = _roles(row)
        asks = roles[-1:] == ["user"]
        graded = method is None and any(key not in CHAT_KEYS for key in row)
        return "reinforcement" if asks and (graded or "assistant" not in roles) else "chat"
    if "preferred_output" in row or "non_preferred_output" in row:
        return "preference"
    if isinstance(row.get("input"), dict):
        return "preference"
    if "completion" in row or set(row) == {"prompt"}:
        return "completion"
    owners: dict[str, Format] = {"messages": "chat", "completion": "completion"}
    owners |= {"preferred_output": "preference", "non_preferred_output": "preference"}
    for key in list(row)[:20]:
        if near := nearest(key, owners, SURE):
            return owners[near]
    return None


def declares_tools(row: dict[str, Any]) -> bool:
    """Whether a row says which functions may be called; of a preference row, its input does."""
    given = row.get("input")
    said = given if isinstance(given, dict) else row
    return bool(said.get("tools") or said.get("functions"))


def _named_for_chats(findings: Checked) -> Checked:
    """The findings on a row that is a chat's if the guess was wrong; their cure says so."""
    while True:
        try:
            finding = next(findings)
        except StopIteration as end:
            images: int = end.value
            return images
        if finding.code == "last-not-user":
            finding = finding._replace(hint=f"{finding.hint}; for chat rows: --method supervised")
        yield finding


def _alike(guess: Format, settled: Format) -> bool:
    return guess == settled or (guess in _WITH_MESSAGES and settled in _WITH_MESSAGES)


def _meant(row: dict[str, Any], guess: Format) -> bool:
    """Whether the row is of the guessed kind on purpose, not a row of the other with a mistake."""
    if guess == "reinforcement":
        return any(key not in CHAT_KEYS for key in row)
    return _roles(row)[-1:] == ["assistant"]


def _roles(row: dict[str, Any]) -> list[str | None]:
    messages = row.get("messages")
    return [role_of(message) for message in messages] if isinstance(messages, list) else []


def _unknown(row: dict[str, Any], wanted: tuple[Format, ...]) -> Finding:
    keys = ", ".join(quoted_key(key) for key in list(row)[:5])
    has = f"has the keys {keys}{', …' if len(row) > 5 else ''}" if row else "has no keys"
    needs = " or ".join(_NAMES[name] for name in wanted)
    message = f"the row {has}; that is no {needs} row"
    return Finding("unknown-format", message, _converted(row, wanted) or f"write {_shapes(wanted)}")


_CALLED = {"sharegpt": "ShareGPT rows", "alpaca": "Alpaca rows", "pairs": "preference pairs"}


def _converted(row: dict[str, Any], wanted: tuple[Format, ...]) -> str | None:
    """What to type for rows that `ftctl dataset convert` reads as they are."""
    shape = shape_of(row)
    made: Format = "preference" if shape in ("pairs", "preference") else "chat"
    to = "" if made in wanted else " --to chat"  # of a pair, the better answer
    if "chat" not in wanted and made not in wanted:
        return None
    if shape is not None:
        if not all(map(_says_something, (row.get(key) for key in _SPOKEN & row.keys()))):
            return None
        these = _CALLED.get(shape, f"{shape} rows")
    elif (pair := known_pair(row)) is not None:
        if not all(_says_something(row[key]) or _is_plain(row[key]) for key in pair):
            return _as_json(pair)
        these = f"{quoted_key(pair[0])} and {quoted_key(pair[1])}"
    else:
        return None
    return f"{these} are converted by: ftctl dataset convert {FILE} {ROWS}{to}"


def _as_json(pair: Pair) -> str | None:
    """Of values that are no texts, only a template says that their JSON is one."""
    texts = (f"user={{{pair.question}}}", f"assistant={{{pair.answer}}}")
    template = " ".join(f"--template {quote(text)}" for text in texts)
    command = f"ftctl dataset convert {FILE} {ROWS} {template}"
    return f"lists and objects become texts of JSON by: {command}"


_SPOKEN = frozenset({*CONVERSATIONS, "chosen", "rejected", "instruction", "output"})


def _says_something(value: object) -> bool:
    """Whether it is a text, or turns of a conversation."""
    return isinstance(value, str) or (
        isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)
    )


def _is_plain(value: object) -> bool:
    return isinstance(value, int | float)


def _shapes(wanted: tuple[Format, ...]) -> str:
    return " or ".join(_SHAPES[name] for name in wanted)
