"""Wrong uses of Keras: what is raised is recorded under Keras 2."""

from __future__ import annotations

from typing import Any

import numpy as np


def outcome(tf: Any, fn: Any) -> dict[str, str]:
    """Class and text of what a wrong use raises."""
    tf.keras.backend.clear_session()
    try:
        fn(tf)
    except Exception as error:  # noqa: BLE001 - the error is the result
        lines = [line.strip() for line in str(error).splitlines() if line.strip() and 'File "' not in line]
        return {"type": type(error).__name__, "text": (" ".join(lines) if "in user code:" not in lines else lines[-1])[:400]}
    return {"type": "", "text": ""}


def _dense(tf: Any) -> Any:
    return tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(3,))])


def _compiled(tf: Any) -> Any:
    m = _dense(tf)
    m.compile("sgd", "mse")
    return m


def _functional(tf: Any) -> Any:
    x = tf.keras.Input((3,))
    return tf.keras.Model(x, tf.keras.layers.Dense(2)(x))


def _two_outputs(tf: Any) -> Any:
    x = tf.keras.Input((3,))
    return tf.keras.Model(x, [tf.keras.layers.Dense(2, name="a")(x), tf.keras.layers.Dense(1, name="b")(x)])


def _no_super(tf: Any) -> Any:
    class M(tf.keras.Model):
        def __init__(self) -> None:
            self.d = tf.keras.layers.Dense(1)

    return M()


def _no_super_layer(tf: Any) -> Any:
    class L(tf.keras.layers.Layer):
        def __init__(self) -> None:
            self.n = 1

    return L()(tf.ones([1]))


class _Holder:
    pass


X = np.ones((4, 3), "float32")
Y = np.ones((4, 2), "float32")

