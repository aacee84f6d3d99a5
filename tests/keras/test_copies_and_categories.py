"""Pickles and copies of models, legacy optimizers in files, discretisation, hashing and split data sets; answers are Keras 2's."""

import copy
import os
import pickle

import numpy as np
import pytest

import tf2compat as tf

K = tf.keras


class Own(K.Model):
    def __init__(self, n=2):
        super().__init__()
        self.dense = K.layers.Dense(n)
        self.n = n

    def call(self, x):
        return self.dense(x)

    def get_config(self):
        return {"n": self.n}


def _functional():
    x = K.Input((3,))
    return K.Model(x, K.layers.Dense(2)(x))


@pytest.mark.parametrize("make", [lambda: K.Sequential([K.layers.Dense(2)]), _functional, Own], ids=["sequential", "functional", "own"])
@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["copy", "deepcopy", "pickle"])
def test_models_are_copied_and_pickled(make, way):
    x, y = np.random.RandomState(0).rand(10, 3), np.ones((10, 2))
    model = make()
    model.compile("sgd", "mse", run_eagerly=True)
    model.train_on_batch(x, y)
    before = model(x).numpy()
    other = way(model)
    np.testing.assert_allclose(other(x), before, rtol=1e-6)
    other.run_eagerly = True
    other.train_on_batch(x, y)
    assert not np.allclose(other(x), before)
    np.testing.assert_array_equal(model(x), before)


@pytest.mark.parametrize("name", ["m.h5", "folder"])
def test_legacy_optimizers_in_files(tmp_path, name):
    model = K.Sequential([K.layers.Dense(1, input_shape=(2,))])
    model.compile(K.optimizers.legacy.Adam(0.1), "mse", run_eagerly=True)
    model.train_on_batch(np.ones((2, 2)), np.ones((2, 1)))
    model.save(os.path.join(tmp_path, name))
    again = K.models.load_model(os.path.join(tmp_path, name))
    assert isinstance(again.optimizer, K.optimizers.legacy.Adam) and int(again.optimizer.iterations) == 1


def test_boundaries_that_adapt_finds():
    recorded = {
        (3, 0.01, 300): [99, 99, 102], (3, 0.01, 70): [100, 99, 101], (2, 0.1, 300): [135, 165], (2, 0.1, 70): [146, 154],
        (4, 0.05, 300): [72, 71, 71, 86], (4, 0.05, 150): [74, 74, 76, 76],
    }  # fmt: skip
    for (bins, epsilon, batch), counts in recorded.items():
        layer = K.layers.Discretization(num_bins=bins, epsilon=epsilon)
        layer.adapt(tf.data.Dataset.from_tensor_slices(np.arange(300)[::-1].copy()).batch(batch))
        assert np.bincount(layer(np.arange(300)).numpy().astype(int)).tolist() == counts, (bins, epsilon, batch)


def test_bins_of_sparse_and_ragged_numbers():
    layer = K.layers.Discretization(bin_boundaries=[-0.5, 0.5, 1.5])
    x = K.Input((3,), sparse=True)
    found = K.Model(x, layer(x)).predict(tf.SparseTensor([[0, 1], [0, 2], [1, 1]], [-1.5, 1.0, 3.4], [2, 3]), steps=1, verbose=0)
    assert found.values.numpy().tolist() == [0, 2, 3] and found.indices.numpy().tolist() == [[0, 1], [0, 2], [1, 1]]
    assert layer(tf.ragged.constant([[-1.5, 1.0], [3.4]])).to_list() == [[0, 2], [3]]
    names = tf.SparseTensor([[0, 0], [1, 0], [1, 1], [2, 0], [2, 1]], ["omar", "stringer", "marlo", "wire", "skywalker"], [3, 2])
    assert K.layers.Hashing(num_bins=3, mask_value="omar")(names).values.numpy().tolist() == [0, 1, 2, 1, 1]


def test_split_dataset_keeps_batches_and_checks_sizes():
    data = tf.data.Dataset.from_tensor_slices(np.ones((100, 4))).batch(10)
    left, right = K.utils.split_dataset(data, left_size=2)
    assert len(list(left)) == 1 and len(list(right)) == 10 and next(iter(left)).shape == [2, 4]
    with pytest.raises(ValueError, match="Received a list of NumPy arrays with different lengths"):
        K.utils.split_dataset([np.ones((4, 2)), np.ones((3, 2))], left_size=1)
    with pytest.raises(ValueError, match="`left_size` should be .* smaller than 3"):
        K.utils.split_dataset(np.array([1, 2, 3]), left_size=3)
    with pytest.raises(TypeError, match="Invalid `left_size` and `right_size` Types"):
        K.utils.split_dataset(np.array([1, 2, 3]), left_size="1", right_size="1")
    with pytest.raises(ValueError, match="are zero"):
        K.utils.split_dataset(np.array([1, 2, 3]), left_size=0, right_size=0)


def test_global_policies_are_floating():
    with pytest.raises(ValueError, match="can only be used to set the global policy to floating-point policies"):
        K.mixed_precision.set_global_policy("int32")
    assert K.mixed_precision.global_policy().name == "float32"


def _made(make):
    model = K.Sequential([K.layers.Dense(2, input_shape=(2,)), K.layers.Dense(1)])
    model.compile(make(), "mse", run_eagerly=True)
    return model


@pytest.mark.parametrize(
    "make",
    [
        lambda: K.optimizers.legacy.Adam(0.1),
        lambda: K.mixed_precision.LossScaleOptimizer(K.optimizers.legacy.SGD(0.1, momentum=0.9)),
        lambda: K.mixed_precision.LossScaleOptimizer(K.optimizers.Adam(0.1), dynamic_growth_steps=1),
    ],
    ids=["legacy", "scaled legacy", "scaled"],
)
@pytest.mark.parametrize("used", [False, True])
def test_checkpoints_hold_all_of_an_optimizer(tmp_path, make, used):
    x, y = np.ones((4, 2)), np.ones((4, 1))
    model, again = _made(make), _made(make)
    for _ in range(2):
        model.train_on_batch(x, y)
    model.save_weights(os.path.join(tmp_path, "w"))
    if used:
        again.train_on_batch(x, y)
    again.load_weights(os.path.join(tmp_path, "w"))
    model.train_on_batch(x, y)
    again.train_on_batch(x, y)
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    assert int(again.optimizer.iterations) == 3


def test_names_in_checkpoints_of_legacy_optimizers(tmp_path):
    v = tf.Variable([1.0, 2.0])
    o = K.optimizers.legacy.SGD(1.0, momentum=1.0)
    scaled = K.mixed_precision.LossScaleOptimizer(o, initial_scale=2.0, dynamic_growth_steps=1)
    scaled.apply_gradients([(tf.constant([1.0, 1.0]), v)])
    path = tf.train.Checkpoint(o=scaled, v=v).save(os.path.join(tmp_path, "c"))
    names = {n.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE") for n, _ in tf.train.list_variables(path)}
    assert names == {
        "_CHECKPOINTABLE_OBJECT_GRAPH", "o/decay", "o/iter", "o/learning_rate", "o/loss_scale/current_loss_scale", "o/loss_scale/good_steps",
        "o/momentum", "save_counter", "v", "v/.OPTIMIZER_SLOT/o/momentum",
    }  # fmt: skip


def test_premade_models_as_configs():
    config = K.layers.serialize(K.experimental.LinearModel())
    assert config["module"] == "keras.experimental"
    assert isinstance(K.layers.deserialize(config), K.experimental.LinearModel)
