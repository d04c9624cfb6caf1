"""The figures of a job's steps -> its result file, a table of comma-separated values."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from ftctl.emulator.wire import Json

FILE_NAME = "step_metrics.csv"

# The public guide's columns, in its order; a method that measures something else adds its own.
_COLUMNS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "supervised": (),
    "dpo": (),
    "reinforcement": (
        ("train_reward_mean", "train_reward_mean"),
        ("valid_reward_mean", "valid_reward_mean"),
    ),
}
_COMMON = (
    ("train_loss", "train_loss"),
    ("train_accuracy", "train_mean_token_accuracy"),
    ("valid_loss", "valid_loss"),
    ("valid_mean_token_accuracy", "valid_mean_token_accuracy"),
)


def result_csv(method: str, steps: Iterable[tuple[int, Json]]) -> bytes:
    """A line for each step; what was not measured there stays empty."""
    columns = (*_COMMON, *_COLUMNS[method])
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["step", *(name for name, _ in columns)])
    for step, metrics in steps:
        figures = [metrics.get(source) for _, source in columns]
        writer.writerow([step, *("" if one is None else f"{one:.5f}" for one in figures)])
    return table.getvalue().encode()
