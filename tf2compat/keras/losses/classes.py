"""The loss classes: a loss function with its options and a reduction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tf2compat._engine import state, strategies
from tf2compat._engine.symbolic import SymbolicTensor
from tf2compat._engine.tensor import Tensor
from tf2compat._engine.variable import Variable

from .._base.callspec import Masks, mask_of
from . import functions as f
from .means import mean_of
from .weighting import Reduction, compute_weighted_loss, match_ranks, valid_mask

_TENSORS = (Tensor, SymbolicTensor)


def _plain(value: Any) -> Any:
    return value.numpy().tolist() if isinstance(value, (Tensor, Variable)) else value


class Loss:
    """Base of the losses (`tf.keras.losses.Loss`): define `call(y_true, y_pred)`, which gives a loss for each sample.

    Calling the object weighs and reduces them. ValueError for an unknown reduction.
    """

    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = None) -> None:
        Reduction.validate(reduction)
        self.reduction = reduction
        self.name = name
        self._allow_sum_over_batch_size = False

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The loss of a batch, of shape [batch, …] with reduction `none`, else a scalar.

        `sample_weight` is a scalar or broadcasts to the samples' losses.
        """
        losses = self.call(y_true, y_pred) if state.local.graph is None else _converted(self)(y_true, y_pred)
        reduction = self._get_reduction()
        if Masks.used:
            mask, other = mask_of(y_pred), mask_of(losses)
            if mask is None:
                mask = other
            elif other is not None:
                mask = mask & other
            if mask is not None:
                sample_weight = valid_mask(losses, sample_weight, mask, reduction)
        return compute_weighted_loss(losses, sample_weight, reduction)

    def _get_reduction(self) -> str:
        """How the samples' losses are reduced now. ValueError for a mean under a strategy, which a loop of one's own cannot mean."""
        reduction = Reduction.SUM_OVER_BATCH_SIZE if self.reduction == Reduction.AUTO else self.reduction
        Reduction.validate(reduction)  # it may have been assigned
        if reduction == Reduction.SUM_OVER_BATCH_SIZE and not self._allow_sum_over_batch_size and strategies.current() is not None:
            raise ValueError(
                "Please use `tf.keras.losses.Reduction.SUM` or `tf.keras.losses.Reduction.NONE` for loss reduction when losses are used with "
                "`tf.distribute.Strategy`, except for specifying losses in `Model.compile()` for use by the built-in training looop "
                "`Model.fit()`.\nPlease see https://www.tensorflow.org/tutorials/distribute/custom_training for more details."
            )
        return reduction

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)

    def get_config(self) -> dict[str, Any]:
        return {"reduction": self.reduction, "name": self.name}

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The losses of the samples."""
        raise NotImplementedError("Must be implemented in subclasses.")


def _converted(loss: Loss) -> Callable[..., Any]:
    if type(loss).__module__.startswith("tf2compat."):
        return loss.call
    from .._base.tracing import converted

    return converted(loss.call)


class LossFunctionWrapper(Loss):
    """A function `fn(y_true, y_pred, **kwargs)` as a Loss."""

    def __init__(self, fn: Callable[..., Any], reduction: str = Reduction.AUTO, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(reduction=reduction, name=name)
        self.fn = fn
        self._fn_kwargs = kwargs

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        if sample_weight is None and type(self).call is LossFunctionWrapper.call:
            found = self._mean(y_true, y_pred)
            if found is not NotImplemented:
                return found
        return super().__call__(y_true, y_pred, sample_weight)

    def _mean(self, y_true: Any, y_pred: Any) -> Any:
        """The mean of the losses of a batch without weights and masks; NotImplemented where they are to be taken one by one."""
        whole = mean_of(self.fn)
        averages = self.reduction in (Reduction.AUTO, Reduction.SUM_OVER_BATCH_SIZE) and strategies.current() is None
        if whole is None or not averages or type(y_true) not in _TENSORS or type(y_pred) not in _TENSORS or not y_pred.dtype.is_floating:
            return NotImplemented
        if Masks.used and mask_of(y_pred) is not None:
            return NotImplemented
        return whole(*match_ranks(y_true, y_pred), **self._fn_kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The function's value, after one of the two has lost a last axis of size 1 that the other lacks."""
        if isinstance(y_pred, Tensor) and isinstance(y_true, Tensor):
            y_true, y_pred = match_ranks(y_true, y_pred)
        fn = self.fn
        if state.local.graph is not None and not getattr(fn, "__module__", "").startswith("tf2compat."):
            from .._base.tracing import converted

            fn = converted(fn)
        return fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {k: _plain(v) for k, v in self._fn_kwargs.items()}


class MeanSquaredError(LossFunctionWrapper):
    """mean(square(y_true - y_pred)) (`tf.keras.losses.MeanSquaredError`)."""

    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = "mean_squared_error") -> None:
        super().__init__(f.mean_squared_error, name=name, reduction=reduction)


class MeanAbsoluteError(LossFunctionWrapper):
    """mean(abs(y_true - y_pred)) (`tf.keras.losses.MeanAbsoluteError`)."""

    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = "mean_absolute_error") -> None:
        super().__init__(f.mean_absolute_error, name=name, reduction=reduction)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """100 * mean(abs((y_true - y_pred) / y_true)) (`tf.keras.losses.MeanAbsolutePercentageError`)."""

    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = "mean_absolute_percentage_error") -> None:
        super().__init__(f.mean_absolute_percentage_error, name=name, reduction=reduction)


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """mean(square(log(y_true + 1) - log(y_pred + 1))) (`tf.keras.losses.MeanSquaredLogarithmicError`)."""

    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = "mean_squared_logarithmic_error") -> None:
        super().__init__(f.mean_squared_logarithmic_error, name=name, reduction=reduction)


