"""`tf.distribute.experimental.coordinator`: the older home of `tf.distribute.coordinator`."""

from __future__ import annotations

from tf2compat._names import module_getattr
from tf2compat.distribute.coordinator import ClusterCoordinator, RemoteValue
from tf2compat.distribute.coordinator import PerWorkerValue as PerWorkerValues

__all__ = ["ClusterCoordinator", "PerWorkerValues", "RemoteValue"]

__getattr__ = module_getattr("tf.distribute.experimental.coordinator")
