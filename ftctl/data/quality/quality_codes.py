"""The stable name of every doubt about what a data file teaches, and what each means."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CODES: Mapping[str, str] = MappingProxyType(
    {
        # Between two files.
        "leaked-row": "A validation row, or its prompt, stands in the training file.",
        "nearly-leaked-row": "A validation row's prompt is almost one of the training file's.",
        # Between the rows of a file.
        "duplicate-row": "A row stands in the file more than once.",
        "near-duplicate-row": "A row differs from another in little that matters.",
        "contradictory-rows": "The same prompt is answered in different ways.",
        "many-refusals": "Many of the answers refuse.",
        "one-answer": "Most rows have the same answer.",
        "unusual-length": "A row is far longer or shorter than the file's others.",
        "mixed-languages": "A few rows are in another language than nearly all.",
        # In one row.
        "teaches-nothing": "A row's answer is empty, a placeholder, or its prompt again.",
        "mojibake": "A row's text was read in the wrong encoding before it came here.",
        "secret": "A row holds a key or token that opens something.",
        "personal-data": "A row holds an address or number that belongs to a person.",
        "flagged-row": "The service's moderation flags a row.",
    }
)

# The setting that each code obeys: its level, and its off-switch.
CHECKS: Mapping[str, str] = MappingProxyType(
    {
        "leaked-row": "leakage",
        "nearly-leaked-row": "leakage",
        "duplicate-row": "duplicates",
        "near-duplicate-row": "near_duplicates",
        "contradictory-rows": "contradictions",
        "many-refusals": "refusals",
        "one-answer": "one_answer",
        "unusual-length": "lengths",
        "mixed-languages": "languages",
        "teaches-nothing": "empty_rows",
        "mojibake": "mojibake",
        "secret": "secrets",
        "personal-data": "personal_data",
        "flagged-row": "moderation",
    }
)
