"""Tracing does not load torch's compiler, and compiling afterwards still works."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
import tf2compat as tf
f = tf.function(lambda x: tf.nn.relu(x) + 1.0)
assert float(f(tf.constant(2.0))) == 3.0
assert "torch._dynamo" not in sys.modules
import torch._dynamo
from tf2compat._engine import light_meta
assert not any(type(finder) is light_meta._Watch for finder in sys.meta_path)
assert not any(light_meta._MARK in fn.__dict__ and fn.__dict__[light_meta._MARK] is fn for fn in light_meta._wrapped())
g = torch.compile(lambda t: t.relu() + 1, backend="eager")
assert float(g(torch.tensor(2.0))) == 3.0
"""


def test_dynamo_is_loaded_when_it_is_needed() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)
