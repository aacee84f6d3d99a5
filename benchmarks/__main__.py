"""`python -m benchmarks NAME [--tensorflow PYTHON] [--json FILE]`.

A peer that is not installed in this interpreter can be measured in another one: `--tensorflow /path/to/python`.
"""

from __future__ import annotations

import argparse
import importlib
import json
from pathlib import Path

NAMES = sorted(p.stem for p in Path(__file__).parent.glob("*.py") if not p.stem.startswith("_") and p.stem not in ("timing",))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--tensorflow", metavar="PYTHON", help="an interpreter that has TensorFlow with tf-keras")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    args = parser.parse_args()
    result = importlib.import_module(f"benchmarks.{args.name}").run(args.tensorflow)
    if args.json:
        Path(args.json).write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
