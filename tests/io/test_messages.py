"""Sequence examples, ragged and sparse features, sparse tensors and protocol messages as strings."""

import random

import numpy as np
import pytest

import tf2compat as tf


def features(**values):
    kinds = {int: ("int64_list", tf.train.Int64List), float: ("float_list", tf.train.FloatList), bytes: ("bytes_list", tf.train.BytesList)}
    out = {}
    for key, v in values.items():
        field, kind = kinds[type(v[0])]
        out[key] = tf.train.Feature(**{field: kind(value=v)})
    return out


def example(**values):
    return tf.train.Example(features=tf.train.Features(feature=features(**values))).SerializeToString()


A = example(v=[1.0, 2.0, 3.0], i=[0, 3, 4], s=[0, 2, 3], l=[2, 1], r=[0, 0, 1])
B = example(v=[4.0], i=[1], s=[0, 1], l=[1], r=[0])


def feature_list(*rows):
    return tf.train.FeatureList(feature=[features(x=r)["x"] for r in rows])


def sequence(context, **lists):
    return tf.train.SequenceExample(
        context=tf.train.Features(feature=features(**context)), feature_lists=tf.train.FeatureLists(feature_list=lists)
    ).SerializeToString()


ONE = sequence({"n": [3], "t": [b"a"]}, a=feature_list([1], [2], [3]), b=feature_list([1.0, 2.0], [3.0]))
TWO = sequence({"n": [1], "t": [b"b", b"c"]}, a=feature_list([5]))
CONTEXT = {"n": tf.io.FixedLenFeature([], tf.int64), "t": tf.io.VarLenFeature(tf.string)}


def test_ragged_partitions():
    R = tf.io.RaggedFeature
    for p in (R.RowSplits("s"), R.RowLengths("l"), R.ValueRowIds("r")):
        assert tf.io.parse_example([A, B], {"x": R(tf.float32, "v", [p])})["x"].to_list() == [[[1.0, 2.0], [3.0]], [[4.0]]]
    assert tf.io.parse_single_example(A, {"x": R(tf.float32, "v", [R.RowSplits("s")])})["x"].to_list() == [[1.0, 2.0], [3.0]]
    assert tf.io.parse_example([A], {"x": R(tf.float32, "v", [R.UniformRowLength(3)])})["x"].to_list() == [[[1.0, 2.0, 3.0]]]
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.io.parse_example([A], {"x": R(tf.float32, "v", [R.RowLengths("i")])})


def test_sparse_features():
    found = tf.io.parse_example([A, B], {"x": tf.io.SparseFeature("i", "v", tf.float32, 5), "y": tf.io.VarLenFeature(tf.int64)})
    assert list(found) == ["y", "x"]
    assert tf.sparse.to_dense(found["x"]).numpy().tolist() == [[1, 0, 0, 2, 3], [0, 4, 0, 0, 0]]
    assert tf.io.parse_single_example(A, {"x": tf.io.SparseFeature("i", "v", tf.float32, 5)})["x"].indices.numpy().tolist() == [[0], [3], [4]]


def test_sequence_examples():
    lists = {"a": tf.io.FixedLenSequenceFeature([], tf.int64), "b": tf.io.VarLenFeature(tf.float32)}
    context, rows = tf.io.parse_single_sequence_example(ONE, CONTEXT, lists)
    assert int(context["n"]) == 3 and rows["a"].numpy().tolist() == [1, 2, 3]
    assert tf.sparse.to_dense(rows["b"]).numpy().tolist() == [[1, 2], [3, 0]]
    context, rows, lengths = tf.function(lambda s: tf.io.parse_sequence_example(s, CONTEXT, lists))(tf.constant([ONE, TWO]))
    assert rows["a"].numpy().tolist() == [[1, 2, 3], [5, 0, 0]] and lengths["a"].numpy().tolist() == [3, 1]
    assert rows["b"].dense_shape.numpy().tolist() == [2, 2, 2] and context["t"].dense_shape.numpy().tolist() == [2, 2]
    ragged = {"a": tf.io.RaggedFeature(tf.int64), "b": tf.io.RaggedFeature(tf.float32)}
    assert tf.io.parse_sequence_example([ONE, TWO], CONTEXT, ragged)[1]["b"].to_list() == [[[1.0, 2.0], [3.0]], []]
    parsed = tf.data.Dataset.from_tensor_slices([ONE, TWO]).map(lambda s: tf.io.parse_single_sequence_example(s, CONTEXT, lists)[1]["a"])
    assert [x.numpy().tolist() for x in parsed] == [[1, 2, 3], [5]]
    for bad in ({"q": tf.io.FixedLenSequenceFeature([], tf.int64)}, {"b": tf.io.FixedLenSequenceFeature([], tf.float32)}, {"a": tf.io.VarLenFeature(tf.string)}):
        with pytest.raises(tf.errors.InvalidArgumentError):
            tf.io.parse_single_sequence_example(ONE, CONTEXT, bad)
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.io.parse_single_sequence_example(ONE[:-2], CONTEXT, lists)


def test_sparse_tensors_as_strings():
    value = tf.sparse.from_dense([[1, 0], [0, 2]])
    rows = tf.io.serialize_many_sparse(value)
    again = tf.io.deserialize_many_sparse(rows, tf.int32)
    assert tf.sparse.to_dense(again).numpy().tolist() == [[1, 0], [0, 2]] and tf.io.serialize_sparse(value).shape == [3]
    with pytest.raises(tf.errors.InvalidArgumentError, match="float"):
        tf.io.deserialize_many_sparse(rows, tf.float32)
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.io.deserialize_many_sparse([[b"a", b"b", b"c"]], tf.int32)


