"""`tf.keras.mixed_precision.LossScaleOptimizer`: gradients of 16-bit floats kept from vanishing."""

from __future__ import annotations

from typing import Any

import torch

from tf2compat._engine import dtypes, state
from tf2compat._engine.op import TENSORS, VARIABLE, op
from tf2compat._engine.trackable import AutoTrackable
from tf2compat._engine.variable import Variable

from ...indexed_slices import IndexedSlices
from . import _rules as rules
from .optimizer import Optimizer

_INITIAL, _GROWTH = 2**15, 2000


@op("KerasLossScaleUpdate", stateful=True, scale=VARIABLE, counter=VARIABLE, grads=TENSORS)
def _adjust(scale: Any, counter: Any, grads: Any, growth: Any) -> Any:
    """Raise the scale after `growth` finite steps, halve it after one that is not; whether this one is."""
    finite = torch.stack([torch.isfinite(g.detach()).all() for g in grads]).all()
    s, c = scale._own(), counter._own()
    grown = c + 1 >= growth
    doubled = torch.where(torch.isfinite(s * 2), s * 2, s)
    s.copy_(torch.where(finite, torch.where(grown, doubled, s), torch.clamp(s / 2, min=1)))
    c.copy_(torch.where(finite & ~grown, c + 1, torch.zeros_like(c)))
    return finite


@_adjust.infer
def _(*args: Any) -> Any:
    return [(dtypes.bool, ())]


def _times(gradient: Any, factor: Any) -> Any:
    if isinstance(gradient, IndexedSlices):
        return IndexedSlices(gradient.values * factor, gradient.indices, gradient.dense_shape)
    return gradient * factor


