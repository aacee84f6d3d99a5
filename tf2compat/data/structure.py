"""Structures of dataset elements: tuples, dicts and attrs nest; a list is one tensor.

Inside a pipeline an element is a flat list of components: the storage (torch tensor, NumPy array of bytes) of a dense
tensor, or the object itself for everything else (ragged and sparse tensors, datasets, optionals).
"""

from __future__ import annotations

import collections.abc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from .._engine import nest
from .._engine.convert import convert_to_tensor
from .._engine.devices import accelerated, hosted, on_the_host, placed
from .._engine.op import entering, wrap_here
from .._engine.specs import NoneTensorSpec, TensorSpec, TypeSpec, type_spec_from_value
from .._engine.tensor import Tensor
from .._engine.variable import Variable


def is_structure(value: Any) -> bool:
    if isinstance(value, tuple):  # but for version 1's values of sparse tensors
        return type(value) is tuple or not hasattr(type(value), "_tensor")
    return nest.is_nested(value) and not isinstance(value, list)


def leaves(value: Any) -> list[Any]:
    """The leaves of a structure, in the order of sorted keys."""
    if is_structure(value):
        return [leaf for child in nest.children(value) for leaf in leaves(child)]
    return [value]


def pack(structure: Any, flat: list[Any]) -> Any:
    """`flat` arranged as `structure`."""
    return _pack(structure, iter(flat))


def _pack(structure: Any, rest: Iterator[Any]) -> Any:
    if is_structure(structure):
        if hasattr(type(structure), "_tf_like"):  # an attribute's wrapper
            structure = structure._container()
        return nest.rebuild(structure, [_pack(child, rest) for child in nest.children(structure)])
    return next(rest)


def map_leaves(fn: Callable[[Any], Any], structure: Any) -> Any:
    return pack(structure, [fn(leaf) for leaf in leaves(structure)])


@hosted
def normalise(value: Any) -> Any:
    """A structure with a tensor (or composite) in the place of every leaf."""
    return map_leaves(_tensor, value)


def _tensor(value: Any) -> Any:
    if isinstance(value, Tensor) or value is None or _is_object(value):
        return on_the_host(value) if accelerated() and value is not None else value
    if type(value) is list and value and all(hasattr(type(v), "_tf_variants") for v in value):
        return value[0]._tf_variants(value)
    return value._tensor() if hasattr(type(value), "_tensor") else convert_to_tensor(value)


def _is_object(value: Any) -> bool:
    return not isinstance(value, (Tensor, Variable)) and (
        hasattr(value, "_type_spec") or hasattr(type(value), "element_spec") or isinstance(value, TypeSpec)
    )


def spec_of(value: Any) -> Any:
    """The structure of specs of a structure of tensors."""
    return map_leaves(_spec, value)


def _spec(value: Any) -> Any:
    if isinstance(value, Tensor):
        return TensorSpec(value.shape, value.dtype)
    return type_spec_from_value(value)


def components(value: Any) -> list[Any]:
    """A (normalised) structure of tensors as flat components."""
    return [component(leaf) for leaf in leaves(value)]


def component(leaf: Any) -> Any:
    if isinstance(leaf, Tensor):
        return entering(leaf)
    if isinstance(leaf, Variable):
        return leaf._t
    return leaf


def element(spec: Any, flat: list[Any]) -> Any:
    """Flat components as the structure of tensors that the program sees."""
    if accelerated():
        return pack(spec, [placed(delivered(c)) for c in flat])
    if type(spec) is TensorSpec:
        return delivered(flat[0])
    return pack(spec, [delivered(c) for c in flat])


def delivered(c: Any) -> Any:
    return wrap_here(c) if isinstance(c, (torch.Tensor, np.ndarray)) else c


def key_of(spec: Any) -> Any:
    """What can be hashed and is equal for equal structures of specs."""
    if is_structure(spec):
        names = tuple(nest.sorted_keys(spec)) if isinstance(spec, collections.abc.Mapping) else None
        return (type(spec), names, *[key_of(child) for child in nest.children(spec)])
    if type(spec) is TensorSpec:  # whatever its name
        return (spec.dtype, None if spec.shape.rank is None else tuple(spec.shape.as_list()))
    return spec


