"""`tf.io.parse_example`: serialized `tf.train.Example`s as tensors, by a description of their features."""

from __future__ import annotations

import collections
from typing import Any, NamedTuple

import numpy as np
import torch

import tf2compat as tf

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import as_dtype, int64, string
from .._engine.op import ANYS, invalid, op, tensor
from .._engine.shapes import TensorShape
from ..ragged import RaggedTensor
from ..sparse import SparseTensor

_TAIL = "[Op:ParseExampleV2] name: "
_LISTS = {string: ("bytes_list", "string"), dtypes.float32: ("float_list", "float"), int64: ("int64_list", "int64")}
_NAMES = {"bytes_list": "string", "float_list": "float", "int64_list": "int64"}


class FixedLenFeature(collections.namedtuple("FixedLenFeature", ["shape", "dtype", "default_value"])):
    """A feature with a fixed number of values, read as a dense tensor (`tf.io.FixedLenFeature`). Required without a default."""

    def __new__(cls, shape: Any, dtype: Any, default_value: Any = None) -> FixedLenFeature:
        return super().__new__(cls, shape, dtype, default_value)


class VarLenFeature(collections.namedtuple("VarLenFeature", ["dtype"])):
    """A feature with any number of values, read as a sparse tensor (`tf.io.VarLenFeature`)."""


class FixedLenSequenceFeature(collections.namedtuple("FixedLenSequenceFeature", ["shape", "dtype", "allow_missing", "default_value"])):
    """A feature with any number of entries of one shape, read as a padded dense tensor (`tf.io.FixedLenSequenceFeature`)."""

    def __new__(cls, shape: Any, dtype: Any, allow_missing: bool = False, default_value: Any = None) -> FixedLenSequenceFeature:
        return super().__new__(cls, shape, dtype, allow_missing, default_value)


class RaggedFeature(collections.namedtuple("RaggedFeature", ["dtype", "value_key", "partitions", "row_splits_dtype", "validate"])):
    """A feature with any number of values, read as a ragged tensor (`tf.io.RaggedFeature`). Without partitions only."""

    def __new__(
        cls, dtype: Any, value_key: Any = None, partitions: Any = (), row_splits_dtype: Any = dtypes.int32, validate: bool = False
    ) -> RaggedFeature:
        if tuple(partitions):
            raise NotImplementedError("tf.io.RaggedFeature of tf2compat does not support partitions; build the rows with tf.RaggedTensor.from_*")
        return super().__new__(cls, dtype, value_key, (), as_dtype(row_splits_dtype), validate)


class _Plan(NamedTuple):
    """One feature: what to look for, and the form of the result. `shape` is one entry's."""

    kind: str
    key: str
    dtype: Any
    shape: tuple[int, ...]
    default: int  # position among the defaults, -1 for none


def _features(serialized: list[bytes], names: Any) -> list[Any]:
    from google.protobuf.message import DecodeError

    from ..train.messages import Example

    out = []
    for i, data in enumerate(serialized):
        try:
            out.append(Example.FromString(data).features.feature)
        except (DecodeError, UnicodeDecodeError) as error:
            raise invalid(f"Name: <unknown>, Key: , Index: {i}.  Could not parse example input ({len(data)} bytes): {error} {_TAIL}") from error
    return out


def _column(examples: list[Any], plan: _Plan, single: bool) -> list[Any]:
    """Each example's values; None where the feature is not there."""
    field, wanted = _LISTS[plan.dtype]
    out: list[Any] = []
    for i, feature in enumerate(examples):
        if plan.key not in feature:  # a map adds what it is asked for
            out.append(None)
            continue
        found = feature[plan.key]
        kind = found.WhichOneof("kind")
        if kind is None:
            out.append(None)
        elif kind != field:
            where = f"Key: {plan.key}." if single else f"Name: <unknown>, Key: {plan.key}, Index: {i}."
            raise invalid(f"{where}  Data types don't match. Data type: {_NAMES[kind]} but expected type: {wanted} {_TAIL}")
        elif field == "float_list" and len(found.float_list.value) > 8:
            # packed floats are the end of the serialized list: one copy instead of a Python float for each
            data = found.float_list.SerializeToString()
            out.append(np.frombuffer(data, dtype="<f4", offset=len(data) - 4 * len(found.float_list.value)))
        else:
            out.append(getattr(found, field).value)
    return out


