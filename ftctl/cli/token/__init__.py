"""`ftctl token …`: a key that expires, of a service that trusts the forge, on standard output."""

from __future__ import annotations

import click

from ftctl.cli.groups import LazyGroup, Listed
from ftctl.cli.settings import shared_options

# In the order of `ftctl token --help`; a test holds the words and the commands together.
COMMANDS: Listed = {
    "openai": "Print a key of OpenAI for a service account.",
    "azure": "Print a bearer for Azure OpenAI, of an application in Entra.",
    "bedrock": "Print a Bedrock API key of a role in AWS.",
}


@click.group("token", cls=LazyGroup, package="ftctl.cli.token", listed=COMMANDS)
@shared_options
def token_command() -> None:
    """Print a key that is good for an hour, for the job that runs.

    For 'api_key_command' of ftctl.yaml: [ftctl, token, openai, …]. A job of GitHub or GitLab, or a
    pod, proves with a signed token which one it is, and the service gives a key for that. No key is
    stored anywhere.
    """
