"""Random windows of images that keep some of the objects in them: `tf.image.sample_distorted_bounding_box` and its stateless form."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from .._engine import dtypes, philox
from .._engine.convert import convert_to_tensor
from .._engine.op import invalid, op, tensor
from .._engine.tensor import Tensor
from ..random.seeding import ExactStream, Stream, exact_stream
from ..random.stateless import _start

_SIZES = tensor(dtypes.uint8, dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64, group="S")
_FLOAT = tensor(dtypes.float32, group="F")
_EDGE = np.float32(1e-7)


class DistortedBoundingBox(NamedTuple):
    """Where the window begins, [3]; how large it is, [3]; the window as a box of shares of the image's size, [1, 1, 4]."""

    begin: Any
    size: Any
    bboxes: Any


DistortedBoundingBox.__name__ = "SampleDistortedBoundingBoxV2"


class _Numbers:
    """32-bit words one after the other."""

    def __init__(self, key: torch.Tensor, counter: torch.Tensor) -> None:
        self._key, self._counter = key, counter
        self._block = 0
        self._words: list[int] = []

    def word(self) -> int:
        if not self._words:
            self._words = philox.blocks(self._key, self._counter, torch.tensor([self._block]))[0].tolist()
            self._block += 1
        return self._words.pop(0)

    def unit(self) -> np.float32:
        return np.float32((self.word() & 0x7FFFFF) * 2.0**-23)

    def below(self, n: int) -> int:
        if n & (n - 1) == 0:
            return self.word() & (n - 1)
        last = 2**32 - 2 - (2**32 - 1) % n
        while True:
            found = self.word()
            if found <= last:
                return found % n


def _round(x: Any) -> int:
    return int(np.rint(np.float32(x)))


def _crop(numbers: _Numbers, width: int, height: int, areas: Any, ratio: np.float32) -> tuple[int, int, int, int] | None:
    """A window (y, x, height, width) with this ratio of width to height, or None when its area does not fit."""
    low, high = (np.float32(a) * np.float32(width) * np.float32(height) for a in areas)
    if high <= 0 or ratio <= 0 or width <= 0 or height <= 0 or low > high:
        return None
    h, tallest = _round(np.sqrt(low / ratio)), _round(np.sqrt(high / ratio))
    if _round(tallest * ratio) > width:
        tallest = int((width + 0.5 - float(_EDGE)) / float(ratio))
        if _round(tallest * ratio) > width:
            tallest -= 1
    tallest = min(tallest, height)
    h = min(h, tallest)
    if h < tallest:
        h += numbers.below(tallest - h + 1)
    w = _round(h * ratio)
    if w * h < low:
        h += 1
        w = _round(h * ratio)
    if w * h > high:
        h -= 1
        w = _round(h * ratio)
    if w * h < low or w * h > high or w > width or h > height or w <= 0 or h <= 0:
        return None
    y = numbers.below(height - h) if h < height else 0
    x = numbers.below(width - w) if w < width else 0
    return y, x, h, w


def _covers(window: tuple[int, int, int, int], boxes: list[tuple[int, int, int, int]], least: float) -> bool:
    y, x, h, w = window
    for top, left, bottom, right in boxes:
        area = np.float32((bottom - top) * (right - left))
        if area < 1:
            continue
        inner = max(0, min(y + h, bottom) - max(y, top)) * max(0, min(x + w, right) - max(x, left))
        if np.float32(inner) / area >= np.float32(least):
            return True
    return False


def _sampled(name: str, image_size: Any, boxes: Any, least: Any, options: Any, numbers: Any) -> Any:
    ratios, areas, attempts, whole = options
    if image_size.ndim != 1:
        raise invalid(f"image_size must be 1-dimensional{list(image_size.shape)} [Op:{name}] name: ")
    if image_size.shape[0] != 3:
        raise invalid(f"image_size must contain 3 elements[{image_size.shape[0]}] [Op:{name}] name: ")
    if boxes.ndim != 3:
        raise invalid(f"input boxes must be 3-dimensional [batch, num_boxes, coords]: {list(boxes.shape)} [Op:{name}] name: ")
    if boxes.numel() and boxes.shape[-1] != 4:
        raise invalid(f"bounding boxes must have shape [4]: {list(boxes.shape)} [Op:{name}] name: ")
    if not boxes.numel() and not whole:
        raise invalid(
            "No bounding boxes provided as input. One must enable use_image_if_no_bounding_boxes if you wish to not provide any bounding "
            f"boxes. [Op:{name}] name: "
        )
    height, width, _ = image_size.tolist()
    flat = boxes.detach().cpu().reshape(-1, 4) if boxes.numel() else torch.zeros((0, 4))
    for v in flat.reshape(-1).tolist():
        if not 0 <= v <= 1:
            raise invalid(f"All bounding box coordinates must be in [0.0, 1.0]: {v:g} [Op:{name}] name: ")
    scale = torch.tensor([height, width, height, width], dtype=torch.float32)
    objects = [tuple(row) for row in (flat * scale).int().tolist()] or [(0, 0, height, width)]
    found = (0, 0, height, width)
    spread = np.float32(np.float32(ratios[1]) - np.float32(ratios[0]))
    for _ in range(attempts):
        ratio = np.float32(numbers.unit() * spread + np.float32(ratios[0]))
        window = _crop(numbers, width, height, areas, ratio)
        if window is not None and _covers(window, objects, float(least)):  # type: ignore[arg-type]
            found = window
            break
    y, x, h, w = found
    begin = torch.tensor([y, x, 0], dtype=image_size.dtype)
    size = torch.tensor([h, w, -1], dtype=torch.int64).to(image_size.dtype)
    box = torch.tensor([[[y, x, y + h, x + w]]], dtype=torch.float32) / scale
    return DistortedBoundingBox(begin.to(image_size.device), size.to(image_size.device), box.to(boxes.device))


