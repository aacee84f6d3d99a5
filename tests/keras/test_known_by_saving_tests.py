"""What Keras 2's own tests ask of saving, restoring and callbacks; what is expected was recorded from Keras 2."""

import os
import pathlib

import numpy as np
import pytest

import tf2compat as tf

k = tf.keras
X = np.arange(30, dtype="float32").reshape(10, 3) / 10


class Interrupting(k.callbacks.Callback):
    """Writes down what happens, and ends the training after so many batches."""

    def __init__(self, seen, stop):
        super().__init__()
        self.seen, self.stop, self.count = seen, stop, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.seen.append(f"E{epoch}")

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1
        self.seen.append(int(batch))
        if self.count == self.stop:
            raise RuntimeError("stopped")


@pytest.mark.parametrize(
    ("frequency", "stop", "delete", "seen", "losses", "kernel"),
    [
        ("epoch", 7, True, ["E1", 0, 1, 2, 3, 4], [4.49011, 0.42148, 0.24581], [0.28322, 0.27393, 0.23471]),
        (2, 7, True, ["E1", 1, 2, 3, 4], [2.813, 1.76178, 0.16831], [0.31315, 0.27393, 0.23471]),
        (2, 7, False, ["E1", 1, 2, 3, 4], [2.813, 1.76178, 0.16831], [0.31315, 0.27393, 0.23471]),
        (5, 10, True, [], [0.42148, 0.24581], [0.28322, 0.2428, 0.20237]),
        (1, 5, True, ["E1", 0, 1, 2, 3, 4], [4.49011, 0.42148, 0.24581], [0.28322, 0.2428, 0.20237]),
    ],
)
def test_backups_of_steps(tmp_path, frequency, stop, delete, seen, losses, kernel):
    def model():
        m = k.Sequential([k.layers.Dense(1, input_shape=(3,), kernel_initializer="ones")])
        m.compile(k.optimizers.SGD(0.001, momentum=0.9), "mse")
        return m

    found: list = []
    options = {"batch_size": 2, "epochs": 4, "verbose": 0, "shuffle": False}
    backup = {"save_freq": frequency, "delete_checkpoint": delete}
    with pytest.raises(RuntimeError, match="stopped"):
        model().fit(X, X[:, :1], **options, callbacks=[k.callbacks.BackupAndRestore(tmp_path, **backup), Interrupting([], stop)])
    m = model()
    h = m.fit(X, X[:, :1], **options, callbacks=[k.callbacks.BackupAndRestore(tmp_path, **backup), Interrupting(found, 999)])
    assert found == [*seen, "E2", 0, 1, 2, 3, 4, "E3", 0, 1, 2, 3, 4]
    np.testing.assert_allclose(h.history["loss"], losses, atol=2e-5)
    assert int(m.optimizer.iterations) == 20
    np.testing.assert_allclose(m.get_weights()[0][0], kernel[0], atol=2e-5)
    assert any("ckpt" in f or "chief" in f for _, _, files in os.walk(tmp_path) for f in files) is not delete


def test_early_stopping():
    x = np.arange(12, dtype="float32").reshape(4, 3)
    m = k.Sequential([k.layers.Dense(1, input_shape=(3,), kernel_initializer="ones")])
    m.compile(k.optimizers.SGD(0.0), "mse")
    epochs = []
    for options in (
        {"baseline": 1.0}, {"baseline": 1.0, "patience": 2}, {"baseline": 1e9, "patience": 1}, {"start_from_epoch": 3},
        {"start_from_epoch": 2, "patience": 2, "baseline": 0.5}, {"patience": 0},
    ):  # fmt: skip
        stopping = k.callbacks.EarlyStopping(monitor="loss", **options)
        epochs.append(len(m.fit(x, x[:, :1], verbose=0, epochs=10, callbacks=[stopping]).epoch))
    assert epochs == EPOCHS


EPOCHS = [2, 2, 2, 5, 4, 2]


