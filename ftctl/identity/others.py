"""An audience in; whether a token for it would let its holder act elsewhere, out."""

from __future__ import annotations

# Exchanges that take tokens of forges, by the audience that they are documented with (2026-11).
_KNOWN = (
    "sts.amazonaws.com", "api://azureadtokenexchange", "iam.googleapis.com", "vault", "sigstore",
    "pypi", "testpypi", "npm:registry.npmjs.org", "crates.io", "rubygems.org",
    "https://github.com", "https://gitlab.com",
)  # fmt: skip


def belongs_to_another(audience: str) -> bool:
    """Whether one of the known exchanges takes this audience, however it goes on."""
    said = audience.strip().lower().removeprefix("//")
    return any(said.startswith(one) or f"//{one}" in said for one in _KNOWN)
