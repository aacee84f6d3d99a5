"""`tf.RaggedTensorSpec`."""

from __future__ import annotations

from typing import Any

from .._engine import dtypes
from .._engine.shapes import TensorShape
from .._engine.specs import TensorSpec, TypeSpec


class RaggedTensorSpec(TypeSpec):
    """Shape, dtype and ragged rank of a ragged tensor (`tf.RaggedTensorSpec`)."""

    def __init__(
        self, shape: Any = None, dtype: Any = dtypes.float32, ragged_rank: int | None = None, row_splits_dtype: Any = dtypes.int64, flat_values_spec: Any = None
    ) -> None:
        self._shape = TensorShape(shape)
        self._dtype = dtypes.as_dtype(dtype)
        self._row_splits_dtype = dtypes.as_dtype(row_splits_dtype)
        if flat_values_spec is not None:
            raise TypeError("tf2compat's RaggedTensorSpec does not support flat_values_spec")
        rank = self._shape.rank
        if ragged_rank is None:
            if rank is None:
                raise ValueError("Must specify ragged_rank or a shape with a known rank.")
            ragged_rank = rank - 1
        if not isinstance(ragged_rank, int):
            raise TypeError(f"Argument `ragged_rank` must be an int. Received {ragged_rank!r}.")
        if rank is not None and ragged_rank >= rank:
            raise ValueError(f"Argument `ragged_rank` ({ragged_rank}) must be less than rank ({rank}).")
        self._ragged_rank = ragged_rank

    @property
    def shape(self) -> TensorShape:
        return self._shape

    @property
    def dtype(self) -> dtypes.DType:
        return self._dtype

    @property
    def ragged_rank(self) -> int:
        return self._ragged_rank

    @property
    def row_splits_dtype(self) -> dtypes.DType:
        return self._row_splits_dtype

    @property
    def flat_values_spec(self) -> Any:
        return None

    @property
    def value_type(self) -> type:
        from .ragged_tensor import RaggedTensor

        return RaggedTensor if self._ragged_rank > 0 else object

    @classmethod
    def from_value(cls, value: Any) -> RaggedTensorSpec:
        return value._type_spec

    def _serialize(self) -> tuple[Any, ...]:
        return self._shape, self._dtype, self._ragged_rank, self._row_splits_dtype

    @property
    def _component_specs(self) -> Any:
        if self._ragged_rank == 0:
            return [TensorSpec(self._shape, self._dtype)]
        inner = None if self._shape.rank is None else [None, *self._shape.as_list()[self._ragged_rank + 1 :]]
        splits = []
        for i in range(self._ragged_rank):
            outer = self._shape[0] if self._shape.rank is not None and i == 0 else None
            splits.append(TensorSpec([None if outer is None else outer + 1], self._row_splits_dtype))
        return [TensorSpec(inner, self._dtype), *splits]

    def _from_components(self, components: Any) -> Any:
        from .ragged_tensor import RaggedTensor

        result, *splits = components
        dims = [None] * self._ragged_rank if self._shape.rank is None else self._shape.as_list()[1 : self._ragged_rank + 1]
        for s, uniform in zip(reversed(splits), reversed(dims), strict=True):
            result = RaggedTensor(result, (s, uniform), internal=True)
        return result

    def _tf_static(self) -> Any:
        dims = [] if self._shape.rank is None else self._shape.as_list()[1 : self._ragged_rank + 1]
        return None if all(d is None for d in dims) else tuple(dims)

    def _batch(self, size: int | None) -> RaggedTensorSpec:
        dims = None if self._shape.rank is None else [size, *self._shape.as_list()]
        return RaggedTensorSpec(dims, self._dtype, self._ragged_rank + 1, self._row_splits_dtype)

    def _unbatch(self) -> Any:
        dims = None if self._shape.rank is None else self._shape.as_list()[1:]
        if self._ragged_rank == 0:
            return TensorSpec(dims, self._dtype)
        return RaggedTensorSpec(dims, self._dtype, self._ragged_rank - 1, self._row_splits_dtype)
