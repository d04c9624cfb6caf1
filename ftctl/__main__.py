"""The console script's door: what only the owner of a process may set.

It answers `--version` itself: click alone would triple the time.
"""

from __future__ import annotations

import gc
import sys

from ftctl import __version__

_GC_THRESHOLD = 100_000  # hundreds of modules, and ten thousands of values that all stay


def main() -> None:
    """Run ftctl on the process's own arguments, and exit with its status."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"ftctl {__version__}\n")
        return
    gc.set_threshold(_GC_THRESHOLD)
    from ftctl.cli.main import run  # noqa: PLC0415

    status = run(sys.argv[1:])
    gc.freeze()  # else all is looked through once more, only to be given back to the system
    sys.exit(status)


if __name__ == "__main__":
    main()
