"""The largest and smallest entries, and whether a target is among them."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from .._engine import dtypes
from .._engine.dtypes import REALS, as_dtype, float32, int16, int32, int64
from .._engine.op import INT, invalid, op, tensor
from .._engine.symbolic import PROBES


class TopKV2(NamedTuple):
    """What `tf.math.top_k` returns."""

    values: Any
    indices: Any


class ApproxTopK(NamedTuple):
    """What `tf.math.approx_max_k` and `approx_min_k` return."""

    values: Any
    indices: Any


def _dims(shape: Any) -> str:
    return "[" + ",".join(str(int(d)) for d in shape) + "]"


def _largest(x: torch.Tensor, k: int, axis: int, descending: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """The first k in order; of equal ones the earlier comes first, which torch.topk does not promise."""
    if k == 1 and x.shape[axis]:
        indices = (torch.argmax if descending else torch.argmin)(x, axis, keepdim=True)
        return torch.gather(x, axis, indices), indices
    if _worth_choosing(x, k, axis):
        values, indices = torch.topk(x, k, axis, descending)
        if not _tied(x.detach(), values.detach(), axis):
            return values, indices
    values, indices = torch.sort(x, dim=axis, descending=descending, stable=True)
    return values.narrow(axis, 0, k), indices.narrow(axis, 0, k)


def _worth_choosing(x: torch.Tensor, k: int, axis: int) -> bool:
    """Whether to look for a few of many without sorting them; what a compiler follows cannot look at values."""
    return (
        x.device.type == "cpu" and x.numel() >= 8192 and 0 < 4 * k <= x.shape[axis]
        and not torch._C._len_torch_dispatch_stack() and torch._C._functorch.peek_interpreter_stack() is None
    )  # fmt: skip


def _tied(x: torch.Tensor, values: torch.Tensor, axis: int) -> bool:
    """Whether the order of the chosen `values` hangs on which of equal ones comes first: within them, or with one that was not chosen."""
    k = values.shape[axis]
    last = values.narrow(axis, k - 1, 1)
    if bool((values != values).any()) or bool((values.narrow(axis, 1, k - 1) == values.narrow(axis, 0, k - 1)).any()):
        return True
    return int(torch.count_nonzero(x == last)) > last.numel()


@op("TopKV2", multi=True, input=tensor(REALS), k=INT)
def top_k(input: Any, k: Any = 1, sorted: bool = True, index_type: Any = int32, name: str | None = None) -> Any:  # noqa: A002
    """The `k` largest entries of the last axis and their positions, largest first (`tf.math.top_k`).

    Of equal entries the one with the lower index comes first. `sorted=False` leaves the order open; here it is the same.
    """
    index_type = as_dtype(index_type)
    if index_type not in (int16, int32, int64):
        raise invalid(f"Value for attr 'index_type' of {index_type._cpp} is not in the list of allowed values: int16, int32, int64 [Op:TopKV2] name: ")
    if input.ndim == 0:
        raise invalid("input must be >= 1-D, got shape [] [Op:TopKV2] name: ")
    if k < 0:
        raise invalid(f"Need k >= 0, got {k} [Op:TopKV2] name: ")
    if k > input.shape[-1]:
        raise invalid(f"input must have at least k columns. Had {input.shape[-1]}, needed {k} [Op:TopKV2] name: ")
    values, indices = _largest(input, k, -1, True)
    return TopKV2(values, indices.to(index_type.torch))


@top_k.infer
def _(input: Any, k: Any, sorted: bool, index_type: Any) -> Any:  # noqa: A002
    if input.device.type != "meta" or input.ndim == 0 or k < 0 or input.shape[-1] not in PROBES:
        return NotImplemented
    shape = (*input.shape[:-1], k)  # the unknown size may well be large enough
    return TopKV2((dtypes.of(input), shape), (as_dtype(index_type), shape))


top_k.op.infer_fn.aid = True


@op("InTopKV2", targets=tensor(int32, int64, group="Ti"), predictions=tensor(float32), k=INT)
def in_top_k(targets: Any, predictions: Any, k: Any, name: str | None = None) -> Any:
    """Whether the prediction for each target is among the `k` largest of its row, as bool (`tf.math.in_top_k`).

    `targets` is [batch], `predictions` [batch, classes] of float32. Ties count as inside; False where a target is out of
    range or a prediction not finite.
    """
    if predictions.ndim != 2:
        raise invalid(f"predictions must be 2-dimensional, got shape {_dims(predictions.shape)} [Op:InTopKV2] name: ")
    if targets.ndim != 1:
        raise invalid(f"targets must be 1-dimensional, got shape {_dims(targets.shape)} [Op:InTopKV2] name: ")
    if targets.shape[0] != predictions.shape[0]:
        raise invalid(
            f"First dimension of predictions {predictions.shape[0]} must match length of targets {targets.shape[0]} [Op:InTopKV2] name: "
        )
    classes = predictions.shape[1]
    outside = (targets < 0) | (targets >= classes)
    if classes == 0:
        return torch.zeros_like(outside)
    index = torch.where(outside, 0, targets).to(torch.int64).unsqueeze(1)
    own = torch.gather(predictions, 1, index)
    larger = torch.sum((predictions > own).float(), 1)  # exact up to 2**24 classes
    finite = torch.isfinite(predictions.abs().amax(1))  # the greatest of a NaN is NaN
    return (larger < k) & ~outside & finite


def _approx(operand: Any, k: Any, axis: Any, recall_target: float, size: int, descending: bool) -> Any:
    if not 0.0 < recall_target <= 1.0:
        raise invalid(f"recall_target must be in (0, 1], got {recall_target} [Op:ApproxTopK] name: ")
    if size < -1:
        raise invalid(f"reduction_input_size_override must be at least -1, got {size} [Op:ApproxTopK] name: ")
    if not -operand.ndim <= axis < operand.ndim:
        raise invalid(f"reduction_dimension {axis} is out of range for an operand of shape {_dims(operand.shape)} [Op:ApproxTopK] name: ")
    if not 0 <= k <= operand.shape[axis]:
        raise invalid(f"input must have at least k columns. Had {operand.shape[axis]}, needed {k} [Op:ApproxTopK] name: ")
    values, indices = _largest(operand, k, axis, descending)
    return ApproxTopK(values, indices.to(torch.int32))


@op("ApproxTopK", multi=True, operand=tensor(REALS), k=INT, reduction_dimension=INT)
def approx_max_k(
    operand: Any,
    k: Any,
    reduction_dimension: Any = -1,
    recall_target: float = 0.95,
    reduction_input_size_override: int = -1,
    aggregate_to_topk: bool = True,
    name: str | None = None,
) -> Any:
    """The `k` largest entries along an axis and their int32 positions (`tf.math.approx_max_k`).

    The result is exact, which meets every `recall_target`; the options of the approximation make no difference.
    """
    return _approx(operand, k, reduction_dimension, recall_target, reduction_input_size_override, True)


@op("ApproxTopK", multi=True, operand=tensor(REALS), k=INT, reduction_dimension=INT)
def approx_min_k(
    operand: Any,
    k: Any,
    reduction_dimension: Any = -1,
    recall_target: float = 0.95,
    reduction_input_size_override: int = -1,
    aggregate_to_topk: bool = True,
    name: str | None = None,
) -> Any:
    """The `k` smallest entries along an axis and their int32 positions (`tf.math.approx_min_k`); exact as `approx_max_k`."""
    return _approx(operand, k, reduction_dimension, recall_target, reduction_input_size_override, False)


__all__ = ["approx_max_k", "approx_min_k", "in_top_k", "top_k"]
