"""A process may end in the middle of a pipeline."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_threads_of_pipelines_end_with_it(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import tf2compat as tf\n"
        "rows = tf.data.Dataset.range(100_000).map(lambda i: {str(k): i + k for k in range(12)})\n"
        "inner = rows.shuffle(20_000).filter(lambda r: r['0'] >= 0).prefetch(2)\n"
        "ds = inner.map(lambda r: r['1']).filter(lambda x: x > 0).prefetch(2)\n"
        "it = iter(ds.repeat())\n"
        "next(it)\n"
        "other = iter(ds)\n"  # still filling its buffer when the process ends
        "print('done')\n"
    )
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=120)
    assert done.stdout == "done\n" and done.returncode == 0, done.stderr
