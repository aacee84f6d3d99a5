"""Positions of iterators in checkpoints, threads of pipelines, errors in them."""

import gc
import threading
import time

import numpy as np
import pytest

import tf2compat as tf

D = tf.data.Dataset


def zero():
    return tf.constant(0, tf.int64)


PIPELINES = {
    "range": lambda: D.range(20),
    "map and batch": lambda: D.range(20).map(lambda x: x * 2).batch(3),
    "shuffle": lambda: D.range(20).shuffle(5),
    "shuffle and repeat": lambda: D.range(10).shuffle(10).repeat().batch(4),
    "one order": lambda: D.range(10).shuffle(10, reshuffle_each_iteration=False).repeat(),
    "shuffled strings": lambda: D.range(20).map(tf.strings.as_string).shuffle(7).batch(2),
    "prefetch": lambda: D.range(20).map(lambda x: tf.range(x)).padded_batch(2).prefetch(2),
    "parallel map": lambda: D.range(20).map(lambda x: tf.py_function(lambda y: y + 1, [x], tf.int64), 2),
    "filter": lambda: D.range(20).filter(lambda x: x % 2 == 0),
    "interleave": lambda: D.range(20).interleave(lambda x: D.range(x), cycle_length=3),
    "window": lambda: D.range(20).window(3).flat_map(lambda w: w.batch(3)),
    "scan": lambda: D.range(20).scan(zero(), lambda s, x: (s + x, s)),
    "sample": lambda: D.sample_from_datasets([D.range(20), D.range(20, 40).shuffle(3)]),
    "random": lambda: D.random(),
    "cache": lambda: D.range(20).map(lambda x: x + 1).cache().shuffle(20),
    "resample": lambda: D.range(40).rejection_resample(lambda x: tf.cast(x % 2, tf.int32), [0.1, 0.9]).map(lambda c, x: x),
}


@pytest.fixture(params=[None, 5], ids=["unseeded", "seeded"])
def seed(request):
    tf.random.set_seed(request.param)
    yield request.param
    tf.random.set_seed(None)


@pytest.mark.parametrize("name", PIPELINES)
def test_positions_come_back(name, seed, tmp_path):
    it = iter(PIPELINES[name]())
    for _ in range(3):
        next(it)
    checkpoint = tf.train.Checkpoint(it=it)
    path = checkpoint.save(str(tmp_path / "c"))
    after = [next(it).numpy().tolist() for _ in range(3)]
    assert path
    checkpoint.restore(path)
    assert [next(it).numpy().tolist() for _ in range(3)] == after
    other = iter(PIPELINES[name]())  # another program's
    tf.train.Checkpoint(it=other).restore(path)
    assert [next(other).numpy().tolist() for _ in range(3)] == after


def test_another_pipeline_is_refused(tmp_path):
    path = tf.train.Checkpoint(it=iter(D.range(3).shuffle(3))).save(str(tmp_path / "c"))
    with pytest.raises(tf.errors.InvalidArgumentError, match="random stages"):
        tf.train.Checkpoint(it=iter(D.range(3))).restore(path)


def test_no_thread_is_left_behind():
    before = set(threading.enumerate())
    for _ in range(3):
        it = iter(D.range(1000).map(lambda x: tf.py_function(lambda y: y, [x], tf.int64), 4).batch(2).prefetch(4))
        next(it)
        del it
    gc.collect()
    for _ in range(100):
        if set(threading.enumerate()) <= before:
            return
        time.sleep(0.05)
    assert set(threading.enumerate()) <= before


def test_errors_come_at_their_element():
    d = D.range(6).map(lambda x: tf.debugging.assert_less(x, tf.constant(3, tf.int64)) or x)
    it = iter(d)
    assert [int(next(it)) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(tf.errors.InvalidArgumentError):
        next(it)

    def broken(x):
        if x == 2:
            raise ValueError("line of the user")
        return x

    it = iter(D.range(4).map(lambda x: tf.py_function(broken, [x], tf.int64)).prefetch(2))
    assert [int(next(it)) for _ in range(2)] == [0, 1]
    with pytest.raises((tf.errors.InvalidArgumentError, tf.errors.UnknownError), match="line of the user"):
        next(it)

    def rows():
        yield 1
        raise KeyError("in the generator")

    it = iter(D.from_generator(rows, output_signature=tf.TensorSpec([], tf.int32)))
    assert int(next(it)) == 1
    with pytest.raises(tf.errors.OpError, match="in the generator"):
        next(it)


def test_lists_that_a_map_returns_are_several_tensors():
    d = D.from_tensor_slices(["1,a", "2,b"]).map(lambda line: tf.io.decode_csv(line, [0, ""]))
    assert d.element_spec == (tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.string))
    assert D.range(2).map(lambda x: {"a": [x, x]}).element_spec == {"a": tf.TensorSpec([2], tf.int64)}
    assert np.asarray(next(iter(d))[0]) == 1


@pytest.mark.gpu
def test_prefetch_to_a_gpu():
    if not tf.config.list_physical_devices("GPU"):
        pytest.skip("needs a CUDA device")
    d = D.from_tensor_slices(np.arange(12, dtype=np.float32).reshape(6, 2)).batch(2)
    found = list(d.apply(tf.data.experimental.prefetch_to_device("/gpu:0")))
    assert [f.device.endswith("GPU:0") for f in found] == [True] * 3
    assert found[2].numpy().tolist() == [[8, 9], [10, 11]]
    assert [f.device.endswith("GPU:0") for f in d.apply(tf.data.experimental.copy_to_device("/gpu:0"))] == [True] * 3


def test_elements_are_one_argument_of_reduce_and_scan():
    pairs = D.zip((D.range(3), D.range(3)))
    assert int(pairs.reduce(zero(), lambda s, e: s + e[0] * e[1])) == 5
    assert [int(x) for x in pairs.scan(zero(), lambda s, e: (s + e[0], e[1]))] == [0, 1, 2]
    assert int(tf.function(lambda: pairs.reduce(zero(), lambda s, e: s + e[0] * e[1]))()) == 5


def test_sizes_that_only_a_call_tells():
    d = D.range(4).flat_map(lambda x: D.from_tensors(x).repeat(x))
    assert [int(x) for x in d] == [1, 2, 2, 3, 3, 3]

    @tf.function
    def total(n):
        s = zero()
        for x in D.range(n):
            s += x
        return s

    assert int(total(tf.constant(5, tf.int64))) == 10
