"""What is about to be bought in; written down before it is, and closed once it is known, out."""

from __future__ import annotations

from typing import Protocol

from ftctl.domain.plan import StartJob


class Journal(Protocol):
    """Where an apply writes what it asks money for. Safe to use from several threads."""

    def asked(self, step: StartJob) -> None:
        """Write down that a job is about to be bought; it is on the disk when this returns.

        Raises `FtctlError` where it cannot be: then nothing may be bought.
        """

    def answered(self, step: StartJob, job: str | None) -> None:
        """Close what was written: with the job that was made, or None where none was for sure.

        Raises nothing. What is never closed makes the next run look longer before it buys.
        """
