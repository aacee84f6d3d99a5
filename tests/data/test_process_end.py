"""A process may end in the middle of a pipeline."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def ends(tmp_path: Path, text: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(text)
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=120)
    assert done.stdout == "done\n" and done.stderr == "" and done.returncode == 0, done.stderr


def test_threads_of_pipelines_end_with_it(tmp_path: Path) -> None:
    ends(
        tmp_path,
        "import tf2compat as tf\n"
        "rows = tf.data.Dataset.range(100_000).map(lambda i: {str(k): i + k for k in range(12)})\n"
        "inner = rows.shuffle(20_000).filter(lambda r: r['0'] >= 0).prefetch(2)\n"
        "ds = inner.map(lambda r: r['1']).filter(lambda x: x > 0).prefetch(2)\n"
        "it = iter(ds.repeat())\n"
        "next(it)\n"
        "other = iter(ds)\n"  # still filling its buffer when the process ends
        "print('done')\n",
    )


def test_threads_of_keras_utilities_end_with_it(tmp_path: Path) -> None:
    ends(
        tmp_path,
        "import tf2compat as tf\n"
        "def batch(): return tf.random.normal([200, 200]) @ tf.random.normal([200, 200])\n"
        "class Batches(tf.keras.utils.Sequence):\n"
        "    def __len__(self): return 50\n"
        "    def __getitem__(self, i): return batch()\n"
        "ordered = tf.keras.utils.OrderedEnqueuer(Batches())\n"
        "ordered.start(2, 4)\n"
        "next(ordered.get())\n"
        "other = tf.keras.utils.GeneratorEnqueuer(iter(batch, None))\n"
        "other.start(1, 4)\n"
        "next(other.get())\n"
        "class Often(tf.keras.utils.TimedThread):\n"
        "    def on_interval(self): batch()\n"
        "often = Often(0.001)\n"
        "often.start()\n"
        "print('done')\n",
    )
