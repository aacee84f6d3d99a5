"""Images."""

from __future__ import annotations

from typing import Any

import tf2compat as tf
from tf2compat.image._projective import image_projective_transform

from .registry import Call, graph_op, unsupported

_METHODS = {"ResizeBilinear": "bilinear", "ResizeNearestNeighbor": "nearest", "ResizeBicubic": "bicubic", "ResizeArea": "area"}


@graph_op(*_METHODS)
def _resize(call: Call, image: Any, size: Any) -> Any:
    if not call.get("half_pixel_centers", False) and call.op != "ResizeArea":
        raise unsupported(call, "half_pixel_centers=False, the way of TensorFlow 1")
    found = tf.image.resize(image, size, method=_METHODS[call.op])
    return tf.cast(found, image.dtype) if call.op == "ResizeNearestNeighbor" else tf.cast(found, tf.float32)


@graph_op("AdjustContrastv2")
def _contrast(call: Call, image: Any, factor: Any) -> Any:
    return tf.image.adjust_contrast(image, factor)


@graph_op("AdjustSaturation")
def _saturation(call: Call, image: Any, factor: Any) -> Any:
    return tf.image.adjust_saturation(image, factor)


@graph_op("AdjustHue")
def _hue(call: Call, image: Any, delta: Any) -> Any:
    return tf.image.adjust_hue(image, delta)


@graph_op("RGBToHSV")
def _to_hsv(call: Call, image: Any) -> Any:
    return tf.image.rgb_to_hsv(image)


@graph_op("HSVToRGB")
def _to_rgb(call: Call, image: Any) -> Any:
    return tf.image.hsv_to_rgb(image)


@graph_op("CropAndResize")
def _crop(call: Call, image: Any, boxes: Any, indices: Any, size: Any) -> Any:
    return tf.image.crop_and_resize(
        image, boxes, indices, size, method=call.get("method", b"bilinear").decode(), extrapolation_value=call.get("extrapolation_value", 0.0)
    )


@graph_op("DecodeJpeg")
def _jpeg(call: Call, content: Any) -> Any:
    options = {name: call.get(name, default) for name, default in (("channels", 0), ("ratio", 1), ("fancy_upscaling", True), ("dct_method", ""))}
    return tf.io.decode_jpeg(content, **options)


@graph_op("DecodePng")
def _png(call: Call, content: Any) -> Any:
    return tf.io.decode_png(content, channels=call.get("channels", 0), dtype=call.get("dtype", tf.uint8))


@graph_op("DecodeImage")
def _image(call: Call, content: Any) -> Any:
    return tf.io.decode_image(content, channels=call.get("channels", 0), dtype=call.get("dtype", tf.uint8),
                              expand_animations=call.get("expand_animations", True))  # fmt: skip


@graph_op("NonMaxSuppressionV3")
def _suppress(call: Call, boxes: Any, scores: Any, count: Any, overlap: Any, threshold: Any) -> Any:
    return tf.image.non_max_suppression(boxes, scores, count, overlap, threshold)


@graph_op("CombinedNonMaxSuppression")
def _suppress_all(call: Call, boxes: Any, scores: Any, per_class: Any, total: Any, overlap: Any, threshold: Any) -> Any:
    found = tf.image.combined_non_max_suppression(
        boxes, scores, per_class, total, overlap, threshold, pad_per_class=call.get("pad_per_class", False),
        clip_boxes=call.get("clip_boxes", True),
    )  # fmt: skip
    return dict(zip(("nmsed_boxes", "nmsed_scores", "nmsed_classes", "valid_detections"), found, strict=True))


@graph_op("ImageProjectiveTransformV2", "ImageProjectiveTransformV3")
def _project(call: Call, images: Any, transforms: Any, size: Any, value: Any = 0.0) -> Any:
    return image_projective_transform(
        images, transforms, size, value, call.get("interpolation", b"BILINEAR"), call.get("fill_mode", b"CONSTANT")
    )  # fmt: skip


@graph_op("ExtractImagePatches")
def _patches(call: Call, image: Any, *rest: Any) -> Any:
    return tf.image.extract_patches(image, call.get("ksizes"), call.get("strides"), call.get("rates"), call.get("padding", b"VALID").decode())
