"""The commands under one name, and the one boundary where faults become exit statuses."""

from __future__ import annotations

import errno
import sys
from collections.abc import Mapping, Sequence
from typing import Any, cast

import click

from ftctl import __version__
from ftctl.cli.console import let_go
from ftctl.cli.exit_codes import BUG, CHANGES, DONE, FAILED, INTERRUPTED, LISTED, USAGE, status_of
from ftctl.cli.groups import LazyGroup
from ftctl.cli.settings import Settings, shared_options
from ftctl.errors import FtctlError, InvalidProject, fault_text, problems_text, redact

# In the order of a working day. What each does in short is repeated here so that `--help` need
# not import them all: 60 ms. A test holds the two together.
COMMANDS: Mapping[str, str] = {
    "init": "Make a project that plans and applies as it stands.",
    "validate": "Check manifests and data, without asking the service.",
    "plan": "Show what would change, why, and what it costs.",
    "apply": "Plan, ask, and do it.",
    "status": "Show each fine-tune: state, model, progress, days left.",
    "events": "Show what happened in the job of a fine-tune.",
    "wait": "Wait until the jobs that run are over.",
    "cancel": "Stop running jobs, and touch nothing else.",
    "pause": "Halt running jobs, where the service can.",
    "resume": "Let paused jobs go on.",
    "output": "Print the models' names.",
    "promote": "Put a model of a fine-tune into service.",
    "rollback": "Put the model before back into service.",
    "lock": "Merge two records of releases.",
    "import": "Write manifests for jobs that were made elsewhere.",
    "doctor": "Look at everything that a run needs.",
    "destroy": "Cancel jobs, delete models and files.",
    "token": "Print a key that is good for an hour, for the job that runs.",
    "dataset": "Check, measure, compare, convert, split and sample data files.",
    "emulator": "Serve the embedded API on 127.0.0.1.",
    "schema": "Print a JSON Schema, or list them.",
}

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})  # of a disk

_EPILOG = "Exit statuses: " + "; ".join(f"{code} {text}" for code, text in LISTED.items()) + "."


@click.group(
    cls=LazyGroup,
    package="ftctl.cli",
    listed=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EPILOG,
)
@shared_options
@click.version_option(__version__, message="ftctl %(version)s")
def cli() -> None:
    """Fine-tuning jobs as code: reviewed, reproducible and paid for exactly once.

    Manifests under finetunes/ say which models there should be. 'plan' shows what is missing and
    why, 'apply' does it, and doing it again does nothing.
    """


def run(arguments: Sequence[str], settings: Settings | None = None) -> int:
    """Run a command line; its exit status. No fault of a user gets out as a traceback."""
    settings = settings or Settings()
    note = settings.console.note
    # jsonschema loads this where it is installed, for a check of addresses that no schema of ours
    # makes: it would be most of the time that a short command takes.
    cast(dict[str, Any], sys.modules).setdefault("rfc3987_syntax", None)
    try:
        status: Any = cli.main(
            list(arguments), prog_name="ftctl", standalone_mode=False, obj=settings
        )
        sys.stdout.flush()
    except click.UsageError as fault:
        where = fault.ctx.command_path if fault.ctx else "ftctl"
        note(f"error: {fault.format_message()}\n    hint: '{where} --help' shows what it takes")
        return USAGE
    except click.ClickException as fault:
        note(f"error: {fault.format_message()}")
        return FAILED
    except InvalidProject as fault:
        note(f"{problems_text(fault.diagnostics, settings.directory)}\n{fault.message}.")
        return status_of(fault)
    except FtctlError as fault:
        note(f"error: {fault_text(fault)}")
        return status_of(fault)
    except (KeyboardInterrupt, click.Abort):
        note("\nInterrupted. Jobs that were started run on: 'ftctl status' shows them,"
             " 'ftctl wait' waits for them, 'ftctl cancel NAME' stops one.")  # fmt: skip
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of what is no text, such as rows, has gone.
        let_go(sys.stdout)
        return FAILED
    except OSError as fault:
        if fault.errno not in _FULL:
            return _bug(fault, settings)
        let_go(sys.stdout)
        where = f"{fault.filename}: " if fault.filename else ""
        note(f"error: {where}{fault.strerror}\n    hint: make room there, then run it again")
        return FAILED
    except Exception as fault:  # noqa: BLE001 - the boundary: this is the one place that catches all
        return _bug(fault, settings)
    if settings.console.lost is not None and status in (None, DONE, CHANGES):
        note(f"error: standard output cannot be written: {settings.console.lost}")
        return FAILED
    return status if isinstance(status, int) else DONE


def _bug(fault: Exception, settings: Settings) -> int:
    import traceback

    trace = redact("".join(traceback.format_exception(fault)), settings.console.secrets)
    settings.console.note(
        f"{trace}\nerror: this is a bug in ftctl {__version__}: {type(fault).__name__}\n"
        "    hint: please report it with the lines above; nothing is lost,"
        " and running the command again is safe"
    )
    return BUG
