"""What the service sends in, our nouns out; services leave fields out and add others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from ftctl.catalog.services import SERVICES
from ftctl.domain.digest import FileName, is_whole, job_hash, read_file_name, read_run
from ftctl.domain.observed import (
    TERMINAL,
    UNREADABLE,
    UNSEEN,
    CheckpointModel,
    Event,
    File,
    Job,
    JobError,
)
from ftctl.errors import redact
from ftctl.providers.openai.values import (
    OddValue,
    Raw,
    count,
    id_of,
    id_or_stand_in,
    identifier,
    identifiers,
    is_name,
    known_id,
    mapping,
    moment,
    name,
    number,
    reason,
    text,
    whole,
)
from ftctl.providers.ownership import COMMIT, OwnershipTag, project_of, read_tag
from ftctl.providers.protocol import Answer
from ftctl.text.escape.single_line import one_line, short
from ftctl.text.identifiers import is_identifier, is_own_name

if TYPE_CHECKING:
    import httpx2

StatusOf = Callable[[str], str]  # the service's word for a job's state in, ours out

_LONGEST_WORD = 64  # characters: of a state, a level, the name of a number
_LONGEST_TEXT = 512  # characters of a value, and of a name that is only shown
_LONGEST_MESSAGE = 10_000
_MOST_NUMBERS = 64  # of a job, or of an event
_MOST_PAIRS = 64  # of a job's metadata
_DEEPEST = 8
# Of a file. Not in them: "processed", and what a service says that has no such states.
# Not `uploaded`: some files stay so and are ready; of others the create says that they are not.
_FILE_PROCESSING = frozenset(
    {"uploading", "pending", "queued", "processing", "running", "validating"}
    | {"notrunning", "importing", "in_progress", "inprogress"}
)
_FILE_REFUSED = frozenset(
    {"error", "failed", "invalid", "rejected", "deleting", "deleted", "expired"}
)
_CATEGORY = re.compile(r"[a-z][a-z0-9_/ -]{0,63}", re.IGNORECASE)
_UNNAMED = "a reason without a name"


def read_job(raw: Raw, status_of: StatusOf = SERVICES["openai"].status_of) -> Job:
    """A training job. `OddValue` where something of it that decides cannot be read.

    One that has an end is over, whatever word stands for its state.
    """
    job, tag = id_of(raw), _checked(read_tag(raw.get("metadata")))
    model, finished_at = identifier(raw, "fine_tuned_model"), _finished_at(raw)
    status, error = _outcome(raw, status_of, model, ended=finished_at is not None)
    return Job(
        id=job,
        status=status,
        created_at=moment(raw, "created_at") or 0,
        finetune=tag.finetune,
        digest=tag.digest,
        spec=tag.spec,
        replaces=tag.replaces,
        follows=tag.follows,
        environment=tag.environment,
        model=model,
        base_model=name(raw, "model"),
        error=error,
        training_file=name(raw, "training_file"),
        validation_file=name(raw, "validation_file"),
        result_files=_result_files(raw.get("result_files")),
        metadata=_pairs(tag.own),
        trained_tokens=count(raw.get("trained_tokens")),
        finished_at=finished_at,
        hyperparameters=_hyperparameters(raw),
        seed=whole(raw.get("seed")),
        commit=_commit(raw.get("metadata")),
    )


def read_job_of_ours(raw: Raw, status_of: StatusOf = SERVICES["openai"].status_of) -> Job:
    """A job that carries our tag. One that cannot be read is there, in a state nobody knows.

    Left out, it would be bought again.
    """
    try:
        return read_job(raw, status_of)
    except OddValue as fault:
        tag = _readable(read_tag(raw.get("metadata")))
        return Job(
            id=id_or_stand_in(raw),
            status=UNREADABLE,
            created_at=0,
            error=JobError(UNREADABLE, str(fault)),
            finetune=tag.finetune,
            digest=tag.digest,
            replaces=tag.replaces,
            follows=tag.follows,
            environment=tag.environment,
            training_file=_identifier_or_none(raw.get("training_file")),
            validation_file=_identifier_or_none(raw.get("validation_file")),
            result_files=_result_files(raw.get("result_files")),
            commit=_commit(raw.get("metadata")),
        )


def _outcome(
    raw: Raw, status_of: StatusOf, model: str | None, *, ended: bool
) -> tuple[str, JobError | None]:
    """Our word for a job's state, and why it failed. A pause is an end that is none."""
    word = text(raw, "status")
    if word is None and not ended:
        raise OddValue("without a status")
    status, error = status_of(word or ""), reason(raw.get("error"))
    if not ended or status in TERMINAL or status == "paused":
        return short(one_line(status), _LONGEST_WORD) or "unknown", error
    if model is not None:
        return "succeeded", error
    ended_as = short(one_line(word or ""), _LONGEST_WORD)
    return "failed", error or JobError("unknown", f"it ended as '{ended_as}'")


