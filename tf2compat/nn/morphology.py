"""Grey-scale morphology: `tf.nn.dilation2d`, `tf.nn.erosion2d`."""

from __future__ import annotations

from typing import Any

import torch

from .._engine.dtypes import REALS
from .._engine.op import invalid, op, tensor
from .._engine.tensor import Tensor
from ._spatial import as_list, check_padding, out_size, pad, pairs_of


@op("Dilation2D", input=tensor(REALS), filters=tensor(REALS))
def _dilation(input: Any, filters: Any, strides: Any, padding: str, rates: Any) -> Any:
    if input.ndim != 4:
        raise invalid("input must be 4-dimensional [Op:Dilation2D] name: ")
    if filters.ndim != 3:
        raise invalid("filter must be 3-dimensional [Op:Dilation2D] name: ")
    if input.shape[3] != filters.shape[2]:
        raise invalid(f"input and filter must have the same depth: {input.shape[3]} vs {filters.shape[2]} [Op:Dilation2D] name: ")
    x = input.permute(0, 3, 1, 2)
    window = filters.shape[:2]
    pairs = pairs_of(padding, x.shape[2:], window, strides, rates)
    height, width = (out_size(*d) for d in zip(x.shape[2:], window, strides, rates, pairs, strict=True))
    lowest = float("-inf") if x.dtype.is_floating_point else torch.iinfo(x.dtype).min
    x = pad(x, pairs, lowest)
    taps = []
    for i in range(window[0]):
        for j in range(window[1]):
            top, left = i * rates[0], j * rates[1]
            part = x[:, :, top : top + (height - 1) * strides[0] + 1 : strides[0], left : left + (width - 1) * strides[1] + 1 : strides[1]]
            taps.append(part + filters[i, j].reshape(-1, 1, 1))
    stacked = torch.stack(taps)
    index = stacked.argmax(0, keepdim=True)  # the first of equal taps gets the gradient
    return stacked.gather(0, index).squeeze(0).permute(0, 2, 3, 1)


def dilation2d(
    input: Any, filters: Any, strides: Any, padding: str, data_format: str, dilations: Any, name: str | None = None
) -> Tensor:
    """The maximum over each window of input + filters [height, width, channels] (`tf.nn.dilation2d`)."""
    if data_format != "NHWC":
        raise ValueError(f"`data_format` values other  than 'NHWC' are not supported. Received: data_format={data_format}")
    check_padding(padding, 2, "Dilation2D", explicit=False)
    s, rates = as_list(strides, "strides", "dilation2d"), as_list(dilations, "rates", "dilation2d")
    for word, v in (("strides", s), ("rates", rates)):
        if len(v) != 4 or v[0] != 1 or v[3] != 1 or min(v) < 1:
            raise invalid(f"{word} must be [1, positive, positive, 1], got {v} [Op:Dilation2D] name: ")
    return _dilation(input, filters, tuple(s[1:3]), padding, tuple(rates[1:3]))


def erosion2d(
    value: Any, filters: Any, strides: Any, padding: str, data_format: str, dilations: Any, name: str | None = None
) -> Tensor:
    """The minimum over each window of value - filters [height, width, channels] (`tf.nn.erosion2d`)."""
    import tf2compat as tf

    if data_format != "NHWC":
        raise ValueError(f"`data_format` values other  than 'NHWC' are not supported. Received: data_format={data_format}")
    flipped = tf.reverse(tf.convert_to_tensor(filters), [0, 1])
    return -dilation2d(-tf.convert_to_tensor(value), flipped, strides, padding, data_format, dilations)


