"""Optimizers' steps, learning rates that change, and moving averages, as TensorFlow's ops on variables.

A rule here gets the op's variables, or the rows of them that a gradient touches (`Rows`): both have a `value` and an `assign`.
"""

from __future__ import annotations

import math
from typing import Any

import tf2compat as tf
from tf2compat._engine.op import OPS

from .body import NotExportable
from .export import LOWERED
from .lowering import lowers


class Rows:
    """Some rows of a variable, in the variable's place."""

    def __init__(self, variable: Any, numbers: Any) -> None:
        self.variable, self.numbers, self.changed = variable, numbers, None

    def value(self) -> Any:
        return tf.gather(self.variable, self.numbers) if self.changed is None else self.changed

    def assign(self, value: Any) -> None:
        self.changed = value

    def back(self) -> None:
        if self.changed is not None:
            self.variable.scatter_update(tf.IndexedSlices(self.changed, self.numbers))


def _rate(lr: Any, like: Any) -> Any:
    return tf.cast(lr.value(), like.dtype)


def _steps(iterations: Any, like: Any, more: int = 1) -> Any:
    return tf.cast(iterations.value() + more, like.dtype)


def _moved(variable: Any, towards: Any, keep: Any) -> Any:
    """A running average after one more value."""
    now = variable.value() * keep + towards * (1.0 - keep)
    variable.assign(now)
    return now


@lowers("ResourceApplyGradientDescent")
def descent(variables: Any, grads: Any, lr: Any) -> Any:
    for p, g in zip(variables, grads, strict=True):
        p.assign(p.value() - _rate(lr, g) * g)
    return []


@lowers("ResourceScatterDescent")
def descent_of_rows(variables: Any, scalars: Any, values: Any, indices: Any) -> Any:
    variables[0].scatter_sub(tf.IndexedSlices(values * _rate(scalars[0], values), indices))
    return []


@lowers("ResourceApplyKerasMomentum")
def momentum(variables: Any, momentums: Any, grads: Any, lr: Any, momentum: Any, nesterov: Any) -> Any:
    for p, m, g in zip(variables, momentums, grads, strict=True):
        rate = _rate(lr, g)
        now = m.value() * momentum - rate * g
        m.assign(now)
        p.assign(p.value() + (now * momentum - rate * g if nesterov else now))
    return []


@lowers("ResourceApplyAdam")
def adam(
    variables: Any, ms: Any, vs: Any, hats: Any, grads: Any, lr: Any, iterations: Any, beta_1: Any, beta_2: Any, epsilon: Any, adaptive: Any = False
) -> Any:
    for i, (p, m, v, g) in enumerate(zip(variables, ms, vs, grads, strict=True)):
        step = _steps(iterations, g)
        root, rest = tf.sqrt(1.0 - tf.pow(tf.cast(beta_2, g.dtype), step)), 1.0 - tf.pow(tf.cast(beta_1, g.dtype), step)
        first, second = _moved(m, g, beta_1), _moved(v, g * g, beta_2)
        if hats:
            second = tf.maximum(hats[i].value(), second)
            hats[i].assign(second)
        if adaptive:
            p.assign(p.value() - _rate(lr, g) / rest * first / (tf.sqrt(second) / root + epsilon))
        else:
            p.assign(p.value() - _rate(lr, g) * root / rest * first / (tf.sqrt(second) + epsilon))
    return []


@lowers("ResourceSparseApplyAdam")
def adam_of_rows(variables: Any, ms: Any, vs: Any, hats: Any, values: Any, indices: Any, *rest: Any) -> Any:
    grad = tf.math.unsorted_segment_sum(values, tf.cast(indices, tf.int64), tf.shape(variables[0].value(), tf.int64)[0])
    return adam(variables, ms, vs, hats, [grad], *rest)


@lowers("ResourceApplyKerasRMSProp")
def rmsprop(variables: Any, velocities: Any, momentums: Any, averages: Any, grads: Any, lr: Any, rho: Any, momentum: Any, epsilon: Any) -> Any:
    for i, (p, v, g) in enumerate(zip(variables, velocities, grads, strict=True)):
        bottom = _moved(v, g * g, rho)
        if averages:
            bottom = bottom - tf.square(_moved(averages[i], g, rho))
        step = _rate(lr, g) * g * tf.math.rsqrt(bottom + epsilon)
        if momentums:
            step = momentums[i].value() * momentum + step
            momentums[i].assign(step)
        p.assign(p.value() - step)
    return []


