"""What Keras 2's own tests of recurrent layers and cell wrappers ask; what is expected was recorded from Keras 2."""

import json
from collections import namedtuple

import numpy as np
import pytest

import tf2compat as tf

k = tf.keras
L = k.layers
Parts = namedtuple("Parts", "c h")


@pytest.fixture(autouse=True)
def _names():
    yield
    k.backend.clear_session()  # no names of layers are left taken


class Ones(L.Layer):
    """A cell that begins with ones, and adds one in each step."""

    state_size = output_size = 2

    def call(self, inputs, states):
        assert type(states) is tuple
        return inputs + states[0], [states[0] + 1.0]

    def get_initial_state(self, inputs=None, batch_size=None, dtype=None):
        return tf.ones((batch_size, 2), dtype)


class Nested(L.Layer):
    """Inputs, outputs and states of two parts of different rank."""

    def __init__(self, one, two, three, named=False, **kwargs):
        super().__init__(**kwargs)
        sizes = (one, tf.TensorShape([two, three]))
        self.state_size = Parts(*sizes) if named else sizes
        self.output_size = sizes

    def build(self, shape):
        (_, a), (_, b, c) = shape
        self.first = self.add_weight("first", (a, self.output_size[0]), initializer="ones")
        self.second = self.add_weight("second", (b, c, *self.output_size[1].as_list()), initializer="ones")

    def call(self, inputs, states):
        a, b = tf.nest.flatten(inputs)
        one, two = tf.matmul(a, self.first), tf.einsum("bij,ijkl->bkl", b, self.second)
        return [one, two], Parts(states[0] + one, states[1] + two)


class Counting(L.Layer):
    """A cell whose sizes are known when it is built."""

    state_size = output_size = None

    def build(self, shape):
        self.state_size = self.output_size = shape[-1]

    def call(self, inputs, states):
        return inputs, [s + 1 for s in states]


class Pair(L.Layer):
    state_size, output_size = Parts(2, 2), 2

    def call(self, inputs, states):
        return inputs, Parts(states[0] + 1.0, states[1] + 1.0)


def _inputs(*sizes):
    return [k.Input(s, name=n) for s, n in zip(sizes, "xhc", strict=False)]


def _nodes(model):
    return json.loads(model.to_json())["config"]["layers"][-1]["inbound_nodes"]


def test_states_are_inputs_of_the_layer():
    x, h, c = _inputs((3, 2), (2,), (2,))
    layer = L.LSTM(2, return_state=True)
    model = k.Model([x, h, c], layer(x, initial_state=[h, c]))
    assert [t.name for t in layer.input] == ["x", "h", "c"]
    assert layer.input_shape == [(None, 3, 2), (None, 2), (None, 2)]
    assert _nodes(model) == [[["x", 0, 0, {}], ["h", 0, 0, {}], ["c", 0, 0, {}]]]
    text = []
    model.summary(print_fn=text.append)
    assert [part in "\n".join(text) for part in ("'x[0][0]'", "'h[0][0]'", "'c[0][0]'")] == [True] * 3
    given = [np.ones((1, 3, 2)), np.ones((1, 2)), np.zeros((1, 2))]
    again = k.models.clone_model(model)
    again.set_weights(model.get_weights())
    for a, b in zip(model(given), again(given), strict=True):
        np.testing.assert_array_equal(a, b)


def test_states_are_inputs_of_both_directions():
    x, h, c = _inputs((3, 2), (2,), (2,))
    layer = L.Bidirectional(L.GRU(2))
    model = k.Model([x, h, c], layer(x, initial_state=[h, c]))
    also = {"initial_state": None, "constants": None}
    assert _nodes(model) == [[["x", 0, 0, also], ["h", 0, 0, also], ["c", 0, 0, also]]]
    assert layer.input_shape == [(None, 3, 2), (None, 2), (None, 2)] and layer.input_spec[0].ndim == 3
    given = [np.ones((1, 3, 2), "float32"), np.ones((1, 2), "float32"), np.ones((1, 2), "float32") * 2]
    np.testing.assert_allclose(model(given), layer(tf.constant(given[0]), initial_state=[tf.constant(g) for g in given[1:]]), rtol=1e-6)
    again = k.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again(given), model(given))


