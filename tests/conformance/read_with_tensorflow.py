"""Reads, under a real TensorFlow with Keras 2, what `write_for_tensorflow.py` wrote, and compares. Prints one line for each thing."""

import glob
import json
import os
import sys

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
import tf_keras

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
from tests.conformance.training_for_tensorflow import TRAINING, results

failed = 0


def report(what, work):
    global failed
    try:
        work()
        print(f"ok      {what}")
    except Exception as error:  # noqa: BLE001 - the report is the point
        failed += 1
        print(f"FAILED  {what}: {type(error).__name__}: {str(error)[:300]}")


def checkpoint(prefix):
    module = tf.Module()
    module.layers = [tf.Variable([0.0, 0.0]), {"inner": tf.Variable("")}]
    names = [n.split("/")[1] for n, _ in tf.train.list_variables(prefix) if n.startswith("typed/")]
    typed = {name: tf.Variable(tf.cast([0, 0, 0], name)) for name in names}
    step = tf.Variable(0, dtype=tf.int64)
    restored = tf.train.Checkpoint(module=module, typed=typed, step=step)
    restored.read(prefix).assert_existing_objects_matched().expect_partial()
    assert step.numpy() == 7 and module.layers[0].numpy().tolist() == [1, 2] and module.layers[1]["inner"].numpy() == b"text"
    assert len(names) == 15 and all(tf.cast(v, tf.int32).numpy().tolist() == [0, 1, 1] for v in typed.values())


def manager(directory):
    latest = tf.train.latest_checkpoint(directory)
    assert latest.endswith("ckpt-3"), latest
    checkpoint(latest)
    again = tf.train.CheckpointManager(tf.train.Checkpoint(step=tf.Variable(0, dtype=tf.int64)), directory, 2)
    assert [os.path.basename(p) for p in again.checkpoints] == ["ckpt-2", "ckpt-3"]


def saved_module(directory):
    loaded = tf.saved_model.load(directory)
    assert loaded.layers[0].numpy().tolist() == [1, 2] and loaded.layers[1]["inner"].numpy() == b"text"


def saved_keras(directory, base):
    loaded = tf.saved_model.load(directory)
    model = tf.keras.models.load_model(base + ".keras", compile=False)
    found = [v.numpy().tolist() for v in (getattr(loaded, name) for name in dir(loaded) if name.startswith("layer_with_weights")) for v in [v.kernel if hasattr(v, "kernel") else v.gamma if hasattr(v, "gamma") else None] if v is not None]
    wanted = [v.numpy().tolist() for v in model.weights]
    assert found and all(value in wanted for value in found)


def runs_keras(directory, base):
    """Predictions of a Keras SavedModel's call in TensorFlow, of its rebuilt model too."""
    loaded, data = tf.saved_model.load(directory), np.load(base + ".npz")
    declared = loaded.__call__.concrete_functions[0].structured_input_signature[0][0].dtype.as_numpy_dtype
    np.testing.assert_allclose(loaded(data["x"].astype(declared)).numpy(), data["predictions"], rtol=1e-4, atol=1e-5)
    model = tf.keras.models.load_model(directory)
    np.testing.assert_allclose(model.predict(data["x"], verbose=0), data["predictions"], rtol=1e-4, atol=1e-5)


