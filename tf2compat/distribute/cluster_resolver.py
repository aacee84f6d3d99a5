"""`tf.distribute.cluster_resolver`: where the tasks of a cluster are."""

from __future__ import annotations

import json
import os
from typing import Any

from tf2compat import errors
from tf2compat._names import module_getattr
from tf2compat.train.cluster import ClusterSpec

__all__ = [
    "ClusterResolver", "GCEClusterResolver", "KubernetesClusterResolver", "SimpleClusterResolver", "SlurmClusterResolver",
    "TFConfigClusterResolver", "TPUClusterResolver", "UnionResolver",
]  # fmt: skip


def _with_layer(address: str, rpc_layer: str | None) -> str:
    return f"{rpc_layer}://{address}" if rpc_layer and address is not None else address


class ClusterResolver:
    """Finds out the addresses of a cluster (`tf.distribute.cluster_resolver.ClusterResolver`): an interface."""

    task_type: Any = None
    task_id: Any = None
    rpc_layer: Any = None

    def cluster_spec(self) -> ClusterSpec:
        """The cluster's tasks and addresses."""
        raise NotImplementedError

    def master(self, task_type: Any = None, task_id: Any = None, rpc_layer: Any = None) -> str:
        """The address of the task to connect to."""
        raise NotImplementedError

    def num_accelerators(self, task_type: Any = None, task_id: Any = None, config_proto: Any = None) -> dict[str, int]:
        """How many accelerators of each kind this process has."""
        from tf2compat._engine import devices

        gpus = devices.gpu_count()
        return {"GPU": gpus} if gpus else {}

    @property
    def environment(self) -> str:
        return ""


class SimpleClusterResolver(ClusterResolver):
    """A cluster that is known (`tf.distribute.cluster_resolver.SimpleClusterResolver`); TypeError for what is no ClusterSpec."""

    def __init__(
        self, cluster_spec: Any, master: str = "", task_type: Any = None, task_id: Any = None, environment: str = "",
        num_accelerators: Any = None, rpc_layer: Any = None,
    ) -> None:  # fmt: skip
        if not isinstance(cluster_spec, ClusterSpec):
            raise TypeError("cluster_spec must be a `tf.train.ClusterSpec`.")
        self._cluster_spec, self._master, self._environment, self._num_accelerators = cluster_spec, master, environment, num_accelerators
        self.task_type, self.task_id, self.rpc_layer = task_type, task_id, rpc_layer

    def cluster_spec(self) -> ClusterSpec:
        return self._cluster_spec

    def master(self, task_type: Any = None, task_id: Any = None, rpc_layer: Any = None) -> str:
        if task_type is not None and task_id is not None:
            return _with_layer(self._cluster_spec.task_address(task_type, task_id), rpc_layer or self.rpc_layer)
        return _with_layer(self._master, rpc_layer or self.rpc_layer)

    def num_accelerators(self, task_type: Any = None, task_id: Any = None, config_proto: Any = None) -> Any:
        return super().num_accelerators() if self._num_accelerators is None else self._num_accelerators

    @property
    def environment(self) -> str:
        return self._environment


class TFConfigClusterResolver(ClusterResolver):
    """The cluster of the environment variable TF_CONFIG (`tf.distribute.cluster_resolver.TFConfigClusterResolver`)."""

    def __init__(self, task_type: Any = None, task_id: Any = None, rpc_layer: Any = None, environment: Any = None) -> None:
        self._task_type, self._task_id, self._rpc_layer, self._environment = task_type, task_id, rpc_layer, environment

    @staticmethod
    def _config() -> dict[str, Any]:
        return json.loads(os.environ.get("TF_CONFIG", "{}"))

    @property
    def task_type(self) -> Any:  # type: ignore[override]
        found = self._config().get("task", {}).get("type") if self._task_type is None else self._task_type
        return None if found is None else str(found)

    @task_type.setter
    def task_type(self, value: Any) -> None:
        self._task_type = value

    @property
    def task_id(self) -> Any:  # type: ignore[override]
        found = self._config().get("task", {}).get("index") if self._task_id is None else self._task_id
        return None if found is None else int(found)

    @task_id.setter
    def task_id(self, value: Any) -> None:
        self._task_id = value

    @property
    def rpc_layer(self) -> Any:  # type: ignore[override]
        return self._config().get("rpc_layer") if self._rpc_layer is None else self._rpc_layer

    @rpc_layer.setter
    def rpc_layer(self, value: Any) -> None:
        self._rpc_layer = value

    @property
    def environment(self) -> Any:
        return self._environment

    def cluster_spec(self) -> ClusterSpec:
        return ClusterSpec(self._config().get("cluster", {}))

    def master(self, task_type: Any = None, task_id: Any = None, rpc_layer: Any = None) -> str:
        spec = self.cluster_spec()
        if not spec.as_dict() or (len(spec.jobs) == 1 and len(spec.job_tasks(spec.jobs[0])) == 1):
            return ""
        task_type = self.task_type if task_type is None else task_type
        task_id = (self.task_id or 0) if task_id is None else task_id
        return _with_layer(spec.task_address(task_type, task_id), rpc_layer or self.rpc_layer)


