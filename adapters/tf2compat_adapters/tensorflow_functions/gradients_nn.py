"""Gradients of neural networks' ops and of images'."""

from __future__ import annotations

from typing import Any

from tf2compat._engine import dtypes

from .backward import Local, Value, gradient
from .body import NotExportable

_CONV = ("strides", "padding", "explicit_paddings", "data_format", "dilations")
_POOL = ("ksize", "strides", "padding", "explicit_paddings", "data_format")


@gradient("BiasAdd")
def _bias(local: Local, dy: Value) -> Any:
    return [dy, dy.op("BiasAddGrad", **local.attributes("data_format"))]


@gradient("BiasAddGrad")
def _bias_grad(local: Local, dy: Value) -> Any:
    if local.get("data_format", b"NHWC") != b"NHWC":
        raise NotExportable("the second derivative of a bias whose channels come first")
    return dy.op("BroadcastTo", local.x().shape())


def _last_sum(local: Local, value: Value) -> Value:
    return value.op("Sum", local.ints([-1]), keep_dims=True)


@gradient("Softmax")
def _softmax(local: Local, dy: Value) -> Any:
    y = local.y()
    return (dy - _last_sum(local, dy * y)) * y


@gradient("LogSoftmax")
def _log_softmax(local: Local, dy: Value) -> Any:
    return dy - local.y().op("Exp") * _last_sum(local, dy)


@gradient("SoftmaxCrossEntropyWithLogits", "SparseSoftmaxCrossEntropyWithLogits")
def _cross_entropy(local: Local, dy: Any, again: Any) -> Any:
    sparse = local.node.op.startswith("Sparse")
    logits, found, labels = local.x(0), None, None
    if dy is not None:
        wide = dy.op("ExpandDims", local.ints(-1))
        found = wide * local.y(1)
        labels = -(wide * logits.op("LogSoftmax")) if not sparse and local.needed[1] else None
    if again is not None:  # of the loss' gradient, where it is differentiated in turn
        p = logits.op("Softmax")
        more = (again - _last_sum(local, again * p)) * p
        found = more if found is None else found + more
    return [found, labels]


# --- convolutions ----------------------------------------------------------------------------------------------------
def _convolution(op: str, by_input: str, by_filter: str) -> None:
    """Each of the three is the others' derivative: they are linear in what they get."""

    def kept(local: Local) -> dict[str, Any]:
        return local.attributes(*_CONV)

    @gradient(op)
    def forward(local: Local, dy: Value) -> Any:
        x, w = local.x(0), local.x(1)
        gx = local.op(by_input, x.shape(), w, dy, **kept(local)) if local.needed[0] else None
        return [gx, local.op(by_filter, x, w.shape(), dy, **kept(local)) if local.needed[1] else None]

    @gradient(by_input)
    def of_input(local: Local, dy: Value) -> Any:
        w, value = local.x(1), local.x(2)
        gw = local.op(by_filter, dy, w.shape(), value, **kept(local)) if local.needed[1] else None
        return [None, gw, local.op(op, dy, w, **kept(local)) if local.needed[2] else None]

    @gradient(by_filter)
    def of_filter(local: Local, dy: Value) -> Any:
        x, value = local.x(0), local.x(2)
        gx = local.op(by_input, x.shape(), dy, value, **kept(local)) if local.needed[0] else None
        return [gx, None, local.op(op, x, dy, **kept(local)) if local.needed[2] else None]


_convolution("Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter")
_convolution("Conv3D", "Conv3DBackpropInputV2", "Conv3DBackpropFilterV2")
_convolution("DepthwiseConv2dNative", "DepthwiseConv2dNativeBackpropInput", "DepthwiseConv2dNativeBackpropFilter")


@gradient("Dilation2D")
def _dilation(local: Local, dy: Value) -> Any:
    given = local.attributes("strides", "rates", "padding")
    x, w = local.x(0), local.x(1)
    return [local.op("Dilation2DBackpropInput", x, w, dy, **given), local.op("Dilation2DBackpropFilter", x, w, dy, **given)]


# --- pooling and normalisation ---------------------------------------------------------------------------------------
@gradient("MaxPool", "MaxPool3D")
def _max_pool(local: Local, dy: Value) -> Any:
    return local.op(local.node.op + "Grad", local.x(), local.y(), dy, **local.attributes(*_POOL))


