"""`tf.raw_ops`: TensorFlow's ops by their own names, called with keywords.

They are the ops that graphs which TensorFlow wrote are run from (the port `raw_ops`), those whose parameters have the op's own names in the
public function, and a few that libraries use and that have neither. The others raise AttributeError.
"""

from __future__ import annotations

import collections
import functools
import importlib
import inspect
from collections.abc import Callable
from typing import Any

import torch

from tf2compat import _ports
from tf2compat._engine.dtypes import FLOATS, int32, int64
from tf2compat._engine.op import OPS, op, tensor
from tf2compat._names import missing

__all__ = ["BroadcastGradientArgs", "CudnnRNN", "FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3", "IgammaGradA", "MatrixDiagPartV2", "RandomGammaGrad"]

_MODULES = (
    "math", "nn", "linalg", "bitwise", "_top.arrays", "_top.arithmetic", "_top.creation", "_top.gathering", "_top.joining", "_top.ordering",
    "_top.scattering", "_top.shaping",
)  # fmt: skip


@op("RandomGammaGrad", alpha=tensor(FLOATS), sample=tensor(FLOATS))
def _random_gamma_grad(alpha: Any, sample: Any) -> Any:
    alpha, sample = torch.broadcast_tensors(alpha, sample)
    return torch._standard_gamma_grad(alpha.contiguous(), sample.contiguous())


@op("IgammaGradA", a=tensor(FLOATS), x=tensor(FLOATS))
def _igamma_grad_a(a: Any, x: Any) -> Any:
    # a sample x(a) keeps P(a, x) fixed, so dP/da = -dP/dx · dx/da
    a, x = torch.broadcast_tensors(a, x)
    density = torch.exp(torch.special.xlogy(a - 1, x) - x - torch.lgamma(a))
    return -torch._standard_gamma_grad(a.contiguous(), x.contiguous()) * density


@op("BroadcastGradientArgs", multi=True, s0=tensor((int32, int64)), s1=tensor((int32, int64)))
def _broadcast_gradient_args(s0: Any, s1: Any) -> Any:
    a, b = s0.tolist(), s1.tolist()
    rank = max(len(a), len(b))
    a, b = [1] * (rank - len(a)) + a, [1] * (rank - len(b)) + b
    axes = [[i for i in range(rank) if mine[i] == 1 and (other[i] != 1 or i < rank - own)] for mine, other, own in ((a, b, len(s0)), (b, a, len(s1)))]
    return [torch.tensor(x, dtype=s0.dtype, device=s0.device) for x in axes]


def BroadcastGradientArgs(s0: Any, s1: Any, name: str | None = None) -> Any:
    """The axes over which gradients of broadcast operands of shapes `s0` and `s1` are summed: two integer vectors."""
    return _broadcast_gradient_args(s0, s1)


def IgammaGradA(a: Any, x: Any, name: str | None = None) -> Any:
    """The derivative of `tf.math.igamma` in its first argument."""
    return _igamma_grad_a(a, x)


def RandomGammaGrad(alpha: Any, sample: Any, name: str | None = None) -> Any:
    """The derivative of a gamma distributed sample in the distribution's `alpha`."""
    return _random_gamma_grad(alpha, sample)


def MatrixDiagPartV2(input: Any, k: Any, padding_value: Any, name: str | None = None) -> Any:  # noqa: A002 - the op's name
    """`tf.linalg.diag_part`, with its diagonals to the left."""
    from tf2compat import linalg

    return linalg.diag_part(input, k=k, padding_value=padding_value, align="LEFT_LEFT")


def _fused_batch_norm(name: str, last: tuple[str, ...]) -> Callable[..., Any]:
    fields = ("y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2", *last)
    result = collections.namedtuple(name, fields)  # type: ignore[misc]

    def call(
        x: Any, scale: Any, offset: Any, mean: Any, variance: Any, epsilon: float = 1e-4, exponential_avg_factor: float = 1.0,
        data_format: str = "NHWC", is_training: bool = True, name: str | None = None,
    ) -> Any:  # fmt: skip
        import tf2compat as tf
        from tf2compat.nn.normalization import fused_batch_norm

        x = tf.convert_to_tensor(x)
        parameters = [tf.convert_to_tensor(v, tf.float32) for v in (scale, offset, mean, variance)]
        out = fused_batch_norm(x, *parameters, epsilon, exponential_avg_factor, data_format, is_training)
        return result(*out, *[tf.constant(0.0) for _ in last])

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"The op {name}: batch normalisation of images, and the statistics."
    return call


FusedBatchNorm = _fused_batch_norm("FusedBatchNorm", ())
FusedBatchNormV2 = _fused_batch_norm("FusedBatchNormV2", ())
FusedBatchNormV3 = _fused_batch_norm("FusedBatchNormV3", ("reserve_space_3",))


def CudnnRNN(
    input: Any, input_h: Any, input_c: Any, params: Any, rnn_mode: str = "lstm", input_mode: str = "linear_input",
    direction: str = "unidirectional", dropout: float = 0.0, seed: int = 0, seed2: int = 0, is_training: bool = True, name: str | None = None,
) -> Any:  # noqa: A002 - the op's name  # fmt: skip
    """A stack of recurrent layers over `input` [time, batch, features]: the outputs and the last states."""
    from tf2compat.nn.cudnn import cudnn_rnn

    if input_mode not in ("linear_input", "auto_select"):
        raise ValueError(f"CudnnRNN: input_mode {input_mode!r} is not supported by tf2compat")
    if rnn_mode not in ("lstm", "gru", "rnn_tanh", "rnn_relu"):
        raise ValueError(f"Value for attr 'rnn_mode' of {rnn_mode!r} is not in the list of allowed values: rnn_relu, rnn_tanh, lstm, gru")
    if direction not in ("unidirectional", "bidirectional"):
        raise ValueError(f"Value for attr 'direction' of {direction!r} is not in the list of allowed values: unidirectional, bidirectional")
    if dropout and (seed or seed2):
        raise ValueError("CudnnRNN: dropout with a seed is not supported by tf2compat")
    out, h, c = cudnn_rnn(input, input_h, input_c, params, rnn_mode, 2 if direction == "bidirectional" else 1, float(dropout), is_training)
    return _CudnnRNN(out, h, c, out[:0])


_CudnnRNN = collections.namedtuple("CudnnRNN", ("output", "output_h", "output_c", "reserve_space"))


@functools.cache
def _by_name() -> dict[str, Any]:
    for module in _MODULES:
        importlib.import_module(f"tf2compat.{module}")
    return {o.name: o for o in OPS.values()}


def __getattr__(name: str) -> Callable[..., Any]:
    if name.startswith("_"):
        raise missing("tf.raw_ops", name)
    raw = _ports.load("raw_ops", "tensorflow").find(name)
    found = _by_name().get(name) if raw is None else None
    if raw is None and found is None:
        raise missing("tf.raw_ops", name)
    if raw is not None:
        return raw

    def call(**kwargs: Any) -> Any:
        return found.public(**kwargs)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"The op {name}, of {', '.join(found.params)}."
    call.__signature__ = inspect.Signature([p.replace(kind=p.KEYWORD_ONLY) for p in inspect.signature(found.public).parameters.values()])
    return call


def __dir__() -> list[str]:
    return sorted({*__all__, *_ports.load("raw_ops", "tensorflow").names(), *_by_name()})
