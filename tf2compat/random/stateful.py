"""The random ops whose numbers go on from call to call."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.devices import current
from .._engine.dtypes import DType, as_dtype
from .._engine.op import ANY, DTYPE, INT, SHAPE, invalid, op, tensor
from .._engine.tensor import Tensor
from .seeding import Stream, stream

_FLOAT = frozenset((dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64))


def _floats(dtype: Any) -> DType:
    found = as_dtype(dtype)
    if found not in _FLOAT:
        raise invalid(
            f"Value for attr 'dtype' of {found._cpp} is not in the list of allowed values: half, bfloat16, float, double "
            "[Op:RandomStandardNormal] name: "
        )
    return found


def _plain(value: Any, number: float) -> bool:
    return type(value) in (int, float) and value == number


# --- normal ----------------------------------------------------------------------------------------------------------
@op("RandomStandardNormal", stateful=True, shape=SHAPE, dtype=DTYPE)
def standard_normal(shape: Any, dtype: Any, stream: Stream, name: str | None = None) -> Any:
    """Normal numbers of mean 0 and deviation 1 from a stream."""
    device = current()
    return torch.randn(shape, dtype=dtype.torch, device=device, generator=stream.generator(device))


def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, seed: Any = None, name: str | None = None
) -> Tensor:
    """Normally distributed numbers (`tf.random.normal`). `mean` and `stddev` may be tensors that broadcast to `shape`."""
    dtype = _floats(dtype)
    z = standard_normal(shape, dtype, stream(seed), name)
    if not _plain(stddev, 1):
        z = z * convert_to_tensor(stddev, dtype)
    if not _plain(mean, 0):
        z = z + convert_to_tensor(mean, dtype)
    return z


@op("TruncatedNormal", stateful=True, shape=SHAPE, dtype=DTYPE)
def standard_truncated_normal(shape: Any, dtype: Any, stream: Stream, name: str | None = None) -> Any:
    """Normal numbers of mean 0 and deviation 1, those further than 2 from 0 drawn again."""
    device = current()
    wide = torch.float64 if dtype is dtypes.float64 else torch.float32
    u = torch.rand(shape, dtype=wide, device=device, generator=stream.generator(device))
    # the inverse of the cumulative distribution, on the part of (0, 1) between -2 and 2
    edge = math.erf(2 / math.sqrt(2))
    z = torch.erfinv((u * 2 - 1) * edge) * math.sqrt(2)
    return z.clamp(-2, 2).to(dtype.torch)


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, seed: Any = None, name: str | None = None
) -> Tensor:
    """Normal numbers within two deviations of the mean (`tf.random.truncated_normal`)."""
    dtype = _floats(dtype)
    z = standard_truncated_normal(shape, dtype, stream(seed), name)
    if not _plain(stddev, 1):
        z = z * convert_to_tensor(stddev, dtype)
    if not _plain(mean, 0):
        z = z + convert_to_tensor(mean, dtype)
    return z


# --- uniform ---------------------------------------------------------------------------------------------------------
@op("RandomUniform", stateful=True, shape=SHAPE, dtype=DTYPE)
def standard_uniform(shape: Any, dtype: Any, stream: Stream, name: str | None = None) -> Any:
    """Numbers of [0, 1) from a stream."""
    device = current()
    return torch.rand(shape, dtype=dtype.torch, device=device, generator=stream.generator(device))


@op("RandomUniformInt", stateful=True, shape=SHAPE, minval=tensor(dtypes.int32, dtypes.int64), maxval=tensor(dtypes.int32, dtypes.int64))
def uniform_int(shape: Any, minval: Any, maxval: Any, stream: Stream, name: str | None = None) -> Any:
    """Integers of [minval, maxval) from a stream."""
    if minval.ndim or maxval.ndim:
        which, t = ("minval", minval) if minval.ndim else ("maxval", maxval)
        raise invalid(f"{which} must be 0-D, got shape {list(t.shape)} [Op:RandomUniformInt] name: ")
    device = current()
    if minval.device.type == "meta":
        return torch.empty(shape, dtype=minval.dtype, device="meta")
    low, high = int(minval), int(maxval)
    if low >= high:
        raise invalid(f"Need minval < maxval, got {low} >= {high} [Op:RandomUniformInt] name: ")
    return torch.randint(low, high, shape, dtype=minval.dtype, device=device, generator=stream.generator(device))


def uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = dtypes.float32, seed: Any = None, name: str | None = None
) -> Tensor:
    """Numbers of [minval, maxval), floats or integers (`tf.random.uniform`).

    `maxval` is 1 for floats and must be given for integers (ValueError). Bounds of floats may be tensors that broadcast.
    """
    dtype = as_dtype(dtype)
    if dtype not in (dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64):
        accepted = (dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64)
        raise ValueError(f"Argument `dtype` got invalid value {dtype}. Accepted dtypes are {accepted}.")
    if maxval is None:
        if dtype.is_integer:
            raise ValueError(f"Must specify maxval for integer dtype {dtype}")
        maxval = 1
    if dtype.is_integer:
        low, high = convert_to_tensor(minval, dtype), convert_to_tensor(maxval, dtype)
        return uniform_int(shape, low, high, stream(seed), name)
    u = standard_uniform(shape, dtype, stream(seed), name)
    unit = _plain(maxval, 1)
    if _plain(minval, 0):
        return u if unit else u * convert_to_tensor(maxval, dtype)
    low, high = convert_to_tensor(minval, dtype), convert_to_tensor(maxval, dtype)
    return u * (high - low) + low
