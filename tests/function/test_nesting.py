"""Loops and conditions on values inside of flattened regions, and checks of values that are looked at afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tf2compat as tf
from tf2compat import compile_options
from tf2compat._engine import flat_tier

#: what is in a GPU's memory stays with replay there
pytestmark = pytest.mark.host

W = tf.constant(np.random.RandomState(0).normal(size=(4, 4)).astype("float32") / 2)
X = tf.constant(np.random.RandomState(1).normal(size=(3, 4)).astype("float32"))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(flat_tier, "_BASE", 0.0)
    monkeypatch.setattr(flat_tier, "_PER_LINE", 0.0)
    monkeypatch.setattr(flat_tier, "_CALLS", 1)
    monkeypatch.setattr(flat_tier, "_TRIAL", -1)
    monkeypatch.setattr(flat_tier, "_WARM", 10**9)
    before = compile_options()
    compile_options(mode="never", flatten=True)
    yield
    compile_options(mode=before["mode"], flatten=before["flatten"])


def _regions(f: Any) -> list[Any]:
    return [r for c in f._list_all_concrete_functions() for r in c._tier.base.regions]


def _nests(f: Any) -> bool:
    """Whether a flattened region of a function has a loop or condition in it."""
    return any("_repeated(" in r.program.code or "_counted(" in r.program.code or "_rowed(" in r.program.code or "_branched(" in r.program.code
               for r in _regions(f) if r.flats)  # fmt: skip


def _same(make: Callable[[], Any], *calls: Any, nests: bool = True, error: Any = None) -> None:
    """The same calls, flattened and not: values, or errors."""
    out: list[list[Any]] = []
    for on in (False, True):
        compile_options(flatten=on)
        f = make()
        found: list[Any] = []
        for c in calls:
            try:
                found.append([np.asarray(t) for t in tf.nest.flatten(f(*c))])
            except tf.errors.OpError as e:
                found.append((type(e), e.message.splitlines()[0]))
        out.append(found)
        if on:
            assert _nests(f) == nests, str(f.explain())
    for a, b in zip(*out, strict=True):
        if isinstance(a, tuple):
            assert a == b
        else:
            for x, y in zip(a, b, strict=True):
                np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)


def test_a_while_over_tensors() -> None:
    def make() -> Any:
        @tf.function
        def f(x: Any, n: Any) -> Any:
            i = tf.constant(0)
            y = x
            while tf.reduce_sum(tf.abs(y)) > 0.1 and i < n:
                x, y = y, tf.tanh(tf.matmul(x + 0.1 * y, W)) * 0.5
                i += 1
            return x, y, i

        return f

    _same(make, *[(X, tf.constant(n)) for n in (3, 3, 3, 0, 1, 7, 100)])


def test_variables_change_places() -> None:
    def make() -> Any:
        @tf.function
        def fibonacci(n: Any, v: Any) -> Any:
            a, b, c = v, v + 1, tf.zeros_like(v)
            for _ in tf.range(n):
                a, b, c = b, a + b, a
            return a, b, c

        return fibonacci

    v = tf.constant([1, 2, 3])
    _same(make, *[(tf.constant(n), v) for n in (5, 5, 0, 1, 2, 9)])


def test_ranges_that_go_down_and_long_ones() -> None:
    def make() -> Any:
        @tf.function
        def f(x: Any, n: Any) -> Any:
            for i in tf.range(n, 0, -2):
                x = x * 0.9 + tf.cast(i, tf.float32)
            for i in tf.range(2000):
                x = tf.sin(x) + tf.cast(i % 7, tf.float32) * W[0]
            return x

        return f

    _same(make, *[(X, tf.constant(n)) for n in (5, 5, 4, -1, 0)])


def test_rows() -> None:
    big = tf.constant(np.random.RandomState(2).normal(size=(700, 4)).astype("float32"))

    def make() -> Any:
        @tf.function
        def f(x: Any, rows: Any) -> Any:
            best = tf.zeros([])
            for row in rows:
                x = 0.9 * x + row * tf.tanh(x)
                best = tf.maximum(best, tf.reduce_max(x))
            return x, best

        return f

    _same(make, *[(X, big)] * 4)


def test_conditions_in_loops_and_outside() -> None:
    def make() -> Any:
        @tf.function
        def f(x: Any, n: Any) -> Any:
            if tf.reduce_sum(x) > 0.0:
                y = x * 2.0
            else:
                y = -x + 1.0
            for i in tf.range(n):
                if i % 2 == 0:
                    y = tf.tanh(tf.matmul(y, W))
                elif tf.reduce_max(y) > 0.5:
                    y = y - 0.25
                else:
                    y = y + x
            return y

        return f

    _same(make, *[(x, tf.constant(n)) for x in (X, -X) for n in (6, 6, 1, 0)])


def test_loops_in_loops() -> None:
    def make() -> Any:
        @tf.function
        def f(x: Any, n: Any) -> Any:
            total = tf.zeros([])
            i = tf.constant(0)
            while i < n:
                y = x
                j = tf.constant(0)
                while tf.reduce_sum(y * y) > 0.5 and j < i + 3:
                    y = tf.matmul(y, W) * 0.7
                    j += 1
                x = x + 0.1 * y
                total += tf.reduce_sum(y) + tf.cast(j, tf.float32)
                i += 1
            return x, total

        return f

    _same(make, *[(X, tf.constant(n)) for n in (3, 3, 5, 0)])


def test_variables_are_read_and_written_around_a_loop() -> None:
    def make() -> Any:
        v = tf.Variable(X)
        count = tf.Variable(0)

        @tf.function
        def f(n: Any) -> Any:
            x = v * 1.0
            for _ in tf.range(n):
                x = tf.tanh(tf.matmul(x, W) + v)
            v.assign(0.5 * x)
            count.assign_add(1)
            return tf.reduce_sum(v), count.read_value()

        return f

    _same(make, *[(tf.constant(n),) for n in (3, 3, 4, 0, 2)])


def test_derivatives_inside_of_a_body() -> None:
    def make() -> Any:
        @tf.function
        def descend(x: Any, n: Any) -> Any:
            i = tf.constant(0)
            loss = tf.constant(1e9)
            while i < n and loss > 0.01:
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    loss = tf.reduce_sum(tf.square(tf.matmul(x, W) - 1.0))
                x = x - 0.05 * tape.gradient(loss, x)
                i += 1
            return x, loss, i

        return descend

    _same(make, *[(X, tf.constant(n)) for n in (5, 5, 20, 0)])


def test_a_tape_around_a_loop() -> None:
    def make() -> Any:
        @tf.function
        def f(x: Any, n: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = x
                for _ in tf.range(n):
                    y = tf.tanh(tf.matmul(y, W))
                loss = tf.reduce_sum(y)
            return tape.gradient(loss, x)

        return f

    _same(make, *[(X, tf.constant(n)) for n in (3, 3, 4, 3)], nests=False)


def test_an_index_out_of_range_is_told_and_changes_nothing() -> None:
    def make() -> Any:
        v = tf.Variable(tf.zeros([4]))

        @tf.function
        def f(x: Any, at: Any, n: Any) -> Any:
            for _ in tf.range(n):
                x = tf.tensor_scatter_nd_update(x, at, tf.reduce_sum(x, 1)[:1]) * 0.5
                at = at + 1
            v.assign_add(x[0])
            return x, v.read_value()

        return f

    at = tf.constant([[0, 0]])
    _same(make, (X, at, tf.constant(2)), (X, at, tf.constant(2)), (X, at, tf.constant(2)), (X, at, tf.constant(9)), (X, at, tf.constant(2)))


def test_a_divisor_of_zero_is_told_and_changes_nothing() -> None:
    def make() -> Any:
        v = tf.Variable([7, 8, 9])

        @tf.function
        def f(a: Any, b: Any) -> Any:
            q = a // b
            v.assign_add(q)
            return q, a % b, v.read_value(), tf.reduce_sum(q * 2 + 1), tf.cumsum(q) - tf.reverse(q, [0])

        return f

    a = tf.constant([5, 6, 7])
    one, bad = tf.constant([1, 2, 3]), tf.constant([1, 0, 3])
    _same(make, (a, one), (a, one), (a, one), (a, bad), (a, one), (a, bad), nests=False)


def test_a_check_that_often_comes_out_otherwise_goes_back_to_the_host() -> None:
    def make() -> Any:
        @tf.function
        def f(x: Any, at: Any) -> Any:
            y = tf.tanh(tf.matmul(x, W)) + 1.0
            y = tf.tensor_scatter_nd_update(y, at, tf.reduce_sum(x, 1)[:1])
            return tf.reduce_sum(y) * 2.0, tf.cumsum(y) - tf.reverse(y, [0])

        return f

    good, bad = tf.constant([[0, 1]]), tf.constant([[0, 9]])
    _same(make, *[(X, good)] * 3, *[(X, bad)] * 12, *[(X, good)] * 3, nests=False)


def test_shapes_that_change_stay_with_the_host() -> None:
    def make() -> Any:
        @tf.function
        def f(x: Any, n: Any) -> Any:
            i = tf.constant(0)
            while i < n:
                tf.autograph.experimental.set_loop_options(shape_invariants=[(x, tf.TensorShape([None, 4]))])
                x = tf.concat([x, tf.tanh(x[:1])], 0)
                i += 1
            return tf.reduce_sum(tf.matmul(x, W)), x

        return f

    _same(make, *[(X, tf.constant(n)) for n in (2, 2, 3, 0)], nests=False)


def test_a_search_with_beams() -> None:
    rng = np.random.RandomState(3)
    embedding, kernel, out = (tf.Variable(rng.normal(size=s).astype("float32") / 3) for s in ((10, 8), (16, 8), (8, 10)))

    def make() -> Any:
        @tf.function
        def search(start: Any) -> Any:
            state = tf.repeat(tf.expand_dims(start, 0), 3, axis=0)
            tokens, last = tf.zeros([3, 6], tf.int32), tf.zeros([3], tf.int32)
            scores = tf.constant([0.0, -1e9, -1e9])
            i = tf.constant(0)
            while i < 6:
                state = tf.tanh(tf.matmul(tf.concat([tf.gather(embedding, last), state], 1), kernel))
                total = tf.expand_dims(scores, 1) + tf.nn.log_softmax(tf.matmul(state, out))
                scores, best = tf.math.top_k(tf.reshape(total, [-1]), 3)
                beam, last = best // 10, best % 10
                state = tf.gather(state, beam)
                at = tf.stack([tf.range(3), tf.fill([3], i)], 1)
                tokens = tf.tensor_scatter_nd_update(tf.gather(tokens, beam), at, last)
                i += 1
            return tokens, scores

        return search

    _same(make, *[(tf.constant(rng.normal(size=8).astype("float32")),) for _ in range(5)])


def test_arrays_in_loops() -> None:
    def make() -> Any:
        @tf.function
        def f(x: Any, n: Any) -> Any:
            states = tf.TensorArray(tf.float32, size=9, element_shape=[3, 4])
            sums = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
            states = states.write(0, x)
            given = tf.TensorArray(tf.float32, size=3).unstack(x)
            i = tf.constant(1)
            while i < n and tf.reduce_max(x) < 50.0:
                x = tf.matmul(x, W) + given.read(i % 3) + states.read(i - 1) * x[i % 3, -1]
                states = states.write(i, x)
                sums = sums.write(i - 1, tf.reduce_sum(x[:, i % 4]))
                i += 1
            return x, states.stack(), sums.stack(), sums.size(), states.read(1)

        return f

    _same(make, *[(X, tf.constant(n)) for n in (5, 5, 5, 4, 9, 1, 5)])


def test_arrays_written_out_of_range() -> None:
    def make() -> Any:
        @tf.function
        def f(x: Any, n: Any) -> Any:
            out = tf.TensorArray(tf.float32, size=5)
            for i in tf.range(n):
                x = tf.tanh(tf.matmul(x, W)) + x[i % 3]
                out = out.write(i, x)
            return out.stack()

        return f

    _same(make, *[(X, tf.constant(n)) for n in (5, 5, 5, 6, 2)])


def test_loops_over_sizes_are_done_round_by_round() -> None:
    def make() -> Any:
        v = tf.Variable(W)

        @tf.function(input_signature=[tf.TensorSpec([None, None, 4])])
        def f(x: Any) -> Any:
            with tf.GradientTape() as tape:
                h = tf.zeros([tf.shape(x)[0], 4])
                out = tf.TensorArray(tf.float32, size=tf.shape(x)[1])
                for t in tf.range(tf.shape(x)[1]):
                    h = tf.tanh(tf.matmul(h + x[:, t], v))
                    out = out.write(t, h)
                loss = tf.reduce_sum(tf.square(out.stack()))
            v.assign_sub(0.01 * tape.gradient(loss, v))
            return loss, v.read_value()

        return f

    x = tf.constant(np.random.RandomState(5).normal(size=(2, 7, 4)).astype("float32"))
    _same(make, *[(x[:, :n],) for n in (7, 7, 7, 3, 3, 3, 1, 7)], nests=False)


def test_loops_that_stop_early() -> None:
    def make() -> Any:
        @tf.function
        def f(x: Any, limit: Any) -> Any:
            seen = tf.constant(0)
            for i in tf.range(10):
                if i % 3 == 2:
                    continue
                x = tf.tanh(tf.matmul(x, W)) + 0.1 * tf.cast(i, tf.float32)
                seen += 1
                if tf.reduce_sum(x) > limit:
                    break
            for row in tf.matmul(x, tf.ones([4, 600]))[:, :, None]:
                x = x + 0.01 * tf.reduce_mean(row)
                if tf.reduce_max(x) > 2.0 * limit:
                    break
            return x, seen

        return f

    _same(make, *[(X, tf.constant(n)) for n in (3.0, 3.0, 3.0, 0.0, -9.0, 100.0)])


def test_variables_that_change_in_loops() -> None:
    def make() -> Any:
        w, count = tf.Variable(tf.zeros([4, 2])), tf.Variable(0)
        optimizer = tf.keras.optimizers.Adam(0.1)
        optimizer.build([w])

        @tf.function
        def descend(n: Any) -> Any:
            i, loss = tf.constant(0), tf.constant(1e9)
            grown = tf.TensorArray(tf.float32, 0, dynamic_size=True)
            while i < n and loss > 1e-3:
                with tf.GradientTape() as tape:
                    loss = tf.reduce_mean(tf.square(tf.matmul(X, w) - 1.0))
                optimizer.apply_gradients([(tape.gradient(loss, w), w)])
                count.assign_add(2)
                grown = grown.write(i, tf.reduce_sum(w))
                i += 1
            count.assign_sub(1)
            return loss, w.read_value(), count.read_value(), optimizer.iterations.read_value(), grown.stack()

        return descend

    _same(make, *[(tf.constant(n),) for n in (3, 3, 3, 5, 3, 0, 3)])
