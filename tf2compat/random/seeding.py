"""Seeds and the streams of random numbers that they begin.

As in TensorFlow, a global seed and an op's own seed together choose a stream; each use goes on where the last one
stopped, and `set_seed` starts all streams anew. A traced op has a stream of its own. On a CPU, the uniform and normal numbers
and the shuffles that a seed decides are TensorFlow's own.
"""

from __future__ import annotations

import random as _python_random
import threading
from typing import Any

import torch

from .._engine import state
from .._engine.devices import current
from .._engine.tensor import Tensor

#: what TensorFlow puts in the place of a global seed that is not set
_DEFAULT_SEED = 87654321
_MASK = 2**63 - 1
_MAX = 2**31 - 1

_lock = threading.Lock()
_global_seed: int | None = None
_python: _python_random.Random | None = None
_epoch = 0
_streams: dict[Any, Stream] = {}
#: how many streams of seeded ops are remembered
_MOST = 1 << 16


class _InRows(threading.local):
    """Whether `tf.vectorized_map` runs a function for all rows at once, and whether that drew numbers that a seed decides: each row has its own,
    so rows are taken one by one then."""

    active = False
    refused = False

    def ask(self) -> None:
        """An error where all rows would be given the same numbers."""
        if self.active:
            self.refused = True
            raise NotImplementedError("Each row has numbers of its own.")


in_rows = _InRows()


class Stream:
    """One sequence of random numbers: a pair of seeds (None: unpredictable) and a generator for each device."""

    __slots__ = ("seeds", "_generators", "_epoch")

    def __init__(self, seeds: tuple[int, int] | None) -> None:
        self.seeds = seeds
        self._generators: dict[torch.device, torch.Generator] = {}
        self._epoch = _epoch

    def generator(self, device: torch.device) -> torch.Generator | None:
        """The torch generator for `device`; None, torch's own, for tensors without values (shape inference)."""
        if device.type == "meta":
            return None
        if self._epoch != _epoch and self.seeds is not None:
            self._generators.clear()
            self._epoch = _epoch
        found = self._generators.get(device)
        if found is None:
            found = torch.Generator(device)
            if self.seeds is None:
                found.seed()
            else:
                a, b = self.seeds
                found.manual_seed((a * 0x9E3779B97F4A7C15 + b * 0xBF58476D1CE4E5B9 + 0x94D049BB133111EB) & _MASK)
            self._generators[device] = found
        return found

    def restart(self) -> None:
        """Go back to the first number, where seeds decide it."""
        self._generators = {} if self.seeds is not None else self._generators

    def here(self) -> torch.Generator | None:
        """The generator of the device on which ops run now."""
        return self.generator(current())

    def __reduce__(self) -> Any:
        return Stream, (self.seeds,)


