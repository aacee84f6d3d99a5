"""`ProgbarLogger`: the progress that `fit` prints."""

from __future__ import annotations

from typing import Any

from .._base.progress import Progbar
from .._base.saying import say
from .base import Callback, to_host


class ProgbarLogger(Callback):
    """Prints the metrics while training (`tf.keras.callbacks.ProgbarLogger`). `count_mode` is "samples" or "steps"."""

    def __init__(self, count_mode: str = "samples", stateful_metrics: Any = None) -> None:
        super().__init__()
        self._supports_tf_logs = True
        if count_mode not in ("samples", "steps"):
            raise ValueError(f'Unknown `count_mode`: {count_mode}. Expected values are ["samples", "steps"]')
        self.use_steps = count_mode == "steps"
        self.stateful_metrics = set(stateful_metrics or ())
        self.seen = 0
        self.progbar: Progbar | None = None
        self.target: int | None = None
        self.verbose = 1
        self.epochs = 1
        self._in_fit = False
        self._known = False

    def set_params(self, params: Any) -> None:
        super().set_params(params)
        self.verbose = params["verbose"]
        self.epochs = params["epochs"]
        self.target = params.get("steps")

    def on_train_begin(self, logs: Any = None) -> None:
        self._in_fit = True

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._reset()
        if self.verbose and self.epochs > 1:
            say(f"Epoch {epoch + 1}/{self.epochs}")
        self._bar()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._step(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._finish(logs)

    def on_test_begin(self, logs: Any = None) -> None:
        if not self._in_fit:
            self._reset()
            self._bar()

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        if not self._in_fit:
            self._step(batch, logs)

    def on_test_end(self, logs: Any = None) -> None:
        if not self._in_fit:
            self._finish(logs)

    def on_predict_begin(self, logs: Any = None) -> None:
        self._reset()
        self._bar()

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self._step(batch, None)

    def on_predict_end(self, logs: Any = None) -> None:
        self._finish(None)

    def _reset(self) -> None:
        self.seen = 0
        self.progbar = None

    def _bar(self) -> Progbar:
        if self.progbar is None:
            self._known = False
            self.progbar = Progbar(self.target, verbose=self.verbose, stateful_metrics=self.stateful_metrics, unit_name="step" if self.use_steps else "sample")
        elif not self._known and self.model is not None:  # the first batch has made the metrics
            self._known = True
            self.stateful_metrics |= {m.name for m in self.model.metrics}
            self.progbar.stateful_metrics |= self.stateful_metrics
        return self.progbar

    def _step(self, batch: int, logs: Any) -> None:
        self.seen = batch + 1
        bar = self._bar()
        if self.verbose == 1:
            import time

            if time.time() - bar._last_update < bar.interval:  # nothing would be shown: leave the numbers where they are
                bar._seen_so_far = self.seen
                if self.seen == 1:
                    bar._time_per_unit(time.time(), 1)
                return
            bar.update(self.seen, list(to_host(logs).items()), finalize=False)

    def _finish(self, logs: Any) -> None:
        bar = self._bar()
        self.target = self.target or self.seen
        bar.target = self.target
        bar.update(self.target, list(to_host(logs).items()), finalize=True)
