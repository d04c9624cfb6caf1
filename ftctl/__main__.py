"""The console script's door: what only the owner of a process may set.

It answers `--version` itself: click alone would triple the time.
"""

from __future__ import annotations

import gc
import os
import sys
from io import TextIOWrapper

from ftctl import __version__

_GC_THRESHOLD = 100_000  # hundreds of modules, and ten thousands of values that all stay


def main() -> None:
    """Run ftctl on the process's own arguments, and exit with its status."""
    _open_streams()
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"ftctl {__version__}\n")
        return
    gc.set_threshold(_GC_THRESHOLD)
    from ftctl.cli.main import run  # noqa: PLC0415

    status = run(sys.argv[1:])
    gc.freeze()  # else all is looked through once more, only to be given back to the system
    sys.exit(status)


def _open_streams() -> None:
    """Each standard stream, to nowhere where it was closed (`>&-`).

    Else the next file that is opened would get its number, and somebody else's words.
    """
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        if getattr(sys, name) is None:
            while os.open(os.devnull, os.O_RDWR) < number:
                pass
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - for good
            setattr(sys, name, stream)
    for stream in (sys.stdout, sys.stderr):
        # A run that has bought must not end over a character that a terminal lacks.
        if isinstance(stream, TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
