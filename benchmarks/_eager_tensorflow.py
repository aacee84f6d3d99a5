"""TensorFlow's side of `benchmarks.eager`, in a process of its own; prints JSON."""

from __future__ import annotations

import json

import tensorflow as tf

from benchmarks.eager import ops, tf_step
from benchmarks.timing import micros

figures = {name: micros(fn) for name, fn in ops(tf).items()}
figures["step"] = micros(tf_step(tf), seconds=3.0)
print(json.dumps(figures))
