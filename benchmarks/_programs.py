"""Training steps of many small operations, as users write them: the same on TensorFlow and on tf2compat.

Each function of `PROGRAMS` makes its variables and data on `tf` and gives a call without arguments of a traced step.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np


def _glorot(tf: Any, *shape: int, seed: int = 0) -> Any:
    rng = np.random.default_rng(sum(shape) + seed)
    return tf.Variable(rng.normal(0, (2 / sum(shape)) ** 0.5, shape).astype("float32"))


def _data(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def maml(tf: Any) -> Callable[[], Any]:
    """Model-agnostic meta-learning: two inner gradient steps for each of four sine tasks, differentiated through."""
    weights = [_glorot(tf, 1, 40), tf.Variable(tf.zeros([40])), _glorot(tf, 40, 40), tf.Variable(tf.zeros([40])), _glorot(tf, 40, 1), tf.Variable(tf.zeros([1]))]
    optimizer = tf.keras.optimizers.Adam(1e-3)
    xs, xq = tf.constant(_data(4, 10, 1)), tf.constant(_data(4, 10, 1, seed=1))
    ys, yq = tf.sin(xs), tf.sin(xq)

    def forward(x: Any, w: Any) -> Any:
        h = tf.nn.relu(tf.matmul(x, w[0]) + w[1])
        h = tf.nn.relu(tf.matmul(h, w[2]) + w[3])
        return tf.matmul(h, w[4]) + w[5]

    def mse(a: Any, b: Any) -> Any:
        return tf.reduce_mean(tf.square(a - b))

    @tf.function
    def step(xs: Any, ys: Any, xq: Any, yq: Any) -> Any:
        with tf.GradientTape() as outer:
            losses = []
            for task in range(4):
                fast = [tf.identity(w) for w in weights]
                for _ in range(2):
                    with tf.GradientTape() as inner:
                        inner.watch(fast)
                        loss = mse(forward(xs[task], fast), ys[task])
                    grads = inner.gradient(loss, fast)
                    fast = [w - 0.01 * g for w, g in zip(fast, grads)]
                losses.append(mse(forward(xq[task], fast), yq[task]))
            total = tf.add_n(losses) / 4.0
        optimizer.apply_gradients(zip(outer.gradient(total, weights), weights))
        return total

    return lambda: step(xs, ys, xq, yq)


def neural_ode(tf: Any) -> Callable[[], Any]:
    """A neural ODE: ten Runge-Kutta steps of a small network in a `tf.range` loop, differentiated through."""
    w1, b1, w2, b2 = _glorot(tf, 2, 50), tf.Variable(tf.zeros([50])), _glorot(tf, 50, 2), tf.Variable(tf.zeros([2]))
    weights = [w1, b1, w2, b2]
    optimizer = tf.keras.optimizers.Adam(1e-3)
    y0, target = tf.constant(_data(16, 2)), tf.constant(_data(16, 2, seed=1))

    def field(y: Any) -> Any:
        return tf.matmul(tf.tanh(tf.matmul(y**3, w1) + b1), w2) + b2

    @tf.function
    def step(y0: Any, target: Any) -> Any:
        h = 0.1
        with tf.GradientTape() as tape:
            y = y0
            for _ in tf.range(10):
                k1 = field(y)
                k2 = field(y + h / 2 * k1)
                k3 = field(y + h / 2 * k2)
                k4 = field(y + h * k3)
                y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            loss = tf.reduce_mean(tf.abs(y - target))
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        return loss

    return lambda: step(y0, target)


class _Attention:
    """An encoder and a decoder of GRU cells with additive attention."""

    def __init__(self, tf: Any, vocabulary: int = 50, units: int = 32) -> None:
        layers = tf.keras.layers
        self.tf, self.units = tf, units
        self.source, self.target = layers.Embedding(vocabulary, 16), layers.Embedding(vocabulary, 16)
        self.encoder, self.decoder = layers.GRUCell(units), layers.GRUCell(units)
        self.w1, self.w2, self.v = layers.Dense(units), layers.Dense(units), layers.Dense(1)
        self.out = layers.Dense(vocabulary)

    def attend(self, state: Any, memory: Any) -> Any:
        tf = self.tf
        score = self.v(tf.nn.tanh(self.w1(memory) + self.w2(tf.expand_dims(state, 1))))
        return tf.reduce_sum(tf.nn.softmax(score, axis=1) * memory, axis=1)

    def variables(self) -> list[Any]:
        parts = (self.source, self.target, self.encoder, self.decoder, self.w1, self.w2, self.v, self.out)
        return [v for p in parts for v in p.trainable_variables]


def seq2seq(tf: Any) -> Callable[[], Any]:
    """Sequence to sequence with attention, teacher forcing, loops unrolled by Python."""
    m = _Attention(tf)
    optimizer = tf.keras.optimizers.Adam(1e-3)
    rng = np.random.default_rng(0)
    source, target = (tf.constant(rng.integers(1, 50, (16, 8)), tf.int32) for _ in range(2))
    crossentropy = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @tf.function
    def step(source: Any, target: Any) -> Any:
        with tf.GradientTape() as tape:
            embedded = m.source(source)
            state = tf.zeros([16, m.units])
            outputs = []
            for i in range(8):
                state, _ = m.encoder(embedded[:, i], [state])
                outputs.append(state)
            memory = tf.stack(outputs, axis=1)
            loss = 0.0
            token = target[:, 0]
            for i in range(1, 8):
                context = m.attend(state, memory)
                x = tf.concat([context, m.target(token)], axis=-1)
                state, _ = m.decoder(x, [state])
                loss += crossentropy(target[:, i], m.out(state))
                token = target[:, i]
        variables = m.variables()
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss / 7.0

    return lambda: step(source, target)


def seq2seq_range(tf: Any) -> Callable[[], Any]:
    """The same with `tf.range` loops and a TensorArray."""
    m = _Attention(tf)
    optimizer = tf.keras.optimizers.Adam(1e-3)
    rng = np.random.default_rng(0)
    source, target = (tf.constant(rng.integers(1, 50, (16, 8)), tf.int32) for _ in range(2))
    crossentropy = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @tf.function
    def step(source: Any, target: Any) -> Any:
        with tf.GradientTape() as tape:
            embedded = m.source(source)
            state = tf.zeros([16, m.units])
            outputs = tf.TensorArray(tf.float32, size=8)
            for i in tf.range(8):
                state, _ = m.encoder(embedded[:, i], [state])
                outputs = outputs.write(i, state)
            memory = tf.transpose(outputs.stack(), [1, 0, 2])
            loss = tf.constant(0.0)
            for i in tf.range(1, 8):
                context = m.attend(state, memory)
                x = tf.concat([context, m.target(target[:, i - 1])], axis=-1)
                state, _ = m.decoder(x, [state])
                loss += crossentropy(target[:, i], m.out(state))
        variables = m.variables()
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss / 7.0

    return lambda: step(source, target)


def custom_gradients(tf: Any) -> Callable[[], Any]:
    """A network with three gradients of its own: a stable log1p(exp), a clipped gradient, straight-through signs."""

    @tf.custom_gradient
    def log1pexp(x: Any) -> Any:
        e = tf.exp(x)
        return tf.math.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))

    @tf.custom_gradient
    def clipped(x: Any) -> Any:
        return tf.identity(x), lambda upstream: tf.clip_by_norm(upstream, 0.5)

    @tf.custom_gradient
    def signs(x: Any) -> Any:
        return tf.sign(x), lambda upstream: upstream * tf.cast(tf.abs(x) <= 1.0, x.dtype)

    ws = [_glorot(tf, 16, 32), _glorot(tf, 32, 32), _glorot(tf, 32, 32), _glorot(tf, 32, 4)]
    x, y = tf.constant(_data(16, 16)), tf.constant(_data(16, 4, seed=1))

    @tf.function
    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            h = log1pexp(tf.matmul(x, ws[0]))
            h = clipped(log1pexp(tf.matmul(h, ws[1])))
            h = signs(tf.matmul(h, ws[2]))
            loss = tf.reduce_mean(tf.square(clipped(tf.matmul(h, ws[3])) - y))
        for w, g in zip(ws, tape.gradient(loss, ws)):
            w.assign_sub(0.01 * g)
        return loss

    return lambda: step(x, y)


def jacobian(tf: Any) -> Callable[[], Any]:
    """A contractive network: the penalty is the norm of the Jacobian of each sample, differentiated through."""
    w1, b1, w2, b2 = _glorot(tf, 8, 24), tf.Variable(tf.zeros([24])), _glorot(tf, 24, 6), tf.Variable(tf.zeros([6]))
    weights = [w1, b1, w2, b2]
    x, y = tf.constant(_data(16, 8)), tf.constant(_data(16, 6, seed=1))

    @tf.function
    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as outer:
            with tf.GradientTape() as tape:
                tape.watch(x)
                out = tf.matmul(tf.tanh(tf.matmul(x, w1) + b1), w2) + b2
            jacobians = tape.batch_jacobian(out, x)
            loss = tf.reduce_mean(tf.square(out - y)) + 1e-3 * tf.reduce_mean(tf.square(jacobians))
        for w, g in zip(weights, outer.gradient(loss, weights)):
            w.assign_sub(0.01 * g)
        return loss

    return lambda: step(x, y)


def a2c(tf: Any) -> Callable[[], Any]:
    """Advantage actor-critic: returns by a `tf.range` loop with a TensorArray, then a step on both losses."""
    layers = tf.keras.layers
    common, actor, critic = layers.Dense(64, activation="relu"), layers.Dense(2), layers.Dense(1)
    optimizer = tf.keras.optimizers.Adam(1e-2)
    huber = tf.keras.losses.Huber(reduction="sum")
    states, rewards = tf.constant(_data(20, 4)), tf.ones([20])
    actions = tf.constant(np.random.default_rng(0).integers(0, 2, 20), tf.int32)

    def expected(rewards: Any, gamma: float = 0.99) -> Any:
        n = tf.shape(rewards)[0]
        returns = tf.TensorArray(dtype=tf.float32, size=n)
        rewards = tf.cast(rewards[::-1], dtype=tf.float32)
        total = tf.constant(0.0)
        for i in tf.range(n):
            total = rewards[i] + gamma * total
            total.set_shape([])
            returns = returns.write(i, total)
        returns = returns.stack()[::-1]
        return (returns - tf.math.reduce_mean(returns)) / (tf.math.reduce_std(returns) + 1e-7)

    @tf.function
    def step(states: Any, actions: Any, rewards: Any) -> Any:
        returns = tf.expand_dims(expected(rewards), 1)
        with tf.GradientTape() as tape:
            h = common(states)
            logits, values = actor(h), critic(h)
            probabilities = tf.gather(tf.nn.softmax(logits), actions, axis=1, batch_dims=1)
            advantage = returns - values
            loss = -tf.reduce_sum(tf.math.log(tf.expand_dims(probabilities, 1)) * tf.stop_gradient(advantage)) + huber(values, returns)
        variables = common.trainable_variables + actor.trainable_variables + critic.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    return lambda: step(states, actions, rewards)


def beam_search(tf: Any) -> Callable[[], Any]:
    """Beam search over a recurrent model in a while loop, without gradients."""
    width, vocabulary, units, length = 4, 40, 32, 12
    embedding, kernel, out = _glorot(tf, vocabulary, units), _glorot(tf, 2 * units, units), _glorot(tf, units, vocabulary)

    @tf.function
    def search(start: Any) -> Any:
        state = tf.repeat(tf.expand_dims(start, 0), width, axis=0)
        tokens = tf.zeros([width, length], tf.int32)
        last = tf.zeros([width], tf.int32)
        scores = tf.constant([0.0] + [-1e9] * (width - 1))
        i = tf.constant(0)
        while i < length:
            state = tf.tanh(tf.matmul(tf.concat([tf.gather(embedding, last), state], 1), kernel))
            total = tf.expand_dims(scores, 1) + tf.nn.log_softmax(tf.matmul(state, out))
            scores, best = tf.math.top_k(tf.reshape(total, [-1]), width)
            beam, last = best // vocabulary, best % vocabulary
            state = tf.gather(state, beam)
            at = tf.stack([tf.range(width), tf.fill([width], i)], 1)
            tokens = tf.tensor_scatter_nd_update(tf.gather(tokens, beam), at, last)
            i += 1
        return tokens, scores

    start = tf.constant(_data(units))
    return lambda: search(start)


def dqn(tf: Any) -> Callable[[], Any]:
    """Deep Q-learning: targets of a second network, Huber loss on the action taken, a soft update."""
    def net() -> Any:
        layers = tf.keras.layers
        return tf.keras.Sequential([layers.Dense(32, activation="relu", input_shape=(4,)), layers.Dense(32, activation="relu"), layers.Dense(2)])

    q, target = net(), net()
    optimizer = tf.keras.optimizers.Adam(1e-3)
    huber = tf.keras.losses.Huber()
    rng = np.random.default_rng(0)
    s, s2 = tf.constant(_data(32, 4)), tf.constant(_data(32, 4, seed=1))
    a, r = tf.constant(rng.integers(0, 2, 32), tf.int32), tf.constant(_data(32))
    done = tf.constant((rng.random(32) < 0.1).astype("float32"))

    @tf.function
    def step(s: Any, a: Any, r: Any, s2: Any, done: Any) -> Any:
        future = tf.reduce_max(target(s2), axis=1)
        wanted = r + 0.99 * future * (1.0 - done)
        with tf.GradientTape() as tape:
            taken = tf.reduce_sum(q(s) * tf.one_hot(a, 2), axis=1)
            loss = huber(wanted, taken)
        grads = tape.gradient(loss, q.trainable_variables)
        optimizer.apply_gradients(zip(grads, q.trainable_variables))
        for t, v in zip(target.variables, q.variables):
            t.assign(0.995 * t + 0.005 * v)
        return loss

    return lambda: step(s, a, r, s2, done)


def transformer(tf: Any) -> Callable[[], Any]:
    """A language model of two small transformer blocks."""
    keras = tf.keras
    layers = keras.layers
    vocabulary, length, width = 60, 16, 32
    tokens = keras.Input((length,), dtype="int32")
    x = layers.Embedding(vocabulary, width)(tokens) + layers.Embedding(length, width)(tf.range(length))
    for _ in range(2):
        y = layers.LayerNormalization()(x)
        x = x + layers.MultiHeadAttention(4, 8)(y, y, use_causal_mask=True)
        y = layers.LayerNormalization()(x)
        x = x + layers.Dense(width)(layers.Dense(64, activation="gelu")(y))
    model = keras.Model(tokens, layers.Dense(vocabulary)(x))
    optimizer = keras.optimizers.Adam(1e-3)
    crossentropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    batch = tf.constant(np.random.default_rng(0).integers(0, vocabulary, (8, length + 1)), tf.int32)

    @tf.function
    def step(batch: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = crossentropy(batch[:, 1:], model(batch[:, :-1], training=True))
        optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
        return loss

    return lambda: step(batch)


def gan(tf: Any) -> Callable[[], Any]:
    """A generative adversarial network: two tapes, two optimizers, noise drawn in the step."""
    keras = tf.keras
    layers = keras.layers
    generator = keras.Sequential([layers.Dense(32, activation="relu", input_shape=(8,)), layers.Dense(32, activation="relu"), layers.Dense(16)])
    discriminator = keras.Sequential([layers.Dense(32, input_shape=(16,)), layers.LeakyReLU(), layers.Dense(32), layers.LeakyReLU(), layers.Dense(1)])
    g_optimizer, d_optimizer = keras.optimizers.Adam(1e-4), keras.optimizers.Adam(1e-4)
    crossentropy = keras.losses.BinaryCrossentropy(from_logits=True)
    real = tf.constant(_data(32, 16))

    @tf.function
    def step(real: Any) -> Any:
        noise = tf.random.normal([32, 8])
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            fake = generator(noise, training=True)
            on_real, on_fake = discriminator(real, training=True), discriminator(fake, training=True)
            g_loss = crossentropy(tf.ones_like(on_fake), on_fake)
            d_loss = crossentropy(tf.ones_like(on_real), on_real) + crossentropy(tf.zeros_like(on_fake), on_fake)
        g_grads = g_tape.gradient(g_loss, generator.trainable_variables)
        d_grads = d_tape.gradient(d_loss, discriminator.trainable_variables)
        g_optimizer.apply_gradients(zip(g_grads, generator.trainable_variables))
        d_optimizer.apply_gradients(zip(d_grads, discriminator.trainable_variables))
        return g_loss, d_loss

    return lambda: step(real)


def vae(tf: Any) -> Callable[[], Any]:
    """A variational autoencoder with reparameterised samples."""
    keras = tf.keras
    layers = keras.layers
    encoder = keras.Sequential([layers.Dense(32, activation="relu", input_shape=(24,)), layers.Dense(8)])
    decoder = keras.Sequential([layers.Dense(32, activation="relu", input_shape=(4,)), layers.Dense(24)])
    optimizer = keras.optimizers.Adam(1e-3)
    x = tf.constant((_data(32, 24) > 0).astype("float32"))

    def log_normal(sample: Any, mean: Any, logvar: Any) -> Any:
        return tf.reduce_sum(-0.5 * ((sample - mean) ** 2.0 * tf.exp(-logvar) + logvar + tf.math.log(2.0 * np.pi)), axis=1)

    @tf.function
    def step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            mean, logvar = tf.split(encoder(x), 2, axis=1)
            z = tf.random.normal(tf.shape(mean)) * tf.exp(logvar * 0.5) + mean
            entropy = tf.nn.sigmoid_cross_entropy_with_logits(logits=decoder(z), labels=x)
            logpx_z = -tf.reduce_sum(entropy, axis=1)
            loss = -tf.reduce_mean(logpx_z + log_normal(z, 0.0, 0.0) - log_normal(z, mean, logvar))
        variables = encoder.trainable_variables + decoder.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    return lambda: step(x)


def rnn(tf: Any) -> Callable[[], Any]:
    """A recurrent network by hand: a `tf.range` loop over time that writes a TensorArray."""
    kernel, bias = _glorot(tf, 8 + 32, 4 * 32), tf.Variable(tf.zeros([4 * 32]))
    out = _glorot(tf, 32, 4)
    weights = [kernel, bias, out]
    x, y = tf.constant(_data(16, 12, 8)), tf.constant(_data(16, 12, 4, seed=1))

    @tf.function
    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            h = c = tf.zeros([tf.shape(x)[0], 32])
            outputs = tf.TensorArray(tf.float32, size=tf.shape(x)[1])
            for t in tf.range(tf.shape(x)[1]):
                gates = tf.matmul(tf.concat([x[:, t], h], axis=1), kernel) + bias
                i, f, g, o = tf.split(gates, 4, axis=1)
                c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
                h = tf.sigmoid(o) * tf.tanh(c)
                outputs = outputs.write(t, tf.matmul(h, out))
            loss = tf.reduce_mean(tf.square(tf.transpose(outputs.stack(), [1, 0, 2]) - y))
        grads, _ = tf.clip_by_global_norm(tape.gradient(loss, weights), 1.0)
        for w, g in zip(weights, grads):
            w.assign_sub(0.1 * g)
        return loss

    return lambda: step(x, y)


def pinn(tf: Any) -> Callable[[], Any]:
    """A physics-informed network for Burgers' equation: second derivatives by nested tapes, in the loss of a third."""
    keras = tf.keras
    net = keras.Sequential([keras.layers.Dense(20, activation="tanh", input_shape=(2,)), *[keras.layers.Dense(20, activation="tanh") for _ in range(3)], keras.layers.Dense(1)])
    optimizer = keras.optimizers.Adam(1e-3)
    t, x = tf.constant(_data(32, 1)), tf.constant(_data(32, 1, seed=1))
    t0, x0 = tf.zeros([16, 1]), tf.constant(_data(16, 1, seed=2))

    @tf.function
    def step(t: Any, x: Any, t0: Any, x0: Any) -> Any:
        with tf.GradientTape() as outer:
            with tf.GradientTape(persistent=True) as second:
                second.watch([t, x])
                with tf.GradientTape(persistent=True) as first:
                    first.watch([t, x])
                    u = net(tf.concat([t, x], 1))
                u_x = first.gradient(u, x)
            u_t = first.gradient(u, t)
            u_xx = second.gradient(u_x, x)
            residual = u_t + u * u_x - (0.01 / np.pi) * u_xx
            start = net(tf.concat([t0, x0], 1)) + tf.sin(np.pi * x0)
            loss = tf.reduce_mean(tf.square(residual)) + tf.reduce_mean(tf.square(start))
        grads = outer.gradient(loss, net.trainable_variables)
        optimizer.apply_gradients(zip(grads, net.trainable_variables))
        return loss

    return lambda: step(t, x, t0, x0)


