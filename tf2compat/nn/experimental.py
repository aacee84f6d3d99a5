"""`tf.nn.experimental`: dropout whose seed is an argument, and dropout from any source of uniform numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tf2compat as tf

from .._engine.tensor import Tensor

__all__ = ["general_dropout", "stateless_dropout"]


def stateless_dropout(
    x: Any, rate: Any, seed: Any, rng_alg: str = "auto_select", noise_shape: Any = None, name: str | None = None
) -> Tensor:
    """Dropout whose mask depends on `seed` [2] alone (`tf.nn.experimental.stateless_dropout`)."""

    def uniform(shape: Any, dtype: Any) -> Tensor:
        return tf.random.stateless_uniform(shape=shape, seed=seed, dtype=dtype, alg=rng_alg)

    return general_dropout(x, rate, uniform, noise_shape, name)


def general_dropout(
    x: Any, rate: Any, uniform_sampler: Callable[..., Tensor], noise_shape: Any = None, name: str | None = None
) -> Tensor:
    """Dropout with the numbers of [0, 1) that `uniform_sampler(shape=…, dtype=…)` gives (`tf.nn.experimental.general_dropout`).

    What is drawn below `rate` becomes zero; the rest is scaled by 1 / (1 - rate). ValueError when the rate is outside [0, 1) or x is
    no float.
    """
    if isinstance(rate, (int, float)) and not 0 <= rate < 1:
        raise ValueError(f"`rate` must be a scalar tensor or a float in the range [0, 1). Received: rate={rate}")
    x = tf.convert_to_tensor(x)
    if not x.dtype.is_floating:
        raise ValueError(f"`x.dtype` must be a floating point tensor as `x` will be scaled. Received: x_dtype={x.dtype}")
    if isinstance(rate, (int, float)) and rate == 0:
        return x
    rate = tf.convert_to_tensor(rate, x.dtype)
    whole = tf.shape(x)
    if noise_shape is not None and isinstance(noise_shape, (list, tuple)):
        noise_shape = [whole[i] if d is None else d for i, d in enumerate(noise_shape)]
    drawn = uniform_sampler(shape=whole if noise_shape is None else noise_shape, dtype=x.dtype)
    return tf.where(drawn >= rate, x * (1 / (1 - rate)), tf.zeros([], x.dtype))
