"""Where and as whom to reach a service: the value that `connect` makes a client of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ftctl.identity.short_key import ShortKey


@dataclass(frozen=True, slots=True)
class Connection:
    """Where and as whom to reach a service. What its repr leaves out may be secret.

    `headers` and `query` go with each request to the service itself, and nowhere else. `variables`
    are the values of the references in what is created. `renew` gives another key once the one
    before was refused, or is about to expire: `expires_in` seconds after it was made, where that is
    known. `keeps_models`: no key of this kind may delete models.
    """

    base_url: str
    api_key: str = field(repr=False)
    organization: str | None = None
    project: str | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)  # besides the key
    renew: Callable[[], ShortKey] | None = field(default=None, repr=False)
    expires_in: float | None = None
    keeps_models: bool = False
    timeout_seconds: float = 60.0
