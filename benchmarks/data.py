"""Input pipelines: tf2compat, torch's DataLoader, and TensorFlow beside; elements per second as milliseconds an epoch.

TF2COMPAT_DATA_ONLY=JPEG measures the rows with that in their name alone, TF2COMPAT_DATA_ROUNDS=6 in so many turns.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .timing import peer, table

ROWS, WIDTH, BATCH = 60_000, 784, 128
ROUNDS = int(os.environ.get("TF2COMPAT_DATA_ROUNDS", "2"))
ONLY = os.environ.get("TF2COMPAT_DATA_ONLY", "")
RECORDS, LINES, IMAGES, CSV_ROWS = 100_000, 20_000, 160, 20_000


def prepare(tf: Any, folder: str) -> None:
    """The files that both sides read: records of Examples, lines of words, images, comma-separated numbers."""
    rng = np.random.default_rng(0)
    with tf.io.TFRecordWriter(f"{folder}/examples") as writer:
        for record in _examples(tf):
            writer.write(record)
    words = [f"word{i}" for i in range(2000)]
    with open(f"{folder}/lines.txt", "w", encoding="utf-8") as file:
        for n in rng.integers(3, 30, LINES):
            print(*(words[i] for i in rng.integers(0, 2500, n) % 2000), file=file)
    for i in range(IMAGES):
        noise = rng.integers(0, 255, (32, 48, 3)).astype(np.uint8)
        smooth = tf.cast(tf.image.resize(noise, [320, 480]), tf.uint8)
        tf.io.write_file(f"{folder}/{i:03}.jpg", tf.io.encode_jpeg(smooth))
    with open(f"{folder}/table.csv", "w", encoding="utf-8") as file:
        print(*(f"c{i}" for i in range(30)), "label", sep=",", file=file)
        for row in rng.normal(size=(CSV_ROWS, 30)):
            print(*(f"{v:.12g}" for v in row), int(row[0] > 0), sep=",", file=file)


def _examples(tf: Any) -> list[bytes]:
    rng = np.random.default_rng(1)
    train = tf.train
    made = []
    for i in range(100):
        feature = {
            "image": train.Feature(bytes_list=train.BytesList(value=[rng.bytes(800)])),
            "vector": train.Feature(float_list=train.FloatList(value=rng.random(32).tolist())),
            "label": train.Feature(int64_list=train.Int64List(value=[i])),
        }
        made.append(train.Example(features=train.Features(feature=feature)).SerializeToString())
    return made * (RECORDS // 100)


def pipelines(tf: Any, folder: str) -> dict[str, Callable[[], int]]:
    """Epochs on `tf`: each gives the number of batches that it delivered."""
    rng = np.random.default_rng(0)
    x = rng.random((ROWS, WIDTH), dtype=np.float32)
    y = rng.integers(0, 10, ROWS)
    slices = tf.data.Dataset.from_tensor_slices((x, y))
    shuffled = slices.shuffle(ROWS).batch(BATCH)
    mapped = slices.map(lambda a, b: (a / 255.0 - 0.5, b)).batch(BATCH)
    small = rng.random((20_000, 8), dtype=np.float32)

    def rows() -> Any:
        yield from small

    generated = tf.data.Dataset.from_generator(rows, output_signature=tf.TensorSpec([8], tf.float32))
    records = _examples(tf)

    def write() -> int:
        with tf.io.TFRecordWriter(f"{folder}/written") as writer:
            for record in records:
                writer.write(record)
        return len(records)

    features = {
        "image": tf.io.FixedLenFeature([], tf.string), "vector": tf.io.FixedLenFeature([32], tf.float32), "label": tf.io.FixedLenFeature([], tf.int64),
    }  # fmt: skip
    parsed = tf.data.TFRecordDataset(f"{folder}/examples").batch(BATCH).map(lambda r: tf.io.parse_example(r, features))
    singly = tf.data.TFRecordDataset(f"{folder}/examples").take(RECORDS // 5).map(lambda r: tf.io.parse_single_example(r, features)).batch(BATCH)
    words = tf.constant([f"word{i}" for i in range(2000)])
    vocabulary = tf.lookup.StaticVocabularyTable(tf.lookup.KeyValueTensorInitializer(words, tf.range(2000, dtype=tf.int64)), 10)
    tokens = tf.data.TextLineDataset(f"{folder}/lines.txt").map(lambda s: vocabulary.lookup(tf.strings.split(s))).padded_batch(64)

    def picture(path: Any) -> Any:
        return tf.image.resize(tf.io.decode_jpeg(tf.io.read_file(path), channels=3), [224, 224]) / 255.0

    images = tf.data.Dataset.list_files(f"{folder}/*.jpg").map(picture, num_parallel_calls=2).batch(32)
    defaults = [0.0] * 30 + [0]
    table_ = tf.data.experimental.make_csv_dataset(f"{folder}/table.csv", BATCH, label_name="label", column_defaults=defaults, num_epochs=1)

    def epoch(dataset: Any) -> Callable[[], int]:
        return lambda: sum(1 for _ in dataset)

    rows_ = {
        "slices, shuffle, batch": epoch(shuffled),
        "slices, map, batch": epoch(mapped),
        "TFRecord write": write,
        "TFRecord, batch, parse_example": epoch(parsed),
        "TFRecord, parse_single_example, batch": epoch(singly),
        "lines, split, lookup, padded_batch": epoch(tokens),
        "JPEG decode, resize, 2 calls, batch": epoch(images),
        "from_generator": epoch(generated),
        "from_generator, batch": epoch(generated.batch(BATCH)),
        "make_csv_dataset": epoch(table_),
    }
    return {name: run for name, run in rows_.items() if ONLY in name}


def loader() -> Callable[[], int]:
    """The first pipeline with torch's DataLoader."""
    import torch

    rng = np.random.default_rng(0)
    data = torch.utils.data.TensorDataset(
        torch.from_numpy(rng.random((ROWS, WIDTH), dtype=np.float32)), torch.from_numpy(rng.integers(0, 10, ROWS))
    )
    batches = torch.utils.data.DataLoader(data, BATCH, shuffle=True)
    return lambda: sum(1 for _ in batches)


