"""Values with one component for each replica, and how they are combined."""

from __future__ import annotations

import enum
from typing import Any

from tf2compat._engine import nest
from tf2compat._engine.specs import TypeSpec, type_spec_from_value
from tf2compat._engine.variable import Variable, VariableAggregation


class ReduceOp(enum.Enum):
    """How values of replicas are combined (`tf.distribute.ReduceOp`)."""

    SUM = "SUM"
    MEAN = "MEAN"

    @staticmethod
    def from_variable_aggregation(aggregation: Any) -> ReduceOp:
        """The operation that corresponds to a `tf.VariableAggregation`; ValueError for the others."""
        found = {VariableAggregation.SUM: ReduceOp.SUM, VariableAggregation.MEAN: ReduceOp.MEAN}.get(aggregation)
        if found is None:
            raise ValueError(f"Could not convert from `tf.VariableAggregation` {aggregation} to`tf.distribute.ReduceOp` type")
        return found


def reduce_op(given: Any) -> ReduceOp:
    """A `ReduceOp` from itself or its name; ValueError for others."""
    if isinstance(given, ReduceOp):
        return given
    return ReduceOp(given.upper() if isinstance(given, str) else given)


class DistributedValues:
    """One value for each replica (`tf.distribute.DistributedValues`).

    `strategy.experimental_distribute_values_from_function` makes them; `strategy.experimental_local_results` gives the components.
    """

    def __init__(self, values: Any) -> None:
        self._values = tuple(values)

    @property
    def values(self) -> tuple[Any, ...]:
        return self._values

    @property
    def _primary(self) -> Any:
        return self._values[0]

    def __repr__(self) -> str:
        return self._text(repr)

    def __str__(self) -> str:
        return self._text(str)

    def _text(self, of: Any) -> str:
        parts = ",".join(f"\n  {i}: {of(v)}" for i, v in enumerate(self._values))
        return f"{type(self).__name__}:{{{parts}\n}}"


class PerReplica(DistributedValues):
    """Values that differ between replicas."""

    def _tf_components(self) -> tuple[Any, ...]:
        return self._values

    def _tf_from_components(self, components: Any) -> PerReplica:
        return PerReplica(components)

    @property
    def _type_spec(self) -> PerReplicaSpec:
        return PerReplicaSpec(*[type_spec_from_value(v) for v in self._values])


class Mirrored(DistributedValues):
    """Values that are the same in all replicas."""


class PerReplicaSpec(TypeSpec):
    """The spec of values that differ between replicas."""

    def __init__(self, *value_specs: Any) -> None:
        self._value_specs = value_specs

    def __repr__(self) -> str:
        return f"PerReplicaSpec({', '.join(map(repr, self._value_specs))})"

    @property
    def value_type(self) -> type:
        return PerReplica

    def _serialize(self) -> tuple[Any, ...]:
        return self._value_specs

    @property
    def _component_specs(self) -> Any:
        return self._value_specs

    def _to_components(self, value: Any) -> Any:
        return value.values

    def _from_components(self, components: Any) -> Any:
        return PerReplica(components)


def local_values(value: Any) -> tuple[Any, ...]:
    """The components of a value on this process."""
    if isinstance(value, DistributedValues) or getattr(value, "_distributed", None):
        return tuple(value.values)
    return (value,)


def for_replica(replica: int, structure: Any) -> Any:
    """The structure with each distributed value replaced by the replica's component."""
    if isinstance(structure, DistributedValues):
        return structure.values[replica]
    if isinstance(structure, Variable):
        return structure
    if nest.is_nested(structure):
        return nest.rebuild(structure, [for_replica(replica, v) for v in nest.children(structure)])
    return structure
