"""`tf.experimental.DynamicRaggedShape`: the shape of a ragged tensor, row by row."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.shapes import TensorShape
from .._engine.specs import TensorSpec, TypeSpec
from .._engine.tensor import Tensor
from .ragged_tensor import RaggedTensor
from .row_partition import RowPartition, RowPartitionSpec


class DynamicRaggedShape:
    """Row partitions of the ragged dimensions and the dense shape of the flat values (`tf.experimental.DynamicRaggedShape`).

    What `tf.shape` of a ragged tensor gives. `tf.reshape`, `tf.broadcast_to`, `tf.zeros`, `tf.ones` and `tf.fill` take it as a shape.
    """

    _tf_tensor_like = False

    def __init__(
        self, row_partitions: Any, inner_shape: Any, dtype: Any = None, validate: bool = False, static_inner_shape: Any = None
    ) -> None:
        parts = tuple(row_partitions)
        if not all(isinstance(p, RowPartition) for p in parts):
            raise TypeError(f"row_partitions should be a list of RowPartitions, got {row_partitions}")
        inner = inner_shape if isinstance(inner_shape, Tensor) else convert_to_tensor(inner_shape, dtypes.as_dtype(dtype or dtypes.int64))
        kind = dtypes.as_dtype(dtype) if dtype is not None else (parts[0].dtype if parts else inner.dtype)
        if kind not in (dtypes.int32, dtypes.int64):
            raise ValueError(f"dtype must be int32 or int64, got {kind!r}")
        if parts and inner.shape.rank is not None and inner.shape[0] == 0:
            raise ValueError("If row_partitions are given, then inner_shape must have at least one element")
        self._partitions = tuple(p.with_dtype(kind) for p in parts)
        self._inner = tf.cast(inner, kind)
        self._dtype = kind
        if validate and parts:
            tf.debugging.assert_equal(self._partitions[-1].nvals(), self._inner[0], message="Last row partition does not match inner_shape.")

    @classmethod
    def from_lengths(cls, lengths: Any, num_row_partitions: int | None = None, dtype: Any = dtypes.int64) -> DynamicRaggedShape:
        """From the size of each dimension: a number, or the lengths of all its rows."""
        sizes = list(lengths)
        if not sizes:
            return cls((), tf.constant([], dtypes.as_dtype(dtype)))
        if not all(isinstance(v, (int, list, tuple)) or hasattr(v, "__index__") for v in sizes):
            raise TypeError("lengths should be a Sequence of ints or Sequences of ints")
        if isinstance(sizes[0], (list, tuple)):
            raise ValueError("First element of lengths must be an int: the outermost dimension is uniform")
        ragged = [i for i, v in enumerate(sizes) if isinstance(v, (list, tuple))]
        count = (ragged[-1] if ragged else 0) if num_row_partitions is None else num_row_partitions
        if count < (ragged[-1] if ragged else 0):
            raise ValueError("num_row_partitions should be at least the last ragged dimension")
        parts, total = [], int(sizes[0])
        for v in sizes[1 : count + 1]:
            if isinstance(v, (list, tuple)):
                if len(v) != total:
                    raise ValueError(f"The ragged lengths {tuple(v)} should be {total} in number, one for each row of the dimension outside")
                parts.append(RowPartition.from_row_lengths(v, dtype=dtype))
                total = sum(v)
            else:
                parts.append(RowPartition.from_uniform_row_length(int(v), nrows=total, dtype=dtype))
                total *= int(v)
        inner = [total, *[int(v) for v in sizes[count + 1 :]]]
        return cls(parts, tf.constant(inner, dtypes.as_dtype(dtype)))

    @classmethod
    def from_row_partitions(cls, row_partitions: Any, dtype: Any = None) -> DynamicRaggedShape:
        """Of scalars in rows; there has to be a partition."""
        parts = list(row_partitions)
        if not parts:
            raise ValueError("row_partitions cannot be empty")
        return cls(parts, tf.reshape(parts[-1].nvals(), [1]), dtype)

    @classmethod
    def from_tensor(cls, t: Any, dtype: Any = None) -> DynamicRaggedShape:
        """Of a ragged or dense tensor."""
        if isinstance(t, RaggedTensor):
            parts, value = [], t
            while isinstance(value, RaggedTensor):
                parts.append(RowPartition._of(value))
                value = value.values
            return cls(parts, tf.shape(value, out_type=t.row_splits.dtype), dtype)
        return cls((), tf.shape(convert_to_tensor(t), out_type=dtypes.as_dtype(dtype or dtypes.int64)))

    # --- description -------------------------------------------------------------------------------------------------
    @property
    def dtype(self) -> dtypes.DType:
        return self._dtype

    @property
    def row_partitions(self) -> tuple[RowPartition, ...]:
        return self._partitions

    @property
    def num_row_partitions(self) -> int:
        return len(self._partitions)

    @property
    def inner_shape(self) -> Tensor:
        """The shape of the flat values."""
        return self._inner

    @property
    def inner_rank(self) -> int | None:
        return self._inner.shape[0]

    @property
    def rank(self) -> int | None:
        return None if self.inner_rank is None else self.inner_rank + self.num_row_partitions

    def is_uniform(self, axis: int) -> bool:
        """Whether a dimension has one size."""
        if not isinstance(axis, int):
            raise TypeError("axis must be an integer")
        rank = self.rank
        if axis < 0 or (rank is not None and axis >= rank):
            raise IndexError(f"axis={axis} is out of range for rank {rank}")
        return axis == 0 or axis > self.num_row_partitions or self._partitions[axis - 1].is_uniform()

    def static_lengths(self, ragged_lengths: bool = True) -> list[Any]:
        """The size of each dimension: an int, the lengths of its rows, or None where nothing is known."""
        known = tf.get_static_value(self._inner)
        inner = [None] * (self.inner_rank or 0) if known is None else [int(d) for d in known]
        if not self._partitions:
            return inner
        out: list[Any] = [self._partitions[0].static_nrows]
        for p in self._partitions:
            if p.static_uniform_row_length is not None:
                out.append(p.static_uniform_row_length)
                continue
            lengths = tf.get_static_value(p.row_lengths()) if ragged_lengths else None
            out.append(None if lengths is None else tuple(int(v) for v in lengths))
        return out + inner[1:]

    def with_dtype(self, dtype: Any) -> DynamicRaggedShape:
        """The same shape in int32 or int64."""
        dtype = dtypes.as_dtype(dtype)
        return DynamicRaggedShape([p.with_dtype(dtype) for p in self._partitions], tf.cast(self._inner, dtype))

    def _sizes(self) -> list[Any]:
        """A scalar for each dimension, None for ragged ones."""
        inner = tf.unstack(self._inner)
        if not self._partitions:
            return inner
        return [self._partitions[0].nrows(), *[p.uniform_row_length() for p in self._partitions], *inner[1:]]

    def __getitem__(self, index: Any) -> Any:
        rank = self.rank
        if isinstance(index, slice):
            if rank is None or index.step not in (None, 1):
                raise ValueError("A slice of a DynamicRaggedShape needs a known rank and no step")
            first, last, _ = index.indices(rank)
            if first == 0 and last:
                if last > self.num_row_partitions:
                    return DynamicRaggedShape(self._partitions, self._inner[: last - self.num_row_partitions])
                if last == 1:
                    return DynamicRaggedShape((), tf.reshape(self._sizes()[0], [1]))
                return DynamicRaggedShape.from_row_partitions(self._partitions[: last - 1])
            sizes = self._sizes()[first:last]
            if any(s is None for s in sizes):
                raise ValueError("All relevant dimensions must be uniform")
            return DynamicRaggedShape((), tf.stack(sizes) if sizes else tf.constant([], self._dtype))
        if not isinstance(index, int):
            raise TypeError("Argument is not an int or a slice")
        if rank is not None and not -rank <= index < rank:
            raise IndexError(f"Index {index} is out of range for rank {rank}")
        at = index + (rank or 0) if index < 0 else index
        size = self._sizes()[at]
        if size is None:
            raise ValueError(f"Index {at} is not uniform")
        return size

    def __repr__(self) -> str:
        return f"<DynamicRaggedShape lengths={self.static_lengths()} num_row_partitions={self.num_row_partitions}>"

    def __eq__(self, other: Any) -> Any:
        if not isinstance(other, DynamicRaggedShape) or self.rank != other.rank or self.num_row_partitions != other.num_row_partitions:
            return False
        mine, theirs = self._tf_components(), [tf.cast(t, self._dtype) for t in other._tf_components()]
        if any(a.shape != b.shape for a, b in zip(mine, theirs, strict=True)):
            return tf.constant(False)
        return tf.reduce_all(tf.stack([tf.reduce_all(a == b) for a, b in zip(mine, theirs, strict=True)]))

    def __ne__(self, other: Any) -> Any:
        same = self == other
        return tf.logical_not(same) if isinstance(same, Tensor) else not same

    __hash__ = None  # type: ignore[assignment]

    # --- making tensors of this shape --------------------------------------------------------------------------------
    def _over(self, flat: Any) -> Any:
        """Flat values of the inner shape, in rows."""
        for p in reversed(self._partitions):
            flat = RaggedTensor(flat, (p.row_splits(), p.static_uniform_row_length), internal=True)
        return flat

    def _tf_op(self, op: Any, args: tuple[Any, ...]) -> Any:
        named = dict(zip(op.params, args, strict=False))
        if op.name == "Reshape" and named["shape"] is self:
            given = named["tensor"]
            return self._over(tf.reshape(given.flat_values if isinstance(given, RaggedTensor) else given, self._inner))
        if op.name == "BroadcastTo" and named["shape"] is self:
            return broadcast_to(named["input"], self)
        if any(v is self for v in args):
            return self._over(op.public(*[self._inner if v is self else v for v in args]))
        return NotImplemented

    # --- the engine's protocols --------------------------------------------------------------------------------------
    def _tf_components(self) -> list[Any]:
        return [*[p.row_splits() for p in self._partitions], self._inner]

    def _tf_from_components(self, components: list[Any]) -> DynamicRaggedShape:
        *splits, inner = components
        return DynamicRaggedShape([p._tf_from_components([s]) for p, s in zip(self._partitions, splits, strict=True)], inner)

    def _tf_static(self) -> Any:
        return tuple(p.static_uniform_row_length for p in self._partitions)

    @property
    def _type_spec(self) -> DynamicRaggedShapeSpec:
        known = tf.get_static_value(self._inner)
        static = TensorShape([None] * (self.inner_rank or 0) if known is None else [int(d) for d in known])
        return DynamicRaggedShapeSpec(tuple(p._type_spec for p in self._partitions), static, self._dtype)


class DynamicRaggedShapeSpec(TypeSpec):
    """The spec of a ragged shape."""

    def __init__(self, row_partitions: Any, static_inner_shape: Any, dtype: Any) -> None:
        self._partitions: tuple[RowPartitionSpec, ...] = tuple(row_partitions)
        self._static, self._dtype = TensorShape(static_inner_shape), dtypes.as_dtype(dtype)

    @property
    def value_type(self) -> type:
        return DynamicRaggedShape

    def _serialize(self) -> tuple[Any, ...]:
        return self._partitions, self._static, self._dtype

    @property
    def _component_specs(self) -> Any:
        return (*[p._component_specs[0] for p in self._partitions], TensorSpec([self._static.rank], self._dtype))

    def _from_components(self, components: Any) -> DynamicRaggedShape:
        *splits, inner = components
        return DynamicRaggedShape([p._from_components([s]) for p, s in zip(self._partitions, splits, strict=True)], inner)

    def _tf_static(self) -> Any:
        return tuple(p._uniform for p in self._partitions)


DynamicRaggedShape.Spec = DynamicRaggedShapeSpec  # type: ignore[attr-defined]


def broadcast_to(value: Any, shape: DynamicRaggedShape) -> Any:
    """`tf.broadcast_to` a ragged shape."""
    if not shape.num_row_partitions:
        return tf.broadcast_to(value, shape.inner_shape)
    from .dispatch import _aligned

    like = shape._over(tf.zeros(shape.inner_shape))
    value = value if isinstance(value, (RaggedTensor, Tensor)) else convert_to_tensor(value)
    return shape._over(tf.broadcast_to(_aligned(value, like), shape.inner_shape))


def broadcast_dynamic_shape(a: Any, b: Any) -> DynamicRaggedShape:
    """The ragged shape that two shapes, of which one is ragged, broadcast to."""
    shapes = [s if isinstance(s, DynamicRaggedShape) else DynamicRaggedShape((), convert_to_tensor(s)) for s in (a, b)]
    kind = dtypes.int64 if any(s.dtype is dtypes.int64 for s in shapes) else dtypes.int32
    parts = [s.with_dtype(kind)._over(tf.zeros(s.inner_shape)) for s in shapes]
    return DynamicRaggedShape.from_tensor(tf.add(*parts), dtype=kind)
