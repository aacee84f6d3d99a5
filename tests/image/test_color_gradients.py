"""Ops on colours for which TensorFlow has no derivatives say so, as there."""

from __future__ import annotations

import pytest

import tf2compat as tf


@pytest.mark.parametrize(
    ("op", "change"),
    [
        ("AdjustContrastv2", lambda x: tf.image.adjust_contrast(x, 2.0)),
        ("AdjustHue", lambda x: tf.image.adjust_hue(x, 0.1)),
        ("AdjustSaturation", lambda x: tf.image.adjust_saturation(x, 2.0)),
    ],
)
def test_no_gradient(op: str, change) -> None:
    x = tf.Variable([[[0.5, 0.25, 0.0]]])
    with tf.GradientTape() as tape:
        y = change(x)
    assert y.shape == (1, 1, 3)
    with pytest.raises(LookupError, match=f"gradient registry has no entry for: {op}"):
        tape.gradient(y, x)
    assert tf.function(change)(x).shape == (1, 1, 3)
