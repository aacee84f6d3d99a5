"""Optimizers of loaded SavedModels: their variables, with which the loaded functions train."""

from __future__ import annotations

from typing import Any

from tf2compat._engine.variable import Variable
from tf2compat.saved_model._objects import UserObject


class RestoredOptimizer(UserObject):
    """What `tf.saved_model.load` gives in the place of an optimizer: `iterations`, `learning_rate` and `variables`, and no rule to step by."""

    _is_keras_optimizer = True
    _saved_as = "experimentalOptimizer"

    def _first(self, *names: str) -> Variable | None:
        edges = self._tracked().edges
        return next((edges[n] for n in names if isinstance(edges.get(n), Variable)), None)

    @property
    def iterations(self) -> Any:
        """How many steps were made."""
        found = self._first("_iterations", "iter")
        if found is None:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute 'iterations'")
        return found

    @property
    def learning_rate(self) -> Any:
        """The variable of the rate. ValueError where a schedule, which is not saved, said it."""
        found = self._first("_learning_rate", "learning_rate")
        if found is None:
            raise ValueError("Missing learning rate, please set self.learning_rate at optimizer creation time.")
        return found

    lr = learning_rate

    @property
    def variables(self) -> Any:
        """The count of steps and what was kept for each variable."""
        from .optimizer import CallableList

        edges = self._tracked().edges
        listed = edges.get("_variables")
        if isinstance(listed, list):
            return CallableList([v for v in listed if isinstance(v, Variable)])
        rates = {id(edges.get(n)) for n in ("_learning_rate", "_current_learning_rate")}
        found = [v for v in self._held_variables() if id(v) not in rates]
        return CallableList([*found, *(value for _, _, value in self._slots_for_save())])

    def get_config(self) -> dict[str, Any]:
        """NotImplementedError: of the rule nothing was saved."""
        raise NotImplementedError("Restoring functional Optimizers from SavedModels is not currently supported.")

    def apply_gradients(self, grads_and_vars: Any, name: str | None = None, **kwargs: Any) -> None:
        """NotImplementedError: of the rule nothing was saved."""
        raise NotImplementedError("An optimizer that was restored from a SavedModel has no rule of its own: the loaded functions train with it.")
