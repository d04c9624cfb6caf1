"""Where rows come from when that is no file of the project: an address in, a checked file out.

What only looks at names is here. `ftctl.data.sources.fetch` is imported where something is fetched.
"""

from ftctl.data.sources.address import AllowedUrls, is_listed, is_remote, show_source
from ftctl.data.sources.pointers import missing_hint, pointer_of
from ftctl.data.sources.read_scope import ReadScope, read_scope_of, repository_of, unprintable
from ftctl.data.sources.source_codes import CODES, WARNINGS

__all__ = [
    "CODES",
    "WARNINGS",
    "AllowedUrls",
    "ReadScope",
    "is_listed",
    "is_remote",
    "missing_hint",
    "pointer_of",
    "read_scope_of",
    "repository_of",
    "show_source",
    "unprintable",
]
