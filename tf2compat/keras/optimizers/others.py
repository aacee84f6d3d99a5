"""SGD, Ftrl, Lion and Adafactor: their options and slots; the formulas are in `_rules`."""

from __future__ import annotations

from typing import Any

import torch

from tf2compat._engine.variable import Variable

from . import _rules as rules
from .optimizer import Optimizer
from .schedules import LearningRateSchedule


def _filled(variable: Any, value: float) -> torch.Tensor:
    return torch.full_like(variable._t, value)


class SGD(Optimizer):
    """Gradient descent, with momentum (`tf.keras.optimizers.SGD`): m = momentum * m - lr * g; v += m."""

    _slot_lists = ("momentums",)

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        jit_compile: bool = True,
        name: str = "SGD",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            name, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, jit_compile, **kwargs
        )
        self._learning_rate = self._build_learning_rate(learning_rate)
        self.momentum = momentum
        self.nesterov = nesterov
        if isinstance(momentum, (int, float)) and (momentum < 0 or momentum > 1):
            raise ValueError("`momentum` must be between [0, 1].")

    def build(self, var_list: Any) -> None:
        """Make the slots for these variables."""
        super().build(var_list)
        if getattr(self, "_built", False):
            return
        self._built = True
        self.momentums = []
        for v in var_list:
            self.momentums.append(self.add_variable_from_reference(v, "m"))

    def _only_rows(self) -> bool:
        return not self.momentum

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        (momentums,) = self._slots(variables)
        if self.momentum:
            rules.sgd_momentum(variables, momentums, grads, self._rate(), self.momentum, self.nesterov)
        else:
            rules.sgd(variables, grads, self._rate())

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            {
                "learning_rate": self._serialize_hyperparameter(self._learning_rate),
                "momentum": self.momentum,
                "nesterov": self.nesterov,
            }
        )
        return config


class Ftrl(Optimizer):
    """Follow the regularised leader (`tf.keras.optimizers.Ftrl`)."""

    _slot_lists = ("_accumulators", "_linears")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        jit_compile: bool = True,
        name: str = "Ftrl",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            name, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, jit_compile, **kwargs
        )
        self._learning_rate = self._build_learning_rate(learning_rate)
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta
        if initial_accumulator_value < 0.0:
            raise ValueError(f"`initial_accumulator_value` needs to be positive or zero. Received: initial_accumulator_value={initial_accumulator_value}.")
        if learning_rate_power > 0.0:
            raise ValueError(f"`learning_rate_power` needs to be negative or zero. Received: learning_rate_power={learning_rate_power}.")
        if l1_regularization_strength < 0.0:
            raise ValueError(f"`l1_regularization_strength` needs to be positive or zero. Received: l1_regularization_strength={l1_regularization_strength}.")
        if l2_regularization_strength < 0.0:
            raise ValueError(f"`l2_regularization_strength` needs to be positive or zero. Received: l2_regularization_strength={l2_regularization_strength}.")
        if l2_shrinkage_regularization_strength < 0.0:
            raise ValueError(f"`l2_shrinkage_regularization_strength` needs to be positive or zero. Received: l2_shrinkage_regularization_strength={l2_shrinkage_regularization_strength}.")

    def build(self, var_list: Any) -> None:
        """Make the slots for these variables."""
        super().build(var_list)
        if getattr(self, "_built", False):
            return
        self._built = True
        self._accumulators = []
        self._linears = []
        for v in var_list:
            start = _filled(v, self.initial_accumulator_value)
            self._accumulators.append(self.add_variable_from_reference(v, "accumulator", initial_value=start))
            self._linears.append(self.add_variable_from_reference(v, "linear"))

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        sums, lines = self._slots(variables)
        rules.ftrl(
            variables, sums, lines, grads, self._rate(), self.learning_rate_power, self.l1_regularization_strength,
            self.l2_regularization_strength, self.l2_shrinkage_regularization_strength, self.beta,
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            {
                "learning_rate": self._serialize_hyperparameter(self._learning_rate),
                "learning_rate_power": self.learning_rate_power,
                "initial_accumulator_value": self.initial_accumulator_value,
                "l1_regularization_strength": self.l1_regularization_strength,
                "l2_regularization_strength": self.l2_regularization_strength,
                "l2_shrinkage_regularization_strength": self.l2_shrinkage_regularization_strength,
                "beta": self.beta,
            }
        )
        return config


class Lion(Optimizer):
    """The sign of an interpolated momentum (`tf.keras.optimizers.Lion`)."""

    _slot_lists = ("momentums",)

    def __init__(
        self,
        learning_rate: Any = 0.0001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        jit_compile: bool = True,
        name: str = "Lion",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            name, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, jit_compile, **kwargs
        )
        self._learning_rate = self._build_learning_rate(learning_rate)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        if beta_1 <= 0 or beta_1 > 1:
            raise ValueError(f"`beta_1`={beta_1} must be between ]0, 1]. Otherwise, the optimizer degenerates to SignSGD.")

    def build(self, var_list: Any) -> None:
        """Make the slots for these variables."""
        super().build(var_list)
        if getattr(self, "_built", False):
            return
        self._built = True
        self.momentums = []
        for v in var_list:
            self.momentums.append(self.add_variable_from_reference(v, "m"))

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        (ms,) = self._slots(variables)
        rules.lion(variables, ms, grads, self._rate(), self.beta_1, self.beta_2)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            {
                "learning_rate": self._serialize_hyperparameter(self._learning_rate),
                "beta_1": self.beta_1,
                "beta_2": self.beta_2,
            }
        )
        return config


class Adafactor(Optimizer):
    """Second moments factored into rows and columns (`tf.keras.optimizers.Adafactor`)."""

    _slot_lists = ("_r", "_c", "_v")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 0.001,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        jit_compile: bool = True,
        name: str = "Adafactor",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            name, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, jit_compile, **kwargs
        )
        self._learning_rate = self._build_learning_rate(learning_rate)
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    def build(self, var_list: Any) -> None:
        """Make the slots for these variables."""
        super().build(var_list)
        if getattr(self, "_built", False):
            return
        self._built = True
        self._r = []
        self._c = []
        self._v = []
        for v in var_list:
            shape = v.shape.as_list()
            if len(shape) < 2:
                self._r.append(Variable(0, name=f"r/{v._shared_name}", trainable=False))
                self._c.append(Variable(0, name=f"r/{v._shared_name}", trainable=False))
            else:
                self._r.append(self.add_variable(shape=shape[:-1], dtype=v.dtype, name=f"r/{v._shared_name}"))
                self._c.append(self.add_variable(shape=[*shape[:-2], shape[-1]], dtype=v.dtype, name=f"c/{v._shared_name}"))
            self._v.append(self.add_variable_from_reference(v, "v"))

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        rs, cs, vs = self._slots(variables)
        relative = self.relative_step and not isinstance(self._learning_rate, LearningRateSchedule)
        rules.adafactor(
            variables, rs, cs, vs, grads, self._rate(), self._iterations, self.beta_2_decay, self.epsilon_1, self.epsilon_2,
            self.clip_threshold, relative,
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            {
                "learning_rate": self._serialize_hyperparameter(self._learning_rate),
                "beta_2_decay": self.beta_2_decay,
                "epsilon_1": self.epsilon_1,
                "epsilon_2": self.epsilon_2,
                "clip_threshold": self.clip_threshold,
                "relative_step": self.relative_step,
            }
        )
        return config
