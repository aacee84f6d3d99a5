"""Between TensorFlow's device strings and torch's devices."""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import torch

from . import state
from .tensor import Tensor, wrap

_R = TypeVar("_R")
_PREFIX = "/job:localhost/replica:0/task:0/device:"
_DEVICE = re.compile(r"(?:^|[/:])(?:device:)?(cpu|gpu|xla_cpu|xla_gpu|tpu):(\d+|\*)$|(?:^|[/:])(?:device:)?(cpu|gpu)$", re.I)
_CPU = torch.device("cpu")
_default: torch.device | None = None
#: what was said about TF32, by the program or on its behalf
_tf32: bool | None = None
#: set by tf.config.set_visible_devices; None means all
visible_gpus: list[int] | None = None
soft_placement = True


def gpu_count() -> int:
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def default() -> torch.device:
    """Where tensors are made when no `tf.device` says otherwise: the first visible GPU, else the CPU."""
    global _default
    if _default is None:
        gpus = list(range(gpu_count())) if visible_gpus is None else visible_gpus
        _default = torch.device("cuda", gpus[0]) if gpus else _CPU
        if gpus and _tf32 is None:
            use_tf32(True)  # as TensorFlow does
    return _default


def use_tf32(enabled: bool) -> None:
    """Whether float32 matrix products and convolutions on NVIDIA GPUs round their operands to TF32."""
    global _tf32
    _tf32 = enabled
    torch.set_float32_matmul_precision("high" if enabled else "highest")
    with warnings.catch_warnings():  # torch's new setting and this one exclude each other, and it is younger than some supported release
        warnings.simplefilter("ignore")
        torch.backends.cudnn.allow_tf32 = enabled


def tf32() -> bool:
    return True if _tf32 is None else _tf32


def reset_default() -> None:
    global _default
    _default = None


def current() -> torch.device:
    return state.local.device or state.local.home or default()


def accelerated() -> bool:
    """Whether tensors are made elsewhere than in the host's memory when nobody says otherwise."""
    return (_default or default()) is not _CPU


class host_side:
    """Work that stays in the host's memory whatever the default is: pipelines, as TensorFlow's do."""

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        local = state.local
        self._before = local.device, local.home
        local.device, local.home = None, _CPU

    def __exit__(self, *exc: object) -> None:
        state.local.device, state.local.home = self._before


def stay_on_host() -> None:
    """All that this thread does is `host_side`."""
    state.local.home = _CPU


def hosted(fn: Callable[..., _R]) -> Callable[..., _R]:
    """A function whose work is `host_side`."""

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> _R:
        if not accelerated():
            return fn(*args, **kwargs)
        with host_side():
            return fn(*args, **kwargs)

    return call


def on_the_host(value: Any) -> Any:
    """A tensor, or what is made of tensors, in the host's memory."""
    return _carried(value, _CPU)


def placed(value: Any) -> Any:
    """A tensor of the host, or what is made of such, where the program's tensors are; copied beside the program where the memory allows it."""
    target = current()
    return value if target is _CPU else _carried(value, target)


def _carried(value: Any, target: torch.device) -> Any:
    if isinstance(value, Tensor):
        t = value._t
        if not isinstance(t, torch.Tensor) or t.device.type in (target.type, "meta") or hasattr(value, "_node"):
            return value
        moved = wrap(t.to(target, non_blocking=t.device.type == "cpu" and t.is_pinned()))
        moved._tape = value._tape
        return moved
    if hasattr(type(value), "_tf_components") and hasattr(value, "_tf_from_components"):
        parts = list(value._tf_components())
        carried = [_carried(p, target) for p in parts]
        return value if all(a is b for a, b in zip(parts, carried, strict=True)) else value._tf_from_components(carried)
    return value


_dispatching = torch._C._len_torch_dispatch_stack
_transforming = torch._C._functorch.peek_interpreter_stack


def on_host(t: torch.Tensor) -> bool:
    """Whether Python may look at a tensor's values at no cost: plain host memory, which nobody traces or transforms."""
    return type(t) is torch.Tensor and t.is_cpu and not _dispatching() and _transforming() is None


def full_name(storage: Any) -> str:
    """TensorFlow's name of the device that holds `storage`."""
    device = getattr(storage, "device", _CPU)
    if not isinstance(device, torch.device) or device.type in ("cpu", "meta"):
        return _PREFIX + "CPU:0"
    return f"{_PREFIX}GPU:{device.index or 0}"


def parse(name: str) -> torch.device:
    """The torch device of a TensorFlow device string; unknown ones fall back to the CPU under soft placement.

    Raises ValueError for a malformed name and InvalidArgumentError for an absent device without soft placement.
    """
    from tf2compat.errors import InvalidArgumentError

    match = _DEVICE.search(name.strip())
    if match is None:
        raise ValueError(f"Failed to parse device name: {name!r}. Expected for example '/CPU:0', '/GPU:0' or '/device:GPU:0'.")
    kind = (match[1] or match[3]).lower()
    index = 0 if match[2] in (None, "*") else int(match[2])
    if kind == "cpu" and index == 0:
        return _CPU
    if kind == "gpu" and index < gpu_count():
        return torch.device("cuda", index)
    if soft_placement:
        return default() if kind == "gpu" else _CPU
    known = ", ".join([_PREFIX + "CPU:0"] + [f"{_PREFIX}GPU:{i}" for i in range(gpu_count())])
    raise InvalidArgumentError(None, None, f"Could not satisfy device specification '{name}'. All available devices [{known}].")


class device_scope:
    """`with tf.device(...)`: tensors are made, and ops run, on this device."""

    def __init__(self, name: Any) -> None:
        if callable(name):
            raise RuntimeError("tf.device does not support functions when eager execution is enabled.")
        if name is not None and not isinstance(name, str):  # a LogicalDevice, or a DeviceSpec
            name = name.to_string() if hasattr(name, "to_string") else name.name
        self._device_name = name  # as TensorFlow's, which programs read to name the device in their own scopes
        self._device = None if name in (None, "") else parse(name)

    def __enter__(self) -> None:
        self._outer = state.local.device
        if self._device is not None:
            state.local.device = self._device
        state.enter_slow()

    def __exit__(self, *exc: object) -> None:
        state.local.device = self._outer
        state.exit_slow()


def copy_to(tensor: Tensor, device: str) -> Tensor:
    target = torch.device(device)
    if target.type == "cuda" and (target.index or 0) >= gpu_count():
        raise RuntimeError(f"GPU:{target.index or 0} unknown device.")
    storage = tensor._t
    if not isinstance(storage, torch.Tensor):
        return tensor
    moved = wrap(storage.to(target))
    moved._tape = tensor._tape
    return moved
