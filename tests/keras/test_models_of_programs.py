"""What Keras 2's own tests ask of models and layers: configs, weights, arguments, callbacks; answers are Keras 2's."""

import os

import numpy as np
import pytest

import tf2compat as tf

K = tf.keras


def _dense(weights):
    return K.layers.Dense(2, use_bias=False, weights=weights)


def test_initial_weights_reach_every_kind_of_model():
    kernel = np.random.RandomState(0).rand(10, 2).astype("float32")
    x = K.Input((10,))
    models = [K.Sequential([K.layers.InputLayer((10,)), _dense([kernel])]), K.Sequential([_dense([kernel])]), K.Model(x, _dense([kernel])(x))]
    for model in models:
        model(np.ones([1, 10], "float32"))
        np.testing.assert_array_equal(model.get_weights()[0], kernel)


def test_configs_of_classes_without_their_own():
    class Bare(K.layers.Layer):
        def __init__(self, a=3):
            super().__init__()

    class Open(K.layers.Layer):
        def __init__(self, a=3, **kwargs):
            super().__init__(**kwargs)

    class Net(K.Model):
        def __init__(self, units):
            super().__init__()

    class OpenNet(K.Model):
        def __init__(self, units, **kwargs):
            super().__init__()

    assert Bare(4).get_config() == {"a": 4}
    assert isinstance(Bare.from_config(Bare(4).get_config()), Bare)
    assert Open([4, "b"], name="open").get_config() == {"name": "open", "trainable": True, "dtype": "float32", "a": [4, "b"]}
    assert Net(10).get_config() == Net(units=10).get_config() == {"units": 10}
    assert Net(np.int32(10)).get_config() == {}
    assert set(OpenNet(10, extra=1).get_config()) == {"name", "trainable", "dtype", "units", "extra"}


def test_weights_before_the_first_call():
    class Plain(K.Model):
        def call(self, x):
            return x

    class Built(K.Model):
        def build(self, shape):
            self.w = self.add_weight(shape=(1,))

        def call(self, x):
            return x * self.w

    assert Plain().weights == []
    with pytest.raises(ValueError, match="Weights for model .* have not yet been created"):
        _ = Built().weights
    with pytest.raises(ValueError, match="call `count_params`"):
        K.Sequential(K.layers.Dense(3)).count_params()


def test_modules_in_sequential_models():
    class Scale(tf.Module):
        def __init__(self):
            self.v = tf.Variable(2.0)

        def call(self, x, training=None):
            assert training is not None
            return self.v * x

    model = K.Sequential()
    model.add(Scale())
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 1)), np.ones((4, 1)), verbose=0)
    assert len(model.trainable_variables) == 1
    with pytest.raises(ValueError, match="is not defined"):
        K.Sequential().add(tf.Module())


def test_arguments_in_configs():
    class Add(K.layers.Layer):
        def call(self, a, b=None):
            return a if b is None or type(b) is object else a + b

    x = K.Input((10,))
    model = K.Model(x, Add()(3.0, b=x))
    again = K.Model.from_config(model.get_config(), custom_objects={"Add": Add})
    assert again(np.ones([1, 10])).numpy()[0, 0] == 4.0
    odd = K.Model(x, Add()(x, b=object()))
    with pytest.raises(TypeError, match="was passed non-JSON-serializable arguments"):
        odd.get_config()


def test_inputs_in_structures():
    a, b, c, d = (K.Input((1,), dtype="int32") for _ in range(4))
    model = K.Model({"a": (a, b), "c": (c, d)}, 1000 * a + 100 * b + 10 * c + d)
    one = tf.ones((1, 1), "int32")
    assert model({"a": (one, 2 * one), "c": (3 * one, 4 * one)}).numpy().tolist() == [[1234]]


def test_a_mixin_after_a_functional_class():
    class Mixin:
        def __init__(self, foo, **kwargs):
            self._foo = foo
            super().__init__(**kwargs)

    class Net(K.Model):
        def __init__(self, **kwargs):
            x = K.Input((4,))
            super().__init__(inputs=x, outputs=K.layers.Dense(2)(x), **kwargs)

    class Mixed(Net, Mixin):
        pass

    model = Mixed(foo="123")
    assert model._foo == "123" and len(model.weights) == 2


def test_symbols_index_tensors():
    table, at = tf.range(10.0), K.Input((), dtype="int32")
    assert float(K.Model(at, table[at[0]])(tf.constant([6, 6]))) == 6.0


def test_losses_of_several_dtypes():
    x = K.Input((2,))
    outs = [K.layers.Dense(2, dtype=d, kernel_regularizer="l2")(x) for d in ("float32", "float16")]
    model = K.Model(x, outs)
    model.add_loss(tf.reduce_sum(tf.cast(outs[1], "float64")))
    assert len(model.losses) == 3
    model.compile("sgd", ["mse", "mse"])
    model.fit(np.ones((4, 2)), [np.ones((4, 2))] * 2, verbose=0)


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch"])
def test_high_level_methods_inside_functions(method):
    model = K.Sequential([K.layers.Dense(1)])
    model.compile("sgd", "mse")

    @tf.function
    def inside():
        getattr(model, method)(1)

    with pytest.raises(RuntimeError, match="inside a `tf.function`"):
        inside()


