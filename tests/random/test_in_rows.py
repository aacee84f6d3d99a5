"""Seeded numbers in functions that are mapped to all rows at once: each row has its own, as in TensorFlow."""

from __future__ import annotations

import tf2compat as tf


def test_rows_have_numbers_of_their_own() -> None:
    x = tf.zeros([6, 2])
    for make in (
        lambda: tf.random.Generator.from_seed(1).uniform,
        lambda: tf.random.Generator.from_seed(1).normal,
        lambda: lambda shape: tf.random.uniform(shape, seed=3),
    ):
        draw = make()
        for fallback in (True, False):
            rows = tf.vectorized_map(lambda v, draw=draw: v + draw([]), x, fallback_to_while_loop=fallback).numpy()
            assert len(set(rows[:, 0].tolist())) == 6
        assert (rows[:, 0] == rows[:, 1]).all()
    same = tf.vectorized_map(lambda v: v + tf.random.stateless_uniform([], [1, 2]), x).numpy()
    assert len(set(same[:, 0].tolist())) == 1
