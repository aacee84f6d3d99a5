"""`tf.quantization`: rounding floats to the values that few bits can tell apart."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from ._engine.bounds import clamp
from ._engine.convert import convert_to_tensor
from ._engine.dtypes import FLOATS, float32
from ._engine.op import invalid, op, tensor
from ._engine.tensor import Tensor
from ._names import module_getattr
from .math.kernels import readable

_F = tensor(float32)
_FLOAT = tensor(FLOATS)


class FakeQuantWithMinMaxVarsGradient(NamedTuple):
    """What `fake_quant_with_min_max_vars_gradient` returns."""

    backprops_wrt_input: Any
    backprop_wrt_min: Any
    backprop_wrt_max: Any


class FakeQuantWithMinMaxVarsPerChannelGradient(NamedTuple):
    """What `fake_quant_with_min_max_vars_per_channel_gradient` returns."""

    backprops_wrt_input: Any
    backprop_wrt_min: Any
    backprop_wrt_max: Any


# --- fake quantization ---------------------------------------------------------------------------------------------------
def _bits(num_bits: int, name: str) -> None:
    if not 2 <= num_bits <= 16:
        raise invalid(f"num_bits must be between 2 and 16, inclusive, got {num_bits} [Op:{name}]")


def _nudged(low: torch.Tensor, high: torch.Tensor, num_bits: int, narrow_range: bool) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The range moved so that zero is one of its steps, and the size of a step."""
    first, last = float(narrow_range), float((1 << num_bits) - 1)
    scale = (high - low) / (last - first)
    zero = first - low / scale
    rounded = torch.where(zero < first, first, torch.where(zero > last, last, torch.floor(zero + 0.5)))
    return (first - rounded) * scale, (last - rounded) * scale, scale


