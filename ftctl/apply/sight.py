"""Jobs that were just made in; the jobs that the service lists, once it lists those, out.

A list may lag, and a filter may find nothing. A look that does not show what we know to be there
proves nothing about what else there may be.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ftctl.clock import Clock
from ftctl.domain.observed import Job
from ftctl.errors import ProviderError
from ftctl.providers.protocol import Reader

_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
_LONGEST_PAUSE = 10.0
_SAID_AFTER_SECONDS = 3.0


class Seen(NamedTuple):
    """The project's jobs by id, and which of those that were looked for are not among them."""

    jobs: Mapping[str, Job]
    unseen: frozenset[str]
    fault: ProviderError | None = None  # of the last look, where that failed


@dataclass(slots=True)
class Sight:
    """How a project's jobs are looked at. It learns whether the service's filter can be used."""

    provider: Reader
    project: str
    clock: Clock
    note: Callable[[str], None]
    whole: bool = field(default=False)  # whether the filter was found to find nothing

    def once(self, ids: Collection[str]) -> Seen:
        """One look; where the filter does not show them, one at the whole list as well.

        Raises `ProviderError`.
        """
        jobs = self._listed(whole=self.whole)
        if not self.whole and not jobs.keys() >= {*ids}:
            more = self._listed(whole=True)
            if any(job in more and job not in jobs for job in ids):
                self.whole = True
            jobs = {**jobs, **more}
        return Seen(jobs, frozenset(ids) - jobs.keys())

    def until_listed(self, ids: Collection[str], seconds: float) -> Seen:
        """Looks with growing pauses, until they are all listed or time is up. Raises nothing."""
        began = self.clock.now()
        pauses = iter(_PAUSES)
        said = False
        while True:
            try:
                seen = self.once(ids)
            except ProviderError as fault:
                seen = Seen({}, frozenset(ids), fault)
            left = began + seconds - self.clock.now()
            if not seen.unseen or left <= 0:
                return seen
            if not said and seconds - left >= _SAID_AFTER_SECONDS:
                said = True
                names = ", ".join(sorted(seen.unseen))
                self.note(f"waiting until the service lists {names} (up to {seconds:.0f} s)")
            self.clock.sleep(min(left, next(pauses, _LONGEST_PAUSE)))

    def _listed(self, *, whole: bool) -> dict[str, Job]:
        return {job.id: job for job in self.provider.jobs(self.project, whole=whole)}
