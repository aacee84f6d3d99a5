"""Checkpoints that are written while the program goes on: they hold the values of the call, whoever changes the variables then."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

import tf2compat
import tf2compat as tf
from tf2compat import train
from tf2compat.train import _formats

ROWS, COLUMNS = 300, 100  # large enough not to be copied
IN_BACKGROUND = train.CheckpointOptions(enable_async=True)


@pytest.fixture
def held(monkeypatch):
    """Lets no checkpoint be written before the event is set."""
    event = threading.Event()
    write = _formats.write

    def waiting(*args):
        assert event.wait(60)
        write(*args)

    monkeypatch.setattr(_formats, "write", waiting)
    yield event
    event.set()


def variable(value=1.0, name="v"):
    return tf.Variable(tf.fill([ROWS, COLUMNS], value), name=name)


def stored(path, key="v"):
    return train.load_variable(path, f"{key}/.ATTRIBUTES/VARIABLE_VALUE")


def descend(kind, **options):
    def change(v):
        optimizer = kind(0.1, **options)
        for _ in range(3):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(v * v)
            optimizer.apply_gradients([(tape.gradient(loss, v), v)])

    return change


def lookups(v):
    optimizer = tf.keras.optimizers.SGD(0.1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.gather(v, [1, 2]) ** 2)
    optimizer.apply_gradients([(tape.gradient(loss, v), v)])


@tf.function
def step(v):
    for i in tf.range(3):
        v.assign_add(tf.ones_like(v) * tf.cast(i + 1, tf.float32))


def often(v):
    one = tf.ones_like(v)

    @tf.function
    def add():
        v.assign(tf.tanh(v) * 0.5 + one)
        v.assign_sub(one * 0.25)

    for _ in range(60):
        add()


class Product(tf.Module):
    def __init__(self, v):
        self.v = v

    def __call__(self, x):
        return x @ self.v


def in_torch(v):
    parameters = list(tf2compat.to_torch(Product(v)).parameters())
    optimizer = torch.optim.SGD(parameters, 0.1)
    sum((p * p).sum() for p in parameters).backward()
    optimizer.step()


CHANGES = {
    "assign": lambda v: v.assign(tf.zeros([ROWS, COLUMNS])),
    "assign_add": lambda v: v.assign_add(tf.ones([ROWS, COLUMNS])),
    "slice": lambda v: v[3:5].assign(tf.zeros([2, COLUMNS])),
    "scatter": lambda v: v.scatter_nd_update([[0]], tf.zeros([1, COLUMNS])),
    "rows": lambda v: v.scatter_add(tf.IndexedSlices(tf.ones([1, COLUMNS]), [4])),
    "SGD": descend(tf.keras.optimizers.SGD, momentum=0.9),
    "Adam": descend(tf.keras.optimizers.Adam),
    "legacy Adam": descend(tf.keras.optimizers.legacy.Adam),
    "rows of a lookup": lookups,
    "function": step,
    "function, often": often,
    "torch": in_torch,
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("form", ["safetensors", "tensorflow"])
def test_values_are_those_of_the_call(form, change, held, tmp_path):
    v = variable()
    checkpoint = train.Checkpoint(v=v)
    path = checkpoint.save(tmp_path / "c", train.CheckpointOptions(enable_async=True, experimental_format=form))
    CHANGES[change](v)
    assert not (v.numpy() == 1).all()
    held.set()
    checkpoint.sync()
    assert (stored(path) == 1).all()
    assert not v._shared()  # changes in place again


def test_a_training_loop_that_saves_at_each_step(tmp_path):
    model = tf.keras.Sequential([tf.keras.layers.Dense(200, activation="relu", input_shape=(100,)), tf.keras.layers.BatchNormalization(), tf.keras.layers.Dense(1)])
    optimizer = tf.keras.optimizers.Adam(0.01)
    x, y = tf.random.normal([64, 100], seed=1), tf.random.normal([64, 1], seed=2)

    @tf.function
    def train_step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x, training=True) - y) ** 2)
        optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True))
        return loss

    checkpoint = train.Checkpoint(model=model, optimizer=optimizer)
    wanted = []
    paths = []
    for _ in range(12):
        train_step()
        wanted.append([v.numpy() for v in model.variables + optimizer.variables])
        paths.append(checkpoint.save(tmp_path / "c", IN_BACKGROUND))
    checkpoint.sync()
    for path, values in zip(paths, wanted, strict=True):
        checkpoint.restore(path).assert_consumed()
        for v, value in zip(model.variables + optimizer.variables, values, strict=True):
            assert np.array_equal(v.numpy(), value)


def test_memory_that_others_change_is_copied(held, tmp_path):
    v, w = variable(), variable()
    seen = v.torch()
    checkpoint = train.Checkpoint(v=v, w=w)
    w._pinned = True
    path = checkpoint.save(tmp_path / "c", IN_BACKGROUND)
    seen.add_(5)
    w.assign_add(tf.ones([ROWS, COLUMNS]))
    held.set()
    checkpoint.sync()
    assert (v.numpy() == 6).all() and (stored(path) == 1).all() and (stored(path, "w") == 1).all()


def test_small_and_odd_variables(held, tmp_path):
    small, text, wide = tf.Variable([1.0, 2.0]), tf.Variable(["a", "b"]), tf.Variable(tf.complex(tf.ones([200, 100]), tf.zeros([200, 100])))
    checkpoint = train.Checkpoint(small=small, text=text, wide=wide)
    path = checkpoint.save(tmp_path / "c", IN_BACKGROUND)
    small.assign_add([1.0, 1.0])
    text.assign(["c", "d"])
    wide.assign(wide * 2)
    held.set()
    checkpoint.sync()
    assert stored(path, "small").tolist() == [1.0, 2.0]
    assert stored(path, "text").tolist() == [b"a", b"b"]
    assert (stored(path, "wide") == 1).all()
