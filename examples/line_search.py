"""A backtracking line search. The number of iterations depends on the values, and gradients flow all the same."""

import tensorflow as tf


@tf.custom_gradient
def with_bounded_curvature(x):
    """The quartic bowl, with its gradient kept within ±4."""

    def grad(upstream):
        return upstream * tf.clip_by_value(4.0 * (x - 1.0) ** 3, -4.0, 4.0)

    return (x - 1.0) ** 4, grad


def line_search_step(fn, start, rate=0.8, shrink=0.5):
    with tf.GradientTape() as tape:
        tape.watch(start)  # variables would be watched by themselves; tensors have to be named
        value = fn(start)
    gradient = tape.gradient(value, start)
    squared_norm = tf.reduce_sum(gradient * gradient)
    candidate, candidate_value = start, value
    tries = 0
    while candidate_value > value - 0.5 * rate * squared_norm or tries == 0:
        candidate = start - rate * gradient
        candidate_value = fn(candidate)
        rate *= shrink
        tries += 1
    return candidate, candidate_value, tries


x = tf.constant(3.0)
for step in range(8):
    x, value, tries = line_search_step(lambda at: at * at, x)
    print(f"x² step {step}: x = {x:.4f}, value = {value:.6f}, tries = {tries}")
    if value < 1e-6:
        break

x = tf.constant(4.0)
for step in range(12):
    x, value, tries = line_search_step(with_bounded_curvature, x)
print(f"quartic: x = {x:.4f}, value = {value:.6f}")
