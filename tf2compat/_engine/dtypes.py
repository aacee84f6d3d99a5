"""`tf.DType` and the tables between TensorFlow's, NumPy's and torch's element types."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import torch


class DType:
    """An element type (TensorFlow symbol: `tf.DType`). `tf.float32`, `tf.string`, … are its instances."""

    __slots__ = ("name", "torch", "_np", "_enum", "_cpp")

    name: str
    torch: torch.dtype | None

    def __new__(cls, type_enum: int, handle_data: Any = None) -> DType:
        if handle_data is not None:
            raise TypeError("tf2compat does not support handle_data on a DType")
        try:
            return BY_ENUM[type_enum]
        except KeyError:
            raise TypeError(f"type_enum is not a valid types_pb2.DataType: {type_enum}") from None

    @staticmethod
    def _make(name: str, enum: int, torch_dtype: Any, np_type: Any, cpp: str | None = None) -> DType:
        self = object.__new__(DType)
        self.name = name
        self.torch = torch_dtype
        self._np = np_type
        self._enum = enum
        self._cpp = cpp or name
        return self

    @property
    def as_numpy_dtype(self) -> Any:
        """The NumPy scalar type (`np.float32`); `object` for strings."""
        if not self.is_numpy_compatible:
            raise KeyError(f"{self!r} has no NumPy type")
        return self._np

    @property
    def as_datatype_enum(self) -> int:
        return self._enum

    @property
    def base_dtype(self) -> DType:
        return self

    @property
    def real_dtype(self) -> DType:
        return {"complex64": float32, "complex128": float64}.get(self.name, self)

    @property
    def is_numpy_compatible(self) -> bool:
        return self.name not in ("resource", "variant")

    @property
    def is_bool(self) -> bool:
        return self.name == "bool"

    @property
    def is_floating(self) -> bool:
        return self.name.startswith(("float", "bfloat"))

    @property
    def is_complex(self) -> bool:
        return self.torch is not None and self.torch.is_complex

    @property
    def is_quantized(self) -> bool:
        return self.name in _QUANTIZED

    @property
    def is_integer(self) -> bool:
        return self.name in _INTEGERS

    @property
    def is_unsigned(self) -> bool:
        return self.name.startswith("uint")

    @property
    def is_numeric(self) -> bool:
        return self.is_integer or self.is_floating or self.is_complex or self.is_quantized

    @property
    def size(self) -> int:
        """Bytes of one element; 0 for strings, whose elements differ."""
        if self.name == "string":
            return 0
        if self.name in ("variant", "resource"):
            return 1
        return int(np.dtype(self.as_numpy_dtype).itemsize)

    def _info(self, what: str) -> Any:
        if self.is_floating:
            return ml_dtypes.finfo(self.as_numpy_dtype)
        if self.is_integer:
            return ml_dtypes.iinfo(self.as_numpy_dtype)
        raise TypeError(f"Cannot find {what} value of {self} with type {self}.")

    @property
    def min(self) -> Any:
        """Lowest representable value; TypeError for what is neither an integer nor a float."""
        value = self._info("minimum").min
        return value if self.is_integer else np.asarray(value).astype(self.as_numpy_dtype)[()]

    @property
    def max(self) -> Any:
        """Highest representable value; TypeError for what is neither an integer nor a float."""
        value = self._info("maximum").max
        return value if self.is_integer else np.asarray(value).astype(self.as_numpy_dtype)[()]

    @property
    def limits(self) -> tuple[Any, Any]:
        """The lowest and highest intensity of an image's pixel: (0, 1) for floats; ValueError where there is none."""
        if self in (bool, float32, float64):
            return (False, True) if self is bool else (0, 1)
        if self.is_integer:
            return 0, self.max
        raise ValueError(f"{self} does not have defined limits.")

    def is_compatible_with(self, other: Any) -> bool:
        return self is as_dtype(other)

    def is_subtype_of(self, other: Any) -> bool:
        return type(other) is DType and self is other

    def most_specific_common_supertype(self, types: Any) -> DType | None:
        return self if all(self == o for o in types) else None

    # TraceType protocol: a dtype describes no tensors of its own
    def flatten(self) -> list[Any]:
        return []

    def to_tensors(self, value: Any) -> list[Any]:
        return []

    def from_tensors(self, tensors: Any) -> DType:
        return self

    def placeholder_value(self, placeholder_context: Any) -> DType:
        return self

    def cast(self, value: Any, cast_context: Any) -> Any:
        if value != self:
            raise AssertionError(f"Can not cast {value!r} to type {self!r}")
        return value

    @classmethod
    def experimental_type_proto(cls) -> Any:
        from tensorboard.compat.proto.types_pb2 import SerializedDType

        return SerializedDType

    def experimental_as_proto(self) -> Any:
        return self.experimental_type_proto()(datatype=self._enum)

    @classmethod
    def experimental_from_proto(cls, proto: Any) -> DType:
        return BY_ENUM[proto.datatype]

    def __eq__(self, other: Any) -> bool:
        if other is self:
            return True
        if other is None:
            return False
        try:
            return as_dtype(other) is self
        except TypeError:
            return False

    def __ne__(self, other: Any) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return self._enum

    def __str__(self) -> str:
        return f"<dtype: '{self.name}'>"

    def __repr__(self) -> str:
        return f"tf.{self.name}"

    def __reduce__(self) -> Any:
        return as_dtype, (self.name,)

    def __copy__(self) -> DType:
        return self

    def __deepcopy__(self, memo: Any) -> DType:
        return self


