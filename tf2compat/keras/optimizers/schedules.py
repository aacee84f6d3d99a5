"""`tf.keras.optimizers.schedules`: learning rates as functions of the step."""

from __future__ import annotations

import math
from typing import Any

import torch

from tf2compat._engine.convert import convert_to_tensor
from tf2compat._engine.op import ANY, op
from tf2compat._engine.tensor import Tensor
from tf2compat._engine.variable import Variable


class LearningRateSchedule:
    """Base of the schedules (`tf.keras.optimizers.schedules.LearningRateSchedule`): define `__call__(step)` and `get_config()`."""

    def __call__(self, step: Any) -> Any:
        raise NotImplementedError(f"Learning rate schedule '{type(self).__name__}' must override `__call__(self, step)`.")

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must override `get_config()` in order to be serializable."
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)


def _rate(value: Any) -> Any:
    return value if isinstance(value, (Tensor, Variable)) else convert_to_tensor(value)


@op("KerasExponentialDecay", rate=ANY, step=ANY)
def _exponential(rate: Any, step: Any, steps: Any, decay: Any, staircase: Any) -> Any:
    p = step.to(rate.dtype) / steps
    if staircase:
        p = torch.floor(p)
    return rate * torch.pow(torch.as_tensor(decay, dtype=rate.dtype, device=rate.device), p)


class ExponentialDecay(LearningRateSchedule):
    """initial * decay_rate ^ (step / decay_steps) (`tf.keras.optimizers.schedules.ExponentialDecay`)."""

    def __init__(
        self, initial_learning_rate: Any, decay_steps: Any, decay_rate: Any, staircase: bool = False, name: str | None = None
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Any:
        return _exponential(_rate(self.initial_learning_rate), step, _value(self.decay_steps), _value(self.decay_rate), self.staircase)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate, "decay_steps": self.decay_steps, "decay_rate": self.decay_rate,
            "staircase": self.staircase, "name": self.name,
        }  # fmt: skip


def _value(x: Any) -> Any:
    return x.numpy().item() if isinstance(x, (Tensor, Variable)) else x


@op("KerasPiecewiseConstant", step=ANY, values=ANY)
def _piecewise(step: Any, boundaries: Any, values: Any) -> Any:
    edges = torch.as_tensor(boundaries, device=values.device)
    edges = edges.to(step.dtype) if not (edges.is_floating_point() and not step.is_floating_point()) else edges.to(torch.int64)
    return values[(step.to(values.device) > edges).sum()]


class PiecewiseConstantDecay(LearningRateSchedule):
    """values[0] up to boundaries[0], values[1] up to boundaries[1], … (`tf.keras.optimizers.schedules.PiecewiseConstantDecay`).

    ValueError unless there is one value more than boundaries.
    """

    def __init__(self, boundaries: Any, values: Any, name: str | None = None) -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                f"The length of boundaries should be 1 less than the length of values. Received: boundaries={boundaries} of length "
                f"{len(boundaries)}, and values={values} of length {len(values)}."
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step: Any) -> Any:
        return _piecewise(step, [_value(b) for b in self.boundaries], convert_to_tensor([_value(v) for v in self.values]))

    def get_config(self) -> dict[str, Any]:
        return {"boundaries": self.boundaries, "values": self.values, "name": self.name}


@op("KerasPolynomialDecay", rate=ANY, step=ANY)
def _polynomial(rate: Any, step: Any, steps: Any, end: Any, power: Any, cycle: Any) -> Any:
    now = step.to(rate.dtype)
    whole = torch.as_tensor(steps, dtype=rate.dtype, device=rate.device)
    if cycle:
        whole = whole * torch.where(now == 0, torch.ones_like(now), torch.ceil(now / steps))
    else:
        now = torch.minimum(now, whole)
    return (rate - end) * torch.pow(1 - now / whole, power) + end


class PolynomialDecay(LearningRateSchedule):
    """From the initial rate to `end_learning_rate` along a polynomial (`tf.keras.optimizers.schedules.PolynomialDecay`)."""

    def __init__(
        self, initial_learning_rate: Any, decay_steps: Any, end_learning_rate: Any = 0.0001, power: Any = 1.0, cycle: bool = False,
        name: str | None = None,
    ) -> None:  # fmt: skip
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Any:
        return _polynomial(
            _rate(self.initial_learning_rate), step, _value(self.decay_steps), _value(self.end_learning_rate), _value(self.power), self.cycle
        )

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate, "decay_steps": self.decay_steps,
            "end_learning_rate": self.end_learning_rate, "power": self.power, "cycle": self.cycle, "name": self.name,
        }  # fmt: skip


