"""What a new user meets: wrong arguments, data that end early, warnings, files, windows that do not fit. TensorFlow's answers are written out."""

from __future__ import annotations

import csv
import logging
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tf2compat as tf

K, L = tf.keras, tf.keras.layers
X = np.arange(40, dtype="float32").reshape(20, 2) / 40
Y = (X.sum(1, keepdims=True) > 1).astype("float32")


def _model(**given: Any) -> Any:
    model = K.Sequential([L.Dense(1, input_shape=(2,), name="out")])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **given})
    return model


def _two() -> Any:
    x = K.Input((2,))
    model = K.Model(x, [L.Dense(1, name="a")(x), L.Dense(1, name="b")(x)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("size", [0, -1])
def test_a_batch_size_is_positive(size: int) -> None:
    model = _model()
    for call in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match=f"Expected batch_size to be positive. Received is {size}."):
            call(X, Y, batch_size=size, verbose=0)
    with pytest.raises(ValueError, match="Expected batch_size"):
        model.predict(X, batch_size=size, verbose=0)


def test_an_epoch_without_batches_repeats_the_logs_before_it() -> None:
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(6)  # 4 batches
    history = _model().fit(data, steps_per_epoch=2, epochs=4, verbose=0)
    assert history.epoch == [0, 1, 2] and history.history["loss"][1] == history.history["loss"][2]
    once = _model().fit(((X, Y) for _ in range(3)), epochs=2, verbose=0)
    assert once.epoch == [0, 1] and once.params["steps"] is None
    with pytest.raises(ValueError, match="Empty logs"):
        _model().fit(iter([]), verbose=0)


def test_a_sequence_ends_where_it_ends() -> None:
    class Parts(K.utils.Sequence):
        def __len__(self) -> int:
            return 3

        def __getitem__(self, i: int) -> Any:
            return X[i : i + 4], Y[i : i + 4]

    assert _model().fit(Parts(), steps_per_epoch=5, epochs=2, verbose=0).epoch == [0]
    assert _model().fit(Parts(), steps_per_epoch=2, epochs=2, verbose=0).epoch == [0, 1]
    with pytest.raises(ValueError, match="`y` argument is not supported when using `keras.utils.Sequence` as input."):
        _model().fit(Parts(), Y)
    with pytest.raises(ValueError, match="`y` argument is not supported when using python generator as input."):
        _model().fit(iter([(X, Y)]), Y)


def test_validation_data_are_no_array() -> None:
    with pytest.raises(ValueError, match="validation_data"):
        _model().fit(X, Y, validation_data=X, verbose=0)


def test_names_that_no_output_has() -> None:
    model = _two()
    unknown = "Found unexpected losses or metrics that do not correspond to any Model output: dict_keys.*'c'"
    with pytest.raises(ValueError, match=unknown):
        model.fit(X, {"a": Y, "c": Y}, verbose=0)
    with pytest.raises(ValueError, match=unknown):
        model.fit(X, [Y, Y], sample_weight={"a": Y[:, 0], "c": Y[:, 0]}, verbose=0)
    model.compile("sgd", {"a": "mse", "c": "mse"})
    with pytest.raises(ValueError, match=unknown):
        model.fit(X, [Y, Y], verbose=0)
    with pytest.raises(ValueError, match="Found unexpected losses or metrics"):
        _model(loss_weights={"c": 1}).fit(X, Y, verbose=0)


@pytest.mark.parametrize(("given", "names"), [
    ([None, "mae"], ["loss", "a_loss", "b_loss", "a_mae", "b_mae"]),
    ([["mae"], ["mse"]], ["loss", "a_loss", "b_loss", "a_mae", "b_mse"]),
])  # fmt: skip
def test_metrics_of_two_outputs(given: Any, names: list[str]) -> None:
    model = _two()
    model.compile("sgd", "mse", metrics=given)
    assert list(model.fit(X, [Y, Y], verbose=0).history) == names


def test_structures_of_losses_and_metrics() -> None:
    model = _two()
    model.compile("sgd", ["mse"])  # the second output has none
    assert list(model.fit(X, [Y, Y], verbose=0).history) == ["loss", "a_loss"]
    model.compile("sgd", "mse", metrics=[["mae"]])
    with pytest.raises(ValueError, match="Input structure has length 1, while shallow structure has length 2"):
        model.fit(X, [Y, Y], verbose=0)
    assert list(_model(loss=[["mse"]], metrics=[[], ["mae"]]).fit(X, Y, verbose=0).history) == ["loss", "mae"]
    assert list(_model().fit(X, [Y, Y], verbose=0).history) == ["loss"]  # the second target is not used
    with pytest.raises(ValueError, match="No loss found"):
        _model(loss=[]).fit(X, Y, verbose=0)
    with pytest.raises(TypeError, match="Accuracy"):
        _model(metrics=[K.metrics.Accuracy])
    with pytest.raises(ValueError, match="`run_eagerly` and `jit_compile` at the same time"):
        _model(run_eagerly=True, jit_compile=True)


def test_a_class_that_has_no_weight() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"indices\[.\] = 1 is not in \[0, 1\)"):
        _model().fit(X, Y, class_weight={0: 1.0}, verbose=0)


