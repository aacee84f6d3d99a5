"""What Keras 2's own tests of models ask; what is expected was recorded from Keras 2."""

import numpy as np
import pytest

import tf2compat as tf

k = tf.keras
SPEC = tf.TensorSpec


class _Self(k.Model):
    """Keras does not mind what a method's first parameter is called."""

    def call(me, x, training=None):  # noqa: N805
        return x if training else x * 2.0


class _Phase(k.Model):
    def call(self, x, training):
        return x if training else x * 2.0


class _Two(k.Model):
    def call(self, x, y):
        return x + y


class _Keyword(k.Model):
    def call(self, x, *, factor):
        return x * factor


class _Gathers(k.Model):
    def call(self, x):
        return tf.gather(tf.ones((3, 2)), x)


def test_any_name_of_self():
    assert _Self()(tf.ones((1, 2)), training=True).numpy().tolist() == [[1.0, 1.0]]
    assert _Self()(tf.ones((1, 2)), True).numpy().tolist() == [[1.0, 1.0]]


def test_build_calls_at_rest():
    m = _Phase()
    m.build((None, 2))
    assert m.built


@pytest.mark.parametrize(
    "model, match",
    [(_Two, "you cannot build your model if it has positional"), (_Keyword, "missing 1 required keyword-only argument: 'factor'"),
     (_Gathers, "do not support float type inputs.*indices|do not support float type inputs.*Tindices")],
)  # fmt: skip
def test_models_that_build_cannot_call(model, match):
    with pytest.raises(ValueError, match="(?s)" + match):
        model().build((None, 2))


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch"])
def test_loops_give_one_argument(method):
    m = _Two()
    m.compile("sgd", "mse")
    given = [np.ones((4, 2))] if method.startswith("predict") else [np.ones((4, 2)), np.ones((4, 2))]
    expected = rf"Models passed to `{method}` can only have `training` and the first argument in `call\(\)` as positional arguments, found: \['y'\]."
    with pytest.raises(ValueError, match=expected):
        getattr(m, method)(*given)


def test_dimensions_of_version_1_in_shapes():
    d = tf.compat.v1.Dimension
    m = k.Sequential([k.layers.Dense(2)])
    m.build((d(None), d(3)))
    assert m.output_shape == (None, 2) and m.layers[0].kernel.shape == [3, 2]
    _Self().build((d(None), np.int64(3)))


def test_specs_of_calls():
    m = _Self()
    m(tf.ones((2, 3)))
    assert m.save_spec() == ([SPEC((None, 3), tf.float32, name="input_1")], {})
    m = _Self()
    m(k.Input((None, 2), ragged=True))
    assert m.save_spec() == ([tf.RaggedTensorSpec((None, None, 2), tf.float32, 1, tf.int64)], {})
    m = k.Sequential([k.layers.Dense(2, name="d")])
    m(tf.ones((2, 3)))
    assert m.save_spec() == ([SPEC((None, 3), tf.float32, name="d_input")], {})


def test_a_dense_layer_of_ragged_rows_of_one_length():
    layer = k.layers.Dense(2, kernel_initializer="ones", use_bias=False)
    b = tf.RaggedTensor.from_uniform_row_length([1.0, 2, 3, 4, 5, 6, 7, 8], 2)
    assert layer(b).numpy().tolist() == [[3.0, 3.0], [7.0, 7.0], [11.0, 11.0], [15.0, 15.0]]
    found = layer(tf.RaggedTensor.from_uniform_row_length(b, 2))
    assert isinstance(found, tf.RaggedTensor) and found.to_list() == [[[3.0, 3.0], [7.0, 7.0]], [[11.0, 11.0], [15.0, 15.0]]]


def test_sizes_of_other_dtypes():
    found = tf.size(tf.ones((2, 3)), out_type=tf.float32)
    assert found.dtype is tf.float32 and found.numpy() == 6.0
    assert tf.function(lambda x: tf.size(x, out_type=tf.float32))(tf.ones((2, 3))).numpy() == 6.0


def test_what_tests_of_version_1_have():
    import os
    import unittest.mock

    assert tf.compat.v1.test.mock is unittest.mock
    folder = tf.compat.v1.test.get_temp_dir()
    assert os.path.isdir(folder) and folder == tf.compat.v1.test.get_temp_dir()
    assert tf.compat.v1.test.TestCase is tf.test.TestCase
    assert not hasattr(tf.test, "mock")


