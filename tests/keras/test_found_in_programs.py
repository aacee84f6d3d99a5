"""What programs of others met: cells called by hand, configs of legacy optimizers, names of op layers, `keras.__internal__`."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tf2compat as tf


class Unrolled(tf.keras.Model):
    def __init__(self, cell: Any, states: int) -> None:
        super().__init__()
        self.start = [tf.zeros([4, 3])] * states
        self.cell = cell(3, dropout=0.5)
        self.out = tf.keras.layers.Dense(1)

    def call(self, x: Any, training: Any = None) -> Any:
        state = self.start
        for step in tf.unstack(x, axis=1):
            out, state = self.cell(step, state, training)
        return self.out(out)


@pytest.mark.parametrize(("name", "states"), [("SimpleRNNCell", 1), ("GRUCell", 1), ("LSTMCell", 2)])
def test_a_cell_called_by_hand_keeps_a_mask_for_each_graph(name: str, states: int) -> None:
    model = Unrolled(getattr(tf.keras.layers, name), states)
    model.compile("sgd", "mse")
    x, y = np.ones((8, 5, 2), "float32"), np.ones((8, 1), "float32")
    model.fit(x, y, batch_size=4, epochs=2, validation_data=(x[:4], y[:4]), verbose=0)
    model.evaluate(x, y, batch_size=4, verbose=0)
    one, two = model(x[:4], training=True), model(x[:4], training=True)  # as in Keras: the mask of eager code is kept until it is reset
    np.testing.assert_array_equal(one, two)
    inside = tf.function(lambda v: model(v, training=True))
    np.testing.assert_array_equal(inside(x[:4]), one)  # and captured by functions that begin to use the cell later
    model.cell.reset_dropout_mask()
    model.fit(x, y, batch_size=4, epochs=1, verbose=0)


LEGACY = tf.keras.optimizers.legacy.Optimizer


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_a_legacy_optimizer_with_a_schedule_comes_back_as_one(tmp_path: Path, suffix: str) -> None:
    schedule = tf.keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(2,))])
    model.compile(tf.keras.optimizers.legacy.SGD(schedule, momentum=0.5), "mse")
    model.fit(np.ones((2, 2)), np.ones((2, 1)), verbose=0)
    path = tmp_path / f"m.{suffix}"
    model.save(path)
    loaded = tf.keras.models.load_model(path)
    assert isinstance(loaded.optimizer, LEGACY) and loaded.optimizer.get_config() == model.optimizer.get_config()
    if suffix == "keras":
        with zipfile.ZipFile(path) as whole:
            told = json.loads(whole.read("config.json"))["compile_config"]["optimizer"]
        assert told["module"] == "keras.optimizers.legacy"
        assert told["config"]["learning_rate"]["module"] == "keras.optimizers.schedules"


@pytest.mark.parametrize(
    ("config", "legacy"),
    [({"learning_rate": 0.5}, True), ({}, False), ({"learning_rate": 0.5, "is_legacy_optimizer": False}, False), ({"lr": 0.5, "decay": 0.1}, True)],
)
def test_which_optimizer_a_config_means(config: dict[str, Any], legacy: bool) -> None:
    made = tf.keras.optimizers.deserialize({"class_name": "Adam", "config": config})
    assert isinstance(made, LEGACY) is legacy


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("tf.tensordot", lambda x: tf.tensordot(x, tf.ones((4, 2)), 1)),
        ("tf.nn.softsign", lambda x: tf.math.softsign(x)),
        ("tf.math.softplus", lambda x: tf.nn.softplus(x)),
        ("tf.math.top_k", lambda x: tf.nn.top_k(x, 2)),
        ("tf.math.zero_fraction", lambda x: tf.nn.zero_fraction(x)),
        ("tf.dtypes.saturate_cast", lambda x: tf.saturate_cast(x, tf.int8)),
        ("tf.dtypes.complex", lambda x: tf.complex(x, x)),
        ("tf.math.special.dawsn", lambda x: tf.math.special.dawsn(x)),
        ("tf.math.special.bessel_j0", lambda x: tf.math.special.bessel_j0(x)),
    ],
)
def test_names_of_op_layers(name: str, call: Any) -> None:
    tf.keras.backend.clear_session()
    x = tf.keras.Input((4,))
    model = tf.keras.Model(x, call(x))
    assert model.layers[-1].name == name
    again = tf.keras.Model.from_config(model.get_config())
    value = tf.constant([[0.5, -1.0, 2.0, 0.0]])
    for one, two in zip(tf.nest.flatten(model(value)), tf.nest.flatten(again(value)), strict=True):
        np.testing.assert_array_equal(one, two)


#: TensorFlow's numbers for seed 3, by kind of generator: uniform, normal, dropout of ones
RANDOM = {
    "legacy_stateful": ([0.3869294, 0.36002624], [0.29629603, -0.03141323], [0.0, 2.0, 0.0, 2.0]),
    "stateful": ([0.13229859, 0.5348098], [-1.2572527, 0.9534838], [0.0, 0.0, 2.0, 0.0]),
    "stateless": ([0.19591284, 0.93934524], [-0.6715848, 1.6760504], [0.0, 2.0, 2.0, 2.0]),
}


@pytest.mark.parametrize("kind", RANDOM)
def test_base_random_layer(kind: str) -> None:
    tf.random.set_seed(1)
    base = tf.keras.__internal__.layers.BaseRandomLayer
    layer = base(seed=3, rng_type=kind)
    layer.build(())
    assert layer.get_config().get("rng_type", "legacy_stateful") == kind and layer.weights == []
    generator = layer._random_generator
    assert generator._rng_type == kind
    drawn = generator.random_uniform((2,)), generator.random_normal((2,))
    if kind == "stateful":
        generator.truncated_normal((2,))
    dropped = generator.dropout(tf.ones(4), 0.5)
    if kind != "legacy_stateful":  # those follow from the global seed too
        for got, want in zip((*drawn, dropped), RANDOM[kind], strict=True):
            np.testing.assert_allclose(got, want, rtol=2e-6)
    else:
        tf.random.set_seed(1)
        np.testing.assert_array_equal(drawn[0], tf.random.uniform((2,), seed=3))
    with pytest.raises(ValueError, match="Invalid `rng_type`"):
        base(rng_type="other")


def test_keras_internal() -> None:
    convert = tf.keras.__internal__.optimizers.convert_to_legacy_optimizer
    made = convert(tf.keras.optimizers.Adam(0.01, beta_1=0.8))
    assert isinstance(made, tf.keras.optimizers.legacy.Adam) and made.get_config()["beta_1"] == pytest.approx(0.8)
    with pytest.raises(ValueError, match="should only be called"):
        convert(made)
    loss = tf.keras.__internal__.losses.LossFunctionWrapper(lambda a, b, k: (a - b) * k, k=2.0)
    assert float(loss(tf.constant([1.0, 2.0]), tf.constant([0.0, 0.0]))) == 3.0
    assert isinstance(tf.keras.Input((2,)), tf.keras.__internal__.KerasTensor)


class Cached(tf.keras.layers.MultiHeadAttention):
    """Attention as libraries extend it: by Keras' own steps."""

    def call(self, query: Any, value: Any, attention_mask: Any = None) -> Any:
        if not self._built_from_signature:
            self._build_from_signature(query, value)
        q, k, v = self._query_dense(query), self._key_dense(value), self._value_dense(value)
        scores = tf.einsum(self._dot_product_equation, k, tf.multiply(q, 1.0 / float(self._key_dim) ** 0.5))
        shares = self._dropout_layer(self._masked_softmax(scores, attention_mask))
        return self._output_dense(tf.einsum(self._combine_equation, shares, v))


