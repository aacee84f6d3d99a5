"""`tf.train.Coordinator`: lets threads stop together."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

from tf2compat import errors


class Coordinator:
    """Threads ask `should_stop`; `request_stop` tells them, with an exception that `join` raises again (`tf.train.Coordinator`).

    Exceptions of `clean_stop_exception_types` (OutOfRangeError unless given) end the threads without being raised.
    """

    def __init__(self, clean_stop_exception_types: Any = None) -> None:
        if clean_stop_exception_types is None:
            clean_stop_exception_types = (errors.OutOfRangeError,)
        self._clean = tuple(clean_stop_exception_types)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._joined = False
        self._threads: set[threading.Thread] = set()

    def request_stop(self, ex: Any = None) -> None:
        """Ask all threads to stop; `ex` is an exception or what `sys.exc_info` returned. It is raised at once after `join`."""
        with self._lock:
            if isinstance(ex, tuple):
                ex = ex[1] if isinstance(ex[1], BaseException) else ex[0]()
            if ex is not None and not isinstance(ex, BaseException):
                raise TypeError(f"`ex` must be an exception or the tuple of sys.exc_info(), got {ex!r}")
            if self._joined:
                if isinstance(ex, self._clean):
                    return
                if ex is not None:
                    raise ex
                return
            if not self._stop.is_set():
                if ex is not None and not isinstance(ex, self._clean):
                    self._error = ex
                self._stop.set()

    def clear_stop(self) -> None:
        """Forget that a stop was requested."""
        with self._lock:
            self._joined = False
            self._error = None
            self._stop.clear()

    def should_stop(self) -> bool:
        """Whether a stop was requested."""
        return self._stop.is_set()

    @contextlib.contextmanager
    def stop_on_exception(self) -> Iterator[None]:
        """Turn an exception in a block into a request to stop."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - `join` raises it
            self.request_stop(error)

    def wait_for_stop(self, timeout: Any = None) -> bool:
        """Wait until a stop is requested, or for `timeout` seconds; whether it was."""
        return self._stop.wait(timeout)

    def register_thread(self, thread: threading.Thread) -> None:
        """Make `join` wait for a thread."""
        with self._lock:
            self._threads.add(thread)

    def join(self, threads: Any = None, stop_grace_period_secs: float = 120, ignore_live_threads: bool = False) -> None:
        """Wait for the threads to end.

        Raises the exception of `request_stop`; RuntimeError when threads live on `stop_grace_period_secs` after it, unless
        `ignore_live_threads`.
        """
        with self._lock:
            waited = list(self._threads | set(threads or ()))
        while any(t.is_alive() for t in waited) and not self._stop.wait(0.05):
            pass
        deadline = time.monotonic() + stop_grace_period_secs
        for t in waited:
            t.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            self._joined = True
            self._threads.clear()
            alive = [t.name for t in waited if t.is_alive()]
            if self._error is not None:
                raise self._error
            if alive and not ignore_live_threads:
                raise RuntimeError(f"Coordinator stopped with threads still running: {' '.join(alive)}")

    @property
    def joined(self) -> bool:
        """Whether `join` has returned."""
        return self._joined

    def raise_requested_exception(self) -> None:
        """Raise the exception of `request_stop`, if there was one."""
        if self._error is not None:
            raise self._error
