"""Files of Keras 3 load into the layers here, predict the same, and go on training the same."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

import tf2compat as tf

FILES = Path(__file__).parents[1] / "conformance" / "files" / "keras3"


@pytest.mark.parametrize("file", sorted(p.name for p in FILES.iterdir() if p.suffix in (".keras", ".h5") and ".weights." not in p.name))
def test_models(file: str) -> None:
    recorded = np.load(FILES / (file.split(".")[0] + ".npz"))
    model = tf.keras.models.load_model(str(FILES / file))
    np.testing.assert_allclose(model.predict(recorded["x"], verbose=0), recorded["predictions"], rtol=1e-4, atol=1e-5)
    model.fit(recorded["x"], recorded["y"], batch_size=3, epochs=1, verbose=0, shuffle=False)
    np.testing.assert_allclose(model.predict(recorded["x"], verbose=0), recorded["after"], rtol=1e-4, atol=1e-5)


def test_weights() -> None:
    recorded = np.load(FILES / "sequential.npz")
    model = tf.keras.Sequential(
        [tf.keras.layers.Dense(5, activation="relu", input_shape=(4,), kernel_regularizer="l2"), tf.keras.layers.BatchNormalization(), tf.keras.layers.Dense(2)]
    )
    model.compile(tf.keras.optimizers.Adam(0.01), "mse")
    model.load_weights(str(FILES / "sequential.weights.h5"))
    np.testing.assert_allclose(model.predict(recorded["x"], verbose=0), recorded["predictions"], rtol=1e-4, atol=1e-5)


def _changed(tmp_path: Path, change: object) -> str:
    target = tmp_path / "changed.keras"
    with zipfile.ZipFile(FILES / "functional.keras") as source, zipfile.ZipFile(target, "w") as out:
        for name in source.namelist():
            content = source.read(name)
            if name == "config.json":
                config = json.loads(content)
                change(config)  # type: ignore[operator]
                content = json.dumps(config).encode()
            out.writestr(name, content)
    return str(target)


def test_what_keras_2_lacks_is_named(tmp_path: Path) -> None:
    def quantized(config: dict) -> None:
        dense = next(entry for entry in config["config"]["layers"] if entry["class_name"] == "Dense")
        dense["config"]["quantization_config"] = {"bits": 4}

    with pytest.raises(ValueError, match="quantization_config"):
        tf.keras.models.load_model(_changed(tmp_path, quantized))

    def operation(config: dict) -> None:
        entry = next(entry for entry in config["config"]["layers"] if "ops" in entry["module"])
        entry["class_name"] = "Einsum"

    with pytest.raises(ValueError, match="Einsum"):
        tf.keras.models.load_model(_changed(tmp_path, operation))