def test_convolutional_states():
    x, h, c = _inputs((3, 8, 8, 1), (6, 6, 2), (6, 6, 2))
    model = k.Model([x, h, c], L.ConvLSTM2D(2, 3)(x, initial_state=[h, c]))
    assert model.output_shape == (None, 6, 6, 2)
    assert model([np.ones((1, 3, 8, 8, 1)), np.ones((1, 6, 6, 2)), np.ones((1, 6, 6, 2))]).shape == (1, 6, 6, 2)
    with pytest.raises(ValueError, match=r"Received state shapes \[\(None, 6, 6, 3\).*state_size` is \(2, 2\)"):
        L.ConvLSTM2D(2, 3)(x, initial_state=[k.Input((6, 6, 3)), k.Input((6, 6, 3))])


def test_sizes_that_a_cell_knows_when_it_is_built():
    x, s = k.Input((3, 1)), k.Input((1,))
    y, after = L.RNN(Counting(), return_state=True)(L.Masking()(x), initial_state=s)
    found = k.Model([x, s], [y, after]).predict([np.array([[[1.0], [2.0], [0.0]]]), np.array([[10.0]])], verbose=0)
    assert found[0].tolist() == [[2.0]] and found[1].tolist() == [[12.0]]


def test_stateful_layers_begin_as_the_cell_says():
    layer = L.RNN(Ones(), stateful=True, return_state=True, batch_input_shape=(1, 2, 2))
    steps = [[t.numpy().tolist() for t in layer(tf.zeros((1, 2, 2)))] for _ in range(2)]
    assert steps == [[[[2.0, 2.0]], [[3.0, 3.0]]], [[[4.0, 4.0]], [[5.0, 5.0]]]]
    layer.reset_states()  # to zeros, whatever the cell says
    assert [t.numpy().tolist() for t in layer(tf.zeros((1, 2, 2)))] == [[[1.0, 1.0]], [[2.0, 2.0]]]


@pytest.mark.parametrize("cell", [L.GRU, L.SimpleRNN, L.LSTM])
def test_kept_states_go_before_those_given(cell):
    layer = cell(2, stateful=True, kernel_initializer="ones", recurrent_initializer="ones")
    given = [tf.ones((1, 2))] * (2 if cell is L.LSTM else 1)
    first, second = (layer(tf.zeros((1, 2, 2)), initial_state=given).numpy() for _ in range(2))
    assert abs(first - second).max() > 1e-3
    layer.reset_states()
    np.testing.assert_array_equal(layer(tf.zeros((1, 2, 2)), initial_state=given), first)
    assert layer(tf.zeros((1, 2, 2))).shape == (1, 2)


def test_kept_states_go_before_those_given_in_models():
    x, h = k.Input(batch_shape=(1, 1, 1)), k.Input(batch_shape=(1, 1))
    model = k.Model([x, h], L.GRU(1, stateful=True)(x, initial_state=h))
    given = [np.ones((1, 1, 1)), np.ones((1, 1))]
    first, second = model.predict(given, verbose=0), model.predict(given, verbose=0)
    model.reset_states()
    np.testing.assert_array_equal(model.predict(given, verbose=0), first)
    assert abs(first - second).max() > 1e-3


@pytest.mark.parametrize("cell", [L.GRU, L.SimpleRNN, L.LSTM])
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_stateful_layers_of_mixed_precision(cell, policy):
    layer = cell(2, stateful=True, dtype=policy)
    assert layer(tf.zeros((1, 2, 2))).dtype == layer(tf.zeros((1, 2, 2))).dtype == layer.compute_dtype
    assert {s.dtype for s in tf.nest.flatten(layer.states)} == {tf.float32}


