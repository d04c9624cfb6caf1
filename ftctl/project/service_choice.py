"""A project's settings and the environment in; its service, and what is wrong with them, out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from ftctl.catalog.services import SERVICES, Service
from ftctl.catalog.variables import owner_of
from ftctl.domain.config import ProviderSettings, Setting
from ftctl.domain.desired import ServiceInfo
from ftctl.domain.service_address import NoAddress, ServiceAddress, read_service_address
from ftctl.domain.variables import Variable
from ftctl.errors import Diagnostic, Span
from ftctl.manifest import Where, shorten
from ftctl.project.load import Project
from ftctl.project.written_keys import of_another
from ftctl.text.credentials import key_in, names_secret

# Headers that are ours to set, each with the setting that says what is in it.
_OWN_HEADERS: Mapping[str, str] = {
    "authorization": "name the key's variable with 'api_key_env', or a program with"
    " 'api_key_command'",
    "openai-organization": "write 'organization: …' below provider",
    "openai-project": "write 'project: …' below provider",
    "host": "take it out: it follows from the address",
    "content-type": "take it out: each request has its own",
    "content-length": "take it out: each request has its own",
    "transfer-encoding": "take it out: each request has its own",
    "connection": "take it out",
}
_WAYS_IN = (
    "base_url", "base_url_env", "api_key_env", "api_key_command", "headers", "query", "expect",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ServiceChoice:
    """The service that a project trains at.

    `query` is what the address itself had behind its '?': it goes with every request, and is no
    part of what the service is known by. `address` is None for the embedded API alone.
    """

    service: Service
    info: ServiceInfo
    query: tuple[tuple[str, str], ...] = ()
    address: ServiceAddress | None = None
    named_by_environment: bool = False  # by the variable that the service's row has for it


def choose_service(
    project: Project, environ: Mapping[str, str]
) -> tuple[ServiceChoice | None, tuple[Diagnostic, ...]]:
    """The service; None with the problems where the settings name none that can be asked."""
    settings = project.config.provider
    row = SERVICES[settings.type]
    if row.type == "emulator":
        problems = tuple(_out_of_place(project, settings))
        info = ServiceInfo(row.type, row.base_url or "", row.billed)
        return (None if problems else ServiceChoice(_marked(row, settings), info)), problems
    address, problem = _address(project, settings, row, environ)
    problems = (*((problem,) if problem else ()), *_faults(project, settings, address))
    if address is None or problems:
        return None, problems
    plain, _, query = address.partition("?")
    info = ServiceInfo(row.type, plain, row.billed)
    pairs = tuple(parse_qsl(query, keep_blank_values=True))
    read = read_service_address(address)
    named = str(read) == str(_named_by_environment(row, environ))
    return ServiceChoice(_marked(row, settings), info, pairs, read, named), ()


def _named_by_environment(row: Service, environ: Mapping[str, str]) -> ServiceAddress | None:
    """The address in the variable that the service's own row has for it."""
    address = environ.get(row.base_url_env, "").strip() if row.base_url_env else ""
    try:
        return read_service_address(_completed(address, row.base_url_path)) if address else None
    except NoAddress:
        return None


def _marked(row: Service, settings: ProviderSettings) -> Service:
    return row if settings.mark is None else row.with_ownership_store(settings.mark)


def _out_of_place(project: Project, settings: ProviderSettings) -> Iterator[Diagnostic]:
    """What only a service elsewhere has, of the embedded API's settings."""
    unset = ProviderSettings()
    for name in _WAYS_IN:
        if getattr(settings, name) != getattr(unset, name):
            message = "the embedded API runs inside ftctl and has no address"
            if not name.startswith("base_url"):
                message = f"the embedded API runs inside ftctl and takes no '{name}'"
            hint = f"remove '{name}'; for a server of 'ftctl emulator' use 'type: compatible'"
            place = project.file.place(("provider", name))
            yield Diagnostic("misplaced-key", message, place, hint)


def _address(
    project: Project, settings: ProviderSettings, row: Service, environ: Mapping[str, str]
) -> tuple[str | None, Diagnostic | None]:
    """The address, with what stands behind its '?', or why there is none."""
    if settings.base_url is not None:
        return settings.base_url, None
    variable = settings.base_url_env or row.base_url_env
    address = environ.get(variable, "").strip() if variable else ""
    place = project.file.place(("provider", "base_url_env"))
    if not address and settings.base_url_env is not None:
        message = f"the environment variable {variable} is not set; it holds the service's address"
        hint = f"export {variable}=https://…/v1"
        return None, Diagnostic("missing-variable", message, place, hint)
    if not address and row.base_url is not None:
        return row.base_url, None
    if not address:
        also = f", or set {variable}" if variable else ""
        message = f"'base_url' is missing: {row.type} has no address of its own"
        hint = f"add 'base_url: https://…/v1' below provider{also}"
        return None, Diagnostic("missing-key", message, place, hint)
    try:
        read_service_address(address)
    except NoAddress as fault:
        message = f"the address in {variable} {fault}"
        return None, Diagnostic("wrong-value", message, place, f"export {variable}=https://…/v1")
    return (address if settings.base_url_env else _completed(address, row.base_url_path)), None


