"""How legacy optimizers of programs say their own steps: one variable after another, with the numbers of the step prepared once.

The optimizers of this package update all variables by one call. A program's class that redefines one of `PROTOCOL`, derived from the base or
from one of these, or that wraps one of them, goes through the methods below instead, as in Keras.
"""

from __future__ import annotations

import inspect
from typing import Any

from tf2compat._engine import state, strategies
from tf2compat._engine.convert import convert_to_tensor
from tf2compat._engine.slices import deduplicated
from tf2compat._engine.variable import Variable

from ...indexed_slices import IndexedSlices

#: the methods by which a class changes its steps
PROTOCOL = (
    "_prepare", "_prepare_local", "_fallback_apply_state", "_distributed_apply", "_resource_apply_dense", "_resource_apply_sparse",
    "_resource_apply_sparse_duplicate_indices", "_resource_scatter_add",
)  # fmt: skip


class Coefficients(dict):
    """The numbers of a step for one device and dtype, by name. `made` holds those that the rules of this package give: a rule takes the
    learning rate from here, but cannot take others that a class has put in their place."""

    made: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.made = {}

    def give(self, numbers: dict[str, Any]) -> None:
        self.update(numbers)
        self.made.update(numbers)

    def check(self, optimizer: Any) -> None:
        for name, value in self.made.items():
            if name != "lr_t" and self.get(name) is not value:
                raise NotImplementedError(
                    f"{type(optimizer).__name__} changes {name!r} of `apply_state`, which the rule that it inherits takes from the "
                    "hyperparameter: only 'lr_t' can be changed. Set the hyperparameter, or define _resource_apply_dense."
                )


