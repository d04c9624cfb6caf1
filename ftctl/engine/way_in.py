"""A project's settings and the environment in; how its service is reached, and as whom, out."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from ftctl.catalog.variables import is_identity_variable
from ftctl.domain.config import ProviderSettings, Setting
from ftctl.domain.observed import UNTOLD, AccountId
from ftctl.domain.service_address import read_service_address
from ftctl.domain.variables import Variable, references
from ftctl.engine.consents import AddressUse, is_allowed, remember, remembered
from ftctl.engine.context import RunContext
from ftctl.engine.programs import require_commands
from ftctl.errors import Diagnostic, FtctlError, InvalidProject, Span
from ftctl.manifest import Document
from ftctl.project.load import Project
from ftctl.project.service_choice import ServiceChoice

if TYPE_CHECKING:
    from ftctl.engine.base_revision import BaseFile
    from ftctl.identity.short_key import ShortKey
    from ftctl.providers import Connection

# Of what nobody has reviewed, --base lets these count for the way in, and the address where the
# command line says it: which of the known services it is, and what is no part of a request.
_HARMLESS = frozenset({"type", "mark", "timeout"})
_DEFAULTS = {one.name: getattr(ProviderSettings(), one.name) for one in fields(ProviderSettings)}


@dataclass(frozen=True, slots=True)
class WayIn:
    """How the service of one project is reached. No repr of it shows a key: it holds none."""

    project: Project
    choice: ServiceChoice
    context: RunContext
    base: BaseFile | None = None

    @property
    def settings(self) -> ProviderSettings:
        """What ftctl.yaml says below `provider`."""
        return self.project.config.provider

    @property
    def key_variable(self) -> str | None:
        """The variable that holds the key; None where there is none, or a program gives it."""
        if self.choice.service.type == "emulator" or self.settings.api_key_command:
            return None
        return self.settings.api_key_env or self.choice.service.api_key_env

    @property
    def account(self) -> AccountId:
        """See `account_of`."""
        return account_of(self.settings, self.context.environ)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be printed nowhere, as far as the environment holds it."""
        names = [self.key_variable] if self.key_variable else []
        names += [value.name for _, value in self._variables_in_settings()]
        # The forge's word for this job is for one program: nothing else may tell it.
        names += [name for name in self.context.environ if is_identity_variable(name)]
        values = [self._value(name) for name in names] + [*self.variables().values()]
        # In an address a value is written otherwise.
        written = {
            form for value in values for form in (value, quote(value, ""), quote_plus(value))
        }
        # The longest first: one may be a part of another.
        return tuple(sorted(filter(None, written), key=lambda text: (-len(text), text)))

    def connection(self) -> Connection:
        """Where and as whom to ask; `FtctlError` where something for it is missing, or may not be.

        Before a key goes where its user has not sent it yet, the user is asked.
        """
        from ftctl.providers import Connection

        self._refuse_a_changes_own()
        self._require_program()
        self._require_allowed(self._credentials())
        command = self.settings.api_key_command
        headers = self._given("headers", self.settings.headers)
        query = (*self.choice.query, *self._given("query", self.settings.query))
        account = self.account
        printed = self._printed_key() if command else None
        return Connection(
            self.choice.info.base_url,
            self._api_key() if printed is None else printed.text,
            account.organization,
            account.project,
            headers=headers,
            query=query,
            variables=self.variables(),
            secrets=self.secrets,
            renew=self._printed_key if command else None,
            expires_in=None if printed is None else printed.seconds,
            keeps_models=tuple(command[:3]) == ("ftctl", "token", "openai"),
            timeout_seconds=float(self.settings.timeout),
        )

    def variables(self) -> Mapping[str, str]:
        """The values that references in manifests stand for, where they are set and may be sent."""
        named = {name for document in self.project.finetunes for _, name in _references(document)}
        return {
            name: value for name in named if self._allowed(name) and (value := self._value(name))
        }

    def require_variables(self, names: Iterable[str]) -> None:
        """Raise `InvalidProject` where fine-tunes of these names refer to what cannot be sent."""
        known, wanted = self.variables(), frozenset(names)
        problems = [
            self._missing(name, document, way)
            for document in self.project.finetunes
            if document.value["name"] in wanted
            for way, name in _references(document)
            if name not in known
        ]
        if problems:
            raise InvalidProject(problems)
        documents = [one for one in self.project.finetunes if one.value["name"] in wanted]
        sent = {name: (one, way) for one in documents for way, name in _references(one)}
        if sent:
            document, way = next(iter(sent.values()))
            self._require_allowed(tuple(sorted(sent)), document.place(("extra", *way)))

    def _missing(self, name: str, document: Document, way: tuple[str | int, ...]) -> Diagnostic:
        place = document.place(("extra", *way))
        if self._allowed(name):
            message = f"the environment variable {name} is not set; it holds what is sent here"
            return Diagnostic("missing-variable", message, place, f"export {name}=…")
        message = f"with --base, a manifest may not have the environment variable {name} sent"
        revision = self.context.base_revision
        hint = f"add 'variables: [{name}]' below provider in ftctl.yaml at {revision}"
        return Diagnostic("missing-variable", message, place, hint)

    def _allowed(self, name: str) -> bool:
        """Whether a manifest may have a variable sent: it may be a stranger's."""
        if self.base is None:
            return True
        return not self.base.is_silent and name in self.settings.variables

    def _value(self, name: str) -> str:
        return self.context.environ.get(name, "").strip()

    def _refuse_a_changes_own(self) -> None:
        """With --base, no key goes where only the change itself says, and it has nothing run."""
        if self.base is None or not self.base.is_silent:
            return
        for name, default in _DEFAULTS.items():
            if name in _HARMLESS or getattr(self.settings, name) == default:
                continue
            if name == "base_url" and self._is_said_outright():
                continue
            place = self.project.file.key_place(("provider", name))
            raise InvalidProject([not_reviewed(name, self.base.revision, place)])

    def _is_said_outright(self) -> bool:
        """Whether the very address stands on the command line: what is below one is a choice."""
        said = {str(one) for one in self.context.allowed_addresses}
        address = self.choice.address
        return address is not None and str(address) in said and not address.query

    def _require_program(self) -> None:
        """Return where the program that gives the key may be run."""
        command = self.settings.api_key_command
        if command and (self.base is None or self.base.is_silent):
            place = self.project.file.place(("provider", "api_key_command"))
            require_commands(self.context, [command], "to give the key", lambda _: place)

    def _credentials(self) -> tuple[str, ...]:
        """What goes with every request: names of variables, or the program that gives the key."""
        command, key = self.settings.api_key_command, self.key_variable
        names = [value.name for _, value in self._variables_in_settings()]
        return (f"'{shlex.join(command)}'" if command else str(key), *sorted({*names} - {key}))

    def _variables_in_settings(self) -> Iterator[tuple[str, Variable]]:
        for name, value in (*self.settings.headers, *self.settings.query):
            if isinstance(value, Variable):
                yield name, value

    def _require_allowed(self, variables: tuple[str, ...], place: Span | None = None) -> None:
        """Return where these may go to the service, by what is known or what the user says."""
        use = self._in_doubt(variables)
        if use is None:
            return
        ask = self.context.ask_address
        if ask is None:
            raise InvalidProject([new_address(use, place or self._place_of_address())])
        if not ask(use):
            raise FtctlError(f"nothing was sent to {use.address}", f"{_CHECK}, or take it out")
        remember(use, self.project.root, self.context.today.isoformat())

    def _in_doubt(self, variables: tuple[str, ...]) -> AddressUse | None:
        """What of it the user must be asked about; None where nothing is new."""
        address = self.choice.address
        if address is None or address.is_loopback:
            return None
        if self.choice.named_by_environment and not self._own_text():
            return None  # but text of ftctl.yaml may tell a gateway where to send the key on
        if self.base is not None and not self.base.is_silent:
            return None  # the settings were reviewed
        if is_allowed(address, self.context.allowed_addresses):
            return None
        row = self.choice.service
        if row.base_url is not None and address.is_of(read_service_address(row.base_url)):
            variables = tuple(name for name in variables if name != row.api_key_env)
        along = self._sent_along() if variables else ()
        new = tuple(
            name
            for name in variables
            if not remembered(AddressUse(address, (name,), along), self.project.root)
        )
        return AddressUse(address, new, along) if new else None

    def _sent_along(self) -> tuple[str, ...]:
        """The text that ftctl.yaml has sent: it may tell a gateway where to send a key on."""
        address = (f"{name}: {text}" for name, text in self.choice.query)
        return tuple(sorted((*self._own_text(), *address)))

    def _own_text(self) -> tuple[str, ...]:
        given = (*self.settings.headers, *self.settings.query)
        return tuple(f"{name}: {text}" for name, text in given if isinstance(text, str))

    def _place_of_address(self) -> Span:
        provider = self.project.file.value.get("provider", {})
        known = (name for name in ("base_url", "base_url_env", "type") if name in provider)
        return self.project.file.place(("provider", next(known)))

    def _given(self, kind: str, settings: tuple[Setting, ...]) -> tuple[tuple[str, str], ...]:
        return tuple(self._pairs(kind, settings))

    def _pairs(self, kind: str, settings: tuple[Setting, ...]) -> Iterator[tuple[str, str]]:
        for name, setting in settings:
            if isinstance(setting, str):
                yield name, setting
                continue
            value = self._value(setting.name)
            place = self.project.file.place(("provider", kind, name))
            if not value:
                message = f"the environment variable {setting.name} is not set; '{name}' needs it"
                hint = f"export {setting.name}=…"
                raise InvalidProject([Diagnostic("missing-variable", message, place, hint)])
            if not value.isascii() or not value.isprintable():
                message = (
                    f"the environment variable {setting.name} has characters that cannot be sent"
                )
                raise InvalidProject(
                    [Diagnostic("missing-variable", message, place, "copy it again")]
                )
            yield name, value

    def _printed_key(self) -> ShortKey:
        """The key that the program prints now; printed nowhere from here on."""
        from ftctl.engine.base_files import project_files
        from ftctl.engine.token_command import key_from

        root, revision = self.project.root, self.context.base_revision
        key = key_from(
            self.settings.api_key_command,
            self.context.environ,
            lambda: project_files(root, revision),
            self.secrets,
        )
        self.context.hide(key.text)
        return key

    def _api_key(self) -> str:
        name = self.key_variable
        assert name is not None
        key = self._value(name)
        if not key:
            raise FtctlError(
                f"the environment variable {name} is not set; it holds the key for"
                f" {self.choice.service.type}",
                f"export {name}=…, or leave out 'provider' to use the embedded API",
            )
        if not key.isascii() or not key.isprintable():
            raise FtctlError(
                f"the key in the environment variable {name} has characters that no key has",
                "copy it again",
            )
        return key