_make = DType._make
float32 = _make("float32", 1, torch.float32, np.float32, "float")
float64 = _make("float64", 2, torch.float64, np.float64, "double")
int32 = _make("int32", 3, torch.int32, np.int32)
uint8 = _make("uint8", 4, torch.uint8, np.uint8)
int16 = _make("int16", 5, torch.int16, np.int16)
int8 = _make("int8", 6, torch.int8, np.int8)
string = _make("string", 7, None, object)
complex64 = _make("complex64", 8, torch.complex64, np.complex64)
int64 = _make("int64", 9, torch.int64, np.int64)
bool = _make("bool", 10, torch.bool, np.bool_)  # noqa: A001 - TensorFlow's public name
qint8 = _make("qint8", 11, None, np.dtype([("qint8", np.int8)]))
quint8 = _make("quint8", 12, None, np.dtype([("quint8", np.uint8)]))
qint32 = _make("qint32", 13, None, np.dtype([("qint32", np.int32)]))
bfloat16 = _make("bfloat16", 14, torch.bfloat16, ml_dtypes.bfloat16)
qint16 = _make("qint16", 15, None, np.dtype([("qint16", np.int16)]))
quint16 = _make("quint16", 16, None, np.dtype([("quint16", np.uint16)]))
uint16 = _make("uint16", 17, torch.uint16, np.uint16)
complex128 = _make("complex128", 18, torch.complex128, np.complex128)
float16 = _make("float16", 19, torch.float16, np.float16, "half")
resource = _make("resource", 20, None, np.object_)
variant = _make("variant", 21, None, np.object_)
uint32 = _make("uint32", 22, torch.uint32, np.uint32)
uint64 = _make("uint64", 23, torch.uint64, np.uint64)
float8_e5m2 = _make("float8_e5m2", 24, torch.float8_e5m2, ml_dtypes.float8_e5m2)
float8_e4m3fn = _make("float8_e4m3fn", 25, torch.float8_e4m3fn, ml_dtypes.float8_e4m3fn)
float8_e4m3fnuz = _make("float8_e4m3fnuz", 26, torch.float8_e4m3fnuz, ml_dtypes.float8_e4m3fnuz)
float8_e4m3b11fnuz = _make("float8_e4m3b11fnuz", 27, None, ml_dtypes.float8_e4m3b11fnuz)
float8_e5m2fnuz = _make("float8_e5m2fnuz", 28, torch.float8_e5m2fnuz, ml_dtypes.float8_e5m2fnuz)
int2 = _make("int2", 31, None, ml_dtypes.int2)
uint2 = _make("uint2", 32, None, ml_dtypes.uint2)
float4_e2m1fn = _make("float4_e2m1fn", 33, None, ml_dtypes.float4_e2m1fn)
int4 = _make("int4", 29, None, ml_dtypes.int4)
uint4 = _make("uint4", 30, None, ml_dtypes.uint4)

