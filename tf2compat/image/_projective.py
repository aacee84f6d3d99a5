"""Images whose points are taken from other places, by an affine or projective map of coordinates."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from .._engine import dtypes
from .._engine.op import INTS, invalid, op, tensor

_PIXELS = (dtypes.uint8, dtypes.int32, dtypes.int64, dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64)


def _folded(c: Any, size: int, mode: str) -> Any:
    """Coordinates outside [0, size - 1] brought inside as the fill mode says."""
    if mode == "constant":
        return c
    if mode == "reflect":
        c = torch.remainder(c, 2.0 * size) if size > 1 else torch.zeros_like(c)
        c = torch.where(c >= size, 2 * size - c - 1, c)
    elif mode == "wrap":
        step = max(size - 1, 1)
        below = c + size * (torch.floor(-c / step) + 1)
        above = c - size * torch.floor(c / step)
        c = torch.where(c < 0, below, torch.where(c > size - 1, above, c)) if size > 1 else torch.zeros_like(c)
    return c.clamp(0, size - 1)


def _sampled(x: Any, from_y: Any, from_x: Any, fill: str, value: Any) -> Any:
    """Images between their points, by torch's kernel, which counts from -1 to 1 over the edges of an image and knows one value for outside: zero."""
    _, height, width, _ = x.shape
    places = torch.stack([(2 * from_x + 1) / width - 1, (2 * from_y + 1) / height - 1], -1).to(x.dtype)
    outside = value if fill == "constant" else 0.0
    moved = isinstance(outside, torch.Tensor) or outside != 0.0
    images = (x - outside if moved else x).permute(0, 3, 1, 2).contiguous()
    out = F.grid_sample(images, places, padding_mode="zeros" if fill == "constant" else "border", align_corners=False).permute(0, 2, 3, 1)
    return (out + outside if moved else out).contiguous()


def projected(x: Any, maps: Any, fill: str, value: Any, smooth: bool, size: Any = None) -> Any:
    """Images [batch, height, width, channels] of `size` (theirs, if None), output point (x, y) taken from (a0 x + a1 y + a2, b0 x + b1 y + b2)
    of maps [batch or 1, 6]; of maps [batch or 1, 8] both are divided by c0 x + c1 y + 1, and where that is zero the result is `value`."""
    batch, height, width, channels = x.shape
    rows, columns = (height, width) if size is None else size
    ys = torch.arange(rows, device=x.device, dtype=torch.float32).reshape(1, -1, 1)
    xs = torch.arange(columns, device=x.device, dtype=torch.float32).reshape(1, 1, -1)
    m = maps.reshape(len(maps), -1, 1, 1).expand(batch, -1, 1, 1)
    from_x = m[:, 0] * xs + m[:, 1] * ys + m[:, 2]
    from_y = m[:, 3] * xs + m[:, 4] * ys + m[:, 5]
    nowhere = None
    if m.shape[1] == 8:
        depth = m[:, 6] * xs + m[:, 7] * ys + 1.0
        nowhere = depth == 0
        depth = torch.where(nowhere, 1.0, depth)
        from_x, from_y = from_x / depth, from_y / depth
    out = _read(x, _folded(from_y, height, fill), _folded(from_x, width, fill), fill, value, smooth)
    return out if nowhere is None else torch.where(nowhere.unsqueeze(-1), value, out)


def _read(x: Any, from_y: Any, from_x: Any, fill: str, value: Any, smooth: bool) -> Any:
    batch, height, width, channels = x.shape
    if smooth and x.dtype in (torch.float32, torch.float64) and 0 not in x.shape:
        return _sampled(x, from_y, from_x, fill, value)
    rows, columns = from_y.shape[1:]
    flat = x.reshape(batch, height * width, channels)

    def read(py: Any, px: Any) -> Any:
        inside = (py >= 0) & (py < height) & (px >= 0) & (px < width)
        place = (py.clamp(0, height - 1) * width + px.clamp(0, width - 1)).long().reshape(batch, -1, 1)
        got = flat.gather(1, place.expand(-1, -1, channels)).reshape(batch, rows, columns, channels)
        return torch.where(inside.unsqueeze(-1), got, value)

    if not smooth:
        return read(torch.sign(from_y) * torch.floor(from_y.abs() + 0.5), torch.sign(from_x) * torch.floor(from_x.abs() + 0.5))
    top, left = torch.floor(from_y), torch.floor(from_x)
    dy, dx = (from_y - top).unsqueeze(-1).to(x.dtype), (from_x - left).unsqueeze(-1).to(x.dtype)
    upper = (1 - dx) * read(top, left) + dx * read(top, left + 1)
    lower = (1 - dx) * read(top + 1, left) + dx * read(top + 1, left + 1)
    return (1 - dy) * upper + dy * lower


def _choice(value: Any, allowed: tuple[str, ...], what: str) -> str:
    name = str(value.decode() if isinstance(value, bytes) else value).upper()
    if name not in allowed:
        raise invalid(f"Invalid {what} {name} [Op:ImageProjectiveTransformV3] name: ")
    return name


@op("ImageProjectiveTransformV3", images=tensor(_PIXELS), transforms=tensor(dtypes.float32, group="M"), output_shape=INTS, fill_value=tensor(dtypes.float32, group="V"))
def image_projective_transform(
    images: Any, transforms: Any, output_shape: Any, fill_value: Any = 0.0, interpolation: str = "BILINEAR", fill_mode: str = "CONSTANT"
) -> Any:
    """Images [batch, height, width, channels] whose point (x, y) is ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k) of the input's, where
    k = c0 x + c1 y + 1 and `transforms`, [batch or 1, 8], holds a0, a1, a2, b0, b1, b2, c0, c1 (`tf.raw_ops.ImageProjectiveTransformV3`).

    Differs from TensorFlow: the gradient is that of the values that were read; TensorFlow transforms it by the inverse map instead.
    """
    smooth = _choice(interpolation, ("NEAREST", "BILINEAR"), "interpolation") == "BILINEAR"
    fill = _choice(fill_mode, ("REFLECT", "WRAP", "CONSTANT", "NEAREST"), "fill_mode").lower()
    if images.ndim != 4:
        raise invalid("Input images must have rank 4 [Op:ImageProjectiveTransformV3]")
    if transforms.ndim != 2 or transforms.shape[0] not in (1, images.shape[0]) or transforms.shape[1] != 8:
        raise invalid("Input transform should be num_images x 8 or 1 x 8 [Op:ImageProjectiveTransformV3]")
    if len(output_shape) != 2:
        raise invalid("output shape must be a 1-D Tensor of 2 elements: new_height, new_width [Op:ImageProjectiveTransformV3]")
    if min(output_shape) <= 0:
        raise invalid("output dimensions must be positive [Op:ImageProjectiveTransformV3]")
    if images.device.type == "meta":
        return images.new_empty((images.shape[0], *output_shape, images.shape[3]))
    value = fill_value.to(images.dtype)
    if not smooth or images.dtype is torch.float32:
        return projected(images, transforms, fill, value, smooth, output_shape)
    wide = torch.float32  # in which TensorFlow weighs points of every dtype
    return projected(images.to(wide), transforms, fill, value.to(wide), smooth, output_shape).to(images.dtype)
