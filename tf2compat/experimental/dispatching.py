"""Functions of the user's in the place of TensorFlow's, for arguments of the user's types (`tf.experimental.dispatch_for_*`).

An op asks `Op.targets` on its slow path, which every argument that is no plain tensor takes. A function that is made of ops has
no such path: its code is replaced by a call of the same decision, once and only when something is registered for it.
"""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable
from typing import Any

import tf2compat as tf

from .extension_fields import is_union

#: TensorFlow's functions of one argument that act element by element (where they exist)
UNARY = (
    "zeros_like", "ones_like", "debugging.check_numerics", "math.abs", "math.softplus", "math.sign", "math.real", "math.imag", "math.angle",
    "math.round", "cast", "dtypes.saturate_cast", "math.sigmoid", "math.log_sigmoid", "math.conj", "math.reciprocal_no_nan", "math.erfinv",
    "math.ndtri", "math.erfcinv", "math.ceil", "math.sqrt", "math.exp", "math.rsqrt", "math.acos", "math.floor", "bitwise.invert", "math.acosh",
    "math.asin", "math.asinh", "math.atan", "math.atanh", "math.cos", "math.cosh", "math.digamma", "math.erf", "math.erfc", "math.expm1",
    "math.is_finite", "math.is_inf", "math.is_nan", "math.lgamma", "math.log", "math.log1p", "math.logical_not", "math.negative",
    "math.nextafter", "math.reciprocal", "math.rint", "math.sin", "math.sinh", "math.square", "math.tan", "math.tanh", "nn.relu6",
    "nn.leaky_relu", "nn.gelu", "nn.log_softmax", "nn.elu", "nn.relu", "nn.selu", "nn.softsign", "strings.regex_full_match",
    "strings.regex_replace", "strings.length", "strings.substr", "strings.to_number", "strings.to_hash_bucket", "strings.as_string",
    "io.decode_base64", "io.encode_base64", "strings.lower", "strings.upper", "strings.unicode_transcode", "strings.strip",
    "strings.to_hash_bucket_fast", "strings.to_hash_bucket_strong", "strings.unicode_script", "math.special.dawsn", "math.special.expint",
    "math.special.fresnel_cos", "math.special.fresnel_sin", "math.special.spence", "math.bessel_i0", "math.bessel_i0e", "math.bessel_i1",
    "math.bessel_i1e", "math.special.bessel_k0", "math.special.bessel_k0e", "math.special.bessel_k1", "math.special.bessel_k1e",
    "math.special.bessel_j0", "math.special.bessel_j1", "math.special.bessel_y0", "math.special.bessel_y1", "clip_by_value", "nn.silu",
    "image.random_brightness", "image.stateless_random_brightness", "image.adjust_brightness", "image.adjust_gamma",
    "image.convert_image_dtype", "io.decode_compressed",
)  # fmt: skip
#: those of two
BINARY = (
    "math.divide", "math.multiply", "math.subtract", "math.scalar_mul", "math.pow", "dtypes.complex", "math.truediv", "math.divide_no_nan",
    "math.multiply_no_nan", "math.floordiv", "math.logical_xor", "math.equal", "math.not_equal", "math.add", "math.xdivy", "math.xlog1py",
    "bitwise.bitwise_and", "bitwise.bitwise_or", "bitwise.bitwise_xor", "bitwise.left_shift", "bitwise.right_shift", "math.atan2",
    "math.floormod", "math.greater", "math.greater_equal", "math.less", "math.less_equal", "math.logical_and", "math.logical_or",
    "math.maximum", "math.minimum", "realdiv", "math.squared_difference", "truncatediv", "truncatemod", "math.xlogy", "math.zeta",
    "nn.sigmoid_cross_entropy_with_logits",
)  # fmt: skip
ASSERTS = (
    "debugging.assert_equal", "debugging.assert_none_equal", "debugging.assert_near", "debugging.assert_less", "debugging.assert_less_equal",
    "debugging.assert_greater", "debugging.assert_greater_equal",
)  # fmt: skip


class _Target:
    """A function to call when the arguments fit one of `signatures`: lists of (position, check)."""

    def __init__(self, function: Callable[..., Any], call: Callable[..., Any], signature: list[tuple[int, Any]]) -> None:
        self.function, self.call, self.signature = function, call, signature

    def fits(self, args: tuple[Any, ...]) -> bool:
        found = False
        for position, annotation in self.signature:
            match = _matches(args[position], annotation)
            if not match:
                return False
            found = found or match > 1
        return found


def _dispatchable(value: Any) -> bool:
    return hasattr(type(value), "_tf_components") or hasattr(type(value), "_tf_op")


def _matches(value: Any, annotation: Any) -> int:
    """0: not of that type; 1: it is; 2: and the type is one that functions are dispatched on."""
    if annotation is None:
        return int(value is None)
    if isinstance(annotation, type):
        return (2 if _dispatchable(value) else 1) if isinstance(value, annotation) else 0
    arguments = typing.get_args(annotation)
    if is_union(annotation):
        return max(_matches(value, a) for a in arguments)
    if not isinstance(value, (list, tuple)):
        return 0
    found = [_matches(v, arguments[0]) for v in value]
    return 0 if 0 in found else max(found, default=1)


