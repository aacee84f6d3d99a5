"""`tf.train.experimental`: Python state in checkpoints, and checkpoints in several files."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

from tf2compat._engine.tensor import Tensor
from tf2compat._engine.trackable import Trackable
from tf2compat.train._sharding import MaxShardSizePolicy, ShardableTensor, ShardByTaskPolicy, ShardingCallback

__all__ = ["MaxShardSizePolicy", "PythonState", "ShardByTaskPolicy", "ShardableTensor", "ShardingCallback"]


class PythonState(Trackable, abc.ABC):
    """Python values that are saved with a checkpoint, as bytes (`tf.train.experimental.PythonState`)."""

    @abc.abstractmethod
    def serialize(self) -> str | bytes:
        """The state to save."""

    @abc.abstractmethod
    def deserialize(self, string_value: bytes) -> None:
        """Takes over state that `serialize` returned."""

    def _serialize_to_tensors(self) -> Mapping[str, Any]:
        return {"py_state": self.serialize()}

    def _restore_from_tensors(self, restored_tensors: Mapping[str, Tensor]) -> None:
        self.deserialize(restored_tensors["py_state"].numpy())
