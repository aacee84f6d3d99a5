"""Writes `files/`: small files of every kind that TensorFlow and Keras 2 write, with what they should give when read.

Runs under a real TensorFlow with Keras 2 (TF_USE_LEGACY_KERAS=1): `python tests/conformance/record_files.py`.
"""

import collections
import os
import shutil

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tensorflow as tf

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files")
Pair = collections.namedtuple("Pair", "left right")
DTYPES = [
    tf.bool, tf.uint8, tf.int8, tf.uint16, tf.int16, tf.uint32, tf.int32, tf.uint64, tf.int64, tf.float16, tf.bfloat16, tf.float32,
    tf.float64, tf.complex64, tf.complex128,
]  # fmt: skip


def path(*parts):
    full = os.path.join(HERE, *parts)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    return full


class Tree(tf.Module):
    def __init__(self):
        super().__init__()
        self.plain = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
        self.pair = Pair(tf.Variable(5.0), "not tracked")
        self.items = [1, [tf.Variable(6, dtype=tf.int64)], {"a": tf.Variable(7.0), "z": 1}]
        self.ordered = collections.OrderedDict(q=tf.Variable([8.0]))
        self.empty_list = []
        self.shared = self.plain
        self.words = tf.Variable(["a", "", "b" * 300])
        setattr(self, "odd/name.x", tf.Variable(9.0))


def record_checkpoints():
    tree = Tree()
    typed = {d.name: tf.Variable(tf.cast([0, 1, 1], d)) for d in DTYPES}
    checkpoint = tf.train.Checkpoint(tree=tree, typed=typed, none=tf.Variable(tf.zeros([0, 3])), step=tf.Variable(3))
    checkpoint.save(path("tree", "ckpt"))
    options = tf.train.CheckpointOptions(
        experimental_sharding_callback=tf.train.experimental.MaxShardSizePolicy(max_shard_size=400)
    )
    many = [tf.Variable(np.arange(64, dtype=np.float32) + i) for i in range(4)]
    tf.train.Checkpoint(many=many).write(path("sharded", "ckpt"), options)


def record_partitioned():
    v1 = tf.compat.v1
    with tf.Graph().as_default():
        with v1.variable_scope("scope", partitioner=v1.fixed_size_partitioner(3), use_resource=False):
            v1.get_variable("small", initializer=tf.reshape(tf.range(24.0), [6, 4]))
        variables = v1.global_variables()
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            v1.train.Saver(variables, sharded=True).save(session, path("partitioned", "model"), write_meta_graph=False)


def models():
    keras = tf.keras
    sequential = keras.Sequential(
        [keras.layers.Dense(4, activation="relu", input_shape=(3,), name="first"), keras.layers.BatchNormalization(name="norm"),
         keras.layers.Dropout(0.5, name="drop"), keras.layers.Dense(2, name="second")],
        name="plain",
    )  # fmt: skip
    inputs = keras.Input((3,), name="features")
    left = keras.layers.Dense(4, activation="tanh", name="left")(inputs)
    right = keras.layers.Dense(4, name="right")(inputs)
    functional = keras.Model(inputs, keras.layers.Dense(2, name="out")(keras.layers.Add(name="sum")([left, right])), name="branches")
    image = keras.Sequential(
        [keras.layers.Conv2D(2, 2, padding="same", input_shape=(4, 4, 1), name="conv"), keras.layers.MaxPooling2D(name="pool"),
         keras.layers.Flatten(name="flat"), keras.layers.Dense(2, name="out")],
        name="image",
    )  # fmt: skip
    text = keras.Sequential(
        [keras.layers.Embedding(7, 3, input_length=5, name="embed"), keras.layers.LSTM(4, name="lstm"),
         keras.layers.Dense(2, activation="softmax", name="out")],
        name="text",
    )  # fmt: skip
    return {
        "sequential": (sequential, np.linspace(-1, 1, 24).reshape(8, 3).astype("float32")),
        "functional": (functional, np.linspace(-1, 1, 24).reshape(8, 3).astype("float32")),
        "image": (image, np.linspace(-1, 1, 64).reshape(4, 4, 4, 1).astype("float32")),
        "text": (text, (np.arange(20).reshape(4, 5) % 7).astype("int32")),
    }


class Subclassed(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [tf.keras.layers.Dense(4, activation="relu"), tf.keras.layers.Dense(4)]
        self.head = tf.keras.layers.Dense(2)

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def record_models():
    tf.keras.utils.set_random_seed(1)
    cases = models()
    x = np.linspace(-1, 1, 24).reshape(8, 3).astype("float32")
    cases["subclassed"] = (Subclassed(), x)
    for name, (model, x) in cases.items():
        model.compile("adam", "mse", metrics=["mae"])
        y = np.linspace(0, 1, 2 * len(x)).reshape(-1, 2).astype("float32")
        model.fit(x, y, batch_size=4, epochs=2, verbose=0, shuffle=False)
        np.savez(path("models", name + ".npz"), x=x, y=y, predictions=model.predict(x, verbose=0))
        tf.train.Checkpoint(model=model, optimizer=model.optimizer).write(path("models", name + "_ckpt"))
        model.save_weights(path("models", name + "_weights"))
        model.save_weights(path("models", name + "_weights.h5"))
        if name != "subclassed":
            model.save(path("models", name + ".h5"))
            model.save(path("models", name + ".keras"))
        if name in ("sequential", "functional"):
            model.save(path("models", name + "_saved_model"))
        # What training goes on to, from the saved state.
        model.fit(x, y, batch_size=4, epochs=1, verbose=0, shuffle=False)
        np.savez(path("models", name + "_after.npz"), predictions=model.predict(x, verbose=0))


def record_events():
    writer = tf.summary.create_file_writer(path("events", "x"))
    with writer.as_default(step=3):
        tf.summary.scalar("loss", 0.5, description="the *loss*")
        with tf.name_scope("scope"):
            tf.summary.scalar("inner", 2, step=4)
        tf.summary.histogram("values", [1.0, 2.0, 2.0, 5.0], buckets=3)
        tf.summary.histogram("constant", [2.0, 2.0])
        tf.summary.histogram("empty", tf.zeros([0]))
        tf.summary.image("picture", np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3))
        tf.summary.image("gray", np.array([[[[-0.5], [0.25]], [[0.5], [2.0]]]], np.float32))
        tf.summary.audio("sound", np.linspace(-1, 1, 8).reshape(1, 8, 1).astype(np.float32), 8000)
        tf.summary.text("words", ["a", "b"])
        tf.summary.text("one", "text")
        tf.summary.write("raw", tf.constant([[1, 2]], tf.int64))
    writer.close()


if __name__ == "__main__":
    shutil.rmtree(HERE, ignore_errors=True)
    record_checkpoints()
    record_partitioned()
    record_models()
    record_events()
