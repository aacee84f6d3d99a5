"""Spreading a checkpoint over several files: what a program decides about it (`tf.train.experimental.ShardingCallback`)."""

from __future__ import annotations

import abc
import dataclasses
import inspect
import math
from collections.abc import Hashable, MutableMapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tf2compat._engine import dtypes
from tf2compat._engine.logs import get_logger
from tf2compat._engine.shapes import TensorShape
from tf2compat._engine.slice_info import SaveSliceInfo
from tf2compat._engine.tensor import Tensor, wrap
from tf2compat._ports.checkpoint import Part, TensorData
from tf2compat.train._saving import OBJECT_GRAPH_KEY
from tf2compat.train._tensors import to_data, to_storage

_log = get_logger()
#: checkpoint key -> {text of the part: tensor}
Shard = MutableMapping[str, MutableMapping[str, Tensor]]


class _SaveSpec(NamedTuple):
    tensor: Tensor
    slice_spec: str
    name: str
    dtype: Any
    device: Any


@dataclasses.dataclass(frozen=True)
class ShardableTensor:
    """A tensor that is about to be saved, for a sharding callback (`tf.train.experimental.ShardableTensor`)."""

    _tensor_save_spec: Any
    tensor: Any
    dtype: Any
    device: Any
    name: str
    shape: Any
    slice_spec: Any
    checkpoint_key: str
    trackable: Any

    def __hash__(self) -> int:
        return hash((self.name, self.dtype, str(self.device), self.checkpoint_key))


class ShardingCallback(abc.ABC):
    """Decides which file of a checkpoint holds which tensor, or part of one (`tf.train.experimental.ShardingCallback`).

    Called with the tensors, it gives a list of shards: {checkpoint key: {text of the part: tensor}}. No tensor may be dropped, changed or
    saved twice, RuntimeError. A subclass says in `description` what it does.
    """

    @property
    @abc.abstractmethod
    def description(self) -> str:
        """What the policy does."""

    @abc.abstractmethod
    def __call__(self, shardable_tensors: Sequence[ShardableTensor]) -> Sequence[Shard]:
        """The shards."""

    def __hash__(self) -> int:
        found = hash(self.description)
        for name, value in vars(self).items():
            if not (inspect.ismethod(value) or inspect.isfunction(value)):
                found ^= hash(name) ^ (hash(value) if isinstance(value, Hashable) else 0)
        return found


class ShardByTaskPolicy(ShardingCallback):
    """One file for the tensors of each process (`tf.train.experimental.ShardByTaskPolicy`); what is saved without a policy."""

    @property
    def description(self) -> str:
        return "Split tensors into shards based on their device spec task."

    def __call__(self, shardable_tensors: Sequence[ShardableTensor]) -> Sequence[Shard]:
        whole: Shard = {}
        for item in shardable_tensors:
            whole.setdefault(item.checkpoint_key, {})[item.slice_spec] = item.tensor
        return [whole]


