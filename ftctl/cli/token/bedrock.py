"""`ftctl token bedrock`: a role in AWS that trusts the forge."""

from __future__ import annotations

from pathlib import Path

import click

from ftctl.cli.settings import settings_of, shared_options
from ftctl.cli.token.shared import Word, identity_options, print_key

_ROLE = Word(r"arn:aws[a-z-]{0,16}:iam::\d{12}:role/[\w+=,.@/-]{1,512}", "the ARN of a role")
_REGION = Word(r"[a-z]{2}(?:-[a-z]+){1,3}-\d", "a region such as us-west-2")


@click.command("bedrock")
@shared_options
@click.option(
    "--role",
    type=_ROLE,
    required=True,
    envvar="AWS_ROLE_ARN",
    metavar="ARN",
    help="The role to take; else AWS_ROLE_ARN says it.",
)
@click.option(
    "--region",
    type=_REGION,
    required=True,
    metavar="REGION",
    help="The region of 'base_url', such as us-west-2.",
)
@click.option(
    "--seconds", type=click.IntRange(900, 12 * 3600), default=3600, show_default=True,
    metavar="N",
    help="How long it is good for: at most as long as the role's sessions.",
)  # fmt: skip
@identity_options
@click.pass_context
def bedrock_command(
    context: click.Context,
    role: str,
    region: str,
    seconds: int,
    variable: str | None,
    file: Path | None,
    form: str,
    exchange_url: str | None,
) -> int:
    """Print a Bedrock API key of a role in AWS."""
    from ftctl.identity.bedrock_key import AUDIENCE, bedrock_key
    from ftctl.identity.forge_token import forge_token

    settings = settings_of(context)
    token = forge_token(settings.environ, AUDIENCE, variable, file)
    key = bedrock_key(token, role, region, seconds, exchange_url)
    return print_key(settings, key, form)
