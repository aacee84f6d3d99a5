"""From Python, NumPy, torch and registered types to tensors: the one place that knows the conversion rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from . import dtypes, state
from .dtypes import DType
from .shapes import TensorShape
from .tensor import Tensor, wrap

_converters: list[tuple[int, type, Callable[..., Any]]] = []

_INT32_MIN, _INT32_MAX = -(2**31), 2**31 - 1
_FLOAT_MAX = int(np.finfo(np.float64).max)
_HOST = torch.device("cpu")
#: a tensor of so many whole numbers says a shape or the like
_FEW = 16


def register_tensor_conversion_function(base_type: Any, conversion_func: Callable[..., Any], priority: int = 100) -> None:
    """Let `conversion_func(value, dtype, name, as_ref)` turn instances of `base_type` into tensors."""
    bases = base_type if isinstance(base_type, tuple) else (base_type,)
    if not all(isinstance(t, type) for t in bases):
        raise TypeError(f"Argument `base_type` must be a type or a tuple of types. Obtained: {base_type!r}")
    if not callable(conversion_func):
        raise TypeError(f"Argument `conversion_func` must be callable. Received {conversion_func!r}.")
    for t in bases:
        if t in (int, float, bool, complex, str, bytes, np.ndarray, np.generic):
            raise TypeError("Cannot register conversions for Python numeric types and NumPy scalars and arrays.")
        _converters.append((priority, t, conversion_func))
        if hasattr(t, "_tf_storage"):  # a program's own kind of variable
            t._as_tensor = lambda self: conversion_func(self, None, None, False)
    _converters.sort(key=lambda entry: entry[0])


_current: Any = None


def default_device() -> torch.device:
    global _current
    if _current is None:
        from .devices import current

        _current = current
    return _current()


def _whole_numbers(count: int) -> torch.device:
    """Where whole numbers that a program writes down are: shapes, axes and the like are for the host to read, as in TensorFlow."""
    if count <= _FEW:
        from .devices import accelerated

        if accelerated():
            return _HOST
    return default_device()


def placed(t: torch.Tensor) -> torch.Tensor:
    """A tensor of the host's where tensors are made now."""
    device = default_device()
    return t if device.type == t.device.type else t.to(device)


def is_tensor_like(value: Any) -> bool:
    """Whether `value` has a dtype of its own that other operands adapt to."""
    return isinstance(value, (Tensor, torch.Tensor)) or hasattr(type(value), "_tf_storage")


def convert_to_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None) -> Tensor:
    """The Tensor of a Python value, NumPy array, torch tensor, variable or registered type (`tf.convert_to_tensor`).

    NumPy arrays and torch tensors share their memory with the result. ValueError for a value that has no tensor form or
    a tensor of another dtype than `dtype`, TypeError for a Python value that `dtype` cannot hold.
    """
    if dtype is not None and type(dtype) is not DType:
        dtype = dtypes.as_dtype(dtype)
    if isinstance(value, Tensor):
        if dtype is not None and value.dtype is not dtype:
            raise ValueError(
                f"Tensor conversion requested dtype {dtype.name} for Tensor with dtype {value.dtype.name}: {value!r}"
            )
        return value
    storage_of = getattr(type(value), "_tf_storage", None)
    if storage_of is not None:
        if dtype is not None and value.dtype is not dtype:
            raise ValueError(
                f"Tensor conversion requested dtype {dtype.name} for Variable with dtype {value.dtype.name}: {value!r}"
            )
        return value._as_tensor()
    if dtype is None and dtype_hint is not None:
        try:
            return convert_to_tensor(value, dtypes.as_dtype(dtype_hint))
        except (TypeError, ValueError):
            dtype = None
    custom = _registered(value, dtype, name)
    if custom is not None:
        return custom
    if isinstance(value, (list, tuple)) and has_tensors(value):
        return _pack(value, dtype)  # recorded, where a graph or tape records
    return wrap(to_storage(value, dtype))


def operand(value: Any, dtype_hint: Any = None) -> Any:
    """`value` as a Tensor, or as it is when its type performs ops itself (`_tf_op`: ragged, sparse, symbolic Keras)."""
    if isinstance(value, Tensor) or hasattr(type(value), "_tf_op"):
        return value
    return convert_to_tensor(value, dtype_hint=dtype_hint)


