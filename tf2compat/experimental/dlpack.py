"""`tf.experimental.dlpack`: tensors to and from other libraries without a copy."""

from __future__ import annotations

from typing import Any

import torch
import torch.utils.dlpack

from .._engine.convert import convert_to_tensor
from .._engine.op import entering
from .._engine.tensor import Tensor
from .._names import module_getattr


def to_dlpack(tf_tensor: Any) -> Any:
    """A DLPack capsule that shares the tensor's memory; it can be consumed once."""
    storage = entering(tf_tensor)
    if not isinstance(storage, torch.Tensor):
        raise TypeError("DLPack has no tensors of strings")
    return torch.utils.dlpack.to_dlpack(storage)


def from_dlpack(dlcapsule: Any) -> Tensor:
    """The tensor of a DLPack capsule, or of an object with `__dlpack__`, sharing its memory."""
    return convert_to_tensor(torch.utils.dlpack.from_dlpack(dlcapsule))


__getattr__ = module_getattr("tf.experimental.dlpack")
