"""Training and inference of models of many kinds beside TensorFlow's Keras 2."""

from __future__ import annotations

from typing import Any

from . import _models
from .timing import geometric_mean, peer, table


def run(tensorflow: str | None) -> dict[str, Any]:
    """Measure and print; the figures. `TF2COMPAT_MODELS`: a part of the names of those that are wanted."""
    import tf2compat

    theirs = peer("benchmarks._models", tensorflow, "tensorflow")
    ours = _models.measure(tf2compat)
    rows = []
    for name, mine in ours.items():
        row: list[Any] = [name, *[seconds * 1e3 for seconds in mine]]
        rows.append(row if theirs is None else [*row, *[b / a for a, b in zip(mine, theirs[name], strict=True)]])  # type: ignore[call-overload]
    kinds = ["first epoch", "epoch", "forward"]
    table("Models", ["milliseconds", *kinds, *([] if theirs is None else [f"{k}: times faster" for k in kinds])], rows)
    if theirs is not None:
        print("geometric means: " + ", ".join(f"{k} {geometric_mean([row[4 + i] for row in rows]):.2f}" for i, k in enumerate(kinds)))
    return {"ours": ours, "tensorflow": theirs}
