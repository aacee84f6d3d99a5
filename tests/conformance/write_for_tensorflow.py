"""Writes files of every kind with tf2compat, for `read_with_tensorflow.py` to read under a real TensorFlow.

    python tests/conformance/write_for_tensorflow.py DIR
    TF_PYTHON tests/conformance/read_with_tensorflow.py DIR
"""

import os
import sys

import numpy as np

import tf2compat as tf

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
from tests.conformance import cases_as_functions
from tests.conformance.models_for_tensorflow import MODELS, Composites, Programs
from tests.conformance.training_for_tensorflow import TRAINING, results

FILES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files")
DTYPES = "bool uint8 int8 uint16 int16 uint32 int32 uint64 int64 float16 bfloat16 float32 float64 complex64 complex128".split()


def main(directory):
    options = tf.train.CheckpointOptions(experimental_format="tensorflow")
    module = tf.Module()
    module.layers = [tf.Variable([1.0, 2.0]), {"inner": tf.Variable("text")}]
    typed = {name: tf.Variable(np.array([0, 1, 1]), dtype=name) for name in DTYPES}
    checkpoint = tf.train.Checkpoint(module=module, typed=typed, step=tf.Variable(7, dtype=tf.int64))
    for _ in range(3):  # over the old one: other shards
        checkpoint.write(os.path.join(directory, "ckpt"), options)
    limit = tf.train.experimental.MaxShardSizePolicy(24)  # TensorFlow reads no parts of uint64
    checkpoint.write(os.path.join(directory, "sharded"), tf.train.CheckpointOptions(experimental_sharding_callback=limit))
    manager = tf.train.CheckpointManager(checkpoint, os.path.join(directory, "managed"), max_to_keep=2)
    for _ in range(3):
        manager.save(options=options)
    module.apply = tf.function(lambda x: x * module.layers[0], input_signature=[tf.TensorSpec([None, 2], tf.float32)])
    tf.saved_model.save(module, os.path.join(directory, "saved_module"))
    programs = Programs()
    data = np.array([[1.0, -2.0], [3.0, 0.5]], np.float32)
    tf.saved_model.save(programs, os.path.join(directory, "programs"), signatures={"serving_default": programs.steps, "words": programs.words})
    expected = programs.steps(data)
    np.savez(os.path.join(directory, "programs_expected.npz"), x=data, y=expected["y"].numpy(), rows=expected["rows"].numpy())
    composites = Composites()
    tf.saved_model.save(composites, os.path.join(directory, "composites"))
    traced, written, _ = cases_as_functions.write(directory)
    print(f"{written} of {traced} conformance cases are written")
    traced, written, _ = cases_as_functions.write(directory, what="gradients")
    print(f"the gradients of {written} of {traced} conformance cases are written")
    for name, make in TRAINING.items():
        module, calls = make()
        tf.saved_model.save(module, os.path.join(directory, f"training_{name}"))
        np.savez(os.path.join(directory, f"training_{name}.npz"), *results(module, calls))
    for name, make in MODELS.items():
        model, inputs = make()
        predictions = model(inputs if len(inputs) > 1 else inputs[0]).numpy()
        model.save(os.path.join(directory, f"run_{name}"))
        named = {f"in_{n}": np.asarray(v).astype("S") if v.dtype == object else v for n, v in zip(model.input_names, inputs, strict=True)}
        np.savez(os.path.join(directory, f"run_{name}_expected.npz"), predictions=predictions, **named)
    for name in ("sequential", "functional", "image", "text"):
        try:
            model = tf.keras.models.load_model(os.path.join(FILES, "models", name + ".keras"))
        except TypeError as error:
            print(f"{name}: {str(error)[:80]}")
            continue
        base = os.path.join(directory, name)
        data = np.load(os.path.join(FILES, "models", name + ".npz"))
        np.savez(base + ".npz", x=data["x"], y=data["y"], predictions=model.predict(data["x"], verbose=0))
        model.save(base + ".keras")
        model.save(base + ".h5")
        model.save(base + "_saved_model")
        model.save_weights(base + "_w.weights.h5")
        model.save_weights(base + "_w.h5")
        model.save_weights(base + "_w", options=options)
        tf.train.Checkpoint(model=model, optimizer=model.optimizer).write(base + "_ckpt", options)
        model.fit(data["x"], data["y"], batch_size=4, epochs=1, verbose=0, shuffle=False)
        np.savez(base + "_after.npz", predictions=model.predict(data["x"], verbose=0))
    writer = tf.summary.create_file_writer(os.path.join(directory, "events"))
    with writer.as_default(step=5):
        tf.summary.scalar("loss", 0.5)
        tf.summary.text("note", "hello")
        tf.summary.histogram("values", [1.0, 2.0])
    writer.close()


if __name__ == "__main__":
    main(sys.argv[1])