class Scripted(k.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["q"] = (5, 3, 4, 2, 6, 7, 8, 9)[epoch]
        self.model.layers[0].kernel.assign([[float(epoch)]] * 3)


@pytest.mark.parametrize(("options", "expected"), [
    ({"patience": 2}, (6, 3.0, 2, 3, 5, 2)),
    ({"patience": 5}, (8, 3.0, 2, 3, 0, 4)),
    ({"patience": 1, "start_from_epoch": 4}, (6, 4.0, 6, 4, 5, 1)),
    ({"patience": 2, "baseline": 1}, (3, 1.0, 3, 1, 2, 3)),
    ({"patience": 9, "baseline": 1}, (8, 3.0, 2, 3, 0, 8)),
])  # fmt: skip
def test_the_best_weights_are_restored(options, expected):
    m = k.Sequential([k.layers.Dense(1, input_shape=(3,))])
    m.compile(k.optimizers.SGD(0.0), "mse")
    stopping = k.callbacks.EarlyStopping(monitor="q", mode="min", restore_best_weights=True, **options)
    h = m.fit(X, X[:, :1], verbose=0, epochs=8, callbacks=[Scripted(), stopping])
    kernel = float(m.layers[0].kernel[0, 0])
    assert (len(h.epoch), kernel, stopping.best, stopping.best_epoch, stopping.stopped_epoch, stopping.wait) == expected


@pytest.mark.parametrize("suffix", ["", ".h5", ".keras"])
def test_ragged_constants_in_models(tmp_path, suffix):
    i = k.Input([])
    m = k.Model(i, k.layers.Add()([i, tf.ragged.constant([[1.0, 2.0], [3.0]])]))
    path = str(tmp_path / ("m" + suffix))
    m.save(path)
    loaded = k.models.load_model(path)
    assert loaded(tf.constant([[1.0], [2.0]])).to_list() == [[2, 3], [5]]
    i = k.Input([1], dtype=tf.string)
    m = k.Model(i, k.layers.Concatenate(axis=0)([i, tf.ragged.constant([["a", "é"], ["c"]])]))
    m.save(path)
    assert k.models.load_model(path)(tf.constant([["x"]])).to_list() == [[b"x"], [b"a", "é".encode()], [b"c"]]


def test_names_of_metrics_after_saving(tmp_path):
    i = k.Input((4,))
    outputs = [k.layers.Softmax(name=f"head_{n}")(k.layers.Dense(3 + n)(i)) for n in range(2)]
    names = ["loss", "head_0_loss", "head_1_loss", "head_0_binary_accuracy", "head_0_accuracy"]
    for suffix in ("", ".h5"):
        m = k.Model(i, outputs)
        m.compile("rmsprop", "mse", metrics={"head_0": [k.metrics.BinaryAccuracy(), "accuracy"]})
        assert m.metrics_names == []
        path = str(tmp_path / ("m" + suffix))
        m.save(path)
        assert m.metrics_names == k.models.load_model(path).metrics_names == names


def test_files_without_a_suffix(tmp_path):
    path = pathlib.Path(tmp_path) / "model"
    m = k.Sequential([k.layers.Dense(1, input_shape=(3,))])
    m.save_weights(path, save_format="h5")
    weights = m.get_weights()
    m.set_weights([w + 1 for w in weights])
    m.load_weights(path)
    np.testing.assert_array_equal(m.get_weights()[0], weights[0])


class Growth:
    def __init__(self, f):
        self.f = f

    def __call__(self, x):
        return x**self.f

    def get_config(self):
        return {"f": self.f}


def test_what_cannot_be_saved_or_loaded(tmp_path):
    m = k.Sequential([k.layers.Dense(1, input_shape=(3,))])
    with pytest.raises(ValueError, match=r"Unknown `save_format` argument. Expected one of 'keras', 'tf', or 'h5'. Received: save_format=invalid"):
        m.save(tmp_path / "m", save_format="invalid")
    with pytest.raises(ValueError, match=r"not supported with the native TF-Keras format: \['include_optimizer'\]"):
        m.save(tmp_path / "m.keras", include_optimizer=False)
    m.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match=r"Shape mismatch"):
        k.Sequential([k.layers.Dense(2, input_shape=(3,))]).load_weights(tmp_path / "m.keras")

    class Unregistered(k.layers.Layer):
        def call(self, x):
            return x

    i = k.Input((3,))
    k.Model(i, Unregistered()(i)).save(tmp_path / "u.keras")
    with pytest.raises(TypeError, match="Cannot deserialize object of type `Unregistered`. If `Unregistered` is a custom class, please register it"):
        k.models.load_model(tmp_path / "u.keras")
    k.Model(i, k.layers.Dense(1, activation=Growth(0.5))(i)).save(tmp_path / "g.keras")
    with pytest.raises(TypeError, match="Unable to reconstruct an instance of 'Growth'"):
        k.models.load_model(tmp_path / "g.keras", custom_objects={"Growth": Growth})


def test_a_compile_of_ones_own_is_not_called(tmp_path, caplog):
    class Own(k.Sequential):
        def compile(self, *args, **kwargs):
            super().compile(*args, **kwargs)

    m = Own([k.layers.Dense(1, input_shape=(3,))])
    m.compile("rmsprop", "mse")
    m.save(tmp_path / "m.keras")
    loaded = k.models.load_model(tmp_path / "m.keras", custom_objects={"Own": Own})
    assert not loaded._is_compiled and "`compile()` was not called as part of model loading" in caplog.text


