"""Bounding boxes: choosing among them, and drawing them."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import FLOATS
from .._engine.op import INT, invalid, op, tensor
from .._engine.tensor import Tensor

_FLOAT = tensor(FLOATS)
_TAIL = "[Op:NonMaxSuppressionV3] name: "


# --- non-maximum suppression -----------------------------------------------------------------------------------------
def _check(boxes: Any, scores: Any, count: int, iou: float) -> None:
    if count < 0:
        raise invalid(f"output size must be non-negative {_TAIL}")
    if not 0 <= iou <= 1:
        raise invalid(f"iou_threshold must be in [0, 1] {_TAIL}")
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise invalid(f"boxes must be 2-D with 4 columns, got {list(boxes.shape)} {_TAIL}")
    if scores.ndim != 1 or scores.shape[0] != boxes.shape[0]:
        raise invalid(
            f"scores has incompatible shape (Dimensions must be equal, but are {boxes.shape[0]} and {scores.shape[0] if scores.ndim else 0}) {_TAIL}"
        )


def _ordered(boxes: np.ndarray) -> np.ndarray:
    """Boxes whose corners come in any order as [y1, x1, y2, x2]."""
    return np.concatenate([np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])], 1)


def _overlap(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of a box and others."""
    with np.errstate(invalid="ignore", over="ignore"):  # corners may be at infinity
        y1, x1, y2, x2 = box
        t1, l1, t2, l2 = others.T
        area, areas = (y2 - y1) * (x2 - x1), (t2 - t1) * (l2 - l1)
        common = np.maximum(np.minimum(y2, t2) - np.maximum(y1, t1), 0) * np.maximum(np.minimum(x2, l2) - np.maximum(x1, l1), 0)
        union = area + areas - common
        usable = (area > 0) & (areas > 0)
        return np.where(usable, common / np.where(usable, union, 1), 0.0)


def _suppress(
    boxes: np.ndarray, scores: np.ndarray, count: int, iou: float, least: float, sigma: float = 0.0
) -> tuple[list[int], list[float]]:
    """Places and (softened) scores of the chosen boxes, best first."""
    boxes = _ordered(boxes)
    if sigma <= 0:
        return _suppress_hard(boxes, scores, count, iou, least)
    import heapq

    queue = [(-float(s), i, 0) for i, s in enumerate(scores) if s > least]
    heapq.heapify(queue)
    chosen: list[int] = []
    kept: list[float] = []
    scale = -0.5 / sigma
    while queue and len(chosen) < count:
        negative, i, seen = heapq.heappop(queue)
        score = original = -negative
        if len(chosen) > seen:
            for o in _overlap(boxes[i], boxes[chosen[seen:]])[::-1]:
                score *= np.exp(scale * o * o)
                if score <= least:
                    break
        if not score > least:  # of boxes that are no numbers, too
            continue
        if score == original:
            chosen.append(i)
            kept.append(score)
        else:
            heapq.heappush(queue, (-score, i, len(chosen)))
    return chosen, kept


def _suppress_hard(boxes: np.ndarray, scores: np.ndarray, count: int, iou: float, least: float) -> tuple[list[int], list[float]]:
    """As `_suppress` without softening: what overlaps a chosen box too much goes at once."""
    left = np.argsort(-scores, kind="stable")
    left = left[scores[left] > least]
    chosen: list[int] = []
    while left.size and len(chosen) < count:
        best, left = left[0], left[1:]
        chosen.append(int(best))
        left = left[_overlap(boxes[best], boxes[left]) <= iou]
    return chosen, [float(s) for s in scores[chosen]]


def _host(t: Any) -> np.ndarray:
    return t.detach().cpu().float().numpy()


@op("NonMaxSuppressionV5", multi=True, boxes=_FLOAT, scores=_FLOAT, count=INT)
def _nms(boxes: Any, scores: Any, count: Any, iou: Any, least: Any, sigma: Any, name: str | None = None) -> Any:
    iou, least, sigma = (float(v) for v in (iou, least, sigma))
    _check(boxes, scores, count, iou)
    chosen, kept = _suppress(_host(boxes), _host(scores), count, iou, least, sigma)
    device = boxes.device
    return [torch.tensor(chosen, dtype=torch.int32, device=device), torch.tensor(kept, dtype=scores.dtype, device=device)]


