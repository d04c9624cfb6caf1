"""The programs that a runner brings, where tests need others: python3, and ftctl as installed."""

from __future__ import annotations

import sys
from pathlib import Path

from forges.standby import GH, asking_for

ROOT = Path(__file__).parent.parent.parent

# As installed, but for its patience: a wait between two looks is short.
FTCTL = f"""\
#!{sys.executable} -I
import sys
sys.path[:0] = [{str(ROOT)!r}]
if sys.argv[1:] == ["--version"]:
    sys.exit(print("ftctl"))
from ftctl.cli.main import run
from ftctl.cli.settings import Settings
from ftctl.clock import SystemClock
class Quick(SystemClock):
    def sleep(self, seconds):
        super().sleep(min(seconds, 0.05))
sys.exit(run(sys.argv[1:], Settings(clock=Quick())))
"""

# `-I …/ci/install.py --into FOLDER` puts a program there; all else is real, or runs in a standby.
_PYTHON = """\
#!/bin/sh
case "${{2:-}}" in
*/ci/install.py)
    while [ "$1" != --into ]; do shift; done
    mkdir -p "$2/bin" && cp {folder}/installed "$2/bin/ftctl" && echo "ftctl and 0 packages"
    exit
    ;;
{asking}
esac
exec {python} "$@"
"""
_ASKING = """\
*/ci/*) [ "$1" != -I ] || { shift; exec {folder}/run "$@"; } ;;
-c) case "$1$3" in -I*"print(sys.executable if"*) echo {folder}/python3 && exit ;; esac ;;
"""

_GH = f"""\
#!/bin/sh
exec {sys.executable} -I {GH} "$@"
"""


def put_programs(folder: Path, ftctl: str = FTCTL, standby: str = "") -> Path:
    """Write them into a folder for PATH; `ftctl` is the text of the program that is installed.

    The scripts and what they ask run in a standby where ftctl does, or where one is named.
    """
    folder.mkdir(parents=True)
    run, gh = asking_for(standby or ftctl), asking_for(standby or ftctl, str(GH))
    asking = _ASKING.replace("{folder}", f"{folder}") if run else ""
    python = _PYTHON.format(python=sys.executable, folder=folder, asking=asking)
    programs = {"python3": python, "gh": gh or _GH, "installed": ftctl, "run": run or ""}
    for name, text in programs.items():
        (folder / name).write_text(text, "utf-8")
        (folder / name).chmod(0o755)
    return folder
