"""Pythons that have loaded what runners start, and wait: each command runs in a fork of one.

A runner starts ftctl several times in each job, and a start is a second of loading; the scripts of
`ci` and the `gh` that they ask it starts by the dozen. The fork has the arguments, folder,
environment and files of whoever asked, and leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import io
import marshal
import os
import pkgutil
import random
import re
import select
import socket
import ssl
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from importlib import import_module
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Self

ROOT = Path(__file__).parents[2]
GH = Path(__file__).with_name("gh.py")

# A program that asks, and ends as the fork ends. It loads next to nothing: there are thousands.
_ASKING = """\
#!{python} -IS
import _socket, marshal, posix, sys
FIRST = []
asked = marshal.dumps([FIRST + sys.argv[1:], posix.getcwd(), dict(posix.environ)])
door = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
door.connect(b"{folder}/" + (b"scripts" if FIRST else b"ftctl"))
files = b"".join(file.to_bytes(4, sys.byteorder) for file in (0, 1, 2))
door.sendmsg(
    [len(asked).to_bytes(4, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)]
)
door.sendall(asked)
posix._exit(int(door.recv(4) or b"70"))
"""
_FIRST = "\nFIRST = []\n"


def asking_for(ftctl: str, *first: str) -> str | None:
    """The program that has a script run, where that for ftctl asks a standby; else None.

    The script is the first argument, or named here.
    """
    if _FIRST not in ftctl:
        return None
    return ftctl.replace(_FIRST, f"\nFIRST = {['run', *first]!r}\n")


class Standby:
    """It runs, on sockets in a folder of its own, as long as the block does."""

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="ftctl-")  # sockets want short paths
        self.program = _ASKING.format(python=sys.executable, folder=self._folder.name)
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-I", __file__, f"{self._folder.name}/{door}"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )
            for door in ("scripts", "ftctl")
        ]  # fmt: skip
        for process in self._processes:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.communicate()  # it ends with its input
        self._folder.cleanup()


def _serve(door: str) -> None:
    run = _load_scripts() if door.endswith("/scripts") else _load_ftctl(Path(door).parent)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(door)
        listening.listen(50)
        gc.freeze()  # a fork looks at what is its own alone
        print("ready", flush=True)
        forks = 0
        while sys.stdin not in select.select([listening, sys.stdin], [], [])[0]:
            asking, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                _carry_out(asking, run)
            asking.close()
            forks += 1
            while forks and os.waitpid(-1, os.WNOHANG)[0]:
                forks -= 1


def _load_ftctl(folder: Path) -> Callable[[list[str]], int]:
    sys.path[:0] = [str(ROOT)]
    for name in ("ftctl.cli", "ftctl.engine", "ftctl.providers", "ftctl.data", "openai.types"):
        _load(name)
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        project = f"{folder}/project"
        _run(["init", project])
        _run(["-C", project, "validate"])  # schemas are read
    _load_what_plans_load()
    return _run


def _load_what_plans_load() -> None:
    """The tables of tokens, and what speaks HTTP: half of the time of a plan of a few rows."""
    import httpx2

    from ftctl.data.tokens import open_counter

    open_counter("o200k_base")
    ssl.create_default_context = functools.cache(ssl.create_default_context)  # type: ignore[assignment]
    httpx2.Client().close()


def _load(package: str) -> None:
    for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
        import_module(module.name)


def _load_scripts() -> Callable[[list[str]], int]:
    """What the scripts import of Python's own, and each of them as it is compiled."""
    compiled: dict[bytes, CodeType] = {}
    for path in (GH, *sorted((ROOT / "ci").rglob("*.py"))):
        source = path.read_bytes()
        compiled[source] = compile(source, path, "exec", dont_inherit=True)
        for name in re.findall(rb"^(?:import|from) ([a-z.]+)", source, re.MULTILINE):
            if name.partition(b".")[0].decode() in sys.stdlib_module_names:
                import_module(name.decode())

    as_ever = SourceFileLoader.source_to_code

    def known(self: SourceFileLoader, data: Any, path: Any, *, _optimize: int = -1) -> CodeType:
        return compiled.get(bytes(data)) or as_ever(self, data, path, _optimize=_optimize)

    def run(words: list[str]) -> int:
        """As `python3 -I` runs a file, or a folder with a `__main__.py`."""
        _, path, *_ = sys.argv = words
        del sys.argv[0]
        sys.dont_write_bytecode = True
        SourceFileLoader.source_to_code = known  # type: ignore[method-assign, assignment]
        file = Path(path)
        if file.is_dir():
            sys.path[:0] = [path]
            file /= "__main__.py"
        main = sys.modules["__main__"] = ModuleType("__main__")
        main.__file__ = str(file)
        source = file.read_bytes()
        exec(compiled.get(source) or compile(source, file, "exec"), main.__dict__)
        return 0

    return run


def _carry_out(asking: socket.socket, run: Callable[[list[str]], int]) -> None:
    """Become the process that was asked for; does not return."""
    random.seed()
    size, files, _, _ = socket.recv_fds(asking, 4, 3)
    for place, file in enumerate(files):
        os.dup2(file, place)
        os.close(file)
    with asking.makefile("rb") as stream:
        arguments, folder, environ = marshal.loads(stream.read(int.from_bytes(size, "big")))
    status = 70
    try:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update({os.fsdecode(name): os.fsdecode(environ[name]) for name in environ})
        status = run(arguments)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except Exception:  # noqa: BLE001 - told as Python tells it
        traceback.print_exc()
        status = 1
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
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
