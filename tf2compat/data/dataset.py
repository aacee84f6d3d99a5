"""`tf.data.Dataset`: the public class. What each transformation does is in `sources`, `stages`, `combining`, `grouping`."""

from __future__ import annotations

import collections.abc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from .. import errors
from .._engine import dtypes, state
from .._engine.convert import convert_to_tensor
from .._engine.devices import hosted
from .._engine.op import wrap_here
from .._engine.shapes import TensorShape
from .._engine.specs import TensorSpec, TypeSpec
from .._engine.tensor import Tensor
from . import structure
from .iterator import NumpyIterator, OwnedIterator, StagedIterator
from .options import Options

AUTOTUNE = -1
INFINITE = -1
UNKNOWN = -2


def number(value: Any, name: str = "count") -> int:
    """A Python int from an int or an integer scalar tensor; TypeError otherwise."""
    if type(value) is int:
        return value
    tensor = convert_to_tensor(value, dtypes.int64) if not hasattr(value, "dtype") else convert_to_tensor(value)
    if not tensor.dtype.is_integer or tensor.shape.rank not in (0, None):
        raise TypeError(f"{name} must be an integer scalar, got {value!r}")
    static = getattr(tensor, "_static_value", None)
    if static is not None:  # of a function that is being traced
        known = static()
        return Unknown.of(tensor, 1) if known is None else int(known)
    return int(tensor)


