"""Record Keras' answers about `tf.keras.applications`; run under TensorFlow with TF_USE_LEGACY_KERAS=1.

`record.py architectures` writes one line for each case of cases.txt: name, number of layers, parameters, output shape, and a hash of
the description below. With FULL=folder it also leaves the descriptions, to see where two differ.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if value is None or isinstance(value, (str, int, bool)):
        return value
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return type(value).__name__


def describe(model: Any) -> list[str]:
    """A line for each layer: name, class, config, weights with shapes, output shape and where its inputs come from."""
    lines = []
    for layer in model.layers:
        config = plain(layer.get_config())
        config.pop("function", None)
        node = layer._inbound_nodes[0]
        sources = [entry[0].name for entry in node.iterate_inbound()] if hasattr(node, "iterate_inbound") else node_sources(node)
        weights = [(w.name, plain(tuple(w.shape)), bool(w.trainable)) for w in layer.weights]
        shape = plain(layer.output_shape)
        kind = type(layer).__name__
        lines.append(json.dumps([layer.name, kind, config, weights, shape, sources], sort_keys=True))
    return lines


def node_sources(node: Any) -> list[str]:
    return [x._keras_history.layer.name for x in node.flat_inputs]


def summary_line(case: str, model: Any) -> str:
    lines = describe(model)
    full = os.environ.get("FULL")
    if full:
        Path(full, case.replace(" ", "_").replace("/", "-")[:150]).write_text("\n".join(lines) + "\n")
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:24]
    shape = "x".join(str(n) for n in model.output_shape)
    return f"{case}\t{len(model.layers)}\t{model.count_params()}\t{shape}\t{digest}"


def build(tf: Any, case: str) -> Any:
    """The model of a case `Name key=value …`, in a session of its own."""
    name, _, rest = case.partition(" ")
    tf.keras.backend.clear_session()
    return getattr(tf.keras.applications, name)(weights=None, **eval(f"dict({rest})", {}))  # our own file


def cases() -> list[str]:
    return [line for line in (HERE / "cases.txt").read_text().splitlines() if line and not line.startswith("#")]


def architectures() -> None:
    import tensorflow as tf

    out = []
    for case in cases():
        out.append(summary_line(case, build(tf, case)))
        print(out[-1], flush=True)
    (HERE / "architectures.tsv").write_text("\n".join(out) + "\n")


if __name__ == "__main__":
    globals()[sys.argv[1]]()
