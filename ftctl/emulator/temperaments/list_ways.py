"""Ways with lists: filters that fail, entries that come late, records that nobody can read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ftctl.emulator.api.pagination import read_limit
from ftctl.emulator.http.wire import Json, Request, Response, answer_list, bad_request
from ftctl.emulator.temperaments.answers import (
    FILES,
    JOBS,
    field_of,
    is_list_of,
    with_entries,
    with_fields,
)
from ftctl.emulator.temperaments.made_up import ODD_JOBS, made_up_file, made_up_job
from ftctl.emulator.temperaments.scene import Proceed, Scene, made_at

_PAGE, _MOST = 20, 100


def is_filtered(request: Request) -> bool:
    """Whether it asks for jobs by their metadata."""
    return is_list_of(request, JOBS) and any(_is_filter(name) for name, _ in request.query)


def filter_refused(request: Request, proceed: Proceed, _scene: Scene) -> Response:
    if is_filtered(request):
        raise bad_request("Unknown query parameter: 'metadata'.", "metadata", "unknown_parameter")
    return proceed(request)


def filter_ignored(request: Request, proceed: Proceed, _scene: Scene) -> Response:
    if not is_filtered(request):
        return proceed(request)
    kept = tuple(pair for pair in request.query if not _is_filter(pair[0]))
    return proceed(replace(request, query=kept))


def filter_finds_nothing(request: Request, proceed: Proceed, _scene: Scene) -> Response:
    return answer_list((), has_more=False) if is_filtered(request) else proceed(request)


def lagging_list(request: Request, proceed: Proceed, scene: Scene) -> Response:
    response = proceed(request)
    table = _table(request)
    if table is None:
        return response
    with scene.reading() as session:

        def is_shown(one: Any) -> bool:
            at = made_at(session, table, one["id"])
            return at is None or at + scene.value <= session.now

        response = with_entries(response, lambda entries: [e for e in entries if is_shown(e)])
    return _with_ends(response) if table == "files" else response


def odd_jobs(request: Request, proceed: Proceed, _scene: Scene) -> Response:
    response = proceed(request)
    if not is_list_of(request, JOBS) or request.parameter("after"):
        return response
    return with_entries(response, lambda entries: [*ODD_JOBS, *entries])


def list_without_end(request: Request, proceed: Proceed, scene: Scene) -> Response:
    """After what there is come strangers' records, older and older, and there are always more."""
    table = _table(request)
    if table is None:
        return proceed(request)
    make: Callable[[int, float], Json] = made_up_job if table == "jobs" else made_up_file
    after = re.fullmatch(r"(?:ftjob|file)-endless(\d{1,9})", request.parameter("after") or "")
    response = answer_list((), has_more=False) if after else proceed(request)
    if field_of(response, "has_more") is not False:
        return response
    first = int(after[1]) + 1 if after else 0
    size = read_limit(request, _PAGE, _MOST)  # 10,000 files a page would only cost time
    with scene.reading() as session:
        more = [make(number, session.now) for number in range(first, first + size)]
    response = with_entries(response, lambda entries: [*entries, *more])
    response = with_fields(response, has_more=True)
    return _with_ends(response) if table == "files" else response


def slow_bytes(request: Request, proceed: Proceed, scene: Scene) -> Response:
    return replace(proceed(request), byte_seconds=scene.value)


def _is_filter(name: str) -> bool:
    return name == "metadata" or name.startswith("metadata[")


def _table(request: Request) -> str | None:
    if is_list_of(request, JOBS):
        return "jobs"
    return "files" if is_list_of(request, FILES) else None


def _with_ends(response: Response) -> Response:
    """A list of files names its first and its last; strings, also where there is none."""
    entries = field_of(response, "data")
    if not entries:
        return with_fields(response, first_id="", last_id="")
    return with_fields(response, first_id=entries[0]["id"], last_id=entries[-1]["id"])
