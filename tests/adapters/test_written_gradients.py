"""Gradients in functions of SavedModels: as TensorFlow's graphs they are read back, and give the same."""

import json
import logging

import numpy as np
import pytest

import tf2compat as tf
from tests.adapters.test_tensorflow_functions import as_tensorflow
from tests.conformance import cases_as_functions
from tests.conformance.training_for_tensorflow import TRAINING, results


@pytest.mark.parametrize("name", TRAINING)
def test_programs(name, tmp_path, caplog):
    module, calls = TRAINING[name]()
    logging.getLogger("tensorflow").propagate = True
    tf.saved_model.save(module, str(tmp_path / "module"))
    assert "cannot run" not in caplog.text
    expected = results(module, calls)
    loaded = as_tensorflow(str(tmp_path / "module"))
    for found, wanted in zip(results(loaded, calls), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=2e-4, atol=2e-5)


#: the ops whose gradients are not written
REFUSED = ("MatrixSquareRoot", "IsotonicSegments", "SampledLogits")


@pytest.mark.parametrize("stems", [("linalg", "math_unary", "math_binary", "reductions"), ("nn", "nn_conv", "image", "arrays", "sparse")], ids="_".join)
def test_gradients_of_cases(stems, tmp_path):
    traced, written, refused = cases_as_functions.write(str(tmp_path), stems, "gradients")
    assert not [reason for reason in refused if not any(op in reason for op in REFUSED)]
    assert written > 0.95 * traced > 100
    loaded = as_tensorflow(str(tmp_path / "gradients"))
    data, checked = np.load(tmp_path / "gradients.npz"), 0
    for name, source in json.loads((tmp_path / "gradients.json").read_text()).items():
        given = [tf.constant(data[f"{name}_in{i}"].astype(object) if data[f"{name}_in{i}"].dtype.kind == "S" else data[f"{name}_in{i}"])
                 for i in range(99) if f"{name}_in{i}" in data]  # fmt: skip
        function = getattr(loaded, name)
        specs = [s for s in tf.nest.flatten(function.concrete_functions[0].structured_input_signature[0]) if s is not None]
        try:
            found = cases_as_functions.flat(function(*[tf.cast(a, s.dtype) for a, s in zip(given, specs, strict=True)]))
        except NotImplementedError:  # an op that the reader of TensorFlow's graphs does not have
            continue
        checked += 1
        for i, one in enumerate(found):
            wanted = data[f"{name}_out{i}"]
            rough = min(one.dtype.itemsize, wanted.dtype.itemsize) < 4 or one.dtype.kind == "V"
            np.testing.assert_allclose(one.astype(np.float64), wanted.astype(np.float64), rtol=3e-2 if rough else 1e-4, atol=3e-2 if rough else 1e-4, err_msg=source)
    assert checked > 0.9 * written


def test_what_is_recorded_is_differentiated(tmp_path):
    """What happens while no tape records has no gradient; a tape that goes on has that of what follows."""
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
    def partly(x):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            a = x * x
            with tape.stop_recording():
                b = a * 3.0
            y = a + b * x
        return tape.gradient(y, x), tape.gradient(a, x)

    module.partly = partly
    expected = [g.numpy() for g in partly(2.0)]
    tf.saved_model.save(module, str(tmp_path / "module"))
    assert [g.numpy() for g in as_tensorflow(str(tmp_path / "module")).partly(tf.constant(2.0))] == expected


def test_a_loaded_function_is_differentiated_again(tmp_path):
    module = tf.Module()
    module.v = tf.Variable(2.0)

    @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
    def slope(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = module.v * x**3
        return tape.gradient(y, x)

    module.slope = slope
    tf.saved_model.save(module, str(tmp_path / "module"))
    loaded = as_tensorflow(str(tmp_path / "module"))
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = loaded.slope(x)
    assert [g.numpy() for g in tape.gradient(y, [x, loaded.v])] == [36.0, 27.0]
