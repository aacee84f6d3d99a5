"""Between TensorFlow's device strings and torch's devices."""

from __future__ import annotations

import re
from typing import Any

import torch

from . import state
from .tensor import Tensor, wrap

_PREFIX = "/job:localhost/replica:0/task:0/device:"
_DEVICE = re.compile(r"(?:^|[/:])(?:device:)?(cpu|gpu|xla_cpu|xla_gpu|tpu):(\d+|\*)$|(?:^|[/:])(?:device:)?(cpu|gpu)$", re.I)
_CPU = torch.device("cpu")
_default: torch.device | None = None
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
    return _default


def reset_default() -> None:
    global _default
    _default = None


def current() -> torch.device:
    return state.local.device or default()


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
        self._device = None if name in (None, "") else parse(name if isinstance(name, str) else name.to_string())

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
