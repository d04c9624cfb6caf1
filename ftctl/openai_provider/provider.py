"""The `Provider` protocol over the openai SDK, guided by a row of the services table.

SDK objects become our nouns, and SDK errors `ProviderError`, before they leave this module.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ftctl.changes import StartJob, Upload
from ftctl.clock import Clock, SystemClock
from ftctl.digest import FileName, read_file_name
from ftctl.errors import ProviderError, redact
from ftctl.marks import PROJECT, read_marks
from ftctl.openai_provider.faults import asking, gone_is_fine
from ftctl.openai_provider.request import job_request
from ftctl.openai_provider.translate import read_event, read_file, read_job
from ftctl.patience import patiently
from ftctl.services import Service
from ftctl.world import CheckpointModel, Event, Job, Observed

if TYPE_CHECKING:
    import httpx2
    from openai import OpenAI

_FILES_PAGE = 10_000  # the most that one list of files gives (OpenAI's specification, 2026-08)
_TIMEOUT_SECONDS = 60.0
_UPLOAD_TIMEOUT_SECONDS = 600.0
_EVENTS_PAGE = 100

A = TypeVar("A")
T = TypeVar("T")
Query = dict[str, Any]


class _Page(NamedTuple):
    """A part of a list; each entry has an id."""

    entries: tuple[Any, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Connection:
    """Where and as whom to reach a service."""

    base_url: str
    api_key: str
    organization: str | None = None
    project: str | None = None


def connect(
    connection: Connection,
    service: Service,
    *,
    transport: httpx2.BaseTransport | None = None,
    log: Callable[[str], None] | None = None,
    clock: Clock | None = None,
) -> OpenAIProvider:
    """A provider for a service; over `transport` instead of the network where one is given."""
    # Collecting garbage while hundreds of modules load costs as much again as loading them.
    gc.disable()
    import httpx2  # noqa: PLC0415 - with openai 0.5 s that other commands need not pay
    from openai import OpenAI  # noqa: PLC0415

    gc.enable()
    gc.freeze()

    def told(request: httpx2.Request) -> None:
        if log is not None:
            log(f"{request.method} {request.url.raw_path.decode('ascii', 'replace')}")

    def over_http(limits: httpx2.Limits) -> httpx2.Client:
        return httpx2.Client(
            transport=transport,
            timeout=timeout,
            limits=limits,
            event_hooks={"request": [told]},
            follow_redirects=True,
        )

    timeout = httpx2.Timeout(_TIMEOUT_SECONDS, connect=10.0)
    reads = over_http(httpx2.Limits())
    try:
        client = OpenAI(
            api_key=connection.api_key,
            base_url=connection.base_url,
            organization=connection.organization,
            project=connection.project,
            timeout=timeout,
            # The SDK repeats a POST whose answer was lost, without a key that would make that
            # safe: for a training job that means two bills. What is harmless is repeated by us.
            max_retries=0,
            http_client=reads,
        )
    except (httpx2.InvalidURL, ValueError) as fault:
        reads.close()
        address = redact(connection.base_url)
        raise ProviderError("connect", f"'{address}' is no address: {fault}") from None
    # Writes do not share connections: on one that the server has just closed, an answer is lost
    # for nothing.
    unshared = over_http(httpx2.Limits(max_keepalive_connections=0))
    writer = client.with_options(http_client=unshared)
    return OpenAIProvider(client, writer, service, clock or SystemClock(), (connection.api_key,))


class OpenAIProvider:
    """One service behind the openai SDK. Uploads and creates are asked once, all else patiently."""

    def __init__(
        self,
        client: OpenAI,
        writer: OpenAI,
        service: Service,
        clock: Clock,
        secrets: tuple[str, ...],
    ) -> None:
        self._client = client
        self._writer = writer
        self._service = service
        self._clock = clock
        self._secrets = secrets

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()
        self._writer.close()

    def observe(
        self, project: str, adopted: frozenset[str] = frozenset(), *, others: bool = False
    ) -> Observed:
        """See `Provider.observe`: one list each of files, jobs and models."""
        listed = self._files()
        # Adopted jobs carry no mark: with any of them, the list is read without the filter.
        raw_jobs = tuple(self._list_jobs(None if adopted or others else project))
        ours_by_file = {file.id: read_file_name(file.filename or "") for file in listed}
        jobs = self._own(raw_jobs, project, ours_by_file)
        strangers = tuple(read_job(raw) for raw in raw_jobs if raw.id in adopted)
        results = {file for job in jobs for file in job.result_files}
        files = tuple(
            made
            for file in listed
            if (made := read_file(file, project, is_result=file.id in results)) is not None
        )
        theirs = tuple(_others(raw_jobs, project)) if others else ()
        return Observed(jobs, files, self._models((*jobs, *strangers)), strangers, theirs)

    def jobs(self, project: str, *, whole: bool = False) -> tuple[Job, ...]:
        """See `Provider.jobs`."""
        files = {}
        if self._service.mark == "file-name":
            files = {file.id: read_file_name(file.filename or "") for file in self._files()}
        listed = self._list_jobs(None if whole else project)
        return self._own(tuple(listed), project, files)

    def _own(
        self,
        raw_jobs: tuple[Any, ...],
        project: str,
        files: Mapping[str, FileName | None],
    ) -> tuple[Job, ...]:
        """The project's jobs. The service's filter is not trusted: each mark is looked at."""
        jobs = []
        for raw in raw_jobs:
            job = read_job(raw)
            owner = read_marks(getattr(raw, "metadata", None)).project
            if owner is None and (name := files.get(job.training_file or "")) is not None:
                owner = name.project if name.digest else None
                job = replace(job, digest=name.digest, finetune=name.name)
            if owner == project:
                jobs.append(job)
        return tuple(sorted(jobs, key=lambda job: job.age_order, reverse=True))

    def _files(self) -> list[Any]:
        listed = self._client.files.list
        return self._entries("list files", lambda after: listed(limit=_FILES_PAGE, **after))

    def _list_jobs(self, project: str | None) -> list[Any]:
        filtered: dict[str, Any] = {}
        if project is not None and self._service.mark == "metadata":
            filtered = {"metadata": {PROJECT: project}}
        listed = self._client.fine_tuning.jobs.list
        size = self._service.page_size
        return self._entries("list jobs", lambda after: listed(limit=size, **filtered, **after))

    def _models(self, jobs: tuple[Job, ...]) -> frozenset[str] | None:
        """The models that exist; None where the service does not tell."""
        try:
            found = self._page("list models", lambda _after: self._client.models.list(), {})
            listed = frozenset(model.id for model in found.entries)
        except ProviderError as fault:
            # Restricted keys may not list models, and some gateways cannot.
            if fault.status in (403, 404, 405, 501):
                return None
            raise
        expected = [job.model for job in jobs if job.status == "succeeded" and job.model]
        if expected and listed.isdisjoint(expected) and self.model_exists(expected[0]):
            return None  # a list without any fine-tuned model in it proves nothing
        return listed

    def model_exists(self, model: str) -> bool:
        """See `Provider.model_exists`."""
        try:
            self._patient("look up a model", self._client.models.retrieve)(model)
        except ProviderError as fault:
            if fault.status == 404:
                return False
            raise
        return True

    def events(self, job: str, limit: int | None = None) -> tuple[Event, ...]:
        """See `Provider.events`."""
        listed = self._client.fine_tuning.jobs.list_events
        if limit is not None:
            newest = self._page("list events", lambda _after: listed(job, limit=limit), {})
            found = list(newest.entries)
        else:
            size = _EVENTS_PAGE
            found = self._entries("list events", lambda after: listed(job, limit=size, **after))
        return tuple(read_event(raw) for raw in reversed(found))

    def checkpoints(self, job: str) -> tuple[CheckpointModel, ...]:
        """See `Provider.checkpoints`."""
        listed = self._client.fine_tuning.jobs.checkpoints.list
        found = self._entries("list checkpoints", lambda after: listed(job, limit=100, **after))
        return tuple(
            CheckpointModel(
                raw.fine_tuned_model_checkpoint,
                raw.step_number,
                getattr(raw.metrics, "full_valid_loss", None),
            )
            for raw in found
        )

    def upload(self, step: Upload, source: Path) -> str:
        """See `Provider.upload`."""
        with self._asking("upload a file", write=True), source.open("rb") as stream:
            made = self._writer.files.create(
                file=(step.filename, stream), purpose="fine-tune", timeout=_UPLOAD_TIMEOUT_SECONDS
            )
        return made.id

    def find_upload(self, filename: str, size: int) -> str | None:
        """See `Provider.find_upload`."""
        found = [file for file in self._files() if file.filename == filename and file.bytes == size]
        return min(found, key=lambda file: (file.created_at, file.id)).id if found else None

    def start_job(
        self,
        step: StartJob,
        *,
        base_model: str,
        training_file: str,
        validation_file: str | None,
        marks: Mapping[str, str],
    ) -> Job:
        """See `Provider.start_job`."""
        body = job_request(step.spec, self._service)
        if self._service.mark == "metadata":
            body["metadata"] = {**body.get("metadata", {}), **marks}
        if validation_file is not None:
            body["validation_file"] = validation_file
        with self._asking("create a job", write=True):
            raw = self._writer.fine_tuning.jobs.create(
                model=base_model, training_file=training_file, extra_body=body
            )
        job = read_job(raw)
        if self._service.mark == "metadata" and job.digest is None:
            raise ProviderError(
                "create a job",
                f"{job.id} was created, but the service keeps no metadata to find it by again",
                hint=f"cancel {job.id} by hand, and set provider.mark to file-name in ftctl.yaml",
            )
        return replace(job, finetune=step.finetune, digest=step.digest)

    def cancel_job(self, job: str) -> Job:
        """See `Provider.cancel_job`. Cancelling is harmless to repeat."""
        jobs = self._client.fine_tuning.jobs
        try:
            return read_job(self._patient("cancel a job", jobs.cancel)(job))
        except ProviderError:
            known = read_job(self._patient("look up a job", jobs.retrieve)(job))
            if known.in_progress:
                raise
            return known

    def delete_model(self, model: str) -> None:
        """See `Provider.delete_model`. Deleting is harmless to repeat."""
        with gone_is_fine():
            self._patient("delete a model", self._client.models.delete)(model)

    def delete_file(self, file: str) -> None:
        """See `Provider.delete_file`. Deleting is harmless to repeat."""
        with gone_is_fine():
            self._patient("delete a file", self._client.files.delete)(file)

    def _patient(self, operation: str, ask: Callable[[A], T]) -> Callable[[A], T]:
        """The same question, asked again where a fault passes."""

        def once(argument: A) -> T:
            with self._asking(operation):
                return ask(argument)

        return lambda argument: patiently(lambda: once(argument), self._clock)

    def _page(self, operation: str, ask: Callable[[Query], Any], after: Query) -> _Page:
        def once(query: Query) -> _Page:
            return _read_page(ask(query))

        return self._patient(operation, once)(after)

    def _entries(self, operation: str, ask: Callable[[Query], Any]) -> list[Any]:
        """Every entry of a list, page by page; ends where a page brings nothing new.

        The SDK's own paging never ends on servers that ignore the cursor.
        """
        found: dict[str, Any] = {}
        after: Query = {}
        while True:
            page = self._page(operation, ask, after)
            fresh = {entry.id: entry for entry in page.entries if entry.id not in found}
            found |= fresh
            if not fresh or not page.has_more:
                return list(found.values())
            after = {"after": next(reversed(fresh))}

    def _asking(self, operation: str, *, write: bool = False) -> AbstractContextManager[None]:
        return asking(operation, str(self._client.base_url), self._secrets, write=write)


def _others(raw_jobs: tuple[Any, ...], project: str) -> Iterator[Job]:
    """The jobs that other ftctl projects bought."""
    for raw in raw_jobs:
        owner = read_marks(getattr(raw, "metadata", None)).project
        if owner not in (None, project):
            yield replace(read_job(raw), project=owner)


def _read_page(raw: Any) -> _Page:
    """A page of a list. AttributeError or TypeError where the answer is none."""
    entries = tuple(raw.data or ())
    if not all(isinstance(entry.id, str) for entry in entries):
        raise TypeError("an entry without an id")
    return _Page(entries, bool(getattr(raw, "has_more", False)))
