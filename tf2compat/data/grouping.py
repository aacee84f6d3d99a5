"""Windows, groups, buckets, resampling."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import errors
from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.specs import TensorSpec
from . import structure
from .dataset import INFINITE, UNKNOWN, Dataset, DatasetSpec, is_scalar_spec
from .functions import Traced
from .randomness import Random, fresh_seed
from .stages import _Unary


class _VariantDataset(Dataset):
    """A dataset of elements that are in memory: what windows and groups are made of."""

    def __init__(self, elements: list[Any], spec: Any) -> None:
        self._elements = elements
        self._spec = spec

    def _cardinality(self) -> int:
        return len(self._elements)

    def _components(self) -> Iterator[Any]:
        return iter(self._elements)


class _WindowDataset(_Unary):
    def __init__(self, source: Dataset, size: int, shift: int, stride: int, drop: bool) -> None:
        super().__init__(source)
        for value, name in ((size, "Window size"), (shift, "Window shift"), (stride, "Window stride")):
            if value < 1:
                raise errors.InvalidArgumentError(None, None, f"{name} must be greater than zero. [Op:WindowDataset] name: ")
        self._size, self._shift, self._stride, self._drop = size, shift, stride, drop
        self._inner = source._spec
        self._spec = structure.map_leaves(DatasetSpec, source._spec)

    def _cardinality(self) -> int:
        n = self._source._cardinality()
        if n < 0:
            return n
        if self._drop:
            return max(0, (n - ((self._size - 1) * self._stride + 1)) // self._shift + 1)
        return -(-n // self._shift)

    def _made(self, elements: list[Any]) -> list[Any]:
        specs = structure.leaves(self._inner)
        return [_VariantDataset([[e[k]] for e in elements], s) for k, s in enumerate(specs)]

    def _components(self) -> Iterator[Any]:
        span = (self._size - 1) * self._stride + 1
        held: deque[Any] = deque()
        gap = 0
        for flat in self._source._components():
            if gap:
                gap -= 1
                continue
            held.append(flat)
            if len(held) < span:
                continue
            yield self._made([held[i] for i in range(0, span, self._stride)])
            for _ in range(min(self._shift, len(held))):
                held.popleft()
            gap = max(0, self._shift - span)
        while held and not self._drop:
            yield self._made([held[i] for i in range(0, min(span, len(held)), self._stride)])
            for _ in range(min(self._shift, len(held))):
                held.popleft()


class _GroupByWindowDataset(_Unary):
    def __init__(self, source: Dataset, key_func: Any, reduce_func: Any, window_size: Any, window_size_func: Any) -> None:
        super().__init__(source)
        self._key = Traced(key_func, source._spec, "group_by_window")
        if not is_scalar_spec(self._key.output_spec) or self._key.output_spec.dtype is not dtypes.int64:
            raise ValueError(
                f"Invalid `key_func`. `key_func` must return a single `tf.int64` scalar tensor but its return type is {self._key.output_spec!r}."
            )
        self._window = None if window_size is None else int(convert_to_tensor(window_size))
        self._window_func = window_size_func
        if self._window is not None and self._window < 1:
            raise errors.InvalidArgumentError(None, None, f"Window size must be greater than zero, but got {self._window}. [Op:IteratorGetNext] name: ")
        self._func = reduce_func
        self._reduce = Traced(
            reduce_func, (TensorSpec([], dtypes.int64), DatasetSpec(source._spec)), "group_by_window", returns_dataset=True
        )
        if not self._reduce.returns_dataset:
            raise TypeError(f"Invalid `reduce_func`. `reduce_func` must return a single `tf.data.Dataset` object but its return type is {self._reduce.output_spec!r}.")
        self._spec = self._reduce.output_spec

    def _cardinality(self) -> int:
        n = self._source._cardinality()
        return n if n == INFINITE else UNKNOWN

    def _components(self) -> Iterator[Any]:
        groups: dict[int, list[Any]] = {}
        sizes: dict[int, int] = {}

        def made(key: int) -> Iterator[Any]:
            group = _VariantDataset(groups.pop(key), self._source._spec)
            return self._func(convert_to_tensor(key, dtypes.int64), group)._components()

        for flat in self._source._components():
            key = int(self._key(flat)[0])
            groups.setdefault(key, []).append(flat)
            if key not in sizes:
                sizes[key] = self._window or int(self._window_func(convert_to_tensor(key, dtypes.int64)))
                if sizes[key] < 1:
                    raise errors.InvalidArgumentError(None, None, f"Window size must be greater than zero, but got {sizes[key]}. [Op:IteratorGetNext] name: ")
            if len(groups[key]) == sizes[key]:
                yield from made(key)
        for key in list(groups):
            yield from made(key)


def bucket_by_sequence_length(
    dataset: Dataset,
    length_func: Any,
    boundaries: Any,
    batch_sizes: Any,
    padded_shapes: Any,
    padding_values: Any,
    pad_to_boundary: bool,
    no_padding: bool,
    drop_remainder: bool,
) -> Dataset:
    """Group elements by the bucket of their length; each group becomes batches."""
    boundaries, batch_sizes = list(boundaries), list(batch_sizes)
    if len(batch_sizes) != len(boundaries) + 1:
        raise ValueError(f"`len(bucket_batch_sizes)` must equal `len(bucket_boundaries) + 1` but `len(bucket_batch_sizes)={len(batch_sizes)}` and `len(bucket_boundaries)={len(boundaries)}`.")
    if boundaries != sorted(boundaries):
        raise ValueError(f"bucket_boundaries must be in ascending order, got {boundaries}")

    def key(*args: Any) -> Any:
        from .. import cast, reduce_sum

        length = length_func(*args)
        return reduce_sum(cast(cast(length, dtypes.int64) >= convert_to_tensor(boundaries, dtypes.int64), dtypes.int64))

    def batched(bucket: Any, group: Any) -> Any:
        number = int(bucket) if not hasattr(bucket, "_static_value") else 0
        size = batch_sizes[number]
        if no_padding:
            return group.batch(size, drop_remainder=drop_remainder)
        shapes = padded_shapes
        if pad_to_boundary:
            if number >= len(boundaries):
                raise errors.InvalidArgumentError(None, None, "When pad_to_bucket_boundary=True, elements must have length < max(bucket_boundaries).")
            limit = boundaries[number] - 1

            def filled(s: Any) -> Any:
                dims = s.as_list() if hasattr(s, "as_list") else list(s)
                return [limit if d is None or d == -1 else d for d in dims]

            base = shapes if shapes is not None else structure.map_leaves(lambda s: s.shape, group.element_spec)
            shapes = filled(base) if not structure.is_structure(base) else structure.map_leaves(filled, base)
        return group.padded_batch(size, shapes, padding_values, drop_remainder=drop_remainder)

    return dataset.group_by_window(
        key, batched, window_size_func=lambda bucket: batch_sizes[int(bucket) if not hasattr(bucket, "_static_value") else 0]
    )


class _ResampledDataset(_Unary, Random):
    def __init__(self, source: Dataset, class_func: Any, target: np.ndarray, initial: np.ndarray | None, seed: int | None) -> None:
        super().__init__(source)
        self._class = Traced(class_func, source._spec, "rejection_resample")
        self._target, self._initial = target, initial
        self._randomise(fresh_seed(seed), True)
        self._spec = (self._class.output_spec, source._spec)

    def _cardinality(self) -> int:
        n = self._source._cardinality()
        return n if n == INFINITE else UNKNOWN

    def _components(self) -> Iterator[Any]:
        rng = self._generator()
        seen = np.full(len(self._target), 1.0 / len(self._target))
        counts = np.zeros(len(self._target))
        for flat in self._source._components():
            found = self._class(flat)
            c = int(found[0])
            counts[c] += 1
            if self._initial is None:
                seen = np.maximum(counts / counts.sum(), 1e-12)
            else:
                seen = self._initial
            ratio = self._target / np.maximum(seen, 1e-12)
            if rng.random() < ratio[c] / ratio.max():
                yield [*found, *flat]


def rejection_resample(dataset: Dataset, class_func: Any, target: Any, initial: Any, seed: int | None) -> Dataset:
    """`Dataset.rejection_resample`: drop elements until the classes follow the target distribution."""
    wanted = np.asarray(convert_to_tensor(target).numpy(), dtype=np.float64)
    known = None if initial is None else np.asarray(convert_to_tensor(initial).numpy(), dtype=np.float64)
    return _ResampledDataset(dataset, class_func, wanted, known, seed)


