"""Square roots and inverses, whose gradient is 0 wherever no gradient comes in: at 0, too, where the slope is infinite.

So `tf.where(x > 0, tf.sqrt(x), 0)` has a gradient everywhere, in TensorFlow as here; torch's own would be NaN at 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

__all__ = ["inverse", "inverse_root", "root"]


class _Sloped(torch.autograd.Function):
    """value(x), with a derivative that is a function of that value."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: torch.Tensor, value: Any, slope: Any) -> torch.Tensor:
        return value(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.slope = inputs[2]
        ctx.save_for_backward(output)
        ctx.save_for_forward(output)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:  # type: ignore[override]
        slope = ctx.slope(*ctx.saved_tensors)
        found = grad * (slope.conj() if slope.is_complex() else slope)
        return torch.where((grad != 0) | torch.isfinite(slope), found, 0), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: torch.Tensor, *rest: Any) -> Any:
        return tangent * ctx.slope(*ctx.saved_tensors)


def _sloped(x: torch.Tensor, value: Callable[..., Any], slope: Callable[..., Any]) -> torch.Tensor:
    return _Sloped.apply(x, value, slope) if x.requires_grad else value(x)


def root(x: torch.Tensor) -> torch.Tensor:
    return _sloped(x, torch.sqrt, _of_root)


def inverse_root(x: torch.Tensor) -> torch.Tensor:
    return _sloped(x, torch.rsqrt, _of_inverse_root)


def inverse(x: torch.Tensor) -> torch.Tensor:
    return _sloped(x, torch.reciprocal, _of_inverse)


def _of_root(y: torch.Tensor) -> torch.Tensor:
    return 0.5 / y


def _of_inverse_root(y: torch.Tensor) -> torch.Tensor:
    return -0.5 * y * y * y


def _of_inverse(y: torch.Tensor) -> torch.Tensor:
    return -y * y
