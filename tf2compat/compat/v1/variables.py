"""`tf.compat.v1.Variable`: version 1's arguments for a variable."""

from __future__ import annotations

from typing import Any

from tf2compat._engine.variable import Variable as _Variable
from tf2compat._engine.variable import VariableAggregation, VariableMeta, VariableSynchronization

__all__ = ["Variable"]


class _Meta(VariableMeta):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self is Variable:
            return _made(*args, **kwargs)
        return super().__call__(*args, **kwargs)


class Variable(_Variable, metaclass=_Meta):
    """A variable by version 1's arguments (`tf.compat.v1.Variable`). As in TensorFlow 2, what is made is a resource variable, no instance of this class."""


def _made(
    initial_value: Any = None,
    trainable: bool | None = None,
    collections: Any = None,
    validate_shape: bool = True,
    caching_device: Any = None,
    name: str | None = None,
    variable_def: Any = None,
    dtype: Any = None,
    expected_shape: Any = None,
    import_scope: Any = None,
    constraint: Any = None,
    use_resource: bool | None = None,
    synchronization: VariableSynchronization = VariableSynchronization.AUTO,
    aggregation: VariableAggregation = VariableAggregation.NONE,
    shape: Any = None,
) -> Any:
    """Eager variables are in no collection, and `use_resource` and `expected_shape` change nothing for them, as in TensorFlow."""
    return _Variable(
        initial_value, trainable=trainable, validate_shape=validate_shape, caching_device=caching_device, name=name, variable_def=variable_def,
        dtype=dtype, import_scope=import_scope, constraint=constraint, synchronization=synchronization, aggregation=aggregation, shape=shape,
    )  # fmt: skip
