"""Images as any known dialect has them go in; parts of messages come out."""

from __future__ import annotations

import base64
from typing import Any

from ftctl.data.convert.conversation import Message, cannot, refuse
from ftctl.data.convert.fault import RowFault
from ftctl.data.convert.reading import Reading, says_something
from ftctl.data.formats.image_checks import check_image_address
from ftctl.errors import Finding

PLACE = "<image>"
_STARTS = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg"}
_WEBP = 12  # bytes of the head of a WebP file
_ENCODED = {"iVBORw0KGgo": "png", "/9j/": "jpeg", "UklGR": "webp"}  # how base64 of each begins
_LONGEST_PATH = 64  # characters, of one that begins like base64
# Where an image is said, the surest first, and what may stand beside it.
_KEYS = ("bytes", "source", "url", "inlineData", "inline_data", "fileData", "file_data", "image",
         "image_url", "path")  # fmt: skip
_DIRECT = frozenset({"bytes", "url", "image", "image_url", "path"})
_BESIDE = ("detail", "format")
_CURE = "put the image where https:// reaches it, or write data:image/png;base64,…; or drop the key"


def image_part(value: Any, place: str, reading: Reading, detail: str | None = None) -> Message:
    """The part of an image: an address, a data URL, base64, bytes, or an object with one."""
    image: Message = {"url": _url(value, place, reading)}
    found = detail or (value.get("detail") if isinstance(value, dict) else None)
    if isinstance(found, str):
        image["detail"] = found
    return {"type": "image_url", "image_url": image}


def _url(value: Any, place: str, reading: Reading) -> str:
    if isinstance(value, str):
        return _of_text(value, place)
    if isinstance(value, bytes):
        return _of_bytes(value, place)
    if not isinstance(value, dict):
        raise _no_image(place)
    key = next((key for key in _KEYS if says_something(value.get(key))), None)
    url = None
    match value.get(key) if key is not None else None:
        case None:
            pass
        case dict(inner) if key == "source":
            url = _of_source(inner, place, reading)
        case dict(inner) if key in ("inlineData", "inline_data"):
            kind = inner.get("mimeType", inner.get("mime_type"))
            reading.leave_rest(inner, ("mimeType", "mime_type", "data"), place)
            url = f"data:{kind};base64,{inner.get('data')}"
        case dict(inner) if key in ("fileData", "file_data"):
            reading.leave_rest(inner, ("mimeType", "mime_type", "fileUri", "file_uri"), place)
            url = _url(inner.get("fileUri", inner.get("file_uri")), place, reading)
        case inner if key in _DIRECT and (key != "bytes" or isinstance(inner, bytes | str)):
            url = _url(inner, place, reading)
    if url is None:
        raise _no_image(place)
    named = ("path",) if key == "bytes" else ()  # the name of the file that the bytes were
    reading.leave_rest(value, (str(key), *named, *_BESIDE), place)
    return url


def _of_source(source: dict[str, Any], place: str, reading: Reading) -> str | None:
    reading.leave_rest(source, ("media_type", "data", "bytes", "url"), place)
    match source:
        case {"type": "base64", "media_type": str(media), "data": str(data)}:
            return f"data:{media};base64,{data}"
        case {"bytes": inner} | {"url": inner}:
            return _url(inner, place, reading)
    return None


def _no_image(place: str) -> RowFault:
    message = f"{place} is no image: neither address nor data"
    return RowFault(Finding("bad-image-address", message, _CURE))


def _of_text(value: str, place: str) -> str:
    if value[:5].lower() == "data:":
        return value
    media = next((kind for start, kind in _ENCODED.items() if value.startswith(start)), None)
    if media and len(value) > _LONGEST_PATH:
        return f"data:image/{media};base64,{value}"
    if any(check_image_address(value, place)):
        message = f"{place} is no address of an image, perhaps a path"
        raise RowFault(Finding("bad-image-address", message, _CURE))
    return value


def _of_bytes(content: bytes, place: str) -> str:
    kind = next((kind for start, kind in _STARTS.items() if content.startswith(start)), None)
    if content[:4] == b"RIFF" and content[8:_WEBP] == b"WEBP":
        kind = "webp"
    if kind is None:
        message = f"{place} holds neither a PNG, nor a JPEG, nor a WEBP image"
        raise RowFault(Finding("bad-image-data", message, "convert the image to one of these"))
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def images_of(value: Any, key: str, reading: Reading) -> list[Message]:
    """The parts of a row's images."""
    several = value if isinstance(value, list) else [value]
    return [
        image_part(one, f"{key}[{index}]" if isinstance(value, list) else key, reading)
        for index, one in enumerate(several)
    ]


def with_images(messages: list[Message], images: list[Message], key: str) -> list[Message]:
    """The messages with the images where `<image>` stands, else before the first question."""
    places = sum(_places(message) for message in messages)
    if not places and images:
        _expect_no_marks(messages, key)
        return _before_first_question(messages, images)
    if places != len(images):
        refuse(
            f"the row has {len(images):,} images in {key!r} and {places:,} places for one",
            f"write {PLACE} where each image belongs",
        )
    waiting = iter(images)
    return [
        {**message, "content": _filled(message["content"], waiting)}
        if _places(message)
        else message
        for message in messages
    ]


def _expect_no_marks(messages: list[Message], key: str) -> None:
    """An answer's image must not move to the question."""
    for index, message in enumerate(messages):
        content = message.get("content")
        if message["role"] == "assistant" and isinstance(content, str) and PLACE in content:
            refuse(
                f"messages[{index}], an answer, has the place for an image of {key!r}, and only a"
                " question can have one",
                f"write {PLACE} into the question, or leave {key!r} out by name",
            )


def _before_first_question(messages: list[Message], images: list[Message]) -> list[Message]:
    for index, message in enumerate(messages):
        content = message.get("content")
        if message["role"] == "user" and isinstance(content, str | list):
            texts = [{"type": "text", "text": content}] if isinstance(content, str) else content
            first = {**message, "content": [*images, *texts]}
            return [*messages[:index], first, *messages[index + 1 :]]
    raise cannot("the row has images and no question that they belong to", "add the question")


def _places(message: Message) -> int:
    content = message.get("content")
    if message["role"] != "user":
        return 0
    if isinstance(content, str):
        return content.count(PLACE)
    parts = content if isinstance(content, list) else []
    return sum(
        part == {"type": "image"}
        or (part.get("type") == "text" and str(part.get("text", "")).count(PLACE))
        for part in parts
        if isinstance(part, dict)
    )


def _filled(content: Any, images: Any) -> list[Message]:
    parts: list[Message] = []
    for part in [{"type": "text", "text": content}] if isinstance(content, str) else content:
        if part == {"type": "image"}:
            parts.append(next(images))
        elif part.get("type") == "text" and PLACE in part["text"]:
            for index, text in enumerate(part["text"].split(PLACE)):
                if index:
                    parts.append(next(images))
                if text.strip():
                    parts.append({"type": "text", "text": text.strip("\n")})
        else:
            parts.append(part)
    return parts
