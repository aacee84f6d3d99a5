"""`tf.config`: devices, threads, execution."""

from __future__ import annotations

from typing import Any, NamedTuple

from .. import errors
from .._engine import devices
from .._names import module_getattr
from . import experimental, optimizer, threading
from .experimental import (
    LogicalDeviceConfiguration,
    PhysicalDevice,
    get_visible_devices,
    list_physical_devices,
    set_visible_devices,
)

__all__ = [
    "LogicalDevice", "LogicalDeviceConfiguration", "PhysicalDevice", "experimental", "experimental_connect_to_cluster",
    "experimental_functions_run_eagerly", "experimental_run_functions_eagerly", "functions_run_eagerly",
    "get_logical_device_configuration", "get_soft_device_placement", "get_visible_devices", "list_logical_devices",
    "list_physical_devices", "optimizer", "run_functions_eagerly", "set_logical_device_configuration",
    "set_soft_device_placement", "set_visible_devices", "threading",
]  # fmt: skip


class LogicalDevice(NamedTuple):
    """A device that ops run on (`tf.config.LogicalDevice`)."""

    name: str
    device_type: str

    def __repr__(self) -> str:
        return f"LogicalDevice(name='{self.name}', device_type='{self.device_type}')"


def list_logical_devices(device_type: str | None = None) -> list[LogicalDevice]:
    """The devices that ops can run on, of one type or all (`tf.config.list_logical_devices`)."""
    counts: dict[str, int] = {}
    out = []
    for d in get_visible_devices(device_type):
        for _ in experimental.limits.get(d.name) or (None,):
            n = counts.get(d.device_type, 0)
            counts[d.device_type] = n + 1
            out.append(LogicalDevice(f"/device:{d.device_type}:{n}", d.device_type))
    return out


def get_logical_device_configuration(device: PhysicalDevice) -> Any:
    """None: devices are not split (`tf.config.get_logical_device_configuration`)."""
    experimental.check_device(device)
    return experimental.limits.get(device.name)


def set_logical_device_configuration(device: PhysicalDevice, logical_devices: Any) -> None:
    """A memory limit (MiB) for one GPU, or several names for the CPU; splitting a GPU into several is not supported."""
    experimental.set_virtual_device_configuration(device, logical_devices)


def get_soft_device_placement() -> bool:
    """Whether an absent device is replaced by one that is there (`tf.config.get_soft_device_placement`)."""
    return devices.soft_placement


def set_soft_device_placement(enabled: bool) -> None:
    devices.soft_placement = bool(enabled)


_run_eagerly = False


def run_functions_eagerly(run_eagerly: bool) -> None:
    """Run the Python of every `tf.function` instead of its graph, for debugging (`tf.config.run_functions_eagerly`)."""
    global _run_eagerly
    _run_eagerly = bool(run_eagerly)


def functions_run_eagerly() -> bool:
    return _run_eagerly


def experimental_run_functions_eagerly(run_eagerly: bool) -> None:
    """The older name of `run_functions_eagerly`."""
    run_functions_eagerly(run_eagerly)


def experimental_functions_run_eagerly() -> bool:
    """The older name of `functions_run_eagerly`."""
    return functions_run_eagerly()


def experimental_connect_to_cluster(*args: Any, **kwargs: Any) -> None:
    """TensorFlow's clusters are not supported; use torch.distributed."""
    raise errors.UnimplementedError(None, None, "tf.config.experimental_connect_to_cluster is not supported; use torch.distributed.")


__getattr__ = module_getattr("tf.config")
