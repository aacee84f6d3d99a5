"""`tf.test.TestCase`: its assertions pass where they should, and fail where they should."""

from __future__ import annotations

import numpy as np
import pytest

import tf2compat as tf


class _Case(tf.test.TestCase):
    def runTest(self) -> None:
        """The class is used for its assertions."""


CASE = _Case()

GOOD_AND_BAD = [
    ("assertAllEqual", (tf.constant([1, 2]), [1, 2]), (tf.constant([1, 2]), [1, 3])),
    ("assertAllEqual", (np.array([np.nan]), np.array([np.nan])), (tf.ones([2]), tf.ones([3]))),
    ("assertNotAllEqual", ([1], [2]), ([1], tf.constant([1]))),
    ("assertAllClose", ({"a": tf.constant([1.0])}, {"a": [1.0 + 1e-7]}), ({"a": tf.constant([1.0])}, {"a": [1.1]})),
    ("assertAllClose", ([tf.ones([2]), (1.0,)], [np.ones(2), (1.0,)]), ([1.0, 2.0], [1.0])),
    ("assertNotAllClose", ([1.0], [1.1]), ([1.0], [1.0])),
    ("assertAllCloseAccordingToType", (tf.constant([1.0], tf.float16), [1.0005]), (tf.constant([1.0]), [1.0005])),
    ("assertAllGreater", (tf.constant([2, 3]), 1), (tf.constant([2, 3]), 2)),
    ("assertAllLess", ([1, 2], 3), ([1, 2], 2)),
    ("assertAllGreaterEqual", ([1, 2], 1), ([1, 2], 2)),
    ("assertAllLessEqual", ([1, 2], 2), ([1, 2], 1)),
    ("assertAllInRange", (tf.constant([0.0, 1.0]), 0, 1), (tf.constant([0.0, 1.0]), 0, 1, True)),
    ("assertAllInSet", (tf.constant([1, 2]), {1, 2, 3}), (tf.constant([1, 4]), {1, 2, 3})),
    ("assertShapeEqual", (tf.ones([2]), np.ones(2)), (tf.ones([2]), np.ones(3))),
    ("assertDTypeEqual", (tf.ones([2]), np.float32), (tf.ones([2]), tf.int32)),
    ("assertNear", (1.0, 1.05, 0.1), (1.0, 1.5, 0.1)),
    ("assertArrayNear", ([1.0], [1.05], 0.1), ([1.0], [1.5], 0.1)),
    ("assertNDArrayNear", (np.ones(2), np.ones(2), 0.1), (np.ones(2), np.zeros(2), 0.1)),
    ("assertDeviceEqual", ("/cpu:0", "/device:CPU:0"), None),
    ("assertLen", ([1, 2], 2), ([1], 2)),
    ("assertBetween", (2, 1, 3), (4, 1, 3)),
]


@pytest.mark.parametrize(("name", "good", "bad"), GOOD_AND_BAD)
def test_assertions(name: str, good: tuple, bad: tuple | None) -> None:
    getattr(CASE, name)(*good)
    if bad is not None:
        with pytest.raises(AssertionError):
            getattr(CASE, name)(*bad)


def test_errors() -> None:
    with CASE.assertRaisesOpError("Incompatible shapes"):
        tf.constant([1, 2]) + tf.constant([1, 2, 3])
    with CASE.assertRaisesIncompatibleShapesError():
        tf.constant([1, 2]) + tf.constant([1, 2, 3])
    with pytest.raises(AssertionError), CASE.assertRaisesWithPredicateMatch(ValueError, "never"):
        raise ValueError("another")


def test_evaluate_and_gradients() -> None:
    found = CASE.evaluate({"a": tf.constant([1, 2]), "b": (tf.constant(3),)})
    assert found["a"].tolist() == [1, 2] and found["b"][0] == 3
    (exact,), (near,) = tf.test.compute_gradient(lambda x: x * x, [tf.constant([1.0, 3.0])])
    np.testing.assert_allclose(exact, near, rtol=1e-3)
    assert tf.test.gpu_device_name() in ("", "/device:GPU:0")


class Sessions(tf.test.TestCase):
    def test_eager_stand_in(self) -> None:
        with self.cached_session() as session:
            self.assertAllEqual(session.run({"a": tf.constant([1, 2])})["a"], [1, 2])
            with self.assertRaisesRegex(RuntimeError, "fed"):
                session.run(tf.constant(1), feed_dict={"x": 1})
        with self.test_session() as nothing:
            self.assertIsNone(nothing)

    def test_values_of_tensors_with_parts(self) -> None:
        rows = self.evaluate(tf.ragged.constant([[1, 2], [3]]))
        self.assertAllEqual(rows, [[1, 2], [3]])
        self.assertAllEqual(tf.ragged.constant([["a"], []]), rows.__class__(np.array([b"a"], object), np.array([0, 1, 1])))
        sparse = self.evaluate(tf.sparse.from_dense([0, 5]))
        self.assertAllEqual(sparse.indices, [[1]])
        self.assertAllEqual(tf.constant(["a", "ü"]), ["a", "ü"])
        with self.assertRaises(AssertionError):
            self.assertAllEqual(tf.ragged.constant([[1], []]), [[1], [2]])

    def test_ops_on_values_of_ragged_tensors(self) -> None:
        value = tf.compat.v1.ragged.constant_value([["ab"], ["c"]])
        self.assertAllEqual(tf.strings.bytes_split(value), [[[b"a", b"b"]], [[b"c"]]])
        self.assertAllEqual(tf.strings.length(value), [[2], [1]])


def test_what_test_cases_of_libraries_call() -> None:
    class Case(_Case):
        def _GetNdArray(self, a):  # noqa: N802
            return super()._GetNdArray(a) + 1

    assert Case()._GetNdArray(tf.constant([1, 2])).tolist() == [2, 3]
    CASE.assertStartsWith("abc", "ab")
    with pytest.raises(AssertionError, match="does not start"):
        CASE.assertStartsWith("abc", "b")
