"""`tf.data.experimental`: earlier names of dataset methods, and what has no other home."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import errors
from .._engine import dtypes
from .._engine.specs import TensorSpec
from .._engine.tensor import Tensor
from .._names import module_getattr
from . import structure
from .dataset import AUTOTUNE, Dataset
from .options import (
    AutoShardPolicy,
    AutotuneAlgorithm,
    AutotuneOptions,
    DistributeOptions,
    ExternalStatePolicy,
    OptimizationOptions,
    ServiceOptions,
    ThreadingOptions,
)
from .stages import _Unary

INFINITE_CARDINALITY = -1
UNKNOWN_CARDINALITY = -2
SHARD_HINT = -1

__all__ = [
    "AUTOTUNE", "AutoShardPolicy", "AutotuneAlgorithm", "AutotuneOptions", "DistributeOptions", "ExternalStatePolicy",
    "INFINITE_CARDINALITY", "OptimizationOptions", "SHARD_HINT", "ServiceOptions", "ThreadingOptions", "UNKNOWN_CARDINALITY",
]  # fmt: skip

Transformation = Callable[[Dataset], Dataset]


def cardinality(dataset: Dataset) -> Tensor:
    """The number of elements: int64; -1 for infinite, -2 for unknown."""
    return dataset.cardinality()


class _AssertCardinalityDataset(_Unary):
    def __init__(self, source: Dataset, expected: int) -> None:
        super().__init__(source)
        self._expected = expected

    def _cardinality(self) -> int:
        return self._expected

    def _components(self) -> Any:
        n = 0
        for flat in self._source._components():
            n += 1
            if 0 <= self._expected < n:
                raise errors.FailedPreconditionError(
                    None, None, f"Input dataset was expected to contain {self._expected} elements but contained at least {n} elements. [Op:IteratorGetNext] name: "
                )
            yield flat
        if self._expected == INFINITE_CARDINALITY or n < self._expected:
            shown = "an infinite number of" if self._expected == INFINITE_CARDINALITY else str(self._expected)
            raise errors.FailedPreconditionError(
                None, None, f"Input dataset was expected to contain {shown} elements but contained only {n} elements. [Op:IteratorGetNext] name: "
            )


def assert_cardinality(expected_cardinality: int) -> Transformation:
    """A transformation that says, and checks, how many elements there are."""
    return lambda dataset: _AssertCardinalityDataset(dataset, expected_cardinality)


def at(dataset: Dataset, index: Any) -> Any:
    """Element `index`; OutOfRangeError past the end."""
    for i, flat in enumerate(dataset._components()):
        if i == index:
            return structure.element(dataset._spec, flat)
    raise errors.OutOfRangeError(None, None, f"Index out of range [0, {dataset._cardinality()}):{index} [Op:GetElementAtIndex] name: ")


def get_single_element(dataset: Dataset) -> Any:
    """`Dataset.get_single_element`."""
    return dataset.get_single_element()


def get_structure(dataset_or_iterator: Any) -> Any:
    """The element spec."""
    try:
        return dataset_or_iterator.element_spec
    except AttributeError:
        raise TypeError(f"Invalid `dataset_or_iterator`. `dataset_or_iterator` must be a `tf.data.Dataset` or tf.data.Iterator object, but got {type(dataset_or_iterator)}.") from None


def get_next_as_optional(iterator: Any) -> Any:
    """`Iterator.get_next_as_optional`."""
    return iterator.get_next_as_optional()


def unbatch() -> Transformation:
    """`Dataset.unbatch`."""
    return lambda dataset: dataset.unbatch()


def unique() -> Transformation:
    """`Dataset.unique`."""
    return lambda dataset: dataset.unique()


def ignore_errors(log_warning: bool = False) -> Transformation:
    """`Dataset.ignore_errors`."""
    return lambda dataset: dataset.ignore_errors(log_warning)


def scan(initial_state: Any, scan_func: Any) -> Transformation:
    """`Dataset.scan`."""
    return lambda dataset: dataset.scan(initial_state, scan_func)


def take_while(predicate: Any) -> Transformation:
    """`Dataset.take_while`."""
    return lambda dataset: dataset.take_while(predicate)


def enumerate_dataset(start: Any = 0) -> Transformation:
    """`Dataset.enumerate`."""
    return lambda dataset: dataset.enumerate(start)


def shuffle_and_repeat(buffer_size: int, count: int | None = None, seed: int | None = None) -> Transformation:
    """`Dataset.shuffle`, then `Dataset.repeat`."""
    return lambda dataset: dataset.shuffle(buffer_size, seed).repeat(count)


def map_and_batch(
    map_func: Any, batch_size: int, num_parallel_batches: Any = None, drop_remainder: bool = False, num_parallel_calls: Any = None
) -> Transformation:
    """`Dataset.map`, then `Dataset.batch`."""
    if num_parallel_batches is not None and num_parallel_calls is not None:
        raise ValueError("`map_and_batch` allows only one of `num_parallel_batches` and `num_parallel_calls` to be set.")
    calls = num_parallel_calls if num_parallel_batches is None else batch_size * num_parallel_batches
    return lambda dataset: dataset.map(map_func, calls).batch(batch_size, drop_remainder)


def parallel_interleave(
    map_func: Any, cycle_length: int, block_length: int = 1, sloppy: bool | None = False, buffer_output_elements: Any = None, prefetch_input_elements: Any = None
) -> Transformation:
    """`Dataset.interleave` with parallel calls; the order is deterministic, `sloppy` or not."""
    return lambda dataset: dataset.interleave(map_func, cycle_length, block_length, cycle_length)


def group_by_window(key_func: Any, reduce_func: Any, window_size: Any = None, window_size_func: Any = None) -> Transformation:
    """`Dataset.group_by_window`."""
    return lambda dataset: dataset.group_by_window(key_func, reduce_func, window_size, window_size_func)


def bucket_by_sequence_length(
    element_length_func: Any,
    bucket_boundaries: Any,
    bucket_batch_sizes: Any,
    padded_shapes: Any = None,
    padding_values: Any = None,
    pad_to_bucket_boundary: bool = False,
    no_padding: bool = False,
    drop_remainder: bool = False,
) -> Transformation:
    """`Dataset.bucket_by_sequence_length`."""
    return lambda dataset: dataset.bucket_by_sequence_length(
        element_length_func, bucket_boundaries, bucket_batch_sizes, padded_shapes, padding_values, pad_to_bucket_boundary, no_padding,
        drop_remainder,
    )  # fmt: skip


def rejection_resample(class_func: Any, target_dist: Any, initial_dist: Any = None, seed: int | None = None) -> Transformation:
    """`Dataset.rejection_resample`."""
    return lambda dataset: dataset.rejection_resample(class_func, target_dist, initial_dist, seed)


def dense_to_ragged_batch(batch_size: int, drop_remainder: bool = False, row_splits_dtype: Any = dtypes.int64) -> Transformation:
    """`Dataset.ragged_batch`."""
    return lambda dataset: dataset.ragged_batch(batch_size, drop_remainder, row_splits_dtype)


def dense_to_sparse_batch(batch_size: int, row_shape: Any) -> Transformation:
    """`Dataset.sparse_batch`."""
    return lambda dataset: dataset.sparse_batch(batch_size, row_shape)


def sample_from_datasets(datasets: Any, weights: Any = None, seed: int | None = None, stop_on_empty_dataset: bool = False) -> Dataset:
    """`Dataset.sample_from_datasets`."""
    return Dataset.sample_from_datasets(datasets, weights, seed, stop_on_empty_dataset)


def choose_from_datasets(datasets: Any, choice_dataset: Any, stop_on_empty_dataset: bool = False) -> Dataset:
    """`Dataset.choose_from_datasets`."""
    return Dataset.choose_from_datasets(datasets, choice_dataset, stop_on_empty_dataset)


def Counter(start: Any = 0, step: Any = 1, dtype: Any = dtypes.int64) -> Dataset:
    """`Dataset.counter`."""
    return Dataset.counter(start, step, dtype)


def RandomDataset(seed: int | None = None, rerandomize_each_iteration: bool | None = None, name: str | None = None) -> Dataset:
    """`Dataset.random`."""
    return Dataset.random(seed, rerandomize_each_iteration)


def from_list(elements: Any, name: str | None = None) -> Dataset:
    """A dataset of the structures in a list, whose tensors may differ in shape; ValueError when it is empty or no list."""
    if not isinstance(elements, list):
        raise ValueError(f"Invalid `elements`. `elements` must be a list, got {type(elements).__name__}.")
    if not elements:
        raise ValueError("Invalid `elements`. `elements` should not be empty. For an empty dataset, use `tf.data.Dataset.from_tensors(...).take(0)`.")
    made = [structure.normalise(e) for e in elements]
    spec = structure.spec_of(made[0])
    for e in made[1:]:
        spec = structure.compatible(spec, structure.spec_of(e))
        if spec is None:
            raise ValueError("The elements of `elements` must have one structure and dtypes that agree")
    flats = [structure.components(e) for e in made]
    if all(type(s) is TensorSpec and s.shape.is_fully_defined() for s in structure.leaves(spec)):
        columns = [structure.delivered(structure.stack(list(c))) for c in zip(*flats, strict=True)]
        return Dataset.from_tensor_slices(structure.pack(spec, columns))
    return _ListDataset(flats, spec)


class _ListDataset(Dataset):
    """Elements whose components are not of one shape."""

    def __init__(self, flats: list[Any], spec: Any) -> None:
        self._flats, self._spec = flats, spec

    def _cardinality(self) -> int:
        return len(self._flats)

    def _components(self) -> Any:
        return iter(self._flats)


def copy_to_device(target_device: Any, source_device: Any = "/cpu:0") -> Transformation:
    """A transformation that copies every element to a device."""
    from .._engine.devices import parse

    class _CopyDataset(_Unary):
        def _components(self) -> Any:
            device = parse(target_device)
            for flat in self._source._components():
                yield [c.to(device, non_blocking=True) if hasattr(c, "to") else c for c in flat]

    parse(source_device)
    return _CopyDataset


def prefetch_to_device(device: Any, buffer_size: int | None = None) -> Transformation:
    """`copy_to_device`, then `Dataset.prefetch`."""
    return lambda dataset: copy_to_device(device)(dataset).prefetch(AUTOTUNE if buffer_size is None else buffer_size)


def save(dataset: Dataset, path: Any, compression: Any = None, shard_func: Any = None, checkpoint_args: Any = None) -> None:
    """`Dataset.save`."""
    dataset.save(path, compression, shard_func, checkpoint_args)


def load(path: Any, element_spec: Any = None, compression: Any = None, reader_func: Any = None) -> Dataset:
    """`Dataset.load`."""
    return Dataset.load(path, element_spec, compression, reader_func)


def snapshot(path: Any, compression: str = "AUTO", reader_func: Any = None, shard_func: Any = None) -> Transformation:
    """`Dataset.snapshot`."""
    return lambda dataset: dataset.snapshot(path, compression, reader_func, shard_func)


_missing = module_getattr("tf.data.experimental")
_LATER = {
    "CsvDataset": "csv", "DatasetInitializer": "tables", "Reducer": "reducing", "SqlDataset": "sql", "TFRecordWriter": "parsed",
    "enable_debug_mode": "functions", "from_variant": "variants", "group_by_reducer": "reducing", "index_table_from_dataset": "tables",
    "make_batched_features_dataset": "parsed", "make_csv_dataset": "csv", "pad_to_cardinality": "reducing", "parse_example_dataset": "parsed",
    "table_from_dataset": "tables", "to_variant": "variants",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "Optional":
        from ..experimental import Optional

        return Optional
    home = _LATER.get(name)
    if home is not None:
        import importlib

        return getattr(importlib.import_module(f"tf2compat.data.{home}"), name)
    raise _missing(name)
