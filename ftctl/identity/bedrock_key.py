"""The forge's token in; a Bedrock API key of a role that trusts the forge, out.

STS gives the role's credentials for the token. A short-term Bedrock API key is then no answer of
anybody: it is an address that is signed with them, and good as long as they are. Our signature is
that of aws-bedrock-token-generator 1.1.0, byte for byte: a test has examples of it.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

from ftctl.identity.exchange import NoExchangeError, address_of_exchange, ask, element
from ftctl.identity.short_key import ShortKey

AUDIENCE = "sts.amazonaws.com"
_HOST = "bedrock.amazonaws.com"
_PREFIX = "bedrock-api-key-"
_LONGEST = 8192  # characters of a credential


@dataclass(frozen=True, slots=True)
class RoleCredentials:
    """What a role signs with for a while."""

    id: str
    secret: str = field(repr=False)
    session: str = field(repr=False)


def bedrock_key(
    token: str,
    role: str,
    region: str,
    seconds: int,
    *,
    now: float,
    exchange_url: str | None = None,
) -> ShortKey:
    """A Bedrock API key with the permissions of a role; `now` in Unix seconds."""
    credentials = _role(token, role, region, seconds, exchange_url)
    return ShortKey(signed_key(credentials, region, seconds, now), float(seconds))


def _role(
    token: str, role: str, region: str, seconds: int, exchange_url: str | None
) -> RoleCredentials:
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    who = f"AWS STS at sts.{region}.{domain}"
    body = ask(
        who,
        "POST",
        address_of_exchange(f"https://sts.{region}.{domain}/", exchange_url),
        hidden=[token],
        form={
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": role,
            "RoleSessionName": "ftctl",
            "DurationSeconds": str(seconds),
            "WebIdentityToken": token,
        },
    )
    parts = [element(body, tag) for tag in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
    if not all(
        0 < len(part) <= _LONGEST and part.isascii() and part.isprintable() for part in parts
    ):
        raise NoExchangeError(f"{who} answered without a role's credentials")
    return RoleCredentials(*parts)


def _is_credential(text: str) -> bool:
    return 0 < len(text) <= _LONGEST and text.isascii() and text.isprintable()


def signed_key(credentials: RoleCredentials, region: str, seconds: int, now: float) -> str:
    """The key: AWS's signature, version 4, of one question in an address."""
    moment = datetime.fromtimestamp(int(now), tz=UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{moment[:8]}/{region}/bedrock/aws4_request"
    query = "&".join(
        f"{name}={quote(value, safe='')}"
        for name, value in (
            ("Action", "CallWithBearerToken"),
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", f"{credentials.id}/{scope}"),
            ("X-Amz-Date", moment),
            ("X-Amz-Expires", str(seconds)),
            ("X-Amz-SignedHeaders", "host"),
            ("X-Amz-Security-Token", credentials.session),
        )
    )
    ordered = "&".join(sorted(query.split("&")))
    asked = f"POST\n/\n{ordered}\nhost:{_HOST}\n\nhost\n{_sha256('')}"
    signed = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{_sha256(asked)}"
    key = f"AWS4{credentials.secret}".encode()
    for part in (moment[:8], region, "bedrock", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, signed.encode(), "sha256").hex()
    address = f"{_HOST}/?{query}&X-Amz-Signature={signature}&Version=1"
    return _PREFIX + b64encode(address.encode()).decode()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
