"""Stages on blocks of elements give what they give element by element."""

import random

import numpy as np
import pytest

import tf2compat as tf
from tf2compat.data.csv import Rows


def reference(text, quotes):
    """The rows of a text, a character after the other; None stands for one with a misplaced quote."""
    rows, at = [], 0
    while at < len(text):
        row, bad = [], False
        while True:
            field = b""
            if quotes and text[at : at + 1] == b'"':
                at += 1
                while True:
                    if at >= len(text):
                        return [*rows, None]
                    c, follows = text[at : at + 1], text[at + 1 : at + 2]
                    at += 1
                    if c != b'"':
                        field += c
                    elif follows in (b"", b",", b"\r", b"\n"):
                        break
                    else:
                        field += c
                        bad = bad or follows != b'"'
                        at += follows == b'"'
            else:
                while at < len(text) and text[at : at + 1] not in (b",", b"\r", b"\n"):
                    bad = bad or quotes and text[at : at + 1] == b'"'
                    field += text[at : at + 1]
                    at += 1
            row.append(field)
            end = text[at : at + 1]
            at += 1
            if end != b",":
                at += end == b"\r" and text[at : at + 1] == b"\n"
                break
        rows.append(None if bad else row)
    return rows


@pytest.mark.parametrize("chunk", [1, 3, 1 << 18])
def test_rows_of_any_text(tmp_path, chunk):
    rng = random.Random(chunk)
    path = tmp_path / "x.csv"
    for n in range(600):
        letters = [b"a", b"1", b",", b"\n", b"\r", b"\r\n", b'"', b'""', b'"x"', b',"', b'",']
        text = b"".join(rng.choice(letters) for _ in range(rng.randint(0, 24)))
        path.write_bytes(text)
        quotes = n % 3 > 0
        found, rows = [], Rows(str(path), "", chunk, b",", quotes)
        while True:
            try:
                found += next(rows)
            except StopIteration:
                break
            except tf.errors.InvalidArgumentError:
                found.append(None)
        assert found == reference(text, quotes), repr(text)


def lines(n):
    return [f"{i},{i * 0.5},w{i}" for i in range(n)]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("\n".join(lines(300)))
    return tf.data.experimental.CsvDataset(str(path), [tf.int32, tf.float32, tf.string])


def elements(table):
    """The same elements from a source that knows no blocks."""
    spec = table.element_spec
    return tf.data.Dataset.from_generator(lambda: table.as_numpy_iterator(), output_signature=spec)


def halve(a, b, c):
    return a // 2, b * 2.0, c


STAGES = {
    "map": lambda d: d.map(halve),
    "filter": lambda d: d.filter(lambda a, b, c: a % 3 == 1),
    "take": lambda d: d.take(70),
    "skip": lambda d: d.skip(65),
    "repeat": lambda d: d.repeat(2),
    "all": lambda d: d.skip(5).map(halve).filter(lambda a, b, c: b > 20.0).take(150).repeat(2),
}


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("size", [1, 7, 400])
def test_blocks_are_elements(table, name, size):
    for change in (lambda d: d, lambda d: d.batch(size), lambda d: d.batch(size, drop_remainder=True), lambda d: d.batch(size).unbatch()):
        ours, plain = change(STAGES[name](table)), change(STAGES[name](elements(table)))
        for a, b in zip(ours.as_numpy_iterator(), plain.as_numpy_iterator(), strict=True):
            for x, y in zip(a, b, strict=True):
                np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("buffer", [1, 10, 64, 299, 300, 1000])
def test_shuffled_blocks(table, buffer):
    def order(d):
        return [int(a) for a, _, _ in d.as_numpy_iterator()]

    dataset = table.shuffle(buffer, seed=1)
    first, second = order(dataset), order(dataset)
    assert sorted(first) == sorted(second) == list(range(300))
    assert buffer == 1 or first != second
    assert all(value <= at + buffer - 1 for at, value in enumerate(first))  # no element leaves before it was in the buffer
    for a, b, c in table.shuffle(buffer).batch(32):
        np.testing.assert_array_equal(b, a.numpy() * 0.5)
        assert [f"w{i}".encode() for i in a.numpy()] == c.numpy().tolist()


def test_each_place_of_a_shuffled_block_is_as_likely(table):
    at = np.zeros((30, 30))
    dataset = table.take(30).shuffle(8)
    for _ in range(300):
        for i, (a, _, _) in enumerate(dataset.as_numpy_iterator()):
            at[i, int(a)] += 1
    assert np.abs(at[0, :8] / 300 - 1 / 8).max() < 0.08
    assert not np.triu(at, 8).any()


def test_a_function_that_fails_for_one_row(table):
    """The rows before it are delivered, and those after it to a reader that goes on."""
    def divide(a, b, c):
        return 10 // (a - 40), c

    it = iter(table.map(divide))
    found = []
    while True:
        try:
            found.append(next(it)[1].numpy())
        except StopIteration:
            break
        except tf.errors.InvalidArgumentError:
            found.append(None)
    assert found == [None if i == 40 else f"w{i}".encode() for i in range(300)]


def test_single_examples_are_parsed_together(tmp_path):
    """The same values and errors as one by one, for records of one size, of many, and a damaged one among them."""
    def example(i, extra):
        feature = {
            "id": tf.train.Feature(int64_list=tf.train.Int64List(value=[i])),
            "vector": tf.train.Feature(float_list=tf.train.FloatList(value=[i, i + 0.5])),
            "name": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"n" * extra + str(i % 10).encode()])),
        }
        if i % 7 == 3:
            del feature["name"]
        return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()

    features = {
        "id": tf.io.FixedLenFeature([], tf.int64), "vector": tf.io.FixedLenFeature([2], tf.float32),
        "name": tf.io.FixedLenFeature([], tf.string, default_value="none"),
    }  # fmt: skip

    def parse(record):
        found = tf.io.parse_single_example(record, features)
        return tf.cast(found["id"], tf.float32) + found["vector"], tf.strings.upper(found["name"])

    for extra in (lambda i: 80, lambda i: i % 5):
        path = str(tmp_path / "r")
        records = [example(i, extra(i)) for i in range(100)]
        with tf.io.TFRecordWriter(path) as writer:
            for r in records:
                writer.write(r)
        for at, (vector, name) in enumerate(tf.data.TFRecordDataset(path).map(parse)):
            assert vector.numpy().tolist() == [2 * at, 2 * at + 0.5]
            assert name.numpy() == (b"NONE" if at % 7 == 3 else b"N" * extra(at) + str(at % 10).encode())
        records[60] = records[60][:-3]
        with tf.io.TFRecordWriter(path) as writer:
            for r in records:
                writer.write(r)
        it, count = iter(tf.data.TFRecordDataset(path).map(parse)), 0
        with pytest.raises(tf.errors.InvalidArgumentError):
            while True:
                next(it)
                count += 1
        assert count == 60 and next(it)[0].numpy()[0] == 122
