"""A base model's name -> its model, trained on the primer."""

from __future__ import annotations

from functools import lru_cache
from zlib import crc32

from ftctl.emulator.model.language_model import Model, untrained
from ftctl.emulator.model.lessons import Lesson, Said
from ftctl.emulator.model.primer import PRIMER
from ftctl.emulator.model.trainer import Recipe, Trainer

EPOCHS = 12
BATCH_SIZE = 4


@lru_cache(maxsize=32)
def base_model(name: str) -> Model:
    """The model before any fine-tuning. Names differ in the numbers, not in what was read."""
    chats = [
        (Lesson((Said("user", asked),) if asked else (), answer),)
        for answer, questions in PRIMER.items()
        for asked in questions
    ]
    seed = crc32(name.encode("utf-8", "replace"))
    trainer = Trainer.begin(
        untrained(name), chats, None, Recipe("supervised", EPOCHS, BATCH_SIZE, 1.5, seed)
    )
    while not trainer.done:
        trainer.advance()
    return trainer.model()
