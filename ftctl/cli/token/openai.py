"""`ftctl token openai`: OpenAI's workload identity federation."""

from __future__ import annotations

from pathlib import Path

import click

from ftctl.cli.settings import settings_of, shared_options
from ftctl.cli.token.shared import Word, identity_options, print_key

_ID = Word(r"[A-Za-z0-9._-]{1,128}", "an id as OpenAI shows it")


@click.command("openai")
@shared_options
@click.option(
    "--identity-provider",
    type=_ID,
    required=True,
    metavar="ID",
    help="The workload identity provider at OpenAI that trusts this forge.",
)
@click.option(
    "--service-account",
    type=_ID,
    required=True,
    envvar="FTCTL_OPENAI_SERVICE_ACCOUNT",
    metavar="ID",
    help="The service account to act for; else FTCTL_OPENAI_SERVICE_ACCOUNT says it.",
)
@click.option(
    "--audience", metavar="TEXT",
    help="The audience of the identity provider, if it is not https://api.openai.com/v1.",
)  # fmt: skip
@identity_options
@click.pass_context
def openai_command(
    context: click.Context,
    identity_provider: str,
    service_account: str,
    audience: str | None,
    variable: str | None,
    file: Path | None,
    form: str,
    exchange_url: str | None,
) -> int:
    """Print a key of OpenAI for a service account.

    Such a key cannot delete models: OpenAI takes an API key for that.
    """
    from ftctl.identity.forge_token import forge_token
    from ftctl.identity.openai_account import AUDIENCE, check_audience, openai_key

    settings = settings_of(context)
    audience = check_audience(audience or AUDIENCE)
    token = forge_token(settings.environ, audience, variable, file)
    key = openai_key(token, identity_provider, service_account, exchange_url)
    return print_key(settings, key, form)
