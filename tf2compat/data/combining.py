"""Transformations that join several datasets: zip, concatenate, flat_map, interleave, sampling."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import errors
from .._engine import nest
from .._engine.convert import convert_to_tensor
from . import structure
from .dataset import INFINITE, UNKNOWN, Dataset
from .functions import Traced
from .randomness import Random, fresh_seed
from .stages import _Unary


def _datasets(value: Any) -> list[Any]:
    if isinstance(value, Dataset):
        return [value]
    if isinstance(value, list):
        raise TypeError(
            "Invalid input to `zip`. Inputs are expected to be (nested) structures of `tf.data.Dataset` objects. Python `list` is not "
            "supported and you should use `tuple` instead."
        )
    if structure.is_structure(value):
        return [d for child in nest.children(value) for d in _datasets(child)]
    raise TypeError(
        "Invalid input to `zip`. Inputs are expected to be (nested) structures of `tf.data.Dataset` objects but encountered object of type "
        f"{type(value)}."
    )


def _arranged(value: Any, rest: Iterator[Any]) -> Any:
    if isinstance(value, Dataset):
        return next(rest)
    return nest.rebuild(value, [_arranged(child, rest) for child in nest.children(value)])


class _ZipDataset(Dataset):
    def __init__(self, datasets: Any) -> None:
        self._inputs = tuple(_datasets(datasets))
        self._spec = _arranged(datasets, iter([d._spec for d in self._inputs]))

    def _cardinality(self) -> int:
        counts = [d._cardinality() for d in self._inputs]
        finite = [n for n in counts if n != INFINITE]
        if not finite:
            return INFINITE
        return UNKNOWN if UNKNOWN in finite else min(finite)

    def _components(self) -> Iterator[Any]:
        for parts in zip(*[d._components() for d in self._inputs], strict=False):
            yield [c for flat in parts for c in flat]


class _ConcatenateDataset(Dataset):
    def __init__(self, first: Dataset, second: Any) -> None:
        if not isinstance(second, Dataset):
            raise TypeError(f"concatenate expects a tf.data.Dataset, got {type(second)}")
        spec = structure.compatible(first._spec, second._spec)
        if spec is None:
            raise TypeError(f"Incompatible dataset elements:\n  {first._spec} vs.   {second._spec}")
        self._inputs = (first, second)
        self._spec = spec

    def _cardinality(self) -> int:
        a, b = (d._cardinality() for d in self._inputs)
        if INFINITE in (a, b):
            return INFINITE
        return UNKNOWN if UNKNOWN in (a, b) else a + b

    def _components(self) -> Iterator[Any]:
        for d in self._inputs:
            yield from d._components()


class _FlatMapDataset(_Unary):
    def __init__(self, source: Dataset, func: Callable[..., Any]) -> None:
        super().__init__(source)
        self._function = Traced(func, source._spec, "flat_map", returns_dataset=True)
        if not self._function.returns_dataset:
            raise TypeError(f"The `map_func` argument must return a `Dataset` object. Got {self._function.output_spec!r}.")
        self._spec = self._function.output_spec

    def _cardinality(self) -> int:
        return UNKNOWN

    def _components(self) -> Iterator[Any]:
        for flat in self._source._components():
            yield from self._function.value(flat)._components()


class _InterleaveDataset(_FlatMapDataset):
    def __init__(self, source: Dataset, func: Callable[..., Any], cycle_length: int, block_length: int) -> None:
        super().__init__(source, func)
        if cycle_length == -1:
            import os

            cycle_length = max(1, os.cpu_count() or 1)
        if cycle_length < 1:
            raise errors.InvalidArgumentError(None, None, "`cycle_length` must be greater than zero. [Op:InterleaveDataset] name: ")
        if block_length < 1:
            raise errors.InvalidArgumentError(None, None, "`block_length` must be greater than zero. [Op:InterleaveDataset] name: ")
        self._cycle, self._block = cycle_length, block_length

    def _components(self) -> Iterator[Any]:
        return _Interleaved(self)


class _Interleaved:
    """Elements of several datasets in turns. After one that fails, its dataset goes on in the same turn."""

    def __init__(self, stage: _InterleaveDataset) -> None:
        self._function, self._block = stage._function, stage._block
        self._inputs: Any = stage._source._components()
        self._slots: list[Any] = [None] * stage._cycle
        self._at = self._given = self._open = 0

    def __iter__(self) -> _Interleaved:
        return self

    def __next__(self) -> Any:
        slots = self._slots
        while True:
            at = self._at
            if slots[at] is None and self._inputs is not None:
                try:
                    slots[at] = self._function.value(next(self._inputs))._components()
                    self._open += 1
                except StopIteration:
                    self._inputs = None
            if slots[at] is not None:
                if self._given < self._block:
                    for flat in slots[at]:
                        self._given += 1
                        return flat
                    slots[at] = None
                    self._open -= 1
            elif self._inputs is None and not self._open:
                raise StopIteration
            self._given = 0
            self._at = (at + 1) % len(slots)


class _ParallelInterleaveDataset(_InterleaveDataset):
    """An interleave whose inputs may be read by several threads; the order is the same."""


class _DirectedInterleaveDataset(Dataset):
    def __init__(self, datasets: Any, choices: Callable[[], Iterator[int]], stop_on_empty: bool, inputs: tuple[Any, ...] = ()) -> None:
        datasets = list(datasets)
        if not datasets:
            raise ValueError("Invalid `datasets`. `datasets` should not be empty.")
        spec = datasets[0]._spec
        for d in datasets[1:]:
            joined = structure.compatible(spec, d._spec)
            if joined is None:
                raise TypeError(f"The element specs of the datasets are incompatible: {spec} vs. {d._spec}")
            spec = joined
        self._datasets = tuple(datasets)
        self._inputs = (*self._datasets, *inputs)
        self._chooser = frozenset(inputs)
        self._spec = spec
        self._choices = choices
        self._stop = stop_on_empty

    def _remade(self) -> None:
        if frozenset(self._inputs[len(self._datasets) :]) != self._chooser:
            raise errors.UnimplementedError(None, None, "what chooses between datasets, inside a tf.function, cannot be made of tensors of the function")

    def _cardinality(self) -> int:
        return INFINITE if all(d._cardinality() == INFINITE for d in self._datasets) else UNKNOWN

    def _components(self) -> Iterator[Any]:
        streams: list[Any] = [d._components() for d in self._datasets]
        for pick in self._choices():
            if not 0 <= pick < len(streams):
                raise errors.InvalidArgumentError(
                    None, None, f"Selector index out of range: {pick} >= {len(streams)} [Op:IteratorGetNext] name: "
                )
            if streams[pick] is None:
                continue
            try:
                yield next(streams[pick])
            except StopIteration:
                if self._stop:
                    return
                streams[pick] = None
                if all(s is None for s in streams):
                    return


def sample(datasets: Any, weights: Any, seed: int | None, stop_on_empty: bool, again: bool | None) -> Dataset:
    """`Dataset.sample_from_datasets`."""
    datasets = list(datasets)
    if weights is None:
        chances: Any = np.full(len(datasets), 1 / max(1, len(datasets)))
        stream = None
    elif isinstance(weights, Dataset):
        stream, chances = weights, None
    else:
        stream = None
        chances = np.asarray(convert_to_tensor(weights).numpy(), dtype=np.float64).reshape(-1)
        if len(chances) != len(datasets):
            raise ValueError(f"Invalid `weights`. The length of `weights` should be {len(datasets)}, got {len(chances)}")
        if (chances < 0).any() or chances.sum() <= 0:
            raise ValueError(f"Invalid `weights`: {chances.tolist()}")
        chances = chances / chances.sum()
    picker = _Picker(fresh_seed(seed), again is None or bool(again))

    def choices() -> Iterator[int]:
        rng = picker._generator()
        if stream is not None:
            for flat in stream._components():
                p = flat[0].double().numpy()
                yield int(rng.choice(len(datasets), p=p / p.sum()))
            return
        while True:
            yield from rng.choice(len(datasets), 256, p=chances).tolist()

    return _DirectedInterleaveDataset(datasets, choices, stop_on_empty, (picker,))


class _Picker(Dataset, Random):
    """The random choices of `sample_from_datasets`, as an input of the stage that follows them."""

    _spec = None

    def __init__(self, seed: int | None, again: bool) -> None:
        self._randomise(seed, again)


def choose(datasets: Any, choice_dataset: Any, stop_on_empty: bool) -> Dataset:
    """`Dataset.choose_from_datasets`."""
    from .._engine import dtypes
    from .dataset import is_scalar_spec

    if not isinstance(choice_dataset, Dataset) or not is_scalar_spec(choice_dataset._spec) or choice_dataset._spec.dtype is not dtypes.int64:
        raise TypeError(
            f"Invalid `choice_dataset`. Elements of `choice_dataset` must be scalar `tf.int64` tensors but are {getattr(choice_dataset, '_spec', choice_dataset)!r}."
        )
    return _DirectedInterleaveDataset(datasets, lambda: (int(flat[0]) for flat in choice_dataset._components()), stop_on_empty, (choice_dataset,))