def word2vec(tf: Any) -> Callable[[], Any]:
    """Skip-grams with negative samples: embeddings whose gradients are rows."""
    vocabulary, width = 500, 32
    targets, contexts = tf.keras.layers.Embedding(vocabulary, width), tf.keras.layers.Embedding(vocabulary, width)
    optimizer = tf.keras.optimizers.SGD(0.5)
    rng = np.random.default_rng(0)
    word, context = tf.constant(rng.integers(0, vocabulary, (64,)), tf.int64), tf.constant(rng.integers(0, vocabulary, (64, 1)), tf.int64)

    @tf.function
    def step(word: Any, context: Any) -> Any:
        negative = tf.random.uniform([64, 4], 0, vocabulary, tf.int64)
        with tf.GradientTape() as tape:
            logits = tf.einsum("be,bce->bc", targets(word), contexts(tf.concat([context, negative], 1)))
            labels = tf.concat([tf.ones([64, 1]), tf.zeros([64, 4])], 1)
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits))
        variables = targets.trainable_variables + contexts.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    return lambda: step(word, context)


def policy_gradient(tf: Any) -> Callable[[], Any]:
    """REINFORCE with a Gaussian policy and an entropy bonus."""
    keras = tf.keras
    policy = keras.Sequential([keras.layers.Dense(32, activation="tanh", input_shape=(6,)), keras.layers.Dense(32, activation="tanh"), keras.layers.Dense(2)])
    log_std = tf.Variable([-0.5, -0.5])
    optimizer = keras.optimizers.RMSprop(1e-3)
    states, actions, rewards = tf.constant(_data(50, 6)), tf.constant(_data(50, 2, seed=1)), tf.constant(_data(50, seed=2))

    @tf.function
    def step(states: Any, actions: Any, rewards: Any) -> Any:
        returns = tf.math.cumsum(rewards, reverse=True)
        returns = (returns - tf.reduce_mean(returns)) / (tf.math.reduce_std(returns) + 1e-8)
        with tf.GradientTape() as tape:
            mean = policy(states)
            std = tf.exp(log_std)
            log_probability = tf.reduce_sum(-0.5 * tf.square((actions - mean) / std) - log_std - 0.5 * np.log(2 * np.pi), axis=1)
            entropy = tf.reduce_sum(log_std + 0.5 * np.log(2 * np.pi * np.e))
            loss = -tf.reduce_mean(log_probability * returns) - 0.01 * entropy
        variables = [*policy.trainable_variables, log_std]
        grads, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), 0.5)
        optimizer.apply_gradients(zip(grads, variables))
        return loss

    return lambda: step(states, actions, rewards)


