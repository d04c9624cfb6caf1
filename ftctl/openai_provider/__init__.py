"""The `Provider` protocol over the openai SDK, guided by a row of the services table."""

from ftctl.openai_provider.connect import Connection, connect
from ftctl.openai_provider.provider import MODERATION_MODEL, OpenAIProvider

__all__ = ["MODERATION_MODEL", "Connection", "OpenAIProvider", "connect"]
