"""Arguments that many layers share, checked in Keras' words."""

from __future__ import annotations

from typing import Any

from .. import activations, constraints, initializers, regularizers
from .._base.config import settings


def normalize_tuple(value: Any, n: int, name: str, allow_zero: bool = False) -> tuple[int, ...]:
    """`value` as a tuple of n integers; ValueError otherwise."""
    message = f"The `{name}` argument must be a tuple of {n} integers. Received: {value}"
    if isinstance(value, int):
        found: tuple[Any, ...] = (value,) * n
    else:
        try:
            found = tuple(value)
        except TypeError:
            raise ValueError(message) from None
        if len(found) != n:
            raise ValueError(message)
        for v in found:
            try:
                int(v)
            except (ValueError, TypeError):
                raise ValueError(f"{message}including element {v} of type {type(v)}") from None
    wrong = {v for v in found if (v < 0 if allow_zero else v <= 0)}
    if wrong:
        raise ValueError(f"{message} including {wrong} that does not satisfy the requirement `{'>= 0' if allow_zero else '> 0'}`.")
    return found


def normalize_data_format(value: Any) -> str:
    """The data format, Keras' setting by default; ValueError for another word."""
    found = (settings.image_data_format if value is None else value).lower()
    if found not in {"channels_first", "channels_last"}:
        raise ValueError(f'The `data_format` argument must be one of "channels_first", "channels_last". Received: {value}')
    return found


def normalize_padding(value: Any) -> Any:
    """"valid", "same" or "causal" in lower case; ValueError for another word."""
    if isinstance(value, (list, tuple)):
        return value
    padding = value.lower()
    if padding not in {"valid", "same", "causal"}:
        raise ValueError(
            'The `padding` argument must be a list/tuple or one of "valid", "same" (or "causal", only for `Conv1D). '
            f"Received: {padding}"
        )
    return padding


def conv_output_length(length: Any, k: int, padding: str, stride: int, dilation: int = 1) -> Any:
    """How long the result of a convolution or pooling is; None for None."""
    if length is None:
        return None
    window = k + (k - 1) * (dilation - 1)
    if padding == "valid":
        length = length - window + 1
    elif padding == "full":
        length = length + window - 1
    return (length + stride - 1) // stride


def deconv_output_length(length: Any, k: int, padding: str, output_padding: Any = None, stride: int = 1, dilation: int = 1) -> Any:
    """How long the result of a transposed convolution is; None for None."""
    if length is None:
        return None
    window = k + (k - 1) * (dilation - 1)
    if output_padding is None:
        if padding == "valid":
            return length * stride + max(window - stride, 0)
        if padding == "full":
            return length * stride - (stride + window - 2)
        return length * stride
    pad = {"same": window // 2, "valid": 0, "full": window - 1}[padding]
    return (length - 1) * stride + window - 2 * pad + output_padding


class WeightOptions:
    """Reads the initializer, regularizer and constraint arguments of a layer's weights, and writes them into its config."""

    def _set_options(self, **options: Any) -> None:
        for name, value in options.items():
            kind = name.rsplit("_", 1)[1]
            module: Any = {"initializer": initializers, "regularizer": regularizers, "constraint": constraints}[kind]
            setattr(self, name, module.get(value))

    def _option_config(self, *names: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in names:
            value = getattr(self, name)
            kind = name.rsplit("_", 1)[1]
            module: Any = {"initializer": initializers, "regularizer": regularizers, "constraint": constraints}[kind]
            found[name] = module.serialize(value)
        return found


def activation_config(activation: Any) -> Any:
    return activations.serialize(activation)


def apply(activation: Any, x: Any) -> Any:
    """`activation(x)`, at no cost when it is None or linear."""
    return x if activation is None or activation is activations.linear else activation(x)
