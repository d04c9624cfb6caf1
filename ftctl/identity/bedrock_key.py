"""The forge's token in; a Bedrock API key of a role that trusts the forge, out.

STS gives the role's credentials for the token. A short-term Bedrock API key is then no answer of
anybody: it is an address that is signed with them, and good as long as they are. botocore asks and
aws-bedrock-token-generator signs: an extra.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ftctl.identity.exchange import (
    UNREADABLE,
    NoExchangeError,
    address_of_exchange,
    missing,
    refusal,
    weird,
)
from ftctl.identity.short_key import ShortKey

AUDIENCE = "sts.amazonaws.com"
_TIMEOUT_SECONDS = 20
_PARTS = ("AccessKeyId", "SecretAccessKey", "SessionToken")


def bedrock_key(
    token: str, role: str, region: str, seconds: int, exchange_url: str | None = None
) -> ShortKey:
    """A Bedrock API key with the permissions of a role."""
    try:
        from aws_bedrock_token_generator import provide_token  # noqa: PLC0415 - an extra
        from botocore.credentials import Credentials  # noqa: PLC0415
    except ImportError:
        raise missing("aws", "Bedrock") from None
    credentials = Credentials(*_role(token, role, region, seconds, exchange_url))

    class OfTheRole:
        @staticmethod
        def load() -> Any:
            return credentials

    key = provide_token(region, OfTheRole(), timedelta(seconds=seconds))
    return ShortKey(str(key), float(seconds))


def _role(
    token: str, role: str, region: str, seconds: int, exchange_url: str | None
) -> tuple[str, ...]:
    """What the role signs with. STS is asked without any other credentials, and once."""
    from botocore import UNSIGNED  # noqa: PLC0415 - an extra
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from botocore.parsers import ResponseParserError  # noqa: PLC0415
    from botocore.session import Session  # noqa: PLC0415

    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    who = f"AWS STS at sts.{region}.{domain}"
    settings = Config(
        signature_version=UNSIGNED, connect_timeout=_TIMEOUT_SECONDS,
        read_timeout=_TIMEOUT_SECONDS, retries={"total_max_attempts": 1},
        proxies={} if exchange_url is not None else None,
    )  # fmt: skip
    there = address_of_exchange(f"https://sts.{region}.{domain}/", exchange_url)
    try:
        client = Session().create_client("sts", region, endpoint_url=there, config=settings)
        answer = client.assume_role_with_web_identity(
            RoleArn=role, RoleSessionName="ftctl", WebIdentityToken=token, DurationSeconds=seconds
        )
    except ClientError as fault:
        error = fault.response.get("Error", {})
        raise refusal(who, f"{error.get('Code')}: {error.get('Message')}", [token]) from None
    except BotoCoreError as fault:
        raise weird(who, str(fault), [token]) from None
    except (ResponseParserError, *UNREADABLE) as fault:
        raise weird(who, f"the answer cannot be read ({type(fault).__name__})", [token]) from None
    found = answer.get("Credentials") or {}
    parts = tuple(str(found.get(name) or "") for name in _PARTS)
    if not all(parts):
        raise NoExchangeError(f"{who} answered without a role's credentials")
    return parts
