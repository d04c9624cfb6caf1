"""The protocols over the openai SDK, guided by a row of the services table.

SDK objects become our nouns, and SDK errors `ProviderError`, before they leave this module.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import quote

from ftctl.catalog.request import job_request
from ftctl.catalog.services import Service
from ftctl.clock import Clock
from ftctl.domain.digest import FileName, read_file_name
from ftctl.domain.observed import (
    UNREADABLE,
    AccountId,
    CheckpointModel,
    Event,
    File,
    Job,
    JobError,
    Observed,
)
from ftctl.domain.plan import StartJob, Upload
from ftctl.domain.variables import with_values
from ftctl.errors import ProviderError
from ftctl.providers.openai.bounds import Bounds, within
from ftctl.providers.openai.echoes import without_echoes
from ftctl.providers.openai.faults import (
    ignore_not_found,
    translate_errors,
    with_cures,
    without_quoted_input,
)
from ftctl.providers.openai.lists import (
    ACCOUNT_JOBS,
    Page,
    Query,
    Readable,
    reaches,
    read_page,
    read_pages,
    readable,
    told,
)
from ftctl.providers.openai.translate import (
    read_answer,
    read_checkpoint,
    read_day,
    read_event,
    read_file,
    read_job,
    read_job_of_ours,
    read_job_of_project,
    read_moderation,
    read_organization,
    read_uploaded,
    tagged_by_file,
)
from ftctl.providers.openai.values import OddValue, Raw, id_of, id_or_stand_in, known_id
from ftctl.providers.ownership import PROJECT, project_of
from ftctl.providers.protocol import Answer
from ftctl.providers.retry import Patience, with_backoff

if TYPE_CHECKING:
    from openai import OpenAI

    from ftctl.providers.openai.access import Access

_LIST_TIMEOUTS = 5  # a list of many pages may take so many times as long as a read
_LEFT_OUT = "it is left out"
_MAY_BE_OURS = "it trains on a file of ours, and the same is not bought beside it"
_COUNTS = "it is ours, and the same is not bought again"
_REFUSES_FILTER = (400, 404, 405, 422, 501)
_FILES_PAGE = 10_000  # the most that one list of files gives (OpenAI's specification, 2026-08)
_STORING_SECONDS = 600.0  # that a service may take for a file once it has all of it
_EVENTS_PAGE = 100
_CHECKPOINTS_PAGE = 100
_PIECE_BYTES = 256 * 1024
_PROBE_TIMEOUT_SECONDS = 10.0
MODERATION_MODEL = "omni-moderation-latest"  # first of the SDK's `ModerationModel` (3.54)


A = TypeVar("A")
T = TypeVar("T")


# developers.openai.com on workload identity federation, read 2026-11-30.
_NO_DELETES = (
    "OpenAI deletes no model with a key of 'ftctl token openai': apply once with 'api_key_env' and"
    " an API key, or keep more models with 'keep'"
)


class OpenAIProvider:
    """One service behind the openai SDK. Uploads, creates, downloads and probes are asked once."""

    def __init__(
        self,
        client: OpenAI,
        writer: OpenAI,
        service: Service,
        clock: Clock,
        access: Access,
        *,
        timeout_seconds: float,
    ) -> None:
        self._client = client
        self._writer = writer
        self._service = service
        self._clock = clock
        self._secrets = access.secrets  # grows where a key is renewed
        self._access = access
        self._timeout_seconds = timeout_seconds
        self._refuses_filter = False  # the service, of the list of jobs: known once it did

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
        names = _names(raw_files)
        jobs = self._own(raw_jobs, project, names)
        adopted_jobs = tuple(self._job_of_ours(raw) for raw in raw_jobs if known_id(raw) in adopted)
        ours, theirs = _parted(
            raw_jobs, lambda raw: _owner(raw, names) == project or known_id(raw) in adopted
        )
        strangers = readable("job", theirs, self._read_job_of_project)
        odd = self._odd_of_ours((*jobs, *adopted_jobs), ours)
        files = self._own_files(raw_files, project, jobs)
        models, shutdowns = self._models((*jobs, *adopted_jobs))
        return Observed(
            jobs,
            tuple(file for file in files.read if file is not None),
            models,
            adopted_jobs,
            tuple(job for job in strangers.read if others and job.project is not None),
            shutdowns,
            self._account(raw_jobs),
            told_at=self._access.told_at,
            unreadable=(
                *told(odd, _COUNTS),
                *told(strangers.odd, _LEFT_OUT),
                *told(files.odd, _LEFT_OUT),
            ),
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
        for raw in raw_jobs:
            if _owner(raw, names) == project:
                job, name = self._job_of_ours(raw), names.get(_training_file(raw))
                marked = project_of(raw.get("metadata")) is not None
                by_file = None if marked else name
                own.append(tagged_by_file(job, by_file, raw_jobs) if by_file else job)
        return tuple(sorted(own, key=lambda job: job.age_order, reverse=True))

    def observe_account(self, observed: Observed, project: str, since: int | None) -> Observed:
        """See `Reader.observe_account`."""
        names = {file.id: read_file_name(file.name) for file in observed.files}
        raw_jobs = self._account_jobs(since)
        own = self._own(raw_jobs, project, names)
        ours = {job.id: job for job in (*own, *observed.jobs)}
        marked, raw_others = _parted(raw_jobs, lambda raw: _owner(raw, names) == project)
        near, far = _parted(raw_others, lambda raw: _training_file(raw) in names)
        odd_near = readable("job", near, self._read_job_of_project).odd
        jobs = readable("job", far, self._read_job_of_project)
        read = (*map(self._stranger_on_our_file, near), *jobs.read)
        others = [job for job in read if job.id not in ours]
        known = {job.id for job in observed.others}
        theirs = [job for job in others if job.project not in (None, project)]
        newest_first = sorted(ours.values(), key=lambda job: job.age_order, reverse=True)
        more = (
            *told(self._odd_of_ours(own, marked), _COUNTS),
            *told(odd_near, _MAY_BE_OURS),
            *told(jobs.odd, _LEFT_OUT),
        )
        return replace(
            observed,
            jobs=tuple(newest_first),
            strangers=(
                *observed.strangers,
                *(
                    job
                    for job in others
                    if names.keys() & {job.training_file, job.validation_file}
                    and job.id not in {stranger.id for stranger in observed.strangers}
                ),
            ),
            others=(*observed.others, *(job for job in theirs if job.id not in known)),
            account=self._account(raw_jobs).completed(observed.account),
            unreadable=tuple(dict.fromkeys((*observed.unreadable, *more))),
        )

    def _odd_of_ours(self, jobs: Iterable[Job], raw_jobs: Iterable[Raw]) -> tuple[str, ...]:
        """Why jobs of ours cannot be read: they are read once more for that, where any is odd."""
        if not any(job.is_unreadable for job in jobs):
            return ()
        return readable("job", raw_jobs, self._read_job).odd

    def _own_files(
        self, raw_files: Sequence[Raw], project: str, jobs: Iterable[Job]
    ) -> Readable[File | None]:
        """What the project uploaded, and what its jobs wrote."""
        results = {file for job in jobs for file in job.result_files}
        return readable(
            "file",
            raw_files,
            lambda raw: read_file(raw, project, is_result=known_id(raw) in results),
        )

    def _files(self) -> list[Raw]:
        return self._entries("list files", "/files", {"limit": _FILES_PAGE})

    def _list_jobs(self, project: str | None) -> list[Raw]:
        """The jobs of a project, or all of the account."""
        query: Query = {"limit": self._service.page_size}
        filtered = project is not None and self._service.ownership_store == "metadata"
        if filtered and not self._refuses_filter:
            try:
                return self._entries(
                    "list jobs", "/fine_tuning/jobs", {**query, "metadata": {PROJECT: project}}
                )
            except ProviderError as fault:
                if fault.status not in _REFUSES_FILTER:
                    raise
        # Each tag is looked at in any case: a service that takes no filter costs a longer list.
        jobs = self._entries("list jobs", "/fine_tuning/jobs", query)
        self._refuses_filter = self._refuses_filter or filtered
        return jobs

    def _account_jobs(self, since: int | None) -> list[Raw]:
        """The newest jobs of the account, back to that moment; or of 90 days, or 1,000."""
        return self._entries(
            "list jobs",
            "/fine_tuning/jobs",
            {"limit": self._service.page_size},
            enough=lambda entries: len(entries) >= ACCOUNT_JOBS or reaches(entries, since),
        )

    def _models(self, jobs: Iterable[Job]) -> tuple[frozenset[str] | None, Mapping[str, date]]:
        """The models that exist, None where the service does not tell; and when they stop."""
        if not self._service.lists_models:
            return None, {}
        try:
            models = self._page("list models", "/models", {}).entries
        except ProviderError as fault:
            # Restricted keys may not list models, and some gateways cannot.
            if fault.status in (403, 404, 405, 501):
                return None, {}
            raise
        named = ((known_id(raw), raw) for raw in models)
        days = {name: read_day(raw.get("shutdown_date")) for name, raw in named if name}
        names = frozenset(days)
        shutdowns = {model: day for model, day in days.items() if day is not None}
        expected = [job.model for job in jobs if job.status == "succeeded" and job.model]
        if expected and names.isdisjoint(expected) and self.model_visible(expected[0]):
            return None, shutdowns  # a list without any fine-tuned model in it proves nothing
        return names, shutdowns

    def model_visible(self, model: str) -> bool:
        """See `Reader.model_visible`. Where models have no names, a job is its own."""
        try:
            if not self._service.names_models:
                return self.job(model).model == model
            self._retried("look up a model", self._client.models.retrieve)(model)
        except ProviderError as fault:
            if fault.status == 404:
                return False
            raise
        return True

    def job(self, job: str) -> Job:
        """See `Reader.job`."""

        def retrieve(name: str) -> Job:
            answer = self._client.fine_tuning.jobs.with_raw_response.retrieve(name)
            return self._read_job_of_project(_record(answer.http_response))

        return self._retried("look up a job", retrieve)(job)

    def events(self, job: str, limit: int | None = None) -> tuple[Event, ...]:
        """See `Reader.events`."""
        path = f"/fine_tuning/jobs/{quote(job, safe='')}/events"
        if limit is not None:
            newest_first = list(self._page("list events", path, {"limit": limit}).entries)
        else:
            newest_first = self._entries("list events", path, {"limit": _EVENTS_PAGE}, whole=False)
        plain = (without_echoes(raw, self._secrets) for raw in newest_first[::-1])
        return readable("event", tuple(plain), read_event).read

    def file(self, file: str) -> File:
        """See `Reader.file`."""

        def look(name: str) -> File:
            return read_uploaded(_record(self._got(f"/files/{quote(name, safe='')}")))

        return self._retried("look up a file", look)(file)

    def checkpoints(self, job: str) -> tuple[CheckpointModel, ...]:
        """See `Reader.checkpoints`."""
        path = f"/fine_tuning/jobs/{quote(job, safe='')}/checkpoints"
        entries = self._entries("list checkpoints", path, {"limit": _CHECKPOINTS_PAGE})
        # None is left out: which is the best, or at a step, decides what is trained on.
        with self._translated("list checkpoints"):
            return tuple(map(read_checkpoint, entries))

    def upload(self, step: Upload, source: Path) -> File:
        """See `Writer.upload`."""
        bounds = Bounds(_STORING_SECONDS, by_progress=True)
        with (
            self._translated("upload a file", write=True),
            source.open("rb") as stream,
            within(bounds),
        ):
            answer = self._writer.files.with_raw_response.create(
                file=(step.filename, stream), purpose="fine-tune", timeout=_STORING_SECONDS
            )
            return _uploaded(_record(answer.http_response), step)

    def find_upload(self, filename: str, size: int) -> str | None:
        """See `Reader.find_upload`."""
        files = readable("file", self._files(), read_uploaded)
        copies = [file for file in files.read if file.name == filename and file.bytes == size]
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
        bounds = Bounds(self._timeout_seconds)
        asked = self._translated("create a job", write=True, buys=True)
        with with_cures(self._service.cures), asked, within(bounds):
            answer = self._writer.fine_tuning.jobs.with_raw_response.create(
                model=base_model, training_file=training_file, extra_body=body
            )
            return self._job_of(answer)

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
        cancel = self._client.fine_tuning.jobs.with_raw_response.cancel
        return self._steered("cancel a job", cancel, job, lambda after: not after.in_progress)

    def pause_job(self, job: str) -> Job:
        """See `Writer.pause_job`."""
        pause = self._client.fine_tuning.jobs.with_raw_response.pause
        return self._steered("pause a job", pause, job, lambda after: after.status == "paused")

    def resume_job(self, job: str) -> Job:
        """See `Writer.resume_job`."""
        resume = self._client.fine_tuning.jobs.with_raw_response.resume
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
            return self._job_of(ask(name))

        try:
            return self._retried(operation, steer)(job)
        except ProviderError:
            after = self.job(job)
            if not is_there(after):
                raise
            return after

    def delete_model(self, model: str) -> None:
        """See `Writer.delete_model`."""
        with ignore_not_found(), self._deletes_of_models():
            self._retried("delete a model", self._client.models.delete)(model)

    @contextmanager
    def _deletes_of_models(self) -> Iterator[None]:
        """Tell what a refusal is about where no key of this kind may delete models."""
        try:
            yield
        except ProviderError as fault:
            if self._access.keeps_models and fault.status in (401, 403):
                fault.kind_of_key, fault.hint = True, _NO_DELETES
            raise

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
        in_our_words = readable("job", self._list_jobs(None), self._in_our_words)
        with self._translated("list jobs"):
            return tuple(map(read, in_our_words.read))

    def account_job(self, job: str, read: Callable[[Raw], T]) -> T:
        """See `Account.account_job`."""

        def once(name: str) -> T:
            path = f"/fine_tuning/jobs/{quote(name, safe='')}"
            return read(self._in_our_words(_record(self._got(path))))

        return self._retried("look up a job", once)(job)

    def _in_our_words(self, raw: Raw) -> Raw:
        """The service's JSON of a job, with its id, state and beginning as we tell them."""
        try:
            job = self._read_job(raw)
            known = {"id": job.id, "status": job.status, "created_at": job.created_at}
        except OddValue:
            known = {"id": id_or_stand_in(raw), "status": UNREADABLE, "created_at": 0}
        return {**self._plain(raw), **known}

    def file_names(self) -> Mapping[str, str]:
        """See `Account.file_names`."""
        files = readable("file", self._files(), read_uploaded)
        return {file.id: file.name for file in files.read}

    def download(self, file: str) -> Iterator[bytes]:
        """See `Account.download`."""
        bounds = Bounds(self._timeout_seconds, streamed=True)
        content = self._client.files.with_streaming_response.content
        with self._translated("download a file"), ExitStack() as opened:
            with within(bounds):
                answer = opened.enter_context(content(file))
            pieces = answer.iter_bytes(_PIECE_BYTES)
            # No block of bounds stays open while somebody else works on a piece.
            while (piece := _next(pieces, bounds)) is not None:
                yield piece

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
            with self._translated(f"{method} {path}"), within(Bounds(_PROBE_TIMEOUT_SECONDS)):
                try:
                    got = send(path, cast_to=httpx2.Response, **more)
                except openai.APIStatusError as fault:
                    got = fault.response
        except ProviderError as fault:
            return Answer(None, time.monotonic() - began, message=fault.message)
        answer = read_answer(got, time.monotonic() - began, self._secrets)
        return replace(answer, account=self._access.account)

    def _retried(self, operation: str, ask: Callable[[A], T]) -> Callable[[A], T]:
        """The same question, asked again after a fault that is retryable, while there is time."""

        def asked(argument: A) -> T:
            patience = Patience(self._timeout_seconds)

            def once() -> T:
                with self._translated(operation), within(Bounds(patience.left_seconds)):
                    return ask(argument)

            return with_backoff(once, self._clock, patience)

        return asked

    def _job_of(self, answer: Any) -> Job:
        """A job that was answered alone. The SDK's own object would warn of all that is odd."""
        return self._read_job(_record(answer.http_response))

    def _read_job(self, raw: Raw) -> Job:
        return read_job(self._plain(raw), self._service.status_of)

    def _read_job_of_project(self, raw: Raw) -> Job:
        return read_job_of_project(self._plain(raw), self._service.status_of)

    def _stranger_on_our_file(self, raw: Raw) -> Job:
        """A job without our tag that may be ours: one that cannot be read is there all the same."""
        try:
            return self._read_job_of_project(raw)
        except OddValue as fault:
            error = JobError(UNREADABLE, str(fault))
            file = _training_file(raw)
            return Job(id_or_stand_in(raw), UNREADABLE, 0, error=error, training_file=file)

    def _job_of_ours(self, raw: Raw) -> Job:
        return read_job_of_ours(self._plain(raw), self._service.status_of)

    def _plain(self, raw: Raw) -> Raw:
        """A job without secrets that it repeats, and with a model where the service names none."""
        known = without_echoes(raw, self._secrets)
        status, service = known.get("status"), self._service
        if service.names_models or known.get("fine_tuned_model") or not isinstance(status, str):
            return known
        over = service.status_of(status) == "succeeded"
        return {**known, "fine_tuned_model": known.get("id")} if over else known

    def _got(self, path: str, query: Query | None = None) -> Any:
        """An answer as the service sent it.

        The SDK's typed objects would cost some 20 times as much to make as the JSON to read.
        """
        import httpx2  # noqa: PLC0415 - loaded with the client

        options: Any = {"params": query or {}}
        return self._client.get(path, cast_to=httpx2.Response, options=options)

    def _page(self, operation: str, path: str, query: Query) -> Page:
        """A part of a list."""

        def once(wanted: Query) -> Page:
            return read_page(self._got(path, wanted))

        return self._retried(operation, once)(query)

    def _entries(
        self,
        operation: str,
        path: str,
        query: Query,
        *,
        whole: bool = True,
        enough: Callable[[dict[str, Raw]], bool] = lambda _entries: False,
    ) -> list[Raw]:
        return read_pages(
            operation,
            lambda wanted: self._page(operation, path, wanted),
            query,
            within_seconds=_LIST_TIMEOUTS * self._timeout_seconds,
            whole=whole,
            enough=enough,
        )

    def _translated(
        self, operation: str, *, write: bool = False, buys: bool = False
    ) -> AbstractContextManager[None]:
        base_url = str(self._client.base_url)
        return translate_errors(operation, base_url, self._secrets, write=write, buys=buys)


