"""Losses, metrics, optimizers, training and summaries against what Keras 2 gave."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest

import tf2compat as tf

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import core_cases  # noqa: E402
import core_errors  # noqa: E402

RECORDED = json.loads((HERE / "recorded_core.json").read_text(encoding="utf-8"))
ERRORS = json.loads((HERE / "recorded_errors.json").read_text(encoding="utf-8"))
TOLERANCE = {"curve": 1e-3}


def _differences(ours: Any, theirs: Any, rtol: float, path: str = "") -> list[str]:
    if isinstance(theirs, dict):
        out = []
        for k, v in theirs.items():
            out += [f"{path}/{k} is missing"] if k not in ours else _differences(ours[k], v, rtol, f"{path}/{k}")
        return out
    if isinstance(theirs, list):
        if not isinstance(ours, list) or len(ours) != len(theirs):
            return [f"{path}: {ours!r} != {theirs!r}"]
        return [d for i, (a, b) in enumerate(zip(ours, theirs, strict=True)) for d in _differences(a, b, rtol, f"{path}/{i}")]
    if isinstance(theirs, float) and isinstance(ours, (int, float)):
        if math.isnan(theirs):
            return [] if math.isnan(ours) else [f"{path}: {ours} != nan"]
        return [] if math.isclose(ours, theirs, rel_tol=rtol, abs_tol=1e-6) else [f"{path}: {ours} != {theirs}"]
    return [] if ours == theirs else [f"{path}:\n{ours}\n!=\n{theirs}"]


@pytest.mark.parametrize("name", list(core_cases.CASES))
def test_as_keras(name: str) -> None:
    tf.keras.backend.clear_session()
    found = json.loads(json.dumps(core_cases.CASES[name](tf)))
    wrong = _differences(found, RECORDED[name], TOLERANCE.get(name.split("/")[0], 1e-5 if not tf.config.list_physical_devices("GPU") else 1e-4))
    assert not wrong, "\n".join(wrong[:20])


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.host) if "out of range" in n else n for n in core_errors.CASES])
def test_wrong_use(name: str) -> None:
    found = core_errors.outcome(tf, core_errors.CASES[name])
    assert found["type"] == ERRORS[name]["type"], f"{found} != {ERRORS[name]}"
    if found["type"]:
        assert len(found["text"]) >= 10


def test_a_layer_that_is_built_again_has_its_weights_once():
    dense = tf.keras.layers.Dense(3)
    dense.build((4,))
    first = dense.bias
    dense.build([None, 4])
    assert [w.name for w in dense.weights] == ["kernel:0", "bias:0"] and dense.bias is not first
    dense.bias = None
    assert [w.name for w in dense.weights] == ["kernel:0"]


def test_names_of_models_with_digits():
    class TFGPT2Model(tf.keras.Model):
        pass

    assert TFGPT2Model().name.startswith("tfgpt2_model")
