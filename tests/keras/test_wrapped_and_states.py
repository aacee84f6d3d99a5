"""What Keras keeps of a program's lists, states and shapes: vocabularies, initial states, models of own classes in SavedModels."""

from __future__ import annotations

import numpy as np
import pytest

import tf2compat as tf

L = tf.keras.layers


class Two(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = L.Dense(2, name="first")
        self.others = [L.Dense(3, name="other")]

    def call(self, x):
        return self.others[0](self.first(x))

    def get_config(self):
        return {}


def test_vocabularies_are_numpys_strings_and_integers():
    words = L.StringLookup(vocabulary=["a", "b"], mask_token="")
    assert [type(t) for t in words.get_vocabulary()] == [str, str, np.str_, np.str_]
    numbers = L.IntegerLookup(vocabulary=[5, 6])
    assert [type(t) for t in numbers.get_vocabulary()] == [np.int64] * 3 and numbers.get_vocabulary() == [-1, 5, 6]


@pytest.mark.parametrize(("layer", "count"), [(L.LSTM, 2), (L.GRU, 1), (L.SimpleRNN, 1)])
def test_states_that_the_cell_cannot_begin_with(layer, count):
    x = tf.ones([2, 3, 2])
    assert layer(4)(x, initial_state=[tf.ones([2, 4])] * count).shape == [2, 4]
    for wrong in ([tf.ones([2, 5])] * count, [tf.ones([2, 4])] * 3):
        with pytest.raises(ValueError, match=r"not compatible with `cell.state_size`.*`cell.state_size` is \[4"):
            layer(4)(x, initial_state=wrong)


def test_states_are_all_symbols_or_none():
    x, state = tf.keras.Input([3, 2]), tf.keras.Input([4])
    with pytest.raises(ValueError, match="mix of TF-Keras tensors and non-Keras tensors"):
        L.LSTM(4)(x, initial_state=[state, tf.ones([2, 4])])


def test_a_model_of_an_own_class_has_its_weights_when_it_is_loaded(tmp_path):
    model = Two()
    model.compile("adam", "mse")
    x, y = np.ones((2, 2), np.float32), np.ones((2, 3), np.float32)
    model.fit(x, y, verbose=0)
    model.save(str(tmp_path / "m"))
    loaded = tf.keras.models.load_model(str(tmp_path / "m"), custom_objects={"Two": Two})
    assert ["two/" + v.name for v in loaded.weights] == [v.name for v in model.weights]
    assert all(np.array_equal(a, b) for a, b in zip(loaded.get_weights(), model.get_weights(), strict=True))
    assert len(loaded.optimizer.variables) == len(model.optimizer.variables) and int(loaded.optimizer.iterations) == 1
    assert loaded.fit(x, y, verbose=0).history["loss"] == pytest.approx(model.fit(x, y, verbose=0).history["loss"], abs=1e-6)


def test_layers_before_the_one_that_fails_know_their_shapes():
    model = tf.keras.Sequential([L.Dense(2, name="before"), L.Conv1D(2, 2)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="expected min_ndim=3, found ndim=2"):
        model.fit(np.ones((2, 2)), np.ones((2, 5)), verbose=0)
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    assert any("before (Dense)" in line and "(None, 2)" in line for line in lines)


def test_a_variable_is_no_index():
    assert [10, 20, 30][tf.constant(1)] == 20
    with pytest.raises(TypeError):
        [10, 20, 30][tf.Variable(1)]
    assert range(3)[int(tf.Variable(1))] == 1


def test_a_module_finds_the_parts_of_a_compiled_model():
    module = tf.Module()
    module.model = tf.keras.Sequential([L.Dense(1, input_shape=(1,))])
    module.model.compile("sgd", "mse", metrics=["mae"])
    assert [type(s).__name__ for s in module.submodules] == ["Sequential", "InputLayer", "Dense"] and len(module.variables) == 2


class Product(L.Layer):
    def build(self, shapes):
        assert all(isinstance(shape, tf.TensorShape) for shape in tf.nest.flatten(shapes))

    def call(self, inputs):
        a, b = inputs.values() if isinstance(inputs, dict) else inputs
        return a * b


@pytest.mark.parametrize("shapes", [[(None, 2), (None, 2)], {"a": (None, 2), "b": (None, 2)}])
def test_a_sequential_is_built_for_several_inputs(shapes):
    model = tf.keras.Sequential([Product(), L.Dense(1, name="after")])
    model.build(shapes)
    assert model.built and [v.name for v in model.weights] == ["after/kernel:0", "after/bias:0"]
    again = tf.keras.models.model_from_json(model.to_json(), {"Product": Product})
    assert again(tf.nest.map_structure(lambda _: tf.ones([3, 2]), {"a": 0, "b": 0} if isinstance(shapes, dict) else [0, 0])).shape == [3, 1]
