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
    from ftctl.emulator.model.language_model import Model, Score
    from ftctl.emulator.model.message_codec import Answer, ToolCall, decode_message, encode_message
    from ftctl.emulator.model.objectives import Measured
    from ftctl.emulator.model.pretraining import base_model
    from ftctl.emulator.model.speech import GREEDY, Alternative, Piece, Sampling, Speech
    from ftctl.emulator.model.trainer import Recipe, StepMetrics, Trainer

_HOMES = {
    "Alternative": "speech",
    "Answer": "message_codec",
    "GREEDY": "speech",
    "AssistantTurn": "examples",
    "Measured": "objectives",
    "Model": "language_model",
    "PreferencePair": "examples",
    "Piece": "speech",
    "Recipe": "trainer",
    "PromptMessage": "examples",
    "Sampling": "speech",
    "Score": "language_model",
    "Speech": "speech",
    "StepMetrics": "trainer",
    "GradedPrompt": "examples",
    "ToolCall": "message_codec",
    "Trainer": "trainer",
    "encode_message": "message_codec",
    "base_model": "pretraining",
    "turns_of": "examples",
    "preference_pair_of": "examples",
    "prompt_of": "examples",
    "decode_message": "message_codec",
    "graded_prompt_of": "examples",
}

__all__ = [
    "GREEDY",
    "Alternative",
    "Answer",
    "AssistantTurn",
    "GradedPrompt",
    "Measured",
    "Model",
    "Piece",
    "PreferencePair",
    "PromptMessage",
    "Recipe",
    "Sampling",
    "Score",
    "Speech",
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
