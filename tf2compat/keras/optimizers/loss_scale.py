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
from .optimizer import Optimizer, filter_empty_gradients, log

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


def _of_today(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a loss scale optimizer of before TensorFlow 2.4. ValueError for scales that are no more."""
    config = dict(config)
    scale = config.pop("loss_scale")
    kind, own = scale["class_name"], scale["config"]
    if kind == "FixedLossScale":
        config.update(dynamic=False, initial_scale=own["loss_scale_value"])
    elif kind == "DynamicLossScale":
        if own["multiplier"] != 2:
            raise ValueError(f"Cannot deserialize LossScaleOptimizer with a DynamicLossScale whose multiplier is not 2. Got DynamicLossScale: {scale}")
        config.update(dynamic=True, initial_scale=own["initial_loss_scale"], dynamic_growth_steps=own["increment_period"])
    else:
        raise ValueError(
            "Serialized LossScaleOptimizers with a LossScale that is neither a FixedLossScale nor a DynamicLossScale can no longer be deserialized"
        )
    config["inner_optimizer"] = config.pop("optimizer")
    return config


def _warn(scaled: bool, unscaled: bool) -> None:
    """Say what was forgotten before gradients were applied."""
    name = "LossScaleOptimizer"
    missing = [f"{name}.{m}()" for m, done in (("get_scaled_loss", scaled), ("get_unscaled_gradients", unscaled)) if not done]
    done = "get_scaled_loss" if scaled else "get_unscaled_gradients"
    also = f" (you did call {done}() however)" if scaled or unscaled else ""
    which = "them" if not also else missing[0].split(".")[1]
    log.warning(
        "You forgot to call %s before calling %s.apply_gradients()%s. This will likely result in worse model quality, so please call %s in "
        "the correct place%s! Scale the loss with get_scaled_loss before its gradients are taken, and those with get_unscaled_gradients.",
        " and ".join(missing), name, also, which, "" if also else "s",
    )  # fmt: skip


class LossScaleOptimizer:
    """An optimizer around another: scales the loss, unscales the gradients, leaves out steps that are not finite.

    A dynamic scale doubles after `dynamic_growth_steps` good steps. TypeError unless `inner_optimizer` is an Optimizer; ValueError
    for options that do not go with `dynamic`. What is made is an `Optimizer` too, of the kind of the inner one: attributes that are
    set on it and are the inner one's to decide about (`learning_rate`, a legacy optimizer's numbers) go there.
    """

    _module_in_files = "tf_keras.src.mixed_precision.loss_scale_optimizer"
    #: attributes that are set on the inner optimizer
    _inner_names: frozenset[str] = frozenset()
    _is_keras_optimizer = True

    def __new__(cls, inner_optimizer: Any = None, *args: Any, **kwargs: Any) -> Any:
        if cls is LossScaleOptimizer and inner_optimizer is not None:
            if getattr(inner_optimizer, "_is_legacy_optimizer", False):
                from ._legacy_loss_scale import LossScaleOptimizer as Legacy

                return object.__new__(Legacy)
            return object.__new__(LossScaleOptimizerV3)
        return object.__new__(cls)

    def __setattr__(self, name: str, value: Any) -> None:
        inner = self.__dict__.get("_optimizer")
        own = hasattr(type(self), name)
        if inner is not None and (name in self._inner_names or not own and name in inner.__dict__.get("_hyper", ())):
            setattr(inner, name, value)
        else:
            super().__setattr__(name, value)

    def _slot_for_restore(self, variable: Any, slot: str) -> Any:
        return self._optimizer._slot_for_restore(variable, slot)

    def __init__(
        self, inner_optimizer: Any, dynamic: bool = True, initial_scale: Any = None, dynamic_growth_steps: int | None = None
    ) -> None:
        if isinstance(inner_optimizer, LossScaleOptimizer):
            raise TypeError(f"LossScaleOptimizer cannot wrap another LossScaleOptimizer, but got: {inner_optimizer}")
        if not isinstance(inner_optimizer, Optimizer) and not getattr(inner_optimizer, "_is_legacy_optimizer", False):
            raise TypeError(
                '"inner_optimizer" must be an instance of `tf.keras.optimizers.Optimizer` or `tf.keras.optimizers.experimental.Optimizer`, '
                f"but got: {inner_optimizer}."
            )
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
        d["_scaled"] = d["_unscaled"] = False
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

        self.__dict__["_scaled"] = True
        if callable(loss):

            def scaled() -> Any:
                value = loss()
                return value * cast(self.loss_scale, value.dtype)

            return scaled
        return loss * cast(self.loss_scale, loss.dtype)

    def get_unscaled_gradients(self, grads: Any) -> list[Any]:
        """The gradients divided by the scale."""
        from tf2compat import cast

        self.__dict__["_unscaled"] = True
        reciprocal = 1.0 / self.loss_scale
        return [None if g is None else _times(g, cast(reciprocal, g.dtype)) for g in grads]

    def _guarded(self, grads_and_vars: Any, aggregated: Any, apply: Any) -> Any:
        """`apply` the pairs, summed over replicas by `aggregated`, unless a gradient is infinite or NaN: that counts as a step alone."""
        from tf2compat import cond

        d = self.__dict__
        if not (d["_scaled"] and d["_unscaled"]):
            _warn(d["_scaled"], d["_unscaled"])
        pairs = list(aggregated(filter_empty_gradients(grads_and_vars)))
        if not self._dynamic or not pairs:
            return apply(pairs)
        with state.outside():
            self._make_weights([v for _, v in pairs])
        grads = [getattr(g, "values", g) for g, _ in pairs if g is not None]
        finite = _adjust(self._scale, self._counter, grads, self._growth)
        if state.local.graph is None:
            if bool(finite):
                apply(pairs)
            else:
                rules.count(self._optimizer.iterations)
        else:

            def step() -> Any:
                apply(pairs)
                return finite

            def skip() -> Any:
                rules.count(self._optimizer.iterations)
                return finite

            cond(finite, step, skip)
        return self._optimizer.iterations

    def get_config(self) -> dict[str, Any]:
        from . import serialize

        return {
            "inner_optimizer": serialize(self._optimizer), "dynamic": self._dynamic, "initial_scale": self._initial,
            "dynamic_growth_steps": self._growth,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        from . import deserialize

        config = _of_today(config) if "loss_scale" in config else dict(config)
        inner = config.pop("inner_optimizer")
        return cls(deserialize(inner, custom_objects) if isinstance(inner, dict) else inner, **config)

    def _tracked(self) -> Any:
        return self._optimizer._tracked()

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> Any:
        return {**self._optimizer._trackable_children(save_type, **kwargs), "loss_scale": self._state}

    def _lookup_dependency(self, name: str) -> Any:
        if name == "base_optimizer":  # where checkpoints of TensorFlow 2.2 have the inner optimizer's slots
            return self._optimizer
        return super()._lookup_dependency(name)  # type: ignore[misc]

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


class LossScaleOptimizerV3(LossScaleOptimizer, Optimizer):
    """Around an optimizer that is no legacy one."""

    _inner_names = frozenset(("use_ema", "ema_momentum"))

    def compute_gradients(self, loss: Any, var_list: Any, tape: Any = None) -> list[tuple[Any, Any]]:
        """(gradient, variable) pairs of a loss, which was scaled meanwhile."""
        from tf2compat import GradientTape

        tape = GradientTape() if tape is None else tape
        with tape:
            loss = self.get_scaled_loss(loss)
        pairs = self._optimizer.compute_gradients(loss, var_list, tape=tape)
        return list(zip(self.get_unscaled_gradients([g for g, _ in pairs]), [v for _, v in pairs], strict=True))

    def minimize(self, loss: Any, var_list: Any, tape: Any = None) -> None:
        """A step along the gradients of a loss."""
        self.apply_gradients(self.compute_gradients(loss, var_list, tape))

    def apply_gradients(self, grads_and_vars: Any, name: str | None = None, skip_gradients_aggregation: bool = False, **kwargs: Any) -> Any:
        """A step of the inner optimizer, unless a gradient is infinite or NaN."""
        sums = kwargs.pop("experimental_aggregate_gradients", True) and not skip_gradients_aggregation
        if kwargs:
            raise TypeError(f"apply_gradients() got an unexpected keyword argument '{next(iter(kwargs))}'")
        inner = self._optimizer

        def apply(pairs: Any) -> Any:
            return inner.apply_gradients(pairs, skip_gradients_aggregation=True, **({} if name is None else {"name": name}))

        return self._guarded(grads_and_vars, inner.aggregate_gradients if sums else list, apply)

    def finalize_variable_values(self, var_list: Any) -> None:
        """As the inner optimizer does."""
        self._optimizer.finalize_variable_values(var_list)

    @property
    def variables(self) -> Any:
        """The inner optimizer's variables."""
        return self._optimizer.variables

    def build(self, var_list: Any) -> None:
        """Make the inner optimizer's variables."""
        self._optimizer.build(var_list)

    _make_weights = build

    def get_weights(self) -> list[Any]:
        return self._optimizer.get_weights()

    def set_weights(self, weights: Any) -> None:
        self._optimizer.set_weights(weights)
