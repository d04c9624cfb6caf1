"""`ftctl emulator`: the embedded API on localhost, for anything that speaks HTTP."""

from __future__ import annotations

from pathlib import Path

import click

from ftctl.cli.exits import DONE
from ftctl.cli.session import state_folder
from ftctl.cli.settings import settings_of, shared_options
from ftctl.errors import FtctlError


@click.command("emulator")
@shared_options
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8700, show_default=True,
    help="0 takes any that is free.",
)  # fmt: skip
@click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Where its state is kept.  [default: the project's .ftctl]",
)  # fmt: skip
@click.pass_context
def emulator_command(context: click.Context, port: int, data: Path | None) -> int:
    """Serve the embedded API on 127.0.0.1.

    Until it is interrupted with Ctrl-C; its state stays.
    """
    from ftctl.emulator import EmulatorError, open_emulator, serve

    settings = settings_of(context)
    folder = settings.folder / data if data else state_folder(settings.folder)
    try:
        server = serve(open_emulator(folder, clock=settings.clock.now), port=port)
    except (EmulatorError, OSError) as fault:
        raise FtctlError(
            f"the embedded API cannot start: {fault}", "try another --port, or --data DIR"
        ) from None
    settings.console.result(
        f"The embedded API listens at {server.url}, its state is in {folder}.\n"
        "In another terminal:\n\n"
        f"    export OPENAI_BASE_URL={server.url}\n"
        "    export OPENAI_API_KEY=embedded\n\n"
        "Ctrl-C ends it; the state stays."
    )
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        settings.console.note("Ended.")
    finally:
        server.close()
    return DONE
