"""`tf.distribute` on one process: contexts, variables, data, steps; Keras in a scope. TensorFlow's answers were recorded by hand."""

import json

import numpy as np
import pytest

import tf2compat as tf
from tf2compat import distribute, errors

MAKERS = [
    distribute.MirroredStrategy,
    lambda: distribute.OneDeviceStrategy("/cpu:0"),
    distribute.experimental.CentralStorageStrategy,
    distribute.MultiWorkerMirroredStrategy,
]


def test_outside_of_a_scope_the_default_strategy_is_in_force() -> None:
    s = distribute.get_strategy()
    assert not distribute.has_strategy() and not distribute.in_cross_replica_context()
    assert distribute.get_replica_context().num_replicas_in_sync == s.num_replicas_in_sync == 1
    assert s.reduce("SUM", 1.0, axis=None) == 1.0 and isinstance(s.reduce("SUM", 1.0, axis=None), float)
    assert float(s.reduce(distribute.ReduceOp.MEAN, tf.constant([1.0, 3.0]), axis=0)) == 2.0
    data = tf.data.Dataset.range(3)
    assert s.experimental_distribute_dataset(data) is data
    with pytest.raises(ValueError, match="'FOO' is not a valid ReduceOp"):
        s.reduce("FOO", [1.0], axis=None)


@pytest.mark.parametrize("make", MAKERS)
def test_a_step_runs_in_a_replica_of_the_scope(make) -> None:
    s = make()
    with s.scope() as entered:
        assert entered is s and distribute.get_strategy() is s and distribute.has_strategy()
        assert distribute.in_cross_replica_context() and distribute.get_replica_context() is None
        v = tf.Variable(1.0)
        assert s.extended.variable_created_in_scope(v)

    def step(x):
        context = distribute.get_replica_context()
        v.assign_add(x)
        total = context.all_reduce("SUM", {"x": x})
        merged = context.merge_call(lambda strategy, t: strategy.extended.reduce_to("MEAN", t, t), args=(x,))
        return total["x"], merged, context.replica_id_in_sync_group, distribute.in_cross_replica_context()

    total, merged, replica, cross = s.run(step, args=(tf.constant(2.0),))
    assert float(total) == float(merged) == 2.0 and int(replica) == 0 and cross is False
    run = tf.function(lambda x: s.run(step, args=(x,))[0])
    assert float(run(tf.constant(3.0))) == 3.0 and float(v) == 6.0
    assert [float(x) for x in s.experimental_local_results(v)] == [6.0]
    assert float(s.gather(tf.ones([1]), 0)[0]) == 1.0
    for wrong in (lambda: s.run(lambda: 1), lambda: s.reduce("SUM", 1.0, None), lambda: s.scope().__enter__()):
        with pytest.raises(RuntimeError, match="cross-replica context, use get_replica_context"):
            s.run(wrong)
    with pytest.raises(ValueError, match="positional args must be a list or tuple, got <class 'int'>"):
        s.run(step, args=3)
    with s.scope(), pytest.raises(RuntimeError, match="Mixing different tf.distribute.Strategy objects"), make().scope():
        pass


def test_a_step_is_converted_as_the_function_that_calls_it() -> None:
    s = distribute.MirroredStrategy()

    def step(n):
        total = tf.constant(0)
        for i in tf.range(n):
            if i % 2 == 0:
                total += i
        return total

    assert int(tf.function(lambda n: s.run(step, args=(n,)))(tf.constant(7))) == 12


def test_mirrored_variables_show_themselves() -> None:
    s = distribute.MirroredStrategy()
    with s.scope():
        v = tf.Variable(1.0, name="v")
        w = tf.Variable(1.0, trainable=False, synchronization=tf.VariableSynchronization.ON_READ, aggregation=tf.VariableAggregation.SUM)
    assert repr(v) == "MirroredVariable:{\n  0: <tf.Variable 'v:0' shape=() dtype=float32, numpy=1.0>\n}"
    assert repr(w).startswith("SyncOnReadVariable:{\n  0: <tf.Variable 'Variable:0'")
    (part,) = v.values
    part.assign(5.0)
    assert float(v) == 5.0 and repr(part) == "<tf.Variable 'v:0' shape=() dtype=float32, numpy=5.0>"
    assert not hasattr(tf.Variable(1.0), "values")


