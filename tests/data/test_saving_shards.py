"""`Dataset.save`, `load` and `snapshot`: compression, shards, reader functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tf2compat as tf


def numbers(dataset: Any) -> list[int]:
    return [int(n) for n in dataset.as_numpy_iterator()]


@pytest.mark.parametrize("compression", [None, "GZIP"])
def test_shards_are_read_in_turn(tmp_path: Path, compression: Any) -> None:
    tf.data.Dataset.range(12).save(str(tmp_path), compression=compression, shard_func=lambda x: x // 4)
    loaded = tf.data.Dataset.load(str(tmp_path), compression=compression)
    assert numbers(loaded) == [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11] and int(loaded.cardinality()) == 12
    one_after_the_other = tf.data.Dataset.load(str(tmp_path), compression=compression, reader_func=lambda d: d.flat_map(lambda x: x))
    assert numbers(one_after_the_other) == list(range(12))


def test_shards_of_structures(tmp_path: Path) -> None:
    dataset = tf.data.Dataset.from_tensor_slices(({"a": [1, 2, 3]}, ["x", "y", "z"]))
    dataset.save(str(tmp_path), shard_func=lambda a, b: tf.strings.to_number(tf.strings.as_string(a["a"]), tf.int64) % 2)
    assert [(int(a["a"]), b) for a, b in tf.data.Dataset.load(str(tmp_path)).as_numpy_iterator()] == [(2, b"y"), (1, b"x"), (3, b"z")]


def test_saving_again_leaves_nothing_of_before(tmp_path: Path) -> None:
    tf.data.Dataset.range(6).save(str(tmp_path), shard_func=lambda x: x)
    tf.data.Dataset.range(3).save(str(tmp_path))
    assert numbers(tf.data.Dataset.load(str(tmp_path))) == [0, 1, 2]
    tf.data.Dataset.range(0).save(str(tmp_path))
    assert numbers(tf.data.Dataset.load(str(tmp_path))) == []


def test_compression_makes_files_smaller_and_damage_is_found(tmp_path: Path) -> None:
    zeros = tf.data.Dataset.from_tensors(tf.zeros([1000])).repeat(3)
    zeros.save(str(tmp_path), compression="GZIP")
    (file,) = tmp_path.glob("*.elements")
    assert file.stat().st_size < 1000
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(tf.errors.DataLossError):
        list(tf.data.Dataset.load(str(tmp_path)))


def test_a_shard_is_a_number_from_zero_on(tmp_path: Path) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="-1"):
        tf.data.Dataset.range(2).save(str(tmp_path), shard_func=lambda x: x - 1)
    assert not list(tmp_path.glob("*.elements"))


def test_snapshot_by_shards(tmp_path: Path) -> None:
    seen: list[int] = []

    def look(x: Any) -> Any:
        seen.append(int(x))
        return x

    source = tf.data.Dataset.range(4).map(lambda x: tf.py_function(look, [x], tf.int64))
    kept = source.snapshot(str(tmp_path), compression="GZIP", shard_func=lambda x: x % 2, reader_func=lambda d: d.flat_map(lambda x: x))
    assert numbers(kept.take(2)) == [0, 1]  # not gone through to the end: nothing is kept
    assert numbers(kept) == [0, 1, 2, 3]
    del seen[:]
    assert numbers(kept) == [0, 2, 1, 3] and not seen
