"""The environment of a job in; the forge's signed word for which job it is, out.

It names repository, branch and environment, and whoever has it is taken for that job by those who
trust the forge, as long as its audience fits. So it is asked for with the audience of one service,
or, where the forge has put it somewhere, given to that service alone whose audience it has.
"""

from __future__ import annotations

import os
import stat
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from ftctl.catalog.variables import GITHUB_IDENTITY, OWN_IDENTITY, is_identity_variable
from ftctl.errors import FtctlError, UsageError
from ftctl.identity.exchange import NoExchangeError, ask, read_object

_URL, _TOKEN = GITHUB_IDENTITY
_MOST_BYTES = 16 * 1024
_PART = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


def forge_token(
    environ: Mapping[str, str], audience: str, variable: str | None, file: Path | None
) -> str:
    """The token for this audience: of a variable, of a file, or asked for at GitHub."""
    if variable is not None and file is not None:
        raise UsageError("--identity-token-env and --identity-token-file say the same thing twice")
    if file is not None:
        return _checked(_read(file), audience, f"the file {file}")
    if variable is not None and not is_identity_variable(variable):
        raise UsageError(
            f"--identity-token-env names {variable}, which every program would see",
            f"call it {OWN_IDENTITY} below 'id_tokens', or {OWN_IDENTITY}_ and a name",
        )
    name = variable or OWN_IDENTITY
    text = environ.get(name, "").strip()
    if text:
        return _checked(text, audience, f"the variable {name}")
    if variable is None and environ.get(_URL, "").strip() and environ.get(_TOKEN, "").strip():
        return _asked(environ[_URL].strip(), environ[_TOKEN].strip(), audience)
    raise FtctlError(
        f"there is no identity token here: neither {_TOKEN} of GitHub nor {name} is set",
        "GitHub: 'permissions: {id-token: write}' for the job and 'identity: true' for the action;"
        f" GitLab: 'id_tokens: {{{OWN_IDENTITY}: {{aud: {audience}}}}}'; ftctl.yaml: begin"
        " api_key_command with 'ftctl, token'",
    )


def _asked(url: str, request: str, audience: str) -> str:
    """What GitHub signs for this job and audience."""
    who = f"GitHub's identity service at {urlsplit(url).hostname}"
    address = f"{url}{'&' if '?' in url else '?'}audience={quote(audience, safe='')}"
    headers = {"Authorization": f"Bearer {request}", "Accept": "application/json"}
    body = ask(who, "GET", address, hidden=[request], headers=headers)
    value = read_object(body).get("value")
    if not isinstance(value, str):
        raise NoExchangeError(f"{who} answered without a token")
    return _checked(value, audience, who)


def _checked(token: str, audience: str, where: str) -> str:
    """The token, where it is one, and for this audience alone."""
    parts = token.split(".")
    if len(parts) != 3 or not all(part and _PART.issuperset(part) for part in parts):
        raise FtctlError(f"{where} holds no identity token: such a one is a JWT")
    found = _claims(parts[1]).get("aud")
    told = found if isinstance(found, list) else [found]
    if told != [audience]:
        raise FtctlError(
            f"the identity token of {where} is for another audience than {audience}, which the"
            " service must be the only one of",
            f"have it made for 'aud: {audience}'",
        )
    return token


def _claims(part: str) -> Mapping[str, object]:
    try:
        return read_object(urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode("utf-8"))
    except ValueError:
        return {}


def _read(file: Path) -> str:
    """A file that a machine keeps the token in, such as a Kubernetes pod's."""
    if not file.is_absolute():
        raise UsageError(f"--identity-token-file {file} does not begin at the root")
    try:
        number = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(number, "rb") as stream:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                raise FtctlError(f"{file} is no file")
            return stream.read(_MOST_BYTES).decode("ascii", "replace").strip()
    except OSError as fault:
        raise FtctlError(f"{file}: {os.strerror(fault.errno or 0)}") from None
