"""SavedModels: functions that live without their program, Keras models, TF-Keras' directories, damage."""

import json
import os
import random
import shutil
import subprocess
import sys

import numpy as np
import pytest

import tf2compat as tf
from tf2compat import errors

FILES = os.path.join(os.path.dirname(__file__), os.pardir, "conformance", "files", "models")


class Net(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
        self.count = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.parts = [tf.Variable(1.0), {"k": tf.Variable("text")}]
        self.offset = tf.constant([10.0, 20.0])

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32)])
    def linear(self, x):
        return tf.matmul(x, self.w) + self.offset

    @tf.function
    def grow(self, x, n=2, up=True):
        for _ in tf.range(n):
            x = x * 2.0
        if tf.reduce_sum(x) > 100.0:
            x = x - 100.0
        self.count.assign_add(1)
        return {"x": x, "also": (x + 1.0 if up else x,)}


@pytest.fixture
def saved(tmp_path):
    net = Net()
    x = tf.constant([[1.0, 2.0]])
    net.grow(x)
    net.grow(x, n=tf.constant(3))
    net.grow(x, up=False)
    net.count.assign(5)
    path = str(tmp_path / "saved")
    tf.saved_model.save(net, path)
    return net, path


def test_functions_after_loading(saved):
    net, path = saved
    x = tf.constant([[1.0, 2.0]])
    loaded = tf.saved_model.load(path)
    assert loaded.count.numpy() == 5 and loaded.parts[1]["k"].numpy() == b"text"
    np.testing.assert_array_equal(loaded.linear(x), net.linear(x))
    np.testing.assert_array_equal(loaded.linear(tf.ones([5, 2])), net.linear(tf.ones([5, 2])))
    np.testing.assert_array_equal(loaded.linear([[1.0, 2.0]]), net.linear(x))
    for kwargs in ({}, {"n": tf.constant(3)}, {"up": False}):
        ours, theirs = loaded.grow(x, **kwargs), net.grow(x, **kwargs)
        np.testing.assert_array_equal(ours["x"], theirs["x"])
        np.testing.assert_array_equal(ours["also"][0], theirs["also"][0])
    np.testing.assert_array_equal(loaded.grow(tf.constant([[90.0, 80.0]]))["x"], [[260.0, 220.0]])
    assert loaded.count.numpy() == 9
    with pytest.raises(ValueError, match="Could not find matching concrete function to call loaded from the SavedModel"):
        loaded.grow(tf.constant([1, 2]))


def test_signatures(saved):
    _, path = saved
    loaded = tf.saved_model.load(path)
    assert list(loaded.signatures) == ["serving_default"]
    serve = loaded.signatures["serving_default"]
    np.testing.assert_array_equal(serve(x=tf.constant([[1.0, 2.0]]))["output_0"], [[17.0, 30.0]])
    with pytest.raises(TypeError, match="missing or unexpected"):
        serve(y=tf.constant([[1.0, 2.0]]))
    assert serve.structured_input_signature[1]["x"].shape.as_list() == [None, 2]


def test_retraining_what_was_loaded(saved):
    _, path = saved
    loaded = tf.saved_model.load(path)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(loaded.linear(tf.constant([[1.0, 2.0]])))
    (gradient,) = tape.gradient(loss, [loaded.w])
    np.testing.assert_array_equal(gradient, [[1.0, 1.0], [2.0, 2.0]])
    assert any(v is loaded.w for v in loaded.trainable_variables) and not any(v is loaded.count for v in loaded.trainable_variables)
    loaded.w.assign_sub(gradient)
    np.testing.assert_array_equal(loaded.linear(tf.constant([[1.0, 1.0]])), [[11.0, 23.0]])


def test_without_the_program(saved):
    _, path = saved
    code = "import sys, tf2compat as tf; m = tf.saved_model.load(sys.argv[1]); print(m.linear(tf.constant([[1., 2.]])).numpy().tolist())"
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[[17.0, 30.0]]"


