"""Why a score could not be had, as the API's answers tell it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Literal

from ftctl.emulator.http.wire import Json

Flag = Literal[
    "formula_parse_error",
    "sample_parse_error",
    "truncated_observation_error",
    "unresponsive_reward_error",
    "invalid_variable_error",
    "other_error",
    "python_grader_server_error",
    "python_grader_runtime_error",
    "model_grader_server_error",
    "model_grader_refusal_error",
    "model_grader_parse_error",
]

MAX_DETAILS = 2_000
"""Characters; a traceback is told from its end."""


class GraderError(Exception):
    """No score, for the reason that the flag names; the text says it to people."""

    def __init__(self, flag: Flag, details: str) -> None:
        super().__init__(details)
        self.flag: Flag = flag
        self.details = details[-MAX_DETAILS:]


@dataclass(frozen=True, slots=True)
class Errors:
    """Every flag of the specification's `metadata.errors`, under its own name and in its order."""

    formula_parse_error: bool = False
    sample_parse_error: bool = False
    truncated_observation_error: bool = False
    unresponsive_reward_error: bool = False
    invalid_variable_error: bool = False
    other_error: bool = False
    python_grader_server_error: bool = False
    python_grader_server_error_type: str | None = None
    python_grader_runtime_error: bool = False
    python_grader_runtime_error_details: str | None = None
    model_grader_server_error: bool = False
    model_grader_refusal_error: bool = False
    model_grader_parse_error: bool = False
    model_grader_server_error_details: str | None = None

    @classmethod
    def of(cls, fault: GraderError) -> Errors:
        """The flag of that fault, with its details where the API has room for them."""
        marks: Json = {fault.flag: True}
        words = _WORDS.get(fault.flag)
        if words is not None:
            marks[words] = fault.details
        return cls(**marks)

    def also(self, other: Errors) -> Errors:
        """The flags of both; of two details the first."""
        names = (field.name for field in fields(self))
        return Errors(**{name: getattr(self, name) or getattr(other, name) for name in names})

    @property
    def any(self) -> bool:
        """Whether anything went wrong."""
        return self != Errors()

    def shown(self) -> Json:
        """As the API shows them."""
        return asdict(self)


_WORDS: dict[Flag, str] = {
    "python_grader_server_error": "python_grader_server_error_type",
    "python_grader_runtime_error": "python_grader_runtime_error_details",
    "model_grader_server_error": "model_grader_server_error_details",
}
