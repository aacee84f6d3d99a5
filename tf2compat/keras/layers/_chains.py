"""What follows a convolution done along with it, where nothing differentiates: inference of image models (`_engine/fusing.py`)."""

from __future__ import annotations

from typing import Any

import torch

from tf2compat._engine.dtypes import FLOATS
from tf2compat._engine.fusing import ACTIVATIONS, NORMS, STARTS, Chain
from tf2compat._engine.op import Op, op, tensor
from tf2compat.math import elementwise
from tf2compat.nn import activations
from tf2compat.nn.convolution import convolved_and

__all__ = ["normalises", "starts"]

_T, _P = tensor(FLOATS, group="X"), tensor(FLOATS, group="P")
_ACTIVATIONS = {f.op.name: f.op for f in (activations.relu, activations.relu6, activations._silu, elementwise.sigmoid, elementwise.tanh)}
#: those that torch can do in place
_IN_PLACE = {"Relu": torch.relu_, "Relu6": lambda y: torch.clamp_(y, 0.0, 6.0)}
ACTIVATIONS.update(_ACTIVATIONS.values())


@op("FusedConv2D", x=_T, kernel=_T, bias=_T, mean=_P, variance=_P, gamma=_P, beta=_P)
def _convolved(
    start: Any, by_channel: bool, norm: Any, activation: Any, axes: Any, epsilon: float, x: Any, kernel: Any, strides: Any, padding: Any, rates: Any,
    first: bool, bias: Any = None, mean: Any = None, variance: Any = None, gamma: Any = None, beta: Any = None,
) -> Any:  # fmt: skip
    """The convolution of the op `start`, then the normalisation of `norm`, then an activation; None for one that there is not."""
    if not first and kernel.ndim == 4 and (norm is None or axes == (3,)):
        by = None if norm is None else (mean, variance, gamma, beta)
        y = convolved_and(x, kernel, strides, padding.upper(), rates, by_channel, bias, by, epsilon, activation)
        if y is not None:
            return y
    return _rest(start.call([x, kernel, strides, padding, rates, first, bias]), norm, activation, axes, epsilon, mean, variance, gamma, beta)


@op("FusedBatchNorm", x=_T, mean=_P, variance=_P, gamma=_P, beta=_P)
def _normalised(
    norm: Any, activation: Any, axes: Any, epsilon: float, x: Any, mean: Any, variance: Any, gamma: Any = None, beta: Any = None
) -> Any:
    """The normalisation of the op `norm`, then an activation."""
    return _rest(x, norm, activation, axes, epsilon, mean, variance, gamma, beta)


def _rest(x: Any, norm: Any, activation: Any, axes: Any, epsilon: float, mean: Any, variance: Any, gamma: Any, beta: Any) -> Any:
    if norm is not None:
        x = norm.call([x, mean, variance, axes, epsilon, gamma, beta])
    if activation in _IN_PLACE and not x.requires_grad and not torch._C._len_torch_dispatch_stack():
        return _IN_PLACE[activation](x)
    return x if activation is None else _ACTIVATIONS[activation].call([x])


def starts(op: Op, by_channel: bool) -> None:
    """Let chains begin with an op of `convolved`'s arguments; `by_channel`: a depthwise one."""

    def make(chain: Chain) -> tuple[Op, tuple[Any, ...]]:
        norm, _, mean, variance, axes, epsilon, gamma, beta = _parts(chain)
        assert chain.start is not None
        return _convolved.op, (op, by_channel, norm, _last(chain), axes, epsilon, *chain.start.args, mean, variance, gamma, beta)

    STARTS[op] = make


def normalises(op: Op) -> None:
    """Let an op be what follows a convolution: its arguments are (x, mean, variance, axes, epsilon, gamma, beta)."""

    def make(chain: Chain) -> tuple[Op, tuple[Any, ...]]:
        norm, x, mean, variance, axes, epsilon, gamma, beta = _parts(chain)
        return _normalised.op, (norm, _last(chain), axes, epsilon, x, mean, variance, gamma, beta)

    NORMS[op] = make


def _parts(chain: Chain) -> tuple[Any, ...]:
    if chain.norm is None:
        return None, None, None, None, None, 0.0, None, None
    return (chain.norm.op, *chain.norm.args)


def _last(chain: Chain) -> str | None:
    return None if chain.activation is None else chain.activation.op.name  # type: ignore[union-attr]
