"""What TensorFlow libraries do that programs seldom do: found by running their own tests."""

import tf2compat as tf


def test_modules_of_one_name_are_numbered_in_a_graph_only():
    assert [tf.Module("badger").name_scope.name for _ in range(2)] == ["badger/", "badger/"]
    seen = []

    @tf.function
    def f():
        seen.extend(tf.Module("badger").name_scope.name for _ in range(2))

    f()
    assert seen == ["badger/", "badger_1/"]


def test_a_dense_layer_whose_kernel_is_computed():
    class Doubled(tf.keras.layers.Dense):
        def build(self, input_shape):
            self.half = self.add_weight("half", shape=[input_shape[-1], self.units], initializer="ones")
            self.built = True

        @property
        def kernel(self):
            return self.half * 2.0

        @property
        def bias(self):
            return None

    layer = Doubled(2)
    with tf.GradientTape() as tape:
        out = layer(tf.ones([1, 3]))
    assert out.numpy().tolist() == [[6.0, 6.0]]
    assert tape.gradient(out, layer.half).numpy().tolist() == [[2.0, 2.0]] * 3


def test_registered_names_come_before_names_of_the_package():
    @tf.keras.utils.register_keras_serializable(package="Mine")
    def rrelu(x):
        return x

    @tf.keras.utils.register_keras_serializable(package="Mine")
    class AdamW(tf.keras.optimizers.legacy.Adam):
        pass

    config = tf.keras.layers.serialize(tf.keras.layers.Dense(3, activation=rrelu))
    assert config["config"]["activation"]["config"] == "Mine>rrelu"
    assert tf.keras.layers.deserialize(config).activation is rrelu
    assert type(tf.keras.optimizers.deserialize(tf.keras.optimizers.serialize(AdamW()))) is AdamW


def test_only_decorators_of_tensorflows_making_are_unwrapped():
    import functools

    def f(a):
        return a

    @functools.wraps(f)
    def g(*args):
        return f(*args)

    decorator = tf.__internal__.decorator
    assert decorator.unwrap(g) == ([], g)
    ((found,), inside) = decorator.unwrap(decorator.make_decorator(f, g, "named"))
    assert (found.decorator_name, found.decorator_argspec, inside) == ("named", None, f)
    assert decorator.unwrap(tf.function(f))[1] is f
