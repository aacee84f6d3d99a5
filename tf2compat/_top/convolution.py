"""`tf.conv`, `tf.conv2d_backprop_input_v2`, `tf.conv2d_backprop_filter_v2`, `tf.approx_top_k`."""

from __future__ import annotations

from typing import Any

import torch

from .._engine.dtypes import FLOATS, int32
from .._engine.op import TENSOR, invalid, op, tensor
from .._engine.tensor import Tensor
from ..math import ranking
from ..math.ranking import ApproxTopK
from ..nn._spatial import check_padding, explicit_pairs, is_first, sequence, spatial
from ..nn.convolution import conv2d, conv3d, convolve
from ..nn.transposed import transpose


def conv(
    input: Any,
    filter: Any,
    strides: Any,
    padding: str,
    explicit_paddings: Any = [],  # noqa: B006 - TensorFlow's default
    data_format: str = "CHANNELS_LAST",
    dilations: Any = [],  # noqa: B006
    batch_dims: int = 1,
    groups: int = 1,
    name: str | None = None,
) -> Tensor:
    """Convolution over the 2 or 3 spatial dimensions that `filter` has (`tf.conv`).

    `data_format` is "CHANNELS_LAST" or "CHANNELS_FIRST"; `padding` "SAME", "VALID" or "EXPLICIT" with `explicit_paddings`.
    """
    if data_format not in ("CHANNELS_LAST", "CHANNELS_FIRST"):
        raise invalid(
            f"Value for attr 'data_format' of \"{data_format}\" is not in the list of allowed values: \"CHANNELS_FIRST\", "
            '"CHANNELS_LAST" [Op:Conv] name: '
        )
    first = data_format == "CHANNELS_FIRST"
    n = len(filter.shape) - 2
    if n not in (2, 3):
        raise invalid(f"The input must have 2 or 3 spatial dimensions but got {n} [Op:Conv] name: ")
    rates = list(dilations) or None
    if padding == "EXPLICIT":
        flat = [int(p) for p in explicit_paddings]
        padding = [flat[i : i + 2] for i in range(0, len(flat), 2)]  # type: ignore[assignment]
    if n == 2:
        return conv2d(input, filter, strides, padding, "NCHW" if first else "NHWC", rates, name)
    return conv3d(input, filter, strides, padding, "NCDHW" if first else "NDHWC", rates, name)


def _arguments(strides: Any, padding: Any, explicit_paddings: Any, data_format: str, dilations: Any, what: str) -> Any:
    first = is_first(data_format, 2, what)
    channel = 1 if first else 3
    if padding == "EXPLICIT":
        flat = [int(p) for p in explicit_paddings]
        padding = explicit_pairs(tuple((flat[i], flat[i + 1]) for i in range(0, len(flat), 2)), first, what)
    else:
        padding = check_padding(padding, 2, what)
    return (
        spatial(sequence(strides, 2, channel, "strides"), first), padding, spatial(sequence(dilations, 2, channel, "dilations"), first),
        first,
    )  # fmt: skip


@op("Conv2DBackpropFilterV2", input=tensor(FLOATS), filter=TENSOR, out_backprop=tensor(FLOATS))
def conv2d_backprop_filter_v2(
    input: Any,
    filter: Any,
    out_backprop: Any,
    strides: Any,
    padding: str,
    use_cudnn_on_gpu: bool = True,
    explicit_paddings: Any = [],  # noqa: B006 - TensorFlow's default
    data_format: str = "NHWC",
    dilations: Any = [1, 1, 1, 1],  # noqa: B006
    name: str | None = None,
) -> Any:
    """The gradient of a 2-D convolution by its filter, of `filter`'s shape (`tf.conv2d_backprop_filter_v2`)."""
    s, pads, rates, first = _arguments(strides, padding, explicit_paddings, data_format, dilations, "Conv2DBackpropFilterV2")
    return torch.func.vjp(lambda w: convolve(input, w, 2, s, pads, rates, first), torch.zeros_like(filter))[1](out_backprop)[0]


@op("Conv2DBackpropInputV2", input=tensor(FLOATS, int32), filter=tensor(FLOATS, int32), out_backprop=tensor(FLOATS, int32))
def conv2d_backprop_input_v2(
    input: Any,
    filter: Any,
    out_backprop: Any,
    strides: Any,
    padding: str,
    use_cudnn_on_gpu: bool = True,
    explicit_paddings: Any = [],  # noqa: B006 - TensorFlow's default
    data_format: str = "NHWC",
    dilations: Any = [1, 1, 1, 1],  # noqa: B006
    name: str | None = None,
) -> Any:
    """The gradient of a 2-D convolution by its input, of `input`'s shape (`tf.conv2d_backprop_input_v2`)."""
    s, pads, rates, first = _arguments(strides, padding, explicit_paddings, data_format, dilations, "Conv2DBackpropInputV2")
    return transpose(out_backprop, filter, 2, spatial(input.shape, first), s, pads, rates, first)


def approx_top_k(
    input: Any,
    k: Any,
    reduction_dimension: int = -1,
    recall_target: float = 0.95,
    is_max_k: bool = True,
    reduction_input_size_override: int = -1,
    aggregate_to_topk: bool = True,
    name: str | None = None,
) -> ApproxTopK:
    """The k largest (or smallest) entries along a dimension and their positions (`tf.approx_top_k`), here the exact ones."""
    function = ranking.approx_max_k if is_max_k else ranking.approx_min_k
    return function(input, k, reduction_dimension, recall_target, reduction_input_size_override, aggregate_to_topk, name)
