"""Static shapes of traces: what TensorFlow does not know is not taken for known because two probes agree. Tapes where torch records nothing."""

import pytest
import torch

import tf2compat as tf


@pytest.fixture
def shapes():
    def found(fn, *dims):
        out = []

        def traced(x):
            out.extend(t.shape.as_list() for t in fn(x))
            return 0

        tf.function(traced, input_signature=[tf.TensorSpec(dims, tf.float32)]).get_concrete_function()
        return out

    return found


def test_padding_to_a_length(shapes):
    def pads(x):
        n = tf.shape(x)[0]
        return [
            tf.pad(x, [[0, tf.maximum(0, 10 - n)], [0, 0]]), tf.pad(x, [[0, 10 - n], [0, 0]]), tf.pad(x, [[0, n - 5], [0, 0]]),
            tf.pad(x, [[tf.constant(1), 1], [0, 2]]), tf.pad(x, [[0, tf.minimum(n, 3)], [0, 0]]), tf.pad(x, [[0, (-n) % 8], [0, 0]]),
            tf.pad(x, [[0, tf.maximum(0, 10 - n)], [0, 0]])[:10], x[:10], tf.concat([x, x, x, x, x], 0)[:7],
        ]  # fmt: skip

    assert shapes(pads, None, 4) == [[None, 4], [None, 4], [None, 4], [None, 6], [None, 4], [None, 4], [None, 4], [None, 4], [None, 4]]


def test_sizes_made_of_unknown_ones(shapes):
    def sizes(x):
        n = tf.shape(x)[0]
        return [
            tf.zeros([10 - n]), tf.zeros([n - 5, 2]), tf.zeros([tf.cast(n > 0, tf.int32) + 1]), tf.zeros([tf.where(n > 100, 3, 4)]),
            tf.zeros([tf.cast(tf.logical_not(n > 0), tf.int32)]), tf.zeros([n // 1000 + 1]), x[: tf.minimum(n, 1)], x[n - 5 :],
        ]  # fmt: skip

    assert shapes(sizes, None) == [[None], [None, 2], [None], [None], [None], [None], [None], [None]]


def test_what_is_known_stays_known(shapes):
    def known(x):
        return [x[0], x[:, 1], x[:, :2], x[..., 0], x[tf.newaxis, :, 0], tf.zeros([tf.shape(x)[1] - 1]), x[:, -1:]]

    assert shapes(known, None, 4) == [[4], [None], [None, 2], [None], [1, None], [3], [None, 1]]


def test_padding_runs():
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def padded(x):
        return tf.pad(x, [[0, tf.maximum(0, 5 - tf.shape(x)[0])]])

    assert padded(tf.ones([3])).numpy().tolist() == [1, 1, 1, 0, 0]
    assert padded(tf.ones([7])).shape == [7]


@pytest.mark.parametrize("off", [torch.no_grad, lambda: torch.set_grad_enabled(False)])
def test_a_tape_in_a_function_under_no_grad(off):
    v = tf.Variable(3.0)

    @tf.function
    def gradient(x):
        with tf.GradientTape() as tape:
            y = v * v * x
        return tape.gradient(y, v)

    @tf.function
    def plain(x):
        return x * 2.0

    before = torch.is_grad_enabled()
    try:
        for _ in range(3):
            with off():
                assert float(gradient(tf.constant(2.0))) == 12.0
                assert not torch.is_grad_enabled()
                assert not plain(torch.ones(1, requires_grad=True)).torch().requires_grad
    finally:
        torch.set_grad_enabled(before)


def test_sizes_that_are_computed_from_constants(shapes):
    """Values that are known but not looked at, beside sizes that are not known."""

    def counts(x):
        longest = tf.reduce_max(tf.concat([tf.constant([3, 0, 2]), tf.zeros([1], tf.int32)], 0))
        ids = tf.range(tf.shape(x)[0])
        return [
            tf.zeros([longest]), tf.math.unsorted_segment_sum(tf.ones([5]), tf.range(5), longest), tf.math.unsorted_segment_sum(x, ids, longest),
            tf.math.unsorted_segment_sum(tf.ones([5, 2]), tf.where(tf.fill([5], True))[:, 0], longest),
            tf.reduce_any(tf.ragged.constant([[True, False, True], [], [False, True]]), axis=0),
            tf.nn.embedding_lookup_sparse(tf.ones([3, 2]), tf.SparseTensor([[0, 0], [0, 1], [1, 0]], [0, 2, 1], [2, 2]), None),
        ]

    assert shapes(counts, None, 2) == [[None], [None], [None, 2], [None, 2], [None], [None, 2]]
