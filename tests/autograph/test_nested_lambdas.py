"""Lambdas in lambdas on one line: which is which is told by the places of their code."""

import sys
import warnings

import pytest

import tf2compat as tf

pytestmark = pytest.mark.skipif(sys.version_info < (3, 11), reason="code objects know no columns before Python 3.11")


def test_nested_lambdas_on_one_line():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f = (lambda: tf.function(lambda x: (lambda y: y + 1.0 if y > 0.0 else -y)(x) if x < 5.0 else x * (lambda: 2.0)()))()
        assert [float(f(tf.constant(v))) for v in (1.0, -3.0, 6.0)] == [2.0, 3.0, 12.0]
        g, h = tf.function(lambda x: x if x > 0 else -x), tf.function(lambda x: x if x > 0 else -x)
        assert [int(g(tf.constant(-2))), int(h(tf.constant(-3)))] == [2, 3]


def test_branches_are_lambdas_of_the_same_line():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f = tf.function(lambda x: tf.cond(x > 0, lambda: tf.cond(x > 1, lambda: x * 2, lambda: x * 3), lambda: -x))
        assert [int(f(tf.constant(v))) for v in (5, 1, -7)] == [10, 3, 7]
