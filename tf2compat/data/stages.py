"""Transformations that take one dataset, element by element."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tf2compat._engine.logs import get_logger

from .. import errors
from .._engine import dtypes, state
from .._engine.devices import hosted
from .._engine.specs import TensorSpec
from . import structure
from .blocks import Chosen, Elements, Limited, Mapped, Repeated, Shuffled
from .dataset import INFINITE, UNKNOWN, Dataset, Unknown, is_scalar_spec
from .functions import Traced
from .indexed import shuffled
from .options import Options
from .randomness import ExactRandom, Random, Words, exact_seeds
from .vectorise import Vectorised, vectorised


class _Unary(Dataset):
    """A stage on one dataset that keeps its spec."""

    def __init__(self, source: Dataset) -> None:
        self._source = source
        self._inputs = (source,)
        self._spec = source._spec

    def _cardinality(self) -> int:
        return self._source._cardinality()


class _Passing(_Unary):
    """A stage that goes on, when its source can, after an element that fails."""

    def _components(self) -> Iterator[Any]:
        blocks = self._blocks()
        return self._elements() if blocks is None else Elements(blocks)

    def _elements(self) -> Iterator[Any]:
        """The elements from those of the source."""
        raise NotImplementedError(type(self).__name__)


class _OptionsDataset(_Unary):
    def __init__(self, source: Dataset, options: Options) -> None:
        super().__init__(source)
        if not isinstance(options, Options):
            raise TypeError(f"`options` must be a tf.data.Options, got {options!r}")
        self._options = options
        if not options.threads_unasked():
            self._source = _unthreaded(source)
            self._inputs = (self._source,)

    def options(self) -> Options:
        return super().options().merge(self._options)

    def _components(self) -> Iterator[Any]:
        return self._source._components()

    def _blocks(self) -> Any:
        return self._source._blocks()

    def _indexed(self) -> Any:
        return self._source._indexed()


def _unthreaded(dataset: Dataset) -> Dataset:
    """The same stages, of which maps that ask for no threads have none: options are those of the pipeline up to them."""
    from .combining import _ConcatenateDataset, _ZipDataset

    if not isinstance(dataset, (_Unary, _ZipDataset, _ConcatenateDataset)):
        return dataset
    inputs = tuple([_unthreaded(d) for d in dataset._inputs])
    alone = type(dataset) is _MapDataset and not dataset._synchronous and bool(dataset._calls())
    if not alone and all(a is b for a, b in zip(inputs, dataset._inputs, strict=True)):
        return dataset
    made = copy.copy(dataset)
    made._inputs = inputs
    if isinstance(made, _Unary):
        made._source = inputs[0]
    if isinstance(made, _MapDataset) and alone:
        made._synchronous = True
    return made


class _MapDataset(_Passing):
    def __init__(self, source: Dataset, func: Callable[..., Any], synchronous: bool = False) -> None:
        super().__init__(source)
        self._function = Traced(func, source._spec, "map")
        self._synchronous = synchronous
        self._memory: Any = None
        self._spec = self._function.output_spec
        if not structure.leaves(self._spec) or all(type(s).__name__ == "NoneTensorSpec" for s in structure.leaves(self._spec)):
            raise errors.InvalidArgumentError(None, None, "Length for attr 'output_shapes' of 0 must be at least minimum 1 [Op:MapDataset] name: ")
        self._revived()

    _not_saved = frozenset(("_whole", "_memory"))
    _whole: Vectorised | None

    def _revived(self) -> None:
        self._memory = None
        self._whole = vectorised(self._function)

    def _calls(self) -> int:
        """How many threads run the function: 0 for none beside the consumer's, -1 for as many as there are cores."""
        from .threads import worth_threads_unasked

        alone = self._synchronous or not worth_threads_unasked(self._function) or not self.options().threads_unasked()
        return 0 if alone else -1

    def _components(self) -> Iterator[Any]:
        return self._for_batches(0)

    def _for_batches(self, size: int) -> Iterator[Any]:
        """The elements; threads put so many in a row into the memory of their batch."""
        calls = self._calls()
        if not calls:
            return super()._components()
        from .parallel import Memory, ParallelMap

        if size and self._memory is None:
            self._memory = Memory()
        return ParallelMap(self._function, self._source._components(), calls, size, self._memory)

    def _elements(self) -> Iterator[Any]:
        return map(self._function, self._source._components())

    def _blocks(self) -> Any:
        blocks = None if self._whole is None or self._whole.failed else self._source._blocks()
        return None if blocks is None else Mapped(blocks, self._whole)

    def _indexed(self) -> Any:
        if self._whole is None or self._whole.failed:
            return None
        view = self._source._indexed()
        return None if view is None else view.mapped(self._whole)