CASES: dict[str, Any] = {
    "fit before compile": lambda tf: _dense(tf).fit(X, Y, verbose=0),
    "evaluate before compile": lambda tf: _dense(tf).evaluate(X, Y, verbose=0),
    "train_on_batch before compile": lambda tf: _dense(tf).train_on_batch(X, Y),
    "test_on_batch before compile": lambda tf: _dense(tf).test_on_batch(X, Y),
    "wrong input width": lambda tf: _dense(tf)(np.ones((4, 5), "float32")),
    "wrong input width functional": lambda tf: _functional(tf)(np.ones((4, 5), "float32")),
    "wrong input rank conv": lambda tf: tf.keras.layers.Conv2D(2, 3)(np.ones((4, 5), "float32")),
    "wrong input rank lstm": lambda tf: tf.keras.layers.LSTM(2)(np.ones((4, 5), "float32")),
    "dense width changed": lambda tf: [d := tf.keras.layers.Dense(2), d(X), d(np.ones((4, 7), "float32"))],
    "sample counts differ": lambda tf: _compiled(tf).fit(X, Y[:2], verbose=0),
    "target shape": lambda tf: _compiled(tf).fit(X, np.ones((4, 7), "float32"), verbose=0),
    "unknown loss": lambda tf: _dense(tf).compile("sgd", "nope"),
    "unknown loss at fit": lambda tf: [m := _dense(tf), m.compile("sgd", "nope"), m.fit(X, Y, verbose=0)],
    "unknown optimizer": lambda tf: _dense(tf).compile("nope", "mse"),
    "unknown compile argument": lambda tf: _dense(tf).compile("sgd", "mse", foo=1),
    "metrics not a list": lambda tf: [m := _dense(tf), m.compile("sgd", "mse", metrics="mae"), m.fit(X, Y, verbose=0)],
    "no loss": lambda tf: [m := _dense(tf), m.compile("sgd"), m.fit(X, Y, verbose=0)],
    "no target": lambda tf: _compiled(tf).fit(X, verbose=0),
    "losses for outputs": lambda tf: [m := _two_outputs(tf), m.compile("sgd", ["mse", "mse", "mse"]), m.fit(X, [Y, Y[:, :1]], verbose=0)],
    "loss for unknown output": lambda tf: [m := _two_outputs(tf), m.compile("sgd", {"nope": "mse"}), m.fit(X, [Y, Y[:, :1]], verbose=0)],
    "number of inputs": lambda tf: _functional(tf)([X, X]),
    "validation split too small": lambda tf: _compiled(tf).fit(X[:1], Y[:1], validation_split=0.5, verbose=0),
    "validation split of generator": lambda tf: _compiled(tf).fit((b for b in [(X, Y)]), validation_split=0.5, verbose=0),
    "y with generator": lambda tf: _compiled(tf).fit((b for b in [(X, Y)]), Y, verbose=0),
    "class weight keys": lambda tf: _compiled(tf).fit(X, Y[:, :1], class_weight={1: 1.0, 3: 2.0}, verbose=0),
    "unsupported data": lambda tf: _compiled(tf).fit(_Holder(), Y, verbose=0),
    "no super in model": _no_super,
    "no super in layer": _no_super_layer,
    "model without call": lambda tf: tf.keras.Model()(X),
    "weights before build": lambda tf: tf.keras.Sequential([tf.keras.layers.Dense(2)]).weights,
    "summary before build": lambda tf: tf.keras.Sequential([tf.keras.layers.Dense(2)]).summary(),
    "add no layer": lambda tf: tf.keras.Sequential().add(3),
    "pop empty": lambda tf: tf.keras.Sequential().pop(),
    "same layer twice": lambda tf: tf.keras.Sequential([tf.keras.layers.Dense(2, name="a"), tf.keras.layers.Dense(2, name="a")]),
    "duplicate names": lambda tf: [
        x := tf.keras.Input((3,)), tf.keras.Model(x, tf.keras.layers.Dense(2, name="a")(tf.keras.layers.Dense(2, name="a")(x)))
    ],
    "disconnected": lambda tf: [
        x := tf.keras.Input((3,)), y := tf.keras.Input((3,)), tf.keras.Model(x, tf.keras.layers.Dense(2)(y))
    ],
    "outputs not symbolic": lambda tf: tf.keras.Model(tf.keras.Input((3,)), tf.ones((3,))),
    "input twice": lambda tf: [x := tf.keras.Input((3,)), tf.keras.Model([x, x], tf.keras.layers.Dense(2)(x))],
    "input without shape": lambda tf: tf.keras.Input(),
    "input with both shapes": lambda tf: tf.keras.Input((3,), batch_input_shape=(None, 3)),
    "get_layer unknown": lambda tf: _dense(tf).get_layer("nope"),
    "get_layer both": lambda tf: _dense(tf).get_layer("dense", 0),
    "get_layer index": lambda tf: _dense(tf).get_layer(index=9),
    "get_layer none": lambda tf: _dense(tf).get_layer(),
    "set_weights count": lambda tf: _dense(tf).set_weights([np.ones((3, 2))]),
    "set_weights shape": lambda tf: _dense(tf).set_weights([np.ones((3, 5)), np.ones(2)]),
    "layer keyword": lambda tf: tf.keras.layers.Dense(2, foo=1),
    "model keyword": lambda tf: tf.keras.Model(foo=1),
    "layer name": lambda tf: tf.keras.layers.Dense(2, name=3),
    "trainable type": lambda tf: tf.keras.layers.Dense(2, trainable="yes"),
    "layer output before call": lambda tf: tf.keras.layers.Dense(2).output,
    "layer input before call": lambda tf: tf.keras.layers.Dense(2).input,
    "layer output shape before call": lambda tf: tf.keras.layers.Dense(2).output_shape,
    "count_params before build": lambda tf: tf.keras.layers.Dense(2).count_params(),
    "bool of symbol": lambda tf: bool(tf.keras.Input((3,))),
    "len of symbol": lambda tf: len(tf.keras.Input((3,))),
    "numpy of symbol": lambda tf: np.asarray(tf.keras.Input((3,))),
    "iterate symbol": lambda tf: list(tf.keras.Input((3,))),
    "hash of symbol": lambda tf: hash(tf.keras.Input((3,))),
    "no gradients": lambda tf: tf.keras.optimizers.SGD().apply_gradients([(None, tf.Variable(1.0))]),
    "unknown variable": lambda tf: [
        o := tf.keras.optimizers.Adam(), o.build([tf.Variable(1.0)]), o.apply_gradients([(tf.constant(1.0), tf.Variable(1.0))])
    ],
    "optimizer keyword": lambda tf: tf.keras.optimizers.Adam(foo=1),
    "optimizer decay": lambda tf: tf.keras.optimizers.Adam(decay=0.1),
    "both clips": lambda tf: tf.keras.optimizers.Adam(clipnorm=1.0, global_clipnorm=1.0),
    "momentum range": lambda tf: tf.keras.optimizers.SGD(momentum=2.0),
    "set rate of schedule": lambda tf: setattr(
        tf.keras.optimizers.SGD(tf.keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)), "learning_rate", 0.1
    ),
    "minimize without tape": lambda tf: tf.keras.optimizers.SGD().minimize(tf.constant(1.0), [tf.Variable(1.0)]),
    "piecewise lengths": lambda tf: tf.keras.optimizers.schedules.PiecewiseConstantDecay([1, 2], [1.0]),
    "reduction": lambda tf: tf.keras.losses.MeanSquaredError(reduction="nope"),
    "label out of range": lambda tf: tf.keras.losses.SparseCategoricalCrossentropy()([5], [[0.1, 0.9]]),
    "logits and labels": lambda tf: tf.keras.losses.SparseCategoricalCrossentropy()([0, 1, 1], [[0.1, 0.9]]),
    "categorical shapes": lambda tf: tf.keras.losses.CategoricalCrossentropy()([[1.0, 0.0, 0.0]], [[0.1, 0.9]]),
    "loss axis bool": lambda tf: tf.keras.losses.categorical_crossentropy([[1.0]], [[1.0]], axis=True),
    "loss get": lambda tf: tf.keras.losses.get(3),
    "metric get": lambda tf: tf.keras.metrics.get(3),
    "optimizer get": lambda tf: tf.keras.optimizers.get(3),
    "auc curve": lambda tf: tf.keras.metrics.AUC(curve="nope"),
    "auc thresholds": lambda tf: tf.keras.metrics.AUC(num_thresholds=1),
    "threshold range": lambda tf: tf.keras.metrics.Precision(thresholds=2.0),
    "mean tensor shape": lambda tf: [m := tf.keras.metrics.MeanTensor(), m.update_state([1.0]), m.update_state([1.0, 2.0])],
    "abstract metric": lambda tf: tf.keras.metrics.Metric().result(),
    "reduce factor": lambda tf: tf.keras.callbacks.ReduceLROnPlateau(factor=2.0),
    "save_freq": lambda tf: tf.keras.callbacks.ModelCheckpoint("x", save_freq="nope"),
    "policy": lambda tf: tf.keras.mixed_precision.Policy("nope"),
    "from_config": lambda tf: tf.keras.layers.Dense.from_config({"foo": 1}),
    "to_yaml": lambda tf: _dense(tf).to_yaml(),
    "model_from_config list": lambda tf: tf.keras.models.model_from_config([]),
    "predict nothing": lambda tf: _dense(tf).predict(np.ones((0, 3), "float32"), verbose=0),
    "infinite validation freq": lambda tf: _compiled(tf).fit(X, Y, validation_data=(X, Y), validation_freq=0.5, verbose=0),
    "add_metric without name": lambda tf: tf.keras.layers.Layer().add_metric(tf.constant(1.0)),
    "input_spec type": lambda tf: setattr(tf.keras.layers.Layer(), "input_spec", 3),
    "rank of axes": lambda tf: tf.keras.layers.InputSpec(ndim=2, axes={5: 1}),
}
