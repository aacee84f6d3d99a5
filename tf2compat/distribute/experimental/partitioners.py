"""`tf.distribute.experimental.partitioners`: into how many parts a variable is cut along an axis."""

from __future__ import annotations

import math
from typing import Any

from tf2compat._engine import dtypes
from tf2compat._engine.shapes import TensorShape
from tf2compat._names import module_getattr

__all__ = ["FixedShardsPartitioner", "MaxSizePartitioner", "MinSizePartitioner", "Partitioner"]


class Partitioner:
    """A function of shape, dtype and axis that returns the number of parts along each axis."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __call__(self, shape: Any, dtype: Any, axis: int = 0) -> list[int]:
        raise NotImplementedError


class FixedShardsPartitioner(Partitioner):
    """At most `num_shards` parts (`tf.distribute.experimental.partitioners.FixedShardsPartitioner`)."""

    def __init__(self, num_shards: int) -> None:
        self._num_shards = num_shards

    def __call__(self, shape: Any, dtype: Any, axis: int = 0) -> list[int]:
        return _parts(shape, axis, self._num_shards)


class MinSizePartitioner(Partitioner):
    """As many parts, up to `max_shards`, as have `min_shard_bytes` each (`…partitioners.MinSizePartitioner`)."""

    def __init__(self, min_shard_bytes: int = 256 << 10, max_shards: int = 1, bytes_per_string: int = 16) -> None:
        if min_shard_bytes < 1:
            raise ValueError(f"Argument `min_shard_bytes` must be positive. Received: {min_shard_bytes}")
        if max_shards < 1:
            raise ValueError(f"Argument `max_shards` must be positive. Received: {max_shards}")
        if bytes_per_string < 1:
            raise ValueError(f"Argument `bytes_per_string` must be positive. Received: {bytes_per_string}")
        self._min_shard_bytes, self._max_shards, self._bytes_per_string = min_shard_bytes, max_shards, bytes_per_string

    def __call__(self, shape: Any, dtype: Any, axis: int = 0) -> list[int]:
        size = _bytes(shape, dtype, self._bytes_per_string)
        return _parts(shape, axis, min(self._max_shards, max(1, math.ceil(size / self._min_shard_bytes))))


class MaxSizePartitioner(Partitioner):
    """As few parts as keep each within `max_shard_bytes` (`…partitioners.MaxSizePartitioner`)."""

    def __init__(self, max_shard_bytes: int, max_shards: Any = None, bytes_per_string: int = 16) -> None:
        if max_shard_bytes < 1:
            raise ValueError(f"Argument `max_shard_bytes` must be positive. Received {max_shard_bytes}")
        if max_shards and max_shards < 1:
            raise ValueError(f"Argument `max_shards` must be positive. Received {max_shards}")
        if bytes_per_string < 1:
            raise ValueError(f"Argument `bytes_per_string` must be positive. Received: {bytes_per_string}")
        self._max_shard_bytes, self._max_shards, self._bytes_per_string = max_shard_bytes, max_shards, bytes_per_string

    def __call__(self, shape: Any, dtype: Any, axis: int = 0) -> list[int]:
        dims = TensorShape(shape).as_list()
        element = _bytes(shape, dtype, self._bytes_per_string) / max(1, dims[axis])  # of one slice along the axis
        per_shard = max(1, int(self._max_shard_bytes // element))
        parts = math.ceil(dims[axis] / per_shard)
        return _parts(shape, axis, min(parts, self._max_shards) if self._max_shards else parts)


def _bytes(shape: Any, dtype: Any, of_string: int) -> int:
    dtype = dtypes.as_dtype(dtype)
    return math.prod(TensorShape(shape).as_list()) * (of_string if dtype is dtypes.string else dtype.size)


def _parts(shape: Any, axis: int, count: int) -> list[int]:
    dims = TensorShape(shape).as_list()
    out = [1] * len(dims)
    out[axis] = min(count, dims[axis])
    return out


__getattr__ = module_getattr("tf.distribute.experimental.partitioners")
