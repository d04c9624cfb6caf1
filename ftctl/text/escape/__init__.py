"""Text that others wrote in; the same to read, but without power over what it is put into, out.

Names, reasons, file names, rows and a service's own words may come from anybody who can open a pull
request. Here each place that ftctl writes to has its one function.
"""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # as in ftctl.emulator
if TYPE_CHECKING:
    from ftctl.text.escape.forms import (
        backslashed,
        command_property,
        command_text,
        comment_words,
        dotenv_line,
        html_text,
        json_document,
        json_in_log,
        markdown,
        markdown_code,
        markdown_fence,
        xml_text,
    )
    from ftctl.text.escape.single_line import harmless_lines, one_line, short

__all__ = [
    "backslashed",
    "command_property",
    "command_text",
    "comment_words",
    "dotenv_line",
    "harmless_lines",
    "html_text",
    "json_document",
    "json_in_log",
    "markdown",
    "markdown_code",
    "markdown_fence",
    "one_line",
    "short",
    "xml_text",
]

_HOMES = {
    "backslashed": "forms",
    "command_property": "forms",
    "command_text": "forms",
    "comment_words": "forms",
    "dotenv_line": "forms",
    "harmless_lines": "single_line",
    "html_text": "forms",
    "json_document": "forms",
    "json_in_log": "forms",
    "markdown": "forms",
    "markdown_code": "forms",
    "markdown_fence": "forms",
    "one_line": "single_line",
    "short": "single_line",
    "xml_text": "forms",
}

__getattr__ = lazily(__name__, _HOMES)