def test_numeric_columns_have_the_declared_size():
    layer = k.layers.DenseFeatures(tf.feature_column.numeric_column("a", shape=(2,)))
    with pytest.raises(tf.errors.InvalidArgumentError, match="Input to reshape is a tensor with 2 values, but the requested shape has 4"):
        layer({"a": [[1.0], [5.0]]})
    assert layer({"a": [[1.0, 2.0]]}).numpy().tolist() == [[1.0, 2.0]]


def test_copies_for_tensors():
    x = k.Input((4,))
    m = k.Model(x, k.layers.Dense(2)(x))
    assert k.models.clone_model(m, input_tensors=[tf.zeros((10, 4))]).output_shape == (10, 2)
    assert k.models.clone_model(m, input_tensors=k.Input(batch_shape=(10, 4))).output_shape == (10, 2)


class _Nested(k.layers.Layer):
    """As Keras' documentation says: what is nested is deserialised by the layer."""

    def __init__(self, dense=None, **kwargs):
        super().__init__(**kwargs)
        self.given = type(dense).__name__
        self.dense = k.layers.Dense(1) if dense is None else k.saving.deserialize_keras_object(dense)

    def get_config(self):
        return {**super().get_config(), "dense": self.dense}

    def call(self, x):
        return self.dense(x)


def test_programs_layers_deserialise_what_is_nested(tmp_path):
    with k.utils.custom_object_scope({"_Nested": _Nested}):
        m = k.Sequential([k.Input((2,)), _Nested()])
        m.save(tmp_path / "m.keras")
        found = k.models.load_model(tmp_path / "m.keras"), k.Sequential.from_config(m.get_config())
        assert [f.layers[0].given for f in found] == ["dict", "dict"]
        assert found[0](np.ones((1, 2))).numpy().tolist() == m(np.ones((1, 2))).numpy().tolist()


def test_each_added_metric_and_loss_is_a_layer():
    k.backend.clear_session()
    x = k.Input((5,))
    y = k.layers.Dense(3)(x)
    m = k.Model(x, y)
    for power, name in ((2, "l2"), (1, "l1")):
        loss = tf.reduce_mean(tf.abs(y) ** power)
        m.add_loss(loss)
        m.add_metric(loss, aggregation="mean", name=name)
    again = k.Model.from_config(m.get_config())
    for model in (m, again):
        model.compile("sgd", "mse")
        model.fit(np.ones((2, 5)), np.ones((2, 3)), verbose=0)
        assert model.metrics_names == ["loss", "l2", "l1"]
        assert [layer.name for layer in model.layers if layer.name.startswith("add_")] == ["add_loss", "add_metric", "add_loss_1", "add_metric_1"]


def test_an_op_on_a_list_of_one_comes_back():
    x = k.Input(())
    m = k.Model(x, tf.stack([x]))
    assert m.get_config()["layers"][1]["inbound_nodes"] == [[[x.name, 0, 0, {}]]]
    assert k.Model.from_config(m.get_config())(tf.ones((4, 4))).shape == (1, 4, 4)
    m = k.Model(x, tf.nn.relu(x))
    assert k.Model.from_config(m.get_config())(tf.ones((4, 4))).shape == (4, 4)


@pytest.mark.parametrize("values, places", [([1, 1, 0], [[0], [1]]), ([[1, 1, 0]], [[0, 0], [0, 1]])])
def test_counts_of_a_vector_are_a_vector(values, places):
    found = tf.sparse.bincount(tf.constant(values), axis=-1, minlength=4, maxlength=4)
    assert found.indices.numpy().tolist() == places and found.values.numpy().tolist() == [1, 2]
    assert found.dense_shape.numpy().tolist() == ([4] if len(places[0]) == 1 else [1, 4])


def test_a_layer_of_inputs_of_unknown_rank_has_a_config():
    x = k.Input(type_spec=tf.TensorSpec(None, tf.float32))
    m = k.Model(x, k.layers.Activation("relu")(x))
    assert k.Model.from_config(m.get_config())(tf.constant([-1.0, 2.0])).numpy().tolist() == [0.0, 2.0]
