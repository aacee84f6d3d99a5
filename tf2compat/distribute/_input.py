"""Datasets under a strategy. There is one pipeline; its batches are cut for several replicas."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from tf2compat._engine.op import wrap_here
from tf2compat._engine.specs import TensorSpec
from tf2compat.data import structure
from tf2compat.data.dataset import tf_eager
from tf2compat.data.iterator import OwnedIterator, StagedIterator
from tf2compat.data.stages import _Unary

from ._values import PerReplica, PerReplicaSpec


class InputReplicationMode(enum.Enum):
    """How often an input function is called (`tf.distribute.InputReplicationMode`)."""

    PER_WORKER = "PER_WORKER"
    PER_REPLICA = "PER_REPLICA"


class InputOptions(NamedTuple):
    """Options of distributed datasets (`tf.distribute.InputOptions`)."""

    experimental_fetch_to_device: bool = True
    experimental_replication_mode: InputReplicationMode = InputReplicationMode.PER_WORKER
    experimental_place_dataset_on_device: bool = False
    experimental_per_replica_buffer_size: int = 1


class InputContext:
    """Which part of the input a function is asked for (`tf.distribute.InputContext`)."""

    def __init__(self, num_input_pipelines: int = 1, input_pipeline_id: int = 0, num_replicas_in_sync: int = 1) -> None:
        self._num_input_pipelines = num_input_pipelines
        self._input_pipeline_id = input_pipeline_id
        self._num_replicas_in_sync = num_replicas_in_sync

    @property
    def num_replicas_in_sync(self) -> int:
        return self._num_replicas_in_sync

    @property
    def input_pipeline_id(self) -> int:
        return self._input_pipeline_id

    @property
    def num_input_pipelines(self) -> int:
        return self._num_input_pipelines

    def get_per_replica_batch_size(self, global_batch_size: int) -> int:
        """The global batch size over the number of replicas; ValueError when it does not divide."""
        if global_batch_size % self._num_replicas_in_sync != 0:
            raise ValueError(
                f"The `global_batch_size` {global_batch_size!r} is not divisible by `num_replicas_in_sync` {self._num_replicas_in_sync!r} "
            )
        return global_batch_size // self._num_replicas_in_sync

    def __str__(self) -> str:
        return f"tf.distribute.InputContext(input pipeline id {self._input_pipeline_id}, total: {self._num_input_pipelines})"


def one_pipeline(strategy: Any) -> InputContext:
    return InputContext(1, 0, strategy.num_replicas_in_sync)


class DistributedIterator(OwnedIterator):
    """An iterator over a `DistributedDataset` (`tf.distribute.DistributedIterator`)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not args and not kwargs:
            raise TypeError("tf.distribute.DistributedIterator is made by iter() of a tf.distribute.DistributedDataset")
        super().__init__(*args, **kwargs)


class _Initializable(DistributedIterator):
    """An iterator that can start again."""

    def initialize(self) -> None:
        self._flat = self._dataset._components()
        self._position = 0

    @property
    def initializer(self) -> Callable[[], None]:
        return self.initialize


class DistributedDataset:
    """A dataset whose elements are spread over a strategy's replicas (`tf.distribute.DistributedDataset`)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not args and not kwargs:
            raise TypeError("tf.distribute.DistributedDataset is made by Strategy.experimental_distribute_dataset")
        self._made(*args, **kwargs)

    def _made(self, dataset: Any, strategy: Any) -> None:
        self._dataset = dataset
        self._strategy = strategy

    @property
    def element_spec(self) -> Any:
        """The structure of specs of an element."""
        return self._dataset.element_spec

    @property
    def _type_spec(self) -> Any:
        return self._dataset._type_spec

    @property
    def cardinality(self) -> Any:
        """The number of elements: a NumPy int64; -1 for infinite, -2 for unknown."""
        return np.int64(self._dataset._cardinality())

    def _components(self) -> Any:
        return self._dataset._components()

    def _with_initializer(self) -> Any:
        return _Initializable(self._dataset)

    def __iter__(self) -> DistributedIterator:
        if not tf_eager():
            return StagedIterator(self._dataset)  # type: ignore[return-value]
        return DistributedIterator(self._dataset)


class _PerReplicaDataset(_Unary):
    """Elements for several replicas: batches cut in parts (`split`), or as many elements of the source."""

    def __init__(self, source: Any, count: int, split: bool) -> None:
        super().__init__(source)
        self._count = count
        self._split = split and all(getattr(s, "shape", None) is None or s.shape.rank != 0 for s in structure.leaves(source._spec))
        self._spec = structure.map_leaves(self._specs, source._spec)

    def _specs(self, spec: Any) -> Any:
        if not self._split or not isinstance(spec, TensorSpec) or spec.shape.rank in (None, 0):
            return PerReplicaSpec(*[spec] * self._count)
        rows, rest = spec.shape[0], spec.shape[1:].as_list()
        sizes = [None] * self._count if rows is None else [b - a for a, b in _parts(rows, self._count)]
        return PerReplicaSpec(*[TensorSpec([n, *rest], spec.dtype) for n in sizes])

    def _cardinality(self) -> int:
        n = self._source._cardinality()
        return n if self._split or n < 0 else -(-n // self._count)

    def _components(self) -> Any:
        if self._split:
            for flat in self._source._components():
                parts = _parts(_rows(flat[0]), self._count)
                yield [PerReplica([_part(c, a, b) for a, b in parts]) for c in flat]
            return
        source = iter(self._source._components())
        while group := list(itertools.islice(source, self._count)):
            group += [[_part(c, 0, 0) for c in group[0]]] * (self._count - len(group))
            yield [PerReplica([_part(c, 0, None) for c in cs]) for cs in zip(*group, strict=True)]


def _parts(rows: int, count: int) -> list[tuple[int, int]]:
    size = -(-rows // count)
    return [(min(i * size, rows), min((i + 1) * size, rows)) for i in range(count)]


def _rows(component: Any) -> int:
    return component.shape[0] if isinstance(component, (torch.Tensor, np.ndarray)) else int(component.nrows())


def _part(component: Any, start: int, stop: int | None) -> Any:
    if isinstance(component, (torch.Tensor, np.ndarray)):
        return wrap_here(component[start:stop] if component.ndim else component)
    return component if stop is None else component[start:stop]


def distributed(dataset: Any, strategy: Any, split: bool = False) -> Any:
    """A dataset as a strategy's, its batches cut in parts for several replicas with `split`; TypeError for what is none."""
    if isinstance(dataset, DistributedDataset):
        raise ValueError("We do not support calling `experimental_distribute_dataset` on a distributed dataset.")
    if not hasattr(dataset, "_components") or not hasattr(dataset, "element_spec"):
        raise TypeError(f"Expected a tf.data.Dataset, got {type(dataset).__name__}: {dataset!r}")
    if strategy.num_replicas_in_sync > 1:
        return DistributedDataset(_PerReplicaDataset(dataset, strategy.num_replicas_in_sync, split), strategy)
    return strategy._distributed_dataset(dataset) if hasattr(strategy, "_distributed_dataset") else DistributedDataset(dataset, strategy)
