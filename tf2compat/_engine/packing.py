"""Stacking of nested Python sequences that contain tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from . import state
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


def pack(value: Any, dtype: DType, cast: bool = False) -> Tensor:
    """A nested sequence with tensors among its leaves as one tensor of `dtype`; tensors of another are cast to it, or an error."""
    if isinstance(value, (list, tuple)):
        return stack_first([pack(v, dtype, cast) for v in value])
    if not is_tensor_like(value):
        return convert_to_tensor(value, dtype)
    found = convert_to_tensor(value)
    if found.dtype is dtype or (not cast and state.local.graph is None):  # eager code hears of it from Pack
        return found
    if not cast:
        raise TypeError(f"Cannot convert a list containing a tensor of dtype {found.dtype} to {dtype} (Tensor is: {found!r})")
    from .. import cast as cast_to

    return cast_to(found, dtype)
