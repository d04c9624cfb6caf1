"""A row in; what is wrong with it, by the format that it is in, out."""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # as in ftctl.emulator
if TYPE_CHECKING:
    from ftctl.data.formats.format_codes import CODES, EVIDENCE, WARNINGS
    from ftctl.data.formats.formats import MAX_REINFORCEMENT_EXAMPLES, METHOD_FORMATS, MIN_EXAMPLES

__all__ = [
    "CODES",
    "EVIDENCE",
    "MAX_REINFORCEMENT_EXAMPLES",
    "METHOD_FORMATS",
    "MIN_EXAMPLES",
    "WARNINGS",
]

_HOMES = {
    "CODES": "format_codes",
    "EVIDENCE": "format_codes",
    "MAX_REINFORCEMENT_EXAMPLES": "formats",
    "METHOD_FORMATS": "formats",
    "MIN_EXAMPLES": "formats",
    "WARNINGS": "format_codes",
}

__getattr__ = lazily(__name__, _HOMES)
