"""Losses as metrics, and errors of regressions."""

from __future__ import annotations

import warnings
from typing import Any

from tf2compat._engine.convert import convert_to_tensor

from ..losses import functions as f
from .base import Mean, MeanMetricWrapper, Metric, _as, _number, host


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The cosine of the angle between labels and predictions: what the name means as a metric, the loss's negative."""
    return -f.cosine_similarity(y_true, y_pred, axis)


class MeanSquaredError(MeanMetricWrapper):
    """mean(square(y_true - y_pred)) (`tf.keras.metrics.MeanSquaredError`)."""

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(f.mean_squared_error, name, dtype=dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """mean(abs(y_true - y_pred)) (`tf.keras.metrics.MeanAbsoluteError`)."""

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(f.mean_absolute_error, name, dtype=dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """100 * mean(abs((y_true - y_pred) / y_true)) (`tf.keras.metrics.MeanAbsolutePercentageError`)."""

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(f.mean_absolute_percentage_error, name, dtype=dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """mean(square(log(y_true + 1) - log(y_pred + 1))) (`tf.keras.metrics.MeanSquaredLogarithmicError`)."""

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(f.mean_squared_logarithmic_error, name, dtype=dtype)


class CosineSimilarity(MeanMetricWrapper):
    """The cosine of the angle between labels and predictions (`tf.keras.metrics.CosineSimilarity`)."""

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(cosine_similarity, name, dtype=dtype, axis=axis)


class LogCoshError(MeanMetricWrapper):
    """mean(log(cosh(y_pred - y_true))) (`tf.keras.metrics.LogCoshError`)."""

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(f.log_cosh, name, dtype=dtype)


class Hinge(MeanMetricWrapper):
    """mean(max(1 - y_true * y_pred, 0)) (`tf.keras.metrics.Hinge`)."""

    def __init__(self, name: str | None = "hinge", dtype: Any = None) -> None:
        super().__init__(f.hinge, name, dtype=dtype)


class SquaredHinge(MeanMetricWrapper):
    """mean(square(max(1 - y_true * y_pred, 0))) (`tf.keras.metrics.SquaredHinge`)."""

    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(f.squared_hinge, name, dtype=dtype)


class CategoricalHinge(MeanMetricWrapper):
    """max(neg - pos + 1, 0) (`tf.keras.metrics.CategoricalHinge`)."""

    def __init__(self, name: str | None = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(f.categorical_hinge, name, dtype=dtype)


class Poisson(MeanMetricWrapper):
    """mean(y_pred - y_true * log(y_pred)) (`tf.keras.metrics.Poisson`)."""

    def __init__(self, name: str | None = "poisson", dtype: Any = None) -> None:
        super().__init__(f.poisson, name, dtype=dtype)


class KLDivergence(MeanMetricWrapper):
    """sum(y_true * log(y_true / y_pred)) (`tf.keras.metrics.KLDivergence`)."""

    def __init__(self, name: str | None = "kullback_leibler_divergence", dtype: Any = None) -> None:
        super().__init__(f.kl_divergence, name, dtype=dtype)


class BinaryCrossentropy(MeanMetricWrapper):
    """Crossentropy of labels 0 and 1 (`tf.keras.metrics.BinaryCrossentropy`)."""

    def __init__(
        self, name: str | None = "binary_crossentropy", dtype: Any = None, from_logits: bool = False, label_smoothing: float = 0
    ) -> None:
        super().__init__(f.binary_crossentropy, name, dtype=dtype, from_logits=from_logits, label_smoothing=label_smoothing)


class CategoricalCrossentropy(MeanMetricWrapper):
    """Crossentropy of one-hot labels (`tf.keras.metrics.CategoricalCrossentropy`)."""

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(f.categorical_crossentropy, name, dtype=dtype, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis)


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """Crossentropy of integer labels (`tf.keras.metrics.SparseCategoricalCrossentropy`)."""

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            f.sparse_categorical_crossentropy, name, dtype=dtype, from_logits=from_logits, ignore_class=ignore_class, axis=axis
        )


class RootMeanSquaredError(Mean):
    """sqrt(mean(square(y_true - y_pred))) (`tf.keras.metrics.RootMeanSquaredError`)."""

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype=dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        from ..losses.weighting import match_ranks

        y_true, y_pred = match_ranks(_as(y_true, self._compute), _as(y_pred, self._compute))
        difference = y_pred - y_true
        super().update_state(difference * difference, sample_weight)

    def result(self) -> Any:
        from tf2compat import sqrt

        return sqrt(super().result())


class MeanRelativeError(Mean):
    """mean(abs(y_true - y_pred) / normalizer) (`tf.keras.metrics.MeanRelativeError`)."""

    def __init__(self, normalizer: Any, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.__dict__["normalizer"] = _as(normalizer, self._compute)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        from tf2compat import abs, math  # noqa: A004

        y_true, y_pred = _as(y_true, self._compute), _as(y_pred, self._compute)
        super().update_state(math.divide_no_nan(abs(y_true - y_pred), self.normalizer), sample_weight)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"normalizer": host(self.normalizer)}


class R2Score(Metric):
    """The share of the variance that is explained (`tf.keras.metrics.R2Score`)."""

    def __init__(
        self, class_aggregation: str | None = "uniform_average", num_regressors: int = 0, name: str | None = "r2_score", dtype: Any = None
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        valid = (None, "uniform_average", "variance_weighted_average")
        if class_aggregation not in valid:
            raise ValueError(
                f"Invalid value for argument `class_aggregation`. Expected one of {valid}. Received: class_aggregation={class_aggregation}"
            )
        if num_regressors < 0:
            raise ValueError(
                f"Invalid value for argument `num_regressors`. Expected a value >= 0. Received: num_regressors={num_regressors}"
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_weight(name="num_samples", dtype="int32")
        self.built = False

    def build(self, y_true_shape: Any, y_pred_shape: Any) -> None:
        """Make the variables for labels and predictions of shape [batch, outputs]; ValueError for others."""
        if len(y_pred_shape) != 2 or len(y_true_shape) != 2:
            raise ValueError(
                "R2Score expects 2D inputs with shape (batch_size, output_dim). Received input shapes: "
                f"y_pred.shape={y_pred_shape} and y_true.shape={y_true_shape}."
            )
        if y_pred_shape[-1] is None or y_true_shape[-1] is None:
            raise ValueError(
                "R2Score expects 2D inputs with shape (batch_size, output_dim), with output_dim fully defined (not None). Received input shapes: "
                f"y_pred.shape={y_pred_shape} and y_true.shape={y_true_shape}."
            )
        n = y_pred_shape[-1]
        self.squared_sum = self.add_weight(name="squared_sum", shape=[n])
        self.sum = self.add_weight(name="sum", shape=[n])
        self.total_mse = self.add_weight(name="residual", shape=[n])
        self.count = self.add_weight(name="count", shape=[n])
        self.built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        import tf2compat as tf

        y_true, y_pred = _as(y_true, self._compute), _as(y_pred, self._compute)
        if not self.built:
            self.build(y_true.shape, y_pred.shape)
        weight = convert_to_tensor(1.0, self._compute) if sample_weight is None else _as(_number(sample_weight), self._compute)
        if weight.shape.rank == 1:
            weight = tf.expand_dims(weight, 1)
        weight = tf.broadcast_to(weight, tf.shape(y_true))
        weighted = y_true * weight
        self.sum.assign_add(tf.reduce_sum(weighted, axis=0))
        self.squared_sum.assign_add(tf.reduce_sum(y_true * weighted, axis=0))
        self.total_mse.assign_add(tf.reduce_sum((y_true - y_pred) ** 2 * weight, axis=0))
        self.count.assign_add(tf.reduce_sum(weight, axis=0))
        self.num_samples.assign_add(tf.size(y_true))

    def result(self) -> Any:
        import tf2compat as tf

        mean = self.sum / self.count
        total = self.squared_sum - self.sum * mean
        raw = 1 - self.total_mse / total
        raw = tf.where(tf.math.is_inf(raw), 0.0, raw)
        if self.class_aggregation == "uniform_average":
            score = tf.reduce_mean(raw)
        elif self.class_aggregation == "variance_weighted_average":
            score = tf.reduce_sum(total * raw) / tf.reduce_sum(total)
        else:
            score = raw
        if self.num_regressors:
            n = int(self.num_samples)
            if self.num_regressors > n - 1:
                warnings.warn(
                    "More independent predictors than datapoints in adjusted R2 score. Falling back to standard R2 score.", stacklevel=2
                )
            elif self.num_regressors == n - 1:
                warnings.warn("Division by zero in Adjusted R2 score. Falling back to standard R2 score.", stacklevel=2)
            else:
                score = 1.0 - (1.0 - score) * (n - 1.0) / (n - self.num_regressors - 1.0)
        return score

    def reset_state(self) -> None:
        for v in self.variables:
            v.assign(v * 0)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}


class FBetaScore(Metric):
    """(1 + beta²) * precision * recall / (beta² * precision + recall) (`tf.keras.metrics.FBetaScore`)."""

    def __init__(
        self, average: str | None = None, beta: float = 1.0, threshold: float | None = None, name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(name=name, dtype=dtype)
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(
                f"Invalid `average` argument value. Expected one of: {{None, 'micro', 'macro', 'weighted'}}. Received: average={average}"
            )
        if not isinstance(beta, float):
            raise ValueError(f"Invalid `beta` argument value. It should be a Python float. Received: beta={beta} of type '{type(beta)}'")
        if beta <= 0.0:
            raise ValueError(f"Invalid `beta` argument value. It should be > 0. Received: beta={beta}")
        if threshold is not None:
            if not isinstance(threshold, float):
                raise ValueError(
                    f"Invalid `threshold` argument value. It should be a Python float. Received: threshold={threshold} of type "
                    f"'{type(threshold)}'"
                )
            if threshold > 1.0 or threshold <= 0.0:
                raise ValueError(
                    f"Invalid `threshold` argument value. It should verify 0 < threshold <= 1. Received: threshold={threshold}"
                )
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self.axis = None if average == "micro" else 0
        self.built = False

    def build(self, y_true_shape: Any, y_pred_shape: Any) -> None:
        """Make the variables for labels and predictions of shape [batch, outputs]; ValueError for others."""
        if len(y_pred_shape) != 2 or len(y_true_shape) != 2:
            raise ValueError(
                "FBetaScore expects 2D inputs with shape (batch_size, output_dim). Received input shapes: "
                f"y_pred.shape={y_pred_shape} and y_true.shape={y_true_shape}."
            )
        shape = [] if self.average == "micro" else [y_pred_shape[-1]]
        self.true_positives = self.add_weight("true_positives", shape=shape)
        self.false_positives = self.add_weight("false_positives", shape=shape)
        self.false_negatives = self.add_weight("false_negatives", shape=shape)
        self.intermediate_weights = self.add_weight("intermediate_weights", shape=shape)
        self.built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        import tf2compat as tf

        y_true, y_pred = _as(y_true, self._compute), _as(y_pred, self._compute)
        if not self.built:
            self.build(y_true.shape, y_pred.shape)
        if self.threshold is None:
            best = tf.reduce_max(y_pred, axis=-1, keepdims=True)
            said = tf.logical_and(y_pred >= best, tf.abs(y_pred) > 1e-9)
        else:
            said = y_pred > self.threshold
        said = tf.cast(said, self._compute)

        def total(values: Any) -> Any:
            if sample_weight is not None:
                values = values * tf.expand_dims(tf.cast(sample_weight, self._compute), 1)
            return tf.reduce_sum(values, axis=self.axis)

        self.true_positives.assign_add(total(said * y_true))
        self.false_positives.assign_add(total(said * (1 - y_true)))
        self.false_negatives.assign_add(total((1 - said) * y_true))
        self.intermediate_weights.assign_add(total(y_true))

    def result(self) -> Any:
        import tf2compat as tf

        precision = tf.math.divide_no_nan(self.true_positives, self.true_positives + self.false_positives)
        recall = tf.math.divide_no_nan(self.true_positives, self.true_positives + self.false_negatives)
        square = self.beta**2
        score = tf.math.divide_no_nan(precision * recall, square * precision + recall) * (1 + square)
        if self.average == "weighted":
            share = tf.math.divide_no_nan(self.intermediate_weights, tf.reduce_sum(self.intermediate_weights))
            return tf.reduce_sum(score * share)
        return score if self.average is None else tf.reduce_mean(score)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"average": self.average, "beta": self.beta, "threshold": self.threshold}


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall (`tf.keras.metrics.F1Score`)."""

    def __init__(
        self, average: str | None = None, threshold: float | None = None, name: str | None = "f1_score", dtype: Any = None
    ) -> None:
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["beta"]
        return config
