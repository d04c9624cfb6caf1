"""A size in, a file of training chats out: English, Korean, JSON, code and tool calls, from a seed.

    python benchmarks/dataset_corpus.py --megabytes 100 --out /tmp/mixed.jsonl
    python benchmarks/dataset_corpus.py --megabytes 100 --like real --out /tmp/real.jsonl

`mixed` repeats little: every row has texts of its own, and a third of them one of a dozen lists of
tools. `real` is how most files look that people train on: one system prompt and one list of tools
in every row.

Words are made of syllables and drawn by Zipf's law, so that a file has as many different words as
prose of its length, common ones far more often than rare ones.
"""

# ruff: noqa: S311 - a seed, so that every machine makes the same file

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal

Like = Literal["mixed", "real"]

_COMMON = (  # noqa: SIM905 - a hundred words, legible
    "the of and to a in is you that it for was on are with as be this have from or one had by word"
    " but not what all were we when your can said there use an each which she do how their if will"
    " up other about out many then them these so some her would make like him into time has look"
    " two more write go see number no way could people my than first water been call who oil its"
    " now find long down day did get come made may part please order account refund delivery"
    " invoice payment customer support ticket address shipping product return policy password"
).split()
_SYLLABLES = (  # noqa: SIM905
    "an ar be ca con de di en er es ex fi for ge ha in is la le li lo ma me mi mo na ne no of om or"
    " pa pe per po pre pro ra re ri ro sa se si so sta te ter ti to tra tri un ur ve vi"
).split()
_HANGUL = (
    "가나다라마바사아자차카타파하고노도로모보소오조초코토포호"
    "구누두루무부수우주기니디리미비시이지은는을를에서한국어"
)
_ENDINGS = ("입니다", "합니다", "에서", "으로", "까지", "하고", "에게", "부터", "했어요", "인가요")
_CODE = (
    "def {0}({1}):\n    if {1} is None:\n        return 0\n    return {2}({1}, range({3}))\n",
    "for (let {1} = 0; {1} < {3}; {1}++) {{\n  {0}.push({2}[{1}]);\n}}\n",
    "SELECT {1}, COUNT(*) AS {2} FROM {0} WHERE {1} > {3} GROUP BY {1} ORDER BY {2} DESC;\n",
    "class {0}:\n    def __init__(self, {1}: int = {3}) -> None:\n        self.{2} = {1}\n",
)


