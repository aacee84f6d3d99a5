"""What `call` receives for `training`, and where a Sequential without a given shape checks its inputs (as recorded from TensorFlow)."""

import numpy as np
import pytest

import tf2compat as tf


class _Receives(tf.keras.layers.Layer):
    def call(self, x, training=None):
        self.received = training
        return x


class _WithoutDefault(tf.keras.layers.Layer):
    def call(self, x, training):
        self.received = training
        return x


class _TrainsByDefault(tf.keras.layers.Layer):
    def call(self, x, training=True):
        self.received = training
        return x


@pytest.mark.parametrize(("kind", "alone"), [(_Receives, None), (_WithoutDefault, None), (_TrainsByDefault, True)])
def test_training_is_none_where_nobody_said(kind, alone):
    layer = kind()
    layer(tf.ones((2, 2)))
    assert layer.received is alone
    tf.keras.Sequential([layer])(tf.ones((2, 2)))
    assert layer.received is alone
    layer(tf.ones((2, 2)), training=False)
    assert layer.received is False
    tf.keras.Sequential([layer])(tf.ones((2, 2)), training=True)
    assert layer.received is True


def test_a_sequential_without_a_shape_leaves_the_check_to_its_first_layer():
    model = tf.keras.Sequential([tf.keras.layers.Conv2D(2, 3, name="first")], name="whole")
    assert model.input_spec is None
    said = (
        "Exception encountered when calling layer 'whole' (type Sequential).\n\n"
        'Input 0 of layer "first" is incompatible with the layer: expected min_ndim=4, found ndim=2. Full shape received: (2, 8)\n\n'
        "Call arguments received by layer 'whole' (type Sequential):\n"
        "  • inputs=tf.Tensor(shape=(2, 8), dtype=float32)\n  • training=None\n  • mask=None"
    )
    for _ in range(2):
        with pytest.raises(ValueError) as error:
            model(np.zeros((2, 8), "f"))
        assert str(error.value) == said
        model(np.zeros((2, 8, 8, 3), "f"))
    assert model.input_spec is None
    given = tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(3,))], name="given")
    with pytest.raises(ValueError, match=r'layer "given" is incompatible with the layer: expected shape=\(None, 3\), found shape=\(2, 4\)'):
        given(np.zeros((2, 4), "f"))


def test_a_device_scope_tells_its_name():
    assert tf.device("/CPU:0")._device_name == "/CPU:0"
