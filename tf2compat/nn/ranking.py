"""`tf.nn.top_k`, `in_top_k`, `approx_max_k`, `approx_min_k`, `isotonic_regression`."""

from __future__ import annotations

import collections
from typing import Any

import torch

from .._engine import dtypes
from .._engine.dtypes import FLOATS, REALS, int32, int64
from .._engine.op import DTYPE, INT, invalid, op, tensor
from ._spatial import dims

TopKV2 = collections.namedtuple("TopKV2", ["values", "indices"])
ApproxTopK = collections.namedtuple("ApproxTopK", ["values", "indices"])
IsotonicRegression = collections.namedtuple("IsotonicRegression", ["output", "segments"])


def _largest(x: Any, k: int) -> tuple[Any, Any]:
    """The k largest along the last dimension; of equal ones the first comes first."""
    if k == 1 and x.shape[-1]:
        index = x.argmax(-1, keepdim=True)
        return x.gather(-1, index), index
    values, index = torch.sort(x, dim=-1, descending=True, stable=True)
    return values[..., :k], index[..., :k]


@op("TopKV2", multi=True, input=tensor(REALS), k=INT, index_type=DTYPE)
def _top_k(input: Any, k: int, index_type: Any) -> Any:
    if input.ndim < 1:
        raise invalid(f"input must be >= 1-D, got shape {dims(input.shape)} [Op:TopKV2] name: ")
    if k < 0:
        raise invalid(f"Need k >= 0, got {k} [Op:TopKV2] name: ")
    if input.shape[-1] < k:
        raise invalid(f"input must have at least k columns. Had {input.shape[-1]}, needed {k} [Op:TopKV2] name: ")
    values, index = _largest(input, k)
    return values, index.to(index_type.torch)


def top_k(input: Any, k: Any = 1, sorted: bool = True, index_type: Any = dtypes.int32, name: str | None = None) -> TopKV2:
    """The k largest entries of the last dimension and their positions, largest first (`tf.nn.top_k`).

    Of equal entries the one with the lower index comes first. `sorted=False` allows any order; this one stays.
    """
    values, index = _top_k(input, k, index_type)
    return TopKV2(values, index)


@op("InTopKV2", targets=tensor(int32, int64, group="I"), predictions=tensor(dtypes.float32), k=INT)
def in_top_k(targets: Any, predictions: Any, k: int, name: str | None = None) -> Any:
    """Whether each target class is among the k highest predictions [batch, classes] (`tf.nn.in_top_k`), bool [batch]."""
    if predictions.ndim != 2:
        raise invalid("predictions must be 2-dimensional [Op:InTopKV2]")
    if targets.ndim != 1:
        raise invalid("targets must be 1-dimensional [Op:InTopKV2]")
    if predictions.shape[0] != targets.shape[0]:
        raise invalid(
            f"First dimension of predictions {predictions.shape[0]} must match length of targets {targets.shape[0]} [Op:InTopKV2]"
        )
    classes = predictions.shape[1]
    index = targets.long()
    valid = (index >= 0) & (index < classes)
    score = predictions.gather(1, index.clamp(0, max(classes - 1, 0)).unsqueeze(1))
    higher = (predictions > score).sum(1)
    return valid & torch.isfinite(predictions).logical_or(predictions == predictions).all(1) & torch.isfinite(score.squeeze(1)) & (higher < k)


@op("ApproxTopK", multi=True, operand=tensor(FLOATS), k=INT)
def _approx(operand: Any, k: int, dimension: int, largest: bool) -> Any:
    x = operand.movedim(dimension, -1)
    if k > x.shape[-1]:
        raise invalid(f"input must have at least k columns. Had {x.shape[-1]}, needed {k} [Op:ApproxTopK] name: ")
    values, index = _largest(x if largest else -x, k)
    return (values if largest else -values).movedim(-1, dimension), index.to(torch.int32).movedim(-1, dimension)


