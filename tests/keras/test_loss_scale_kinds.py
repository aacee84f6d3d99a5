"""Loss scale optimizers are of the kind of the optimizer inside; what is expected was recorded from Keras 2."""

import logging

import numpy as np
import pytest

import tf2compat as tf

k = tf.keras
Scaling = k.mixed_precision.LossScaleOptimizer
legacy, current = k.optimizers.legacy, k.optimizers
KINDS = pytest.mark.parametrize("kind", [legacy, current], ids=["legacy", "current"])


@pytest.fixture
def said():
    class Kept(logging.Handler):
        def emit(self, record):
            found.append(record.getMessage())

    found, handler = [], Kept()
    tf.get_logger().addHandler(handler)
    yield found
    tf.get_logger().removeHandler(handler)


def test_kinds():
    old, new = Scaling(legacy.SGD(1.0)), Scaling(current.SGD(1.0))
    assert type(old).__name__ == "LossScaleOptimizer" and type(new).__name__ == "LossScaleOptimizerV3"
    assert [isinstance(o, Scaling) for o in (old, new)] == [True, True]
    assert [isinstance(o, legacy.Optimizer) for o in (old, new)] == [True, False]
    assert [isinstance(o, current.Optimizer) for o in (old, new)] == [False, True]
    assert [k.optimizers.serialize(o)["class_name"] for o in (old, new)] == ["LossScaleOptimizer", "LossScaleOptimizerV3"]
    assert k.optimizers.serialize(new)["module"] == "tf_keras.src.mixed_precision.loss_scale_optimizer"
    for o in (old, new):
        again = k.optimizers.deserialize(k.optimizers.serialize(o))
        assert type(again) is type(o) and again.get_config() == o.get_config()


@KINDS
@pytest.mark.parametrize("name", ["lr", "learning_rate"])
def test_rates_are_the_inner_ones(kind, name):
    o = Scaling(kind.SGD(1.0))
    setattr(o, name, 0.5)
    assert float(o.lr) == float(o.learning_rate) == float(o.inner_optimizer.learning_rate) == 0.5


@pytest.mark.parametrize("kind, names", [(legacy, ["momentum", "decay", "clipnorm"]), (current, ["use_ema", "ema_momentum"])])
def test_attributes_that_are_the_inner_ones(kind, names):
    o = Scaling(kind.SGD(1.0))
    for name in names:
        setattr(o, name, 0.5)
        assert float(getattr(o.inner_optimizer, name)) == float(getattr(o, name)) == 0.5
    o.nesterov = True
    assert o.nesterov is True and o.inner_optimizer.nesterov is False
    o.foo = 3
    assert not hasattr(o.inner_optimizer, "foo")
    for name in ("dynamic", "loss_scale", "initial_scale", "inner_optimizer"):
        with pytest.raises(AttributeError):
            setattr(o, name, 1)


def test_numbers_of_a_legacy_optimizer():
    o = Scaling(legacy.Adam(1.0, beta_1=0.5))
    o.beta_1 = 0.25
    assert float(o.inner_optimizer.beta_1) == float(o.beta_1) == 0.25 and o.beta_1 is o.inner_optimizer.beta_1
    assert "beta_1" not in o.__dict__


