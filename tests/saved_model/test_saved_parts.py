"""What SavedModels of programs hold beside variables and plain functions: states, generators, penalties, vocabularies, tables, files."""

import os

import numpy as np

import tf2compat as tf
from tests.adapters.test_tensorflow_functions import as_tensorflow

k = tf.keras


def test_states_and_generators_of_layers(tmp_path):
    model = k.Sequential([
        k.layers.RandomFlip(seed=1, input_shape=(8, 8, 3)), k.layers.RandomRotation(0.1), k.layers.RandomZoom(0.1), k.layers.RandomContrast(0.1),
        k.layers.Conv2D(2, 3), k.layers.GlobalAveragePooling2D(),
    ])  # fmt: skip
    model.save(tmp_path / "images", save_format="tf")
    x = np.random.rand(2, 8, 8, 3).astype("f")
    np.testing.assert_allclose(k.models.load_model(tmp_path / "images")(x), model(x), rtol=1e-5)
    names = [name for name, _ in tf.train.list_variables(str(tmp_path / "images" / "variables" / "variables"))]
    assert "layer-1/_random_generator/_generator/_state_var/.ATTRIBUTES/VARIABLE_VALUE" in names
    model = k.Sequential([k.layers.LSTM(3, stateful=True, batch_input_shape=(2, 3, 2)), k.layers.Dense(1)])
    x = np.random.rand(2, 3, 2).astype("f")
    model(x)
    model.save(tmp_path / "steps", save_format="tf")
    loaded = k.models.load_model(tmp_path / "steps")
    for m in (model, loaded):
        m.reset_states()
    np.testing.assert_allclose(loaded.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5)


def test_penalties_are_there_for_those_who_train(tmp_path):
    model = k.Sequential([k.layers.Dense(4, kernel_regularizer="l2", input_shape=(3,)), k.layers.Dense(1, kernel_regularizer=k.regularizers.L1(0.1))])
    model.save(tmp_path / "model", save_format="tf")
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    np.testing.assert_allclose([fn().numpy() for fn in loaded.regularization_losses], [v.numpy() for v in model.losses], rtol=1e-5)
    with tf.GradientTape() as tape:
        total = tf.add_n([fn() for fn in loaded.regularization_losses])
    found = tape.gradient(total, loaded.trainable_variables)
    assert [g is None for g in found] == [False, True, False, True]


def test_vocabularies_that_were_found(tmp_path):
    vectors, words = k.layers.TextVectorization(output_sequence_length=3), k.layers.StringLookup()
    vectors.adapt(["a b", "b c"])
    words.adapt(["x", "y", "x"])
    text, word = k.Input((1,), dtype="string"), k.Input((1,), dtype="string")
    model = k.Model([text, word], [vectors(text), words(word)])
    model.save(tmp_path / "model", save_format="tf")
    given = [tf.constant([["b zz"]]), tf.constant([["y"]])]
    loaded = k.models.load_model(tmp_path / "model")
    assert [v.numpy().tolist() for v in loaded(given)] == [v.numpy().tolist() for v in model(given)]
    loaded.layers[-1].adapt(["q"])  # it may be adapted again
    # a layer that adapts has a table, by which Keras counts it among those with weights
    model.save_weights(tmp_path / "weights")
    assert any("token_counts" in name for name, _ in tf.train.list_variables(str(tmp_path / "weights")))


def test_tables_keys_and_files(tmp_path):
    (tmp_path / "words.txt").write_text("a b")

    class Module(tf.Module):
        def __init__(self):
            super().__init__()
            self.table = tf.lookup.experimental.DenseHashTable(tf.int64, tf.int64, -1, -9, -8)
            self.table.insert([3], [30])
            self.file = tf.saved_model.Asset(str(tmp_path / "words.txt"))

        @tf.function(input_signature=[tf.TensorSpec([None], tf.int64)])
        def find(self, keys):
            return self.table.lookup(keys)

        @tf.function(input_signature=[])
        def words(self):
            return tf.strings.split(tf.io.read_file(self.file))

    tf.saved_model.save(Module(), str(tmp_path / "module"))
    os.remove(tmp_path / "words.txt")
    loaded = tf.saved_model.load(str(tmp_path / "module"))
    assert loaded.find(tf.constant([3, 4], tf.int64)).numpy().tolist() == [30, -1]
    assert loaded.words().numpy().tolist() == [b"a", b"b"]


def test_slots_of_a_legacy_optimizer_come_with_what_was_saved(tmp_path):
    module = tf.Module()
    module.v, module.optimizer = tf.Variable([1.0, 2.0]), k.optimizers.legacy.Adagrad(0.1)

    @tf.function(input_signature=[])
    def step():
        module.optimizer.apply_gradients([(2.0 * module.v, module.v)])

    module.step = step
    step()
    tf.saved_model.save(module, str(tmp_path / "module"))
    step()
    for loaded in (tf.saved_model.load(str(tmp_path / "module")), as_tensorflow(str(tmp_path / "module"))):
        loaded.step()
        np.testing.assert_allclose(loaded.v, module.v, rtol=1e-6)


def test_examples_and_crosses_in_tensorflows_graph(tmp_path):
    module = tf.Module()
    features = {
        "x": tf.io.FixedLenFeature([2], tf.float32), "n": tf.io.FixedLenFeature([], tf.int64, 7), "t": tf.io.VarLenFeature(tf.string),
        "r": tf.io.RaggedFeature(tf.int64), "s": tf.io.FixedLenSequenceFeature([], tf.int64, allow_missing=True),
    }  # fmt: skip

    def parse(serialized):
        found = tf.io.parse_example(serialized, features)
        return found["x"], found["n"], tf.sparse.to_dense(found["t"]), found["r"].to_tensor(), found["s"]

    module.parse = tf.function(parse, input_signature=[tf.TensorSpec([None], tf.string)])
    cross = k.layers.HashedCrossing(11)
    module.cross = tf.function(lambda a, b: cross((a, b)), input_signature=[tf.TensorSpec([None, 1], tf.string), tf.TensorSpec([None, 1], tf.int64)])
    kind = tf.train.Feature
    example = tf.train.Example(features=tf.train.Features(feature={
        "x": kind(float_list=tf.train.FloatList(value=[1, 2])), "t": kind(bytes_list=tf.train.BytesList(value=[b"a", b"b"])),
        "r": kind(int64_list=tf.train.Int64List(value=[4])), "s": kind(int64_list=tf.train.Int64List(value=[5, 6])),
    })).SerializeToString()  # fmt: skip
    calls = [("parse", tf.constant([example])), ("cross", tf.constant([["a"], ["b"]]), tf.constant([[1], [2]], tf.int64))]
    wanted = [np.asarray(t).tolist() for name, *args in calls for t in tf.nest.flatten(getattr(module, name)(*args))]
    tf.saved_model.save(module, str(tmp_path / "module"))
    loaded = as_tensorflow(str(tmp_path / "module"))
    assert [np.asarray(t).tolist() for name, *args in calls for t in tf.nest.flatten(getattr(loaded, name)(*args))] == wanted