@lowers("ResourceApplyRMSProp")
def legacy_rmsprop(variables: Any, rms: Any, moms: Any, mgs: Any, grads: Any, lr: Any, rho: Any, momentum: Any, epsilon: Any) -> Any:
    for i, (p, s, g) in enumerate(zip(variables, rms, grads, strict=True)):
        bottom = _moved(s, g * g, rho)
        if mgs:
            bottom = bottom - tf.square(_moved(mgs[i], g, rho))
        if moms:
            step = moms[i].value() * momentum + _rate(lr, g) * g / tf.sqrt(bottom + epsilon)
            moms[i].assign(step)
        else:
            step = _rate(lr, g) * g / (tf.sqrt(bottom) + epsilon)
        p.assign(p.value() - step)
    return []


@lowers("ResourceApplyAdagradV2")
def legacy_adagrad(variables: Any, sums: Any, grads: Any, lr: Any, epsilon: Any) -> Any:
    for p, s, g in zip(variables, sums, grads, strict=True):
        total = s.value() + g * g
        s.assign(total)
        p.assign(p.value() - _rate(lr, g) * g / (tf.sqrt(total) + epsilon))
    return []


@lowers("ResourceApplyLegacyNadam")
def legacy_nadam(
    variables: Any, ms: Any, vs: Any, cache: Any, grads: Any, lr: Any, iterations: Any, beta_1: Any, beta_2: Any, epsilon: Any, again: bool
) -> Any:
    like = grads[0]
    step = _steps(iterations, like)
    decay = tf.cast(0.96, like.dtype)
    now, following = (beta_1 * (1.0 - 0.5 * tf.pow(decay, 0.004 * n)) for n in (step, step + 1.0))
    product = tf.cast(cache.value(), like.dtype)
    if not again:
        product = product * now
        cache.assign(tf.cast(product, cache.dtype))
    ahead = product * following
    for p, m, v, g in zip(variables, ms, vs, grads, strict=True):
        first, second = _moved(m, g, beta_1), _moved(v, g * g, beta_2)
        top = (1.0 - now) * (g / (1.0 - product)) + following * (first / (1.0 - ahead))
        bottom = tf.sqrt(second / (1.0 - tf.pow(tf.cast(beta_2, g.dtype), step))) + epsilon
        p.assign(p.value() - _rate(lr, g) * top / bottom)
    return []


@lowers("ResourceApplyKerasAdagrad")
def adagrad(variables: Any, accumulators: Any, grads: Any, lr: Any, epsilon: Any) -> Any:
    for p, a, g in zip(variables, accumulators, grads, strict=True):
        total = a.value() + g * g
        a.assign(total)
        p.assign(p.value() - _rate(lr, g) * g / tf.sqrt(total + epsilon))
    return []


@lowers("ResourceApplyKerasAdadelta")
def adadelta(variables: Any, squares: Any, deltas: Any, grads: Any, lr: Any, rho: Any, epsilon: Any) -> Any:
    for p, s, d, g in zip(variables, squares, deltas, grads, strict=True):
        bottom = _moved(s, g * g, rho)
        step = tf.sqrt(d.value() + epsilon) * g / tf.sqrt(bottom + epsilon)
        _moved(d, step * step, rho)
        p.assign(p.value() - _rate(lr, g) * step)
    return []


@lowers("ResourceApplyAdaMax")
def adamax(variables: Any, ms: Any, us: Any, grads: Any, lr: Any, iterations: Any, beta_1: Any, beta_2: Any, epsilon: Any) -> Any:
    for p, m, u, g in zip(variables, ms, us, grads, strict=True):
        rate = _rate(lr, g) / (1.0 - tf.pow(tf.cast(beta_1, g.dtype), _steps(iterations, g)))
        first = _moved(m, g, beta_1)
        norm = tf.maximum(u.value() * beta_2, tf.abs(g))
        u.assign(norm)
        p.assign(p.value() - rate * first / (norm + epsilon))
    return []


