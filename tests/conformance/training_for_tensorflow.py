"""Modules whose functions hold gradients, for either library to save and for the other to call.

Each gives a module and the calls to make of it, in order: (function, arguments …). Steps change variables, so the results tell whether the
state that they leave is the same too. The library is tf2compat where that is imported already.
"""

import sys

import numpy as np

if "tf2compat" in sys.modules:
    import tf2compat as tf
else:
    import tensorflow as tf

TRAINING = {}
F = tf.float32


def training(make):
    """Declares a module."""
    TRAINING[make.__name__] = make
    return make


def data(*shape):
    return np.random.RandomState(sum(shape)).randn(*shape).astype(np.float32)


def spec(*shape, dtype=F):
    return tf.TensorSpec(shape, dtype)


def results(module, calls):
    """What the calls give, flat, as arrays."""
    return [np.asarray(t) for name, *given in calls for t in tf.nest.flatten(getattr(module, name)(*map(tf.constant, given)))]


def layers_with(optimizer, layers, loss, x, y):
    """A module that trains layers by an optimizer: `train(x, y)` and `predict(x)`."""
    module = tf.Module()
    module.layers, module.optimizer = layers, optimizer

    def call(x, training):
        for layer in layers:
            x = layer(x, training=training) if isinstance(layer, tf.keras.layers.BatchNormalization) else layer(x)
        return x

    call(tf.constant(x), False)
    module.weights = [v for layer in layers for v in layer.trainable_variables]
    optimizer.build(module.weights) if hasattr(optimizer, "build") else optimizer._create_all_weights(module.weights)
    specs = [tf.TensorSpec([None, *a.shape[1:]], a.dtype) for a in (x, y)]

    @tf.function(input_signature=specs)
    def train(x, y):
        with tf.GradientTape() as tape:
            value = loss(y, call(x, True))
        optimizer.apply_gradients(zip(tape.gradient(value, module.weights), module.weights))
        return value

    module.train = train
    module.predict = tf.function(lambda x: call(x, False), input_signature=specs[:1])
    return module, [("train", x, y), ("train", x, y), ("predict", x)]


def start(seed):
    return tf.keras.initializers.GlorotUniform(seed=seed)


def squares(y, found):
    return tf.reduce_mean((y - found) ** 2)


@training
def plain():
    module = tf.Module()
    module.w, module.b = tf.Variable(data(3, 1)), tf.Variable([0.5])

    @tf.function(input_signature=[spec(None, 3), spec(None, 1)])
    def train(x, y):
        with tf.GradientTape() as tape:
            loss = squares(y, x @ module.w + module.b)
        by_w, by_b = tape.gradient(loss, [module.w, module.b])
        module.w.assign_sub(0.1 * by_w)
        module.b.assign_sub(0.1 * by_b)
        return loss, by_w

    module.train = train
    return module, [("train", data(4, 3), data(4, 1))] * 2


@training
def convolution():
    layers, labels = tf.keras.layers, np.array([0, 2, 1, 1])
    return layers_with(
        tf.keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        [layers.Conv2D(3, 3, padding="same", kernel_initializer=start(1)), layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling2D(2),
         layers.DepthwiseConv2D(2, depthwise_initializer=start(2)), layers.AveragePooling2D(2, padding="same"), layers.Flatten(),
         layers.Dense(3, kernel_initializer=start(3))],
        lambda y, found: tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, found)), data(4, 6, 6, 2), labels,
    )  # fmt: skip


@training
def recurrence():
    layers = tf.keras.layers
    return layers_with(
        tf.keras.optimizers.Adam(0.05),
        [layers.Embedding(10, 3, embeddings_initializer=start(1)),
         layers.LSTM(4, return_sequences=True, kernel_initializer=start(2), recurrent_initializer=start(3)),
         layers.GRU(3, kernel_initializer=start(4), recurrent_initializer=start(5)), layers.Dense(1, "sigmoid", kernel_initializer=start(6))],
        tf.keras.losses.BinaryCrossentropy(), np.array([[1, 2, 3, 0], [4, 5, 9, 9]]), np.array([[0.0], [1.0]], np.float32),
    )  # fmt: skip


def _steps(name, make):
    @training
    def one():
        return layers_with(
            make(), [tf.keras.layers.Dense(2, "tanh", kernel_initializer=start(1)), tf.keras.layers.Dense(1, kernel_initializer=start(2))],
            squares, data(6, 4), data(6, 1),
        )

    TRAINING[name] = TRAINING.pop("one")


