"""Fine-tunes on data that steps made in; what is left behind of them, under both marks, out.

    PYTHONPATH=CHECKOUT:tests python -m upgrade.freeze_bought tests/upgrade/DATE

makes the folder `bought` there, which is then never made again: see its README. CHECKOUT has the
ftctl that buys; the rows are those of the folder `rows` there.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from conftest import HandClock

from upgrade import freeze
from upgrade.freeze import MARKS, MODEL, Place, marked

NOON = 1_796_040_000.0  # 2026-11-30T12:00Z
_QA = "convert: {template: {user: '{question}', assistant: '{answer}'}}"
_GRADER = (
    "method: reinforcement",
    "validation: questions-rows",
    "grader: {type: string_check, name: a, input: a, reference: b, operation: eq}",
)
# A fine-tune's name: its source, its steps, and more of its manifest.
WANTED: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    # As it was meant.
    "table": ("table-utf-8.csv", (_QA,), ()),
    "sampled": ("rows-many.jsonl", ("sample: {rows: 20, seed: 3}",), ()),
    "left-out": ("sharegpt-with-id.jsonl", ("convert: {}",), ()),
    # As it was not.
    "list-cell": ("cells-list.jsonl", ("convert: {}",), ()),
    "list-cell-sampled": ("cells-list.jsonl", ("convert: {}", "sample: {rows: 10, seed: 1}"), ()),
    "label": ("chat-with-label.jsonl", ("convert: {}",), ()),
    "system": ("chat-with-system.jsonl", ("convert: {}",), ()),
    "images": ("chat-with-images.jsonl", ("convert: {}",), ()),
    "tools": ("sharegpt-with-tools.jsonl", ("convert: {}",), ()),
    "weights": ("sharegpt-turns-weigh.jsonl", ("convert: {}",), ()),
    "answers": ("alpaca-with-answers.jsonl", ("convert: {from: alpaca}",), ()),
    "questions": ("sharegpt-preference.jsonl", ("convert: {}",), _GRADER),
}
PARTED = ("parted", "rows-labelled.jsonl")  # in two parts


def _manifests() -> dict[str, str]:
    files = {}
    for name, (source, steps, more) in WANTED.items():
        base = "o4-mini-2025-04-16" if more else MODEL
        dataset = ["apiVersion: ftctl/v1", "kind: Dataset", f"name: {name}-rows",
                   f"source: ../data/{source}", *steps]  # fmt: skip
        files[f"finetunes/{name}.yaml"] = "\n".join([*dataset, "---", *_finetune(name, base, more)])
    name, source = PARTED
    parts = []
    for part in ("train", "validation"):
        parts += ["apiVersion: ftctl/v1", "kind: Dataset", f"name: {name}-{part}",
                  f"source: ../data/{source}", "convert: {}",
                  f"split: {{part: {part}, validation: 0.2, seed: 5}}", "---"]  # fmt: skip
    more = (f"validation: {name}-validation",)
    parts += _finetune(name, MODEL, more, f"{name}-train")
    files[f"finetunes/{name}.yaml"] = "\n".join(parts)
    return files


def _finetune(name: str, base: str, more: tuple[str, ...], data: str | None = None) -> list[str]:
    head = ["apiVersion: ftctl/v1", "kind: FineTune", f"name: {name}", f"base_model: {base}"]
    head.append(f"seed: {[*WANTED, PARTED[0]].index(name)}")  # or some would ask for the same
    return [*head, f"training: {data or f'{name}-rows'}", "hyperparameters: {n_epochs: 1}", *more,
            ""]  # fmt: skip


def main(target: Path) -> None:
    """Buy everything, and keep what is left behind."""
    kept = target / "bought" / "project"
    assert not kept.exists(), f"{kept.parent} is never made again"
    (kept / "data").mkdir(parents=True)
    for source in [PARTED[1], *(source for source, _, _ in WANTED.values())]:
        shutil.copy(target / "rows" / "sources" / source, kept / "data")
    freeze._lay(_manifests(), kept)
    temporary = Path(tempfile.mkdtemp(prefix="freeze-"))
    for mark in MARKS:
        place = Place(temporary / mark, HandClock(NOON))
        shutil.copytree(kept, place.folder)
        overlay = {"ftctl.yaml": marked("project: bought\n", mark)}
        freeze._lay(overlay, place.folder)
        freeze._lay(overlay, target / "bought" / mark / "project")
        freeze._buy_and_keep(place, "bought", target / "bought" / mark)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
