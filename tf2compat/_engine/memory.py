"""Memory that was freed stays with the process: the GNU C library's allocator is told not to give it back at once.

A step frees what the next one needs again. By default the library returns blocks of more than 32 MiB, and the end of its heap, to the system
each time, which has to clear every page before the next step gets it back: up to a fifth of the time of a step on a CPU. TensorFlow's
allocator keeps freed memory as well. Whoever sets the library's own variables is left alone, and other libraries have other rules.
"""

from __future__ import annotations

import ctypes
import os
import sys

__all__ = ["keep"]

#: mallopt's numbers
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
#: bytes at the end of the heap that stay, and of a block that comes from the heap: at most, and as a part of the machine's memory
_MOST, _PART = 1 << 30, 16
_VARIABLES = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_", "MALLOC_MMAP_MAX_", "GLIBC_TUNABLES")


def keep() -> bool:
    """Keep freed memory from now on; whether that can be said here."""
    if not sys.platform.startswith("linux") or any(name in os.environ for name in _VARIABLES):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
        size = min(_MOST, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _PART)
    except (AttributeError, OSError, ValueError):  # another C library
        return False
    if size < 64 << 20:
        return False
    done = mallopt(_MMAP_THRESHOLD, size) or mallopt(_MMAP_THRESHOLD, 32 << 20)  # older releases know a limit
    return bool(done and mallopt(_TRIM_THRESHOLD, size))
