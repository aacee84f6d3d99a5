"""The optimizers of `tf.compat.v1.train` and its learning-rate schedules, which eager code may use.

They stand on `tf.keras.optimizers.legacy`, whose rules are the same but for what each class names.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

import tf2compat as tf
from tf2compat._engine.op import TENSORS, VARIABLE, VARIABLES, op
from tf2compat.keras.optimizers import legacy

__all__ = [
    "AdadeltaOptimizer", "AdagradOptimizer", "AdamOptimizer", "FtrlOptimizer", "GradientDescentOptimizer", "MomentumOptimizer", "Optimizer",
    "RMSPropOptimizer", "cosine_decay", "cosine_decay_restarts", "exponential_decay", "inverse_time_decay", "linear_cosine_decay",
    "natural_exp_decay", "noisy_linear_cosine_decay", "piecewise_constant", "piecewise_constant_decay", "polynomial_decay",
]  # fmt: skip


class Optimizer(legacy.Optimizer):
    """Base of version 1's optimizers (`tf.compat.v1.train.Optimizer`).

    What concerns the ops of a graph (`use_locking`, `gate_gradients`, `aggregation_method`, `colocate_gradients_with_ops`) has no meaning in
    eager code, as in TensorFlow.
    """

    GATE_NONE, GATE_OP, GATE_GRAPH = 0, 1, 2

    @property
    def get_config(self) -> Any:  # type: ignore[override]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute 'get_config'")

    def compute_gradients(
        self, loss: Any, var_list: Any = None, gate_gradients: int = 1, aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False, grad_loss: Any = None,
    ) -> Any:  # fmt: skip
        """(gradient, variable) pairs of what the function `loss` returns; RuntimeError when it is no function."""
        if not callable(loss):
            raise RuntimeError("`loss` passed to Optimizer.compute_gradients should be a function when eager execution is enabled.")
        with tf.GradientTape() as tape:
            if var_list is not None:
                tape.watch(var_list)
            value = loss()
            if var_list is None:
                var_list = tape.watched_variables()
        var_list = tf.nest.flatten(var_list)
        return list(zip(tape.gradient(value, var_list, grad_loss), var_list, strict=True))

    def minimize(  # type: ignore[override]
        self, loss: Any, global_step: Any = None, var_list: Any = None, gate_gradients: int = 1, aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False, name: str | None = None, grad_loss: Any = None,
    ) -> Any:  # fmt: skip
        """One step towards less of what the function `loss` returns."""
        pairs = self.compute_gradients(loss, var_list, grad_loss=grad_loss)
        if all(g is None for g, _ in pairs):
            raise ValueError(
                "No gradients provided for any variable, check your graph for ops that do not support gradients, between variables "
                f"{[str(v) for _, v in pairs]} and loss {loss}."
            )
        return self.apply_gradients(pairs, global_step, name)

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:  # type: ignore[override]
        """Update the variables, and count in `global_step`."""
        given = list(grads_and_vars)
        pairs = [(g, v) for g, v in given if g is not None]
        if not pairs:
            raise ValueError(f"No gradients provided for any variable: {[str(v) for _, v in given]}.")
        super().apply_gradients(pairs)
        if global_step is not None:
            global_step.assign_add(1)

    def get_name(self) -> str:
        return self._name

    def get_slot(self, var: Any, slot_name: str) -> Any:
        """The slot of a variable, or None."""
        return self._slots.get(id(var), {}).get(slot_name)


class GradientDescentOptimizer(Optimizer, legacy.SGD):
    """Gradient descent."""

    def __init__(self, learning_rate: Any, use_locking: bool = False, name: str = "GradientDescent") -> None:
        legacy.SGD.__init__(self, learning_rate, name=name)


@op("ResourceApplyMomentum", stateful=True, variables=VARIABLES, sums=VARIABLES, grads=TENSORS, lr=VARIABLE)
def _momentum(variables: Any, sums: Any, grads: Any, lr: Any, momentum: float, nesterov: bool) -> None:
    rate = lr._t.to(grads[0].dtype)
    for variable, total, g in zip(variables, sums, grads, strict=True):
        g = g.detach()
        s = total._own().mul_(momentum).add_(g)
        variable._own().sub_(rate * (g + momentum * s) if nesterov else rate * s)


_momentum.infer(lambda *args: [])


class MomentumOptimizer(Optimizer, legacy.SGD):
    """Gradient descent along sums of gradients, which do not hold the learning rate (unlike Keras')."""

    def __init__(
        self, learning_rate: Any, momentum: float, use_locking: bool = False, name: str = "Momentum", use_nesterov: bool = False
    ) -> None:
        legacy.SGD.__init__(self, learning_rate, momentum, use_nesterov, name)

    def _create_slots(self, var_list: Any) -> None:
        for v in var_list:
            self.add_slot(v, "momentum")

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        _momentum(variables, self._of(variables, "momentum"), grads, self._rate(), float(self._momentum_value), self.nesterov)


class AdamOptimizer(Optimizer, legacy.Adam):
    """Adaptive moments, with an epsilon of 1e-8."""

    def __init__(
        self, learning_rate: Any = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8, use_locking: bool = False,
        name: str = "Adam",
    ) -> None:  # fmt: skip
        legacy.Adam.__init__(self, learning_rate, beta1, beta2, epsilon, name=name)


class AdagradOptimizer(Optimizer, legacy.Adagrad):
    """Gradients divided by the root of their summed squares, without an epsilon."""

    def __init__(
        self, learning_rate: Any, initial_accumulator_value: float = 0.1, use_locking: bool = False, name: str = "Adagrad"
    ) -> None:
        if initial_accumulator_value <= 0.0:
            raise ValueError(f"initial_accumulator_value must be positive: {initial_accumulator_value}")
        legacy.Adagrad.__init__(self, learning_rate, initial_accumulator_value, name=name)
        self.epsilon = 0.0


class AdadeltaOptimizer(Optimizer, legacy.Adadelta):
    """Gradients scaled by running averages of past updates, with an epsilon of 1e-8."""

    def __init__(
        self, learning_rate: Any = 0.001, rho: float = 0.95, epsilon: float = 1e-8, use_locking: bool = False, name: str = "Adadelta"
    ) -> None:
        legacy.Adadelta.__init__(self, learning_rate, rho, epsilon, name=name)


class RMSPropOptimizer(Optimizer, legacy.RMSprop):
    """Gradients divided by a running root mean square that begins at one, with epsilon below the root."""

    def __init__(
        self, learning_rate: Any, decay: float = 0.9, momentum: float = 0.0, epsilon: float = 1e-10, use_locking: bool = False,
        centered: bool = False, name: str = "RMSProp",
    ) -> None:  # fmt: skip
        legacy.RMSprop.__init__(self, learning_rate, decay, momentum, epsilon, centered, name)

    def _create_slots(self, var_list: Any) -> None:
        for v in var_list:
            self.add_slot(v, "rms", torch.ones_like(v._t))
            self.add_slot(v, "momentum")
            if self.centered:
                self.add_slot(v, "mg")

    def _lazy_state(self) -> bool | None:
        return True

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        mgs = self._of(variables, "mg") if self.centered else []
        moms = self._of(variables, "momentum")
        legacy._rmsprop(variables, self._of(variables, "rms"), moms, mgs, grads, self._rate(), *self._options, self.epsilon)


class FtrlOptimizer(Optimizer, legacy.Ftrl):
    """Follow the regularised leader."""

    def __init__(
        self, learning_rate: Any, learning_rate_power: float = -0.5, initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0, l2_regularization_strength: float = 0.0, use_locking: bool = False, name: str = "Ftrl",
        accum_name: str | None = None, linear_name: str | None = None, l2_shrinkage_regularization_strength: float = 0.0, beta: float | None = None,
    ) -> None:  # fmt: skip
        legacy.Ftrl.__init__(
            self, learning_rate, learning_rate_power, initial_accumulator_value, l1_regularization_strength, l2_regularization_strength,
            name, l2_shrinkage_regularization_strength, 0.0 if beta is None else beta,
        )  # fmt: skip


# --- schedules: functions of a step variable, called at each use -----------------------------------------------------
def _schedule(step: Any, made: Callable[..., Any]) -> Callable[[], Any]:
    if step is None:
        raise ValueError("Argument `global_step` must not be None.")
    return lambda: made(step() if callable(step) and not isinstance(step, tf.Variable) else tf.convert_to_tensor(step))


def exponential_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, decay_rate: Any, staircase: bool = False, name: str | None = None
) -> Any:
    """learning_rate · decay_rate ^ (step / decay_steps), as a function without arguments."""
    return _schedule(global_step, tf.keras.optimizers.schedules.ExponentialDecay(learning_rate, decay_steps, decay_rate, staircase))


