"""The forge's token in; a bearer for Azure OpenAI, of an application that trusts the forge, out.

Asked by azure-identity, an extra, at one address of Microsoft's and nowhere else.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

from ftctl.identity.exchange import (
    UNREADABLE,
    NoExchangeError,
    address_of_exchange,
    missing,
    refusal,
    weird,
)
from ftctl.identity.short_key import ShortKey, read_seconds

AUDIENCE = "api://AzureADTokenExchange"
_HOST = "login.microsoftonline.com"
_WHO = f"Microsoft Entra at {_HOST}"
_TIMEOUT_SECONDS = 20


def entra_key(
    token: str, tenant: str, client: str, resource: str, exchange_url: str | None = None
) -> ShortKey:
    """A bearer with the roles of the application `client`, for a resource."""
    try:
        from azure.core.exceptions import AzureError, ClientAuthenticationError  # noqa: PLC0415 - an extra
        from azure.identity import ClientAssertionCredential  # noqa: PLC0415
    except ImportError:
        raise missing("azure", "Azure") from None
    there = address_of_exchange(f"https://{_HOST}/{tenant}/oauth2/v2.0/token", exchange_url)
    credential = ClientAssertionCredential(
        tenant, client, lambda: token, authority=_HOST, disable_instance_discovery=True,
        transport=_transport(there, moved=exchange_url is not None), retry_total=0,
        permit_redirects=False, logging_enable=False,
    )  # fmt: skip
    try:
        found: Any = credential.get_token(f"{resource}/.default")
    except ClientAuthenticationError as fault:
        raise refusal(_WHO, fault.message, [token]) from None
    except AzureError as fault:
        raise weird(_WHO, str(fault), [token]) from None
    except UNREADABLE as fault:
        raise weird(_WHO, f"the answer cannot be read ({type(fault).__name__})", [token]) from None
    finally:
        credential.close()
    if not isinstance(found.token, str) or not found.token:
        raise NoExchangeError(f"{_WHO} answered without a key")
    return ShortKey(found.token, read_seconds(float(found.expires_on) - time.time()))


def _transport(there: str, *, moved: bool) -> Any:
    """Requests to that one address. In tests it is one of this machine."""
    from azure.core.pipeline.transport import RequestsTransport  # noqa: PLC0415 - an extra

    class OneAddress(RequestsTransport):  # type: ignore[misc, unused-ignore]
        def send(self, request: Any, **settings: Any) -> Any:
            if moved:
                request.url = there
            if request.url != there:
                host = urlsplit(request.url).hostname
                raise NoExchangeError(f"{_WHO} is asked, and not {host}")
            return super().send(request, **settings)

    return OneAddress(
        connection_timeout=_TIMEOUT_SECONDS,
        read_timeout=_TIMEOUT_SECONDS,
        use_env_settings=not moved,
    )