@pytest.mark.parametrize("stateful", [True, False])
def test_parts_of_inputs_outputs_and_states(stateful):
    batch = 4 if stateful else None
    one, two = k.Input((5, 3), batch_size=batch), k.Input((5, 4, 5), batch_size=batch)
    layer = L.RNN(Nested(2, 3, 4, named=stateful), return_sequences=True, return_state=True, stateful=stateful)
    found = layer((one, two))
    assert [t.shape.as_list() for t in found] == [[batch, 5, 2], [batch, 5, 3, 4], [batch, 2], [batch, 3, 4]]
    model = k.Model([one, two], found)
    values = model([np.ones((4, 5, 3)), np.ones((4, 5, 4, 5))])
    assert [float(tf.reduce_max(v)) for v in values] == [3.0, 20.0, 15.0, 100.0]
    assert [s.as_list() for s in layer.compute_output_shape((one.shape, two.shape))] == [t.shape.as_list() for t in found]


def test_parts_of_stacked_cells():
    one, two = k.Input((5, 3)), k.Input((5, 4, 5))
    layer = L.RNN([Nested(2, 3, 4, named=True), Nested(4, 5, 6)], return_sequences=True, return_state=True)
    a, b, first, second = layer((one, two))
    assert [t.shape.as_list() for t in (a, b, *first, *second)] == [
        [None, 5, 4], [None, 5, 5, 6], [None, 2], [None, 3, 4], [None, 4], [None, 5, 6]]  # fmt: skip
    model = k.Model([one, two], [a, b])
    model.compile("sgd", "mse")
    loss = model.train_on_batch([np.zeros((2, 5, 3)), np.zeros((2, 5, 4, 5))], [np.zeros((2, 5, 4)), np.zeros((2, 5, 5, 6))])
    assert loss == [0.0, 0.0, 0.0]


def test_parts_to_begin_with():
    inputs = (k.Input((5, 3)), k.Input((5, 4, 5)))
    states = Parts(k.Input((2,)), k.Input((3, 4)))
    found = L.RNN(Nested(2, 3, 4, named=True), return_state=True)(inputs, initial_state=states)
    model = k.Model([*inputs, *states], found)
    values = model([np.ones((1, 5, 3)), np.ones((1, 5, 4, 5)), np.ones((1, 2)), np.ones((1, 3, 4))])
    assert [float(tf.reduce_max(v)) for v in values] == [3.0, 20.0, 16.0, 101.0]


@pytest.mark.parametrize(
    "wrapper, arguments, name",
    [(tf.nn.RNNCellResidualWrapper, (), "residual_wrapper"), (tf.nn.RNNCellDropoutWrapper, (0.5,), "dropout_wrapper"),
     (tf.nn.RNNCellDeviceWrapper, ("/cpu:0",), "device_wrapper")],
)  # fmt: skip
def test_wrappers_have_configurations(wrapper, arguments, name, tmp_path):
    made = wrapper(L.GRUCell(2), *arguments)
    assert made.name == name
    config = made.get_config()
    assert config["cell"]["class_name"] == "GRUCell" and wrapper.from_config(config).get_config() == config
    file = L.serialize(L.RNN(made))["config"]["cell"]
    assert file["module"] == "tensorflow.python.keras.layers.rnn_cell_wrapper_v2" and file["registered_name"] == file["class_name"]
    model = k.Sequential([k.Input((3, 2)), L.RNN(wrapper(L.GRUCell(2), *arguments))])
    assert [w.name.split("/")[-1] for w in model.weights] == ["kernel:0", "recurrent_kernel:0", "bias:0"]
    model.save(tmp_path / "m.keras")
    again = k.models.load_model(tmp_path / "m.keras")
    assert again.layers[0].cell.get_config() == model.layers[0].cell.get_config()
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


