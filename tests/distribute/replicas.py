"""Several replicas on logical CPU devices, printed: what TensorFlow prints is in `replicas.txt`.

TF_USE_LEGACY_KERAS=1 TF_PYTHON tests/distribute/replicas.py > tests/distribute/replicas.txt
"""

import tempfile

import numpy as np


def two(tf):
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    print(tf.config.list_logical_devices("CPU"))
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def loops(tf, s):
    def T(n, f):
        try:
            r = f()
            print("---", n, type(r).__name__, r)
        except Exception as e:
            print("---", n, "ERR", type(e).__name__, str(e)[:300])

    with s.scope():
        v = tf.Variable(1.0)
        u = tf.Variable(0.0, synchronization=tf.VariableSynchronization.ON_READ, aggregation=tf.VariableAggregation.SUM)
        m = tf.Variable(0.0, synchronization=tf.VariableSynchronization.ON_READ, aggregation=tf.VariableAggregation.MEAN)
        a = tf.Variable(1.0, aggregation=tf.VariableAggregation.MEAN)
        z = tf.Variable(1.0, aggregation=tf.VariableAggregation.SUM)
        of = tf.Variable(1.0, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)
    print(v)
    print(u)
    print(v.values)
    print(v.device)
    T("ctx", lambda: s.run(lambda: tf.distribute.get_replica_context().replica_id_in_sync_group))
    T("const", lambda: s.run(lambda: tf.constant(3.0)))
    T("py", lambda: s.run(lambda: 5))
    T("none", lambda: s.run(lambda: None))
    T("tuple", lambda: s.run(lambda: (tf.constant(1.0), 2, None)))
    T("args", lambda: s.run(lambda x: x + 1, args=(tf.constant(1.0),)))
    pr = s.experimental_distribute_values_from_function(lambda ctx: tf.constant(float(ctx.replica_id_in_sync_group)))
    T("dv", lambda: pr)
    T("run pr", lambda: s.run(lambda x: x * 2, args=(pr,)))
    T("local", lambda: s.experimental_local_results(pr))
    T("local const", lambda: s.experimental_local_results(tf.constant(1.0)))
    T("local v", lambda: s.experimental_local_results(v))
    for op in ("SUM", "MEAN", tf.distribute.ReduceOp.SUM):
        T(f"reduce {op}", lambda: s.reduce(op, pr, axis=None))
    pv = s.experimental_distribute_values_from_function(lambda ctx: tf.range(3.0) + ctx.replica_id_in_sync_group)
    T("reduce axis", lambda: s.reduce("SUM", pv, axis=0))
    T("reduce axis mean", lambda: s.reduce("MEAN", pv, axis=0))
    T("reduce noaxis", lambda: s.reduce("SUM", pv, axis=None))
    T("gather", lambda: s.gather(pv, axis=0))

    def allr():
        ctx = tf.distribute.get_replica_context()
        x = tf.cast(ctx.replica_id_in_sync_group, tf.float32) + 1.0
        return (
            ctx.all_reduce("SUM", x),
            ctx.all_reduce("MEAN", [x, x * 2]),
            ctx.all_gather(tf.reshape(x, [1, 1]), 0),
            ctx.num_replicas_in_sync,
            ctx.strategy is s,
        )

    T("allreduce", lambda: s.run(allr))
    T("fn(run)", lambda: tf.function(lambda: s.run(lambda: tf.distribute.get_replica_context().replica_id_in_sync_group * 2))())

    def mc():
        ctx = tf.distribute.get_replica_context()

        def merge(strategy, x, y):
            print("merge", type(x).__name__, x, y, tf.distribute.in_cross_replica_context())
            return strategy.reduce("SUM", x, axis=None)

        return ctx.merge_call(merge, args=(tf.cast(ctx.replica_id_in_sync_group, tf.float32), 3))

    T("merge", lambda: s.run(mc))
    T("assign no agg", lambda: s.run(lambda: v.assign_add(1.0)))
    T(
        "assign no agg dep",
        lambda: s.run(lambda: v.assign(tf.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, tf.float32))),
    )
    rid = lambda: tf.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, tf.float32)
    T("u add", lambda: s.run(lambda: u.assign_add(rid() + 1)))
    print(u)
    T("u read", lambda: u.read_value())
    T("u numpy", lambda: u.numpy())
    T("u run read", lambda: s.run(lambda: u.read_value()))
    T("m add", lambda: s.run(lambda: m.assign_add(rid() + 1)))
    T("m", lambda: m.read_value())
    T("a assign", lambda: s.run(lambda: a.assign(rid() + 1)))
    print(a)
    T("a add", lambda: s.run(lambda: a.assign_add(rid() + 1)))
    print(a)
    T("z add", lambda: s.run(lambda: z.assign_add(rid() + 1)))
    print(z)
    T("of", lambda: s.run(lambda: of.assign(rid() + 5)))
    print(of)
    T("u assign", lambda: u.assign(4.0))
    print(u)
    T("u cross add", lambda: u.assign_add(4.0))
    print(u)
    T("v cross", lambda: v.assign(7.0))
    print(v)
    T("v math", lambda: v * 2)
    T("vdtype", lambda: (v.dtype, v.shape, v.name, v.trainable, v.synchronization))
    ds = tf.data.Dataset.range(10).batch(4)
    dd = s.experimental_distribute_dataset(ds)
    for x in dd:
        print(x)
    dd = s.experimental_distribute_dataset(tf.data.Dataset.range(11).batch(5))
    for x in dd:
        print(s.experimental_local_results(x))
    dd = s.experimental_distribute_dataset(tf.data.Dataset.range(8).batch(4, drop_remainder=True))
    print(dd.element_spec)

    @tf.function
    def loop(dd):
        t = tf.constant(0, tf.int64)
        for x in dd:
            t += s.reduce("SUM", s.run(lambda x: tf.reduce_sum(x), args=(x,)), axis=None)
        return t

    T("loop", lambda: loop(dd))

    def dfn(ctx):
        print(ctx, ctx.num_input_pipelines, ctx.num_replicas_in_sync, ctx.get_per_replica_batch_size(8))
        return tf.data.Dataset.range(8).batch(ctx.get_per_replica_batch_size(8))

    dd = s.distribute_datasets_from_function(dfn)
    for x in dd:
        print(x)
    print(next(iter(dd)))
    T("in cross", lambda: tf.distribute.in_cross_replica_context())
    with s.scope():
        T(
            "in cross scope",
            lambda: (
                tf.distribute.in_cross_replica_context(),
                tf.distribute.has_strategy(),
                tf.distribute.get_strategy() is s,
                tf.distribute.get_replica_context(),
            ),
        )
    with s.scope():
        o = tf.keras.optimizers.SGD(0.1)
        w = tf.Variable([1.0, 2.0])

    def step(x):
        with tf.GradientTape() as t:
            l = tf.reduce_sum(w * x)
        g = t.gradient(l, [w])
        o.apply_gradients(zip(g, [w]))
        return l

    T("step", lambda: s.run(step, args=(pr,)))
    print(w)
    T("step fn", lambda: tf.function(lambda x: s.run(step, args=(x,)))(pr))
    print(w)
    print(s.extended.worker_devices, s.extended.parameter_devices)
    T("printing", lambda: [print(pv), print(repr(pv))])
    T("pr values", lambda: pr.values)
    T("mul", lambda: pr * 2)


