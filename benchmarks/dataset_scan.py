"""How long a pass over a data file takes, beside the script that people write for it today.

    python benchmarks/dataset_scan.py --megabytes 10 100 --like mixed real

Whole processes, in turns, so that a busy machine slows all alike. docs/performance.md explains.
"""
# ruff: noqa: T201, S603, PLC0415 - it prints, runs itself, and is timed with its imports

from __future__ import annotations

import argparse
import os
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ftctl.data.cache.datasets import Datasets
from ftctl.data.cache.store import open_store
from ftctl.data.scanning.scan_request import Counting, ScanRequest
from ftctl.data.tokens.chat_counting import EXAMPLE_PRIMING_TOKENS

if TYPE_CHECKING:
    from ftctl.data.scanning.workers import Workers

ENCODING = "o200k_base"
BENCHMARKS = Path(__file__).parent
SETTLED_NANOSECONDS = 10_000_000_000  # as if the file had not been touched for a while


@dataclass
class Contender:
    """A way to check and count a file, and what its runs took."""

    name: str
    command: list[str]
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)  # seconds, of all its processes
    mebibytes: list[float] = field(default_factory=list)  # of its largest process
    tokens: str = ""

    def run(self, environ: dict[str, str]) -> None:
        import subprocess

        started = time.perf_counter()
        process = subprocess.Popen(
            self.command, stdout=subprocess.PIPE, env={**os.environ, **environ}
        )
        assert process.stdout is not None
        told = process.stdout.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        self.seconds.append(time.perf_counter() - started)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{self.name}: exit {process.returncode}")
        self.cpu.append(usage.ru_utime + usage.ru_stime)
        self.mebibytes.append(usage.ru_maxrss / 1024)
        self.tokens = next(line for line in told.splitlines() if line.startswith("tokens "))


def contenders(file: Path, cache: Path, names: list[str]) -> list[Contender]:
    python = sys.executable
    script = [python, str(BENCHMARKS / "straightforward.py"), str(file)]
    own = [python, str(BENCHMARKS / "dataset_scan.py"), "--scan", str(file), "--cache", str(cache)]
    every = [Contender("straightforward script", script)]
    every += [Contender(name, [*own, "--way", name]) for name in names]
    return every


def scan(file: Path, way: str, cache: Path) -> None:
    """One way of ours, in this process."""
    store = open_store(cache, "datasets")
    faster_bytes = 0 if way == "faster tokenizer" else None
    count = 1 if way == "one process" else None
    request = ScanRequest("supervised", countings=(Counting(ENCODING),))
    if way == "with quality":
        from ftctl.domain.quality_settings import QualitySettings

        request = replace(request, quality=QualitySettings())
    with ExitStack() as stack:

        def workers() -> Workers:
            from ftctl.data.scanning.workers import Workers

            return stack.enter_context(Workers(count, faster_bytes=faster_bytes))

        data = Datasets(
            store if way == "unchanged" else None,
            now=lambda: time.time_ns() + SETTLED_NANOSECONDS,
            workers=workers,
        )
        found = data.scan("data", file, file.name, request)
    store.save()
    assert found.dataset is not None, found.diagnostics[:3]
    assert found.tokens is not None
    # The script counts tools as their JSON, which is our upper bound, and primes no example.
    primed = EXAMPLE_PRIMING_TOKENS * found.dataset.examples
    print(f"tokens {found.tokens.high - primed}")


def measure(file: Path, runs: int, ways: list[str]) -> None:
    import tempfile
    from statistics import median

    with tempfile.TemporaryDirectory(prefix="dataset-scan-") as folder:
        environ = {"TIKTOKEN_CACHE_DIR": str(_vocabularies(Path(folder)))}
        every = contenders(file, Path(folder) / ".ftctl" / "cache", ways)
        for one in every:
            if one.name == "unchanged":  # its first run fills the cache
                one.run(environ)
                one.seconds.clear(), one.cpu.clear(), one.mebibytes.clear()
        for _ in range(runs):
            for one in every:
                one.run(environ)
        size = file.stat().st_size / 1e6
        base = every[0]
        for one in every:
            assert one.tokens == base.tokens, f"{one.name}: {one.tokens}, not {base.tokens}"
            ratios = [theirs / ours for theirs, ours in zip(base.seconds, one.seconds, strict=True)]
            took = median(one.seconds)
            print(
                f"{file.name:<18} {one.name:<24} {took:>7.2f} s {size / took:>7.1f} MB/s"
                f" {median(ratios):>6.1f}x  cpu {median(one.cpu):>6.2f} s"
                f" {median(base.cpu) / median(one.cpu):>6.1f}x"
                f"  best {min(base.seconds) / min(one.seconds):>6.1f}x"
                f" {max(one.mebibytes):>5.0f} MiB",
                flush=True,
            )


def _vocabularies(folder: Path) -> Path:
    """The official files where tiktoken looks for what it would download."""
    import hashlib

    from ftctl.data.tokens.rank_files import official_file
    from ftctl.data.tokens.vocabularies import VOCABULARIES, read_tokens

    for vocabulary in VOCABULARIES.values():
        name = hashlib.sha1(vocabulary.url.encode(), usedforsecurity=False).hexdigest()
        (folder / name).write_bytes(official_file(read_tokens(vocabulary)))
    return folder


WAYS = ["one process", "all processors", "faster tokenizer", "unchanged", "with quality"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=float, nargs="+", default=[10])
    parser.add_argument("--like", nargs="+", choices=["mixed", "real"], default=["mixed", "real"])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="keep the files here, and use those that are")
    parser.add_argument("--scan", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.scan:
        scan(options.scan, options.way, options.cache)
        return
    import tempfile

    from dataset_corpus import write_corpus

    with tempfile.TemporaryDirectory(prefix="dataset-corpus-") as temporary:
        folder = options.folder or Path(temporary)
        for size in options.megabytes:
            for like in options.like:
                file = folder / f"{like}-{size:g}.jsonl"
                if not file.exists():
                    write_corpus(file, size, like)
                measure(file, options.runs, options.ways)


if __name__ == "__main__":
    main()
