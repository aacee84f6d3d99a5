"""A straight line through noisy points, with nothing but variables, a tape and the rule of gradient descent."""

import tensorflow as tf

TRUE_SLOPE, TRUE_OFFSET = 3.0, 2.0
POINTS, STEPS, RATE = 1000, 60, 0.1

tf.random.set_seed(7)
inputs = tf.random.normal([POINTS])
targets = TRUE_SLOPE * inputs + TRUE_OFFSET + tf.random.normal([POINTS])


class Line(tf.Module):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.slope = tf.Variable(5.0, name="slope")
        self.offset = tf.Variable(10.0, name="offset")

    def __call__(self, x):
        return self.slope * x + self.offset


def loss_of(model):
    return tf.reduce_mean(tf.square(model(inputs) - targets))


line = Line()
print("variables:", sorted(v.name for v in line.trainable_variables))
print(f"before: loss {loss_of(line):.3f}")
for step in range(STEPS):
    with tf.GradientTape() as tape:
        loss = loss_of(line)
    d_slope, d_offset = tape.gradient(loss, [line.slope, line.offset])
    line.slope.assign_sub(RATE * d_slope)
    line.offset.assign_sub(RATE * d_offset)
    if step % 20 == 0:
        print(f"step {step:02d}: loss {loss:.3f}")
print(f"after:  loss {loss_of(line):.3f}")
print(f"slope {line.slope.numpy():.2f}, offset {line.offset.numpy():.2f}")

assert abs(line.slope.numpy() - TRUE_SLOPE) < 0.2 and abs(line.offset.numpy() - TRUE_OFFSET) < 0.2
