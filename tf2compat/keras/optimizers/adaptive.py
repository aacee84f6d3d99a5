"""The optimizers of Keras 2 that adapt the step to each weight: their options and slots; the formulas are in `_rules`."""

from __future__ import annotations

from typing import Any

import torch

from tf2compat._engine import state
from tf2compat._engine.variable import Variable

from . import _rules as rules
from .optimizer import Optimizer


def _filled(variable: Any, value: float) -> torch.Tensor:
    return torch.full_like(variable._t, value)


class Adam(Optimizer):
    """Adaptive moments (`tf.keras.optimizers.Adam`), epsilon outside the bias correction as in Keras,
    inside (as in the paper) with `adaptive_epsilon`."""

    _slot_lists = ("_momentums", "_velocities", "_velocity_hats")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-07,
        adaptive_epsilon: bool = False,
        amsgrad: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        jit_compile: bool = True,
        name: str = "Adam",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            name, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, jit_compile, **kwargs
        )
        self._learning_rate = self._build_learning_rate(learning_rate)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.adaptive_epsilon = adaptive_epsilon
        self.amsgrad = amsgrad

    def build(self, var_list: Any) -> None:
        """Make the slots for these variables."""
        super().build(var_list)
        if getattr(self, "_built", False):
            return
        self._built = True
        self._momentums = []
        self._velocities = []
        for v in var_list:
            self._momentums.append(self.add_variable_from_reference(v, "m"))
            self._velocities.append(self.add_variable_from_reference(v, "v"))
        if self.amsgrad:
            self._velocity_hats = [self.add_variable_from_reference(v, "vhat") for v in var_list]

    def _only_rows(self) -> bool:
        return True

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        ms, vs, hats = self._slots(variables)
        rules.adam(
            variables, ms, vs, hats, grads, self._rate(), self._iterations, self.beta_1, self.beta_2, self.epsilon, self.adaptive_epsilon
        )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            {
                "learning_rate": self._serialize_hyperparameter(self._learning_rate),
                "beta_1": self.beta_1,
                "beta_2": self.beta_2,
                "epsilon": self.epsilon,
                "amsgrad": self.amsgrad,
            }
        )
        return config


class AdamW(Optimizer):
    """Adam with decoupled weight decay (`tf.keras.optimizers.AdamW`)."""

    _slot_lists = ("_momentums", "_velocities", "_velocity_hats")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-07,
        amsgrad: bool = False,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        jit_compile: bool = True,
        name: str = "AdamW",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            name, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, jit_compile, **kwargs
        )
        self._learning_rate = self._build_learning_rate(learning_rate)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad
        if self.weight_decay is None:
            raise ValueError("Missing value of `weight_decay` which is required and must be a float value.")

    def build(self, var_list: Any) -> None:
        """Make the slots for these variables."""
        super().build(var_list)
        if getattr(self, "_built", False):
            return
        self._built = True
        self._momentums = []
        self._velocities = []
        for v in var_list:
            self._momentums.append(self.add_variable_from_reference(v, "m"))
            self._velocities.append(self.add_variable_from_reference(v, "v"))
        if self.amsgrad:
            self._velocity_hats = [self.add_variable_from_reference(v, "vhat") for v in var_list]

    def _only_rows(self) -> bool:
        return True

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        ms, vs, hats = self._slots(variables)
        rules.adam(
            variables, ms, vs, hats, grads, self._rate(), self._iterations, self.beta_1, self.beta_2, self.epsilon
        )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            {
                "learning_rate": self._serialize_hyperparameter(self._learning_rate),
                "weight_decay": self.weight_decay,
                "beta_1": self.beta_1,
                "beta_2": self.beta_2,
                "epsilon": self.epsilon,
                "amsgrad": self.amsgrad,
            }
        )
        return config


class RMSprop(Optimizer):
    """Gradients divided by a running root mean square (`tf.keras.optimizers.RMSprop`)."""

    _slot_lists = ("_velocities", "_momentums", "_average_gradients")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-07,
        centered: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = 100,
        jit_compile: bool = True,
        name: str = "RMSprop",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            name, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, jit_compile, **kwargs
        )
        self._learning_rate = self._build_learning_rate(learning_rate)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def build(self, var_list: Any) -> None:
        """Make the slots for these variables."""
        super().build(var_list)
        if getattr(self, "_built", False):
            return
        self._built = True
        self._velocities = []
        self._momentums = []
        self._average_gradients = []
        for v in var_list:
            self._velocities.append(self.add_variable_from_reference(v, "velocity"))
        if self.momentum > 0:
            self._momentums = [self.add_variable_from_reference(v, "momentum") for v in var_list]
        if self.centered:
            self._average_gradients = [self.add_variable_from_reference(v, "average_gradient") for v in var_list]

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        vs, ms, means = self._slots(variables)
        rules.rmsprop(variables, vs, ms, means, grads, self._rate(), self.rho, self.momentum, self.epsilon)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            {
                "learning_rate": self._serialize_hyperparameter(self._learning_rate),
                "rho": self.rho,
                "momentum": self.momentum,
                "epsilon": self.epsilon,
                "centered": self.centered,
            }
        )
        return config


