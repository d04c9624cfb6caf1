"""The address of an image goes in; why no service could learn from what it names comes out."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from ftctl.errors import Finding

# "Each image can be at most 10 MB" and "JPEG, PNG, or WEBP" (vision guide, 2026-07). It does not
# say which megabyte: the larger one, since a false alarm here has no way round.
MAX_IMAGE_BYTES = 10 * 1024 * 1024

_WEB = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)
_DATA = re.compile(r"data:([^;,]*)((?:;[^;,]*)*),", re.IGNORECASE)
_LONGEST_HEAD = 200  # characters before the comma of a data URL
# image/jpg is registered nowhere but widespread, and says plainly what it means.
_MEDIA = {"image/png": "PNG", "image/jpeg": "JPEG", "image/jpg": "JPEG", "image/webp": "WEBP"}
_PUT_IN = "write data:image/png;base64,… with the image's bytes in base64"


def check_image_address(url: str, place: str) -> Iterator[Finding]:
    """A web address is not looked up; the image in a data URL is."""
    if url[:5].lower() == "data:":
        yield from _check_data(url, place)
    elif not _WEB.fullmatch(url):
        yield Finding(
            "bad-image-address",
            f"{place} is neither a web address nor a data URL",
            f"put the image where https:// reaches it, or {_PUT_IN}",
        )


def _check_data(url: str, place: str) -> Iterator[Finding]:
    head = _DATA.match(url, 0, _LONGEST_HEAD)
    if head is None or not head[2].lower().endswith(";base64"):
        yield _bad(f"{place} is a data URL without ';base64,'", _PUT_IN)
        return
    named = _MEDIA.get(head[1].lower())
    if named is None:
        hint = "use image/png, image/jpeg or image/webp"
        yield _bad(f"{place} is a data URL of another type than PNG, JPEG or WEBP", hint)
        return
    size = (len(url) - head.end()) * 3 // 4
    if size > MAX_IMAGE_BYTES + 2:
        message = f"{place} holds an image of {size:,} bytes; at most {MAX_IMAGE_BYTES:,} are taken"
        yield Finding("image-too-large", message, "make the image smaller")
        return
    yield from _check_bytes(url[head.end() :], named, place)


def _check_bytes(text: str, named: str, place: str) -> Iterator[Finding]:
    try:
        content = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:  # binascii.Error is one, and so is what other than ASCII raises
        hint = "encode the bytes with base64.b64encode: no line ends, no '-' or '_', '=' at the end"
        yield _bad(f"{place} holds something that is not base64", hint)
        return
    found = _kind(content)
    if found is None:
        hint = "convert the image: other kinds are left out of the training"
        yield _bad(f"{place} holds neither a PNG, nor a JPEG, nor a WEBP image", hint)
    elif found != named:
        message = f"{place} says {named}, but holds a {found} image"
        yield Finding("image-type-differs", message, f"write data:image/{found.lower()};base64,…")


def _kind(content: bytes) -> str | None:
    """What the image is by its first bytes."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "WEBP"
    return None


def _bad(message: str, hint: str) -> Finding:
    return Finding("bad-image-data", message, hint)
