"""SavedModels that a real TensorFlow wrote: their graphs run here, and give what they gave there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tf2compat as tf
from tests.conformance.training_for_tensorflow import TRAINING, results

GRAPHS = Path(__file__).parents[1] / "conformance" / "files" / "graphs"


@pytest.mark.parametrize("name", ["attention", "flow", "image", "tables", "text"])
def test_signature_gives_what_tensorflow_gave(name: str) -> None:
    with np.load(GRAPHS / f"{name}.npz") as recorded:
        serve = tf.saved_model.load(str(GRAPHS / name)).signatures["serving_default"]
        inputs = {key[3:]: tf.constant(value) for key, value in recorded.items() if key.startswith("in_")}
        assert sorted(serve.structured_input_signature[1]) == sorted(inputs)
        results = serve(**inputs)
        expected = {key[4:]: value for key, value in recorded.items() if key.startswith("out_")}
        assert sorted(results) == sorted(expected) == sorted(serve.structured_outputs)
        for key, value in expected.items():
            assert results[key].numpy().dtype == value.dtype
            np.testing.assert_allclose(results[key].numpy(), value, rtol=1e-5, atol=1e-6)


def test_functions_have_effects_arguments_and_gradients() -> None:
    model = tf.saved_model.load(str(GRAPHS / "flow"))
    assert model.calls.numpy() == 0
    x = tf.constant([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]])
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(model(x)["y"])
    assert model.calls.numpy() == 1
    (gradient,) = tape.gradient(total, [model.weights])
    step = 1e-3
    before = model.weights.numpy()
    nudged = before.copy()
    nudged[0, 0] += step
    model.weights.assign(nudged)
    higher = tf.reduce_sum(model(x)["y"])
    np.testing.assert_allclose(gradient.numpy()[0, 0], (higher - total).numpy() / step, rtol=2e-2)
    assert model.scaled(tf.constant(3.0)).numpy() == 6.0
    assert model.scaled(tf.constant(3.0), factor=7).numpy() == 21.0
    moved, [same] = model.scaled(tf.constant([1.0, 2.0]), offset=tf.constant(3.0))
    assert moved.numpy().tolist() == [4.0, 5.0]
    assert same.numpy().tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="Could not find matching concrete function"):
        model.scaled(tf.constant(3.0), factor=8)


def test_a_loaded_function_is_part_of_ours() -> None:
    model = tf.saved_model.load(str(GRAPHS / "image"))
    serve = model.signatures["serving_default"]
    (name,) = serve.structured_input_signature[1]
    x = tf.random.normal([2, 8, 8, 3])

    @tf.function
    def twice(value: tf.Tensor) -> tf.Tensor:
        (out,) = serve(**{name: value}).values()
        return out * 2.0

    (out,) = serve(**{name: x}).values()
    np.testing.assert_allclose(twice(x).numpy(), 2 * out.numpy(), rtol=1e-5)


def test_it_can_be_saved_again(tmp_path: Path) -> None:
    model = tf.saved_model.load(str(GRAPHS / "flow"))
    tf.saved_model.save(model, str(tmp_path / "again"), signatures=model.signatures["serving_default"]._concrete)
    x = tf.constant([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]])
    again = tf.saved_model.load(str(tmp_path / "again"))
    np.testing.assert_allclose(again.signatures["serving_default"](x=x)["y"].numpy(), model(x)["y"].numpy(), rtol=1e-6)


def test_an_unknown_op_is_named(tmp_path: Path) -> None:
    import shutil

    place = tmp_path / "model"
    shutil.copytree(GRAPHS / "flow", place)
    content = (place / "saved_model.pb").read_bytes()
    (place / "saved_model.pb").write_bytes(content.replace(b"Einsum", b"Einsux"))
    model = tf.saved_model.load(str(place))
    with pytest.raises(NotImplementedError, match="Einsux"):
        model(tf.zeros([2, 3]))


def test_a_table_reads_no_other_files(tmp_path: Path) -> None:
    import shutil

    place = tmp_path / "model"
    shutil.copytree(GRAPHS / "tables", place)
    (place / "assets" / "words.txt").unlink()
    (place / "assets" / "words.txt").symlink_to("/etc/hostname")
    with pytest.raises(tf.errors.PermissionDeniedError):
        tf.saved_model.load(str(place))


@pytest.mark.parametrize("name", ["plain", "convolution", "legacy_ftrl", "loops", "further"])
def test_functions_that_hold_gradients(name: str) -> None:
    loaded = tf.saved_model.load(str(GRAPHS.parent / "training" / name))
    with np.load(GRAPHS.parent / "training" / f"{name}.npz") as recorded:
        expected = [recorded[f"arr_{i}"] for i in range(len(recorded.files))]
    for found, wanted in zip(results(loaded, TRAINING[name]()[1]), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=2e-4, atol=2e-5)


def test_a_part_of_a_shape_is_a_vector() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, None])])
    def spectrum(x: tf.Tensor) -> tf.Tensor:
        return tf.signal.rfft(x, tf.strided_slice(tf.shape(x), [-1], [0], [1], end_mask=1))

    assert spectrum(tf.ones([3, 4])).shape == (3, 3)
