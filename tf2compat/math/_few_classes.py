"""Softmax over a few classes on a CPU.

Along a last axis shorter than a vector of the processor torch's kernels go element by element, ten times as slow as along a first one: rows of a few
classes, as the pixels of a segmented image, are columns for it here.
"""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["few_classes", "log_softmax", "log_softmax_of_rows", "softmax"]

#: elements below which a call more costs what it saves
_LEAST = 1 << 11
_lanes = 0


def few_classes(x: Any) -> bool:
    """Whether x has few elements along its last axis, and many beside."""
    if x.device.type != "cpu" or x.ndim < 2 or x.dtype is not torch.float32 and x.dtype is not torch.float64:
        return False
    global _lanes
    if not _lanes:
        _lanes = 16 if "512" in torch.backends.cpu.get_cpu_capability() else 8
    n, size = x.shape[-1], x.numel()
    return type(n) is type(size) is int and 1 < n < (_lanes if x.dtype is torch.float32 else 16) and size >= _LEAST


def log_softmax_of_rows(x: Any) -> Any:
    """Of x [rows, classes]; the result lies in memory as its transpose."""
    return torch.log_softmax(x.t(), 0).t()


def _softmax_of_rows(x: Any) -> Any:
    return torch.softmax(x.t(), 0).t()


def _along(plain: Any, rows_of: Any, x: Any, axis: int) -> Any:
    axis = axis % x.ndim if x.ndim else axis
    if axis == x.ndim - 1:
        return rows_of(x.reshape(-1, x.shape[-1])).contiguous().reshape(x.shape) if few_classes(x) else plain(x, axis)
    if x.device.type == "cpu" and x.ndim and all(type(n) is int and n == 1 for n in x.shape[axis + 1 :]):
        return _along(plain, rows_of, x.reshape(x.shape[: axis + 1]), axis).reshape(x.shape)  # along the last axis, but for how it is written
    return plain(x, axis)


def softmax(x: Any, axis: int) -> Any:
    """torch's softmax, whose result lies in memory as usual."""
    size = x.numel()
    return _along(torch.softmax, _softmax_of_rows, x, axis) if type(size) is int and size >= _LEAST else torch.softmax(x, axis)


def log_softmax(x: Any, axis: int) -> Any:
    size = x.numel()
    return _along(torch.log_softmax, log_softmax_of_rows, x, axis) if type(size) is int and size >= _LEAST else torch.log_softmax(x, axis)
