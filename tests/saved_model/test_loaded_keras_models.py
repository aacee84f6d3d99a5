"""Keras models and optimizers that were loaded from SavedModels; what is expected was recorded from TensorFlow with Keras 2."""

import numpy as np
import pytest

pytest.importorskip("tensorboard")

import tf2compat as tf

k = tf.keras
ONE = np.ones((2, 3), "float32")


class Scale(k.layers.Layer):
    def build(self, shape):
        self.w = self.add_weight("w", (), initializer="ones", regularizer="l2")

    def call(self, x, training=None):
        return x * self.w if training else x * self.w * 2


class Shifted(k.layers.Layer):
    def __init__(self, by):
        super().__init__()
        self.by = by
        self.v = tf.Variable(1.0, name="v")
        self.inner = k.layers.Dense(2)

    def call(self, x):
        self.add_loss(tf.reduce_sum(x))
        return self.inner(x) + self.v


class Trained(tf.Module):
    def __init__(self, optimizer):
        super().__init__()
        self.layer = k.layers.Dense(1)
        self.optimizer = optimizer

    @tf.function
    def __call__(self, x):
        return self.layer(x)

    @tf.function
    def train(self, x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.abs(y - self(x)))
        weights = self.layer.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("name", ["Adam", "SGD", "legacy.Adam"])
def test_optimizers(tmp_path, name, times):
    make = k.optimizers.legacy.Adam if name == "legacy.Adam" else getattr(k.optimizers, name)
    root = Trained(make(0.01))
    x, y = tf.constant([[1.0]]), tf.constant([[2.0]])
    root.train(x, y)
    loaded = root
    for n in range(times):
        tf.saved_model.save(loaded, tmp_path / str(n))
        loaded = tf.saved_model.load(tmp_path / str(n))
    o = loaded.optimizer
    assert type(o).__name__ == "RestoredOptimizer" and int(o.iterations) == 1
    assert float(o.learning_rate) == float(o.lr) == np.float32(0.01)
    if name != "legacy.Adam":
        assert [v.name for v in o.variables] == [v.name for v in root.optimizer.variables if "learning_rate" not in v.name]
    with pytest.raises(NotImplementedError):
        o.get_config()
    root.train(x, y)
    loaded.train(x, y)
    assert int(o.iterations) == 2
    np.testing.assert_allclose(root(x), loaded(x))


def test_rate_of_a_schedule_is_not_saved(tmp_path):
    root = Trained(k.optimizers.Adam(k.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)))
    root.train(tf.constant([[1.0]]), tf.constant([[2.0]]))
    tf.saved_model.save(root, tmp_path)
    with pytest.raises(ValueError, match="Missing learning rate"):
        _ = tf.saved_model.load(tmp_path).optimizer.learning_rate


def functional():
    i = k.Input((3,), name="i")
    x = Shifted(3)(Scale(name="sc")(k.layers.Dense(4, name="d1")(i)))
    model = k.Model(i, k.layers.Dense(1, name="out")(x), name="mo")
    model.compile("sgd", "mse")
    model.fit(ONE, ONE[:, :1], verbose=0)
    return model


def test_unknown_layers_of_functional_models(tmp_path):
    model = functional()
    model.save(tmp_path / "a", save_format="tf")
    loaded = k.models.load_model(tmp_path / "a")
    assert type(loaded) is type(model) and loaded.input_names == ["i"] and loaded.output_names == ["out"]
    assert [(type(x).__name__, x.name) for x in loaded.layers] == [(type(x).__name__, x.name) for x in model.layers]
    assert loaded.get_layer("sc").get_config() == {"name": "sc", "trainable": True, "dtype": "float32"}
    assert type(loaded.layers[3].inner) is k.layers.Dense and len(loaded.layers[3].weights) == 3
    assert [w.name for w in loaded.weights] == [w.name for w in model.weights]
    for training in (False, True):
        np.testing.assert_allclose(model(ONE, training=training), loaded(ONE, training=training), rtol=1e-6)
    np.testing.assert_allclose(sorted(map(float, model.losses)), sorted(map(float, loaded.losses)), rtol=1e-6)
    again = [float(v) for m in (model, loaded) for v in m.fit(ONE, ONE[:, :1], verbose=0, epochs=2).history["loss"]]
    np.testing.assert_allclose(again[:2], again[2:], rtol=1e-5)
    loaded.save(tmp_path / "b", save_format="tf")
    np.testing.assert_allclose(k.models.load_model(tmp_path / "b").predict(ONE, verbose=0), loaded.predict(ONE, verbose=0), rtol=1e-6)
    given = k.models.load_model(tmp_path / "a", custom_objects={"Scale": Scale})
    assert [type(x) is Scale for x in given.layers] == [False, False, True, False, False]


class Sub(k.Model):
    def __init__(self):
        super().__init__(name="subm")
        self.d = k.layers.Dense(2, kernel_regularizer="l2", activity_regularizer="l1")
        self.s = Scale()
        self.seq = k.Sequential([k.layers.Dense(3, name="q"), Shifted(1)])
        self.several = [k.layers.Dense(1)]

    def call(self, x, training=None):
        return self.several[0](self.seq(self.s(self.d(x), training=training)))