def test_classes_that_make_their_layers():
    class Stack(k.Model):
        def __init__(self, num_units=1, **kwargs):
            i = k.Input((2,))
            super().__init__(i, k.layers.Dense(num_units)(i), **kwargs)

    m = Stack(num_units=2)
    described = k.saving.serialize_keras_object(m)
    made = k.saving.deserialize_keras_object(described, custom_objects={"Stack": Stack})
    assert type(made) is Stack and [w.shape for w in made.get_weights()] == [(2, 2), (2,)]
    assert described["config"]["num_units"] == 2 and "layers" not in described["config"]
    class Plain(k.Model):
        def more(self):
            return 1

    i = k.Input((2,))
    assert Plain.from_config(Plain(i, k.layers.Dense(3)(i)).get_config()).more() == 1


def test_old_configs():
    config = {"class_name": "Sequential", "config": [{"class_name": "Dense", "config": {"name": "d", "units": 3, "batch_input_shape": [None, 4]}}]}
    assert len(k.models.model_from_config(config).weights) == 2


def test_layers_added_after_restoring(tmp_path):
    m = k.Sequential([k.layers.Dense(4), k.layers.Dense(5)])
    m(tf.constant([[1.0]]))
    m.layers[1].bias.assign([1.0, 2, 3, 4, 5])
    path = tf.train.Checkpoint(model=m).save(str(tmp_path / "c"))
    for shape in (None, (None, 1)):
        later = k.Sequential()
        status = tf.train.Checkpoint(model=later).restore(path)
        if shape:
            later.add(k.Input((1,)))
        later.add(k.layers.Dense(4))
        later.add(k.layers.Dense(5))
        later(tf.constant([[1.0]]))
        assert later.layers[-1].bias.numpy().tolist() == [1, 2, 3, 4, 5]
        np.testing.assert_array_equal(later.get_weights()[0], m.get_weights()[0])
        status.expect_partial()


def test_a_feature_space_saved_again(tmp_path):
    features = k.utils.FeatureSpace
    space = features({"f": features.float_normalized(), "s": features.string_categorical(max_tokens=5)}, output_mode="concat")
    space.adapt(tf.data.Dataset.from_tensor_slices({"f": [1.0, 2.0, 3.0], "s": ["a", "b", "c"]}))
    data = {"f": [1.0], "s": ["a"]}
    for n in range(3):
        np.testing.assert_allclose(space(data), [[-1.2247448, 0, 0, 0, 1]], rtol=1e-5)
        space.save(str(tmp_path / f"{n}.keras"))
        space = k.models.load_model(tmp_path / f"{n}.keras")


def test_inputs_said_without_a_call(tmp_path):
    class Own(k.Model):
        def __init__(self):
            super().__init__()
            self.d = k.layers.Dense(2)

        def call(self, x):
            return self.d(x)

    m = Own()
    m._set_inputs(X)
    assert not m.built and m.save_spec()[0][0].shape.as_list() == [None, 3]


def test_sparse_matrices_for_sparse_inputs():
    sparse = pytest.importorskip("scipy.sparse")

    class Dense(k.layers.Layer):
        def call(self, x):
            return tf.sparse.to_dense(x, default_value=-1)

    i = k.Input((3,), sparse=True, name="n", dtype=tf.int64)
    m = k.Model(i, Dense()(i))
    matrix = sparse.coo_matrix(([1, 2, 3], ([0, 1, 1], [0, 0, 1])), shape=[2, 3])
    for given in ({"n": matrix}, matrix):
        assert m.predict(given, steps=1, verbose=0).tolist() == [[1, -1, -1], [2, 3, -1]]


def test_reading_summaries(tmp_path):
    writer = tf.summary.create_file_writer(str(tmp_path))
    with writer.as_default():
        tf.summary.scalar("a", 1.0, step=3)
    writer.close()
    (name,) = os.listdir(tmp_path)
    events = list(tf.compat.v1.train.summary_iterator(str(tmp_path / name)))
    assert [[v.tag for v in e.summary.value] for e in events] == [[], ["a"]] and events[1].step == 3
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-3])
    with pytest.raises(tf.errors.DataLossError):
        list(tf.compat.v1.train.summary_iterator(str(tmp_path / name)))
    with pytest.raises(tf.errors.NotFoundError):
        list(tf.compat.v1.train.summary_iterator(str(tmp_path / "none")))