def test_functions_of_wrappers():
    wrapped = tf.nn.RNNCellResidualWrapper(L.GRUCell(2), residual_fn=lambda i, o: i + i + o)
    config = wrapped.get_config()
    assert config["residual_fn_type"] == "lambda" and config["residual_fn_module"] == __name__
    assert tf.nn.RNNCellResidualWrapper.from_config(config)._residual_fn(1, 2) == 4
    dropping = tf.nn.RNNCellDropoutWrapper(L.GRUCell(2), dropout_state_filter_visitor=lambda s: False)
    assert tf.nn.RNNCellDropoutWrapper.from_config(dropping.get_config())._dropout_state_filter(None) is False
    foreign = {**config, "residual_fn": ("AAAA", None, None)}
    with pytest.raises(ValueError, match="risk of arbitrary code execution"):
        tf.nn.RNNCellResidualWrapper.from_config(foreign)


def test_wrapped_cells_in_both_directions():
    layer = L.Bidirectional(L.RNN(tf.nn.RNNCellResidualWrapper(L.LSTMCell(2))))
    assert layer(tf.ones((1, 3, 2))).shape == (1, 4)


def _values(found):
    return [v.numpy().tolist() for v in tf.nest.flatten(found)]


def test_which_states_are_dropped():
    one, states = tf.ones((1, 2)), Parts(tf.ones((1, 2)), tf.ones((1, 2)))

    def second(s):
        return Parts(False, True) if isinstance(s, Parts) else True

    tf.random.set_seed(1)
    wrapper = tf.nn.RNNCellDropoutWrapper(Pair(), state_keep_prob=0.5, seed=3, dropout_state_filter_visitor=lambda s: False)
    assert _values(wrapper(one, states)) == [[[1.0, 1.0]], [[2.0, 2.0]], [[2.0, 2.0]]]
    wrapper = tf.nn.RNNCellDropoutWrapper(Pair(), state_keep_prob=1e-6, seed=3, dropout_state_filter_visitor=second)
    assert _values(wrapper(one, states)) == [[[1.0, 1.0]], [[2.0, 2.0]], [[0.0, 0.0]]]
    tf.random.set_seed(1)
    found = tf.nn.RNNCellDropoutWrapper(Pair(), 0.5, 0.5, 0.5, seed=3)(one, states)
    assert _values(found) == [[[0.0, 0.0]], [[0.0, 4.0]], [[0.0, 4.0]]]
    tf.random.set_seed(1)
    wrapper = tf.nn.RNNCellDropoutWrapper(
        Pair(), 0.5, 0.5, 0.5, seed=3, variational_recurrent=True, input_size=tf.TensorShape([2]), dtype="float32"
    )
    for _ in range(2):
        assert _values(wrapper(one, states)) == [[[0.0, 0.0]], [[0.0, 4.0]], [[0.0, 4.0]]]


@pytest.mark.parametrize(
    "arguments, error, match",
    [({"input_keep_prob": 0.5, "variational_recurrent": True}, ValueError, "dtype must be provided"),
     ({"input_keep_prob": 0.5, "variational_recurrent": True, "dtype": "float32"}, ValueError, "input_size must be provided"),
     ({"input_keep_prob": 1.5}, ValueError, "input_keep_prob must be between 0 and 1"),
     ({"dropout_state_filter_visitor": 3}, TypeError, "must be callable")],
)  # fmt: skip
def test_wrong_arguments_of_dropping(arguments, error, match):
    with pytest.raises(error, match=match):
        tf.nn.RNNCellDropoutWrapper(Pair(), **arguments)


def test_values_of_backend_functions():
    i = k.Input((2,))
    one = np.ones((1, 2), "float32")
    (found,) = k.backend.function([i], [i * 2.0])([one])
    assert found.tolist() == [[2.0, 2.0]]
    total = k.backend.function(i, tf.reduce_sum(i))(one)
    assert type(total) is float and total == 2.0
    ragged = k.Input((None,), ragged=True)
    found = k.backend.function([ragged], ragged * 2.0)(tf.ragged.constant([[1.0], [2.0, 3.0]]))
    assert isinstance(found, tf.RaggedTensor) and found.to_list() == [[2.0], [4.0, 6.0]]
