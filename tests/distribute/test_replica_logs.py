"""What steps return in several replicas: Keras' `reduce_per_replica`, whose answers these numbers are."""

import numpy as np
import pytest

import tf2compat as tf

X = np.arange(8.0, dtype="float32").reshape(8, 1)
Y = X * 0


def _two():
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


class _Model(tf.keras.Model):
    def __init__(self, returned):
        super().__init__()
        self.dense = tf.keras.layers.Dense(1, kernel_initializer="ones")
        self.returned = returned
        self.mean = tf.keras.metrics.Mean("m")

    def call(self, x):
        return self.dense(x)

    @property
    def metrics(self):
        return [self.mean]

    def train_step(self, data):
        x, y = data
        loss = tf.reduce_mean((self(x) - y) ** 2)
        self.mean.update_state(loss)
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        part = tf.cast(number, tf.float32)
        return {
            "loss": {"loss": loss},
            "metric": {"m": self.mean.result(), "loss": loss},
            "vector": {"v": tf.stack([part, part + 1])},
            "constant": {"v": tf.constant(3.0)},
            "python": {"v": 3.0},
            "integer": {"v": number + 1},
            "nested": {"a": {"b": loss}},
        }[self.returned]

    test_step = train_step


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize(
    ("returned", "method", "fitted", "on_batch"),
    [
        ("loss", None, {"loss": 63.0}, {"loss": 35.0}),
        ("loss", "first", {"loss": 20.5}, {"loss": 3.5}),
        ("loss", "sum", {"loss": 63.0}, {"loss": 35.0}),
        ("metric", None, {"m": 17.5, "loss": 63.0}, {"m": 17.5, "loss": 35.0}),
        ("metric", "first", {"m": 17.5, "loss": 20.5}, {"m": 17.5, "loss": 3.5}),
        ("vector", None, {"v": 4.0}, {"v": 4.0}),
        ("vector", "first", {"v": [0.0, 1.0]}, {"v": [0.0, 1.0]}),
        ("constant", "auto", {"v": 6.0}, {"v": 6.0}),
        ("constant", "first", {"v": 3.0}, {"v": 3.0}),
        ("python", None, {"v": 3.0}, {"v": 3.0}),
        ("integer", None, {"v": 3}, {"v": 3}),
        ("nested", None, {"a": {"b": 63.0}}, {"a": {"b": 35.0}}),
    ],
)
def test_what_replicas_return_becomes_one(returned, method, fitted, on_batch, eager):
    with _two().scope():
        model = _Model(returned)
        model.compile("sgd", run_eagerly=eager)
    if method:
        model.distribute_reduction_method = method
    assert model.distribute_reduction_method == (method or "auto")

    def plain(v):
        return {k: plain(w) for k, w in v.items()} if isinstance(v, dict) else np.asarray(v).tolist()

    history = model.fit(X, Y, batch_size=4, verbose=0, shuffle=False).history
    assert {k: plain(v[0]) for k, v in history.items()} == fitted
    assert plain(model.evaluate(X, Y, batch_size=4, verbose=0, return_dict=True)) == fitted
    assert plain(model.train_on_batch(X, Y, return_dict=True)) == on_batch


def test_an_unknown_way_to_reduce_is_refused():
    with _two().scope():
        model = _Model("loss")
        model.compile("sgd", run_eagerly=True)
    model.distribute_reduction_method = "bogus"
    with pytest.raises(ValueError, match="bogus"):
        model.fit(X, Y, batch_size=4, verbose=0)


@pytest.mark.parametrize("eager", [False, True])
def test_a_metric_of_the_users_is_of_all_replicas(eager):
    class Total(tf.keras.metrics.Metric):
        def __init__(self):
            super().__init__()
            self.total, self.steps = self.add_weight("t"), self.add_weight("n")

        def update_state(self, y, p, sample_weight=None):
            self.total.assign_add(tf.reduce_sum(p))
            self.steps.assign_add(1.0)

        def result(self):
            if self.steps > 1:
                return self.total / self.steps
            else:
                return self.total

    with _two().scope():
        model = tf.keras.Sequential([tf.keras.layers.Dense(1, kernel_initializer="ones")])
        model.compile("sgd", "mse", metrics=[Total(), "mae"], run_eagerly=eager)
    assert model.evaluate(X, Y, batch_size=8, verbose=0)[1:] == [14.0, 3.5]
    np.testing.assert_allclose(model.predict(X[:5], batch_size=3, verbose=0), X[:5])


def test_batch_statistics_of_all_replicas():
    strategy = _two()
    with strategy.scope():
        layer = tf.keras.layers.BatchNormalization(synchronized=True)
        layer.build((None, 2))
    rows = np.arange(8.0, dtype="float32").reshape(4, 2) ** 2
    parts = strategy.experimental_distribute_values_from_function(lambda c: tf.constant(rows[2 * c.replica_id_in_sync_group :][:2]))
    found = strategy.run(lambda x: layer(x, training=True), args=(parts,))
    expected = (rows - rows.mean(0)) / np.sqrt(rows.var(0) + 1e-3)
    np.testing.assert_allclose(strategy.gather(found, 0), expected, rtol=1e-4)
