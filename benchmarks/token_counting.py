"""How fast texts and rows are counted, beside tiktoken as it comes.

    python benchmarks/token_counting.py --megabytes 4 --runs 5

One process, no count remembered between the runs, in turns, so that a busy machine slows both
alike; the figures are medians of processor time. Every text's count is compared with tiktoken's:
one that differs ends the run. With --megabytes 20 that is more than 100 MB of text. `again` is
ftctl's for texts that it has met before; it remembers those of the last 4 to 8 million characters.
"""
# ruff: noqa: T201, S311 - a script that prints, with texts that only have to be varied

from __future__ import annotations

import argparse
import json
import random
import string
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate
from statistics import median

import tiktoken

from ftctl.data.tokens import Counter, count_row, open_counter
from ftctl.data.tokens.vocabularies import VOCABULARIES, find_vocabulary, read_tokens

HANGUL = [chr(point) for point in range(0xAC00, 0xD7A4)]
HAN = [chr(point) for point in range(0x4E00, 0x5E00)]
Rows = list[dict[str, object]]
SYSTEM = {"role": "system", "content": "Say which feeling the text has, in one word. " * 20}


def main() -> None:
    options = _options()
    for name in VOCABULARIES:
        _measure_loading(name, options.runs)
        stock = _encoding(name)
        print(f"{name:<22} {'tiktoken':>9} {'ftctl':>9} {'again':>9}   MB/s")
        for kind, write in KINDS.items():
            texts = _texts(write, options.megabytes * 1_000_000)
            _measure_texts(kind, texts, stock, options.runs)
    _measure_rows(options.runs)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=4, metavar="N", help="of every kind")
    parser.add_argument("--runs", type=int, default=5)
    return parser.parse_args()


def _encoding(name: str) -> tiktoken.Encoding:
    """tiktoken's own, with its own pattern."""
    vocabulary = find_vocabulary(name)
    tokens = read_tokens(vocabulary)
    return tiktoken.Encoding(
        name,
        pat_str=vocabulary.pattern,
        mergeable_ranks={token: rank for rank, token in enumerate(tokens)},
        special_tokens=dict(vocabulary.special_tokens),
    )


def _measure_loading(name: str, runs: int) -> None:
    files, wholes = [], []
    for _ in range(runs):
        open_counter.cache_clear()
        start = time.process_time()
        read_tokens(find_vocabulary(name))
        files.append(time.process_time() - start)
        open_counter(name)
        wholes.append(time.process_time() - start - files[-1])
    print(f"{name}: loaded in {median(wholes):.3f} s, of which the file {median(files):.3f} s")


def _measure_texts(kind: str, texts: list[str], stock: tiktoken.Encoding, runs: int) -> None:
    size = sum(len(text.encode()) for text in texts)
    counts = {"tiktoken": [len(stock.encode_ordinary(text)) for text in texts]}
    times: dict[str, list[float]] = {"tiktoken": [], "ftctl": [], "again": []}
    for run in range(runs):
        counter = Counter(open_counter(stock.name)._tiktoken)  # noqa: SLF001 - nothing remembered
        work: dict[str, Callable[[], list[int]]] = {
            "tiktoken": lambda: [len(stock.encode_ordinary(text)) for text in texts],
            "ftctl": partial(_counts, counter, texts),
        }
        for column in sorted(work, reverse=run % 2 == 0):
            seconds, counts[column] = _timed(work[column])
            times[column].append(seconds)
        times["again"].append(_timed(work["ftctl"])[0])
        if counts["ftctl"] != counts["tiktoken"]:
            raise SystemExit(f"{kind}: a count differs from tiktoken's")
    figures = " ".join(f"{size / median(seconds) / 1e6:>9.1f}" for seconds in times.values())
    ratio = median(a / b for a, b in zip(times["tiktoken"], times["ftctl"], strict=True))
    print(f"  {kind:<20} {figures}   {ratio:.2f}x")


def _measure_rows(runs: int) -> None:
    for kind, rows in {"short chats": _chats(), "rows with tools": _calls()}.items():
        taken = []
        for _ in range(runs):
            counter = Counter(open_counter("o200k_base")._tiktoken)  # noqa: SLF001
            taken.append(_timed(partial(_row_counts, counter, rows))[0])
        print(f"  {kind:<20} {median(taken) / len(rows) * 1e6:.1f} µs a row")


def _counts(counter: Counter, texts: list[str]) -> list[int]:
    return [counter.text(text) for text in texts]


