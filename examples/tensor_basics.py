"""Tensors: making them, looking at them, taking them apart, and what they refuse to do."""

import numpy as np
import tensorflow as tf

scalar = tf.constant(4)
vector = tf.constant([2.0, 3.0, 4.0])
matrix = tf.constant([[1, 2], [3, 4], [5, 6]], dtype=tf.float16)
cube = tf.reshape(tf.range(30), [3, 2, 5])
words = tf.constant(["Gray wolf", "Quick brown fox", "Lazy dog"])
for t in (scalar, vector, matrix, cube, words):
    print(t)

print("--- shape, dtype, rank")
print(cube.shape, cube.dtype, cube.ndim, cube.shape[-1], tf.size(cube).numpy(), tf.rank(cube))
print(np.array(matrix), matrix.numpy().dtype)

print("--- arithmetic")
a, b = tf.constant([[1, 2], [3, 4]]), tf.ones([2, 2], dtype=tf.int32)
print(a + b, a * b, a @ b, sep="\n")
print(-a, a // 2, a % 2, 2**a, a > b, sep="\n")
print(tf.reduce_max(vector), tf.math.argmax(vector), tf.nn.softmax(vector))

print("--- indexing")
fib = tf.constant([0, 1, 1, 2, 3, 5, 8, 13, 21, 34])
print(fib[0], fib[-1].numpy(), fib[:4].numpy(), fib[2:7].numpy(), fib[::2].numpy(), fib[::-1].numpy())
print(cube[:, 1].numpy().tolist(), cube[..., 4].numpy().tolist(), cube[0, tf.newaxis, 1, 1::2].shape)

print("--- shapes")
print(tf.reshape(cube, [-1, 10]).shape, tf.transpose(cube, [2, 0, 1]).shape, tf.expand_dims(vector, 0).shape)
print(tf.broadcast_to(vector, [2, 3]))

print("--- dtypes")
print(tf.cast(tf.constant([2.2, 3.3, 4.4]), tf.uint8))
print(tf.constant([1.5, 2.5], tf.float64) * 2)
print(tf.constant([True, False]), tf.constant(1 + 2j))

print("--- refusals")
try:
    vector[0] = 1.0
except TypeError as error:
    print("TypeError:", str(error).split(" object ")[1])
try:
    tf.constant(1) + tf.constant(1.0)
except tf.errors.InvalidArgumentError as error:
    print(type(error).__name__)
try:
    tf.constant([[1.0, 2.0], [3.0]])
except ValueError as error:
    print("ValueError:", error)
try:
    tf.matmul(tf.ones([2, 3]), tf.ones([2, 3]))
except tf.errors.InvalidArgumentError as error:
    print(type(error).__name__, "[2,3]" in error.message)
try:
    hash(vector)
except TypeError as error:
    print("TypeError:", str(error)[:40])
print({vector.ref(): "by reference"}[vector.ref()])
