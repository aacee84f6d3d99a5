"""Threads for work outside of the interpreter, such as checksums of many large arrays; and the end of threads that work beside the program."""

from __future__ import annotations

import atexit
import ctypes
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_WORTHWHILE = 4 << 20
_MOST = 8

#: thread -> how many seconds the process waits for it, and what tells it to end, when it waits outside of the interpreter
_beside: weakref.WeakKeyDictionary[threading.Thread, tuple[float, Callable[[], None] | None]] = weakref.WeakKeyDictionary()


class Ended(BaseException):
    """Raised inside a thread that works beside the program when the process ends."""


def ends_with_process(thread: threading.Thread, seconds: float, stop: Callable[[], None] | None = None) -> threading.Thread:
    """Let a daemon thread be stopped, wherever it is, before the interpreter is taken down; it has so many seconds for it.

    `stop` is called first, for a thread that waits for a lock or a queue and would not see an exception.

    A thread that comes back to the interpreter after that is ended by the system, and where torch's C++ is on its stack, the process aborts.
    """
    _beside[thread] = seconds, stop
    return thread


@atexit.register
def _end() -> None:
    start = time.monotonic()
    running = dict(_beside)
    said, said_late = threading.excepthook, sys.unraisablehook
    # one that arrives while a thread deals with the one before, or is as good as gone, is nothing to tell
    threading.excepthook = lambda args: None if issubclass(args.exc_type, Ended) else said(args)
    sys.unraisablehook = lambda args: None if issubclass(args.exc_type, Ended) else said_late(args)
    for _, stop in running.values():
        if stop is not None:
            stop()
    while running:
        for thread, (seconds, _) in list(running.items()):
            if not thread.is_alive() or time.monotonic() > start + seconds:
                del running[thread]
                continue
            # again and again: what raises it may be a callback whose exceptions are dropped
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Ended))
            thread.join(0.05)


def cores() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def each(work: Callable[[T], R], items: Sequence[T], size: int) -> list[R]:
    """`work` of every item, in order; by threads when the items are of many bytes (`size`) together. Raises the first failure."""
    count = min(len(items), cores(), _MOST)
    if size < _WORTHWHILE or count < 2:
        return [work(item) for item in items]
    # A few items at a time: one at a time would cost more in locks than small tensors take to read.
    step = max(1, min(16, len(items) // (4 * count)))
    parts = [items[start : start + step] for start in range(0, len(items), step)]
    with ThreadPoolExecutor(count, thread_name_prefix="tf2compat files") as pool:
        return [result for part in pool.map(lambda part: [work(item) for item in part], parts) for result in part]
