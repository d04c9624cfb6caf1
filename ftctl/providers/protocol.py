"""What the engine asks of a service: one read, few writes, no query language."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from ftctl.domain.observed import CheckpointModel, Event, Job, Observed
from ftctl.domain.plan import StartJob, Upload


class Provider(Protocol):
    """A service that trains. Every method raises `ProviderError` and nothing else of the world."""

    def observe(
        self, project: str, adopted: frozenset[str] = frozenset(), *, others: bool = False
    ) -> Observed:
        """Everything that carries the project's tag, and the adopted jobs, in one snapshot.

        `others`: also the jobs that carry the tag of another project.
        """

    def model_exists(self, model: str) -> bool:
        """Whether a model can be used, asked by its name."""

    def jobs(self, project: str, *, whole: bool = False) -> tuple[Job, ...]:
        """The project's jobs alone, newest first. `whole`: do not trust the service's filter."""

    def events(self, job: str, limit: int | None = None) -> tuple[Event, ...]:
        """A job's events, oldest first; with a limit, only the newest of them."""

    def checkpoints(self, job: str) -> tuple[CheckpointModel, ...]:
        """The models that a job left at its steps, as far as the service kept them."""

    def upload(self, step: Upload, source: Path) -> str:
        """Send a file's bytes; the id that the service gave it."""

    def find_upload(self, filename: str, size: int) -> str | None:
        """The id of a file of exactly this name and size, where there is one."""

    def start_job(
        self,
        step: StartJob,
        *,
        base_model: str,
        training_file: str,
        validation_file: str | None,
        tags: Mapping[str, str],
    ) -> Job:
        """Buy a training run. Asked once: one that failed `ambiguous` is not repeated blindly."""

    def cancel_job(self, job: str) -> Job:
        """Stop a job; one that is over already is returned as it is."""

    def delete_model(self, model: str) -> None:
        """Delete a model; one that is gone already is no error."""

    def delete_file(self, file: str) -> None:
        """Delete a file; one that is gone already is no error."""
