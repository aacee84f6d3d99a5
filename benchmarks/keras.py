"""`fit`, `predict` and a layer's call beside TensorFlow's Keras 2 and torch by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import _keras_programs as programs
from ._keras_torch import dense_call, epoch_of, side_by_side
from .timing import peer, table


def _epochs(compiled: bool) -> dict[str, Callable[[], Any]]:
    """For each program a function that trains for an epoch by `fit`, replayed or compiled."""
    import tf2compat as tf

    before = tf2compat_mode("always" if compiled else "never")
    calls = {}
    labels = programs.labels()
    for name, (model, x) in programs.models(tf.keras).items():
        programs.compile_model(tf.keras, model)
        calls[name] = lambda model=model, x=x: model.fit(x, labels, batch_size=programs.BATCH, epochs=1, verbose=0)
        calls[name]()
        calls[name]()
    tf2compat_mode(before)
    return calls


def tf2compat_mode(mode: str) -> str:
    import tf2compat

    before = tf2compat.compile_options()["mode"]
    tf2compat.compile_options(mode=mode)
    return before


def _by_hand(compiled: bool) -> dict[str, tuple[float, float]]:
    ours = _epochs(compiled)
    theirs = {name: epoch_of(name, programs.STEPS, programs.BATCH, compiled) for name in ours}
    before = tf2compat_mode("always" if compiled else "never")
    for epoch in theirs.values():
        epoch()
    found = side_by_side(ours, theirs)
    tf2compat_mode(before)
    return found


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
    rows = [[f"{name}{kind}", a * 1e3, b * 1e3, a / b] for kind, found in (("", eager), (", compiled", compiled)) for name, (a, b) in found.items()]
    table("an epoch beside torch by hand, milliseconds", ["", "tf2compat", "torch", "ratio"], rows)
    layer, raw = dense_call()
    table("a layer's call, microseconds", ["", "tf2compat", "torch", "ratio"], [["Dense", layer, raw, layer / raw]])
    return {"ours": ours, "tensorflow": theirs, "by hand": eager, "by hand, compiled": compiled, "Dense call": layer, "Dense in torch": raw}