class _ParallelMapDataset(_MapDataset):
    def __init__(self, source: Dataset, func: Callable[..., Any], calls: int, deterministic: bool | None) -> None:
        super().__init__(source, func)
        if calls == 0 or calls < -1:
            raise errors.InvalidArgumentError(None, None, "`num_parallel_calls` must be greater than zero. [Op:ParallelMapDatasetV2] name: ")
        self._asked = calls
        self._deterministic = deterministic

    def _calls(self) -> int:
        from .threads import worth_threads

        return self._asked if worth_threads(self._function) else 0


class _FilterDataset(_Passing):
    def __init__(self, source: Dataset, predicate: Callable[..., Any]) -> None:
        super().__init__(source)
        self._function = Traced(predicate, source._spec, "filter")
        _check_bool(self._function.output_spec)
        self._revived()

    _not_saved = frozenset(("_whole",))
    _whole: Vectorised | None

    def _revived(self) -> None:
        self._whole = vectorised(self._function)

    def _cardinality(self) -> int:
        n = self._source._cardinality()
        return n if n == INFINITE else UNKNOWN

    def _elements(self) -> Iterator[Any]:
        function = self._function
        return filter(lambda flat: bool(function(flat)[0]), self._source._components())

    def _blocks(self) -> Any:
        blocks = None if self._whole is None or self._whole.failed else self._source._blocks()
        return None if blocks is None else Chosen(blocks, self._whole)


def _check_bool(spec: Any) -> None:
    if not (type(spec) is TensorSpec and spec.dtype is dtypes.bool and spec.shape.rank in (0, None)):
        raise ValueError(f"Invalid `predicate`. `predicate` must return a `tf.bool` scalar tensor, but its return type is {spec!r}.")


class _TakeWhileDataset(_FilterDataset):
    def _cardinality(self) -> int:
        return UNKNOWN

    def _blocks(self) -> None:
        return None

    def _elements(self) -> Iterator[Any]:
        for flat in self._source._components():
            if not bool(self._function(flat)[0]):
                return
            yield flat


class _ScanDataset(_Unary):
    def __init__(self, source: Dataset, initial_state: Any, scan_func: Callable[..., Any]) -> None:
        super().__init__(source)
        self._initial = structure.normalise(initial_state)
        self._function, state_spec, output = _stateful(scan_func, self._initial, source._spec, "scan")
        self._spec = output
        self._n = len(structure.leaves(state_spec))

    def _components(self) -> Iterator[Any]:
        now = structure.components(self._initial)
        for flat in self._source._components():
            out = list(self._function([*now, *flat]))
            now = out[: self._n]
            yield out[self._n :]


def _stateful(func: Callable[..., Any], initial: Any, spec: Any, what: str) -> Any:
    """A traced function of (state, element); the state's spec widens until it covers what the function returns."""
    state_spec = structure.spec_of(initial)
    for _ in range(8):
        traced = Traced(func, (spec,), what, (state_spec,))  # an element is one argument, a tuple too
        result = traced.output_spec
        if what == "scan":
            if not isinstance(result, tuple) or len(result) != 2:
                raise TypeError(f"Invalid `scan_func`. `scan_func` should return a pair consisting of new state and the output value but its return type is {result}.")
            found, output = result
        else:
            found, output = result, None
        joined = structure.compatible(state_spec, found)
        if joined is None:
            for a, b in zip(structure.leaves(state_spec), structure.leaves(found), strict=False):
                if type(a) is TensorSpec and type(b) is TensorSpec and a.dtype is not b.dtype:
                    raise TypeError(
                        f"The element types for the new state must match the initial state. Expected (<class 'tensorflow.{a.dtype!r}'>); got {b.dtype!r}."
                    )
            raise TypeError(f"The element classes for the new state must match the initial state. Expected {state_spec!r}; got {found!r}.")
        if joined == state_spec:
            return traced, state_spec, output
        state_spec = joined
    raise ValueError(f"the shape of the state of {what} keeps changing")


def reduce(dataset: Dataset, initial_state: Any, reduce_func: Callable[..., Any]) -> Any:
    """Fold all elements into a state."""
    initial = structure.normalise(initial_state)
    traced, spec, _ = _stateful(reduce_func, initial, dataset._spec, "reduce")
    graph = state.local.graph
    if graph is not None:
        return _reduce_in_graph(dataset, initial, reduce_func)
    return structure.element(spec, _folded(dataset, traced, structure.components(initial)))


@hosted
def _folded(dataset: Dataset, traced: Any, now: list[Any]) -> list[Any]:
    for flat in dataset._components():
        now = list(traced([*now, *flat]))
    return now


def _reduce_in_graph(dataset: Dataset, initial: Any, reduce_func: Callable[..., Any]) -> Any:
    """Inside a traced function the loop is a node of the graph, written as the AutoGraph loop it is."""
    from ..autograph import to_graph

    def loop(elements: Any, now: Any) -> Any:
        for value in elements:
            now = reduce_func(now, value)
        return now

    return to_graph(loop)(dataset, initial)


