"""Batches: stacked, padded, ragged, sparse; and back to elements."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import torch

from .. import errors
from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.shapes import TensorShape
from .._engine.specs import NoneTensorSpec, TensorSpec
from . import structure
from .blocks import Batches, Elements, unbatched
from .dataset import Dataset, Unknown
from .parallel import columns
from .stages import _MapDataset, _Unary


def _count(n: int, size: int, drop: bool) -> int:
    return n if n < 0 else n // size if drop else -(-n // size)


class _BatchDataset(_Unary):
    def __init__(self, source: Dataset, size: int, drop_remainder: bool) -> None:
        super().__init__(source)
        self._size, self._drop = size, drop_remainder
        self._remade()
        static = drop_remainder and not isinstance(size, Unknown)
        self._spec = structure.batched(source._spec, size if static else None)

    def _remade(self) -> None:
        if self._size < 1:
            raise errors.InvalidArgumentError(None, None, "Batch size must be greater than zero. [Op:BatchDatasetV2] name: ")

    def _cardinality(self) -> int:
        return _count(self._source._cardinality(), self._size, self._drop)

    def _describe(self) -> str:
        view = self._source._indexed()
        return f"Batch {self._size}" + (f"  [gather of rows: {view.text()}]" if view is not None else "")

    def _components(self) -> Iterator[Any]:
        view = self._source._indexed()
        if view is not None:
            return view.batches(self._size, self._drop)
        blocks = self._source._blocks()
        if blocks is not None:
            return Batches(blocks, self._size, self._drop)
        source = self._source
        mapped = isinstance(source, _MapDataset)
        elements = source._for_batches(self._size) if mapped else source._components()  # type: ignore[attr-defined]
        return _Stacked(elements, structure.leaves(source._spec), self._size, self._drop, mapped)


class _Stacked:
    """Batches of elements. A failed element takes the ones that wait for their batch with it, and the next batch begins after it;
    with `windows`, as in TensorFlow after a map, it takes those that would have followed in its batch too."""

    def __init__(self, source: Iterator[Any], specs: list[Any], size: int, drop_remainder: bool, windows: bool) -> None:
        self._source, self._specs, self._size, self._drop, self._windows = source, specs, size, drop_remainder, windows

    def __iter__(self) -> _Stacked:
        return self

    def __next__(self) -> list[Any]:
        waiting: list[Any] = []
        try:
            waiting.extend(islice(self._source, self._size))
        except errors.OpError:
            if self._windows:
                self._skip(self._size - len(waiting) - 1)
            raise
        if not waiting or self._drop and len(waiting) < self._size:
            raise StopIteration
        return _stacked(waiting, self._specs)

    def _skip(self, count: int) -> None:
        for _ in range(count):
            try:
                next(self._source)
            except StopIteration:
                return
            except errors.OpError:
                continue


def _stacked(elements: list[Any], specs: list[Any]) -> list[Any]:
    placed = columns(elements)
    return [
        _together([e[k] for e in elements], specs[k]) if placed is None or placed[k] is None or type(specs[k]) is not TensorSpec else placed[k]
        for k in range(len(elements[0]))
    ]


def _together(parts: list[Any], spec: Any) -> Any:
    rank = getattr(spec, "ragged_rank", None)
    if rank == 0:  # rows of a ragged tensor: dense each, ragged together
        from .. import ragged

        return _of_lengths(ragged.stack([structure.delivered(p) for p in parts]).with_row_splits_dtype(spec.row_splits_dtype), spec.shape)
    return structure.stack(parts) if rank is None else _of_lengths(structure.stack(parts), spec.shape)


def _of_lengths(batch: Any, shape: TensorShape) -> Any:
    """A ragged batch of elements of a static shape, whose known dimensions are then those of its rows."""
    from .. import RaggedTensor

    if not isinstance(batch, RaggedTensor) or not shape.rank:
        return batch
    inner = _of_lengths(batch.values, shape[1:])
    if shape[0] is None or not isinstance(inner, RaggedTensor):
        return batch.with_values(inner)
    return RaggedTensor.from_uniform_row_length(inner, shape[0], nrows=batch.nrows(), validate=False).with_row_splits_dtype(batch.row_splits.dtype)


class _ParallelBatchDataset(_BatchDataset):
    """A batch that may be assembled by several threads; stacking rows is one copy, which one thread does."""


class _PaddedBatchDataset(_Unary):
    def __init__(self, source: Dataset, size: int, shapes: Any, values: Any, drop_remainder: bool) -> None:
        super().__init__(source)
        if size < 1:
            raise errors.InvalidArgumentError(None, None, "Batch size must be greater than zero. [Op:PaddedBatchDatasetV2] name: ")
        specs = structure.leaves(source._spec)
        for s in specs:
            if type(s) is not TensorSpec:
                raise TypeError(f"`padded_batch` is only supported for datasets that produce tensor elements but type spec of elements in the input dataset is not a subclass of TensorSpec: `{s!r}`.")
        if shapes is None:
            for s in specs:
                if s.shape.rank is None:
                    raise ValueError(f"You must provide `padded_shapes` argument because component {specs.index(s)} has unknown rank.")
            wanted = [s.shape for s in specs]
        else:
            wanted = [self._shape(p, s.shape) for p, s in zip(_aligned(source._spec, shapes), specs, strict=True)]
        self._shapes = wanted
        self._values = self._paddings(values, specs)
        self._size, self._drop = size, drop_remainder
        n = size if drop_remainder and not isinstance(size, Unknown) else None
        self._spec = structure.pack(source._spec, [TensorSpec([n, *w.as_list()], s.dtype) for w, s in zip(wanted, specs, strict=True)])

    @staticmethod
    def _shape(given: Any, static: TensorShape) -> TensorShape:
        if isinstance(given, TensorShape):
            shape = given
        else:
            flat = np.asarray(given.numpy() if hasattr(given, "numpy") else [-1 if g is None else g for g in given]).reshape(-1)
            shape = TensorShape([None if int(d) == -1 else int(d) for d in flat])
        if static.rank is not None and shape.rank != static.rank:
            raise ValueError(f"The padded shape {shape} is not compatible with the shape {static} of the corresponding input component.")
        if static.rank is not None:
            for a, b in zip(shape, static, strict=True):
                if a is not None and b is not None and b > a:
                    raise ValueError(f"The padded shape {shape} is not compatible with the shape {static} of the corresponding input component.")
        return shape

    def _paddings(self, values: Any, specs: list[Any]) -> list[Any]:
        if values is None:
            given = [None] * len(specs)
        elif structure.is_structure(values):
            given = _aligned(self._source._spec, values)
        else:
            given = [values] * len(specs)
        out = []
        for v, s in zip(given, specs, strict=True):
            if v is None:
                out.append(b"" if s.dtype is dtypes.string else 0)
                continue
            try:
                t = convert_to_tensor(v) if hasattr(v, "dtype") else convert_to_tensor(v, s.dtype)
            except (TypeError, ValueError):
                t = convert_to_tensor(v)  # of another dtype, which is told below
            if t.shape.rank != 0:
                raise ValueError(f"All padding values must be scalars, got shape {t.shape}")
            if t.dtype is not s.dtype:
                raise TypeError(f"Invalid `padding_values`. `padding_values` values type {t.dtype!r} does not match type {s.dtype!r} of the corresponding input component.")
            out.append(t._t.item())
        return out

    def _cardinality(self) -> int:
        return _count(self._source._cardinality(), self._size, self._drop)

    def _components(self) -> Iterator[Any]:
        waiting: list[Any] = []
        for flat in self._source._components():
            waiting.append(flat)
            if len(waiting) == self._size:
                yield self._padded(waiting)
                waiting = []
        if waiting and not self._drop:
            yield self._padded(waiting)

    def _padded(self, elements: list[Any]) -> list[Any]:
        return [pad([e[k] for e in elements], self._shapes[k], self._values[k]) for k in range(len(self._shapes))]


def pad(parts: list[Any], shape: TensorShape, value: Any) -> Any:
    """Tensors padded to one shape and stacked; DataLossError when one is larger than the shape allows."""
    target = []
    for axis, want in enumerate(shape):  # type: ignore[arg-type]
        longest = max(p.shape[axis] for p in parts)
        if want is not None and longest > want:
            raise errors.DataLossError(None, None, "Attempted to pad to a smaller size than the input element. [Op:IteratorGetNext] name: ")
        target.append(longest if want is None else want)
    first = parts[0]
    if all(tuple(p.shape) == tuple(target) for p in parts):
        return structure.stack(parts)
    if isinstance(first, np.ndarray):
        out: Any = np.empty((len(parts), *target), dtype=object)
        out.fill(value)
    else:
        out = torch.full((len(parts), *target), value, dtype=first.dtype, device=first.device)
    for i, p in enumerate(parts):
        out[(i, *[slice(0, n) for n in p.shape])] = p
    return out


def _aligned(spec: Any, values: Any) -> list[Any]:
    """Values for each leaf of a spec; a list where the spec has a leaf is one value."""
    if structure.is_structure(spec):
        from .._engine import nest

        if isinstance(spec, dict):
            return [v for k in nest.sorted_keys(spec) for v in _aligned(spec[k], values[k])]
        children = nest.children(spec)
        given = list(values)
        if len(given) != len(children):
            raise ValueError(f"The two structures don't have the same sequence length: {spec} and {values}")
        return [v for a, b in zip(children, given, strict=True) for v in _aligned(a, b)]
    return [values]


def ragged_batch(source: Dataset, size: int, drop: bool, row_splits_dtype: Any) -> Dataset:
    """Batches whose components are ragged where the elements' shapes are not fully known."""
    specs = structure.leaves(source._spec)
    if all(isinstance(s, NoneTensorSpec) or type(s) is TensorSpec and s.shape.is_fully_defined() for s in specs):
        return _BatchDataset(source, size, drop)
    return _RaggedBatchDataset(source, size, drop, row_splits_dtype)


