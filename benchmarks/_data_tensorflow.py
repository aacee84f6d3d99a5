"""TensorFlow's side of `benchmarks.data`, in a process of its own; prints JSON."""

from __future__ import annotations

import json
import sys

import tensorflow as tf

from benchmarks.data import milliseconds, pipelines

print(json.dumps({name: milliseconds(fn) for name, fn in pipelines(tf, sys.argv[1]).items()}))
