"""Files, records and the decoders of `tf.io`."""

import random
import struct

import numpy as np
import pytest

import tf2compat as tf
from tf2compat.io.records import _crc


def drain(dataset):
    """The elements, and the error that ended them."""
    found = []
    try:
        for x in dataset:
            found.append(x.numpy())
    except tf.errors.OpError as error:
        return found, type(error).__name__
    return found, None


@pytest.mark.parametrize("kind", ["", "GZIP", "ZLIB"])
def test_records_come_back(tmp_path, kind):
    path = str(tmp_path / "r")
    data = [b"", b"a", bytes(range(256)) * 3000, b"end"]
    with tf.io.TFRecordWriter(path, kind) as writer:
        for d in data:
            writer.write(d)
    assert drain(tf.data.TFRecordDataset(path, compression_type=kind)) == (data, None)
    assert drain(tf.data.Dataset.from_tensors(path).interleave(lambda p: tf.data.TFRecordDataset(p, kind)))[0] == data
    with pytest.raises(tf.errors.FailedPreconditionError):
        writer.write(b"x")


def test_damaged_records(tmp_path):
    path = tmp_path / "r"
    with tf.io.TFRecordWriter(path) as writer:
        for d in (b"a", b"bc", b"def"):
            writer.write(d)
    raw = path.read_bytes()
    path.write_bytes(raw[:-2])
    assert drain(tf.data.TFRecordDataset(path)) == ([b"a", b"bc"], "DataLossError")
    path.write_bytes(raw[:29] + bytes([raw[29] ^ 1]) + raw[30:])
    assert drain(tf.data.TFRecordDataset(path)) == ([b"a"], "DataLossError")
    length = struct.pack("<Q", 1 << 40)
    path.write_bytes(length + struct.pack("<I", _crc(length)) + b"xx")
    assert drain(tf.data.TFRecordDataset(path)) == ([], "DataLossError")
    assert drain(tf.data.TFRecordDataset(path, compression_type="GZIP")) == ([], "DataLossError")
    rng = random.Random(0)
    for _ in range(300):
        broken = bytearray(raw)
        broken[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
        path.write_bytes(broken)
        assert drain(tf.data.TFRecordDataset(path))[1] == "DataLossError"


def test_lines_and_fixed_records(tmp_path):
    a, b, f = tmp_path / "a", tmp_path / "b", tmp_path / "f"
    a.write_bytes(b"a\r\nb\n\nc\rd\n e")
    b.write_bytes(b"x\ny\n")
    f.write_bytes(b"HHaabbccF")
    lines = [b"a", b"b", b"", b"cd", b" e"]
    assert drain(tf.data.TextLineDataset([str(a), str(b)]))[0] == [*lines, b"x", b"y"]
    assert drain(tf.data.TextLineDataset([str(a), str(b)], num_parallel_reads=2))[0] == [b"a", b"x", b"b", b"y", b"", b"cd", b" e"]
    assert drain(tf.data.TextLineDataset(str(tmp_path / "no"))) == ([], "NotFoundError")
    assert drain(tf.data.FixedLengthRecordDataset(str(f), 2, 2, 1))[0] == [b"aa", b"bb", b"cc"]
    assert drain(tf.data.FixedLengthRecordDataset(str(f), 2, 1, 1)) == ([], "InvalidArgumentError")
    with pytest.raises(TypeError, match="Got `tf.int32` elements"):
        tf.data.TextLineDataset(3)


def test_decoders_in_a_graph(tmp_path):
    path = str(tmp_path / "d" / "x.csv")
    tf.io.write_file(path, b"1,2.5,a\n3,,b")

    @tf.function
    def load(name):
        rows = tf.strings.split(tf.io.read_file(name), "\n")
        return tf.io.decode_csv(rows, [tf.constant([], tf.int32), [0.5], ["x"]])

    i, x, s = load(tf.constant(path))
    assert i.numpy().tolist() == [1, 3] and x.numpy().tolist() == [2.5, 0.5] and s.numpy().tolist() == [b"a", b"b"]
    assert tf.io.matching_files(str(tmp_path / "d" / "*")).numpy().tolist() == [path.encode()]
    with pytest.raises(tf.errors.NotFoundError):
        tf.io.read_file(path + "2")
    raw = tf.io.decode_raw([b"\x01\x02", b"\x01\x02\x03\x04"], tf.int16, fixed_length=4)
    assert raw.numpy().tolist() == [[513, 0], [513, 1027]]
    assert tf.io.decode_base64(tf.io.encode_base64([b"ab", b"\xff\xef"])).numpy().tolist() == [b"ab", b"\xff\xef"]


def test_fuzzed_csv():
    rng = random.Random(1)
    for _ in range(2000):
        row = bytes(rng.choice(b'a1",\n\r .') for _ in range(rng.randrange(12)))
        try:
            tf.io.decode_csv(row, [[""], [0.0]])
        except tf.errors.InvalidArgumentError:
            pass


@pytest.mark.parametrize("value", [[[1, 2], [3, 4]], ["ab", "c"], [True, False], [1.5], 3])
def test_tensors_as_strings(value):
    tensor = tf.constant(value)
    again = tf.io.parse_tensor(tf.io.serialize_tensor(tensor), tensor.dtype)
    np.testing.assert_array_equal(again.numpy(), tensor.numpy())
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.io.parse_tensor(tf.io.serialize_tensor(tensor), tf.float64)


def test_gfile(tmp_path):
    g = tf.io.gfile
    d = g.join(str(tmp_path), "a", "b")
    g.makedirs(d)
    with g.GFile(g.join(d, "f"), "w") as file:
        file.write("é\nz")
    assert g.GFile(g.join(d, "f")).read(2) == "é\n" and g.GFile(g.join(d, "f"), "rb").size() == 4
    assert list(g.walk(str(tmp_path))) == [(str(tmp_path), ["a"], []), (str(tmp_path / "a"), ["b"], []), (d, [], ["f"])]
    with pytest.raises(tf.errors.AlreadyExistsError):
        g.copy(g.join(d, "f"), g.join(d, "f"))
    g.rename(g.join(d, "f"), g.join(d, "g"))
    assert g.listdir(d) == ["g"] and g.stat(g.join(d, "g")).length == 4
    g.rmtree(str(tmp_path / "a"))
    assert not g.exists(d)
    with pytest.raises(tf.errors.UnimplementedError, match="scheme 's3'"):
        g.exists("s3://x/y")
