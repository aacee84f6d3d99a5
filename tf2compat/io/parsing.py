"""`tf.io.parse_example`: serialized `tf.train.Example`s as tensors, by a description of their features."""

from __future__ import annotations

import math
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
from . import wire
from .features import FixedLenFeature, FixedLenSequenceFeature, RaggedFeature, SparseFeature, VarLenFeature
from .wire import Column

_TAIL = "[Op:ParseExampleV2] name: "
_LISTS = {string: ("bytes_list", "string"), dtypes.float32: ("float_list", "float"), int64: ("int64_list", "int64")}
_NAMES = {"bytes_list": "string", "float_list": "float", "int64_list": "int64"}
_TAGS = {string: wire.BYTES, dtypes.float32: wire.FLOAT, int64: wire.INT64}


class Plan(NamedTuple):
    """One feature: what to look for, and the form of the result. `shape` is one entry's."""

    kind: str
    key: str
    dtype: Any
    shape: tuple[int, ...] = ()
    default: int = -1  # position among the defaults, -1 for none
    partitions: tuple[Any, ...] = ()


# --- the values of features --------------------------------------------------------------------------------------------
def _columns(serialized: list[bytes], wanted: dict[str, Any], names: list[bytes], single: bool) -> dict[str, Column]:
    """Each wanted feature (name: dtype) of all examples; InvalidArgumentError for broken ones and other types."""
    found = wire.reader(tuple([(key, _TAGS[dtype]) for key, dtype in wanted.items()])).columns(serialized)
    if found is not None:
        return dict(zip(wanted, found, strict=True))
    examples = _features(serialized, names)
    return {key: _column([e.get(key) for e in examples], key, dtype, names, single) for key, dtype in wanted.items()}


def _who(names: list[bytes], i: int) -> str:
    return names[i].decode(errors="replace") if names else "<unknown>"


def _features(serialized: list[bytes], names: list[bytes]) -> list[Any]:
    from google.protobuf.message import DecodeError

    from ..train.messages import Example

    out = []
    for i, data in enumerate(serialized):
        try:
            out.append(Example.FromString(data).features.feature)
        except (DecodeError, UnicodeDecodeError) as error:
            raise invalid(f"Name: {_who(names, i)}, Key: , Index: {i}.  Could not parse example input ({len(data)} bytes): {error} {_TAIL}") from error
    return out


def _column(features: list[Any], key: str, dtype: Any, names: list[bytes], single: bool) -> Column:
    """One feature of all examples, as protobuf read them."""
    field, wanted = _LISTS[dtype]
    present, rows = np.zeros(len(features), dtype=bool), []
    for i, found in enumerate(features):
        kind = None if found is None else found.WhichOneof("kind")
        if kind is None:
            rows.append(())
            continue
        if kind != field:
            where = f"Key: {key}." if single else f"Name: {_who(names, i)}, Key: {key}, Index: {i}."
            raise invalid(f"{where}  Data types don't match. Data type: {_NAMES[kind]} but expected type: {wanted} {_TAIL}")
        present[i] = True
        rows.append(getattr(found, field).value)
    return Column(present, np.fromiter(map(len, rows), np.int64, len(rows)), joined(rows, dtype))


def joined(rows: list[Any], dtype: Any) -> np.ndarray:
    """Lists of values as one vector."""
    if dtype is string:
        flat = [v for r in rows for v in r]
        out = np.empty(len(flat), dtype=object)
        out[:] = flat
        return out
    full = [np.array(r, dtype=dtype.as_numpy_dtype) for r in rows if len(r)]
    return np.concatenate(full) if full else np.empty(0, dtype=dtype.as_numpy_dtype)


def storage(array: np.ndarray) -> Any:
    return array if array.dtype == object else torch.from_numpy(array if array.flags.c_contiguous else array.copy())


def array_of(value: Any) -> np.ndarray:
    return value if isinstance(value, np.ndarray) else value.detach().cpu().numpy()


# --- the op --------------------------------------------------------------------------------------------------------------
@op("ParseExampleV2", multi=True, serialized=tensor(string, group="serialized"), names=tensor(string, group="names"), defaults=ANYS)
def _parse(serialized: Any, names: Any, defaults: Any, plans: Any, single: bool) -> Any:
    texts = serialized.reshape(-1).tolist()
    wanted: dict[str, Any] = {}
    for plan in plans:
        for key, dtype in ((plan.key, plan.dtype), *((p.key, int64) for p in plan.partitions if hasattr(p, "key"))):
            if wanted.setdefault(key, dtype) is not dtype:
                raise invalid(f"Key: {key}.  Data types don't match: it is read as {wanted[key].name} and as {dtype.name} {_TAIL}")
    columns = _columns(texts, wanted, names.reshape(-1).tolist(), single)
    out: list[Any] = []
    who = names.reshape(-1).tolist()
    for plan in plans:
        out += formed(columns, plan, defaults, single, who)
    return tuple(out)


