"""CRC-32C as LevelDB and TensorFlow store it: masked, so that the checksum of data holding checksums stays strong."""

from __future__ import annotations

from typing import Any

import google_crc32c

_MASK_DELTA = 0xA282EAD8


def value(data: Any) -> int:
    """The CRC-32C of bytes or of a contiguous uint8 array (not copied)."""
    return google_crc32c.value(data)


def extend(crc: int, data: Any) -> int:
    """The CRC-32C of what `crc` was computed of, followed by `data`."""
    return google_crc32c.extend(crc, data)


def mask(crc: int) -> int:
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF
