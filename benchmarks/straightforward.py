"""The script that people write today: a file in; its faults, tokens and price on standard output.

    python benchmarks/straightforward.py FILE

It follows OpenAI's notebook on preparing chats for fine-tuning: read all rows, look at each
message, count its texts with tiktoken. What a message costs beside its texts is as ftctl counts it,
so that the two totals can be compared.
"""
# ruff: noqa: T201 - a script that prints

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import tiktoken

LIMIT = 65_536
ROLES = {"system", "developer", "user", "assistant", "tool", "function"}
KEYS = {"role", "content", "name", "tool_calls", "tool_call_id", "function_call", "weight"}


def main(path: Path) -> None:
    encoding = tiktoken.get_encoding("o200k_base")
    with path.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    faults: Counter[str] = Counter()
    for row in rows:
        check(row, faults)
    lengths = [count(row, encoding) for row in rows]
    tokens = sum(min(LIMIT, length) for length in lengths)
    print(f"rows {len(rows)}")
    print(f"faults {sum(faults.values())}")
    print(f"tokens {tokens}")


def check(row: dict[str, Any], faults: Counter[str]) -> None:
    messages = row.get("messages")
    if not messages:
        faults["no messages"] += 1
        return
    for message in messages:
        if "role" not in message or message["role"] not in ROLES:
            faults["role"] += 1
        if any(key not in KEYS for key in message):
            faults["key"] += 1
        content = message.get("content")
        if not isinstance(content, str) and not message.get("tool_calls"):
            faults["content"] += 1
    if not any(message.get("role") == "assistant" for message in messages):
        faults["no assistant"] += 1


def count(row: dict[str, Any], encoding: tiktoken.Encoding) -> int:
    tokens = 0
    for message in row["messages"]:
        tokens += 3
        for key in ("role", "content", "name"):
            if isinstance(message.get(key), str):
                tokens += len(encoding.encode_ordinary(message[key]))
        for call in message.get("tool_calls") or ():
            for text in (call["function"]["name"], call["function"]["arguments"]):
                tokens += len(encoding.encode_ordinary(text))
    if row.get("tools"):
        text = json.dumps(row["tools"], ensure_ascii=False, separators=(",", ":"))
        tokens += len(encoding.encode_ordinary(text))
    return tokens


if __name__ == "__main__":
    main(Path(sys.argv[1]))
