"""Pipelines from and to other libraries' data sets.

`tf2compat.data.from_torch` and `from_hugging_face` make a pipeline of a torch `DataLoader`, a torch `Dataset` or a Hugging Face
`datasets.Dataset`; `to_torch` makes a `torch.utils.data.IterableDataset` of a pipeline.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
import torch.utils.data as torch_data

from .. import _ports
from .._engine.convert import convert_to_tensor
from .._engine.devices import hosted
from .._engine.op import wrap_here
from .._engine.specs import TensorSpec
from .._engine.tensor import Tensor
from . import structure
from .dataset import UNKNOWN, Dataset
from .randomness import random_stages


class ForeignDataset(Dataset):
    """The elements of another library's iterable, checked against a spec."""

    def __init__(self, make: Callable[[], Iterator[Any]], spec: Any, count: int, what: str) -> None:
        self._make, self._spec, self._count, self._what = make, spec, count, what

    def _cardinality(self) -> int:
        return self._count

    def _describe(self) -> str:
        return f"From {self._what}"

    def _components(self) -> Iterator[Any]:
        from .. import errors

        specs = structure.leaves(self._spec)
        for value in self._make():
            flat = structure.components(tensors_of(value))
            if len(flat) != len(specs):
                raise errors.InvalidArgumentError(None, None, f"{self._what} gave an element of {len(flat)} parts where {self._spec} was expected")
            for part, spec in zip(flat, specs, strict=True):
                if type(spec) is TensorSpec and not spec.is_compatible_with(structure.delivered(part)):
                    raise errors.InvalidArgumentError(
                        None, None,
                        f"{self._what} gave an element of shape {tuple(part.shape)} and type {getattr(part, 'dtype', None)} where {spec} was "
                        "expected; tell from_torch the `output_signature` that covers all elements",
                    )  # fmt: skip
            yield flat


def tensors_of(value: Any) -> Any:
    """What a torch data set gives, as tensors: lists and tuples are tuples, texts are strings, images are arrays."""
    if isinstance(value, torch.Tensor):
        return wrap_here(value.detach())
    if isinstance(value, Tensor) or value is None:
        return value
    if isinstance(value, Mapping):
        return {str(k): tensors_of(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        if value and all(isinstance(v, (str, bytes)) for v in value):
            return convert_to_tensor(list(value))
        if hasattr(value, "_fields"):
            return type(value)(*map(tensors_of, value))
        return tuple(map(tensors_of, value))
    if hasattr(value, "mode") and hasattr(value, "__array_interface__"):  # a PIL image
        return convert_to_tensor(np.asarray(value))
    return convert_to_tensor(value)


def _spec(value: Any, batches: bool) -> Any:
    """The spec of elements such as this one; of batches, any number of rows."""

    def one(t: Any) -> Any:
        dims = t.shape.as_list()
        return TensorSpec([None, *dims[1:]] if batches and dims else dims, t.dtype)

    return structure.map_leaves(one, value)


def from_torch(source: Any, output_signature: Any = None) -> Dataset:
    """The batches of a torch `DataLoader`, or the elements of a torch `Dataset`, as a `tf.data.Dataset`.

    The first element tells the spec unless `output_signature` does. A `TensorDataset` becomes rows of tensors, which batch by
    a gather. TypeError for anything else.
    """
    if isinstance(source, torch_data.TensorDataset) and output_signature is None:
        return Dataset.from_tensor_slices(tuple(wrap_here(t) for t in source.tensors))
    if not isinstance(source, (torch_data.DataLoader, torch_data.Dataset)):
        raise TypeError(f"from_torch expects a torch.utils.data.DataLoader or Dataset, got {type(source)}")
    loader = isinstance(source, torch_data.DataLoader)
    iterable = loader or isinstance(source, torch_data.IterableDataset)
    try:
        count = len(source)  # type: ignore[arg-type]
    except (TypeError, NotImplementedError):
        count = UNKNOWN

    def make() -> Iterator[Any]:
        return iter(source) if iterable else (source[i] for i in range(count))

    if not iterable and count == UNKNOWN:
        raise TypeError(f"{type(source).__name__} has no length and is no IterableDataset")
    if output_signature is None:
        first = next(make(), None)
        if first is None:
            raise ValueError("from_torch cannot tell the spec of an empty data set; give it the `output_signature`")
        output_signature = _spec(tensors_of(first), loader and source.batch_size is not None)
    return ForeignDataset(make, output_signature, count, f"torch {type(source).__name__}")


def from_hugging_face(source: Any, output_signature: Any = None) -> Dataset:
    """The rows of a Hugging Face `datasets.Dataset` or `IterableDataset`, as dicts of tensors."""
    adapter = _ports.load("data_source", "hugging_face")
    if not adapter.accepts(source):
        raise TypeError(f"from_hugging_face expects a datasets.Dataset or datasets.IterableDataset, got {type(source)}")
    return adapter.dataset(source, output_signature)


class TorchPipeline(torch_data.IterableDataset):
    """A `tf.data` pipeline for a torch `DataLoader`: elements with torch tensors as leaves, strings as `bytes`.

    With several workers each gives its share of the elements. Worker processes that are spawned need a pipeline that pickles,
    which one with traced functions does not; forked ones (the default on Linux) take it as it is.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def __len__(self) -> int:
        return len(self._dataset)

    def __iter__(self) -> Iterator[Any]:
        dataset, info = self._dataset, torch_data.get_worker_info()
        if info is not None:
            _reseed(dataset, info.seed - info.id)
            dataset = dataset.shard(info.num_workers, info.id)
        spec = dataset.element_spec
        components = dataset._components()
        following = hosted(next)  # what a worker process makes of a GPU's tensors it could not use
        while (flat := following(components, None)) is not None:
            yield structure.pack(spec, [_leaf(part) for part in flat])

    def __reduce__(self) -> Any:
        try:
            state = pickle.dumps(self._dataset)
        except Exception as error:
            raise TypeError(
                "This tf.data pipeline cannot be pickled for a spawned DataLoader worker (traced functions do not pickle). Use "
                f"num_workers=0, or multiprocessing_context='fork'. ({type(error).__name__}: {error})"
            ) from error
        return _unpickled, (state,)


def _unpickled(state: bytes) -> TorchPipeline:
    return TorchPipeline(pickle.loads(state))


def _leaf(part: Any) -> Any:
    if isinstance(part, np.ndarray):
        return part[()] if part.ndim == 0 else part.tolist()
    return part


def _reseed(dataset: Any, epoch: int) -> None:
    """Give the random stages the same new state in every worker, so that together they give each element once."""
    for k, stage in enumerate(random_stages(dataset)):
        stage._restart([epoch, k])


def to_torch(dataset: Any) -> TorchPipeline:
    """A pipeline as a `torch.utils.data.IterableDataset`, for `DataLoader(to_torch(dataset), batch_size=None)`."""
    if not isinstance(dataset, Dataset):
        raise TypeError(f"to_torch expects a tf.data.Dataset, got {type(dataset)}")
    return TorchPipeline(dataset)
