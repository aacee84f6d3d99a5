"""Moving blocks of space into depth or batch: `tf.nn.depth_to_space`, `space_to_depth`, `with_space_to_batch`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tf2compat as tf

from .._engine.op import INT, TENSOR, invalid, op
from .._engine.tensor import Tensor
from ._spatial import not_allowed, unimplemented


def _checked(x: Any, block: int, data_format: str, name: str) -> bool:
    if data_format not in ("NHWC", "NCHW"):
        if data_format == "NCHW_VECT_C":
            raise unimplemented(f"{name} with data_format NCHW_VECT_C is not supported [Op:{name}] name: ")
        raise not_allowed("data_format", data_format, ("NHWC", "NCHW", "NCHW_VECT_C"), name)
    if block < 2:
        raise invalid(f"Value for attr 'block_size' of {block} must be at least minimum 2 [Op:{name}] name: ")
    if x.ndim != 4:
        raise invalid(f"Input rank should be: 4 instead of: {x.ndim} [Op:{name}] name: ")
    return data_format == "NCHW"


@op("DepthToSpace", input=TENSOR, block_size=INT)
def depth_to_space(input: Any, block_size: int, data_format: str = "NHWC", name: str | None = None) -> Any:
    """Channels [b * b * c] become blocks of b x b pixels (`tf.nn.depth_to_space`)."""
    first = _checked(input, block_size, data_format, "DepthToSpace")
    b = block_size
    depth = input.shape[1] if first else input.shape[3]
    if depth % (b * b):
        raise invalid(f"Input depth dimension {depth} should be divisible by: {b * b} [Op:DepthToSpace] name: ")
    if first:
        n, _, h, w = input.shape
        return input.reshape(n, b, b, depth // (b * b), h, w).permute(0, 3, 4, 1, 5, 2).reshape(n, depth // (b * b), h * b, w * b)
    n, h, w, _ = input.shape
    return input.reshape(n, h, w, b, b, depth // (b * b)).permute(0, 1, 3, 2, 4, 5).reshape(n, h * b, w * b, depth // (b * b))


@op("SpaceToDepth", input=TENSOR, block_size=INT)
def space_to_depth(input: Any, block_size: int, data_format: str = "NHWC", name: str | None = None) -> Any:
    """Blocks of b x b pixels become b * b times the channels (`tf.nn.space_to_depth`)."""
    first = _checked(input, block_size, data_format, "SpaceToDepth")
    b = block_size
    n, h, w, c = (input.shape[0], input.shape[2], input.shape[3], input.shape[1]) if first else input.shape
    if h % b or w % b:
        raise invalid(f"Image width {w} and height {h} should be divisible by block_size: {b} [Op:SpaceToDepth] name: ")
    if first:
        return input.reshape(n, c, h // b, b, w // b, b).permute(0, 3, 5, 1, 2, 4).reshape(n, b * b * c, h // b, w // b)
    return input.reshape(n, h // b, b, w // b, b, c).permute(0, 1, 3, 2, 4, 5).reshape(n, h // b, w // b, b * b * c)


def space_to_batch(input: Any, block_shape: Any, paddings: Any, name: str | None = None) -> Tensor:
    """Pad, then move blocks of space into the batch (`tf.nn.space_to_batch`)."""
    return tf.space_to_batch(input, block_shape, paddings, name)


def with_space_to_batch(
    input: Any,
    dilation_rate: Any,
    padding: str,
    op: Callable[[Any, Any, Any], Any],  # noqa: A002
    filter_shape: Any = None,
    spatial_dims: Any = None,
    data_format: str | None = None,
) -> Tensor:
    """Apply `op(input, num_spatial_dims, padding)` to the input with its space dealt out into the batch.

    `tf.nn.with_space_to_batch`: an undilated `op` becomes one of dilation `dilation_rate`. SAME needs `filter_shape`.
    """
    rates = [int(r) for r in dilation_rate]
    n = len(rates)
    if any(r < 1 for r in rates):
        raise ValueError(f"`dilation_rate` must be positive. Received: dilation_rate={dilation_rate}")
    first = data_format is not None and data_format.startswith("NC")
    if spatial_dims is None:
        spatial_dims = range(2, n + 2) if first else range(1, n + 1)
    places = sorted({int(d) for d in spatial_dims})
    if any(d < 1 for d in places):
        raise ValueError(f"Elements of `spatial_dims` must be positive. Received: spatial_dims={list(spatial_dims)}")
    if all(r == 1 for r in rates):
        return op(input, n, padding)
    if padding == "SAME":
        if filter_shape is None:
            raise ValueError("`filter_shape` must be specified for `SAME` padding. Received: filter_shape=None and padding=SAME")
        window = [int(k) for k in filter_shape][:n]
        extra = [(k + (k - 1) * (r - 1)) - 1 for k, r in zip(window, rates, strict=True)]
        base = [[e // 2, e - e // 2] for e in extra]
    elif padding == "VALID":
        base = [[0, 0]] * n
    else:
        raise ValueError(f"`padding` must be one of 'SAME' or 'VALID'. Received: padding={padding}")
    input = tf.convert_to_tensor(input) if not hasattr(input, "shape") else input
    last = places[-1]
    sizes = [input.shape[d] for d in places]
    paddings, crops = tf.required_space_to_batch_paddings(sizes, rates, base)
    everything = list(range(1, last + 1))
    block = [rates[places.index(d)] if d in places else 1 for d in everything]
    pads = [[int(paddings[places.index(d)][0]), int(paddings[places.index(d)][1])] if d in places else [0, 0] for d in everything]
    cuts = [[int(crops[places.index(d)][0]), int(crops[places.index(d)][1])] if d in places else [0, 0] for d in everything]
    inner = op(tf.space_to_batch_nd(input, block, pads), n, "VALID")
    return tf.batch_to_space(inner, block, cuts)
