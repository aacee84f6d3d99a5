"""Random numbers: the stateless ones equal to TensorFlow's."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from .registry import Call, graph_op


def _seed(call: Call) -> int | None:
    seed = call.get("seed2") or call.get("seed")
    return int(seed) if seed else None


@graph_op("RandomUniform")
def _uniform(call: Call, shape: Any) -> Any:
    return tf.random.uniform(shape, dtype=call.get("dtype", tf.float32), seed=_seed(call))


@graph_op("RandomUniformInt")
def _uniform_int(call: Call, shape: Any, low: Any, high: Any) -> Any:
    return tf.random.uniform(shape, low, high, dtype=low.dtype, seed=_seed(call))


@graph_op("RandomStandardNormal")
def _normal(call: Call, shape: Any) -> Any:
    return tf.random.normal(shape, dtype=call.get("dtype", tf.float32), seed=_seed(call))


@graph_op("TruncatedNormal")
def _truncated(call: Call, shape: Any) -> Any:
    return tf.random.truncated_normal(shape, dtype=call.get("dtype", tf.float32), seed=_seed(call))


@graph_op("RandomShuffle")
def _shuffle(call: Call, value: Any) -> Any:
    return tf.random.shuffle(value, seed=_seed(call))


@graph_op("StatelessRandomUniform")
def _stateless_uniform(call: Call, shape: Any, seed: Any) -> Any:
    return tf.random.stateless_uniform(shape, seed, dtype=call.get("dtype", tf.float32))


@graph_op("StatelessRandomNormal")
def _stateless_normal(call: Call, shape: Any, seed: Any) -> Any:
    return tf.random.stateless_normal(shape, seed, dtype=call.get("dtype", tf.float32))


@graph_op("StatelessTruncatedNormal")
def _stateless_truncated(call: Call, shape: Any, seed: Any) -> Any:
    return tf.random.stateless_truncated_normal(shape, seed, dtype=call.get("dtype", tf.float32))


@graph_op("StatelessRandomGetKeyCounter")
def _key_counter(call: Call, seed: Any) -> Any:
    # The four ops that follow take (key, counter); here the seed that makes them stands for both.
    return {"key": seed, "counter": seed}


@graph_op("StatelessRandomGetAlg")
def _algorithm(call: Call) -> Any:
    return tf.constant(1)


@graph_op("StatelessRandomUniformV2")
def _stateless_uniform_v2(call: Call, shape: Any, key: Any, counter: Any, algorithm: Any) -> Any:
    return tf.random.stateless_uniform(shape, key, dtype=call.get("dtype", tf.float32))


@graph_op("StatelessRandomUniformIntV2")
def _stateless_uniform_int_v2(call: Call, shape: Any, key: Any, counter: Any, algorithm: Any, low: Any, high: Any) -> Any:
    return tf.random.stateless_uniform(shape, key, minval=low, maxval=high, dtype=low.dtype)


@graph_op("StatelessRandomUniformFullIntV2")
def _stateless_full_v2(call: Call, shape: Any, key: Any, counter: Any, algorithm: Any) -> Any:
    return tf.random.stateless_uniform(shape, key, minval=None, maxval=None, dtype=call.get("dtype", tf.uint64))


@graph_op("StatelessRandomNormalV2")
def _stateless_normal_v2(call: Call, shape: Any, key: Any, counter: Any, algorithm: Any) -> Any:
    return tf.random.stateless_normal(shape, key, dtype=call.get("dtype", tf.float32))


@graph_op("StatelessTruncatedNormalV2")
def _stateless_truncated_v2(call: Call, shape: Any, key: Any, counter: Any, algorithm: Any) -> Any:
    return tf.random.stateless_truncated_normal(shape, key, dtype=call.get("dtype", tf.float32))


@graph_op("Multinomial")
def _multinomial(call: Call, logits: Any, count: Any) -> Any:
    return tf.random.categorical(logits, count, dtype=call.get("output_dtype", tf.int64), seed=_seed(call))
