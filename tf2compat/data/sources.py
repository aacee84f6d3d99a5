"""Datasets that begin a pipeline."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from .. import errors
from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.specs import TensorSpec
from .._engine.symbolic import SymbolicTensor
from .._engine.tensor import Tensor
from . import structure
from .dataset import INFINITE, UNKNOWN, Dataset, Unknown
from .indexed import Indexed
from .randomness import Random, fresh_seed


class _EmptyDataset(Dataset):
    """Stands for a dataset of which only the spec is known."""

    def __init__(self, spec: Any) -> None:
        self._spec = spec

    def _components(self) -> Iterator[Any]:
        return iter(())

    def _cardinality(self) -> int:
        return UNKNOWN


class _TensorDataset(Dataset):
    def __init__(self, tensors: Any) -> None:
        value = structure.normalise(tensors)
        self._spec = structure.spec_of(value)
        self._value = value

    def _components(self) -> Iterator[Any]:
        yield structure.components(self._value)

    def _cardinality(self) -> int:
        return 1


class _TensorSliceDataset(Dataset):
    def __init__(self, tensors: Any) -> None:
        value = structure.normalise(tensors)
        if not structure.leaves(value):
            raise ValueError("Invalid `tensors`. `tensors` should not be empty.")
        batch = structure.spec_of(value)
        self._spec = structure.unbatched(batch)
        sizes = {s.shape[0] for s in structure.leaves(batch) if type(s) is TensorSpec and s.shape.rank}
        sizes.discard(None)
        if len(sizes) > 1:
            a, b, *_ = [s.shape[0] for s in structure.leaves(batch) if hasattr(s, "shape")]
            if a == b:
                b = next(s for s in sizes if s != a)
            raise ValueError(f"Dimensions {a} and {b} are not compatible")
        self._value = value

    def _columns(self) -> list[Any]:
        return structure.components(self._value)

    def _remade(self) -> None:
        sizes = [structure.rows(c) for c in self._columns() if c is not None]
        if len(set(sizes)) > 1:
            raise errors.InvalidArgumentError(
                None, None, f"All components must have the same size in the 0th dimension, got {sizes} [Op:TensorSliceDataset] name: "
            )

    def _cardinality(self) -> int:
        first = next((leaf for leaf in structure.leaves(self._value) if leaf is not None), None)
        if isinstance(first, SymbolicTensor):
            n = None if first.shape.rank is None else first.shape[0]
            return UNKNOWN if n is None else n
        return structure.height(self._columns())

    def _components(self) -> Iterator[Any]:
        columns = self._columns()
        for i in range(structure.height(columns)):
            yield [structure.take_row(c, i) for c in columns]

    def _indexed(self) -> Any:
        if any(isinstance(leaf, SymbolicTensor) for leaf in structure.leaves(self._value)):
            return None
        columns = self._columns()
        if not all(isinstance(c, (torch.Tensor, np.ndarray)) for c in columns):
            return None
        n = columns[0].shape[0]
        return Indexed(columns, lambda: iter([np.arange(n)]))


class _RangeDataset(Dataset):
    def __init__(self, bounds: list[int], output_type: dtypes.DType) -> None:
        start, stop, step = (0, bounds[0], 1) if len(bounds) == 1 else (*bounds, 1) if len(bounds) == 2 else bounds
        self._bounds = (start, stop, step)
        self._remade()
        self._type = output_type
        self._spec = TensorSpec([], output_type)

    def _remade(self) -> None:
        self._known = not any(isinstance(b, Unknown) for b in self._bounds)
        if self._known and self._bounds[2] == 0:
            raise errors.InvalidArgumentError(None, None, "step must be a non-zero integer. [Op:RangeDataset] name: ")

    def _numbers(self) -> range:
        return range(*self._bounds)

    def _cardinality(self) -> int:
        return len(self._numbers()) if self._known else UNKNOWN

    def _components(self) -> Iterator[Any]:
        dtype = self._type.torch
        for i in self._numbers():
            yield [torch.tensor(i, dtype=dtype)]

    def _indexed(self) -> Any:
        numbers = self._numbers()
        if not self._known or len(numbers) > 10**7:
            return None
        column = torch.arange(*self._bounds, dtype=torch.int64).to(self._type.torch)
        return Indexed([column], lambda: iter([np.arange(len(numbers))]))


class _CounterDataset(Dataset):
    def __init__(self, start: Any, step: Any, dtype: dtypes.DType) -> None:
        self._start, self._step, self._dtype = convert_to_tensor(start, dtype), convert_to_tensor(step, dtype), dtype
        self._spec = TensorSpec([], dtype)

    def _cardinality(self) -> int:
        return INFINITE

    def _components(self) -> Iterator[Any]:
        value, step = self._start._t, self._step._t
        while True:
            yield [value]
            value = value + step


# what TensorFlow prints for Dataset.counter
_CounterDataset.__name__ = "_ScanDataset"


class _RandomDataset(Dataset, Random):
    def __init__(self, seed: int | None, rerandomize: bool | None) -> None:
        self._randomise(fresh_seed(seed), bool(rerandomize))
        self._spec = TensorSpec([], dtypes.int64)

    def _cardinality(self) -> int:
        return INFINITE

    def _components(self) -> Iterator[Any]:
        rng = self._generator()
        while True:
            for n in rng.integers(0, 2**32, 1024).tolist():
                yield [torch.tensor(n, dtype=torch.int64)]


def generator_spec(types: Any, shapes: Any, signature: Any) -> Any:
    """The element spec of `from_generator`'s three ways to give it."""
    if signature is not None:
        if types is not None:
            raise TypeError("The `output_types` argument can not be used together with the `output_signature` argument.")
        if shapes is not None:
            raise TypeError("The `output_shapes` argument can not be used together with the `output_signature` argument.")
        from .._engine.specs import TypeSpec

        for s in structure.leaves(signature):
            if not isinstance(s, TypeSpec):
                raise TypeError(f"`output_signature` must contain objects that are subclass of `tf.TypeSpec` but found {type(s)} which is not.")
        return signature
    if types is None:
        raise TypeError("Either the `output_signature` argument or the `output_types` argument must be specified.")
    types = tuple(types) if isinstance(types, list) else types
    if shapes is None:
        return structure.map_leaves(lambda t: TensorSpec(None, dtypes.as_dtype(t)), types)
    flat = structure.leaves(types)
    wanted = _shapes(types, shapes)
    return structure.pack(types, [TensorSpec(s, dtypes.as_dtype(t)) for t, s in zip(flat, wanted, strict=True)])