class _FakeQuant(torch.autograd.Function):
    """Straight through inside the range; what is cut off adds to the gradient of the bound that cuts."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: torch.Tensor, low: torch.Tensor, high: torch.Tensor, num_bits: int, narrow_range: bool) -> torch.Tensor:
        start, end, scale = _nudged(low, high, num_bits, narrow_range)
        steps = torch.floor((torch.minimum(torch.maximum(x, start), end) - start) / scale + 0.5)
        empty = (low == 0) & (high == 0)
        return torch.where(empty, 0, steps * scale + start)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        x, low, high, ctx.num_bits, ctx.narrow_range = inputs
        ctx.save_for_backward(x, low, high)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:  # type: ignore[override]
        x, low, high = ctx.saved_tensors
        return (*_fake_quant_gradient(grad, x, low, high, ctx.num_bits, ctx.narrow_range), None, None)


def _fake_quant_gradient(grad: Any, x: Any, low: Any, high: Any, num_bits: int, narrow_range: bool) -> tuple[Any, Any, Any]:
    start, end, _ = _nudged(low, high, num_bits, narrow_range)
    empty = (low == 0) & (high == 0)
    inside = ((x >= start) & (x <= end)) | empty
    below, above = (x < start) & ~empty, (x > end) & ~empty
    return (
        torch.where(inside, grad, 0),
        torch.where(below, grad, 0).sum_to_size(low.shape),
        torch.where(above, grad, 0).sum_to_size(high.shape),
    )


def _range(low: Any, high: Any, num_bits: int, name: str) -> None:
    _bits(num_bits, name)
    if not low < high:
        raise invalid(f"min has to be smaller than max, was: {low:g} >= {high:g} [Op:{name}] name: ")


@op("FakeQuantWithMinMaxArgs", inputs=_F)
def _fake_args(inputs: Any, min: Any, max: Any, num_bits: int, narrow_range: bool, name: str | None = None) -> Any:  # noqa: A002
    _range(min, max, num_bits, "FakeQuantWithMinMaxArgs")
    low, high = (torch.tensor(float(v), dtype=inputs.dtype, device=inputs.device) for v in (min, max))
    return _FakeQuant.apply(inputs, low, high, num_bits, narrow_range)


def fake_quant_with_min_max_args(
    inputs: Any, min: Any = -6, max: Any = 6, num_bits: int = 8, narrow_range: bool = False, name: str | None = None  # noqa: A002
) -> Tensor:
    """float32 `inputs` rounded to the steps of `num_bits` bits between two numbers (`tf.quantization.fake_quant_with_min_max_args`).

    The gradient passes where the input lies in the range.
    """
    return _fake_args(convert_to_tensor(inputs, float32), min, max, num_bits, narrow_range, name)


@op("FakeQuantWithMinMaxArgsGradient", gradients=_F, inputs=_F)
def fake_quant_with_min_max_args_gradient(
    gradients: Any, inputs: Any, min: Any = -6, max: Any = 6, num_bits: int = 8, narrow_range: bool = False, name: str | None = None  # noqa: A002
) -> Any:
    """The gradient of `fake_quant_with_min_max_args` (`tf.quantization.fake_quant_with_min_max_args_gradient`)."""
    _range(min, max, num_bits, "FakeQuantWithMinMaxArgsGradient")
    low, high = (torch.tensor(float(v), dtype=inputs.dtype, device=inputs.device) for v in (min, max))
    return _fake_quant_gradient(gradients, inputs, low, high, num_bits, narrow_range)[0]


def _scalars(name: str, *bounds: Any) -> None:
    for b in bounds:
        if b.ndim:
            raise invalid(f"min and max must be scalars, got shape {list(b.shape)} [Op:{name}] name: ")


@op("FakeQuantWithMinMaxVars", inputs=_F, min=_F, max=_F)
def fake_quant_with_min_max_vars(
    inputs: Any, min: Any, max: Any, num_bits: int = 8, narrow_range: bool = False, name: str | None = None  # noqa: A002
) -> Any:
    """float32 `inputs` rounded to the steps of `num_bits` bits between two scalar tensors
    (`tf.quantization.fake_quant_with_min_max_vars`). What is cut off adds to the gradient of the bound."""
    _bits(num_bits, "FakeQuantWithMinMaxVars")
    _scalars("FakeQuantWithMinMaxVars", min, max)
    return _FakeQuant.apply(inputs, min, max, num_bits, narrow_range)


@op("FakeQuantWithMinMaxVarsGradient", multi=True, gradients=_F, inputs=_F, min=_F, max=_F)
def fake_quant_with_min_max_vars_gradient(
    gradients: Any, inputs: Any, min: Any, max: Any, num_bits: int = 8, narrow_range: bool = False, name: str | None = None  # noqa: A002
) -> Any:
    """Gradients of `fake_quant_with_min_max_vars` with respect to inputs, min and max
    (`tf.quantization.fake_quant_with_min_max_vars_gradient`)."""
    _bits(num_bits, "FakeQuantWithMinMaxVarsGradient")
    _scalars("FakeQuantWithMinMaxVarsGradient", min, max)
    return FakeQuantWithMinMaxVarsGradient(*_fake_quant_gradient(gradients, inputs, min, max, num_bits, narrow_range))


def _channels(inputs: Any, name: str, *bounds: Any) -> None:
    for b in bounds:
        if inputs.ndim == 0 or b.ndim != 1 or b.shape[0] != inputs.shape[-1]:
            raise invalid(f"min and max have incorrect size, expected {list(inputs.shape[-1:])} got {list(b.shape)} [Op:{name}] name: ")


@op("FakeQuantWithMinMaxVarsPerChannel", inputs=_F, min=_F, max=_F)
def fake_quant_with_min_max_vars_per_channel(
    inputs: Any, min: Any, max: Any, num_bits: int = 8, narrow_range: bool = False, name: str | None = None  # noqa: A002
) -> Any:
    """As `fake_quant_with_min_max_vars`, with a range for each entry of the last axis
    (`tf.quantization.fake_quant_with_min_max_vars_per_channel`)."""
    _bits(num_bits, "FakeQuantWithMinMaxVarsPerChannel")
    _channels(inputs, "FakeQuantWithMinMaxVarsPerChannel", min, max)
    return _FakeQuant.apply(inputs, min, max, num_bits, narrow_range)


@op("FakeQuantWithMinMaxVarsPerChannelGradient", multi=True, gradients=_F, inputs=_F, min=_F, max=_F)
def fake_quant_with_min_max_vars_per_channel_gradient(
    gradients: Any, inputs: Any, min: Any, max: Any, num_bits: int = 8, narrow_range: bool = False, name: str | None = None  # noqa: A002
) -> Any:
    """Gradients of `fake_quant_with_min_max_vars_per_channel` with respect to inputs, min and max
    (`tf.quantization.fake_quant_with_min_max_vars_per_channel_gradient`)."""
    _bits(num_bits, "FakeQuantWithMinMaxVarsPerChannelGradient")
    _channels(inputs, "FakeQuantWithMinMaxVarsPerChannelGradient", min, max)
    return FakeQuantWithMinMaxVarsPerChannelGradient(*_fake_quant_gradient(gradients, inputs, min, max, num_bits, narrow_range))


# --- quantize and dequantize ---------------------------------------------------------------------------------------------
class _RoundTrip(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: torch.Tensor, low: torch.Tensor, high: torch.Tensor, signed: bool, num_bits: int, half_up: bool, narrow: bool) -> torch.Tensor:
        bottom = (-(1 << (num_bits - 1)) + narrow) if signed else 0
        top = (1 << (num_bits - 1)) - 1 if signed else (1 << num_bits) - 1
        scale, low, high = _symmetric(low, high, bottom, top)
        steps = clamp(x, low, high) * scale
        steps = torch.floor(steps + 0.5) if half_up else torch.round(steps)
        return torch.where(scale == 0, x, steps / torch.where(scale == 0, 1, scale))

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs[:3])

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:  # type: ignore[override]
        x, low, high = ctx.saved_tensors
        passed = torch.where((x >= low) & (x <= high), grad, 0)
        return passed, torch.zeros_like(low), torch.zeros_like(high), None, None, None, None


def _symmetric(low: torch.Tensor, high: torch.Tensor, bottom: int, top: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The factor to whole steps with which both bounds can be held, and the bounds that then apply."""
    from_low = torch.where(bottom * low > 0, bottom / torch.where(low == 0, 1, low), torch.inf)
    from_high = torch.where(top * high > 0, top / torch.where(high == 0, 1, high), torch.inf)
    by_low = from_low < from_high
    scale = torch.minimum(from_low, from_high)
    scale = torch.where(torch.isinf(scale), 0, scale)
    safe = torch.where(scale == 0, 1, scale)
    return scale, torch.where(by_low, low, bottom / safe), torch.where(by_low, top / safe, high)


