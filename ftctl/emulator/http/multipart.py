"""A multipart/form-data body -> its parts."""

from __future__ import annotations

from dataclasses import dataclass, field

from ftctl.emulator.http.wire import Request, bad_request

MAX_PARTS = 64


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form. The filename is None where the client sent none."""

    name: str
    filename: str | None
    content: bytes


def read_form(request: Request) -> tuple[Part, ...]:
    """The parts in their order; a 400 for a body that is not such a form."""
    # Imported on first use: most commands never upload a file.
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import MultipartParser, parse_options_header

    kind, options = parse_options_header(_latin(request.header("content-type")))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise bad_request("The body must be multipart/form-data with a boundary.", None)
    gathering = _Gathering()
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": gathering.begin,
                "on_header_field": gathering.header_name,
                "on_header_value": gathering.header_value,
                "on_header_end": gathering.header_end,
                "on_part_data": gathering.data,
                "on_part_end": gathering.end,
                "on_end": gathering.finish,
            },
        )
        parser.write(request.body)
        parser.finalize()
    except FormParserError as fault:
        raise bad_request(f"The form cannot be read: {fault}.", None) from fault
    if not gathering.complete:
        raise bad_request("The form ends before its last boundary.", None)
    return tuple(
        _part(parse_options_header(_latin(headers.get("content-disposition")))[1], content)
        for headers, content in gathering.parts
    )


def _latin(header: str | None) -> str:
    """The header in the one encoding that the parser can take."""
    return (header or "").encode("latin-1", "replace").decode("latin-1")


def _part(options: dict[bytes, bytes], content: bytes) -> Part:
    filename = options.get(b"filename")
    return Part(
        name=options.get(b"name", b"").decode("utf-8", "replace"),
        filename=None if filename is None else filename.decode("utf-8", "replace"),
        content=content,
    )


@dataclass(slots=True)
class _Gathering:
    """Collects what the parser calls out, part by part."""

    parts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    complete: bool = False
    _headers: dict[str, str] = field(default_factory=dict)
    _name: bytes = b""
    _value: bytes = b""
    _pieces: list[bytes] = field(default_factory=list)

    def begin(self) -> None:
        if len(self.parts) >= MAX_PARTS:
            raise bad_request(f"The form has more than {MAX_PARTS} parts.", None)
        self._headers, self._pieces = {}, []

    def header_name(self, text: bytes, start: int, end: int) -> None:
        self._name += text[start:end]

    def header_value(self, text: bytes, start: int, end: int) -> None:
        self._value += text[start:end]

    def header_end(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._name = self._value = b""

    def data(self, text: bytes, start: int, end: int) -> None:
        self._pieces.append(text[start:end])

    def end(self) -> None:
        self.parts.append((self._headers, b"".join(self._pieces)))

    def finish(self) -> None:
        self.complete = True
