"""Functions of TensorFlow 2 under the arguments that version 1 gave them.

A line of the table is a name in `tf.compat.v1`, the function of `tf` that does the work, version 1's parameters, and what became of
those that are called otherwise today: `old>new` is a second name for the same thing, `-x` something that has no meaning any more
and may be given its default only. Of each line a function is written once, in which no call pays for the binding of its arguments.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import tf2compat as tf

__all__ = ["older"]

_REDUCE = "input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None | reduction_indices>axis keep_dims>keepdims"
_ASSERT_TWO = "x, y, data=None, summarize=None, message=None, name=None | -data"
_ASSERT_ONE = "x, data=None, summarize=None, message=None, name=None | -data"

_TABLE = f"""
argmax | math.argmax | input, axis=None, name=None, dimension=None, output_type=tf.int64 | dimension>axis
argmin | math.argmin | input, axis=None, name=None, dimension=None, output_type=tf.int64 | dimension>axis
arg_max | math.argmax | input, dimension, output_type=tf.int64, name=None | dimension>axis
arg_min | math.argmin | input, dimension, output_type=tf.int64, name=None | dimension>axis
assert_equal | debugging.assert_equal | {_ASSERT_TWO}
assert_none_equal | debugging.assert_none_equal | {_ASSERT_TWO}
assert_greater | debugging.assert_greater | {_ASSERT_TWO}
assert_greater_equal | debugging.assert_greater_equal | {_ASSERT_TWO}
assert_less | debugging.assert_less | {_ASSERT_TWO}
assert_less_equal | debugging.assert_less_equal | {_ASSERT_TWO}
assert_near | debugging.assert_near | x, y, rtol=None, atol=None, data=None, summarize=None, message=None, name=None | -data
assert_negative | debugging.assert_negative | {_ASSERT_ONE}
assert_positive | debugging.assert_positive | {_ASSERT_ONE}
assert_non_negative | debugging.assert_non_negative | {_ASSERT_ONE}
assert_non_positive | debugging.assert_non_positive | {_ASSERT_ONE}
assert_rank | debugging.assert_rank | x, rank, data=None, summarize=None, message=None, name=None | -data -summarize
assert_rank_at_least | debugging.assert_rank_at_least | x, rank, data=None, summarize=None, message=None, name=None | -data -summarize
assert_rank_in | debugging.assert_rank_in | x, ranks, data=None, summarize=None, message=None, name=None | -data -summarize
assert_scalar | debugging.assert_scalar | tensor, name=None, message=None
batch_gather | gather | params, indices, name=None | +batch_dims=tf.rank(indices)-1
batch_to_space | batch_to_space | input, crops, block_size=None, name=None, block_shape=None | block_size>block_shape
boolean_mask | boolean_mask | tensor, mask, name="boolean_mask", axis=None
confusion_matrix | math.confusion_matrix | labels, predictions, num_classes=None, dtype=tf.int32, name=None, weights=None
convert_to_tensor | convert_to_tensor | value, dtype=None, name=None, preferred_dtype=None, dtype_hint=None | preferred_dtype>dtype_hint
count_nonzero | math.count_nonzero | input_tensor=None, axis=None, keepdims=None, dtype=tf.int64, name=None, reduction_indices=None, keep_dims=None, input=None | input_tensor>input reduction_indices>axis keep_dims>keepdims
decode_csv | io.decode_csv | records, record_defaults, field_delim=",", use_quote_delim=True, name=None, na_value="", select_cols=None
decode_raw | io.decode_raw | input_bytes=None, out_type=None, little_endian=True, name=None, bytes=None | bytes>input_bytes
depth_to_space | nn.depth_to_space | input, block_size, name=None, data_format="NHWC"
expand_dims | expand_dims | input, axis=None, name=None, dim=None | dim>axis
gather | gather | params, indices, validate_indices=None, name=None, axis=None, batch_dims=0
gather_nd | gather_nd | params, indices, name=None, batch_dims=0, bad_indices_policy=''
hessians | hessians | ys, xs, name="hessians", colocate_gradients_with_ops=False, gate_gradients=False, aggregation_method=None | -colocate_gradients_with_ops
multinomial | random.categorical | logits, num_samples, seed=None, name=None, output_dtype=None | output_dtype>dtype
norm | norm | tensor, ord="euclidean", axis=None, keepdims=None, name=None, keep_dims=None | keep_dims>keepdims
ones_like | ones_like | tensor, dtype=None, name=None, optimize=True | tensor>input -optimize
zeros_like | zeros_like | tensor, dtype=None, name=None, optimize=True | tensor>input -optimize
pad | pad | tensor, paddings, mode="CONSTANT", name=None, constant_values=0
parse_example | io.parse_example | serialized, features, name=None, example_names=None
parse_single_example | io.parse_single_example | serialized, features, name=None, example_names=None
random_poisson | random.poisson | lam, shape, dtype=tf.float32, seed=None, name=None
reduce_all | reduce_all | {_REDUCE}
reduce_any | reduce_any | {_REDUCE}
reduce_logsumexp | reduce_logsumexp | {_REDUCE}
reduce_max | reduce_max | {_REDUCE}
reduce_mean | reduce_mean | {_REDUCE}
reduce_min | reduce_min | {_REDUCE}
reduce_prod | reduce_prod | {_REDUCE}
reduce_sum | reduce_sum | {_REDUCE}
reduce_join | strings.reduce_join | inputs, axis=None, keep_dims=None, separator="", name=None, reduction_indices=None, keepdims=None | reduction_indices>axis keep_dims>keepdims
reverse_sequence | reverse_sequence | input, seq_lengths, seq_axis=None, batch_axis=None, name=None, seq_dim=None, batch_dim=None | seq_dim>seq_axis batch_dim>batch_axis
shape | shape | input, name=None, out_type=None
size | size | input, name=None, out_type=None
space_to_batch | space_to_batch | input, paddings, block_size=None, name=None, block_shape=None | block_size>block_shape
space_to_depth | nn.space_to_depth | input, block_size, name=None, data_format="NHWC"
sparse_reorder | sparse.reorder | sp_input, name=None
sparse_tensor_to_dense | sparse.to_dense | sp_input, default_value=None, validate_indices=True, name=None
squeeze | squeeze | input, axis=None, name=None, squeeze_dims=None | squeeze_dims>axis
string_to_number | strings.to_number | string_tensor=None, out_type=tf.float32, name=None, input=None | string_tensor>input
substr | strings.substr | input, pos, len, name=None, unit="BYTE"
transpose | transpose | a, perm=None, name="transpose", conjugate=False
tuple | tuple | tensors, name=None, control_inputs=None
verify_tensor_all_finite | debugging.assert_all_finite | t=None, msg=None, name=None, x=None, message=None | t>x msg>message
nn.avg_pool | nn.avg_pool | value=None, ksize=None, strides=None, padding=None, data_format="NHWC", name=None, input=None | value>input
nn.conv2d | nn.conv2d | input, filter=None, strides=None, padding=None, use_cudnn_on_gpu=True, data_format="NHWC", dilations=[1, 1, 1, 1], name=None, filters=None | filter>filters -use_cudnn_on_gpu
nn.conv3d | nn.conv3d | input, filter=None, strides=None, padding=None, data_format="NDHWC", dilations=[1, 1, 1, 1, 1], name=None, filters=None | filter>filters
nn.conv2d_transpose | nn.conv2d_transpose | value=None, filter=None, output_shape=None, strides=None, padding="SAME", data_format="NHWC", name=None, input=None, filters=None, dilations=None | value>input filter>filters
nn.depth_to_space | nn.depth_to_space | input, block_size, name=None, data_format="NHWC"
nn.depthwise_conv2d | nn.depthwise_conv2d | input, filter, strides, padding, rate=None, name=None, data_format=None, dilations=None | rate>dilations
nn.depthwise_conv2d_native | nn.depthwise_conv2d | input, filter, strides, padding, data_format="NHWC", dilations=None, name=None
nn.embedding_lookup | nn.embedding_lookup | params, ids, partition_strategy="mod", name=None, validate_indices=True, max_norm=None | -partition_strategy -validate_indices
nn.in_top_k | math.in_top_k | predictions, targets, k, name=None
nn.log_softmax | nn.log_softmax | logits, axis=None, name=None, dim=None | dim>axis
nn.max_pool | nn.max_pool2d | value, ksize, strides, padding, data_format="NHWC", name=None, input=None | value>input
nn.moments | nn.moments | x, axes, shift=None, name=None, keep_dims=None, keepdims=False | keep_dims>keepdims
nn.separable_conv2d | nn.separable_conv2d | input, depthwise_filter, pointwise_filter, strides, padding, rate=None, name=None, data_format=None, dilations=None | rate>dilations
nn.convolution | nn.convolution | input, filter=None, padding=None, strides=None, dilation_rate=None, name=None, data_format=None, filters=None, dilations=None | filter>filters dilation_rate>dilations
nn.pool | nn.pool | input, window_shape, pooling_type, padding, dilation_rate=None, strides=None, name=None, data_format=None, dilations=None | dilation_rate>dilations
nn.softmax | nn.softmax | logits, axis=None, name=None, dim=None | dim>axis
nn.softmax_cross_entropy_with_logits_v2 | nn.softmax_cross_entropy_with_logits | labels, logits, axis=-1, name=None, dim=None | dim>axis
nn.space_to_depth | nn.space_to_depth | input, block_size, name=None, data_format="NHWC"
nn.sparse_softmax_cross_entropy_with_logits | nn.sparse_softmax_cross_entropy_with_logits | labels=None, logits=None, name=None
nn.sufficient_statistics | nn.sufficient_statistics | x, axes, shift=None, keep_dims=None, name=None, keepdims=None | keep_dims>keepdims
nn.weighted_cross_entropy_with_logits | nn.weighted_cross_entropy_with_logits | labels=None, logits=None, pos_weight=None, name=None, targets=None | targets>labels
nn.weighted_moments | nn.weighted_moments | x, axes, frequency_weights, name=None, keep_dims=None, keepdims=False | keep_dims>keepdims
image.crop_and_resize | image.crop_and_resize | image, boxes, box_ind=None, crop_size=None, method="bilinear", extrapolation_value=0, name=None, box_indices=None | box_ind>box_indices
image.draw_bounding_boxes | image.draw_bounding_boxes | images, boxes, name=None, colors=None
image.extract_image_patches | image.extract_patches | images, ksizes=None, strides=None, rates=None, padding=None, name=None, sizes=None | ksizes>sizes
image.resize_image_with_crop_or_pad | image.resize_with_crop_or_pad | image, target_height, target_width
strings.length | strings.length | input, name=None, unit="BYTE"
"""

#: namespaces that offer names of another one too
_ALSO = {"math": ("argmax", "argmin", "reduce_", "count_nonzero", "confusion_matrix"), "debugging": ("assert_",), "linalg": ("norm", "transpose"),
         "strings": ("reduce_join", "substr"), "io": ("decode_csv", "decode_raw", "parse_"), "sparse": ()}  # fmt: skip


@functools.cache
def _lines() -> dict[str, tuple[str, str, str]]:
    out = {}
    for line in _TABLE.strip().splitlines():
        name, target, parameters, *changes = (part.strip() for part in line.split(" | "))
        out[name] = (target, parameters, changes[0] if changes else "")
    return out


def older(namespace: str, name: str) -> Callable[..., Any] | None:
    """Version 1's function of a namespace ("" for the top), where its arguments differ from today's."""
    found = _older(f"{namespace}.{name}" if namespace else name)
    if found is None and name.startswith(_ALSO.get(namespace, ("\n",)) or ("\n",)):
        found = _older(name)
    return found


@functools.cache
def _older(name: str) -> Callable[..., Any] | None:
    line = _lines().get(name)
    if line is None:
        return None
    target, parameters, changes = line
    work: Any = tf
    for part in target.split("."):
        work = getattr(work, part)
    space: dict[str, Any] = {"tf": tf, "_work": work, "_one_of": _one_of, "_refused": _refused}
    today = inspect.signature(work).parameters
    plain = name.rpartition(".")[2]
    given = inspect.signature(eval(f"lambda {parameters}: 0", space)).parameters  # noqa: S307 - the table above
    lines, passed = [f"def {plain}({parameters}):"], {p: p for p in given if p in today}
    for change in changes.split():
        old, _, new = change.partition(">")
        if change.startswith("-"):
            old = change[1:]
            space[f"_default_{old}"] = given[old].default
            lines.append(f"    if {old} is not _default_{old} and {old} != _default_{old}: _refused({name!r}, {old!r}, {old})")
            passed.pop(old, None)
        elif change.startswith("+"):
            key, _, text = change[1:].partition("=")
            passed[key] = text
        elif new in given:
            space[f"_unset_{new}"] = given[new].default
            lines.append(f"    if {old} is not None: {new} = _one_of({new!r}, {new}, _unset_{new}, {old!r}, {old})")
            passed.pop(old, None)
        else:
            passed.pop(old, None)
            passed[new] = old
    for key, text in passed.items():
        default = today[key].default
        if text in given and given[text].default is None and default is not None and default is not inspect.Parameter.empty:
            space[f"_today_{key}"] = default
            passed[key] = f"_today_{key} if {text} is None else {text}"
    lines.append(f"    return _work({', '.join(f'{k}={v}' for k, v in passed.items())})")
    exec("\n".join(lines), space)  # noqa: S102 - the table above
    function = space[plain]
    function.__doc__ = f"`tf.{target}` with the arguments of version 1."
    function.__module__ = "tf2compat.compat.v1"
    return function


def _one_of(new: str, value: Any, unset: Any, old: str, given: Any) -> Any:
    """What was given under the old name; ValueError when the new one has a value too."""
    if value is not unset:
        raise ValueError(f"Cannot specify both '{new}' and '{old}'.")
    return [given, given] if new == "block_shape" and isinstance(given, int) else given


def _refused(function: str, argument: str, value: Any) -> None:
    raise ValueError(f"tf.compat.v1.{function}: {argument}={value!r} is not supported by tf2compat")
