"""A name that somebody else gave in; whether it can name a job, a model or a file of a service out.

The one rule for what services send and for what `ftctl.lock` holds. Such names get onto command
lines, into .env files, $GITHUB_OUTPUT and addresses, mostly by people who do not quote.
"""

from __future__ import annotations

import re

# Fits those of OpenAI, Azure, Nebius, Together, Fireworks, Hugging Face, Vertex and Cloudflare
# (@cf/…), ARNs, and paths as vLLM has them. No shell takes any of it for anything else, and none
# begins as an option, a comment or a spreadsheet's formula does. ASCII alone: what looks like
# another letter would hide in a review.
IDENTIFIER = r"[A-Za-z0-9_./@][A-Za-z0-9_./@:+#,=-]{0,511}"
_IDENTIFIER = re.compile(IDENTIFIER)
_UPWARDS = re.compile(r"(?:^|/)\.\.(?:/|$)")  # in an address it would lead to something else


# What manifests, environments and aliases are called: `tone`.
OWN_NAME = r"[a-z0-9][a-z0-9_-]{0,62}"
_OWN_NAME = re.compile(OWN_NAME)


def is_own_name(name: str) -> bool:
    """Whether something of a project may be called so."""
    return _OWN_NAME.fullmatch(name) is not None


def is_identifier(name: str) -> bool:
    """Whether a job, a model or a file may be called so."""
    if _IDENTIFIER.fullmatch(name) is None:
        return False
    return name != "." and not (".." in name and _UPWARDS.search(name))
