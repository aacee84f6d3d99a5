"""One thread that compiles while the program goes on.

Compiling is mostly Python, so the thread and the program take turns at the interpreter; turns are made short meanwhile,
because torch gives up the interpreter at every op and would wait a whole turn to get it back. The process neither waits for
the thread at its end nor carries it into a fork.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable

from .._threads import Ended, ends_with_process

__all__ = ["busy", "submit", "wait"]

#: seconds of a turn while something is compiled
_TURN = 2e-5

#: False in a process that was forked while something was compiled
usable = True
_lock = threading.Lock()
_jobs: queue.Queue[Callable[[], None]] = queue.Queue()
_thread: threading.Thread | None = None
_open = 0
_idle = threading.Condition()


def submit(job: Callable[[], None]) -> None:
    """Run `job`, which must not raise, on the thread."""
    global _thread, _open
    with _lock:
        with _idle:
            _open += 1
        _jobs.put(job)
        if _thread is None:
            _thread = ends_with_process(threading.Thread(target=_work, name="tf2compat compiler", daemon=True), 1.0)
            _thread.start()


def busy() -> bool:
    """Whether something is being compiled, or about to be."""
    return _open > 0


def wait(seconds: float | None = None) -> bool:
    """Wait until everything that was submitted is done; whether it is."""
    with _idle:
        return _idle.wait_for(lambda: not _open, seconds)


def _work() -> None:
    global _open
    try:
        while True:
            job = _jobs.get()
            turn = sys.getswitchinterval()
            sys.setswitchinterval(min(turn, _TURN))
            try:
                job()
            finally:
                sys.setswitchinterval(turn)
                with _idle:
                    _open -= 1
                    _idle.notify_all()
    except Ended:
        pass


def _forget() -> None:
    """In a forked child, where the thread is not; what it was at may have left torch's compiler in pieces."""
    global _lock, _jobs, _thread, _open, _idle, usable
    if _open:
        sys.setswitchinterval(0.005)
        usable = False
    _lock, _jobs, _thread, _open, _idle = threading.Lock(), queue.Queue(), None, 0, threading.Condition()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
