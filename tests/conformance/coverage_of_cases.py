"""Lists public functions that fewer than three calls in the case files use.

    python tests/conformance/coverage_of_cases.py path/to/tf_public_api.tsv

The table has TensorFlow's public names, kinds and signatures, tab-separated. Names with the same last part
and signature (``tf.abs``, ``tf.math.abs``) are one function. Calls count in cases that TensorFlow answers.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness  # noqa: E402

NAMESPACES = ("", "math", "math.special", "nn", "random", "bitwise", "debugging", "dtypes", "nest")
# Not eager functions of values (graph construction, native libraries, TensorFlow 1), or tested by files of their own.
ELSEWHERE = re.compile(
    r"ctc_|candidate_sampler|sampled_softmax|nce_loss|compute_accidental|load_library|load_op_library|import_graph_def"
    r"|no_gradient|nondifferentiable_batch|ragged_fill|check_pinned|approx_top_k|fftnd|fft|collapse_repeated"
    r"|conv2d_backprop_(input|filter)_v2|approx_min_k|\.function$|check_numerics$|get_logger|set_log_device|traceback_filtering"
)


def public_functions(table: Path) -> dict[tuple[str, str], list[str]]:
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for line in table.read_text(encoding="utf-8").splitlines()[1:]:
        name, kind, signature = [*line.split("\t"), ""][:3]
        space, _, leaf = name[3:].rpartition(".")
        if kind == "function" and space in NAMESPACES and not ELSEWHERE.search(name):
            groups[leaf, signature].append(name)
    return groups


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    calls: dict[str, int] = defaultdict(int)
    for path in harness.case_files():
        recording = harness.load_recording(path.stem)
        for case in harness.parse(path):
            if "unsupported" not in recording.get(case.key, ()):
                for name in re.findall(r"\btf(?:\.\w+)+", case.source):
                    calls[name] += 1
    groups = public_functions(Path(arguments[0]))
    few = {tuple(names): sum(calls[n] for n in names) for names in groups.values()}
    few = {names: count for names, count in few.items() if count < 3}
    for names, count in sorted(few.items()):
        print(f"{count}  {' '.join(names)}")
    print(f"{len(few)} of {len(groups)} functions have fewer than three calls")
    return 1 if few else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
