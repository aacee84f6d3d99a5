"""What the running thread is doing: recording tapes, tracing a graph, a device scope, name scopes.

This module's dict is the globals of every generated op wrapper, so that an op decides with one read of `GATE` whether it may go
straight to torch, and under which token: with two reads another thread could begin or end a tape in between.
"""

from __future__ import annotations

import random
import threading
from typing import Any

#: Python's generator before the program could seed it
PYTHON_RANDOM = random.getstate()

#: The outermost recording tape when exactly one thread records, else None. A tensor remembers the token under which it
#: was made; one that requires grad under another token is stale history and enters an op detached.
TOKEN: Any = None
#: In the place of a token: a thread traces a graph or is inside a device scope, or several threads record tapes at once.
SLOW = object()
#: `TOKEN`, or `SLOW`
GATE: Any = None
#: Called with (op, torch arguments, torch results) after every op while `tf.debugging` watches; see `observe`.
OBSERVERS: tuple[Any, ...] = ()


#: How ops bring arguments of different dtypes together: None (not at all), or a function that the slow path asks first with
#: (op, arguments); see tf2compat.experimental.numpy.weak
PROMOTION: Any = None


class _Local(threading.local):
    def __init__(self) -> None:
        self.tapes: list[Any] = []
        self.graph: Any = None
        self.left: Any = None  # the graph that `outside` suspends
        self.device: Any = None  # a torch.device, or None for the default
        self.asked: Any = None  # what `device` was before shapes were inferred on another
        self.home: Any = None  # what the default is here, where it is not the program's: see devices.host_side
        self.names: list[str] = []
        self.watchers: list[dict[int, Any]] = []  # see tape.watching_variables
        self.paused = 0  # blocks of `tape.stop_recording` in a graph that is traced


local = _Local()

#: names of ops that functions are traced without (`tf.config.optimizer`'s debug_stripper)
stripped: frozenset[str] = frozenset()
#: whether what functions make of constants alone is computed once
folding: bool = True
_lock = threading.Lock()
_slow_scopes = 0
_recording: dict[int, Any] = {}


def _refresh() -> None:
    global TOKEN, GATE
    TOKEN = next(iter(_recording.values())) if len(_recording) == 1 else None
    GATE = TOKEN if _slow_scopes == 0 and len(_recording) < 2 else SLOW


def enter_slow() -> None:
    """Send every op of the process through the slow path (which asks the thread's own state) until `exit_slow`."""
    global _slow_scopes
    with _lock:
        _slow_scopes += 1
        _refresh()


def exit_slow() -> None:
    global _slow_scopes
    with _lock:
        _slow_scopes -= 1
        _refresh()


def observe(observer: Any, on: bool) -> None:
    """Let `observer` see every op of the process, or no longer; ops take the slow path meanwhile."""
    global OBSERVERS
    if on and observer not in OBSERVERS:
        OBSERVERS += (observer,)
        enter_slow()
    elif not on and observer in OBSERVERS:
        OBSERVERS = tuple(o for o in OBSERVERS if o is not observer)
        exit_slow()


def tapes_changed() -> None:
    """To be called by the thread whose tape stack changed."""
    ident = threading.get_ident()
    tapes = local.tapes
    with _lock:
        if tapes:
            _recording[ident] = getattr(tapes[0], "_session", tapes[0])
        else:
            _recording.pop(ident, None)
        _refresh()


def token() -> Any:
    """The calling thread's token: the tape that was outermost when the recording ones began, which may have ended since; or None."""
    tapes = local.tapes
    return getattr(tapes[0], "_session", tapes[0]) if tapes else None


class outside:
    """Run a block as plain eager code: no tape, no graph, no device scope of the surrounding code applies."""

    def __enter__(self) -> None:
        self.saved = (local.tapes, local.graph, local.names, local.left)
        self.slow = local.graph is not None
        if self.slow:
            local.left = local.graph
        local.tapes, local.graph, local.names = [], None, []
        tapes_changed()

    def __exit__(self, *exc: object) -> None:
        local.tapes, local.graph, local.names, local.left = self.saved
        tapes_changed()