class BinaryCrossentropy(LossFunctionWrapper):
    """Crossentropy of labels 0 and 1 (`tf.keras.losses.BinaryCrossentropy`)."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: Any = 0.0,
        axis: int = -1,
        reduction: str = Reduction.AUTO,
        name: str | None = "binary_crossentropy",
    ) -> None:
        super().__init__(
            f.binary_crossentropy, name=name, reduction=reduction, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis
        )
        self.from_logits = from_logits


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """Binary crossentropy that looks away from easy samples (`tf.keras.losses.BinaryFocalCrossentropy`)."""

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: Any = 0.25,
        gamma: Any = 2.0,
        from_logits: bool = False,
        label_smoothing: Any = 0.0,
        axis: int = -1,
        reduction: str = Reduction.AUTO,
        name: str | None = "binary_focal_crossentropy",
    ) -> None:
        super().__init__(
            f.binary_focal_crossentropy, apply_class_balancing=apply_class_balancing, alpha=alpha, gamma=gamma, name=name,
            reduction=reduction, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip
        self.from_logits = from_logits
        self.apply_class_balancing = apply_class_balancing
        self.alpha = alpha
        self.gamma = gamma


class CategoricalCrossentropy(LossFunctionWrapper):
    """Crossentropy of one-hot labels (`tf.keras.losses.CategoricalCrossentropy`)."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: Any = 0.0,
        axis: int = -1,
        reduction: str = Reduction.AUTO,
        name: str | None = "categorical_crossentropy",
    ) -> None:
        super().__init__(
            f.categorical_crossentropy, name=name, reduction=reduction, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis
        )


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """Categorical crossentropy that looks away from easy samples (`tf.keras.losses.CategoricalFocalCrossentropy`)."""

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: Any = 2.0,
        from_logits: bool = False,
        label_smoothing: Any = 0.0,
        axis: int = -1,
        reduction: str = Reduction.AUTO,
        name: str | None = "categorical_focal_crossentropy",
    ) -> None:
        super().__init__(
            f.categorical_focal_crossentropy, alpha=alpha, gamma=gamma, name=name, reduction=reduction, from_logits=from_logits,
            label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip
        self.from_logits = from_logits
        self.alpha = alpha
        self.gamma = gamma


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """Crossentropy of integer labels (`tf.keras.losses.SparseCategoricalCrossentropy`)."""

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str = Reduction.AUTO,
        name: str | None = "sparse_categorical_crossentropy",
    ) -> None:
        super().__init__(
            f.sparse_categorical_crossentropy, name=name, reduction=reduction, from_logits=from_logits, ignore_class=ignore_class
        )


class CosineSimilarity(LossFunctionWrapper):
    """Minus the cosine of the angle between labels and predictions (`tf.keras.losses.CosineSimilarity`)."""

    def __init__(self, axis: int = -1, reduction: str = Reduction.AUTO, name: str | None = "cosine_similarity") -> None:
        super().__init__(f.cosine_similarity, reduction=reduction, name=name, axis=axis)


class Hinge(LossFunctionWrapper):
    """mean(max(1 - y_true * y_pred, 0)) (`tf.keras.losses.Hinge`)."""

    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = "hinge") -> None:
        super().__init__(f.hinge, name=name, reduction=reduction)


class SquaredHinge(LossFunctionWrapper):
    """mean(square(max(1 - y_true * y_pred, 0))) (`tf.keras.losses.SquaredHinge`)."""

    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = "squared_hinge") -> None:
        super().__init__(f.squared_hinge, name=name, reduction=reduction)


class CategoricalHinge(LossFunctionWrapper):
    """max(neg - pos + 1, 0) (`tf.keras.losses.CategoricalHinge`)."""

    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = "categorical_hinge") -> None:
        super().__init__(f.categorical_hinge, name=name, reduction=reduction)


class Poisson(LossFunctionWrapper):
    """mean(y_pred - y_true * log(y_pred)) (`tf.keras.losses.Poisson`)."""

    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = "poisson") -> None:
        super().__init__(f.poisson, name=name, reduction=reduction)


class LogCosh(LossFunctionWrapper):
    """mean(log(cosh(y_pred - y_true))) (`tf.keras.losses.LogCosh`)."""

    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = "log_cosh") -> None:
        super().__init__(f.log_cosh, name=name, reduction=reduction)


class KLDivergence(LossFunctionWrapper):
    """sum(y_true * log(y_true / y_pred)) (`tf.keras.losses.KLDivergence`)."""

    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = "kl_divergence") -> None:
        super().__init__(f.kl_divergence, name=name, reduction=reduction)


class Huber(LossFunctionWrapper):
    """Quadratic near 0, linear beyond `delta` (`tf.keras.losses.Huber`)."""

    def __init__(self, delta: Any = 1.0, reduction: str = Reduction.AUTO, name: str | None = "huber_loss") -> None:
        super().__init__(f.huber, name=name, reduction=reduction, delta=delta)
