"""What is known of a training beside our jobs in the list in; what stops its purchase out.

What may cause a purchase is the manifest and a flag; what may stop one is any single witness.
Nothing is bought because something was not seen. A witness that speaks is shown as *attention*,
and a person decides with a flag that names the fine-tune.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from ftctl.catalog.answer import asked_otherwise
from ftctl.catalog.catalog import base_of
from ftctl.catalog.request import row_of
from ftctl.domain.desired import Desired, FineTune, ServiceInfo
from ftctl.domain.model_names import same_model_name
from ftctl.domain.observed import AccountId, File, Job, Observed
from ftctl.domain.witness import Witness


class Alike(NamedTuple):
    """A job without a tag on a file of ours, and how its numbers differ from what is asked for."""

    job: Job
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that may speak against buying one fine-tune, but for our own jobs in the list."""

    finetune: FineTune
    witnesses: tuple[Witness, ...]  # of its digest, and of its name in this environment
    missing: frozenset[str]  # jobs that the service does not know by their ids
    untagged: Mapping[str, Job]  # jobs that carry nobody's tag, by id
    alike: tuple[Alike, ...]  # jobs without our tag that may be of its purchase; newest first
    elsewhere: tuple[Job, ...]  # of its digest, under the tag of another project; newest first
    service: ServiceInfo
    account: AccountId

    @property
    def here(self) -> tuple[Witness, ...]:
        """The witnesses of this address, and those that do not say of which they are."""
        return tuple(witness for witness in self.witnesses if self.is_here(witness))

    def is_here(self, witness: Witness) -> bool:
        """Whether a witness may speak of this service: its account is another question.

        Each store of the embedded API is an account of its own, and none of them bills.
        """
        if witness.base_url is None:
            return True
        if witness.service_type == "emulator" == self.service.type:
            return not witness.account.differs_from(self.account)
        return self.service.is_at(witness.base_url)


class Doubt(NamedTuple):
    """Why nothing is bought, and the job that it is about, where that is one of the list."""

    reason: str
    job: Job | None = None
    retry: bool = False  # whether --retry-failed is enough to buy it


class Row(NamedTuple):
    """A kind of witness, and what it says against a purchase, if anything."""

    witness: str
    says: Callable[[Evidence], Doubt | None]


def _unseen(evidence: Evidence) -> Doubt | None:
    """A record of a job that the account which is asked does not show."""
    for witness in evidence.here:
        if witness.job not in evidence.missing or witness.account.differs_from(evidence.account):
            continue
        told = witness.account.project or witness.account.organization
        if not (told or evidence.service.billed or witness.source == "intent"):
            continue  # of an embedded store that was made anew, and the record does not say which
        spec = "" if witness.digest in evidence.finetune.digests else " for an earlier spec"
        what = f"{witness.model} ({witness.job})" if witness.model else f"{witness.job}"
        return Doubt(f"{witness.where} knows {what}{spec}; this account does not show that job")
    return None


def _another_account(evidence: Evidence) -> Doubt | None:
    """A record of the same address that was written for another organization or project."""
    for witness in evidence.here:
        if witness.account.differs_from(evidence.account):
            whose = _account_words(witness.account)
            what = witness.model or witness.job
            return Doubt(
                f"{witness.where} knows {what} of {whose}, and this key acts for"
                f" {_account_words(evidence.account)}"
            )
    return None


def _another_project(evidence: Evidence) -> Doubt | None:
    """A record of a job that is here, but carries the tag of another project."""
    recorded = {witness.job for witness in evidence.here}
    for job in evidence.elsewhere:
        if job.id in recorded:
            reason = f"{job.id} has it under the project {job.project}; 'reuse: account' uses it"
            return Doubt(reason, job)
    return None


def _recorded_without_tag(evidence: Evidence) -> Doubt | None:
    """A record of a job that is here, but carries no tag: whether it is ours nobody can tell."""
    for witness in evidence.here:
        job = evidence.untagged.get(witness.job or "")
        if job is not None and witness.digest in evidence.finetune.digests:
            reason = f"{witness.where} knows {job.id} ({job.status}), which carries no mark of ours"
            return _of_no_tag(reason, job)
    return None


def _unmarked(evidence: Evidence) -> Doubt | None:
    """A job without any tag that trains the same on a file of ours: it may be ours."""
    for job, differs in evidence.alike:
        on_it = f"on {job.training_file} without our mark"
        if job.by_file:
            on_it = f"on {job.training_file}, whose name is our mark"
        reason = f"{job.id} ({job.status}) trains the same {on_it}"
        if differs:
            reason = f"{job.id} ({job.status}) trains {on_it}, with {', '.join(differs)}"
        return _of_no_tag(reason, job)
    return None


def _of_no_tag(reason: str, job: Job) -> Doubt:
    """A doubt about a job that carries no tag, and how to go on with it."""
    if job.status in ("failed", "cancelled"):
        return Doubt(f"{reason}; --retry-failed buys it", job, retry=True)
    return Doubt(f"{reason}; 'adopt: {job.id}' takes it", job)


EVIDENCE: tuple[Row, ...] = (
    Row("a record of a job that this account does not show", _unseen),
    Row("a record of another account at the same address", _another_account),
    Row("a record of a job that another project's tag is on", _another_project),
    Row("a record of a job that carries no tag", _recorded_without_tag),
    Row("a job without our tag that trains the same on a file of ours", _unmarked),
)


def doubt(evidence: Evidence) -> Doubt | None:
    """What the first witness says that speaks against buying; None where none does."""
    said = (row.says(evidence) for row in EVIDENCE)
    return next((words for words in said if words is not None), None)


