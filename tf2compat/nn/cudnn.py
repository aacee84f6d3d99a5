"""The recurrent ops of TensorFlow's GPU kernels, on torch's fused ones, which run on every device.

Parameters are one vector as cuDNN lays it out: for each layer and direction the weights of the input and of the state, all gates
one below the other; then in the same order the two biases. The gates' order is torch's too.
"""

from __future__ import annotations

from typing import Any

import torch

from .._engine.dtypes import FLOATS
from .._engine.op import invalid, op, tensor

_FUSED = {"lstm": torch._VF.lstm, "gru": torch._VF.gru, "rnn_tanh": torch._VF.rnn_tanh, "rnn_relu": torch._VF.rnn_relu}
_GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}


def _weights(params: Any, mode: str, count: int, inputs: int, units: int, directions: int) -> list[Any]:
    """torch's weights of each layer and direction: [input, state, bias, bias]."""
    rows = _GATES[mode] * units
    widths = [inputs if i < directions else units * directions for i in range(count)]
    sizes = [n for w in widths for n in (rows * w, rows * units)] + [rows] * (2 * count)
    if sum(sizes) != params.numel():
        raise invalid(f"CudnnRNN's params have {params.numel()} elements, expected {sum(sizes)} [Op:CudnnRNN] name: ")
    parts = torch.split(params, sizes)
    out: list[Any] = []
    for i, width in enumerate(widths):
        out += [parts[2 * i].reshape(rows, width), parts[2 * i + 1].reshape(rows, units), *parts[2 * count + 2 * i : 2 * count + 2 * i + 2]]
    return out


@op(
    "CudnnRNN", multi=True, input=tensor(FLOATS), input_h=tensor(FLOATS), input_c=tensor(FLOATS), params=tensor(FLOATS)
)  # fmt: skip
def cudnn_rnn(input: Any, input_h: Any, input_c: Any, params: Any, rnn_mode: str, directions: int, dropout: float, training: bool) -> Any:
    """output [time, batch, units · directions], output_h and output_c [layers · directions, batch, units]."""
    count, _, units = input_h.shape
    weights = _weights(params, rnn_mode, count, input.shape[2], units, directions)
    state = [input_h, input_c] if rnn_mode == "lstm" else input_h
    if not training:
        dropout = 0.0  # cuDNN gives gradients only where it is told that it trains
    out = _FUSED[rnn_mode](input, state, weights, True, count // directions, dropout, training or input.is_cuda, directions == 2, False)
    return list(out) if rnn_mode == "lstm" else [*out, torch.zeros_like(input_c)]