def test_saving_what_was_loaded(saved, tmp_path):
    _, path = saved
    loaded = tf.saved_model.load(path)
    tf.saved_model.save(loaded, str(tmp_path / "again"))
    again = tf.saved_model.load(str(tmp_path / "again"))
    np.testing.assert_array_equal(again.linear(tf.constant([[1.0, 2.0]])), [[17.0, 30.0]])


def test_explicit_signatures(tmp_path):
    net = Net()

    @tf.function
    def named(a, b):
        return {"sum": a + b, "product": a * b}

    spec = tf.TensorSpec([], tf.float32)
    tf.saved_model.save(net, str(tmp_path / "x"), signatures={"both": named.get_concrete_function(spec, spec)})
    both = tf.saved_model.load(str(tmp_path / "x")).signatures["both"]
    out = both(a=tf.constant(2.0), b=tf.constant(5.0))
    assert (float(out["sum"]), float(out["product"])) == (7.0, 10.0)
    with pytest.raises(ValueError, match="Expected a TensorFlow function for which to generate a signature"):
        tf.saved_model.save(net, str(tmp_path / "y"), signatures=lambda x: x)


def test_errors(tmp_path):
    with pytest.raises(ValueError, match="Expected an object of type `Trackable`"):
        tf.saved_model.save(5, str(tmp_path / "x"))
    with pytest.raises(OSError, match="SavedModel file does not exist at"):
        tf.saved_model.load(str(tmp_path / "nowhere"))
    outside = tf.Variable(1.0)
    module = tf.Module()
    module.f = tf.function(lambda x: x * outside, input_signature=[tf.TensorSpec([], tf.float32)])
    with pytest.raises(AssertionError, match="references an 'untracked' resource"):
        tf.saved_model.save(module, str(tmp_path / "x"))
    assert not tf.saved_model.contains_saved_model(str(tmp_path / "x"))
    module = tf.Module()
    module.f = tf.function(lambda x: tf.py_function(lambda v: v, [x], tf.float32), input_signature=[tf.TensorSpec([], tf.float32)])
    with pytest.raises(ValueError, match="only exists in this process"):
        tf.saved_model.save(module, str(tmp_path / "x"))


def test_assets(tmp_path):
    (tmp_path / "words.txt").write_text("hello")
    module = tf.Module()
    module.words = tf.saved_model.Asset(str(tmp_path / "words.txt"))
    tf.saved_model.save(module, str(tmp_path / "x"))
    os.unlink(tmp_path / "words.txt")
    loaded = tf.saved_model.load(str(tmp_path / "x"))
    with open(loaded.words.asset_path.numpy()) as file:
        assert file.read() == "hello"


def test_keras_models(tmp_path):
    data = np.load(os.path.join(FILES, "functional.npz"))
    model = tf.keras.models.load_model(os.path.join(FILES, "functional.keras"))
    path = str(tmp_path / "m")
    model.save(path)
    again = tf.keras.models.load_model(path)
    np.testing.assert_allclose(again.predict(data["x"], verbose=0), data["predictions"], rtol=1e-4, atol=1e-5)
    again.fit(data["x"], data["y"], batch_size=4, epochs=1, verbose=0, shuffle=False)
    after = np.load(os.path.join(FILES, "functional_after.npz"))["predictions"]
    np.testing.assert_allclose(again.predict(data["x"], verbose=0), after, rtol=1e-4, atol=1e-5)
    loaded = tf.saved_model.load(path)
    x = tf.constant(data["x"])
    for result in (loaded(x), loaded(x, training=False), loaded.signatures["serving_default"](features=x)["out"]):
        np.testing.assert_allclose(result, data["predictions"], rtol=1e-4, atol=1e-5)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(loaded(x, training=True))
    assert all(g is not None for g in tape.gradient(loss, loaded.trainable_variables[:4]))


