"""TimedThread: something done every few seconds beside the program."""

from __future__ import annotations

import threading
import weakref
from typing import Any

from tf2compat._engine.logs import get_logger
from tf2compat._threads import Ended, ends_with_process


class TimedThread:
    """Calls `on_interval` every `interval` seconds in a thread (`tf.keras.utils.TimedThread`); also a context manager."""

    def __init__(self, interval: float, **kwargs: Any) -> None:
        self.interval = interval
        self.daemon = kwargs.pop("daemon", True)
        self.thread_kwargs = kwargs
        self.thread: threading.Thread | None = None
        self.thread_stop_event: threading.Event | None = None

    def _call_on_interval(self, stopped: threading.Event) -> None:
        try:
            while not stopped.is_set():
                self.on_interval()
                stopped.wait(self.interval)
        except Ended:
            return  # the process ends

    def start(self) -> None:
        """Begin; nothing happens when it runs already."""
        if self.is_alive():
            get_logger().warning("Thread is already running.")
            return
        self.thread_stop_event = threading.Event()
        self.thread = threading.Thread(
            target=self._call_on_interval, args=(self.thread_stop_event,), daemon=self.daemon, **self.thread_kwargs
        )
        if self.daemon:
            weakref.finalize(self, self.thread_stop_event.set)  # at the process' end at the latest
            ends_with_process(self.thread, 1.0)
        self.thread.start()

    def stop(self) -> None:
        """End after the call that is under way."""
        if self.thread_stop_event is not None:
            self.thread_stop_event.set()

    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self.thread is not None and self.thread.is_alive()

    def __enter__(self) -> TimedThread:
        self.start()
        return self

    def __exit__(self, *args: object) -> None:
        self.stop()

    def on_interval(self) -> None:
        """What is done; to be defined by subclasses."""
        raise NotImplementedError("Runs every x interval seconds. Needs to be implemented in subclasses of `TimedThread`")
