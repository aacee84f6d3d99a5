"""`tf.io.parse_sequence_example`: serialized `tf.train.SequenceExample`s as tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from .._engine.convert import convert_to_tensor
from .._engine.dtypes import int64, string
from .._engine.op import ANYS, invalid, op, tensor
from .features import FixedLenSequenceFeature, RaggedFeature, VarLenFeature
from .parsing import _LISTS, _NAMES, Plan, _column, _dtype, _told, _who, composed, formed, joined, levels_of, plan_of, storage, within
from .wire import Column

_TAIL = "[Op:ParseSequenceExampleV2] name: "


def _messages(serialized: list[bytes], names: list[bytes]) -> list[Any]:
    from google.protobuf.message import DecodeError

    from ..train.messages import SequenceExample

    out = []
    for i, data in enumerate(serialized):
        try:
            out.append(SequenceExample.FromString(data))
        except (DecodeError, UnicodeDecodeError) as error:
            raise invalid(f"Invalid protocol message input, example id: {_who(names, i)}: {error} {_TAIL}") from error
    return out


def _lists(messages: list[Any], plan: Plan, missing: bool, names: list[bytes]) -> tuple[np.ndarray, Column]:
    """How many entries the feature list has in each example, and all entries as rows of one column."""
    field, wanted = _LISTS[plan.dtype]
    counts, rows = [], []
    for i, message in enumerate(messages):
        lists = message.feature_lists.feature_list
        if plan.key not in lists:
            if not missing:
                raise invalid(
                    f"Name: {_who(names, i)}, Feature list '{plan.key}' is required but could not be found.  Did you mean to include it in "
                    f"feature_list_dense_missing_assumed_empty or feature_list_dense_defaults? {_TAIL}"
                )
            counts.append(0)
            continue
        entries = lists[plan.key].feature
        counts.append(len(entries))
        for k, entry in enumerate(entries):
            kind = entry.WhichOneof("kind")
            if kind is not None and kind != field:
                raise invalid(
                    f"Name: {_who(names, i)}, Feature list: {plan.key}, Index: {k}.  Data types don't match. Expected type: {wanted}, "
                    f"data type: {_NAMES[kind]} {_TAIL}"
                )
            values = () if kind is None else getattr(entry, field).value
            if plan.kind == "padded" and len(values) != math.prod(plan.shape):
                raise invalid(
                    f"Name: {_who(names, i)}, Key: {plan.key}, Index: {k}.  Number of values != expected.  Values size: {len(values)} but output "
                    f"shape: [{','.join(map(str, plan.shape))}] {_TAIL}"
                )
            rows.append(values)
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    return np.array(counts, dtype=np.int64), Column(np.ones(len(rows), np.bool_), lengths, joined(rows, plan.dtype))


@op("ParseSequenceExampleV2", multi=True, serialized=tensor(string, group="serialized"), names=tensor(string, group="names"), defaults=ANYS)
def _parse(serialized: Any, names: Any, defaults: Any, context: Any, sequences: Any, optional: Any, single: bool) -> Any:
    who = names.reshape(-1).tolist()
    messages = _messages(serialized.reshape(-1).tolist(), who)
    out: list[Any] = []
    features = [m.context.feature for m in messages]
    wanted: dict[str, Any] = {}
    for plan in context:
        wanted[plan.key] = plan.dtype
        wanted.update({p.key: int64 for p in plan.partitions if hasattr(p, "key")})
    columns = {k: _column([f.get(k) for f in features], k, dtype, who, single) for k, dtype in wanted.items()}
    for plan in context:
        out += formed(columns, plan, defaults, single, who)
    for plan, missing in zip(sequences, optional, strict=True):
        counts, column = _lists(messages, plan, missing, who)
        splits: list[np.ndarray] = []
        if plan.kind == "ragged":
            counts, column, splits = _divided(messages, plan, counts, column, who)
        out += _arranged(plan, counts, column, single, splits)
    return tuple(out)


def _divided(messages: list[Any], plan: Plan, counts: np.ndarray, column: Column, names: list[bytes]) -> tuple[np.ndarray, Column, list[np.ndarray]]:
    """A ragged feature list with the row splits of its entries, then those of its partitions, which other feature lists give entry by entry.

    An example that lacks one of the lists has no entries.
    """
    columns = {plan.key: column}
    found = {plan.key: counts}
    for p in plan.partitions:
        if hasattr(p, "key"):
            found[p.key], columns[p.key] = _lists(messages, Plan("ragged", p.key, int64), True, names)
    if len(columns) > 1:
        there = np.logical_and.reduce([n > 0 for n in found.values()])
        for key, n in found.items():
            uneven = np.flatnonzero(there & (n != counts))
            if len(uneven):
                at = int(uneven[0])
                raise invalid(
                    f"Name: {_who(names, at)}, Feature list: {plan.key}.  It has {counts[at]} entries, but '{key}', which divides them, has {n[at]} {_TAIL}"
                )
        columns = {key: _of_some(columns[key], np.repeat(there, found[key])) for key in columns}
        counts, column = np.where(there, counts, 0), columns[plan.key]
    if not plan.partitions:
        return counts, column, [np.concatenate([[0], np.cumsum(column.lengths)]).astype(np.int64)]
    return counts, column, levels_of(columns, plan)


def _of_some(column: Column, rows: np.ndarray) -> Column:
    """The rows of a column that are to stay."""
    if rows.all():
        return column
    return Column(column.present[rows], column.lengths[rows], column.values[np.repeat(rows, column.lengths)])


def _arranged(plan: Plan, counts: np.ndarray, column: Column, single: bool, splits: list[np.ndarray]) -> list[Any]:
    n, longest = len(counts), int(counts.max()) if len(counts) else 0
    if plan.kind == "padded":
        if single:
            return [storage(column.values.reshape(longest, *plan.shape))]
        out = np.full((n, longest, math.prod(plan.shape)), b"" if plan.dtype is string else 0, dtype=column.values.dtype)
        out[np.arange(longest) < counts[:, None]] = column.values.reshape(-1, out.shape[2]) if out.shape[2] else 0
        return [storage(out.reshape(n, longest, *plan.shape)), torch.from_numpy(counts)]
    if plan.kind == "sparse":
        steps, inner = within(counts), within(column.lengths)
        widest = int(column.lengths.max()) if len(column.lengths) else 0
        places = [np.repeat(steps, column.lengths), inner]
        dims = [longest, widest]
        if not single:
            places.insert(0, np.repeat(np.repeat(np.arange(n), counts), column.lengths))
            dims.insert(0, n)
        return [torch.from_numpy(np.stack(places, 1)), storage(column.values), torch.tensor(dims)]
    if not single:
        splits.insert(0, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))
    return [storage(column.values), *map(torch.from_numpy, splits)]


def _specs(serialized: Any, names: Any, defaults: Any, context: Any, sequences: Any, optional: Any, single: bool) -> Any:
    out = _told(serialized, names, defaults, context, single) if context else []
    n = None if single else serialized.shape[0]
    outer = () if single else (n,)
    for plan in sequences:
        if plan.kind == "padded":
            out.append((plan.dtype, (*outer, None, *plan.shape)))
            out += [] if single else [(int64, (n,))]
        elif plan.kind == "sparse":
            rank = 2 if single else 3
            out += [(int64, (None, rank)), (plan.dtype, (None,)), (int64, (rank,))]
        else:
            out.append((plan.dtype, (None,)))
            out += [(int64, (None,))] if single else [(int64, (None if n is None else n + 1,)), (int64, (None,))]
            out += [(int64, (None,))] * len(plan.partitions)
    return out


_parse.strings(_parse.op.fn)
_parse.infer(_specs)


def _sequence_plan(key: str, feature: Any) -> Plan:
    if isinstance(feature, FixedLenSequenceFeature):
        from .._engine.shapes import TensorShape

        if feature.shape is None:
            raise ValueError(f"Missing shape for feature {key}. Received feature={feature}.")
        return Plan("padded", key, _dtype(feature, key), tuple(TensorShape(feature.shape).as_list()))
    if isinstance(feature, VarLenFeature):
        return Plan("sparse", key, _dtype(feature, key))
    if isinstance(feature, RaggedFeature):
        return Plan("ragged", feature.value_key or key, _dtype(feature, key), partitions=feature.partitions)
    raise ValueError(f"Unsupported {type(feature).__name__} {feature} for key '{key}'")


def _parsed(serialized: Any, context_features: Any, sequence_features: Any, names: Any, single: bool) -> Any:
    if not context_features and not sequence_features:
        raise ValueError("Both context_features and sequence_features are None, but at least one should have values.")
    context, sequences = context_features or {}, sequence_features or {}
    defaults: list[Any] = []
    plans = {key: plan_of(key, context[key], defaults) for key in sorted(context)}
    lists = {key: _sequence_plan(key, sequences[key]) for key in sorted(sequences)}
    optional = tuple(getattr(sequences[key], "allow_missing", True) for key in lists)
    given = convert_to_tensor([] if names is None else names, string)
    parts = list(_parse(serialized, given, defaults, tuple(plans.values()), tuple(lists.values()), optional, single))
    found = {key: composed(plan, context[key], parts, single) for key, plan in plans.items()}
    rows: dict[str, Any] = {}
    lengths: dict[str, Any] = {}
    for key, plan in lists.items():
        if plan.kind == "padded":
            rows[key] = parts.pop(0)
            if not single:
                lengths[key] = parts.pop(0)
        else:
            # a feature list adds a level of rows to its entries
            nested = plan._replace(partitions=(None, *plan.partitions)) if plan.kind == "ragged" else plan
            rows[key] = composed(nested, sequences[key], parts, single)
    order = {"sparse": 0, "fixed": 1, "padded": 1, "ragged": 2}
    first = dict(sorted(found.items(), key=lambda item: order[plans[item[0]].kind]))
    second = dict(sorted(rows.items(), key=lambda item: order[lists[item[0]].kind]))
    return (first, second) if single else (first, second, lengths)


def parse_sequence_example(
    serialized: Any, context_features: Any = None, sequence_features: Any = None, example_names: Any = None, name: str | None = None
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Context, feature lists and lengths of serialized SequenceExamples [n] (`tf.io.parse_sequence_example`).

    A feature list has a dimension more than its entries: dense and padded with its lengths, sparse or ragged.
    Of one example, a scalar, there are its context, lists and lengths without the dimension of examples.
    InvalidArgumentError for examples that do not fit.
    """
    text = convert_to_tensor(serialized, string)
    if text.shape.rank != 0:
        return _parsed(text, context_features, sequence_features, example_names, False)
    from .. import shape

    context, rows = _parsed(text, context_features, sequence_features, example_names, True)
    dense = [k for k in rows if isinstance((sequence_features or {})[k], FixedLenSequenceFeature)]
    return context, rows, {k: shape(rows[k], out_type=int64)[0] for k in sorted(dense)}


def parse_single_sequence_example(
    serialized: Any, context_features: Any = None, sequence_features: Any = None, example_name: Any = None, name: str | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Context and feature lists of one serialized SequenceExample, a scalar string (`tf.io.parse_single_sequence_example`)."""
    text = convert_to_tensor(serialized, string)
    text.shape.assert_has_rank(0)
    return _parsed(text, context_features, sequence_features, example_name, True)
