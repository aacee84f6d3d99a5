"""Layers on extension types: by the functions that the program's type dispatches on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

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


def test_a_programs_layer_gets_older_formats_as_they_are() -> None:
    seen = []

    class Scaled(tf.keras.initializers.Initializer):
        def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
            return tf.fill(shape, 2.0)

    class Holds(tf.keras.layers.Layer):
        def __init__(self, init: Any, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            seen.append(type(init))
            known = {"Scaled": Scaled}
            self.init = tf.keras.initializers.deserialize(init, custom_objects=known) if isinstance(init, dict) else init

        def get_config(self) -> Any:
            return {**super().get_config(), "init": {"class_name": "Scaled", "config": {}}}

    model = tf.keras.Sequential([tf.keras.Input((2,)), Holds(Scaled())])
    again = tf.keras.models.clone_model(model)
    third = tf.keras.models.model_from_json(model.to_json(), custom_objects={"Holds": Holds})
    assert seen == [Scaled, dict, dict]
    assert type(again.layers[0].init) is type(third.layers[0].init) is Scaled


def test_a_metric_of_an_unknown_name_is_a_type_error() -> None:
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["auc"])  # the class is AUC: Keras looks at names when it trains
    with pytest.raises(TypeError, match="Unknown metric function: 'auc'"):
        model.fit(np.zeros((4, 2), "float32"), np.zeros((4, 1), "float32"), verbose=0)
