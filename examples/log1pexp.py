"""log(1 + eˣ) has a gradient that plain differentiation loses to overflow, and a custom gradient keeps."""

import tensorflow as tf


def naive(x):
    return tf.math.log(1 + tf.exp(x))


@tf.custom_gradient
def log1pexp(x):
    e = tf.exp(x)

    def grad(upstream):
        return upstream * (1 - 1 / (1 + e))

    return tf.math.log(1 + e), grad


def gradient_of(fn, x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = fn(x)
    return tape.gradient(value, x)


for at in (0.0, 3.0, 100.0):
    print(f"x = {at:5.1f}   naive {gradient_of(naive, at).numpy():.6f}   custom {gradient_of(log1pexp, at).numpy():.6f}")

# Second derivatives go through a custom gradient too.
x = tf.Variable(0.5)
with tf.GradientTape() as outer:
    with tf.GradientTape() as inner:
        y = log1pexp(x)
    first = inner.gradient(y, x)
second = outer.gradient(first, x)
print(f"first {first:.6f}, second {second:.6f}")
