"""Records what real TensorFlow answers to the cases. Run it with a Python that has TensorFlow and tf-keras:

    python tests/conformance/record.py                # cases that have no recording yet
    python tests/conformance/record.py math_unary     # only these files
    python tests/conformance/record.py --all          # everything anew

A case that raises without a leading ``!`` (or the reverse) is reported and not recorded.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness  # noqa: E402


def main(arguments: list[str]) -> int:
    anew = "--all" in arguments
    wanted = {Path(a).stem for a in arguments if not a.startswith("-")}
    unknown = wanted - {p.stem for p in harness.case_files()}
    if unknown:
        print(f"no such case file: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    import tensorflow as tf

    failures = 0
    for path in harness.case_files():
        if wanted and path.stem not in wanted:
            continue
        known = {} if anew else harness.load_recording(path.stem)
        recording, fresh = {}, 0
        for case in harness.parse(path):
            outcome = known.get(case.key)
            if outcome is None:
                outcome = harness.run(case, tf)
                fresh += 1
                if case.optional and ("raises" in outcome) != case.raises:
                    outcome = {"unsupported": outcome.get("message", "")[:200]}
                elif ("raises" in outcome) != case.raises:
                    failures += 1
                    print(f"{path.name}:{case.line}: {case.title}\n    {json.dumps(outcome)[:400]}", file=sys.stderr)
                    continue
            recording[case.key] = outcome
        if fresh or recording.keys() != known.keys():
            lines = [f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in recording.items()]
            target = harness.RECORDED / f"{path.stem}.json"
            target.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
        print(f"{path.stem}: {len(recording)} cases, {fresh} new")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
