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

__all__ = ["as_product", "few_rows", "finished", "packed", "turned"]

#: rows of a matrix that are multiplied faster than oneDNN has copied the filter
_FEW = 4096
#: elements of a filter that are compared
_SAMPLE = 64
#: elements of filters whose copies cost too little to keep any
_SMALL = 1 << 14
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


class _Turned(torch.autograd.Function):
    """The transpose of a matrix, in memory of its own; so is the gradient, which an optimizer would copy element by element otherwise."""

    @staticmethod
    def forward(ctx: Any, matrix: torch.Tensor) -> torch.Tensor:
        return matrix.t().contiguous()

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
        return _Turned.apply(grad) if grad.requires_grad else grad.t().contiguous()


def turned(w: Any) -> Any:
    """Filters w [*spatial, a, b] as [b, a, *spatial], channels last in memory; None for those that are better copied as they are.

    For torch that is a copy of a matrix, which goes by blocks, and takes a quarter of the time of a copy of four axes.
    """
    if type(w) is not torch.Tensor or w.device.type != "cpu" or w.numel() < _SMALL or min(w.shape[-2:]) < 2 or not w.is_contiguous():
        return None
    n = w.ndim - 2
    matrix = w.reshape(-1, w.shape[-1])
    alone = torch._C._functorch.peek_interpreter_stack() is None and torch.autograd.forward_ad._current_level < 0
    matrix = _Turned.apply(matrix) if alone and torch.is_grad_enabled() and w.requires_grad else matrix.t().contiguous()
    return matrix.reshape(w.shape[-1], *w.shape[:-1]).permute(0, n + 1, *range(1, n + 1))


def packed(x: Any, w: Any, bias: Any, strides: Any, padding: Any, rates: Any, groups: int) -> Any:
    """The 2-D convolution of x [batch, in, height, width], channels last in memory, by w [height, width, in, out]; None where nothing is kept."""
    if type(w) is not torch.Tensor or w.numel() < _SMALL or w.dtype is not torch.float32 or x.dtype is not torch.float32:
        return None
    if w.device.type != "cpu" or not x.numel() or _watched(x, w, bias) or not _available():
        return None
    key = (w._version, strides, padding, rates, groups)
    some = _some(w)
    before, values, blocks = _kept(w).get("alone", (None, None, None))
    if before != key or not torch.equal(some, values):
        _keep(w, "alone", (key, some.clone(), None))
        return None
    if blocks is None:
        blocks = _blocks(w.permute(3, 2, 0, 1), x, strides, padding, rates, groups)
        _keep(w, "alone", (key, values, blocks))
    return torch.ops.mkldnn._convolution_pointwise(x, blocks, bias, padding, strides, rates, groups, "none", [], "")


def _kept(t: Any) -> Any:
    return held(t) or {}


def _keep(t: Any, what: str, value: Any) -> None:
    hold(t, {**_kept(t), what: value})


def _some(w: Any) -> Any:
    """A few elements."""
    return w.reshape(-1)[:: max(1, w.numel() // _SAMPLE)]


def _blocks(w: Any, x: Any, strides: Any, padding: Any, rates: Any, groups: int) -> Any:
    """A filter [out, in / groups, height, width] as oneDNN holds it."""
    w = w.contiguous(memory_format=torch.channels_last)
    return torch.ops.mkldnn._reorder_convolution_weight(w, padding, strides, rates, groups, list(x.shape))


#: how oneDNN is told of what follows a convolution
_AFTER: dict[str | None, tuple[str, list[float]]] = {
    None: ("none", []), "Relu": ("relu", []), "Relu6": ("hardtanh", [0.0, 6.0]), "Silu": ("swish", []), "Sigmoid": ("sigmoid", []), "Tanh": ("tanh", []),
}  # fmt: skip


def _mark(t: Any) -> Any:
    """What a tensor is known by while it lives."""
    mark = _kept(t).get("mark")
    if mark is None:
        mark = object()
        _keep(t, "mark", mark)
    return mark


def finished(
    x: Any, w: Any, filters: Any, strides: Any, padding: Any, rates: Any, groups: int, bias: Any, norm: Any, epsilon: float, activation: str | None
) -> Any:
    """As `packed`, for filters of any size, with what follows: a normalisation by `norm`, which is (mean, variance, gamma, beta) or None,
    and an activation. The normalisation's factors are part of the packed filters. `w`: `filters`, which are a variable's, in torch's order."""
    if filters.device.type != "cpu" or filters.dtype is not torch.float32 or x.dtype is not torch.float32 or not x.numel() or not w.numel():
        return None
    given = [t for t in (bias, *(norm or ())) if t is not None]
    if type(filters) is not torch.Tensor or any(type(t) is not torch.Tensor or t.dtype is not torch.float32 for t in given):
        return None
    if _watched(x, filters, *given) or not _available():
        return None
    key = (filters._version, epsilon, strides, padding, rates, groups, [(t._version, _kept(t).get("mark")) for t in given])
    some = _some(filters)
    before, values, blocks, shift = _kept(filters).get("finished", (None, None, None, None))
    if before != key or not torch.equal(some, values):
        key[-1][:] = [(t._version, _mark(t)) for t in given]
        _keep(filters, "finished", (key, some.clone(), None, None))
        return None
    if blocks is None:
        shift = bias
        if norm is not None:
            mean, variance, gamma, beta = norm
            scale = torch.rsqrt(variance + epsilon)
            scale = scale if gamma is None else scale * gamma
            shift = (0.0 if bias is None else bias) - mean
            shift = shift * scale if beta is None else torch.addcmul(beta, shift, scale)
            w = w * scale.reshape(-1, 1, 1, 1)
        blocks = _blocks(w, x, strides, padding, rates, groups)
        _keep(filters, "finished", (key, values, blocks, shift))
    attr, scalars = _AFTER[activation]
    return torch.ops.mkldnn._convolution_pointwise(x, blocks, shift, padding, strides, rates, groups, attr, scalars, "")
