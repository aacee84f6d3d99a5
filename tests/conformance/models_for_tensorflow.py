"""Models whose SavedModels TensorFlow has to run: name -> (the model, its inputs), and a module of functions."""

import numpy as np

import tf2compat as tf

L = tf.keras.layers


def _numbers(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def _dense():
    layers = [L.Input((4,)), L.Dense(3, "gelu"), L.BatchNormalization(), L.Dropout(0.5), L.LayerNormalization(), L.Dense(2, "softmax")]
    return tf.keras.Sequential(layers), [_numbers(3, 4)]


def _convolution():
    layers = [
        L.Input((16, 16, 3)), L.Conv2D(4, 3, padding="same", activation="relu"), L.BatchNormalization(), L.MaxPooling2D(),
        L.DepthwiseConv2D(3), L.SeparableConv2D(4, 3), L.AveragePooling2D(), L.Conv2DTranspose(3, 2, strides=2), L.UpSampling2D(),
        L.GroupNormalization(3), L.ZeroPadding2D(), L.Reshape((-1, 3)), L.Conv1D(2, 2, padding="causal"), L.MaxPooling1D(), L.Flatten(),
        L.Dense(1, "sigmoid"),
    ]  # fmt: skip
    return tf.keras.Sequential(layers), [_numbers(2, 16, 16, 3)]


def _recurrence():
    x = L.Input((7,), dtype="int32")
    y = L.Embedding(20, 5, mask_zero=True)(x)
    y = L.Bidirectional(L.LSTM(4, return_sequences=True))(y)
    y = L.GRU(4, return_sequences=True)(y)
    y = L.SimpleRNN(3, return_sequences=True)(y)
    y = L.LSTM(4, recurrent_activation="hard_sigmoid")(y)
    return tf.keras.Model(x, L.Dense(2)(y)), [np.random.default_rng(0).integers(0, 4, (3, 7)).astype(np.int32)]


def _attention():
    a, b = L.Input((5, 8)), L.Input((5, 8))
    y = L.MultiHeadAttention(2, 4)(a, b, use_causal_mask=True)
    y = L.Concatenate()([L.Add()([y, a]), L.Attention()([a, b]), L.AdditiveAttention()([a, b])])
    return tf.keras.Model([a, b], L.EinsumDense("abc,cd->abd", output_shape=(None, 3), bias_axes="d")(y)), [_numbers(2, 5, 8), _numbers(2, 5, 8)]


def _text():
    layers = [L.Input((1,), dtype="string"), L.TextVectorization(vocabulary=["a", "b"], output_sequence_length=4), L.Embedding(5, 2), L.Flatten()]
    return tf.keras.Sequential(layers), [np.array([["A b!"], ["c a a b b"]], object)]


MODELS = {"dense": _dense, "convolution": _convolution, "recurrence": _recurrence, "attention": _attention, "text": _text}


class Programs(tf.Module):
    """Functions with branches, loops, arrays of tensors, variables and a table."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
        self.count = tf.Variable(0)
        self._table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a", "b"], [1, 2]), -1)

    @tf.function(input_signature=[tf.TensorSpec([None, 2])])
    def steps(self, x):
        self.count.assign_add(1)
        y = x @ self.w + tf.constant([5.0, 6.0])
        if tf.reduce_sum(y) > 0:
            y = tf.nn.relu(y) - 1.0
        else:
            y = y * 2.0
        for i in tf.range(3):
            y = y + tf.cast(i, tf.float32)
        while tf.reduce_sum(y) < 100.0:
            y = y * 1.5
        rows = tf.TensorArray(tf.float32, 0, dynamic_size=True)
        for row in y:
            if row[0] > 1000.0:
                break
            rows = rows.write(rows.size(), row[0])
        return {"y": y[:, ::-1], "rows": rows.stack(), "count": self.count.read_value()}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def words(self, x):
        return self._table.lookup(x)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def pieces(self, x):
        parts = tf.strings.split(x)
        numbers = tf.RaggedTensor.from_row_lengths(tf.range(tf.size(parts.flat_values)), parts.row_lengths())
        return {
            "characters": tf.strings.unicode_split(x, "UTF-8").to_tensor("-"),
            "parts": parts.to_tensor(),
            "again": tf.strings.unicode_encode(tf.strings.unicode_decode(x, "UTF-8"), "UTF-8"),
            "sums": tf.reduce_sum(numbers, axis=1),
            "rows": numbers.value_rowids(),
            "first": numbers[:, :1].to_tensor(),
            "twice": tf.concat([numbers, numbers], 1).to_tensor(shape=[None, 8]),
        }


class Composites(tf.Module):
    """Functions that take and give ragged and sparse tensors, and have structures for defaults."""

    @tf.function(input_signature=[tf.RaggedTensorSpec([None, None])])
    def ragged(self, x):
        return {"twice": x * 2.0, "sums": tf.reduce_sum(x, 1)}

    @tf.function(input_signature=[tf.SparseTensorSpec([None, 3])])
    def dense(self, x):
        return tf.sparse.to_dense(x), tf.sparse.reduce_sum(x, 1)

    @tf.function(input_signature=[tf.TensorSpec([None, 3])])
    def sparse(self, x):
        return tf.sparse.from_dense(x), tf.RaggedTensor.from_tensor(x, padding=0.0)
