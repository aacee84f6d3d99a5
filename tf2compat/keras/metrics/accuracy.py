"""Accuracies: the share of samples that match."""

from __future__ import annotations

from typing import Any

from . import functions as f
from .base import MeanMetricWrapper


class Accuracy(MeanMetricWrapper):
    """How often labels and predictions are equal (`tf.keras.metrics.Accuracy`)."""

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(f.accuracy, name, dtype=dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How often predictions match labels 0 and 1 (`tf.keras.metrics.BinaryAccuracy`)."""

    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(f.binary_matches, name, dtype=dtype, threshold=threshold)


class CategoricalAccuracy(MeanMetricWrapper):
    """How often predictions match one-hot labels (`tf.keras.metrics.CategoricalAccuracy`)."""

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(f.categorical_accuracy, name, dtype=dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often predictions match integer labels (`tf.keras.metrics.SparseCategoricalAccuracy`)."""

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(f.sparse_categorical_accuracy, name, dtype=dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the one-hot label is among the k best (`tf.keras.metrics.TopKCategoricalAccuracy`)."""

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(f.top_k_categorical_accuracy, name, dtype=dtype, k=k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the integer label is among the k best (`tf.keras.metrics.SparseTopKCategoricalAccuracy`)."""

    def __init__(self, k: int = 5, name: str | None = "sparse_top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(f.sparse_top_k_categorical_accuracy, name, dtype=dtype, k=k)
