"""A number and a moment in; a record of somebody that nobody made out."""

from __future__ import annotations

from typing import Any

from ftctl.emulator.http.wire import Json

_APART_SECONDS = 3600


def made_up_job(number: int, now: float) -> Json:
    """A job of a stranger, older than the one of the number before."""
    created = int(now) - _APART_SECONDS * (number + 1)
    hyperparameters = {"n_epochs": 1, "batch_size": 1, "learning_rate_multiplier": 1.0}
    return {
        "object": "fine_tuning.job",
        "id": f"ftjob-endless{number}",
        "model": "gpt-4.1-mini-2025-04-14",
        "created_at": created,
        "finished_at": created + 60,
        "fine_tuned_model": None,
        "organization_id": "ftctl-emulator",
        "result_files": [],
        "status": "cancelled",
        "validation_file": None,
        "training_file": f"file-endless{number}",
        "hyperparameters": hyperparameters,
        "trained_tokens": None,
        "error": None,
        "seed": 1,
        "metadata": None,
        "method": {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}},
    }


def made_up_file(number: int, now: float) -> Json:
    """A file of a stranger, older than the one of the number before."""
    return {
        "object": "file",
        "id": f"file-endless{number}",
        "bytes": 100,
        "created_at": int(now) - _APART_SECONDS * (number + 1),
        "filename": f"endless{number}.jsonl",
        "purpose": "fine-tune",
        "status": "processed",
    }


# What public reports have seen in lists of services that are like the API, but not quite.
ODD_JOBS: tuple[Any, ...] = (
    {"object": "fine_tuning.job", "id": "ftjob-odd1", "created_at": 1_700_000_000},
    {"object": "fine_tuning.job", "status": "running", "created_at": 1_700_000_000},
    {
        "object": "fine_tuning.job", "id": "ftjob-odd2", "status": "succeeded",
        "created_at": "2026-11-30T08:00:00Z", "finished_at": "2026-11-30T09:00:00Z",
        "model": "gpt-4.1-mini", "training_file": "file-odd2", "fine_tuned_model": "ft:odd2",
    },
    {
        "object": "fine_tuning.job", "id": "ftjob-odd3", "status": 7, "created_at": None,
        "metadata": "none", "hyperparameters": "auto", "result_files": None,
    },
    None,
)  # fmt: skip