class _TakeDataset(_Passing):
    def __init__(self, source: Dataset, count: int) -> None:
        super().__init__(source)
        self._count = count

    def _cardinality(self) -> int:
        n = self._source._cardinality()
        if self._count < 0:
            return n
        return self._count if n == INFINITE else n if n == UNKNOWN else min(n, self._count)

    def _blocks(self) -> Any:
        blocks = self._source._blocks()
        return blocks if blocks is None or self._count < 0 else Limited(blocks, 0, self._count)

    def _elements(self) -> Iterator[Any]:
        if self._count < 0:
            return self._source._components()
        return _Counted(self._source._components(), self._count)

    def _indexed(self) -> Any:
        view = self._source._indexed()
        if view is None or self._count < 0:
            return view

        def order() -> Iterator[np.ndarray]:
            left = self._count
            if not left:
                return
            for rows in view.order():
                yield rows[:left]
                left -= len(rows)
                if left <= 0:
                    return

        return view.then(order, f"take {self._count}")


class _Counted:
    """At most so many of the elements that follow."""

    def __init__(self, source: Iterator[Any], count: int) -> None:
        self._source, self._left = source, count

    def __iter__(self) -> _Counted:
        return self

    def __next__(self) -> Any:
        if not self._left:
            raise StopIteration
        flat = next(self._source)
        self._left -= 1
        return flat


class _SkipDataset(_Passing):
    def __init__(self, source: Dataset, count: int) -> None:
        super().__init__(source)
        self._count = count

    def _cardinality(self) -> int:
        n = self._source._cardinality()
        if self._count < 0:
            return 0
        return n if n < 0 else max(0, n - self._count)

    def _blocks(self) -> Any:
        blocks = None if self._count < 0 else self._source._blocks()
        return None if blocks is None else Limited(blocks, self._count, None)

    def _elements(self) -> Iterator[Any]:
        if self._count < 0:
            return iter(())
        return _Skipping(self._source._components(), self._count)

    def _indexed(self) -> Any:
        view = self._source._indexed()
        if view is None:
            return None

        def order() -> Iterator[np.ndarray]:
            left = self._count
            if left < 0:
                return
            for rows in view.order():
                if left >= len(rows):
                    left -= len(rows)
                    continue
                yield rows[left:]
                left = 0

        return view.then(order, f"skip {self._count}")


class _Skipping:
    """All but the first elements, which are drawn with the first that is asked for."""

    def __init__(self, source: Iterator[Any], count: int) -> None:
        self._source, self._left = source, count

    def __iter__(self) -> _Skipping:
        return self

    def __next__(self) -> Any:
        for _ in range(self._left):  # from the beginning again after one that fails, as in TensorFlow
            next(self._source)
        self._left = 0
        return next(self._source)


class _ShardDataset(_Unary):
    def __init__(self, source: Dataset, shards: int, index: int) -> None:
        super().__init__(source)
        self._shards, self._index = shards, index
        if not isinstance(shards, Unknown) and not isinstance(index, Unknown):
            self._remade()

    def _remade(self) -> None:
        shards, index = self._shards, self._index
        if shards < 1:
            raise errors.InvalidArgumentError(None, None, f"Number of shards must be greater than zero (currently num_shards = {shards}). [Op:ShardDataset] name: ")
        if not 0 <= index < shards:
            raise errors.InvalidArgumentError(
                None, None, f"Index must be between 0 and {shards - 1} (currently index = {index}, num_shards = {shards}). [Op:ShardDataset] name: "
            )

    def _cardinality(self) -> int:
        n = self._source._cardinality()
        return n if n < 0 else n // self._shards + (self._index < n % self._shards)

    def _components(self) -> Iterator[Any]:
        for i, flat in enumerate(self._source._components()):
            if i % self._shards == self._index:
                yield flat

    def _indexed(self) -> Any:
        view = self._source._indexed()
        if view is None:
            return None

        def order() -> Iterator[np.ndarray]:
            at = 0
            for rows in view.order():
                first = (self._index - at) % self._shards
                at += len(rows)
                yield rows[first :: self._shards]

        return view.then(order, f"shard {self._index} of {self._shards}")


