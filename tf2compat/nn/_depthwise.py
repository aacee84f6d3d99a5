"""Depthwise convolutions whose results are few pixels: oneDNN takes ten times as long for the gradient of their filters as the sums of products do."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

__all__ = ["depthwise_to_few", "slow_gradient"]

#: pixels of a result for which oneDNN's gradient is the slower one
_FEW = 16


def slow_gradient(x: Any, w: Any, strides: Any, padding: Any, rates: Any, groups: int) -> bool:
    """Whether a convolution of x [batch, in, height, width] by w [out, in / groups, height, width] is one of these, and will be differentiated."""
    if not (groups == x.shape[1] == w.shape[0] > 1) or x.device.type != "cpu" or not torch.is_grad_enabled() or not w.requires_grad:
        return False
    pixels = 1
    for size, k, s, p, r in zip(x.shape[2:], w.shape[2:], strides, padding, rates, strict=True):
        pixels *= (size + 2 * p - r * (k - 1) - 1) // s + 1
    return type(pixels) is int and pixels <= _FEW


class _Depthwise(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Any, w: Any, bias: Any, strides: Any, padding: Any, rates: Any) -> Any:
        return F.conv2d(x, w, bias, strides, padding, rates, x.shape[1])

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        x, w, bias, *ctx.geometry = inputs
        ctx.save_for_backward(x, w)
        ctx.save_for_forward(x, w)
        ctx.biased = bias is not None

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, w = ctx.saved_tensors
        strides, padding, rates = ctx.geometry
        by_x = by_w = by_bias = None
        if ctx.needs_input_grad[0]:
            by_x = torch.ops.aten.convolution_backward(
                grad, x, w, None, strides, padding, rates, False, (0, 0), x.shape[1], (True, False, False)
            )[0]  # fmt: skip
        if ctx.needs_input_grad[1]:
            by_w = _by_filters(x, grad, w.shape[2:], strides, padding, rates)
        if ctx.biased and ctx.needs_input_grad[2]:
            by_bias = grad.sum((0, 2, 3))
        return by_x, by_w, by_bias, None, None, None

    @staticmethod
    def jvp(ctx: Any, x_t: Any, w_t: Any, bias_t: Any, *_: Any) -> Any:
        x, w = ctx.saved_tensors
        parts = [F.conv2d(a, b, None, *ctx.geometry, x.shape[1]) for a, b in ((x_t, w), (x, w_t)) if a is not None and b is not None]
        if bias_t is not None:
            parts.append(bias_t[:, None, None])
        return sum(parts[1:], parts[0])


def _by_filters(x: Any, grad: Any, window: Any, strides: Any, padding: Any, rates: Any) -> Any:
    """The gradient of depthwise filters [channels, 1, height, width]: for each of their elements the sum of gradients times what it was multiplied by."""
    rows, columns = grad.shape[2:]
    x = F.pad(x, (padding[1], padding[1], padding[0], padding[0]))
    sums = []
    for i in range(window[0]):
        at = slice(i * rates[0], i * rates[0] + (rows - 1) * strides[0] + 1, strides[0])
        for j in range(window[1]):
            beside = slice(j * rates[1], j * rates[1] + (columns - 1) * strides[1] + 1, strides[1])
            sums.append((x[:, :, at, beside] * grad).sum((0, 2, 3)))
    return torch.stack(sums, 1).reshape(-1, 1, *window)


def depthwise_to_few(x: Any, w: Any, bias: Any, strides: Any, padding: Any, rates: Any) -> Any:
    """The depthwise convolution of x [batch, channels, height, width] by w [channels, 1, height, width]."""
    return _Depthwise.apply(x, w, bias, strides, padding, rates)
