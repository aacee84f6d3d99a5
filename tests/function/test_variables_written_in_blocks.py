"""Variables that branches and loops write, read there under a tape around them: TensorFlow's gradient is that of all reads."""

import pytest

import tf2compat as tf


def _variable():
    return tf.Variable([1.0, 2.0])


def _cond():
    v, done = _variable(), tf.Variable(False)

    def first():
        v.assign(v * 2.0)
        done.assign(True)
        return tf.identity(v)

    def f():
        with tf.GradientTape() as tape:
            g = tf.cond(done, lambda: tf.identity(v), first)
            loss = tf.reduce_sum(g * g)
        return tape.gradient(loss, v)

    return f, v


def _write_and_read():
    v = _variable()

    def f():
        with tf.GradientTape() as tape:
            s = tf.constant(0.0)
            for _ in tf.range(2):
                v.assign_add([1.0, 1.0])
                s += tf.reduce_sum(v * v)
        return tape.gradient(s, v)

    return f, v


def _read_and_write():
    v = _variable()

    def f():
        with tf.GradientTape() as tape:
            s = tf.constant(0.0)
            for _ in tf.range(2):
                s += tf.reduce_sum(v * v)
                v.assign_add([1.0, 1.0])
        return tape.gradient(s, v)

    return f, v


def _read_write_read_and_after():
    v = _variable()

    def f():
        with tf.GradientTape() as tape:
            s = tf.constant(0.0)
            for _ in tf.range(2):
                s += tf.reduce_sum(v * v)
                v.assign_add([1.0, 1.0])
                s += tf.reduce_sum(v * v * v)
            s += tf.reduce_sum(v)
        return tape.gradient(s, v)

    return f, v


def _nested():
    v = _variable()

    def f():
        with tf.GradientTape() as tape:
            s = tf.reduce_sum(v)
            i = tf.constant(0)
            while i < 3:
                if i > 0:
                    v.assign(v * 2.0)
                    s += tf.reduce_sum(v * v)
                else:
                    s += tf.reduce_sum(v)
                i += 1
        return tape.gradient(s, v)

    return f, v


def _called():
    v = _variable()

    @tf.function
    def inner(n):
        v.assign_add([1.0, 1.0])
        return tf.reduce_sum(v * v) * n

    def f():
        with tf.GradientTape() as tape:
            s = tf.constant(0.0)
            for _ in tf.range(2):
                s += inner(2.0)
        return tape.gradient(s, v)

    return f, v


def _rows():
    v = tf.Variable([[1.0, 2.0], [3.0, 4.0]])

    def f():
        with tf.GradientTape() as tape:
            s = tf.constant(0.0)
            for _ in tf.range(2):
                v.assign(v * 2.0)
                s += tf.reduce_sum(tf.gather(v, [0]) ** 2)
        return tf.convert_to_tensor(tape.gradient(s, v))

    return f, v


# the function, TensorFlow's gradient, and what the variable is afterwards
CASES = [
    (_cond, [4.0, 8.0], [2.0, 4.0]), (_write_and_read, [10.0, 14.0], [3.0, 4.0]), (_read_and_write, [6.0, 10.0], [3.0, 4.0]),
    (_read_write_read_and_after, [46.0, 86.0], [3.0, 4.0]), (_nested, [14.0, 26.0], [4.0, 8.0]), (_called, [20.0, 28.0], [3.0, 4.0]),
    (_rows, [[12.0, 24.0], [0.0, 0.0]], [[4.0, 8.0], [12.0, 16.0]]),
]  # fmt: skip


@pytest.mark.parametrize(("make", "gradient", "after"), CASES, ids=[c[0].__name__[1:] for c in CASES])
def test_first_order(make, gradient, after):
    f, v = make()
    f = tf.function(f)
    before = v.numpy()
    for _ in range(4):
        assert f().numpy().tolist() == gradient
        assert v.numpy().tolist() == after
        if make is not _cond:
            v.assign(before)


def test_second_order():
    v = _variable()

    @tf.function
    def f():
        with tf.GradientTape() as outer:
            with tf.GradientTape() as tape:
                s = tf.constant(0.0)
                for _ in tf.range(2):
                    v.assign_add([1.0, 1.0])
                    s += tf.reduce_sum(v**3)
            g = tape.gradient(s, v)
        return g, outer.gradient(g, v)

    first, second = f()
    assert first.numpy().tolist() == [39, 75] and second.numpy().tolist() == [30, 42]
