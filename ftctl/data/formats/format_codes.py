"""The stable name of every kind of problem in a data file, and what each means."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CODES: Mapping[str, str] = MappingProxyType(
    {
        # The file as a whole.
        "missing-file": "There is no file at the path.",
        "not-a-regular-file": "The path is a directory, a pipe or a device, not a file.",
        "unreadable-file": "The system does not let the file be read.",
        "empty-file": "The file holds no rows.",
        "file-too-large": "The file is larger than the service takes.",
        "pointer-file": "The file only points to the data, which git-lfs or DVC keeps elsewhere.",
        "compressed-file": "The file is compressed; the service takes plain text.",
        "binary-file": "The file is not text.",
        "wrong-encoding": "The file is text in UTF-16 or UTF-32, not in UTF-8.",
        "byte-order-mark": "The file starts with a byte order mark, which not every service takes.",
        "json-not-lines": "The file is one JSON document, not one row per line.",
        "too-few-examples": "The file has fewer rows than a job needs.",
        "too-many-examples": "The file has more rows than its method takes.",
        "unknown-format": "The first row's keys fit none of the formats.",
        "wrong-format": "The rows are in a format that the fine-tune's method does not take.",
        "mixed-formats": "A row is in another format than the file's first row.",
        # One line as text.
        "blank-line": "There are blank lines before or between rows.",
        "line-too-long": "A line is longer than any row that the service takes.",
        "truncated-line": "The last line breaks off in the middle of a row.",
        "not-utf-8": "A line has bytes that are not UTF-8.",
        "nul-byte": "A line has a NUL byte.",
        "stray-byte-order-mark": "A line after the first starts with a byte order mark.",
        "not-json": "A line is not JSON.",
        "repeated-key": "A key stands more than once in one object.",
        "nan-or-infinity": "A number is NaN or Infinity, which JSON does not have.",
        "number-out-of-range": "A number is too large for a 64-bit float.",
        "lone-surrogate": "A text has half of a surrogate pair, which UTF-8 cannot carry.",
        "nesting-too-deep": "A row is nested deeper than it can be read.",
        "row-not-object": "A line is JSON, but not an object.",
        # One row as a value.
        "unknown-key": "A key is none that the format knows.",
        "missing-key": "A key that must be there is not.",
        "misplaced-key": "A key stands on a message whose role does not take it.",
        "wrong-type": "A value is of another JSON type than it must be.",
        "wrong-value": "A value is of the right type but not one of those allowed.",
        "empty-value": "A list or text that must hold something is empty.",
        "ignored-key": "A key says nothing where it stands, so it is passed over or refused.",
        "name-form": "A message's name has characters that the chat API refuses.",
        "unknown-role": "A message's role is none that the format knows.",
        "unknown-part": "A content part's type is none that the format knows.",
        "part-not-allowed": "A content part stands where its type may not.",
        "bad-image-address": "An image's URL is neither a web address nor a data URL.",
        "bad-image-data": "A data URL holds no PNG, JPEG or WEBP image in base64.",
        "image-too-large": "An image in a data URL is larger than the service takes.",
        "image-type-differs": "A data URL names another kind of image than it holds.",
        "too-many-images": "A row has more images than the service takes.",
        "no-learnt-turn": "No assistant message is there to learn from.",
        "last-not-assistant": "The conversation goes on after its last assistant message.",
        "last-not-user": "A reinforcement row does not end with a user message.",
        "input-ends-with-assistant": "A preference row's input already ends with an answer.",
        "not-one-output": "A preference row's output is not exactly one assistant message.",
        "identical-outputs": "A preference row prefers an output to its equal.",
        "missing-grader-field": "A reinforcement row lacks a field that the grader reads.",
        # Tools and their calls.
        "too-many-functions": "A row declares more functions than the service takes.",
        "doubtful-schema": "A function's parameters are no JSON Schema of an object.",
        "strict-schema": "A strict function's parameters are not as strict as they must be.",
        "arguments-not-json": "A call's arguments are not the text of a JSON object.",
        "arguments-encoded-twice": "A call's arguments are JSON text inside JSON text.",
        "arguments-unfit": "A call's arguments do not fit its function's parameters.",
        "parallel-calls": "A message makes several calls although the row rules that out.",
        "repeated-function": "A function is declared twice.",
        "undeclared-function": "A call names a function that the row does not declare.",
        "repeated-call": "A call has the id of another that is still waiting for its answer.",
        "unknown-call": "A tool message answers no call that is waiting for an answer.",
        "unanswered-call": "The conversation goes on before a call is answered.",
    }
)

# The rest are errors.
WARNINGS = frozenset(
    {
        "byte-order-mark",
        "last-not-assistant",
        "identical-outputs",
        "ignored-key",
        "name-form",
        "image-type-differs",
        "doubtful-schema",
        "strict-schema",
        "arguments-unfit",
        "parallel-calls",
    }
)
