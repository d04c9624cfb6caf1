"""Named arrays and a little JSON <-> one string of bytes, without pickle."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from ftctl.numeric import NDArray, np

_MAGIC = b"FTMIND01"
_TYPES = frozenset({"<f2", "<f4", "<u4", "|u1"})
_MOST_BYTES = 1 << 30


def pack(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The same bytes for the same values."""
    described = [[name, array.dtype.str, list(array.shape)] for name, array in arrays.items()]
    assert all(kind in _TYPES for _, kind, _ in described), described
    header = json.dumps({"facts": facts, "arrays": described}, sort_keys=True).encode()
    body = b"".join([len(header).to_bytes(4, "little"), header, *map(_bytes, arrays.values())])
    # Stored as it is: weights shrink by a sixth, which took half of the time of a small run.
    packed = zlib.compress(body, level=0)
    sizes = len(body).to_bytes(8, "little") + zlib.crc32(packed).to_bytes(4, "little")
    return _MAGIC + sizes + packed


def unpack(packed: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What was packed; ValueError if these are not such bytes, or not all of them."""
    body = _body(packed)
    end = 4 + int.from_bytes(body[:4], "little")
    try:
        header = json.loads(body[4:end])
        facts, described = header["facts"], header["arrays"]
        arrays = {}
        for name, kind, shape in described:
            if kind not in _TYPES:
                raise ValueError(f"an array of type {kind}")
            array = np.frombuffer(body, kind, int(np.prod(shape, dtype=np.int64)), end)
            end += array.nbytes
            arrays[name] = array.reshape(shape)
    except (KeyError, TypeError) as fault:
        raise ValueError(f"not a model's bytes: {fault!r}") from fault
    if end != len(body):
        raise ValueError("not a model's bytes: something is left over")
    return facts, arrays


def _body(packed: bytes) -> bytes:
    start = len(_MAGIC) + 12
    size = int.from_bytes(packed[8:16], "little")
    if packed[:8] != _MAGIC or len(packed) < start or size > _MOST_BYTES:
        raise ValueError("not a model's bytes, or of another version")
    if zlib.crc32(packed[start:]) != int.from_bytes(packed[16:20], "little"):
        raise ValueError("a model's bytes, but damaged")
    try:
        body = zlib.decompressobj().decompress(packed[start:], size + 1)
    except zlib.error as fault:
        raise ValueError(f"a model's bytes, but damaged: {fault}") from fault
    if len(body) != size:
        raise ValueError("a model's bytes, but not all of them")
    return body


def _bytes(array: NDArray[Any]) -> bytes:
    return np.ascontiguousarray(array).tobytes()