def _shapes(like: Any, shapes: Any) -> list[Any]:
    if structure.is_structure(like):
        from .._engine import nest

        children = nest.children(like)
        given = nest.children(shapes) if isinstance(shapes, dict) else list(shapes)
        return [s for a, b in zip(children, given, strict=True) for s in _shapes(a, b)]
    return [shapes]


class _GeneratorDataset(Dataset):
    def __init__(self, generator: Callable[..., Any], spec: Any, args: Any) -> None:
        self._generator = generator
        self._spec = spec
        self._args = () if args is None else tuple(convert_to_tensor(a) for a in args)

    def _call(self) -> Iterator[Any]:
        made = self._generator(*[a.numpy() for a in self._args])
        try:
            return iter(made)
        except TypeError:
            raise errors.InvalidArgumentError(None, None, f"TypeError: `generator` returned {made!r}, which is not iterable") from None

    def _components(self) -> Iterator[Any]:
        return _Generated(self)

    def _element(self, value: Any) -> list[Any]:
        """What was yielded as components. InvalidArgumentError where it is not of the dataset's spec."""
        if type(self._spec) is TensorSpec:
            return [self._one(value, self._spec)]
        try:
            if isinstance(value, list):
                value = tuple(value)
            parts = self._matched(self._spec, value)
        except (TypeError, ValueError) as error:
            raise errors.InvalidArgumentError(
                None, None,
                "TypeError: `generator` yielded an element that did not match the expected structure. The expected structure was "
                f"{structure.map_leaves(lambda s: s.dtype, self._spec)}, but the yielded element was {value!r}.",
            ) from error  # fmt: skip
        return [self._one(v, s) for v, s in zip(parts, structure.leaves(self._spec), strict=True)]

    def _matched(self, spec: Any, value: Any) -> list[Any]:
        if not structure.is_structure(spec):
            return [value]
        from .._engine import nest

        if isinstance(spec, dict):
            return [leaf for k in nest.sorted_keys(spec) for leaf in self._matched(spec[k], value[k])]
        children = nest.children(spec)
        given = list(value)
        if len(given) != len(children):
            raise ValueError("structures differ")
        return [leaf for a, b in zip(children, given, strict=True) for leaf in self._matched(a, b)]

    def _one(self, value: Any, spec: Any) -> Any:
        if type(spec) is not TensorSpec:
            return value
        dtype = spec.dtype
        if isinstance(value, np.ndarray) and dtype.torch is not None and value.dtype == dtype.as_numpy_dtype and value.flags.writeable:
            storage = torch.from_numpy(value.copy())
        else:
            try:
                if isinstance(value, Tensor):
                    storage = structure.component(value if value.dtype is dtype else convert_to_tensor(value, dtype))
                else:
                    storage = structure.component(convert_to_tensor(value, dtype))
            except (TypeError, ValueError) as error:
                raise errors.InvalidArgumentError(
                    None, None,
                    "TypeError: `generator` yielded an element that could not be converted to the expected type. The expected type was "
                    f"{dtype.name}, but the yielded element was {value!r}.",
                ) from error  # fmt: skip
        dims = spec.shape._dims
        if dims is not None and (len(dims) != storage.ndim or any(d is not None and d != s for d, s in zip(dims, storage.shape, strict=True))):
            raise errors.InvalidArgumentError(
                None, None,
                f"TypeError: `generator` yielded an element of shape {tuple(storage.shape)} where an element of shape {spec.shape} was "
                "expected.",
            )  # fmt: skip
        return storage


