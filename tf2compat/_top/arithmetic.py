"""Casts, clipping and the divisions that live directly under `tf`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from .._engine import dtypes
from .._engine.bounds import clamp
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import COMPLEXES, FLOATS, INTS, NUMBERS, DType, int32, int64
from .._engine.op import ANY, AXES, DTYPE, TENSORS, invalid, op, tensor, tensors
from .._engine.tensor import Tensor
from ..indexed_slices import IndexedSlices

_NUM = tensor(NUMBERS, scalar=True)
_INTEGER = frozenset(d.torch for d in INTS)
_COMPLEX = frozenset((torch.complex64, torch.complex128))


# --- dtypes --------------------------------------------------------------------------------------------------------------
@op("Cast", x=ANY, dtype=DTYPE)
def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """`x` in `dtype`: floats are cut towards zero, complex numbers lose the imaginary part (`tf.cast`).

    UnimplementedError for casts from or to strings.
    """
    target = dtypes.as_dtype(dtype).torch
    if target is None:
        raise _no_cast(dtypes.of(x), dtype)
    if x.dtype in _COMPLEX and not target.is_complex:
        return torch.real(x).to(target)
    return x.to(target)


@cast.strings
def _(x: Any, dtype: Any) -> Any:
    if dtype is not dtypes.string:
        raise _no_cast(dtypes.string, dtype)
    return x


def _no_cast(source: DType, target: DType) -> Exception:
    from ..errors import UnimplementedError

    return UnimplementedError(None, None, f"Cast {source._cpp} to {target._cpp} is not supported [Op:Cast] name: ")


@op("SaturateCast", value=tensor(NUMBERS), dtype=DTYPE)
def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Any:
    """`value` in `dtype`, with what `dtype` cannot hold replaced by its extremes (`tf.saturate_cast`)."""
    target = dtype.torch
    if target is None:
        raise _no_cast(dtypes.of(value), dtype)
    if value.is_complex():
        if target.is_complex:
            part = torch.float32 if target is torch.complex64 else torch.float64
            return torch.complex(_saturate(value.real, part), _saturate(value.imag, part))
        value = value.real
    if target.is_complex or target is torch.bool:
        return value.to(target)
    return _saturate(value, target)


@saturate_cast.wrong_dtype
def _(want: Any, got: Any) -> Exception:
    return TypeError(f"Cannot find minimum value of {got} with type {got}.")


def _saturate(value: torch.Tensor, target: torch.dtype) -> torch.Tensor:
    source = value.dtype
    low_in, high_in = _limits(source)
    low, high = _limits(target)
    if low_in >= low and high_in <= high:
        return value.to(target)
    low, high = max(low, low_in), min(high, high_in)
    if source.is_floating_point and not target.is_floating_point:
        # The bounds must be numbers of the source dtype that the target can hold: round towards zero.
        edge = torch.tensor([low, high], dtype=torch.float64).to(source)
        if float(edge[1]) > high:
            bits = {2: torch.int16, 4: torch.int32, 8: torch.int64}[source.itemsize]
            edge[1] = (edge[1].view(bits) - 1).view(source)  # the number before it
        low, high = float(edge[0]), float(edge[1])
    return clamp(value, low, high).to(target)


def _limits(dtype: torch.dtype) -> tuple[Any, Any]:
    info = torch.finfo(dtype) if dtype.is_floating_point else torch.iinfo(dtype)
    return info.min, info.max


@op("Bitcast", input=tensor(NUMBERS), dtype=DTYPE)
def _bitcast(input: Any, dtype: Any, name: str | None = None) -> Any:  # noqa: A002 - TensorFlow's parameter
    if dtype not in NUMBERS:
        listed = ", ".join(sorted(d._cpp for d in NUMBERS))
        raise invalid(f"Value for attr 'type' of {dtype._cpp} is not in the list of allowed values: {listed} [Op:Bitcast] name: ")
    have, want = input.element_size(), dtype.size
    if have == want:
        return input.view(dtype.torch)
    if have > want:
        return input.unsqueeze(-1).view(dtype.torch)
    if input.ndim == 0 or input.shape[-1] * have != want:
        raise invalid(f"Cannot bitcast from {dtypes.of(input).as_datatype_enum} to {dtype.as_datatype_enum} [Op:Bitcast] name: ")
    return input.contiguous().view(dtype.torch).squeeze(-1)


def bitcast(input: Any, type: Any, name: str | None = None) -> Tensor:  # noqa: A002 - TensorFlow's parameters
    """The same bytes read as another dtype (`tf.bitcast`).

    A narrower dtype adds a last axis, a wider one needs and takes away a last axis of the right size.
    """
    return _bitcast(input, type, name)


@op("Complex", elementwise=True, real=tensor(NUMBERS), imag=tensor(NUMBERS, group="I"))
def _complex(real: Any, imag: Any, name: str | None = None) -> Any:
    return torch.complex(real, imag)


def complex(real: Any, imag: Any, name: str | None = None) -> Tensor:  # noqa: A001 - TensorFlow's name
    """real + imag·i element-wise, complex64 of float32, complex128 of float64 (`tf.complex`). TypeError for other dtypes."""
    if hasattr(type(real), "_tf_op") or hasattr(type(imag), "_tf_op"):
        return _complex(real, imag, name)
    real, imag = convert_to_tensor(real), convert_to_tensor(imag)
    if real.dtype is not imag.dtype or real.dtype not in (dtypes.float32, dtypes.float64):
        raise TypeError(
            f"The `real` and `imag` components have incorrect types: {real.dtype.name} {imag.dtype.name}. They must be consistent, "
            f"and one of {[dtypes.float32, dtypes.float64]}"
        )
    return _complex(real, imag, name)


@_complex.prepare
def _(real: Any, imag: Any) -> Any:
    return real, imag


# --- divisions -----------------------------------------------------------------------------------------------------------
@op("RealDiv", elementwise=True, x=_NUM, y=_NUM)
def realdiv(x: Any, y: Any, name: str | None = None) -> Any:
    """x / y element-wise, for floats and complex numbers (`tf.realdiv`)."""
    if x.dtype in _INTEGER:
        from ..math.kernels import no_kernel

        raise no_kernel("RealDiv", x)
    return torch.true_divide(x, y)


def _no_zero(y: Any, name: str) -> Any:
    from ..math.kernels import readable

    if not readable(y):
        return torch.where(y == 0, 1, y)
    if not bool((y != 0).all()):
        from ..errors import InternalError

        raise InternalError(None, None, f"Unexpected error in binary operator (only integer div and mod should have errors): division by zero [Op:{name}] name: ")
    return y


@op("TruncateDiv", elementwise=True, x=tensor(FLOATS, INTS), y=tensor(FLOATS, INTS))
def truncatediv(x: Any, y: Any, name: str | None = None) -> Any:
    """x / y cut towards zero, element-wise (`tf.truncatediv`). Integer division by zero raises InternalError."""
    if x.dtype in _INTEGER:
        y = _no_zero(y, "TruncateDiv")
    return torch.div(x, y, rounding_mode="trunc").detach()


@op("TruncateMod", elementwise=True, x=tensor(FLOATS, int32, int64), y=tensor(FLOATS, int32, int64))
def truncatemod(x: Any, y: Any, name: str | None = None) -> Any:
    """Remainder with the sign of `x`, element-wise (`tf.truncatemod`)."""
    if x.dtype in _INTEGER:
        y = _no_zero(y, "TruncateMod")
    return torch.fmod(x, y).detach()


# --- clipping ------------------------------------------------------------------------------------------------------------
@op("ClipByValue", elementwise=True, t=_NUM, clip_value_min=_NUM, clip_value_max=_NUM)
def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Any:
    """`t` kept between two bounds, numbers or tensors that broadcast to its shape (`tf.clip_by_value`).

    At a bound the gradient goes to `t`. ValueError when a bound would make the result larger than `t`.
    """
    low, high = clip_value_min, clip_value_max
    if not isinstance(low, torch.Tensor) and not isinstance(high, torch.Tensor) and low <= high:
        return clamp(t, low, high)
    out = t
    if isinstance(high, torch.Tensor):
        out = torch.where((out <= high) | (out != out), out, high)
    else:
        out = clamp(out, max=high)
    if isinstance(low, torch.Tensor):
        out = torch.where((out >= low) | (out != out), out, low)
    else:
        out = clamp(out, min=low)
    if out.shape != t.shape:
        from .._engine.shapes import TensorShape

        bound = next(b for b in (high, low) if isinstance(b, torch.Tensor) and torch.broadcast_shapes(b.shape, t.shape) != t.shape)
        raise ValueError(f"Shapes {TensorShape(tuple(t.shape))} and {TensorShape(tuple(bound.shape))} are incompatible")
    return out


@clip_by_value.diagnose
def _(t: Any, low: Any, high: Any) -> Any:
    for bound in (high, low):
        if isinstance(bound, torch.Tensor):
            try:
                torch.broadcast_shapes(t.shape, bound.shape)
            except RuntimeError:
                return f"Incompatible shapes: {_dims(t.shape)} vs. {_dims(bound.shape)}"
    return None


def _dims(shape: Any) -> str:
    return "[" + ",".join(str(int(d)) for d in shape) + "]"


@op("ClipByNorm", t=tensor(FLOATS, COMPLEXES), clip_norm=tensor(FLOATS, COMPLEXES, scalar=True), axes=AXES)
def _clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Any:
    axes = tuple(range(t.ndim)) if axes is None else axes
    total = torch.sum(t * t, axes, True) if axes != () else t * t
    zero = total <= 0
    norm = torch.where(zero, total, torch.sqrt(torch.where(zero, 1, total)))
    if isinstance(clip_norm, torch.Tensor):
        clip_norm = clamp(clip_norm, min=0)
        scaled = t * clip_norm
        if scaled.shape != t.shape:
            raise ValueError(f"Shapes {tuple(t.shape)} and {tuple(scaled.shape)} are incompatible")
        return scaled / torch.maximum(norm, clip_norm)
    clip_norm = max(clip_norm, 0.0)
    return t * clip_norm / clamp(norm, min=clip_norm)


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Any:
    """`t` scaled down to an L2 norm of at most `clip_norm` over `axes`, all when None (`tf.clip_by_norm`)."""
    if type(t) is not Tensor:
        from ..indexed_slices import IndexedSlices

        if isinstance(t, IndexedSlices):
            return IndexedSlices(_clip_by_norm(t.values, clip_norm, axes, name), t.indices, t.dense_shape)
    return _clip_by_norm(t, clip_norm, axes, name)


@op("GlobalNorm", t_list=tensors(FLOATS))
def _global_norm(t_list: Any, name: str | None = None) -> Any:
    squares = [torch.sum(t * t) for t in t_list]
    return torch.sqrt(squares[0] if len(squares) == 1 else torch.stack(squares).sum())


def _plain(t_list: Any) -> list[Any]:
    """The dense tensors of a list that may hold IndexedSlices and None."""
    if not isinstance(t_list, Sequence) or isinstance(t_list, str):
        raise TypeError(f"`t_list` should be a sequence of tensors. Received {type(t_list)}.")
    return [None if t is None else t.values if _slices(t) else convert_to_tensor(t) for t in t_list]


def _slices(t: Any) -> bool:
    return type(t) is IndexedSlices


def global_norm(t_list: Any, name: str | None = None) -> Tensor:
    """Square root of the sum of the squares of all elements of a list of tensors, None left out (`tf.linalg.global_norm`)."""
    values = [v for v in _plain(t_list) if v is not None]
    if not values:
        return convert_to_tensor(0.0)
    return _global_norm(values, name)


@op("ClipByGlobalNorm", multi=True, values=TENSORS, clip_norm=tensor(scalar=True), use_norm=tensor())
def _clip_all(values: Any, clip_norm: Any, use_norm: Any) -> Any:
    if not isinstance(clip_norm, torch.Tensor):
        clip_norm = torch.as_tensor(clip_norm, dtype=use_norm.dtype, device=use_norm.device)
    # an infinite or NaN norm makes everything NaN, so that the failure shows
    scale = clip_norm * torch.minimum(1.0 / use_norm, 1.0 / clip_norm) + (use_norm - use_norm)
    return [v * scale for v in values]


def clip_by_global_norm(t_list: Any, clip_norm: Any, use_norm: Any = None, name: str | None = None) -> tuple[Any, Tensor]:
    """A list of tensors scaled down together to a global norm of at most `clip_norm`, and that norm (`tf.clip_by_global_norm`).

    None stays None, IndexedSlices stay sparse. If the norm is infinite or NaN, so is everything.
    """
    values = _plain(t_list)
    t_list = list(t_list)
    dense = [v for v in values if v is not None]
    if use_norm is None:
        use_norm = _global_norm(dense) if dense else convert_to_tensor(0.0)
    if not dense:
        return t_list, use_norm
    use_norm = convert_to_tensor(use_norm, dtype_hint=dense[0].dtype)
    clipped = iter(_clip_all(dense, clip_norm, use_norm))
    out: list[Any] = []
    for original, v in zip(t_list, values, strict=True):
        if v is None:
            out.append(None)
        elif _slices(original):
            out.append(IndexedSlices(next(clipped), original.indices, original.dense_shape))
        else:
            out.append(next(clipped))
    return out, use_norm


__all__ = [
    "bitcast", "cast", "clip_by_global_norm", "clip_by_norm", "clip_by_value", "complex", "global_norm", "realdiv",
    "saturate_cast", "truncatediv", "truncatemod",
]  # fmt: skip
