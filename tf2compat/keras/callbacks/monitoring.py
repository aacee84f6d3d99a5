"""Callbacks that watch a quantity: stopping early, lowering the learning rate, keeping the best weights."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from tf2compat._engine.logs import get_logger

from .._base.saying import say
from .base import Callback

log = get_logger()


def comparison(mode: str, monitor: str, what: str) -> tuple[Any, float]:
    """(better-than function, worst value) for a mode; "auto" goes by the quantity's name."""
    if mode not in ("auto", "min", "max"):
        log.warning("%s mode %s is unknown, fallback to auto mode.", what, mode)
        mode = "auto"
    if mode == "min":
        return np.less, np.inf
    if mode == "max":
        return np.greater, -np.inf
    if what == "EarlyStopping":
        up = monitor.endswith(("acc", "accuracy", "auc"))
    else:
        up = "acc" in monitor or (what == "ModelCheckpoint" and monitor.startswith("fmeasure"))
    if up:
        return np.greater, -np.inf
    return np.less, np.inf


def _rate(optimizer: Any) -> Any:
    """The learning rate as a NumPy number of its dtype, as Keras logs it."""
    return np.asarray(optimizer.lr)[()]


def set_rate(optimizer: Any, value: Any) -> None:
    """Set the learning rate; of an optimizer that a schedule decides on, until its next step."""
    if hasattr(optimizer, "_current_learning_rate"):
        optimizer.lr.assign(value)
    else:
        optimizer.lr = value


