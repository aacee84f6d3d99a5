"""Programs that fail, while they are traced or when they run. `python failing_programs.py tensorflow` prints what is raised, as JSON.

The lines are part of what is compared: whoever changes this file records it again.
"""

import json
import re
import sys

import numpy as np


def plain(text):
    """A message without what differs from run to run."""
    text = re.sub(r'File "[^"]*/', 'File "', text)
    return re.sub(r"(\[Op:\w*(?:<lambda>)?\w*?)_\d+\]", r"\1]", text)


def outcomes(tf):
    """The name of each program with the class and the message of what it raises."""
    found = {}
    C, D = tf.constant, tf.debugging

    def show(name, f, *args):
        try:
            f(*args)
        except Exception as error:
            assert name not in found, name
            found[name] = [type(error).__name__, plain(str(error))]
        else:
            found[name] = None

    def traced(name, f, *args):
        show("traced " + name, tf.function(f), *args)

    def passing(name, check, *args):
        def passed(x):
            check(x)
            return x

        show("check " + name, tf.function(passed), *args)

    @tf.function
    def gather(x, i):
        return tf.gather(x, i)

    show("gather", gather, C([1, 2, 3]), C([7]))

    @tf.function
    def reshape(x, s):
        return tf.reshape(x, s)

    show("reshape", reshape, C([1, 2, 3]), C([2, 2]))

    @tf.function
    def asrt(x):
        tf.debugging.assert_positive(x, message="must be pos")
        return x + 1

    show("assert_positive", asrt, C([-1.0]))

    @tf.function
    def asrt2(x):
        tf.debugging.assert_equal(x, C([1.0]))
        return x + 1

    show("assert_equal", asrt2, C([-1.0]))

    @tf.function
    def asrt3(x):
        tf.debugging.Assert(tf.reduce_all(x > 0), [x, "hello"])
        return x + 1

    show("Assert", asrt3, C([-1.0]))

    @tf.function
    def asrt4(x):
        assert tf.reduce_all(x > 0), "py assert"
        return x + 1

    show("py assert", asrt4, C([-1.0]))

    @tf.function
    def div(x, y):
        return x // y

    show("div", div, C(3), C(0))

    @tf.function(input_signature=[tf.TensorSpec([None, None]), tf.TensorSpec([None, None])])
    def mm(a, b):
        return tf.matmul(a, b)

    show("matmul rt", mm, tf.ones([2, 3]), tf.ones([2, 3]))

    @tf.function
    def mm2(a, b):
        c = a + 1
        return tf.matmul(c, b)

    show("matmul trace", mm2, tf.ones([2, 3]), tf.ones([2, 3]))

    @tf.function
    def nested(x):
        def inner(y):
            return tf.reshape(y, [7])

        return inner(x)

    show("nested trace", nested, tf.ones([2, 3]))

    def helper(x):
        z = x * 2
        return z + "a"

    @tf.function
    def uses(x):
        return helper(x)

    show("helper", uses, tf.ones([2]))

    @tf.function
    def pyerr(x):
        d = {}
        return d["k"]

    show("KeyError", pyerr, tf.ones([2]))

    @tf.function
    def pyerr2(x):
        raise ValueError("mine")

    show("ValueError", pyerr2, tf.ones([2]))

    class MyErr(Exception):
        def __init__(self, a, b):
            super().__init__(f"{a}-{b}")
            self.a = a

    @tf.function
    def pyerr3(x):
        raise MyErr(1, 2)

    show("MyErr", pyerr3, tf.ones([2]))

    @tf.function
    def loop(x):
        for i in tf.range(5):
            x = tf.gather(x, [i + 2])
        return x

    show("gather in loop", loop, C([1, 2, 3]))

    @tf.function
    def cond(x):
        if tf.reduce_sum(x) > 0:
            y = tf.gather(x, [9])
        else:
            y = x
        return y

    show("gather in cond", cond, C([1, 2, 3]))

    class M(tf.Module):
        @tf.function
        def __call__(self, x):
            return tf.strings.to_number(x)

    show("to_number", M(), C(["abc"]))

    @tf.function
    def named(x):
        return tf.gather(x, [9], name="my_gather")

    show("named", named, C([1, 2, 3]))

    @tf.function
    def scoped(x):
        with tf.name_scope("blk"):
            return tf.gather(x, [9])

    show("scoped", scoped, C([1, 2, 3]))

    @tf.function
    def pyf(x):
        return tf.py_function(lambda v: 1 / 0, [x], tf.float32)

    show("py_function", pyf, C(1.0))

    @tf.function
    def npf(x):
        return tf.numpy_function(lambda v: {}["a"], [x], tf.float32)

    show("numpy_function", npf, C(1.0))

    @tf.function
    def chk(x):
        return tf.debugging.check_numerics(x, "bad")

    show("check_numerics", chk, C([np.nan]))

    @tf.function
    def es(x):
        return tf.ensure_shape(x, [3])

    show("ensure_shape trace", es, tf.ones([2]))

    @tf.function(input_signature=[tf.TensorSpec(None)])
    def es2(x):
        return tf.ensure_shape(x, [3])

    show("ensure_shape", es2, tf.ones([2]))

    @tf.function
    def outer(x):
        return gather(x, C([8]))

    show("inner function", outer, C([1, 2, 3]))

    @tf.function(input_signature=[tf.TensorSpec([None]), tf.TensorSpec([None])])
    def add(a, b):
        return a + b

    show("add rt", add, tf.ones([2]), tf.ones([3]))

    @tf.function(input_signature=[tf.TensorSpec([None, None]), tf.TensorSpec([None, None])])
    def cc(a, b):
        return tf.concat([a, b], 0)

    show("concat rt", cc, tf.ones([2, 2]), tf.ones([3, 3]))

    @tf.function
    def spl(x):
        return tf.split(x, 3)

    show("split trace", spl, tf.ones([4]))
    v = tf.Variable([1.0, 2.0])

    @tf.function(input_signature=[tf.TensorSpec([None])])
    def asg(x):
        v.assign(x)

    show("assign rt", asg, tf.ones([3]))

    @tf.function
    def asg2(x):
        v.assign(x)

    show("assign trace", asg2, tf.ones([3]))

    @tf.function
    def boolop(x):
        return 1 if x.numpy() > 0 else 2

    show(".numpy()", boolop, C(1.0))

    @tf.function(autograph=False)
    def boolop2(x):
        if x > 0:
            return x

    show("bool no autograph", boolop2, C(1.0))

    @tf.function(autograph=False)
    def iterop(x):
        for v in x:
            pass

    show("iter no autograph", iterop, C([1.0]))

    @tf.function
    def dtype(x):
        return x + C(1)

    show("dtype mismatch", dtype, C(1.0))

    @tf.function
    def und(x):
        if x > 0:
            y = 1
        return y

    show("undefined", und, C(1.0))

    @tf.function
    def shp(x):
        while tf.reduce_sum(x) < 10:
            x = tf.concat([x, x], 0)
        return x

    show("shape inv", shp, C([1.0]))

    @tf.function
    def dt(x):
        i = 0
        while i < x:
            i = i + 0.5
        return i

    show("dtype loop", dt, C(3))

    @tf.function
    def ch(x):
        return tf.linalg.cholesky(x)

    show("cholesky", ch, C([[1.0, 2.0], [2.0, 1.0]]))

    @tf.function
    def inv(x):
        return tf.linalg.inv(x)

    show("inv", inv, tf.zeros([2, 2]))

    @tf.function
    def dec(x):
        return tf.io.decode_raw(x, tf.float32)

    show("decode_raw", dec, C([b"abc"]))

    @tf.function
    def ta(i):
        t = tf.TensorArray(tf.float32, 3)
        return t.read(i)

    show("TensorArray", ta, C(5))

    @tf.function
    def lam(x):
        return tf.map_fn(lambda y: tf.gather(y, [9]), x)

    show("map_fn", lam, C([[1, 2], [3, 4]]))

    @tf.function
    def one_hot(x):
        return tf.one_hot(x, depth=-1)

    show("one_hot", one_hot, C([1]))

    @tf.function
    def sl(x, i):
        return x[i]

    show("slice idx", sl, C([1, 2, 3]), C(7))
    show("wrong arg", sl, C([1]))
    show("to many", sl, C([1]), 1, 2)

    @tf.function
    def emb(x):
        return tf.nn.embedding_lookup(tf.ones([3, 2]), x)

    show("embedding", emb, C([5]))

    @tf.function
    def sce(l, x):
        return tf.nn.sparse_softmax_cross_entropy_with_logits(l, x)

    show("sparse ce", sce, C([5]), tf.ones([1, 3]))
    traced("rank", lambda x: D.assert_rank(x, 3), C([-1, 2]))
    traced("shapes", lambda x: D.assert_shapes([(x, (3,))]), C([-1, 2]))
    traced("add", lambda a, b: a + b, tf.ones([2]), tf.ones([3]))
    traced("sub", lambda a, b: a - b, tf.ones([2, 4]), tf.ones([3, 4]))
    traced("subc", lambda a: a - np.ones([3], np.float32), tf.ones([2, 4]))
    V = tf.Variable(tf.ones([3]))
    traced("mulv", lambda a: a * V, tf.ones([2, 4]))
    traced("max", lambda a, b: tf.maximum(a, b), tf.ones([2, 4]), tf.ones([3, 4]))
    traced("less", lambda a, b: a < b, tf.ones([2, 4]), tf.ones([3, 4]))
    traced("mm", lambda a, b: tf.matmul(a, b), tf.ones([2, 4]), tf.ones([3, 4]))
    traced("mmT", lambda a, b: tf.matmul(a, b, transpose_b=True), tf.ones([2, 4]), tf.ones([4, 3]))
    traced("bmm", lambda a, b: tf.matmul(a, b), tf.ones([5, 2, 4]), tf.ones([5, 3, 4]))
    traced("mm1", lambda a, b: tf.matmul(a, b), tf.ones([4]), tf.ones([3, 4]))
    traced("concat", lambda a, b: tf.concat([a, b], 0), tf.ones([2, 4]), tf.ones([3, 5]))
    traced("stack", lambda a, b: tf.stack([a, b]), tf.ones([2]), tf.ones([3]))
    traced("reshape", lambda a: tf.reshape(a, [4, -1]), tf.ones([2, 3]))
    traced("conv", lambda a, k: tf.nn.conv2d(a, k, 1, "SAME"), tf.ones([1, 4, 4, 3]), tf.ones([3, 3, 2, 5]))
    traced("bias", lambda a, k: tf.nn.bias_add(a, k), tf.ones([1, 4]), tf.ones([3]))
    traced("sq", lambda a: tf.squeeze(a, 0), tf.ones([2, 4]))
    traced("tr", lambda a: tf.transpose(a, [0, 1, 2]), tf.ones([2, 4]))
    traced("where", lambda a, b: tf.where(a > 0, a, b), tf.ones([2, 4]), tf.ones([3, 4]))
    traced("sce", lambda a, b: tf.nn.softmax_cross_entropy_with_logits(a, b), tf.ones([2, 4]), tf.ones([3, 5]))
    traced("ssce", lambda a, b: tf.nn.sparse_softmax_cross_entropy_with_logits(a, b), tf.ones([2], tf.int32), tf.ones([3, 5]))
    traced("oob", lambda a: a[5], tf.ones([2]))
    traced("idx", lambda a: a[0, 0], tf.ones([2]))
    traced("bcast", lambda a: tf.broadcast_to(a, [3, 4]), tf.ones([2]))
    traced("tile", lambda a: tf.tile(a, [2]), tf.ones([2, 2]))
    traced("gather", lambda a: tf.gather(a, [0], axis=3), tf.ones([2, 2]))
    traced("red", lambda a: tf.reduce_sum(a, axis=3), tf.ones([2, 2]))
    traced("split", lambda a: tf.split(a, 3), tf.ones([4]))
    traced("asg", lambda a: V.assign_add(a), tf.ones([4]))
    traced("pad", lambda a: tf.pad(a, [[1, 1]]), tf.ones([4, 2]))
    traced("expand", lambda a: tf.expand_dims(a, 5), tf.ones([4, 2]))
    traced("slice", lambda a: tf.slice(a, [0], [9]), tf.ones([4]))
    traced("scatter", lambda a: tf.scatter_nd(a, tf.ones([3]), [5]), C([[1], [2]]))
    traced("einsum", lambda a, b: tf.einsum("ij,jk->ik", a, b), tf.ones([2, 3]), tf.ones([4, 2]))
    traced("unstack", lambda a: tf.unstack(a, 3), tf.ones([2, 3]))
    traced("addn", lambda a, b: tf.add_n([a, b]), tf.ones([2, 3]), tf.ones([3, 2]))
    m = C([[1.0, 2.0], [3.0, 4.25]])
    passing("A2", lambda x: D.Assert(tf.reduce_all(x > 5), [x]), m)
    passing("A3", lambda x: D.Assert(tf.reduce_all(x > 5), [x, x], summarize=10), m)
    passing("A4", lambda x: D.Assert(x > 5, [x, "a b", C([1, 2, 3, 4, 5]), C([True, False]), C(["u", "v"])]), C(0.1))
    passing("eq", lambda x: D.assert_equal(x, x + 1, message="mm"), m)
    passing("less", lambda x: D.assert_less(x, x), C([1, 2, 3, 4]))
    passing("le", lambda x: D.assert_less_equal(x, x - 1), C([1, 2, 3, 4]))
    passing("gr", lambda x: D.assert_greater(x, x, "msg"), C([1, 2, 3, 4]))
    passing("ge", lambda x: D.assert_greater_equal(x, 5, summarize=2), C([1, 2, 3, 4]))
    passing("none", lambda x: D.assert_none_equal(x, 1), C([1, 2, 3, 4]))
    passing("pos", lambda x: D.assert_positive(x), C([-1, 2]))
    passing("neg", lambda x: D.assert_negative(x), C([-1, 2]))
    passing("nneg", lambda x: D.assert_non_negative(x), C([-1, 2]))
    passing("npos", lambda x: D.assert_non_positive(x, message="q"), C([-1, 2]))
    passing("near", lambda x: D.assert_near(x, x + 1), C([-1.0, 2]))
    passing("near with message", lambda x: D.assert_near(x, x + 1, message="hi"), C([-1.0, 2]))
    passing("f", lambda x: D.Assert(tf.reduce_all(x > 5), [x], summarize=-1), C([1e10, 1e-7, 0.1, 1 / 3, 123456.789]))
    return found


if __name__ == "__main__":
    if sys.argv[1] == "tensorflow":
        import tensorflow
    else:
        import tf2compat as tensorflow
    json.dump(outcomes(tensorflow), sys.stdout, indent=1, sort_keys=True)
