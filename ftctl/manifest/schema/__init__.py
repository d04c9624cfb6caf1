"""A document and a JSON Schema in, every problem with its place and a cure out.

The files in `schemas/` are the only list of allowed fields; their descriptions double as hints.
"""

from ftctl.manifest.schema.schema_check import check_document
from ftctl.manifest.schema.schema_files import SCHEMAS, cosmetic_fields, load_schema, schema_path
from ftctl.manifest.schema.value_words import describe, show_value

__all__ = [
    "SCHEMAS",
    "check_document",
    "cosmetic_fields",
    "describe",
    "load_schema",
    "schema_path",
    "show_value",
]
