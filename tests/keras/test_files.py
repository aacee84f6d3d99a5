"""Keras' files: what real Keras 2 wrote, both directions, damage."""

import json
import os
import random
import shutil
import zipfile

import h5py
import numpy as np
import pytest

import tf2compat as tf
from tf2compat import errors, train
from tf2compat.keras import _files

FILES = os.path.join(os.path.dirname(__file__), os.pardir, "conformance", "files", "models")
WHOLE = ["sequential", "functional", "image", "text"]


class Subclassed(tf.keras.Model):
    """As in tests/conformance/record_files.py."""

    def __init__(self):
        super().__init__()
        self.blocks = [tf.keras.layers.Dense(4, activation="relu"), tf.keras.layers.Dense(4)]
        self.head = tf.keras.layers.Dense(2)

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def recorded(name):
    return dict(np.load(os.path.join(FILES, name + ".npz")))


def check(model, name, predictions=None):
    data = recorded(name)
    wanted = data["predictions"] if predictions is None else predictions
    np.testing.assert_allclose(model(tf.constant(data["x"]), training=False).numpy(), wanted, rtol=1e-4, atol=1e-5)


def train_on(model, name):
    """The epoch that was trained after saving: it depends on the optimizer's state too."""
    data = recorded(name)
    model.fit(data["x"], data["y"], batch_size=4, epochs=1, verbose=0, shuffle=False)


def fresh(name):
    """A model of the recorded architecture with other weights."""
    model = _files.load_model(os.path.join(FILES, name + ".keras"), compile=False)
    for variable in model.weights:
        variable.assign(tf.zeros_like(variable) + 0.5)
    return model


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@pytest.mark.parametrize("name", WHOLE)
def test_models_of_keras(name, suffix):
    model = _files.load_model(os.path.join(FILES, name + suffix))
    check(model, name)
    if name != "sequential":  # it has dropout, whose numbers are another generator's
        train_on(model, name)
        after = np.load(os.path.join(FILES, name + "_after.npz"))["predictions"]
        check(model, name, after)


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@pytest.mark.parametrize("name", WHOLE)
def test_round_trip(name, suffix, tmp_path):
    model = _files.load_model(os.path.join(FILES, name + suffix))
    path = str(tmp_path / ("model" + suffix))
    model.save(path)
    again = _files.load_model(path)
    check(again, name)
    assert [v.numpy().tolist() for v in again.optimizer.variables] == [v.numpy().tolist() for v in model.optimizer.variables]
    assert sorted(os.listdir(tmp_path)) == ["model" + suffix]
    bare = _files.load_model(path, compile=False)
    assert bare.optimizer is None


@pytest.mark.parametrize("name", WHOLE)
def test_same_places_as_keras(name, tmp_path):
    """Names in the files equal those of the files that Keras wrote."""

    def places(file):
        found = {}
        file.visititems(lambda path, item: found.__setitem__(path, getattr(item, "shape", None)))
        return {path: shape for path, shape in found.items() if shape is not None}

    model = _files.load_model(os.path.join(FILES, name + ".keras"))
    model.save(str(tmp_path / "x.keras"))
    found = []
    for path in (os.path.join(FILES, name + ".keras"), str(tmp_path / "x.keras")):
        with zipfile.ZipFile(path) as archive:
            archive.extract("model.weights.h5", tmp_path)
        with h5py.File(tmp_path / "model.weights.h5") as file:
            found.append({p: s for p, s in places(file).items() if not p.startswith("metrics/")})
    assert found[0] == found[1]
    model = _files.load_model(os.path.join(FILES, name + ".h5"))
    model.save(str(tmp_path / "x.h5"))
    with h5py.File(os.path.join(FILES, name + ".h5")) as theirs, h5py.File(tmp_path / "x.h5") as ours:
        # an optimizer that is made with the model, and not by its first step, does not name its variables after itself
        assert places(ours) == {path.replace("/Adam/", "/").replace("/SGD/", "/"): shape for path, shape in places(theirs).items()}
        assert list(ours["model_weights"].attrs["layer_names"]) == list(theirs["model_weights"].attrs["layer_names"])


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("suffix", ["_weights.h5", ".h5", ".keras", "_weights"])
def test_weights_of_keras(name, suffix):
    model = fresh(name)
    status = model.load_weights(os.path.join(FILES, name + suffix))
    if suffix == "_weights":
        status.expect_partial()
        status.assert_existing_objects_matched()
    check(model, name)


