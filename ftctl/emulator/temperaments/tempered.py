"""Temperaments and a request in; the answer of a service that has all of them out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager

from ftctl.emulator.http.wire import Request, Response
from ftctl.emulator.storage.database import Session
from ftctl.emulator.temperament import TEMPERAMENTS, Temperament
from ftctl.emulator.temperaments import file_ways, job_ways, list_ways, model_ways
from ftctl.emulator.temperaments.scene import Proceed, Scene, Way

HEADER = "x-ftctl-temperament"
"""On every answer of a service that has any: which it has."""

WAYS: Mapping[str, Way] = {
    "slow-bytes": list_ways.slow_bytes,
    "list-without-end": list_ways.list_without_end,
    "odd-jobs": list_ways.odd_jobs,
    "statuses-respelled": job_ways.statuses_respelled,
    "unknown-status": job_ways.unknown_status,
    "no-model-name": job_ways.no_model_name,
    "filter-refused": list_ways.filter_refused,
    "filter-ignored": list_ways.filter_ignored,
    "filter-finds-nothing": list_ways.filter_finds_nothing,
    "metadata-refused": job_ways.metadata_refused,
    "metadata-dropped": job_ways.metadata_dropped,
    "names-shortened": file_ways.names_shortened,
    "models-hidden": model_ways.models_hidden,
    "model-late": model_ways.model_late,
    "delete-refused": model_ways.delete_refused,
    "cancel-refused": job_ways.cancel_refused,
    "lagging-list": list_ways.lagging_list,
    "file-pending": file_ways.file_pending,
    "hyperparameters-changed": job_ways.hyperparameters_changed,
    "strangers-job": file_ways.strangers_job,
}


_ORDER = {slug: place for place, slug in enumerate(TEMPERAMENTS)}


def tempered(
    temperaments: Iterable[Temperament],
    request: Request,
    carry_out: Proceed,
    reading: Callable[[], AbstractContextManager[Session]],
) -> Response:
    """The answer. `carry_out` may raise what the API refuses with; so may this."""
    proceed = carry_out
    for one in sorted(temperaments, key=lambda one: _ORDER[one.slug], reverse=True):
        proceed = _behind(WAYS[one.slug], proceed, Scene(one.value, reading))
    return proceed(request)


def _behind(way: Way, proceed: Proceed, scene: Scene) -> Proceed:
    return lambda request: way(request, proceed, scene)
