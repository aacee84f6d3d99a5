"""`tf.keras.layers.experimental`: SyncBatchNormalization, EinsumDense, RandomFourierFeatures, DynamicLookup, DynamicEmbedding, preprocessing."""

from __future__ import annotations

import importlib
from typing import Any

from ...._names import module_getattr
from ..einsum_dense import EinsumDense
from ..normalization import BatchNormalization
from .dynamic import DynamicEmbedding, DynamicLookup
from .fourier import RandomFourierFeatures

_missing = module_getattr("tf.keras.layers.experimental")


class SyncBatchNormalization(BatchNormalization):
    """BatchNormalization with statistics over all replicas (`tf.keras.layers.experimental.SyncBatchNormalization`).

    On one replica it equals BatchNormalization.
    """

    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("synchronized", None)
        super().__init__(
            axis, momentum, epsilon, center, scale, beta_initializer, gamma_initializer, moving_mean_initializer,
            moving_variance_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint, synchronized=True,
            **kwargs,
        )  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "preprocessing":
        return importlib.import_module(".preprocessing", __name__)
    return _missing(name)


__all__ = ["DynamicEmbedding", "DynamicLookup", "EinsumDense", "RandomFourierFeatures", "SyncBatchNormalization"]