def _completed(address: str, path: str) -> str:
    """The address with the path that people leave out where it is not there."""
    if not path:
        return address
    plain, mark, query = address.partition("?")
    plain = plain.rstrip("/")
    steps = path.split("/")
    heads = ("/".join(steps[:count]) for count in range(len(steps), 1, -1))
    there = next((head for head in heads if plain.endswith(head)), "")
    return plain + path.removeprefix(there) + mark + query


def _faults(
    project: Project, settings: ProviderSettings, address: str | None
) -> Iterator[Diagnostic]:
    """What is wrong with the way in, whatever the service."""
    for one, other in (("base_url", "base_url_env"), ("api_key_env", "api_key_command")):
        if getattr(settings, one) and getattr(settings, other):
            message = f"'{other}' and '{one}' say the same thing twice"
            place = project.file.key_place(("provider", other))
            yield Diagnostic("misplaced-key", message, place, "keep one of them")
    if address is not None:
        where: Where = ("provider", "base_url" if settings.base_url else "base_url_env")
        yield from _faults_of_address(project, where, address, settings.query)
    yield from _variables_of_others(project, settings)
    for kind, given in (("headers", settings.headers), ("query", settings.query)):
        yield from _faults_of_settings(project, kind, given)


def _faults_of_address(
    project: Project, where: Where, address: str, query: tuple[Setting, ...]
) -> Iterator[Diagnostic]:
    place = project.file.place(where)
    query_text = address.partition("#")[0].partition("?")[2]
    try:
        read = read_service_address(address)
    except NoAddress as fault:
        message = f"the service's address {fault}"
        yield Diagnostic("wrong-value", message, place, "write https://HOST/v1")
    else:
        if not read.is_encrypted and not read.is_loopback:
            yield unencrypted(place)
    for name, value in parse_qsl(query_text, keep_blank_values=True):
        if value and (names_secret(name) or key_in(value)):
            message = f"the service's address holds a secret: '{shorten(name)}'"
            reference = f"{{{name}: {{env: {_variable(name)}}}}}"
            hint = f"take it out, and write below provider: query: {reference}"
            yield Diagnostic("secret-in-address", message, place, hint)
        elif name in {known for known, _ in query}:
            message = f"'{shorten(name)}' stands in the address and below 'query'"
            place = project.file.key_place(("provider", "query", name))
            yield Diagnostic("misplaced-key", message, place, "keep one of them")


def unencrypted(place: Span) -> Diagnostic:
    """What to tell of an address over which a key would go in plain sight."""
    message = "the service's address begins with http://: whoever is on the way reads the key"
    hint = "write https://, or reach it through this machine: http://127.0.0.1:PORT/v1"
    return Diagnostic("unencrypted-address", message, place, hint)


def _variables_of_others(project: Project, settings: ProviderSettings) -> Iterator[Diagnostic]:
    """Variables that are not for a service that trains, wherever the settings name one."""
    row = SERVICES[settings.type]
    named: list[tuple[Where, str]] = []
    if settings.api_key_env is not None:
        named.append((("provider", "api_key_env"), settings.api_key_env))
    for kind, given in (("headers", settings.headers), ("query", settings.query)):
        named += [
            (("provider", kind, name), value.name)
            for name, value in given
            if isinstance(value, Variable)
        ]
    for where, name in named:
        if (owner := owner_of(name, row)) is not None:
            yield of_another(name, owner.name, project.file.place(where))
    for index, name in enumerate(settings.variables):
        if (owner := owner_of(name)) is not None and not owner.handed_on:
            yield of_another(name, owner.name, project.file.place(("provider", "variables", index)))


def _faults_of_settings(
    project: Project, kind: str, given: tuple[Setting, ...]
) -> Iterator[Diagnostic]:
    taken: set[str] = set()
    for name, value in given:
        low = name.lower() if kind == "headers" else name
        key = project.file.key_place(("provider", kind, name))
        if low in taken:
            message = f"'{name}' is there already: headers differ by more than their case"
            yield Diagnostic("misplaced-key", message, key, "keep one of them")
        taken.add(low)
        if kind == "headers" and low in _OWN_HEADERS:
            message = f"the header '{name}' is set by ftctl"
            yield Diagnostic("misplaced-key", message, key, _OWN_HEADERS[low])
        elif isinstance(value, str) and names_secret(name) and key_in(value) is None:
            place = project.file.place(("provider", kind, name))
            message = f"'{name}' holds a secret by its name, in a file that git keeps"
            hint = (
                f"put it into an environment variable, and write {name}: {{env: {_variable(name)}}}"
            )
            yield Diagnostic("written-key", message, place, hint)


def _variable(name: str) -> str:
    """A variable's name for what a header or parameter of this name has."""
    return re.sub(r"[^A-Z0-9]+", "_", f"_{name}".upper())[1:129]