def greedy_decode(tf: Any) -> Callable[[], Any]:
    """Greedy decoding with attention: a loop of as many rounds as a tensor says, into an array that grows."""
    m = _Attention(tf)
    source = tf.constant(np.random.default_rng(0).integers(1, 50, (8, 8)), tf.int32)

    @tf.function
    def decode(source: Any, length: Any) -> Any:
        embedded = m.source(source)
        state = tf.zeros([8, m.units])
        outputs = tf.TensorArray(tf.float32, size=8)
        for i in tf.range(8):
            state, _ = m.encoder(embedded[:, i], [state])
            outputs = outputs.write(i, state)
        memory = tf.transpose(outputs.stack(), [1, 0, 2])
        token = tf.ones([8], tf.int32)
        found = tf.TensorArray(tf.int32, size=0, dynamic_size=True)
        for i in tf.range(length):
            context = m.attend(state, memory)
            state, _ = m.decoder(tf.concat([context, m.target(token)], axis=-1), [state])
            token = tf.argmax(m.out(state), -1, output_type=tf.int32)
            found = found.write(i, token)
        return tf.transpose(found.stack())

    length = tf.constant(12)
    return lambda: decode(source, length)


def viterbi(tf: Any) -> Callable[[], Any]:
    """The most probable path by dynamic programming, forwards and back, over a sequence of unknown length."""
    transitions, scores = tf.constant(_data(12, 12)), tf.constant(_data(20, 12, seed=1))

    @tf.function(input_signature=[tf.TensorSpec([None, 12])])
    def best(scores: Any) -> Any:
        n = tf.shape(scores)[0]
        score = scores[0]
        back = tf.TensorArray(tf.int32, size=n)
        for t in tf.range(1, n):
            total = tf.expand_dims(score, 1) + transitions
            back = back.write(t, tf.argmax(total, 0, output_type=tf.int32))
            score = tf.reduce_max(total, 0) + scores[t]
        last = tf.argmax(score, output_type=tf.int32)
        came = back.stack()
        path = tf.TensorArray(tf.int32, size=n).write(n - 1, last)
        for t in tf.range(n - 1, 0, -1):
            last = came[t][last]
            path = path.write(t - 1, last)
        return path.stack(), tf.reduce_max(score)

    return lambda: best(scores)