def test_callbacks_of_a_batch_share_their_logs():
    seen = []

    class First(k.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            logs["q"] = 1

    class Second(k.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            seen.append(sorted(logs))

    m = k.Sequential([k.layers.Dense(1)])
    m.compile("sgd", "mse")
    m.fit(X, X[:, :1], verbose=0, callbacks=[First(), Second()])
    assert seen == [["q"]]


def test_checkpoints_of_legacy_optimizers(tmp_path):
    def model(optimizer):
        m = k.Sequential([k.layers.Dense(1, input_shape=(3,))])
        m.compile(optimizer, "mse")
        return m

    m = model(k.optimizers.legacy.Adam())
    m.fit(X, X[:, :1], verbose=0)
    m.save_weights(str(tmp_path / "c"))
    later = model(k.optimizers.Adam())
    with pytest.raises(ValueError, match="You are trying to restore a checkpoint from a legacy TF-Keras optimizer into a v2.11"):
        later.load_weights(str(tmp_path / "c"))
    later.fit(X, X[:, :1], verbose=0)
    again = model(k.optimizers.legacy.Adam())
    again.load_weights(str(tmp_path / "c"))
    assert int(again.optimizer.iterations) == 1


def test_logs_are_shared_and_converted_once():
    seen = []

    class Mutating(k.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            logs["q"] = 1

    class Tensors(k.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self._supports_tf_logs = True

        def on_train_batch_end(self, batch, logs=None):
            seen.append((sorted(logs), type(logs["loss"])))

    m = k.Sequential([k.layers.Dense(1)])
    m.compile("sgd", "mse")
    m.fit(X, X[:, :1], verbose=0, callbacks=[Mutating(), Tensors()])
    assert seen == [(["loss", "q"], float)]
    seen.clear()
    m.fit(X, X[:, :1], verbose=0, callbacks=[Tensors()])
    assert seen[0][0] == ["loss"] and issubclass(seen[0][1], tf.Tensor)


def test_linear_cosine_decay():
    decay = tf.compat.v1.train.linear_cosine_decay
    found = [[float(decay(1.0, s, 1000)()), float(decay(0.5, s, 1000, alpha=0.1, beta=1e-4, num_periods=5)())] for s in (0, 250, 1200)]
    np.testing.assert_allclose(found, [[1.001, 0.55005], [0.6411651, 0.21254992], [0.001, 0.05005]], rtol=1e-5)
    noisy = tf.compat.v1.train.noisy_linear_cosine_decay(1.0, 250, 1000, initial_variance=0.0)
    np.testing.assert_allclose(noisy(), 0.6411651, rtol=1e-5)
    constant = tf.compat.v1.train.piecewise_constant
    with pytest.raises(ValueError, match=r"Boundaries \(<dtype: 'float32'>\) must have the same dtype as x \(<dtype: 'int32'>\)"):
        constant(tf.Variable(0, dtype=tf.int32), [-1.0, 1.0], [1, 2, 3])
    with pytest.raises(ValueError, match="Values must have elements all with the same dtype"):
        constant(tf.Variable(0.0), [-1.0, 1.0], [1.0, 2, 3])


def test_specs_of_symbols_are_said_without_a_call():
    class Own(k.Model):
        def call(self, x):
            return x

    for options, kind in (({"ragged": True}, tf.RaggedTensorSpec), ({"sparse": True}, tf.SparseTensorSpec)):
        i = k.Input((None,), **options)
        assert isinstance(i._type_spec, kind)
        m = Own()
        m._set_inputs(i)
        assert m.save_spec() == ([i.type_spec], {})


def test_schedules_of_legacy_optimizers_are_logged(tmp_path):
    m = k.Sequential([k.layers.Dense(1, input_shape=(3,))])
    m.compile(k.optimizers.legacy.SGD(k.optimizers.schedules.CosineDecay(0.01, 1)), "mse")
    m.fit(X, X[:, :1], verbose=0, callbacks=[k.callbacks.TensorBoard(tmp_path)])
    files = [os.path.join(root, name) for root, _, names in os.walk(tmp_path) for name in names]
    tags = {v.tag for file in files for event in tf.compat.v1.train.summary_iterator(file) for v in event.summary.value}
    assert {"epoch_loss", "epoch_learning_rate"} <= tags


def test_summaries_of_layers_in_training_and_evaluation(tmp_path):
    class Writing(k.layers.Layer):
        def call(self, x):
            tf.summary.scalar("own", tf.reduce_sum(x))
            return x

    m = k.Sequential([k.Input((3,)), Writing(), k.layers.Dense(1)])
    m.compile("sgd", "mse")
    m.fit(X, X[:, :1], verbose=0, batch_size=2, validation_data=(X, X[:, :1]), callbacks=[k.callbacks.TensorBoard(tmp_path, update_freq=1)])
    found: dict = {}
    for root, _, names in os.walk(tmp_path):
        for name in names:
            for event in tf.compat.v1.train.summary_iterator(os.path.join(root, name)):
                for v in event.summary.value:
                    found.setdefault((os.path.basename(root), v.tag.rsplit("/", 1)[-1]), []).append(event.step)
    assert len(found["train", "own"]) == 5 and found["validation", "own"] and "evaluation_loss_vs_iterations" in {tag for _, tag in found}