def test_layers_and_losses_of_subclasses(tmp_path):
    model = Sub()
    model.compile("adam", "mse")
    model.fit(ONE, ONE[:, :1], verbose=0)
    model.save(tmp_path / "a", save_format="tf")
    loaded = k.models.load_model(tmp_path / "a")
    assert type(loaded).__name__ == "Sub" and loaded.get_config() == {}
    assert loaded.d.units == 2 and loaded.d.kernel_regularizer is not None and type(loaded.d) is k.layers.Dense
    assert [type(x).__name__ for x in loaded.seq.layers] == ["Dense", "Shifted"] and type(loaded.seq) is k.Sequential
    np.testing.assert_allclose(model(ONE), loaded(ONE), rtol=1e-6)
    np.testing.assert_allclose(sorted(map(float, model.losses)), sorted(map(float, loaded.losses)), rtol=1e-6)
    np.testing.assert_allclose(loaded.s(tf.ones((1, 2)), training=True), model.s(tf.ones((1, 2)), training=True))
    before = [w.numpy() for w in loaded.weights]
    loaded.fit(ONE, ONE[:, :1], verbose=0)
    assert all((a != b.numpy()).any() for a, b in zip(before, loaded.trainable_weights, strict=True))
    loaded.save(tmp_path / "b", save_format="tf")
    np.testing.assert_allclose(k.models.load_model(tmp_path / "b").predict(ONE, verbose=0), loaded.predict(ONE, verbose=0), rtol=1e-6)


def test_what_models_have_beside_their_configurations(tmp_path):
    model = k.Sequential([k.layers.Dense(1, input_shape=(3,)), k.layers.Dense(4)])
    model.activity_regularizer = k.regularizers.L2()
    model.add_loss(lambda: tf.reduce_sum(model.weights[0]))
    model.extra = k.metrics.Mean(name="ex")
    model.extra(3.0)
    model(ONE)
    before = [float(v) for v in model.losses]
    model.save(tmp_path, save_format="tf")
    assert [float(v) for v in model.losses] == before  # saving leaves them alone
    loaded = k.models.load_model(tmp_path)
    loaded(ONE)
    np.testing.assert_allclose(sorted(before), sorted(map(float, loaded.losses)))
    assert type(loaded.extra) is k.metrics.Mean and float(loaded.extra.result()) == 3.0
    with tf.GradientTape() as tape:
        loss = sum(loaded.losses)
    assert tape.gradient(loss, loaded.weights[0]) is not None


def test_signatures(tmp_path):
    model = k.Sequential([k.layers.Dense(1, input_shape=(3,), name="b")])
    model.compile("sgd", "mse")
    model.save(tmp_path / "a", save_format="tf")
    loaded = k.models.load_model(tmp_path / "a")
    assert list(loaded.signatures) == ["serving_default"]
    serve = loaded.signatures["serving_default"]
    first = serve(tf.constant(ONE))["b"]
    np.testing.assert_allclose(first, loaded.predict(ONE, verbose=0), rtol=1e-6)
    loaded.fit(ONE, ONE[:, :1], epochs=3, verbose=0)
    assert (serve(tf.constant(ONE))["b"].numpy() != first.numpy()).any()
    np.testing.assert_allclose(serve(tf.constant(ONE))["b"], loaded.predict(ONE, verbose=0), rtol=1e-6)
    plain = tf.saved_model.load(tmp_path / "a")
    for n in range(2):
        tf.saved_model.save(plain, tmp_path / str(n))
        plain = tf.saved_model.load(tmp_path / str(n))
    assert list(plain.signatures) == ["serving_default"]
    np.testing.assert_allclose(plain.signatures["serving_default"](tf.constant(ONE))["b"], first, rtol=1e-6)
    np.testing.assert_allclose(plain(tf.constant(ONE), False, None), first, rtol=1e-6)
    assert len(plain.keras_api.layers) == 1 and len(plain.keras_api.variables) == 2


def test_calls_with_several_arguments(tmp_path):
    class Multi(k.Model):
        def call(self, a, b, c=None):
            return a + b * 2 + (0.0 if c is None else c)

    one = tf.ones((1, 2))
    for n, more in enumerate(({"c": one}, {})):
        model = Multi()
        model(one, one, **more)
        model.save(tmp_path / str(n), save_format="tf")
        many = tf.ones((3, 2))
        got = k.models.load_model(tmp_path / str(n))(many, many, **{key: many for key in more})
        np.testing.assert_array_equal(got, np.full((3, 2), 3.0 + len(more)))


def test_classes_that_have_to_be_known(tmp_path):
    class Needed(k.layers.Layer):
        _must_restore_from_config = True

    i = k.Input((3,))
    k.Model(i, Needed()(i)).save(tmp_path, save_format="tf")
    with pytest.raises(ValueError, match="Unknown layer: 'Needed'"):
        k.models.load_model(tmp_path)
    assert type(k.models.load_model(tmp_path, custom_objects={"Needed": Needed}).layers[1]) is Needed


class Holder(k.layers.Layer):
    def __init__(self):
        super().__init__(name="holder")
        self.seq = k.Sequential([k.layers.Dense(3, name="q"), Shifted(1)])

    def call(self, x):
        return self.seq(x)


def test_losses_of_models_in_unknown_layers(tmp_path):
    i = k.Input((3,))
    model = k.Model(i, Holder()(i))
    model.compile("sgd", "mse")
    model.fit(ONE, ONE[:, :2], verbose=0)
    model.save(tmp_path, save_format="tf")
    loaded = k.models.load_model(tmp_path)
    for m in (model, loaded):
        m(ONE)
    np.testing.assert_allclose([float(v) for v in loaded.losses], [float(v) for v in model.losses], rtol=1e-6)
    np.testing.assert_allclose(loaded.fit(ONE, ONE[:, :2], verbose=0).history["loss"], model.fit(ONE, ONE[:, :2], verbose=0).history["loss"], rtol=1e-5)
