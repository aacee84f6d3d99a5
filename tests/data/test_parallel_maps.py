"""Maps in threads: order, failures, and batches that the threads fill."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tf2compat as tf

D = tf.data.Dataset
ROW = (80, 80)


def images(bad: tuple[int, ...], n: int = 10) -> D:
    good = tf.io.encode_jpeg(np.full((*ROW, 3), 7, np.uint8)).numpy()
    files = D.from_tensor_slices(([b"\xff\xd8\xffxx" if i in bad else good for i in range(n)], list(range(n))))
    return files.map(lambda s, i: (tf.io.decode_jpeg(s, channels=3), i), num_parallel_calls=2)


def numbered(n: int, dtype: tf.DType = tf.float32) -> D:
    return D.range(n).map(lambda i: (tf.py_function(lambda i: tf.fill(ROW, tf.cast(i, dtype)), [i], dtype), i), num_parallel_calls=2)


@pytest.mark.parametrize(
    ("bad", "size", "batches"),
    [
        ((3,), 1, [[0], [1], [2], [4], [5], [6], [7], [8], [9]]),
        ((3,), 2, [[0, 1], [4, 5], [6, 7], [8, 9]]),
        ((3,), 3, [[0, 1, 2], [6, 7, 8], [9]]),
        ((3,), 4, [[4, 5, 6, 7], [8, 9]]),
        ((3,), 16, []),
        ((0,), 3, [[3, 4, 5], [6, 7, 8], [9]]),
        ((3, 4, 7), 2, [[0, 1], [8, 9]]),
        ((9,), 4, [[0, 1, 2, 3], [4, 5, 6, 7]]),
    ],
)
def test_a_failed_element_takes_its_batch_with_it_as_in_tensorflow(bad, size, batches):
    found = list(images(bad).batch(size).ignore_errors())
    assert [i.numpy().tolist() for _, i in found] == batches
    assert all((x.numpy() == 7).all() and len(x) == len(i) for x, i in found)


def test_a_map_goes_on_after_an_element_that_fails():
    assert [int(i) for _, i in images((0, 3, 4)).ignore_errors()] == [1, 2, 5, 6, 7, 8, 9]
    assert [i.numpy().tolist() for _, i in images((0, 3, 4)).ignore_errors().batch(3)] == [[1, 2, 5], [6, 7, 8], [9]]
    it = iter(images((1,)))
    assert int(next(it)[1]) == 0
    with pytest.raises(tf.errors.InvalidArgumentError):
        next(it)
    assert [int(i) for _, i in it] == [2, 3, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("dtype", [tf.float32, tf.bfloat16, tf.uint8])
def test_batches_that_threads_fill(dtype):
    found = list(numbered(23, dtype).batch(5))
    assert [i.numpy().tolist() for _, i in found] == [list(range(s, min(s + 5, 23))) for s in range(0, 23, 5)]
    for x, i in found:
        assert x.dtype is dtype
        assert (tf.cast(x, tf.int64).numpy() == i.numpy()[:, None, None]).all()
    assert len(list(numbered(23).batch(5, drop_remainder=True))) == 4


def test_memory_of_a_batch_is_used_again_only_when_nobody_sees_it():
    dataset = numbered(60).batch(5)
    kept, views, arrays, leaves = [], [], [], []
    for n, (x, _) in enumerate(dataset.repeat(2)):
        if n % 4 == 0:
            kept.append((n, x))
        elif n % 4 == 1:
            views.append((n, x[1:3]))
        elif n % 4 == 2:
            arrays.append((n, np.asarray(x)))
        else:
            with tf.GradientTape() as tape:
                tape.watch(x)
                leaves.append((n, tape, x.ref(), tf.reduce_sum(x * x)))
        del x
    for n, x in kept + arrays:
        assert (np.asarray(x)[:, 0, 0] == np.arange(5) + n % 12 * 5).all()
    for n, x in views:
        assert (x.numpy()[:, 0, 0] == np.arange(1, 3) + n % 12 * 5).all()
    for n, tape, ref, total in leaves:
        assert (tape.gradient(total, ref.deref()).numpy()[:, 0, 0] == 2 * (np.arange(5) + n % 12 * 5)).all()


def test_elements_of_unequal_shapes_are_an_error_of_the_batch():
    ragged = D.range(4).map(lambda i: tf.py_function(lambda i: tf.zeros([80 + int(i) // 2, 80]), [i], tf.float32), num_parallel_calls=2)
    it = iter(ragged.batch(3))
    with pytest.raises(tf.errors.InvalidArgumentError, match="Cannot add tensor to the batch"):
        next(it)
    assert [tuple(x.shape) for x in ragged.batch(2)] == [(2, 80, 80), (2, 81, 80)]


def test_a_source_that_fails_does_so_in_its_turn():
    def rows():
        yield from range(3)
        raise KeyError("in the generator")

    source = D.from_generator(rows, output_signature=tf.TensorSpec([], tf.int64))
    it = iter(source.map(lambda i: tf.py_function(lambda i: i, [i], tf.int64), num_parallel_calls=4))
    assert [int(next(it)) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(tf.errors.OpError, match="in the generator"):
        next(it)
    assert list(it) == []


def test_a_process_ends_in_the_middle_of_a_parallel_map(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import tf2compat as tf, time\n"
        "def wait(i): return time.sleep(0.01) or i\n"
        "slow = tf.data.Dataset.range(1000).map(lambda i: tf.py_function(wait, [i], tf.int64), num_parallel_calls=2)\n"
        "its = [iter(slow), iter(slow.batch(4)), iter(slow.batch(2).prefetch(2))]\n"
        "for it in its: next(it)\n"
        "print('done')\n"
    )
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=120)
    assert done.stdout == "done\n" and done.stderr == "" and done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("autotune", "rewrites", "threads"),
    [
        (None, {}, 2),
        (None, {"map_parallelization": False}, 0),
        (False, {}, 0),
        (None, {"apply_default_optimizations": False}, 0),
        (None, {"apply_default_optimizations": False, "map_parallelization": True}, 2),
        (False, {"map_parallelization": True}, 0),
    ],
)
@pytest.mark.parametrize("place", ["before", "after", "around zip"])
def test_options_say_whether_a_map_has_threads_that_it_does_not_ask_for(autotune, rewrites, threads, place, monkeypatch):
    from tf2compat.data import parallel

    begun = []
    pool = parallel._Pool
    monkeypatch.setattr(parallel, "_Pool", lambda function, width: begun.append(width) or pool(function, width))
    options = tf.data.Options()
    options.autotune.enabled = autotune
    for name, value in rewrites.items():
        setattr(options.experimental_optimization, name, value)
    source = D.from_tensors(tf.io.encode_jpeg(np.full((*ROW, 3), 7, np.uint8))).repeat(6)
    if place == "before":
        source = source.with_options(options)
    mapped = source.map(lambda s: tf.io.decode_jpeg(s, channels=3))
    whole = (D.zip((mapped, mapped)) if place == "around zip" else mapped).batch(2)
    if place != "before":
        whole = whole.with_options(options)
    assert len(list(whole)) == 3
    assert bool(begun) == bool(threads)
    begun.clear()
    list(source.map(lambda s: tf.io.decode_jpeg(s, channels=3), num_parallel_calls=2))
    assert begun == [2]
