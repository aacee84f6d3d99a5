"""`tf.compat.v1.data`: what iterators and data sets were asked by functions."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

__all__ = ["get_output_classes", "get_output_shapes", "get_output_types", "make_initializable_iterator", "make_one_shot_iterator"]


def _specs(dataset_or_iterator: Any, of: Any) -> Any:
    return tf.nest.map_structure(of, dataset_or_iterator.element_spec)


def get_output_types(dataset_or_iterator: Any) -> Any:
    """The dtypes of an element's components."""
    return _specs(dataset_or_iterator, lambda s: s.dtype)


def get_output_shapes(dataset_or_iterator: Any) -> Any:
    """The shapes of an element's components."""
    return _specs(dataset_or_iterator, lambda s: s.shape)


def get_output_classes(dataset_or_iterator: Any) -> Any:
    """The classes of an element's components."""
    return _specs(dataset_or_iterator, lambda s: s.value_type)


def make_one_shot_iterator(dataset: Any) -> Any:
    """An iterator over the elements, with `get_next`."""
    return iter(dataset)


def make_initializable_iterator(dataset: Any, shared_name: str | None = None) -> Any:
    """RuntimeError, as in TensorFlow: eager code iterates with `iter`."""
    raise RuntimeError(
        "dataset.make_initializable_iterator is not supported when eager execution is enabled. Use `for element in dataset` instead."
    )


def __getattr__(name: str) -> Any:
    return getattr(tf.data, name)
