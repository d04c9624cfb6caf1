"""The forge's token in; a bearer for Azure OpenAI, of an application that trusts the forge, out.

One form to one address, as Microsoft's identity platform has it for federated credentials. It is
what azure-identity 1.27.0 sends for a ClientAssertionCredential (compared 2026-11-30), which would
bring eleven packages beside the key.
"""

from __future__ import annotations

from ftctl.identity.exchange import NoExchangeError, address_of_exchange, ask, read_object
from ftctl.identity.short_key import ShortKey, read_seconds

AUDIENCE = "api://AzureADTokenExchange"
_WHO = "Microsoft Entra at login.microsoftonline.com"
_KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def entra_key(
    token: str, tenant: str, client: str, resource: str, exchange_url: str | None = None
) -> ShortKey:
    """A bearer with the roles of the application `client`, for a resource."""
    address = f"https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
    body = ask(
        _WHO,
        "POST",
        address_of_exchange(address, exchange_url),
        hidden=[token],
        form={
            "client_id": client,
            "scope": f"{resource}/.default",
            "grant_type": "client_credentials",
            "client_assertion_type": _KIND,
            "client_assertion": token,
        },
    )
    answer = read_object(body)
    key = answer.get("access_token")
    if not isinstance(key, str) or not key:
        raise NoExchangeError(f"{_WHO} answered without a key")
    return ShortKey(key, read_seconds(answer.get("expires_in")))
