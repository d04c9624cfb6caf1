"""What speaks, beside the service's lists, for a training having been bought. Frozen values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ftctl.domain.observed import UNTOLD, AccountId, Job


@dataclass(frozen=True, slots=True)
class Witness:
    """A record of ours that a digest was bought. It may stop a purchase, and never cause one."""

    source: Literal["ftctl.lock", "intent"]
    finetune: str
    digest: str
    job: str | None  # None: of an intent whose answer is not known
    model: str | None = None
    at: int = 0  # Unix seconds; of a record by the service's clock, of an intent by ours
    service_type: str | None = None
    base_url: str | None = None
    account: AccountId = UNTOLD
    environment: str | None = None  # the section of the record; None: of no environment
    follows: str | None = None  # of an intent: the newest job of the digest when it was asked for
    retired: bool = False  # its model was deleted by ftctl, as `keep` or `destroy` asked for

    @property
    def where(self) -> str:
        """The file that says so, as people know it."""
        return self.source if self.source == "ftctl.lock" else ".ftctl/intents"

    def is_answered_by(self, jobs: Iterable[Job]) -> bool:
        """Whether a purchase whose answer is not known shows among the jobs that there are."""
        same = [job for job in jobs if job.digest == self.digest]
        newest = max(same, key=lambda job: job.age_order, default=None)
        return newest is not None and newest.id != self.follows
