"""`tf.keras.optimizers.legacy`: the optimizers as they were before TensorFlow 2.11.

Slots are made for variables as they first turn up, the learning rate may decay with the step, and hyperparameters are
reached as attributes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from tf2compat._engine import dtypes, state
from tf2compat._engine.convert import convert_to_tensor
from tf2compat._engine.op import TENSORS, VARIABLE, VARIABLES, op
from tf2compat._engine.tensor import Tensor
from tf2compat._engine.trackable import AutoTrackable
from tf2compat._engine.variable import Variable, VariableAggregation, VariableSynchronization

from ...indexed_slices import IndexedSlices
from .._base.config import settings
from . import _rules as rules
from ._legacy_steps import OneByOne
from .optimizer import CallableList, filter_empty_gradients, recorded
from .optimizer import Optimizer as _Current
from .schedules import LearningRateSchedule

_KWARGS = frozenset(("clipnorm", "clipvalue", "lr", "decay", "global_clipnorm"))


class Optimizer(OneByOne, AutoTrackable):
    """Base of the legacy optimizers (`tf.keras.optimizers.legacy.Optimizer`).

    Own optimizers define `_create_slots`, `_resource_apply_dense` and `get_config`. TypeError for unknown keywords; ValueError for
    negative ones.
    """

    _is_keras_optimizer = _is_legacy_optimizer = True
    #: what SavedModels call it
    _saved_as = "optimizer"
    #: whether variables are updated that were updated in this step before
    _again = False

    def __init__(self, name: str, gradient_aggregator: Any = None, gradient_transformers: Any = None, **kwargs: Any) -> None:
        for k, v in kwargs.items():
            if k not in _KWARGS:
                raise TypeError(f"Unexpected keyword argument passed to optimizer: {k}. Allowed kwargs are {set(_KWARGS)}.")
            if v is not None and v < 0:
                raise ValueError(f"Expected {k} >= 0, received: {v}")
        self._name = name
        self._hyper: dict[str, Any] = {}
        self.__dict__["_slots"] = {}
        self.__dict__["_slot_names"] = []
        self.__dict__["_kept"] = []
        self.__dict__["_weights"] = []
        self.__dict__["_iterations"] = None
        self.__dict__["_rate_now"] = self.__dict__["_given_rate"] = None
        self.gradient_aggregator = gradient_aggregator
        self._find_arguments()
        self.gradient_transformers = list(gradient_transformers or ())
        self._initial_decay = kwargs.get("decay", 0.0) or 0.0
        self.clipnorm = kwargs.get("clipnorm")
        self.global_clipnorm = kwargs.get("global_clipnorm")
        self.clipvalue = kwargs.get("clipvalue")
        for key in ("clipnorm", "global_clipnorm", "clipvalue"):
            if self.gradient_transformers and getattr(self, key) is not None:
                raise ValueError(
                    f"`{key}` cannot be set when `gradient_transformers` is set. Instead, use the `gradient_transformers` to specify clipping "
                    f"and other transformations. Received: val={getattr(self, key)}, gradient_transformers={gradient_transformers}."
                )
        if self.clipnorm is not None and self.global_clipnorm is not None:
            raise ValueError(
                f"Cannot accept both `clipnorm` and `global_clipnorm`. Received: `clipnorm`={self.clipnorm}, "
                f"`global_clipnorm`={self.global_clipnorm}."
            )

    # --- hyperparameters ---------------------------------------------------------------------------------------------
    def _number(self, name: str) -> float:
        """A hyperparameter as the rules take it: what was set last, or what the function that was set gives, as the variable that Keras
        keeps it in has it."""
        value = self.__dict__["_given"][name]
        if callable(value) and not isinstance(value, Variable):
            value = value()
        return float(np.float32(value))

    def _set_hyper(self, name: str, value: Any) -> None:
        self.__dict__.setdefault("_given", {})[name] = value
        known = self._hyper.get(name)
        if isinstance(known, Variable) and not callable(value):
            known.assign(np.asarray(value, known.dtype.as_numpy_dtype) if isinstance(value, (int, float, np.generic, np.ndarray)) else value)
        else:
            self._hyper[name] = value

    def _get_hyper(self, name: str, dtype: Any = None) -> Any:
        self._create_hypers()
        value = self._hyper[name]
        if isinstance(value, LearningRateSchedule):
            return value
        if callable(value) and not isinstance(value, Variable):
            value = value()
            if isinstance(value, (int, float)):
                from tf2compat import constant

                value = constant(value, "float32")
        if dtype is None:
            return value
        from tf2compat import cast

        return cast(value, dtype)

    def _now(self, name: str, dtype: Any) -> Any:
        """A hyperparameter's present value, as a tensor."""
        from tf2compat import identity

        return identity(self._get_hyper(name, dtype))

    def _create_hypers(self) -> None:
        with state.outside():
            for name, value in list(self._hyper.items()):
                if not isinstance(value, Variable) and not callable(value):
                    dtype = None if isinstance(value, (bool, int)) else settings.floatx  # a flag stays one
                    self._hyper[name] = Variable(value, name=f"{self._name}/{name}", dtype=dtype, trainable=False)

    def __getattr__(self, name: str) -> Any:
        hyper = self.__dict__.get("_hyper")
        if hyper is not None:
            key = "learning_rate" if name == "lr" else name
            if key in hyper:
                return self._get_hyper(key)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __dir__(self) -> list[str]:
        hyper = self.__dict__.get("_hyper", ())
        return sorted({*super().__dir__(), *hyper, *(("lr",) if "learning_rate" in hyper else ())})

    def __setattr__(self, name: str, value: Any) -> None:
        hyper = self.__dict__.get("_hyper")
        key = "learning_rate" if name == "lr" else name
        if hyper is not None and key in hyper:
            self._set_hyper(key, value)
            return
        super().__setattr__(name, value)

    def _decayed_lr(self, var_dtype: Any = None) -> Any:
        from tf2compat import cast

        rate = self._get_hyper("learning_rate")
        if isinstance(rate, LearningRateSchedule):
            rate = rate(cast(self.iterations, var_dtype or settings.floatx))
        if self._initial_decay > 0.0:
            rate = rate / (1.0 + self._initial_decay * cast(self.iterations, rate.dtype))
        return rate if var_dtype is None else cast(rate, var_dtype)

    def _rate(self) -> Any:
        """The learning rate of this step, in a variable."""
        if self._given_rate is not None:
            return self._given_rate
        rate = self._get_hyper("learning_rate")
        if isinstance(rate, Variable) and not self._initial_decay:
            return rate
        now = self._decayed_lr()
        if self._rate_now is None:
            with state.outside():
                self.__dict__["_rate_now"] = Variable(0.0, dtype=now.dtype, trainable=False)
        self._rate_now.assign(now)
        return self._rate_now

    # --- slots -------------------------------------------------------------------------------------------------------
    @property
    def iterations(self) -> Any:
        """The number of steps taken, an int64 variable."""
        if self._iterations is None:
            with state.outside():
                made = Variable(0, name=f"{self._name}/iter", dtype=dtypes.int64, trainable=False)
            self.__dict__["_iterations"] = made
            self._weights.insert(0, made)
            self._track_trackable(made, "iter", overwrite=True)
        return self._iterations

    @iterations.setter
    def iterations(self, variable: Any) -> None:
        if self._iterations is not None:
            raise RuntimeError(
                "Cannot set `iterations` to a new Variable after the Optimizer weights have been created. Here it is attempting to set "
                f"`iterations` to {variable}."
            )
        self.__dict__["_iterations"] = variable
        self._weights.insert(0, variable)

    def add_slot(self, var: Any, slot_name: str, initializer: Any = "zeros", shape: Any = None) -> Any:
        """The slot of a variable, made when it is first asked for."""
        slots = self._slots.setdefault(id(var), {})
        found = slots.get(slot_name)
        if found is None:
            if slot_name not in self._slot_names:
                self._slot_names.append(slot_name)
            self._kept.append(var)
            with state.outside():
                if isinstance(initializer, str):
                    from .. import initializers

                    initializer = initializers.get(initializer)
                size = tuple(var.shape.as_list()) if shape is None else tuple(shape)
                value = initializer(size, dtype=var.dtype) if callable(initializer) else initializer
                found = Variable(value, name=f"{self._name}/{var._shared_name}/{slot_name}", trainable=False)
            slots[slot_name] = found
            self._weights.append(found)
        return found

    def get_slot(self, var: Any, slot_name: str) -> Any:
        """The slot of a variable; KeyError when it has none."""
        return self._slots[id(var)][slot_name]

    def _slots_for_save(self) -> list[tuple[Any, str, Any]]:
        seen = {id(v): v for v in self._kept}
        return [(seen[key], name, slot) for key, slots in self._slots.items() if key in seen for name, slot in slots.items()]

    def _slot_for_restore(self, variable: Any, slot_name: str) -> Any:
        return self.add_slot(variable, slot_name)

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> dict[str, Any]:
        """As TensorFlow has it: the hyperparameters by their own names."""
        _ = self.iterations
        self._create_hypers()
        found = dict(super()._trackable_children(save_type, **kwargs))
        found.pop("_hyper", None)
        return {**found, **{name: value for name, value in self._hyper.items() if isinstance(value, Variable)}}

    def get_slot_names(self) -> list[str]:
        """The names of the slots."""
        return self._slot_names

    def _create_slots(self, var_list: Any) -> None:
        """Make the slots of variables."""

    def _create_all_weights(self, var_list: Any) -> None:
        _ = self.iterations
        self._create_hypers()
        self._create_slots(var_list)

    def add_weight(
        self, name: str, shape: Any, dtype: Any = None, initializer: Any = "zeros", trainable: bool | None = None,
        synchronization: Any = VariableSynchronization.AUTO, aggregation: Any = VariableAggregation.NONE,
    ) -> Any:  # fmt: skip
        """A variable of the optimizer's own, which a checkpoint keeps under `name`. ValueError for a trainable one that is synced on read."""
        from .. import initializers

        on_read = synchronization is VariableSynchronization.ON_READ
        if on_read and trainable:
            raise ValueError(
                "Synchronization value can be set to VariableSynchronization.ON_READ only for non-trainable variables. You have specified "
                "trainable=True and synchronization=VariableSynchronization.ON_READ."
            )
        trainable = not on_read if trainable is None else trainable
        dtype = dtypes.as_dtype(dtype or dtypes.float32)
        with state.outside():
            made = Variable(
                initializers.get(initializer)(tuple(shape), dtype=dtype), name=name, dtype=dtype, trainable=trainable,
                synchronization=synchronization, aggregation=aggregation,
            )  # fmt: skip
        self._track_trackable(made, name, overwrite=True)
        return made

    @property
    def weights(self) -> list[Any]:
        return self._weights

    @property
    def variables(self) -> CallableList:
        return CallableList(self._weights)

    def get_weights(self) -> list[Any]:
        return [w.numpy() for w in self._weights]

    def set_weights(self, weights: Any) -> None:
        """Set the variables from arrays; ValueError for a wrong number or shape."""
        if len(self._weights) != len(weights):
            raise ValueError(
                f"You called `set_weights(weights)` on optimizer {self._name} with a  weight list of length {len(weights)}, but the "
                f"optimizer was expecting {len(self._weights)} weights. Provided weights: {str(weights)[:50]}..."
            )
        for v, w in zip(self._weights, weights, strict=True):
            if tuple(v.shape) != tuple(np.shape(w)):
                raise ValueError(f"Optimizer weight shape {v.shape} not compatible with provided weight shape {np.shape(w)}.")
            v.assign(w)

    # --- steps -------------------------------------------------------------------------------------------------------
    compute_gradients = _Current.compute_gradients

    def _compute_gradients(self, loss: Any, var_list: Any, grad_loss: Any = None, tape: Any = None) -> Any:
        """(gradient, variable) pairs of a loss (a function, or a tensor with its tape), scaled by `grad_loss`."""
        import tf2compat as tf

        tape, loss, var_list = recorded(loss, var_list, tape)
        with tape:
            loss = self._transform_loss(loss)
        return self._get_gradients(tape, loss, tf.nest.flatten(var_list), grad_loss)

    def _transform_loss(self, loss: Any) -> Any:
        """The loss that gradients are taken of: for own optimizers to redefine."""
        return loss

    def _get_gradients(self, tape: Any, loss: Any, var_list: Any, grad_loss: Any = None) -> Any:
        return list(zip(tape.gradient(loss, var_list, grad_loss), var_list, strict=True))

    def _transform_unaggregated_gradients(self, grads_and_vars: Any) -> Any:
        """The pairs before they are summed over replicas."""
        return grads_and_vars

    def _aggregate_gradients(self, grads_and_vars: Any) -> Any:
        """The pairs summed over replicas, or what `gradient_aggregator` makes of them."""
        if self.gradient_aggregator is not None:
            return self.gradient_aggregator(grads_and_vars)
        return _Current.aggregate_gradients(self, grads_and_vars)  # type: ignore[arg-type]

    def _transform_gradients(self, grads_and_vars: Any) -> Any:
        """The pairs clipped, then as the `gradient_transformers` give them."""
        if self.clipvalue is not None or self.clipnorm is not None or self.global_clipnorm is not None:
            grads, variables = [g for g, _ in grads_and_vars], [v for _, v in grads_and_vars]
            if self.clipvalue == 0:  # which stops training, where the newer optimizers do not clip
                grads = [None if g is None else g * 0 for g in grads]
            grads_and_vars = list(zip(_Current._clip_gradients(self, grads), variables, strict=True))  # type: ignore[arg-type]
        for transform in self.gradient_transformers:
            grads_and_vars = transform(grads_and_vars)
        return grads_and_vars

    def get_gradients(self, loss: Any, params: Any) -> Any:
        """RuntimeError, as in eager Keras: use a GradientTape."""
        import tf2compat

        return tf2compat.gradients(loss, params)

    def get_updates(self, loss: Any, params: Any) -> list[Any]:
        """A step by the gradients of a graph's tensor; RuntimeError in eager code, as `get_gradients`."""
        return [self.apply_gradients(list(zip(self.get_gradients(loss, params), params, strict=True)))]

    def minimize(self, loss: Any, var_list: Any, grad_loss: Any = None, name: str | None = None, tape: Any = None) -> Any:
        """`compute_gradients` and `apply_gradients`."""
        return self.apply_gradients(self._compute_gradients(loss, var_list, grad_loss, tape), name=name)

    def apply_gradients(self, grads_and_vars: Any, name: str | None = None, experimental_aggregate_gradients: bool = True) -> Any:
        """Update the variables of (gradient, variable) pairs; returns `iterations`, or None where there are no pairs."""
        pairs = list(filter_empty_gradients(grads_and_vars))
        if not pairs:
            return None
        variables = [v for _, v in pairs]
        with state.outside():
            self._create_all_weights(variables)
        apply_state = self._prepare(variables) if self._own_steps else None
        if experimental_aggregate_gradients:
            pairs = self._aggregate_gradients(self._transform_unaggregated_gradients(pairs))
        pairs = list(self._transform_gradients(pairs))
        if self._own_steps:
            self._step_by_step(pairs, apply_state, name)
            return self.iterations
        grads, variables = [g for g, _ in pairs], [v for _, v in pairs]
        grads = [g if isinstance(g, (Tensor, IndexedSlices)) else convert_to_tensor(g) for g in grads]
        turns = [(grads, variables)]
        if len({id(v) for v in variables}) < len(variables):  # a variable that comes again is updated again, after the others
            from ._rows import in_turn

            turns = in_turn(grads, variables)
        for turn, (gs, vs) in enumerate(turns):
            self.__dict__["_again"] = turn > 0
            for dtype in {id(v._dtype): v._dtype for v in vs}.values():
                some = [i for i, v in enumerate(vs) if v._dtype is dtype]
                update_rows(self, [gs[i] for i in some], [vs[i] for i in some])
        for v in variables:
            if v._constraint is not None:
                v.assign(v._constraint(v))
        rules.count(self.iterations)
        return self.iterations

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        raise NotImplementedError("An optimizer defines _resource_apply_dense(grad, var, apply_state).")

    def _lazy_state(self) -> bool | None:
        """Whether the rule can do with gradients of rows (True); or rows without a gradient keep their variable alone (False), or are
        updated like all others (None)."""
        return None

    def _of(self, variables: list[Any], name: str) -> list[Any]:
        return [self._slots[id(v)][name] for v in variables]

    # --- configuration -----------------------------------------------------------------------------------------------
    def _serialize_hyperparameter(self, name: str) -> Any:
        value = self._hyper[name]
        if isinstance(value, LearningRateSchedule):
            from . import schedules

            return schedules.serialize(value)
        if callable(value) and not isinstance(value, Variable):
            return value()
        return value.numpy() if isinstance(value, Variable) else value

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config: dict[str, Any] = {"name": self._name}
        for key in ("clipnorm", "clipvalue", "global_clipnorm"):
            if getattr(self, key) is not None:
                config[key] = getattr(self, key)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        config = dict(config)
        if "lr" in config:
            config["learning_rate"] = config.pop("lr")
        if isinstance(config.get("learning_rate"), dict):
            from . import schedules

            config["learning_rate"] = schedules.deserialize(config["learning_rate"], custom_objects=custom_objects)
        return cls(**config)

    def _configured(self, *hypers: str, **plain: Any) -> dict[str, Any]:
        found = {h: self._serialize_hyperparameter(h) for h in hypers}
        return Optimizer.get_config(self) | found | {"decay": self._initial_decay} | plain


