"""Keras' process-wide settings and state: dtypes, epsilon, names, learning phase."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .._base import naming
from .._base.config import settings
from .._base.context import calling


def backend() -> str:
    """Always "tensorflow" (`tf.keras.backend.backend`)."""
    return "tensorflow"


def floatx() -> str:
    """The default float dtype's name (`tf.keras.backend.floatx`)."""
    return settings.floatx


def set_floatx(value: str) -> None:
    """Set the default float dtype: float16, float32 or float64 (`tf.keras.backend.set_floatx`)."""
    if value not in ("float16", "float32", "float64"):
        raise ValueError(f"Unknown `floatx` value: {value}. Expected values are {{'float16', 'float32', 'float64'}}")
    settings.floatx = str(value)


def epsilon() -> float:
    """The small number that Keras adds where it divides (`tf.keras.backend.epsilon`)."""
    return settings.epsilon


def set_epsilon(value: float) -> None:
    """Set that number (`tf.keras.backend.set_epsilon`)."""
    settings.epsilon = value


def image_data_format() -> str:
    """`channels_last` or `channels_first` (`tf.keras.backend.image_data_format`)."""
    return settings.image_data_format


def set_image_data_format(data_format: str) -> None:
    """Set the order of image axes (`tf.keras.backend.set_image_data_format`). ValueError for an unknown one."""
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(f"Unknown `data_format`: {data_format}. Expected values are {{'channels_first', 'channels_last'}}")
    settings.image_data_format = data_format


def cast_to_floatx(x: Any) -> Any:
    """An array or tensor as `floatx` (`tf.keras.backend.cast_to_floatx`)."""
    import tf2compat as tf

    if tf.is_tensor(x) or isinstance(x, tf.Variable):
        return tf.cast(x, settings.floatx)
    return np.asarray(x, dtype=settings.floatx)


def clear_session() -> None:
    """Forget the names given so far and the learning phase (`tf.keras.backend.clear_session`)."""
    naming.reset()
    calling.phase = None
    calling.lossy = False
    calling.depth = 0


def reset_uids() -> None:
    """Forget the names given so far (`tf.keras.backend.reset_uids`)."""
    naming.reset()


def get_uid(prefix: str = "") -> int:
    """1, 2, … for each call with a prefix (`tf.keras.backend.get_uid`)."""
    return int(naming.unique(f"uid {prefix}", zero_based=False).rpartition("_")[2])


def learning_phase() -> int:
    """1 while training, 0 otherwise (`tf.keras.backend.learning_phase`)."""
    if calling.training is not None:
        return int(bool(calling.training))
    return int(calling.phase or 0)


def _of_the_past(name: str) -> None:
    warnings.warn(
        f"`tf.keras.backend.{name}` is deprecated and will be removed after 2020-10-11. To update it, simply pass a True/False value to the "
        "`training` argument of the `__call__` method of your layer or model.",
        stacklevel=3,
    )


def set_learning_phase(value: Any) -> None:
    """Set the phase of layers that are not told otherwise: 0 or 1 (`tf.keras.backend.set_learning_phase`)."""
    _of_the_past("set_learning_phase")
    if value not in (0, 1):
        raise ValueError("Expected learning phase to be 0 or 1.")
    calling.phase = bool(value)


def learning_phase_scope(value: Any) -> Any:
    """The learning phase of a block (`tf.keras.backend.learning_phase_scope`)."""
    _of_the_past("learning_phase_scope")
    return _phase(value)


@contextmanager
def _phase(value: Any) -> Iterator[None]:
    if value not in (0, 1):
        raise ValueError("Expected learning phase to be 0 or 1.")
    before, calling.phase = calling.phase, bool(value)
    try:
        yield
    finally:
        calling.phase = before


def manual_variable_initialization(value: bool) -> None:
    """Variables are always initialised when made; True raises (`tf.keras.backend.manual_variable_initialization`)."""
    if value:
        raise ValueError("Variables are initialised when they are made: there is no manual initialisation in TensorFlow 2.")
