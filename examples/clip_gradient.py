"""An identity whose gradient is clipped by norm on its way back."""

import tensorflow as tf


@tf.custom_gradient
def clip_gradient_by_norm(x, norm):
    y = tf.identity(x)

    def grad_fn(upstream):
        return [tf.clip_by_norm(upstream, norm), None]

    return y, grad_fn


weights = tf.Variable([3.0, 4.0])

with tf.GradientTape(persistent=True) as tape:
    plain = tf.reduce_sum(weights * [3.0, 4.0])
    clipped = tf.reduce_sum(clip_gradient_by_norm(weights, 1.0) * [3.0, 4.0])

print("plain  ", tape.gradient(plain, weights).numpy())
print("clipped", tape.gradient(clipped, weights).numpy())
del tape

# A long chain of products explodes; clipped at every link it does not.
with tf.GradientTape(persistent=True) as tape:
    wild = tame = weights
    for _ in range(10):
        wild = wild * 3.0
        tame = clip_gradient_by_norm(tame * 3.0, 2.0)
    wild, tame = tf.reduce_sum(wild), tf.reduce_sum(tame)
print(f"exploding norm {tf.norm(tape.gradient(wild, weights)):.0f}")
print(f"tame norm      {tf.norm(tape.gradient(tame, weights)):.3f}")
