"""`tf.keras.backend.experimental`: which random numbers Keras uses; always TensorFlow's generators here."""

from __future__ import annotations

__all__ = ["disable_tf_random_generator", "enable_tf_random_generator", "is_tf_random_generator_enabled"]


def is_tf_random_generator_enabled() -> bool:
    """Always true (`tf.keras.backend.experimental.is_tf_random_generator_enabled`)."""
    return True


def enable_tf_random_generator() -> None:
    """They are in use already (`tf.keras.backend.experimental.enable_tf_random_generator`)."""


def disable_tf_random_generator() -> None:
    """ValueError: there are no others (`tf.keras.backend.experimental.disable_tf_random_generator`)."""
    raise ValueError("tf2compat has only TensorFlow's random generators: they cannot be turned off.")