def _flat(rows: list[Any], dtype: Any) -> np.ndarray:
    count = sum(len(r) for r in rows)
    if dtype is string:
        out = np.empty(count, dtype=object)
        out[:] = [v for r in rows for v in r]
        return out
    if not count:
        return np.empty(0, dtype=dtype.as_numpy_dtype)
    return np.concatenate([np.array(r, dtype=dtype.as_numpy_dtype) for r in rows])


def _storage(array: np.ndarray) -> Any:
    return array if array.dtype == object else torch.from_numpy(np.ascontiguousarray(array))


def _array(value: Any) -> np.ndarray:
    return value if isinstance(value, np.ndarray) else value.detach().cpu().numpy()


@op("ParseExampleV2", multi=True, serialized=tensor(string, group="serialized"), defaults=ANYS)
def _parse(serialized: Any, defaults: Any, plans: Any, single: bool) -> Any:
    examples = _features(serialized.reshape(-1).tolist(), None)
    n = len(examples)
    out: list[Any] = []
    for plan in plans:
        rows = _column(examples, plan, single)
        if plan.kind == "fixed":
            out.append(_storage(_fixed(rows, plan, defaults, single).reshape(n, *plan.shape)))
            continue
        filled = [() if r is None else r for r in rows]
        lengths = np.array([len(r) for r in filled], dtype=np.int64)
        flat = _flat(filled, plan.dtype)
        if plan.kind == "sparse":
            places = np.concatenate([np.arange(k) for k in lengths]) if n else np.empty(0, np.int64)
            out += [torch.from_numpy(np.stack([np.repeat(np.arange(n), lengths), places.astype(np.int64)], 1)), _storage(flat)]
            out.append(torch.tensor([n, int(lengths.max()) if n else 0]))
        elif plan.kind == "ragged":
            out += [_storage(flat), torch.from_numpy(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))]
        else:
            out.append(_storage(_padded(flat, lengths, plan, defaults)))
    return tuple(out)


def _fixed(rows: list[Any], plan: _Plan, defaults: list[Any], single: bool) -> np.ndarray:
    size = int(np.prod(plan.shape, dtype=np.int64))
    default: Any = None
    for i, row in enumerate(rows):
        if row is None:
            if plan.default < 0:
                where = "" if single else "Name: <unknown>, "
                raise invalid(f"{where}Feature: {plan.key} (data type: {_LISTS[plan.dtype][1]}) is required but could not be found. {_TAIL}")
            if default is None:
                default = _array(defaults[plan.default]).reshape(-1)
            rows[i] = default
        elif len(row) != size:
            what = "bytes" if plan.dtype is string else _LISTS[plan.dtype][1]
            raise invalid(
                f"Name: <unknown>, Key: {plan.key}, Index: {i}.  Number of {what} values != expected.  Values size: {len(row)} but output shape: "
                f"[{','.join(map(str, plan.shape))}] {_TAIL}"
            )
    return _flat(rows, plan.dtype)


