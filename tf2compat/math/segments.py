"""Reductions of the rows of a tensor that belong together, by sorted or by arbitrary segment numbers."""

from __future__ import annotations

from typing import Any

import torch

from .._engine.dtypes import COMPLEXES, FLOATS, NUMBERS, REALS, int16, int32, int64, of
from .._engine.masks import anywhere
from .._engine.op import INT, invalid, op, tensor
from .kernels import readable

_NUM = tensor(NUMBERS)
_REAL = tensor(REALS)
_IDS = tensor(int32, int64, group="Tindices")
_ANY_IDS = tensor(int16, int32, int64, group="Tindices")


def _dims(shape: Any) -> str:
    return "[" + ",".join(str(int(d)) for d in shape) + "]"


# --- sorted numbers ------------------------------------------------------------------------------------------------------
def _count(data: torch.Tensor, ids: torch.Tensor, name: str) -> int:
    """Number of segments; the numbers must rise from 0 on, one for each row."""
    if ids.ndim != 1:
        raise invalid(f"segment_ids should be a vector. Got shape {_dims(ids.shape)} [Op:{name}] name: ")
    if data.ndim == 0 or data.shape[0] != ids.shape[0]:
        raise invalid(
            f"segment_ids should be the same size as dimension 0 of input: data {_dims(data.shape)}, segment_ids {_dims(ids.shape)} "
            f"[Op:{name}] name: "
        )
    if ids.shape[0] == 0:
        return 0
    if int(ids[0]) < 0:
        raise invalid(
            f"Segment id {int(ids[0])} out of range [0, {int(ids[-1]) + 1}), possibly because 'segment_ids' input is not sorted. "
            f"[Op:{name}] name: "
        )
    if bool(anywhere(ids[1:] < ids[:-1])):
        raise invalid(f"segment ids are not increasing [Op:{name}] name: ")
    return int(ids[-1]) + 1


def _rows(data: torch.Tensor, n: int, value: Any) -> torch.Tensor:
    return torch.full((n, *data.shape[1:]), value, dtype=data.dtype, device=data.device)


