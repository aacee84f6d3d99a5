"""Writes `files/`: small files of every kind that TensorFlow and Keras 2 write, with what they should give when read.

Runs under a real TensorFlow with Keras 2 (TF_USE_LEGACY_KERAS=1): `python tests/conformance/record_files.py`
(with `graphs`: only the SavedModels whose graphs are run; with `training`: only those that hold gradients).
"""

import collections
import os
import shutil
import sys
import tempfile

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


class Flow(tf.Module):
    """Loops, conditions, lists of tensors, effects, Python arguments."""

    def __init__(self):
        self.weights = tf.Variable(np.linspace(-1, 1, 9).reshape(3, 3).astype("float32"))
        self.calls = tf.Variable(0)

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32)])
    def __call__(self, x):
        i = tf.constant(0)
        while i < 3:
            x = tf.matmul(x, self.weights)
            if tf.reduce_sum(x) > 0:
                x = x * 0.5
            else:
                x = x + 1.0
            i += 1
        self.calls.assign_add(1)
        rows = tf.TensorArray(tf.float32, 3)
        for k in tf.range(3):
            rows = rows.write(k, x[k % 2] * tf.cast(k, tf.float32))
        return {"y": x, "rows": rows.stack(), "z": tf.einsum("ij,kj->ik", x, x)[:, ::-1], "w": tf.where(x > 0, x, 0.0)}

    @tf.function
    def scaled(self, a, factor=2, *, offset=None):
        return a * factor if offset is None else (a + offset, [a])


class Tables(tf.Module):
    """Tables from constants and from an asset, and one that changed after it was made."""

    def __init__(self, vocabulary):
        self.plain = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["x", "y"], [1.0, 2.0]), -1.0)
        lines = tf.lookup.TextFileInitializer(vocabulary, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER)
        self.ids = tf.lookup.StaticVocabularyTable(lines, 2)
        self.counts = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
        self.counts.insert(["x", "q"], [5, 6])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, x):
        return {"plain": self.plain.lookup(x), "ids": self.ids.lookup(x), "counts": self.counts.lookup(x), "length": tf.strings.length(tf.strings.upper(x))}


def record_graphs():
    """SavedModels of which the graphs are run."""
    keras = tf.keras
    tf.keras.utils.set_random_seed(1)
    random = np.random.RandomState(0)
    flow = Flow()
    flow.scaled(tf.constant(1.0))
    flow.scaled(tf.constant(1.0), factor=7)
    flow.scaled(tf.constant([1.0, 2.0]), offset=tf.constant(3.0))
    with tempfile.TemporaryDirectory() as place:
        vocabulary = os.path.join(place, "words.txt")
        with open(vocabulary, "w") as file:
            file.write("u\nx\nw\n")
        save_graph("tables", Tables(vocabulary), x=np.array(["x", "u", "q"]))
    save_graph("flow", flow, x=random.randn(2, 3).astype("float32"))
    image = keras.Sequential(
        [keras.layers.Conv2D(4, 3, padding="same", activation="relu", input_shape=(8, 8, 3)), keras.layers.BatchNormalization(),
         keras.layers.MaxPooling2D(), keras.layers.DepthwiseConv2D(3), keras.layers.Conv2DTranspose(2, 3, strides=2), keras.layers.Flatten(),
         keras.layers.Dense(2)],
    )  # fmt: skip
    save_graph("image", image, random.randn(2, 8, 8, 3).astype("float32"))
    inputs = keras.Input((6, 8))
    attended = keras.layers.LayerNormalization()(keras.layers.Add()([keras.layers.MultiHeadAttention(2, 4)(inputs, inputs), inputs]))
    save_graph("attention", keras.Model(inputs, keras.layers.Dense(3, activation="gelu")(keras.layers.Flatten()(attended))), random.randn(2, 6, 8).astype("float32"))
    vectors = keras.layers.TextVectorization(output_sequence_length=5)
    vectors.adapt(["the cat sat", "the dog sat down"])
    text = keras.Input((1,), dtype=tf.string)
    embedded = keras.layers.Embedding(10, 3, mask_zero=True)(vectors(text))
    save_graph("text", keras.Model(text, keras.layers.GlobalAveragePooling1D()(embedded)), np.array([["the cat!"], ["Dog down down x"]]))


def save_graph(name, model, *values, **named):
    place = path("graphs", name)
    tf.saved_model.save(model, place)
    serve = tf.saved_model.load(place).signatures["serving_default"]
    given = named or dict(zip(sorted(serve.structured_input_signature[1]), values, strict=True))
    results = serve(**{key: tf.constant(value) for key, value in given.items()})
    content = {f"in_{key}": np.asarray(value) for key, value in given.items()}
    np.savez(place + ".npz", **content, **{f"out_{key}": value.numpy() for key, value in results.items()})
    os.unlink(os.path.join(place, "fingerprint.pb"))


def record_training():
    """SavedModels whose functions hold gradients: training steps, loops, derivatives of derivatives."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    from tests.conformance.training_for_tensorflow import TRAINING, results

    for name in ("plain", "convolution", "legacy_ftrl", "loops", "further"):
        module, calls = TRAINING[name]()
        tf.saved_model.save(module, path("training", name))
        np.savez(path("training", name) + ".npz", *results(module, calls))
        os.unlink(os.path.join(path("training", name), "fingerprint.pb"))


if __name__ == "__main__":
    if sys.argv[1:] == ["training"]:
        shutil.rmtree(path("training"), ignore_errors=True)
        record_training()
        sys.exit()
    if sys.argv[1:] == ["graphs"]:
        shutil.rmtree(path("graphs"), ignore_errors=True)
    else:
        shutil.rmtree(HERE, ignore_errors=True)
        record_checkpoints()
        record_partitioned()
        record_models()
        record_events()
    record_graphs()
    if sys.argv[1:] != ["graphs"]:
        record_training()
