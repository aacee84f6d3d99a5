"""Ragged results of dense strings, and sequence examples, whose sizes are known when the function runs; the answers are TensorFlow's."""

from __future__ import annotations

from typing import Any

import pytest

import tf2compat as tf


@pytest.mark.parametrize(
    ("given", "shape"),
    [([None, None], [None, None, None]), ([2, None], [2, None, None]), ([None, 2], [None, 2, None]), ([2, 2], [2, 2, None])],
)
def test_characters_of_open_shapes(given: list, shape: list) -> None:
    told = []

    @tf.function(input_signature=[tf.TensorSpec(given, tf.string)])
    def split(text):
        out = tf.strings.unicode_split(text, "UTF-8")
        told.append((out.shape.as_list(), out.ragged_rank))
        return out

    out = split(tf.constant([["ab", "c"], ["", "déf"]])).to_list()
    assert out == [[[b"a", b"b"], [b"c"]], [[], [b"d", "é".encode(), b"f"]]]
    assert told == [(shape, 2)]
    if given[0] is None and given[1] is None:
        assert split(tf.constant([["ab", "", "c"]])).to_list() == [[[b"a", b"b"], [], [b"c"]]]


def test_one_sequence_example() -> None:
    float_list = tf.train.Feature(float_list=tf.train.FloatList(value=[1.0, 2.0]))
    text = tf.train.SequenceExample(
        feature_lists=tf.train.FeatureLists(feature_list={"v": tf.train.FeatureList(feature=[float_list] * 3)})
    ).SerializeToString()

    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def parse(serialized):
        _, lists, lengths = tf.io.parse_sequence_example(
            serialized, sequence_features={"v": tf.io.FixedLenSequenceFeature([2], tf.float32)}
        )
        assert lists["v"].shape.as_list() == [None, 2] and lengths["v"].shape.as_list() == []
        return lists["v"], lengths["v"]

    rows, length = parse(text)
    assert rows.numpy().tolist() == [[1.0, 2.0]] * 3 and int(length) == 3 and length.dtype == tf.int64


def test_ranges_of_sizes_are_made_of_numbers() -> None:
    """A region that is compiled or recorded goes over them; the ends are the sizes that come."""

    @tf.function(input_signature=[tf.TensorSpec((None, None)), tf.TensorSpec((), tf.int32)])
    def ranges(x: Any, n: Any) -> Any:
        rows, width = tf.shape(x)[0], tf.shape(x)[1]
        return [
            tf.range(rows), tf.range(1, rows * 2 + 1, 2), tf.range(width - 1, -1, -1), tf.range(tf.cast(rows, tf.float32)), tf.range(rows, dtype=tf.int64),
            tf.range(n), tf.range(rows, rows + n), tf.range(tf.size(x)),
        ]  # fmt: skip

    for shape, n in (((3, 4), 2), ((1, 1), 0), ((0, 5), 1)):
        a, b = shape
        wanted = [range(a), range(1, 2 * a + 1, 2), range(b - 1, -1, -1), range(a), range(a), range(n), range(a, a + n), range(a * b)]
        found = ranges(tf.zeros(shape), n)
        assert [list(map(int, t.numpy())) for t in found] == [list(w) for w in wanted]
        assert [t.dtype.name for t in found] == ["int32", "int32", "int32", "float32", "int64", "int32", "int32", "int32"]
    code = str(ranges.get_concrete_function().graph.code)
    assert "_int(" not in code
    with pytest.raises(tf.errors.InvalidArgumentError, match="Requires start <= limit when delta > 0: 0/-1"):
        ranges(tf.zeros((2, 2)), -1)