def test_dropout_and_other_random_numbers(tmp_path):
    layers = tf.keras.layers
    model = tf.keras.Sequential([layers.Dense(64, input_shape=(3,)), layers.Dropout(0.5), layers.BatchNormalization()])
    model.save(str(tmp_path / "m"))
    loaded = tf.saved_model.load(str(tmp_path / "m"))
    x = tf.ones([4, 3])
    np.testing.assert_allclose(loaded(x), model(x, training=False), rtol=1e-6)
    assert (loaded(x, training=True).numpy() != loaded(x, training=True).numpy()).any()


def test_a_trunk_of_a_subclassed_model(tmp_path):
    class Trunk(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.blocks = [tf.keras.layers.Dense(3, activation="relu"), tf.keras.layers.Dense(2)]

        def call(self, x):
            for block in self.blocks:
                x = block(x)
            return x

    trunk = Trunk()
    x = tf.constant([[1.0, 2.0]])
    wanted = trunk(x)
    tf.saved_model.save(trunk, str(tmp_path / "t"))
    np.testing.assert_allclose(tf.saved_model.load(str(tmp_path / "t"))(x), wanted)


@pytest.mark.parametrize("name", ["sequential", "functional"])
def test_saved_models_of_keras(name):
    data = np.load(os.path.join(FILES, name + ".npz"))
    path = os.path.join(FILES, name + "_saved_model")
    model = tf.keras.models.load_model(path)
    np.testing.assert_allclose(model.predict(data["x"], verbose=0), data["predictions"], rtol=1e-4, atol=1e-5)
    if name == "functional":
        model.fit(data["x"], data["y"], batch_size=4, epochs=1, verbose=0, shuffle=False)
        after = np.load(os.path.join(FILES, name + "_after.npz"))["predictions"]
        np.testing.assert_allclose(model.predict(data["x"], verbose=0), after, rtol=1e-4, atol=1e-5)
    loaded = tf.saved_model.load(path)
    assert len(loaded.variables) >= len(model.weights)
    serve = loaded.signatures["serving_default"]
    (served,) = serve(**{next(iter(serve.structured_input_signature[1])): tf.constant(data["x"])}).values()
    np.testing.assert_allclose(served, data["predictions"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(loaded(tf.constant(data["x"])), data["predictions"], rtol=1e-4, atol=1e-5)


def test_damage(saved, tmp_path):
    _, path = saved
    rng = random.Random(5)
    names = ["saved_model.pb", "tf2compat_functions.json", os.path.join("variables", "variables.index")]
    for number in range(int(os.environ.get("TF2COMPAT_FUZZ", "150"))):
        copy = str(tmp_path / "copy")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(path, copy)
        target = os.path.join(copy, names[number % 3])
        with open(target, "rb") as file:
            content = bytearray(file.read())
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(content))
            if rng.random() < 0.4:
                del content[place : place + rng.randint(1, 30)]
            else:
                content[place] = rng.choice(b'0129{}[],":a-')
        with open(target, "wb") as file:
            file.write(content)
        try:
            tf.saved_model.load(copy)
        except (errors.OpError, ValueError, AssertionError, RuntimeError, KeyError):
            continue


def test_files_of_two_saves_do_not_mix(saved, tmp_path):
    net, path = saved
    other = str(tmp_path / "other")
    tf.saved_model.save(net, other)
    shutil.copy(os.path.join(other, "tf2compat_functions.json"), path)
    with pytest.raises(errors.DataLossError, match="not of one SavedModel"):
        tf.saved_model.load(path)


def test_no_code_in_files(saved):
    _, path = saved
    name = os.path.join(path, "tf2compat_functions.json")
    with open(name) as file:
        content = json.load(file)
    node = next(n for c in content["concretes"] for n in c["graph"]["nodes"] if n["kind"] == "op")
    node["op"] = "os.system"
    with open(name, "w") as file:
        json.dump(content, file)
    with pytest.raises(errors.DataLossError, match="'os.system'"):
        tf.saved_model.load(path)


def test_a_signature_of_a_loaded_model_is_saved_again(tmp_path):
    module = tf.Module()
    module.v = tf.Variable(3.0)
    module.scale = tf.function(lambda x: x * module.v, input_signature=[tf.TensorSpec(None, tf.float32, name="x")])
    tf.saved_model.save(module, str(tmp_path / "one"))
    loaded = tf.saved_model.load(str(tmp_path / "one"))
    tf.saved_model.save(loaded, str(tmp_path / "two"), {"again": loaded.signatures["serving_default"]})
    assert tf.saved_model.load(str(tmp_path / "two")).signatures["again"](x=tf.constant(2.0))["output_0"].numpy() == 6


def test_what_is_no_default_signature(tmp_path):
    module = tf.Module()
    module.v = tf.Variable(3.0)
    module.mutate = tf.function(lambda x: None, input_signature=[tf.TensorSpec([], tf.float32)])
    module.nested = tf.function(lambda x: [x, (x, x)], input_signature=[tf.TensorSpec([], tf.float32)])
    tf.saved_model.save(module, str(tmp_path / "model"))
    assert len(tf.saved_model.load(str(tmp_path / "model")).signatures) == 0


def test_names_of_a_keras_models_signature(tmp_path):
    class Sums(tf.keras.Model):
        def call(self, inputs):
            return {"p": inputs["a"] + inputs["b"], "q": inputs["a"]}

    sums = Sums()
    sums({"a": tf.zeros([1, 3]), "b": tf.zeros([1, 3])})
    first = tf.keras.Input((3,), name="my-input")
    functional = tf.keras.Model([first, tf.keras.Input((3,), name="other")], tf.keras.layers.Dense(2, name="out")(first))
    functional([tf.zeros([1, 3]), tf.zeros([1, 3])])
    deferred = tf.keras.Sequential([tf.keras.layers.Dense(2, name="d")])
    deferred(tf.zeros([1, 3]))
    functional.compile("sgd", "mse")
    functional.fit([tf.zeros([2, 3]), tf.zeros([2, 3])], tf.zeros([2, 2]), verbose=0)  # its own train_function is no part of it
    for model, inputs, outputs in ((sums, ["a", "b"], ["p", "q"]), (functional, ["my_input", "other"], ["out"]), (deferred, ["d_input"], ["d"])):
        model.save(str(tmp_path / model.name))
        found = tf.saved_model.load(str(tmp_path / model.name)).signatures["serving_default"]
        assert sorted(found.structured_input_signature[1]) == inputs and sorted(found.structured_outputs) == outputs


def test_variable_policies_and_shards(tmp_path):
    policy = tf.saved_model.experimental.VariablePolicy
    assert policy.from_obj(None) is policy.NONE and policy.from_obj("save_variable_devices") is policy.SAVE_VARIABLE_DEVICES
    with pytest.raises(ValueError, match="invalid VariablePolicy"):
        policy.from_obj("other")
    module = tf.Module()
    module.v = tf.Variable(tf.range(100))
    options = tf.saved_model.SaveOptions(
        experimental_variable_policy=policy.SAVE_VARIABLE_DEVICES, experimental_sharding_callback=tf.train.experimental.MaxShardSizePolicy(100)
    )
    tf.saved_model.save(module, str(tmp_path), options=options)
    assert len(os.listdir(tmp_path / "variables")) > 4
    assert tf.saved_model.load(str(tmp_path)).v.numpy().tolist() == list(range(100))


def test_a_resource_of_ones_own():
    class Numbers(tf.saved_model.experimental.TrackableResource):
        def _create_resource(self):
            return tf.constant([1, 2])

    numbers = Numbers(device="CPU")
    assert numbers.resource_handle is numbers.resource_handle and numbers.resource_handle.numpy().tolist() == [1, 2]
    with pytest.raises(NotImplementedError):
        _ = tf.saved_model.experimental.TrackableResource().resource_handle
