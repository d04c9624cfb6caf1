"""A grader, an item and a sample of a model -> the score, and how it came about."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ftctl.emulator.graders.expression import BadFormula, NoValue, evaluate, parse_formula
from ftctl.emulator.graders.grader_errors import Errors, GraderError
from ftctl.emulator.graders.grader_schema import named_graders
from ftctl.emulator.graders.model_grader import Ask, Verdict, label_by_model, score_by_model
from ftctl.emulator.graders.templates import render
from ftctl.emulator.graders.text_similarity import similarity
from ftctl.emulator.http.wire import Json
from ftctl.emulator.model.message_codec import decode_message
from ftctl.emulator.settings import Settings

RUN_SECONDS = 120.0
"""The API's own limit on one grading."""

TRAINING_SECONDS = 20.0
"""The longest that a Python grader may take over one sample of a training."""


class PythonGradersOff(GraderError):
    """The grader has Python source, and the emulator was not told to run any."""

    code = "python_graders_off"

    def __init__(self) -> None:
        super().__init__(
            "python_grader_server_error",
            "Python graders run your code on this machine and are off. Allow them with"
            " 'ftctl emulator --python-graders', or Settings(python_graders=True).",
        )


@dataclass(frozen=True, slots=True)
class GraderTools:
    """What a grader may use beyond pure thought."""

    python: bool = False
    ask: Ask | None = None
    python_seconds: float = RUN_SECONDS  # for one sample


@dataclass(frozen=True, slots=True)
class Graded:
    """A score; with errors it is 0, or for a multi-grader what is left of its parts."""

    reward: float
    errors: Errors = field(default_factory=Errors)
    sub_rewards: Mapping[str, float] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()
    fault: GraderError | None = None


def make_grade(
    grader: Json, settings: Settings, ask: Ask | None = None
) -> Callable[[Json, str], float]:
    """What a reinforcement job grades with: an item and a sample's text to 0..1.

    PythonGradersOff at once, not at the first sample, if the grader needs what is not allowed.
    """
    tools = GraderTools(settings.python_graders, ask, TRAINING_SECONDS)
    check_allowed(grader, python=tools.python)

    def graded(item: Json, text: str) -> float:
        return grade(grader, item, text, tools)

    return graded


def grade(grader: Json, item: Json, sample_text: str, tools: GraderTools) -> float:
    """The reward, cut to 0..1; GraderError when any part of the grader could not score."""
    graded = run(grader, item, sample_of(sample_text), tools)
    if graded.fault is not None:
        raise graded.fault
    return min(max(graded.reward, 0.0), 1.0)


def check_allowed(grader: Json, *, python: bool) -> None:
    """PythonGradersOff for a grader with source in it, unless that is allowed."""
    parts = named_graders(grader).values() if grader["type"] == "multi" else [grader]
    if not python and any(part["type"] == "python" for part in parts):
        raise PythonGradersOff


def sample_of(text: str) -> Json:
    """What templates and Python graders know as `sample`, from the model's encoded answer.

    `output_json` is there when the text is JSON, `output_tools` is empty without tool calls.
    """
    answer = decode_message(text)
    calls = [
        {
            "id": f"call_{place}",
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for place, call in enumerate(answer.tool_calls)
    ]
    message: Json = {
        "role": "assistant",
        "content": answer.content,
        "refusal": answer.refusal,
        **({"tool_calls": calls} if calls else {}),
    }
    ending = "tool_calls" if calls else "stop"
    sample: Json = {
        "output_text": answer.content or "",
        "output_tools": calls,
        "choices": [{"index": 0, "message": message, "finish_reason": ending}],
    }
    with suppress(ValueError, RecursionError):
        sample["output_json"] = json.loads(sample["output_text"], parse_constant=_no_number)
    return sample


def run(grader: Json, item: Json, sample: Json, tools: GraderTools) -> Graded:
    """The score of a grader whose shape was checked. Never raises for what is in it."""
    try:
        match grader["type"]:
            case "multi":
                return _combined(grader, item, sample, tools)
            case "score_model" | "label_model":
                return _judged(grader, item, sample, tools)
            case _:
                return Graded(_computed(grader, item, sample, tools))
    except GraderError as fault:
        return Graded(0.0, Errors.of(fault), fault=fault)


def _judged(grader: Json, item: Json, sample: Json, tools: GraderTools) -> Graded:
    grade_by_model = score_by_model if grader["type"] == "score_model" else label_by_model
    verdict = grade_by_model(grader, {"item": item, "sample": sample}, tools.ask)
    errors = Errors() if verdict.fault is None else Errors.of(verdict.fault)
    return Graded(verdict.score, errors, verdicts=(verdict,), fault=verdict.fault)


def _computed(grader: Json, item: Json, sample: Json, tools: GraderTools) -> float:
    if grader["type"] == "python":
        if not tools.python:
            raise PythonGradersOff
        # Imported on first use: starting processes takes modules that few commands need.
        from ftctl.emulator.graders.python_grader import run_source

        return run_source(grader["source"], sample, item, tools.python_seconds)
    namespaces = {"item": item, "sample": sample}
    text, reference = render(grader["input"], namespaces), render(grader["reference"], namespaces)
    if grader["type"] == "string_check":
        return _string_check(grader["operation"], text, reference)
    return similarity(grader["evaluation_metric"], text, reference)


def _string_check(operation: str, text: str, reference: str) -> float:
    match operation:
        case "eq":
            return float(text == reference)
        case "ne":
            return float(text != reference)
        case "like":
            return float(reference in text)
        case _:
            return float(reference.casefold() in text.casefold())


def _combined(grader: Json, item: Json, sample: Json, tools: GraderTools) -> Graded:
    """A part that could not score counts as 0, and its error as the whole's."""
    parts = {name: run(part, item, sample, tools) for name, part in named_graders(grader).items()}
    rewards = {name: part.reward for name, part in parts.items()}
    faults = [part.fault for part in parts.values() if part.fault is not None]
    try:
        reward = evaluate(parse_formula(grader["calculate_output"]), rewards)
    except (BadFormula, NoValue, KeyError) as why:
        reward = 0.0
        faults.append(_formula_fault(why))
    errors = Errors()
    for fault in faults:
        errors = errors.also(Errors.of(fault))
    verdicts = tuple(verdict for part in parts.values() for verdict in part.verdicts)
    return Graded(reward, errors, rewards, verdicts, faults[0] if faults else None)


def _formula_fault(why: Exception) -> GraderError:
    match why:
        case BadFormula():
            return GraderError("formula_parse_error", f"calculate_output: {why}.")
        case KeyError():
            return GraderError("invalid_variable_error", f"calculate_output: no grader {why}.")
        case _:
            return GraderError("other_error", f"calculate_output: {why}.")


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
