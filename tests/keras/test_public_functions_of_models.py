"""Functions that stand in a functional model's configuration by their public names, so that Keras can load it; recorded from Keras 2."""

import json

import numpy as np
import pytest

import tf2compat as tf

k = tf.keras
ONES = np.ones
F = "compat.v1.nn."
CASES = {
    "tf.repeat(i, [1, 2, 3], axis=2)": ("repeat", {"repeats": [1, 2, 3], "axis": 2}),
    "tf.repeat(i, [2, 1, 1, 1], 1)": ("repeat", {"repeats": [2, 1, 1, 1], "axis": 1}),
    "tf.image.adjust_contrast(q, 2.0)": ("image.adjust_contrast", {"contrast_factor": 2.0}),
    "tf.image.adjust_hue(q, 0.1)": ("image.adjust_hue", {"delta": 0.1}),
    "tf.image.adjust_saturation(q, 2.0)": ("image.adjust_saturation", {"saturation_factor": 2.0}),
    "tf.image.per_image_standardization(q)": ("image.per_image_standardization", {}),
    "tf.image.crop_to_bounding_box(q, 1, 2, 4, 5)": (
        "image.crop_to_bounding_box", {"offset_height": 1, "offset_width": 2, "target_height": 4, "target_width": 5}),
    "tf.image.central_crop(q, 0.5)": ("image.central_crop", {"central_fraction": 0.5}),
    "tf.image.extract_patches(q, [1, 2, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1], 'VALID')": (
        "image.extract_patches", {"sizes": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "rates": [1, 1, 1, 1], "padding": "VALID"}),
    "tf.image.resize_with_pad(q, 4, 6)": ("image.resize_with_pad", {"target_height": 4, "target_width": 6}),
    "tf.image.resize_with_pad(q, 4, 6, 'nearest')": ("image.resize_with_pad", {"target_height": 4, "target_width": 6, "method": "nearest"}),
    "tf.image.resize_with_crop_or_pad(q, 4, 12)": ("image.resize_with_crop_or_pad", {"target_height": 4, "target_width": 12}),
    "tf.image.ssim(q, q, 1.0, filter_size=3)": ("image.ssim", {"max_val": 1.0, "filter_size": 3}),
    "tf.linalg.diag(i)": ("linalg.diag", {}),
    "tf.linalg.diag(i, k=1)": ("linalg.diag", {"k": 1}),
    "tf.linalg.diag_part(i)": ("linalg.diag_part", {}),
    "tf.linalg.diag_part(i, k=(0, 1), padding_value=3.0)": ("linalg.diag_part", {"k": [0, 1], "padding_value": 3.0}),
    "tf.searchsorted(i, i)": ("searchsorted", {"values": ["i", 0, 0]}),
    "tf.searchsorted(i, i, side='right')": ("searchsorted", {"values": ["i", 0, 0], "side": "right"}),
    "tf.ensure_shape(i, [2, 4, 3])": ("ensure_shape", {"shape": [2, 4, 3]}),
    "tf.strided_slice(i, [0], [1])": ("strided_slice", {"begin": [0], "end": [1]}),
    "tf.strided_slice(i, [0, 1], [1, 3], [1, 2], end_mask=1)": ("strided_slice", {"begin": [0, 1], "end": [1, 3], "strides": [1, 2], "end_mask": 1}),
    "tf.nn.sigmoid_cross_entropy_with_logits(labels=i, logits=i)": (F + "sigmoid_cross_entropy_with_logits", {"logits": ["i", 0, 0]}),
    "tf.nn.softmax_cross_entropy_with_logits(i, i)": (F + "softmax_cross_entropy_with_logits_v2", {"logits": ["i", 0, 0], "axis": -1}),
    "tf.nn.conv2d_transpose(q, ONES((2, 2, 2, 3), 'f'), [2, 16, 16, 2], 2)": (
        "nn.conv2d_transpose", {"filters": ONES((2, 2, 2, 3)).tolist(), "output_shape": [2, 16, 16, 2]}),
    "tf.nn.conv1d_transpose(i, ONES((2, 2, 3), 'f'), [2, 8, 2], 2)": (
        "nn.conv1d_transpose", {"filters": ONES((2, 2, 3)).tolist(), "output_shape": [2, 8, 2]}),
    "tf.nn.conv1d(i, ONES((2, 3, 2), 'f'), 1, 'SAME')": (
        F + "conv1d", {"filters": ONES((2, 3, 2)).tolist(), "stride": 1, "padding": "SAME", "data_format": "NWC"}),
    "tf.quantization.fake_quant_with_min_max_args(i, num_bits=4)": ("quantization.fake_quant_with_min_max_args", {"num_bits": 4}),
}


@pytest.mark.parametrize("text", CASES)
def test_names_and_arguments(text):
    k.backend.clear_session()
    i, q = k.Input((4, 3), batch_size=2, name="i"), k.Input((8, 8, 3), name="q", batch_size=2)
    given = q if "(q" in text else i
    model = k.Model(given, eval(text))
    ops = [x for x in json.loads(model.to_json())["config"]["layers"] if x["class_name"] == "TFOpLambda"]
    (layer,) = [x for x in ops if x["config"]["function"] != "identity"]
    function, arguments = CASES[text]
    assert layer["config"]["function"] == function and layer["config"]["name"] == "tf." + function
    (node,) = layer["inbound_nodes"]
    for n, value in arguments.items():
        assert node[3][n] == (pytest.approx(value) if isinstance(value, float) else value)
    x = np.random.default_rng(1).uniform(0, 1, given.shape).astype("f")
    again = k.models.model_from_json(model.to_json())
    np.testing.assert_allclose(again(x), model(x), rtol=1e-6)


@pytest.mark.parametrize("text", ["tf.image.sobel_edges(q)", "tf.image.total_variation(q)", "tf.einsum('bijc->bjic', q)"])
def test_models_of_other_functions_come_back(text):
    q = k.Input((8, 8, 3), name="q", batch_size=2)
    model = k.Model(q, eval(text))
    if tf.__name__ == "tf2compat":
        again = k.models.model_from_json(model.to_json())
        x = np.random.default_rng(1).uniform(0, 1, q.shape).astype("f")
        np.testing.assert_allclose(again(x), model(x), rtol=1e-6)


def test_tables_and_classes():
    j = k.Input((4,), batch_size=2, dtype="int32", name="j")
    for y, function in (
        (tf.nn.embedding_lookup(np.arange(15, dtype="f").reshape(5, 3), j), F + "embedding_lookup"),
        (tf.nn.sparse_softmax_cross_entropy_with_logits(j, tf.one_hot(j, 5)), F + "sparse_softmax_cross_entropy_with_logits"),
        (tf.math.confusion_matrix(j[0], j[1], 5), "math.confusion_matrix"),
    ):
        model = k.Model(j, y)
        assert json.loads(model.to_json())["config"]["layers"][-1]["config"]["function"] == function
        if tf.__name__ != "tf2compat":
            continue  # Keras forgets what is no table of its own
        x = np.array([[0, 1, 2, 3], [4, 3, 2, 1]], dtype="int32")
        np.testing.assert_array_equal(k.models.model_from_json(model.to_json())(x), model(x))
