"""`rng_type` and `force_generator` of layers that draw numbers; what is expected was recorded from Keras 2."""

import numpy as np
import pytest

import tf2compat as tf

k = tf.keras
L = k.layers
GENERATOR, ONE_SEED = {"rng_type": "stateful"}, {"rng_type": "stateless"}
DRAWN = [[0.0, 2.0, 2.0], [2.0, 0.0, 0.0]]
BELL = [[0.56359, -0.9634, 0.93548], [-0.05684, 2.00191, 1.67351]]
BELL_OF_SEED = [[0.32842, 2.67605, 0.05575], [1.60794, 2.25279, 2.35245]]
ALPHA = [[-0.77919, 1.6656, 1.6656], [1.6656, -0.77919, -0.77919]]


@pytest.fixture(autouse=True)
def _seeded():
    tf.random.set_seed(1)
    yield
    k.backend.experimental.disable_tf_random_generator()
    k.backend.clear_session()


@pytest.mark.parametrize("kind", [GENERATOR, {"force_generator": True}, ONE_SEED])
@pytest.mark.parametrize(
    "layer, arguments, first, second",
    [(L.Dropout, {"rate": 0.5}, (DRAWN, DRAWN), [[0, 0, 2], [0, 0, 2]]),
     (L.GaussianNoise, {"stddev": 1.0}, (BELL, BELL_OF_SEED), [[2.32835, -0.73398, 1.90427], [1.56855, -0.21698, 2.3774]]),
     (L.GaussianDropout, {"rate": 0.5}, (BELL, BELL_OF_SEED), [[2.32835, -0.73398, 1.90427], [1.56855, -0.21698, 2.3774]]),
     (L.AlphaDropout, {"rate": 0.5}, (ALPHA, ALPHA), [[-0.77919, -0.77919, 1.6656], [-0.77919, -0.77919, 1.6656]])],
)  # fmt: skip
def test_numbers_of_layers(kind, layer, arguments, first, second):
    made = layer(seed=3, **arguments, **kind)
    same = kind is ONE_SEED
    for expected in (first[same], first[same] if same else second):
        np.testing.assert_allclose(made(tf.ones((2, 3)), training=True), expected, atol=2e-5)
    assert made.get_config()["rng_type"] == ("stateless" if same else "stateful")
    assert layer.from_config(made.get_config()).get_config() == made.get_config()
    assert made.weights == []
    np.testing.assert_array_equal(made(tf.ones((2, 3))), np.ones((2, 3)))


def test_numbers_in_functions_and_of_other_shapes():
    made = L.Dropout(0.5, seed=3, force_generator=True)
    run = tf.function(lambda x: made(x, training=True))
    assert [run(tf.ones((6,))).numpy().tolist() for _ in range(2)] == [[0, 2, 2, 2, 0, 0], [0, 0, 2, 0, 0, 2]]
    rows = L.Dropout(0.5, noise_shape=(2, 1), seed=3, **ONE_SEED)(tf.ones((2, 3)), training=True)
    assert rows.numpy().tolist() == [[0, 0, 0], [2, 2, 2]]
    whole = L.SpatialDropout1D(0.5, seed=3, **GENERATOR)(tf.ones((1, 2, 6)), training=True)
    assert whole.numpy().tolist() == [[[0, 2, 2, 2, 0, 0]] * 2]


@pytest.mark.parametrize(
    "layer, kind, expected",
    [(L.GRU, GENERATOR, [0.23492, 0.16151]), (L.GRU, ONE_SEED, [0.23492, 0.23492]), (L.LSTM, GENERATOR, [0.26102, 0.23169]),
     (L.LSTM, ONE_SEED, [0.26102, 0.26102])],
)  # fmt: skip
def test_numbers_of_recurrent_layers(layer, kind, expected):
    made = layer(2, kernel_initializer="ones", recurrent_initializer="ones", dropout=0.5, seed=3, **kind)
    found = [float(made(tf.ones((1, 2, 3)) * 0.1, training=True)[0, 0]) for _ in range(2)]
    np.testing.assert_allclose(found, expected, atol=2e-5)
    assert made.get_config()["rng_type"] == kind["rng_type"] and layer.from_config(made.get_config()).get_config() == made.get_config()
    assert len(made.weights) == 3


