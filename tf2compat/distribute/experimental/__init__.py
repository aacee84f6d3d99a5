"""`tf.distribute.experimental`."""

from __future__ import annotations

from typing import Any

from tf2compat import errors
from tf2compat._names import module_getattr
from tf2compat.distribute import _strategies
from tf2compat.distribute._strategies import CentralStorageStrategy, ParameterServerStrategy
from tf2compat.distribute.experimental import coordinator, partitioners, rpc
from tf2compat.distribute.experimental.communication import (
    CollectiveCommunication,
    CollectiveHints,
    CommunicationImplementation,
    CommunicationOptions,
)

__all__ = [
    "CentralStorageStrategy", "CollectiveCommunication", "CollectiveHints", "CommunicationImplementation", "CommunicationOptions",
    "MultiWorkerMirroredStrategy", "ParameterServerStrategy", "PreemptionCheckpointHandler", "PreemptionWatcher", "TPUStrategy",
    "TerminationConfig", "ValueContext", "coordinator", "partitioners", "rpc",
]  # fmt: skip


class MultiWorkerMirroredStrategy(_strategies.MultiWorkerMirroredStrategy):
    """The older form of `tf.distribute.MultiWorkerMirroredStrategy`."""

    def __init__(self, communication: Any = CommunicationImplementation.AUTO, cluster_resolver: Any = None) -> None:
        super().__init__(cluster_resolver, CommunicationOptions(implementation=communication))


class TPUStrategy(_strategies.TPUStrategy):
    """The older form of `tf.distribute.TPUStrategy`."""

    def __init__(self, tpu_cluster_resolver: Any = None, device_assignment: Any = None) -> None:
        super().__init__(tpu_cluster_resolver, device_assignment)


class ValueContext:
    """Which replica a value is for (`tf.distribute.experimental.ValueContext`)."""

    def __init__(self, replica_id_in_sync_group: int = 0, num_replicas_in_sync: int = 1) -> None:
        self._replica_id_in_sync_group = replica_id_in_sync_group
        self._num_replicas_in_sync = num_replicas_in_sync

    @property
    def num_replicas_in_sync(self) -> int:
        return self._num_replicas_in_sync

    @property
    def replica_id_in_sync_group(self) -> int:
        return self._replica_id_in_sync_group

    def __str__(self) -> str:
        return f"tf.distribute.ValueContext(replica id {self._replica_id_in_sync_group},  total replicas in sync: {self._num_replicas_in_sync})"


class TerminationConfig:
    """What happens when a worker is about to be stopped (`tf.distribute.experimental.TerminationConfig`)."""

    def __init__(self, termination_watcher_fn: Any = None, exit_fn: Any = None, grace_period: Any = None, save_fn: Any = None) -> None:
        self.termination_watcher_fn = termination_watcher_fn
        self.exit_fn = exit_fn
        self.grace_period = grace_period or 0
        self.save_fn = save_fn


class PreemptionCheckpointHandler:
    """Saves a checkpoint when a worker is about to be stopped: not supported, UnimplementedError."""

    def __init__(self, cluster_resolver: Any, checkpoint_or_checkpoint_manager: Any, checkpoint_dir: Any = None, termination_config: Any = None) -> None:
        raise errors.UnimplementedError(
            None, None, "tf.distribute.experimental.PreemptionCheckpointHandler is not supported; use tf.keras.callbacks.BackupAndRestore."
        )


class PreemptionWatcher:
    """Watches for a cluster's preemption signals: not supported, UnimplementedError."""

    def __init__(self) -> None:
        raise errors.UnimplementedError(None, None, "tf.distribute.experimental.PreemptionWatcher is not supported: a program runs on one process.")


__getattr__ = module_getattr("tf.distribute.experimental")
