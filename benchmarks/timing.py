"""Timing in one place: best of several repeats, peers in processes of their own, tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import timeit
from collections.abc import Callable
from typing import Any


def settled(fn: Callable[[], Any], number: int) -> float:
    """Seconds of `number` calls, a GPU's work for them included."""
    torch = sys.modules.get("torch")
    gpu = torch is not None and torch.cuda.is_available()
    start = timeit.default_timer()
    for _ in range(number):
        fn()
    if gpu:
        torch.cuda.synchronize()  # type: ignore[union-attr]
    return timeit.default_timer() - start


def micros(fn: Callable[[], Any], seconds: float = 0.3, repeats: int = 5) -> float:
    """Microseconds a call: the best of `repeats` runs of about `seconds` each, after a warm-up."""
    fn()
    once = max(settled(fn, 3) / 3, 1e-7)
    number = max(1, int(seconds / once / repeats))
    return min(settled(fn, number) for _ in range(repeats)) / number * 1e6


def interleaved(fns: dict[str, Callable[[], Any]], seconds: float = 0.5, rounds: int = 7) -> dict[str, float]:
    """Microseconds a call of each, best of `rounds`, measured in turn so that a drifting machine hits all alike."""
    numbers = {}
    for name, fn in fns.items():
        fn()
        numbers[name] = max(1, int(seconds / rounds / max(settled(fn, 5) / 5, 1e-7)))
    best = dict.fromkeys(fns, float("inf"))
    for _ in range(rounds):
        for name, fn in fns.items():
            best[name] = min(best[name], settled(fn, numbers[name]) / numbers[name] * 1e6)
    return best


def alternating(fns: dict[str, Callable[[], Any]], seconds: float = 10.0, calls: int = 10) -> dict[str, float]:
    """Microseconds a call of each, a few calls of one after a few of the other: the tenth percentile, which a busy machine leaves alone.

    Programs whose times are compared closely need this: two runs of `interleaved` of the very same code, a second apart, differ by a third
    where the processor's clock or its other users change in between.
    """
    gpu = (torch := sys.modules.get("torch")) is not None and torch.cuda.is_available()
    found: dict[str, list[float]] = {name: [] for name in fns}
    end = timeit.default_timer() + seconds
    while timeit.default_timer() < end:
        for name, fn in fns.items():
            settled(fn, 2)
            if gpu:  # which works on after a call has returned
                found[name].append(settled(fn, calls) / calls)
            else:
                found[name] += [settled(fn, 1) for _ in range(calls)]
    return {name: sorted(times)[len(times) // 10] * 1e6 for name, times in found.items()}


def peer(module: str, python: str | None, package: str, *arguments: str) -> dict[str, float] | None:
    """The JSON that `python -m module arguments…` prints, or None when the interpreter lacks `package`."""
    interpreter = python or sys.executable
    env = dict(os.environ, TF_USE_LEGACY_KERAS="1", TF_CPP_MIN_LOG_LEVEL="3")
    probe = subprocess.run([interpreter, "-c", f"import importlib.util as u, sys; sys.exit(u.find_spec({package!r}) is None)"], env=env, check=False)
    if probe.returncode:
        return None
    done = subprocess.run([interpreter, "-m", module, *arguments], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        raise RuntimeError(f"{module} failed under {interpreter}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def table(title: str, header: list[str], rows: list[list[Any]]) -> None:
    """Print a table with aligned columns."""
    cells = [header] + [[f"{c:.2f}" if isinstance(c, float) else str(c) for c in row] for row in rows]
    widths = [max(len(r[i]) for r in cells) for i in range(len(header))]
    print(f"\n{title}")
    for i, row in enumerate(cells):
        print("  " + "  ".join(c.ljust(w) if j == 0 else c.rjust(w) for j, (c, w) in enumerate(zip(row, widths, strict=True))))
        if i == 0:
            print("  " + "  ".join("-" * w for w in widths))


def geometric_mean(values: list[float]) -> float:
    product = 1.0
    for v in values:
        product *= v
    return product ** (1 / len(values))
