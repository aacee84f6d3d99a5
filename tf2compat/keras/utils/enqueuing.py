"""Enqueuers: batches of a `Sequence` or generator made ahead of time by threads."""

from __future__ import annotations

import itertools
import queue
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tf2compat._threads import Ended, ends_with_process

_numbers = itertools.count()
_END = object()


class SequenceEnqueuer:
    """The class that enqueuers inherit from (`tf.keras.utils.SequenceEnqueuer`).

    `start` fills a queue, `get` gives a generator of what is in it, `stop` ends both. Differs from TensorFlow: workers are
    threads with `use_multiprocessing` too, which gives the same items.
    """

    def __init__(self, sequence: Any, use_multiprocessing: bool = False) -> None:
        self.sequence = sequence
        self.use_multiprocessing = use_multiprocessing
        self.uid = next(_numbers)
        self.workers = 0
        self.queue: Any = None
        self.run_thread: threading.Thread | None = None
        self.stop_signal: threading.Event | None = None

    def is_running(self) -> bool:
        """Whether it was started and not stopped."""
        return self.stop_signal is not None and not self.stop_signal.is_set()

    def start(self, workers: int = 1, max_queue_size: int = 10) -> None:
        """Begin to fill the queue, with that many threads."""
        self.workers = workers
        self.queue = queue.Queue(max_queue_size)
        self.stop_signal = threading.Event()
        self.run_thread = ends_with_process(threading.Thread(target=self._work, daemon=True), 10.0)
        self.run_thread.start()

    def stop(self, timeout: float | None = None) -> None:
        """End the threads."""
        if self.stop_signal is None or self.run_thread is None:
            return
        self.stop_signal.set()
        while True:  # make room, so that the thread sees the signal
            try:
                self.queue.get_nowait()
            except queue.Empty:
                break
        if self.run_thread is not threading.current_thread():
            self.run_thread.join(timeout)

    def _work(self) -> None:
        try:
            self._run()
        except Ended:
            return  # the process ends
        except RuntimeError as error:
            if "cannot schedule new futures after" not in str(error):  # the same, seen by the workers first
                raise

    def _put(self, item: Any) -> bool:
        """Wait for room in the queue; whether there was any before the end."""
        while self.is_running():
            try:
                self.queue.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def _take(self) -> Any:
        while self.is_running():
            try:
                return self.queue.get(timeout=0.1)
            except queue.Empty:
                continue
        return _END

    def __del__(self) -> None:
        if getattr(self, "stop_signal", None) is not None:
            self.stop_signal.set()  # type: ignore[union-attr]

    def _run(self) -> None:
        raise NotImplementedError

    def get(self) -> Iterator[Any]:
        """The items of the queue."""
        raise NotImplementedError


class OrderedEnqueuer(SequenceEnqueuer):
    """The batches of a `Sequence` in order, epoch after epoch (`tf.keras.utils.OrderedEnqueuer`)."""

    def __init__(self, sequence: Any, use_multiprocessing: bool = False, shuffle: bool = False) -> None:
        super().__init__(sequence, use_multiprocessing)
        self.shuffle = shuffle

    def _run(self) -> None:
        order = list(range(len(self.sequence)))
        with ThreadPoolExecutor(max(self.workers, 1)) as pool:
            while self.is_running():
                if self.shuffle:
                    random.shuffle(order)
                waiting: list[Any] = []
                for i in order:
                    waiting.append(pool.submit(self.sequence.__getitem__, i))
                    if not self._put(waiting[-1]):
                        break
                for future in waiting:  # `on_epoch_end` may change what the batches are
                    if not self.is_running():
                        future.cancel()
                    else:
                        future.exception()
                if self.is_running():
                    self.sequence.on_epoch_end()

    def get(self) -> Iterator[Any]:
        """The batches, without end until `stop`; an error of a batch is raised here."""
        while True:
            future = self._take()
            if future is _END:
                return
            try:
                found = future.result()
            except Exception:
                self.stop()
                raise
            if found is not None:
                yield found


class GeneratorEnqueuer(SequenceEnqueuer):
    """What a generator yields (`tf.keras.utils.GeneratorEnqueuer`). One thread at a time asks it, so that any generator will do."""

    def __init__(self, generator: Any, use_multiprocessing: bool = False, random_seed: int | None = None) -> None:
        if random_seed is not None and use_multiprocessing:
            raise NotImplementedError("GeneratorEnqueuer: random_seed seeds worker processes, and tf2compat's workers are threads")
        super().__init__(generator, use_multiprocessing)
        self.random_seed = random_seed

    def _run(self) -> None:
        while self.is_running():
            try:
                item: Any = (True, next(self.sequence))
            except StopIteration:
                item = (True, _END)
            except Exception as error:  # noqa: BLE001 - raised again where the items are taken
                item = (False, error)
            if not self._put(item) or item[1] is _END or not item[0]:
                return

    def get(self) -> Iterator[Any]:
        """The items; ends with the generator. An error of the generator is raised here."""
        while True:
            found = self._take()
            if found is _END or found[1] is _END:
                return
            if not found[0]:
                self.stop()
                raise found[1]
            if found[1] is not None:
                yield found[1]