class EarlyStopping(Callback):
    """Stops training when a quantity does not improve for `patience` epochs (`tf.keras.callbacks.EarlyStopping`)."""

    def __init__(
        self, monitor: str = "val_loss", min_delta: float = 0, patience: int = 0, verbose: int = 0, mode: str = "auto",
        baseline: float | None = None, restore_best_weights: bool = False, start_from_epoch: int = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.monitor = monitor
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.min_delta = abs(min_delta)
        self.wait = 0
        self.stopped_epoch = 0
        self.restore_best_weights = restore_best_weights
        self.best_weights: Any = None
        self.start_from_epoch = start_from_epoch
        self.monitor_op, self._worst = comparison(mode, monitor, "EarlyStopping")
        self.min_delta *= 1 if self.monitor_op is np.greater else -1

    def on_train_begin(self, logs: Any = None) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = self._worst
        self.best_weights = None
        self.best_epoch = 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights = self.model.get_weights()
            self.best_epoch = epoch
        self.wait += 1
        if self._is_improvement(current, self.best):
            self.best = current
            self.best_epoch = epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._is_improvement(current, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        if self.stopped_epoch > 0 and self.verbose > 0:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:  # also where all epochs have run
            if self.verbose > 0:
                say(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs: Any) -> Any:
        value = (logs or {}).get(self.monitor)
        if value is None:
            log.warning(
                "Early stopping conditioned on metric `%s` which is not available. Available metrics are: %s",
                self.monitor, ",".join(list((logs or {}).keys())),
            )  # fmt: skip
        return value

    def _is_improvement(self, value: Any, reference: Any) -> Any:
        return self.monitor_op(value - self.min_delta, reference)


class ReduceLROnPlateau(Callback):
    """Multiplies the learning rate by `factor` when a quantity stagnates (`tf.keras.callbacks.ReduceLROnPlateau`)."""

    def __init__(
        self, monitor: str = "val_loss", factor: float = 0.1, patience: int = 10, verbose: int = 0, mode: str = "auto",
        min_delta: float = 0.0001, cooldown: int = 0, min_lr: float = 0, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__()
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau does not support a factor >= 1.0. Got {factor}")
        if "epsilon" in kwargs:
            min_delta = kwargs.pop("epsilon")
            log.warning("`epsilon` argument is deprecated and will be removed, use `min_delta` instead.")
        if kwargs:
            raise TypeError(f"Unknown keyword arguments: {list(kwargs)}")
        self.monitor = monitor
        self.factor = factor
        self.min_lr = min_lr
        self.min_delta = min_delta
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.mode = mode
        self._reset()

    def _reset(self) -> None:
        better, self.best = comparison(self.mode, self.monitor, "Learning rate reduction")
        up = better is np.greater
        self.monitor_op = lambda a, b: np.greater(a, b + self.min_delta) if up else np.less(a, b - self.min_delta)
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs: Any = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = logs if logs is not None else {}
        logs["lr"] = _rate(self.model.optimizer)
        old = float(logs["lr"])
        current = logs.get(self.monitor)
        if current is None:
            log.warning(
                "Learning rate reduction is conditioned on metric `%s` which is not available. Available metrics are: %s",
                self.monitor, ",".join(list(logs.keys())),
            )  # fmt: skip
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.monitor_op(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and old > np.float32(self.min_lr):
                new = max(old * self.factor, self.min_lr)
                set_rate(self.model.optimizer, new)
                if self.verbose > 0:
                    say(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}.")
                self.cooldown_counter = self.cooldown
                self.wait = 0

    def in_cooldown(self) -> bool:
        return self.cooldown_counter > 0


class ModelCheckpoint(Callback):
    """Saves the model or its weights while training (`tf.keras.callbacks.ModelCheckpoint`)."""

    def __init__(
        self, filepath: Any, monitor: str = "val_loss", verbose: int = 0, save_best_only: bool = False, save_weights_only: bool = False,
        mode: str = "auto", save_freq: Any = "epoch", options: Any = None, initial_value_threshold: float | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__()
        self._supports_tf_logs = True
        self.monitor = monitor
        self.verbose = verbose
        self.filepath = os.fspath(filepath)
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self.options = options
        self.epochs_since_last_save = 0
        self._batches_seen_since_last_saving = 0
        self._last_batch_seen = -1
        self._current_epoch = 0
        self.load_weights_on_restart = kwargs.pop("load_weights_on_restart", False)
        self.period = kwargs.pop("period", 1)
        self._check_options()
        for k in kwargs:
            raise TypeError(f"Unrecognized argument: {k}. Options are: ['load_weights_on_restart', 'period']")
        self.monitor_op, worst = comparison(mode, monitor, "ModelCheckpoint")
        self.best = worst if initial_value_threshold is None else initial_value_threshold
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ValueError(
                f"Unrecognized save_freq: {save_freq}. Expected save_freq are \"epoch\" or integer"
            )

    def _check_options(self) -> None:
        from tf2compat import saved_model, train

        wanted: Any = train.CheckpointOptions if self.save_weights_only else saved_model.SaveOptions
        if self.filepath.endswith(".keras") and not self.save_weights_only and self.options is not None:
            raise ValueError(
                "The native TF-Keras format does not support the 'options' argument. Please remove the `options` argument, or use the "
                "SavedModel format by removing the `.keras` extension from the model filepath."
            )
        if self.options is not None and not isinstance(self.options, wanted):
            name = "tf.train.CheckpointOptions" if self.save_weights_only else "tf.saved_model.SaveOptions"
            raise TypeError(
                f"If save_weights_only is {self.save_weights_only}, then `options` must be either None or a {name}. Got {self.options}."
            )

    def on_train_begin(self, logs: Any = None) -> None:
        if self.load_weights_on_restart:
            found = self._latest()
            if found is not None:
                self.model.load_weights(found)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            return
        seen = batch + 1 if batch <= self._last_batch_seen else batch - self._last_batch_seen
        self._batches_seen_since_last_saving += seen
        self._last_batch_seen = batch
        if self._batches_seen_since_last_saving >= self.save_freq:
            self._batches_seen_since_last_saving = 0
            from .base import to_host

            self._save(self._current_epoch, batch, to_host(logs))

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._current_epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epochs_since_last_save += 1
        if self.save_freq == "epoch":
            self._save(epoch, None, logs or {})

    def _path(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> str:
        try:
            given = {"epoch": epoch + 1, **logs}
            return self.filepath.format(**given) if batch is None else self.filepath.format(**given, batch=batch + 1)
        except KeyError as error:
            raise KeyError(f'Failed to format this callback filepath: "{self.filepath}". Reason: {error}') from error

    def _save(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> None:
        if self.save_freq != "epoch" or self.epochs_since_last_save >= self.period:
            self.epochs_since_last_save = 0
            path = self._path(epoch, batch, logs)
            folder = os.path.dirname(path)
            if folder:
                os.makedirs(folder, exist_ok=True)
            if self.save_best_only:
                current = logs.get(self.monitor)
                if current is None:
                    log.warning("Can save best model only with %s available, skipping.", self.monitor)
                    return
                if not self.monitor_op(current, self.best):
                    if self.verbose > 0:
                        say(f"\nEpoch {epoch + 1}: {self.monitor} did not improve from {self.best:.5f}")
                    return
                if self.verbose > 0:
                    say(f"\nEpoch {epoch + 1}: {self.monitor} improved from {self.best:.5f} to {current:.5f}, saving model to {path}")
                self.best = current
            elif self.verbose > 0:
                say(f"\nEpoch {epoch + 1}: saving model to {path}")
            if os.path.isdir(path) and path.endswith((".h5", ".hdf5", ".keras")):
                raise OSError(
                    f"Please specify a non-directory filepath for ModelCheckpoint. Filepath used is an existing directory: {path}"
                )
            if self.save_weights_only:
                self.model.save_weights(path, overwrite=True, options=self.options)
            elif self.options is not None:
                self.model.save(path, overwrite=True, options=self.options)
            else:
                self.model.save(path, overwrite=True)

    def _latest(self, filepath: str | None = None) -> str | None:
        folder, name = os.path.split(filepath or self.filepath)
        pattern = re.compile(re.sub(r"\\\{[^}]*\\\}", ".*", re.escape(name)))
        try:
            found = [os.path.join(folder, f) for f in os.listdir(folder or ".") if pattern.match(f)]
        except FileNotFoundError:
            return None
        return max(found, key=os.path.getmtime) if found else None
