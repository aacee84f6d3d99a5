"""Keras' progress bar (`tf.keras.utils.Progbar`)."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import numpy as np

from .saying import say


class Progbar:
    """Prints progress towards `target` steps, with averages of named values.

    `verbose` 0 is silent, 1 draws a bar, 2 prints one line at the end. Metrics in `stateful_metrics` are shown as they are.
    """

    def __init__(
        self, target: int | None, width: int = 30, verbose: int = 1, interval: float = 0.05, stateful_metrics: Any = None,
        unit_name: str = "step",
    ) -> None:  # fmt: skip
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateful_metrics = set(stateful_metrics or ())
        self._dynamic_display = (
            (hasattr(sys.stdout, "isatty") and sys.stdout.isatty()) or "ipykernel" in sys.modules or "posix" in sys.modules
            or "PYCHARM_HOSTED" in os.environ
        )  # fmt: skip
        self._total_width = 0
        self._seen_so_far = 0
        self._values: dict[str, Any] = {}
        self._values_order: list[str] = []
        self._start = time.time()
        self._last_update = 0.0
        self._time_at_epoch_start = self._start
        self._time_at_epoch_end: float | None = None
        self._time_after_first_step: float | None = None

    def update(self, current: int, values: Any = None, finalize: bool | None = None) -> None:
        """Show `current` steps; `values` are (name, value) pairs. The last update (or `finalize`) ends the line."""
        if finalize is None:
            finalize = False if self.target is None else current >= self.target
        for k, v in values or []:
            if k not in self._values_order:
                self._values_order.append(k)
            if k not in self.stateful_metrics:
                weight = max(current - self._seen_so_far, 1)
                if k not in self._values:
                    self._values[k] = [v * weight, weight]
                else:
                    self._values[k][0] += v * weight
                    self._values[k][1] += weight
            else:
                self._values[k] = [v, 1]
        self._seen_so_far = current
        message = ""
        now = time.time()
        info = f" - {now - self._start:.0f}s"
        if current == self.target:
            self._time_at_epoch_end = now
        if self.verbose == 1:
            if now - self._last_update < self.interval and not finalize:
                return
            previous = self._total_width
            if self._dynamic_display:
                message += "\b" * previous + "\r"
            else:
                message += "\n"
            if self.target is not None:
                digits = int(np.log10(self.target)) + 1
                bar = f"%{digits}d/%d [" % (current, self.target)
                done = int(self.width * float(current) / self.target)
                if done > 0:
                    bar += "=" * (done - 1)
                    bar += ">" if current < self.target else "="
                bar += "." * (self.width - done) + "]"
            else:
                bar = f"{current:7d}/Unknown"
            self._total_width = len(bar)
            message += bar
            per_unit = self._time_per_unit(now, current)
            if self.target is None or finalize:
                info += self._per_step(per_unit, self.unit_name)
            else:
                eta = per_unit * (self.target - current)
                if eta > 3600:
                    shown = f"{int(eta // 3600)}:{int(eta % 3600 // 60):02d}:{int(eta % 60):02d}"
                elif eta > 60:
                    shown = f"{int(eta // 60)}:{int(eta % 60):02d}"
                else:
                    shown = f"{int(eta)}s"
                info = f" - ETA: {shown}"
            info += self._shown_values()
            self._total_width += len(info)
            if previous > self._total_width:
                info += " " * (previous - self._total_width)
            if finalize:
                info += "\n"
            say(message + info, end="")
        elif self.verbose == 2 and finalize:
            digits = int(np.log10(self.target)) + 1 if self.target else 1
            line = (f"%{digits}d/%d" % (current, self.target) if self.target else str(current)) + info + self._shown_values(float)
            if self._time_at_epoch_end and self.target:
                per_epoch = self._time_at_epoch_end - self._time_at_epoch_start
                self._time_at_epoch_start, self._time_at_epoch_end = now, None
                line += " -" + self._per_step(per_epoch, "epoch") + " -" + self._per_step(per_epoch / self.target, self.unit_name)
            say(line)
        self._last_update = now

    def add(self, n: int, values: Any = None) -> None:
        self.update(self._seen_so_far + n, values)

    def _shown_values(self, size: Any = abs) -> str:
        """Averages in four digits; those whose `size` is small with an exponent. Keras' quiet form takes negative ones for small."""
        text = ""
        for k in self._values_order:
            text += f" - {k}:"
            kept = self._values[k]
            if isinstance(kept, list):
                average = np.mean(np.asarray(kept[0], np.float64) / max(1, kept[1]))
                text += f" {average:.4f}" if size(average) > 1e-3 else f" {average:.4e}"
            else:
                text += f" {kept}"
        return text

    def _per_step(self, per_unit: float, unit: str) -> str:
        if per_unit >= 1 or per_unit == 0:
            return f" {per_unit:.0f}s/{unit}"
        if per_unit >= 1e-3:
            return f" {per_unit * 1e3:.0f}ms/{unit}"
        return f" {per_unit * 1e6:.0f}us/{unit}"

    def _time_per_unit(self, now: float, current: int) -> float:
        if not current:
            return 0.0
        if self._time_after_first_step is not None and current > 1:
            per = (now - self._time_after_first_step) / (current - 1)
        else:
            per = (now - self._start) / current
        if current == 1:
            self._time_after_first_step = now
        return per
