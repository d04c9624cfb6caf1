"""An image part of a message goes in; the tokens that it is billed as come out, as a range.

The rule is the one for gpt-4o and gpt-4.1 (guide "Images and vision"): 85 tokens, and at full
detail 170 more for every tile of 512 pixels, once the image is shrunk to fit 2,048 x 2,048 and its
shorter side to 768. Nothing is enlarged: the API counts one tile for 128 x 64 pixels (OpenAI
community, 1262691). Smaller models bill by other rules; gpt-4o alone can be trained on images.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

BASE_TOKENS, TILE_TOKENS = 85, 170
TILE, LONGEST_SIDE, SHORTER_SIDE = 512, 2048, 768  # pixels

HEADER_BYTES = 256 * 1024  # how far into an image its size is looked for
_DATA_URL = re.compile(r"data:image/[\w.+-]{1,40};base64,", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ImageTokens:
    """What an image costs: at least, most likely, at most."""

    low: int
    likely: int
    high: int


LOW_DETAIL = ImageTokens(BASE_TOKENS, BASE_TOKENS, BASE_TOKENS)
UNKNOWN_SIZE = ImageTokens(
    BASE_TOKENS + 1 * TILE_TOKENS,
    BASE_TOKENS + 6 * TILE_TOKENS,  # 1,105: a wide photo, and the guide's own larger example
    BASE_TOKENS + 8 * TILE_TOKENS,  # no shape has more tiles
)


def image_tokens(image: object) -> ImageTokens:
    """The tokens of an `image_url` value; what says nothing of its size counts as unknown."""
    if not isinstance(image, Mapping):
        return UNKNOWN_SIZE
    if image.get("detail") == "low":
        return LOW_DETAIL
    url = image.get("url")
    size = size_in_url(url) if isinstance(url, str) else None
    if size is None:
        return UNKNOWN_SIZE
    tokens = BASE_TOKENS + TILE_TOKENS * tiles(*size)
    return ImageTokens(tokens, tokens, tokens)


def tiles(width: int, height: int) -> int:
    """How many tiles cover an image of so many pixels after it is shrunk."""
    longest = max(width, height, LONGEST_SIDE)
    width, height = width * LONGEST_SIDE // longest, height * LONGEST_SIDE // longest
    shorter = max(min(width, height), SHORTER_SIDE)
    width, height = width * SHORTER_SIDE // shorter, height * SHORTER_SIDE // shorter
    return max(1, -(-width // TILE)) * max(1, -(-height // TILE))


def size_in_url(url: str) -> tuple[int, int] | None:
    """Width and height in pixels of an image in a data URL; None for any other, or a broken one."""
    lead = _DATA_URL.match(url)
    if lead is None:
        return None
    letters = HEADER_BYTES // 3 * 4
    head = url[lead.end() : lead.end() + letters]
    try:
        return image_size(b64decode(head + "=" * (-len(head) % 4)))
    except (Base64Error, ValueError):  # not base64, or not even ASCII
        return None


def image_size(head: bytes) -> tuple[int, int] | None:
    """Width and height in pixels by a PNG's, JPEG's or WEBP's first bytes; None if not told."""
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
        size = _numbers(head, 16, 4, "big")
    elif head.startswith(b"\xff\xd8"):
        size = _jpeg_size(head)
    elif head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        size = _webp_size(head)
    else:
        size = None
    return size if size is not None and min(size) > 0 else None


def _numbers(
    head: bytes, at: int, width: int, order: Literal["big", "little"]
) -> tuple[int, int] | None:
    """Two whole numbers, one after the other, of so many bytes each."""
    if len(head) < at + 2 * width:
        return None
    first, second = head[at : at + width], head[at + width : at + 2 * width]
    return int.from_bytes(first, order), int.from_bytes(second, order)


def _jpeg_size(head: bytes) -> tuple[int, int] | None:
    """The size is in the start of frame: the first segment C0 to CF but C4, C8 and CC."""
    at = 2
    while at + 4 <= len(head):
        if head[at] != 0xFF:
            return None
        kind = head[at + 1]
        if kind == 0xFF:  # a byte of padding
            at += 1
        elif 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            found = _numbers(head, at + 5, 2, "big")
            return None if found is None else (found[1], found[0])  # the height comes first
        else:
            at += 2 + max(2, int.from_bytes(head[at + 2 : at + 4], "big"))
    return None


def _webp_size(head: bytes) -> tuple[int, int] | None:
    match head[12:16]:
        case b"VP8 ":  # lossy: 14 bits each, after the frame's start code
            found = _numbers(head, 26, 2, "little") if head[23:26] == b"\x9d\x01\x2a" else None
            return None if found is None else (found[0] & 0x3FFF, found[1] & 0x3FFF)
        case b"VP8L" if len(head) >= 25 and head[20] == 0x2F:  # lossless: 14 bits each, less 1
            bits = int.from_bytes(head[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":  # extended: 24 bits each, less 1
            found = _numbers(head, 24, 3, "little")
            return None if found is None else (found[0] + 1, found[1] + 1)
        case _:
            return None