class OneByOne:
    """The methods of `PROTOCOL` and what own steps are written with."""

    #: whether a class of a program changes the steps
    _own_steps = False
    _HAS_AGGREGATE_GRAD = True
    _use_locking = True
    #: the number that the rule takes its learning rate from for gradients of rows
    _rate_of_rows = "lr_t"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._own_steps = any(not (getattr(cls, name).__module__ or "").startswith("tf2compat.") for name in PROTOCOL)

    def _find_arguments(self) -> None:
        """Older classes define their steps without `apply_state`."""
        for name, method in (("_dense_apply_args", "_resource_apply_dense"), ("_sparse_apply_args", "_resource_apply_sparse")):
            self.__dict__[name] = inspect.getfullargspec(getattr(self, method)).args

    # --- the numbers of a step -----------------------------------------------------------------------------------------
    def _numbers(self, dtype: Any, lr_t: Any) -> dict[str, Any]:
        """What the rule of this class works with beside `lr_t`, under Keras' names."""
        return {}

    def _prepare(self, var_list: Any) -> dict[Any, Any]:
        from tf2compat import device

        self.__dict__["_again"] = False
        found: dict[Any, Any] = {}
        for var in var_list:
            key = (var.device, var.dtype.base_dtype)
            if key not in found:
                found[key] = Coefficients()
                with device(key[0]):
                    self._prepare_local(*key, found)
        return found

    def _prepare_local(self, var_device: Any, var_dtype: Any, apply_state: Any) -> None:
        """Put the numbers of the step for one device and dtype under (device, dtype)."""
        if "learning_rate" not in self._hyper:  # type: ignore[attr-defined]
            return
        from tf2compat import identity

        lr_t = identity(self._decayed_lr(var_dtype))  # type: ignore[attr-defined]
        numbers = {"lr_t": lr_t, **self._numbers(var_dtype, lr_t)}
        coefficients = apply_state[var_device, var_dtype]
        coefficients.give(numbers) if isinstance(coefficients, Coefficients) else coefficients.update(numbers)

    def _fallback_apply_state(self, var_device: Any, var_dtype: Any) -> Any:
        found = {(var_device, var_dtype): Coefficients()}
        self._prepare_local(var_device, var_dtype, found)
        return found[var_device, var_dtype]

    # --- steps ---------------------------------------------------------------------------------------------------------
    def _distributed_apply(self, distribution: Any, grads_and_vars: Any, apply_state: Any, name: str | None = None) -> Any:
        """Update each variable by its gradient, keep its constraint, and count the step."""
        dense = {"apply_state": apply_state} if "apply_state" in self._dense_apply_args else {}  # type: ignore[attr-defined]
        sparse = {"apply_state": apply_state} if "apply_state" in self._sparse_apply_args else {}  # type: ignore[attr-defined]
        for grad, var in grads_and_vars:
            if isinstance(grad, IndexedSlices):
                if var.constraint is not None:
                    raise RuntimeError(
                        f"Cannot use a constraint function on a sparse variable. Received: grad={grad}, var.constraint={var.constraint}."
                    )
                self._resource_apply_sparse_duplicate_indices(grad.values, var, grad.indices, **sparse)
                continue
            self._resource_apply_dense(grad, var, **dense)
            if var.constraint is not None:
                var.assign(var.constraint(var))
        return self.iterations.assign_add(1)  # type: ignore[attr-defined]

    def _step_by_step(self, pairs: list[tuple[Any, Any]], apply_state: Any, name: str | None) -> None:
        from tf2compat import name_scope

        pairs = [(g if isinstance(g, IndexedSlices) else convert_to_tensor(g), v) for g, v in pairs]
        with name_scope(name or self._name):  # type: ignore[attr-defined]
            self._distributed_apply(strategies.current(), pairs, apply_state, name)

    def _at_rate_of(self, var: Any, apply_state: Any, rows: bool) -> Any:
        """The learning rate that a step was given, in the variable that the rules take; None for the optimizer's own."""
        key = (var.device, var.dtype.base_dtype)
        found = (apply_state or {}).get(key) or self._fallback_apply_state(*key)
        if isinstance(found, Coefficients):
            found.check(self)
            if found["lr_t"] is found.made.get("lr_t") or (rows and self._rate_of_rows != "lr_t"):
                return None
        rates = self.__dict__.setdefault("_given_rates", {})
        rate = rates.get(key)
        if rate is None:
            with state.outside():
                rate = rates[key] = Variable(0.0, dtype=key[1], trainable=False)
        rate.assign(found["lr_t"])
        return rate

    def _resource_apply_dense(self, grad: Any, var: Any, apply_state: Any = None) -> Any:
        """Update one variable, by the rule of the class."""
        self._by_rule(grad, var, apply_state)

    def _resource_apply_sparse(self, grad: Any, var: Any, indices: Any, apply_state: Any = None) -> Any:
        """Update the rows of one variable that `indices` tell, each once."""
        self._by_rule(IndexedSlices(grad, indices, convert_to_tensor(var.shape.as_list())), var, apply_state)

    def _resource_apply_sparse_duplicate_indices(self, grad: Any, var: Any, indices: Any, **kwargs: Any) -> Any:
        """As `_resource_apply_sparse`, which is given the sums of the rows that come several times."""
        once = deduplicated(IndexedSlices(grad, indices))
        return self._resource_apply_sparse(once.values, var, once.indices, **kwargs)

    def _by_rule(self, grad: Any, var: Any, apply_state: Any) -> None:
        from .legacy import Optimizer, update_rows

        if type(self)._update is Optimizer._update:  # type: ignore[attr-defined]
            raise NotImplementedError("Must be implemented in subclasses.")
        self.__dict__["_given_rate"] = self._at_rate_of(var, apply_state, isinstance(grad, IndexedSlices))
        try:
            update_rows(self, [grad], [var])
        finally:
            self.__dict__["_given_rate"] = None
        self.__dict__["_again"] = True

    # --- what own steps are written with ---------------------------------------------------------------------------------
    def _resource_scatter_add(self, x: Any, i: Any, v: Any) -> Any:
        """Add rows to a variable; returns its value then."""
        x.scatter_add(IndexedSlices(v, i))
        return x.value()

    def _resource_scatter_update(self, x: Any, i: Any, v: Any) -> Any:
        """Set rows of a variable; returns its value then."""
        x.scatter_update(IndexedSlices(v, i))
        return x.value()

    def _call_if_callable(self, param: Any) -> Any:
        return param() if callable(param) else param

    def _valid_dtypes(self) -> set[Any]:
        from tf2compat import bfloat16, complex64, complex128, float16, float32, float64

        return {float16, bfloat16, float32, float64, complex64, complex128}

    def _assert_valid_dtypes(self, tensors: Any) -> None:
        """ValueError for a tensor of a dtype that `_valid_dtypes` does not name."""
        valid = self._valid_dtypes()
        for t in tensors:
            if t.dtype.base_dtype not in valid:
                raise ValueError(f"Invalid type {t.dtype.base_dtype} for {t.name}, expected: {list(valid)}.")