def notes(evidence: Evidence) -> str:
    """What is said beside a purchase that no witness speaks against, for the end of its reason."""
    for witness in evidence.witnesses:
        if not evidence.is_here(witness) and witness.digest in evidence.finetune.digests:
            known = witness.model or witness.job
            return f" ({witness.where} knows {known} at {witness.base_url})"
    for job in evidence.elsewhere:
        return f" ({job.id} has it under the project {job.project}; 'reuse: account' uses it)"
    return ""


def alike(
    finetune: FineTune,
    base_model: str | None,
    strangers: Iterable[Job],
    *,
    rivals: Iterable[FineTune],
    marked: bool,
    files: Iterable[File],
    service: ServiceInfo,
    aliases: Mapping[str, str],
) -> tuple[Alike, ...]:
    """The jobs without a tag that may have been bought for a fine-tune.

    They train its model on a file of ours. A service that drops our marks may change numbers, too:
    while no job carries one (`marked`), other numbers clear a job that is not over in vain only
    where another fine-tune of the manifests asks for just these.
    """
    if finetune.training is None:
        return ()
    rows = finetune.training
    contents = {rows.sha256, rows.sha256 if rows.before is None else rows.before.sha256}
    content = {file.id: file.sha256 for file in files}
    others = [
        rival
        for rival in rivals
        if rival.digest != finetune.digest
        and rival.training is not None
        and rival.training.sha256 in contents
    ]
    found = []
    for job in strangers:
        same_file = content.get(job.training_file or "") in contents
        if job.project is not None or not same_file or _another_model(base_model, job, aliases):
            continue
        numbers = _other_numbers(finetune, job, service)
        cleared = (
            bool(numbers)
            and not job.by_file
            and (
                marked
                or job.status in ("failed", "cancelled")
                or any(not differences(rival, None, job, service, aliases) for rival in others)
            )
        )
        if not cleared:
            found.append(Alike(job, numbers))
    return tuple(found)


def differences(
    finetune: FineTune,
    base_model: str | None,
    job: Job,
    service: ServiceInfo,
    aliases: Mapping[str, str],
) -> tuple[str, ...]:
    """What a job tells of itself that a manifest says otherwise: `n_epochs 8 (asked: 3)`.

    An alias and its snapshot, a word such as `auto`, and what either leaves out are no difference.
    """
    found = _other_numbers(finetune, job, service)
    if _another_model(base_model, job, aliases):
        return (f"base_model {job.base_model} (asked: {base_model})", *found)
    return found


def _other_numbers(finetune: FineTune, job: Job, service: ServiceInfo) -> tuple[str, ...]:
    asked = asked_otherwise(finetune.spec, job, row_of(service.type))
    told = {**job.hyperparameters, "seed": job.seed}
    return tuple(f"{name} {told[name]} (asked: {value})" for name, value in asked.items())


def _another_model(base_model: str | None, job: Job, aliases: Mapping[str, str]) -> bool:
    """Of a job that continues from a fine-tuned model, some services tell the base of that."""
    if base_model is None or job.base_model is None:
        return False
    names = (base_model, base_of(base_model))
    return not any(same_model_name(name, job.base_model, aliases) for name in names)


def _account_words(account: AccountId) -> str:
    parts = [account.organization, account.project]
    return " / ".join(part for part in parts if part) or "an account that it does not tell"


def without_strangers(
    desired: Desired,
    observed: Observed,
    named: Collection[str | None],
    service: ServiceInfo,
    aliases: Mapping[str, str],
) -> Observed:
    """The snapshot with jobs as strangers that bear our mark, but do not train what it stands for.

    Where the name of a file is the mark, whoever trains on that file bears it. `named` are jobs
    that the record or an intent names: those were made by us, whatever the service made of them.
    """
    finetunes = desired.by_digest

    def is_strange(job: Job) -> bool:
        finetune = finetunes.get(job.digest or "")
        if finetune is None or not job.by_file or job.id in named:
            return False
        base_model = finetune.base_model if isinstance(finetune.base_model, str) else None
        return bool(differences(finetune, base_model, job, service, aliases))

    strange = tuple(job for job in observed.jobs if is_strange(job))
    if not strange:
        return observed
    ours = tuple(job for job in observed.jobs if job not in strange)
    return replace(observed, jobs=ours, strangers=(*observed.strangers, *strange))


def evidence_of(
    finetune: FineTune,
    base_model: str | None,
    observed: Observed,
    *,
    witnesses: tuple[Witness, ...],
    elsewhere: tuple[Job, ...],
    service: ServiceInfo,
    environment: str | None,
    aliases: Mapping[str, str],
    adopted: Collection[str],
    rivals: Iterable[FineTune],
) -> Evidence:
    """The evidence about one fine-tune."""
    return Evidence(
        finetune=finetune,
        witnesses=tuple(
            witness
            for witness in witnesses
            if witness.digest in finetune.digests
            or (witness.finetune == finetune.name and witness.environment == environment)
        ),
        missing=observed.missing,
        untagged={job.id: job for job in observed.strangers if job.project is None},
        alike=alike(
            finetune,
            base_model,
            # What a manifest adopts is spoken for.
            (job for job in observed.strangers if job.id not in adopted),
            rivals=rivals,
            marked=bool(observed.jobs),
            files=observed.files,
            service=service,
            aliases=aliases,
        ),
        elsewhere=elsewhere,
        service=service,
        account=observed.account,
    )
