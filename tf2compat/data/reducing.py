"""Groups folded to one element each, and datasets padded to a size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .. import errors
from .._engine import dtypes
from .._engine.specs import TensorSpec
from . import structure
from .dataset import INFINITE, UNKNOWN, Dataset, is_scalar_spec
from .functions import Traced
from .stages import _stateful, _Unary


class Reducer:
    """How a group becomes one element: `init_func(key)`, `reduce_func(state, element)`, `finalize_func(state)`
    (`tf.data.experimental.Reducer`)."""

    def __init__(self, init_func: Any, reduce_func: Any, finalize_func: Any) -> None:
        self._init_func, self._reduce_func, self._finalize_func = init_func, reduce_func, finalize_func

    @property
    def init_func(self) -> Any:
        return self._init_func

    @property
    def reduce_func(self) -> Any:
        return self._reduce_func

    @property
    def finalize_func(self) -> Any:
        return self._finalize_func


class _GroupByReducerDataset(_Unary):
    def __init__(self, source: Dataset, key_func: Any, reducer: Reducer) -> None:
        super().__init__(source)
        self._key = Traced(key_func, source._spec, "group_by_reducer")
        spec = self._key.output_spec
        if not is_scalar_spec(spec) or spec.dtype is not dtypes.int64:
            raise ValueError(f"Invalid `key_func`. `key_func` must return a single `tf.int64` tensor of scalar shape but its return type is {spec!r}.")
        self._init = Traced(reducer.init_func, TensorSpec([], dtypes.int64), "group_by_reducer")
        start = structure.pack(self._init.output_spec, [_example(s) for s in structure.leaves(self._init.output_spec)])
        self._reduce, state, _ = _stateful(reducer.reduce_func, start, source._spec, "reduce")
        self._finish = Traced(reducer.finalize_func, (state,) if not isinstance(state, tuple) else state, "group_by_reducer")
        self._spec = self._finish.output_spec

    def _cardinality(self) -> int:
        n = self._source._cardinality()
        return n if n == INFINITE else UNKNOWN

    def _components(self) -> Iterator[Any]:
        from .._engine.convert import convert_to_tensor

        states: dict[int, list[Any]] = {}
        for flat in self._source._components():
            key = int(self._key(flat)[0])
            if key not in states:
                states[key] = list(self._init([structure.component(convert_to_tensor(key, dtypes.int64))]))
            states[key] = list(self._reduce([*states[key], *flat]))
        for key in sorted(states):
            yield list(self._finish(states[key]))


def _example(spec: Any) -> Any:
    """A value of a spec, of which only the spec is looked at."""
    from .. import zeros

    if type(spec) is not TensorSpec:
        raise TypeError(f"The state of a Reducer must be of dense tensors, got {spec!r}")
    return zeros([0 if d is None else d for d in spec.shape], spec.dtype)


def group_by_reducer(key_func: Any, reducer: Reducer) -> Callable[[Dataset], Dataset]:
    """A transformation that folds the elements of each int64 key to one, in the order of keys (`tf.data.experimental.group_by_reducer`)."""
    if not isinstance(reducer, Reducer):
        raise TypeError(f"Invalid `reducer`: expected a tf.data.experimental.Reducer, got {type(reducer)}")
    return lambda dataset: _GroupByReducerDataset(dataset, key_func, reducer)


def pad_to_cardinality(cardinality: Any, mask_key: str = "valid") -> Callable[[Dataset], Dataset]:
    """A transformation that pads a dataset of dicts with zeros to a number of elements, which `mask_key` tells apart
    (`tf.data.experimental.pad_to_cardinality`)."""

    def apply(dataset: Dataset) -> Dataset:
        import tf2compat as tf

        n = dataset._cardinality()
        wanted = int(cardinality)
        if n == UNKNOWN:
            raise ValueError(f"The dataset passed into `pad_to_cardinality` must have a known cardinalty, but has cardinality {n}")
        if n == INFINITE:
            raise ValueError(f"The dataset passed into `pad_to_cardinality` must have a finite cardinalty, but has cardinality {n}")
        if n > wanted:
            raise ValueError(f"The dataset passed into `pad_to_cardinality` must have a cardinalty less than the target cardinality ({wanted}), but has cardinality {n}")
        spec = dataset.element_spec
        if not isinstance(spec, dict):
            raise ValueError(f"`pad_to_cardinality` requires its input dataset to be a dictionary, got {spec}")
        if n == 0:
            raise errors.InvalidArgumentError(None, None, "pad_to_cardinality: an empty dataset has no element whose shape padding could take")

        def valid(element: Any) -> Any:
            return {**element, mask_key: tf.constant(True)}

        def padding(element: Any) -> Any:
            zeros = structure.map_leaves(tf.zeros_like, element)
            return {**zeros, mask_key: tf.constant(False)}

        filler = dataset.take(1).map(padding).repeat(wanted - n)
        return dataset.map(valid).concatenate(filler)

    return apply
