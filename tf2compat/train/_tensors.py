"""Between the engine's storages and what checkpoint formats read and write."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from tf2compat import errors
from tf2compat._engine import dtypes
from tf2compat._engine.tensor import Tensor, wrap
from tf2compat._engine.variable import Variable
from tf2compat._ports.checkpoint import ITEM_SIZE, TensorData


def to_data(value: Any) -> TensorData:
    """A Variable, Tensor, NumPy array, bytes or str as data to save. Host memory is shared."""
    if isinstance(value, (Variable, Tensor)):
        value = value._t
    if isinstance(value, torch.Tensor):
        dtype = dtypes.of(value).name
        shape = tuple(value.shape)
        flat = value.detach()
        if not flat.is_cpu or flat.is_complex() or flat.is_neg() or not flat.is_contiguous():
            flat = flat.cpu().resolve_conj().resolve_neg().contiguous()
        flat = flat.as_strided((flat.numel(),), (1,))  # a row of one element may have any stride, which `reshape` keeps
        if flat.is_complex():
            flat = torch.view_as_real(flat).reshape(-1)
        return TensorData(dtype, shape, flat.view(torch.uint8).numpy())
    if isinstance(value, (bytes, str)):
        return TensorData.of_bytes(value.encode() if isinstance(value, str) else value)
    return TensorData.of_array(np.asarray(value))


def to_storage(data: TensorData) -> Any:
    """What a Tensor's slot holds, on the host, sharing the memory of `data` where the dtype allows."""
    if data.dtype == "string":
        return data.numpy()
    dtype = dtypes.as_dtype(data.dtype)
    if dtype.torch is None:
        raise errors.UnimplementedError(None, None, f"Values of dtype {data.dtype} cannot be restored.")
    if data.data.size == 0:
        return torch.empty(data.shape, dtype=dtype.torch)
    content = data.data
    if content.ctypes.data % ITEM_SIZE[data.dtype]:
        content = content.copy()  # torch's kernels take memory for aligned; TensorFlow packs its files without gaps
    return torch.from_numpy(content).view(dtype.torch).reshape(data.shape)


def to_tensor(data: TensorData) -> Tensor:
    """A Tensor with memory of its own."""
    storage = to_storage(data)
    return wrap(storage.copy() if isinstance(storage, np.ndarray) else storage.clone())
