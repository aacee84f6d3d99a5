"""`tensorflow.python.eager.monitoring`: counters and gauges of a process, which training libraries keep."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from typing import Any

from tf2compat.errors import InvalidArgumentError

__all__ = [
    "BoolGauge", "BoolGaugeCell", "Counter", "CounterCell", "IntGauge", "IntGaugeCell", "MonitoredTimer", "StringGauge", "StringGaugeCell",
    "monitored_timer",
]  # fmt: skip


class _Cell:
    """The value of a metric under one choice of labels."""

    def __init__(self, start: Any) -> None:
        self._value = start
        self._lock = threading.Lock()

    def value(self) -> Any:
        """What was recorded last, or in all."""
        return self._value


class CounterCell(_Cell):
    """A number that only grows."""

    def increase_by(self, value: int) -> None:
        """Adds a whole number that is not negative."""
        if value < 0:
            raise InvalidArgumentError(None, None, f"A counter cannot be increased by {value}, which is negative.")
        with self._lock:
            self._value += int(value)


class _GaugeCell(_Cell):
    kind: Callable[[Any], Any] = int

    def set(self, value: Any) -> None:
        """Replaces the value."""
        self._value = type(self).kind(value)


class IntGaugeCell(_GaugeCell):
    """A whole number."""


class StringGaugeCell(_GaugeCell):
    """A text."""

    kind = str


class BoolGaugeCell(_GaugeCell):
    """True or False."""

    kind = bool


class Metric:
    """A named metric with a cell for each choice of its labels."""

    def __init__(self, name: str, description: str, *labels: str) -> None:
        self.name, self.description, self.labels = name, description, labels
        self._cells: dict[tuple[str, ...], Any] = {}

    def get_cell(self, *labels: str) -> Any:
        """The cell of a label value for each label of the metric."""
        if len(labels) != len(self.labels):
            raise ValueError(f"The {type(self).__name__} {self.name!r} expects {len(self.labels)} labels ({', '.join(self.labels)}), got {len(labels)}.")
        cell = self._cells.get(labels)
        return self._cells.setdefault(labels, self._new()) if cell is None else cell

    def _new(self) -> Any:
        raise NotImplementedError


class Counter(Metric):
    """Counts events."""

    def _new(self) -> CounterCell:
        return CounterCell(0)


class IntGauge(Metric):
    """Whole numbers."""

    def _new(self) -> IntGaugeCell:
        return IntGaugeCell(0)


class StringGauge(Metric):
    """Texts."""

    def _new(self) -> StringGaugeCell:
        return StringGaugeCell("")


class BoolGauge(Metric):
    """Flags."""

    def _new(self) -> BoolGaugeCell:
        return BoolGaugeCell(False)


class MonitoredTimer:
    """A context that adds the microseconds it lasted to a counter's cell."""

    def __init__(self, cell: Any, *args: Any, **kwargs: Any) -> None:
        self.cell = cell
        self._began = 0.0

    def __enter__(self) -> MonitoredTimer:
        self._began = time.perf_counter()
        return self

    def __exit__(self, *exc: Any) -> None:
        self.cell.increase_by(int((time.perf_counter() - self._began) * 1e6))


def monitored_timer(cell: Any) -> Callable[[Any], Any]:
    """A decorator: each call of the function adds its microseconds to `cell`."""

    def decorated(fn: Any) -> Any:
        @functools.wraps(fn)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with MonitoredTimer(cell):
                return fn(*args, **kwargs)

        return timed

    return decorated