class MaxShardSizePolicy(ShardingCallback):
    """Files of at most `max_shard_size` bytes of values (`tf.train.experimental.MaxShardSizePolicy`).

    Larger tensors are cut along their axes. A scalar or a string that is larger by itself, and the description of the objects, may exceed it.
    """

    def __init__(self, max_shard_size: int) -> None:
        super().__init__()
        if max_shard_size <= 0:
            raise ValueError(f"max_shard_size must be positive, got {max_shard_size}.")
        self.max_shard_size = max_shard_size

    @property
    def description(self) -> str:
        return "Split tensors into shards with a max shard size."

    def __call__(self, shardable_tensors: Sequence[ShardableTensor]) -> Sequence[Shard]:
        shards: list[Shard] = [{}]
        alone: list[Shard] = []
        room = self.max_shard_size
        for item in shardable_tensors:
            dims = item.shape.as_list()
            if item.checkpoint_key == OBJECT_GRAPH_KEY:
                dims, size = [], 0
            elif item.dtype is dtypes.string:  # its elements have lengths of their own, which are stored too
                words = np.asarray(item.tensor.numpy(), object).reshape(-1)
                dims, size = [], sum(len(v) + 1 for v in words) + 4
            else:
                size = math.prod(dims) * item.dtype.size
            if size <= room or (not dims and size <= self.max_shard_size):
                if size > room:
                    shards.append({})
                    room = self.max_shard_size
                shards[-1].setdefault(item.checkpoint_key, {})[item.slice_spec] = item.tensor
                room -= size
                continue
            if not dims or item.slice_spec:
                _log.warning("Tensor %s has %s bytes and cannot be cut: its shard exceeds the limit of %s bytes.", item.checkpoint_key, size, self.max_shard_size)
                alone.append({item.checkpoint_key: {item.slice_spec: item.tensor}})
                continue
            for offset, shape in _pieces(dims, max(1, self.max_shard_size // item.dtype.size)):
                size = math.prod(shape) * item.dtype.size
                if size > room:
                    shards.append({})
                    room = self.max_shard_size
                part = item.tensor[tuple(slice(o, o + s) for o, s in zip(offset, shape, strict=True))]
                spec = SaveSliceInfo(item.checkpoint_key, dims, offset, shape).spec.strip()
                shards[-1].setdefault(item.checkpoint_key, {})[spec] = part
                room -= size
        return [shard for shard in shards if shard] + alone


def _pieces(dims: Sequence[int], most: int) -> list[tuple[list[int], list[int]]]:
    """Offsets and shapes of blocks of at most `most` elements that make up a tensor: as many leading axes are cut as it takes."""
    inner = math.prod(dims[1:])
    if inner <= most or len(dims) == 1:
        step = max(1, most // max(inner, 1))
        return [([start, *[0] * (len(dims) - 1)], [min(step, dims[0] - start), *dims[1:]]) for start in range(0, dims[0], step)]
    below = _pieces(dims[1:], most)
    return [([row, *offset], [1, *shape]) for row in range(dims[0]) for offset, shape in below]


def sharded(tensors: Sequence[tuple[str, TensorData]], callback: Any, root: Any) -> list[list[tuple[str, Part | None, TensorData]]]:
    """What each shard holds, as a callback decides. RuntimeError when it loses, adds or changes something."""
    given = {}
    items = []
    for key, data in tensors:
        tensor = wrap(to_storage(data))
        given[key] = tensor
        spec = _SaveSpec(tensor, "", key, tensor.dtype, "/job:localhost/task:0/device:CPU:0")
        items.append(ShardableTensor(spec, tensor, tensor.dtype, spec.device, key, TensorShape(list(data.shape)), "", key, root))
    groups = []
    seen: dict[str, int] = {}
    names: set[tuple[str, str]] = set()
    for shard in callback(items):
        group: list[tuple[str, Part | None, TensorData]] = []
        for key, parts in shard.items():
            for text, tensor in parts.items():
                text = text.strip()
                whole = given.get(key)
                if whole is None:
                    raise _wrong("a tensor not originally in the object graph was found in the checkpoint shards", callback, key, text)
                if (key, text) in names:
                    raise _wrong("multiple tensors with the same checkpoint key and slice spec were found", callback, key, text)
                names.add((key, text))
                if tensor.dtype is not whole.dtype:
                    raise _wrong(f"the dtype changed from {whole.dtype.name} to {tensor.dtype.name}", callback, key, text)
                part, shape = None, tuple(whole.shape.as_list())
                if text:
                    info = SaveSliceInfo.from_spec(text)
                    shape = tuple(info.var_shape or ())
                    part = Part(tuple(info.full_shape or ()), tuple(zip(info.var_offset or (), shape, strict=True)))
                    if part.full_shape != tuple(whole.shape.as_list()):
                        raise _wrong(f"a part of shape {part.full_shape} was made of {tuple(whole.shape.as_list())}", callback, key, text)
                if tuple(tensor.shape.as_list()) != shape:
                    raise _wrong(f"the shape changed from {shape} to {tuple(tensor.shape.as_list())}", callback, key, text)
                seen[key] = seen.get(key, 0) + math.prod(shape)
                group.append((key, part, to_data(tensor)))
        groups.append(group)
    for key, tensor in given.items():
        if seen.get(key) != math.prod(tensor.shape.as_list()):
            raise _wrong("tensors in the object graph were not found in the checkpoint shards", callback, key, "")
    return groups


def _wrong(why: str, callback: Any, key: str, text: str) -> RuntimeError:
    return RuntimeError(
        f"After executing the checkpoint sharding callback, {why}:\n  callback_description: {callback.description}\n"
        f"  checkpoint_key: {key}\n  slice_spec: {text}\n"
    )