class ExactStream(Stream):
    """The numbers that TensorFlow gives on a CPU for a pair of seeds; other devices have a generator each."""

    __slots__ = ("_block",)

    def __init__(self, seeds: tuple[int, int]) -> None:
        super().__init__(seeds)
        self._block = 0

    def take(self, blocks: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Philox' key and counter words here; the next call goes on `blocks` blocks further."""
        in_rows.ask()
        if self._epoch != _epoch:
            self._block, self._epoch = 0, _epoch
        a, b = (s & (2**64 - 1) for s in self.seeds)  # type: ignore[union-attr]
        counter = (self._block + (b << 64)) & (2**128 - 1)
        self._block += blocks
        words = [(counter >> shift) & 0xFFFFFFFF for shift in (0, 32, 64, 96)]
        return torch.tensor([a & 0xFFFFFFFF, a >> 32]), torch.tensor(words)

    def restart(self) -> None:
        super().restart()
        self._block = 0

    def __reduce__(self) -> Any:
        return ExactStream, (self.seeds,)


_unseeded = Stream(None)
_ordered: Stream | None = None


def set_seed(seed: int | None) -> None:
    """Set the global seed and start all streams anew; None makes them unpredictable again (`tf.random.set_seed`)."""
    global _global_seed, _python, _epoch, _ordered
    number = None if seed is None else int(seed)
    with _lock:
        _global_seed = number
        _python = None if number is None else _python_random.Random(number)
        _epoch += 1
        _streams.clear()
        _ordered = None if number is None else Stream((number, 0))


def epoch() -> int:
    """How often the global seed was set."""
    return _epoch


def global_seed() -> int | None:
    return _global_seed


def stream(seed: Any) -> Stream:
    """The stream for an op with the given seed, at this place of the program."""
    graph = state.local.graph
    if graph is not None:
        return _traced(graph, seed)
    if seed is None:
        return _unseeded if _ordered is None else _ordered
    key = (_DEFAULT_SEED if _global_seed is None else _global_seed, _number(seed))
    with _lock:
        found = _streams.get(key)
        if found is None:
            found = _streams[key] = Stream(key)
    return found


def exact_stream(seed: Any, kind: Any) -> Stream:
    """The stream of an op that can give TensorFlow's own numbers; `kind` tells apart what TensorFlow has kernels of its own for.

    Without any seed an ordinary stream.
    """
    if seed is None and _global_seed is None:
        return stream(seed)
    graph = state.local.graph
    pair = seeds_of(seed) if graph is None else (_traced_seeds(graph, seed) or (0, 0))
    first, second = (s % _MAX for s in pair)  # type: ignore[operator]
    if first == 0 and second == 0:
        second = _MAX
    if graph is not None:
        return ExactStream((first, second))
    if seed is None:
        return ExactStream((first, second))
    key = (kind, first, second)
    if len(_streams) > _MOST:
        with _lock:
            _streams.pop(next(iter(_streams)), None)
    with _lock:
        found = _streams.get(key)
        if found is None:
            found = _streams[key] = ExactStream((first, second))
    return found


def seed_given(used: Stream) -> int | None:
    """The seed of the op that a stream was made for; None where it had none of its own."""
    if used.seeds is None or not any(s is used for s in _streams.values()):
        return None
    return used.seeds[1]


def first_of_graph(before: int = 0) -> Stream:
    """A new stream with the numbers of the first op without a seed in a graph of its own, or of one with some such ops before it."""
    if _global_seed is None:
        return Stream(None)
    first = _global_seed % _MAX
    return ExactStream((first, before if first or before else _MAX))


def _traced(graph: Any, seed: Any) -> Stream:
    """A new stream for one op of a graph."""
    return Stream(_traced_seeds(graph, seed))


def _traced_seeds(graph: Any, seed: Any) -> tuple[int, int] | None:
    """The seeds of an op of a graph; with a global seed, an op without its own takes the count of such ops before it."""
    if seed is not None:
        return _DEFAULT_SEED if _global_seed is None else _global_seed, _number(seed)
    if _global_seed is None:
        return None
    count = getattr(graph, "unseeded", 0)
    graph.unseeded = count + 1
    return _global_seed, count


def _number(seed: Any) -> int:
    """An op's seed, which is known when the op is made; libraries tell by this error that a function takes no pair of seeds."""
    if isinstance(seed, Tensor) and (state.local.graph is not None or seed.shape.rank != 0):
        raise TypeError(f"Expected int for argument 'seed2' not {seed!r}.")
    return int(seed)


def fresh_seed() -> int:
    """A number to seed something with, drawn so that the global seed decides it."""
    if _python is not None:
        with _lock:
            return _python.randint(0, 2**31 - 1)
    return _python_random.SystemRandom().randint(0, 2**31 - 1)


def seeds_of(seed: Any) -> tuple[int | None, int | None]:
    """The pair (global, op) that TensorFlow gives its random ops."""
    if _global_seed is not None:
        return _global_seed, fresh_seed() if seed is None else _number(seed)
    return (None, None) if seed is None else (_DEFAULT_SEED, _number(seed))
