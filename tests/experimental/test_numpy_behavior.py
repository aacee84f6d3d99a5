"""NumPy behaviour of tensors holds for a whole process, so these run in processes of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_legacy_mode() -> None:
    out = run("""
import numpy as np
import tf2compat as tf
tnp = tf.experimental.numpy
t = tf.constant([[1, 2, 3], [4, 5, 6]])
try:
    t + tf.constant(1.5)
    raise SystemExit("no error without NumPy behaviour")
except tf.errors.InvalidArgumentError:
    pass
tnp.experimental_enable_numpy_behavior()
assert (t + tf.constant(1.5)).dtype is tf.float64
assert (tf.Variable(1) + tf.constant([1.5], tf.float64)).dtype is tf.float64
assert t[[0, 1], [1, 2]].numpy().tolist() == [2, 6] and t[:, [0, 2]].numpy().tolist() == [[1, 3], [4, 6]]
assert t[t > 2].numpy().tolist() == [3, 4, 5, 6] and t[1, [0, -1]].numpy().tolist() == [4, 6]
assert t.T.shape == (3, 2) and t.reshape(3, 2).shape == (3, 2) and t.reshape((-1,)).shape == (6,) and t.size == 6
assert t.astype(np.float32).dtype is tf.float32 and t.mean(axis=0).numpy().tolist() == [2.5, 3.5, 4.5]
f = tf.function(lambda a, b: (a + b, a.T, a[[1, 0]]))
assert [v.numpy().tolist() for v in f(t, tf.constant(0.5))] == [[[1.5, 2.5, 3.5], [4.5, 5.5, 6.5]], [[1, 4], [2, 5], [3, 6]], [[4, 5, 6], [1, 2, 3]]]
v = tf.Variable([1.0, 2.0])
with tf.GradientTape() as tape:
    y = tnp.sum(tnp.sin(v) * tnp.asarray([1, 2]))
assert np.allclose(tape.gradient(y, v), np.cos([1.0, 2.0]) * [1, 2])
tnp.experimental_enable_numpy_behavior(prefer_float32=True)
assert tnp.asarray(1.5).dtype is tf.float32 and tnp.ones(2).dtype is tf.float32
print("done")
""")
    assert out.strip() == "done"


@pytest.mark.parametrize(("mode", "allowed"), [("all", True), ("safe", False)])
def test_promotion_modes(mode: str, allowed: bool) -> None:
    out = run(f"""
import tf2compat as tf
import tf2compat.experimental.numpy as tnp
tnp.experimental_enable_numpy_behavior(dtype_conversion_mode={mode!r})
print(tf.constant(5), repr(tf.constant(5)), repr(-tf.constant(5)), repr(tf.abs([1.0])), sep="|")
print((tf.constant(1, tf.int8) + 2).dtype, (tf.constant(1.0, tf.float16) + 2.5).dtype, (tf.constant(1) + tf.constant(1, tf.int64)).dtype)
v = tf.Variable(10)
v.assign_add(tf.constant(5, tf.int16))
print(v.numpy())
try:
    print((tf.constant(1, tf.int32) + tf.constant(1.0, tf.float32)).dtype)
except TypeError as error:
    print("TypeError", "PromoMode.SAFE" in str(error))
""").splitlines()
    assert out[0].startswith("tf.Tensor(5, shape=(), dtype=int32, weak=True)|<tf.Tensor: shape=(), dtype=int32, numpy=5, weak=True>|")
    assert out[1] == "<dtype: 'int8'> <dtype: 'float16'> <dtype: 'int64'>"
    assert out[2] == "15"
    assert out[3] == ("<dtype: 'float32'>" if allowed else "TypeError True")
