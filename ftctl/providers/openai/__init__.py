"""The `Provider` protocol over the openai SDK, guided by a row of the services table."""

from ftctl.providers.openai.connect import Connection, connect
from ftctl.providers.openai.provider import MODERATION_MODEL, OpenAIProvider

__all__ = ["MODERATION_MODEL", "Connection", "OpenAIProvider", "connect"]
