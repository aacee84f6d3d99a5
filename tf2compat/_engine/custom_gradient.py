"""Gradients that the program defines: `tf.custom_gradient`, `tf.recompute_grad`, `tf.stop_gradient` and their kin."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import torch

from . import nest, state
from .convert import convert_to_tensor
from .op import ANY, entering, op, wrap_here
from .tape import GradientTape, leaf_of, watching_variables
from .tensor import Tensor
from .variable import Variable


@op("StopGradient", input=ANY)
def stop_gradient(input: Any, name: str | None = None) -> Any:  # noqa: A002 - TensorFlow's name
    """`input`, through which no gradient flows (`tf.stop_gradient`)."""
    return input.detach()


@stop_gradient.strings
def _(input: Any) -> Any:  # noqa: A002
    return input


class _Custom(torch.autograd.Function):
    """Results of a forward pass whose backward pass is a Python function of the output gradients."""

    @staticmethod
    def forward(ctx: Any, backward: Callable[..., Any], n_results: int, *tensors: torch.Tensor) -> Any:
        ctx.run = backward
        ctx.n_results = n_results
        ctx.set_materialize_grads(True)
        return tuple(t.detach().view_as(t) for t in tensors[:n_results])

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        return (None, None, *[None] * ctx.n_results, *ctx.run(grads))


def custom_gradient(f: Callable[..., Any] | None = None) -> Any:
    """Decorator for a function that returns its result and a function of the gradient (`tf.custom_gradient`).

    The gradient function gets one gradient for each output and returns one for each positional argument; when `f` reads
    variables it must accept `variables` and return their gradients too. TypeError otherwise.
    """
    if f is None:
        return lambda f: custom_gradient(f)

    @functools.wraps(f)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        return _call(f, args, kwargs)

    decorated.__original_wrapped__ = f  # type: ignore[attr-defined] # as TensorFlow's decorators have it, which tests of libraries ask for
    return decorated


def _call(f: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    args = nest.map_structure(_tensor, args)
    flat_args = [a for a in nest.flatten(args, expand_composites=True) if isinstance(a, (Tensor, Variable))]
    with watching_variables() as seen:
        result, grad_fn = f(*args, **kwargs)
    direct = {id(a) for a in flat_args}
    variables = [v for v in seen if id(v) not in direct and v.trainable]
    if variables and not _accepts_variables(grad_fn):
        raise TypeError(
            "@tf.custom_gradient grad_fn must accept keyword argument 'variables', since function uses variables: "
            f"{[v for v in seen if id(v) not in direct]}"
        )
    flat_result = [convert_to_tensor(r) for r in nest.flatten(result, expand_composites=True)]
    if any(isinstance(a, Variable) for a in flat_args):
        flat_args = [convert_to_tensor(a) if isinstance(a, Variable) else a for a in flat_args]

    def backward(*grads: Tensor) -> list[Any]:
        """Gradients with respect to `flat_args` and then `variables`."""
        given: Any = grads
        if variables:
            input_grads, variable_grads = grad_fn(*given, variables=variables)
            if variable_grads is None:
                variable_grads = []
            variable_grads = nest.flatten(variable_grads)
            if len(variable_grads) != len(variables):
                raise ValueError("Must return gradient for each variable from @custom_gradient grad_fn.")
        else:
            input_grads, variable_grads = grad_fn(*given), []
        flat = nest.flatten(input_grads, expand_composites=True)
        if len(flat) != len(flat_args):
            raise ValueError(
                f"custom_gradient function expected to return {len(flat_args)} gradients, but returned {len(flat)} instead."
            )
        return [*flat, *variable_grads]

    graph = state.local.graph
    if graph is not None:
        flat_result = graph.custom_gradient(flat_result, flat_args, variables, backward)
    else:
        storages = [entering(a) for a in flat_args] + [leaf_of(v) for v in variables]
        if any(isinstance(s, torch.Tensor) and s.requires_grad for s in storages):

            def run(grads: Any) -> list[Any]:
                found = backward(*[wrap_here(g) for g in grads])
                return [_fit(g, s) for g, s in zip(found, storages, strict=True)]

            outputs = _Custom.apply(run, len(flat_result), *[entering(r) for r in flat_result], *storages)
            flat_result = [wrap_here(o) for o in outputs]
    return nest.pack_sequence_as(result, flat_result, expand_composites=True)


def _fit(grad: Any, like: torch.Tensor) -> Any:
    if grad is None or not like.requires_grad:
        return None
    g = entering(convert_to_tensor(grad))
    return g if g.dtype == like.dtype else g.to(like.dtype)


def _tensor(value: Any) -> Any:
    return value if isinstance(value, Variable) or hasattr(type(value), "_tf_op") else convert_to_tensor(value)


def _accepts_variables(fn: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(fn).parameters
    except (TypeError, ValueError):
        return False
    return "variables" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def recompute_grad(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f` without stored intermediate values: the backward pass runs it again (`tf.recompute_grad`)."""

    @custom_gradient
    def inner(*args: Any, **kwargs: Any) -> Any:
        with _paused():
            result = f(*args, **kwargs)

        def grad(*upstream: Any, variables: Any = ()) -> Any:
            with GradientTape() as tape:
                inputs = [a if isinstance(a, Variable) else tf_identity(a) for a in args]
                tape.watch([i for i in inputs if isinstance(i, Variable) or i.dtype.is_floating or i.dtype.is_complex])
                tape.watch(list(variables))
                again = f(*inputs, **kwargs)
            grads = tape.gradient(again, [inputs, list(variables)], output_gradients=list(upstream))
            return (grads[0], grads[1]) if variables else grads[0]

        return result, grad

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return inner(*args, **kwargs)

    return wrapper


