"""The recurrences of SimpleRNN, GRU and LSTM over whole sequences: torch's fused kernels where they fit, steps elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import _len_torch_dispatch_stack

from tf2compat._engine import dtypes
from tf2compat._engine.bounds import clamp
from tf2compat._engine.dtypes import FLOATS
from tf2compat._engine.dtypes import bool as tf_bool
from tf2compat._engine.narrow import in_single
from tf2compat._engine.op import op, tensor
from tf2compat._engine.unfit import Unfit

from .. import activations

_REAL = (torch.Tensor, torch.nn.Parameter)
#: an LSTM over more steps is not compiled
_LONGEST = 32

_X = tensor(FLOATS)
_MASK = tensor(tf_bool, group="B")



def linear(x: Any) -> Any:
    """x itself."""
    return x


def hard_sigmoid(x: Any) -> Any:
    """x / 5 + 1/2 within [0, 1]."""
    return clamp(x * 0.2 + 0.5, 0.0, 1.0)


def softplus(x: Any) -> Any:
    """log(1 + e^x), x itself where that is all."""
    return F.softplus(x, 1.0, 35.0)


#: torch's form of the activations that an op can run by itself
TORCH_ACTIVATIONS: dict[Any, Callable[[Any], Any]] = {
    activations.tanh: torch.tanh,
    activations.sigmoid: torch.sigmoid,
    activations.relu: torch.relu,
    activations.linear: linear,
    activations.hard_sigmoid: hard_sigmoid,
    activations.softplus: softplus,
    activations.softsign: F.softsign,
    activations.elu: F.elu,
    activations.swish: F.silu,
    activations.exponential: torch.exp,
    activations.gelu: F.gelu,
}


def _prefix(mask: Any) -> bool:
    """Whether the mask [batch, time] keeps the first steps of each row only, so that one fused run serves all rows."""
    if mask.device.type == "meta" or _len_torch_dispatch_stack() or type(mask) is not torch.Tensor:
        return False
    return mask.shape[1] < 2 or bool((mask[:, 1:] <= mask[:, :-1]).all())


def _fused_weights(kernel: Any, recurrent: Any, b_in: Any, b_re: Any) -> tuple[Any, ...]:
    """What torch's fused kernels take; on a GPU in one piece of memory, in cuDNN's order, which would copy them otherwise.

    (cuDNN keeps what its gradient needs when it is told that it trains, so callers say that on a GPU.)
    """
    if not kernel.is_cuda:
        return kernel.t().contiguous(), recurrent.t().contiguous(), b_in, b_re
    parts = (kernel.t(), recurrent.t(), b_in, b_re)
    flat = torch.cat([p.reshape(-1) for p in parts])
    return tuple([f.view(p.shape) for f, p in zip(flat.split([p.numel() for p in parts]), parts, strict=True)])


def _unrolled(x: Any) -> bool:
    """Whether an LSTM on x [batch, time, in] is followed step by step; Unfit where it is too long for that.

    torch.compile gets the results of torch's fused kernels wrong: the memory that oneDNN's passes to its gradient has another size than
    it says beforehand, and in the place of cuDNN's it puts steps whose last state has a dimension more.
    """
    if type(x) in _REAL or x.device.type not in ("cpu", "cuda"):
        return False
    if type(x.shape[1]) is not int or x.shape[1] > _LONGEST:
        raise Unfit(f"an LSTM over {x.shape[1]} steps runs on a kernel that cannot be compiled")
    return True


def _steps(step: Any, parts: Any, states: Any, mask: Any, zero_output: bool, sequences: bool) -> Any:
    """Run `step(inputs of a step, states) -> output, states` along time; masked steps keep states and output."""
    length = parts.shape[1]
    found = []
    out = torch.zeros_like(states[0])
    for t in range(length):
        new, after = step(parts[:, t], states)
        if mask is not None:
            keep = mask[:, t].unsqueeze(1)
            new = torch.where(keep, new, torch.zeros_like(new) if zero_output else out)
            after = [torch.where(keep, a, b) for a, b in zip(after, states, strict=True)]
        out, states = new, after
        if sequences:
            found.append(out)
    whole = torch.stack(found, 1) if sequences and found else out.unsqueeze(1)[:, :0] if sequences else out
    return whole, states


def _after_fused(y: Any, h0: Any, mask: Any, zero_output: bool, sequences: bool) -> tuple[Any, Any]:
    """Output and last state of a fused run [batch, time, units] under a prefix mask."""
    lengths = mask.sum(1)
    index = (lengths - 1).clamp(min=0)
    last = y.gather(1, index.reshape(-1, 1, 1).expand(-1, 1, y.shape[2])).squeeze(1)
    empty = (lengths == 0).unsqueeze(1)
    held = torch.where(empty, torch.zeros_like(last), last)
    if sequences:
        rest = torch.zeros_like(held) if zero_output else held
        out = torch.where(mask.unsqueeze(2), y, rest.unsqueeze(1))
    else:
        full = (lengths == mask.shape[1]).unsqueeze(1)
        out = torch.where(full, held, torch.zeros_like(held)) if zero_output else held
    return out, torch.where(empty, h0, last)


def _in_time(x: Any, mask: Any, backwards: bool, time_major: bool) -> tuple[Any, Any]:
    if time_major:
        x = x.transpose(0, 1)
        mask = None if mask is None else mask.transpose(0, 1)
    if mask is not None and mask.ndim == 3:
        mask = mask[:, :, 0]
    if backwards:
        x = x.flip(1)
        mask = None if mask is None else mask.flip(1)
    return x, mask


def _single(x: Any) -> bool:
    """Whether there is one step to do, as in a decoder: on a CPU, arranging the weights for torch's kernel takes longer than the step."""
    return x.device.type == "cpu" and x.shape[1] == 1


