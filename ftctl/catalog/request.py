"""A spec and a service's row in; the fields of the create request that is sent for it out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftctl.catalog.services import Service


def job_request(spec: Mapping[str, Any], service: Service) -> dict[str, Any]:
    """The fields of a create request for a spec, with what only the service knows merged in."""
    method = spec.get("method", "supervised")
    hyperparameters = spec.get("hyperparameters", {})
    body: dict[str, Any] = {key: spec[key] for key in ("seed", "suffix", "metadata") if key in spec}
    if service.hyperparameters == "top-level":
        body |= {"hyperparameters": hyperparameters} if hyperparameters else {}
    else:
        settings = {"hyperparameters": hyperparameters} if hyperparameters else {}
        if "grader" in spec:
            settings["grader"] = spec["grader"]
        body["method"] = {"type": method} | ({method: settings} if settings else {})
    if "integrations" in spec:
        body["integrations"] = [
            {"type": kind, kind: dict(value)} for kind, value in spec["integrations"].items()
        ]
    return _merged(body, spec.get("extra", {}))


def _merged(body: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Both, key by key all the way down. The SDK's own merge would replace whole mappings."""
    merged = dict(body)
    for key, value in extra.items():
        ours = merged.get(key)
        if isinstance(ours, Mapping) and isinstance(value, Mapping):
            merged[key] = _merged(ours, value)
        else:
            merged[key] = value
    return merged
