"""Rows of training data in; a small language model that answers like them out.

Names load on first use: numpy comes only with what computes. Deterministic throughout; no clock,
no file, no randomness but what a seed gives.
"""

from __future__ import annotations

from ftctl.lazy import lazily

TYPE_CHECKING = False  # as in ftctl.emulator
if TYPE_CHECKING:
    from ftctl.emulator.model.examples import (
        AssistantTurn,
        GradedPrompt,
        PreferencePair,
        PromptMessage,
        graded_prompt_of,
        preference_pair_of,
        prompt_of,
        turns_of,
    )
    from ftctl.emulator.model.generation import GREEDY, Alternative, Generation, Piece, Sampling
    from ftctl.emulator.model.language_model import Model, Score
    from ftctl.emulator.model.message_codec import Answer, ToolCall, decode_message, encode_message
    from ftctl.emulator.model.objectives import Measured
    from ftctl.emulator.model.pretraining import base_model
    from ftctl.emulator.model.trainer import Recipe, StepMetrics, Trainer

_HOMES = {
    "Alternative": "generation",
    "Answer": "message_codec",
    "AssistantTurn": "examples",
    "GREEDY": "generation",
    "Generation": "generation",
    "GradedPrompt": "examples",
    "Measured": "objectives",
    "Model": "language_model",
    "Piece": "generation",
    "PreferencePair": "examples",
    "PromptMessage": "examples",
    "Recipe": "trainer",
    "Sampling": "generation",
    "Score": "language_model",
    "StepMetrics": "trainer",
    "ToolCall": "message_codec",
    "Trainer": "trainer",
    "base_model": "pretraining",
    "decode_message": "message_codec",
    "encode_message": "message_codec",
    "graded_prompt_of": "examples",
    "preference_pair_of": "examples",
    "prompt_of": "examples",
    "turns_of": "examples",
}

__all__ = [
    "GREEDY",
    "Alternative",
    "Answer",
    "AssistantTurn",
    "Generation",
    "GradedPrompt",
    "Measured",
    "Model",
    "Piece",
    "PreferencePair",
    "PromptMessage",
    "Recipe",
    "Sampling",
    "Score",
    "StepMetrics",
    "ToolCall",
    "Trainer",
    "base_model",
    "decode_message",
    "encode_message",
    "graded_prompt_of",
    "preference_pair_of",
    "prompt_of",
    "turns_of",
]

__getattr__ = lazily(__name__, _HOMES)
