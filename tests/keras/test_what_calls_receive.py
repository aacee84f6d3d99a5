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


def _dense():
    return tf.keras.layers.Dense(3)


def _called():
    model = tf.keras.Sequential([_dense()])
    model(tf.ones((2, 4)))
    return model


def _functional():
    inputs = tf.keras.Input((4,))
    return tf.keras.Model(inputs, _dense()(inputs))


@pytest.mark.parametrize(
    ("first", "knows"),
    [
        (lambda: tf.keras.Sequential([tf.keras.layers.InputLayer((4,)), _dense()]), False),
        (lambda: tf.keras.Sequential([tf.keras.layers.Dense(3, input_shape=(4,))]), True),
        (_called, False),
        (_functional, True),
        (lambda: tf.keras.Sequential([tf.keras.Sequential([tf.keras.layers.Dense(3, input_shape=(4,))])]), True),
    ],
)
def test_which_nested_model_gives_a_sequential_its_shape(first, knows):
    model = tf.keras.Sequential([first(), tf.keras.layers.Dense(2)])
    assert model.built is knows
    assert (model.inputs is None) is not knows
    assert model(tf.ones((2, 4))).shape == (2, 2)
    assert model.built


def test_layers_that_met_one_image_are_put_before_others_that_take_batches():
    resize = tf.keras.Sequential([tf.keras.layers.Resizing(8, 8), tf.keras.layers.Rescaling(1 / 255)])
    assert resize(tf.ones((20, 30, 3))).shape == (8, 8, 3)
    model = tf.keras.Sequential([resize, tf.keras.layers.Conv2D(4, 3)])
    assert model(tf.ones((2, 20, 30, 3))).shape == (2, 6, 6, 4)
    with pytest.raises(ValueError, match="An empty Model cannot be used as a Layer."):
        tf.keras.Sequential([tf.keras.Sequential()])


class _Words(tf.keras.layers.Layer):
    def call(self, text):
        words = tf.strings.split(tf.strings.upper(text))
        return words.to_tensor() if isinstance(words, tf.RaggedTensor) else words


def test_a_sequential_takes_one_scalar():
    model = tf.keras.Sequential([_Words()])
    assert model(tf.constant("a b")).numpy().tolist() == [b"A", b"B"]
    assert model(tf.constant(["a b", "c"])).numpy().tolist() == [[b"A", b"B"], [b"C", b""]]
    assert model(tf.constant("a b c")).numpy().tolist() == [b"A", b"B", b"C"]
    pipeline = tf.data.Dataset.from_tensor_slices(["a b", "c d"]).map(tf.keras.Sequential([_Words()]))
    assert [x.numpy().tolist() for x in pipeline] == [[b"A", b"B"], [b"C", b"D"]]


def test_folders_that_are_missing_or_empty(tmp_path):
    utils = tf.keras.utils
    for read in (utils.text_dataset_from_directory, utils.image_dataset_from_directory, utils.audio_dataset_from_directory):
        with pytest.raises(tf.errors.NotFoundError, match="Could not find directory .*missing"):
            read(str(tmp_path / "missing"))
    with pytest.raises(ValueError, match=r"No text files found in directory .* Allowed format: .txt$"):
        utils.text_dataset_from_directory(str(tmp_path))
    with pytest.raises(ValueError, match=r"No audio files found in directory .* Allowed format\(s\): \('.wav',\)$"):
        utils.audio_dataset_from_directory(str(tmp_path))
