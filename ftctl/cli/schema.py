"""`ftctl schema [KIND]`: the JSON Schemas, for editors and other tools."""

from __future__ import annotations

from pathlib import Path

import click

from ftctl.cli.exit_codes import DONE
from ftctl.cli.settings import settings_of, shared_options
from ftctl.files import file_fault, write_atomically
from ftctl.manifest.schema import SCHEMAS, schema_path


@click.command("schema")
@shared_options
# Before click 8.5, a choice that may be left out has two brackets.
@click.argument(
    "kind", required=False, type=click.Choice(SCHEMAS), metavar=f"[{'|'.join(SCHEMAS)}]"
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Write them as files instead, where an editor finds them.",
)  # fmt: skip
@click.pass_context
def schema_command(context: click.Context, kind: str | None, out: Path | None) -> int:
    """Print a JSON Schema, or list them."""
    settings = settings_of(context)
    kinds = [kind] if kind else list(SCHEMAS)
    if out is not None:
        write_schemas(settings.folder / out, kinds)
        settings.console.note(f"Wrote {', '.join(f'{name}.json' for name in kinds)} to {out}.")
    elif kind is None:
        settings.console.result("\n".join(SCHEMAS))
    else:
        settings.console.result(schema_path(kind).read_text("utf-8").rstrip("\n"))
    return DONE


def write_schemas(folder: Path, kinds: list[str]) -> None:
    """Put schemas into a folder, over older ones."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind in kinds:
            write_atomically(folder / f"{kind}.json", schema_path(kind).read_bytes())
    except OSError as fault:
        raise file_fault(folder, fault) from None
