"""Options that several commands share, and that need no stage to be imported."""

from __future__ import annotations

import click

from ftctl.cli.settings import Settings


def _base(context: click.Context, _option: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.ensure_object(Settings).base = value


base_option = click.option(
    "--base", metavar="REV", expose_value=False, callback=_base,
    help="The git revision that a change goes to: settings are read from its ftctl.yaml, and data"
    " is compared with it.",
)  # fmt: skip
allow_option = click.option(
    "--allow", multiple=True, metavar="RULE",
    help="Let this rule of the policy pass; may be repeated, or list rules with commas.",
)  # fmt: skip
force_destroy_option = click.option(
    "--force-destroy", is_flag=True, help="Delete promoted models too."
)