def _finished_at(raw: Raw) -> int | None:
    try:
        return moment(raw, "finished_at")
    except OddValue:
        return None  # when it ended only informs, unlike when it began: that orders jobs


def _result_files(raw: object) -> tuple[str, ...]:
    """The ids of files; some services list the files themselves."""
    files = raw if isinstance(raw, list) else ()
    return identifiers(mapping(file).get("id", file) for file in files)


def _identifier_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and is_identifier(value) else None


def _checked(tag: OwnershipTag) -> OwnershipTag:
    """The tag, if ftctl can have written it. `OddValue` where it cannot: who knows what it was."""
    if (odd := next(_odd_parts(tag), None)) is not None:
        raise OddValue(f"the {odd} in its mark is none")
    return tag


def _readable(tag: OwnershipTag) -> OwnershipTag:
    """The tag without what ftctl cannot have written in it."""
    nothing: dict[str, Any] = dict.fromkeys(_odd_parts(tag))
    return replace(tag, **nothing)


def _odd_parts(tag: OwnershipTag) -> Iterator[str]:
    """What ftctl cannot have written in a tag. Of ten thousand: a loop would cost 20 ms."""
    if tag.finetune is not None and not is_own_name(tag.finetune):
        yield "finetune"
    if tag.digest is not None and not is_whole(tag.digest):
        yield "digest"
    if tag.replaces is not None and not is_identifier(tag.replaces):
        yield "replaces"
    if tag.follows is not None and not is_identifier(tag.follows):
        yield "follows"
    if tag.environment is not None and not is_own_name(tag.environment):
        yield "environment"


def _pairs(own: Mapping[str, str]) -> Mapping[str, str]:
    """The user's pairs, of a number and length that somebody can have given to a job."""
    if not own:
        return own  # as in nearly every record
    most = _LONGEST_TEXT
    kept = {key: value for key, value in own.items() if len(key) <= most and len(value) <= most}
    return kept if len(kept) <= _MOST_PAIRS else dict(islice(kept.items(), _MOST_PAIRS))


def tagged_by_file(job: Job, told: FileName, raw_jobs: Iterable[Raw]) -> Job:
    """A job that is known by the name of its training file, with what that tells."""
    run = read_run(told.run)
    ids = [UNSEEN, *filter(None, map(known_id, raw_jobs))] if run.follows is not None else ()
    follows = next((other for other in ids if job_hash(other) == run.follows), run.follows)
    return replace(
        job,
        digest=told.digest,
        finetune=told.name,
        environment=run.environment,
        follows=follows,
        replaces=follows if run.replaces else None,
        by_file=True,
    )


def read_job_of_project(raw: Raw, status_of: StatusOf = SERVICES["openai"].status_of) -> Job:
    """A training job that tells whose it is."""
    project = project_of(raw.get("metadata"))
    if project is not None and not is_own_name(project):
        raise OddValue("the project in its mark is none")
    return replace(read_job(raw, status_of), project=project)


def read_organization(jobs: Iterable[Raw]) -> str | None:
    """Whose jobs they are; None where they do not tell, or do not all tell the same."""
    told = {_identifier_or_none(raw.get("organization_id")) for raw in jobs} - {None}
    return told.pop() if len(told) == 1 else None


def _hyperparameters(raw: Raw) -> dict[str, int | float | str]:
    """Those of its method, else those at the top, where older jobs and other services have them."""
    method = mapping(raw.get("method"))
    kind = method.get("type")
    inner = mapping(method.get(kind)) if isinstance(kind, str) else {}
    values = mapping(inner.get("hyperparameters")) or mapping(raw.get("hyperparameters"))
    told = ((key, value) for key, value in values.items() if _is_setting(key, value))
    return dict(islice(told, _MOST_NUMBERS))


@lru_cache(256)
def _names_setting(key: object) -> bool:
    return isinstance(key, str) and len(key) <= _LONGEST_WORD and is_identifier(key)


def _is_setting(key: object, value: object) -> bool:
    if not _names_setting(key):
        return False
    return number(value) is not None or (isinstance(value, str) and is_name(value))


