"""Hugging Face `datasets` as pipelines: columns by the features' types."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from tf2compat._engine import dtypes
from tf2compat._engine.specs import TensorSpec
from tf2compat.data.dataset import UNKNOWN, Dataset
from tf2compat.data.foreign import ForeignDataset

_IN_MEMORY = 1 << 28  # bytes of plain numbers that are kept as tensors, whose rows batch by a gather
_ROWS = 1024


def accepts(value: Any) -> bool:
    """Whether the value is one of the library's data sets."""
    library = sys.modules.get("datasets")
    return library is not None and isinstance(value, (library.Dataset, library.IterableDataset))


def _type(name: str) -> Any:
    if name in ("string", "large_string", "binary", "large_binary"):
        return dtypes.string
    try:
        return dtypes.as_dtype({"float": "float32", "double": "float64"}.get(name, name))
    except TypeError:
        raise TypeError(f"Hugging Face columns of type {name!r} have no tensor; remove them with remove_columns or give an output_signature") from None


def _spec(feature: Any) -> Any:
    import datasets

    if isinstance(feature, dict):
        return {k: _spec(f) for k, f in feature.items()}
    if isinstance(feature, datasets.ClassLabel):
        return TensorSpec([], dtypes.int64)
    if isinstance(feature, datasets.Value):
        return TensorSpec([], _type(feature.dtype))
    if isinstance(feature, datasets.Image):
        return TensorSpec([None, None, None], dtypes.uint8)
    shape = getattr(feature, "shape", None)
    if shape is not None and hasattr(feature, "dtype"):  # Array2D and the like
        return TensorSpec(list(shape), _type(feature.dtype))
    inner = getattr(feature, "feature", None)
    if inner is None and isinstance(feature, list):
        inner = feature[0]
    if inner is not None:
        of = _spec(inner)
        size = getattr(feature, "length", -1)
        if isinstance(of, TensorSpec):
            return TensorSpec([None if size == -1 else size, *of.shape.as_list()], of.dtype)
    raise TypeError(f"Hugging Face columns of {feature!r} have no tensor; remove them with remove_columns or give an output_signature")


def _value(value: Any, spec: Any) -> Any:
    """A cell as an array of its spec's dtype."""
    if isinstance(spec, dict):
        return {k: _value(value[k], s) for k, s in spec.items()}
    if spec.dtype is dtypes.string:
        flat = np.asarray(value, dtype=object)
        out = np.empty(flat.shape, dtype=object)
        out.reshape(-1)[:] = [v.encode() if isinstance(v, str) else b"" if v is None else bytes(v) for v in flat.reshape(-1)]
        return out if out.ndim else out[()]
    array = np.asarray(value, dtype=spec.dtype.as_numpy_dtype)
    if spec.shape.rank == 3 and array.ndim == 2:  # an image of one channel
        return array[..., None]
    return array


def dataset(source: Any, output_signature: Any = None) -> Dataset:
    """The pipeline of the rows."""
    import datasets

    spec = output_signature
    if spec is None:
        if source.features is None:
            raise TypeError("an IterableDataset without features needs an output_signature")
        spec = {name: _spec(f) for name, f in source.features.items()}
    if isinstance(source, datasets.Dataset) and output_signature is None and _plain(spec, len(source)):
        columns = source.with_format("numpy")[:]
        return Dataset.from_tensor_slices({k: np.asarray(columns[k], dtype=s.dtype.as_numpy_dtype) for k, s in spec.items()})
    count = len(source) if isinstance(source, datasets.Dataset) else UNKNOWN

    def rows() -> Iterator[Any]:
        if isinstance(source, datasets.Dataset):
            for block in source.with_format(None).iter(_ROWS):
                for i in range(len(next(iter(block.values())))):
                    yield {k: _value(block[k][i], s) for k, s in spec.items()}
            return
        for row in source:
            yield {k: _value(row[k], s) for k, s in spec.items()}

    return ForeignDataset(rows, spec, count, "Hugging Face dataset")


def _plain(spec: Any, rows: int) -> bool:
    size = 0
    for s in spec.values():
        if not isinstance(s, TensorSpec) or s.dtype is dtypes.string or not s.shape.is_fully_defined():
            return False
        size += s.dtype.size * int(np.prod(s.shape.as_list(), dtype=np.int64))
    return size * rows <= _IN_MEMORY
