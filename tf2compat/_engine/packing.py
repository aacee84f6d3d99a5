"""Stacking of nested Python sequences that contain tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .convert import convert_to_tensor, is_tensor_like
from .dtypes import DType
from .op import TENSORS, op
from .tensor import Tensor


@op("Pack", values=TENSORS)
def stack_first(values: Any, name: str | None = None) -> Any:
    """Tensors of one shape, stacked on a new first axis."""
    return torch.stack(values)


@stack_first.strings
def _(values: Any) -> np.ndarray:
    return np.stack(values)


def pack(value: Any, dtype: DType) -> Tensor:
    """A nested sequence with tensors among its leaves as one tensor of `dtype`."""
    if isinstance(value, (list, tuple)):
        return stack_first([pack(v, dtype) for v in value])
    if is_tensor_like(value):  # a mismatch of dtypes is for Pack to report
        return convert_to_tensor(value)
    return convert_to_tensor(value, dtype)
