"""Small things that programs of others rely on, each once broken here. TensorFlow's answers."""

import numpy as np

import tf2compat as tf


def test_a_slice_of_a_variable_is_assigned_in_a_function() -> None:
    v = tf.Variable(tf.zeros([4, 2]))

    @tf.function
    def count(i):
        for k in tf.range(2):
            v[i + k].assign(v[i + k] + 1.0)
        v[i:, 1].assign(5.0)
        v[0].assign([7.0, 8.0])

    count(tf.constant(1))
    assert v.numpy().tolist() == [[7, 8], [1, 5], [1, 5], [0, 5]]


def test_unknown_dimensions_that_broadcast_stay_unknown_where_they_may() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, None])])
    def f(x):
        seen.extend([(x - tf.ones([1, 3])).shape, (x / tf.ones([2, 3])).shape, tf.maximum(tf.ones([3]), x).shape])
        return x

    seen: list = []
    f(tf.ones([4, 3]))
    assert [s.as_list() for s in seen] == [[None, 3], [2, 3], [None, 3]]
    assert (tf.keras.Input(shape=(None,)) - tf.ones([1, 3])).shape.as_list() == [None, 3]


def test_a_sequential_model_that_begins_with_an_adapted_layer_is_built() -> None:
    layer = tf.keras.layers.Normalization(axis=-1)
    layer.adapt(np.arange(12.0, dtype=np.float32).reshape(4, 3))
    model = tf.keras.Sequential([layer, tf.keras.layers.Dense(2)])
    lines: list = []
    model.summary(print_fn=lines.append)
    assert model.built and model.input_shape == (None, None) and model.output_shape == (None, 2)
    assert "(None, 3)" in "\n".join(lines) and model.name_scope() == model.name + "/"


def test_switches_of_compat_v2() -> None:
    assert tf.compat.v2.enable_v2_behavior() is None


def test_the_cpu_has_several_names_where_asked(monkeypatch) -> None:
    from tf2compat.config import experimental

    monkeypatch.setattr(experimental, "limits", {})
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    assert [d.name for d in tf.config.list_logical_devices("CPU")] == ["/device:CPU:0", "/device:CPU:1"]
    with tf.device("/CPU:1"):
        assert float(tf.constant(1.0) + 1.0) == 2.0