def test_datasets() -> None:
    s = distribute.MirroredStrategy()
    d = s.experimental_distribute_dataset(tf.data.Dataset.range(5).batch(2))
    assert isinstance(d, distribute.DistributedDataset) and d.cardinality == 3 and not hasattr(d, "__len__")
    assert d.element_spec == tf.TensorSpec([None], tf.int64)
    it = iter(d)
    assert isinstance(it, distribute.DistributedIterator)
    assert next(it).numpy().tolist() == [0, 1] and it.get_next().numpy().tolist() == [2, 3]

    @tf.function
    def total(dataset):
        t = tf.constant(0, tf.int64)
        for x in dataset:
            t += s.reduce("SUM", s.run(tf.reduce_sum, args=(x,)), axis=None)
        return t

    @tf.function
    def two(iterator):
        return s.run(lambda x: x, args=(next(iterator),)), next(iterator)

    assert int(total(d)) == 10
    assert [x.numpy().tolist() for x in two(iter(d))] == [[0, 1], [2, 3]]
    seen = []

    def make(context):
        seen.append((str(context), context.get_per_replica_batch_size(8)))
        return tf.data.Dataset.range(4).batch(2)

    assert len(list(s.distribute_datasets_from_function(make))) == 2
    assert seen == [("tf.distribute.InputContext(input pipeline id 0, total: 1)", 8)]
    again = s.make_dataset_iterator(tf.data.Dataset.range(1).batch(1))
    assert again.get_next().numpy().tolist() == [0]
    again.initialize()
    assert again.get_next().numpy().tolist() == [0]
    with pytest.raises(TypeError, match=r"Expected a tf.data.Dataset, got list: \[1, 2\]"):
        s.experimental_distribute_dataset([1, 2])


def test_per_replica_values() -> None:
    s = distribute.MirroredStrategy()
    value = s.experimental_distribute_values_from_function(lambda c: tf.constant([1.0, float(c.num_replicas_in_sync)]))
    assert repr(value) == "PerReplica:{\n  0: <tf.Tensor: shape=(2,), dtype=float32, numpy=array([1., 1.], dtype=float32)>\n}"
    double = tf.function(lambda v: s.run(lambda x: x * 2, args=(v,)))
    assert double(value).numpy().tolist() == [2.0, 2.0]
    assert float(s.reduce("mean", value, axis=0)) == 1.0


def _model():
    return tf.keras.Sequential([tf.keras.layers.Dense(2, activation="relu"), tf.keras.layers.Dense(1)])


def test_keras_trains_in_the_scope() -> None:
    s = distribute.MirroredStrategy()
    contexts = []

    class Noted(tf.keras.Sequential):
        def train_step(self, data):
            contexts.append((distribute.get_replica_context() is None, distribute.get_strategy() is s))
            return super().train_step(data)

    with s.scope():
        model = Noted([tf.keras.layers.Dense(1)])
        model.compile("adam", "mse", metrics=["mae"])
    x, y = np.ones((8, 3), np.float32), np.ones((8, 1), np.float32)
    model.fit(x, y, epochs=1, verbose=0)
    d = s.experimental_distribute_dataset(tf.data.Dataset.from_tensor_slices((x, y)).batch(4))
    assert len(model.fit(d, epochs=2, verbose=0).history["loss"]) == 2
    assert contexts[0] == (False, True) and model.distribute_strategy is s
    assert repr(model.weights[0]).startswith("MirroredVariable") and s.extended.variable_created_in_scope(model.optimizer.variables[1])
    assert model.predict(x, verbose=0).shape == (8, 1) and len(model.evaluate(x, y, verbose=0)) == 2
    outside = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(3,))])
    with s.scope(), pytest.raises(ValueError, match="was not created in the distribution strategy scope"):
        outside.compile("sgd", "mse")