@op("KerasInverseTimeDecay", rate=ANY, step=ANY)
def _inverse_time(rate: Any, step: Any, steps: Any, decay: Any, staircase: Any) -> Any:
    p = step.to(rate.dtype) / steps
    return rate / (1 + decay * (torch.floor(p) if staircase else p))


class InverseTimeDecay(LearningRateSchedule):
    """initial / (1 + decay_rate * step / decay_steps) (`tf.keras.optimizers.schedules.InverseTimeDecay`)."""

    def __init__(
        self, initial_learning_rate: Any, decay_steps: Any, decay_rate: Any, staircase: bool = False, name: str | None = None
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Any:
        return _inverse_time(_rate(self.initial_learning_rate), step, _value(self.decay_steps), _value(self.decay_rate), self.staircase)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate, "decay_steps": self.decay_steps, "decay_rate": self.decay_rate,
            "staircase": self.staircase, "name": self.name,
        }  # fmt: skip


@op("KerasCosineDecay", rate=ANY, step=ANY)
def _cosine(rate: Any, step: Any, steps: Any, alpha: Any, target: Any, warmup: Any) -> Any:
    now = step.to(rate.dtype)

    def decayed(passed: torch.Tensor, start: Any) -> torch.Tensor:
        return start * ((1 - alpha) * (0.5 * (1.0 + torch.cos(math.pi * (passed / steps)))) + alpha)

    if target is None:
        return decayed(torch.clamp(now, max=steps), rate)
    now = torch.clamp(now, max=steps + warmup)
    if not warmup:
        return decayed(now, target)
    return torch.where(now < warmup, (target - rate) * (now / warmup) + rate, decayed(now - warmup, target))


class CosineDecay(LearningRateSchedule):
    """Half a cosine, after a linear warm-up if `warmup_target` is given (`tf.keras.optimizers.schedules.CosineDecay`)."""

    def __init__(
        self, initial_learning_rate: Any, decay_steps: Any, alpha: Any = 0.0, name: str | None = None, warmup_target: Any = None,
        warmup_steps: Any = 0,
    ) -> None:  # fmt: skip
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_steps = warmup_steps
        self.warmup_target = warmup_target

    def __call__(self, step: Any) -> Any:
        return _cosine(
            _rate(self.initial_learning_rate), step, _value(self.decay_steps), _value(self.alpha), _value(self.warmup_target),
            _value(self.warmup_steps),
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate, "decay_steps": self.decay_steps, "alpha": self.alpha, "name": self.name,
            "warmup_target": self.warmup_target, "warmup_steps": self.warmup_steps,
        }  # fmt: skip


@op("KerasCosineDecayRestarts", rate=ANY, step=ANY)
def _restarts(rate: Any, step: Any, first: Any, t_mul: Any, m_mul: Any, alpha: Any) -> Any:
    done = step.to(rate.dtype) / first
    if t_mul == 1.0:
        i = torch.floor(done)
        done = done - i
    else:
        i = torch.floor(torch.log(1.0 - done * (1.0 - t_mul)) / math.log(t_mul))
        done = (done - (1.0 - t_mul**i) / (1.0 - t_mul)) / t_mul**i
    return rate * ((1 - alpha) * (0.5 * m_mul**i * (1.0 + torch.cos(math.pi * done))) + alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """Half cosines, each longer by `t_mul` and lower by `m_mul` (`tf.keras.optimizers.schedules.CosineDecayRestarts`)."""

    def __init__(
        self, initial_learning_rate: Any, first_decay_steps: Any, t_mul: Any = 2.0, m_mul: Any = 1.0, alpha: Any = 0.0,
        name: str | None = None,
    ) -> None:  # fmt: skip
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self._t_mul = t_mul
        self._m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: Any) -> Any:
        return _restarts(
            _rate(self.initial_learning_rate), step, _value(self.first_decay_steps), float(_value(self._t_mul)),
            float(_value(self._m_mul)), _value(self.alpha),
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate, "first_decay_steps": self.first_decay_steps, "t_mul": self._t_mul,
            "m_mul": self._m_mul, "alpha": self.alpha, "name": self.name,
        }  # fmt: skip


def serialize(learning_rate_schedule: Any, use_legacy_format: bool = False) -> Any:
    """The config of a schedule (`tf.keras.optimizers.schedules.serialize`)."""
    from .._base.serialization import serialize_keras_object, serialize_legacy

    return serialize_legacy(learning_rate_schedule) if use_legacy_format else serialize_keras_object(learning_rate_schedule)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None, use_legacy_format: bool = False) -> Any:
    """The schedule of a config (`tf.keras.optimizers.schedules.deserialize`); ValueError for an unknown one."""
    from .._base.serialization import from_module

    return from_module(config, globals(), custom_objects, "decay", use_legacy_format)