@KINDS
def test_what_was_forgotten(kind, said):
    def say(*before):
        said.clear()
        o, v = Scaling(kind.SGD(1.0)), tf.Variable(1.0)
        for name in before:
            getattr(o, name)([tf.constant(1.0)] if "gradients" in name else tf.constant(1.0))
        o.apply_gradients([(tf.constant(1.0), v)])
        return said[:]

    both = "You forgot to call LossScaleOptimizer.get_scaled_loss() and LossScaleOptimizer.get_unscaled_gradients() before calling LossSc"
    assert [s[: len(both)] for s in say()] == [both]
    (one,) = say("get_scaled_loss")
    assert one.startswith("You forgot to call LossScaleOptimizer.get_unscaled_gradients() before") and "(you did call get_scaled_loss() however)" in one
    (one,) = say("get_unscaled_gradients")
    assert one.startswith("You forgot to call LossScaleOptimizer.get_scaled_loss() before calling") and "call get_unscaled_gradients() however" in one
    assert say("get_scaled_loss", "get_unscaled_gradients") == []
    said.clear()
    v = tf.Variable(1.0)
    Scaling(kind.SGD(1.0)).minimize(lambda: v * 2, [v])
    model = k.Sequential([k.layers.Dense(1)])
    model.compile(Scaling(kind.SGD(0.1)), "mse")
    model.fit(np.ones((2, 1)), np.ones((2, 1)), verbose=0)
    assert said == []


@KINDS
def test_no_gradients(kind):
    o, v = Scaling(kind.SGD(1.0)), tf.Variable(1.0)
    with pytest.raises(ValueError, match="No gradients provided for any variable"):
        o.apply_gradients([(None, v)])
    assert int(o.iterations) == 0


@KINDS
def test_steps_that_are_not_finite(kind):
    o, v = Scaling(kind.SGD(1.0), initial_scale=2.0, dynamic_growth_steps=1), tf.Variable([1.0, 2.0])
    for gradient, value, scale in (([1.0, np.nan], [1.0, 2.0], 1.0), ([1.0, 1.0], [0.0, 1.0], 2.0)):
        o.apply_gradients([(tf.constant(gradient), v)])
        assert v.numpy().tolist() == value and float(o.loss_scale) == scale
    assert int(o.iterations) == 2


@KINDS
@pytest.mark.parametrize("clip", ["clipvalue", "clipnorm", "global_clipnorm"])
def test_clipping_is_of_unscaled_gradients(kind, clip):
    o, v = Scaling(kind.SGD(1.0, **{clip: 2.0}), dynamic=False, initial_scale=4.0), tf.Variable([5.0])
    o.minimize(lambda: 8 * v[0] * v[0], [v])
    assert v.numpy().tolist() == [3.0]


def test_aggregators_and_transformers():
    def times(factor):
        return lambda pairs: [(g * factor, v) for g, v in pairs]

    for options, expected in (
        ({"gradient_aggregator": times(-1.0)}, [2.0, 3.0]), ({"gradient_transformers": [times(3.0)]}, [-2.0, -1.0]),
    ):  # fmt: skip
        o, v = Scaling(legacy.SGD(1.0, **options), dynamic=False, initial_scale=2.0), tf.Variable([1.0, 2.0])
        o.minimize(lambda v=v: tf.reduce_sum(v), [v])
        assert v.numpy().tolist() == expected


def test_own_optimizers_inside():
    class Own(current.SGD):
        def apply_gradients(self, grads_and_vars, skip_gradients_aggregation):
            seen.append(skip_gradients_aggregation)
            return super().apply_gradients(grads_and_vars, skip_gradients_aggregation=skip_gradients_aggregation)

    class Numbered(legacy.SGD):
        def __init__(self):
            super().__init__()
            self._set_hyper("loss_scale", 123.0)

    seen, v = [], tf.Variable(5.0)
    Scaling(Own(1.0)).minimize(lambda: v * 2.0, [v])
    assert seen == [True] and float(v) == 3.0
    with pytest.raises(AttributeError):
        Scaling(Numbered()).loss_scale = 2.0


def test_what_cannot_be_inside():
    for wrong in (1, "sgd"):
        with pytest.raises(TypeError, match=r'"inner_optimizer" must be an instance of `tf.keras.optimizers.Optimizer` or'):
            Scaling(wrong)
    with pytest.raises(TypeError, match="cannot wrap another LossScaleOptimizer"):
        Scaling(Scaling(current.SGD()))


