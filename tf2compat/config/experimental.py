"""`tf.config.experimental`, and the physical devices behind `tf.config`."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import torch

from .. import errors
from .._engine import devices
from .._names import module_getattr


class PhysicalDevice(NamedTuple):
    """A device of this machine (`tf.config.PhysicalDevice`)."""

    name: str
    device_type: str

    def __repr__(self) -> str:
        return f"PhysicalDevice(name='{self.name}', device_type='{self.device_type}')"


class LogicalDeviceConfiguration(NamedTuple):
    """A limit in MiB for a device (`tf.config.LogicalDeviceConfiguration`)."""

    memory_limit: int | None = None
    experimental_priority: int | None = None
    experimental_device_ordinal: int | None = None


VirtualDeviceConfiguration = LogicalDeviceConfiguration

_CPU = PhysicalDevice("/physical_device:CPU:0", "CPU")
#: memory limits that were set, by device name
limits: dict[str, Any] = {}
_growth: dict[str, bool] = {}
_synchronous = True


def _gpus() -> list[PhysicalDevice]:
    return [PhysicalDevice(f"/physical_device:GPU:{i}", "GPU") for i in range(devices.gpu_count())]


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices of this machine, of one type ("CPU", "GPU") or all."""
    return [d for d in [_CPU, *_gpus()] if device_type in (None, d.device_type)]


def check_device(device: Any) -> PhysicalDevice:
    if device not in list_physical_devices():
        raise ValueError(f"Unrecognized device: {device!r}")
    return device


def get_visible_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices that this process uses."""
    gpus = _gpus()
    shown = gpus if devices.visible_gpus is None else [gpus[i] for i in devices.visible_gpus]
    return [d for d in [_CPU, *shown] if device_type in (None, d.device_type)]


def set_visible_devices(devices: Any, device_type: str | None = None) -> None:  # noqa: F811 - TensorFlow's parameter name
    """Use only these devices. Without GPUs among them, tensors are made on the CPU."""
    from .._engine import devices as engine

    chosen = list(devices) if isinstance(devices, (list, tuple)) and not isinstance(devices, PhysicalDevice) else [devices]
    for d in chosen:
        check_device(d)
        if device_type is not None and d.device_type != device_type:
            raise ValueError(f"Unrecognized device: {d!r}")
    if device_type == "CPU":
        return
    engine.visible_gpus = [int(d.name.rsplit(":", 1)[1]) for d in chosen if d.device_type == "GPU"]
    engine.reset_default()



def get_memory_growth(device: PhysicalDevice) -> bool:
    """True: torch's allocator takes memory as it is needed. KeyError for the CPU, as in TensorFlow."""
    check_device(device)
    if device.device_type != "GPU":
        raise KeyError(device)
    return _growth.get(device.name, True)


def set_memory_growth(device: PhysicalDevice, enable: bool) -> None:
    """Accepted for GPUs: torch's allocator always grows. Preallocation (`enable=False`) is what it does not do."""
    check_device(device)
    if device.device_type != "GPU":
        raise ValueError("Cannot set memory growth on non-GPU and non-Pluggable devices")
    _growth[device.name] = bool(enable)


def get_virtual_device_configuration(device: PhysicalDevice) -> Any:
    check_device(device)
    return limits.get(device.name)


def set_virtual_device_configuration(device: PhysicalDevice, logical_devices: Any) -> None:
    """Limit the memory of a GPU (MiB), or give the CPU several names. ValueError for a GPU as several devices, which torch does not have."""
    check_device(device)
    configurations = list(logical_devices)
    if device.device_type == "CPU":
        if any(c.memory_limit is not None for c in configurations):
            raise ValueError("Setting memory limit on CPU virtual devices is currently not supported")
    elif len(configurations) > 1:
        raise ValueError(f"tf2compat cannot split {device.name} into {len(configurations)} logical devices")
    if configurations and device.device_type == "GPU" and configurations[0].memory_limit is not None:
        index = int(device.name.rsplit(":", 1)[1])
        total = torch.cuda.get_device_properties(index).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, configurations[0].memory_limit * 2**20 / total), index)
    limits[device.name] = configurations


def _cuda_index(device: Any) -> int:
    name = device if isinstance(device, str) else device.name
    found = devices.parse(name)
    if found.type != "cuda":
        raise ValueError(f"Allocator stats not available for device '{name}'")
    return found.index or 0


def get_memory_info(device: str) -> dict[str, int]:
    """Bytes in use now and at the peak on a GPU; ValueError for the CPU."""
    index = _cuda_index(device)
    return {"current": torch.cuda.memory_allocated(index), "peak": torch.cuda.max_memory_allocated(index)}


def get_memory_usage(device: str) -> int:
    """Bytes in use now on a GPU."""
    return get_memory_info(device)["current"]


def reset_memory_stats(device: str) -> None:
    torch.cuda.reset_peak_memory_stats(_cuda_index(device))


def get_device_details(device: PhysicalDevice) -> dict[str, Any]:
    """`device_name` and `compute_capability` of a GPU; nothing of the CPU."""
    check_device(device)
    if device.device_type != "GPU":
        return {}
    properties = torch.cuda.get_device_properties(int(device.name.rsplit(":", 1)[1]))
    return {"device_name": properties.name, "compute_capability": (properties.major, properties.minor)}


def enable_op_determinism() -> None:
    """Same results from run to run: torch's deterministic algorithms."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without which torch refuses matrix products on a GPU
    torch.use_deterministic_algorithms(True, warn_only=False)
    torch.backends.cudnn.benchmark = False  # in case the program asked for it: its choice hangs on what was faster


def enable_tensor_float_32_execution(enabled: bool) -> None:
    """Let float32 matrix products and convolutions on NVIDIA GPUs use TF32, as they do unless told otherwise."""
    devices.use_tf32(bool(enabled))


def tensor_float_32_execution_enabled() -> bool:
    return devices.tf32()


def get_synchronous_execution() -> bool:
    return _synchronous


def set_synchronous_execution(enable: bool) -> None:
    """CUDA work is asynchronous by itself and the CPU's is not, whatever is asked for; None and True are accepted.

    ValueError for False, which would promise more.
    """
    if enable is False:
        raise ValueError("tf2compat runs CPU ops synchronously; asynchronous eager execution is not supported")


def get_device_policy() -> str:
    return "silent"


def set_device_policy(device_policy: str | None) -> None:
    """Only "silent" (and None): tensors move to the device of the op without a word."""
    if device_policy not in (None, "silent"):
        raise ValueError(f"Unrecognized or unsupported device policy: {device_policy!r}; tf2compat has 'silent'")


def enable_mlir_bridge() -> None:
    """There is no MLIR bridge: raises UnimplementedError."""
    raise errors.UnimplementedError(None, None, "tf2compat has no MLIR bridge; jit_compile=True uses torch.compile")


def disable_mlir_bridge() -> None:
    """There is none to disable."""


class ClusterDeviceFilters:
    """TensorFlow's clusters are not supported: raises UnimplementedError."""

    def __init__(self) -> None:
        raise errors.UnimplementedError(None, None, "tf.config.experimental.ClusterDeviceFilters is not supported; use torch.distributed.")


_missing = module_getattr("tf.config.experimental")


def __getattr__(name: str) -> Any:
    if name == "list_logical_devices":
        from . import list_logical_devices as found

        return found
    return _missing(name)
