"""`tf.keras.optimizers.Optimizer`: what all optimizers of Keras 2 share."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from tf2compat._engine import dtypes, state, strategies
from tf2compat._engine.convert import convert_to_tensor
from tf2compat._engine.denormals import flushed
from tf2compat._engine.logs import get_logger
from tf2compat._engine.tensor import Tensor
from tf2compat._engine.trackable import AutoTrackable
from tf2compat._engine.variable import Variable

from ...indexed_slices import IndexedSlices
from .._base.config import settings
from . import _rules as rules
from .schedules import LearningRateSchedule

log = get_logger()


class CallableList(list):
    """`optimizer.variables` and `optimizer.variables()` are the same."""

    def __call__(self) -> CallableList:
        return self


def filter_empty_gradients(grads_and_vars: Any) -> tuple[Any, ...]:
    """The pairs that have a gradient; ValueError when none has, a logged warning when some have not."""
    pairs = tuple(grads_and_vars)
    kept = tuple((_of_size(g, v), v) for g, v in pairs if g is not None)
    if pairs and not kept:
        names = ([v.name for _, v in pairs],)
        raise ValueError(f"No gradients provided for any variable: {names}. Provided `grads_and_vars` is {pairs}.")
    if len(kept) < len(pairs):
        log.warning(
            "Gradients do not exist for variables %s when minimizing the loss. If you're using `model.compile()`, did you forget to "
            "provide a `loss` argument?",
            [v.name for g, v in pairs if g is None],
        )
    return kept


def recorded(loss: Any, var_list: Any, tape: Any) -> tuple[Any, Any, Any]:
    """The tape, the loss that it recorded and the variables, where the last two may be functions; ValueError for a tensor without its tape."""
    if not callable(loss) and tape is None:
        raise ValueError(f"`tape` is required when a `Tensor` loss is passed. Received: loss={loss}, tape={tape}.")
    if tape is None:
        from tf2compat import GradientTape

        tape = GradientTape()
    if callable(loss):
        with tape:
            if not callable(var_list):
                tape.watch(var_list)
            loss = loss()
            if callable(var_list):
                var_list = var_list()
    return tape, loss, var_list


def _of_size(gradient: Any, variable: Any) -> Any:
    """A gradient of some rows that does not tell how many there are: as many as the variable has."""
    if getattr(gradient, "dense_shape", 0) is None:
        return type(gradient)(gradient.values, gradient.indices, convert_to_tensor(variable.shape.as_list()))
    return gradient


class Optimizer(AutoTrackable):
    """Base of the optimizers (`tf.keras.optimizers.Optimizer`).

    Own optimizers define `build(var_list)` and `update_step(gradient, variable)`. `jit_compile` asks for no more than is done anyway:
    all variables are updated by one fused call.
    """

    #: names of the attributes that hold one slot per variable, in the order of the update rule's parameters
    _slot_lists: tuple[str, ...] = ()
    #: what SavedModels call it
    _saved_as = "experimentalOptimizer"
    #: whether variables are updated that were updated in this step before
    _again = False

    def __init__(
        self,
        name: str,
        weight_decay: float | None = 0,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        jit_compile: bool = True,
        **kwargs: Any,
    ) -> None:
        self.name = name
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.global_clipnorm = global_clipnorm
        self.clipvalue = clipvalue
        self.use_ema = use_ema
        self.jit_compile = False
        if use_ema:
            if ema_momentum > 1 or ema_momentum < 0:
                raise ValueError(f"`ema_momentum` must be in the range [0, 1]. Received: ema_momentum={ema_momentum}")
            if ema_overwrite_frequency and (not isinstance(ema_overwrite_frequency, int) or ema_overwrite_frequency < 1):
                raise ValueError(
                    "`ema_overwrite_frequency` must be an integer > 1 or None. Received: "
                    f"ema_overwrite_frequency={ema_overwrite_frequency}"
                )
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        if clipnorm is not None and global_clipnorm is not None:
            raise ValueError(
                f"At most one of `clipnorm` and `global_clipnorm` can be set. Received: clipnorm={clipnorm}, global_clipnorm={global_clipnorm}."
            )
        self._variables: list[Any] = []
        with state.outside():
            self._iterations = Variable(0, name="iteration", dtype=dtypes.int64, trainable=False)
        self._variables.append(self._iterations)
        self._process_kwargs(kwargs)
        self.__dict__["_plan"] = None

    def _process_kwargs(self, kwargs: dict[str, Any]) -> None:
        kwargs.pop("is_legacy_optimizer", None)
        if kwargs.pop("lr", None):
            log.warning(
                "`lr` is deprecated in TF-Keras optimizer, please use `learning_rate` or use the legacy optimizer, "
                "e.g.,tf.keras.optimizers.legacy.%s.",
                type(self).__name__,
            )
        for k in kwargs:
            if k in ("decay", "gradient_aggregator", "gradient_transformers"):
                raise ValueError(
                    f"{k} is deprecated in the new TF-Keras optimizer, please check the docstring for valid arguments, or use the legacy "
                    f"optimizer, e.g., tf.keras.optimizers.legacy.{type(self).__name__}."
                )
            raise TypeError(f"{k} is not a valid argument, kwargs should be empty  for `optimizer_experimental.Optimizer`.")

    # --- state -------------------------------------------------------------------------------------------------------
    @property
    def iterations(self) -> Any:
        """The number of steps taken, an int64 variable."""
        return self._iterations

    @iterations.setter
    def iterations(self, variable: Any) -> None:
        if getattr(self, "_built", False):
            raise RuntimeError(
                "Cannot set `iterations` to a new Variable after the Optimizer weights have been created. Here it is attempting to set "
                f"`iterations` to {variable}.Usually this means you are trying to set `iterations` after calling `apply_gradients()`. "
                "Please set `iterations` before calling `apply_gradients()`."
            )
        self._iterations = variable

    def _build_learning_rate(self, learning_rate: Any) -> Any:
        with state.outside():
            if isinstance(learning_rate, LearningRateSchedule):
                now = convert_to_tensor(learning_rate(self.iterations))
                self._current_learning_rate = Variable(now, name="current_learning_rate", dtype=now.dtype, trainable=False)
                return learning_rate
            return Variable(learning_rate, name="learning_rate", dtype=settings.floatx, trainable=False)

    @property
    def learning_rate(self) -> Any:
        """The learning rate: a variable (the present value, where a schedule decides)."""
        rate = self.__dict__.get("_learning_rate")
        if rate is None:
            raise ValueError("Missing learning rate, please set self.learning_rate at optimizer creation time.")
        return self._current_learning_rate if isinstance(rate, LearningRateSchedule) else rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        if isinstance(learning_rate, LearningRateSchedule):
            self._learning_rate = learning_rate
            if "_current_learning_rate" not in self.__dict__:
                self._build_learning_rate(learning_rate)
            return
        if isinstance(self._learning_rate, LearningRateSchedule):
            raise TypeError(
                "This optimizer was created with a `LearningRateSchedule` object as its `learning_rate` constructor argument, hence its "
                "learning rate is not settable. If you need the learning rate to be settable, you should instantiate the optimizer "
                "with a float `learning_rate` argument."
            )
        if isinstance(learning_rate, (np.generic, np.ndarray)):
            learning_rate = float(learning_rate)
        self._learning_rate.assign(learning_rate)

    @property
    def lr(self) -> Any:
        return self.learning_rate

    @lr.setter
    def lr(self, learning_rate: Any) -> None:
        self.learning_rate = learning_rate

    @property
    def variables(self) -> CallableList:
        """All variables of the optimizer: the step, then the slots (also as `variables()`)."""
        return CallableList(self._variables)

    def get_weights(self) -> list[Any]:
        return [v.numpy() for v in self._variables]

    def set_weights(self, weights: Any) -> None:
        """Set the variables from arrays; ValueError before `build` or for a wrong shape."""
        if not getattr(self, "_built", False):
            raise ValueError(
                "You are calling `set_weights()` on an optimizer that has not yet been built. Please call "
                "`optimizer.build(trainable_variables)` to create the optimizer weights before calling `set_weights()`."
            )
        for variable, weight in zip(self._variables, weights, strict=False):
            if tuple(variable.shape) != tuple(weight.shape):
                raise ValueError(
                    f"Optimizer variable {variable.name} has shape {variable.shape} not compatible with provided weight shape {weight.shape}."
                )
            variable.assign(weight)

    def add_variable(self, shape: Any, dtype: Any = None, initializer: Any = "zeros", name: str | None = None) -> Any:
        """A new variable of the optimizer."""
        if isinstance(initializer, str):
            from .. import initializers

            initializer = initializers.get(initializer)
        variable = Variable(initializer(tuple(shape or ()), dtypes.as_dtype(dtype or settings.floatx)), name=name, trainable=False)
        self._variables.append(variable)
        return variable

    def add_variable_from_reference(self, model_variable: Any, variable_name: str, shape: Any = None, initial_value: Any = None) -> Any:
        """A slot for a model's variable: its dtype and shape, zeros unless `initial_value` is given."""
        dtype = getattr(model_variable, "true_dtype", model_variable.dtype)
        if initial_value is None:
            import torch

            sizes = model_variable._t.shape if shape is None else tuple(shape)
            initial_value = torch.zeros(sizes, dtype=dtype.torch, device=model_variable._t.device)
        elif isinstance(initial_value, Variable):
            initial_value = initial_value.value()
        variable = Variable(initial_value, name=f"{variable_name}/{model_variable._shared_name}", dtype=dtype, trainable=False)
        if variable._t.device != model_variable._t.device:  # beside it, wherever this runs
            variable._t = variable._t.to(model_variable._t.device)
        self._variables.append(variable)
        return variable

    def _slot_for_restore(self, variable: Any, slot: str) -> Any:
        raise ValueError(
            "You are trying to restore a checkpoint from a legacy TF-Keras optimizer into a v2.11+ Optimizer, which can cause errors. Please "
            "update the optimizer referenced in your code to be an instance of `tf.keras.optimizers.legacy.Optimizer`, e.g.: "
            f"`tf.keras.optimizers.legacy.{type(self).__name__}`."
        )

    def _var_key(self, variable: Any) -> int:
        return id(variable)

    def build(self, var_list: Any) -> None:
        """Make the slots for these variables."""
        if getattr(self, "_built", False):
            return
        if type(self).__module__.startswith("tf2compat.") and any(vars(self).get(name, 0) is None for name in ("epsilon", "beta_1", "beta_2", "rho")):
            raise ValueError("Attempt to convert a value (None) with an unsupported type (<class 'NoneType'>) to a Tensor.")
        self._index_dict = {self._var_key(v): i for i, v in enumerate(var_list)}
        self.__dict__["_built_for"] = list(var_list)  # keeps the variables, whose ids are keys
        if self.use_ema:
            self._model_variables_moving_average = [self.add_variable_from_reference(v, "average", initial_value=v) for v in var_list]

    # --- steps -------------------------------------------------------------------------------------------------------
    def update_step(self, gradient: Any, variable: Any) -> None:
        """Update one variable by one gradient."""
        if not isinstance(gradient, Tensor):
            self._update_mixed([gradient], [variable])
            return
        self._update([gradient], [variable])

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        raise NotImplementedError("An optimizer defines update_step(gradient, variable).")

    def _update_mixed(self, grads: list[Any], variables: list[Any]) -> None:
        """As `_update`, for gradients of which some are of rows."""
        if not self._only_rows():
            self._update([g if isinstance(g, Tensor) else convert_to_tensor(g) for g in grads], variables)
            return
        from ._rows import Touched, split

        grads, variables, sparse = split(grads, variables)
        if grads:
            self._update(grads, variables)
        for g, v in sparse:
            self._update([Touched(g)], [v])

    def _only_rows(self) -> bool:
        """Whether the rule can do with gradients of rows, as when a gradient of zero changes nothing."""
        return False

    def _rate(self) -> Any:
        return self.learning_rate

    def _slots(self, variables: list[Any]) -> list[list[Any]]:
        """For each slot list, the slots of these variables."""
        plan = self.__dict__.get("_plan")
        if plan is not None and len(plan[0]) == len(variables) and all(a is b for a, b in zip(plan[0], variables, strict=True)):
            return plan[1]
        index = self._index_dict
        places = []
        for v in variables:
            place = index.get(id(v))
            if place is None:
                raise KeyError(
                    f"The optimizer cannot recognize variable {v.name}. This usually means you are trying to call the optimizer to update "
                    "different parts of the model separately. Please call `optimizer.build(variables)` with the full list of trainable "
                    f"variables before the training loop or use legacy optimizer `tf.keras.optimizers.legacy.{type(self).__name__}."
                )
            places.append(place)
        slots = [[lst[p] for p in places] if lst else [] for lst in (getattr(self, n, ()) for n in self._slot_lists)]
        self.__dict__["_plan"] = (list(variables), slots)
        return slots

    def compute_gradients(self, loss: Any, var_list: Any, tape: Any = None) -> list[tuple[Any, Any]]:
        """(gradient, variable) pairs of a loss (a function, or a tensor with its tape); ValueError for a tensor without."""
        tape, loss, var_list = recorded(loss, var_list, tape)
        return list(zip(tape.gradient(loss, var_list), var_list, strict=True))

    def minimize(self, loss: Any, var_list: Any, tape: Any = None) -> None:
        """`compute_gradients` and `apply_gradients`."""
        self.apply_gradients(self.compute_gradients(loss, var_list, tape))

    def aggregate_gradients(self, grads_and_vars: Any) -> Any:
        """The gradients summed over replicas."""
        replica = strategies.replica()
        if replica is None:
            return grads_and_vars
        pairs = [(g, v) for g, v in grads_and_vars if g is not None]
        return list(zip(replica.all_reduce("SUM", [g for g, _ in pairs]), [v for _, v in pairs], strict=True)) if pairs else grads_and_vars

    def apply_gradients(self, grads_and_vars: Any, name: str | None = None, skip_gradients_aggregation: bool = False, **kwargs: Any) -> Any:
        """Update the variables of (gradient, variable) pairs; returns `iterations`.

        Pairs without a gradient are left out with a warning; ValueError when all are. KeyError for a variable that the optimizer
        was not built with.
        """
        aggregate = kwargs.pop("experimental_aggregate_gradients", True) and not skip_gradients_aggregation
        if kwargs:
            raise TypeError(f"apply_gradients() got an unexpected keyword argument '{next(iter(kwargs))}'")
        if isinstance(self.__dict__.get("_learning_rate"), LearningRateSchedule):
            self._current_learning_rate.assign(self._learning_rate(self._iterations))
        pairs = list(self.aggregate_gradients(grads_and_vars) if aggregate else grads_and_vars)
        if not pairs:
            return self._iterations
        if not getattr(self, "_built", False):
            with _scope(name or self.name):
                self.build([v for _, v in pairs])
        mixed = not all(isinstance(g, Tensor) for g, _ in pairs)
        if mixed:
            pairs = list(filter_empty_gradients(pairs))
        grads, variables = [g for g, _ in pairs], [v for _, v in pairs]
        if self.clipnorm or self.global_clipnorm or self.clipvalue:
            grads = list(self._clip_gradients(grads))
        if mixed:
            grads = [g if isinstance(g, (Tensor, IndexedSlices)) else convert_to_tensor(g) for g in grads]
        if len({id(v) for v in variables}) == len(variables):
            if self.weight_decay is not None:
                self._apply_weight_decay(variables)
            with flushed():
                self._apply(grads, variables, mixed)
        else:  # a variable that comes again is updated again, after the others
            from ._rows import in_turn

            turns = in_turn(grads, variables)
            if self.weight_decay is not None:
                for _, some in turns:
                    self._apply_weight_decay(some)
            for turn, (some_grads, some) in enumerate(turns):
                self._again = turn > 0
                with flushed():
                    self._apply(some_grads, some, mixed)
            self._again = False
        rules.count(self._iterations)
        for v in variables:
            if v._constraint is not None:
                v.assign(v._constraint(v))
        return self._iterations

    def _apply(self, grads: list[Any], variables: list[Any], mixed: bool) -> None:
        """Update variables, each of which comes once, by gradients, and follow them with averages."""
        if type(self).update_step is not Optimizer.update_step:
            self._slots(variables)
            if mixed:
                from ._rows import unique

                grads = unique(grads)
            for g, v in zip(grads, variables, strict=True):
                self.update_step(g, v)
        else:
            update = self._update_mixed if mixed else self._update
            first = variables[0]._dtype
            if all(v._dtype is first for v in variables):
                update(grads, variables)
            else:
                for dtype in {id(v._dtype): v._dtype for v in variables}.values():
                    some = [i for i, v in enumerate(variables) if v._dtype is dtype]
                    update([grads[i] for i in some], [variables[i] for i in some])
        if self.use_ema:
            self._update_averages(variables)

    def _clip_gradients(self, grads: list[Any]) -> Any:
        import tf2compat as tf

        if self.clipnorm and self.clipnorm > 0:
            return [g if g is None else tf.clip_by_norm(g, self.clipnorm) for g in grads]
        if self.global_clipnorm and self.global_clipnorm > 0:
            return tf.clip_by_global_norm(grads, self.global_clipnorm)[0]
        if self.clipvalue and self.clipvalue > 0:
            return [g if g is None else tf.clip_by_value(g, -self.clipvalue, self.clipvalue) for g in grads]
        return grads

    # --- weight decay and averages -----------------------------------------------------------------------------------
    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        """Leave variables (or those whose names match patterns) out of weight decay; before `build` only."""
        if getattr(self, "_built", False):
            raise ValueError("`exclude_from_weight_decay()` can only be configued before the optimizer is built.")
        self.__dict__["_no_decay"] = list(var_list or ())
        self.__dict__["_no_decay_names"] = list(var_names or ())

    def _use_weight_decay(self, variable: Any) -> bool:
        if any(variable is v for v in self.__dict__.get("_no_decay", ())):
            return False
        return not any(re.search(n, variable.name) for n in self.__dict__.get("_no_decay_names", ()))

    def _apply_weight_decay(self, variables: list[Any]) -> None:
        if not self.weight_decay:
            return
        decayed = [v for v in variables if self._use_weight_decay(v)]
        if decayed:
            rules.weight_decay(decayed, self._rate(), self.weight_decay)

    def _update_averages(self, variables: list[Any]) -> None:
        averages = [self._model_variables_moving_average[self._index_dict[id(v)]] for v in variables]
        rules.moving_average(averages, variables, self.ema_momentum)
        if self.ema_overwrite_frequency:
            if state.local.graph is None:
                if (int(self._iterations) + 1) % self.ema_overwrite_frequency == 0:
                    self.finalize_variable_values(variables)
            else:
                from tf2compat import cond

                due = (self._iterations + 1) % self.ema_overwrite_frequency == 0
                cond(due, lambda: self.finalize_variable_values(variables), lambda: None)

    def finalize_variable_values(self, var_list: Any) -> None:
        """Set the variables to their moving averages, when there are any (`use_ema`)."""
        if self.use_ema:
            for v in var_list:
                v.assign(self._model_variables_moving_average[self._index_dict[id(v)]])

    # --- configuration -----------------------------------------------------------------------------------------------
    def _serialize_hyperparameter(self, value: Any) -> Any:
        if isinstance(value, LearningRateSchedule):
            from . import schedules

            return schedules.serialize(value)
        if isinstance(value, Variable):
            return value.numpy()
        if callable(value):
            return value()
        return value

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            "name": self.name, "weight_decay": self.weight_decay, "clipnorm": self.clipnorm, "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue, "use_ema": self.use_ema, "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency, "jit_compile": self.jit_compile, "is_legacy_optimizer": False,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        rate = config.get("learning_rate")
        if isinstance(rate, dict):
            from . import schedules

            config = config | {"learning_rate": schedules.deserialize(rate, custom_objects=custom_objects)}
        return cls(**config)

    def save_own_variables(self, store: Any) -> None:
        """Put the optimizer's variables into `store` under "0", "1", …"""
        for i, v in enumerate(self._variables):
            store[str(i)] = v.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Take the variables from `store`; a logged warning, and nothing done, when their number differs."""
        if len(store.keys()) != len(self._variables):
            log.warning(
                "Skipping variable loading for optimizer '%s', because it has %d variables whereas the saved optimizer has %d variables. ",
                self.name, len(self._variables), len(store.keys()),
            )  # fmt: skip
            return
        for i, v in enumerate(self._variables):
            v.assign(store[str(i)])


class _scope(state.outside):  # noqa: N801 - a context manager used like a function
    """What is made inside is made outside of functions and tapes, under names that begin with the optimizer's in the scope around it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        names = [*state.local.names, self.name]
        super().__enter__()
        state.local.names = names
