"""What images may look like."""

from __future__ import annotations

from typing import Any

from .._engine.convert import convert_to_tensor
from .._engine.tensor import Tensor


def image_of(value: Any, name: str = "image") -> Tensor:
    """An image, or a batch of them, of at least three dimensions; ValueError otherwise."""
    t = convert_to_tensor(value)
    if t.shape.rank is not None and t.shape.rank < 3:
        raise ValueError(f"'{name}' (shape {t.shape}) must be at least three-dimensional.")
    return t


def image_or_batch(value: Any, name: str = "image") -> Tensor:
    """A tensor of three or four dimensions; ValueError otherwise."""
    t = convert_to_tensor(value)
    if t.shape.rank not in (None, 3, 4):
        raise ValueError(f"'{name}' (shape {t.shape}) must have either 3 or 4 dimensions.")
    return t