@pytest.mark.parametrize("cell", [L.SimpleRNNCell, L.GRUCell, L.LSTMCell])
def test_numbers_of_cells(cell):
    made = cell(2, dropout=0.5, recurrent_dropout=0.5, seed=3, **ONE_SEED)
    assert made.get_config()["rng_type"] == "stateless"
    layer = L.RNN(made)
    first, second = (layer(tf.ones((1, 2, 3)), training=True).numpy() for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert "rng_type" not in cell(2).get_config()


def test_numbers_of_attention():
    def call(**kind):
        made = L.Attention(dropout=0.5, **kind)
        return [made([tf.ones((1, 2, 2)), tf.ones((1, 3, 2))], training=True)[0, :, 0].numpy().tolist() for _ in range(2)]

    high, low = 1.3333333730697632, 0.6666666865348816
    assert call(seed=3, **GENERATOR) == [[high, low], [low, low]]
    assert call(seed=3, **ONE_SEED) == [[high, low], [high, low]]
    assert "seed" not in L.Attention(seed=3).get_config()
    assert L.AdditiveAttention(**ONE_SEED).get_config()["rng_type"] == "stateless"


@pytest.mark.parametrize("kind", [{}, GENERATOR, ONE_SEED])
def test_own_layers_draw_as_those_that_they_inherit_from(kind):
    class Own(L.Dropout):
        def call(self, inputs, training=None):
            return self._random_generator.dropout(inputs, self.rate) if training else inputs

    own, usual = Own(0.5, seed=3, **kind), L.Dropout(0.5, seed=3, **kind)
    for _ in range(2):
        found = []
        for layer in (own, usual):
            tf.random.set_seed(1)
            found.append(layer(tf.ones(6), training=True))
        np.testing.assert_array_equal(*found)


def test_wrong_kinds():
    for layer in (lambda **o: L.Dropout(0.5, **o), lambda **o: L.LSTM(2, **o), lambda **o: L.GRUCell(2, **o), lambda **o: L.Attention(**o)):
        with pytest.raises(ValueError, match="Invalid `rng_type` received"):
            layer(rng_type="x")
    for layer in (lambda **o: L.SimpleRNN(2, **o), lambda **o: L.ConvLSTM1D(2, 1, **o), lambda **o: L.MultiHeadAttention(2, 2, **o)):
        with pytest.raises(TypeError, match="Keyword argument not understood"):
            layer(rng_type="stateful")


def test_generators_for_all_layers():
    experimental = k.backend.experimental
    assert experimental.is_tf_random_generator_enabled() is False
    experimental.enable_tf_random_generator()
    assert experimental.is_tf_random_generator_enabled() is True
    assert L.Dropout(0.5).get_config()["rng_type"] == L.LSTM(2).get_config()["rng_type"] == "stateful"
    experimental.disable_tf_random_generator()
    assert "rng_type" not in L.Dropout(0.5).get_config()


def test_generators_in_files(tmp_path):
    model = k.Sequential([L.Dropout(0.5, force_generator=True, input_shape=(3,)), L.Dense(2)])
    x = np.ones((2, 3), "float32")
    model(x, training=True)
    for name in ("m.keras", "m.h5", "m"):
        model.save(tmp_path / name)
        again = k.models.load_model(tmp_path / name)
        assert again.layers[0].get_config()["rng_type"] == "stateful" and len(again.weights) == 2
        np.testing.assert_allclose(again(x), model(x), rtol=1e-6)
        assert again(x, training=True).shape == (2, 2)
    model.save_weights(str(tmp_path / "w"))
    assert not [name for name, _ in tf.train.list_variables(str(tmp_path / "w")) if "random" in name]

    class Dropping(tf.Module):
        def __init__(self):
            super().__init__()
            self.layer = L.Dropout(0.5, force_generator=True)

        @tf.function(input_signature=[tf.TensorSpec([None])])
        def run(self, x):
            return self.layer(x, training=True)

    tf.saved_model.save(Dropping(), str(tmp_path / "module"))
    assert set(tf.saved_model.load(str(tmp_path / "module")).run(tf.ones(50)).numpy().tolist()) == {0.0, 2.0}
