"""Where rows come from when that is no file of the project: an address in, a checked file out.

What only looks at names is here. `ftctl.sources.fetch` is imported where something is fetched.
"""

from ftctl.sources.address import is_remote, show_source
from ftctl.sources.codes import CODES, WARNINGS
from ftctl.sources.note import Note
from ftctl.sources.places import outside
from ftctl.sources.pointers import missing_hint, pointer_of

__all__ = [
    "CODES",
    "WARNINGS",
    "Note",
    "is_remote",
    "missing_hint",
    "outside",
    "pointer_of",
    "show_source",
]