def test_words_about_models_and_layers() -> None:
    with pytest.raises(TypeError, match=r"Model.fit\(\) got an unexpected keyword argument 'nb_epoch'"):
        _model().fit(X, Y, nb_epoch=1)
    with pytest.raises(AttributeError, match="defined input shape. Note that the `input_shape` property is only available for Functional"):
        _ = L.Dense(1).input_shape
    with pytest.raises(TypeError, match="must be an instance of class Layer"):
        K.Sequential().add(L.Dense)
    assert K.Sequential([L.Dense(1)]).get_compile_config() is None


def test_one_vector_where_a_batch_is_expected() -> None:
    model = _model()
    model.predict(X, verbose=0)
    model.predict(np.ones((2, 3, 2), "float32"), verbose=0)  # traced for any rank from now on
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        model.predict(X[0], verbose=0)


@pytest.mark.parametrize("layer", [
    lambda: L.MaxPool2D(5), lambda: L.AveragePooling2D(5), lambda: L.DepthwiseConv2D(5), lambda: L.SeparableConv2D(2, 5),
])  # fmt: skip
def test_windows_that_are_too_large_for_a_model(layer: Any) -> None:
    with pytest.raises(ValueError, match="Negative dimension size caused by subtracting 5 from 4"):
        layer()(K.Input((4, 4, 1)))
    assert layer()(K.Input((None, None, 1))).shape.as_list()[:3] == [None, None, None]


def test_windows_that_are_too_large_for_a_tensor() -> None:
    x, w = tf.ones((1, 4, 3, 1)), tf.ones((5, 5, 1, 1))
    with pytest.raises(tf.errors.InvalidArgumentError, match="Computed output size would be negative: -1"):
        tf.nn.conv2d(x[:, :3], w, 1, "VALID")
    with pytest.raises(ValueError, match="Negative dimension size caused by subtracting 9 from 4"):
        tf.function(lambda v: tf.nn.conv2d(v, w, 1, "VALID", dilations=2))(x)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Computed output size would be negative: -1"):
        L.MaxPool2D(5, 1)(x)
    assert tf.nn.max_pool2d(x, 5, 5, "VALID").shape == (1, 0, 0, 1)
    assert tf.nn.conv2d(x[:0], w[:2, :2], 1, "VALID").shape == (0, 3, 2, 1)  # no images are no mistake
    model = K.Sequential([L.Conv2D(3, 3, input_shape=(8, 8, 1)), L.Flatten(), L.Dense(1)])
    with pytest.raises(ValueError, match="downsampling|Negative dimension"):
        model.predict(np.ones((8, 8, 1)), verbose=0)  # one image without a batch


