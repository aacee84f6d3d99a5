"""Keras in several replicas; the numbers are those of TensorFlow on one replica, which several have to agree with."""

import numpy as np
import pytest

import tf2compat as tf

L = tf.keras.layers
X = np.arange(8.0, dtype="float32").reshape(8, 1)
Y = X * 2


@pytest.fixture(params=["two", "one", "device"])
def strategy(request):
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    if request.param == "device":
        return tf.distribute.OneDeviceStrategy("/cpu:0")
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"][: 2 if request.param == "two" else 1])


def test_fit_inside_of_the_scope_makes_each_variable_once(strategy):
    with strategy.scope():
        model = tf.keras.Sequential([L.Dense(1, kernel_initializer="ones")])
        model.compile("sgd", "mse", metrics=["mae"])
        history = model.fit(X, Y, batch_size=4, shuffle=False, verbose=0).history
        np.testing.assert_allclose([history["loss"][0], history["mae"][0]], [15.219173, 3.2924998], rtol=1e-5)
        np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), [1.8090955, 1.1171250], rtol=1e-4)
        np.testing.assert_allclose(model.predict(X, verbose=0).ravel()[:2], [0.1317, 1.7843], rtol=1e-4)
    for v in model.weights:
        for part in getattr(v, "values", ()):
            assert not getattr(part, "_components", ())


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(strategy, policy):
    tf.keras.mixed_precision.set_global_policy(policy)
    try:
        with strategy.scope():
            hidden = L.Dense(4, kernel_initializer="ones")
            model = tf.keras.Sequential([hidden, L.Dense(1, dtype="float32", kernel_initializer="ones")])
            model.compile("sgd", "mse")
        losses = model.fit(X / 8, Y / 8, batch_size=4, shuffle=False, verbose=0).history["loss"]
        assert losses[0] == pytest.approx(1.02, abs=0.02)
        assert all(strategy.extended.variable_created_in_scope(v) for v in model.weights)
        assert hidden.kernel.dtype is tf.float32
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")


def test_variables_of_layers_that_are_attributes_are_trained(strategy):
    class Shift(L.Layer):
        def build(self, _):
            self.by = tf.Variable(1.0)

        def call(self, x):
            return x + self.by

    for make in (tf.keras.optimizers.SGD, tf.keras.optimizers.legacy.SGD):
        with strategy.scope():
            layer = Shift()
            model = tf.keras.Sequential([layer])
            optimizer = make(1.0)
        model.compile(optimizer, "mae")
        model.fit(np.ones((10, 1)), np.ones((10, 1)), batch_size=10, verbose=0)
        assert layer.by.numpy() == pytest.approx(0.0, abs=1e-6)
        assert len(model.trainable_variables) == 1


@pytest.mark.parametrize("by_iterator", [False, True])
def test_an_epoch_in_a_function(strategy, by_iterator):
    with strategy.scope():
        model = tf.keras.Sequential([L.Dense(1, kernel_initializer="ones", kernel_regularizer="l2")])
        model.build((None, 1))
        optimizer, seen = tf.keras.optimizers.SGD(0.01), tf.keras.metrics.Mean()
    dataset = strategy.experimental_distribute_dataset(tf.data.Dataset.from_tensor_slices((X / 8, Y / 8)).batch(4))

    def step(batch):
        x, y = batch
        with tf.GradientTape() as tape:
            p = model(x)
            loss = tf.nn.compute_average_loss(tf.keras.losses.mean_squared_error(y, p), global_batch_size=4)
            loss += tf.nn.scale_regularization_loss(model.losses)
        optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True))
        seen.update_state(p)
        return loss

    @tf.function
    def epoch(data):
        total, n = 0.0, 0
        if by_iterator:
            it = iter(data)
            for _ in range(2):
                total += strategy.reduce("SUM", strategy.run(step, args=(next(it),)), axis=None)
                n += 1
        else:
            for batch in data:
                total += strategy.reduce("SUM", strategy.run(step, args=(batch,)), axis=None)
                n += 1
        return total / tf.cast(n, tf.float32)

    np.testing.assert_allclose([float(epoch(dataset)) for _ in range(3)], [0.2804, 0.2606, 0.2425], rtol=1e-2)
    assert float(seen.result()) == pytest.approx(0.4611, abs=5e-3)


def test_losses_and_metrics_of_layers_are_each_replicas_own(strategy):
    with strategy.scope():
        model = tf.keras.Sequential([L.Dense(2, input_shape=(1,), kernel_initializer="ones"), L.Dense(1, kernel_initializer="ones")])
        loss = 0.01 * tf.reduce_mean(tf.reduce_sum(model.layers[0].output, -1))
        model.add_loss(loss)
        model.add_metric(L.Lambda(lambda v: tf.divide(v, 0.01))(loss), aggregation="mean", name="l1")
        model.compile("sgd", "mse")
    assert [m.name for m in model.metrics][-1] == "l1"
    history = model.fit(X, Y, batch_size=4, shuffle=False, verbose=0).history
    assert history["loss"][0] == pytest.approx(0.07, abs=1e-3)
    assert history["l1"][0] == pytest.approx(6.999, abs=2e-3)


def test_everything_is_made_in_the_models_scope(strategy):
    class Batches(tf.keras.callbacks.Callback):
        def on_predict_batch_begin(self, batch, logs=None):
            begun.append(batch)

    begun: list[int] = []
    with strategy.scope():
        model = tf.keras.Sequential([L.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"], steps_per_execution=3)
    model.fit(X, Y, batch_size=2, verbose=0)
    inside = strategy.extended.variable_created_in_scope
    assert all(inside(v) for m in model.metrics for v in m.variables)
    assert all(inside(v) for v in model.optimizer.variables)
    model.predict(X, batch_size=2, verbose=0, callbacks=[Batches()])
    assert begun == [0, 3]


def test_creators_see_the_variables_of_mixed_precision():
    made = []

    def creator(following, **kwargs):
        made.append(kwargs["name"])
        return following(**kwargs)

    with tf.variable_creator_scope(creator):
        L.Dense(1, dtype="mixed_bfloat16").build((None, 2))
    assert made == ["kernel", "bias"]


def test_replicas_leave_the_process_as_it_was(strategy):
    """Beside `tf.summary`, each replica's thread set the counts of what is traced back: variables in loops were then read once, as constants."""
    from tf2compat._engine import state

    tf.summary.create_noop_writer()
    test_mixed_precision(strategy, "mixed_float16")  # whose replicas meet inside of a condition
    assert state._slow_scopes == 0 and not state._recording
    w = tf.Variable(tf.zeros([4]))

    @tf.function
    def count():
        for i in tf.range(4):
            w[i].assign(tf.reshape(w, [-1])[i] + 1.0)

    count()
    assert w.numpy().tolist() == [1.0] * 4
