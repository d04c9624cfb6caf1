"""The `Provider` protocol over the openai SDK, guided by a row of the services table.

SDK objects become our nouns, and SDK errors `ProviderError`, before they leave this module.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftctl.changes import StartJob, Upload
from ftctl.digest import FileName, read_file_name
from ftctl.errors import ProviderError, redact
from ftctl.marks import PROJECT, read_marks
from ftctl.openai_provider.request import job_request
from ftctl.openai_provider.translate import read_event, read_file, read_job
from ftctl.services import Service
from ftctl.world import CheckpointModel, Event, Job, Observed

if TYPE_CHECKING:
    import httpx2
    from openai import OpenAI

_FILES_PAGE = 10_000  # the most that one list of files gives (OpenAI's specification, 2026-08)
_TIMEOUT_SECONDS = 60.0
_UPLOAD_TIMEOUT_SECONDS = 600.0


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
            http_client=reads,
        )
    except (httpx2.InvalidURL, ValueError) as fault:
        reads.close()
        address = redact(connection.base_url)
        raise ProviderError("connect", f"'{address}' is no address: {fault}") from None
    # The SDK repeats a POST whose answer was lost, without a key that would make that safe: for a
    # training job that means two bills. Doubt is settled by looking, in `apply`. Nor do writes
    # share connections: on one that the server has just closed, an answer is lost for nothing.
    once = client.with_options(
        max_retries=0, http_client=over_http(httpx2.Limits(max_keepalive_connections=0))
    )
    return OpenAIProvider(client, once, service, (connection.api_key,))


class OpenAIProvider:
    """One service behind the openai SDK. Reads keep the SDK's retries; writes are asked once."""

    def __init__(
        self, client: OpenAI, once: OpenAI, service: Service, secrets: tuple[str, ...]
    ) -> None:
        self._client = client
        self._once = once
        self._service = service
        self._secrets = secrets

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()
        self._once.close()

    def observe(self, project: str, adopted: frozenset[str] = frozenset()) -> Observed:
        """See `Provider.observe`: one list each of files, jobs and models."""
        listed = self._files()
        # Adopted jobs carry no mark: with any of them, the list is read without the filter.
        raw_jobs = tuple(self._list_jobs(None if adopted else project))
        ours_by_file = {file.id: read_file_name(file.filename or "") for file in listed}
        jobs = self._own(raw_jobs, project, ours_by_file)
        strangers = tuple(read_job(raw) for raw in raw_jobs if raw.id in adopted)
        results = {file for job in jobs for file in job.result_files}
        files = tuple(
            made
            for file in listed
            if (made := read_file(file, project, is_result=file.id in results)) is not None
        )
        return Observed(jobs, files, self._models((*jobs, *strangers)), strangers)

    def jobs(self, project: str) -> tuple[Job, ...]:
        """See `Provider.jobs`."""
        files = {}
        if self._service.mark == "file-name":
            files = {file.id: read_file_name(file.filename or "") for file in self._files()}
        return self._own(tuple(self._list_jobs(project)), project, files)

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
        with self._asking("list files"):
            return list(
                _pages(lambda after: self._client.files.list(limit=_FILES_PAGE, **_after(after)))
            )

    def _list_jobs(self, project: str | None) -> Iterator[Any]:
        filtered: dict[str, Any] = {}
        if project is not None and self._service.mark == "metadata":
            filtered = {"metadata": {PROJECT: project}}
        with self._asking("list jobs"):
            yield from _pages(
                lambda after: self._client.fine_tuning.jobs.list(
                    limit=self._service.page_size, **filtered, **_after(after)
                )
            )

    def _models(self, jobs: tuple[Job, ...]) -> frozenset[str] | None:
        """The models that exist; None where the service does not tell."""
        try:
            with self._asking("list models"):
                listed = frozenset(model.id for model in self._client.models.list().data)
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
            with self._asking("look up a model"):
                self._client.models.retrieve(model)
        except ProviderError as fault:
            if fault.status == 404:
                return False
            raise
        return True

    def events(self, job: str, limit: int | None = None) -> tuple[Event, ...]:
        """See `Provider.events`."""
        with self._asking("list events"):
            listed = self._client.fine_tuning.jobs.list_events
            if limit is not None:
                found = list(listed(job, limit=limit).data)
            else:
                found = list(_pages(lambda after: listed(job, limit=100, **_after(after))))
        return tuple(read_event(raw) for raw in reversed(found))

    def checkpoints(self, job: str) -> tuple[CheckpointModel, ...]:
        """See `Provider.checkpoints`."""
        with self._asking("list checkpoints"):
            listed = self._client.fine_tuning.jobs.checkpoints.list
            found = list(_pages(lambda after: listed(job, limit=100, **_after(after))))
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
            made = self._once.files.create(
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
            raw = self._once.fine_tuning.jobs.create(
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
        try:
            with self._asking("cancel a job"):
                return read_job(self._client.fine_tuning.jobs.cancel(job))
        except ProviderError:
            with self._asking("look up a job"):
                known = read_job(self._client.fine_tuning.jobs.retrieve(job))
            if known.in_progress:
                raise
            return known

    def delete_model(self, model: str) -> None:
        """See `Provider.delete_model`. Deleting is harmless to repeat."""
        with self._gone_is_fine(), self._asking("delete a model"):
            self._client.models.delete(model)

    def delete_file(self, file: str) -> None:
        """See `Provider.delete_file`. Deleting is harmless to repeat."""
        with self._gone_is_fine(), self._asking("delete a file"):
            self._client.files.delete(file)

    @contextmanager
    def _gone_is_fine(self) -> Iterator[None]:
        try:
            yield
        except ProviderError as fault:
            if fault.status != 404:
                raise

    @contextmanager
    def _asking(self, operation: str, *, write: bool = False) -> Iterator[None]:
        """Turn the SDK's errors into ours; a write that may have been done is ambiguous."""
        import httpx2  # noqa: PLC0415 - loaded with the client
        import openai  # noqa: PLC0415

        try:
            yield
        except openai.APIStatusError as fault:
            raise self._refused(operation, fault, write=write) from None
        except openai.APIConnectionError as fault:
            never_sent = isinstance(
                fault.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout
            )
            timed_out = isinstance(fault, openai.APITimeoutError) and not never_sent
            why = "no answer in time" if timed_out else str(fault.__cause__ or fault)
            raise ProviderError(
                operation,
                self._safe(f"the service at {self._client.base_url} cannot be reached: {why}"),
                ambiguous=write and not never_sent,
                hint="check the network and 'base_url', then run the same command again",
            ) from None
        except (openai.OpenAIError, httpx2.HTTPError) as fault:
            raise ProviderError(operation, self._safe(str(fault)), ambiguous=write) from None
        except (ValueError, TypeError, AttributeError, KeyError) as fault:
            # The answer is no JSON, or not of the shape that the SDK knows.
            raise ProviderError(
                operation,
                f"the answer cannot be read ({type(fault).__name__})",
                ambiguous=write,
                hint="is 'base_url' the address of an API of this kind, up to and with /v1?",
            ) from None

    def _refused(self, operation: str, fault: Any, *, write: bool) -> ProviderError:
        body = fault.body if isinstance(fault.body, dict) else {}
        message = body.get("message") or f"HTTP {fault.status_code}"
        code = body.get("code") or body.get("type")
        return ProviderError(
            operation,
            self._safe(str(message)),
            status=fault.status_code,
            code=str(code) if code else None,
            request_id=fault.request_id,
            ambiguous=write and (fault.status_code >= 500 or fault.status_code in (408, 409)),
            hint=_cure(fault.status_code, str(code)),
        )

    def _safe(self, text: str) -> str:
        return redact(text, self._secrets)


def _cure(status: int, code: str) -> str | None:
    """What to do about a refusal, where that is known."""
    if code == "training_not_available":
        return (
            "this organization can no longer train here (OpenAI closes on 2027-01-06);"
            " choose another service with 'provider' in ftctl.yaml"
        )
    if code == "insufficient_quota":
        return "the account's quota is used up; raise it at the service, then apply again"
    match status:
        case 401:
            return "the key is not accepted; check the variable that 'api_key_env' names"
        case 403:
            return "the key may not do this; check its permissions and the account's project"
        case 429:
            return "too many requests; apply again later: what is done stays done"
    return None


def _after(cursor: str | None) -> dict[str, Any]:
    return {"after": cursor} if cursor is not None else {}


def _pages(ask: Callable[[str | None], Any]) -> Iterator[Any]:
    """Every entry of a list, page by page; ends where a page brings nothing new.

    The SDK's own paging never ends on servers that ignore the cursor.
    """
    seen: set[str] = set()
    cursor: str | None = None
    while True:
        page = ask(cursor)
        fresh = [entry for entry in page.data or () if entry.id not in seen]
        yield from fresh
        if not fresh or not getattr(page, "has_more", False):
            return
        seen.update(entry.id for entry in fresh)
        cursor = fresh[-1].id
