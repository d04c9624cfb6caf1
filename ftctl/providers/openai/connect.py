"""Where and as whom in, a client out: the SDK is imported and its clients are set up here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ftctl.catalog.services import Service
from ftctl.clock import Clock
from ftctl.domain.service_address import NoAddress, ServiceAddress, read_service_address
from ftctl.errors import ProviderError, redact
from ftctl.providers.openai.connection import Connection
from ftctl.providers.openai.provider import OpenAIProvider
from ftctl.providers.protocol import Client

if TYPE_CHECKING:
    import httpx2

_CONNECT_SECONDS = 10.0


def connect(
    connection: Connection,
    service: Service,
    *,
    clock: Clock,
    transport: httpx2.BaseTransport | None = None,
    log: Callable[[str], None] | None = None,
) -> Client:
    """A client of a service; over `transport` instead of the network where one is given."""
    import httpx2  # noqa: PLC0415 - with openai 0.5 s that other commands need not pay
    from openai import OpenAI  # noqa: PLC0415

    from ftctl.providers.openai.access import Access  # noqa: PLC0415
    from ftctl.providers.openai.bounded_http import keep_bounds  # noqa: PLC0415

    def over_http(limits: httpx2.Limits) -> httpx2.Client:
        over = httpx2.Client(
            transport=transport,
            timeout=timeout,
            limits=limits,
            mounts=direct,
            auth=access,
            event_hooks={"request": [access.on_request], "response": [access.on_response]},
            follow_redirects=True,
        )
        keep_bounds(over)
        return over

    # This machine is asked without a proxy, which would take an unencrypted key off it.
    at_home = transport is None and _on_private_road(connection.base_url).is_loopback
    direct = dict.fromkeys(("all://", "http://", "https://")) if at_home else None
    longest = connection.timeout_seconds
    timeout = httpx2.Timeout(longest, connect=min(longest, _CONNECT_SECONDS))
    address = redact(connection.base_url)
    try:
        access = Access(connection, log)
    except httpx2.InvalidURL as fault:
        raise ProviderError("connect", f"'{address}' is no address: {fault}") from None
    reads = over_http(httpx2.Limits())
    try:
        client = OpenAI(
            api_key=connection.api_key,
            base_url=connection.base_url,
            organization=connection.organization,
            project=connection.project,
            timeout=timeout,
            # The SDK repeats a POST whose answer was lost, without a key that would make that
            # safe: for a training job that means two bills. What is harmless is repeated by us.
            max_retries=0,
            http_client=reads,
        )
    except (httpx2.InvalidURL, ValueError) as fault:
        reads.close()
        raise ProviderError("connect", f"'{address}' is no address: {fault}") from None
    # Writes do not share connections: on one that the server has just closed, an answer is lost
    # for nothing.
    unshared = over_http(httpx2.Limits(max_keepalive_connections=0))
    writer = client.with_options(http_client=unshared)
    return OpenAIProvider(client, writer, service, clock, access, timeout_seconds=longest)


def _on_private_road(base_url: str) -> ServiceAddress:
    """The address, or `ProviderError` where a key would go in plain sight."""
    try:
        address = read_service_address(base_url)
    except NoAddress as fault:
        raise ProviderError("connect", f"the service's address {fault}") from None
    if not address.is_encrypted and not address.is_loopback:
        raise ProviderError(
            "connect",
            f"a key is not sent to {address.origin}: whoever is on the way would read it",
            hint="write https://, or reach it through this machine: http://127.0.0.1:PORT/v1",
        )
    return address