def inverse_time_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, decay_rate: Any, staircase: bool = False, name: str | None = None
) -> Any:
    """learning_rate / (1 + decay_rate · step / decay_steps), as a function without arguments."""
    return _schedule(global_step, tf.keras.optimizers.schedules.InverseTimeDecay(learning_rate, decay_steps, decay_rate, staircase))


def natural_exp_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, decay_rate: Any, staircase: bool = False, name: str | None = None
) -> Any:
    """learning_rate · exp(-decay_rate · step / decay_steps), as a function without arguments."""
    return exponential_decay(learning_rate, global_step, decay_steps, math.exp(-decay_rate), staircase)


def polynomial_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, end_learning_rate: Any = 0.0001, power: Any = 1.0, cycle: bool = False,
    name: str | None = None,
) -> Any:  # fmt: skip
    """From one rate to another by a power of the steps, as a function without arguments."""
    made = tf.keras.optimizers.schedules.PolynomialDecay(learning_rate, decay_steps, end_learning_rate, power, cycle)
    return _schedule(global_step, made)


def cosine_decay(learning_rate: Any, global_step: Any, decay_steps: Any, alpha: Any = 0.0, name: str | None = None) -> Any:
    """Half a wave of the cosine, as a function without arguments."""
    return _schedule(global_step, tf.keras.optimizers.schedules.CosineDecay(learning_rate, decay_steps, alpha))


