"""Functions of one string applied to every element of an array of bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch


def each(fn: Callable[[bytes], bytes], array: np.ndarray) -> np.ndarray:
    """Bytes to bytes."""
    made = vector([fn(v) for v in array.reshape(-1).tolist()])
    return made if made.shape == array.shape else made.reshape(array.shape)


def numbers(fn: Callable[[bytes], Any], array: np.ndarray, dtype: torch.dtype) -> torch.Tensor:
    """Bytes to numbers."""
    made = np.array([fn(v) for v in array.reshape(-1).tolist()], dtype=_NUMPY[dtype])
    return torch.from_numpy(made if made.shape == array.shape else made.reshape(array.shape))


_NUMPY = {torch.int32: np.int32, torch.int64: np.int64, torch.float32: np.float32, torch.float64: np.float64, torch.bool: np.bool_}


def joined(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Arrays broadcast against each other."""
    return list(np.broadcast_arrays(*arrays))


def boxed(value: bytes) -> np.ndarray:
    """A scalar string."""
    out = np.empty((), dtype=object)
    out[()] = value
    return out


def vector(values: list[bytes]) -> np.ndarray:
    """A vector of strings."""
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out