half = float16
double = float64

_ALL = (
    float32, float64, int32, uint8, int16, int8, string, complex64, int64, bool, qint8, quint8, qint32, bfloat16, qint16,
    quint16, uint16, complex128, float16, resource, variant, uint32, uint64, float8_e5m2, float8_e4m3fn, int4, uint4,
    float8_e4m3fnuz, float8_e4m3b11fnuz, float8_e5m2fnuz, int2, uint2, float4_e2m1fn,
)  # fmt: skip
_QUANTIZED = frozenset(("qint8", "quint8", "qint16", "quint16", "qint32"))
_INTEGERS = frozenset(("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "int4", "uint4", "int2", "uint2"))

BY_ENUM: dict[int, DType] = {d._enum: d for d in _ALL}
BY_NAME: dict[str, DType] = {d.name: d for d in _ALL} | {"half": float16, "double": float64, "float": float32}
#: What a Tensor's slot holds (a torch tensor, or a NumPy array of bytes objects) by its own dtype.
OF_STORAGE: dict[Any, DType] = {d.torch: d for d in _ALL if d.torch is not None} | {np.dtype(object): string}
_BY_NUMPY: dict[np.dtype, DType] = {
    np.dtype(d._np): d for d in _ALL if d._np not in (None, object, np.object_) and not d.is_quantized
}
_BY_PYTHON: dict[Any, DType] = {float: float32, type(True): bool, object: string}  # noqa: UP003 - `bool` is a DType here


def as_dtype(type_value: Any) -> DType:
    """The `DType` of a DType, torch dtype, NumPy dtype or scalar type, Python type, name or enum (`tf.as_dtype`).

    Raises TypeError when `type_value` names no TensorFlow dtype.
    """
    if type(type_value) is DType:
        return type_value
    found: DType | None = None
    if isinstance(type_value, str):
        found = BY_NAME.get(type_value)
    elif isinstance(type_value, torch.dtype):
        found = OF_STORAGE.get(type_value)
    elif isinstance(type_value, np.dtype):
        found = _BY_NUMPY.get(type_value)
    elif isinstance(type_value, type) and type_value in _BY_PYTHON:
        found = _BY_PYTHON[type_value]
    elif isinstance(type_value, int) and type_value in BY_ENUM:
        found = BY_ENUM[type_value]
    if found is not None:
        return found
    if isinstance(type_value, str) or any(type_value is t for t in (int, complex, str, bytes)):
        raise TypeError(f"Cannot convert the argument `type_value`: {type_value!r} to a TensorFlow DType.")
    if isinstance(getattr(type_value, "dtype", None), DType):
        return type_value.dtype
    try:
        np_dtype = np.dtype(type_value)
    except (TypeError, ValueError):
        np_dtype = None
    if np_dtype is not None and type_value is not None:
        if np_dtype in _BY_NUMPY:
            return _BY_NUMPY[np_dtype]
        if np_dtype.kind in "SUO":
            return string
    raise TypeError(f"Cannot convert the argument `type_value`: {type_value!r} to a TensorFlow DType.")


def of(storage: Any) -> DType:
    """The DType of a torch tensor or of a NumPy array of bytes objects."""
    return OF_STORAGE[storage.dtype]


FLOATS = (bfloat16, float16, float32, float64)
COMPLEXES = (complex64, complex128)
SIGNED = (int8, int16, int32, int64)
UNSIGNED = (uint8, uint16, uint32, uint64)
INTS = SIGNED + UNSIGNED
REALS = FLOATS + INTS
NUMBERS = REALS + COMPLEXES