def _registered(value: Any, dtype: DType | None, name: str | None) -> Tensor | None:
    protocol = getattr(type(value), "__tf_tensor__", None)
    if protocol is not None:
        result = value.__tf_tensor__(dtype, name)
        if not isinstance(result, Tensor):
            raise TypeError(f"__tf_tensor__ of {type(value).__name__} returned {type(result).__name__}, not a tf.Tensor")
        if dtype is not None and result.dtype is not dtype:
            raise ValueError(f"Tensor conversion requested dtype {dtype.name} but __tf_tensor__ gave {result.dtype.name}")
        return result
    for _, base, func in _converters:
        if isinstance(value, base):
            result = func(value, dtype, name, False)
            if result is NotImplemented:
                continue
            if not isinstance(result, Tensor):
                raise RuntimeError(f"Conversion function {func!r} for type {base} returned non-Tensor: {result!r}")
            return result
    return None


def to_storage(value: Any, dtype: DType | None = None) -> Any:
    """The torch tensor (or NumPy array of bytes) of a value that is no Tensor yet, on the current device."""
    kind = type(value)
    if kind is float or kind is int or kind is bool:
        return _python_scalar(value, dtype)
    if isinstance(value, torch.Tensor):
        found = dtypes.OF_STORAGE.get(value.dtype)
        if found is None:
            raise ValueError(f"Attempt to convert a torch tensor of {value.dtype}, which TensorFlow has no dtype for, to a Tensor.")
        if dtype is not None and found is not dtype:
            raise ValueError(f"Tensor conversion requested dtype {dtype.name} for torch.Tensor with dtype {found.name}")
        return placed(value.detach())
    if isinstance(value, (np.ndarray, np.generic)):
        return numpy_storage(np.asarray(value), dtype, value)
    if isinstance(value, TensorShape):
        if not value.is_fully_defined():
            raise ValueError(f"Cannot convert a partially known TensorShape {value} to a Tensor.")
        dims = value.as_list()
        wide = any(d > _INT32_MAX for d in dims)  # type: ignore[operator]
        if dtype is not None and dtype not in (dtypes.int32, dtypes.int64):
            raise TypeError(f"Cannot convert a TensorShape to dtype: {dtype!r}")
        if wide and dtype is dtypes.int32:
            raise ValueError(f"Cannot convert TensorShape {value} to dtype int32; a dimension is too large. Consider using tf.int64.")
        return torch.tensor(dims, dtype=dtype.torch if dtype else torch.int64 if wide else torch.int32, device=_whole_numbers(len(dims)))
    if isinstance(value, (str, bytes)):
        if dtype is not None and dtype is not dtypes.string:
            raise _cannot(value, dtype)
        return _strings(np.array(value.encode() if isinstance(value, str) else bytes(value), dtype=object))
    if isinstance(value, complex):
        if dtype is not None and not dtype.is_complex:
            raise _cannot(value, dtype)
        return placed(torch.tensor(value, dtype=(dtype or dtypes.complex128).torch))
    if isinstance(value, (int, float)):
        return _python_scalar(value, dtype)
    if isinstance(value, (list, tuple, range)) or (isinstance(value, Sequence) and not isinstance(value, (str, bytes))):
        return _sequence(value, dtype)
    if isinstance(value, dtypes.DType):
        raise ValueError(f"Attempt to convert a value ({value!r}) with an unsupported type ({type(value)}) to a Tensor.")
    array_like = getattr(value, "__array__", None)
    if array_like is not None and not isinstance(value, type):
        return numpy_storage(np.asarray(value), dtype, value)
    if hasattr(value, "__dlpack__"):
        return to_storage(torch.from_dlpack(value), dtype)
    if _is_sequence(value):
        return _sequence(list(value), dtype)
    raise ValueError(f"Attempt to convert a value ({value!r}) with an unsupported type ({type(value)}) to a Tensor.")


def _is_sequence(value: Any) -> bool:
    """Whether a value has what Python's sequence protocol asks for (a dict has it too, and is none)."""
    kind = type(value)
    return hasattr(kind, "__len__") and hasattr(kind, "__getitem__") and not isinstance(value, (Mapping, type))


def _plain(value: Any) -> Any:
    """A nested sequence with lists in the place of sequences of other kinds."""
    nested = isinstance(value, (list, tuple)) or (not isinstance(value, (str, bytes)) and _is_sequence(value))
    return [_plain(item) for item in value] if nested else value


def _enum_name(dtype: DType) -> str:
    return dtype._cpp


def _cannot(value: Any, dtype: DType) -> TypeError:
    return TypeError(f"Cannot convert {value!r} to EagerTensor of dtype {_enum_name(dtype)}")


