"""Threads for work outside of the interpreter: checksums and copies of many large arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_WORTHWHILE = 4 << 20
_MOST = 8


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