def test_warnings_are_printed_as_tensorflow_prints_them(capfd: Any) -> None:
    root = logging.getLogger()
    kept, root.handlers = root.handlers, []
    try:
        model = _two()
        model.fit(X, {"a": Y}, verbose=0)
    finally:
        root.handlers = kept
    assert "WARNING:tensorflow:Gradients do not exist for variables ['b/kernel:0', 'b/bias:0']" in capfd.readouterr().err


def test_saving_warns(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="HDF5 file via `model.save"):
        _model().save(tmp_path / "m.h5")
    model = _model(loss=lambda a, b: tf.reduce_mean(a - b))
    with pytest.warns(UserWarning, match="includes a `lambda`"):
        model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="have not yet been created"), pytest.warns(UserWarning, match="HDF5"):
        K.Sequential([L.Dense(1)]).save(tmp_path / "n.h5")
    with pytest.warns(UserWarning, match="deprecated and will be removed after 2020-10-11"):
        K.backend.set_learning_phase(0)


def test_an_optimizer_that_was_not_used_comes_back_from_hdf5(tmp_path: Path, caplog: Any) -> None:
    path = tmp_path / "m.h5"
    with pytest.warns(UserWarning, match="HDF5"):
        _model(optimizer="adam").save(path)
    assert K.models.load_model(path).optimizer.iterations.numpy() == 0
    assert "Error in loading" not in caplog.text


class TestCallbacks:
    def test_hooks_are_called_by_position(self) -> None:
        class Seen(K.callbacks.Callback):
            def on_train_batch_begin(self, at: int, what: Any) -> None:
                seen.append((at, what))

        seen: list[Any] = []
        _model().fit(X, Y, batch_size=10, verbose=0, callbacks=[Seen()])
        assert seen == [(0, {}), (1, {})]

    def test_a_rate_that_a_schedule_decides_is_not_changed(self) -> None:
        model = _model(optimizer=K.optimizers.SGD(K.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)))
        plateau = K.callbacks.ReduceLROnPlateau("loss", patience=0, min_delta=5)
        np.testing.assert_allclose(model.fit(X, Y, epochs=3, verbose=0, callbacks=[plateau]).history["lr"], [0.1, 0.05, 0.025])
        model.fit(X, Y, verbose=0, callbacks=[K.callbacks.LearningRateScheduler(lambda e: 0.7)])

    def test_csv_files(self, tmp_path: Path) -> None:
        with pytest.raises(tf.errors.NotFoundError):
            _model().fit(X, Y, verbose=0, callbacks=[K.callbacks.CSVLogger(str(tmp_path / "no" / "x.csv"))])
        path = tmp_path / "x.csv"
        for _ in range(2):
            _model().fit(X, Y, verbose=0, callbacks=[K.callbacks.CSVLogger(str(path), append=True)])
        with path.open(newline="") as f:
            assert [row[0] for row in csv.reader(f)] == ["epoch", "0", "0"]


def test_without_interactive_logging_nothing_is_printed(capsys: Any) -> None:
    K.utils.disable_interactive_logging()
    try:
        _model().fit(X, Y, verbose=1)
        _model().summary()
    finally:
        K.utils.enable_interactive_logging()
    assert capsys.readouterr().out == ""


class TestFolders:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for name in ("cats", "dogs"):
            (tmp_path / name).mkdir()
            for i in range(3):
                pixels = np.random.RandomState(i).randint(0, 255, (5, 4, 3)).astype("uint8")
                tf.io.write_file(str(tmp_path / name / f"{i}.png"), tf.io.encode_png(pixels))
        return tmp_path

    def test_order_and_dtype(self, folder: Path) -> None:
        read = K.utils.image_dataset_from_directory
        data = read(folder, class_names=["dogs", "cats"], shuffle=False, image_size=(5, 4))
        assert [Path(p).parent.name for p in data.file_paths] == ["cats"] * 3 + ["dogs"] * 3
        assert next(iter(data))[1].numpy().tolist() == [1, 1, 1, 0, 0, 0]
        assert read(folder, interpolation="nearest").element_spec[0].dtype == tf.uint8
        with pytest.raises(NotImplementedError, match="Value not recognized for `interpolation`: foo"):
            read(folder, interpolation="foo")

    def test_grey_is_what_the_file_format_says(self, folder: Path) -> None:
        images, _ = next(iter(K.utils.image_dataset_from_directory(folder, color_mode="grayscale", shuffle=False, image_size=(5, 4))))
        np.testing.assert_array_equal(images[0], tf.io.decode_png(tf.io.read_file(str(folder / "cats" / "0.png")), 1))

    def test_an_order_without_a_seed_is_numpys(self, folder: Path) -> None:
        found = []
        for _ in range(2):
            np.random.seed(3)
            tf.random.set_seed(1)
            found.append(next(iter(K.utils.image_dataset_from_directory(folder, image_size=(5, 4))))[0].numpy())
        np.testing.assert_array_equal(*found)