class LossScaleOptimizer(Optimizer):
    """An optimizer around another: scales the loss, unscales the gradients, leaves out steps that are not finite.

    A dynamic scale doubles after `dynamic_growth_steps` good steps. TypeError unless `inner_optimizer` is an Optimizer; ValueError
    for options that do not go with `dynamic`.
    """

    def _slot_for_restore(self, variable: Any, slot: str) -> Any:
        return self._optimizer._slot_for_restore(variable, slot)

    def __init__(
        self, inner_optimizer: Any, dynamic: bool = True, initial_scale: Any = None, dynamic_growth_steps: int | None = None
    ) -> None:
        if isinstance(inner_optimizer, LossScaleOptimizer):
            raise TypeError(f"LossScaleOptimizer cannot wrap another LossScaleOptimizer, but got: {inner_optimizer}")
        if not isinstance(inner_optimizer, Optimizer) and not getattr(inner_optimizer, "_is_keras_optimizer", False):
            raise TypeError(f'"inner_optimizer" must be an instance of `tf.keras.optimizers.Optimizer`, but got: {inner_optimizer}.')
        if not isinstance(dynamic, bool):
            raise TypeError(f'"dynamic" argument to LossScaleOptimizer.__init__ must be a bool, but got: {dynamic!r}')
        if getattr(inner_optimizer, "_is_wrapped_by_loss_scale_optimizer", False):
            raise ValueError(
                '"inner_optimizer" is already wrapped by a LossScaleOptimizer. An optimizer can only be wrapped by a single '
                "LossScaleOptimizer"
            )
        if dynamic:
            scale: Any = _INITIAL if initial_scale is None else initial_scale
            growth: Any = _GROWTH if dynamic_growth_steps is None else dynamic_growth_steps
        else:
            if initial_scale is None:
                raise ValueError('"initial_scale" must be specified if "dynamic" is False')
            if dynamic_growth_steps is not None:
                raise ValueError(f'"dynamic_growth_steps" must be None if "dynamic" is False, but got: {dynamic_growth_steps}')
            scale, growth = initial_scale, None
        d = self.__dict__
        inner_optimizer.__dict__["_is_wrapped_by_loss_scale_optimizer"] = True
        d["_optimizer"] = d["_stands_for"] = inner_optimizer
        d["_dynamic"] = dynamic
        d["_initial"] = float(scale)
        d["_growth"] = growth
        with state.outside():
            d["_scale"] = Variable(float(scale), name="current_loss_scale", dtype=dtypes.float32, trainable=False)
            d["_counter"] = Variable(0, name="good_steps", dtype=dtypes.int64, trainable=False)
        d["_state"] = AutoTrackable()  # what a checkpoint keeps of the scale
        d["_state"].current_loss_scale = d["_scale"]
        if dynamic:
            d["_state"].good_steps = d["_counter"]

    @property
    def dynamic(self) -> bool:
        return self._dynamic

    @property
    def loss_scale(self) -> Any:
        """The present scale, as a tensor."""
        return self._scale.value()

    @property
    def dynamic_counter(self) -> Any:
        """Good steps since the scale changed; None without a dynamic scale."""
        return self._counter if self._dynamic else None

    @property
    def initial_scale(self) -> float:
        return self._initial

    @property
    def dynamic_growth_steps(self) -> Any:
        return self._growth

    @property
    def inner_optimizer(self) -> Any:
        return self._optimizer

    def get_scaled_loss(self, loss: Any) -> Any:
        """The loss times the scale; of a function, a function."""
        from tf2compat import cast

        if callable(loss):

            def scaled() -> Any:
                value = loss()
                return value * cast(self.loss_scale, value.dtype)

            return scaled
        return loss * cast(self.loss_scale, loss.dtype)

    def get_unscaled_gradients(self, grads: Any) -> list[Any]:
        """The gradients divided by the scale."""
        from tf2compat import cast

        reciprocal = 1.0 / self.loss_scale
        return [None if g is None else _times(g, cast(reciprocal, g.dtype)) for g in grads]

    def compute_gradients(self, loss: Any, var_list: Any, tape: Any = None) -> list[tuple[Any, Any]]:
        from tf2compat import GradientTape

        tape = GradientTape() if tape is None else tape
        with tape:
            loss = self.get_scaled_loss(loss)
        pairs = self._optimizer.compute_gradients(loss, var_list, tape=tape)
        return list(zip(self.get_unscaled_gradients([g for g, _ in pairs]), [v for _, v in pairs], strict=True))

    def minimize(self, loss: Any, var_list: Any, tape: Any = None) -> None:
        self.apply_gradients(self.compute_gradients(loss, var_list, tape))

    def apply_gradients(self, grads_and_vars: Any, name: str | None = None, skip_gradients_aggregation: bool = False, **kwargs: Any) -> Any:
        """A step of the inner optimizer, unless a gradient is infinite or NaN."""
        from tf2compat import cond

        pairs = list(grads_and_vars)
        if not self._dynamic:
            return self._optimizer.apply_gradients(pairs, name)
        with state.outside():
            self.build([v for _, v in pairs])
        grads = [getattr(g, "values", g) for g, _ in pairs if g is not None]
        finite = _adjust(self._scale, self._counter, grads, self._growth)
        if state.local.graph is None:
            if bool(finite):
                self._optimizer.apply_gradients(pairs, name)
            else:
                rules.count(self._optimizer.iterations)
        else:

            def step() -> Any:
                self._optimizer.apply_gradients(pairs, name)
                return finite

            def skip() -> Any:
                rules.count(self._optimizer.iterations)
                return finite

            cond(finite, step, skip)
        return self._optimizer.iterations

    def finalize_variable_values(self, var_list: Any) -> None:
        if hasattr(self._optimizer, "finalize_variable_values"):
            self._optimizer.finalize_variable_values(var_list)

    @property
    def _legacy_name(self) -> str:
        """What files before .keras call the class."""
        return "LossScaleOptimizer" if hasattr(self._optimizer, "add_slot") else "LossScaleOptimizerV3"

    def get_config(self) -> dict[str, Any]:
        from . import serialize

        return {
            "inner_optimizer": serialize(self._optimizer), "dynamic": self._dynamic, "initial_scale": self._initial,
            "dynamic_growth_steps": self._growth,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        from . import deserialize

        config = dict(config)
        inner = config.pop("inner_optimizer")
        return cls(deserialize(inner, custom_objects) if isinstance(inner, dict) else inner, **config)

    def _tracked(self) -> Any:
        return self._optimizer._tracked()

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> Any:
        return {**self._optimizer._trackable_children(save_type, **kwargs), "loss_scale": self._state}

    def __getattr__(self, name: str) -> Any:
        inner = self.__dict__.get("_optimizer")
        if inner is None:
            raise AttributeError(name)
        return getattr(inner, name)

    @property
    def iterations(self) -> Any:
        return self._optimizer.iterations

    @iterations.setter
    def iterations(self, variable: Any) -> None:
        self._optimizer.iterations = variable

    @property
    def learning_rate(self) -> Any:
        return self._optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self._optimizer.learning_rate = value

    @property
    def lr(self) -> Any:
        return self._optimizer.lr

    @lr.setter
    def lr(self, value: Any) -> None:
        self._optimizer.lr = value

    @property
    def variables(self) -> Any:
        return self._optimizer.variables

    def build(self, var_list: Any) -> None:
        if hasattr(type(self._optimizer), "build"):
            self._optimizer.build(var_list)
        else:  # a legacy optimizer
            self._optimizer._create_all_weights(var_list)

    def get_weights(self) -> list[Any]:
        return self._optimizer.get_weights()

    def set_weights(self, weights: Any) -> None:
        self._optimizer.set_weights(weights)