def test_a_custom_loop_learns_and_its_checkpoint_is_read_without_a_strategy(tmp_path) -> None:
    s = distribute.MirroredStrategy()
    x = np.linspace(-1, 1, 32, dtype=np.float32)[:, None]
    data = s.experimental_distribute_dataset(tf.data.Dataset.from_tensor_slices((x, 3 * x)).batch(8))
    with s.scope():
        loss_of = tf.keras.losses.MeanSquaredError(reduction="none")
        model, optimizer = tf.keras.Sequential([tf.keras.layers.Dense(1)]), tf.keras.optimizers.SGD(0.5)
        checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer)

    def step(batch):
        with tf.GradientTape() as tape:
            loss = tf.nn.compute_average_loss(loss_of(batch[1], model(batch[0])))
            loss += tf.nn.scale_regularization_loss(0.0 * tf.add_n([tf.nn.l2_loss(v) for v in model.trainable_variables]))
        optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True))
        return loss

    train = tf.function(lambda batch: s.reduce(distribute.ReduceOp.SUM, s.run(step, args=(batch,)), axis=None))
    losses = [float(train(batch)) for _ in range(4) for batch in data]
    assert losses[-1] < 0.01 * losses[0]
    path = checkpoint.save(str(tmp_path / "c"))
    plain = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(1,))])
    tf.train.Checkpoint(model=plain).restore(path).expect_partial()
    assert plain.weights[0].numpy() == model.weights[0].numpy() and repr(plain.weights[0]).startswith("<tf.Variable")
    with s.scope(), pytest.raises(RuntimeError, match="You are calling `compute_average_loss` in cross replica context"):
        tf.nn.compute_average_loss([1.0])
    with pytest.raises(ValueError, match="Please use `tf.keras.losses.Reduction.SUM`"):
        s.run(lambda: tf.keras.losses.MeanSquaredError()([1.0], [2.0]))


def test_what_one_process_cannot_do_says_so(monkeypatch) -> None:
    two = distribute.MirroredStrategy(["/gpu:0", "/gpu:1"])
    assert two.num_replicas_in_sync == 2
    assert [float(x) for x in two.run(lambda: tf.constant(2.0)).values] == [2.0, 2.0]  # absent devices have stand-ins
    two.extended._many = False  # as where there are two
    for use in (lambda: two.run(lambda: 1), lambda: two.scope().__enter__(), lambda: two.experimental_distribute_dataset(tf.data.Dataset.range(1))):
        with pytest.raises(errors.UnimplementedError, match="MirroredStrategy over 2 devices .*GPU:0, .*GPU:1. is not supported yet"):
            use()
    assert not distribute.has_strategy()
    with pytest.raises(AssertionError, match="No duplicates allowed in `devices` argument"):
        distribute.MirroredStrategy(["/cpu:0", "/cpu:0"])
    with pytest.raises(ValueError, match="Please provide a TPU Name to connect to."):
        distribute.cluster_resolver.TPUClusterResolver()
    cluster = {"cluster": {"worker": ["localhost:1", "localhost:2"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    resolver = distribute.cluster_resolver.TFConfigClusterResolver()
    assert (resolver.task_type, resolver.task_id, resolver.master()) == ("worker", 0, "localhost:1")
    with pytest.raises(errors.UnimplementedError, match="with 2 workers is not supported yet"):
        distribute.MultiWorkerMirroredStrategy()
    for make in (lambda: distribute.Server({}), lambda: distribute.ParameterServerStrategy(resolver)):
        with pytest.raises(errors.UnimplementedError, match="one process"):
            make()


def test_the_strategy_can_be_set_for_good() -> None:
    s = distribute.OneDeviceStrategy("/cpu:0")
    distribute.experimental_set_strategy(s)
    try:
        assert distribute.get_strategy() is s
    finally:
        distribute.experimental_set_strategy(None)
    assert not distribute.has_strategy()
    with s.scope(), pytest.raises(RuntimeError, match="Must not be called inside"):
        distribute.experimental_set_strategy(s)


def test_partitioners() -> None:
    p = distribute.experimental.partitioners
    shape = tf.TensorShape([1000, 3])
    assert p.FixedShardsPartitioner(3)(shape, tf.float32, axis=1) == [1, 3]
    assert p.MinSizePartitioner(1024, 100)(shape, tf.float32) == [12, 1]
    assert p.MaxSizePartitioner(1000)(shape, tf.float32) == [13, 1]
    assert p.MaxSizePartitioner(1000)(tf.TensorShape([7, 300]), tf.float64, axis=1) == [1, 18]
    assert p.MaxSizePartitioner(1024, 3)(shape, tf.string) == [3, 1]
    with pytest.raises(ValueError, match="`min_shard_bytes` must be positive. Received: 0"):
        p.MinSizePartitioner(0)


def test_devices_as_they_are_listed() -> None:
    listed = tf.config.list_logical_devices("CPU")
    with tf.device(listed[0]):
        assert tf.constant(1.0).device.endswith("CPU:0")
    assert tf.distribute.MirroredStrategy(listed).num_replicas_in_sync == len(listed)
    assert tf.distribute.OneDeviceStrategy(listed[0].name).num_replicas_in_sync == 1
