"""Cumulative sums, products and log-sum-exps."""

from __future__ import annotations

from typing import Any

import torch

from .._engine.dtypes import FLOATS, INTS, NUMBERS
from .._engine.op import INT, invalid, op, tensor

_NUM = tensor(NUMBERS)
_INTEGER = frozenset(d.torch for d in INTS)


def _scan(fn: Any, x: Any, axis: Any, exclusive: bool, reverse: bool, start: float) -> Any:
    if not -x.ndim <= axis < x.ndim:
        raise invalid(f"ScanOp: Expected scan axis in the range [{-x.ndim}, {x.ndim}), but got {axis}")
    if reverse:
        x = torch.flip(x, (axis,))
    if exclusive:
        n = x.shape[axis]
        first = torch.full_like(x.narrow(axis, 0, min(n, 1)), start)
        x = torch.cat((first, x.narrow(axis, 0, max(n - 1, 0))), axis)
    out = fn(x, axis)
    return torch.flip(out, (axis,)) if reverse else out


def _sums(x: torch.Tensor, axis: int) -> torch.Tensor:
    return torch.cumsum(x, axis, dtype=x.dtype) if x.dtype in _INTEGER else torch.cumsum(x, axis)


def _products(x: torch.Tensor, axis: int) -> torch.Tensor:
    return torch.cumprod(x, axis, dtype=x.dtype) if x.dtype in _INTEGER else torch.cumprod(x, axis)


@op("Cumsum", x=_NUM, axis=INT)
def cumsum(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Any:
    """Running sum along `axis`; `exclusive` leaves the element itself out, `reverse` runs backwards (`tf.math.cumsum`)."""
    return _scan(_sums, x, axis, exclusive, reverse, 0)


@op("Cumprod", x=_NUM, axis=INT)
def cumprod(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Any:
    """Running product along `axis`; `exclusive` leaves the element itself out, `reverse` runs backwards (`tf.math.cumprod`)."""
    return _scan(_products, x, axis, exclusive, reverse, 1)


@op("CumulativeLogsumexp", x=tensor(FLOATS), axis=INT)
def cumulative_logsumexp(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Any:
    """Running log-sum-exp along `axis`, without overflow (`tf.math.cumulative_logsumexp`).

    With `exclusive`, the first value is minus infinity.
    """
    return _scan(torch.logcumsumexp, x, axis, exclusive, reverse, -torch.inf)


def _scalar_axis(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False) -> tuple[Any, ...]:
    if isinstance(axis, (list, tuple)):
        raise invalid(f"ScanOp: axis must be a scalar, not [{len(axis)}]")
    return x, axis, exclusive, reverse


cumsum.prepare(_scalar_axis)
cumprod.prepare(_scalar_axis)
cumulative_logsumexp.prepare(_scalar_axis)

__all__ = ["cumprod", "cumsum", "cumulative_logsumexp"]
