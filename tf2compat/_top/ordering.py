"""Sorting, searching in sorted values, unique values, histograms."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import REALS
from .._engine.op import ANY, DTYPE, INT, TENSOR, invalid, op, tensor
from .._engine.tensor import Tensor

_SORTABLE = tensor(REALS)
#: torch has no kernels of these for most functions
_UNSIGNED = frozenset((torch.uint16, torch.uint32, torch.uint64))


# --- sort ------------------------------------------------------------------------------------------------------------
def _descending(direction: str) -> bool:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(f"Argument `direction` should be one of ASCENDING, DESCENDING. Received: direction={direction}")
    return direction == "DESCENDING"


def _check_axis(values: Any, axis: int) -> None:
    n = values.ndim
    if not -n <= axis < n:
        raise invalid(f"slice index {axis} of dimension 0 out of bounds. [Op:StridedSlice] name: strided_slice/")


@op("Sort", values=_SORTABLE, axis=INT)
def sort(values: Any, axis: Any = -1, direction: str = "ASCENDING", name: str | None = None) -> Any:
    """`values` sorted along `axis`, "ASCENDING" or "DESCENDING" (`tf.sort`)."""
    down = _descending(direction)
    _check_axis(values, axis)
    return torch.sort(values, dim=axis, descending=down, stable=True)[0]


@op("ArgSort", values=_SORTABLE, axis=INT)
def argsort(values: Any, axis: Any = -1, direction: str = "ASCENDING", stable: bool = False, name: str | None = None) -> Any:
    """The int32 positions along `axis` that sort `values`; equal values keep their order (`tf.argsort`)."""
    down = _descending(direction)
    _check_axis(values, axis)
    return torch.sort(values, dim=axis, descending=down, stable=True)[1].int()


def searchsorted(
    sorted_sequence: Any, values: Any, side: str = "left", out_type: Any = dtypes.int32, name: str | None = None
) -> Tensor:
    """Where each of `values` would go in the rows of `sorted_sequence`, before ("left") or after equals (`tf.searchsorted`)."""
    if side not in ("left", "right"):
        raise ValueError(f"Argument `side` must be either 'right' or 'left'. Received: `side` = '{side}'.")
    return _bound(convert_to_tensor(sorted_sequence), convert_to_tensor(values), side == "right", out_type, name)


@op("LowerBound", sorted_sequence=_SORTABLE, values=_SORTABLE, out_type=DTYPE)
def _bound(sorted_sequence: Any, values: Any, right: bool, out_type: Any, name: str | None = None) -> Any:
    if sorted_sequence.ndim == 0 or values.ndim == 0:
        which = sorted_sequence if sorted_sequence.ndim == 0 else values
        raise invalid(f"slice index -1 of dimension 0 out of bounds; shape {list(which.shape)} [Op:StridedSlice] name: strided_slice/")
    rows = sorted_sequence.reshape(-1, sorted_sequence.shape[-1]) if sorted_sequence.numel() else sorted_sequence.reshape(1, 0)
    wanted = values.reshape(-1, values.shape[-1]) if values.numel() else values.reshape(rows.shape[0], 0)
    if rows.shape[0] != wanted.shape[0]:
        raise invalid("Leading dim_size of both tensors must match. [Op:LowerBound] name: ")
    if rows.dtype in _UNSIGNED:
        rows, wanted = rows.long(), wanted.long()
    found = torch.searchsorted(rows.contiguous(), wanted.contiguous(), right=right, out_int32=out_type is dtypes.int32)
    return found.reshape(values.shape)


# --- unique ----------------------------------------------------------------------------------------------------------
class Unique(NamedTuple):
    """What `tf.unique` gives: the distinct values, and for each element the place of its value."""

    y: Any
    idx: Any


class UniqueWithCounts(NamedTuple):
    """What `tf.unique_with_counts` gives: as `Unique`, and how often each value occurs."""

    y: Any
    idx: Any
    count: Any


def _distinct(x: Any) -> tuple[Any, Any, Any]:
    """Values in the order of their first occurrence, places, counts."""
    if x.ndim != 1:
        raise invalid("unique expects a 1D vector. [Op:Unique] name: ")
    if isinstance(x, np.ndarray):
        places: dict[bytes, int] = {}
        at = np.array([places.setdefault(v, len(places)) for v in x], dtype=np.int64)
        values = np.empty(len(places), dtype=object)
        for i, v in enumerate(places):
            values[i] = v
        return values, torch.from_numpy(at), torch.from_numpy(np.bincount(at, minlength=len(places)))
    _, inverse, counts = torch.unique(x.long() if x.dtype in _UNSIGNED else x, return_inverse=True, return_counts=True)
    n = x.shape[0]
    if not n:
        return x.clone(), inverse, counts
    positions = torch.arange(n, device=x.device)
    first = torch.full_like(counts, n).scatter_reduce(0, inverse, positions, "amin")
    order = torch.argsort(first)
    rank = torch.empty_like(order).index_copy(0, order, torch.arange(len(order), device=x.device))
    y = torch.index_select(x.long(), 0, first[order]).to(x.dtype) if x.dtype in _UNSIGNED else torch.index_select(x, 0, first[order])
    return y, rank[inverse], counts[order]


@op("Unique", multi=True, x=ANY, out_idx=DTYPE)
def unique(x: Any, out_idx: Any = dtypes.int32, name: str | None = None) -> Any:
    """The distinct values of a vector in the order of their first occurrence, and each element's place (`tf.unique`)."""
    y, idx, _ = _distinct(x)
    return Unique(y, idx.to(out_idx.torch))


