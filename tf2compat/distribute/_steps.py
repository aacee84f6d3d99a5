"""Steps of Keras' loops in several replicas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tf2compat._engine import nest
from tf2compat._engine.convert import convert_to_tensor

from ._values import DistributedValues, PerReplica


def in_parts(strategy: Any, step: Callable[[Any], Any], data: Any, reduction: str) -> Any:
    """`step` in each replica on its part of a batch, see `strategies.placed`."""
    count = strategy.num_replicas_in_sync
    parts = nest.map_structure(lambda v: _cut(v, count), data, expand_composites=False)
    found = strategy.run(step, args=(parts,))
    return nest.map_structure(lambda v: _reduced(v, reduction), found, expand_composites=False)


def _cut(value: Any, count: int) -> Any:
    if value is None or isinstance(value, DistributedValues):
        return value
    from tf2compat import shape

    value = value if hasattr(value, "_tf_components") else convert_to_tensor(value)
    if not value.shape.rank:
        return value
    rows = value.shape[0]
    size = -(-rows // count) if rows is not None else (shape(value)[0] + (count - 1)) // count
    return PerReplica([value[i * size : (i + 1) * size] for i in range(count)])


def _reduced(value: Any, reduction: str) -> Any:
    if not isinstance(value, PerReplica):
        return value
    if reduction == "first":
        return value.values[0]
    from tf2compat import add_n, concat, reduce_sum

    if reduction == "concat":
        return concat(value.values, 0) if value.values[0].shape.rank else value.values[0]
    if reduction in ("auto", "sum"):
        return add_n([reduce_sum(v) for v in value.values])  # a number, as Keras' sum is
    raise ValueError(f'`reduction` must be "first", "concat", "sum", or "auto". Received: reduction={reduction}.')
