"""`tf.keras.constraints`: projections of weights after each update."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from ._base.config import settings
from ._base.serialization import from_module, serialize_keras_object, serialize_legacy


class Constraint:
    """The class that constraints inherit from: `__call__(w)` gives the projected weight (`tf.keras.constraints.Constraint`)."""

    def __call__(self, w: Any) -> Any:
        """The projection of `w`."""
        return w

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A constraint made from what `get_config` returned."""
        return cls(**config)


def _norms(w: Any, axis: Any) -> Any:
    return tf.sqrt(tf.reduce_sum(tf.square(w), axis=axis, keepdims=True))


class MaxNorm(Constraint):
    """Norms along `axis` of at most `max_value` (`tf.keras.constraints.MaxNorm`)."""

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        """The projection of `w`."""
        norms = _norms(w, self.axis)
        desired = tf.clip_by_value(norms, 0, self.max_value)
        return w * (desired / (settings.epsilon + norms))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """No negative weights (`tf.keras.constraints.NonNeg`)."""

    def __call__(self, w: Any) -> Any:
        """The projection of `w`."""
        return w * tf.cast(tf.greater_equal(w, 0.0), w.dtype)


class UnitNorm(Constraint):
    """Norms along `axis` of one (`tf.keras.constraints.UnitNorm`)."""

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        """The projection of `w`."""
        return w / (settings.epsilon + _norms(w, self.axis))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Norms along `axis` drawn by `rate` into [min_value, max_value] (`tf.keras.constraints.MinMaxNorm`)."""

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        """The projection of `w`."""
        norms = _norms(w, self.axis)
        desired = self.rate * tf.clip_by_value(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (desired / (settings.epsilon + norms))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}


class RadialConstraint(Constraint):
    """Kernels whose weights depend on the distance from the centre only (`tf.keras.constraints.RadialConstraint`)."""

    def __call__(self, w: Any) -> Any:
        """The projection of a kernel [n, n, in, out]; ValueError for other ranks."""
        sizes = w.shape.as_list()
        if len(sizes) != 4:
            raise ValueError(f"The weight tensor must have rank 4. Received weight tensor with shape: {tuple(sizes)}")
        height, width = sizes[:2]
        start, odd = height // 2, height % 2
        rings = []
        for i in range(height):
            row = []
            for j in range(width):
                # the ring of a cell, counted from the inside; its value stands on the diagonal
                a = max(abs(2 * i - (height - 1)), abs(2 * j - (height - 1)))
                ring = a // 2 if odd else (a - 1) // 2
                row.append(w[start + ring, start + ring])
            rings.append(tf.stack(row))
        return tf.stack(rings)


max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
radial_constraint = RadialConstraint
unit_norm = UnitNorm
# names of Keras 1 that saved configs still use
maxnorm = MaxNorm
nonneg = NonNeg
unitnorm = UnitNorm

_KNOWN: dict[str, Any] = {
    "Constraint": Constraint, "MaxNorm": MaxNorm, "max_norm": MaxNorm, "maxnorm": MaxNorm, "MinMaxNorm": MinMaxNorm,
    "min_max_norm": MinMaxNorm, "NonNeg": NonNeg, "non_neg": NonNeg, "nonneg": NonNeg, "RadialConstraint": RadialConstraint,
    "radial_constraint": RadialConstraint, "UnitNorm": UnitNorm, "unit_norm": UnitNorm, "unitnorm": UnitNorm,
}  # fmt: skip


def serialize(constraint: Any, use_legacy_format: bool = False) -> Any:
    """The config of a constraint (`tf.keras.constraints.serialize`)."""
    if constraint is None:
        return None
    return serialize_legacy(constraint) if use_legacy_format else serialize_keras_object(constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None, use_legacy_format: bool = False) -> Any:
    """The constraint of a config or name (`tf.keras.constraints.deserialize`)."""
    return from_module(config, _KNOWN, custom_objects, "constraint", use_legacy_format)


def get(identifier: Any) -> Any:
    """A constraint from its name, config or itself (`tf.keras.constraints.get`). ValueError for anything else."""
    if identifier is None:
        return None
    if isinstance(identifier, (dict, str)):
        return deserialize(identifier, use_legacy_format="module" not in identifier)
    if callable(identifier):
        return identifier
    raise ValueError(f"Could not interpret constraint function identifier: {identifier}")
