"""Layers that are attributes of a functional model without being part of its graph."""

import numpy as np

import tf2compat as tf

L = tf.keras.layers


def _model():
    i = L.Input((4,))
    inside = L.Dense(3, name="inside")
    model = tf.keras.Model(i, inside(i))
    model.same = inside
    model.beside = L.Dense(2, name="beside")
    model.beside.build((None, 3))
    model.several = [L.Dense(1, name="in_a_list")]
    return model


def test_they_are_among_the_layers_and_in_the_summary():
    model, lines = _model(), []
    assert [layer.name for layer in model.layers] == [model.layers[0].name, "inside", "beside", "in_a_list"]
    assert model.get_layer("beside") is model.beside and len(model.weights) == 4
    model.summary(print_fn=lines.append)
    text = "\n".join(lines)
    assert "beside (Dense)" in text and "in_a_list (Dense)" in text and "0 (unused)" in text and "Total params: 23" in text
    model.trainable = False
    assert not model.beside.trainable


def test_weights_files_hold_theirs(tmp_path):
    for name in ("a.h5", "b.weights.h5", "c.ckpt"):
        model = _model()
        kernel = model.beside.get_weights()[0]
        model.save_weights(str(tmp_path / name))
        model.beside.set_weights([np.zeros((3, 2)), np.zeros(2)])
        model.load_weights(str(tmp_path / name))
        np.testing.assert_array_equal(model.beside.get_weights()[0], kernel)


def test_a_subclass_calls_its_own_head():
    class Model(tf.keras.Model):
        def __init__(self):
            i = L.Input((4,))
            super().__init__(i, L.Dense(3)(i))
            self.head = L.Dense(2, name="head")

        def call(self, x):
            return self.head(super().call(x))

    model = Model()
    model.compile("sgd", "mse")
    model.fit(np.zeros((4, 4)), np.zeros((4, 2)), verbose=0)
    assert model.get_layer("head") is model.head and model.predict(np.zeros((2, 4)), verbose=0).shape == (2, 2)
