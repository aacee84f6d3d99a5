"""Ops that take other ways for many elements than for few; patterns on ASCII text, which `re` reads, give what RE2 gives."""

from __future__ import annotations

import random

import numpy as np
import pytest

import tf2compat as tf
from tf2compat.strings import _plain_patterns, regex

PLAIN = [
    rb"o", rb"[!\"#$%&()\*\+,-\./:;<=>?@\[\\\]^_`{|}~']", rb"<br />", rb"[^a-zA-Z ]", rb"\d+", rb"@\w+", rb"http\S+", "[^ a-z.?!,¿]".encode(),
    rb"(a|b)c", rb"(?:ab|a)b?", rb"a{2,3}", rb"^the", rb"[.?!,]", rb"\s+", rb"a.b", rb"x*y", rb"a?b", rb"(\w)-(\w)", rb"a+?b", rb"[\w\s]x", rb"a{1,}c",
]  # fmt: skip
RE2 = [rb"a*", rb"$", rb"a$", rb"(a+)+b", rb"a*b*c", rb"\bx", rb"(?i)a", rb"[[:alpha:]]", rb"\pL", rb"a{,3}", rb"[a&&b]", rb"\x41", rb"(?P<n>a)", "é".encode(), rb"(ab){2}"]


@pytest.mark.parametrize("pattern", PLAIN)
def test_same_as_re2(pattern: bytes) -> None:
    rnd = random.Random(0)
    expression = regex.compiled(pattern, "test")
    alphabet = "abcxyzo 012-.,!?<>/@#\n\t\vétheHTTP_$".encode()
    for template in (b"_", b"", b"[\\g<0>]", *([b"\\1+\\1"] if expression.groups else [])):
        for count in (0, 1):
            found = _plain_patterns.substitution(pattern, template, count)
            assert found is not None
            sub, fit = found
            for _ in range(400):
                text = bytes(rnd.choice(alphabet) for _ in range(rnd.randint(0, 14)))
                if fit(text):
                    assert sub(text) == expression.sub(template, text, count=count), (pattern, text)


@pytest.mark.parametrize("pattern", RE2)
def test_left_to_re2(pattern: bytes) -> None:
    assert _plain_patterns.substitution(pattern, b"_", 0) is None


@pytest.mark.parametrize(("pattern", "text"), [(b"a+b", b"a" * 200_000), (b"[^x]*y", b"z" * 200_000), (b"(a+)+b", b"a" * 3000), (rb"\w+@", b"w" * 4000)])
def test_hostile_text(pattern: bytes, text: bytes) -> None:
    """What would take minutes in `re` comes back at once."""
    assert tf.strings.regex_replace(tf.constant([text]), pattern, b"_").numpy().tolist() == [text]


def test_mixed_texts() -> None:
    """ASCII or not, long or short, in one tensor."""
    texts = ["été, 12", "a, b", "x" * 5000 + ",1", "", "é" * 3]
    found = tf.strings.regex_replace(texts, r"[^a-zé]+", "_").numpy().tolist()
    assert [f.decode() for f in found] == ["été_", "a_b", "x" * 5000 + "_", "", "ééé"]


@pytest.mark.parametrize(("pos", "length"), [(0, 2), (1, 100), (-2, 1), (-3, 2), (-3, 3), (-3, 9), (2, 0), (1, -4), (-1, 1)])
def test_one_part_of_each(pos: int, length: int) -> None:
    texts = [b"abcd", b"xyz", b"longer text"]
    found = tf.strings.substr(texts, pos, length).numpy().tolist()
    at = [pos if pos >= 0 else len(t) + pos for t in texts]
    assert found == [t[i : i + max(0, length)] for t, i in zip(texts, at, strict=True)]
    with pytest.raises(tf.errors.InvalidArgumentError, match="pos 5 out of range for string b'abcd' at index 0"):
        tf.strings.substr(texts, 5, 1)


def test_ascii_and_other_characters() -> None:
    decoded, offsets = tf.strings.unicode_decode_with_offsets(["ab", "aé", "", "日b"], "UTF-8")
    assert decoded.to_list() == [[97, 98], [97, 233], [], [26085, 98]]
    assert offsets.to_list() == [[0, 1], [0, 1], [], [0, 3]]
    assert tf.strings.unicode_split(["ab", "éx"], "UTF-8").to_list() == [[b"a", b"b"], ["é".encode(), b"x"]]