def _commit(metadata: object) -> str | None:
    """The git commit in a job's metadata."""
    return _identifier_or_none(metadata.get(COMMIT)) if isinstance(metadata, Mapping) else None


def read_file(raw: Raw, project: str, *, is_result: bool) -> File | None:
    """A file of this project's; None for anybody else's."""
    file = read_uploaded(raw)
    told = read_file_name(file.name)
    ours = told is not None and told.project == project
    return file if ours or is_result else None


def read_uploaded(raw: Raw) -> File:
    """A file, whoever uploaded it. `OddValue` where it cannot be read."""
    filename = name(raw, "filename") or ""
    told = read_file_name(filename)
    word = (text(raw, "status") or "").lower()
    return File(
        id=id_of(raw),
        name=filename,
        bytes=count(raw.get("bytes")) or 0,
        created_at=moment(raw, "created_at") or 0,
        sha256=told.sha256 if told else None,
        digest=told.digest if told else None,
        run=told.run if told else "",
        usable=told is not None and word not in _FILE_REFUSED,
        processing=word in _FILE_PROCESSING,
        refusal=_file_refusal(raw, word),
    )


def _file_refusal(raw: Raw, word: str) -> str | None:
    """Why a file cannot be trained on; None where it can, as far as is told."""
    if word not in _FILE_REFUSED:
        return None
    told = reason(raw.get("status_details")) or reason(raw.get("error"))
    return told.message if told is not None else f"its status is '{word}'"  # one of a few


def read_event(raw: Raw) -> Event:
    """A line of a job's log."""
    level, said = raw.get("level"), raw.get("message")
    return Event(
        id=known_id(raw) or "",
        created_at=moment(raw, "created_at") or 0,
        level=(isinstance(level, str) and short(one_line(level), _LONGEST_WORD)) or "info",
        message=short(redact(said), _LONGEST_MESSAGE) if isinstance(said, str) else "",
        metrics=_metrics(raw.get("data")),
    )


def _metrics(data: object) -> dict[str, Any]:
    """The numbers of an event, without those that no calculation survives."""
    known = _counted(mapping(data))
    return {key: value for key, value in known.items() if value is not None}


def _counted(value: object, depth: int = 0) -> Any:
    """A value without numbers that no calculation survives, cut where nobody would read on."""
    match value:
        case bool():
            return value
        case int() | float():
            return number(value)
        case str():
            return short(value, _LONGEST_TEXT)
        case list() if depth < _DEEPEST:
            return [_counted(one, depth + 1) for one in value[:_MOST_NUMBERS]]
        case Mapping() if depth < _DEEPEST:
            pairs = islice(value.items(), _MOST_NUMBERS)
            return {short(str(key), _LONGEST_WORD): _counted(one, depth + 1) for key, one in pairs}
    return None


def read_checkpoint(raw: Raw) -> CheckpointModel:
    """A model as it was at one step. `OddValue` where it has no name or step."""
    model, step = identifier(raw, "fine_tuned_model_checkpoint"), count(raw.get("step_number"))
    if model is None or step is None:
        raise OddValue("a checkpoint without a model or a step")
    return CheckpointModel(model, step, number(mapping(raw.get("metrics")).get("full_valid_loss")))


def read_moderation(raw: Raw) -> tuple[str, ...]:
    """What a text is flagged for. TypeError, KeyError or AttributeError where it is no verdict."""
    flagged = raw["flagged"]
    if not isinstance(flagged, bool):
        raise TypeError("a verdict that is neither yes nor no")
    if not flagged:
        return ()
    # What is no category's name could be anything, the text itself too.
    hits = (word for word, hit in raw["categories"].items() if hit is True)
    return tuple(sorted(word for word in hits if _CATEGORY.fullmatch(word))) or (_UNNAMED,)


def read_day(value: object) -> date | None:
    """A day such as a model's `shutdown_date`; None for what is none."""
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def read_answer(response: httpx2.Response, seconds: float, secrets: Iterable[str]) -> Answer:
    """An answer with its body read, whatever that is: for looking, not for working."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = None
    error = mapping(mapping(body).get("error"))
    code, message = error.get("code") or error.get("type"), error.get("message")
    return Answer(
        response.status_code,
        seconds,
        body,
        _told(code, _LONGEST_TEXT, secrets) if code else None,
        _told(message, _LONGEST_MESSAGE, secrets) if message else None,
        response.headers.get("date"),
    )


def _told(words: object, most: int, secrets: Iterable[str]) -> str:
    return short(one_line(redact(str(words)[:_LONGEST_MESSAGE], secrets)), most)
