"""Poolings: `tf.nn.max_pool`, `avg_pool`, their 1-D to 3-D forms, `pool`, `max_pool_with_argmax`, fractional pooling."""

from __future__ import annotations

import collections
from typing import Any

import torch
import torch.nn.functional as F

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import FLOATS, REALS
from .._engine.op import DTYPE, TENSOR, invalid, op, tensor
from .._engine.tensor import Tensor
from ._spatial import (
    FORMATS,
    TO_FIRST,
    TO_LAST,
    check_padding,
    explicit_pairs,
    is_first,
    not_allowed,
    nothing_left,
    pad,
    pairs_of,
    sequence,
    spatial,
    symmetric,
    unimplemented,
)  # fmt: skip

_MAX = {2: F.max_pool2d, 3: F.max_pool3d}
_AVG = {2: F.avg_pool2d, 3: F.avg_pool3d}
_NAMES = {("MAX", 1): "MaxPool", ("MAX", 2): "MaxPool", ("MAX", 3): "MaxPool3D", ("AVG", 1): "AvgPool", ("AVG", 2): "AvgPool", ("AVG", 3): "AvgPool3D"}


def _lowest(dtype: torch.dtype) -> float:
    return float("-inf") if dtype.is_floating_point else torch.iinfo(dtype).min


def _empty(x: Any, n: int, window: Any, strides: Any, rates: Any, pairs: Any, allowed: bool = False) -> Any:
    shape = nothing_left(x, window, strides, rates, pairs, allowed=allowed)
    return None if shape is None else x.new_zeros((*x.shape[:2], *shape)) + x.sum() * 0


def _plain(x: Any) -> Any:
    """A channels-first tensor whose strides say so: torch's GPU kernels take one channel last for many, and read beside it."""
    return x.reshape(-1).view(x.shape) if x.is_cuda and x.is_contiguous() else x


