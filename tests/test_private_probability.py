"""Private modules that TensorFlow Probability imports."""

import subprocess
import sys

PROGRAM = """
import tensorflow as tf
from tensorflow.python.framework import type_spec_registry, type_spec, tensor_spec, composite_tensor
from tensorflow.python.ops.linalg import linear_operator, linear_operator_addition
from tensorflow.python.util import nest, variable_utils

@type_spec_registry.register("some.Spec")
class Spec(type_spec.BatchableTypeSpec):
    pass

print(type_spec_registry.lookup("some.Spec") is Spec, type_spec_registry.get_name(Spec), issubclass(Spec, tf.TypeSpec))
for name, cls in (("some.Spec", type("S", (tf.TypeSpec,), {})), ("bad", Spec), ("other.Name", Spec), ("a.B", int)):
    try:
        type_spec_registry.register(name)(cls)
    except (TypeError, ValueError) as error:
        print(type(error).__name__)
print(variable_utils.convert_variables_to_tensors([tf.Variable(1), "x"]))
print(nest.get_traverse_shallow_structure(lambda s: not isinstance(s, tuple), [1, (2, 3), {"a": 4}]))
print(nest.flatten_up_to([0, 0], [[1], (2, 3)], check_types=False), nest.is_mapping({}))
a, b = tf.linalg.LinearOperatorIdentity(2), tf.linalg.LinearOperatorDiag([1.0, 2.0])
print(linear_operator_addition.add_operators([a, b])[0].to_dense().numpy().tolist())
print(tf.get_static_value("x"), tf.get_static_value(tf.int32), tf.get_static_value([1, 2]), tf.get_static_value(tf.constant(3)))
with tf.compat.v1.variable_scope(tf.compat.v1.get_variable_scope()) as scope:
    print(scope.caching_device)
print(issubclass(composite_tensor.CompositeTensor, tf.__internal__.CompositeTensor), tensor_spec.DenseSpec is tf.TensorSpec)
"""

SAID = """True some.Spec True
ValueError
ValueError
ValueError
TypeError
[<tf.Tensor: shape=(), dtype=int32, numpy=1>, 'x']
[True, False, {'a': True}]
[[1], (2, 3)] True
[[2.0, 0.0], [0.0, 3.0]]
x <dtype: 'int32'> [1, 2] 3
None
True True
"""


def test_what_probability_imports():
    done = subprocess.run([sys.executable, "-m", "tf2compat", "-c", PROGRAM], capture_output=True, text=True, timeout=120)
    assert done.stdout == SAID, done.stdout + done.stderr


LAYER = """
import tensorflow as tf

class Draw:
    pass

tf.keras.__internal__.utils.register_symbolic_tensor_type(Draw)
layer = type("L", (tf.keras.layers.Layer,), {"call": lambda self, x: Draw()})()
try:
    layer(tf.keras.Input((2,)))
except NotImplementedError as error:
    print("does not support outputs of Draw" in str(error))
try:
    with tf.compat.v1.variable_scope(tf.compat.v1.get_variable_scope(), use_resource=False):
        print("entered")
except ValueError as error:
    print("use_resource=False is not supported" in str(error))
"""


def test_what_is_not_supported_is_said():
    done = subprocess.run([sys.executable, "-m", "tf2compat", "-c", LAYER], capture_output=True, text=True, timeout=120)
    assert done.stdout == "True\nTrue\n", done.stdout + done.stderr


COMPOSITE = """
import tensorflow as tf
from tensorflow.python.framework import composite_tensor
from tensorflow.python.ops import resource_variable_ops

class PairSpec(tf.TypeSpec):
    value_type = property(lambda self: Pair)

    def __init__(self, kind, left, right):
        self.kind, self.left, self.right = kind, left, right

    def _serialize(self):
        return self.kind, self.left, self.right

    @property
    def _component_specs(self):
        return {"left": self.left, "right": self.right}

    def _to_components(self, value):
        return {"left": value.left, "right": value.right}

    def _from_components(self, parts):
        return Pair(self.kind, parts["left"], parts["right"])

def spec_of(value):
    if isinstance(value, tf.Variable):
        return resource_variable_ops.VariableSpec(value.shape, value.dtype)
    return tf.TensorSpec(value.shape, value.dtype)

class Pair(composite_tensor.CompositeTensor):
    def __init__(self, kind, left, right):
        self.kind, self.left, self.right = kind, left, right

    @property
    def _type_spec(self):
        return PairSpec(self.kind, spec_of(self.left), spec_of(self.right))

pair = Pair("a", tf.constant(1.0), tf.Variable(2.0))
print(tf.is_tensor(pair), [float(v.numpy()) for v in tf.nest.flatten(pair, expand_composites=True)])
print(tf.nest.map_structure(lambda v: v + 1, pair, expand_composites=True).right.numpy())
kinds = []

@tf.function
def swapped(p):
    kinds.append(p.kind)
    return Pair(p.kind, p.right, p.left + 10)

for left, kind in ((1.0, "a"), (3.0, "a"), (1.0, "b")):
    out = swapped(Pair(kind, tf.constant(left), tf.constant(5.0)))
    print(type(out).__name__, out.kind, out.left.numpy(), out.right.numpy())
print(kinds)

@tf.function
def looped(n):
    p = Pair("c", tf.constant(0), tf.constant(1))
    for i in tf.range(n):
        p = Pair("c", p.right, p.left + p.right)
    return p

print(looped(tf.constant(5)).right.numpy())
print(tf.cond(tf.constant(True), lambda: Pair("d", tf.constant(1), tf.constant(2)), lambda: Pair("d", tf.constant(3), tf.constant(4))).left.numpy())
print(tf.get_static_value(tf.Variable(1)), tf.Variable(1).initializer)
print(tf.random.stateless_categorical([[1.0, 2.0]], 2, [1, 2], dtype=None).dtype)
"""

