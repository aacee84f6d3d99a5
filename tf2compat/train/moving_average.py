"""`tf.train.ExponentialMovingAverage`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tf2compat._engine import dtypes, state
from tf2compat._engine.tensor import Tensor, wrap
from tf2compat._engine.variable import Variable


class ExponentialMovingAverage:
    """Shadow variables that follow variables slowly (`tf.train.ExponentialMovingAverage`).

    `apply` makes them (equal to the variables) on its first call and moves them: `shadow -= (1 - decay) * (shadow - variable)`. With
    `num_updates` the decay is `min(decay, (1 + num_updates) / (10 + num_updates))`.
    """

    def __init__(self, decay: Any, num_updates: Any = None, zero_debias: bool = False, name: str = "ExponentialMovingAverage") -> None:
        self._decay = decay
        self._num_updates = num_updates
        self._zero_debias = zero_debias
        self._name = name
        self._averages: dict[Any, Variable] = {}
        self._steps: dict[Any, Variable] = {}

    @property
    def name(self) -> str:
        return self._name

    def _shadow(self, variable: Variable) -> Variable:
        key = variable.ref()
        if key not in self._averages:
            with state.outside():
                initial = variable.value() * 0 if self._zero_debias else variable.value()
                shadow = Variable(initial, trainable=False, name=f"{variable._shared_name}/{self._name}")
                if self._zero_debias:
                    self._steps[key] = Variable(0.0, dtype=dtypes.float32, trainable=False, name=f"{shadow._shared_name}/local_step")
            self._averages[key] = shadow
        return self._averages[key]

    def apply(self, var_list: Sequence[Variable] | None = None) -> None:
        """Moves the shadows of the variables.

        Raises ValueError without variables, and TypeError for something that is not a variable of a floating dtype.
        """
        if var_list is None:
            raise ValueError("ExponentialMovingAverage.apply needs a list of variables: there is no collection of all variables in TensorFlow 2.")
        decay = wrap_number(self._decay)
        if self._num_updates is not None:
            count = wrap_number(self._num_updates)
            from tf2compat import math

            decay = math.minimum(decay, (1.0 + count) / (10.0 + count))
        for variable in var_list:
            if not isinstance(variable, Variable) or variable.dtype not in dtypes.FLOATS:
                kind = getattr(variable, "dtype", type(variable).__name__)
                raise TypeError(f"The variables must be half, float, or double: {getattr(variable, 'name', variable)} is {kind}.")
            shadow = self._shadow(variable)
            from tf2compat import cast

            rate = cast(1.0 - decay, variable.dtype)
            shadow.assign_sub((shadow - variable) * rate)
            if self._zero_debias:
                self._steps[variable.ref()].assign_add(1.0)

    def average(self, var: Variable) -> Any:
        """The shadow of a variable (with `zero_debias`, its corrected value), or None before `apply`."""
        shadow = self._averages.get(var.ref())
        if shadow is None or not self._zero_debias:
            return shadow
        from tf2compat import cast

        steps = self._steps[var.ref()]
        return shadow / cast(1.0 - wrap_number(self._decay) ** steps, var.dtype)

    def average_name(self, var: Variable) -> str:
        """The name of a variable's shadow."""
        return f"{var._shared_name}/{self._name}"

    def variables_to_restore(self, moving_avg_variables: Sequence[Variable] | None = None) -> dict[str, Variable]:
        """Names under which a name-based checkpoint holds the values to restore the variables with: their shadows'."""
        if moving_avg_variables is None:
            raise ValueError("variables_to_restore needs the variables: there is no collection of all variables in TensorFlow 2.")
        return {self.average_name(variable): variable for variable in moving_avg_variables}


def wrap_number(value: Any) -> Tensor:
    """A number, tensor or variable as a float32 tensor."""
    from tf2compat import cast, convert_to_tensor

    if isinstance(value, (int, float)):
        import torch

        return wrap(torch.tensor(float(value)))
    return cast(convert_to_tensor(value), dtypes.float32)