def _row_counts(counter: Counter, rows: Rows) -> list[int]:
    return [count_row(row, "chat", counter).training for row in rows]


def _timed(work: Callable[[], list[int]]) -> tuple[float, list[int]]:
    """Seconds of the processor, and what came out."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def _texts(write: Callable[[random.Random], Iterator[str]], size: int) -> list[str]:
    """Texts of a kind, of that many bytes together, the same in every run."""
    texts: list[str] = []
    for text in write(random.Random(1)):
        texts.append(text)
        size -= len(text.encode())
        if size <= 0:
            break
    return texts


def _words(source: random.Random, letters: str | list[str], count: int, longest: int) -> list[str]:
    lengths = source.choices(range(2, longest + 1), k=count)
    return ["".join(source.choices(letters, k=length)) for length in lengths]


def _zipf(count: int) -> list[float]:
    """Weights, summed up: the second word is half as common as the first, and so on."""
    return list(accumulate(1 / (rank + 3) for rank in range(count)))


def _english(source: random.Random) -> Iterator[str]:
    tokens = read_tokens(find_vocabulary("cl100k_base"))
    words = [word for word in map(_word, tokens) if word][:20_000]
    weights = _zipf(len(words))
    while True:
        said = source.choices(words, cum_weights=weights, k=300)
        ends = source.choices(["", ",", ".", ".\n\n", "'s"], [90, 5, 4, 1, 1], k=300)
        yield " ".join(word + end for word, end in zip(said, ends, strict=True))


def _word(token: bytes) -> str | None:
    """The word that a token is with a space before it."""
    letters = token[1:]
    return (
        letters.decode() if token[:1] == b" " and letters.isalpha() and letters.isascii() else None
    )


def _code(source: random.Random) -> Iterator[str]:
    names = _words(source, string.ascii_lowercase, 400, 9)
    while True:
        lines = []
        for a, b, c in (source.choices(names, k=3) for _ in range(60)):
            indent = " " * 4 * source.randrange(4)
            lines.append(f"{indent}if self.{a}_{b}({c}, {a}[{source.randrange(99)}]) != None:")
            lines.append(f'{indent}    return "{b} {c}"  # {a} {b}')
        yield "\n".join(lines)


def _json(source: random.Random) -> Iterator[str]:
    names = _words(source, string.ascii_lowercase, 200, 10)
    while True:
        values = [{name: source.random() for name in source.choices(names, k=9)} for _ in range(9)]
        yield json.dumps(values, separators=(",", ":"))
        yield json.dumps(values, indent=2)


def _korean(source: random.Random) -> Iterator[str]:
    stems, ends = _words(source, HANGUL, 20_000, 3), ["", "은", "를", "에서", "했다.", "하는"]
    weights = _zipf(len(stems))
    while True:
        said = source.choices(stems, cum_weights=weights, k=300)
        yield " ".join(stem + source.choice(ends) for stem in said)


def _chinese(source: random.Random) -> Iterator[str]:
    while True:
        yield "".join(word + source.choice("，。、") for word in _words(source, HAN, 80, 20))


def _random_words(source: random.Random) -> Iterator[str]:
    while True:
        yield " ".join(_words(source, string.ascii_lowercase, 300, 9))


def _random_bytes(source: random.Random) -> Iterator[str]:
    while True:
        yield source.randbytes(2_000).decode("utf-8", "replace")


def _chats() -> Rows:
    texts = _texts(_english, 1_000_000)
    pieces = [text[at : at + 90] for text in texts for at in range(0, len(text), 90)]
    said = ({"role": "user", "content": piece} for piece in pieces)
    reply = {"role": "assistant", "content": "joy"}
    return [json.loads(json.dumps({"messages": [SYSTEM, question, reply]})) for question in said]


def _calls() -> Rows:
    fields = {name: {"type": "string", "description": f"The {name}"} for name in "abcdefgh"}
    function = {"name": "look_up", "parameters": {"type": "object", "properties": fields}}
    tools = json.dumps([{"type": "function", "function": function}] * 4)
    call = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    reply = {"role": "assistant", "tool_calls": [call]}
    return [{"messages": [SYSTEM, reply], "tools": json.loads(tools)} for _ in range(3_000)]


KINDS: dict[str, Callable[[random.Random], Iterator[str]]] = {
    "English": _english,
    "code": _code,
    "JSON": _json,
    "Korean": _korean,
    "Chinese": _chinese,
    "random words": _random_words,
    "random bytes": _random_bytes,
}


if __name__ == "__main__":
    main()