def max_pooled(x: Any, n: int, window: Any, strides: Any, padding: Any, rates: Any) -> Any:
    """Maxima over windows of a channels-first torch tensor."""
    x = _plain(x)
    pairs = pairs_of(padding, x.shape[2:], window, strides, rates)
    found = _empty(x, n, window, strides, rates, pairs)
    if found is not None:
        return found
    if symmetric(pairs) and all(p[0] <= k // 2 for p, k in zip(pairs, window, strict=True)):
        lo = tuple(p[0] for p in pairs)
    else:
        x = pad(x, pairs, _lowest(x.dtype))
        lo = 0
    if not x.dtype.is_floating_point:
        return _MAX[n](x.double(), window, strides, lo, rates).to(x.dtype)
    return _MAX[n](x, window, strides, lo, rates)


def avg_pooled(x: Any, n: int, window: Any, strides: Any, padding: Any) -> Any:
    """Means over windows of a channels-first torch tensor; padding does not count."""
    x = _plain(x)
    ones = (1,) * n
    pairs = pairs_of(padding, x.shape[2:], window, strides, ones)
    found = _empty(x, n, window, strides, ones, pairs, allowed=True)
    if found is not None:
        return found
    sizes = x.shape[2:]
    # torch's pooling of volumes refuses windows that only fit with the padding
    if symmetric(pairs) and all(p[0] <= k // 2 and k <= size for p, k, size in zip(pairs, window, sizes, strict=True)):
        return _AVG[n](x, window, strides, tuple(p[0] for p in pairs), False, False)
    total = _AVG[n](pad(x, pairs), window, strides, 0, False, True, 1)
    for axis, (size, k, s, (lo, hi)) in enumerate(zip(sizes, window, strides, pairs, strict=True)):
        if lo or hi:  # how many of the window's elements lie inside, by position
            start = torch.arange(total.shape[2 + axis], device=x.device) * s - lo
            count = (start + k).clamp(max=size) - start.clamp(min=0)
            shape = [1] * (n + 2)
            shape[2 + axis] = -1
            total = total / count.to(x.dtype).reshape(shape)
        elif k != 1:
            total = total / k
    return total


def _checked(x: Any, n: int, window: Any, strides: Any, first: bool, name: str) -> None:
    if x.ndim != n + 2:
        raise invalid(f"tensor_in_shape must have {n} spatial dimensions. {x.ndim} {n} [Op:{name}] name: ")
    if any(k <= 0 for k in window):
        raise invalid(
            f"Sliding window ksize must be positive int32 values, got: {','.join(map(str, window))} [Op:{name}] name: "
        )
    if any(s <= 0 for s in strides):
        raise invalid(f"Stride must be > 0, but got {min(strides)} [Op:{name}] name: ")
    if window[0] != 1 or strides[0] != 1:
        raise unimplemented(f"Pooling is not yet supported on the batch dimension. [Op:{name}] name: ")


def _across_depth(x: Any, window: Any, strides: Any, first: bool, name: str) -> Any:
    """Pooling over channels, which TensorFlow does for maxima without overlap."""
    if any(v != 1 for v in spatial(window, first)):
        raise unimplemented(
            f"MaxPooling supports exactly one of pooling across depth or pooling across width/height. [Op:{name}] name: "
        )
    depth, k, s = (x.shape[1], window[1], strides[1]) if first else (x.shape[-1], window[-1], strides[-1])
    if k != s or depth % k:
        raise unimplemented(
            f"Depthwise max pooling requires the depth window to equal the depth stride. [Op:{name}] name: "
            if k != s
            else f"Depthwise max pooling requires the depth window to evenly divide the input depth. [Op:{name}] name: "
        )
    axis = 1 if first else x.ndim - 1
    return x.unflatten(axis, (-1, k)).amax(axis + 1)


def _pool_nd(kind: str, x: Any, n: int, window: Any, strides: Any, padding: Any, first: bool) -> Any:
    """Pooling with n + 2 windows and strides; n is 2 or 3 here."""
    name = _NAMES[kind, n]
    _checked(x, n, window, strides, first, name)
    channel = 1 if first else n + 1
    if window[channel] != 1 or strides[channel] != 1:
        if kind != "MAX":
            raise unimplemented(f"Pooling is not yet supported on the depth dimension. [Op:{name}] name: ")
        return _across_depth(x, window, strides, first, name)
    if not isinstance(padding, str):
        padding = explicit_pairs(padding, first, name)
    if not first:
        x = x.permute(TO_FIRST[n])
    k, s = spatial(window, first), spatial(strides, first)
    out = max_pooled(x, n, k, s, padding, (1,) * n) if kind == "MAX" else avg_pooled(x, n, k, s, padding)
    return out if first else out.permute(TO_LAST[n])


def _pool1d(kind: str, x: Any, window: Any, strides: Any, padding: Any, first: bool) -> Any:
    if x.ndim != 3:
        raise invalid(f"tensor_in_shape must have 2 spatial dimensions. {x.ndim} 1 [Op:{_NAMES[kind, 1]}] name: ")

    def wide(v: Any) -> Any:
        return (v[0], v[1], 1, v[2]) if first else (v[0], 1, v[1], v[2])

    if not isinstance(padding, str):
        padding = (*padding[:2], (0, 0), padding[2]) if first else (padding[0], (0, 0), *padding[1:])
    at = 2 if first else 1
    return _pool_nd(kind, x.unsqueeze(at), 2, wide(window), wide(strides), padding, first).squeeze(at)


@op("MaxPool", input=tensor(REALS))
def max_pool2d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NHWC", name: str | None = None
) -> Any:
    """Maxima over windows of [batch, height, width, channels] (`tf.nn.max_pool2d`).

    `ksize`, `strides`: one number, two, or four. `padding`: "SAME", "VALID" or four pairs.
    """
    first = is_first(data_format, 2, "MaxPool")
    channel = 1 if first else 3
    padding = check_padding(padding, 2, "MaxPool")
    window, s = sequence(ksize, 2, channel, "ksize"), sequence(strides, 2, channel, "strides")
    return _pool_nd("MAX", input, 2, window, s, padding, first)


@op("MaxPool1D", input=tensor(REALS))
def max_pool1d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NWC", name: str | None = None
) -> Any:
    """Maxima over windows of [batch, width, channels] (`tf.nn.max_pool1d`)."""
    first = is_first(data_format, 1, "MaxPool")
    channel = 1 if first else 2
    padding = check_padding(padding, 1, "MaxPool")
    return _pool1d("MAX", input, sequence(ksize, 1, channel, "ksize"), sequence(strides, 1, channel, "strides"), padding, first)


@op("MaxPool3D", input=tensor(FLOATS))
def max_pool3d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NDHWC", name: str | None = None
) -> Any:
    """Maxima over windows of [batch, depth, height, width, channels] (`tf.nn.max_pool3d`)."""
    first = is_first(data_format, 3, "MaxPool3D")
    channel = 1 if first else 4
    padding = check_padding(padding, 3, "MaxPool3D", explicit=False)
    window, s = sequence(ksize, 3, channel, "ksize"), sequence(strides, 3, channel, "strides")
    return _pool_nd("MAX", input, 3, window, s, padding, first)


