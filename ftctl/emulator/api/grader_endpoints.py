"""The graders' endpoints: run one on a sample, or see whether it can be run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ftctl.emulator.api.request_context import RequestContext
from ftctl.emulator.chat.token_usage import counter_of
from ftctl.emulator.graders.grader_schema import check_depth, check_grader, named_graders
from ftctl.emulator.graders.model_client import find_ask
from ftctl.emulator.graders.model_grader import Ask, Verdict
from ftctl.emulator.graders.scoring import (
    Graded,
    GraderTools,
    PythonGradersOff,
    check_allowed,
    run,
    sample_of,
)
from ftctl.emulator.http.wire import Json, Response, answer, bad_request, json_object


def run_grader(context: RequestContext) -> Response:
    """POST /v1/fine_tuning/alpha/graders/run."""
    body = json_object(context.request)
    grader, item = _grader(body), _item(body)
    text = body.get("model_sample")
    if not isinstance(text, str):
        raise bad_request("'model_sample' is required and must be a string.", "model_sample")
    try:
        check_allowed(grader, python=context.settings.python_graders)
    except PythonGradersOff as off:
        raise bad_request(off.details, "grader", off.code) from None
    tools = GraderTools(context.settings.python_graders, _ask(context, grader))
    began = time.perf_counter()
    graded = run(grader, item, sample_of(text), tools)
    return answer(_shown(grader, graded, time.perf_counter() - began))


def validate_grader(context: RequestContext) -> Response:
    """POST /v1/fine_tuning/alpha/graders/validate. Python source is read, and not run."""
    from ftctl.emulator.graders.python_grader import look_at_source

    grader = _grader(json_object(context.request))
    parts = {".graders." + name: part for name, part in named_graders(grader).items()}
    for where, part in (parts or {"": grader}).items():
        fault = look_at_source(part["source"]) if part["type"] == "python" else None
        if fault is not None:
            raise bad_request(f"grader{where}.source: {fault}", f"grader{where}.source")
    return answer({"grader": grader})


def _grader(body: Json) -> Json:
    check_grader(body.get("grader"), "grader")
    grader: Json = body["grader"]
    return grader


def _item(body: Json) -> Json:
    item: Any = body.get("item", {})
    if not isinstance(item, dict):
        raise bad_request("'item' must be an object.", "item")
    check_depth(item, "item")
    return item


def _ask(context: RequestContext, grader: Json) -> Ask:
    with context.reading() as session:
        return find_ask(session, grader)


def _shown(grader: Json, graded: Graded, seconds: float) -> Json:
    used = _tokens(graded.verdicts)
    scores = dict(graded.sub_rewards)
    return {
        "reward": graded.reward,
        "metadata": {
            "name": grader["name"],
            "type": grader["type"],
            "errors": graded.errors.shown(),
            "execution_time": seconds,
            "scores": scores,
            "token_usage": sum(use["total_tokens"] for use in used.values()) if used else None,
            "sampled_model_name": graded.verdicts[0].model if graded.verdicts else None,
        },
        "sub_rewards": scores,
        "model_grader_token_usage_per_model": used,
    }


def _tokens(verdicts: Iterable[Verdict]) -> dict[str, dict[str, int]]:
    """By the model that was asked."""
    from ftctl.data.tokens import completion_tokens, prompt_tokens

    used: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        counter = counter_of(verdict.model)
        asked = prompt_tokens(list(verdict.messages), None, counter)
        said = completion_tokens(verdict.answer, counter)
        used.setdefault(verdict.model, Counter(cached_tokens=0)).update(
            prompt_tokens=asked, completion_tokens=said, total_tokens=asked + said
        )
    return {model: dict(counts) for model, counts in used.items()}
