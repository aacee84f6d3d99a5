"""The keys under which a bundle keeps the parts of a partitioned variable: (name, slice) in an order-preserving code."""

from __future__ import annotations

import re
from collections.abc import Sequence


def _unsigned(value: int) -> bytes:
    content = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return bytes([len(content)]) + content


def _signed(value: int) -> bytes:
    magnitude = ~value if value < 0 else value
    length = 1
    while magnitude >> (7 * length - 1):
        length += 1
    content = bytearray((value & ((1 << (8 * length)) - 1)).to_bytes(length, "big"))
    header = ((1 << length) - 1) << (16 - length)  # `length` leading ones
    content[0] ^= header >> 8
    if length > 8:
        content[1] ^= header & 0xFF
    return bytes(content)


def key(name: bytes, extents: Sequence[tuple[int, int]]) -> bytes:
    """The key of the slice (start, length) in each dimension; length -1 is the whole dimension."""
    escaped = re.sub(rb"[\x00\xff]", lambda match: b"\x00\xff" if match[0] == b"\x00" else b"\xff\x00", name)
    code = _unsigned(0) + escaped + b"\x00\x01" + _unsigned(len(extents))
    return code + b"".join(_signed(start) + _signed(length) for start, length in extents)
