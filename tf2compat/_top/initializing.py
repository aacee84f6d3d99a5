"""The initializers directly under `tf`: objects that make a tensor for a shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._engine import dtypes
from .._engine.dtypes import as_dtype
from .._engine.tensor import Tensor


class Initializer:
    """Makes the first value of a variable: `initializer(shape, dtype)`."""

    #: the keyword arguments of a call beside shape and dtype: the part of a partitioned variable
    _PARTITION = ("partition_shape", "partition_offset")

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        raise NotImplementedError

    def _shape(self, shape: Any, kwargs: dict[str, Any]) -> Any:
        """The shape asked for, which for a part of a variable is the part's."""
        for name in kwargs:
            if name not in self._PARTITION:
                raise TypeError(f"Keyword argument should be one of {list(self._PARTITION)}. Received: {name}")
        part = kwargs.get("partition_shape")
        return shape if part is None else part

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """An initializer from `get_config`'s result."""
        config = dict(config)
        config.pop("dtype", None)
        return cls(**config)


class zeros_initializer(Initializer):  # noqa: N801 - TensorFlow's public name
    """Zeros (`tf.zeros_initializer`). ValueError for dtypes that are neither numbers nor bool."""

    def __call__(self, shape: Any, dtype: Any = dtypes.float32, **kwargs: Any) -> Tensor:
        from .creation import zeros

        return zeros(self._shape(shape, kwargs), _numeric(dtype))


class ones_initializer(Initializer):  # noqa: N801 - TensorFlow's public name
    """Ones (`tf.ones_initializer`). ValueError for dtypes that are neither numbers nor bool."""

    def __call__(self, shape: Any, dtype: Any = dtypes.float32, **kwargs: Any) -> Tensor:
        from .creation import ones

        return ones(self._shape(shape, kwargs), _numeric(dtype))


def _numeric(dtype: Any) -> Any:
    found = as_dtype(dtype)
    if found is dtypes.string or (not found.is_numeric and not found.is_bool):
        raise ValueError(f"Argument `dtype` expected to be numeric or boolean. Received {found!s}.")
    return found


class constant_initializer(Initializer):  # noqa: N801 - TensorFlow's public name
    """A fixed value, a number or a list or array of the shape's size (`tf.constant_initializer`)."""

    def __init__(self, value: Any = 0, support_partition: bool = False) -> None:
        if not (np.isscalar(value) or isinstance(value, (list, tuple, np.ndarray))):
            raise TypeError(
                f"Invalid type for initial value: {type(value).__name__}. Expected Python scalar, list or tuple of "
                "values, or numpy.ndarray."
            )
        self.value = value
        self.support_partition = support_partition

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        from .creation import constant

        part = self._shape(shape, kwargs)
        if part is not shape and not self.support_partition:
            raise ValueError("Constant initializer doesn't support partition-related arguments")
        return constant(self.value, None if dtype is None else as_dtype(dtype), part)

    def get_config(self) -> dict[str, Any]:
        return {"value": self.value}


class random_uniform_initializer(Initializer):  # noqa: N801 - TensorFlow's public name
    """Numbers of [minval, maxval), evenly distributed (`tf.random_uniform_initializer`)."""

    def __init__(self, minval: Any = -0.05, maxval: Any = 0.05, seed: Any = None) -> None:
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def __call__(self, shape: Any, dtype: Any = dtypes.float32, **kwargs: Any) -> Tensor:
        from ..random import stateless_uniform, uniform

        found = as_dtype(dtype)
        if not found.is_floating and not found.is_integer:
            raise ValueError(f"Argument `dtype` expected to be numeric or boolean. Received {found!s}.")
        if self.seed:  # the same numbers at every call
            return stateless_uniform(self._shape(shape, kwargs), [self.seed, 0], self.minval, self.maxval, found)
        return uniform(self._shape(shape, kwargs), self.minval, self.maxval, found)

    def get_config(self) -> dict[str, Any]:
        return {"minval": self.minval, "maxval": self.maxval, "seed": self.seed}


class random_normal_initializer(Initializer):  # noqa: N801 - TensorFlow's public name
    """Normally distributed numbers (`tf.random_normal_initializer`)."""

    def __init__(self, mean: Any = 0.0, stddev: Any = 0.05, seed: Any = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def __call__(self, shape: Any, dtype: Any = dtypes.float32, **kwargs: Any) -> Tensor:
        from ..random import normal, stateless_normal

        found = as_dtype(dtype)
        if not found.is_floating:
            raise ValueError(f"Argument `dtype` is expected to be floating point. Received: {found!s}.")
        if self.seed:  # the same numbers at every call
            return stateless_normal(self._shape(shape, kwargs), [self.seed, 0], self.mean, self.stddev, found)
        return normal(self._shape(shape, kwargs), self.mean, self.stddev, found)

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed}
