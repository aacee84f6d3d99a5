"""Sizes of symbolic tensors as bounds of slices, sizes of images and shapes of other ops of a functional model."""

import numpy as np
import pytest

import tf2compat as tf

layers = tf.keras.layers


def model_of(out, *inputs):
    model = tf.keras.Model(list(inputs), out)
    shapes = [[2] + [5 if d is None else d for d in i.shape.as_list()[1:]] for i in inputs]
    return model([tf.ones(s) for s in shapes])


def test_a_slice_up_to_the_length_of_another_input(tmp_path):
    words = layers.Input((None, 3))
    places = layers.Input((8, 4))
    out = layers.Dense(1, kernel_initializer="ones")(places[:, : tf.shape(words)[1], ::2])
    model = tf.keras.Model([words, places], out)
    x = [np.ones((2, 5, 3), "f"), np.arange(64.0).reshape(2, 8, 4).astype("f")]
    expected = x[1][:, :5, ::2].sum(-1, keepdims=True)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected)
    again = tf.keras.models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    np.testing.assert_allclose(again.predict(x, verbose=0), expected)
    model.save(tmp_path / "m.keras")
    np.testing.assert_allclose(tf.keras.models.load_model(tmp_path / "m.keras").predict(x, verbose=0), expected)


def test_images_are_resized_to_the_size_of_other_images():
    small = layers.Input((None, None, 3))
    large = layers.Input((8, 6, 3))
    sizes = tf.shape(large)
    for size in (sizes[1:-1], [sizes[1], sizes[2]], [sizes[1], 6]):
        out = tf.image.resize(small, size, method="nearest")
        assert out.shape.as_list() == [None, 8, 6, 3]
        assert model_of(out, small, large).shape == [2, 8, 6, 3]
    twice = tf.image.resize(small, tf.shape(small)[1:3] * 2)
    assert twice.shape.as_list() == [None, None, None, 3]
    assert model_of(twice, small).shape == [2, 10, 10, 3]


def test_sizes_that_are_known_stay_known():
    x = layers.Input((8, 6, 3))
    sizes = tf.shape(x)
    assert "inferred_value=[None, 8, 6, 3]" in repr(sizes)
    assert "inferred_value=[8, 6]" in repr(sizes[1:3])
    assert "inferred_value=[8, None]" in repr(tf.stack([sizes[1], sizes[0]]))
    assert tf.broadcast_to(tf.reduce_mean(x, [1, 2], keepdims=True), sizes).shape.as_list() == [None, 8, 6, 3]
    assert tf.gather(x, tf.range(sizes[1]), axis=1).shape.as_list() == [None, 8, 6, 3]
    dense = layers.Dense(2)(tf.reshape(x, [sizes[0], sizes[1] * sizes[2], sizes[3]]))
    assert dense.shape.as_list() == [None, 48, 2]


def test_layers_of_ops_are_named_after_the_functions():
    x = layers.Input((4,))
    names = [t._keras_history.layer.name for t in (tf.concat([x, x], 1), tf.stack([x, x]), tf.where(x > 0, x, x))]
    assert [n.rstrip("_0123456789") for n in names] == ["tf.concat", "tf.stack", "tf.where"]


def test_a_layer_is_given_another_convolution():
    class Standardized(layers.Conv2D):
        def build(self, input_shape):
            super().build(input_shape)
            plain = self.convolution_op
            self.convolution_op = lambda x, kernel: plain(x, kernel * 0 + 1)

    out = Standardized(2, 3, activation="relu", bias_initializer="ones")(tf.ones([1, 4, 4, 1]))
    np.testing.assert_array_equal(out.numpy(), np.full((1, 2, 2, 2), 10.0, "f"))


def test_a_layer_that_makes_masks_supports_them_whatever_it_said_before():
    class Passes(layers.Layer):
        def __init__(self):
            self.supports_masking = False
            super().__init__()

        def compute_mask(self, inputs, mask=None):
            return mask

        def call(self, inputs):
            return inputs * 2

    x = layers.Embedding(5, 2, mask_zero=True)(layers.Input((3,)))
    assert Passes()(x)._keras_mask is not None


@pytest.mark.parametrize("size", [3, [1, 2, 3]])
def test_sizes_of_another_shape_are_refused(size):
    with pytest.raises(ValueError, match="'size' must be a 1-D Tensor of 2 elements"):
        tf.image.resize(layers.Input((4, 4, 1)), size)
