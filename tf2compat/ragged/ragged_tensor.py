"""`tf.RaggedTensor`: rows of different lengths, as flat values and the places where rows begin and end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import tf2compat as tf

from .. import errors
from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.shapes import TensorShape
from .._engine.tensor import Tensor
from . import connecting, partition
from .spec import RaggedTensorSpec


def is_ragged(value: Any) -> bool:
    return isinstance(value, RaggedTensor)


def _splits_tensor(value: Any, name: str, dtype: Any = None) -> Tensor:
    if isinstance(value, Tensor):
        t = value
    elif dtype is not None:
        t = convert_to_tensor(value, dtype)
    else:
        found = getattr(value, "dtype", None)
        try:
            t = convert_to_tensor(value, None if found is not None and np.dtype(found) == np.int32 else dtypes.int64)
        except TypeError:
            raise ValueError(f"Argument `{name}` must have dtype int32 or int64, got {value!r}") from None
    if t.dtype not in (dtypes.int32, dtypes.int64):
        raise ValueError(f"Argument `{name}` must have dtype int32 or int64, not {t.dtype!r}")
    return t


def _values(value: Any) -> Any:
    return value if isinstance(value, (RaggedTensor, Tensor)) else convert_to_tensor(value)


class RaggedTensor:
    """A tensor with one or more dimensions whose slices differ in length (`tf.RaggedTensor`).

    Made by the `from_*` class methods and by `tf.ragged.constant`.
    """

    __array_priority__ = 100
    __slots__ = ("_flat", "_row_splits", "_uniform", "_keras_mask")

    def __init__(self, values: Any, row_partition: Any, internal: bool = False) -> None:
        if not internal:
            raise ValueError(
                "RaggedTensor constructor is private; please use one of the factory methods instead (e.g., RaggedTensor.from_row_lengths())"
            )
        self._flat = values
        self._row_splits, self._uniform = row_partition

    # --- construction ------------------------------------------------------------------------------------------------
    @classmethod
    def _make(cls, values: Any, splits: Tensor, uniform: int | None = None) -> RaggedTensor:
        if isinstance(values, RaggedTensor) and values.row_splits.dtype is not splits.dtype:
            values, splits = values.with_row_splits_dtype(dtypes.int64), tf.cast(splits, dtypes.int64)
        return cls(values, (splits, uniform), internal=True)

    @classmethod
    @connecting.constructor
    def from_row_splits(cls, values: Any, row_splits: Any, name: str | None = None, validate: bool = True) -> RaggedTensor:
        """Row i is `values[row_splits[i]:row_splits[i + 1]]`."""
        values = _values(values)
        splits = _splits_tensor(row_splits, "row_splits")
        if validate:
            partition.check_splits(splits, values)
        return cls._make(values, splits)

    @classmethod
    @connecting.constructor
    def from_row_lengths(cls, values: Any, row_lengths: Any, name: str | None = None, validate: bool = True) -> RaggedTensor:
        """Rows of the given lengths, one after the other."""
        values = _values(values)
        lengths = _splits_tensor(row_lengths, "row_lengths")
        if validate:
            partition.check_lengths(lengths, values)
        return cls._make(values, partition.splits_of_lengths(lengths))

    @classmethod
    @connecting.constructor
    def from_value_rowids(cls, values: Any, value_rowids: Any, nrows: Any = None, name: str | None = None, validate: bool = True) -> RaggedTensor:
        """Value i belongs to row `value_rowids[i]`; the ids ascend."""
        values = _values(values)
        rowids = _splits_tensor(value_rowids, "value_rowids")
        if nrows is None:
            count = tf.reduce_max(tf.concat([rowids, tf.constant([-1], rowids.dtype)], 0)) + 1
        else:
            count = tf.cast(convert_to_tensor(nrows), rowids.dtype)
        if validate:
            partition.check_rowids(rowids, count, values)
        return cls._make(values, partition.splits_of_rowids(rowids, count))

    @classmethod
    @connecting.constructor
    def from_row_starts(cls, values: Any, row_starts: Any, name: str | None = None, validate: bool = True) -> RaggedTensor:
        """Row i begins at `row_starts[i]` and ends where the next begins."""
        values = _values(values)
        starts = _splits_tensor(row_starts, "row_starts")
        total = tf.reshape(tf.cast(partition.nvals(values), starts.dtype), [1])
        return cls.from_row_splits(values, tf.concat([starts, total], 0), validate=validate)

    @classmethod
    @connecting.constructor
    def from_row_limits(cls, values: Any, row_limits: Any, name: str | None = None, validate: bool = True) -> RaggedTensor:
        """Row i ends at `row_limits[i]` and begins where the last ended."""
        limits = _splits_tensor(row_limits, "row_limits")
        return cls.from_row_splits(values, tf.concat([tf.zeros([1], limits.dtype), limits], 0), validate=validate)

    @classmethod
    @connecting.constructor
    def from_uniform_row_length(
        cls, values: Any, uniform_row_length: Any, nrows: Any = None, validate: bool = True, name: str | None = None
    ) -> RaggedTensor:
        """Rows that all have one length."""
        values = _values(values)
        length = int(tf.get_static_value(convert_to_tensor(uniform_row_length)))
        if nrows is None:
            total = partition.static_nvals(values)
            if length == 0:
                if validate and total:
                    raise ValueError(f"uniform_row_length 0 does not fit {total} values; give nrows")
                count = 0
            elif total is None:
                raise ValueError("nrows is needed where the number of values is not known statically")
            else:
                if validate and total % length:
                    raise ValueError(f"Arguments do not form a valid RaggedTensor: {total} values are no multiple of uniform_row_length {length}")
                count = total // length
        else:
            found = tf.get_static_value(convert_to_tensor(nrows))
            if found is None:  # known when the graph runs
                kind = values.row_splits.dtype if isinstance(values, RaggedTensor) else dtypes.int64
                return cls._make(values, tf.range(tf.cast(nrows, kind) + 1) * tf.constant(length, kind), length)
            count, total = int(found), partition.static_nvals(values)
            if validate and total is not None and total != count * length:
                raise ValueError(f"Arguments do not form a valid RaggedTensor: {total} values are not {count} rows of {length}")
        dtype = values.row_splits.dtype if isinstance(values, RaggedTensor) else dtypes.int64
        return cls._make(values, tf.constant(np.arange(count + 1) * length, dtype), length)

    @classmethod
    def from_nested_row_splits(cls, flat_values: Any, nested_row_splits: Any, name: str | None = None, validate: bool = True) -> RaggedTensor:
        """From flat values and the splits of each ragged dimension, the outermost first."""
        if isinstance(nested_row_splits, Tensor):
            raise TypeError(f"Argument `nested_row_splits` must be a list of Tensors. Received {nested_row_splits}.")
        result = flat_values
        for splits in reversed(list(nested_row_splits)):
            result = cls.from_row_splits(result, splits, validate=validate)
        return result

    @classmethod
    def from_nested_row_lengths(cls, flat_values: Any, nested_row_lengths: Any, name: str | None = None, validate: bool = True) -> RaggedTensor:
        """From flat values and the row lengths of each ragged dimension, the outermost first."""
        if isinstance(nested_row_lengths, Tensor):
            raise TypeError(f"Argument `nested_row_lengths` must be a list of Tensors. Received {nested_row_lengths}.")
        result = flat_values
        for lengths in reversed(list(nested_row_lengths)):
            result = cls.from_row_lengths(result, lengths, validate=validate)
        return result

    @classmethod
    def from_nested_value_rowids(
        cls, flat_values: Any, nested_value_rowids: Any, nested_nrows: Any = None, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """From flat values and the row ids of each ragged dimension, the outermost first."""
        if isinstance(nested_value_rowids, Tensor):
            raise TypeError(f"Argument `nested_value_rowids` must be a list of Tensors. Received: {nested_value_rowids}.")
        ids = list(nested_value_rowids)
        counts = [None] * len(ids) if nested_nrows is None else list(nested_nrows)
        if len(counts) != len(ids):
            raise ValueError(f"Argument `nested_nrows` must have the same length as argument `nested_value_rowids`. len(nested_nrows) = {len(counts)} vs. len(nested_values_rowids) = {len(ids)}.")
        result = flat_values
        for rowids, count in zip(reversed(ids), reversed(counts), strict=True):
            result = cls.from_value_rowids(result, rowids, count, validate=validate)
        return result

    @classmethod
    @connecting.constructor
    def from_tensor(
        cls, tensor: Any, lengths: Any = None, padding: Any = None, ragged_rank: int = 1, name: str | None = None, row_splits_dtype: Any = dtypes.int64
    ) -> RaggedTensor:
        """The rows of a dense tensor: whole, cut to `lengths`, or without trailing `padding`."""
        from .converting import from_tensor

        return from_tensor(tensor, lengths, padding, ragged_rank, dtypes.as_dtype(row_splits_dtype))

    @classmethod
    @connecting.constructor
    def from_sparse(cls, st_input: Any, name: str | None = None, row_splits_dtype: Any = dtypes.int64) -> RaggedTensor:
        """The rows of a 2-D sparse tensor whose values fill rows from the left."""
        if not isinstance(st_input, tf.SparseTensor):
            raise TypeError(f"Argument `st_input` must be of type SparseTensor, but is of type {type(st_input).__name__}.")
        if st_input.shape.rank is not None and st_input.shape.rank != 2:
            raise ValueError(f"rank(st_input) must be 2, got shape {st_input.shape}")
        rowids = st_input.indices[:, 0]
        known = tf.get_static_value(st_input.indices)
        if known is not None and len(known):
            place = np.arange(len(known)) - np.searchsorted(known[:, 0], known[:, 0])
            if (np.diff(known[:, 0]) < 0).any() or (place != known[:, 1]).any():
                raise errors.InvalidArgumentError(None, None, "SparseTensor is not right-ragged")
        return cls.from_value_rowids(st_input.values, tf.cast(rowids, row_splits_dtype), nrows=st_input.dense_shape[0])

    # --- description -------------------------------------------------------------------------------------------------
    @property
    def dtype(self) -> dtypes.DType:
        return self._flat.dtype

    @property
    def shape(self) -> TensorShape:
        rows = self._row_splits.shape[0]
        rows = None if rows is None else rows - 1
        return TensorShape([rows, self._uniform]).concatenate(self._flat.shape[1:])

    def get_shape(self) -> TensorShape:
        return self.shape

    @property
    def ragged_rank(self) -> int:
        """The number of ragged dimensions."""
        return 1 + (self._flat.ragged_rank if isinstance(self._flat, RaggedTensor) else 0)

    @property
    def values(self) -> Any:
        """The rows' contents, one after the other."""
        return self._flat

    @property
    def flat_values(self) -> Tensor:
        """The innermost values, dense."""
        value: Any = self
        while isinstance(value, RaggedTensor):
            value = value._flat
        return value

    @property
    def row_splits(self) -> Tensor:
        return self._row_splits

    @property
    def uniform_row_length(self) -> Tensor | None:
        return None if self._uniform is None else tf.constant(self._uniform, self._row_splits.dtype)

    @property
    def nested_row_splits(self) -> tuple[Tensor, ...]:
        inner = self._flat.nested_row_splits if isinstance(self._flat, RaggedTensor) else ()
        return (self._row_splits, *inner)

    @property
    def _type_spec(self) -> RaggedTensorSpec:
        return RaggedTensorSpec(self.shape, self.dtype, self.ragged_rank, self._row_splits.dtype)

    @property
    def device(self) -> str:
        return self.flat_values.device

    def row_starts(self, name: str | None = None) -> Tensor:
        return self._row_splits[:-1]

    def row_limits(self, name: str | None = None) -> Tensor:
        return self._row_splits[1:]

    def row_lengths(self, axis: int = 1, name: str | None = None) -> Any:
        """Lengths of the rows of a ragged dimension, which may be counted from the last."""
        if axis < 0:
            from .reducing import axis_of

            if self.shape.rank is None:
                raise ValueError("axis may only be negative if rank(self) is statically known.")
            axis = axis_of(axis, self.shape.rank)
        if axis == 0:
            return self.nrows()
        if axis == 1:
            return self._row_splits[1:] - self._row_splits[:-1]
        if isinstance(self._flat, RaggedTensor):
            return self.with_values(self._flat.row_lengths(axis - 1))
        if self._flat.shape.rank is not None and axis > self._flat.shape.rank:
            raise ValueError(f"axis={axis} must be between 0 and {self._flat.shape.rank}")
        size = tf.cast(tf.shape(self._flat)[axis - 1], self._row_splits.dtype)
        return self.with_values(tf.fill([tf.shape(self._flat)[0]], size))

    def nested_row_lengths(self, name: str | None = None) -> tuple[Tensor, ...]:
        inner = self._flat.nested_row_lengths() if isinstance(self._flat, RaggedTensor) else ()
        return (self.row_lengths(), *inner)

    def value_rowids(self, name: str | None = None) -> Tensor:
        """The row of each value."""
        return partition.rowids_of_splits(self._row_splits)

    def nested_value_rowids(self, name: str | None = None) -> tuple[Tensor, ...]:
        inner = self._flat.nested_value_rowids() if isinstance(self._flat, RaggedTensor) else ()
        return (self.value_rowids(), *inner)

    def nrows(self, out_type: Any = None, name: str | None = None) -> Tensor:
        """The number of rows."""
        count = tf.shape(self._row_splits, out_type=out_type or self._row_splits.dtype)[0]
        return count - 1

    def bounding_shape(self, axis: Any = None, name: str | None = None, out_type: Any = None) -> Tensor:
        """The smallest shape of a dense tensor that holds all rows."""
        dtype = out_type or self._row_splits.dtype
        if axis is not None:
            full = self.bounding_shape(out_type=out_type)
            return tf.gather(full, axis)
        longest = tf.reduce_max(tf.concat([self.row_lengths(), tf.zeros([1], self._row_splits.dtype)], 0))
        if isinstance(self._flat, RaggedTensor):
            rest = self._flat.bounding_shape(out_type=dtype)[1:]
        else:
            rest = tf.shape(self._flat, out_type=dtype)[1:]
        return tf.concat([tf.stack([tf.cast(self.nrows(), dtype), tf.cast(longest, dtype)]), rest], 0)

    def with_values(self, new_values: Any) -> RaggedTensor:
        """These rows with other contents."""
        new_values = _values(new_values)
        if new_values.shape.rank == 0:
            raise ValueError(f"Shape {new_values.shape} must have rank at least 1")
        have, want = new_values.shape[0] if new_values.shape.rank else None, self._flat.shape[0] if self._flat.shape.rank else None
        if have is not None and want is not None and have != want:
            raise ValueError(f"Shapes ({have},) and ({want},) are incompatible: there have to be as many values as before")
        return RaggedTensor._make(new_values, self._row_splits, self._uniform)

    def with_flat_values(self, new_values: Any) -> RaggedTensor:
        """This structure with other innermost values."""
        if isinstance(self._flat, RaggedTensor):
            return self.with_values(self._flat.with_flat_values(new_values))
        return self.with_values(new_values)

    def with_row_splits_dtype(self, dtype: Any) -> RaggedTensor:
        """This tensor with row splits of int32 or int64."""
        dtype = dtypes.as_dtype(dtype)
        if dtype not in (dtypes.int32, dtypes.int64):
            raise ValueError(f"Argument `row_splits` dtype must be int32 or int64. Received {dtype!r}.")
        values = self._flat.with_row_splits_dtype(dtype) if isinstance(self._flat, RaggedTensor) else self._flat
        return RaggedTensor._make(values, tf.cast(self._row_splits, dtype), self._uniform)

    def merge_dims(self, outer_axis: int, inner_axis: int) -> Any:
        """Dimensions `outer_axis` to `inner_axis` as one."""
        from .converting import merge_dims

        return merge_dims(self, outer_axis, inner_axis)

    def consumers(self) -> Any:
        """The operations of a graph that read the parts; none in eager code."""
        parts = [t for t in self._tf_components() if type(t) is not Tensor]
        return [o for t in parts for o in t.consumers()]

    # --- conversion --------------------------------------------------------------------------------------------------
    def to_tensor(self, default_value: Any = None, name: str | None = None, shape: Any = None) -> Tensor:
        """A dense tensor, shorter rows filled with `default_value`; cut or filled to `shape` when given."""
        from .converting import to_tensor

        return to_tensor(self, default_value, shape)

    def to_sparse(self, name: str | None = None) -> Any:
        """A sparse tensor with the values at the left of each row."""
        from .converting import to_sparse

        return to_sparse(self)

    def to_list(self) -> list[Any]:
        """Nested Python lists."""
        bounds = self._row_splits.numpy().tolist()
        inner = self._flat.to_list() if isinstance(self._flat, RaggedTensor) else self._flat.numpy().tolist()
        return [inner[a:b] for a, b in zip(bounds[:-1], bounds[1:], strict=True)]

    def numpy(self) -> np.ndarray:
        """A NumPy array: of rows, as objects, unless all rows have one length."""
        bounds = self._row_splits.numpy().tolist()
        inner = self._flat.numpy()
        rows = [inner[a:b] for a, b in zip(bounds[:-1], bounds[1:], strict=True)]
        if not rows:
            return np.array([], dtype=inner.dtype)
        if len({len(r) for r in rows}) == 1:
            return np.array(rows)
        out = np.empty(len(rows), dtype=object)
        for i, r in enumerate(rows):
            out[i] = r
        return out

    _numpy_value = numpy

    def _tf_iterated(self) -> Any:
        """What a loop in a graph runs over, and the row of each number."""
        return tf.range(self.nrows()), self.__getitem__

    def __iter__(self) -> Iterator[Any]:
        for i in range(int(self.nrows())):
            yield self[i]

    def __bool__(self) -> bool:
        raise TypeError("RaggedTensor may not be used as a boolean.")

    def __hash__(self) -> int:
        raise TypeError("RaggedTensor is unhashable.")

    def __repr__(self) -> str:
        if type(self.flat_values) is not Tensor or type(self._row_splits) is not Tensor:  # being traced
            return f"tf.RaggedTensor(values={self._flat}, row_splits={self._row_splits})"
        return f"<tf.RaggedTensor {partition.text(self)}>"

    __str__ = __repr__

    # --- taking part -------------------------------------------------------------------------------------------------
    def _tf_components(self) -> list[Any]:
        return [self.flat_values, *self.nested_row_splits]

    def _tf_from_components(self, components: list[Any]) -> RaggedTensor:
        result, *splits = components
        for s, uniform in zip(reversed(splits), reversed(self._uniforms()), strict=True):
            result = RaggedTensor(result, (s, uniform), internal=True)
        return result

    def _tf_values(self) -> Tensor:
        """What is differentiated."""
        return self.flat_values

    def _tf_with_values(self, values: Any) -> RaggedTensor:
        return self.with_flat_values(values)

    def _uniforms(self) -> list[int | None]:
        """The row length of each ragged dimension whose rows all have one."""
        inner = self._flat._uniforms() if isinstance(self._flat, RaggedTensor) else []
        return [self._uniform, *inner]

    def _tf_open_dims(self) -> list[Any]:
        """Sizes of the components as the spec tells them: how many rows there are, not how many values."""
        components = self._tf_components()
        rows, inner = self._row_splits.shape, components[0].shape
        return [None if inner.rank is None else (None, *inner.as_list()[1:]), tuple(rows.as_list()), *[(None,)] * (len(components) - 2)]

    def _tf_static(self) -> Any:
        found = self._uniforms()
        return None if all(u is None for u in found) else tuple(found)

    def _tf_take(self, which: Any) -> RaggedTensor:
        """Rows by a slice, or a torch tensor of numbers."""
        if isinstance(which, slice):
            return self[which]
        from . import gather

        return gather(self, convert_to_tensor(which))

    def _tf_rows(self) -> Any:
        return self.nrows()

    @staticmethod
    def _tf_stack(parts: list[Any]) -> RaggedTensor:
        from . import stack

        return stack(parts)

    def _tf_op(self, op: Any, args: tuple[Any, ...]) -> Any:
        from .dispatch import perform

        return perform(op, args)

    def __getitem__(self, key: Any) -> Any:
        from .indexing import getitem

        return getitem(self, key)

    def __add__(self, other: Any) -> Any:
        return tf.add(self, other)

    def __radd__(self, other: Any) -> Any:
        return tf.add(other, self)

    def __sub__(self, other: Any) -> Any:
        return tf.subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        return tf.subtract(other, self)

    def __mul__(self, other: Any) -> Any:
        return tf.multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return tf.multiply(other, self)

    def __truediv__(self, other: Any) -> Any:
        return tf.truediv(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return tf.truediv(other, self)

    def __floordiv__(self, other: Any) -> Any:
        return tf.math.floordiv(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return tf.math.floordiv(other, self)

    def __mod__(self, other: Any) -> Any:
        return tf.math.floormod(self, other)

    def __rmod__(self, other: Any) -> Any:
        return tf.math.floormod(other, self)

    def __pow__(self, other: Any) -> Any:
        return tf.pow(self, other)

    def __rpow__(self, other: Any) -> Any:
        return tf.pow(other, self)

    def __neg__(self) -> Any:
        return tf.negative(self)

    def __abs__(self) -> Any:
        return tf.abs(self)

    def __and__(self, other: Any) -> Any:
        return tf.logical_and(self, other)

    def __rand__(self, other: Any) -> Any:
        return tf.logical_and(other, self)

    def __or__(self, other: Any) -> Any:
        return tf.logical_or(self, other)

    def __ror__(self, other: Any) -> Any:
        return tf.logical_or(other, self)

    def __xor__(self, other: Any) -> Any:
        return tf.math.logical_xor(self, other)

    def __rxor__(self, other: Any) -> Any:
        return tf.math.logical_xor(other, self)

    def __invert__(self) -> Any:
        return tf.logical_not(self)

    def __lt__(self, other: Any) -> Any:
        return tf.less(self, other)

    def __le__(self, other: Any) -> Any:
        return tf.less_equal(self, other)

    def __gt__(self, other: Any) -> Any:
        return tf.greater(self, other)

    def __ge__(self, other: Any) -> Any:
        return tf.greater_equal(self, other)

    def __eq__(self, other: Any) -> Any:
        return False if other is None else _compared(tf.equal, self, other, False)

    def __ne__(self, other: Any) -> Any:
        return True if other is None else _compared(tf.not_equal, self, other, True)


def _compared(fn: Any, a: Any, b: Any, otherwise: bool) -> Any:
    """Elementwise, or a single answer for what has another structure."""
    try:
        return fn(a, b)
    except (ValueError, errors.InvalidArgumentError):
        return otherwise