def milliseconds(fn: Callable[[], int], repeats: int = 3) -> float:
    """The best of a few epochs after a first one."""
    fn()
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        fn()
        best = min(best, time.perf_counter() - start)
    return best * 1e3


def run(tensorflow: str | None) -> dict[str, Any]:
    import tf2compat

    with tempfile.TemporaryDirectory() as folder:
        prepare(tf2compat, folder)
        ours: dict[str, float] = {}
        theirs: dict[str, float] | None = None
        for _ in range(ROUNDS):  # in turn, so that a drifting machine hits both
            found = peer("benchmarks._data_tensorflow", tensorflow, "tensorflow", folder)
            theirs = found if theirs is None or found is None else {k: min(v, found[k]) for k, v in theirs.items()}
            now = {name: milliseconds(fn) for name, fn in pipelines(tf2compat, folder).items()}
            ours = {k: min(v, ours.get(k, v)) for k, v in now.items()}
    first = next(iter(ours))
    torch_ms = milliseconds(loader(), 1) if first.startswith("slices") else 0.0
    size = ROWS * WIDTH * 4
    source = np.zeros(size // 4, dtype=np.float32)
    start = time.perf_counter()
    source.copy()
    copy_ms = (time.perf_counter() - start) * 1e3
    rows = []
    for name, ms in ours.items():
        row: list[Any] = [name, ms, torch_ms if name == first and torch_ms else "", torch_ms / ms if name == first and torch_ms else ""]
        if theirs is not None:
            row += [theirs[name], theirs[name] / ms]
        rows.append(row)
    extra = ["TensorFlow ms", "times faster"] if theirs is not None else []
    table("An epoch", ["pipeline", "tf2compat ms", "DataLoader ms", "times faster", *extra], rows)
    print(f"  copying the {size / 2**20:.0f} MiB of the first once: {copy_ms:.0f} ms")
    return {"rows": rows, "copy_ms": copy_ms}
