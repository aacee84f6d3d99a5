"""Comparing images, and looking at their edges and patches."""

from __future__ import annotations

from typing import Any

import torch

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import FLOATS, REALS
from .._engine.op import invalid, op, tensor
from .._engine.tensor import Tensor
from .color import convert_image_dtype

_FLOAT = tensor(FLOATS)


def _both(a: Any, b: Any, max_val: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Two images and the greatest value that they can have, as float32 of [0, 1] for integers."""
    a, b = convert_to_tensor(a), convert_to_tensor(b)
    for t in (a, b):
        if t.shape.rank is not None and t.shape.rank < 3:
            raise ValueError(f"Shape {t.shape} must have rank at least 3")
    if not a.shape[-3:].is_compatible_with(b.shape[-3:]):
        raise ValueError(f"Shapes {a.shape} and {b.shape} are incompatible")
    from .. import cast

    max_val = convert_image_dtype(cast(max_val, a.dtype), dtypes.float32)
    return convert_image_dtype(a, dtypes.float32), convert_image_dtype(b, dtypes.float32), max_val


def psnr(a: Any, b: Any, max_val: Any, name: str | None = None) -> Tensor:
    """The peak signal-to-noise ratio, in decibels, of each pair of images (`tf.image.psnr`)."""
    return _psnr(*_both(a, b, max_val), name)


@op("PSNR", a=_FLOAT, b=_FLOAT, max_val=_FLOAT)
def _psnr(a: Any, b: Any, max_val: Any, name: str | None = None) -> Any:
    error = ((a - b) ** 2).mean((-3, -2, -1))
    return 20 * torch.log10(max_val) - 10 * torch.log10(error)


def ssim(
    img1: Any,
    img2: Any,
    max_val: Any,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    return_index_map: bool = False,
) -> Tensor:
    """The structural similarity of each pair of images; a map of it with `return_index_map` (`tf.image.ssim`)."""
    a, b, peak = _both(img1, img2, max_val)
    return _ssim(a, b, peak, filter_size, filter_sigma, k1, k2, return_index_map)


def _window(size: int, sigma: float, like: Any) -> Any:
    at = torch.arange(size, dtype=like.dtype, device=like.device) - (size - 1) / 2.0
    weights = torch.softmax((-0.5 * at**2 / sigma**2), 0)
    return weights


def _blur(x: Any, window: Any) -> Any:
    """Each plane of [n, channels, rows, columns] filtered along rows and columns, without padding."""
    channels = x.shape[1]
    column = window.reshape(1, 1, -1, 1).expand(channels, 1, -1, 1)
    row = window.reshape(1, 1, 1, -1).expand(channels, 1, 1, -1)
    out = torch.nn.functional.conv2d(x, column, groups=channels)
    return torch.nn.functional.conv2d(out, row, groups=channels)


def _similarity(a: Any, b: Any, peak: Any, size: int, sigma: float, k1: float, k2: float) -> tuple[Any, Any]:
    """Maps of SSIM and of its contrast-structure part, [batch…, rows, columns, channels]."""
    for x in (a, b):
        if x.device.type != "meta" and (x.shape[-3] < size or x.shape[-2] < size):
            raise invalid(
                f"Expected 'tf.Tensor(False, shape=(), dtype=bool)' to be true. Summarized data: {', '.join(str(d) for d in x.shape)}\n{size} "
                "[Op:Assert] name: Assert/Assert"
            )
    a, b = torch.broadcast_tensors(a, b)
    batch = a.shape[:-3]
    p, q = (x.reshape((-1, *x.shape[-3:])).permute(0, 3, 1, 2) for x in (a, b))
    window = _window(size, sigma, a)
    c1, c2 = (k1 * peak) ** 2, (k2 * peak) ** 2
    mean_p, mean_q = _blur(p, window), _blur(q, window)
    product, squares = mean_p * mean_q * 2, mean_p**2 + mean_q**2
    luminance = (product + c1) / (squares + c1)
    structure = (_blur(p * q, window) * 2 - product + c2) / (_blur(p**2 + q**2, window) - squares + c2)
    maps = [(m.permute(0, 2, 3, 1)).reshape((*batch, m.shape[2], m.shape[3], m.shape[1])) for m in (luminance * structure, structure)]
    return maps[0], maps[1]


@op("SSIM", a=_FLOAT, b=_FLOAT, peak=_FLOAT)
def _ssim(
    a: Any, b: Any, peak: Any, size: int, sigma: float, k1: float, k2: float, as_map: bool, name: str | None = None
) -> Any:
    whole, _ = _similarity(a, b, peak, size, sigma, k1, k2)
    return whole.mean(-1) if as_map else whole.mean((-3, -2)).mean(-1)


def ssim_multiscale(
    img1: Any,
    img2: Any,
    max_val: Any,
    power_factors: Any = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333),
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
) -> Tensor:
    """The structural similarity over several scales, each half of the one before (`tf.image.ssim_multiscale`)."""
    a, b, peak = _both(img1, img2, max_val)
    return _ssim_scales(a, b, peak, tuple(float(p) for p in power_factors), filter_size, filter_sigma, k1, k2)


@op("MultiscaleSSIM", a=_FLOAT, b=_FLOAT, peak=_FLOAT)
def _ssim_scales(
    a: Any, b: Any, peak: Any, powers: Any, size: int, sigma: float, k1: float, k2: float, name: str | None = None
) -> Any:
    parts = []
    for i in range(len(powers)):
        if i:
            a, b = _halved(a), _halved(b)
        whole, structure = _similarity(a, b, peak, size, sigma, k1, k2)
        chosen = whole if i == len(powers) - 1 else structure
        parts.append(torch.relu(chosen.mean((-3, -2))))
    exponents = torch.tensor(powers, dtype=a.dtype, device=a.device)
    return (torch.stack(parts, -1) ** exponents).prod(-1).mean(-1)


def _halved(x: Any) -> Any:
    batch = x.shape[:-3]
    planes = x.reshape((-1, *x.shape[-3:])).permute(0, 3, 1, 2)
    odd = [0, planes.shape[3] % 2, 0, planes.shape[2] % 2]
    if any(odd):
        planes = torch.nn.functional.pad(planes, odd, mode="replicate")
    out = torch.nn.functional.avg_pool2d(planes, 2).permute(0, 2, 3, 1)
    return out.reshape((*batch, *out.shape[1:]))


def total_variation(images: Any, name: str | None = None) -> Tensor:
    """The sum of the differences between neighbouring pixels, for each image (`tf.image.total_variation`)."""
    images = convert_to_tensor(images)
    if images.shape.rank not in (3, 4, None):
        raise ValueError("'images' must be either 3 or 4-dimensional.")
    return _variation(images, name)


@op("TotalVariation", images=tensor(REALS))
def _variation(images: Any, name: str | None = None) -> Any:
    down = (images[..., 1:, :, :] - images[..., :-1, :, :]).abs().sum((-3, -2, -1), dtype=images.dtype)
    across = (images[..., :, 1:, :] - images[..., :, :-1, :]).abs().sum((-3, -2, -1), dtype=images.dtype)
    return down + across


def image_gradients(image: Any) -> tuple[Tensor, Tensor]:
    """Differences to the next pixel below and to the right, zero at the border (`tf.image.image_gradients`)."""
    image = convert_to_tensor(image)
    if image.shape.rank != 4:
        raise ValueError(
            f"image_gradients expects a 4D tensor [batch_size, h, w, d], not {image.shape}."
        )
    return tuple(_gradients(image))  # type: ignore[return-value]


@op("ImageGradients", multi=True, image=tensor(REALS))
def _gradients(image: Any, name: str | None = None) -> Any:
    down = torch.constant_pad_nd(image[:, 1:] - image[:, :-1], [0, 0, 0, 0, 0, 1])
    across = torch.constant_pad_nd(image[:, :, 1:] - image[:, :, :-1], [0, 0, 0, 1])
    return [down, across]


def sobel_edges(image: Any) -> Tensor:
    """Sobel's vertical and horizontal edges, on a new last axis of 2 (`tf.image.sobel_edges`)."""
    return _sobel(convert_to_tensor(image))


@op("SobelEdges", image=_FLOAT)
def _sobel(image: Any, name: str | None = None) -> Any:
    if image.ndim != 4:
        raise ValueError(f"Shape {tuple(image.shape)} must have rank 4")
    planes = torch.nn.functional.pad(image.permute(0, 3, 1, 2), [1, 1, 1, 1], mode="reflect")
    down = torch.tensor([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]], dtype=image.dtype, device=image.device)
    kernels = torch.stack([down, down.t()]).unsqueeze(1)
    n, c, h, w = planes.shape
    out = torch.nn.functional.conv2d(planes.reshape(n * c, 1, h, w), kernels)
    return out.reshape(n, c, 2, h - 2, w - 2).permute(0, 3, 4, 1, 2)