def test_nothing_to_train_on_and_nothing_that_ends():
    model = K.Sequential([K.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="Expected input data to be non-empty."):
        model.fit(np.zeros([0, 1]), np.zeros([0, 1]))
    layer = K.layers.Normalization()
    with pytest.raises(ValueError, match="infinite dataset"):
        layer.adapt(tf.data.Dataset.from_tensor_slices([[1.0]]).repeat())
    with pytest.raises(ValueError, match="Failed to find data adapter"):
        layer.adapt({"foo": 0})


def test_a_replaced_variable_keeps_its_place():
    dense = K.layers.Dense(1)
    dense.build([8, 2])
    dense.bias = tf.Variable(tf.zeros((1,)))
    dense.kernel = tf.Variable(tf.zeros((2, 1)))
    assert dense.trainable_variables[0] is dense.kernel and dense.trainable_variables[1] is dense.bias


def test_weights_of_a_saved_model(tmp_path):
    x, y = np.ones((4, 1)), np.ones((4, 1))
    model = K.Sequential([K.layers.Dense(1, input_shape=(1,))])
    model.compile("sgd", "mse")
    path = os.path.join(tmp_path, "whole")
    model.fit(x, y, verbose=0, callbacks=[K.callbacks.ModelCheckpoint(path)])
    again = K.Sequential([K.layers.Dense(1, input_shape=(1,))])
    again.compile("sgd", "mse")
    again.load_weights(path)
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])
    assert int(again.optimizer.iterations) == 1


def test_arguments_of_callbacks(tmp_path):
    with pytest.raises(ValueError, match="Unrecognized arguments"):
        K.callbacks.TensorBoard(wwrite_images=True)
    with pytest.raises(ValueError, match="native TF-Keras format does not support"):
        K.callbacks.ModelCheckpoint("a.keras", options=tf.saved_model.SaveOptions())
    with pytest.raises(TypeError, match="tf.train.CheckpointOptions"):
        K.callbacks.ModelCheckpoint("a", save_weights_only=True, options=tf.saved_model.SaveOptions())
    path = tmp_path / "dir.h5"
    path.mkdir()
    model = K.Sequential([K.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(IOError, match="Please specify a non-directory filepath"):
        model.fit(np.ones((2, 1)), np.ones((2, 1)), verbose=0, callbacks=[K.callbacks.ModelCheckpoint(path)])


def test_metric_functions_give_one_tensor():
    model = K.Sequential([K.layers.Dense(3)])
    model.compile("sgd", "mse", metrics=[lambda y_true, y_pred: {"value": 0.0}])
    with pytest.raises(RuntimeError, match="To return a dict of values, implement"):
        model.fit(np.ones((2, 2)), np.ones((2, 3)), verbose=0)
    assert K.metrics.get("acc") is K.metrics.get("accuracy")
    with pytest.raises(ValueError, match="since it is a metric."):
        K.layers.serialize(K.metrics.Mean())


def test_learning_rates_that_are_functions():
    v = tf.Variable([1.0, 2.0])
    for make in (K.optimizers.legacy.SGD, K.optimizers.legacy.Adam, K.optimizers.legacy.RMSprop):
        make(learning_rate=lambda: 0.5).apply_gradients([(tf.constant([0.1, 0.1]), v)])
    assert float(v[0]) < 0.0


def test_sparse_backend_variable():
    scipy = pytest.importorskip("scipy.sparse")
    x = K.backend.variable(scipy.eye(4))
    assert isinstance(x, tf.SparseTensor) and K.backend.to_dense(x).numpy().tolist() == np.eye(4).tolist()


def test_names_that_libraries_read():
    layer = K.layers.Dense(2, dtype="mixed_bfloat16")
    assert layer._dtype_policy.compute_dtype == "bfloat16"
    layer._dtype_policy = K.mixed_precision.Policy("float64")
    assert layer.dtype == layer.compute_dtype == "float64"
    x = K.Input((10, 3))
    assert K.Model(x, K.layers.Masking()(x)).output_mask.shape.as_list() == [None, 10]
    with pytest.raises(TypeError, match="Expected `dynamic` argument to be a boolean"):
        K.layers.Layer(dynamic=0)


def test_predictions_of_batches_of_different_lengths():
    model = K.Sequential([K.layers.Dense(2)])
    batches = [np.ones((2, 3, 4), "float32"), np.ones((1, 5, 4), "float32")]
    data = tf.data.Dataset.from_generator(lambda: iter(batches), output_signature=tf.TensorSpec([None, None, 4]))
    found = model.predict(data, verbose=0)
    assert isinstance(found, tf.RaggedTensor) and found.shape.as_list() == [3, None, 2]
    assert found.row_lengths().numpy().tolist() == [3, 3, 5]


def test_a_layer_that_comes_again_in_sequential(tmp_path) -> None:
    """Numbers of layers, and how often the layer is called, are TensorFlow's: once where no shape was given."""
    for given in (True, False):
        again = tf.keras.layers.Dense(2, kernel_initializer="ones", use_bias=False, name="again")
        first = tf.keras.layers.Dense(2, kernel_initializer="ones", use_bias=False, **({"input_shape": (3,)} if given else {}))
        model = tf.keras.Sequential([first, again, again])
        assert model(tf.ones((1, 3))).numpy().tolist() == ([[12.0, 12.0]] if given else [[6.0, 6.0]])
        assert len(model.layers) == 2 and len(model.weights) == 2 and model.count_params() == 10
        assert [entry["class_name"] for entry in model.get_config()["layers"]] == ["InputLayer", "Dense", "Dense"]
        model.save_weights(str(tmp_path / "w.h5"))
    with pytest.raises(ValueError, match="unique names"):
        tf.keras.Sequential([tf.keras.layers.Dense(1, name="a"), tf.keras.layers.Dense(1, name="a")])