def test_subclassed_models():
    for suffix in ("_weights.h5", "_weights"):
        model = Subclassed()
        if suffix == "_weights":  # before the weights are there
            model.load_weights(os.path.join(FILES, "subclassed" + suffix)).expect_partial()
        else:
            with pytest.raises(ValueError, match="has not created its variables yet"):
                model.load_weights(os.path.join(FILES, "subclassed" + suffix))
            model(tf.zeros([1, 3]))
            model.load_weights(os.path.join(FILES, "subclassed" + suffix))
        check(model, "subclassed")


@pytest.mark.parametrize("name", [*WHOLE, "subclassed"])
def test_checkpoints_of_models(name):
    if name == "subclassed":
        model = Subclassed()
        model(tf.zeros([1, 3]))
    else:
        model = fresh(name)
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    checkpoint = train.Checkpoint(model=model, optimizer=model.optimizer)
    checkpoint.read(os.path.join(FILES, name + "_ckpt")).expect_partial().assert_existing_objects_matched()
    check(model, name)
    if name != "sequential":
        train_on(model, name)
        check(model, name, np.load(os.path.join(FILES, name + "_after.npz"))["predictions"])


@pytest.mark.parametrize("name", [*WHOLE, "subclassed"])
def test_checkpoint_keys_equal_tensorflow(name, tmp_path):
    if name == "subclassed":
        model = Subclassed()
        model(tf.zeros([1, 3]))
    else:
        model = fresh(name)
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    path = train.Checkpoint(model=model, optimizer=model.optimizer).write(str(tmp_path / "x"))
    theirs = [entry for entry in train.list_variables(os.path.join(FILES, name + "_ckpt")) if "keras_api" not in entry[0]]
    assert train.list_variables(path) == theirs


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5", ""])
def test_own_weights(suffix, tmp_path):
    model = _files.load_model(os.path.join(FILES, "functional.keras"))
    path = str(tmp_path / ("w" + suffix))
    model.save_weights(path)
    other = fresh("functional")
    other.load_weights(path)
    check(other, "functional")
    if not suffix:
        assert train.latest_checkpoint(tmp_path) == path


def test_by_name_and_mismatches(tmp_path, recwarn):
    model = tf.keras.Sequential([tf.keras.layers.Dense(4, input_shape=(3,), name="left"), tf.keras.layers.Dense(5, name="out")])
    path = os.path.join(FILES, "functional_weights.h5")
    before = [v.numpy() for v in model.weights]
    with pytest.raises(ValueError, match="Layer count mismatch.*expected 2 layers, found 3 saved layers"):
        model.load_weights(path)
    with pytest.raises(ValueError, match="mismatch for layer out"):
        model.load_weights(path, by_name=True)
    assert all((v.numpy() == b).all() for v, b in zip(model.weights, before))
    model.load_weights(path, by_name=True, skip_mismatch=True)
    source = _files.load_model(os.path.join(FILES, "functional.h5"))
    assert (model.get_layer("left").get_weights()[0] == source.get_layer("left").get_weights()[0]).all()
    with pytest.raises(ValueError, match="looks like an HDF5 file"):
        model.save_weights(str(tmp_path / "x.h5"), save_format="tf")
    with pytest.raises(ValueError, match="Unknown format"):
        model.save_weights(str(tmp_path / "x"), save_format="zip")


