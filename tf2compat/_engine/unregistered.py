"""Ops for which TensorFlow has no derivative: asking for one is an error there, and so here."""

from __future__ import annotations

from typing import Any

import torch


class _NoEntry(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Any, op_name: str) -> Any:
        ctx.op_name = op_name
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        raise LookupError(f"gradient registry has no entry for: {ctx.op_name}")


def without_gradient(value: Any, op_name: str) -> Any:
    """`value`, whose way back through the op of that name raises TensorFlow's LookupError."""
    return _NoEntry.apply(value, op_name) if value.requires_grad else value