@op("KerasLSTM", multi=True, x=_X, h=_X, c=_X, kernel=_X, recurrent=_X, bias=_X, mask=_MASK)
@in_single
def lstm(
    x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, activation: Any, gate: Any, sequences: bool, backwards: bool, time_major: bool,
    zero_output: bool, need_cell: bool, bias: Any = None, mask: Any = None,
) -> Any:  # fmt: skip
    """Output ([batch, time, units] or the last one), h and c of an LSTM over x [batch, time, in]; gates in the order i, f, c, o."""
    x, mask = _in_time(x, mask, backwards, time_major)
    plain = activation is torch.tanh and gate is torch.sigmoid and x.shape[1] != 0 and not _unrolled(x) and not _single(x)
    if plain and (mask is None or (not need_cell and _prefix(mask))):
        b = bias if bias is not None else kernel.new_zeros(kernel.shape[1])
        weights = _fused_weights(kernel, recurrent, b, torch.zeros_like(b))
        y, hn, cn = torch.lstm(x, (h.unsqueeze(0), c.unsqueeze(0)), weights, True, 1, 0.0, x.is_cuda, False, True)
        hn, cn = hn[0], cn[0]
        if mask is not None:
            out, hn = _after_fused(y, h, mask, zero_output, sequences)
        else:
            out = y if sequences else hn
    else:

        def step(z: Any, states: Any) -> Any:
            z = z + states[0] @ recurrent
            i, f, g, o = z.chunk(4, 1)
            cell = gate(f) * states[1] + gate(i) * activation(g)
            new = gate(o) * activation(cell)
            return new, [new, cell]

        out, (hn, cn) = _steps(step, F.linear(x, kernel.t(), bias), [h, c], mask, zero_output, sequences)
    if sequences and time_major:
        out = out.transpose(0, 1)
    return out, hn, cn


def _shapes(x: Any, recurrent: Any, sequences: bool, time_major: bool, states: int) -> Any:
    """Shapes of outputs and states, without walking through the steps. How many units there are the weights say: a state may be made for
    inputs of which nothing is known."""
    kind = dtypes.of(x)
    batch, time = (x.shape[1], x.shape[0]) if time_major else x.shape[:2]
    units = recurrent.shape[0]
    one = (batch, units)
    out = ((time, *one) if time_major else (batch, time, units)) if sequences else one
    return [(kind, out)] + [(kind, one)] * states


@lstm.infer
def _(
    x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, activation: Any, gate: Any, sequences: bool, backwards: bool, time_major: bool,
    zero_output: bool, need_cell: bool, bias: Any = None, mask: Any = None,
) -> Any:  # fmt: skip
    return _shapes(x, recurrent, sequences, time_major, 2)


def _gru_order(w: Any) -> Any:
    """Keras' gates (z, r, h) in torch's order (r, z, h), along the last dimension."""
    z, r, h = w.chunk(3, -1)
    return torch.cat((r, z, h), -1)


