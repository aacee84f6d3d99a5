"""Gradients of lookups as `tf.IndexedSlices`, and what is made of them."""

from __future__ import annotations

from typing import Any

import torch

from . import dtypes, state
from .op import ANY, op, wrap_here
from .tensor import Tensor

__all__ = ["add_rows", "deduplicated", "gathered", "scattered", "within"]


def within(values: Any, indices: Any, count: int) -> tuple[Any, Any]:
    """Row numbers that can be written to; the values of others are zeros. On the CPU a lookup has seen that all are."""
    if values.is_cuda:
        indices = indices.to(values.device)
    if not indices.is_cuda or not count:
        return values, indices
    inside = (indices >= 0) & (indices < count)
    return torch.where(inside.reshape([-1] + [1] * (values.ndim - 1)), values, values.new_zeros(())), indices.clamp(0, count - 1)


@op("AddRows", onto=ANY, values=ANY, indices=ANY)
def add_rows(onto: Any, values: Any, indices: Any) -> Any:
    """A dense tensor with rows added to it."""
    values, indices = within(values, indices, onto.shape[0])
    return onto.index_add(0, indices.int() if indices.dtype is torch.int16 else indices, values)


@op("ScatterJacobian", jacobian=ANY, ids=ANY)
def scattered(jacobian: Any, ids: Any, before: int, shape: Any) -> Any:
    """[target…, ids…, rest…] → [target…, rows, rest…]: a jacobian by looked up rows as one by what they were looked up in."""
    head, rest = jacobian.shape[:before], tuple(shape[1:])
    flat = jacobian.reshape((*head, ids.numel(), *rest))
    return jacobian.new_zeros((*head, shape[0], *rest)).index_add(before, ids.reshape(-1).long(), flat)


def deduplicated(slices: Any) -> Any:
    """An IndexedSlices with rows of one number summed, in the order of the numbers' first appearance."""
    from tf2compat import shape, unique

    from ..indexed_slices import IndexedSlices
    from ..math import unsorted_segment_sum

    numbers, at = unique(slices.indices)
    return IndexedSlices(unsorted_segment_sum(slices.values, at, shape(numbers)[0]), numbers, slices.dense_shape)


def gathered(source: Any, total: Any, grads: list[Any], ids: list[Any]) -> Any:
    """The gradient by a source: `total`, of its uses as a whole (None: there is none), and those of lookups in it."""
    pairs = [(g, i) for g, i in zip(grads, ids, strict=True) if g is not None]
    if not pairs:
        return total
    if state.local.graph is None:
        values, indices = _joined(source, pairs)
    else:
        values, indices = _joined_in_graph(source, pairs)
    if total is not None:
        return add_rows(total, values, indices)
    from ..indexed_slices import IndexedSlices

    dims = source._t.shape if state.local.graph is None else source.shape.as_list() if source.shape.is_fully_defined() else None
    return IndexedSlices(values, indices, _dense_shape(source)) if dims is None else IndexedSlices._of(values, indices, tuple(dims))


def _dense_shape(source: Any) -> Any:
    from .._top.shaping import shape

    return shape(source)


def _joined(source: Any, pairs: list[Any]) -> tuple[Tensor, Tensor]:
    rest = tuple(source._t.shape[1:])
    values = [g._t.reshape((i.numel(), *rest)) for g, i in pairs]
    indices = [i.reshape(-1) for _, i in pairs]
    if len(pairs) == 1:
        return wrap_here(values[0]), wrap_here(indices[0])
    if len({i.dtype for i in indices}) > 1:
        indices = [i.long() for i in indices]
    return wrap_here(torch.cat(values)), wrap_here(torch.cat(indices))


def _joined_in_graph(source: Any, pairs: list[Any]) -> tuple[Any, Any]:
    from tf2compat import cast, concat, reshape, shape

    rest = source.shape[1:]
    values, indices = [], []
    for g, i in pairs:
        tail = rest.as_list() if rest.is_fully_defined() else shape(source)[1:]
        values.append(reshape(g, [-1, *tail] if isinstance(tail, list) else concat([[-1], tail], 0)))
        indices.append(reshape(i, [-1]))
    if len(pairs) == 1:
        return values[0], indices[0]
    if len({i.dtype for i in indices}) > 1:
        indices = [cast(i, dtypes.int64) for i in indices]
    return concat(values, 0), concat(indices, 0)
