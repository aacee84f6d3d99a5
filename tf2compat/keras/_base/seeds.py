"""Where Keras' random numbers come from: seeds of initializers and layers, drawn in Keras' order."""

from __future__ import annotations

import random
from typing import Any

from tf2compat._engine import state
from tf2compat.random import seeding

#: what `tf.keras.utils.set_random_seed` made; None before
_generator: random.Random | None = None
#: a generator for the global seed of that number of `tf.random.set_seed`
_of_global: tuple[int, random.Random] | None = None
_touched = False


def set_generator(seed: int) -> None:
    """Draw seeds from a generator of their own from now on."""
    global _generator
    _generator = random.Random(seed)


def draw() -> tuple[int, bool]:
    """A new seed, and whether a seed of the program decides it, so that TensorFlow's very numbers are expected.

    Keras asks the generator of `set_random_seed`, and else Python's own. When nobody has seeded that one but TensorFlow has a
    global seed, the seed follows from it, where Keras' would be unpredictable.
    """
    global _of_global, _touched
    if _generator is not None:
        return _generator.randint(1, 10**9), True
    _touched = _touched or random.getstate() != state.PYTHON_RANDOM
    if _touched:
        return random.randint(1, 10**9), True
    number = seeding.global_seed()
    if number is None:
        return random.SystemRandom().randint(1, 10**9), False
    epoch = seeding.epoch()
    if _of_global is None or _of_global[0] != epoch:
        _of_global = (epoch, random.Random(number))
    return _of_global[1].randint(1, 10**9), False


def next_stream(own: dict[str, Any], kind: str, dtype: Any) -> seeding.Stream:
    """The stream of a layer's next random op; `own["_next_seed"]` counts up from the layer's seed, if it has one."""
    seed = own.get("_next_seed")
    if seed is not None:
        own["_next_seed"] = seed + 1
    return seeding.exact_stream(seed, (kind, dtype))