def _python_scalar(value: Any, dtype: DType | None) -> torch.Tensor:
    kind = bool if isinstance(value, bool) else int if isinstance(value, int) else float
    if dtype is None:
        if kind is int:
            if not _INT32_MIN <= value <= _INT32_MAX:
                if not -(2**63) <= value < 2**63:
                    raise ValueError("Can't convert Python sequence with out-of-range integer to Tensor.")
                return placed(torch.tensor(value, dtype=torch.int64))
            dtype = dtypes.int32
        else:
            dtype = dtypes.bool if kind is bool else dtypes.float32
    target = dtype.torch
    if (
        target is None
        or (kind is float and not (dtype.is_floating or dtype.is_complex))
        or (kind is int and dtype is dtypes.bool)
    ):
        raise _cannot(value, dtype)
    if kind is float and dtype is dtypes.float32 and value - value == 0 and abs(value) > 3.4028235677973366e38:
        raise ValueError("Can't convert Python sequence with a value out of range for a double-precision float.")
    if kind is int and not -_FLOAT_MAX <= value <= _FLOAT_MAX:
        raise ValueError("Can't convert Python sequence with out-of-range integer to Tensor.")
    if kind is int and dtype.is_integer:
        bits = dtype.size * 8
        low, high = (0, 2**bits - 1) if dtype.is_unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        if not low <= value <= high:  # integers wrap around, as TensorFlow's do, as far as 64 bits carry them
            if not -(2**63) <= value < 2**64 or bits == 64:
                raise ValueError("Can't convert Python sequence with out-of-range integer to Tensor.")
            value = (value - low) % 2**bits + low
    device = _whole_numbers(1) if kind is int and dtype is dtypes.int32 else default_device()
    return torch.tensor(value, dtype=target, device=device)


def _strings(array: np.ndarray) -> np.ndarray:
    """Every element as bytes."""
    if array.ndim == 0:
        item = array[()]
        out = np.empty((), dtype=object)
        out[()] = _bytes(item)
        return out
    out = np.empty(array.shape, dtype=object)
    flat_in, flat_out = array.reshape(-1), out.reshape(-1)
    for i in range(flat_in.shape[0]):
        flat_out[i] = _bytes(flat_in[i])
    return out


def _bytes(item: Any) -> bytes:
    if isinstance(item, bytes):
        return bytes(item)
    if isinstance(item, str):
        return item.encode("utf-8")
    raise ValueError(f"Failed to convert a NumPy array to a Tensor (Unsupported object type {type(item).__name__}).")


