"""A JSONL file goes in; a Dataset, or every problem in it by line, comes out."""

from ftctl.dataset.codes import CODES, WARNINGS
from ftctl.dataset.formats import MAX_REINFORCEMENT_EXAMPLES, METHOD_FORMATS, MIN_EXAMPLES
from ftctl.dataset.read import read_dataset
from ftctl.dataset.source import MAX_FILE_BYTES

__all__ = [
    "CODES",
    "MAX_FILE_BYTES",
    "MAX_REINFORCEMENT_EXAMPLES",
    "METHOD_FORMATS",
    "MIN_EXAMPLES",
    "WARNINGS",
    "read_dataset",
]