def formed(columns: dict[str, Column], plan: Plan, defaults: list[Any], single: bool, names: list[bytes]) -> list[Any]:
    """The tensors that one feature becomes."""
    column = columns[plan.key]
    n = len(column.lengths)
    if plan.kind == "fixed":
        return [storage(_fixed(column, plan, defaults, single, names).reshape(plan.shape if single else (n, *plan.shape)))]
    if plan.kind == "sparse":
        lengths = column.lengths
        places = within(lengths)
        if single:
            return [torch.from_numpy(places[:, None]), storage(column.values), torch.from_numpy(lengths.copy())]
        rows = np.repeat(np.arange(n), lengths)
        return [torch.from_numpy(np.stack([rows, places], 1)), storage(column.values), torch.tensor([n, int(lengths.max()) if n else 0])]
    if plan.kind == "ragged":
        levels = levels_of(columns, plan)
        return [storage(column.values), *(torch.from_numpy(s) for s in (levels[1:] if single else levels))]
    padded = _padded(column, plan, defaults, names)
    return [storage(padded[0] if single else padded)]


def within(lengths: np.ndarray) -> np.ndarray:
    """0, 1, 2, … for each row of so many values, one after the other."""
    total = int(lengths.sum())
    return np.arange(total, dtype=np.int64) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def levels_of(columns: dict[str, Column], plan: Plan) -> list[np.ndarray]:
    """Row splits, outermost first: of the examples, then of each partition."""
    counts = columns[plan.key].lengths  # of what the next partition outwards divides, in each example
    splits: list[np.ndarray] = []
    for p in reversed(plan.partitions):
        lengths: list[np.ndarray] = []
        if isinstance(p, RaggedFeature.UniformRowLength):
            size = int(p.length)
            for i, count in enumerate(counts.tolist()):
                if size < 1 or count % size:
                    raise invalid(f"Key: {plan.key}, Index: {i}.  {count} values are no rows of {size} {_TAIL}")
                lengths.append(np.full(count // size, size, np.int64))
        else:
            column = columns[p.key]
            ends = np.cumsum(column.lengths)
            for i, count in enumerate(counts.tolist()):
                lengths.append(_row_lengths(p, column.values[ends[i] - column.lengths[i] : ends[i]], count, plan.key, i))
        splits.append(np.concatenate([[0], np.cumsum(np.concatenate(lengths) if lengths else np.empty(0, np.int64))]).astype(np.int64))
        counts = np.array([len(x) for x in lengths], dtype=np.int64)
    splits.append(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))
    return splits[::-1]


def _row_lengths(partition: Any, given: np.ndarray, count: int, key: str, index: int) -> np.ndarray:
    """The lengths of one example's rows; together they are its `count` values."""
    if isinstance(partition, RaggedFeature.RowSplits):
        lengths = np.diff(given)
        fits = not len(given) or given[0] == 0
    elif isinstance(partition, RaggedFeature.RowLengths):
        lengths, fits = given, True
    elif isinstance(partition, RaggedFeature.RowStarts):
        lengths = np.diff(np.append(given, count))
        fits = not len(given) or given[0] == 0
    elif isinstance(partition, RaggedFeature.RowLimits):
        lengths, fits = np.diff(given, prepend=0), True
    else:
        fits = len(given) == count and (not count or (given[0] >= 0 and bool((np.diff(given) >= 0).all()) and given[-1] < 1 << 31))
        lengths = np.bincount(given, minlength=0) if fits and count and int(given[-1]) <= 64 * count + 1024 else np.empty(0, np.int64)
    if not fits or (len(lengths) and int(lengths.min()) < 0) or int(lengths.sum()) != count:
        raise invalid(f"Key: {key}, Index: {index}.  {type(partition).__name__} {given[:8].tolist()} do not divide {count} values {_TAIL}")
    return lengths.astype(np.int64)


def _kind(plan: Plan) -> str:
    return "bytes" if plan.dtype is string else _LISTS[plan.dtype][1]


def _fixed(column: Column, plan: Plan, defaults: list[Any], single: bool, names: list[bytes]) -> np.ndarray:
    size = math.prod(plan.shape)
    fits = column.lengths == size
    if fits.all() and column.present.all():
        return column.values
    bad = np.flatnonzero(column.present & ~fits)
    if len(bad):
        i = int(bad[0])
        raise invalid(
            f"Name: {_who(names, i)}, Key: {plan.key}, Index: {i}.  Number of {_kind(plan)} values != expected.  Values size: "
            f"{column.lengths[i]} but output shape: [{','.join(map(str, plan.shape))}] {_TAIL}"
        )
    if column.present.all():
        return column.values
    if plan.default < 0:
        where = "" if single else f"Name: {_who(names, int(np.flatnonzero(~column.present)[0]))}, "
        raise invalid(f"{where}Feature: {plan.key} (data type: {_LISTS[plan.dtype][1]}) is required but could not be found. {_TAIL}")
    out = np.empty((len(column.present), size), dtype=column.values.dtype)
    out[column.present] = column.values.reshape(-1, size) if size else 0
    out[~column.present] = array_of(defaults[plan.default]).reshape(-1)
    return out


def _padded(column: Column, plan: Plan, defaults: list[Any], names: list[bytes]) -> np.ndarray:
    lengths = column.lengths
    stride = math.prod(plan.shape)
    bad = np.flatnonzero(lengths % stride) if stride else []
    if len(bad):
        raise invalid(
            f"Name: {_who(names, int(bad[0]))}, Key: {plan.key}, Index: {bad[0]}.  Number of {_kind(plan)} values is not a multiple of stride "
            f"length. Saw {lengths[bad[0]]} values but output shape is: [{','.join(['?', *map(str, plan.shape)])}] {_TAIL}"
        )
    longest = int(lengths.max()) if len(lengths) else 0
    fill: Any = b"" if plan.dtype is string else 0
    if plan.default >= 0:
        fill = array_of(defaults[plan.default]).reshape(-1)[0]
    if longest * len(lengths) == len(column.values):
        out = column.values
    else:
        out = np.full((len(lengths), longest), fill, dtype=column.values.dtype)
        out[np.arange(longest) < lengths[:, None]] = column.values
    return out.reshape(len(lengths), longest // stride if stride else 0, *plan.shape)


def _told(serialized: Any, names: Any, defaults: Any, plans: Any, single: bool) -> Any:
    n: Any = 1
    for d in serialized.shape:
        n = None if d is None or n is None else n * d
    outer = () if single else (n,)
    out: list[Any] = []
    for plan in plans:
        if plan.kind == "fixed":
            out.append((plan.dtype, (*outer, *plan.shape)))
        elif plan.kind == "sparse":
            rank = 1 if single else 2
            out += [(int64, (None, rank)), (plan.dtype, (None,)), (int64, (rank,))]
        elif plan.kind == "ragged":
            out.append((plan.dtype, (None,)))
            out += [] if single else [(int64, (None if n is None else n + 1,))]
            out += [(int64, (None,))] * len(plan.partitions)
        else:
            out.append((plan.dtype, (*outer, None, *plan.shape)))
    return out


_parse.strings(_parse.op.fn)
_parse.infer(_told)


# --- descriptions --------------------------------------------------------------------------------------------------------
def _dtype(feature: Any, key: str) -> Any:
    if not feature.dtype:
        raise ValueError(f"Missing type for feature {key}. Received feature={feature}.")
    dtype = as_dtype(feature.dtype)
    if dtype not in _LISTS:
        raise invalid(f"Value for attr 'Tdense' of {dtype._cpp} is not in the list of allowed values: float, int64, string {_TAIL}")
    return dtype


def plan_of(key: str, feature: Any, defaults: list[Any]) -> Plan:
    """The plan of one feature; its default is appended to `defaults`."""
    kind = _KINDS.get(type(feature))
    if kind is None:
        raise ValueError(f"Unsupported {type(feature).__name__} {feature} for key '{key}'")
    dtype = _dtype(feature, key)
    if kind == "ragged":
        return Plan(kind, feature.value_key or key, dtype, partitions=feature.partitions)
    if kind == "sparse":
        return Plan(kind, key, dtype)
    if feature.shape is None:
        raise ValueError(f"Missing shape for feature {key}. Received feature={feature}.")
    dims = TensorShape(feature.shape).as_list()
    if None in dims:
        raise ValueError(f"First dimension of shape for feature {key} unknown. Consider using FixedLenSequenceFeature. Received feature={feature}.")
    if kind == "padded" and not feature.allow_missing:
        raise ValueError("Unsupported: FixedLenSequenceFeature requires allow_missing to be True.")
    default = -1
    if feature.default_value is not None:
        default = len(defaults)
        value = convert_to_tensor(feature.default_value, dtype)
        defaults.append(tf.reshape(value, dims) if kind == "fixed" else value)
    return Plan(kind, key, dtype, tuple(dims), default)


_KINDS = {FixedLenFeature: "fixed", VarLenFeature: "sparse", RaggedFeature: "ragged", FixedLenSequenceFeature: "padded"}


def _plans(features: Any) -> tuple[dict[str, Plan], list[Any]]:
    """Plans by the name of what they give; those of a SparseFeature's parts are named by pairs."""
    plans: dict[Any, Plan] = {}
    defaults: list[Any] = []
    for key in sorted(features):
        f = features[key]
        if isinstance(f, SparseFeature):
            if not f.index_key:
                raise ValueError(f"Missing index_key for SparseFeature {f}.")
            if not f.value_key:
                raise ValueError(f"Missing value_key for SparseFeature {f}.")
            for index in _listed(f.index_key):
                plans[key, index] = Plan("sparse", index, int64)
            plans[key, ""] = Plan("sparse", f.value_key, _dtype(f, key))
        else:
            plans[key] = plan_of(key, f, defaults)
    return plans, defaults


def _listed(value: Any) -> list[Any]:
    return [value] if isinstance(value, (str, int)) else list(value)


def composed(plan: Plan, feature: Any, parts: list[Any], single: bool) -> Any:
    """The tensor of one feature from the op's results, which are taken off `parts`."""
    if plan.kind == "sparse":
        indices, values, dims = parts[:3]
        del parts[:3]
        return SparseTensor(indices, values, dims)
    if plan.kind == "ragged":
        levels = len(plan.partitions) + (not single)
        values, splits = parts[0], parts[1 : 1 + levels]
        del parts[: 1 + levels]
        kinds = [None] * (levels - len(plan.partitions)) + list(plan.partitions)
        for s, p in zip(reversed(splits), reversed(kinds), strict=True):
            s = tf.cast(s, feature.row_splits_dtype)
            if isinstance(p, RaggedFeature.UniformRowLength) and not isinstance(values, RaggedTensor):
                values = tf.reshape(values, tf.concat([[-1, p.length], tf.shape(values)[1:]], 0))
            elif isinstance(p, RaggedFeature.UniformRowLength):
                length = tf.constant(p.length, feature.row_splits_dtype)
                values = RaggedTensor.from_uniform_row_length(values, length, nrows=tf.shape(s, feature.row_splits_dtype)[0] - 1, validate=False)
            else:
                values = RaggedTensor.from_row_splits(values, s, validate=False)
        return values
    return parts.pop(0)


def _from_parts(feature: Any, indices: list[Any], values: Any) -> Any:
    """The tensor of a SparseFeature: its last dimensions are the indices that other features name."""
    sizes = _listed(feature.size)
    if len(sizes) != len(indices):
        raise ValueError(f"Argument `size` must have one entry for each index_key. Received {feature}")
    columns = [values.indices[:, :-1], *(tf.expand_dims(i.values, 1) for i in indices)]
    shape = tf.concat([values.dense_shape[:-1], tf.constant(sizes, int64)], 0)
    made = SparseTensor(tf.concat(columns, 1), values.values, shape)
    return made if feature.already_sorted else tf.sparse.reorder(made)


def _parsed(serialized: Any, features: Any, names: Any, single: bool) -> dict[str, Any]:
    if not features:
        raise ValueError(f"Argument `features` cannot be None or falsy. Got {features}")
    plans, defaults = _plans(features)
    given = convert_to_tensor([] if names is None else names, string)
    parts = list(_parse(serialized, given, defaults, tuple(plans.values()), single))
    made: dict[Any, Any] = {key: composed(plan, features.get(key), parts, single) for key, plan in plans.items()}
    out: dict[str, Any] = {}
    for key, f in features.items():
        if isinstance(f, SparseFeature):
            out[key] = _from_parts(f, [made[key, k] for k in _listed(f.index_key)], made[key, ""])
        else:
            out[key] = made[key]
    order = {VarLenFeature: 0, FixedLenFeature: 1, FixedLenSequenceFeature: 1, RaggedFeature: 2, SparseFeature: 3}
    return dict(sorted(out.items(), key=lambda item: (order[type(features[item[0]])], item[0])))


def parse_example(serialized: Any, features: Any, example_names: Any = None, name: str | None = None) -> dict[str, Any]:
    """The features of serialized Examples [n], each a tensor whose first dimension is n (`tf.io.parse_example`).

    Dense, sparse or ragged, as `features` describes. InvalidArgumentError for examples that do not fit; `example_names` are
    told in its message. A scalar is one Example.
    """
    text = convert_to_tensor(serialized, string)
    return _parsed(text, features, example_names, text.shape.rank == 0)


def parse_single_example(serialized: Any, features: Any, example_names: Any = None, name: str | None = None) -> dict[str, Any]:
    """The features of one serialized Example, a scalar string (`tf.io.parse_single_example`)."""
    text = convert_to_tensor(serialized, string)
    text.shape.assert_has_rank(0)
    return _parsed(text, features, example_names, True)
