"""How long `ftctl plan` takes as a project grows, beside Terraform over as many resources.

    python benchmarks/plan_scale.py --sizes 100 1000 10000 --terraform

Whole processes, in turns, so that a busy machine slows all alike. docs/performance.md explains.
"""
# ruff: noqa: T201, S603, S607 - a script that prints, and runs terraform from wherever it is

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

from corpus import (
    Size,
    fill_account,
    finetune_text,
    write_project,
    write_terraform,
    write_terraform_state,
)

FTCTL = [sys.executable, "-m", "ftctl"]
TERRAFORM_PLAN = ["terraform", "plan", "-input=false", "-no-color"]


@dataclass
class Contender:
    """A command, what happens before each of its runs, and what the runs took."""

    name: str
    command: list[str]
    folder: Path
    expected: str  # what its output must say, or it measured something else
    before: Callable[[], None] = lambda: None
    seconds: list[float] = field(default_factory=list)
    mebibytes: list[float] = field(default_factory=list)

    def run(self) -> None:
        self.before()
        with tempfile.TemporaryFile("w+", encoding="utf-8") as out:
            started = time.perf_counter()
            process = subprocess.Popen(self.command, cwd=self.folder, stdout=out, stderr=out)
            _, status, usage = os.wait4(process.pid, 0)
            self.seconds.append(time.perf_counter() - started)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.mebibytes.append(usage.ru_maxrss / 1024)
            out.seek(0)
            text = out.read()
        if process.returncode or self.expected not in text:
            raise SystemExit(f"{self.name}: exit {process.returncode}\n{text[-2000:]}")


def main() -> None:
    options = _options()
    print(f"{'fine-tunes':>10}  {'run':<34} {'seconds':>8} {'MiB':>6} {'requests':>8}  ratio")
    for count in options.sizes:
        for per_file in options.per_file:
            with tempfile.TemporaryDirectory(prefix="plan-scale-") as folder:
                measure(Path(folder), Size(count, per_file), options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000], metavar="N")
    parser.add_argument("--per-file", type=int, nargs="+", default=[1], metavar="N",
                        help="documents in one manifest file")  # fmt: skip
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--terraform", action="store_true", help="run Terraform beside it")
    return parser.parse_args()


def measure(folder: Path, size: Size, options: argparse.Namespace) -> None:
    """Runs every contender in turns and prints a line for each."""
    os.environ["FTCTL_CACHE_DIR"] = str(folder / "cache")
    project = folder / "project"
    project.mkdir()
    write_project(project, size)
    fill_account(project, size)
    contenders = _ftctl(project, size)
    if options.terraform and size.per_file == options.per_file[0]:
        contenders += _terraform(folder, size)
    # The run without a cache comes first: it leaves the cache that the next one finds.
    for _ in range(options.runs):
        for contender in contenders:
            contender.run()
    by_name = {one.name: median(one.seconds) for one in contenders}
    requests = _requests(project)
    for one in contenders:
        like = one.name.replace("ftctl", "terraform")
        rival = by_name.get(like, by_name.get("terraform plan"))
        ours = one.name.startswith("ftctl")
        ratio = f"{rival / median(one.seconds):.1f}x" if ours and rival else ""
        asked = str(requests) if ours else ""
        name = one.name + (f" ({size.per_file} a file)" if ours and size.per_file > 1 else "")
        print(
            f"{size.finetunes:>10}  {name:<34} {median(one.seconds):>8.2f}"
            f" {max(one.mebibytes):>6.0f} {asked:>8}  {ratio}",
            flush=True,
        )


def _ftctl(project: Path, size: Size) -> list[Contender]:
    first = project / "finetunes" / "f00000.yaml"
    text = first.read_text("utf-8")
    rounds = iter(range(4, 1_000))

    def forget() -> None:
        shutil.rmtree(os.environ["FTCTL_CACHE_DIR"], ignore_errors=True)

    def edit() -> None:
        changed = finetune_text(0, size, next(rounds))
        first.write_text(changed + text.removeprefix(finetune_text(0, size)), "utf-8")

    def restore() -> None:
        first.write_text(text, "utf-8")

    def cold() -> None:
        forget()
        restore()

    same, change = "Nothing to do", "Plan: 1 to replace"
    plan = [*FTCTL, "plan"]
    return [
        Contender("ftctl plan, nothing cached", plan, project, same, cold),
        Contender("ftctl plan", plan, project, same, restore),
        Contender("ftctl plan, one changed", plan, project, change, edit),
    ]


def _terraform(folder: Path, size: Size) -> list[Contender]:
    root = folder / "terraform"
    root.mkdir()
    write_terraform(root, size)
    write_terraform_state(root, size)
    subprocess.run(["terraform", "init", "-input=false"], cwd=root, check=True, capture_output=True)
    same, change = "No changes", "1 to change"
    reset = partial(write_terraform, root, size)
    return [
        Contender("terraform plan", TERRAFORM_PLAN, root, same, reset),
        Contender(
            "terraform plan, one changed", TERRAFORM_PLAN, root, change,
            partial(write_terraform, root, size, 4),
        ),
    ]  # fmt: skip


def _requests(project: Path) -> int:
    done = subprocess.run(
        [*FTCTL, "plan", "-v"], cwd=project, check=True, capture_output=True, text=True
    )
    return sum(1 for line in done.stderr.splitlines() if line.startswith("> "))


if __name__ == "__main__":
    main()
