"""`StructuredValue` messages: what goes in and comes back, what is refused, and what hostile ones do."""

import collections

import numpy as np
import pytest
from tensorboard.compat.proto.struct_pb2 import StructuredValue
from tf2compat_adapters.structured_values import Damaged, NotEncodableError, UnregisteredError, decode, encode

import tf2compat as tf

Point = collections.namedtuple("Point", "x y")
KINDS = [
    (None, "none_value"), (True, "bool_value"), (3, "int64_value"), (2.5, "float64_value"), ("a", "string_value"), ([1, (2,)], "list_value"),
    ({"b": 1, "a": [None]}, "dict_value"), (Point(1, "z"), "named_tuple_value"), (tf.TensorShape([2, None]), "tensor_shape_value"),
    (tf.TensorShape(None), "tensor_shape_value"), (tf.TensorShape([]), "tensor_shape_value"), (tf.bfloat16, "tensor_dtype_value"), (tf.TensorSpec([None], tf.int32, "n"), "tensor_spec_value"),
    (tf.RaggedTensorSpec([None, None], tf.int32, 1, tf.int32), "type_spec_value"), (tf.SparseTensorSpec([2, None]), "type_spec_value"),
    (tf.IndexedSlicesSpec([3]), "type_spec_value"), (tf.TensorArraySpec([2], tf.int32), "type_spec_value"),
    (tf.OptionalSpec(tf.TensorSpec([])), "type_spec_value"), (tf.data.DatasetSpec(tf.TensorSpec([])), "type_spec_value"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "kind"), KINDS, ids=[f"{kind}_{i}" for i, (_, kind) in enumerate(KINDS)])
def test_there_and_back(value, kind):
    message = encode(value)
    assert message.WhichOneof("kind") == kind
    again = decode(StructuredValue.FromString(message.SerializeToString()))
    assert again == value
    assert type(again).__name__ == type(value).__name__


def test_arrays_and_tensors():
    array = decode(encode(np.array([1.5, 2.0])))
    assert isinstance(array, np.ndarray) and array.dtype == np.float64 and array.tolist() == [1.5, 2.0]
    tensor = decode(encode({"t": tf.constant([1, 2])}))["t"]
    assert isinstance(tensor, tf.Tensor) and tensor.dtype == tf.int32 and tensor.numpy().tolist() == [1, 2]


def test_as_tensorflow_writes_them():
    # texts of what TensorFlow 2.21 wrote
    written = str(encode(tf.TensorArraySpec([2], tf.int32))).split()
    assert written[:2] == ["type_spec_value", "{"] and "TENSOR_ARRAY_SPEC" in written and '"TensorArraySpec"' in written
    assert str(encode(tf.OptionalSpec(tf.TensorSpec([])))).split() == (
        'type_spec_value { type_spec_class: OPTIONAL_SPEC type_state { tuple_value { values { tensor_spec_value { shape { } dtype: DT_FLOAT } } } } '
        'type_spec_class_name: "OptionalSpec" num_flat_components: 1 }'
    ).split()  # fmt: skip
    assert encode(np.float64(1)).WhichOneof("kind") == "float64_value"
    assert encode(collections.OrderedDict(b=1, a=2)).dict_value.fields["b"].int64_value == 1


@pytest.mark.parametrize("value", [1j, b"ab", {1, 2}, {"a": {"b"}}, np.float32(1), np.int64(3), type], ids=repr)
def test_what_has_no_place(value):
    with pytest.raises(NotEncodableError, match="No encoder for object"):
        encode(value)


def test_numbers_and_keys_that_do_not_fit():
    with pytest.raises(ValueError, match="out of range"):
        encode(2**70)
    with pytest.raises(TypeError):
        encode({1: 2})
    with pytest.raises(NotEncodableError):
        encode(tf.Variable(1.0))


def test_nesting_is_bounded():
    message = StructuredValue()
    inner = message
    for _ in range(150):
        inner = inner.list_value.values.add()
    with pytest.raises(Damaged, match="nested too deeply"):
        decode(message)


def test_damaged_messages():
    message = StructuredValue()
    assert decode(message) is None
    message.tensor_dtype_value = 77
    with pytest.raises(Damaged, match="unknown dtype, 77"):
        decode(message)
    message.tensor_shape_value.dim.extend([message.tensor_shape_value.Dim(size=1)] * 300)
    with pytest.raises(Damaged, match="300 dimensions"):
        decode(message)
    message.tensor_value.dtype = 1
    message.tensor_value.tensor_shape.dim.add(size=1 << 40)
    with pytest.raises(Damaged, match="implausibly large"):
        decode(message)
    message.type_spec_value.type_spec_class = 3
    message.type_spec_value.type_spec_class_name = "RaggedTensorSpec"
    message.type_spec_value.type_state.none_value.SetInParent()
    with pytest.raises(Damaged, match="RaggedTensorSpec has impossible parts"):
        decode(message)


def test_types_that_nobody_registered():
    message = StructuredValue()
    message.type_spec_value.type_spec_class = 12
    message.type_spec_value.type_spec_class_name = "a.b"
    with pytest.raises(UnregisteredError, match="The type 'a.b' has not been registered"):
        decode(message)
    assert issubclass(UnregisteredError, ValueError)  # TensorFlow's class
    message.type_spec_value.type_spec_class = 10
    with pytest.raises(NotEncodableError):
        decode(message)


def test_names_of_fields_are_made_identifiers():
    message = StructuredValue()
    message.named_tuple_value.name = "T"
    for key in ("class", "a", "a"):
        message.named_tuple_value.values.add(key=key).value.int64_value = 1
    assert decode(message) == (1, 1, 1)
    message.named_tuple_value.name = "not a name"
    with pytest.raises(Damaged, match="not a name"):
        decode(message)
