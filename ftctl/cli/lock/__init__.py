"""`ftctl lock …`: the release record as a file, without a project or a service."""

from __future__ import annotations

import click

from ftctl.cli.groups import LazyGroup, Listed
from ftctl.cli.settings import shared_options

# A test holds the words and the commands together.
COMMANDS: Listed = {
    "merge": "Put what two branches recorded into one file.",
}


@click.group("lock", cls=LazyGroup, package="ftctl.cli.lock", listed=COMMANDS)
@shared_options
def lock_command() -> None:
    """Merge two records of releases.

    They need no project, no network and no key.
    """