class Talking(tf.keras.layers.MultiHeadAttention):
    def _build_attention(self, rank: int) -> None:
        super()._build_attention(rank)
        self._mix = self.add_weight("mix", shape=(self._num_heads, self._num_heads), initializer=self._kernel_initializer)

    def _compute_attention(self, query: Any, key: Any, value: Any, attention_mask: Any = None, training: Any = None) -> Any:
        out, shares = super()._compute_attention(query, key, value, attention_mask, training)
        return tf.einsum("blhd,hg->blgd", out, self._mix), shares


class Flat(tf.keras.layers.MultiHeadAttention):
    def _masked_softmax(self, attention_scores: Any, attention_mask: Any = None) -> Any:
        return tf.ones_like(attention_scores) / tf.cast(tf.shape(attention_scores)[-1], attention_scores.dtype)


def test_subclasses_of_attention() -> None:
    x = tf.constant(np.random.RandomState(0).randn(2, 5, 8).astype("float32"))
    mask = tf.constant(np.tril(np.ones((1, 5, 5))))
    plain, cached = (cls(2, 4, kernel_initializer=tf.keras.initializers.GlorotUniform(3)) for cls in (tf.keras.layers.MultiHeadAttention, Cached))
    np.testing.assert_allclose(plain(x, x, attention_mask=mask), cached(x, x, attention_mask=mask), atol=1e-6)
    talking = Talking(2, 4, kernel_initializer="glorot_uniform")
    talking(x, x)
    talking._mix.assign(tf.eye(2))
    whole = tf.keras.layers.MultiHeadAttention(2, 4)
    whole(x, x)
    whole.set_weights([w.numpy() for w in talking.weights if w is not talking._mix])
    np.testing.assert_allclose(talking(x, x), whole(x, x), atol=1e-6)
    talking._mix.assign(tf.zeros((2, 2)))
    np.testing.assert_allclose(talking(x, x), tf.zeros_like(x))
    flat = Flat(1, 8)
    shares = flat(x, x, return_attention_scores=True)[1]
    np.testing.assert_allclose(shares, np.full((2, 1, 5, 5), 0.2), rtol=1e-6)
    np.testing.assert_allclose(flat(x, x)[:, 0], flat(x, x)[:, 4], atol=1e-6)
    assert plain._compute_causal_mask(x, x).numpy().tolist() == [np.tril(np.ones((5, 5), bool)).tolist()]


