"""`fit`, `predict` and a layer's call beside TensorFlow's Keras 2 and torch by hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from . import _keras_programs as programs
from ._keras_torch import dense_call, epoch_of, side_by_side
from .timing import peer, table


def _epoch_of(model: Any, x: Any, classes: Any) -> Callable[[list[float]], None]:
    """A function that trains for an epoch by `fit` and notes when each step began."""
    train = model.make_train_function()
    noted: list[list[float]] = [[]]

    def noting(iterator: Any) -> Any:
        noted[0].append(time.perf_counter())
        return train(iterator)

    def epoch(begun: list[float]) -> None:
        noted[0] = begun
        model.train_function = noting
        model.fit(x, classes, batch_size=programs.BATCH, epochs=1, verbose=0)

    return epoch


def _by_hand(compiled: bool) -> dict[str, tuple[float, float]]:
    """Steps of `fit` and of loops by hand, replayed beside eager or compiled beside `torch.compile(model)`."""
    import tf2compat
    from tf2compat import keras

    before = tf2compat.compile_options()["mode"]
    tf2compat.compile_options(mode="always" if compiled else "never")
    try:
        ours, theirs, classes = {}, {}, programs.labels()
        for name, (model, x) in programs.models(keras).items():
            programs.compile_model(keras, model)
            ours[name] = _epoch_of(model, x, classes)
            theirs[name] = epoch_of(name, programs.STEPS, programs.BATCH, compiled)
            for epoch in (ours[name], theirs[name], ours[name]):
                epoch([])
        return side_by_side(ours, theirs)
    finally:
        tf2compat.compile_options(mode=before)


def run(tensorflow: str | None) -> dict[str, Any]:
    """Measure and print; the figures."""
    import tf2compat as tf

    ours = programs.measure(tf.keras)
    theirs = peer("benchmarks._keras_programs", tensorflow, "tensorflow")
    rows = []
    for name, seconds in ours.items():
        other = theirs[name] if theirs else None
        rows.append([name, seconds * 1e3, "" if other is None else other * 1e3, "" if other is None else other / seconds])
    table("fit and predict, milliseconds", ["", "tf2compat", "TensorFlow", "times faster"], rows)
    eager, compiled = _by_hand(False), _by_hand(True)
    rows = [[f"{name}{kind}", a * 1e6, b * 1e6, a / b] for kind, found in (("", eager), (", compiled", compiled)) for name, (a, b) in found.items()]
    table("a step beside torch by hand, microseconds", ["", "tf2compat", "torch", "ratio"], rows)
    layer, raw = dense_call()
    table("a layer's call, microseconds", ["", "tf2compat", "torch", "ratio"], [["Dense", layer, raw, layer / raw]])
    return {"ours": ours, "tensorflow": theirs, "by hand": eager, "by hand, compiled": compiled, "Dense call": layer, "Dense in torch": raw}
