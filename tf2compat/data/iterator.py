"""Iterators over datasets."""

from __future__ import annotations

import collections.abc
import copy
import json
from typing import Any

import numpy as np

from .. import errors
from .._engine import nest, state
from .._engine.devices import accelerated, hosted
from .._engine.specs import TypeSpec
from .._engine.tensor import Tensor
from .._engine.trackable import Trackable
from . import structure
from .randomness import random_stages, restart

_next_on_host = hosted(next)


class Iterator(collections.abc.Iterator):
    """Elements of a `tf.data.Dataset`, one after the other (`tf.data.Iterator`)."""

    @property
    def element_spec(self) -> Any:
        raise NotImplementedError("Iterator.element_spec")

    def get_next(self) -> Any:
        """The next element; OutOfRangeError when there is none."""
        raise NotImplementedError("Iterator.get_next")

    def get_next_as_optional(self) -> Any:
        raise NotImplementedError("Iterator.get_next_as_optional")


class OwnedIterator(Iterator, Trackable):
    """What `iter(dataset)` gives. Its position is part of a checkpoint: restoring skips to it."""

    def __init__(self, dataset: Any = None, components: Any = None, element_spec: Any = None) -> None:
        if dataset is None:
            raise ValueError("When `dataset` is not provided, tf2compat cannot make an iterator")
        self._dataset = dataset
        self._spec = dataset.element_spec
        restart(dataset)
        self._random = [(stage._seed, stage._numbers()) for stage in random_stages(dataset)]
        self._flat = dataset._components()
        self._position = 0

    @property
    def element_spec(self) -> Any:
        return self._spec

    @property
    def _type_spec(self) -> IteratorSpec:
        return IteratorSpec(self._spec)

    def __iter__(self) -> OwnedIterator:
        return self

    def __next__(self) -> Any:
        flat = next(self._flat) if not accelerated() else _next_on_host(self._flat)
        self._position += 1
        return structure.element(self._spec, flat)

    next = __next__

    def get_next(self) -> Any:
        if state.local.graph is not None:
            from .._engine.control import get_next

            return get_next(self)
        try:
            return self.__next__()
        except StopIteration:
            raise errors.OutOfRangeError(None, None, "End of sequence [Op:IteratorGetNext] name: ") from None

    def get_next_as_optional(self) -> Any:
        from ..experimental import Optional

        if state.local.graph is not None:
            from .._engine.control import get_next_as_optional

            return get_next_as_optional(self)
        try:
            return Optional.from_value(self.__next__())
        except StopIteration:
            return Optional.empty(self._spec)

    def _serialize_to_tensors(self) -> dict[str, Any]:
        state = np.empty((), dtype=object)
        state[()] = json.dumps({"position": self._position, "random": self._random}).encode()
        return {"ITERATOR_STATE": state}

    def _restore_from_tensors(self, restored_tensors: Any) -> None:
        found = restored_tensors["ITERATOR_STATE"]
        value = np.asarray(found.numpy() if hasattr(found, "numpy") else found, dtype=object).reshape(-1)
        try:
            state = json.loads(value[0])
            if isinstance(state, int):
                state = {"position": state, "random": []}
            position, random = int(state["position"]), [(int(seed), dict(numbers)) for seed, numbers in state["random"]]
            stages = random_stages(self._dataset)
            if random and len(random) != len(stages):
                raise ValueError(f"{len(random)} random stages were saved, the pipeline has {len(stages)}")
            for stage, (seed, numbers) in zip(stages, random, strict=False):
                stage._seed = seed
                stage._go_on(numbers)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise errors.InvalidArgumentError(
                None, None, f"The saved state of an iterator is not that of such a pipeline in tf2compat; its position cannot be restored ({error})"
            ) from error
        self._random = random or self._random
        at, rest = skipped(self._dataset, position)
        self._flat = at._components()
        for _ in range(rest):
            next(self._flat, None)
        self._position = position


class StagedIterator(Iterator):
    """What `iter(dataset)` gives inside a function that is being traced: each run of the function begins one."""

    def __init__(self, dataset: Any) -> None:
        from .._engine.control import make_iterator

        self._spec = dataset.element_spec
        self._handle = make_iterator(dataset)

    @property
    def element_spec(self) -> Any:
        return self._spec

    @property
    def _type_spec(self) -> IteratorSpec:
        return IteratorSpec(self._spec)

    def __iter__(self) -> StagedIterator:
        return self

    def __next__(self) -> Any:
        from .._engine.control import get_next

        return get_next(self)

    next = get_next = __next__

    def get_next_as_optional(self) -> Any:
        from .._engine.control import get_next_as_optional

        return get_next_as_optional(self)


def skipped(dataset: Any, count: int) -> tuple[Any, int]:
    """A pipeline that begins with a later element, and how many more are to be dropped. Stages with one element out for one in,
    and batches, begin later themselves."""
    from .batching import _BatchDataset
    from .stages import _MapDataset, _OptionsDataset
    from .threads import _PrefetchDataset

    if not count:
        return dataset, 0
    if dataset._indexed() is not None:
        return dataset.skip(count), 0
    size = dataset._size if isinstance(dataset, _BatchDataset) else 1
    if not isinstance(dataset, (_BatchDataset, _MapDataset, _OptionsDataset, _PrefetchDataset)):
        return dataset, count
    source, rest = skipped(dataset._source, count * size)
    if rest % size:
        return dataset, count
    made = copy.copy(dataset)
    made._source, made._inputs = source, (source,)
    return made, rest // size


class NumpyIterator(collections.abc.Iterator):
    """Elements as NumPy values (`tf.data.NumpyIterator`)."""

    def __init__(self, dataset: Any) -> None:
        self._iterator = iter(dataset)

    def __iter__(self) -> NumpyIterator:
        return self

    def __next__(self) -> Any:
        return structure.map_leaves(_numpy, next(self._iterator))

    def next(self) -> Any:
        return self.__next__()

    def __repr__(self) -> str:
        return f"NumpyIterator(iterator={self._iterator})"


def _numpy(value: Any) -> Any:
    if isinstance(value, Tensor):
        out = value.numpy()
        if isinstance(out, np.ndarray):
            out.flags.writeable = False
        return out
    if hasattr(value, "_numpy_value"):
        return value._numpy_value()
    if hasattr(value, "as_numpy_iterator"):
        return value.as_numpy_iterator()
    if nest.is_nested(value):
        return nest.map_structure(_numpy, value)
    return value


class IteratorSpec(TypeSpec):
    """The spec of an iterator (`tf.data.IteratorSpec`)."""

    def __init__(self, element_spec: Any) -> None:
        self._element_spec = element_spec

    @property
    def element_spec(self) -> Any:
        return self._element_spec

    @property
    def value_type(self) -> type:
        return OwnedIterator

    def _serialize(self) -> tuple[Any, ...]:
        return (self._element_spec,)
