"""`tf.autograph`: how Python control flow becomes graphs, and how to look at that and steer it."""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import Callable
from enum import Enum
from typing import Any

from ._engine.autograph import ConversionError, artifact, convert, switched, to_source
from ._engine.autograph import set_verbosity as _set_verbosity
from ._names import module_getattr

__all__ = ["experimental", "set_verbosity", "to_code", "to_graph", "trace"]


def _python(entity: Any) -> Any:
    """The Python function behind a `tf.function` or method."""
    entity = getattr(entity, "python_function", entity)
    if isinstance(entity, functools.partial):
        entity = entity.func
    if inspect.ismethod(entity):
        entity = entity.__func__
    if not inspect.isfunction(entity):
        raise ConversionError(
            f"converting {entity}: ValueError: Cannot apply autograph to a function that doesn't expose a __code__ object. If this is a "
            "@tf.function, try passing f.python_function instead."
        )
    return entity


def to_code(entity: Callable[..., Any], recursive: bool = True, experimental_optional_features: Any = None) -> str:
    """The source of what AutoGraph makes of a function (`tf.autograph.to_code`). ValueError without source code.

    Functions that it calls are converted when it runs, so `recursive` and the features change nothing in the text.
    """
    return to_source(_python(entity))


def to_graph(entity: Callable[..., Any], recursive: bool = True, experimental_optional_features: Any = None) -> Callable[..., Any]:
    """A function as AutoGraph rewrites it (`tf.autograph.to_graph`); with `recursive`, what it calls is converted too."""
    converted = convert(_python(entity))
    if inspect.ismethod(entity):
        converted = types.MethodType(converted, entity.__self__)  # type: ignore[assignment]

    @functools.wraps(converted)
    def call(*args: Any, **kwargs: Any) -> Any:
        with switched(recursive):
            return converted(*args, **kwargs)

    return artifact(call)


def set_verbosity(level: int, alsologtostdout: bool = False) -> None:
    """How much AutoGraph tells about what it does: 0 nothing, 3 the most (`tf.autograph.set_verbosity`)."""
    _set_verbosity(level, alsologtostdout)


def trace(*args: Any) -> None:
    """Print while tracing (`tf.autograph.trace`)."""
    print(*args)


def convert_call(fn: Callable[..., Any]) -> Callable[..., Any]:
    """`fn` as converted code would call it."""
    from ._engine.autograph import converted_call

    return lambda *args, **kwargs: converted_call(fn, args, kwargs)


class Feature(Enum):
    """Optional features of conversion (`tf.autograph.experimental.Feature`). All that tf2compat has are always on."""

    ALL = "ALL"
    AUTO_CONTROL_DEPS = "AUTO_CONTROL_DEPS"
    ASSERT_STATEMENTS = "ASSERT_STATEMENTS"
    BUILTIN_FUNCTIONS = "BUILTIN_FUNCTIONS"
    EQUALITY_OPERATORS = "EQUALITY_OPERATORS"
    LISTS = "LISTS"
    NAME_SCOPES = "NAME_SCOPES"

    @classmethod
    def all(cls) -> tuple[Feature, ...]:
        """All features."""
        return tuple(cls)

    @classmethod
    def all_but(cls, exclude: Any) -> tuple[Feature, ...]:
        """All features but one, or some."""
        excluded = exclude if isinstance(exclude, (list, tuple, set)) else (exclude,)
        return tuple(f for f in cls if f not in excluded)


def do_not_convert(func: Callable[..., Any] | None = None) -> Any:
    """Decorator: AutoGraph leaves the function, and what it calls, as they are (`tf.autograph.experimental.do_not_convert`)."""
    if func is None:
        return do_not_convert

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with switched(False):
            return func(*args, **kwargs)

    if inspect.isfunction(func) or inspect.ismethod(func):
        wrapper = functools.update_wrapper(wrapper, func)
    return artifact(wrapper)


_UNSET = object()


def set_loop_options(
    parallel_iterations: Any = _UNSET, swap_memory: Any = _UNSET, maximum_iterations: Any = _UNSET, shape_invariants: Any = _UNSET
) -> None:
    """Options for the loop whose body begins with this call (`tf.autograph.experimental.set_loop_options`).

    `shape_invariants`: pairs of a loop variable and its shape, with None for dimensions that change. `maximum_iterations`
    bounds the loop. AutoGraph takes the call out of the loop; run as Python it does nothing.
    """


experimental = types.ModuleType(f"{__name__}.experimental", "Experimental parts of `tf.autograph`.")
experimental.Feature = Feature  # type: ignore[attr-defined]
experimental.do_not_convert = do_not_convert  # type: ignore[attr-defined]
experimental.set_loop_options = set_loop_options  # type: ignore[attr-defined]
sys.modules[experimental.__name__] = experimental

__getattr__ = module_getattr("tf.autograph")
