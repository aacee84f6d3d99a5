"""The update formulas of Keras 2's optimizers, as ops that change variables in place.

Every rule gets the variables, their slots and the gradients as parallel lists. Scalars that change from step to step (the learning
rate, the step) arrive as variables, so that a recorded graph reads them anew each time; on the CPU their values are taken to
the host, in float32 as TensorFlow computes with them, elsewhere they stay tensors.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from tf2compat._engine.devices import on_host as _on_host
from tf2compat._engine.held import changed
from tf2compat._engine.op import ANY, TENSORS, VARIABLE, VARIABLES, op
from tf2compat._engine.recording import recorder
from tf2compat._engine.slices import within
from tf2compat._engine.variable import owned as _owned

_ONE = np.float32(1)
_NO_CORRECTION: dict[Any, torch.Tensor] = {}


def _scalar(variable: Any, dtype: torch.dtype) -> Any:
    """A variable's value as a NumPy scalar of the computation's precision, or the tensor itself."""
    t = variable._t
    if _on_host(t):
        return np.float64(t.item()) if dtype is torch.float64 else np.float32(t.item())
    return t.to(dtype)


def _const(value: Any, like: Any) -> Any:
    return type(like)(value) if isinstance(like, np.floating) else torch.as_tensor(value, dtype=like.dtype, device=like.device)


def _number(x: Any) -> Any:
    return float(x) if isinstance(x, np.floating) else x


def _sqrt(x: Any) -> Any:
    return np.sqrt(x) if isinstance(x, np.floating) else torch.sqrt(x)


def _plain(grads: Any) -> list[torch.Tensor]:
    return [g.detach() if g.requires_grad else g for g in grads]


def _owned_dense(variables: Any) -> list[torch.Tensor]:
    """Storages for torch's fused kernels, which walk all their arguments in memory's order."""
    found = _owned(variables)
    for i, t in enumerate(found):
        if not t.is_contiguous():
            found[i] = variables[i]._t = t.contiguous()
    return found


def _axpy(xs: list[torch.Tensor], ys: Any, a: Any) -> None:
    """xs += a * ys"""
    if isinstance(a, torch.Tensor):
        torch._foreach_add_(xs, torch._foreach_mul(ys, a))
    else:
        torch._foreach_add_(xs, ys, alpha=float(a))


def _step(iterations: Any, dtype: torch.dtype, add: int = 1) -> Any:
    t = iterations._t
    if _on_host(t):
        return np.float64(t.item() + add) if dtype is torch.float64 else np.float32(t.item() + add)
    return (t + add).to(dtype)


#: the bias corrections of Adam for some steps ahead: computed one after the other they cost a tenth of what they do in between other work
_AHEAD: dict[Any, list[Any]] = {}
_STEPS = 16


def _corrections(beta_1: float, beta_2: float, kind: Any, step: int) -> Any:
    """√(1 - beta_2^step) and 1 - beta_1^step, computed in the precision `kind`."""
    key = (beta_1, beta_2, kind, step // _STEPS)
    found = _AHEAD.get(key)
    if found is None:
        one, b1, b2 = kind(1), kind(beta_1), kind(beta_2)
        first = step // _STEPS * _STEPS
        steps = [kind(max(n, 1)) for n in range(first, first + _STEPS)]
        found = [(np.sqrt(one - b2**n), one - b1**n) for n in steps]
        if len(_AHEAD) >= 64:
            _AHEAD.clear()
        _AHEAD[key] = found
    return found[step % _STEPS]


def _adam_rate(lr: Any, iterations: Any, dtype: torch.dtype, beta_1: Any, beta_2: Any) -> Any:
    """The rate with Adam's bias corrections, in the computation's precision."""
    if _on_host(iterations._t) and _on_host(lr._t):
        kind = np.float64 if dtype is torch.float64 else np.float32
        root, rest = _corrections(float(beta_1), float(beta_2), kind, iterations._t.item() + 1)
        return kind(kind(lr._t.item()) * root) / rest
    step = _step(iterations, dtype)
    one = _const(1, step)
    return _scalar(lr, dtype) * _sqrt(one - _const(beta_2, step) ** step) / (one - _const(beta_1, step) ** step)


@op("ResourceApplyGradientDescent", stateful=True, variables=VARIABLES, grads=TENSORS, lr=VARIABLE)
def sgd(variables: Any, grads: Any, lr: Any) -> None:
    rate = _scalar(lr, grads[0].dtype)
    _axpy(_owned(variables), _plain(grads), -rate)


@op("ResourceApplyKerasMomentum", stateful=True, variables=VARIABLES, momentums=VARIABLES, grads=TENSORS, lr=VARIABLE)
def sgd_momentum(variables: Any, momentums: Any, grads: Any, lr: Any, momentum: Any, nesterov: Any) -> None:
    rate = _scalar(lr, grads[0].dtype)
    grads, ps, ms = _plain(grads), _owned(variables), _owned(momentums)
    torch._foreach_mul_(ms, float(momentum))
    _axpy(ms, grads, -rate)
    if nesterov:
        _axpy(ps, grads, -rate)
        _axpy(ps, ms, momentum)
    else:
        torch._foreach_add_(ps, ms)


@op("ResourceApplyAdam", stateful=True, variables=VARIABLES, ms=VARIABLES, vs=VARIABLES, hats=VARIABLES, grads=TENSORS, lr=VARIABLE, iterations=VARIABLE)  # fmt: skip
def adam(variables: Any, ms: Any, vs: Any, hats: Any, grads: Any, lr: Any, iterations: Any, beta_1: Any, beta_2: Any, epsilon: Any, adaptive: Any = False) -> None:
    dtype = grads[0].dtype
    alpha = None if adaptive else _adam_rate(lr, iterations, dtype, beta_1, beta_2)
    if torch._C._len_torch_dispatch_stack() and not adaptive and recorder() is None:  # a compiler follows: it fuses the formula
        for i, (p, g, m, v) in enumerate(zip(_owned(variables), _plain(grads), _owned(ms), _owned(vs), strict=True)):
            m.lerp_(g, 1.0 - beta_1)
            v.mul_(beta_2).addcmul_(g, g, value=1.0 - beta_2)
            if hats:
                torch.maximum(hats[i]._own(), v, out=hats[i]._t)
            p.sub_(alpha * m / (torch.sqrt(hats[i]._t if hats else v) + epsilon))
        return
    _fused_adam(
        _owned_dense(variables), [g.contiguous() for g in _plain(grads)], _owned_dense(ms), _owned_dense(vs), _owned_dense(hats),
        *_adam_step(lr, iterations, alpha, grads[0]), beta_1, beta_2, epsilon,
    )  # fmt: skip


def _adam_step(lr: Any, iterations: Any, alpha: Any, like: torch.Tensor) -> tuple[Any, torch.Tensor]:
    """The rate and the step for torch's kernel."""
    if alpha is None:  # torch's own way of correcting
        step = _step(iterations, like.dtype)
        return _scalar(lr, like.dtype), torch.as_tensor(step, dtype=torch.float32, device=like.device)
    # torch's own bias correction vanishes at an endless step: the factor is in alpha, where Keras has it
    key = (like.device, torch.float32)
    forever = _NO_CORRECTION.get(key)
    if forever is None or torch._C._len_torch_dispatch_stack():
        forever = torch.tensor(1e18, dtype=torch.float32, device=like.device)
        if not torch._C._len_torch_dispatch_stack():
            _NO_CORRECTION[key] = forever
    return alpha, forever


