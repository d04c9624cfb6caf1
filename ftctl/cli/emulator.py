"""`ftctl emulator`: the embedded API on localhost, for anything that speaks HTTP."""

from __future__ import annotations

import json
import re
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ftctl.cli.exit_codes import DONE
from ftctl.cli.settings import Settings, settings_of, shared_options
from ftctl.engine.session import state_folder
from ftctl.errors import Diagnostic, FtctlError, InvalidProject, Span, UsageError
from ftctl.project.tracked_state import require_untracked
from ftctl.text.format import plural

if TYPE_CHECKING:
    from ftctl.emulator import Emulator, Server
    from ftctl.manifest import Document


@click.command("emulator")
@shared_options
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8700,
    show_default=True,
    help="0 takes any that is free.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="One that others can reach needs --api-key-env.",
)
@click.option(
    "--api-key-env",
    metavar="NAME",
    help="Take no key but the one in this environment variable.  [default: any key will do]",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where its state is kept.  [default: the project's .ftctl]",
)
@click.option("--reset", is_flag=True, help="Begin with nothing: delete the state of before.")
@click.option(
    "--faults",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="What is to go wrong, as YAML or JSON.  [default: as before]",
)
@click.option(
    "--temperament",
    "temperaments",
    multiple=True,
    metavar="SLUG",
    help="How it is to behave, as in lagging-list=30. Can be repeated; holds for this run.",
)
@click.option(
    "--speed",
    type=click.FloatRange(1e-6, 1e6),
    metavar="N",
    help="Let jobs run N times as fast; 1 is the usual time.",
)
@click.option("--immediate", is_flag=True, help="Let jobs end as soon as somebody looks.")
@click.option(
    "--reads",
    type=click.IntRange(1, 1_000_000),
    metavar="N",
    help="Bring a job one status further with every N times that it is retrieved.",
)
@click.option("--by-hand", is_flag=True, help="Let time stand until it is moved, on the page.")
@click.option("--no-training", is_flag=True, help="Let jobs learn nothing, for bare speed.")
@click.option(
    "--python-graders", is_flag=True, help="Let graders run their Python source on this machine."
)
@click.option(
    "--id-seed",
    type=click.IntRange(0, 2**63 - 1),
    metavar="N",
    help="Give the same ids again in every run that begins with nothing.",
)
@click.pass_context
def emulator_command(
    context: click.Context, port: int, host: str, api_key_env: str | None, data: Path | None,
    reset: bool, faults: Path | None, temperaments: tuple[str, ...], speed: float | None,
    immediate: bool, reads: int | None, by_hand: bool, no_training: bool, python_graders: bool,
    id_seed: int | None,
) -> int:  # fmt: skip
    """Serve the embedded API on 127.0.0.1.

    Until it is interrupted with Ctrl-C; its state stays.
    """
    from ftctl.emulator import EmulatorError, open_emulator, serve
    from ftctl.emulator import Settings as Options

    settings = settings_of(context)
    pace = _pace(speed, reads, immediate=immediate, by_hand=by_hand)
    document = None if faults is None else _fault_document(settings.folder / faults, faults)
    key = None if api_key_env is None else _key(settings, api_key_env)
    behaviour = _read_temperaments(temperaments)
    if not data:
        require_untracked(settings.folder)
    folder = settings.folder / data if data else state_folder(settings.folder)
    options = Options(
        training=not no_training, python_graders=python_graders, id_seed=id_seed, api_key=key,
        temperaments=behaviour,
    )  # fmt: skip
    try:
        emulator = open_emulator(folder, clock=settings.clock.now, settings=options)
    except (EmulatorError, OSError) as fault:
        raise _cannot_start(fault) from None
    with emulator:
        _prepare(_Admin(emulator, key), document, pace, reset=reset)
        try:
            server = serve(emulator, host, port)
        except ValueError:
            raise UsageError(
                f"--host {host} would let others in with any key",
                "name the one key that is taken with --api-key-env NAME",
            ) from None
        except (EmulatorError, OSError) as fault:
            raise _cannot_start(fault) from None
        with closing(server):
            greeting = _greeting(server, folder, api_key_env, _Admin(emulator, key), temperaments)
            settings.console.result(greeting)
            _serve(server, settings)
    return DONE


def _serve(server: Server, settings: Settings) -> None:
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        settings.console.note("Ended.")


def _cannot_start(fault: Exception) -> FtctlError:
    return FtctlError(
        f"the embedded API cannot start: {fault}", "try another --port, or --data DIR"
    )


def _pace(
    speed: float | None, reads: int | None, *, immediate: bool, by_hand: bool
) -> dict[str, Any] | None:
    """The pace that was asked for; None leaves the one of before."""
    asked: dict[str, dict[str, Any] | None] = {
        "--speed": None if speed is None else {"kind": "real", "speed": speed},
        "--immediate": {"kind": "immediate"} if immediate else None,
        "--reads": None if reads is None else {"kind": "reads", "reads": reads},
        "--by-hand": {"kind": "hand"} if by_hand else None,
    }
    given = {name: pace for name, pace in asked.items() if pace is not None}
    if len(given) > 1:
        raise UsageError(
            f"{' and '.join(given)} say different things about time", "give one of them"
        )
    return next(iter(given.values()), None)


def _key(settings: Settings, name: str) -> str:
    key = settings.environ.get(name, "").strip()
    if not key or not key.isascii() or not key.isprintable():
        what = "has characters that no key has" if key else "is not set"
        raise FtctlError(
            f"the environment variable {name} {what}; it is to hold the emulator's key",
            f"export {name}=…",
        )
    settings.console.secrets = (*settings.console.secrets, key)
    return key


def _read_temperaments(given: tuple[str, ...]) -> tuple[str, ...]:
    from ftctl.emulator import BadTemperament, read_temperament

    for text in given:
        try:
            read_temperament(text)
        except BadTemperament as fault:
            raise UsageError(f"--temperament: {fault.message}", fault.hint) from None
    return given


class _Refused(Exception):
    """What the emulator says about a request beside the API, and about which of its fields."""

    def __init__(self, message: str, param: str | None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


@dataclass(frozen=True, slots=True)
class _Admin:
    """What lies beside the API, asked in this process."""

    emulator: Emulator
    key: str | None

    def ask(self, method: str, path: str, value: Any = None) -> Any:
        from ftctl.emulator import Request

        headers = [("authorization", f"Bearer {self.key}")]
        body = b"" if value is None else json.dumps(value).encode()
        response = self.emulator.handle(Request.to(method, f"/_ftctl/{path}", headers, body))
        answer = json.loads(response.body)
        if response.status != 200:
            raise _Refused(answer["error"]["message"], answer["error"]["param"])
        return answer


def _prepare(
    admin: _Admin, document: Document | None, pace: dict[str, Any] | None, *, reset: bool
) -> None:
    """Faults first: a file that is wrong must not cost the state."""
    if document is not None:
        try:
            admin.ask("PUT", "faults", document.value)
        except _Refused as fault:
            raise InvalidProject([_at_its_place(fault, document)]) from None
    try:
        if reset:
            admin.ask("POST", "reset", {"keep": [] if document is None else ["faults"]})
        if pace is not None:
            admin.ask("PUT", "clock", pace)
    except _Refused as fault:
        raise FtctlError(f"the embedded API cannot start: {fault.message}") from None


def _fault_document(path: Path, shown: Path) -> Document:
    from ftctl.manifest import read_documents

    documents, problems = read_documents(path, str(shown))
    if problems:
        raise InvalidProject(problems)
    if len(documents) != 1 or not isinstance(documents[0].value, dict):
        message = "the file must hold one document, with a list of 'faults' or of 'temperaments'"
        raise InvalidProject([Diagnostic("wrong-value", message, Span(str(shown)))])
    return documents[0]


def _at_its_place(fault: _Refused, document: Document) -> Diagnostic:
    steps = re.findall(r"\[(\d+)\]|([^.\[\]]+)", fault.param or "")
    where = tuple(int(place) if place else name for place, name in steps)
    return Diagnostic("wrong-value", fault.message.rstrip("."), document.place(where))


def _greeting(
    server: Server, folder: Path, key_name: str | None, admin: _Admin, temperaments: tuple[str, ...]
) -> str:
    shown_key = "embedded" if key_name is None else f'"${key_name}"'
    page = server.url.removesuffix("v1")
    return (
        f"The embedded API listens at {server.url}, its state is in {folder}.\n"
        "In another terminal:\n\n"
        f"    export OPENAI_BASE_URL={server.url}\n"
        f"    export OPENAI_API_KEY={shown_key}\n\n"
        f"{_course(admin, temperaments)}"
        f"Watch it at {page}\n"
        "Ctrl-C ends it; the state stays."
    )


def _course(admin: _Admin, temperaments: tuple[str, ...]) -> str:
    """What is not as usual, a line each: how time passes, what goes wrong, how it behaves."""
    clock = admin.ask("GET", "clock")
    document = admin.ask("GET", "faults")
    number = len(document["faults"])
    held = ", ".join((*temperaments, *document["temperaments"]))
    lines = {
        "real": "" if clock["speed"] == 1 else f"Jobs run {clock['speed']:g} times as fast.\n",
        "immediate": "Jobs end as soon as somebody looks.\n",
        "reads": f"Jobs go on with every {clock['reads']} times that they are retrieved.\n",
        "hand": "Time stands until it is moved, on the page.\n",
    }
    faults = f"It has {plural(number, 'fault')} to make.\n" if number else ""
    behaves = f"It behaves as: {held}.\n" if held else ""
    return lines[clock["kind"]] + faults + behaves
