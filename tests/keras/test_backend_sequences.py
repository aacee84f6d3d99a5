"""`rnn`, CTC and unshared convolutions of the backend, HashedCrossing and PyMetric: values that Keras 2 gave."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tf2compat as tf

B, L = tf.keras.backend, tf.keras.layers


def _probabilities() -> np.ndarray:
    p = np.random.RandomState(0).rand(3, 6, 5).astype("float32") ** 3
    return p / p.sum(-1, keepdims=True)


def test_ctc_batch_cost() -> None:
    labels = np.array([[0, 1, 2], [1, 1, 0], [3, 0, 0]])
    found = B.ctc_batch_cost(labels, tf.constant(_probabilities()), np.array([[6], [5], [4]]), np.array([[3], [2], [1]]))
    np.testing.assert_allclose(found, [[7.1669], [7.1332], [7.0656]], rtol=1e-4)


def test_ctc_decode() -> None:
    p = tf.constant(_probabilities())
    (best,), score = B.ctc_decode(p, np.array([6, 5, 4]))
    assert best.numpy().tolist() == [[1, 3, 0, 2, -1, -1], [1, 3, 2, 0, 2, -1], [2, 3, 2, 3, -1, -1]]
    np.testing.assert_allclose(score, [[4.6912], [2.6195], [2.4792]], rtol=1e-4)
    paths, score = B.ctc_decode(p, np.array([6, 5, 4]), greedy=False, beam_width=10, top_paths=3)
    assert [x.numpy().tolist() for x in paths] == [
        [[2, 3, 0, 2, -1, -1], [1, 2, 0, 2, -1, -1], [2, 3, 2, 3, -1, -1]],
        [[1, 3, 0, 2, -1, -1], [1, 3, 2, 0, 2, -1], [2, 3, 0, 3, -1, -1]],
        [[1, 2, 3, 0, 2, -1], [1, 3, 0, 2, -1, -1], [2, 1, 2, 3, -1, -1]],
    ]
    np.testing.assert_allclose(score, [[-3.908, -4.1496, -4.384], [-2.4598, -2.6195, -2.754], [-2.4792, -2.4801, -2.5405]], rtol=1e-4)


def test_beam_search() -> None:
    logits = np.log(_probabilities()).transpose(1, 0, 2)
    found, score = tf.nn.ctc_beam_search_decoder(logits, [6, 5, 4], beam_width=4, top_paths=2)
    assert tf.sparse.to_dense(found[0]).numpy().tolist() == [[2, 3, 0, 2, 0], [1, 3, 2, 0, 2], [2, 3, 2, 3, 0]]
    np.testing.assert_allclose(score, [[-4.0462, -4.1512], [-2.6195, -2.754], [-2.4792, -2.4801]], rtol=1e-4)
    with pytest.raises(tf.errors.InvalidArgumentError, match="requested more paths than the beam width"):
        tf.nn.ctc_beam_search_decoder(logits, [6, 5, 4], beam_width=2, top_paths=3)


def test_ctc_in_a_model() -> None:
    labels, y = L.Input((3,)), L.Input((6, 5))
    steps, size = L.Input((1,), dtype="int64"), L.Input((1,), dtype="int64")
    cost = L.Lambda(lambda a: B.ctc_batch_cost(*a), name="ctc")([labels, y, steps, size])
    model = tf.keras.Model([labels, y, steps, size], cost)
    model.compile("sgd", {"ctc": lambda y_true, y_pred: y_pred})
    inputs = [np.zeros((3, 3)), _probabilities(), np.full((3, 1), 6), np.full((3, 1), 1)]
    assert np.isfinite(model.evaluate(inputs, np.zeros(3), verbose=0))


MASK = tf.constant([[1, 1, 0, 1, 0], [1, 0, 0, 0, 1]]) > 0
RNN: list[tuple[dict[str, Any], list[float], float]] = [
    ({}, [2.858, 5.67, 7.52, 8.443, 9.845], 6.973485),
    ({"go_backwards": True}, [4.102, 7.146, 8.374, 8.638, 8.583], 5.7207355),
    ({"mask": MASK}, [2.858, 4.047, 4.047, 4.441, 6.596], 4.852192),
    ({"mask": MASK, "zero_output_for_mask": True}, [2.858, 2.307, 0.0, 2.7, 3.896], 4.852192),
    ({"unroll": True}, [2.858, 5.67, 7.52, 8.443, 9.845], 6.973485),
    ({"return_all_outputs": False}, [9.845], 6.973485),
    ({"input_length": [3, 2]}, [2.858, 5.67, 6.547, 6.547, 6.547], 4.8026485),
]


@pytest.mark.parametrize(("options", "sums", "state"), RNN, ids=[",".join(case[0]) or "plain" for case in RNN])
def test_rnn(options: dict[str, Any], sums: list[float], state: float) -> None:
    rng = np.random.RandomState(0)
    rng.rand(3, 6, 5)
    x = tf.constant(rng.rand(2, 5, 3), tf.float32)
    last, outputs, states = B.rnn(lambda i, s: (i + s[0], [s[0] * 0.5 + i]), x, [tf.zeros((2, 3))], **options)
    np.testing.assert_allclose(outputs.numpy().sum((0, 2)), sums, atol=1e-3)
    np.testing.assert_allclose(last.numpy().sum(), sums[-1], atol=1e-3)
    np.testing.assert_allclose(states[0].numpy().sum(), state, rtol=1e-5)


def test_rnn_constants() -> None:
    def step(x: Any, states: Any) -> Any:
        state, fixed = states
        return x * fixed + state, [state + 1.0]

    last, _, states = B.rnn(step, tf.ones((2, 4, 1)), [tf.zeros((2, 1))], constants=[tf.fill((2, 1), 3.0)])
    assert last.numpy().tolist() == [[6.0], [6.0]]
    assert len(states) == 1


def test_unshared_convolutions() -> None:
    rng = np.random.RandomState(1)
    x, kernel = rng.rand(2, 4, 4, 2).astype("float32"), rng.rand(4, 8, 3).astype("float32")
    out = B.local_conv2d(tf.constant(x), tf.constant(kernel), (2, 2), (2, 2), (2, 2)).numpy()
    np.testing.assert_allclose(out[1, 1, 0], x[1, 2:4, 0:2].reshape(-1) @ kernel[2], rtol=1e-5)
    first = B.local_conv2d(tf.constant(x.transpose(0, 3, 1, 2)), tf.constant(kernel), (2, 2), (2, 2), (2, 2), "channels_first").numpy()
    np.testing.assert_allclose(first[1, :, 1, 0], x.transpose(0, 3, 1, 2)[1, :, 2:4, 0:2].reshape(-1) @ kernel[2], rtol=1e-5)
    one = B.local_conv1d(tf.constant(x[:, 0]), tf.constant(kernel[:2, :4]), (2,), (2,)).numpy()
    np.testing.assert_allclose(one[0, 1], x[0, 0, 2:4].reshape(-1) @ kernel[1, :4], rtol=1e-5)


def test_hashed_crossing() -> None:
    a, b = tf.constant(["A", "B", "A", "B", "A"]), tf.constant([101, 101, 101, 102, 102])
    assert L.HashedCrossing(5)((a, b)).numpy().tolist() == [1, 4, 1, 1, 3]
    assert L.HashedCrossing(1000)((a[:, None], b[:, None])).numpy().ravel().tolist() == [891, 754, 891, 576, 523]
    assert L.HashedCrossing(7)((a, b, a)).numpy().tolist() == [2, 0, 2, 6, 1]
    assert L.HashedCrossing(5, output_mode="one_hot")((a, b)).numpy().argmax(1).tolist() == [1, 4, 1, 1, 3]
    symbols = L.Input((1,), dtype="string"), L.Input((1,), dtype="int64")
    assert L.HashedCrossing(5, output_mode="one_hot")(symbols).shape.as_list() == [None, 5]
    with pytest.raises(ValueError, match="should be called on at least two inputs"):
        L.HashedCrossing(5)((a,))
    with pytest.raises(ValueError, match="should have an integer or string dtype"):
        L.HashedCrossing(5)((a, tf.ones(5)))


def test_metric_in_python() -> None:
    class Hits(tf.keras.metrics.experimental.PyMetric):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.hits = 0.0

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            assert isinstance(y_true, tf.Tensor)
            self.hits += float(np.sum(y_true.numpy().ravel() == np.argmax(y_pred.numpy(), 1)))

        def reset_state(self) -> None:
            self.hits = 0.0

        def result(self) -> float:
            return self.hits

    model = tf.keras.Sequential([L.Dense(2, kernel_initializer="ones")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=[Hits(name="hits")])
    assert model.evaluate(np.ones((40, 2)), np.zeros(40), verbose=0)[1] == 40.0
