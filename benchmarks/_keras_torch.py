"""The MLP of the Keras benchmark as a loop by hand in torch."""

from __future__ import annotations

import time

import numpy as np
import torch


def mlp_epoch(steps: int, batch: int) -> float:
    """Seconds of an epoch, best of 3: data of the same sizes, Adam, loss and accuracy summed as `fit` reports them."""
    x = torch.as_tensor(np.random.rand(steps * batch, 64).astype("float32"))
    y = torch.as_tensor(np.random.randint(0, 10, steps * batch))
    model = torch.nn.Sequential(torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    best = float("inf")
    for _ in range(4):
        start = time.perf_counter()
        order = torch.randperm(steps * batch)
        total = torch.zeros(())
        hits = torch.zeros(())
        for i in range(steps):
            rows = order[i * batch : (i + 1) * batch]
            a, b = x[rows], y[rows]
            out = model(a)
            loss = torch.nn.functional.cross_entropy(out, b)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach()
            hits += (out.argmax(-1) == b).sum()
        float(total), float(hits)
        best = min(best, time.perf_counter() - start)
    return best


def dense_call() -> tuple[float, float]:
    """Microseconds of a call of a built Dense layer on a small input, and of its torch operation alone."""
    import tf2compat as tf

    from .timing import interleaved

    layer = tf.keras.layers.Dense(10)
    x = tf.random.normal([4, 16])
    layer(x)
    kernel, bias, raw = layer.kernel.torch(), layer.bias.torch(), x.torch()
    found = interleaved({"layer": lambda: layer(x), "torch": lambda: torch.addmm(bias, raw, kernel)})
    return found["layer"], found["torch"]