def expectation_maximisation(tf: Any) -> Callable[[], Any]:
    """A mixture of Gaussians, fitted in a while loop until the likelihood stands still."""
    x, start = tf.constant(_data(200, 2)), tf.constant(_data(3, 2, seed=1))

    @tf.function
    def fit(x: Any, means: Any) -> Any:
        scale, weight = tf.ones([3]), tf.ones([3]) / 3
        likelihood, before, i = tf.constant(-1e9), tf.constant(-2e9), 0
        while likelihood - before > 1e-3 and i < 50:
            distance = tf.reduce_sum((x[:, None] - means[None]) ** 2, 2)
            logits = tf.math.log(weight) - distance / (2 * scale) - tf.math.log(scale)
            norm = tf.reduce_logsumexp(logits, 1, keepdims=True)
            before, likelihood = likelihood, tf.reduce_sum(norm)
            share = tf.exp(logits - norm)
            total = tf.reduce_sum(share, 0)
            weight = total / 200.0
            means = tf.matmul(share, x, transpose_a=True) / total[:, None]
            scale = tf.reduce_sum(share * tf.reduce_sum((x[:, None] - means[None]) ** 2, 2), 0) / (2 * total)
            i += 1
        return means, likelihood

    return lambda: fit(x, start)


def descent(tf: Any) -> Callable[[], Any]:
    """Gradient descent in a while loop: a tape and an optimizer's update in each round."""
    a, b, w = tf.constant(_data(30, 8)), tf.constant(_data(30, 1, seed=1)), tf.Variable(tf.zeros([8, 1]))
    optimizer = tf.keras.optimizers.Adam(0.01)

    @tf.function
    def run(n: Any) -> Any:
        i, loss = tf.constant(0), tf.constant(1e9)
        while i < n and loss > 1e-6:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((tf.matmul(a, w) - b) ** 2)
            optimizer.apply_gradients([(tape.gradient(loss, w), w)])
            i += 1
        return loss

    n = tf.constant(10)
    return lambda: run(n)


