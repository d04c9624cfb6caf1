"""The `Provider` protocol over the openai SDK, guided by a row of the services table."""

from ftctl.openai_provider.provider import Connection, OpenAIProvider, connect

__all__ = ["Connection", "OpenAIProvider", "connect"]
