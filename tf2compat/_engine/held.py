"""What is kept for a tensor as long as it lives and does not change: beside the tensor, since users copy and save tensors with all that hangs on them."""

from __future__ import annotations

import weakref
from typing import Any

import torch

__all__ = ["changed", "held", "hold"]

_of: dict[int, tuple[Any, Any]] = {}


def hold(t: torch.Tensor, value: Any) -> None:
    """Keep a value for a tensor, in the place of an earlier one."""
    at = id(t)
    known = _of.get(at)
    if known is not None and known[0]() is t:
        _of[at] = (known[0], value)
        return
    of = _of  # when the interpreter ends, modules go before their objects

    def gone(ref: Any) -> None:
        if at in of and of[at][0] is ref:
            del of[at]

    _of[at] = (weakref.ref(t, gone), value)


def held(t: torch.Tensor) -> Any:
    """What is kept for a tensor, or None. Whether it is still true of the tensor is for the caller to see, by `t._version`."""
    found = _of.get(id(t))
    return found[1] if found is not None and found[0]() is t else None


def changed(tensors: Any) -> None:
    """Let torch's count of changes know of one that is made past it, for tensors that something is kept for."""
    if _of:
        for t in tensors:
            if id(t) in _of:
                torch._C._increment_version((t,))
