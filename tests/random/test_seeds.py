"""Seeds: what repeats, and when."""

import numpy as np
import pytest

import tf2compat as tf


def numbers(n=3, **kwargs):
    return tf.random.uniform([n], **kwargs).numpy().tolist()


@pytest.fixture(autouse=True)
def unseeded():
    yield
    tf.random.set_seed(None)


def test_global_seed_repeats_the_sequence():
    tf.random.set_seed(5)
    first = [numbers(), numbers()]
    assert first[0] != first[1]
    tf.random.set_seed(5)
    assert [numbers(), numbers()] == first
    tf.random.set_seed(6)
    assert numbers() != first[0]


def test_op_seed_goes_on_and_set_seed_starts_anew():
    tf.random.set_seed(5)
    a1, a2 = numbers(seed=1), numbers(seed=1)
    b1 = numbers(seed=2)
    assert a1 != a2 and a1 != b1
    tf.random.set_seed(5)
    assert [numbers(seed=1), numbers(seed=1)] == [a1, a2]


def test_without_seeds_nothing_repeats():
    assert numbers() != numbers()
    tf.random.set_seed(None)
    assert numbers() != numbers()


def test_functions_have_streams_of_their_own():
    tf.random.set_seed(1234)

    def body():
        return tf.random.uniform([1]), tf.random.uniform([1])

    f, g = tf.function(body), tf.function(body)
    first = [t.numpy()[0] for t in f()]
    second = [t.numpy()[0] for t in f()]
    assert len(set(first + second)) == 4
    assert [t.numpy()[0] for t in g()] == first
    tf.random.set_seed(1234)
    assert [t.numpy()[0] for t in f()] == first


def test_stateless_numbers_depend_on_the_seed_alone():
    a = tf.random.stateless_normal([4], [1, 2])
    tf.random.set_seed(9)
    # seeds in a GPU's memory are drawn from there, and logarithms are rounded otherwise
    np.testing.assert_allclose(a, tf.random.stateless_normal([4], tf.constant([1, 2], tf.int64)), rtol=1e-6)
    assert not np.array_equal(a, tf.random.stateless_normal([4], [2, 1]))


def test_longer_stateless_results_begin_with_shorter_ones():
    long = tf.random.stateless_uniform([40_000], [3, 4]).numpy()
    np.testing.assert_array_equal(long[:5], tf.random.stateless_uniform([5], [3, 4]))
    assert abs(long.mean() - 0.5) < 0.01 and 0 <= long.min() and long.max() < 1


def test_generator_goes_on_copies_and_is_a_checkpointed_variable():
    g = tf.random.Generator.from_seed(7)
    first = g.normal([3]).numpy()
    copy = tf.random.Generator(copy_from=g)
    np.testing.assert_array_equal(copy.normal([3]), g.normal([3]))
    g.reset_from_seed(7)
    np.testing.assert_array_equal(g.normal([3]), first)
    assert g.state.dtype == tf.int64 and g.state.shape == [3]
    one, two = g.split(2)
    assert not np.array_equal(one.normal([3]), two.normal([3]))


def test_philox_on_tensors_agrees_with_philox_on_the_host():
    import torch

    from tf2compat._engine import philox

    key, counter = torch.tensor([11, 0xFFFFFFFF]), torch.tensor([0xFFFFFFFE, 0xFFFFFFFF, 7, 8])
    at = torch.arange(20)
    host = philox.blocks(key, counter, at)
    even, odd = philox._rounds(
        torch.stack([(counter[0] + at) & 0xFFFFFFFF, torch.where(at < 2, 7, 8)]),
        torch.stack([torch.where(at < 2, 0xFFFFFFFF, 0), torch.full_like(at, 8)]),
        key.unsqueeze(1),
    )
    assert torch.equal(host, torch.stack([even[0], odd[0], even[1], odd[1]], 1))
    few = philox.blocks(key, counter, at[:3])
    assert torch.equal(host[:3], few)


@pytest.mark.parametrize("draw", [tf.random.normal, tf.random.truncated_normal])
def test_moments(draw):
    tf.random.set_seed(3)
    x = draw([20_000], mean=2.0, stddev=0.5).numpy()
    assert abs(x.mean() - 2) < 0.02
    assert abs(x.std() - (0.5 if draw is tf.random.normal else 0.44)) < 0.02
    if draw is tf.random.truncated_normal:
        assert x.min() >= 1 and x.max() <= 3


def test_gamma_is_differentiable():
    alpha, beta = tf.constant([1.0, 2.0]), tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch([alpha, beta])
        y = tf.random.gamma([5], alpha, beta)
    da, db = tape.gradient(y, [alpha, beta])
    assert da.shape == [2] and bool(tf.reduce_all(da > 0))
    np.testing.assert_allclose(db, -tf.reduce_sum(y) / 3, rtol=1e-4)


def test_categorical_follows_the_logits():
    tf.random.set_seed(4)
    drawn = tf.random.categorical(tf.math.log([[0.2, 0.0, 0.8]]), 5000).numpy()[0]
    share = np.bincount(drawn, minlength=3) / 5000
    np.testing.assert_allclose(share, [0.2, 0, 0.8], atol=0.03)


def test_shuffle_keeps_the_rows():
    tf.random.set_seed(4)
    x = tf.reshape(tf.range(20), [10, 2])
    y = tf.random.shuffle(x).numpy()
    assert sorted(map(tuple, y)) == sorted(map(tuple, x.numpy())) and not np.array_equal(y, x)
    assert sorted(tf.random.shuffle(["b", "a"]).numpy()) == [b"a", b"b"]


def test_candidate_samplers():
    drawn, true_count, sampled_count = tf.random.uniform_candidate_sampler([[1]], 1, 3, True, 5)
    assert len(set(drawn.numpy().tolist())) == 3 and true_count.shape == [1, 1] and sampled_count.shape == [3]