@op("AvgPool", input=tensor(FLOATS))
def avg_pool2d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NHWC", name: str | None = None
) -> Any:
    """Means over windows of [batch, height, width, channels] (`tf.nn.avg_pool2d`); SAME's padding does not count."""
    first = is_first(data_format, 2, "AvgPool")
    channel = 1 if first else 3
    padding = check_padding(padding, 2, "AvgPool", explicit=False)
    window, s = sequence(ksize, 2, channel, "ksize"), sequence(strides, 2, channel, "strides")
    return _pool_nd("AVG", input, 2, window, s, padding, first)


@op("AvgPool1D", input=tensor(FLOATS))
def avg_pool1d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NWC", name: str | None = None
) -> Any:
    """Means over windows of [batch, width, channels] (`tf.nn.avg_pool1d`)."""
    first = is_first(data_format, 1, "AvgPool")
    channel = 1 if first else 2
    padding = check_padding(padding, 1, "AvgPool", explicit=False)
    return _pool1d("AVG", input, sequence(ksize, 1, channel, "ksize"), sequence(strides, 1, channel, "strides"), padding, first)


@op("AvgPool3D", input=tensor(FLOATS))
def avg_pool3d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NDHWC", name: str | None = None
) -> Any:
    """Means over windows of [batch, depth, height, width, channels] (`tf.nn.avg_pool3d`)."""
    first = is_first(data_format, 3, "AvgPool3D")
    channel = 1 if first else 4
    padding = check_padding(padding, 3, "AvgPool3D", explicit=False)
    window, s = sequence(ksize, 3, channel, "ksize"), sequence(strides, 3, channel, "strides")
    return _pool_nd("AVG", input, 3, window, s, padding, first)


def _dimensions(input: Any, data_format: Any) -> int:
    if data_format is not None:
        for n, formats in FORMATS.items():
            if data_format in formats:
                return n
        raise not_allowed("data_format", data_format, [f for pair in FORMATS.values() for f in pair], "Pool")
    rank = input.shape.rank
    if rank not in (3, 4, 5):
        raise ValueError(f"`input.shape.rank` must be 3, 4 or 5. Received: input.shape={input.shape} of rank {rank}.")
    return rank - 2


def _tensor(value: Any) -> Any:
    return value if hasattr(value, "dtype") and hasattr(value, "shape") and hasattr(value.shape, "rank") else convert_to_tensor(value)


def max_pool(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = None, name: str | None = None
) -> Tensor:
    """Maxima over windows of 1, 2 or 3 spatial dimensions, as many as `input` has (`tf.nn.max_pool`)."""
    input = _tensor(input)
    n = _dimensions(input, data_format)
    function = (max_pool1d, max_pool2d, max_pool3d)[n - 1]
    return function(input, ksize, strides, padding, data_format or FORMATS[n][0], name)


def avg_pool(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = None, name: str | None = None
) -> Tensor:
    """Means over windows of 1, 2 or 3 spatial dimensions, as many as `input` has (`tf.nn.avg_pool`)."""
    input = _tensor(input)
    n = _dimensions(input, data_format)
    function = (avg_pool1d, avg_pool2d, avg_pool3d)[n - 1]
    return function(input, ksize, strides, padding, data_format or FORMATS[n][0], name)


@op("DilatedPool", input=tensor(FLOATS))
def _dilated(input: Any, window: Any, kind: str, rates: Any, first: bool) -> Any:
    n = len(window)
    x = input if first else input.permute(TO_FIRST[n])
    if n == 1:
        x, window, rates = x.unsqueeze(2), (1, *window), (1, *rates)
    d = len(window)
    if kind == "MAX":
        out = max_pooled(x, d, window, (1,) * d, "VALID", rates)
    else:
        size = 1
        for k in window:
            size *= k
        kernel = torch.full((x.shape[1], 1, *window), 1.0 / size, dtype=x.dtype, device=x.device)
        out = (F.conv2d if d == 2 else F.conv3d)(x, kernel, None, 1, 0, rates, x.shape[1])
    if n == 1:
        out = out.squeeze(2)
    return out if first else out.permute(TO_LAST[n])


