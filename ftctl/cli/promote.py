"""`ftctl promote NAME`: an alias of a fine-tune moves to one of its models, in `ftctl.lock`."""

from __future__ import annotations

import click

from ftctl.cli.exit_codes import DONE
from ftctl.cli.listening import open_session
from ftctl.cli.settings import settings_of, shared_options
from ftctl.engine.promotion import Move, check_alias, promote_model
from ftctl.lockfile import DEFAULT_ALIAS, Pointer
from ftctl.text.escape.single_line import one_line

alias_option = click.option(
    "--as", "alias", metavar="ALIAS", default=DEFAULT_ALIAS, show_default=True,
    help="The name that applications ask for.",
)  # fmt: skip


@click.command("promote")
@shared_options
@click.argument("name")
@alias_option
@click.option("--job", metavar="ID", help="The model of this job, instead of the newest.")
@click.option(
    "--checkpoint", metavar="WHICH", help="Of that job: a step, best, last, or a model's name."
)
@click.pass_context
def promote_command(
    context: click.Context, name: str, alias: str, job: str | None, checkpoint: str | None
) -> int:
    """Put a model of a fine-tune into service.

    The alias moves in ftctl.lock, and nowhere else: commit the file, and its review is the
    approval. A promoted model is not deleted until another takes its place.
    """
    settings = settings_of(context)
    check_alias(alias)
    move = promote_model(open_session(settings), name, alias, job, checkpoint)
    settings.console.result(one_line(f"{name}: {_words(alias, move)}"))
    return DONE


def _words(alias: str, move: Move) -> str:
    before, after = move.before, move.after
    if before is None:
        return f"{alias} is now {pointer_words(after)}; it was not promoted before."
    if before.leads_to(after):
        return f"{alias} is {pointer_words(before)} already."
    return f"{alias} moves from {pointer_words(before)} to {pointer_words(after)}."


def pointer_words(pointer: Pointer) -> str:
    """A pointer for people."""
    at = f", step {pointer.checkpoint}" if pointer.checkpoint is not None else ""
    return f"{pointer.model} ({pointer.job}{at})"