def cosine_decay_restarts(
    learning_rate: Any, global_step: Any, first_decay_steps: Any, t_mul: Any = 2.0, m_mul: Any = 1.0, alpha: Any = 0.0, name: str | None = None
) -> Any:
    """Half waves of the cosine, one after the other, as a function without arguments."""
    made = tf.keras.optimizers.schedules.CosineDecayRestarts(learning_rate, first_decay_steps, t_mul, m_mul, alpha)
    return _schedule(global_step, made)


def _linear_cosine(learning_rate: Any, global_step: Any, decay_steps: Any, periods: Any, alpha: Any, beta: Any, noise: Any) -> Any:
    def rate() -> Any:
        start = tf.convert_to_tensor(learning_rate)
        given = tf.cast(global_step() if callable(global_step) else global_step, start.dtype)
        steps = tf.cast(decay_steps, start.dtype)
        step = tf.minimum(given, steps)
        linear = (steps - step) / steps
        if noise is not None:
            linear += tf.random.normal(linear.shape, stddev=tf.sqrt(noise[0] / tf.pow(1.0 + step, noise[1])), dtype=start.dtype)
        wave = 0.5 * (1.0 + tf.cos(math.pi * 2.0 * periods * step / steps))
        return start * ((alpha + linear) * wave + beta)

    return rate


def linear_cosine_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, num_periods: Any = 0.5, alpha: Any = 0.0, beta: Any = 0.001, name: str | None = None
) -> Any:
    """A line times waves of the cosine, as a function without arguments."""
    return _linear_cosine(learning_rate, global_step, decay_steps, num_periods, alpha, beta, None)


def noisy_linear_cosine_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, initial_variance: Any = 1.0, variance_decay: Any = 0.55, num_periods: Any = 0.5,
    alpha: Any = 0.0, beta: Any = 0.001, name: str | None = None,
) -> Any:  # fmt: skip
    """A line with noise times waves of the cosine, as a function without arguments."""
    return _linear_cosine(learning_rate, global_step, decay_steps, num_periods, alpha, beta, (initial_variance, variance_decay))


def piecewise_constant(x: Any, boundaries: Any, values: Any, name: str | None = None) -> Any:
    """`values[i]` up to and with `boundaries[i]`, as a function without arguments. ValueError for other dtypes of boundaries than of x."""
    edges = [tf.convert_to_tensor(b) for b in boundaries]
    found = [tf.convert_to_tensor(v) for v in values]
    kind = None if callable(x) else tf.convert_to_tensor(x).dtype
    for edge in edges if kind is not None else ():
        if edge.dtype != kind and not (edge.dtype == tf.int32 and kind == tf.int64):
            raise ValueError(f"Boundaries ({edge.dtype}) must have the same dtype as x ({kind}).")
    for value in found:
        if value.dtype != found[0].dtype:
            raise ValueError(f"Values must have elements all with the same dtype ({found[0].dtype} vs {value.dtype}).")
    return _schedule(x, tf.keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, values))


piecewise_constant_decay = piecewise_constant
