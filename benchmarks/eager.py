"""Eager ops and an eager training step: overhead over plain torch, and TensorFlow beside."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

from .timing import geometric_mean, interleaved, peer, table


def ops(tf: Any) -> dict[str, Any]:
    """The eager ops that are measured, on `tf`."""
    a = tf.constant([1.0, 2.0, 3.0, 4.0])
    m = tf.random.normal([16, 16])
    x = tf.random.normal([8, 32])
    return {
        "add": lambda: tf.add(a, a),
        "mul": lambda: tf.multiply(a, a),
        "matmul 16x16": lambda: tf.matmul(m, m),
        "reshape": lambda: tf.reshape(x, [32, 8]),
        "reduce_sum": lambda: tf.reduce_sum(x, axis=1),
        "slice": lambda: x[2:6],
        "concat": lambda: tf.concat([x, x], 0),
        "cast": lambda: tf.cast(a, tf.float64),
    }


def torch_ops() -> dict[str, Any]:
    import torch

    a = torch.tensor([1.0, 2.0, 3.0, 4.0])
    m = torch.randn(16, 16)
    x = torch.randn(8, 32)
    return {
        "add": lambda: torch.add(a, a),
        "mul": lambda: torch.mul(a, a),
        "matmul 16x16": lambda: torch.matmul(m, m),
        "reshape": lambda: torch.reshape(x, [32, 8]),
        "reduce_sum": lambda: torch.sum(x, dim=1),
        "slice": lambda: x[2:6],
        "concat": lambda: torch.cat([x, x], 0),
        "cast": lambda: a.to(torch.float64),
    }


def tf_step(tf: Any) -> Any:
    """An eager step of an MLP 64-128-10, batch 32, Adam."""
    model = tf.keras.Sequential([tf.keras.layers.Dense(128, activation="relu"), tf.keras.layers.Dense(10)])
    model.build([None, 64])
    optimizer = tf.keras.optimizers.Adam(1e-3)
    loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    x = tf.random.normal([32, 64])
    y = tf.random.uniform([32], 0, 10, dtype=tf.int32)

    def step() -> Any:
        with tf.GradientTape() as tape:
            loss = loss_fn(y, model(x, training=True))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    return step


def torch_step() -> Any:
    import torch

    model = torch.nn.Sequential(torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss_fn = torch.nn.CrossEntropyLoss()
    x, y = torch.randn(32, 64), torch.randint(0, 10, (32,))

    def step() -> Any:
        optimizer.zero_grad(set_to_none=True)
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def import_seconds() -> tuple[float, float]:
    """Seconds that `import torch` and `import torch, tf2compat` take, best of five fresh processes each."""
    best = {"import torch": float("inf"), "import torch, tf2compat": float("inf")}
    for _ in range(5):
        for what in best:  # in turn, since machines drift
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", what], check=True)
            best[what] = min(best[what], time.perf_counter() - start)
    return best["import torch"], best["import torch, tf2compat"]


def run(tensorflow: str | None) -> dict[str, Any]:
    import tf2compat

    theirs = peer("benchmarks._eager_tensorflow", tensorflow, "tensorflow")
    ours, plain = ops(tf2compat), torch_ops()
    rows, ratios, speedups = [], [], []
    for name in ours:
        best = interleaved({"tf2compat": ours[name], "torch": plain[name]})
        ratio = best["tf2compat"] / best["torch"]
        ratios.append(ratio)
        row = [name, best["torch"], best["tf2compat"], ratio]
        if theirs is not None:
            speedups.append(theirs[name] / best["tf2compat"])
            row += [theirs[name], speedups[-1]]
        rows.append(row)
    extra = ["TensorFlow µs", "times faster"] if theirs is not None else []
    table("Eager ops", ["op", "torch µs", "tf2compat µs", "ratio", *extra], rows)
    print(f"  geometric mean of the overhead: {geometric_mean(ratios):.2f}" + (f"; {geometric_mean(speedups):.1f} times faster than TensorFlow" if speedups else ""))

    steps = interleaved({"tf2compat": tf_step(tf2compat), "torch": torch_step()}, seconds=3.0)
    row = ["MLP + Adam step", steps["torch"], steps["tf2compat"], steps["tf2compat"] / steps["torch"]]
    if theirs is not None:
        row += [theirs["step"], theirs["step"] / steps["tf2compat"]]
    table("Eager training step", ["step", "torch µs", "tf2compat µs", "ratio", *extra], [row])
    bare, both = import_seconds()
    print(f"\nimport torch {bare:.2f} s; with tf2compat {both:.2f} s: {both - bare:+.2f} s")
    return {"ops": rows, "geometric_mean": geometric_mean(ratios), "step": row, "import": [bare, both]}
