"""Optimizers' updates of variables (`ResourceApplyAdam` and its like), by the formulas that TensorFlow's documentation of each op gives."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import tf2compat as tf

from .registry import Call, graph_op

#: a rule: called with the Call, the values of the variables, and the hyperparameters and gradient; gives the variables' next values
Rule = Callable[..., Sequence[Any]]


def _updates(name: str, rule: Rule, variables: int, sparse: bool = True) -> None:
    """Declares the dense op, and the sparse one, which takes behind the gradient of some rows their numbers."""
    place = list(inspect.signature(rule).parameters).index("grad") - 1 - variables

    @graph_op(f"ResourceApply{name}")
    def dense(call: Call, *inputs: Any) -> Any:
        state, rest = inputs[:variables], inputs[variables:]
        for variable, value in zip(state, rule(call, *[tf.convert_to_tensor(v) for v in state], *rest), strict=True):
            variable.assign(value)
        return []

    if not sparse:
        return

    @graph_op(f"ResourceSparseApply{name}")
    def rows(call: Call, *inputs: Any) -> Any:
        state, rest = inputs[:variables], list(inputs[variables:])
        indices = rest.pop(place + 1)
        tf.debugging.assert_equal(tf.size(tf.unique(indices).y), tf.size(indices), f"{call.op}: tf2compat updates each row once")
        found = rule(call, *[tf.gather(v, indices) for v in state], *rest)
        for variable, value in zip(state, found, strict=True):
            variable.scatter_update(tf.IndexedSlices(value, indices))
        return []


def _descent(call: Call, var: Any, alpha: Any, grad: Any) -> Sequence[Any]:
    return [var - alpha * grad]


def _momentum(call: Call, var: Any, accum: Any, lr: Any, grad: Any, momentum: Any) -> Sequence[Any]:
    accum = accum * momentum + grad
    return [var - lr * (grad + momentum * accum if call.get("use_nesterov", False) else accum), accum]


def _keras_momentum(call: Call, var: Any, accum: Any, lr: Any, grad: Any, momentum: Any) -> Sequence[Any]:
    accum = accum * momentum - lr * grad
    return [var + (accum * momentum - lr * grad if call.get("use_nesterov", False) else accum), accum]


def _adam(
    call: Call, var: Any, m: Any, v: Any, beta1_power: Any, beta2_power: Any, lr: Any, beta1: Any, beta2: Any, epsilon: Any, grad: Any
) -> Sequence[Any]:
    rate = lr * tf.sqrt(1 - beta2_power) / (1 - beta1_power)
    m, v = m + (1 - beta1) * (grad - m), v + (1 - beta2) * (tf.square(grad) - v)
    step = m * beta1 + (1 - beta1) * grad if call.get("use_nesterov", False) else m
    return [var - rate * step / (tf.sqrt(v) + epsilon), m, v]


def _amsgrad(
    call: Call, var: Any, m: Any, v: Any, vhat: Any, beta1_power: Any, beta2_power: Any, lr: Any, beta1: Any, beta2: Any, epsilon: Any, grad: Any
) -> Sequence[Any]:
    rate = lr * tf.sqrt(1 - beta2_power) / (1 - beta1_power)
    m, v = m + (1 - beta1) * (grad - m), v + (1 - beta2) * (tf.square(grad) - v)
    vhat = tf.maximum(vhat, v)
    return [var - rate * m / (tf.sqrt(vhat) + epsilon), m, v, vhat]


def _adamax(call: Call, var: Any, m: Any, v: Any, beta1_power: Any, lr: Any, beta1: Any, beta2: Any, epsilon: Any, grad: Any) -> Sequence[Any]:
    m, v = m + (1 - beta1) * (grad - m), tf.maximum(beta2 * v, tf.abs(grad))
    return [var - lr / (1 - beta1_power) * (m / (v + epsilon)), m, v]


def _adagrad(call: Call, var: Any, accum: Any, lr: Any, grad: Any) -> Sequence[Any]:
    accum = accum + tf.square(grad) if call.get("update_slots", True) else accum
    return [var - lr * grad * tf.math.rsqrt(accum), accum]


def _adagrad_v2(call: Call, var: Any, accum: Any, lr: Any, epsilon: Any, grad: Any) -> Sequence[Any]:
    accum = accum + tf.square(grad) if call.get("update_slots", True) else accum
    return [var - lr * grad / (tf.sqrt(accum) + epsilon), accum]


def _adadelta(call: Call, var: Any, accum: Any, accum_update: Any, lr: Any, rho: Any, epsilon: Any, grad: Any) -> Sequence[Any]:
    accum = rho * accum + (1 - rho) * tf.square(grad)
    update = tf.sqrt(accum_update + epsilon) * tf.math.rsqrt(accum + epsilon) * grad
    return [var - lr * update, accum, rho * accum_update + (1 - rho) * tf.square(update)]


def _rmsprop(call: Call, var: Any, ms: Any, mom: Any, lr: Any, rho: Any, momentum: Any, epsilon: Any, grad: Any) -> Sequence[Any]:
    ms = ms + (1 - rho) * (tf.square(grad) - ms)
    mom = momentum * mom + lr * grad * tf.math.rsqrt(ms + epsilon)
    return [var - mom, ms, mom]


def _centered_rmsprop(
    call: Call, var: Any, mg: Any, ms: Any, mom: Any, lr: Any, rho: Any, momentum: Any, epsilon: Any, grad: Any
) -> Sequence[Any]:
    ms, mg = ms + (1 - rho) * (tf.square(grad) - ms), mg + (1 - rho) * (grad - mg)
    mom = momentum * mom + lr * grad * tf.math.rsqrt(ms - tf.square(mg) + epsilon)
    return [var - mom, mg, ms, mom]


def _ftrl_step(var: Any, accum: Any, linear: Any, grad: Any, shrunk: Any, lr: Any, l1: Any, l2: Any, power: Any) -> Sequence[Any]:
    grown = accum + tf.square(grad)
    linear = linear + shrunk - (grown**-power - accum**-power) / lr * var
    quadratic = grown**-power / lr + 2 * l2
    var = tf.where(tf.abs(linear) > l1, (tf.sign(linear) * l1 - linear) / quadratic, tf.zeros_like(var))
    return [var, grown, linear]


def _ftrl(call: Call, var: Any, accum: Any, linear: Any, grad: Any, lr: Any, l1: Any, l2: Any, lr_power: Any) -> Sequence[Any]:
    return _ftrl_step(var, accum, linear, grad, grad, lr, l1, l2, lr_power)


def _ftrl_v2(call: Call, var: Any, accum: Any, linear: Any, grad: Any, lr: Any, l1: Any, l2: Any, shrinkage: Any, lr_power: Any) -> Sequence[Any]:
    return _ftrl_step(var, accum, linear, grad, grad + 2 * shrinkage * var, lr, l1, l2, lr_power)


def _proximal(prox: Any, rate: Any, l1: Any, l2: Any) -> Any:
    """The step's end, drawn towards zero by both penalties."""
    shrunk = tf.where(l1 > 0, tf.sign(prox) * tf.maximum(tf.abs(prox) - rate * tf.maximum(l1, 0), 0), prox)
    return shrunk / (1 + l2 * rate)