class _Generated:
    """The elements of a generator, which is begun with the first. After one that was refused the next can be asked for."""

    def __init__(self, dataset: _GeneratorDataset) -> None:
        self._dataset = dataset
        self._source: Iterator[Any] | None = None

    def __iter__(self) -> _Generated:
        return self

    def __next__(self) -> Any:
        if self._source is None:
            self._source = self._dataset._call()
        try:
            value = next(self._source)
        except (StopIteration, errors.OpError):
            raise
        except Exception as error:
            from .._top.calling import _raised

            raise _raised(error) from error
        return self._dataset._element(value)

    def close(self) -> None:
        """End the generator, which may hold files and the like."""
        source, self._source = self._source, iter(())
        if hasattr(source, "close"):
            source.close()


# what TensorFlow prints for Dataset.from_generator
_GeneratorDataset.__name__ = "_FlatMapDataset"


def list_files(file_pattern: Any, shuffle: bool | None, seed: int | None) -> Dataset:
    """The files that match, sorted, and shuffled unless told otherwise."""
    value = convert_to_tensor(file_pattern).numpy()
    patterns = [value] if isinstance(value, (bytes, str)) else np.asarray(value).reshape(-1).tolist()
    names: list[str] = []
    for p in patterns:
        text = p.decode() if isinstance(p, bytes) else p
        names.extend(f for f in glob.glob(text) if os.path.exists(f))
    if not names:
        shown = ", ".join(p.decode() if isinstance(p, bytes) else p for p in patterns)
        raise errors.InvalidArgumentError(
            None, None, f"Expected 'tf.Tensor(False, shape=(), dtype=bool)' to be true. Summarized data: b'No files matched pattern: {shown}'"
        )
    dataset: Dataset = _TensorSliceDataset(convert_to_tensor(sorted(set(names))))
    if shuffle is None or shuffle:
        dataset = dataset.shuffle(len(names), seed=seed)
    return dataset
