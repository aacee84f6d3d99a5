"""Convolutions on a CPU of few pixels by large filters, as products of matrices.

The inner layers of an image-to-image network turn megabytes of filters for a handful of pixels: oneDNN spends most of its time on bringing them to
its own layout, and so does what brings their gradients back. As a product of matrices a convolution takes TensorFlow's filters as they are:
the pixels that a filter reads become a row (`_Columns`), and a transposed convolution adds such rows up where they overlap (`_Sums`). Each is the
other's gradient.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

__all__ = ["as_columns", "few_pixels", "transposed_as_columns"]

#: elements of filters whose copies cost too little, and how many channels there are for a pixel at least
_SMALL, _TIMES = 1 << 15, 2


def few_pixels(x: Any, w: Any, pixels: Any, many: int, rates: Any) -> bool:
    """Whether a convolution with `pixels` on its side of `many` channels is one of these. `w`: its filters, [height, width, …]."""
    if x.device.type != "cpu" or type(pixels) is not int or not 0 < _TIMES * pixels <= many or max(rates) > 1:
        return False
    return w.numel() >= _SMALL and x.dtype is w.dtype is torch.float32 and w.is_contiguous()


class _Columns(torch.autograd.Function):
    """[batch, height, width, channels] -> [batch * pixels, window * channels]."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Any, window: Any, strides: Any, pairs: Any) -> Any:
        if any(p for pair in pairs for p in pair):
            x = F.pad(x, (0, 0, *pairs[1], *pairs[0]))
        for axis in (0, 1):
            x = x.unfold(1 + axis, window[axis], strides[axis])
        return x.permute(0, 1, 2, 4, 5, 3).reshape(-1, window[0] * window[1] * x.shape[3])

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        x, *ctx.geometry = inputs
        ctx.shape = x.shape

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return _Sums.apply(grad, ctx.shape, *ctx.geometry), None, None, None

    @staticmethod
    def jvp(ctx: Any, x_t: Any, *_: Any) -> Any:
        return _Columns.apply(x_t, *ctx.geometry)


class _Sums(torch.autograd.Function):
    """The transpose of `_Columns`."""

    generate_vmap_rule = True

    @staticmethod
    def forward(columns: Any, shape: Any, window: Any, strides: Any, pairs: Any) -> Any:
        batch, *sizes, channels = shape
        whole = [size + sum(pair) for size, pair in zip(sizes, pairs, strict=True)]
        high, wide = [(size - k) // s + 1 for size, k, s in zip(whole, window, strides, strict=True)]
        columns = columns.reshape(batch, high, wide, *window, channels)
        out = columns.new_zeros((batch, *whole, channels))
        for i in range(window[0]):
            rows = out[:, i : i + (high - 1) * strides[0] + 1 : strides[0]]
            for j in range(window[1]):
                rows[:, :, j : j + (wide - 1) * strides[1] + 1 : strides[1]] += columns[:, :, :, i, j]
        (top, _), (left, _) = pairs
        if whole == sizes:
            return out
        return out[:, top : top + sizes[0], left : left + sizes[1]].contiguous()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        _, _, *ctx.geometry = inputs
        ctx.shape = inputs[1]

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return _Columns.apply(grad, *ctx.geometry), None, None, None, None

    @staticmethod
    def jvp(ctx: Any, columns_t: Any, *_: Any) -> Any:
        return _Sums.apply(columns_t, ctx.shape, *ctx.geometry)


def as_columns(x: Any, w: Any, bias: Any, strides: Any, pairs: Any, sizes: Any) -> Any:
    """The convolution of x [batch, height, width, in] by w [height, width, in, out], whose result has `sizes`."""
    columns = _Columns.apply(x, tuple(w.shape[:2]), tuple(strides), pairs)
    matrix = w.reshape(-1, w.shape[3])
    out = columns @ matrix if bias is None else torch.addmm(bias, columns, matrix)
    return out.reshape(x.shape[0], *sizes, w.shape[3])


def transposed_as_columns(x: Any, w: Any, bias: Any, strides: Any, pairs: Any, sizes: Any) -> Any:
    """What a convolution by w [height, width, out, in] would have read, in images of `sizes`, to give x [batch, height, width, in]."""
    columns = x.reshape(-1, x.shape[3]) @ w.reshape(-1, w.shape[3]).t()
    out = _Sums.apply(columns, (x.shape[0], *sizes, w.shape[2]), tuple(w.shape[:2]), tuple(strides), pairs)
    return out if bias is None else out + bias
