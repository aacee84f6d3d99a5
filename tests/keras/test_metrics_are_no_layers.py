"""Metrics that layers and models hold are no part of their topology, as in Keras."""

from __future__ import annotations

import tf2compat as tf

keras = tf.keras


class Counting(keras.layers.Layer):
    def __init__(self) -> None:
        super().__init__(name="counting")
        self.dense = keras.layers.Dense(2)
        self.inner = keras.metrics.Mean(name="inner")
        self.more = [keras.metrics.Mean(name="more")]

    def call(self, x):
        return self.dense(x)


class Model(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.counting = Counting()
        self.kept = {"a": keras.metrics.Mean(name="kept")}

    def call(self, x):
        return self.counting(x)


def test_layers_weights_and_metrics(capsys) -> None:
    model = Model()
    model(tf.ones((1, 2)))
    assert [layer.name for layer in model.layers] == ["counting"]
    assert [m.name for m in model.metrics] == ["kept", "inner", "more"]
    assert [v.name.rpartition("/")[2] for v in model.weights] == ["kernel:0", "bias:0", "total:0", "count:0"]
    assert len(model.counting.weights) == 2 and len(model.non_trainable_weights) == 2
    assert [m.name for m in model.submodules][:4] == ["kept", "counting", "inner", "more"] and len(model.submodules) == 5
    model.summary()
    out = capsys.readouterr().out
    assert "Total params: 8 (32.00 Byte)" in out and "Non-trainable params: 2 (8.00 Byte)" in out and "kept" not in out


def test_metrics_are_reset_and_saved(tmp_path) -> None:
    model = Model()
    model(tf.ones((1, 2)))
    model.counting.inner.update_state(3.0)
    tf.train.Checkpoint(model=model).write(str(tmp_path / "c"))
    again = Model()
    again(tf.ones((1, 2)))
    tf.train.Checkpoint(model=again).read(str(tmp_path / "c")).assert_existing_objects_matched()
    assert float(again.counting.inner.result()) == 3.0
    model.reset_metrics()
    assert float(model.counting.inner.result()) == 0.0
