"""`ftctl rollback NAME`: an alias of a fine-tune moves back, in `ftctl.lock`."""

from __future__ import annotations

import click

from ftctl.cli.exit_codes import DONE
from ftctl.cli.listening import open_session
from ftctl.cli.promote import alias_option, pointer_words
from ftctl.cli.settings import settings_of, shared_options
from ftctl.engine.promotion import check_alias, roll_back


@click.command("rollback")
@shared_options
@click.argument("name")
@alias_option
@click.pass_context
def rollback_command(context: click.Context, name: str, alias: str) -> int:
    """Put the model before back into service.

    The alias moves in ftctl.lock, and nowhere else: commit the file. Again goes back further.
    """
    settings = settings_of(context)
    check_alias(alias)
    move = roll_back(open_session(settings), name, alias)
    assert move.before is not None
    settings.console.result(
        f"{name}: {alias} moves back from {pointer_words(move.before)}"
        f" to {pointer_words(move.after)}."
    )
    return DONE
