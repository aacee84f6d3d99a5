"""`tf.keras.optimizers.experimental`: the present optimizers under their former names."""

from __future__ import annotations

from .adaptive import Adadelta, Adagrad, Adam, Adamax, AdamW, Nadam, RMSprop
from .optimizer import Optimizer
from .others import SGD, Adafactor, Ftrl

__all__ = ["SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Nadam", "Optimizer", "RMSprop"]