class UnionResolver(ClusterResolver):
    """Several clusters as one (`tf.distribute.cluster_resolver.UnionResolver`)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not args:
            raise ValueError("At least one ClusterResolver is required.")
        for resolver in args:
            if not isinstance(resolver, ClusterResolver):
                raise TypeError("All arguments must be a sub-class of `ClusterResolver.`")
        self._resolvers = args
        self.rpc_layer = kwargs.pop("rpc_layer", args[0].rpc_layer)
        self.task_type, self.task_id = kwargs.pop("task_type", None), kwargs.pop("task_id", None)
        if kwargs:
            raise ValueError(f"Unexpected kwargs provided {kwargs!r}")

    def cluster_spec(self) -> ClusterSpec:
        """The tasks of all resolvers; those of one job follow each other."""
        merged: dict[str, list[str]] = {}
        for resolver in self._resolvers:
            for job, tasks in resolver.cluster_spec().as_dict().items():
                merged.setdefault(job, []).extend(tasks if isinstance(tasks, list) else tasks.values())
        return ClusterSpec(merged)

    def master(self, task_type: Any = None, task_id: Any = None, rpc_layer: Any = None) -> str:
        if task_type is not None and task_id is not None:
            return _with_layer(self.cluster_spec().task_address(task_type, task_id), rpc_layer or self.rpc_layer)
        return self._resolvers[0].master(rpc_layer=rpc_layer)

    @property
    def environment(self) -> Any:
        return self._resolvers[0].environment


class TPUClusterResolver(ClusterResolver):
    """A TPU's address (`tf.distribute.cluster_resolver.TPUClusterResolver`): there is none, so ValueError without a name, as in TensorFlow.

    UnimplementedError for a name: TPUs are not supported.
    """

    def __init__(
        self, tpu: Any = None, zone: Any = None, project: Any = None, job_name: str = "worker", coordinator_name: Any = None,
        coordinator_address: Any = None, credentials: str = "default", service: Any = None, discovery_url: Any = None,
    ) -> None:  # fmt: skip
        name = tpu or os.environ.get("TPU_NAME")
        if not name:
            raise ValueError("Please provide a TPU Name to connect to.")
        raise errors.UnimplementedError(None, None, f"TPUs are not supported: there is no TPU {name!r} to connect to.")

    @staticmethod
    def connect(tpu: Any = None, zone: Any = None, project: Any = None) -> Any:
        """Connect to a TPU and initialise it."""
        return TPUClusterResolver(tpu, zone, project)


class SlurmClusterResolver(ClusterResolver):
    """The cluster of a Slurm job: not supported, UnimplementedError; RuntimeError outside of one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "SLURM_PROCID" not in os.environ:
            raise RuntimeError("SLURM_PROCID not found in environment. Not running inside a SLURM step?")
        raise errors.UnimplementedError(None, None, "SlurmClusterResolver is not supported; use torch.distributed.")


class KubernetesClusterResolver(ClusterResolver):
    """The cluster of Kubernetes pods: not supported, UnimplementedError."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise errors.UnimplementedError(None, None, "KubernetesClusterResolver is not supported; use torch.distributed.")


class GCEClusterResolver(ClusterResolver):
    """The cluster of a Compute Engine instance group: not supported, UnimplementedError."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise errors.UnimplementedError(None, None, "GCEClusterResolver is not supported; use torch.distributed.")


__getattr__ = module_getattr("tf.distribute.cluster_resolver")
