"""`tf.keras.regularizers`: penalties on weights and outputs."""

from __future__ import annotations

import math
from typing import Any

import tf2compat as tf
from tf2compat._engine.dtypes import FLOATS
from tf2compat._engine.op import op, tensor

from ._base.config import as_floatx
from ._base.serialization import from_module, serialize_keras_object, serialize_legacy


@op("L1Penalty", x=tensor(FLOATS))
def _l1_penalty(x: Any, factor: float) -> Any:
    return x.abs().sum() * factor


@op("L2Penalty", x=tensor(FLOATS))
def _l2_penalty(x: Any, factor: float) -> Any:
    return (x * x).sum() * factor


def _checked(x: Any) -> None:
    if not isinstance(x, (float, int)):
        raise ValueError(f"Value {x} is not a valid regularization penalty number, expected an int or float value.")
    if math.isinf(x) or math.isnan(x):
        raise ValueError(f"Value {x} is not a valid regularization penalty number, a positive/negative infinity or NaN is not a property value.")


class Regularizer:
    """The class that regularizers inherit from: `__call__(x)` gives the penalty (`tf.keras.regularizers.Regularizer`)."""

    def __call__(self, x: Any) -> Any:
        """The penalty for `x`."""
        return 0.0

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A regularizer made from what `get_config` returned."""
        return cls(**config)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        raise NotImplementedError(f"{self} does not implement get_config()")


class L1L2(Regularizer):
    """l1 * sum(|x|) + l2 * sum(x²) (`tf.keras.regularizers.L1L2`)."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        l1 = 0.0 if l1 is None else l1
        l2 = 0.0 if l2 is None else l2
        _checked(l1)
        _checked(l2)
        self.l1 = as_floatx(l1)
        self.l2 = as_floatx(l2)

    def __call__(self, x: Any) -> Any:
        """The penalty for `x`."""
        total = None
        if self.l1:
            total = _l1_penalty(x, self.l1)
        if self.l2:
            square = _l2_penalty(x, self.l2)
            total = square if total is None else total + square
        return tf.constant(0.0, x.dtype) if total is None else total

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"l1": float(self.l1), "l2": float(self.l2)}


class L1(Regularizer):
    """l1 * sum(|x|) (`tf.keras.regularizers.L1`)."""

    def __init__(self, l1: float = 0.01, **kwargs: Any) -> None:
        l1 = kwargs.pop("l", l1)
        if kwargs:
            raise TypeError(f"Argument(s) not recognized: {kwargs}")
        l1 = 0.01 if l1 is None else l1
        _checked(l1)
        self.l1 = as_floatx(l1)

    def __call__(self, x: Any) -> Any:
        """The penalty for `x`."""
        return _l1_penalty(x, self.l1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"l1": float(self.l1)}


class L2(Regularizer):
    """l2 * sum(x²) (`tf.keras.regularizers.L2`)."""

    def __init__(self, l2: float = 0.01, **kwargs: Any) -> None:
        l2 = kwargs.pop("l", l2)
        if kwargs:
            raise TypeError(f"Argument(s) not recognized: {kwargs}")
        l2 = 0.01 if l2 is None else l2
        _checked(l2)
        self.l2 = as_floatx(l2)

    def __call__(self, x: Any) -> Any:
        """The penalty for `x`."""
        return _l2_penalty(x, self.l2)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"l2": float(self.l2)}


class OrthogonalRegularizer(Regularizer):
    """Penalty on rows (or columns) that are not orthogonal to each other (`tf.keras.regularizers.OrthogonalRegularizer`)."""

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        _checked(factor)
        self.factor = as_floatx(factor)
        if mode not in {"rows", "columns"}:
            raise ValueError(f'Invalid value for argument `mode`. Expected one of {{"rows", "columns"}}. Received: mode={mode}')
        self.mode = mode

    def __call__(self, inputs: Any) -> Any:
        """The penalty for a matrix; ValueError for other ranks."""
        if inputs.shape.rank != 2:
            raise ValueError(
                f"Inputs to OrthogonalRegularizer must have rank 2. Received: inputs.shape={inputs.shape}"
            )
        by_rows = self.mode == "rows"
        unit = tf.math.l2_normalize(inputs, axis=1 if by_rows else 0)
        product = tf.matmul(unit, unit, transpose_b=True) if by_rows else tf.matmul(unit, unit, transpose_a=True)
        size = inputs.shape[0 if by_rows else 1]
        off = product * (1.0 - tf.eye(size, dtype=inputs.dtype))
        pairs = size * (size - 1.0) / 2.0
        return self.factor * 0.5 * tf.reduce_sum(tf.abs(off)) / pairs

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"factor": float(self.factor), "mode": self.mode}


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """An L1L2 regularizer (`tf.keras.regularizers.l1_l2`)."""
    return L1L2(l1=l1, l2=l2)


l1 = L1
l2 = L2
orthogonal_regularizer = OrthogonalRegularizer

_KNOWN: dict[str, Any] = {
    "L1": L1, "L2": L2, "L1L2": L1L2, "l1": L1, "l2": L2, "OrthogonalRegularizer": OrthogonalRegularizer,
    "orthogonal_regularizer": OrthogonalRegularizer, "Regularizer": Regularizer,
}  # fmt: skip


def serialize(regularizer: Any, use_legacy_format: bool = False) -> Any:
    """The config of a regularizer (`tf.keras.regularizers.serialize`)."""
    if regularizer is None:
        return None
    return serialize_legacy(regularizer) if use_legacy_format else serialize_keras_object(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None, use_legacy_format: bool = False) -> Any:
    """The regularizer of a config or name (`tf.keras.regularizers.deserialize`)."""
    if config == "l1_l2":
        return L1L2(l1=0.01, l2=0.01)
    return from_module(config, _KNOWN, custom_objects, "regularizer", use_legacy_format)


def get(identifier: Any) -> Any:
    """A regularizer from its name, config or itself (`tf.keras.regularizers.get`). ValueError for anything else."""
    if identifier is None:
        return None
    if isinstance(identifier, (dict, str)):
        return deserialize(identifier, use_legacy_format="module" not in identifier)
    if callable(identifier):
        return identifier
    raise ValueError(f"Could not interpret regularizer identifier: {identifier}")
