"""CRC-32C as LevelDB and TensorFlow store it: masked, so that the checksum of data holding checksums stays strong."""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Callable
from typing import Any

import google_crc32c
import numpy as np

_MASK_DELTA = 0xA282EAD8
_LARGE = 1 << 16


def _unlocked() -> Callable[[int, int, int], int] | None:
    """The C function under `google_crc32c`, called without the interpreter's lock, so that threads compute at the same time."""
    try:
        function = ctypes.CDLL(importlib.import_module("google_crc32c._crc32c").__file__).crc32c_extend
    except (ImportError, OSError, AttributeError, TypeError):
        return None  # the pure Python edition, or a platform whose linker hides the function
    function.restype = ctypes.c_uint32
    function.argtypes = [ctypes.c_uint32, ctypes.c_void_p, ctypes.c_size_t]
    probe = np.arange(251, dtype=np.uint8)
    return function if function(7, probe.ctypes.data, 251) == google_crc32c.extend(7, probe) else None


_extend = _unlocked()


def value(data: Any) -> int:
    """The CRC-32C of bytes or of a contiguous uint8 array (not copied)."""
    return extend(0, data)


def extend(crc: int, data: Any) -> int:
    """The CRC-32C of what `crc` was computed of, followed by `data`."""
    if _extend is not None and len(data) >= _LARGE and isinstance(data, np.ndarray) and data.flags.c_contiguous and data.itemsize == 1:
        return _extend(crc, data.ctypes.data, data.size)
    return google_crc32c.extend(crc, data)


def mask(crc: int) -> int:
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF
