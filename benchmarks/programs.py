"""Steps of many small operations (`_programs.py`): TensorFlow's graph, and ours replayed, flattened, by default and compiled.

Each way runs in a process of its own; they are measured in turn. `auto` is what a program gets that sets nothing, after
TF2COMPAT_PROGRAMS_SECONDS (60) of steps; TF2COMPAT_PROGRAMS names programs and ways, all if it is not set.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from ._programs import PROGRAMS
from .timing import geometric_mean, table

SECONDS = float(os.environ.get("TF2COMPAT_PROGRAMS_SECONDS", "60"))
ONLY = os.environ.get("TF2COMPAT_PROGRAMS", "").split()
#: seconds of steps before the other ways are measured
WARM = 6.0
#: what each way sets
WAYS = {
    "replayed": {"TF2COMPAT_COMPILE": "never", "TF2COMPAT_FLATTEN": "0"}, "flattened": {"TF2COMPAT_COMPILE": "never"},
    "auto": {"TF2COMPAT_COMPILE": "auto"}, "always": {"TF2COMPAT_COMPILE": "always"},
}  # fmt: skip
ROUNDS = 3


class _Side:
    """A process that measures a program when it is asked to."""

    def __init__(self, python: str, package: str, program: str, seconds: float, settings: dict[str, str]) -> None:
        env = dict(os.environ, TF_USE_LEGACY_KERAS="1", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="", **settings)
        self.process = subprocess.Popen(
            [python, "-m", "benchmarks._programs_side", package, program, str(seconds)], env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def line(self) -> float:
        assert self.process.stdout is not None
        text = self.process.stdout.readline()
        return float(text) if text else float("nan")

    def ask(self) -> float:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return float("nan")
        return self.line()

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def _measured(program: str, tensorflow: str | None) -> tuple[dict[str, float], dict[str, float]]:
    """Microseconds of a step, and milliseconds of the first call, of each way."""
    ways = [w for w in WAYS if w in ONLY or not set(ONLY) & set(WAYS)]
    sides, first = {}, {}
    for way in [*(["TensorFlow"] if tensorflow else []), *ways]:
        package, python = ("tensorflow", tensorflow or "") if way == "TensorFlow" else ("tf2compat", sys.executable)
        sides[way] = _Side(python, package, program, SECONDS if way == "auto" else WARM, WAYS.get(way, {}))
        first[way] = sides[way].line()  # one after the other
    best = dict.fromkeys(sides, float("inf"))
    for _ in range(ROUNDS):
        for way, side in sides.items():
            best[way] = min(best[way], side.ask())
    for side in sides.values():
        side.end()
    return best, first


def run(tensorflow: str | None) -> dict[str, Any]:
    """Measure and print; the figures."""
    names = [p.__name__ for p in PROGRAMS if p.__name__ in ONLY or not set(ONLY) - set(WAYS)]
    rows: list[list[Any]] = []
    faster: dict[str, list[float]] = {}
    figures = {}
    for name in names:
        best, first = _measured(name, tensorflow)
        figures[name] = {"step_us": best, "first_ms": first}
        row: list[Any] = [name, best.get("TensorFlow", "")]
        for way in best:
            if way != "TensorFlow":
                row.append(best[way])
                if tensorflow:
                    row.append(best["TensorFlow"] / best[way])
                    faster.setdefault(way, []).append(row[-1])
        rows.append(row)
        print(*[c if isinstance(c, str) else f"{c:.2f}" for c in row], file=sys.stderr, flush=True)
    header = ["microseconds a step", "TensorFlow"]
    for way in best:
        if way != "TensorFlow":
            header += [way, "times faster"] if tensorflow else [way]
    table("Steps of many small operations", header, rows)
    if tensorflow:
        print("  times faster, geometric mean: " + ", ".join(f"{way} {geometric_mean(v):.2f}" for way, v in faster.items()))
    return figures
