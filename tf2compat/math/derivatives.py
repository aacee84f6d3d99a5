"""Functions whose derivative is a formula of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


class _WithDerivative(torch.autograd.Function):
    """value(x), with the derivative that a second function gives; that one may be differentiated again."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: torch.Tensor, value: Any, derivative: Any) -> torch.Tensor:
        return value(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        x, _, ctx.derivative = inputs
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:  # type: ignore[override]
        (x,) = ctx.saved_tensors
        return grad * ctx.derivative(x), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: torch.Tensor, *rest: Any) -> Any:
        (x,) = ctx.saved_tensors
        return tangent * ctx.derivative(x)


def with_derivative(x: torch.Tensor, value: Callable[..., Any], derivative: Callable[..., Any]) -> torch.Tensor:
    """`value(x)`, differentiable through `derivative(x)`, a function of differentiable operations."""
    return _WithDerivative.apply(x, value, derivative)
