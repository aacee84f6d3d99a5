"""Products of 16-bit floats on CPUs that have no instructions for them.

torch then multiplies element by element, a hundred times slower than in float32. Both float16 and bfloat16 are parts of float32, so the
product is made there and rounded once, which is also what the missing instructions would do.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch

__all__ = ["in_single", "slow", "widely"]

_HALVES = (torch.float16, torch.bfloat16)


@functools.cache
def _native(dtype: torch.dtype) -> bool:
    name = "_is_mkldnn_bf16_supported" if dtype is torch.bfloat16 else "_is_mkldnn_fp16_supported"
    try:
        return bool(getattr(torch.ops.mkldnn, name)())
    except (AttributeError, RuntimeError):  # a torch without oneDNN
        return False


def slow(t: torch.Tensor) -> bool:
    """Whether products of tensors like `t` are better made in float32."""
    return t.dtype in _HALVES and t.device.type == "cpu" and not _native(t.dtype)


def widely(fn: Callable[..., Any], *args: Any) -> Any:
    """`fn` of arguments in float32; 16-bit ones are widened, and the results get the dtype of the first of them."""
    kind = next(a.dtype for a in _leaves(args) if a.dtype in _HALVES)
    return _each(fn(*_each(args, _HALVES, torch.float32)), (torch.float32,), kind)


def in_single(fn: Callable[..., Any]) -> Callable[..., Any]:
    """For the implementation of an op whose first argument is a tensor: run it in float32 where that is better."""

    @functools.wraps(fn)
    def run(first: Any, *args: Any, **kwargs: Any) -> Any:
        if first.dtype is not torch.float32 and slow(first):
            return widely(lambda first, args, kwargs: fn(first, *args, **kwargs), first, args, kwargs)
        return fn(first, *args, **kwargs)

    return run


def _leaves(args: Any) -> Any:
    for a in args:
        if isinstance(a, torch.Tensor):
            yield a
        elif isinstance(a, (list, tuple)):
            yield from _leaves(a)


def _each(value: Any, kinds: tuple[torch.dtype, ...], target: torch.dtype) -> Any:
    if isinstance(value, torch.Tensor):
        return value.to(target) if value.dtype in kinds else value
    if type(value) in (list, tuple):
        return type(value)(_each(v, kinds, target) for v in value)
    if type(value) is dict:
        return {k: _each(v, kinds, target) for k, v in value.items()}
    return value