class _RaggedBatchDataset(_Unary):
    def __init__(self, source: Dataset, size: int, drop: bool, row_splits_dtype: Any) -> None:
        from .. import RaggedTensorSpec

        super().__init__(source)
        self._size, self._drop, self._splits = size, drop, row_splits_dtype
        n = size if drop and not isinstance(size, Unknown) else None

        def spec(s: Any) -> Any:
            if type(s) is TensorSpec and s.shape.is_fully_defined():
                return TensorSpec([n, *s.shape.as_list()], s.dtype)
            if type(s) is TensorSpec:
                return RaggedTensorSpec([n, *s.shape.as_list()], s.dtype, s.shape.rank, row_splits_dtype)
            return structure.batched(s, n)

        self._spec = structure.map_leaves(spec, source._spec)

    def _cardinality(self) -> int:
        return _count(self._source._cardinality(), self._size, self._drop)

    def _components(self) -> Iterator[Any]:
        from .. import ragged

        specs = structure.leaves(self._source._spec)

        def together(parts: list[Any], s: Any) -> Any:
            if isinstance(s, NoneTensorSpec) or type(s) is TensorSpec and s.shape.is_fully_defined():
                return structure.stack(parts)
            rows = [structure.delivered(p) for p in parts]
            if type(s) is TensorSpec and s.shape.rank > 1:  # each dimension but the last may differ from row to row
                rows = [ragged.RaggedTensor.from_tensor(r, ragged_rank=s.shape.rank - 1) for r in rows]
            return _of_lengths(ragged.stack(rows).with_row_splits_dtype(self._splits), s.shape)

        waiting: list[Any] = []
        for flat in self._source._components():
            waiting.append(flat)
            if len(waiting) == self._size:
                yield [together([e[k] for e in waiting], s) for k, s in enumerate(specs)]
                waiting = []
        if waiting and not self._drop:
            yield [together([e[k] for e in waiting], s) for k, s in enumerate(specs)]


