"""`tf.train.CheckpointManager` and `tf.train.checkpoints_iterator`."""

from __future__ import annotations

import copy
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

from tf2compat._engine.logs import get_logger
from tf2compat.train import _formats
from tf2compat.train.checkpoint import Checkpoint, CheckpointOptions
from tf2compat.train.checkpoint_state import get_checkpoint_state, latest_checkpoint, remove_checkpoint, update_checkpoint_state

_log = get_logger()


def _number(value: Any) -> int:
    return int(value.numpy()) if hasattr(value, "numpy") else int(value)


class CheckpointManager:
    """Keeps the latest checkpoints in a directory and deletes older ones (`tf.train.CheckpointManager`).

    Raises ValueError for a `max_to_keep` that is not positive, and for a `checkpoint_interval` without `step_counter`.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        directory: Any,
        max_to_keep: int | None,
        keep_checkpoint_every_n_hours: float | None = None,
        checkpoint_name: str = "ckpt",
        step_counter: Any = None,
        checkpoint_interval: int | None = None,
        init_fn: Callable[[], Any] | None = None,
        last_checkpoint_step: int | None = None,
    ) -> None:
        if max_to_keep is not None and max_to_keep <= 0:
            raise ValueError(f"Expected a positive integer or `None` for `max_to_keep`, got {max_to_keep}.")
        if checkpoint_interval is not None and step_counter is None:
            raise ValueError("`step_counter` should be passed if `checkpoint_interval` is not None.")
        self._checkpoint = checkpoint
        self._max_to_keep = max_to_keep
        self._keep_every_n_hours = keep_checkpoint_every_n_hours
        self._directory = _formats.path_text(directory)
        self._prefix = os.path.join(self._directory, checkpoint_name)
        self._init_fn = init_fn
        self._step_counter = step_counter
        self._checkpoint_interval = checkpoint_interval
        self._last_checkpoint_step = last_checkpoint_step
        self._maybe_delete: OrderedDict[str, float] = OrderedDict()
        self._latest: str | None = None
        now = time.time()
        self._last_preserved = now - 1.0
        recovered = get_checkpoint_state(self._directory)
        if recovered is None:
            return
        self._latest = recovered.model_checkpoint_path
        self._last_preserved = recovered.last_preserved_timestamp
        if now < self._last_preserved:
            _log.warning(
                "time.time() returned a value %f seconds behind the last preserved checkpoint timestamp.", self._last_preserved - now
            )
            self._last_preserved = now
        paths = list(recovered.all_model_checkpoint_paths)
        times = list(recovered.all_model_checkpoint_timestamps) or [self._last_preserved] * len(paths)
        for path, stamp in zip(paths, times, strict=False):
            if min(stamp, now) > self._last_preserved:
                self._maybe_delete[path] = min(stamp, now)

    @property
    def directory(self) -> str:
        return self._directory

    @property
    def checkpoint(self) -> Checkpoint:
        return self._checkpoint

    @property
    def checkpoint_interval(self) -> int | None:
        return self._checkpoint_interval

    @property
    def latest_checkpoint(self) -> str | None:
        """The path of the latest checkpoint, or None."""
        return self._latest

    @property
    def checkpoints(self) -> list[str]:
        """The checkpoints being managed, oldest first, without those kept for good by `keep_checkpoint_every_n_hours`."""
        return list(self._maybe_delete)

    def _record_state(self) -> None:
        update_checkpoint_state(
            self._directory, self._latest or "", list(self._maybe_delete), list(self._maybe_delete.values()), self._last_preserved
        )

    def _sweep(self) -> None:
        while self._max_to_keep and len(self._maybe_delete) > self._max_to_keep:
            path, stamp = self._maybe_delete.popitem(last=False)
            if self._keep_every_n_hours and stamp - self._keep_every_n_hours * 3600.0 >= self._last_preserved:
                self._last_preserved = stamp
                continue
            remove_checkpoint(path)

    def _written(self, path: str) -> None:
        self._maybe_delete.pop(path, None)
        self._maybe_delete[path] = time.time()
        self._latest = path
        # Recorded before anything is deleted: whoever reads the file in between finds a checkpoint that exists.
        self._record_state()
        self._sweep()
        self._record_state()

    def save(self, checkpoint_number: Any = None, check_interval: bool = True, options: CheckpointOptions | None = None) -> str | None:
        """Writes a checkpoint, numbered by `save_counter` or as given, and deletes what is too many.

        Returns its path, or None if `checkpoint_interval` steps have not passed since the last.
        """
        if self._checkpoint_interval is not None:
            step = _number(self._step_counter)
            last = self._last_checkpoint_step
            if last is not None and (step == last or (check_interval and step < last + self._checkpoint_interval)):
                return None
            self._last_checkpoint_step = step
        self._checkpoint.sync()
        counter = self._checkpoint.save_counter
        counter.assign_add(1)
        number = _number(counter if checkpoint_number is None else checkpoint_number)
        return self._checkpoint._write(f"{self._prefix}-{number}", copy.copy(options), (self._written,))

    def restore_or_initialize(self) -> str | None:
        """Restores the latest checkpoint and returns its path; without one, calls `init_fn` and returns None."""
        if self._latest is not None:
            self._checkpoint.restore(self._latest)
            if self._checkpoint_interval is not None:
                self._last_checkpoint_step = _number(self._step_counter)
            return self._latest
        if self._init_fn is not None:
            self._init_fn()
            _log.info("Customized initialization is done through the passed `init_fn`.")
        return None

    def sync(self) -> None:
        """Waits until a checkpoint being written in the background is on disk."""
        self._checkpoint.sync()


def checkpoints_iterator(
    checkpoint_dir: Any,
    min_interval_secs: float = 0,
    timeout: float | None = None,
    timeout_fn: Callable[[], bool] | None = None,
) -> Iterator[str]:
    """Yields the path of each checkpoint that appears in a directory (`tf.train.checkpoints_iterator`).

    After `timeout` seconds without a new one it ends, unless `timeout_fn` returns false.
    """
    last = None
    while True:
        deadline = None if timeout is None else time.time() + timeout
        path = latest_checkpoint(checkpoint_dir)
        while path is None or path == last:
            if deadline is not None and time.time() + 1.0 > deadline:
                path = None
                break
            time.sleep(1.0)
            path = latest_checkpoint(checkpoint_dir)
        if path is None:
            if timeout_fn is None or timeout_fn():
                return
            continue
        last = path
        start = time.time()
        yield path
        remaining = start + min_interval_secs - time.time()
        if remaining > 0:
            time.sleep(remaining)
