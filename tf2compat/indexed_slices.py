"""`tf.IndexedSlices`: rows of a larger tensor, by number."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ._engine import state
from ._engine.convert import constant_value, convert_to_tensor
from ._engine.dtypes import DType, int32
from ._engine.shapes import TensorShape
from ._engine.tensor import Tensor

#: elements of a dense tensor from which on making one of slices is worth a warning
_LARGE = 100000000


class IndexedSlices:
    """`values[i]` belongs to row `indices[i]` of a tensor of `dense_shape`; rows may repeat, and then add up."""

    def __init__(self, values: Any, indices: Any, dense_shape: Any = None) -> None:
        self._given = (indices, dense_shape)  # as they were given: that is how they are printed
        self._values = convert_to_tensor(values) if not _is_tensor(values) else values
        self._indices = convert_to_tensor(indices) if not _is_tensor(indices) else indices
        self._dense_shape = None if dense_shape is None else convert_to_tensor(dense_shape)
        #: the values of `dense_shape` where they are at hand, whatever device it is on
        self._sizes: Any = None

    @classmethod
    def _of(cls, values: Tensor, indices: Tensor, sizes: tuple[int, ...]) -> IndexedSlices:
        """Slices of a tensor of known size, which is made a tensor where somebody asks for it."""
        new = object.__new__(cls)
        new._values, new._indices, new._sizes = values, indices, np.array(sizes)
        return new

    def __getattr__(self, name: str) -> Any:
        if name == "_dense_shape":
            self._dense_shape = convert_to_tensor(self._sizes, int32)
            return self._dense_shape
        if name == "_given":
            return self._indices, self._dense_shape
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    @property
    def values(self) -> Any:
        return self._values

    @property
    def indices(self) -> Any:
        return self._indices

    @property
    def dense_shape(self) -> Any:
        return self._dense_shape

    @property
    def dtype(self) -> DType:
        return self._values.dtype

    @property
    def device(self) -> str:
        return self._values.device

    @property
    def shape(self) -> TensorShape:
        if self._dense_shape is None:
            return TensorShape(None)
        sizes = self._static_sizes()
        if sizes is None:
            rank = self._dense_shape.shape[0]
            return TensorShape(None if rank is None else [None] * rank)
        return TensorShape([int(d) for d in sizes])

    def _static_sizes(self) -> Any:
        return constant_value(self._dense_shape) if self._sizes is None else self._sizes

    @property
    def name(self) -> str:
        return self._values.name

    @property
    def op(self) -> Any:
        return self._values.op

    @property
    def graph(self) -> Any:
        return self._values.graph

    def consumers(self) -> Any:
        return self._values.consumers()

    def __str__(self) -> str:
        indices, dense_shape = self._given
        shape = "" if dense_shape is None else f", dense_shape={dense_shape!s}"
        return f"IndexedSlices(indices={indices!s}, values={self._values!s}{shape})"

    def __repr__(self) -> str:
        return object.__repr__(self)

    def __neg__(self) -> IndexedSlices:
        return IndexedSlices(-self._values, self._indices, self._dense_shape)

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Tensor:
        from .math import unsorted_segment_sum

        if dtype is not None and dtype is not self.dtype:
            raise ValueError(
                f"Incompatible tensor conversion requested to `dtype` {dtype.name} for IndexedSlices ({self!s}) with dtype {self.dtype.name}"
            )
        if self._dense_shape is None:
            raise ValueError(f"Tensor conversion requested for IndexedSlices for argument `value` without dense_shape: {self!s}")
        sizes = self._static_sizes()
        if sizes is not None and state.local.graph is not None and sizes.prod(dtype=float) >= _LARGE:
            warnings.warn(
                f"Converting sparse IndexedSlices to a dense Tensor with {sizes.prod(dtype=float):.0f} elements. This may consume a large "
                "amount of memory.",
                stacklevel=2,
            )
        found = unsorted_segment_sum(self._values, self._indices, self._dense_shape[0] if sizes is None else int(sizes[0]), name=name)
        found.set_shape(self.shape)
        return found

    def _tf_op(self, op: Any, args: Any) -> Any:
        """What ops do that keep the rows apart; others get the dense tensor."""
        if op.name not in ("Identity", "Cast", "ClipByValue") or args[0] is not self:
            return NotImplemented
        return IndexedSlices(op.public(self._values, *args[1:]), self._indices, self._dense_shape)

    def _tf_components(self) -> list[Any]:
        parts = [self._values, self._indices]
        return parts if self._dense_shape is None else [*parts, self._dense_shape]

    def _tf_from_components(self, components: list[Any]) -> IndexedSlices:
        return IndexedSlices(*components)

    @property
    def _type_spec(self) -> Any:
        from ._engine.specs import IndexedSlicesSpec

        return IndexedSlicesSpec(
            self.shape, self.dtype, self._indices.dtype, None if self._dense_shape is None else self._dense_shape.dtype,
            self._indices.shape,
        )  # fmt: skip


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Tensor) or hasattr(type(value), "_tf_storage")
