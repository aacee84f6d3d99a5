"""Turns of threads at the variables that they change.

TensorFlow's ops on a variable hold its mutex, so counts from several threads add up. Here one lock does for all variables that
regions change together, however many functions do: a step holds one lock, not hundreds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

__all__ = ["alone", "turn_at"]

#: held for additions to variables that no region changes
_others = threading.RLock()


class _Several:
    """Locks that are taken in one order, so that nobody waits in a circle."""

    def __init__(self, locks: list[Any]) -> None:
        self._locks = sorted(locks, key=id)

    def __enter__(self) -> None:
        for lock in self._locks:
            lock.acquire()

    def __exit__(self, *args: Any) -> None:
        for lock in reversed(self._locks):
            lock.release()


def turn_at(variables: list[Any]) -> Any:
    """What one holds while one changes `variables`: a context manager, which the same thread may enter again; None for no variables."""
    if not variables:
        return None
    with _others:
        locks = {id(v._turn): v._turn for v in variables if v._turn is not None}
        lock = next(iter(locks.values())) if locks else threading.RLock()
        for v in variables:
            if v._turn is None:
                v._turn = lock
    return lock if len(locks) < 2 else _Several(list(locks.values()))


def alone(variable: Any, change: Callable[..., Any], *args: Any) -> None:
    """`change(*args)`, which adds to the variable in place, so that additions of several threads do not lose each other."""
    while True:
        lock = variable._turn or _others
        with lock:
            if lock is (variable._turn or _others):  # a region may have begun to change it meanwhile
                change(*args)
                return
