"""`tensorflow.python.framework.tensor_spec.BoundedTensorSpec`: a spec that says between which values a tensor's lie."""

from __future__ import annotations

from typing import Any

import numpy as np

from tf2compat._engine import dtypes
from tf2compat._engine.shapes import TensorShape
from tf2compat._engine.specs import TensorSpec


def _bound(what: str, value: Any, spec: TensorSpec) -> np.ndarray:
    if value is None:
        raise ValueError(f"`{what}` can not be None.")
    given, dims = np.shape(value), spec.shape.as_list() if spec.shape.rank is not None else None
    if dims is not None and any(g != 1 and d not in (None, 1, g) for g, d in zip(given[::-1], dims[::-1], strict=False)):
        raise ValueError(f"`{what}` {value} is not compatible with shape {spec.shape}.")
    array = np.array(value, dtype=spec.dtype.as_numpy_dtype)
    array.setflags(write=False)
    return array


class BoundedTensorSpec(TensorSpec):
    """A `tf.TensorSpec` with `minimum` and `maximum`, both inclusive, which broadcast to the shape. ValueError for bounds that do not."""

    __slots__ = ("_maximum", "_minimum")

    def __init__(self, shape: Any, dtype: Any, minimum: Any, maximum: Any, name: str | None = None) -> None:
        super().__init__(shape, dtype, name)
        self._minimum = _bound("minimum", minimum, self)
        self._maximum = _bound("maximum", maximum, self)

    @classmethod
    def from_spec(cls, spec: Any, name: str | None = None) -> BoundedTensorSpec:
        """The spec with its own bounds, or those of its dtype."""
        dtype = dtypes.as_dtype(spec.dtype)
        return cls(spec.shape, dtype, getattr(spec, "minimum", dtype.min), getattr(spec, "maximum", dtype.max), name or spec.name)

    @property
    def minimum(self) -> np.ndarray:
        return self._minimum

    @property
    def maximum(self) -> np.ndarray:
        return self._maximum

    @classmethod
    def experimental_type_proto(cls) -> Any:
        from tensorboard.compat.proto.struct_pb2 import BoundedTensorSpecProto

        return BoundedTensorSpecProto

    def experimental_as_proto(self) -> Any:
        from tf2compat import make_tensor_proto

        return self.experimental_type_proto()(
            name=self._name or "", shape=self._shape.as_proto(), dtype=self._dtype._enum, minimum=make_tensor_proto(self._minimum),
            maximum=make_tensor_proto(self._maximum),
        )  # fmt: skip

    @classmethod
    def experimental_from_proto(cls, proto: Any) -> BoundedTensorSpec:
        from tf2compat import make_ndarray

        dtype = dtypes.BY_ENUM[proto.dtype]
        return cls(TensorShape(proto.shape), dtype, make_ndarray(proto.minimum), make_ndarray(proto.maximum), proto.name or None)

    def _serialize(self) -> tuple[Any, ...]:
        return self._shape, self._dtype, self._minimum, self._maximum, self._name

    def __eq__(self, other: object) -> bool:
        if not super().__eq__(other):
            return False
        assert isinstance(other, BoundedTensorSpec)
        return bool(np.allclose(self._minimum, other._minimum) and np.allclose(self._maximum, other._maximum))

    def __hash__(self) -> int:
        return hash((self._shape, self._dtype))

    def __reduce__(self) -> Any:
        return BoundedTensorSpec, (self._shape, self._dtype, self._minimum, self._maximum, self._name)

    def __repr__(self) -> str:
        return (
            f"BoundedTensorSpec(shape={self._shape}, dtype={self._dtype!r}, name={self._name!r}, minimum={self._minimum!r}, "
            f"maximum={self._maximum!r})"
        )
