"""A file that is read both as mapped memory and straight into memory of others."""

from __future__ import annotations

import ctypes
import mmap
import os
import weakref
from collections.abc import Callable

import numpy as np

from tf2compat import errors


class MappedFile:
    """A mapped file: `data` are its bytes."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        weakref.finalize(self, os.close, self._file)
        size = os.fstat(self._file).st_size
        # A private mapping: it cannot change the file, and arrays in it count as writable (torch insists on that).
        self.data = np.frombuffer(mmap.mmap(self._file, 0, access=mmap.ACCESS_COPY) if size else b"", np.uint8)

    def filler(self, start: int, stop: int) -> Callable[[int], None] | None:
        """What writes a part of the file to an address. The system copies faster than memory is copied from a mapping, which it fills first."""
        if not hasattr(os, "preadv"):
            return None

        def fill(address: int) -> None:
            done = start
            while done < stop:
                target = (ctypes.c_char * (stop - done)).from_address(address + done - start)
                count = os.preadv(self._file, [target], done)
                if count <= 0:
                    raise errors.DataLossError(None, None, f"{self._path} became shorter while it was read")
                done += count

        return fill