class Adagrad(Optimizer):
    """Gradients divided by the root of their summed squares (`tf.keras.optimizers.Adagrad`)."""

    _slot_lists = ("_accumulators",)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-07,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        jit_compile: bool = True,
        name: str = "Adagrad",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            name, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, jit_compile, **kwargs
        )
        self._learning_rate = self._build_learning_rate(learning_rate)
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def build(self, var_list: Any) -> None:
        """Make the slots for these variables."""
        super().build(var_list)
        if getattr(self, "_built", False):
            return
        self._built = True
        self._accumulators = [
            self.add_variable_from_reference(v, "accumulator", initial_value=_filled(v, self.initial_accumulator_value)) for v in var_list
        ]

    def _only_rows(self) -> bool:
        return True

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        (sums,) = self._slots(variables)
        rules.adagrad(variables, sums, grads, self._rate(), self.epsilon)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            {
                "learning_rate": self._serialize_hyperparameter(self._learning_rate),
                "initial_accumulator_value": self.initial_accumulator_value,
                "epsilon": self.epsilon,
            }
        )
        return config


class Adadelta(Optimizer):
    """Steps scaled by running averages of squared gradients and steps (`tf.keras.optimizers.Adadelta`)."""

    _slot_lists = ("_accumulated_grads", "_accumulated_delta_vars")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-07,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        jit_compile: bool = True,
        name: str = "Adadelta",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            name, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, jit_compile, **kwargs
        )
        self._learning_rate = self._build_learning_rate(learning_rate)
        self.rho = rho
        self.epsilon = epsilon

    def build(self, var_list: Any) -> None:
        """Make the slots for these variables."""
        super().build(var_list)
        if getattr(self, "_built", False):
            return
        self._built = True
        self._accumulated_grads = []
        self._accumulated_delta_vars = []
        for v in var_list:
            self._accumulated_grads.append(self.add_variable_from_reference(v, "accumulated_grad"))
            self._accumulated_delta_vars.append(self.add_variable_from_reference(v, "accumulated_delta_var"))

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        squares, deltas = self._slots(variables)
        rules.adadelta(variables, squares, deltas, grads, self._rate(), self.rho, self.epsilon)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            {
                "learning_rate": self._serialize_hyperparameter(self._learning_rate),
                "rho": self.rho,
                "epsilon": self.epsilon,
            }
        )
        return config


class Adamax(Optimizer):
    """Adam with the infinity norm (`tf.keras.optimizers.Adamax`)."""

    _slot_lists = ("_m", "_u")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-07,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        jit_compile: bool = True,
        name: str = "Adamax",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            name, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, jit_compile, **kwargs
        )
        self._learning_rate = self._build_learning_rate(learning_rate)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, var_list: Any) -> None:
        """Make the slots for these variables."""
        super().build(var_list)
        if getattr(self, "_built", False):
            return
        self._built = True
        self._m = []
        self._u = []
        for v in var_list:
            self._m.append(self.add_variable_from_reference(v, "m"))
            self._u.append(self.add_variable_from_reference(v, "u"))

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        ms, us = self._slots(variables)
        rules.adamax(variables, ms, us, grads, self._rate(), self._iterations, self.beta_1, self.beta_2, self.epsilon)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            {
                "learning_rate": self._serialize_hyperparameter(self._learning_rate),
                "beta_1": self.beta_1,
                "beta_2": self.beta_2,
                "epsilon": self.epsilon,
            }
        )
        return config


class Nadam(Optimizer):
    """Adam with Nesterov momentum (`tf.keras.optimizers.Nadam`)."""

    _slot_lists = ("_momentums", "_velocities")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-07,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        jit_compile: bool = True,
        name: str = "Nadam",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            name, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, jit_compile, **kwargs
        )
        self._learning_rate = self._build_learning_rate(learning_rate)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, var_list: Any) -> None:
        """Make the slots for these variables."""
        super().build(var_list)
        if getattr(self, "_built", False):
            return
        self._built = True
        self._momentums = []
        self._velocities = []
        self._u_product = Variable(1.0, dtype=var_list[0].dtype, trainable=False)
        #: the step, less one, that has the product of momenta already; while a function is traced each variable raises it
        self._u_product_counter = 1
        for v in var_list:
            self._momentums.append(self.add_variable_from_reference(v, "m"))
            self._velocities.append(self.add_variable_from_reference(v, "v"))

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        ms, vs = self._slots(variables)
        if state.local.graph is None:
            counters: tuple[int | None, ...] = (-1,) if self._again else (None,)
            self._u_product_counter += not self._again
        else:  # Keras compares with a number that tracing raises
            counters = tuple(range(self._u_product_counter, self._u_product_counter + len(variables)))
            self._u_product_counter += len(variables)
        rules.nadam(
            variables, ms, vs, self._u_product, grads, self._rate(), self._iterations, self.beta_1, self.beta_2, self.epsilon, counters
        )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            {
                "learning_rate": self._serialize_hyperparameter(self._learning_rate),
                "beta_1": self.beta_1,
                "beta_2": self.beta_2,
                "epsilon": self.epsilon,
            }
        )
        return config
