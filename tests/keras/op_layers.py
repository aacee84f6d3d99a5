"""Functional models of ops: the layers that they become, by name. `python op_layers.py` records them under TensorFlow (Keras 2)."""

import json
import pathlib
import sys

PROGRAMS = """
i + j; i + 1.; 1. - i; i * 2; i / j; i // 2.; i % 2.; i ** 2; -i; abs(i); i[:, 0]; i[..., 1:]; i > j; i == j; i != j; tf.equal(i, j)
(i > 0) & (j > 0); ~(i > 0); tf.matmul(i, j, transpose_b=True); i @ tf.transpose(j, [0, 2, 1]); tf.nn.relu(i); tf.exp(i); tf.reduce_mean(i, 1)
tf.concat([i, j], -1); tf.stack([i, j], 1); tf.reshape(i, [-1, 12]); tf.cast(i, tf.int32); tf.shape(i)[0]; tf.split(i, 3, -1); tf.unstack(i, axis=1)
tf.expand_dims(i, 1); tf.squeeze(i[:, :1], 1); tf.tile(i, [1, 2, 1]); tf.where(i > 0, i, j); tf.nn.softmax(i); tf.gather(i, [0], axis=1)
tf.pad(i, [[0, 0], [1, 1], [0, 0]]); tf.pad(i, [[0, 0], [1, 1], [0, 0]], "REFLECT"); tf.pad(i, [[0, 0], [1, 1], [0, 0]], constant_values=3.)
tf.zeros_like(i); tf.clip_by_value(i, 0., 1.); tf.maximum(i, j); tf.nn.l2_normalize(i, -1); tf.image.resize(i[..., None], [8, 8])
tf.image.resize(i[..., None], [8, 8], method="nearest"); tf.argmax(i, -1); tf.nn.dropout(i, .5); tf.nn.dropout(i, .5, seed=3)
tf.einsum("abc,abd->acd", i, j); tf.subtract(i, j, name="mine"); tf.math.top_k(i, 2); tf.stop_gradient(i); tf.broadcast_to(i, [2, 4, 3])
tf.random.normal(tf.shape(i)); tf.random.uniform(tf.shape(i)); tf.norm(i); tf.math.divide_no_nan(i, j); tf.sequence_mask(tf.cast(i[:, 0, 0], tf.int32))
tf.size(i); tf.linalg.matvec(i, j[:, 0]); tf.nn.moments(i, [1]); tf.tensordot(i, tf.ones([3, 2]), 1); tf.one_hot(tf.cast(i[:, :, 0], tf.int32), 3)
K.losses.mse(i, j); K.losses.mae(i, j); K.losses.mape(i, j); K.losses.msle(i, j); K.losses.kld(i, j); K.losses.poisson(i, j); K.losses.huber(i, j)
K.losses.cosine_similarity(i, j); K.losses.binary_crossentropy(i, j); K.losses.categorical_crossentropy(i, j); K.losses.log_cosh(i, j)
K.losses.sparse_categorical_crossentropy(tf.cast(i[:, :, 0], tf.int32), j); K.losses.MeanSquaredError()(i, j); K.losses.Huber()(i, j)
K.losses.BinaryCrossentropy(reduction="none")(i, j); K.losses.MeanAbsoluteError(reduction="sum")(i, j)
"""


def outcomes(tf):
    """For each program the layers of its model, and a result."""
    K = tf.keras
    found = {}
    for text in PROGRAMS.replace("\n", ";").split(";"):
        text = text.strip()
        if not text:
            continue
        K.backend.clear_session()
        i, j = K.Input((4, 3), name="i"), K.Input((4, 3), name="j")
        out = eval(text, {"tf": tf, "K": K, "i": i, "j": j})
        model = K.Model([i, j], out)
        names = [(layer.name, type(layer).__name__) for layer in model.layers if not isinstance(layer, K.layers.InputLayer)]
        found[text] = model, [list(n) for n in names], [t.name for t in tf.nest.flatten(out)]
    return found


if __name__ == "__main__":
    import tensorflow

    told = {text: [names, tensors] for text, (_, names, tensors) in outcomes(tensorflow).items()}
    (pathlib.Path(__file__).parent / "recorded_op_layers.json").write_text(json.dumps(told, indent=0) + "\n")
    sys.exit(0)
