"""Any address in; a server on this machine that notes each byte that would have gone there, out."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

_ANSWER = b'{"object": "list", "data": [], "has_more": false}'


@dataclass
class Recorder:
    """What has arrived, from whoever connects."""

    port: int = 0
    connections: int = 0
    data: bytes = b""
    names: list[str] = field(default_factory=list)  # that were looked up
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def silent(self) -> bool:
        """Whether nobody has connected, and no name was looked up."""
        return not self.connections and not self.names

    def note(self, piece: bytes) -> None:
        with self._lock:
            self.data += piece


@contextmanager
def recording(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """Every name and every port but those of this machine lead to the recorder until the end."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        recorder = Recorder(server.getsockname()[1])
        over = threading.Event()
        thread = threading.Thread(target=_serve, args=(server, recorder, over), daemon=True)
        look_up, connect = socket.getaddrinfo, socket.socket.connect

        def to_us(host: Any, port: Any, *_more: Any, **_named: Any) -> Any:
            name = host.decode() if isinstance(host, bytes) else str(host)
            if name in ("127.0.0.1", "localhost", "::1"):
                return look_up(host, port, *_more, **_named)
            recorder.names.append(name)
            kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
            return [(*kind, ("127.0.0.1", recorder.port))]

        def by_number(self: socket.socket, address: Any) -> None:
            here = isinstance(address, tuple) and address[0] in ("127.0.0.1", "::1")
            connect(self, address if here else ("127.0.0.1", recorder.port))

        thread.start()
        try:
            with monkeypatch.context() as patched:
                patched.setattr(socket, "getaddrinfo", to_us)
                patched.setattr(socket.socket, "connect", by_number)
                yield recorder
        finally:
            # A thread that still waits would take a line of whatever socket has its number next.
            over.set()
            with socket.socket() as last:
                connect(last, ("127.0.0.1", recorder.port))
            thread.join()


def _serve(server: socket.socket, recorder: Recorder, over: threading.Event) -> None:
    with suppress(OSError):
        while True:
            line, _ = server.accept()
            if over.is_set():
                line.close()
                return
            recorder.connections += 1
            threading.Thread(target=_listen, args=(line, recorder), daemon=True).start()


def _listen(line: socket.socket, recorder: Recorder) -> None:
    with line, suppress(OSError):
        line.settimeout(2)
        piece = line.recv(65536)
        recorder.note(piece)
        if piece.split(b" ", 1)[0] not in (b"GET", b"POST", b"DELETE"):
            return  # a safe line is begun: that is all that there is to note
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
        line.sendall(head + b"Content-Length: %d\r\n\r\n" % len(_ANSWER) + _ANSWER)
