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


class Words:
    """The 32-bit words of TensorFlow's Philox for a pair of seeds, one after the other."""

    def __init__(self, first: int, second: int) -> None:
        from ..random.seeding import ExactStream

        self._stream = ExactStream((first, second))
        self._ready: list[int] = []
        self.taken = 0

    def next(self) -> int:
        """The next word."""
        if not self._ready:
            from .._engine import philox

            self._ready = philox.words(*self._stream.take(256), 1024).tolist()[::-1]
        self.taken += 1
        return self._ready.pop()

    def skip(self, count: int) -> None:
        """Pass over words."""
        for _ in range(count):
            self.next()


class ExactPicks:
    """Which element of a buffer `shuffle` gives next, as TensorFlow draws it for a pair of seeds.

    TensorFlow's buffer is a ring. What is drawn leaves it, the ring's first element takes its place, and the next element is
    added at the end. Here places stay: the ring is a list of places, and what enters takes the place of what left.
    """

    def __init__(self, first: int, second: int) -> None:
        self._words = Words(first, second)
        self._ring: list[int] = []
        self._start = 0

    def _pick(self, size: int, ring: list[int]) -> int:
        at = (self._start + self._words.next() % size) % len(ring)
        place, ring[at] = ring[at], ring[self._start]
        ring[self._start] = place
        self._start = (self._start + 1) % len(ring)
        return place

    def integers(self, low: int, size: int, count: int | None = None) -> Any:
        """The place that the next element is drawn from, of a full buffer, or of the `count` next ones."""
        if len(self._ring) != size:
            self._ring, self._start = list(range(size)), 0
        if count is None:
            return self._pick(size, self._ring)
        return np.array([self._pick(size, self._ring) for _ in range(count)], dtype=np.int64)

    def permutation(self, size: int) -> Any:
        """The order in which the last elements leave a buffer into which nothing comes any more."""
        ring = self._ring if len(self._ring) == size else list(range(size))
        return np.array([self._pick(left, ring) for left in range(size, 0, -1)], dtype=np.int64)


def exact_seeds(seed: Any) -> tuple[int, int] | None:
    """The seeds that TensorFlow gives a stage; None when there are none."""
    from ..random.seeding import seeds_of

    first, second = seeds_of(None if seed is None else int(seed))
    if first is None and second is None:
        return None
    first, second = first or 0, second or 0
    return (first, 2**31 - 1) if first == 0 and second == 0 else (first, second)


class ExactRandom:
    """A shuffling stage whose picks are TensorFlow's; `_exact` are its seeds and the words that give each iteration its own."""

    _exact: tuple[tuple[int, int], Words] | None

    def _numbers(self) -> dict[str, Any]:
        if self._exact is None:
            return super()._numbers()  # type: ignore[misc]
        seeds, words = self._exact
        return {"seeds": list(seeds), "words": words.taken}

    def _go_on(self, numbers: dict[str, Any]) -> None:
        if "words" not in numbers:
            self._exact = None
            super()._go_on(numbers)  # type: ignore[misc]
            return
        first, second = (int(n) for n in numbers["seeds"])
        words = Words(first, second)
        words.skip(min(int(numbers["words"]), 2**20))
        self._exact = ((first, second), words)

    def _restart(self, seeds: list[int]) -> None:
        self._exact = None
        super()._restart(seeds)  # type: ignore[misc]

    def _picks(self, again: bool) -> ExactPicks:
        assert self._exact is not None
        seeds, words = self._exact
        return ExactPicks(words.next(), words.next()) if again else ExactPicks(*seeds)


class Random:
    """A stage with random numbers: the same in every iteration, or going on from one to the next. Iterators save its state."""

    _seed: int
    _again: bool
    _rng: np.random.Generator

    def _randomise(self, seed: int | None, again: bool) -> None:
        self._seed = secrets.randbits(63) if seed is None else seed
        self._again = again
        self._rng = np.random.default_rng(self._seed)

    def _numbers(self) -> dict[str, Any]:
        """What an iterator saves of the stage."""
        return self._rng.bit_generator.state

    def _go_on(self, numbers: dict[str, Any]) -> None:
        """Go on from what `_numbers` gave."""
        self._rng.bit_generator.state = numbers

    def _restart(self, seeds: list[int]) -> None:
        """Begin with other seeds."""
        self._rng = np.random.default_rng(seeds)

    def _saved_seeds(self) -> Any:
        """What a saved function keeps of `_exact`, beside `_seed`: a loaded pipeline begins with its seeds."""
        exact = getattr(self, "_exact", None)
        return None if exact is None else tuple(exact[0])

    def _begin(self, seeds: Any) -> None:
        """Begin with what `_saved_seeds` gave."""
        self._exact = None if seeds is None else (seeds, Words(*seeds))
        self._rng = np.random.default_rng(self._seed)

    def _generator(self) -> np.random.Generator:
        """The numbers of one iteration, which is not disturbed by others."""
        return np.random.default_rng(int(self._rng.integers(0, 2**63)) if self._again else self._seed)


def random_stages(dataset: Any) -> list[Random]:
    """The random stages of a pipeline, always in the same order."""
    found: list[Random] = [dataset] if isinstance(dataset, Random) else []
    for d in getattr(dataset, "_inputs", ()):  # a distributed one has none of its own
        found += random_stages(d)
    return found


def restart(dataset: Any) -> None:
    """What a new iterator finds: the random ops in the pipeline's functions begin anew, where seeds decide what they draw."""
    function = getattr(dataset, "_function", None)
    if function is not None and hasattr(function, "restart"):
        function.restart()
    for d in getattr(dataset, "_inputs", ()):
        restart(d)


def glance(dataset: Any) -> None:
    """What making an iterator and throwing it away leaves behind: stages with TensorFlow's numbers have drawn for it."""
    for stage in random_stages(dataset):
        if isinstance(stage, ExactRandom) and stage._exact is not None:
            stage._generator()