COMPOSITE_SAID = """False [1.0, 2.0]
3.0
Pair a 5.0 11.0
Pair a 5.0 13.0
Pair b 5.0 11.0
['a', 'b']
8
1
None None
<dtype: 'int64'>
"""


def test_composite_tensors_of_libraries(tmp_path):
    program = tmp_path / "composites.py"  # a file, so that AutoGraph sees its source
    program.write_text(COMPOSITE)
    done = subprocess.run([sys.executable, "-m", "tf2compat", str(program)], capture_output=True, text=True, timeout=120)
    assert done.stdout == COMPOSITE_SAID, done.stdout + done.stderr


STRUCTURES = """
from tensorflow.python.util import nest

def said(f, *args, **kwargs):
    try:
        print(f(*args, **kwargs))
    except (TypeError, ValueError) as error:
        print(type(error).__name__, str(error)[:60].strip())

said(nest.flatten_with_tuple_paths_up_to, {"a": 0, "b": {"c": 0}}, {"a": [1, 2], "b": {"c": (3,)}})
said(nest.map_structure_with_tuple_paths_up_to, {"a": 0, "b": (0, 0)}, lambda p, x, y: (p, x, y), {"a": [1], "b": (2, [3])}, {"a": "x", "b": ("y", "z")})
said(nest.map_structure_up_to, [0, 0], lambda x: x, ((1,), 2), check_types=False)
said(nest.map_structure_up_to, [0, 0], lambda x: x, (1, 2))
said(nest.flatten_up_to, {"a": 1, "b": 2}, {"a": 1, "c": 2})
said(nest.flatten_up_to, {"a": 1}, {"a": 1, "c": 2})
said(nest.flatten_up_to, [0, 0], [1, 2, 3])
said(nest.flatten_up_to, [0, 0], 3)
said(nest.flatten_up_to, 0, [3])
said(nest.map_structure_with_tuple_paths_up_to, [0], lambda p: p)
said(nest.list_to_tuple, [1, {"a": [2, (3, [4])]}])
said(nest.flatten_dict_items, {(1, 2): ("a", "b"), 3: "c"})
said(nest.flatten_dict_items, {(1, 2): ("a", "b"), 2: "c"})
"""

STRUCTURES_SAID = """[(('a',), [1, 2]), (('b', 'c'), (3,))]
{'a': (('a',), [1], 'x'), 'b': ((('b', 0), 2, 'y'), (('b', 1), [3], 'z'))}
[(1,), 2]
TypeError The two structures don't have the same sequence type. Input
ValueError The shallow_tree's keys are not a subset of the input_tree's
ValueError The two structures don't have the same sequence length. Inpu
ValueError The two structures don't have the same sequence length. Inpu
TypeError If shallow structure is a sequence, input must also be a seq
[[3]]
ValueError Cannot map over no sequences
(1, {'a': (2, (3, (4,)))})
{1: 'a', 2: 'b', 3: 'c'}
ValueError Cannot flatten dict because this key is not unique: 2
"""


def test_parts_of_structures():
    done = subprocess.run([sys.executable, "-m", "tf2compat", "-c", STRUCTURES], capture_output=True, text=True, timeout=120)
    assert done.stdout == STRUCTURES_SAID, done.stdout + done.stderr


