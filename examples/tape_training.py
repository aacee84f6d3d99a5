"""Training by hand: a Sequential convnet, a tape, an optimizer, and a plain Python loop over shuffled batches.

    python tape_training.py [epochs]
"""

import os
import sys

import numpy as np
import tensorflow as tf

tf.random.set_seed(1)
EPOCHS = int(sys.argv[1]) if len(sys.argv) > 1 else 3
BATCH = 32

with np.load(os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "digits.npz")) as data:
    images = tf.cast(data["images"][..., np.newaxis] / 16, tf.float32)
    labels = tf.cast(data["labels"], tf.int64)

model = tf.keras.Sequential(
    [
        tf.keras.layers.Conv2D(16, [3, 3], activation="relu", input_shape=(8, 8, 1)),
        tf.keras.layers.Conv2D(16, [3, 3], activation="relu"),
        tf.keras.layers.GlobalAveragePooling2D(),
        tf.keras.layers.Dense(10),
    ]
)
optimizer = tf.keras.optimizers.Adam(0.01)
loss_of = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)

# A model can be called before any training, on tensors as they are.
print("logits of one untrained digit:", model(images[:1]).shape)

history = []
shuffle = np.random.default_rng(1)


def train_step(batch_images, batch_labels):
    with tf.GradientTape() as tape:
        logits = model(batch_images, training=True)
        tf.debugging.assert_equal(logits.shape, (batch_images.shape[0], 10))
        loss = loss_of(batch_labels, logits)
    history.append(loss.numpy().mean())
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))


for epoch in range(EPOCHS):
    order = shuffle.permutation(len(labels))
    for start in range(0, len(order), BATCH):
        chosen = tf.constant(order[start : start + BATCH])
        train_step(tf.gather(images, chosen), tf.gather(labels, chosen))
    print(f"epoch {epoch} finished, mean loss of its last 20 steps: {np.mean(history[-20:]):.3f}")

print("steps:", int(optimizer.iterations))
assert np.mean(history[-20:]) < np.mean(history[:20]) / 2
