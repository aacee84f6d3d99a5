"""`tensorflow.python.framework.tensor_spec.BoundedTensorSpec`, as reinforcement learning libraries use it."""

import pickle

import pytest
from tf2compat_adapters.structured_values import decode, encode

import tf2compat as tf
from tf2compat._private.bounded import BoundedTensorSpec


def test_bounds_belong_to_the_spec():
    spec = BoundedTensorSpec((2, 3), tf.int32, 0, (5, 5, 5), "n")
    assert repr(spec) == (
        "BoundedTensorSpec(shape=(2, 3), dtype=tf.int32, name='n', minimum=array(0, dtype=int32), maximum=array([5, 5, 5], dtype=int32))"
    )
    same, other = BoundedTensorSpec((2, 3), tf.int32, 0, 5, "n"), BoundedTensorSpec((2, 3), tf.int32, 0, 4, "n")
    plain = tf.TensorSpec((2, 3), tf.int32, "n")
    assert spec == same and spec != other and spec != plain and plain != spec and hash(spec) == hash(other)
    assert spec.is_compatible_with(tf.ones([2, 3], tf.int32)) and tf.TensorSpec.from_spec(spec) == plain
    assert BoundedTensorSpec.from_spec(spec) == spec == pickle.loads(pickle.dumps(spec)) == decode(encode(spec))
    assert BoundedTensorSpec.from_spec(tf.TensorSpec([8], tf.int32)).maximum == 2**31 - 1
    with pytest.raises(ValueError, match="`minimum` can not be None"):
        BoundedTensorSpec((2, 3), tf.int32, None, 1)
    with pytest.raises(ValueError, match=r"`maximum` \(1, 2\) is not compatible with shape \(2, 3\)"):
        BoundedTensorSpec((2, 3), tf.int32, 0, (1, 2))


def test_a_function_takes_one_as_its_signature():
    spec = BoundedTensorSpec([2], tf.float32, 0.0, 1.0)
    assert tf.function(lambda x: x + 1, input_signature=[spec])(tf.ones([2])).numpy().tolist() == [2, 2]