def served(directory):
    """A signature, called, in a session as TF Serving runs it, and in the model that Keras rebuilds."""
    data = np.load(directory + "_expected.npz")
    inputs = {n[3:]: data[n].astype(object) if data[n].dtype.kind == "S" else data[n] for n in data.files if n.startswith("in_")}
    signature = tf.saved_model.load(directory).signatures["serving_default"]
    assert set(signature.structured_input_signature[1]) == set(inputs)
    (found,) = signature(**{n: tf.constant(v) for n, v in inputs.items()}).values()
    np.testing.assert_allclose(found.numpy(), data["predictions"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(in_session(directory, inputs)[0], data["predictions"], rtol=1e-4, atol=1e-5)
    model = tf.keras.models.load_model(directory)
    found = model.predict(list(inputs.values()) if len(inputs) > 1 else list(inputs.values())[0], verbose=0)
    np.testing.assert_allclose(found, data["predictions"], rtol=1e-4, atol=1e-5)


def in_session(directory, inputs):
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        meta = tf.compat.v1.saved_model.load(session, ["serve"], directory)
        served = meta.signature_def["serving_default"]
        names = sorted(served.outputs)
        return session.run([served.outputs[n].name for n in names], {served.inputs[n].name: v for n, v in inputs.items()})


def lite(directory):
    """TFLite converts the model, and its interpreter gives the same."""
    data = np.load(directory + "_expected.npz")
    inputs = {n[3:]: data[n] for n in data.files if n.startswith("in_")}
    content = tf.lite.TFLiteConverter.from_saved_model(directory).convert()
    (found,) = tf.lite.Interpreter(model_content=content).get_signature_runner()(**inputs).values()
    np.testing.assert_allclose(found, data["predictions"], rtol=1e-3, atol=1e-4)


def programs(directory):
    loaded, data = tf.saved_model.load(directory), np.load(directory + "_expected.npz")
    for found in (loaded.steps(data["x"]), loaded.signatures["serving_default"](x=tf.constant(data["x"]))):
        np.testing.assert_allclose(found["y"].numpy(), data["y"], rtol=1e-5)
        np.testing.assert_allclose(found["rows"].numpy(), data["rows"], rtol=1e-5)
    assert loaded.count.numpy() == 2
    assert loaded.words(tf.constant(["a", "zz", "b"])).numpy().tolist() == [1, -1, 2]
    pieces = {key: value.numpy().tolist() for key, value in loaded.pieces(tf.constant(["hé b c", "", "日本 d"])).items()}
    assert pieces["characters"][2] == [c.encode() for c in "日本 d--"] and pieces["parts"] == [[b"h\xc3\xa9", b"b", b"c"], [b""] * 3, ["日本".encode(), b"d", b""]]
    assert pieces["again"] == [c.encode() for c in ("hé b c", "", "日本 d")] and pieces["sums"] == [3, 0, 7] and pieces["rows"] == [0, 0, 0, 2, 2]
    assert pieces["first"] == [[0], [0], [3]] and pieces["twice"][2] == [3, 4, 3, 4, 0, 0, 0, 0]
    in_session(directory, {"x": data["x"]})


def composites(directory):
    loaded = tf.saved_model.load(directory)
    found = loaded.ragged(tf.ragged.constant([[1.0, 2.0], [], [3.0]]))
    assert found["twice"].to_list() == [[2, 4], [], [6]] and found["sums"].numpy().tolist() == [3, 0, 3]
    rows = [[1.0, 0.0, 2.0], [0.0, 0.0, 3.0]]
    dense, sums = loaded.dense(tf.sparse.from_dense(rows))
    assert dense.numpy().tolist() == rows and sums.numpy().tolist() == [3, 3]
    sparse, ragged = loaded.sparse(tf.constant([[1.0, 2.0, 0.0], [0.0, 0.0, 0.0]]))
    assert sparse.indices.numpy().tolist() == [[0, 0], [0, 1]] and ragged.to_list() == [[1, 2], []]


def cases(directory, what="cases"):
    """Each conformance case, or its gradients, as a function: TensorFlow gives what tf2compat gave."""
    with open(os.path.join(directory, f"{what}.json")) as file:
        sources = json.load(file)
    loaded, data = tf.saved_model.load(os.path.join(directory, what)), np.load(os.path.join(directory, f"{what}.npz"))
    without_kernel, differ = [], []
    for name, source in sources.items():
        arrays = {which: [data[f"{name}_{which}{i}"] for i in range(99) if f"{name}_{which}{i}" in data] for which in ("in", "out")}
        specs = getattr(loaded, name).concrete_functions[0].structured_input_signature[0]
        given = [tf.cast(a, s.dtype) if a.dtype.kind != "S" else tf.constant(a.astype(object)) for a, s in zip(arrays["in"], specs)]
        try:
            found = [t for t in tf.nest.flatten(getattr(loaded, name)(*given), expand_composites=True) if t is not None]
            assert len(found) == len(arrays["out"]), (len(found), len(arrays["out"]))
            for one, other in zip(found, arrays["out"]):
                close(one.numpy() if hasattr(one, "numpy") else np.asarray(one), other)
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as error:
            (without_kernel if "OpKernel" in str(error) or isinstance(error, tf.errors.UnimplementedError) else differ).append((source, str(error)[:200]))
        except Exception as error:  # noqa: BLE001 - counted
            differ.append((source, f"{type(error).__name__}: {str(error)[:200]}"))
    for source, why in differ:
        print("        differs:", " ".join(source.split())[:120], "|", " ".join(why.split()))
    print(f"        {len(sources)} functions, {len(differ)} differ, TensorFlow has no kernel for {len(without_kernel)}")
    assert len(differ) <= 3


def training(directory, name):
    """Functions that hold gradients, called as they were when it was saved; then trained by a tape around them."""
    loaded, data = tf.saved_model.load(os.path.join(directory, f"training_{name}")), np.load(os.path.join(directory, f"training_{name}.npz"))
    for one, other in zip(results(loaded, TRAINING[name]()[1]), [data[f"arr_{i}"] for i in range(len(data.files))], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def close(one, other):
    one = np.asarray(one, dtype="S") if isinstance(one, bytes) else one
    if one.dtype.kind in "OSU" or other.dtype.kind in "SU":
        assert one.shape == other.shape and one.astype("S").tolist() == other.tolist(), (one, other)
        return
    tolerance = 3e-2 if one.dtype.name in ("float16", "bfloat16") else 2e-5
    assert one.dtype.kind == other.dtype.kind or one.dtype.kind == "V" or {one.dtype.kind, other.dtype.kind} <= set("iu"), (one.dtype, other.dtype)
    np.testing.assert_allclose(one.astype(np.complex128), other.astype(np.complex128), rtol=tolerance, atol=tolerance)


def same(model, base, after=False):
    data = np.load(base + ".npz")
    wanted = np.load(base + "_after.npz")["predictions"] if after else data["predictions"]
    np.testing.assert_allclose(model(data["x"], training=False).numpy(), wanted, rtol=1e-4, atol=1e-5)


def whole(path, base, train):
    model = tf.keras.models.load_model(path)
    same(model, base)
    if train:
        data = np.load(base + ".npz")
        model.fit(data["x"], data["y"], batch_size=4, epochs=1, verbose=0, shuffle=False)
        same(model, base, after=True)


def weights(path, base):
    model = tf.keras.models.load_model(base + ".keras", compile=False)
    for v in model.weights:
        v.assign(tf.zeros_like(v))
    status = model.load_weights(path)
    if status is not None:
        status.expect_partial()
    same(model, base)


def optimizer_state(base):
    model = tf.keras.models.load_model(base + ".keras", compile=False)
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=model.optimizer)
    checkpoint.read(base + "_ckpt").assert_consumed()
    data = np.load(base + ".npz")
    model.fit(data["x"], data["y"], batch_size=4, epochs=1, verbose=0, shuffle=False)
    same(model, base, after=True)


def events(directory):
    found = {}
    for path in glob.glob(os.path.join(directory, "*")):
        for event in tf.compat.v1.train.summary_iterator(path):
            for value in event.summary.value:
                found[value.tag] = (event.step, tf.make_ndarray(value.tensor))
    assert found["loss"] == (5, 0.5) and found["note"][1] == b"hello" and found["values"][1].shape == (30, 3)


def main(directory):
    print(f"TensorFlow {tf.__version__}, Keras {tf_keras.__version__}")
    report("checkpoint, written over twice", lambda: checkpoint(os.path.join(directory, "ckpt")))
    report("checkpoint in many shards", lambda: checkpoint(os.path.join(directory, "sharded")))
    report("CheckpointManager's directory", lambda: manager(os.path.join(directory, "managed")))
    for path in sorted(glob.glob(os.path.join(directory, "*.keras"))):
        base = path[: -len(".keras")]
        name = os.path.basename(base)
        train = name != "sequential"  # it has dropout, whose random numbers differ
        report(f"{name}.keras: predictions" + (", training goes on equally" if train else ""), lambda: whole(path, base, train))
        report(f"{name}.h5: predictions" + (", training goes on equally" if train else ""), lambda: whole(base + ".h5", base, train))
        for suffix in ("_w.weights.h5", "_w.h5", "_w"):
            report(f"{name}{suffix}: weights", lambda: weights(base + suffix, base))
        report(f"{name}_saved_model: objects and variables", lambda: saved_keras(base + "_saved_model", base))
        report(f"{name}_saved_model: its call in TensorFlow, rebuilt by Keras", lambda: runs_keras(base + "_saved_model", base))
        if train:
            report(f"{name}_ckpt: model and optimizer", lambda: optimizer_state(base))
    report("SavedModel: objects and variables", lambda: saved_module(os.path.join(directory, "saved_module")))
    report("SavedModel of functions: called, as signatures, in a session", lambda: programs(os.path.join(directory, "programs")))
    report("SavedModel of functions of ragged and sparse tensors", lambda: composites(os.path.join(directory, "composites")))
    report("SavedModel of conformance cases: each gives the same", lambda: cases(directory))
    report("SavedModel of the gradients of conformance cases", lambda: cases(directory, "gradients"))
    for name in TRAINING:
        report(f"SavedModel of {name}: gradients and steps", lambda name=name: training(directory, name))
    for path in sorted(glob.glob(os.path.join(directory, "run_*_expected.npz"))):
        model = path.removesuffix("_expected.npz")
        name = os.path.basename(model).removeprefix("run_")
        report(f"SavedModel of {name}: signature, session, Keras", lambda: served(model))
        if name in ("dense", "convolution", "attention"):  # the others need ops that TFLite alone does not have
            report(f"SavedModel of {name}: TFLite", lambda: lite(model))
    report("events", lambda: events(os.path.join(directory, "events")))
    print(f"{failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
