"""`tf.keras.backend.experimental`: which random numbers Keras' layers use."""

from __future__ import annotations

from .._base.random_numbers import Defaults

__all__ = ["disable_tf_random_generator", "enable_tf_random_generator", "is_tf_random_generator_enabled"]


def is_tf_random_generator_enabled() -> bool:
    """Whether layers have a `tf.random.Generator` each (`tf.keras.backend.experimental.is_tf_random_generator_enabled`)."""
    return Defaults.generators


def enable_tf_random_generator() -> None:
    """Give layers that are made from now on a `tf.random.Generator` each (`tf.keras.backend.experimental.enable_tf_random_generator`)."""
    Defaults.generators = True


def disable_tf_random_generator() -> None:
    """Give them ops with seeds that count on, as is the default (`tf.keras.backend.experimental.disable_tf_random_generator`)."""
    Defaults.generators = False
