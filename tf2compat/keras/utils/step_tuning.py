"""StepsPerExecutionTuner: how many steps are run at once, found out while a program trains."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np

from tf2compat._engine.logs import get_logger
from tf2compat._threads import Ended, ends_with_process


class StepsPerExecutionTuner:
    """Changes a variable of steps per execution as the measured steps per second tell (`tf.keras.utils.StepsPerExecutionTuner`).

    A thread reads `optimizer.iterations` every `interval` seconds. After `change_spe_interval` measurements their mean is compared with the one before:
    when it is better by more than `change_threshold`, the variable changes once more in the direction it changed last (half as many again, or half as
    many); when it is worse by as much, in the other one.
    """

    def __init__(self, optimizer: Any, spe_variable: Any, interval: float = 5, change_spe_interval: int = 10, change_threshold: float = 0.1) -> None:
        self.optimizer = optimizer
        self._steps_per_execution = spe_variable
        self.interval = interval
        self.change_spe_interval = change_spe_interval
        self.spe_change_threshold = change_threshold
        self.steps_per_execution_stop_event = threading.Event()
        self.thread: threading.Thread | None = None

    @property
    def steps_per_execution(self) -> Any:
        """The variable; assigning a number to this attribute changes its value."""
        return self._steps_per_execution

    @steps_per_execution.setter
    def steps_per_execution(self, value: int) -> None:
        self._steps_per_execution.assign(value)
        self.init_spe = value

    def start(self) -> threading.Thread:
        """Begin to measure, in the thread that is returned; the one that runs already, if one does."""
        if self.thread is not None and self.thread.is_alive() and not self.steps_per_execution_stop_event.is_set():
            return self.thread
        # an event of its own for each thread: one that was told to stop stays told
        self.steps_per_execution_stop_event = stopped = threading.Event()
        self._begin_tuning()
        self.thread = threading.Thread(target=self._run, args=(stopped,), name="tf2compat steps per execution", daemon=True)
        ends_with_process(self.thread, 1.0, stopped.set)
        self.thread.start()
        return self.thread

    def stop(self) -> None:
        """End after the measurement that is under way."""
        self.steps_per_execution_stop_event.set()

    def _run(self, stopped: threading.Event) -> None:
        try:
            while not stopped.is_set():
                self._measure_and_tune()
                stopped.wait(self.interval)
        except Ended:
            return  # the process ends

    def _begin_tuning(self) -> None:
        self.start_time = time.time()
        self.init_iterations = int(self.optimizer.iterations.numpy())
        self.init_spe = int(self._steps_per_execution.numpy())
        self.spe_last_logged = {"iteration": self.init_iterations, "time_secs": self.start_time}
        self.rgsps: list[float] = []  # recent steps per second
        self.avg_rgsps = 0.0
        self.prev_avg_rgsps = 0.0
        self.spe_tune_last_action_add = True
        self.spe_measurement_count = 0

    def _measure_and_tune(self) -> None:
        self.spe_measurement_count += 1
        iteration, now = int(self.optimizer.iterations.numpy()), time.time()
        passed = now - self.spe_last_logged["time_secs"]
        self.rgsps.append((iteration - self.spe_last_logged["iteration"]) / passed if passed > 0 else 0.0)
        del self.rgsps[: -self.change_spe_interval]
        if iteration == 0:  # nothing was trained so far
            self.start_time = now
            return
        self.spe_last_logged = {"iteration": iteration, "time_secs": now}
        if self._should_tune():
            try:
                self._tune()
            except RuntimeError:
                get_logger().exception("Steps per execution autotuner failed to run.")

    def _should_tune(self) -> bool:
        """Whether measurements are complete; one without a step falls between two epochs, or into an evaluation."""
        return self.spe_measurement_count % self.change_spe_interval == 0 and bool(self.rgsps) and self.rgsps[-1] != 0

    def _tune(self) -> None:
        self.avg_rgsps = sum(self.rgsps) / len(self.rgsps)
        now = int(self._steps_per_execution.numpy())
        wanted: float = now
        if self.avg_rgsps > (1 + self.spe_change_threshold) * self.prev_avg_rgsps:
            wanted = now * (1.5 if self.spe_tune_last_action_add else 0.5)
        elif self.avg_rgsps < (1 - self.spe_change_threshold) * self.prev_avg_rgsps:
            wanted = now * (0.5 if self.spe_tune_last_action_add else 1.5)
            self.spe_tune_last_action_add = not self.spe_tune_last_action_add
        if now >= self._steps_per_execution.dtype.max / 1.5:
            wanted = now
        elif now <= 0:
            wanted = self.init_spe
        self._steps_per_execution.assign(int(np.round(wanted)))
        self.prev_avg_rgsps = self.avg_rgsps