def test_few_of_many() -> None:
    """Of equal entries the first comes first, however the largest are found."""
    rng = np.random.default_rng(0)
    for x in (rng.standard_normal((4, 5000)), rng.integers(0, 50, (4, 5000)), np.where(rng.random((4, 5000)) < 0.001, np.nan, rng.standard_normal((4, 5000)))):
        values, indices = tf.math.top_k(x, 20)
        order = np.stack([sorted(range(5000), key=lambda i, r=r: (-np.inf if np.isnan(r[i]) else -r[i], i))[:20] for r in x])
        clean = ~np.isnan(x).any(1)
        np.testing.assert_array_equal(indices.numpy()[clean], order[clean])
        np.testing.assert_array_equal(values.numpy()[clean], np.take_along_axis(x, order, 1)[clean])
    v = tf.Variable(rng.standard_normal((3, 4000)).astype("float32"))
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.math.top_k(v, 5).values * tf.constant([1.0, 2, 3, 4, 5]))
    np.testing.assert_allclose(np.sort(tape.gradient(y, v).numpy(), 1)[:, -5:], [[1, 2, 3, 4, 5]] * 3)


def test_logical_reductions_of_many() -> None:
    x = np.zeros((100, 60), bool)
    x[3, 4] = True
    for axis in (None, 0, 1, [0, 1], -1):
        for keepdims in (False, True):
            over = tuple(axis) if isinstance(axis, list) else axis
            np.testing.assert_array_equal(tf.reduce_any(x, axis, keepdims), x.any(over, keepdims=keepdims))
            np.testing.assert_array_equal(tf.reduce_all(~x, axis, keepdims), (~x).all(over, keepdims=keepdims))
    assert tf.reduce_any(x).dtype == tf.bool


def test_one_hot_of_many() -> None:
    indices = np.arange(-2, 1000).reshape(3, 334) % 60 - 3
    for axis in (-1, 0, 1, 2):
        found = tf.one_hot(indices, 40, axis=axis, dtype=tf.int32).numpy()
        np.testing.assert_array_equal(found, np.moveaxis((indices[..., None] == np.arange(40)).astype("int32"), -1, axis))


def test_ragged_ranges_by_one_step() -> None:
    assert tf.ragged.range([0, 5, 8], [3, 5, 12]).to_list() == [[0, 1, 2], [], [8, 9, 10, 11]]
    assert tf.ragged.range([9, 2], [0, 20], 4).to_list() == [[], [2, 6, 10, 14, 18]]
    assert tf.ragged.range([9, 2], [0, 20], -4).to_list() == [[9, 5, 1], []]
    assert tf.ragged.range([9, 2], [0, 20], [-4, 9]).to_list() == [[9, 5, 1], [2, 11]]
    assert tf.ragged.range(tf.constant([1, 2], tf.int64), [4, 3]).dtype == tf.int64
    assert tf.ragged.range([0.5, 1.0], [2.0, 2.5], 0.5).to_list() == [[0.5, 1.0, 1.5], [1.0, 1.5, 2.0]]


@pytest.mark.parametrize("rate", [0.005, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("seed", [None, 3])
def test_share_that_dropout_keeps(rate: float, seed: int | None) -> None:
    if seed is not None:
        tf.random.set_seed(seed)
    x = tf.ones([1_000_003])
    for drop in (tf.keras.layers.Dropout(rate), lambda x, training: tf.nn.dropout(x, rate)):
        found, again = drop(x, training=True).numpy(), drop(x, training=True).numpy()
        assert set(np.unique(found)) == {np.float32(0), np.float32(1 / (1 - rate))}
        assert abs((found == 0).mean() - rate) < 6 * (rate * (1 - rate) / x.shape[0]) ** 0.5 + 1e-5
        assert abs(np.corrcoef(found[:-1], found[1:])[0, 1]) < 0.006
        assert (found != again).any()
    layer = tf.keras.layers.AlphaDropout(rate)
    assert abs(layer(tf.random.normal([300_000]), training=True).numpy().std() - 1) < 0.05
