"""A Python that has ftctl loaded and waits: each command runs in a fork of it.

A runner starts ftctl several times in each job, and a start is a second of loading. The fork has
the arguments, folder, environment and files of whoever asked, and leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import pkgutil
import random
import select
import socket
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]

# A program that asks, and ends as the fork ends.
_ASKING = """\
#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as door:
    door.connect({door!r})
    asked = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(door, [len(asked).to_bytes(4, "big")], [0, 1, 2])
    door.sendall(asked)
    sys.exit(int(door.recv(4) or b"70"))
"""


class Standby:
    """It runs, on a socket in a folder of its own, as long as the block does."""

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="ftctl-")  # sockets want short paths
        door = f"{self._folder.name}/door"
        self.program = _ASKING.format(python=sys.executable, door=door)
        self._process = subprocess.Popen(
            [sys.executable, "-I", __file__, door], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()  # it ends with its input
        self._folder.cleanup()


def _serve(door: str) -> None:
    sys.path[:0] = [str(ROOT)]
    for name in ("ftctl.cli", "ftctl.engine", "ftctl.providers", "ftctl.data", "openai.types"):
        _load(name)
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        project = f"{Path(door).parent}/project"
        _run(["init", project])
        _run(["-C", project, "validate"])  # schemas and tables of tokens are read
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(door)
        listening.listen()
        gc.freeze()  # a fork looks at what is its own alone
        print("ready", flush=True)
        forks = 0
        while sys.stdin not in select.select([listening, sys.stdin], [], [])[0]:
            asking, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                _carry_out(asking)
            asking.close()
            forks += 1
            while forks and os.waitpid(-1, os.WNOHANG)[0]:
                forks -= 1


def _load(package: str) -> None:
    for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
        import_module(module.name)


def _carry_out(asking: socket.socket) -> None:
    """Become the process that was asked for; does not return."""
    random.seed()
    size, files, _, _ = socket.recv_fds(asking, 4, 3)
    for place, file in enumerate(files):
        os.dup2(file, place)
        os.close(file)
    with asking.makefile("rb") as stream:
        arguments, folder, environ = json.loads(stream.read(int.from_bytes(size, "big")))
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    status = 70
    try:
        status = _run(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        asking.sendall(str(status).encode())
        os._exit(0)


def _run(arguments: list[str]) -> int:
    """ftctl as it is, but for its patience: a wait between two looks is short."""
    from ftctl.cli.main import run
    from ftctl.cli.settings import Settings
    from ftctl.clock import SystemClock

    class Quick(SystemClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(min(seconds, 0.05))

    return run(arguments, Settings(clock=Quick()))


if __name__ == "__main__":
    _serve(sys.argv[1])