def _check_annotation(annotation: Any) -> None:
    if isinstance(annotation, type) and not typing.get_args(annotation) or annotation is None:
        return
    if is_union(annotation):
        for a in typing.get_args(annotation):
            _check_annotation(a)
    elif typing.get_origin(annotation) is list:
        if len(typing.get_args(annotation)) != 1:
            raise AssertionError("Expected List[...] to have a single type parameter")
        _check_annotation(typing.get_args(annotation)[0])
    else:
        raise ValueError(f"Type annotation {annotation} is not currently supported by dispatch.  Supported annotations: type objects,  List[...], and Union[...]")


#: what is registered, by function of TensorFlow's
_TARGETS: dict[Any, list[_Target]] = {}
#: the handler of a kind of elementwise function, by its types
_HANDLERS: dict[Any, Callable[..., Any]] = {}
_MISSING = inspect.Parameter.empty


def _choose(targets: list[_Target], args: tuple[Any, ...]) -> Any:
    for target in targets:
        if target.fits(args):
            return target.call(*args)
    return NotImplemented


def _targets_of(api: Any) -> list[_Target]:
    """The list of targets of a function, which from now on asks it."""
    known = _TARGETS.get(api)
    if known is not None:
        return known
    targets = _TARGETS[api] = []
    op = getattr(api, "op", None)
    if op is not None:
        op.targets = functools.partial(_choose, targets)
    else:
        _reroute(api, targets)
    return targets


def _reroute(api: types.FunctionType, targets: list[_Target]) -> None:
    """Let a Python function ask `targets` first, wherever it has been imported to."""
    signature = inspect.signature(api)
    original = types.FunctionType(api.__code__, api.__globals__, api.__name__, api.__defaults__, api.__closure__)
    original.__kwdefaults__ = api.__kwdefaults__
    names = list(signature.parameters)

    def decide(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if any(_involved(v) for v in args) or any(_involved(v) for v in kwargs.values()):
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError:
                return original(*args, **kwargs)
            bound.apply_defaults()
            taken = _choose(targets, tuple(bound.arguments[n] for n in names))
            if taken is not NotImplemented:
                return taken
        return original(*args, **kwargs)

    def stand_in(*args: Any, **kwargs: Any) -> Any:
        decision: Any = "decide"  # a constant of the code, which is replaced by the function
        return decision(args, kwargs)

    code = stand_in.__code__
    constants = tuple(decide if c == "decide" else c for c in code.co_consts)
    api.__signature__ = signature  # type: ignore[attr-defined]
    api.__code__ = code.replace(co_consts=constants, co_freevars=api.__code__.co_freevars)  # type: ignore[arg-type]
    api.__defaults__ = api.__kwdefaults__ = None  # type: ignore[assignment]
    api.__ag_do_not_convert__ = api.__code__  # type: ignore[attr-defined]  # the source is not that of the code


def _involved(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(_involved(v) for v in value)
    return _dispatchable(value)


def _signature_of(api: Any) -> inspect.Signature:
    if not isinstance(api, types.FunctionType) or not (api.__module__ or "").startswith("tf2compat"):
        raise ValueError(f"{api} does not support dispatch.")
    signature = inspect.signature(api)
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in signature.parameters.values()):
        raise ValueError(f"{api} does not support dispatch.")
    return signature


def _checked(signature: inspect.Signature, types_of: Any) -> list[tuple[int, Any]]:
    if not (isinstance(types_of, dict) and all(isinstance(k, (str, int)) for k in types_of)):
        raise TypeError("signatures must be dictionaries mapping parameter names to type annotations.")
    names = list(signature.parameters)
    out = []
    for name, annotation in types_of.items():
        if isinstance(name, int) and name < len(names):
            name = names[name]
        if name not in signature.parameters:
            raise ValueError(f"signature includes annotation for unknown parameter {name!r}.")
        kind = signature.parameters[name].kind
        if kind not in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD):
            raise ValueError(
                f"Dispatch currently only supports type annotations for positional parameters; can't handle annotation for {kind!r} "
                f"parameter {name}."
            )
        _check_annotation(annotation)
        out.append((names.index(name), annotation))
    return out


def dispatch_for_api(api: Callable[..., Any], *signatures: Any) -> Callable[..., Any]:
    """A decorator: the function takes the place of `api` where the arguments are of certain types (`tf.experimental.dispatch_for_api`).

    `signatures` map parameter names, or positions, to classes, `Union`s and `List`s of them; without any, the function's own
    annotations count. The function has the parameters of `api`; `name` may be left out. ValueError otherwise.
    """
    signature = _signature_of(api)
    checked = [_checked(signature, s) for s in signatures]

    def decorator(dispatch_target: Callable[..., Any]) -> Callable[..., Any]:
        if not callable(dispatch_target):
            raise TypeError(f"Expected dispatch_target to be callable; got {dispatch_target!r}")
        call = _with_name(dispatch_target, signature)
        wanted = checked
        if not wanted:
            own = inspect.signature(dispatch_target)
            hints = typing.get_type_hints(dispatch_target)
            annotated = {n: hints[n] for n in own.parameters if n in hints}
            if not annotated:
                raise ValueError(
                    "The dispatch_for_api decorator must be called with at least one signature, or applied to a function that has type "
                    "annotations on its parameters."
                )
            wanted = [_checked(signature, annotated)]
        _targets_of(api).extend(_Target(dispatch_target, call, w) for w in wanted)
        return dispatch_target

    return decorator


