"""Strings."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from .registry import Call, graph_op, simple

simple({"StringStrip": tf.strings.strip})


def _unit(call: Call) -> str:
    return call.get("unit", b"BYTE").decode()


@graph_op("StringLower", "StringUpper")
def _case(call: Call, value: Any) -> Any:
    function = tf.strings.lower if call.op == "StringLower" else tf.strings.upper
    return function(value, encoding=call.get("encoding", b"").decode())


@graph_op("StringLength")
def _length(call: Call, value: Any) -> Any:
    return tf.strings.length(value, unit=_unit(call))


@graph_op("Substr")
def _substr(call: Call, value: Any, start: Any, count: Any) -> Any:
    return tf.strings.substr(value, start, count, unit=_unit(call))


@graph_op("StringJoin")
def _join(call: Call, *values: Any) -> Any:
    return tf.strings.join(list(values), separator=call.get("separator", b"").decode())


@graph_op("ReduceJoin")
def _reduce_join(call: Call, value: Any, axes: Any) -> Any:
    from .registry import integers

    return tf.strings.reduce_join(value, axis=integers(call, axes), keepdims=call.get("keep_dims", False), separator=call.get("separator", b"").decode())


@graph_op("StaticRegexReplace")
def _static_replace(call: Call, value: Any) -> Any:
    return tf.strings.regex_replace(
        value, call.get("pattern", b"").decode(), call.get("rewrite", b"").decode(), replace_global=call.get("replace_global", True)
    )


@graph_op("RegexReplace")
def _replace(call: Call, value: Any, pattern: Any, rewrite: Any) -> Any:
    return tf.strings.regex_replace(value, pattern, rewrite, replace_global=call.get("replace_global", True))


@graph_op("StaticRegexFullMatch")
def _static_match(call: Call, value: Any) -> Any:
    return tf.strings.regex_full_match(value, call.get("pattern", b"").decode())


@graph_op("RegexFullMatch")
def _match(call: Call, value: Any, pattern: Any) -> Any:
    return tf.strings.regex_full_match(value, pattern)


@graph_op("AsString")
def _as_string(call: Call, value: Any) -> Any:
    return tf.strings.as_string(
        value, precision=call.get("precision", -1), scientific=call.get("scientific", False), shortest=call.get("shortest", False),
        width=call.get("width", -1), fill=call.get("fill", b"").decode(),
    )  # fmt: skip


@graph_op("StringToNumber")
def _to_number(call: Call, value: Any) -> Any:
    return tf.strings.to_number(value, call.get("out_type", tf.float32))


@graph_op("StringToHashBucketFast")
def _bucket_fast(call: Call, value: Any) -> Any:
    return tf.strings.to_hash_bucket_fast(value, call.get("num_buckets"))


@graph_op("StringToHashBucketStrong")
def _bucket_strong(call: Call, value: Any) -> Any:
    return tf.strings.to_hash_bucket_strong(value, call.get("num_buckets"), call.get("key"))


@graph_op("StringToHashBucket")
def _bucket(call: Call, value: Any) -> Any:
    return tf.strings.to_hash_bucket(value, call.get("num_buckets"))


@graph_op("StringSplitV2")
def _split(call: Call, value: Any, separator: Any) -> Any:
    found = tf.strings.split(value, sep=separator, maxsplit=call.get("maxsplit", -1)).to_sparse()
    return {"indices": found.indices, "values": found.values, "shape": found.dense_shape}


@graph_op("StringFormat")
def _format(call: Call, *values: Any) -> Any:
    return tf.strings.format(
        call.get("template", b"%s").decode(), tuple(values), placeholder=call.get("placeholder", b"%s").decode(), summarize=call.get("summarize", 3)
    )


@graph_op("DecodeRaw")
def _decode_raw(call: Call, value: Any) -> Any:
    return tf.io.decode_raw(value, call.get("out_type"), little_endian=call.get("little_endian", True))


@graph_op("DecodeBase64")
def _decode_base64(call: Call, value: Any) -> Any:
    return tf.io.decode_base64(value)


@graph_op("ParseExampleV2")
def _parse(call: Call, serialized: Any, names: Any, sparse_keys: Any, dense_keys: Any, ragged_keys: Any, *defaults: Any) -> Any:
    from .registry import static

    sparse = [key.decode() for key in static(call, sparse_keys).reshape(-1)]
    dense = [key.decode() for key in static(call, dense_keys).reshape(-1)]
    ragged = [key.decode() for key in static(call, ragged_keys).reshape(-1)]
    features: dict[str, Any] = {}
    for key, dtype in zip(sparse, call.get("sparse_types") or [], strict=True):
        features["s:" + key] = (key, tf.io.VarLenFeature(dtype))
    for key, default, shape in zip(dense, defaults, call.get("dense_shapes") or [[]] * len(dense), strict=True):
        given = static(call, default)
        if shape and shape[0] is None:
            features["d:" + key] = (key, tf.io.FixedLenSequenceFeature(shape[1:], default.dtype, True, given if given.size else None))
        else:
            features["d:" + key] = (key, tf.io.FixedLenFeature(shape, default.dtype, given if given.size else None))
    for key, dtype, splits in zip(ragged, call.get("ragged_value_types") or [], call.get("ragged_split_types") or [], strict=True):
        features["r:" + key] = (key, tf.io.RaggedFeature(dtype, row_splits_dtype=splits))
    found = tf.io.parse_example(serialized, {key: spec for key, spec in features.values()})
    return {
        "sparse_indices": [found[key].indices for key in sparse], "sparse_values": [found[key].values for key in sparse],
        "sparse_shapes": [found[key].dense_shape for key in sparse], "dense_values": [found[key] for key in dense],
        "ragged_values": [found[key].values for key in ragged], "ragged_row_splits": [found[key].row_splits for key in ragged],
    }  # fmt: skip
