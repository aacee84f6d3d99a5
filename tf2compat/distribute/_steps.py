"""Steps of Keras' loops in several replicas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tf2compat._engine import nest
from tf2compat._engine.convert import convert_to_tensor

from ._values import DistributedValues, PerReplica


def in_parts(strategy: Any, step: Callable[[Any], Any], data: Any, joined: bool) -> Any:
    """`step` in each replica on its part of a batch, see `strategies.placed`."""
    count = strategy.num_replicas_in_sync
    parts = nest.map_structure(lambda v: _cut(v, count), data, expand_composites=False)
    found = strategy.run(step, args=(parts,))
    return nest.map_structure(lambda v: _joined(v, joined), found, expand_composites=False)


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


def _joined(value: Any, joined: bool) -> Any:
    if not isinstance(value, PerReplica):
        return value
    if not joined:
        return value.values[-1]
    from tf2compat import concat

    return concat(value.values, 0) if value.values[0].shape.rank else value.values[0]
