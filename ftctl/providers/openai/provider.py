"""The protocols over the openai SDK, guided by a row of the services table.

SDK objects become our nouns, and SDK errors `ProviderError`, before they leave this module.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar
from urllib.parse import quote

from ftctl.catalog.request import job_request
from ftctl.catalog.services import Service
from ftctl.clock import Clock
from ftctl.domain.digest import FileName, read_file_name
from ftctl.domain.observed import AccountId, CheckpointModel, Event, File, Job, Observed
from ftctl.domain.plan import StartJob, Upload
from ftctl.domain.variables import with_values
from ftctl.errors import ProviderError
from ftctl.providers.openai.faults import ignore_not_found, translate_errors, without_quoted_input
from ftctl.providers.openai.translate import (
    Raw,
    read_answer,
    read_checkpoint,
    read_day,
    read_event,
    read_file,
    read_job,
    read_job_of_project,
    read_moderation,
    read_organization,
    read_uploaded,
    tagged_by_file,
)
from ftctl.providers.ownership import PROJECT, project_of
from ftctl.providers.protocol import Answer
from ftctl.providers.retry import with_backoff

if TYPE_CHECKING:
    from openai import OpenAI

    from ftctl.providers.openai.access import Access

_FILES_PAGE = 10_000  # the most that one list of files gives (OpenAI's specification, 2026-08)
_UPLOAD_TIMEOUT_SECONDS = 600.0
_EVENTS_PAGE = 100
_CHECKPOINTS_PAGE = 100
_PIECE_BYTES = 256 * 1024
_PROBE_TIMEOUT_SECONDS = 10.0
MODERATION_MODEL = "omni-moderation-latest"  # first of the SDK's `ModerationModel` (3.54)

ACCOUNT_JOBS = 1000  # so many of an account's jobs are looked at before a purchase

A = TypeVar("A")
T = TypeVar("T")
Query = dict[str, Any]


class _Page(NamedTuple):
    """A part of a list; each entry has an id."""

    entries: tuple[Raw, ...]
    has_more: bool


class OpenAIProvider:
    """One service behind the openai SDK. Uploads, creates, downloads and probes are asked once."""

    def __init__(
        self,
        client: OpenAI,
        writer: OpenAI,
        service: Service,
        clock: Clock,
        access: Access,
    ) -> None:
        self._client = client
        self._writer = writer
        self._service = service
        self._clock = clock
        self._secrets = access.secrets  # grows where a key is renewed
        self._access = access

    def close(self) -> None:
        """See `Client.close`."""
        self._client.close()
        self._writer.close()

    def observe(
        self, project: str, adopted: frozenset[str] = frozenset(), *, others: bool = False
    ) -> Observed:
        """See `Reader.observe`: one list each of files, jobs and models."""
        raw_files = self._files()
        # Adopted jobs carry no tag: with any of them, the list is read without the filter.
        raw_jobs = self._list_jobs(None if adopted or others else project)
        jobs = self._own(raw_jobs, project, _names(raw_files))
        strangers = [raw for raw in raw_jobs if raw["id"] in adopted]
        adopted_jobs = self._read("list jobs", read_job, strangers)
        theirs = self._of_others(raw_jobs, project) if others else ()
        files = self._own_files(raw_files, project, jobs)
        models, shutdowns = self._models((*jobs, *adopted_jobs))
        account = self._account(raw_jobs)
        told_at = self._access.told_at
        return Observed(
            jobs, files, models, adopted_jobs, theirs, shutdowns, account, told_at=told_at
        )

    def _account(self, raw_jobs: Iterable[Raw]) -> AccountId:
        """Whom the key acts for, by whose jobs it lists and by what the answers' headers say."""
        told = self._access.account
        return AccountId(read_organization(raw_jobs) or told.organization, told.project)

    def jobs(self, project: str, *, whole: bool = False) -> tuple[Job, ...]:
        """See `Reader.jobs`."""
        in_file_names = self._service.ownership_store == "file-name"
        names = _names(self._files()) if in_file_names else {}
        return self._own(self._list_jobs(None if whole else project), project, names)

    def _own(
        self, raw_jobs: Sequence[Raw], project: str, names: Mapping[str, FileName | None]
    ) -> tuple[Job, ...]:
        """The project's jobs. The service's filter is not trusted: each tag is looked at."""
        own = []
        for job, raw in zip(self._read("list jobs", read_job, raw_jobs), raw_jobs, strict=True):
            owner, tagged = project_of(raw.get("metadata")), job
            name = names.get(job.training_file or "")
            if owner is None and name is not None and name.digest is not None:
                owner, tagged = name.project, tagged_by_file(job, name, raw_jobs)
            if owner == project:
                own.append(tagged)
        return tuple(sorted(own, key=lambda job: job.age_order, reverse=True))

    def observe_account(self, observed: Observed, project: str, since: int | None) -> Observed:
        """See `Reader.observe_account`."""
        names = {file.id: read_file_name(file.name) for file in observed.files}
        raw_jobs = self._list_jobs(None, since=since)
        ours = {job.id: job for job in (*self._own(raw_jobs, project, names), *observed.jobs)}
        theirs = [
            job
            for job, raw in zip(self._read("list jobs", read_job, raw_jobs), raw_jobs, strict=True)
            if job.id not in ours and (job.training_file in names or job.validation_file in names)
        ]
        newest_first = sorted(ours.values(), key=lambda job: job.age_order, reverse=True)
        return replace(
            observed,
            jobs=tuple(newest_first),
            strangers=tuple(theirs),
            account=self._account(raw_jobs).completed(observed.account),
        )

    def _of_others(self, raw_jobs: Sequence[Raw], project: str) -> tuple[Job, ...]:
        jobs = self._read("list jobs", read_job_of_project, raw_jobs)
        return tuple(job for job in jobs if job.project not in (None, project))

    def _own_files(
        self, raw_files: Sequence[Raw], project: str, jobs: Iterable[Job]
    ) -> tuple[File, ...]:
        """What the project uploaded, and what its jobs wrote."""
        results = {file for job in jobs for file in job.result_files}
        files = self._read(
            "list files",
            lambda raw: read_file(raw, project, is_result=raw["id"] in results),
            raw_files,
        )
        return tuple(file for file in files if file is not None)

    def _files(self) -> list[Raw]:
        return self._entries("list files", "/files", {"limit": _FILES_PAGE})

    def _list_jobs(self, project: str | None, *, since: int | None = None) -> list[Raw]:
        """The jobs of a project, or of the account; with `since`, back to that moment or so."""
        query: Query = {"limit": self._service.page_size}
        if project is not None and self._service.ownership_store == "metadata":
            query["metadata"] = {PROJECT: project}
        if since is None:
            return self._entries("list jobs", "/fine_tuning/jobs", query)
        return self._entries(
            "list jobs",
            "/fine_tuning/jobs",
            query,
            enough=lambda entries: len(entries) >= ACCOUNT_JOBS or _reaches(entries, since),
        )

    def _models(self, jobs: Iterable[Job]) -> tuple[frozenset[str] | None, Mapping[str, date]]:
        """The models that exist, None where the service does not tell; and when they stop."""
        try:
            models = self._page("list models", "/models", {}).entries
        except ProviderError as fault:
            # Restricted keys may not list models, and some gateways cannot.
            if fault.status in (403, 404, 405, 501):
                return None, {}
            raise
        names = frozenset(model["id"] for model in models)
        days = {model["id"]: read_day(model.get("shutdown_date")) for model in models}
        shutdowns = {model: day for model, day in days.items() if day is not None}
        expected = [job.model for job in jobs if job.status == "succeeded" and job.model]
        if expected and names.isdisjoint(expected) and self.model_visible(expected[0]):
            return None, shutdowns  # a list without any fine-tuned model in it proves nothing
        return names, shutdowns

    def model_visible(self, model: str) -> bool:
        """See `Reader.model_visible`."""
        try:
            self._retried("look up a model", self._client.models.retrieve)(model)
        except ProviderError as fault:
            if fault.status == 404:
                return False
            raise
        return True

    def job(self, job: str) -> Job:
        """See `Reader.job`."""

        def retrieve(name: str) -> Job:
            return read_job(self._client.fine_tuning.jobs.retrieve(name).to_dict())

        return self._retried("look up a job", retrieve)(job)

    def events(self, job: str, limit: int | None = None) -> tuple[Event, ...]:
        """See `Reader.events`."""
        path = f"/fine_tuning/jobs/{quote(job, safe='')}/events"
        if limit is not None:
            newest_first = list(self._page("list events", path, {"limit": limit}).entries)
        else:
            newest_first = self._entries("list events", path, {"limit": _EVENTS_PAGE})
        return self._read("list events", read_event, newest_first[::-1])

    def checkpoints(self, job: str) -> tuple[CheckpointModel, ...]:
        """See `Reader.checkpoints`."""
        path = f"/fine_tuning/jobs/{quote(job, safe='')}/checkpoints"
        entries = self._entries("list checkpoints", path, {"limit": _CHECKPOINTS_PAGE})
        return self._read("list checkpoints", read_checkpoint, entries)

    def upload(self, step: Upload, source: Path) -> File:
        """See `Writer.upload`."""
        with self._translated("upload a file", write=True), source.open("rb") as stream:
            made = self._writer.files.create(
                file=(step.filename, stream), purpose="fine-tune", timeout=_UPLOAD_TIMEOUT_SECONDS
            )
            return read_uploaded(made.to_dict())

    def file(self, file: str) -> File:
        """See `Reader.file`."""

        def retrieve(name: str) -> File:
            return read_uploaded(self._client.files.retrieve(name).to_dict())

        return self._retried("look up a file", retrieve)(file)

    def find_upload(self, filename: str, size: int) -> str | None:
        """See `Reader.find_upload`."""
        files = self._read("list files", read_uploaded, self._files())
        copies = [file for file in files if file.name == filename and file.bytes == size]
        oldest = min(copies, key=lambda file: (file.created_at, file.id), default=None)
        return oldest.id if oldest is not None else None

    def start_job(
        self,
        step: StartJob,
        *,
        base_model: str,
        training_file: str,
        validation_file: str | None,
        tags: Mapping[str, str],
    ) -> Job:
        """See `Writer.start_job`."""
        body = job_request(self._with_values(step.spec), self._service)
        if self._service.ownership_store == "metadata":
            body["metadata"] = {**body.get("metadata", {}), **tags}
        if validation_file is not None:
            body["validation_file"] = validation_file
        with self._translated("create a job", write=True):
            raw = self._writer.fine_tuning.jobs.create(
                model=base_model, training_file=training_file, extra_body=body
            )
            return read_job(raw.to_dict())

    def _with_values(self, spec: Mapping[str, Any]) -> Mapping[str, Any]:
        """The spec with what its references stand for: for the request alone."""
        try:
            return {**spec, "extra": with_values(spec.get("extra", {}), self._access.variables)}
        except KeyError as fault:
            raise ProviderError(
                "create a job",
                f"the environment variable {fault.args[0]} is not set; the request needs it",
                hint=f"export {fault.args[0]}=…",
            ) from None

    def cancel_job(self, job: str) -> Job:
        """See `Writer.cancel_job`."""
        cancel = self._client.fine_tuning.jobs.cancel
        return self._steered("cancel a job", cancel, job, lambda after: not after.in_progress)

    def pause_job(self, job: str) -> Job:
        """See `Writer.pause_job`."""
        pause = self._client.fine_tuning.jobs.pause
        return self._steered("pause a job", pause, job, lambda after: after.status == "paused")

    def resume_job(self, job: str) -> Job:
        """See `Writer.resume_job`."""
        resume = self._client.fine_tuning.jobs.resume
        return self._steered(
            "resume a job",
            resume,
            job,
            lambda after: after.in_progress and after.status != "paused",
        )

    def _steered(
        self, operation: str, ask: Callable[[str], Any], job: str, is_there: Callable[[Job], bool]
    ) -> Job:
        """The job after a request that is the same twice. A refusal is none where it is there."""

        def steer(name: str) -> Job:
            return read_job(ask(name).to_dict())

        try:
            return self._retried(operation, steer)(job)
        except ProviderError:
            after = self.job(job)
            if not is_there(after):
                raise
            return after

    def delete_model(self, model: str) -> None:
        """See `Writer.delete_model`."""
        with ignore_not_found():
            self._retried("delete a model", self._client.models.delete)(model)

    def delete_file(self, file: str) -> None:
        """See `Writer.delete_file`."""
        with ignore_not_found():
            self._retried("delete a file", self._client.files.delete)(file)

    def moderate(self, texts: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """See `Moderator.moderate`."""
        try:
            return self._retried("moderate texts", self._moderate)(texts)
        except ProviderError as fault:
            raise without_quoted_input(fault) from None

    def _moderate(self, texts: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        import httpx2  # noqa: PLC0415 - loaded with the client

        # Half of a character that JSON wrote as two cannot be sent.
        sent = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        body = {"model": MODERATION_MODEL, "input": sent}
        answer = self._client.post("/moderations", cast_to=httpx2.Response, body=body)
        results = answer.json()["results"]
        if len(results) != len(sent):
            raise TypeError("not one result for each text")
        return tuple(read_moderation(result) for result in results)

    def account_jobs(self, read: Callable[[Raw], T]) -> tuple[T, ...]:
        """See `Account.account_jobs`."""
        return self._read("list jobs", read, self._list_jobs(None))

    def account_job(self, job: str, read: Callable[[Raw], T]) -> T:
        """See `Account.account_job`."""
        import httpx2  # noqa: PLC0415 - loaded with the client

        def once(name: str) -> T:
            path = f"/fine_tuning/jobs/{quote(name, safe='')}"
            return read(self._client.get(path, cast_to=httpx2.Response).json())

        return self._retried("look up a job", once)(job)

    def file_names(self) -> Mapping[str, str]:
        """See `Account.file_names`."""
        return {file["id"]: str(file.get("filename") or "") for file in self._files()}

    def download(self, file: str) -> Iterator[bytes]:
        """See `Account.download`."""
        with self._translated("download a file"):
            content = self._client.files.with_streaming_response.content
            with content(file) as answer:
                yield from answer.iter_bytes(_PIECE_BYTES)

    def ask(
        self,
        method: Literal["GET", "POST", "DELETE"],
        path: str,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """See `Probe.ask`."""
        import httpx2  # noqa: PLC0415 - loaded with the client
        import openai  # noqa: PLC0415

        client = self._writer if method == "POST" else self._client
        send: Any = getattr(client, method.lower())
        more: Any = {} if body is None else {"body": body}
        more["options"] = {"timeout": _PROBE_TIMEOUT_SECONDS}
        began = time.monotonic()
        try:
            with self._translated(f"{method} {path}"):
                try:
                    got = send(path, cast_to=httpx2.Response, **more)
                except openai.APIStatusError as fault:
                    got = fault.response
        except ProviderError as fault:
            return Answer(None, time.monotonic() - began, message=fault.message)
        return read_answer(got, time.monotonic() - began, self._secrets)

    def _retried(self, operation: str, ask: Callable[[A], T]) -> Callable[[A], T]:
        """The same question, asked again after a fault that is retryable."""

        def once(argument: A) -> T:
            with self._translated(operation):
                return ask(argument)

        return lambda argument: with_backoff(lambda: once(argument), self._clock)

    def _read(
        self, operation: str, read: Callable[[Raw], T], entries: Sequence[Raw]
    ) -> tuple[T, ...]:
        """Each entry as one of our nouns; an odd one is a fault of the service, not a crash."""
        with self._translated(operation):
            return tuple(read(raw) for raw in entries)

    def _page(self, operation: str, path: str, query: Query) -> _Page:
        """A part of a list, as the service's own JSON.

        The SDK's typed objects would cost some 20 times as much to make as the JSON to read.
        """
        import httpx2  # noqa: PLC0415 - loaded with the client

        def once(wanted: Query) -> _Page:
            answer = self._client.get(path, cast_to=httpx2.Response, options={"params": wanted})
            return _read_page(answer.json())

        return self._retried(operation, once)(query)

    def _entries(
        self,
        operation: str,
        path: str,
        query: Query,
        *,
        enough: Callable[[dict[str, Raw]], bool] = lambda _entries: False,
    ) -> list[Raw]:
        """Every entry of a list, page by page, until there are enough of them.

        It ends where a page brings nothing new: some servers ignore the cursor, and would be read
        for ever.
        """
        entries: dict[str, Raw] = {}
        while True:
            page = self._page(operation, path, query)
            fresh = {entry["id"]: entry for entry in page.entries if entry["id"] not in entries}
            entries |= fresh
            if not fresh or not page.has_more or enough(entries):
                return list(entries.values())
            query = {**query, "after": next(reversed(fresh))}

    def _translated(self, operation: str, *, write: bool = False) -> AbstractContextManager[None]:
        return translate_errors(operation, str(self._client.base_url), self._secrets, write=write)


def _reaches(entries: dict[str, Raw], since: int) -> bool:
    """Whether a list that is newest first has come to what was made before that moment."""
    created_at = entries[next(reversed(entries))].get("created_at") if entries else None
    return isinstance(created_at, int | float) and created_at < since


def _names(raw_files: Iterable[Raw]) -> dict[str, FileName | None]:
    """What the name of each file says, by the file's id; None where it is not one of ours."""
    return {file["id"]: read_file_name(file.get("filename") or "") for file in raw_files}


def _read_page(answer: Any) -> _Page:
    """A page of a list. TypeError, KeyError or AttributeError where the answer is none."""
    entries = tuple(answer["data"] or ())  # without any, it is no list: not an empty one
    if not all(isinstance(entry["id"], str) for entry in entries):
        raise TypeError("an entry without an id")
    return _Page(entries, bool(answer.get("has_more")))
