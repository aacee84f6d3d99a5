"""Input pipelines: tf2compat, torch's DataLoader, and TensorFlow beside; elements per second as milliseconds an epoch."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .timing import peer, table

ROWS, WIDTH, BATCH = 60_000, 784, 128


def pipelines(tf: Any) -> dict[str, Callable[[], int]]:
    """Epochs on `tf`: each gives the number of batches that it delivered."""
    rng = np.random.default_rng(0)
    x = rng.random((ROWS, WIDTH), dtype=np.float32)
    y = rng.integers(0, 10, ROWS)
    slices = tf.data.Dataset.from_tensor_slices((x, y))
    shuffled = slices.shuffle(ROWS).batch(BATCH)
    mapped = slices.map(lambda a, b: (a / 255.0 - 0.5, b)).batch(BATCH)
    small = rng.random((20_000, 8), dtype=np.float32)

    def rows() -> Any:
        yield from small

    generated = tf.data.Dataset.from_generator(rows, output_signature=tf.TensorSpec([8], tf.float32)).batch(BATCH)
    words = tf.data.Dataset.from_tensor_slices([f"the {i} quick brown {i % 7} foxes" for i in range(20_000)])
    tokens = words.map(lambda s: tf.strings.length(tf.strings.split(s))).padded_batch(64)

    def epoch(dataset: Any) -> Callable[[], int]:
        return lambda: sum(1 for _ in dataset)

    return {
        "slices, shuffle, batch": epoch(shuffled),
        "slices, map, batch": epoch(mapped),
        "from_generator, batch": epoch(generated),
        "text, split, padded_batch": epoch(tokens),
    }


def loader() -> Callable[[], int]:
    """The first pipeline with torch's DataLoader."""
    import torch

    rng = np.random.default_rng(0)
    data = torch.utils.data.TensorDataset(
        torch.from_numpy(rng.random((ROWS, WIDTH), dtype=np.float32)), torch.from_numpy(rng.integers(0, 10, ROWS))
    )
    batches = torch.utils.data.DataLoader(data, BATCH, shuffle=True)
    return lambda: sum(1 for _ in batches)


def milliseconds(fn: Callable[[], int], repeats: int = 3) -> float:
    """The best of a few epochs after a first one."""
    fn()
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        fn()
        best = min(best, time.perf_counter() - start)
    return best * 1e3


def run(tensorflow: str | None) -> dict[str, Any]:
    import tf2compat

    theirs = peer("benchmarks._data_tensorflow", tensorflow, "tensorflow")
    ours = {name: milliseconds(fn) for name, fn in pipelines(tf2compat).items()}
    first = next(iter(ours))
    torch_ms = milliseconds(loader(), 1)
    size = ROWS * WIDTH * 4
    source = np.zeros(size // 4, dtype=np.float32)
    start = time.perf_counter()
    source.copy()
    copy_ms = (time.perf_counter() - start) * 1e3
    rows = []
    for name, ms in ours.items():
        row: list[Any] = [name, ms, torch_ms if name == first else "", torch_ms / ms if name == first else ""]
        if theirs is not None:
            row += [theirs[name], theirs[name] / ms]
        rows.append(row)
    extra = ["TensorFlow ms", "times faster"] if theirs is not None else []
    table("An epoch", ["pipeline", "tf2compat ms", "DataLoader ms", "times faster", *extra], rows)
    print(f"  copying the {size / 2**20:.0f} MiB of the first once: {copy_ms:.0f} ms")
    return {"rows": rows, "copy_ms": copy_ms}