@gradient("MaxPoolGrad", "MaxPool3DGrad")
def _max_pool_grad(local: Local, dy: Value) -> Any:
    return [None, None, local.op(local.node.op + "Grad", local.x(0), local.x(1), dy, **local.attributes(*_POOL))]


@gradient("MaxPoolWithArgmax")
def _max_pool_argmax(local: Local, dy: Any, *rest: Any) -> Any:
    kept = local.attributes("ksize", "strides", "padding", "include_batch_in_index")
    return None if dy is None else local.op("MaxPoolGradWithArgmax", local.x(), dy, local.y(1), **kept)


@gradient("AvgPool", "AvgPool3D")
def _avg_pool(local: Local, dy: Value) -> Any:
    return local.op(local.node.op + "Grad", local.x().shape(), dy, **local.attributes(*_POOL))


@gradient("AvgPoolGrad", "AvgPool3DGrad")
def _avg_pool_grad(local: Local, dy: Value) -> Any:
    return [None, dy.op(local.node.op.removesuffix("Grad"), **local.attributes(*_POOL))]


@gradient("LRN")
def _lrn(local: Local, dy: Value) -> Any:
    return local.op("LRNGrad", dy, local.x(), local.y(), **local.attributes("depth_radius", "bias", "alpha", "beta"))


@gradient("FusedBatchNormV3")
def _batch_norm(local: Local, dy: Any, *rest: Any) -> Any:
    if any(r is not None for r in rest) or dy is None:
        raise NotExportable("the gradient of the moments that a batch normalisation gives")
    training = bool(local.get("is_training", True))
    moments = [local.y(3), local.y(4)] if training else [local.x(3), local.x(4)]
    found = local.op(
        "FusedBatchNormGradV3", dy, local.x(0), local.x(1), *moments, local.y(5), **local.attributes("epsilon", "data_format", "is_training")
    )
    return [*found[:3], None, None]


# --- images ----------------------------------------------------------------------------------------------------------
@gradient("ResizeBilinear", "ResizeBicubic")
def _resize(local: Local, dy: Value) -> Any:
    return [dy.op(local.node.op + "Grad", local.x(), **local.attributes("align_corners", "half_pixel_centers")), None]


@gradient("ResizeNearestNeighbor")
def _nearest(local: Local, dy: Value) -> Any:
    size = local.x().shape().op("StridedSlice", local.ints([1]), local.ints([3]), local.ints([1]))
    return [dy.op("ResizeNearestNeighborGrad", size, **local.attributes("align_corners", "half_pixel_centers")), None]


@gradient("ExtractImagePatches")
def _patches(local: Local, dy: Value) -> Any:
    # the patch that each value came from: that of the numbers of the elements
    shape = local.x().shape()
    count = local.x().op("Size", out_type=dtypes.int32)
    numbers = local.op("Range", local.ints(1), count + 1, local.ints(1)).op("Reshape", shape)
    places = numbers.op("ExtractImagePatches", **local.attributes("ksizes", "strides", "rates", "padding")) - 1
    there = places.op("GreaterEqual", 0)
    flat = there.op("SelectV2", dy, dy.zeros()).op("Reshape", local.ints([-1]))
    found = flat.op("UnsortedSegmentSum", places.op("Reshape", local.ints([-1])), count)
    return found.op("Reshape", shape)


@gradient("ScaleAndTranslate")
def _scaled(local: Local, dy: Value) -> Any:
    found = dy.op("ScaleAndTranslateGrad", local.x(0), local.x(2), local.x(3), **local.attributes("kernel_type", "antialias"))
    return [found, None, None, None]


@gradient("CropAndResize")
def _crop(local: Local, dy: Value) -> Any:
    image, boxes, indices = (local.x(i) for i in range(3))
    kept = local.attributes("method")
    by_image = dy.op("CropAndResizeGradImage", boxes, indices, image.shape(), T=image.dtype, **kept) if local.needed[0] else None
    by_boxes = dy.op("CropAndResizeGradBoxes", image, boxes, indices, **kept) if local.needed[1] else None
    return [by_image, by_boxes, None, None]


@gradient("CTCLossV2", "CTCLoss")
def _ctc(local: Local, dy: Any, *rest: Any) -> Any:
    if dy is None:
        return [None] * 4
    return [dy.op("Reshape", local.ints([1, -1, 1])) * local.y(1).op("PreventGradient", message="the second derivative of a CTC loss"), *[None] * 3]


