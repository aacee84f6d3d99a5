"""From the losses of samples to the loss of a batch: masks, sample weights, reductions."""

from __future__ import annotations

from typing import Any

import torch

from tf2compat._engine.convert import convert_to_tensor
from tf2compat._engine.op import TENSOR, op
from tf2compat._engine.tensor import Tensor


class Reduction:
    """How the losses of the samples become one (`tf.keras.losses.Reduction`)."""

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        return (cls.AUTO, cls.NONE, cls.SUM, cls.SUM_OVER_BATCH_SIZE)

    @classmethod
    def validate(cls, key: Any) -> None:
        """ValueError for an unknown key."""
        if key not in cls.all():
            raise ValueError(f'Invalid Reduction Key: {key}. Expected keys are "{cls.all()}"')


@op("KerasReduceLoss", losses=TENSOR)
def _reduce(losses: Any, over_batch: Any) -> Any:
    if not losses.is_floating_point():
        total = losses.to(torch.float32).sum()
        return (total / losses.numel() if over_batch and losses.numel() else total).to(losses.dtype)
    if over_batch and losses.numel():
        return losses.mean()
    return losses.sum()


def _cast(x: Any, dtype: Any) -> Any:
    from tf2compat import cast

    return cast(x, dtype)


def _squeeze(x: Any) -> Any:
    from tf2compat import squeeze

    return squeeze(x, [-1])


def match_ranks(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Drop a last axis of size 1 from labels or predictions that have one rank more than the other."""
    a, b = y_true.shape.rank, y_pred.shape.rank
    if a is None or b is None or a == b:
        return y_true, y_pred
    if b - a == 1 and y_pred.shape[-1] == 1:
        return y_true, _squeeze(y_pred)
    if a - b == 1 and y_true.shape[-1] in (1, None):
        return _squeeze(y_true), y_pred
    return y_true, y_pred


def match_weight(values: Any, weight: Any) -> Any:
    """Give a weight the rank of `values`: without its last axis of size 1, or with one more."""
    a, b = values.shape.rank, weight.shape.rank
    if not b or a is None or a == b:
        return weight
    if b - a == 1:
        return _squeeze(weight)
    if a - b == 1:
        from tf2compat import expand_dims

        return expand_dims(weight, -1)
    return weight


def compute_weighted_loss(losses: Any, sample_weight: Any = None, reduction: str = Reduction.SUM_OVER_BATCH_SIZE) -> Any:
    """The losses times their weights, reduced."""
    if not isinstance(losses, Tensor) and not hasattr(type(losses), "_tf_op"):
        losses = convert_to_tensor(losses)
    original = None
    if not losses.dtype.is_floating:
        original = losses.dtype
        losses = _cast(losses, "float32")
    if sample_weight is not None:
        weight = sample_weight if hasattr(type(sample_weight), "_tf_op") else convert_to_tensor(sample_weight)
        if weight.dtype is not losses.dtype:
            weight = _cast(weight, losses.dtype)
        losses = losses * match_weight(losses, weight)
    elif reduction == Reduction.NONE and hasattr(type(losses), "_is_keras_tensor"):
        losses = losses * 1.0  # the layer that Keras makes
    if reduction == Reduction.NONE:
        out = losses
    else:
        out = _reduce(losses, reduction != Reduction.SUM)
    return out if original is None else _cast(out, original)


def combine_mask(values: Any, weight: Any, mask: Any) -> Any:
    """The sample weight with a mask taken in."""
    from tf2compat import cast

    if mask is None:
        return weight
    mask = cast(mask, values.dtype)
    if weight is None:
        return mask
    weight = cast(convert_to_tensor(weight), mask.dtype)
    return match_weight(mask, weight) * mask


def valid_mask(losses: Any, weight: Any, mask: Any, reduction: str) -> Any:
    """As `combine_mask`, scaled so that a mean over all is the mean over the valid."""
    from tf2compat import cast, reduce_sum, size

    if mask is None:
        return weight
    mask = cast(mask, losses.dtype)
    if reduction in (Reduction.AUTO, Reduction.SUM_OVER_BATCH_SIZE):
        mask = mask * (cast(size(mask), losses.dtype) / reduce_sum(mask))
    return combine_mask(losses, weight, mask)
