"""What TensorFlow says of windows that are larger than what they slide over."""

from __future__ import annotations

from typing import Any

#: ops whose windows slide over their first tensor
SLIDING = frozenset((
    "Conv1D", "Conv2D", "Conv3D", "ConvBias", "DepthwiseConv2dNative", "DepthwiseConvBias", "SeparableConvBias", "KerasMaxPool", "KerasAvgPool",
    "MaxPool", "MaxPool1D", "MaxPool3D", "AvgPool", "AvgPool1D", "AvgPool3D",
))  # fmt: skip


def left_nothing(given: dict[str, Any], dims: Any, found: Any) -> str | None:
    """The complaint about a known size of which nothing is left; None where something is, or nothing was.

    `given` are the op's arguments, `dims` the first tensor's sizes and `found` the result's.
    """
    if not found or not dims or len(found) != len(dims):
        return None
    for i, (size, left) in enumerate(zip(dims, found, strict=True)):
        if left == 0 and size:
            window = next((given[k] for k in ("kernel", "filters", "filter", "window", "ksize") if k in given), None)
            if window is None:
                return None
            if hasattr(window, "shape"):
                sizes = window.shape.as_list()[:-2]
            else:
                sizes = [window] if isinstance(window, int) else list(window)
            rates = next((given[k] for k in ("rates", "dilations") if given.get(k) is not None), 1)
            rates = [rates] if isinstance(rates, int) else list(rates)
            first = bool(given.get("first")) or str(given.get("data_format") or "").startswith("NC")
            at = i - (2 if first else 1)
            k = sizes[i] if len(sizes) == len(dims) else sizes[0] if len(sizes) == 1 else sizes[at]
            r = rates[i] if len(rates) == len(dims) else rates[0] if len(rates) == 1 else rates[at]
            if k is None:
                return None
            return f"Negative dimension size caused by subtracting {(k - 1) * r + 1} from {size}"
    return None