def test_windows_of_lists_are_floats() -> None:
    data = K.utils.timeseries_dataset_from_array([[1.0], [2.0], [3.0]], None, 2)
    assert data.element_spec.dtype == tf.float32


def test_floats_among_the_elements_of_a_shape() -> None:
    half, x = tf.math.ceil(tf.constant(5) / 2), tf.ones((2, 3))
    for run in (lambda f: f(), lambda f: tf.function(f)()):
        assert run(lambda: tf.tile(x, [half, 1])).shape == (6, 3)
        assert run(lambda: tf.reshape(x, [half * 2, 1])).shape == (6, 1)
        assert run(lambda: tf.zeros([half, 2])).shape == (3, 2)
        assert run(lambda: tf.pad(x, [[half, 0], [0, 0]])).shape == (5, 3)
        assert run(lambda: tf.slice(x, [0, 0], [half - 1, 1])).shape == (2, 1)
        assert run(lambda: tf.image.resize(x[..., None], [half, 4])).shape == (3, 4, 1)
    seen = tf.function(lambda n: tf.shape(tf.tile(x, [n / 2, 1])))(tf.constant(5))
    assert seen.numpy().tolist() == [4, 3]  # 2.5 is cut off to 2
    with pytest.raises(TypeError, match="interpreted as an integer|valid indices"):
        x[:half]


def test_a_sequence_is_looked_at_once_before_weights_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tf2compat.keras._base.seeds._generator", None)  # as in a program that never called set_random_seed
    class Drawn(K.utils.Sequence):
        def __len__(self) -> int:
            return 3

        def __getitem__(self, i: int) -> Any:
            seen.append((i, random.randrange(1000)))
            return np.full((4, 2), seen[-1][1] / 1000, "float32"), np.ones((4, 1), "float32")

    seen: list[Any] = []
    random.seed(1)
    np.random.seed(1)
    tf.random.set_seed(1)
    model = K.Sequential([L.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(Drawn(), verbose=0, shuffle=False)
    assert seen == [(0, 137), (0, 867), (1, 821), (2, 782)]  # the number in between is the initializer's
    np.testing.assert_allclose(model.evaluate(Drawn(), verbose=0), 0.8446133732795715, rtol=1e-5)


def test_inputs_and_outputs_of_shared_layers_are_those_of_the_first_call() -> None:
    x, shared = K.Input((3,)), L.Dense(3)
    first = shared(x)
    second = shared(first)
    assert shared.output is first and shared.input is x and shared.get_output_at(1) is second
    assert K.Model(x, shared.output).count_params() == 12
    assert shared.output_mask is None
    with pytest.raises(ValueError, match="Only provide the input_shape OR batch_input_shape"):
        L.InputLayer((2,), batch_input_shape=(1, 2))


def test_batches_of_other_sizes_within_functions_are_seen() -> None:
    model = K.Sequential([L.Dense(4), L.Dense(1)])
    step = tf.function(lambda v: model(v))
    step(tf.ones((5, 4)))
    assert model.output_shape == (5, 1)
    step(tf.ones((1, 4)))
    assert model.output_shape == (None, 1) and model.layers[0].output_shape == (None, 4)