@lowers("ResourceApplyKerasNadam")
def nadam(
    variables: Any, ms: Any, vs: Any, product: Any, grads: Any, lr: Any, iterations: Any, beta_1: Any, beta_2: Any, epsilon: Any, counters: Any
) -> Any:
    like = grads[0]
    step, following = _steps(iterations, like), _steps(iterations, like, 2)
    b1, decay = tf.cast(beta_1, like.dtype), tf.cast(0.96, like.dtype)
    now, later = b1 * (1.0 - 0.5 * tf.pow(decay, step)), b1 * (1.0 - 0.5 * tf.pow(decay, following))
    so_far, products = tf.cast(product.value(), like.dtype), []
    for counter in counters:
        factor = now
        if counter is not None:
            factor = tf.where(tf.equal(following, float(counter)), tf.ones_like(now), now) if counter >= 0 else tf.ones_like(now)
        so_far = so_far * factor
        products.append(so_far)
    product.assign(tf.cast(so_far, product.dtype))
    for i, (p, m, v, g) in enumerate(zip(variables, ms, vs, grads, strict=True)):
        u = products[0] if len(products) == 1 else products[i]
        first, second = _moved(m, g, beta_1), _moved(v, g * g, beta_2)
        top = later * first / (1.0 - u * later) + (1.0 - now) * g / (1.0 - u)
        bottom = second / (1.0 - tf.pow(tf.cast(beta_2, g.dtype), step))
        p.assign(p.value() - top * _rate(lr, g) / (tf.sqrt(bottom) + epsilon))
    return []


@lowers("ResourceApplyFtrlV2")
def ftrl(
    variables: Any, accumulators: Any, linears: Any, grads: Any, lr: Any, power: Any, l1: Any, l2: Any, shrinkage: Any, beta: Any
) -> Any:
    for p, a, linear, g in zip(variables, accumulators, linears, grads, strict=True):
        rate, now, before = _rate(lr, g), p.value(), a.value()
        most = l2 + beta / (2.0 * rate)
        grown = before + g * g
        line = linear.value() + (g + 2.0 * shrinkage * now) - (tf.pow(grown, -power) - tf.pow(before, -power)) / rate * now
        linear.assign(line)
        a.assign(grown)
        p.assign((tf.clip_by_value(line, -l1, l1) - line) / (tf.pow(grown, -power) / rate + 2.0 * most))
    return []


@lowers("ResourceApplyKerasLion")
def lion(variables: Any, momentums: Any, grads: Any, lr: Any, beta_1: Any, beta_2: Any) -> Any:
    for p, m, g in zip(variables, momentums, grads, strict=True):
        before = m.value()
        p.assign(p.value() - _rate(lr, g) * tf.sign(before * beta_1 + g * (1.0 - beta_1)))
        m.assign(before * beta_2 + g * (1.0 - beta_2))
    return []


def _rms(x: Any) -> Any:
    return tf.sqrt(tf.reduce_mean(tf.square(x)))


@lowers("ResourceApplyKerasAdafactor")
def adafactor(
    variables: Any, rs: Any, cs: Any, vs: Any, grads: Any, lr: Any, iterations: Any, decay: Any, epsilon_1: Any, epsilon_2: Any, clip: Any,
    relative: Any,
) -> Any:  # fmt: skip
    for p, r, c, v, g in zip(variables, rs, cs, vs, grads, strict=True):
        step = _steps(iterations, g)
        beta = 1.0 - tf.pow(step, tf.cast(decay, g.dtype))
        alpha = tf.maximum(_rms(p.value()), epsilon_2) * tf.minimum(_rate(lr, g), tf.math.rsqrt(step))
        squared = tf.square(g) + epsilon_1
        if g.shape.rank >= 2:
            row, column = _moved(r, tf.reduce_mean(squared, -1), beta), _moved(c, tf.reduce_mean(squared, -2), beta)
            second = tf.expand_dims(row / tf.reduce_mean(row, -1, keepdims=True), -1) * tf.expand_dims(column, -2)
            v.assign(second)
        else:
            second = _moved(v, squared, beta)
        u = g * tf.math.rsqrt(second)
        p.assign(p.value() - alpha * (u / tf.maximum(_rms(u) / clip, 1.0)))
    return []


@lowers("ResourceSparseApply")
def of_rows(variables: Any, scalars: Any, values: Any, indices: Any, rule: str, layout: Any) -> Any:
    """A rule on the rows that a gradient touches, see `tf2compat.keras.optimizers._rows`."""
    op = OPS[rule]
    dense = LOWERED.get(op.key) or LOWERED.get(op.name)
    if dense is None:
        raise NotExportable(f"there is no rule for {op.name} on rows")
    numbers, at = tf.unique(indices)
    summed = tf.math.unsorted_segment_sum(values, at, tf.size(numbers))
    held = [Rows(v, numbers) for v in variables]
    rows, plain = iter(held), iter(scalars)
    given: list[Any] = []
    for what in layout:
        given.append([next(rows)] if what == "v" else next(plain) if what == "s" else [summed] if what == "g" else what[0])
    dense(*given)
    for row in held:
        row.back()
    return []


