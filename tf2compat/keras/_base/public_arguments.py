"""What the public functions take that stand for ops of our own in a model: the first argument, and the others by their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _others(given: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Without those that are the function's own anyway."""
    return {k: v for k, v in given.items() if k not in defaults or type(v) is not type(defaults[k]) or v != defaults[k]}


def _number(value: Any) -> Any:
    """A constant as a number."""
    array = value.numpy() if hasattr(value, "numpy") else value
    return array.item() if hasattr(array, "item") else array


def _padding(tensor: Any, constant_values: Any = 0, rows: Any = (), paddings: Any = None) -> Any:
    given = {"paddings": rows if paddings is None else paddings}
    return (tensor,), given if constant_values is None else given | {"constant_values": constant_values}


def _mirrored(tensor: Any, paddings: Any, reflect: bool) -> Any:
    return (tensor,), {"paddings": paddings, "mode": "REFLECT" if reflect else "SYMMETRIC"}


def _resized(images: Any, size: Any, method: Any = "bilinear", preserve: bool = False, antialias: bool = False) -> Any:
    given = {"method": method, "preserve_aspect_ratio": preserve, "antialias": antialias}
    return (images,), {"size": size} | {k: v for k, v in given.items() if v not in (False, "bilinear")}


def _resized_in_frame(image: Any, size: Any, method: str = "bilinear", antialias: bool = False) -> Any:
    given = {"target_height": size[0], "target_width": size[1]}
    return (image,), given | _others({"method": method, "antialias": antialias}, {"method": "bilinear", "antialias": False})


def _cropped(image: Any, top: Any, left: Any, height: Any, width: Any) -> Any:
    return (image,), {"offset_height": top, "offset_width": left, "target_height": height, "target_width": width}


def _patches(images: Any, sizes: Any, strides: Any, rates: Any, same: bool) -> Any:
    whole = {name: [1, *numbers, 1] for name, numbers in (("sizes", sizes), ("strides", strides), ("rates", rates))}
    return (images,), whole | {"padding": "SAME" if same else "VALID"}


def _ssim(a: Any, b: Any, peak: Any, size: int, sigma: float, k1: float, k2: float, as_map: bool) -> Any:
    given = {"filter_size": size, "filter_sigma": sigma, "k1": k1, "k2": k2, "return_index_map": as_map}
    defaults = {"filter_size": 11, "filter_sigma": 1.5, "k1": 0.01, "k2": 0.03, "return_index_map": False}
    return (a,), {"img2": b, "max_val": peak} | _others(given, defaults)


def _diagonals(low: int, high: int, padding_value: Any, align: str, **sizes: int) -> dict[str, Any]:
    given = {"k": low if low == high else (low, high), **sizes, "padding_value": _number(padding_value), "align": align}
    chosen = _others(given, {"k": 0, "num_rows": -1, "num_cols": -1, "align": "RIGHT_LEFT"})
    if not chosen["padding_value"]:
        del chosen["padding_value"]
    return chosen


def _diag(diagonal: Any, padding_value: Any, low: int, high: int, num_rows: int, num_cols: int, align: str) -> Any:
    return (diagonal,), _diagonals(low, high, padding_value, align, num_rows=num_rows, num_cols=num_cols)


def _diag_part(input: Any, padding_value: Any, low: int, high: int, align: str) -> Any:  # noqa: A002
    return (input,), _diagonals(low, high, padding_value, align)


def _searched(sorted_sequence: Any, values: Any, right: bool, out_type: Any) -> Any:
    given = {"values": values, "side": "right" if right else "left", "out_type": out_type.name}
    return (sorted_sequence,), _others(given, {"side": "left", "out_type": "int32"})


def _convolved(input: Any, filters: Any, strides: Any, padding: Any, first: bool, dilations: Any) -> Any:  # noqa: A002
    given = {"filters": filters, "stride": strides[0], "padding": padding, "data_format": "NCW" if first else "NWC", "dilations": dilations[0]}
    return (input,), _others(given, {"dilations": 1})


def _transposed(
    input: Any, filters: Any, output_shape: Any, strides: Any, padding: Any, dilations: Any, n: int, first: bool  # noqa: A002
) -> Any:
    space = "DHW"[3 - n :] if n > 1 else "W"
    given = {
        "filters": filters, "output_shape": output_shape, "strides": list(strides), "padding": padding,
        "data_format": f"NC{space}" if first else f"N{space}C", "dilations": list(dilations),
    }  # fmt: skip
    return (input,), _others(given, {"padding": "SAME", "data_format": f"N{space}C", "dilations": [1] * n}), f"nn.conv{n}d_transpose"


def _sliced(input_: Any, begin: Any, end: Any, strides: Any = None, masks: Any = ()) -> Any:
    names = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
    given = {"begin": begin, "end": end, **({} if strides is None else {"strides": strides})}
    return (input_,), given | {name: mask for name, mask in zip(names, masks, strict=False) if mask}


def _seeded(stream: Any) -> dict[str, Any]:
    from tf2compat.random.seeding import seed_given

    seed = None if stream is None else seed_given(stream)
    return {} if seed is None else {"seed": seed}


def _dropout(x: Any, rate: Any, noise_shape: Any = None, stream: Any = None) -> Any:
    return (x,), {"rate": rate, **({} if noise_shape is None else {"noise_shape": noise_shape}), **_seeded(stream)}


def _random(shape: Any, dtype: Any, stream: Any = None) -> Any:
    return (shape,), {"dtype": dtype, **_seeded(stream)}


def _renamed(**names: str) -> Callable[..., Any]:
    """The same arguments under other names; the first has none."""

    def translate(**given: Any) -> Any:
        (_, first), *others = given.items()
        return (first,), {names[k]: v for k, v in others}

    return translate


#: from an op's arguments to those of the public function, the first of which is a tensor: positional ones and others, and the function
#: where one op stands for several
CALLS: dict[str, Callable[..., Any]] = {
    "tf2compat._top.arrays._pad": _padding,
    "tf2compat._top.arrays._pad_by": _padding,
    "tf2compat._top.arrays._mirror_pad": _mirrored,
    "tf2compat._top.asserting._ensure_shape": _renamed(shape="shape"),
    "tf2compat._top.indexing._strided_slice": _sliced,
    "tf2compat._top.ordering._bound": _searched,
    "tf2compat.image.color._contrast": _renamed(factor="contrast_factor"),
    "tf2compat.image.color._hue": _renamed(delta="delta"),
    "tf2compat.image.color._saturation": _renamed(factor="saturation_factor"),
    "tf2compat.image.color._standardized": _renamed(),
    "tf2compat.image.geometry._central_crop": _renamed(fraction="central_fraction"),
    "tf2compat.image.geometry._crop": _cropped,
    "tf2compat.image.geometry._crop_or_pad": _renamed(height="target_height", width="target_width"),
    "tf2compat.image.measures._patches": _patches,
    "tf2compat.image.measures._sobel": _renamed(),
    "tf2compat.image.measures._ssim": _ssim,
    "tf2compat.image.measures._variation": _renamed(),
    "tf2compat.image.resizing._resize": _resized,
    "tf2compat.image.resizing._resize_with_pad": _resized_in_frame,
    "tf2compat.linalg.diagonals._diag": _diag,
    "tf2compat.linalg.diagonals._diag_part": _diag_part,
    "tf2compat.nn.convolution._conv1d": _convolved,
    "tf2compat.nn.dropping.dropped": _dropout,
    "tf2compat.nn.transposed._transpose": _transposed,
    "tf2compat.random.stateful.standard_normal": _random,
    "tf2compat.random.stateful.standard_uniform": _random,
}