def sparse_batch(source: Dataset, size: int, row_shape: TensorShape) -> Dataset:
    """Batches as sparse tensors of shape [batch] + row_shape."""
    from .. import sparse

    def to_sparse(x: Any) -> Any:
        return sparse.from_dense(x)

    if type(source._spec) is not TensorSpec:
        raise TypeError("sparse_batch is for datasets of one dense tensor")
    padded = source.padded_batch(size, padded_shapes=row_shape)
    return padded.map(to_sparse)


class _UnbatchDataset(_Unary):
    def __init__(self, source: Dataset) -> None:
        super().__init__(source)
        self._spec = structure.unbatched(source._spec)

    def _cardinality(self) -> int:
        n = self._source._cardinality()
        if n < 0:
            return n
        for s in structure.leaves(self._source._spec):
            if type(s) is TensorSpec and s.shape.rank and s.shape[0] is not None:
                return n * s.shape[0]
        return -2

    def _blocks(self) -> Any:
        if not all(type(s) is TensorSpec for s in structure.leaves(self._spec)):
            return None
        return unbatched(self._source._components())

    def _components(self) -> Iterator[Any]:
        blocks = self._blocks()
        if blocks is not None:
            return Elements(blocks)
        return (
            [structure.take_row(c, i) for c in flat] for flat in unbatched(self._source._components()) for i in range(structure.height(flat))
        )


class _RebatchDataset(_Unary):
    def __init__(self, source: Dataset, sizes: Any, drop: bool) -> None:
        super().__init__(source)
        for s in structure.leaves(source._spec):
            if type(s) is TensorSpec and s.shape.rank == 0:
                raise ValueError(
                    "Invalid `batch_sizes`. Expected dataset with rank of >= 1 but found a dataset with scalar elements. Fix the issue by "
                    "adding the `batch` transformation to the dataset."
                )
        flat = np.asarray(sizes.numpy() if hasattr(sizes, "numpy") else sizes).reshape(-1).tolist()
        if not any(flat) or any(n < 0 for n in flat):  # some may be 0: batches without elements
            raise errors.InvalidArgumentError(None, None, f"Batch sizes must be greater than zero, got {flat} [Op:RebatchDatasetV2] name: ")
        self._sizes, self._drop = flat, drop
        n = flat[0] if drop and len(set(flat)) == 1 else None
        self._spec = structure.batched(structure.unbatched(source._spec), n)

    def _cardinality(self) -> int:
        return -2

    def _components(self) -> Iterator[Any]:
        held: list[Any] = []
        turn = 0
        for flat in self._source._components():
            held = [_join(h, c) for h, c in zip(held, flat, strict=True)] if held else list(flat)
            while structure.height(held) >= self._sizes[turn]:
                n = self._sizes[turn]
                yield [None if c is None else c[:n] for c in held]
                held = [None if c is None else c[n:] for c in held]
                turn = (turn + 1) % len(self._sizes)
        if held and structure.height(held) and not self._drop:
            yield held


def _join(a: Any, b: Any) -> Any:
    if a is None:
        return None
    if not isinstance(a, (np.ndarray, torch.Tensor)):  # ragged
        from .. import concat

        return concat([a, b], 0)
    return np.concatenate([a, b]) if isinstance(a, np.ndarray) else torch.cat([a, b])
