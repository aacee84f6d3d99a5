"""Where, and whether, masks hold, on the host: torch's own functions take ten to a hundred times NumPy's time for many elements."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

__all__ = ["anywhere", "places"]

#: elements from which on it matters
MANY = 4096


def _large(mask: torch.Tensor) -> bool:
    """Whether a mask is large, in host memory, and nobody follows what is computed from it."""
    return (
        mask.numel() >= MANY and mask.device.type == "cpu" and type(mask) is torch.Tensor
        and not torch._C._len_torch_dispatch_stack() and torch._C._functorch.peek_interpreter_stack() is None
    )  # fmt: skip


def places(mask: torch.Tensor) -> torch.Tensor:
    """The places of a mask's True elements in its elements' order, int64 [n]."""
    if _large(mask):
        return torch.from_numpy(np.flatnonzero(mask.numpy()))
    return mask.reshape(-1).nonzero().reshape(-1)


def anywhere(mask: torch.Tensor) -> Any:
    """Whether any element of a mask is True: a bool tensor."""
    if mask.numel() >= MANY and mask.device.type == "cpu":
        return mask.view(torch.uint8).amax() != 0
    return mask.any()
