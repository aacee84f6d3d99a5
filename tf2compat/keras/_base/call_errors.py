"""What Keras adds to an exception of a layer's `call`: which layer it was, and with what it was called."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from tf2compat._engine import nest, state

__all__ = ["with_call"]


def _shown(value: Any) -> Any:
    if hasattr(type(value), "_tf_storage") or (hasattr(value, "_t") and hasattr(value, "dtype")):
        return f"tf.Tensor(shape={value.shape}, dtype={value.dtype.name})"
    return value


def with_call(
    error: Exception, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], symbolic: bool, called: Callable[..., Any] | None = None
) -> Exception:
    """The exception to raise in place of `error`, which `layer.call(*args, **kwargs)` raised, or the function that was `called` in its place.

    Its class is the same where it can be made from a message alone, else RuntimeError. The innermost layer's words stay.
    """
    if getattr(error, "_keras_call_info_injected", False):
        return error
    try:
        signature = inspect.signature(called or layer.call)
        bound = signature.bind(*args, **kwargs).arguments
    except (TypeError, ValueError):  # the call does not fit: the error says so itself
        return error
    from tf2compat.errors import OpError

    if state.local.graph is not None and not type(layer).__module__.startswith("tf2compat."):
        from tf2compat._engine.autograph.errors import in_user_code

        in_user_code(error)
    quote = '"' if symbolic else "'"
    name = f"layer {quote}{layer.name}{quote} (type {type(layer).__name__})"
    shown = []
    for p in signature.parameters.values():
        value = nest.map_structure(_shown, bound[p.name]) if p.name in bound else p.default
        shown.append(f"  • {p.name}={value}")
    said = error.message if isinstance(error, OpError) else error.args[0] if error.args else ""
    message = f"Exception encountered when calling {name}.\n\n{said}\n\nCall arguments received by {name}:\n" + "\n".join(shown)
    made: Any
    if isinstance(error, OpError):
        made = error.__class__(error.node_def, error.op, message, error.error_code)
    else:
        try:
            made = error.__class__(message)
        except TypeError:  # an exception that is made otherwise
            made = RuntimeError(message)
    made._keras_call_info_injected = True
    made.__cause__ = None
    made.__suppress_context__ = True
    return made.with_traceback(error.__traceback__)
