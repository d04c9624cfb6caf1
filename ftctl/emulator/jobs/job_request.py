"""The body of a create request -> a specification that keeps the API's rules, or a 400."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ftctl.emulator.graders.grader_schema import check_grader
from ftctl.emulator.http.wire import Json, bad_request
from ftctl.emulator.jobs.hyperparameters import RULES, read_hyperparameters

MAX_SUFFIX = 64
MAX_SEED = 2**31 - 1
MAX_METADATA, MAX_KEY, MAX_VALUE = 16, 64, 512
MAX_INTEGRATIONS = 5


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What was asked for; whether its model and files exist is checked against the store."""

    model: str
    training_file: str
    validation_file: str | None
    method: Json  # {"type": T, T: {"hyperparameters": all of them, ...}}
    suffix: str | None
    seed: int | None
    metadata: dict[str, str] | None
    integrations: list[Json] | None


def read_job_request(body: Json) -> JobRequest:
    """Checks every field that the specification has; others are let pass, as it does."""
    return JobRequest(
        model=_text(body, "model"),
        training_file=_text(body, "training_file"),
        validation_file=_optional_text(body, "validation_file"),
        method=_method(body),
        suffix=_suffix(body.get("suffix")),
        seed=_seed(body.get("seed")),
        metadata=_metadata(body.get("metadata")),
        integrations=_integrations(body.get("integrations")),
    )


def _text(source: Json, name: str, within: str = "") -> str:
    value = source.get(name)
    if not isinstance(value, str) or not value:
        raise bad_request(f"{within}{name} is required and must be a string.", f"{within}{name}")
    return value


def _optional_text(source: Json, name: str, within: str = "") -> str | None:
    return None if source.get(name) is None else _text(source, name, within)


def _method(body: Json) -> Json:
    legacy = body.get("hyperparameters", {})
    asked = read_hyperparameters("supervised", legacy, "hyperparameters")
    if "method" not in body:
        return {"type": "supervised", "supervised": {"hyperparameters": asked}}
    method = body["method"]
    kind = method.get("type") if isinstance(method, dict) else None
    if not isinstance(kind, str) or kind not in RULES:
        raise bad_request(f"method.type must be one of {', '.join(RULES)}.", "method.type")
    blocks = {name: _block(name, method[name]) for name in RULES if name in method}
    if kind not in blocks:
        blocks[kind] = _block(kind, {})
    if kind == "supervised" and "hyperparameters" not in method.get("supervised", {}):
        blocks[kind]["hyperparameters"] = asked
    return {"type": kind, kind: blocks[kind]}


def _block(kind: str, block: Any) -> Json:
    """The settings of one method; `response_format` is in the guide though not in the schema."""
    where = f"method.{kind}"
    if not isinstance(block, dict):
        raise bad_request(f"{where} must be an object.", where)
    given = block.get("hyperparameters", {})
    read: Json = {"hyperparameters": read_hyperparameters(kind, given, f"{where}.hyperparameters")}
    if kind == "reinforcement":
        check_grader(block.get("grader"), f"{where}.grader")
        read["grader"] = block["grader"]
        if isinstance(block.get("response_format"), dict):
            read["response_format"] = block["response_format"]
    return read


def _suffix(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_SUFFIX:
        raise bad_request(f"suffix must be a string of 1 to {MAX_SUFFIX} characters.", "suffix")
    return value


def _seed(value: Any) -> int | None:
    if value is None:
        return None
    whole = isinstance(value, int | float) and not isinstance(value, bool)
    if not whole or value != int(value) or not 0 <= value <= MAX_SEED:
        raise bad_request(f"seed must be an integer from 0 to {MAX_SEED}.", "seed")
    return int(value)


def _metadata(value: Any) -> dict[str, str] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise bad_request("metadata must be an object of strings.", "metadata")
    if len(value) > MAX_METADATA:
        raise bad_request(f"metadata has over {MAX_METADATA} pairs.", "metadata")
    for key, text in value.items():
        if len(key) > MAX_KEY:
            raise bad_request(f"A key of metadata has at most {MAX_KEY} characters.", "metadata")
        if not isinstance(text, str) or len(text) > MAX_VALUE:
            message = f"metadata.{key} must be a string of at most {MAX_VALUE} characters."
            raise bad_request(message, f"metadata.{key}")
    return value


def _integrations(value: Any) -> list[Json] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > MAX_INTEGRATIONS:
        message = f"integrations must be a list of at most {MAX_INTEGRATIONS}."
        raise bad_request(message, "integrations")
    return [_integration(item, f"integrations.{place}") for place, item in enumerate(value)]


def _integration(item: Any, where: str) -> Json:
    if not isinstance(item, dict) or item.get("type") != "wandb":
        raise bad_request(f"{where}.type must be 'wandb'.", f"{where}.type")
    wandb = item.get("wandb")
    if not isinstance(wandb, dict):
        raise bad_request(f"{where}.wandb is required and must be an object.", f"{where}.wandb")
    inside = f"{where}.wandb."
    shown: Json = {"project": _text(wandb, "project", inside)}
    for name in ("name", "entity"):
        if name in wandb:
            shown[name] = _optional_text(wandb, name, inside)
    tags = wandb.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise bad_request(f"{inside}tags must be a list of strings.", f"{inside}tags")
    return {"type": "wandb", "wandb": {**shown, "tags": tags}}
