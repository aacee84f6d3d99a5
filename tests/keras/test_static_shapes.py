"""What is known of shapes when a model is built or its step is traced, though the batch's size is open."""

from __future__ import annotations

import numpy as np
import pytest

import tf2compat as tf

k = tf.keras
L = tf.keras.layers


class Seen(L.Layer):
    """Notes the shapes that it is traced with."""

    def __init__(self):
        super().__init__()
        self.shapes = []

    def call(self, x):
        self.shapes.append(tuple(x.shape.as_list()))
        return x


def _model():
    seen = Seen()
    model = k.Sequential([L.Dense(2, input_shape=(3,)), seen])
    model.compile("sgd", "mse")
    seen.shapes.clear()
    return model, seen.shapes


X, Y = np.zeros((70, 3), "float32"), np.zeros((70, 2), "float32")


# as TensorFlow 2.21 and Keras 2 trace them (the first trace is made twice, since it makes the optimizer's variables)
@pytest.mark.parametrize(("use", "sizes"), [
    (lambda m: m.fit(X, Y, verbose=0), [None, None]),
    (lambda m: m.fit(X[:64], Y[:64], verbose=0), [32, 32]),
    (lambda m: (m.fit(X[:64], Y[:64], verbose=0), m.fit(X, Y, verbose=0)), [32, 32, None]),
    (lambda m: m.fit(X, Y, verbose=0, steps_per_epoch=2), [35, 35]),
    (lambda m: m.fit(X[:5], Y[:5], verbose=0, epochs=2), [None, None]),
    (lambda m: m.predict(X, verbose=0), [None]),
    (lambda m: m.predict(X[:64], verbose=0), [32]),
    (lambda m: m.evaluate(X, Y, verbose=0), [None]),
    (lambda m: m.train_on_batch(X[:5], Y[:5]), [5, 5]),
    (lambda m: m.fit(tf.data.Dataset.from_tensor_slices((X, Y)).batch(32), verbose=0), [None, None]),
    (lambda m: m.fit(tf.data.Dataset.from_tensor_slices((X, Y)).batch(32, drop_remainder=True), verbose=0), [32, 32]),
], ids=range(11))  # fmt: skip
def test_steps_are_traced_for_the_sizes_that_keras_knows(use, sizes):
    model, shapes = _model()
    use(model)
    assert [s[0] for s in shapes if s[1:] == (2,)] == sizes


def test_a_ragged_batch_is_traced_once_for_all_sizes():
    shapes = []

    class Model(k.Model):
        def __init__(self):
            super().__init__()
            self.dense = L.Dense(1)

        def call(self, x):
            shapes.append(x.shape.as_list())
            return self.dense(x.to_tensor(shape=[None, 4]))

    model = Model()
    model.compile("sgd", "mse")
    model.fit(tf.ragged.constant([[1.0, 2.0], [3.0], [4.0, 5.0, 6.0]] * 15), np.zeros((45, 1)), verbose=0)
    assert shapes.count([None, None]) == len(shapes)


@pytest.mark.parametrize(("build", "layer", "said"), [
    (lambda i, j: i + j, "tf.__operators__.add", "Dimensions must be equal, but are 2 and 7 for '{{node tf.__operators__.add/AddV2}} = AddV2"),
    (lambda i, j: tf.concat([i, j], 0), "tf.concat", "Dimension 0 in both shapes must be equal, but are 2 and 7. Shapes are [2] and [7]."),
    (lambda i, j: tf.squeeze(i, 1), "squeeze", "Can not squeeze dim[1], expected a dimension of 1, got 2"),
    (lambda i, j: i[:, 5], "tf.__operators__.getitem", "slice index 5 of dimension 1 out of bounds."),
    (lambda i, j: L.Lambda(lambda v: v[0] * v[1])([i, j]), "lambda", "Dimensions must be equal, but are 2 and 7 for '{{node"),
], ids=["add", "concat", "squeeze", "index", "lambda"])  # fmt: skip
def test_shapes_that_cannot_fit_are_told_when_a_model_is_built(build, layer, said):
    with pytest.raises(ValueError) as caught:
        build(L.Input((2,)), L.Input((7,)))
    text = str(caught.value)
    assert text.startswith("Exception encountered when calling layer") and layer in text.splitlines()[0] and said in text
    assert "Call arguments received by layer" in text


@pytest.mark.parametrize(("f", "shapes", "said"), [
    (lambda a, b: a - b, [(None, 2), (None, 7)], "Dimensions must be equal, but are 2 and 7"),
    (lambda a, b: tf.where(a > 0, a, b), [(None, 2), (3, 7)], "Dimensions must be equal, but are 2 and 7"),
    (lambda a, b: tf.matmul(a, b), [(None, 2), (7, None)], "Dimensions must be equal, but are 2 and 7"),
    (lambda a, b: tf.stack([a, b]), [(None, 2), (None, 7)], "Dimension 1 in both shapes must be equal, but are 2 and 7"),
    (lambda a, b: tf.add_n([a, b]), [(None, 6), (None, 7)], "Dimension 1 in both shapes must be equal, but are 6 and 7"),
    (lambda a, b: tf.einsum("ij,kj->ik", a, b), [(None, 2), (None, 7)], "Dimensions must be equal, but are 2 and 7"),
    (lambda a: tf.reshape(a, [3, 7, -1])[:, :2] + tf.reshape(a, [3, 5, -1]), [(None, 105)], "Dimensions must be equal, but are 2 and 5"),
    (lambda a: tf.split(a, 3, -1), [(None, 7)], "Dimension size must be evenly divisible by 3 but is 7"),
    (lambda a: tf.nn.bias_add(a, tf.ones(3)), [(None, 7)], "Dimensions must be equal, but are 7 and 3"),
    (lambda a: tf.nn.conv2d(a, tf.ones((3, 3, 4, 5)), 1, "SAME"), [(None, 8, 8, 3)], "Depth of input (3) is not a multiple of input depth of filter (4)"),
    (lambda a: tf.gather(a, [1], axis=3), [(None, 7)], "Shape must be at least rank 4 but is rank 2"),
    (lambda a: tf.transpose(a, [0, 1, 2]), [(None, 7)], "Dimension must be 2 but is 3"),
    (lambda a: tf.broadcast_to(a, [3, 5]), [(None, 7)], "Dimensions must be equal, but are 7 and 5"),
], ids=range(13))  # fmt: skip
def test_shapes_that_cannot_fit_are_told_while_a_function_is_traced(f, shapes, said):
    with pytest.raises(ValueError) as caught:
        tf.function(f, input_signature=[tf.TensorSpec(s) for s in shapes]).get_concrete_function()
    assert said in str(caught.value)