_o = tf.keras.optimizers
for _name, _make in {
    "rmsprop": lambda: _o.RMSprop(0.01, momentum=0.5, centered=True), "adagrad": lambda: _o.Adagrad(0.05), "adadelta": lambda: _o.Adadelta(0.5),
    "adamax": lambda: _o.Adamax(0.01), "ftrl": lambda: _o.Ftrl(0.05), "adamw": lambda: _o.AdamW(0.01, weight_decay=0.1),
    "schedule": lambda: _o.Adam(_o.schedules.ExponentialDecay(0.1, 1, 0.5), clipnorm=0.3),
    "amsgrad": lambda: _o.Adam(0.05, amsgrad=True, global_clipnorm=0.5), "average": lambda: _o.SGD(0.05, use_ema=True, clipvalue=0.1),
    "lion": lambda: _o.Lion(0.01), "legacy_adam": lambda: _o.legacy.Adam(0.05), "legacy_momentum": lambda: _o.legacy.SGD(0.05, momentum=0.9),
    "legacy_ftrl": lambda: _o.legacy.Ftrl(0.05),
}.items():  # fmt: skip
    _steps(_name, _make)


@training
def explanations():
    module, layers = tf.Module(), tf.keras.layers
    module.net = tf.keras.Sequential([
        layers.Conv2D(3, 3, activation="relu", input_shape=(7, 7, 1), kernel_initializer=start(1)), layers.MaxPool2D(), layers.Flatten(),
        layers.Dense(4, kernel_initializer=start(2)),
    ])  # fmt: skip
    image = spec(None, 7, 7, 1)

    @tf.function(input_signature=[image, spec(dtype=tf.int32)])
    def saliency(x, label):
        with tf.GradientTape() as tape:
            tape.watch(x)
            score = module.net(x)[:, label]
        return tf.reduce_max(tf.abs(tape.gradient(score, x)), -1)

    @tf.function(input_signature=[image])
    def integrated(x):
        total = tf.zeros_like(x)
        for i in tf.range(1, 6):
            with tf.GradientTape() as tape:
                at = x * tf.cast(i, F) / 5.0
                tape.watch(at)
                score = tf.reduce_sum(tf.nn.softmax(module.net(at))[:, 0])
            total += tape.gradient(score, at)
        return total / 5.0 * x

    module.saliency, module.integrated = saliency, integrated
    x = data(2, 7, 7, 1)
    return module, [("saliency", x, np.int32(2)), ("integrated", x)]


@training
def loops():
    module = tf.Module()
    module.w, module.v = tf.Variable(0.9 * np.eye(3, dtype=np.float32) + 0.1 * data(3, 3)), tf.Variable(2.0)

    @tf.function(input_signature=[spec(None, 3), spec(dtype=tf.int32)])
    def powers(x, n):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x
            for _ in tf.range(n):
                y = tf.tanh(y @ module.w)
            loss = tf.reduce_sum(y * y)
        return tape.gradient(loss, [x, module.w])

    @tf.function(input_signature=[spec(None, None, 3)])
    def steps(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            n = tf.shape(x)[1]
            out = tf.TensorArray(F, size=n)
            h = tf.zeros([tf.shape(x)[0], 3])
            for t in tf.range(n):
                h = tf.tanh(x[:, t] + h @ module.w)
                out = out.write(t, h)
            total = tf.reduce_sum(out.stack() ** 2)
        return tape.gradient(total, [x, module.w])

    @tf.function(input_signature=[spec(None)])
    def branches(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.constant(1.0)
            for e in x:
                if e > 0:
                    total = total * e
                else:
                    total = total - e * module.v
        return total, *tape.gradient(total, [x, module.v])

    @tf.function(input_signature=[spec(None)])
    def nested(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.constant(0.0)
            for i in tf.range(3):
                t = x
                for _ in tf.range(i + 1):
                    t = t * tf.sin(t)
                total += tf.reduce_sum(t)
        return tape.gradient(total, x)

    module.powers, module.steps, module.branches, module.nested = powers, steps, branches, nested
    return module, [("powers", data(2, 3), np.int32(4)), ("steps", data(2, 4, 3)), ("branches", data(5)), ("nested", data(4))]


@training
def further():
    module = tf.Module()
    module.w, module.u = tf.Variable(data(3, 4)), tf.Variable(data(4, 1))

    @tf.custom_gradient
    def clipped(x):
        return x * x, lambda dy: tf.clip_by_value(dy * 2 * x, -1.0, 1.0)

    def net(x):
        return tf.tanh(x @ module.w) @ module.u

    @tf.function(input_signature=[spec(None)])
    def own(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(clipped(x) * tf.stop_gradient(x))
        return tape.gradient(y, x)

    @tf.function(input_signature=[spec(None, 3)])
    def penalty(x):
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = net(x)
            p = tf.reduce_mean((tf.norm(inner.gradient(y, x), axis=1) - 1.0) ** 2)
        return p, *outer.gradient(p, [module.w, module.u])

    @tf.function(input_signature=[spec(3)])
    def hessian(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = tf.reduce_sum(x**3) * x[0]
            g = inner.gradient(y, x)
        return outer.jacobian(g, x)

    @tf.function(input_signature=[spec(None, 3)])
    def jacobians(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.tanh(x @ module.w)
        return tape.batch_jacobian(y, x)

    module.own, module.penalty, module.hessian, module.jacobians = own, penalty, hessian, jacobians
    return module, [("own", data(5)), ("penalty", data(4, 3)), ("hessian", data(3)), ("jacobians", data(2, 3))]
