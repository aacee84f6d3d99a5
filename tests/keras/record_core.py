"""Record `core_cases` under TensorFlow with Keras 2: `TF_USE_LEGACY_KERAS=1 python record_core.py`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import tensorflow as tf

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import core_cases  # noqa: E402
import core_errors  # noqa: E402


def main() -> None:
    found = {name: case(tf) for name, case in core_cases.CASES.items()}
    (HERE / "recorded_core.json").write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")
    errors = {name: core_errors.outcome(tf, fn) for name, fn in core_errors.CASES.items()}
    (HERE / "recorded_errors.json").write_text(json.dumps(errors, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
