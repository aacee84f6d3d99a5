"""The strategies."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from tf2compat import errors
from tf2compat._engine import devices as _devices
from tf2compat._top.calling import get_logger

from . import _context
from ._cross_device import CrossDeviceOps
from ._extended import StrategyExtended
from ._strategy import Strategy

_PREFIX = "/job:localhost/replica:0/task:0/device:"


def _canonical(device: str) -> str:
    """`/gpu:0` as TensorFlow writes it in full; ValueError for a name that is none."""
    from tf2compat._top.devices import DeviceSpec

    spec = DeviceSpec.from_string(getattr(device, "name", device))
    if spec.device_type is None:
        raise ValueError(f"Expected a device such as '/gpu:0', got {device!r}")
    return f"{_PREFIX}{spec.device_type}:{spec.device_index or 0}"


def _present() -> tuple[str, ...]:
    """The device that a strategy without a list of devices runs on."""
    default = _devices.default()
    return (f"{_PREFIX}GPU:{default.index or 0}" if default.type == "cuda" else f"{_PREFIX}CPU:0",)


class _OnDevices(StrategyExtended):
    """Runs on the device that was named."""

    def __init__(self, container_strategy: Any, devices: tuple[str, ...]) -> None:
        super().__init__(container_strategy)
        self._devices = devices

    @contextlib.contextmanager
    def _placed(self, replica: int = 0) -> Iterator[None]:
        device = _devices.parse(self._devices[replica])
        if device == _devices.current():
            yield
        else:
            with _devices.device_scope(self._devices[replica]):
                yield


class MirroredExtended(_OnDevices):
    _mirrors = True


class OneDeviceExtended(_OnDevices):
    pass


class DefaultExtended(StrategyExtended):
    def _make(self, creator: Any, **kwargs: Any) -> Any:
        return creator(**kwargs)

    def variable_created_in_scope(self, v: Any) -> bool:
        return getattr(v, "_strategy", None) is None


class DefaultStrategy(Strategy):
    """What `get_strategy` answers outside of every scope."""

    def __init__(self) -> None:
        super().__init__(DefaultExtended(self))

    def scope(self) -> Any:
        _context.require_cross_replica(self)
        return _DefaultScope()

    def run(self, fn: Any, args: Any = (), kwargs: Any = None, options: Any = None) -> Any:
        from ._replica import _called
        from ._values import for_replica

        _context.require_cross_replica(self)
        return _called(fn, for_replica(0, tuple(args)), for_replica(0, dict(kwargs or {})))

    def _after_reduce(self, value: Any) -> Any:
        return value

    def _per_replica(self, value: Any) -> Any:
        return value

    def _distributed_dataset(self, dataset: Any) -> Any:
        return dataset


class _DefaultScope:
    def __enter__(self) -> Any:
        return _context.default()

    def __exit__(self, *exc: object) -> None:
        pass


class OneDeviceStrategy(Strategy):
    """Everything on one device (`tf.distribute.OneDeviceStrategy`)."""

    def __init__(self, device: str) -> None:
        super().__init__(OneDeviceExtended(self, (_canonical(device),)))

    def _after_reduce(self, value: Any) -> Any:
        return value

    def _per_replica(self, value: Any) -> Any:
        return value


class MirroredStrategy(Strategy):
    """A replica on each device, with variables mirrored on all (`tf.distribute.MirroredStrategy`).

    Differs from TensorFlow: without `devices` it is on the default device. Several replicas are possible on logical CPU devices, or
    such as are absent, where their steps take turns; UnimplementedError for several GPUs. `all_reduce` in a replica has the gradient of its own value alone.
    """

    def __init__(self, devices: Any = None, cross_device_ops: Any = None) -> None:
        if devices is None:
            found = _present()
            if _devices.default().type == "cuda" and _visible_gpus() > 1:
                get_logger().warning(
                    f"MirroredStrategy uses one of the {_visible_gpus()} GPUs ({found[0]}): several replicas are not supported yet."
                )
        else:
            found = tuple(_canonical(d) for d in ([devices] if isinstance(devices, str) else devices)) or _present()
        if len(set(found)) != len(found):
            raise AssertionError(f"No duplicates allowed in `devices` argument: {found}")
        absent = [d.removeprefix("/job:localhost") for d in found if not _is_present(d)]
        if absent:
            get_logger().warning(f"Some requested devices in `tf.distribute.Strategy` are not visible to TensorFlow: {','.join(absent)}")
        if cross_device_ops is not None and not isinstance(cross_device_ops, CrossDeviceOps):
            raise TypeError(f"`cross_device_ops` must be a tf.distribute.CrossDeviceOps, got {cross_device_ops!r}")
        extended = MirroredExtended(self, found)
        # absent devices are stood in for by one that is there
        extended._many = len(found) > 1 and len({_devices.parse(d) for d in found}) == 1
        super().__init__(extended)
        get_logger().info(f"Using MirroredStrategy with devices {found}")


def _visible_gpus() -> int:
    return len(_devices.visible_gpus) if _devices.visible_gpus is not None else _devices.gpu_count()


def _is_present(device: str) -> bool:
    kind, _, index = device.removeprefix(_PREFIX).partition(":")
    if kind == "CPU":
        from tf2compat.config import list_logical_devices

        return int(index) < max(1, len(list_logical_devices("CPU")))
    return int(index) < (_devices.gpu_count() if kind == "GPU" else 0)


class CollectiveAllReduceExtended(MirroredExtended):
    _cluster_resolver: Any = None

    @property
    def experimental_between_graph(self) -> bool:
        return True


class CollectiveAllReduceStrategy(Strategy):
    """A replica on each device of each worker (`tf.distribute.MultiWorkerMirroredStrategy`).

    Differs from TensorFlow: one worker. UnimplementedError for a cluster of more.
    """

    def __init__(self, cluster_resolver: Any = None, communication_options: Any = None) -> None:
        from .cluster_resolver import TFConfigClusterResolver
        from .experimental import CommunicationOptions

        if communication_options is not None and not isinstance(communication_options, CommunicationOptions):
            raise TypeError(f"`communication_options` must be a tf.distribute.experimental.CommunicationOptions, got {communication_options!r}")
        resolver = cluster_resolver if cluster_resolver is not None else TFConfigClusterResolver()
        spec = resolver.cluster_spec()
        workers = sum(len(spec.as_dict().get(job, ())) for job in ("chief", "worker"))
        if workers > 1:
            raise errors.UnimplementedError(
                None, None, f"MultiWorkerMirroredStrategy with {workers} workers is not supported yet: one worker is. The cluster is {spec}."
            )  # fmt: skip
        extended = CollectiveAllReduceExtended(self, _present())
        extended._cluster_resolver = resolver
        super().__init__(extended)


# what TensorFlow prints is the strategy's inner name; the public one is this
MultiWorkerMirroredStrategy = CollectiveAllReduceStrategy


class CentralStorageExtended(_OnDevices):
    @property
    def experimental_between_graph(self) -> bool:
        return True


class CentralStorageStrategy(Strategy):
    """Variables on one device, computation on others (`tf.distribute.experimental.CentralStorageStrategy`); one device here."""

    def __init__(self, compute_devices: Any = None, parameter_device: Any = None) -> None:
        found = _present() if compute_devices is None else tuple(_canonical(d) for d in compute_devices)
        if parameter_device is not None and _devices.parse(parameter_device) != _devices.parse(found[0]):
            raise errors.UnimplementedError(None, None, f"A parameter device {parameter_device!r} other than the compute device {found[0]!r} is not supported.")
        super().__init__(CentralStorageExtended(self, found))


class ParameterServerStrategy(Strategy):
    """Variables on parameter servers (`tf.distribute.ParameterServerStrategy`): not supported, UnimplementedError."""

    def __init__(self, cluster_resolver: Any, variable_partitioner: Any = None) -> None:
        raise errors.UnimplementedError(None, None, "ParameterServerStrategy is not supported: a program runs on one process.")


class TPUStrategy(Strategy):
    """Replicas on the cores of a TPU (`tf.distribute.TPUStrategy`): there is none.

    ValueError without a resolver, as in TensorFlow; UnimplementedError otherwise.
    """

    def __init__(
        self, tpu_cluster_resolver: Any = None, experimental_device_assignment: Any = None, experimental_spmd_xla_partitioning: bool = False
    ) -> None:
        if tpu_cluster_resolver is None:
            from .cluster_resolver import TPUClusterResolver

            TPUClusterResolver("")
        raise errors.UnimplementedError(None, None, "TPUStrategy is not supported: TPUs are not.")