def test_json_examples():
    text = '{"features": {"feature": {"v": {"floatList": {"value": [1.5]}}}}}'
    data = tf.io.decode_json_example(text)
    assert float(tf.io.parse_single_example(data, {"v": tf.io.FixedLenFeature([], tf.float32)})["v"]) == 1.5
    for bad in ('{"features":', '{"q": 1}', "[" * 10000, b"\xff"):
        with pytest.raises(tf.errors.InvalidArgumentError):
            tf.io.decode_json_example(bad)


def test_protocol_messages():
    from google.protobuf import descriptor_pb2

    file = descriptor_pb2.FileDescriptorProto(name="t.proto", package="t", syntax="proto3")
    m = file.message_type.add(name="M")
    for i, (name, kind, repeated) in enumerate([("n", 5, False), ("x", 2, True), ("s", 9, False)], 1):
        m.field.add(name=name, number=i, type=kind, label=3 if repeated else 1)
    source = b"bytes://" + descriptor_pb2.FileDescriptorSet(file=[file]).SerializeToString()
    data = tf.io.encode_proto(
        [[1, 2, 1], [1, 0, 0]], [tf.constant([[7], [8]]), tf.constant([[1.0, 2.0], [0.0, 0.0]]), tf.constant([["a"], ["b"]])], ["n", "x", "s"], "t.M", source
    )
    sizes, (n, x, s) = tf.io.decode_proto(data, "t.M", ["n", "x", "s"], [tf.int32, tf.float32, tf.string], source)
    assert sizes.numpy().tolist() == [[1, 2, 1], [1, 0, 0]] and n.numpy().tolist() == [[7], [8]]
    assert x.numpy().tolist() == [[1, 2], [0, 0]] and s.numpy().tolist() == [[b"a"], [b""]]
    with pytest.raises(tf.errors.DataLossError):
        tf.io.decode_proto(b"\xff\xff", "t.M", ["n"], [tf.int32], source)
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.io.decode_proto(data, "t.N", ["n"], [tf.int32], source)


def test_layouts_agree_with_protobuf():
    """Messages read by their layout, by walking them, and by the protobuf library give the same."""
    rng = np.random.default_rng(0)
    spec = {
        "a": tf.io.VarLenFeature(tf.int64), "b": tf.io.FixedLenFeature([3], tf.float32, [0.0, 0.0, 0.0]), "c": tf.io.VarLenFeature(tf.string),
        "d": tf.io.FixedLenSequenceFeature([], tf.int64, allow_missing=True, default_value=-1),
    }  # fmt: skip
    texts, wanted = [], []
    for _ in range(200):
        v = {}
        if rng.random() < 0.8:
            v["a"] = [int(x) for x in rng.integers(-(2**62), 2**62, rng.integers(1, 5))]
        if rng.random() < 0.8:
            v["b"] = [float(np.float32(x)) for x in rng.random(3)]
        if rng.random() < 0.8:
            v["c"] = [bytes(rng.integers(0, 256, rng.integers(0, 200), dtype=np.uint8)) for _ in range(rng.integers(1, 4))]
        v["d"] = [int(x) for x in rng.integers(0, 300, rng.integers(1, 3))]
        texts.append(example(**v))
        wanted.append(v)
    found = tf.io.parse_example(texts, spec)
    a, c = tf.RaggedTensor.from_sparse(found["a"]).to_list(), tf.RaggedTensor.from_sparse(found["c"]).to_list()
    for i, v in enumerate(wanted):
        assert a[i] == v.get("a", []) and c[i] == v.get("c", []) and found["b"][i].numpy().tolist() == v.get("b", [0.0] * 3)
        assert found["d"][i].numpy().tolist()[: len(v["d"])] == v["d"]


def test_fuzzed_messages():
    rng = random.Random(3)
    lists = {"a": tf.io.VarLenFeature(tf.int64), "b": tf.io.RaggedFeature(tf.float32)}
    for _ in range(300):
        data = bytearray(ONE)
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            tf.io.parse_single_sequence_example(bytes(data[: rng.randrange(len(data) + 1)]), CONTEXT, lists)
        except tf.errors.InvalidArgumentError:
            pass


def test_strings_of_sparse_tensors_are_one_piece_of_bytes() -> None:
    long = b"c" * 300
    value = tf.SparseTensor([[0, 1], [1, 0]], [b"ab", long], [2, 2])
    one = tf.io.serialize_sparse(value).numpy().tolist()
    assert one[1] == b'\x08\x07\x12\x04\x12\x02\x08\x02"\xb1\x02\x02\xac\x02ab' + long  # as TensorFlow writes it
    assert tf.io.serialize_many_sparse(value).numpy().tolist()[0][1] == b'\x08\x07\x12\x04\x12\x02\x08\x01"\x03\x02ab'
    assert tf.io.parse_tensor(one[1], tf.string).numpy().tolist() == [b"ab", long]
    again = tf.io.deserialize_many_sparse(tf.io.serialize_many_sparse(value), tf.string)
    assert again.values.numpy().tolist() == [b"ab", long] and again.indices.numpy().tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("content", [b"\x02", b"\x02\x03ab", b"\x01\x01abc", b"\xff\xff\xff\xff\xff\xff\x01a"])
def test_packed_strings_that_are_not_so_many(content: bytes) -> None:
    head = b"\x08\x07\x12\x04\x12\x02\x08\x02"
    with pytest.raises(tf.errors.InvalidArgumentError, match="Cannot parse tensor from proto"):
        tf.io.parse_tensor(head + b'"' + bytes([len(content)]) + content, tf.string)
