"""`ftctl token azure`: a federated credential of an application in Microsoft Entra."""

from __future__ import annotations

from pathlib import Path

import click

from ftctl.cli.settings import settings_of, shared_options
from ftctl.cli.token.shared import Word, identity_options, print_key

_GUID = Word(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", "an id such as 1b4e28ba-…")
_RESOURCES = ("cognitiveservices", "ai")


@click.command("azure")
@shared_options
@click.option(
    "--tenant", type=_GUID, required=True, metavar="ID", help="The directory (tenant) id."
)
@click.option(
    "--client",
    type=_GUID,
    required=True,
    envvar="AZURE_CLIENT_ID",
    metavar="ID",
    help="The application with a federated credential for this job; else AZURE_CLIENT_ID says it.",
)
@click.option(
    "--resource", type=click.Choice(_RESOURCES), default=_RESOURCES[0],
    help="What the bearer is for: https://RESOURCE.azure.com.",
)  # fmt: skip
@identity_options
@click.pass_context
def azure_command(
    context: click.Context,
    tenant: str,
    client: str,
    resource: str,
    variable: str | None,
    file: Path | None,
    form: str,
    exchange_url: str | None,
) -> int:
    """Print a bearer for Azure OpenAI, of an application in Entra."""
    from ftctl.identity.entra import AUDIENCE, entra_key
    from ftctl.identity.forge_token import forge_token

    settings = settings_of(context)
    token = forge_token(settings.environ, AUDIENCE, variable, file)
    key = entra_key(token, tenant, client, f"https://{resource}.azure.com", exchange_url)
    return print_key(settings, key, form)
