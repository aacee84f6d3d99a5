"""Dates and spans of NumPy and pandas become numbers where a dtype is asked for, as in TensorFlow."""

from __future__ import annotations

import numpy as np
import pytest

import tf2compat as tf

DAYS = np.array(["2020-01-02", "2021-03-04"], dtype="datetime64[D]")


def test_dates_count_their_units() -> None:
    assert tf.constant(DAYS, dtype=tf.int64).numpy().tolist() == [18263, 18690]
    assert tf.convert_to_tensor(DAYS, tf.int32).dtype == tf.int32
    assert tf.constant(DAYS, tf.float32).numpy().tolist() == [18263.0, 18690.0]
    assert tf.constant(DAYS[0], dtype=tf.int64).numpy() == 18263
    assert (tf.constant([1, 2], tf.int64) + DAYS).numpy().tolist() == [18264, 18692]
    assert tf.constant(np.array([1, 2], "timedelta64[D]"), tf.int64).numpy().tolist() == [1, 2]


def test_without_a_dtype_they_have_none() -> None:
    with pytest.raises(ValueError, match="Unsupported numpy type: NPY_DATETIME"):
        tf.convert_to_tensor(DAYS)
    with pytest.raises(ValueError, match="Unsupported numpy type: NPY_TIMEDELTA"):
        tf.constant(DAYS - DAYS)
