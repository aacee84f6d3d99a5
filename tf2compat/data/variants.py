"""Datasets as variants and back."""

from __future__ import annotations

from typing import Any

from .._engine import dtypes
from .._engine.shapes import TensorShape
from . import structure
from .dataset import Dataset


class DatasetVariant:
    """A dataset without its element spec: what `to_variant` gives and `from_variant` takes. It is a scalar, but no tensor."""

    dtype = dtypes.variant
    shape = TensorShape([])

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def __repr__(self) -> str:
        return "<tf.Tensor: shape=(), dtype=variant, value=<DatasetVariantWrapper>>"


def to_variant(dataset: Any) -> DatasetVariant:
    """The dataset as a variant (`tf.data.experimental.to_variant`)."""
    if not isinstance(dataset, Dataset):
        raise TypeError(f"to_variant expects a tf.data.Dataset, got {type(dataset)}")
    return DatasetVariant(dataset)


def from_variant(variant: Any, structure: Any) -> Dataset:
    """The dataset of a variant (`tf.data.experimental.from_variant`); ValueError where `structure` is not that of its elements."""
    if not isinstance(variant, DatasetVariant):
        raise TypeError(f"from_variant expects what tf.data.experimental.to_variant gave, got {type(variant)}")
    found = variant._dataset.element_spec
    if _compatible(structure, found) is None:
        raise ValueError(f"The elements of the dataset are {found}, not {structure}")
    return variant._dataset


_compatible = structure.compatible
