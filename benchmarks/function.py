"""`tf.function`: first call, replayed and compiled steps, loops and call overhead, with plain torch and TensorFlow beside."""

from __future__ import annotations

import time
from typing import Any

from .timing import alternating, interleaved, peer, table


def step(tf: Any) -> Any:
    """A traced step of an MLP 784-128-10, batch 32, Adam written out."""
    shapes = [[784, 128], [128], [128, 10], [10]]
    weights = [tf.Variable(tf.random.normal(s) * 0.05) for s in shapes]
    first = [tf.Variable(tf.zeros(s)) for s in shapes]
    second = [tf.Variable(tf.zeros(s)) for s in shapes]
    x = tf.random.normal([32, 784])
    y = tf.constant([i % 10 for i in range(32)])

    def train(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            h = tf.nn.relu(tf.matmul(x, weights[0]) + weights[1])
            logits = tf.matmul(h, weights[2]) + weights[3]
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
        for w, g, m, s in zip(weights, tape.gradient(loss, weights), first, second, strict=True):
            m.assign(0.9 * m + 0.1 * g)
            s.assign(0.999 * s + 0.001 * g * g)
            w.assign_sub(0.001 * m / (tf.sqrt(s) + 1e-7))
        return loss

    return train, x, y


def lstm(tf: Any) -> Any:
    """A traced training step of an LSTM of 64 units over 28 steps of 28 features, batch 32, by SGD."""
    units, features = 64, 28
    kernel = tf.Variable(tf.random.normal([features + units, 4 * units]) * 0.05)
    bias = tf.Variable(tf.zeros([4 * units]))
    x = tf.random.normal([32, 28, features])

    def train(x: Any) -> Any:
        with tf.GradientTape() as tape:
            h = c = tf.zeros([32, units])
            rows = tf.transpose(x, [1, 0, 2])
            for i in tf.range(28):
                gates = tf.matmul(tf.concat([rows[i], h], 1), kernel) + bias
                a, f, o, g = tf.split(gates, 4, 1)
                c = tf.sigmoid(f) * c + tf.sigmoid(a) * tf.tanh(g)
                h = tf.sigmoid(o) * tf.tanh(c)
            loss = tf.reduce_mean(h * h)
        for v, g in zip((kernel, bias), tape.gradient(loss, [kernel, bias]), strict=True):
            v.assign_sub(0.1 * g)
        return loss

    return train, x


def programs(tf: Any) -> dict[str, Any]:
    """The traced programs that are timed, ready to call."""
    train, x, y = step(tf)
    rnn, seq = lstm(tf)
    traced, traced_rnn = tf.function(train), tf.function(rnn)
    nothing = tf.function(lambda t: t)
    one = tf.constant(1.0)

    @tf.function
    def count(n: Any) -> Any:
        i, s = 0, 0.0
        while i < n:
            s += 0.5
            i += 1
        return s

    many = tf.constant(10_000)
    return {
        "MLP + Adam": lambda: traced(x, y),
        "LSTM(64) x 28": lambda: traced_rnn(seq),
        "while, 10,000 rounds": lambda: count(many),
        "no-op": lambda: nothing(one),
    }


def first_call(tf: Any) -> float:
    """Milliseconds of the first call of the MLP step, in a process that has traced something."""
    tf.function(lambda a: tf.matmul(a, a) + 1.0)(tf.zeros([2, 2]))
    train, x, y = step(tf)
    start = time.perf_counter()
    tf.function(train)(x, y)
    return (time.perf_counter() - start) * 1e3


def torch_steps() -> dict[str, Any]:
    """The MLP step in plain torch: eager, and compiled whole."""
    import torch

    shapes = [[784, 128], [128], [128, 10], [10]]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    weights = [(torch.randn(s, device=device) * 0.05) for s in shapes]
    first, second = [torch.zeros(s, device=device) for s in shapes], [torch.zeros(s, device=device) for s in shapes]
    x, y = torch.randn(32, 784, device=device), torch.arange(32, device=device) % 10

    def train(x: Any, y: Any, weights: Any, first: Any, second: Any) -> Any:
        leaves = [w.detach().requires_grad_() for w in weights]
        h = torch.relu(x @ leaves[0] + leaves[1])
        loss = torch.nn.functional.cross_entropy(h @ leaves[2] + leaves[3], y)
        for w, g, m, s in zip(weights, torch.autograd.grad(loss, leaves), first, second, strict=True):
            m.copy_(0.9 * m + 0.1 * g)
            s.copy_(0.999 * s + 0.001 * g * g)
            w.sub_(0.001 * m / (torch.sqrt(s) + 1e-7))
        return loss.detach()

    from torch._inductor.compile_fx import compile_fx
    from torch.fx.experimental.proxy_tensor import make_fx

    flat = [x, y, *weights, *first, *second]

    def whole(*given: Any) -> Any:
        return (train(given[0], given[1], given[2:6], given[6:10], given[10:14]),)

    compiled = compile_fx(make_fx(whole)(*flat), flat)

    def run() -> Any:
        with torch.no_grad():
            return compiled(*flat)

    return {"torch eager": lambda: train(x, y, weights, first, second), "torch compiled": run}


def run(tensorflow: str | None) -> dict[str, Any]:
    import tf2compat

    theirs = peer("benchmarks._function_tensorflow", tensorflow, "tensorflow")
    first = first_call(tf2compat)
    tf2compat.compile_options(mode="never")
    replayed = programs(tf2compat)
    for call in replayed.values():
        call()
    tf2compat.compile_options(mode="always")
    compiled = {name: call for name, call in programs(tf2compat).items() if name in ("MLP + Adam", "LSTM(64) x 28")}
    for call in compiled.values():
        call()
    tf2compat.compile_options(mode="never")
    best = interleaved({f"{n}|replayed": c for n, c in replayed.items()} | {f"{n}|compiled": c for n, c in compiled.items()}, seconds=2.0)
    mlp = "MLP + Adam"
    close = alternating({"replayed": replayed[mlp], "compiled": compiled[mlp], **torch_steps()})
    rows = []
    for name in replayed:
        row = [name, best[f"{name}|replayed"], best.get(f"{name}|compiled", float("nan"))]
        if theirs is not None:
            row += [theirs[name], theirs[name] / min(v for v in row[1:3] if v == v)]
        rows.append(row)
    extra = ["TensorFlow µs", "times faster"] if theirs is not None else []
    table("Traced functions", ["program", "replayed µs", "compiled µs", *extra], rows)
    plain = [
        [kind, close[ours], close[theirs], close[ours] / close[theirs]]
        for kind, ours, theirs in (("replayed / eager", "replayed", "torch eager"), ("compiled / compiled by hand", "compiled", "torch compiled"))
    ]
    table("MLP + Adam beside plain torch, a few calls of each in turn", ["step", "tf2compat µs", "torch µs", "ratio"], plain)
    print(f"\nfirst call of the MLP step: {first:.0f} ms" + (f"; TensorFlow's {theirs['first']:.0f} ms" if theirs is not None else ""))
    return {"programs": rows, "torch": plain, "first_call_ms": first, "tensorflow_first_call_ms": None if theirs is None else theirs["first"]}
