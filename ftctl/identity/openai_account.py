"""The forge's token in; a key for a service account of OpenAI out.

OpenAI's workload identity federation, as developers.openai.com tells it (read 2026-11-30). The SDK
has the same exchange (`openai.auth.WorkloadIdentityAuth`) and keeps to itself when a key expires;
a test holds the two requests together.
"""

from __future__ import annotations

from ftctl.errors import UsageError
from ftctl.identity.exchange import NoExchangeError, address_of_exchange, ask, read_object
from ftctl.identity.others import belongs_to_another
from ftctl.identity.short_key import ShortKey, read_seconds

ADDRESS = "https://auth.openai.com/oauth/token"
AUDIENCE = "https://api.openai.com/v1"
_WHO = "OpenAI's token exchange"
_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_KIND = "urn:ietf:params:oauth:token-type:jwt"


def check_audience(audience: str) -> str:
    """An audience that is nobody else's: the token goes to OpenAI."""
    if not audience.strip() or belongs_to_another(audience):
        raise UsageError(
            f"--audience {audience} is another service's: with such a token OpenAI could act for"
            " this job there",
            f"leave it out for {AUDIENCE}, or give what the identity provider at OpenAI has",
        )
    return audience


def openai_key(
    token: str, identity_provider: str, service_account: str, exchange_url: str | None = None
) -> ShortKey:
    """A key that acts for the service account, where its rule fits what the token says."""
    body = ask(
        _WHO,
        "POST",
        address_of_exchange(ADDRESS, exchange_url),
        hidden=[token],
        document={
            "grant_type": _GRANT,
            "subject_token": token,
            "subject_token_type": _KIND,
            "identity_provider_id": identity_provider,
            "service_account_id": service_account,
        },
    )
    answer = read_object(body)
    key = answer.get("access_token")
    if not isinstance(key, str) or not key:
        raise NoExchangeError(f"{_WHO} answered without a key")
    return ShortKey(key, read_seconds(answer.get("expires_in")))
