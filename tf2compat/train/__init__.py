"""`tf.train`: checkpoints, moving averages, and the messages of training data."""

from __future__ import annotations

from typing import Any

from tf2compat.train import experimental
from tf2compat.train.checkpoint import Checkpoint, CheckpointOptions
from tf2compat.train.checkpoint_state import get_checkpoint_state, latest_checkpoint
from tf2compat.train.cluster import ClusterSpec
from tf2compat.train.coordinator import Coordinator
from tf2compat.train.manager import CheckpointManager, checkpoints_iterator
from tf2compat.train.moving_average import ExponentialMovingAverage
from tf2compat.train.reading import CheckpointView, TrackableView, list_variables, load_checkpoint, load_variable

# Need the package protobuf, so they load when first asked for.
_MESSAGES = frozenset(
    (
        "BytesList", "ClusterDef", "Example", "Feature", "FeatureList", "FeatureLists", "Features", "FloatList", "Int64List", "JobDef",
        "SequenceExample", "ServerDef",
    )  # fmt: skip
)

__all__ = [
    "Checkpoint", "CheckpointManager", "CheckpointOptions", "CheckpointView", "ClusterSpec", "Coordinator",
    "ExponentialMovingAverage", "TrackableView",
    "checkpoints_iterator", "experimental", "get_checkpoint_state", "latest_checkpoint", "list_variables", "load_checkpoint",
    "load_variable",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _MESSAGES:
        from tf2compat.train import messages

        return getattr(messages, name)
    from tf2compat._names import missing

    raise missing("tf.train", name)