def translation(tf: Any) -> Callable[[], Any]:
    """Attention from translations to sentences of any length, with dropout: an `input_signature` that leaves every size open."""
    layers = tf.keras.layers
    vocabulary, width = 100, 32
    source, target = layers.Embedding(vocabulary, width), layers.Embedding(vocabulary, width)
    across, norm, out = layers.MultiHeadAttention(4, 8, dropout=0.1), layers.LayerNormalization(), layers.Dense(vocabulary)
    inner, drop = [layers.Dense(64, activation="relu"), layers.Dense(width)], layers.Dropout(0.1)
    optimizer = tf.keras.optimizers.Adam(1e-3)
    crossentropy = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    rng = np.random.default_rng(0)
    pairs = [[tf.constant(rng.integers(1, vocabulary, (8, n)), tf.int32) for n in (12 + i, 10 + i)] for i in range(3)]
    turn = itertools.cycle(pairs)

    @tf.function(input_signature=[tf.TensorSpec((None, None), tf.int32)] * 2)
    def step(sentences: Any, translations: Any) -> Any:
        with tf.GradientTape() as tape:
            memory, x = drop(source(sentences), training=True), drop(target(translations[:, :-1]), training=True)
            x = norm(x + across(x, memory, training=True))
            x = x + drop(inner[1](inner[0](x)), training=True)
            loss = crossentropy(translations[:, 1:], out(x))
        variables = [v for part in (source, target, across, norm, *inner, out) for v in part.trainable_variables]
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    return lambda: step(*next(turn))


def generation(tf: Any) -> Callable[[], Any]:
    """A character from a recurrent model: one step of a GRU, sampled, its state given to the next call."""
    layers = tf.keras.layers
    embedding, gru, out = layers.Embedding(66, 64), layers.GRU(256, return_sequences=True, return_state=True), layers.Dense(66)

    @tf.function
    def one(token: Any, state: Any) -> Any:
        x, state = gru(embedding(token), initial_state=state)
        return tf.random.categorical(out(x)[:, -1], 1), state

    at = [tf.zeros([1, 1], tf.int64), tf.zeros([1, 256])]

    def step() -> None:
        at[:] = one(*at)

    return step


PROGRAMS = (
    maml, neural_ode, seq2seq, seq2seq_range, custom_gradients, jacobian, a2c, beam_search, dqn, transformer, gan, vae, rnn, pinn, word2vec,
    policy_gradient, greedy_decode, viterbi, expectation_maximisation, descent, translation, generation,
)  # fmt: skip