@_nms.infer
def _(boxes: Any, scores: Any, count: Any, iou: Any, least: Any, sigma: Any) -> Any:
    return [(dtypes.int32, (None,)), (dtypes.of(scores), (None,))]


def non_max_suppression(
    boxes: Any, scores: Any, max_output_size: Any, iou_threshold: Any = 0.5, score_threshold: Any = float("-inf"), name: str | None = None
) -> Tensor:
    """Places of the boxes [y1, x1, y2, x2] with the best scores that do not overlap a better one too much
    (`tf.image.non_max_suppression`)."""
    return _nms(boxes, scores, max_output_size, iou_threshold, score_threshold, 0.0, name)[0]


def non_max_suppression_with_scores(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = float("-inf"),
    soft_nms_sigma: Any = 0.0,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """As `tf.image.non_max_suppression`, with the scores, which overlaps lower when `soft_nms_sigma` is positive
    (`tf.image.non_max_suppression_with_scores`)."""
    places, kept = _nms(boxes, scores, max_output_size, iou_threshold, score_threshold, soft_nms_sigma, name)
    return places, kept


def non_max_suppression_padded(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = float("-inf"),
    pad_to_max_output_size: bool = False,
    name: str | None = None,
    sorted_input: bool = False,
    canonicalized_coordinates: bool = False,
    tile_size: int = 512,
) -> tuple[Tensor, Tensor]:
    """As `tf.image.non_max_suppression`, with the number of places, which zeros fill up on request; boxes may be of several images,
    [..., number, 4], if they do (`tf.image.non_max_suppression_padded`).

    As in TensorFlow, boxes that overlap by just `iou_threshold` suppress each other and boxes without a positive coordinate are not chosen;
    the first box of a batch tells in which order all give their corners.
    """
    boxes, scores = convert_to_tensor(boxes), convert_to_tensor(scores)
    if not pad_to_max_output_size and boxes.shape.rank is not None and boxes.shape.rank > 2:
        raise ValueError(f"'pad_to_max_output_size' (value {pad_to_max_output_size}) must be True for batched input")
    places, count = _nms_padded(
        boxes, scores, max_output_size, iou_threshold, score_threshold, bool(sorted_input), bool(canonicalized_coordinates), name
    )
    return (places, count) if pad_to_max_output_size else (places[:count], count)


@op("NonMaxSuppressionPadded", multi=True, boxes=_FLOAT, scores=_FLOAT, count=INT)
def _nms_padded(boxes: Any, scores: Any, count: Any, iou: Any, least: Any, in_order: bool, canonical: bool, name: str | None = None) -> Any:
    iou, least = float(iou), float(least)
    lead, number = tuple(boxes.shape[:-2]), boxes.shape[-2]
    if boxes.shape[-1] != 4 or tuple(scores.shape) != (*lead, number):
        raise invalid(f"boxes must be [..., number, 4] and scores [..., number]: {list(boxes.shape)}, {list(scores.shape)} [Op:NonMaxSuppressionPadded]")
    if count < 0:
        raise invalid("max_output_size must be non-negative [Op:NonMaxSuppressionPadded] name: ")
    images = math.prod(lead)
    b, s = _host(boxes).reshape(images, number, 4), _host(scores).reshape(images, number)
    if least != float("-inf"):
        above = s > least
        b, s = b * above[..., None], s * above
    if not canonical and b.size:
        order = [0, 1, 2, 3]
        for low, high in ((0, 2), (1, 3)):
            if not b[0, 0, low] <= b[0, 0, high]:
                order[low], order[high] = high, low
        b = b[..., order]
    places = np.zeros((len(b), count), np.int32)
    counts = np.zeros(len(b), np.int32)
    for i in range(len(b)):
        order_of = np.arange(number) if in_order else np.argsort(-s[i], kind="stable")
        chosen = _chosen_of_sorted(b[i][order_of], count, iou)
        counts[i] = len(chosen)
        places[i, : len(chosen)] = order_of[chosen]
    device = boxes.device
    return [torch.from_numpy(places).reshape(*lead, count).to(device), torch.from_numpy(counts).reshape(lead).to(device)]


@_nms_padded.infer
def _(boxes: Any, scores: Any, count: Any, iou: Any, least: Any, in_order: bool, canonical: bool) -> Any:
    lead = tuple(boxes.shape[:-2])
    return [(dtypes.int32, (*lead, count if type(count) is int else None)), (dtypes.int32, lead)]


def _chosen_of_sorted(boxes: np.ndarray, count: int, iou: float) -> list[int]:
    """Places of boxes [y1, x1, y2, x2], best first, that overlap no better chosen one by `iou` or more."""
    low, high = boxes[:, :2], boxes[:, 2:]
    areas = (high - low).prod(1)
    left = np.flatnonzero((boxes > 0).any(1))
    chosen: list[int] = []
    while left.size and len(chosen) < count:
        best, left = int(left[0]), left[1:]
        chosen.append(best)
        inner = np.maximum(np.minimum(high[best], high[left]) - np.maximum(low[best], low[left]), 0).prod(1)
        left = left[inner / (areas[best] + areas[left] - inner + np.float32(1e-8)) < iou]
    return chosen


@op("NonMaxSuppressionWithOverlaps", overlaps=_FLOAT, scores=_FLOAT, count=INT)
def _nms_overlaps(overlaps: Any, scores: Any, count: Any, limit: Any, least: Any, name: str | None = None) -> Any:
    o, s = _host(overlaps), _host(scores)
    chosen: list[int] = []
    for i in sorted(range(len(s)), key=lambda k: (-s[k], k)):
        if len(chosen) >= count:
            break
        if s[i] > float(least) and not any(o[i, j] > float(limit) for j in chosen):
            chosen.append(i)
    return torch.tensor(chosen, dtype=torch.int32, device=overlaps.device)


@_nms_overlaps.infer
def _(overlaps: Any, scores: Any, count: Any, limit: Any, least: Any) -> Any:
    return [(dtypes.int32, (None,))]


def non_max_suppression_overlaps(
    overlaps: Any,
    scores: Any,
    max_output_size: Any,
    overlap_threshold: Any = 0.5,
    score_threshold: Any = float("-inf"),
    name: str | None = None,
) -> Tensor:
    """As `tf.image.non_max_suppression`, for a square matrix of overlaps (`tf.image.non_max_suppression_overlaps`)."""
    return _nms_overlaps(overlaps, scores, max_output_size, overlap_threshold, score_threshold, name)


class CombinedNonMaxSuppression(NamedTuple):
    """What `tf.image.combined_non_max_suppression` gives."""

    nmsed_boxes: Any
    nmsed_scores: Any
    nmsed_classes: Any
    valid_detections: Any


@op("CombinedNonMaxSuppression", multi=True, boxes=_FLOAT, scores=_FLOAT, per_class=INT, total=INT)
def _combined(
    boxes: Any, scores: Any, per_class: Any, total: Any, iou: Any, least: Any, pad_per_class: bool, clip: bool, name: str | None = None
) -> Any:
    tail = "[Op:CombinedNonMaxSuppression] name: "
    if boxes.ndim != 4 or scores.ndim != 3:
        raise invalid(f"boxes must be 4-D and scores 3-D, got {list(boxes.shape)} and {list(scores.shape)} {tail}")
    if per_class <= 0:
        raise invalid(f"max_size_per_class must be positive {tail}")
    if total <= 0:
        raise invalid(f"max_total_size must be > 0 {tail}")
    batch, _, classes = scores.shape
    size = min(total, per_class * classes) if pad_per_class else total
    b, s = _host(boxes), _host(scores)
    out_boxes = np.zeros((batch, size, 4), np.float32)
    out_scores, out_classes = np.zeros((batch, size), np.float32), np.zeros((batch, size), np.float32)
    valid = np.zeros(batch, np.int32)
    for n in range(batch):
        found = []
        for c in range(classes):
            mine = b[n, :, c if b.shape[2] > 1 else 0]
            places, kept = _suppress(mine, s[n, :, c], per_class, float(iou), float(least))
            found += [(-score, c, mine[i]) for i, score in zip(places, kept, strict=True)]
        found.sort(key=lambda f: f[0])
        for k, (negative, c, box) in enumerate(found[:size]):
            out_boxes[n, k] = np.clip(box, 0, 1) if clip else box
            out_scores[n, k], out_classes[n, k] = -negative, c
        valid[n] = min(len(found), size)
    device = boxes.device
    return CombinedNonMaxSuppression(*(torch.from_numpy(v).to(device) for v in (out_boxes, out_scores, out_classes, valid)))


@_combined.infer
def _(boxes: Any, scores: Any, per_class: Any, total: Any, iou: Any, least: Any, pad_per_class: bool, clip: bool) -> Any:
    batch = scores.shape[0]
    size = min(total, per_class * scores.shape[2]) if pad_per_class else total
    f = dtypes.float32
    return CombinedNonMaxSuppression((f, (batch, size, 4)), (f, (batch, size)), (f, (batch, size)), (dtypes.int32, (batch,)))


def combined_non_max_suppression(
    boxes: Any,
    scores: Any,
    max_output_size_per_class: Any,
    max_total_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = float("-inf"),
    pad_per_class: bool = False,
    clip_boxes: bool = True,
    name: str | None = None,
) -> CombinedNonMaxSuppression:
    """Non-maximum suppression of each class of each image of a batch (`tf.image.combined_non_max_suppression`).

    `boxes` is [batch, number, classes or 1, 4], `scores` [batch, number, classes].
    """
    return _combined(
        boxes, scores, max_output_size_per_class, max_total_size, iou_threshold, score_threshold, pad_per_class, clip_boxes, name
    )


# --- drawing ---------------------------------------------------------------------------------------------------------
_COLORS = (
    (1, 1, 0), (0, 0, 1), (1, 0, 0), (0, 1, 0), (0.5, 0, 0.5), (0.5, 0.5, 0), (0.5, 0, 0), (0, 0, 0.5), (0, 1, 1), (1, 0, 1),
)  # fmt: skip


def draw_bounding_boxes(images: Any, boxes: Any, colors: Any, name: str | None = None) -> Tensor:
    """Images with the borders of boxes [y1, x1, y2, x2] of the unit square drawn on them (`tf.image.draw_bounding_boxes`).

    `colors` is a list of colours that are used in turn; None for a set of its own.
    """
    colors = convert_to_tensor(np.array(_COLORS if colors is None else [], np.float32)) if colors is None else colors
    return _draw(images, boxes, colors, name)


@op(
    "DrawBoundingBoxesV2",
    images=tensor(dtypes.float32, dtypes.float16, group=""),
    boxes=tensor(dtypes.float32, group=""),
    colors=tensor(dtypes.float32, group=""),
)
def _draw(images: Any, boxes: Any, colors: Any, name: str | None = None) -> Any:
    if images.device.type == "meta":
        return torch.empty_like(images)
    out = images.detach().clone()
    _, height, width, depth = images.shape
    corners, palette = _host(boxes), _host(colors)
    if palette.ndim != 2 or not len(palette):
        palette = np.array(_COLORS, np.float32)
    for n in range(out.shape[0]):
        for k, (y1, x1, y2, x2) in enumerate(corners[n].tolist()):
            top, left = int(y1 * (height - 1)), int(x1 * (width - 1))
            bottom, right = int(y2 * (height - 1)), int(x2 * (width - 1))
            if top > bottom or left > right or top >= height or bottom < 0 or left >= width or right < 0:
                continue
            color = np.ones(depth, np.float32)
            color[: min(depth, palette.shape[1])] = palette[k % len(palette)][:depth]
            paint = torch.tensor(color, dtype=out.dtype, device=out.device)
            rows, columns = slice(max(top, 0), min(bottom, height - 1) + 1), slice(max(left, 0), min(right, width - 1) + 1)
            if top >= 0:
                out[n, top, columns] = paint
            if bottom < height:
                out[n, bottom, columns] = paint
            if left >= 0:
                out[n, rows, left] = paint
            if right < width:
                out[n, rows, right] = paint
    return out
