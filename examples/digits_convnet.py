"""A convolutional network learns to read handwritten digits, and is tested on digits it has never seen.

    python digits_convnet.py [epochs]

The data are 1,797 digits of real people (see data/README.md); every fifth one is held out.
"""

import os
import sys
import time

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

EPOCHS = int(sys.argv[1]) if len(sys.argv) > 1 else 12
BATCH = 64

tf.random.set_seed(0)


class DigitReader(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.first = layers.Conv2D(32, 3, padding="same", activation="relu")
        self.second = layers.Conv2D(64, 3, padding="same", activation="relu")
        self.pool = layers.MaxPooling2D()
        self.flatten = layers.Flatten()
        self.hidden = layers.Dense(64, activation="relu")
        self.drop = layers.Dropout(0.3)
        self.out = layers.Dense(10)

    def call(self, images, training=False):
        x = self.pool(self.second(self.first(images)))
        x = self.hidden(self.flatten(x))
        return self.out(self.drop(x, training=training))


def load():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "digits.npz")
    with np.load(path) as data:
        images = data["images"].astype("float32")[..., np.newaxis] / 16
        labels = data["labels"].astype("int64")
    held_out = np.arange(len(labels)) % 5 == 0
    return (images[~held_out], labels[~held_out]), (images[held_out], labels[held_out])


(train_images, train_labels), (test_images, test_labels) = load()
model = DigitReader()
optimizer = tf.keras.optimizers.Adam(0.002)
loss_of = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
train_loss = tf.keras.metrics.Mean()
train_accuracy = tf.keras.metrics.SparseCategoricalAccuracy()


def train_step(images, labels):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_of(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    train_loss.update_state(loss)
    train_accuracy.update_state(labels, logits)


def accuracy_on(images, labels):
    accuracy = tf.keras.metrics.SparseCategoricalAccuracy()
    for start in range(0, len(labels), BATCH):
        accuracy.update_state(labels[start : start + BATCH], model(images[start : start + BATCH]))
    return float(accuracy.result())


print(f"{len(train_labels)} digits to learn from, {len(test_labels)} held out")
shuffle = np.random.default_rng(0)
began = time.time()
for epoch in range(1, EPOCHS + 1):
    train_loss.reset_state()
    train_accuracy.reset_state()
    order = shuffle.permutation(len(train_labels))
    for start in range(0, len(order), BATCH):
        chosen = order[start : start + BATCH]
        train_step(train_images[chosen], train_labels[chosen])
    print(f"epoch {epoch:2d}: loss {train_loss.result():.4f}, accuracy {train_accuracy.result():.2%}")

held_out = accuracy_on(test_images, test_labels)
print(f"held-out accuracy: {held_out:.2%} after {EPOCHS} epochs ({time.time() - began:.1f} s)")
predicted = tf.argmax(model(test_images[:10]), axis=1).numpy()
print("ten of them:", predicted.tolist(), "are really", test_labels[:10].tolist())
if held_out < 0.95:
    sys.exit("that is less than 95 %: something is wrong")
