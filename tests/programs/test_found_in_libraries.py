"""What TensorFlow libraries do that programs seldom do: found by running their own tests."""

import numpy as np
import pytest

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


def test_lists_of_tensors_are_cast_to_a_dtype_that_is_asked_for():
    n, wide, x = tf.constant(3), tf.constant(3, tf.int64), tf.constant(2.5)

    def found():
        return [
            tf.convert_to_tensor((n, n), tf.int64), tf.convert_to_tensor([n, wide], tf.int64), tf.convert_to_tensor([n, 2], tf.float32),
            tf.convert_to_tensor([x, x], tf.int32), tf.convert_to_tensor([[n, 1], [2, n]], tf.int64),
            tf.convert_to_tensor([n, n], dtype_hint=tf.int64), tf.constant([1, 2], tf.int64) + [n, n],
            tf.SparseTensor([[0, 1]], [1.0], (n, n)).dense_shape, tf.tensor_scatter_nd_update(tf.constant([5, 5], tf.int64), [[1]], [n]),
        ]  # fmt: skip

    expected = [
        ("int64", [3, 3]), ("int64", [3, 3]), ("float32", [3.0, 2.0]), ("int32", [2, 2]), ("int64", [[3, 1], [2, 3]]), ("int64", [3, 3]),
        ("int64", [4, 5]), ("int64", [3, 3]), ("int64", [5, 3]),
    ]  # fmt: skip
    for results in (found(), tf.function(found)()):
        assert [(r.dtype.name, r.numpy().tolist()) for r in results] == expected
    assert tf.Variable([x, x], dtype=tf.float64).dtype == tf.float64
    with pytest.raises(tf.errors.InvalidArgumentError, match="Pack"):
        tf.convert_to_tensor([n, wide])
    with pytest.raises(TypeError, match="Cannot convert a list containing a tensor of dtype <dtype: 'int64'> to <dtype: 'int32'>"):
        tf.function(lambda a, b: tf.convert_to_tensor([a, b]))(n, wide)


def test_identities_of_sizes_that_are_tensors():
    @tf.function
    def f(n, m):
        made = tf.sparse.eye(n, m, dtype=tf.float64)
        assert made.shape.as_list() == [None, None] and made.dense_shape.dtype == tf.int64
        return tf.sparse.to_dense(made)

    for dtype in (tf.int32, tf.int64):
        assert f(tf.constant(3, dtype), tf.constant(2, dtype)).numpy().tolist() == [[1, 0], [0, 1], [0, 0]]
    assert tf.sparse.eye(tf.constant(2)).shape == [2, 2]


def test_one_trace_serves_sparse_and_ragged_tensors_of_a_signature():
    seen = []

    @tf.function(input_signature=[tf.SparseTensorSpec([None, None]), {"r": tf.RaggedTensorSpec([None, None], tf.int32)}, tf.TensorSpec([None, 2])])
    def f(sparse, ragged, dense):
        seen.append((sparse.indices.shape.as_list(), ragged["r"].values.shape.as_list(), dense.shape.as_list()))
        return tf.sparse.sparse_dense_matmul(sparse, dense), tf.reduce_sum(ragged["r"])

    for n in (2, 3, 4):
        product, total = f(tf.sparse.eye(n), {"r": tf.ragged.constant([[1] * n, [2]])}, tf.ones([n, 2]))
        assert product.shape == [n, 2] and int(total) == n + 2
    assert seen == [([None, 2], [None], [None, 2])]


def test_the_python_function_of_a_method_is_bound():
    class Index(tf.Module):
        @tf.function
        def query(self, x, k=None):
            return x + self.step * (1 if k is None else k)

    index = Index()
    index.step = tf.constant(2.0)
    assert float(index.query.python_function(tf.constant(1.0))) == 3
    index.query = tf.function(index.query.python_function)
    assert float(index.query(tf.constant(1.0), k=2)) == 5
    assert Index.query.python_function.__name__ == "query"


def test_name_scopes_of_version_1_have_a_second_name():
    scope = tf.compat.v1.name_scope
    for args, expected in ((("a",), "a/"), ((None, "b"), "b/"), (("a", "b", [1]), "a/"), ((None,), ""), ((None, None, [1]), "")):
        with scope(*args) as entered:
            assert entered == expected
    assert (scope(None, "b").name, scope(None).name) == ("b", None)
    with tf.name_scope("outer"), scope(None, "b", []) as entered:
        assert entered == "outer/b/"
    with pytest.raises(ValueError, match="name for name_scope must be a string"):
        scope(None, 3)


def test_losses_tell_their_reduction():
    assert tf.keras.losses.MeanSquaredError()._get_reduction() == "sum_over_batch_size"
    assert tf.keras.losses.MeanSquaredError(reduction="sum")._get_reduction() == "sum"


def test_functions_and_plain_classes_in_configs():
    @tf.keras.utils.register_keras_serializable(package="q")
    def gain(x):
        return x

    @tf.keras.utils.register_keras_serializable(package="q")
    class Weight:
        def __init__(self, topn=None, fn=None):
            self.topn, self.fn = topn, fn

        def get_config(self):
            return {"topn": self.topn, "fn": self.fn}

    described = {"module": "builtins", "class_name": "function", "config": "q>gain", "registered_name": "function"}
    assert tf.keras.utils.serialize_keras_object(gain) == described
    assert tf.keras.utils.deserialize_keras_object(described) is gain
    config = {"class_name": "q>Weight", "config": {"topn": 3, "fn": "q>gain"}}
    made = tf.keras.utils.legacy.deserialize_keras_object(config)
    assert (made.topn, made.fn) == (3, gain)
    with pytest.raises(TypeError, match="missing a `from_config"):
        tf.keras.utils.deserialize_keras_object(config)


@pytest.mark.parametrize(
    "l1,l2,rows",
    [
        (0.0, 0.0, [[0.97005, -1.94039], [-0.05827, 2.94112]]), (0.0, 0.5, [[0.83685, -1.67513], [-0.05349, 2.55741]]),
        (0.3, 0.0, [[0.8802, -1.85097], [0.0, 2.85588]]), (0.3, 0.5, [[0.75528, -1.59391], [0.0, 2.47965]]),
    ],
)  # fmt: skip
def test_proximal_updates(l1, l2, rows):
    raw, v, a = tf.raw_ops, tf.Variable([[1.0, -2.0], [0.01, 3.0]]), tf.Variable(tf.ones([2, 2]))
    g = tf.constant([[0.1, -0.2], [0.3, 0.4]])
    raw.ResourceApplyProximalAdagrad(var=v.handle, accum=a.handle, lr=0.1, l1=l1, l2=l2, grad=g)
    raw.ResourceSparseApplyProximalAdagrad(var=v.handle, accum=a.handle, lr=0.1, l1=l1, l2=l2, grad=g[:1], indices=[1])
    raw.ResourceApplyProximalGradientDescent(var=v.handle, alpha=0.1, l1=l1, l2=l2, delta=g)
    raw.ResourceSparseApplyProximalGradientDescent(var=v.handle, alpha=0.1, l1=l1, l2=l2, grad=g[:1], indices=[0])
    np.testing.assert_allclose(v.numpy(), rows, atol=1e-5)
    np.testing.assert_allclose(a.numpy(), [[1.01, 1.04], [1.1, 1.2]], rtol=1e-5)


def test_versions_have_names_of_the_package_too():
    assert (tf.__git_version__, tf.__compiler_version__) == (tf.version.GIT_VERSION, tf.version.COMPILER_VERSION)
