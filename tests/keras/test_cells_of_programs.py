"""Cells that programs derive and wrap, and event files read back."""

from __future__ import annotations

import numpy as np
import pytest

import tf2compat as tf

keras = tf.keras


class Halving(keras.layers.Layer):
    """A cell around another one, which nobody registers."""

    def __init__(self, cell=None, units=3, **kwargs) -> None:
        super().__init__(**kwargs)
        self.cell = cell or keras.layers.SimpleRNNCell(units)
        self.units = units

    @property
    def state_size(self):
        return self.cell.state_size

    @property
    def output_size(self):
        return self.cell.output_size

    def call(self, inputs, states):
        out, states = self.cell(inputs, states)
        return out / 2, states

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@pytest.mark.parametrize("stacked", [False, True])
def test_bidirectional_knows_the_classes_of_cells(stacked: bool) -> None:
    cell = keras.layers.StackedRNNCells([Halving(), Halving()]) if stacked else Halving()
    both = keras.layers.Bidirectional(keras.layers.RNN(cell, return_sequences=True), merge_mode=None)
    one, other = both(tf.ones((2, 4, 3)))
    assert one.shape == other.shape == (2, 4, 3)
    with pytest.raises(TypeError, match="Halving"):
        keras.layers.deserialize(keras.layers.serialize(Halving()))


def test_a_derived_lstm_cell_uses_the_gates() -> None:
    class Cell(keras.layers.LSTMCell):
        def call(self, inputs, states, training=None):
            h, c = states
            z = tf.matmul(inputs, self.kernel) + tf.matmul(h, self.recurrent_kernel) + self.bias
            c, o = self._compute_carry_and_output_fused(tf.split(z, 4, axis=1), c)
            h = o * self.activation(c)
            return h, [h, c]

    x = tf.constant(np.linspace(-1, 1, 24).reshape(2, 4, 3), tf.float32)
    plain, derived = keras.layers.RNN(keras.layers.LSTMCell(3)), keras.layers.RNN(Cell(3))
    plain(x), derived(x)
    derived.set_weights(plain.get_weights())
    np.testing.assert_allclose(plain(x), derived(x), atol=1e-6)


def test_events_are_read_back(tmp_path) -> None:
    writer = tf.summary.create_file_writer(str(tmp_path))
    with writer.as_default():
        tf.summary.scalar("loss", 0.5, step=3)
    writer.close()
    (path,) = tmp_path.glob("events*")
    events = list(tf.compat.v1.train.summary_iterator(str(path)))
    assert events[0].file_version == "brain.Event:2" and events[-1].step == 3
    assert [v.tag for v in events[-1].summary.value] == ["loss"]
    with pytest.raises(tf.errors.NotFoundError):
        next(tf.compat.v1.train.summary_iterator(str(tmp_path / "none")))


def test_prefetch_of_none_is_automatic() -> None:
    assert list(tf.data.Dataset.range(3).prefetch(None).as_numpy_iterator()) == [0, 1, 2]


def test_cells_take_inputs_of_more_axes():
    x = tf.constant(np.random.RandomState(0).randn(2, 3, 3), tf.float32)
    h = tf.constant(np.random.RandomState(1).randn(2, 3, 3), tf.float32)
    layers = tf.keras.layers
    for cell in (layers.GRUCell(3), layers.GRUCell(3, reset_after=False), layers.GRUCell(3, use_bias=False), layers.LSTMCell(3, implementation=1)):
        states = [h, h] if isinstance(cell, layers.LSTMCell) else [h]
        flat = cell(tf.reshape(x, [-1, 3]), [tf.reshape(s, [-1, 3]) for s in states])[0]
        traced = tf.function(lambda a, *s, cell=cell: cell(a, list(s))[0])
        for out in (cell(x, states)[0], traced(x, *states)):
            np.testing.assert_allclose(out.numpy(), tf.reshape(flat, [2, 3, 3]).numpy(), atol=1e-6)
