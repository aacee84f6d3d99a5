"""Transposed convolutions (gradients of convolutions by their input) and the gradients that `tf.nn` names."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from .._engine.dtypes import FLOATS, int32
from .._engine.narrow import in_single
from .._engine.op import INTS, invalid, op, tensor
from .._engine.tensor import Tensor
from ._columns import few_pixels, transposed_as_columns
from ._few import few, to_few
from ._filters import turned
from ._spatial import (
    FORMATS,
    TO_FIRST,
    TO_LAST,
    as_list,
    check_padding,
    explicit_pairs,
    is_first,
    out_size,
    pairs_of,
    sequence,
    spatial,
)  # fmt: skip
from .convolution import depthwise

_PLAIN = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
_KERNEL = {1: "Conv2DBackpropInput", 2: "Conv2DBackpropInput", 3: "Conv3DBackpropInputV2"}
#: filters: spatial, out, in -> in, out, spatial
_FILTER = {1: (2, 1, 0), 2: (3, 2, 0, 1), 3: (4, 3, 0, 1, 2)}


class _CutAndBiased(torch.autograd.Function):
    """Images [batch, channels, *spatial] cut off at their ends, and a bias, at once; `flat` is what `F.pad` is given for the cut."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Any, bias: Any, flat: Any) -> Any:
        n = x.ndim - 2
        kept = [slice(size + cut) for size, cut in zip(x.shape[2:], flat[::-2], strict=True)]
        return x[(slice(None), slice(None), *kept)] + bias.reshape(-1, *[1] * n)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.flat, ctx.shape = inputs[2], output.shape

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        by_x = F.pad(grad, [-cut for cut in ctx.flat]) if ctx.needs_input_grad[0] else None
        by_bias = grad.sum([0, *range(2, grad.ndim)]) if ctx.needs_input_grad[1] else None
        return by_x, by_bias, None

    @staticmethod
    def jvp(ctx: Any, x_t: Any, bias_t: Any, _: Any) -> Any:
        parts = [] if x_t is None else [F.pad(x_t, ctx.flat)]
        if bias_t is not None:
            parts.append(bias_t.reshape(-1, *[1] * (len(ctx.flat) // 2)).expand(ctx.shape))
        return sum(parts[1:], parts[0])


@in_single
def transpose(
    x: Any, w: Any, n: int, sizes: Any, strides: Any, padding: Any, rates: Any, first: bool, bias: Any = None, groups: int = 1
) -> Any:
    """What a convolution with filters w [*spatial, out / groups, in] would have read to give x; `sizes` are its spatial sizes."""
    if not first:
        x = x.permute(TO_FIRST[n])
    window = w.shape[:n]
    filters, w = w, w.permute(_FILTER[n])
    depth = w.shape[1] * groups
    if x.shape[1] != w.shape[0]:
        raise invalid(f"{_CUSTOM[n]}: filter and out_backprop must have the same out_depth [Op:{_KERNEL[n]}]")
    pairs = pairs_of(padding, sizes, window, strides, rates)
    for i, (size, k, s, r, pair) in enumerate(zip(sizes, window, strides, rates, pairs, strict=True)):
        computed = out_size(size, k, s, r, pair)
        if computed != x.shape[2 + i]:
            raise invalid(
                f"{_CUSTOM[n]}: Size of out_backprop doesn't match computed: actual = {x.shape[2 + i]}, computed = {computed} "
                f"spatial_dim: {i + 1} input: {size} filter: {k} output: {x.shape[2 + i]} stride: {s} dilation: {r} [Op:{_KERNEL[n]}]"
            )
    if n == 2 and groups == 1 and few_pixels(x, filters, x.shape[0] * x.shape[2] * x.shape[3], x.shape[1], rates):
        out = transposed_as_columns(x.permute(TO_LAST[n]), filters, bias, strides, pairs, sizes)
        return out.permute(TO_FIRST[n]) if first else out
    if 0 in x.shape[2:]:
        out = x.new_zeros((x.shape[0], depth, *sizes))
        return out if first else out.permute(TO_LAST[n])
    lo = tuple(p[0] for p in pairs)
    grown = [
        size - ((have - 1) * s - 2 * low + (k - 1) * r + 1)
        for size, have, s, low, k, r in zip(sizes, x.shape[2:], strides, lo, window, rates, strict=True)
    ]
    extra = tuple(g if 0 < g < max(s, r) else 0 for g, s, r in zip(grown, strides, rates, strict=True))
    cpu = x.device.type == "cpu"
    apart = bias is not None and cpu  # oneDNN takes two to three times as long with one, and what is cut off needs none
    if x.dtype is torch.int32:
        out = _TRANSPOSED[n](x.double(), w.double(), None, strides, lo, extra, groups, rates).to(torch.int32)
    elif cpu and w.shape[1] < 8 and max(window) == 1 and max(strides) > 1 and not any(lo):
        # as in `convolve`: oneDNN's derivative writes outside of its memory
        out = x.new_zeros((x.shape[0], depth, *sizes))
        out[(slice(None), slice(None), *[slice(None, None, s) for s in strides])] = _TRANSPOSED[n](x, w.contiguous(), groups=groups)
    elif n == 2 and groups == 1 and few(x, w.shape[1], w.shape[0], x.shape[0] * x.shape[2] * x.shape[3], window):
        out = to_few(x, w, strides, lo, rates, [size - g + more for size, g, more in zip(sizes, grown, extra, strict=True)])
    elif cpu and groups == 1 and w.shape[1] < 8 <= w.shape[0] and max(strides) == 1 and not any(extra):
        # where the filter goes by single steps that is a convolution by the reversed filter, which oneDNN does several times as fast for few channels
        back = tuple([r * (k - 1) - low for r, k, low in zip(rates, window, lo, strict=True)])
        out = _PLAIN[n](x, w.transpose(0, 1).flip(tuple(range(2, n + 2))), bias, 1, back, rates)
        apart = False
    else:
        rows = turned(filters) if n == 2 and groups == 1 else None
        w = w.contiguous() if rows is None else rows  # torch refuses the gradient of one input channel in other memory formats
        out = _TRANSPOSED[n](x, w, None if apart else bias, strides, lo, extra, groups, rates)
    rest = [size - have for size, have in zip(sizes, out.shape[2:], strict=True)]
    if any(rest):  # the odd one of SAME is cut off at the end; what no tap reached is zero there
        flat: list[int] = []
        for r in reversed(rest):
            flat += (0, r)
        if apart and max(rest) <= 0:
            out, apart = _CutAndBiased.apply(out, bias, flat), False
        else:
            out = F.pad(out, flat)
        if bias is not None and not apart and max(rest) > 0:
            for axis, r in enumerate(rest):
                if r > 0:
                    piece = out.narrow(2 + axis, out.shape[2 + axis] - r, r)
                    piece += bias.reshape(-1, *[1] * n)
    if apart:
        out = out + bias.reshape(-1, *[1] * n)
    return out if first else out.permute(TO_LAST[n])


_CUSTOM = {1: "Conv2DCustomBackpropInput", 2: "Conv2DCustomBackpropInput", 3: "Conv3DBackpropInputOpV2"}


def _sizes(output_shape: Any, n: int, first: bool) -> Any:
    if len(output_shape) == n:
        return tuple(output_shape)
    if len(output_shape) != n + 2:
        raise invalid(f"{_CUSTOM[n]}: input must be {n + 2}-dimensional [Op:{_KERNEL[n]}]")
    return spatial(output_shape, first)


@op("Conv2DBackpropInput", input=tensor(FLOATS, int32), filters=tensor(FLOATS, int32), output_shape=INTS)
def _transpose(input: Any, filters: Any, output_shape: Any, strides: Any, padding: Any, dilations: Any, n: int, first: bool) -> Any:
    if filters.ndim != n + 2:
        raise invalid(f"{_CUSTOM[n]}: filter must be {n + 2}-dimensional [Op:{_KERNEL[n]}]")
    if input.ndim != n + 2:
        raise invalid(f"{_CUSTOM[n]}: out_backprop must be {n + 2}-dimensional [Op:{_KERNEL[n]}]")
    groups = 1
    if len(output_shape) == n + 2:
        depth, of_group = output_shape[1] if first else output_shape[-1], filters.shape[-2]
        if depth != of_group:
            if n == 3 or depth < of_group or not of_group or depth % of_group:
                raise invalid(f"{_CUSTOM[n]}: input depth must be evenly divisible by filter depth: {depth} vs {of_group} [Op:{_KERNEL[n]}]")
            groups = depth // of_group
            if filters.shape[-1] % groups:
                raise invalid(f"output depth must be evenly divisible by number of groups: {filters.shape[-1]} vs {groups} [Op:{_KERNEL[n]}]")
        if output_shape[0] != input.shape[0]:
            raise invalid(f"{_CUSTOM[n]}: input and out_backprop must have the same batch size [Op:{_KERNEL[n]}]")
    if not isinstance(padding, str):
        padding = explicit_pairs(padding, first, _KERNEL[n])
    return transpose(
        input, filters, n, _sizes(output_shape, n, first), spatial(strides, first), padding, spatial(dilations, first), first, None, groups
    )


def _public(n: int, x: Any, w: Any, shape: Any, strides: Any, padding: Any, data_format: Any, dilations: Any) -> Tensor:
    first = is_first(data_format, n, _KERNEL[n])
    channel = 1 if first else n + 1
    padding = check_padding(padding, n, _KERNEL[n], explicit=n == 2)
    return _transpose(
        x, w, shape, sequence(strides, n, channel, "strides"), padding, sequence(dilations, n, channel, "dilations"), n, first
    )


def conv1d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: str = "SAME",
    data_format: str = "NWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The transpose of `conv1d` (`tf.nn.conv1d_transpose`): filters [width, out / groups, in]; `output_shape` says which size is meant."""
    return _public(1, input, filters, output_shape, strides, padding, data_format, dilations)


def conv2d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str = "NHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The transpose of `conv2d` (`tf.nn.conv2d_transpose`): filters [height, width, out / groups, in]."""
    return _public(2, input, filters, output_shape, strides, padding, data_format, dilations)


def conv3d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: str = "SAME",
    data_format: str = "NDHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The transpose of `conv3d` (`tf.nn.conv3d_transpose`): filters [depth, height, width, out, in]."""
    return _public(3, input, filters, output_shape, strides, padding, data_format, dilations)


def conv_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The transpose of `convolution`, over as many dimensions as `output_shape` says (`tf.nn.conv_transpose`)."""
    length = output_shape.shape[0] if hasattr(output_shape, "shape") else len(output_shape)
    n = length - 2
    if n not in (1, 2, 3):
        raise ValueError(f"`output_shape` must be of length 3, 4 or 5. Received: output_shape={output_shape} of length {length}.")
    first = data_format is not None and data_format.startswith("NC")
    return _public(n, input, filters, output_shape, strides, padding, FORMATS[n][first], dilations)


def atrous_conv2d_transpose(
    value: Any, filters: Any, output_shape: Any, rate: int, padding: str, name: str | None = None
) -> Tensor:
    """The transpose of `atrous_conv2d` (`tf.nn.atrous_conv2d_transpose`): filters [height, width, out, in]."""
    if rate < 1:
        raise ValueError(f"`rate` cannot be less than one. Received: rate={rate}")
    return conv2d_transpose(value, filters, output_shape, 1, padding, dilations=[rate, rate], name=name)


def _depthwise_arguments(strides: Any, padding: Any, data_format: Any, dilations: Any, what: str) -> Any:
    first = is_first(data_format, 2, what)
    padding = check_padding(padding, 2, what)
    if not isinstance(padding, str):
        padding = explicit_pairs(padding, first, what)
    s = spatial(as_list(strides, "strides", what), first)
    rates = as_list(dilations, "dilations", what)
    return s, padding, spatial(rates, first) if len(rates) == 4 else tuple(rates), first


@op("DepthwiseConv2dNativeBackpropInput", input_sizes=INTS, filter=tensor(FLOATS), out_backprop=tensor(FLOATS))
def depthwise_conv2d_backprop_input(
    input_sizes: Any,
    filter: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = [1, 1, 1, 1],  # noqa: B006 - TensorFlow's default
    name: str | None = None,
) -> Any:
    """The gradient of a depthwise convolution by its input, of shape `input_sizes` (`tf.nn.depthwise_conv2d_backprop_input`)."""
    arguments = _depthwise_arguments(strides, padding, data_format, dilations, "DepthwiseConv2dNativeBackpropInput")
    x = torch.zeros(input_sizes, dtype=filter.dtype, device=filter.device)
    return torch.func.vjp(lambda v: depthwise(v, filter, *arguments), x)[1](out_backprop)[0]


@op("DepthwiseConv2dNativeBackpropFilter", input=tensor(FLOATS), filter_sizes=INTS, out_backprop=tensor(FLOATS))
def depthwise_conv2d_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = [1, 1, 1, 1],  # noqa: B006 - TensorFlow's default
    name: str | None = None,
) -> Any:
    """The gradient of a depthwise convolution by its filter, of shape `filter_sizes` (`tf.nn.depthwise_conv2d_backprop_filter`)."""
    arguments = _depthwise_arguments(strides, padding, data_format, dilations, "DepthwiseConv2dNativeBackpropFilter")
    w = torch.zeros(filter_sizes, dtype=input.dtype, device=input.device)
    return torch.func.vjp(lambda v: depthwise(input, v, *arguments), w)[1](out_backprop)[0]


__all__ = [
    "atrous_conv2d_transpose", "conv1d_transpose", "conv2d_transpose", "conv3d_transpose", "conv_transpose",
    "depthwise_conv2d_backprop_filter", "depthwise_conv2d_backprop_input", "transpose",
]  # fmt: skip
