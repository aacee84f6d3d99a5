"""Transformations of one image, a NumPy array of rank 3; the random ones draw from `np.random`, as Keras' do."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...utils.images import array_to_img, img_to_array


def apply_affine_transform(
    x: Any,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> Any:
    """The image rotated by `theta` degrees, shifted by pixels, sheared by degrees and zoomed about its centre
    (`tf.keras.preprocessing.image.apply_affine_transform`).

    `fill_mode` (`nearest`, `constant` with `cval`, `reflect`, `wrap`) says what lies outside; `order` is the spline's. Needs SciPy.
    ValueError for axes that are no three different ones, or an array of another rank.
    """
    given = {row_axis, col_axis, channel_axis}
    if len(given) != 3:
        raise ValueError("'row_axis', 'col_axis', and 'channel_axis' must be distinct")
    if given != {0, 1, 2}:
        raise ValueError(f"Invalid axis' indices: {given - {0, 1, 2}}")
    if x.ndim != 3:
        raise ValueError("Input arrays must be multi-channel 2D images.")
    if channel_axis not in (0, 2):
        raise ValueError("Channels are allowed and the first and last dimensions.")
    matrix = _affine(theta, tx, ty, shear, zx, zy)
    if matrix is None:
        return x
    matrix = _about_centre(matrix, x.shape[row_axis], x.shape[col_axis])
    if col_axis > row_axis:  # the matrix speaks of columns and rows
        matrix[:, [0, 1]] = matrix[:, [1, 0]]
        matrix[[0, 1]] = matrix[[1, 0]]
    from tf2compat._ports import load

    warp = load("image_warp", "scipy").affine
    channels = [
        warp(c, matrix[:2, :2], matrix[:2, 2], order=order, mode=fill_mode, cval=cval) for c in np.moveaxis(x, channel_axis, 0)
    ]
    return np.moveaxis(np.stack(channels, axis=0), 0, channel_axis)


def _affine(theta: float, tx: float, ty: float, shear: float, zx: float, zy: float) -> Any:
    """The product of the matrices that do something; None when none does."""
    found = []
    if theta != 0:
        a = np.deg2rad(theta)
        found.append([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    if tx != 0 or ty != 0:
        found.append([[1, 0, tx], [0, 1, ty], [0, 0, 1]])
    if shear != 0:
        a = np.deg2rad(shear)
        found.append([[1, -np.sin(a), 0], [0, np.cos(a), 0], [0, 0, 1]])
    if zx != 1 or zy != 1:
        found.append([[zx, 0, 0], [0, zy, 0], [0, 0, 1]])
    matrix = None
    for part in found:
        matrix = np.array(part) if matrix is None else np.dot(matrix, np.array(part))
    return matrix


def _about_centre(matrix: Any, rows: int, columns: int) -> Any:
    x, y = float(rows) / 2 - 0.5, float(columns) / 2 - 0.5
    there, back = np.array([[1, 0, x], [0, 1, y], [0, 0, 1]]), np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1]])
    return np.dot(np.dot(there, matrix), back)


def apply_channel_shift(x: Any, intensity: float, channel_axis: int = 0) -> Any:
    """`intensity` added to every channel, within the image's range (`tf.keras.preprocessing.image.apply_channel_shift`)."""
    low, high = np.min(x), np.max(x)
    shifted = [np.clip(channel + intensity, low, high) for channel in np.moveaxis(x, channel_axis, 0)]
    return np.moveaxis(np.stack(shifted, axis=0), 0, channel_axis)


def apply_brightness_shift(x: Any, brightness: float, scale: bool = True) -> Any:
    """The image times `brightness` (`tf.keras.preprocessing.image.apply_brightness_shift`).

    `scale` spreads it over [0, 255] first; values outside of that range are brought into it and back. Needs Pillow.
    """
    try:
        from PIL import ImageEnhance
    except ImportError:
        raise ImportError("Using brightness shifts requires PIL. Install PIL or Pillow.") from None
    low, high = np.min(x), np.max(x)
    outside = bool(low < 0 or high > 255)
    image = array_to_img(x, scale=outside or scale)
    x = img_to_array(ImageEnhance.Brightness(image).enhance(brightness))
    if not scale and outside:
        x = x / 255 * (high - low) + low
    return x


def flip_axis(x: Any, axis: int) -> Any:
    """The image the other way round along an axis."""
    return np.flip(np.asarray(x), axis)


def random_rotation(
    x: Any,
    rg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> Any:
    """The image rotated by up to `rg` degrees (`tf.keras.preprocessing.image.random_rotation`)."""
    theta = np.random.uniform(-rg, rg)
    return apply_affine_transform(
        x, theta=theta, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis, fill_mode=fill_mode, cval=cval, order=interpolation_order
    )


def random_shift(
    x: Any,
    wrg: float,
    hrg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> Any:
    """The image shifted by up to fractions of its width and height (`tf.keras.preprocessing.image.random_shift`)."""
    tx = np.random.uniform(-hrg, hrg) * x.shape[row_axis]
    ty = np.random.uniform(-wrg, wrg) * x.shape[col_axis]
    return apply_affine_transform(
        x, tx=tx, ty=ty, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis, fill_mode=fill_mode, cval=cval, order=interpolation_order
    )


def random_shear(
    x: Any,
    intensity: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> Any:
    """The image sheared by up to `intensity` degrees (`tf.keras.preprocessing.image.random_shear`)."""
    shear = np.random.uniform(-intensity, intensity)
    return apply_affine_transform(
        x, shear=shear, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis, fill_mode=fill_mode, cval=cval, order=interpolation_order
    )


def random_zoom(
    x: Any,
    zoom_range: Any,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> Any:
    """The image zoomed by two factors from `zoom_range` (`tf.keras.preprocessing.image.random_zoom`). ValueError unless it is a pair."""
    if len(zoom_range) != 2:
        raise ValueError(f"`zoom_range` should be a tuple or list of two floats. Received: {zoom_range}")
    zx, zy = (1, 1) if zoom_range[0] == 1 and zoom_range[1] == 1 else np.random.uniform(zoom_range[0], zoom_range[1], 2)
    return apply_affine_transform(
        x, zx=zx, zy=zy, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis, fill_mode=fill_mode, cval=cval, order=interpolation_order
    )


def random_channel_shift(x: Any, intensity_range: float, channel_axis: int = 0) -> Any:
    """Every channel shifted by one random value (`tf.keras.preprocessing.image.random_channel_shift`)."""
    return apply_channel_shift(x, np.random.uniform(-intensity_range, intensity_range), channel_axis=channel_axis)


def random_brightness(x: Any, brightness_range: Any, scale: bool = True) -> Any:
    """The image times a factor of `brightness_range` (`tf.keras.preprocessing.image.random_brightness`). ValueError unless it is a pair."""
    if len(brightness_range) != 2:
        raise ValueError(f"`brightness_range should be tuple or list of two floats. Received: {brightness_range}")
    return apply_brightness_shift(x, np.random.uniform(brightness_range[0], brightness_range[1]), scale)
