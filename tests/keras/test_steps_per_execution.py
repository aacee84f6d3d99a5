"""Steps per execution, and their tuner; what is expected was recorded from Keras 2."""

import time

import numpy as np
import pytest

import tf2compat as tf

k = tf.keras
X = np.arange(30, dtype="float32").reshape(10, 3) / 10


def model() -> k.Model:
    i = k.Input((3,))
    return k.Model(i, k.layers.Dense(1, kernel_initializer="ones")(i))


class Log(k.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_begin(self, batch, logs=None):
        self.seen.append(("b", batch))

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(("e", batch))

    def on_test_batch_end(self, batch, logs=None):
        self.seen.append(("t", batch))

    def on_predict_batch_end(self, batch, logs=None):
        self.seen.append(("p", batch, logs["outputs"].shape[0]))


def test_steps_per_execution_is_a_variable():
    m = model()
    assert m.steps_per_execution is None and m.autotune_steps_per_execution is False
    m.compile("sgd", "mse", steps_per_execution=3)
    assert int(m.steps_per_execution) == 3 and m.steps_per_execution.dtype == tf.int64 and isinstance(m.steps_per_execution, tf.Variable)
    m.steps_per_execution = 2
    assert int(m.steps_per_execution) == 2
    assert not any(v is m.steps_per_execution for v in m.variables)


def test_callbacks_are_between_executions():
    m = model()
    m.compile("sgd", "mse", steps_per_execution=3)
    logs = [Log() for _ in range(4)]
    m.fit(X, X[:, :1], batch_size=2, verbose=0, callbacks=[logs[0]], shuffle=False)
    m.evaluate(X, X[:, :1], batch_size=2, verbose=0, callbacks=[logs[1]])
    m.predict(X, batch_size=2, verbose=0, callbacks=[logs[2]])
    m.steps_per_execution = 2
    m.fit(X, X[:, :1], batch_size=2, verbose=0, callbacks=[logs[3]], shuffle=False)
    assert logs[0].seen == [("b", 0), ("e", 2), ("b", 3), ("e", 4)]
    assert logs[1].seen == [("t", 2), ("t", 4)]
    assert logs[2].seen == [("p", 2, 6), ("p", 4, 4)]
    assert logs[3].seen == [("b", 0), ("e", 1), ("b", 2), ("e", 3), ("b", 4), ("e", 4)]
    kernel, bias = m.get_weights()
    np.testing.assert_allclose(kernel.ravel(), [0.4671188294887543, 0.43649813532829285, 0.4058775007724762], rtol=1e-5)
    np.testing.assert_allclose(bias, [-0.3062063455581665], rtol=1e-5)
    assert int(m.optimizer.iterations) == 10


def test_a_function_of_the_program_is_called_once_for_an_execution():
    class Counting(k.Model):
        def __init__(self):
            super().__init__()
            self.d = k.layers.Dense(1)
            self.calls = 0

        def call(self, x):
            return self.d(x)

        def make_train_function(self, force=False):
            inner = super().make_train_function(force)

            def counted(iterator):
                self.calls += 1
                return inner(iterator)

            self.train_function = counted
            return counted

    m = Counting()
    m.compile("sgd", "mse", steps_per_execution=2)
    m.fit(X, X[:, :1], batch_size=2, verbose=0)
    assert (m.calls, int(m.optimizer.iterations)) == (3, 5)
    m.train_on_batch(X, X[:, :1])
    assert int(m.optimizer.iterations) == 6


def test_auto():
    m = model()
    m.compile("sgd", "mse", steps_per_execution="auto")
    assert m.autotune_steps_per_execution and int(m.steps_per_execution) == 1
    tuner = m._steps_per_execution_tuner
    assert isinstance(tuner, k.utils.StepsPerExecutionTuner)
    for _ in range(2):
        h = m.fit(X, X[:, :1], batch_size=2, verbose=0, shuffle=False)
        assert tuner.steps_per_execution_stop_event.is_set()
    np.testing.assert_allclose(h.history["loss"], [0.6847852468490601], rtol=1e-5)
    m.evaluate(X, X[:, :1], verbose=0)
    tuner.thread.join(5)
    assert not tuner.thread.is_alive()
    m = model()
    m.compile("sgd", "mse")
    m.autotune_steps_per_execution = True
    assert isinstance(m._steps_per_execution_tuner, k.utils.StepsPerExecutionTuner)


def test_the_tuner_repeats_what_helped():
    class Counter:
        iterations = tf.Variable(5)

    steps = tf.Variable(4)
    tuner = k.utils.StepsPerExecutionTuner(Counter(), steps, change_spe_interval=2, interval=100)
    tuner._begin_tuning()
    found = []
    for rate in (10, 10, 20, 20, 21, 21, 5, 5, 8, 8, 0, 0, 9, 9):  # steps per second
        tuner.spe_last_logged["time_secs"] = time.time() - 1000
        Counter.iterations.assign_add(rate * 1000)
        tuner._measure_and_tune()
        found.append(int(steps))
    assert found == [4, 6, 6, 9, 9, 9, 9, 4, 4, 2, 2, 2, 2, 1]
    tuner.steps_per_execution = 7
    assert int(steps) == 7 and tuner.init_spe == 7 and tuner.steps_per_execution is steps


def test_unknown_number_of_batches():
    m = model()
    m.compile("sgd", "mse", steps_per_execution=4)
    data = tf.data.Dataset.from_tensor_slices((X, X[:, :1])).filter(lambda a, b: True).batch(2)
    for call in (m.fit, m.evaluate, m.predict):
        with pytest.raises(ValueError, match="Could not infer the size of the data. With `steps_per_execution > 1`"):
            call(data, verbose=0)
    log = Log()
    m.fit(data, verbose=0, callbacks=[log], steps_per_epoch=5)
    assert log.seen == [("b", 0), ("e", 3), ("b", 4), ("e", 4)] and int(m.optimizer.iterations) == 5
    m.fit(data.apply(tf.data.experimental.assert_cardinality(5)), verbose=0)
    assert int(m.optimizer.iterations) == 10


@pytest.mark.parametrize("kind", ["functional", "subclass"])
def test_saved_models_with_recorded_metrics(tmp_path, kind):
    x = np.arange(12, dtype="float32").reshape(4, 3)
    if kind == "functional":
        i = k.Input((3,))
        h = k.layers.Dense(2, kernel_initializer="ones")(i)
        m = k.Model(i, k.layers.Dense(1, kernel_initializer="ones")(h))
        m.add_metric(tf.reduce_sum(h), name="s", aggregation="mean")
        m.add_loss(tf.reduce_mean(h))
        names, values = ["loss", "s"], [1110.0, 132.0]
    else:

        class Recording(k.Model):
            def __init__(self):
                super().__init__()
                self.d = k.layers.Dense(1, kernel_initializer="ones")
                self.mt = k.metrics.Mean(name="mm")

            def call(self, x):
                y = self.d(x)
                self.add_metric(tf.reduce_sum(y), name="tot", aggregation="mean")
                self.add_metric(self.mt(y))
                self.add_loss(tf.reduce_mean(y))
                return y

        m = Recording()
        names, values = ["loss", "mm", "tot"], [205.5, 16.5, 66.0]
    m.compile("sgd", "mse")
    assert m.evaluate(x, x[:, :1], verbose=0) == values
    m.save(tmp_path / "m", save_format="tf")
    loaded = k.models.load_model(tmp_path / "m")
    assert loaded.evaluate(x, x[:, :1], verbose=0) == values
    assert loaded.metrics_names == names
    assert sum(hasattr(layer._tracked(), "edges") and "keras_api" in layer._tracked().edges for layer in m._flatten_layers()) == 0


def test_one_layer_in_two_wrappers(tmp_path):
    d = k.layers.Dense(2, kernel_initializer="ones")
    i = k.Input((4, 3))
    m = k.Model(i, [k.layers.TimeDistributed(d)(i), k.layers.TimeDistributed(d)(i)])
    m.compile("sgd", "mse")
    m.save(tmp_path / "m", save_format="tf")
    loaded = k.models.load_model(tmp_path / "m")
    assert len(loaded.weights) == 2
    assert [o.sum() for o in loaded.predict(np.ones((2, 4, 3), "float32"), verbose=0)] == [48.0, 48.0]
    assert loaded.layers[1].layer is loaded.layers[2].layer


@pytest.mark.parametrize("suffix", ["", ".h5", ".keras"])
def test_optimizers_of_version_1_are_not_saved(tmp_path, suffix, caplog):
    m = k.Sequential([k.layers.Dense(1, input_shape=(3,))])
    m.compile(tf.compat.v1.train.AdamOptimizer(0.1), "mse")
    m.fit(X, X[:, :1], verbose=0)
    path = str(tmp_path / ("m" + suffix))
    assert not hasattr(m.optimizer, "get_config")
    if suffix == ".keras":
        with pytest.raises(TypeError, match="Cannot serialize object .*AdamOptimizer.* must implement the `get_config"):
            m.save(path)
        return
    m.save(path, **({} if suffix else {"save_format": "tf"}))
    assert "We cannot save the optimizer" in caplog.text or "we cannot save the optimizer" in caplog.text
    loaded = k.models.load_model(path)
    assert loaded.optimizer is None
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), m.predict(X, verbose=0))
