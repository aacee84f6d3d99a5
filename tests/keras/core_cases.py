"""Keras programs whose results are recorded under TensorFlow with Keras 2, and compared with ours.

Each case is a function of the `tf` namespace that returns numbers, strings and lists of them.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np


def _problem(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.RandomState(seed)
    return rng.randn(6, 4).astype("float32"), rng.randn(4).astype("float32")


def _optimizer(tf: Any, make: Any) -> Any:
    """20 steps from the same weights with the same gradients."""
    w0, b0 = _problem()
    opt = make(tf)
    w, b = tf.Variable(w0, name="w"), tf.Variable(b0, name="b")
    rng = np.random.RandomState(1)
    for _ in range(20):
        gw, gb = rng.randn(6, 4).astype("float32"), rng.randn(4).astype("float32")
        opt.apply_gradients([(tf.constant(gw), w), (tf.constant(gb), b)])
    names = [v.name for v in (opt.variables() if callable(opt.variables) else opt.variables)]
    config = {k: v for k, v in opt.get_config().items() if isinstance(v, (str, int, float, bool, type(None)))}
    return {"w": w.numpy().tolist(), "b": b.numpy().tolist(), "iterations": int(opt.iterations), "names": names, "config": sorted(config)}


OPTIMIZERS: dict[str, Any] = {
    "sgd": lambda tf: tf.keras.optimizers.SGD(),
    "sgd_momentum": lambda tf: tf.keras.optimizers.SGD(0.05, momentum=0.9),
    "sgd_nesterov": lambda tf: tf.keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "sgd_clipnorm": lambda tf: tf.keras.optimizers.SGD(0.05, clipnorm=0.5),
    "sgd_global_clipnorm": lambda tf: tf.keras.optimizers.SGD(0.05, global_clipnorm=0.5),
    "sgd_clipvalue": lambda tf: tf.keras.optimizers.SGD(0.05, clipvalue=0.3),
    "sgd_decay": lambda tf: tf.keras.optimizers.SGD(0.05, weight_decay=0.01),
    "adam": lambda tf: tf.keras.optimizers.Adam(),
    "adam_amsgrad": lambda tf: tf.keras.optimizers.Adam(0.01, amsgrad=True),
    "adam_epsilon": lambda tf: tf.keras.optimizers.Adam(0.01, beta_1=0.8, beta_2=0.9, epsilon=0.1),
    "adam_ema": lambda tf: tf.keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=7),
    "adamw": lambda tf: tf.keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "rmsprop": lambda tf: tf.keras.optimizers.RMSprop(0.01),
    "rmsprop_all": lambda tf: tf.keras.optimizers.RMSprop(0.01, momentum=0.5, centered=True, rho=0.8),
    "adagrad": lambda tf: tf.keras.optimizers.Adagrad(0.1),
    "adadelta": lambda tf: tf.keras.optimizers.Adadelta(1.0),
    "adamax": lambda tf: tf.keras.optimizers.Adamax(0.01),
    "nadam": lambda tf: tf.keras.optimizers.Nadam(0.01),
    "ftrl": lambda tf: tf.keras.optimizers.Ftrl(0.1, l1_regularization_strength=0.01, l2_regularization_strength=0.02),
    "ftrl_shrinkage": lambda tf: tf.keras.optimizers.Ftrl(0.1, l2_shrinkage_regularization_strength=0.1, beta=0.1),
    "lion": lambda tf: tf.keras.optimizers.Lion(0.01),
    "adafactor": lambda tf: tf.keras.optimizers.Adafactor(0.1),
    "sgd_schedule": lambda tf: tf.keras.optimizers.SGD(tf.keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5)),
    "adam_cosine": lambda tf: tf.keras.optimizers.Adam(tf.keras.optimizers.schedules.CosineDecay(0.1, 15, alpha=0.1)),
}


def schedules(tf: Any) -> Any:
    s = tf.keras.optimizers.schedules
    made = {
        "exponential": s.ExponentialDecay(0.1, 3, 0.5), "staircase": s.ExponentialDecay(0.1, 3, 0.5, staircase=True),
        "piecewise": s.PiecewiseConstantDecay([2, 5], [1.0, 0.5, 0.1]), "polynomial": s.PolynomialDecay(0.1, 6, 0.01, power=2.0),
        "cycle": s.PolynomialDecay(0.1, 4, 0.01, cycle=True), "inverse": s.InverseTimeDecay(0.1, 3, 0.5),
        "inverse_staircase": s.InverseTimeDecay(0.1, 3, 0.5, staircase=True), "cosine": s.CosineDecay(0.1, 8, alpha=0.2),
        "warmup": s.CosineDecay(0.0, 8, warmup_target=0.1, warmup_steps=3), "restarts": s.CosineDecayRestarts(0.1, 3, m_mul=0.8),
        "restarts_same": s.CosineDecayRestarts(0.1, 3, t_mul=1.0),
    }  # fmt: skip
    return {k: {"values": [float(f(i)) for i in range(12)], "config": sorted(f.get_config())} for k, f in made.items()}


def _pairs() -> dict[str, tuple[Any, Any]]:
    rng = np.random.RandomState(3)
    p = rng.rand(5, 3).astype("float32")
    p = p / p.sum(-1, keepdims=True)
    onehot = np.eye(3, dtype="float32")[rng.randint(0, 3, 5)]
    return {
        "real": (rng.randn(5, 3).astype("float32"), rng.randn(5, 3).astype("float32")),
        "probabilities": (onehot, p),
        "edges": (onehot, np.eye(3, dtype="float32")[[0, 1, 2, 0, 1]]),
        "signs": (np.sign(rng.randn(5, 3)).astype("float32"), rng.randn(5, 3).astype("float32")),
        "positive": (rng.rand(5, 3).astype("float32") * 3, rng.rand(5, 3).astype("float32") * 3),
    }


LOSSES = [
    ("MeanSquaredError", {}), ("MeanAbsoluteError", {}), ("MeanAbsolutePercentageError", {}), ("MeanSquaredLogarithmicError", {}),
    ("BinaryCrossentropy", {}), ("BinaryCrossentropy", {"from_logits": True}), ("BinaryCrossentropy", {"label_smoothing": 0.2}),
    ("BinaryFocalCrossentropy", {}), ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "gamma": 1.5}),
    ("CategoricalCrossentropy", {}), ("CategoricalCrossentropy", {"from_logits": True}), ("CategoricalCrossentropy", {"label_smoothing": 0.1}),
    ("CategoricalFocalCrossentropy", {}), ("CosineSimilarity", {}), ("Hinge", {}), ("SquaredHinge", {}), ("CategoricalHinge", {}),
    ("Poisson", {}), ("LogCosh", {}), ("KLDivergence", {}), ("Huber", {}), ("Huber", {"delta": 0.3}),
]  # fmt: skip


def losses(tf: Any) -> Any:
    out: dict[str, Any] = {}
    weight = np.array([0.5, 1.0, 0.0, 2.0, 1.0], "float32")
    for name, options in LOSSES:
        for kind, (t, p) in _pairs().items():
            if kind in ("real", "signs") and "Crossentropy" in name and not options.get("from_logits"):
                continue
            key = f"{name}{sorted(options.items())}/{kind}"
            for reduction in ("sum_over_batch_size", "sum", "none"):
                fn = getattr(tf.keras.losses, name)(reduction=reduction, **options)
                out[f"{key}/{reduction}"] = np.asarray(fn(t, p)).tolist()
                out[f"{key}/{reduction}/weighted"] = np.asarray(fn(t, p, sample_weight=weight)).tolist()
            x = tf.Variable(p)
            with tf.GradientTape() as tape:
                value = getattr(tf.keras.losses, name)(**options)(t, x * 1.0)
            out[f"{key}/gradient"] = np.asarray(tape.gradient(value, x)).tolist()
    labels = np.array([0, 2, 1, 1, 0])
    p = _pairs()["probabilities"][1]
    for options in ({}, {"from_logits": True}, {"ignore_class": 1}):
        fn = tf.keras.losses.SparseCategoricalCrossentropy(**options)
        out[f"sparse{sorted(options.items())}"] = float(fn(labels, p))
        out[f"sparse2d{sorted(options.items())}"] = float(fn(labels[:, None], p))
        out[f"sparse{sorted(options.items())}/weighted"] = float(fn(labels, p, sample_weight=weight))
    return out


METRICS = [
    ("Accuracy", {}, "labels"), ("BinaryAccuracy", {}, "binary"), ("BinaryAccuracy", {"threshold": 0.3}, "binary"),
    ("CategoricalAccuracy", {}, "onehot"), ("SparseCategoricalAccuracy", {}, "sparse"), ("TopKCategoricalAccuracy", {"k": 2}, "onehot"),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, "sparse"), ("AUC", {}, "binary"), ("AUC", {"curve": "PR"}, "binary"),
    ("AUC", {"num_thresholds": 5, "summation_method": "majoring"}, "binary"), ("AUC", {"curve": "PR", "summation_method": "minoring"}, "binary"),
    ("AUC", {"multi_label": True, "num_labels": 3}, "onehot"), ("Precision", {}, "binary"), ("Recall", {}, "binary"),
    ("Precision", {"thresholds": [0.2, 0.7]}, "binary"), ("Recall", {"top_k": 1}, "onehot"), ("Precision", {"class_id": 1}, "onehot"),
    ("TruePositives", {}, "binary"), ("TrueNegatives", {}, "binary"), ("FalsePositives", {}, "binary"), ("FalseNegatives", {"thresholds": [0.4, 0.6]}, "binary"),
    ("SensitivityAtSpecificity", {"specificity": 0.5}, "binary"), ("SpecificityAtSensitivity", {"sensitivity": 0.5}, "binary"),
    ("PrecisionAtRecall", {"recall": 0.5}, "binary"), ("RecallAtPrecision", {"precision": 0.5}, "binary"),
    ("MeanSquaredError", {}, "real"), ("RootMeanSquaredError", {}, "real"), ("MeanAbsoluteError", {}, "real"),
    ("MeanAbsolutePercentageError", {}, "real"), ("MeanSquaredLogarithmicError", {}, "positive"), ("CosineSimilarity", {}, "real"),
    ("LogCoshError", {}, "real"), ("Hinge", {}, "binary"), ("SquaredHinge", {}, "binary"), ("CategoricalHinge", {}, "onehot"),
    ("Poisson", {}, "positive"), ("KLDivergence", {}, "onehot"), ("BinaryCrossentropy", {}, "binary"), ("CategoricalCrossentropy", {}, "onehot"),
    ("SparseCategoricalCrossentropy", {}, "sparse"),
]  # fmt: skip


def _metric_data(kind: str, seed: int) -> tuple[Any, Any]:
    rng = np.random.RandomState(seed)
    p = rng.rand(6, 3).astype("float32")
    p = p / p.sum(-1, keepdims=True)
    labels = rng.randint(0, 3, 6)
    return {
        "labels": (labels, rng.randint(0, 3, 6)), "binary": (rng.randint(0, 2, 6), rng.rand(6).astype("float32")),
        "onehot": (np.eye(3, dtype="float32")[labels], p), "sparse": (labels, p),
        "real": (rng.randn(6, 3).astype("float32"), rng.randn(6, 3).astype("float32")),
        "positive": (rng.rand(6, 3).astype("float32"), rng.rand(6, 3).astype("float32")),
    }[kind]  # fmt: skip


def metrics(tf: Any) -> Any:
    out: dict[str, Any] = {}
    weight = np.array([0.5, 1.0, 0.0, 2.0, 1.0, 1.0], "float32")
    for name, options, kind in METRICS:
        key = f"{name}{sorted(options.items())}"
        m = getattr(tf.keras.metrics, name)(**options)
        for seed in range(3):
            m.update_state(*_metric_data(kind, seed))
        out[key] = np.asarray(m.result()).tolist()
        m.reset_state()
        try:
            for seed in range(3):
                m.update_state(*_metric_data(kind, seed), sample_weight=weight)
            out[key + "/weighted"] = np.asarray(m.result()).tolist()
        except (tf.errors.InvalidArgumentError, ValueError):
            out[key + "/weighted"] = "refused"
        out[key + "/config"] = sorted(k for k in m.get_config() if k != "fn")
    for classes in (3,):
        for m in (tf.keras.metrics.MeanIoU(classes), tf.keras.metrics.IoU(classes, [0, 2]), tf.keras.metrics.MeanIoU(classes, ignore_class=1)):
            m.update_state([0, 1, 2, 2], [0, 2, 2, 1], sample_weight=[0.5, 1.0, 1.0, 2.0])
            out[f"{type(m).__name__}{m.ignore_class}"] = float(m.result())
    for m in (tf.keras.metrics.Mean(), tf.keras.metrics.Sum()):
        m.update_state([1.0, 3.0, 5.0])
        m.update_state([[1.0, 2.0], [3.0, 4.0]], sample_weight=[0.5, 2.0])
        out[type(m).__name__] = float(m.result())
    return out


def curve(tf: Any, which: str) -> Any:
    """Losses of 50 steps from the same weights in the same order of data."""
    layers = tf.keras.layers
    rng = np.random.RandomState(5)
    if which == "mlp":
        x, y = rng.randn(80, 8).astype("float32"), rng.randint(0, 4, 80)
        model = tf.keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(4)])
        loss: Any = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        opt: Any = "adam"
    elif which == "softmax":
        x, y = rng.randn(80, 8).astype("float32"), np.eye(4, dtype="float32")[rng.randint(0, 4, 80)]
        model = tf.keras.Sequential([layers.Dense(16, activation="tanh"), layers.Dense(4, activation="softmax")])
        loss, opt = "categorical_crossentropy", tf.keras.optimizers.RMSprop(0.01)
    elif which == "regularized":
        x = rng.randn(80, 8).astype("float32")
        y = x.sum(-1, keepdims=True)
        model = tf.keras.Sequential([layers.Dense(8, activation="elu", kernel_regularizer="l2"), layers.Dense(1)])
        loss, opt = "mse", tf.keras.optimizers.SGD(0.01, momentum=0.9)
    elif which == "convnet":
        x, y = rng.randn(80, 8, 8, 1).astype("float32"), rng.randint(0, 3, 80)
        model = tf.keras.Sequential([layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(3)])
        loss, opt = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True), "adam"
    else:
        x = rng.randn(80, 8).astype("float32")
        y = (x.sum(-1) > 0).astype("float32")
        inputs = tf.keras.Input((8,))
        a = layers.Dense(8, activation="relu")(inputs)
        b = layers.Dense(8, activation="sigmoid")(inputs)
        model = tf.keras.Model(inputs, layers.Dense(1, activation="sigmoid")(layers.Concatenate()([a * 2.0, b])))
        loss, opt = "binary_crossentropy", tf.keras.optimizers.Adamax(0.01)
    model.build((None, *x.shape[1:]))
    model.set_weights([(np.random.RandomState(i).randn(*w.shape) * 0.3).astype("float32") for i, w in enumerate(model.get_weights())])
    model.compile(opt, loss, metrics=["accuracy"] if which != "regularized" else ["mae"])
    losses_: list[float] = []

    class Log(tf.keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            losses_.append(float(logs["loss"]))

    h = model.fit(x, y, batch_size=16, epochs=10, shuffle=False, verbose=0, callbacks=[Log()])
    return {"losses": losses_, "history": {k: [float(v) for v in vs] for k, vs in h.history.items()}, "evaluate": [float(v) for v in model.evaluate(x, y, verbose=0)]}


CURVES = ("mlp", "softmax", "regularized", "convnet", "functional")


def _models(tf: Any) -> dict[str, Any]:
    layers = tf.keras.layers
    made: dict[str, Any] = {}
    tf.keras.backend.clear_session()
    made["sequential"] = tf.keras.Sequential([layers.Dense(16, input_shape=(8,)), layers.Dropout(0.5), layers.Dense(2)])
    made["deferred"] = tf.keras.Sequential([layers.Dense(16), layers.BatchNormalization(), layers.Dense(2)])
    made["deferred"].build((None, 5))
    made["convnet"] = tf.keras.Sequential(
        [layers.Input((28, 28, 1)), layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(10)],
        name="mnist",
    )
    x = tf.keras.Input((8,))
    y = layers.Dense(4)(x)
    made["chain"] = tf.keras.Model(x, y)
    a, b = tf.keras.Input((4,), name="first"), tf.keras.Input((3,), name="second")
    c = layers.Concatenate()([layers.Dense(4)(a), layers.Dense(4)(b)])
    made["branches"] = tf.keras.Model([a, b], [layers.Dense(1, name="out_a")(c), layers.Dense(2, name="out_b")(c)])
    shared = layers.Dense(3, name="shared")
    p, q = tf.keras.Input((4,)), tf.keras.Input((4,))
    made["shared"] = tf.keras.Model([p, q], layers.Add()([shared(p), shared(q)]))
    r = tf.keras.Input((4,))
    made["ops"] = tf.keras.Model(r, tf.nn.relu(layers.Dense(3)(r)) * 2.0 + 1.0)
    nested = tf.keras.Sequential([layers.Dense(4, input_shape=(6,)), layers.Dense(2)], name="inner")
    s = tf.keras.Input((6,))
    made["nested"] = tf.keras.Model(s, layers.Dense(1)(nested(s)), name="outer")
    frozen = tf.keras.Sequential([layers.Dense(4, input_shape=(6,), trainable=False), layers.Dense(2)])
    made["frozen"] = frozen

    class Sub(tf.keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.first = layers.Dense(4)
            self.second = layers.Dense(2)

        def call(self, inputs: Any) -> Any:
            return self.second(self.first(inputs))

    made["subclassed"] = Sub()
    made["subclassed"](np.ones((1, 3), "float32"))
    return made


def summaries(tf: Any) -> Any:
    out = {}
    for name, model in _models(tf).items():
        text = io.StringIO()
        model.summary(print_fn=lambda line, text=text: text.write(line + "\n"))
        out[name] = {
            "summary": text.getvalue(), "weights": [[w.name, list(w.shape)] for w in model.weights],
            "trainable": [w.name for w in model.trainable_weights], "layers": [layer.name for layer in model.layers],
        }  # fmt: skip
    text = io.StringIO()
    _models(tf)["nested"].summary(print_fn=lambda line: text.write(line + "\n"), expand_nested=True, show_trainable=True)
    out["expanded"] = {"summary": text.getvalue()}
    return out


CASES: dict[str, Any] = {
    **{f"optimizer/{k}": (lambda tf, make=make: _optimizer(tf, make)) for k, make in OPTIMIZERS.items()},
    "schedules": schedules,
    "losses": losses,
    "metrics": metrics,
    **{f"curve/{which}": (lambda tf, which=which: curve(tf, which)) for which in CURVES},
    "summaries": summaries,
}
