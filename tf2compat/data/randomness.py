"""Random stages: their seeds, and the state that an iterator saves."""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np


def fresh_seed(seed: Any) -> int | None:
    """The seed of a stage: from its own and the global one (`tf.random.set_seed`), or None for the system's."""
    from ..random.seeding import seeds_of

    first, second = seeds_of(None if seed is None else int(seed))
    if first is None and second is None:
        return None
    return ((first or 0) % 2**32) << 32 | (second or 0) % 2**32


class Random:
    """A stage with random numbers: the same in every iteration, or going on from one to the next. Iterators save its state."""

    _seed: int
    _again: bool
    _rng: np.random.Generator

    def _randomise(self, seed: int | None, again: bool) -> None:
        self._seed = secrets.randbits(63) if seed is None else seed
        self._again = again
        self._rng = np.random.default_rng(self._seed)

    def _generator(self) -> np.random.Generator:
        """The numbers of one iteration, which is not disturbed by others."""
        return np.random.default_rng(int(self._rng.integers(0, 2**63)) if self._again else self._seed)


def random_stages(dataset: Any) -> list[Random]:
    """The random stages of a pipeline, always in the same order."""
    found: list[Random] = [dataset] if isinstance(dataset, Random) else []
    for d in dataset._inputs:
        found += random_stages(d)
    return found
