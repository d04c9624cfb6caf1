"""YAML files in, documents out: plain values that remember where each of them stands."""

from ftctl.manifest.decoding import DEEPEST, LARGEST, MOST_BYTES, MOST_VALUES, read_bytes, shorten
from ftctl.manifest.document import Document, Where
from ftctl.manifest.manifest_files import (
    CUT_SHORT,
    MOST_ENTRIES,
    MOST_FILES,
    Listing,
    find_manifests,
    parse_documents,
    read_documents,
)

__all__ = [
    "CUT_SHORT",
    "DEEPEST",
    "LARGEST",
    "MOST_BYTES",
    "MOST_ENTRIES",
    "MOST_FILES",
    "MOST_VALUES",
    "Document",
    "Listing",
    "Where",
    "find_manifests",
    "parse_documents",
    "read_bytes",
    "read_documents",
    "shorten",
]