def keras(tf, s, folder):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(22, 3)).astype("float32")
    y = (x @ [[1.0], [2.0], [-1.0]]).astype("float32")
    W = rng.normal(size=(3, 4)).astype("float32")
    W2 = rng.normal(size=(4, 1)).astype("float32")
    C = tf.keras.initializers.Constant

    def fit(opt, bn=False, **kw):
        with s.scope():
            L = [tf.keras.layers.Dense(4, "tanh", kernel_initializer=C(W), kernel_regularizer=tf.keras.regularizers.L2(0.01))]
            if bn:
                L.append(tf.keras.layers.BatchNormalization())
            m = tf.keras.Sequential(L + [tf.keras.layers.Dense(1, kernel_initializer=C(W2))])
            m.compile(opt(), "mse", metrics=["mae"], **kw)
        h = m.fit(x, y, epochs=2, batch_size=8, shuffle=False, verbose=0, validation_data=(x[:5], y[:5]))
        print({k: np.round(v, 5).tolist() for k, v in h.history.items()})
        print(
            np.round(m.evaluate(x, y, batch_size=8, verbose=0), 5),
            np.round(m.predict(x, batch_size=8, verbose=0).ravel()[:6], 5),
            m.predict(x, batch_size=8, verbose=0).shape,
        )
        print([np.round(w.ravel()[:3], 5).tolist() for w in m.get_weights()])
        return m

    K = tf.keras.optimizers
    m = fit(lambda: K.SGD(0.1))
    fit(lambda: K.Adam(0.1))
    fit(lambda: K.SGD(0.1), bn=True)
    fit(lambda: K.legacy.SGD(0.1, momentum=0.9))
    fit(lambda: K.SGD(0.1), run_eagerly=True)
    print(type(m.weights[0]).__name__, m.optimizer.iterations.numpy())
    # custom loop of the guides
    with s.scope():
        m = tf.keras.Sequential(
            [
                tf.keras.layers.Dense(4, "relu", kernel_initializer=C(W), input_shape=(3,)),
                tf.keras.layers.Dense(1, kernel_initializer=C(W2)),
            ]
        )
        opt = K.Adam(0.01)
        loss_object = tf.keras.losses.MeanSquaredError(reduction="none")
        acc = tf.keras.metrics.MeanAbsoluteError()

    def step(inputs):
        a, b = inputs
        with tf.GradientTape() as t:
            p = m(a, training=True)
            l = tf.nn.compute_average_loss(loss_object(b, p), global_batch_size=8)
        opt.apply_gradients(zip(t.gradient(l, m.trainable_variables), m.trainable_variables))
        acc.update_state(b, p)
        return l

    @tf.function
    def dstep(inputs):
        return s.reduce(tf.distribute.ReduceOp.SUM, s.run(step, args=(inputs,)), axis=None)

    dd = s.experimental_distribute_dataset(tf.data.Dataset.from_tensor_slices((x, y)).batch(8))
    for e in range(2):
        tot = 0.0
        for b in dd:
            tot += dstep(b)
        print(np.round(float(tot), 5), np.round(float(acc.result()), 5))
        acc.reset_state()
    ck = tf.train.Checkpoint(model=m, opt=opt)
    p = ck.save(folder + "/a")
    w0 = m.get_weights()
    for v in m.trainable_variables:
        v.assign(tf.zeros_like(v))
    ck.restore(p)
    print(all(np.array_equal(a, b) for a, b in zip(w0, m.get_weights())), m.weights[0].values[1].numpy().ravel()[:2].round(4))
    print(np.round(m(x).numpy().ravel()[:3], 5))


def main(tf):
    strategy = two(tf)
    loops(tf, strategy)
    with tempfile.TemporaryDirectory() as folder:
        keras(tf, strategy, folder)


if __name__ == "__main__":
    import tensorflow

    main(tensorflow)
