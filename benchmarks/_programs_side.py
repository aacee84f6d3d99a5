"""One side of `benchmarks.programs`: `python -m benchmarks._programs_side tensorflow|tf2compat PROGRAM SECONDS`.

Runs steps for so many seconds, then waits for lines on its input and answers each with the microseconds of a step, best of a few.
"""

from __future__ import annotations

import importlib
import sys
import time

from benchmarks import _programs
from benchmarks.timing import micros


def main() -> None:
    package, name, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    tf = importlib.import_module(package)
    step = getattr(_programs, name)(tf)
    start = time.perf_counter()
    step()
    first = time.perf_counter() - start
    while time.perf_counter() - start < seconds:
        step()
    print(first * 1e3, flush=True)
    for _ in sys.stdin:
        print(micros(step, seconds=0.4, repeats=4), flush=True)


if __name__ == "__main__":
    main()
