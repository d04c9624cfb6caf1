"""`ftctl dataset …`: the data engine on its own, on files that need no project."""

from __future__ import annotations

import click

from ftctl.cli.groups import LazyGroup, Listed
from ftctl.cli.settings import shared_options

# In the order of `ftctl dataset --help`; a test holds the words and the commands together.
COMMANDS: Listed = {
    "check": "Tell every problem of data files, by line.",
    "stats": "Show what a data file holds, and what training on it takes.",
    "diff": "Show which rows differ between two data files.",
    "convert": "Make training rows of a table or of rows in another shape.",
    "split": "Divide a data file into training and validation rows.",
    "sample": "Take some of a data file's rows.",
}


@click.group("dataset", cls=LazyGroup, package="ftctl.cli.dataset", listed=COMMANDS)
@shared_options
def dataset_command() -> None:
    """Check, measure, compare, convert, split and sample data files.

    They need no project, and no network but for check --moderation. Text of the rows is shown with
    --show-text alone, but for short answers that repeat, as labels do.
    """