def _index(data: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    return ids.to(data.device, torch.int64).reshape(-1, *[1] * (data.ndim - 1)).expand(data.shape)


def _sum(data: torch.Tensor, ids: torch.Tensor, n: int) -> torch.Tensor:
    return _rows(data, n, 0).index_add(0, ids.to(data.device, torch.int64), data)


def _counts(data: torch.Tensor, ids: torch.Tensor, n: int) -> torch.Tensor:
    """Rows per segment, at least 1, in a shape that divides the sums."""
    if ids.device.type == "cpu":
        total = torch.bincount(ids, minlength=n).clamp(min=1).to(data.dtype)
    else:
        ones = torch.ones(ids.shape, dtype=data.dtype, device=data.device)
        total = torch.zeros(n, dtype=data.dtype, device=data.device).index_add(0, ids.to(torch.int64), ones)
        total = torch.where(total == 0, 1, total)
    return total.reshape(n, *[1] * (data.ndim - 1))


def _divide(total: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    if total.is_floating_point() or total.is_complex():
        return total / counts
    return torch.div(total, counts, rounding_mode="trunc")


def _extreme(data: torch.Tensor, ids: torch.Tensor, n: int, how: str, empty: Any) -> torch.Tensor:
    return _rows(data, n, empty).scatter_reduce(0, _index(data, ids), data, how, include_self=False)


def _product(data: torch.Tensor, ids: torch.Tensor, n: int) -> torch.Tensor:
    return _rows(data, n, 1).scatter_reduce(0, _index(data, ids), data, "prod")


@op("SegmentSum", data=_NUM, segment_ids=_IDS)
def segment_sum(data: Any, segment_ids: Any, name: str | None = None) -> Any:
    """Sums of the rows of `data` with equal `segment_ids`, a sorted vector (`tf.math.segment_sum`).

    Row i of the result is the sum of segment i; a number that does not occur gives 0.
    """
    return _sum(data, segment_ids, _count(data, segment_ids, "SegmentSum"))


@op("SegmentMean", data=_NUM, segment_ids=_IDS)
def segment_mean(data: Any, segment_ids: Any, name: str | None = None) -> Any:
    """Means of the rows of `data` with equal `segment_ids`, a sorted vector; 0 for gaps (`tf.math.segment_mean`)."""
    n = _count(data, segment_ids, "SegmentMean")
    return _divide(_sum(data, segment_ids, n), _counts(data, segment_ids, n))


@op("SegmentMax", data=_REAL, segment_ids=_IDS)
def segment_max(data: Any, segment_ids: Any, name: str | None = None) -> Any:
    """Maxima of the rows of `data` with equal `segment_ids`, a sorted vector; 0 for gaps (`tf.math.segment_max`)."""
    return _extreme(data, segment_ids, _count(data, segment_ids, "SegmentMax"), "amax", 0)


@op("SegmentMin", data=_REAL, segment_ids=_IDS)
def segment_min(data: Any, segment_ids: Any, name: str | None = None) -> Any:
    """Minima of the rows of `data` with equal `segment_ids`, a sorted vector; 0 for gaps (`tf.math.segment_min`)."""
    return _extreme(data, segment_ids, _count(data, segment_ids, "SegmentMin"), "amin", 0)


@op("SegmentProd", data=_NUM, segment_ids=_IDS)
def segment_prod(data: Any, segment_ids: Any, name: str | None = None) -> Any:
    """Products of the rows of `data` with equal `segment_ids`, a sorted vector; 1 for gaps (`tf.math.segment_prod`)."""
    return _product(data, segment_ids, _count(data, segment_ids, "SegmentProd"))


def _unknown_rows(data: Any, segment_ids: Any, *rest: Any) -> Any:
    return [(of(data), (None, *data.shape[1:]))]


for _sorted in (segment_sum, segment_mean, segment_max, segment_min, segment_prod):
    _sorted.infer(_unknown_rows)


# --- arbitrary numbers ---------------------------------------------------------------------------------------------------
def _prepared(data: torch.Tensor, ids: torch.Tensor, n: int, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows and their numbers; what belongs to no segment goes to row n, which is cut off."""
    if n < 0:
        raise invalid(f"Input num_segments == {n} must not be negative. [Op:{name}] name: ")
    if tuple(data.shape[: ids.ndim]) != tuple(ids.shape):
        raise invalid(
            f"data.shape = {_dims(data.shape)} does not start with segment_ids.shape = {_dims(ids.shape)} [Op:{name}] name: "
        )
    rows = data.reshape(-1, *data.shape[ids.ndim :]) if ids.ndim != 1 else data
    flat = ids.reshape(-1).to(torch.int64)
    beyond = flat >= n
    if flat.device.type == "cpu" and readable(flat) and bool(beyond.any()):
        where = int(torch.nonzero(beyond)[0])
        raise invalid(f"segment_ids[{where}] = {int(flat[where])} is out of range [0, {n}) [Op:{name}] name: ")
    return rows, torch.where((flat < 0) | beyond, n, flat)


@op("UnsortedSegmentSum", data=_NUM, segment_ids=_ANY_IDS, num_segments=INT)
def unsorted_segment_sum(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Any:
    """Sums of the parts of `data` with equal `segment_ids` (`tf.math.unsorted_segment_sum`).

    `segment_ids` has the shape of the first axes of `data`; the result has `num_segments` rows, 0 where nothing belongs.
    Negative numbers belong nowhere; numbers too large raise InvalidArgumentError.
    """
    rows, ids = _prepared(data, segment_ids, num_segments, "UnsortedSegmentSum")
    return _sum(rows, ids, num_segments + 1)[:num_segments]


@op("UnsortedSegmentMean", data=_NUM, segment_ids=_ANY_IDS, num_segments=INT)
def unsorted_segment_mean(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Any:
    """Means of the parts of `data` with equal `segment_ids`; 0 where nothing belongs (`tf.math.unsorted_segment_mean`)."""
    rows, ids = _prepared(data, segment_ids, num_segments, "UnsortedSegmentSum")
    n = num_segments + 1
    total, counts = _sum(rows, ids, n)[:num_segments], _counts(rows, ids, n)[:num_segments]
    if total.is_floating_point() or total.is_complex():
        return total / counts
    return total.double() / counts  # as `/` has it for whole numbers


@op("UnsortedSegmentSqrtN", data=tensor(FLOATS, COMPLEXES), segment_ids=_ANY_IDS, num_segments=INT)
def unsorted_segment_sqrt_n(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Any:
    """Sums of the parts of `data` with equal `segment_ids`, over the root of their number (`tf.math.unsorted_segment_sqrt_n`)."""
    rows, ids = _prepared(data, segment_ids, num_segments, "UnsortedSegmentSum")
    n = num_segments + 1
    return (_sum(rows, ids, n) / torch.sqrt(_counts(rows, ids, n)))[:num_segments]


def _lowest(t: torch.Tensor) -> Any:
    return torch.finfo(t.dtype).min if t.is_floating_point() else torch.iinfo(t.dtype).min


def _highest(t: torch.Tensor) -> Any:
    return torch.finfo(t.dtype).max if t.is_floating_point() else torch.iinfo(t.dtype).max


@op("UnsortedSegmentMax", data=_REAL, segment_ids=_ANY_IDS, num_segments=INT)
def unsorted_segment_max(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Any:
    """Maxima of the parts of `data` with equal `segment_ids`; the dtype's lowest number where nothing belongs
    (`tf.math.unsorted_segment_max`)."""
    rows, ids = _prepared(data, segment_ids, num_segments, "UnsortedSegmentMax")
    return _extreme(rows, ids, num_segments + 1, "amax", _lowest(data))[:num_segments]


@op("UnsortedSegmentMin", data=_REAL, segment_ids=_ANY_IDS, num_segments=INT)
def unsorted_segment_min(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Any:
    """Minima of the parts of `data` with equal `segment_ids`; the dtype's highest number where nothing belongs
    (`tf.math.unsorted_segment_min`)."""
    rows, ids = _prepared(data, segment_ids, num_segments, "UnsortedSegmentMin")
    return _extreme(rows, ids, num_segments + 1, "amin", _highest(data))[:num_segments]


@op("UnsortedSegmentProd", data=_NUM, segment_ids=_ANY_IDS, num_segments=INT)
def unsorted_segment_prod(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Any:
    """Products of the parts of `data` with equal `segment_ids`; 1 where nothing belongs (`tf.math.unsorted_segment_prod`)."""
    rows, ids = _prepared(data, segment_ids, num_segments, "UnsortedSegmentProd")
    return _product(rows, ids, num_segments + 1)[:num_segments]


__all__ = [
    "segment_max", "segment_mean", "segment_min", "segment_prod", "segment_sum", "unsorted_segment_max", "unsorted_segment_mean",
    "unsorted_segment_min", "unsorted_segment_prod", "unsorted_segment_sqrt_n", "unsorted_segment_sum",
]  # fmt: skip
