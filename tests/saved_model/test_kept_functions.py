"""Functions of a SavedModel that are in containers, were not traced, are concrete, or partial; signatures as text; fingerprints."""

from __future__ import annotations

import functools
import os

import pytest

import tf2compat as tf


def _cycle(module, path, **kwargs):
    tf.saved_model.save(module, str(path), **kwargs)
    return tf.saved_model.load(str(path))


def test_functions_in_lists_and_dicts(tmp_path):
    module = tf.Module()
    module.v = tf.Variable(2.0)
    module.losses = [tf.function(lambda: module.v**2), tf.function(lambda: module.v * 3)]
    module.named = {"a": tf.function(lambda: tf.constant(100.0))}
    module.named["concrete"] = module.named["a"].get_concrete_function()
    for loss in module.losses:
        loss()
    loaded = _cycle(module, tmp_path)
    loaded.v.assign(3.0)
    assert [float(loss()) for loss in loaded.losses] == [9.0, 9.0]
    assert float(loaded.named["a"]()) == float(loaded.named["concrete"]()) == 100.0


def test_a_function_without_traces(tmp_path):
    module = tf.Module()
    module.f = tf.function(lambda x: x + 1.0, jit_compile=True)
    loaded = _cycle(module, tmp_path)
    assert loaded.f._jit_compile is True
    with pytest.raises(ValueError, match="Found zero restored functions for caller function"):
        loaded.f(1.0)


def test_partial_arguments(tmp_path):
    def f(a, b, *args, **kwargs):
        return a + b + kwargs["scale"] * kwargs["rate"] + sum(args)

    module = tf.Module()
    module.f = tf.function(functools.partial(f, 7, 1, 2, rate=3, scale=tf.constant(10)))
    module.g = tf.function(functools.partial(lambda x, y, z=2: x * y + z, y=4))
    module.f(tf.constant(4))
    module.g(tf.constant(4))
    loaded = _cycle(module, tmp_path)
    assert int(loaded.f(tf.constant(5))) == 45 and int(loaded.g(tf.constant(5))) == 22


def test_concrete_functions_stay_concrete(tmp_path):
    @tf.function
    def f(*args):
        x, y = args
        return x * (y + 1.0)

    module = tf.Module()
    module.f = f.get_concrete_function(tf.TensorSpec([], name="x"), tf.TensorSpec([], name="y"))
    assert float(module.f(y=tf.constant(3.0), x=tf.constant(2.0))) == 8.0
    loaded = _cycle(module, tmp_path, signatures={})
    assert float(loaded.f(y=tf.constant(3.0), x=tf.constant(2.0))) == 8.0


def test_signatures_as_text(tmp_path):
    module = tf.Module()
    module.f = tf.function(lambda x, training=True: x * 2).get_concrete_function(tf.TensorSpec([None], name="inp"))
    module.g = tf.function(lambda x: x * 2)
    module.g(tf.constant([1.0]))
    loaded = _cycle(module, tmp_path)
    text = "x (POSITIONAL_OR_KEYWORD): TensorSpec(shape=(None,), dtype=tf.float32, name='inp')\n  training (POSITIONAL_OR_KEYWORD): Literal[True]"
    assert text in module.f.pretty_printed_signature() and text in loaded.f.pretty_printed_signature()
    assert "x (POSITIONAL_OR_KEYWORD): TensorSpec(shape=(1,), dtype=tf.float32, name='x')" in loaded.g.pretty_printed_concrete_signatures()


@pytest.mark.parametrize("shape", [[None], None])
def test_variables_of_open_shapes(tmp_path, shape):
    module = tf.Module()
    module.v = tf.Variable([1.0, 2.0], shape=tf.TensorShape(shape))
    loaded = _cycle(module, tmp_path)
    assert loaded.v.numpy().tolist() == [1.0, 2.0] and loaded.v.shape.rank == (None if shape is None else 1)
    loaded.v.assign([1.0, 2.0, 3.0])
    assert loaded.v.numpy().tolist() == [1.0, 2.0, 3.0]


def test_a_variable_that_a_function_makes_is_as_open_as_its_value():
    held = []

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64)])
    def make(value):
        if not held:
            held.append(tf.Variable(value))

    make([1, 2, 3])
    held[0].assign([1, 2, 3, 4])
    assert held[0].shape.as_list() == [None]


def test_fingerprints(tmp_path):
    module = tf.Module()
    module.v = tf.Variable(1.0)
    tf.saved_model.save(module, str(tmp_path / "a"))
    found = tf.saved_model.experimental.read_fingerprint(str(tmp_path / "a"))
    assert found.singleprint().count("/") == 3 and found.saved_model_checksum and "fingerprint.pb" in os.listdir(tmp_path / "a")
    module.v.assign(2.0)
    tf.saved_model.save(module, str(tmp_path / "b"))
    other = tf.saved_model.experimental.read_fingerprint(str(tmp_path / "b"))
    assert other != found and other.saved_object_graph_hash == found.saved_object_graph_hash
    with pytest.raises(FileNotFoundError, match="Could not find fingerprint"):
        tf.saved_model.experimental.read_fingerprint(str(tmp_path))


def test_the_name_signatures_is_reserved(tmp_path):
    module = tf.Module()
    module.signatures = {"a": tf.Variable(1.0)}
    with pytest.raises(ValueError, match="reserved attribute"):
        tf.saved_model.save(module, str(tmp_path))


def test_a_function_that_gives_the_path_of_an_asset_gives_that_of_the_copy(tmp_path):
    (tmp_path / "words.txt").write_text("contents")
    module = tf.Module()
    module.words = tf.saved_model.Asset(str(tmp_path / "words.txt"))
    module.f = tf.function(lambda: tf.strings.join([module.words.asset_path]), input_signature=[])
    loaded = _cycle(module, tmp_path / "a")
    (tmp_path / "words.txt").unlink()
    os.rename(tmp_path / "a", tmp_path / "b")
    loaded = tf.saved_model.load(str(tmp_path / "b"))
    with open(loaded.f().numpy()) as file:
        assert file.read() == "contents"
    again = _cycle(loaded, tmp_path / "c")
    assert os.path.dirname(again.f().numpy().decode()) == str(tmp_path / "c" / "assets")