def extract_patches(images: Any, sizes: Any, strides: Any, rates: Any, padding: str, name: str | None = None) -> Tensor:
    """Patches of images, flattened into the last axis (`tf.image.extract_patches`).

    `sizes`, `strides` and `rates` are [1, rows, columns, 1]; `padding` is "VALID" or "SAME".
    """
    if padding not in ("SAME", "VALID"):
        raise invalid(
            f'Value for attr \'padding\' of "{padding}" is not in the list of allowed values: "SAME", "VALID" [Op:ExtractImagePatches] name: '
        )
    for what, values in (("ksizes", sizes), ("strides", strides), ("rates", rates)):
        if len(values) != 4:
            raise invalid(f"Sliding window {what} field must specify 4 dimensions [Op:ExtractImagePatches] name: ")
        if values[0] != 1 or values[3] != 1:
            from ..errors import UnimplementedError

            raise UnimplementedError(None, None, f"Only support {what} across space. [Op:ExtractImagePatches] name: ")
        if min(values) < 1:
            from ..errors import OutOfRangeError

            raise OutOfRangeError(None, None, f"{what} is out of range. [Op:ExtractImagePatches] name: ")
    return _patches(images, tuple(sizes[1:3]), tuple(strides[1:3]), tuple(rates[1:3]), padding == "SAME", name)