@op("Identity", input=ANY)
def tf_identity(input: Any) -> Any:  # noqa: A002
    """A tensor of its own with the values of `input`."""
    return input.view_as(input)


class _paused:
    """Leave the recording tapes for a block; the variables read are still noticed."""

    def __enter__(self) -> None:
        self.tapes = state.local.tapes
        state.local.tapes = [t._reader() for t in self.tapes]
        state.tapes_changed()

    def __exit__(self, *exc: object) -> None:
        state.local.tapes = self.tapes
        state.tapes_changed()


def grad_pass_through(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f` with the gradient of the identity (`tf.grad_pass_through`)."""

    @custom_gradient
    def inner(*args: Any, **kwargs: Any) -> Any:
        def grad(*upstream: Any, variables: Any = None) -> Any:
            if variables is not None:
                return (upstream[0] if len(upstream) == 1 else upstream), [None] * len(variables)
            return upstream[0] if len(upstream) == 1 else upstream

        return f(*args, **kwargs), grad

    return functools.wraps(f)(inner)


def no_gradient(op_type: str) -> None:
    """Says that ops of a type have no gradient (`tf.no_gradient`): of types that TensorFlow does not have, as libraries of kernels register them.

    Such ops cannot be loaded here, so there is nothing to tell. UnimplementedError for the types there are: torch autograd differentiates
    them, and has no registry by type.
    """
    if not isinstance(op_type, str):
        raise TypeError("op_type must be a string")
    refuse_known_type("tf.no_gradient", op_type, "wrap the computation in tf.stop_gradient or tf.custom_gradient.")


def refuse_known_type(what: str, op_type: str, instead: str) -> None:
    """UnimplementedError when ops of this type exist here."""
    from ..errors import UnimplementedError
    from ..raw_ops import _by_name

    if ">" not in op_type and op_type in _by_name():  # "Library>Op" is the library's own
        raise UnimplementedError(
            None, None, f"{what}({op_type!r}): tf2compat differentiates with torch autograd and has no registry of gradients by op type; {instead}"
        )
