"""A service's answers about jobs that are there in; how far it can be trusted with more, out.

What a service does with a mark, a name or a number that it was sent, its documentation seldom
tells. Jobs of the project that are there do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ftctl.catalog import Catalog
from ftctl.catalog.answer import differences
from ftctl.catalog.services import Service
from ftctl.doctor.check_result import CheckResult, fail, ok, warn
from ftctl.domain.digest import FileName, read_file_name
from ftctl.domain.observed import Job
from ftctl.providers import OddValue, read_job
from ftctl.providers.ownership import project_of
from ftctl.providers.protocol import Answer
from ftctl.text.format import listed, plural

NO_JOB = "ftjob-ftctl-doctor-asks-in-vain"

_SHOWN = 3
_OURS = "ftctl."  # so the names of files that we uploaded begin
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,119}")  # of a service's, that may be shown
_IN_FILE_NAMES = "set 'mark: file-name' below 'provider' in ftctl.yaml"
_IN_METADATA = "set 'mark: metadata' below 'provider' in ftctl.yaml"
_ONLY_A_PURCHASE = (
    "nothing of this project is there: what becomes of marks, names and numbers, only a purchase"
    " can tell; apply looks at its first one before it makes a second"
)

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """How a service answered reads that were asked once."""

    project: str
    service: Service  # with the mark that the project has chosen
    jobs: Answer  # the account's newest
    filtered: Answer | None  # those by our mark; None: the mark is not in metadata
    files: Answer
    models: Answer
    recorded: Mapping[str, Answer]  # jobs by their ids, that ftctl.lock or an intent names
    names: Mapping[str, Answer]  # models by their names


class _Own(NamedTuple):
    """A job that is ours by its mark, by the name of its file, or by our record."""

    id: str
    raw: Raw
    tagged: bool  # whether its metadata says whose it is
    file: str | None  # what its training file is called, where the list of files has it
    name: FileName | None  # what that says

    @property
    def marked(self) -> bool:
        """Whether it can be known by anything but our record."""
        return self.tagged or (self.name is not None and self.name.digest is not None)


def models_to_ask(seen: Seen) -> tuple[str, ...]:
    """Models of ours that are best asked for by their names."""
    return tuple(dict.fromkeys(_models(_ours(seen))))[:_SHOWN]


def look_at_habits(seen: Seen, catalog: Catalog) -> Iterator[CheckResult]:
    """What jobs of ours tell of the service, each with what it means for what may be bought."""
    ours = _ours(seen)
    if ours:
        yield _look_at_marks(seen.service, ours)
        yield from _look_at_file_names(seen, ours)
        yield from _look_at_model_names(seen, ours)
        yield from _look_at_numbers(seen.service, ours, catalog)
    else:
        yield ok("marks", _ONLY_A_PURCHASE)
    yield from _look_at_filter(seen, ours)
    yield from _look_at_lists(seen)
    yield from _look_at_states(seen)


def _ours(seen: Seen) -> list[_Own]:
    names = _texts(seen.files.entries or (), "filename")
    found = {}
    for raw in _every_job(seen):
        job, owner = raw.get("id"), project_of(raw.get("metadata"))
        if not isinstance(job, str) or job in found:
            continue
        file = names.get(str(raw.get("training_file")))
        name = read_file_name(file) if file is not None else None
        named = name is not None and name.project == seen.project
        if owner == seen.project or (owner is None and (named or job in seen.recorded)):
            found[job] = _Own(job, raw, owner is not None, file, name)
    return list(found.values())


def _every_job(seen: Seen) -> Iterator[Raw]:
    yield from seen.jobs.entries or ()
    yield from (seen.filtered.entries or ()) if seen.filtered else ()
    yield from (answer.body for answer in seen.recorded.values() if _is_record(answer))


def _is_record(answer: Answer) -> bool:
    return answer.ok and isinstance(answer.body, Mapping)


def _texts(entries: Iterable[Raw], key: str) -> dict[str, str]:
    """What the entries of a list have under a key, by their ids."""
    return {str(one["id"]): one[key] for one in entries
            if "id" in one and isinstance(one.get(key), str)}  # fmt: skip


def _look_at_marks(service: Service, ours: list[_Own]) -> CheckResult:
    """Whether a job can be found again by what it carries."""
    unmarked = [own.id for own in ours if not own.marked]
    tagged = [own for own in ours if own.tagged]
    in_metadata = service.ownership_store == "metadata"
    if unmarked and in_metadata:
        what = f"{_some(unmarked)} came back without our mark: metadata is not kept"
        return warn("marks", f"{what}, so apply stops at its first job", _IN_FILE_NAMES)
    if unmarked:
        what = f"{_some(unmarked)} came back without our mark, which stands in the name of its file"
        return warn("marks", what, f"look at 'file names' here; else {_IN_METADATA}")
    if tagged:
        return ok("marks", f"metadata is kept: {plural(len(tagged), 'job')} with our mark in it")
    count = plural(len(ours), "job")
    if in_metadata:
        what = f"{count} with our mark in a file's name; whether metadata is kept, only a purchase"
        return ok("marks", f"{what} can tell, and apply looks at its first one")
    return ok("marks", f"{count} with our mark in the name of a file")


def _look_at_file_names(seen: Seen, ours: list[_Own]) -> Iterator[CheckResult]:
    """Whether the names of files come back as they were sent."""
    subject = "file names"
    texts = _texts(seen.files.entries or (), "filename")
    named = [own for own in ours if own.file is not None]
    odd = [file for file, name in texts.items() if name.startswith(_OURS)
           and read_file_name(name) is None]  # fmt: skip
    odd += [str(own.raw.get("training_file")) for own in named if own.name is None]
    odd = list(dict.fromkeys(odd))
    if not odd:
        if named:
            yield ok(subject, f"they come back as they were sent ({plural(len(named), 'job')})")
    elif seen.service.ownership_store == "metadata":
        what = f"{_some(odd)} came back with another name: each is sent once more when it is needed"
        yield warn(subject, what, "keep 'mark: metadata': names would not hold it")
    else:
        what = f"{_some(odd)} came back with another name, and our mark is lost with it"
        yield fail(subject, what, _IN_METADATA)


def _look_at_model_names(seen: Seen, ours: list[_Own]) -> Iterator[CheckResult]:
    """Whether this key sees the models that jobs have made, in the list or by their names."""
    subject, service = "model names", seen.service
    models = _models(ours)
    if not service.names_models:
        yield ok(subject, f"{service.type} gives models no names: a job stands for its own")
        return
    nameless = [
        job.id for job in _readable(service, ours) if job.status == "succeeded" and not job.model
    ]
    if nameless:
        what = f"{_some(nameless)} succeeded and names no model: it counts as one that runs"
        yield warn(subject, what, "look again later; nothing is bought for it meanwhile")
    if not models or nameless:
        return
    there = {one.get("id") for one in seen.models.entries or ()}
    unlisted = [model for model in models if model not in there]
    asked = [model for model in unlisted if model in seen.names]
    hidden = [model for model in asked if seen.names[model].status == 404]
    if hidden:
        what = f"{_some(hidden)} shows neither in the list nor by its name: hidden, or deleted"
        cure = "use a key that sees it; until then plan shows it as attention and buys nothing"
        yield warn(subject, what, cure)
    elif unlisted:
        what = f"{_some(unlisted)} is in no list; models are asked for by their names as well"
        yield ok(subject, what)
    else:
        yield ok(subject, f"{plural(len(models), 'model')} of ours listed")


def _models(ours: list[_Own]) -> list[str]:
    models = (own.raw.get("fine_tuned_model") for own in ours)
    return [model for model in models if isinstance(model, str) and _NAME.fullmatch(model)]


def _look_at_numbers(service: Service, ours: list[_Own], catalog: Catalog) -> Iterator[CheckResult]:
    """Whether jobs train what they were asked to, where both are known."""
    subject = "hyperparameters"
    compared = [job for job in _readable(service, ours) if job.spec and job.hyperparameters]
    changed = {job.id: differences(job.spec or {}, job, service, catalog) for job in compared}
    told = [f"{job} trains {', '.join(one.words for one in found)}"
            for job, found in changed.items() if found]  # fmt: skip
    if told:
        cure = "'exact_hyperparameters: true' below 'policy' cancels such a job at once"
        yield warn(subject, listed(told, _SHOWN), cure)
    elif compared:
        yield ok(subject, f"as they were asked for in {plural(len(compared), 'job')}")


def _readable(service: Service, ours: list[_Own]) -> Iterator[Job]:
    for own in ours:
        try:
            yield read_job(own.raw, service.status_of)
        except OddValue:
            continue


def _look_at_filter(seen: Seen, ours: list[_Own]) -> Iterator[CheckResult]:
    """Whether the list of jobs can be asked for by our mark. None of it is trusted to buy by."""
    subject, answer, cure = "filter", seen.filtered, "'mark: file-name' asks for no filter"
    if answer is None:
        return
    found = answer.entries
    if found is None:
        what = f"the list by our mark is refused (HTTP {answer.status}): the whole one is read"
        yield warn(subject, what, cure)
        return
    ids = {one.get("id") for one in found}
    missed = [own.id for own in ours if own.tagged and own.id not in ids]
    strangers = [one for one in found if project_of(one.get("metadata")) != seen.project]
    if missed and not answer.body.get("has_more"):
        what = f"it does not find {_some(missed)}: the unfiltered list is read before a purchase"
        yield warn(subject, what, cure)
    elif strangers:
        yield ok(subject, "it lets other jobs through: each mark is looked at all the same")
    elif any(own.tagged for own in ours):
        yield ok(subject, "it finds jobs by our mark")


def _look_at_lists(seen: Seen) -> Iterator[CheckResult]:
    """Whether lists show what is there by its id."""
    subject, entries = "lists", seen.jobs.entries
    there = {job: answer for job, answer in seen.recorded.items() if _is_record(answer)}
    absent = [job for job, answer in seen.recorded.items() if answer.status == 404]
    if absent:
        cure = "see that the key is right: plan buys nothing that is on record"
        yield warn(subject, f"{_some(absent)} is on record and not in this account", cure)
    if entries is None or not there:
        return
    listed_jobs = {one.get("id") for one in entries}
    oldest = min((_made(one) for one in entries), default=0)
    more = bool(seen.jobs.body.get("has_more"))
    late = [
        job
        for job, answer in there.items()
        if job not in listed_jobs and not (more and _made(answer.body) <= oldest)
    ]
    if late:
        what = f"{_some(late)} is there by its id and not in the list: it lags, or leaves out"
        cure = "keep ftctl.lock in git: a job on record is asked for by its id before a purchase"
        yield warn(subject, what, cure)
    elif not absent:
        yield ok(subject, f"{plural(len(there), 'job')} on record there, as the list says")


def _made(job: Raw) -> float:
    created_at = job.get("created_at")
    return created_at if isinstance(created_at, int | float) else 0.0


def _look_at_states(seen: Seen) -> Iterator[CheckResult]:
    """Which words it has for the states of jobs."""
    subject, service = "states", seen.service
    told = (one.get("status") for one in _every_job(seen))
    words = {word for word in told if isinstance(word, str) and word}
    known = set(service.statuses.values())
    unknown = sorted(word for word in words if service.status_of(word) not in known)
    other = sorted(
        f"{word} for {service.status_of(word)}"
        for word in words
        if word not in known and word not in unknown and _NAME.fullmatch(word)
    )
    if unknown:
        what = f"not known here: {_some(unknown)}; such a job counts as running until it has an end"
        yield warn(subject, what, "give 'wait' a --timeout")
    elif other:
        yield ok(subject, f"it says {listed(other, _SHOWN)}")
    elif words:
        yield ok(subject, "its words are known")


def look_at_cancels(answer: Answer) -> CheckResult:
    """Whether a job can be stopped. By how that is refused of one that cannot exist."""
    subject, told = "may cancel", f"HTTP {answer.status}" if answer.status else "no answer"
    cure = "stop jobs by hand there: what is superseded runs on, and is billed"
    match answer.status:
        case 404 if isinstance(answer.body, Mapping):
            return ok(subject, f"the service only misses the job that it was asked for ({told})")
        case 401 | 403:
            return warn(subject, f"the key may not cancel jobs ({told})", cure)
        case 404 | 405 | 501:
            return warn(subject, f"the service does not know how ({told})", cure)
    return warn(subject, f"nothing can be told from the answer ({told})", None)


def _some(names: Iterable[str]) -> str:
    """Some names, as far as they are such as may be shown."""
    shown = [name if _NAME.fullmatch(name) else "(a name that is none)" for name in names]
    return listed(shown, _SHOWN)
