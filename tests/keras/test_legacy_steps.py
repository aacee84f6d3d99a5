"""Legacy optimizers of programs, derived from the base or from one of the package's: TensorFlow's values."""

import numpy as np
import pytest

import tf2compat as tf

L = tf.keras.optimizers.legacy


class Decayed(L.Adam):
    """As the AdamW of many a BERT."""

    def _prepare_local(self, device, dtype, state):
        super()._prepare_local(device, dtype, state)
        state[device, dtype]["wd"] = tf.constant(0.1, dtype)

    def _resource_apply_dense(self, grad, var, apply_state=None):
        key = (var.device, var.dtype.base_dtype)
        c = (apply_state or {}).get(key) or self._fallback_apply_state(*key)
        with tf.control_dependencies([var.assign_sub(c["lr_t"] * c["wd"] * var)]):
            return super()._resource_apply_dense(grad, var, apply_state)

    def _resource_apply_sparse(self, grad, var, indices, apply_state=None):
        return super()._resource_apply_sparse(grad, var, indices, apply_state=apply_state)


class Half:
    """The learning rate of the dense steps alone, where the rule of rows takes another number."""

    def _prepare_local(self, device, dtype, state):
        super()._prepare_local(device, dtype, state)
        state[device, dtype]["lr_t"] = state[device, dtype]["lr_t"] * 0.5


class HalfAdam(Half, L.Adam): ...


class HalfAdamax(Half, L.Adamax): ...


class HalfAdagrad(Half, L.Adagrad): ...


class HalfFtrl(Half, L.Ftrl): ...


class HalfAdadelta(Half, L.Adadelta): ...


class HalfRMSprop(Half, L.RMSprop): ...


class HalfSGD(Half, L.SGD): ...


class Own(L.Optimizer):
    """Without `apply_state`, as older classes are."""

    def __init__(self, learning_rate=0.1, name="Own", **kwargs):
        super().__init__(name, **kwargs)
        self._set_hyper("learning_rate", learning_rate)
        self._set_hyper("decay", self._initial_decay)

    def _create_slots(self, var_list):
        for v in var_list:
            self.add_slot(v, "m")

    def _resource_apply_dense(self, grad, var):
        m = self.get_slot(var, "m")
        m.assign(m * 0.9 + grad, use_locking=self._use_locking)
        return var.assign_sub(self._decayed_lr(var.dtype) * m)

    def _resource_apply_sparse(self, grad, var, indices):
        rows = self._resource_scatter_add(self.get_slot(var, "m"), indices, grad)
        return tf.group(var.assign_sub(self._decayed_lr(var.dtype) * rows))


class Twice(L.Nadam):
    def _resource_apply_dense(self, grad, var, apply_state=None):
        return super()._resource_apply_dense(grad * 2, var, apply_state)


class Transformed(L.SGD):
    def _transform_gradients(self, grads_and_vars):
        return [(tf.convert_to_tensor(g) * 0.5, v) for g, v in super()._transform_gradients(grads_and_vars)]


CASES = [
    (lambda: Decayed(0.1), [0.7089, 2.3, 4.7059, 6.3002, 0.1888, -0.7825], 5),
    (lambda: Decayed(tf.keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)), [0.8272, 2.175, 4.8264, 6.1751, 0.3173, -0.6655], 5),
    (lambda: HalfRMSprop(0.1), [0.4654, 2.8263, 4.3912, 6.8086, 0.1512, -0.8865], 3),
    (lambda: HalfRMSprop(0.1, momentum=0.9), [0.3992, 2.8063, 4.3761, 6.7981, -0.2239, -1.2587], 5),
    (lambda: HalfSGD(0.1, momentum=0.9), [1.6503, 9.9004, 6.7034, 15.9574, -6.7632, -15.8457], 3),
    (lambda: HalfSGD(0.1), [1.4867, 6.8902, 6.215, 12.1363, -3.4981, -9.5172], 1),
    (lambda: HalfAdam(0.1), [0.7042, 2.3004, 4.702, 6.3005, 0.3503, -0.6502], 5),
    (lambda: HalfAdamax(0.1), [0.729, 2.2825, 4.7183, 6.2861, 0.3538, -0.647], 5),
    (lambda: HalfAdagrad(0.1), [0.8934, 2.1187, 4.8909, 6.1182, 0.3868, -0.6152], 3),
    (lambda: HalfFtrl(0.1), [0.7431, 1.9588, 4.5775, 5.8008, 0.3852, -0.6083], 5),
    (lambda: HalfAdadelta(0.1), [0.9998, 2.0002, 4.9998, 6.0002, 0.4998, -0.5002], 5),
    (lambda: Own(), [5.346, 55.735, 15.5725, 60.0124, -14.8238, -52.8326], 3),
    (lambda: Own(decay=0.5), [2.582, 21.3666, 9.1101, 27.529, -8.9519, -25.2378], 3),
    (lambda: Twice(0.01), [0.9746, 2.0259, 4.9745, 6.0259, 0.4743, -0.5258], 6),
    (lambda: Transformed(0.1, clipnorm=1.0), [0.9678, 2.0751, 4.9191, 6.112, 0.4231, -0.6288], 1),
    (lambda: L.SGD(0.1, gradient_aggregator=lambda pairs: [(tf.convert_to_tensor(g) * 3.0, v) for g, v in pairs]),
     [59.2838, 2607.0823, 152.2278, 1715.7434, -134.8103, -3458.3896], 1),
]  # fmt: skip


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("make,values,weights", CASES)
def test_own_steps(make, values, weights, traced):
    optimizer = make()
    a, b = tf.Variable([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), tf.Variable([0.5, -0.5])

    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.gather(a, [0, 2, 0]) ** 2 * b)
        optimizer.apply_gradients(zip(tape.gradient(loss, [a, b]), [a, b], strict=True))

    step = tf.function(step) if traced else step
    for _ in range(3):
        step()
    np.testing.assert_allclose(np.concatenate([a.numpy()[0], a.numpy()[2], b.numpy()]), values, rtol=1e-4, atol=6e-5)
    assert a.numpy()[1].tolist() == [3, 4] and int(optimizer.iterations) == 3 and len(optimizer.weights) == weights


