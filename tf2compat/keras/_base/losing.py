"""Losses and metrics that layers add by themselves: `add_loss`, `add_metric`, regularizers."""

from __future__ import annotations

from typing import Any

from tf2compat._engine import nest, state
from tf2compat._engine.convert import convert_to_tensor
from tf2compat._engine.tensor import Tensor

from .context import calling


class Losing:
    """The part of a layer that adds losses and metrics."""

    def _start_losses(self, activity_regularizer: Any) -> None:
        d = self.__dict__
        if isinstance(activity_regularizer, (str, dict)):
            from .. import regularizers

            activity_regularizer = regularizers.get(activity_regularizer)
        d["_activity_regularizer"] = activity_regularizer
        #: functions without arguments; (weight's regularizers, `add_loss(lambda: …)`)
        d["_callable_losses"] = []
        #: tensors of the latest call
        d["_call_losses"] = []
        #: what calls on symbolic tensors would have added: one for each call, of graphs that are never run
        d["_symbolic_losses"] = []

    @property
    def activity_regularizer(self) -> Any:
        """A function of the layer's output whose result is added to the losses."""
        return self._activity_regularizer

    @activity_regularizer.setter
    def activity_regularizer(self, value: Any) -> None:
        self.__dict__["_activity_regularizer"] = value

    def _add_weight_loss(self, variable: Any, regularizer: Any) -> None:
        self._callable_losses.append(_floating(lambda: regularizer(variable)))

    def _add_activity_loss(self, inputs: Any, outputs: Any) -> None:
        from tf2compat import cast, shape
        from tf2compat.math import divide_no_nan

        names = state.local.names
        names.append("ActivityRegularizer")
        try:
            for out in nest.flatten(outputs):
                loss = self._activity_regularizer(out)
                batch = cast(shape(out)[0], getattr(loss, "dtype", None) or "float32")  # the function may return a Python number
                self.add_loss(divide_no_nan(loss, batch, name="div_no_nan"))  # a batch may be empty
        finally:
            names.pop()

    @property
    def losses(self) -> list[Any]:
        """The losses of this layer and its sublayers: those of the latest call, and the regularizers' at present.

        Of a layer that was only connected in a functional model yet they are symbols, one for each time.
        """
        return self._all_losses(symbols=True)

    def _all_losses(self, symbols: bool, functions: bool = True) -> list[Any]:
        found: list[Any] = []
        for layer in self._flatten_layers():  # type: ignore[attr-defined]
            found.extend(layer.__dict__.get("_call_losses") or (layer.__dict__.get("_symbolic_losses") if symbols else None) or ())
            for fn in layer.__dict__.get("_callable_losses", ()) if functions else ():
                loss = fn()
                if loss is not None:
                    found.append(loss)
        return found

    def add_loss(self, losses: Any, **kwargs: Any) -> None:
        """Add a scalar tensor that depends on the call's inputs, or a function without arguments.

        In a functional model a symbolic tensor may be given, outside of `call`. TypeError for an unknown keyword.
        """
        kwargs.pop("inputs", None)
        if kwargs:
            raise TypeError(f"Unknown keyword arguments: {kwargs.keys()}")
        for loss in nest.flatten(losses):
            if loss is None:
                continue
            if callable(loss) and not isinstance(loss, Tensor):
                self._callable_losses.append(_floating(loss))
                continue
            if hasattr(type(loss), "_is_keras_tensor"):
                self._add_symbolic_loss(loss)
                continue
            if calling.inferring and not calling.connecting:
                continue
            if _outside_calls():
                raise ValueError(
                    "Expected a symbolic Tensors or a callable for the loss value. Please wrap your loss computation in a zero argument `lambda`."
                )
            if not isinstance(loss, Tensor):
                loss = convert_to_tensor(loss, "float32") if isinstance(loss, (int, float)) else convert_to_tensor(loss)
            if calling.inferring:
                self._symbolic_losses.append(loss)
                continue
            self._call_losses.append(loss)
            calling.lossy = True

    def _add_symbolic_loss(self, loss: Any) -> None:
        self._symbolic_losses.append(loss)

    def _clear_losses(self) -> None:
        for layer in self._flatten_layers():  # type: ignore[attr-defined]
            layer.__dict__["_call_losses"] = []

    # --- metrics -----------------------------------------------------------------------------------------------------
    @property
    def metrics(self) -> list[Any]:
        """The metrics of this layer and its sublayers."""
        found: list[Any] = []
        for layer in self._flatten_layers():  # type: ignore[attr-defined]
            for m in layer.__dict__.get("_metrics", ()):
                if not any(m is f for f in found):
                    found.append(m)
        return found

    def add_metric(self, value: Any, name: str | None = None, **kwargs: Any) -> None:
        """Record a tensor (its mean over batches), or the result of a Metric object, under `name`.

        ValueError without a name for a tensor; TypeError for unknown keywords.
        """
        unknown = [k for k in kwargs if k not in ("aggregation", "inputs")]
        if unknown or len(kwargs) > 2:
            raise TypeError(f"Unknown keyword arguments: {kwargs.keys()}. Expected `aggregation`.")
        of_metric = calling.measured[1] if calling.measured[0] is value else None
        symbolic = hasattr(type(value), "_is_keras_tensor")
        if name is None and of_metric is None:
            raise ValueError(
                "Please provide a name for your metric like `self.add_metric(tf.reduce_sum(inputs), name='mean_activation')`"
            )
        if name is None:
            name = of_metric.name
        if symbolic:
            self._add_symbolic_metric(value, name)
            return
        if _outside_calls():
            raise ValueError(f"Expected a symbolic Tensor for the metric value, received: {value}")
        named = [m for m in self._metrics if m.name == name]  # type: ignore[attr-defined]
        if len(named) > 1:
            raise ValueError(
                "Please provide different names for the metrics you have added. We found {} metrics with the name: \"{}\"".format(len(named), name)
            )
        found = named[0] if named else None
        if of_metric is not None:
            if found is None:
                self._metrics.append(of_metric)  # type: ignore[attr-defined]
            return
        if found is None:
            from ..metrics import Mean

            with state.outside():
                found = Mean(name=name, dtype=value.dtype.name if hasattr(value, "dtype") else None)
            self._metrics.append(found)  # type: ignore[attr-defined]
        if not calling.inferring:
            found._updating()(value)

    def _add_symbolic_metric(self, value: Any, name: str) -> None:
        raise ValueError(
            f"Using the result of calling a `Metric` object or a symbolic tensor in `add_metric` works only on a functional model. "
            f"Received: {value}"
        )

    @property
    def updates(self) -> list[Any]:
        """Empty: updates happen when the layer is called."""
        return []

    def add_update(self, updates: Any) -> None:
        """Run `updates` now if they are functions and the layer is trainable: updates need no registration in TensorFlow 2."""
        frozen = not self.trainable  # type: ignore[attr-defined]
        for u in nest.flatten(updates):
            if callable(u) and not isinstance(u, Tensor) and not frozen:
                u()


def _outside_calls() -> bool:
    """Whether no layer is being called, nor a function traced: what is given then would be of no call."""
    return calling.depth == 0 and not calling.inferring and state.local.graph is None


def _floating(fn: Any) -> Any:
    def tagged() -> Any:
        loss = fn()
        if loss is None:
            return None
        return loss if isinstance(loss, Tensor) or hasattr(loss, "dtype") else convert_to_tensor(loss, "float32")

    return tagged
