"""`tf.experimental.RowPartition`: how values are divided into rows."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.specs import TensorSpec, TypeSpec
from .._engine.tensor import Tensor
from . import partition
from .ragged_tensor import RaggedTensor, _splits_tensor


class RowPartition:
    """Rows of values, each beginning where the last ended (`tf.experimental.RowPartition`). Made by the `from_*` class methods."""

    __slots__ = ("_splits", "_uniform")

    def __init__(
        self, row_splits: Any, row_lengths: Any = None, value_rowids: Any = None, nrows: Any = None, uniform_row_length: Any = None,
        nvals: Any = None, internal: bool = False,
    ) -> None:  # fmt: skip
        if not internal:
            raise ValueError("RowPartition constructor is private; please use one of the factory methods instead (e.g., RowPartition.from_row_lengths())")
        self._splits: Tensor = row_splits
        self._uniform: int | None = uniform_row_length

    @classmethod
    def _of(cls, rt: RaggedTensor) -> RowPartition:
        return cls(rt.row_splits, uniform_row_length=rt._uniform, internal=True)

    @classmethod
    def from_row_splits(cls, row_splits: Any, validate: bool = True, dtype: Any = None, dtype_hint: Any = None) -> RowPartition:
        """Row i is from `row_splits[i]` to `row_splits[i + 1]`."""
        splits = _typed(row_splits, dtype, dtype_hint)
        if splits.shape.rank is not None and splits.shape.rank != 1:
            raise ValueError(f"Shape {splits.shape} must have rank 1")
        if validate:
            partition.check_splits(splits, tf.range(splits[-1]))
        return cls(splits, internal=True)

    @classmethod
    def from_row_lengths(cls, row_lengths: Any, validate: bool = True, dtype: Any = None, dtype_hint: Any = None) -> RowPartition:
        """Rows of these lengths."""
        lengths = _typed(row_lengths, dtype, dtype_hint)
        if validate:
            known = tf.get_static_value(lengths)
            if known is not None and (known < 0).any():
                raise tf.errors.InvalidArgumentError(None, None, f"Arguments to from_row_lengths do not form a valid RowPartition: {known.tolist()}")
        return cls(partition.splits_of_lengths(lengths), internal=True)

    @classmethod
    def from_row_limits(cls, row_limits: Any, validate: bool = True, dtype: Any = None, dtype_hint: Any = None) -> RowPartition:
        """Row i ends at `row_limits[i]`."""
        limits = _typed(row_limits, dtype, dtype_hint)
        return cls.from_row_splits(tf.concat([tf.zeros([1], limits.dtype), limits], 0), validate)

    @classmethod
    def from_row_starts(cls, row_starts: Any, nvals: Any, validate: bool = True, dtype: Any = None, dtype_hint: Any = None) -> RowPartition:
        """Row i begins at `row_starts[i]`; there are `nvals` values."""
        starts = _typed(row_starts, dtype, dtype_hint)
        return cls.from_row_splits(tf.concat([starts, tf.reshape(tf.cast(nvals, starts.dtype), [1])], 0), validate)

    @classmethod
    def from_value_rowids(
        cls, value_rowids: Any, nrows: Any = None, validate: bool = True, dtype: Any = None, dtype_hint: Any = None
    ) -> RowPartition:
        """Value i belongs to row `value_rowids[i]`."""
        rowids = _typed(value_rowids, dtype, dtype_hint)
        return cls._of(RaggedTensor.from_value_rowids(rowids, rowids, nrows, validate=validate))

    @classmethod
    def from_uniform_row_length(
        cls, uniform_row_length: Any, nvals: Any = None, nrows: Any = None, validate: bool = True, dtype: Any = None, dtype_hint: Any = None
    ) -> RowPartition:
        """Rows of one length; `nvals` or `nrows` says how many."""
        if nvals is None and nrows is None:
            raise ValueError("Either (or both) of nvals and nrows must be specified")
        kind = dtypes.as_dtype(dtype or dtype_hint or getattr(uniform_row_length, "dtype", dtypes.int64))
        length = int(tf.get_static_value(convert_to_tensor(uniform_row_length)))
        count = tf.cast(nvals, kind) // max(length, 1) if nrows is None else tf.cast(nrows, kind)
        if validate and nvals is not None and nrows is not None and int(nvals) != int(nrows) * length:
            raise tf.errors.InvalidArgumentError(None, None, f"{nvals} values are not {nrows} rows of {length}")
        return cls(tf.range(count + 1) * tf.constant(length, kind), uniform_row_length=length, internal=True)

    # --- description -------------------------------------------------------------------------------------------------
    @property
    def dtype(self) -> dtypes.DType:
        return self._splits.dtype

    def row_splits(self) -> Tensor:
        """Where the rows begin, and the last ends."""
        return self._splits

    def row_lengths(self) -> Tensor:
        return self._splits[1:] - self._splits[:-1]

    def row_starts(self) -> Tensor:
        return self._splits[:-1]

    def row_limits(self) -> Tensor:
        return self._splits[1:]

    def value_rowids(self) -> Tensor:
        """The row of each value."""
        return partition.rowids_of_splits(self._splits)

    def offsets_in_rows(self) -> Tensor:
        """The place of each value within its row."""
        rowids = self.value_rowids()
        return tf.range(tf.shape(rowids, out_type=rowids.dtype)[0]) - tf.gather(self.row_starts(), rowids)

    def nrows(self) -> Tensor:
        """The number of rows."""
        return tf.shape(self._splits, out_type=self.dtype)[0] - 1

    def nvals(self) -> Tensor:
        """The number of values."""
        return self._splits[-1]

    def uniform_row_length(self) -> Tensor | None:
        return None if self._uniform is None else tf.constant(self._uniform, self.dtype)

    def is_uniform(self) -> bool:
        """Whether all rows are known to have one length."""
        return self._uniform is not None

    @property
    def static_nrows(self) -> int | None:
        n = self._splits.shape[0]
        return None if n is None else n - 1

    @property
    def static_nvals(self) -> int | None:
        found = tf.get_static_value(self._splits[-1])
        return None if found is None else int(found)

    @property
    def static_uniform_row_length(self) -> int | None:
        return self._uniform

    def with_dtype(self, dtype: Any) -> RowPartition:
        """The same rows with int32 or int64 splits."""
        dtype = dtypes.as_dtype(dtype)
        if dtype not in (dtypes.int32, dtypes.int64):
            raise ValueError(f"Argument `dtype` must be int32 or int64. Received {dtype!r}.")
        return self if dtype is self.dtype else RowPartition(tf.cast(self._splits, dtype), uniform_row_length=self._uniform, internal=True)

    def __repr__(self) -> str:
        if type(self._splits) is Tensor:
            if self._uniform is not None:
                return f"tf.RowPartition(nrows={int(self.nrows())}, uniform_row_length={self._uniform})"
            return f"tf.RowPartition(row_splits={self._splits.numpy()})"
        return f"tf.RowPartition(row_splits={self._splits})"

    # --- the engine's protocols --------------------------------------------------------------------------------------
    def _tf_components(self) -> list[Any]:
        return [self._splits]

    def _tf_from_components(self, components: list[Any]) -> RowPartition:
        return RowPartition(components[0], uniform_row_length=self._uniform, internal=True)

    def _tf_static(self) -> Any:
        return self._uniform

    @property
    def _type_spec(self) -> RowPartitionSpec:
        return RowPartitionSpec(self.static_nrows, self._uniform, self.dtype)


class RowPartitionSpec(TypeSpec):
    """The spec of a row partition."""

    def __init__(self, nrows: int | None = None, uniform_row_length: int | None = None, dtype: Any = dtypes.int64) -> None:
        self._nrows, self._uniform, self._dtype = nrows, uniform_row_length, dtypes.as_dtype(dtype)

    @property
    def value_type(self) -> type:
        return RowPartition

    def _serialize(self) -> tuple[Any, ...]:
        return self._nrows, self._uniform, self._dtype

    @property
    def _component_specs(self) -> Any:
        return (TensorSpec([None if self._nrows is None else self._nrows + 1], self._dtype),)

    def _from_components(self, components: Any) -> RowPartition:
        return RowPartition(components[0], uniform_row_length=self._uniform, internal=True)

    def _tf_static(self) -> Any:
        return self._uniform


def _typed(value: Any, dtype: Any, hint: Any) -> Tensor:
    if dtype is not None:
        return tf.cast(_splits_tensor(value, "row partition"), dtypes.as_dtype(dtype))
    return _splits_tensor(value, "row partition", None if isinstance(value, Tensor) or hint is None else dtypes.as_dtype(hint))
