"""`tf.SparseTensor`: the values that are there, and where they are."""

from __future__ import annotations

import functools
from typing import Any

import tf2compat as tf

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.op import Op
from .._engine.shapes import TensorShape
from .._engine.specs import TensorSpec, TypeSpec
from .._engine.tensor import Tensor

#: ops of one tensor that keep zeros, so that they act on the values alone
_ON_VALUES = frozenset(("Abs", "Cast", "Erf", "Identity", "Neg", "Round", "Sign", "Sqrt", "Square", "Tanh"))


def of_symbols(fn: Any) -> Any:
    """Decorator of a function of one sparse tensor: on a model's symbolic one it is a layer of the model, whose result is sparse too."""

    @functools.wraps(fn)
    def call(sp_input: Any, *args: Any, **kwargs: Any) -> Any:
        if hasattr(type(sp_input), "_is_keras_tensor"):
            return sp_input._function(f"sparse.{fn.__name__}", sp_input, *args, **kwargs)
        return fn(sp_input, *args, **kwargs)

    return call


class SparseTensor:
    """A tensor most of whose elements are zero (`tf.sparse.SparseTensor`).

    `indices` is int64 [n, rank], `values` is [n], `dense_shape` is int64 [rank]. ValueError where these do not fit together.
    Most functions of `tf.sparse` expect indices in row-major order; `tf.sparse.reorder` brings them into it.
    """

    __array_priority__ = 100

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        self._indices = convert_to_tensor(indices, dtypes.int64)
        self._values = values if isinstance(values, Tensor) else convert_to_tensor(values)
        self._dense_shape = convert_to_tensor(dense_shape, dtypes.int64)
        at = self._indices.shape.with_rank(2)
        counted = self._values.shape.with_rank(1)
        shape = self._dense_shape.shape.with_rank(1)
        for a, b in ((at[0], counted[0]), (at[1], shape[0])):
            if a is not None and b is not None and a != b:
                raise ValueError(f"Dimensions {a} and {b} are not compatible")
        known = tf.get_static_value(self._dense_shape)
        if known is not None:
            self._shape = TensorShape([int(d) if d >= 0 else None for d in known])
        else:
            rank = shape[0] if shape[0] is not None else at[1]
            self._shape = TensorShape(None if rank is None else [None] * rank)

    @classmethod
    def from_value(cls, sparse_tensor_value: Any) -> SparseTensor:
        """From a SparseTensor, or a triple with its fields."""
        if isinstance(sparse_tensor_value, SparseTensor):
            return sparse_tensor_value
        try:
            return cls(sparse_tensor_value.indices, sparse_tensor_value.values, sparse_tensor_value.dense_shape)
        except AttributeError:
            raise TypeError(f"Argument sparse_tensor_value={sparse_tensor_value} is neither a SparseTensor nor SparseTensorValue.") from None

    @property
    def indices(self) -> Tensor:
        return self._indices

    @property
    def values(self) -> Tensor:
        return self._values

    @property
    def dense_shape(self) -> Tensor:
        return self._dense_shape

    @property
    def dtype(self) -> dtypes.DType:
        return self._values.dtype

    @property
    def shape(self) -> TensorShape:
        return self._shape

    def get_shape(self) -> TensorShape:
        return self._shape

    def set_shape(self, shape: Any) -> None:
        """Add what is known of the shape; ValueError when it disagrees."""
        self._shape = self._shape.merge_with(shape)

    @property
    def device(self) -> str:
        return self._values.device

    @property
    def op(self) -> Any:
        return self._values.op

    @property
    def graph(self) -> Any:
        return self._values.graph

    def consumers(self) -> Any:
        """The operations of a graph that read the values."""
        return self._values.consumers()

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        """For sessions only: NotImplementedError, as in eager TensorFlow."""
        raise NotImplementedError("eval is not supported when eager execution is enabled, is .numpy() what you're looking for?")

    def with_values(self, new_values: Any) -> SparseTensor:
        """The same places with other values."""
        return SparseTensor(self._indices, new_values, self._dense_shape)._shaped(self._shape)

    def _shaped(self, shape: TensorShape) -> SparseTensor:
        self._shape = self._shape.merge_with(shape)
        return self

    def __repr__(self) -> str:
        return f"SparseTensor(indices={self._indices!s}, values={self._values!s}, dense_shape={self._dense_shape!s})"

    __str__ = __repr__

    # --- the engine's protocols --------------------------------------------------------------------------------------
    def _tf_values(self) -> Tensor:
        raise ValueError("Type SparseTensor is not supported as a gradient source or gradient target.")

    def _tf_components(self) -> list[Any]:
        return [self._indices, self._values, self._dense_shape]

    def _tf_from_components(self, components: list[Any]) -> SparseTensor:
        return SparseTensor(*components)._shaped(TensorShape(None if self._shape.rank is None else [None] * self._shape.rank))

    def _tf_open_dims(self) -> list[Any]:
        """Sizes of the components as the spec tells them."""
        rank = self._shape.rank
        return [(None, rank), (None,), (rank,)]

    def _tf_static_shape(self) -> Any:
        return None if self._shape.rank is None else tuple(self._shape.as_list())

    @property
    def _type_spec(self) -> SparseTensorSpec:
        return SparseTensorSpec(self._shape, self.dtype)

    def _tf_op(self, op: Op, args: tuple[Any, ...]) -> Any:
        if op.name in _ON_VALUES and args[0] is self:
            return self.with_values(op.public(self._values, *args[1:]))
        if op.name == "Shape" and args[0] is self:
            return tf.cast(self._dense_shape, dict(zip(op.params, args, strict=False)).get("out_type") or dtypes.int32)
        if op.name == "Size" and args[0] is self:
            return tf.cast(tf.reduce_prod(self._dense_shape), dict(zip(op.params, args, strict=False)).get("out_type") or dtypes.int32)
        if op.name == "Rank" and args[0] is self and self._shape.rank is not None:
            return tf.constant(self._shape.rank)
        raise ValueError(
            f"Attempt to convert a value ({self!r}) with an unsupported type ({type(self)}) to a Tensor: {op.name} does not take sparse "
            "tensors; use tf.sparse.to_dense"
        )

    # --- operators: only those that keep zeros -----------------------------------------------------------------------
    def _at(self, other: Any) -> Any:
        """The elements of a dense operand that stand at this one's values."""
        if isinstance(other, SparseTensor):
            raise ValueError(f"Attempt to convert a value ({other!r}) with an unsupported type ({type(other)}) to a Tensor.")
        dense = convert_to_tensor(other, dtype_hint=self.dtype)
        if dense.dtype is not self.dtype and not isinstance(other, Tensor):
            dense = tf.cast(dense, self.dtype)
        if dense.shape.rank == 0:
            return dense
        return tf.gather_nd(tf.broadcast_to(dense, self._dense_shape), self._indices)

    def __mul__(self, other: Any) -> SparseTensor:
        return self.with_values(self._values * self._at(other))

    def __truediv__(self, other: Any) -> SparseTensor:
        return self.with_values(self._values / self._at(other))

    __div__ = __truediv__

    # --- in datasets -------------------------------------------------------------------------------------------------
    def _tf_row(self, index: Any) -> SparseTensor:
        """Row `index` along the first dimension."""
        from .arranging import slice as part

        dims = self._dense_shape
        along = tf.one_hot(0, self._shape.rank or tf.size(dims), dtype=dtypes.int64)
        row = part(self, along * tf.cast(index, dtypes.int64), tf.where(along == 1, tf.ones_like(dims), dims))
        return SparseTensor(row.indices[:, 1:], row.values, dims[1:])._shaped(self._shape[1:])

    def _tf_take(self, which: Any) -> SparseTensor:
        """Rows by a slice, or a torch tensor of numbers."""
        from .arranging import slice as part

        if isinstance(which, slice):
            first, last, _ = which.indices(int(self._tf_rows()))
            dims = self._dense_shape.numpy().tolist()
            return part(self, [first, *[0] * (len(dims) - 1)], [last - first, *dims[1:]])
        return self._tf_stack([self._tf_row(int(i)) for i in which])

    def _tf_rows(self) -> Any:
        return self._shape[0] if self._shape.rank and self._shape[0] is not None else self._dense_shape[0]

    @staticmethod
    def _tf_stack(parts: list[SparseTensor]) -> SparseTensor:
        """Sparse tensors of one rank as the rows of another; the largest of each dimension counts."""
        from .arranging import concat, expand_dims

        return concat(0, [expand_dims(p, 0) for p in parts], expand_nonconcat_dims=True)


