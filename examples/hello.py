"""The first lines anybody writes: eager execution computes at once, and prints what it computed."""

import tensorflow as tf

print("eager:", tf.executing_eagerly())

x = [[2.0]]
product = tf.matmul(x, x)
print(f"hello, {product}")
print(repr(product))

a = tf.constant([[1, 2], [3, 4]])
print(a)
b = a + 1
print(b)
print(a * b)
print("as NumPy:", a.numpy().tolist(), "sum:", a.numpy().sum())
