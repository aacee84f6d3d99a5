"""Callbacks of a few lines: schedules, logs to files, stopping on NaN."""

from __future__ import annotations

import collections
import csv
import os
from typing import Any

import numpy as np

from tf2compat._engine.logs import get_logger
from tf2compat._engine.tensor import Tensor

from .._base.saying import say
from .base import Callback
from .monitoring import set_rate

log = get_logger()


class TerminateOnNaN(Callback):
    """Stops training when the loss is NaN or infinite (`tf.keras.callbacks.TerminateOnNaN`)."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is not None and (np.isnan(loss) or np.isinf(loss)):
            say(f"Batch {batch}: Invalid loss, terminating training")
            self.model.stop_training = True


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of every epoch to `schedule(epoch, lr)` (`tf.keras.callbacks.LearningRateScheduler`)."""

    def __init__(self, schedule: Any, verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if not hasattr(self.model.optimizer, "lr"):
            raise ValueError('Optimizer must have a "lr" attribute.')
        try:
            lr = self.schedule(epoch, float(np.asarray(self.model.optimizer.lr)))
        except TypeError:
            lr = self.schedule(epoch)
        if not isinstance(lr, (Tensor, float, np.float32, np.float64)):
            raise ValueError(f'The output of the "schedule" function should be float. Got: {lr}')
        if isinstance(lr, Tensor) and not lr.dtype.is_floating:
            raise ValueError(f"The dtype of `lr` Tensor should be float. Got: {lr.dtype}")
        set_rate(self.model.optimizer, lr)
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {lr}.")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["lr"] = np.asarray(self.model.optimizer.lr)[()]


class CSVLogger(Callback):
    """Writes the logs of every epoch to a CSV file (`tf.keras.callbacks.CSVLogger`)."""

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.sep = separator
        self.filename = os.fspath(filename)
        self.append = append
        self.writer: Any = None
        self.keys: list[str] | None = None
        self.append_header = True

    def on_train_begin(self, logs: Any = None) -> None:
        from tf2compat.io import gfile  # loads all of tf.io and tf.image

        if self.append:
            if gfile.exists(self.filename):
                with gfile.GFile(self.filename) as f:
                    self.append_header = not bool(len(f.readline()))
            mode = "a"
        else:
            mode = "w"
        self.csv_file = gfile.GFile(self.filename, mode)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = logs or {}

        def shown(k: Any) -> Any:
            if isinstance(k, str):
                return k
            if isinstance(k, collections.abc.Iterable) and not (isinstance(k, np.ndarray) and k.ndim == 0):
                return f'"[{", ".join(map(str, k))}]"'
            return k

        if self.keys is None:
            self.keys = sorted(logs.keys())
            if not any(k.startswith("val_") for k in self.keys):  # validation may come in a later epoch
                self.keys += ["val_" + k for k in self.keys]
        if not self.writer:

            class CustomDialect(csv.excel):
                delimiter = self.sep

            self.writer = csv.DictWriter(self.csv_file, fieldnames=["epoch", *self.keys], dialect=CustomDialect)
            if self.append_header:
                self.writer.writeheader()
        row = collections.OrderedDict({"epoch": epoch})
        row.update((k, shown(logs.get(k, "NA"))) for k in self.keys)
        self.writer.writerow(row)
        self.csv_file.flush()

    def on_train_end(self, logs: Any = None) -> None:
        self.csv_file.close()
        self.writer = None


class RemoteMonitor(Callback):
    """Sends the logs of every epoch to a server as JSON (`tf.keras.callbacks.RemoteMonitor`)."""

    def __init__(
        self, root: str = "http://localhost:9000", path: str = "/publish/epoch/end/", field: str = "data", headers: Any = None,
        send_as_json: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.root, self.path, self.field, self.headers, self.send_as_json = root, path, field, headers, send_as_json

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        import json
        import urllib.error
        import urllib.parse
        import urllib.request

        send = {"epoch": epoch} | {k: v.item() if isinstance(v, (np.ndarray, np.generic)) else v for k, v in (logs or {}).items()}
        headers = dict(self.headers or {})
        if self.send_as_json:
            body, headers["Content-Type"] = json.dumps(send).encode(), "application/json"
        else:
            body = urllib.parse.urlencode({self.field: json.dumps(send)}).encode()
        try:
            request = urllib.request.Request(self.root + self.path, data=body, headers=headers)
            urllib.request.urlopen(request, timeout=10).close()
        except (urllib.error.URLError, OSError):
            log.warning("Warning: could not reach RemoteMonitor root server at %s", self.root)


class BaseLogger(Callback):
    """Averages metrics over an epoch (`tf.keras.callbacks.BaseLogger`)."""

    def __init__(self, stateful_metrics: Any = None) -> None:
        super().__init__()
        self.stateful_metrics = set(stateful_metrics or [])

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.seen = 0
        self.totals: dict[str, Any] = {}

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        logs = logs or {}
        size = logs.get("size", 0)
        steps = logs.get("num_steps", 1)
        self.seen += size * steps
        for k, v in logs.items():
            if k in self.stateful_metrics:
                self.totals[k] = v
            else:
                self.totals[k] = self.totals.get(k, 0) + v * size

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            for k in self.params["metrics"]:
                if k in self.totals:
                    logs[k] = self.totals[k] if k in self.stateful_metrics else self.totals[k] / self.seen