def _uploaded(raw: Raw, step: Upload) -> File:
    """A file that was just sent. What its answer tells oddly is as it was sent: it is there."""
    try:
        return read_uploaded(raw)
    except OddValue:
        return File(id_of(raw), step.filename, step.bytes, 0)


def _names(raw_files: Iterable[Raw]) -> dict[str, FileName | None]:
    """What the name of each file says, by the file's id; None where it is not one of ours."""
    names = ((known_id(raw), raw.get("filename")) for raw in raw_files)
    return {
        file: read_file_name(name) if isinstance(name, str) else None
        for file, name in names
        if file is not None
    }


def _owner(raw: Raw, names: Mapping[str, FileName | None]) -> str | None:
    """The project that a job is of: as it says itself, or as the name of its file does."""
    owner, name = project_of(raw.get("metadata")), names.get(_training_file(raw))
    if owner is None and name is not None and name.digest is not None:
        return name.project
    return owner


def _parted(entries: Iterable[Raw], is_first: Callable[[Raw], bool]) -> tuple[list[Raw], list[Raw]]:
    """The entries of which it is so, and the others."""
    parts: tuple[list[Raw], list[Raw]] = ([], [])
    for raw in entries:
        parts[0 if is_first(raw) else 1].append(raw)
    return parts


def _training_file(raw: Raw) -> str:
    file = raw.get("training_file")
    return file if isinstance(file, str) else ""


def _record(answer: Any) -> Raw:
    """The one object of an answer. TypeError where it is none."""
    record = answer.json()
    if not isinstance(record, dict):
        raise TypeError("no object")
    return record


def _next(pieces: Iterator[bytes], bounds: Bounds) -> bytes | None:
    """The next piece of a stream, for which there is as much time as for a whole answer."""
    bounds.goes_on()
    with within(bounds):
        return next(pieces, None)
