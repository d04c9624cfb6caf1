"""Text of others in; one line of it, or a part, out."""

from __future__ import annotations

import re

# Runners look for commands anywhere in a line of a log: ##[group] at GitHub, ##vso[…] at Azure.
LOG_COMMAND = re.compile(r"#(?=#\w*\[)")


def one_line(text: str) -> str:
    """On one line, and without what would steer a terminal or the runner that reads a log."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    line = LOG_COMMAND.sub("# ", line)
    return f": {line[1:]}" if line.startswith("::") else line


def short(text: str, most: int) -> str:
    """At most so many characters, the last being `…` where some are left out."""
    return text if len(text) <= most else text[: most - 1] + "…"
