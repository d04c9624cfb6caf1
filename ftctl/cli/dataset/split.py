"""`ftctl dataset split`: a data file divided into training and validation rows."""

from __future__ import annotations

from pathlib import Path

import click

from ftctl.cli.dataset.amounts import ROWS, Amount
from ftctl.cli.dataset.step_outcome import report_outcome
from ftctl.cli.dataset.text_encoding import encoding_option
from ftctl.cli.dataset.writing import FORCE, refuse_to_overwrite
from ftctl.cli.exit_codes import DONE
from ftctl.cli.settings import settings_of, shared_options
from ftctl.data.convert import Part, Split, split_file


@click.command(
    "split", epilog="Example: ftctl dataset split data/all.jsonl --validation 0.1 --seed 7"
)
@shared_options
@click.argument("file", metavar="FILE", type=click.Path())
@click.option(
    "--validation", type=ROWS, required=True, metavar="ROWS",
    help="How many rows to validate on: 500, 0.1, 10%.",
)  # fmt: skip
@click.option("--test", type=ROWS, metavar="ROWS", help="How many rows to keep for a test.")
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, metavar="N",
    help="Another seed divides otherwise.",
)  # fmt: skip
@click.option(
    "--by", type=click.Choice(["answer"]), help="Give each part its share of each answer."
)
@click.option(
    "--out", type=click.Path(), metavar="DIR", help="Where to write.  [default: beside FILE]"
)
@encoding_option("FILE")
@click.option("--force", is_flag=True, help=FORCE)
@click.pass_context
def split_command(
    context: click.Context,
    file: str,
    validation: Amount,
    test: Amount | None,
    seed: int,
    by: str | None,
    out: str | None,
    encoding: str | None,
    force: bool,
) -> int:
    """Divide a data file into training and validation rows.

    Writes FILE-train.jsonl and FILE-validation.jsonl, and FILE-test.jsonl if asked. Rows with the
    same prompt stay together. A row's part depends on its content and the seed, not on its place.
    """
    settings = settings_of(context)
    step = Split(validation, test, seed, by is not None)
    shown = part_names(file, out, step)
    for name in shown.values():
        refuse_to_overwrite(settings.folder / name, name, force=force)
    targets = {part: settings.folder / name for part, name in shown.items()}
    done = split_file(settings.folder / file, file, targets, step, encoding=encoding, replace=force)
    report_outcome(settings, done, dict(shown.items()))
    return DONE


def part_names(file: str, folder: str | None, step: Split) -> dict[Part, str]:
    """`data/all.jsonl` → `data/all-train.jsonl` and so on."""
    source = Path(file)
    place = source.parent if folder is None else Path(folder)
    return {part: str(place / f"{source.stem}-{part}.jsonl") for part in step.parts}
