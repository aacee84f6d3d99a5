"""`tensorflow.compiler.tf2xla.python.xla`: the ops of XLA that libraries call by name."""

from __future__ import annotations

from typing import Any

import torch

from tf2compat._engine.op import ANY, INTS, op

__all__ = ["dynamic_slice", "dynamic_update_slice"]


def _clamped(starts: Any, whole: Any, part: Any) -> list[int]:
    """Where a part begins: moved so that it lies within the whole, as XLA does."""
    return [min(max(int(s), 0), n - m) for s, n, m in zip(starts, whole, part, strict=True)]


@op("XlaDynamicUpdateSlice", x=ANY, updates=ANY, starts=INTS)
def _update(x: Any, updates: Any, starts: Any) -> Any:
    if x.device.type == "meta":
        return torch.empty_like(x)
    out = x.clone()
    out[tuple(slice(s, s + n) for s, n in zip(_clamped(starts, x.shape, updates.shape), updates.shape, strict=True))] = updates
    return out


@op("XlaDynamicSlice", x=ANY, starts=INTS, sizes=INTS)
def _slice(x: Any, starts: Any, sizes: Any) -> Any:
    if x.device.type == "meta":
        return torch.empty(tuple(sizes), dtype=x.dtype, device="meta")
    return x[tuple(slice(s, s + n) for s, n in zip(_clamped(starts, x.shape, sizes), sizes, strict=True))]


def dynamic_update_slice(x: Any, updates: Any, starts: Any) -> Any:
    """`x` with `updates`, of its rank, from `starts` on."""
    return _update(x, updates, starts)


def dynamic_slice(x: Any, starts: Any, sizes: Any) -> Any:
    """The part of `x` of `sizes` from `starts` on."""
    return _slice(x, starts, sizes)
