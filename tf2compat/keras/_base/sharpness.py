"""SharpnessAwareMinimization: training that prefers flat minima."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from .data import unpack
from .layer import Layer
from .model import Model
from .serialization import register_keras_serializable, serialize_keras_object


@register_keras_serializable()
class SharpnessAwareMinimization(Model):
    """Wraps a model; a step follows the gradient at the worst place within `rho` of the weights
    (`tf.keras.models.experimental.SharpnessAwareMinimization`; Foret et al., 2020).

    With `num_batch_splits` each part of a batch has a worst place of its own.
    """

    def __init__(self, model: Any, rho: float = 0.05, num_batch_splits: int | None = None, name: str | None = None) -> None:
        super().__init__(name=name)
        self.model = model
        self.rho = rho
        self.num_batch_splits = num_batch_splits

    def train_step(self, data: Any) -> Any:
        """One step: up to the worst place, the gradient there, back, and the optimizer's step."""
        x, y, sample_weight = unpack(data)
        n = self.num_batch_splits
        parts = [[x], [y], [sample_weight]] if n is None else [[None] * n if v is None else tf.split(v, n) for v in (x, y, sample_weight)]
        variables = self.model.trainable_variables
        total: list[Any] = []
        predictions = []
        for one, target, weight in zip(*parts, strict=True):
            with tf.GradientTape() as tape:
                pred = self(one)
                loss = self.compiled_loss(target, pred, weight)
            predictions.append(pred)
            gradients = tape.gradient(loss, variables)
            norm = tf.norm(tf.stack([tf.norm(g) for g in gradients if g is not None]))
            away = [g * (self.rho / (norm + 1e-12)) for g in gradients]
            for variable, step in zip(variables, away, strict=True):
                variable.assign_add(step)
            with tf.GradientTape() as tape:
                loss = self.compiled_loss(target, self(one, training=True), weight)
            gradients = tape.gradient(loss, variables)
            for variable, step in zip(variables, away, strict=True):
                variable.assign_sub(step)
            total = list(gradients) if not total else [a + b for a, b in zip(total, gradients, strict=True)]
        self.optimizer.apply_gradients(zip(total, variables, strict=True))
        self.compiled_metrics.update_state(y, tf.concat(predictions, axis=0), sample_weight)
        return {m.name: m.result() for m in self.metrics}

    def call(self, inputs: Any, **kwargs: Any) -> Any:
        """The wrapped model's outputs."""
        return self.model(inputs, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        own = {"model": serialize_keras_object(self.model), "rho": self.rho, "num_batch_splits": self.num_batch_splits}
        return {"name": Layer.get_config(self)["name"]} | own

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The model of what `get_config` returned."""
        from .. import layers

        config = dict(config)
        config["model"] = layers.deserialize(config["model"], custom_objects)
        return cls(**config)
