"""Layers against what Keras 2 answered (see layer_cases.py)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from layer_cases import CASES, Case, run_layer_case  # noqa: E402

RECORDED = json.loads((Path(__file__).resolve().parent / "recorded" / "layers.json").read_text(encoding="utf-8"))


def differences(expected: Any, actual: Any, tol: float, where: str) -> list[str]:
    """Where two outcomes differ, numbers within a tolerance."""
    if isinstance(expected, dict) and "values" in expected:
        if not isinstance(actual, dict) or actual.get("shape") != expected["shape"] or actual.get("dtype") != expected["dtype"]:
            return [f"{where}: expected {expected}, got {actual}"]
        if not np.allclose(expected["values"], actual["values"], rtol=tol, atol=tol, equal_nan=True):
            worst = float(np.max(np.abs(np.array(expected["values"]) - np.array(actual["values"]))))
            return [f"{where}: off by {worst}: expected {expected['values'][:8]}, got {actual['values'][:8]}"]
        return []
    if isinstance(expected, dict):
        if not isinstance(actual, dict):
            return [f"{where}: expected {expected}, got {actual}"]
        found = [f"{where}.{k}: missing ({expected[k]})" for k in expected.keys() - actual.keys()]
        found += [f"{where}.{k}: extra ({actual[k]})" for k in actual.keys() - expected.keys()]
        for k in expected.keys() & actual.keys():
            found += differences(expected[k], actual[k], tol, f"{where}.{k}")
        return found
    if isinstance(expected, list):
        if not isinstance(actual, list) or len(actual) != len(expected):
            return [f"{where}: expected {expected}, got {actual}"]
        return [d for i, (e, a) in enumerate(zip(expected, actual, strict=True)) for d in differences(e, a, tol, f"{where}[{i}]")]
    return [] if expected == actual else [f"{where}: expected {expected!r}, got {actual!r}"]


@pytest.mark.parametrize("case", [pytest.param(c, id=c.key[:140]) for c in CASES])
def test_layer(case: Case) -> None:
    import tf2compat as tf

    expected = RECORDED[case.key]
    actual = json.loads(json.dumps(run_layer_case(tf, case)))
    found = differences(expected, actual, case.options.get("tol", 2e-5), case.layer)
    if found:
        pytest.fail("\n".join(found), pytrace=False)
