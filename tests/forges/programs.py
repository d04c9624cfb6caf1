"""The programs that a runner brings, where tests need others: python3, and ftctl as installed."""

from __future__ import annotations

import sys
from pathlib import Path

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

# `-I …/ci/install.py --into FOLDER` puts this program there; all else is real.
_PYTHON = """\
#!{python} -I
import os, pathlib, sys
words = sys.argv[1:]
if not words[1:2] or not words[1].endswith("/ci/install.py"):
    os.execv({python!r}, [{python!r}, *words])
program = pathlib.Path(words[words.index("--into") + 1]) / "bin" / "ftctl"
program.parent.mkdir(parents=True, exist_ok=True)
program.write_text({ftctl!r})
program.chmod(0o755)
print("ftctl and 0 packages")
"""

_GH = f"""\
#!/bin/sh
exec {sys.executable} -I {Path(__file__).parent / "gh.py"} "$@"
"""


def put_programs(folder: Path, ftctl: str = FTCTL) -> Path:
    """Write them into a folder for PATH; `ftctl` is the text of the program that is installed."""
    folder.mkdir(parents=True)
    python = _PYTHON.format(python=sys.executable, ftctl=ftctl)
    for name, text in (("python3", python), ("gh", _GH)):
        (folder / name).write_text(text, "utf-8")
        (folder / name).chmod(0o755)
    return folder