SPECS = """
import collections
import tensorflow as tf
from tensorflow.python.framework import type_spec_registry
from tensorflow.python.saved_model import nested_structure_coder as coder

@type_spec_registry.register("tests.Pair")
class PairSpec(tf.TypeSpec):
    def __init__(self, parts, kind):
        self.parts, self.kind = parts, kind
    value_type = property(lambda self: dict)
    _component_specs = property(lambda self: self.parts)
    def _serialize(self):
        return self.parts, self.kind
    def _to_components(self, value):
        return value
    def _from_components(self, components):
        return components

Point = collections.namedtuple("Point", "x y")
pair = PairSpec({"b": tf.TensorSpec([2], name="n"), "a": tf.TensorSpec([None, 3], tf.int32)}, "k")
for value in (
    1, 2.5, "a", None, True, tf.float32, tf.TensorShape(None), [1, [2]], {"a": (1,)}, Point(1, 2), tf.TensorSpec([None], tf.int32, "n"),
    tf.RaggedTensorSpec([None, None]), tf.SparseTensorSpec([2, 3]), tf.data.DatasetSpec(tf.TensorSpec([])), tf.IndexedSlicesSpec([1]), pair,
):
    message = coder.encode_structure(value)
    print(message.WhichOneof("kind"), coder.decode_proto(message) == value)
print(message.type_spec_value.type_spec_class_name, message.type_spec_value.num_flat_components)
for value in (1j, object(), {1, 2}):
    try:
        tf.__internal__.saved_model.encode_structure(value)
    except coder.NotEncodableError:
        print("no encoder")
print(pair._with_tensor_ranks_only() == PairSpec({"b": tf.TensorSpec([None], name="n"), "a": tf.TensorSpec([None, None], tf.int32)}, "k"))
print([s.name for s in pair._without_tensor_names().flatten()], len(pair._flat_tensor_specs))
print({k: v.shape for k, v in pair.from_tensors(iter([tf.zeros([2, 3], tf.int32), tf.zeros([2])])).items()})
"""

SPECS_SAID = """int64_value True
float64_value True
string_value True
none_value True
bool_value True
tensor_dtype_value True
tensor_shape_value True
list_value True
dict_value True
named_tuple_value True
tensor_spec_value True
type_spec_value True
type_spec_value True
type_spec_value True
type_spec_value True
type_spec_value True
tests.Pair 2
no encoder
no encoder
no encoder
True
[None, None] 2
{'b': TensorShape([2]), 'a': TensorShape([2, 3])}
"""


def test_specs_as_messages():
    done = subprocess.run([sys.executable, "-m", "tf2compat", "-c", SPECS], capture_output=True, text=True, timeout=120)
    assert done.stdout == SPECS_SAID, done.stdout + done.stderr


NAMES = """
import tensorflow as tf
from tensorflow.python.framework import tensor_util, type_spec
from tensorflow.python.ops import control_flow_case, nn_ops
from tensorflow.python.util import dispatch, tf_inspect

@tf.function
def f(x):
    print(tensor_util.try_evaluate_constant(tf.constant(2) * 3), tensor_util.try_evaluate_constant(x))
    return x
f(tf.constant(1))
for pairs, default, exclusive in (
    ([(True, lambda: 1), (False, lambda: 2)], lambda: 3, False), ([(False, lambda: 1), (False, lambda: 2)], lambda: 3, True),
    ([(False, lambda: 1), (True, lambda: 2)], None, False), ([(True, lambda: 1), (True, lambda: 2)], None, True),
):
    try:
        print(int(control_flow_case._case_helper(tf.cond, pairs, default, exclusive, "c", allow_python_preds=True)))
    except tf.errors.InvalidArgumentError:
        print("more than one")
conv = nn_ops.Convolution(tf.TensorShape([None, 8, 8, 3]), tf.TensorShape([3, 3, 3, 4]), padding="SAME", strides=(2, 2), data_format="NHWC")
print(conv(tf.ones([1, 8, 8, 3]), tf.ones([3, 3, 3, 4]))[0, :, :, 0].numpy().tolist())
for shapes in (([None, 8], [3, 3, 4]),):
    try:
        nn_ops.Convolution(*[tf.TensorShape(s) for s in shapes], padding="VALID")
    except ValueError as error:
        print(str(error)[:40])

class Box:
    pass
type_spec.register_type_spec_from_value_converter(Box, lambda b: tf.TensorSpec([7]))
print(tf.type_spec_from_value(Box()))

@dispatch.add_dispatch_support
def double(x):
    if isinstance(x, Box):
        raise TypeError("a box")
    return x * 2

class OfBoxes(tf.__internal__.dispatch.OpDispatcher):
    def handle(self, args, kwargs):
        return "two boxes" if isinstance((*args, *kwargs.values())[0], Box) else self.NOT_SUPPORTED
try:
    double(Box())
except TypeError as error:
    print(error)
OfBoxes().register(double)
print(double(2), double(Box()), double(x=Box()), double.__name__)
try:
    OfBoxes().register(print)
except AssertionError:
    print("not enabled")
print(tf_inspect._inspect.stack is not None, tf_inspect.isframe(1))
"""

NAMES_SAID = """6 None
1
3
2
1
[[27.0, 27.0, 27.0, 18.0], [27.0, 27.0, 27.0, 18.0], [27.0, 27.0, 27.0, 18.0], [18.0, 18.0, 18.0, 12.0]]
`input.shape.rank` must be >= than `num_
TensorSpec(shape=(7,), dtype=tf.float32, name=None)
a box
4 two boxes two boxes double
not enabled
True False
"""


def test_private_names_of_control_flow_convolutions_and_dispatch():
    done = subprocess.run([sys.executable, "-m", "tf2compat", "-c", NAMES], capture_output=True, text=True, timeout=120)
    assert done.stdout == NAMES_SAID, done.stdout + done.stderr
