"""`ftctl dataset sample`: some of a data file's rows."""

from __future__ import annotations

import click

from ftctl.cli.dataset.amounts import ROWS, Amount
from ftctl.cli.dataset.step_outcome import report_outcome, target_of
from ftctl.cli.dataset.text_encoding import encoding_option
from ftctl.cli.dataset.writing import FORCE
from ftctl.cli.exit_codes import DONE
from ftctl.cli.settings import settings_of, shared_options
from ftctl.data.convert import Sample, sample_file


@click.command(
    "sample", epilog="Example: ftctl dataset sample data/train.jsonl data/small.jsonl --rows 500"
)
@shared_options
@click.argument("file", metavar="FILE", type=click.Path())
@click.argument("target", metavar="TARGET", type=click.Path())
@click.option("--rows", type=ROWS, required=True, metavar="ROWS", help="How many: 500, 0.1, 10%.")
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, metavar="N",
    help="Another seed takes other rows.",
)  # fmt: skip
@click.option("--by", type=click.Choice(["answer"]), help="Keep the share of each answer.")
@encoding_option("FILE")
@click.option("--force", is_flag=True, help=FORCE)
@click.pass_context
def sample_command(
    context: click.Context,
    file: str,
    target: str,
    rows: Amount,
    seed: int,
    by: str | None,
    encoding: str | None,
    force: bool,
) -> int:
    """Take some of a data file's rows.

    They stay as they are and in their order; '-' as TARGET is standard output. The same seed takes
    the same rows again.
    """
    settings = settings_of(context)
    where = target_of(settings, target, force=force)
    step = Sample(rows, seed, by is not None)
    done = sample_file(
        settings.folder / file, file, where.place, step, encoding=encoding, replace=force
    )
    report_outcome(settings, done, {None: target})
    return DONE
