"""Datasets of parsed Examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._engine.dtypes import string
from .._engine.specs import TensorSpec
from .csv import file_names, shuffled_and_repeated
from .dataset import AUTOTUNE, Dataset


def parse_example_dataset(features: Any, num_parallel_calls: Any = 1, deterministic: bool | None = None) -> Callable[[Dataset], Dataset]:
    """A transformation from vectors of serialized Examples to dicts of their features (`tf.data.experimental.parse_example_dataset`)."""
    if features is None:
        raise ValueError("Argument `features` is required, but not specified.")

    def apply(dataset: Dataset) -> Dataset:
        from ..io.parsing import parse_example

        spec = dataset.element_spec
        if type(spec) is not TensorSpec or spec.dtype is not string or spec.shape.rank != 1:
            raise TypeError(f"Input dataset should be a dataset of vectors of strings. Instead it is `{spec!r}`")
        return dataset.map(lambda text: parse_example(text, features), None if num_parallel_calls in (None, 1) else num_parallel_calls, deterministic)

    return apply


def make_batched_features_dataset(
    file_pattern: Any, batch_size: Any, features: Any, reader: Any = None, label_key: str | None = None, reader_args: Any = None,
    num_epochs: int | None = None, shuffle: bool = True, shuffle_buffer_size: int = 10000, shuffle_seed: Any = None,
    prefetch_buffer_size: int | None = None, reader_num_threads: int | None = None, parser_num_threads: int | None = None,
    sloppy_ordering: bool = False, drop_final_batch: bool = False,
) -> Dataset:  # fmt: skip
    """Batches of parsed Examples from files, as dicts or (dict, label) (`tf.data.experimental.make_batched_features_dataset`)."""
    from .readers import TFRecordDataset

    read = reader or TFRecordDataset
    names = file_names(file_pattern, False)
    files: Dataset = Dataset.from_tensor_slices(names)
    if shuffle:
        files = files.shuffle(len(names), shuffle_seed)
    arguments = list(reader_args or [])
    if len(names) == 1:
        dataset = read(names[0], *arguments)
    else:
        dataset = files.interleave(lambda name: read(name, *arguments), cycle_length=max(1, reader_num_threads or 1))
    if isinstance(dataset.element_spec, tuple):
        if len(dataset.element_spec) != 2:
            raise ValueError("Invalid `reader`. Expected it to give records, or pairs of a key and a record.")
        dataset = dataset.map(lambda _, value: value)
    dataset = shuffled_and_repeated(dataset, num_epochs, shuffle, shuffle_buffer_size, shuffle_seed)
    dataset = dataset.batch(batch_size, drop_remainder=drop_final_batch or num_epochs is None)
    dataset = dataset.apply(parse_example_dataset(features, parser_num_threads or 1))
    if label_key is not None:
        if label_key not in features:
            raise ValueError(f"The `label_key` provided ({label_key}) must be one of the `features` keys: {list(features)}.")

        def labelled(found: Any) -> Any:
            found = dict(found)
            label = found.pop(label_key)
            return found, label

        dataset = dataset.map(labelled)
    return dataset.prefetch(AUTOTUNE if prefetch_buffer_size is None else prefetch_buffer_size)


class TFRecordWriter:
    """Writes a dataset of scalar strings to a TFRecord file (`tf.data.experimental.TFRecordWriter`)."""

    def __init__(self, filename: Any, compression_type: Any = None) -> None:
        self._filename, self._compression = filename, compression_type

    def write(self, dataset: Any) -> None:
        """Write all elements. TypeError unless they are scalar strings."""
        import os

        from .._engine.convert import convert_to_tensor
        from ..io.records import TFRecordWriter as Writer

        if not isinstance(dataset, Dataset):
            raise TypeError(f"Invalid `dataset.` Expected a `tf.data.Dataset` object but got {type(dataset)}.")
        spec = dataset.element_spec
        if type(spec) is not TensorSpec or spec.dtype is not string or spec.shape.rank != 0:
            raise TypeError(f"Invalid `dataset`. Expected a`dataset` that produces scalar `tf.string` elements, but got a dataset which produces elements with spec {spec}.")
        name = self._filename if isinstance(self._filename, os.PathLike) else convert_to_tensor(self._filename, string).numpy()
        with Writer(os.fsdecode(name), self._compression) as out:
            for flat in dataset._components():
                out.write(flat[0][()])