def pool(
    input: Any,
    window_shape: Any,
    pooling_type: str,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Pooling of type "MAX" or "AVG" with `window_shape` over 1 to 3 dimensions (`tf.nn.pool`).

    `dilations` above one need VALID padding and strides of one, else ValueError.
    """
    input = _tensor(input)
    n = len(window_shape)
    if not 1 <= n <= 3:
        raise ValueError(f"`num_spatial_dims` must be 1, 2, or 3. Received: num_spatial_dims={n}.")
    window = [int(k) for k in window_shape]
    s = [1] * n if strides is None else [int(v) for v in strides]
    rates = [1] * n if dilations is None else [int(v) for v in dilations]
    if len(s) != n:
        raise ValueError(f"`len(strides)` must be {n}. Received: strides={strides} of length {len(s)}")
    if len(rates) != n:
        raise ValueError(f"`len(dilation_rate)` must be {n}. Received: dilation_rate={dilations} of length {len(rates)}")
    if any(v > 1 for v in s) and any(v > 1 for v in rates):
        raise ValueError(
            "`strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: "
            f"strides=[{' '.join(map(str, s))}] and dilation_rate=[{' '.join(map(str, rates))}]"
        )
    if pooling_type not in ("MAX", "AVG"):
        raise ValueError(f"{n}-D {pooling_type} pooling is not supported.")
    if any(v > 1 for v in rates):
        if padding != "VALID":
            raise ValueError(
                f"pooling with '{padding}' padding is not implemented for `dilation_rate` > 1. Received: padding={padding} and "
                f"dilation_rate=[{' '.join(map(str, rates))}]"
            )
        return _dilated(input, tuple(window), pooling_type, tuple(rates), is_first(data_format, n, "Pool"))
    function = ((max_pool1d, max_pool2d, max_pool3d) if pooling_type == "MAX" else (avg_pool1d, avg_pool2d, avg_pool3d))[n - 1]
    return function(input, window, s, padding, data_format or FORMATS[n][0], name)


MaxPoolWithArgmax = collections.namedtuple("MaxPoolWithArgmax", ["output", "argmax"])


@op("MaxPoolWithArgmax", multi=True, input=tensor(REALS), output_dtype=DTYPE)
def _with_argmax(input: Any, window: Any, strides: Any, padding: Any, output_dtype: Any, include_batch_in_index: bool) -> Any:
    _checked(input, 2, window, strides, False, "MaxPoolWithArgmax")
    k, s = window[1:3], strides[1:3]
    x = input.permute(0, 3, 1, 2)
    batch, channels, height, width = x.shape
    pairs = pairs_of(padding, (height, width), k, s, (1, 1))
    work = pad(x if x.dtype.is_floating_point else x.double(), pairs, float("-inf"))
    out, index = F.max_pool2d(work, k, s, return_indices=True)
    wide = width + sum(pairs[1])
    row, column = index // wide - pairs[0][0], index % wide - pairs[1][0]
    flat = (row * width + column) * channels + torch.arange(channels, device=x.device).reshape(-1, 1, 1)
    if include_batch_in_index:
        flat = flat + torch.arange(batch, device=x.device).reshape(-1, 1, 1, 1) * (height * width * channels)
    return out.to(input.dtype).permute(0, 2, 3, 1), flat.permute(0, 2, 3, 1).to(output_dtype.torch)


def max_pool_with_argmax(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str = "NHWC",
    output_dtype: Any = dtypes.int64,
    include_batch_in_index: bool = False,
    name: str | None = None,
) -> MaxPoolWithArgmax:
    """Maxima and their flattened positions (`tf.nn.max_pool_with_argmax`).

    A position is (y * width + x) * channels + channel, plus the image's offset with `include_batch_in_index`.
    """
    if data_format != "NHWC":
        raise ValueError(f"`data_format` values other  than 'NHWC' are not supported. Received: data_format={data_format}")
    out, index = _with_argmax(
        input, sequence(ksize, 2, 3, "ksize"), sequence(strides, 2, 3, "strides"),
        check_padding(padding, 2, "MaxPoolWithArgmax", explicit=False), output_dtype, include_batch_in_index,
    )  # fmt: skip
    return MaxPoolWithArgmax(out, index)


# --- fractional pooling ----------------------------------------------------------------------------------------------
FractionalMaxPool = collections.namedtuple("FractionalMaxPool", ["output", "row_pooling_sequence", "col_pooling_sequence"])
FractionalAvgPool = collections.namedtuple("FractionalAvgPool", ["output", "row_pooling_sequence", "col_pooling_sequence"])


def _boundaries(size: int, ratio: float, pseudo: bool, generator: torch.Generator) -> list[int]:
    """Where the windows begin, with the end last: steps of floor and ceil of the ratio, in random order."""
    length = int(size / ratio)
    if pseudo:
        # one random phase for evenly spaced boundaries, so that neighbours differ by floor or ceil of the ratio
        u = float(torch.rand((), generator=generator))
        alpha = size / length
        return [0, *[int((i + u) * alpha) - int(u * alpha) for i in range(1, length)], size]
    small = size // length
    wide = size % length
    steps = [small + 1] * wide + [small] * (length - wide)
    order = torch.randperm(length, generator=generator).tolist()
    found = [0]
    for i in order:
        found.append(found[-1] + steps[i])
    return found


def _mean(x: Any, axis: int) -> Any:
    return x.mean(axis) if x.dtype.is_floating_point else torch.div(x.sum(axis), x.shape[axis], rounding_mode="trunc").to(x.dtype)


@op("FractionalPool", stateful=True, input=TENSOR)
def _fractional(input: Any, rows: Any, columns: Any, kind: str, overlapping: bool) -> Any:
    def along(x: Any, axis: int, edges: Any) -> Any:
        parts = []
        for a, b in zip(edges[:-1], edges[1:], strict=True):
            end = min(b + 1, x.shape[axis]) if overlapping else b
            piece = x.narrow(axis, a, end - a)
            parts.append(piece.amax(axis) if kind == "MAX" else _mean(piece, axis))
        return torch.stack(parts, axis)

    return along(along(input, 1, rows), 2, columns)


def _fractional_pool(kind: str, value: Any, ratio: Any, pseudo: bool, overlapping: bool, seed: Any) -> Any:
    value = _tensor(value)
    ratios = [1.0, float(ratio), float(ratio), 1.0] if isinstance(ratio, (int, float)) else [float(r) for r in ratio]
    if len(ratios) == 1:
        ratios = [1.0, ratios[0], ratios[0], 1.0]
    elif len(ratios) == 2:
        ratios = [1.0, *ratios, 1.0]
    elif len(ratios) != 4:
        raise ValueError(f"pooling_ratio should be of length 1, 2 or 4. Received: pooling_ratio={ratio} of length {len(ratios)}")
    if any(r < 1.0 for r in ratios):
        raise ValueError(f"`pooling_ratio` should be >= 1.0. Received: pooling_ratio={ratio}")
    if ratios[0] != 1.0 or ratios[3] != 1.0:
        name = "average" if kind == "AVG" else "max"
        raise unimplemented(
            f"Fractional {name} pooling is not yet supported on the batch nor channel dimension. [Op:Fractional{kind.title()}Pool] name: "
        )
    generator = torch.Generator()
    if seed:
        generator.manual_seed(int(seed))
    else:
        generator.manual_seed(int(torch.randint(2**31, ())))
    _, height, width, _ = value.shape.as_list()
    rows = _boundaries(height, ratios[1], pseudo, generator)
    columns = _boundaries(width, ratios[2], pseudo, generator)
    out = _fractional(value, tuple(rows), tuple(columns), kind, overlapping)
    return out, convert_to_tensor(rows, dtypes.int64), convert_to_tensor(columns, dtypes.int64)


def fractional_max_pool(
    value: Any, pooling_ratio: Any, pseudo_random: bool = False, overlapping: bool = False, seed: int = 0, name: str | None = None
) -> FractionalMaxPool:
    """Max pooling by a fractional factor over windows of random sizes (`tf.nn.fractional_max_pool`).

    The same non-zero `seed` gives the same windows; the sequence of windows is not TensorFlow's.
    """
    return FractionalMaxPool(*_fractional_pool("MAX", value, pooling_ratio, pseudo_random, overlapping, seed))


def fractional_avg_pool(
    value: Any, pooling_ratio: Any, pseudo_random: bool = False, overlapping: bool = False, seed: int = 0, name: str | None = None
) -> FractionalAvgPool:
    """Mean pooling by a fractional factor over windows of random sizes (`tf.nn.fractional_avg_pool`)."""
    return FractionalAvgPool(*_fractional_pool("AVG", value, pooling_ratio, pseudo_random, overlapping, seed))
