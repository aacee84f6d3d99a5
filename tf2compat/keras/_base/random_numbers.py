"""The random numbers of a layer, of the kind that `rng_type` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tf2compat as tf

from . import seeds

_KINDS = ("stateful", "stateless", "legacy_stateful")


class Defaults:
    """What `tf.keras.backend.experimental.enable_tf_random_generator` decides: whether layers that do not say it have generators."""

    generators = False


class RandomGenerator:
    """The random numbers of a layer: ops that count on from its seed, a `tf.random.Generator`, or stateless ops with one seed."""

    def __init__(self, seed: int | None = None, rng_type: str | None = None, force_generator: bool = False) -> None:
        if rng_type is not None and rng_type not in _KINDS:
            raise ValueError(
                'Invalid `rng_type` received. Valid `rng_type` are ["stateless", "stateful", "legacy_stateful"]. ' f"Got: {rng_type}"
            )
        self._seed = seed
        self._rng_type = "stateful" if force_generator else rng_type or ("stateful" if Defaults.generators else "legacy_stateful")
        self._generator: Any = None
        self._built = False

    def _maybe_init(self) -> None:
        if self._built:
            return
        self._built = True
        if self._rng_type != "legacy_stateful" and self._seed is None:
            self._seed = seeds.draw()[0]
        if self._rng_type == "stateful":
            with tf.init_scope():
                self._generator = tf.random.Generator.from_seed(self._seed, alg="auto_select")

    def make_seed_for_stateless_op(self) -> Any:
        """A seed of two numbers for a stateless op; None where the numbers come from ops that count."""
        self._maybe_init()
        if self._rng_type == "stateless":
            return [self._seed, 0]
        return self._generator.make_seeds()[:, 0] if self._rng_type == "stateful" else None

    def make_legacy_seed(self) -> int | None:
        """The layer's seed, which then counts on; None without one."""
        seed = self._seed
        if seed is not None:
            self._seed = seed + 1
        return seed

    def _folded(self, nonce: int | None) -> Any:
        seed = self.make_seed_for_stateless_op()
        return tf.random.experimental.stateless_fold_in(seed, nonce) if nonce else seed

    def random_normal(self, shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, nonce: int | None = None) -> Any:
        """Normal numbers; `nonce` makes others of a stateless seed."""
        return self._draw("normal", nonce, shape, mean, stddev, dtype=dtype)

    def random_uniform(self, shape: Any, minval: float = 0.0, maxval: float | None = None, dtype: Any = None, nonce: int | None = None) -> Any:
        """Numbers from `minval` up to `maxval`."""
        dtype = tf.as_dtype(dtype or tf.keras.backend.floatx())
        return self._draw("uniform", nonce, shape, minval, 1.0 if maxval is None and dtype.is_floating else maxval, dtype=dtype)

    def truncated_normal(self, shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, nonce: int | None = None) -> Any:
        """Normal numbers within two standard deviations."""
        return self._draw("truncated_normal", nonce, shape, mean, stddev, dtype=dtype)

    def _draw(self, kind: str, nonce: int | None, *args: Any, dtype: Any) -> Any:
        self._maybe_init()
        dtype = dtype or tf.keras.backend.floatx()
        if self._rng_type == "stateful":
            return getattr(self._generator, kind)(*args, dtype=dtype)
        if self._rng_type == "stateless":
            shape, *rest = args
            return getattr(tf.random, f"stateless_{kind}")(shape, self._folded(nonce), *rest, dtype=dtype)
        return getattr(tf.random, kind)(*args, dtype=dtype, seed=self.make_legacy_seed())

    def dropout(self, inputs: Any, rate: Any, noise_shape: Any = None) -> Any:
        """`inputs` with a share of zeros, as `tf.nn.dropout`."""
        self._maybe_init()
        if self._rng_type == "stateful":
            return tf.nn.experimental.general_dropout(inputs, rate=rate, noise_shape=noise_shape, uniform_sampler=self._generator.uniform)
        if self._rng_type == "stateless":
            return tf.nn.experimental.stateless_dropout(inputs, rate=rate, noise_shape=noise_shape, seed=self.make_seed_for_stateless_op())
        return tf.nn.dropout(inputs, rate=rate, noise_shape=noise_shape, seed=self.make_legacy_seed())


def numbers_of(seed: Any, rng_type: str | None = None, force_generator: bool = False) -> RandomGenerator | None:
    """A layer's own generator; None where ops with seeds that count on make its numbers. ValueError for another `rng_type`."""
    made = RandomGenerator(seed, rng_type, force_generator)
    return None if made._rng_type == "legacy_stateful" else made


class OwnNumbers:
    """A layer that may have a generator: functions in a SavedModel go on with its state, checkpoints do not have it."""

    @property
    def _random_generator(self) -> RandomGenerator:
        """What Keras' layers draw by, for programs whose layers inherit from them and draw themselves."""
        d = self.__dict__
        found = d.get("_numbers")
        if found is None:
            found = d.get("_counting")
            if found is None:
                found = d["_counting"] = RandomGenerator(d.get("_next_seed"), "legacy_stateful")
        return found

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> Mapping[str, Any]:
        found = super()._trackable_children(save_type, **kwargs)  # type: ignore[misc]
        generator = getattr(self.__dict__.get("_numbers"), "_generator", None)
        return {**found, "_random_generator": generator} if save_type == "savedmodel" and generator is not None else found


def kind_of(numbers: RandomGenerator | None) -> dict[str, str]:
    """What a layer's configuration says of its random numbers."""
    return {} if numbers is None else {"rng_type": numbers._rng_type}