def _approx_check(recall_target: float, size: int) -> None:
    if not 0.0 < recall_target <= 1.0:
        raise invalid(f"recall_target must be in (0, 1], got {recall_target} [Op:ApproxTopK] name: ")
    if size < -1:
        raise invalid(f"reduction_input_size_override must be at least -1, got {size} [Op:ApproxTopK] name: ")


def approx_max_k(
    operand: Any,
    k: Any,
    reduction_dimension: int = -1,
    recall_target: float = 0.95,
    reduction_input_size_override: int = -1,
    aggregate_to_topk: bool = True,
    name: str | None = None,
) -> ApproxTopK:
    """The k largest entries along a dimension and their positions (`tf.nn.approx_max_k`), here always the exact ones."""
    _approx_check(recall_target, reduction_input_size_override)
    return ApproxTopK(*_approx(operand, k, reduction_dimension, True))


def approx_min_k(
    operand: Any,
    k: Any,
    reduction_dimension: int = -1,
    recall_target: float = 0.95,
    reduction_input_size_override: int = -1,
    aggregate_to_topk: bool = True,
    name: str | None = None,
) -> ApproxTopK:
    """The k smallest entries along a dimension and their positions (`tf.nn.approx_min_k`), here always the exact ones."""
    _approx_check(recall_target, reduction_input_size_override)
    return ApproxTopK(*_approx(operand, k, reduction_dimension, False))


@op("IsotonicSegments", inputs=tensor(FLOATS))
def _segments(inputs: Any) -> Any:
    """For each row the number of its element's block in the non-increasing least-squares fit (pool adjacent violators)."""
    if inputs.device.type == "meta":
        return torch.empty(inputs.shape, dtype=torch.int32, device="meta")
    rows = inputs.detach().double().cpu().reshape(-1, inputs.shape[-1]).tolist()
    found = []
    for row in rows:
        blocks: list[list[float]] = []  # [sum, count]
        for v in row:
            blocks.append([v, 1])
            while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] <= blocks[-1][0] * blocks[-2][1]:
                total, count = blocks.pop()
                blocks[-1][0] += total
                blocks[-1][1] += count
        found.append([i for i, (_, count) in enumerate(blocks) for _ in range(int(count))])
    return torch.tensor(found, dtype=torch.int32, device=inputs.device).reshape(inputs.shape)


@op("IsotonicMeans", inputs=tensor(FLOATS), segments=tensor(int32, group="S"))
def _means(inputs: Any, segments: Any) -> Any:
    index = segments.long()
    total = torch.zeros_like(inputs).scatter_add(-1, index, inputs)
    count = torch.zeros_like(inputs).scatter_add(-1, index, torch.ones_like(inputs))
    return (total / count.clamp(min=1)).gather(-1, index)


def isotonic_regression(inputs: Any, decreasing: bool = True, axis: int = -1) -> IsotonicRegression:
    """The non-increasing (or non-decreasing) sequence closest to `inputs` along `axis`, and its blocks.

    `tf.nn.isotonic_regression`: a named tuple of `output` and int32 `segments`.
    """
    import tf2compat as tf

    inputs = tf.convert_to_tensor(inputs)
    if inputs.dtype.is_integer:
        inputs = tf.cast(inputs, tf.float64 if inputs.dtype.size >= 8 else tf.float32)
    rank = inputs.shape.rank
    last = axis in (-1, rank - 1)
    if not last:
        order = [i for i in range(rank) if i != axis % rank] + [axis % rank]
        back = [order.index(i) for i in range(rank)]
        inputs = tf.transpose(inputs, order)
    signed = inputs if decreasing else -inputs
    segments = _segments(signed)
    output = _means(signed, segments)
    output = output if decreasing else -output
    if not last:
        output, segments = tf.transpose(output, back), tf.transpose(segments, back)
    return IsotonicRegression(output, segments)


