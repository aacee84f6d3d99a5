"""The loss scale optimizer around a legacy optimizer, which is a legacy optimizer itself."""

from __future__ import annotations

from typing import Any

from . import legacy, loss_scale


class LossScaleOptimizer(loss_scale.LossScaleOptimizer, legacy.Optimizer):
    """Around a legacy optimizer, whose methods it has."""

    _inner_names = frozenset(("clipnorm", "clipvalue", "global_clipnorm"))

    def _compute_gradients(self, loss: Any, var_list: Any, grad_loss: Any = None, tape: Any = None) -> Any:
        from tf2compat import GradientTape

        tape = GradientTape() if tape is None else tape
        with tape:
            loss = self.get_scaled_loss(loss)
        pairs = self._optimizer._compute_gradients(loss, var_list, grad_loss, tape=tape)
        return list(zip(self.get_unscaled_gradients([g for g, _ in pairs]), [v for _, v in pairs], strict=True))

    def get_gradients(self, loss: Any, params: Any) -> Any:
        """RuntimeError, as in eager Keras: use a GradientTape."""
        return self.get_unscaled_gradients(self._optimizer.get_gradients(self.get_scaled_loss(loss), params))

    def apply_gradients(self, grads_and_vars: Any, name: str | None = None, experimental_aggregate_gradients: bool = True) -> Any:
        """A step of the inner optimizer, unless a gradient is infinite or NaN."""
        inner = self._optimizer

        def aggregated(pairs: Any) -> Any:
            return inner._aggregate_gradients(inner._transform_unaggregated_gradients(pairs))

        def apply(pairs: Any) -> Any:
            return inner.apply_gradients(pairs, name=name, experimental_aggregate_gradients=False)

        return self._guarded(grads_and_vars, aggregated if experimental_aggregate_gradients else list, apply)

    def _make_weights(self, variables: Any) -> None:
        self._optimizer._create_all_weights(variables)

    _create_all_weights = _make_weights

    @property
    def variables(self) -> Any:
        """The inner optimizer's variables."""
        return self._optimizer.variables

    @property
    def weights(self) -> Any:
        """The inner optimizer's variables."""
        return self._optimizer.weights

    def get_weights(self) -> list[Any]:
        return self._optimizer.get_weights()

    def set_weights(self, weights: Any) -> None:
        self._optimizer.set_weights(weights)

    def get_slot_names(self) -> list[str]:
        """The names of the inner optimizer's slots."""
        return self._optimizer.get_slot_names()

    def get_slot(self, var: Any, slot_name: str) -> Any:
        """A slot of the inner optimizer."""
        return self._optimizer.get_slot(var, slot_name)

    def add_slot(self, var: Any, slot_name: str, initializer: Any = "zeros", shape: Any = None) -> Any:
        """Make a slot of the inner optimizer."""
        return self._optimizer.add_slot(var, slot_name, initializer, shape)

    def _slots_for_save(self) -> Any:
        return self._optimizer._slots_for_save()
