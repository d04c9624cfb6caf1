"""The protocols over the openai SDK, guided by a row of the services table."""
