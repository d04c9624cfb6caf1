"""`ftctl init`: makes a project that plans and applies as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click

from ftctl.cli.exit_codes import DONE
from ftctl.cli.schema import write_schemas
from ftctl.cli.settings import settings_of, shared_options
from ftctl.errors import FtctlError
from ftctl.files import file_fault, write_atomically
from ftctl.manifest.schema import SCHEMAS

_TEMPLATES = Path(__file__).with_name("templates")
_FILES = ("ftctl.yaml", "finetunes/yes-or-no.yaml", "data/train.jsonl")


@click.command("init")
@shared_options
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.pass_context
def init_command(context: click.Context, folder: Path | None) -> int:
    """Make a project that plans and applies as it stands."""
    settings = settings_of(context)
    root = settings.folder / folder if folder else settings.folder
    there = [name for name in _FILES if (root / name).exists()]
    if there:
        raise FtctlError(
            f"{root} has {', '.join(there)} already; nothing was written",
            "choose an empty folder: ftctl init DIR",
        )
    contents = {name: (_TEMPLATES / name).read_text("utf-8") for name in _FILES}
    contents["ftctl.yaml"] = contents["ftctl.yaml"].replace("PROJECT", project_name(root))
    try:
        for name, content in contents.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(root / name, content, replace=False)
        _ignore_state(root / ".gitignore")
    except OSError as fault:
        raise file_fault(fault.filename or root, fault) from None
    write_schemas(root / "schemas", list(SCHEMAS))
    where = f" -C {shlex.quote(str(folder))}" if folder else ""
    settings.console.result(
        f"Wrote {', '.join(_FILES)}, and schemas/ for editors.\n"
        f"Next: ftctl{where} plan, then ftctl{where} apply --wait"
    )
    return DONE


def project_name(root: Path) -> str:
    """A project's name made from its folder's."""
    name = re.sub(r"[^a-z0-9]+", "-", root.resolve().name.lower()).strip("-")[:40].strip("-")
    return name or "my-project"


def _ignore_state(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    if ".ftctl/" not in lines:
        write_atomically(path, "\n".join([*lines, ".ftctl/", ""]))
