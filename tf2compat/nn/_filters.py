"""Filters of convolutions as oneDNN holds them, kept while they do not change.

TensorFlow's filters are [height, width, in, out]. torch's convolution copies them to its own layout and then to oneDNN's blocks at every call,
which for the late layers of an image model takes several times as long as the convolution. A filter that is used a second time with
the values of the first is packed, and the packed form is kept for its tensor: inference, whose filters stand still, copies nothing.
Whether they are, torch's count of changes tells; whatever writes to a variable's memory past torch counts too (`held.changed`). A few
elements are compared besides, for what other libraries may write: torch's own fused optimizers do not count.
"""

from __future__ import annotations

from typing import Any

import torch

from .._engine.held import held, hold

__all__ = ["as_product", "few_rows", "packed"]

#: rows of a matrix that are multiplied faster than oneDNN has copied the filter
_FEW = 4096
#: elements of a filter that are compared
_SAMPLE = 64
#: elements of filters whose copies cost too little to keep any
_SMALL = 1 << 16
_usable: bool | None = None


def _available() -> bool:
    """Whether this torch has the operations that Inductor packs filters by."""
    global _usable
    if _usable is None:
        ops = torch.ops.mkldnn
        _usable = torch.backends.mkldnn.is_available() and hasattr(ops, "_reorder_convolution_weight") and hasattr(ops, "_convolution_pointwise")
    return _usable


def _watched(*tensors: Any) -> bool:
    """Whether anybody records what is computed: autograd, forward or backward, a transform, a tracer."""
    return (
        (torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors))
        or torch._C._len_torch_dispatch_stack() > 0
        or torch._C._functorch.peek_interpreter_stack() is not None
        or torch.autograd.forward_ad._current_level >= 0
    )


def few_rows(x: Any) -> bool:
    """Whether a 1x1 convolution of x [batch, in, height, width] is better a product of matrices, which copies no filter."""
    rows = x.shape[0] * x.shape[2] * x.shape[3]
    return x.device.type == "cpu" and type(rows) is int and rows <= _FEW and x.shape[1] >= 8


def as_product(x: Any, w: Any, bias: Any) -> Any:
    """The convolution of x [batch, in, height, width] by w [1, 1, in, out] as a product of matrices."""
    x = x.permute(0, 2, 3, 1)
    rows, matrix = x.reshape(-1, x.shape[3]), w.reshape(w.shape[2:])
    out = rows @ matrix if bias is None else torch.addmm(bias, rows, matrix)
    return out.reshape(*x.shape[:3], -1).permute(0, 3, 1, 2)


def packed(x: Any, w: Any, bias: Any, strides: Any, padding: Any, rates: Any, groups: int) -> Any:
    """The 2-D convolution of x [batch, in, height, width], channels last in memory, by w [height, width, in, out]; None where nothing is kept."""
    if type(w) is not torch.Tensor or w.numel() < _SMALL or w.dtype is not torch.float32 or x.dtype is not torch.float32:
        return None
    if w.device.type != "cpu" or not x.numel() or _watched(x, w, bias) or not _available():
        return None
    key = (w._version, strides, padding, rates, groups)
    some = w.reshape(-1)[:: w.numel() // _SAMPLE]
    before, values, blocks = held(w) or (None, None, None)
    if before != key or not torch.equal(some, values):
        hold(w, (key, some.clone(), None))
        return None
    if blocks is None:
        plain = w.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
        blocks = torch.ops.mkldnn._reorder_convolution_weight(plain, padding, strides, rates, groups, list(x.shape))
        hold(w, (key, values, blocks))
    return torch.ops.mkldnn._convolution_pointwise(x, blocks, bias, padding, strides, rates, groups, "none", [], "")