def _with_name(target: Callable[..., Any], api: inspect.Signature) -> Callable[..., Any]:
    """The target, called with the arguments of `api` in order."""
    own = inspect.signature(target)
    kinds = {p.kind for p in own.parameters.values()}
    if kinds == {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}:
        return target
    names = list(api.parameters)
    mine = list(own.parameters)
    named = "name" in names and "name" not in mine and inspect.Parameter.VAR_KEYWORD not in kinds
    expected = [n for n in names if n != "name"] if named else names
    if mine != expected or any(own.parameters[n].kind != api.parameters[n].kind for n in mine):
        shown = own.replace(parameters=[*own.parameters.values(), api.parameters["name"]]) if named else own
        raise ValueError(f"Dispatch function's signature {shown} does not match API's signature {api}.")
    if not named:
        return target
    at = names.index("name")

    def call(*args: Any) -> Any:
        name, rest = args[at], (*args[:at], *args[at + 1 :])
        if name is None:
            return target(*rest)
        with tf.name_scope(name):
            return target(*rest)

    return call


def _resolved(paths: tuple[str, ...]) -> list[Any]:
    found = []
    for path in paths:
        value: Any = tf
        try:
            for part in path.split("."):
                value = getattr(value, part)
        except AttributeError:
            continue
        if value not in found:
            found.append(value)
    return found


def _register(paths: tuple[str, ...], kinds: tuple[Any, ...], handler: Callable[..., Any]) -> None:
    count = len(kinds)
    for annotation in kinds:
        _check_annotation(annotation)
    for api in _resolved(paths):

        def call(*args: Any, api: Any = api) -> Any:
            rest = args[count:]
            return handler(lambda *given: api(*given, *rest), *args[:count])

        _targets_of(api).append(_Target(handler, call, list(enumerate(kinds))))


def dispatch_for_unary_elementwise_apis(x_type: Any) -> Callable[..., Any]:
    """A decorator: `handler(api_func, x)` performs every elementwise function of an `x` of this type.

    `tf.experimental.dispatch_for_unary_elementwise_apis`; `api_func` is the function with its other arguments filled in.
    ValueError when the type has a handler already.
    """

    def decorator(handler: Callable[..., Any]) -> Callable[..., Any]:
        key = ("unary", x_type)
        if key in _HANDLERS:
            raise ValueError(f"A unary elementwise dispatch handler ({_HANDLERS[key]}) has already been registered for {x_type}.")
        _HANDLERS[key] = handler
        _register(UNARY, (x_type,), handler)
        return handler

    return decorator


def dispatch_for_binary_elementwise_apis(x_type: Any, y_type: Any) -> Callable[..., Any]:
    """As `dispatch_for_unary_elementwise_apis`, for `handler(api_func, x, y)`."""

    def decorator(handler: Callable[..., Any]) -> Callable[..., Any]:
        key = ("binary", x_type, y_type)
        if key in _HANDLERS:
            raise ValueError(f"A binary elementwise dispatch handler ({_HANDLERS[key]}) has already been registered for ({x_type}, {y_type}).")
        _HANDLERS[key] = handler
        _register(BINARY, (x_type, y_type), handler)
        return handler

    return decorator


def dispatch_for_binary_elementwise_assert_apis(x_type: Any, y_type: Any) -> Callable[..., Any]:
    """As `dispatch_for_binary_elementwise_apis`, for the functions of `tf.debugging` that compare two tensors."""

    def decorator(handler: Callable[..., Any]) -> Callable[..., Any]:
        key = ("assert", x_type, y_type)
        if key in _HANDLERS:
            raise ValueError(
                f"A binary elementwise assert dispatch handler ({_HANDLERS[key]}) has already been registered for ({x_type}, {y_type})."
            )
        _HANDLERS[key] = handler
        _register(ASSERTS, (x_type, y_type), handler)
        return handler

    return decorator


def unregister_dispatch_for(dispatch_target: Callable[..., Any]) -> None:
    """Undo a registration by its function (`tf.experimental.unregister_dispatch_for`); ValueError when there is none."""
    found = False
    for targets in _TARGETS.values():
        kept = [t for t in targets if t.function is not dispatch_target]
        found = found or len(kept) < len(targets)
        targets[:] = kept
    for key in [k for k, h in _HANDLERS.items() if h is dispatch_target]:
        del _HANDLERS[key]
        found = True
    if not found:
        raise ValueError(f"Function {dispatch_target} was not registered using a `@dispatch_for_*` decorator.")
