"""`tf.nn.dropout` and the op behind every dropout."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import tf2compat as tf

from .._engine.convert import convert_to_tensor
from .._engine.devices import current
from .._engine.dtypes import FLOATS
from .._engine.op import DTYPE, SHAPE, invalid, op, tensor
from .._engine.tensor import Tensor
from ..random.seeding import Stream, exact_stream
from ..random.stateful import exact, unit


def _drawn(shape: Any, dtype: torch.dtype, rate: float, stream: Stream, device: torch.device) -> torch.Tensor:
    """Zero with probability `rate`, 1 / (1 - rate) else; from TensorFlow's uniform numbers where a seed decides them."""
    if exact(stream, device):
        chosen = unit(shape, dtype, stream) >= torch.tensor(rate, dtype=dtype)
        return chosen.to(dtype).mul_(1.0 / (1.0 - rate))
    return kept(shape, dtype, rate, stream.generator(device), device).mul_(1.0 / (1.0 - rate))


def kept(shape: Any, dtype: torch.dtype, rate: float, generator: torch.Generator | None, device: torch.device) -> torch.Tensor:
    """Zero with probability `rate`, else one.

    On the host four decisions are made by each 64 random bits, which takes a ninth of the time of torch's `bernoulli_`; a rate is rounded to a
    multiple of 2**-16 there.
    """
    if device.type != "cpu" or not 0.01 <= rate <= 0.99:
        return torch.empty(shape, dtype=dtype, device=device).bernoulli_(1.0 - rate, generator=generator)
    n = math.prod(shape)
    bits = torch.empty((n + 3) // 4, dtype=torch.int64).random_(-(2**63), None, generator=generator)
    return (bits.view(torch.int16)[:n].reshape(shape) >= round(rate * 65536) - 32768).to(dtype)


@op("Dropout", stateful=True, x=tensor(FLOATS), noise_shape=SHAPE)
def dropped(x: Any, rate: Any, noise_shape: Any = None, stream: Stream | None = None) -> Any:
    """x with a share `rate` of its elements set to zero and the others scaled by 1 / (1 - rate)."""
    if stream is None or x.device.type == "meta":
        return x * 1.0
    mask = _drawn(x.shape if noise_shape is None else noise_shape, x.dtype, rate, stream, x.device)
    if noise_shape is not None:
        try:
            wide = torch.broadcast_shapes(x.shape, mask.shape)
        except RuntimeError:
            wide = None
        if wide != x.shape:
            raise invalid(
                f"condition [{','.join(map(str, mask.shape))}], then [{','.join(map(str, x.shape))}], and else [] must be broadcastable "
                "[Op:SelectV2] name: "
            )
    return x * mask


@op("DropoutMask", stateful=True, shape=SHAPE, dtype=DTYPE)
def _mask(shape: Any, dtype: Any, rate: float, stream: Stream) -> Any:
    """What `dropped` multiplies by."""
    return _drawn(shape, dtype.torch, rate, stream, current())


@op("DropoutApply", x=tensor(FLOATS), mask=tensor(FLOATS))
def _apply(x: Any, mask: Any, rate: float, noise_shape: Any, stream: Stream) -> Any:
    """`x` times a mask that was drawn beforehand; drawn again where it turns out to be of another size."""
    whole = x.shape if noise_shape is None else torch.broadcast_shapes(x.shape, mask.shape)
    if (mask.shape if noise_shape is None else whole) != x.shape:
        if torch._C._len_torch_dispatch_stack():
            raise NotImplementedError("the size of a mask is not known beforehand")
        return dropped.op.fn(x, rate, noise_shape, stream)
    return x * mask


@dropped.draws
def _(x: Any, rate: Any, noise_shape: Any, stream: Any, size: Any) -> Any:
    dims = x._dims if hasattr(x, "_dims") else tuple(x._t.shape)
    if stream is None or type(rate) is not float or dims is None:
        return None
    if noise_shape is None:
        shape = [d if d is not None else size(x, i) for i, d in enumerate(dims)]
    else:
        if type(noise_shape) is not tuple or any(type(d) is not int for d in noise_shape) or None in dims or len(noise_shape) > len(dims):
            return None
        if any(d not in (1, n) for d, n in zip(reversed(noise_shape), reversed(dims), strict=False)):
            return None
        shape = list(noise_shape)
    if any(d is None for d in shape):
        return None
    known = tuple([d if type(d) is int else None for d in shape])
    return _mask.op, [tuple(shape), x.dtype, rate, stream], (x.dtype, known), _apply.op, lambda mask: [x, mask, rate, noise_shape, stream]


def dropout(x: Any, rate: Any, noise_shape: Any = None, seed: Any = None, name: str | None = None) -> Tensor:
    """Set a random share `rate` of x to zero and scale the rest by 1 / (1 - rate) (`tf.nn.dropout`).

    `noise_shape` [x's rank], with ones (or None for x's size) where a decision holds for a whole dimension. ValueError when
    `rate` is outside [0, 1) or x is no float.
    """
    return experimental_dropout(x, rate, noise_shape, lambda dtype: exact_stream(seed, ("uniform", dtype)))


def experimental_dropout(x: Any, rate: Any, noise_shape: Any, numbers: Callable[[Any], Stream]) -> Tensor:
    """`dropout` on the stream that `numbers` gives for a dtype."""
    is_number = isinstance(rate, (int, float, np.number)) and not isinstance(rate, bool)
    if is_number and not 0 <= rate < 1:
        raise ValueError(f"`rate` must be a scalar tensor or a float in the range [0, 1). Received: rate={rate}")
    x = x if hasattr(x, "dtype") and hasattr(x, "shape") and hasattr(x.shape, "rank") else convert_to_tensor(x)
    if not x.dtype.is_floating:
        raise ValueError(f"`x.dtype` must be a floating point tensor as `x` will be scaled. Received: x_dtype={x.dtype!r}")
    if not is_number and not hasattr(rate, "dtype"):
        raise ValueError(f"`rate` must be a scalar or scalar tensor. Received: rate={rate}")
    if is_number and rate == 0:
        return tf.identity(x)
    if noise_shape is not None and isinstance(noise_shape, (list, tuple)) and any(d is None for d in noise_shape):
        sizes = x.shape.as_list()
        whole = tf.shape(x)
        noise_shape = [
            (sizes[i] if sizes[i] is not None else whole[i]) if d is None else d for i, d in enumerate(noise_shape)
        ]
    if is_number:
        return dropped(x, float(rate), noise_shape, numbers(x.dtype))
    return _tensor_rate(x, rate, noise_shape, numbers(x.dtype))


def _tensor_rate(x: Any, rate: Any, noise_shape: Any, numbers: Stream) -> Tensor:
    rate = convert_to_tensor(rate) if not hasattr(rate.shape, "rank") else rate
    if rate.shape.rank:
        raise ValueError(f"Shape {rate.shape} must have rank 0")
    if rate.dtype != x.dtype:
        raise ValueError(f"`x` has dtype {x.dtype!r} incompatible with `rate` of dtype {rate.dtype!r}.")
    from ..random.stateful import standard_uniform

    shape = tf.shape(x) if noise_shape is None else noise_shape
    uniform = standard_uniform(shape, x.dtype, numbers)
    return tf.where(uniform >= rate, x * (1 / (1 - rate)), tf.zeros_like(x))
