"""`tf.keras.datasets`: data sets that are downloaded once, checked, and kept in Keras' cache."""

from __future__ import annotations

from . import boston_housing, cifar10, cifar100, fashion_mnist, imdb, mnist, reuters

__all__ = ["boston_housing", "cifar10", "cifar100", "fashion_mnist", "imdb", "mnist", "reuters"]