def update_rows(optimizer: Any, grads: list[Any], variables: list[Any]) -> None:
    """Update variables; of those with a gradient of rows, which lookups have, what the rule makes of these rows."""
    if all(isinstance(g, Tensor) for g in grads):
        optimizer._update(grads, variables)
        return
    lazy = optimizer._lazy_state()
    if lazy is None:
        optimizer._update([g if isinstance(g, Tensor) else convert_to_tensor(g) for g in grads], variables)
        return
    from ._rows import Touched, split

    grads, variables, sparse = split(grads, variables)
    if lazy:
        if grads:
            optimizer._update(grads, variables)
        for g, v in sparse:
            optimizer._update([Touched(g)], [v])
        return
    import tf2compat as tf

    before = [(v, g.indices, tf.identity(v)) for g, v in sparse]
    optimizer._update([*grads, *(convert_to_tensor(g) for g, _ in sparse)], [*variables, *(v for _, v in sparse)])
    for v, indices, old in before:
        v.assign(tf.tensor_scatter_nd_update(old, tf.expand_dims(indices, -1), tf.gather(v, indices)))


class SGD(Optimizer):
    """Gradient descent with momentum (`tf.keras.optimizers.legacy.SGD`)."""

    def __init__(self, learning_rate: Any = 0.01, momentum: float = 0.0, nesterov: bool = False, name: str = "SGD", **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        if isinstance(momentum, (int, float)) and (momentum < 0 or momentum > 1):
            raise ValueError(f"`momentum` must be between [0, 1]. Received: momentum={momentum} (of type {type(momentum)}).")
        self._set_hyper("learning_rate", kwargs.get("lr", learning_rate))
        self._set_hyper("decay", self._initial_decay)
        self._set_hyper("momentum", momentum)
        self.nesterov = nesterov

    @property
    def _momentum_value(self) -> float:
        return self._number("momentum")

    def _create_slots(self, var_list: Any) -> None:
        if self._momentum_value:
            for v in var_list:
                self.add_slot(v, "momentum")

    def _numbers(self, dtype: Any, lr_t: Any) -> dict[str, Any]:
        return {"momentum": self._now("momentum", dtype)}

    def _lazy_state(self) -> bool | None:
        return True

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        if self._momentum_value:
            rules.sgd_momentum(variables, self._of(variables, "momentum"), grads, self._rate(), self._momentum_value, self.nesterov)
        else:
            rules.sgd(variables, grads, self._rate())

    def get_config(self) -> dict[str, Any]:
        return self._configured("learning_rate", "momentum", nesterov=self.nesterov)


class Adam(Optimizer):
    """Adaptive moments (`tf.keras.optimizers.legacy.Adam`)."""

    _rate_of_rows = "lr"

    def __init__(
        self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7, amsgrad: bool = False,
        name: str = "Adam", **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(name, **kwargs)
        self._set_hyper("learning_rate", kwargs.get("lr", learning_rate))
        self._set_hyper("decay", self._initial_decay)
        self._set_hyper("beta_1", beta_1)
        self._set_hyper("beta_2", beta_2)
        self.epsilon = epsilon or settings.epsilon
        self.amsgrad = amsgrad

    @property
    def _betas(self) -> tuple[float, float]:
        return self._number("beta_1"), self._number("beta_2")

    def _create_slots(self, var_list: Any) -> None:
        for name in ("m", "v", "vhat") if self.amsgrad else ("m", "v"):
            for v in var_list:
                self.add_slot(v, name)

    def _numbers(self, dtype: Any, lr_t: Any) -> dict[str, Any]:
        import tf2compat as tf

        step = tf.cast(self.iterations + 1, dtype)
        beta_1, beta_2 = self._now("beta_1", dtype), self._now("beta_2", dtype)
        power_1, power_2 = tf.pow(beta_1, step), tf.pow(beta_2, step)
        return {
            "lr": lr_t * tf.sqrt(1 - power_2) / (1 - power_1), "epsilon": convert_to_tensor(self.epsilon, dtype), "beta_1_t": beta_1,
            "beta_1_power": power_1, "one_minus_beta_1_t": 1 - beta_1, "beta_2_t": beta_2, "beta_2_power": power_2,
            "one_minus_beta_2_t": 1 - beta_2,
        }  # fmt: skip

    def _lazy_state(self) -> bool | None:
        return True  # by a rule that lets all state decay

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        hats = self._of(variables, "vhat") if self.amsgrad else []
        rules.adam(
            variables, self._of(variables, "m"), self._of(variables, "v"), hats, grads, self._rate(), self.iterations, *self._betas,
            self.epsilon,
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        return self._configured("learning_rate", "beta_1", "beta_2", epsilon=self.epsilon, amsgrad=self.amsgrad)


class Adamax(Adam):
    """Adam with the infinity norm (`tf.keras.optimizers.legacy.Adamax`)."""

    _rate_of_rows = "neg_scaled_lr"

    def __init__(
        self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7, name: str = "Adamax",
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, beta_1, beta_2, epsilon, False, name, **kwargs)

    def _numbers(self, dtype: Any, lr_t: Any) -> dict[str, Any]:
        found = {k: v for k, v in super()._numbers(dtype, lr_t).items() if k not in ("lr", "beta_2_power", "one_minus_beta_2_t")}
        return found | {"neg_scaled_lr": -lr_t / (1 - found["beta_1_power"]), "zero": convert_to_tensor(0, dtypes.int64)}

    def _lazy_state(self) -> bool | None:
        return True

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        rules.adamax(
            variables, self._of(variables, "m"), self._of(variables, "v"), grads, self._rate(), self.iterations, *self._betas, self.epsilon
        )

    def get_config(self) -> dict[str, Any]:
        return self._configured("learning_rate", "beta_1", "beta_2", epsilon=self.epsilon)


@op("ResourceApplyLegacyNadam", stateful=True, variables=VARIABLES, ms=VARIABLES, vs=VARIABLES, cache=VARIABLE, grads=TENSORS, lr=VARIABLE, iterations=VARIABLE)  # fmt: skip
def _nadam(variables: Any, ms: Any, vs: Any, cache: Any, grads: Any, lr: Any, iterations: Any, beta_1: Any, beta_2: Any, epsilon: Any, again: bool) -> None:
    step = (iterations._t + 1).to(grads[0].dtype)
    rate = lr._t.to(grads[0].dtype)
    now = beta_1 * (1.0 - 0.5 * 0.96 ** (0.004 * step))
    following = beta_1 * (1.0 - 0.5 * 0.96 ** (0.004 * (step + 1)))
    product = cache._t if again else cache._t * now
    ahead = product * following
    cache._own().copy_(product)
    for variable, m, v, g in zip(variables, ms, vs, grads, strict=True):
        g = g.detach()
        moment, second = m._own(), v._own()
        moment.mul_(beta_1).add_(g, alpha=1 - beta_1)
        second.mul_(beta_2).addcmul_(g, g, value=1 - beta_2)
        m_bar = (1.0 - now) * (g / (1.0 - product)) + following * (moment / (1.0 - ahead))
        variable._own().sub_(rate * m_bar / (torch.sqrt(second / (1.0 - beta_2**step)) + epsilon))


_nadam.infer(lambda *args: [])


class Nadam(Adam):
    """Adam with Nesterov momentum (`tf.keras.optimizers.legacy.Nadam`). ValueError for a schedule as learning rate."""

    _rate_of_rows = "neg_lr_t"

    def __init__(
        self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7, name: str = "Nadam",
        **kwargs: Any,
    ) -> None:  # fmt: skip
        kwargs["decay"] = kwargs.pop("schedule_decay", 0.004)
        if isinstance(kwargs.get("lr", learning_rate), LearningRateSchedule):
            raise ValueError(
                "The Nadam optimizer does not support tf.keras.optimizers.LearningRateSchedules as the learning rate."
            )
        super().__init__(learning_rate, beta_1, beta_2, epsilon, False, name, **kwargs)
        self.__dict__["_schedule_decay"] = self._initial_decay
        self._initial_decay = 0.0
        self.__dict__["_m_cache"] = None

    def _create_slots(self, var_list: Any) -> None:
        if self._m_cache is None:
            made = Variable(1.0, name=f"{self._name}/momentum_cache", dtype=var_list[0].dtype, trainable=False)
            self.__dict__["_m_cache"] = made
            self._weights.append(made)
        super()._create_slots(var_list)

    def _by_rule(self, grad: Any, var: Any, apply_state: Any) -> None:
        if not self._own_steps:
            raise NotImplementedError("Nadam counts its steps itself: another optimizer cannot update variables by it one after another.")
        super()._by_rule(grad, var, apply_state)

    def _numbers(self, dtype: Any, lr_t: Any) -> dict[str, Any]:
        found = {k: v for k, v in super()._numbers(dtype, lr_t).items() if k != "lr" and not k.endswith("power")}
        return found | {"neg_lr_t": -lr_t}

    def _lazy_state(self) -> bool | None:
        return False

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        _nadam(
            variables, self._of(variables, "m"), self._of(variables, "v"), self._m_cache, grads, self._rate(), self.iterations,
            *self._betas, self.epsilon, self._again,
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        return self._configured("learning_rate", "beta_1", "beta_2", epsilon=self.epsilon) | {"decay": self._schedule_decay}


@op("ResourceApplyRMSProp", stateful=True, variables=VARIABLES, rms=VARIABLES, moms=VARIABLES, mgs=VARIABLES, grads=TENSORS, lr=VARIABLE)
def _rmsprop(variables: Any, rms: Any, moms: Any, mgs: Any, grads: Any, lr: Any, rho: Any, momentum: Any, epsilon: Any) -> None:
    rate = lr._t.to(grads[0].dtype)
    for i, (variable, square, g) in enumerate(zip(variables, rms, grads, strict=True)):
        g = g.detach()
        s = square._own()
        s.mul_(rho).addcmul_(g, g, value=1 - rho)
        bottom = s
        if mgs:
            mg = mgs[i]._own()
            mg.mul_(rho).add_(g, alpha=1 - rho)
            bottom = s - mg * mg
        if moms:
            mom = moms[i]._own()
            mom.mul_(momentum).add_(rate * g / torch.sqrt(bottom + epsilon))
            variable._own().sub_(mom)
        else:
            variable._own().sub_(rate * g / (torch.sqrt(bottom) + epsilon))


_rmsprop.infer(lambda *args: [])


class RMSprop(Optimizer):
    """Gradients divided by a running root mean square (`tf.keras.optimizers.legacy.RMSprop`)."""

    def __init__(
        self, learning_rate: Any = 0.001, rho: float = 0.9, momentum: float = 0.0, epsilon: float = 1e-7, centered: bool = False,
        name: str = "RMSprop", **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(name, **kwargs)
        if isinstance(momentum, (int, float)) and (momentum < 0 or momentum > 1):
            raise ValueError(f"`momentum` must be between [0, 1]. Received: momentum={momentum} (of type {type(momentum)}).")
        self._set_hyper("learning_rate", kwargs.get("lr", learning_rate))
        self._set_hyper("decay", self._initial_decay)
        self._set_hyper("rho", rho)
        self._momentum = not isinstance(momentum, (int, float)) or momentum > 0  # a tensor or function may become another number
        self._set_hyper("momentum", momentum)
        self.epsilon = epsilon or settings.epsilon
        self.centered = centered

    @property
    def _options(self) -> tuple[float, float]:
        return self._number("rho"), self._number("momentum")

    @property
    def _rate_of_rows(self) -> str:  # type: ignore[override]
        return "lr_t" if self._momentum else "neg_lr_t"

    def _create_slots(self, var_list: Any) -> None:
        names = ["rms"] + (["momentum"] if self._momentum else []) + (["mg"] if self.centered else [])
        for name in names:
            for v in var_list:
                self.add_slot(v, name)

    def _numbers(self, dtype: Any, lr_t: Any) -> dict[str, Any]:
        rho = self._now("rho", dtype)
        return {
            "neg_lr_t": -lr_t, "epsilon": convert_to_tensor(self.epsilon, dtype), "rho": rho, "momentum": self._now("momentum", dtype),
            "one_minus_rho": 1.0 - rho,
        }  # fmt: skip

    def _lazy_state(self) -> bool | None:
        return True if self._momentum else None

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        moms = self._of(variables, "momentum") if self._momentum else []
        mgs = self._of(variables, "mg") if self.centered else []
        _rmsprop(variables, self._of(variables, "rms"), moms, mgs, grads, self._rate(), *self._options, self.epsilon)

    def get_config(self) -> dict[str, Any]:
        return self._configured("learning_rate", "rho", "momentum", epsilon=self.epsilon, centered=self.centered)


@op("ResourceApplyAdagradV2", stateful=True, variables=VARIABLES, sums=VARIABLES, grads=TENSORS, lr=VARIABLE)
def _adagrad(variables: Any, sums: Any, grads: Any, lr: Any, epsilon: Any) -> None:
    rate = lr._t.to(grads[0].dtype)
    for variable, total, g in zip(variables, sums, grads, strict=True):
        g = g.detach()
        s = total._own()
        s.addcmul_(g, g)
        variable._own().sub_(rate * g / (torch.sqrt(s) + epsilon))


_adagrad.infer(lambda *args: [])


class Adagrad(Optimizer):
    """Gradients divided by the root of their summed squares (`tf.keras.optimizers.legacy.Adagrad`)."""

    def __init__(
        self, learning_rate: Any = 0.001, initial_accumulator_value: float = 0.1, epsilon: float = 1e-7, name: str = "Adagrad",
        **kwargs: Any,
    ) -> None:  # fmt: skip
        if initial_accumulator_value < 0.0:
            raise ValueError(f"initial_accumulator_value must be non-negative: {initial_accumulator_value}")
        super().__init__(name, **kwargs)
        self._set_hyper("learning_rate", kwargs.get("lr", learning_rate))
        self._set_hyper("decay", self._initial_decay)
        self._initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon or settings.epsilon

    def _create_slots(self, var_list: Any) -> None:
        for v in var_list:
            self.add_slot(v, "accumulator", torch.full_like(v._t, self._initial_accumulator_value))

    def _numbers(self, dtype: Any, lr_t: Any) -> dict[str, Any]:
        return {"epsilon": convert_to_tensor(self.epsilon, dtype), "neg_lr_t": -lr_t, "zero": convert_to_tensor(0, dtypes.int64)}

    def _lazy_state(self) -> bool | None:
        return True

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        _adagrad(variables, self._of(variables, "accumulator"), grads, self._rate(), self.epsilon)

    def get_config(self) -> dict[str, Any]:
        return self._configured("learning_rate", initial_accumulator_value=self._initial_accumulator_value, epsilon=self.epsilon)


class Adadelta(Optimizer):
    """Steps scaled by running averages of squared gradients and steps (`tf.keras.optimizers.legacy.Adadelta`)."""

    def __init__(
        self, learning_rate: Any = 0.001, rho: float = 0.95, epsilon: float = 1e-7, name: str = "Adadelta", **kwargs: Any
    ) -> None:
        super().__init__(name, **kwargs)
        self._set_hyper("learning_rate", kwargs.get("lr", learning_rate))
        self._set_hyper("decay", self._initial_decay)
        self._set_hyper("rho", rho)
        self.epsilon = epsilon or settings.epsilon

    def _create_slots(self, var_list: Any) -> None:
        for name in ("accum_grad", "accum_var"):
            for v in var_list:
                self.add_slot(v, name)

    def _numbers(self, dtype: Any, lr_t: Any) -> dict[str, Any]:
        return {"epsilon": convert_to_tensor(self.epsilon, dtype), "rho": self._now("rho", dtype)}

    def _lazy_state(self) -> bool | None:
        return True

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        rules.adadelta(
            variables, self._of(variables, "accum_grad"), self._of(variables, "accum_var"), grads, self._rate(), self._number("rho"), self.epsilon
        )

    def get_config(self) -> dict[str, Any]:
        return self._configured("learning_rate", "rho", epsilon=self.epsilon)


class Ftrl(Optimizer):
    """Follow the regularised leader (`tf.keras.optimizers.legacy.Ftrl`)."""

    def __init__(
        self, learning_rate: Any = 0.001, learning_rate_power: float = -0.5, initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0, l2_regularization_strength: float = 0.0, name: str = "Ftrl",
        l2_shrinkage_regularization_strength: float = 0.0, beta: float = 0.0, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(name, **kwargs)
        for what, value in (
            ("initial_accumulator_value", initial_accumulator_value), ("l1_regularization_strength", l1_regularization_strength),
            ("l2_regularization_strength", l2_regularization_strength),
            ("l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength),
        ):  # fmt: skip
            if value < 0.0:
                raise ValueError(f"`{what}` needs to be positive or zero. Received: {what}={value}.")
        if learning_rate_power > 0.0:
            raise ValueError(f"`learning_rate_power` needs to be negative or zero. Received: learning_rate_power={learning_rate_power}.")
        self._set_hyper("learning_rate", kwargs.get("lr", learning_rate))
        self._set_hyper("decay", self._initial_decay)
        self._initial_accumulator_value = initial_accumulator_value
        self.__dict__["_options"] = {
            "learning_rate_power": learning_rate_power, "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength, "beta": beta,
        }  # fmt: skip

    def _create_slots(self, var_list: Any) -> None:
        for v in var_list:
            self.add_slot(v, "accumulator", torch.full_like(v._t, self._initial_accumulator_value))
            self.add_slot(v, "linear")

    def _numbers(self, dtype: Any, lr_t: Any) -> dict[str, Any]:
        return {name: convert_to_tensor(value, dtype) for name, value in self._options.items()}

    def _lazy_state(self) -> bool | None:
        return True

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        o = self._options
        rules.ftrl(
            variables, self._of(variables, "accumulator"), self._of(variables, "linear"), grads, self._rate(), o["learning_rate_power"],
            o["l1_regularization_strength"], o["l2_regularization_strength"], o["l2_shrinkage_regularization_strength"], o["beta"],
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        return self._configured("learning_rate", initial_accumulator_value=self._initial_accumulator_value, **self._options)
