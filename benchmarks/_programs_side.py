"""One side of `benchmarks.programs`: `python -m benchmarks._programs_side tensorflow|tf2compat PROGRAM SECONDS`.

Runs steps for so many seconds, then waits for lines on its input and answers each with the microseconds of a step, best of a few.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks import _programs


def main() -> None:
    package, name, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    tf = importlib.import_module(package)
    step = getattr(_programs, name)(tf)
    start = time.perf_counter()
    step()
    first = time.perf_counter() - start
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        step()
    print(first * 1e3, flush=True)
    for _ in sys.stdin:
        print(best(step), flush=True)


def best(step: Callable[[], Any], seconds: float = 0.5) -> float:
    """Microseconds of the fastest of the steps of half a second: single steps find the moments when a shared machine is free."""
    end = time.perf_counter() + seconds
    found = float("inf")
    while time.perf_counter() < end:
        start = time.perf_counter()
        step()
        found = min(found, time.perf_counter() - start)
    return found * 1e6


if __name__ == "__main__":
    main()
