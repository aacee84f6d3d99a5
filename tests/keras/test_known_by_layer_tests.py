"""What Keras 2's own tests of normalisation, dropout, local connections, policies and the backend ask; recorded from Keras 2."""

import subprocess
import sys

import numpy as np
import pytest

import tf2compat as tf

k = tf.keras
L = k.layers
K = k.backend


@pytest.mark.parametrize(
    "arguments, before, after",
    [({}, None, [False, False, True]), ({"virtual_batch_size": 2}, False, [False] * 3), ({"fused": False}, False, [False] * 3),
     ({"dtype": "float64"}, False, [False] * 3), ({"dtype": "mixed_float16"}, None, [False, False, True]),
     ({"synchronized": True}, False, [False] * 3), ({"renorm": True}, False, [False] * 3)],
)  # fmt: skip
def test_which_normalisations_are_fused(arguments, before, after):
    for shape, expected in zip(((4,), (4, 4, 4), (4, 4, 4, 4)), (after[0], after[2], after[2]), strict=True):
        layer = L.BatchNormalization(**arguments)
        assert layer.fused is before
        layer(k.Input(shape, batch_size=2))
        assert layer.fused is expected


def test_normalisation_of_what_is_masked():
    layer = L.BatchNormalization(momentum=0.5)
    assert layer(tf.zeros((4, 5)), mask=tf.zeros((4,)), training=True).numpy().tolist() == np.zeros((4, 5)).tolist()
    assert layer.moving_mean.numpy().tolist() == [0.0] * 5 and layer.moving_variance.numpy().tolist() == [0.5] * 5


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "float16", "mixed_bfloat16", "float64"])
def test_masked_normalisation_of_any_precision(dtype):
    x = np.arange(24, dtype="float32").reshape(2, 3, 4)
    layer = L.BatchNormalization(dtype=dtype, momentum=0.5)
    y = layer(x, mask=np.array([[1, 1, 0], [1, 0, 0]], dtype=bool), training=True)
    assert y.dtype == layer.compute_dtype
    np.testing.assert_allclose(tf.cast(y, "float32")[0, :, 0], [-1.069, -0.267, 0.535], atol=4e-3)
    np.testing.assert_allclose(layer.moving_mean, [8 / 3, 19 / 6, 11 / 3, 25 / 6], rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, [12.9444447] * 4, rtol=1e-5)


def test_normalisation_of_other_dtypes():
    half = L.BatchNormalization(dtype="mixed_float16")
    whole = np.arange(48).reshape(2, 2, 3, 4)
    assert half(whole).dtype == half(whole, training=True).dtype == tf.float16
    assert L.BatchNormalization()(np.arange(12).reshape(3, 4)).dtype == tf.float32
    assert L.BatchNormalization(autocast=False)(np.ones((2, 3))).dtype == tf.float32
    i = k.Input((4,), dtype="int32")
    assert k.Model(i, L.BatchNormalization()(i)).output.dtype == tf.float32


def test_switch():
    with pytest.raises(ValueError, match="Rank of `condition` should be less than or equal to rank of"):
        K.switch(tf.constant([[True]]), lambda: tf.constant([1.0]), lambda: tf.constant([2.0]))
    assert K.switch(tf.constant([True, False]), tf.ones((2, 2)), tf.zeros((2, 2))).numpy().tolist() == [[1, 0], [1, 0]]
    rows = tf.constant([[True, False]])
    assert K.switch(rows, tf.ones((1, 2, 2)), tf.zeros((1, 2, 2))).numpy().tolist() == [[[1, 1], [0, 0]]]


@pytest.mark.parametrize("scalar", [True, False])
def test_switch_in_models(scalar):
    k.backend.clear_session()
    a, b = k.Input((2,), batch_size=2, name="a"), k.Input((2,), batch_size=2, name="b")
    model = k.Model([a, b], K.switch((tf.reduce_sum(a) if scalar else a) > 3.0, a, b))
    layer = model.get_config()["layers"][-1]
    assert layer["config"]["function"] == ("keras.backend.switch" if scalar else "where")
    if scalar:
        assert layer["config"]["name"] == "tf.keras.backend.switch"
        assert layer["inbound_nodes"][0][3] == {"then_expression": ["a", 0, 0], "else_expression": ["b", 0, 0]}
    for m in (model, k.Model.from_config(model.get_config())):
        for x in (np.ones((2, 2), "f"), np.array([[1, 4], [2, 3]], "f")):
            chosen = x if x.sum() > 3 else x * 5
            np.testing.assert_array_equal(m([x, x * 5]), chosen if scalar else np.where(x > 3, x, x * 5))


def test_shapes_of_fourier_features():
    layer = L.experimental.RandomFourierFeatures(3, name="rff")
    for wrong in (None, [], [3], [3, 2, 3], [3, None]):
        with pytest.raises(ValueError):
            layer.compute_output_shape(tf.TensorShape(wrong))
    assert layer.compute_output_shape((None, 3)).as_list() == [None, 3]


def test_mask_of_local_connections():
    layer = L.LocallyConnected1D(2, 2, implementation=2)
    layer(tf.ones((1, 4, 3)))
    assert tuple(layer.kernel_mask.shape) == (4, 1, 3, 1) and float(np.sum(layer.kernel_mask)) == 6.0


@pytest.mark.parametrize(
    "name, instead",
    [("infer", " Please use the 'mixed_float16' or 'mixed_bfloat16' policy instead."), ("int8_with", ""),
     ("float16_with", " Please use the 'mixed_float16' policy instead."), ("bfloat16_with", " Please use the 'mixed_bfloat16' policy instead.")],
)  # fmt: skip
def test_policies_of_the_past(name, instead):
    name = f"{name}_float32_vars"
    with pytest.raises(ValueError) as error:
        k.mixed_precision.Policy(name)
    assert str(error.value) == f"Policies ending in '_float32_vars' have been removed from TensorFlow.{instead} Got policy name: '{name}'"


def test_output_shapes_of_lambdas():
    found = L.Lambda(lambda x: x, output_shape=((5,), {"b": (20,)})).compute_output_shape(((10, 10), (10, 20)))
    assert type(found) is tuple and found[0].as_list() == [10, 5] and found[1]["b"].as_list() == [10, 20]
    found = L.Lambda(lambda x: (x[1]["a"], {"b": x[0]})).compute_output_shape(((10, 20), {"a": (10, 5)}))
    assert tuple(found[0]) == (10, 5) and tuple(found[1]["b"]) == (10, 20)


_CHECK = """
import sys, logging, NAME as tf
found = []
class Kept(logging.Handler):
    def emit(self, record): found.append((record.levelname, record.getMessage()))
tf.get_logger().addHandler(Kept())
for _ in range(2):
    tf.keras.mixed_precision.set_global_policy(sys.argv[1])
if tf.config.list_physical_devices("GPU"): found = [found[0][0] == "WARNING"] if found else []
print([m[:113] if m.startswith("Mixed") else m for _, m in found] if found and found[0] is not False else "GPU")
"""


@pytest.mark.parametrize("policy, count", [("mixed_float16", 1), ("mixed_bfloat16", 0)])
def test_policies_say_once_how_quick_they_are(policy, count):
    code = _CHECK.replace("NAME", tf.__name__)
    ran = subprocess.run([sys.executable, "-c", code, policy], capture_output=True, text=True, check=True)
    said = ran.stdout.strip().splitlines()[-1]
    expected = "Mixed precision compatibility check (mixed_float16): WARNING\nThe dtype policy mixed_float16 may run slowly becaus"
    assert said in ("GPU", repr([expected] * count))
