"""The console script's door. It answers `--version` itself: click alone would triple the time."""

from __future__ import annotations

import sys

from ftctl import __version__


def main() -> None:
    """Run ftctl on the process's own arguments, and exit with its status."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"ftctl {__version__}\n")
        return
    from ftctl.cli.main import run  # noqa: PLC0415

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