@op("ExtractImagePatches", images=tensor(REALS, dtypes.COMPLEXES, dtypes.bool))
def _patches(images: Any, sizes: Any, strides: Any, rates: Any, same: bool, name: str | None = None) -> Any:
    if images.ndim != 4:
        raise invalid(f"input must be 4-dimensional{list(images.shape)} [Op:ExtractImagePatches] name: ")
    places = []
    out = images
    for axis, (k, s, r) in enumerate(zip(sizes, strides, rates, strict=True), start=1):
        reach = (k - 1) * r + 1
        size = images.shape[axis]
        if same:
            count = -(-size // s)
            missing = max((count - 1) * s + reach - size, 0)
            out = torch.constant_pad_nd(out, [0, 0] * (3 - axis) + [missing // 2, missing - missing // 2])
        else:
            count = max(0, (size - reach) // s + 1)
        start = torch.arange(count, device=images.device).unsqueeze(1) * s
        places.append(start + torch.arange(k, device=images.device) * r)
    rows, columns = places
    picked = out[:, rows][:, :, :, columns]  # [batch, r, kr, c, kc, depth]
    picked = picked.permute(0, 1, 3, 2, 4, 5)
    return picked.reshape((*picked.shape[:3], sizes[0] * sizes[1] * images.shape[3]))
