"""Bounds as TensorFlow has them: a value that is just at a bound passes its gradient on. torch's `clamp` did so before release 2.14."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd import forward_ad

__all__ = ["clamp"]

_level = torch._C._functorch.maybe_current_level


def _apart(x: Any, min: Any = None, max: Any = None) -> Any:  # noqa: A002 - torch's names
    """`torch.clamp` with a gradient of 1 at the bounds."""
    followed = any(isinstance(t, torch.Tensor) and t.requires_grad for t in (x, min, max))
    if not followed and _level() is None and forward_ad._current_level < 0:
        return torch.clamp(x, min, max)
    if min is not None:
        x = torch.where(x < min, min, x)
    return x if max is None else torch.where(x > max, max, x)


clamp = torch.clamp if torch.__version__ < "2.14" else _apart
