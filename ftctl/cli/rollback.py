"""`ftctl rollback NAME`: an alias of a fine-tune moves back, in `ftctl.lock`."""

from __future__ import annotations

import click

from ftctl.cli.exit_codes import DONE
from ftctl.cli.listening import open_session
from ftctl.cli.promote import alias_option, check_alias, pointer_words
from ftctl.cli.settings import settings_of, shared_options
from ftctl.engine.record import environment_of
from ftctl.errors import FtctlError, Stale
from ftctl.lockfile import (
    DEFAULT_ENVIRONMENT,
    Entry,
    Lock,
    Pointer,
    read_lock_file,
    rollback,
    update_lock_file,
)
from ftctl.text.suggest import did_you_mean


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
    session = open_session(settings)
    environment = environment_of(session.context)
    entry = promoted_entry(read_lock_file(session.root), environment, name, alias)
    earlier = _earlier(entry, name, alias)
    with session.provider() as provider:
        if not provider.model_visible(earlier.model):
            raise FtctlError(
                f"{earlier.model}, which {name} was {alias} before, does not exist at the service"
                " any more",
                f"choose a model that does: 'ftctl promote {name} --as {alias} --job ID'",
            )

    def move(lock: Lock) -> Lock:
        if lock.entry(environment, name) != entry:
            raise Stale(f"{name} was promoted meanwhile", "run the same command again")
        return rollback(lock, environment, name, alias)

    update_lock_file(session.root, move)
    before = entry.promoted[alias]
    settings.console.result(
        f"{name}: {alias} moves back from {pointer_words(before)} to {pointer_words(earlier)}."
    )
    return DONE


def promoted_entry(lock: Lock, environment: str, name: str, alias: str) -> Entry:
    """What is on record of a fine-tune with that alias; `FtctlError` where there is no such."""
    entries = lock.entries(environment)
    if name not in entries:
        hint = did_you_mean(name, entries) or "'ftctl promote' puts a model on record"
        raise FtctlError(f"ftctl.lock has no fine-tune '{name}'{_of(environment)}", hint)
    entry = entries[name]
    if alias not in entry.promoted:
        known = ", ".join(sorted(entry.promoted))
        hint = f"it is promoted as: {known}" if known else f"'ftctl promote {name} --as {alias}'"
        raise FtctlError(f"{name} is not promoted as {alias}{_of(environment)}", hint)
    return entry


def _of(environment: str) -> str:
    return "" if environment == DEFAULT_ENVIRONMENT else f" in environment '{environment}'"


def _earlier(entry: Entry, name: str, alias: str) -> Pointer:
    history = entry.history.get(alias, ())
    if not history:
        raise FtctlError(
            f"{name} was nothing before as {alias}: there is no model to go back to",
            f"'ftctl promote {name} --as {alias} --job ID' chooses one",
        )
    return history[-1]
