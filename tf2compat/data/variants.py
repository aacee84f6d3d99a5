"""Datasets as variants and back: a variant is a scalar that holds a dataset; of a function that is being traced, a symbolic tensor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .._engine import dtypes
from .._engine.op import ANYS, op
from .._engine.symbolic import SymbolicTensor
from .._engine.tensor import Tensor
from . import structure
from .dataset import UNKNOWN, Dataset, DatasetSpec, tf_eager


class DatasetVariant(Tensor):
    """A dataset without its element spec: what `to_variant` gives and `from_variant` takes."""

    __slots__ = ()
    #: it is an argument of functions by itself
    _tf_variant = True

    @property
    def dtype(self) -> dtypes.DType:
        return dtypes.variant

    def __repr__(self) -> str:
        return f"<tf.Tensor: shape=(), dtype=variant, value=<{self._t[()]!r}>>"

    def __str__(self) -> str:
        return f"tf.Tensor(<{self._t[()]!r}>, shape=(), dtype=variant)"


def _tensor(storage: Any) -> DatasetVariant:
    made = Tensor.__new__(DatasetVariant)
    made._t, made._tape = storage, None
    return made


def boxed(dataset: Dataset) -> np.ndarray:
    """A storage that holds a dataset."""
    box = np.empty((), dtype=object)
    box[()] = dataset
    return box


@op("DatasetVariant", stateful=True, given=ANYS)
def _made(recipe: Any, given: Any) -> Any:
    return boxed(recipe.made(tuple(given)) if given else recipe)


@_made.infer
def _(recipe: Any, given: Any) -> Any:
    return [(dtypes.variant, ())]


def variant_of(dataset: Dataset) -> Any:
    """The variant of a dataset: one that each run makes, where a function is being traced."""
    if isinstance(dataset, _VariantDataset):
        return dataset._variant
    if not tf_eager():
        from .recipes import recipe

        found = recipe(dataset)
        return _made(dataset if found is None else found, [] if found is None else list(found.inputs))
    return _tensor(boxed(dataset))


def dataset_of(variant: Any, spec: Any) -> Any:
    """The dataset that a variant holds. A description of a variant stays one."""
    if isinstance(variant, Tensor) and not isinstance(variant, (SymbolicTensor, DatasetVariant)):
        variant = _tensor(variant._t)
    return _VariantDataset(variant, spec)


def staged(dataset: Dataset) -> _VariantDataset:
    """A dataset as that of its variant."""
    return dataset if isinstance(dataset, _VariantDataset) else _VariantDataset(variant_of(dataset), dataset._spec)


class _VariantDataset(Dataset):
    """The dataset that a variant of a run holds: a composite of one tensor."""

    #: traces do not tell the classes of datasets apart
    _tf_kind = Dataset

    def __init__(self, variant: Any, spec: Any) -> None:
        self._variant, self._spec = variant, spec
        self._remade()

    def _tf_components(self) -> list[Any]:
        return [self._variant]

    def _tf_static(self) -> Any:
        return structure.key_of(self._spec)

    def _tf_from_components(self, parts: list[Any]) -> Dataset:
        return dataset_of(parts[0], self._spec)

    @property
    def _held(self) -> Dataset | None:
        """The dataset; None while a function is traced."""
        t = self._variant
        return None if isinstance(t, SymbolicTensor) or not isinstance(t, Tensor) else t._t[()]

    def _cardinality(self) -> int:
        return UNKNOWN if self._held is None else self._held._cardinality()

    def _indexed(self) -> Any:
        return None if self._held is None else self._held._indexed()

    def _blocks(self) -> Any:
        return None if self._held is None else self._held._blocks()

    def _components(self) -> Iterator[Any]:
        if self._held is None:
            raise ValueError("The dataset is an argument of a function that is being traced; it has elements when the function runs.")
        return self._held._components()

    def _remade(self) -> None:
        self._inputs = () if self._held is None else (self._held,)


class DatasetVector:
    """Several datasets of one element spec, as a tensor of variants would be: a list of datasets as a component, or a batch of them."""

    def __init__(self, parts: list[Any], spec: DatasetSpec) -> None:
        self._parts, self._type_spec = parts, spec

    @staticmethod
    def of(parts: list[Any]) -> Any:
        """A vector of datasets, or of vectors; ValueError where their elements differ."""
        specs = [p._type_spec for p in parts]
        if any(s != specs[0] for s in specs[1:]):
            raise ValueError(f"Attempt to convert a value ({parts[0]!r}) with an unsupported type ({type(parts[0])}) to a Tensor.")
        return DatasetVector(parts, specs[0]._batch(len(parts)))

    _tf_stack = of

    def _tf_rows(self) -> int:
        return len(self._parts)

    def _tf_row(self, index: int) -> Any:
        return self._parts[index]


def to_variant(dataset: Any) -> Any:
    """The dataset as a variant (`tf.data.experimental.to_variant`)."""
    if not isinstance(dataset, Dataset):
        raise TypeError(f"to_variant expects a tf.data.Dataset, got {type(dataset)}")
    return variant_of(dataset)


def from_variant(variant: Any, structure: Any) -> Dataset:
    """The dataset of a variant (`tf.data.experimental.from_variant`); ValueError where `structure` is not that of its elements."""
    held = isinstance(variant, Tensor) and not isinstance(variant, SymbolicTensor) and variant._t.dtype == object and variant.shape.rank == 0
    if not held and (not isinstance(variant, SymbolicTensor) or variant.dtype is not dtypes.variant):
        raise TypeError(f"from_variant expects what tf.data.experimental.to_variant gave, got {type(variant)}")
    made = dataset_of(variant, structure)
    if _compatible(structure, made.element_spec) is None:
        raise ValueError(f"The elements of the dataset are {made.element_spec}, not {structure}")
    return made


_compatible = structure.compatible
