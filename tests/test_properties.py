"""Broadcasting, indexing and reductions hold against NumPy for arbitrary shapes (hypothesis)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tf2compat as tf

quick = settings(max_examples=60, deadline=None)

SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
FLOATS = st.floats(-100, 100, width=32).filter(lambda v: v == 0 or abs(v) > 1e-3)

BINARY = {
    "add": (tf.add, np.add),
    "subtract": (tf.subtract, np.subtract),
    "multiply": (tf.multiply, np.multiply),
    "maximum": (tf.maximum, np.maximum),
    "minimum": (tf.minimum, np.minimum),
    "less": (tf.less, np.less),
    "greater_equal": (tf.greater_equal, np.greater_equal),
    "equal": (tf.equal, np.equal),
    "squared_difference": (tf.math.squared_difference, lambda a, b: (a - b) ** 2),
}

REDUCTIONS = {
    "sum": (tf.reduce_sum, np.sum),
    "mean": (tf.reduce_mean, np.mean),
    "max": (tf.reduce_max, np.max),
    "min": (tf.reduce_min, np.min),
    "prod": (tf.reduce_prod, np.prod),
    "variance": (tf.math.reduce_variance, np.var),
    "std": (tf.math.reduce_std, np.std),
}


@st.composite
def broadcastable(draw) -> tuple[np.ndarray, np.ndarray]:
    shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, min_side=0, max_side=4)).input_shapes
    arrays = [draw(hnp.arrays(np.float32, s, elements=FLOATS)) for s in shapes]
    return arrays[0], arrays[1]


@pytest.mark.parametrize("name", BINARY)
@quick
@given(pair=broadcastable())
def test_broadcasting(name: str, pair: tuple[np.ndarray, np.ndarray]) -> None:
    ours, theirs = BINARY[name]
    expected = theirs(*pair)
    got = ours(tf.constant(pair[0]), tf.constant(pair[1]))
    assert got.numpy().dtype == expected.dtype
    assert got.shape == expected.shape
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-5, atol=1e-5)


@quick
@given(shapes=st.tuples(SHAPES, SHAPES))
def test_broadcasting_fails_where_numpy_fails(shapes) -> None:
    a, b = np.ones(shapes[0], np.float32), np.ones(shapes[1], np.float32)
    try:
        expected = (a + b).shape
    except ValueError:
        with pytest.raises(tf.errors.InvalidArgumentError):
            tf.constant(a) + tf.constant(b)
        with pytest.raises(ValueError):
            tf.broadcast_static_shape(tf.TensorShape(a.shape), tf.TensorShape(b.shape))
        return
    assert (tf.constant(a) + tf.constant(b)).shape == expected
    assert tf.broadcast_static_shape(tf.TensorShape(a.shape), tf.TensorShape(b.shape)) == expected


@quick
@given(pair=broadcastable())
def test_gradients_of_broadcasting_have_the_shapes_of_the_inputs(pair) -> None:
    a, b = (tf.constant(p) for p in pair)
    with tf.GradientTape() as tape:
        tape.watch([a, b])
        product = a * b
    ga, gb = tape.gradient(product, [a, b])
    assert ga.shape == a.shape and gb.shape == b.shape
    ones = np.ones(np.broadcast_shapes(*(p.shape for p in pair)), np.float32)
    for gradient, other in ((ga, pair[1]), (gb, pair[0])):
        full = other * ones
        full = full.sum(axis=tuple(range(full.ndim - len(gradient.shape))))
        axes = tuple(i for i, n in enumerate(gradient.shape) if n == 1 and full.shape[i] != 1)
        np.testing.assert_allclose(gradient.numpy(), full.sum(axis=axes, keepdims=True), rtol=1e-4, atol=1e-3)


def bound(size: int) -> st.SearchStrategy[int | None]:
    return st.one_of(st.none(), st.integers(-size - 2, size + 2))


@st.composite
def array_and_index(draw) -> tuple[np.ndarray, tuple]:
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=5))
    array = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    index: list = []
    for size in shape[: draw(st.integers(0, len(shape)))]:
        kind = draw(st.sampled_from(["int", "slice", "slice", "full"]))
        if kind == "int":
            index.append(draw(st.integers(-size, size - 1)))
        elif kind == "full":
            index.append(slice(None))
        else:
            step = draw(st.one_of(st.none(), st.integers(-3, 3).filter(bool)))
            index.append(slice(draw(bound(size)), draw(bound(size)), step))
    if draw(st.booleans()):
        position = draw(st.integers(0, len(index)))
        # What follows the ellipsis counts from the last axis: keep only what is valid for any axis.
        index[position:] = [i for i in index[position:] if isinstance(i, slice)]
        index.insert(position, Ellipsis)
    for _ in range(draw(st.integers(0, 2))):
        index.insert(draw(st.integers(0, len(index))), None)
    return array, tuple(index)


@settings(max_examples=400, deadline=None)
@given(case=array_and_index())
def test_indexing(case: tuple[np.ndarray, tuple]) -> None:
    array, index = case
    expected = array[index]
    for subject in (tf.constant(array), tf.Variable(array)):
        got = subject[index]
        assert got.dtype == tf.int32
        assert got.shape == expected.shape
        np.testing.assert_array_equal(got.numpy(), expected)


@settings(max_examples=100, deadline=None)
@given(case=array_and_index())
def test_gradient_of_indexing(case: tuple[np.ndarray, tuple]) -> None:
    array, index = case
    x = tf.constant(array.astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x[index] * 2.0
    expected = np.zeros(array.shape, np.float32)
    expected[index] = 2.0
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), expected)


@settings(max_examples=100, deadline=None)
@given(case=array_and_index())
def test_sliced_assignment(case: tuple[np.ndarray, tuple]) -> None:
    array, index = case
    index = tuple(i for i in index if i is not None)
    expected = array.copy()
    value = -np.arange(expected[index].size, dtype=np.int32).reshape(expected[index].shape)
    variable = tf.Variable(array)
    variable[index].assign(value)
    expected[index] = value
    np.testing.assert_array_equal(variable.numpy(), expected)


@settings(max_examples=100, deadline=None)
@given(array=hnp.arrays(np.float32, hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4), elements=FLOATS), data=st.data())
def test_boolean_masks(array: np.ndarray, data) -> None:
    mask = data.draw(hnp.arrays(np.bool_, array.shape[: data.draw(st.integers(1, array.ndim))]))
    np.testing.assert_array_equal(tf.constant(array)[mask].numpy(), array[mask])
    np.testing.assert_array_equal(tf.boolean_mask(array, mask).numpy(), array[mask])


@st.composite
def array_and_axis(draw, min_side: int = 1) -> tuple[np.ndarray, object]:
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=4, min_side=min_side, max_side=4))
    array = draw(hnp.arrays(np.float64, shape, elements=st.floats(-3, 3)))
    ndim = array.ndim
    axis = draw(
        st.one_of(
            st.none(),
            st.integers(-ndim, ndim - 1),
            st.lists(st.integers(0, ndim - 1), unique=True, min_size=1).map(tuple),
        )
    )
    if isinstance(axis, tuple) and draw(st.booleans()):
        axis = tuple(a - ndim for a in axis)
    return array, axis


@pytest.mark.parametrize("name", REDUCTIONS)
@quick
@given(case=array_and_axis(), keepdims=st.booleans())
def test_reductions(name: str, case, keepdims: bool) -> None:
    ours, theirs = REDUCTIONS[name]
    array, axis = case
    expected = theirs(array, axis=axis, keepdims=keepdims)
    got = ours(tf.constant(array), axis=list(axis) if isinstance(axis, tuple) else axis, keepdims=keepdims)
    assert got.dtype == tf.float64
    assert got.shape == np.shape(expected)
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-9, atol=1e-9)


@quick
@given(case=array_and_axis(min_side=0))
def test_sums_of_empty_arrays(case) -> None:
    array, axis = case
    np.testing.assert_allclose(tf.reduce_sum(tf.constant(array), axis=axis).numpy(), array.sum(axis=axis), atol=1e-9)
    np.testing.assert_allclose(tf.reduce_prod(tf.constant(array), axis=axis).numpy(), array.prod(axis=axis), atol=1e-9)
    mask = array > 0
    np.testing.assert_array_equal(tf.reduce_all(tf.constant(mask), axis=axis).numpy(), mask.all(axis=axis))
    np.testing.assert_array_equal(tf.reduce_any(tf.constant(mask), axis=axis).numpy(), mask.any(axis=axis))


@quick
@given(array=hnp.arrays(np.int32, hnp.array_shapes(min_dims=1, max_dims=3, max_side=4), elements=st.integers(-3, 3)), data=st.data())
def test_argmax_cumsum_sort(array: np.ndarray, data) -> None:
    axis = data.draw(st.integers(-array.ndim, array.ndim - 1))
    t = tf.constant(array)
    np.testing.assert_array_equal(tf.argmax(t, axis).numpy(), array.argmax(axis))
    np.testing.assert_array_equal(tf.argmin(t, axis).numpy(), array.argmin(axis))
    np.testing.assert_array_equal(tf.cumsum(t, axis).numpy(), array.cumsum(axis, dtype=np.int32))
    np.testing.assert_array_equal(tf.sort(t, axis).numpy(), np.sort(array, axis))
    np.testing.assert_array_equal(tf.argsort(t, axis, stable=True).numpy(), np.argsort(array, axis, kind="stable"))


@quick
@given(array=hnp.arrays(np.int32, hnp.array_shapes(min_dims=1, max_dims=4, max_side=4)), data=st.data())
def test_shapes_round_trip(array: np.ndarray, data) -> None:
    t = tf.constant(array)
    perm = data.draw(st.permutations(range(array.ndim)))
    np.testing.assert_array_equal(tf.transpose(t, perm).numpy(), array.transpose(perm))
    np.testing.assert_array_equal(tf.reshape(tf.reshape(t, [-1]), array.shape).numpy(), array)
    axis = data.draw(st.integers(-array.ndim, array.ndim - 1))
    np.testing.assert_array_equal(tf.stack(tf.unstack(t, axis=axis), axis=axis).numpy(), array)
    np.testing.assert_array_equal(tf.concat(tf.split(t, array.shape[axis], axis), axis).numpy(), array)
    np.testing.assert_array_equal(tf.reverse(t, [axis]).numpy(), np.flip(array, axis))
    np.testing.assert_array_equal(tf.roll(t, 2, axis).numpy(), np.roll(array, 2, axis))
    np.testing.assert_array_equal(tf.squeeze(tf.expand_dims(t, axis), axis).numpy() if axis >= 0 else array, array)


@quick
@given(data=st.data())
def test_matmul(data) -> None:
    m, k, n = (data.draw(st.integers(0, 4)) for _ in range(3))
    batch = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=3)).input_shapes
    a, b = np.random.RandomState(0).randn(*batch[0], m, k), np.random.RandomState(1).randn(*batch[1], k, n)
    np.testing.assert_allclose(tf.matmul(a, b).numpy(), np.matmul(a, b), atol=1e-9)
    at, bt = np.swapaxes(a, -1, -2), np.swapaxes(b, -1, -2)
    np.testing.assert_allclose(tf.matmul(at, bt, transpose_a=True, transpose_b=True).numpy(), np.matmul(a, b), atol=1e-9)


@quick
@given(values=st.lists(st.floats(allow_nan=False, width=32), max_size=6), dtype=st.sampled_from(["float32", "float64"]))
def test_values_print_as_numpy_prints_them(values: list[float], dtype: str) -> None:
    array = np.array(values, dtype)
    tensor = tf.constant(array)
    plain, detailed = str(array), repr(array)
    # What takes several lines starts on one of its own.
    plain, detailed = (f"\n{text}" if "\n" in text else text for text in (plain, detailed))
    assert str(tensor) == f"tf.Tensor({plain}, shape={array.shape}, dtype={dtype})"
    assert repr(tensor) == f"<tf.Tensor: shape={array.shape}, dtype={dtype}, numpy={detailed}>"