class Writer:
    """Writes texts; the same seed writes the same."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        rare = ("".join(self.random.choices(_SYLLABLES, k=self.random.randint(2, 4)))
                for _ in range(30_000))  # fmt: skip
        self._words = [*_COMMON, *rare]
        self._weights = list(accumulate(1 / rank for rank in range(3, len(self._words) + 3)))
        korean = ("".join(self.random.choices(_HANGUL, k=self.random.randint(1, 4)))
                  for _ in range(8_000))  # fmt: skip
        self._korean = list(korean)
        self._korean_weights = list(accumulate(1 / rank for rank in range(3, 8_003)))

    def words(self, count: int) -> list[str]:
        return self.random.choices(self._words, cum_weights=self._weights, k=count)

    def english(self, sentences: int) -> str:
        return " ".join(self._sentence() for _ in range(sentences))

    def _sentence(self) -> str:
        words = self.words(self.random.randint(6, 22))
        words[0] = words[0].capitalize()
        if self.random.random() < 0.3:
            words[len(words) // 2] += self.random.choice((",", ";", " -", "'s", "n't"))
        if self.random.random() < 0.15:
            words.insert(3, str(self.random.randint(1, 99_999)))
        return " ".join(words) + self.random.choice("....?!")

    def korean(self, sentences: int) -> str:
        def sentence() -> str:
            count = self.random.randint(4, 12)
            words = self.random.choices(self._korean, cum_weights=self._korean_weights, k=count)
            return " ".join(words) + self.random.choice(_ENDINGS) + "."

        return " ".join(sentence() for _ in range(sentences))

    def code(self, blocks: int) -> str:
        return "```\n" + "\n".join(self._block() for _ in range(blocks)) + "```"

    def _block(self) -> str:
        return self.random.choice(_CODE).format(*self.words(3), self.random.randint(1, 500))

    def record(self, fields: int) -> dict[str, Any]:
        values: tuple[Callable[[], Any], ...] = (
            lambda: self.random.randint(0, 1_000_000),
            lambda: round(self.random.random() * 1000, 2),
            lambda: " ".join(self.words(self.random.randint(1, 4))),
            lambda: self.random.random() < 0.5,
            lambda: self.words(3),
        )
        names = self.words(fields)
        return {f"{name}_{at}": self.random.choice(values)() for at, name in enumerate(names)}

    def tools(self, count: int) -> list[dict[str, Any]]:
        return [self._tool(number) for number in range(count)]

    def _tool(self, number: int) -> dict[str, Any]:
        fields = {f"{word}_{at}": {"type": "string", "description": self.english(1)}
                  for at, word in enumerate(self.words(3))}  # fmt: skip
        return {
            "type": "function",
            "function": {
                "name": f"{self.words(1)[0]}_{number}",
                "description": self.english(1),
                "parameters": {"type": "object", "properties": fields, "required": [*fields][:1]},
            },
        }

    def call(self, tools: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """A call of one of the tools, and its answer."""
        function = self.random.choice(tools)["function"]
        arguments = {name: " ".join(self.words(2)) for name in function["parameters"]["properties"]}
        name = f"call_{self.random.getrandbits(64):016x}"
        called = {"name": function["name"], "arguments": json.dumps(arguments)}
        return [
            {"role": "assistant", "content": None,
             "tool_calls": [{"id": name, "type": "function", "function": called}]},
            {"role": "tool", "tool_call_id": name, "content": json.dumps(self.record(6))},
        ]  # fmt: skip


def rows(like: Like, seed: int = 7) -> Iterator[dict[str, Any]]:
    """Rows without end."""
    writer = Writer(seed)
    make = {"mixed": _mixed, "real": _real}[like]
    prompt, tools = writer.english(20), [writer.tools(3 + 3 * (like == "real")) for _ in range(12)]
    while True:
        yield make(writer, prompt, tools)


def _mixed(writer: Writer, _prompt: str, lists: list[list[dict[str, Any]]]) -> dict[str, Any]:
    say = writer.random.choice((writer.english, writer.english, writer.korean, writer.code))
    messages: list[dict[str, Any]] = []
    if writer.random.random() < 0.5:
        messages.append({"role": "system", "content": writer.english(3)})
    with_tools = writer.random.random() < 0.33
    tools = writer.random.choice(lists) if with_tools else []
    for _ in range(writer.random.randint(1, 3)):
        messages.append({"role": "user", "content": say(writer.random.randint(1, 8))})
        if tools:
            messages += writer.call(tools)
        messages.append({"role": "assistant", "content": say(writer.random.randint(2, 14))})
    if writer.random.random() < 0.15:
        messages[-1]["content"] = json.dumps(writer.record(20), indent=2)
    return {"messages": messages, **({"tools": tools} if tools else {})}


def _real(writer: Writer, prompt: str, lists: list[list[dict[str, Any]]]) -> dict[str, Any]:
    tools = lists[0]
    messages: list[dict[str, Any]] = [{"role": "system", "content": prompt}]
    for _ in range(writer.random.randint(1, 2)):
        messages.append({"role": "user", "content": writer.english(writer.random.randint(1, 4))})
        if writer.random.random() < 0.3:
            messages += writer.call(tools)
        answer = writer.english(writer.random.randint(2, 8))
        messages.append({"role": "assistant", "content": answer})
    return {"messages": messages, "tools": tools}


def write_corpus(path: Path, megabytes: float, like: Like = "mixed", seed: int = 7) -> int:
    """The rows that were written, up to so many megabytes (of 10^6 bytes)."""
    left, count = megabytes * 1e6, 0
    with path.open("wb") as file:
        for row in rows(like, seed):
            line = json.dumps(row, ensure_ascii=count % 4 == 0).encode() + b"\n"
            left -= len(line)
            if left < 0 and count >= 10:
                break
            file.write(line)
            count += 1
    return count


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=float, default=10)
    parser.add_argument("--like", choices=["mixed", "real"], default="mixed")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    write_corpus(options.out, options.megabytes, options.like, options.seed)
