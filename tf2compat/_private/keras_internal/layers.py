"""`tf.keras.__internal__.layers`."""

from __future__ import annotations

from typing import Any

from tf2compat.keras._base.layer import Layer
from tf2compat.keras._base.random_numbers import RandomGenerator

__all__ = ["BaseRandomLayer"]

class BaseRandomLayer(Layer):
    """Base of layers with random numbers of their own: `self._random_generator` gives them.

    Args:
      seed: where they begin; None for Keras' next seed.
      force_generator: whether a `tf.random.Generator` makes them.
      rng_type: 'stateful' (such a generator), 'stateless', or 'legacy_stateful' (ops with seeds that count on, the default).
    """

    def __init__(self, seed: int | None = None, force_generator: bool = False, rng_type: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.__dict__["_random_generator"] = RandomGenerator(seed, rng_type, force_generator)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self._random_generator._maybe_init()

    def get_config(self) -> dict[str, Any]:
        kind = self._random_generator._rng_type
        return super().get_config() | ({} if kind == "legacy_stateful" else {"rng_type": kind})