def test_configurations_of_the_past():
    config = k.optimizers.serialize(Scaling(legacy.SGD(2.0)))["config"]
    inner = {"optimizer": config["inner_optimizer"]}
    scale = {"class_name": "DynamicLossScale", "config": {"initial_loss_scale": 8.0, "increment_period": 5, "multiplier": 2.0}}
    found = k.optimizers.deserialize({"class_name": "LossScaleOptimizer", "config": {**inner, "loss_scale": scale}}, use_legacy_optimizer=True)
    assert (found.dynamic, found.initial_scale, found.dynamic_growth_steps, float(found.lr)) == (True, 8.0, 5, 2.0)
    found = k.optimizers.deserialize({"class_name": "LossScaleOptimizerV1", "config": {**inner, "loss_scale": scale}}, use_legacy_optimizer=True)
    assert found.initial_scale == 8.0
    scale = {"class_name": "FixedLossScale", "config": {"loss_scale_value": 3.0}}
    found = k.optimizers.deserialize({"class_name": "LossScaleOptimizer", "config": {**inner, "loss_scale": scale}}, use_legacy_optimizer=True)
    assert (found.dynamic, found.initial_scale) == (False, 3.0)
    scale = {"class_name": "DynamicLossScale", "config": {"initial_loss_scale": 8.0, "increment_period": 5, "multiplier": 3.0}}
    with pytest.raises(ValueError, match="DynamicLossScale whose multiplier is not 2"):
        k.optimizers.deserialize({"class_name": "LossScaleOptimizer", "config": {**inner, "loss_scale": scale}}, use_legacy_optimizer=True)


@KINDS
def test_models_in_files(kind, tmp_path):
    model = k.Sequential([k.Input((2,)), k.layers.Dense(1)])
    model.compile(Scaling(kind.SGD(0.1, momentum=0.9), initial_scale=8.0), "mse")
    model.fit(np.ones((2, 2)), np.ones((2, 1)), verbose=0)
    for name in ("m.keras", "m.h5", "m"):
        model.save(tmp_path / name)
        again = k.models.load_model(tmp_path / name)
        assert type(again.optimizer) is type(model.optimizer) and again.optimizer.initial_scale == 8.0


class Unknown(k.Model):
    def __init__(self):
        super().__init__(dtype="mixed_float16")
        self.inner = k.layers.Dense(1, dtype="mixed_float16")

    def call(self, x):
        return self.inner(x)


def test_models_without_their_class_keep_their_policy(tmp_path):
    model = Unknown()
    model.compile("sgd", "mse")
    x = np.ones((2, 3), "float32")
    model.fit(x, np.ones((2, 1)), verbose=0)
    model.save(tmp_path / "m", save_format="tf")
    again = k.models.load_model(tmp_path / "m")
    assert type(again) is not Unknown and again.dtype_policy.name == "mixed_float16"
    assert again(x).dtype == tf.float16 and again.predict(x, verbose=0).dtype == np.float16
    again.compile("sgd", "mse")
    assert np.isfinite(again.fit(x, np.ones((2, 1)), verbose=0).history["loss"][0])


def test_slots_of_checkpoints_of_the_past(tmp_path):
    class Past(tf.Module):
        def __init__(self, optimizer):
            super().__init__()
            self.base_optimizer = optimizer

    v, inner = tf.Variable([1.0, 2.0]), legacy.SGD(0.1, momentum=0.9)
    inner.apply_gradients([(tf.constant([1.0, 3.0]), v)])
    path = tf.train.Checkpoint(v=v, o=Past(inner)).save(str(tmp_path / "c"))
    w, o = tf.Variable([0.0, 0.0]), Scaling(legacy.SGD(0.1, momentum=0.9))
    o._create_all_weights([w])
    tf.train.Checkpoint(v=w, o=o).restore(path)
    np.testing.assert_array_equal(w, v)
    np.testing.assert_array_equal(o.get_slot(w, "momentum"), inner.get_slot(v, "momentum"))
