"""The examples run unchanged through `python -m tf2compat`, and print what they print under TensorFlow."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RECORDED = ROOT / "tests" / "conformance" / "examples"
#: what they print depends on random numbers
TRAINING = {
    "linear_regression": [],
    "tape_training": ["2"],
    "digits_convnet": ["6"],
}


def run(name: str, *args: str) -> str:
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'adapters'}", "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-m", "tf2compat", str(ROOT / "examples" / f"{name}.py"), *args],
        env=env,
        capture_output=True,
        encoding="utf-8",
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def test_every_example_is_tested() -> None:
    names = {p.stem for p in (ROOT / "examples").glob("*.py")}
    assert names == {p.stem for p in RECORDED.glob("*.txt")} | set(TRAINING)
    for name in names:
        text = (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8")
        assert "import tensorflow as tf\n" in text and "tf2compat" not in text


@pytest.mark.parametrize("name", sorted(p.stem for p in RECORDED.glob("*.txt")))
def test_prints_what_it_prints_under_tensorflow(name: str) -> None:
    assert run(name).splitlines() == (RECORDED / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def test_linear_regression_finds_the_line() -> None:
    slope, offset = map(float, re.findall(r"slope (\S+), offset (\S+)", run("linear_regression"))[0])
    assert abs(slope - 3) < 0.15 and abs(offset - 2) < 0.15


def test_training_with_a_tape_learns() -> None:
    out = run("tape_training", *TRAINING["tape_training"])
    losses = [float(x) for x in re.findall(r"last 20 steps: (\S+)", out)]
    assert len(losses) == 2 and losses[1] < losses[0] < 2.3
    assert "logits of one untrained digit: (1, 10)" in out and "steps: 114" in out


def test_a_convnet_reads_digits_it_has_never_seen() -> None:
    out = run("digits_convnet", *TRAINING["digits_convnet"])
    assert out.startswith("1437 digits to learn from, 360 held out\n") and out.count("epoch ") >= 6
    assert float(re.findall(r"held-out accuracy: (\S+)%", out)[0]) > 95