class Dataset(collections.abc.Iterable):
    """A sequence of elements, each a structure of tensors, and the transformations to build one (`tf.data.Dataset`)."""

    _spec: Any
    _inputs: tuple[Any, ...] = ()

    def __init__(self, variant_tensor: Any = None) -> None:
        if type(self) is Dataset:
            raise TypeError("tf.data.Dataset is built by Dataset.from_tensor_slices, Dataset.range and the like")

    # --- what a stage defines ----------------------------------------------------------------------------------------
    def _components(self) -> Iterator[Any]:
        """The elements as flat lists of components."""
        raise NotImplementedError(type(self).__name__)

    def _cardinality(self) -> int:
        return UNKNOWN

    def _indexed(self) -> Any:
        """An `Indexed` view when elements are rows of tensors in some order, else None."""
        return None

    def _blocks(self) -> Any:
        """The elements in blocks (see `blocks`), where they come or can be made several at a time, else None."""
        return None

    def _remade(self) -> None:
        """Called when values have come in the place of symbolic tensors."""

    def _describe(self) -> str:
        return type(self).__name__.strip("_").removesuffix("Dataset")

    # --- description -------------------------------------------------------------------------------------------------
    @property
    def element_spec(self) -> Any:
        """The structure of specs of an element."""
        return self._spec

    @property
    def _type_spec(self) -> DatasetSpec:
        return DatasetSpec(self._spec)

    def _tf_staged(self) -> Dataset:
        """The dataset as a composite of one tensor, a variant: what functions take and return."""
        from .variants import staged

        return staged(self)

    def _graph_state(self) -> dict[str, Any]:
        """What a saved function keeps of the stage. NotSaveable follows from what has no form outside of this process."""
        kept = {k: v for k, v in vars(self).items() if k not in self._not_saved}
        if hasattr(self, "_saved_seeds"):
            kept = {k: v for k, v in kept.items() if k not in ("_rng", "_exact")} | {"_seeds": self._saved_seeds()}
        return kept

    @classmethod
    def _of_graph_state(cls, state: Any) -> Dataset:
        if not isinstance(state, dict) or not all(isinstance(k, str) and not k.startswith("__") for k in state):
            raise ValueError("the state of a pipeline is not that of a pipeline")
        made = cls.__new__(cls)
        vars(made).update(state)
        if "_seeds" in state:
            made._begin(vars(made).pop("_seeds"))
        made._revived()
        return made

    #: attributes that are made again when a saved function is loaded
    _not_saved: frozenset[str] = frozenset()

    def _revived(self) -> None:
        """Make what was not saved."""

    @property
    def _t(self) -> Any:
        """What stands for the dataset among the storages of an element."""
        from .variants import boxed

        return boxed(self)

    @staticmethod
    def _tf_variants(datasets: list[Any]) -> Any:
        from .variants import DatasetVector

        return DatasetVector.of(datasets)

    _tf_stack = _tf_variants

    def cardinality(self) -> Tensor:
        """The number of elements: int64; -1 for infinite, -2 for unknown."""
        if not tf_eager():
            from .._engine.control import cardinality
            from .recipes import recipe

            made = recipe(self)
            if made is not None:
                return cardinality(made)
        return wrap_here(torch.tensor(self._cardinality(), dtype=torch.int64))

    def __len__(self) -> int:
        if not tf_eager():
            raise TypeError(
                "`tf.data.Dataset` only supports `len` in eager mode. Use `tf.data.Dataset.cardinality()` instead."
            )
        n = self._cardinality()
        if n == INFINITE:
            raise TypeError("The dataset is infinite.")
        if n == UNKNOWN:
            raise TypeError("The dataset length is unknown.")
        return n

    def __bool__(self) -> bool:
        return True

    __nonzero__ = __bool__

    def __repr__(self) -> str:
        return f"<{type(self).__name__} element_spec={self._spec!r}>"

    def __iter__(self) -> OwnedIterator:
        return OwnedIterator(self) if tf_eager() else StagedIterator(self)  # type: ignore[return-value]

    def as_numpy_iterator(self) -> NumpyIterator:
        """Elements as NumPy values; TypeError for elements that have none."""
        for spec in structure.leaves(self._spec):
            if not hasattr(spec, "dtype") and not hasattr(spec, "_element_spec"):
                raise TypeError(f"`tf.data.Dataset.as_numpy_iterator()` is not supported for datasets that produce values of type {spec.value_type}")
        return NumpyIterator(self)

    def options(self) -> Options:
        """The options of this dataset and its inputs together."""
        merged = Options()
        for d in self._inputs:
            merged = merged.merge(d.options())
        return merged

    def explain(self) -> str:
        """Print, and return, the stages as they will run."""
        lines: list[str] = []

        def walk(d: Any, depth: int) -> None:
            view = d._indexed()
            how = f"  [rows of tensors by index: {view.text()}]" if view is not None else ""
            lines.append("  " * depth + d._describe() + how)
            if view is None:
                for i in d._inputs:
                    walk(i, depth + 1)

        walk(self, 0)
        text = "\n".join(lines)
        print(text)
        return text

    def fingerprint(self) -> Tensor:
        """A number that depends on the stages and their settings, uint64."""
        import hashlib

        digest = hashlib.sha256(repr([self._describe(), repr(self._spec), [int(i.fingerprint()) for i in self._inputs]]).encode()).digest()
        return convert_to_tensor(np.uint64(int.from_bytes(digest[:8], "little")))

    # --- sources -----------------------------------------------------------------------------------------------------
    @staticmethod
    def from_tensors(tensors: Any, name: str | None = None) -> Dataset:
        """One element."""
        from .sources import _TensorDataset

        return _TensorDataset(tensors)

    @staticmethod
    def from_tensor_slices(tensors: Any, name: str | None = None) -> Dataset:
        """An element for each row of the tensors in a structure. ValueError for scalars and rows that differ in number."""
        from .sources import _TensorSliceDataset

        return _TensorSliceDataset(tensors)

    @staticmethod
    def from_generator(
        generator: Callable[..., Any],
        output_types: Any = None,
        output_shapes: Any = None,
        args: Any = None,
        output_signature: Any = None,
        name: str | None = None,
    ) -> Dataset:
        """The elements that `generator(*args)` yields, checked against the signature."""
        from .sources import _GeneratorDataset, generator_spec

        if not callable(generator):
            raise TypeError("`generator` must be a Python callable.")
        return _GeneratorDataset(generator, generator_spec(output_types, output_shapes, output_signature), args)

    @staticmethod
    def range(*args: Any, **kwargs: Any) -> Dataset:
        """`range(stop)`, `range(start, stop)`, `range(start, stop, step)`; `output_type` int64 unless given."""
        from .sources import _RangeDataset

        output_type = dtypes.as_dtype(kwargs.pop("output_type", dtypes.int64))
        kwargs.pop("name", None)
        if kwargs:
            raise TypeError(f"Dataset.range got unexpected keyword arguments {list(kwargs)}")
        if not 1 <= len(args) <= 3:
            raise ValueError(f"Invalid `args`. The length of `args` should be between 1 and 3. Actual: {len(args)}")
        return _RangeDataset([_int64(a) for a in args], output_type)

    @staticmethod
    def counter(start: Any = 0, step: Any = 1, dtype: Any = dtypes.int64, name: str | None = None) -> Dataset:
        """Counts from `start` for ever."""
        from .sources import _CounterDataset

        return _CounterDataset(start, step, dtypes.as_dtype(dtype))

    @staticmethod
    def random(seed: int | None = None, rerandomize_each_iteration: bool | None = None, name: str | None = None) -> Dataset:
        """Random int64 numbers in [0, 2**32) for ever."""
        from .sources import _RandomDataset

        return _RandomDataset(seed, rerandomize_each_iteration)

    @staticmethod
    def list_files(file_pattern: Any, shuffle: bool | None = None, seed: int | None = None, name: str | None = None) -> Dataset:
        """Names of files that match glob patterns, shuffled unless `shuffle` is False. InvalidArgumentError for no match."""
        from .sources import list_files

        return list_files(file_pattern, shuffle, seed)

    @staticmethod
    def zip(*args: Any, datasets: Any = None, name: str | None = None) -> Dataset:
        """Elements of several datasets side by side, in the structure of the arguments."""
        from .combining import _ZipDataset

        if not args and datasets is None:
            raise TypeError("Must pass at least one dataset to `zip`.")
        if args and datasets is not None:
            raise TypeError("Both `*args` and `datasets` cannot be set.")
        return _ZipDataset(args[0] if len(args) == 1 else args if args else datasets)

    @staticmethod
    def sample_from_datasets(
        datasets: Any,
        weights: Any = None,
        seed: int | None = None,
        stop_on_empty_dataset: bool = False,
        rerandomize_each_iteration: bool | None = None,
    ) -> Dataset:
        """Elements of `datasets` at random, by `weights`."""
        from .combining import sample

        return sample(datasets, weights, seed, stop_on_empty_dataset, rerandomize_each_iteration)

    @staticmethod
    def choose_from_datasets(datasets: Any, choice_dataset: Any, stop_on_empty_dataset: bool = True) -> Dataset:
        """Elements of `datasets` in the order that the int64 numbers of `choice_dataset` name."""
        from .combining import choose

        return choose(datasets, choice_dataset, stop_on_empty_dataset)

    @staticmethod
    def load(path: Any, element_spec: Any = None, compression: Any = None, reader_func: Any = None, wait: bool = False) -> Dataset:
        """A dataset that `save` wrote."""
        from .saving import load

        return load(path, element_spec, compression, reader_func, wait)

    # --- stages ------------------------------------------------------------------------------------------------------
    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: Any = None,
        deterministic: bool | None = None,
        synchronous: bool | None = None,
        use_unbounded_threadpool: bool = False,
        name: str | None = None,
    ) -> Dataset:
        """`map_func` of each element, traced once. With `num_parallel_calls`, Python and decoding work goes to threads."""
        from .stages import _MapDataset, _ParallelMapDataset

        if synchronous and num_parallel_calls is not None:
            raise ValueError("`synchronous` is not supported with `num_parallel_calls`, but `num_parallel_calls` was set to " f"{num_parallel_calls}.")
        if num_parallel_calls is None:
            return _MapDataset(self, map_func, bool(synchronous))
        return _ParallelMapDataset(self, map_func, number(num_parallel_calls), deterministic)

    def flat_map(self, map_func: Callable[..., Any], name: str | None = None) -> Dataset:
        """The elements of the datasets that `map_func` makes of each element, one dataset after the other."""
        from .combining import _FlatMapDataset

        return _FlatMapDataset(self, map_func)

    def interleave(
        self,
        map_func: Callable[..., Any],
        cycle_length: Any = None,
        block_length: Any = None,
        num_parallel_calls: Any = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """As `flat_map`, `cycle_length` datasets at a time in turns of `block_length` elements."""
        from .combining import _InterleaveDataset, _ParallelInterleaveDataset

        cls = _InterleaveDataset if num_parallel_calls is None else _ParallelInterleaveDataset
        return cls(self, map_func, AUTOTUNE if cycle_length is None else number(cycle_length), 1 if block_length is None else number(block_length))

    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """The elements for which `predicate` is true."""
        from .stages import _FilterDataset

        return _FilterDataset(self, predicate)

    def take_while(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """Elements up to the first for which `predicate` is false."""
        from .stages import _TakeWhileDataset

        return _TakeWhileDataset(self, predicate)

    def scan(self, initial_state: Any, scan_func: Callable[..., Any], name: str | None = None) -> Dataset:
        """A map that carries a state: `scan_func(state, element)` gives (new state, output)."""
        from .stages import _ScanDataset

        return _ScanDataset(self, initial_state, scan_func)

    def reduce(self, initial_state: Any, reduce_func: Callable[..., Any], name: str | None = None) -> Any:
        """The state after `reduce_func(state, element)` for every element."""
        from .stages import reduce

        return reduce(self, initial_state, reduce_func)

    def batch(
        self,
        batch_size: Any,
        drop_remainder: bool = False,
        num_parallel_calls: Any = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """`batch_size` elements stacked into one. Batches come in order, however many calls may run in parallel."""
        from .batching import _BatchDataset, _ParallelBatchDataset

        if num_parallel_calls is not None:
            return _ParallelBatchDataset(self, number(batch_size, "batch_size"), bool(drop_remainder))
        return _BatchDataset(self, number(batch_size, "batch_size"), bool(drop_remainder))

    def padded_batch(
        self, batch_size: Any, padded_shapes: Any = None, padding_values: Any = None, drop_remainder: bool = False, name: str | None = None
    ) -> Dataset:
        """As `batch`, padding each tensor to the longest of its batch, or to `padded_shapes`."""
        from .batching import _PaddedBatchDataset

        return _PaddedBatchDataset(self, number(batch_size, "batch_size"), padded_shapes, padding_values, bool(drop_remainder))

    def ragged_batch(self, batch_size: Any, drop_remainder: bool = False, row_splits_dtype: Any = dtypes.int64, name: str | None = None) -> Dataset:
        """As `batch`, elements of different sizes becoming ragged tensors."""
        from .batching import ragged_batch

        return ragged_batch(self, number(batch_size, "batch_size"), bool(drop_remainder), dtypes.as_dtype(row_splits_dtype))

    def sparse_batch(self, batch_size: Any, row_shape: Any, name: str | None = None) -> Dataset:
        """As `batch`, elements becoming rows of a sparse tensor."""
        from .batching import sparse_batch

        return sparse_batch(self, number(batch_size, "batch_size"), TensorShape(row_shape))

    def unbatch(self, name: str | None = None) -> Dataset:
        """The rows of each element."""
        from .batching import _UnbatchDataset

        return _UnbatchDataset(self)

    def rebatch(self, batch_size: Any, drop_remainder: bool = False, name: str | None = None) -> Dataset:
        """Batches of other sizes: an int, or a list of sizes in turn."""
        from .batching import _RebatchDataset

        return _RebatchDataset(self, batch_size, bool(drop_remainder))

    def shuffle(self, buffer_size: Any, seed: Any = None, reshuffle_each_iteration: bool | None = True, name: str | None = None) -> Dataset:
        """Elements in random order, drawn from a buffer of `buffer_size`."""
        from .stages import _ShuffleDataset

        return _ShuffleDataset(self, buffer_size if buffer_size is None else number(buffer_size, "buffer_size"), seed, reshuffle_each_iteration)

    def repeat(self, count: Any = None, name: str | None = None) -> Dataset:
        """The dataset `count` times, or for ever (None or -1)."""
        from .stages import _RepeatDataset

        return _RepeatDataset(self, -1 if count is None else number(count))

    def take(self, count: Any, name: str | None = None) -> Dataset:
        """At most `count` elements; all for -1."""
        from .stages import _TakeDataset

        return _TakeDataset(self, number(count))

    def skip(self, count: Any, name: str | None = None) -> Dataset:
        """All but the first `count` elements; none for -1."""
        from .stages import _SkipDataset

        return _SkipDataset(self, number(count))

    def shard(self, num_shards: Any, index: Any, name: str | None = None) -> Dataset:
        """Every `num_shards`-th element, from the one at `index`."""
        from .stages import _ShardDataset

        return _ShardDataset(self, number(num_shards), number(index))

    def cache(self, filename: Any = "", name: str | None = None) -> Dataset:
        """Keep the elements of the first full iteration, in memory or in a file."""
        from .caching import CacheDataset

        return CacheDataset(self, filename)

    def prefetch(self, buffer_size: Any, name: str | None = None) -> Dataset:
        """Prepare up to `buffer_size` elements ahead, in a thread; None is `tf.data.AUTOTUNE`."""
        from .threads import _PrefetchDataset

        return _PrefetchDataset(self, -1 if buffer_size is None else number(buffer_size, "buffer_size"))

    def enumerate(self, start: Any = 0, name: str | None = None) -> Dataset:
        """Pairs (number, element), numbers from `start`."""
        from .combining import _ZipDataset
        from .sources import _CounterDataset

        return _ZipDataset((_CounterDataset(start, 1, dtypes.int64), self))

    def concatenate(self, dataset: Any, name: str | None = None) -> Dataset:
        """This dataset, then another of compatible elements; TypeError otherwise."""
        from .combining import _ConcatenateDataset

        return _ConcatenateDataset(self, dataset)

    def window(self, size: Any, shift: Any = None, stride: Any = 1, drop_remainder: bool = False, name: str | None = None) -> Dataset:
        """Datasets of `size` elements, `stride` apart, each beginning `shift` after the last."""
        from .grouping import _WindowDataset

        size = number(size)
        return _WindowDataset(self, size, size if shift is None else number(shift), number(stride), bool(drop_remainder))

    def group_by_window(
        self, key_func: Any, reduce_func: Any, window_size: Any = None, window_size_func: Any = None, name: str | None = None
    ) -> Dataset:
        """Elements of one key gathered in windows, each reduced to a dataset."""
        from .grouping import _GroupByWindowDataset

        if (window_size is None) == (window_size_func is None):
            raise ValueError("Either the `window_size` argument or the `window_size_func` argument must be specified.")
        return _GroupByWindowDataset(self, key_func, reduce_func, window_size, window_size_func)

    def bucket_by_sequence_length(
        self,
        element_length_func: Any,
        bucket_boundaries: Any,
        bucket_batch_sizes: Any,
        padded_shapes: Any = None,
        padding_values: Any = None,
        pad_to_bucket_boundary: bool = False,
        no_padding: bool = False,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Dataset:
        """Batches of elements of similar length."""
        from .grouping import bucket_by_sequence_length

        return bucket_by_sequence_length(
            self, element_length_func, bucket_boundaries, bucket_batch_sizes, padded_shapes, padding_values, pad_to_bucket_boundary,
            no_padding, drop_remainder,
        )  # fmt: skip

    def unique(self, name: str | None = None) -> Dataset:
        """Elements not seen before; for one integer or string tensor."""
        from .stages import _UniqueDataset

        return _UniqueDataset(self)

    def rejection_resample(
        self, class_func: Any, target_dist: Any, initial_dist: Any = None, seed: int | None = None, name: str | None = None
    ) -> Dataset:
        """(class, element) pairs whose classes follow `target_dist`, by dropping and repeating."""
        from .grouping import rejection_resample

        return rejection_resample(self, class_func, target_dist, initial_dist, seed)

    def ignore_errors(self, log_warning: bool = False, name: str | None = None) -> Dataset:
        """Drop elements whose computation fails."""
        from .stages import _IgnoreErrorsDataset

        return _IgnoreErrorsDataset(self, log_warning)

    def snapshot(self, path: Any, compression: str = "AUTO", reader_func: Any = None, shard_func: Any = None, name: str | None = None) -> Dataset:
        """Write the elements to disk on the first full iteration, and read them from there afterwards."""
        from .saving import snapshot

        return snapshot(self, path, compression, reader_func, shard_func)

    def save(self, path: Any, compression: Any = None, shard_func: Any = None, checkpoint_args: Any = None) -> None:
        """Write all elements to a directory that `load` reads."""
        from .saving import save

        save(self, path, compression, shard_func, checkpoint_args)

    def get_single_element(self, name: str | None = None) -> Any:
        """The only element; InvalidArgumentError when there are none or several."""
        if not tf_eager():
            from .._engine.control import single_element

            return single_element(self)
        return structure.element(self._spec, self._single())

    @hosted
    def _single(self) -> Any:
        flat = self._components()
        try:
            first = next(flat)
        except StopIteration:
            raise errors.InvalidArgumentError(None, None, "Dataset was empty. [Op:DatasetToSingleElement] name: ") from None
        for _ in flat:
            raise errors.InvalidArgumentError(None, None, "Dataset had more than one element. [Op:DatasetToSingleElement] name: ")
        return first

    def apply(self, transformation_func: Callable[[Any], Any]) -> Dataset:
        """`transformation_func(self)`; TypeError unless it is a dataset."""
        dataset = transformation_func(self)
        if not isinstance(dataset, Dataset):
            raise TypeError(f"`transformation_func` must return a `tf.data.Dataset` object. Got {type(dataset)}.")
        return dataset

    def with_options(self, options: Options, name: str | None = None) -> Dataset:
        """This dataset with further options."""
        from .stages import _OptionsDataset

        return _OptionsDataset(self, options)


# what TensorFlow calls the class
Dataset.__qualname__ = Dataset.__name__ = "DatasetV2"


def tf_eager() -> bool:
    return state.local.graph is None


def _int64(value: Any) -> int:
    tensor = convert_to_tensor(value, dtypes.int64) if not isinstance(value, Tensor) else value
    static = getattr(tensor, "_static_value", None)
    if static is not None:
        known = static()
        return Unknown.of(tensor, 0) if known is None else int(known)
    return int(tensor)


class Unknown(int):
    """A number that is only known when the function that is being traced runs: the value of `tensor`."""

    tensor: Any

    @staticmethod
    def of(tensor: Any, stands: int) -> Unknown:
        """One that counts as `stands` until then."""
        made = Unknown(stands)
        made.tensor = tensor
        return made


class DatasetSpec(TypeSpec):
    """The spec of a dataset (`tf.data.DatasetSpec`)."""

    def __init__(self, element_spec: Any, dataset_shape: Any = ()) -> None:
        self._element_spec = element_spec
        self._dataset_shape = TensorShape(dataset_shape)

    @property
    def element_spec(self) -> Any:
        return self._element_spec

    @property
    def value_type(self) -> type:
        return Dataset

    @staticmethod
    def from_value(value: Any) -> DatasetSpec:
        return DatasetSpec(value.element_spec)

    def _serialize(self) -> tuple[Any, ...]:
        return self._element_spec, self._dataset_shape

    def _batch(self, size: int | None) -> DatasetSpec:
        return DatasetSpec(self._element_spec, [size, *self._dataset_shape.as_list()])

    def _unbatch(self) -> DatasetSpec:
        if not self._dataset_shape.rank:
            raise ValueError("Slicing dataset elements is not supported for rank 0.")
        return DatasetSpec(self._element_spec, self._dataset_shape[1:])

    @property
    def _component_specs(self) -> Any:
        return TensorSpec(self._dataset_shape, dtypes.variant)

    def _tf_static(self) -> Any:
        return structure.key_of(self._element_spec)

    def _from_components(self, parts: Any) -> Dataset:
        from .variants import dataset_of

        return dataset_of(parts[0] if isinstance(parts, list) else parts, self._element_spec)

    def _placeholder(self) -> Dataset:
        from .sources import _EmptyDataset

        return _EmptyDataset(self._element_spec)

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        other = spec_or_value if isinstance(spec_or_value, DatasetSpec) else getattr(spec_or_value, "_type_spec", None)
        return isinstance(other, DatasetSpec) and structure.compatible(self._element_spec, other._element_spec) is not None


def is_scalar_spec(spec: Any) -> bool:
    return type(spec) is TensorSpec and spec.shape.rank == 0
