"""Layers on extension types: by the functions that the program's type dispatches on."""

from __future__ import annotations

from typing import Any

import numpy as np

import tf2compat as tf


class Masked(tf.experimental.BatchableExtensionType):
    """Values, some of which do not count."""

    __name__ = "tests.types_of_programs.Masked"
    values: tf.Tensor
    mask: tf.Tensor
    shape = property(lambda self: self.values.shape)
    dtype = property(lambda self: self.values.dtype)

    class Spec:
        def __init__(self, shape: Any, dtype: Any = tf.float32) -> None:
            self.values = tf.TensorSpec(shape, dtype)
            self.mask = tf.TensorSpec(shape, tf.bool)

        shape = property(lambda self: self.values.shape)
        dtype = property(lambda self: self.values.dtype)


def test_dense_multiplies_by_the_types_own_matmul() -> None:
    @tf.experimental.dispatch_for_api(tf.matmul)
    def matmul(a: Masked, b, transpose_a=False, transpose_b=False, adjoint_a=False, adjoint_b=False, a_is_sparse=False, b_is_sparse=False,
               output_type=None, grad_a=False, grad_b=False, name=None):  # fmt: skip
        return tf.matmul(tf.where(a.mask, a.values, 0.0), b)

    try:
        model = tf.keras.Sequential([
            tf.keras.layers.Input(type_spec=Masked.Spec([None, 2])), tf.keras.layers.Dense(3, activation="relu"), tf.keras.layers.Dense(1)
        ])  # fmt: skip
        model.compile(loss="mse", optimizer="sgd")
        x = Masked([[1.0, 2.0], [3.0, 4.0]], [[True, False], [False, False]])
        assert model.fit(x, tf.constant([[1.0], [0.0]]), verbose=0).history["loss"]
        first, second = model.layers
        want = tf.nn.relu(first.bias)[None, :] @ second.kernel + second.bias  # nothing of the second row counts
        np.testing.assert_allclose(model(x)[1:], want, rtol=1e-5)
    finally:
        tf.experimental.unregister_dispatch_for(matmul)


def test_accuracy_by_its_name() -> None:
    for name in ("acc", "accuracy"):
        assert tf.keras.metrics.deserialize(name).__name__ == "accuracy"
        assert tf.keras.metrics.deserialize(name, use_legacy_format=True).__name__ == "accuracy"
    with pytest.raises(ValueError, match="Unknown metric function"):
        tf.keras.metrics.deserialize("nowhere", use_legacy_format=True)
