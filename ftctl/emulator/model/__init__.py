"""The small language model of the embedded API: rows in, a model that answers like them out.

Names load on first use: numpy comes only with what computes. Deterministic throughout; no clock,
no file, no randomness but what a seed gives.
"""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # as in ftctl.emulator
if TYPE_CHECKING:
    from ftctl.emulator.model.base import base_model
    from ftctl.emulator.model.language_model import Model, Score
    from ftctl.emulator.model.lessons import (
        Lesson,
        Pair,
        Said,
        Task,
        lessons_of,
        pair_of,
        prompt_of,
        task_of,
    )
    from ftctl.emulator.model.markup import Answer, ToolCall, answer_text, read_answer
    from ftctl.emulator.model.objectives import Measured
    from ftctl.emulator.model.speech import GREEDY, Alternative, Piece, Sampling, Speech
    from ftctl.emulator.model.trainer import Recipe, StepMetrics, Trainer

_HOMES = {
    "Alternative": "speech",
    "Answer": "markup",
    "GREEDY": "speech",
    "Lesson": "lessons",
    "Measured": "objectives",
    "Model": "language_model",
    "Pair": "lessons",
    "Piece": "speech",
    "Recipe": "trainer",
    "Said": "lessons",
    "Sampling": "speech",
    "Score": "language_model",
    "Speech": "speech",
    "StepMetrics": "trainer",
    "Task": "lessons",
    "ToolCall": "markup",
    "Trainer": "trainer",
    "answer_text": "markup",
    "base_model": "base",
    "lessons_of": "lessons",
    "pair_of": "lessons",
    "prompt_of": "lessons",
    "read_answer": "markup",
    "task_of": "lessons",
}

__all__ = [
    "GREEDY",
    "Alternative",
    "Answer",
    "Lesson",
    "Measured",
    "Model",
    "Pair",
    "Piece",
    "Recipe",
    "Said",
    "Sampling",
    "Score",
    "Speech",
    "StepMetrics",
    "Task",
    "ToolCall",
    "Trainer",
    "answer_text",
    "base_model",
    "lessons_of",
    "pair_of",
    "prompt_of",
    "read_answer",
    "task_of",
]

__getattr__ = lazily(__name__, _HOMES)
