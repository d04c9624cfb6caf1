"""A source and the encoding that was named for it go in; its text as UTF-8, or a fault, out."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from ftctl.data.convert.fault import FileFault
from ftctl.data.encodings.marks import encoding_shown
from ftctl.data.encodings.transcoded import transcoded
from ftctl.errors import FILE, ROWS, Finding

_WORDS = 0.8  # so plausible is what is read rightly
_CONVERT = f"read it so: ftctl dataset convert {FILE} {ROWS} --encoding"


@dataclass(frozen=True, slots=True)
class TextSource:
    """A file whose text is in `encoding`; None: in UTF-8, or in UTF-16 that shows itself.

    `samples` shows a piece of a file that is in another, as on a command line.
    """

    path: Path
    shown: str
    encoding: str | None
    samples: bool

    def check(self, stream: BinaryIO) -> Finding | None:
        """A warning where it may be in another encoding than the one that was named.

        `FileFault` where it is in another without doubt.
        """
        if self.encoding is None:
            return None
        from ftctl.data.encodings.diagnosis import doubts_of  # noqa: PLC0415 - rarely asked for

        said = "--encoding" if self.samples else "'encoding'"
        finding = doubts_of(stream, self.encoding, said, samples=self.samples)
        if finding is not None and finding.severity == "error":
            raise FileFault(finding, finding.line)
        return finding

    def as_utf8(self, stream: BufferedReader, *, owner: bool = False) -> BufferedReader:
        """The open file from its start: as it is, or as UTF-8 if an encoding was named."""
        stream.seek(0)
        if self.encoding is None:
            return stream
        return transcoded(stream, self.encoding, owner=owner)

    def open(self) -> BufferedReader:
        """The same of the file, opened once more."""
        return self.as_utf8(self.path.open("rb"), owner=True)

    def refuse_other_text(self) -> None:
        """`FileFault` with what the file is in, where that is not UTF-8."""
        from ftctl.data.encodings.diagnosis import not_utf8  # noqa: PLC0415 - it is rare

        with self.path.open("rb") as stream:
            finding = not_utf8(stream, samples=self.samples)
        if finding is not None:  # else it has been mended since
            raise FileFault(finding, finding.line)

    @contextmanager
    def decoding(self, encoding: str) -> Iterator[None]:
        """Turns a decoder's complaint into what the file is in, and the line that shows it."""
        try:
            yield
        except UnicodeDecodeError:
            if encoding.startswith("utf-8"):
                self.refuse_other_text()
            message = "the file is not valid UTF-16, though it starts like it"
            hint = "copy or write the file again"
            raise FileFault(Finding("wrong-encoding", message, hint)) from None


def encoding_of(head: bytes) -> str:
    """UTF-8 or UTF-16, as Python names them; `FileFault` for others, and for what is no text."""
    shown = encoding_shown(head)
    if shown is not None and not shown.startswith("utf-16"):
        name = shown.upper().replace("_", "-")
        raise FileFault(Finding("wrong-encoding", f"the file is in {name}", f"{_CONVERT} {shown}"))
    if shown is not None:
        return shown
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if b"\0" not in head:
        return "utf-8"
    even, odd = head[0::2], head[1::2]
    # Mostly Latin letters: one byte of each pair is zero, and never the other.
    if even.count(0) == 0 and odd.count(0) * 2 > len(odd):
        return "utf-16-le"
    if odd.count(0) == 0 and even.count(0) * 2 > len(even):
        return "utf-16-be"
    for encoding in ("utf-16-le", "utf-16-be"):
        if _reads_as(head, encoding):
            message = "the file may be in UTF-16, without the mark that says so"
            raise FileFault(Finding("wrong-encoding", message, f"{_CONVERT} {encoding}"))
    hint = "name a file of text, or say what it is with 'from'"
    raise FileFault(Finding("binary-file", "the file is not text", hint))


def _reads_as(head: bytes, encoding: str) -> bool:
    """Whether the start of the file is words in an encoding of two bytes each."""
    from ftctl.data.encodings.plausibility import plausibility  # noqa: PLC0415 - it is rare

    text = head[: len(head) // 2 * 2].decode(encoding, "ignore")
    odd = any(sign < " " and sign not in "\t\r\n" for sign in text)
    return not odd and "\n" in text and plausibility(text) >= _WORDS
