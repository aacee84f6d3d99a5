"""The checkpoint-format port: how named tensors reach a file and come back.

A format knows nothing about variables or object graphs: it maps names to `TensorData`, flat bytes with TensorFlow's dtype
name and a shape. Adapters are named `checkpoint.<name>`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np

# Bytes of one element, by TensorFlow's dtype name. A `string` has no fixed size.
ITEM_SIZE = {
    "float32": 4, "float64": 8, "int32": 4, "uint8": 1, "int16": 2, "int8": 1, "complex64": 8, "int64": 8, "bool": 1,
    "qint8": 1, "quint8": 1, "qint32": 4, "bfloat16": 2, "qint16": 2, "quint16": 2, "uint16": 2, "complex128": 16,
    "float16": 2, "uint32": 4, "uint64": 8, "float8_e5m2": 1, "float8_e4m3fn": 1,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class TensorInfo:
    """What a checkpoint says about a tensor without reading its values: TensorFlow's dtype name and the shape."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def elements(self) -> int:
        return math.prod(self.shape)


@dataclasses.dataclass(frozen=True)
class TensorData:
    """A tensor's values as a format stores them.

    `data` is a one-dimensional uint8 array of the little-endian values in row-major order, which may be a view of a mapped
    file; for the dtype `string` it is a one-dimensional object array of `bytes`. `fill`, where there is one, writes the same bytes to an
    address, faster than they are copied from a mapping.
    """

    dtype: str
    shape: tuple[int, ...]
    data: np.ndarray
    fill: Callable[[int], None] | None = dataclasses.field(default=None, compare=False, repr=False)

    @classmethod
    def of_bytes(cls, value: bytes) -> TensorData:
        """A scalar string."""
        array = np.empty(1, object)
        array[0] = value
        return cls("string", (), array)

    @classmethod
    def of_array(cls, array: np.ndarray) -> TensorData:
        """From a NumPy array (an object array holds strings)."""
        array = np.asarray(array)
        shape = array.shape
        if array.dtype.kind in "OSU":
            flat = np.empty(array.size, object)
            flat[:] = [item.encode() if isinstance(item, str) else bytes(item) for item in array.reshape(-1)]
            return cls("string", shape, flat)
        if array.dtype.name not in ITEM_SIZE:
            raise TypeError(f"A checkpoint cannot hold values of type {array.dtype}.")
        if array.dtype.byteorder == ">":
            array = array.astype(array.dtype.newbyteorder("<"))
        return cls(array.dtype.name, shape, np.ascontiguousarray(array).reshape(-1).view(np.uint8))

    def numpy(self) -> np.ndarray:
        """As a NumPy array; bfloat16 and float8 need the package `ml_dtypes`."""
        if self.dtype == "string":
            return self.data.reshape(self.shape)
        return self.data.view(numpy_dtype(self.dtype)).reshape(self.shape)


def numpy_dtype(name: str) -> np.dtype[Any]:
    """NumPy's dtype for one of TensorFlow's dtype names."""
    if name in ("bfloat16", "float8_e5m2", "float8_e4m3fn"):
        import ml_dtypes

        return np.dtype(getattr(ml_dtypes, name))
    return np.dtype({"string": "object"}.get(name, name.removeprefix("q") if name[0] == "q" else name))


@dataclasses.dataclass(frozen=True)
class Part:
    """Which part of a tensor a shard holds: the tensor's shape, and (start, length) in each dimension."""

    full_shape: tuple[int, ...]
    extents: tuple[tuple[int, int], ...]


class CheckpointReader(Protocol):
    """An open checkpoint. `entries` is complete once open; values are read and verified one by one."""

    entries: Mapping[str, TensorInfo]

    def read(self, name: str) -> TensorData:
        """The tensor of this name. Raises DataLossError, naming it, when it is damaged."""

    def close(self) -> None:
        """Releases the files; arrays that were handed out stay valid."""


class CheckpointFormat(Protocol):
    """One format of checkpoint files, all of which begin with a common path, the prefix."""

    name: str

    def exists(self, prefix: str) -> bool:
        """Whether a complete checkpoint of this format lies at the prefix."""

    def files(self, prefix: str) -> list[str]:
        """The files that make up the checkpoint at the prefix."""

    def modified(self, prefix: str) -> float:
        """When the checkpoint at the prefix was committed, in seconds since the epoch."""

    def open(self, prefix: str) -> CheckpointReader:
        """Opens the checkpoint at the prefix. Raises NotFoundError if there is none, DataLossError if it is damaged."""

    def write(self, prefix: str, tensors: Iterable[tuple[str, TensorData]]) -> None:
        """Writes a checkpoint: whole or not at all, even when killed; one that was there stays whole until then."""

    def delete(self, prefix: str) -> None:
        """Removes the files of the checkpoint at the prefix, if it exists."""
