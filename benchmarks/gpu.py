"""What a GPU is given: traced steps, small Keras models, and models of a size that a GPU is for, beside eager torch by hand.

The large models have the same numbers of the same kinds of layers on both sides. Nothing is compiled: traced steps are CUDA graphs here
and single operations in torch.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .function import programs, torch_steps
from .keras import _by_hand as small_models
from .timing import interleaved, table

STEPS = 20
WIDTH, HEADS, LAYERS, LENGTH, WORDS = 512, 8, 6, 256, 8192


class _Residual(nn.Module):
    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.parts = nn.Sequential(
            nn.Conv2d(inputs, width, 1, stride), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, 4 * width, 1), nn.BatchNorm2d(4 * width),
        )  # fmt: skip
        self.short = nn.Sequential(nn.Conv2d(inputs, 4 * width, 1, stride), nn.BatchNorm2d(4 * width)) if inputs != 4 * width or stride > 1 else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.parts(x) + self.short(x))


def _resnet_torch() -> nn.Module:
    blocks: list[nn.Module] = [nn.Conv2d(3, 64, 7, 2, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    inputs = 64
    for width, count, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for i in range(count):
            blocks.append(_Residual(inputs, width, stride if i == 0 else 1))
            inputs = 4 * width
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000)).to(memory_format=torch.channels_last)


class _Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.wide, self.narrow = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, t, _ = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(n, t, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(n, t, WIDTH)
        x = x + self.out(y)
        return x + self.narrow(F.gelu(self.wide(self.norm2(x))))


class _Language(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(WORDS, WIDTH), nn.Embedding(LENGTH, WIDTH)
        self.blocks = nn.Sequential(*[_Block() for _ in range(LAYERS)])
        self.norm, self.out = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, WORDS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.norm(self.blocks(self.words(x) + self.places.weight)))


def _language_keras(tf: Any) -> Any:
    layers = tf.keras.layers
    x = layers.Input((LENGTH,), dtype="int32")
    y = layers.Embedding(WORDS, WIDTH)(x) + layers.Embedding(LENGTH, WIDTH)(tf.range(LENGTH))
    for _ in range(LAYERS):
        z = layers.LayerNormalization()(y)
        y = y + layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(z, z, use_causal_mask=True)
        z = layers.LayerNormalization()(y)
        y = y + layers.Dense(WIDTH)(layers.Dense(4 * WIDTH, activation="gelu")(z))
    return tf.keras.Model(x, layers.Dense(WORDS, dtype="float32")(layers.LayerNormalization()(y)))


def _data(name: str, batch: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    if name == "ResNet-50":
        return rng.random((STEPS * batch, 128, 128, 3), dtype="float32"), rng.integers(0, 1000, STEPS * batch)
    return rng.integers(0, WORDS, (STEPS * batch, LENGTH)).astype("int32"), rng.integers(0, WORDS, (STEPS * batch, LENGTH))


def _ours(tf: Any, name: str, batch: int, half: bool) -> float:
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16" if half else "float32")
    try:
        model = tf.keras.applications.ResNet50(weights=None, input_shape=(128, 128, 3), classifier_activation=None) if name == "ResNet-50" else _language_keras(tf)
        model.compile(tf.keras.optimizers.Adam(1e-4), tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        x, y = _data(name, batch)
        best = float("inf")
        for _ in range(5):
            start = time.perf_counter()
            model.fit(x, y, batch_size=batch, epochs=1, verbose=0)
            best = min(best, (time.perf_counter() - start) / STEPS)
        return best
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")


def _by_hand(name: str, batch: int, half: bool) -> float:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    x, y = (torch.as_tensor(v) for v in _data(name, batch))
    x, y = (x.permute(0, 3, 1, 2) if name == "ResNet-50" else x).to(device), y.to(device)
    model = (_resnet_torch() if name == "ResNet-50" else _Language()).to(device)
    optimizer = torch.optim.Adam(model.parameters(), 1e-4, fused=True)
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        total = torch.zeros((), device=device)
        order = torch.randperm(STEPS * batch, device=device)
        for i in range(STEPS):
            rows = order[i * batch : (i + 1) * batch]
            with torch.autocast(device, torch.bfloat16, enabled=half):
                out = model(x[rows])
            loss = F.cross_entropy(out.float().reshape(-1, out.shape[-1]), y[rows].reshape(-1))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach()
        float(total)
        best = min(best, (time.perf_counter() - start) / STEPS)
    return best


def run(tensorflow: str | None) -> dict[str, Any]:
    """Measure and print; the figures."""
    import tf2compat as tf

    before = tf.compile_options()["mode"]
    tf.compile_options(mode="never")
    try:
        return _measured(tf)
    finally:
        tf.compile_options(mode=before)


def _measured(tf: Any) -> dict[str, Any]:
    calls = {name: call for name, call in programs(tf).items() if name in ("MLP + Adam", "LSTM(64) x 28")} | {"torch": torch_steps()["torch eager"]}
    for _ in range(40):
        for call in calls.values():
            call()
    steps = interleaved(calls, seconds=1.5)
    table("a traced step, microseconds", ["", "tf2compat", "torch eager"], [
        ["MLP 784-128-10 + Adam, batch 32", steps["MLP + Adam"], steps["torch"]], ["LSTM(64) x 28 by hand", steps["LSTM(64) x 28"], ""],
    ])  # fmt: skip
    small = small_models(False)
    rows: list[list[Any]] = [[name, a * 1e6, b * 1e6, a / b] for name, (a, b) in small.items()]
    table("a step of fit, microseconds", ["", "tf2compat", "torch by hand", "ratio"], rows)
    rows, found = [], {}
    for name, batch, half in (("ResNet-50", 64, False), ("ResNet-50", 64, True), ("language model", 16, False), ("language model", 16, True)):
        ours, theirs = _ours(tf, name, batch, half), _by_hand(name, batch, half)
        title = f"{name}, batch {batch}, {'bfloat16' if half else 'float32'}"
        rows.append([title, ours * 1e3, theirs * 1e3, ours / theirs])
        found[title] = {"ours": ours, "torch": theirs}
    table("a step, milliseconds", ["", "tf2compat", "torch by hand", "ratio"], rows)
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    print(f"\n{device}, torch {torch.__version__}")
    return {"device": device, "traced": steps, "small": small, "large": found}
