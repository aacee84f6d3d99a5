"""`fit`, `predict` and a layer's call beside TensorFlow's Keras 2 and torch by hand."""

from __future__ import annotations

from typing import Any

from . import _keras_programs as programs
from ._keras_torch import dense_call, mlp_epoch
from .timing import peer, table


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
    by_hand = mlp_epoch(programs.STEPS, programs.BATCH)
    layer, raw = dense_call()
    table("beside torch by hand", ["", "tf2compat", "torch", "ratio"],
          [["MLP epoch, ms", ours["MLP: epoch"] * 1e3, by_hand * 1e3, ours["MLP: epoch"] / by_hand],
           ["Dense call, us", layer, raw, layer / raw]])  # fmt: skip
    return {"ours": ours, "tensorflow": theirs, "torch MLP epoch": by_hand, "Dense call": layer, "Dense in torch": raw}
