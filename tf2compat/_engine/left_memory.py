"""Memory that variables have left while flattened steps of another thread still work on it.

Flattened steps know the memory of variables by address, so that variables can change in place: a reference would make them look
shared. What another thread's assignment takes away from a variable meanwhile is kept until no such steps run.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

__all__ = ["begin", "end", "left", "moving", "working"]

_at_work: set[Any] = set()
_kept: list[Any] = []
_lock = threading.Lock()
#: held by who gives a variable other memory: of two at once, one would take the other's away unnoticed
moving = threading.RLock()


@contextlib.contextmanager
def working(who: Any) -> Iterator[None]:
    """For as long as `who` uses addresses of variables, which it looks up inside."""
    begin(who)
    try:
        yield
    finally:
        end(who)


begin = _at_work.add


def end(who: Any) -> None:
    """`who` uses no addresses any more."""
    _at_work.discard(who)
    if _kept:
        with _lock:
            if not _at_work:
                _kept.clear()


def left(memory: Any) -> None:
    """A variable has other memory than this from now on."""
    if _at_work:
        with _lock:
            _kept.append(memory)