def numpy_storage(array: np.ndarray, dtype: DType | None, original: Any = None) -> Any:
    """A NumPy array's memory as a torch tensor (no copy where torch can share it), cast to `dtype`."""
    kind = array.dtype.kind
    if kind in "SUO" and array.dtype != np.dtype(object):
        if dtype is not None and dtype is not dtypes.string:
            array.astype(dtype.as_numpy_dtype)  # NumPy's ValueError says which text is no number
            raise _cannot(original, dtype)
        return _strings(np.char.encode(array, "utf-8").astype(object) if kind == "U" else array.astype(object))
    if kind == "O":
        if dtype is dtypes.string or (array.size and isinstance(array.reshape(-1)[0], (str, bytes))) or array.size == 0:
            if dtype is not None and dtype is not dtypes.string and array.size:
                raise _cannot(original, dtype)
            return _strings(array)
        try:
            return to_storage(array.tolist(), dtype)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"Failed to convert a NumPy array to a Tensor (Unsupported object type {type(array.reshape(-1)[0]).__name__})."
            ) from error
    if dtype is dtypes.string:
        raise _cannot(original, dtype)
    if kind in "mM" and dtype is not None:  # dates and spans of time: their count of units
        array = array.astype(dtype.as_numpy_dtype)
    try:
        found = dtypes.as_dtype(array.dtype)
    except TypeError:
        what = {"M": ": NPY_DATETIME", "m": ": NPY_TIMEDELTA"}.get(kind, f" {array.dtype}")
        raise ValueError(f"Failed to convert a NumPy array to a Tensor (Unsupported numpy type{what}).") from None
    if dtype is not None and found is not dtype:
        if found is dtypes.bool and not (dtype.is_integer or dtype.is_floating or dtype.is_bool):
            raise _cannot(original, dtype)
        if found.is_complex and not dtype.is_complex:
            raise _cannot(original, dtype)
        array = array.astype(dtype.as_numpy_dtype)
        found = dtype
    if found.torch is None:
        raise ValueError(f"tf2compat has no tensors of {found!r}.")
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    carrier = found.torch
    if not array.flags.writeable or any(s < 0 for s in array.strides):
        array = array.copy()
    if found.name in ("bfloat16", "float8_e5m2", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2fnuz"):
        width = np.int16 if found.name == "bfloat16" else np.uint8
        return placed(torch.from_numpy(np.ascontiguousarray(array).view(width).reshape(array.shape)).view(carrier))
    return placed(torch.from_numpy(array))


def _first_leaf(value: Any) -> Any:
    while isinstance(value, (list, tuple)) and len(value):
        value = value[0]
    return value


def _leaves(value: Any, out: list[Any]) -> list[Any]:
    if isinstance(value, (list, tuple, range)):
        for v in value:
            _leaves(v, out)
    else:
        out.append(value)
    return out


def _shape_of(value: Any) -> tuple[int, ...]:
    """Dimensions of a nested sequence; ValueError when it is ragged."""
    if not isinstance(value, (list, tuple, range)):
        return tuple(np.shape(value)) if isinstance(value, np.ndarray) else ()
    if not len(value):
        return (0,)
    shapes = {_shape_of(v) for v in value}
    if len(shapes) > 1:
        if len({len(s) for s in shapes}) > 1:
            raise ValueError("Can't convert Python sequence with mixed types to Tensor.")
        raise ValueError("Can't convert non-rectangular Python sequence to Tensor.")
    return (len(value), *shapes.pop())


def has_tensors(value: Any) -> bool:
    """Whether a nested sequence has tensors or variables among its leaves (it is then stacked, not read)."""
    for v in value:
        if isinstance(v, (list, tuple)):
            if has_tensors(v):
                return True
        elif isinstance(v, (Tensor, torch.Tensor)) or hasattr(type(v), "_tf_storage") or hasattr(type(v), "__tf_tensor__"):
            return True
    return False


def _numbers(value: Any) -> type | None:
    """float or int when a list, or a list of lists of one length, has nothing else in it."""
    first = value[0]
    t = type(first)
    if t is float or t is int:
        for v in value:
            if type(v) is not t:
                return None
        return t
    if t is not list or not first:
        return None
    inner, n = type(first[0]), len(first)
    if inner is not float and inner is not int:
        return None
    for row in value:
        if type(row) is not list or len(row) != n:
            return None
        for v in row:
            if type(v) is not inner:
                return None
    return inner


def _sequence(value: Any, dtype: DType | None) -> Any:
    if type(value) is list and value:  # what is most common, without the questions below
        plain = _numbers(value)
        if plain is float and (dtype is None or dtype.is_floating):
            return torch.tensor(value, dtype=torch.float32 if dtype is None else dtype.torch, device=default_device())
        if plain is int and (dtype is None or dtype is dtypes.int32 or dtype.is_floating):
            if dtype is not None and dtype.is_floating:
                return torch.tensor(value, dtype=dtype.torch, device=default_device())
            rows = value if type(value[0]) is list else (value,)
            if all([min(r) >= _INT32_MIN and max(r) <= _INT32_MAX for r in rows]):
                return torch.tensor(value, dtype=torch.int32, device=_whole_numbers(sum(map(len, rows))))
    value = value if isinstance(value, (list, tuple, range)) else list(value)
    if not isinstance(value, range) and has_tensors(value):
        return _pack(value, dtype)._t
    shape = _shape_of(value)
    leaves = list(value) if isinstance(value, range) else _leaves(value, [])
    if not leaves:
        target = dtype or dtypes.float32
        if target is dtypes.string:
            return np.empty(shape, dtype=object)
        return torch.empty(shape, dtype=target.torch, device=default_device())
    if any(isinstance(leaf, np.ndarray) for leaf in leaves):
        array = np.array(value)
        first = next(leaf for leaf in leaves if isinstance(leaf, np.ndarray))
        return numpy_storage(array, dtype or (dtypes.as_dtype(first.dtype) if array.dtype.kind != "O" else None), value)
    kinds = {_kind(leaf) for leaf in leaves}
    if "?" in kinds:
        bad = next(leaf for leaf in leaves if _kind(leaf) == "?")
        if hasattr(bad, "__array__"):
            return numpy_storage(np.array([np.asarray(leaf) for leaf in leaves]).reshape(shape), dtype, value)
        if _is_sequence(bad):
            return _sequence(_plain(value), dtype)
        if bad is leaves[0]:
            raise ValueError(f"Attempt to convert a value ({bad!r}) with an unsupported type ({type(bad)}) to a Tensor.")
        raise ValueError("Can't convert Python sequence with mixed types to Tensor.")
    if kinds == {"s"}:
        if dtype is not None and dtype is not dtypes.string:
            raise _cannot(value, dtype)
        out = np.empty(len(leaves), dtype=object)
        for i, leaf in enumerate(leaves):
            out[i] = _bytes(leaf)
        return out.reshape(shape)
    if "s" in kinds and len(kinds) > 1:
        raise ValueError("Can't convert Python sequence with mixed types to Tensor.")
    if dtype is None:
        if _kind(leaves[0]) != "b":
            kinds.discard("b")  # after a number, True is 1
        if not (kinds <= {"i", "f"} or kinds <= {"f", "i", "c"} or len(kinds) == 1):
            raise ValueError("Can't convert Python sequence with mixed types to Tensor.")
        if "c" in kinds:
            dtype = dtypes.complex128
        elif "f" in kinds:
            dtype = dtypes.float64 if all(isinstance(x, np.float64) for x in leaves) else dtypes.float32
            if all(isinstance(x, np.floating) and not isinstance(x, np.float64) for x in leaves):
                dtype = dtypes.as_dtype(type(leaves[0]))
        elif "b" in kinds:
            dtype = dtypes.bool
        else:
            low, high = min(leaves), max(leaves)
            if low < -(2**63) or high >= 2**63:
                raise ValueError("Can't convert Python sequence with out-of-range integer to Tensor.")
            dtype = dtypes.int32 if low >= _INT32_MIN and high <= _INT32_MAX else dtypes.int64
            if all(isinstance(x, np.generic) for x in leaves):
                dtype = dtypes.as_dtype(leaves[0].dtype)
    elif (
        "s" in kinds
        or dtype is dtypes.string
        or ("c" in kinds and not dtype.is_complex)
        or ("f" in kinds and not (dtype.is_floating or dtype.is_complex))
        or (dtype is dtypes.bool and kinds != {"b"})
    ):
        raise _cannot(value, dtype)
    if dtype.torch is None:
        raise _cannot(value, dtype)
    if dtype.is_integer:
        try:
            array = np.array(leaves, dtype=np.int64 if dtype is not dtypes.uint64 else np.uint64)
        except OverflowError:
            raise ValueError("Can't convert Python sequence with out-of-range integer to Tensor.") from None
        made = torch.from_numpy(array.astype(dtype.as_numpy_dtype).reshape(shape))
        return made.to(_whole_numbers(len(leaves))) if dtype is dtypes.int32 else placed(made)
    return torch.tensor(leaves, dtype=dtype.torch, device=default_device()).reshape(shape)


def _kind(leaf: Any) -> str:
    t = type(leaf)
    if t is float:
        return "f"
    if t is int:
        return "i"
    if isinstance(leaf, (bool, np.bool_)):
        return "b"
    if isinstance(leaf, (int, np.integer)):
        return "i"
    if isinstance(leaf, (float, np.floating)):
        return "f"
    if isinstance(leaf, (str, bytes)):
        return "s"
    if isinstance(leaf, (complex, np.complexfloating)):
        return "c"
    if hasattr(leaf, "__index__") and not hasattr(leaf, "__array__"):
        return "i"
    return "?"


def _pack(value: Any, dtype: DType | None) -> Tensor:
    """Stack a nested sequence that has tensors among its leaves (TensorFlow's auto-packing), which are cast to a `dtype` that is asked for."""
    from .packing import pack

    if dtype is not None:
        return pack(value, dtype, cast=True)
    first = next(convert_to_tensor(leaf).dtype for leaf in _leaves(value, []) if is_tensor_like(leaf) or hasattr(leaf, "__tf_tensor__"))
    return pack(value, first)


def is_eager_python(value: Any) -> bool:
    return not isinstance(value, Tensor) and state.local.graph is None


def constant_value(value: Any) -> Any:
    """The NumPy value of anything whose value is known now, else None (symbolic tensors without a static value)."""
    if isinstance(value, Tensor):
        static = getattr(value, "_static_value", None)
        if static is not None:
            return static()
        return value._numpy()
    if hasattr(type(value), "_is_keras_tensor"):
        return value._constant
    if hasattr(type(value), "_tf_storage"):
        return value.numpy()
    return np.asarray(value)