class SparseTensorSpec(TypeSpec):
    """Shape and dtype of a sparse tensor (`tf.SparseTensorSpec`)."""

    def __init__(self, shape: Any = None, dtype: Any = dtypes.float32) -> None:
        self._shape = TensorShape(shape)
        self._dtype = dtypes.as_dtype(dtype)

    @property
    def shape(self) -> TensorShape:
        return self._shape

    @property
    def dtype(self) -> dtypes.DType:
        return self._dtype

    @property
    def value_type(self) -> type:
        return SparseTensor

    @classmethod
    def from_value(cls, value: Any) -> SparseTensorSpec:
        return value._type_spec

    def _serialize(self) -> tuple[Any, ...]:
        return self._shape, self._dtype

    @property
    def _component_specs(self) -> Any:
        rank = self._shape.rank
        return TensorSpec([None, rank], dtypes.int64), TensorSpec([None], self._dtype), TensorSpec([rank], dtypes.int64)

    def _tf_static_shape(self) -> Any:
        return None if self._shape.rank is None else tuple(self._shape.as_list())

    def _from_components(self, components: Any) -> SparseTensor:
        return SparseTensor(*components)._shaped(self._shape)

    def _batch(self, size: int | None) -> SparseTensorSpec:
        return SparseTensorSpec(None if self._shape.rank is None else [size, *self._shape.as_list()], self._dtype)

    def _unbatch(self) -> SparseTensorSpec:
        return SparseTensorSpec(None if self._shape.rank is None else self._shape.as_list()[1:], self._dtype)
