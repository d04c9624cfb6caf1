"""Images as any known dialect has them go in; parts of messages come out."""

from __future__ import annotations

import base64
from typing import Any

from ftctl.data.convert.conversation import Message, cannot, refuse
from ftctl.data.convert.fault import RowFault
from ftctl.data.formats.image_checks import check_image_address
from ftctl.errors import Finding

PLACE = "<image>"
_STARTS = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg"}
_WEBP = 12  # bytes of the head of a WebP file
_ENCODED = {"iVBORw0KGgo": "png", "/9j/": "jpeg", "UklGR": "webp"}  # how base64 of each begins
_LONGEST_PATH = 64  # characters, of one that begins like base64
_CURE = "put the image where https:// reaches it, or write data:image/png;base64,…; or drop the key"


def image_part(value: Any, place: str, detail: str | None = None) -> Message:
    """The part of an image: an address, a data URL, base64, bytes, or an object with one."""
    image: Message = {"url": _url(value, place)}
    found = detail or (value.get("detail") if isinstance(value, dict) else None)
    if isinstance(found, str):
        image["detail"] = found
    return {"type": "image_url", "image_url": image}


def _url(value: Any, place: str) -> str:
    if isinstance(value, str):
        return _of_text(value, place)
    if isinstance(value, bytes):
        return _of_bytes(value, place)
    match value:
        case {"bytes": bytes() | str() as inner}:
            return _url(inner, place)
        case {"source": {"type": "base64", "media_type": str(media), "data": str(data)}}:
            return f"data:{media};base64,{data}"
        case {"source": {"bytes": inner} | {"url": inner}} | {"url": inner}:
            return _url(inner, place)
        case {"inlineData": dict(data)} | {"inline_data": dict(data)}:
            kind = data.get("mimeType", data.get("mime_type"))
            return f"data:{kind};base64,{data.get('data')}"
        case {"fileData": dict(data)} | {"file_data": dict(data)}:
            return _url(data.get("fileUri", data.get("file_uri")), place)
        case {"image": inner} | {"image_url": inner} | {"path": inner}:
            return _url(inner, place)
    message = f"{place} is no image: neither address nor data"
    raise RowFault(Finding("bad-image-address", message, _CURE))


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


def images_of(value: Any, key: str) -> list[Message]:
    """The parts of a row's images."""
    several = value if isinstance(value, list) else [value]
    return [
        image_part(one, f"{key}[{index}]" if isinstance(value, list) else key)
        for index, one in enumerate(several)
    ]


def with_images(messages: list[Message], images: list[Message], key: str) -> list[Message]:
    """The messages with the images where `<image>` stands, else before the first question."""
    places = sum(_places(message) for message in messages)
    if not places and images:
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
