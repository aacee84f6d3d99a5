"""Softmax and normalisation along an axis."""

from __future__ import annotations

from typing import Any

import torch

from .._engine.convert import operand
from .._engine.dtypes import COMPLEXES, FLOATS
from .._engine.op import AXES, INT, invalid, op, tensor
from .._engine.tensor import Tensor
from . import _few_classes


def _axis(x: Any, axis: Any) -> int:
    axis = -1 if axis is None else axis
    if not -x.ndim <= axis < x.ndim:
        raise invalid(f"`axis` must be in the range [{-x.ndim}, {x.ndim}) where {x.ndim} is the number of dimensions in the input. Received: {axis}")
    return axis


@op("Softmax", logits=tensor(FLOATS), axis=INT)
def softmax(logits: Any, axis: Any = None, name: str | None = None) -> Any:
    """exp(logits) / sum(exp(logits)) along `axis`, the last one when None (`tf.nn.softmax`)."""
    return _few_classes.softmax(logits, _axis(logits, axis))


@op("LogSoftmax", logits=tensor(FLOATS), axis=INT)
def log_softmax(logits: Any, axis: Any = None, name: str | None = None) -> Any:
    """logits - log(sum(exp(logits))) along `axis`, the last one when None (`tf.nn.log_softmax`)."""
    return _few_classes.log_softmax(logits, _axis(logits, axis))


@op("L2Normalize", x=tensor(FLOATS, COMPLEXES), axis=AXES)
def _l2_normalize(x: Any, axis: Any, epsilon: float, name: str | None = None) -> Any:
    axis = tuple(range(x.ndim)) if axis is None else axis
    if x.is_complex():
        squares = torch.square(x.real) + torch.square(x.imag)
    else:
        squares = torch.square(x)
    total = torch.sum(squares, axis, True) if axis != () else squares
    return x * torch.rsqrt(torch.where(total >= epsilon, total, epsilon))


def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None, dim: Any = None) -> Tensor:
    """x * rsqrt(max(sum(x²), epsilon)) along `axis`, an int, a list or None for all (`tf.math.l2_normalize`)."""
    if dim is not None:
        if axis is not None:
            raise ValueError("Cannot specify both 'axis' and 'dim'")
        axis = dim
    x = operand(x)
    if x.dtype.is_integer:
        raise TypeError(f"Cannot convert {epsilon} to EagerTensor of dtype {x.dtype.name}")
    return _l2_normalize(x, axis, float(epsilon), name)


__all__ = ["l2_normalize", "log_softmax", "softmax"]
