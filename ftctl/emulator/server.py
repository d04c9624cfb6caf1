"""The emulator behind a socket: for this machine only, unless it takes one key only."""

from __future__ import annotations

import logging
import socket
import socketserver
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from ftctl.emulator.app import Emulator
from ftctl.emulator.http.access import is_loopback, names_loopback
from ftctl.emulator.http.request_body import BadBody, body_length, read_body
from ftctl.emulator.http.wire import ApiError, Request, Response, refusal, single_bytes
from ftctl.emulator.storage.database import EmulatorError

LOOK_SECONDS = 0.2
"""How often the jobs are looked at, at least: other processes may have made some."""

WORK_SECONDS = 0.5
"""How long the background works at a stretch before it looks whether it is to stop."""

PAUSE_SECONDS = 0.005
"""Between two stretches: what is overdue may wait for something that is not this thread's work."""

SMALL_BYTES = 64 * 1024

_LOG = logging.getLogger(__name__)


class Server:
    """A listening server; connections wait in line until it is started."""

    def __init__(self, listener: _Listener) -> None:
        self._listener = listener
        self._thread: threading.Thread | None = None
        self._worker = threading.Thread(target=listener.keep_jobs_going, daemon=True)
        self._served = threading.Event()

    @property
    def url(self) -> str:
        """The base URL for clients, `/v1` included."""
        host, port = self._listener.server_address[:2]
        name = str(host)
        return f"http://{f'[{name}]' if ':' in name else name}:{port}/v1"

    def serve_forever(self) -> None:
        """Answer until `close` is called from another thread, or an exception such as Ctrl-C."""
        self._served.set()
        self._worker.start()
        self._listener.serve_forever(poll_interval=0.05)

    def start(self) -> Server:
        """Answer in a background thread."""
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)
        self._thread.start()
        self._served.wait()
        return self

    def close(self) -> None:
        """Stop listening, finish the answers in hand, end the connections. Leaves the emulator."""
        self._listener.stopping.set()
        if self._served.is_set():
            self._listener.shutdown()
        if self._thread is not None:
            self._thread.join()
        if self._worker.ident is not None:
            self._worker.join()
        self._listener.server_close()
        self._listener.end_connections()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def serve(emulator: Emulator, host: str = "127.0.0.1", port: int = 0) -> Server:
    """A server that listens, on a free port if 0.

    ValueError for a host that others can reach, unless the emulator has a key of its own.
    """
    if not is_loopback(host) and not emulator.has_own_key:
        raise ValueError(
            f"'{host}' is not this machine's loopback: others would reach an emulator that takes"
            " any key; give it one of its own (Settings.api_key)"
        )
    try:
        return Server(_Listener(emulator, host, port))
    except OSError as fault:
        raise EmulatorError(f"cannot listen on {host}:{port}: {fault}") from None


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, emulator: Emulator, host: str, port: int) -> None:
        self.emulator = emulator
        self.only_loopback = is_loopback(host)
        self.stopping = threading.Event()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._turn = threading.Lock()
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), _Connection)

    def server_bind(self) -> None:
        # http.server asks the resolver for the host's full name, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def keep_jobs_going(self) -> None:
        """Carry out what is due as it becomes due, so that requests find it done."""
        seconds: float | None = 0.0
        while not self.stopping.wait(_until_look(seconds)):
            try:
                seconds = self.emulator.catch_up(WORK_SECONDS)
            except Exception:  # noqa: BLE001 - whoever asks for the job next is told, and jobs go on
                _LOG.debug("the jobs could not be brought to the present", exc_info=True)
                seconds = None

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        with self._turn:
            self._connections[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        with self._turn:
            self._connections.pop(request, None)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        """No more requests from anyone; an answer in hand is still sent."""
        with self._turn:
            connections = dict(self._connections)
        for connection, thread in connections.items():
            try:
                connection.shutdown(socket.SHUT_RD)
            except OSError:
                _LOG.debug("a client hung up first")
            thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        # A client that hangs up is no news, and stderr belongs to whoever runs the server.
        _LOG.debug("connection of %s ended", client_address, exc_info=True)


def _until_look(due: float | None) -> float:
    """How long to wait for what is due in so many seconds, or never by itself."""
    return LOOK_SECONDS if due is None else min(max(due, PAUSE_SECONDS), LOOK_SECONDS)


_PHRASES = {int(status): status.phrase for status in HTTPStatus}
_NOT_MEANT = "This server is for its own machine: call it localhost or by its loopback address."


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener
    disable_nagle_algorithm = True
    timeout = 600  # seconds of silence after which a connection is given up

    def answer(self) -> None:
        """Read the rest of the request, and answer it."""
        most = self.server.emulator.max_body_bytes
        try:
            length = body_length(self.headers, most)
            if self.headers.get("expect", "").lower() == "100-continue":
                self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            content = read_body(self.rfile, length, most)
        except BadBody as fault:
            # What follows on this connection could be anything: part of a body, or a request.
            self.close_connection = True
            self._send(refusal(ApiError(fault.status, str(fault))))
            return
        if not self._is_meant():
            self._send(refusal(ApiError(421, _NOT_MEANT, code="host_not_allowed")))
            return
        request = Request.to(self.command, self.path, self.headers.items(), content)
        del content  # an upload may be large, and the request has it
        self._send(self.server.emulator.handle(request))

    def _is_meant(self) -> bool:
        """Whether the client thinks of this machine; a browser may have been led here by a name."""
        hosts = self.headers.get_all("host", [])
        return not self.server.only_loopback or all(map(names_loopback, hosts))

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = do_HEAD = do_OPTIONS = answer  # noqa: N815

    def handle_expect_100(self) -> bool:
        """Later: a body that is too large is refused before it is sent."""
        return True

    def send_error(
        self,
        code: int,
        message: str | None = None,
        explain: str | None = None,  # noqa: ARG002 - http.server's signature
    ) -> None:
        """What http.server would say in HTML: a request that never came to be one."""
        self.close_connection = True
        # An unknown method and an unknown version are the client's faults, not this server's.
        status = {501: 405, 505: 400}.get(code, code)
        words = message or HTTPStatus(status).phrase
        allowed = (("allow", "GET, POST, DELETE"),) if status == 405 else ()
        error = ApiError(status, f"The request cannot be read: {words}.", headers=allowed)
        self._send(refusal(error))

    def _send(self, response: Response) -> None:
        """A small answer in one write: two cost a system call and a packet more."""
        if response.delay_seconds:
            self.server.stopping.wait(response.delay_seconds)
        if response.cut:
            self.close_connection = True
            return
        if response.byte_seconds and self.command != "HEAD":
            self._send_stream(response, self._slowly(response))
            return
        if response.stream is not None and self.command != "HEAD":
            self._send_stream(response, response.stream)
            return
        length = ("content-length", str(len(response.body)))
        head = self._head(response, length)
        if self.command == "HEAD":
            self.wfile.write(head)
        elif len(response.body) <= SMALL_BYTES:
            self.wfile.write(head + response.body)
        else:  # put together, a large file would be in memory twice
            self.wfile.write(head)
            self.wfile.write(response.body)

    def _send_stream(self, response: Response, pieces: Iterator[bytes]) -> None:
        """Each piece in a chunk of its own, as soon as it is made."""
        self.wfile.write(self._head(response, ("transfer-encoding", "chunked")))
        for piece in pieces:
            if piece:  # an empty chunk would be the last
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def _slowly(self, response: Response) -> Iterator[bytes]:
        for byte in single_bytes(response):
            if self.server.stopping.wait(response.byte_seconds):
                raise ConnectionAbortedError("the server ends, the answer has not")
            yield byte

    def _head(self, response: Response, length: tuple[str, str]) -> bytes:
        phrase = _PHRASES.get(response.status, "Unknown")  # a fault may have any status
        connection = ("connection", "close" if self.close_connection else "keep-alive")
        lines = [f"HTTP/1.1 {response.status} {phrase}"]
        lines += [f"{name}: {value}" for name, value in (*response.headers, length, connection)]
        return "\r\n".join((*lines, "", "")).encode("latin-1", "replace")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        _LOG.debug(format, *args)