@op("UniqueWithCounts", multi=True, x=ANY, out_idx=DTYPE)
def unique_with_counts(x: Any, out_idx: Any = dtypes.int32, name: str | None = None) -> Any:
    """As `tf.unique`, with the number of occurrences of each value (`tf.unique_with_counts`)."""
    y, idx, count = _distinct(x)
    return UniqueWithCounts(y, idx.to(out_idx.torch), count.to(out_idx.torch))


unique.strings(unique.op.fn)
unique_with_counts.strings(unique_with_counts.op.fn)


@unique.infer
def _(x: Any, out_idx: Any) -> Any:
    return Unique((dtypes.of(x), (None,)), (out_idx, tuple(x.shape)))


@unique_with_counts.infer
def _(x: Any, out_idx: Any) -> Any:
    return UniqueWithCounts((dtypes.of(x), (None,)), (out_idx, tuple(x.shape)), (out_idx, (None,)))


# --- histograms ------------------------------------------------------------------------------------------------------
_BINNED = tensor(dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64)


@op("HistogramFixedWidth", values=_BINNED, value_range=_BINNED, nbins=INT, dtype=DTYPE)
def histogram_fixed_width(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = dtypes.int32, name: str | None = None
) -> Any:
    """How many of `values` are in each of `nbins` equal parts of `value_range`; the outer parts take the rest
    (`tf.histogram_fixed_width`)."""
    if nbins <= 0:
        raise invalid(f"nbins should be a positive number, but got '{nbins}' [Op:HistogramFixedWidth] name: ")
    if tuple(value_range.shape) != (2,):
        raise invalid(f"value_range should be a vector of 2 elements, but got shape {list(value_range.shape)} [Op:HistogramFixedWidth] name: ")
    low, high = value_range[0].double(), value_range[1].double()
    if value_range.device.type == "cpu" and not bool(low < high):
        raise invalid(
            f"value_range should satisfy value_range[0] < value_range[1], but got '[{float(low):g}, {float(high):g}]' "
            "[Op:HistogramFixedWidth] name: "
        )
    step = (high - low) / nbins
    at = ((values.reshape(-1).double() - low) / step).nan_to_num(0.0).floor().clamp(0, nbins - 1).long()
    counts = torch.zeros(nbins, dtype=dtype.torch, device=values.device)
    return counts.index_add(0, at, torch.ones_like(at, dtype=dtype.torch))


@op("HistogramFixedWidthBins", values=_BINNED, value_range=TENSOR, nbins=INT, dtype=DTYPE)
def histogram_fixed_width_bins(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = dtypes.int32, name: str | None = None
) -> Any:
    """The part of `value_range`, of `nbins` equal ones, in which each value is (`tf.histogram_fixed_width_bins`)."""
    if nbins <= 0:
        raise invalid(
            "Expected 'tf.Tensor(False, shape=(), dtype=bool)' to be true. Summarized data: "
            f"b'nbins tf.Tensor({nbins}, shape=(), dtype=int32) must > 0'"
        )
    low, high = value_range[0], value_range[1]
    scaled = torch.true_divide(values - low, high - low)
    if not values.dtype.is_floating_point:
        scaled = torch.true_divide((values - low).double(), (high - low).double())
    return torch.clamp(torch.floor(scaled * nbins), 0, nbins - 1).to(dtype.torch)