def compatible(spec: Any, other: Any) -> Any:
    """The narrowest structure of specs that covers both; None when there is none."""
    try:
        nest.assert_same_structure(spec, other)
    except (TypeError, ValueError):
        return None
    found = []
    for a, b in zip(leaves(spec), leaves(other), strict=True):
        joined = a.most_specific_common_supertype([b])
        if joined is None:
            return None
        found.append(joined)
    return pack(spec, found)


def batched(spec: Any, size: int | None) -> Any:
    """The specs of batches of elements with these specs."""
    return map_leaves(lambda s: _batched(s, size), spec)


def _batched(spec: Any, size: int | None) -> Any:
    if type(spec) is TensorSpec:
        return TensorSpec(None if spec.shape.rank is None else [size, *spec.shape.as_list()], spec.dtype)
    if isinstance(spec, NoneTensorSpec):
        return spec
    if hasattr(spec, "_batch"):
        return spec._batch(size)
    raise TypeError(f"Elements of {spec!r} cannot be batched.")


def unbatched(spec: Any) -> Any:
    """The specs of the elements of batches with these specs."""

    def one(s: Any) -> Any:
        if type(s) is TensorSpec:
            if s.shape.rank == 0:
                raise ValueError("Unbatching a tensor is only supported for rank >= 1")
            return TensorSpec(None if s.shape.rank is None else s.shape.as_list()[1:], s.dtype)
        if isinstance(s, NoneTensorSpec):
            return s
        if hasattr(s, "_unbatch"):
            return s._unbatch()
        raise TypeError(f"Elements of {s!r} cannot be unbatched.")

    return map_leaves(one, spec)


#: as many values are copied by torch in one thread
_LARGE = 1 << 15
NOT_NUMPY = frozenset((torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2))


def stack(parts: list[Any]) -> Any:
    """Components of several elements as the component of their batch; InvalidArgumentError for unequal shapes."""
    from ..errors import InvalidArgumentError

    first = parts[0]
    if isinstance(first, torch.Tensor):
        try:
            if first.numel() * len(parts) > _LARGE and first.device.type == "cpu" and not first.requires_grad and first.dtype not in NOT_NUMPY:
                # NumPy copies in this thread; torch would wake its pool for a copy that memory bounds
                whole = torch.empty((len(parts), *first.shape), dtype=first.dtype)
                np.stack([p.numpy() for p in parts], out=whole.numpy())
                return whole
            return torch.stack(parts)
        except (RuntimeError, ValueError):
            bad = next(p for p in parts if p.shape != first.shape)
            raise InvalidArgumentError(
                None, None,
                f"Cannot add tensor to the batch: number of elements does not match. Shapes are: [tensor]: {_dims(bad)}, [batch]: "
                f"{_dims(first)} [Op:IteratorGetNext] name: ",
            ) from None  # fmt: skip
    if isinstance(first, np.ndarray):
        bad = next((p for p in parts if p.shape != first.shape), None)
        if bad is not None:
            raise InvalidArgumentError(
                None, None,
                f"Cannot add tensor to the batch: number of elements does not match. Shapes are: [tensor]: {_dims(bad)}, [batch]: "
                f"{_dims(first)} [Op:IteratorGetNext] name: ",
            )  # fmt: skip
        return np.stack(parts)
    if first is None:
        return None
    if hasattr(type(first), "_tf_stack"):
        return type(first)._tf_stack(parts)
    raise TypeError(f"Elements of type {type(first).__name__} cannot be batched.")


def _dims(t: Any) -> str:
    return "[" + ",".join(str(d) for d in t.shape) + "]"


def take_row(part: Any, index: int) -> Any:
    """Row `index` of a batch's component."""
    if isinstance(part, np.ndarray):
        row = part[index]
        if isinstance(row, np.ndarray):
            return row
        box = np.empty((), dtype=object)
        box[()] = row
        return box
    if isinstance(part, torch.Tensor):
        return part[index]
    if part is None:
        return None
    if hasattr(part, "_tf_row"):  # a sparse tensor, which has no indexing
        return part._tf_row(index)
    return component(part[index])


def height(flat: list[Any]) -> int:
    """The number of rows of a batch."""
    return rows(next((c for c in flat if c is not None), None))


def rows(part: Any) -> int:
    """The number of rows of a batch's component."""
    if part is None:
        return 1
    if isinstance(part, (torch.Tensor, np.ndarray)):
        return part.shape[0]
    counted = getattr(part, "_tf_rows", None)
    if counted is not None:
        return int(counted())
    return int(part.nrows()) if hasattr(part, "nrows") else int(part.dense_shape[0])