def _fused_adam(ps: Any, gs: Any, ms: Any, vs: Any, hats: Any, rate: Any, step: Any, beta_1: Any, beta_2: Any, epsilon: Any) -> None:
    if isinstance(rate, torch.Tensor) and rate.device != ps[0].device:
        rate = rate.to(ps[0].device)
    changed(ps)  # which torch's kernel does not count
    torch._fused_adam_(
        ps, gs, ms, vs, hats, [step] * len(ps), lr=_number(rate), beta1=beta_1, beta2=beta_2, weight_decay=0.0, eps=epsilon,
        amsgrad=bool(hats), maximize=False,
    )  # fmt: skip


#: elements of a table that are updated at a time, so that the gradient's zeros stay in the cache
_PIECE = 2**18


@op("ResourceSparseApplyAdam", stateful=True, variables=VARIABLES, ms=VARIABLES, vs=VARIABLES, hats=VARIABLES, values=ANY, indices=ANY, lr=VARIABLE, iterations=VARIABLE)  # fmt: skip
def adam_of_rows(variables: Any, ms: Any, vs: Any, hats: Any, values: Any, indices: Any, lr: Any, iterations: Any, beta_1: Any, beta_2: Any, epsilon: Any, adaptive: Any = False) -> None:
    """Adam for one variable and a gradient of rows: all state decays, as with zeros in the other rows, which are not made as a whole."""
    table = variables[0]._t
    values, indices = within(values.detach(), indices, table.shape[0])
    piece = max(1, _PIECE // max(1, table[:1].numel()))
    whole = table.device.type != "cpu" or torch._C._len_torch_dispatch_stack() or table.shape[0] <= piece
    shape = table.shape
    del table  # whoever holds the memory keeps it from being written in place
    if whole:
        grad = values.new_zeros(shape).index_add_(0, indices.long(), values)
        adam.op.fn(variables, ms, vs, hats, [grad], lr, iterations, beta_1, beta_2, epsilon, adaptive)
        return
    dtype = values.dtype
    alpha = None if adaptive else _adam_rate(lr, iterations, dtype, beta_1, beta_2)
    rate, at_step = _adam_step(lr, iterations, alpha, values)
    numbers, at = torch.unique(indices, return_inverse=True)
    summed = values.new_zeros((numbers.numel(), *values.shape[1:])).index_add_(0, at, values)
    held = [_owned_dense(v) for v in (variables, ms, vs, hats)]
    count = held[0][0].shape[0]
    starts = list(range(0, count, piece))
    bounds = torch.searchsorted(numbers, torch.tensor([*starts, count], dtype=numbers.dtype)).tolist()
    zeros = values.new_zeros((piece, *values.shape[1:]))
    for start, low, high in zip(starts, bounds, bounds[1:], strict=False):
        size = min(piece, count - start)
        grad = zeros[:size]
        rows = (numbers[low:high] - start).long()
        if high > low:
            grad.index_copy_(0, rows, summed[low:high])
        p, m, v, hat = [[t.narrow(0, start, size) for t in ts] for ts in held]
        _fused_adam(p, [grad], m, v, hat, rate, at_step, beta_1, beta_2, epsilon)
        if high > low:
            grad.index_fill_(0, rows, 0)


@op("ResourceApplyKerasRMSProp", stateful=True, variables=VARIABLES, velocities=VARIABLES, momentums=VARIABLES, averages=VARIABLES, grads=TENSORS, lr=VARIABLE)  # fmt: skip
def rmsprop(variables: Any, velocities: Any, momentums: Any, averages: Any, grads: Any, lr: Any, rho: Any, momentum: Any, epsilon: Any) -> None:
    rate = _scalar(lr, grads[0].dtype)
    grads, ps, vs = _plain(grads), _owned(variables), _owned(velocities)
    torch._foreach_mul_(vs, rho)
    torch._foreach_addcmul_(vs, grads, grads, 1 - rho)
    if averages:
        means = _owned(averages)
        torch._foreach_mul_(means, rho)
        torch._foreach_add_(means, grads, alpha=1 - rho)
        bottom = torch._foreach_sub(vs, torch._foreach_mul(means, means))
        torch._foreach_add_(bottom, epsilon)
    else:
        bottom = torch._foreach_add(vs, epsilon)
    steps = torch._foreach_div(grads, torch._foreach_sqrt(bottom))
    if momentums:
        ms = _owned(momentums)
        torch._foreach_mul_(ms, float(momentum))
        _axpy(ms, steps, rate)
        torch._foreach_sub_(ps, ms)
    else:
        _axpy(ps, steps, -rate)


@op("ResourceApplyKerasAdagrad", stateful=True, variables=VARIABLES, accumulators=VARIABLES, grads=TENSORS, lr=VARIABLE)
def adagrad(variables: Any, accumulators: Any, grads: Any, lr: Any, epsilon: Any) -> None:
    rate = _scalar(lr, grads[0].dtype)
    grads, sums = _plain(grads), _owned(accumulators)
    torch._foreach_addcmul_(sums, grads, grads, 1.0)
    bottom = torch._foreach_add(sums, epsilon)
    _axpy(_owned(variables), torch._foreach_div(grads, torch._foreach_sqrt(bottom)), -rate)


@op("ResourceApplyKerasAdadelta", stateful=True, variables=VARIABLES, squares=VARIABLES, deltas=VARIABLES, grads=TENSORS, lr=VARIABLE)
def adadelta(variables: Any, squares: Any, deltas: Any, grads: Any, lr: Any, rho: Any, epsilon: Any) -> None:
    rate = _scalar(lr, grads[0].dtype)
    grads, gs, ds = _plain(grads), _owned(squares), _owned(deltas)
    torch._foreach_mul_(gs, rho)
    torch._foreach_addcmul_(gs, grads, grads, 1 - rho)
    top = torch._foreach_sqrt(torch._foreach_add(ds, epsilon))
    steps = torch._foreach_div(torch._foreach_mul(top, grads), torch._foreach_sqrt(torch._foreach_add(gs, epsilon)))
    torch._foreach_mul_(ds, rho)
    torch._foreach_addcmul_(ds, steps, steps, 1 - rho)
    _axpy(_owned(variables), steps, -rate)


@op("ResourceApplyAdaMax", stateful=True, variables=VARIABLES, ms=VARIABLES, us=VARIABLES, grads=TENSORS, lr=VARIABLE, iterations=VARIABLE)
def adamax(variables: Any, ms: Any, us: Any, grads: Any, lr: Any, iterations: Any, beta_1: Any, beta_2: Any, epsilon: Any) -> None:
    dtype = grads[0].dtype
    step = _step(iterations, dtype)
    rate = _scalar(lr, dtype) / (_const(1, step) - _const(beta_1, step) ** step)
    grads, moments, norms = _plain(grads), _owned(ms), _owned(us)
    torch._foreach_lerp_(moments, grads, 1 - beta_1)
    torch._foreach_mul_(norms, beta_2)
    torch._foreach_maximum_(norms, torch._foreach_abs(grads))
    _axpy(_owned(variables), torch._foreach_div(moments, torch._foreach_add(norms, epsilon)), -rate)


@op("ResourceApplyKerasNadam", stateful=True, variables=VARIABLES, ms=VARIABLES, vs=VARIABLES, product=VARIABLE, grads=TENSORS, lr=VARIABLE, iterations=VARIABLE)  # fmt: skip
def nadam(
    variables: Any, ms: Any, vs: Any, product: Any, grads: Any, lr: Any, iterations: Any, beta_1: Any, beta_2: Any, epsilon: Any, counters: Any
) -> None:
    """`counters`: for each variable the step, plus two, at which it takes the product of momenta as it is; else it multiplies it.

    One counter for all variables: None, or -1 to take the product as it is.
    """
    dtype = grads[0].dtype
    step, following = _step(iterations, dtype), _step(iterations, dtype, 2)
    rate = _scalar(lr, dtype)
    half, decay, b1, one = _const(0.5, step), _const(0.96, step), _const(beta_1, step), _const(1, step)
    u = b1 * (one - half * decay**step)
    u_next = b1 * (one - half * decay**following)
    so_far, products = _scalar(product, dtype), []
    for counter in counters:
        factor = u
        if counter is not None:
            same = following == counter if counter >= 0 else True
            factor = torch.where(same, one, u) if isinstance(same, torch.Tensor) else one if same else u
        so_far = so_far * factor
        products.append(so_far)
    product._own().copy_(torch.as_tensor(_number(so_far), dtype=product._t.dtype))
    grads, moments, squares = _plain(grads), _owned(ms), _owned(vs)
    torch._foreach_lerp_(moments, grads, 1 - beta_1)
    torch._foreach_mul_(squares, beta_2)
    torch._foreach_addcmul_(squares, grads, grads, 1 - beta_2)
    if len(products) == 1:
        top = torch._foreach_mul(moments, _number(u_next / (one - so_far * u_next)))
        _axpy(top, grads, (one - u) / (one - so_far))
    else:
        top = torch._foreach_mul(moments, [_number(u_next / (one - p * u_next)) for p in products])
        torch._foreach_add_(top, torch._foreach_mul(grads, [_number((one - u) / (one - p)) for p in products]))
    bottom = torch._foreach_sqrt(torch._foreach_div(squares, _number(one - _const(beta_2, step) ** step)))
    torch._foreach_add_(bottom, epsilon)
    _axpy(_owned(variables), torch._foreach_div(top, bottom), -rate)


@op("ResourceApplyFtrlV2", stateful=True, variables=VARIABLES, accumulators=VARIABLES, linears=VARIABLES, grads=TENSORS, lr=VARIABLE)
def ftrl(variables: Any, accumulators: Any, linears: Any, grads: Any, lr: Any, power: Any, l1: Any, l2: Any, shrinkage: Any, beta: Any) -> None:
    rate = _number(_scalar(lr, grads[0].dtype))
    l2 = l2 + beta / (2.0 * rate)
    for variable, accumulator, line, g in zip(variables, accumulators, linears, _plain(grads), strict=True):
        p, accum, linear = variable._own(), accumulator._own(), line._own()
        grown = accum + g * g
        linear.add_((g + 2 * shrinkage * p) - (grown.pow(-power) - accum.pow(-power)) / rate * p)
        quadratic = grown.pow(-power) / rate + 2 * l2
        p.copy_((linear.clamp(-l1, l1) - linear) / quadratic)
        accum.copy_(grown)


@op("ResourceApplyKerasLion", stateful=True, variables=VARIABLES, momentums=VARIABLES, grads=TENSORS, lr=VARIABLE)
def lion(variables: Any, momentums: Any, grads: Any, lr: Any, beta_1: Any, beta_2: Any) -> None:
    rate = _scalar(lr, grads[0].dtype)
    grads, ms = _plain(grads), _owned(momentums)
    mixed = torch._foreach_mul(ms, beta_1)
    torch._foreach_add_(mixed, grads, alpha=1.0 - beta_1)
    _axpy(_owned(variables), torch._foreach_sign(mixed), -rate)
    torch._foreach_mul_(ms, beta_2)
    torch._foreach_add_(ms, grads, alpha=1.0 - beta_2)


def _rms(x: torch.Tensor) -> torch.Tensor:
    return torch.sqrt(torch.mean(torch.square(x)))


@op("ResourceApplyKerasAdafactor", stateful=True, variables=VARIABLES, rs=VARIABLES, cs=VARIABLES, vs=VARIABLES, grads=TENSORS, lr=VARIABLE, iterations=VARIABLE)  # fmt: skip
def adafactor(
    variables: Any, rs: Any, cs: Any, vs: Any, grads: Any, lr: Any, iterations: Any, decay: Any, epsilon_1: Any, epsilon_2: Any, clip: Any,
    relative: Any,
) -> None:  # fmt: skip
    dtype = grads[0].dtype
    step = (iterations._t + 1).to(dtype)
    rate = lr._t.to(dtype)
    rho = torch.minimum(rate, torch.rsqrt(step))
    beta = 1 - step**decay
    for variable, row, column, second, g in zip(variables, rs, cs, vs, _plain(grads), strict=True):
        p, v = variable._own(), second._own()
        alpha = torch.clamp(_rms(p), min=epsilon_2) * rho
        squared = torch.square(g) + epsilon_1
        if p.ndim >= 2:
            r, c = row._own(), column._own()
            r.copy_(beta * r + (1 - beta) * squared.mean(-1))
            c.copy_(beta * c + (1 - beta) * squared.mean(-2))
            v.copy_((r / r.mean(-1, keepdim=True)).unsqueeze(-1) * c.unsqueeze(-2))
        else:
            v.copy_(beta * v + (1 - beta) * squared)
        u = g * torch.rsqrt(v)
        p.sub_(alpha * (u / torch.clamp(_rms(u) / clip, min=1.0)))


@op("KerasWeightDecay", stateful=True, variables=VARIABLES, lr=VARIABLE)
def weight_decay(variables: Any, lr: Any, rate: Any) -> None:
    ps = _owned(variables)
    factor = _scalar(lr, ps[0].dtype)
    torch._foreach_sub_(ps, torch._foreach_mul(torch._foreach_mul(ps, float(rate)), _number(factor)))


@op("KerasMovingAverage", stateful=True, averages=VARIABLES, variables=VARIABLES)
def moving_average(averages: Any, variables: Any, momentum: Any) -> None:
    torch._foreach_lerp_(_owned(averages), [v._t for v in variables], 1 - momentum)


@op("KerasCountStep", stateful=True, iterations=VARIABLE)
def count(iterations: Any) -> None:
    iterations._own().add_(1)


for _rule in (sgd, sgd_momentum, adam, adam_of_rows, rmsprop, adagrad, adadelta, adamax, nadam, ftrl, lion, adafactor, weight_decay, moving_average, count):
    _rule.infer(lambda *args: [])
