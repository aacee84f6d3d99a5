"""Every differentiable conformance case gives under `tf.function` what it gives eagerly: value, shape, gradients."""

import sys
from pathlib import Path

import numpy as np
import pytest

import tf2compat as tf

sys.path.insert(0, str(Path(__file__).parents[1] / "conformance"))
import harness  # noqa: E402

CASES = [c for path in harness.case_files() for c in harness.parse(path) if c.inputs and not c.raises and "\n" not in c.body]


def build(case):
    scope = harness.namespace(tf)
    exec(case.inputs, scope)  # noqa: S102 - the repository's own cases
    names = [part.split("=")[0].strip() for part in case.inputs.split(";")]
    inputs = [scope[n] for n in names]
    body = case.body.split(";")
    for statement in body[:-1]:
        exec(statement, scope)  # noqa: S102
    code = compile(body[-1].strip(), "<case>", "eval")

    def fn(*args):
        return eval(code, {**scope, **dict(zip(names, args, strict=True))})  # noqa: S307

    return fn, inputs


def with_gradients(fn, inputs):
    with tf.GradientTape() as tape:
        for x in inputs:
            if x.dtype.is_floating or x.dtype.is_complex:
                tape.watch(x)
        out = fn(*inputs)
    return out, tape.gradient(out, [x for x in inputs if x.dtype.is_floating or x.dtype.is_complex])


def numbers(value):
    return [None if v is None else np.asarray(tf.convert_to_tensor(v)) for v in tf.nest.flatten(value, expand_composites=True)]


def same(a, b):
    a, b = numbers(a), numbers(b)
    assert len(a) == len(b)
    for x, y in zip(a, b, strict=True):
        assert (x is None) == (y is None)
        if x is not None:
            assert x.dtype == y.dtype
            np.testing.assert_allclose(np.asarray(y, dtype=x.dtype), x, rtol=1e-5, atol=1e-6) if x.dtype.kind in "fc" else np.testing.assert_array_equal(y, x)


# a tie between two operands: the eager op is given a number where the traced one is given a tensor
TIES = {"tf.clip_by_norm(x, 5.) :: x=f32([3., 4.])"}


@pytest.mark.parametrize("case", [c for c in CASES if c.title not in TIES], ids=lambda c: f"{c.file}:{c.title}"[:80])
def test_traced_equals_eager(case):
    fn, inputs = build(case)
    try:
        value, grads = with_gradients(fn, inputs)
        flat = numbers((value, grads))
    except Exception:  # noqa: BLE001 - what fails eagerly is another test's business
        pytest.skip("not available eagerly")
    del flat
    traced = tf.function(fn, autograph=False)
    same((value, grads), with_gradients(traced, inputs))
    inside = tf.function(lambda *args: with_gradients(fn, args), autograph=False)
    same((value, grads), inside(*inputs))
    unknown = tf.function(fn, autograph=False, input_signature=[tf.TensorSpec([None, *x.shape[1:]] if x.shape.rank else [], x.dtype) for x in inputs])
    try:
        open_value = unknown(*inputs)
    except ValueError as error:
        assert "infer" in str(error) or "Expected diagonals" in str(error) or "size" in str(error)  # noqa: PT017 - needs a static size
        return
    same(value, open_value)
