"""`tensorflow.python.…`, `tensorflow.core.…` and `keras`: what programs and libraries import beside the public API."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
INSTALL = "import tf2compat; tf2compat.install_as_tensorflow()\n"


def python(code: str) -> None:
    """Run a program in a process of its own."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "adapters")]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr

MODULES = """
import tensorflow as tf
from tensorflow.python import tf2
from tensorflow.python.framework import ops, dtypes, tensor_shape, constant_op, tensor_util
from tensorflow.python.framework.ops import convert_to_tensor, EagerTensor
from tensorflow.python.ops import array_ops, math_ops, nn_ops, random_ops, resource_variable_ops
from tensorflow.python.util import nest, tf_inspect, deprecation, object_identity
from tensorflow.python.util.tf_export import tf_export
from tensorflow.python.client import device_lib
from tensorflow.python.eager import context
from tensorflow.python.platform import tf_logging as logging
from tensorflow.python.keras import backend as K, layers, Model
from tensorflow.python.keras.layers import Dense
from tensorflow.python.keras.layers.recurrent import LSTM
from tensorflow.python.keras.engine.base_layer import Layer
from tensorflow.python.keras.engine import InputSpec
from tensorflow.python.keras.optimizer_v2.adam import Adam
from tensorflow.python.keras.utils.tf_utils import smart_cond
from tensorflow.python.keras.preprocessing.sequence import pad_sequences
from tensorflow.python.autograph.core import converter
assert ops.Tensor is tf.Tensor is EagerTensor and dtypes.float32 is tf.float32 and constant_op.constant is tf.constant
assert convert_to_tensor is tf.convert_to_tensor and ops.convert_to_tensor_v2_with_dispatch is tf.convert_to_tensor
assert Dense is layers.Dense is tf.keras.layers.Dense and Layer is tf.keras.layers.Layer and LSTM is tf.keras.layers.LSTM
assert Model is tf.keras.Model and InputSpec is tf.keras.layers.InputSpec and Adam is tf.keras.optimizers.legacy.Adam
assert array_ops.concat([[1], [2]], 0).numpy().tolist() == [1, 2] and float(math_ops.reduce_sum([1.0, 2.0])) == 3.0
assert resource_variable_ops.is_resource_variable(tf.Variable(1)) and context.executing_eagerly()
assert tensor_util.constant_value(tf.constant(3)) == 3 and int(smart_cond(True, lambda: 1, lambda: 2)) == 1
assert nest.map_structure_up_to({"a": 0}, len, {"a": [1, 2]}) == {"a": 2} and nest.is_sequence([1])
assert nest.flatten_with_joined_string_paths({"a": [1, 2]}) == [("a/0", 1), ("a/1", 2)]
assert tf_inspect.getargspec(lambda a, b=1: a).args == ["a", "b"] and tf_export("x.y")(len) is len
v = tf.Variable(1)
assert v in object_identity.ObjectIdentitySet([v]) and device_lib.list_local_devices()[0].device_type == "CPU"
for bad in ("math_ops.nosuch", "Dense2"):
    try:
        exec(f"from tensorflow.python.ops import {bad.split('.')[0]}\\n{bad}")
    except (AttributeError, ImportError) as error:
        assert "nosuch" in str(error) or "Dense2" in str(error)
    else:
        raise AssertionError(bad)
try:
    converter.EntityContext()
except NotImplementedError as error:
    assert "AutoGraph" in str(error)
"""

KERAS = """
import keras, tf_keras
import tensorflow as tf
from keras import layers, backend as K
from keras.layers import Dense
from keras.utils import to_categorical
from keras.layers.core import Dropout
from keras.engine.topology import Layer
from keras.src.engine import base_layer
assert keras.layers is layers is tf.keras.layers and tf_keras.layers.Dense is Dense is tf.keras.layers.Dense
assert Layer is base_layer.Layer is tf.keras.layers.Layer and Dropout is tf.keras.layers.Dropout and K is tf.keras.backend
"""

CORE = """
from tensorflow.core.framework import summary_pb2, graph_pb2
from tensorflow.core.example import example_pb2
import tensorflow as tf
assert summary_pb2.Summary().SerializeToString() == b"" and example_pb2.Example is tf.train.Example
"""


@pytest.mark.parametrize("code", [MODULES, CORE], ids=["modules", "core"])
def test_private_modules_lead_to_public_names(code: str) -> None:
    python(INSTALL + code)


def test_keras_is_an_alias_where_no_keras_3_is_installed() -> None:
    python(INSTALL + "import importlib.metadata as m\ntry:\n    old = int(m.version('keras').split('.')[0]) < 3\nexcept m.PackageNotFoundError:\n    old = True\n"
           "if not old:\n    raise SystemExit\n" + KERAS)  # fmt: skip


def test_raw_ops() -> None:
    import numpy as np

    import tf2compat as tf

    assert tf.raw_ops.AddV2(x=1, y=2).numpy() == 3
    rx, ry = tf.raw_ops.BroadcastGradientArgs(s0=[2, 1, 3], s1=[4, 1])
    assert rx.numpy().tolist() == [1] and ry.numpy().tolist() == [0, 2]
    a, x, h = 2.5, 1.7, 1e-3
    numeric = (tf.math.igamma(a + h, x) - tf.math.igamma(a - h, x)) / (2 * h)
    np.testing.assert_allclose(tf.raw_ops.IgammaGradA(a=a, x=x), numeric, rtol=1e-2)
    with pytest.raises(AttributeError, match="no attribute 'NoSuchOp'"):
        tf.raw_ops.NoSuchOp  # noqa: B018