def _padded(flat: np.ndarray, lengths: np.ndarray, plan: _Plan, defaults: list[Any]) -> np.ndarray:
    stride = int(np.prod(plan.shape, dtype=np.int64))
    bad = np.flatnonzero(lengths % stride) if stride else []
    if len(bad):
        what = "bytes" if plan.dtype is string else _LISTS[plan.dtype][1]
        raise invalid(
            f"Name: <unknown>, Key: {plan.key}, Index: {bad[0]}.  Number of {what} values is not a multiple of stride length. Saw "
            f"{lengths[bad[0]]} values but output shape is: [{','.join(['?', *map(str, plan.shape)])}] {_TAIL}"
        )
    longest = int(lengths.max()) if len(lengths) else 0
    fill: Any = b"" if plan.dtype is string else 0
    if plan.default >= 0:
        fill = _array(defaults[plan.default]).reshape(-1)[0]
    out = np.full((len(lengths), longest), fill, dtype=flat.dtype)
    out[np.arange(longest) < lengths[:, None]] = flat
    return out.reshape(len(lengths), longest // stride if stride else 0, *plan.shape)


def _told(serialized: Any, defaults: Any, plans: Any, single: bool) -> Any:
    n = 1
    for d in serialized.shape:
        n *= d
    out: list[Any] = []
    for plan in plans:
        if plan.kind == "fixed":
            out.append((plan.dtype, (n, *plan.shape)))
        elif plan.kind == "sparse":
            out += [(int64, (None, 2)), (plan.dtype, (None,)), (int64, (2,))]
        elif plan.kind == "ragged":
            out += [(plan.dtype, (None,)), (int64, (n + 1,))]
        else:
            out.append((plan.dtype, (n, None, *plan.shape)))
    return out


_parse.strings(_parse.op.fn)
_parse.infer(_told)


def _plans(features: Any) -> tuple[dict[str, _Plan], list[Any]]:
    plans: dict[str, _Plan] = {}
    defaults: list[Any] = []
    for key in sorted(features):
        f = features[key]
        kinds = {FixedLenFeature: "fixed", VarLenFeature: "sparse", RaggedFeature: "ragged", FixedLenSequenceFeature: "padded"}
        kind = kinds.get(type(f))
        if kind is None:
            raise ValueError(f"Unsupported {type(f).__name__} {f} for key '{key}'")
        if not f.dtype:
            raise ValueError(f"Missing type for feature {key}. Received feature={f}.")
        dtype = as_dtype(f.dtype)
        if dtype not in _LISTS:
            raise invalid(f"Value for attr 'Tdense' of {dtype._cpp} is not in the list of allowed values: float, int64, string {_TAIL}")
        shape: tuple[int, ...] = ()
        default = -1
        if kind in ("fixed", "padded"):
            if f.shape is None:
                raise ValueError(f"Missing shape for feature {key}. Received feature={f}.")
            dims = TensorShape(f.shape).as_list()
            if None in dims:
                raise ValueError(f"First dimension of shape for feature {key} unknown. Consider using FixedLenSequenceFeature. Received feature={f}.")
            shape = tuple(dims)
            if kind == "padded" and not f.allow_missing:
                raise ValueError("Unsupported: FixedLenSequenceFeature requires allow_missing to be True.")
            if f.default_value is not None:
                default = len(defaults)
                value = convert_to_tensor(f.default_value, dtype)
                defaults.append(tf.reshape(value, shape) if kind == "fixed" else value)
        plans[key] = _Plan(kind, getattr(f, "value_key", None) or key, dtype, shape, default)
    return plans, defaults


def _parsed(serialized: Any, features: Any, single: bool) -> dict[str, Any]:
    if not features:
        raise ValueError(f"Argument `features` cannot be None or falsy. Got {features}")
    plans, defaults = _plans(features)
    parts = list(_parse(tf.reshape(serialized, [-1]), defaults, tuple(plans.values()), single))
    out: dict[str, Any] = {}
    for key, plan in plans.items():
        if plan.kind == "sparse":
            indices, values, dims = parts[:3]
            del parts[:3]
            out[key] = SparseTensor(indices[:, 1:], values, dims[1:]) if single else SparseTensor(indices, values, dims)
        elif plan.kind == "ragged":
            values, splits = parts[:2]
            del parts[:2]
            out[key] = values if single else RaggedTensor.from_row_splits(values, tf.cast(splits, features[key].row_splits_dtype), validate=False)
        else:
            out[key] = parts.pop(0)[0] if single else parts.pop(0)
    order = {"sparse": 0, "fixed": 1, "padded": 1, "ragged": 2}
    return dict(sorted(out.items(), key=lambda item: order[plans[item[0]].kind]))


def parse_example(serialized: Any, features: Any, example_names: Any = None, name: str | None = None) -> dict[str, Any]:
    """The features of serialized Examples [n], each a tensor whose first dimension is n (`tf.io.parse_example`).

    Dense, sparse or ragged, as `features` describes. InvalidArgumentError for examples that do not fit. A scalar is one Example.
    """
    if example_names is not None:
        raise NotImplementedError("tf.io.parse_example of tf2compat does not support example_names")
    text = convert_to_tensor(serialized, string)
    return _parsed(text, features, text.shape.rank == 0)


def parse_single_example(serialized: Any, features: Any, example_names: Any = None, name: str | None = None) -> dict[str, Any]:
    """The features of one serialized Example, a scalar string (`tf.io.parse_single_example`)."""
    if example_names is not None:
        raise NotImplementedError("tf.io.parse_single_example of tf2compat does not support example_names")
    text = convert_to_tensor(serialized, string)
    text.shape.assert_has_rank(0)
    return _parsed(text, features, True)
