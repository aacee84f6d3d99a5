"""How ops of tf.image are written: sizes and cuts, measures, boxes, codecs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import tf2compat as tf
from tf2compat._engine import dtypes

from .body import NotExportable
from .export import Call
from .lowering import lowers
from .rules import RESIZED, rule

_KERNELS = {
    "bilinear": "triangle", "lanczos3": "lanczos3", "lanczos5": "lanczos5", "gaussian": "gaussian", "bicubic": "keyscubic",
    "mitchellcubic": "mitchellcubic",
}  # fmt: skip


def _rows_and_columns(image: Any) -> tuple[int, int]:
    if image.shape.rank is None or None in image.shape[-3:-1]:
        raise NotExportable("the size of its images is not known")
    return image.shape[-3], image.shape[-2]


# --- sizes -----------------------------------------------------------------------------------------------------------
@rule("ResizeImages")
def _resize(call: Call) -> Any:
    b, method, size, dims = call.body, call["method"], call["size"], call.dims("images")
    if call["preserve"]:
        if dims is None or None in dims[-3:-1] or not all(isinstance(s, int) for s in size):
            raise NotExportable("it keeps the aspect ratio of images whose size is not known")
        ratio = min(size[0] / dims[-3], size[1] / dims[-2])
        size = [round(dims[-3] * ratio), round(dims[-2] * ratio)]
    one = call.rank("images") == 3
    images = call.ref("images")
    if one:
        images = b.op("ExpandDims", images, b.ints(0))
    wanted = call.static(size)
    if method in RESIZED and not (call["antialias"] and method != "nearest"):
        found = b.op(RESIZED[method], images, wanted, half_pixel_centers=True)
    elif method == "area":
        found = b.op("ResizeArea", images, wanted)
    elif method in _KERNELS:
        shape = b.op("StridedSlice", b.op("Shape", images, out_type=dtypes.int32), b.ints([1]), b.ints([3]), b.ints([1]))
        scale = b.op("RealDiv", call.scope.cast(wanted, dtypes.float32), call.scope.cast(shape, dtypes.float32))
        found = b.op(
            "ScaleAndTranslate", images, wanted, scale, b.constant(np.zeros(2, np.float32)), kernel_type=_KERNELS[method],
            antialias=bool(call["antialias"]),
        )  # fmt: skip
    else:
        raise NotExportable(f"it resizes by {method}")
    found = call.scope.cast(found, call.node.outputs[0]._dtype)
    return b.op("Squeeze", found, squeeze_dims=[0]) if one else found


@lowers("ResizeWithPad")
def resize_with_pad(image: Any, size: Any, method: str, antialias: bool) -> Any:
    rows, columns = _rows_and_columns(image)
    height, width = size
    ratio = max(rows / height, columns / width)
    inner = math.floor(rows / ratio), math.floor(columns / ratio)
    top = max(0, math.floor((height - rows / ratio) / 2))
    left = max(0, math.floor((width - columns / ratio) / 2))
    return _padded(tf.image.resize(image, inner, method, antialias=antialias), top, height - inner[0] - top, left, width - inner[1] - left)


def _padded(image: Any, top: Any, bottom: Any, left: Any, right: Any) -> Any:
    return tf.pad(image, [[0, 0]] * (image.shape.rank - 3) + [[top, bottom], [left, right], [0, 0]])


@lowers("ResizeWithCropOrPad")
def crop_or_pad(image: Any, height: Any, width: Any) -> Any:
    rows, columns = _rows_and_columns(image)
    if not isinstance(height, int) or not isinstance(width, int):
        raise NotExportable("its size is computed")
    top, left = max(0, (rows - height) // 2), max(0, (columns - width) // 2)
    image = image[..., top : top + min(rows, height), left : left + min(columns, width), :]
    above, before = max(0, (height - rows) // 2), max(0, (width - columns) // 2)
    return _padded(image, above, max(0, height - rows - above), before, max(0, width - columns - before))


@lowers("CropToBoundingBox")
def crop(image: Any, top: Any, left: Any, height: Any, width: Any) -> Any:
    return image[..., top : top + height, left : left + width, :]


@lowers("PadToBoundingBox")
def pad(image: Any, top: Any, left: Any, height: Any, width: Any) -> Any:
    sizes = tf.shape(image)
    return _padded(image, top, height - top - sizes[-3], left, width - left - sizes[-2])


@lowers("CentralCrop")
def central_crop(image: Any, fraction: Any) -> Any:
    if not isinstance(fraction, (int, float)):
        raise NotExportable("its part is computed")
    rows, columns = _rows_and_columns(image)
    top, left = int((rows - rows * fraction) / 2), int((columns - columns * fraction) / 2)
    return image[..., top : rows - top, left : columns - left, :]


@lowers("Rot90")
def rot90(image: Any, k: Any) -> Any:
    if not isinstance(k, int):
        raise NotExportable("how often it turns is computed")
    turned = [*range(image.shape.rank - 3), image.shape.rank - 2, image.shape.rank - 3, image.shape.rank - 1]
    k %= 4
    if k == 2:
        return tf.reverse(image, [-3, -2])
    if k == 1:
        return tf.reverse(tf.transpose(image, turned), [-3])
    return tf.transpose(tf.reverse(image, [-3]), turned) if k else tf.identity(image)


# --- measures --------------------------------------------------------------------------------------------------------
@lowers("PSNR")
def psnr(a: Any, b: Any, max_val: Any) -> Any:
    error = tf.reduce_mean(tf.square(a - b), [-3, -2, -1])
    return (20.0 * tf.math.log(max_val) - 10.0 * tf.math.log(error)) / math.log(10.0)


@lowers("SSIM")
def ssim(a: Any, b: Any, peak: Any, size: int, sigma: float, k1: float, k2: float, as_map: bool) -> Any:
    """Wang et al., 2004: means, variances and covariances under a Gaussian window."""
    at = np.arange(size) - (size - 1) / 2
    window = np.exp(-0.5 * (at / sigma) ** 2)
    window = np.outer(window, window)
    channels = a.shape[-1]
    if channels is None or a.shape.rank is None:
        raise NotExportable("how many channels its images have is not known")
    kernel = tf.constant(np.tile((window / window.sum())[:, :, None, None], [1, 1, channels, 1]), a.dtype)
    lead = tf.shape(a)[:-3]

    def mean(x: Any) -> Any:
        flat = tf.reshape(x, tf.concat([[-1], tf.shape(x)[-3:]], 0)) if x.shape.rank != 4 else x
        flat = tf.ensure_shape(flat, [None, *x.shape[-3:]])
        out = tf.nn.depthwise_conv2d(flat, kernel, [1, 1, 1, 1], "VALID")
        return tf.reshape(out, tf.concat([lead, tf.shape(out)[1:]], 0))

    c1, c2 = (k1 * peak) ** 2, (k2 * peak) ** 2
    x, y = mean(a), mean(b)
    brightness = (2.0 * x * y + c1) / (tf.square(x) + tf.square(y) + c1)
    contrast = (mean(a * b) * 2.0 - x * y * 2.0 + c2) / (mean(tf.square(a) + tf.square(b)) - tf.square(x) - tf.square(y) + c2)
    whole = brightness * contrast
    return tf.reduce_mean(whole, -1) if as_map else tf.reduce_mean(tf.reduce_mean(whole, [-3, -2]), -1)


@lowers("TotalVariation")
def total_variation(images: Any) -> Any:
    down = tf.reduce_sum(tf.abs(images[..., 1:, :, :] - images[..., :-1, :, :]), [-3, -2, -1])
    return down + tf.reduce_sum(tf.abs(images[..., :, 1:, :] - images[..., :, :-1, :]), [-3, -2, -1])


@lowers("ImageGradients")
def image_gradients(image: Any) -> Any:
    down, across = image[:, 1:] - image[:, :-1], image[:, :, 1:] - image[:, :, :-1]
    return _padded(down, 0, 1, 0, 0), _padded(across, 0, 0, 0, 1)


@lowers("SobelEdges")
def sobel_edges(image: Any) -> Any:
    channels = image.shape[-1]
    if image.shape.rank != 4 or channels is None:
        raise NotExportable("how many channels its images have is not known")
    down = np.array([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]])
    kernels = np.tile(np.stack([down, down.T], -1)[:, :, None, :], [1, 1, channels, 1])
    wide = tf.pad(image, [[0, 0], [1, 1], [1, 1], [0, 0]], "REFLECT")
    out = tf.nn.depthwise_conv2d(wide, tf.constant(kernels, image.dtype), [1, 1, 1, 1], "VALID")
    return tf.reshape(out, tf.concat([tf.shape(image), [2]], 0))


@lowers("PerImageStandardization")
def standardized(image: Any) -> Any:
    over = [-3, -2, -1]
    mean = tf.reduce_mean(image, over, keepdims=True)
    deviation = tf.sqrt(tf.reduce_mean(tf.math.squared_difference(image, mean), over, keepdims=True))
    count = tf.cast(tf.reduce_prod(tf.shape(image)[-3:]), image.dtype)
    return (image - mean) / tf.maximum(deviation, tf.math.rsqrt(count))


@rule("ExtractImagePatches")
def _patches(call: Call) -> Any:
    sizes = {name: [1, *[int(v) for v in call[name]], 1] for name in ("sizes", "strides", "rates")}
    return call.op(
        "ExtractImagePatches", call.ref("images"), ksizes=sizes["sizes"], strides=sizes["strides"], rates=sizes["rates"],
        padding="SAME" if call["same"] else "VALID",
    )  # fmt: skip


# --- boxes -----------------------------------------------------------------------------------------------------------
@rule("NonMaxSuppressionV5")
def _suppression(call: Call) -> Any:
    numbers = [call.static(call[n], call.ref("boxes").dtype) for n in ("iou", "least", "sigma")]
    chosen, kept, _ = call.op("NonMaxSuppressionV5", call.ref("boxes"), call.ref("scores"), call.static(call["count"]), *numbers)
    return [chosen, kept]


@rule("NonMaxSuppressionPadded")
def _padded_suppression(call: Call) -> Any:
    if call.rank("boxes") != 2:
        raise NotExportable("it chooses among boxes of batches, for which TensorFlow has no kernel")
    boxes = call.ref("boxes")
    numbers = [call.static(value, boxes.dtype) for value in (call["iou"], call["least"], 0.0)]
    chosen, _, count = call.op("NonMaxSuppressionV5", boxes, call.ref("scores"), call.static(call["count"]), *numbers, pad_to_max_output_size=True)
    return [chosen, count]


@rule("CombinedNonMaxSuppression")
def _combined(call: Call) -> Any:
    return call.op(
        "CombinedNonMaxSuppression", call.ref("boxes"), call.ref("scores"), call.static(call["per_class"]), call.static(call["total"]),
        call.static(call["iou"], dtypes.float32), call.static(call["least"], dtypes.float32), pad_per_class=bool(call["pad_per_class"]),
        clip_boxes=bool(call["clip"]),
    )  # fmt: skip


# --- codecs ----------------------------------------------------------------------------------------------------------
@rule("EncodeJpeg")
def _encode_jpeg(call: Call) -> Any:
    layout, progressive, optimize, subsample, density, xmp = call["options"]
    return call.op(
        "EncodeJpeg", call.ref("image"), format=layout, quality=call["quality"], progressive=progressive, optimize_size=optimize,
        chroma_downsampling=subsample, density_unit="in", x_density=density[0], y_density=density[1], xmp_metadata=xmp,
    )  # fmt: skip


@rule("DecodeImage")
def _decode_image(call: Call) -> Any:
    return call.op(
        "DecodeImage", call.ref("contents"), channels=call["channels"] or 0, dtype=call.node.outputs[0]._dtype, expand_animations=bool(call["animated"])
    )


@lowers("IsJpeg")
def is_jpeg(contents: Any) -> Any:
    return tf.equal(tf.strings.substr(contents, 0, 3), b"\xff\xd8\xff")


@rule("ImageProjectiveTransform")
def _project(call: Call) -> Any:
    b, images = call.body, call.ref("x")
    single = call.rank("x") == 3
    if single:
        images = b.op("ExpandDims", images, b.ints(0))
    size = b.op("StridedSlice", b.op("Shape", images, out_type=dtypes.int32), b.ints([1]), b.ints([3]), b.ints([1]))
    value = b.constant(np.asarray(call["value"], np.float32), dtypes.float32)
    out = call.op(
        "ImageProjectiveTransformV3", images, call.ref("maps"), size, value, interpolation="BILINEAR" if call["smooth"] else "NEAREST",
        fill_mode=str(call["fill"]).upper(),
    )  # fmt: skip
    return b.op("Squeeze", out, squeeze_dims=[0]) if single else out
