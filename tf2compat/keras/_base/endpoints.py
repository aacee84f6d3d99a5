"""Layers that end a branch of a functional model in a loss or a metric."""

from __future__ import annotations

from typing import Any

from .layer import Layer


class AddLoss(Layer):
    """Adds its input to the model's losses, and gives it on."""

    def __init__(self, unconditional: bool = False, **kwargs: Any) -> None:
        kwargs["autocast"] = False
        super().__init__(**kwargs)
        self.unconditional = unconditional

    def call(self, inputs: Any) -> Any:
        self.add_loss(inputs)
        return inputs

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"unconditional": self.unconditional}


class AddMetric(Layer):
    """Adds its input to the model's metrics, and gives it on."""

    def __init__(self, aggregation: str | None = None, metric_name: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.aggregation = aggregation
        self.metric_name = metric_name

    def call(self, inputs: Any) -> Any:
        self.add_metric(inputs, aggregation=self.aggregation, name=self.metric_name)
        return inputs

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"aggregation": self.aggregation, "metric_name": self.metric_name}
