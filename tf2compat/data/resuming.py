"""`Dataset.save(checkpoint_args=…)`: saving that goes on where an earlier attempt was interrupted.

Elements go to parts of shards. Writing a checkpoint of the iterator closes the open parts first, so what a checkpoint counts is on
disk; restoring one drops the parts that came after it.
"""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from typing import Any

import numpy as np

from .._engine.tensor import numpy_of
from .dataset import Dataset
from .iterator import OwnedIterator
from .saving import describe, forget, numbered, writing


class _SavingIterator(OwnedIterator):
    """Goes over a dataset, writing its elements."""

    def __init__(self, dataset: Dataset, folder: str, spec: Any, packed: bool, sharded: bool) -> None:
        super().__init__(dataset)
        self._folder, self._written, self._packed, self._sharded = folder, spec, packed, sharded
        self._names: list[str] = []  # of whole parts
        self._part = 0
        self._open: dict[int, Any] = {}
        self._stack = ExitStack()

    def write_one(self) -> bool:
        """Write the next element; whether there was one."""
        try:
            flat = next(self._flat)
        except StopIteration:
            return False
        shard = 0
        if self._sharded:
            *flat, number = flat
            shard = int(numpy_of(number))
        self._writer(shard)(flat)
        self._position += 1
        return True

    def _writer(self, shard: int) -> Any:
        if shard not in self._open:
            if shard < 0:
                from ..errors import InvalidArgumentError

                raise InvalidArgumentError(None, None, f"shard_func must return a non-negative number, got {shard}")
            name = f"{shard:08d}.{self._part:08d}.elements"
            self._open[shard] = self._stack.enter_context(writing(os.path.join(self._folder, name), self._written, self._packed))
            self._names.append(name)
        return self._open[shard]

    def finish_part(self) -> None:
        """What was written so far is on disk under its name."""
        self._stack.close()
        self._open, self._part = {}, self._part + 1

    def end(self) -> None:
        """All elements are written: the folder holds a dataset."""
        if not self._names:
            self._writer(0)
        self.finish_part()
        forget(self._folder, set(self._names))
        describe(self._folder, self._written, self._position)

    def abort(self, error: BaseException) -> None:
        """Leave no half-written part behind."""
        self._stack.__exit__(type(error), error, error.__traceback__)

    def _serialize_to_tensors(self) -> dict[str, Any]:
        self.finish_part()
        state = super()._serialize_to_tensors()
        held = json.loads(state["ITERATOR_STATE"][()])
        box = np.empty((), dtype=object)
        box[()] = json.dumps({**held, "parts": self._names}).encode()
        return {"ITERATOR_STATE": box}

    def _restore_from_tensors(self, restored_tensors: Any) -> None:
        super()._restore_from_tensors(restored_tensors)
        found = restored_tensors["ITERATOR_STATE"]
        value = np.asarray(found.numpy() if hasattr(found, "numpy") else found, dtype=object).reshape(-1)
        self._names = [os.path.basename(str(n)) for n in json.loads(value[0]).get("parts", [])]
        self._part = 1 + max((int(n.split(".")[1]) for n in self._names), default=-1)


def save_with_checkpoints(dataset: Dataset, folder: str, packed: bool, shard_func: Any, checkpoint_args: dict[str, Any]) -> None:
    """Save a dataset, with checkpoints as `tf.train.CheckpointManager(**checkpoint_args)` makes them on the way.

    ValueError for arguments that name a checkpoint.
    """
    from ..train import Checkpoint, CheckpointManager

    if "checkpoint" in checkpoint_args:
        raise ValueError("'Invalid `checkpoint_args`. `checkpoint_args` are not allowed to include 'checkpoint'.")
    os.makedirs(folder, exist_ok=True)
    source = dataset if shard_func is None else numbered(dataset, shard_func)
    iterator = _SavingIterator(source, folder, dataset.element_spec, packed, shard_func is not None)
    checkpoint = Checkpoint(iterator=iterator)
    manager = CheckpointManager(checkpoint, **checkpoint_args)
    checkpoint.restore(manager.latest_checkpoint)
    counter = checkpoint_args.get("step_counter")
    try:
        while iterator.write_one():
            if counter is not None:
                counter.assign_add(1)
            manager.save(check_interval=True)
    except BaseException as error:
        iterator.abort(error)
        raise
    iterator.end()
