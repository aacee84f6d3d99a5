"""Records what Keras 2 answers to the layer cases. Run it with a Python that has TensorFlow and tf-keras; `--all` anew."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
sys.path.insert(0, str(Path(__file__).resolve().parent))

from layer_cases import CASES, run_layer_case  # noqa: E402

TARGET = Path(__file__).resolve().parent / "recorded" / "layers.json"


def main() -> int:
    import tensorflow as tf

    known = {} if "--all" in sys.argv or not TARGET.exists() else json.loads(TARGET.read_text(encoding="utf-8"))
    found = {}
    failed = 0
    for case in CASES:
        if case.key in found:
            raise SystemExit(f"repeated: {case.key}")
        if case.key in known:
            found[case.key] = known[case.key]
            continue
        try:
            found[case.key] = run_layer_case(tf, case)
        except Exception as error:  # noqa: BLE001 - reported, not recorded
            failed += 1
            print(f"{case.key}\n    {type(error).__name__}: {str(error)[:300]}", file=sys.stderr)
    lines = [f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in found.items()]
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{len(found)} cases, {len(found) - len(known)} new, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