class Untracked(tf.keras.Model):
    def __init__(self) -> None:
        self._self_setattr_tracking = False
        self.first = tf.keras.layers.Dense(3)
        self.inputs = [tf.keras.Input((2,))]
        super().__init__(inputs=self.inputs, outputs=self.first(self.inputs[0]))


def test_attributes_before_init_of_a_model_that_does_not_track_them() -> None:
    model = Untracked()
    assert len(model.weights) == 2 and model(tf.ones((1, 2))).shape == (1, 3)
    layer = tf.keras.layers.Layer()
    layer._self_setattr_tracking = False
    layer.inner = tf.keras.layers.Dense(1)
    assert list(layer._flatten_layers()) == [layer] and layer.weights == []


def test_a_second_container_of_a_models_losses() -> None:
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse", loss_weights=0.5)
    mean = tf.keras.metrics.Mean(name="private")
    first = model.compiled_loss
    second = type(first)(first._user_losses, loss_weights=first._user_loss_weights, output_names=model.output_names, total_loss_mean=mean)
    assert float(second(tf.ones((3, 1)), tf.zeros((3, 1)))) == 0.5 and float(mean.result()) == 0.5
    assert second.metrics == [mean]


class Folder(tf.test.TestCase):
    def test_folder(self) -> None:
        self.assertEqual(self.get_temp_dir(), self.get_temp_dir())
        (Path(self.get_temp_dir()) / "x").write_text("y")

    def test_internal(self) -> None:
        internal = tf.__internal__
        self.assertEqual(internal.smart_cond.smart_cond(True, lambda: 1, lambda: 2), 1)
        self.assertTrue(internal.tf2.enabled())
        self.assertEqual(internal.dispatch.add_dispatch_support(len)("ab"), 2)
        v = tf.Variable(1.0)
        internal.train.assign_moving_average(v, 3.0, 0.5, zero_debias=False)
        self.assertAllClose(v, 2.0)

    def test_batches_of_an_endless_dataset_have_no_static_size(self) -> None:
        self.assertEqual(tf.data.Dataset.range(3).repeat().batch(4).element_spec.shape.as_list(), [None])


def test_attributes_of_a_layer_may_be_called_as_they_like() -> None:
    class Counting(tf.keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self._first = True

        def call(self, x: tf.Tensor) -> tf.Tensor:
            return x + 1.0

    layer = Counting()
    out = layer(tf.keras.Input([3]))
    assert layer.output is out and layer.input.shape == [None, 3]