@pytest.mark.parametrize(("f", "shapes"), [
    (lambda a, b: a - b, [(None, 2), (5, None)]),
    (lambda a, b: tf.nn.softmax_cross_entropy_with_logits(a, b), [(None, 2), (None, None)]),
    (lambda a: tf.reshape(a, [3, 4]), [(None, 6)]),
    (lambda a: tf.reshape(a, [3, 8]), [(None, None)]),
    (lambda a: tf.broadcast_to(a, [3, 5]), [(None, 5)]),
    (lambda a: tf.unstack(a, 3), [(None, 5)]),
    (lambda a: a[:, 50], [(3, None)]),
], ids=range(7))  # fmt: skip
def test_shapes_that_may_fit_are_traced(f, shapes):
    tf.function(f, input_signature=[tf.TensorSpec(s) for s in shapes]).get_concrete_function()


def test_of_open_sizes_squeeze_knows_no_rank():
    @tf.function(input_signature=[tf.TensorSpec([None, 1, 3])])
    def f(x):
        y = tf.squeeze(x)
        assert y.shape.rank is None
        return y * 2, tf.reshape(y, [-1])

    for n, shape in ((2, [2, 3]), (1, [3])):
        y, flat = f(tf.ones([n, 1, 3]))
        assert y.shape.as_list() == shape and flat.shape.as_list() == [3 * n]
    assert tf.squeeze(k.Input((1,))).shape.rank is None and tf.squeeze(k.Input((3, 1)), -1).shape.as_list() == [None, 3]


@pytest.mark.parametrize(("loss", "metrics", "y", "said"), [
    ("categorical_crossentropy", [], (10, 1), "Shapes (None, 1) and (None, 3) are incompatible"),
    ("categorical_crossentropy", [], (32, 1), "Shapes (32, 1) and (32, 3) are incompatible"),
    ("categorical_focal_crossentropy", [], (10, 5), "Shapes (None, 5) and (None, 3) are incompatible"),
    (k.losses.BinaryCrossentropy(from_logits=True), [], (10, 1), "`logits` and `labels` must have the same shape, received ((None, 3) vs (None, 1))."),
    ("mse", [k.metrics.Precision()], (10, 1), "Shapes (None, 3) and (None, 1) are incompatible"),
    ("mse", [], (10, 2), "Dimensions must be equal, but are 2 and 3"),
], ids=range(6))  # fmt: skip
def test_targets_that_cannot_fit(loss, metrics, y, said):
    model = k.Sequential([L.Dense(3, activation="softmax", input_shape=(4,))])
    model.compile("sgd", loss, metrics=metrics)
    with pytest.raises(ValueError) as caught:
        model.fit(np.zeros((y[0], 4)), np.zeros(y), verbose=0)
    assert said in str(caught.value)


def test_a_model_is_called_on_an_input_of_another_shape():
    i = L.Input((8, 8, 3))
    model = k.Model(i, L.GlobalAveragePooling2D()(L.Conv2D(4, 3)(i)))
    assert model(L.Input((9, 9, 3))).shape.as_list() == [None, 4]
    with pytest.raises(ValueError, match="expected axis -1 of input shape to have value 3"):
        model(L.Input((8, 8, 1)))
    with pytest.raises(ValueError, match=r"expected shape=\(None, 8, 8, 3\), found shape=\(2, 9, 9, 3\)"):
        model(np.zeros((2, 9, 9, 3), "float32"))


def test_results_of_layers_have_the_names_of_tensorflows_nodes():
    i, j = L.Input((8,)), L.Input((8, 8, 3))
    k.backend.clear_session()
    found = [f(x).name for f, x in [
        (L.Dense(2), i), (L.Dense(2, use_bias=False), i), (L.Dense(2, activation="relu"), i), (L.Conv2D(2, 3), j), (L.Conv2D(2, 3, use_bias=False), j),
        (L.DepthwiseConv2D(3), j), (L.Conv2DTranspose(2, 3), j), (L.MaxPooling2D(), j), (L.GlobalAveragePooling2D(), j), (L.Flatten(), j),
        (L.BatchNormalization(), j), (L.LayerNormalization(), j), (L.Add(), [i, i]), (L.ZeroPadding2D(), j),
    ]]  # fmt: skip
    assert found == [
        "dense/BiasAdd:0", "dense_1/MatMul:0", "dense_2/Relu:0", "conv2d/BiasAdd:0", "conv2d_1/Conv2D:0", "depthwise_conv2d/BiasAdd:0",
        "conv2d_transpose/BiasAdd:0", "max_pooling2d/MaxPool:0", "global_average_pooling2d/Mean:0", "flatten/Reshape:0",
        "batch_normalization/FusedBatchNormV3:0", "layer_normalization/add:0", "add/add:0", "zero_padding2d/Pad:0",
    ]  # fmt: skip