TRAINING = """
import tensorflow as tf
from tensorflow.keras.__internal__.layers import BaseRandomLayer
from tensorflow.python.eager import monitoring
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2_as_graph as frozen
from tensorflow.python.tpu import embedding_context_utils as ecu, tpu_function
from tensorflow.python.tpu.datasets import StreamingFilesDataset
from tensorflow.python.framework import ops
counter = monitoring.Counter("/a/b", "events", "kind")
counter.get_cell("x").increase_by(3)
counter.get_cell("x").increase_by(2)
assert counter.get_cell("x").value() == 5 and counter.get_cell("y").value() == 0
gauge = monitoring.BoolGauge("/a/c", "a flag")
gauge.get_cell().set(1)
assert gauge.get_cell().value() is True
spent = monitoring.Counter("/a/d", "microseconds")
with monitoring.MonitoredTimer(spent.get_cell()):
    pass
assert monitoring.monitored_timer(spent.get_cell())(len)("ab") == 2 and spent.get_cell().value() >= 0
for bad in (lambda: counter.get_cell(), lambda: StreamingFilesDataset("x", filetype="y"), lambda: StreamingFilesDataset(["x"])):
    try:
        bad()
    except ValueError:
        continue
    raise AssertionError(bad)
try:
    frozen(None)
except NotImplementedError:
    pass
assert ops.RegisterStatistics("Einsum", "flops")(len) is len
assert tpu_function.get_tpu_context().number_of_shards is None
with tpu_function.tpu_shard_context(4), ecu.SequentialEmbeddingContext():
    assert tpu_function.get_tpu_context().number_of_shards == 4
import os, tempfile
folder = tempfile.mkdtemp()
for i in range(3):
    with open(os.path.join(folder, f"{i}.txt"), "w") as f:
        f.write(f"{i}a\\n{i}b\\n")
try:
    StreamingFilesDataset("x", worker_job="elsewhere")
except NotImplementedError as error:
    assert "worker_job" in str(error)
else:
    raise AssertionError("a job of another process")
lines = StreamingFilesDataset(os.path.join(folder, "*.txt"), filetype="textline", num_epochs=2)
assert sorted(l.numpy() for l in lines) == sorted([b"0a", b"0b", b"1a", b"1b", b"2a", b"2b"] * 2)
names = tf.data.Dataset.list_files(os.path.join(folder, "*.txt"), shuffle=False)
ordered = StreamingFilesDataset(names, filetype=tf.data.TextLineDataset, num_epochs=1, filename_shuffle_buffer_size=0, sloppy=False, num_parallel_reads=1)
assert [l.numpy() for l in ordered] == [b"0a", b"0b", b"1a", b"1b", b"2a", b"2b"]
"""


def test_what_training_libraries_import() -> None:
    python(INSTALL + TRAINING)


def test_what_libraries_say_is_like_a_tensor() -> None:
    import tf2compat as tf

    class Deferred:
        is_tensor_like = True

    assert tf.is_tensor(Deferred()) and not tf.is_tensor([1.0])


def test_sizes_joined() -> None:
    import tf2compat as tf
    from tf2compat._private.helpers import joined_sizes

    assert joined_sizes(tf.constant(3), tf.TensorShape([2])).numpy().tolist() == [3, 2]
    assert joined_sizes(None, [2, 4], static=True).rank is None
    assert joined_sizes(tf.TensorShape([1, None]), 3, static=True).as_list() == [1, None, 3]
    assert joined_sizes(tf.constant([3]), 5, static=True).as_list() == [3, 5]
    with pytest.raises(ValueError, match="Provided a prefix or suffix of None: None and 5"):
        joined_sizes(None, 5)


KERAS_UTILS = """
import numpy as np
import tensorflow as tf
from tensorflow.python.keras.utils import conv_utils, np_utils, tf_utils
names = [conv_utils.convert_data_format(f, n) for f in ("channels_last", "channels_first") for n in (3, 4, 5)]
assert names == ["NWC", "NHWC", "NDHWC", "NCW", "NCHW", "NCDHW"]
lengths = [conv_utils.conv_input_length(5, 3, p, s) for p in ("same", "valid", "full") for s in (1, 2)]
assert lengths == [5, 9, 7, 11, 3, 7], lengths
mask = conv_utils.conv_kernel_mask((4, 5), (3, 2), (2, 1), "valid")
assert mask.shape == (4, 5, 1, 4) and mask.sum() == 24 and mask[:3, :2, 0, 0].all()
assert conv_utils.conv_kernel_mask((4,), 3, 1, "same").astype(int).tolist() == [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1]]
assert conv_utils.normalize_padding("SAME") == "same" and conv_utils.deconv_output_length(4, 3, "same", stride=2) == 8
class Layer:
    @tf_utils.shape_type_conversion
    def shape(self, given):
        self.given = given
        return given
layer = Layer()
for shape, given, told in [(tf.TensorShape([None, 3]), (None, 3), tf.TensorShape([None, 3])), ([(2, 3), (4, None)], [(2, 3), (4, None)], [tf.TensorShape([2, 3]), tf.TensorShape([4, None])]), (None, None, None)]:
    out = layer.shape(shape)
    assert layer.given == given and type(layer.given) is type(given), layer.given
    assert type(out) is type(told) and str(out) == str(told), out
assert np_utils.to_categorical([0, 2]).tolist() == [[1, 0, 0], [0, 0, 1]]
assert tf.constant([1, 2])._rank() == 1
"""


def test_helpers_that_layers_of_other_libraries_are_written_with() -> None:
    python(INSTALL + KERAS_UTILS)
