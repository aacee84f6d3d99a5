"""Ops as nodes of TensorFlow's graphs: what is written for the conformance cases is read back and gives the same.

`tests/conformance/cases_as_functions.py` writes them all for a real TensorFlow to call.
"""

import json

import numpy as np
import pytest

import tf2compat as tf
from tests.adapters.test_tensorflow_functions import as_tensorflow
from tests.conformance import cases_as_functions

#: what cannot be written, by op: TensorFlow has no such ops, and a composition would be long
REFUSED = {
    "CTCLossDense", "CandidateSampler", "CollapseRepeated", "CTCUniqueLabels", "ComputeAccidentalHits", "FractionalPool", "IsotonicMeans",
    "IsotonicSegments", "LinSpace", "MatMul", "MaxPool", "MdctFold", "MultiscaleSSIM", "ParseSequenceExampleV2", "IRFFTND", "RFFTND", "RaggedCross", "RaggedText",
    "SampledADDMM", "SampledLogits", "SetOperation", "SetSize", "StridedSlice",
}  # fmt: skip


@pytest.mark.parametrize("stems", [("linalg", "reductions", "signal"), ("image", "nn", "nn_conv"), ("sparse", "ragged_more", "strings", "arrays")], ids="_".join)
def test_cases(stems, tmp_path):
    traced, written, refused = cases_as_functions.write(str(tmp_path), stems)
    assert {reason.split("(")[1].split(")")[0] for reason in refused} <= REFUSED
    assert written > 0.97 * traced > 100
    loaded = as_tensorflow(str(tmp_path / "cases"))
    sources = json.loads((tmp_path / "cases.json").read_text())
    data, checked = np.load(tmp_path / "cases.npz"), 0
    for name, source in sources.items():
        arrays = {which: [data[f"{name}_{which}{i}"] for i in range(99) if f"{name}_{which}{i}" in data] for which in ("in", "out")}
        function = getattr(loaded, name)
        specs = [s for s in tf.nest.flatten(function.concrete_functions[0].structured_input_signature[0]) if s is not None]
        given = [tf.constant(a.astype(object)) if a.dtype.kind == "S" else tf.cast(a, s.dtype) for a, s in zip(arrays["in"], specs, strict=True)]
        try:
            found = cases_as_functions.flat(function(*given))
        except NotImplementedError:  # an op that the reader of TensorFlow's graphs does not have
            continue
        assert len(found) == len(arrays["out"]), source
        checked += 1
        for one, other in zip(found, arrays["out"], strict=True):
            if one.dtype.kind in "OSU":
                assert one.astype("S").tolist() == other.astype("S").tolist(), source
            else:
                np.testing.assert_allclose(one.astype(np.complex128), other.astype(np.complex128), rtol=3e-2 if one.dtype.itemsize < 4 else 2e-5, atol=2e-5, err_msg=source)
    assert checked > 0.85 * written


def test_an_attribute_that_tensorflow_does_not_allow(tmp_path, caplog):
    """One of them would keep TensorFlow from reading the whole SavedModel."""
    module = tf.Module()
    module.narrow = tf.function(lambda x: tf.matmul(x, x), input_signature=[tf.TensorSpec([2, 2], tf.int16)])
    module.real = tf.function(lambda x: tf.math.real(x) + tf.math.conj(x), input_signature=[tf.TensorSpec([2])])
    tf.saved_model.save(module, str(tmp_path))
    loaded = as_tensorflow(str(tmp_path))
    assert not hasattr(loaded, "narrow") and loaded.real(tf.constant([1.0, 2.0])).numpy().tolist() == [2, 4]


def test_constants_of_one_row_that_is_repeated(tmp_path):
    module = tf.Module()
    row = tf.broadcast_to(tf.constant(2.0), [1])
    module.v = tf.Variable(row)
    module.f = tf.function(lambda: row + tf.broadcast_to(tf.constant(1.0), [1]), input_signature=[])
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    assert loaded.f().numpy().tolist() == [3] and loaded.v.numpy().tolist() == [2]