@op("SampleDistortedBoundingBoxV2", multi=True, stateful=True, image_size=_SIZES, bounding_boxes=_FLOAT, min_object_covered=_FLOAT)
def _sample(image_size: Any, bounding_boxes: Any, min_object_covered: Any, options: Any, stream: Stream) -> Any:
    if isinstance(stream, ExactStream):
        start = stream.take(options[2])
    else:
        start = philox.key_and_counter(torch.randint(2**62, (2,), generator=stream.generator(torch.device("cpu"))))
    return _sampled("SampleDistortedBoundingBoxV2", image_size, bounding_boxes, min_object_covered, options, _Numbers(*start))


@op("StatelessSampleDistortedBoundingBox", multi=True, image_size=_SIZES, bounding_boxes=_FLOAT, seed=tensor(dtypes.int32, dtypes.int64, group="Q"), min_object_covered=_FLOAT)  # fmt: skip
def _stateless(image_size: Any, bounding_boxes: Any, seed: Any, min_object_covered: Any, options: Any) -> Any:
    numbers = _Numbers(*_start(seed.cpu()))
    return _sampled("StatelessSampleDistortedBoundingBox", image_size, bounding_boxes, min_object_covered, options, numbers)


def _described(image_size: Any, *_: Any) -> Any:
    kind = dtypes.of(image_size)
    return DistortedBoundingBox((kind, (3,)), (kind, (3,)), (dtypes.float32, (1, 1, 4)))


_sample.infer(_described)
_stateless.infer(_described)


def _given(image_size: Any, bounding_boxes: Any, covered: Any, ratios: Any, areas: Any, attempts: Any, whole: Any) -> tuple[Any, ...]:
    options = (
        tuple(float(r) for r in (ratios or (0.75, 1.33))), tuple(float(a) for a in (areas or (0.05, 1.0))),
        100 if attempts is None else int(attempts), bool(whole),
    )  # fmt: skip
    return convert_to_tensor(image_size), convert_to_tensor(bounding_boxes, dtypes.float32), convert_to_tensor(covered, dtypes.float32), options


def sample_distorted_bounding_box(
    image_size: Any,
    bounding_boxes: Any,
    seed: Any = 0,
    min_object_covered: Any = 0.1,
    aspect_ratio_range: Any = None,
    area_range: Any = None,
    max_attempts: int | None = None,
    use_image_if_no_bounding_boxes: bool | None = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """A random window of an image [height, width, channels] that covers `min_object_covered` of one of `bounding_boxes` [batch, n, 4].

    Gives `begin` and `size` for `tf.slice`, and the window as a box [1, 1, 4] of shares of the size. Boxes are (y_min, x_min, y_max,
    x_max) within 0 and 1. The whole image when none of `max_attempts` fits (`tf.image.sample_distorted_bounding_box`).
    """
    size, boxes, covered, options = _given(
        image_size, bounding_boxes, min_object_covered, aspect_ratio_range, area_range, max_attempts, use_image_if_no_bounding_boxes
    )
    return _sample(size, boxes, covered, options, exact_stream(seed or None, ("window", size.dtype, options)))


def stateless_sample_distorted_bounding_box(
    image_size: Any,
    bounding_boxes: Any,
    seed: Any,
    min_object_covered: Any = 0.1,
    aspect_ratio_range: Any = None,
    area_range: Any = None,
    max_attempts: int | None = None,
    use_image_if_no_bounding_boxes: bool | None = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """As `sample_distorted_bounding_box`, decided by `seed` [2] (`tf.image.stateless_sample_distorted_bounding_box`)."""
    size, boxes, covered, options = _given(
        image_size, bounding_boxes, min_object_covered, aspect_ratio_range, area_range, max_attempts, use_image_if_no_bounding_boxes
    )
    return _stateless(size, boxes, convert_to_tensor(seed), covered, options)
