"""`tf.image.extract_glimpse`."""

from __future__ import annotations

from typing import Any

import torch

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.op import INTS, invalid, op, tensor
from .._engine.tensor import Tensor

_FLOAT = tensor(dtypes.float32)


def _text(dims: Any) -> str:
    return "[" + ",".join(str(int(d)) for d in dims) + "]"


@op("ExtractGlimpseV2", stateful=True, input=_FLOAT, size=INTS, offsets=_FLOAT)
def _glimpses(input: Any, size: Any, offsets: Any, centered: bool, normalized: bool, noise: str) -> Any:  # noqa: A002
    if input.ndim != 4:
        raise invalid(f"input must be 4-dimensional (batch_size, height, width, depth){_text(input.shape)} [Op:ExtractGlimpseV2] name: ")
    if len(size) != 2:
        raise invalid(f"input must be a vector of size 2 (height, width)[{len(size)}] [Op:ExtractGlimpseV2] name: ")
    if offsets.ndim != 2:
        raise invalid(f"input must be a matrix{_text(offsets.shape)} [Op:ExtractGlimpseV2] name: ")
    batch, height, width, depth = input.shape
    if offsets.shape[0] != batch:
        raise invalid(f"first dimension should be batch{_text(offsets.shape)} [Op:ExtractGlimpseV2] name: ")
    if offsets.shape[1] != 2:
        raise invalid(f"second dimension should be of size 2 (y,x){_text(offsets.shape)} [Op:ExtractGlimpseV2] name: ")
    extent = offsets.new_tensor([height, width])
    start = offsets.detach()
    if normalized:
        start = start * extent
        if centered:
            start = start / 2
    if centered:
        start = start + extent / 2
        if normalized:
            start = start - offsets.new_tensor(size) / 2
    start = start.long()  # towards zero
    rows = start[:, :1] + torch.arange(size[0], device=input.device)
    columns = start[:, 1:] + torch.arange(size[1], device=input.device)
    inside = ((rows >= 0) & (rows < height)).unsqueeze(2) & ((columns >= 0) & (columns < width)).unsqueeze(1)
    which = torch.arange(batch, device=input.device).reshape(-1, 1, 1)
    if height and width:
        found = input[which, rows.clamp(0, height - 1).unsqueeze(2), columns.clamp(0, width - 1).unsqueeze(1)]
    else:
        found = input.new_zeros((batch, *size, depth))
    return torch.where(inside.unsqueeze(3), found, _around(input, found, noise))


def _around(images: Any, found: Any, noise: str) -> Any:
    """What is beyond the images' edges: zeros, or noise like the image's values."""
    if noise == "zero" or not images[0:1].numel():
        return found.new_zeros(())
    flat = images.detach().reshape(images.shape[0], -1)
    if noise == "uniform":
        low, high = (t.reshape(-1, 1, 1, 1) for t in torch.aminmax(flat, dim=1))
        return torch.rand_like(found) * (high - low) + low
    mean, deviation = (t.reshape(-1, 1, 1, 1) for t in (flat.mean(1), flat.std(1, correction=0)))
    return torch.randn_like(found) * deviation + mean


def extract_glimpse(
    input: Any,  # noqa: A002 - TensorFlow's name
    size: Any,
    offsets: Any,
    centered: bool = True,
    normalized: bool = True,
    noise: str = "uniform",
    name: str | None = None,
) -> Tensor:
    """A window of `size` (height, width) of each of `input` [batch, height, width, channels], float32 (`tf.image.extract_glimpse`).

    `offsets` [batch, 2] (y, x) say where it begins: pixels, or shares of the image's size when `normalized`. `centered`: they count from
    the image's middle, and, when normalized too, run from -1 to 1 and say where the window's middle is. What lies beyond the image is
    `noise`: "uniform" or "gaussian" numbers such as the image has, or "zero".
    """
    if noise not in ("uniform", "gaussian", "zero"):
        raise invalid(f"The noise could only be uniform, gaussian, or zero, got{noise} [Op:ExtractGlimpseV2] name: ")
    return _glimpses(convert_to_tensor(input, dtypes.float32), size, convert_to_tensor(offsets, dtypes.float32), bool(centered), bool(normalized), noise)
