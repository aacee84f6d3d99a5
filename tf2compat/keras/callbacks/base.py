"""`Callback`, the list that calls them, `History` and the progress bar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tf2compat._engine import nest
from tf2compat._engine.tensor import Tensor
from tf2compat._engine.variable import Variable

from .._base.progress import Progbar


class Callback:
    """Base of callbacks (`tf.keras.callbacks.Callback`): override what should happen when."""

    def __init__(self) -> None:
        self.validation_data: Any = None
        self.model: Any = None
        self.params: Any = None
        self._supports_tf_logs = False

    def set_params(self, params: Any) -> None:
        self.params = params

    def set_model(self, model: Any) -> None:
        self.model = model

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Alias of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Alias of `on_train_batch_end`."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Before an epoch of training."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """After an epoch; `logs` hold the losses and metrics, validation's with the prefix `val_`."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of training."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of training."""
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of evaluation."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of evaluation."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of prediction."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of prediction; `logs["outputs"]` holds what came out."""

    def on_train_begin(self, logs: Any = None) -> None:
        """Before training."""

    def on_train_end(self, logs: Any = None) -> None:
        """After training."""

    def on_test_begin(self, logs: Any = None) -> None:
        """Before evaluation."""

    def on_test_end(self, logs: Any = None) -> None:
        """After evaluation."""

    def on_predict_begin(self, logs: Any = None) -> None:
        """Before prediction."""

    def on_predict_end(self, logs: Any = None) -> None:
        """After prediction."""


def to_host(logs: Any) -> dict[str, Any]:
    """Logs with Python numbers and arrays."""
    return {k: nest.map_structure(_plain, v) for k, v in (logs or {}).items()}


def _plain(value: Any) -> Any:
    if not isinstance(value, (Tensor, Variable)):
        return value
    array = np.asarray(value.numpy())
    return array.item() if array.ndim == 0 else array


def _overrides(callback: Any, *names: str) -> bool:
    return any(n in callback.__dict__ or getattr(type(callback), n, None) is not getattr(Callback, n) for n in names)


_OF_BATCHES = (
    "on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end", "on_test_batch_begin", "on_test_batch_end",
    "on_predict_batch_begin", "on_predict_batch_end",
)  # fmt: skip


class CallbackList:
    """Several callbacks as one (`tf.keras.callbacks.CallbackList`)."""

    def __init__(self, callbacks: Any = None, add_history: bool = False, add_progbar: bool = False, model: Any = None, **params: Any) -> None:
        from .progbar import ProgbarLogger

        found = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks] if callbacks is not None else []
        self.callbacks: list[Any] = found
        self._progbar = next((c for c in found if isinstance(c, ProgbarLogger)), None)
        self._history = next((c for c in found if isinstance(c, History)), None)
        if self._history is None and add_history:
            self._history = History()
            self.callbacks.append(self._history)
        if self._progbar is None and add_progbar:
            self._progbar = ProgbarLogger(count_mode="steps")
            self.callbacks.append(self._progbar)
        self.model: Any = None
        self.params: Any = None
        if model is not None:
            self.set_model(model)
        if params:
            self.set_params(params)
        self._sort()

    def _sort(self) -> None:
        """Which callbacks are called for batches, and whether they take tensors."""
        self._at_train_batch = [c for c in self.callbacks if _overrides(c, "on_train_batch_end", "on_batch_end")]
        self._at_batches = [c for c in self.callbacks if _overrides(c, *_OF_BATCHES)]
        self._before_train_batch = [c for c in self.callbacks if _overrides(c, "on_train_batch_begin", "on_batch_begin")]
        self._tensors_everywhere = all(getattr(c, "_supports_tf_logs", False) for c in self.callbacks)
        self._tensors_in_batches = all(getattr(c, "_supports_tf_logs", False) for c in self._at_batches)

    def append(self, callback: Any) -> None:
        self.callbacks.append(callback)
        self._sort()

    def set_params(self, params: Any) -> None:
        self.params = params
        for c in self.callbacks:
            c.set_params(params)

    def set_model(self, model: Any) -> None:
        self.model = model
        if self._history is not None:
            model.__dict__["history"] = self._history
        for c in self.callbacks:
            c.set_model(model)

    def _processed(self, logs: Any, batch: bool = False) -> Any:
        """The logs that all callbacks get: as they are where those that get them take tensors, else with Python numbers."""
        if logs is None:
            return {}
        return logs if (self._tensors_in_batches if batch else self._tensors_everywhere) else to_host(logs)

    def _each(self, method: str, *args: Any) -> None:
        for c in self.callbacks:
            getattr(c, method)(*args)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self._before_train_batch:
            logs = self._processed(logs, batch=True)
            for c in self._before_train_batch:
                c.on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._at_train_batch:
            logs = self._processed(logs, batch=True)
            for c in self._at_train_batch:
                c.on_train_batch_end(batch, logs)

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.on_train_batch_begin(batch, logs)

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self.on_train_batch_end(batch, logs)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._each("on_epoch_begin", epoch, self._processed(logs))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._each("on_epoch_end", epoch, self._processed(logs))

    def on_train_begin(self, logs: Any = None) -> None:
        self._each("on_train_begin", self._processed(logs))

    def on_train_end(self, logs: Any = None) -> None:
        self._each("on_train_end", self._processed(logs))

    def on_test_begin(self, logs: Any = None) -> None:
        self._each("on_test_begin", self._processed(logs))

    def on_test_end(self, logs: Any = None) -> None:
        self._each("on_test_end", self._processed(logs))

    def on_predict_begin(self, logs: Any = None) -> None:
        self._each("on_predict_begin", self._processed(logs))

    def on_predict_end(self, logs: Any = None) -> None:
        self._each("on_predict_end", self._processed(logs))

    def _batch(self, method: str, batch: int, logs: Any) -> None:
        """A hook of a batch, for the callbacks that have one."""
        having = [c for c in self._at_batches if _overrides(c, method)]
        if having:
            logs = self._processed(logs, batch=True)
            for c in having:
                getattr(c, method)(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._batch("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self._batch("on_test_batch_end", batch, logs)

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._batch("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self._batch("on_predict_batch_end", batch, logs)

    def __iter__(self) -> Any:
        return iter(self.callbacks)


class History(Callback):
    """Records the logs of every epoch in `history` (`tf.keras.callbacks.History`); `fit` returns it."""

    def __init__(self) -> None:
        super().__init__()
        self._supports_tf_logs = True
        self.history: dict[str, list[Any]] = {}

    def on_train_begin(self, logs: Any = None) -> None:
        self.epoch: list[int] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epoch.append(epoch)
        for k, v in (logs or {}).items():
            self.history.setdefault(k, []).append(v)
        self.model.__dict__["history"] = self


class LambdaCallback(Callback):
    """A callback made of functions (`tf.keras.callbacks.LambdaCallback`)."""

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_batch_begin: Callable[..., Any] | None = None,
        on_batch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.__dict__.update(kwargs)
        given = {
            "on_epoch_begin": on_epoch_begin, "on_epoch_end": on_epoch_end, "on_train_begin": on_train_begin, "on_train_end": on_train_end,
            "on_batch_begin": on_batch_begin, "on_batch_end": on_batch_end,
        }  # fmt: skip
        for name, fn in given.items():
            if fn is not None:
                setattr(self, name, fn)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.on_batch_end(batch, logs)


__all__ = ["Callback", "CallbackList", "History", "LambdaCallback", "Progbar", "to_host"]
