"""Convolutions on a CPU between many channels and a few: the last layer of a decoder, the gradient of what a discriminator is shown.

oneDNN computes sixteen channels where one is asked for. A transposed convolution to a few channels, which is the gradient of a
convolution from a few by its input as well, is a product of matrices and a sum of its columns where they overlap: two to ten times as fast.
The other directions stay oneDNN's.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

__all__ = ["few", "from_few", "of_one_channel", "one_channel", "reversed_to_few", "to_few"]

#: at most so many are a few; each is worth so many of the many; products of a convolution below which calls cost more
_FEW, _WORTH, _LEAST = 3, 10, 1 << 20


def few(x: Any, few: int, many: int, rows: Any, window: Any) -> bool:
    """Whether `few` channels are a few beside `many`, which `rows` pixels have, where x is computed on."""
    if few > _FEW or _WORTH * few > many or x.device.type != "cpu" or x.dtype is not torch.float32 or type(rows) is not int:
        return False
    return rows * many * window[0] * window[1] >= _LEAST


def _by_filters(x: Any, g: Any, w: Any, strides: Any, padding: Any, rates: Any) -> Any:
    """The gradient by the filters of a convolution of x whose result has the gradient g: as a transposed convolution's, oneDNN has it up to four times as fast."""
    extra = tuple([
        size - ((have - 1) * s - 2 * p + r * (k - 1) + 1)
        for size, have, s, p, r, k in zip(x.shape[2:], g.shape[2:], strides, padding, rates, w.shape[2:], strict=True)
    ])  # fmt: skip
    return torch.ops.aten.convolution_backward(x, g, w, None, strides, padding, rates, True, extra, 1, (False, True, False))[1]


class _ToFew(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Any, w: Any, strides: Any, padding: Any, rates: Any, sizes: Any) -> Any:
        rows = x.permute(0, 2, 3, 1).reshape(x.shape[0], -1, x.shape[1])
        matrix = w.permute(1, 2, 3, 0).reshape(1, -1, w.shape[0])
        columns = torch.bmm(matrix.expand(x.shape[0], -1, -1), rows.transpose(1, 2))
        return F.fold(columns, sizes, w.shape[2:], rates, padding, strides)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        x, w, *ctx.geometry = inputs
        ctx.save_for_backward(x, w)
        ctx.save_for_forward(x, w)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, w = ctx.saved_tensors
        geometry = ctx.geometry[:3]
        by_x = from_few(grad, w, None, *geometry) if ctx.needs_input_grad[0] else None
        by_w = _by_filters(grad, x, w, *geometry) if ctx.needs_input_grad[1] else None
        return by_x, by_w, None, None, None, None

    @staticmethod
    def jvp(ctx: Any, x_t: Any, w_t: Any, *_: Any) -> Any:
        x, w = ctx.saved_tensors
        parts = [_ToFew.forward(a, b, *ctx.geometry) for a, b in ((x_t, w), (x, w_t)) if a is not None and b is not None]
        return sum(parts[1:], parts[0])


class _FromFew(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Any, w: Any, bias: Any, strides: Any, padding: Any, rates: Any) -> Any:
        return F.conv2d(x, w, bias, strides, padding, rates)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        x, w, bias, *ctx.geometry = inputs
        ctx.save_for_backward(x, w)
        ctx.save_for_forward(x, w)
        ctx.biased = bias is not None

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, w = ctx.saved_tensors
        by_x = to_few(grad, w, *ctx.geometry, tuple(x.shape[2:])) if ctx.needs_input_grad[0] else None
        by_w = _by_filters(x, grad, w, *ctx.geometry) if ctx.needs_input_grad[1] else None
        by_bias = grad.sum((0, 2, 3)) if ctx.biased and ctx.needs_input_grad[2] else None
        return by_x, by_w, by_bias, None, None, None

    @staticmethod
    def jvp(ctx: Any, x_t: Any, w_t: Any, bias_t: Any, *_: Any) -> Any:
        x, w = ctx.saved_tensors
        parts = [F.conv2d(a, b, None, *ctx.geometry) for a, b in ((x_t, w), (x, w_t)) if a is not None and b is not None]
        if bias_t is not None:
            parts.append(bias_t[:, None, None])
        return sum(parts[1:], parts[0])


def to_few(x: Any, w: Any, strides: Any, padding: Any, rates: Any, sizes: Any) -> Any:
    """What a convolution by w [many, few, height, width] would have read, in images of `sizes`, to give x [batch, many, height, width]."""
    return _ToFew.apply(x, w, strides, padding, rates, sizes)


def reversed_to_few(x: Any, w: Any, padding: Any, rates: Any, sizes: Any) -> Any:
    """The convolution of x [batch, many, height, width] by w [few, many, height, width] in single steps, whose result has `sizes`."""
    back = tuple([r * (k - 1) - p for r, k, p in zip(rates, w.shape[2:], padding, strict=True)])
    return to_few(x, w.transpose(0, 1).flip(2, 3), (1, 1), back, rates, sizes)


def from_few(x: Any, w: Any, bias: Any, strides: Any, padding: Any, rates: Any) -> Any:
    """The convolution of x [batch, few, height, width] by w [many, few, height, width]."""
    if torch.is_grad_enabled() and x.requires_grad:
        return _FromFew.apply(x, w, bias, strides, padding, rates)
    return F.conv2d(x, w, bias, strides, padding, rates)


def of_one_channel(x: Any, w: Any, rates: Any) -> bool:
    """Whether oneDNN takes several times as long as torch's plain way, twenty for gradients: images of one channel, and a small filter for another."""
    return x.device.type == "cpu" and w.shape[2] * w.shape[3] <= 25 and max(rates) == 1 and torch._C._functorch.peek_interpreter_stack() is None


def one_channel(x: Any, w: Any, bias: Any, strides: Any, padding: Any) -> Any:
    """The convolution of x [batch, 1, height, width] by w [1, 1, height, width]."""
    x = x.contiguous().squeeze(1).unsqueeze(1)  # as channels first, for all who look at the strides
    window = w.shape[2:]
    return torch.ops.aten._slow_conv2d_forward(x, w.reshape(1, -1).reshape(1, 1, *window), window, bias, strides, padding)
