"""Convolutions: `tf.nn.conv1d`, `conv2d`, `conv3d`, `convolution`, depthwise, separable and atrous ones.

TensorFlow's layout is channels last. The views that torch gets are channels first with channels-last strides, which is the
memory format that its kernels like best, so nothing is copied on the way in or out.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from .._engine.convert import convert_to_tensor
from .._engine.dtypes import FLOATS, int32
from .._engine.narrow import in_single
from .._engine.op import invalid, op, tensor
from .._engine.tensor import Tensor
from ._columns import as_columns, few_pixels
from ._depthwise import depthwise_to_few, slow_gradient
from ._few import few, from_few, of_one_channel, one_channel, reversed_to_few
from ._filters import as_product, few_rows, finished, packed, turned
from ._spatial import (
    FILTER,
    FORMATS,
    MEMORY,
    TO_FIRST,
    TO_LAST,
    as_list,
    check_padding,
    dims,
    explicit_pairs,
    is_first,
    nothing_left,
    out_size,
    pad,
    pairs_of,
    sequence,
    spatial,
    symmetric,
    unimplemented,
)  # fmt: skip

_CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_T = tensor(FLOATS, int32)
_KERNEL = {2: "Conv2D", 3: "Conv3D"}


@in_single
def convolve(x: Any, w: Any, n: int, strides: Any, padding: Any, rates: Any, first: bool, bias: Any = None) -> Any:
    """Convolution of torch tensors: x [batch, *spatial, in] (or channels first), w [*spatial, in / groups, out].

    `padding`: "SAME", "VALID" or spatial pairs. The result has x's layout.
    """
    if not first:
        x = x.permute(TO_FIRST[n])
    window = w.shape[:n]
    filters, w = w, w.permute(FILTER[n])
    channels, per_group = x.shape[1], w.shape[1]
    groups = channels // per_group if per_group else 1
    sizes = x.shape[2:]
    pairs = pairs_of(padding, sizes, window, strides, rates)
    shape = nothing_left(x, window, strides, rates, pairs)
    if shape is not None:  # an empty result, which torch refuses
        out = x.new_zeros((x.shape[0], w.shape[0], *shape)) + (x.sum() + w.sum()) * 0
        return out if first else out.permute(TO_LAST[n])
    if n == 2 and groups == 1 and filters.numel() >= 1 << 15:
        found = _of_few_pixels(x, filters, bias, strides, pairs, rates)
        if found is not None:
            return found.permute(TO_FIRST[n]) if first else found
    if not symmetric(pairs):
        lo = tuple(min(p) for p in pairs)
        x = pad(x, tuple((a - m, b - m) for (a, b), m in zip(pairs, lo, strict=True)))
    else:
        lo = tuple(p[0] for p in pairs)
    if x.dtype is torch.int32:  # torch multiplies integers in no convolution; doubles hold the products exactly
        out = _CONV[n](x.double(), w.double(), None, strides, lo, rates, groups).to(torch.int32)
    else:
        if channels < 8 and max(window) == 1 and max(strides) > 1 and not any(lo) and x.device.type == "cpu":
            # oneDNN's derivative of a strided 1x1 convolution of few channels (last in memory) writes outside of its memory
            x = x[(slice(None), slice(None), *[slice(None, None, s) for s in strides])]
            strides = (1,) * n
        if w.shape[0] == 1 and w.requires_grad and x.device.type == "cpu":
            w = w.contiguous()  # torch refuses to write the gradient of one filter that is not
        out = _chosen(x, w, filters, n, bias, strides, lo, rates, groups)
    return out if first else out.permute(TO_LAST[n])


def _of_few_pixels(x: Any, filters: Any, bias: Any, strides: Any, pairs: Any, rates: Any) -> Any:
    """A convolution of few pixels by large filters (`_columns.py`), channels last; None where it is none, or where the filters stand still and are packed."""
    window = filters.shape[:2]
    sizes = [out_size(*d) for d in zip(x.shape[2:], window, strides, rates, pairs, strict=True)]
    if (max(window) == 1 and max(strides) == 1) or not few_pixels(x, filters, x.shape[0] * sizes[0] * sizes[1], filters.shape[3], rates):
        return None
    if symmetric(pairs):
        found = packed(x, filters, bias, strides, tuple(p[0] for p in pairs), rates, 1)
        if found is not None:
            return found.permute(TO_LAST[2])
    return as_columns(x.permute(TO_LAST[2]), filters, bias, strides, pairs, sizes)


def _chosen(x: Any, w: Any, filters: Any, n: int, bias: Any, strides: Any, padding: Any, rates: Any, groups: int) -> Any:
    """The convolution by what is fastest for it. `w`: `filters`, which are as the user has them, in torch's order."""
    if n == 2 and groups == 1 and max(w.shape[2:]) == 1 and max(strides) == 1 and not any(padding) and few_rows(x):
        return as_product(x, filters, bias)
    if n == 2 and groups == 1 and x.dtype is torch.float32:
        if w.shape[0] == w.shape[1] == 1 and of_one_channel(x, w, rates):
            return one_channel(x, w, bias, strides, padding)
        sizes = [out_size(*d) for d in zip(x.shape[2:], w.shape[2:], strides, rates, [(p, p) for p in padding], strict=True)]
        if max(strides) == 1 and few(x, w.shape[0], w.shape[1], x.shape[0] * x.shape[2] * x.shape[3], w.shape[2:]):
            out = reversed_to_few(x, w, padding, rates, sizes)
            return out if bias is None else out + bias[:, None, None]
        if torch.is_grad_enabled() and x.requires_grad and few(x, w.shape[1], w.shape[0], x.shape[0] * sizes[0] * sizes[1], w.shape[2:]):
            return from_few(x, w.contiguous(memory_format=torch.channels_last), bias, strides, padding, rates)
    found = packed(x, filters, bias, strides, padding, rates, groups) if n == 2 else None
    if found is not None:
        return found
    if groups > 1 and max(w.shape[2:]) == 1:
        # of one image, whose memory is a view of several, oneDNN's derivative by 1x1 filters in groups is wrong unless their last strides are 1
        w = w.flatten(1)[(..., *[None] * n)]
    else:
        rows = turned(filters) if n > 1 else None
        w = w.contiguous(memory_format=MEMORY[n]) if rows is None else rows
    if n == 2 and slow_gradient(x, w, strides, padding, rates, groups):
        return depthwise_to_few(x, w, bias, strides, padding, rates)
    return _CONV[n](x, w, bias, strides, padding, rates, groups)


