"""What Keras 2's own tests ask of layers, metrics, losses and the backend; what is expected was recorded from Keras 2."""

import re

import numpy as np
import pytest

import tf2compat as tf

k = tf.keras
K = k.backend
X = np.arange(12, dtype="float32").reshape(4, 3)


def test_logs_are_those_of_the_metrics():
    class Own(k.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = self.compiled_loss(y, self(x))
            self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
            return {"loss": tf.constant(5.0)}

    i = k.Input((3,))
    m = Own(i, k.layers.Dense(1, kernel_initializer="ones")(i))
    m.compile(k.optimizers.SGD(0.001), "mse")
    assert m.fit(X, X[:, :1], verbose=0, batch_size=4).history == {"loss": [189.0]}


def test_weights_of_fewer_dimensions_than_values():
    values = [[[1.0, 2.0], [3.0, 2.0], [0.5, 4.0]]]
    assert float(k.metrics.Sum()(values, sample_weight=[0.5])) == 6.25
    np.testing.assert_allclose(k.metrics.Mean()(values, sample_weight=[0.5]), 2.0833332538604736)


def test_shapes_of_sparse_accuracies():
    accuracy = k.metrics.sparse_categorical_accuracy
    pairs = tf.constant([[0.1, 0.9], [0.2, 0.8]])
    assert accuracy(np.arange(6).reshape(6, 1), np.arange(36).reshape(6, 6)).numpy().tolist() == [0, 0, 0, 0, 0, 1]
    assert accuracy(tf.constant([[1], [0]]), pairs).numpy().tolist() == [1, 0]
    assert accuracy(tf.constant([[1, 0]]), pairs[tf.newaxis]).numpy().tolist() == [[1, 0]]
    assert accuracy(tf.constant([[[1], [0]]]), pairs[tf.newaxis]).numpy().tolist() == [[1, 0]]
    assert k.metrics.sparse_top_k_categorical_accuracy(tf.constant([[1], [0]]), pairs, k=1).numpy().tolist() == [[1], [0]]
    metric = k.metrics.SparseCategoricalAccuracy()
    assert float(metric(tf.constant([[1], [0]]), pairs, sample_weight=[1.0, 3.0])) == 0.25


def test_ragged_labels_of_metrics():
    ragged = tf.ragged.constant
    for metric, y_true, y_pred, expected in (
        (k.metrics.Accuracy(), ragged([[1, 2], [2]]), ragged([[1, 3], [2]]), 2 / 3),
        (k.metrics.BinaryAccuracy(), ragged([[1], [0]]), ragged([[1], [1]]), 0.5),
        (k.metrics.CategoricalAccuracy(), ragged([[0, 0, 1], [0, 1, 0]]), ragged([[0.1, 0.1, 0.8], [0.05, 0.95, 0]]), 1.0),
        (k.metrics.MeanSquaredError(), ragged([[1.0, 2], [2]]), ragged([[1.0, 3], [2]]), 1 / 3),
        (k.metrics.TruePositives(), ragged([[1.0, 0], [1]]), ragged([[1.0, 1], [1]]), 2.0),
    ):
        metric.update_state(y_true, y_pred)
        np.testing.assert_allclose(metric.result(), expected, rtol=1e-6)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Inputs must have identical ragged splits"):
        k.metrics.Accuracy().update_state(ragged([[1, 2], [2]]), ragged([[1], [2, 3]]))
    with pytest.raises(TypeError, match="Some of the inputs are not tf.RaggedTensor"):
        k.metrics.Accuracy().update_state(ragged([[1, 2], [2]]), ragged([[1, 3], [2]]), sample_weight=[1.0, 2.0])


def test_ragged_labels_of_losses():
    y_true, y_pred = tf.ragged.constant([[1, 9, 2], [-5, -2]]), tf.ragged.constant([[4, 8, 12], [8, 1]], dtype=tf.float32)
    np.testing.assert_allclose(k.losses.MeanAbsolutePercentageError()(y_true, y_pred), 237.68518, rtol=1e-6)
    np.testing.assert_allclose(k.losses.MeanSquaredError(reduction="none")(y_true, y_pred), [36.666668, 89.0], rtol=1e-6)
    scores = tf.ragged.constant([[[0.9, 0.05, 0.05], [0.5, 0.89, 0.6]], [[0.05, 0.01, 0.94]]], dtype=tf.float32)
    np.testing.assert_allclose(k.losses.SparseCategoricalCrossentropy()(tf.ragged.constant([[0, 1], [2]]), scores), 0.32396814, rtol=1e-5)


def test_a_reduction_that_is_assigned():
    loss = k.losses.MeanSquaredError()
    loss.reduction = "Bar"
    with pytest.raises(ValueError, match="Invalid Reduction Key: Bar"):
        loss(tf.constant([1.0]), tf.constant([1.0]))


def test_a_metric_without_a_result():
    class Bad(k.metrics.Metric):
        def update_state(self, y_true, y_pred, sample_weight=None):
            return

        def result(self):
            return

    m = k.Sequential([k.layers.Dense(3, input_shape=(2,))])
    m.compile("sgd", "mse", metrics=[Bad()])
    with pytest.raises(RuntimeError, match="can only be a single Tensor/Variable"):
        m.fit(np.ones((10, 2)), np.ones((10, 3)), verbose=0)


def test_a_regularizer_of_activity_that_gives_a_number():
    m = k.Sequential([k.layers.Dense(2, activity_regularizer=lambda v: 0.5, input_shape=(3,))])
    m(X)
    assert [float(loss) for loss in m.losses] == [0.125]


def test_arguments_of_backend_functions():
    with pytest.raises(ValueError, match="Expected the 2 dimensions of the `dilation_rate`"):
        K.conv2d_transpose(tf.ones((1, 4, 4, 2)), tf.ones((3, 3, 2, 2)), (1, 4, 4, 2), padding="same", dilation_rate=(1, 2, 3))
    with pytest.raises(tf.errors.InvalidArgumentError, match=re.escape("Must provide as many biases as the last dimension of the input tensor: [3] vs. [3,4]")):
        K.bias_add(K.variable(np.ones((3, 4))), K.variable(np.ones((3,))))
    with pytest.raises(tf.errors.InvalidArgumentError, match="Input tensor must be at least 2D"):
        K.bias_add(K.variable((3, 4)), K.variable((3, 4)))
    with pytest.raises(ValueError, match="`strides` must be a tuple of 2 integers"):
        K.separable_conv2d(tf.ones((1, 4, 4, 2)), tf.ones((3, 3, 2, 2)), tf.ones((1, 1, 4, 2)), (2, 2, 2))
    assert K.bias_add(tf.ones((2, 3)), tf.constant([1.0, 2, 3])).numpy().tolist() == [[2, 3, 4]] * 2


def test_tensors_of_unknown_rank():
    labels, scores = tf.constant([[0.0, 1.0]]), tf.constant([[0.3, 0.7]])
    f = tf.function(lambda a, b: K.categorical_crossentropy(a, b), input_signature=[tf.TensorSpec(None), tf.TensorSpec(None)])
    np.testing.assert_allclose(f(labels, scores), [0.35667497], rtol=1e-6)
    a, b = K.placeholder(), K.placeholder()
    np.testing.assert_allclose(K.function([a, b], K.categorical_crossentropy(a, b))([labels, scores]), [0.35667497], rtol=1e-6)
    scalar = K.placeholder(shape=())
    assert scalar.shape == () and K.function(scalar, K.print_tensor(scalar, "m"))(0) == 0.0


def test_parts_of_variables():
    kinds = (k.initializers.GlorotUniform, k.initializers.RandomNormal, k.initializers.HeNormal)
    part = {"partition_shape": (2, 2), "partition_offset": (1, 0)}
    expected = (
        [[-0.29289692640304565, -0.4099426865577698], [0.29026687145233154, 0.753756046295166]],
        [[0.06035219505429268, -0.034495484083890915], [-0.0458250567317009, 0.017388133332133293]],
        [[1.3722245693206787, -0.7843219637870789], [-1.0419217348098755, 0.3953530192375183]],
    )
    for kind, values in zip(kinds, expected, strict=True):
        initializer = kind(seed=3)
        np.testing.assert_allclose(initializer((4, 2), **part), values, rtol=1e-5)
        other = initializer((4, 2), partition_shape=(2, 2), partition_offset=(0, 0))
        assert not np.allclose(other, values)


def test_lookups_without_or_with_bad_vocabularies(tmp_path):
    for layer, data in ((k.layers.IntegerLookup(output_mode="multi_hot"), [[1]]), (k.layers.StringLookup(output_mode="count"), [["a"]])):
        with pytest.raises(RuntimeError, match="you must set the layer's vocabulary before calling it"):
            layer(data)
    (tmp_path / "numbers").write_text("42\n7\n42\n")
    (tmp_path / "words").write_text("a\nb\na\n")
    with pytest.raises(tf.errors.FailedPreconditionError, match="different value for same key. Key 42 has 1 and trying to add value 3"):
        k.layers.IntegerLookup(vocabulary=str(tmp_path / "numbers"))
    with pytest.raises(tf.errors.FailedPreconditionError, match="different value for same key. Key a has 1 and trying to add value 3"):
        k.layers.StringLookup(vocabulary=str(tmp_path / "words"))
    layer = k.layers.IntegerLookup(vocabulary=tf.constant([1, 2], tf.int64))
    with pytest.raises(RuntimeError, match="Cannot set a tensor vocabulary on IntegerLookup layer"):
        tf.function(lambda: layer.set_vocabulary(tf.constant([3, 4], tf.int64)))()


def test_bins_are_found_by_batches():
    layer = k.layers.Discretization(num_bins=10, epsilon=0.01)
    layer.adapt(np.arange(300.0).reshape(300, 1))
    expected = [28.99998, 59.00001, 89.00005, 119.000046, 149.00009, 179.00008, 209.00012, 239.00014, 269.0001]
    np.testing.assert_allclose(layer.bin_boundaries, expected, rtol=1e-6)


def test_states_that_are_assigned_are_no_weights():
    layer = k.layers.LSTM(3, stateful=True)
    layer.build((2, 3, 4))
    layer.states = [tf.Variable(np.ones((2, 3))), tf.Variable(np.ones((2, 3)))]
    layer.reset_states()
    assert len(layer.weights) == 3 and not layer.states[0].numpy().any()


def test_constants_are_sliced_by_symbols():
    table = tf.constant([[1, 2, 3], [4, 5, 6]])
    i = k.Input((3,), dtype="int32")
    assert k.Model(i, table[:, : tf.reduce_max(i)])(tf.constant([[1, 2, 2]])).numpy().tolist() == [[1, 2], [4, 5]]
    i = k.Input((), batch_size=1, dtype="int32")
    m = k.Model(i, table[tf.squeeze(i) :])
    assert m.predict(tf.constant([1]), verbose=0).tolist() == [[4, 5, 6]]
    assert k.Model.from_config(m.get_config()).predict(tf.constant([1]), verbose=0).tolist() == [[4, 5, 6]]


def test_masks_of_sequences_of_sequences():
    x = k.Input((2, 2, 1), batch_size=3)
    rnn = k.layers.LSTM(4, return_sequences=True, stateful=True)
    m = k.Model(x, k.layers.TimeDistributed(rnn)(k.layers.Masking()(x)))
    assert m.predict(np.ones((3, 2, 2, 1)), steps=1, verbose=0).shape == (3, 2, 2, 4)


def test_parts_of_sparse_symbols():
    i = k.Input((4,), sparse=True)
    assert (i.indices.shape.as_list(), i.values.shape.as_list(), i.dense_shape.shape.as_list()) == ([None, 2], [None], [2])
    m = k.Model(i, [i.values * 2, i.indices])
    for model in (m, k.Model.from_config(m.get_config())):
        values, indices = model(tf.sparse.from_dense([[1.0, 0, 0, 2]]))
        assert values.numpy().tolist() == [2, 4] and indices.numpy().tolist() == [[0, 0], [0, 3]]
    with pytest.raises(AttributeError):
        k.Input((4,)).indices  # noqa: B018


def test_names_of_the_area_below_gains():
    assert k.metrics.AUC(curve="PR_GAIN").get_config()["curve"] == k.metrics.AUC(curve="PRGAIN").get_config()["curve"]


def test_what_follows_from_weights_follows_from_those_that_are_set():
    data = np.array([[1.0, 5], [3, 9]])
    norm = k.layers.Normalization()
    norm.adapt(data)
    m = k.Sequential([k.Input((2,)), norm])
    copy = k.models.clone_model(m)
    copy.set_weights(m.get_weights())
    assert copy(data[:1]).numpy().tolist() == [[-1, -1]]
    bins = k.layers.Discretization(num_bins=3)
    bins.adapt(np.arange(30.0))
    other = k.layers.Discretization(num_bins=3)
    other.build((None,))
    other.set_weights(bins.get_weights())
    np.testing.assert_allclose(other.bin_boundaries, [9.0, 19.0])


def test_regularizers_that_give_numbers():
    m = k.Sequential([k.layers.Dense(2, input_shape=(3,), kernel_regularizer=lambda w: 0.5, bias_regularizer=lambda w: 0.25)])
    m.compile("sgd", "mse")
    assert [float(loss) for loss in m.losses] == [0.5, 0.25]
    assert m.evaluate(np.zeros((2, 3)), np.zeros((2, 2)), verbose=0) == 0.75
    m.fit(np.zeros((2, 3)), np.zeros((2, 2)), verbose=0)


def test_recurrent_layers_know_their_units():
    seen = []

    class Shape(k.layers.Layer):
        def call(self, x):
            seen.append(x.shape.rank and x.shape[-1])
            return x

    columns = [
        tf.feature_column.sequence_numeric_column("a"),
        tf.feature_column.indicator_column(tf.feature_column.sequence_categorical_column_with_vocabulary_list("b", ["one", "two"])),
    ]
    inputs = {"a": k.Input((None, 1), sparse=True, name="a"), "b": k.Input((None, 1), sparse=True, name="b", dtype="string")}
    outputs = Shape()(k.layers.GRU(32)(Shape()(k.experimental.SequenceFeatures(columns)(inputs)[0])))
    at = np.zeros((10, 3), np.int64)
    at[:, 0] = np.arange(10)
    data = {"a": tf.SparseTensor(at, np.arange(10, dtype="float32"), (10, 1, 1)), "b": tf.SparseTensor(at, np.zeros(10, str), (10, 1, 1))}
    assert k.Model(inputs, outputs).predict(data, steps=1, verbose=0).shape == (10, 32)
    assert seen == [3, 32, None, 32]  # within the step nothing is known of the inputs
