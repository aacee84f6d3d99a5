"""The figures of `benchmarks.saving` under TensorFlow, as JSON."""

import json

import tensorflow as tf

from benchmarks.saving import measure

print(json.dumps(measure(tf, {"tensorflow": tf.train.CheckpointOptions})))
