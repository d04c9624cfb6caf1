"""How a conversion was asked for goes in; cures that can be pasted there come out."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass

_PLAIN = re.compile(r"[^\W\d][\w-]*")
_WORDS_OF_YAML = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


@dataclass(frozen=True, slots=True)
class Manner:
    """A command with its arguments, or a manifest (None).

    Manifests gave their rows before keys had to be dropped by name: what is lost without a change
    of meaning is a warning there, and an error for a command.
    """

    command: tuple[str, ...] | None = None

    @property
    def is_strict(self) -> bool:
        return self.command is not None

    def dropping(self, keys: Collection[str]) -> str:
        """What to write so that these keys are left out."""
        if self.command is None:
            return f"drop: [{', '.join(map(_yaml, keys))}] below 'convert'"
        return shlex.join([*self.command, *(word for key in keys for word in ("--drop", key))])

    def template(self, texts: Mapping[str, str]) -> str:
        """What to write so that each role says its text."""
        if self.command is None:
            inner = ", ".join(f"{role}: {_quoted(text)}" for role, text in texts.items())
            return f"template: {{{inner}}} below 'convert'"
        flags = [word for role, text in texts.items() for word in ("--template", f"{role}={text}")]
        return shlex.join([*self.command, *flags])


def _yaml(key: str) -> str:
    plain = _PLAIN.fullmatch(key) and key.lower() not in _WORDS_OF_YAML
    return key if plain else _quoted(key)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
