"""Token counts: the shipped vocabularies are the official ones, and count as tiktoken does."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import tiktoken
from conftest import DATA, ROOT, rounds
from hypothesis import given, settings
from hypothesis import strategies as st
from tiktoken_ext import openai_public

from ftctl.data.tokens import Counter, VocabularyError, encoding_for, open_counter
from ftctl.data.tokens.counter import (
    ENTRY_SIZE,
    GENERATION_SIZE,
    LONGEST_BLANK,
    LONGEST_REMEMBERED,
    MOST_MEASURED,
    encode_around_blanks,
    quick_pattern,
)
from ftctl.data.tokens.rank_files import official_file, pack, unpack
from ftctl.data.tokens.vocabularies import RANKS, VOCABULARIES, find_vocabulary, read_tokens
from ftctl.emulator.base_models import BASE_MODELS

NAMES = tuple(VOCABULARIES)
UNICODE = 0x110000
SURROGATES = range(0xD800, 0xE000)

NASTY = [
    "",
    " ",
    "\n",
    "a b  c   d\t\te\r\n\r\nf \n",
    "I'll we'd THEY'VE it's 'S 'll''re",
    "12345678901234567890 3.14159 1,000,000 ½ ٣ 四",
    "👩‍👩‍👧‍👦 👍🏽 🏳️‍🌈 🇰🇷🇯🇵 e\u0301 a\u0300\u0301\u0302",
    "<|endoftext|> <|im_start|>user<|im_sep|>hi<|im_end|> <|fim_prefix|> <|endofprompt|>",
    "//*** !!! ???\n\n/// ---===>>> \u2028 \u2029 \ufeff \u200b",
    'fn main() {\n    println!("{}", x);\n\t}\r\n',
    "안녕하세요 세계 こんにちは世界 你好，世界 שלום עולם مرحبا بالعالم नमस्ते दुनिया สวัสดีชาวโลก",
    "ſtraße ŉ Ǆǅǆ ʰʱ ﬁ İi ıI",
    "\x00\x01\x1c\x1d\x1e\x1f\x7f\x85\xa0",
    "\U0010ffff\ue000\ufffe",
]


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tiktoken.Encoding]]:
    """tiktoken's own encodings, from its own definitions, over the files that we rebuild."""
    cache = tmp_path_factory.mktemp("tiktoken")
    for vocabulary in VOCABULARIES.values():
        name = hashlib.sha1(vocabulary.url.encode()).hexdigest()  # as tiktoken names them
        (cache / name).write_bytes(official_file(read_tokens(vocabulary)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", str(cache))
        yield {
            name: tiktoken.Encoding(**openai_public.ENCODING_CONSTRUCTORS[name]()) for name in NAMES
        }


@pytest.mark.parametrize("name", NAMES)
def test_unpacking_rebuilds_the_official_file(name: str) -> None:
    vocabulary = find_vocabulary(name)

    official = official_file(read_tokens(vocabulary))

    assert hashlib.sha256(official).hexdigest() == vocabulary.official_sha256
    assert official_file(unpack(pack(official))) == official


def test_a_file_whose_ranks_do_not_count_up_is_not_packed() -> None:
    with pytest.raises(ValueError, match="line 2 has rank 2, not 1"):
        pack(b"YQ== 0\nYg== 2\n")


@pytest.mark.parametrize("name", NAMES)
def test_our_encoding_is_the_stock_one(name: str, stock: dict[str, tiktoken.Encoding]) -> None:
    ours = open_counter(name)._tiktoken

    assert ours._mergeable_ranks == stock[name]._mergeable_ranks
    assert ours._special_tokens == stock[name]._special_tokens
    assert find_vocabulary(name).pattern == stock[name]._pat_str
    assert ours._pat_str == quick_pattern(stock[name]._pat_str)


@pytest.mark.parametrize("text", NASTY)
@pytest.mark.parametrize("name", NAMES)
def test_nasty_texts_count_as_stock(
    name: str, text: str, stock: dict[str, tiktoken.Encoding]
) -> None:
    expected = stock[name].encode_ordinary(text)
    counter = open_counter(name)

    assert counter.encode(text) == expected
    assert counter.text(text) == len(expected)
    assert counter.decode(expected) == text


@pytest.mark.parametrize("name", NAMES)
def test_every_character_of_every_script_counts_as_stock(
    name: str, stock: dict[str, tiktoken.Encoding]
) -> None:
    assigned = [
        chr(point)
        for point in range(UNICODE)
        if point not in SURROGATES and unicodedata.category(chr(point)) not in ("Cn", "Co")
    ]
    runs = ["".join(assigned[at : at + 64]) for at in range(0, len(assigned), 64)]
    spaced = [" ".join(run) for run in runs]

    for text in runs + spaced:
        tokens = open_counter(name).encode(text)
        assert tokens == stock[name].encode_ordinary(text)
        assert stock[name].decode(tokens) == text


@pytest.mark.parametrize("letter", ["a", "Z", "7", " ", "\t", "\n", "\r\n", "^", "é", "的", "😀"])
@pytest.mark.parametrize("name", NAMES)
def test_a_hundred_thousand_times_one_character_counts_as_stock(
    name: str, letter: str, stock: dict[str, tiktoken.Encoding]
) -> None:
    for text in (letter * 100_000, letter * 100_001 + "x", "x" + letter * 100_002):
        assert open_counter(name).encode(text) == stock[name].encode_ordinary(text)


@pytest.mark.parametrize("name", NAMES)
@given(text=st.text(st.characters(exclude_categories=["Cs"])))
@settings(deadline=None)
def test_any_text_counts_as_stock(
    name: str, text: str, stock: dict[str, tiktoken.Encoding]
) -> None:
    expected = stock[name].encode_ordinary(text)

    assert open_counter(name).encode(text) == expected
    assert open_counter(name).decode(expected) == text


# What the patterns treat apart, and what looks like it.
KINDS = ["a", "Z", "ǅ", "ʰ", "가", "\u0301", "\u200d", "7", "½", "'s", "'LL", "ſ", "'", "/", ".",
         "…", "😀", "\ufffd", "ש", "<|endoftext|>", "CamelCase", "123", "\x1c",
         "\n", "\r\n"]  # fmt: skip
SPACES = [chr(point) for point in range(UNICODE) if chr(point).isspace()]


@pytest.mark.parametrize("name", NAMES)
def test_all_white_space_between_all_kinds_counts_as_stock(
    name: str, stock: dict[str, tiktoken.Encoding]
) -> None:
    encode, expected = open_counter(name).encode, stock[name].encode_ordinary
    gaps = [*SPACES, *map("".join, itertools.product(SPACES, repeat=2)), "   ", " \n ", "\n  "]

    for gap in gaps:
        for before in KINDS:
            # One text for all that follow: a line break and a letter keep them apart.
            text = "\nx".join(before + gap + after for after in KINDS)
            assert encode(text) == expected(text)
            assert encode(before + gap) == expected(before + gap)
            assert encode(gap + before) == expected(gap + before)


@pytest.mark.parametrize("name", NAMES)
@given(parts=st.lists(st.sampled_from([*KINDS, *SPACES, "  ", "\t\t", "\n    "]), max_size=40))
@settings(deadline=None, max_examples=rounds(2_000))
def test_any_mixture_of_kinds_counts_as_stock(
    name: str, parts: list[str], stock: dict[str, tiktoken.Encoding]
) -> None:
    text = "".join(parts)

    assert open_counter(name).encode(text) == stock[name].encode_ordinary(text)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16-le", "cp437"])
def test_random_bytes_count_as_stock(
    name: str, encoding: str, stock: dict[str, tiktoken.Encoding]
) -> None:
    source = random.Random(encoding)

    for _ in range(300):
        text = source.randbytes(2_000).decode(encoding, "replace")
        assert open_counter(name).encode(text) == stock[name].encode_ordinary(text)


BLANKS = st.text(st.sampled_from("  \t\t\v\f\x85\xa0\u1680\u2003\u2028\u2029\u3000\n\r\x1c!/a1'一"))


@pytest.mark.parametrize("name", NAMES)
@given(text=BLANKS, longest=st.integers(1, 4))
@settings(deadline=None, max_examples=rounds(1_000))
def test_going_around_blanks_changes_no_token(
    name: str, text: str, longest: int, stock: dict[str, tiktoken.Encoding]
) -> None:
    around = encode_around_blanks(stock[name], text, longest)

    assert around == stock[name].encode_ordinary(text)


@pytest.mark.parametrize("name", NAMES)
def test_blanks_on_which_tiktoken_panics_are_counted(name: str) -> None:
    counter = open_counter(name)
    blanks = "\t \u3000" * 500_000
    text = f"one\n{blanks}two{blanks}\nthree{blanks}"

    tokens = counter.encode(text)

    assert counter.decode(tokens) == text
    # Far from the ends of a run, the tokens are those of any long run of the same blanks.
    short = counter.encode("\t \u3000" * (LONGEST_BLANK // 3))
    assert len(tokens) == pytest.approx(3 * 15 * len(short), rel=1e-3)


def test_looking_for_runs_of_blanks_takes_no_time_where_they_are_just_too_short() -> None:
    text = (" " * LONGEST_BLANK + "x") * 2
    start = time.perf_counter()

    tokens = open_counter("o200k_base").encode(text)

    assert len(tokens) == 2 * len(open_counter("o200k_base").encode(text[: len(text) // 2]))
    assert time.perf_counter() - start < 5  # it takes 0.05 s; a search from every blank, fifteen


def test_half_characters_count_as_the_replacement_character() -> None:
    counter = open_counter("o200k_base")

    assert counter.encode("a\ud800b\udfff") == counter.encode("a\ufffdb\ufffd")
    assert counter.encode("\ud83d\ude00!") == counter.encode("😀!")
    long = "\ud800" * (LONGEST_BLANK + 1)
    assert counter.text(long) == counter.text(long.replace("\ud800", "\ufffd"))


def test_what_looks_like_a_special_token_is_text() -> None:
    counter = open_counter("cl100k_base")

    assert counter.decode(counter.encode("<|endoftext|>")) == "<|endoftext|>"
    assert counter.text("<|endoftext|>") == 7


def test_a_text_met_again_has_the_same_count_and_memory_has_a_bound() -> None:
    counter = type(open_counter("o200k_base"))(open_counter("o200k_base")._tiktoken)
    often = "one prompt for every row " * 100
    texts = [f"{number} " + "row " * 5_000 for number in range(1_000)]

    counts = [(counter.text(often), counter.text(text)) for text in texts]

    assert counts == [(501, len(counter.encode(text))) for text in texts]
    memory = counter._remembered
    assert memory.find(often) == 501
    for generation in (memory, memory._old):
        size = sum(len(text) + ENTRY_SIZE for text in generation)
        assert size <= GENERATION_SIZE + LONGEST_REMEMBERED + ENTRY_SIZE
    long = "x" * (LONGEST_REMEMBERED + 1)
    assert counter.text(long) == len(counter.encode(long))
    assert memory.find(long) is None


def test_a_value_is_measured_once_and_never_taken_for_another() -> None:
    counter = type(open_counter("o200k_base"))(open_counter("o200k_base")._tiktoken)
    deep: list[object] = []
    for _ in range(3_000):
        deep = [deep]
    values = [
        [1],
        [True],
        [1.0],
        [{"a": 1, "b": 2}],
        [{"b": 2, "a": 1}],
        ["\ud800"],
        [10**40],
        deep,
    ]
    measured: list[object] = []

    def measure(value: object, by: Counter) -> tuple[int, int]:
        measured.append(value)
        return 7, by.text("[deep]" if value is deep else json.dumps(value))

    counts = [[counter.measured(value, measure) for value in values] for _ in range(2)]

    texts = [*map(json.dumps, values[:-1]), "[deep]"]
    assert counts == [[(7, len(counter.encode(text))) for text in texts]] * 2
    assert [*map(id, measured)] == [*map(id, values), id(deep)]  # too deep to be remembered


def test_what_is_measured_takes_bounded_memory() -> None:
    counter = type(open_counter("o200k_base"))(open_counter("o200k_base")._tiktoken)
    often = ["often"]

    for number in range(400):
        value = [f"{number} " * 20_000]
        assert counter.measured(value, lambda _, __: (1,)) == (1,)
        assert counter.measured(often, lambda _, __: (2,)) == (2,)

    assert sum(map(len, counter._by_content)) <= GENERATION_SIZE
    assert len(counter._measured) <= MOST_MEASURED


def test_threads_share_a_counter() -> None:
    counter = open_counter("o200k_base")
    texts = [f"{number % 97} times " * (number % 31) for number in range(4_000)]

    with ThreadPoolExecutor(8) as threads:
        counts = list(threads.map(counter.text, texts))

    assert counts == [len(counter.encode(text)) for text in texts]


def test_a_process_opens_a_vocabulary_once() -> None:
    assert open_counter("o200k_base") is open_counter("o200k_base")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda packed: packed[:-1], "the file is damaged; install ftctl again"),
        (lambda packed: b"\0" + packed[1:], "the file is damaged; install ftctl again"),
        (lambda _packed: None, "No such file or directory; install ftctl again"),
    ],
    ids=["cut", "changed", "gone"],
)
def test_a_vocabulary_that_is_not_as_shipped_is_refused(
    change: Callable[[bytes], bytes | None], complaint: str, tmp_path: Path
) -> None:
    path = tmp_path / "o200k_base.ranks"
    content = change((RANKS / path.name).read_bytes())
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(VocabularyError) as refused:
        read_tokens(find_vocabulary("o200k_base"), tmp_path)

    assert str(refused.value) == f"{path}: {complaint}"


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(VocabularyError) as refused:
        open_counter("p50k_base")

    assert str(refused.value) == (
        "unknown encoding 'p50k_base'; known are: o200k_base, cl100k_base"
    )


ALONE = """
import socket, sys

def refuse(*_arguments):
    raise AssertionError("a socket")

socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
import ftctl.data.tokens
assert "tiktoken" not in sys.modules, "ftctl.data.tokens imports tiktoken"
ftctl.data.tokens.encoding_for("gpt-4o")
assert "tiktoken" not in sys.modules, "a model's name imports tiktoken"
counts = [ftctl.data.tokens.open_counter(name).text("hello world") for name in
          ("o200k_base", "cl100k_base")]
ours = [name for name in sys.modules if name.startswith("ftctl.")]
rooms = ("ftctl.lazy", "ftctl.data")
others = [name for name in ours if name not in rooms and "tokens" not in name]
print(counts, others)
"""


def test_counting_needs_no_network_no_home_and_nothing_else_of_ftctl(
    tmp_path: Path,
) -> None:
    environ = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    environ |= {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}

    done = subprocess.run(
        [sys.executable, "-c", ALONE],
        check=False,
        env=environ,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )

    assert (done.stdout, done.stderr, done.returncode) == ("[2, 2] []\n", "", 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("gpt-4.1", "o200k_base"),
        ("gpt-4.1-mini-2025-04-14", "o200k_base"),
        ("gpt-4o-mini", "o200k_base"),
        ("o4-mini-2025-04-16", "o200k_base"),
        ("gpt-4-0613", "cl100k_base"),
        ("gpt-4", "cl100k_base"),
        ("gpt-4-turbo-2024-04-09", "cl100k_base"),
        ("gpt-3.5-turbo-0125", "cl100k_base"),
        ("gpt-35-turbo", "cl100k_base"),
        ("babbage-002", "cl100k_base"),
        ("davinci-002", "cl100k_base"),
        ("ft:gpt-4.1-mini-2025-04-14:acme:tone:abc123", "o200k_base"),
        ("ft:gpt-4o-2024-08-06:acme::abc123:ckpt-step-88", "o200k_base"),
        ("ft:gpt-4-0613:acme::abc123", "cl100k_base"),
        ("ft:babbage-002:acme::abc123", "cl100k_base"),
        ("gpt-4o-mini-2024-07-18.ft-0e208cf33a6a466994aff31a08aba678", "o200k_base"),
        ("openai/gpt-oss-20b", "o200k_base"),
        ("openai.gpt-oss-20b-1:0", "o200k_base"),
        ("gpt-4.2", None),
        ("gpt-6-luna", None),
        ("meta-llama/Llama-3.1-8B-Instruct", None),
        ("Qwen/Qwen3-32B", None),
        ("ft:", None),
        ("ft:Qwen/Qwen3-32B:acme::x", None),
        ("", None),
        ("-", None),
        ("GPT-4o", None),
    ],
)
def test_a_model_has_its_encoding(model: str, encoding: str | None) -> None:
    assert encoding_for(model) == encoding


def test_every_model_that_the_emulator_trains_has_an_encoding() -> None:
    for base in BASE_MODELS:
        for name in (base.name, *base.aliases):
            assert encoding_for(name) == tiktoken.encoding_name_for_model(name)
            assert encoding_for(f"ft:{name}:acme::abc123") == encoding_for(name)


def test_real_training_files_count_as_stock(stock: dict[str, tiktoken.Encoding]) -> None:
    path = DATA / "emotion" / "train.jsonl"
    if not path.exists():
        pytest.skip(f"there is no {path}")
    lines = path.read_text("utf-8").splitlines()

    counts = {name: sum(map(open_counter(name).text, lines)) for name in NAMES}

    assert counts == {
        name: sum(len(stock[name].encode_ordinary(line)) for line in lines) for name in NAMES
    }