@lowers("KerasWeightDecay")
def weight_decay(variables: Any, lr: Any, rate: Any) -> Any:
    for p in variables:
        now = p.value()
        p.assign(now - now * float(rate) * _rate(lr, now))
    return []


@lowers("KerasMovingAverage")
def moving_average(averages: Any, variables: Any, momentum: Any) -> Any:
    for average, variable in zip(averages, variables, strict=True):
        _moved(average, variable.value(), momentum)
    return []


@lowers("KerasCountStep")
def count_step(iterations: Any) -> Any:
    iterations.assign_add(1)
    return []


# --- learning rates --------------------------------------------------------------------------------------------------
def _now(step: Any, rate: Any) -> Any:
    return tf.cast(step, rate.dtype)


@lowers("KerasExponentialDecay")
def exponential(rate: Any, step: Any, steps: Any, decay: Any, staircase: Any) -> Any:
    rate = tf.convert_to_tensor(rate)
    passed = _now(step, rate) / float(steps)
    return rate * tf.pow(tf.cast(decay, rate.dtype), tf.floor(passed) if staircase else passed)


@lowers("KerasInverseTimeDecay")
def inverse_time(rate: Any, step: Any, steps: Any, decay: Any, staircase: Any) -> Any:
    rate = tf.convert_to_tensor(rate)
    passed = _now(step, rate) / float(steps)
    return rate / (1.0 + float(decay) * (tf.floor(passed) if staircase else passed))


@lowers("KerasPiecewiseConstant")
def piecewise(step: Any, boundaries: Any, values: Any) -> Any:
    step = tf.convert_to_tensor(step)
    edges = [int(b) if step.dtype.is_integer else b for b in boundaries]
    return tf.gather(values, tf.reduce_sum(tf.cast(step > tf.constant(edges, step.dtype), tf.int32)))


@lowers("KerasPolynomialDecay")
def polynomial(rate: Any, step: Any, steps: Any, end: Any, power: Any, cycle: Any) -> Any:
    rate = tf.convert_to_tensor(rate)
    now, whole = _now(step, rate), tf.cast(steps, rate.dtype)
    if cycle:
        whole = whole * tf.where(tf.equal(now, 0), tf.ones_like(now), tf.math.ceil(now / float(steps)))
    else:
        now = tf.minimum(now, whole)
    return (rate - end) * tf.pow(1.0 - now / whole, tf.cast(power, rate.dtype)) + end


@lowers("KerasCosineDecay")
def cosine(rate: Any, step: Any, steps: Any, alpha: Any, target: Any, warmup: Any) -> Any:
    rate = tf.convert_to_tensor(rate)
    now = _now(step, rate)

    def decayed(passed: Any, start: Any) -> Any:
        return start * ((1.0 - alpha) * (0.5 * (1.0 + tf.cos(math.pi * (passed / float(steps))))) + alpha)

    if target is None:
        return decayed(tf.minimum(now, float(steps)), rate)
    now = tf.minimum(now, float(steps + warmup))
    if not warmup:
        return decayed(now, target)
    return tf.where(now < float(warmup), (target - rate) * (now / float(warmup)) + rate, decayed(now - float(warmup), target))


@lowers("KerasCosineDecayRestarts")
def restarts(rate: Any, step: Any, first: Any, t_mul: Any, m_mul: Any, alpha: Any) -> Any:
    rate = tf.convert_to_tensor(rate)
    done = _now(step, rate) / float(first)
    if t_mul == 1.0:
        i = tf.floor(done)
        done = done - i
    else:
        i = tf.floor(tf.math.log(1.0 - done * (1.0 - t_mul)) / math.log(t_mul))
        grown = tf.pow(tf.cast(t_mul, rate.dtype), i)
        done = (done - (1.0 - grown) / (1.0 - t_mul)) / grown
    height = tf.pow(tf.cast(m_mul, rate.dtype), i)
    return rate * ((1.0 - alpha) * (0.5 * height * (1.0 + tf.cos(math.pi * done))) + alpha)