def test_wrong_paths(tmp_path):
    with pytest.raises(OSError, match="No file or directory found at"):
        _files.load_model(str(tmp_path / "no.keras"))
    (tmp_path / "x.keras").write_bytes(b"nonsense")
    with pytest.raises(errors.DataLossError):
        _files.load_model(str(tmp_path / "x.keras"))
    model = fresh("functional")
    with pytest.raises(ValueError, match="expected a `.keras` extension"):
        model.save(str(tmp_path / "x"), save_format="keras")
    with pytest.raises(ValueError, match="Unknown `save_format`"):
        model.save(str(tmp_path / "x"), save_format="zip")
    with pytest.raises(NotImplementedError, match="Saving the model to HDF5 format requires"):
        Subclassed().save(str(tmp_path / "x.h5"))


def test_lambdas_of_other_processes_need_trust(tmp_path, monkeypatch):
    from tf2compat.keras._base import lambdas

    model = tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(3,)), tf.keras.layers.Lambda(lambda x: x * 2)])
    x = np.ones((1, 3), np.float32)
    for name in ("x.keras", "x.h5"):
        path = str(tmp_path / name)
        model.save(path)
        monkeypatch.setattr(lambdas, "_described", {})
        with pytest.raises(ValueError, match="safe_mode=False"):
            _files.load_model(path)
        again = _files.load_model(path, safe_mode=False)
        np.testing.assert_allclose(again(x).numpy(), model(x).numpy())


def test_custom_objects(tmp_path):
    class Scale(tf.keras.layers.Layer):
        def __init__(self, factor=1.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def build(self, shape):
            self.w = self.add_weight(name="w", shape=(shape[-1],), initializer="ones")

        def call(self, x):
            return x * self.w * self.factor

        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    model = tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(3,)), Scale(3.0)])
    x = np.ones((1, 3), np.float32)
    for name in ("x.keras", "x.h5"):
        model.save(str(tmp_path / name))
        with pytest.raises((TypeError, ValueError), match="Scale"):
            _files.load_model(str(tmp_path / name))
        again = _files.load_model(str(tmp_path / name), custom_objects={"Scale": Scale})
        np.testing.assert_allclose(again(x).numpy(), model(x).numpy())


def test_an_interrupted_save_keeps_the_old_file(tmp_path, monkeypatch):
    model = fresh("functional")
    for name in ("x.keras", "x.h5", "x.weights.h5"):
        path = str(tmp_path / name)
        save = model.save_weights if "weights" in name else model.save
        save(path)
        before = open(path, "rb").read()

        def fail(*args):
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fail)
            with pytest.raises(errors.ResourceExhaustedError):
                save(path)
        assert open(path, "rb").read() == before
    assert len(os.listdir(tmp_path)) == 3


@pytest.mark.parametrize("name", ["functional.h5", "functional.keras"])
def test_mutated_files(name, tmp_path):
    """Damage gives an error, or a model: never a crash or a hang."""
    good = open(os.path.join(FILES, name), "rb").read()
    rng = random.Random(3)
    path = str(tmp_path / name)
    for _ in range(int(os.environ.get("TF2COMPAT_FUZZ", "60"))):
        bad = bytearray(good)
        for _ in range(rng.randint(1, 8)):
            place = rng.randrange(len(bad))
            if rng.random() < 0.3:
                del bad[place : place + rng.randint(1, 50)]
            else:
                bad[place : place + 4] = rng.randbytes(4)
        with open(path, "wb") as file:
            file.write(bad)
        try:
            _files.load_model(path)
        except (errors.OpError, ValueError, TypeError, KeyError, OSError, AttributeError, RuntimeError, IndexError):
            continue


def test_archives_that_lie(tmp_path):
    path = str(tmp_path / "x.keras")
    shutil.copy(os.path.join(FILES, "functional.keras"), path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    # Much from little.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content if name != "config.json" else b" " * (600 << 20))
    with pytest.raises(errors.DataLossError):
        _files.load_model(path)
    # A class that is none of Keras'.
    config = json.loads(members["config.json"])
    config["config"]["layers"][1].update(module="os", class_name="system", config={"command": "touch " + str(tmp_path / "pwned")})
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content if name != "config.json" else json.dumps(config))
    with pytest.raises((TypeError, ValueError)):
        _files.load_model(path)
    assert not (tmp_path / "pwned").exists()