class _RepeatDataset(_Passing):
    def __init__(self, source: Dataset, count: int) -> None:
        super().__init__(source)
        self._count = count

    def _cardinality(self) -> int:
        n = self._source._cardinality()
        if self._count == 0 or n == 0:
            return 0
        if self._count < 0:
            return INFINITE
        return n if n < 0 else n * self._count

    def _blocks(self) -> Any:
        first = self._source._blocks()
        if first is None:
            return None
        made = [first]
        return Repeated(lambda: made.pop() if made else self._source._blocks(), self._count)

    def _elements(self) -> Iterator[Any]:
        return Repeated(self._source._components, self._count)

    def _indexed(self) -> Any:
        view = self._source._indexed()
        if view is None:
            return None

        def order() -> Iterator[np.ndarray]:
            done = 0
            while self._count < 0 or done < self._count:
                empty = True
                for rows in view.order():
                    empty = empty and not len(rows)
                    yield rows
                if empty:
                    return
                done += 1

        return view.then(order, "repeat" if self._count < 0 else f"repeat {self._count}")


class _ShuffleDataset(_Unary, ExactRandom, Random):
    def __init__(self, source: Dataset, buffer_size: int | None, seed: Any, reshuffle: bool | None) -> None:
        super().__init__(source)
        if buffer_size is None:
            n = source._cardinality()
            if n < 0:
                raise ValueError("shuffle needs a buffer_size for a dataset of unknown or infinite length")
            buffer_size = max(n, 1)
        if buffer_size < 1 and buffer_size != UNKNOWN:
            raise errors.InvalidArgumentError(
                None, None, f"buffer_size must be greater than zero or UNKNOWN_CARDINALITY, but got {buffer_size} [Op:ShuffleDatasetV3] name: "
            )
        self._buffer = 2**31 if buffer_size == UNKNOWN else buffer_size
        seeds = exact_seeds(seed)
        self._exact = None if seeds is None else (seeds, Words(*seeds))
        self._randomise(None if seeds is None else seeds[0] << 32 ^ seeds[1], reshuffle is None or bool(reshuffle))

    def _generator(self) -> Any:
        return super()._generator() if self._exact is None else self._picks(self._again)

    def _components(self) -> Iterator[Any]:
        view = self._indexed()
        if view is not None:
            return view.elements()
        blocks = self._blocks()
        return _Drawn(self._source._components(), self._buffer, self._generator()) if blocks is None else Elements(blocks)

    def _blocks(self) -> Any:
        blocks = self._source._blocks()
        return None if blocks is None else Shuffled(blocks, self._buffer, self._generator())

    def _indexed(self) -> Any:
        view = self._source._indexed()
        if view is None:
            return None
        return view.then(lambda: shuffled(view.order, self._buffer, self._generator()), f"shuffle {self._buffer}")


class _Drawn:
    """Elements drawn at random from a buffer."""

    def __init__(self, source: Iterator[Any], size: int, rng: np.random.Generator) -> None:
        self._source, self._size, self._rng = source, size, rng
        self._pool: list[Any] = []
        self._tail: Iterator[int] | None = None

    def __iter__(self) -> _Drawn:
        return self

    def __next__(self) -> Any:
        pool = self._pool
        if self._tail is None:
            for flat in self._source:
                if len(pool) < self._size:
                    pool.append(flat)
                    continue
                at = int(self._rng.integers(0, len(pool)))
                out, pool[at] = pool[at], flat
                return out
            self._tail = iter(self._rng.permutation(len(pool)).tolist())
        return pool[next(self._tail)]


class _UniqueDataset(_Unary):
    def __init__(self, source: Dataset) -> None:
        super().__init__(source)
        spec = source._spec
        if not is_scalar_spec(spec) and type(spec) is not TensorSpec:
            raise TypeError(f"`tf.data.Dataset.unique` is supported for datasets of one tensor, not {spec!r}")
        if spec.dtype not in (dtypes.int32, dtypes.int64, dtypes.string):
            raise TypeError(f"`tf.data.Dataset.unique` does not support type {spec.dtype!r}. Only `tf.int32`, `tf.int64`, and `tf.string` are supported.")

    def _cardinality(self) -> int:
        return UNKNOWN

    def _components(self) -> Iterator[Any]:
        seen = set()
        for flat in self._source._components():
            value = flat[0]
            key = value.tolist() if value.ndim == 0 else (tuple(value.shape), tuple(value.reshape(-1).tolist()))
            if key not in seen:
                seen.add(key)
                yield flat


class _IgnoreErrorsDataset(_Unary):
    def __init__(self, source: Dataset, log_warning: bool) -> None:
        super().__init__(source)
        self._log = log_warning

    def _cardinality(self) -> int:
        return UNKNOWN

    def _components(self) -> Iterator[Any]:
        return self._unfailing(self._source._components())

    def _blocks(self) -> Any:
        blocks = self._source._blocks()
        return None if blocks is None else self._unfailing(blocks)

    def _unfailing(self, source: Iterator[Any]) -> Iterator[Any]:
        """What comes without an error; a stage that cannot go on after one has ended with it."""
        while True:
            try:
                yield next(source)
            except StopIteration:
                return
            except errors.OpError as error:
                if self._log:
                    get_logger().warning("Error raised with error message %s", error)


