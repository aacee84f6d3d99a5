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


#: small members of the families, whose outputs are compared with the same weights
COMPARED = (
    "VGG16 include_top=False, input_shape=(32, 32, 3)",
    "ResNet50V2 include_top=False, input_shape=(32, 32, 3), pooling='avg'",
    "InceptionV3 include_top=False, input_shape=(75, 75, 3), pooling='max'",
    "Xception include_top=False, input_shape=(71, 71, 3), pooling='avg'",
    "MobileNet alpha=0.25, input_shape=(32, 32, 3), classes=9",
    "MobileNetV2 alpha=0.35, input_shape=(32, 40, 3), classes=9",
    "MobileNetV3Small input_shape=(32, 32, 3), classes=9",
    "DenseNet121 include_top=False, input_shape=(32, 32, 3), pooling='avg'",
    "NASNetMobile include_top=False, input_shape=(32, 32, 3), pooling='avg'",
    "EfficientNetB0 input_shape=(32, 32, 3), classes=9",
    "EfficientNetV2B0 input_shape=(32, 32, 3), classes=9",
    "ConvNeXtTiny input_shape=(32, 32, 3), classes=9",
    "RegNetX002 input_shape=(32, 32, 3), classes=9",
    "RegNetY002 input_shape=(32, 32, 3), classes=9",
    "ResNetRS50 input_shape=(32, 32, 3), classes=9",
)


def output(tf: Any, case: str) -> list[float]:
    """Some numbers of what a network with given weights says to a given image."""
    import numpy as np

    model = build(tf, case)
    values = []
    for i, w in enumerate(model.weights):
        shape = tuple(w.shape)
        wave = np.sin(np.arange(1, int(np.prod(shape)) + 1) * (0.7 + 0.01 * (i % 13))).reshape(shape).astype("float32")
        name = w.name.split("/")[-1]
        if "kernel" in name and len(shape) > 1:
            wave *= np.sqrt(3.0 / np.prod(shape[:-1] if "depthwise" not in name else shape[:2]))
        elif "gamma" in name or "variance" in name:
            wave = 1 + 0.3 * wave
        else:
            wave *= 0.1
        values.append(wave if "count" not in name else np.zeros(shape))
    model.set_weights(values)
    size = model.input_shape[1:]
    x = 127.5 + 127.5 * np.sin(np.arange(2 * int(np.prod(size))) * 0.37).reshape((2, *size)).astype("float32")
    y = np.asarray(model(x, training=False)).astype("float64").reshape(2, -1)
    return [float(v) for v in (y[:, :: max(1, y.shape[1] // 4)][:, :4].ravel())] + [float(y.std())]


def outputs() -> None:
    import tensorflow as tf

    (HERE / "outputs.json").write_text(json.dumps({case: output(tf, case) for case in COMPARED}, indent=0) + "\n")


if __name__ == "__main__":
    globals()[sys.argv[1]]()