@op("KerasGRU", multi=True, x=_X, h=_X, kernel=_X, recurrent=_X, bias=_X, mask=_MASK)
@in_single
def gru(
    x: Any, h: Any, kernel: Any, recurrent: Any, activation: Any, gate: Any, sequences: bool, backwards: bool, time_major: bool,
    zero_output: bool, reset_after: bool, bias: Any = None, mask: Any = None,
) -> Any:  # fmt: skip
    """Output and state of a GRU over x [batch, time, in]; gates in the order z, r, h; bias [2, 3 units] with `reset_after`."""
    x, mask = _in_time(x, mask, backwards, time_major)
    plain = reset_after and activation is torch.tanh and gate is torch.sigmoid and x.shape[1] != 0 and not _single(x)
    units = h.shape[1]
    if plain and (mask is None or _prefix(mask)):
        if bias is None:
            b_in = b_re = kernel.new_zeros(kernel.shape[1])
        else:
            b_in, b_re = _gru_order(bias[0]), _gru_order(bias[1])
        weights = _fused_weights(_gru_order(kernel), _gru_order(recurrent), b_in, b_re)
        y, hn = torch.gru(x, h.unsqueeze(0), weights, True, 1, 0.0, x.is_cuda, False, True)
        hn = hn[0]
        if mask is not None:
            out, hn = _after_fused(y, h, mask, zero_output, sequences)
        else:
            out = y if sequences else hn
    else:
        b_in = None if bias is None else bias[0] if reset_after else bias
        b_re = bias[1] if bias is not None and reset_after else None

        def step(z: Any, states: Any) -> Any:
            before = states[0]
            if reset_after:
                inner = F.linear(before, recurrent.t(), b_re)
                update = gate(z[:, :units] + inner[:, :units])
                reset = gate(z[:, units : 2 * units] + inner[:, units : 2 * units])
                new = activation(z[:, 2 * units :] + reset * inner[:, 2 * units :])
            else:
                inner = before @ recurrent[:, : 2 * units]
                update = gate(z[:, :units] + inner[:, :units])
                reset = gate(z[:, units : 2 * units] + inner[:, units:])
                new = activation(z[:, 2 * units :] + (reset * before) @ recurrent[:, 2 * units :])
            new = update * before + (1 - update) * new
            return new, [new]

        out, (hn,) = _steps(step, F.linear(x, kernel.t(), b_in), [h], mask, zero_output, sequences)
    if sequences and time_major:
        out = out.transpose(0, 1)
    return out, hn


@gru.infer
def _(
    x: Any, h: Any, kernel: Any, recurrent: Any, activation: Any, gate: Any, sequences: bool, backwards: bool, time_major: bool,
    zero_output: bool, reset_after: bool, bias: Any = None, mask: Any = None,
) -> Any:  # fmt: skip
    return _shapes(x, recurrent, sequences, time_major, 1)


@op("KerasSimpleRNN", multi=True, x=_X, h=_X, kernel=_X, recurrent=_X, bias=_X, mask=_MASK)
@in_single
def simple(
    x: Any, h: Any, kernel: Any, recurrent: Any, activation: Any, sequences: bool, backwards: bool, time_major: bool, zero_output: bool,
    bias: Any = None, mask: Any = None,
) -> Any:  # fmt: skip
    """Output and state of activation(x @ kernel + bias + h @ recurrent) over x [batch, time, in]."""
    x, mask = _in_time(x, mask, backwards, time_major)
    fused = {torch.tanh: torch.rnn_tanh, torch.relu: torch.rnn_relu}.get(activation)
    if fused is not None and x.shape[1] != 0 and (mask is None or _prefix(mask)):
        b = bias if bias is not None else kernel.new_zeros(kernel.shape[1])
        weights = _fused_weights(kernel, recurrent, b, torch.zeros_like(b)) if x.is_cuda else (kernel.t(), recurrent.t(), b, torch.zeros_like(b))
        y, hn = fused(x, h.unsqueeze(0), weights, True, 1, 0.0, x.is_cuda, False, True)
        hn = hn[0]
        if mask is not None:
            out, hn = _after_fused(y, h, mask, zero_output, sequences)
        else:
            out = y if sequences else hn
    else:

        def step(z: Any, states: Any) -> Any:
            new = activation(z + states[0] @ recurrent)
            return new, [new]

        out, (hn,) = _steps(step, F.linear(x, kernel.t(), bias), [h], mask, zero_output, sequences)
    if sequences and time_major:
        out = out.transpose(0, 1)
    return out, hn


@simple.infer
def _(
    x: Any, h: Any, kernel: Any, recurrent: Any, activation: Any, sequences: bool, backwards: bool, time_major: bool, zero_output: bool,
    bias: Any = None, mask: Any = None,
) -> Any:  # fmt: skip
    return _shapes(x, recurrent, sequences, time_major, 1)