def convolved_and(
    x: Any, filters: Any, strides: Any, padding: Any, rates: Any, by_channel: bool, bias: Any, norm: Any, epsilon: float, activation: str | None
) -> Any:
    """A convolution of images x [batch, height, width, in] with what follows it (`_filters.finished`); None where that is not at hand.

    `by_channel`: the filters are [height, width, in, multiplier].
    """
    if x.ndim != 4 or x.device.type != "cpu":
        return None
    x = x.permute(TO_FIRST[2])
    window, channels = filters.shape[:2], x.shape[1]
    w = filters.permute(2, 3, 0, 1).reshape(-1, 1, *window) if by_channel else filters.permute(FILTER[2])
    if not w.shape[1] or channels % w.shape[1]:
        return None
    pairs = pairs_of(padding, x.shape[2:], window, strides, rates)
    if any(out_size(*d) == 0 for d in zip(x.shape[2:], window, strides, rates, pairs, strict=True)):
        return None
    lo = tuple(min(p) for p in pairs)
    if not symmetric(pairs):
        x = pad(x, tuple((a - m, b - m) for (a, b), m in zip(pairs, lo, strict=True)))
    found = finished(x, w, filters, strides, lo, rates, channels // w.shape[1], bias, norm, epsilon, activation)
    return None if found is None else found.permute(TO_LAST[2])


def _checked(x: Any, w: Any, n: int, strides: Any, rates: Any, first: bool, name: str) -> None:
    """TensorFlow's complaints about the arguments of a convolution."""
    if x.ndim < n + 2:
        raise invalid(f"convolution input must be {n + 2}-dimensional: {dims(x.shape)} [Op:{name}] name: ")
    if w.ndim != n + 2:
        raise invalid(f"convolution filter must be {n + 2}-dimensional: {dims(w.shape)} [Op:{name}] name: ")
    outer_s = (strides[0], strides[1] if first else strides[-1])
    outer_r = (rates[0], rates[1] if first else rates[-1])
    if outer_s != (1, 1):
        raise unimplemented(
            f"Current implementation does not yet support strides in the batch and depth dimensions. [Op:{name}] name: "
        )
    if outer_r != (1, 1):
        raise unimplemented(
            f"Current implementation does not yet support dilations in the batch and depth dimensions. [Op:{name}] name: "
        )
    if any(s <= 0 for s in strides):
        raise invalid(f"Row and column strides should be larger than 0. [Op:{name}] name: ")
    if any(r <= 0 for r in rates):
        raise invalid(f"Dilated rates should be larger than 0. [Op:{name}] name: ")
    depth = x.shape[1 + x.ndim - n - 2] if first else x.shape[-1]
    per_group, out = w.shape[-2], w.shape[-1]
    if per_group == 0 or depth % per_group:
        word = "input" if n == 2 else "Input"
        raise invalid(f"{word} depth must be evenly divisible by filter depth: {depth} vs {per_group} [Op:{name}] name: ")
    if out % (depth // per_group):
        raise invalid(
            f"output depth must be evenly divisible by number of groups: {out} vs {depth // per_group} [Op:{name}] name: "
        )


def _run(x: Any, w: Any, n: int, strides: Any, padding: Any, rates: Any, first: bool, name: str) -> Any:
    """Checks, leading batch dimensions, then the convolution; `strides` and `rates` with batch and channels."""
    _checked(x, w, n, strides, rates, first, name)
    if not isinstance(padding, str):
        padding = explicit_pairs(padding, first, name)
    lead = None
    if x.ndim > n + 2:
        lead = x.shape[: x.ndim - n - 1]
        x = x.reshape(-1, *x.shape[x.ndim - n - 1 :])
    out = convolve(x, w, n, spatial(strides, first), padding, spatial(rates, first), first)
    return out if lead is None else out.reshape(*lead, *out.shape[1:])


@op("Conv2D", input=_T, filters=_T)
def conv2d(
    input: Any, filters: Any, strides: Any, padding: Any, data_format: str = "NHWC", dilations: Any = None, name: str | None = None
) -> Any:
    """2-D convolution (`tf.nn.conv2d`): input [batch…, height, width, in], filters [height, width, in / groups, out].

    `strides` and `dilations`: one number, two, or four. `padding`: "SAME", "VALID" or four pairs. "NCHW" works too.
    Raises InvalidArgumentError when depths do not fit.
    """
    first = is_first(data_format, 2, "Conv2D")
    padding = check_padding(padding, 2, "Conv2D")
    channel = 1 if first else 3
    return _run(
        input, filters, 2, sequence(strides, 2, channel, "strides"), padding, sequence(dilations, 2, channel, "dilations"), first, "Conv2D"
    )


@op("Conv3D", input=tensor(FLOATS), filters=tensor(FLOATS))
def conv3d(
    input: Any, filters: Any, strides: Any, padding: Any, data_format: str = "NDHWC", dilations: Any = None, name: str | None = None
) -> Any:
    """3-D convolution (`tf.nn.conv3d`): input [batch…, depth, height, width, in], filters [d, h, w, in / groups, out].

    `strides` and `dilations` are lists of five. `padding` is "SAME" or "VALID".
    """
    first = is_first(data_format, 3, "Conv3D")
    padding = check_padding(padding, 3, "Conv3D", explicit=False)
    strides = as_list(strides, "strides", "conv3d")
    rates = [1] * 5 if dilations is None else as_list(dilations, "dilations", "conv3d")
    for attr, value in (("strides", strides), ("dilations", rates)):
        if len(value) < 5:
            raise invalid(f"Length for attr '{attr}' of {len(value)} must be at least minimum 5 [Op:Conv3D] name: ")
    return _run(input, filters, 3, tuple(strides), padding, tuple(rates), first, "Conv3D")


@op("Conv1D", input=_T, filters=_T)
def _conv1d(input: Any, filters: Any, strides: Any, padding: Any, first: bool, dilations: Any) -> Any:
    # as TensorFlow does, a convolution over images of height one: torch has the better kernels for those
    if input.ndim < 3:
        raise invalid(f"convolution input must be 4-dimensional: {dims((1, *input.shape))} [Op:Conv2D] name: ")
    if filters.ndim != 3:
        raise invalid(f"convolution filter must be 4-dimensional: {dims((1, *filters.shape))} [Op:Conv2D] name: ")
    at = -2 if first else -3
    x = input.unsqueeze(at)
    if not isinstance(padding, str):
        padding = (*padding[:2], (0, 0), padding[2]) if first else (padding[0], (0, 0), *padding[1:])
    wide_s = (*strides[:2], 1, strides[2]) if first else (strides[0], 1, *strides[1:])
    wide_r = (*dilations[:2], 1, dilations[2]) if first else (dilations[0], 1, *dilations[1:])
    return _run(x, filters.unsqueeze(0), 2, wide_s, padding, wide_r, first, "Conv2D").squeeze(at)


def conv1d(
    input: Any, filters: Any, stride: Any, padding: Any, data_format: str | None = "NWC", dilations: Any = None, name: str | None = None
) -> Tensor:
    """1-D convolution (`tf.nn.conv1d`): input [batch…, width, in], filters [width, in / groups, out]."""
    if data_format not in (None, "NWC", "NCW"):
        raise ValueError(f"`data_format` must be 'NWC' or 'NCW'. Received: data_format={data_format}")
    channel = 1 if data_format == "NCW" else 2
    return _conv1d(
        input, filters, sequence(stride, 1, channel, "stride"), check_padding(padding, 1, "Conv2D"), channel == 1,
        sequence(dilations, 1, channel, "dilations"),
    )  # fmt: skip


def _rank(value: Any) -> int | None:
    return value.shape.rank


def convolution(
    input: Any,
    filters: Any,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Convolution over 1, 2 or 3 spatial dimensions, as many as `filters` has (`tf.nn.convolution`).

    ValueError when both strides and dilations exceed one.
    """
    filters = filters if hasattr(filters, "shape") and hasattr(filters, "dtype") else convert_to_tensor(filters)
    input = input if hasattr(input, "shape") and hasattr(input, "dtype") else convert_to_tensor(input)
    rank = len(filters.shape)
    n = rank - 2
    if n not in (1, 2, 3):
        raise ValueError(
            f"`num_spatial_dims` must be 1, 2, or 3. Received: num_spatial_dims={n}."
        )
    first = data_format is not None and data_format.startswith("NC")
    channel = 1 if first else n + 1
    s = sequence(strides, n, channel, "strides")
    r = sequence(dilations, n, channel, "dilations")
    if any(v > 1 for v in s) and any(v > 1 for v in r):
        def shown(v: Any) -> str:
            return "[" + " ".join(str(i) for i in spatial(v, first)) + "]"

        raise ValueError(
            f"`strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: strides={shown(s)} and "
            f"dilation_rate={shown(r)}"
        )
    layout = FORMATS[n][first] if data_format is None or data_format in FORMATS[n] else data_format
    if n == 1:
        return conv1d(input, filters, s, padding, layout, r, name)
    return (conv2d if n == 2 else conv3d)(input, filters, s, padding, layout, r, name)


def depthwise(x: Any, w: Any, strides: Any, padding: Any, rates: Any, first: bool, bias: Any = None) -> Any:
    """Depthwise convolution of torch tensors; w is [*spatial, in, multiplier]."""
    n = w.ndim - 2
    channels, multiplier = w.shape[n], w.shape[n + 1]
    w = w.reshape(*w.shape[:n], 1, channels * multiplier)
    return convolve(x, w, n, strides, padding, rates, first, bias)


@op("DepthwiseConv2dNative", input=tensor(FLOATS), filter=tensor(FLOATS))
def depthwise_conv2d(
    input: Any, filter: Any, strides: Any, padding: Any, data_format: str | None = None, dilations: Any = None, name: str | None = None
) -> Any:
    """Each channel convolved with its own filters (`tf.nn.depthwise_conv2d`): filter [h, w, in, multiplier].

    The result has in * multiplier channels. `strides` is a list of four, `dilations` of two.
    """
    what = "DepthwiseConv2dNative"
    first = is_first(data_format, 2, what)
    padding = check_padding(padding, 2, what)
    s = tuple(as_list(strides, "strides", "depthwise_conv2d_native"))
    rates = (1, 1) if dilations is None else tuple(as_list(dilations, "dilations", "depthwise_conv2d_native"))
    if len(rates) == 4:
        rates = spatial(rates, first)
    if len(s) != 4:
        raise invalid(f"Sliding window strides field must specify 4 dimensions [Op:{what}] name: ")
    for shape, word in ((input.shape, "input"), (filter.shape, "filter")):
        if len(shape) != 4:
            raise invalid(f"{word} must be 4-dimensional: {dims(shape)} [Op:{what}] name: ")
    depth = input.shape[1] if first else input.shape[3]
    if depth != filter.shape[2]:
        raise invalid(f"input and filter must have the same depth: {depth} vs {filter.shape[2]} [Op:{what}] name: ")
    inner = spatial(s, first)
    if inner[0] != inner[1]:
        raise invalid(f"Current implementation only supports equal length strides in the row and column dimensions. [Op:{what}] name: ")
    if not isinstance(padding, str):
        padding = explicit_pairs(padding, first, what)
    return depthwise(input, filter, inner, padding, rates, first)


def separable_conv2d(
    input: Any,
    depthwise_filter: Any,
    pointwise_filter: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """A depthwise convolution followed by a 1x1 convolution (`tf.nn.separable_conv2d`)."""
    inner = depthwise_conv2d(input, depthwise_filter, strides, padding, data_format, dilations)
    return conv2d(inner, pointwise_filter, 1, "VALID", data_format or "NHWC", name=name)


def atrous_conv2d(value: Any, filters: Any, rate: int, padding: str, name: str | None = None) -> Tensor:
    """2-D convolution with holes of `rate` - 1 between the filter's taps (`tf.nn.atrous_conv2d`)."""
    return convolution(value, filters, padding=padding, dilations=[rate, rate], name=name)
