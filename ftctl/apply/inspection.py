"""Jobs that were just bought in; what is wrong with each, and which duplicate of it stays, out.

An answer is compared with what was asked. The first purchase of an apply goes alone: its mark is
read back by its id and in the list, so that no service which loses marks sells more than one job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ftctl.apply.duplicates import Duplicates
from ftctl.apply.sight import Sight
from ftctl.apply.terms import Terms
from ftctl.domain.observed import Job
from ftctl.domain.plan import StartJob
from ftctl.errors import FtctlError, ProviderError, fault_text
from ftctl.providers.protocol import Provider
from ftctl.text.escape.single_line import one_line

# That the first purchase of an apply is looked for: lists lag by a minute, told in whole seconds.
_FIRST_SECONDS = 65.0
_LATER_SECONDS = 90.0
_AGAIN = "then 'ftctl apply --retry-failed'"
_OTHER_MARK = {
    "metadata": f"write 'mark: file-name' below 'provider' in ftctl.yaml, {_AGAIN}",
    "file-name": f"write 'mark: metadata' below 'provider' in ftctl.yaml, {_AGAIN}",
}


class NotAsAsked(FtctlError):
    """A job that was bought is not the one that was asked for, or cannot be found again.

    Nothing more is bought by an apply that has met one.
    """


class Purchase(NamedTuple):
    """A job that was bought, for which step, and the model and file that were sent."""

    step: StartJob
    job: Job
    base_model: str
    training_file: str


class Verdict(NamedTuple):
    """What came of looking at a purchase. `job` is the one that stands for it now."""

    job: Job
    sentence: str | None = None
    error: NotAsAsked | None = None


@dataclass(slots=True)
class Inspector:
    """Looks at what an apply buys."""

    provider: Provider
    terms: Terms
    sight: Sight
    duplicates: Duplicates
    known_jobs: frozenset[str]
    note: Callable[[str], None]
    proven: bool = False  # whether a purchase of this apply came back as it was asked for
    warned: set[str] = field(default_factory=set)

    def inspect(self, purchases: Mapping[str, Purchase]) -> dict[str, Verdict]:
        """What is wrong with purchases (by the change's name): what is to be done is done."""
        verdicts: dict[str, Verdict] = {}
        for name, purchase in purchases.items():
            verdict = self._otherwise(name, purchase, purchase.job)
            if verdict is None and not self.proven:
                verdict = self._read_back(name, purchase)
            if verdict is not None:
                verdicts[name] = verdict
        others = {name: one for name, one in purchases.items() if name not in verdicts}
        return verdicts | self._looked_for(others)

    def _read_back(self, name: str, purchase: Purchase) -> Verdict | None:
        """The first purchase, by its id; withdrawn where that is not what was asked for."""
        try:
            told = self.provider.job(purchase.job.id)
        except ProviderError:
            return None  # some know no such question, and others know it late: the list decides
        verdict = self._otherwise(name, purchase, told)
        if verdict is None and self._lacks_mark(purchase, told):
            try:
                seen = self.sight.once({purchase.job.id})
            except ProviderError:
                seen = None
            listed = seen.jobs.get(purchase.job.id) if seen is not None else None
            if listed is None or self._lacks_mark(purchase, listed):
                verdict = self._unmarked(purchase, told)
        return verdict

    def _looked_for(self, purchases: Mapping[str, Purchase]) -> dict[str, Verdict]:
        """The same of those that nothing speaks against so far, by a look that counts."""
        if not purchases:
            return {}
        seconds = _LATER_SECONDS if self.proven else _FIRST_SECONDS
        ids = {one.job.id for one in purchases.values()}
        seen = self.sight.until_listed(ids, seconds)
        verdicts = {}
        for name, purchase in purchases.items():
            listed = seen.jobs.get(purchase.job.id)
            if listed is None:
                verdicts[name] = self._unseen(purchase, seconds, seen.fault)
                continue
            verdict = self._otherwise(name, purchase, listed)
            if verdict is None and self._lacks_mark(purchase, listed):
                verdict = self._unmarked(purchase, listed)
            verdicts[name] = verdict or self._settled(purchase, listed, seen.jobs)
        self.proven = self.proven or all(one.error is None for one in verdicts.values())
        return verdicts

    def _otherwise(self, name: str, purchase: Purchase, told: Job) -> Verdict | None:
        """The purchase withdrawn where it trains what was not asked for; None where it stays."""
        departure = self.terms.departure(purchase.step, purchase.base_model, told)
        if departure is None:
            return None
        if departure.cancels:
            why = f"trains with {departure.words}"
            return self._withdrawn(purchase, why, f"{departure.cure}, {_AGAIN}")
        if told.id not in self.warned:
            self.warned.add(told.id)
            self.note(one_line(f"warning: {name}: {told.id} trains with {departure.words}"))
        return None

    def _lacks_mark(self, purchase: Purchase, told: Job) -> bool:
        if self.terms.service.ownership_store == "file-name":
            return told.training_file not in (None, purchase.training_file)
        return told.digest != purchase.step.digest

    def _unmarked(self, purchase: Purchase, told: Job) -> Verdict:
        store = self.terms.service.ownership_store
        if store == "file-name":
            why = (
                f"trains on {told.training_file}, and not on {purchase.training_file}, whose name"
                " is its mark"
            )
        elif told.digest is None:
            why = "has no mark to find it by again: the service keeps no metadata"
        else:
            why = "has another mark than it was given: the service changes metadata"
        return self._withdrawn(purchase, why, _OTHER_MARK[store])

    def _withdrawn(self, purchase: Purchase, why: str, cure: str) -> Verdict:
        """The job cancelled, while it is being validated and costs nothing."""
        job = purchase.job
        try:
            after = self.provider.cancel_job(job.id)
        except ProviderError as fault:
            error = NotAsAsked(
                f"{job.id} {why}; it could not be cancelled ({fault}), and nothing more is bought",
                f"cancel {job.id} at the service: it is billed; {cure}",
            )
            return Verdict(job, error=error)
        if not after.in_progress and after.status != "cancelled":
            error = NotAsAsked(
                f"{job.id} {why}; it was over before it could be cancelled ({after.status}), and"
                " nothing more is bought",
                cure,
            )
            return Verdict(after, error=error)
        error = NotAsAsked(f"{job.id} {why}: it was cancelled, and nothing more is bought", cure)
        return Verdict(after, f"cancelled {job.id}: not as it was asked for", error)

    def _unseen(self, purchase: Purchase, seconds: float, fault: ProviderError | None) -> Verdict:
        job = purchase.job
        why = f" ({fault_text(fault)})" if fault is not None else ""
        error = NotAsAsked(
            f"{job.id} was bought, and the service does not list it after {seconds:.0f} s{why};"
            " nothing more is bought",
            f"it runs on and is billed: 'ftctl status' shows it once it is listed, and 'ftctl"
            f" apply' goes on then; else cancel {job.id} at the service",
        )
        return Verdict(job, error=error)

    def _settled(self, purchase: Purchase, listed: Job, jobs: Mapping[str, Job]) -> Verdict:
        winner, sentences = self.duplicates.settle(listed, jobs.values(), self.known_jobs)
        # Where no other has won, the answer to the create tells most.
        job = purchase.job if winner.id == purchase.job.id else winner
        return Verdict(job, "; ".join(sentences) or None)
