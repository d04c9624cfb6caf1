"""How the embedded API's model learns: curves of the loss, and what it gets right afterwards.

    python benchmarks/learning_curves.py --data DIR --out curves.svg

DIR holds train.jsonl and validation.jsonl: chats that end in a label. The picture has the loss on
training and validation data for three learning rates; the table has the share of validation
labels that are said exactly, for five seeds, beside the most common label and the base model.
"""
# ruff: noqa: T201 - a script that prints

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from ftctl.emulator.model import GREEDY, AssistantTurn, Model, Recipe, Trainer, base_model, turns_of

BASE = "gpt-4o-mini-2024-07-18"
MULTIPLIERS = {0.3: "#3b6fb6", 1.0: "#2c8a57", 3.0: "#c2552d"}
EPOCHS, SEEDS = 6, range(5)
POINTS = 72
Rows = list[tuple[AssistantTurn, ...]]


@dataclass(frozen=True, slots=True)
class Curve:
    """Mean training loss since the last point, and loss on all validation rows, by step."""

    multiplier: float
    steps: list[int]
    training: list[float]
    validation: list[float]


def main() -> None:
    options = _options()
    training, validation = (_read(options.data / f"{n}.jsonl") for n in ("train", "validation"))
    curves = [_curve(multiplier, training, validation) for multiplier in MULTIPLIERS]
    options.out.write_text(_picture(curves), "utf-8")
    print(f"{options.out}: {EPOCHS} epochs, batch size 1")
    _table(training, validation)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    return parser.parse_args()


def _read(path: Path) -> Rows:
    lines = path.read_text("utf-8").splitlines()
    return [turns_of(json.loads(line), "chat") for line in lines]


def _curve(multiplier: float, training: Rows, validation: Rows) -> Curve:
    recipe = Recipe("supervised", EPOCHS, 1, multiplier, 0)
    trainer = Trainer.begin(base_model(BASE), training, validation, recipe)
    stride = max(1, trainer.total_steps // POINTS)
    curve, recent = Curve(multiplier, [], [], []), list[float]()
    while not trainer.done:
        recent.append(trainer.advance().train.loss or 0.0)
        if len(recent) == stride or trainer.done:
            full = trainer.full_validation()
            curve.steps.append(trainer.step)
            curve.training.append(mean(recent))
            curve.validation.append(full.loss or 0.0 if full else 0.0)
            recent.clear()
    return curve


def _table(training: Rows, validation: Rows) -> None:
    labels = Counter(row[-1].answer for row in validation)
    print(f"{'most common label':<24} {max(labels.values()) / len(validation):.3f}")
    print(f"{'base model':<24} {_right(base_model(BASE), validation):.3f}")
    for multiplier in (1.0, 1.8):
        shares, seconds = [], []
        for seed in SEEDS:
            started = time.perf_counter()
            recipe = Recipe("supervised", 3, 1, multiplier, seed)
            trainer = Trainer.begin(base_model(BASE), training, validation, recipe)
            while not trainer.done:
                trainer.advance()
            seconds.append(time.perf_counter() - started)
            shares.append(_right(trainer.model(), validation))
        told = " ".join(f"{share:.3f}" for share in shares)
        name = f"3 epochs, multiplier {multiplier}"
        print(f"{name:<24} {told}  mean {mean(shares):.3f}  {mean(seconds):.2f} s a run")


def _right(model: Model, rows: Rows) -> float:
    answers = ["".join(p.text for p in model.generate(row[-1].prompt, GREEDY)) for row in rows]
    return mean(a == row[-1].answer for a, row in zip(answers, rows, strict=True))


WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 760, 420, 56, 46, 40, 150
HIGHEST = 2.0


def _picture(curves: list[Curve]) -> str:
    last = max(curve.steps[-1] for curve in curves)
    attributes = 'xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="12"'
    parts = [
        f'<svg {attributes} viewBox="0 0 {WIDTH} {HEIGHT}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(LEFT, 22, "Loss in nats a piece (dashed: training, drawn: validation)", "start"),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "step", "middle"),
    ]
    for tick in range(5):
        loss, step = HIGHEST * tick / 4, last * tick // 4
        y, x = _y(loss), _x(step, last)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(_text(LEFT - 8, y + 4, f"{loss:g}", "end"))
        parts.append(_text(x, HEIGHT - BOTTOM + 18, str(step), "middle"))
    for place, curve in enumerate(curves):
        colour = MULTIPLIERS[curve.multiplier]
        parts.append(_line(curve.steps, curve.training, last, f'{colour}" stroke-dasharray="3 3'))
        parts.append(_line(curve.steps, curve.validation, last, f'{colour}" stroke-width="2'))
        label = f"multiplier {curve.multiplier:g}"
        parts.append(_text(WIDTH - RIGHT + 12, TOP + 20 * place + 12, label, "start", colour))
    return "\n".join([*parts, "</svg>\n"])


def _line(steps: list[int], losses: list[float], last: int, stroke: str) -> str:
    points = " ".join(
        f"{_x(s, last):.1f},{_y(loss):.1f}" for s, loss in zip(steps, losses, strict=True)
    )
    return f'<polyline fill="none" stroke="{stroke}" points="{points}"/>'


def _x(step: int, last: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * step / last


def _y(loss: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * min(loss, HIGHEST) / HIGHEST


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{text}</text>'


if __name__ == "__main__":
    main()