def _proximal_adagrad(call: Call, var: Any, accum: Any, lr: Any, l1: Any, l2: Any, grad: Any) -> Sequence[Any]:
    accum = accum + tf.square(grad)
    rate = lr * tf.math.rsqrt(accum)
    return [_proximal(var - rate * grad, rate, l1, l2), accum]


def _proximal_descent(call: Call, var: Any, alpha: Any, l1: Any, l2: Any, grad: Any) -> Sequence[Any]:
    return [_proximal(var - alpha * grad, alpha, l1, l2)]


_updates("GradientDescent", _descent, 1, sparse=False)
_updates("ProximalAdagrad", _proximal_adagrad, 2)
_updates("ProximalGradientDescent", _proximal_descent, 1)
_updates("Momentum", _momentum, 2)
_updates("KerasMomentum", _keras_momentum, 2)
_updates("Adam", _adam, 3, sparse=False)
_updates("AdamWithAmsgrad", _amsgrad, 4, sparse=False)
_updates("AdaMax", _adamax, 3, sparse=False)
_updates("Adagrad", _adagrad, 2)
_updates("AdagradV2", _adagrad_v2, 2)
_updates("Adadelta", _adadelta, 3)
_updates("RMSProp", _rmsprop, 3)
_updates("CenteredRMSProp", _centered_rmsprop, 4)
_updates("Ftrl", _ftrl, 3)
_updates("FtrlV2", _ftrl_v2, 3)
