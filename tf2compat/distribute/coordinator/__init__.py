"""`tf.distribute.coordinator`: the coordinator of parameter servers, which there are none of here."""

from __future__ import annotations

from typing import Any

from tf2compat._names import module_getattr

__all__ = ["ClusterCoordinator", "PerWorkerValue", "RemoteValue", "experimental_get_current_worker_index"]


class ClusterCoordinator:
    """Schedules functions on workers (`tf.distribute.coordinator.ClusterCoordinator`).

    ValueError for a strategy that is no ParameterServerStrategy, and there is no such strategy here.
    """

    def __init__(self, strategy: Any) -> None:
        raise ValueError(
            "Only `tf.distribute.experimental.ParameterServerStrategy` is supported to work with `tf.distribute.experimental.coordinator."
            "ClusterCoordinator` currently."
        )


class PerWorkerValue:
    """One value for each worker (`tf.distribute.coordinator.PerWorkerValue`)."""

    def __init__(self, values: Any) -> None:
        self._values = tuple(values)


class RemoteValue:
    """A value that a worker computes (`tf.distribute.coordinator.RemoteValue`): an interface."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("tf.distribute.coordinator.RemoteValue is what ClusterCoordinator.schedule returns")

    def fetch(self) -> Any:
        raise NotImplementedError("Must be implemented in subclasses.")

    def get(self) -> Any:
        raise NotImplementedError("Must be implemented in subclasses.")


def experimental_get_current_worker_index() -> Any:
    """The index of the worker that runs the function: there is none, RuntimeError."""
    raise RuntimeError("Cannot retrieve the worker index. `get_worker_idx_and_num_workers` should be called from within a tf.function being executed.")


__getattr__ = module_getattr("tf.distribute.coordinator")
