"""Row partitions: splits, lengths, row ids, and the checks of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import tf2compat as tf

from .. import errors
from .._engine.dtypes import int32, int64
from .._engine.op import op, tensor
from .._engine.tensor import Tensor

_INDEX = tensor(int32, int64)


def nvals(values: Any) -> Tensor:
    """The number of values, int64."""
    return values.nrows(int64) if not isinstance(values, Tensor) else tf.shape(values, out_type=int64)[0]


def static_nvals(values: Any) -> int | None:
    found = tf.get_static_value(nvals(values))
    return None if found is None else int(found)


@op("RaggedSplitsOfLengths", lengths=_INDEX)
def splits_of_lengths(lengths: Any) -> Any:
    """[n] lengths → [n + 1] splits."""
    return torch.cat([lengths.new_zeros(1), torch.cumsum(lengths, 0, dtype=lengths.dtype)])


@op("RaggedSplitsOfRowids", rowids=_INDEX, count=_INDEX)
def splits_of_rowids(rowids: Any, count: Any) -> Any:
    """Ascending row ids → [count + 1] splits."""
    n = int(count)
    lengths = torch.bincount(rowids.long(), minlength=n)[:n].to(rowids.dtype)
    return torch.cat([rowids.new_zeros(1), torch.cumsum(lengths, 0, dtype=rowids.dtype)])


splits_of_rowids.infer(lambda rowids, count: [(tf.as_dtype(rowids.dtype), (None,))])


@op("RaggedRowidsOfSplits", splits=_INDEX)
def rowids_of_splits(splits: Any) -> Any:
    """[n + 1] splits → the row of each value."""
    lengths = splits[1:] - splits[:-1]
    return torch.repeat_interleave(torch.arange(lengths.shape[0], dtype=splits.dtype, device=splits.device), lengths)


rowids_of_splits.infer(lambda splits: [(tf.as_dtype(splits.dtype), (None,))])


def _fail(what: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(None, None, f"Arguments to _from_row_partition do not form a valid RaggedTensor:{what}")


def _known(t: Tensor) -> np.ndarray | None:
    found = tf.get_static_value(t)
    return None if found is None else np.asarray(found)


def _negative(values: np.ndarray, like: Tensor) -> str:
    return f"Condition x >= 0 did not hold element-wise:\nx (shape=({len(values)},) dtype={like.dtype.name}) = \n{[str(v) for v in values.tolist()]}"


def check_splits(splits: Tensor, values: Any) -> None:
    """The splits begin at 0, do not descend, and end at the number of values."""
    splits.shape.with_rank(1)
    s, n = _known(splits), static_nvals(values)
    if s is None:
        return
    if s.size == 0:
        raise ValueError("row_splits tensor may not be empty.")
    if s[0] != 0:
        raise _fail(f" row_splits must begin at zero, got {s.tolist()}")
    if (np.diff(s) < 0).any():
        raise _fail(f"monotonic.  \n{_negative(np.diff(s), splits)}\n(the differences of row_splits {s.tolist()})")
    if n is not None and s[-1] != n:
        raise _fail(
            f"\nCondition x == y did not hold.\nFirst 1 elements of x:\n[{int(s[-1])}]\nFirst 1 elements of y:\n[{n}]\n"
            "(x: the last of row_splits; y: the number of values)"
        )


def check_lengths(lengths: Tensor, values: Any) -> None:
    lengths.shape.with_rank(1)
    found, n = _known(lengths), static_nvals(values)
    if found is None:
        return
    if (found < 0).any():
        raise errors.InvalidArgumentError(None, None, f"Arguments to from_row_lengths do not form a valid RowPartition.  \n{_negative(found, lengths)}")
    if n is not None and found.sum() != n:
        raise _fail(
            f"\nCondition x == y did not hold.\nFirst 1 elements of x:\n[{int(found.sum())}]\nFirst 1 elements of y:\n[{n}]\n"
            "(x: the sum of row_lengths; y: the number of values)"
        )


def check_rowids(rowids: Tensor, count: Tensor, values: Any) -> None:
    rowids.shape.with_rank(1)
    found, rows, n = _known(rowids), _known(count), static_nvals(values)
    if found is None or rows is None:
        return
    if int(rows) < 0:
        raise ValueError(f"Expected nrows >= 0; got {int(rows)}")
    if n is not None and len(found) != n:
        raise ValueError(f"Shapes ({len(found)},) and ({n},) are incompatible: there are {len(found)} value_rowids for {n} values")
    if (np.diff(found) < 0).any() or (len(found) and found[0] < 0):
        raise _fail(f" value_rowids must be ascending and not negative, got {found.tolist()}")
    if len(found) and found[-1] >= int(rows):
        raise ValueError(f"Expected nrows >= value_rowids[-1] + 1; got nrows={int(rows)}, value_rowids[-1]={int(found[-1])}")


def text(rt: Any) -> str:
    """The nested rows as TensorFlow prints them: NumPy's layout, elements in Python's notation."""
    with np.printoptions(formatter={"all": _shown}):
        return _shown(rt.numpy())


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return np.array2string(value, separator=", ") if value.size else repr(value.tolist())
    return repr(value) if isinstance(value, (bytes, str)) else str(value)
