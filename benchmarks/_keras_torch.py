"""The programs of the Keras benchmark as loops by hand in torch: the same models, data, optimizer and reports."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn


class _LastOfLSTM(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.out = nn.LSTM(8, 32, batch_first=True), nn.Linear(32, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.lstm(x)[0][:, -1])


class _Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(8, 32)
        self.attention = nn.MultiheadAttention(32, 2, batch_first=True)
        self.norm1, self.norm2 = nn.LayerNorm(32), nn.LayerNorm(32)
        self.wide, self.narrow, self.out = nn.Linear(32, 64), nn.Linear(64, 32), nn.Linear(32, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.first(x)
        y = self.norm1(y + self.attention(y, y, y, need_weights=False)[0])
        y = self.norm2(y + self.narrow(torch.relu(self.wide(y))))
        return self.out(y.mean(1))


MODELS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "MLP": (lambda: nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)), (64,)),
    "convnet": (
        lambda: nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(144, 32), nn.ReLU(), nn.Linear(32, 10)),
        (1, 8, 8),
    ),
    "LSTM": (_LastOfLSTM, (16, 8)),
    "transformer": (_Encoder, (16, 8)),
}


def epoch_of(name: str, steps: int, batch: int, compiled: bool = False) -> Callable[[list[float]], None]:
    """A function that trains for an epoch and notes when each step began: shuffled rows, Adam, loss and accuracy summed as `fit` reports them.

    `compiled`: with `torch.compile(model)`.
    """
    make, shape = MODELS[name]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    x = torch.as_tensor(np.random.rand(steps * batch, *shape).astype("float32"), device=device)
    y = torch.as_tensor(np.random.randint(0, 10, steps * batch), device=device)
    model: Any = make().to(device)
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    if compiled:
        model = torch.compile(model)

    def epoch(begun: list[float]) -> None:
        order = torch.randperm(steps * batch, device=device)
        total = torch.zeros((), device=device)
        hits = torch.zeros((), device=device)
        for i in range(steps):
            begun.append(time.perf_counter())
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

    return epoch


def side_by_side(ours: Any, theirs: Any, rounds: int = 15) -> dict[str, tuple[float, float]]:
    """For each program the seconds of a step of ours and of theirs, epochs in turn: the tenth percentile, which a busy machine leaves alone."""
    found = {}
    for name in ours:
        steps: tuple[list[float], list[float]] = ([], [])
        for _ in range(rounds):
            for epoch, durations in zip((ours[name], theirs[name]), steps, strict=True):
                begun: list[float] = []
                start = time.perf_counter()
                epoch(begun)
                if torch.cuda.is_available():  # which works on after a step is said to be done, not after an epoch, whose loss is read
                    durations.append((time.perf_counter() - start) / len(begun))
                else:
                    durations.extend(np.diff(begun))
        found[name] = (float(np.percentile(steps[0], 10)), float(np.percentile(steps[1], 10)))
    return found


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
