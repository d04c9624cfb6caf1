"""What ftctl asks of a service, in parts: each method with what it may change and when to doubt.

Every method raises `ProviderError`, and nothing else of the world. What only reads is repeated
behind this seam where a fault is `retryable`; cancels and deletes are, too, since they come to the
same end. A create is not: from the request to its answer it is *pending*, and where the answer is
lost (`ProviderError.ambiguous`) it is *incomplete*, and only a later look can tell whether there
is something. Lists may lag behind writes: each look counts for what it shows, never at once for
what it does not show, so whoever looks allows a *grace period*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from ftctl.domain.observed import UNTOLD, AccountId, CheckpointModel, Event, File, Job, Observed
from ftctl.domain.plan import StartJob, Upload

T = TypeVar("T")


class Reader(Protocol):
    """What exists. Changes nothing, so everything here may be asked any number of times."""

    def observe(
        self, project: str, adopted: frozenset[str] = frozenset(), *, others: bool = False
    ) -> Observed:
        """Everything that carries the project's tag, and the adopted jobs, in one snapshot.

        `others`: also the jobs that carry the tag of another project.
        """

    def observe_account(self, observed: Observed, project: str, since: int | None) -> Observed:
        """The snapshot with what the account's own list of jobs adds, which no filter has cut.

        That is jobs of the project, `others` with the tag of another, and `strangers`: jobs without
        our tag on files of ours. It is read back to `since`, in Unix seconds by the service's
        clock, else for 90 days; at most for 1,000 jobs.
        """

    def jobs(self, project: str, *, whole: bool = False) -> tuple[Job, ...]:
        """The project's jobs alone, newest first. `whole`: do not trust the service's filter."""

    def job(self, job: str) -> Job:
        """One job by its id, whoever made it, which lists may not show yet; 404 for none.

        Its `project` is that of its tag, ours as well.
        """

    def events(self, job: str, limit: int | None = None) -> tuple[Event, ...]:
        """A job's events, oldest first; with a limit, only the newest of them."""

    def checkpoints(self, job: str) -> tuple[CheckpointModel, ...]:
        """The models that a job left at its steps, as far as the service kept them."""

    def model_visible(self, model: str) -> bool:
        """Whether this key can see a model, asked by its name. Hidden and deleted look alike."""

    def file(self, file: str) -> File:
        """One file by its id, whoever sent it. Status 404 where there is none, or none yet.

        `processing`: it cannot be trained on yet. `refusal`: it never will be, and why.
        """

    def find_upload(self, filename: str, size: int) -> str | None:
        """The id of the oldest file of exactly this name and size; None where none is listed."""


class Writer(Protocol):
    """What changes the service. Only `apply_plan` calls these, and for the job that runs already
    whoever cancels, pauses or resumes it on request; the doctor's `Probe` is apart.
    """

    def upload(self, step: Upload, source: Path) -> File:
        """Send a file's bytes; the file as the service tells of it. Makes one file at each call.

        Asked once. `ambiguous`: the file may be there; `find_upload` tells once lists have caught
        up. A second copy costs nothing, and is cleaned up later. OSError if `source` is unreadable.
        """

    def start_job(
        self,
        step: StartJob,
        *,
        base_model: str,
        training_file: str,
        validation_file: str | None,
        tags: Mapping[str, str],
    ) -> Job:
        """Buy a training run, with our ownership tags on it. Buys one job at each call.

        Asked once, whatever happens. `ambiguous`: the create is incomplete, the job may exist and
        be billed; it is asked again only after the jobs were observed and a grace period is over.
        Not `ambiguous`: no job was made. The job is as the service tells of it: without a digest
        where the answer does not repeat our tags.
        """

    def cancel_job(self, job: str) -> Job:
        """Stop a job, for good; the job as it is then. One that is over is returned as it is.

        Idempotent: an error leaves the job as it was or stopped, and asking again is harmless.
        """

    def pause_job(self, job: str) -> Job:
        """Halt a job that trains; the job as it is then. One that is paused is returned as it is.

        Idempotent, as `cancel_job` is. Many services know no pause: an error, whatever its status,
        then leaves the job as it was.
        """

    def resume_job(self, job: str) -> Job:
        """Let a paused job go on; the job as it is then. One that goes on is returned as it is.

        Idempotent, as `cancel_job` is. It buys nothing: the run was bought when it was created.
        """

    def delete_model(self, model: str) -> None:
        """Delete a model, for good. Idempotent: one that is gone already is no error."""

    def delete_file(self, file: str) -> None:
        """Delete a file, for good. Idempotent: one that is gone already is no error."""


class Provider(Reader, Writer, Protocol):
    """A service that trains: what plan and apply need of it."""


class Account(Protocol):
    """What the whole account holds, whoever made it. Changes nothing."""

    def account_jobs(self, read: Callable[[Mapping[str, Any]], T]) -> tuple[T, ...]:
        """Every job of the account as `read` makes it of the service's JSON, newest first.

        Its id, state and beginning are as we tell them; words stand for an id that is none.
        """

    def account_job(self, job: str, read: Callable[[Mapping[str, Any]], T]) -> T:
        """One job, whoever made it, as `read` makes it of the service's JSON."""

    def file_names(self) -> Mapping[str, str]:
        """What each file of the account is called, by its id."""

    def download(self, file: str) -> Iterator[bytes]:
        """A file's bytes as they come. Asked once: whoever wants them again starts afresh."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a service answered. Without a status, no answer came, and `message` says why."""

    status: int | None
    seconds: float
    body: Any = None  # as JSON; None where it is none
    code: str | None = None  # of an error in the body
    message: str | None = None
    date: str | None = None  # the header
    account: AccountId = UNTOLD  # whom the key acts for, as the headers have told until now

    @property
    def ok(self) -> bool:
        """Whether it is what was asked for."""
        return self.status is not None and 200 <= self.status < 300 and self.body is not None

    @property
    def entries(self) -> tuple[Mapping[str, Any], ...] | None:
        """The entries of a list; None where the answer is no list."""
        entries = self.body.get("data") if self.ok and isinstance(self.body, Mapping) else None
        if not isinstance(entries, list):
            return None
        return tuple(entry for entry in entries if isinstance(entry, Mapping))


class Probe(Protocol):
    """What the doctor tries. It looks at a service and never works with it."""

    def ask(
        self,
        method: Literal["GET", "POST", "DELETE"],
        path: str,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """How the service answers one request, whatever it says. Asked once, for ten seconds.

        May change what the request changes: the doctor sends writes that cannot succeed. Raises
        nothing: a lost answer is an `Answer` without a status.
        """

    def cancel_job(self, job: str) -> Job:
        """See `Writer.cancel_job`: for a service that took a job which cannot be."""


class Moderator(Protocol):
    """A service that says which texts are harmful."""

    def moderate(self, texts: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """What each text is flagged for, in the service's words; none where it is not flagged.

        Changes nothing, but sends the texts away. A fault tells nothing that may quote a text.
        """


class Client(Provider, Account, Probe, Moderator, Protocol):
    """All that one connection can do. Functions ask for the part that they use."""

    def close(self) -> None:
        """Let go of the connections. The client is of no use after that."""
