"""State lives in Python objects and goes when its last reference goes; metrics and modules keep state the same way."""

import gc
import weakref

import tensorflow as tf

variable = tf.Variable(tf.random.normal([100, 100]), name="big")
alive = weakref.ref(variable)
print("alive:", alive() is not None)
del variable
gc.collect()
print("after del:", alive() is not None)


class Counter(tf.Module):
    def __init__(self):
        super().__init__()
        self.count = tf.Variable(0, trainable=False)
        self.history = [tf.Variable(0.0)]

    def __call__(self, amount):
        self.count.assign_add(amount)
        return self.count


counter = Counter()
counter(2)
counter(3)
print("count:", counter.count.numpy())
print("variables:", len(counter.variables), "trainable:", len(counter.trainable_variables))

mean = tf.keras.metrics.Mean("loss")
mean(0)
mean(5)
print("mean:", mean.result().numpy())
mean([8, 9])
print("mean:", mean.result().numpy())

# What a tensor was made from may go; the tensor stays what it is.
source = tf.Variable([1.0, 2.0])
snapshot = source + 0
source.assign([5.0, 6.0])
del source
print("snapshot:", snapshot.numpy())

# A tape frees what it recorded once it was used; a second use says so.
x = tf.Variable(3.0)
with tf.GradientTape() as tape:
    y = x * x
print("gradient:", tape.gradient(y, x).numpy())
try:
    tape.gradient(y, x)
except RuntimeError as error:
    print("RuntimeError:", str(error)[:75])