_CHECK = "look at 'provider' in ftctl.yaml: who runs that address gets what is sent to it"


def new_address(use: AddressUse, place: Span) -> Diagnostic:
    """What to tell where a key would go to an address for the first time, with nobody to ask."""
    names, address = " and ".join(use.variables), str(use.address)
    message = f"{names} would go to {address}, and you have not let it go there before"
    hint = (
        f"where that is right, add --allow-address {shlex.quote(address)}, or take the settings"
        " from a reviewed commit: --base REV; at a terminal you are asked once"
    )
    return Diagnostic("new-address", message, place, hint)


def not_reviewed(name: str, revision: str, place: Span) -> Diagnostic:
    """What to tell of a setting that leads somewhere and that a change brings along."""
    message = (
        f"'{name}' is this change's own: {revision} has no ftctl.yaml here, and with --base no"
        " change says where a key goes, or what is run"
    )
    hint = f"plan --offline, or have ftctl.yaml at {revision} first"
    return Diagnostic("not-reviewed", message, place, hint)


def account_of(settings: ProviderSettings, environ: Mapping[str, str]) -> AccountId:
    """The organization and project that the service is told to act for, as far as it is told.

    Where nothing else is set it is told what `expect` names, so that it refuses other keys.
    """
    if settings.type == "emulator":
        return UNTOLD
    return AccountId(
        settings.organization or environ.get("OPENAI_ORG_ID") or settings.expect.organization,
        settings.project or environ.get("OPENAI_PROJECT_ID") or settings.expect.project,
    )


def _references(document: Document) -> Iterator[tuple[tuple[str | int, ...], str]]:
    return references(document.value.get("extra", {}))
