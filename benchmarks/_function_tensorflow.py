"""TensorFlow's side of `benchmarks.function`, in a process of its own; prints JSON."""

from __future__ import annotations

import json

import tensorflow as tf

from benchmarks.function import first_call, programs
from benchmarks.timing import micros

figures = {"first": first_call(tf)}
figures |= {name: micros(fn, seconds=1.0) for name, fn in programs(tf).items()}
print(json.dumps(figures))
