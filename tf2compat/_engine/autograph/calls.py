"""Calls made by converted code: the user's functions are converted on the way, Python's builtins follow tensors."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

from . import context, rules
from .context import NoSource, Unsupported
from .convert import convert, is_artifact

__all__ = ["converted_call", "function_for", "keywords"]

_FunctionType = types.FunctionType
_MethodType = types.MethodType
_NONE: dict[str, Any] = {}

# functions that run as they are, by code object: libraries', and those that cannot be converted
_as_is: dict[types.CodeType, bool] = {}
#: what a builtin becomes in converted code; the operators' module fills it
BUILTINS: dict[Any, Callable[..., Any]] = {}


def keywords(mapping: Any) -> dict[str, Any]:
    """The keywords of `f(**mapping)`."""
    return dict(**mapping)


def converted_call(f: Any, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None) -> Any:
    """`f(*args, **kwargs)`, with `f` converted when it is the user's own function."""
    t = type(f)
    if t is _FunctionType:
        f = function_for(f)
    elif t is _MethodType:
        function = f.__func__
        if type(function) is _FunctionType:
            converted = function_for(function)
            if converted is not function:
                return converted(f.__self__, *args, **(kwargs or _NONE))
    elif t is types.BuiltinFunctionType or t is type:
        overload = BUILTINS.get(f) if getattr(f, "__module__", None) == "builtins" else None
        if overload is not None:
            f = overload
    elif t is functools.partial:
        return converted_call(f.func, f.args + args, {**f.keywords, **(kwargs or _NONE)})
    elif not isinstance(f, type):
        method = getattr(t, "__call__", None)  # noqa: B004 - special methods are looked up on the type
        if type(method) is _FunctionType:
            converted = function_for(method)
            if converted is not method:
                return converted(f, *args, **(kwargs or _NONE))
    return f(*args, **kwargs) if kwargs else f(*args)


def function_for(f: types.FunctionType, requested: bool = False) -> types.FunctionType:
    """The converted form of `f`, or `f` itself where it is not the user's, or cannot be converted."""
    code = f.__code__
    if not requested and (code in _as_is or not context.enabled()):
        return f
    if code.co_filename.startswith("<tf2compat op"):  # made by the op registry, whose implementations have no control flow of the user's
        return f
    if is_artifact(f) or getattr(f, "__ag_do_not_convert__", None) is code:
        return f
    if not requested and not rules.is_users(f):
        _as_is[code] = True
        return f
    try:
        return convert(f)
    except Unsupported as error:
        silent = "generators" in str(error)
        _tell(f, error, silent)
    except NoSource as error:
        _tell(f, error, code.co_filename == "<string>")
    _as_is[code] = True
    return f


def _tell(f: types.FunctionType, error: Exception, silent: bool) -> None:
    if silent or f.__code__ in _as_is:
        return
    _as_is[f.__code__] = True
    context.warn(
        f"AutoGraph could not transform {f!r} and will run it as-is.\nCause: {error}\n"
        "To silence this warning, decorate the function with @tf.autograph.experimental.do_not_convert"
    )