def test_a_class_that_makes_its_own_parts_gets_their_configs(tmp_path):
    @tf.keras.saving.register_keras_serializable("own_parts")
    class Around(tf.keras.Model):
        def __init__(self, inner, **kwargs):
            super().__init__(**kwargs)
            self.inner = inner

        def call(self, x):
            return self.inner(x)

        def get_config(self):
            return {**super().get_config(), "inner": self.inner}

        @classmethod
        def from_config(cls, config):
            given.append(type(config["inner"]))
            return cls(tf.keras.saving.deserialize_keras_object(config.pop("inner")), **config)

    given: list[type] = []
    model = Around(tf.keras.Sequential([tf.keras.layers.Dense(2)]))
    x = np.ones((2, 3), "float32")
    expected = model(x).numpy()
    model.save(tmp_path / "m.keras")
    np.testing.assert_allclose(tf.keras.models.load_model(tmp_path / "m.keras")(x), expected)
    assert given == [dict]


def test_arrays_among_the_arguments_of_a_lambda(tmp_path):
    def scaled(x, by, plus):
        return x * by + plus

    model = tf.keras.Sequential([tf.keras.layers.Lambda(scaled, arguments={"by": np.array([1.0, 2.0]), "plus": 3.0}, input_shape=(2,))])
    model.save(tmp_path / "m.h5")
    np.testing.assert_allclose(tf.keras.models.load_model(tmp_path / "m.h5")(np.ones((1, 2))), [[4.0, 5.0]])


def test_losses_and_metrics_of_a_functional_model_are_saved(tmp_path):
    x = tf.keras.Input((2,))
    h = tf.keras.layers.Dense(2)(x)
    model = tf.keras.Model(x, tf.keras.layers.Dense(1)(h))
    model.add_loss(tf.reduce_mean(h))
    model.add_metric(tf.reduce_sum(h), name="hs")
    model.compile("sgd", "mse")
    a, b = np.ones((2, 2)), np.ones((2, 1))
    expected = model.evaluate(a, b, verbose=0)
    for name in ("m.h5", "m.keras"):
        model.save(tmp_path / name)
        again = tf.keras.models.load_model(tmp_path / name)
        assert len(again.losses) == 1
        np.testing.assert_allclose(again.evaluate(a, b, verbose=0), expected, rtol=1e-6)
        assert again.metrics_names == ["loss", "hs"]


def test_names_of_metrics_of_several_outputs_stay(tmp_path):
    x = tf.keras.Input((4,))
    model = tf.keras.Model(x, {"a": tf.keras.layers.Dense(3, name="a")(x), "b": tf.keras.layers.Dense(5, name="b")(x)})
    model.compile("rmsprop", "mse", metrics={"a": [tf.keras.metrics.BinaryAccuracy(), "accuracy"]})
    model.fit(np.ones((2, 4)), {"a": np.ones((2, 3)), "b": np.ones((2, 5))}, verbose=0)
    model.save(tmp_path / "m.h5")
    assert model.metrics_names == ["loss", "a_loss", "b_loss", "a_binary_accuracy", "a_accuracy"]
    assert tf.keras.models.load_model(tmp_path / "m.h5").metrics_names == model.metrics_names


def test_methods_of_ragged_tensors_are_layers_of_files(tmp_path):
    x = tf.keras.Input((None,), ragged=True)
    model = tf.keras.Model(x, [x.to_tensor(), x.row_lengths(), x.merge_dims(0, 1), *x.nested_row_splits])
    model.save(tmp_path / "m.keras")
    again = tf.keras.models.load_model(tmp_path / "m.keras")
    found = again(tf.ragged.constant([[1.0, 2.0], [3.0]]))
    assert [f.numpy().tolist() for f in found] == [[[1.0, 2.0], [3.0, 0.0]], [2, 1], [1.0, 2.0, 3.0], [0, 2, 3]]
    config = model.get_config()
    next(c for c in config["layers"] if c["class_name"] == "MethodLambda")["config"]["function"] = "__class__"
    with pytest.raises((TypeError, ValueError), match="__class__"):
        tf.keras.Model.from_config(config)