def test_a_wrapper_steps_by_the_optimizer_inside():
    class Wrapper(L.Optimizer):
        def __init__(self, inner, name="Wrapper"):
            super().__init__(name)
            self._optimizer = inner

        def _create_slots(self, var_list):
            self._optimizer._create_slots(var_list=var_list)

        def _prepare(self, var_list):
            return self._optimizer._prepare(var_list=var_list)

        def apply_gradients(self, grads_and_vars, name=None, **kwargs):
            self._optimizer._iterations = self.iterations
            return super().apply_gradients(grads_and_vars, name, **kwargs)

        def _resource_apply_dense(self, grad, var, apply_state=None):
            assert "apply_state" in self._optimizer._dense_apply_args
            self._optimizer._resource_apply_dense(grad, var, apply_state=apply_state)
            return var.assign_add(tf.ones_like(var))

    v, w = tf.Variable([1.0, 2.0]), tf.Variable([1.0, 2.0])
    optimizer, plain = Wrapper(L.Adam(0.1)), L.Adam(0.1)
    for _ in range(2):
        optimizer.apply_gradients([(tf.constant([0.5, -1.0]), v)])
        plain.apply_gradients([(tf.constant([0.5, -1.0]), w)])
    np.testing.assert_allclose(v.numpy(), w.numpy() + 2, rtol=1e-6)


def test_numbers_that_a_rule_cannot_take_from_the_step_are_an_error():
    class Other(L.Adam):
        def _prepare_local(self, device, dtype, state):
            super()._prepare_local(device, dtype, state)
            state[device, dtype]["beta_1_t"] = tf.constant(0.5, dtype)

    with pytest.raises(NotImplementedError, match="beta_1_t"):
        Other(0.1).apply_gradients([(tf.constant(1.0), tf.Variable(1.0))])


def test_the_gradient_of_a_loss_is_scaled():
    v = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        loss = v * v
    L.SGD(0.1).minimize(loss, [v], grad_loss=tf.constant(3.0), tape=tape)
    assert abs(float(v) - 0.8) < 1e-6


def test_a_weight_of_its_own():
    made = L.SGD(0.1).add_weight("extra", [2])
    assert (made.name, made.trainable, made.dtype) == ("extra:0", True, tf.float32)
    with pytest.raises(ValueError, match="gradient_transformers"):
        L.SGD(0.1, clipvalue=0.5, gradient_transformers=[lambda pairs: pairs])


def test_hyperparameters_keep_the_type_that_they_are_given():
    class Flagged(L.SGD):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self._set_hyper("flag", False)

    optimizer = Flagged(learning_rate=1)
    assert (optimizer._get_hyper("flag").dtype, optimizer.learning_rate.dtype, L.SGD(0.5).learning_rate.dtype) == (tf.bool, tf.int32, tf.float32)
    optimizer.learning_rate = 0.25
    assert int(optimizer.learning_rate) == 0


def test_schedules_are_asked_with_a_step_of_the_variables_dtype() -> None:
    asked = []

    class Warming(tf.keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            asked.append(step.dtype)
            return tf.math.minimum(tf.math.rsqrt(step), step * 0.5)  # a root that integers have not

    v = tf.Variable([1.0, 2.0])
    for make in (tf.keras.optimizers.legacy.SGD, tf.keras.optimizers.legacy.Adam):
        optimizer = make(Warming())
        for _ in range(2):
            optimizer.apply_gradients([(tf.constant([1.0, 1.0]), v)])
    assert set(asked) == {tf.float32}
    assert np.isfinite(v.numpy()).all()
