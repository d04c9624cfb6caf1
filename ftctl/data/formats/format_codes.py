"""The stable name of every kind of problem in a data file: what each means, and how it is known.

An error stops a purchase, so it must be one that a service is known to refuse or to rule out, or
a row that nobody can read or count. The rest are warnings.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

Known = Literal["refused", "documented", "unreadable", "taken", "nothing"]
"""`refused`: seen to be refused, in the words that are quoted. `documented`: what a service says of
itself rules it out, or says what becomes of it. `unreadable`: no row can be read, or neither what
is learnt nor what it costs can be told. `taken`: seen to be trained on. `nothing`: not known."""


class Evidence(NamedTuple):
    """How a kind of problem is known. `source` has the date; None where no service is asked."""

    known: Known
    what: str
    source: str | None


_Row = tuple[str, Known, str, str | None]

_TABLE: Mapping[str, _Row] = MappingProxyType(
    {
        # The file as a whole.
        "missing-file": (
            "There is no file at the path.",
            "unreadable",
            "There are no rows.",
            None,
        ),
        "not-a-regular-file": (
            "The path is a directory, a pipe or a device, not a file.",
            "unreadable",
            "There are no rows.",
            None,
        ),
        "unreadable-file": (
            "The system does not let the file be read.",
            "unreadable",
            "There are no rows.",
            None,
        ),
        "empty-file": (
            "The file holds no rows.",
            "refused",
            "invalid_n_examples: 'must have at least 10 examples'",
            "github openai-php/client, a job's error, 2023",
        ),
        "file-too-large": (
            "The file is larger than the service takes.",
            "documented",
            "at most 512 MB a file",
            "OpenAPI 2.3.0, 2026-08",
        ),
        "pointer-file": (
            "The file only points to the data, which git-lfs or DVC keeps elsewhere.",
            "unreadable",
            "The file has no rows.",
            None,
        ),
        "compressed-file": (
            "The file is compressed; the service takes plain text.",
            "unreadable",
            "The file has no rows before it is unpacked.",
            None,
        ),
        "binary-file": (
            "The file is not text.",
            "unreadable",
            "The file has no rows.",
            None,
        ),
        "wrong-encoding": (
            "The file is text in UTF-16 or UTF-32, or not in the encoding that is named for it.",
            "unreadable",
            "JSON between programs is UTF-8 (RFC 8259), and so are the lines of the file.",
            None,
        ),
        "byte-order-mark": (
            "The file starts with a byte order mark, which not every service takes.",
            "documented",
            "Azure asks for one; OpenAI's examples have none",
            "Azure's guide to fine-tuning, 2026-03",
        ),
        "json-not-lines": (
            "The file is one JSON document, not one row per line.",
            "refused",
            (
                "'Expected file to have JSONL format, where every line is a JSON dictionary. Line "
                "1 is not a dictionary'"
            ),
            "github OkGoDoIt/OpenAI-API-dotnet#59, 2023-03",
        ),
        "table-not-lines": (
            "The file is a table (CSV, TSV, Excel, Parquet), not one row per line.",
            "unreadable",
            "The file has no rows before they are made of it.",
            None,
        ),
        "too-few-examples": (
            "The file has fewer rows than a job needs.",
            "refused",
            "invalid_n_examples: 'has 7 example(s), but must have at least 10 examples'",
            "a job's error in a public repository, 2024-12-29",
        ),
        "too-many-examples": (
            "The file has more rows than its method takes.",
            "documented",
            "50,000 rows and 1,000 of validation for reinforcement; 50,000 with images",
            "OpenAI's guides to both, 2026-07",
        ),
        "unknown-format": (
            "The first row's keys fit none of the formats.",
            "refused",
            "\"Example 1 is missing key 'input'\", and likewise 'messages'",
            "jobs' errors in public repositories, read 2026-11-30",
        ),
        "wrong-format": (
            "The rows are in a format that the fine-tune's method does not take.",
            "refused",
            (
                "'is in the fine-tune-chat format, but the specified fine-tuning job is not using "
                "'supervised''"
            ),
            "a job's error in a public repository, 2024-12-29",
        ),
        "mixed-formats": (
            "A row is in another format than the file's first row.",
            "refused",
            "\"Example 1 is missing key 'input'\": a row of another format lacks keys",
            "jobs' errors in public repositories, read 2026-11-30",
        ),
        # One line as text.
        "blank-line": (
            "There are blank lines before or between rows.",
            "nothing",
            (
                "'every line is a JSON dictionary', says the refusal of other lines; of blank ones "
                "no report was found"
            ),
            "read 2026-11-30",
        ),
        "line-too-long": (
            "A line is longer than any row that the service takes.",
            "unreadable",
            "It is longer than any context, and too long to be counted.",
            None,
        ),
        "truncated-line": (
            "The last line breaks off in the middle of a row.",
            "refused",
            "'Example 1273 cannot be parsed. Error: line contains invalid json'",
            "github openai-php/client, a file's status, 2023-03",
        ),
        "not-utf-8": (
            "A line has bytes that are not UTF-8.",
            "unreadable",
            "What the bytes stand for cannot be told.",
            None,
        ),
        "nul-byte": (
            "A line has a NUL byte.",
            "unreadable",
            "JSON has no NUL byte.",
            None,
        ),
        "stray-byte-order-mark": (
            "A line after the first starts with a byte order mark.",
            "unreadable",
            (
                "JSON has no byte order mark (RFC 8259), and few readers pass over one in the "
                "middle of a file."
            ),
            None,
        ),
        "not-json": (
            "A line is not JSON.",
            "refused",
            "'Example 1273 cannot be parsed. Error: line contains invalid json'",
            "github openai-php/client, a file's status, 2023-03",
        ),
        "repeated-key": (
            "A key stands more than once in one object.",
            "unreadable",
            (
                "Readers disagree on which of the values counts, so neither what is learnt nor "
                "what it costs can be told."
            ),
            None,
        ),
        "nan-or-infinity": (
            "A number is NaN or Infinity, which JSON does not have.",
            "unreadable",
            "JSON has no such number (RFC 8259), and strict readers refuse the row.",
            None,
        ),
        "number-out-of-range": (
            "A number is too large for a 64-bit float.",
            "unreadable",
            "Readers disagree on what such a number is.",
            None,
        ),
        "lone-surrogate": (
            "A text has half of a surrogate pair, which UTF-8 cannot carry.",
            "unreadable",
            "UTF-8 cannot carry it, so its tokens cannot be counted.",
            None,
        ),
        "nesting-too-deep": (
            "A row is nested deeper than it can be read.",
            "unreadable",
            "JSON readers give up on it.",
            None,
        ),
        "row-not-object": (
            "A line is JSON, but not an object.",
            "refused",
            "'every line is a JSON dictionary. Line 1 is not a dictionary'",
            "github OkGoDoIt/OpenAI-API-dotnet#59, 2023-03",
        ),
        # One row as a value.
        "unknown-key": (
            "A key is none that the format knows.",
            "refused",
            "invalid_file_format: 'Example 1 contains an extra \"weight\"'",
            "a job's error in a public repository, 2025-10-31",
        ),
        "missing-key": (
            "A key that must be there is not.",
            "refused",
            "\"Example 100, message 2 Discriminator 'role' is missing in value\"",
            "a job's error in a public repository, 2024-02-26",
        ),
        "misplaced-key": (
            "A key stands on a message whose role does not take it.",
            "documented",
            "each role's message has keys of its own; only the assistant's has weight or calls",
            "OpenAPI 2.3.0, 2026-08",
        ),
        "wrong-type": (
            "A value is of another JSON type than it must be.",
            "refused",
            "\"is not of type 'object' - 'messages.0'\", by the chat API for the same messages",
            "portkey.ai, error library, read 2026-11-30",
        ),
        "wrong-value": (
            "A value is of the right type but not one of those allowed.",
            "documented",
            "the values are listed, or bound by a pattern",
            "OpenAPI 2.3.0, 2026-08",
        ),
        "empty-value": (
            "A list or text that must hold something is empty.",
            "documented",
            "at least one message, part, call or function; a URL and a name are texts",
            "OpenAPI 2.3.0, 2026-08",
        ),
        "ignored-key": (
            "A key says nothing where it stands, so it is passed over or refused.",
            "nothing",
            "no service says whether it passes over them or refuses them",
            "read 2026-11-30",
        ),
        "name-form": (
            "A message's name has characters that the chat API refuses.",
            "nothing",
            "the chat API refuses such a name; of training files no report was found",
            "reports of 2025",
        ),
        "reserved-token": (
            "A text has a token that models read as a mark and not as text.",
            "nothing",
            "one such token is refused, see refused-token; of these no report was found",
            "2026-11",
        ),
        "refused-token": (
            "A text has a token that OpenAI refuses in texts.",
            "refused",
            "'Example 6174 message contains an invalid token: <|fim_suffix|>'",
            "github johny-b/llmcomp#59, 2026-02-12",
        ),
        "unknown-role": (
            "A message's role is none that the format knows.",
            "refused",
            (
                "\"'assitant' is not one of ['system', 'assistant', 'user', 'function'] - "
                "'messages.0.role'\", by the chat API for the same messages"
            ),
            "portkey.ai, error library, read 2026-11-30",
        ),
        "unknown-part": (
            "A content part's type is none that the format knows.",
            "documented",
            "the types are listed",
            "OpenAPI 2.3.0, 2026-08",
        ),
        "part-not-allowed": (
            "A content part stands where its type may not.",
            "documented",
            "no images as output of the assistant; each role's parts are listed",
            "OpenAI's guide to vision, 2026-07; OpenAPI 2.3.0, 2026-08",
        ),
        "bad-image-address": (
            "An image's URL is neither a web address nor a data URL.",
            "documented",
            (
                "images that cannot be reached are left out of the training, and the row loses its "
                "meaning"
            ),
            "OpenAI's guide to vision, 2026-07",
        ),
        "bad-image-data": (
            "A data URL holds no PNG, JPEG or WEBP image in base64.",
            "documented",
            "images of another format are left out of the training, and the row loses its meaning",
            "OpenAI's guide to vision, 2026-07",
        ),
        "image-too-large": (
            "An image in a data URL is larger than the service takes.",
            "documented",
            "images of more than 10 MB are left out of the training, and the row loses its meaning",
            "OpenAI's guide to vision, 2026-07",
        ),
        "image-type-differs": (
            "A data URL names another kind of image than it holds.",
            "nothing",
            "whether the name or the bytes count is not said",
            "read 2026-11-30",
        ),
        "too-many-images": (
            "A row has more images than the service takes.",
            "documented",
            "at most 10 images an example, 64 at Azure",
            "OpenAI's guide to vision, 2026-07",
        ),
        "no-learnt-turn": (
            "No assistant message is there to learn from.",
            "documented",
            "example_missing_assistant_message is among the errors of OpenAI's own check of chats",
            "OpenAI cookbook, Chat_finetuning_data_prep, 2024-02",
        ),
        "last-not-assistant": (
            "The conversation goes on after its last assistant message.",
            "nothing",
            "what follows the last answer is not learnt",
            "read 2026-11-30",
        ),
        "last-not-user": (
            "A reinforcement row does not end with a user message.",
            "documented",
            "the messages end with the user's, which the model answers in training",
            "OpenAI's guide to reinforcement, 2026-07",
        ),
        "input-ends-with-assistant": (
            "A preference row's input already ends with an answer.",
            "nothing",
            "no report was found",
            "read 2026-11-30",
        ),
        "not-one-output": (
            "A preference row's output is not exactly one assistant message.",
            "documented",
            "one turn an example: each output is the last assistant message",
            "OpenAI's guide to preferences, 2026-07",
        ),
        "identical-outputs": (
            "A preference row prefers an output to its equal.",
            "nothing",
            "no report was found",
            "read 2026-11-30",
        ),
        "missing-grader-field": (
            "A reinforcement row lacks a field that the grader reads.",
            "documented",
            "invalid_variable_error: a grader that reads what is not there gives no grade",
            "OpenAPI 2.3.0, 2026-08",
        ),
        # Tools and their calls.
        "too-many-functions": (
            "A row declares more functions than the service takes.",
            "refused",
            "'Expected an array with maximum length 128', by the chat API for the same list",
            "OpenAPI 2.3.0, 2026-08: at most 128 functions",
        ),
        "doubtful-schema": (
            "A function's parameters are no JSON Schema of an object.",
            "nothing",
            "no report was found",
            "read 2026-11-30",
        ),
        "strict-schema": (
            "A strict function's parameters are not as strict as they must be.",
            "nothing",
            "the chat API refuses such a schema; of training files no report was found",
            "read 2026-11-30",
        ),
        "arguments-not-json": (
            "A call's arguments are not the text of a JSON object.",
            "nothing",
            "models do not always write JSON, says the specification",
            "OpenAPI 2.3.0, 2026-08",
        ),
        "arguments-encoded-twice": (
            "A call's arguments are JSON text inside JSON text.",
            "taken",
            "most calls of a public example set are so, and the notebook beside it trains on it",
            "OpenAI cookbook, drone_training.jsonl, 2024",
        ),
        "arguments-unfit": (
            "A call's arguments do not fit its function's parameters.",
            "nothing",
            "models write such arguments",
            "read 2026-11-30",
        ),
        "parallel-calls": (
            "A message makes several calls although the row rules that out.",
            "nothing",
            "no report was found",
            "read 2026-11-30",
        ),
        "repeated-function": (
            "A function is declared twice.",
            "nothing",
            "no report was found",
            "read 2026-11-30",
        ),
        "undeclared-function": (
            "A call names a function that the row does not declare.",
            "nothing",
            "no report was found",
            "read 2026-11-30",
        ),
        "repeated-call": (
            "A call has the id of another that is still waiting for its answer.",
            "nothing",
            "a public example set gives every call one id",
            "OpenAI cookbook, drone_training.jsonl, 2024",
        ),
        "unknown-call": (
            "A tool message answers no call that is waiting for an answer.",
            "refused",
            (
                "\"messages with role 'tool' must be a response to a preceeding message with "
                "'tool_calls'\", by the chat API for the same messages"
            ),
            "a request's error in a public repository, 2025-09-03",
        ),
        "unanswered-call": (
            "The conversation goes on before a call is answered.",
            "refused",
            "'contains invalid schema', by Azure for a call that an assistant message follows",
            "github microsoft-foundry/fine-tuning#23, 2026-03-06",
        ),
    }
)

CODES: Mapping[str, str] = MappingProxyType({code: row[0] for code, row in _TABLE.items()})
EVIDENCE: Mapping[str, Evidence] = MappingProxyType(
    {code: Evidence(*row[1:]) for code, row in _TABLE.items()}
)

# The rest are errors. `refused-token` is made one where the service is known to refuse it.
WARNINGS = frozenset(
    {
        "byte-order-mark",
        "blank-line",
        "last-not-assistant",
        "input-ends-with-assistant",
        "identical-outputs",
        "ignored-key",
        "name-form",
        "reserved-token",
        "refused-token",
        "image-type-differs",
        "doubtful-schema",
        "strict-schema",
        "arguments-not-json",
        "arguments-encoded-twice",
        "arguments-unfit",
        "parallel-calls",
        "repeated-function",
        "undeclared-function",
        "repeated-call",
    }
)
