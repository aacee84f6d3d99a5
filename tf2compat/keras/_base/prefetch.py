"""Batches made ahead of their use by a thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any

from tf2compat._threads import Ended, ends_with_process


class Prefetched:
    """Iterates `source` in a thread, at most `size` batches ahead; its errors are raised where the batches are used."""

    def __init__(self, source: Any, size: int) -> None:
        self.source = source
        self.size = max(1, size)

    def __iter__(self) -> Iterator[Any]:
        ready: queue.Queue[Any] = queue.Queue(self.size)
        stop = threading.Event()

        def work() -> None:
            try:
                for batch in self.source:
                    if not _put(ready, ("batch", batch), stop):
                        return
                _put(ready, ("end", None), stop)
            except Ended:
                return
            except BaseException as error:  # noqa: BLE001 - raised again in the consumer
                _put(ready, ("error", error), stop)

        ends_with_process(threading.Thread(target=work, daemon=True), 10.0).start()
        try:
            while True:
                kind, value = ready.get()
                if kind == "end":
                    return
                if kind == "error":
                    raise value
                yield value
        finally:
            stop.set()


def _put(ready: Any, entry: Any, stop: threading.Event) -> bool:
    while not stop.is_set():
        try:
            ready.put(entry, timeout=0.2)
            return True
        except queue.Full:
            continue
    return False