@op("QuantizeAndDequantizeV4", input=_FLOAT, input_min=_FLOAT, input_max=_FLOAT)
def _round_trip(
    input: Any, input_min: Any, input_max: Any, signed_input: bool, num_bits: int, range_given: bool, round_mode: str,  # noqa: A002
    narrow_range: bool, axis: Any, name: str | None = None,
) -> Any:  # fmt: skip
    opname = "QuantizeAndDequantizeV4"
    if round_mode not in ("HALF_TO_EVEN", "HALF_UP"):
        raise invalid(f"Round mode string must be 'HALF_TO_EVEN' or 'HALF_UP', is '{round_mode}' [Op:{opname}] name: ")
    if not 0 < num_bits < (62 if signed_input else 63):
        raise invalid(f"num_bits is out of range: {num_bits} with signed_input_ {int(signed_input)} [Op:{opname}] name: ")
    if axis is None or axis == -1:
        if range_given:
            if input_min.ndim or input_max.ndim:
                raise invalid(f"input_min must be a scalar, got {list(input_min.shape)} and {list(input_max.shape)} [Op:{opname}] name: ")
            low, high = input_min, input_max
            if readable(low) and bool(low > high):
                raise invalid(f"Invalid range: input_min {float(low)} > input_max {float(high)} [Op:{opname}] name: ")
        else:
            low, high = torch.amin(input).detach(), torch.amax(input).detach()
    else:
        axis = axis % input.ndim
        shape = [1] * input.ndim
        shape[axis] = -1
        if range_given:
            low, high = input_min.reshape(shape), input_max.reshape(shape)
        else:
            rest = tuple(i for i in range(input.ndim) if i != axis)
            low, high = torch.amin(input, rest, True).detach(), torch.amax(input, rest, True).detach()
    return _RoundTrip.apply(input, low, high, signed_input, num_bits, round_mode == "HALF_UP", narrow_range)


def quantize_and_dequantize_v2(
    input: Any,  # noqa: A002
    input_min: Any,
    input_max: Any,
    signed_input: bool = True,
    num_bits: int = 8,
    range_given: bool = False,
    round_mode: str = "HALF_TO_EVEN",
    name: str | None = None,
    narrow_range: bool = False,
    axis: Any = None,
) -> Tensor:
    """`input` rounded to what `num_bits` bits can hold and back, in its float dtype (`tf.quantization.quantize_and_dequantize_v2`).

    The range is given, or that of the values; with `axis` there is one for each slice. The gradient passes inside it.
    """
    input = convert_to_tensor(input)
    low, high = (convert_to_tensor(b, dtype_hint=input.dtype) for b in (input_min, input_max))
    return _round_trip(input, low, high, signed_input, num_bits, range_given, round_mode, narrow_range, axis, name)


def quantize_and_dequantize(
    input: Any,  # noqa: A002
    input_min: Any,
    input_max: Any,
    signed_input: bool = True,
    num_bits: int = 8,
    range_given: bool = False,
    round_mode: str = "HALF_TO_EVEN",
    name: str | None = None,
    narrow_range: bool = False,
    axis: Any = None,
) -> Tensor:
    """The values of `quantize_and_dequantize_v2` with the gradient of the identity (`tf.quantization.quantize_and_dequantize`)."""
    from ._engine.custom_gradient import stop_gradient

    input = convert_to_tensor(input)
    out = quantize_and_dequantize_v2(input, input_min, input_max, signed_input, num_bits, range_given, round_mode, name, narrow_range, axis)
    return input + stop_gradient(out - input)


__getattr__ = module_getattr("tf.quantization")
