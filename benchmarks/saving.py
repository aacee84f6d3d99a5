"""Saving and restoring 1 GiB in 400 variables, in both formats, and a summary scalar; TensorFlow beside.

TF2COMPAT_SAVING_MIB sets another size.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .timing import micros, peer, table

MIB = int(os.environ.get("TF2COMPAT_SAVING_MIB", "1024"))
VARIABLES = 400


def anonymous_memory() -> int:
    """Bytes of this process that no file backs, or 0 where the system does not say."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("RssAnon"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


class Peak:
    """The most anonymous memory in the block, above what there was before."""

    def __enter__(self) -> Peak:
        self.start = self.most = anonymous_memory()
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        return self

    def _watch(self) -> None:
        while not self.done.wait(0.005):
            self.most = max(self.most, anonymous_memory())

    def __exit__(self, *exc: object) -> None:
        self.done.set()
        self.thread.join()

    @property
    def extra(self) -> int:
        return self.most - self.start


def seconds(work: Callable[[], Any], before: Callable[[], Any], repeats: int = 3) -> float:
    best = float("inf")
    for _ in range(repeats):
        before()
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def sync(directory: str) -> None:
    """Waits until the disk has the files of a directory, and their names."""
    for path in [*Path(directory).iterdir(), Path(directory)]:
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


def measure(tf: Any, options: dict[str, Callable[..., Any]]) -> dict[str, float]:
    """The figures of one implementation; `options` maps a format's name to what makes its CheckpointOptions."""
    count = MIB * (1 << 20) // 4 // VARIABLES
    variables = [tf.Variable(tf.random.normal([count], seed=i)) for i in range(VARIABLES)]
    one = tf.ones([count])
    checkpoint = tf.train.Checkpoint(v=variables)
    directory = tempfile.mkdtemp()
    out: dict[str, float] = {}
    try:
        for name, make in options.items():
            prefix = os.path.join(directory, name, "ckpt")

            def clean(where: str = os.path.dirname(prefix)) -> None:
                shutil.rmtree(where, ignore_errors=True)
                os.makedirs(where)

            def settle() -> None:
                os.sync()  # what was written before is not part of the time

            out[f"{name} save s"] = seconds(lambda p=prefix, m=make: checkpoint.write(p, m()), clean)

            def durable(p: str = prefix, m: Any = make) -> None:
                checkpoint.write(p, m())
                sync(os.path.dirname(p))

            out[f"{name} save until on disk s"] = seconds(durable, clean)
            clean()
            with Peak() as peak:
                checkpoint.write(prefix, make())
            out[f"{name} save extra %"] = 100 * peak.extra / (MIB << 20)
            out[f"{name} restore s"] = seconds(lambda p=prefix: checkpoint.read(p).assert_consumed(), settle)
            with Peak() as peak:
                checkpoint.read(prefix)
            out[f"{name} restore extra %"] = 100 * peak.extra / (MIB << 20)
            clean()
            blocked, updates = [], []
            for _ in range(3):
                start = time.perf_counter()
                checkpoint.write(prefix, make(enable_async=True))
                blocked.append(time.perf_counter() - start)
                start = time.perf_counter()
                for v in variables:
                    v.assign_add(one)
                updates.append(time.perf_counter() - start)
                checkpoint.sync()
            out[f"{name} async blocks s"], out[f"{name} async blocks later s"] = blocked[0], min(blocked[1:])
            out[f"{name} update of all during it s"] = min(updates)
        writer = tf.summary.create_file_writer(os.path.join(directory, "events"))
        with writer.as_default(step=0):
            out["summary scalar us"] = micros(lambda: tf.summary.scalar("loss", 0.5))
        writer.close()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return out


def plain_file(early: bool) -> float:
    """Seconds for as many bytes in a file, written and synced: what a save cannot be faster than. `early`: the disk begins at once."""
    piece = os.urandom(1 << 20) * 8

    def write() -> None:
        with tempfile.TemporaryFile(buffering=0) as file:
            for at in range(MIB // 8):
                file.write(piece)
                if early and hasattr(os, "posix_fadvise"):
                    os.posix_fadvise(file.fileno(), at << 23, 1 << 23, os.POSIX_FADV_DONTNEED)
            os.fsync(file.fileno())

    return seconds(write, os.sync)


def run(tensorflow: str | None = None) -> dict[str, Any]:
    """Measure, print, and return the figures."""
    import tf2compat as tf

    theirs = peer("benchmarks._saving_tensorflow", tensorflow, "tensorflow")
    formats = ("tensorflow", "safetensors")
    ours = measure(tf, {name: lambda name=name, **kw: tf.train.CheckpointOptions(experimental_format=name, **kw) for name in formats})
    rows = []
    for key, value in ours.items():
        other = (theirs or {}).get(key.replace("safetensors", "tensorflow"))
        rows.append([key, value, "-" if other is None else other, "-" if not other or not value else f"{other / value:.2f} x"])
    table(f"{MIB} MiB in {VARIABLES} variables", ["", "tf2compat", "TensorFlow", "ours is"], rows)
    disk = {"at the end": plain_file(False), "from the start": plain_file(True)}
    told = ", ".join(f"{value:.2f} s with the disk set to work {when}" for when, value in disk.items())
    print(f"  a plain file of that size, written and synced: {told} (TensorFlow does not sync)")
    return {"tf2compat": ours, "tensorflow": theirs, "disk": disk}
