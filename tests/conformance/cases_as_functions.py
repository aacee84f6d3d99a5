"""The conformance cases as functions of one SavedModel, for a real TensorFlow to call and compare (`read_with_tensorflow.py`).

    python tests/conformance/cases_as_functions.py DIR [gradients]

writes DIR/cases (the SavedModel, a function for each case that TensorFlow's graphs can say), DIR/cases.npz (arguments and what tf2compat gives)
and DIR/cases.json (the source of each), and prints what could not be written, by op. With `gradients` the functions are the gradients of the cases by their floating
arguments, in DIR/gradients and its like.
"""

import ast
import collections
import json
import os
import sys

import numpy as np
from tensorboard.compat.proto import meta_graph_pb2

import tf2compat as tf

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
from tests.conformance import harness

FILES = (
    "arrays arrays_graph audio bitwise core_gaps dtype_matrix edges image indexed_slices linalg linear math_binary math_unary nn nn_conv nn_ctc "
    "numpy_api operators ragged ragged_more ragged_ops reductions sequence_partitions signal sparse strings strings_joined"
).split()
#: what is no function of tensors, or has effects while it is traced
_NOT = ("tf.function", "GradientTape", "print(", "tf.Variable", "keras", "tf.data", "random", "py_function", ".numpy()", "tf.config", "repr(", " str(", "eagerly(")


def flat(value):
    """The tensors of a result, as arrays."""
    return [np.asarray(t.numpy() if hasattr(t, "numpy") else t) for t in tf.nest.flatten(value, expand_composites=True) if t is not None]


def functions(stems):
    """(source, arguments, function) for each case that can be traced and that runs."""
    shared = harness.namespace(tf)
    for stem in stems:
        for case in harness.parse(harness.CASES / f"{stem}.txt"):
            if case.raises or case.order == 2 or any(word in " " + case.body for word in _NOT):
                continue
            code = ast.parse(case.body)
            if not isinstance(code.body[-1], ast.Expr):
                continue
            last = compile(ast.Expression(code.body.pop().value), "case", "eval")
            scope, names = dict(shared), []
            if case.inputs:
                exec(case.inputs, scope)
                names = [target.targets[0].id for target in ast.parse(case.inputs).body]
            values = [scope[name] for name in names]
            if all(isinstance(v, tf.Tensor) for v in values):
                yield case.source, values, _function(compile(code, "case", "exec"), last, scope, names)


def _function(first, last, scope, names):
    def case(*args):
        inner = {**scope, **dict(zip(names, args, strict=True))}
        exec(first, inner)
        return eval(last, inner)

    return case


def slopes(function):
    """The gradients of a function's results, summed, by its floating arguments; None where there are none."""

    def gradients(*args):
        floating = [a for a in args if isinstance(a, tf.Tensor) and a.dtype.is_floating]
        with tf.GradientTape() as tape:
            tape.watch(floating)
            found = [t for t in tf.nest.flatten(function(*args), expand_composites=True) if isinstance(t, tf.Tensor) and t.dtype.is_floating]
            total = tf.add_n([tf.reduce_sum(tf.cast(t, tf.float64)) for t in found]) if found else tf.constant(0.0)
        return [g for g in tape.gradient(total, floating) if g is not None]

    return gradients


def write(directory, stems=FILES, what="cases"):
    """Writes the cases, or their gradients; (how many were traced, how many are written, reason -> sources of those that are not)."""
    from tf2compat_adapters.tensorflow_functions.program import Program

    module, arrays, sources, refused, traced = tf.Module(), {}, {}, collections.defaultdict(list), 0
    for source, values, function in functions(stems):
        if what == "gradients":
            function = slopes(function)
        try:
            expected = flat(function(*values))
            if what == "gradients" and not expected:
                continue
            function = tf.function(function, autograph=False)
            concrete = function.get_concrete_function(*values)
        except Exception:  # noqa: BLE001, S112 - kernels that there are not, values that cannot be traced
            continue
        traced += 1
        program = Program(meta_graph_pb2.MetaGraphDef(), lambda variable: 0)
        if program.concrete(concrete) is None:
            refused[next(iter(program.problems.values()))].append(source)
            continue
        name = f"case_{len(sources)}"
        setattr(module, name, function)
        sources[name] = source
        for which, items in (("in", flat(values)), ("out", expected)):
            for i, array in enumerate(items):
                arrays[f"{name}_{which}{i}"] = array.astype("S") if array.dtype.kind in "OU" else array.astype(np.float32) if array.dtype.kind == "V" else array
    os.makedirs(directory, exist_ok=True)
    tf.saved_model.save(module, os.path.join(directory, what))
    np.savez(os.path.join(directory, f"{what}.npz"), **arrays)
    with open(os.path.join(directory, f"{what}.json"), "w") as file:
        json.dump(sources, file)
    return traced, len(sources), refused


if __name__ == "__main__":
    traced, written, refused = write(sys.argv[1], what=(sys.argv[2:] or ["cases"])[0])
    for reason, sources in sorted(refused.items(), key=lambda item: -len(item[1])):
        print(f"{len(sources):3} {reason[:150]} | {sources[0][:100]}")
    print(f"{written} of {traced} cases are written for TensorFlow")
